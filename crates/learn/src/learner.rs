//! The contract of the Learner family.
//!
//! The life of a fit: (1) the recipe makes codes of all rows once; (2) parameters are parsed against
//! the member's `SPEC`; (3) `fit` learns from the training part of the rows and gives the scores of
//! the other part, on integers; (4) the recipe adds the columns in `uses` as graph inputs and calls
//! [`Part::lower`], which appends nodes. Nothing that sees the target exists before step 3.

use crate::Error;
use ir::fixed::link;
use ir::op::LinkKind;
use ir::{GraphBuilder, Task, ValueIdx};
use jobs::{Ctx, Seed};
use params::{ParamSpec, Params};
use trees::{CodeMatrix, Encoder, Rows, Target};

/// What a learner learns from.
pub struct FitInput<'a> {
    /// How each column became codes.
    pub encoders: &'a [Encoder],
    /// The codes of all rows.
    pub codes: &'a CodeMatrix,
    /// The target of all rows.
    pub target: Target<'a>,
    /// Weight of each row; `None` weighs all alike.
    pub row_weights: Option<&'a [f32]>,
    /// The rows to learn from, and those whose scores are wanted (and may stop the fit early).
    pub rows: Rows,
    /// Rounds that earlier fits found to be best; learners without rounds ignore it.
    pub rounds: Option<u32>,
}

/// How integer scores become probabilities or values; the fields of [`ir::op::Link`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreLink {
    /// The function.
    pub kind: LinkKind,
    /// Fraction bits of a score.
    pub shift: i16,
    /// Added to a score first.
    pub offset: i64,
}

impl ScoreLink {
    /// What people read for scores `[n_rows, n_outputs]`: probabilities `[n_rows, n_classes]`, or
    /// values `[n_rows]`.
    pub fn apply(&self, scores: &[i32], n_outputs: usize) -> Vec<f64> {
        let shift = u32::from(self.shift.unsigned_abs());
        match self.kind {
            LinkKind::Logistic => {
                scores.iter().flat_map(|&s| link::logistic(s, shift)).map(f64::from).collect()
            }
            LinkKind::Softmax => {
                let mut p = vec![0f32; scores.len()];
                for (row, p) in scores.chunks_exact(n_outputs).zip(p.chunks_exact_mut(n_outputs)) {
                    link::softmax(row, shift, p);
                }
                p.into_iter().map(f64::from).collect()
            }
            LinkKind::Share => {
                let n = if n_outputs == 1 { 2 } else { n_outputs };
                let mut p = vec![0f32; scores.len() / n_outputs.max(1) * n];
                for (row, p) in scores.chunks_exact(n_outputs).zip(p.chunks_exact_mut(n)) {
                    link::share(row, self.offset, p);
                }
                p.into_iter().map(f64::from).collect()
            }
            LinkKind::Linear => scores.iter().map(|&s| link::linear(s, self.offset, self.shift)).collect(),
        }
    }
}

/// What a learner appended to a graph.
pub struct Lowered {
    /// Integer scores, `i32 [N, n_outputs]`.
    pub score: ValueIdx,
    /// Probabilities, or the predicted value.
    pub linked: ValueIdx,
    /// Index of the predicted class; none for regression.
    pub label: Option<ValueIdx>,
}

/// What was learnt, ready to become nodes.
pub trait Part: Send + Sync {
    /// Appends nodes; `columns` are the graph's inputs for `Fitted::uses`, in that order.
    ///
    /// # Errors
    /// The graph refuses a node.
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<Lowered, Error>;
}

/// The result of a fit.
pub struct Fitted {
    /// Columns (encoders) that the part takes, rising.
    pub uses: Vec<usize>,
    /// What becomes nodes.
    pub part: Box<dyn Part>,
    /// Scores of `rows.others`, in their order, `[n_others, n_outputs]`.
    pub other_scores: Vec<i32>,
    /// How they become probabilities or values.
    pub link: ScoreLink,
    /// Rounds that were best; 0 for learners without rounds.
    pub rounds: u32,
}

/// A learner fits.
pub trait Learner: Sync {
    /// Most codes of a column, from the parameters.
    fn max_bins(&self, params: &Params) -> usize;

    /// Learns from the training part of the rows.
    /// Exact: the same input, parameters and seed give the same part on any number of threads.
    ///
    /// # Errors
    /// Nothing to learn from, or cancelled before there was a model.
    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error>;
}

/// One line of the table.
pub struct LearnerEntry {
    /// Name on the command line.
    pub name: &'static str,
    /// What it is, in one line.
    pub doc: &'static str,
    /// What it can answer.
    pub tasks: &'static [Task],
    /// Its parameters.
    pub spec: &'static [ParamSpec],
    /// The learner.
    pub learner: &'static dyn Learner,
}

impl LearnerEntry {
    /// Parameters with these settings.
    ///
    /// # Errors
    /// An unknown name or a value out of range.
    pub fn params(&self, settings: &[(String, String)]) -> Result<Params, Error> {
        Ok(Params::parse(self.name, &[self.spec], settings)?)
    }
}
