//! Models made by hand: each operator that the random models do not have, and each function at its corners.

use super::rows::{Case, Cells};
use ir::digest::SplitMix64;
use ir::fixed::Requantize;
use ir::forest::{Child, CodeSet, CodedFeature, Split, Test, Tree};
use ir::op::{
    ArgMax, Arithmetic, BSpline, Bin, Cascade, Cast, Codes, Columns, Comparison, ForestOp, Function, Gate,
    Gather, ImputeNeighbours, Interpolate, IsNaN, LabelEncoder, LeastCost, Link, LinkKind, MatMul,
    NearestRows, OneHot, QGemm, QuantizeLinear, RbfSums, Reduce, Respell, ScoreCurve, Sum, Tables, Threshold,
    TimePart, ToScores, Votes, VotesKind, WeightedSum, Where,
};
use ir::text::time::{Part, TimeFormat};
use ir::{
    Card, ColumnKind, DType, Forest, GraphBuilder, Input, Model, Op, OutputRole, Shape, Signature, Task,
    Tensor, TensorData, ValueIdx,
};

/// A model of columns, while it is made.
struct Making {
    b: GraphBuilder,
    inputs: Vec<Input>,
    outputs: Vec<(String, ValueIdx)>,
}

impl Making {
    fn new(columns: &[(&str, ColumnKind, DType)]) -> (Making, Vec<ValueIdx>) {
        let mut b = GraphBuilder::new();
        let values =
            columns.iter().map(|(name, _, dtype)| b.input(name, *dtype, Shape::rows()).unwrap()).collect();
        let inputs = columns.iter().map(|(name, kind, dtype)| Input {
            name: (*name).into(),
            kind: *kind,
            dtype: *dtype,
        });
        (Making { b, inputs: inputs.collect(), outputs: Vec::new() }, values)
    }

    fn node(&mut self, op: Op, inputs: &[ValueIdx]) -> ValueIdx {
        self.b.node(op, inputs).unwrap()
    }

    fn doubles(&mut self, values: &[f64]) -> ValueIdx {
        self.b.constant(Tensor::vector(TensorData::F64(values.to_vec()))).unwrap()
    }

    fn texts(&mut self, values: &[&str]) -> ValueIdx {
        self.b
            .constant(Tensor::vector(TensorData::Str(values.iter().map(|v| v.to_string()).collect())))
            .unwrap()
    }

    /// An output `[N]`, or each column of `[N, K]`.
    fn give(&mut self, name: &str, value: ValueIdx) {
        let cast = match self.b.dtype(value).unwrap() {
            DType::F64 => value,
            _ => self.node(Op::Cast(Cast), &[value]),
        };
        let shape = self.b.shape(cast).unwrap().clone();
        let ir::Dim::Fixed(width) = *shape.0.get(1).unwrap_or(&ir::Dim::Fixed(0)) else { panic!("{shape}") };
        if width == 0 {
            return self.outputs.push((name.to_string(), cast));
        }
        for k in 0..width {
            let at = self.b.constant(Tensor::scalar(TensorData::I64(vec![k as i64])).unwrap()).unwrap();
            let column = self.node(Op::Gather(Gather), &[cast, at]);
            self.outputs.push((format!("{name} {k}"), column));
        }
    }

    fn matrix(&mut self, dims: [usize; 2], data: TensorData) -> ValueIdx {
        self.b.constant(Tensor::try_new(dims.to_vec(), data).unwrap()).unwrap()
    }

    /// Multipliers and shifts near 1 / 3.
    fn requantize(&mut self, n: usize) -> ValueIdx {
        let pair = Requantize::of(1.0 / 3.0).unwrap();
        let values = [vec![pair.multiplier(); n], vec![pair.shift(); n]].concat();
        self.matrix([2, n], TensorData::I64(values))
    }

    /// Columns as small integers, `[N, columns]`.
    fn small(&mut self, columns: &[ValueIdx]) -> ValueIdx {
        let x = self.node(Op::Columns(Columns), columns);
        let scale = self.doubles(&vec![0.004; columns.len()]);
        self.node(Op::QuantizeLinear(QuantizeLinear { bits: 12 }), &[x, scale])
    }

    /// A model that answers a task.
    fn answer(self, name: &str, task: Task, outputs: &[(OutputRole, ValueIdx)], cells: Vec<Cells>) -> Case {
        let values: Vec<ValueIdx> = outputs.iter().map(|o| o.1).collect();
        let n_classes = match task {
            Task::Binary => 2,
            Task::Multiclass => 3,
            Task::Regression | Task::Transform | Task::MultiRegression | Task::Multilabel => 0,
        };
        let signature = Signature {
            task,
            target: "target".to_string(),
            targets: Vec::new(),
            inputs: self.inputs,
            outputs: outputs.iter().map(|o| o.0).collect(),
            // Numbers where there are two, texts where there are three.
            classes: (0..n_classes)
                .map(|k| if n_classes == 2 { k.to_string() } else { format!("class {k}") })
                .collect(),
            positive: None,
            missing: Vec::new(),
            columns: Vec::new(),
            joined: None,
        };
        let model = Model::try_new(self.b.finish(&values).unwrap(), signature, Card::default()).unwrap();
        Case { name: name.to_string(), model, cells }
    }

