//! `crosses`: a pair of categories to the mean of the target over its rows.

use super::base::Base;
use super::cells::{Codes, Ranks};
use super::{Construction, Look, Parents};
use crate::nodes::Labels;
use crate::target_encode::{folds, targets, weights};
use crate::transform::{Group, Lower, StepInput, StepTarget};
use ir::op::{Arithmetic, Interpolate};
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx};

/// Rows of the mean of all that are added to those of each pair.
pub(super) const SMOOTHING: f64 = 10.0;
/// Parts of the training rows, each of which gets its values from the others.
const FOLDS: usize = 5;
/// Keys of a column that count, the most frequent ones: a pair of columns has their product of values.
const MOST_KEYS: usize = 64;

/// `(sum_i w_i y_i + 10 mean) / (sum_i w_i + 10)` over the rows of the pair, as `target_encode` of one column: `y` is
/// the number of a regression, 1 or 0 for the second of two classes. Of three classes or more there would be a column
/// a class; there it is not offered.
///
/// Keys beyond the 64 most frequent of a column are one, which unseen keys belong to, and missing is one. A pair
/// that training has not seen gives the mean of all. The training rows get values from the rows of the other
/// folds alone, so that no row sees its own target.
pub(super) struct Crosses;

/// The line of the table.
pub(super) static CROSSES: Crosses = Crosses;

impl Construction for Crosses {
    fn name(&self) -> &'static str {
        "crosses"
    }

    fn parents(&self) -> Parents {
        Parents::Categories
    }

    fn serves(&self, target: StepTarget<'_>) -> bool {
        match target {
            StepTarget::Values(_) => true,
            StepTarget::Classes(_, n) => n <= 2,
        }
    }

    fn look(&self, a: &Base<'_>, b: &Base<'_>) -> Look {
        Look::Cells(Codes::crossed(&a.keys(MOST_KEYS), &b.keys(MOST_KEYS)))
    }

    fn group(&self, input: &StepInput<'_>, uses: [usize; 2]) -> Option<Group> {
        let target = input.target?;
        let targets = targets(input, target);
        let [y] = &targets[..] else { return None };
        let [a, b] = uses.map(|at| Ranks::new(&input.texts(at)));
        let (firsts, seconds) = (a.codes(MOST_KEYS), b.codes(MOST_KEYS));
        let cells = Codes::crossed(&firsts, &seconds);
        let n_folds = FOLDS.min(input.rows.len().max(1));
        let fold_of = folds(input, target, n_folds);
        let mut of_folds = vec![vec![Sums::default(); cells.n]; n_folds];
        let weights = weights(input, &targets);
        for (((cell, &fold), &weight), &y) in cells.iter().zip(&fold_of).zip(&weights).zip(y) {
            if weight > 0.0 {
                of_folds[fold][cell].add(Sums { weight, sum: weight * y });
            }
        }
        let values = smoothed(&of_folds, cells.n, |_| true)?;
        let of_others: Vec<Vec<f64>> = (0..n_folds)
            // Where the other folds weigh nothing there is only the whole.
            .map(|fold| smoothed(&of_folds, cells.n, |f| f != fold).unwrap_or_else(|| values.clone()))
            .collect();
        let training = cells.iter().zip(&fold_of).map(|(cell, &fold)| of_others[fold][cell]).collect();
        let what = if matches!(target, StepTarget::Values(_)) { "mean" } else { "rate" };
        let [first, second] = uses.map(|at| input.columns[at].name);
        let part = Nodes {
            first: a.labels(MOST_KEYS, |id| (id * seconds.n) as f64),
            second: b.labels(MOST_KEYS, |id| id as f64),
            values,
        };
        let name = format!("target {what} by \"{first}\" and \"{second}\"");
        let mut group = Group::number(uses.to_vec(), name, part);
        group.training = Some(training);
        Some(group)
    }
}

#[derive(Clone, Copy, Default)]
struct Sums {
    weight: f64,
    sum: f64,
}

impl Sums {
    fn add(&mut self, other: Sums) {
        self.weight += other.weight;
        self.sum += other.sum;
    }
}

/// The value of each cell from the folds that are taken; none where they weigh nothing, or where values are too
/// large to subtract from each other, as the nodes do.
fn smoothed(folds: &[Vec<Sums>], n_cells: usize, takes: impl Fn(usize) -> bool) -> Option<Vec<f64>> {
    let mut cells = vec![Sums::default(); n_cells];
    for fold in folds.iter().enumerate().filter(|(fold, _)| takes(*fold)).map(|(_, sums)| sums) {
        cells.iter_mut().zip(fold).for_each(|(cell, sums)| cell.add(*sums));
    }
    let mut all = Sums::default();
    cells.iter().for_each(|cell| all.add(*cell));
    let mean = all.sum / all.weight;
    let value = |cell: &Sums| (cell.sum + SMOOTHING * mean) / (cell.weight + SMOOTHING);
    let values: Vec<f64> = cells.iter().map(value).collect();
    values.iter().all(|v| v.abs() < f64::MAX / 4.0).then_some(values)
}

/// `values[first + second]`: at whole numbers the polygon through a table is the table.
struct Nodes {
    /// The number of the first key times the number of second keys.
    first: Labels,
    second: Labels,
    values: Vec<f64>,
}

impl Lower for Nodes {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let first = self.first.lower(builder, &columns[..1])?;
        let second = self.second.lower(builder, &columns[1..])?;
        let place = builder.node(Op::Arithmetic(Arithmetic::Add), &[first, second])?;
        let places = (0..self.values.len()).map(|i| i as f64).collect();
        let places = builder.constant(Tensor::vector(TensorData::F64(places)))?;
        let values = builder.constant(Tensor::vector(TensorData::F64(self.values.clone())))?;
        builder.node(Op::Interpolate(Interpolate), &[place, places, values])
    }
}
