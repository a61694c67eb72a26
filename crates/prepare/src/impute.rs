//! `impute`: missing numbers filled with one number a column.

use crate::error::Error;
use crate::nodes::scalar;
use crate::statistics::{mean, median};
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, Transform, TransformEntry};
use ir::op::{Cast, IsNaN, LabelEncoder, Where};
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "impute",
    doc: "missing numbers filled with the median, the mean, the mode or a constant of their column",
    takes: &[FeatureKind::Number, FeatureKind::Category],
    sees_target: false,
    cleans: true,
    spec: SPEC,
    transform: &Impute,
};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "how",
        aliases: &["strategy"],
        default: Value::Word("median"),
        range: Range::Words(&["mean", "median", "mode", "constant"]),
        doc: "what a missing number becomes: a statistic of its column, or the parameter value",
    },
    ParamSpec {
        name: "value",
        aliases: &["fill_value"],
        default: Value::Real(0.0),
        range: Range::Real { low: -1e15, high: 1e15 },
        doc: "what a missing number becomes with how=constant",
    },
    ParamSpec {
        name: "indicator",
        aliases: &["add_indicator"],
        default: Value::Word("no"),
        range: Range::Words(&["no", "yes"]),
        doc: "whether a column of 0 and 1 says where cells were missing, for columns that miss some",
    },
];

/// `x` where there is one, else the fill: mean, median or most frequent of the finite values (of equally
/// frequent ones the smallest), or a constant. Infinities stay. A column without a finite value goes on as
/// it is, unless the fill is a constant. Category columns go on as they are, because no operator makes
/// categories, and learners and `one_hot` take missing ones; they too can have an indicator.
/// O(rows log rows).
/// # Source  scikit-learn's `SimpleImputer` and `MissingIndicator`; deviation: a column without a value is
/// kept, not dropped.
struct Impute;

impl Transform for Impute {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let mut step = FittedStep::default();
        let indicated = params.word("indicator") == "yes";
        for (at, column) in input.columns.iter().enumerate() {
            let misses = if column.kind == FeatureKind::Category {
                step.kept.push(at);
                input.texts(at).iter().any(Option::is_none)
            } else {
                let values = input.numbers(at);
                match fill(&values, params) {
                    Some(fill) => {
                        step.groups.push(Group::number(vec![at], column.name.to_owned(), Filled { fill }))
                    }
                    None => step.kept.push(at),
                }
                values.iter().any(|v| v.is_nan())
            };
            if indicated && misses {
                let name = format!("{} is missing", column.name);
                step.groups.push(Group::number(vec![at], name, Missing { kind: column.kind }));
            }
        }
        Ok(step)
    }
}

/// What a missing number of the column becomes.
fn fill(values: &[f64], params: &Params) -> Option<f64> {
    if params.word("how") == "constant" {
        return Some(params.real("value"));
    }
    let mut finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    if finite.is_empty() {
        return None;
    }
    if params.word("how") == "mean" {
        return Some(mean(&finite));
    }
    finite.sort_by(f64::total_cmp);
    if params.word("how") == "mode" { mode(&finite) } else { median(&finite) }
}

/// The most frequent of sorted numbers, of equally frequent ones the smallest.
fn mode(sorted: &[f64]) -> Option<f64> {
    let runs = sorted.chunk_by(|a, b| a == b);
    let most = runs.fold(&sorted[..0], |most, run| if run.len() > most.len() { run } else { most });
    most.first().copied()
}

struct Filled {
    fill: f64,
}

impl Lower for Filled {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let fill = scalar(builder, self.fill)?;
        let missing = builder.node(Op::IsNaN(IsNaN), &[columns[0]])?;
        builder.node(Op::Where(Where), &[missing, fill, columns[0]])
    }
}

/// 1 where a cell is missing, else 0.
struct Missing {
    kind: FeatureKind,
}

impl Lower for Missing {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        if self.kind == FeatureKind::Category {
            // No key is known: every category is another one, and only missing cells are missing.
            let keys = builder.constant(Tensor::vector(TensorData::Str(Vec::new())))?;
            let values = builder.constant(Tensor::vector(TensorData::F64(vec![0.0, 1.0])))?;
            return builder.node(Op::LabelEncoder(LabelEncoder), &[columns[0], keys, values]);
        }
        let missing = builder.node(Op::IsNaN(IsNaN), &[columns[0]])?;
        builder.node(Op::Cast(Cast), &[missing])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::{Cell, Fitting, Table};
    use crate::laws::wine;

    #[test]
    fn hand_computed() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let x = [8.0, nan, 2.0, 2.0, inf, 1.0, 8.0];
        let table = Table::numbers(&[("x", &x), ("none", &[nan; 7])]);
        for (settings, fill) in [
            (&[("how", "mean")][..], 4.2),
            (&[], 2.0),
            (&[("how", "mode")], 2.0),
            (&[("how", "constant"), ("value", "-1")], -1.0),
        ] {
            let fitted = table.fit(&ENTRY, settings);
            let mut expected = x;
            expected[1] = fill;
            wine::check_column(&fitted.column(&table, "x"), &expected, 1e-15);
            if fill == -1.0 {
                assert_eq!(fitted.column(&table, "none"), [-1.0; 7]);
            } else {
                assert_eq!(fitted.kept, ["none"]);
            }
        }
    }

    #[test]
    fn indicators() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let table = Table::new(&[
            ("x", FeatureKind::Number, Cell::Real(vec![nan, 1.0, inf, nan])),
            ("whole", FeatureKind::Number, Cell::Whole(vec![Some(3), Some(5), None, None])),
            ("full", FeatureKind::Number, Cell::Real(vec![1.0, 2.0, 3.0, nan])),
            ("color", FeatureKind::Category, Cell::texts(&["red", "", "blue", ""])),
            ("size", FeatureKind::Category, Cell::texts(&["s", "m", "l", ""])),
        ]);
        // The last row is not learnt from.
        let fitting = Fitting { rows: vec![0, 1, 2], ..Fitting::default() };
        let fitted = table.fit_with(&ENTRY, &[("indicator", "yes")], &fitting).unwrap();
        assert_eq!(fitted.kept, ["color", "size"]);
        let names = ["x", "x is missing", "whole", "whole is missing", "full", "color is missing"];
        assert_eq!(fitted.names, names);
        assert_eq!(fitted.column(&table, "x is missing"), [1.0, 0.0, 0.0, 1.0]);
        assert_eq!(fitted.column(&table, "whole is missing"), [0.0, 0.0, 1.0, 1.0]);
        assert_eq!(fitted.column(&table, "color is missing"), [0.0, 1.0, 0.0, 1.0]);
        assert_eq!(fitted.column(&table, "full"), [1.0, 2.0, 3.0, 2.0]);
        assert_eq!(fitted.column(&table, "whole"), [3.0, 5.0, 4.0, 4.0]);
    }

    #[test]
    fn as_scikit_learn() {
        let table = wine::with_holes();
        // SimpleImputer(strategy=how).fit(X).statistics_.
        for (how, expected) in [
            ("mean", [13.035845070422532, 2.307654320987654, 745.2549019607843]),
            ("median", [13.05, 1.8450000000000002, 675.0]),
            ("mode", [12.37, 1.73, 680.0]),
        ] {
            let made = table.fit(&ENTRY, &[("how", how)]).run(&table);
            // The first rows in which each column misses a cell.
            wine::check_column(&[made[0][0], made[1][2], made[2][3]], &expected, 1e-14);
        }
    }
}
