//! Every operator of networks is read back from its name and attributes as it was.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use smidgen_ir::fixed::{Half, Overflow, PowerRounding};
use smidgen_ir::forest::Child;
use smidgen_ir::op::tensor::*;
use smidgen_ir::op::{Attr, Attrs};
use smidgen_ir::real_forest::{Precision, RealSplit, RealTree, Rule};
use smidgen_ir::{DType, Graph, GraphBuilder, RealForest, Shape, Tensor, TensorData};
use std::collections::BTreeSet;

fn window(pads: Pads) -> Window {
    Window { kernel_shape: vec![3, 2], strides: vec![2, 1], dilations: vec![], pads }
}

fn forest() -> Box<RealForest> {
    let split = |rule, missing_is_yes, yes, no| RealSplit { feature: 1, rule, missing_is_yes, yes, no };
    let tree = RealTree {
        first_output: 1,
        width: 1,
        splits: vec![
            split(Rule::Within(vec![[0.1, 0.5], [2.0, 3.0]]), true, Child::Leaf(1), Child::Split(1)),
            split(Rule::Less(-0.25), false, Child::Leaf(0), Child::Leaf(2)),
        ],
        leaves: vec![0.5, -1.0, 1e-9],
        leaf_ids: vec![7, 1, 3],
    };
    Box::new(RealForest::try_new(2, Precision::Double, vec![0.0, 1.5], vec![tree]).unwrap())
}

