//! `time_parts`: a point in time as moment, year, month, day, weekday, hour and the rest.
//!
//! Of each time column those parts become derived columns that take two values or more in the
//! training rows. A text column's format is the first of [`TimeFormat::all`] that reads every cell.

use crate::transform::{Derived, Lower, Transform, TransformEntry, TransformInput};
use ir::op::TimePart;
use ir::text::category_key;
use ir::text::time::{Part, TimeFormat};
use ir::{Column, ColumnData, ColumnKind, GraphBuilder, Op, ValueIdx};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "time_parts",
    doc: "a point in time as moment, year, month, day, weekday, hour and the rest",
    transform: &TimeParts,
};

struct TimeParts;

impl Transform for TimeParts {
    fn fit(&self, input: &TransformInput<'_>) -> Vec<Derived> {
        let mut derived = Vec::new();
        for (idx, (column, chunks)) in input.inputs.iter().zip(input.columns).enumerate() {
            if column.kind != ColumnKind::Time {
                continue;
            }
            let Some((format, moments)) = read(chunks) else { continue };
            for &part in Part::ALL {
                let mut values = moments.iter().map(|&m| part.of(m));
                let first = values.next();
                if values.any(|v| Some(v) != first) {
                    let name = format!("{} of \"{}\"", part.name(), column.name);
                    let part = Box::new(TimePart { part, format });
                    derived.push(Derived { uses: vec![idx], name, part });
                }
            }
        }
        derived
    }
}

impl Lower for TimePart {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        builder.node(Op::TimePart(*self), columns)
    }
}

/// The format of a column and its points in time; `None` if no format reads every cell.
fn read(chunks: &[Column<'_>]) -> Option<(Option<TimeFormat>, Vec<i64>)> {
    if let ColumnData::I64(_) = chunks.first()?.data() {
        let mut moments = Vec::new();
        for chunk in chunks {
            if let ColumnData::I64(v) = chunk.data() {
                moments.extend((0..v.len()).filter(|&row| chunk.is_valid(row)).map(|row| v[row]));
            }
        }
        return Some((None, moments));
    }
    TimeFormat::all().find_map(|format| {
        let cells = chunks.iter().flat_map(|c| (0..c.n_rows()).filter_map(|row| c.text(row)));
        let moments: Option<Vec<i64>> = cells.map(|cell| format.parse(category_key(cell))).collect();
        Some((Some(format), moments?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::{DType, Input};

    fn derived_names(cells: &[&str]) -> Vec<String> {
        let mut offsets = vec![0];
        let mut bytes = Vec::new();
        for cell in cells {
            bytes.extend_from_slice(cell.as_bytes());
            offsets.push(bytes.len() as i32);
        }
        let data = ColumnData::Str { offsets: &offsets, bytes: &bytes };
        let columns = vec![vec![Column::try_new(data, None).unwrap()]];
        let inputs = [Input { name: "t".into(), kind: ColumnKind::Time, dtype: DType::Str }];
        let fitted = TimeParts.fit(&TransformInput { inputs: &inputs, columns: &columns });
        fitted.into_iter().map(|d| d.name).collect()
    }

    #[test]
    fn parts_that_vary_are_derived() {
        let names = derived_names(&["2020-01-06", "2020-01-13", " 2020-01-20"]);
        assert_eq!(names, ["moment of \"t\"", "day of \"t\"", "year_day of \"t\""]);
        assert_eq!(derived_names(&["2020-01-06", "no time"]), Vec::<String>::new());
        assert_eq!(derived_names(&["2020-01-06", "2020-01-06"]), Vec::<String>::new());
        // 13 is no month: only one order of day and month reads both.
        assert!(derived_names(&["13/01/2020", "12/02/2020"]).contains(&"month of \"t\"".to_owned()));
    }
}
