//! A network scheduled for inputs of known lengths.
//!
//! The integer form runs on engines: channels stand last, weights are packed once, sums are proven to fit 32 bits (or
//! are computed in 64), and what follows a product (bias, pair, clamp, a table, a residual sum) is computed with it.
//! Constant parts are computed when the plan is made. All values of a run share one piece of memory, each at a place
//! that is planned by how long it lives. A node that has no engine is left to the interpreter.
//! Outputs equal those of [`crate::tensors::run`] byte for byte, on every instruction set.

mod borders;
mod depthwise;
mod elements;
mod engines;
mod filter;
mod geometry;
mod interpreted;
mod known;
mod matrices;
mod moves;
mod planner;
mod pools;
mod product;
mod products;
mod rooms;
mod step;
mod view;

pub use crate::kernels::Isa;
pub use crate::tensors::Limits;

use crate::error::{Error, Kind};
use crate::kernels::Machine;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use borders::{get, zeros};
use ir::{DType, Graph, Tensor, TensorData};
use planner::Planner;
use rooms::{Rooms, Slot};
use step::{Need, Run, Scratch, Step};

/// A network ready to run on inputs of known lengths.
///
/// It holds everything that can be prepared and nothing that changes, so any number of threads may share one, each with
/// a [`Memory`] of its own.
#[derive(Clone, Debug)]
pub struct Plan {
    inputs: Vec<Border>,
    outputs: Vec<(Border, Slot)>,
    steps: Vec<Step>,
    rooms: Rooms,
    need: Need,
    machine: Machine,
    limits: Limits,
}

/// An input or an output.
#[derive(Clone, Debug)]
struct Border {
    name: String,
    dtype: DType,
    dims: Vec<usize>,
}

/// What a run writes to.
#[derive(Clone, Debug)]
pub struct Memory {
    bytes: Vec<u8>,
    scratch: Scratch,
}

impl Plan {
    /// A plan for inputs of these lengths, in the graph's order, on the fastest instruction set that the machine has.
    ///
    /// # Errors
    /// `Columns`, `Input` for lengths that the graph does not take; `Node` where lengths do not fit an operator;
    /// `Memory` for a plan that takes more bytes than `limits` allow; `Unsupported` for a node whose lengths hang on
    /// data, or that is no operator of networks.
    pub fn new(graph: &Graph, lengths: &[Vec<usize>], limits: Limits) -> Result<Plan, Error> {
        Plan::with_isa(graph, lengths, limits, Isa::best())
    }

    /// The same on an instruction set of the caller's choice.
    ///
    /// # Errors
    /// As [`Plan::new`], and `Unsupported` for an instruction set that this machine has not.
    pub fn with_isa(graph: &Graph, lengths: &[Vec<usize>], limits: Limits, isa: Isa) -> Result<Plan, Error> {
        let machine = Machine::try_new(isa).ok_or_else(|| Kind::Isa { isa: isa.name() })?;
        let mut planner = Planner::new(graph, lengths, limits, machine)?;
        let slots = planner.walk()?;
        let border = |idx: ir::ValueIdx| {
            let value = graph.value(idx);
            Border { name: value.name.clone(), dtype: value.dtype, dims: planner.dims(idx).to_vec() }
        };
        let inputs = graph.inputs().iter().map(|&idx| border(idx)).collect();
        let outputs = graph.outputs().iter().zip(slots).map(|(&idx, slot)| (border(idx), slot)).collect();
        let steps = planner.steps;
        let need = steps.iter().fold(Need::default(), |need, step| need.larger(step.need()));
        let rooms = planner.slots.place();
        let plan = Plan { inputs, outputs, steps, rooms, need, machine, limits };
        if plan.peak_bytes() > limits.bytes {
            let (node, needed) = ("all nodes".to_string(), plan.peak_bytes() as u128);
            return Err(Kind::Memory { node, op: "plan", needed, limit: limits.bytes }.into());
        }
        Ok(plan)
    }