    fn finish(self, name: &str, cells: Vec<Cells>) -> Case {
        let values: Vec<ValueIdx> = self.outputs.iter().map(|o| o.1).collect();
        let signature = Signature {
            task: Task::Transform,
            target: String::new(),
            targets: Vec::new(),
            inputs: self.inputs,
            outputs: vec![OutputRole::Column; values.len()],
            classes: Vec::new(),
            positive: None,
            missing: vec!["-999".to_string()],
            columns: self.outputs.into_iter().map(|o| o.0).collect(),
            joined: None,
        };
        let card = Card { recipe: "made by hand".to_string(), n_rows: 7, ..Card::default() };
        let model = Model::try_new(self.b.finish(&values).unwrap(), signature, card).unwrap();
        Case { name: name.to_string(), model, cells }
    }
}

/// Numbers at corners, then random ones, some missing.
fn numbers(seed: u64, n: usize) -> Vec<f64> {
    let mut random = SplitMix64::new(seed);
    let corners =
        [f64::NAN, 0.0, -0.0, 1.0, -1.0, 0.5, 1e-300, 1e300, f64::INFINITY, f64::NEG_INFINITY, 1e9 + 0.5];
    let mut draw = |_| match random.below(8) {
        0 => f64::NAN,
        1 => corners[random.below(corners.len() as u32) as usize],
        _ => (f64::from(random.below(2_000_001)) - 1e6) / 1e5,
    };
    corners.into_iter().chain((corners.len()..n).map(&mut draw)).collect()
}

/// Columns whose names begin with this have a bound, others are exact.
pub const NEAR: &str = "near ";

pub fn cases() -> Vec<Case> {
    vec![
        functions(),
        pairs(),
        tables_of_numbers(),
        long_sums(),
        curves(),
        splines(),
        categories(),
        times(),
        written_times(),
        sums(),
        neighbours(),
        large_leaves(),
        classes_of_a_forest(),
        two_classes_of_parts(),
        shares(),
        neighbours_that_vote(),
        similarities(),
        a_count(),
        members_of_three_classes(),
        members_of_two_classes(),
        cascades(),
        gates(),
        trees_over_scores(),
    ]
}

/// Every function and comparison of one column.
fn functions() -> Case {
    let (mut m, c) =
        Making::new(&[("x", ColumnKind::Number, DType::F64), ("share", ColumnKind::Number, DType::F64)]);
    for &f in Function::ALL {
        let name = ir::op::Payload::name(&f);
        let made = m.node(Op::Function(f), &[if f == Function::NormalQuantile { c[1] } else { c[0] }]);
        m.give(name, made);
    }
    let limit = m.doubles(&[1.0]);
    for &f in Comparison::ALL {
        let made = m.node(Op::Comparison(f), &[c[0], limit]);
        m.give(ir::op::Payload::name(&f), made);
    }
    let missing = m.node(Op::IsNaN(IsNaN), &[c[0]]);
    m.give("missing", missing);
    let ends =
        [709.0, 709.7, 709.9, -708.0, -708.1, 5e-324, f64::MAX, f64::MIN_POSITIVE, 1e-310, 1e6, 1.5e6, -1e17];
    let halves = (-8..8).map(|n| f64::from(n) * std::f64::consts::FRAC_PI_2);
    let mut x = numbers(1, 90);
    x.splice(11..11 + ends.len() + 16, ends.into_iter().chain(halves));
    let shares = [0.0, 1.0, 0.5, 0.075, 0.925, 1e-9, 1e-300, 0.999_999, -0.1, 1.1, f64::NAN];
    let share = (0..90).map(|i| shares.get(i).copied().unwrap_or(i as f64 / 91.0)).collect();
    m.finish("functions", vec![Cells::Numbers(x), Cells::Numbers(share)])
}

/// Every operator of two columns.
fn pairs() -> Case {
    let (mut m, c) =
        Making::new(&[("x", ColumnKind::Number, DType::F64), ("y", ColumnKind::Number, DType::F64)]);
    for &f in Arithmetic::ALL {
        let made = m.node(Op::Arithmetic(f), &[c[0], c[1]]);
        m.give(ir::op::Payload::name(&f), made);
    }
    let less = m.node(Op::Comparison(Comparison::Less), &[c[0], c[1]]);
    let chosen = m.node(Op::Where(Where), &[less, c[0], c[1]]);
    m.give("smaller", chosen);
    m.finish(
        "pairs",
        vec![Cells::Numbers(numbers(2, 60)), Cells::Numbers(numbers(3, 60).into_iter().rev().collect())],
    )
}

