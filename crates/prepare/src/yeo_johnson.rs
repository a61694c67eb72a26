//! `yeo_johnson`: the power of numbers that makes them most like a normal distribution.

use crate::error::Error;
use crate::log::log_of_one_and_size;
use crate::nodes::{scalar, shift_and_divide};
use crate::statistics::{deviation, mean};
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, Transform, TransformEntry};
use ir::fixed::math;
use ir::op::{Arithmetic, Comparison, Function, Where};
use ir::{GraphBuilder, Op, ValueIdx};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "yeo_johnson",
    doc: "the power of numbers that makes them most like a normal distribution",
    takes: &[FeatureKind::Number],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &YeoJohnson,
};

const SPEC: &[ParamSpec] = &[ParamSpec {
    name: "standardize",
    aliases: &[],
    default: Value::Word("yes"),
    range: Range::Words(&["yes", "no"]),
    doc: "whether mean 0 and deviation 1 are made after the power",
}];

/// With `s(l, u) = ((1 + u)^l - 1) / l`, and `log(1 + u)` for `l = 0`: `s(lambda, x)` for `x >= 0`, else
/// `-s(2 - lambda, -x)`. `lambda` maximises the likelihood `-n/2 log(variance) + (lambda - 1) sum sign(x)
/// log(1 + |x|)` of the finite values, whose negative is strictly convex: golden section. Then the mean is
/// taken off and the deviation divided out. Missing stays missing, infinities stay, or become the limit of a
/// power that has one. A constant column, and one whose values are all below 1e-6 in size, has lambda 1.
/// 45 passes over the rows.
/// # Source  Yeo & Johnson, Biometrika 87, 2000; convexity: Marchand et al., NeurIPS 2022; scikit-learn's
/// `PowerTransformer`; deviations: lambda lies within -8 and 8; one that makes values larger keeps them within
/// e^300; where all values lie on one side of 0, at least 10 digits of their differences are kept.
struct YeoJohnson;

impl Transform for YeoJohnson {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let standardize = params.word("standardize") == "yes";
        let parts = input.threads.map(input.columns.len(), |at| {
            let mut values = input.numbers(at);
            values.retain(|v| v.is_finite());
            let lambda = most_likely(&values);
            let made: Vec<f64> = values.iter().map(|&x| power(x, lambda)).collect();
            let mean = mean(&made);
            let deviation = deviation(&made, mean);
            let scale = standardize.then_some((mean, if deviation > 0.0 { deviation } else { 1.0 }));
            Power { lambda, scale }
        });
        let mut step = FittedStep::default();
        for (at, (column, part)) in input.columns.iter().zip(parts).enumerate() {
            if part.lambda == 1.0 && part.scale.is_none_or(|s| s == (0.0, 1.0)) {
                step.kept.push(at);
            } else {
                step.groups.push(Group::number(vec![at], column.name.to_owned(), part));
            }
        }
        Ok(step)
    }
}

/// Values all below it are their own logarithms: any lambda makes the same of them.
const TINY: f64 = 1e-6;
/// Bounds of lambda itself, of the exponent of the largest value, and of that of the value nearest to 0.
const MOST: f64 = 8.0;
const MOST_EXPONENT: f64 = 300.0;
const LEAST_EXPONENT: f64 = -13.0;
/// Exponents nearer to 0 are 0: the logarithm.
const NEAR: f64 = 1e-5;
/// The golden section, and how often it cuts: to 16 * 0.618^45, less than 1e-8.
const GOLDEN: f64 = 0.618_033_988_749_894_9;
const N_CUTS: usize = 45;

