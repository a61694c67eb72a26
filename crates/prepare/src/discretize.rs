//! `discretize`: numbers to the number of their bin; bins of equal frequency, of equal width, or around means.

use crate::error::Error;
use crate::statistics::{deviation, has_range, mean, quantile_of};
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, Transform, TransformEntry};
use ir::op::{Bin, Cast, IsNaN, OneHot, Where};
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "discretize",
    doc: "numbers to the number of their bin",
    takes: &[FeatureKind::Number],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &Discretize,
};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "how",
        aliases: &["strategy"],
        default: Value::Word("quantile"),
        range: Range::Words(&["quantile", "width", "kmeans"]),
        doc: "bins of equal frequency, of equal width, or around the means of k-means",
    },
    ParamSpec {
        name: "bins",
        aliases: &["n_bins"],
        default: Value::Int(8),
        range: Range::Int { low: 2, high: MOST_BINS },
        doc: "most bins of a column",
    },
    ENCODE,
];

/// Codes that a byte holds beside "missing".
pub(crate) const MOST_BINS: i64 = 254;

/// How bins are written.
pub(crate) const ENCODE: ParamSpec = ParamSpec {
    name: "encode",
    aliases: &[],
    default: Value::Word("ordinal"),
    range: Range::Words(&["ordinal", "one_hot"]),
    doc: "one column with the number of the bin, from 0, or one column of 0 and 1 for each bin",
};

/// `#{ e in edges : x >= e }`, edges between the bins of the finite values: `bins` quantiles, linear between
/// neighbours; equal parts of the range; or the middles between the means of k-means, started from the middles
/// of equal parts. Equal edges are one. Rows beyond the ends fall into the first and the last bin, infinities
/// too. Missing stays missing, or has a row of zeros with `encode=one_hot`. A column without two different
/// values, or whose range is no double, goes on as it is. O(rows log rows), k-means O(300 rows).
/// # Source  scikit-learn's `KBinsDiscretizer` with `quantile_method="linear"` and `subsample=None`;
/// deviations: edges are dropped only where they are equal, and a mean that no row is nearest to is dropped.
struct Discretize;

impl Transform for Discretize {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let n_bins = usize::try_from(params.int("bins")).unwrap_or(2);
        Ok(FittedStep::of_each(input, |at, name| {
            let sorted = input.sorted_finite(at);
            let mut edges = match params.word("how") {
                _ if !has_range(&sorted) => Vec::new(),
                "width" => widths(&sorted, n_bins),
                "kmeans" => between_means(&sorted, n_bins),
                _ => (1..n_bins).filter_map(|i| quantile_of(&sorted, i, n_bins)).collect(),
            };
            // An edge at the smallest value has nothing below it.
            edges.retain(|&e| sorted.first().is_some_and(|&first| e > first));
            edges.dedup();
            (!edges.is_empty()).then(|| Bins { edges, edge: Edge::Upper }.group(at, name, params))
        }))
    }
}

/// Edges of `n_bins` equal parts of the range of sorted numbers.
fn widths(sorted: &[f64], n_bins: usize) -> Vec<f64> {
    let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
    (1..n_bins).map(|i| low + (high - low) / n_bins as f64 * i as f64).collect()
}

/// Passes of k-means at most, and the squared moves of all means, in variances, below which it stops.
const MOST_PASSES: usize = 300;
const STILL: f64 = 1e-4;

