//! `Past`: what earlier rows of the table say.

use super::{Attr, Attrs, Operand, Payload, misfit};
use crate::{DType, Dim, Error, Shape};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Past";

/// What is made of the earlier rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastKind {
    /// The value of the row that is `steps` back.
    Lag,
    /// The value of the last row minus that of the row `steps` back from it.
    Change,
    /// Mean of the last `steps` rows.
    Mean,
    /// Standard deviation (with `1 / n`) of the last `steps` rows.
    Deviation,
    /// Smallest of the last `steps` rows.
    Min,
    /// Largest of the last `steps` rows.
    Max,
    /// Number of earlier rows; `steps` is 1.
    Count,
}

impl PastKind {
    /// Every kind.
    pub const ALL: &'static [PastKind] = &[
        PastKind::Lag,
        PastKind::Change,
        PastKind::Mean,
        PastKind::Deviation,
        PastKind::Min,
        PastKind::Max,
        PastKind::Count,
    ];

    /// Name as printed and stored.
    pub fn name(self) -> &'static str {
        match self {
            PastKind::Lag => "lag",
            PastKind::Change => "change",
            PastKind::Mean => "mean",
            PastKind::Deviation => "deviation",
            PastKind::Min => "min",
            PastKind::Max => "max",
            PastKind::Count => "count",
        }
    }
}

/// A statistic of the rows before each row: those of the same group whose order is **smaller**, so that rows of
/// one moment do not see each other. They are sorted by order, equal ones by place in the table; the last is
/// the one before the row.
///
/// Inputs: `value f64 [N]`, `order f64 [N]`, and `group string [N]` if rows are grouped. Output: `f64 [N]`. A row
/// whose order is missing has no past and is in nobody's. A missing group is a group of its own. Missing
/// values: `Lag` and `Change` give NaN, statistics leave them out and give NaN where none is left; sums run
/// from the oldest row to the newest.
///
/// The operator sees other rows of the table: a row alone has no past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past {
    /// What is made of them.
    pub kind: PastKind,
    /// How far back, or over how many rows; at least 1.
    pub steps: u32,
}

/// Longest window.
const MAX_STEPS: u32 = 100_000;

impl Past {
    pub(super) fn parse(attrs: &Attrs) -> Result<Past, Error> {
        let word = attrs.word(NAME, "kind")?;
        let kind = PastKind::ALL.iter().copied().find(|k| k.name() == word);
        let kind = kind
            .ok_or_else(|| misfit(NAME, "kind", "lag, change, mean, deviation, min, max or count", &word))?;
        Ok(Past { kind, steps: attrs.int(NAME, "steps")? })
    }
}

impl Payload for Past {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("kind", Attr::Word(self.kind.name().to_string())), ("steps", Attr::Int(self.steps.into()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let (value, order, group) = match inputs {
            [value, order] => (value, order, None),
            [value, order, group] => (value, order, Some(group)),
            _ => return Err(misfit(NAME, "inputs", "2 or 3", &inputs.len())),
        };
        for (what, operand) in [("value", value), ("order", order)] {
            if operand.dtype != DType::F64 || *operand.shape != Shape::rows() {
                return Err(misfit(NAME, what, "f64 [N]", &operand.describe()));
            }
        }
        if let Some(group) = group.filter(|g| g.dtype != DType::Str || *g.shape != Shape::rows()) {
            return Err(misfit(NAME, "group", "string [N]", &group.describe()));
        }
        if !(1..=MAX_STEPS).contains(&self.steps) {
            return Err(misfit(NAME, "steps", "1..=100000", &self.steps));
        }
        Ok(vec![(DType::F64, Shape(vec![Dim::Symbol("N".to_string())]))])
    }

    fn is_row_wise(&self) -> bool {
        false
    }
}
