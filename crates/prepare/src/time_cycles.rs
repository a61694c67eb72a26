//! `time_cycles`: a point in time to its place in the day, the week, the month and the year, as on a clock.

use crate::error::Error;
use crate::fourier::sine_and_cosine;
use crate::nodes::{side_by_side, with};
use crate::time_parts::Moments;
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, Transform, TransformEntry};
use ir::op::{Arithmetic, TimePart};
use ir::text::time::Part;
use ir::{GraphBuilder, ValueIdx};
use params::Params;
use std::f64::consts::TAU;

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "time_cycles",
    doc: "a point in time to its place in the day, the week, the month and the year, as on a clock",
    takes: &[FeatureKind::Time],
    sees_target: false,
    cleans: false,
    spec: &[],
    transform: &TimeCycles,
};

/// A part that comes round: its name for people, its first value and how many there are.
struct Cycle {
    part: Part,
    name: &'static str,
    first: f64,
    length: f64,
}

const CYCLES: &[Cycle] = &[
    Cycle { part: Part::DayMinute, name: "hour", first: 0.0, length: 1440.0 },
    Cycle { part: Part::Weekday, name: "weekday", first: 0.0, length: 7.0 },
    Cycle { part: Part::Day, name: "day", first: 1.0, length: 31.0 },
    Cycle { part: Part::Month, name: "month", first: 1.0, length: 12.0 },
];

/// `sin(2 pi z)` and `cos(2 pi z)`, `z` the minute of the day / 1440, the day of the week / 7 from Monday, (day of
/// the month - 1) / 31 and (month - 1) / 12: ends and starts are neighbours. Only what takes two values or
/// more in the training rows. Missing stays missing. Columns that no format reads, and those in which nothing
/// comes round, go on as they are. O(rows formats).
struct TimeCycles;

impl Transform for TimeCycles {
    fn fit(&self, input: &StepInput<'_>, _: &Params) -> Result<FittedStep, Error> {
        let mut step = FittedStep::default();
        for (at, column) in input.columns.iter().enumerate() {
            let moments = Moments::read(input, at);
            let format = moments.as_ref().and_then(|m| m.format);
            let varies = |cycle: &&Cycle| moments.as_ref().is_some_and(|m| m.varies(cycle.part));
            let cycles: Vec<&'static Cycle> = CYCLES.iter().filter(varies).collect();
            if cycles.is_empty() {
                step.kept.push(at);
                continue;
            }
            let name = |what: &'static str| {
                cycles.iter().map(move |c| format!("{what} of {} of \"{}\"", c.name, column.name))
            };
            let names = name("sine").chain(name("cosine")).collect();
            let part = move |builder: &mut GraphBuilder, columns: &[ValueIdx]| {
                let mut parts = Vec::with_capacity(cycles.len());
                for cycle in &cycles {
                    parts.push(TimePart { part: cycle.part, format }.lower(builder, columns)?);
                }
                let firsts: Vec<f64> = cycles.iter().map(|c| c.first).collect();
                let lengths: Vec<f64> = cycles.iter().map(|c| c.length).collect();
                let x = side_by_side(builder, &parts)?;
                let x = with(builder, Arithmetic::Sub, x, &firsts)?;
                let x = with(builder, Arithmetic::Div, x, &lengths)?;
                let x = with(builder, Arithmetic::Mul, x, &[TAU])?;
                sine_and_cosine(builder, x)
            };
            step.groups.push(Group::matrix(vec![at], names, part));
        }
        Ok(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::{Cell, Table};
    use crate::laws::wine::check_column;

    #[test]
    fn hand_computed() {
        // A Monday in January, the Thursday after, a Sunday in April.
        let cells = ["2024-01-01 00:00", "2024-01-04 06:00", "", "2024-04-28 18:00"];
        let table = Table::new(&[("t", FeatureKind::Time, Cell::texts(&cells))]);
        let fitted = table.fit(&ENTRY, &[]);
        let made = fitted.run(&table);
        assert_eq!(made.len(), 8);
        let nan = f64::NAN;
        let turn = |part: f64| (TAU * part).sin_cos();
        for (name, parts) in [
            ("hour", [0.0, 0.25, nan, 0.75]),
            ("weekday", [0.0, 3.0 / 7.0, nan, 6.0 / 7.0]),
            ("day", [0.0, 3.0 / 31.0, nan, 27.0 / 31.0]),
            ("month", [0.0, 0.0, nan, 0.25]),
        ] {
            for (what, expected) in [("sine", parts.map(|p| turn(p).0)), ("cosine", parts.map(|p| turn(p).1))]
            {
                // 1e-15, because the pinned sine is within 4e-16.
                check_column(&fitted.column(&table, &format!("{what} of {name} of \"t\"")), &expected, 1e-15);
            }
        }
    }

    #[test]
    fn what_does_not_vary_is_left_out() {
        let names = |cells: &[&str]| {
            let table = Table::new(&[("t", FeatureKind::Time, Cell::texts(cells))]);
            let fitted = table.fit(&ENTRY, &[]);
            (fitted.names, fitted.kept)
        };
        // Weeks apart, within a month.
        let (made, kept) = names(&["2020-01-06", "2020-01-13"]);
        assert_eq!(
            (made, kept),
            (vec!["sine of day of \"t\"".to_owned(), "cosine of day of \"t\"".to_owned()], vec![])
        );
        // Years apart; no time; nothing.
        for cells in [&["2020-01-06", "2025-01-06"], &["2020-01-06", "no time"], &["", ""]] {
            assert_eq!(names(cells), (vec![], vec!["t".to_owned()]), "{cells:?}");
        }
    }
}
