//! The Observer family: which range of the values seen integers should stand for.
//!
//! A member is one file and one line in [`OBSERVERS`]; its file owns its parameters (`SPEC`), source and tests. All
//! read the same [`crate::Statistics`], so one pass serves any number of them, and all serve weights (one row) and
//! activations. `laws.rs` runs on every member.

mod entropy;
mod lp;
mod mean_abs_dev;
mod mean_min_max;
mod mean_std;
mod min_max;
mod moving_average;
mod mse;
mod observer;
mod octav;
mod percentile;
mod search;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod published;
#[cfg(test)]
pub(crate) use laws::{bell, range};

pub use observer::{Observer, ObserverEntry, Range};

/// Every observer.
pub static OBSERVERS: &[&ObserverEntry] = &[
    &min_max::ENTRY,
    &moving_average::ENTRY,
    &mean_min_max::ENTRY,
    &mean_std::ENTRY,
    &mean_abs_dev::ENTRY,
    &percentile::ENTRY,
    &entropy::ENTRY,
    &mse::ENTRY,
    &lp::ENTRY,
    &octav::ENTRY,
];