/// At least one of each variant, and of each kind within it.
fn members() -> Vec<TensorOp> {
    let mut all: Vec<TensorOp> = vec![
        Identity.into(),
        Where.into(),
        Det.into(),
        Expand.into(),
        LabelEncoder.into(),
        NonZero.into(),
        Range.into(),
        Tile.into(),
        DynamicQuantizeLinear.into(),
        BatchNormalization { epsilon: 1e-5 }.into(),
        LayerNormalization { axis: -1, epsilon: 1e-3 }.into(),
        Lrn { alpha: 1e-4, beta: 0.75, bias: 2.0, size: 5 }.into(),
        ConstantOfShape { value: Tensor::vector(TensorData::Str(vec!["é".into()])) }.into(),
        ConstantOfShape { value: Tensor::vector(TensorData::F64(vec![f64::NAN])) }.into(),
        Einsum { equation: "bij,bjk->bik".into() }.into(),
        Concat { axis: -2 }.into(),
        OneHot { axis: i64::MIN }.into(),
        Col2Im { strides: vec![1, 2], dilations: vec![], pads: vec![0, 1, 2, 3] }.into(),
        Dft { inverse: true, onesided: false }.into(),
        EyeLike { dtype: DType::Half(Half::BF16), k: -3 }.into(),
        Gemm { alpha: 0.5, beta: -1.0, transpose_a: false, transpose_b: true }.into(),
        MaxUnpool { window: window(Pads::Explicit(vec![1, 0, 1, 0])) }.into(),
        NonMaxSuppression { by_centre: true }.into(),
        ReverseSequence { batch_axis: 1, time_axis: 0 }.into(),
        Split { axis: 1, n_parts: 3 }.into(),
        TopK { axis: -1, largest: false }.into(),
        Trilu { upper: true }.into(),
        TreeEnsemble { forest: forest(), aggregate: Aggregate::Average }.into(),
        Recurrent {
            cell: Cell::Rnn,
            direction: Direction::Reverse,
            hidden: 4,
            activations: vec![Activation { kind: ActivationKind::Affine, alpha: 0.5, beta: -2.0 }],
            clip: Some(3.5),
            batch_first: true,
            slots: vec![],
        }
        .into(),
    ];
    let window_of = || window(Pads::Explicit(vec![0, 1, 2, 3]));
    let (zero_x, zero_w, zero_y, low, high, to) = (3, -7, -128, -128, 100, DType::I8);
    let (zero_a, zero_b) = (32_767, -1);
    all.extend([
        QConv { window: window_of(), group: 4, zero_x, zero_y, low, high, to }.into(),
        QMatMul { zero_x, zero_w, zero_y, low, high, to }.into(),
        QAdd { zero_a, zero_b, zero_y, low, high, to }.into(),
        QMul { zero_a, zero_b, zero_y, low, high, to }.into(),
        QAveragePool { window: window_of(), count_pads: true, zero_x, zero_y, low, high, to }.into(),
        QMean { axes: vec![-1, 2], keep: true, zero_x, zero_y, low, high, to }.into(),
        QLut { to: DType::U16 }.into(),
        Requantize { zero_x, zero_y, low, high, to }.into(),
    ]);
    let roi = |of_max| RoiAlign {
        height: 2,
        width: 3,
        sampling_ratio: 0,
        spatial_scale: 0.0625,
        of_max,
        half_pixel: !of_max,
    };
    all.extend([true, false].map(|b| roi(b).into()));
    all.extend(Unary::ALL.iter().map(|u| (*u).into()));
    let binary = [
        Binary::Add,
        Binary::Sub,
        Binary::Mul,
        Binary::Div,
        Binary::Pow,
        Binary::Mod,
        Binary::FMod,
        Binary::Min,
        Binary::Max,
        Binary::PRelu,
        Binary::And,
        Binary::Or,
        Binary::Xor,
        Binary::BitwiseAnd,
        Binary::BitwiseOr,
        Binary::BitwiseXor,
        Binary::ShiftLeft,
        Binary::ShiftRight,
    ];
    all.extend(binary.map(Into::into));
    let compare =
        [Compare::Equal, Compare::Less, Compare::LessOrEqual, Compare::Greater, Compare::GreaterOrEqual];
    all.extend(compare.map(Into::into));
    for &kind in ActivationKind::ALL {
        let (alpha, beta) = match Activation::plain(kind).into_attrs().len() {
            0 => (0.0, 0.0),
            1 => (0.25, 0.0),
            _ => (0.25, 0.75),
        };
        all.push(Activation { kind, alpha, beta }.into());
    }
    for [a, b] in [[false, false], [false, true], [true, false], [true, true]] {
        all.push(FloatTest::IsInf { negative: a, positive: b }.into());
        all.push(ArgExtreme { largest: a, axis: -1, keep_dims: b, last: a }.into());
        all.push(Cumulative { of_products: a, exclusive: b, reverse: a }.into());
        all.push(Slice { has_axes: a, has_steps: b }.into());
        all.push(Unique { axis: a.then_some(2), sorted: b }.into());
        let axes = a.then(|| vec![-1, 0]);
        all.push(CenterCropPad { axes }.into());
        all.push(Compress { axis: a.then_some(-1) }.into());
        all.push(Transpose { order: a.then(|| vec![1, 0]) }.into());
        all.push(ShapeOf::Lengths { start: -1, end: a.then_some(3) }.into());
        all.push(DepthSpace::ToSpace { block: 2, last: a }.into());
        all.push(Reshape::To { allow_zero: a }.into());
        all.extend(
            ReduceKind::ALL.iter().map(|&kind| Reduce { kind, keep_dims: a, none_without_axes: b }.into()),
        );
    }
    all.extend([FloatTest::IsNan.into(), ShapeOf::Count.into(), DepthSpace::ToDepth { block: 3 }.into()]);
    all.extend([Reshape::Flatten { axis: -1 }.into(), Squeeze::Add.into(), Squeeze::Remove.into()]);
    all.extend([MatMul::Numbers.into(), MatMul::Integers.into()]);
    all.extend(
        [SoftmaxKind::Soft, SoftmaxKind::LogSoft, SoftmaxKind::Hard]
            .map(|kind| Softmax { kind, axis: 1 }.into()),
    );
    all.extend(
        [PadMode::Constant, PadMode::Edge, PadMode::Reflect, PadMode::Wrap].map(|mode| Pad { mode }.into()),
    );
    all.extend(
        [Gather::Slices { axis: 1 }, Gather::Elements { axis: -1 }, Gather::Nd { batch_dims: 1 }]
            .map(Into::into),
    );
    for &reduction in ScatterReduction::ALL {
        all.extend([None, Some(-2)].map(|axis| Scatter { axis, reduction }.into()));
    }
    for pads in [Pads::Explicit(vec![]), Pads::SameUpper, Pads::SameLower, Pads::Valid] {
        all.push(Conv { window: window(pads.clone()), group: 2, of_integers: pads == Pads::Valid }.into());
        let output_shape = (pads == Pads::SameLower).then(|| vec![5, 6]);
        let window = window(pads);
        all.push(ConvTranspose { window, group: 1, output_padding: vec![1, 0], output_shape }.into());
    }
    let pools = [
        PoolKind::Max { places: None },
        PoolKind::Max { places: Some(PlaceOrder::Rows) },
        PoolKind::Max { places: Some(PlaceOrder::Columns) },
        PoolKind::Average { with_pads: true },
        PoolKind::Average { with_pads: false },
        PoolKind::Norm { p: 3 },
    ];
    all.extend(pools.map(|kind| Pool { kind, window: window(Pads::Valid), ceil: true }.into()));
    for rounding in [PowerRounding::Up, PowerRounding::Down, PowerRounding::Nearest] {
        for overflow in [Overflow::Saturate, Overflow::Special] {
            all.extend(DType::ALL.iter().map(|&to| Cast { to, overflow, rounding }.into()));
        }
    }
    for (block, precision) in [(0, None), (16, Some(DType::F32))] {
        let overflow = Overflow::Special;
        all.push(QuantizeLinear { axis: 1, block, to: DType::I8, precision, overflow }.into());
        all.push(DequantizeLinear { axis: -1, block, to: DType::F64 }.into());
    }
    for &sampling in Sampling::ALL {
        for beyond in [Beyond::Zeros, Beyond::Border, Beyond::Reflection] {
            all.push(GridSample { sampling, beyond, align_corners: sampling == Sampling::Cubic }.into());
        }
        for &nearest in NearestMode::ALL {
            for &coordinates in Coordinates::ALL {
                let mode = ResizeMode {
                    sampling,
                    nearest,
                    cubic_a: -0.5,
                    exclude_outside: true,
                    antialias: false,
                    extrapolation: 9.0,
                };
                let axes = (nearest == NearestMode::Ceil).then(|| vec![2, 3]);
                for &policy in ResizePolicy::ALL {
                    for by in [ResizeBy::Scales, ResizeBy::Sizes] {
                        all.push(Resize { by, policy, axes: axes.clone(), coordinates, mode }.into());
                    }
                }
            }
        }
    }
    let cells = [
        Cell::Lstm { input_forget: true, is_quantized: false },
        Cell::Lstm { input_forget: false, is_quantized: true },
        Cell::Gru { linear_before_reset: true },
    ];
    for cell in cells {
        all.push(
            Recurrent {
                cell,
                direction: Direction::Both,
                hidden: 1,
                activations: ActivationKind::ALL.iter().map(|&kind| Activation::plain(kind)).collect(),
                clip: None,
                batch_first: false,
                slots: RecurrentSlot::ALL.to_vec(),
            }
            .into(),
        );
    }
    all
}

