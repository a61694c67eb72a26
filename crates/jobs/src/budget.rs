//! What a run may cost: wall time, or units of work that any machine can repeat.

use crate::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A limit on wall time or on units of work. With units of work the clock is never asked.
#[derive(Clone, Debug)]
pub struct Budget {
    clock: Clock,
    time: Option<Duration>,
    work: Option<u64>,
    was_spent: Arc<AtomicBool>,
}

impl Budget {
    /// At most this long, counted from `clock`.
    pub fn time(clock: Clock, time: Duration) -> Budget {
        Budget { clock, time: Some(time), work: None, was_spent: Arc::default() }
    }

    /// Exactly this many units of work, however long they take.
    pub fn work(clock: Clock, units: u64) -> Budget {
        Budget { clock, time: None, work: Some(units), was_spent: Arc::default() }
    }

    /// The same time, and at most this many units of work.
    pub fn with_units(&self, units: u64) -> Budget {
        Budget { work: Some(units), ..self.clone() }
    }

    /// A budget that ends when this share of the time left is used; units stay as they are.
    pub fn share(&self, share: f64) -> Budget {
        let part = |left: Duration| self.clock.elapsed() + left.mul_f64(share.clamp(0.0, 1.0));
        Budget { time: self.left().map(part), ..self.clone() }
    }

    /// The same limits, of which nobody was told yet that they are reached.
    pub fn anew(&self) -> Budget {
        Budget { was_spent: Arc::default(), ..self.clone() }
    }

    /// True when no time is left. Whoever asks stops then, and [`Budget::was_spent`] tells of it.
    pub fn is_spent(&self) -> bool {
        let is_spent = self.left().is_some_and(|left| left.is_zero());
        if is_spent {
            self.was_spent.store(true, Ordering::Relaxed);
        }
        is_spent
    }

    /// Whether somebody was told that no time is left, of this budget or of a share of it.
    pub fn was_spent(&self) -> bool {
        self.was_spent.load(Ordering::Relaxed)
    }

    /// The clock that the budget is counted on.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Units of work, if the budget is in units.
    pub fn units(&self) -> Option<u64> {
        self.work
    }

    /// Time left, or `None` when time does not matter.
    pub fn left(&self) -> Option<Duration> {
        self.time.map(|t| t.saturating_sub(self.clock.elapsed()))
    }

    /// True when work that takes `expected` would end after the limit.
    pub fn exceeds(&self, expected: Duration) -> bool {
        self.left().is_some_and(|left| left < expected)
    }
}
