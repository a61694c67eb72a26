//! `splines`: a number to the values of B-splines over its range.

use crate::error::Error;
use crate::piecewise_linear::rising_quantiles;
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, Transform, TransformEntry};
use ir::op::BSpline;
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "splines",
    doc: "a number to the values of B-splines over its range",
    takes: &[FeatureKind::Number],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &Splines,
};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "knots",
        aliases: &["n_knots"],
        default: Value::Int(5),
        range: Range::Int { low: 2, high: 256 },
        doc: "places where the polynomials meet, both ends of the range among them",
    },
    ParamSpec {
        name: "degree",
        aliases: &[],
        default: Value::Int(3),
        range: Range::Int { low: 0, high: BSpline::MAX_DEGREE as i64 },
        doc: "degree of the polynomials",
    },
    ParamSpec {
        name: "place",
        aliases: &[],
        default: Value::Word("quantile"),
        range: Range::Words(&["quantile", "uniform"]),
        doc: "whether equally many training rows lie between two knots, or knots are equally far apart",
    },
];

/// The `knots + degree - 1` B-splines of the degree over knots from the smallest to the largest finite value, and
/// `degree` more on either side, as far apart as the two at that end. They sum to 1. Beyond the ends the
/// values stay those of the end. Missing gives missing in all columns. Equal quantiles are one knot (so there
/// are fewer columns). Columns without two different finite values go on as they are. O(rows log rows).
/// # Source  Eilers & Marx, Statistical Science 11(2), 1996; scikit-learn's `SplineTransformer` with
/// `extrapolation="constant"`; deviation: it keeps equal quantiles, and its default is `knots="uniform"`.
struct Splines;

impl Transform for Splines {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let n_knots = usize::try_from(params.int("knots")).unwrap_or(2);
        let degree = u8::try_from(params.int("degree")).unwrap_or(0);
        Ok(FittedStep::of_each(input, |at, name| {
            let sorted = input.sorted_finite(at);
            let base = match params.word("place") {
                "uniform" => even(&sorted, n_knots),
                _ => rising_quantiles(&sorted, n_knots - 1),
            };
            let knots = extended(&base, degree)?;
            let n = knots.len() - usize::from(degree) - 1;
            let names = (1..=n).map(|i| format!("spline {i} of \"{name}\"")).collect();
            Some(Group::matrix(vec![at], names, Basis { knots, op: BSpline { degree } }))
        }))
    }
}

/// `n` numbers from the first to the last of sorted ones, equally far apart.
fn even(sorted: &[f64], n: usize) -> Vec<f64> {
    let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    let step = (high - low) / (n - 1) as f64;
    (0..n).map(|i| if i == n - 1 { high } else { low + step * i as f64 }).collect()
}

/// The knots with those outside the range; `None` if that is not two or more finite, rising numbers.
fn extended(base: &[f64], degree: u8) -> Option<Vec<f64>> {
    let (&[low, second, ..], &[.., last_but_one, high]) = (base, base) else { return None };
    let (below, above) = (second - low, high - last_but_one);
    let before = (1..=degree).rev().map(|i| low - f64::from(i) * below);
    let behind = (1..=degree).map(|i| high + f64::from(i) * above);
    let knots: Vec<f64> = before.chain(base.iter().copied()).chain(behind).collect();
    // Neighbours that are few steps of a double apart, or ends beyond the doubles.
    let fits = knots.iter().all(|k| k.is_finite()) && knots.is_sorted_by(|a, b| a < b);
    fits.then_some(knots)
}

struct Basis {
    knots: Vec<f64>,
    op: BSpline,
}

impl Lower for Basis {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let knots = builder.constant(Tensor::vector(TensorData::F64(self.knots.clone())))?;
        builder.node(Op::BSpline(self.op), &[columns[0], knots])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::Table;
    use crate::laws::wine::{self, check_column};