/// Variants that a file can hold.
const N_VARIANTS: usize = 67;

/// A number for each of them; without `_`, so that a new one asks for its place here.
fn variant(op: &TensorOp) -> usize {
    match op {
        TensorOp::Identity(_) => 0,
        TensorOp::Binary(_) => 1,
        TensorOp::Compare(_) => 2,
        TensorOp::Unary(_) => 3,
        TensorOp::Activation(_) => 4,
        TensorOp::FloatTest(_) => 5,
        TensorOp::Where(_) => 6,
        TensorOp::Cast(_) => 7,
        TensorOp::Reduce(_) => 8,
        TensorOp::ArgExtreme(_) => 9,
        TensorOp::Cumulative(_) => 10,
        TensorOp::TopK(_) => 11,
        TensorOp::Softmax(_) => 12,
        TensorOp::MatMul(_) => 13,
        TensorOp::Gemm(_) => 14,
        TensorOp::Einsum(_) => 15,
        TensorOp::Conv(_) => 16,
        TensorOp::ConvTranspose(_) => 17,
        TensorOp::Pool(_) => 18,
        TensorOp::MaxUnpool(_) => 19,
        TensorOp::Col2Im(_) => 20,
        TensorOp::BatchNormalization(_) => 21,
        TensorOp::LayerNormalization(_) => 22,
        TensorOp::Lrn(_) => 23,
        TensorOp::Recurrent(_) => 24,
        TensorOp::ShapeOf(_) => 25,
        TensorOp::Reshape(_) => 26,
        TensorOp::Squeeze(_) => 27,
        TensorOp::Transpose(_) => 28,
        TensorOp::Concat(_) => 29,
        TensorOp::Split(_) => 30,
        TensorOp::Slice(_) => 31,
        TensorOp::Gather(_) => 32,
        TensorOp::Scatter(_) => 33,
        TensorOp::Pad(_) => 34,
        TensorOp::CenterCropPad(_) => 35,
        TensorOp::Tile(_) => 36,
        TensorOp::Expand(_) => 37,
        TensorOp::ConstantOfShape(_) => 38,
        TensorOp::Range(_) => 39,
        TensorOp::OneHot(_) => 40,
        TensorOp::EyeLike(_) => 41,
        TensorOp::Trilu(_) => 42,
        TensorOp::ReverseSequence(_) => 43,
        TensorOp::DepthSpace(_) => 44,
        TensorOp::Resize(_) => 45,
        TensorOp::GridSample(_) => 46,
        TensorOp::RoiAlign(_) => 47,
        TensorOp::Compress(_) => 48,
        TensorOp::NonZero(_) => 49,
        TensorOp::Unique(_) => 50,
        TensorOp::NonMaxSuppression(_) => 51,
        TensorOp::Det(_) => 52,
        TensorOp::Dft(_) => 53,
        TensorOp::QuantizeLinear(_) => 54,
        TensorOp::DequantizeLinear(_) => 55,
        TensorOp::DynamicQuantizeLinear(_) => 56,
        TensorOp::QConv(_) => 57,
        TensorOp::QMatMul(_) => 58,
        TensorOp::QAdd(_) => 59,
        TensorOp::QMul(_) => 60,
        TensorOp::QAveragePool(_) => 61,
        TensorOp::QMean(_) => 62,
        TensorOp::QLut(_) => 63,
        TensorOp::Requantize(_) => 64,
        TensorOp::LabelEncoder(_) => 65,
        TensorOp::TreeEnsemble(_) => 66,
        // Graphs inside: no file holds them.
        TensorOp::If(_) | TensorOp::Loop(_) | TensorOp::Scan(_) => usize::MAX,
    }
}