/// Matrices: side by side, reduced, multiplied, codes as columns; whole numbers given.
fn tables_of_numbers() -> Case {
    let columns = [
        ("x", ColumnKind::Number, DType::F64),
        ("whole", ColumnKind::Number, DType::I64),
        ("far", ColumnKind::Number, DType::I64),
    ];
    let (mut m, c) = Making::new(&columns);
    let whole = m.node(Op::Cast(Cast), &[c[1]]);
    let all = m.node(Op::Columns(Columns), &[c[0], whole, c[0]]);
    let order = m.b.constant(Tensor::vector(TensorData::I64(vec![2, 1]))).unwrap();
    let some = m.node(Op::Gather(Gather), &[all, order]);
    for &f in Reduce::ALL {
        let made = m.node(Op::Reduce(f), &[some]);
        m.give(ir::op::Payload::name(&f), made);
    }
    let w = TensorData::F64(vec![0.1, -2.0, 0.25, 1.5, 3.0, 1e-3]);
    let w = m.b.constant(Tensor::try_new(vec![3, 2], w).unwrap()).unwrap();
    let product = m.node(Op::MatMul(MatMul), &[all, w]);
    m.give("product", product);
    let edges = m.b.constant(Tensor::vector(TensorData::I64(vec![-3, 0, 2, 1 << 40]))).unwrap();
    let codes = m.node(Op::Bin(Bin), &[c[1], edges]);
    m.give("codes", codes);
    let hot = m.node(Op::OneHot(OneHot { depth: 3 }), &[codes]);
    m.give("hot", hot);
    let hot = m.node(Op::OneHot(OneHot { depth: 3 }), &[whole]);
    m.give("hot number", hot);
    let far = 1i64 << 53;
    let edges = vec![-far - 1, far - 1, far, far + 1, far + 2, far + 3];
    let edges = m.b.constant(Tensor::vector(TensorData::I64(edges))).unwrap();
    let codes = m.node(Op::Bin(Bin), &[c[2], edges]);
    m.give("far codes", codes);
    let none = m.doubles(&[]);
    let codes = m.node(Op::Bin(Bin), &[c[0], none]);
    m.give("no edge", codes);
    let x = numbers(4, 40).into_iter().map(|x| x.clamp(-1e3, 1e3)).collect();
    let whole = (0..40).map(|i| if i % 7 == 3 { f64::NAN } else { f64::from(i % 9 - 4) }).collect();
    let far: Vec<f64> =
        (0..40).map(|i| far as f64 * [-1.0, 1.0, 1.0][i % 3] + 2.0 * (i % 5) as f64).collect();
    m.finish("tables of numbers", vec![Cells::Numbers(x), Cells::Numbers(whole), Cells::Numbers(far)])
}

/// Sums of so many columns that their order is open.
fn long_sums() -> Case {
    let (mut m, c) = Making::new(&[("x", ColumnKind::Number, DType::F64)]);
    let spread = (0..300).map(|i| f64::from(i % 17) / 7.0 - 1.0).collect();
    let spread = m.b.constant(Tensor::try_new(vec![1, 300], TensorData::F64(spread)).unwrap()).unwrap();
    let column = m.node(Op::Columns(Columns), &[c[0]]);
    let wide = m.node(Op::MatMul(MatMul), &[column, spread]);
    let sum = m.node(Op::Reduce(Reduce::Sum), &[wide]);
    m.give("near sum", sum);
    let w = (0..300).map(|i| f64::from(i % 11) / 3.0 - 1.0).collect();
    let w = m.b.constant(Tensor::try_new(vec![300, 1], TensorData::F64(w)).unwrap()).unwrap();
    let product = m.node(Op::MatMul(MatMul), &[wide, w]);
    m.give("near product", product);
    m.finish("long sums", vec![Cells::Numbers((0..20).map(|i| f64::from(i) / 3.0 - 3.0).collect())])
}

/// Polygons of one knot and of more.
fn curves() -> Case {
    let (mut m, c) = Making::new(&[("x", ColumnKind::Number, DType::F64)]);
    for (name, knots, values) in [
        ("three", vec![-2.0, 0.1, 5.0], vec![7.0, -1.0, 3.3]),
        ("one", vec![0.5], vec![2.5]),
        ("falling", vec![-9.0, -1.0, 0.0, 1.0, 1.5], vec![4.0, 3.0, 3.0, 1e-3, -1e3]),
    ] {
        let (knots, values) = (m.doubles(&knots), m.doubles(&values));
        let made = m.node(Op::Interpolate(Interpolate), &[c[0], knots, values]);
        m.give(name, made);
    }
    m.finish("curves", vec![Cells::Numbers(numbers(5, 60))])
}

fn splines() -> Case {
    let (mut m, c) = Making::new(&[("x", ColumnKind::Number, DType::F64)]);
    for degree in [0, 1, 3] {
        let knots: Vec<f64> = (0..9).map(|i| f64::from(i * i) / 7.0 - 3.0).collect();
        let knots = m.doubles(&knots);
        let made = m.node(Op::BSpline(BSpline { degree }), &[c[0], knots]);
        m.give(&format!("degree {degree}"), made);
    }
    m.finish("splines", vec![Cells::Numbers(numbers(6, 40))])
}

fn categories() -> Case {
    let (mut m, c) = Making::new(&[("label", ColumnKind::Category, DType::Str)]);
    let (keys, values) = (m.texts(&["B", "a", "é"]), m.texts(&["b", "A", "B"]));
    let spelt = m.node(Op::Respell(Respell), &[c[0], keys, values]);
    let known = m.texts(&["", "A", "B", "b"]);
    let codes = m.node(Op::Codes(Codes { unseen: 4 }), &[spelt, known]);
    m.give("codes", codes);
    let codes = m.node(Op::Codes(Codes { unseen: 255 }), &[c[0], keys]);
    m.give("label", codes);
    let numbers = m.doubles(&[0.1, 0.2, 0.3, 0.4, 1e300, f64::NAN]);
    let number = m.node(Op::LabelEncoder(LabelEncoder), &[spelt, known, numbers]);
    m.give("numbers", number);
    let cells = ["a", "B", "", "b", "A", "é", "other", " a", "", "a"].map(str::to_string).to_vec();
    m.finish("categories", vec![Cells::Texts(cells)])
}

