//! `RNN`, `LSTM`, `GRU`: recurrent layers.

use super::stored::{Found, Stored, named};
use super::{
    Activation, ActivationKind, Attr, Made, Operand, Payload, flag, floats, met, misfit, numbers, word,
};
use crate::op::Attrs;
use crate::{DType, Dim, Error, Shape, Tensor, TensorData};
use alloc::vec;
use alloc::vec::Vec;

/// What is computed at each step, with ONNX's equations and order of gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// `h = f(W x + R h + b)`
    Rnn,
    /// Gates input, output, forget, cell.
    Lstm {
        /// The forget gate is 1 minus the input gate.
        input_forget: bool,
        /// Weights are `i8` or `u8` with scale and zero point (two more pairs of inputs); what they multiply is
        /// quantized by its own range: `x` once, the state at each step.
        is_quantized: bool,
    },
    /// Gates update, reset, hidden.
    Gru {
        /// The reset gate is applied behind the product with `R`, not before it.
        linear_before_reset: bool,
    },
}

/// In which order a layer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the first step.
    Forward,
    /// From the last step of each row.
    Reverse,
    /// Both, outputs side by side.
    Both,
}

impl Direction {
    /// Every member.
    pub const ALL: &'static [Direction] = &[Direction::Forward, Direction::Reverse, Direction::Both];

    /// Name as ONNX writes it.
    pub fn name(self) -> &'static str {
        match self {
            Direction::Forward => "forward",
            Direction::Reverse => "reverse",
            Direction::Both => "bidirectional",
        }
    }
}

/// An input of a recurrent layer, in ONNX's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecurrentSlot {
    /// `[directions, biases of W and R]`
    Bias,
    /// `i32 [batch]`
    Lengths,
    /// `[directions, batch, hidden]`
    State,
    /// `[directions, batch, hidden]`, of an LSTM
    CellState,
    /// `[directions, 3 hidden]`, of an LSTM: input, output, forget
    Peepholes,
}

impl RecurrentSlot {
    /// Every member.
    pub const ALL: &'static [RecurrentSlot] = &[
        RecurrentSlot::Bias,
        RecurrentSlot::Lengths,
        RecurrentSlot::State,
        RecurrentSlot::CellState,
        RecurrentSlot::Peepholes,
    ];

    /// Name as ONNX writes it.
    pub fn name(self) -> &'static str {
        match self {
            RecurrentSlot::Bias => "B",
            RecurrentSlot::Lengths => "sequence_lens",
            RecurrentSlot::State => "initial_h",
            RecurrentSlot::CellState => "initial_c",
            RecurrentSlot::Peepholes => "P",
        }
    }
}

/// ONNX's operators of these names, and ONNX Runtime's `DynamicQuantizeLSTM`.
///
/// Inputs: `x: [steps, batch, width]`, `w: [directions, gates * hidden, width]`, `r: [directions, gates * hidden,
/// hidden]`, then those of `slots`, in order, and of a quantized layer the scale and zero point of `w` and of `r`
/// (`w` and `r` are then stored as `[directions, width or hidden, gates * hidden]`). With `batch_first` the batch is
/// the first axis of `x`, of the states and of the outputs. Outputs: all steps `[steps, directions, batch, hidden]`,
/// the last `[directions, batch, hidden]`, of an LSTM the last cell too.
#[derive(Clone, Debug, PartialEq)]
pub struct Recurrent {
    /// What is computed at each step.
    pub cell: Cell,
    /// In which order.
    pub direction: Direction,
    /// Width of a state.
    pub hidden: usize,
    /// For each direction the functions of the gates: one of an RNN, two of a GRU, three of an LSTM.
    pub activations: Vec<Activation>,
    /// Gates are kept between minus this and this before their function.
    pub clip: Option<f32>,
    /// The batch is the first axis.
    pub batch_first: bool,
    /// Which inputs are there beyond `x`, `w` and `r`.
    pub slots: Vec<RecurrentSlot>,
}

impl Recurrent {
    /// Number of directions.
    pub fn n_directions(&self) -> usize {
        if self.direction == Direction::Both { 2 } else { 1 }
    }

    /// Number of gates.
    pub fn n_gates(&self) -> usize {
        match self.cell {
            Cell::Rnn => 1,
            Cell::Gru { .. } => 3,
            Cell::Lstm { .. } => 4,
        }
    }

    /// Functions of one direction.
    pub fn n_activations(&self) -> usize {
        match self.cell {
            Cell::Rnn => 1,
            Cell::Gru { .. } => 2,
            Cell::Lstm { .. } => 3,
        }
    }

    /// True if weights are integers.
    pub fn is_quantized(&self) -> bool {
        matches!(self.cell, Cell::Lstm { is_quantized: true, .. })
    }

