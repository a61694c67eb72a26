//! RNN, LSTM, GRU.

use super::{Operator, Outputs};
use crate::context::Context;
use crate::error::Error;
use ir::op::tensor::{Activation, ActivationKind, Cell, Direction, Recurrent, RecurrentSlot};

pub(super) const OPERATORS: &[Operator] = &[
    Operator::of("RNN", 7, |c| recurrent(c, Cell::Rnn)),
    Operator::of("LSTM", 7, |c| {
        let input_forget = c.flag("input_forget", false)?;
        recurrent(c, Cell::Lstm { input_forget, is_quantized: false })
    }),
    Operator::of("GRU", 7, |c| {
        let linear_before_reset = c.flag("linear_before_reset", false)?;
        recurrent(c, Cell::Gru { linear_before_reset })
    }),
    Operator::microsoft("DynamicQuantizeLSTM", |c| {
        let input_forget = c.flag("input_forget", false)?;
        recurrent(c, Cell::Lstm { input_forget, is_quantized: true })
    }),
];

/// Functions by ONNX's names, any case, with the parameters that they have without any.
const FUNCTIONS: &[(&str, ActivationKind, Option<f32>, Option<f32>)] = &[
    ("relu", ActivationKind::Relu, None, None),
    ("tanh", ActivationKind::Tanh, None, None),
    ("sigmoid", ActivationKind::Sigmoid, None, None),
    ("softsign", ActivationKind::Softsign, None, None),
    ("softplus", ActivationKind::Softplus, None, None),
    ("affine", ActivationKind::Affine, Some(1.0), Some(0.0)),
    ("leakyrelu", ActivationKind::LeakyRelu, Some(0.01), None),
    ("thresholdedrelu", ActivationKind::ThresholdedRelu, Some(1.0), None),
    ("scaledtanh", ActivationKind::ScaledTanh, Some(1.0), Some(1.0)),
    ("hardsigmoid", ActivationKind::HardSigmoid, Some(0.2), Some(0.5)),
    ("elu", ActivationKind::Elu, Some(1.0), None),
];

fn activations(c: &Context<'_, '_>, cell: Cell, n_directions: usize) -> Result<Vec<Activation>, Error> {
    let default: &[&str] = match cell {
        Cell::Rnn => &["Tanh"],
        Cell::Gru { .. } => &["Sigmoid", "Tanh"],
        Cell::Lstm { .. } => &["Sigmoid", "Tanh", "Tanh"],
    };
    let names = match c.words("activations")? {
        Some(names) if !names.is_empty() => names,
        _ => default.repeat(n_directions).into_iter().map(str::to_string).collect(),
    };
    // Parameters go to those functions that have one, in order.
    let mut alphas = c.floats("activation_alpha").unwrap_or_default().into_iter();
    let mut betas = c.floats("activation_beta").unwrap_or_default().into_iter();
    let mut made = Vec::with_capacity(names.len());
    for name in &names {
        let known = FUNCTIONS.iter().find(|f| f.0 == name.to_ascii_lowercase());
        let Some(&(_, kind, alpha, beta)) = known else {
            let all: Vec<&str> = FUNCTIONS.iter().map(|f| f.0).collect();
            return Err(c.unsupported(
                &format!("the activation {name:?}"),
                &format!("use one of {}", all.join(", ")),
            ));
        };
        let alpha = alpha.map_or(0.0, |default| alphas.next().unwrap_or(default));
        let beta = beta.map_or(0.0, |default| betas.next().unwrap_or(default));
        made.push(Activation { kind, alpha, beta });
    }
    Ok(made)
}

fn recurrent(c: &mut Context<'_, '_>, cell: Cell) -> Outputs {
    let (direction, n_directions) = match c.word("direction", "forward")?.to_ascii_lowercase().as_str() {
        "forward" => (Direction::Forward, 1),
        "reverse" => (Direction::Reverse, 1),
        "bidirectional" => (Direction::Both, 2),
        other => {
            return Err(c.misfit("attribute \"direction\"", "forward, reverse or bidirectional", other));
        }
    };
    let (x, w, r) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let is_quantized = matches!(cell, Cell::Lstm { is_quantized: true, .. });
    let hidden = match c.int_or("hidden_size")? {
        Some(n) => c.count("hidden_size", n)?,
        // The width of a state is the last axis of R, of quantized weights the one before.
        None => c.length(r, if is_quantized { 1 } else { 2 }).ok_or_else(|| {
            c.unsupported("a layer whose hidden_size is not known", "give the attribute hidden_size")
        })?,
    };
    let slots = [
        RecurrentSlot::Bias,
        RecurrentSlot::Lengths,
        RecurrentSlot::State,
        RecurrentSlot::CellState,
        RecurrentSlot::Peepholes,
    ];
    let mut inputs = vec![x, w, r];
    let mut given = Vec::new();
    let n_slots = if matches!(cell, Cell::Lstm { .. }) { 5 } else { 3 };
    for (at, slot) in slots.into_iter().take(n_slots).enumerate() {
        if let Some(value) = c.optional(3 + at) {
            given.push(slot);
            inputs.push(value);
        }
    }
    if is_quantized {
        for at in 8..12 {
            inputs.push(c.input(at)?);
        }
    }
    let op = Recurrent {
        cell,
        direction,
        hidden,
        activations: activations(c, cell, n_directions)?,
        clip: c.float_or("clip")?,
        batch_first: c.flag("layout", false)?,
        slots: given,
    };
    c.emit_all(op, &inputs)
}
