//! Errors of this crate.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// The graph refuses the forest.
    #[error(transparent)]
    Graph(#[from] ir::Error),
    /// The run was cancelled before the first tree.
    #[error("trees: cancelled before the first tree was grown")]
    Cancelled,
    /// There is nothing to learn from.
    #[error("trees: no training row has a weight above 0; check the row weights")]
    NoRows,
    /// A loss on logs and a target below 0.
    #[error(
        "trees: target: expected 0 or more for a loss of counts or amounts, got {value}; choose the loss squared or absolute"
    )]
    Negative {
        /// The target.
        value: f64,
    },
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> &Kind {
        &self.0
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
