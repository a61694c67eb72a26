//! Running a graph.
//!
//! [`reference`] is the meaning of every operator: one short function each, no cleverness. [`Plan`]
//! is the same computation scheduled for speed, block by block of rows; it equals the reference
//! byte for byte, which [`verify`] proves on any machine from the rows that a seed regenerates.
//!
//! [`tensors`] runs networks: operators on tensors of any rank, within limits of memory and steps. [`network`] is a
//! plan of one, for inputs of known lengths, in the same bytes.
//!
//! The crate is `no_std` with `alloc`, integers only on the path of a forest, and without threads:
//! rows are independent, so whoever has threads slices the columns and runs the slices.
#![no_std]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may unwrap"))]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod bags;
pub mod cost;
mod engine;
mod error;
mod integers;
mod isa;
#[cfg(feature = "networks")]
mod kernels;
mod neighbours;
#[cfg(feature = "networks")]
pub mod network;
#[cfg(feature = "networks")]
mod network_test;
mod numbers;
mod plan;
pub mod reference;
mod relations;
mod selftest;
#[cfg(feature = "networks")]
pub mod tensors;
mod texts;
mod verify;

pub use error::{Error, Kind};
pub use isa::Isa;
#[cfg(feature = "networks")]
pub use network_test::{Tested, network_test, verify_network};
pub use plan::Plan;
pub use selftest::{OwnedColumn, SELF_TEST_ROWS, self_test, self_test_columns, self_test_of_integers};
pub use verify::{Checked, Failure, Verdict, verify};
