//! Resources of a run: threads, time, work, cancelling, progress.
//!
//! Resources never change results: the same seed gives the same bytes on any number of threads.
//! So tasks are numbered, results come back in task order, and the clock is asked only to decide
//! whether another unit of work is started, never what it computes.

mod background;
mod budget;
mod cancel;
mod clock;
mod executor;
mod memory;
mod progress;
mod seed;
mod threads;

pub use background::background;
pub use budget::Budget;
pub use cancel::Cancel;
pub use clock::Clock;
pub use executor::{Executor, InTurn};
pub use memory::memory_in_use;
pub use progress::{Progress, Silent};
pub use seed::Seed;
pub use threads::Threads;

/// The resources that a piece of work may use.
#[derive(Clone, Copy)]
pub struct Ctx<'a> {
    /// Where parallel work runs.
    pub threads: &'a Threads,
    /// What the whole run may cost.
    pub budget: &'a Budget,
    /// Whether the user has had enough.
    pub cancel: &'a Cancel,
    /// Where the user sees what goes on.
    pub progress: &'a dyn Progress,
}

impl Ctx<'_> {
    /// True when work should end with what it has: it was cancelled, or no time is left.
    pub fn is_over(&self) -> bool {
        self.cancel.is_cancelled() || self.budget.is_spent()
    }
}
