//! Every way in which a forest can be ill formed, with its message.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use smidgen_ir::Forest;
use smidgen_ir::forest::{Child, CodeSet, CodedFeature, MAX_FEATURES, Split, Test, Tree};

/// An ordered feature 0 with 3 codes, a category 1 with 5.
fn features() -> Vec<CodedFeature> {
    vec![CodedFeature { n_codes: 3, ordered: true }, CodedFeature { n_codes: 5, ordered: false }]
}

fn split(feature: u32, test: Test, left: Child, right: Child) -> Split {
    Split { feature, test, missing_left: false, left, right }
}

fn set(codes: &[u8]) -> Test {
    let mut set = CodeSet::default();
    codes.iter().for_each(|&c| set.insert(c));
    Test::In(set)
}

fn tree(first_output: u32, width: u32, splits: Vec<Split>, leaves: Vec<i32>) -> Tree {
    Tree { first_output, width, splits, leaves }
}

#[test]
fn ill_formed_trees() {
    use Child::{Leaf, Split as Sub};
    let stump = |feature, test| tree(0, 1, vec![split(feature, test, Leaf(0), Leaf(1))], vec![1, 2]);
    let two = |a: [Child; 2], b: [Child; 2]| {
        let splits = vec![split(0, Test::Greater(0), a[0], a[1]), split(0, Test::Greater(1), b[0], b[1])];
        tree(0, 1, splits, vec![1, 2, 3])
    };
    let leaf = |first, width, leaves| tree(first, width, vec![], leaves);
    let cases: Vec<(Tree, &str)> = vec![
        (stump(0, Test::Greater(2)), "ok"),
        (stump(1, set(&[0, 4])), "ok"),
        (stump(1, set(&[])), "ok"),
        (two([Sub(1), Leaf(2)], [Leaf(0), Leaf(1)]), "ok"),
        (two([Leaf(0), Sub(1)], [Leaf(1), Leaf(2)]), "ok"),
        (leaf(0, 2, vec![1, 2]), "ok"),
        (leaf(1, 1, vec![1]), "ok"),
        (two([Sub(1), Leaf(0)], [Leaf(1), Leaf(2)]), "leaf order: expected 0, got 1"),
        (two([Sub(1), Leaf(2)], [Leaf(1), Leaf(0)]), "leaf order: expected 0, got 1"),
        (two([Leaf(0), Sub(1)], [Leaf(1), Leaf(1)]), "leaf order: expected 2, got 1"),
        (two([Leaf(0), Sub(0)], [Leaf(1), Leaf(2)]), "split order: expected 1, got 0"),
        (two([Sub(1), Sub(1)], [Leaf(0), Leaf(1)]), "split order: expected 2, got 1"),
        (two([Sub(2), Leaf(2)], [Leaf(0), Leaf(1)]), "child split: expected below 2, got 2"),
        (two([Sub(u32::MAX), Leaf(2)], [Leaf(0), Leaf(1)]), "child split: expected below 2, got 4294967295"),
        (two([Leaf(0), Leaf(1)], [Leaf(2), Leaf(3)]), "splits reached: expected 2, got 1"),
        (stump(2, Test::Greater(0)), "feature: expected below 2, got 2"),
        (stump(u32::MAX, Test::Greater(0)), "feature: expected below 2, got 4294967295"),
        (stump(0, Test::Greater(3)), "threshold code: expected below 3, got 3"),
        (stump(0, Test::Greater(255)), "threshold code: expected below 3, got 255"),
        (stump(1, set(&[1, 5])), "category code: expected below 5, got 5"),
        (stump(1, set(&[255])), "category code: expected below 5, got 255"),
        (stump(1, Test::Greater(0)), "test: expected a set of categories, got a threshold"),
        (stump(0, set(&[0])), "test: expected a threshold, got a set of categories"),
        (leaf(0, 1, vec![]), "leaf values: expected 1 a leaf, got 0"),
        (leaf(0, 2, vec![1]), "leaf values: expected 2 a leaf, got 1"),
        (tree(0, 1, stump(0, Test::Greater(0)).splits, vec![1]), "leaf values: expected 1 a leaf, got 1"),
        (leaf(0, 0, vec![]), "outputs of the tree: expected one or more within 0..2, got 0..0"),
        (leaf(0, 3, vec![1, 2, 3]), "outputs of the tree: expected one or more within 0..2, got 0..3"),
        (leaf(2, 1, vec![1]), "outputs of the tree: expected one or more within 0..2, got 2..3"),
        (
            leaf(u32::MAX, 1, vec![1]),
            "outputs of the tree: expected one or more within 0..2, got 4294967295..4294967296",
        ),
    ];
    for (bad, message) in cases {
        // A sound tree before it: the message counts from 0.
        let trees = vec![leaf(0, 2, vec![0, 0]), bad.clone()];
        let got = Forest::try_new(features(), vec![0, 0], trees);
        let got = got.map_or_else(|e| e.to_string(), |_| "ok".into());
        let expected = if message == "ok" {
            message.into()
        } else {
            format!("graph: node \"\" (Forest): tree 1: {message}")
        };
        assert_eq!(got, expected, "{bad:?}");
    }
}

