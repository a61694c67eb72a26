//! Tables for the tests of this crate, and what whole forests keep.

use crate::{
    BoostInput, BoostParams, Boosted, CodeMatrix, Encoder, Kind, Loss, Offsets, OneTarget, OneValues, Rounds,
    Rows, Target, boost, boost_floats,
};
use ir::digest::SplitMix64;
use ir::forest::{Child, MISSING, Tree};
use ir::{Column, ColumnData};
use jobs::{Budget, Cancel, Clock, Ctx, Seed, Silent, Threads};
use std::collections::BTreeSet;

/// Numbers in -1..1.
pub(crate) fn numbers(n: usize, seed: u64) -> Vec<f64> {
    let mut random = SplitMix64::new(seed);
    (0..n).map(|_| f64::from(random.below(1 << 20)) / f64::from(1 << 19) - 1.0).collect()
}

/// Codes of columns of numbers; some cells are missing.
pub(crate) fn matrix(columns: &[Vec<f64>]) -> CodeMatrix {
    let mut holes = columns.to_vec();
    holes.iter_mut().for_each(|c| c.iter_mut().step_by(17).for_each(|v| *v = f64::NAN));
    let columns: Vec<Vec<Column<'_>>> =
        holes.iter().map(|c| vec![Column::try_new(ColumnData::F64(c), None).unwrap()]).collect();
    let encoders: Vec<Encoder> = columns.iter().map(|c| Encoder::fit(c, 254)).collect();
    let n_rows = holes.first().map_or(0, Vec::len);
    CodeMatrix::new(&encoders, &columns, n_rows, &Threads::one())
}

fn params() -> BoostParams {
    BoostParams { learning_rate: 0.3, min_leaf_rows: 5.0, l2: 1.0, ..BoostParams::plain(Rounds::Exactly(40)) }
}

/// Four columns; the first two wave about a slope, so that a free forest goes against it.
struct Table {
    codes: CodeMatrix,
    values: Vec<f64>,
    labels: Vec<u32>,
}

impl Table {
    fn new() -> Table {
        let columns: Vec<Vec<f64>> = (0..4).map(|seed| numbers(1500, seed)).collect();
        let noise = numbers(1500, 9);
        let value = |row: usize| {
            let x = |f: usize| columns[f][row];
            let wave = |x: f64| x + (9.0 * x).sin();
            wave(x(0)) - wave(x(1)) + x(2) * x(0) + x(3) * x(2) + 0.3 * noise[row]
        };
        let values: Vec<f64> = (0..1500).map(value).collect();
        let labels = values.iter().map(|&v| u32::from(v > 0.0)).collect();
        Table { codes: matrix(&columns), values, labels }
    }

    fn boost(&self, target: Target<'_>, params: &BoostParams) -> Result<Boosted, crate::Error> {
        boost_on(self.input(target), params, 1)
    }

    fn boost_floats(&self, target: Target<'_>, params: &BoostParams, n_threads: usize) -> Vec<f64> {
        floats_on(self.input(target), params, n_threads)
    }

    fn input<'a>(&'a self, target: Target<'a>) -> BoostInput<'a> {
        let rows = Rows { train: (0..1400).collect(), others: (1400..1500).collect() };
        BoostInput { codes: &self.codes, target, weights: None, offsets: None, rows }
    }
}

fn boost_on(input: BoostInput<'_>, params: &BoostParams, n_threads: usize) -> Result<Boosted, crate::Error> {
    on_threads(n_threads, |ctx| boost(input, params, Seed(3), ctx))
}

fn floats_on(input: BoostInput<'_>, params: &BoostParams, n_threads: usize) -> Vec<f64> {
    on_threads(n_threads, |ctx| boost_floats(input, params, Seed(3), ctx)).unwrap()
}

