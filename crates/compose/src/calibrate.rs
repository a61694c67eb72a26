//! The Calibrator family: probability calibration, that is making probabilities agree with frequencies.
//!
//! A member is one file and one line in [`CALIBRATORS`]; its file owns its parameters (`SPEC`), source and tests. It
//! learns a curve for each score from out-of-fold rows ([`calibrator`]); [`choose`] decides by cross-fitting whether
//! one helps. What is learnt is a [`recipe::ScoreMap`], which becomes integers in front of the model's link.
//! `laws.rs` runs on every member.

mod beta;
mod calibrator;
mod choose;
mod isotonic;
mod platt;
mod temperature;
mod vector;

#[cfg(test)]
mod laws;

pub use calibrator::{Calibrator, CalibratorEntry, ScoredRows};
pub use choose::{Asked, Calibrated, Figures, choose};
pub(crate) use isotonic::rising;

use crate::error::{Error, Kind};

/// Every calibrator, those of fewer numbers first: a later one is chosen only if it is clearly better.
pub static CALIBRATORS: &[&CalibratorEntry] =
    &[&temperature::ENTRY, &platt::ENTRY, &beta::ENTRY, &isotonic::ENTRY, &vector::ENTRY];

/// The calibrator of a name.
///
/// # Errors
/// `UnknownCalibrator` lists the known ones.
pub fn calibrator(name: &str) -> Result<&'static CalibratorEntry, Error> {
    let found = CALIBRATORS.iter().find(|c| c.name == name);
    found.copied().ok_or_else(|| {
        let names = || CALIBRATORS.iter().map(|c| c.name);
        let suggestion = params::suggestion(name, names());
        let known = names().collect::<Vec<_>>().join(", ");
        Kind::UnknownCalibrator { name: name.to_owned(), suggestion, known }.into()
    })
}
