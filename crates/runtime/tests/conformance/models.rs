//! Random models: every input kind, every shape of tree, every ending.

use super::{numbers, scores};
use ir::digest::SplitMix64;
use ir::fixed::{from_key_f64, key_f64};
use ir::forest::{Child, CodeSet, CodedFeature, Split, Test, Tree};
use ir::op::{
    ArgMax, Bin, Codes, ForestOp, Gather, LeastCost, Link, LinkKind, Threshold, TimePart, VotesKind,
};
use ir::text::time::{Part, TimeFormat};
use ir::{Card, ColumnKind, DType, Forest, GraphBuilder, Input, Model, Node, Op, OutputRole};
use ir::{Shape, Signature, TargetColumn, Task, Tensor, TensorData, ValueIdx};

pub const TRAITS: &[&str] = &[
    "no edge",
    "one edge",
    "253 edges",
    "an infinite edge",
    "no key",
    "254 keys",
    "unseen is missing",
    "unseen has a code",
    "no tree",
    "a single leaf",
    "9 to 16 leaves",
    "17 to 32 leaves",
    "33 to 64 leaves",
    "more than 64 leaves",
    "a set",
    "missing left",
    "missing right",
    "a tree of one class",
    "a tree of all classes",
    "one output",
    "5 outputs",
    "Logistic",
    "Softmax",
    "Share",
    "Linear",
    "Exponential",
    "LeastCost",
    "QuantizeLinear",
    "QGemm",
    "Tables",
    "Sum",
    "WeightedSum",
    "Cascade",
    "Gate",
    "a binned score",
    "a score of several",
    "votes by Logistic",
    "votes by Softmax",
    "votes by Share",
    "the largest votes",
    "ScoreCurve",
    "ToScores",
    "NearestRows",
    "RbfSums",
    "ArgMax",
    "Threshold",
    "a time as text",
    "a time in microseconds",
    "Cast",
    "Arithmetic",
    "Function",
    "Comparison",
    "IsNaN",
    "Where",
    "Columns",
    "Gather",
    "MatMul",
    "Reduce",
    "Interpolate",
    "OneHot",
    "LabelEncoder",
    "HashBucket",
];

struct Coded {
    value: ValueIdx,
    feature: CodedFeature,
}