fn on_threads<T>(n_threads: usize, run: impl FnOnce(&Ctx<'_>) -> T) -> T {
    let (budget, cancel) = (Budget::work(Clock::start(), 1), Cancel::new());
    let threads = Threads::try_new(n_threads).unwrap();
    run(&Ctx { threads: &threads, budget: &budget, cancel: &cancel, progress: &Silent })
}

/// Score of a row that is given by its codes.
fn score(trees: &[Tree], codes: &[u8]) -> i64 {
    trees.iter().map(|t| i64::from(t.leaves[t.leaf(|f| codes[f as usize]) as usize])).sum()
}

/// How often the scores of random rows go down along each code of a feature.
fn falls(table: &Table, trees: &[Tree], feature: usize) -> usize {
    let mut random = SplitMix64::new(8);
    let n_codes = |f: usize| u32::from(table.codes.features()[f].n_codes);
    let mut falls = 0;
    for _ in 0..300 {
        let mut codes: Vec<u8> = (0..4)
            .map(|f| if random.below(9) == 0 { MISSING } else { random.below(n_codes(f)) as u8 })
            .collect();
        let mut last = i64::MIN;
        for code in 0..n_codes(feature) {
            codes[feature] = code as u8;
            let now = score(trees, &codes);
            falls += usize::from(now < last);
            last = now;
        }
    }
    falls
}

/// Variations that all constraints must survive.
fn variants() -> Vec<BoostParams> {
    vec![
        params(),
        BoostParams { path_smoothing: 4.0, l1: 0.5, ..params() },
        BoostParams { row_share: 0.5, column_share: 0.6, leaf_bits: 6, l2: 0.0, ..params() },
        BoostParams { symmetric: true, path_smoothing: 2.0, ..params() },
        BoostParams { gradient_share: 0.4, column_share_by_split: 0.5, ..params() },
        BoostParams { symmetric: true, max_depth: 9, min_leaf_rows: 1.0, l2: 0.0, ..params() },
        BoostParams { max_step: 0.2, threshold_reuse: 0.001, ..params() },
    ]
}

#[test]
fn a_monotone_feature_never_goes_back() {
    let table = Table::new();
    for target in [Target::Values(&table.values), Target::Binary(&table.labels)] {
        let free = table.boost(target, &params()).unwrap();
        assert!(falls(&table, &free.trees, 0) > 1000, "the table asks for a constraint");
        for (i, params) in variants().into_iter().enumerate() {
            let kept =
                table.boost(target, &BoostParams { monotone: vec![1, -1, 0, 0], ..params.clone() }).unwrap();
            assert_eq!(falls(&table, &kept.trees, 0), 0, "{i}");
            let turned = table.boost(target, &BoostParams { monotone: vec![-1, 1, 0, 0], ..params }).unwrap();
            assert_eq!(falls(&table, &turned.trees, 1), 0, "{i}");
            let range: BTreeSet<i32> = kept.other_scores.into_iter().collect();
            assert!(range.len() > 10, "{i}: something is still learnt");
        }
    }
}

#[test]
fn directions_that_trees_cannot_keep_are_refused() {
    let table = Table::new();
    let target = Target::Classes { labels: &table.labels, n_classes: 3 };
    let monotone = BoostParams { monotone: vec![0, 1], rounds: Rounds::Exactly(2), ..params() };
    let error = table.boost(target, &monotone).unwrap_err();
    assert!(matches!(error.kind(), Kind::MonotoneOutputs { feature: 1, n_outputs: 3 }), "{error}");
    assert!(table.boost(target, &BoostParams { one_tree_per_class: true, ..monotone }).is_ok());
}

/// Features on each path of a tree.
fn paths(tree: &Tree) -> Vec<BTreeSet<u32>> {
    let mut pending = vec![(Child::Split(0), BTreeSet::new())];
    let mut paths = Vec::new();
    while let Some((child, mut above)) = pending.pop() {
        match child {
            Child::Split(at) if !tree.splits.is_empty() => {
                let split = &tree.splits[at as usize];
                above.insert(split.feature);
                pending.extend([(split.left, above.clone()), (split.right, above)]);
            }
            Child::Split(_) | Child::Leaf(_) => paths.push(above),
        }
    }
    paths
}

#[test]
fn features_that_may_not_meet_share_no_path() {
    let table = Table::new();
    for (i, params) in variants().into_iter().enumerate() {
        let params = BoostParams { interactions: vec![vec![0, 1], vec![1, 2]], ..params };
        let boosted = table.boost(Target::Values(&table.values), &params).unwrap();
        let found: BTreeSet<BTreeSet<u32>> = boosted.trees.iter().flat_map(paths).collect();
        for path in &found {
            let fits = |set: &[u32]| path.iter().all(|f| set.contains(f));
            assert!([&[0, 1][..], &[1, 2], &[3]].iter().any(|set| fits(set)), "{i}: {path:?}");
        }
        assert!(found.contains(&[0, 1].into()), "{i}: {found:?}");
    }
}

#[test]
fn no_leaf_steps_further_than_allowed() {
    let table = Table::new();
    let boosted =
        table.boost(Target::Values(&table.values), &BoostParams { max_step: 0.05, ..params() }).unwrap();
    let leaves = || boosted.trees.iter().flat_map(|t| &t.leaves);
    let real = |q: &i32| f64::from(*q) * 2f64.powi(-i32::from(boosted.shift));
    let most = leaves().map(|q| real(q).abs()).fold(0.0, f64::max);
    assert!((most - 0.05 * 0.3).abs() < 1e-4, "{most}");
}

#[test]
fn every_level_of_a_symmetric_tree_asks_one_test() {
    let table = Table::new();
    let symmetric = BoostParams { symmetric: true, ..params() };
    for target in [Target::Values(&table.values), Target::Classes { labels: &table.labels, n_classes: 2 }] {
        for max_depth in [0, 3, 9] {
            let boosted = table.boost(target, &BoostParams { max_depth, ..symmetric.clone() }).unwrap();
            for tree in &boosted.trees {
                let mut level = vec![Child::Split(0)];
                let mut depth = 0;
                while let Some(&Child::Split(first)) = level.first() {
                    let first = &tree.splits[first as usize];
                    let mut below = Vec::new();
                    for child in level {
                        let Child::Split(at) = child else { panic!("a leaf above the last level") };
                        let split = &tree.splits[at as usize];
                        assert_eq!((split.feature, split.test), (first.feature, first.test));
                        assert_eq!(split.missing_left, first.missing_left);
                        below.extend([split.left, split.right]);
                    }
                    level = below;
                    depth += 1;
                }
                assert!(level.iter().all(|child| matches!(child, Child::Leaf(_))));
                assert_eq!(depth, if max_depth == 0 { 6 } else { max_depth });
            }
        }
    }
    let error = table.boost(Target::Values(&table.values), &BoostParams { max_depth: 17, ..symmetric });
    assert!(matches!(error.unwrap_err().kind(), Kind::SymmetricDepth { got: 17, most: 16 }));
}

/// Real scores of the other rows.
fn real(boosted: &Boosted) -> impl Iterator<Item = f64> {
    let unit = 2f64.powi(-i32::from(boosted.shift));
    boosted.other_scores.iter().map(move |&s| (i64::from(s) + boosted.offset) as f64 * unit)
}

/// Several threads part leaves ahead of time, some in vain; fractions of weights are sums of an order.
#[test]
fn threads_change_no_forest() {
    let table = Table::new();
    let weights: Vec<f32> = numbers(1500, 4).iter().map(|x| 0.1 + x.abs() as f32).collect();
    let classes: Vec<u32> = table.labels.iter().enumerate().map(|(i, l)| l + (i % 3 == 0) as u32).collect();
    let targets = [
        (Target::Values(&table.values), Loss::Quantile { level: 0.3 }),
        (Target::Binary(&table.labels), Loss::Usual),
        (Target::Classes { labels: &classes, n_classes: 3 }, Loss::Usual),
    ];
    for (target, loss) in targets {
        for params in variants() {
            let params = BoostParams { loss, max_leaves: 16, rounds: Rounds::Exactly(4), ..params };
            let of = |n_threads| {
                let input = BoostInput { weights: Some(&weights), ..table.input(target) };
                let boosted = boost_on(input, &params, n_threads).unwrap();
                (format!("{:?}", boosted.trees), boosted.other_scores)
            };
            let one = of(1);
            assert!([2, 3].iter().all(|&n| of(n) == one), "{loss:?} {params:?}");
        }
    }
}

/// As long as both choose the same splits, which most often they do in the first rounds, only rounding is between
/// them.
#[test]
fn floats_follow_integers() {
    let table = Table::new();
    let large: Vec<f64> = table.values.iter().map(|v| v * 3e7).collect();
    let counts: Vec<f64> = table.values.iter().map(|v| v.abs().round()).collect();
    let classes: Vec<u32> = table.labels.iter().zip(&counts).map(|(l, c)| l + u32::from(*c > 1.0)).collect();
    let targets = [
        (Target::Values(&table.values), Loss::Usual, 1.0),
        (Target::Values(&large), Loss::Usual, 3e7),
        (Target::Values(&table.values), Loss::Absolute, 1.0),
        (Target::Values(&counts), Loss::Poisson, 1.0),
        (Target::Binary(&table.labels), Loss::Usual, 1.0),
        (Target::Classes { labels: &classes, n_classes: 3 }, Loss::Usual, 1.0),
    ];
    for (target, loss, unit) in targets {
        for params in variants() {
            let params = BoostParams { loss, rounds: Rounds::Exactly(3), leaf_bits: 16, ..params };
            let floats = table.boost_floats(target, &params, 1);
            assert_eq!(floats, table.boost_floats(target, &params, 3), "threads");
            let boosted = table.boost(target, &params).unwrap();
            assert_eq!(floats.len(), boosted.other_scores.len());
            if params.gradient_share < 1.0 {
                // Another gradient may draw another row.
                continue;
            }
            let mut away: Vec<f64> = real(&boosted).zip(&floats).map(|(a, b)| (a - b).abs()).collect();
            away.sort_by(f64::total_cmp);
            // The median, as gradients of few bits may choose another split that is as good.
            let median = away[away.len() / 2];
            assert!(median < 2e-3 * unit, "{loss:?} {unit} {params:?}: {median}");
        }
    }
}

#[test]
fn floats_stop_early_and_keep_the_best_round() {
    let table = Table::new();
    let target = Target::Values(&table.values);
    let until = |patience| BoostParams { rounds: Rounds::Until { patience, most: 400 }, ..params() };
    let loss = |scores: &[f64]| {
        let others = table.values[1400..].iter();
        others.zip(scores).map(|(y, s)| (y - s).powi(2)).sum::<f64>() / 100.0
    };
    let best = loss(&table.boost_floats(target, &until(100), 1));
    let exactly = |n| BoostParams { rounds: Rounds::Exactly(n), ..params() };
    for n in [1, 10, 100, 300] {
        assert!(best <= loss(&table.boost_floats(target, &exactly(n), 1)), "{n} rounds");
    }
    // The unit of the target, a power of two, is without effect.
    let large: Vec<f64> = table.values.iter().map(|v| v * 2f64.powi(600)).collect();
    let scaled = table.boost_floats(Target::Values(&large), &exactly(10), 1);
    let plain = table.boost_floats(target, &exactly(10), 1);
    assert!(plain.iter().zip(&scaled).all(|(a, b)| a * 2f64.powi(600) == *b));
}

/// Targets of each kind, with losses.
fn targets<'a>(table: &'a Table, classes: &'a [u32], counts: &'a [f64]) -> Vec<(Target<'a>, Loss)> {
    vec![
        (Target::Values(&table.values), Loss::Usual),
        (Target::Values(&table.values), Loss::Quantile { level: 0.3 }),
        (Target::Values(counts), Loss::Poisson),
        (Target::Binary(&table.labels), Loss::Usual),
        (Target::Classes { labels: classes, n_classes: 3 }, Loss::Usual),
    ]
}

