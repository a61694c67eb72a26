//! `quantile_normal`: numbers to their rank, and that to a normal distribution.

use crate::error::Error;
use crate::nodes::scalar;
use crate::statistics::{has_range, quantile_of};
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, Transform, TransformEntry};
use ir::op::{Arithmetic, Function, Interpolate};
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "quantile_normal",
    doc: "numbers to their rank among the training rows, as a normal or a uniform distribution",
    takes: &[FeatureKind::Number],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &QuantileNormal,
};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "output",
        aliases: &["output_distribution"],
        default: Value::Word("normal"),
        range: Range::Words(&["normal", "uniform"]),
        doc: "the distribution that the training rows get",
    },
    ParamSpec {
        name: "n_quantiles",
        aliases: &[],
        default: Value::Int(1000),
        range: Range::Int { low: 2, high: 10_000 },
        doc: "most quantiles that a column is described by; the file holds each",
    },
];

/// Ranks nearer to 0 and 1 than this give the normal value of it: -5.1993 and 5.1993.
const NEAREST: f64 = 1e-7 - f64::EPSILON;

/// `p = F(x)`, `F` piecewise linear through the quantiles of the finite values; a value on which several
/// quantiles fall gets the middle of their ranks, the smallest value and below 0, the largest and above 1.
/// Then `p`, or the `z` with `P(Z <= z) = p` for a standard normal `Z`, `p` within 1e-7 of 0 and 1 cut off.
/// Missing stays missing, infinities are the ends. A column without two values, or whose range is no double,
/// goes on as it is. O(rows log rows).
/// # Source  scikit-learn's `QuantileTransformer`; deviations: all rows are used, not a sample of 10,000;
/// quantiles fall on values exactly, where scikit-learn's may miss an equal value by a rounding; only values at
/// or beyond the ends are the ends, not what lies within 1e-7 of them, so units do not matter.
struct QuantileNormal;

impl Transform for QuantileNormal {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let most = usize::try_from(params.int("n_quantiles")).unwrap_or(2);
        let normal = params.word("output") == "normal";
        Ok(FittedStep::of_each(input, |at, name| {
            let sorted = input.sorted_finite(at);
            has_range(&sorted).then(|| {
                let (knots, values) = ranks(&sorted, most.min(sorted.len()));
                Group::number(vec![at], name.to_owned(), Ranked { knots, values, normal })
            })
        }))
    }
}

/// Knots and values of the function from numbers to ranks, for `n` quantiles, 2 or more.
fn ranks(sorted: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let last = n - 1;
    let quantiles: Vec<f64> = (0..n).filter_map(|i| quantile_of(sorted, i, last)).collect();
    let rank = |i: usize| i as f64 / last as f64;
    let (mut knots, mut values): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut first = 0;
    for run in quantiles.chunk_by(|a, b| a == b) {
        let end = first + run.len() - 1;
        let next = quantiles.get(end + 1).copied();
        // The lines to both sides start from the ranks of the ends of the run, one step of a double beside it.
        let x = run[0];
        let (below, above) = (x.next_down(), x.next_up());
        if run.len() > 1 && first > 0 && knots.last().is_some_and(|&k| k < below) {
            knots.push(below);
            values.push(rank(first));
        }
        // Adding 0 makes -0 a plain 0.
        knots.push(x + 0.0);
        values.push(match (first, end) {
            (0, _) => 0.0,
            (_, end) if end == last => 1.0,
            (first, end) => (rank(first) + rank(end)) / 2.0,
        });
        if run.len() > 1 && next.is_some_and(|next| above < next) {
            knots.push(above);
            values.push(rank(end));
        }
        first = end + 1;
    }
    (knots, values)
}

struct Ranked {
    knots: Vec<f64>,
    values: Vec<f64>,
    normal: bool,
}

impl Lower for Ranked {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let knots = builder.constant(Tensor::vector(TensorData::F64(self.knots.clone())))?;
        let values = builder.constant(Tensor::vector(TensorData::F64(self.values.clone())))?;
        let rank = builder.node(Op::Interpolate(Interpolate), &[columns[0], knots, values])?;
        if !self.normal {
            return Ok(rank);
        }
        let (low, high) = (scalar(builder, NEAREST)?, scalar(builder, 1.0 - NEAREST)?);
        let rank = builder.node(Op::Arithmetic(Arithmetic::Max), &[rank, low])?;
        let rank = builder.node(Op::Arithmetic(Arithmetic::Min), &[rank, high])?;
        builder.node(Op::Function(Function::NormalQuantile), &[rank])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::{Fitting, Table};
    use crate::laws::wine;

