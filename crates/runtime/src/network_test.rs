//! Inputs of a network that a seed regenerates, and proof that this machine computes the network.
//!
//! Inputs are drawn where a network works: pixels through its signature, numbers within the range of the quantizer behind
//! an input, places that a table has; single operations of IEEE 754 only, so that any runtime regenerates the same.
//! A network of integers is proven by the digest of its outputs. Where floats are left, machines may sum products in
//! another order; then elements of the outputs are compared within a bound, which [`Checked::within`] states.

use crate::network::{Isa, Plan};
use crate::selftest::digest;
use crate::tensors::{Limits, run};
use crate::verify::{Checked, Failure, Verdict};
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use ir::digest::SplitMix64;
use ir::fixed::Overflow;
use ir::op::TensorOp;
use ir::op::tensor::Gather;
use ir::{
    DType, Dim, Graph, Kind, Layout, Network, NetworkTest, Op, PixelMap, Shape, Tensor, TensorData, ValueIdx,
};

/// Name of the interpreter among the paths.
const REFERENCE: &str = "reference";

/// Rows of a self-test where a network takes any number.
const N_ROWS: u32 = 2;

/// Lengths that axes of any length are tried with, in order: some networks need room for their windows, others take no
/// more than their table of positions has.
const LENGTHS: [u32; 6] = [16, 1, 32, 64, 128, 224];

/// Most elements of all inputs of a self-test; a hostile file must not ask for more.
const MAX_ELEMENTS: usize = 1 << 26;

/// Elements of an output that the self-test of a network with floats keeps.
const SAMPLES: usize = 16;

/// The outputs of a network with floats may differ by `2^-10` of the largest element: single precision has 24 bits, and
/// sums of some thousand products in another order lose a few of them.
const FLOAT_BOUND: u32 = 10;

/// Where a quantizer stands behind floats, a last bit may move a number by a whole step, which is `2^-8` of its range, and
/// a few such steps may meet: `2^-5`.
const QUANTIZED_BOUND: u32 = 5;

/// What came of the inputs of a self-test.
pub struct Tested {
    /// How to prove it again.
    pub test: NetworkTest,
    /// All outputs.
    pub outputs: Vec<Tensor>,
}

/// The self-test of a network: what comes of the inputs of a seed. None if no lengths are found with which it runs
/// within the limits.
pub fn network_test(network: &Network, seed: u64, limits: Limits) -> Option<Tested> {
    let graph = network.graph();
    let is_open =
        |shape: &Shape| shape.axes().is_none_or(|a| a.iter().skip(1).any(|d| !matches!(d, Dim::Fixed(_))));
    let any_open = graph.inputs().iter().any(|&idx| is_open(&graph.value(idx).shape));
    let lengths = if any_open { &LENGTHS[..] } else { &LENGTHS[1..2] };
    lengths.iter().find_map(|&length| {
        let outputs = run(graph, inputs(network, seed, N_ROWS, length)?, limits).ok()?;
        let samples =
            if network.graph().is_exact() { Vec::new() } else { outputs.iter().flat_map(samples).collect() };
        let test = NetworkTest { seed, n_rows: N_ROWS, length, digest: digest(&outputs), samples };
        Some(Tested { test, outputs })
    })
}

