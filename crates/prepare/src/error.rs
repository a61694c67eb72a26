//! Errors of this crate.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// No transform of that name.
    #[error("unknown transform \"{name}\"{suggestion}; known: {known}")]
    UnknownTransform {
        /// The name asked for.
        name: String,
        /// `; did you mean ..?`, or nothing.
        suggestion: String,
        /// The names that there are.
        known: String,
    },
    /// No augmentation of that name.
    #[error("unknown augmentation \"{name}\"{suggestion}; known: {known}")]
    UnknownAugmentation {
        /// The name asked for.
        name: String,
        /// `; did you mean ..?`, or nothing.
        suggestion: String,
        /// The names that there are.
        known: String,
    },
    /// No generator of that name.
    #[error("unknown generator \"{name}\"{suggestion}; known: {known}")]
    UnknownGenerator {
        /// The name asked for.
        name: String,
        /// `; did you mean ..?`, or nothing.
        suggestion: String,
        /// The names that there are.
        known: String,
    },
    /// A setting that the transform does not take.
    #[error(transparent)]
    Params(#[from] params::Error),
    /// A column that the step names and that is not there.
    #[error("{transform}: there is no column \"{column}\" at this step; there are: {known}")]
    UnknownColumn {
        /// The transform.
        transform: &'static str,
        /// The name asked for.
        column: String,
        /// The columns that there are.
        known: String,
    },
    /// A column of a kind that the transform does not take.
    #[error("{transform}: column \"{column}\" is a {got}; this transform takes {takes}")]
    ColumnKind {
        /// The transform.
        transform: &'static str,
        /// The column.
        column: String,
        /// Its kind.
        got: &'static str,
        /// The kinds that the transform takes.
        takes: String,
    },
    /// A category that a list of categories does not hold.
    #[error(
        "{transform}: column \"{column}\" has the category \"{category}\", which is not in categories; add it there"
    )]
    Unlisted {
        /// The transform.
        transform: &'static str,
        /// The column.
        column: String,
        /// The category.
        category: String,
    },
    /// A word of a list that the transform does not know.
    #[error("{transform}: {param} holds the unknown word \"{word}\"{suggestion}; known: {known}")]
    UnknownWord {
        /// The transform.
        transform: &'static str,
        /// The parameter.
        param: &'static str,
        /// The word.
        word: String,
        /// `; did you mean ..?`, or nothing.
        suggestion: String,
        /// The words that there are.
        known: String,
    },
    /// A transform that sees the target where there is none.
    #[error("{transform}: it is fitted to the target, and there is none; name it with --target")]
    NoTarget {
        /// The transform.
        transform: &'static str,
    },
    /// A transform that does not fit the task.
    #[error("{transform}: it is defined for {expected}, not for a {got} task")]
    Task {
        /// The transform.
        transform: &'static str,
        /// What it is defined for.
        expected: &'static str,
        /// The task at hand.
        got: &'static str,
    },
    /// The columns do not allow what the parameters ask for.
    #[error("{transform}: {what}: expected {expected}, got {got}; {cure}")]
    Columns {
        /// The transform.
        transform: &'static str,
        /// What does not fit.
        what: String,
        /// What is asked for.
        expected: String,
        /// What is there.
        got: String,
        /// What to do.
        cure: String,
    },
    /// Trees that a member grows.
    #[error(transparent)]
    Trees(#[from] trees::Error),
    /// The graph refuses the nodes.
    #[error(transparent)]
    Graph(#[from] ir::Error),
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
            Kind::Trees(e) => e.nature(),
            Kind::UnknownTransform { .. }
            | Kind::UnknownAugmentation { .. }
            | Kind::UnknownGenerator { .. }
            | Kind::Params(_)
            | Kind::UnknownColumn { .. }
            | Kind::ColumnKind { .. }
            | Kind::Unlisted { .. }
            | Kind::UnknownWord { .. }
            | Kind::NoTarget { .. }
            | Kind::Task { .. }
            | Kind::Columns { .. } => ir::Nature::Input,
        }
    }
}

impl<T> From<T> for Error
where
    Kind: From<T>,
{
    fn from(error: T) -> Error {
        Error(Box::new(error.into()))
    }
}