/// The lambda of the largest likelihood; 1 where any would do.
fn most_likely(values: &[f64]) -> f64 {
    let size = |v: &f64| v.abs();
    let most = values.iter().map(size).fold(0.0, f64::max);
    if most < TINY || values.iter().all(|&v| v == values[0]) {
        return 1.0;
    }
    let logs: Vec<f64> = values.iter().map(|v| math::log(1.0 + v.abs()).copysign(*v)).collect();
    let (low, high) = bounds(&logs);
    let sum: f64 = logs.iter().sum();
    let n = logs.len() as f64;
    let mut made = vec![0.0; logs.len()];
    let mut likelihood = |lambda: f64| {
        made.iter_mut().zip(&logs).for_each(|(m, &l)| *m = power_of_log(l, lambda));
        let deviation = deviation(&made, mean(&made));
        if deviation > 0.0 { (lambda - 1.0) * sum - n * math::log(deviation) } else { f64::NEG_INFINITY }
    };
    let lambda = maximum(low, high, &mut likelihood);
    // No power unless it is better than none.
    if likelihood(lambda) > likelihood(1.0) { snapped(lambda) } else { 1.0 }
}

/// Between what lambda may lie for these signed logarithms; 1 is always within.
fn bounds(logs: &[f64]) -> (f64, f64) {
    let side = |sign: f64| {
        let mut sizes = logs.iter().map(|l| sign * l).filter(|l| *l > 0.0);
        let first = sizes.next()?;
        let widen = |(low, high): (f64, f64), l: f64| {
            (if l < low { l } else { low }, if l > high { l } else { high })
        };
        Some(sizes.fold((first, first), widen))
    };
    // Bounds of the exponent of a side, whose values need not all lie on it.
    let exponent = |(near, far): (f64, f64), alone: bool| {
        let low = if alone { LEAST_EXPONENT / near } else { -MOST };
        (low, MOST_EXPONENT / far)
    };
    let (mut low, mut high) = (-MOST, MOST);
    let (right, left) = (side(1.0), side(-1.0));
    let alone = |other: Option<(f64, f64)>| other.is_none() && logs.iter().all(|l| *l != 0.0);
    if let Some(right) = right {
        let (least, most) = exponent(right, alone(left));
        (low, high) = (low.max(least), high.min(most));
    }
    if let Some(left) = left {
        // The exponent of the left side is 2 - lambda.
        let (least, most) = exponent(left, alone(right));
        (low, high) = (low.max(2.0 - most), high.min(2.0 - least));
    }
    (low.min(1.0), high.max(1.0))
}

/// Where a function that rises and then falls is largest, by golden section.
fn maximum(mut low: f64, mut high: f64, f: &mut impl FnMut(f64) -> f64) -> f64 {
    let (mut a, mut b) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let (mut f_a, mut f_b) = (f(a), f(b));
    for _ in 0..N_CUTS {
        if f_a >= f_b {
            (high, b, f_b) = (b, a, f_a);
            a = high - GOLDEN * (high - low);
            f_a = f(a);
        } else {
            (low, a, f_a) = (a, b, f_b);
            b = low + GOLDEN * (high - low);
            f_b = f(b);
        }
    }
    (low + high) / 2.0
}

/// Lambda, with exponents near 0 made 0.
fn snapped(lambda: f64) -> f64 {
    if lambda.abs() < NEAR {
        0.0
    } else if (lambda - 2.0).abs() < NEAR {
        2.0
    } else {
        lambda
    }
}

/// What the nodes give for a number.
fn power(x: f64, lambda: f64) -> f64 {
    if lambda == 1.0 { x } else { power_of_log(math::log(1.0 + x.abs()).copysign(x), lambda) }
}

/// `s(lambda, x)`, or `-s(2 - lambda, -x)`, of the signed logarithm of `1 + |x|`.
fn power_of_log(log: f64, lambda: f64) -> f64 {
    let exponent = if log >= 0.0 { lambda } else { 2.0 - lambda };
    let size =
        if exponent.abs() < NEAR { log.abs() } else { (math::exp(exponent * log.abs()) - 1.0) / exponent };
    if log >= 0.0 { size } else { -size }
}

struct Power {
    lambda: f64,
    /// Mean and deviation to take off and divide out.
    scale: Option<(f64, f64)>,
}

