//! Windows over the axes of one channel of an image: which element of which window stands where.

use super::each::{Number, strides};
use alloc::vec::Vec;
use core::ops::Range;
use ir::op::tensor::Span;

/// A window along each axis. A *line* is a row of windows along the last axis; a *tap* an element of a window.
pub(super) struct Windows {
    spans: Vec<Span>,
    /// Steps between neighbours along each axis of the image.
    steps: Vec<usize>,
}

impl Windows {
    /// Of at least one axis.
    pub(super) fn new(spans: Vec<Span>) -> Windows {
        let sizes: Vec<usize> = spans.iter().map(|s| s.size).collect();
        Windows { steps: strides(&sizes), spans }
    }

    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }

    pub(super) fn n_windows(&self) -> usize {
        self.spans.iter().map(|s| s.out).product()
    }

    pub(super) fn n_pixels(&self) -> usize {
        self.spans.iter().map(|s| s.size).product()
    }

    pub(super) fn n_taps(&self) -> usize {
        self.spans.iter().map(|s| s.taps).product()
    }

    /// Windows of a line.
    pub(super) fn per_line(&self) -> usize {
        self.spans.last().map_or(1, |s| s.out)
    }

    pub(super) fn n_lines(&self) -> usize {
        self.spans.split_last().map_or(1, |(_, outer)| outer.iter().map(|s| s.out).product())
    }

    /// True if each window is one pixel, in order.
    pub(super) fn is_plain(&self) -> bool {
        self.spans.iter().all(|s| s.taps == 1 && s.stride == 1 && s.before == 0 && s.out == s.size)
    }

    /// Elements of a tap along each axis, last axis last.
    fn elements(&self, mut tap: usize) -> Vec<usize> {
        let mut elements: Vec<usize> = self
            .spans
            .iter()
            .rev()
            .map(|span| {
                let element = tap % span.taps;
                tap /= span.taps;
                element
            })
            .collect();
        elements.reverse();
        elements
    }

    /// Calls for each line in which a tap is not in the pad all along: the line, the windows of it whose tap is a pixel,
    /// the place of the first of these pixels, and the step from one to the next.
    pub(super) fn lines(
        &self,
        lines: Range<usize>,
        tap: usize,
        mut f: impl FnMut(usize, Range<usize>, usize, usize),
    ) {
        let elements = self.elements(tap);
        let Some((last, outer)) = self.spans.split_last() else { return };
        let Some((&element, outer_elements)) = elements.split_last() else { return };
        let offset = element * last.dilation;
        // Windows w with before <= w * stride + offset < before + size.
        let first = last.before.saturating_sub(offset).div_ceil(last.stride);
        let end = (last.before + last.size).saturating_sub(offset).div_ceil(last.stride).min(last.out);
        if first >= end {
            return;
        }
        let at_first = first * last.stride + offset - last.before;
        for line in lines {
            let mut rest = line;
            let mut place = Some(at_first);
            for ((span, &element), &step) in outer.iter().zip(outer_elements).zip(&self.steps).rev() {
                let window = rest % span.out.max(1);
                rest /= span.out.max(1);
                place = place.zip(span.place(window, element)).map(|(place, at)| place + at * step);
            }
            if let Some(place) = place {
                f(line, first..end, place, last.stride);
            }
        }
    }

    /// The pixels of a tap in each window of some lines; 0 in the pad.
    pub(super) fn gather<T: Number>(&self, image: &[T], lines: Range<usize>, tap: usize, out: &mut [T]) {
        let (from, per_line) = (lines.start, self.per_line());
        out.fill(T::default());
        self.lines(lines, tap, |line, windows, place, step| {
            let start = (line - from) * per_line;
            let out = &mut out[start + windows.start..start + windows.end];
            if step == 1 {
                out.copy_from_slice(&image[place..place + out.len()]);
            } else {
                out.iter_mut().enumerate().for_each(|(i, out)| *out = image[place + i * step]);
            }
        });
    }

    /// Adds what stands for a tap in each window of some lines to its pixel.
    pub(super) fn scatter<T: Number>(&self, values: &[T], lines: Range<usize>, tap: usize, image: &mut [T]) {
        let (from, per_line) = (lines.start, self.per_line());
        self.lines(lines, tap, |line, windows, place, step| {
            let start = (line - from) * per_line;
            for (i, &value) in values[start + windows.start..start + windows.end].iter().enumerate() {
                let pixel = &mut image[place + i * step];
                *pixel = pixel.plus(value);
            }
        });
    }
}
