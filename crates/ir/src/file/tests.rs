//! Round trips, damage at every byte, and hostile bytes behind a valid digest.

use super::*;
use crate::digest::SplitMix64;
use crate::forest::{Child, CodeSet, CodedFeature, Split, Test, Tree};
use crate::op::{ArgMax, Bin, Codes, ForestOp, Link, LinkKind};
use crate::{Card, ColumnKind, DType, Forest, GraphBuilder, Input, Op, OutputRole, SelfTest};
use crate::{Shape, Signature, Task, Tensor, TensorData};
use alloc::string::String;
use alloc::vec;
use proptest::prelude::*;

const COLORS: [&str; 4] = ["blue", "green", "red", "öl"];

/// Codes that can arrive at a node: first and last of feature 0, a set of feature 1.
type Reach = (u8, u8, u64);

const ALL: Reach = (0, 5, 31);

/// A tree of random shape: an ordered feature 0 with 6 codes, a category 1 with 5. A narrowing one asks
/// only what the splits above leave open.
fn random_tree(random: &mut SplitMix64, width: u32, first_output: u32, narrowing: bool) -> Tree {
    let mut tree = Tree { first_output, width, ..Tree::default() };
    let root = grow(random, &mut tree, 0, narrowing.then_some(ALL));
    if root == Child::Leaf(0) {
        assert!(tree.splits.is_empty());
    }
    tree
}

fn grow(random: &mut SplitMix64, tree: &mut Tree, depth: u32, reach: Option<Reach>) -> Child {
    if depth == 6 || random.below(3) == 0 {
        let leaf = tree.leaves.len() as u32 / tree.width;
        for _ in 0..tree.width {
            let size = 1 << random.below(16);
            tree.leaves.push(random.below(size) as i32 - (size / 3) as i32);
        }
        return Child::Leaf(leaf);
    }
    let at = tree.splits.len();
    let (low, high, set) = reach.unwrap_or(ALL);
    let feature = random.below(2);
    let (test, left, right) = if feature == 0 {
        // The last code parts missing from all others, at any place.
        let t = low + random.below(u32::from(high - low) + 1) as u8;
        let t = if t == high { 5 } else { t };
        (Test::Greater(t), (low, high.min(t), set), ((t + 1).min(high), high, set))
    } else {
        let right = u64::from(random.below(32)) & set;
        (Test::In(CodeSet([right, 0, 0, 0])), (low, high, set & !right), (low, high, right))
    };
    let missing_left = random.below(5) == 0;
    tree.splits.push(Split { feature, test, missing_left, left: Child::Leaf(0), right: Child::Leaf(0) });
    tree.splits[at].left = grow(random, tree, depth + 1, reach.map(|_| left));
    tree.splits[at].right = grow(random, tree, depth + 1, reach.map(|_| right));
    Child::Split(at as u32)
}

fn random_model(seed: u64, n_trees: usize) -> Model {
    let mut random = SplitMix64::new(seed);
    let narrowing = random.below(2) == 0;
    let n_outputs = 3;
    let trees = (0..n_trees)
        .map(|_| match random.below(4) {
            0 => random_tree(&mut random, 1, 2, narrowing),
            _ => random_tree(&mut random, n_outputs, 0, narrowing),
        })
        .collect();
    let features =
        vec![CodedFeature { n_codes: 6, ordered: true }, CodedFeature { n_codes: 5, ordered: false }];
    let forest = Forest::try_new(features, vec![-7, 0, 70_000], trees).unwrap();
    let mut b = GraphBuilder::new();
    let age = b.input("age", DType::F64, Shape::rows()).unwrap();
    let color = b.input("color", DType::Str, Shape::rows()).unwrap();
    let edges = TensorData::F64(vec![-1e300, -0.5, 0.1, 2.0, f64::INFINITY]);
    let edges = b.constant(Tensor::vector(edges)).unwrap();
    let keys = TensorData::Str(COLORS.map(String::from).to_vec());
    let keys = b.constant_named("colours", Tensor::vector(keys)).unwrap();
    let age = b.node(Op::Bin(Bin), &[age, edges]).unwrap();
    let color = b.node(Op::Codes(Codes { unseen: 4 }), &[color, keys]).unwrap();
    let score = b.node(Op::Forest(ForestOp { forest: forest.into() }), &[age, color]).unwrap();
    let link = Link { kind: LinkKind::Softmax, shift: 12, offset: 0 };
    let probability = b.node(Op::Link(link), &[score]).unwrap();
    let label = b.node(Op::ArgMax(ArgMax), &[score]).unwrap();
    let graph = b.finish(&[score, probability, label]).unwrap();
    let input = |name: &str, kind, dtype| Input { name: name.into(), kind, dtype };
    let signature = Signature {
        task: Task::Multiclass,
        target: "kind".into(),
        targets: Vec::new(),
        inputs: vec![
            input("age", ColumnKind::Number, DType::F64),
            input("color", ColumnKind::Category, DType::Str),
        ],
        outputs: vec![OutputRole::Score, OutputRole::Probability, OutputRole::Label],
        classes: vec!["a".into(), "b".into(), "c".into()],
        positive: None,
        missing: Vec::new(),
        columns: Vec::new(),
        joined: None,
    };
    let card = Card {
        data_fingerprint: 99,
        n_rows: 1000,
        seed: 3,
        work: 1,
        recipe: "gbdt".into(),
        metrics: vec![("log_loss".into(), 0.25)],
    };
    let mut model = Model::try_new(graph, signature, card).unwrap();
    model.self_test = Some(SelfTest { seed: 1, n_rows: 64, digest: 5 });
    model
}

