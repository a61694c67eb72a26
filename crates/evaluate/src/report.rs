//! The page that a person looks at: one HTML file, without scripts and without the network.
//!
//! A [`Report`] holds figures only; whoever fits or evaluates fills it, [`html`] draws it. Colours are variables of
//! the style sheet, so one drawing serves light, dark and paper. A section without figures is left out.

mod bars;
mod chart;
mod classes;
mod curves;
mod data;
mod floats;
mod headline;
mod learning;
mod models;
mod page;
mod quantization;
mod residuals;
mod rows;
mod shapes;
mod tables;

use crate::explain::{Dependence, Importance, ScoreTable};
pub use chart::DrawError;
use metrics::Observed;
pub use quantization::{
    BesideLine, Demand, Distance, Histogram, LayerFigures, Quantization, RangeLine, Unit, quantization_html,
};

/// What a report shows.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// What the page is about: the name of the model file.
    pub title: String,
    /// The first lines.
    pub headline: Headline,
    /// The score on several sets of rows, the most telling first.
    pub scores: Vec<ScoreLine>,
    /// Whether the model learnt too little or too much, in one sentence.
    pub diagnosis: Option<String>,
    /// How firmly predictions stand, in one sentence.
    pub stability: Option<String>,
    /// Models beside each other, this one among them; none shows none.
    pub models: Vec<ModelLine>,
    /// What can be said of each two of them, in sentences.
    pub comparisons: Vec<String>,
    /// The same recipe without rounding.
    pub floats: Floats,
    /// What a person should know: warnings first, then what was cleaned.
    pub notices: Vec<Notice>,
    /// The columns of the training table.
    pub columns: Vec<ColumnLine>,
    /// Truth and predictions that the figures are drawn of; `None` draws none.
    pub observed: Option<Observed<'a>>,
    /// How these rows are called: "out-of-fold rows".
    pub observed_on: &'a str,
    /// Names of the classes; empty for regression.
    pub classes: &'a [String],
    /// Scores by the number of training rows.
    pub learning: Vec<LearningPoint>,
    /// The metric that the worth of columns is told in.
    pub worth_metric: &'a str,
    /// What columns are worth, most first.
    pub importance: Vec<Importance>,
    /// How predictions follow a column, the most important first.
    pub shapes: Vec<Dependence>,
    /// The tables of an additive model, the most important first.
    pub tables: Vec<ScoreTable>,
    /// The rows that were predicted worst.
    pub worst: WorstRows,
    /// Seconds by stage.
    pub stages: Vec<(String, f64)>,
    /// Settings of the run: name and value.
    pub recipe: Vec<(String, String)>,
    /// A command.
    pub command: String,
    /// What it makes again: "the same bytes".
    pub command_makes: &'a str,
}

/// The first lines of a report.
#[derive(Clone, Debug)]
pub struct Headline {
    /// The question: "binary classification of \"income\"".
    pub question: String,
    /// Name of the metric.
    pub metric: String,
    /// True when more is better.
    pub greater_is_better: bool,
    /// The score that counts.
    pub score: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<[f64; 2]>,
    /// How many rows it was taken on, and which: "test rows".
    pub score_on: (usize, String),
    /// Length of the file.
    pub bytes: u64,
    /// Nanoseconds a row in batch, and for a single row.
    pub ns_per_row: Option<f64>,
    /// Nanoseconds for a single row.
    pub ns_single: Option<f64>,
    /// Training rows, where they are known.
    pub n_rows: Option<usize>,
    /// Columns that the model takes, and those that it could have taken where that is known.
    pub n_columns: (usize, Option<usize>),
    /// How reproducible predictions are: "integers only".
    pub exact: String,
}

/// A score on some rows.
#[derive(Clone, Debug)]
pub struct ScoreLine {
    /// Which rows.
    pub on: String,
    /// The score.
    pub score: f64,
    /// Its 95 % interval.
    pub interval: Option<[f64; 2]>,
    /// What it means, in few words.
    pub meaning: String,
}

/// A model among others.
#[derive(Clone, Debug)]
pub struct ModelLine {
    /// How it is called: its file.
    pub name: String,
    /// Its score; `None` where undefined.
    pub score: Option<f64>,
    /// The 95 % interval of the score.
    pub interval: Option<[f64; 2]>,
    /// Length of the file.
    pub bytes: u64,
    /// Nanoseconds a row in batch.
    pub ns_per_row: Option<f64>,
    /// Nanoseconds for a single row.
    pub ns_single: Option<f64>,
}

/// What rounding changes.
#[derive(Clone, Debug, Default)]
pub struct Floats {
    /// The figures.
    pub lines: Vec<FloatLine>,
    /// What follows from them.
    pub sentences: Vec<String>,
}

/// A figure of floats and of integers.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatLine {
    /// What it is.
    pub name: String,
    /// Without rounding.
    pub float: f64,
    /// Of the integers.
    pub integer: f64,
}

/// Something that a person should know.
#[derive(Clone, Debug)]
pub struct Notice {
    /// True for a warning, false for what was cleaned.
    pub is_warning: bool,
    /// The column, if it is about one.
    pub column: Option<String>,
    /// The sentence.
    pub text: String,
}

/// What is in a column.
#[derive(Clone, Debug)]
pub struct ColumnLine {
    /// Its name.
    pub name: String,
    /// number, category, text or time.
    pub kind: String,
    /// Share of its cells that are missing.
    pub missing: f64,
    /// Smallest value, quartiles, largest value, of numbers and times.
    pub spread: Vec<String>,
    /// The most frequent values with their share of the rows.
    pub frequent: Vec<(String, f64)>,
}

/// Scores of a fit on some of the rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearningPoint {
    /// Rows that were learnt from.
    pub n_rows: usize,
    /// Score on them.
    pub training: Option<f64>,
    /// Score on rows held back.
    pub held_back: Option<f64>,
}

/// Rows that were predicted worst, with their cells.
#[derive(Clone, Debug, Default)]
pub struct WorstRows {
    /// Names of the columns that are shown.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<WorstRow>,
}

/// A row that was predicted badly.
#[derive(Clone, Debug)]
pub struct WorstRow {
    /// Its number in the table, from 1.
    pub number: usize,
    /// What is true.
    pub truth: String,
    /// What was predicted.
    pub predicted: String,
    /// How wrong: the probability of the true class, or the distance.
    pub how_wrong: String,
    /// Its cells.
    pub cells: Vec<String>,
}

/// The page.
///
/// At most a few hundred points a curve, [`data::MOST_COLUMNS`] columns and [`classes::MOST_CLASSES`] classes are
/// drawn, so that a page stays below 1 MB whatever the table; what is left out is said.
///
/// # Errors
/// A drawing fails, which is a bug.
pub fn html(report: &Report<'_>) -> Result<String, DrawError> {
    page::page(report)
}

#[cfg(test)]
mod tests;
