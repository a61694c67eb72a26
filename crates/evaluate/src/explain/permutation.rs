//! What a metric loses when the cells of a column change places.

use super::error::Error;
use super::taken::{Taken, shuffled};
use ir::{Column, Model, Tensor};
use jobs::{Seed, Threads};
use runtime::Plan;

/// How cells are shuffled.
#[derive(Clone, Copy, Debug)]
pub struct Permutations {
    /// Shuffles of each column, 1 or more.
    pub repeats: usize,
    /// Where the orders come from.
    pub seed: Seed,
}

/// Mean and deviation (of single shuffles, `n - 1`; 0 of one shuffle) of `score(as they are) - score(shuffled)`, by
/// column of the signature: above 0 where the model needs the column, about 0 where it does not.
///
/// `columns` are those of the graph; `score` turns its outputs into a figure of which more is better. Missing cells
/// move as other cells do. One row and constant columns have exactly 0. Columns that are much alike stand in for
/// each other, so each may look useless. The same seed gives the same figures on any number of threads. O(columns
/// repeats) predictions of all rows.
///
/// # Errors
/// Columns that do not fit the graph; what `score` refuses.
/// # Source  Breiman, Machine Learning 45, 2001, section 10; Fisher, Rudin and Dominici, JMLR 20, 2019.
pub fn permutation_importance<E: From<Error> + Send>(
    model: &Model,
    plan: &Plan,
    columns: &[Column<'_>],
    permutations: Permutations,
    threads: &Threads,
    score: impl Fn(&[Tensor]) -> Result<f64, E> + Sync + Send,
) -> Result<Vec<(f64, f64)>, E> {
    let run = |columns: &[Column<'_>]| score(&plan.run(columns).map_err(Error::from)?);
    let as_they_are = run(columns)?;
    let n_columns = model.signature().inputs.len().min(columns.len());
    let repeats = permutations.repeats.max(1);
    let drops = threads.map(n_columns * repeats, |task| {
        let position = task / repeats;
        let column = &columns[position];
        let order = shuffled(column.n_rows(), permutations.seed.derive("permutation", task as u64));
        let taken = Taken::of(column, position, &order)?;
        let mut moved = columns.to_vec();
        moved[position] = taken.column()?;
        run(&moved).map(|shuffled| as_they_are - shuffled)
    });
    let drops: Vec<f64> = drops.into_iter().collect::<Result<_, E>>()?;
    Ok(drops.chunks_exact(repeats).map(mean_and_deviation).collect())
}

fn mean_and_deviation(drops: &[f64]) -> (f64, f64) {
    let n = drops.len() as f64;
    let mean = drops.iter().sum::<f64>() / n;
    let squares: f64 = drops.iter().map(|d| (d - mean) * (d - mean)).sum();
    (mean, (squares / (n - 1.0).max(1.0)).sqrt())
}
