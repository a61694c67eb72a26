//! Scores that a fit goes on from: those that another model gives each row.
//!
//! They stand apart because whoever has a model stands above this crate; a learner sees integers and what they mean.

use crate::error::Kind;
use crate::{Error, ScoreLink};
use ir::op::LinkKind;

/// Integer scores of all rows, and how they become probabilities or values.
#[derive(Clone, Copy, Debug)]
pub struct Offsets<'a> {
    /// `[n_rows, n_outputs]`.
    pub scores: &'a [i32],
    /// Their link.
    pub link: ScoreLink,
}

impl<'a> Offsets<'a> {
    /// The scores as trees take them, for a learner whose own scores have a link of this kind.
    ///
    /// # Errors
    /// `UnfitOffsets` for scores of another kind.
    pub(crate) fn of(self, learner: &'static str, kind: LinkKind) -> Result<trees::Offsets<'a>, Error> {
        let Offsets { scores, link } = self;
        if link.kind == kind {
            return Ok(trees::Offsets { scores, shift: link.shift, constant: link.offset });
        }
        let cure = match (kind, link.kind) {
            (LinkKind::Linear, LinkKind::Exponential) => "set its loss to poisson or tweedie",
            (LinkKind::Exponential, LinkKind::Linear) => "leave its loss to auto",
            _ => "go on from a model whose scores are log odds, logs of shares, or the number itself",
        };
        Err(Kind::UnfitOffsets { learner, expected: kind.name(), got: link.kind.name(), cure }.into())
    }
}
