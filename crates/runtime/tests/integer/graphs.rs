//! Random networks of the integer form: a plan on every instruction set against the interpreter, byte for byte.

use super::allocations::asked;
use super::made::{ACTIVATIONS, Draw, WEIGHTS, tensor, window};
use ir::fixed::{Narrow, Overflow};
use ir::op::tensor::{
    Activation, ActivationKind, Concat, DequantizeLinear, Gather, Pool, PoolKind, QAdd, QAveragePool, QConv,
    QLut, QMatMul, QMean, QMul, QuantizeLinear, Requantize, Reshape, Slice, Split, Transpose,
};
use ir::{DType, Graph, GraphBuilder, Shape, Tensor, TensorData, ValueIdx};
use proptest::prelude::*;
use smidgen_runtime::network::{Isa, Plan};
use smidgen_runtime::tensors::{Limits, run};
use std::collections::BTreeMap;

/// A value and its dtype and lengths.
#[derive(Clone, Debug)]
struct Value {
    idx: ValueIdx,
    dtype: DType,
    dims: Vec<usize>,
}

/// A graph while it grows.
struct Net<'d> {
    b: GraphBuilder,
    draw: &'d mut Draw,
    values: Vec<Value>,
}

impl Net<'_> {
    fn constant(&mut self, tensor: Tensor) -> ValueIdx {
        self.b.constant(tensor).unwrap()
    }

    fn keep(&mut self, idx: ValueIdx) {
        let dims = self.b.shape(idx).unwrap().lengths().unwrap();
        let dtype = self.b.dtype(idx).unwrap();
        self.values.push(Value { idx, dtype, dims });
    }

    /// Zero point, least and largest code.
    fn ends(&mut self, to: DType) -> (i64, i64, i64) {
        let (a, b) = (self.draw.code(to), self.draw.code(to));
        let (least, most) = to.whole_range().unwrap();
        let ends = if self.draw.below(3) == 0 { (a.min(b), a.max(b)) } else { (least as i64, most as i64) };
        (self.draw.code(to), ends.0, ends.1)
    }

    fn zero(&mut self, dtype: DType) -> i64 {
        if self.draw.below(2) == 0 { self.draw.code(dtype) } else { self.draw.range(0, 5) }
    }

    /// Weights of few or of many bits; sometimes in a codebook.
    fn weights(&mut self, dims: &[usize], activations: DType) -> (ValueIdx, DType) {
        let dtype = match self.draw.below(3) {
            0 => DType::I8,
            1 => DType::I16,
            _ => self.draw.one_of(&WEIGHTS),
        };
        if self.draw.below(8) == 0 {
            let table = self.draw.codes(DType::I8, &[4]);
            let places = self.draw.codes(DType::Narrow(Narrow::U2), dims);
            let (table, places) = (self.constant(table), self.constant(places));
            return (self.b.node(Gather::Slices { axis: 0 }.into(), &[table, places]).unwrap(), DType::I8);
        }
        // Of 16 bits twice over, sums are sometimes small enough to be proven.
        let small = activations.bytes() == 2 && dtype == DType::I16 && self.draw.below(2) == 0;
        let n = dims.iter().product();
        let v: Vec<i64> =
            (0..n).map(|_| if small { self.draw.range(-40, 40) } else { self.draw.code(dtype) }).collect();
        (self.constant(tensor(dtype, dims, &v)), dtype)
    }

    fn image(&mut self) -> Option<Value> {
        let all: Vec<Value> = self.values.iter().filter(|v| v.dims.len() >= 3).cloned().collect();
        if all.is_empty() { None } else { Some(all[self.draw.below(all.len())].clone()) }
    }

    fn any(&mut self) -> Value {
        let at = self.draw.below(self.values.len());
        self.values[at].clone()
    }

    fn bits(&self, inner: usize, dtypes: [DType; 2], to: DType) -> i64 {
        let own = |d: DType| match d {
            DType::Narrow(narrow) => i64::from(narrow.bits()),
            d => d.bytes() as i64 * 8,
        };
        own(dtypes[0]) + own(dtypes[1]) - own(to) + (inner.max(1).ilog2() / 2) as i64 - 2
    }

    fn convolution(&mut self) {
        let Some(x) = self.image() else { return };
        let channels = x.dims[1];
        let (groups, per_group) = match self.draw.below(4) {
            0 => (channels, 1),
            1 if channels % 2 == 0 => (2, 1 + self.draw.below(20)),
            _ => (1, 1 + self.draw.below(40)),
        };
        let (outputs, each) = (groups * per_group, channels / groups);
        let (mut kernel, mut strides, mut dilations, mut before, mut after) =
            (vec![], vec![], vec![], vec![], vec![]);
        let single = self.draw.below(3) == 0;
        for &size in &x.dims[2..] {
            let dilation = 1 + self.draw.below(2);
            let pads = if single { [0, 0] } else { [self.draw.below(3), self.draw.below(2)] };
            let most = (size + pads[0] + pads[1] - 1) / dilation + 1;
            kernel.push(if single { 1 } else { 1 + self.draw.below(most.min(4)) });
            strides.push(1 + self.draw.below(2));
            dilations.push(dilation);
            before.push(pads[0]);
            after.push(pads[1]);
        }
        let (w, of_weights) = self.weights(&[&[outputs, each], &kernel[..]].concat(), x.dtype);
        let to = if self.draw.below(2) == 0 { x.dtype } else { self.draw.one_of(&ACTIVATIONS) };
        let bits = self.bits(each * kernel.iter().product::<usize>(), [x.dtype, of_weights], to);
        let bias: Vec<i64> = (0..outputs).map(|_| self.draw.range(-3000, 3000)).collect();
        let n = if self.draw.below(2) == 0 { 1 } else { outputs };
        let pairs = self.draw.pairs(n, bits);
        let (zero_y, low, high) = self.ends(to);
        let window = window(&[], &strides, &dilations, &[before, after].concat());
        let zero_x = self.zero(x.dtype);
        let op = QConv { window, group: groups, zero_x, zero_y, low, high, to };
        let (bias, pairs) = (self.constant(tensor(DType::I32, &[outputs], &bias)), self.constant(pairs));
        let y = self.b.node(op.into(), &[x.idx, w, bias, pairs]).unwrap();
        self.follow(y);
    }

    /// The product of a value and one that is made of another: turned round, or the same again and again.
    fn two_values(&mut self) {
        let a = self.any();
        let Some(&inner) = a.dims.last() else { return };
        let rights: Vec<Value> =
            self.values.iter().filter(|v| v.dims.last() == Some(&inner)).cloned().collect();
        let b = rights[self.draw.below(rights.len())].clone();
        if b.dims.len() < 2 || a.dims.len() < 2 {
            return;
        }
        let lead = |v: &Value| v.dims[..v.dims.len() - 2].to_vec();
        if lead(&a) != lead(&b) && !lead(&a).is_empty() && !lead(&b).is_empty() {
            return;
        }
        let mut order: Vec<usize> = (0..b.dims.len()).collect();
        order.swap(b.dims.len() - 2, b.dims.len() - 1);
        let turned = self.b.node(Transpose { order: Some(order) }.into(), &[b.idx]).unwrap();
        let outputs = b.dims[b.dims.len() - 2];
        let to = self.draw.one_of(&ACTIVATIONS);
        let bits = self.bits(inner, [a.dtype, b.dtype], to);
        let pairs = self.draw.pairs(outputs, bits);
        let (zero_y, low, high) = self.ends(to);
        // 16 bits fit without a zero point alone.
        let (zero_x, zero_w) = match self.draw.below(2) {
            0 => (0, 0),
            _ => (self.zero(a.dtype), self.zero(b.dtype)),
        };
        let op = QMatMul { zero_x, zero_w, zero_y, low, high, to };
        let mut inputs = vec![a.idx, turned];
        if self.draw.below(2) == 0 {
            let bias: Vec<i64> = (0..outputs).map(|_| self.draw.range(-9000, 9000)).collect();
            inputs.push(self.constant(tensor(DType::I32, &[outputs], &bias)));
        }
        inputs.push(self.constant(pairs));
        let y = self.b.node(op.into(), &inputs).unwrap();
        self.keep(y);
    }

    /// Scores of 32 bits, then floats.
    fn scores(&mut self) {
        let x = self.any();
        let Some(&inner) = x.dims.last() else { return };
        let outputs = 1 + self.draw.below(20);
        let (w, of_weights) = self.weights(&[inner, outputs], x.dtype);
        // Sometimes a factor above 1, so that numbers of 32 bits saturate.
        let bits = self.draw.range(-8, 8);
        let pairs = self.draw.pairs(outputs, bits);
        let pairs = self.constant(pairs);
        let (zero_x, zero_w) = (self.zero(x.dtype), self.draw.code(of_weights));
        let (low, high) = if self.draw.below(2) == 0 { (i32::MIN, i32::MAX) } else { (-99_999, 70_000_000) };
        let (low, high) = (low.into(), high.into());
        let op = QMatMul { zero_x, zero_w, zero_y: 0, low, high, to: DType::I32 };
        let y = self.b.node(op.into(), &[x.idx, w, pairs]).unwrap();
        let scale = self.constant(Tensor::vector(TensorData::F32(vec![1.7e-5])));
        let op = DequantizeLinear { axis: 1, block: 0, to: DType::F32 };
        let mut inputs = vec![y, scale];
        if self.draw.below(2) == 0 {
            inputs.push(self.constant(tensor(DType::I32, &[1], &[77_777_777])));
        }
        let real = self.b.node(op.into(), &inputs).unwrap();
        let to = self.draw.one_of(&ACTIVATIONS);
        let zero = self.draw.code(to);
        let y = quantized(&mut self.b, real, to, 0.4, zero);
        self.keep(y);
    }

    fn matrices(&mut self) {
        let x = self.any();
        let Some(&inner) = x.dims.last() else { return };
        let outputs = 1 + self.draw.below(40);
        let (w, of_weights) = self.weights(&[inner, outputs], x.dtype);
        let to = self.draw.one_of(&ACTIVATIONS);
        let bits = self.bits(inner, [x.dtype, of_weights], to);
        let pairs = self.draw.pairs(outputs, bits);
        let zero_w = if self.draw.below(2) == 0 { 0 } else { self.draw.code(of_weights) };
        let (zero_y, low, high) = self.ends(to);
        let zero_x = self.zero(x.dtype);
        let op = QMatMul { zero_x, zero_w, zero_y, low, high, to };
        let mut inputs = vec![x.idx, w];
        if self.draw.below(2) == 0 {
            let bias: Vec<i64> = (0..outputs).map(|_| self.draw.range(-9000, 9000)).collect();
            inputs.push(self.constant(tensor(DType::I32, &[outputs], &bias)));
        }
        inputs.push(self.constant(pairs));
        let y = self.b.node(op.into(), &inputs).unwrap();
        self.follow(y);
    }

    /// Keeps a product's output, or only what becomes of it.
    fn follow(&mut self, y: ValueIdx) {
        self.keep(y);
        let y = match self.draw.below(4) {
            0 | 1 => return,
            2 => {
                let y = self.values.pop().unwrap();
                let same: Vec<Value> = self.values.iter().filter(|v| v.dims == y.dims).cloned().collect();
                let other = if !same.is_empty() && self.draw.below(3) > 0 {
                    same[self.draw.below(same.len())].clone()
                } else {
                    let dtype = self.draw.one_of(&ACTIVATIONS);
                    let codes = self.draw.codes(dtype, &y.dims);
                    Value { idx: self.constant(codes), dtype, dims: y.dims.clone() }
                };
                let (a, b) = if self.draw.below(2) == 0 { (y, other) } else { (other, y) };
                self.sum(&a, &b)
            }
            _ => {
                let y = self.values.pop().unwrap();
                self.code(&y)
            }
        };
        self.keep(y);
    }

    fn sum(&mut self, a: &Value, b: &Value) -> ValueIdx {
        let to = self.draw.one_of(&ACTIVATIONS);
        let (zero_y, low, high) = self.ends(to);
        let (zero_a, zero_b) = (self.zero(a.dtype), self.zero(b.dtype));
        let (big, small) =
            (self.draw.range(1 << 30, (1 << 31) - 1), self.draw.range(-(1 << 31) + 1, 1 << 30));
        let (m_a, m_b) = if self.draw.below(2) == 0 { (big, small) } else { (small, big) };
        let s = 30
            + 8 * (a.dtype.bytes().max(b.dtype.bytes()) as i64 - to.bytes() as i64)
            + self.draw.range(-3, 3);
        let factors = self.constant(tensor(DType::I64, &[3], &[m_a, m_b, s]));
        let op = QAdd { zero_a, zero_b, zero_y, low, high, to };
        self.b.node(op.into(), &[a.idx, b.idx, factors]).unwrap()
    }

    /// The sum or the product of two values, or of one and a constant that broadcasts.
    fn pairwise(&mut self) {
        let a = self.any();
        let same: Vec<Value> = self.values.iter().filter(|v| v.dims == a.dims).cloned().collect();
        let b = if self.draw.below(3) > 0 {
            same[self.draw.below(same.len())].clone()
        } else {
            let dims: Vec<usize> =
                a.dims.iter().map(|&n| if self.draw.below(2) == 0 { 1 } else { n }).collect();
            let dtype = self.draw.one_of(&ACTIVATIONS);
            let skip = if self.draw.below(3) == 0 { self.draw.below(dims.len() + 1) } else { 0 };
            let codes = self.draw.codes(dtype, &dims[skip..]);
            Value { idx: self.constant(codes), dtype, dims: dims[skip..].to_vec() }
        };
        let (a, b) = if self.draw.below(2) == 0 { (a, b) } else { (b, a) };
        let y = if self.draw.below(3) > 0 {
            self.sum(&a, &b)
        } else {
            let to = self.draw.one_of(&ACTIVATIONS);
            let (zero_y, low, high) = self.ends(to);
            let (zero_a, zero_b) = (self.zero(a.dtype), self.zero(b.dtype));
            let bits = self.bits(1, [a.dtype, b.dtype], to);
            let pairs = self.draw.pairs(1, bits);
            let pairs = self.constant(pairs);
            let op = QMul { zero_a, zero_b, zero_y, low, high, to };
            self.b.node(op.into(), &[a.idx, b.idx, pairs]).unwrap()
        };
        self.keep(y);
    }

    fn one_code(&mut self) {
        let x = self.any();
        let y = self.code(&x);
        self.keep(y);
    }

    fn code(&mut self, x: &Value) -> ValueIdx {
        let to = self.draw.one_of(&ACTIVATIONS);
        let y = if x.dtype.bytes() == 1 && self.draw.below(2) == 0 {
            let table = self.draw.codes(to, &[256]);
            let table = self.constant(table);
            self.b.node(QLut { to }.into(), &[x.idx, table])
        } else {
            let pairs = self.draw.pairs(1, 8 * (x.dtype.bytes() as i64 - to.bytes() as i64));
            let pairs = self.constant(pairs);
            let (zero_y, low, high) = self.ends(to);
            let zero_x = self.zero(x.dtype);
            self.b.node(Requantize { zero_x, zero_y, low, high, to }.into(), &[x.idx, pairs])
        };
        y.unwrap()
    }

    fn pool(&mut self) {
        let Some(x) = self.image() else { return };
        let rank = x.dims.len() - 2;
        let (mut kernel, mut strides, mut pads) = (vec![], vec![], vec![0; 2 * rank]);
        for (axis, &size) in x.dims[2..].iter().enumerate() {
            kernel.push(1 + self.draw.below(size.min(3)));
            strides.push(1 + self.draw.below(2));
            pads[axis] = self.draw.below(kernel[axis]);
            pads[axis + rank] = self.draw.below(kernel[axis]);
        }
        let window = window(&kernel, &strides, &[], &pads);
        let y = if self.draw.below(2) == 0 {
            let ceil = self.draw.below(2) == 0;
            self.b.node(Pool { kind: PoolKind::Max { places: None }, window, ceil }.into(), &[x.idx])
        } else {
            let pairs = self.draw.pairs(1, 0);
            let pairs = self.constant(pairs);
            let (zero_y, low, high) = self.ends(x.dtype);
            let count_pads = self.draw.below(2) == 0;
            let zero_x = self.zero(x.dtype);
            let op = QAveragePool { window, count_pads, zero_x, zero_y, low, high, to: x.dtype };
            self.b.node(op.into(), &[x.idx, pairs])
        };
        self.keep(y.unwrap());
    }

    fn mean(&mut self) {
        let x = self.any();
        let pairs = self.draw.pairs(1, 0);
        let pairs = self.constant(pairs);
        let rank = x.dims.len() as i64;
        let axes = if rank > 2 && self.draw.below(3) > 0 { (2..rank).collect() } else { vec![rank - 1] };
        let (zero_y, low, high) = self.ends(x.dtype);
        let (keep, zero_x) = (self.draw.below(2) == 0, self.zero(x.dtype));
        let op = QMean { axes, keep, zero_x, zero_y, low, high, to: x.dtype };
        let y = self.b.node(op.into(), &[x.idx, pairs]).unwrap();
        self.keep(y);
    }

    fn moved(&mut self) {
        let x = self.any();
        let y = match self.draw.below(5) {
            3 => {
                let axis = self.draw.below(x.dims.len());
                let n = x.dims[axis] as i64;
                let start = self.draw.range(0, n - 1);
                let (start, end, step) = match self.draw.below(3) {
                    0 => (start, n, 1),
                    1 => (0, n, 2),
                    _ => (n - 1, -n - 1, -1),
                };
                let inputs = [start, end, axis as i64, step];
                let all = inputs.map(|v| self.constant(tensor(DType::I64, &[1], &[v])));
                let op = Slice { has_axes: true, has_steps: true };
                self.b.node(op.into(), &[&[x.idx][..], &all].concat())
            }
            4 => {
                let axis = self.draw.below(x.dims.len());
                let n = x.dims[axis] as i64;
                let first = self.draw.range(1, n);
                let parts: Vec<i64> = if first == n { vec![n] } else { vec![first, n - first] };
                let op = Split { axis: axis as i64, n_parts: parts.len() };
                let lengths = self.constant(tensor(DType::I64, &[parts.len()], &parts));
                let name = format!("split{}", self.b.n_values());
                let made = self.b.node_named(&name, op.into(), &[x.idx, lengths]).unwrap();
                made[..made.len() - 1].iter().for_each(|&y| self.keep(y));
                Ok(made[made.len() - 1])
            }
            0 => {
                let n: i64 = x.dims.iter().product::<usize>() as i64;
                let shape = self.constant(tensor(DType::I64, &[2], &[1, n]));
                self.b.node(Reshape::To { allow_zero: false }.into(), &[x.idx, shape])
            }
            1 => {
                let order = (0..x.dims.len()).rev().collect();
                self.b.node(Transpose { order: Some(order) }.into(), &[x.idx])
            }
            _ => {
                let axis = self.draw.below(x.dims.len());
                let fits = |v: &&Value| {
                    v.dtype == x.dtype
                        && v.dims.len() == x.dims.len()
                        && v.dims.iter().zip(&x.dims).enumerate().all(|(at, (a, b))| at == axis || a == b)
                };
                let all: Vec<ValueIdx> = self.values.iter().filter(fits).map(|v| v.idx).collect();
                let axis =
                    if self.draw.below(2) == 0 { axis as i64 } else { axis as i64 - x.dims.len() as i64 };
                self.b.node(Concat { axis }.into(), &all[..all.len().min(3)])
            }
        };
        self.keep(y.unwrap());
    }

    /// Codes to floats, through a function that has no engine, and back.
    fn floats(&mut self) {
        let x = self.any();
        let to = self.draw.one_of(&ACTIVATIONS);
        let scale = self.constant(Tensor::vector(TensorData::F32(vec![0.37])));
        let zero = self.draw.codes(x.dtype, &[1]);
        let zero = self.constant(zero);
        let op = DequantizeLinear { axis: 1, block: 0, to: DType::F32 };
        let mut real = self.b.node(op.into(), &[x.idx, scale, zero]).unwrap();
        if self.draw.below(2) == 0 {
            real = self.b.node(Activation::plain(ActivationKind::Softsign).into(), &[real]).unwrap();
        }
        let y = quantized(&mut self.b, real, to, 0.011, self.draw.code(to));
        self.keep(y);
    }
}

