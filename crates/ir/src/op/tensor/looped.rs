//! `Loop`: a graph again and again.

use super::{Attr, Made, Operand, Payload, feeds, misfit, numbers, sizes};
use crate::{DType, Dim, Graph, Shape};
use alloc::vec::Vec;

const NAME: &str = "Loop";

/// ONNX's `Loop`: the body takes the step (`i64 []`), the condition (`bool []`), what is carried, then what is
/// captured; it gives the next condition, what is carried on, then what is collected, of each step one slice.
///
/// Inputs: the most steps (`i64 []`, where there is a limit), the condition before the first (`bool []`, where
/// there is one), what is carried, what is captured. Outputs: what was carried, then what was collected.
#[derive(Clone, Debug, PartialEq)]
pub struct Loop {
    /// What is run.
    pub body: Graph,
    /// The first input is the most steps.
    pub has_limit: bool,
    /// An input is the condition before the first step.
    pub has_condition: bool,
    /// Number of values carried from step to step.
    pub n_carried: usize,
}

impl Loop {
    /// Inputs before those that are carried.
    pub fn n_leading(&self) -> usize {
        usize::from(self.has_limit) + usize::from(self.has_condition)
    }
}

impl Payload for Loop {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let mut attrs = sizes(&[("body", &self.body)]);
        attrs.push(("carried", numbers(&[self.n_carried])));
        attrs
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let expected = self.n_leading().saturating_add(self.n_carried);
        if inputs.len() < expected {
            return Err(misfit(NAME, "inputs", &alloc::format!("{expected} or more"), &inputs.len()));
        }
        let (leading, values) = inputs.split_at(self.n_leading());
        let kinds = [(self.has_limit, DType::I64), (self.has_condition, DType::Bool)];
        for (operand, (_, dtype)) in leading.iter().zip(kinds.iter().filter(|(has, _)| *has)) {
            if operand.dtype != *dtype {
                let expected = alloc::format!("{dtype} []");
                return Err(misfit(NAME, "steps or condition", &expected, &operand.describe()));
            }
        }
        let mut given = alloc::vec![DType::I64, DType::Bool];
        given.extend(values.iter().map(|v| v.dtype));
        feeds(NAME, &self.body, &given)?;
        let outputs = self.body.outputs();
        let Some((&next, outputs)) = outputs.split_first().filter(|(_, o)| o.len() >= self.n_carried) else {
            let expected = alloc::format!("{} or more", self.n_carried.saturating_add(1));
            return Err(misfit(NAME, "outputs of its graph", &expected, &outputs.len()));
        };
        if self.body.value(next).dtype != DType::Bool {
            return Err(misfit(NAME, "condition of its graph", "bool", &self.body.value(next).dtype));
        }
        let mut made = Vec::with_capacity(outputs.len());
        for (at, &output) in outputs.iter().enumerate() {
            let value = self.body.value(output);
            if at < self.n_carried {
                if value.dtype != values[at].dtype {
                    let expected = alloc::format!("{}", values[at].dtype);
                    return Err(misfit(NAME, "a carried value", &expected, &value.dtype));
                }
                // With no step, what was given comes back.
                made.push((value.dtype, super::either(&value.shape, values[at].shape)));
            } else {
                made.push((value.dtype, collected(&value.shape)));
            }
        }
        Ok(made)
    }

    fn is_exact(&self) -> bool {
        super::all_exact(&[&self.body])
    }
}

fn collected(shape: &Shape) -> Shape {
    match shape.axes() {
        None => Shape::any(),
        Some(axes) => Shape([&[Dim::Unknown], axes].concat()),
    }
}
