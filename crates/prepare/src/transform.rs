//! The contract of the Transform family: columns to other columns.
//!
//! The life of a step: (1) the recipe chooses the columns that the member takes, all of them or those named;
//! (2) `fit` looks at the rows to learn from and says which columns go on as they are and which groups of
//! columns are made of them; (3) the recipe lowers each group to nodes ([`Lower`]) and the **runtime** computes
//! it, for training as for prediction: there is no second `transform`.
//!
//! Made columns are doubles in which NaN is missing, or categories. Members that do not see the target are fitted once a
//! study on all training rows; members that do are fitted inside each fold, and so is what follows them.

use crate::error::{Error, Kind};
use ir::{Bags, Column, ColumnData, ColumnKind, GraphBuilder, ValueIdx};
use jobs::{Seed, Threads};
use params::{ParamSpec, Params, Range, Value};
use std::sync::Arc;

/// What a column means to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureKind {
    /// An ordered quantity.
    Number,
    /// One of a set of values without order.
    Category,
    /// A point in time.
    Time,
    /// Free text.
    Text,
    /// Ids with weights; what text becomes.
    Bag,
}

impl FeatureKind {
    /// Name as printed.
    pub fn name(self) -> &'static str {
        match self {
            FeatureKind::Number => "number",
            FeatureKind::Category => "category",
            FeatureKind::Time => "time",
            FeatureKind::Text => "text",
            FeatureKind::Bag => "bag",
        }
    }
}

impl From<ColumnKind> for FeatureKind {
    fn from(kind: ColumnKind) -> FeatureKind {
        match kind {
            ColumnKind::Number => FeatureKind::Number,
            ColumnKind::Category => FeatureKind::Category,
            ColumnKind::Text => FeatureKind::Text,
            ColumnKind::Time => FeatureKind::Time,
        }
    }
}

/// Cells of a column, in chunks of rows.
#[derive(Clone, Copy)]
pub enum Cells<'a> {
    /// Numbers, categories, times, text.
    Chunks(&'a [Column<'a>]),
    /// Bags.
    Bags {
        /// The rows.
        bags: &'a [&'a Bags],
        /// What all ids are below.
        width: usize,
        /// The term of each id, where there is a vocabulary.
        terms: Option<&'a [String]>,
    },
}

/// A column as a step sees it.
#[derive(Clone, Copy)]
pub struct StepColumn<'a> {
    /// Name for people.
    pub name: &'a str,
    /// What it means.
    pub kind: FeatureKind,
    /// Cells of all rows.
    pub cells: Cells<'a>,
}

/// The target of all rows of the table.
#[derive(Clone, Copy, Debug)]
pub enum StepTarget<'a> {
    /// Class of each row, and the number of classes.
    Classes(&'a [u32], usize),
    /// Number of each row.
    Values(&'a [f64]),
}

/// What a step is fitted to.
pub struct StepInput<'a> {
    /// The columns that the step takes.
    pub columns: &'a [StepColumn<'a>],
    /// The rows to learn from, rising; other rows of the table must not be looked at.
    pub rows: &'a [u32],
    /// The target; only for members that see it.
    pub target: Option<StepTarget<'a>>,
    /// Weight of each row of the table; `None` weighs all alike.
    pub row_weights: Option<&'a [f32]>,
    /// Where randomness comes from.
    pub seed: Seed,
    /// Where parallel work runs; the number of threads changes nothing.
    pub threads: &'a Threads,
}

impl<'a> StepInput<'a> {
    /// The rows to learn from of a number column, in row order; NaN is missing. Whole numbers beyond 2^53 are
    /// rounded to doubles, as the graph does. Columns of another kind give NaN.
    pub fn numbers(&self, column: usize) -> Vec<f64> {
        let mut values = Vec::with_capacity(self.rows.len());
        self.each(column, |chunk, row| values.push(chunk.double(row)));
        values
    }

    /// The numbers of the rows to learn from that are there and finite, sorted.
    pub fn sorted_finite(&self, column: usize) -> Vec<f64> {
        let mut values = self.numbers(column);
        values.retain(|v| v.is_finite());
        values.sort_by(f64::total_cmp);
        values
    }

    /// The texts of the rows to learn from, in row order; `None` is missing.
    pub fn texts(&self, column: usize) -> Vec<Option<&'a str>> {
        let mut texts = Vec::with_capacity(self.rows.len());
        self.each(column, |chunk, row| texts.push(chunk.text(row)));
        texts
    }

    /// The microseconds of the rows to learn from of a column of times, in row order; `None` for a row is
    /// missing, `None` in all is a column of another type.
    pub fn micros(&self, column: usize) -> Option<Vec<Option<i64>>> {
        let mut all = Vec::with_capacity(self.rows.len());
        self.each(column, |chunk, row| match chunk.data() {
            ColumnData::I64(v) => all.push(Some(chunk.is_valid(row).then(|| v[row]))),
            _ => all.push(None),
        });
        all.into_iter().collect()
    }

    /// The bags of the rows to learn from, in row order: the chunk of each and its row there.
    pub fn bags(&self, column: usize) -> Vec<(&'a Bags, usize)> {
        let mut rows = Vec::with_capacity(self.rows.len());
        if let Some(Cells::Bags { bags, .. }) = self.columns.get(column).map(|c| c.cells) {
            each_row(self.rows, bags, |b| b.n_rows(), |bags, row| rows.push((*bags, row)));
        }
        rows
    }

    /// Calls `see` for each row to learn from, with the chunk that holds it and the row of the chunk.
    fn each(&self, column: usize, see: impl FnMut(&'a Column<'a>, usize)) {
        if let Some(Cells::Chunks(chunks)) = self.columns.get(column).map(|c| c.cells) {
            each_row(self.rows, chunks, Column::n_rows, see);
        }
    }

    /// The target.
    ///
    /// # Errors
    /// There is none.
    pub fn target(&self, transform: &'static str) -> Result<StepTarget<'a>, Error> {
        self.target.ok_or_else(|| Kind::NoTarget { transform }.into())
    }
}