trait IntoAttrs {
    fn into_attrs(self) -> Vec<(String, Attr)>;
}

impl<T: Into<TensorOp>> IntoAttrs for T {
    fn into_attrs(self) -> Vec<(String, Attr)> {
        let op: TensorOp = self.into();
        op.payload().attrs().into_iter().map(|(name, attr)| (name.to_string(), attr)).collect()
    }
}

#[test]
fn attributes_say_all_of_an_operator() {
    let mut seen = BTreeSet::new();
    for op in members() {
        let attrs = Attrs(op.clone().into_attrs());
        let back = TensorOp::parse(op.payload().name(), &attrs).unwrap();
        // By text too, where NaN is equal.
        assert!(back == op || format!("{back:?}") == format!("{op:?}"), "{op:?} came back as {back:?}");
        seen.insert(variant(&op));
    }
    let missing: Vec<usize> = (0..N_VARIANTS).filter(|at| !seen.contains(at)).collect();
    assert_eq!(missing, Vec::<usize>::new(), "variants without a member here");
}

#[test]
fn other_attributes_are_refused() {
    for op in members().into_iter().step_by(7) {
        let (name, attrs) = (op.payload().name(), op.clone().into_attrs());
        let mut more = attrs.clone();
        more.push(("colour".into(), Attr::Int(1)));
        let error = TensorOp::parse(name, &Attrs(more)).unwrap_err().to_string();
        assert!(error.contains("attribute \"colour\""), "{error}");
        for at in 0..attrs.len() {
            let mut other = attrs.clone();
            // Of another kind than any that an operator asks for here.
            other[at].1 = match other[at].1 {
                Attr::Word(_) => Attr::Int(0),
                _ => Attr::Word("?".into()),
            };
            assert!(TensorOp::parse(name, &Attrs(other)).is_err(), "{op:?} without {}", attrs[at].0);
        }
    }
    assert!(
        TensorOp::parse("Colour", &Attrs::default()).unwrap_err().to_string().contains("operator \"Colour\"")
    );
}

fn empty_graph() -> Graph {
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::F32, Shape::default()).unwrap();
    b.finish(&[x]).unwrap()
}

#[test]
fn operators_with_graphs_inside_are_refused_by_name() {
    let (then_branch, else_branch) = (empty_graph(), empty_graph());
    let op: TensorOp = If { then_branch, else_branch }.into();
    let error = TensorOp::parse(op.payload().name(), &Attrs(op.into_attrs())).unwrap_err();
    assert!(error.to_string().contains("operator \"If\""), "{error}");
}
