//! What a model is worth, beyond its metrics: how sure a score is, whether one model is better than another,
//! what moves its predictions, and the page that shows all of it to a person.
//!
//! Everything here looks at predictions and at graphs; nothing learns.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may unwrap"))]

pub mod explain;
