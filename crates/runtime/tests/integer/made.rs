//! Tensors, pairs and graphs of one node, short to write.

use ir::digest::SplitMix64;
use ir::fixed::Narrow;
use ir::op::tensor::{Pads, Window};
use ir::{DType, Graph, GraphBuilder, Op, Shape, Tensor, TensorData};
use smidgen_runtime::tensors::{Limits, run};

/// Whole numbers stored as a dtype, of fewer than 8 bits too.
pub fn tensor(dtype: DType, dims: &[usize], v: &[i64]) -> Tensor {
    let data = match dtype {
        DType::U8 => TensorData::U8(v.iter().map(|&x| x.try_into().unwrap()).collect()),
        DType::I8 => TensorData::I8(v.iter().map(|&x| x.try_into().unwrap()).collect()),
        DType::U16 => TensorData::U16(v.iter().map(|&x| x.try_into().unwrap()).collect()),
        DType::I16 => TensorData::I16(v.iter().map(|&x| x.try_into().unwrap()).collect()),
        DType::I32 => TensorData::I32(v.iter().map(|&x| x.try_into().unwrap()).collect()),
        DType::I64 => TensorData::I64(v.to_vec()),
        DType::Narrow(narrow) => {
            TensorData::Narrow(narrow, v.iter().map(|&x| i8::try_from(x).unwrap() as u8).collect())
        }
        other => panic!("{other}"),
    };
    Tensor::try_new(dims.to_vec(), data).unwrap()
}

/// The whole numbers of a tensor.
pub fn whole(tensor: &Tensor) -> Vec<i64> {
    match tensor.data() {
        TensorData::Narrow(_, v) => v.iter().map(|&x| i64::from(x as i8)).collect(),
        data => data.whole_numbers().unwrap(),
    }
}

/// Constant pairs of multiplier and shift.
pub fn pairs(pairs: &[(i64, i64)]) -> Tensor {
    let all: Vec<i64> = pairs.iter().map(|p| p.0).chain(pairs.iter().map(|p| p.1)).collect();
    tensor(DType::I64, &[2, pairs.len()], &all)
}

/// The pair of 1.
pub fn unit() -> Tensor {
    pairs(&[(1 << 30, 30)])
}

/// The pair of one half.
pub fn half() -> Tensor {
    pairs(&[(1 << 30, 31)])
}

pub fn window(kernel: &[usize], strides: &[usize], dilations: &[usize], pads: &[usize]) -> Window {
    Window {
        kernel_shape: kernel.to_vec(),
        strides: strides.to_vec(),
        dilations: dilations.to_vec(),
        pads: Pads::Explicit(pads.to_vec()),
    }
}

/// One node: its first `n_given` inputs are the caller's, `x0`, `x1` .., the others constants.
pub fn graph_of(op: Op, inputs: &[Tensor], n_given: usize) -> Result<Graph, ir::Error> {
    let mut b = GraphBuilder::new();
    let mut values = Vec::new();
    for (at, input) in inputs.iter().enumerate() {
        values.push(if at < n_given {
            b.input(&format!("x{at}"), input.dtype(), Shape::fixed(input.dims()))?
        } else {
            b.constant(input.clone())?
        });
    }
    let made = b.node(op, &values)?;
    b.finish(&[made])
}

/// What one node makes.
pub fn run_node(op: Op, inputs: &[Tensor], n_given: usize) -> Tensor {
    let graph = graph_of(op, inputs, n_given).unwrap();
    let given = inputs[..n_given].iter().enumerate().map(|(at, x)| (format!("x{at}"), x.clone())).collect();
    run(&graph, given, Limits::default()).unwrap().remove(0)
}

/// Numbers from a seed.
pub struct Draw(pub SplitMix64);

impl Draw {
    pub fn new(seed: u64) -> Draw {
        Draw(SplitMix64::new(seed))
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.0.next_word() % n as u64) as usize
    }

    pub fn range(&mut self, low: i64, high: i64) -> i64 {
        low + (self.0.next_word() % (high - low + 1) as u64) as i64
    }

    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    pub fn code(&mut self, dtype: DType) -> i64 {
        let (low, high) = dtype.whole_range().unwrap();
        let (low, high) = (low as i64, high as i64);
        // Ends more often than by chance.
        match self.below(12) {
            0 => low,
            1 => high,
            _ => self.range(low, high),
        }
    }

    pub fn codes(&mut self, dtype: DType, dims: &[usize]) -> Tensor {
        let n = dims.iter().product();
        let v: Vec<i64> = (0..n).map(|_| self.code(dtype)).collect();
        tensor(dtype, dims, &v)
    }

    /// Pairs whose factor is about `2^-bits`.
    pub fn pairs(&mut self, n: usize, bits: i64) -> Tensor {
        let all: Vec<(i64, i64)> = (0..n)
            .map(|_| (self.range(1 << 30, (1 << 31) - 1), (30 + bits + self.range(-2, 2)).clamp(1, 62)))
            .collect();
        pairs(&all)
    }
}

pub const ACTIVATIONS: [DType; 4] = [DType::I8, DType::U8, DType::I16, DType::U16];
pub const WEIGHTS: [DType; 7] = [
    DType::I8,
    DType::U8,
    DType::I16,
    DType::Narrow(Narrow::I4),
    DType::Narrow(Narrow::U4),
    DType::Narrow(Narrow::I2),
    DType::Narrow(Narrow::U2),
];