pub fn random_model(random: &mut SplitMix64) -> Model {
    let mut builder = GraphBuilder::new();
    let n_inputs = 1 + random.below(6) as usize;
    let mut inputs = Vec::new();
    let mut columns = Vec::new();
    for i in 0..n_inputs {
        let (kind, dtype) = match random.below(5) {
            0 => (ColumnKind::Number, DType::I64),
            1 => (ColumnKind::Number, DType::F64),
            2 => (ColumnKind::Time, DType::I64),
            3 => (ColumnKind::Time, DType::Str),
            _ => (ColumnKind::Category, DType::Str),
        };
        // The names that the builder itself would give to constants and nodes.
        let name = match random.below(4) {
            0 => format!("k{}", i + n_inputs),
            1 => format!("bin{}", 2 * i + n_inputs),
            _ => format!("column {i}"),
        };
        let name = if inputs.iter().any(|x: &Input| x.name == name) { format!("other {i}") } else { name };
        columns.push(builder.input(&name, dtype, Shape::rows()).unwrap());
        inputs.push(Input { name, kind, dtype });
    }
    let mut coded: Vec<Coded> = Vec::new();
    for (&column, input) in columns.iter().zip(&inputs) {
        if input.kind == ColumnKind::Time {
            let part = time_part(random, input.dtype);
            let part = builder.node(Op::TimePart(part), &[column]).unwrap();
            coded.push(code(random, &mut builder, part, DType::F64));
            continue;
        }
        if random.below(3) == 0 {
            let made = numbers::made(random, &mut builder, column, input.dtype);
            coded.push(code(random, &mut builder, made, DType::F64));
            continue;
        }
        coded.push(code(random, &mut builder, column, input.dtype));
    }
    // A column may be coded twice, by other edges.
    if random.below(4) == 0 && inputs[0].kind != ColumnKind::Time {
        coded.push(code(random, &mut builder, columns[0], inputs[0].dtype));
    }
    let n_outputs = 1 + random.below(5);
    let coded: Vec<_> = coded.iter().map(|c| (c.value, c.feature)).collect();
    let starts: Vec<_> = columns
        .iter()
        .zip(&inputs)
        .filter(|(_, i)| i.kind != ColumnKind::Time)
        .map(|(c, i)| (*c, i.dtype))
        .collect();
    let made = |random: &mut SplitMix64, b: &mut GraphBuilder| {
        if random.below(3) == 0 && !starts.is_empty() {
            return scores::made(random, b, &coded, &starts, n_outputs as usize);
        }
        let forest = random_forest(random, coded.iter().map(|c| c.1).collect(), n_outputs);
        let codes: Vec<ValueIdx> = coded.iter().map(|c| c.0).collect();
        b.node(Op::Forest(ForestOp { forest: forest.into() }), &codes).unwrap()
    };
    let gate = |random: &mut SplitMix64, b: &mut GraphBuilder| match starts.is_empty() || random.below(2) == 0
    {
        true => {
            let forest = random_forest(random, coded.iter().map(|c| c.1).collect(), 1);
            let codes: Vec<ValueIdx> = coded.iter().map(|c| c.0).collect();
            b.node(Op::Forest(ForestOp { forest: forest.into() }), &codes).unwrap()
        }
        false => scores::made(random, b, &coded, &starts, 1),
    };
    let score = match random.below(12) {
        8 | 9 => {
            // Members may have other numbers of scores than the trees, and be combinations themselves.
            let mut members: Vec<ValueIdx> =
                (0..1 + random.below(3)).map(|_| made(random, &mut builder)).collect();
            members.push(match random.below(4) {
                0 => scores::weighed(random, &mut builder, &members, n_outputs),
                1 => scores::cascaded(random, &mut builder, &made, n_outputs, 0),
                2 => scores::gated(random, &mut builder, (&gate, &made), n_outputs),
                _ => scores::curved(random, &mut builder, members[0], n_outputs),
            });
            let n_made = if random.below(3) == 0 { 1 + random.below(5) } else { n_outputs };
            let stacked = scores::stacked(random, &mut builder, &members, &coded, (n_outputs, n_made));
            return finish(random, builder, stacked, n_made, inputs);
        }
        0 | 1 => {
            let members: Vec<ValueIdx> =
                (0..1 + random.below(4)).map(|_| made(random, &mut builder)).collect();
            scores::weighed(random, &mut builder, &members, n_outputs)
        }
        2 | 3 => scores::cascaded(random, &mut builder, &made, n_outputs, 2),
        4 => {
            let cascade = scores::cascaded(random, &mut builder, &made, n_outputs, 0);
            let members = [made(random, &mut builder), cascade, cascade];
            scores::weighed(random, &mut builder, &members, n_outputs)
        }
        10 => scores::gated(random, &mut builder, (&gate, &made), n_outputs),
        11 => {
            // Stages that part rows once more.
            let within = |random: &mut SplitMix64, b: &mut GraphBuilder| match random.below(2) {
                0 => scores::cascaded(random, b, &made, n_outputs, 0),
                _ => scores::gated(random, b, (&gate, &made), n_outputs),
            };
            scores::gated(random, &mut builder, (&gate, &within), n_outputs)
        }
        _ => made(random, &mut builder),
    };
    finish(random, builder, score, n_outputs, inputs)
}

fn time_part(random: &mut SplitMix64, dtype: DType) -> TimePart {
    let part = Part::ALL[random.below(Part::ALL.len() as u32) as usize];
    let n_formats = TimeFormat::all().count() as u32;
    let tag = random.below(n_formats) as u8;
    TimePart { part, format: (dtype == DType::Str).then(|| TimeFormat::from_tag(tag).unwrap()) }
}

