//! Networks in few bits: what values do, which integers stand for them, and what that costs.
//!
//! Four families, each a folder with one file a member and one table: an observer ([`observe`]) chooses a range from
//! what [`Statistics`] saw, a grid ([`grid`]) the real values that integers stand for, a rounding ([`rounding`]) the
//! integer of a number, and a correction ([`correct`]) changes what stands around, so that all this costs less.
//! `laws.rs` in each folder runs on every member. Everything is one sentence, `real = scale * (q - zero_point)`, or a
//! table of small integers times one scale, so that an integer engine computes with what is chosen here, exactly.
//!
//! ```
//! # use smidgen_quantize::*;
//! let weights = [0.31, -0.2, 0.02, 0.44, -9.0, 3.5, 1.0, 0.0];
//! let format = IntegerFormat::weights(4)?;
//! let (observer, grid) = (Member::<ObserverEntry>::parse("mse")?, Member::<GridEntry>::parse("affine")?);
//! let observe = |part: &[f32]| observer.range(&Channel::of(part), &format);
//! let granularity = Granularity::PerChannel { axis: 0 };
//! let params = QParams::by_grid(&weights, &[2, 4], granularity, &grid, &format, observe)?;
//! let codes = params.codes(&weights, &Rounding::HALF_EVEN)?;
//! assert_eq!(codes, [5, -3, 0, 7, -7, 3, 1, 0]);
//! # Ok::<(), Error>(())
//! ```

mod alone;
mod bias_correction;
mod bins;
mod calibrate;
pub mod correct;
mod decide;
mod decisions;
mod diagnose;
mod dynamic;
mod effect;
mod error;
mod family;
mod forms;
pub mod grid;
mod guard;
mod ladder;
mod lower;
mod mend;
pub mod observe;
mod pipeline;
mod places;
mod portability;
mod qdq;
mod roles;
pub mod rounding;
mod sample;
mod scheme;
mod segments;
mod statistics;

pub use alone::{Alone, Variant};
pub use bias_correction::LayerError;
pub use bins::Bins;
pub use calibrate::Rows;
pub use correct::{CORRECTIONS, Claim, Correction, CorrectionEntry};
pub use decide::Precision;
pub use decisions::{Decisions, StoredWeights};
pub use diagnose::{Cause, LayerReport, Remedy, diagnose};
pub use dynamic::{dynamic, weights_only};
pub use effect::{Effect, effect};
pub use error::{Error, Kind};
pub use family::{Family, Member};
pub use forms::{FormSteps, between_forms};
pub use grid::{
    Affine, Data, GRIDS, Granularity, GridEntry, IntegerFormat, Levels, Part, QParams, Sign, Span, Symmetry,
    Table,
};
pub use guard::{Exceptions, Guarded, Path, Rung, Step, Verdict, guard};
pub use ladder::path;
pub use lower::{Lowered, lower};
pub use mend::{Mended, Told, mend};
pub use observe::{OBSERVERS, ObserverEntry, Range};
pub use pipeline::{Observed, Quantized};
pub use portability::{Portability, Saturation, portability};
pub use roles::{Joint, Layer, Role, Roles};
pub use rounding::{ROUNDINGS, Rounding, RoundingEntry};
pub use scheme::{Codes, Corrections, Pipeline, Scheme, Sharing, Side};
pub use statistics::{Channel, MOVING_ROWS, Piece, Statistics, Summary};
