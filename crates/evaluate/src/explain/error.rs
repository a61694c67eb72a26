//! Why something cannot be explained.

use ir::Nature;

/// An error of explaining.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// The graph has no integer score before a link.
    #[error(
        "explain: the model has no score: expected a link of integer scores behind its output, got {got}"
    )]
    NoScore {
        /// What stands there.
        got: String,
    },
    /// There are no rows to compare with.
    #[error(
        "explain: background: expected one or more rows, got none; give rows of the kind that is predicted"
    )]
    NoRows,
    /// Another number of something than rows, columns or scores ask for.
    #[error("explain: {what}: expected {expected}, got {got}")]
    Misfit {
        /// What does not fit.
        what: &'static str,
        /// What was expected.
        expected: usize,
        /// What was given.
        got: usize,
    },
    /// A tree that is deeper than the recursion may be.
    #[error("explain: tree {tree}: expected at most {most} splits on the way to a leaf, got more")]
    Deep {
        /// Place of the tree in its forest.
        tree: usize,
        /// The largest depth.
        most: usize,
    },
    /// A column whose values stand in no line.
    #[error("explain: column \"{column}\": {what} has no grid of values; ask for numbers or categories")]
    NoGrid {
        /// Name of the column.
        column: String,
        /// What the column holds.
        what: &'static str,
    },
    /// Text of more than 2 GiB in one piece.
    #[error("explain: input {position}: the text of {n_rows} rows exceeds 2 GiB; explain fewer rows")]
    TooLong {
        /// Place of the column among the inputs.
        position: usize,
        /// Rows asked for.
        n_rows: usize,
    },
    /// A constant or a value of another kind than its operator has.
    #[error("explain: {what}: not what its operator takes")]
    Broken {
        /// The value.
        what: &'static str,
    },
    /// The graph cannot be run.
    #[error(transparent)]
    Run(runtime::Error),
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> &Kind {
        &self.0
    }

    /// Whose business it is.
    pub fn nature(&self) -> Nature {
        match &*self.0 {
            Kind::NoScore { .. } | Kind::Deep { .. } => Nature::Unsupported,
            Kind::NoRows | Kind::Misfit { .. } | Kind::NoGrid { .. } | Kind::TooLong { .. } => Nature::Input,
            Kind::Broken { .. } => Nature::Bug,
            Kind::Run(error) => error.nature(),
        }
    }

    pub(crate) fn broken(what: &'static str) -> Error {
        Kind::Broken { what }.into()
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Error {
        Error(Box::new(kind))
    }
}

impl From<runtime::Error> for Error {
    fn from(error: runtime::Error) -> Error {
        Kind::Run(error).into()
    }
}
