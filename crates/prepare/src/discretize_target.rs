//! `discretize_target`: numbers to the number of their bin, bins cut where the target changes.
//!
//! A decision tree of one column, grown best first; both ways to cut are one tree with another measure of
//! what a cut is worth.

use crate::discretize::{Bins, ENCODE, Edge, MOST_BINS};
use crate::error::{Error, Kind};
use crate::statistics::mean;
use crate::transform::{FeatureKind, FittedStep, StepInput, StepTarget, Transform, TransformEntry};
use ir::fixed::{math, shortest_between};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "discretize_target",
    doc: "numbers to the number of their bin, bins cut where the target changes",
    takes: &[FeatureKind::Number],
    sees_target: true,
    cleans: false,
    spec: SPEC,
    transform: &DiscretizeTarget,
};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "how",
        aliases: &[],
        default: Value::Word("tree"),
        range: Range::Words(&["tree", "mdl"]),
        doc: "a decision tree of one column, or cuts that shorten the description of the classes",
    },
    ParamSpec {
        name: "max_bins",
        aliases: &["max_leaf_nodes"],
        default: Value::Int(8),
        range: Range::Int { low: 2, high: MOST_BINS },
        doc: "most bins of a column",
    },
    ParamSpec {
        name: "min_rows",
        aliases: &["min_samples_leaf"],
        default: Value::Int(20),
        range: Range::Int { low: 1, high: 1_000_000_000 },
        doc: "rows that a bin has at least",
    },
    ENCODE,
];

/// `#{ e in edges : x > e }`, edges of a tree grown best first over the finite values: the cut that lowers
/// the summed impurity most, Gini's for classes, the squared error for numbers, rows weighted; or, with
/// `how=mdl`, entropy, and only cuts with `gain > (log2(n - 1) + log2(3^k - 2) - (k E - k1 E1 - k2 E2)) / n`,
/// rows counted. An edge is the shortest number in the middle half between two values. Missing stays missing, or
/// has a row of zeros with `encode=one_hot`. A column that no cut improves goes on as it is.
/// O(rows log rows + rows * bins * classes).
/// # Source  trees: Breiman et al. 1984, scikit-learn's trees with `max_leaf_nodes` make the same bins; mdl:
/// Fayyad & Irani, IJCAI 1993; deviation: best first, so that `max_bins` keeps the best cuts.
struct DiscretizeTarget;

impl Transform for DiscretizeTarget {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let most = usize::try_from(params.int("max_bins")).unwrap_or(2);
        let fewest = usize::try_from(params.int("min_rows")).unwrap_or(1);
        let measure = match (params.word("how"), input.target(ENTRY.name)?) {
            ("mdl", StepTarget::Classes(_, n)) => Measure::Description { n_classes: n },
            ("mdl", StepTarget::Values(_)) => {
                let (expected, got) = ("classes with how=mdl", "regression");
                return Err(Kind::Task { transform: ENTRY.name, expected, got }.into());
            }
            (_, StepTarget::Classes(_, n)) => Measure::Gini { n_classes: n },
            (_, StepTarget::Values(_)) => Measure::Squares,
        };
        let targets = targets(input)?;
        let found = input.threads.map(input.columns.len(), |at| {
            let mut rows: Vec<Row> = input
                .numbers(at)
                .into_iter()
                .zip(&targets)
                .map(|(x, &(class, y, weight))| Row { x, class, y, weight })
                .filter(|row| row.x.is_finite())
                .collect();
            // The sort is stable: equal values stay in row order.
            rows.sort_by(|a, b| a.x.total_cmp(&b.x));
            edges(&rows, measure, most, fewest)
        });
        let mut step = FittedStep::default();
        for (at, (column, edges)) in input.columns.iter().zip(found).enumerate() {
            if edges.is_empty() {
                step.kept.push(at);
            } else {
                step.groups.push(Bins { edges, edge: Edge::Lower }.group(at, column.name, params));
            }
        }
        Ok(step)
    }
}

/// Class, value and weight of each row to learn from; values are centred and no larger than 1.
fn targets(input: &StepInput<'_>) -> Result<Vec<(usize, f64, f64)>, Error> {
    let weight = |row: u32| input.row_weights.map_or(1.0, |w| f64::from(w[row as usize]));
    Ok(match input.target(ENTRY.name)? {
        StepTarget::Classes(classes, _) => {
            input.rows.iter().map(|&r| (classes[r as usize] as usize, 0.0, weight(r))).collect()
        }
        StepTarget::Values(values) => {
            let values: Vec<f64> = input.rows.iter().map(|&r| values[r as usize]).collect();
            let middle = mean(&values);
            let centred = values.iter().map(|v| v / 2.0 - middle / 2.0);
            let most = centred.clone().map(f64::abs).fold(f64::MIN_POSITIVE, f64::max);
            centred.zip(input.rows).map(|(v, &r)| (0, v / most, weight(r))).collect()
        }
    })
}

