//! Routines of the integer form: the scalar code that defines each result, and one file an instruction set.
//!
//! A product runs over *panels*, the weights of [`LANES`] outputs side by side, and over rows of activations; what
//! becomes of its sums is an [`Ending`]. Sums wrap in 32 bits: that the true sum fits is proven when a plan is built, and
//! then every order of additions gives it.

pub(crate) mod cells;
pub(crate) mod ending;
pub(crate) mod products;

pub use crate::isa::Isa;
pub(crate) use crate::isa::{Machine, Plain};

/// Outputs of a panel.
pub(crate) const LANES: usize = 16;