fn times() -> Case {
    let (mut m, c) = Making::new(&[("at", ColumnKind::Time, DType::I64)]);
    for &part in Part::ALL {
        let made = m.node(Op::TimePart(TimePart { part, format: None }), &[c[0]]);
        m.give(part.name(), made);
    }
    let number = m.node(Op::Cast(Cast), &[c[0]]);
    m.give("number", number);
    let edges = m.b.constant(Tensor::vector(TensorData::I64(vec![-1, 0, 951_782_400_000_000]))).unwrap();
    let codes = m.node(Op::Bin(Bin), &[c[0], edges]);
    m.give("codes", codes);
    let day = 86_400_000_000i64;
    let mut cells = vec![i64::MIN, i64::MIN + 1, 0, -1, i64::MAX, 951_782_400_000_000, 951_868_799_999_999];
    // A leap year, a year that is none, and each day at another second.
    cells.extend((0..80).map(|i| (10_940 + 29 * i) * day + 1_234_567_891 * i));
    cells.extend((0..20).map(|i| -(700_000 - 35_001 * i) * day - 1));
    m.finish("times", vec![Cells::Moments(cells)])
}

/// Every format, read and not read: ranges, days of months, fractions, zones, names.
fn written_times() -> Case {
    let formats: Vec<TimeFormat> = TimeFormat::all().collect();
    let names: Vec<String> = formats.iter().map(|f| f.pattern().to_string()).collect();
    let columns: Vec<(&str, ColumnKind, DType)> =
        names.iter().map(|n| (&n[..], ColumnKind::Time, DType::Str)).collect();
    let (mut m, c) = Making::new(&columns);
    let mut cells = Vec::new();
    let ends = [
        ".5",
        ",123456789",
        ".0000009",
        "Z",
        "z",
        "+01:30",
        "-0045",
        "+05",
        "-05:",
        ".25+23:59",
        "+24:00",
        "x",
        ".",
    ];
    for (&format, &column) in formats.iter().zip(&c) {
        let part = Op::TimePart(TimePart { part: Part::Moment, format: Some(format) });
        let moment = m.node(part, &[column]);
        m.give(format.pattern(), moment);
        let written = |micros: i64| format.write(micros);
        let mut texts = vec![String::new(), "2000-01-01x".to_string(), "13/13/2013".to_string()];
        texts.extend([0, 951_782_400_000_000, 1_709_164_800_000_000, -1, 4_102_444_799_999_999].map(written));
        let usual = written(1_330_473_601_000_000);
        texts.extend([usual.to_ascii_uppercase(), usual.replacen("29", "30", 1)]);
        texts.extend(["23:59", "24:00", "7:5", "7:5:9", "0-0-0"].map(str::to_string));
        texts.extend(
            ["30 February 2000", "1 june 2001", "Sept-2001", "JULY-0001", "Feb 29, 1900"].map(str::to_string),
        );
        texts.extend(ends.map(|end| format!("{}{end}", usual.trim_end_matches('Z'))));
        cells.push(Cells::Texts(texts));
    }
    let day = m.node(Op::TimePart(TimePart { part: Part::YearDay, format: Some(formats[0]) }), &[c[0]]);
    m.give("day of the year", day);
    m.finish("written times", cells)
}

/// Real numbers as scores, tables of one column and of pairs, and no table; their sum, which is clamped.
fn sums() -> Case {
    let (mut m, c) =
        Making::new(&[("x", ColumnKind::Number, DType::F64), ("y", ColumnKind::Number, DType::F64)]);
    let edges = m.doubles(&[-2.0, 0.0, 1.5]);
    let codes = [c[0], c[1]].map(|x| m.node(Op::Bin(Bin), &[x, edges]));
    let both = m.node(Op::Columns(Columns), &[c[0], c[1]]);
    let mut parts = vec![m.node(Op::ToScores(ToScores { shift: 12 }), &[both])];
    // Codes that are not below the size count as missing.
    for (terms, sizes) in
        [(vec![0, 1, 1, -1, 1, 0], vec![4, 2]), (vec![1, -1], vec![4, 4]), (vec![], vec![4, 4])]
    {
        let n = Tables::terms(&sizes, &terms).unwrap().1;
        let values = (0..2 * n).map(|i| (i as i32 * 7_919 % 4_001 - 2_000) * 40_000).collect();
        let n_terms = terms.len() / 2;
        let constants = [
            Tensor::vector(TensorData::I64(sizes)),
            Tensor::try_new(vec![n_terms, 2], TensorData::I64(terms)).unwrap(),
            Tensor::try_new(vec![n, 2], TensorData::I32(values)).unwrap(),
        ];
        let mut inputs = codes.to_vec();
        inputs.extend(constants.map(|t| m.b.constant(t).unwrap()));
        parts.push(m.node(Op::Tables(Tables { shift: 2 }), &inputs));
    }
    let sum = m.node(Op::Sum(Sum), &parts);
    for (name, part) in ["real", "pairs", "single", "none", "sum"].iter().zip(parts.into_iter().chain([sum]))
    {
        m.give(name, part);
    }
    m.finish(
        "sums",
        vec![Cells::Numbers(numbers(10, 40)), Cells::Numbers(numbers(11, 40).into_iter().rev().collect())],
    )
}