    /// Place of an input among the node's, if it is there.
    pub fn place(&self, slot: RecurrentSlot) -> Option<usize> {
        self.slots.iter().position(|s| *s == slot).map(|at| at + 3)
    }

    fn refuse<T>(&self, what: &str, expected: &str, got: &dyn core::fmt::Display) -> Result<T, Error> {
        Err(misfit(self.name(), what, expected, got))
    }

    fn expect(&self, what: &str, operand: &Operand<'_>, dims: &[Dim]) -> Result<(), Error> {
        let fits = match operand.shape.axes() {
            None => true,
            Some(own) => own.len() == dims.len() && own.iter().zip(dims).all(|(a, b)| met(a, b).is_some()),
        };
        if fits {
            return Ok(());
        }
        self.refuse(what, &alloc::format!("{}", Shape(dims.to_vec())), &operand.describe())
    }

    fn expect_slot(&self, slot: RecurrentSlot, operand: &Operand<'_>, batch: &Dim) -> Result<(), Error> {
        let directions = Dim::Fixed(self.n_directions());
        let of = |n: usize| Dim::Fixed(n.saturating_mul(self.hidden));
        match slot {
            RecurrentSlot::Lengths if operand.dtype != DType::I32 => {
                self.refuse("sequence_lens", "i32 [batch]", &operand.describe())
            }
            RecurrentSlot::Lengths => self.expect("sequence_lens", operand, core::slice::from_ref(batch)),
            RecurrentSlot::Bias => self.expect("B", operand, &[directions, of(2 * self.n_gates())]),
            RecurrentSlot::Peepholes => self.expect("P", operand, &[directions, of(3)]),
            RecurrentSlot::State | RecurrentSlot::CellState => {
                let hidden = Dim::Fixed(self.hidden);
                let dims = match self.batch_first {
                    true => [batch.clone(), directions, hidden],
                    false => [directions, batch.clone(), hidden],
                };
                self.expect("initial_h or initial_c", operand, &dims)
            }
        }
    }
}

impl Payload for Recurrent {
    fn name(&self) -> &'static str {
        match self.cell {
            Cell::Rnn => "RNN",
            Cell::Lstm { is_quantized: false, .. } => "LSTM",
            Cell::Lstm { is_quantized: true, .. } => "DynamicQuantizeLSTM",
            Cell::Gru { .. } => "GRU",
        }
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let names = |names: Vec<&'static str>| Attr::Word(names.join(" "));
        let slots = self.slots.iter().map(|s| s.name()).collect();
        let functions = self.activations.iter().map(|a| a.kind.name()).collect();
        let parameters = |of: fn(&Activation) -> f32| {
            Attr::Tensor(Tensor::vector(TensorData::F32(self.activations.iter().map(of).collect())))
        };
        let mut attrs = vec![
            ("hidden_size", numbers(&[self.hidden])),
            ("direction", word(self.direction.name())),
            ("layout", flag(self.batch_first)),
            ("inputs", names(slots)),
            ("activations", names(functions)),
            ("activation_alpha", parameters(|a| a.alpha)),
            ("activation_beta", parameters(|a| a.beta)),
        ];
        if let Some(clip) = self.clip {
            attrs.push(("clip", Attr::Float(clip)));
        }
        match self.cell {
            Cell::Rnn => {}
            Cell::Lstm { input_forget, .. } => attrs.push(("input_forget", flag(input_forget))),
            Cell::Gru { linear_before_reset } => {
                attrs.push(("linear_before_reset", flag(linear_before_reset)));
            }
        }
        attrs
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let n_inputs = 3 + self.slots.len() + if self.is_quantized() { 4 } else { 0 };
        if inputs.len() != n_inputs {
            return self.refuse("inputs", &alloc::format!("{n_inputs}"), &inputs.len());
        }
        if self.hidden == 0 || self.activations.len() != self.n_activations() * self.n_directions() {
            return self.refuse("hidden_size and activations", "1 or more, and one a gate", &self.hidden);
        }
        let (x, w, r) = (&inputs[0], &inputs[1], &inputs[2]);
        floats(self.name(), "X", x)?;
        for (at, operand) in inputs[..3 + self.slots.len()].iter().enumerate() {
            let is_lengths = at.checked_sub(3).is_some_and(|at| self.slots[at] == RecurrentSlot::Lengths);
            let expected = match at {
                1 | 2 if self.is_quantized() => continue,
                _ if is_lengths => continue,
                _ => x.dtype,
            };
            if operand.dtype != expected {
                return self.refuse("inputs", &alloc::format!("{expected}"), &operand.describe());
            }
        }
        let axes = super::ranked(self.name(), "X", x, 3)?;
        let (steps, batch, width) = match axes {
            Some([steps, batch, width]) if !self.batch_first => (steps.clone(), batch.clone(), width.clone()),
            Some([batch, steps, width]) => (steps.clone(), batch.clone(), width.clone()),
            _ => (Dim::Unknown, Dim::Unknown, Dim::Unknown),
        };
        let directions = Dim::Fixed(self.n_directions());
        let gates = Dim::Fixed(self.n_gates().saturating_mul(self.hidden));
        let hidden = Dim::Fixed(self.hidden);
        if self.is_quantized() {
            for (operand, inner, what) in [(w, width, "W"), (r, hidden.clone(), "R")] {
                if !matches!(operand.dtype, DType::U8 | DType::I8) {
                    return self.refuse(what, "u8 or i8", &operand.describe());
                }
                self.expect(what, operand, &[directions.clone(), inner, gates.clone()])?;
            }
            let last = &inputs[3 + self.slots.len()..];
            for (scale, weights) in [(&last[0], w), (&last[2], r)].into_iter().zip([&last[1], &last[3]]) {
                let ((scale, weights), zero) = (scale, weights);
                let of = |o: &Operand<'_>| match o.shape.lengths() {
                    None => true,
                    Some(l) => {
                        let n: Option<usize> = l.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
                        let each = self.n_gates() * self.hidden;
                        n.is_some_and(|n| n == self.n_directions() || n == self.n_directions() * each)
                    }
                };
                if scale.dtype != DType::F32 || weights.dtype != zero.dtype || !of(scale) || !of(zero) {
                    return self.refuse(
                        "scale and zero point",
                        "one a direction or a gate",
                        &scale.describe(),
                    );
                }
            }
        } else {
            self.expect("W", w, &[directions.clone(), gates.clone(), width])?;
            self.expect("R", r, &[directions.clone(), gates, hidden.clone()])?;
        }
        for (&slot, operand) in self.slots.iter().zip(&inputs[3..]) {
            self.expect_slot(slot, operand, &batch)?;
        }
        let (all, last) = match self.batch_first {
            false => (
                vec![steps, directions.clone(), batch.clone(), hidden.clone()],
                vec![directions, batch, hidden],
            ),
            true => (
                vec![batch.clone(), steps, directions.clone(), hidden.clone()],
                vec![batch, directions, hidden],
            ),
        };
        let mut made = vec![(x.dtype, Shape(all)), (x.dtype, Shape(last.clone()))];
        if matches!(self.cell, Cell::Lstm { .. }) {
            made.push((x.dtype, Shape(last)));
        }
        Ok(made)
    }

    fn is_exact(&self) -> bool {
        false
    }
}

