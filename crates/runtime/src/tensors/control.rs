//! Graphs inside nodes.

use super::args::Args;
use super::each::{around, moved, strided, strides};
use super::{Watch, execute};
use crate::error::Error;
use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::tensor::{If, Loop, Scan};
use ir::{Graph, Tensor, TensorData};

/// Outputs of a graph inside, which takes its memory and steps from the run around it.
fn inside(graph: &Graph, given: Vec<Tensor>, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    given.iter().for_each(|t| args.meter.take(t));
    let watch = args.inside.as_deref_mut().map_or(Watch::None, |see| Watch::All(see));
    let outputs = execute(graph, given.into_iter().map(Cow::Owned).collect(), args.meter, watch)?;
    outputs.iter().for_each(|t| args.meter.give_back(t));
    Ok(outputs)
}

fn truth(tensor: &Tensor) -> Option<bool> {
    match tensor.data() {
        TensorData::Bool(v) => v.first().copied(),
        _ => None,
    }
}

pub(super) fn if_else(op: &If, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let holds = truth(args.tensor(0)?).ok_or_else(|| args.refuse(0))?;
    let given = args.take_from(1).into_iter().map(Cow::into_owned).collect();
    inside(if holds { &op.then_branch } else { &op.else_branch }, given, args)
}

/// Slices of one collected value, joined when the loop ends.
struct Collected {
    slices: Vec<Tensor>,
}

impl Collected {
    /// Checks a slice against those before it, and counts it.
    fn push(&mut self, slice: Tensor, args: &mut Args<'_, '_>) -> Result<(), Error> {
        if let Some(first) = self.slices.first()
            && (first.dims() != slice.dims() || first.dtype() != slice.dtype())
        {
            let got = super::describe(slice.dtype(), slice.dims());
            return Err(args.fail("a collected value", &super::describe(first.dtype(), first.dims()), &got));
        }
        args.allow_tensor(slice.dtype(), slice.dims())?;
        args.meter.take(&slice);
        self.slices.push(slice);
        Ok(())
    }

    /// All slices along a new axis; without any, an empty tensor like the graph's own output.
    fn join(self, graph: &Graph, output: usize, axis: i64, args: &mut Args<'_, '_>) -> Result<Tensor, Error> {
        self.slices.iter().for_each(|t| args.meter.give_back(t));
        let Some(first) = self.slices.first() else {
            let value = graph.outputs().get(output).map(|&idx| graph.value(idx));
            let dtype = value.map_or(ir::DType::F32, |v| v.dtype);
            let axes = value.and_then(|v| v.shape.axes()).unwrap_or_default();
            let inner = axes.iter().map(|axis| if let ir::Dim::Fixed(n) = axis { *n } else { 0 });
            let dims = core::iter::once(0).chain(inner).collect();
            return args.tensor_of(dims, super::casts::none(dtype));
        };
        let own = first.dims();
        let axis = args.axis(axis, own.len() + 1)?;
        let outer: usize = own[..axis].iter().product();
        let inner: usize = own[axis..].iter().product();
        let mut dims = own.to_vec();
        dims.insert(axis, self.slices.len());
        args.allow_tensor(first.dtype(), &dims)?;
        let made = joined(&self.slices, outer, inner).ok_or_else(|| args.refuse(0))?;
        args.tensor_of(dims, made)
    }
}

/// Blocks of each slice, one after the other.
fn joined(slices: &[Tensor], outer: usize, inner: usize) -> Option<TensorData> {
    let steps = [inner as isize, (outer * inner) as isize, 1];
    let mut all: Option<Tensor> = None;
    for slice in slices {
        let part = Tensor::vector(slice.data().clone());
        all = Some(match all {
            None => part,
            Some(all) => all.below(part)?,
        });
    }
    let dims = [outer, slices.len(), inner];
    let all = all?;
    if outer <= 1 {
        return Some(all.into_data());
    }
    Some(moved!(all.data(), v => strided(v, &dims, &steps, 0)))
}

