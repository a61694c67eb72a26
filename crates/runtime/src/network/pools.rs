//! The largest and the mean of each window, channel by channel side by side.

use super::geometry::Geometry;
use super::rooms::Slot;
use super::step::{Need, Run};
use crate::kernels::Plain;
use crate::kernels::cells::{Cell, Width, of_width};
use crate::kernels::ending::Codes;
use core::marker::PhantomData;
use ir::fixed::Requantize;

/// The largest code of each window.
#[derive(Clone, Debug)]
pub(super) struct LargestPool {
    pub(super) x: Slot,
    pub(super) y: Slot,
    pub(super) geometry: Geometry,
    pub(super) width: Width,
}

struct Largest<'a, C> {
    step: &'a LargestPool,
    x: &'a [u8],
    out: &'a mut [u8],
    cell: PhantomData<C>,
}

impl<C: Cell> Plain for Largest<'_, C> {
    type Made = ();

    #[inline(always)]
    fn run(self) {
        self.step.images_of::<C>(self.x, self.out);
    }
}

impl LargestPool {
    pub(super) fn run(&self, run: &mut Run<'_>) {
        let (others, out) = run.rooms.apart(run.memory, self.y);
        let x = others.get(self.x);
        of_width!(self.width, C => run.machine.run(Largest { step: self, x, out, cell: PhantomData::<C> }));
    }

    #[inline(always)]
    fn images_of<C: Cell>(&self, x: &[u8], out: &mut [u8]) {
        let (bytes, channels) = (C::WIDTH.bytes(), self.geometry.channels);
        let (n_windows, image_bytes) =
            (self.geometry.n_windows(), self.geometry.n_pixels() * channels * bytes);
        for (at, out) in out.chunks_exact_mut((channels * bytes).max(1)).enumerate() {
            let x = &x[at / n_windows * image_bytes..][..image_bytes];
            (0..channels).for_each(|c| C::put(out, c, C::LEAST.into()));
            self.geometry.each(at % n_windows, |_, pixel| {
                let pixel = &x[pixel * channels * bytes..(pixel + 1) * channels * bytes];
                C::larger(out, pixel);
            });
        }
    }
}

/// The requantized mean of each window.
#[derive(Clone, Debug)]
pub(super) struct MeanPool {
    pub(super) x: Slot,
    pub(super) y: Slot,
    pub(super) geometry: Geometry,
    pub(super) images: usize,
    pub(super) width: Width,
    pub(super) zero: i64,
    pub(super) count_pads: bool,
    pub(super) pair: Requantize,
    pub(super) codes: Codes,
}

struct Means<'a, C> {
    step: &'a MeanPool,
    x: &'a [u8],
    out: &'a mut [u8],
    sums: &'a mut [i32],
    cell: PhantomData<C>,
}

impl<C: Cell> Plain for Means<'_, C> {
    type Made = ();

    #[inline(always)]
    fn run(self) {
        self.step.images_of::<C>(self.x, self.out, self.sums);
    }
}

impl MeanPool {
    /// Most taps whose sum 32 bits hold, of either width.
    pub(super) const MAX_TAPS: usize = 1 << 15;

    pub(super) fn need(&self) -> Need {
        Need { sums: self.geometry.channels, ..Need::default() }
    }

    pub(super) fn run(&self, run: &mut Run<'_>) {
        let (others, out) = run.rooms.apart(run.memory, self.y);
        let (x, sums) = (others.get(self.x), &mut run.scratch.sums[..self.geometry.channels]);
        of_width!(self.width, C => run.machine.run(Means { step: self, x, out, sums, cell: PhantomData::<C> }));
    }

    #[inline(always)]
    fn images_of<C: Cell>(&self, x: &[u8], out: &mut [u8], sums: &mut [i32]) {
        let (bytes, channels) = (C::WIDTH.bytes(), self.geometry.channels);
        let (n_windows, image_bytes) =
            (self.geometry.n_windows(), self.geometry.n_pixels() * channels * bytes);
        for at in 0..self.images * n_windows {
            let x = &x[at / n_windows * image_bytes..][..image_bytes];
            sums.fill(0);
            let mut n = 0usize;
            self.geometry.each(at % n_windows, |_, pixel| {
                C::add(sums, &x[pixel * channels * bytes..(pixel + 1) * channels * bytes]);
                n += 1;
            });
            let count = if self.count_pads { self.geometry.n_taps() } else { n };
            let zeros = n as i64 * self.zero;
            for (channel, &sum) in sums.iter().enumerate() {
                let code = self.codes.of(self.pair.mean(i64::from(sum) - zeros, count));
                of_width!(self.codes.width, Y => Y::put(out, at * channels + channel, code));
            }
        }
    }
}
