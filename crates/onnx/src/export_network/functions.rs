//! Activations.

use super::step::Step;
use crate::error::Error;
use crate::writer::Attribute;
use ir::op::tensor::{Activation, ActivationKind};

pub(super) fn activation(s: &mut Step<'_>, op: Activation) -> Result<(), Error> {
    // What ONNX calls the two parameters.
    let named: &[&str] = match op.kind {
        ActivationKind::Relu
        | ActivationKind::Sigmoid
        | ActivationKind::Tanh
        | ActivationKind::Softplus
        | ActivationKind::Softsign => &[],
        ActivationKind::LeakyRelu
        | ActivationKind::ThresholdedRelu
        | ActivationKind::Elu
        | ActivationKind::Celu => &["alpha"],
        ActivationKind::Selu => &["alpha", "gamma"],
        ActivationKind::HardSigmoid => &["alpha", "beta"],
        ActivationKind::Shrink => &["lambd", "bias"],
        ActivationKind::ScaledTanh | ActivationKind::Affine => {
            return Err(s.refuse("this function outside a recurrent layer", "build it of Tanh, Mul, Add"));
        }
    };
    let values = [op.alpha, op.beta].map(Attribute::Float);
    s.plain(named.iter().copied().zip(values).collect())
}