    /// Outputs in the graph's order, for inputs by name.
    ///
    /// # Errors
    /// `Input` for one that is missing, unknown, or of another dtype or other lengths; what the interpreter refuses.
    pub fn run(&self, inputs: Vec<(String, Tensor)>) -> Result<Vec<Tensor>, Error> {
        let fail = |border: &Border, got: String| {
            let expected = alloc::format!("{} {:?}", border.dtype, border.dims);
            Error::from(Kind::Input { name: border.name.clone(), expected, got })
        };
        for (name, tensor) in &inputs {
            let Some(border) = self.inputs.iter().find(|border| border.name == *name) else {
                let names: Vec<&str> = self.inputs.iter().map(|border| &border.name[..]).collect();
                let expected = alloc::format!("one of {}", names.join(", "));
                return Err(Kind::Input { name: name.clone(), expected, got: "another".into() }.into());
            };
            if tensor.dims() != border.dims {
                return Err(fail(border, alloc::format!("{} {:?}", tensor.dtype(), tensor.dims())));
            }
        }
        let mut given = Vec::with_capacity(self.inputs.len());
        for border in &self.inputs {
            let tensor = inputs.iter().find(|(name, _)| *name == border.name);
            given.push(tensor.ok_or_else(|| fail(border, "none".into()))?.1.data());
        }
        let mut outputs = self.outputs();
        self.run_into(&mut self.memory(), &given, &mut outputs)?;
        let made = self.outputs.iter().zip(outputs);
        made.map(|((border, _), data)| {
            let got = alloc::format!("{} elements", data.len());
            Tensor::try_new(border.dims.clone(), data).ok_or_else(|| fail(border, got))
        })
        .collect()
    }

    /// Outputs into storage of [`Plan::outputs`], for the elements of each input, in the graph's order. Takes no memory
    /// but for the nodes of [`Plan::interpreted`].
    ///
    /// # Errors
    /// `Input` for one of another dtype or another number of elements, `Output` for such storage; what the
    /// interpreter refuses.
    pub fn run_into(
        &self,
        memory: &mut Memory,
        inputs: &[&TensorData],
        outputs: &mut [TensorData],
    ) -> Result<(), Error> {
        let fits = |border: &Border, data: &TensorData| {
            data.dtype() == border.dtype && data.len() == border.dims.iter().product::<usize>()
        };
        if inputs.len() != self.inputs.len() || outputs.len() != self.outputs.len() {
            let got = inputs.len().min(outputs.len());
            return Err(Kind::Columns { expected: self.inputs.len(), got }.into());
        }
        let borders = self.outputs.iter().map(|(border, _)| border);
        let mut all = self.inputs.iter().zip(inputs.iter().copied()).chain(borders.zip(&*outputs));
        if let Some((border, data)) = all.find(|(border, data)| !fits(border, data)) {
            let expected = alloc::format!("{} {:?}", border.dtype, border.dims);
            let got = alloc::format!("{} elements of {}", data.len(), data.dtype());
            return Err(Kind::Input { name: border.name.clone(), expected, got }.into());
        }
        if memory.bytes.len() != self.rooms.n_bytes() || !self.need.fits(&memory.scratch) {
            *memory = self.memory();
        }
        let mut run = Run {
            rooms: &self.rooms,
            memory: &mut memory.bytes,
            scratch: &mut memory.scratch,
            inputs,
            machine: self.machine,
            limits: self.limits,
        };
        for step in &self.steps {
            step.run(&mut run)?;
        }
        for ((_, slot), data) in self.outputs.iter().zip(outputs) {
            get(self.rooms.get(&memory.bytes, *slot), data);
        }
        Ok(())
    }

    /// Memory for a run; it may be used for any number of them.
    pub fn memory(&self) -> Memory {
        Memory { bytes: self.rooms.memory(), scratch: self.need.scratch() }
    }

    /// Storage for the outputs of a run.
    pub fn outputs(&self) -> Vec<TensorData> {
        let borders = self.outputs.iter().map(|(border, _)| border);
        borders.filter_map(|border| zeros(border.dtype, border.dims.iter().product())).collect()
    }

    /// Bytes that a run takes: all values at their places, and what steps need for themselves.
    pub fn peak_bytes(&self) -> usize {
        self.rooms.n_bytes().saturating_add(self.need.n_bytes())
    }

    /// Bytes of packed weights and other constants.
    pub fn constant_bytes(&self) -> usize {
        let of_step = |step: &Step| match step {
            Step::Product(step) => step.n_bytes(),
            Step::Depthwise(step) => step.n_bytes(),
            _ => 0,
        };
        self.rooms.constant_bytes() + self.steps.iter().map(of_step).sum::<usize>()
    }

    /// What each step computes, in order: the engine, and what is computed with it.
    pub fn steps(&self) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
        self.steps.iter().map(Step::names)
    }

    /// Names of the nodes that have no engine, which the interpreter computes.
    pub fn interpreted(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match step {
            Step::Interpreted(step) => Some(step.name()),
            _ => None,
        })
    }

    /// The instruction set that it was made for.
    pub fn isa(&self) -> Isa {
        self.machine.isa()
    }
}
