//! `random_fourier`: rows of numbers to random waves whose products are a Gaussian similarity.

use crate::error::Error;
use crate::nodes::{apply, matrix, missing_as_zero, side_by_side, with};
use crate::statistics::{deviation, mean};
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, Transform, TransformEntry};
use ir::digest::SplitMix64;
use ir::fixed::math;
use ir::op::{Arithmetic, Function, MatMul};
use ir::{GraphBuilder, Op, ValueIdx};
use params::{ParamSpec, Params, Range, Value};
use std::f64::consts::TAU;

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "random_fourier",
    doc: "rows of numbers to random waves whose products are a Gaussian similarity",
    takes: &[FeatureKind::Number],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &RandomFourier,
};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "features",
        aliases: &["n_components"],
        default: Value::Int(64),
        range: Range::Int { low: 1, high: 4096 },
        doc: "columns that are made of all",
    },
    GAMMA,
];

/// How fast similarity falls.
pub(crate) const GAMMA: ParamSpec = ParamSpec {
    name: "gamma",
    aliases: &[],
    default: Value::Real(0.0),
    range: Range::Real { low: 0.0, high: 1e6 },
    doc: "how fast similarity exp(-gamma distance^2) falls; 0 is 1 / number of columns",
};

/// `out[d] = sqrt(2 / features) cos(w_d . z + b_d)` of the standardized row `z`, `w_d` normal with variance
/// `2 gamma`, `b_d` uniform in `[0, 2 pi)`, from the seed: the product of two rows estimates
/// `exp(-gamma |z - z'|^2)`. A missing cell counts as the mean, and no cell as further from it than 1000
/// deviations. Columns that do not vary go on as they are. O(rows columns), and for each row O(columns features).
/// # Source  Rahimi & Recht, Random Features for Large-Scale Kernel Machines, NeurIPS 2007; scikit-learn's
/// `RBFSampler`, which does not standardize.
struct RandomFourier;

impl Transform for RandomFourier {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let standard = StandardRows::fit(input);
        let (uses, kept) = (standard.uses.clone(), standard.others.clone());
        if uses.is_empty() {
            return Ok(FittedStep { kept, groups: Vec::new() });
        }
        let n_features = usize::try_from(params.int("features")).unwrap_or(1);
        let scale = math::sqrt(2.0 * standard.gamma(params));
        let mut random = SplitMix64::new(input.seed.derive(ENTRY.name, 0).0);
        let mut weights = vec![0.0; uses.len() * n_features];
        let mut phases = Vec::with_capacity(n_features);
        for d in 0..n_features {
            for k in 0..uses.len() {
                weights[k * n_features + d] = scale * math::normal_quantile(unit(&mut random));
            }
            phases.push(TAU * unit(&mut random));
        }
        let names = (1..=n_features).map(|d| format!("random wave {d}")).collect();
        let group = Group::matrix(uses, names, Waves { standard, weights, phases });
        Ok(FittedStep { kept, groups: vec![group] })
    }
}

/// A random number between 0 and 1, neither of them.
pub(crate) fn unit(random: &mut SplitMix64) -> f64 {
    ((random.next_word() >> 12) as f64 + 0.5) / (1u64 << 52) as f64
}

struct Waves {
    standard: StandardRows,
    weights: Vec<f64>,
    phases: Vec<f64>,
}

impl Lower for Waves {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let z = self.standard.lower(builder, columns)?;
        let weights = matrix(builder, self.standard.uses.len(), self.weights.clone())?;
        let x = builder.node(Op::MatMul(MatMul), &[z, weights])?;
        let x = with(builder, Arithmetic::Add, x, &self.phases)?;
        let x = apply(builder, Function::Cos, x)?;
        with(builder, Arithmetic::Mul, x, &[math::sqrt(2.0 / self.phases.len() as f64)])
    }
}

/// Rows of the columns that vary, each of mean 0 and deviation 1.
pub(crate) struct StandardRows {
    /// The columns.
    pub(crate) uses: Vec<usize>,
    /// The other columns of the step.
    pub(crate) others: Vec<usize>,
    means: Vec<f64>,
    deviations: Vec<f64>,
}

/// Deviations beyond which a cell counts as no further.
const FAR: f64 = 1000.0;