fn seal(body: &[u8]) -> Vec<u8> {
    let mut digest = Digest::new();
    digest.bytes(body);
    let mut bytes = body.to_vec();
    bytes.extend_from_slice(&digest.finish().to_le_bytes());
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_written_reads_back(seed: u64, n_trees in 0usize..40) {
        let model = random_model(seed, n_trees);
        let bytes = write(&model);
        let back = read(&bytes).unwrap();
        prop_assert_eq!(&back, &model);
        prop_assert_eq!(write(&back), bytes);
    }

    /// Bytes altered behind a valid digest: an error or a model that verifies, never a panic.
    #[test]
    fn hostile_bytes_are_refused_or_well_formed(seed: u64, edits in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..4)) {
        let bytes = write(&random_model(seed, 5));
        let mut body = bytes[..bytes.len() - 8].to_vec();
        for (at, byte) in edits {
            let at = usize::from(at) % body.len();
            body[at] = byte;
        }
        if let Ok(model) = read(&seal(&body)) {
            let again = read(&write(&model)).unwrap();
            prop_assert_eq!(again.graph(), model.graph());
        }
    }
}

#[test]
fn damage_at_any_byte_is_seen() {
    let bytes = write(&random_model(1, 3));
    for at in 0..bytes.len() {
        assert!(matches!(read(&bytes[..at]).unwrap_err().kind(), Kind::Damaged { .. }), "cut at {at}");
        for flip in [1u8, 0x80, 0xff] {
            let mut other = bytes.clone();
            other[at] ^= flip;
            let error = read(&other).unwrap_err();
            assert!(matches!(error.kind(), Kind::Damaged { .. }), "byte {at} flipped by {flip}: {error}");
        }
    }
}

#[test]
fn newer_versions_and_unknown_parts_are_told_apart() {
    let bytes = write(&random_model(1, 3));
    let body = &bytes[..bytes.len() - 8];
    let mut newer = body.to_vec();
    newer[4] = 9;
    assert_eq!(read(&seal(&newer)).unwrap_err().kind(), &Kind::Newer { version: 9, known: VERSION });
    // An empty extra section: skipped below 128, refused from there on.
    for (tag, refused) in [(99u8, false), (200, true)] {
        let mut extra = body[..6].to_vec();
        extra.push(body[6] + 1);
        extra.extend_from_slice(&[tag, 0]);
        extra.extend_from_slice(&body[7..]);
        assert_eq!(read(&seal(&extra)).is_err(), refused, "tag {tag}");
    }
}

/// Random models cover both: forests whose splits keep to what is open, and others.
#[test]
fn narrowing_is_found() {
    let narrowing = |seed| {
        let model = random_model(seed, 30);
        let Op::Forest(f) = &model.graph().nodes()[2].op else { panic!("no forest") };
        assert_eq!(read(&write(&model)).unwrap(), model);
        contexts::Form::of(&f.forest, &contexts::Kind::all(&f.forest)).narrowing
    };
    let found: Vec<bool> = (0..20).map(narrowing).collect();
    let stated: Vec<bool> = (0..20).map(|seed| SplitMix64::new(seed).below(2) == 0).collect();
    assert_eq!(found, stated);
}

#[test]
fn a_split_takes_few_bytes() {
    let small = write(&random_model(4, 100)).len();
    let large = write(&random_model(4, 1100)).len();
    let splits = |n| match &random_model(4, n).graph().nodes()[2].op {
        Op::Forest(f) => f.forest.n_splits(),
        _ => 0,
    };
    let per_split = (large - small) as f64 / (splits(1100) - splits(100)) as f64;
    // Three random leaf values of about 12 bits and half a byte for the split itself.
    assert!(per_split < 8.0, "{per_split} bytes a split");
}
