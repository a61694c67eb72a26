//! Making a plan: node by node in the graph's order, each value in the layout that its reader wants.
//!
//! Channels stand last where convolutions and pools read; the interpreter and the caller have them first. A value is
//! turned where it must be, once for each layout; where one of channels and pixels is 1, both layouts are one.

use super::borders::{Load, bytes_of};
use super::engines::Recipe;
use super::interpreted::{Interpreted, Taken};
use super::known::{Known, unsupported};
use super::moves::{Relayout, turn};
use super::rooms::{Slot, Slots};
use super::step::Step;
use crate::error::Error;
use crate::kernels::Machine;
use crate::tensors::Limits;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use ir::{DType, Graph, Node, Op, Origin, ValueIdx};

/// Where channels stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Behind the batch, as the graph has it.
    First,
    /// Behind the pixels.
    Last,
}

/// A plan that is being made.
pub(super) struct Planner<'g> {
    pub(super) graph: &'g Graph,
    pub(super) known: Known<'g>,
    pub(super) machine: Machine,
    /// Nodes that take each value, and graph outputs that are it.
    pub(super) readers: Vec<Vec<usize>>,
    pub(super) is_output: Vec<bool>,
    /// Products by node.
    pub(super) recipes: BTreeMap<usize, Recipe>,
    /// Nodes that are computed with a product, and that product.
    pub(super) claimed: BTreeMap<usize, usize>,
    /// Products that are computed at the node which follows them.
    pub(super) deferred: Vec<usize>,
    held: Vec<[Option<Slot>; 2]>,
    pub(super) slots: Slots,
    pub(super) steps: Vec<Step>,
}

/// True if both layouts are the same bytes.
pub(super) fn is_flat(dims: &[usize]) -> bool {
    dims.len() < 3 || dims[1] == 1 || dims[2..].iter().product::<usize>() == 1
}

