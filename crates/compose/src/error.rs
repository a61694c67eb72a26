//! Errors of this crate.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// No calibrator of that name.
    #[error("unknown calibrator \"{name}\"{suggestion}; known: auto, none, {known}")]
    UnknownCalibrator {
        /// The name asked for.
        name: String,
        /// `; did you mean ..?`, or nothing.
        suggestion: String,
        /// The names that there are.
        known: String,
    },
    /// A setting that the calibrator does not take.
    #[error(transparent)]
    Params(#[from] params::Error),
    /// A setting of a calibrator that will not be used.
    #[error("--set {of}.{name}: calibrator \"{of}\" is not used by --calibrator {asked}; name it there")]
    Unused {
        /// The calibrator.
        of: String,
        /// The parameter.
        name: String,
        /// What was asked for.
        asked: String,
    },
    /// A task that the calibrator does not answer.
    #[error(
        "calibrator {calibrator}: a {task} task is not supported, expected {expected}; use --calibrator {instead}"
    )]
    Task {
        /// The calibrator.
        calibrator: &'static str,
        /// The task.
        task: &'static str,
        /// Tasks that it answers.
        expected: String,
        /// What to ask for.
        instead: String,
    },
    /// Rows that do not fit together.
    #[error("probability calibration: {what}: expected {expected}, got {got}")]
    Rows {
        /// What does not fit.
        what: &'static str,
        /// What is asked for.
        expected: String,
        /// What is there.
        got: String,
    },
    /// Nothing to learn from.
    #[error(
        "probability calibration: none of {n_rows} out-of-fold rows weighs anything; use --calibrator none"
    )]
    NoRows {
        /// Number of rows.
        n_rows: usize,
    },
    /// One class alone.
    #[error(
        "probability calibration: {n_rows} out-of-fold rows that weigh anything hold one class, at least two are needed; use fewer --folds or --calibrator none"
    )]
    OneClass {
        /// Number of rows.
        n_rows: usize,
    },
    /// A map that is not finite: a defect.
    #[error("calibrator {calibrator}: the curves that came out are not finite or fall")]
    Curve {
        /// The calibrator.
        calibrator: &'static str,
    },
    /// No ensemble of that name.
    #[error("unknown ensemble \"{name}\"{suggestion}; known: {known}")]
    UnknownEnsemble {
        /// The name asked for.
        name: String,
        /// `; did you mean ..?`, or nothing.
        suggestion: String,
        /// The names that there are.
        known: String,
    },
    /// A task that the ensemble does not answer.
    #[error("ensemble {ensemble}: a {task} task is not supported: {why}; use one of {instead}")]
    EnsembleTask {
        /// The ensemble.
        ensemble: &'static str,
        /// The task.
        task: &'static str,
        /// Why not.
        why: &'static str,
        /// Ensembles that answer it.
        instead: String,
    },
    /// Weights for an ensemble that finds its own.
    #[error("ensemble {ensemble}: it learns its weights; leave out --weights, or use one of {instead}")]
    NoWeights {
        /// The ensemble.
        ensemble: &'static str,
        /// Ensembles that take weights.
        instead: String,
    },
    /// Columns that an ensemble asks are not there.
    #[error(
        "ensemble {ensemble}: it asks columns of the training table, which files of models do not bring: use fit --ensemble {ensemble}, or one of {instead}"
    )]
    NoColumns {
        /// The ensemble.
        ensemble: &'static str,
        /// Ensembles that ask members alone.
        instead: String,
    },
    /// Weights that are none.
    #[error("--weights: expected {n_members} numbers, at least 0 and not all 0, got {got}")]
    Weights {
        /// Members that there are.
        n_members: usize,
        /// What was given.
        got: String,
    },
    /// Nothing to combine: a defect.
    #[error("ensemble: expected members and rows, got {n_members} members and {n_rows} rows")]
    Members {
        /// Number of members.
        n_members: usize,
        /// Number of rows.
        n_rows: usize,
    },
    /// Scores of members that do not fit what is true: a defect.
    #[error("ensemble: scores of members: expected {expected}, got {got}")]
    MemberRows {
        /// What is asked for.
        expected: String,
        /// What is there.
        got: String,
    },
    /// Fitting, or a combination on the grids of its members.
    #[error(transparent)]
    Recipe(#[from] recipe::Error),
    /// Growing trees over scores.
    #[error(transparent)]
    Trees(#[from] trees::Error),
    /// A metric of the report.
    #[error(transparent)]
    Metric(#[from] metrics::Error),
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> &Kind {
        &self.0
    }

    /// Whose business it is.
    pub fn nature(&self) -> ir::Nature {
        match &*self.0 {
            Kind::Task { .. } | Kind::EnsembleTask { .. } | Kind::NoColumns { .. } => ir::Nature::Unsupported,
            Kind::Curve { .. } | Kind::Rows { .. } | Kind::Members { .. } | Kind::MemberRows { .. } => {
                ir::Nature::Bug
            }
            Kind::Recipe(e) => e.nature(),
            Kind::Trees(e) => e.nature(),
            Kind::UnknownCalibrator { .. }
            | Kind::UnknownEnsemble { .. }
            | Kind::NoWeights { .. }
            | Kind::Weights { .. }
            | Kind::Params(_)
            | Kind::Unused { .. }
            | Kind::NoRows { .. }
            | Kind::OneClass { .. }
            | Kind::Metric(_) => ir::Nature::Input,
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
