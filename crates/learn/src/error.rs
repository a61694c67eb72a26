//! Errors of this crate.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// No learner of that name.
    #[error("unknown learner \"{name}\"{suggestion}; known: {known}")]
    UnknownLearner {
        /// The name asked for.
        name: String,
        /// `; did you mean ..?`, or nothing.
        suggestion: String,
        /// The names that there are.
        known: String,
    },
    /// A task that the learner does not answer.
    #[error(
        "learner {learner}: a {task} task is not supported, expected {expected}; use --learners {instead}"
    )]
    Task {
        /// The learner.
        learner: &'static str,
        /// The task.
        task: &'static str,
        /// Tasks that it answers.
        expected: String,
        /// Learners that answer it.
        instead: String,
    },
    /// A learner that cannot go on from scores that rows have already.
    #[error(
        "learner {learner}: it cannot go on from the scores of a model, expected {instead}; use --learners {instead}"
    )]
    NoStart {
        /// The learner.
        learner: &'static str,
        /// Learners that can.
        instead: String,
    },
    /// Scores that go to another link than those of the learner.
    #[error("{learner}: scores to go on from: expected a {expected} link, got {got}; {cure}")]
    UnfitOffsets {
        /// The learner.
        learner: &'static str,
        /// The link that its loss asks for.
        expected: &'static str,
        /// That of the scores.
        got: &'static str,
        /// What to do.
        cure: &'static str,
    },
    /// A part of a fit whose scores alone were wanted.
    #[error(
        "a fit whose scores alone were wanted has no part to make nodes of; this is a bug, please report it"
    )]
    Unkept,
    /// A setting that the learner does not take.
    #[error(transparent)]
    Params(#[from] params::Error),
    /// A loss that does not go with the target.
    #[error("{learner}: loss \"{loss}\" does not go with {task}; choose {fit}")]
    UnfitLoss {
        /// The learner.
        learner: &'static str,
        /// The loss asked for.
        loss: String,
        /// What the target is.
        task: &'static str,
        /// The losses that go with it.
        fit: &'static str,
    },
    /// A column that is not learnt from.
    #[error("{param}: no column \"{name}\" is learnt from; known: {known}")]
    UnknownColumn {
        /// The parameter.
        param: &'static str,
        /// The name asked for.
        name: String,
        /// Some that there are.
        known: String,
    },
    /// A number that counts nothing.
    #[error(
        "multinomial_nb: column \"{column}\": expected counts of 0 or more, got {value}; use gaussian_nb, or leave the column out"
    )]
    NegativeCount {
        /// The column.
        column: String,
        /// A number of it.
        value: f64,
    },
    /// A direction that is none.
    #[error("{param}: expected COL:+ or COL:-, got \"{got}\"")]
    Direction {
        /// The parameter.
        param: &'static str,
        /// What was given.
        got: String,
    },
    /// A learner of classes and a target of numbers.
    #[error("learners of classes take no target of numbers")]
    NoClasses,
    /// There is nothing to learn from.
    #[error("no training row has a weight above 0; check the row weights")]
    NoRows,
    /// A linear model that cannot be fitted.
    #[error(transparent)]
    Linear(#[from] crate::linear_model::Unfit),
    /// The trees could not be grown.
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
            Kind::Task { .. } | Kind::NoStart { .. } | Kind::UnfitOffsets { .. } => ir::Nature::Unsupported,
            Kind::Unkept => ir::Nature::Bug,
            Kind::UnknownLearner { .. }
            | Kind::Params(_)
            | Kind::UnfitLoss { .. }
            | Kind::NoClasses
            | Kind::UnknownColumn { .. }
            | Kind::Direction { .. }
            | Kind::NegativeCount { .. }
            | Kind::Linear(_)
            | Kind::NoRows => ir::Nature::Input,
            Kind::Trees(e) => e.nature(),
            Kind::Graph(e) => e.nature(),
        }
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Error {
        Error(Box::new(kind))
    }
}

impl From<crate::linear_model::Unfit> for Error {
    fn from(error: crate::linear_model::Unfit) -> Error {
        Kind::Linear(error).into()
    }
}

impl From<trees::Error> for Error {
    fn from(error: trees::Error) -> Error {
        Kind::Trees(error).into()
    }
}

impl From<ir::Error> for Error {
    fn from(error: ir::Error) -> Error {
        Kind::Graph(error).into()
    }
}

impl From<params::Error> for Error {
    fn from(error: params::Error) -> Error {
        Kind::Params(error).into()
    }
}
