//! `join`: what the rows of a second table say, by `--join`, `--on`, `--before` and `--by`.
//!
//! It stands beside the Transform family, since it takes columns of two tables by their role. Only the
//! categories of `--by` are fitted: a row's features come from whatever second table is handed over.

use crate::error::Error;
use crate::moments::Moments;
use crate::statistics::frequent;
use crate::transform::{Cells, FeatureKind, FittedStep, Group, Lower, Made, MadeColumn, StepColumn};
use ir::op::{Related, RelatedKind, Timed};
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use params::{ParamSpec, Params, Range, Value};

/// The name before a parameter on the command line.
pub const NAME: &str = "join";

/// Parameters of the features of a second table.
pub const SPEC: &[ParamSpec] = &[ParamSpec {
    name: "max_shares",
    aliases: &[],
    default: Value::Int(32),
    range: Range::Int { low: 1, high: 1000 },
    doc: "most categories of --by whose share is a feature",
}];

/// Columns by their role, as places in the list of all columns.
#[derive(Clone, Debug)]
pub struct Roles {
    /// Key of a row, and of a related row.
    pub on: (usize, usize),
    /// Moment of a row, if only earlier related rows count.
    pub before: Option<usize>,
    /// Moment of a related row.
    pub time: Option<usize>,
    /// Category of a related row.
    pub by: Option<usize>,
    /// Number columns of the second table.
    pub values: Vec<usize>,
}

/// The features of a second table called `table`: the number of related rows; of each number column sum, mean,
/// deviation, minimum and maximum, and the last value where there is a time; how long ago the last one was; the
/// share of each of the most frequent categories of `by`.
///
/// # Errors
/// A moment is a time in no known format.
pub fn fit(
    table: &str,
    columns: &[StepColumn<'_>],
    roles: &Roles,
    params: &Params,
) -> Result<FittedStep, Error> {
    let before = roles.before.map(|at| Moments::of(NAME, &columns[at]).map(|m| (at, m))).transpose()?;
    let time = roles.time.map(|at| Moments::of(NAME, &columns[at]).map(|m| (at, m))).transpose()?;
    let timed = match (before, time) {
        (Some(_), Some(_)) => Timed::Both,
        (None, Some(_)) => Timed::Second,
        _ => Timed::Neither,
    };
    let mut step = FittedStep::default();
    let mut add = |kind: RelatedKind, value: Option<usize>, keys: Vec<String>, made: Made| {
        let mut uses = vec![roles.on.0];
        uses.extend(before.filter(|_| timed == Timed::Both).map(|(at, _)| at));
        uses.push(roles.on.1);
        uses.extend(time.map(|(at, _)| at));
        uses.extend(value);
        let moments = (before.map(|(_, m)| m), time.map(|(_, m)| m));
        let part = Box::new(RelatedRow { op: Related { kind, timed }, moments, keys });
        step.groups.push(Group { uses, made, part, training: None });
    };
    let one = |name: String| Made::Column(MadeColumn { name, kind: FeatureKind::Number });
    add(RelatedKind::Count, None, Vec::new(), one(format!("rows of {table}")));
    if timed != Timed::Neither {
        add(RelatedKind::Recency, None, Vec::new(), one(format!("since the last row of {table}")));
    }
    for &value in &roles.values {
        let name = columns[value].name;
        let mut kinds = vec![
            RelatedKind::Sum,
            RelatedKind::Mean,
            RelatedKind::Deviation,
            RelatedKind::Min,
            RelatedKind::Max,
        ];
        kinds.extend((timed != Timed::Neither).then_some(RelatedKind::Last));
        for kind in kinds {
            add(kind, Some(value), Vec::new(), one(format!("{} of {table} \"{name}\"", kind.name())));
        }
    }
    if let Some(by) = roles.by {
        let most = usize::try_from(params.int("max_shares")).unwrap_or(1);
        let chunks = if let Cells::Chunks(chunks) = columns[by].cells { chunks } else { &[] };
        let texts = chunks.iter().flat_map(|chunk| (0..chunk.n_rows()).map(|row| chunk.text(row)));
        let keys = frequent(texts, 1, most);
        let names = keys.iter().map(|k| format!("share of {table} \"{}\"={k}", columns[by].name)).collect();
        if !keys.is_empty() {
            add(RelatedKind::Share, Some(by), keys, Made::Matrix(names));
        }
    }
    Ok(step)
}

struct RelatedRow {
    op: Related,
    /// Of a row and of a related row.
    moments: (Option<Moments>, Option<Moments>),
    keys: Vec<String>,
}

impl Lower for RelatedRow {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let places = self.op.places();
        let mut inputs = columns.to_vec();
        for (place, moments) in [(places.moment, self.moments.0), (places.other_moment, self.moments.1)] {
            if let (Some(at), Some(moments)) = (place, moments) {
                inputs[at] = moments.lower(builder, columns[at])?;
            }
        }
        if places.keys.is_some() {
            inputs.push(builder.constant(Tensor::vector(TensorData::Str(self.keys.clone())))?);
        }
        builder.node(Op::Related(self.op), &inputs)
    }
}
