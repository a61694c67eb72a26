//! The interpreter against the formulas, element by element in 128 bits.

use super::made::{ACTIVATIONS, Draw, WEIGHTS, run_node, tensor, whole, window};
use ir::op::tensor::{QAdd, QAveragePool, QConv, QMatMul, QMul, Requantize};
use ir::{DType, Tensor};
use proptest::prelude::*;

/// `clamp(floor(acc m 2^-s + 1/2) + zero, low, high)` for a sum that counts as 2^32 - 1 beyond that.
fn code(acc: i128, (m, s): (i64, i64), zero: i64, low: i64, high: i64) -> i64 {
    let most = (1i128 << 32) - 1;
    let up = acc.clamp(-most, most) * i128::from(m) + (1i128 << (s - 1));
    ((up >> s) + i128::from(zero)).clamp(low.into(), high.into()) as i64
}

fn pair_of(pairs: &Tensor, channel: usize) -> (i64, i64) {
    let (v, n) = (whole(pairs), pairs.dims()[1]);
    let at = if n == 1 { 0 } else { channel };
    (v[at], v[n + at])
}

/// Zero point, least and largest code of an output.
fn ends(draw: &mut Draw, to: DType) -> (i64, i64, i64) {
    let (a, b) = (draw.code(to), draw.code(to));
    let (least, most) = to.whole_range().unwrap();
    let whole = draw.below(2) == 0;
    let (low, high) = if whole { (least as i64, most as i64) } else { (a.min(b), a.max(b)) };
    (draw.code(to), low, high)
}

/// Elements of a convolution along two axes, straight from its definition.
fn convolved(op: &QConv, x: &Tensor, w: &Tensor, bias: &[i64], pairs: &Tensor) -> (Vec<usize>, Vec<i64>) {
    let [n, c, height, width] = x.dims() else { panic!() };
    let [m, each, kh, kw] = w.dims() else { panic!() };
    let (strides, dilations) = (&op.window.strides, &op.window.dilations);
    let ir::op::tensor::Pads::Explicit(pads) = &op.window.pads else { panic!() };
    let out = |size: usize, kernel: usize, axis: usize| {
        (size + pads[axis] + pads[axis + 2] - (kernel - 1) * dilations[axis] - 1) / strides[axis] + 1
    };
    let (oh, ow) = (out(*height, *kh, 0), out(*width, *kw, 1));
    let (xs, ws) = (whole(x), whole(w));
    let mut made = Vec::new();
    for image in 0..*n {
        for channel in 0..*m {
            for (i, j) in (0..oh).flat_map(|i| (0..ow).map(move |j| (i, j))) {
                let mut acc = i128::from(bias[channel]);
                for k in 0..*each {
                    for (a, b) in (0..*kh).flat_map(|a| (0..*kw).map(move |b| (a, b))) {
                        let row = (i * strides[0] + a * dilations[0]).checked_sub(pads[0]);
                        let column = (j * strides[1] + b * dilations[1]).checked_sub(pads[1]);
                        let (Some(row), Some(column)) = (row, column) else { continue };
                        if row >= *height || column >= *width {
                            continue;
                        }
                        let from = channel / (m / op.group) * each + k;
                        let x = xs[((image * c + from) * height + row) * width + column] - op.zero_x;
                        let w = ws[((channel * each + k) * kh + a) * kw + b];
                        acc += i128::from(x) * i128::from(w);
                    }
                }
                made.push(code(acc, pair_of(pairs, channel), op.zero_y, op.low, op.high));
            }
        }
    }
    (vec![*n, *m, oh, ow], made)
}

fn convolution(draw: &mut Draw) {
    let (dtype, of_weights, to) =
        (draw.one_of(&ACTIVATIONS), draw.one_of(&WEIGHTS), draw.one_of(&ACTIVATIONS));
    let (group, each, per_group) = (1 + draw.below(3), 1 + draw.below(3), 1 + draw.below(3));
    let (kh, kw) = (1 + draw.below(3), 1 + draw.below(3));
    let dilations = [1 + draw.below(2), 1 + draw.below(2)];
    let pads: Vec<usize> = (0..4).map(|_| draw.below(3)).collect();
    let (height, width) =
        ((kh - 1) * dilations[0] + 1 + draw.below(4), (kw - 1) * dilations[1] + 1 + draw.below(4));
    let n = 1 + draw.below(2);
    let x = draw.codes(dtype, &[n, group * each, height, width]);
    let w = draw.codes(of_weights, &[group * per_group, each, kh, kw]);
    let m = group * per_group;
    let bias: Vec<i64> = (0..m).map(|_| draw.range(-(1 << 20), 1 << 20)).collect();
    let bits = (dtype.bytes() + of_weights.bytes()) as i64 * 8 - to.bytes() as i64 * 8;
    let n_pairs = if draw.below(2) == 0 { 1 } else { m };
    let pairs = draw.pairs(n_pairs, bits);
    let (zero_y, low, high) = ends(draw, to);
    let op = QConv {
        window: window(&[], &[1 + draw.below(2), 1 + draw.below(2)], &dilations, &pads),
        group,
        zero_x: draw.code(dtype),
        zero_y,
        low,
        high,
        to,
    };
    let (dims, expected) = convolved(&op, &x, &w, &bias, &pairs);
    let got = run_node(op.clone().into(), &[x, w, tensor(DType::I32, &[m], &bias), pairs], 1);
    assert_eq!((got.dims(), whole(&got)), (&dims[..], expected), "{op:?}");
}

