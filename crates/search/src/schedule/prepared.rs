//! The first preparation, which comes among the first guesses.

use super::{Arm, FOLD, PREPARED, Schedule, Told};
use crate::changes::Change;
use crate::trial::{Outcome, Trial};

impl Schedule {
    /// The best trial behind the first preparation that there is for it, where it has none, once half of the first guesses
    /// are told and it has room: what helps most must not wait for its turn among the changes of all learners, since all
    /// that comes later goes on from it.
    pub(super) fn add_prepared(&mut self) {
        if self.is_prepared || 2 * self.told.len() < self.n_guesses {
            return;
        }
        let has_room = |told: &&Told| told.outcome.excess <= 0.0;
        let Some(best) = self.best().filter(has_room).cloned() else { return };
        let Some(arm) = self.arms.iter().position(|arm| arm.entry.name == best.trial.learner) else { return };
        self.is_prepared = true;
        let is_prepared = |change: &Change| matches!(change, Change::Prepare(_));
        let next = self.arms[arm].changes.iter().rposition(is_prepared);
        if let Some(next) = next.filter(|_| best.trial.transforms.is_empty())
            && let Some(trial) = self.arms[arm].take_change(next, &best.trial)
        {
            self.prepared = Some((trial.bytes(), best.outcome.rungs[FOLD]));
            self.open.push((arm, trial, PREPARED));
        }
    }

    /// What the first preparation came to: where it helped, the best trial of its learner is tried behind it, which may be
    /// another one by now, and so is what was not asked for yet.
    pub(super) fn told_prepared(&mut self, arm: usize, trial: &Trial, outcome: &Outcome) {
        let known = self.prepared.take_if(|(bytes, _)| *bytes == trial.without_bars().bytes());
        let Some((_, Some(before))) = known else { return };
        if outcome.rungs[FOLD].is_some_and(|error| error < before) {
            self.arms[arm].helps = trial.transforms.clone();
            let best = self.arms[arm].best.as_ref().map(|(_, best)| best.without_bars());
            let best = best.filter(|best| best.transforms.is_empty());
            self.open.extend(best.map(|best| (arm, self.arms[arm].helped(best), PREPARED)));
        }
    }
}

impl Arm {
    /// A trial behind the preparation that helped, unless it has one.
    pub(super) fn helped(&self, mut trial: Trial) -> Trial {
        if trial.transforms.is_empty() {
            trial.transforms = self.helps.clone();
        }
        trial
    }
}
