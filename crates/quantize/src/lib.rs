//! Networks in few bits: what values do, which integers stand for them, and what that costs.
//!
//! Four families, each a folder with one file a member and one table: an observer ([`observe`]) chooses a range from
//! what [`Statistics`] saw, a grid ([`grid`]) the real values that integers stand for, a rounding ([`rounding`]) the
//! integer of a number, and a correction ([`correct`]) changes what stands around, so that all this costs less.
//! `laws.rs` in each folder runs on every member. Everything is one sentence, `real = scale * (q - zero_point)`, or a
//! table of small integers times one scale, so that an integer engine computes with what is chosen here, exactly.

pub mod correct;
mod error;
mod family;
pub mod grid;
pub mod observe;
pub mod rounding;
mod statistics;

pub use correct::{CORRECTIONS, Claim, Correction, CorrectionEntry};
pub use error::{Error, Kind};
pub use family::{Family, Member};
pub use grid::{
    Affine, Data, GRIDS, Granularity, GridEntry, IntegerFormat, Levels, Part, QParams, Sign, Span, Symmetry,
    Table,
};
pub use observe::{OBSERVERS, ObserverEntry, Range};
pub use rounding::{ROUNDINGS, Rounding, RoundingEntry};
pub use statistics::{Channel, MOVING_ROWS, Statistics, Summary};
