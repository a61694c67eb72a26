//! The same recipe without rounding, beside the model that is written.
//!
//! Rows that are to be predicted without rounding stand behind the rows of the training table, without a target: so
//! nothing is learnt from them, and the learner itself predicts them without rounding.

use crate::Error;
use crate::figures::Fitted;
use crate::stability::{Changes, Perturbed, Stability};
use evaluate::corrected_t_test;
use evaluate::explain::rank_correlation;
use jobs::{Ctx, Seed};
use recipe::{FoldScore, HeldBack, PrepareOptions, Prepared, float_predictions};

/// Below this rank correlation, integers and floats are said to explain themselves differently.
pub(crate) const LEAST_CORRELATION: f64 = 0.95;

/// What the same recipe without rounding does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FloatSide {
    /// What noise and missing cells change, without rounding.
    pub stability: Option<Stability>,
    /// Rank correlation of how far columns move the predictions, floats against integers.
    pub rank_correlation: Option<f64>,
    /// Share of the out-of-fold rows that get the same class both ways.
    pub same_class: Option<f64>,
    /// How often folds would differ that much if rounding changed nothing: the corrected resampled t test.
    pub p_value: Option<f64>,
}

impl FloatSide {
    /// True where the integers explain themselves differently from the floats.
    pub fn explains_differently(&self) -> bool {
        self.rank_correlation.is_some_and(|r| r < LEAST_CORRELATION)
    }
}

/// Compares the folds both ways; perturbed rows too, with what the written model makes of them, where there are some
/// and the time left allows another fit.
///
/// # Errors
/// Whatever the learner says.
pub(crate) fn float_side(
    fitted: &Fitted<'_>,
    perturbed: Option<(&Perturbed, &Changes)>,
    folds: &[FoldScore],
    ctx: &Ctx<'_>,
) -> Result<FloatSide, Error> {
    let mut side = FloatSide {
        stability: None,
        rank_correlation: None,
        same_class: same_class(fitted),
        p_value: p_value(folds),
    };
    let allows =
        ctx.budget.left().is_none_or(|left| left.as_secs_f64() * 0.8 > fitted.seconds_of_a_fit * 3.0);
    let Some((perturbed, integers)) = perturbed.filter(|_| allows && !ctx.cancel.is_cancelled()) else {
        return Ok(side);
    };
    ctx.progress.stage("comparing with floats", Some(1));
    let n_rows = fitted.table.n_rows() as u32;
    let table = fitted.table.with_rows(perturbed.batch.clone())?;
    let base = match fitted.start {
        Some(start) => Some(start.base()?.with_scores(start.said(&table, ctx)?.scores)),
        None => None,
    };
    let n_batches = Some(fitted.table.batches().len());
    let prepare = PrepareOptions { n_batches, base: base.as_ref(), ..fitted.prepare.clone() };
    let prepared = Prepared::new(&table, fitted.target, &prepare, ctx)?;
    let others = (n_rows..n_rows + perturbed.batch.num_rows() as u32).collect();
    let recipe = (fitted.learner, fitted.params);
    let told = (fitted.validated, fitted.score_map);
    let seed = Seed(fitted.options.seed);
    let Some(floats) = float_predictions(prepared, recipe, others, told, seed, ctx)? else {
        return Ok(side);
    };
    let floats = perturbed.changes(&floats);
    side.rank_correlation = rank_correlation(&floats.moved, &integers.moved);
    side.stability = Some(floats.stability);
    Ok(side)
}

/// Folds whose scores were taken both ways; none where one was not.
fn p_value(folds: &[FoldScore]) -> Option<f64> {
    let differences: Vec<f64> = folds.iter().map(|f| Some(f.integer - f.float?)).collect::<Option<_>>()?;
    let share = folds.iter().map(|f| f.test_share).sum::<f64>() / folds.len().max(1) as f64;
    corrected_t_test(&differences, share)
}

/// The share of rows held back whose largest probability is that of the same class.
fn same_class(fitted: &Fitted<'_>) -> Option<f64> {
    let n_classes = fitted.target.classes.len();
    let held: Vec<&HeldBack> = fitted.validated.held.iter().filter(|part| !part.floats.is_empty()).collect();
    if n_classes == 0 || held.is_empty() {
        return None;
    }
    let chosen = |p: &[f64]| fitted.validated.decision.of(p);
    let (mut same, mut all) = (0usize, 0usize);
    for part in held {
        let rows = part.linked.chunks_exact(n_classes).zip(part.floats.chunks_exact(n_classes));
        same += rows.filter(|(a, b)| chosen(a) == chosen(b)).count();
        all += part.rows.len();
    }
    Some(same as f64 / all.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_tell_whether_rounding_matters() {
        let fold = |integer, float| FoldScore { integer, float, test_share: 0.25 };
        let alike = [(0.9, 0.901), (0.8, 0.799), (0.85, 0.8501), (0.86, 0.8599)];
        let alike: Vec<FoldScore> = alike.map(|(a, b)| fold(a, Some(b))).to_vec();
        assert!(p_value(&alike).unwrap() > 0.5);
        let worse = [(0.9, 0.91), (0.8, 0.811), (0.85, 0.859), (0.86, 0.8705)];
        let worse: Vec<FoldScore> = worse.map(|(a, b)| fold(a, Some(b))).to_vec();
        assert!(p_value(&worse).unwrap() < 0.01);
        assert_eq!(p_value(&[fold(0.9, None), fold(0.8, Some(0.8))]), None);
        assert_eq!(p_value(&[]), None);
    }
}
