//! `impute_neighbours`: missing numbers from the rows that are most alike in the other columns.

use crate::error::Error;
use crate::statistics::{deviation, mean};
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, Transform, TransformEntry};
use ir::digest::SplitMix64;
use ir::op::{Columns, ImputeNeighbours};
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "impute_neighbours",
    doc: "missing numbers filled from the training rows that are most alike in the other columns",
    takes: &[FeatureKind::Number],
    sees_target: false,
    cleans: true,
    spec: SPEC,
    transform: &Neighbours,
};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "k",
        aliases: &["n_neighbors"],
        default: Value::Int(5),
        range: Range::Int { low: 1, high: 1000 },
        doc: "rows that a missing cell is averaged over",
    },
    ParamSpec {
        name: "weights",
        aliases: &[],
        default: Value::Word("uniform"),
        range: Range::Words(&["uniform", "distance"]),
        doc: "whether these rows count alike, or each by one over its distance",
    },
    ParamSpec {
        name: "max_rows",
        aliases: &[],
        default: Value::Int(1000),
        range: Range::Int { low: 1, high: ImputeNeighbours::MAX_ROWS as i64 },
        doc: "most training rows that the file keeps to look for neighbours in, drawn by the seed",
    },
    ParamSpec {
        name: "scale",
        aliases: &[],
        default: Value::Word("yes"),
        range: Range::Words(&["yes", "no"]),
        doc: "whether distances are measured in deviations of each column, so that units do not matter",
    },
];

/// Each missing cell is the average over the `k` nearest kept training rows that have it; distances as
/// [`ImputeNeighbours`] states, over all number columns of the step that have a finite value; the others go on as
/// they are. Without such a row, the mean of the column. Infinities stay and count for no distance. Rows are
/// drawn without replacement from those that have a finite cell. The file keeps `max_rows` times the number of
/// columns; a row that misses a cell costs O(max_rows * (columns + log max_rows)), others nothing.
/// # Source  Troyanskaya et al., Bioinformatics 17, 2001; scikit-learn's `KNNImputer`; deviations: scaled
/// distances, a sample of the rows, the first of equally near rows, columns without a value are kept.
struct Neighbours;

impl Transform for Neighbours {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let mut step = FittedStep::default();
        let (mut uses, mut columns): (Vec<usize>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
        for at in 0..input.columns.len() {
            let values = input.numbers(at);
            if values.iter().any(|v| v.is_finite()) {
                uses.push(at);
                columns.push(values);
            } else {
                step.kept.push(at);
            }
        }
        if uses.is_empty() {
            return Ok(step);
        }
        let most = usize::try_from(params.int("max_rows")).unwrap_or(1);
        let most = most.min(ImputeNeighbours::MAX_CELLS / uses.len()).max(1);
        let rows = sample(&columns, most, input.seed.derive(ENTRY.name, 0).0);
        let cell = |v: f64| if v.is_finite() { v } else { MISSING };
        let reference = rows.iter().flat_map(|&row| columns.iter().map(move |c| cell(c[row]))).collect();
        let (mut scale, mut fill) = (Vec::new(), Vec::new());
        for column in &mut columns {
            column.retain(|v| v.is_finite());
            let middle = mean(column);
            let spread = deviation(column, middle);
            fill.push(middle);
            scale.push(if params.word("scale") == "yes" && spread > 0.0 { spread } else { 1.0 });
        }
        let op = ImputeNeighbours {
            k: u32::try_from(params.int("k")).unwrap_or(1),
            by_distance: params.word("weights") == "distance",
        };
        let names = uses.iter().map(|&at| input.columns[at].name.to_owned()).collect();
        step.groups.push(Group::matrix(uses, names, Completed { op, reference, scale, fill }));
        Ok(step)
    }
}

/// How the operator has a missing cell of the reference.
const MISSING: f64 = f64::INFINITY;

/// At most `most` rows that have a finite cell, rising, drawn without replacement.
fn sample(columns: &[Vec<f64>], most: usize, seed: u64) -> Vec<usize> {
    let n_rows = columns.first().map_or(0, Vec::len);
    let mut rows: Vec<usize> = (0..n_rows).filter(|&r| columns.iter().any(|c| c[r].is_finite())).collect();
    if rows.len() > most {
        let mut random = SplitMix64::new(seed);
        for at in 0..most {
            let left = u32::try_from(rows.len() - at).unwrap_or(u32::MAX);
            rows.swap(at, at + random.below(left) as usize);
        }
        rows.truncate(most);
        rows.sort_unstable();
    }
    rows
}

struct Completed {
    op: ImputeNeighbours,
    reference: Vec<f64>,
    scale: Vec<f64>,
    fill: Vec<f64>,
}

