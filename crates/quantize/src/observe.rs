//! The Observer family: which range of the values seen integers should stand for.
//!
//! A member is one file and one line in [`OBSERVERS`]; its file owns its parameters (`SPEC`), source and tests. All
//! read the same [`crate::Statistics`], so one pass serves any number of them, and all serve weights (one row) and
//! activations. `laws.rs` runs on every member.

mod min_max;
mod observer;

#[cfg(test)]
mod laws;

pub use observer::{Observer, ObserverEntry, Range};

/// Every observer.
pub static OBSERVERS: &[&ObserverEntry] = &[&min_max::ENTRY];