#[test]
fn ill_formed_forests() {
    let message = |features, initial, trees| {
        Forest::try_new(features, initial, trees).map_or_else(|e| e.to_string(), |_| "ok".into())
    };
    let feature = |n_codes| CodedFeature { n_codes, ordered: true };
    assert_eq!(
        message(vec![], vec![], vec![]),
        "graph: node \"\" (Forest): outputs: expected 1 or more, got 0"
    );
    assert_eq!(message(vec![feature(254); MAX_FEATURES], vec![0], vec![]), "ok");
    assert_eq!(
        message(vec![feature(254); MAX_FEATURES + 1], vec![0], vec![]),
        "graph: node \"\" (Forest): features: expected at most 65536, got 65537"
    );
    assert_eq!(
        message(vec![feature(1), feature(255)], vec![0], vec![]),
        "graph: node \"\" (Forest): codes of feature 1: expected at most 254, got 255"
    );
}

/// Sums are bounded on the way through the trees as well, whatever the order.
#[test]
fn scores_that_could_overflow() {
    let forest = |initial: i32, leaves: &[i32]| {
        let trees = leaves.iter().map(|&v| tree(0, 1, vec![], vec![v])).collect();
        Forest::try_new(vec![], vec![initial], trees)
    };
    let (max, min) = (i32::MAX, i32::MIN);
    let cases: [(i32, &[i32], &str); 8] = [
        (0, &[max], "ok"),
        (0, &[min], "ok"),
        (max, &[-1, min], "ok"),
        (max - 5, &[3, 2, -100], "ok"),
        (0, &[max, 1], "scores of output 0: expected sums within 32 bits, got 0..=2147483648"),
        (-1, &[min], "scores of output 0: expected sums within 32 bits, got -2147483649..=-1"),
        // The total fits, but not the sum of the first two trees.
        (max, &[10, -100], "scores of output 0: expected sums within 32 bits, got 2147483547..=2147483657"),
        (0, &[min, -1, 1], "scores of output 0: expected sums within 32 bits, got -2147483649..=1"),
    ];
    for (initial, leaves, message) in cases {
        let got = forest(initial, leaves).map_or_else(|e| e.to_string(), |_| "ok".into());
        let expected =
            if message == "ok" { message.into() } else { format!("graph: node \"\" (Forest): {message}") };
        assert_eq!(got, expected, "{initial} {leaves:?}");
    }
    // The bounds of a row are those of its total.
    assert_eq!(forest(max, &[-1, min]).unwrap().bounds(), [(-2, -2)]);
    let stump = |leaves| tree(0, 1, vec![split(0, Test::Greater(0), Child::Leaf(0), Child::Leaf(1))], leaves);
    let two = Forest::try_new(features(), vec![5], vec![stump(vec![1, 4]), stump(vec![-2, -7])]).unwrap();
    assert_eq!(two.bounds(), [(-1, 7)]);
    assert_eq!(two.n_splits(), 2);
}

#[test]
fn sets_hold_what_is_put_in() {
    let mut s = CodeSet::default();
    assert!(s.is_empty());
    for code in [0u8, 63, 64, 127, 128, 254, 255] {
        assert!(!s.contains(code));
        s.insert(code);
        assert!(s.contains(code));
    }
    assert_eq!(s.len(), 7);
    assert_eq!((0..=255u8).filter(|&c| s.contains(c)).count(), 7);
}
