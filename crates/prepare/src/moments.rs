//! Moments: a column that orders rows, as doubles.

use crate::error::{Error, Kind};
use crate::transform::{Cells, FeatureKind, StepColumn};
use ir::op::TimePart;
use ir::text::category_key;
use ir::text::time::{Part, TimeFormat};
use ir::{Column, ColumnData, GraphBuilder, Op, ValueIdx};

/// How a column becomes moments: a number as it is, a time as microseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moments {
    Number,
    Time(Option<TimeFormat>),
}

impl Moments {
    /// # Errors
    /// A column that is neither a number nor a time in a known format.
    pub(crate) fn of(transform: &'static str, column: &StepColumn<'_>) -> Result<Moments, Error> {
        let format = match (column.kind, column.cells) {
            (FeatureKind::Number, _) => return Ok(Moments::Number),
            (FeatureKind::Time, Cells::Chunks(chunks)) => format(chunks),
            _ => None,
        };
        format.map(Moments::Time).ok_or_else(|| {
            Kind::Columns {
                transform,
                what: format!("column \"{}\", which orders rows", column.name),
                expected: "numbers or times in one known format".to_owned(),
                got: format!("a {}", column.kind.name()),
                cure: "name another column".to_owned(),
            }
            .into()
        })
    }

    pub(crate) fn lower(self, builder: &mut GraphBuilder, column: ValueIdx) -> Result<ValueIdx, ir::Error> {
        match self {
            Moments::Number => Ok(column),
            Moments::Time(format) => {
                builder.node(Op::TimePart(TimePart { part: Part::Moment, format }), &[column])
            }
        }
    }
}

/// How a column of times is read: no format for microseconds, else the first that reads every cell. `None` if
/// none does.
fn format(chunks: &[Column<'_>]) -> Option<Option<TimeFormat>> {
    if let ColumnData::I64(_) = chunks.first()?.data() {
        return Some(None);
    }
    let cells = || chunks.iter().flat_map(|c| (0..c.n_rows()).filter_map(|row| c.text(row)));
    let reads = |format: &TimeFormat| cells().all(|cell| format.parse(category_key(cell)).is_some());
    TimeFormat::all().find(reads).map(Some)
}