/// Missing numbers from the nearest rows, some of which lack them, some of which tie.
fn neighbours() -> Case {
    let names = ["a", "b", "c"].map(|name| (name, ColumnKind::Number, DType::F64));
    let (mut m, c) = Making::new(&names);
    let x = m.node(Op::Columns(Columns), &c);
    let mut random = SplitMix64::new(12);
    let mut reference: Vec<f64> = (0..90)
        .map(|_| if random.below(6) == 0 { f64::INFINITY } else { f64::from(random.below(9)) - 4.0 })
        .collect();
    // Beside these, one that lacks all, and two so far away that squares and sums overflow.
    reference.extend([f64::INFINITY; 3]);
    reference.extend([1e300, f64::MAX, 2.0, -1e300, f64::MAX, 3.0]);
    let reference = m.b.constant(Tensor::try_new(vec![33, 3], TensorData::F64(reference)).unwrap()).unwrap();
    let (scale, fill) = (m.doubles(&[1.0, 0.3, 1e-2]), m.doubles(&[-1.0, -2.0, -3.0]));
    for (k, by_distance) in [(1, false), (5, false), (5, true), (100, true)] {
        let made =
            m.node(Op::ImputeNeighbours(ImputeNeighbours { k, by_distance }), &[x, reference, scale, fill]);
        m.give(&format!("{k} {by_distance}"), made);
    }
    let mut cells = [Vec::new(), Vec::new(), Vec::new()];
    for row in 0..60 {
        for column in &mut cells {
            column.push(match random.below(5) {
                0 | 1 => f64::NAN,
                2 if row % 9 == 0 => f64::INFINITY,
                3 if row % 7 == 0 => 1e300,
                _ => f64::from(random.below(18)) / 2.0 - 4.0,
            });
        }
    }
    m.finish("neighbours", cells.map(Cells::Numbers).into())
}

/// Leaves whose sums single precision does not hold.
fn large_leaves() -> Case {
    let (mut m, c) =
        Making::new(&[("x", ColumnKind::Number, DType::F64), ("y", ColumnKind::Number, DType::F64)]);
    let edges: Vec<f64> = (0..20).map(|i| f64::from(i) - 9.5).collect();
    let edges = m.doubles(&edges);
    let codes = [c[0], c[1]].map(|x| m.node(Op::Bin(Bin), &[x, edges]));
    let mut random = SplitMix64::new(9);
    let mut trees = Vec::new();
    for _ in 0..40 {
        let splits = vec![
            Split {
                feature: random.below(2),
                test: Test::Greater(random.below(21) as u8),
                missing_left: random.below(2) == 0,
                left: Child::Split(1),
                right: Child::Leaf(2),
            },
            Split {
                feature: random.below(2),
                test: Test::Greater(random.below(21) as u8),
                missing_left: random.below(2) == 0,
                left: Child::Leaf(0),
                right: Child::Leaf(1),
            },
        ];
        let leaves = (0..3).map(|_| random.below(1 << 26) as i32 - (1 << 25)).collect();
        trees.push(Tree { first_output: random.below(2), width: 1, splits, leaves });
    }
    let features = vec![CodedFeature { n_codes: 21, ordered: true }; 2];
    let forest = Forest::try_new(features, vec![5, -7], trees).unwrap();
    let scores = m.node(Op::Forest(ForestOp { forest: forest.into() }), &codes);
    m.give("score", scores);
    let cells = |seed| Cells::Numbers(numbers(seed, 40));
    m.finish("large leaves", vec![cells(7), cells(8)])
}

/// A tree whose splits stand in preorder; features from the third on are categories.
fn grow(random: &mut SplitMix64, tree: &mut Tree, depth: u32) -> Child {
    if depth == 0 || random.below(5) == 0 {
        let leaf = tree.leaves.len() as u32 / tree.width;
        tree.leaves.extend((0..tree.width).map(|_| random.below(20_001) as i32 - 10_000));
        return Child::Leaf(leaf);
    }
    let feature = random.below(3);
    let test = if feature < 2 {
        Test::Greater(random.below(21) as u8)
    } else {
        let mut set = CodeSet::default();
        (0..5u8).filter(|_| random.below(2) == 0).for_each(|code| set.insert(code));
        Test::In(set)
    };
    let (at, none) = (tree.splits.len(), Child::Leaf(0));
    tree.splits.push(Split { feature, test, missing_left: random.below(2) == 0, left: none, right: none });
    let left = grow(random, tree, depth - 1);
    let right = grow(random, tree, depth - 1);
    (tree.splits[at].left, tree.splits[at].right) = (left, right);
    Child::Split(at as u32)
}

