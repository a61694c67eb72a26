//! `Related`: what the rows of a second table say.

use super::{Attr, Attrs, Operand, Payload, misfit, wide};
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Related";

/// What is made of the related rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelatedKind {
    /// Their number.
    Count,
    /// Sum of the values.
    Sum,
    /// Mean of the values.
    Mean,
    /// Standard deviation (with `1 / n`) of the values.
    Deviation,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// The value of the latest row; of equally late ones the one that stands last.
    Last,
    /// The row's moment minus that of its latest related row, or, where rows have no moment, the latest moment
    /// of the whole second table minus it.
    Recency,
    /// Share of the related rows that have each key, `[N, K]`.
    Share,
}

impl RelatedKind {
    /// Every kind.
    pub const ALL: &'static [RelatedKind] = &[
        RelatedKind::Count,
        RelatedKind::Sum,
        RelatedKind::Mean,
        RelatedKind::Deviation,
        RelatedKind::Min,
        RelatedKind::Max,
        RelatedKind::Last,
        RelatedKind::Recency,
        RelatedKind::Share,
    ];

    /// Name as printed and stored.
    pub fn name(self) -> &'static str {
        match self {
            RelatedKind::Count => "count",
            RelatedKind::Sum => "sum",
            RelatedKind::Mean => "mean",
            RelatedKind::Deviation => "deviation",
            RelatedKind::Min => "min",
            RelatedKind::Max => "max",
            RelatedKind::Last => "last",
            RelatedKind::Recency => "recency",
            RelatedKind::Share => "share",
        }
    }
}

/// A statistic of the rows of a second table that have the same key and, where both have a moment, come
/// **before** the row (strictly).
///
/// Inputs, in this order: `key string [N]`; `moment f64 [N]` if `timed` is `both`; of the second table
/// `key string [M]`; `moment f64 [M]` if `timed` is `both` or `second`; then for `Share` `by string [M]` and the
/// constant `keys string [K]`, rising, for `Count` and `Recency` nothing, else `value f64 [M]`.
/// Output: `f64 [N]`, of `Share` `f64 [N, K]`.
///
/// A missing key has no related rows; a missing moment makes a related row none, and a row one without related
/// rows. Without related rows (or values among them: missing ones are left out) `Count` and `Sum` are 0, the
/// others NaN; `Share` counts rows with a missing key of `by`. Sums run in the order of the second table.
///
/// The operator sees the whole second table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Related {
    /// What is made of them.
    pub kind: RelatedKind,
    /// Which tables have moments.
    pub timed: Timed,
}

/// Which tables have moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timed {
    /// Neither is looked at.
    Neither,
    /// The second one.
    Second,
    /// Both: only earlier rows are related.
    Both,
}

impl Timed {
    const ALL: &'static [Timed] = &[Timed::Neither, Timed::Second, Timed::Both];

    fn name(self) -> &'static str {
        match self {
            Timed::Neither => "neither",
            Timed::Second => "second",
            Timed::Both => "both",
        }
    }
}

impl Related {
    pub(super) fn parse(attrs: &Attrs) -> Result<Related, Error> {
        let word = attrs.word(NAME, "kind")?;
        let kind = RelatedKind::ALL.iter().copied().find(|k| k.name() == word);
        let kind = kind.ok_or_else(|| misfit(NAME, "kind", "the name of a statistic", &word))?;
        let word = attrs.word(NAME, "timed")?;
        let timed = Timed::ALL.iter().copied().find(|k| k.name() == word);
        let timed = timed.ok_or_else(|| misfit(NAME, "timed", "neither, second or both", &word))?;
        Ok(Related { kind, timed })
    }

    /// Place of each input that this kind takes.
    pub fn places(self) -> RelatedPlaces {
        let mut next = 0;
        let mut take = |is: bool| {
            let place = is.then_some(next);
            next += usize::from(is);
            place
        };
        let key = take(true).unwrap_or(0);
        let moment = take(self.timed == Timed::Both);
        let other_key = take(true).unwrap_or(0);
        let other_moment = take(self.timed != Timed::Neither);
        let value = take(!matches!(self.kind, RelatedKind::Count | RelatedKind::Recency));
        let keys = take(self.kind == RelatedKind::Share);
        RelatedPlaces { key, moment, other_key, other_moment, value, keys, n: next }
    }
}

/// Place of each input of a [`Related`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelatedPlaces {
    /// Key of a row.
    pub key: usize,
    /// Moment of a row.
    pub moment: Option<usize>,
    /// Key of a related row.
    pub other_key: usize,
    /// Moment of a related row.
    pub other_moment: Option<usize>,
    /// Value of a related row, or its key of `by`.
    pub value: Option<usize>,
    /// The keys whose shares are wanted.
    pub keys: Option<usize>,
    /// Number of inputs.
    pub n: usize,
}

impl Payload for Related {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![
            ("kind", Attr::Word(self.kind.name().to_string())),
            ("timed", Attr::Word(self.timed.name().to_string())),
        ]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let places = self.places();
        if inputs.len() != places.n {
            return Err(misfit(NAME, "inputs", &places.n.to_string(), &inputs.len()));
        }
        let needs_moment = matches!(self.kind, RelatedKind::Last | RelatedKind::Recency);
        if needs_moment && self.timed == Timed::Neither {
            return Err(misfit(NAME, "timed", "second or both", &self.timed.name()));
        }
        let check = |what: &str, at: Option<usize>, dtype: DType, symbol: &str| {
            let Some(operand) = at.and_then(|at| inputs.get(at)) else { return Ok(()) };
            match &operand.shape.0[..] {
                [Dim::Symbol(s)] if s == symbol && operand.dtype == dtype => Ok(()),
                _ => Err(misfit(NAME, what, &alloc::format!("{dtype} [{symbol}]"), &operand.describe())),
            }
        };
        let is_share = self.kind == RelatedKind::Share;
        check("key", Some(places.key), DType::Str, "N")?;
        check("moment", places.moment, DType::F64, "N")?;
        check("key of the second table", Some(places.other_key), DType::Str, "M")?;
        check("moment of the second table", places.other_moment, DType::F64, "M")?;
        check("value", places.value, if is_share { DType::Str } else { DType::F64 }, "M")?;
        let rows = Dim::Symbol("N".to_string());
        let Some(keys) = places.keys.and_then(|at| inputs.get(at)) else {
            return Ok(vec![(DType::F64, Shape(vec![rows]))]);
        };
        match keys.constant.map(|c| c.data()) {
            Some(TensorData::Str(known)) if known.is_sorted_by(|a, b| a < b) => {
                Ok(vec![(DType::F64, wide(NAME, &rows, known.len())?)])
            }
            _ => Err(misfit(NAME, "keys", "a constant of strictly rising strings", &keys.describe())),
        }
    }

    fn is_row_wise(&self) -> bool {
        false
    }
}
