//! Growing trees on codes.
//!
//! Columns become codes once ([`Encoder`], [`CodeMatrix`]); a boosted forest is then grown with
//! integer gradients ([`boost`]), integer histograms and leaves rounded to the deployed grid inside
//! the loop, so the forest that was trained is the forest that predicts, on any number of threads.
//! [`compact`] keeps the features, edges and categories that a forest uses and gives the
//! [`ir::Forest`] that the graph holds.
//!
//! [`import()`] makes a graph of a forest that LightGBM or XGBoost trained.

mod additive;
mod average;
mod boost;
mod by_gradient;
mod compact;
mod constraint;
mod direct;
mod edges;
mod encode;
mod error;
mod grow;
mod histogram;
mod import;
mod matrix;
mod objective;
mod packed;
mod partition;
mod rules;
mod sample;
mod soil;
mod split;
#[cfg(test)]
mod tests;

pub use additive::{Additive, AdditiveParams, Term, additive};
pub use average::{Average, AverageParams, Draw, average};
pub use boost::{
    BoostInput, BoostParams, Boosted, LeafGrid, Offsets, Onto, Rounds, Rows, boost, boost_floats,
};
pub use compact::{Compact, UsedFeature, compact};
pub use encode::Encoder;
pub use error::{Error, Kind};
pub use import::{Imported, Library, import, library_of};
pub use matrix::CodeMatrix;
pub use objective::{Loss, OneTarget, OneValues, Target};
