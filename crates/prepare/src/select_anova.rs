//! `select_anova`: keeps the columns whose means differ most between the values of the target.

use crate::best_columns::{K, SHARE, deviate_of_f, keep_best};
use crate::error::Error;
use crate::select_correlation::correlation;
use crate::statistics::{deviation, mean};
use crate::transform::{FeatureKind, FittedStep, StepInput, StepTarget, Transform, TransformEntry};
use params::{ParamSpec, Params};
use std::collections::BTreeMap;

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "select_anova",
    doc: "keeps the columns whose means differ most between the values of the target",
    takes: &[FeatureKind::Number, FeatureKind::Category],
    sees_target: true,
    cleans: false,
    spec: SPEC,
    transform: &SelectAnova,
};

const SPEC: &[ParamSpec] = &[K, SHARE];

/// The columns of the largest F go on. For classes it is that of the numbers by class; for a regression
/// `F = r^2 / (1 - r^2) (n - 2)` of the correlation r of numbers and target, and for a category that of the
/// target by category, missing being one of its own. Each has other degrees of freedom, so what is ranked is
/// the normal deviate of the same chance, which for columns alike ranks as F does. Rows whose number
/// is not finite do not count; a column that does not vary is below all others. Where the target has classes,
/// F of a category is not defined: such columns go on. O(rows columns).
/// # Source  Fisher, Statistical Methods for Research Workers, 1925; scikit-learn's `SelectKBest` with
/// `f_classif` or `f_regression`.
struct SelectAnova;

impl Transform for SelectAnova {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let target = input.target(ENTRY.name)?;
        let scores = input.threads.map(input.columns.len(), |at| {
            let f = match (input.columns[at].kind, target) {
                (FeatureKind::Number, StepTarget::Classes(labels, _)) => by_class(input, at, labels),
                (FeatureKind::Number, StepTarget::Values(values)) => linear(input, at, values),
                (_, StepTarget::Values(values)) => by_category(input, at, values),
                (_, StepTarget::Classes(..)) => return None,
            };
            Some(deviate_of_f(f.value, f.df1, f.df2))
        });
        Ok(keep_best(&scores, params))
    }
}

/// An F value and its degrees of freedom.
#[derive(Debug)]
struct F {
    value: f64,
    df1: f64,
    df2: f64,
}

fn by_class(input: &StepInput<'_>, at: usize, labels: &[u32]) -> F {
    let numbers = input.numbers(at);
    let rows = numbers.iter().zip(input.rows).filter(|(x, _)| x.is_finite());
    let (x, groups): (Vec<f64>, Vec<u32>) =
        rows.filter_map(|(&x, &row)| Some((x, *labels.get(row as usize)?))).unzip();
    one_way(&x, &groups)
}

fn by_category(input: &StepInput<'_>, at: usize, values: &[f64]) -> F {
    let texts = input.texts(at);
    let mut places: BTreeMap<Option<&str>, u32> = texts.iter().map(|key| (*key, 0)).collect();
    places.values_mut().zip(0..).for_each(|(place, at)| *place = at);
    let rows = texts.iter().zip(input.rows);
    let rows = rows.filter_map(|(key, &row)| Some((*values.get(row as usize)?, *places.get(key)?)));
    let (y, groups): (Vec<f64>, Vec<u32>) = rows.filter(|(y, _)| y.is_finite()).unzip();
    one_way(&y, &groups)
}

fn linear(input: &StepInput<'_>, at: usize, values: &[f64]) -> F {
    let numbers = input.numbers(at);
    let rows = numbers.iter().zip(input.rows);
    let rows = rows.filter_map(|(&x, &row)| Some((x, *values.get(row as usize)?)));
    let (x, y): (Vec<f64>, Vec<f64>) = rows.filter(|(x, y)| x.is_finite() && y.is_finite()).unzip();
    let df2 = x.len() as f64 - 2.0;
    if !varies(&x) {
        return F { value: f64::NAN, df1: 1.0, df2 };
    }
    let r = correlation(&x, &y);
    F { value: r * r / (1.0 - r * r) * df2, df1: 1.0, df2 }
}

fn varies(x: &[f64]) -> bool {
    deviation(x, mean(x)) > 0.0
}

/// F of finite numbers by group.
fn one_way(x: &[f64], groups: &[u32]) -> F {
    let n_groups = groups.iter().max().map_or(0, |&most| most as usize + 1);
    let mut sums = vec![(0.0, 0.0); n_groups];
    for (&x, &group) in x.iter().zip(groups) {
        let (sum, n) = &mut sums[group as usize];
        *sum += x;
        *n += 1.0;
    }
    let middle = mean(x);
    let means: Vec<f64> = sums.iter().map(|(sum, n)| sum / n).collect();
    let there = || sums.iter().zip(&means).filter(|((_, n), _)| *n > 0.0);
    let between: f64 = there().map(|((_, n), mean)| n * (mean - middle) * (mean - middle)).sum();
    let within: f64 =
        x.iter().zip(groups).map(|(x, &g)| (x - means[g as usize]) * (x - means[g as usize])).sum();
    let df1 = there().count() as f64 - 1.0;
    let df2 = x.len() as f64 - df1 - 1.0;
    // Of a column that does not vary both sums are rounding.
    let value = if varies(x) { between / df1 / (within / df2) } else { f64::NAN };
    F { value, df1, df2 }
}

#[cfg(test)]
#[path = "select_anova/tests.rs"]
mod tests;
