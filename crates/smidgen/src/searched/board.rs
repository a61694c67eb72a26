//! What people see while trials go on: time or trials left, the best so far, what is tried and why.

use super::{Workshop, score_of};
use jobs::Ctx;
use search::{Asked, Outcome, Trial, View};

/// Candidates that are shown.
const SHOWN: usize = 5;
/// Characters of a candidate.
const WIDTH: usize = 64;

pub(super) struct Board<'b, 't> {
    of: &'b Workshop<'t>,
    ctx: &'b Ctx<'b>,
    n_tried: usize,
    /// The best ones so far, the best one first.
    leaders: Vec<(Outcome, Trial)>,
    told: u64,
}

impl<'b, 't> Board<'b, 't> {
    pub(super) fn new(of: &'b Workshop<'t>, ctx: &'b Ctx<'b>) -> Board<'b, 't> {
        // In trials, or in seconds.
        let total = ctx.budget.units().or(ctx.budget.left().map(|left| left.as_secs()));
        ctx.progress.stage("searching", total.filter(|n| *n < u64::MAX));
        Board { of, ctx, n_tried: 0, leaders: Vec::new(), told: ctx.budget.clock().elapsed().as_secs() }
    }

    /// The score of an error, or what is known instead.
    fn score(&self, outcome: &Outcome) -> String {
        outcome.error.map_or_else(String::new, |error| shown(score_of(self.of.metric, error)))
    }
}

impl View for Board<'_, '_> {
    fn trying(&mut self, asked: &Asked) {
        let mut lines: Vec<String> = Vec::with_capacity(SHOWN + 2);
        for (place, (outcome, trial)) in self.leaders.iter().enumerate() {
            let (score, what) = (self.score(outcome), cut(&trial.describe()));
            lines.push(format!("  {}. {} {score}  {what}", place + 1, self.of.metric.name));
        }
        let what = cut(&asked.trial.describe());
        lines.push(format!("  candidate {}: {what} ({})", self.n_tried + 1, asked.why));
        self.ctx.progress.board(&lines);
    }

    fn tried(&mut self, trial: &Trial, outcome: &Outcome) {
        self.n_tried += 1;
        let now = self.ctx.budget.clock().elapsed().as_secs();
        let steps = if self.ctx.budget.left().is_none() { 1 } else { now - self.told };
        self.told = now;
        self.ctx.progress.advance(steps);
        if outcome.error.is_none() {
            return;
        }
        let is_before = |(known, _): &(Outcome, Trial)| !outcome.is_better(Some(known));
        let place = self.leaders.iter().take_while(|known| is_before(known)).count();
        self.leaders.insert(place, (outcome.clone(), trial.clone()));
        self.leaders.truncate(SHOWN);
        if place == 0 {
            let (metric, score) = (self.of.metric.name, self.score(outcome));
            let what = trial.describe();
            self.ctx.progress.note(&format!("{metric} {score} by trial {}: {what}", self.n_tried));
        }
    }
}

/// Enough digits to see which of two candidates is better.
fn shown(score: f64) -> String {
    let digits = (5.0 - score.abs().log10().floor()).clamp(0.0, 5.0) as usize;
    format!("{score:.digits$}")
}

/// The first characters of a text that may be long.
fn cut(text: &str) -> String {
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{} ..", &text[..end]),
        None => text.to_owned(),
    }
}
