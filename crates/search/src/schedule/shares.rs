//! Trials made smaller: to what there is room for, or to a share of it, which members of an ensemble can have together.
//!
//! Fewer rounds of boosting have a learning rate that is as much higher. What has no trees to leave out has fewer tables
//! and bins. How large they become is only about known: choosing an ensemble weighs what they are.

use super::Arm;
use crate::changes::{Change, MOST_TREES, coarser};
use crate::trial::{Outcome, Trial};
use learn::Grows;
use params::Scale;

/// The share of the room for trees that a trial takes which was too large.
const ROOM: f64 = 0.9;
/// What took less of it than this is tried with more trees: how much fewer ones take is only guessed, since what a row
/// costs without trees, and where trees are read from, hang on other things.
const SCANT: f64 = 0.85;
/// Trees become larger where so much of the room is taken, and of bytes less than this share of that.
const SHORT: f64 = 0.5;
const SPARE: f64 = 0.6;
/// How many times as many leaves they have then, and as many trees: a row takes hardly longer in a large tree than in a
/// small one.
const WIDER: (i64, f64) = (3, 0.5);
/// Times that a learner's trees become larger.
const MOST_WIDER: usize = 2;
/// The parameter of boosting that makes each round count for more.
const RATE_OF_ROUNDS: &str = "learning_rate";
/// The parameter of trees that says how many leaves they have at most.
const LEAVES: &str = "max_leaves";
/// Trees below which a forest is not made smaller.
const FEWEST_TREES: i64 = 3;
/// Shares of the room at which the best trial of a learner is tried, with its bits, then with fewer: a little less than
/// halves and quarters of it, so that they have room together.
const SHARES: [f64; 4] = [0.48, 0.24, 0.72, 0.12];
/// About the share of its bytes that a tree takes with the next fewer bits.
const OF_FEWER_BITS: f64 = 0.8;
/// What takes less of tables, in the place of a share.
const TABLES: [&[(&str, &str)]; 3] = [
    &[("pairs", "3"), ("max_bins", "63"), ("table_bits", "8")],
    &[("pairs", "0"), ("max_bins", "31"), ("table_bits", "8")],
    &[("pairs", "0"), ("max_bins", "15"), ("table_bits", "6")],
];
/// Shares of a learner that are tried: all twice, since its best trial gets better.
pub(super) const MOST: usize = 4 * SHARES.len();

impl Arm {
    /// A trial that was too large with fewer rounds, or trees: about as many as there is room for, of a learning rate that
    /// is as much higher.
    pub(super) fn smaller(&self, trial: &Trial, outcome: &Outcome) -> Option<Trial> {
        if outcome.excess <= 0.0 {
            return None;
        }
        self.with_fewer(trial, self.n_trees(trial, outcome)?, ROOM / (1.0 + outcome.excess))
    }

    /// A trial that was made smaller than it had to be with more trees, each of which counts for less.
    pub(super) fn larger(&self, trial: &Trial, outcome: &Outcome) -> Option<Trial> {
        let taken = outcome.taken.filter(|taken| *taken > 0.0 && *taken < SCANT)?;
        self.with_trees(trial, self.n_trees(trial, outcome)?, ROOM / taken)
    }

    /// A trial of boosted trees that are not symmetric, which has room by its bytes but hardly any by its time, with fewer
    /// trees that are larger.
    pub(super) fn wider(&mut self, trial: &Trial, outcome: &Outcome) -> Option<Trial> {
        let taken = outcome.taken.filter(|taken| (SHORT..=1.0).contains(taken) && self.has("growth"))?;
        let params = self.entry.params(&trial.settings).ok()?;
        let axis = self.space.iter().find(|axis| axis.name == LEAVES)?;
        let Scale::Int(_, most) = axis.scale else { return None };
        let (leaves, n_trees) = (params.int(LEAVES), self.n_trees(trial, outcome)?);
        let is_worth =
            outcome.bytes_taken.unwrap_or(0.0) < SPARE * taken && params.word("growth") != "symmetric";
        if !is_worth || 2 * leaves > most || self.n_wider == MOST_WIDER {
            return None;
        }
        self.n_wider += 1;
        let mut wider = trial.without_bars();
        let set = [
            (LEAVES, (WIDER.0 * leaves).min(most)),
            (n_trees.0, ((WIDER.1 * n_trees.1 as f64) as i64).max(FEWEST_TREES)),
        ];
        wider.settings.retain(|(name, _)| set.iter().all(|(other, _)| name != other));
        wider.settings.extend(set.map(|(name, value)| (name.to_owned(), value.to_string())));
        Some(wider)
    }

