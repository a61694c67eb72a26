//! The page of a quantization: a float network beside what became of it, and of each layer what it lost and why.
//!
//! [`Quantization`] holds figures only, as [`super::Report`] does; whoever quantizes fills it. Layers come in the order
//! of the network; tables show them by what each costs alone.

mod beside;
mod headline;
mod inputs;
mod layers;

use super::chart::DrawError;
use super::page::{Section, framed};
use super::rows::made_by;

/// What the page of a quantization shows.
#[derive(Clone, Debug)]
pub struct Quantization<'a> {
    /// The file that was written.
    pub title: String,
    /// The file that it was made of.
    pub source: String,
    /// Lengths of the float network's file and of the written one.
    pub bytes: [u64; 2],
    /// Rows that both networks ran on.
    pub n_rows: usize,
    /// How far the written network is from the float one.
    pub distance: Distance,
    /// Accuracies, where classes are known.
    pub accuracy: Option<[f64; 2]>,
    /// The 95 % interval of the written network's accuracy.
    pub interval: Option<[f64; 2]>,
    /// Nanoseconds a row in batch.
    pub ns_per_row: Option<[f64; 2]>,
    /// What was demanded, and what was found.
    pub demand: Option<Demand>,
    /// Figures of both networks.
    pub lines: Vec<BesideLine>,
    /// What can be said of both, in sentences.
    pub sentences: Vec<String>,
    /// Names of the classes; empty if they are not known.
    pub classes: &'a [String],
    /// Confusion matrices of both, rows true, columns predicted.
    pub confusion: Option<[&'a [Vec<u64>]; 2]>,
    /// Name of the observer that was asked for.
    pub observer: String,
    /// The layers, in order.
    pub layers: Vec<LayerFigures>,
    /// Names of the nodes that compute with floats.
    pub floats: &'a [String],
    /// Settings of the run: name and value.
    pub recipe: Vec<(String, String)>,
    /// A command that makes the page again.
    pub command: String,
}

/// How far answers are from those of the float network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distance {
    /// Share of rows that keep their label, and mean Kullback-Leibler divergence in nats; `None` for networks of one
    /// number a row.
    pub labels: Option<(f64, f64)>,
    /// `sum (y - float)^2 / sum float^2` over all outputs.
    pub noise: f64,
}

/// A bound on what may be lost.
#[derive(Clone, Debug)]
pub struct Demand {
    /// The bound, as the user wrote it, and of what.
    pub bound: String,
    /// It is kept.
    pub holds: bool,
    /// What is lost.
    pub drop: f64,
    /// Where that lies on other rows of the same kind, in 95 of 100 cases.
    pub interval: [f64; 2],
    /// Layers that take 16 bits for it.
    pub wide: Vec<String>,
    /// Layers whose weights have 16 bits too.
    pub widest: Vec<String>,
    /// Layers that stay floats for it.
    pub floats: Vec<String>,
    /// Networks that were compared.
    pub n_checks: usize,
    /// Rows that these ran on, in runs over all rows.
    pub passes: f64,
}

/// A figure of both networks; `None` where one has none.
#[derive(Clone, Debug)]
pub struct BesideLine {
    /// What it is.
    pub name: String,
    /// What it means, where the name does not say it.
    pub meaning: &'static str,
    /// What its numbers are.
    pub unit: Unit,
    /// Of the float network.
    pub float: Option<f64>,
    /// Of the written one.
    pub integer: Option<f64>,
}

/// What numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A score or a loss.
    Score,
    /// A share.
    Share,
    /// A count.
    Count,
    /// Bytes.
    Bytes,
    /// Nanoseconds.
    Nanoseconds,
}

/// What happened to a layer.
#[derive(Clone, Debug)]
pub struct LayerFigures {
    /// Name of the node.
    pub name: String,
    /// Its operator.
    pub op: &'static str,
    /// Bits of a weight and of what it takes.
    pub bits: (u8, u8),
    /// Number of weights.
    pub n_weights: usize,
    /// Signal to noise of its output in decibel, as rounded and behind corrections; infinite where nothing is lost.
    pub signal_to_noise: [f64; 2],
    /// What it alone does to the outputs.
    pub alone: Distance,
    /// Why, in words.
    pub causes: Vec<String>,
    /// What was tried that helps most, and what the layer alone would do then.
    pub remedy: Option<(String, Distance)>,
    /// The range of its input that has codes.
    pub range: [f64; 2],
    /// Share of the values of its input beyond that range, and share of exact zeros.
    pub beyond: f64,
    /// Share of the values of its input that are 0.
    pub zeros: f64,
    /// The values of its input.
    pub histogram: Histogram,
    /// What each observer would have chosen.
    pub observers: Vec<RangeLine>,
}

/// Counts in bins of one width.
#[derive(Clone, Debug)]
pub struct Histogram {
    /// Where the first bin begins.
    pub low: f64,
    /// Where the last one ends.
    pub high: f64,
    /// Values in each.
    pub counts: Vec<u64>,
}

/// A range that an observer would choose.
#[derive(Clone, Copy, Debug)]
pub struct RangeLine {
    /// Name of the observer.
    pub name: &'static str,
    /// The range.
    pub range: [f64; 2],
    /// Expected squared error of rounding a value with it.
    pub error: f64,
}

impl Quantization<'_> {
    /// Layers with their number from 1, those first that cost most alone.
    fn by_cost(&self) -> Vec<(usize, &LayerFigures)> {
        let mut all: Vec<(usize, &LayerFigures)> = (1..).zip(&self.layers).collect();
        all.sort_by(|a, b| b.1.alone.noise.total_cmp(&a.1.alone.noise));
        all
    }
}

/// The page of a quantization.
///
/// [`inputs::MOST_DRAWN`] layers get a drawing, [`layers::MOST_LAYERS`] a line, so that a page of a deep network stays
/// below 1 MB; what is left out is said.
///
/// # Errors
/// A drawing fails, which is a bug.
pub fn quantization_html(of: &Quantization<'_>) -> Result<String, DrawError> {
    let sections: Vec<Section> = vec![
        ("beside", "Float and integer".to_owned(), Some(beside::figures(of))),
        ("demand", "What was demanded".to_owned(), headline::demand(of)),
        ("classes", "Right and wrong by class".to_owned(), beside::classes(of)),
        ("signal", "What each layer loses".to_owned(), layers::signal(of)?),
        ("layers", "Layers by what they cost alone".to_owned(), layers::table(of)),
        ("inputs", "What layers take, and the ranges of it".to_owned(), inputs::inputs(of)?),
        ("floats", "What stays floats".to_owned(), layers::floats(of)),
        (
            "again",
            "How to make it again".to_owned(),
            Some(made_by(&of.recipe, "the network and this page", &of.command)),
        ),
    ];
    Ok(framed(&of.title, &headline::head(of), sections))
}

/// A ratio of powers in decibel below the signal; "none" for 0.
fn decibel_of(noise: f64) -> String {
    if noise > 0.0 { decibel(-10.0 * noise.log10()) } else { "none".to_owned() }
}

/// A signal to noise; "exact" where there is no noise.
fn decibel(value: f64) -> String {
    if value.is_finite() { format!("{value:.1} dB") } else { "exact".to_owned() }
}
