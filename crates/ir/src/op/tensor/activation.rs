//! `Relu`, `Elu`, `HardSigmoid` and others: one element to one, by at most two parameters.

use super::stored::{Found, Stored, named};
use super::{Attr, Made, Operand, Payload, arity, misfit, one};
use crate::DType;
use crate::op::Attrs;
use alloc::vec;
use alloc::vec::Vec;

/// Which function, with `a` for alpha and `b` for beta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivationKind {
    /// `max(x, 0)`
    Relu,
    /// `x < 0 ? a x : x`
    LeakyRelu,
    /// `x > a ? x : 0`
    ThresholdedRelu,
    /// `x < 0 ? a (e^x - 1) : x`
    Elu,
    /// `b (x < 0 ? a (e^x - 1) : x)`; ONNX calls `b` gamma.
    Selu,
    /// `max(x, 0) + min(a (e^(x / a) - 1), 0)`
    Celu,
    /// `1 / (1 + e^-x)`
    Sigmoid,
    /// `min(max(a x + b, 0), 1)`
    HardSigmoid,
    /// `tanh x`
    Tanh,
    /// `a tanh(b x)`
    ScaledTanh,
    /// `a x + b`
    Affine,
    /// `ln(1 + e^x)`
    Softplus,
    /// `x / (1 + |x|)`
    Softsign,
    /// `x < -a ? x + b : x > a ? x - b : 0`; ONNX calls `a` lambd, `b` bias.
    Shrink,
}

impl ActivationKind {
    /// Every member.
    pub const ALL: &'static [ActivationKind] = &[
        ActivationKind::Relu,
        ActivationKind::LeakyRelu,
        ActivationKind::ThresholdedRelu,
        ActivationKind::Elu,
        ActivationKind::Selu,
        ActivationKind::Celu,
        ActivationKind::Sigmoid,
        ActivationKind::HardSigmoid,
        ActivationKind::Tanh,
        ActivationKind::ScaledTanh,
        ActivationKind::Affine,
        ActivationKind::Softplus,
        ActivationKind::Softsign,
        ActivationKind::Shrink,
    ];

    /// Name as ONNX writes it.
    pub fn name(self) -> &'static str {
        match self {
            ActivationKind::Relu => "Relu",
            ActivationKind::LeakyRelu => "LeakyRelu",
            ActivationKind::ThresholdedRelu => "ThresholdedRelu",
            ActivationKind::Elu => "Elu",
            ActivationKind::Selu => "Selu",
            ActivationKind::Celu => "Celu",
            ActivationKind::Sigmoid => "Sigmoid",
            ActivationKind::HardSigmoid => "HardSigmoid",
            ActivationKind::Tanh => "Tanh",
            ActivationKind::ScaledTanh => "ScaledTanh",
            ActivationKind::Affine => "Affine",
            ActivationKind::Softplus => "Softplus",
            ActivationKind::Softsign => "Softsign",
            ActivationKind::Shrink => "Shrink",
        }
    }
}

/// ONNX's operators of these names; those of recurrent networks too. Floats of 16 bits are computed in single
/// precision; `Relu` and `Shrink` take integers as well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Activation {
    /// Which function.
    pub kind: ActivationKind,
    /// Its first parameter, if it has one.
    pub alpha: f32,
    /// Its second parameter, if it has one.
    pub beta: f32,
}

impl Activation {
    /// A function without parameters.
    pub fn plain(kind: ActivationKind) -> Activation {
        Activation { kind, alpha: 0.0, beta: 0.0 }
    }
}

impl Payload for Activation {
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let (alpha, beta) = (("alpha", Attr::Float(self.alpha)), ("beta", Attr::Float(self.beta)));
        match self.kind {
            ActivationKind::Relu
            | ActivationKind::Sigmoid
            | ActivationKind::Tanh
            | ActivationKind::Softplus
            | ActivationKind::Softsign => Vec::new(),
            ActivationKind::LeakyRelu
            | ActivationKind::ThresholdedRelu
            | ActivationKind::Elu
            | ActivationKind::Celu => vec![alpha],
            ActivationKind::Selu
            | ActivationKind::HardSigmoid
            | ActivationKind::ScaledTanh
            | ActivationKind::Affine
            | ActivationKind::Shrink => vec![alpha, beta],
        }
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x] = arity(self.name(), inputs)?;
        match x.dtype {
            DType::Bool | DType::Str | DType::Bag | DType::Narrow(_) => {
                Err(misfit(self.name(), "input", "numbers of 8 bits or more", &x.describe()))
            }
            _ => one(x.dtype, x.shape.clone()),
        }
    }

    fn is_exact(&self) -> bool {
        matches!(self.kind, ActivationKind::Relu)
    }
}

impl Stored for Activation {
    fn parse(name: &str, attrs: &Attrs) -> Found<Activation> {
        let kind = named(ActivationKind::ALL, name, |k| k.name())?;
        let read = || {
            let parameter = |name| attrs.maybe(name, |a| a.float(kind.name(), name));
            let (alpha, beta) = (parameter("alpha")?, parameter("beta")?);
            Ok(Activation { kind, alpha: alpha.unwrap_or(0.0), beta: beta.unwrap_or(0.0) })
        };
        Some(read())
    }
}