/// A row of one column.
#[derive(Clone, Copy, Debug)]
struct Row {
    x: f64,
    class: usize,
    y: f64,
    weight: f64,
}

/// What a cut is worth.
#[derive(Clone, Copy, Debug)]
enum Measure {
    Gini { n_classes: usize },
    Squares,
    Description { n_classes: usize },
}

/// The sums of some rows that a measure needs.
#[derive(Clone, Debug)]
struct Sums {
    /// Weight of each class; for numbers the weighted sum alone.
    parts: Vec<f64>,
    weight: f64,
}

impl Measure {
    fn none(self) -> Sums {
        let n = match self {
            Measure::Gini { n_classes } | Measure::Description { n_classes } => n_classes,
            Measure::Squares => 1,
        };
        Sums { parts: vec![0.0; n], weight: 0.0 }
    }

    /// Moves a row in (`sign` 1) or out (-1).
    fn add(self, sums: &mut Sums, row: &Row, sign: f64) {
        match self {
            Measure::Gini { .. } => {
                sums.parts[row.class] += sign * row.weight;
                sums.weight += sign * row.weight;
            }
            Measure::Description { .. } => {
                sums.parts[row.class] += sign;
                sums.weight += sign;
            }
            Measure::Squares => {
                sums.parts[0] += sign * row.weight * row.y;
                sums.weight += sign * row.weight;
            }
        }
    }

    /// What is left of the impurity of rows when they are one bin, up to what no cut changes: the larger, the
    /// purer.
    fn purity(self, sums: &Sums) -> f64 {
        match self {
            _ if sums.weight <= 0.0 => 0.0,
            Measure::Gini { .. } | Measure::Squares => {
                sums.parts.iter().map(|s| s * s).sum::<f64>() / sums.weight
            }
            Measure::Description { .. } => -sums.weight * entropy(sums),
        }
    }

    /// Whether a cut into these two may be made, by what it adds to the purity.
    fn accepts(self, gain: f64, whole: &Sums, left: &Sums, right: &Sums) -> bool {
        match self {
            // Less is the rounding of the sums.
            Measure::Gini { .. } | Measure::Squares => gain > 1e-12 * whole.weight,
            Measure::Description { .. } => {
                let n_classes = |s: &Sums| s.parts.iter().filter(|p| **p > 0.0).count() as f64;
                let (k, k1, k2) = (n_classes(whole), n_classes(left), n_classes(right));
                // 2^53 is beyond 3^33: from there on the 2 is lost.
                let three = if k <= 33.0 { log2(power_of_3(k) - 2.0) } else { k * log2(3.0) };
                let delta = three - (k * entropy(whole) - k1 * entropy(left) - k2 * entropy(right));
                gain > log2(whole.weight - 1.0) + delta
            }
        }
    }
}

fn power_of_3(k: f64) -> f64 {
    (0..k as u32).fold(1.0, |power, _| power * 3.0)
}

fn log2(x: f64) -> f64 {
    math::log(x) / std::f64::consts::LN_2
}

/// Bits a row, of weights of classes.
fn entropy(sums: &Sums) -> f64 {
    let shares = sums.parts.iter().filter(|p| **p > 0.0).map(|p| p / sums.weight);
    shares.map(|share| -share * log2(share)).sum()
}

/// Rows that are one bin so far, and the best cut of them.
struct Leaf {
    first: usize,
    end: usize,
    /// First row above the cut, and what the cut adds to the purity.
    best: Option<(usize, f64)>,
}

/// The edges of at most `most` bins of `fewest` rows or more, for rows in order of their value.
fn edges(rows: &[Row], measure: Measure, most: usize, fewest: usize) -> Vec<f64> {
    let leaf =
        |first: usize, end: usize| Leaf { first, end, best: best_cut(rows, first, end, measure, fewest) };
    let mut leaves = vec![leaf(0, rows.len())];
    while leaves.len() < most {
        let mut chosen: Option<(usize, usize, f64)> = None;
        for (at, leaf) in leaves.iter().enumerate() {
            let Some((cut, gain)) = leaf.best else { continue };
            if chosen.is_none_or(|(_, _, most)| gain > most) {
                chosen = Some((at, cut, gain));
            }
        }
        let Some((at, cut, _)) = chosen else { break };
        let (first, end) = (leaves[at].first, leaves[at].end);
        leaves.splice(at..=at, [leaf(first, cut), leaf(cut, end)]);
    }
    leaves.iter().skip(1).map(|leaf| edge(rows[leaf.first - 1].x, rows[leaf.first].x)).collect()
}

