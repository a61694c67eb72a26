//! Products of rows of activations and panels of weights: the layouts, and the scalar code that defines them.
//!
//! A panel holds the weights of 16 outputs as `[step][output][depth]`: a step is `depth` neighbours along the inner
//! axis, which an instruction multiplies and sums at once. A row of activations is dense, and the last step of both is
//! filled with zero weights. `sums[row][output] = sum_k a[row][k] w[output][k]`, wrapping in 32 bits.
//!
//! | layout | activations | weights | depth | for |
//! |---|---|---|---|---|
//! | quads | u8 | i8 | 4 | `vpdpbusd` |
//! | narrow pairs | i16 | i8 | 2 | `vpmaddwd`, weights widened on the way |
//! | pairs | i16 | i16 | 2 | `vpmaddwd` |

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512_vnni;
mod scalar;

use super::LANES;
use super::ending::{Ending, Sink};
#[cfg(target_arch = "x86_64")]
use crate::isa::Isa;
use crate::isa::Machine;
use alloc::vec::Vec;

/// Depth of quads.
pub(crate) const QUAD: usize = 4;
/// Depth of pairs.
pub(crate) const PAIR: usize = 2;

/// Weights in panels.
#[derive(Clone, Debug)]
pub(crate) struct Panels<W> {
    steps: usize,
    depth: usize,
    data: Vec<W>,
}

impl<W: Copy + Default> Panels<W> {
    /// Of groups of `per_group` outputs, each group beginning with a new panel, `weight(output, inner)` each.
    pub(crate) fn pack(
        n_outputs: usize,
        per_group: usize,
        n_inner: usize,
        depth: usize,
        weight: impl Fn(usize, usize) -> W,
    ) -> Panels<W> {
        let mut panels = Panels { steps: 0, depth, data: Vec::new() };
        panels.fill((n_outputs, per_group), n_inner, weight);
        panels
    }

    /// Room for so many weights and none yet.
    pub(crate) fn room(n: usize) -> Panels<W> {
        Panels { steps: 0, depth: 1, data: Vec::with_capacity(n) }
    }

    /// How many weights there is room for.
    pub(crate) fn capacity(&self) -> usize {
        self.data.capacity()
    }

    /// Other weights, of one group, in the same memory if it has room for them.
    pub(crate) fn refill(
        &mut self,
        n_outputs: usize,
        n_inner: usize,
        depth: usize,
        weight: impl Fn(usize, usize) -> W,
    ) {
        self.depth = depth;
        self.fill((n_outputs, n_outputs), n_inner, weight);
    }

    fn fill(
        &mut self,
        (n_outputs, per_group): (usize, usize),
        n_inner: usize,
        weight: impl Fn(usize, usize) -> W,
    ) {
        let depth = self.depth;
        self.steps = n_inner.div_ceil(depth);
        let per_panel = self.steps * LANES * depth;
        let n_panels = n_outputs / per_group.max(1) * per_group.div_ceil(LANES);
        self.data.clear();
        self.data.resize(n_panels * per_panel, W::default());
        for output in 0..n_outputs {
            let (group, within) = (output / per_group, output % per_group);
            let panel = group * per_group.div_ceil(LANES) + within / LANES;
            let panel = &mut self.data[panel * per_panel..(panel + 1) * per_panel];
            for inner in 0..n_inner {
                let at = (inner / depth * LANES + within % LANES) * depth + inner % depth;
                panel[at] = weight(output, inner);
            }
        }
    }

    /// Activations of a row, the last step filled.
    pub(crate) fn row(&self) -> usize {
        self.steps * self.depth
    }

    /// Some panels, one after the other.
    fn some(&self, first: usize, n: usize) -> impl Iterator<Item = &[W]> {
        let per_panel = self.steps * LANES * self.depth;
        (first..first + n).map(move |at| &self.data[at * per_panel..(at + 1) * per_panel])
    }

    pub(crate) fn n_bytes(&self) -> usize {
        size_of_val(&self.data[..])
    }
}

/// Rows of activations: row `i` begins at `i * stride`, and a full row can be read there.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, A> {
    pub(crate) cells: &'a [A],
    pub(crate) stride: usize,
    pub(crate) n: usize,
}

/// Which panels of a product are run.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) first: usize,
    pub(crate) n: usize,
}

/// Every panel with every row, `R` rows at once; the same panel again and again, so that it stays near.
#[inline(always)]
fn sweep<A: Copy, W: Copy + Default, const R: usize>(
    rows: Rows<'_, A>,
    (panels, span): (&Panels<W>, Span),
    (ending, sink): (&Ending, &mut Sink<'_>),
    block: impl Fn(&[A], usize, usize, &[W], &mut [[i32; LANES]; R]),
) {
    for (at, panel) in panels.some(span.first, span.n).enumerate() {
        let mut row = 0;
        while row < rows.n {
            let n = (rows.n - row).min(R);
            let mut sums = [[0i32; LANES]; R];
            block(&rows.cells[row * rows.stride..], rows.stride, n, panel, &mut sums);
            for (i, sums) in sums.iter().enumerate().take(n) {
                ending.row(sink, row + i, at, sums);
            }
            row += n;
        }
    }
}

/// Products of quads.
pub(crate) fn quads(
    machine: Machine,
    rows: Rows<'_, u8>,
    panels: (&Panels<i8>, Span),
    ending: (&Ending, &mut Sink<'_>),
) {
    match machine.isa() {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Vnni => avx512_vnni::quads(machine, rows, panels, ending),
        _ => scalar::quads(rows, panels, ending),
    }
}

/// Products of narrow pairs.
pub(crate) fn narrow_pairs(
    machine: Machine,
    rows: Rows<'_, i16>,
    panels: (&Panels<i8>, Span),
    ending: (&Ending, &mut Sink<'_>),
) {
    match machine.isa() {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 | Isa::Avx512Vnni => avx2::narrow_pairs(machine, rows, panels, ending),
        _ => scalar::pairs(rows, panels, ending),
    }
}

/// Products of pairs.
pub(crate) fn pairs(
    machine: Machine,
    rows: Rows<'_, i16>,
    panels: (&Panels<i16>, Span),
    ending: (&Ending, &mut Sink<'_>),
) {
    match machine.isa() {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 | Isa::Avx512Vnni => avx2::pairs(machine, rows, panels, ending),
        _ => scalar::pairs(rows, panels, ending),
    }
}

/// Products of pairs whose sums may need 64 bits; plain code on every machine.
pub(crate) use scalar::wide_pairs;
