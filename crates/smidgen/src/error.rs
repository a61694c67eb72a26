//! One error for users of the facade: a message, and whose business it is.

use std::fmt;
use std::path::Path;

pub use ir::Nature;

/// What went wrong, in the user's names.
#[derive(Debug)]
pub struct Error {
    nature: Nature,
    message: String,
}

impl Error {
    /// Something that the user can mend.
    pub fn input(message: impl Into<String>) -> Error {
        Error { nature: Nature::Input, message: message.into() }
    }

    /// Something that smidgen does not do.
    pub fn unsupported(message: impl Into<String>) -> Error {
        Error { nature: Nature::Unsupported, message: message.into() }
    }

    /// Something that should not happen.
    pub fn bug(message: impl Into<String>) -> Error {
        let message = message.into();
        let version = env!("CARGO_PKG_VERSION");
        let message = format!("{message}; this is a defect of smidgen {version}, please report it");
        Error { nature: Nature::Bug, message }
    }

    /// Whose business it is; it decides the exit code.
    pub fn nature(&self) -> Nature {
        self.nature
    }

    /// What is wrong with a file, said by another crate.
    pub(crate) fn of_file(path: &Path, nature: Nature, error: &dyn fmt::Display) -> Error {
        Error::new(nature, &format!("{}: {error}", path.display()))
    }

    fn new(nature: Nature, error: &dyn fmt::Display) -> Error {
        match nature {
            Nature::Bug => Error::bug(error.to_string()),
            nature => Error { nature, message: error.to_string() },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<recipe::Error> for Error {
    fn from(e: recipe::Error) -> Error {
        Error::new(e.nature(), &e)
    }
}

impl From<compose::Error> for Error {
    fn from(e: compose::Error) -> Error {
        Error::new(e.nature(), &e)
    }
}

impl From<search::Error> for Error {
    fn from(e: search::Error) -> Error {
        Error::new(e.nature(), &e)
    }
}

impl From<::quantize::Error> for Error {
    fn from(e: ::quantize::Error) -> Error {
        Error::new(e.nature(), &e)
    }
}

impl From<data::Error> for Error {
    fn from(e: data::Error) -> Error {
        recipe::Error::from(e).into()
    }
}

impl From<learn::Error> for Error {
    fn from(e: learn::Error) -> Error {
        Error::new(e.nature(), &e)
    }
}

impl From<trees::Error> for Error {
    fn from(e: trees::Error) -> Error {
        Error::new(e.nature(), &e)
    }
}

impl From<ir::Error> for Error {
    fn from(e: ir::Error) -> Error {
        Error::new(e.nature(), &e)
    }
}

impl From<runtime::Error> for Error {
    fn from(e: runtime::Error) -> Error {
        Error::new(e.nature(), &e)
    }
}

impl From<evaluate::explain::Error> for Error {
    fn from(e: evaluate::explain::Error) -> Error {
        Error::new(e.nature(), &e)
    }
}

impl From<runtime::Failure> for Error {
    fn from(e: runtime::Failure) -> Error {
        Error::new(Nature::Bug, &e)
    }
}

impl From<metrics::Error> for Error {
    fn from(e: metrics::Error) -> Error {
        Error::new(Nature::Input, &e)
    }
}
