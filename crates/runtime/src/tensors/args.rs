//! What an operator is given when it runs, and what it may take.

use super::{Limits, See, describe};
use crate::error::{Error, Kind};
use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use ir::{DType, Node, Shape, Tensor, TensorData};

/// Memory and steps that are left.
pub(crate) struct Meter {
    limits: Limits,
    live: usize,
    pub(super) steps: u64,
}

/// Largest product of the lengths other than 0 of a tensor without elements: it takes no memory, but loops run over
/// its lengths.
const MAX_EMPTY: u128 = 1 << 26;

/// Bytes of the elements of a tensor.
pub(super) fn bytes(tensor: &Tensor) -> usize {
    let texts = match tensor.data() {
        TensorData::Str(v) => v.iter().map(String::len).sum(),
        _ => 0,
    };
    tensor.data().len().saturating_mul(tensor.dtype().bytes()).saturating_add(texts)
}

impl Meter {
    pub(crate) fn new(limits: Limits) -> Meter {
        Meter { limits, live: 0, steps: 0 }
    }

    pub(crate) fn take(&mut self, tensor: &Tensor) {
        self.live = self.live.saturating_add(bytes(tensor));
    }

    pub(super) fn give_back(&mut self, tensor: &Tensor) {
        self.release(bytes(tensor));
    }

    pub(super) fn release(&mut self, bytes: usize) {
        self.live = self.live.saturating_sub(bytes);
    }
}

/// The inputs of a node and what it must make of them.
pub(super) struct Args<'t, 'm> {
    node: &'t Node,
    op: &'static str,
    tensors: Vec<Cow<'t, Tensor>>,
    made: Vec<(DType, Shape)>,
    pub(super) meter: &'m mut Meter,
    /// Who looks at values of graphs inside the node.
    pub(super) inside: Option<&'m mut See<'m>>,
}

impl<'t, 'm> Args<'t, 'm> {
    /// Counts what is made before any of it is.
    pub(super) fn new(
        node: &'t Node,
        tensors: Vec<Cow<'t, Tensor>>,
        made: Vec<(DType, Shape)>,
        (meter, inside): (&'m mut Meter, Option<&'m mut See<'_>>),
    ) -> Result<Args<'t, 'm>, Error> {
        // What is lent for long is lent for short.
        let inside = inside.map(|see| -> &'m mut See<'m> { see });
        let args = Args { node, op: node.op.payload().name(), tensors, made, meter, inside };
        for tensor in args.tensors.iter().filter(|t| t.data().is_empty()) {
            args.room(tensor.dtype(), tensor.dims())?;
        }
        let mut needed = 0u128;
        for (dtype, shape) in &args.made {
            if let Some(dims) = shape.lengths() {
                needed = needed.saturating_add(args.room(*dtype, &dims)?);
            }
        }
        args.allow(needed)?;
        Ok(args)
    }

    /// Number of inputs.
    pub(super) fn n(&self) -> usize {
        self.tensors.len()
    }

    /// An input; past the last one the error of a node that has too few.
    pub(super) fn tensor(&self, at: usize) -> Result<&Tensor, Error> {
        self.tensors.get(at).map(|t| &**t).ok_or_else(|| self.fail("inputs", &(at + 1), &self.n()))
    }

    pub(super) fn data(&self, at: usize) -> Result<&TensorData, Error> {
        Ok(self.tensor(at)?.data())
    }

    pub(super) fn dims(&self, at: usize) -> Result<&[usize], Error> {
        Ok(self.tensor(at)?.dims())
    }

    /// An input, to be changed in place if nobody else needs it.
    pub(super) fn take(&mut self, at: usize) -> Tensor {
        let empty = || Tensor::vector(TensorData::Bool(Vec::new()));
        match self.tensors.get_mut(at) {
            Some(tensor) => core::mem::replace(tensor, Cow::Owned(empty())).into_owned(),
            None => empty(),
        }
    }

    /// True for an input that nobody else needs.
    pub(super) fn is_own(&self, at: usize) -> bool {
        matches!(self.tensors.get(at), Some(Cow::Owned(_)))
    }

    /// All inputs from one on, taken out.
    pub(super) fn take_from(&mut self, at: usize) -> Vec<Cow<'t, Tensor>> {
        self.tensors.split_off(at.min(self.tensors.len()))
    }

    pub(super) fn made_dtype(&self, at: usize) -> DType {
        self.made.get(at).map_or(DType::F32, |(dtype, _)| *dtype)
    }

    pub(super) fn n_made(&self) -> usize {
        self.made.len()
    }

    /// Lengths of an output, where they do not hang on the elements of inputs.
    pub(super) fn made_dims(&self, at: usize) -> Result<Vec<usize>, Error> {
        let shape = self.made.get(at).map(|(_, shape)| shape);
        shape.and_then(Shape::lengths).ok_or_else(|| self.fail("outputs", &"known lengths", &"unknown ones"))
    }