/// Runs every path of this machine on the inputs of the network's self-test and compares with what the file says: the
/// interpreter, then a plan on each instruction set. A path that this machine has not, or that has no plan for the network,
/// is skipped, and so are all for a network without a self-test.
///
/// # Errors
/// The inputs cannot be made, or the network does not run on them within the limits.
pub fn verify_network(network: &Network, limits: Limits) -> Result<Vec<Checked>, Failure> {
    let graph = network.graph();
    let within = if graph.is_exact() { None } else { Some(bound(graph)) };
    let skipped = |path| Checked { path, digest: 0, verdict: Verdict::Skipped, within: None };
    let isas = Isa::ALL.into_iter();
    let Some(test) = &network.self_test else {
        return Ok(core::iter::once(REFERENCE).chain(isas.map(Isa::name)).map(skipped).collect());
    };
    let given = inputs(network, test.seed, test.n_rows, test.length).ok_or_else(|| {
        let what = alloc::format!("a self-test of {} rows and lengths of {}", test.n_rows, test.length);
        ir::Error::from(Kind::Unknown { what })
    })?;
    let judge = |path, outputs: &[Tensor]| {
        let digest = digest(outputs);
        let is_near = || within.is_some_and(|bits| are_near(outputs, &test.samples, bits));
        let verdict = if digest == test.digest || is_near() { Verdict::Ok } else { Verdict::Differs };
        Checked { path, digest, verdict, within }
    };
    let mut checked = alloc::vec![judge(REFERENCE, &run(graph, given.clone(), limits)?)];
    let lengths: Vec<Vec<usize>> = given.iter().map(|(_, tensor)| tensor.dims().to_vec()).collect();
    for isa in isas {
        checked.push(match Plan::with_isa(graph, &lengths, limits, isa) {
            Ok(plan) => judge(isa.name(), &plan.run(given.clone())?),
            Err(_) => skipped(isa.name()),
        });
    }
    Ok(checked)
}

fn bound(graph: &Graph) -> u32 {
    let is_quantizer = |op: &Op| match op {
        Op::Tensor(op) => {
            matches!(**op, TensorOp::QuantizeLinear(_) | TensorOp::DynamicQuantizeLinear(_))
                || matches!(&**op, TensorOp::Recurrent(r) if r.is_quantized())
        }
        _ => false,
    };
    if graph.nodes().iter().any(|n| is_quantizer(&n.op)) { QUANTIZED_BOUND } else { FLOAT_BOUND }
}

/// Elements of an output at equal distances, as doubles; none of text.
fn samples(output: &Tensor) -> Vec<f64> {
    let all = doubles(output.data());
    let n = all.len().min(SAMPLES);
    (0..n).filter_map(|at| all.get(at * all.len() / n).copied()).collect()
}

fn doubles(data: &TensorData) -> Vec<f64> {
    match data {
        TensorData::F32(v) => v.iter().map(|&x| x.into()).collect(),
        TensorData::F64(v) => v.clone(),
        TensorData::Half(half, v) => v.iter().map(|&x| half.to_f32(x).into()).collect(),
        TensorData::Narrow(narrow, v) => v.iter().map(|&x| narrow.to_f32(x).into()).collect(),
        TensorData::Bool(v) => v.iter().map(|&x| f64::from(u8::from(x))).collect(),
        other => other.whole_numbers().unwrap_or_default().into_iter().map(|x| x as f64).collect(),
    }
}

/// True if all samples are those of the file, but for `2^-bits` of the largest of their output.
fn are_near(outputs: &[Tensor], expected: &[f64], bits: u32) -> bool {
    let mut expected = expected;
    for output in outputs {
        let got = samples(output);
        let Some((want, rest)) = expected.split_at_checked(got.len()) else { return false };
        expected = rest;
        let largest = want.iter().filter(|x| x.is_finite()).fold(0.0f64, |m, x| m.max(x.abs()));
        let most = largest / f64::from(1u32 << bits);
        let near = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= most;
        if !got.iter().zip(want).all(near) {
            return false;
        }
    }
    expected.is_empty()
}

