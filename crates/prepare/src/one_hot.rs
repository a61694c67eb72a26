//! `one_hot`: one column a category.

use crate::error::Error;
use crate::statistics::{by_value, frequent};
use crate::transform::{FeatureKind, FittedStep, Group, StepInput, Transform, TransformEntry};
use ir::op::{Codes, OneHot};
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "one_hot",
    doc: "one column a category, 1 where the row has it",
    takes: &[FeatureKind::Category],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &Indicators,
};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "max_categories",
        aliases: &[],
        default: Value::Int(64),
        range: Range::Int { low: 1, high: 254 },
        doc: "most columns of one category column; the most frequent categories have one",
    },
    ParamSpec {
        name: "min_rows",
        aliases: &["min_frequency"],
        default: Value::Int(1),
        range: Range::Int { low: 1, high: 1_000_000_000 },
        doc: "rows that a category has at least to get a column",
    },
];

/// Categories in byte order of their keys (numbers that are categories: in order of value), one column each,
/// 1 or 0. Unseen, rare and missing categories give zeros. A column without a category to show goes on as it is.
/// O(rows log categories).
/// # Source  scikit-learn's `OneHotEncoder(handle_unknown="ignore")`; deviation: rare categories have no column of
/// their own, and missing is no category.
struct Indicators;

impl Transform for Indicators {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let most = usize::try_from(params.int("max_categories")).unwrap_or(1);
        let fewest = u64::try_from(params.int("min_rows")).unwrap_or(1);
        Ok(FittedStep::of_each(input, |at, name| {
            let keys = frequent(input.texts(at), fewest, most);
            if keys.is_empty() {
                return None;
            }
            let order = by_value(&keys);
            let names = order.iter().map(|&k| format!("{name}={}", keys[k])).collect();
            Some(Group::matrix(vec![at], names, Encoded { keys, order }))
        }))
    }
}

struct Encoded {
    keys: Vec<String>,
    order: Vec<usize>,
}

impl crate::transform::Lower for Encoded {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let depth = self.keys.len() as u32;
        let keys = builder.constant(Tensor::vector(TensorData::Str(self.keys.clone())))?;
        let codes = builder.node(Op::Codes(Codes { unseen: ir::forest::MISSING }), &[columns[0], keys])?;
        let hot = builder.node(Op::OneHot(OneHot { depth }), &[codes])?;
        if self.order.is_sorted() {
            return Ok(hot);
        }
        let order = self.order.iter().map(|&k| k as i64).collect();
        let order = builder.constant(Tensor::vector(TensorData::I64(order)))?;
        builder.node(Op::Gather(ir::op::Gather), &[hot, order])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::{Cell, Table};

    fn table(cells: &[&str]) -> Table {
        Table::new(&[("c", FeatureKind::Category, Cell::texts(cells))])
    }

    /// Names of the columns, and the column that has the 1 of each cell.
    fn check(settings: &[(&str, &str)], fit: &[&str], names: &[&str], cells: &[(&str, Option<usize>)]) {
        let fitted = table(fit).fit(&ENTRY, settings);
        assert_eq!(fitted.names, names);
        let shown: Vec<&str> = cells.iter().map(|c| c.0).collect();
        for (k, column) in fitted.run(&table(&shown)).iter().enumerate() {
            let expected: Vec<f64> = cells.iter().map(|c| f64::from(u8::from(c.1 == Some(k)))).collect();
            assert_eq!(column, &expected, "{}", names[k]);
        }
    }

    #[test]
    fn hand_computed() {
        let few = ["b", "a", "", "b", "c", "b", "a"];
        let cells = [("a", Some(0)), ("b", Some(1)), ("c", Some(2)), ("new", None), ("", None)];
        check(&[], &few, &["c=a", "c=b", "c=c"], &cells);
        check(&[("min_frequency", "2")], &few, &["c=a", "c=b"], &[("b", Some(1)), ("c", None)]);
        check(&[("max_categories", "1")], &few, &["c=b"], &[("b", Some(0)), ("a", None)]);
        // By value where all are numbers, as scikit-learn orders numbers: OneHotEncoder().fit([[9], [10], [-1]])
        // .categories_ is [-1, 9, 10].
        let cells = [("-1", Some(0)), ("9", Some(1)), ("10", Some(2))];
        check(&[], &["9", "10", "-1"], &["c=-1", "c=9", "c=10"], &cells);
    }

    #[test]
    fn a_column_without_a_category_stays() {
        assert_eq!(table(&["", ""]).fit(&ENTRY, &[]).kept, ["c"]);
        assert_eq!(table(&["a", "b"]).fit(&ENTRY, &[("min_rows", "2")]).kept, ["c"]);
    }
}
