//! Attention, in its parts.

use super::Operator;

pub(super) const OPERATORS: &[Operator] = &[];