/// Where the elements of an input are drawn from.
enum Domain<'n> {
    /// Pixels, each through the map of its channel.
    Pixels(&'n PixelMap),
    /// Numbers between two.
    Between(f64, f64),
    /// Whole numbers from 0.
    Below(u32),
    /// Elements of a constant.
    Keys(&'n TensorData),
}

/// The inputs of a seed, each drawn from `SplitMix64(seed + place)`; none of bags, without rows, and of too many elements.
///
/// The first axis of an input is `n_rows` long if it is not fixed, and so is every axis of its name; all other axes that
/// are not fixed are `length` long, and an input of unknown rank is `[n_rows, length]`.
fn inputs(network: &Network, seed: u64, n_rows: u32, length: u32) -> Option<Vec<(String, Tensor)>> {
    let graph = network.graph();
    let first = graph.inputs().iter().filter_map(|&idx| graph.value(idx).shape.axes()?.first());
    let of_rows: BTreeSet<&str> =
        first.filter_map(|dim| if let Dim::Symbol(name) = dim { Some(&name[..]) } else { None }).collect();
    let (n_rows, length) = (n_rows as usize, length as usize);
    let mut left = MAX_ELEMENTS;
    let mut given = Vec::with_capacity(graph.inputs().len());
    for (at, &idx) in graph.inputs().iter().enumerate() {
        let value = graph.value(idx);
        let dims = match value.shape.axes() {
            None => alloc::vec![n_rows, length],
            Some(axes) => {
                let long = |(axis, dim): (usize, &Dim)| match dim {
                    Dim::Fixed(n) => *n,
                    Dim::Symbol(name) if of_rows.contains(&name[..]) => n_rows,
                    _ if axis == 0 => n_rows,
                    _ => length,
                };
                axes.iter().enumerate().map(long).collect()
            }
        };
        let n = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n > 0)?;
        left = left.checked_sub(n)?;
        let mut random = SplitMix64::new(seed.wrapping_add(at as u64));
        let data = draw(&mut random, value.dtype, &domain(network, idx), &dims, n)?;
        given.push((value.name.clone(), Tensor::try_new(dims, data)?));
    }
    Some(given)
}

/// What an input is drawn from: what its signature or the first node that says more makes of it.
fn domain(network: &Network, input: ValueIdx) -> Domain<'_> {
    let graph = network.graph();
    let dtype = graph.value(input).dtype;
    if let (Some(pixels), true) = (&network.signature().pixels, dtype.is_float()) {
        return Domain::Pixels(pixels);
    }
    for node in graph.nodes() {
        let Some(place) = node.inputs.iter().position(|idx| *idx == input) else { continue };
        let Op::Tensor(op) = &node.op else { continue };
        let constant = |at: usize| node.inputs.get(at).and_then(|&idx| graph.constant(idx)).map(Tensor::data);
        match (&**op, place) {
            (TensorOp::QuantizeLinear(op), 0) => {
                let range = op.to.whole_range();
                let scale = constant(1).map(doubles).unwrap_or_default();
                let zero = constant(2).map(doubles).unwrap_or_default();
                if let (Some((low, high)), &[scale]) = (range, &scale[..]) {
                    let zero = zero.first().copied().unwrap_or(0.0);
                    return Domain::Between((low as f64 - zero) * scale, (high as f64 - zero) * scale);
                }
            }
            (TensorOp::LabelEncoder(_), 0) => {
                if let Some(keys) = constant(1).filter(|k| !k.is_empty()) {
                    return Domain::Keys(keys);
                }
            }
            (TensorOp::Gather(Gather::Slices { axis }), 1) => {
                let axes = node.inputs.first().and_then(|&idx| graph.value(idx).shape.axes());
                let at = axes.and_then(|a| usize::try_from(axis.rem_euclid(a.len().max(1) as i64)).ok());
                if let Some(Dim::Fixed(n)) = axes.zip(at).and_then(|(axes, at)| axes.get(at)) {
                    return Domain::Below(u32::try_from(*n).unwrap_or(u32::MAX).max(1));
                }
            }
            _ => {}
        }
    }
    match dtype {
        DType::U8 | DType::I8 => Domain::Below(1 << 8),
        DType::U16 | DType::I16 => Domain::Below(1 << 16),
        // Places and counts, as far as nobody says more.
        DType::U32 | DType::I32 | DType::U64 | DType::I64 => Domain::Below(2),
        _ => Domain::Between(-1.0, 1.0),
    }
}