    /// An output of the lengths that were expected.
    pub(super) fn finish(&self, at: usize, data: TensorData) -> Result<Tensor, Error> {
        let dims = self.made_dims(at)?;
        self.tensor_of(dims, data)
    }

    pub(super) fn tensor_of(&self, dims: Vec<usize>, data: TensorData) -> Result<Tensor, Error> {
        let got = describe(data.dtype(), &[data.len()]);
        let expected = alloc::format!("elements for {dims:?}");
        Tensor::try_new(dims, data).ok_or_else(|| self.fail("output", &expected, &got))
    }

    /// A list with the only output.
    pub(super) fn only(&self, data: TensorData) -> Result<Vec<Tensor>, Error> {
        Ok(vec![self.finish(0, data)?])
    }

    /// The error of data that does not fit.
    pub(super) fn fail(&self, what: &str, expected: &dyn ToString, got: &dyn ToString) -> Error {
        let (what, expected, got) = (what.to_string(), expected.to_string(), got.to_string());
        Kind::Node { node: self.node.name.clone(), op: self.op, what, expected, got }.into()
    }

    /// The error of an input whose dtype this operator is not computed for.
    pub(super) fn refuse(&self, at: usize) -> Error {
        let got = self.tensors.get(at).map_or("none".into(), |t| describe(t.dtype(), t.dims()));
        self.fail("input", &"a dtype that this operator is computed for", &got)
    }

    /// Whole numbers of an input.
    pub(super) fn ints(&self, at: usize) -> Result<Vec<i64>, Error> {
        match self.data(at)? {
            TensorData::I64(v) => Ok(v.clone()),
            TensorData::I32(v) => Ok(v.iter().map(|&x| x.into()).collect()),
            _ => Err(self.refuse(at)),
        }
    }

    /// The one whole number of an input.
    pub(super) fn int(&self, at: usize) -> Result<i64, Error> {
        self.ints(at)?.first().copied().ok_or_else(|| self.refuse(at))
    }

    /// An axis counted from the end if it is negative.
    pub(super) fn axis(&self, axis: i64, rank: usize) -> Result<usize, Error> {
        let at = if axis < 0 { axis.checked_add_unsigned(rank as u64) } else { Some(axis) };
        let at = at.and_then(|at| usize::try_from(at).ok()).filter(|&at| at < rank);
        at.ok_or_else(|| self.fail("axis", &alloc::format!("one of {rank} axes"), &axis))
    }

    /// A place counted from the end if it is negative.
    pub(super) fn place(&self, index: i64, length: usize) -> Result<usize, Error> {
        let at = if index < 0 { index.checked_add_unsigned(length as u64) } else { Some(index) };
        let at = at.and_then(|at| usize::try_from(at).ok()).filter(|&at| at < length);
        at.ok_or_else(|| self.fail("indices", &alloc::format!("places on an axis of {length}"), &index))
    }

    /// Bytes of a tensor; an error where they cannot be counted.
    pub(super) fn room(&self, dtype: DType, dims: &[usize]) -> Result<u128, Error> {
        let filled = dims.iter().filter(|d| **d != 0);
        let n = filled.copied().try_fold(1u128, |n, d| n.checked_mul(d as u128));
        let n = n.ok_or_else(|| self.too_large(0))?;
        if dims.contains(&0) {
            return if n > MAX_EMPTY { Err(self.too_large(0)) } else { Ok(0) };
        }
        n.checked_mul(dtype.bytes() as u128).ok_or_else(|| self.too_large(0))
    }

    /// Refuses to take more bytes than are left; asked before memory is taken.
    pub(super) fn allow(&self, needed: u128) -> Result<(), Error> {
        let left = self.meter.limits.bytes.saturating_sub(self.meter.live);
        if needed > left as u128 { Err(self.too_large(needed)) } else { Ok(()) }
    }

    /// Refuses a tensor of these lengths that does not fit in what is left.
    pub(super) fn allow_tensor(&self, dtype: DType, dims: &[usize]) -> Result<(), Error> {
        self.allow(self.room(dtype, dims)?)
    }

    /// Refuses so many integers of fewer than 64 bits where they do not fit as those of 64.
    pub(super) fn allow_widened(&self, dtype: DType, n: usize) -> Result<(), Error> {
        let takes_room = dtype.whole_range().is_some() && dtype.bytes() < 8;
        if takes_room { self.allow_tensor(DType::I64, &[n]) } else { Ok(()) }
    }

    fn too_large(&self, needed: u128) -> Error {
        let limit = self.meter.limits.bytes.saturating_sub(self.meter.live);
        Kind::Memory { node: self.node.name.clone(), op: self.op, needed, limit }.into()
    }

    /// Counts a step of a loop.
    pub(super) fn count_step(&mut self) -> Result<(), Error> {
        let limit = self.meter.limits.steps;
        self.meter.steps = self.meter.steps.saturating_add(1);
        if self.meter.steps > limit {
            return Err(Kind::Steps { node: self.node.name.clone(), op: self.op, limit }.into());
        }
        Ok(())
    }
}
