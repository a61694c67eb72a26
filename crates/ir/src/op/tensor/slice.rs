//! `Slice`: ranges of axes.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, axes_of, flag, ints, misfit, one, whole};
use crate::op::Attrs;
use crate::{Dim, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "Slice";

/// ONNX's `Slice`. Inputs: any tensor, then `starts`, `ends` and, where they are there, `axes` and `steps`, `i64 [n]`
/// each; starts and ends are negative from the end, and clamped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// `axes` are there; else the first axes are meant.
    pub has_axes: bool,
    /// `steps` are there; else they are 1.
    pub has_steps: bool,
}

/// What is taken of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) start: usize,
    pub(crate) step: i64,
    pub(crate) n: usize,
}

/// What is taken of an axis of a length.
fn taken(length: usize, start: i64, end: i64, step: i64) -> Result<Taken, Error> {
    let whole = i64::try_from(length).unwrap_or(i64::MAX);
    if step == 0 {
        return Err(misfit(NAME, "steps", "other than 0", &step));
    }
    let from_end = |at: i64| if at < 0 { at.saturating_add(whole) } else { at };
    let (first, last) = if step > 0 { (0, whole) } else { (-1, whole - 1) };
    let start = from_end(start).clamp(first.max(0), last.max(0));
    let end = from_end(end).clamp(first, last);
    let distance = if step > 0 { end - start } else { start - end };
    let n = if whole == 0 || distance <= 0 { 0 } else { (distance - 1) as u64 / step.unsigned_abs() + 1 };
    Ok(Taken { start: start as usize, step, n: n as usize })
}

impl Slice {
    /// For each axis the first place, the step and the number of elements.
    ///
    /// # Errors
    /// Lists of different lengths, axes that are none, a step of 0.
    pub fn ranges(
        &self,
        lengths: &[usize],
        starts: &[i64],
        ends: &[i64],
        axes: Option<&[i64]>,
        steps: Option<&[i64]>,
    ) -> Result<Vec<(usize, i64, usize)>, Error> {
        let mut ranges: Vec<_> = lengths.iter().map(|&n| (0, 1, n)).collect();
        for (at, axis) in
            Slice::places(lengths.len(), starts.len(), ends.len(), axes, steps)?.into_iter().enumerate()
        {
            let step = steps.map_or(1, |s| s[at]);
            let taken = taken(lengths[axis], starts[at], ends[at], step)?;
            ranges[axis] = (taken.start, taken.step, taken.n);
        }
        Ok(ranges)
    }

    fn places(
        rank: usize,
        n_starts: usize,
        n_ends: usize,
        axes: Option<&[i64]>,
        steps: Option<&[i64]>,
    ) -> Result<Vec<usize>, Error> {
        let n = n_starts;
        if n_ends != n || axes.is_some_and(|a| a.len() != n) || steps.is_some_and(|s| s.len() != n) {
            return Err(misfit(NAME, "ends, axes and steps", &alloc::format!("{n} each"), &n_ends));
        }
        match axes {
            Some(axes) => axes_of(NAME, axes, rank),
            None if n <= rank => Ok((0..n).collect()),
            None => Err(misfit(NAME, "starts", &alloc::format!("at most {rank}"), &n)),
        }
    }
}

impl Payload for Slice {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("has_axes", flag(self.has_axes)), ("has_steps", flag(self.has_steps))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let n_inputs = 3 + usize::from(self.has_axes) + usize::from(self.has_steps);
        if inputs.len() != n_inputs {
            return Err(misfit(NAME, "inputs", &alloc::format!("{n_inputs}"), &inputs.len()));
        }
        for operand in &inputs[1..] {
            whole(NAME, "starts, ends, axes and steps", operand)?;
        }
        let x = &inputs[0];
        let Some(dims) = x.shape.axes() else { return one(x.dtype, Shape::any()) };
        let axes = if self.has_axes { ints(&inputs[3]).map(Some) } else { Some(None) };
        let steps = if self.has_steps { ints(&inputs[n_inputs - 1]).map(Some) } else { Some(None) };
        let (starts, ends) = (ints(&inputs[1]), ints(&inputs[2]));
        let Some(axes) = axes else { return one(x.dtype, Shape::of_rank(dims.len())) };
        let (Some(starts), Some(ends), Some(steps)) = (starts, ends, steps) else {
            let mut made = dims.to_vec();
            match &axes {
                Some(axes) => {
                    axes_of(NAME, axes, dims.len())?.into_iter().for_each(|a| made[a] = Dim::Unknown)
                }
                None => made.fill(Dim::Unknown),
            }
            return one(x.dtype, Shape(made));
        };
        let mut made = dims.to_vec();
        let places = Slice::places(dims.len(), starts.len(), ends.len(), axes.as_deref(), steps.as_deref())?;
        for (at, axis) in places.into_iter().enumerate() {
            let step = steps.as_ref().map_or(1, |s| s[at]);
            made[axis] = match &dims[axis] {
                Dim::Fixed(n) => Dim::Fixed(taken(*n, starts[at], ends[at], step)?.n),
                other if starts[at] == 0 && ends[at] == i64::MAX && step == 1 => other.clone(),
                _ => Dim::Unknown,
            };
        }
        one(x.dtype, Shape(made))
    }
}

impl Stored for Slice {
    fn parse(name: &str, attrs: &Attrs) -> Found<Slice> {
        (name == NAME).then(|| {
            Ok(Slice { has_axes: attrs.flag(NAME, "has_axes")?, has_steps: attrs.flag(NAME, "has_steps")? })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_numpys() {
        let n = |length, start, end, step| {
            let taken = taken(length, start, end, step).unwrap();
            (taken.start, taken.n)
        };
        assert_eq!(n(5, 1, 4, 1), (1, 3));
        assert_eq!(n(5, -2, i64::MAX, 1), (3, 2));
        assert_eq!(n(5, 4, i64::MIN, -1), (4, 5));
        assert_eq!(n(5, i64::MAX, 0, -2), (4, 2));
        assert_eq!(n(5, 3, 3, 1), (3, 0));
        assert_eq!(n(0, 0, 10, 1), (0, 0));
        assert_eq!(n(20, 0, 7, 3), (0, 3));
        assert!(taken(5, 0, 5, 0).is_err());
    }
}
