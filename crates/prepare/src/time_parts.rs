//! `time_parts`: a point in time as moment, year, month, day, weekday, hour and the rest.
//!
//! [`Moments`] is how all members read a column of times.

use crate::error::Error;
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, Transform, TransformEntry};
use ir::op::TimePart;
use ir::text::category_key;
use ir::text::time::{Part, TimeFormat};
use ir::{GraphBuilder, Op, ValueIdx};
use params::Params;

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "time_parts",
    doc: "a point in time as moment, year, month, day, weekday, hour and the rest",
    takes: &[FeatureKind::Time],
    sees_target: false,
    cleans: false,
    spec: &[],
    transform: &TimeParts,
};

/// Those of [`Part::ALL`] that take two values or more in the training rows, one column each; missing stays
/// missing. A column that no format reads is dropped. O(rows formats).
struct TimeParts;

impl Transform for TimeParts {
    fn fit(&self, input: &StepInput<'_>, _: &Params) -> Result<FittedStep, Error> {
        let mut step = FittedStep::default();
        for (at, column) in input.columns.iter().enumerate() {
            let Some(moments) = Moments::read(input, at) else { continue };
            for &part in Part::ALL.iter().filter(|part| moments.varies(**part)) {
                let name = format!("{} of \"{}\"", part.name(), column.name);
                let part = TimePart { part, format: moments.format };
                step.groups.push(Group::number(vec![at], name, part));
            }
        }
        Ok(step)
    }
}

impl Lower for TimePart {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        builder.node(Op::TimePart(*self), columns)
    }
}

/// A column of times as the training rows show it.
pub(crate) struct Moments {
    /// How the text is read; none for microseconds.
    pub(crate) format: Option<TimeFormat>,
    /// Microseconds of each training row; `None` is missing.
    pub(crate) rows: Vec<Option<i64>>,
}

impl Moments {
    /// Reads a column; a text column's format is the first of [`TimeFormat::all`] that reads every cell of the
    /// training rows. `None` if none does, or if there is no cell.
    pub(crate) fn read(input: &StepInput<'_>, at: usize) -> Option<Moments> {
        if let Some(rows) = input.micros(at) {
            return Some(Moments { format: None, rows });
        }
        let texts = input.texts(at);
        if texts.iter().all(Option::is_none) {
            return None;
        }
        TimeFormat::all().find_map(|format| {
            let read = |text: &Option<&str>| match text {
                None => Some(None),
                Some(text) => format.parse(category_key(text)).map(Some),
            };
            Some(Moments { format: Some(format), rows: texts.iter().map(read).collect::<Option<_>>()? })
        })
    }

    /// Whether the part takes two values or more.
    pub(crate) fn varies(&self, part: Part) -> bool {
        let mut values = self.rows.iter().flatten().map(|&m| part.of(m));
        let first = values.next();
        values.any(|v| Some(v) != first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::{Cell, Fitting, Table};
    use crate::laws::wine::check_column;

    fn table(cells: &[&str]) -> Table {
        Table::new(&[("t", FeatureKind::Time, Cell::texts(cells))])
    }

    fn derived_names(cells: &[&str]) -> Vec<String> {
        table(cells).fit(&ENTRY, &[]).names
    }

    #[test]
    fn parts_that_vary_are_derived() {
        let names = derived_names(&["2020-01-06", "2020-01-13", " 2020-01-20"]);
        assert_eq!(names, ["moment of \"t\"", "day of \"t\"", "year_day of \"t\""]);
        assert_eq!(derived_names(&["2020-01-06", "no time"]), Vec::<String>::new());
        assert_eq!(derived_names(&["2020-01-06", "2020-01-06"]), Vec::<String>::new());
        assert_eq!(derived_names(&["", ""]), Vec::<String>::new());
        // 13 is no month: only one order of day and month reads both.
        assert!(derived_names(&["13/01/2020", "12/02/2020"]).contains(&"month of \"t\"".to_owned()));
    }

    #[test]
    fn other_rows_are_not_looked_at() {
        let table = table(&["2020-01-06", "", "2020-03-06", "no time", "2021-01-06"]);
        let fitting = Fitting { rows: vec![0, 1, 2], ..Fitting::default() };
        let fitted = table.fit_with(&ENTRY, &[], &fitting).unwrap();
        assert!(!fitted.names.contains(&"year of \"t\"".to_owned()));
        let nan = f64::NAN;
        check_column(&fitted.column(&table, "month of \"t\""), &[1.0, nan, 3.0, nan, 1.0], 0.0);
    }

    #[test]
    fn microseconds_need_no_format() {
        let day = 86_400_000_000;
        let cells = Cell::Whole(vec![Some(0), None, Some(day)]);
        let table = Table::new(&[("t", FeatureKind::Time, cells)]);
        let fitted = table.fit(&ENTRY, &[]);
        assert_eq!(
            fitted.names,
            ["moment of \"t\"", "day of \"t\"", "weekday of \"t\"", "year_day of \"t\""]
        );
        check_column(&fitted.column(&table, "weekday of \"t\""), &[3.0, f64::NAN, 4.0], 0.0);
    }
}
