//! Attributions against Shapley's definition over all subsets, and against what each part means.

use super::shap::{TreeShap, Walk};
use super::taken::{Taken, evenly, shuffled};
use super::*;
use ir::digest::SplitMix64;
use ir::forest::{Child, CodeSet, CodedFeature, MISSING, Split, Test, Tree};
use ir::op::{
    ArgMax, Arithmetic, Bin, Cascade, Cast, Codes, Columns, ForestOp, Gate, Gather, Link, LinkKind,
    NearestRows, OneHot, QGemm, QuantizeLinear, ScoreCurve, Sum, Tables, Threshold, Votes, VotesKind,
    WeightedSum,
};
use ir::{
    Bits, Card, Column, ColumnData, ColumnKind, DType, Forest, Graph, GraphBuilder, Input, Model, Op,
    OutputRole, Shape, Signature, Task, Tensor, TensorData, ValueIdx,
};
use jobs::{Seed, Threads};
use runtime::{Plan, reference};

struct Random(SplitMix64);

impl Random {
    fn below(&mut self, n: u32) -> u32 {
        self.0.below(n)
    }

    /// A tree over these features with splits in preorder; `left` is how many splits it may still have.
    fn tree(&mut self, features: &[CodedFeature], first_output: u32, width: u32, n_splits: u32) -> Tree {
        let mut tree = Tree { first_output, width, splits: Vec::new(), leaves: Vec::new() };
        self.grow(&mut tree, features, n_splits);
        tree
    }

    fn grow(&mut self, tree: &mut Tree, features: &[CodedFeature], n_splits: u32) -> Child {
        if n_splits == 0 {
            let leaf = tree.leaves.len() as u32 / tree.width;
            (0..tree.width).for_each(|_| tree.leaves.push(self.below(2_000_001) as i32 - 1_000_000));
            return Child::Leaf(leaf);
        }
        let feature = self.below(features.len() as u32);
        let CodedFeature { n_codes, ordered } = features[feature as usize];
        let test = if ordered {
            Test::Greater(self.below(n_codes.into()) as u8)
        } else {
            let mut set = CodeSet::default();
            (0..n_codes as u8).filter(|_| self.below(2) == 0).for_each(|c| set.insert(c));
            Test::In(set)
        };
        let at = tree.splits.len();
        let missing_left = self.below(2) == 0;
        tree.splits.push(Split { feature, test, missing_left, left: Child::Leaf(0), right: Child::Leaf(0) });
        let n_left = self.below(n_splits);
        let left = self.grow(tree, features, n_left);
        let right = self.grow(tree, features, n_splits - 1 - n_left);
        (tree.splits[at].left, tree.splits[at].right) = (left, right);
        Child::Split(at as u32)
    }

    fn code(&mut self, feature: CodedFeature) -> u8 {
        match self.below(u32::from(feature.n_codes) + 1) as u16 {
            n if n == feature.n_codes => MISSING,
            n => n as u8,
        }
    }
}

/// What a tree gives when the features of `known` are known, by the shares of `rows` (of codes).
fn game(tree: &Tree, output: u32, child: Child, row: &[u8], known: u32, rows: &[&Vec<u8>]) -> f64 {
    match child {
        Child::Leaf(leaf) => tree.leaves[(leaf * tree.width + output - tree.first_output) as usize].into(),
        Child::Split(at) => {
            let split = &tree.splits[at as usize];
            let code = |r: &[u8]| r[split.feature as usize];
            let side = |child: Child| {
                let there: Vec<&Vec<u8>> =
                    rows.iter().filter(|r| split.next(code(r)) == child).copied().collect();
                (game(tree, output, child, row, known, &there), there.len())
            };
            let ((left, n_left), (right, n_right)) = (side(split.left), side(split.right));
            if known >> split.feature & 1 == 1 {
                return if split.next(code(row)) == split.right { right } else { left };
            }
            match n_left + n_right {
                0 => (left + right) / 2.0,
                n => (left * n_left as f64 + right * n_right as f64) / n as f64,
            }
        }
    }
}

/// Shapley's definition.
fn by_subsets(n: u32, value: impl Fn(u32) -> f64) -> Vec<f64> {
    let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
    let of = |f: u32| {
        let others = (0..1u32 << n).filter(|s| s >> f & 1 == 0);
        let gain = |s: u32| {
            let k = s.count_ones();
            factorial(k) * factorial(n - 1 - k) / factorial(n) * (value(s | 1 << f) - value(s))
        };
        others.map(gain).sum()
    };
    (0..n).map(of).collect()
}

#[test]
fn tree_shap_is_the_shapley_value_over_all_subsets() {
    let mut random = Random(SplitMix64::new(7));
    for case in 0..60u32 {
        let n_features = 1 + case % 5;
        let feature = |i| CodedFeature { n_codes: 1 + (i * 2) as u16, ordered: i % 2 == 0 };
        let features: Vec<CodedFeature> = (0..n_features).map(feature).collect();
        let trees: Vec<Tree> = (0..4)
            .map(|i| {
                let n_splits = random.below(14);
                let (first, width) = if i % 2 == 0 { (0, 2) } else { (1, 1) };
                random.tree(&features, first, width, n_splits)
            })
            .collect();
        let forest = Forest::try_new(features.clone(), vec![1000, -3], trees).unwrap();
        // Few rows, so that some splits are reached by none of them.
        let n_rows = 1 + random.below(12) as usize;
        let rows: Vec<Vec<u8>> =
            (0..n_rows).map(|_| features.iter().map(|&f| random.code(f)).collect()).collect();
        let columns: Vec<Vec<u8>> =
            (0..features.len()).map(|f| rows.iter().map(|r| r[f]).collect()).collect();
        let shap = TreeShap::new(&forest, &columns.iter().map(|c| &c[..]).collect::<Vec<_>>()).unwrap();
        let all: Vec<&Vec<u8>> = rows.iter().collect();
        for _ in 0..6 {
            let row: Vec<u8> = features.iter().map(|&f| random.code(f)).collect();
            for output in 0..2u32 {
                let start = f64::from(forest.initial_scores()[output as usize]);
                let value = |known: u32| {
                    let of_output = forest.trees().iter();
                    let of_output = of_output.filter(|t| output >= t.first_output);
                    let root = |t: &Tree| if t.splits.is_empty() { Child::Leaf(0) } else { Child::Split(0) };
                    start + of_output.map(|t| game(t, output, root(t), &row, known, &all)).sum::<f64>()
                };
                let expected = by_subsets(n_features, value);
                let mut got = vec![0.0; features.len()];
                shap.attribute(&forest, &row, output, &mut Walk::default(), &mut got);
                for (e, g) in expected.iter().zip(&got) {
                    assert!((e - g).abs() < 1e-6, "case {case}: {expected:?} {got:?}");
                }
                let base = shap.expected()[output as usize];
                assert!((base - value(0)).abs() < 1e-6, "case {case}");
                let score = value((1 << n_features) - 1);
                let sum = base + got.iter().sum::<f64>();
                assert!((score - sum).abs() <= 1e-9 * score.abs().max(1e6), "case {case}: {score} {sum}");
            }
        }
    }
}