/// Calls `see` for rows, rising, with the chunk that holds each and its row there.
pub fn each_row<'a, T>(
    rows: &[u32],
    chunks: &'a [T],
    n_rows: impl Fn(&T) -> usize,
    mut see: impl FnMut(&'a T, usize),
) {
    let mut chunks = chunks.iter();
    let mut chunk = chunks.next();
    let mut first = 0usize;
    for &row in rows {
        while let Some(now) = chunk.filter(|c| first + n_rows(c) <= row as usize) {
            first += n_rows(now);
            chunk = chunks.next();
        }
        if let Some(now) = chunk {
            see(now, row as usize - first);
        }
    }
}

/// One made column.
#[derive(Clone, Debug, PartialEq)]
pub struct MadeColumn {
    /// Name for people, such as `month of "sold"`.
    pub name: String,
    /// What it means: a number, a category or a bag.
    pub kind: FeatureKind,
}

/// What a group gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Made {
    /// One column, `f64 [N]`, or `string [N]` for a category.
    Column(MadeColumn),
    /// Several columns, `f64 [N, K]`; all are numbers.
    Matrix(Vec<String>),
    /// One bag a row, `bag [N, width]`.
    Bag {
        /// Name for people.
        name: String,
        /// The term of each id, where there is a vocabulary; what a later step names its columns by.
        terms: Option<Arc<[String]>>,
    },
}

/// Columns that are made together.
pub struct Group {
    /// Columns of the step that they are made of.
    pub uses: Vec<usize>,
    /// What is made.
    pub made: Made,
    /// How it becomes nodes.
    pub part: Box<dyn Lower>,
    /// Values for the rows that were learnt from, in row order, `[n_rows, K]`, where they must differ from
    /// what the nodes give (a row must not see its own target).
    pub training: Option<Vec<f64>>,
}

impl Group {
    /// One number column.
    pub fn number(uses: Vec<usize>, name: String, part: impl Lower + 'static) -> Group {
        let made = MadeColumn { name, kind: FeatureKind::Number };
        Group { uses, made: Made::Column(made), part: Box::new(part), training: None }
    }

    /// Several number columns.
    pub fn matrix(uses: Vec<usize>, names: Vec<String>, part: impl Lower + 'static) -> Group {
        Group { uses, made: Made::Matrix(names), part: Box::new(part), training: None }
    }
}

/// How a group becomes nodes.
pub trait Lower: Send + Sync {
    /// Appends nodes; `columns` are the values of `Group::uses`, in that order: `f64 [N]` for numbers, a
    /// string `[N]` or `i64 [N]` for times, a string `[N]` for categories and text, a bag `[N, width]` for bags.
    ///
    /// # Errors
    /// The graph refuses a node.
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error>;
}

impl<F> Lower for F
where
    F: Fn(&mut GraphBuilder, &[ValueIdx]) -> Result<ValueIdx, ir::Error> + Send + Sync,
{
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        self(builder, columns)
    }
}

/// What a step made of its columns. Columns that are neither kept nor used are dropped.
#[derive(Default)]
pub struct FittedStep {
    /// Columns of the step that go on as they are.
    pub kept: Vec<usize>,
    /// New columns.
    pub groups: Vec<Group>,
}

impl FittedStep {
    /// Makes a group of each column, by its place and name, and keeps the column where there is none to make.
    pub fn of_each(input: &StepInput<'_>, mut group: impl FnMut(usize, &str) -> Option<Group>) -> FittedStep {
        let mut step = FittedStep::default();
        for (at, column) in input.columns.iter().enumerate() {
            match group(at, column.name) {
                Some(group) => step.groups.push(group),
                None => step.kept.push(at),
            }
        }
        step
    }
}

/// A transform fits.
pub trait Transform: Sync {
    /// Learns from the rows. Exact: the same rows, parameters and seed give the same step on any machine and
    /// any number of threads.
    ///
    /// # Errors
    /// The columns do not allow what the parameters ask for.
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error>;
}

/// Parameters that every transform has.
pub const COMMON: &[ParamSpec] = &[ParamSpec {
    name: "keep",
    aliases: &[],
    default: Value::Word("no"),
    range: Range::Words(&["no", "yes"]),
    doc: "whether the columns that new ones are made of go on too",
}];

/// One line of the table.
pub struct TransformEntry {
    /// Name on the command line.
    pub name: &'static str,
    /// What it is, in one line.
    pub doc: &'static str,
    /// Kinds of columns that it takes.
    pub takes: &'static [FeatureKind],
    /// Whether it sees the target.
    pub sees_target: bool,
    /// Whether it gives columns of the same names with some cells changed, which people want counted.
    pub cleans: bool,
    /// Its parameters, [`COMMON`] not counted.
    pub spec: &'static [ParamSpec],
    /// The transform.
    pub transform: &'static dyn Transform,
}

impl TransformEntry {
    /// Parameters with these settings.
    ///
    /// # Errors
    /// An unknown name or a value out of range.
    pub fn params(&self, settings: &[(String, String)]) -> Result<Params, Error> {
        Ok(Params::parse(self.name, &[COMMON, self.spec], settings)?)
    }

    /// The kinds that it takes, for people.
    pub fn takes_shown(&self) -> String {
        self.takes.iter().map(|k| k.name()).collect::<Vec<_>>().join(", ")
    }
}
