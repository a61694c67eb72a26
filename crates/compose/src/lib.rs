//! What is made of fitted models: so far probability calibration, the Calibrator family in [`calibrate`].
//!
//! It stands above `recipe`, which fits and assembles; what is learnt here from out-of-fold scores goes back to it
//! as data ([`recipe::ScoreMap`]), so graphs are still made in one place.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may unwrap"))]

pub mod calibrate;
mod error;

pub use error::{Error, Kind};