/// Hundreds of levels and features: nothing cancels.
#[test]
fn deep_trees_keep_their_digits() {
    let n = 400u32;
    let features = vec![CodedFeature { n_codes: 2, ordered: true }; n as usize];
    let split = |i: u32| {
        let right = if i + 1 == n { Child::Leaf(n) } else { Child::Split(i + 1) };
        Split { feature: i, test: Test::Greater(0), missing_left: true, left: Child::Leaf(i), right }
    };
    let tree = Tree {
        first_output: 0,
        width: 1,
        splits: (0..n).map(split).collect(),
        leaves: (0..=n as i32).map(|i| i * 1001).collect(),
    };
    let forest = Forest::try_new(features, vec![5], vec![tree]).unwrap();
    let columns: Vec<Vec<u8>> = (0..n).map(|f| (0..500u32).map(|r| u8::from(r >= f)).collect()).collect();
    let shap = TreeShap::new(&forest, &columns.iter().map(|c| &c[..]).collect::<Vec<_>>()).unwrap();
    let mut phi = vec![0.0; n as usize];
    shap.attribute(&forest, &vec![1; n as usize], 0, &mut Walk::default(), &mut phi);
    let (score, sum) = (5.0 + 400.0 * 1001.0, shap.expected()[0] + phi.iter().sum::<f64>());
    assert!((score - sum).abs() < 1e-9 * score, "{score} {sum}");
    let chain = |n: u32| {
        let split = |i: u32| Split {
            feature: 0,
            test: Test::Greater(0),
            missing_left: true,
            left: Child::Leaf(i),
            right: if i + 1 == n { Child::Leaf(n) } else { Child::Split(i + 1) },
        };
        let leaves = vec![0; n as usize + 1];
        let tree = Tree { first_output: 0, width: 1, splits: (0..n).map(split).collect(), leaves };
        Forest::try_new(vec![CodedFeature { n_codes: 2, ordered: true }], vec![0], vec![tree]).unwrap()
    };
    assert!(TreeShap::new(&chain(1024), &[&[0]]).is_ok());
    let error = TreeShap::new(&chain(1025), &[&[0]]).unwrap_err();
    assert!(matches!(error.kind(), Kind::Deep { tree: 0, most: 1024 }), "{error}");
    assert!(matches!(TreeShap::new(&chain(1), &[&[]]).unwrap_err().kind(), Kind::NoRows));
}

fn input(name: &str, kind: ColumnKind, dtype: DType) -> Input {
    Input { name: name.into(), kind, dtype }
}

/// `age` and `income` as numbers, `city` as category.
fn inputs() -> Vec<Input> {
    vec![
        input("age", ColumnKind::Number, DType::F64),
        input("income", ColumnKind::Number, DType::F64),
        input("city", ColumnKind::Category, DType::Str),
    ]
}

fn signature(inputs: Vec<Input>, classes: &[&str]) -> Signature {
    let (task, outputs) = match classes.len() {
        0 => (Task::Regression, vec![OutputRole::Value]),
        n => (
            if n == 2 { Task::Binary } else { Task::Multiclass },
            vec![OutputRole::Probability, OutputRole::Label],
        ),
    };
    Signature {
        task,
        target: "y".into(),
        targets: Vec::new(),
        inputs,
        outputs,
        classes: classes.iter().map(|&c| c.into()).collect(),
        positive: None,
        missing: Vec::new(),
        columns: Vec::new(),
        joined: None,
    }
}

fn constant(b: &mut GraphBuilder, dims: &[usize], data: TensorData) -> ValueIdx {
    b.constant(Tensor::try_new(dims.to_vec(), data).unwrap()).unwrap()
}

/// The columns of the tests, as inputs and as codes.
fn start() -> (GraphBuilder, [ValueIdx; 3], [ValueIdx; 3]) {
    let mut b = GraphBuilder::new();
    let age = b.input("age", DType::F64, Shape::rows()).unwrap();
    let income = b.input("income", DType::F64, Shape::rows()).unwrap();
    let city = b.input("city", DType::Str, Shape::rows()).unwrap();
    let edges = constant(&mut b, &[2], TensorData::F64(vec![30.0, 60.0]));
    let more = constant(&mut b, &[2], TensorData::F64(vec![100.0, 200.0]));
    let keys = constant(&mut b, &[2], TensorData::Str(vec!["Bonn".into(), "Mainz".into()]));
    let a = b.node(Op::Bin(Bin), &[age, edges]).unwrap();
    let i = b.node(Op::Bin(Bin), &[income, more]).unwrap();
    let c = b.node(Op::Codes(Codes { unseen: MISSING }), &[city, keys]).unwrap();
    (b, [age, income, city], [a, i, c])
}

fn finish(mut b: GraphBuilder, score: ValueIdx, kind: LinkKind, shift: i16, offset: i64, n: usize) -> Model {
    let link = b.node(Op::Link(Link { kind, shift, offset }), &[score]).unwrap();
    let names = ["a", "b", "c", "d"];
    let outputs = match n {
        0 => vec![link],
        2 => vec![link, b.node(Op::Threshold(Threshold { above: 0 }), &[score]).unwrap()],
        _ => vec![link, b.node(Op::ArgMax(ArgMax), &[score]).unwrap()],
    };
    let graph = b.finish(&outputs).unwrap();
    Model::try_new(graph, signature(inputs(), &names[..n]), Card::default()).unwrap()
}