/// Two numbers and a category, coded, and rows for them.
fn coded() -> (Making, Vec<ValueIdx>, Vec<ValueIdx>, Vec<Cells>) {
    let (mut m, c) = Making::new(&[
        ("x", ColumnKind::Number, DType::F64),
        ("whole", ColumnKind::Number, DType::I64),
        ("kind", ColumnKind::Category, DType::Str),
    ]);
    let edges: Vec<f64> = (0..20).map(|i| f64::from(i) - 9.5).collect();
    let edges = m.doubles(&edges);
    let x = m.node(Op::Bin(Bin), &[c[0], edges]);
    let edges = m.b.constant(Tensor::vector(TensorData::I64((-10..10).collect()))).unwrap();
    let whole = m.node(Op::Bin(Bin), &[c[1], edges]);
    let keys = m.texts(&["a", "b", "c", "d"]);
    let kind = m.node(Op::Codes(Codes { unseen: 4 }), &[c[2], keys]);
    let wholes = (0..40).map(|i| if i % 11 == 4 { f64::NAN } else { f64::from(i * 7 % 23 - 11) }).collect();
    let kinds = (0..40).map(|i| ["a", "b", "c", "d", "other", ""][i * 5 % 6].to_string()).collect();
    let cells = vec![Cells::Numbers(numbers(21, 40)), Cells::Numbers(wholes), Cells::Texts(kinds)];
    (m, c, vec![x, whole, kind], cells)
}

fn random_forest(seed: u64, n_outputs: u32) -> Op {
    let mut random = SplitMix64::new(seed);
    let mut trees = Vec::new();
    for at in 0..12 {
        // Trees of all outputs and of one, and one without a split.
        let (first_output, width) = if at % 2 == 0 { (0, n_outputs) } else { (at % n_outputs, 1) };
        let mut tree = Tree { first_output, width, ..Tree::default() };
        grow(&mut random, &mut tree, if at == 5 { 0 } else { 4 });
        trees.push(tree);
    }
    let ordered = CodedFeature { n_codes: 21, ordered: true };
    let features = vec![ordered, ordered, CodedFeature { n_codes: 5, ordered: false }];
    let initial = (0..n_outputs as i32).map(|k| 100 * k - 50).collect();
    Op::Forest(ForestOp { forest: Forest::try_new(features, initial, trees).unwrap().into() })
}

fn link(kind: LinkKind, shift: i16, offset: i64) -> Op {
    Op::Link(Link { kind, shift, offset })
}

/// A forest, curves, softmax, the largest score, least costs.
fn classes_of_a_forest() -> Case {
    let (mut m, _, codes, cells) = coded();
    let raw = m.node(random_forest(1, 3), &codes);
    let sizes = m.b.constant(Tensor::vector(TensorData::I64(vec![3, 1, 2]))).unwrap();
    let knots = TensorData::I32(vec![-9_000, 17, 8_001, 4, -70_000, 70_001]);
    let values = TensorData::I32(vec![-12_345, 1, 20_000, 900, 30_001, -30_000]);
    let [knots, values] = [knots, values].map(|v| m.b.constant(Tensor::vector(v)).unwrap());
    let scores = m.node(Op::ScoreCurve(ScoreCurve), &[raw, sizes, knots, values]);
    let p = m.node(link(LinkKind::Softmax, 12, 0), &[scores]);
    let label = m.node(Op::ArgMax(ArgMax), &[raw]);
    let cost = m.matrix([3, 3], TensorData::F64(vec![0.0, 1.0, 2.5, 3.0, -0.5, 1.0, 0.1, 4.0, 0.0]));
    let cheapest = m.node(Op::LeastCost(LeastCost), &[p, cost]);
    let roles = [
        (OutputRole::Score, scores),
        (OutputRole::Probability, p),
        (OutputRole::Label, label),
        (OutputRole::Label, cheapest),
    ];
    m.answer("classes of a forest", Task::Multiclass, &roles, cells)
}

/// A product of small integers, a table and a forest, added; logistic and a threshold.
fn two_classes_of_parts() -> Case {
    let (mut m, c, codes, cells) = coded();
    let whole = m.node(Op::Cast(Cast), &[c[1]]);
    let x = m.small(&[c[0], whole]);
    let w = m.matrix([2, 1], TensorData::I16(vec![311, -127]));
    let bias = m.b.constant(Tensor::vector(TensorData::I32(vec![-4_321]))).unwrap();
    let pairs = m.requantize(1);
    let product = m.node(Op::QGemm(QGemm), &[x, w, bias, pairs]);
    let sizes = m.b.constant(Tensor::vector(TensorData::I64(vec![21, 21, 5]))).unwrap();
    let terms = m.matrix([2, 2], TensorData::I64(vec![2, -1, 0, 2]));
    let n = 6 + 22 * 6 + 1;
    let values =
        m.matrix([n, 1], TensorData::I32((0..n as i32).map(|i| i * 7_919 % 2_003 - 1_000).collect()));
    let table =
        m.node(Op::Tables(Tables { shift: 3 }), &[codes[0], codes[1], codes[2], sizes, terms, values]);
    let forest = m.node(random_forest(2, 1), &codes);
    let score = m.node(Op::Sum(Sum), &[product, table, forest]);
    let p = m.node(link(LinkKind::Logistic, 14, 0), &[score]);
    let label = m.node(Op::Threshold(Threshold { above: -250 }), &[score]);
    let roles = [(OutputRole::Label, label), (OutputRole::Probability, p), (OutputRole::Score, score)];
    m.answer("two classes of parts", Task::Binary, &roles, cells)
}