fn classes_and_counts(table: &Table) -> (Vec<u32>, Vec<f64>) {
    let counts: Vec<f64> = table.values.iter().map(|v| v.abs().round()).collect();
    (table.labels.iter().zip(&counts).map(|(l, c)| l + u32::from(*c > 1.0)).collect(), counts)
}

#[test]
fn offsets_that_are_alike_are_an_initial_score() {
    let table = Table::new();
    let (classes, counts) = classes_and_counts(&table);
    for (target, loss) in targets(&table, &classes, &counts) {
        for leaf_bits in [8, 16] {
            let params = BoostParams { loss, leaf_bits, rounds: Rounds::Exactly(6), ..params() };
            let plain = table.boost(target, &params).unwrap();
            let is_number = matches!(target, Target::Values(_)) && !loss.is_log();
            // The real offset is 0, or 3/4: in the score of classes and logs, in the constant of numbers.
            for (score, constant) in [(0, 0), if is_number { (0, 3) } else { (3, 0) }] {
                let scores = vec![score; 1500 * target.n_outputs()];
                let offsets = Some(Offsets { scores: &scores, shift: 2, constant });
                let input = BoostInput { offsets, ..table.input(target) };
                let with = boost_on(input.clone(), &params, 1).unwrap();
                assert_eq!(with.trees, plain.trees, "{loss:?} {score} {constant}");
                assert_eq!((with.shift, with.offset), (plain.shift, plain.offset), "{loss:?}");
                let onto = with.onto.unwrap();
                assert_eq!((onto.rounding, onto.weights[1]), (0, 1), "{loss:?}");
                let initial: Vec<i32> = with.initial_scores.iter().map(|&own| onto.of(score, own)).collect();
                assert_eq!(initial, plain.initial_scores, "{loss:?}");
                assert_eq!(with.other_scores, plain.other_scores, "{loss:?}");
                let floats = floats_on(input, &params, 1);
                let away = floats.iter().zip(table.boost_floats(target, &params, 1));
                assert!(away.into_iter().all(|(a, b)| (a - b).abs() < 1e-9), "{loss:?}");
            }
        }
    }
}

