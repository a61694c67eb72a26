//! Time of single layers of networks in the integer form, on each instruction set of this machine.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program that times"
)]

use ir::op::tensor::{Pads, QAdd, QConv, QMatMul, Window};
use ir::{DType, GraphBuilder, Shape, Tensor, TensorData};
use smidgen_runtime::network::{Isa, Limits, Plan};
use std::time::Instant;

/// Channels, outputs, groups, size, kernel, stride.
const LAYERS: [(&str, [usize; 6]); 8] = [
    ("3x3 64-64 56", [64, 64, 1, 56, 3, 1]),
    ("3x3 256-256 14", [256, 256, 1, 14, 3, 1]),
    ("3x3 512-512 7", [512, 512, 1, 7, 3, 1]),
    ("1x1 64-256 56", [64, 256, 1, 56, 1, 1]),
    ("1x1 256-64 56", [256, 64, 1, 56, 1, 1]),
    ("7x7 3-64 224/2", [3, 64, 1, 224, 7, 2]),
    ("depthwise 3x3 96 56", [96, 96, 96, 56, 3, 1]),
    ("depthwise 3x3 384 14", [384, 384, 384, 14, 3, 1]),
];

fn bytes(n: usize, seed: usize) -> Vec<i8> {
    (0..n).map(|i| ((i * 7919 + seed * 104_729) % 251) as u8 as i8).collect()
}

fn time(mut f: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..7 {
        let start = Instant::now();
        f();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

fn plan_of(
    isa: Isa,
    [channels, outputs, group, size, kernel, stride]: [usize; 6],
    add: bool,
) -> (Plan, Vec<i8>) {
    let mut b = GraphBuilder::new();
    let dims = [1, channels, size, size];
    let x = b.input("x", DType::I8, Shape::fixed(&dims)).unwrap();
    let each = channels / group;
    let w = Tensor::try_new(
        vec![outputs, each, kernel, kernel],
        TensorData::I8(bytes(outputs * each * kernel * kernel, 1)),
    );
    let w = b.constant(w.unwrap()).unwrap();
    let bias = b.constant(Tensor::vector(TensorData::I32(vec![7; outputs]))).unwrap();
    let pairs = Tensor::try_new(vec![2, 1], TensorData::I64(vec![1 << 30, 42])).unwrap();
    let pairs = b.constant(pairs).unwrap();
    let pad = kernel / 2;
    let op = QConv {
        window: Window {
            kernel_shape: vec![],
            strides: vec![stride; 2],
            dilations: vec![],
            pads: Pads::Explicit(vec![pad; 4]),
        },
        group,
        zero_x: 3,
        zero_y: -5,
        low: -128,
        high: 127,
        to: DType::I8,
    };
    let mut y = b.node(op.into(), &[x, w, bias, pairs]).unwrap();
    if add && channels == outputs && stride == 1 {
        let factors = b.constant(Tensor::vector(TensorData::I64(vec![1 << 30, 1 << 29, 31]))).unwrap();
        let op = QAdd { zero_a: -5, zero_b: 3, zero_y: 0, low: -128, high: 127, to: DType::I8 };
        y = b.node(op.into(), &[y, x, factors]).unwrap();
    }
    let graph = b.finish(&[y]).unwrap();
    let plan = Plan::with_isa(&graph, &[dims.to_vec()], Limits::default(), isa).unwrap();
    (plan, bytes(channels * size * size, 2))
}

fn main() {
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_here()) {
        for (name, sides) in LAYERS {
            for add in [false, true] {
                let (plan, x) = plan_of(isa, sides, add);
                let x = TensorData::I8(x);
                let (mut memory, mut out) = (plan.memory(), plan.outputs());
                let seconds = time(|| plan.run_into(&mut memory, &[&x], &mut out).unwrap());
                let [channels, outputs, group, size, kernel, stride] = sides;
                let macs = (size / stride).pow(2) * outputs * channels / group * kernel * kernel;
                let steps = plan.steps().count();
                let speed = macs as f64 / seconds * 1e-9;
                println!("{isa} {name} add {add} steps {steps}: {:.3} ms, {speed:.1} G/s", seconds * 1e3);
            }
        }
        let mut b = GraphBuilder::new();
        let x = b.input("x", DType::I8, Shape::fixed(&[1, 2048])).unwrap();
        let w = Tensor::try_new(vec![2048, 1000], TensorData::I8(bytes(2_048_000, 3))).unwrap();
        let w = b.constant(w).unwrap();
        let pairs = Tensor::try_new(vec![2, 1], TensorData::I64(vec![1 << 30, 42])).unwrap();
        let pairs = b.constant(pairs).unwrap();
        let op = QMatMul { zero_x: 1, zero_w: 0, zero_y: 0, low: -128, high: 127, to: DType::I8 };
        let y = b.node(op.into(), &[x, w, pairs]).unwrap();
        let graph = b.finish(&[y]).unwrap();
        let plan = Plan::with_isa(&graph, &[vec![1, 2048]], Limits::default(), isa).unwrap();
        let (mut memory, mut out, x) = (plan.memory(), plan.outputs(), TensorData::I8(bytes(2048, 4)));
        let seconds = time(|| plan.run_into(&mut memory, &[&x], &mut out).unwrap());
        println!("{isa} 2048-1000 row: {:.3} ms, {:.1} G/s", seconds * 1e3, 2.048e-3 / seconds);
    }
}