    #[test]
    fn hand_computed() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        // Learnt from 1, 2, 2, 2, 4, 8 and 8, of ranks 0, 1/6, .. 1; the rest are new rows.
        let x = [1.0, 2.0, 2.0, 2.0, 4.0, 8.0, 8.0, nan, inf, -inf, 1.5, 3.0, 6.0, 0.0, 9.0];
        let same = [7.0; 15];
        let table = Table::numbers(&[("x", &x), ("same", &same), ("none", &[nan; 15])]);
        let fitting = Fitting { rows: (0..9).collect(), ..Fitting::default() };
        let fitted = table.fit_with(&ENTRY, &[("output", "uniform")], &fitting).unwrap();
        assert_eq!(fitted.kept, ["same", "none"]);
        let s = 1.0 / 6.0;
        let expected = [
            0.0,
            2.0 * s,
            2.0 * s,
            2.0 * s,
            4.0 * s,
            1.0,
            1.0,
            nan,
            1.0,
            0.0,
            0.5 * s,
            3.5 * s,
            4.5 * s,
            0.0,
            1.0,
        ];
        wine::check_column(&fitted.column(&table, "x"), &expected, 1e-15);
    }

    /// Many equal values at both ends and in the middle, neighbours of zero among them.
    #[test]
    fn knots_rise_where_values_are_equal() {
        let tiny = f64::from_bits(1);
        for sorted in [
            vec![0.0, 0.0, 0.0, tiny, tiny, 1.0, 1.0],
            vec![-tiny, -tiny, -0.0, 0.0, 0.0, tiny, 2.0 * tiny],
            vec![1.0, 1.0, 1.0 + f64::EPSILON, 1.0 + f64::EPSILON, 1.0 + 2.0 * f64::EPSILON],
        ] {
            for n in 2..=sorted.len() {
                let (knots, values) = ranks(&sorted, n);
                assert!(knots.is_sorted_by(|a, b| a < b), "{sorted:?}: {knots:?}");
                assert!(values.is_sorted() && values.len() == knots.len(), "{sorted:?}: {values:?}");
                assert_eq!((values[0], values[values.len() - 1]), (0.0, 1.0));
            }
        }
    }

    #[test]
    fn as_scikit_learn() {
        // QuantileTransformer(output_distribution=output, n_quantiles=n).fit_transform(X)[[0, 59, 100, 177]].
        let normal_10 = [
            [1.3621195066397442, -0.3113223796441413, 0.8309835789697559],
            [-0.6406668899191053, -1.7460165226992133, -0.6142124306429961],
            [-1.0724345328971705, 0.1906022729274859, 0.16991197283324513],
            [1.2758170414017849, 1.2838917117288187, -0.43072729929545717],
        ];
        wine::check(&ENTRY, &[("n_quantiles", "10")], &normal_10, 1e-12);
        let uniform_10 = [
            [0.9134199134199134, 0.37777777777777777, 0.7970085470085471],
            [0.26086956521739124, 0.04040404040404039, 0.26953748006379596],
            [0.14176245210727978, 0.5755813953488372, 0.5674603174603174],
            [0.898989898989899, 0.9004100761570005, 0.3333333333333335],
        ];
        wine::check(&ENTRY, &[("n_quantiles", "10"), ("output", "uniform")], &uniform_10, 1e-12);
        let uniform = [
            [0.9548022598870056, 0.364406779661017, 0.8220338983050848],
            [0.268361581920904, 0.025423728813559324, 0.2966101694915254],
            [0.14689265536723162, 0.5875706214689266, 0.5649717514124294],
            [0.9152542372881356, 0.9152542372881356, 0.3389830508474576],
        ];
        // Abs { eps: half a rank, because: scikit-learn's quantiles miss some equal values by a rounding }
        wine::check(&ENTRY, &[("output", "uniform")], &uniform, 0.5001 / 177.0);
    }

    /// With a quantile for each row, the middle of the ranks of equal values, to the last digits.
    #[test]
    fn ranks_are_counted() {
        let table = wine::table();
        let made = table.fit(&ENTRY, &[("output", "uniform")]).run(&table);
        for (name, made) in wine::NAMES.into_iter().zip(&made) {
            let column = wine::column(name);
            let expected = column.iter().map(|x| {
                let below = column.iter().filter(|y| *y < x).count();
                let upto = column.iter().filter(|y| *y <= x).count() - 1;
                match (below, upto) {
                    (0, _) => 0.0,
                    (_, 177) => 1.0,
                    _ => (below + upto) as f64 / 354.0,
                }
            });
            wine::check_column(made, &expected.collect::<Vec<_>>(), 1e-15);
        }
    }

    #[test]
    fn rows_beyond_the_training_rows_as_in_scikit_learn() {
        let new = Table::numbers(&[
            ("alcohol", &[13.012, 10.0, 20.0]),
            ("malic_acid", &[2.0, 0.0, 10.0]),
            ("proline", &[700.0, 0.0, 5000.0]),
        ]);
        let made = wine::table().fit(&ENTRY, &[]).run(&new);
        // QuantileTransformer(output_distribution="normal").fit(X).transform(new).
        let expected = [-0.041789297816453526, 0.15402572264005007, 0.15402572264005007];
        for (column, first) in made.iter().zip(expected) {
            wine::check_column(column, &[first, -5.199337582605575, 5.19933758270342], 1e-9);
        }
    }
}