#[test]
fn trees_are_added_to_offsets_in_integers() {
    let table = Table::new();
    let (classes, counts) = classes_and_counts(&table);
    for (target, loss) in targets(&table, &classes, &counts) {
        let (width, few) = (target.n_outputs(), 2000 * target.n_outputs() as u64);
        // What a coarse, a fine and a far too fine grid say of rows; later trees have something to correct.
        for (shift, unit) in [(3, 5.0), (14, 20_000.0), (19, 400_000.0)] {
            let scores: Vec<i32> = numbers(1500 * width, few).iter().map(|x| (x * unit) as i32).collect();
            let offsets = Some(Offsets { scores: &scores, shift, constant: 0 });
            let input = BoostInput { offsets, ..table.input(target) };
            for leaf_bits in [8, 16] {
                let params = BoostParams { loss, leaf_bits, rounds: Rounds::Exactly(12), ..params() };
                let boosted = boost_on(input.clone(), &params, 1).unwrap();
                let onto = boosted.onto.unwrap();
                let code = |f: usize, row: usize| match table.codes.code(f, row as u32) {
                    code if u16::from(code) == table.codes.features()[f].n_codes => MISSING,
                    code => code,
                };
                let codes = |row: usize| (0..4).map(|f| code(f, row)).collect::<Vec<u8>>();
                for row in 1400..1500 {
                    for k in 0..width {
                        let at = row * width + k;
                        let codes = codes(row);
                        let of_tree = |tree: &Tree| {
                            let leaf = tree.leaf(|f| codes[f as usize]) as usize;
                            tree.leaves[leaf * tree.width as usize + k]
                        };
                        let own = boosted.initial_scores[k] + boosted.trees.iter().map(of_tree).sum::<i32>();
                        let sum = boosted.other_scores[at - 1400 * width];
                        assert_eq!(onto.of(scores[at], own), sum, "{loss:?} {shift} {row} {k}");
                    }
                }
                let again = boost_on(input.clone(), &params, 3).unwrap();
                assert_eq!((&again.trees, &again.other_scores), (&boosted.trees, &boosted.other_scores));
            }
            // Floats start from the same real scores.
            let params = BoostParams { loss, rounds: Rounds::Exactly(3), ..params() };
            let boosted = boost_on(input.clone(), &params, 1).unwrap();
            let floats = floats_on(input, &params, 1);
            let mut away: Vec<f64> = real(&boosted).zip(&floats).map(|(a, b)| (a - b).abs()).collect();
            away.sort_by(f64::total_cmp);
            // Where leaves are quantiles, another split moves them further.
            let near = if loss.leaf_quantile().is_some() { 0.1 } else { 2e-3 };
            assert!(away[away.len() / 2] < near, "{loss:?} {shift}: {}", away[away.len() / 2]);
        }
    }
}

