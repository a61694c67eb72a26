//! The Rounding family: how a number between two levels becomes one of them.
//!
//! A member is one file and one line in [`ROUNDINGS`]. What it rounds is counted in steps: a whole number is a level.
//! `laws.rs` runs on every member.

mod ceil;
mod floor;
mod half_away;
mod half_even;
mod stochastic;
mod trunc;

#[cfg(test)]
mod laws;

use crate::error::Error;
use crate::family::{Family, Member};
use params::ParamSpec;

/// Every rounding.
pub static ROUNDINGS: &[&RoundingEntry] =
    &[&half_even::ENTRY, &half_away::ENTRY, &floor::ENTRY, &ceil::ENTRY, &trunc::ENTRY, &stochastic::ENTRY];

/// One line of the table.
pub struct RoundingEntry {
    /// Name on the command line.
    pub name: &'static str,
    /// Names that others give it; accepted, never printed.
    pub aliases: &'static [&'static str],
    /// What it is, in one line.
    pub doc: &'static str,
    /// Its parameters.
    pub spec: &'static [ParamSpec],
    /// The whole number for a number of steps. A function of the number, its place in its tensor and the seed alone, so
    /// that no order shows. NaN and infinities stay.
    pub round: fn(steps: f64, at: u64, seed: u64) -> f64,
}

impl std::fmt::Debug for RoundingEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Family for RoundingEntry {
    const FAMILY: &'static str = "rounding";

    fn table() -> &'static [&'static RoundingEntry] {
        ROUNDINGS
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn aliases(&self) -> &'static [&'static str] {
        self.aliases
    }

    fn spec(&self) -> &'static [ParamSpec] {
        self.spec
    }
}

/// A rounding with the seed that it draws by.
#[derive(Clone, Copy, Debug)]
pub struct Rounding {
    entry: &'static RoundingEntry,
    seed: u64,
}

impl Rounding {
    /// To the nearest, ties to even: what ONNX does.
    pub const HALF_EVEN: Rounding = Rounding { entry: &half_even::ENTRY, seed: 0 };

    /// The rounding that a text names; `seed` should differ from tensor to tensor.
    ///
    /// # Errors
    /// As [`Member::parse`].
    pub fn parse(text: &str, seed: u64) -> Result<Rounding, Error> {
        Ok(Rounding { entry: Member::<RoundingEntry>::parse(text)?.entry(), seed })
    }

    /// The same rounding with another seed.
    pub fn with_seed(self, seed: u64) -> Rounding {
        Rounding { seed, ..self }
    }

    /// Its line of the table.
    pub fn entry(&self) -> &'static RoundingEntry {
        self.entry
    }

    /// The whole number for a number of steps, which stands at place `at` of its tensor.
    #[inline]
    pub fn round(&self, steps: f64, at: u64) -> f64 {
        (self.entry.round)(steps, at, self.seed)
    }
}