impl Lower for Completed {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let x = builder.node(Op::Columns(Columns), columns)?;
        let n_rows = self.reference.len() / self.scale.len().max(1);
        let dims = vec![n_rows, self.scale.len()];
        // Rows of equal length always fill their shape; else the operator refuses the empty tensor.
        let reference = Tensor::try_new(dims, TensorData::F64(self.reference.clone()));
        let reference = reference.unwrap_or_else(|| Tensor::vector(TensorData::F64(Vec::new())));
        let reference = builder.constant(reference)?;
        let scale = builder.constant(Tensor::vector(TensorData::F64(self.scale.clone())))?;
        let fill = builder.constant(Tensor::vector(TensorData::F64(self.fill.clone())))?;
        builder.node(Op::ImputeNeighbours(self.op), &[x, reference, scale, fill])
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
            ("a", &[0.0, 2.0, 4.0, 6.0, nan, inf]),
            ("none", &[nan; 6]),
            ("b", &[nan, 10.0, 30.0, 50.0, nan, nan]),
        ]);
        let fitted = table.fit(&ENTRY, &[("k", "2")]);
        assert_eq!(fitted.kept, ["none"]);
        wine::check_column(&fitted.column(&table, "a"), &[0.0, 2.0, 4.0, 6.0, 3.0, inf], 0.0);
        // The two nearest to 0; no neighbour, so the mean.
        wine::check_column(&fitted.column(&table, "b"), &[20.0, 10.0, 30.0, 50.0, 30.0, 30.0], 0.0);
    }

    /// In other units the neighbours are the same, unless distances are not scaled.
    #[test]
    fn units_do_not_matter_when_scaled() {
        let a = [1.0, 2.0, 3.0, 4.0, 1.1];
        let b = [5.0, 1.0, 8.0, 4.3, 4.4];
        let c = [10.0, 20.0, 30.0, 40.0, f64::NAN];
        for (unit, scale, expected) in
            [(1.0, "yes", 10.0), (1024.0, "yes", 10.0), (1.0, "no", 10.0), (1024.0, "no", 40.0)]
        {
            let table = Table::numbers(&[("a", &a), ("b", &b.map(|v| v * unit)), ("c", &c)]);
            let fitted = table.fit(&ENTRY, &[("k", "1"), ("scale", scale)]);
            assert_eq!(fitted.column(&table, "c")[4], expected, "{unit} {scale}");
        }
    }

    #[test]
    fn samples_are_rows_without_repeats() {
        let columns = vec![(0..100).map(|i| if i % 3 == 0 { f64::NAN } else { f64::from(i) }).collect()];
        let rows = sample(&columns, 20, 5);
        assert_eq!(rows.len(), 20);
        assert!(rows.is_sorted_by(|a, b| a < b) && rows.iter().all(|r| r % 3 != 0 && *r < 100), "{rows:?}");
        assert_eq!(rows, sample(&columns, 20, 5));
        assert_ne!(rows, sample(&columns, 20, 6));
        assert_eq!(sample(&columns, 66, 5).len(), 66);
    }

    #[test]
    fn as_scikit_learn() {
        let table = wine::with_holes();
        // KNNImputer(n_neighbors=5, weights=weights).fit_transform(X)[[0, 3, 2, 10, 13, 175]], and its sums of
        // columns without 11 cells whose fifth and sixth neighbour are equally near, where it takes either, and
        // one with several neighbours at distance 0, which its rounding makes 1e-11.
        let rows = [0, 3, 2, 10, 13, 175];
        let tied: [&[usize]; 3] = [&[25, 90, 100, 115, 125], &[90, 101], &[52, 73, 87, 101, 115]];
        let cases = [
            (
                "uniform",
                [
                    [13.284, 1.71, 1065.0],
                    [14.37, 1.95, 1122.0],
                    [13.16, 1.6460000000000001, 1185.0],
                    [12.172, 2.16, 694.8],
                    [14.75, 1.952, 1150.0],
                    [12.556000000000001, 4.28, 835.0],
                ],
                [2251.9860000000003, 405.31000000000006, 127462.59999999999],
            ),
            (
                "distance",
                [
                    [14.38, 1.71, 1065.0],
                    [14.37, 1.95, 1108.0090666828103],
                    [13.16, 1.353666825988855, 1185.0],
                    [13.051998116093673, 2.16, 378.0],
                    [14.75, 1.73, 1150.0],
                    [12.133036676021879, 4.28, 835.0],
                ],
                [2256.192969764587, 403.1194602492915, 127431.32150785059],
            ),
        ];
        for (weights, expected, sums) in cases {
            let made = table.fit(&ENTRY, &[("weights", weights), ("scale", "no")]).run(&table);
            for (at, column) in made.iter().enumerate() {
                let got: Vec<f64> = rows.iter().map(|&r| column[r]).collect();
                // Abs { eps: 1e-6, because: scikit-learn's distances are differences of large squares }
                wine::check_column(&got, &expected.map(|row| row[at]), 1e-6);
                let clear = column.iter().enumerate().filter(|(row, _)| !tied[at].contains(row));
                wine::check_column(&[clear.map(|(_, v)| v).sum()], &sums[at..=at], 1e-6);
            }
        }
    }
}
