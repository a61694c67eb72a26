//! Networks in few bits: what values do, which integers stand for them, and what that costs.
//!
//! Four families, each a folder with one file a member and one table: an [`observe`]r chooses a range from what
//! [`Statistics`] saw, a [`grid`] chooses the real values that integers stand for, a [`rounding`] turns a number into
//! one of these integers. `laws.rs` in each folder runs on every member. Everything is one sentence,
//! `real = scale * (q - zero_point)`, or a table of small integers times one scale, so that an integer engine can
//! compute with what is chosen here, exactly.

mod error;
mod family;
pub mod grid;
pub mod observe;
pub mod rounding;
mod statistics;

pub use error::{Error, Kind};
pub use family::{Family, Member};
pub use grid::{
    Affine, Data, GRIDS, Granularity, GridEntry, IntegerFormat, Levels, QParams, Sign, Span, Symmetry, Table,
};
pub use observe::{OBSERVERS, ObserverEntry, Range};
pub use rounding::{ROUNDINGS, Rounding, RoundingEntry};
pub use statistics::{Channel, MOVING_ROWS, Statistics, Summary};