fn code(random: &mut SplitMix64, b: &mut GraphBuilder, column: ValueIdx, dtype: DType) -> Coded {
    let n = match random.below(8) {
        0 => 0,
        1 => 1,
        2 => 253,
        _ => random.below(40) as usize,
    };
    let constant = match dtype {
        DType::I64 => {
            let mut edges: Vec<i64> = (0..n)
                .map(|i| match random.below(10) {
                    _ if n == 253 => 20 * i as i64 - 100,
                    0 => random.next_word().cast_signed(),
                    1 => i64::MAX - i64::from(random.below(3)),
                    _ => i64::from(random.below(5000)) - 100,
                })
                .collect();
            edges.sort_unstable();
            edges.dedup();
            TensorData::I64(edges)
        }
        DType::F64 => {
            let limit = key_f64(f64::INFINITY);
            let mut keys: Vec<i64> = (0..n)
                .map(|i| match random.below(8) {
                    _ if n == 253 => key_f64(i as f64 / 3.0 - 50.0),
                    0 => limit,
                    1 => -limit - 1,
                    2 => 0,
                    3 => random.next_word().cast_signed().clamp(-limit - 1, limit),
                    _ => key_f64(f64::from(random.below(5000)) / 8.0 - 50.0),
                })
                .filter(|&k| k != -1)
                .collect();
            keys.sort_unstable();
            keys.dedup();
            TensorData::F64(keys.into_iter().map(from_key_f64).collect())
        }
        _ => {
            let n = if n == 253 { 254 } else { n };
            let mut keys: Vec<String> = (0..n).map(|i| format!("key {i}")).collect();
            if n == 1 {
                keys[0] = String::new();
            }
            keys.sort_unstable();
            TensorData::Str(keys)
        }
    };
    let n = constant.len();
    let constant = b.constant(Tensor::vector(constant)).unwrap();
    if dtype == DType::Str {
        let unseen = if random.below(2) == 0 || n > 253 { 255 } else { random.below(n as u32 + 1) as u8 };
        let value = b.node(Op::Codes(Codes { unseen }), &[column, constant]).unwrap();
        return Coded { value, feature: CodedFeature { n_codes: (n + 1).min(254) as u16, ordered: false } };
    }
    let value = b.node(Op::Bin(Bin), &[column, constant]).unwrap();
    Coded { value, feature: CodedFeature { n_codes: n as u16 + 1, ordered: true } }
}

pub fn random_forest(random: &mut SplitMix64, features: Vec<CodedFeature>, n_outputs: u32) -> Forest {
    let n_trees = random.below(8);
    let mut trees = Vec::new();
    for _ in 0..n_trees {
        let width = if random.below(2) == 0 { n_outputs } else { 1 + random.below(n_outputs) };
        let first_output = random.below(n_outputs - width + 1);
        let mut tree = Tree { first_output, width, ..Tree::default() };
        let most = [1, 3, 8, 15, 31, 63, 150][random.below(7) as usize];
        let mut splits_left = random.below(most + 1);
        grow(random, &mut tree, &features, &mut splits_left);
        trees.push(tree);
    }
    let initial = (0..n_outputs).map(|_| random.below(2_000_000) as i32 - 1_000_000).collect();
    Forest::try_new(features, initial, trees).unwrap()
}

fn grow(random: &mut SplitMix64, tree: &mut Tree, features: &[CodedFeature], left: &mut u32) -> Child {
    if *left == 0 {
        let leaf = tree.leaves.len() as u32 / tree.width;
        for _ in 0..tree.width {
            let size = 1 << random.below(20);
            tree.leaves.push(random.below(size) as i32 - (size / 2) as i32);
        }
        return Child::Leaf(leaf);
    }
    *left -= 1;
    let feature = random.below(features.len() as u32);
    let FeatureTest { n_codes, ordered } = FeatureTest::of(features[feature as usize]);
    let test = if ordered {
        Test::Greater(random.below(n_codes) as u8)
    } else {
        let mut set = CodeSet::default();
        for code in 0..n_codes as u8 {
            if random.below(2) == 0 {
                set.insert(code);
            }
        }
        Test::In(set)
    };
    let (at, unknown) = (tree.splits.len(), Child::Leaf(0));
    let missing_left = random.below(2) == 0;
    tree.splits.push(Split { feature, test, missing_left, left: unknown, right: unknown });
    let mut for_left = random.below(*left + 1);
    *left -= for_left;
    tree.splits[at].left = grow(random, tree, features, &mut for_left);
    tree.splits[at].right = grow(random, tree, features, left);
    Child::Split(at as u32)
}