/// The cut of rows `first..end` that adds most to the purity, the first of equals, if one may be made.
fn best_cut(rows: &[Row], first: usize, end: usize, measure: Measure, fewest: usize) -> Option<(usize, f64)> {
    let mut whole = measure.none();
    rows[first..end].iter().for_each(|row| measure.add(&mut whole, row, 1.0));
    let uncut = measure.purity(&whole);
    let (mut left, mut right) = (measure.none(), whole.clone());
    let mut best: Option<(usize, f64, Sums, Sums)> = None;
    for cut in first + 1..end {
        measure.add(&mut left, &rows[cut - 1], 1.0);
        measure.add(&mut right, &rows[cut - 1], -1.0);
        if rows[cut - 1].x < rows[cut].x && cut - first >= fewest && end - cut >= fewest {
            let gain = measure.purity(&left) + measure.purity(&right) - uncut;
            if best.as_ref().is_none_or(|(_, most, _, _)| gain > *most) {
                best = Some((cut, gain, left.clone(), right.clone()));
            }
        }
    }
    let (cut, gain, left, right) = best?;
    measure.accepts(gain, &whole, &left, &right).then_some((cut, gain))
}

/// The shortest number in the middle half between two values, at least the lower and below the upper one.
fn edge(low: f64, high: f64) -> f64 {
    let quarter = high / 4.0 - low / 4.0;
    let edge = shortest_between(low + quarter, high - quarter);
    if edge >= low && edge < high { edge } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::{Fitting, Table};
    use crate::laws::wine;

    fn fitting(target: StepTarget<'_>) -> Fitting<'_> {
        Fitting { target: Some(target), ..Fitting::default() }
    }

    #[test]
    fn hand_computed() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, nan, inf, -inf];
        let table = Table::numbers(&[("x", &x), ("same", &[1.0; 10]), ("none", &[nan; 10])]);
        let classes = [0, 0, 1, 1, 1, 2, 2, 0, 1, 2];
        let values = [5.0, 5.0, 5.0, 9.0, 9.0, 9.0, 1.0, 0.0, 100.0, 100.0];
        for (target, expected) in [
            (StepTarget::Classes(&classes, 3), [0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0, nan, 2.0, 0.0]),
            (StepTarget::Values(&values), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0, nan, 2.0, 0.0]),
        ] {
            let fitted = table.fit_with(&ENTRY, &[("min_rows", "1")], &fitting(target)).unwrap();
            assert_eq!(fitted.kept, ["same", "none"]);
            wine::check_column(&fitted.column(&table, "x"), &expected, 0.0);
        }
        let settings = [("min_rows", "1"), ("encode", "one_hot")];
        let fitted = table.fit_with(&ENTRY, &settings, &fitting(StepTarget::Classes(&classes, 3))).unwrap();
        assert_eq!(fitted.names, ["x <= 2.5", "x in (2.5, 5.5]", "x > 5.5"]);
    }

    #[test]
    fn weights_and_least_rows_move_the_cut() {
        let table = Table::numbers(&[("x", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])]);
        let classes = [0, 1, 1, 0, 0, 0];
        let bins = |settings: &[(&str, &str)], weights: Option<&[f32]>| {
            let target = Some(StepTarget::Classes(&classes, 2));
            let fitting = Fitting { target, row_weights: weights, ..Fitting::default() };
            table.fit_with(&ENTRY, settings, &fitting).unwrap().run(&table).concat()
        };
        let two = [("max_bins", "2"), ("min_rows", "1")];
        assert_eq!(bins(&two, None), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
        // The first row outweighs all others.
        assert_eq!(bins(&two, Some(&[50.0, 1.0, 1.0, 1.0, 1.0, 1.0])), [0.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        let wide = [("max_bins", "9"), ("min_rows", "3")];
        assert_eq!(bins(&wide, None), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    }

    /// The criterion, computed by hand: 20 rows of one class, then 20 of another.
    #[test]
    fn description_lengths_accept_what_they_should() {
        let table = |n: usize| {
            let x: Vec<f64> = (0..n).map(|i| i as f64).collect();
            Table::numbers(&[("x", &x)])
        };
        let settings = [("how", "mdl"), ("min_rows", "1")];
        let halves: Vec<u32> = (0..40).map(|i| u32::from(i >= 20)).collect();
        let fitted = table(40);
        let target = StepTarget::Classes(&halves, 2);
        let made = fitted.fit_with(&ENTRY, &settings, &fitting(target)).unwrap().run(&fitted).concat();
        assert_eq!(made, halves.iter().map(|&c| f64::from(c)).collect::<Vec<_>>());
        // Of two classes that alternate no cut is worth its description: the tree makes one all the same.
        let mixed: Vec<u32> = (0..40).map(|i| i % 2).collect();
        let target = StepTarget::Classes(&mixed, 2);
        assert_eq!(fitted.fit_with(&ENTRY, &settings, &fitting(target)).unwrap().kept, ["x"]);
        let tree = fitted.fit_with(&ENTRY, &[("min_rows", "1")], &fitting(target)).unwrap();
        assert!(tree.kept.is_empty());
        // Rows of class 0, then of class 1, then one of class 0: bits gained by the best cut against the bound of
        // the criterion, 5.310 and 5.269; 3.651 and 5.044; 6.054 and 6.061; 6.490 and 6.267.
        for (zeros, ones, cut) in [(4, 4, true), (3, 3, false), (7, 3, false), (8, 3, true)] {
            let classes = [vec![0; zeros], vec![1; ones], vec![0]].concat();
            let table = table(classes.len());
            let target = StepTarget::Classes(&classes, 2);
            let settings = [("how", "mdl"), ("min_rows", "1"), ("max_bins", "2")];
            let fitted = table.fit_with(&ENTRY, &settings, &fitting(target)).unwrap();
            assert_eq!(fitted.kept.is_empty(), cut, "{zeros} and {ones} rows");
        }
    }

    #[test]
    fn mdl_of_numbers_is_refused() {
        let table = Table::numbers(&[("x", &[1.0, 2.0])]);
        let target = StepTarget::Values(&[1.0, 2.0]);
        let error = table.fit_with(&ENTRY, &[("how", "mdl")], &fitting(target)).err().unwrap();
        assert_eq!(
            error.to_string(),
            "discretize_target: it is defined for classes with how=mdl, not for a regression task"
        );
        let error = table.fit_with(&ENTRY, &[], &Fitting::default()).err().unwrap();
        assert!(error.to_string().contains("there is none"), "{error}");
    }

    #[test]
    fn huge_numbers() {
        let table = Table::numbers(&[("x", &[-f64::MAX, -f64::MAX, f64::MAX, f64::MAX])]);
        let target = StepTarget::Values(&[-f64::MAX, -f64::MAX, f64::MAX, f64::MAX]);
        let fitted = table.fit_with(&ENTRY, &[("min_rows", "1")], &fitting(target)).unwrap();
        assert_eq!(fitted.run(&table).concat(), [0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn as_scikit_learn() {
        let table = wine::table();
        let classes = wine::classes();
        let proline = wine::column("proline");
        let classified = StepTarget::Classes(&classes, 3);
        let regressed = StepTarget::Values(&proline);
        // Thresholds of DecisionTreeClassifier(max_leaf_nodes=8, min_samples_leaf=n).fit(X[[name]], class) and of
        // DecisionTreeRegressor of the same parameters on proline; they lie halfway between values, so that an
        // equal cut has the same rows below it.
        let cases: [(&str, &str, StepTarget<'_>, &[f64]); 6] = [
            ("alcohol", "20", classified, &[12.185, 12.395, 12.78, 13.185, 13.54, 13.89]),
            ("alcohol", "3", classified, &[12.44, 12.62, 12.78, 12.975, 13.075, 13.54, 13.89]),
            ("malic_acid", "20", classified, &[1.475, 1.675, 1.91, 2.455, 3.58]),
            ("malic_acid", "3", classified, &[1.225, 1.475, 1.505, 1.635, 2.055, 2.14, 2.455]),
            ("alcohol", "10", regressed, &[12.44, 12.815, 13.135, 13.395, 13.54, 13.775, 13.92]),
            ("malic_acid", "10", regressed, &[1.475, 1.635, 1.845, 1.98, 2.375, 3.56, 4.29]),
        ];
        for (name, min_rows, target, thresholds) in cases {
            let fitted = table.fit_with(&ENTRY, &[("min_rows", min_rows)], &fitting(target)).unwrap();
            let made = fitted.column(&table, name);
            let expected: Vec<f64> = wine::column(name)
                .iter()
                .map(|x| thresholds.iter().filter(|t| x > t).count() as f64)
                .collect();
            assert_eq!(made, expected, "{name}, {min_rows} rows");
        }
    }
}
