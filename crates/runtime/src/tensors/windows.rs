//! Windows over the axes of one channel of an image: which element of which window stands where.

use super::each::{Number, strides};
use alloc::vec::Vec;
use core::ops::Range;
use ir::op::tensor::Span;

/// Lines of an image, moved across.
struct Shift {
    width: usize,
    /// Lines in the pad before those of the image.
    above: usize,
    n_lines: usize,
    /// Where the first line of the image begins.
    source: usize,
    /// Columns to the right that each pixel comes from.
    across: isize,
}

impl Shift {
    /// Copies all lines as one, then clears what came around from the neighbouring ones.
    fn copy<T: Number>(&self, image: &[T], out: &mut [T]) {
        let (n, skipped) = (self.n_lines * self.width, self.across.unsigned_abs());
        let (above, rest) = out.split_at_mut((self.above * self.width).min(out.len()));
        let (moved, below) = rest.split_at_mut(n.min(rest.len()));
        above.fill(T::default());
        below.fill(T::default());
        let Some(pixels) = image.get(self.source..self.source + moved.len()) else { return };
        if moved.is_empty() {
            return;
        }
        let kept = moved.len() - skipped;
        if self.across < 0 {
            moved[skipped..].copy_from_slice(&pixels[..kept]);
            moved.chunks_exact_mut(self.width).for_each(|line| line[..skipped].fill(T::default()));
        } else {
            moved[..kept].copy_from_slice(&pixels[skipped..]);
            let right = self.width - skipped;
            moved.chunks_exact_mut(self.width).for_each(|line| line[right..].fill(T::default()));
        }
    }
}

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
        if let Some(shift) = self.shift(&lines, tap, image.len()) {
            return shift.copy(image, out);
        }
        let (from, per_line) = (lines.start, self.per_line());
        out.fill(T::default());
        self.lines(lines, tap, |line, windows, place, step| {
            let start = (line - from) * per_line;
            let out = &mut out[start + windows.start..start + windows.end];
            if step == 1 {
                out.copy_from_slice(&image[place..place + out.len()]);
            } else {
                let pixels = image[place..].iter().step_by(step);
                out.iter_mut().zip(pixels).for_each(|(out, &x)| *out = x);
            }
        });
    }

    /// How the lines of a tap are the image moved, where windows are as many as pixels on both axes of a plane and go
    /// by one: whole lines are copied at once then.
    fn shift(&self, lines: &Range<usize>, tap: usize, n_pixels: usize) -> Option<Shift> {
        let [rows, columns] = &self.spans[..] else { return None };
        let is_whole = |span: &Span| span.stride == 1 && span.out == span.size;
        if !is_whole(rows) || !is_whole(columns) || n_pixels != self.n_pixels() {
            return None;
        }
        let signed = |n: usize| isize::try_from(n).ok();
        let by = |span: &Span, element: usize| {
            signed(element.checked_mul(span.dilation)?)?.checked_sub(signed(span.before)?)
        };
        let down = by(rows, tap / columns.taps)?;
        let across = by(columns, tap % columns.taps)?;
        let (height, width) = (signed(rows.size)?, signed(columns.size)?);
        let (first, end) = (signed(lines.start)?, signed(lines.end)?);
        // Lines whose pixels lie on the image.
        let from = first.max(-down).min(end);
        let to = end.min(height - down).max(from);
        (across.abs() < width).then_some(Shift {
            width: columns.size,
            above: usize::try_from(from - first).ok()?,
            n_lines: usize::try_from(to - from).ok()?,
            source: usize::try_from((from + down).max(0)).ok()? * columns.size,
            across,
        })
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
