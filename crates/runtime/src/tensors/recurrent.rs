//! RNN, LSTM and GRU, step by step.

use super::args::Args;
use super::each::Real;
use super::functions::of;
use super::gemm::{Matrix, product};
use super::products::small;
use super::quantization::by_range;
use crate::error::Error;
use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::tensor::{Activation, Cell, Direction, Recurrent, RecurrentSlot};
use ir::{DType, Tensor, TensorData};

/// Lengths of a layer, and where things stand in its tensors.
#[derive(Clone, Copy)]
struct Sides {
    steps: usize,
    batch: usize,
    width: usize,
    directions: usize,
    hidden: usize,
    gates: usize,
    batch_first: bool,
}

impl Sides {
    fn row(&self, step: usize, row: usize) -> usize {
        if self.batch_first { row * self.steps + step } else { step * self.batch + row }
    }

    fn state(&self, direction: usize, row: usize) -> usize {
        let at =
            if self.batch_first { row * self.directions + direction } else { direction * self.batch + row };
        at * self.hidden
    }

    fn output(&self, step: usize, direction: usize, row: usize) -> usize {
        let at = match self.batch_first {
            true => (row * self.steps + step) * self.directions + direction,
            false => (step * self.directions + direction) * self.batch + row,
        };
        at * self.hidden
    }
}

/// Weights of one direction.
enum Weights<'w, T> {
    /// `[gates * hidden, inner]`
    Plain(&'w [T]),
    /// `[inner, gates * hidden]` less their zero points, and a scale for each column.
    Quantized { values: Vec<f64>, scales: Vec<f32> },
}

impl<T: Real> Weights<'_, T> {
    /// `rows` times the weights: `[n, inner]` to `[n, gates * hidden]`.
    fn times(&self, rows: &[T], inner: usize, columns: usize) -> Vec<T> {
        let n = rows.len() / inner.max(1);
        let mut out = vec![T::default(); n * columns];
        match self {
            Weights::Plain(values) => {
                product(
                    &mut out,
                    columns,
                    [n, inner, columns],
                    Matrix::dense(rows, inner),
                    Matrix::turned(values, inner),
                );
            }
            Weights::Quantized { values, scales } => {
                let single: Vec<f32> = rows.iter().map(|x| x.to_f64() as f32).collect();
                let (q, scale, zero) = by_range(&single);
                let q: Vec<f64> = q.iter().map(|&q| f64::from(q) - f64::from(zero)).collect();
                let mut sums = vec![0.0f64; n * columns];
                let (left, right) = (Matrix::dense(&q, inner), Matrix::dense(&values[..], columns));
                product(&mut sums, columns, [n, inner, columns], left, right);
                for (at, (out, sum)) in out.iter_mut().zip(&sums).enumerate() {
                    *out = T::of_f64(f64::from(*sum as f32 * (scale * scales[at % columns])));
                }
            }
        }
        out
    }
}

pub(super) fn recurrent(op: &Recurrent, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    match args.tensor(0)?.dtype() {
        DType::F64 => run::<f64>(op, args),
        _ => run::<f32>(op, args),
    }
}

/// Weights of a direction: input 1 (`W`) or 2 (`R`).
fn weights<'w, T: Real>(
    op: &Recurrent,
    args: &Args<'_, '_>,
    plain: Option<&'w Cow<'_, [T]>>,
    at: usize,
    direction: usize,
    (inner, columns): (usize, usize),
) -> Result<Weights<'w, T>, Error> {
    let n = inner * columns;
    if let Some(plain) = plain {
        return Ok(Weights::Plain(&plain[direction * n..(direction + 1) * n]));
    }
    let first = 3 + op.slots.len() + 2 * (at - 1);
    let TensorData::F32(scales) = args.data(first)? else { return Err(args.refuse(first)) };
    let zeros = small(args.data(first + 1)?).ok_or_else(|| args.refuse(first + 1))?;
    let all = small(args.data(at)?).ok_or_else(|| args.refuse(at))?;
    // One number a direction, or one a column of it.
    let per = |len: usize, column: usize| {
        if len == op.n_directions() { direction } else { direction * columns + column }
    };
    let values = all[direction * n..(direction + 1) * n].iter().enumerate();
    Ok(Weights::Quantized {
        values: values.map(|(i, w)| w - zeros[per(zeros.len(), i % columns)]).collect(),
        scales: (0..columns).map(|column| scales[per(scales.len(), column)]).collect(),
    })
}

