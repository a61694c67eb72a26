//! Elements at regular steps: axes in another order, ranges of axes, parts of one.

use super::planner::{Layout, Planner};
use super::rooms::Slot;
use super::step::{Run, Step};
use crate::error::Error;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::tensor::{Slice, Split, Transpose};
use ir::{DType, Node, TensorData, ValueIdx};

/// Most axes of a view, those that step alike made one.
const MAX_RANK: usize = 8;

/// Elements of a value at regular steps.
#[derive(Clone, Debug)]
pub(super) struct View {
    x: Slot,
    y: Slot,
    /// Length and step of each axis, at most [`MAX_RANK`]; the last first.
    axes: Vec<(usize, isize)>,
    from: usize,
    bytes: usize,
}

impl View {
    pub(super) fn run(&self, run: &mut Run<'_>) {
        let (others, out) = run.rooms.apart(run.memory, self.y);
        let x = others.get(self.x);
        match self.bytes {
            1 => self.copied::<1>(x, out),
            2 => self.copied::<2>(x, out),
            4 => self.copied::<4>(x, out),
            _ => self.copied::<8>(x, out),
        }
    }

    fn copied<const B: usize>(&self, x: &[u8], out: &mut [u8]) {
        let (x, _) = x.as_chunks::<B>();
        let (out, _) = out.as_chunks_mut::<B>();
        let Some((&(n, step), outer)) = self.axes.split_first() else { return };
        let (mut index, mut at) = ([0usize; MAX_RANK], self.from as isize);
        for out in out.chunks_exact_mut(n.max(1)) {
            if step == 1 {
                out.copy_from_slice(&x[at as usize..at as usize + n]);
            } else {
                out.iter_mut().enumerate().for_each(|(i, out)| *out = x[(at + i as isize * step) as usize]);
            }
            for (index, &(length, step)) in index.iter_mut().zip(outer) {
                *index += 1;
                at += step;
                if *index < length {
                    break;
                }
                at -= step * length as isize;
                *index = 0;
            }
        }
    }
}

/// Steps between neighbours along each axis.
fn strides(dims: &[usize]) -> Vec<isize> {
    let mut steps = vec![1isize; dims.len()];
    for axis in (1..dims.len()).rev() {
        steps[axis - 1] = steps[axis] * dims[axis] as isize;
    }
    steps
}

/// Axes of an output with the steps of each over the input, the last first; axes that go on as one are one.
fn merged(lengths: &[usize], steps: &[isize]) -> Vec<(usize, isize)> {
    let mut axes: Vec<(usize, isize)> = vec![];
    for (&n, &step) in lengths.iter().zip(steps).rev().filter(|(n, _)| **n != 1) {
        match axes.last_mut() {
            Some((length, last)) if *last * *length as isize == step => *length *= n,
            _ => axes.push((n, step)),
        }
    }
    if axes.is_empty() {
        axes.push((1, 1));
    }
    axes
}

impl Planner<'_> {
    fn view(&mut self, (x, y): (ValueIdx, ValueIdx), steps: &[isize], from: usize) -> Result<bool, Error> {
        let axes = merged(self.dims(y), steps);
        let dtype = self.dtype(x);
        if axes.len() > MAX_RANK || matches!(dtype, DType::Str | DType::Bag) {
            return Ok(false);
        }
        let x = self.slot(x, Layout::First)?;
        let y = self.make(y, Layout::First)?;
        self.steps.push(Step::View(View { x, y, axes, from, bytes: dtype.bytes() }));
        Ok(true)
    }

    pub(super) fn transpose(&mut self, node: &Node, op: &Transpose) -> Result<bool, Error> {
        let (x, y) = (node.inputs[0], node.outputs[0]);
        let own = strides(self.dims(x));
        let steps: Option<Vec<isize>> = match &op.order {
            None => Some(own.into_iter().rev().collect()),
            Some(order) => order.iter().map(|&at| own.get(at).copied()).collect(),
        };
        steps.map_or(Ok(false), |steps| self.view((x, y), &steps, 0))
    }

    /// Whole numbers of a constant input.
    fn ints(&self, node: &Node, at: usize) -> Option<Vec<i64>> {
        match self.known.constant(*node.inputs.get(at)?)?.data() {
            TensorData::I64(v) => Some(v.clone()),
            TensorData::I32(v) => Some(v.iter().map(|&x| x.into()).collect()),
            _ => None,
        }
    }

    pub(super) fn slice(&mut self, node: &Node, op: &Slice) -> Result<bool, Error> {
        let (x, y) = (node.inputs[0], node.outputs[0]);
        let (starts, ends) = (self.ints(node, 1), self.ints(node, 2));
        let axes = if op.has_axes { self.ints(node, 3) } else { None };
        let steps = if op.has_steps { self.ints(node, 3 + usize::from(op.has_axes)) } else { None };
        let (Some(starts), Some(ends)) = (starts, ends) else { return Ok(false) };
        if axes.is_some() != op.has_axes || steps.is_some() != op.has_steps {
            return Ok(false);
        }
        let ranges = op.ranges(self.dims(x), &starts, &ends, axes.as_deref(), steps.as_deref());
        let Ok(ranges) = ranges else { return Ok(false) };
        let own = strides(self.dims(x));
        let from = ranges.iter().zip(&own).map(|(&(start, ..), &step)| start * step as usize).sum();
        let steps: Vec<isize> =
            ranges.iter().zip(&own).map(|(&(_, step, _), &own)| own.saturating_mul(step as isize)).collect();
        self.view((x, y), &steps, from)
    }

    pub(super) fn split(&mut self, node: &Node, op: &Split) -> Result<bool, Error> {
        let x = node.inputs[0];
        let dims = self.dims(x);
        let axis = if op.axis < 0 { op.axis + dims.len() as i64 } else { op.axis } as usize;
        let own = strides(dims);
        let Some(&step) = own.get(axis) else { return Ok(false) };
        if matches!(self.dtype(x), DType::Str | DType::Bag) || dims.len() > MAX_RANK {
            return Ok(false);
        }
        let mut from = 0;
        for &y in &node.outputs {
            self.view((x, y), &own, from * step as usize)?;
            from += self.dims(y).get(axis).copied().unwrap_or(0);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_that_go_on_are_one() {
        for (lengths, steps, expected) in [
            (&[2, 3, 4][..], &[12, 4, 1][..], &[(24, 1)][..]),
            (&[2, 3, 4], &[24, 8, 2], &[(24, 2)]),
            (&[4, 2, 3], &[1, 12, 4], &[(6, 4), (4, 1)]),
            (&[1, 5, 1], &[7, 7, 7], &[(5, 7)]),
            (&[2, 3], &[3, -1], &[(3, -1), (2, 3)]),
            (&[], &[], &[(1, 1)]),
        ] {
            assert_eq!(merged(lengths, steps), expected, "{lengths:?} {steps:?}");
        }
    }
}
