//! Convolutions of one channel each: taps times weights, channel by channel side by side.

use super::geometry::Geometry;
use super::rooms::Slot;
use super::step::{Need, Run};
use crate::kernels::cells::{Cell, Width, of_width};
use crate::kernels::ending::{Ending, Sink};
use crate::kernels::{LANES, Plain};
use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;

/// A convolution with as many groups as channels and outputs. Sums are proven to fit 32 bits.
#[derive(Clone, Debug)]
pub(super) struct Depthwise {
    x: Slot,
    pub(super) y: Slot,
    others: Option<Slot>,
    geometry: Geometry,
    images: usize,
    width: Width,
    zero: i32,
    /// `[panel][tap][LANES]`, the last panel filled with zeros.
    weights: Vec<i16>,
    pub(super) ending: Ending,
}

/// All images of a run.
struct Images<'a, C> {
    step: &'a Depthwise,
    x: &'a [u8],
    out: &'a mut [u8],
    others: &'a [u8],
    taps: &'a mut [(usize, usize)],
    cell: PhantomData<C>,
}

impl<C: Cell> Plain for Images<'_, C> {
    type Made = ();

    #[inline(always)]
    fn run(self) {
        self.step.images_of::<C>(self.x, self.out, self.others, self.taps);
    }
}

impl Depthwise {
    /// `weights[channel][tap]`.
    pub(super) fn new(
        (x, y, others): (Slot, Slot, Option<Slot>),
        (geometry, images): (Geometry, usize),
        (width, zero): (Width, i64),
        weights: &[i16],
        ending: Ending,
    ) -> Depthwise {
        let n_taps = geometry.n_taps();
        let mut packed = vec![0; geometry.channels.div_ceil(LANES) * n_taps * LANES];
        for (at, &weight) in weights.iter().enumerate() {
            let (channel, tap) = (at / n_taps, at % n_taps);
            packed[(channel / LANES * n_taps + tap) * LANES + channel % LANES] = weight;
        }
        Depthwise { x, y, others, geometry, images, width, zero: zero as i32, weights: packed, ending }
    }

    pub(super) fn need(&self) -> Need {
        Need { taps: self.geometry.n_taps(), ..Need::default() }
    }

    pub(super) fn n_bytes(&self) -> usize {
        size_of_val(&self.weights[..])
    }

    pub(super) fn run(&self, run: &mut Run<'_>) {
        let (others, out) = run.rooms.apart(run.memory, self.y);
        let x = others.get(self.x);
        let others = self.others.map_or(&[][..], |slot| others.get(slot));
        let taps = &mut run.scratch.taps;
        of_width!(self.width, C => {
            run.machine.run(Images { step: self, x, out, others, taps, cell: PhantomData::<C> });
        });
    }

    #[inline(always)]
    fn images_of<C: Cell>(&self, x: &[u8], out: &mut [u8], others: &[u8], taps: &mut [(usize, usize)]) {
        let (n_windows, channels) = (self.geometry.n_windows(), self.geometry.channels);
        let image_bytes = self.geometry.n_pixels() * channels * C::WIDTH.bytes();
        for image in 0..self.images {
            let x = &x[image * image_bytes..(image + 1) * image_bytes];
            for window in 0..n_windows {
                let mut n = 0;
                self.geometry.each(window, |tap, pixel| {
                    taps[n] = (tap, pixel);
                    n += 1;
                });
                let first = (image * n_windows + window) * channels;
                let (stride, n_outputs) = (channels, channels);
                let mut sink = Sink { out, others, first, stride, n_outputs, first_panel: 0 };
                self.window::<C>(x, &taps[..n], &mut sink);
            }
        }
    }

    #[inline(always)]
    fn window<C: Cell>(&self, x: &[u8], taps: &[(usize, usize)], sink: &mut Sink<'_>) {
        let (channels, n_taps) = (self.geometry.channels, self.geometry.n_taps());
        for (panel, weights) in self.weights.chunks_exact((n_taps * LANES).max(1)).enumerate() {
            let n = (channels - panel * LANES).min(LANES);
            let first = panel * LANES;
            let sums = if n == LANES {
                self.sums::<C, LANES>(x, taps, weights, first)
            } else {
                self.some_sums::<C>(x, taps, weights, (first, n))
            };
            self.ending.row(sink, 0, panel, &sums);
        }
    }

    /// Sums of all channels of a panel, whose number is known when this is compiled.
    #[inline(always)]
    fn sums<C: Cell, const N: usize>(
        &self,
        x: &[u8],
        taps: &[(usize, usize)],
        weights: &[i16],
        first: usize,
    ) -> [i32; N] {
        let bytes = C::WIDTH.bytes();
        let mut sums = [0i32; N];
        for &(tap, pixel) in taps {
            let from = (pixel * self.geometry.channels + first) * bytes;
            let (cells, weights) = (&x[from..from + N * bytes], &weights[tap * LANES..tap * LANES + N]);
            for i in 0..N {
                let x: i32 = C::get(cells, i).into() - self.zero;
                sums[i] = sums[i].wrapping_add(x.wrapping_mul(weights[i].into()));
            }
        }
        sums
    }

    /// Sums of the first channels of a panel.
    #[inline(always)]
    fn some_sums<C: Cell>(
        &self,
        x: &[u8],
        taps: &[(usize, usize)],
        weights: &[i16],
        (first, n): (usize, usize),
    ) -> [i32; LANES] {
        let mut sums = [0i32; LANES];
        for (i, sum) in sums.iter_mut().enumerate().take(n) {
            [*sum] = self.sums::<C, 1>(x, taps, &weights[i..], first + i);
        }
        sums
    }
}