fn forest_model(n_outputs: usize, kind: LinkKind, shift: i16, offset: i64, n_classes: usize) -> Model {
    let (mut b, _, codes) = start();
    let coded = |ordered, n_codes| CodedFeature { n_codes, ordered };
    let features = vec![coded(true, 3), coded(true, 3), coded(false, 2)];
    let mut random = Random(SplitMix64::new(3));
    let trees: Vec<Tree> = (0..8).map(|_| random.tree(&features, 0, n_outputs as u32, 6)).collect();
    let forest = Forest::try_new(features, vec![17; n_outputs], trees).unwrap().into();
    let score = b.node(Op::Forest(ForestOp { forest }), &codes).unwrap();
    finish(b, score, kind, shift, offset, n_classes)
}

/// Cells of the three columns: missing ones, unseen categories, a text of several bytes a character.
struct Rows {
    age: Vec<f64>,
    income: Vec<f64>,
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    valid: Vec<u8>,
}

impl Rows {
    fn new(n: usize) -> Rows {
        let mut random = Random(SplitMix64::new(11));
        let (mut offsets, mut bytes) = (vec![0], Vec::new());
        for _ in 0..n {
            let city = ["Bonn", "Mainz", "Köln", "Atlantis"][random.below(4) as usize];
            bytes.extend_from_slice(city.as_bytes());
            offsets.push(bytes.len() as i32);
        }
        let mut number = |most: u32| match random.below(8) {
            0 => f64::NAN,
            _ => f64::from(random.below(most)),
        };
        let age = (0..n).map(|_| number(90)).collect();
        let income = (0..n).map(|_| number(300)).collect();
        Rows { age, income, offsets, bytes, valid: vec![0b1110_1111; n.div_ceil(8)] }
    }

    fn columns(&self) -> Vec<Column<'_>> {
        let n = self.age.len();
        let number = |v| Column::try_new(ColumnData::F64(v), None).unwrap();
        let city = ColumnData::Str { offsets: &self.offsets, bytes: &self.bytes };
        let valid = Bits::try_new(&self.valid, 0, n).unwrap();
        vec![number(&self.age), number(&self.income), Column::try_new(city, Some(valid)).unwrap()]
    }
}

