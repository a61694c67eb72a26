//! RNN, LSTM and GRU, step by step.

use super::args::Args;
use super::each::{Real, strided};
use super::functions::apply;
use super::gemm::{Matrix, product};
use super::products::small;
use super::quantization::by_range;
use super::wide::wide;
use crate::error::Error;
use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;
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

/// Weights of one direction, `[inner, gates * hidden]`.
enum Weights<T> {
    Plain(Vec<T>),
    /// Less their zero points, and a scale for each column.
    Quantized {
        values: Vec<f64>,
        scales: Vec<f32>,
    },
}

impl<T: Real> Weights<T> {
    /// `rows` times some columns of the weights: `[n, inner]` to `[n, columns]`.
    fn times(&self, rows: &[T], inner: usize, n_columns: usize, columns: Range<usize>) -> Vec<T> {
        let n = rows.len() / inner.max(1);
        let (first, wide) = (columns.start, columns.len());
        let mut out = vec![T::default(); n * wide];
        match self {
            Weights::Plain(values) => {
                let right = Matrix::dense(&values[first..], n_columns);
                product(&mut out, wide, [n, inner, wide], Matrix::dense(rows, inner), right);
            }
            Weights::Quantized { values, scales } => {
                let single: Vec<f32> = rows.iter().map(|x| x.to_f64() as f32).collect();
                let (q, scale, zero) = by_range(&single);
                let q: Vec<f64> = q.iter().map(|&q| f64::from(q) - f64::from(zero)).collect();
                let mut sums = vec![0.0f64; n * wide];
                let (left, right) = (Matrix::dense(&q, inner), Matrix::dense(&values[first..], n_columns));
                product(&mut sums, wide, [n, inner, wide], left, right);
                for (at, (out, sum)) in out.iter_mut().zip(&sums).enumerate() {
                    *out = T::of_f64(f64::from(*sum as f32 * (scale * scales[first + at % wide])));
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

/// Inputs times their weights: `[steps and batch, width]` to `[steps and batch, gates * hidden]`.
fn from_input<T: Real>(
    op: &Recurrent,
    args: &Args<'_, '_>,
    direction: usize,
    x: &[T],
    (width, columns): (usize, usize),
) -> Result<Vec<T>, Error> {
    if op.is_quantized() {
        return Ok(weights(op, args, 1, direction, (width, columns))?.times(x, width, columns, 0..columns));
    }
    // One product, which reads the weights as they are stored.
    let all = T::read(args.data(1)?).ok_or_else(|| args.refuse(1))?;
    let own = &all[direction * width * columns..(direction + 1) * width * columns];
    let n = x.len() / width.max(1);
    let mut out = vec![T::default(); n * columns];
    let (left, right) = (Matrix::dense(x, width), Matrix::turned(own, width));
    product(&mut out, columns, [n, width, columns], left, right);
    Ok(out)
}

/// Weights of a direction: input 1 (`W`) or 2 (`R`).
fn weights<T: Real>(
    op: &Recurrent,
    args: &Args<'_, '_>,
    at: usize,
    direction: usize,
    (inner, columns): (usize, usize),
) -> Result<Weights<T>, Error> {
    let n = inner * columns;
    if !op.is_quantized() {
        let all = T::read(args.data(at)?).ok_or_else(|| args.refuse(at))?;
        // Stored by output; turned once, since each step multiplies by them.
        let own = &all[direction * n..(direction + 1) * n];
        return Ok(Weights::Plain(strided(own, &[inner, columns], &[1, inner as isize], 0)));
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
        let of_direction = |all: &Option<Cow<'_, [T]>>, n: usize| match all {
            Some(all) => all[direction * n..(direction + 1) * n].to_vec(),
            None => vec![T::default(); n],
        };
        let both = of_direction(&bias, 2 * columns);
        let layer = Layer {
            op,
            sides,
            direction,
            reversed: op.direction == Direction::Reverse || direction == 1,
            from_input: from_input(op, args, direction, &x, (sides.width, columns))?,
            state_weights: weights(op, args, 2, direction, (sides.hidden, columns))?,
            input_bias: both[..columns].to_vec(),
            state_bias: both[columns..].to_vec(),
            peepholes: peepholes.is_some().then(|| of_direction(&peepholes, 3 * sides.hidden)),
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
    state_weights: Weights<T>,
    input_bias: Vec<T>,
    state_bias: Vec<T>,
    /// Input, output, forget; none where the cell is not looked at.
    peepholes: Option<Vec<T>>,
    functions: &'l [Activation],
}

/// `sums += values`, element by element.
fn add<T: Real>(sums: &mut [T], values: &[T]) {
    wide(
        #[inline(always)]
        || sums.iter_mut().zip(values).for_each(|(sum, &x)| *sum = sum.plus(x)),
    );
}

/// `sums += a b`, element by element.
fn add_product<T: Real>(sums: &mut [T], a: &[T], b: &[T]) {
    wide(
        #[inline(always)]
        || sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (&a, &b))| *sum = sum.plus(a.times(b))),
    );
}

impl<T: Real> Layer<'_, T> {
    fn run(&self, lengths: &[usize], all: &mut [T], last: &mut [T], cells: &mut [T]) {
        let Sides { steps, batch, hidden, gates, .. } = self.sides;
        let columns = gates * hidden;
        // Where the reset gate comes before the product, that of the hidden gate waits for it.
        let waits = matches!(self.op.cell, Cell::Gru { linear_before_reset: false });
        let at_once = if waits { 2 * hidden } else { columns };
        let mut states: Vec<T> = Vec::with_capacity(batch * hidden);
        for k in 0..steps {
            states.clear();
            for row in 0..batch {
                let at = self.sides.state(self.direction, row);
                states.extend_from_slice(&last[at..at + hidden]);
            }
            let from_state = self.state_weights.times(&states, hidden, columns, 0..at_once);
            let mut sums: Vec<T> = Vec::with_capacity(batch * columns);
            for row in 0..batch {
                let step = self.step(lengths[row], k).unwrap_or(0);
                let place = self.sides.row(step, row) * columns;
                sums.extend_from_slice(&self.from_input[place..place + columns]);
                let own = &mut sums[row * columns..];
                add(own, &self.input_bias);
                if let Cell::Gru { .. } = self.op.cell {
                    let from_state = &from_state[row * at_once..row * at_once + 2 * hidden];
                    add(&mut own[..2 * hidden], from_state);
                    add(&mut own[..2 * hidden], &self.state_bias[..2 * hidden]);
                    self.function(0, &mut own[..2 * hidden]);
                } else {
                    add(own, &from_state[row * columns..(row + 1) * columns]);
                    add(own, &self.state_bias);
                }
            }
            let hidden_part = self.hidden_part(&states, &from_state, &sums);
            for row in (0..batch).filter(|&row| k < lengths[row]) {
                let at = self.sides.state(self.direction, row);
                let own = &mut sums[row * columns..(row + 1) * columns];
                let old = &states[row * hidden..(row + 1) * hidden];
                let (new, cell) = (&mut last[at..at + hidden], &mut cells[at..at + hidden]);
                match self.op.cell {
                    Cell::Rnn => {
                        self.function(0, own);
                        new.copy_from_slice(own);
                    }
                    Cell::Lstm { input_forget, .. } => self.lstm(own, new, cell, input_forget),
                    Cell::Gru { .. } => {
                        let part = &hidden_part[row * hidden..(row + 1) * hidden];
                        self.gru(own, part, old, new);
                    }
                }
                let step = self.step(lengths[row], k).unwrap_or(0);
                let to = self.sides.output(step, self.direction, row);
                all[to..to + hidden].copy_from_slice(new);
            }
        }
    }

    /// The step that a row reads as its `k`th; none behind its end.
    fn step(&self, length: usize, k: usize) -> Option<usize> {
        let left = length.checked_sub(k + 1)?;
        Some(if self.reversed { left } else { k })
    }

    /// Clips what gates hold, then applies their function.
    fn function(&self, at: usize, values: &mut [T]) {
        if let Some(clip) = self.op.clip {
            let clip = T::of_f64(clip.into());
            let least = T::default().minus(clip);
            values.iter_mut().for_each(|x| *x = x.smaller(clip).larger(least));
        }
        apply(self.functions[at], values);
    }

    fn lstm(&self, own: &mut [T], new: &mut [T], cell: &mut [T], input_forget: bool) {
        let hidden = self.sides.hidden;
        let (input, rest) = own.split_at_mut(hidden);
        let (output, rest) = rest.split_at_mut(hidden);
        let (forget, fresh) = rest.split_at_mut(hidden);
        let peephole = |gate: usize| self.peepholes.as_ref().map(|p| &p[gate * hidden..(gate + 1) * hidden]);
        if let (Some(of_input), Some(of_forget)) = (peephole(0), peephole(2)) {
            add_product(input, of_input, cell);
            add_product(forget, of_forget, cell);
        }
        self.function(0, input);
        if input_forget {
            forget.iter_mut().zip(&*input).for_each(|(f, &i)| *f = T::ONE.minus(i));
        } else {
            self.function(0, forget);
        }
        self.function(1, fresh);
        cell.iter_mut().zip(&*forget).for_each(|(c, &f)| *c = f.times(*c));
        add_product(cell, input, fresh);
        if let Some(of_output) = peephole(1) {
            add_product(output, of_output, cell);
        }
        self.function(0, output);
        new.copy_from_slice(cell);
        apply(self.functions[2], new);
        new.iter_mut().zip(&*output).for_each(|(h, &o)| *h = h.times(o));
    }

    /// Of a GRU what its hidden gate gets from the state, for all rows; `gates` holds update and reset.
    fn hidden_part(&self, states: &[T], from_state: &[T], gates: &[T]) -> Vec<T> {
        let Sides { hidden, .. } = self.sides;
        let columns = self.sides.gates * hidden;
        let Cell::Gru { linear_before_reset } = self.op.cell else { return Vec::new() };
        let bias = &self.state_bias[2 * hidden..];
        let resets = gates.chunks_exact(columns).map(|own| &own[hidden..2 * hidden]);
        let mut part: Vec<T> = Vec::with_capacity(states.len());
        if linear_before_reset {
            for (resets, own) in resets.zip(from_state.chunks_exact(columns)) {
                let linear = own[2 * hidden..].iter().zip(bias).map(|(&x, &b)| x.plus(b));
                part.extend(linear.zip(resets).map(|(x, &r)| x.times(r)));
            }
            return part;
        }
        for (resets, old) in resets.zip(states.chunks_exact(hidden)) {
            part.extend(resets.iter().zip(old).map(|(&r, &h)| r.times(h)));
        }
        let mut part = self.state_weights.times(&part, hidden, columns, 2 * hidden..columns);
        part.chunks_exact_mut(hidden).for_each(|row| add(row, bias));
        part
    }

    fn gru(&self, own: &mut [T], part: &[T], old: &[T], new: &mut [T]) {
        let (gates, fresh) = own.split_at_mut(2 * self.sides.hidden);
        add(fresh, part);
        self.function(1, fresh);
        for (i, new) in new.iter_mut().enumerate() {
            let update = gates[i];
            *new = T::ONE.minus(update).times(fresh[i]).plus(update.times(old[i]));
        }
    }
}