/// Middles between the means that k-means finds in sorted numbers with a range.
/// # Source  Lloyd, IEEE Transactions on Information Theory 28, 1982; start and end as scikit-learn's.
fn between_means(sorted: &[f64], n_bins: usize) -> Vec<f64> {
    let mut ends = vec![sorted[0]];
    ends.extend(widths(sorted, n_bins));
    ends.push(sorted[sorted.len() - 1]);
    let mut means: Vec<f64> = ends.windows(2).map(middle).collect();
    let spread = deviation(sorted, mean(sorted));
    for _ in 0..MOST_PASSES {
        let edges: Vec<f64> = means.windows(2).map(middle).collect();
        let (mut moved, mut first, mut next) = (0.0, 0, Vec::with_capacity(means.len()));
        for (at, &old) in means.iter().enumerate() {
            // Halfway belongs to the lower mean.
            let end = edges.get(at).map_or(sorted.len(), |&e| sorted.partition_point(|&v| v <= e));
            if first < end {
                let new = mean(&sorted[first..end]);
                moved += (new - old) / spread * ((new - old) / spread);
                next.push(new);
            }
            first = first.max(end);
        }
        let same = next == means;
        means = next;
        if same || moved <= STILL {
            break;
        }
    }
    means.windows(2).map(middle).collect()
}

fn middle(pair: &[f64]) -> f64 {
    pair[0] / 2.0 + pair[1] / 2.0
}

/// Where a number that is an edge belongs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Edge {
    /// To the bin below it.
    Lower,
    /// To the bin above it.
    Upper,
}

/// Bins between rising edges, one or more and fewer than [`MOST_BINS`].
#[derive(Debug)]
pub(crate) struct Bins {
    pub(crate) edges: Vec<f64>,
    pub(crate) edge: Edge,
}

impl Bins {
    /// The group that makes the bins of column `at`, written as [`ENCODE`] says.
    pub(crate) fn group(self, at: usize, name: &str, params: &Params) -> Group {
        if params.word("encode") != "one_hot" {
            return Group::number(vec![at], name.to_owned(), self);
        }
        let names = (0..=self.edges.len()).map(|bin| self.name(name, bin)).collect();
        Group::matrix(vec![at], names, Hot(self))
    }

    /// Such as `age in [20, 30)`.
    fn name(&self, column: &str, bin: usize) -> String {
        let low = bin.checked_sub(1).and_then(|i| self.edges.get(i));
        let (open, close) = if self.edge == Edge::Upper { ("[", ")") } else { ("(", "]") };
        match (low, self.edges.get(bin)) {
            (Some(low), Some(high)) => format!("{column} in {open}{low}, {high}{close}"),
            (None, Some(high)) => format!("{column} {} {high}", if open == "[" { "<" } else { "<=" }),
            (Some(low), None) => format!("{column} {} {low}", if open == "[" { ">=" } else { ">" }),
            (None, None) => column.to_owned(),
        }
    }

    /// Codes of a column; 255 is missing.
    fn codes(&self, builder: &mut GraphBuilder, x: ValueIdx) -> Result<ValueIdx, ir::Error> {
        // The operator counts edges below a number; a step before an edge counts the edge itself too.
        let edges = self.edges.iter().map(|e| match self.edge {
            Edge::Lower => *e,
            Edge::Upper => e.next_down(),
        });
        let edges = builder.constant(Tensor::vector(TensorData::F64(edges.collect())))?;
        builder.node(Op::Bin(Bin), &[x, edges])
    }
}

impl Lower for Bins {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let codes = self.codes(builder, columns[0])?;
        let bin = builder.node(Op::Cast(Cast), &[codes])?;
        let missing = builder.node(Op::IsNaN(IsNaN), &[columns[0]])?;
        builder.node(Op::Where(Where), &[missing, columns[0], bin])
    }
}

/// A column for each bin.
struct Hot(Bins);