/// Integer scores `[n, k]` of the model, by the reference.
fn scores(graph: &Graph, columns: &[Column<'_>]) -> Vec<Vec<f64>> {
    let link = graph.nodes().iter().find(|n| matches!(n.op, Op::Link(_))).unwrap();
    let made = reference::watch(graph, columns, &link.inputs).unwrap();
    let TensorData::I32(v) = made[0].data() else { panic!("scores") };
    v.chunks_exact(made[0].dims()[1]).map(|r| r.iter().map(|&s| f64::from(s)).collect()).collect()
}

fn sums(attributions: &Attributions) -> Vec<f64> {
    (0..attributions.base.len())
        .map(|r| attributions.base[r] + attributions.row(r).iter().sum::<f64>())
        .collect()
}

fn check_sums(what: &str, got: &[f64], expected: &[f64], eps: f64) {
    assert_eq!(got.len(), expected.len());
    for (row, (g, e)) in got.iter().zip(expected).enumerate() {
        assert!((g - e).abs() <= eps, "{what}: row {row}: {g} {e}");
    }
}

#[test]
fn attributions_and_base_sum_up_to_the_real_score() {
    let rows = Rows::new(600);
    let columns = rows.columns();
    let threads = Threads::one();
    let unit = 2f64.powi(-16);
    // Binary: log odds; the first class has the other sign.
    let model = forest_model(1, LinkKind::Logistic, 16, 0, 2);
    let explainer = Explainer::new(&model, &columns).unwrap();
    assert!(!explainer.is_sampled());
    let integer = scores(model.graph(), &columns);
    let classes: Vec<u32> = (0..600).map(|r| r % 2).collect();
    let got = explainer.attribute(&columns, &classes, &threads).unwrap();
    let signed = |(r, s): (usize, &Vec<f64>)| if r % 2 == 0 { -s[0] * unit } else { s[0] * unit };
    check_sums("binary", &sums(&got), &integer.iter().enumerate().map(signed).collect::<Vec<_>>(), 1e-8);
    let many = Threads::try_new(3).unwrap();
    assert_eq!(explainer.attribute(&columns, &classes, &many).unwrap(), got, "threads change nothing");
    // A row alone has what it has among others.
    let one = Taken::all(&columns, &[77]).unwrap();
    let one: Vec<Column<'_>> = one.iter().map(|t| t.column().unwrap()).collect();
    assert_eq!(explainer.attribute(&one, &classes[77..78], &threads).unwrap().values, got.row(77));
    // Several classes.
    let model = forest_model(3, LinkKind::Softmax, 16, 0, 3);
    let explainer = Explainer::new(&model, &columns).unwrap();
    let integer = scores(model.graph(), &columns);
    for class in 0..3u32 {
        let got = explainer.attribute(&columns, &vec![class; 600], &threads).unwrap();
        let expected: Vec<f64> = integer.iter().map(|s| s[class as usize] * unit).collect();
        check_sums("multiclass", &sums(&got), &expected, 1e-8);
    }
    // A value, in the unit of the target.
    let model = forest_model(1, LinkKind::Linear, 16, 12345, 0);
    let explainer = Explainer::new(&model, &columns).unwrap();
    let integer = scores(model.graph(), &columns);
    let got = explainer.attribute(&columns, &[], &threads).unwrap();
    let expected: Vec<f64> = integer.iter().map(|s| (s[0] + 12345.0) * unit).collect();
    check_sums("regression", &sums(&got), &expected, 1e-8);
    let mean = expected.iter().sum::<f64>() / 600.0;
    assert!((got.base[0] - mean).abs() < 1e-8, "the base is the mean score of the background");
}

#[test]
fn a_calibrated_score_is_explained_behind_its_curve() {
    let (mut b, _, codes) = start();
    let coded = |ordered, n_codes| CodedFeature { n_codes, ordered };
    let features = vec![coded(true, 3), coded(true, 3), coded(false, 2)];
    let mut random = Random(SplitMix64::new(5));
    let trees: Vec<Tree> = (0..8).map(|_| random.tree(&features, 0, 1, 6)).collect();
    let forest = Forest::try_new(features, vec![0], trees).unwrap().into();
    let score = b.node(Op::Forest(ForestOp { forest }), &codes).unwrap();
    // A bend, a level piece and ends.
    let (knots, values) = (vec![-2_000_000, 0, 9_000, 3_000_000], vec![-60_000, -20_000, -20_000, 90_000]);
    let constants = [
        constant(&mut b, &[1], TensorData::I64(vec![4])),
        constant(&mut b, &[4], TensorData::I32(knots)),
        constant(&mut b, &[4], TensorData::I32(values)),
    ];
    let curve =
        b.node(Op::ScoreCurve(ScoreCurve), &[score, constants[0], constants[1], constants[2]]).unwrap();
    let model = finish(b, curve, LinkKind::Logistic, 14, 0, 2);
    let rows = Rows::new(300);
    let columns = rows.columns();
    let explainer = Explainer::new(&model, &columns).unwrap();
    let got = explainer.attribute(&columns, &[1; 300], &Threads::one()).unwrap();
    let unit = 2f64.powi(-14);
    let behind: Vec<f64> = scores(model.graph(), &columns).iter().map(|s| s[0] * unit).collect();
    // Half a unit for the curve's rounding; rows beyond the ends or on the level piece are as the mean slope says.
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 0.5 * unit + 1e-9;
    let near = sums(&got).iter().zip(&behind).filter(|pair| near(*pair)).count();
    assert!(near > 200, "{near} of 300");
    // Columns count apart from each other, as they do before the curve.
    let several = (0..300).filter(|&row| {
        let of_row = got.row(row);
        of_row[0] != of_row[1] && of_row[1] != of_row[2]
    });
    assert!(several.count() > 200);
}

/// A forest alone, a sum of a forest and tables, and a forest that votes, of three classes.
#[test]
fn members_are_explained_times_their_weights() {
    let (mut b, _, codes) = start();
    let coded = |ordered, n_codes| CodedFeature { n_codes, ordered };
    let features = vec![coded(true, 3), coded(true, 3), coded(false, 2)];
    let mut random = Random(SplitMix64::new(9));
    let [alone, added, voting] = [(); 3].map(|()| {
        let trees: Vec<Tree> = (0..8).map(|_| random.tree(&features, 0, 3, 6)).collect();
        let forest = Forest::try_new(features.clone(), vec![17; 3], trees).unwrap().into();
        b.node(Op::Forest(ForestOp { forest }), &codes).unwrap()
    });
    let sizes = constant(&mut b, &[3], TensorData::I64(vec![3, 3, 2]));
    let terms = constant(&mut b, &[2, 2], TensorData::I64(vec![0, -1, 2, 1]));
    let values = (0..3 * (4 + 12 + 1)).map(|i| (i * 37) % 10_001 - 50).collect();
    let values = constant(&mut b, &[17, 3], TensorData::I32(values));
    let inputs = [&codes[..], &[sizes, terms, values]].concat();
    let tables = b.node(Op::Tables(Tables { shift: 7 }), &inputs).unwrap();
    let sum = b.node(Op::Sum(Sum), &[added, tables]).unwrap();
    let votes = Votes { kind: VotesKind::Softmax, shift: 18, offset: 0, bits: 22 };
    let votes = b.node(Op::Votes(votes), &[voting]).unwrap();
    let weights = vec![700, -20, 0, 511, 512, 513, 300, 400, 900];
    let weights = constant(&mut b, &[3, 3], TensorData::I64(weights));
    let offsets = constant(&mut b, &[3], TensorData::I64(vec![1 << 30, -12_345, 0]));
    let score = b.node(Op::WeightedSum(WeightedSum { shift: 10 }), &[alone, sum, votes, weights, offsets]);
    let model = finish(b, score.unwrap(), LinkKind::Softmax, 16, 0, 3);
    let rows = Rows::new(300);
    let columns = rows.columns();
    let explainer = Explainer::new(&model, &columns).unwrap();
    let integer = scores(model.graph(), &columns);
    let unit = 2f64.powi(-16);
    for class in 0..3u32 {
        let got = explainer.attribute(&columns, &[class; 300], &Threads::one()).unwrap();
        let expected: Vec<f64> = integer.iter().map(|s| s[class as usize] * unit).collect();
        // Half a unit for the rounding of the sum.
        check_sums("members", &sums(&got), &expected, 0.5 * unit + 1e-8);
        let mean = expected.iter().sum::<f64>() / 300.0;
        assert!((got.base[0] - mean).abs() <= 0.5 * unit + 1e-8, "class {class}: {} {mean}", got.base[0]);
    }
    // Columns count apart from each other: only what votes is shared alike.
    let got = explainer.attribute(&columns, &[0; 300], &Threads::one()).unwrap();
    assert!((0..300).filter(|&row| got.row(row)[0] != got.row(row)[1]).count() > 200);
}

/// A row is explained by the stage that answers it.
#[test]
fn a_cascade_is_explained_stage_by_stage() {
    for n_outputs in [1u32, 3] {
        let model = |which: usize| {
            let (mut b, _, codes) = start();
            let coded = |ordered, n_codes| CodedFeature { n_codes, ordered };
            let features = vec![coded(true, 3), coded(true, 3), coded(false, 2)];
            let mut random = Random(SplitMix64::new(21));
            let [first, second] = [2, 9].map(|n_trees| {
                let trees: Vec<Tree> =
                    (0..n_trees).map(|_| random.tree(&features, 0, n_outputs, 6)).collect();
                let initial = vec![40; n_outputs as usize];
                let forest = Forest::try_new(features.clone(), initial, trees).unwrap().into();
                b.node(Op::Forest(ForestOp { forest }), &codes).unwrap()
            });
            let op = Cascade { margin: 700_000, offset: 0, passed_on: 500 };
            let both = b.node(Op::Cascade(op), &[first, second]).unwrap();
            let kind = if n_outputs == 1 { LinkKind::Logistic } else { LinkKind::Softmax };
            finish(b, [both, first, second][which], kind, 16, 0, n_outputs.max(2) as usize)
        };
        let rows = Rows::new(300);
        let columns = rows.columns();
        let explained = |model: &Model| {
            let explainer = Explainer::new(model, &columns).unwrap();
            explainer.attribute(&columns, &[1; 300], &Threads::one()).unwrap()
        };
        let [both, first, second] = [0, 1, 2].map(|which| explained(&model(which)));
        let cheap = scores(model(1).graph(), &columns);
        let op = Cascade { margin: 700_000, offset: 0, passed_on: 0 };
        let mut n_sure = 0;
        for (row, cheap) in cheap.iter().enumerate() {
            let of_row: Vec<i32> = cheap.iter().map(|s| *s as i32).collect();
            let stage = if op.is_sure(&of_row) { &first } else { &second };
            n_sure += usize::from(op.is_sure(&of_row));
            assert_eq!((both.row(row), both.base[row]), (stage.row(row), stage.base[row]), "{row}");
        }
        assert!((30..270).contains(&n_sure), "{n_outputs}: {n_sure}");
        // They sum up to the score that the model gives.
        let output = if n_outputs == 1 { 0 } else { 1 };
        let expected: Vec<f64> =
            scores(model(0).graph(), &columns).iter().map(|s| s[output] * 2f64.powi(-16)).collect();
        check_sums("a cascade", &sums(&both), &expected, 1e-8);
    }
}

/// A row is explained by the stage that its gate names.
#[test]
fn a_gate_is_explained_by_what_answers() {
    let model = |which: usize| {
        let (mut b, _, codes) = start();
        let coded = |ordered, n_codes| CodedFeature { n_codes, ordered };
        let features = vec![coded(true, 3), coded(true, 3), coded(false, 2)];
        let mut random = Random(SplitMix64::new(22));
        let [gate, first, second] = [1, 2, 9].map(|n_trees| {
            let trees: Vec<Tree> = (0..n_trees).map(|_| random.tree(&features, 0, 1, 6)).collect();
            let forest = Forest::try_new(features.clone(), vec![0], trees).unwrap().into();
            b.node(Op::Forest(ForestOp { forest }), &codes).unwrap()
        });
        let both = b.node(Op::Gate(Gate { passed_on: 500 }), &[gate, first, second]).unwrap();
        finish(b, [both, first, second, gate][which], LinkKind::Logistic, 16, 0, 2)
    };
    let rows = Rows::new(300);
    let columns = rows.columns();
    let explained = |model: &Model| {
        let explainer = Explainer::new(model, &columns).unwrap();
        explainer.attribute(&columns, &[1; 300], &Threads::one()).unwrap()
    };
    let [both, first, second] = [0, 1, 2].map(|which| explained(&model(which)));
    let gates = scores(model(3).graph(), &columns);
    let is_first = |row: usize| gates[row][0] >= 0.0;
    for row in 0..300 {
        let stage = if is_first(row) { &first } else { &second };
        assert_eq!((both.row(row), both.base[row]), (stage.row(row), stage.base[row]), "{row}");
    }
    let n_first = (0..300).filter(|&row| is_first(row)).count();
    assert!((30..270).contains(&n_first), "{n_first}");
}

/// Trees over scores are explained by the scores that they ask, whose columns share alike.
#[test]
fn trees_over_scores_share_by_member() {
    let (mut b, _, codes) = start();
    let coded = |ordered, n_codes| CodedFeature { n_codes, ordered };
    let mut random = Random(SplitMix64::new(31));
    // One member takes two columns, the other one the third.
    let forest = |features: &[CodedFeature], trees: Vec<Tree>| {
        let forest = Forest::try_new(features.to_vec(), vec![0], trees).unwrap().into();
        Op::Forest(ForestOp { forest })
    };
    let stump = |feature: u32, test: Test, leaves: [i32; 2]| {
        let [left, right] = [Child::Leaf(0), Child::Leaf(1)];
        let split = Split { feature, test, missing_left: true, left, right };
        Tree { first_output: 0, width: 1, splits: vec![split], leaves: leaves.to_vec() }
    };
    let of_numbers = [coded(true, 3); 2];
    let trees = (0..5).map(|_| random.tree(&of_numbers, 0, 1, 4)).collect();
    let numbers = b.node(forest(&of_numbers, trees), &codes[..2]).unwrap();
    let mut bonn = CodeSet::default();
    bonn.insert(0);
    let of_text = vec![stump(0, Test::In(bonn), [-300_000, 400_000])];
    let text = b.node(forest(&[coded(false, 2)], of_text), &codes[2..]).unwrap();
    let at = b.constant(Tensor::scalar(TensorData::I64(vec![0])).unwrap()).unwrap();
    let edges: Vec<f64> = (-20..20).map(|i| f64::from(i) * 150_000.0).collect();
    let edges = constant(&mut b, &[40], TensorData::F64(edges));
    let asked = [numbers, text].map(|score| {
        let score = b.node(Op::Cast(Cast), &[score]).unwrap();
        let score = b.node(Op::Gather(Gather), &[score, at]).unwrap();
        b.node(Op::Bin(Bin), &[score, edges]).unwrap()
    });
    // The edge 0 is the 21st.
    let trees = vec![
        stump(0, Test::Greater(20), [-50_000, 70_000]),
        stump(1, Test::Greater(20), [-100_000, 250_000]),
    ];
    let score = b.node(forest(&[coded(true, 41); 2], trees), &asked).unwrap();
    let model = finish(b, score, LinkKind::Logistic, 16, 0, 2);
    let rows = Rows::new(300);
    let columns = rows.columns();
    let explainer = Explainer::new(&model, &columns).unwrap();
    let got = explainer.attribute(&columns, &[1; 300], &Threads::one()).unwrap();
    let unit = 2f64.powi(-16);
    let expected: Vec<f64> = scores(model.graph(), &columns).iter().map(|s| s[0] * unit).collect();
    check_sums("trees over scores", &sums(&got), &expected, 1e-8);
    assert!((0..300).all(|row| got.row(row)[0] == got.row(row)[1]));
    assert!((0..300).any(|row| got.row(row)[0] != got.row(row)[2] && got.row(row)[2] != 0.0));
}

/// Three halves of a member are explained as three halves of what it is alone.
#[test]
fn a_weight_scales_attributions_and_tables() {
    let of = |is_weighed: bool| {
        let (mut b, _, codes) = start();
        let sizes = constant(&mut b, &[3], TensorData::I64(vec![3, 3, 2]));
        let terms = constant(&mut b, &[2, 2], TensorData::I64(vec![0, -1, 2, 1]));
        let values = (0..17).map(|i| (i * 37) % 101 - 50).collect();
        let values = constant(&mut b, &[17, 1], TensorData::I32(values));
        let inputs = [&codes[..], &[sizes, terms, values]].concat();
        let alone = b.node(Op::Tables(Tables { shift: 2 }), &inputs).unwrap();
        let weights = constant(&mut b, &[1, 1], TensorData::I64(vec![3]));
        let offsets = constant(&mut b, &[1], TensorData::I64(vec![100]));
        let weighed = Op::WeightedSum(WeightedSum { shift: 1 });
        let weighed = b.node(weighed, &[alone, weights, offsets]).unwrap();
        finish(b, if is_weighed { weighed } else { alone }, LinkKind::Linear, 0, 0, 0)
    };
    let (alone, weighed) = (of(false), of(true));
    let rows = Rows::new(60);
    let columns = rows.columns();
    let explained = |model: &Model| {
        let explainer = Explainer::new(model, &columns).unwrap();
        explainer.attribute(&columns, &[], &Threads::one()).unwrap()
    };
    let (before, after) = (explained(&alone), explained(&weighed));
    let is_scaled = |(a, b): (&f64, &f64)| (1.5 * a - b).abs() < 1e-9;
    assert!(before.values.iter().zip(&after.values).all(is_scaled));
    assert!(before.values.iter().any(|&phi| phi != 0.0));
    assert!((1.5 * before.base[0] + 50.0 - after.base[0]).abs() < 1e-9);
    let tables = [&alone, &weighed].map(|model| score_tables(model, &columns).unwrap());
    assert_eq!(tables[0].len(), 2);
    for (a, b) in tables[0].iter().zip(&tables[1]) {
        assert_eq!(a.sides, b.sides);
        assert!(a.values.iter().zip(&b.values).all(is_scaled), "{a:?} {b:?}");
    }
}

#[test]
fn a_row_against_itself_has_nothing_to_explain() {
    let rows = Rows::new(1);
    let model = forest_model(1, LinkKind::Linear, 0, 0, 0);
    let explainer = Explainer::new(&model, &rows.columns()).unwrap();
    let got = explainer.attribute(&rows.columns(), &[], &Threads::one()).unwrap();
    assert_eq!(got.values, [0.0; 3]);
    assert_eq!(got.base, [scores(model.graph(), &rows.columns())[0][0]]);
}

#[test]
fn tables_give_what_a_term_is_beyond_its_mean() {
    let (mut b, _, codes) = start();
    let sizes = constant(&mut b, &[3], TensorData::I64(vec![3, 3, 2]));
    let terms = constant(&mut b, &[3, 2], TensorData::I64(vec![0, -1, 2, -1, 0, 1]));
    let values: Vec<i32> = (0..4 + 3 + 16 + 1).map(|i| (i * 37) % 101 - 50).collect();
    let values_at = constant(&mut b, &[24, 1], TensorData::I32(values.clone()));
    let inputs = [&codes[..], &[sizes, terms, values_at]].concat();
    let score = b.node(Op::Tables(Tables { shift: 2 }), &inputs).unwrap();
    let model = finish(b, score, LinkKind::Linear, 0, 0, 0);
    let rows = Rows::new(40);
    let columns = rows.columns();
    let got = Explainer::new(&model, &columns).unwrap().attribute(&columns, &[], &Threads::one()).unwrap();
    let expected: Vec<f64> = scores(model.graph(), &columns).iter().map(|s| s[0]).collect();
    check_sums("tables", &sums(&got), &expected, 1e-8);
    // `city` has one term of its own, the second.
    let code = |row: usize| match columns[2].text(row) {
        Some("Bonn") => 0,
        Some("Mainz") => 1,
        _ => 2,
    };
    let value = |row: usize| f64::from(values[4 + code(row)] * 4);
    let mean = (0..40).map(value).sum::<f64>() / 40.0;
    assert!((0..40).all(|row| (got.row(row)[2] - (value(row) - mean)).abs() < 1e-9));
    // The same as a table that people read.
    let tables = score_tables(&model, &columns).unwrap();
    let names = |t: &ScoreTable| t.sides.iter().map(|side| side.name.clone()).collect::<Vec<_>>().join("+");
    let mut sorted: Vec<String> = tables.iter().map(names).collect();
    assert!(tables.windows(2).all(|two| two[0].deviation >= two[1].deviation));
    sorted.sort();
    assert_eq!(sorted, ["age", "age+income", "city"]);
    let city = tables.iter().find(|t| names(t) == "city").unwrap();
    assert_eq!(city.sides[0].places, ["Bonn", "Mainz", "missing"]);
    assert_eq!(city.sides[0].counts.iter().sum::<u32>(), 40);
    for row in 0..40 {
        assert!((city.values[code(row)] - got.row(row)[2]).abs() < 1e-9, "row {row}");
    }
    let age = tables.iter().find(|t| names(t) == "age").unwrap();
    assert_eq!(age.sides[0].edges.as_deref(), Some(&[30.0, 60.0][..]));
    assert_eq!(age.sides[0].places, ["≤ 30.00", "30.00 to 60.00", "> 60.00", "missing"]);
    let both = tables.iter().find(|t| names(t) == "age+income").unwrap();
    assert_eq!((both.values.len(), both.sides[1].places.len()), (16, 4));
    let forest = forest_model(1, LinkKind::Logistic, 4, 0, 2);
    assert!(score_tables(&forest, &columns).unwrap().is_empty());
}

/// A product of numbers, their difference and one column a code, beside a sum of tables.
fn linear_model() -> Model {
    let (mut b, [age, income, _], codes) = start();
    let hot = b.node(Op::OneHot(OneHot { depth: 2 }), &[codes[2]]).unwrap();
    let zero = constant(&mut b, &[], TensorData::F64(vec![0.0]));
    let apart = b.node(Op::Arithmetic(Arithmetic::Sub), &[age, income]).unwrap();
    let away = b.node(Op::Arithmetic(Arithmetic::Sub), &[apart, zero]).unwrap();
    let x = b.node(Op::Columns(Columns), &[age, away, hot]).unwrap();
    let scales = constant(&mut b, &[4], TensorData::F64(vec![0.5, 2.0, 0.25, 0.25]));
    let small = b.node(Op::QuantizeLinear(QuantizeLinear { bits: 12 }), &[x, scales]).unwrap();
    let w = constant(&mut b, &[4, 1], TensorData::I16(vec![30, -7, 500, -900]));
    let bias = constant(&mut b, &[1], TensorData::I32(vec![70]));
    let pairs = constant(&mut b, &[2, 1], TensorData::I64(vec![1 << 30, 29]));
    let product = b.node(Op::QGemm(QGemm), &[small, w, bias, pairs]).unwrap();
    let sizes = constant(&mut b, &[1], TensorData::I64(vec![2]));
    let terms = constant(&mut b, &[1, 2], TensorData::I64(vec![0, -1]));
    let values = constant(&mut b, &[4, 1], TensorData::I32(vec![10, -20, 30, 5]));
    let tables = b.node(Op::Tables(Tables { shift: 3 }), &[codes[2], sizes, terms, values]).unwrap();
    let score = b.node(Op::Sum(Sum), &[product, tables]).unwrap();
    finish(b, score, LinkKind::Linear, 0, 0, 0)
}

#[test]
fn products_share_features_of_several_columns() {
    let model = linear_model();
    let rows = Rows::new(50);
    let columns = rows.columns();
    let got = Explainer::new(&model, &columns).unwrap().attribute(&columns, &[], &Threads::one()).unwrap();
    let expected: Vec<f64> = scores(model.graph(), &columns).iter().map(|s| s[0]).collect();
    check_sums("linear", &sums(&got), &expected, 0.5 + 1e-9);
    // `income` is in one feature only, which it shares with `age`.
    let q = QuantizeLinear { bits: 12 };
    let of = |row: usize| f64::from(q.of(columns[0].double(row) - columns[1].double(row), 2.0)) * -7.0 * 2.0;
    let mean = (0..50).map(of).sum::<f64>() / 50.0;
    assert!((0..50).all(|row| (got.row(row)[1] - (of(row) - mean) / 2.0).abs() < 1e-6));
}

#[test]
fn compared_rows_are_sampled_and_sum_up() {
    let (mut b, [age, income, _], codes) = start();
    let hot = b.node(Op::OneHot(OneHot { depth: 2 }), &[codes[2]]).unwrap();
    let x = b.node(Op::Columns(Columns), &[age, income, hot]).unwrap();
    let scales = constant(&mut b, &[4], TensorData::F64(vec![1.0, 4.0, 0.1, 0.1]));
    let small = b.node(Op::QuantizeLinear(QuantizeLinear { bits: 8 }), &[x, scales]).unwrap();
    let mut random = Random(SplitMix64::new(5));
    let known = (0..30 * 4).map(|_| random.below(100) as i16).collect();
    let votes: Vec<i32> = (0..30).flat_map(|i| [(i % 2) * 100, 100 - (i % 2) * 100, 0]).collect();
    let known = constant(&mut b, &[30, 4], TensorData::I16(known));
    let votes = constant(&mut b, &[30, 3], TensorData::I32(votes));
    let near = NearestRows { k: 5, by_distance: false };
    let score = b.node(Op::NearestRows(near), &[small, known, votes]).unwrap();
    let model = finish(b, score, LinkKind::Share, 0, 0, 3);
    let rows = Rows::new(300);
    let columns = rows.columns();
    let explainer = Explainer::new(&model, &columns).unwrap();
    assert!(explainer.is_sampled());
    let integer = scores(model.graph(), &columns);
    for class in 0..3u32 {
        let got = explainer.attribute(&columns, &vec![class; 300], &Threads::one()).unwrap();
        let expected: Vec<f64> = integer.iter().map(|s| s[class as usize] / 500.0).collect();
        check_sums("neighbours", &sums(&got), &expected, 1e-9);
        assert_eq!(got.values.iter().all(|&phi| phi == 0.0), class == 2, "nobody votes for the third");
        let many = Threads::try_new(2).unwrap();
        assert_eq!(explainer.attribute(&columns, &vec![class; 300], &many).unwrap(), got);
    }
}

#[test]
fn bad_questions_are_refused() {
    let rows = Rows::new(4);
    let columns = rows.columns();
    let model = forest_model(3, LinkKind::Softmax, 16, 0, 3);
    let none = Rows::new(0);
    let no_rows = Explainer::new(&model, &none.columns()).unwrap_err();
    assert!(matches!(no_rows.kind(), Kind::NoRows), "{no_rows}");
    let explainer = Explainer::new(&model, &columns).unwrap();
    assert_eq!(explainer.attribute(&none.columns(), &[], &Threads::one()).unwrap().values, []);
    for classes in [&[0u32, 1][..], &[0, 1, 2, 3]] {
        let error = explainer.attribute(&columns, classes, &Threads::one()).unwrap_err();
        assert!(matches!(error.kind(), Kind::Misfit { .. }), "{error}");
    }
    let mut b = GraphBuilder::new();
    let n = b.input("n", DType::I64, Shape::rows()).unwrap();
    let made = b.node(Op::Cast(Cast), &[n]).unwrap();
    let graph = b.finish(&[made]).unwrap();
    let mut about = signature(vec![input("n", ColumnKind::Number, DType::I64)], &[]);
    (about.task, about.outputs, about.columns) =
        (Task::Transform, vec![OutputRole::Column], vec!["m".into()]);
    let transform = Model::try_new(graph, about, Card::default()).unwrap();
    let whole = [Column::try_new(ColumnData::I64(&[1, 2]), None).unwrap()];
    let error = Explainer::new(&transform, &whole).unwrap_err();
    assert!(error.to_string().contains("a model of task transform"), "{error}");
    let plan = Plan::new(transform.graph()).unwrap();
    let error = dependence(&transform, &plan, &whole, 0, &Threads::one()).unwrap_err();
    assert!(matches!(error.kind(), Kind::NoScore { .. }), "{error}");
}

/// Minus the mean distance of the value from the score as they are.
fn closeness<'a>(truth: &'a [f64]) -> impl Fn(&[Tensor]) -> Result<f64, Error> + Sync + Send + 'a {
    move |outputs| match outputs[0].data() {
        TensorData::F64(v) => Ok(-v.iter().zip(truth).map(|(v, t)| (v - t).abs()).sum::<f64>()),
        _ => Err(Kind::NoRows.into()),
    }
}

