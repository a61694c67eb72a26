//! Convolutions and products of matrices: windows as rows, times panels of weights, and what becomes of the sums.
//!
//! Rows are gathered tile by tile, so that a tile stays in the caches while all panels pass over it; where windows are
//! single pixels and the layout has the width of a code, rows are read where they stand.

use super::geometry::{Bytes, Copying, Geometry, Widened, Words};
use super::rooms::Slot;
use super::step::{Need, Run};
use crate::kernels::cells::Width;
use crate::kernels::ending::{Ending, Sink};
use crate::kernels::products::{PAIR, Panels, QUAD, Rows, Span, narrow_pairs, pairs, quads, wide_pairs};
use crate::kernels::{Isa, LANES, Machine, Plain};
use core::ops::Range;

/// Bytes of a tile of rows, those of a small first-level cache.
const TILE_BYTES: usize = 32 << 10;

/// Rows of a tile are a multiple of this, which those at once divide: 6 and 14.
const ROWS: usize = 42;

/// Weights as the instruction set wants them.
#[derive(Clone, Debug)]
enum Weights {
    Quads(Panels<i8>),
    NarrowPairs(Panels<i8>),
    Pairs(Panels<i16>),
    /// Sums of 64 bits.
    WidePairs(Panels<i16>),
}

/// Lengths of a product.
#[derive(Clone, Debug)]
pub(super) struct Sides {
    pub(super) geometry: Geometry,
    pub(super) images: usize,
    pub(super) groups: usize,
    /// Outputs of a group.
    pub(super) per_group: usize,
}

/// A product.
#[derive(Clone, Debug)]
pub(super) struct Product {
    x: Slot,
    pub(super) y: Slot,
    others: Option<Slot>,
    sides: Sides,
    width: Width,
    /// The stored code that stands in pads.
    zero: i64,
    weights: Weights,
    ending: Ending,
}

/// Windows of a tile as rows.
struct Gathered<'a, C: Copying> {
    geometry: &'a Geometry,
    x: &'a [u8],
    windows: Range<usize>,
    channels: Range<usize>,
    zero: C::Cell,
    stride: usize,
    cells: &'a mut [C::Cell],
}

impl<C: Copying> Plain for Gathered<'_, C> {
    type Made = ();

    #[inline(always)]
    fn run(self) {
        let zero = (self.zero, self.stride);
        self.geometry.gather::<C>(self.x, self.windows, self.channels, zero, self.cells);
    }
}

impl Product {
    /// `weights[output][tap][channel of the group]`, of 16 bits at most. `is_narrow`: sums are proven to fit 32 bits.
    pub(super) fn new(
        machine: Machine,
        (x, y, others): (Slot, Slot, Option<Slot>),
        sides: Sides,
        (width, zero): (Width, i64),
        (weights, is_narrow): (&[i16], bool),
        ending: Ending,
    ) -> Product {
        let n_inner = sides.geometry.n_taps() * (sides.geometry.channels / sides.groups.max(1));
        let (n_outputs, per_group) = (sides.groups * sides.per_group, sides.per_group);
        let word = |output: usize, inner: usize| weights[output * n_inner + inner];
        let byte = |output: usize, inner: usize| word(output, inner) as i8;
        let fits_byte = weights.iter().all(|&w| i8::try_from(w).is_ok());
        let weights = match (width, machine.isa()) {
            _ if !is_narrow => Weights::WidePairs(Panels::pack(n_outputs, per_group, n_inner, PAIR, word)),
            (Width::Byte, Isa::Scalar | Isa::Avx512Vnni) if fits_byte => {
                Weights::Quads(Panels::pack(n_outputs, per_group, n_inner, QUAD, byte))
            }
            _ if fits_byte => Weights::NarrowPairs(Panels::pack(n_outputs, per_group, n_inner, PAIR, byte)),
            _ => Weights::Pairs(Panels::pack(n_outputs, per_group, n_inner, PAIR, word)),
        };
        Product { x, y, others, sides, width, zero, weights, ending }
    }

    /// Cells of a row, and rows of a tile.
    fn tile(&self) -> (usize, usize) {
        let (row, bytes) = match &self.weights {
            Weights::Quads(panels) => (panels.row(), 1),
            Weights::NarrowPairs(panels) => (panels.row(), 2),
            Weights::Pairs(panels) | Weights::WidePairs(panels) => (panels.row(), 2),
        };
        let some = TILE_BYTES / (row * bytes).max(1) / ROWS * ROWS;
        (row, some.max(ROWS).min(self.sides.geometry.n_windows().max(1)))
    }

    pub(super) fn need(&self) -> Need {
        let (row, n) = self.tile();
        match self.weights {
            Weights::Quads(_) => Need { bytes: row.saturating_mul(n), ..Need::default() },
            _ => Need { words: row.saturating_mul(n), ..Need::default() },
        }
    }

    /// The layout of weights, and what follows the product.
    pub(super) fn names(&self) -> (&'static str, Option<&'static str>) {
        let engine = match self.weights {
            Weights::Quads(_) => "product of quads",
            Weights::NarrowPairs(_) => "product of narrow pairs",
            Weights::Pairs(_) => "product of pairs",
            Weights::WidePairs(_) => "product of pairs in 64 bits",
        };
        (engine, self.ending.tail_name())
    }

    /// Bytes of weights in panels.
    pub(super) fn n_bytes(&self) -> usize {
        match &self.weights {
            Weights::Quads(panels) | Weights::NarrowPairs(panels) => panels.n_bytes(),
            Weights::Pairs(panels) | Weights::WidePairs(panels) => panels.n_bytes(),
        }
    }