/// What three rounds leave over is learnt as well as if boosting had not stopped between.
#[test]
fn boosting_goes_on_from_what_another_model_says() {
    let table = Table::new();
    let target = Target::Values(&table.values);
    let first = BoostParams { rounds: Rounds::Exactly(3), ..params() };
    let rows = Rows { train: (0..1400).collect(), others: (0..1500).collect() };
    let before = boost_on(BoostInput { rows, ..table.input(target) }, &first, 1).unwrap();
    let offsets = Offsets { scores: &before.other_scores, shift: before.shift, constant: before.offset };
    let input = BoostInput { offsets: Some(offsets), ..table.input(target) };
    let more = boost_on(input, &BoostParams { rounds: Rounds::Exactly(37), ..params() }, 1).unwrap();
    let whole = table.boost(target, &BoostParams { rounds: Rounds::Exactly(40), ..params() }).unwrap();
    let loss = |boosted: &Boosted| {
        real(boosted).zip(&table.values[1400..]).map(|(s, y)| (s - y).powi(2)).sum::<f64>() / 100.0
    };
    let unit = 2f64.powi(-i32::from(before.shift));
    let alone = before.other_scores[1400..].iter().zip(&table.values[1400..]);
    let alone = alone.map(|(&s, y)| ((i64::from(s) + before.offset) as f64 * unit - y).powi(2)).sum::<f64>();
    assert!(loss(&more) < 0.7 * alone / 100.0, "{} after {}", loss(&more), alone / 100.0);
    assert!(loss(&more) < 1.1 * loss(&whole), "{} for {}", loss(&more), loss(&whole));
}