struct FeatureTest {
    n_codes: u32,
    ordered: bool,
}

impl FeatureTest {
    fn of(feature: CodedFeature) -> FeatureTest {
        FeatureTest { n_codes: feature.n_codes.into(), ordered: feature.ordered }
    }
}

fn finish(
    random: &mut SplitMix64,
    mut b: GraphBuilder,
    score: ValueIdx,
    n_outputs: u32,
    inputs: Vec<Input>,
) -> Model {
    let score = match random.below(9) {
        0..=2 => scores::curved(random, &mut b, score, n_outputs),
        3 => scores::voted(random, &mut b, score, n_outputs),
        _ => score,
    };
    let shift = random.below(21) as i16;
    let link = |kind, shift, offset| Op::Link(Link { kind, shift, offset });
    let mut outputs = vec![(OutputRole::Score, score)];
    let n = n_outputs as usize;
    let mut targets = Vec::new();
    let (task, n_classes) = if n > 1 && random.below(4) == 0 {
        (several_targets(random, &mut b, (score, n), &mut outputs, &mut targets), 0)
    } else if n > 1 {
        let (kind, shift) =
            if random.below(3) == 0 { (LinkKind::Share, 0) } else { (LinkKind::Softmax, shift) };
        let p = b.node(link(kind, shift, 0), &[score]).unwrap();
        outputs.push((OutputRole::Probability, p));
        let label = if random.below(3) == 0 {
            let cost = (0..n * n).map(|_| f64::from(random.below(9)) - 2.0).collect();
            let cost = b.constant(Tensor::try_new(vec![n, n], TensorData::F64(cost)).unwrap()).unwrap();
            b.node(Op::LeastCost(LeastCost), &[p, cost]).unwrap()
        } else {
            b.node(Op::ArgMax(ArgMax), &[score]).unwrap()
        };
        outputs.push((OutputRole::Label, label));
        (if n == 2 { Task::Binary } else { Task::Multiclass }, n)
    } else if random.below(2) == 0 {
        let op = if random.below(3) == 0 {
            link(LinkKind::Share, 0, 1 + i64::from(random.below(1 << 30)))
        } else {
            link(LinkKind::Logistic, shift, 0)
        };
        let p = b.node_named("probabilities", op, &[score]).unwrap()[0];
        let above = random.below(2_000_000) as i32 - 1_000_000;
        outputs.push((OutputRole::Label, b.node(Op::Threshold(Threshold { above }), &[score]).unwrap()));
        outputs.push((OutputRole::Probability, p));
        (Task::Binary, 2)
    } else {
        let op = if random.below(3) == 0 {
            link(LinkKind::Exponential, shift, 0)
        } else {
            let shift = random.below(2300) as i16 - 1100;
            link(LinkKind::Linear, shift, random.next_word().cast_signed() >> random.below(64))
        };
        outputs.push((OutputRole::Value, b.node(op, &[score]).unwrap()));
        (Task::Regression, 0)
    };
    if random.below(4) == 0 && targets.is_empty() {
        outputs.remove(0);
    }
    let values: Vec<ValueIdx> = outputs.iter().map(|o| o.1).collect();
    let signature = Signature {
        task,
        target: "target".into(),
        targets,
        inputs,
        outputs: outputs.iter().map(|o| o.0).collect(),
        classes: (0..n_classes).map(|i| format!("class {i}")).collect(),
        positive: (task == Task::Binary).then_some(1),
        missing: Vec::new(),
        columns: Vec::new(),
        joined: None,
    };
    Model::try_new(b.finish(&values).unwrap(), signature, Card::default()).unwrap()
}

