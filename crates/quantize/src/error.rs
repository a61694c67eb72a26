//! Errors of this crate.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// No member of that name.
    #[error("unknown {family} \"{name}\"{suggestion}; known: {known}")]
    UnknownMember {
        /// The family.
        family: &'static str,
        /// The name asked for.
        name: String,
        /// `; did you mean ..?`, or nothing.
        suggestion: String,
        /// The names that there are.
        known: String,
    },
    /// A member that is not spelled as one.
    #[error("{family} \"{text}\": expected NAME or NAME:PARAM=VALUE,PARAM=VALUE.., got \"{part}\"")]
    Spelling {
        /// The family.
        family: &'static str,
        /// What was given.
        text: String,
        /// The part that is not understood.
        part: String,
    },
    /// A graph that is not well formed.
    #[error(transparent)]
    Graph(#[from] ir::Error),
    /// A network that does not run on the rows.
    #[error(transparent)]
    Run(#[from] runtime::Error),
    /// Rows that cannot be had.
    #[error("{what}")]
    Rows {
        /// Why not, in the words of whoever reads them.
        what: String,
    },
    /// Whoever watches does not want to go on.
    #[error("interrupted")]
    Interrupted,
    /// A setting that the member does not take.
    #[error(transparent)]
    Params(#[from] params::Error),
    /// Values that do not fit together.
    #[error("quantization: {what}: expected {expected}, got {got}")]
    Shape {
        /// What does not fit.
        what: &'static str,
        /// What is asked for.
        expected: String,
        /// What is there.
        got: String,
    },
    /// Nothing to choose a range from.
    #[error(
        "observer {observer}: no finite value was seen ({n_nan} NaN, {n_infinite} infinite); give other calibration rows, or keep this tensor in float"
    )]
    NothingSeen {
        /// The observer.
        observer: &'static str,
        /// NaN that were seen.
        n_nan: u64,
        /// Infinities that were seen.
        n_infinite: u64,
    },
    /// A range that is none: a defect.
    #[error("observer {observer}: the range {low}..={high} is not finite or does not hold 0")]
    BadRange {
        /// The observer.
        observer: &'static str,
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// Bits that a grid does not have.
    #[error("grid {grid}: {bits} bits are not supported; use {expected}")]
    Bits {
        /// The grid.
        grid: &'static str,
        /// The bits asked for.
        bits: u8,
        /// Those that it has.
        expected: String,
    },
    /// Groups that do not divide a channel.
    #[error("groups of {len} along axis {axis}: {per_channel} values per channel are not a multiple of {len}; use group:{}", divisors(*.per_channel, *.len))]
    Group {
        /// The axis kept.
        axis: usize,
        /// Values of a group.
        len: usize,
        /// Values of a channel.
        per_channel: usize,
    },
    /// An axis that there is not.
    #[error("granularity: axis {axis} of a tensor with {rank} axes; expected an axis below {rank}")]
    Axis {
        /// The axis asked for.
        axis: usize,
        /// Axes of the tensor.
        rank: usize,
    },
}

/// Up to three lengths at most `len` that divide `per_channel`, the largest first.
fn divisors(per_channel: usize, len: usize) -> String {
    let fits = (1..=len.min(per_channel)).rev().filter(|d| per_channel.is_multiple_of(*d));
    fits.take(3).map(|d| d.to_string()).collect::<Vec<_>>().join(" or ")
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> &Kind {
        &self.0
    }

    /// Whose business it is.
    pub fn nature(&self) -> ir::Nature {
        match &*self.0 {
            Kind::Graph(e) => e.nature(),
            Kind::Run(e) => e.nature(),
            Kind::Bits { .. } => ir::Nature::Unsupported,
            Kind::BadRange { .. } => ir::Nature::Bug,
            Kind::UnknownMember { .. }
            | Kind::Spelling { .. }
            | Kind::Interrupted
            | Kind::Rows { .. }
            | Kind::Params(_)
            | Kind::Shape { .. }
            | Kind::NothingSeen { .. }
            | Kind::Group { .. }
            | Kind::Axis { .. } => ir::Nature::Input,
        }
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Error {
        Error(Box::new(kind))
    }
}

impl From<ir::Error> for Error {
    fn from(error: ir::Error) -> Error {
        Kind::Graph(error).into()
    }
}

impl From<runtime::Error> for Error {
    fn from(error: runtime::Error) -> Error {
        Kind::Run(error).into()
    }
}

impl From<params::Error> for Error {
    fn from(error: params::Error) -> Error {
        Kind::Params(error).into()
    }
}

/// Values that do not fit together.
pub(crate) fn misfit(what: &'static str, expected: impl ToString, got: impl ToString) -> Error {
    Kind::Shape { what, expected: expected.to_string(), got: got.to_string() }.into()
}
