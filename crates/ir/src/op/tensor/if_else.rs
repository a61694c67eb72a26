//! `If`: one of two graphs.

use super::{Attr, Made, Operand, Payload, either, feeds, misfit};
use crate::{DType, Graph};
use alloc::vec::Vec;

const NAME: &str = "If";

/// ONNX's `If`. Both graphs take the same inputs, which stand behind the condition: what they capture.
///
/// Inputs: `bool`, one element, then the captured values. Outputs: those of the graph that is run.
#[derive(Clone, Debug, PartialEq)]
pub struct If {
    /// Where the condition holds.
    pub then_branch: Graph,
    /// Where it does not.
    pub else_branch: Graph,
}

impl Payload for If {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        super::sizes(&[("then_branch", &self.then_branch), ("else_branch", &self.else_branch)])
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let Some((condition, captured)) = inputs.split_first() else {
            return Err(misfit(NAME, "inputs", "a condition", &0));
        };
        if condition.dtype != DType::Bool {
            return Err(misfit(NAME, "condition", "bool []", &condition.describe()));
        }
        let given: Vec<DType> = captured.iter().map(|c| c.dtype).collect();
        feeds(NAME, &self.then_branch, &given)?;
        feeds(NAME, &self.else_branch, &given)?;
        let (then, or) = (self.then_branch.outputs(), self.else_branch.outputs());
        if then.len() != or.len() {
            return Err(misfit(NAME, "outputs of else_branch", &alloc::format!("{}", then.len()), &or.len()));
        }
        let mut made = Vec::with_capacity(then.len());
        for (&a, &b) in then.iter().zip(or) {
            let (a, b) = (self.then_branch.value(a), self.else_branch.value(b));
            if a.dtype != b.dtype {
                return Err(misfit(NAME, "outputs", &alloc::format!("{}", a.dtype), &b.dtype));
            }
            made.push((a.dtype, either(&a.shape, &b.shape)));
        }
        Ok(made)
    }

    fn is_exact(&self) -> bool {
        super::all_exact(&[&self.then_branch, &self.else_branch])
    }
}