    fn check(settings: &[(&str, &str)], expected: &[&[f64]]) {
        let table = Table::numbers(&[("malic_acid", &wine::column("malic_acid"))]);
        let fitted = table.fit(&ENTRY, settings);
        let made = fitted.run(&Table::numbers(&[("malic_acid", &[1.71, 0.94, 3.2, 5.8, 0.1, 9.0])]));
        assert_eq!(made.len(), expected[0].len(), "{:?}", fitted.names);
        for (i, made) in made.iter().enumerate() {
            let expected: Vec<f64> = expected.iter().map(|row| row[i]).collect();
            // 1e-13, because knots and polynomials are rounded otherwise.
            check_column(made, &expected, 1e-13);
        }
    }

    #[test]
    fn as_scikit_learn() {
        // SplineTransformer(n_knots=5, degree=3, knots="quantile").fit(malic_acid).transform(..).
        check(
            &[],
            &[
                &[
                    0.0,
                    0.006344627466640069,
                    0.5958272949512804,
                    0.3970662728521391,
                    0.0007618047299405231,
                    0.0,
                    0.0,
                ],
                &[
                    0.07553166985785272,
                    0.5283961644809863,
                    0.3925525214751905,
                    0.003519644185970571,
                    0.0,
                    0.0,
                    0.0,
                ],
                &[
                    0.0,
                    0.0,
                    0.0,
                    0.39157508389400025,
                    0.5338624841333404,
                    0.07454895930207403,
                    1.3472670585526778e-05,
                ],
                &[0.0, 0.0, 0.0, 0.0, 0.20424652386320932, 0.629086809470124, 0.16666666666666666],
                &[0.16666666666666666, 0.6163522012578616, 0.21698113207547165, 0.0, 0.0, 0.0, 0.0],
                &[0.0, 0.0, 0.0, 0.0, 0.20424652386320932, 0.629086809470124, 0.16666666666666666],
            ],
        );
        // SplineTransformer(n_knots=4, degree=2, knots="uniform").
        check(
            &[("n_knots", "4"), ("degree", "2"), ("place", "uniform")],
            &[
                &[0.09027050883469515, 0.7443601681013609, 0.16536932306394414, 0.0, 0.0],
                &[0.3884531862706807, 0.6045165523598244, 0.007030261369494912, 0.0, 0.0],
                &[0.0, 0.14661219516005555, 0.7482775859644737, 0.10511021887547067, 0.0],
                &[0.0, 0.0, 0.0, 0.5, 0.5],
                &[0.5, 0.5, 0.0, 0.0, 0.0],
                &[0.0, 0.0, 0.0, 0.5, 0.5],
            ],
        );
    }

    #[test]
    fn hand_computed() {
        // Degree 1 over the knots 0, 1, 4: hats. Missing and infinite cells do not move the knots.
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let table = Table::numbers(&[("x", &[0.0, 1.0, nan, 4.0, inf, 2.5, -inf])]);
        let fitted = table.fit(&ENTRY, &[("knots", "3"), ("degree", "1"), ("place", "uniform")]);
        let made = fitted.run(&table);
        let expected = [
            [1.0, 0.5, nan, 0.0, 0.0, 0.0, 1.0],
            [0.0, 0.5, nan, 0.0, 0.0, 0.75, 0.0],
            [0.0, 0.0, nan, 1.0, 1.0, 0.25, 0.0],
        ];
        assert_eq!(made.len(), 3);
        made.iter().zip(&expected).for_each(|(made, expected)| check_column(made, expected, 0.0));
        // Quantiles 0, 0, 0, 0, 5: two knots.
        let table = Table::numbers(&[("x", &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0])]);
        assert_eq!(table.fit(&ENTRY, &[("degree", "1"), ("knots", "5")]).names.len(), 2 + 1 - 1);
        let odd =
            Table::numbers(&[("same", &[2.0; 3]), ("none", &[nan; 3]), ("wide", &[1e308, -1e308, 0.0])]);
        for place in ["quantile", "uniform"] {
            assert_eq!(odd.fit(&ENTRY, &[("place", place)]).kept, ["same", "none", "wide"], "{place}");
        }
    }
}
