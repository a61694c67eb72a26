//! The graph of smidgen: what every learner produces and every consumer reads.
//!
//! A [`Graph`] is values and nodes in SSA form; [`GraphBuilder`] is the only way to make one and
//! checks each node as it comes. [`Op`] is the closed set of operators: what they *mean* is the
//! reference interpreter's (crate `runtime`), what they *are* (name, attributes, shapes) is theirs.
//! [`Model`] is a graph with its [`Signature`] (the user's columns and classes), its [`Card`] (where
//! it comes from) and its [`SelfTest`], a [`Network`] the same for a graph on tensors; [`file`] turns both into bytes and
//! back.
//!
//! [`fixed`] holds every rounding, [`text`] every reading of text, so that learning, prediction and
//! emitted code cannot differ. The crate is `no_std` with `alloc`, without `unsafe`.
#![no_std]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may unwrap"))]
#![cfg_attr(not(feature = "networks"), allow(dead_code, reason = "parts that networks alone use"))]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod builder;
mod column;
pub mod digest;
mod dtype;
mod error;
pub mod file;
pub mod fixed;
pub mod forest;
mod graft;
mod graph;
mod model;
#[cfg(feature = "networks")]
mod network;
pub mod op;
mod print;
pub mod real_forest;
mod rewrite;
pub mod self_test;
mod shape;
mod signature;
mod tensor;
pub mod text;

pub use builder::GraphBuilder;
pub use column::{Bits, Column, ColumnData};
pub use dtype::DType;
pub use error::{Error, Kind, Nature};
pub use forest::Forest;
pub use graft::Graft;
pub use graph::{Graph, Node, NodeIdx, Origin, Parts, Value, ValueIdx};
pub use model::{Card, Model, SelfTest};
#[cfg(feature = "networks")]
pub use network::{Answer, AnswerKind, Layout, Network, NetworkSignature, NetworkTest, PixelMap};
pub use op::Op;
pub use real_forest::RealForest;
pub use rewrite::Rewrite;
pub use shape::{Dim, Shape};
pub use signature::{ColumnKind, Input, Joined, OutputRole, Signature, TargetColumn, Task};
pub use tensor::{Bags, Tensor, TensorData};
