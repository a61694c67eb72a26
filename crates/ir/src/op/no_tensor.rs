//! Operators of networks where the cargo feature `networks` is off: there are none.
//!
//! The type stays, without a value, so that nobody who matches on operators of tables asks for the feature, and the
//! compiler takes out what can never run.

use super::{Operand, Payload};
use crate::{Dim, Graph};
use alloc::vec::Vec;

/// An operator of a network: none without the cargo feature `networks`.
#[derive(Clone, Debug, PartialEq)]
pub enum TensorOp {}

impl TensorOp {
    /// What the operator says of itself.
    pub fn payload(&self) -> &dyn Payload {
        match *self {}
    }

    /// The graphs inside.
    pub fn graphs(&self) -> Vec<&Graph> {
        match *self {}
    }

    /// The lengths that the output holds as numbers.
    pub(crate) fn listed(&self, _: &[Operand<'_>]) -> Option<Vec<Dim>> {
        match *self {}
    }
}
