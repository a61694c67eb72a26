//! Networks in few bits: what values do, which integers stand for them, and what that costs.
//!
//! Four families, each a folder with one file a member and one table: an observer ([`observe`]) chooses a range from
//! what [`Statistics`] saw, a grid ([`grid`]) the real values that integers stand for, a rounding ([`rounding`]) the
//! integer of a number, and a correction ([`correct`]) changes what stands around, so that all this costs less.
//! `laws.rs` in each folder runs on every member. Everything is one sentence, `real = scale * (q - zero_point)`, or a
//! table of small integers times one scale, so that an integer engine computes with what is chosen here, exactly.

mod alone;
mod bias_correction;
mod calibrate;
mod decide;
mod decisions;
mod effect;
pub mod correct;
mod error;
mod family;
pub mod grid;
mod guard;
mod lower;
pub mod observe;
mod pipeline;
mod places;
mod qdq;
mod roles;
pub mod rounding;
mod sample;
mod scheme;
mod segments;
mod statistics;

pub use alone::{Alone, Variant};
pub use bias_correction::LayerError;
pub use calibrate::Rows;
pub use decide::Precision;
pub use decisions::{Decisions, StoredWeights};
pub use effect::{Effect, effect};
pub use correct::{CORRECTIONS, Correction, CorrectionEntry};
pub use error::{Error, Kind};
pub use family::{Family, Member};
pub use grid::{
    Affine, Data, GRIDS, Granularity, GridEntry, IntegerFormat, Levels, QParams, Sign, Span, Symmetry, Table,
};
pub use guard::{Exceptions, Guarded, Verdict, guard};
pub use lower::{Lowered, lower};
pub use observe::{OBSERVERS, ObserverEntry, Range};
pub use pipeline::{Observed, Quantized};
pub use roles::{Joint, Layer, Role, Roles};
pub use rounding::{ROUNDINGS, Rounding, RoundingEntry};
pub use scheme::{Codes, Corrections, Pipeline, Scheme, Sharing, Side};
pub use statistics::{Channel, MOVING_ROWS, Statistics, Summary};