#[test]
fn importances_say_which_columns_count() {
    let model = linear_model();
    let plan = Plan::new(model.graph()).unwrap();
    let mut rows = Rows::new(80);
    rows.income = vec![7.0; 80];
    let columns = rows.columns();
    let TensorData::F64(truth) = plan.run(&columns).unwrap()[0].data().clone() else { panic!("values") };
    let permutations = Permutations { repeats: 3, seed: Seed(1) };
    let sample = Sample { model: &model, plan: &plan, columns: &columns, permutations };
    let list = importances(&sample, &Threads::one(), closeness(&truth)).unwrap();
    let many = Threads::try_new(3).unwrap();
    assert_eq!(importances(&sample, &many, closeness(&truth)).unwrap(), list);
    let names: Vec<&str> = list.iter().map(|i| i.column.as_str()).collect();
    assert_eq!(names, ["city", "age", "income"]);
    assert!(list[0].permutation > 0.0 && list[0].deviation > 0.0 && list[0].shap > 0.0);
    assert_eq!((list[2].permutation, list[2].deviation), (0.0, 0.0), "a constant column loses nothing");
    let one = Rows::new(1);
    let alone = one.columns();
    let sample = Sample { columns: &alone, ..sample };
    let list = importances(&sample, &many, closeness(&truth)).unwrap();
    assert!(list.iter().all(|i| i.permutation == 0.0 && i.shap == 0.0), "{list:?}");
}