/// `n` elements of a dtype.
fn draw(
    random: &mut SplitMix64,
    dtype: DType,
    domain: &Domain<'_>,
    dims: &[usize],
    n: usize,
) -> Option<TensorData> {
    if let Domain::Keys(keys) = domain {
        return match keys {
            TensorData::Str(v) => Some(TensorData::Str(picked(random, v, n)?)),
            TensorData::I64(v) => Some(TensorData::I64(picked(random, v, n)?)),
            TensorData::F32(v) => Some(TensorData::F32(picked(random, v, n)?)),
            TensorData::F64(v) => Some(TensorData::F64(picked(random, v, n)?)),
            _ => None,
        };
    }
    let mut element = 0;
    let mut number = || {
        let at = element;
        element += 1;
        match domain {
            Domain::Pixels(map) => map.of(channel(map, dims, at), random.below(256) as u8),
            Domain::Between(low, high) => {
                low + (high - low) * (f64::from(random.below(1 << 24)) / 16_777_216.0)
            }
            Domain::Below(most) => f64::from(random.below(*most)),
            Domain::Keys(_) => 0.0,
        }
    };
    Some(match dtype {
        DType::F32 => TensorData::F32((0..n).map(|_| number() as f32).collect()),
        DType::F64 => TensorData::F64((0..n).map(|_| number()).collect()),
        DType::Half(half) => TensorData::Half(half, (0..n).map(|_| half.of(number())).collect()),
        DType::U8 => TensorData::U8((0..n).map(|_| number() as u8).collect()),
        DType::I8 => TensorData::I8((0..n).map(|_| (number() as u8).cast_signed()).collect()),
        DType::U16 => TensorData::U16((0..n).map(|_| number() as u16).collect()),
        DType::I16 => TensorData::I16((0..n).map(|_| (number() as u16).cast_signed()).collect()),
        DType::U32 => TensorData::U32((0..n).map(|_| number() as u32).collect()),
        DType::I32 => TensorData::I32((0..n).map(|_| number() as i32).collect()),
        DType::U64 => TensorData::U64((0..n).map(|_| number() as u64).collect()),
        DType::I64 => TensorData::I64((0..n).map(|_| number() as i64).collect()),
        DType::Bool => TensorData::Bool((0..n).map(|_| number() >= 0.0).collect()),
        DType::Narrow(narrow) => {
            // All codes of integers, numbers up to 1 of floats.
            let range =
                narrow.whole_range().map_or(1.0, |(low, high)| f64::from(high) - f64::from(low) + 1.0);
            let code = |x: f64| match narrow.whole_range() {
                Some(_) => narrow.of_whole((x * range) as i64),
                None => narrow.of(x, Overflow::Saturate),
            };
            TensorData::Narrow(narrow, (0..n).map(|_| code(number())).collect())
        }
        DType::Str => {
            TensorData::Str((0..n).map(|_| alloc::format!("{:x}", (number() * 16.0) as i8)).collect())
        }
        DType::Bag => return None,
    })
}

/// `n` of the elements.
fn picked<T: Clone>(random: &mut SplitMix64, values: &[T], n: usize) -> Option<Vec<T>> {
    let n_values = u32::try_from(values.len()).unwrap_or(u32::MAX);
    (0..n).map(|_| values.get(random.below(n_values) as usize).cloned()).collect()
}

/// The channel of an element of an input `[N, C, H, W]` or `[N, H, W, C]`; 0 of other inputs.
fn channel(map: &PixelMap, dims: &[usize], element: usize) -> usize {
    let &[_, a, b, c] = dims else { return 0 };
    match map.layout {
        Some(Layout::Nhwc) => element % c.max(1),
        None if !matches!(a, 1 | 3) => element % c.max(1),
        Some(Layout::Nchw) | None => element / (b * c).max(1) % a.max(1),
    }
}
