//! `multinomial_nb`: naive Bayes on counts: numbers, terms of a text, yes and no of categories.
//!
//! `log P(k | x) = log P(k) + sum_j x_j log t_kj + const`, `t_kj = (n_kj + a) / (n_k + a C)`, `n_kj` the sum of column
//! `j` over the rows of class `k`, `C` the number of columns. It is a linear model and deployed as one; a missing
//! number is the column's mean. Numbers below 0 are refused.
//! # Source  Manning, Raghavan, Schütze, Introduction to Information Retrieval, 2008, section 13.2.

use crate::error::Kind;
use crate::linear_columns::LinearColumns;
use crate::linear_fit::WEIGHT_BITS;
use crate::linear_model::Weights;
use crate::naive_bayes::{Classes, PRIOR, SMOOTHING};
use crate::{Error, FitInput, Fitted, Grows, Learner, LearnerEntry, Takes};
use ir::Task;
use ir::fixed::math;
use ir::op::LinkKind;
use jobs::{Ctx, Seed};
use params::{ParamSpec, Params};

const SPEC: &[ParamSpec] = &[SMOOTHING, PRIOR, WEIGHT_BITS];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "multinomial_nb",
    doc: "naive Bayes on counts",
    tasks: &[Task::Binary, Task::Multiclass],
    specs: &[SPEC],
    space: &[],
    takes: Takes::ALL,
    floats_are_free: true,
    starts_from_scores: false,
    grows: Grows::Passes,
    learner: &MultinomialNb,
};

struct MultinomialNb;

impl Learner for MultinomialNb {
    fn fit(&self, input: FitInput<'_>, params: &Params, _: Seed, _: &Ctx<'_>) -> Result<Fitted, Error> {
        for (at, numbers) in input.numbers.iter().enumerate() {
            let of_rows = || input.rows.train.iter().filter_map(|&r| Some(numbers.as_ref()?[r as usize]));
            if let Some(value) = of_rows().find(|x| *x < 0.0) {
                let column = input.names.get(at).copied().unwrap_or_default().to_owned();
                return Err(Kind::NegativeCount { column, value }.into());
            }
        }
        let classes = Classes::new(&input)?;
        let n = classes.n_classes;
        let columns = LinearColumns::new(&input);
        let counted = columns.counted();
        // Sums of cells as they are in the table, by column and class.
        let mut sums = vec![0.0; counted.len() * n];
        let (mut rows, mut of_row) = (Vec::new(), Vec::new());
        classes.each(|row, class, weight| {
            rows.push(row);
            of_row.push((class, weight));
        });
        let design = columns.design(&input, &rows)?;
        for (i, &(class, weight)) in of_row.iter().enumerate() {
            columns.raw_cells(&design, i, |column, x| {
                if counted[column] {
                    sums[column * n + class] += weight * x;
                }
            });
        }
        // A class without rows is distributed as all rows are.
        for cell in sums.chunks_exact_mut(n) {
            let all: f64 = cell.iter().sum();
            let empty = cell.iter_mut().zip(&classes.totals).filter(|(_, total)| **total == 0.0);
            empty.for_each(|(sum, _)| *sum = all);
        }
        let smoothing = params.real(SMOOTHING.name);
        let n_counted = counted.iter().filter(|c| **c).count() as f64;
        let wholes: Vec<f64> =
            (0..n).map(|k| sums.iter().skip(k).step_by(n).sum::<f64>() + smoothing * n_counted).collect();
        let log_share =
            |sum: f64, k: usize| math::log(((sum + smoothing) / wholes[k].max(1e-300)).max(1e-300));
        let n_outputs = classes.n_outputs();
        let mut coefficients = vec![0.0; counted.len() * n_outputs];
        for (column, out) in coefficients.chunks_exact_mut(n_outputs).enumerate().filter(|(c, _)| counted[*c])
        {
            let logs: Vec<f64> = (0..n).map(|k| log_share(sums[column * n + k], k)).collect();
            out.copy_from_slice(&classes.centred(&logs));
        }
        let mut intercepts = classes.centred(&classes.log_priors(params));
        columns.standardize_weights(&mut coefficients, &mut intercepts);
        let weights = Weights { coefficients, intercepts, n_iterations: 0, converged: true };
        let link = if n == 2 { LinkKind::Logistic } else { LinkKind::Softmax };
        columns.fitted(&input, &weights, link, u32::try_from(params.int(WEIGHT_BITS.name)).unwrap_or(16))
    }
}
