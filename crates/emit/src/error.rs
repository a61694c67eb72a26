//! Errors of emission: every refusal names the node, its operator, and what would work.

use ir::Nature;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// A node that has no form in source code.
    #[error("source code: node \"{node}\" ({op}): {what} is not supported; {instead}")]
    Unsupported {
        /// Name of the node.
        node: String,
        /// Its operator.
        op: &'static str,
        /// What is not supported.
        what: String,
        /// What would work.
        instead: &'static str,
    },
    /// The WebAssembly library is not what was built: a bug.
    #[error("WebAssembly: {0}; this is a bug, report it")]
    Library(String),
    /// A graph that is not well formed.
    #[error(transparent)]
    Graph(#[from] ir::Error),
    /// A model that cannot be named or typed as asked.
    #[error("source code: {what}: expected {expected}, got {got}")]
    Option {
        /// What was asked.
        what: String,
        /// What is allowed.
        expected: String,
        /// What was given.
        got: String,
    },
}

impl Error {
    /// Whose business it is.
    pub fn nature(&self) -> Nature {
        match &*self.0 {
            Kind::Unsupported { .. } => Nature::Unsupported,
            Kind::Option { .. } => Nature::Input,
            Kind::Library(_) => Nature::Bug,
            Kind::Graph(e) => e.nature(),
        }
    }

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
