//! `gaussian_nb`: naive Bayes with a normal distribution of each number in each class.
//!
//! `log P(x_j | k) = -(x_j - m_jk)^2 / (2 v_jk) - log(2 pi v_jk) / 2`; the variance is that of the class's rows
//! plus a share of the column's variance over all rows. Deployed is the mean of that over the rows of each bin.
//! Categories have counts (see `categorical_nb`).
//! # Source  Zhang, The Optimality of Naive Bayes, FLAIRS 2004. Deviation from scikit-learn: the share is
//! of the column's own variance, so that a column of large numbers drowns no other.

use crate::additive_tables::TableColumn;
use crate::naive_bayes::{Classes, PRIOR, SMOOTHING, TABLE_BITS};
use crate::score_link::{link_kind, linked};
use crate::{Error, Exactness, FitInput, Fitted, Grows, Learner, LearnerEntry, Takes, averages};
use ir::Task;
use ir::fixed::math;
use jobs::{Ctx, Seed};
use params::{Axis, ParamSpec, Params, Range, Scale, Value};
use trees::Encoder;

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "variance_share",
        aliases: &["var_smoothing"],
        default: Value::Real(1e-9),
        range: Range::Real { low: 0.0, high: 1e3 },
        doc: "share of a column's variance over all rows that is added to that of each class",
    },
    PRIOR,
    SMOOTHING,
    averages::MAX_BINS,
    TABLE_BITS,
];

/// What a search changes.
const SPACE: &[Axis] = &[Axis { name: "variance_share", scale: Scale::Log(1e-9, 0.1) }];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "gaussian_nb",
    doc: "naive Bayes with normal distributions",
    tasks: &[Task::Binary, Task::Multiclass],
    specs: &[SPEC],
    space: SPACE,
    takes: Takes::NUMBERS,
    floats_are_free: true,
    starts_from_scores: false,
    grows: Grows::Passes,
    learner: &GaussianNb,
};

struct GaussianNb;

/// Mean and variance of a number in each class.
struct Normal {
    means: Vec<f64>,
    variances: Vec<f64>,
}

impl Normal {
    /// Over the training rows where the number is known and finite; also the variance over all classes.
    fn of(numbers: &[f64], classes: &Classes<'_>) -> (Normal, f64) {
        let n = classes.n_classes;
        let (mut weights, mut means) = (vec![0.0; n + 1], vec![0.0; n + 1]);
        let mut sums = vec![0.0; n + 1];
        // Class `n` stands for all rows.
        let each = |f: &mut dyn FnMut(usize, f64, f64)| {
            classes.each(|row, class, weight| {
                let x = numbers[row as usize];
                if x.is_finite() {
                    f(class, x, weight);
                    f(n, x, weight);
                }
            });
        };
        each(&mut |class, x, weight| {
            weights[class] += weight;
            means[class] += weight * x;
        });
        means.iter_mut().zip(&weights).for_each(|(m, w)| *m /= w.max(f64::MIN_POSITIVE));
        each(&mut |class, x, weight| sums[class] += weight * (x - means[class]) * (x - means[class]));
        let variances: Vec<f64> =
            sums.iter().zip(&weights).map(|(s, w)| s / w.max(f64::MIN_POSITIVE)).collect();
        let all = variances[n];
        let mut variances = variances;
        // A class without rows is distributed as all rows are.
        for class in (0..n).filter(|&class| weights[class] == 0.0) {
            (means[class], variances[class]) = (means[n], all);
        }
        (Normal { means: means[..n].to_vec(), variances: variances[..n].to_vec() }, all)
    }

    /// Log densities of the classes.
    fn logs(&self, x: f64) -> Vec<f64> {
        let pairs = self.means.iter().zip(&self.variances);
        pairs
            .map(|(m, v)| {
                let v = v.max(f64::MIN_POSITIVE);
                let d = x - m;
                -0.5 * (math::log(v) + d * d / v + LOG_TWO_PI)
            })
            .collect()
    }
}