impl Stored for Recurrent {
    fn parse(name: &str, attrs: &Attrs) -> Found<Recurrent> {
        let op = ["RNN", "LSTM", "DynamicQuantizeLSTM", "GRU"].into_iter().find(|op| *op == name)?;
        let read = || {
            let cell = match op {
                "RNN" => Cell::Rnn,
                "GRU" => Cell::Gru { linear_before_reset: attrs.flag(op, "linear_before_reset")? },
                _ => Cell::Lstm {
                    input_forget: attrs.flag(op, "input_forget")?,
                    is_quantized: op == "DynamicQuantizeLSTM",
                },
            };
            let slots = attrs.word(op, "inputs")?.split_whitespace();
            let slot = |word| {
                let found = named(RecurrentSlot::ALL, word, |s| s.name());
                found.ok_or_else(|| misfit(op, "inputs", "names of inputs", &word))
            };
            Ok(Recurrent {
                cell,
                direction: attrs.one_of(op, "direction", Direction::ALL, |d| d.name())?,
                hidden: attrs.count(op, "hidden_size")?,
                activations: activations(op, attrs)?,
                clip: attrs.maybe("clip", |a| a.float(op, "clip"))?,
                batch_first: attrs.flag(op, "layout")?,
                slots: slots.map(slot).collect::<Result<_, _>>()?,
            })
        };
        Some(read())
    }
}

/// The functions of gates: their names, and a parameter each.
fn activations(op: &'static str, attrs: &Attrs) -> Result<Vec<Activation>, Error> {
    let names: Vec<&str> = attrs.word(op, "activations")?.split_whitespace().collect();
    let parameters = |name: &str| match attrs.tensor(op, name)?.data() {
        TensorData::F32(v) if v.len() == names.len() => Ok(v.clone()),
        other => Err(misfit(op, name, &alloc::format!("f32 [{}]", names.len()), &other.len())),
    };
    let (alphas, betas) = (parameters("activation_alpha")?, parameters("activation_beta")?);
    let mut made = Vec::with_capacity(names.len());
    for ((name, alpha), beta) in names.iter().zip(alphas).zip(betas) {
        let kind = named(ActivationKind::ALL, name, |k| k.name());
        let kind = kind.ok_or_else(|| misfit(op, "activations", "names of functions", name))?;
        made.push(Activation { kind, alpha, beta });
    }
    Ok(made)
}