#[test]
fn rank_correlation_by_hand() {
    let a = [3.0, 2.0, 1.0, 0.0];
    assert_eq!(rank_correlation(&a, &a), Some(1.0));
    // 1 - 6 (1 + 1 + 0 + 0) / (4 (16 - 1)).
    assert!((rank_correlation(&a, &[2.0, 3.0, 1.0, 0.0]).unwrap() - 0.8).abs() < 1e-12);
    // Ranks 4 3 2 1 and 3.5 3.5 2 1: covariance 4.5, spreads 5 and 4.5.
    let tied = rank_correlation(&a, &[5.0, 5.0, 1.0, 0.0]).unwrap();
    assert!((tied - 4.5 / (5.0 * 4.5f64).sqrt()).abs() < 1e-12);
    for (a, b) in [(&a[..], &a[..1]), (&a[..1], &a[..1]), (&[1.0; 3], &[1.0, 2.0, 3.0])] {
        assert_eq!(rank_correlation(a, b), None);
    }
}

#[test]
fn dependence_sets_a_column_in_all_rows() {
    let model = forest_model(3, LinkKind::Softmax, 20, 0, 3);
    let plan = Plan::new(model.graph()).unwrap();
    let rows = Rows::new(700);
    let columns = rows.columns();
    let of = |position| dependence(&model, &plan, &columns, position, &Threads::try_new(2).unwrap()).unwrap();
    let age = of(0);
    let n = age.grid.len();
    assert_eq!((age.width, age.rows.len()), (3, 30));
    assert!((24..=MAX_GRID).contains(&n), "{n}: some quantiles of rows are those of different numbers");
    assert!(age.grid[..n - 1].windows(2).all(|p| p[0].number < p[1].number), "{:?}", age.grid);
    assert_eq!(age.grid[n - 1], GridPoint { text: None, number: None });
    assert_eq!((age.mean.len(), age.lines.len()), (n * 3, 30 * n * 3));
    for p in age.mean.chunks_exact(3).chain(age.lines.chunks_exact(3)) {
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-6);
    }
    let city = of(2);
    let named: Vec<Option<&str>> = city.grid.iter().map(|g| g.text.as_deref()).collect();
    assert_eq!((named.len(), named[4]), (5, None));
    // The first value by hand: every row with it, its probabilities averaged.
    let at = (0..700).find(|&r| columns[2].text(r) == named[0]).unwrap();
    let background = evenly(700, 500);
    let taken = Taken::all(&columns, &background).unwrap();
    let mut set: Vec<Column<'_>> = taken.iter().map(|t| t.column().unwrap()).collect();
    let filled = Taken::of(&columns[2], 2, &vec![at as u32; 500]).unwrap();
    set[2] = filled.column().unwrap();
    let TensorData::F32(p) = reference::run(model.graph(), &set).unwrap()[0].data().clone() else {
        panic!("p")
    };
    let mean = p.iter().step_by(3).map(|&p| f64::from(p)).sum::<f64>() / 500.0;
    assert!((city.mean[0] - mean).abs() < 1e-12);
    assert_eq!(city.lines[0], f64::from(p[0]));
    // One row, and a column of one value.
    let one = Rows::new(1);
    let single = dependence(&model, &plan, &one.columns(), 2, &Threads::one()).unwrap();
    assert_eq!((single.grid.len(), single.rows.len()), (1, 1));
    assert_eq!(single.mean, single.lines);
    let none = dependence(&model, &plan, &Rows::new(0).columns(), 0, &Threads::one()).unwrap_err();
    assert!(matches!(none.kind(), Kind::NoRows), "{none}");
    let beyond = dependence(&model, &plan, &columns, 3, &Threads::one()).unwrap_err();
    assert!(matches!(beyond.kind(), Kind::Misfit { .. }), "{beyond}");
}

