//! The Grid family: which real values the integers of a few bits stand for.
//!
//! A member is one file and one line in [`GRIDS`]; its file owns its parameters (`SPEC`), source and tests. What it
//! makes are [`Levels`]: `scale * (q - zero_point)`, or a table of small integers times one scale. `laws.rs` runs on
//! every member. [`QParams`] holds the levels of a tensor, one for each part that [`Granularity`] cuts it into.

mod affine;
mod binary;
mod codebook;
mod data;
mod distortion;
mod format;
mod granularity;
mod k_means;
mod levels;
mod log;
mod pow2;
mod qparams;
mod table;
mod ternary;

#[cfg(test)]
mod laws;

pub use data::Data;
pub(crate) use data::sizes_above;
pub use distortion::Distortion;
pub use format::{IntegerFormat, Sign, Span, Symmetry};
pub use granularity::Granularity;
pub use levels::{Affine, Levels};
pub use qparams::QParams;
pub use table::Table;

use crate::error::{Error, Kind, misfit};
use crate::family::{Family, Member};
use crate::observe::Range;
use params::{ParamSpec, Params};

/// Every grid.
pub static GRIDS: &[&GridEntry] =
    &[&affine::ENTRY, &pow2::ENTRY, &log::ENTRY, &codebook::ENTRY, &ternary::ENTRY, &binary::ENTRY];

/// Values that share one scale.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The values.
    pub data: Data<'a>,
    /// The range that an observer chose for them.
    pub range: Range,
}

/// A grid chooses levels.
pub trait Grid: Sync {
    /// Levels of each part of a tensor; where they are tables, all hold the same integers, so that one table serves the
    /// tensor. Exact: the same input gives the same bits.
    ///
    /// # Errors
    /// Levels that do not hold together: a defect of the grid.
    fn levels(
        &self,
        parts: &[Part<'_>],
        format: &IntegerFormat,
        params: &Params,
    ) -> Result<Vec<Levels>, Error>;
}

/// One line of the table.
pub struct GridEntry {
    /// Name on the command line.
    pub name: &'static str,
    /// Names that others give it; accepted, never printed.
    pub aliases: &'static [&'static str],
    /// What it is, in one line.
    pub doc: &'static str,
    /// Bits that it has.
    pub bits: &'static [u8],
    /// Its parameters.
    pub spec: &'static [ParamSpec],
    /// The grid.
    pub grid: &'static dyn Grid,
}

impl std::fmt::Debug for GridEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Family for GridEntry {
    const FAMILY: &'static str = "grid";

    fn table() -> &'static [&'static GridEntry] {
        GRIDS
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

impl Member<GridEntry> {
    /// Levels for values, of which an observer chose `range`.
    ///
    /// # Errors
    /// As [`Member::levels_of_parts`].
    pub fn levels(&self, data: &Data<'_>, range: Range, format: &IntegerFormat) -> Result<Levels, Error> {
        let levels = self.levels_of_parts(&[Part { data: *data, range }], format)?;
        levels.into_iter().next().ok_or_else(|| misfit("levels of a grid", 1, 0))
    }

    /// Levels of each part of a tensor; tables of all parts hold the same integers.
    ///
    /// # Errors
    /// `Bits` for bits that the grid does not have.
    pub fn levels_of_parts(&self, parts: &[Part<'_>], format: &IntegerFormat) -> Result<Vec<Levels>, Error> {
        let entry = self.entry();
        if !entry.bits.contains(&format.bits()) {
            let expected = entry.bits.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
            return Err(Kind::Bits { grid: entry.name, bits: format.bits(), expected }.into());
        }
        entry.grid.levels(parts, format, self.params())
    }
}