fn run<T: Real>(op: &Recurrent, args: &Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let dims = args.dims(0)?;
    let (steps, batch) = if op.batch_first { (dims[1], dims[0]) } else { (dims[0], dims[1]) };
    let sides = Sides {
        steps,
        batch,
        width: dims[2],
        directions: op.n_directions(),
        hidden: op.hidden,
        gates: op.n_gates(),
        batch_first: op.batch_first,
    };
    let read = |at: usize| T::read(args.data(at)?).ok_or_else(|| args.refuse(at));
    let slot = |slot: RecurrentSlot| op.place(slot).map(read).transpose();
    let x = read(0)?;
    let (w, r) = if op.is_quantized() { (None, None) } else { (Some(read(1)?), Some(read(2)?)) };
    let (bias, peepholes) = (slot(RecurrentSlot::Bias)?, slot(RecurrentSlot::Peepholes)?);
    let (state, cell) = (slot(RecurrentSlot::State)?, slot(RecurrentSlot::CellState)?);
    let lengths = match op.place(RecurrentSlot::Lengths) {
        None => vec![steps; batch],
        Some(at) => {
            let length = |&n: &i64| usize::try_from(n).ok().filter(|&n| n <= steps);
            let lengths = args.ints(at)?.iter().map(length).collect::<Option<Vec<_>>>();
            lengths.ok_or_else(|| args.fail("sequence_lens", &alloc::format!("0 to {steps}"), &"another"))?
        }
    };
    let columns = sides.gates * sides.hidden;
    args.allow_tensor(DType::F64, &[steps, batch, columns])?;
    let n_states = sides.directions * batch * sides.hidden;
    let mut all = vec![T::default(); steps * n_states];
    let mut last = state.as_ref().map_or_else(|| vec![T::default(); n_states], |s| s.to_vec());
    let mut cells = cell.as_ref().map_or_else(|| vec![T::default(); n_states], |s| s.to_vec());
    for direction in 0..sides.directions {
        let input = weights(op, args, w.as_ref(), 1, direction, (sides.width, columns))?;
        let layer = Layer {
            op,
            sides,
            direction,
            reversed: op.direction == Direction::Reverse || direction == 1,
            from_input: input.times(&x, sides.width, columns),
            state_weights: weights(op, args, r.as_ref(), 2, direction, (sides.hidden, columns))?,
            bias: bias.as_ref().map_or_else(
                || vec![T::default(); 2 * columns],
                |b| b[direction * 2 * columns..(direction + 1) * 2 * columns].to_vec(),
            ),
            peepholes: peepholes.as_ref().map_or_else(
                || vec![T::default(); 3 * sides.hidden],
                |p| p[direction * 3 * sides.hidden..(direction + 1) * 3 * sides.hidden].to_vec(),
            ),
            functions: &op.activations[direction * op.n_activations()..(direction + 1) * op.n_activations()],
        };
        layer.run(&lengths, &mut all, &mut last, &mut cells);
    }
    let dtype = args.tensor(0)?.dtype();
    let mut made = vec![args.finish(0, T::pack(dtype, all))?, args.finish(1, T::pack(dtype, last))?];
    if matches!(op.cell, Cell::Lstm { .. }) {
        made.push(args.finish(2, T::pack(dtype, cells))?);
    }
    Ok(made)
}

/// One direction of a layer.
struct Layer<'l, T> {
    op: &'l Recurrent,
    sides: Sides,
    direction: usize,
    reversed: bool,
    /// `[steps and batch, gates * hidden]`: inputs times their weights.
    from_input: Vec<T>,
    state_weights: Weights<'l, T>,
    /// Of the inputs, then of the states.
    bias: Vec<T>,
    peepholes: Vec<T>,
    functions: &'l [Activation],
}

