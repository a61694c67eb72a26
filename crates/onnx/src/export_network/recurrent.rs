//! RNN, LSTM, GRU.

use super::step::{Step, flag, trimmed, word};
use crate::error::Error;
use crate::writer::{Attribute, wide};
use ir::op::tensor::{Activation, ActivationKind, Cell, Direction, Recurrent, RecurrentSlot};

/// The set of operators of ONNX Runtime.
const MICROSOFT: &str = "com.microsoft";

/// The name of a function of a gate, and which of its parameters it has.
fn function(kind: ActivationKind) -> Option<(&'static str, bool, bool)> {
    Some(match kind {
        ActivationKind::Relu => ("Relu", false, false),
        ActivationKind::Tanh => ("Tanh", false, false),
        ActivationKind::Sigmoid => ("Sigmoid", false, false),
        ActivationKind::Softsign => ("Softsign", false, false),
        ActivationKind::Softplus => ("Softplus", false, false),
        ActivationKind::LeakyRelu => ("LeakyRelu", true, false),
        ActivationKind::ThresholdedRelu => ("ThresholdedRelu", true, false),
        ActivationKind::Elu => ("Elu", true, false),
        ActivationKind::Affine => ("Affine", true, true),
        ActivationKind::ScaledTanh => ("ScaledTanh", true, true),
        ActivationKind::HardSigmoid => ("HardSigmoid", true, true),
        ActivationKind::Selu | ActivationKind::Celu | ActivationKind::Shrink => return None,
    })
}

fn activations(s: &Step<'_>, all: &[Activation]) -> Result<Vec<(&'static str, Attribute)>, Error> {
    let (mut names, mut alphas, mut betas) = (Vec::new(), Vec::new(), Vec::new());
    for activation in all {
        let known = function(activation.kind);
        let (name, has_alpha, has_beta) =
            known.ok_or_else(|| s.refuse("this function of a gate", "use Sigmoid, Tanh or Relu"))?;
        names.push(name.to_string());
        alphas.extend(has_alpha.then_some(activation.alpha));
        betas.extend(has_beta.then_some(activation.beta));
    }
    let mut attributes = vec![("activations", Attribute::Texts(names))];
    if !alphas.is_empty() {
        attributes.push(("activation_alpha", Attribute::Floats(alphas)));
    }
    if !betas.is_empty() {
        attributes.push(("activation_beta", Attribute::Floats(betas)));
    }
    Ok(attributes)
}

pub(super) fn recurrent(s: &mut Step<'_>, op: &Recurrent) -> Result<(), Error> {
    let direction = match op.direction {
        Direction::Forward => "forward",
        Direction::Reverse => "reverse",
        Direction::Both => "bidirectional",
    };
    let mut attributes =
        vec![("hidden_size", Attribute::Int(wide(op.hidden))), ("direction", word(direction))];
    attributes.extend(activations(s, &op.activations)?);
    attributes.extend(op.clip.map(|clip| ("clip", Attribute::Float(clip))));
    match op.cell {
        Cell::Rnn => {}
        Cell::Lstm { input_forget, .. } => attributes.push(("input_forget", flag(input_forget))),
        Cell::Gru { linear_before_reset } => {
            attributes.push(("linear_before_reset", flag(linear_before_reset)));
        }
    }
    if op.batch_first {
        if op.is_quantized() {
            return Err(s.refuse("a batch as the first axis of quantized weights", "turn the axes around it"));
        }
        s.needs(14);
        attributes.push(("layout", flag(true)));
    }
    let mut inputs: Vec<String> = (0..3).map(|at| s.input(at)).collect::<Result<_, _>>()?;
    for slot in [
        RecurrentSlot::Bias,
        RecurrentSlot::Lengths,
        RecurrentSlot::State,
        RecurrentSlot::CellState,
        RecurrentSlot::Peepholes,
    ] {
        inputs.push(op.place(slot).map(|at| s.input(at)).transpose()?.unwrap_or_default());
    }
    if op.is_quantized() {
        for at in 3 + op.slots.len()..s.n_inputs() {
            inputs.push(s.input(at)?);
        }
        s.needed.has_microsoft = true;
        s.write_in(MICROSOFT, "DynamicQuantizeLSTM", inputs, attributes);
    } else {
        let dtype = s.dtype(0)?;
        s.write(s.op(), &[dtype], trimmed(inputs), attributes)?;
    }
    s.optional_outputs(0);
    Ok(())
}