impl<'g> Planner<'g> {
    pub(super) fn new(
        graph: &'g Graph,
        lengths: &[Vec<usize>],
        limits: Limits,
        machine: Machine,
    ) -> Result<Planner<'g>, Error> {
        let known = Known::of(graph, lengths, limits)?;
        let n = graph.values().len();
        let mut readers = vec![Vec::new(); n];
        for (at, node) in graph.nodes().iter().enumerate().filter(|(at, _)| known.runs[*at]) {
            node.inputs.iter().for_each(|i| readers[i.0 as usize].push(at));
        }
        let mut is_output = vec![false; n];
        graph.outputs().iter().for_each(|o| is_output[o.0 as usize] = true);
        Ok(Planner {
            graph,
            known,
            machine,
            readers,
            is_output,
            recipes: BTreeMap::new(),
            claimed: BTreeMap::new(),
            deferred: Vec::new(),
            held: vec![[None; 2]; n],
            slots: Slots::default(),
            steps: Vec::new(),
        })
    }

    /// All steps, and where each output stands.
    pub(super) fn walk(&mut self) -> Result<Vec<Slot>, Error> {
        self.find_products();
        let graph = self.graph;
        for (at, node) in graph.nodes().iter().enumerate() {
            if self.known.runs[at] && !self.engine(at, node)? {
                self.interpret(node)?;
            }
        }
        let mut outputs = Vec::with_capacity(graph.outputs().len());
        for &idx in graph.outputs() {
            let slot = self.slot(idx, Layout::First)?;
            self.slots.read(slot, usize::MAX);
            outputs.push(slot);
        }
        Ok(outputs)
    }

    pub(super) fn dtype(&self, idx: ValueIdx) -> DType {
        self.graph.value(idx).dtype
    }

    pub(super) fn dims(&self, idx: ValueIdx) -> &[usize] {
        self.known.dims(idx)
    }

    /// The layout of a value that is asked for in one of them.
    fn layout(&self, idx: ValueIdx, layout: Layout) -> Layout {
        if is_flat(self.dims(idx)) { Layout::First } else { layout }
    }

    /// True if a value stands somewhere with its channels last, and that is not how they stand first.
    pub(super) fn is_last(&self, idx: ValueIdx) -> bool {
        self.held[idx.0 as usize][Layout::Last as usize].is_some()
    }

    /// A layout in which a value stands already; channels last where it stands in both.
    pub(super) fn any_layout(&self, idx: ValueIdx) -> Layout {
        if self.is_last(idx) { Layout::Last } else { Layout::First }
    }

    /// The slot of a value in a layout, made by new steps where it is not there yet; the next step reads it.
    pub(super) fn slot(&mut self, idx: ValueIdx, layout: Layout) -> Result<Slot, Error> {
        let layout = self.layout(idx, layout);
        let slot = match self.held[idx.0 as usize][layout as usize] {
            Some(slot) => slot,
            None => {
                let slot = self.bring(idx, layout)?;
                self.held[idx.0 as usize][layout as usize] = Some(slot);
                slot
            }
        };
        self.slots.read(slot, self.steps.len());
        Ok(slot)
    }

    fn bring(&mut self, idx: ValueIdx, layout: Layout) -> Result<Slot, Error> {
        let dtype = self.dtype(idx);
        let n_bytes = self.bytes(idx)?;
        let (channels, pixels) = match self.dims(idx) {
            [_, channels, pixels @ ..] => (*channels, pixels.iter().product::<usize>()),
            _ => (1, 1),
        };
        let to_last = layout == Layout::Last;
        let (rows, columns) = if to_last { (channels, pixels) } else { (pixels, channels) };
        if let Some(tensor) = self.known.constant(idx) {
            let bytes = bytes_of(tensor.data()).ok_or_else(|| self.misplaced(idx))?;
            if !to_last {
                return Ok(self.slots.constant(&bytes));
            }
            let mut turned = vec![0; bytes.len()];
            turn(&bytes, &mut turned, (rows, columns), dtype.bytes());
            return Ok(self.slots.constant(&turned));
        }
        if let (Origin::Input(input), Layout::First) = (&self.graph.value(idx).origin, layout) {
            let y = self.slots.made(n_bytes, self.steps.len());
            self.steps.push(Step::Load(Load { input: *input as usize, y }));
            return Ok(y);
        }
        let other = if to_last { Layout::First } else { Layout::Last };
        let is_there = self.held[idx.0 as usize][other as usize].is_some()
            || matches!(self.graph.value(idx).origin, Origin::Input(_));
        if !is_there {
            return Err(self.misplaced(idx));
        }
        let x = self.slot(idx, other)?;
        let y = self.slots.made(n_bytes, self.steps.len());
        self.steps.push(Step::Relayout(Relayout { x, y, rows, columns, bytes: dtype.bytes() }));
        Ok(y)
    }

    /// A value that no step makes, or that bytes cannot hold.
    fn misplaced(&self, idx: ValueIdx) -> Error {
        let name = self.graph.value(idx).name.clone();
        let expected = "numbers of a fixed number of bytes".into();
        crate::error::Kind::Input { name, expected, got: alloc::format!("{}", self.dtype(idx)) }.into()
    }

    fn bytes(&self, idx: ValueIdx) -> Result<usize, Error> {
        match self.dtype(idx) {
            DType::Str | DType::Bag => Err(self.misplaced(idx)),
            dtype => Ok(dtype.bytes() * self.dims(idx).iter().product::<usize>()),
        }
    }

    /// A slot that the next step makes.
    pub(super) fn make(&mut self, idx: ValueIdx, layout: Layout) -> Result<Slot, Error> {
        let slot = self.slots.made(self.bytes(idx)?, self.steps.len());
        let layout = self.layout(idx, layout);
        self.held[idx.0 as usize][layout as usize] = Some(slot);
        Ok(slot)
    }

    /// The bytes of another value, whose channels stand first.
    pub(super) fn same(&mut self, idx: ValueIdx, slot: Slot) {
        self.held[idx.0 as usize][Layout::First as usize] = Some(slot);
    }

    fn interpret(&mut self, node: &Node) -> Result<(), Error> {
        let Op::Tensor(_) = &node.op else { return Err(unsupported(node, node.op.payload().name())) };
        let mut taken = Vec::with_capacity(node.inputs.len());
        for &idx in &node.inputs {
            taken.push(match self.known.constant(idx) {
                Some(tensor) => Taken::Constant(Box::new(tensor.clone())),
                None => {
                    let slot = self.slot(idx, Layout::First)?;
                    Taken::Slot(slot, self.dtype(idx), self.dims(idx).to_vec())
                }
            });
        }
        // Slots of later inputs may have been made by steps after earlier ones were read.
        for taken in &taken {
            if let Taken::Slot(slot, ..) = taken {
                self.slots.read(*slot, self.steps.len());
            }
        }
        let mut made = Vec::with_capacity(node.outputs.len());
        for &idx in &node.outputs {
            made.push(self.make(idx, Layout::First)?);
        }
        self.steps.push(Step::Interpreted(Interpreted { node: Box::new(node.clone()), taken, made }));
        Ok(())
    }
}
