//! `piecewise_linear`: a number to how far it has come through each of its quantile bins.

use crate::error::Error;
use crate::nodes::{side_by_side, with};
use crate::statistics::quantile_of;
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, Transform, TransformEntry};
use ir::op::Arithmetic;
use ir::{GraphBuilder, ValueIdx};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "piecewise_linear",
    doc: "a number to how far it has come through each of its quantile bins",
    takes: &[FeatureKind::Number],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &PiecewiseLinear,
};

const SPEC: &[ParamSpec] = &[ParamSpec {
    name: "bins",
    aliases: &["n_bins"],
    default: Value::Int(8),
    range: Range::Int { low: 1, high: 256 },
    doc: "bins of equally many training rows, and columns made of one; fewer where quantiles are equal",
}];

/// `out[t] = clip((x - b_{t-1}) / (b_t - b_{t-1}), 0, 1)` for the quantiles `b_0 < b_1 < ..` of the finite values;
/// the first is not clipped below, the last not above, so that numbers outside the training rows can be told
/// apart. Missing gives missing in all columns. Columns without two different finite values go on as they are.
/// O(rows log rows).
/// # Source  Gorishniy et al., On Embeddings for Numerical Features in Tabular Deep Learning, NeurIPS 2022,
/// section 3.2.1.
struct PiecewiseLinear;

impl Transform for PiecewiseLinear {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let n_bins = usize::try_from(params.int("bins")).unwrap_or(1);
        Ok(FittedStep::of_each(input, |at, name| {
            let edges = rising_quantiles(&input.sorted_finite(at), n_bins);
            let widths: Vec<f64> = edges.windows(2).map(|e| e[1] - e[0]).collect();
            if widths.is_empty() || widths.iter().any(|w| !w.is_finite()) {
                return None;
            }
            let lows = edges[..widths.len()].to_vec();
            let names = (1..=widths.len()).map(|t| format!("piece {t} of \"{name}\"")).collect();
            Some(Group::matrix(vec![at], names, Pieces { lows, widths }))
        }))
    }
}

/// The quantiles `0/n, 1/n, .. n/n` of sorted numbers, each once.
pub(crate) fn rising_quantiles(sorted: &[f64], n: usize) -> Vec<f64> {
    let mut edges: Vec<f64> = Vec::with_capacity(n + 1);
    for edge in (0..=n).filter_map(|t| quantile_of(sorted, t, n)) {
        if edges.last().is_none_or(|&last| edge > last) {
            edges.push(edge);
        }
    }
    edges
}

struct Pieces {
    lows: Vec<f64>,
    widths: Vec<f64>,
}

impl Lower for Pieces {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let last = self.widths.len() - 1;
        let at_least: Vec<f64> = (0..=last).map(|t| if t == 0 { f64::NEG_INFINITY } else { 0.0 }).collect();
        let at_most: Vec<f64> = (0..=last).map(|t| if t == last { f64::INFINITY } else { 1.0 }).collect();
        let x = side_by_side(builder, columns)?;
        let x = with(builder, Arithmetic::Sub, x, &self.lows)?;
        let x = with(builder, Arithmetic::Div, x, &self.widths)?;
        let x = with(builder, Arithmetic::Max, x, &at_least)?;
        with(builder, Arithmetic::Min, x, &at_most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::Table;
    use crate::laws::wine::{self, check_column};

    const INF: f64 = f64::INFINITY;

    #[test]
    fn hand_computed() {
        // Quantiles of four bins: 0, 1, 2, 4, 8.
        let fit = Table::numbers(&[("x", &[4.0, 0.0, f64::NAN, 8.0, 1.0, INF, 2.0])]);
        let fitted = fit.fit(&ENTRY, &[("bins", "4")]);
        assert_eq!(fitted.names[3], "piece 4 of \"x\"");
        let made = fitted.run(&Table::numbers(&[("x", &[-2.0, 0.5, 3.0, 6.0, 16.0, f64::NAN, INF, -INF])]));
        let nan = f64::NAN;
        let expected = [
            [-2.0, 0.5, 1.0, 1.0, 1.0, nan, 1.0, -INF],
            [0.0, 0.0, 1.0, 1.0, 1.0, nan, 1.0, 0.0],
            [0.0, 0.0, 0.5, 1.0, 1.0, nan, 1.0, 0.0],
            [0.0, 0.0, 0.0, 0.5, 3.0, nan, INF, 0.0],
        ];
        assert_eq!(made.len(), 4);
        made.iter().zip(&expected).for_each(|(made, expected)| check_column(made, expected, 0.0));
    }

    #[test]
    fn equal_quantiles_count_once() {
        // Of four bins the quantiles are 0, 0, 0, 0, 3: one bin, open on both sides.
        let table = Table::numbers(&[("x", &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0])]);
        let made = table.fit(&ENTRY, &[("bins", "4")]).run(&Table::numbers(&[("x", &[-3.0, 1.5, 6.0])]));
        assert_eq!(made, [[-1.0, 0.5, 2.0]]);
        let odd = Table::numbers(&[
            ("same", &[2.0; 4]),
            ("none", &[f64::NAN; 4]),
            ("wide", &[1e308, -1e308, 0.0, 0.0]),
        ]);
        assert_eq!(odd.fit(&ENTRY, &[("bins", "1")]).kept, ["same", "none", "wide"]);
    }

    /// Inside the training rows the pieces sum to the number of the bin and the part of it.
    #[test]
    fn as_numpy() {
        // np.interp(x, np.quantile(x, np.linspace(0, 1, 9)), np.arange(9)) on proline, rows 0, 59, 100, 177.
        let table = Table::numbers(&[("proline", &wine::column("proline"))]);
        let made = table.fit(&ENTRY, &[]).run(&table);
        let sums: Vec<f64> = wine::ROWS.iter().map(|&row| made.iter().map(|c| c[row]).sum()).collect();
        // 1e-13 of the value, because numpy rounds its quantiles otherwise.
        let expected = [6.4089456869009584, 2.2452830188679247, 4.4410876132930515, 2.748427672955975];
        check_column(&sums, &expected, 1e-13);
    }
}