/// A target for each of several scores, all numbers or all of two classes.
fn several_targets(
    random: &mut SplitMix64,
    b: &mut GraphBuilder,
    (scores, n): (ValueIdx, usize),
    outputs: &mut Vec<(OutputRole, ValueIdx)>,
    targets: &mut Vec<TargetColumn>,
) -> Task {
    let of_classes = random.below(2) == 0;
    for k in 0..n {
        let at = b.constant(Tensor::vector(TensorData::I64(vec![k as i64]))).unwrap();
        let score = b.node(Op::Gather(Gather), &[scores, at]).unwrap();
        let shift = random.below(21) as i16;
        let mut classes = Vec::new();
        if of_classes {
            let link = Op::Link(Link { kind: LinkKind::Logistic, shift, offset: 0 });
            outputs.push((OutputRole::Probability, b.node(link, &[score]).unwrap()));
            let above = random.below(2_000_000) as i32 - 1_000_000;
            outputs.push((OutputRole::Label, b.node(Op::Threshold(Threshold { above }), &[score]).unwrap()));
            classes = vec!["no".to_string(), "yes".to_string()];
        } else {
            let offset = random.next_word().cast_signed() >> random.below(64);
            let link = Link { kind: LinkKind::Linear, shift: shift - 10, offset };
            outputs.push((OutputRole::Value, b.node(Op::Link(link), &[score]).unwrap()));
        }
        let positive = of_classes.then_some(1);
        targets.push(TargetColumn { name: format!("target {k}"), classes, positive });
    }
    if of_classes { Task::Multilabel } else { Task::MultiRegression }
}

