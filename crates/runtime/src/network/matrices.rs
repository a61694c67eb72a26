//! Products of two values of a network: the right one is packed when it runs, batch by batch.

use super::rooms::Slot;
use super::step::{Need, Run};
use crate::kernels::cells::{Cell, Width, of_width};
use crate::kernels::ending::{Ending, Sink};
use crate::kernels::products::{PAIR, Rows, Span, pairs};
use crate::kernels::{LANES, Plain};
use alloc::vec::Vec;
use core::marker::PhantomData;

/// Rows that are widened at one time, which those at once divide.
const ROWS: usize = 42;

/// Lengths and places of all products.
#[derive(Clone, Debug)]
pub(super) struct Batches {
    pub(super) rows: usize,
    pub(super) inner: usize,
    pub(super) outputs: usize,
    /// Elements before the left and before the right matrix of each.
    pub(super) places: Vec<(usize, usize)>,
}

impl Batches {
    /// Of `[.., rows, inner]` or `[inner]` and `[.., inner, outputs]`; axes before matrices broadcast.
    pub(super) fn of(a: &[usize], b: &[usize]) -> Option<Batches> {
        let (&inner, a) = a.split_last()?;
        let [b @ .., _, outputs] = b else { return None };
        if b.is_empty() {
            let rows = a.iter().product();
            return Some(Batches { rows, inner, outputs: *outputs, places: alloc::vec![(0, 0)] });
        }
        let (rows, a) = a.split_last().map_or((1, a), |(&rows, a)| (rows, a));
        let rank = a.len().max(b.len());
        let length =
            |own: &[usize], axis: usize| (axis + own.len()).checked_sub(rank).map_or(1, |at| own[at]);
        let joint: Vec<usize> = (0..rank).map(|axis| length(a, axis).max(length(b, axis))).collect();
        let place = |own: &[usize], mut at: usize| {
            let (mut place, mut step) = (0, 1);
            for axis in (0..rank).rev() {
                let n = length(own, axis);
                place += if n == 1 { 0 } else { at % joint[axis] * step };
                (at, step) = (at / joint[axis], step * n);
            }
            place
        };
        let all = 0..joint.iter().product();
        let places = all.map(|at| (place(a, at) * rows * inner, place(b, at) * inner * outputs)).collect();
        Some(Batches { rows, inner, outputs: *outputs, places })
    }
}

/// Products of matrices of codes that fit 16 bits without their zero points; sums are proven to fit 32 bits.
#[derive(Clone, Debug)]
pub(super) struct Matrices {
    /// Slot, width and stored zero point.
    pub(super) x: (Slot, Width, i64),
    pub(super) w: (Slot, Width, i64),
    pub(super) y: Slot,
    pub(super) batches: Batches,
    pub(super) ending: Ending,
}

/// Codes of rows without their zero point, the last pair filled.
struct Centred<'a, C> {
    x: &'a [u8],
    zero: i32,
    inner: usize,
    rows: &'a mut [i16],
    cell: PhantomData<C>,
}

impl<C: Cell> Plain for Centred<'_, C> {
    type Made = ();

    #[inline(always)]
    fn run(self) {
        let cells = self.x.chunks_exact((self.inner * C::WIDTH.bytes()).max(1));
        let rows = self.rows.chunks_exact_mut(self.inner.next_multiple_of(PAIR).max(1));
        for (row, cells) in rows.zip(cells) {
            for (at, centred) in row.iter_mut().enumerate().take(self.inner) {
                let code: i32 = C::get(cells, at).into();
                *centred = (code - self.zero) as i16;
            }
        }
    }
}

impl Matrices {
    pub(super) fn need(&self) -> Need {
        let Batches { rows, inner, outputs, .. } = self.batches;
        let row = inner.next_multiple_of(PAIR);
        let panels = outputs.next_multiple_of(LANES).saturating_mul(row);
        Need { words: row.saturating_mul(rows.min(ROWS)), panels, ..Need::default() }
    }

    pub(super) fn run(&self, run: &mut Run<'_>) {
        let (others, out) = run.rooms.apart(run.memory, self.y);
        let (x, w) = (others.get(self.x.0), others.get(self.w.0));
        let Batches { rows, inner, outputs, ref places } = self.batches;
        let (zero_x, zero_w) = (self.x.2 as i32, self.w.2 as i32);
        let row = inner.next_multiple_of(PAIR);
        for (batch, &(at_x, at_w)) in places.iter().enumerate() {
            let panels = &mut run.scratch.panels;
            of_width!(self.w.1, W => panels.refill(outputs, inner, PAIR, |output, inner| {
                let code: i32 = W::get(w, at_w + inner * outputs + output).into();
                (code - zero_w) as i16
            }));
            for from in (0..rows).step_by(ROWS) {
                let n = (rows - from).min(ROWS);
                let cells = &mut run.scratch.words[..n * row];
                of_width!(self.x.1, X => {
                    let bytes = X::WIDTH.bytes();
                    let x = &x[(at_x + from * inner) * bytes..][..n * inner * bytes];
                    run.machine.run(Centred { x, zero: zero_x, inner, rows: &mut *cells, cell: PhantomData::<X> });
                });
                let first = (batch * rows + from) * outputs;
                let mut sink = Sink {
                    out: &mut *out,
                    others: &[],
                    first,
                    stride: outputs,
                    n_outputs: outputs,
                    first_panel: 0,
                };
                let span = Span { first: 0, n: outputs.div_ceil(LANES) };
                let rows = Rows { cells, stride: row, n };
                pairs(run.machine, rows, (&run.scratch.panels, span), (&self.ending, &mut sink));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn axes_before_matrices_broadcast() {
        let places = |a: &[usize], b: &[usize]| Batches::of(a, b).unwrap().places;
        assert_eq!(places(&[7, 3], &[3, 5]), [(0, 0)]);
        assert_eq!(Batches::of(&[2, 7, 3], &[3, 5]).unwrap().rows, 14);
        assert_eq!(places(&[3], &[2, 3, 5]), [(0, 0), (0, 15)]);
        assert_eq!(places(&[2, 4, 3], &[2, 3, 5]), [(0, 0), (12, 15)]);
        assert_eq!(
            places(&[2, 1, 4, 3], &[3, 3, 5]),
            [(0, 0), (0, 15), (0, 30), (12, 0), (12, 15), (12, 30)]
        );
        assert_eq!(places(&[1, 4, 3], &[2, 3, 5]), vec![(0, 0), (0, 15)]);
        assert!(Batches::of(&[3], &[3]).is_none());
    }
}
