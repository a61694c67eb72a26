//! What a model takes and gives, in the user's own names.
//!
//! The signature belongs to the file, not to the graph: the graph computes on values by position,
//! the signature says which column of the user's table each input is and what each output means.

use crate::DType;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// What a column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColumnKind {
    /// An ordered quantity.
    Number,
    /// One of a set of values without order.
    Category,
    /// Free text.
    Text,
    /// A point in time.
    Time,
}

impl ColumnKind {
    /// Every kind, in tag order.
    pub const ALL: &'static [ColumnKind] =
        &[ColumnKind::Number, ColumnKind::Category, ColumnKind::Text, ColumnKind::Time];

    /// Name as users write it in `--types`.
    pub fn name(self) -> &'static str {
        match self {
            ColumnKind::Number => "number",
            ColumnKind::Category => "category",
            ColumnKind::Text => "text",
            ColumnKind::Time => "time",
        }
    }

    /// The kind of a name.
    pub fn parse(name: &str) -> Option<ColumnKind> {
        ColumnKind::ALL.iter().copied().find(|k| k.name() == name)
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The question that a model answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Two classes.
    Binary,
    /// Three classes or more.
    Multiclass,
    /// A number.
    Regression,
    /// Columns made of columns; nothing is predicted.
    Transform,
    /// Several numbers.
    MultiRegression,
    /// Several targets of two classes each.
    Multilabel,
}

impl Task {
    /// Every task, in tag order.
    pub const ALL: &'static [Task] = &[
        Task::Binary,
        Task::Multiclass,
        Task::Regression,
        Task::Transform,
        Task::MultiRegression,
        Task::Multilabel,
    ];

    /// The tasks of one target.
    pub const LEARNT: &'static [Task] = &[Task::Binary, Task::Multiclass, Task::Regression];

    /// Name as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Task::Binary => "binary",
            Task::Multiclass => "multiclass",
            Task::Regression => "regression",
            Task::Transform => "transform",
            Task::MultiRegression => "multi_regression",
            Task::Multilabel => "multilabel",
        }
    }

    /// The task of one target, of a name.
    pub fn parse(name: &str) -> Option<Task> {
        Task::LEARNT.iter().copied().find(|t| t.name() == name)
    }

    /// The task of each target; itself where there are not several.
    pub fn of_each(self) -> Task {
        match self {
            Task::MultiRegression => Task::Regression,
            Task::Multilabel => Task::Binary,
            one => one,
        }
    }

    /// True for several targets.
    pub fn is_several(self) -> bool {
        self.of_each() != self
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One column that the model takes.
///
/// `dtype` is the storage type of the column in the training table:
/// - number: `I64` or `F64`. An `I64` input is only ever compared with whole edges, so a fractional
///   value binds as its ceiling, which compares the same with each of them.
/// - category: `Str` (the key is the trimmed text), or `I64` / `F64` when every training cell was a
///   number (the key is the canonical spelling, see [`crate::text`]); the graph's input is a string
///   either way.
/// - time: `Str` as written (the graph reads it, in the format that was found at fit), or `I64` in
///   microseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Column name in the user's table.
    pub name: String,
    /// What the column means.
    pub kind: ColumnKind,
    /// Storage type in the training table.
    pub dtype: DType,
}

impl Input {
    /// Storage type of the graph input that this column is bound to.
    pub fn graph_dtype(&self) -> DType {
        match self.kind {
            ColumnKind::Number => self.dtype,
            ColumnKind::Category | ColumnKind::Text => DType::Str,
            // Text as written, or microseconds since 1970; the graph knows the format.
            ColumnKind::Time => self.dtype,
        }
    }
}

/// What an output of the graph means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputRole {
    /// Integer scores before the link, `i32 [N, K]`.
    Score,
    /// Probabilities in class order, `f32 [N, n_classes]`.
    Probability,
    /// Index of the predicted class, `i64 [N]`.
    Label,
    /// A predicted number, `f64 [N]`.
    Value,
    /// A made column, `f64 [N]`.
    Column,
}

impl OutputRole {
    /// Every role, in tag order.
    pub const ALL: &'static [OutputRole] = &[
        OutputRole::Score,
        OutputRole::Probability,
        OutputRole::Label,
        OutputRole::Value,
        OutputRole::Column,
    ];

    /// Name as printed.
    pub fn name(self) -> &'static str {
        match self {
            OutputRole::Score => "score",
            OutputRole::Probability => "probability",
            OutputRole::Label => "label",
            OutputRole::Value => "value",
            OutputRole::Column => "column",
        }
    }
}

/// What a model takes and gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// The question.
    pub task: Task,
    /// Name of the target column; of several targets their names, for people.
    pub target: String,
    /// Several targets, in the order of their scores and outputs; empty for other tasks.
    pub targets: Vec<TargetColumn>,
    /// Columns, in the order of the graph's first inputs.
    pub inputs: Vec<Input>,
    /// Roles, in the order of the graph's outputs.
    pub outputs: Vec<OutputRole>,
    /// Classes as the training file spells them, in class order; empty for regression and several targets.
    pub classes: Vec<String>,
    /// Index of the positive class; binary tasks only.
    pub positive: Option<u32>,
    /// Cells that meant missing in the training table, beside the usual ones.
    pub missing: Vec<String>,
    /// Names of the outputs that are made columns, in their order.
    pub columns: Vec<String>,
    /// A second table, whose columns are the graph's last inputs.
    pub joined: Option<Joined>,
}

/// One of several targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetColumn {
    /// Name of the column.
    pub name: String,
    /// Classes as the training file spells them, in class order; empty for numbers.
    pub classes: Vec<String>,
    /// Index of the positive class; none for numbers.
    pub positive: Option<u32>,
}

/// A second table that a model takes: its rows belong to rows of the first by a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// Where it was at fit, as the user typed it.
    pub table: String,
    /// Columns, in the order of the graph's inputs.
    pub inputs: Vec<Input>,
}

impl Signature {
    /// Columns of the second table; none without one.
    pub fn joined_inputs(&self) -> &[Input] {
        self.joined.as_ref().map_or(&[], |j| &j.inputs)
    }

    /// Position of the output that plays `role`; of several targets that of the first.
    pub fn output(&self, role: OutputRole) -> Option<usize> {
        self.output_of(role, 0)
    }

    /// Position of the output that plays `role` for the target of this number, from 0.
    pub fn output_of(&self, role: OutputRole, target: usize) -> Option<usize> {
        let plays = self.outputs.iter().enumerate().filter(|(_, r)| **r == role);
        plays.map(|(at, _)| at).nth(target)
    }

    /// The same for one of several targets alone, its outputs in the order of the roles that it has; itself where there
    /// are not several. The score is that of all targets.
    pub fn of_target(&self, target: usize) -> Signature {
        let Some(one) = self.targets.get(target) else { return self.clone() };
        let outputs = match self.task {
            Task::Multilabel => alloc::vec![OutputRole::Score, OutputRole::Probability, OutputRole::Label],
            _ => alloc::vec![OutputRole::Score, OutputRole::Value],
        };
        Signature {
            task: self.task.of_each(),
            target: one.name.clone(),
            targets: Vec::new(),
            outputs,
            classes: one.classes.clone(),
            positive: one.positive,
            ..self.clone()
        }
    }
}
