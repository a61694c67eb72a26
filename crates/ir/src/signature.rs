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
}

impl Task {
    /// Every task, in tag order.
    pub const ALL: &'static [Task] = &[Task::Binary, Task::Multiclass, Task::Regression, Task::Transform];

    /// The tasks that a learner answers.
    pub const LEARNT: &'static [Task] = &[Task::Binary, Task::Multiclass, Task::Regression];

    /// Name as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Task::Binary => "binary",
            Task::Multiclass => "multiclass",
            Task::Regression => "regression",
            Task::Transform => "transform",
        }
    }

    /// The task that a learner answers, of a name.
    pub fn parse(name: &str) -> Option<Task> {
        Task::LEARNT.iter().copied().find(|t| t.name() == name)
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
    /// Name of the target column.
    pub target: String,
    /// Columns, in the order of the graph's first inputs.
    pub inputs: Vec<Input>,
    /// Roles, in the order of the graph's outputs.
    pub outputs: Vec<OutputRole>,
    /// Classes as the training file spells them, in class order; empty for regression.
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

    /// Position of the output that plays `role`.
    pub fn output(&self, role: OutputRole) -> Option<usize> {
        self.outputs.iter().position(|&r| r == role)
    }
}
