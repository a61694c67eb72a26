//! What candidates take together, by the models of their first folds.
//!
//! Such models know fewer rows than those that are written and are not the longest of all folds, so what they take
//! together is stretched by as much as each alone is less than its trial says.

use super::pool::{Kept, size_of};
use ir::Model;
use recipe::{Combination, ModelScore, Size, Space, size_together};
use runtime::cost::OperationCosts;

/// A candidate on the scales.
struct Weighed<'a> {
    /// The model of its first fold and its score; `None` where they cannot be one part of a graph.
    model: Option<(&'a Model, ModelScore)>,
    /// What that model takes alone, and what the trial says.
    first: Size,
    trial: Size,
}

/// Candidates on the scales, in their order.
pub(super) struct Weighing<'a> {
    candidates: Vec<Weighed<'a>>,
    costs: &'a OperationCosts,
}

impl<'a> Weighing<'a> {
    /// # Errors
    /// A model that does not hold: a bug.
    pub(super) fn new(
        candidates: &'a [Kept],
        costs: &'a OperationCosts,
    ) -> Result<Weighing<'a>, recipe::Error> {
        let weighed = |kept: &'a Kept| {
            let trial = size_of(&kept.outcome).unwrap_or_default();
            let model = kept.model.as_deref().and_then(|model| Some((model, scored(model, kept)?)));
            let alone = Combination::mean(Space::Scores, &[1.0], [0.0, 1.0]);
            let first = model.map(|model| size_together(&[model], &alone, costs)).transpose()?;
            Ok::<_, recipe::Error>(Weighed { model, first: first.unwrap_or(trial), trial })
        };
        let candidates = candidates.iter().map(weighed).collect::<Result<_, _>>()?;
        Ok(Weighing { candidates, costs })
    }

    /// What one model of some candidates takes; the sum of their files where one of them is in no graph.
    ///
    /// # Errors
    /// A graph that does not hold: a bug.
    pub(super) fn size(&self, members: &[usize], combination: &Combination) -> Result<Size, recipe::Error> {
        let of: Vec<&Weighed<'_>> = members.iter().filter_map(|&at| self.candidates.get(at)).collect();
        let sum = |part: fn(&Weighed<'_>) -> Size| {
            of.iter().map(|weighed| part(weighed)).fold(Size::default(), Size::plus)
        };
        let (first, trial) = (sum(|weighed| weighed.first), sum(|weighed| weighed.trial));
        let Some(models) = of.iter().map(|w| w.model).collect::<Option<Vec<_>>>() else { return Ok(trial) };
        let size = size_together(&models, combination, self.costs)?;
        let stretched = |size: f64, first: f64, trial: f64| size * (trial / first.max(1.0)).max(1.0);
        Ok(Size {
            bytes: stretched(size.bytes as f64, first.bytes as f64, trial.bytes as f64) as u64,
            ns: stretched(size.ns, first.ns, trial.ns),
        })
    }
}

/// The score of a candidate's model, with the link that its folds say.
fn scored(model: &Model, kept: &Kept) -> Option<ModelScore> {
    let mut score = ModelScore::of(model)?;
    score.link = kept.held.first()?.link;
    Some(score)
}
