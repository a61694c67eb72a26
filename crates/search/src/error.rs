//! Errors of this crate.

use ir::Nature;
use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// The folder of a study.
    #[error("--resume {}: trials cannot be kept there: {what}; name a folder that can be written", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        what: String,
    },
    /// A learner or a parameter that there is not.
    #[error(transparent)]
    Learner(#[from] learn::Error),
    /// No trial came to a score.
    #[error("no candidate could be fitted: {what}")]
    Nothing {
        /// What was said of the first one.
        what: String,
    },
}

impl Error {
    /// Whose fault it is.
    pub fn nature(&self) -> Nature {
        match &*self.0 {
            Kind::Learner(e) => e.nature(),
            Kind::Folder { .. } | Kind::Nothing { .. } => Nature::Input,
        }
    }
}

impl<E: Into<Kind>> From<E> for Error {
    fn from(kind: E) -> Error {
        Error(Box::new(kind.into()))
    }
}
