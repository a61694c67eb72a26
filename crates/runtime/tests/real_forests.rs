//! Forests of reals and what they are lowered to: every row takes the same leaf, and scores stay within the stated bound.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use ir::digest::SplitMix64;
use ir::forest::Child;
use ir::real_forest::{Grid, Lowered, Precision, RealForest, RealTree, Rule, SourceNode};
use ir::{Column, ColumnData, DType, GraphBuilder, Op, Shape, TensorData};
use smidgen_runtime::{Plan, reference, self_test};

const N_FEATURES: u32 = 4;

struct Random(SplitMix64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0.next_word() % n
    }

    /// Numbers with many equals, neighbours of each other in both precisions, both zeros and both infinities.
    fn number(&mut self) -> f64 {
        let base = [
            -3.5,
            -1.0,
            -1e-35,
            0.0,
            -0.0,
            1e-40,
            0.1,
            0.5,
            1.0,
            2.0,
            7.0,
            1e30,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        let x = match self.below(3) {
            0 => (self.below(2001) as f64 - 1000.0) / 16.0,
            1 => f64::from((self.below(1 << 20) as f32) / 7.0),
            _ => base[self.below(base.len() as u64) as usize],
        };
        match self.below(6) {
            0 => x.next_up(),
            1 => x.next_down(),
            2 => f64::from((x as f32).next_up()),
            3 => (x + f64::from((x as f32).next_down())) * 0.5,
            _ => x,
        }
    }

    fn finite(&mut self) -> f64 {
        loop {
            let x = self.number();
            if !x.is_nan() {
                return x;
            }
        }
    }

    fn rule(&mut self, sets: bool) -> Rule {
        let t = self.finite();
        match self.below(if sets { 8 } else { 4 }) {
            0 => Rule::Less(t),
            1 => Rule::LessEqual(t),
            2 => Rule::Greater(t),
            3 => Rule::GreaterEqual(t),
            4 => Rule::Equal(t),
            5 => Rule::NotEqual(t),
            _ => {
                let mut ends: Vec<f64> = (0..2 * self.below(9)).map(|_| self.finite()).collect();
                ends.sort_by(f64::total_cmp);
                ends.dedup_by(|a, b| a == b);
                Rule::Within(ends.chunks_exact(2).map(|c| [c[0], c[1]]).collect())
            }
        }
    }

    /// A tree of `n_splits`, grown at random places, or as one long branch.
    fn tree(&mut self, outputs: core::ops::Range<u32>, n_splits: usize, deep: bool, sets: bool) -> RealTree {
        let mut children: Vec<[usize; 2]> = Vec::new();
        let mut open = vec![0usize];
        let mut n_nodes = 1;
        let mut split_of = vec![None];
        for _ in 0..n_splits {
            let at = if deep { open.len() - 1 } else { self.below(open.len() as u64) as usize };
            let node = open.swap_remove(at);
            split_of[node] = Some(children.len());
            children.push([n_nodes, n_nodes + 1]);
            split_of.extend([None, None]);
            open.extend([n_nodes, n_nodes + 1]);
            n_nodes += 2;
        }
        let width = outputs.len();
        let tree = RealTree::gather::<ir::Error>(outputs, n_nodes, 0, |node| {
            Ok(match split_of[node] {
                Some(split) => SourceNode::Split {
                    feature: self.below(N_FEATURES.into()) as u32,
                    rule: self.rule(sets),
                    missing_is_yes: self.below(2) == 0,
                    yes: children[split][0],
                    no: children[split][1],
                },
                None => SourceNode::Leaf {
                    id: node as u32,
                    values: (0..width).map(|_| (self.below(20_001) as f64 - 10_000.0) / 3000.0).collect(),
                },
            })
        });
        tree.unwrap()
    }

    fn rows(&mut self, n: usize) -> Vec<Vec<f64>> {
        (0..N_FEATURES)
            .map(|_| (0..n).map(|_| if self.below(8) == 0 { f64::NAN } else { self.number() }).collect())
            .collect()
    }
}

