//! Nodes that have no engine: the interpreter computes them, as tensors.

use super::borders::{get, put, zeros};
use super::rooms::Slot;
use super::step::Run;
use crate::error::{Error, Kind};
use crate::tensors::{Meter, compute};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use ir::{DType, Node, Op, Tensor};

/// What a node takes.
#[derive(Clone, Debug)]
pub(super) enum Taken {
    /// A constant, as it is.
    Constant(Box<Tensor>),
    /// A value of these elements.
    Slot(Slot, DType, Vec<usize>),
}

/// A node, its inputs and its outputs.
#[derive(Clone, Debug)]
pub(super) struct Interpreted {
    pub(super) node: Box<Node>,
    pub(super) taken: Vec<Taken>,
    pub(super) made: Vec<Slot>,
}

impl Interpreted {
    pub(super) fn name(&self) -> &str {
        &self.node.name
    }

    pub(super) fn run(&self, run: &mut Run<'_>) -> Result<(), Error> {
        let name = self.node.op.payload().name();
        let fail =
            || Error::from(Kind::Unsupported { node: self.node.name.to_string(), op: name, engine: "plan" });
        let Op::Tensor(op) = &self.node.op else { return Err(fail()) };
        let mut tensors: Vec<Cow<'_, Tensor>> = Vec::with_capacity(self.taken.len());
        for taken in &self.taken {
            tensors.push(match taken {
                Taken::Constant(tensor) => Cow::Borrowed(tensor),
                Taken::Slot(slot, dtype, dims) => {
                    let mut data = zeros(*dtype, dims.iter().product()).ok_or_else(fail)?;
                    get(run.rooms.get(run.memory, *slot), &mut data);
                    Cow::Owned(Tensor::try_new(dims.clone(), data).ok_or_else(fail)?)
                }
            });
        }
        let mut meter = Meter::new(run.limits);
        let made = compute(&self.node, op, tensors, &mut meter, None)?;
        for (&slot, tensor) in self.made.iter().zip(&made) {
            let (_, out) = run.rooms.apart(run.memory, slot);
            if !put(tensor.data(), out) {
                return Err(fail());
            }
        }
        Ok(())
    }
}
