//! `Softmax`, `LogSoftmax`, `Hardmax`: shares along an axis.

use super::stored::{Found, Stored, named};
use super::{Attr, Made, Operand, Payload, arity, axis_of, floats, one};
use crate::op::Attrs;
use alloc::vec;
use alloc::vec::Vec;

/// Which shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoftmaxKind {
    /// `e^x / sum e^x`
    Soft,
    /// Its logarithm.
    LogSoft,
    /// 1 for the first largest, else 0.
    Hard,
}

impl SoftmaxKind {
    fn name(self) -> &'static str {
        match self {
            SoftmaxKind::Soft => "Softmax",
            SoftmaxKind::LogSoft => "LogSoftmax",
            SoftmaxKind::Hard => "Hardmax",
        }
    }
}

/// ONNX's operators of these names since opset 13: along one axis. Input: floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax {
    /// Which shares.
    pub kind: SoftmaxKind,
    /// The axis; negative from the end.
    pub axis: i64,
}

impl Payload for Softmax {
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("axis", Attr::Int(self.axis))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x] = arity(self.name(), inputs)?;
        floats(self.name(), "input", x)?;
        if let Some(axes) = x.shape.axes() {
            axis_of(self.name(), self.axis, axes.len())?;
        }
        one(x.dtype, x.shape.clone())
    }

    fn is_exact(&self) -> bool {
        self.kind == SoftmaxKind::Hard
    }
}

impl Stored for Softmax {
    fn parse(name: &str, attrs: &Attrs) -> Found<Softmax> {
        let all = [SoftmaxKind::Soft, SoftmaxKind::LogSoft, SoftmaxKind::Hard];
        let kind = named(&all, name, |k| k.name())?;
        Some(attrs.int(kind.name(), "axis").map(|axis| Softmax { kind, axis }))
    }
}
