//! `past`: what earlier rows of the table say, by `--order` and `--group`.
//!
//! It stands beside the Transform family, since it needs two columns by their role. Nothing is fitted: a row's
//! features come from the earlier rows of whatever table is handed over.

use crate::error::Error;
use crate::moments::Moments;
use crate::transform::{FittedStep, Group, Lower, StepInput};
use ir::op::{Arithmetic, Past, PastKind};
use ir::{GraphBuilder, Op, ValueIdx};
use params::{ParamSpec, Params, Range, Value};

/// The name before a parameter on the command line.
pub const NAME: &str = "past";

/// Parameters of the features of earlier rows.
pub const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "lags",
        aliases: &[],
        default: Value::Int(3),
        range: Range::Int { low: 0, high: 1000 },
        doc: "values of so many earlier rows",
    },
    ParamSpec {
        name: "window",
        aliases: &[],
        default: Value::Int(7),
        range: Range::Int { low: 0, high: 1000 },
        doc: "rows of the short window of mean, deviation, minimum and maximum; 0: none",
    },
    ParamSpec {
        name: "long_window",
        aliases: &[],
        default: Value::Int(28),
        range: Range::Int { low: 0, high: 1000 },
        doc: "rows of the long window; 0: none",
    },
];

/// The features of earlier rows.
///
/// `input.columns` are the number columns, then the order (a number or a time), then the group if there is one.
/// Of each number column: the last `lags` values, the change between the last two, and mean, deviation, minimum
/// and maximum over the last `window` and `long_window` rows. Of the order: the number of earlier rows and
/// how long ago the last one was. Rows of the same moment do not see each other.
///
/// # Errors
/// The order is a time in no known format.
pub fn fit(input: &StepInput<'_>, grouped: bool, params: &Params) -> Result<FittedStep, Error> {
    let n = input.columns.len();
    let order = n - 1 - usize::from(grouped);
    let moments = Moments::of(NAME, &input.columns[order])?;
    let steps = |name: &str| u32::try_from(params.int(name)).unwrap_or(0);
    let mut step = FittedStep { kept: (0..n).collect(), groups: Vec::new() };
    let mut add = |column: usize, name: String, what: What| {
        let mut uses = vec![column, order];
        uses.extend(grouped.then_some(n - 1));
        step.groups.push(Group::number(uses, name, PastRow { moments, what }));
    };
    add(order, "earlier rows".to_owned(), What::Past(PastKind::Count, 1));
    add(order, "since the row before".to_owned(), What::Since);
    for column in 0..order {
        let name = input.columns[column].name;
        for lag in 1..=steps("lags") {
            add(column, format!("\"{name}\" {lag} back"), What::Past(PastKind::Lag, lag));
        }
        add(column, format!("last change of \"{name}\""), What::Past(PastKind::Change, 1));
        for window in [steps("window"), steps("long_window")] {
            if window == 0 {
                continue;
            }
            for kind in [PastKind::Mean, PastKind::Deviation, PastKind::Min, PastKind::Max] {
                add(
                    column,
                    format!("{} of \"{name}\" over {window} rows", kind.name()),
                    What::Past(kind, window),
                );
            }
        }
    }
    Ok(step)
}

#[derive(Clone, Copy)]
enum What {
    Past(PastKind, u32),
    /// The order of the row minus that of the one before.
    Since,
}

struct PastRow {
    moments: Moments,
    what: What,
}

impl Lower for PastRow {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let order = self.moments.lower(builder, columns[1])?;
        let past = |builder: &mut GraphBuilder, value, kind, steps| {
            let mut inputs = vec![value, order];
            inputs.extend(columns.get(2));
            builder.node(Op::Past(Past { kind, steps }), &inputs)
        };
        match self.what {
            What::Since => {
                let last = past(builder, order, PastKind::Lag, 1)?;
                builder.node(Op::Arithmetic(Arithmetic::Sub), &[order, last])
            }
            // Of the count the value does not matter; the order has the right dtype.
            What::Past(PastKind::Count, steps) => past(builder, order, PastKind::Count, steps),
            What::Past(kind, steps) => past(builder, columns[0], kind, steps),
        }
    }
}