#[test]
fn offsets_of_other_rows_are_refused() {
    let table = Table::new();
    let offsets = Some(Offsets { scores: &[0; 7], shift: 0, constant: 0 });
    let input = BoostInput { offsets, ..table.input(Target::Binary(&table.labels)) };
    let error = boost_on(input, &params(), 1).unwrap_err();
    assert!(matches!(error.kind(), Kind::Offsets { expected: 1500, got: 7 }), "{error}");
}

/// One of several targets, known in all rows.
fn one(target: Target<'_>) -> OneTarget {
    let values = match target {
        Target::Binary(labels) => OneValues::Labels(labels.to_vec()),
        Target::Values(values) => OneValues::Numbers(values.to_vec()),
        _ => panic!("two classes or numbers"),
    };
    OneTarget { values, known: None, weight: 1.0 }
}

/// Scores of one of several targets.
fn column<T: Copy>(scores: &[T], k: usize, width: usize) -> Vec<T> {
    scores.iter().skip(k).step_by(width).copied().collect()
}

#[test]
fn copies_of_a_target_are_the_target() {
    let table = Table::new();
    let losses = [
        (Loss::Usual, true),
        (Loss::Usual, false),
        (Loss::Absolute, true),
        (Loss::Huber { share: 0.8 }, true),
    ];
    for (loss, is_number) in losses {
        let target = if is_number { Target::Values(&table.values) } else { Target::Binary(&table.labels) };
        for one_tree_per_class in [false, true] {
            let params = BoostParams { loss, one_tree_per_class, ..params() };
            let alone = table.boost_floats(target, &params, 1);
            let grown = table.boost(target, &params).unwrap();
            for width in [2, 3] {
                let copies = vec![one(target); width];
                let several = Target::Several(&copies);
                let floats = table.boost_floats(several, &params, 1);
                let made = table.boost(several, &params).unwrap();
                assert_eq!(made.further.len(), width - 1);
                for k in 0..width {
                    assert_eq!(column(&floats, k, width), alone, "{loss:?} {k} of {width}");
                }
                if one_tree_per_class || loss != Loss::Usual {
                    continue;
                }
                // Gradients are rounded at random, so leaves differ by what that is worth, splits seldom do.
                let first = |trees: &[Tree]| trees[0].splits.clone();
                assert_eq!(first(&made.trees), first(&grown.trees), "{width}");
            }
        }
    }
}