fn quantized(b: &mut GraphBuilder, x: ValueIdx, to: DType, scale: f32, zero: i64) -> ValueIdx {
    let scale = b.constant(Tensor::vector(TensorData::F32(vec![scale]))).unwrap();
    let zero = b.constant(tensor(to, &[1], &[zero])).unwrap();
    let op = QuantizeLinear { axis: 1, block: 0, to, precision: None, overflow: Overflow::Saturate };
    b.node(op.into(), &[x, scale, zero]).unwrap()
}

/// A network and inputs for it.
fn network(draw: &mut Draw) -> (Graph, Vec<(String, Tensor)>) {
    let rank = [1, 2, 2, 2, 3][draw.below(5)];
    let mut dims = vec![1 + draw.below(2), 1 + draw.below(36)];
    (0..rank).for_each(|_| dims.push(1 + draw.below(if rank == 3 { 4 } else { 9 })));
    let n: usize = dims.iter().product();
    let mut b = GraphBuilder::new();
    let dtype = draw.one_of(&ACTIVATIONS);
    let codes = b.input("codes", dtype, Shape::fixed(&dims)).unwrap();
    let real = b.input("real", DType::F32, Shape::fixed(&dims)).unwrap();
    let float = |draw: &mut Draw| match draw.below(20) {
        0 => f32::NAN,
        1 => f32::INFINITY,
        2 => -3.0e38,
        _ => draw.range(-3000, 3000) as f32 * 0.005,
    };
    let v: Vec<f32> = (0..n).map(|_| float(draw)).collect();
    let given = vec![
        ("codes".to_string(), draw.codes(dtype, &dims)),
        ("real".to_string(), Tensor::try_new(dims, TensorData::F32(v)).unwrap()),
    ];
    let (to, zero) = (draw.one_of(&ACTIVATIONS), draw.range(0, 100));
    let of_real = quantized(&mut b, real, to, 0.01, zero);
    let mut net = Net { b, draw, values: Vec::new() };
    net.keep(codes);
    net.keep(of_real);
    for _ in 0..1 + net.draw.below(9) {
        match net.draw.below(20) {
            0..=4 => net.convolution(),
            5 | 6 => net.matrices(),
            7..=9 => net.pairwise(),
            10 => net.one_code(),
            11 | 12 => net.pool(),
            13 => net.mean(),
            14 => net.moved(),
            15 => net.scores(),
            16 | 17 => net.two_values(),
            18 => net.moved(),
            _ => net.floats(),
        }
    }
    let mut outputs = vec![net.values[net.values.len() - 1].idx];
    if net.draw.below(2) == 0 {
        outputs.push(net.any().idx);
    }
    (net.b.finish(&outputs).unwrap(), given)
}

