//! `clip_outliers`: numbers far from the rest are moved to the edge of the rest.

use crate::error::Error;
use crate::nodes::scalar;
use crate::statistics::{mean, median, quantile};
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, Transform, TransformEntry};
use ir::op::Arithmetic;
use ir::{GraphBuilder, Op, ValueIdx};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "clip_outliers",
    doc: "numbers far from the rest are moved to the edge of the rest",
    takes: &[FeatureKind::Number],
    sees_target: false,
    cleans: true,
    spec: SPEC,
    transform: &ClipOutliers,
};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "how",
        aliases: &["method"],
        default: Value::Word("quantile"),
        range: Range::Words(&["quantile", "mad"]),
        doc: "edges at two quantiles, or at a number of median absolute deviations from the median",
    },
    ParamSpec {
        name: "low",
        aliases: &[],
        default: Value::Real(0.005),
        range: Range::Real { low: 0.0, high: 0.5 },
        doc: "quantile of the lower edge; only with how=quantile",
    },
    ParamSpec {
        name: "high",
        aliases: &[],
        default: Value::Real(0.995),
        range: Range::Real { low: 0.5, high: 1.0 },
        doc: "quantile of the upper edge; only with how=quantile",
    },
    ParamSpec {
        name: "factor",
        aliases: &[],
        default: Value::Real(5.0),
        range: Range::Real { low: 0.1, high: 1000.0 },
        doc: "distance of the edges from the median, in deviations; only with how=mad",
    },
];

/// The deviation of a normal distribution over its median and over its mean absolute deviation.
const OF_MEDIAN: f64 = 1.4826;
const OF_MEAN: f64 = 1.253_314;

/// `min(max(x, low), high)`. Edges over the finite values: the quantiles `low` and `high`, linear between
/// neighbours; or `median -+ factor * 1.4826 * median |x - median|`, with `1.2533 * mean |x - median|` where
/// more than half of the values are equal. Missing stays missing, infinities are moved to the edges. A column
/// whose edges are equal would become constant: it goes on as it is. O(rows log rows).
/// # Source  Dixon 1960 (winsorizing); Iglewicz & Hoaglin, How to Detect and Handle Outliers, 1993.
struct ClipOutliers;

impl Transform for ClipOutliers {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        Ok(FittedStep::of_each(input, |at, name| {
            let sorted = input.sorted_finite(at);
            let (low, high) = match params.word("how") {
                "mad" => around_median(&sorted, params.real("factor"))?,
                _ => (quantile(&sorted, params.real("low"))?, quantile(&sorted, params.real("high"))?),
            };
            (low < high).then(|| Group::number(vec![at], name.to_owned(), Clip { low, high }))
        }))
    }
}

fn around_median(sorted: &[f64], factor: f64) -> Option<(f64, f64)> {
    let middle = median(sorted)?;
    let mut distances: Vec<f64> = sorted.iter().map(|v| (v - middle).abs()).collect();
    distances.sort_by(f64::total_cmp);
    let deviation = match median(&distances)? {
        0.0 => OF_MEAN * mean(&distances),
        distance => OF_MEDIAN * distance,
    };
    let (low, high) = (middle - factor * deviation, middle + factor * deviation);
    // Edges that are no doubles clip nothing finite.
    (low.is_finite() || high.is_finite()).then_some((low.max(f64::MIN), high.min(f64::MAX)))
}

struct Clip {
    low: f64,
    high: f64,
}

impl Lower for Clip {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let (low, high) = (scalar(builder, self.low)?, scalar(builder, self.high)?);
        let above = builder.node(Op::Arithmetic(Arithmetic::Max), &[columns[0], low])?;
        builder.node(Op::Arithmetic(Arithmetic::Min), &[above, high])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::Table;
    use crate::laws::wine;

    #[test]
    fn hand_computed() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let table = Table::numbers(&[
            ("x", &[1.0, 2.0, 3.0, 4.0, 100.0, nan, inf, -inf]),
            ("flag", &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 8.0]),
            ("same", &[7.0; 8]),
            ("none", &[nan; 8]),
        ]);
        let quantiles = table.fit(&ENTRY, &[("low", "0.25"), ("high", "0.75")]);
        assert_eq!(quantiles.kept, ["flag", "same", "none"]);
        let expected = [2.0, 2.0, 3.0, 4.0, 4.0, nan, 4.0, 2.0];
        wine::check_column(&quantiles.column(&table, "x"), &expected, 0.0);
        // Median 3, distances 2, 1, 0, 1, 97: their median is 1. Of the flag the mean distance is 1.
        let deviations = table.fit(&ENTRY, &[("how", "mad"), ("factor", "2")]);
        assert_eq!(deviations.kept, ["same", "none"]);
        let (low, high) = (3.0 - 2.9652, 3.0 + 2.9652);
        let expected = [1.0, 2.0, 3.0, 4.0, high, nan, high, low];
        wine::check_column(&deviations.column(&table, "x"), &expected, 1e-15);
        let expected = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.506_628];
        wine::check_column(&deviations.column(&table, "flag"), &expected, 1e-15);
    }

    #[test]
    fn as_numpy_and_scipy() {
        let table = wine::table();
        let ends = |settings: &[(&str, &str)]| {
            let made = table.fit(&ENTRY, settings).run(&table);
            let least = made.iter().map(|c| c.iter().copied().fold(f64::INFINITY, f64::min));
            let most = made.iter().map(|c| c.iter().copied().fold(-f64::INFINITY, f64::max));
            (least.collect::<Vec<_>>(), most.collect::<Vec<_>>())
        };
        // numpy.quantile(X, [0.005, 0.995], axis=0).
        let (least, most) = ends(&[]);
        wine::check_column(&least, &[11.3663, 0.87275, 288.62], 1e-14);
        wine::check_column(&most, &[14.7592, 5.667250000000002, 1562.2950000000012], 1e-14);
        // numpy.median(X, axis=0) and scipy.stats.median_abs_deviation(X, axis=0).
        let median = [13.05, 1.8650000000000002, 673.5];
        let distance = [0.6800000000000006, 0.52, 202.5];
        let edge = |sign: f64| -> Vec<f64> {
            median.iter().zip(distance).map(|(m, d)| m + sign * 1.4826 * d).collect()
        };
        let (least, most) = ends(&[("how", "mad"), ("factor", "1")]);
        wine::check_column(&least, &edge(-1.0), 1e-14);
        wine::check_column(&most, &edge(1.0), 1e-14);
    }
}
