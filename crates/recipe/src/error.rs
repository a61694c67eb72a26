//! Errors of this crate: those of the crates below, and the few of fitting itself.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// Reading or binding data.
    #[error(transparent)]
    Data(#[from] data::Error),
    /// A transform.
    #[error(transparent)]
    Prepare(#[from] prepare::Error),
    /// A transform made a column of a dtype that no feature has.
    #[error("recipe: a transform made a column of dtype {dtype}, which is no feature")]
    MadeDType {
        /// The dtype.
        dtype: ir::DType,
    },
    /// Text that is too long for one column.
    #[error(
        "recipe: one of {n_columns} columns has more than 2 GiB of text, too much for features of other rows; drop it with --drop"
    )]
    TooLong {
        /// Columns that were put together.
        n_columns: usize,
    },
    /// A column that was named by its role.
    #[error("{flag} {column}: {what}: expected {expected}, got {got}; {cure}")]
    Role {
        /// The flag.
        flag: &'static str,
        /// The column.
        column: String,
        /// What is wrong.
        what: &'static str,
        /// What is asked for.
        expected: &'static str,
        /// What is there.
        got: String,
        /// What to do.
        cure: String,
    },
    /// The steps made no number column.
    #[error(
        "prepare: no number column comes out of these transforms; add one that makes numbers, such as one_hot or ordinal"
    )]
    NoNumbers,
    /// Something of one target where there are several.
    #[error("several targets: {what} is not supported; leave it out, or fit a model of each target")]
    SeveralTargets {
        /// What is of one target.
        what: String,
    },
    /// A learner.
    #[error(transparent)]
    Learn(#[from] learn::Error),
    /// The graph.
    #[error(transparent)]
    Graph(#[from] ir::Error),
    /// Running a graph.
    #[error(transparent)]
    Run(#[from] runtime::Error),
    /// The self-test of the new model.
    #[error(transparent)]
    SelfTest(#[from] runtime::Failure),
    /// A metric.
    #[error(transparent)]
    Metric(#[from] metrics::Error),
    /// Too few rows to learn and validate.
    #[error(
        "{table}: {n_rows} row(s) with a target, at least {needed} are needed to learn and to validate; give more rows"
    )]
    TooFewRows {
        /// The table.
        table: String,
        /// Rows that it has.
        n_rows: usize,
        /// Rows that it needs.
        needed: usize,
    },
    /// No column to learn from.
    #[error(
        "{table}: no column is left to learn from; left out: {left_out}; declare the kind of a column with --types"
    )]
    NoColumns {
        /// The table.
        table: String,
        /// The columns that were left out, and why.
        left_out: String,
    },
    /// A row weight that is no weight.
    #[error(
        "{table}: row weights \"{column}\": expected finite numbers of at least 0, got {got} at row {row}"
    )]
    Weight {
        /// The table.
        table: String,
        /// The column of weights.
        column: String,
        /// What stands there.
        got: String,
        /// Row, from 1.
        row: usize,
    },
    /// Row weights that leave no row.
    #[error("{table}: row weights \"{column}\": expected some above 0, got none; check the column")]
    NoWeight {
        /// The table.
        table: String,
        /// The column of weights.
        column: String,
    },
    /// Rows that cannot be parted.
    #[error(
        "{table}: {n_rows} rows in {n_units} groups or sets of copies, which are never parted: expected at least 2 to hold some back; give more rows, or leave out --group"
    )]
    NoFolds {
        /// The table.
        table: String,
        /// Rows with a target.
        n_rows: usize,
        /// Sets of rows that share a fold.
        n_units: usize,
    },
    /// Too many rows to hold each back alone.
    #[error(
        "{table}: --folds loo fits a model for each of {n_rows} rows: expected at most {most}; use --folds 10"
    )]
    LeaveOneOut {
        /// The table.
        table: String,
        /// Rows with a target.
        n_rows: usize,
        /// The most rows.
        most: usize,
    },
    /// One class is left.
    #[error(
        "{table}: cleaning left rows of one class only, {n_rows} of them: expected two classes or more; leave out --missing-cells drop-rows or --duplicates drop"
    )]
    OneClass {
        /// The table.
        table: String,
        /// Rows that are left.
        n_rows: usize,
    },
    /// No row is left.
    #[error("{table}: cleaning left no row; leave out --missing-cells drop-rows")]
    NoRows {
        /// The table.
        table: String,
    },
    /// A step that cannot be read.
    #[error("--transforms {text}: expected NAME, NAME:PARAM=VALUE or NAME(COL;COL), got {got}")]
    StepForm {
        /// The step as it was given.
        text: String,
        /// What is wrong with it.
        got: String,
    },
    /// Members of an ensemble that cannot be added up.
    #[error("ensemble: expected {what}")]
    Combination {
        /// What is asked for.
        what: &'static str,
    },
    /// What a teacher says, of another number of rows or classes.
    #[error("teacher: expected {width} number(s) for each of {n_rows} rows of the table, got {got} in all")]
    TeacherLength {
        /// Rows of the table.
        n_rows: usize,
        /// Numbers a row.
        width: usize,
        /// Numbers that there are.
        got: usize,
    },
    /// What a teacher says of a row is no probability, or no value.
    #[error("teacher: row {row}: expected {expected}, got {got}")]
    TeacherTarget {
        /// Row, from 1.
        row: usize,
        /// What is asked for.
        expected: &'static str,
        /// What stands there.
        got: f64,
    },
    /// An option of a teacher that is out of range.
    #[error("teacher: {name} must be {expected}, got {got}")]
    TeacherOption {
        /// The option.
        name: &'static str,
        /// What is allowed.
        expected: &'static str,
        /// What was given.
        got: f64,
    },
    /// Log odds of something that has none.
    #[error("teacher: log odds are learnt of 2 classes, got {n_classes} (0: numbers); use cross entropy")]
    TeacherLoss {
        /// Classes; 0 for numbers.
        n_classes: usize,
    },
    /// A teacher beside an augmentation.
    #[error(
        "teacher: the augmentation {augmentation} cannot be combined with a teacher; leave it out, or let the teacher generate rows"
    )]
    TeacherAugment {
        /// The augmentation.
        augmentation: &'static str,
    },
    /// A model of a teacher that cannot label rows.
    #[error("teacher: {what} of one of its models: expected {expected}, got {got}")]
    TeacherModel {
        /// What does not fit.
        what: &'static str,
        /// What is asked for.
        expected: String,
        /// What is there.
        got: String,
    },
    /// Rows that nobody can label.
    #[error(
        "{generator}: {n_rows} training rows: none of {n_models} models of the teacher has seen all of them and none of those held back"
    )]
    NoTeacherModel {
        /// The generator.
        generator: &'static str,
        /// Training rows of the fit.
        n_rows: usize,
        /// Models that the teacher has.
        n_models: usize,
    },
    /// A table whose rows cannot be mixed.
    #[error("{generator}: rows are made of cells of several rows: expected {expected}, got {got}; {cure}")]
    Generate {
        /// The generator.
        generator: &'static str,
        /// What is asked for.
        expected: &'static str,
        /// What is there.
        got: String,
        /// What to do.
        cure: &'static str,
    },
    /// A learner whose scores are no log odds.
    #[error(
        "teacher: learner {learner} has a {link} link: expected a linear one to learn log odds; use cross entropy"
    )]
    StudentLink {
        /// The learner.
        learner: &'static str,
        /// Its link.
        link: &'static str,
    },
    /// A model that a fit cannot go on from.
    #[error("a fit cannot go on from this model: {what}; {cure}")]
    Base {
        /// Why.
        what: &'static str,
        /// What to do.
        cure: &'static str,
    },
    /// A column that a model takes and a table holds otherwise.
    #[error(
        "{table}: column \"{column}\": expected {expected}, as the model takes that the fit goes on from, got {got}; store it alike"
    )]
    BaseColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What it is to the model.
        expected: String,
        /// What it is in the table.
        got: String,
    },
    /// Rows that are added, and a model that a fit goes on from.
    #[error(
        "--augment {augment}: the model that the fit goes on from has no score for rows that are made; leave it out"
    )]
    BaseAugment {
        /// The augmentation.
        augment: &'static str,
    },
    /// A candidate that nothing can be added to here.
    #[error("a fit cannot be added to {learner}: {what}; {cure}")]
    Onto {
        /// What goes before.
        learner: &'static str,
        /// Why.
        what: &'static str,
        /// What to do.
        cure: &'static str,
    },
    /// Scores of other rows than those of the table.
    #[error("the model that the fit goes on from: expected {expected} scores, got {got}")]
    BaseScores {
        /// One for each row and output.
        expected: usize,
        /// What was given.
        got: usize,
    },
    /// A column of whole numbers that another model takes as doubles.
    #[error(
        "column \"{column}\" holds whole numbers here and fractions where another model was fitted: {op} has no exact form for both; fit the models on tables of the same numbers"
    )]
    Widened {
        /// The column.
        column: String,
        /// The operator that takes it.
        op: &'static str,
    },
    /// The run was interrupted before there was any model.
    #[error("fit: interrupted before the first model was done")]
    Interrupted,
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> &Kind {
        &self.0
    }

    /// Whose business it is.
    pub fn nature(&self) -> ir::Nature {
        match &*self.0 {
            Kind::Data(e) => match e.nature() {
                data::Nature::Input => ir::Nature::Input,
                data::Nature::Unsupported => ir::Nature::Unsupported,
                data::Nature::Bug => ir::Nature::Bug,
            },
            Kind::Prepare(e) => e.nature(),
            Kind::MadeDType { .. }
            | Kind::Combination { .. }
            | Kind::TeacherModel { .. }
            | Kind::NoTeacherModel { .. }
            | Kind::BaseScores { .. } => ir::Nature::Bug,
            Kind::Widened { .. }
            | Kind::SeveralTargets { .. }
            | Kind::TeacherLoss { .. }
            | Kind::TeacherAugment { .. }
            | Kind::Generate { .. }
            | Kind::StudentLink { .. }
            | Kind::Base { .. }
            | Kind::BaseAugment { .. }
            | Kind::Onto { .. } => ir::Nature::Unsupported,
            Kind::Learn(e) => e.nature(),
            Kind::Graph(e) => e.nature(),
            Kind::Run(e) => e.nature(),
            Kind::SelfTest(_) => ir::Nature::Bug,
            Kind::Metric(_)
            | Kind::TooFewRows { .. }
            | Kind::NoColumns { .. }
            | Kind::Weight { .. }
            | Kind::NoWeight { .. }
            | Kind::NoNumbers
            | Kind::NoFolds { .. }
            | Kind::LeaveOneOut { .. }
            | Kind::OneClass { .. }
            | Kind::NoRows { .. }
            | Kind::BaseColumn { .. }
            | Kind::StepForm { .. }
            | Kind::TooLong { .. }
            | Kind::Role { .. }
            | Kind::TeacherLength { .. }
            | Kind::TeacherTarget { .. }
            | Kind::TeacherOption { .. }
            | Kind::Interrupted => ir::Nature::Input,
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