impl StandardRows {
    pub(crate) fn fit(input: &StepInput<'_>) -> StandardRows {
        let mut rows =
            StandardRows { uses: Vec::new(), others: Vec::new(), means: Vec::new(), deviations: Vec::new() };
        for at in 0..input.columns.len() {
            let mut values = input.numbers(at);
            values.retain(|v| v.is_finite());
            let mean = mean(&values);
            let deviation = deviation(&values, mean);
            if deviation > 0.0 && deviation.is_finite() {
                rows.uses.push(at);
                rows.means.push(mean);
                rows.deviations.push(deviation);
            } else {
                rows.others.push(at);
            }
        }
        rows
    }

    /// The setting, or 1 / number of columns.
    pub(crate) fn gamma(&self, params: &Params) -> f64 {
        let given = params.real(GAMMA.name);
        if given > 0.0 { given } else { 1.0 / self.uses.len().max(1) as f64 }
    }

    /// `[N, columns]` of the graph.
    pub(crate) fn lower(
        &self,
        builder: &mut GraphBuilder,
        columns: &[ValueIdx],
    ) -> Result<ValueIdx, ir::Error> {
        let x = side_by_side(builder, columns)?;
        let x = with(builder, Arithmetic::Sub, x, &self.means)?;
        let x = with(builder, Arithmetic::Div, x, &self.deviations)?;
        let x = with(builder, Arithmetic::Max, x, &[-FAR])?;
        let x = with(builder, Arithmetic::Min, x, &[FAR])?;
        missing_as_zero(builder, x)
    }

    /// `[rows, columns]` of the training rows, as the graph gives them.
    pub(crate) fn rows(&self, input: &StepInput<'_>) -> Vec<f64> {
        let width = self.uses.len();
        let mut rows = vec![0.0; input.rows.len() * width];
        for (k, &at) in self.uses.iter().enumerate() {
            for (row, &v) in rows.chunks_exact_mut(width).zip(&input.numbers(at)) {
                let z = (v - self.means[k]) / self.deviations[k];
                row[k] = if z.is_nan() { 0.0 } else { z.clamp(-FAR, FAR) };
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::Table;
    use crate::laws::wine;

    /// Products of [`wine::ROWS`] with each other.
    fn products(made: &[Vec<f64>]) -> Vec<f64> {
        let product = |a: usize, b: usize| made.iter().map(|c| c[a] * c[b]).sum();
        wine::ROWS.iter().flat_map(|&a| wine::ROWS.map(|b| product(a, b))).collect()
    }

    #[test]
    fn products_are_the_similarity_of_scikit_learn() {
        // rbf_kernel(Z[rows], Z[rows], gamma=1/3), Z = StandardScaler().fit_transform(X).
        let expected = [
            [1.0, 0.05377532338653669, 0.059970417965017134, 0.09058884518497583],
            [0.05377532338653672, 1.0, 0.5981715415040925, 0.014079164695821302],
            [0.059970417965017134, 0.5981715415040925, 1.0, 0.03653243935985719],
            [0.09058884518497583, 0.014079164695821302, 0.03653243935985719, 1.0],
        ];
        let table = wine::table();
        let made = table.fit(&ENTRY, &[("features", "4096")]).run(&table);
        for (got, expected) in products(&made).iter().zip(expected.concat()) {
            // A mean of 4096 numbers of deviation at most 1.5: five of its deviations (seed 7).
            assert!((got - expected).abs() < 5.0 * 1.5 / 64.0, "{got} for {expected}");
        }
        // The first are those of a step that makes fewer, but for the scale; gamma is what it says.
        let few = table.fit(&ENTRY, &[("features", "1024"), ("gamma", "0.3333333333333333")]).run(&table);
        for (few, many) in few.iter().zip(&made) {
            wine::check_column(&few.iter().map(|v| v / 2.0).collect::<Vec<_>>(), many, 1e-14);
        }
    }

    #[test]
    fn missing_is_the_mean_and_nothing_is_missing() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let table = Table::numbers(&[("x", &[1.0, 5.0, nan, 3.0, inf, 1e300]), ("same", &[4.0; 6])]);
        let fitted = table.fit_with(
            &ENTRY,
            &[],
            &crate::laws::table::Fitting { rows: vec![0, 1, 2, 3], ..Default::default() },
        );
        let fitted = fitted.unwrap();
        assert_eq!(fitted.kept, ["same"]);
        for column in fitted.run(&table) {
            assert_eq!(column[2].to_bits(), column[3].to_bits(), "the mean is 3");
            assert_eq!(column[4].to_bits(), column[5].to_bits(), "both are far");
            assert!(column.iter().all(|v| v.abs() <= 0.177), "{column:?}");
        }
    }
}
