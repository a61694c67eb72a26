//! The plain code: what a product of panels means.

use super::{PAIR, Panels, QUAD, Rows, Span, sweep};
use crate::kernels::LANES;
use crate::kernels::ending::{Ending, Sink};

/// Sums of `n` rows and a panel, in any order.
#[inline(always)]
fn block<A: Copy + Into<i32>, W: Copy + Into<i32>, const DEPTH: usize, const R: usize>(
    cells: &[A],
    stride: usize,
    n: usize,
    panel: &[W],
    sums: &mut [[i32; LANES]; R],
) {
    for (row, sums) in sums.iter_mut().enumerate().take(n) {
        let cells = &cells[row * stride..];
        for (cells, weights) in cells.chunks_exact(DEPTH).zip(panel.chunks_exact(LANES * DEPTH)) {
            for (sum, weights) in sums.iter_mut().zip(weights.chunks_exact(DEPTH)) {
                for (&a, &w) in cells.iter().zip(weights) {
                    *sum = sum.wrapping_add(a.into().wrapping_mul(w.into()));
                }
            }
        }
    }
}

pub(super) fn quads(rows: Rows<'_, u8>, panels: (&Panels<i8>, Span), ending: (&Ending, &mut Sink<'_>)) {
    sweep::<_, _, 4>(rows, panels, ending, block::<u8, i8, QUAD, 4>);
}

pub(super) fn pairs<W: Copy + Default + Into<i32>>(
    rows: Rows<'_, i16>,
    panels: (&Panels<W>, Span),
    ending: (&Ending, &mut Sink<'_>),
) {
    sweep::<_, _, 4>(rows, panels, ending, block::<i16, W, PAIR, 4>);
}

/// The same in 64 bits; a product of 16 and 16 bits is below 2^31 in size.
pub(crate) fn wide_pairs(
    rows: Rows<'_, i16>,
    (panels, span): (&Panels<i16>, Span),
    (ending, sink): (&Ending, &mut Sink<'_>),
) {
    for (at, panel) in panels.some(span.first, span.n).enumerate() {
        for row in 0..rows.n {
            let mut sums = [0i64; LANES];
            let cells = &rows.cells[row * rows.stride..];
            for (cells, weights) in cells.chunks_exact(PAIR).zip(panel.chunks_exact(LANES * PAIR)) {
                for (sum, weights) in sums.iter_mut().zip(weights.chunks_exact(PAIR)) {
                    *sum +=
                        cells.iter().zip(weights).map(|(&a, &w)| i64::from(a) * i64::from(w)).sum::<i64>();
                }
            }
            ending.wide_row(sink, row, at, &sums);
        }
    }
}