impl<T: Real> Layer<'_, T> {
    fn run(&self, lengths: &[usize], all: &mut [T], last: &mut [T], cells: &mut [T]) {
        let Sides { steps, batch, hidden, gates, .. } = self.sides;
        let columns = gates * hidden;
        let mut states: Vec<T> = Vec::with_capacity(batch * hidden);
        for k in 0..steps {
            states.clear();
            for row in 0..batch {
                let at = self.sides.state(self.direction, row);
                states.extend_from_slice(&last[at..at + hidden]);
            }
            let from_state = self.state_weights.times(&states, hidden, columns);
            for row in (0..batch).filter(|&row| k < lengths[row]) {
                let step = if self.reversed { lengths[row] - 1 - k } else { k };
                let at = self.sides.state(self.direction, row);
                let place = self.sides.row(step, row) * columns;
                let gates = Gates {
                    input: &self.from_input[place..place + columns],
                    state: &from_state[row * columns..(row + 1) * columns],
                };
                let old = &states[row * hidden..(row + 1) * hidden];
                let (new, cell) = (&mut last[at..at + hidden], &mut cells[at..at + hidden]);
                match self.op.cell {
                    Cell::Rnn => (0..hidden).for_each(|i| new[i] = self.function(0, gates.sum(self, i))),
                    Cell::Lstm { input_forget, .. } => self.lstm(&gates, new, cell, input_forget),
                    Cell::Gru { linear_before_reset } => self.gru(&gates, old, new, linear_before_reset),
                }
                let to = self.sides.output(step, self.direction, row);
                all[to..to + hidden].copy_from_slice(new);
            }
        }
    }

    fn clipped(&self, x: T) -> T {
        match self.op.clip {
            Some(clip) => {
                let clip = T::of_f64(clip.into());
                x.smaller(clip).larger(T::default().minus(clip))
            }
            None => x,
        }
    }

    fn function(&self, at: usize, x: T) -> T {
        of(self.functions[at], self.clipped(x))
    }

    fn lstm(&self, gates: &Gates<'_, T>, new: &mut [T], cell: &mut [T], input_forget: bool) {
        let hidden = self.sides.hidden;
        for i in 0..hidden {
            let peep = |gate: usize, c: T| self.peepholes[gate * hidden + i].times(c);
            let old = cell[i];
            let input = self.function(0, gates.sum(self, i).plus(peep(0, old)));
            let forget = match input_forget {
                true => T::ONE.minus(input),
                false => self.function(0, gates.sum(self, 2 * hidden + i).plus(peep(2, old))),
            };
            let fresh = self.function(1, gates.sum(self, 3 * hidden + i));
            let value = forget.times(old).plus(input.times(fresh));
            let output = self.function(0, gates.sum(self, hidden + i).plus(peep(1, value)));
            cell[i] = value;
            new[i] = output.times(of(self.functions[2], value));
        }
    }

    fn gru(&self, gates: &Gates<'_, T>, old: &[T], new: &mut [T], linear_before_reset: bool) {
        let hidden = self.sides.hidden;
        let columns = 3 * hidden;
        let resets: Vec<T> = (0..hidden).map(|i| self.function(0, gates.sum(self, hidden + i))).collect();
        // Of the hidden gate what comes from the state, its bias not yet added.
        let from_state: Vec<T> = match linear_before_reset {
            true => gates.state[2 * hidden..].to_vec(),
            false => {
                let reset: Vec<T> = resets.iter().zip(old).map(|(r, h)| r.times(*h)).collect();
                self.state_weights.times(&reset, hidden, columns)[2 * hidden..].to_vec()
            }
        };
        for i in 0..hidden {
            let at = 2 * hidden + i;
            let (input_bias, state_bias) = (self.bias[at], self.bias[columns + at]);
            let from_state = from_state[i].plus(state_bias);
            let from_state = if linear_before_reset { resets[i].times(from_state) } else { from_state };
            let fresh = self.function(1, gates.input[at].plus(input_bias).plus(from_state));
            let update = self.function(0, gates.sum(self, i));
            new[i] = T::ONE.minus(update).times(fresh).plus(update.times(old[i]));
        }
    }
}

/// What the gates of one row get from the input and from the state.
struct Gates<'g, T> {
    input: &'g [T],
    state: &'g [T],
}

impl<T: Real> Gates<'_, T> {
    fn sum(&self, layer: &Layer<'_, T>, at: usize) -> T {
        let bias = layer.bias[at].plus(layer.bias[self.input.len() + at]);
        self.input[at].plus(self.state[at]).plus(bias)
    }
}