    pub(super) fn run(&self, run: &mut Run<'_>) {
        let (others, out) = run.rooms.apart(run.memory, self.y);
        let x = others.get(self.x);
        let added = self.others.map_or(&[][..], |slot| others.get(slot));
        let (machine, scratch) = (run.machine, &mut *run.scratch);
        match (&self.weights, self.width) {
            (Weights::Quads(panels), _) => {
                let kernel = |rows: Rows<'_, u8>, span: Span, sink: &mut Sink<'_>| {
                    quads(machine, rows, (panels, span), (&self.ending, sink));
                };
                let sides = &self.sides;
                if sides.geometry.is_plain() && sides.groups == 1 && sides.geometry.channels == panels.row() {
                    self.in_place(x, (out, added), kernel);
                } else {
                    self.tiles::<Bytes>(
                        machine,
                        x,
                        (out, added),
                        &mut scratch.bytes,
                        self.zero as u8,
                        kernel,
                    );
                }
            }
            (Weights::NarrowPairs(panels), width) => {
                let kernel = |rows: Rows<'_, i16>, span: Span, sink: &mut Sink<'_>| {
                    narrow_pairs(machine, rows, (panels, span), (&self.ending, sink));
                };
                self.words(width, machine, x, (out, added), &mut scratch.words, kernel);
            }
            (Weights::Pairs(panels), width) => {
                let kernel = |rows: Rows<'_, i16>, span: Span, sink: &mut Sink<'_>| {
                    pairs(machine, rows, (panels, span), (&self.ending, sink));
                };
                self.words(width, machine, x, (out, added), &mut scratch.words, kernel);
            }
            (Weights::WidePairs(panels), width) => {
                let kernel = |rows: Rows<'_, i16>, span: Span, sink: &mut Sink<'_>| {
                    wide_pairs(rows, (panels, span), (&self.ending, sink));
                };
                self.words(width, machine, x, (out, added), &mut scratch.words, kernel);
            }
        }
    }

    fn words(
        &self,
        width: Width,
        machine: Machine,
        x: &[u8],
        out: (&mut [u8], &[u8]),
        rows: &mut [i16],
        kernel: impl Fn(Rows<'_, i16>, Span, &mut Sink<'_>),
    ) {
        match width {
            Width::Byte => self.tiles::<Widened>(machine, x, out, rows, self.zero as i16, kernel),
            Width::Word => self.tiles::<Words>(machine, x, out, rows, self.zero as i16, kernel),
        }
    }

    /// Calls with the tiles of windows of all images.
    fn each_tile(&self, mut f: impl FnMut(usize, Range<usize>)) {
        let (n_windows, (_, n)) = (self.sides.geometry.n_windows(), self.tile());
        for image in 0..self.sides.images {
            for from in (0..n_windows).step_by(n) {
                f(image, from..(from + n).min(n_windows));
            }
        }
    }

    fn sink<'a>(&self, out: &'a mut [u8], others: &'a [u8], row: usize, group: usize) -> Sink<'a> {
        let stride = self.sides.groups * self.sides.per_group;
        let first = row * stride + group * self.sides.per_group;
        let first_panel = group * self.panels_of_group();
        Sink { out, others, first, stride, n_outputs: self.sides.per_group, first_panel }
    }

    fn panels_of_group(&self) -> usize {
        self.sides.per_group.div_ceil(LANES)
    }

    /// Rows that stand side by side already.
    fn in_place(
        &self,
        x: &[u8],
        (out, others): (&mut [u8], &[u8]),
        kernel: impl Fn(Rows<'_, u8>, Span, &mut Sink<'_>),
    ) {
        let (channels, n_pixels) = (self.sides.geometry.channels, self.sides.geometry.n_pixels());
        let span = Span { first: 0, n: self.panels_of_group() };
        self.each_tile(|image, windows| {
            let row = image * n_pixels + windows.start;
            let cells = &x[row * channels..(row + windows.len()) * channels];
            let rows = Rows { cells, stride: channels, n: windows.len() };
            kernel(rows, span, &mut self.sink(out, others, row, 0));
        });
    }

    /// Rows that are gathered.
    fn tiles<C: Copying>(
        &self,
        machine: Machine,
        x: &[u8],
        (out, others): (&mut [u8], &[u8]),
        rows: &mut [C::Cell],
        zero: C::Cell,
        kernel: impl Fn(Rows<'_, C::Cell>, Span, &mut Sink<'_>),
    ) {
        let Sides { geometry, groups, .. } = &self.sides;
        let (stride, _) = self.tile();
        let image_bytes = geometry.n_pixels() * geometry.channels * C::BYTES;
        let each = geometry.channels / groups.max(&1);
        self.each_tile(|image, windows| {
            let x = &x[image * image_bytes..(image + 1) * image_bytes];
            let (first, n) = (image * geometry.n_windows() + windows.start, windows.len());
            for group in 0..*groups {
                let cells = &mut rows[..n * stride];
                let channels = group * each..(group + 1) * each;
                let windows = windows.clone();
                machine.run(Gathered::<C> {
                    geometry,
                    x,
                    windows,
                    channels,
                    zero,
                    stride,
                    cells: &mut *cells,
                });
                let span = Span { first: group * self.panels_of_group(), n: self.panels_of_group() };
                let rows = Rows { cells, stride, n };
                kernel(rows, span, &mut self.sink(out, others, first, group));
            }
        });
    }
}