/// Codes, scores and leaves of the lowered forest on columns, compared with the walk over reals.
fn compare(forest: &RealForest, lowered: &Lowered, columns: &[Vec<f64>]) {
    let mut builder = GraphBuilder::new();
    let inputs: Vec<_> = lowered
        .used
        .iter()
        .map(|f| builder.input(&format!("x{f}"), DType::F64, Shape::rows()).unwrap())
        .collect();
    let score = lowered.append(&mut builder, &inputs).unwrap();
    let graph = builder.finish(&[score]).unwrap();
    let given: Vec<Column<'_>> = lowered
        .used
        .iter()
        .map(|&f| Column::try_new(ColumnData::F64(&columns[f as usize]), None).unwrap())
        .collect();
    let node = graph.nodes().iter().find(|n| matches!(n.op, Op::Forest(_))).unwrap();
    let codes = reference::watch(&graph, &given, &node.inputs).unwrap();
    let codes: Vec<&[u8]> = codes
        .iter()
        .map(|t| match t.data() {
            TensorData::U8(v) => &v[..],
            other => panic!("{other:?}"),
        })
        .collect();
    let scores = reference::run(&graph, &given).unwrap();
    assert_eq!(scores, Plan::new(&graph).unwrap().run(&given).unwrap(), "plan and reference");
    let TensorData::I32(scores) = scores[0].data() else { panic!() };
    let width = forest.initial_scores().len();
    for row in 0..columns[0].len() {
        let cell = |f: u32| columns[f as usize][row];
        for (at, (real, tree)) in forest.trees().iter().zip(lowered.forest.trees()).enumerate() {
            let place = tree.leaf(|feature| codes[feature as usize][row]);
            let leaf = lowered.leaf_order[at][place as usize];
            let cells: Vec<f64> = (0..N_FEATURES).map(cell).collect();
            assert_eq!(leaf, real.leaf(forest.precision(), cell), "tree {at}, row {row}: {cells:?}");
        }
        for (k, want) in forest.scores(cell).into_iter().enumerate() {
            let have = ir::fixed::link::linear(scores[row * width + k], lowered.offset, lowered.shift);
            let of_doubles = 1e-13 * (want.abs() + 1.0) * (forest.trees().len() + 1) as f64;
            let difference = (want - have).abs();
            assert!(difference <= lowered.bounds[k] + of_doubles, "row {row}, output {k}: {want} and {have}");
        }
    }
    let stated = ir::fixed::scaled(0.5 * (forest.trees().len() + 1) as f64, -i32::from(lowered.shift));
    assert!(lowered.bounds.iter().all(|&b| b <= stated), "{:?} above {stated}", lowered.bounds);
    assert!(self_test(&graph, 0).is_ok());
}

#[test]
fn every_row_takes_its_leaf_and_scores_stay_within_the_bound() {
    for seed in 0..60 {
        let mut random = Random(SplitMix64::new(seed));
        let n_outputs = 1 + random.below(3) as u32;
        let precision = if random.below(2) == 0 { Precision::Single } else { Precision::Double };
        let trees = (0..random.below(8))
            .map(|_| {
                let first = random.below(n_outputs.into()) as u32;
                let n_splits = random.below(40) as usize;
                random.tree(first..n_outputs, n_splits, seed % 5 == 0, true)
            })
            .collect();
        let initial = (0..n_outputs).map(|_| (random.below(1000) as f64) / 7.0).collect();
        let forest = RealForest::try_new(N_FEATURES, precision, initial, trees).unwrap();
        let columns = random.rows(300);
        for grid in [Grid::Powers, Grid::Linear] {
            compare(&forest, &forest.lower(grid).unwrap(), &columns);
        }
    }
}

#[test]
fn thresholds_beyond_a_column_of_codes_and_a_branch_of_any_depth() {
    for (precision, deep) in [(Precision::Single, true), (Precision::Double, false)] {
        let mut random = Random(SplitMix64::new(7));
        let tree = random.tree(0..1, 4000, deep, false);
        let forest = RealForest::try_new(N_FEATURES, precision, vec![0.5], vec![tree]).unwrap();
        let lowered = forest.lower(Grid::Linear).unwrap();
        assert!(lowered.columns.len() > N_FEATURES as usize, "{} columns", lowered.columns.len());
        assert!(lowered.columns.iter().all(|c| c.edges.len() <= 253));
        compare(&forest, &lowered, &random.rows(300));
    }
}

#[test]
fn a_tree_of_half_a_million_splits_in_one_branch() {
    const N: usize = 500_000;
    let node = |at: usize| -> Result<SourceNode, ir::Error> {
        Ok(match at {
            at if at < N => SourceNode::Split {
                feature: (at % 2) as u32,
                rule: Rule::Less((N - at) as f64 * 0.5),
                missing_is_yes: true,
                yes: at + 1,
                no: N + 1 + at,
            },
            at => SourceNode::Leaf { id: at as u32, values: vec![at as f64] },
        })
    };
    let tree = RealTree::gather(0..1, 2 * N + 1, 0, node).unwrap();
    assert_eq!(tree.leaf(Precision::Single, |_| 0.0), 0, "yes at every split");
    let forest = RealForest::try_new(2, Precision::Single, vec![0.0], vec![tree]).unwrap();
    let lowered = forest.lower(Grid::Linear).unwrap();
    assert_eq!(lowered.forest.n_splits(), N);
    assert_eq!(lowered.forest.trees()[0].splits[0].left, Child::Split(1));
}