pub(super) fn repeat(op: &Loop, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let limit = if op.has_limit { Some(args.int(0)?) } else { None };
    let mut goes_on = match op.has_condition {
        true => {
            let at = usize::from(op.has_limit);
            truth(args.tensor(at)?).ok_or_else(|| args.refuse(at))?
        }
        false => true,
    };
    let mut carried: Vec<Tensor> = args.take_from(op.n_leading()).into_iter().map(Cow::into_owned).collect();
    let captured = carried.split_off(op.n_carried.min(carried.len()));
    let n_collected = op.body.outputs().len().saturating_sub(op.n_carried + 1);
    let mut collected: Vec<Collected> = (0..n_collected).map(|_| Collected { slices: Vec::new() }).collect();
    let mut step = 0i64;
    while goes_on && limit.is_none_or(|limit| step < limit) {
        args.count_step()?;
        let scalar = |data| Tensor::scalar(data).ok_or_else(|| args.refuse(0));
        let mut given = vec![scalar(TensorData::I64(vec![step]))?, scalar(TensorData::Bool(vec![true]))?];
        given.append(&mut carried);
        given.extend(captured.iter().cloned());
        let mut outputs = inside(&op.body, given, args)?.into_iter();
        goes_on = outputs.next().as_ref().and_then(truth).unwrap_or(false);
        carried = outputs.by_ref().take(op.n_carried).collect();
        for (all, slice) in collected.iter_mut().zip(outputs) {
            all.push(slice, args)?;
        }
        step += 1;
    }
    let mut made = carried;
    for (at, all) in collected.into_iter().enumerate() {
        made.push(all.join(&op.body, 1 + op.n_carried + at, 0, args)?);
    }
    Ok(made)
}

pub(super) fn scan(op: &Scan, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let all: Vec<Tensor> = args.take_from(0).into_iter().map(Cow::into_owned).collect();
    let (states, rest) = all.split_at(op.n_states);
    let (scanned, captured) = rest.split_at(op.scanned.len());
    let mut states = states.to_vec();
    let mut axes = Vec::with_capacity(scanned.len());
    for (tensor, scan) in scanned.iter().zip(&op.scanned) {
        axes.push(args.axis(scan.axis, tensor.dims().len())?);
    }
    let n_steps = scanned.first().zip(axes.first()).map_or(0, |(t, &axis)| t.dims()[axis]);
    let mut collected: Vec<Collected> =
        op.collected.iter().map(|_| Collected { slices: Vec::new() }).collect();
    for step in 0..n_steps {
        args.count_step()?;
        let mut given = core::mem::take(&mut states);
        for ((tensor, &axis), scan) in scanned.iter().zip(&axes).zip(&op.scanned) {
            let at = if scan.reverse { n_steps - 1 - step } else { step };
            given.push(slice(tensor, axis, at).ok_or_else(|| args.refuse(0))?);
        }
        given.extend(captured.iter().cloned());
        let mut outputs = inside(&op.body, given, args)?.into_iter();
        states = outputs.by_ref().take(op.n_states).collect();
        for (all, slice) in collected.iter_mut().zip(outputs) {
            all.push(slice, args)?;
        }
    }
    let mut made = states;
    for ((at, mut all), scan) in collected.into_iter().enumerate().zip(&op.collected) {
        if scan.reverse {
            all.slices.reverse();
        }
        made.push(all.join(&op.body, op.n_states + at, scan.axis, args)?);
    }
    Ok(made)
}

/// One slice of a tensor.
fn slice(tensor: &Tensor, axis: usize, at: usize) -> Option<Tensor> {
    let dims = tensor.dims();
    let (_, length, inner) = around(dims, axis);
    let from = at.min(length.saturating_sub(1)) * inner;
    let mut own: Vec<isize> = strides(dims).into_iter().map(|s| s as isize).collect();
    let mut made = dims.to_vec();
    own.remove(axis);
    made.remove(axis);
    let data = moved!(tensor.data(), v => strided(v, &made, &own, from as isize));
    Tensor::try_new(made, data)
}
