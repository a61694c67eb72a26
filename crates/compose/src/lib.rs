//! What is made of fitted models: probability calibration, the Calibrator family in [`calibrate`], and one model of
//! several, the Ensemble family in [`combine`].
//!
//! It stands above `recipe`, which fits and assembles; what is learnt here from out-of-fold scores goes back to it
//! as data ([`recipe::ScoreMap`], [`recipe::Combination`]), so graphs are still made in one place.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may unwrap"))]

pub mod calibrate;
pub mod combine;
mod error;

pub use error::{Error, Kind};