#[test]
fn several_targets_have_their_own_units_and_scores_of_their_trees() {
    let table = Table::new();
    let far: Vec<f64> = table.values.iter().map(|v| 1e6 + 1e-3 * v).collect();
    let other: Vec<f64> = (0..1500).map(|row| 1e9 * table.values[(row * 7) % 1500].abs()).collect();
    let targets =
        [one(Target::Values(&table.values)), one(Target::Values(&far)), one(Target::Values(&other))];
    for leaf_bits in [16, 8] {
        let params = BoostParams { leaf_bits, ..params() };
        let made = table.boost(Target::Several(&targets), &params).unwrap();
        let grids = [(made.shift, made.offset), (made.further[0].shift, made.further[0].offset)];
        let real = |k: usize| -> Vec<f64> {
            let unit = 2f64.powi(-i32::from(grids[k].0));
            let scores = column(&made.other_scores, k, 3);
            scores.iter().map(|&s| (i64::from(s) + grids[k].1) as f64 * unit).collect()
        };
        // The same wave on two scales is learnt alike.
        let [near, away] = [real(0), real(1)];
        for (a, b) in near.iter().zip(&away) {
            let most = if leaf_bits == 16 { 0.02 } else { 0.3 };
            assert!((a - (b - 1e6) * 1e3).abs() < most, "{leaf_bits}: {a} {b}");
        }
        for (at, row) in (1400..1500u32).enumerate() {
            let code = |f: usize| match table.codes.code(f, row) {
                code if u16::from(code) == table.codes.features()[f].n_codes => MISSING,
                code => code,
            };
            let codes: Vec<u8> = (0..4).map(code).collect();
            for k in 0..3 {
                let sum: i32 =
                    made.trees.iter().map(|t| t.leaves[t.leaf(|f| codes[f as usize]) as usize * 3 + k]).sum();
                assert_eq!(sum, made.other_scores[3 * at + k], "{leaf_bits} {row} {k}");
            }
        }
    }
}

#[test]
fn where_a_target_is_not_known_it_teaches_nothing() {
    let table = Table::new();
    let known: Vec<bool> = (0..1500).map(|row| row % 3 != 0).collect();
    let fitted = |nonsense: f64, is_number: bool| {
        let second = if is_number {
            let values = (0..1500).map(|row| if known[row] { -table.values[row] } else { nonsense });
            OneValues::Numbers(values.collect())
        } else {
            let label =
                |row: usize| if known[row] { 1 - table.labels[row] } else { u32::from(nonsense > 0.0) };
            OneValues::Labels((0..1500).map(label).collect())
        };
        let first = if is_number { Target::Values(&table.values) } else { Target::Binary(&table.labels) };
        let partly = OneTarget { values: second, known: Some(known.clone()), weight: 1.0 };
        let targets = [one(first), partly];
        let rounds = Rounds::Until { patience: 5, most: 60 };
        table.boost(Target::Several(&targets), &BoostParams { rounds, ..params() }).unwrap()
    };
    for is_number in [true, false] {
        let [a, b] = [fitted(0.0, is_number), fitted(77.0, is_number)];
        assert!(a.trees == b.trees && a.other_scores == b.other_scores, "{is_number}");
        // What is known is learnt.
        let right = (1400..1500).zip(column(&a.other_scores, 1, 2)).filter(|(row, score)| {
            let score = i64::from(*score) + a.further[0].offset;
            (score < 0) == (table.values[*row] > 0.0)
        });
        assert!(right.count() > 80, "{is_number}");
    }
}

#[test]
fn several_targets_are_of_one_kind_and_begin_anew() {
    let table = Table::new();
    let mixed = [one(Target::Values(&table.values)), one(Target::Binary(&table.labels))];
    let error = table.boost(Target::Several(&mixed), &params()).unwrap_err();
    assert!(matches!(error.kind(), Kind::MixedTargets), "{error}");
    let targets = [one(Target::Values(&table.values)), one(Target::Values(&table.values))];
    let scores = vec![0; 3000];
    let offsets = Some(Offsets { scores: &scores, shift: 0, constant: 0 });
    let input = BoostInput { offsets, ..table.input(Target::Several(&targets)) };
    let error = boost_on(input, &params(), 1).unwrap_err();
    assert!(matches!(error.kind(), Kind::SeveralOffsets { n_targets: 2 }), "{error}");
    let counts = [one(Target::Values(&[-1.0; 1500])), one(Target::Values(&table.values))];
    let params = BoostParams { loss: Loss::Poisson, ..params() };
    let error = table.boost(Target::Several(&counts), &params).unwrap_err();
    assert!(matches!(error.kind(), Kind::Negative { .. }), "{error}");
}
