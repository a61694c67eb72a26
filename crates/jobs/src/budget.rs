//! What a run may cost: wall time, or units of work that any machine can repeat.

use crate::Clock;
use std::time::Duration;

/// A limit on wall time or on units of work. With units of work the clock is never asked.
#[derive(Clone, Debug)]
pub struct Budget {
    clock: Clock,
    time: Option<Duration>,
    work: Option<u64>,
}

impl Budget {
    /// At most this long, counted from `clock`.
    pub fn time(clock: Clock, time: Duration) -> Budget {
        Budget { clock, time: Some(time), work: None }
    }

    /// Exactly this many units of work, however long they take.
    pub fn work(clock: Clock, units: u64) -> Budget {
        Budget { clock, time: None, work: Some(units) }
    }

    /// A budget that ends when this share of the time left is used; units stay as they are.
    pub fn share(&self, share: f64) -> Budget {
        let part = |left: Duration| self.clock.elapsed() + left.mul_f64(share.clamp(0.0, 1.0));
        Budget { clock: self.clock, time: self.left().map(part), work: self.work }
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
