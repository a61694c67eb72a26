//! `select_mutual_information`: keeps the columns that tell most of the target.

use crate::best_columns::{K, SHARE, keep_best};
use crate::error::Error;
use crate::piecewise_linear::rising_quantiles;
use crate::transform::{FeatureKind, FittedStep, StepInput, StepTarget, Transform, TransformEntry};
use ir::fixed::math;
use params::{ParamSpec, Params, Range, Value};
use std::collections::BTreeMap;

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "select_mutual_information",
    doc: "keeps the columns that tell most of the target",
    takes: &[FeatureKind::Number, FeatureKind::Category],
    sees_target: true,
    cleans: false,
    spec: SPEC,
    transform: &SelectMutualInformation,
};

const SPEC: &[ParamSpec] = &[
    K,
    SHARE,
    ParamSpec {
        name: "bins",
        aliases: &[],
        default: Value::Int(16),
        range: Range::Int { low: 2, high: 256 },
        doc: "bins of equally many rows that numbers are counted in",
    },
];

/// The columns of the largest `sum p(a, b) ln(p(a, b) / (p(a) p(b))) - (A - 1) (B - 1) / (2 n)` go on, a the bin or
/// category, b the class, or the bin of the target of a regression; A and B how many are there, n the rows. The
/// second term is what chance alone adds on average, so that many categories are no merit. Numbers are binned
/// at their quantiles, missing is a bin or category of its own, infinities belong to the outer bins.
/// O(rows columns log rows).
/// # Source  Miller, Note on the bias of information estimates, 1955; scikit-learn's
/// `mutual_info_classif` estimates the same from nearest neighbours.
struct SelectMutualInformation;

impl Transform for SelectMutualInformation {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let n_bins = usize::try_from(params.int("bins")).unwrap_or(2);
        let rows = || input.rows.iter().map(|&row| row as usize);
        let target = match input.target(ENTRY.name)? {
            StepTarget::Classes(labels, _) => {
                rows().map(|row| labels.get(row).copied().unwrap_or(0)).collect()
            }
            StepTarget::Values(values) => {
                let values: Vec<f64> =
                    rows().map(|row| values.get(row).copied().unwrap_or(f64::NAN)).collect();
                binned(&values, n_bins)
            }
        };
        let scores = input.threads.map(input.columns.len(), |at| {
            let cells = match input.columns[at].kind {
                FeatureKind::Number => binned(&input.numbers(at), n_bins),
                _ => {
                    let texts = input.texts(at);
                    let mut places: BTreeMap<Option<&str>, u32> = texts.iter().map(|key| (*key, 0)).collect();
                    places.values_mut().zip(0..).for_each(|(place, at)| *place = at);
                    texts.iter().map(|key| places.get(key).copied().unwrap_or(0)).collect()
                }
            };
            let told = information(&cells, &target);
            Some(told.nats - told.by_chance)
        });
        Ok(keep_best(&scores, params))
    }
}

/// The bin of each number: how many of the inner quantiles are not above it; missing has one of its own.
fn binned(values: &[f64], n_bins: usize) -> Vec<u32> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let edges = rising_quantiles(&sorted, n_bins);
    let inner = edges.get(1..edges.len().saturating_sub(1)).unwrap_or_default();
    let bin = |v: &f64| {
        if v.is_nan() { edges.len() as u32 } else { inner.partition_point(|e| e <= v) as u32 }
    };
    values.iter().map(bin).collect()
}

struct Information {
    nats: f64,
    /// What the estimate is on average where there is none.
    by_chance: f64,
}

/// Mutual information of two lists of cells.
fn information(a: &[u32], b: &[u32]) -> Information {
    let mut joint: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    a.iter().zip(b).for_each(|(&a, &b)| *joint.entry((a, b)).or_default() += 1);
    let (mut of_a, mut of_b): (BTreeMap<u32, u64>, BTreeMap<u32, u64>) = Default::default();
    for (&(a, b), n) in &joint {
        *of_a.entry(a).or_default() += n;
        *of_b.entry(b).or_default() += n;
    }
    let n = a.len().min(b.len()).max(1) as f64;
    let term = |(&(a, b), &both): (&(u32, u32), &u64)| {
        let (a, b) = (of_a.get(&a).copied().unwrap_or(1), of_b.get(&b).copied().unwrap_or(1));
        both as f64 / n * math::log(both as f64 / a as f64 * (n / b as f64))
    };
    let free = |of: &BTreeMap<u32, u64>| of.len().saturating_sub(1) as f64;
    Information { nats: joint.iter().map(term).sum(), by_chance: free(&of_a) * free(&of_b) / (2.0 * n) }
}

#[cfg(test)]
#[path = "select_mutual_information/tests.rs"]
mod tests;