impl Lower for Hot {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let depth = self.0.edges.len() as u32 + 1;
        let codes = self.0.codes(builder, columns[0])?;
        builder.node(Op::OneHot(OneHot { depth }), &[codes])
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
            ("x", &[0.0, 1.0, 2.0, 3.0, 10.0, 20.0, nan, inf, -inf]),
            ("zeros", &[0.0, 0.0, 0.0, 0.0, 0.0, 5.0, nan, -1.0, -0.0]),
            ("same", &[7.0; 9]),
            ("none", &[nan; 9]),
        ]);
        let bins = |settings: &[(&str, &str)], name: &str| table.fit(&ENTRY, settings).column(&table, name);
        // Edges 2.5; 6.67 and 13.33.
        wine::check_column(&bins(&[("bins", "2")], "x"), &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0, nan, 1.0, 0.0], 0.0);
        wine::check_column(
            &bins(&[("bins", "3"), ("how", "width")], "x"),
            &[0.0, 0.0, 0.0, 0.0, 1.0, 2.0, nan, 2.0, 0.0],
            0.0,
        );
        // Means 1.5, 10 and 20.
        wine::check_column(
            &bins(&[("bins", "3"), ("how", "kmeans")], "x"),
            &[0.0, 0.0, 0.0, 0.0, 1.0, 2.0, nan, 2.0, 0.0],
            0.0,
        );
        // Quartiles -1, 0, 0, 0 and 5: the edge 0 is met once, and -0 is 0.
        wine::check_column(
            &bins(&[("bins", "4")], "zeros"),
            &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, nan, 0.0, 1.0],
            0.0,
        );
        assert_eq!(table.fit(&ENTRY, &[]).kept, ["same", "none"]);
    }

    #[test]
    fn one_column_a_bin() {
        let nan = f64::NAN;
        let table = Table::numbers(&[("x", &[0.0, 1.0, 2.0, 4.0, nan])]);
        let fitted = table.fit(&ENTRY, &[("bins", "4"), ("how", "width"), ("encode", "one_hot")]);
        assert_eq!(fitted.names, ["x < 1", "x in [1, 2)", "x in [2, 3)", "x >= 3"]);
        let expected = [
            vec![1.0, 0.0, 0.0, 0.0, 0.0],
            vec![0.0, 1.0, 0.0, 0.0, 0.0],
            vec![0.0, 0.0, 1.0, 0.0, 0.0],
            vec![0.0, 0.0, 0.0, 1.0, 0.0],
        ];
        assert_eq!(fitted.run(&table), expected);
    }

    #[test]
    fn means_without_rows_are_dropped() {
        // Of the starts 1, 3, 5, 7 and 9 only the outer ones have rows.
        assert_eq!(between_means(&[0.0, 0.5, 9.5, 10.0], 5), [5.0]);
    }

    #[test]
    fn as_scikit_learn() {
        let table = wine::table();
        // KBinsDiscretizer(8, encode="ordinal", strategy=how, quantile_method="linear", subsample=None): rows of
        // each bin of alcohol, malic acid and proline.
        let cases = [
            (
                "quantile",
                [
                    [23, 22, 22, 20, 24, 22, 22, 23],
                    [23, 22, 21, 23, 22, 22, 22, 23],
                    [23, 22, 21, 23, 22, 21, 23, 23],
                ],
            ),
            (
                "width",
                [
                    [4, 15, 37, 26, 33, 37, 20, 6],
                    [27, 73, 23, 16, 19, 11, 5, 4],
                    [31, 47, 38, 16, 23, 16, 3, 4],
                ],
            ),
            (
                "kmeans",
                [
                    [5, 17, 35, 27, 32, 39, 16, 7],
                    [29, 71, 23, 18, 16, 12, 5, 4],
                    [31, 40, 41, 19, 24, 16, 3, 4],
                ],
            ),
        ];
        for (how, expected) in cases {
            let made = table.fit(&ENTRY, &[("how", how)]).run(&table);
            for (name, (column, expected)) in wine::NAMES.into_iter().zip(made.iter().zip(expected)) {
                let mut counts = [0; 8];
                column.iter().for_each(|&bin| counts[bin as usize] += 1);
                assert_eq!(counts, expected, "{how} of {name}");
            }
        }
        // The same with strategy="kmeans": bin_edges_[0][1:-1].
        let mut alcohol = wine::column("alcohol");
        alcohol.sort_by(f64::total_cmp);
        let expected = [
            11.593647058823528,
            12.039361344537815,
            12.50078835978836,
            12.957511574074074,
            13.434463141025642,
            13.911650641025641,
            14.316339285714285,
        ];
        wine::check_column(&between_means(&alcohol, 8), &expected, 1e-14);
    }
}