impl Power {
    /// `s(exponent, |x|)` of `log(1 + |x|)`.
    fn side(builder: &mut GraphBuilder, log: ValueIdx, exponent: f64) -> Result<ValueIdx, ir::Error> {
        if exponent == 0.0 {
            return Ok(log);
        }
        let by = scalar(builder, exponent)?;
        let one = scalar(builder, 1.0)?;
        let power = builder.node(Op::Arithmetic(Arithmetic::Mul), &[log, by])?;
        let power = builder.node(Op::Function(Function::Exp), &[power])?;
        let above = builder.node(Op::Arithmetic(Arithmetic::Sub), &[power, one])?;
        builder.node(Op::Arithmetic(Arithmetic::Div), &[above, by])
    }
}

impl Lower for Power {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let mut made = columns[0];
        if self.lambda != 1.0 {
            let log = log_of_one_and_size(builder, columns[0])?;
            let right = Power::side(builder, log, self.lambda)?;
            let left = Power::side(builder, log, 2.0 - self.lambda)?;
            let left = builder.node(Op::Function(Function::Neg), &[left])?;
            let zero = scalar(builder, 0.0)?;
            let is_left = builder.node(Op::Comparison(Comparison::Less), &[columns[0], zero])?;
            made = builder.node(Op::Where(Where), &[is_left, left, right])?;
        }
        match self.scale {
            Some((mean, deviation)) => shift_and_divide(builder, made, mean, deviation),
            None => Ok(made),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::Table;
    use crate::laws::wine;

    #[test]
    fn powers_by_hand() {
        let e = std::f64::consts::E;
        for (x, lambda, expected) in [
            (3.0, 2.0, 7.5),
            (-3.0, 2.0, -(4.0f64.ln())),
            (3.0, 0.0, 4.0f64.ln()),
            (-3.0, 0.0, -7.5),
            (e - 1.0, -1.0, 1.0 - 1.0 / e),
            (-2.0, 1.0, -2.0),
            (-2.0, 3.0, -(2.0 / 3.0)),
            (0.0, -1.5, 0.0),
        ] {
            let got = power(x, lambda);
            assert!((got - expected).abs() <= 1e-15 * expected.abs(), "{x} {lambda}: {got} for {expected}");
        }
    }

    /// Columns on which a power without bounds has no doubles.
    #[test]
    fn extreme_columns_stay_finite_and_apart() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let columns: [[f64; 8]; 8] = [
            [1e308, 1e300, 1.0, 2.0, 5.0, 1e10, 0.0, nan],
            [-1e308, -1e300, -1.0, -2.0, 1e308, 1e10, 0.0, nan],
            // Skewed to the left far from 0: a very high power would be likeliest.
            [2000.0, 2001.0, 2001.5, 2001.6, 2001.7, 2001.8, 2001.85, nan],
            [-2000.0, -2001.0, -2001.5, -2001.6, -2001.7, -2001.8, -2001.85, nan],
            // Skewed to the right: a very low one.
            [2000.0, 2000.01, 2000.02, 2000.03, 2000.1, 2000.5, 2001.0, nan],
            [1e-9, 2e-9, -3e-9, 4e-9, 1e-8, 5e-9, 0.0, nan],
            [1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 2e6, nan],
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1e9, inf],
        ];
        for column in columns {
            let table = Table::numbers(&[("x", &column)]);
            let made = table.fit(&ENTRY, &[]).column(&table, "x");
            for (&x, &y) in column.iter().zip(&made) {
                assert!(
                    if x.is_finite() { y.is_finite() } else { y.is_nan() || y > 0.0 },
                    "{column:?}: {made:?}"
                );
            }
            let mut order: Vec<usize> = (0..7).collect();
            order.sort_by(|&a, &b| column[a].total_cmp(&column[b]));
            // Beside 1e308, the difference of 1 and 2 is below a rounding of the scaled values.
            let apart = !column.contains(&1e308);
            for pair in order.windows(2).filter(|p| column[p[0]] < column[p[1]]) {
                let (a, b) = (made[pair[0]], made[pair[1]]);
                assert!(if apart { a < b } else { a <= b }, "{column:?}: {made:?}");
            }
            let finite: Vec<f64> = made[..7].to_vec();
            let (m, d) = (mean(&finite), deviation(&finite, mean(&finite)));
            assert!(m.abs() < 1e-5 && (d - 1.0).abs() < 1e-5, "{column:?}: {m} {d}");
        }
    }

    #[test]
    fn bounds_of_lambda() {
        let near = |got: (f64, f64), expected: (f64, f64)| {
            assert!((got.0 - expected.0).abs() < 1e-12 && (got.1 - expected.1).abs() < 1e-12, "{got:?}");
        };
        near(bounds(&[0.5, 3.0, 0.0]), (-8.0, 8.0));
        // Values far from 0: 300 / 150 and -13 / 6.5, mirrored about 1 on the left side.
        near(bounds(&[6.5, 150.0]), (-2.0, 2.0));
        near(bounds(&[-6.5, -150.0]), (0.0, 4.0));
        near(bounds(&[6.5, 150.0, 0.0]), (-8.0, 2.0));
        near(bounds(&[150.0, -200.0]), (0.5, 2.0));
        // 1 changes nothing, so it is always allowed.
        near(bounds(&[709.0, -709.0]), (1.0, 1.0));
    }

    #[test]
    fn constant_and_empty_columns() {
        let nan = f64::NAN;
        let table = Table::numbers(&[("same", &[4.0, 4.0, nan]), ("none", &[nan; 3])]);
        let fitted = table.fit(&ENTRY, &[]);
        wine::check_column(&fitted.column(&table, "same"), &[0.0, 0.0, nan], 0.0);
        assert_eq!(fitted.kept, ["none"]);
        assert_eq!(table.fit(&ENTRY, &[("standardize", "no")]).kept, ["same", "none"]);
    }

    #[test]
    fn as_scikit_learn() {
        // PowerTransformer().fit(X).lambdas_; its search stops at 1e-8 of lambda, ours earlier than that.
        let lambdas = [1.2963805006686824, -0.8515543746679147, -0.1048133655610117];
        for (name, expected) in wine::NAMES.into_iter().zip(lambdas) {
            let lambda = most_likely(&wine::column(name));
            // Abs { eps: 1e-6, because: the likelihood is flat at its top to 1e-13 of itself }
            assert!((lambda - expected).abs() < 1e-6, "{name}: {lambda} for {expected}");
        }
        // PowerTransformer(standardize=standardize).fit_transform(X)[[0, 59, 100, 177]].
        let standardized = [
            [1.5303877723412305, -0.43546273895278703, 1.0625412870086872],
            [-0.7828106188508367, -1.9186341012725063, -0.6568550397912294],
            [-1.135263261256765, 0.029616412502084858, 0.10574949597734656],
            [1.4037828679467543, 1.4398088344880478, -0.4731661242941547],
        ];
        wine::check(&ENTRY, &[], &standardized, 1e-6);
        let raw = [
            [25.56139498748453, 0.6718755943487961, 4.946313927308722],
            [21.470031102366555, 0.5064272070283629, 4.588291407423173],
            [20.84664660675012, 0.7237553686887062, 4.747085277874303],
            [25.33746835175337, 0.8810629246168115, 4.626540162161242],
        ];
        wine::check(&ENTRY, &[("standardize", "no")], &raw, 1e-5);
    }

    #[test]
    fn both_signs_as_scikit_learn() {
        let columns = wine::NAMES.map(|name| {
            let column = wine::column(name);
            let mean = mean(&column);
            column.iter().map(|v| v - mean).collect::<Vec<f64>>()
        });
        // PowerTransformer().fit(X - X.mean(axis=0)).lambdas_.
        for (column, expected) in columns.iter().zip([1.04846614347, 0.1613095065236254, 0.9252139005234569])
        {
            let lambda = most_likely(column);
            assert!((lambda - expected).abs() < 1e-6, "{lambda} for {expected}");
        }
    }
}