fn matrices(draw: &mut Draw) {
    let (dtype, of_weights, to) =
        (draw.one_of(&ACTIVATIONS), draw.one_of(&WEIGHTS), draw.one_of(&ACTIVATIONS));
    let (rows, inner, m) = (1 + draw.below(4), draw.below(9), 1 + draw.below(5));
    let (x, w) = (draw.codes(dtype, &[rows, inner]), draw.codes(of_weights, &[inner, m]));
    let (zero_x, zero_w) = (draw.code(dtype), draw.code(of_weights));
    let (zero_y, low, high) = ends(draw, to);
    let bits = (dtype.bytes() + of_weights.bytes()) as i64 * 8 - to.bytes() as i64 * 8;
    let pairs = draw.pairs(m, bits);
    let (xs, ws) = (whole(&x), whole(&w));
    let mut expected = Vec::new();
    for (row, column) in (0..rows).flat_map(|i| (0..m).map(move |j| (i, j))) {
        let term =
            |k: usize| i128::from(xs[row * inner + k] - zero_x) * i128::from(ws[k * m + column] - zero_w);
        expected.push(code((0..inner).map(term).sum(), pair_of(&pairs, column), zero_y, low, high));
    }
    let op = QMatMul { zero_x, zero_w, zero_y, low, high, to };
    let got = run_node(op.into(), &[x, w, pairs], 1);
    assert_eq!((got.dims(), whole(&got)), (&[rows, m][..], expected), "{op:?}");
}

fn elements(draw: &mut Draw) {
    let (of_a, of_b, to) = (draw.one_of(&ACTIVATIONS), draw.one_of(&ACTIVATIONS), draw.one_of(&ACTIVATIONS));
    let n = 1 + draw.below(20);
    let (a, b) = (draw.codes(of_a, &[n]), draw.codes(of_b, &[n]));
    let (zero_a, zero_b) = (draw.code(of_a), draw.code(of_b));
    let (zero_y, low, high) = ends(draw, to);
    let (big, small) = (draw.range(1 << 30, (1 << 31) - 1), draw.range(-(1 << 31) + 1, (1 << 31) - 1));
    let s = draw.range(1, 62);
    let (m_a, m_b) = if draw.below(2) == 0 { (-big, small) } else { (small, big) };
    let pair = draw.pairs(1, 8 * (of_a.bytes() + of_b.bytes() - to.bytes()) as i64);
    let both: Vec<(i128, i128)> = whole(&a)
        .iter()
        .zip(whole(&b))
        .map(|(&a, b)| (i128::from(a - zero_a), i128::from(b - zero_b)))
        .collect();
    let clamped = |v: i128| (v + i128::from(zero_y)).clamp(low.into(), high.into()) as i64;
    let sum = |&(a, b): &(i128, i128)| {
        clamped((a * i128::from(m_a) + b * i128::from(m_b) + (1i128 << (s - 1))) >> s)
    };
    let got = run_node(
        QAdd { zero_a, zero_b, zero_y, low, high, to }.into(),
        &[a.clone(), b.clone(), tensor(DType::I64, &[3], &[m_a, m_b, s])],
        2,
    );
    assert_eq!(whole(&got), both.iter().map(sum).collect::<Vec<_>>(), "QAdd {m_a} {m_b} {s}");
    let product = |&(a, b): &(i128, i128)| code(a * b, pair_of(&pair, 0), zero_y, low, high);
    let got =
        run_node(QMul { zero_a, zero_b, zero_y, low, high, to }.into(), &[a.clone(), b, pair.clone()], 2);
    assert_eq!(whole(&got), both.iter().map(product).collect::<Vec<_>>(), "QMul {pair:?}");
    let got = run_node(Requantize { zero_x: zero_a, zero_y, low, high, to }.into(), &[a, pair.clone()], 1);
    let requantized = |&(a, _): &(i128, i128)| code(a, pair_of(&pair, 0), zero_y, low, high);
    assert_eq!(whole(&got), both.iter().map(requantized).collect::<Vec<_>>(), "Requantize {pair:?}");
}

fn average(draw: &mut Draw) {
    let (dtype, to) = (draw.one_of(&ACTIVATIONS), draw.one_of(&ACTIVATIONS));
    let (kernel, stride) = (1 + draw.below(3), 1 + draw.below(3));
    let (before, after, n) = (draw.below(3), draw.below(3), kernel + draw.below(5));
    let x = draw.codes(dtype, &[1, 1, n]);
    let (zero_y, low, high) = ends(draw, to);
    let pair = draw.pairs(1, 8 * (dtype.bytes() as i64 - to.bytes() as i64));
    let (m, s) = pair_of(&pair, 0);
    let op = QAveragePool {
        window: window(&[kernel], &[stride], &[], &[before, after]),
        count_pads: draw.below(2) == 0,
        zero_x: draw.code(dtype),
        zero_y,
        low,
        high,
        to,
    };
    let v = whole(&x);
    let mut expected = Vec::new();
    for window in 0..=(n + before + after - kernel) / stride {
        let places = (0..kernel).filter_map(|k| (window * stride + k).checked_sub(before));
        let inside: Vec<i128> = places.filter(|&p| p < n).map(|p| i128::from(v[p] - op.zero_x)).collect();
        let count = if op.count_pads { kernel } else { inside.len().max(1) } as i128;
        let top = 2 * inside.iter().sum::<i128>() * i128::from(m) + (count << s);
        let mean = top.div_euclid((2 * count) << s);
        expected.push((mean + i128::from(zero_y)).clamp(low.into(), high.into()) as i64);
    }
    let got = run_node(op.clone().into(), &[x, pair], 1);
    assert_eq!(whole(&got), expected, "{op:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn operators_are_their_formulas(seed: u64) {
        let draw = &mut Draw::new(seed);
        convolution(draw);
        matrices(draw);
        elements(draw);
        average(draw);
    }
}
