//! The contract of the Observer family.
//!
//! The life of an observer: (1) its name and parameters are read ([`crate::Member::parse`]); (2) statistics of
//! calibration rows, or of weights, are gathered without it; (3) `range` chooses an interval for a format of integers;
//! (4) the interval is widened to hold 0, since padding, zeros of ReLU and absent weights must be exact.

use crate::error::{Error, Kind};
use crate::family::{Family, Member};
use crate::grid::IntegerFormat;
use crate::statistics::Channel;
use params::{ParamSpec, Params};

/// An interval of reals that holds 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    low: f32,
    high: f32,
}

impl Range {
    /// `low..=high`; none unless both are finite and 0 lies between them.
    pub fn try_new(low: f32, high: f32) -> Option<Range> {
        // -0 becomes 0.
        let holds_zero = low <= 0.0 && high >= 0.0 && low.is_finite() && high.is_finite();
        holds_zero.then_some(Range { low: low + 0.0, high: high + 0.0 })
    }

    /// Lower end, at most 0.
    pub fn low(self) -> f32 {
        self.low
    }

    /// Upper end, at least 0.
    pub fn high(self) -> f32 {
        self.high
    }

    /// The larger size of an end.
    pub fn largest(self) -> f32 {
        self.high.max(-self.low)
    }
}

/// An observer chooses a range.
pub trait Observer: Sync {
    /// The interval for values as seen; it need not hold 0. Exact: the same statistics give the same bits.
    /// Called with at least one value.
    fn range(&self, seen: &Channel, format: &IntegerFormat, params: &Params) -> (f64, f64);
}

/// One line of the table.
pub struct ObserverEntry {
    /// Name on the command line.
    pub name: &'static str,
    /// Names that others give it; accepted, never printed.
    pub aliases: &'static [&'static str],
    /// What it is, in one line.
    pub doc: &'static str,
    /// Its parameters.
    pub spec: &'static [ParamSpec],
    /// The observer.
    pub observer: &'static dyn Observer,
}

impl std::fmt::Debug for ObserverEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Family for ObserverEntry {
    const FAMILY: &'static str = "observer";

    fn table() -> &'static [&'static ObserverEntry] {
        super::OBSERVERS
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

impl Member<ObserverEntry> {
    /// The range that the observer chooses for integers of a format; it holds 0.
    ///
    /// # Errors
    /// `NothingSeen` without a finite value; `BadRange` is a defect.
    pub fn range(&self, seen: &Channel, format: &IntegerFormat) -> Result<Range, Error> {
        let observer = self.entry().name;
        let whole = seen.whole();
        if whole.n() == 0 {
            let (n_nan, n_infinite) = (whole.n_nan(), whole.n_infinite());
            return Err(Kind::NothingSeen { observer, n_nan, n_infinite }.into());
        }
        let (low, high) = self.entry().observer.range(seen, format, self.params());
        // An end beyond single precision stops at its largest number.
        let single = |x: f64| x.clamp(f32::MIN.into(), f32::MAX.into()) as f32;
        let (least, most) = (single(low.min(0.0)), single(high.max(0.0)));
        let range = if low.is_nan() || high.is_nan() { None } else { Range::try_new(least, most) };
        range.ok_or_else(|| Kind::BadRange { observer, low, high }.into())
    }
}