/// Votes as shares, some of none.
fn shares() -> Case {
    let (mut m, _, codes, cells) = coded();
    let scores = m.node(random_forest(3, 3), &codes);
    let p = m.node(link(LinkKind::Share, 0, 0), &[scores]);
    m.answer("shares", Task::Multiclass, &[(OutputRole::Probability, p)], cells)
}

/// The nearest rows: alike, and by distance.
fn neighbours_that_vote() -> Case {
    let (mut m, c, _, cells) = coded();
    let whole = m.node(Op::Cast(Cast), &[c[1]]);
    let x = m.small(&[c[0], whole]);
    let mut random = SplitMix64::new(31);
    // Few distinct cells: distances of 0 and equal ones occur.
    let known = (0..120).map(|_| (random.below(9) as i16 - 4) * 250).collect();
    let known = m.matrix([60, 2], TensorData::I16(known));
    let votes = (0..60).map(|_| random.below(2_000_001) as i32 - 1_000_000).collect();
    let votes = m.matrix([60, 1], TensorData::I32(votes));
    let [alike, far, all] = [(5, false), (5, true), (100, true)]
        .map(|(k, by_distance)| m.node(Op::NearestRows(NearestRows { k, by_distance }), &[x, known, votes]));
    let p = m.node(link(LinkKind::Share, 0, 5_000_000), &[alike]);
    let roles = [
        (OutputRole::Score, alike),
        (OutputRole::Score, far),
        (OutputRole::Score, all),
        (OutputRole::Probability, p),
    ];
    m.answer("neighbours that vote", Task::Binary, &roles, cells)
}

/// Support vectors, in range of the table and past its end.
fn similarities() -> Case {
    let (mut m, c, _, cells) = coded();
    let whole = m.node(Op::Cast(Cast), &[c[1]]);
    let x = m.small(&[c[0], whole]);
    let mut random = SplitMix64::new(32);
    let vectors =
        m.matrix([30, 2], TensorData::I16((0..60).map(|_| random.below(4_001) as i16 - 2_000).collect()));
    let weights = (0..60).map(|_| random.below(65_535) as i16).collect();
    let weights = m.matrix([30, 2], TensorData::I16(weights));
    let table = (0..40).map(|i| (65_536.0 * (-f64::from(i) / 9.0).exp()) as i32).collect();
    let table = m.b.constant(Tensor::vector(TensorData::I32(table))).unwrap();
    let pairs = m.requantize(2);
    let start = m.b.constant(Tensor::vector(TensorData::I32(vec![77, -i32::MAX]))).unwrap();
    let op = Op::RbfSums(RbfSums { step: 17 });
    let scores = m.node(op, &[x, vectors, weights, table, pairs, start]);
    m.answer("similarities", Task::Regression, &[(OutputRole::Score, scores)], cells)
}

/// Values: linear with an offset that needs all bits, and a power.
fn a_count() -> Case {
    let (mut m, _, codes, cells) = coded();
    let score = m.node(random_forest(4, 1), &codes);
    let linear = m.node(link(LinkKind::Linear, 37, (1 << 61) + 12_345), &[score]);
    let power = m.node(link(LinkKind::Exponential, 11, 0), &[score]);
    m.answer("a count", Task::Regression, &[(OutputRole::Value, linear), (OutputRole::Value, power)], cells)
}

/// Scores of each class weighed apart: a curve, shares and the largest; sums that need all of 63 bits.
fn members_of_three_classes() -> Case {
    let (mut m, _, codes, cells) = coded();
    let [raw, shared, voting] = [5, 6, 7].map(|seed| m.node(random_forest(seed, 3), &codes));
    let sizes = m.b.constant(Tensor::vector(TensorData::I64(vec![2, 2, 1]))).unwrap();
    let knots = TensorData::I32(vec![-9_000, 8_001, -4, 70_001, 5]);
    let values = TensorData::I32(vec![-12_345, 20_000, 900, 30_001, -7]);
    let [knots, values] = [knots, values].map(|v| m.b.constant(Tensor::vector(v)).unwrap());
    let curved = m.node(Op::ScoreCurve(ScoreCurve), &[raw, sizes, knots, values]);
    let votes = |kind, bits| Op::Votes(Votes { kind, shift: 0, offset: 0, bits });
    let shares = m.node(votes(VotesKind::Share, 15), &[shared]);
    let most = m.node(votes(VotesKind::Largest, 14), &[voting]);
    let weights = vec![700, -3, 9_000, 512, 5_000, 511, 1, 400, 300];
    let weights = m.matrix([3, 3], TensorData::I64(weights));
    let offsets = m.b.constant(Tensor::vector(TensorData::I64(vec![123_456, -1, 0]))).unwrap();
    let weighted = Op::WeightedSum(WeightedSum { shift: 10 });
    let score = m.node(weighted, &[curved, shares, most, weights, offsets]);
    let weights = m.matrix([3, 1], TensorData::I64(vec![1 << 30, -(1 << 29), 1 << 29]));
    let far = WeightedSum::MAX_OFFSET;
    let offsets = m.b.constant(Tensor::vector(TensorData::I64(vec![far, -far, far / 3]))).unwrap();
    let [coarse, clamped] = [WeightedSum::MAX_SHIFT, 20].map(|shift| {
        m.node(Op::WeightedSum(WeightedSum { shift }), &[raw, shared, voting, weights, offsets])
    });
    let p = m.node(link(LinkKind::Softmax, 12, 0), &[score]);
    let label = m.node(Op::ArgMax(ArgMax), &[score]);
    let roles = [
        (OutputRole::Score, shares),
        (OutputRole::Score, most),
        (OutputRole::Score, score),
        (OutputRole::Score, coarse),
        (OutputRole::Score, clamped),
        (OutputRole::Probability, p),
        (OutputRole::Label, label),
    ];
    m.answer("members of three classes", Task::Multiclass, &roles, cells)
}

