//! Windows over an image whose channels stand side by side: which pixels a window sees, and windows as rows.

use alloc::vec::Vec;
use core::ops::Range;
use ir::op::tensor::{Span, Window};

/// A window along each axis of an image `[pixels.., channels]`. A *line* is a row of windows along the last axis.
#[derive(Clone, Debug)]
pub(super) struct Geometry {
    outer: Vec<Span>,
    last: Span,
    pub(super) channels: usize,
}

/// Pixels copied into rows.
pub(super) trait Copying {
    /// What rows hold.
    type Cell: Copy + Default;
    /// Bytes of a stored code.
    const BYTES: usize;
    /// Copies stored codes.
    fn copy(from: &[u8], to: &mut [Self::Cell]);
}

/// Codes of 8 bits as they are.
pub(super) struct Bytes;
/// Codes of 8 bits to 16.
pub(super) struct Widened;
/// Codes of 16 bits as they are.
pub(super) struct Words;

impl Copying for Bytes {
    type Cell = u8;
    const BYTES: usize = 1;

    #[inline(always)]
    fn copy(from: &[u8], to: &mut [u8]) {
        to.copy_from_slice(from);
    }
}

impl Copying for Widened {
    type Cell = i16;
    const BYTES: usize = 1;

    #[inline(always)]
    fn copy(from: &[u8], to: &mut [i16]) {
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = from.into());
    }
}

impl Copying for Words {
    type Cell = i16;
    const BYTES: usize = 2;

    #[inline(always)]
    fn copy(from: &[u8], to: &mut [i16]) {
        to.iter_mut()
            .zip(from.chunks_exact(2))
            .for_each(|(to, from)| *to = i16::from_ne_bytes([from[0], from[1]]));
    }
}

impl Geometry {
    /// Of an image with these axes.
    pub(super) fn try_new(
        window: &Window,
        axes: &[usize],
        kernel: &[usize],
        (ceil, channels): (bool, usize),
    ) -> Result<Option<Geometry>, ir::Error> {
        let mut outer = Vec::with_capacity(axes.len());
        for (axis, (&size, &taps)) in axes.iter().zip(kernel).enumerate() {
            outer.push(window.span("window", (axis, axes.len()), size, taps, ceil)?);
        }
        Ok(outer.pop().map(|last| Geometry { outer, last, channels }))
    }

    /// So many pixels, each a window of its own.
    pub(super) fn plain(n: usize, channels: usize) -> Geometry {
        let last = Span { size: n, taps: 1, stride: 1, dilation: 1, before: 0, after: 0, out: n };
        Geometry { outer: Vec::new(), last, channels }
    }

    /// So many pixels, all of them one window.
    pub(super) fn whole(n: usize, channels: usize) -> Geometry {
        let last = Span { size: n, taps: n, stride: 1, dilation: 1, before: 0, after: 0, out: 1 };
        Geometry { outer: Vec::new(), last, channels }
    }

    fn spans(&self) -> impl Iterator<Item = &Span> {
        self.outer.iter().chain([&self.last])
    }

    /// True if each window is one pixel, in order.
    pub(super) fn is_plain(&self) -> bool {
        self.spans().all(|s| s.taps == 1 && s.stride == 1 && s.before == 0 && s.out == s.size)
    }

    pub(super) fn n_windows(&self) -> usize {
        self.spans().map(|s| s.out).product()
    }

    pub(super) fn n_pixels(&self) -> usize {
        self.spans().map(|s| s.size).product()
    }

    pub(super) fn n_taps(&self) -> usize {
        self.spans().map(|s| s.taps).product()
    }

    /// Pixels before the line that an outer tap of a line of windows sees; none in the pad.
    #[inline]
    fn line_of(&self, mut line: usize, mut tap: usize) -> Option<usize> {
        let (mut place, mut step) = (0, self.last.size);
        for span in self.outer.iter().rev() {
            place += span.place(line % span.out, tap % span.taps)? * step;
            (line, tap) = (line / span.out, tap / span.taps);
            step *= span.size;
        }
        Some(place)
    }

    /// Taps along the last axis that see pixels, and the pixel of the first.
    #[inline]
    fn seen(&self, window: usize) -> (Range<usize>, usize) {
        let Span { size, taps, stride, dilation, before, .. } = self.last;
        let base = window * stride;
        let end = (before + size).saturating_sub(base).div_ceil(dilation).min(taps);
        let first = before.saturating_sub(base).div_ceil(dilation).min(end);
        (first..end, (base + first * dilation).saturating_sub(before))
    }

    /// Calls with the tap and the pixel of all that a window sees.
    #[inline(always)]
    pub(super) fn each(&self, window: usize, mut f: impl FnMut(usize, usize)) {
        let (line, window) = (window / self.last.out.max(1), window % self.last.out.max(1));
        let (taps, first) = self.seen(window);
        for outer in 0..self.outer.iter().map(|s| s.taps).product() {
            if let Some(place) = self.line_of(line, outer) {
                for (i, tap) in taps.clone().enumerate() {
                    f(outer * self.last.taps + tap, place + first + i * self.last.dilation);
                }
            }
        }
    }

    /// The pixels of windows as rows `[tap][channel]` of some channels, `zero` in the pad.
    #[inline(always)]
    pub(super) fn gather<C: Copying>(
        &self,
        image: &[u8],
        windows: Range<usize>,
        channels: Range<usize>,
        (zero, stride): (C::Cell, usize),
        rows: &mut [C::Cell],
    ) {
        let (n, dilation) = (channels.len(), self.last.dilation);
        let per_line = n * self.last.taps;
        let all_channels = n == self.channels;
        for (row, window) in rows.chunks_mut(stride.max(1)).zip(windows) {
            let (line, window) = (window / self.last.out.max(1), window % self.last.out.max(1));
            let (taps, first) = self.seen(window);
            let n_outer = self.outer.iter().map(|s| s.taps).product();
            for (outer, row) in (0..n_outer).zip(row.chunks_exact_mut(per_line.max(1))) {
                let Some(place) = self.line_of(line, outer) else {
                    row.fill(zero);
                    continue;
                };
                row[..taps.start * n].fill(zero);
                row[taps.end * n..].fill(zero);
                let row = &mut row[taps.start * n..taps.end * n];
                let from = (place + first) * self.channels * C::BYTES;
                if all_channels && dilation == 1 {
                    C::copy(&image[from..from + row.len() * C::BYTES], row);
                    continue;
                }
                for (i, row) in row.chunks_exact_mut(n.max(1)).enumerate() {
                    let from = from + (i * dilation * self.channels + channels.start) * C::BYTES;
                    C::copy(&image[from..from + n * C::BYTES], row);
                }
            }
        }
    }
}