#[test]
fn grids_hold_large_and_small_leaves() {
    let forest = |initial: f64, leaf: f64| {
        let tree =
            RealTree::gather::<ir::Error>(0..1, 1, 0, |_| Ok(SourceNode::Leaf { id: 0, values: vec![leaf] }));
        RealForest::try_new(1, Precision::Double, vec![initial], vec![tree.unwrap()]).unwrap()
    };
    let cases: &[(f64, f64, Grid, Result<i16, &str>)] = &[
        (0.0, 1.0, Grid::Powers, Ok(20)),
        (0.0, 3000.0, Grid::Powers, Ok(19)),
        (0.0, -3e9, Grid::Powers, Err("forest: sum of the largest leaves: expected below 2^31")),
        (0.0, -3e9, Grid::Linear, Ok(-1)),
        // The initial score takes nothing from the leaves.
        (1e9, 1.0, Grid::Linear, Ok(30)),
        (1e9, 1.0, Grid::Powers, Ok(1)),
        (0.0, 1e-9, Grid::Linear, Ok(60)),
        // Nor may it leave 61 bits.
        (1e9, 1e-15, Grid::Linear, Ok(31)),
    ];
    for &(initial, leaf, grid, expected) in cases {
        let lowered = forest(initial, leaf).lower(grid);
        match (lowered, expected) {
            (Ok(lowered), Ok(shift)) => assert_eq!(lowered.shift, shift, "{initial} {leaf}"),
            (Err(error), Err(start)) => assert!(error.to_string().starts_with(start), "{error}"),
            (got, expected) => panic!("{initial} {leaf}: expected {expected:?}, got {got:?}"),
        }
    }
}

#[test]
fn ill_formed_forests() {
    let split = |feature, rule, yes, no| SourceNode::Split { feature, rule, missing_is_yes: false, yes, no };
    let leaf = |value: f64| SourceNode::Leaf { id: 0, values: vec![value] };
    let stump = |rule| vec![split(0, rule, 1, 2), leaf(1.0), leaf(2.0)];
    let cases: Vec<(Vec<SourceNode>, &str)> = vec![
        (
            stump(Rule::Less(f64::NAN)),
            "forest: tree 0: threshold of split 0: expected numbers in order, got NaN",
        ),
        (
            stump(Rule::Within(vec![[2.0, 1.0]])),
            "forest: tree 0: threshold of split 0: expected numbers in order",
        ),
        (stump(Rule::Within(vec![[1.0, 2.0], [2.0, 3.0]])), "forest: tree 0: threshold of split 0"),
        (
            vec![split(0, Rule::Less(0.0), 0, 1), leaf(1.0)],
            "forest: node 0: expected one split that leads to it",
        ),
        (
            vec![split(0, Rule::Less(0.0), 1, 1), leaf(1.0)],
            "forest: node 1: expected one split that leads to it",
        ),
        (
            vec![split(0, Rule::Less(0.0), 1, 9), leaf(1.0)],
            "forest: number of a child: expected below 2, got 9",
        ),
        (
            vec![split(7, Rule::Less(0.0), 1, 2), leaf(1.0), leaf(1.0)],
            "forest: tree 0: feature of a split: expected below 1, got 7",
        ),
        (vec![leaf(f64::INFINITY)], "forest: tree 0: value of a leaf: expected a finite number, got inf"),
        (
            vec![SourceNode::Leaf { id: 3, values: vec![1.0, 2.0] }],
            "forest: values of leaf 3: expected 1, got 2",
        ),
        (vec![], "forest: number of a child: expected below 0, got 0"),
    ];
    for (nodes, expected) in cases {
        let tree = RealTree::gather(0..1, nodes.len(), 0, |at| Ok::<_, ir::Error>(nodes[at].clone()));
        let forest = tree.and_then(|tree| RealForest::try_new(1, Precision::Double, vec![0.0], vec![tree]));
        let error = forest.unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
        assert_eq!(error.nature(), ir::Nature::Input);
    }
    let many = Rule::Within((0..200).map(|k| [f64::from(k) * 2.0, f64::from(k) * 2.0]).collect());
    let nodes = stump(many);
    let tree = RealTree::gather(0..1, 3, 0, |at| Ok::<_, ir::Error>(nodes[at].clone())).unwrap();
    let error = RealForest::try_new(1, Precision::Double, vec![0.0], vec![tree])
        .unwrap()
        .lower(Grid::Linear)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "forest: borders in one split on feature 0: expected at most 253, got 400; train with fewer categories a split"
    );
    assert_eq!(error.nature(), ir::Nature::Unsupported);
}
