//! `bernoulli_nb`: naive Bayes on yes and no: whether a number is above a bound, whether a category is this one.
//!
//! `P(x_j = 1 | k) = (n_jk + a) / (n_k + 2 a)`; what is absent counts as well: `1 - P`.
//! # Source  Manning, Raghavan, Schütze, Introduction to Information Retrieval, 2008, section 13.3.

use crate::additive_tables::TableColumn;
use crate::naive_bayes::{Classes, PRIOR, SMOOTHING, TABLE_BITS};
use crate::{Error, FitInput, Fitted, Grows, Learner, LearnerEntry, Takes};
use ir::Task;
use ir::fixed::math;
use jobs::{Ctx, Seed};
use params::{ParamSpec, Params, Range, Value};
use trees::Encoder;

const SPEC: &[ParamSpec] = &[
    SMOOTHING,
    PRIOR,
    ParamSpec {
        name: "bound",
        aliases: &["binarize"],
        default: Value::Real(0.0),
        range: Range::Real { low: -1e300, high: 1e300 },
        doc: "a number above it is a yes",
    },
    TABLE_BITS,
];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "bernoulli_nb",
    doc: "naive Bayes on yes and no",
    tasks: &[Task::Binary, Task::Multiclass],
    specs: &[SPEC],
    space: &[],
    takes: Takes::NUMBERS,
    floats_are_free: true,
    starts_from_scores: false,
    grows: Grows::Passes,
    learner: &BernoulliNb,
};

struct BernoulliNb;

/// The column as a yes or no for numbers, by category otherwise.
fn column(input: &FitInput<'_>, feature: usize, bound: f64) -> TableColumn {
    let Some(numbers) = input.numbers_of(feature) else {
        return TableColumn::of_study(input, feature);
    };
    let encoder = match &input.encoders[feature] {
        // A whole number is above the bound if it is above the whole number below it.
        Encoder::Whole(_) => Encoder::Whole(vec![bound.floor() as i64]),
        _ => Encoder::Real(vec![bound]),
    };
    let code = |x: &f64| if x.is_nan() { u8::MAX } else { u8::from(*x > bound) };
    TableColumn { feature, encoder, own: Some(numbers.iter().map(code).collect()) }
}

impl Learner for BernoulliNb {
    fn fit(&self, input: FitInput<'_>, params: &Params, _: Seed, _: &Ctx<'_>) -> Result<Fitted, Error> {
        let classes = Classes::new(&input)?;
        let n = classes.n_classes;
        let (bound, smoothing) = (params.real("bound"), params.real("smoothing"));
        let columns: Vec<TableColumn> = (0..input.encoders.len()).map(|f| column(&input, f, bound)).collect();
        let mut terms = Vec::with_capacity(columns.len());
        for (at, column) in columns.iter().enumerate() {
            let counts = classes.counts(column);
            let known = &counts[..counts.len() - n];
            let n_places = known.len() / n;
            let mut logs = vec![0.0; known.len()];
            for class in 0..n {
                let total: f64 = known.iter().skip(class).step_by(n).sum::<f64>() + 2.0 * smoothing;
                let share = |place: usize| {
                    let share = (known[place * n + class] + smoothing) / total.max(f64::MIN_POSITIVE);
                    share.clamp(1e-15, 1.0 - 1e-15)
                };
                // Numbers have one question, whether they are above; categories have one each.
                let asked = if column.own.is_some() { 1..n_places } else { 0..n_places };
                for place in 0..n_places {
                    let answer = |c: usize| if c == place { share(c) } else { 1.0 - share(c) };
                    logs[place * n + class] = asked.clone().map(|c| math::log(answer(c))).sum();
                }
            }
            terms.push(classes.term(at, &logs));
        }
        Ok(classes.fitted(columns, terms, params))
    }
}
