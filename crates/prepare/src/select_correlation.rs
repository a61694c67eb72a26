//! `select_correlation`: of two columns that say nearly the same, drops the later one.

use crate::error::Error;
use crate::statistics::mean;
use crate::transform::{FeatureKind, FittedStep, StepInput, Transform, TransformEntry};
use ir::fixed::math;
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "select_correlation",
    doc: "of two columns that say nearly the same, drops the later one",
    takes: &[FeatureKind::Number],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &SelectCorrelation,
};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "threshold",
        aliases: &[],
        default: Value::Real(0.95),
        range: Range::Real { low: 0.0, high: 1.0 },
        doc: "size of the correlation above which two columns say the same",
    },
    ParamSpec {
        name: "how",
        aliases: &["method"],
        default: Value::Word("pearson"),
        range: Range::Words(&["pearson", "spearman"]),
        doc: "whether the numbers are compared or their ranks",
    },
];

/// In the order of the table a column goes on if its correlation with no column that went on before is above
/// the threshold in size. It is taken over the training rows in which both numbers are finite; ranks of equal
/// numbers are their mean. A column that does not vary correlates with none.
/// O(columns^2 rows), with ranks and missing cells O(columns^2 rows log rows).
/// # Source  feature_engine's `DropCorrelatedFeatures`; pandas' `corr` for missing cells.
struct SelectCorrelation;

impl Transform for SelectCorrelation {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let threshold = params.real("threshold");
        let by_rank = params.word("how") == "spearman";
        let columns: Vec<Measured> =
            input.threads.map(input.columns.len(), |at| Measured::new(input.numbers(at), by_rank));
        let mut kept: Vec<usize> = Vec::new();
        for at in 0..columns.len() {
            let sizes =
                input.threads.map(kept.len(), |k| columns[kept[k]].correlation(&columns[at], by_rank).abs());
            if !sizes.iter().any(|&size| size > threshold) {
                kept.push(at);
            }
        }
        Ok(FittedStep { kept, groups: Vec::new() })
    }
}

/// A column, or its ranks where these are those of any pair.
struct Measured {
    values: Vec<f64>,
    is_whole: bool,
}

impl Measured {
    fn new(values: Vec<f64>, by_rank: bool) -> Measured {
        let is_whole = values.iter().all(|v| v.is_finite());
        let values = if by_rank && is_whole { ranks(&values) } else { values };
        Measured { values, is_whole }
    }

    fn correlation(&self, other: &Measured, by_rank: bool) -> f64 {
        if self.is_whole && other.is_whole {
            return correlation(&self.values, &other.values);
        }
        let both = self.values.iter().zip(&other.values).filter(|(a, b)| a.is_finite() && b.is_finite());
        let (a, b): (Vec<f64>, Vec<f64>) = both.map(|(a, b)| (*a, *b)).unzip();
        if by_rank { correlation(&ranks(&a), &ranks(&b)) } else { correlation(&a, &b) }
    }
}

/// Pearson's r of finite numbers; 0 where one side does not vary.
pub(crate) fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (da, db) = (a - mean_a, b - mean_b);
        aa += da * da;
        bb += db * db;
        ab += da * db;
    }
    let r = ab / (math::sqrt(aa) * math::sqrt(bb));
    // 0 / 0, or squares that leave the range of doubles.
    if r.is_finite() { r.clamp(-1.0, 1.0) } else { 0.0 }
}

/// Ranks from 1; equal numbers share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    // The two zeros are equal, and stand beside each other.
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = below as f64 + (equal.len() as f64 + 1.0) / 2.0;
        equal.iter().for_each(|&at| ranks[at] = rank);
        below += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::{Fitting, Table};
    use crate::laws::wine::{self, check_column};

    #[test]
    fn as_pandas() {
        // DataFrame(X).corr(how) of alcohol and malic acid, alcohol and proline, malic acid and proline.
        let [a, m, p] = wine::NAMES.map(wine::column);
        let pearson = [0.09439694091041516, 0.6437200371782134, -0.19201056463400906];
        // 1e-13, because sums of 178 products are rounded.
        check_column(&[correlation(&a, &m), correlation(&a, &p), correlation(&m, &p)], &pearson, 1e-13);
        let [a, m, p] = [a, m, p].map(|v| ranks(&v));
        let spearman = [0.1404301775567423, 0.6335798586170726, -0.057466145920822005];
        check_column(&[correlation(&a, &m), correlation(&a, &p), correlation(&m, &p)], &spearman, 1e-13);
        let table = wine::table();
        for (how, below, above) in [("pearson", "0.6437", "0.6438"), ("spearman", "0.6335", "0.6336")] {
            let kept = |threshold| table.fit(&ENTRY, &[("method", how), ("threshold", threshold)]).kept;
            assert_eq!(kept(below), wine::NAMES[..2], "{how}");
            assert_eq!(kept(above), wine::NAMES, "{how}");
        }
    }

    #[test]
    fn hand_computed() {
        assert_eq!(ranks(&[3.0, -0.0, 7.0, 0.0, 3.0, 3.0]), [4.0, 1.5, 6.0, 1.5, 4.0, 4.0]);
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 9.0];
        let table = Table::numbers(&[
            ("x", &x),
            ("same", &[3.0; 6]),
            ("down", &x.map(|v| 7.0 - 2.0 * v)),
            ("curved", &x.map(|v| v * v * v)),
            ("holes", &[1.0, nan, 3.0, inf, 5.0, 9.0]),
            ("none", &[nan; 6]),
            ("other", &[1.0, -1.0, 2.0, -1.0, 1.0, -2.0]),
            ("again", &[1.0, -1.0, 2.0, -1.0, 1.0, -2.0]),
        ]);
        let kept = table.fit(&ENTRY, &[]).kept;
        assert_eq!(kept, ["x", "same", "curved", "none", "other"]);
        let kept = table.fit(&ENTRY, &[("how", "spearman")]).kept;
        assert_eq!(kept, ["x", "same", "none", "other"]);
        // In other rows they say the same.
        let fitting = Fitting { rows: vec![0, 1, 2], ..Fitting::default() };
        assert!(!table.fit_with(&ENTRY, &[], &fitting).unwrap().kept.contains(&"curved".to_owned()));
    }
}
