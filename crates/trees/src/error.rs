//! Errors of this crate.

use crate::import::Library;

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
    /// A direction for a feature without an order.
    #[error("trees: column {feature} is to be monotone, but its values have no order; only numbers can be")]
    MonotoneCategory {
        /// The feature.
        feature: usize,
    },
    /// A direction where a leaf has several scores.
    #[error(
        "trees: column {feature} is to be monotone: expected one score a tree, got {n_outputs}; grow one tree a class"
    )]
    MonotoneOutputs {
        /// The first such feature.
        feature: usize,
        /// Scores of a leaf.
        n_outputs: usize,
    },
    /// A symmetric tree of too many leaves.
    #[error(
        "trees: max_depth of symmetric trees must be in 0..={most}, got {got}; each level doubles the leaves"
    )]
    SymmetricDepth {
        /// The depth asked for.
        got: usize,
        /// The largest.
        most: usize,
    },
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
    /// Several targets where a tree has the values of one.
    #[error(
        "trees: expected one target, got {n_targets}; only boosted trees have a value for each of several"
    )]
    SeveralTargets {
        /// Targets.
        n_targets: usize,
    },
    /// Several targets of two kinds.
    #[error("trees: targets: expected all numbers or all of two classes, got both; fit a model of each kind")]
    MixedTargets,
    /// Offsets beside several targets.
    #[error("trees: offsets: expected one target, got {n_targets}; fit several targets without offsets")]
    SeveralOffsets {
        /// Targets.
        n_targets: usize,
    },
    /// Offsets of other rows.
    #[error("trees: offsets: expected {expected}, a score for each row and output, got {got}")]
    Offsets {
        /// Scores of all rows.
        expected: usize,
        /// Scores that were given.
        got: usize,
    },
    /// Bytes that are no forest of another library.
    #[error(
        "import: expected a model of LightGBM (text that begins with \"tree\") or of XGBoost (JSON), got other bytes; save the model in one of these forms"
    )]
    NoForest,
    /// A file of another library that is not well formed.
    #[error("{library} import: {at}: expected {expected}, got {got}")]
    Foreign {
        /// Who wrote the file.
        library: Library,
        /// Where in the file.
        at: String,
        /// What is asked for.
        expected: String,
        /// What stands there, and what to do.
        got: String,
    },
    /// What a file of another library asks for and is not supported.
    #[error("{library} import: {at}: {what} is not supported; {instead}")]
    ForeignUnsupported {
        /// Who wrote the file.
        library: Library,
        /// Where in the file.
        at: String,
        /// What is not supported.
        what: String,
        /// What would work.
        instead: String,
    },
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> &Kind {
        &self.0
    }

    /// Whose business it is.
    pub fn nature(&self) -> ir::Nature {
        match &*self.0 {
            Kind::Graph(error) => error.nature(),
            Kind::ForeignUnsupported { .. }
            | Kind::SeveralTargets { .. }
            | Kind::SeveralOffsets { .. }
            | Kind::MixedTargets => ir::Nature::Unsupported,
            Kind::Offsets { .. } => ir::Nature::Bug,
            Kind::Cancelled
            | Kind::MonotoneCategory { .. }
            | Kind::MonotoneOutputs { .. }
            | Kind::SymmetricDepth { .. }
            | Kind::NoRows
            | Kind::Negative { .. }
            | Kind::NoForest
            | Kind::Foreign { .. } => ir::Nature::Input,
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
