//! How much each column of a model matters on a sample of rows, and whether two models agree on it.

use super::attribution::Explainer;
use super::error::Error;
use super::permutation::{Permutations, permutation_importance};
use ir::{Column, Model, OutputRole, Tensor, TensorData};
use jobs::Threads;
use runtime::Plan;

/// How much one column matters.
#[derive(Clone, Debug, PartialEq)]
pub struct Importance {
    /// Name of the column.
    pub column: String,
    /// What the metric loses on average when the column is shuffled.
    pub permutation: f64,
    /// Deviation of single shuffles.
    pub deviation: f64,
    /// Mean size of the attributions to the column, in units of the score.
    pub shap: f64,
}

/// A model, ready to run, and the rows that it is looked at with.
#[derive(Clone, Copy)]
pub struct Sample<'a> {
    /// The model.
    pub model: &'a Model,
    /// The same, scheduled.
    pub plan: &'a Plan,
    /// One column an input of the graph, of one or more rows; they are the background too.
    pub columns: &'a [Column<'a>],
    /// How columns are shuffled.
    pub permutations: Permutations,
}

/// Both importances of each column of the signature: of most loss first, then of largest attributions, then by name.
///
/// Attributions are those of the predicted class, so a model of 500 classes costs no more than one of two. `score` is
/// as in [`permutation_importance`]. The same seed gives the same list on any number of threads. O(rows (columns
/// repeats + trees)).
///
/// # Errors
/// As [`permutation_importance`], [`Explainer::new`] and [`Explainer::attribute`].
pub fn importances<E: From<Error> + Send>(
    sample: &Sample<'_>,
    threads: &Threads,
    score: impl Fn(&[Tensor]) -> Result<f64, E> + Sync + Send,
) -> Result<Vec<Importance>, E> {
    let Sample { model, plan, columns, permutations } = *sample;
    let explainer = Explainer::new(model, columns)?;
    let outputs = plan.run(columns).map_err(Error::from)?;
    let label = model.signature().output(OutputRole::Label).and_then(|at| outputs.get(at));
    let classes: Vec<u32> = match label.map(Tensor::data) {
        Some(TensorData::I64(labels)) => labels.iter().map(|&l| l as u32).collect(),
        _ => Vec::new(),
    };
    let attributions = explainer.attribute(columns, &classes, threads)?;
    let drops = permutation_importance(model, plan, columns, permutations, threads, score)?;
    let n_columns = attributions.n_columns.max(1);
    let n_rows = (attributions.values.len() / n_columns).max(1) as f64;
    let size = |position: usize| {
        let of_column = attributions.values.iter().skip(position).step_by(n_columns);
        of_column.map(|phi| phi.abs()).sum::<f64>() / n_rows
    };
    let named = model.signature().inputs.iter().zip(&drops).enumerate();
    let mut all: Vec<Importance> = named
        .map(|(position, (input, &(permutation, deviation)))| {
            let (column, shap) = (input.name.clone(), size(position));
            Importance { column, permutation, deviation, shap }
        })
        .collect();
    all.sort_by(|a, b| {
        let larger = b.permutation.total_cmp(&a.permutation).then(b.shap.total_cmp(&a.shap));
        larger.then_with(|| a.column.cmp(&b.column))
    });
    Ok(all)
}

/// Spearman's rank correlation of two lists of as many numbers: 1 where they order the same things alike. Ties have
/// the mean of their ranks. None for fewer than two numbers, lists of different length, and where a list orders
/// nothing. O(n log n).
/// # Source  Spearman, American Journal of Psychology 15, 1904.
pub fn rank_correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() < 2 || a.len() != b.len() {
        return None;
    }
    let (x, y) = (ranks(a), ranks(b));
    let middle = (x.len() as f64 + 1.0) / 2.0;
    let product =
        |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - middle) * (b - middle)).sum::<f64>();
    let spread = product(&x, &x) * product(&y, &y);
    (spread > 0.0).then(|| product(&x, &y) / spread.sqrt())
}

/// The rank of each value, from 1; ties share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let first = order.partition_point(|&i| values[i] < values[tied[0]]);
        let rank = first as f64 + (tied.len() as f64 + 1.0) / 2.0;
        tied.iter().for_each(|&i| ranks[i] = rank);
    }
    ranks
}