/// Votes of single scores, with one weight a member, without a shift, and as shares again.
fn members_of_two_classes() -> Case {
    let (mut m, _, codes, cells) = coded();
    let [a, b] = [8, 9].map(|seed| m.node(random_forest(seed, 1), &codes));
    let votes = |kind, offset| Op::Votes(Votes { kind, shift: 0, offset, bits: 15 });
    let shares = m.node(votes(VotesKind::Share, 7_001), &[a]);
    let most = m.node(votes(VotesKind::Largest, 0), &[b]);
    let weights = m.matrix([2, 1], TensorData::I64(vec![3, 1]));
    let offsets = m.b.constant(Tensor::vector(TensorData::I64(vec![-5]))).unwrap();
    let score = m.node(Op::WeightedSum(WeightedSum { shift: 2 }), &[shares, most, weights, offsets]);
    let plain = m.node(Op::WeightedSum(WeightedSum { shift: 0 }), &[shares, most, weights, offsets]);
    let p = m.node(link(LinkKind::Share, 0, 1 << 15), &[score]);
    let label = m.node(Op::Threshold(Threshold { above: 0 }), &[score]);
    let roles = [
        (OutputRole::Score, shares),
        (OutputRole::Score, most),
        (OutputRole::Score, score),
        (OutputRole::Score, plain),
        (OutputRole::Probability, p),
        (OutputRole::Label, label),
    ];
    m.answer("members of two classes", Task::Binary, &roles, cells)
}

/// Scores of which some are sure: of two classes about an offset, of three by what is ahead, of neither, of all.
fn cascades() -> Case {
    let (mut m, _, codes, cells) = coded();
    let [cheap, other] = [10, 11].map(|seed| m.node(random_forest(seed, 1), &codes));
    let [first, second] = [12, 13].map(|seed| m.node(random_forest(seed, 3), &codes));
    let of = |margin, offset| Op::Cascade(Cascade { margin, offset, passed_on: 400 });
    let two = m.node(of(32_000, -77), &[cheap, other]);
    let all = m.node(of(0, 5), &[cheap, other]);
    let none = m.node(of(Cascade::NEVER, 0), &[cheap, other]);
    let three = m.node(of(9_000, 0), &[first, second]);
    let scores = [two, all, none, three];
    m.answer("cascades", Task::Regression, &scores.map(|score| (OutputRole::Score, score)), cells)
}

/// Trees that ask the scores of two members, of two classes and of three, and a coded column.
fn trees_over_scores() -> Case {
    let (mut m, _, codes, cells) = coded();
    let [two, other] = [14, 15].map(|seed| m.node(random_forest(seed, 1), &codes));
    let three = m.node(random_forest(16, 3), &codes);
    let edges = |first: i32, step: i32| (0..20).map(|i| f64::from(first + i * step)).collect::<Vec<f64>>();
    let mut of = |score, at: i64, edges: &[f64]| {
        let numbers = m.node(Op::Cast(Cast), &[score]);
        let at = m.b.constant(Tensor::scalar(TensorData::I64(vec![at])).unwrap()).unwrap();
        let number = m.node(Op::Gather(Gather), &[numbers, at]);
        let edges = m.doubles(edges);
        m.node(Op::Bin(Bin), &[number, edges])
    };
    let [a, b] = [(two, -20_000), (other, -40_000)].map(|(score, first)| of(score, 0, &edges(first, 4_000)));
    let [c, d] = [0, 2].map(|at| of(three, at, &edges(-15_000, 1_500)));
    let single = m.node(random_forest(17, 1), &[a, b, codes[2]]);
    let classes = m.node(random_forest(18, 3), &[c, d, codes[2]]);
    let roles = [(OutputRole::Score, single), (OutputRole::Score, classes)];
    m.answer("trees over scores", Task::Regression, &roles, cells)
}

/// Scores of one class and of three, taken as a forest says.
fn gates() -> Case {
    let (mut m, _, codes, cells) = coded();
    let gate = m.node(random_forest(17, 1), &codes);
    let [cheap, other] = [10, 11].map(|seed| m.node(random_forest(seed, 1), &codes));
    let [first, second] = [12, 13].map(|seed| m.node(random_forest(seed, 3), &codes));
    let op = || Op::Gate(Gate { passed_on: 400 });
    let two = m.node(op(), &[gate, cheap, other]);
    let three = m.node(op(), &[gate, first, second]);
    let within = m.node(op(), &[cheap, three, first]);
    let scores = [two, three, within];
    m.answer("gates", Task::Regression, &scores.map(|score| (OutputRole::Score, score)), cells)
}