#[test]
fn cells_as_people_read_them() {
    let number = input("n", ColumnKind::Number, DType::F64);
    let column = Column::try_new(ColumnData::F64(&[0.1, f64::NAN, 3.0]), None).unwrap();
    let all: Vec<Option<String>> = (0..4).map(|row| spelled(&column, &number, row)).collect();
    assert_eq!(all, [Some("0.1".into()), None, Some("3".into()), None]);
    let time = input("t", ColumnKind::Time, DType::I64);
    let column = Column::try_new(ColumnData::I64(&[86_400_000_000]), None).unwrap();
    assert_eq!(spelled(&column, &time, 0).unwrap(), "1970-01-02 00:00:00Z");
    let long = "ä\n".repeat(30);
    let offsets = [0, long.len() as i32];
    let column = ColumnData::Str { offsets: &offsets, bytes: long.as_bytes() };
    let column = Column::try_new(column, None).unwrap();
    assert_eq!(
        spelled(&column, &input("s", ColumnKind::Text, DType::Str), 0).unwrap(),
        format!("{}..", "ä ".repeat(20))
    );
    assert_eq!(shuffled(0, Seed(1)), []);
    let mut order = shuffled(100, Seed(1));
    order.sort_unstable();
    assert_eq!(order, (0..100).collect::<Vec<_>>());
}