/// Instruction sets of this machine.
fn here() -> impl Iterator<Item = Isa> {
    Isa::ALL.into_iter().filter(|isa| isa.is_here())
}

fn check(seed: u64) {
    let (graph, given) = network(&mut Draw::new(seed));
    let lengths: Vec<Vec<usize>> = given.iter().map(|(_, t)| t.dims().to_vec()).collect();
    let expected = run(&graph, given.clone(), Limits::default()).unwrap();
    for isa in here() {
        let plan = Plan::with_isa(&graph, &lengths, Limits::default(), isa).unwrap();
        let got = plan.run(given.clone()).unwrap();
        assert_eq!(got.len(), expected.len());
        for (got, expected) in got.iter().zip(&expected) {
            assert!(got == expected, "{isa}: {:?} differs\n{graph:?}", expected.dims());
        }
        // Again in the same memory, which holds what the last run left.
        let (mut memory, mut outputs) = (plan.memory(), plan.outputs());
        let inputs: Vec<&TensorData> = given.iter().map(|(_, t)| t.data()).collect();
        for _ in 0..2 {
            let before = asked();
            plan.run_into(&mut memory, &inputs, &mut outputs).unwrap();
            let is_interpreted = plan.interpreted().next().is_some();
            assert!(asked() == before || is_interpreted, "{isa}: memory was asked for\n{graph:?}");
            assert!(outputs.iter().zip(&expected).all(|(got, t)| got == t.data()), "{isa}: a second run");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn plans_equal_the_interpreter(seed: u64) {
        check(seed);
    }
}

#[test]
fn networks_reach_every_engine() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..500 {
        let (graph, given) = network(&mut Draw::new(seed));
        let lengths: Vec<Vec<usize>> = given.iter().map(|(_, t)| t.dims().to_vec()).collect();
        for isa in here() {
            let plan = Plan::with_isa(&graph, &lengths, Limits::default(), isa).unwrap();
            for (engine, tail) in plan.steps() {
                *seen.entry(engine.to_string()).or_default() += 1;
                if let Some(tail) = tail {
                    *seen.entry(format!("{engine} + {tail}")).or_default() += 1;
                }
            }
        }
    }
    let mut all = vec![
        "depthwise",
        "depthwise + sum",
        "depthwise + table",
        "dequantize",
        "interpreted",
        "join",
        "largest of windows",
        "layout",
        "load",
        "mean of windows",
        "product of elements",
        "product of pairs",
        "product of pairs + 32 bits",
        "product of pairs + sum",
        "product of pairs + table",
        "product of pairs in 64 bits",
        "product of pairs in 64 bits + 32 bits",
        "product of pairs in 64 bits + sum",
        "product of pairs in 64 bits + table",
        "product of quads",
        "product of quads + 32 bits",
        "product of quads + sum",
        "product of quads + table",
        "product of two values",
        "quantize",
        "sum",
        "table",
        "view",
    ];
    if Isa::Avx2.is_here() {
        all.extend([
            "product of narrow pairs",
            "product of narrow pairs + 32 bits",
            "product of narrow pairs + sum",
            "product of narrow pairs + table",
        ]);
        all.sort_unstable();
    }
    assert_eq!(seen.keys().collect::<Vec<_>>(), all);
}
