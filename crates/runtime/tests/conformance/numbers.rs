//! Random nodes on doubles between a column and its codes.

use ir::digest::SplitMix64;
use ir::op::{
    Arithmetic, Cast, Codes, Columns, Comparison, Function, Gather, HashBucket, Interpolate, IsNaN,
    LabelEncoder, MatMul, OneHot, Reduce, Where,
};
use ir::{DType, GraphBuilder, Op, Tensor, TensorData, ValueIdx};

fn pick<T: Copy>(random: &mut SplitMix64, all: &[T]) -> T {
    all[random.below(all.len() as u32) as usize]
}

fn real(random: &mut SplitMix64) -> f64 {
    match random.below(6) {
        0 => 0.0,
        1 => -1.0,
        _ => f64::from(random.below(4000)) / 16.0 - 125.0,
    }
}

fn vector(b: &mut GraphBuilder, values: Vec<f64>) -> ValueIdx {
    b.constant(Tensor::vector(TensorData::F64(values))).unwrap()
}

/// A value `f64 [N]` made of a column by a few nodes.
pub fn made(random: &mut SplitMix64, b: &mut GraphBuilder, column: ValueIdx, dtype: DType) -> ValueIdx {
    let mut x = match dtype {
        DType::Str => of_text(random, b, column),
        DType::I64 => b.node(Op::Cast(Cast), &[column]).unwrap(),
        _ => column,
    };
    for _ in 0..1 + random.below(4) {
        x = step(random, b, x);
    }
    x
}

fn of_text(random: &mut SplitMix64, b: &mut GraphBuilder, column: ValueIdx) -> ValueIdx {
    let keys: Vec<String> = (0..random.below(6)).map(|i| format!("key {i}")).collect();
    let n = keys.len();
    match random.below(3) {
        0 => b.node(Op::HashBucket(HashBucket { n_buckets: 1 + random.below(50) }), &[column]).unwrap(),
        1 => {
            let values = (0..n + 2).map(|i| if i == n { f64::NAN } else { real(random) }).collect();
            let keys = b.constant(Tensor::vector(TensorData::Str(keys))).unwrap();
            let values = vector(b, values);
            b.node(Op::LabelEncoder(LabelEncoder), &[column, keys, values]).unwrap()
        }
        _ => {
            let keys = b.constant(Tensor::vector(TensorData::Str(keys))).unwrap();
            let codes = b.node(Op::Codes(Codes { unseen: 255 }), &[column, keys]).unwrap();
            let hot = b.node(Op::OneHot(OneHot { depth: 1 + random.below(7) }), &[codes]).unwrap();
            row_sum(random, b, hot)
        }
    }
}

/// One number a row of a matrix.
fn row_sum(random: &mut SplitMix64, b: &mut GraphBuilder, matrix: ValueIdx) -> ValueIdx {
    let kept = b.node(Op::Reduce(pick(random, Reduce::ALL)), &[matrix]).unwrap();
    column_of(b, kept, 0)
}

fn column_of(b: &mut GraphBuilder, matrix: ValueIdx, at: i64) -> ValueIdx {
    let at = b.constant(Tensor::try_new(vec![], TensorData::I64(vec![at])).unwrap()).unwrap();
    b.node(Op::Gather(Gather), &[matrix, at]).unwrap()
}

fn step(random: &mut SplitMix64, b: &mut GraphBuilder, x: ValueIdx) -> ValueIdx {
    match random.below(6) {
        0 => {
            let c = vector(b, vec![real(random)]);
            let inputs = if random.below(2) == 0 { [x, c] } else { [c, x] };
            b.node(Op::Arithmetic(pick(random, Arithmetic::ALL)), &inputs).unwrap()
        }
        1 => b.node(Op::Function(pick(random, Function::ALL)), &[x]).unwrap(),
        2 => {
            let c = vector(b, vec![real(random)]);
            let missing = if random.below(2) == 0 {
                b.node(Op::IsNaN(IsNaN), &[x]).unwrap()
            } else {
                b.node(Op::Comparison(pick(random, Comparison::ALL)), &[x, c]).unwrap()
            };
            if random.below(4) == 0 {
                return b.node(Op::Cast(Cast), &[missing]).unwrap();
            }
            b.node(Op::Where(Where), &[missing, c, x]).unwrap()
        }
        3 => {
            let n = 1 + random.below(6) as usize;
            let knots = (0..n).map(|i| i as f64 * 7.5 - 20.0).collect();
            let values = (0..n).map(|_| real(random)).collect();
            let (knots, values) = (vector(b, knots), vector(b, values));
            b.node(Op::Interpolate(Interpolate), &[x, knots, values]).unwrap()
        }
        4 => {
            // Beside itself, spread over constants, and back to one column.
            let beside = b.node(Op::Columns(Columns), &[x, x, x]).unwrap();
            let width = 1 + random.below(5) as usize;
            let w = (0..3 * width).map(|_| real(random)).collect();
            let w = b.constant(Tensor::try_new(vec![3, width], TensorData::F64(w)).unwrap()).unwrap();
            let product = b.node(Op::MatMul(MatMul), &[beside, w]).unwrap();
            let row = vector(b, (0..width).map(|_| real(random)).collect());
            let moved = b.node(Op::Arithmetic(pick(random, Arithmetic::ALL)), &[product, row]).unwrap();
            let order = (0..2).map(|_| i64::from(random.below(width as u32))).collect();
            let order = b.constant(Tensor::vector(TensorData::I64(order))).unwrap();
            let gathered = b.node(Op::Gather(Gather), &[moved, order]).unwrap();
            row_sum(random, b, gathered)
        }
        _ => {
            let hot = b.node(Op::OneHot(OneHot { depth: 1 + random.below(9) }), &[x]).unwrap();
            row_sum(random, b, hot)
        }
    }
}
