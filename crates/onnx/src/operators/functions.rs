//! Activations: those of one node, and those that are built of several.

use super::{Operator, Outputs};
use crate::context::Context;
use crate::error::Error;
use ir::ValueIdx;
use ir::op::tensor::{Activation, ActivationKind, Binary, Unary};

pub(super) const OPERATORS: &[Operator] = &[
    Operator::of("Relu", 6, |c| plain(c, ActivationKind::Relu)),
    Operator::of("Sigmoid", 6, |c| plain(c, ActivationKind::Sigmoid)),
    Operator::of("Tanh", 6, |c| plain(c, ActivationKind::Tanh)),
    Operator::of("Softplus", 1, |c| plain(c, ActivationKind::Softplus)),
    Operator::of("Softsign", 1, |c| plain(c, ActivationKind::Softsign)),
    Operator::of("LeakyRelu", 6, |c| with(c, ActivationKind::LeakyRelu, ("alpha", 0.01), None)),
    Operator::of("ThresholdedRelu", 10, |c| with(c, ActivationKind::ThresholdedRelu, ("alpha", 1.0), None)),
    Operator::of("Elu", 6, |c| with(c, ActivationKind::Elu, ("alpha", 1.0), None)),
    Operator::of("Celu", 12, |c| with(c, ActivationKind::Celu, ("alpha", 1.0), None)),
    Operator::of("Selu", 6, |c| {
        // The values of Klambauer et al., NIPS 2017, as ONNX states them.
        with(c, ActivationKind::Selu, ("alpha", 1.673_263_2), Some(("gamma", 1.050_701)))
    }),
    Operator::of("HardSigmoid", 6, |c| {
        with(c, ActivationKind::HardSigmoid, ("alpha", 0.2), Some(("beta", 0.5)))
    }),
    Operator::of("Shrink", 9, |c| with(c, ActivationKind::Shrink, ("lambd", 0.5), Some(("bias", 0.0)))),
    Operator::of("HardSwish", 14, hard_swish),
    Operator::of("Mish", 18, mish),
    Operator::of("Swish", 24, |c| {
        let alpha = c.float("alpha", 1.0)?;
        let x = c.input(0)?;
        Ok(vec![swish(c, x, alpha)?])
    }),
    Operator::of("Gelu", 20, gelu),
    Operator::microsoft("Gelu", gelu),
    Operator::microsoft("QuickGelu", |c| {
        let alpha = c.float("alpha", 1.702)?;
        let x = c.input(0)?;
        Ok(vec![swish(c, x, alpha)?])
    }),
];

fn plain(c: &mut Context<'_, '_>, kind: ActivationKind) -> Outputs {
    let x = c.input(0)?;
    c.emit_all(Activation::plain(kind), &[x])
}

fn with(
    c: &mut Context<'_, '_>,
    kind: ActivationKind,
    first: (&str, f32),
    second: Option<(&str, f32)>,
) -> Outputs {
    let alpha = c.float(first.0, first.1)?;
    let beta = second.map_or(Ok(0.0), |(name, default)| c.float(name, default))?;
    let x = c.input(0)?;
    c.emit_all(Activation { kind, alpha, beta }, &[x])
}

/// `x * hard_sigmoid(x)` with slope 1 / 6 and offset 1 / 2.
fn hard_swish(c: &mut Context<'_, '_>) -> Outputs {
    let x = c.input(0)?;
    let gate = c.emit(Activation { kind: ActivationKind::HardSigmoid, alpha: 1.0 / 6.0, beta: 0.5 }, &[x])?;
    c.emit_all(Binary::Mul, &[x, gate])
}

/// `x * tanh(softplus(x))`
fn mish(c: &mut Context<'_, '_>) -> Outputs {
    let x = c.input(0)?;
    let soft = c.emit(Activation::plain(ActivationKind::Softplus), &[x])?;
    let gate = c.emit(Activation::plain(ActivationKind::Tanh), &[soft])?;
    c.emit_all(Binary::Mul, &[x, gate])
}

/// `x * sigmoid(alpha x)`
pub(super) fn swish(c: &mut Context<'_, '_>, x: ValueIdx, alpha: f32) -> Result<ValueIdx, Error> {
    let alpha = c.number(c.dtype(x), alpha.into())?;
    let scaled = c.emit(Binary::Mul, &[x, alpha])?;
    let gate = c.emit(Activation::plain(ActivationKind::Sigmoid), &[scaled])?;
    c.emit(Binary::Mul, &[x, gate])
}

/// `x / 2 * (1 + erf(x / sqrt 2))`, or with `tanh(sqrt(2 / pi) (x + 0.044715 x^3))` in place of `erf`.
fn gelu(c: &mut Context<'_, '_>) -> Outputs {
    let x = c.input(0)?;
    let dtype = c.dtype(x);
    let inner = match c.word("approximate", "none")?.as_str() {
        "none" => {
            let root = c.number(dtype, std::f64::consts::SQRT_2)?;
            let scaled = c.emit(Binary::Div, &[x, root])?;
            c.emit(Unary::Erf, &[scaled])?
        }
        "tanh" => {
            let (three, cubic) = (c.number(dtype, 3.0)?, c.number(dtype, 0.044_715)?);
            let factor = c.number(dtype, (2.0 / std::f64::consts::PI).sqrt())?;
            let cube = c.emit(Binary::Pow, &[x, three])?;
            let cube = c.emit(Binary::Mul, &[cube, cubic])?;
            let sum = c.emit(Binary::Add, &[x, cube])?;
            let scaled = c.emit(Binary::Mul, &[sum, factor])?;
            c.emit(Activation::plain(ActivationKind::Tanh), &[scaled])?
        }
        other => return Err(c.misfit("attribute \"approximate\"", "none or tanh", other)),
    };
    let (one, half) = (c.number(dtype, 1.0)?, c.number(dtype, 0.5)?);
    let share = c.emit(Binary::Add, &[inner, one])?;
    let halved = c.emit(Binary::Mul, &[x, half])?;
    c.emit_all(Binary::Mul, &[halved, share])
}
