//! Errors of running a graph.

use alloc::boxed::Box;
use alloc::string::String;
use ir::{DType, Nature};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// Another number of columns than the graph has inputs.
    #[error("predict: the model takes {expected} columns, got {got}")]
    Columns {
        /// Inputs of the graph.
        expected: usize,
        /// Columns given.
        got: usize,
    },
    /// A column of another dtype.
    #[error("predict: column \"{name}\": expected {expected}, got {got}")]
    ColumnType {
        /// Name of the input.
        name: String,
        /// Its dtype.
        expected: DType,
        /// The column's dtype.
        got: DType,
    },
    /// Columns of different lengths.
    #[error("predict: column \"{name}\" has {got} rows, the first column has {expected}")]
    ColumnRows {
        /// Name of the input.
        name: String,
        /// Rows of the first column.
        expected: usize,
        /// Rows of this one.
        got: usize,
    },
    /// An operator where this part of the runtime cannot have it.
    #[error("predict: node \"{node}\" ({op}) is not supported by the {engine} engine")]
    Unsupported {
        /// Name of the node.
        node: String,
        /// Its operator.
        op: &'static str,
        /// The engine that refuses it.
        engine: &'static str,
    },
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> &Kind {
        &self.0
    }

    /// Whose business it is.
    pub fn nature(&self) -> Nature {
        match *self.0 {
            Kind::Unsupported { .. } => Nature::Unsupported,
            Kind::Columns { .. } | Kind::ColumnType { .. } | Kind::ColumnRows { .. } => Nature::Input,
        }
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Error {
        Error(Box::new(kind))
    }
}
