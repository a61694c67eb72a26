//! What a plan does, one step after the other.

use super::borders::{Dequantize, Load, Quantize};
use super::depthwise::Depthwise;
use super::elements::{LookUp, Pairwise};
use super::interpreted::Interpreted;
use super::matrices::Matrices;
use super::moves::{Join, Relayout};
use super::pools::{LargestPool, MeanPool};
use super::product::Product;
use super::rooms::Rooms;
use super::view::View;
use crate::error::Error;
use crate::kernels::Machine;
use crate::kernels::products::Panels;
use crate::tensors::Limits;
use alloc::vec;
use alloc::vec::Vec;
use ir::TensorData;

/// One step.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// An input as it is.
    Load(Load),
    /// Floats to codes.
    Quantize(Quantize),
    /// Codes to floats.
    Dequantize(Dequantize),
    /// A convolution or a product of matrices, and what follows it.
    Product(Product),
    /// Products of two values.
    Matrices(Matrices),
    /// A convolution of one channel each.
    Depthwise(Depthwise),
    /// The largest of each window.
    LargestPool(LargestPool),
    /// The mean of each window.
    MeanPool(MeanPool),
    /// Sums and products of codes.
    Pairwise(Pairwise),
    /// Codes by a table.
    LookUp(LookUp),
    /// Channels moved last, or first.
    Relayout(Relayout),
    /// Values one after the other.
    Join(Join),
    /// Elements at regular steps.
    View(View),
    /// A node that has no engine.
    Interpreted(Interpreted),
}

/// What all steps of a run share.
pub(super) struct Run<'r> {
    pub(super) rooms: &'r Rooms,
    pub(super) memory: &'r mut [u8],
    pub(super) scratch: &'r mut Scratch,
    pub(super) inputs: &'r [&'r TensorData],
    pub(super) machine: Machine,
    pub(super) limits: Limits,
}

/// Memory of a step alone.
#[derive(Clone, Debug)]
pub(super) struct Scratch {
    pub(super) bytes: Vec<u8>,
    pub(super) words: Vec<i16>,
    pub(super) sums: Vec<i32>,
    pub(super) taps: Vec<(usize, usize)>,
    pub(super) panels: Panels<i16>,
}

/// How much of it a step needs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Need {
    pub(super) bytes: usize,
    pub(super) words: usize,
    pub(super) sums: usize,
    pub(super) taps: usize,
    pub(super) panels: usize,
}

impl Need {
    pub(super) fn larger(self, other: Need) -> Need {
        Need {
            bytes: self.bytes.max(other.bytes),
            words: self.words.max(other.words),
            sums: self.sums.max(other.sums),
            taps: self.taps.max(other.taps),
            panels: self.panels.max(other.panels),
        }
    }

    pub(super) fn fits(self, scratch: &Scratch) -> bool {
        self.bytes <= scratch.bytes.len()
            && self.words <= scratch.words.len()
            && self.sums <= scratch.sums.len()
            && self.taps <= scratch.taps.len()
            && self.panels <= scratch.panels.capacity()
    }

    pub(super) fn n_bytes(self) -> usize {
        let wide = |n: usize, each: usize| n.saturating_mul(each);
        self.bytes
            .saturating_add(wide(self.words, 2))
            .saturating_add(wide(self.panels, 2))
            .saturating_add(wide(self.sums, 4))
            .saturating_add(wide(self.taps, size_of::<(usize, usize)>()))
    }

    pub(super) fn scratch(self) -> Scratch {
        Scratch {
            bytes: vec![0; self.bytes],
            words: vec![0; self.words],
            sums: vec![0; self.sums],
            taps: vec![(0, 0); self.taps],
            panels: Panels::room(self.panels),
        }
    }
}

impl Step {
    pub(super) fn need(&self) -> Need {
        match self {
            Step::Product(step) => step.need(),
            Step::Matrices(step) => step.need(),
            Step::Depthwise(step) => step.need(),
            Step::MeanPool(step) => step.need(),
            Step::Load(_)
            | Step::Quantize(_)
            | Step::Dequantize(_)
            | Step::LargestPool(_)
            | Step::Pairwise(_)
            | Step::LookUp(_)
            | Step::Relayout(_)
            | Step::Join(_)
            | Step::View(_)
            | Step::Interpreted(_) => Need::default(),
        }
    }

    /// The engine, and what is computed with it.
    pub(super) fn names(&self) -> (&'static str, Option<&'static str>) {
        match self {
            Step::Load(_) => ("load", None),
            Step::Quantize(_) => ("quantize", None),
            Step::Dequantize(_) => ("dequantize", None),
            Step::Product(step) => step.names(),
            Step::Matrices(_) => ("product of two values", None),
            Step::Depthwise(step) => ("depthwise", step.ending.tail_name()),
            Step::LargestPool(_) => ("largest of windows", None),
            Step::MeanPool(_) => ("mean of windows", None),
            Step::Pairwise(step) => (step.joint.name(), None),
            Step::LookUp(_) => ("table", None),
            Step::Relayout(_) => ("layout", None),
            Step::Join(_) => ("join", None),
            Step::View(_) => ("view", None),
            Step::Interpreted(_) => ("interpreted", None),
        }
    }

    pub(super) fn run(&self, run: &mut Run<'_>) -> Result<(), Error> {
        match self {
            Step::Load(step) => step.run(run),
            Step::Quantize(step) => step.run(run),
            Step::Dequantize(step) => step.run(run),
            Step::Product(step) => step.run(run),
            Step::Matrices(step) => step.run(run),
            Step::Depthwise(step) => step.run(run),
            Step::LargestPool(step) => step.run(run),
            Step::MeanPool(step) => step.run(run),
            Step::Pairwise(step) => step.run(run),
            Step::LookUp(step) => step.run(run),
            Step::Relayout(step) => step.run(run),
            Step::Join(step) => step.run(run),
            Step::View(step) => step.run(run),
            Step::Interpreted(step) => return step.run(run),
        }
        Ok(())
    }
}
