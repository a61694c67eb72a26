//! `time_differences`: two points in time to the days between them.

use crate::error::Error;
use crate::nodes::with;
use crate::time_parts::Moments;
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, Transform, TransformEntry};
use ir::op::{Arithmetic, TimePart};
use ir::text::time::{Part, TimeFormat};
use ir::{GraphBuilder, Op, ValueIdx};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "time_differences",
    doc: "two points in time to the days between them",
    takes: &[FeatureKind::Time],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &TimeDifferences,
};

const SPEC: &[ParamSpec] = &[ParamSpec {
    name: "max_pairs",
    aliases: &[],
    default: Value::Int(10),
    range: Range::Int { low: 1, high: 1000 },
    doc: "most pairs of columns; the first ones in the order of the table count",
}];

/// Microseconds of a day.
const DAY: f64 = 86_400_000_000.0;

/// `(later - earlier) / day` for each pair of time columns whose difference takes two values or more in the
/// training rows: the later column minus the earlier in the order of the table, negative where the moment is
/// before. Moments are rounded to doubles (beyond the year 2255 by a microsecond or more). Missing on either
/// side gives missing. Columns of no pair go on as they are. O(rows (formats columns + pairs)).
struct TimeDifferences;

impl Transform for TimeDifferences {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let most = usize::try_from(params.int("max_pairs")).unwrap_or(1);
        let all: Vec<Option<Moments>> = (0..input.columns.len()).map(|at| Moments::read(input, at)).collect();
        let mut step = FittedStep::default();
        let mut is_used = vec![false; all.len()];
        let pairs = (0..all.len()).flat_map(|second| (0..second).map(move |first| (first, second)));
        for (first, second) in pairs {
            let (Some(a), Some(b)) = (&all[first], &all[second]) else { continue };
            if step.groups.len() == most || !varies(a, b) {
                continue;
            }
            let name =
                format!("days from \"{}\" to \"{}\"", input.columns[first].name, input.columns[second].name);
            let part = Difference { formats: [a.format, b.format] };
            step.groups.push(Group::number(vec![first, second], name, part));
            (is_used[first], is_used[second]) = (true, true);
        }
        step.kept = (0..all.len()).filter(|&at| !is_used[at]).collect();
        Ok(step)
    }
}

/// Whether the difference takes two values or more.
fn varies(a: &Moments, b: &Moments) -> bool {
    let both = a.rows.iter().zip(&b.rows).filter_map(|(a, b)| Some(i128::from((*b)?) - i128::from((*a)?)));
    let mut both = both;
    let first = both.next();
    both.any(|d| Some(d) != first)
}

struct Difference {
    formats: [Option<TimeFormat>; 2],
}

impl Lower for Difference {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let mut moments = Vec::with_capacity(2);
        for (column, &format) in columns.chunks(1).zip(&self.formats) {
            moments.push(TimePart { part: Part::Moment, format }.lower(builder, column)?);
        }
        moments.reverse();
        let micros = builder.node(Op::Arithmetic(Arithmetic::Sub), &moments)?;
        with(builder, Arithmetic::Div, micros, &[DAY])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::{Cell, Table};
    use crate::laws::wine::check_column;

    fn table() -> Table {
        let day = 86_400_000_000;
        let column = |name, cells: &[&str]| (name, FeatureKind::Time, Cell::texts(cells));
        Table::new(&[
            column("sold", &["2024-01-01", "2024-03-01", "", "2023-12-31"]),
            column("odd", &["2024-01-01", "no time", "", ""]),
            (
                "paid",
                FeatureKind::Time,
                Cell::Whole(vec![Some(19_723 * day), None, Some(0), Some(19_723 * day + 1)]),
            ),
            column("sent", &["02.01.2024 12:00", "28.02.2024 00:00", "01.01.2024 00:00", "31.12.2023 06:00"]),
        ])
    }

    #[test]
    fn hand_computed() {
        let table = table();
        let fitted = table.fit(&ENTRY, &[]);
        let names = [
            "days from \"sold\" to \"paid\"",
            "days from \"sold\" to \"sent\"",
            "days from \"paid\" to \"sent\"",
        ];
        assert_eq!(
            (fitted.names.clone(), fitted.kept.clone()),
            (names.map(str::to_owned).to_vec(), vec!["odd".to_owned()])
        );
        let nan = f64::NAN;
        let made = fitted.run(&table);
        // 2024-01-01 is day 19,723; 2024 is a leap year.
        check_column(&made[0], &[0.0, nan, nan, 1.0 + 1.0 / DAY], 1e-15);
        check_column(&made[1], &[1.5, -2.0, nan, 0.25], 1e-15);
        check_column(&made[2], &[1.5, nan, 19_723.0, -0.75 - 1.0 / DAY], 1e-15);
    }

    #[test]
    fn pairs_are_bounded_and_vary() {
        let fitted = table().fit(&ENTRY, &[("max_pairs", "1")]);
        assert_eq!((fitted.names.len(), fitted.kept), (1, vec!["odd".to_owned(), "sent".to_owned()]));
        let same = ["2024-01-01", "2024-01-02", ""];
        let later = ["2024-02-01", "2024-02-02", "2024-01-01"];
        let column = |name, cells: &[&str]| (name, FeatureKind::Time, Cell::texts(cells));
        let fitted = Table::new(&[column("a", &same), column("b", &later)]).fit(&ENTRY, &[]);
        assert_eq!((fitted.names.len(), fitted.kept.len()), (0, 2));
    }
}
