//! What a model is worth, beyond its metrics: how sure a score is, whether one model is better than another,
//! what moves its predictions, and the page that shows all of it to a person.
//!
//! Everything here looks at predictions and at graphs; nothing learns.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may unwrap"))]

mod bootstrap;
mod distributions;
mod error_intervals;
pub mod explain;
pub mod number;
mod paired;
mod paired_tests;
pub mod report;

pub use bootstrap::score_interval;
pub use error_intervals::{ErrorInterval, error_intervals};
pub use paired::{Compared, Mismatch, Pair, Test};
pub use paired_tests::{DeLong, ScoredRow, corrected_t_test, delong, mcnemar};
