//! Cases computed by hand.

use super::made::{graph_of, half, pairs, run_node, tensor, unit, whole, window};
use ir::fixed::Narrow;
use ir::op::tensor::{
    Gather, Pool, PoolKind, QAdd, QAveragePool, QConv, QLut, QMatMul, QMean, QMul, Requantize, Window,
};
use ir::{DType, Op, Tensor};

use DType::{I8, I16, I32, I64, U8, U16};
const I4: DType = DType::Narrow(Narrow::I4);
const U2: DType = DType::Narrow(Narrow::U2);

struct Case {
    name: &'static str,
    op: Op,
    inputs: Vec<Tensor>,
    dims: Vec<usize>,
    expected: Vec<i64>,
}

fn check(cases: Vec<Case>) {
    let mut failed = Vec::new();
    for case in cases {
        let got = run_node(case.op, &case.inputs, 1);
        if got.dims() != case.dims || whole(&got) != case.expected {
            failed.push(format!("{}: expected {:?} {:?}, got {got:?}", case.name, case.dims, case.expected));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn conv(window: Window) -> QConv {
    QConv { window, group: 1, zero_x: 0, zero_y: 0, low: -128, high: 127, to: I8 }
}

fn bias(v: &[i64]) -> Tensor {
    tensor(I32, &[v.len()], v)
}

#[test]
fn convolutions() {
    let plain = || window(&[], &[], &[], &[]);
    let one = |dtype, w| tensor(dtype, &[1, 1, 1], &[w]);
    check(vec![
        Case {
            name: "halves go up",
            op: conv(plain()).into(),
            inputs: vec![tensor(I8, &[1, 1, 4], &[1, 2, 3, -1]), one(I8, 1), bias(&[0]), half()],
            dims: vec![1, 1, 4],
            expected: vec![1, 1, 2, 0],
        },
        Case {
            name: "zero points, pads and a bias",
            op: QConv { zero_x: 7, zero_y: -5, ..conv(window(&[3], &[], &[], &[1, 1])) }.into(),
            inputs: vec![
                tensor(U8, &[1, 1, 3], &[7, 9, 7]),
                tensor(I8, &[1, 1, 3], &[1, 2, 3]),
                bias(&[1]),
                unit(),
            ],
            dims: vec![1, 1, 3],
            expected: vec![2, 0, -2],
        },
        Case {
            name: "two groups, a pair a channel",
            op: QConv { group: 2, ..conv(plain()) }.into(),
            inputs: vec![
                tensor(I8, &[1, 4, 1], &[1, 2, 3, 4]),
                tensor(I8, &[2, 2, 1], &[1, 2, 3, 4]),
                bias(&[0, 0]),
                pairs(&[(1 << 30, 31), (1 << 30, 30)]),
            ],
            dims: vec![1, 2, 1],
            expected: vec![3, 25],
        },
        Case {
            name: "depthwise, dilated",
            op: QConv { group: 2, ..conv(window(&[2], &[1], &[3], &[])) }.into(),
            inputs: vec![
                tensor(I8, &[1, 2, 5], &[1, 2, 3, 4, 5, 10, 20, 30, 40, 50]),
                tensor(I8, &[2, 1, 2], &[1, -1, 2, 1]),
                bias(&[0, 0]),
                unit(),
            ],
            dims: vec![1, 2, 2],
            expected: vec![-3, -3, 60, 90],
        },
        Case {
            name: "an absorbed Relu6 stands above the zero point",
            op: QConv { zero_y: 3, low: 3, high: 9, ..conv(plain()) }.into(),
            inputs: vec![tensor(I8, &[1, 1, 4], &[-4, 0, 2, 7]), one(I8, 1), bias(&[0]), unit()],
            dims: vec![1, 1, 4],
            expected: vec![3, 3, 5, 9],
        },
        Case {
            name: "both ends saturate",
            op: conv(plain()).into(),
            inputs: vec![tensor(I8, &[1, 1, 2], &[-128, 127]), one(I8, 127), bias(&[0]), unit()],
            dims: vec![1, 1, 2],
            expected: vec![-128, 127],
        },
        Case {
            name: "16 bits",
            op: QConv { low: -32_768, high: 32_767, to: I16, ..conv(plain()) }.into(),
            inputs: vec![
                tensor(I16, &[1, 1, 2], &[30_000, -30_000]),
                one(I16, 32_767),
                bias(&[0]),
                pairs(&[(1 << 30, 45)]),
            ],
            dims: vec![1, 1, 2],
            expected: vec![29_999, -29_999],
        },
        Case {
            name: "a sum beyond 32 bits",
            op: QConv { low: -32_768, high: 32_767, to: I16, ..conv(plain()) }.into(),
            inputs: vec![
                tensor(U16, &[1, 2, 1], &[65_535, 65_535]),
                tensor(I16, &[1, 2, 1], &[-32_768, -32_768]),
                bias(&[0]),
                pairs(&[(1 << 30, 47)]),
            ],
            dims: vec![1, 1, 1],
            expected: vec![-32_767],
        },
        Case {
            name: "weights of 4 bits",
            op: conv(plain()).into(),
            inputs: vec![
                tensor(I8, &[1, 2, 1], &[3, 5]),
                tensor(I4, &[1, 2, 1], &[-8, 7]),
                bias(&[0]),
                unit(),
            ],
            dims: vec![1, 1, 1],
            expected: vec![11],
        },
        Case {
            name: "an image with a stride",
            op: conv(window(&[2, 2], &[2, 1], &[], &[0, 1, 0, 0])).into(),
            inputs: vec![
                tensor(I8, &[1, 1, 2, 3], &[1, 2, 3, 4, 5, 6]),
                tensor(I8, &[1, 1, 2, 2], &[1, 10, 3, 0]),
                bias(&[0]),
                unit(),
            ],
            dims: vec![1, 1, 1, 3],
            // [10 1], [1 + 20 + 12], [2 + 30 + 15]
            expected: vec![10, 33, 47],
        },
        Case {
            name: "numbers of 32 bits, twice the sum",
            op: QConv { low: i32::MIN.into(), high: i32::MAX.into(), to: I32, ..conv(plain()) }.into(),
            inputs: vec![
                tensor(I16, &[1, 1, 3], &[-3, 32_767, -32_768]),
                one(I16, 32_767),
                bias(&[1]),
                pairs(&[(1 << 30, 29)]),
            ],
            dims: vec![1, 1, 3],
            expected: vec![-196_600, 2_147_352_580, -2_147_418_110],
        },
        Case {
            name: "numbers of 32 bits, both ends",
            op: QConv { low: i32::MIN.into(), high: 5, to: I32, ..conv(plain()) }.into(),
            inputs: vec![
                tensor(I16, &[1, 1, 2], &[-32_768, 32_767]),
                one(I16, 32_767),
                bias(&[1]),
                pairs(&[(1 << 30, 28)]),
            ],
            dims: vec![1, 1, 2],
            expected: vec![i32::MIN.into(), 5],
        },
        Case {
            name: "no image",
            op: conv(plain()).into(),
            inputs: vec![tensor(I8, &[0, 1, 4], &[]), one(I8, 1), bias(&[0]), unit()],
            dims: vec![0, 1, 4],
            expected: vec![],
        },
    ]);
}

#[test]
fn products_of_matrices() {
    let op = QMatMul { zero_x: 1, zero_w: -2, zero_y: 4, low: -128, high: 127, to: I8 };
    check(vec![
        Case {
            name: "a row",
            op: op.into(),
            inputs: vec![
                tensor(I8, &[2], &[3, 0]),
                tensor(I8, &[2, 2], &[-2, -1, 3, 5]),
                bias(&[10, -20]),
                unit(),
            ],
            dims: vec![2],
            // x - 1 = [2, -1], w + 2 = [[0, 1], [5, 7]]
            expected: vec![10 - 5 + 4, -20 + 2 - 7 + 4],
        },
        Case {
            name: "a stack times a stack, without a bias, a pair a column",
            op: QMatMul { zero_x: 0, zero_w: 0, zero_y: 0, ..op }.into(),
            inputs: vec![
                tensor(I8, &[2, 1, 2], &[1, 2, 3, 4]),
                tensor(U2, &[2, 2, 2], &[1, 0, 0, 1, 3, 1, 2, 0]),
                pairs(&[(1 << 30, 30), (1 << 30, 31)]),
            ],
            dims: vec![2, 1, 2],
            expected: vec![1, 1, 17, 2],
        },
        Case {
            name: "a sum of no product is its bias",
            op: QMatMul { zero_y: 0, ..op }.into(),
            inputs: vec![tensor(I8, &[2, 0], &[]), tensor(I8, &[0, 1], &[]), bias(&[5]), half()],
            dims: vec![2, 1],
            expected: vec![3, 3],
        },
    ]);
}

#[test]
fn elements() {
    let factors = |a, b, s| tensor(I64, &[3], &[a, b, s]);
    let add = QAdd { zero_a: 1, zero_b: 10, zero_y: -3, low: -128, high: 127, to: I8 };
    let mul = QMul { zero_a: 1, zero_b: 10, zero_y: -3, low: -20, high: 20, to: I8 };
    check(vec![
        Case {
            name: "QAdd: a and half of b, halves up",
            op: add.into(),
            inputs: vec![
                tensor(I8, &[4], &[1, 2, 3, 0]),
                tensor(U8, &[4], &[10, 11, 13, 9]),
                factors(1 << 30, 1 << 29, 30),
            ],
            dims: vec![4],
            // a - 1 = 0 1 2 -1; (b - 10) / 2 = 0 0.5 1.5 -0.5
            expected: vec![-3, 2 - 3, 4 - 3, -1 - 3],
        },
        Case {
            name: "QAdd: a difference that broadcasts and saturates",
            op: add.into(),
            inputs: vec![
                tensor(I8, &[2, 1], &[101, -128]),
                tensor(U8, &[2], &[0, 255]),
                factors(1 << 30, -(1 << 30), 30),
            ],
            dims: vec![2, 2],
            expected: vec![107, -128, -122, -128],
        },
        Case {
            name: "QMul",
            op: mul.into(),
            inputs: vec![tensor(I8, &[4], &[4, 4, 0, -128]), tensor(U8, &[4], &[11, 9, 11, 255]), half()],
            dims: vec![4],
            // 1.5, -1.5, -0.5, far below
            expected: vec![2 - 3, -1 - 3, -3, -20],
        },
        Case {
            name: "Requantize: 32 bits to 16",
            op: Requantize { zero_x: -5, zero_y: 7, low: 0, high: 65_535, to: U16 }.into(),
            inputs: vec![tensor(I32, &[4], &[-5, -4, i32::MAX.into(), i32::MIN.into()]), half()],
            dims: vec![4],
            expected: vec![7, 8, 65_535, 0],
        },
        Case {
            name: "Requantize: the other sign",
            op: Requantize { zero_x: -128, zero_y: 0, low: 0, high: 255, to: U8 }.into(),
            inputs: vec![tensor(I8, &[3], &[-128, 0, 127]), unit()],
            dims: vec![3],
            expected: vec![0, 128, 255],
        },
    ]);
    let table: Vec<i64> = (0..256).map(|i| i * 256 - 32_768).collect();
    let table = tensor(I16, &[256], &table);
    check(vec![
        Case {
            name: "QLut of i8",
            op: QLut { to: I16 }.into(),
            inputs: vec![tensor(I8, &[3], &[-128, 0, 127]), table.clone()],
            dims: vec![3],
            expected: vec![-32_768, 0, 32_512],
        },
        Case {
            name: "QLut of u8",
            op: QLut { to: I16 }.into(),
            inputs: vec![tensor(U8, &[3], &[0, 128, 255]), table],
            dims: vec![3],
            expected: vec![-32_768, 0, 32_512],
        },
    ]);
}

#[test]
fn means() {
    let pool = QAveragePool {
        window: window(&[2], &[2], &[], &[1, 1]),
        count_pads: false,
        zero_x: 1,
        zero_y: 100,
        low: -128,
        high: 127,
        to: I8,
    };
    let mean = QMean { axes: vec![2, -1], keep: true, zero_x: 1, zero_y: 0, low: -128, high: 127, to: I8 };
    let x = || tensor(I8, &[1, 1, 4], &[4, 2, 3, -4]);
    check(vec![
        Case {
            name: "pads do not count",
            op: pool.clone().into(),
            inputs: vec![x(), unit()],
            dims: vec![1, 1, 3],
            // 3; (1 + 2) / 2; -5
            expected: vec![103, 102, 95],
        },
        Case {
            name: "pads count",
            op: QAveragePool { count_pads: true, ..pool.clone() }.into(),
            inputs: vec![x(), unit()],
            dims: vec![1, 1, 3],
            // 1.5; 1.5; -2.5
            expected: vec![102, 102, 98],
        },
        Case {
            name: "windows in the pad alone are 0",
            op: QAveragePool { window: window(&[1], &[1], &[], &[1, 0]), ..pool }.into(),
            inputs: vec![x(), unit()],
            dims: vec![1, 1, 5],
            expected: vec![100, 103, 101, 102, 95],
        },
        Case {
            name: "one mean a channel, halves up",
            op: mean.clone().into(),
            inputs: vec![tensor(I8, &[1, 2, 2, 1], &[1, 2, 1, 0]), unit()],
            dims: vec![1, 2, 1, 1],
            expected: vec![1, 0],
        },
        Case {
            name: "the channels, not kept, and a factor of one half",
            op: QMean { axes: vec![1], keep: false, zero_y: -1, ..mean.clone() }.into(),
            inputs: vec![tensor(I8, &[1, 3, 2], &[1, 101, 2, 1, 4, 1]), half()],
            dims: vec![1, 2],
            // 4 / 6, 100 / 6
            expected: vec![0, 16],
        },
        Case {
            name: "all axes",
            op: QMean { axes: vec![], keep: false, low: 2, ..mean }.into(),
            inputs: vec![tensor(I8, &[2, 2], &[1, 1, 2, 3]), unit()],
            dims: vec![],
            expected: vec![2],
        },
    ]);
}

#[test]
fn operators_that_choose_take_codes() {
    let pool =
        Pool { kind: PoolKind::Max { places: None }, window: window(&[2], &[], &[], &[]), ceil: false };
    check(vec![
        Case {
            name: "MaxPool of 16 bits",
            op: pool.into(),
            inputs: vec![tensor(I16, &[1, 1, 3], &[-300, -200, 400])],
            dims: vec![1, 1, 2],
            expected: vec![-200, 400],
        },
        Case {
            name: "a codebook",
            op: Gather::Slices { axis: 0 }.into(),
            inputs: vec![tensor(I8, &[4], &[-100, 3, 7, 90]), tensor(U2, &[2, 2], &[3, 0, 2, 1])],
            dims: vec![2, 2],
            expected: vec![90, -100, 7, 3],
        },
    ]);
}

#[test]
fn misfits_say_what_is_wrong() {
    let x = || tensor(I8, &[1, 1, 4], &[1, 2, 3, 4]);
    let w = || tensor(I8, &[1, 1, 1], &[1]);
    let plain = || conv(window(&[], &[], &[], &[]));
    let add = QAdd { zero_a: 0, zero_b: 0, zero_y: 0, low: -128, high: 127, to: I8 };
    let lut = |to| -> Op { QLut { to }.into() };
    let cases: Vec<(Op, Vec<Tensor>, &str)> = vec![
        (
            QConv { zero_x: 128, ..plain() }.into(),
            vec![x(), w(), bias(&[0]), unit()],
            "(QConv): zero point of the input: expected a code of i8, got 128",
        ),
        (
            QConv { high: 128, ..plain() }.into(),
            vec![x(), w(), bias(&[0]), unit()],
            "(QConv): low and high: expected low <= high, both codes of i8, got -128 and 128",
        ),
        (QConv { low: 5, high: 4, ..plain() }.into(), vec![x(), w(), bias(&[0]), unit()], "got 5 and 4"),
        (
            QConv { to: I64, ..plain() }.into(),
            vec![x(), w(), bias(&[0]), unit()],
            "(QConv): output_dtype: expected i8, u8, i16 or u16, got i64",
        ),
        (
            plain().into(),
            vec![x(), w(), bias(&[0, 0]), unit()],
            "(QConv): bias: expected i32 [1], got i32 [2]",
        ),
        (
            plain().into(),
            vec![x(), w(), bias(&[0]), pairs(&[(1 << 30, 1), (1 << 30, 1)])],
            "(QConv): pairs: expected i64 [2, 1] or [2, 1], got i64 [2, 2]",
        ),
        (
            plain().into(),
            vec![x(), w(), bias(&[0]), pairs(&[(1 << 31, 5)])],
            "(QConv): pairs: expected multipliers from 2^30 below 2^31, shifts of 1 to 62, got 2147483648 and 5",
        ),
        (
            plain().into(),
            vec![x(), tensor(I32, &[1, 1, 1], &[1]), bias(&[0]), unit()],
            "(QConv): weights: expected i8, u8, i16, i4, u4, i2 or u2, got i32 [1, 1, 1]",
        ),
        (
            QConv { group: 2, ..plain() }.into(),
            vec![x(), w(), bias(&[0]), unit()],
            "(QConv): weights: expected 1 channels in 2 groups",
        ),
        (
            add.into(),
            vec![x(), x(), tensor(I64, &[3], &[1 << 29, 1, 30])],
            "(QAdd): factors: expected the larger of |m_a| and |m_b| from 2^30 below 2^31, a shift of 1 to 62",
        ),
        (
            add.into(),
            vec![x(), tensor(I32, &[4], &[1, 2, 3, 4]), tensor(I64, &[3], &[1 << 30, 1, 30])],
            "(QAdd): second input: expected i8, u8, i16 or u16, got i32 [4]",
        ),
        (lut(I8), vec![x(), tensor(I8, &[255], &[0; 255])], "(QLut): table: expected i8 [256], got i8 [255]"),
        (
            lut(I8),
            vec![tensor(I16, &[1], &[0]), tensor(I8, &[256], &[0; 256])],
            "(QLut): input: expected i8 or u8, got i16 [1]",
        ),
    ];
    for (op, inputs, expected) in cases {
        let error = graph_of(op, &inputs, 1).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}\n{error}");
    }
}