    /// The best trial, which has room, in a form that takes less; forms are counted from the first that is tried.
    pub(super) fn at_share(&self, form: usize) -> Option<Trial> {
        let (outcome, best) = self.best.as_ref().filter(|(outcome, _)| outcome.excess <= 0.0)?;
        let form = form % (2 * SHARES.len());
        let Some(n_trees) = self.n_trees(best, outcome) else {
            let settings = *TABLES.get(form)?;
            return self.sets(settings).then(|| Change::Shrink(settings).of(best, None))?;
        };
        let (share, taken) = (SHARES[form % SHARES.len()], outcome.taken?);
        if form < SHARES.len() {
            return self.with_fewer(best, n_trees, share / taken);
        }
        let leaf_bits = self.entry.params(&best.settings).ok()?.int("leaf_bits");
        let settings = coarser(leaf_bits).filter(|settings| self.sets(settings))?;
        let coarse = Change::Shrink(settings).of(best, None)?;
        self.with_fewer(&coarse, n_trees, share / (OF_FEWER_BITS * taken))
    }

    /// Whether the learner has these parameters, and the user has set none of them.
    fn sets(&self, settings: &[(&str, &str)]) -> bool {
        settings.iter().all(|(name, _)| self.has(name) && !self.is_set(name))
    }

    fn has(&self, name: &str) -> bool {
        self.entry.spec().any(|param| param.name == name)
    }

    fn is_set(&self, name: &str) -> bool {
        self.fixed.iter().any(|(set, _)| set == name)
    }

    /// The parameter that says how many trees there are at most, and how many a trial had; `None` where a search cannot
    /// change that.
    fn n_trees(&self, trial: &Trial, outcome: &Outcome) -> Option<(&'static str, i64)> {
        let (name, count) = match self.entry.grows {
            Grows::Rounds => (MOST_TREES, i64::from(outcome.rounds?)),
            Grows::Trees => ("n_trees", self.entry.params(&trial.settings).ok()?.int("n_trees")),
            Grows::Rows | Grows::Passes => return None,
        };
        let is_free = self.has(name) && !self.is_set(name) && !self.is_set("n_trees");
        is_free.then_some((name, count))
    }

    /// A trial with a share of its trees; `None` if they are as many, or hardly any.
    fn with_fewer(&self, trial: &Trial, n_trees: (&str, i64), share: f64) -> Option<Trial> {
        (share < 1.0).then(|| self.with_trees(trial, n_trees, share))?
    }

    /// A trial with so many times its trees; `None` if they are as many, or hardly any.
    fn with_trees(&self, trial: &Trial, (name, count): (&str, i64), times: f64) -> Option<Trial> {
        let n_trees = (times * count as f64) as i64;
        if n_trees < FEWEST_TREES || n_trees == count {
            return None;
        }
        let mut sized = trial.without_bars();
        sized.settings.retain(|(set, _)| set != name);
        sized.settings.push((name.to_owned(), n_trees.to_string()));
        // Fewer steps of boosting must be as much longer.
        let axis =
            self.space.iter().find(|axis| axis.name == RATE_OF_ROUNDS && self.entry.grows == Grows::Rounds);
        if let Some((axis, Scale::Log(least, most))) = axis.map(|axis| (axis, axis.scale)) {
            let rate = self.entry.params(&trial.settings).ok()?.real(axis.name);
            let rate = (rate * count as f64 / n_trees as f64).clamp(least, most);
            sized.settings.retain(|(set, _)| set != axis.name);
            sized.settings.push((axis.name.to_owned(), axis.text(axis.place(&rate))));
        }
        Some(sized)
    }
}