/// What a model has of [`TRAITS`].
pub fn traits(model: &Model) -> Vec<&'static str> {
    let graph = model.graph();
    let mut seen = Vec::new();
    for node in graph.nodes() {
        let constant = node.inputs.get(1).and_then(|&c| graph.constant(c)).map(Tensor::data);
        match (&node.op, constant) {
            (Op::Bin(_), Some(edges)) => {
                let maker = |node: &Node| node.inputs.first().and_then(|&input| graph.maker(input));
                let is_score = maker(node).filter(|node| matches!(node.op, Op::Gather(_))).and_then(maker);
                let is_score = is_score.and_then(|cast| Some(graph.value(*cast.inputs.first()?).dtype));
                seen.extend((is_score == Some(DType::I32)).then_some("a binned score"));
                seen.extend(match edges.len() {
                    0 => Some("no edge"),
                    1 => Some("one edge"),
                    253 => Some("253 edges"),
                    _ => None,
                });
                let infinite = matches!(edges, TensorData::F64(v) if v.iter().any(|e| e.is_infinite()));
                seen.extend(infinite.then_some("an infinite edge"));
            }
            (Op::Codes(op), Some(keys)) => {
                seen.extend((keys.is_empty()).then_some("no key"));
                seen.extend((keys.len() == 254).then_some("254 keys"));
                seen.push(if op.unseen == 255 { "unseen is missing" } else { "unseen has a code" });
            }
            (Op::Forest(op), _) => seen.extend(forest_traits(&op.forest)),
            (Op::Link(op), _) => seen.push(match op.kind {
                LinkKind::Logistic => "Logistic",
                LinkKind::Softmax => "Softmax",
                LinkKind::Share => "Share",
                LinkKind::Linear => "Linear",
                LinkKind::Exponential => "Exponential",
            }),
            (Op::LeastCost(_), _) => seen.push("LeastCost"),
            (Op::QuantizeLinear(_), _) => seen.push("QuantizeLinear"),
            (Op::QGemm(_), _) => seen.push("QGemm"),
            (Op::Tables(_), _) => seen.push("Tables"),
            (Op::Sum(_), _) => seen.push("Sum"),
            (Op::WeightedSum(_), _) => seen.push("WeightedSum"),
            (Op::Cascade(_), _) => seen.push("Cascade"),
            (Op::Gate(_), _) => seen.push("Gate"),
            (Op::Votes(op), _) => seen.push(match op.kind {
                VotesKind::Logistic => "votes by Logistic",
                VotesKind::Softmax => "votes by Softmax",
                VotesKind::Share => "votes by Share",
                VotesKind::Largest => "the largest votes",
            }),
            (Op::ScoreCurve(_), _) => seen.push("ScoreCurve"),
            (Op::ToScores(_), _) => seen.push("ToScores"),
            (Op::NearestRows(_), _) => seen.push("NearestRows"),
            (Op::RbfSums(_), _) => seen.push("RbfSums"),
            (Op::ArgMax(_), _) => seen.push("ArgMax"),
            (Op::Threshold(_), _) => seen.push("Threshold"),
            (Op::TimePart(op), _) => {
                seen.push(if op.format.is_some() { "a time as text" } else { "a time in microseconds" });
            }
            (Op::Bin(_) | Op::Codes(_), None) => {}
            (Op::Cast(_), _) => seen.push("Cast"),
            (Op::Arithmetic(_), _) => seen.push("Arithmetic"),
            (Op::Function(_), _) => seen.push("Function"),
            (Op::Comparison(_), _) => seen.push("Comparison"),
            (Op::IsNaN(_), _) => seen.push("IsNaN"),
            (Op::Where(_), _) => seen.push("Where"),
            (Op::Columns(_), _) => seen.push("Columns"),
            (Op::Gather(_), _) => {
                let of_scores = node.inputs.first().is_some_and(|&x| graph.value(x).dtype == DType::I32);
                seen.push(if of_scores { "a score of several" } else { "Gather" });
            }
            (Op::MatMul(_), _) => seen.push("MatMul"),
            (Op::Reduce(_), _) => seen.push("Reduce"),
            (Op::Interpolate(_), _) => seen.push("Interpolate"),
            (Op::OneHot(_), _) => seen.push("OneHot"),
            (Op::LabelEncoder(_), _) => seen.push("LabelEncoder"),
            (Op::HashBucket(_), _) => seen.push("HashBucket"),
            // Laws of the transforms compare them.
            (Op::ImputeNeighbours(_) | Op::Respell(_) | Op::BSpline(_), _) => {}
            // They have tests of their own, and the laws of the transforms.
            (Op::TextPart(_) | Op::Tokens(_) | Op::HashTokens(_), _) => {}
            (Op::BagWeigh(_) | Op::BagGather(_) | Op::BagGemm(_), _) => {}
            // They see other rows; tests of their own compare them.
            (Op::Past(_) | Op::Related(_) | Op::Tensor(_), _) => {}
        }
    }
    seen
}

fn forest_traits(forest: &Forest) -> Vec<&'static str> {
    let mut seen = Vec::new();
    seen.extend((forest.trees().is_empty()).then_some("no tree"));
    seen.extend(match forest.n_outputs() {
        1 => Some("one output"),
        5 => Some("5 outputs"),
        _ => None,
    });
    for tree in forest.trees() {
        seen.extend(match tree.splits.len() + 1 {
            1 => Some("a single leaf"),
            9..=16 => Some("9 to 16 leaves"),
            17..=32 => Some("17 to 32 leaves"),
            33..=64 => Some("33 to 64 leaves"),
            65.. => Some("more than 64 leaves"),
            _ => None,
        });
        if forest.n_outputs() > 1 && tree.width == 1 {
            seen.push("a tree of one class");
        }
        if forest.n_outputs() > 1 && tree.width == forest.n_outputs() {
            seen.push("a tree of all classes");
        }
        for split in &tree.splits {
            seen.push(if split.missing_left { "missing left" } else { "missing right" });
            seen.extend(matches!(split.test, Test::In(_)).then_some("a set"));
        }
    }
    seen
}