/// A number in the middle of a bin, or at the edge of an open one.
fn middle(encoder: &Encoder, bin: usize) -> f64 {
    let edge = |at: usize| match encoder {
        Encoder::Whole(edges) => edges.get(at).map(|&e| e as f64),
        Encoder::Real(edges) => edges.get(at).copied(),
        Encoder::Category { .. } => None,
    };
    match (bin.checked_sub(1).and_then(edge), edge(bin)) {
        (Some(low), Some(high)) => 0.5 * (low + high),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => 0.0,
    }
}

/// `log(2 pi)`.
const LOG_TWO_PI: f64 = 1.837_877_066_409_345_3;

impl Learner for GaussianNb {
    fn fit(&self, input: FitInput<'_>, params: &Params, _: Seed, _: &Ctx<'_>) -> Result<Fitted, Error> {
        let classes = Classes::new(&input)?;
        let n = classes.n_classes;
        let columns: Vec<TableColumn> =
            (0..input.encoders.len()).map(|f| TableColumn::of_study(&input, f)).collect();
        let numbers = |f: usize| input.numbers_of(f);
        let mut normals: Vec<Option<(Normal, f64)>> =
            (0..columns.len()).map(|f| numbers(f).map(|x| Normal::of(x, &classes))).collect();
        let share = params.real("variance_share");
        for (normal, of_all) in normals.iter_mut().flatten() {
            normal.variances.iter_mut().for_each(|v| *v += share * *of_all);
        }
        let mut terms = Vec::with_capacity(columns.len());
        for (at, column) in columns.iter().enumerate() {
            let counts = classes.counts(column);
            let logs = match (&normals[at], numbers(at)) {
                (Some((normal, _)), Some(x)) => {
                    // The mean of the densities' logs over the rows of each bin; in a bin without a training row
                    // that of its middle.
                    let mut sums = vec![0.0; counts.len()];
                    classes.each(|row, _, weight| {
                        let x = x[row as usize];
                        if x.is_finite() {
                            let at = column.place(input.codes, row) * n;
                            let logs = normal.logs(x);
                            sums[at..at + n].iter_mut().zip(logs).for_each(|(s, l)| *s += weight * l);
                        }
                    });
                    let weights = classes.weights(column);
                    for (bin, sums) in sums.chunks_exact_mut(n).enumerate().take(column.n_places() - 1) {
                        match weights[bin] {
                            0.0 => sums.copy_from_slice(&normal.logs(middle(&column.encoder, bin))),
                            weight => sums.iter_mut().for_each(|sum| *sum /= weight),
                        }
                    }
                    sums.truncate(sums.len() - n);
                    sums
                }
                _ => classes.log_shares(&counts, params.real("smoothing")),
            };
            terms.push(classes.term(at, &logs));
        }
        let floats = if input.exact == Exactness::Floats {
            let priors = classes.log_priors(params);
            let mut scores = Vec::with_capacity(input.rows.others.len() * classes.n_outputs());
            for &row in &input.rows.others {
                let mut logs = priors.clone();
                for (at, term) in terms.iter().enumerate() {
                    match (&normals[at], numbers(at)) {
                        (Some((normal, _)), Some(x)) if x[row as usize].is_finite() => {
                            logs.iter_mut().zip(normal.logs(x[row as usize])).for_each(|(s, l)| *s += l);
                        }
                        (Some(_), _) => {}
                        (None, _) => {
                            let place = columns[at].place(input.codes, row);
                            let part = &term.values[place * classes.n_outputs()..][..classes.n_outputs()];
                            match part {
                                [odds] => logs[1] += odds,
                                _ => logs.iter_mut().zip(part).for_each(|(s, l)| *s += l),
                            }
                        }
                    }
                }
                if n == 2 { scores.push(logs[1] - logs[0]) } else { scores.extend(logs) }
            }
            linked(link_kind(input.target), scores, classes.n_outputs())
        } else {
            Vec::new()
        };
        let fitted = classes.fitted(columns, terms, params);
        Ok(Fitted { other_floats: floats, ..fitted })
    }
}
