//! `Scan`: a graph for each slice.

use super::{Attr, Made, Operand, Payload, axis_of, feeds, met, misfit, numbers, sizes};
use crate::{DType, Dim, Graph, Shape};
use alloc::vec::Vec;

const NAME: &str = "Scan";

/// How slices of a scanned value follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanAxis {
    /// The axis of the slices; negative from the end.
    pub axis: i64,
    /// From the last slice to the first.
    pub reverse: bool,
}

/// ONNX's `Scan`: the body takes the states, a slice of each scanned value, then what is captured; it gives the next
/// states, then a slice of each collected value.
///
/// Inputs: states, scanned values, captured values. Outputs: the last states, collected values.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// What is run.
    pub body: Graph,
    /// Number of states.
    pub n_states: usize,
    /// One a scanned value.
    pub scanned: Vec<ScanAxis>,
    /// One a collected value.
    pub collected: Vec<ScanAxis>,
}

impl Payload for Scan {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let mut attrs = sizes(&[("body", &self.body)]);
        attrs.push(("num_scan_inputs", numbers(&[self.scanned.len()])));
        attrs
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let n_own = self.n_states.saturating_add(self.scanned.len());
        if inputs.len() < n_own || self.scanned.is_empty() {
            return Err(misfit(NAME, "inputs", &alloc::format!("{n_own} or more"), &inputs.len()));
        }
        let given: Vec<DType> = inputs.iter().map(|v| v.dtype).collect();
        feeds(NAME, &self.body, &given)?;
        let mut steps = Dim::Unknown;
        for (operand, scanned) in inputs[self.n_states..].iter().zip(&self.scanned) {
            let Some(axes) = operand.shape.axes() else { continue };
            let own = &axes[axis_of(NAME, scanned.axis, axes.len())?];
            steps = met(own, &steps)
                .ok_or_else(|| misfit(NAME, "scanned values", &alloc::format!("{steps} slices"), own))?;
        }
        let outputs = self.body.outputs();
        if outputs.len() != self.n_states.saturating_add(self.collected.len()) {
            let expected = alloc::format!("{}", self.n_states.saturating_add(self.collected.len()));
            return Err(misfit(NAME, "outputs of its graph", &expected, &outputs.len()));
        }
        let mut made = Vec::with_capacity(outputs.len());
        for (at, &output) in outputs.iter().enumerate() {
            let value = self.body.value(output);
            let shape = match (at.checked_sub(self.n_states), value.shape.axes()) {
                (None, _) if value.dtype != inputs[at].dtype => {
                    let expected = alloc::format!("{}", inputs[at].dtype);
                    return Err(misfit(NAME, "a state", &expected, &value.dtype));
                }
                (None, _) => super::either(&value.shape, inputs[at].shape),
                (Some(_), None) => Shape::any(),
                (Some(at), Some(axes)) => {
                    let mut dims = axes.to_vec();
                    dims.insert(axis_of(NAME, self.collected[at].axis, axes.len() + 1)?, steps.clone());
                    Shape(dims)
                }
            };
            made.push((value.dtype, shape));
        }
        Ok(made)
    }

    fn is_exact(&self) -> bool {
        super::all_exact(&[&self.body])
    }
}
