//! The contract of the Learner family.
//!
//! The life of a fit: (1) the recipe makes codes of all rows once; (2) parameters are parsed against
//! the member's `SPEC`; (3) `fit` learns from the training part of the rows and gives the scores of
//! the other part, on integers; (4) the recipe adds the columns in `uses` as graph inputs and calls
//! [`Part::lower`], which appends nodes. Nothing that sees the target exists before step 3.

use crate::error::Kind;
use crate::offsets::Offsets;
use crate::{Error, ScoreLink};
use ir::{Bags, GraphBuilder, Task, ValueIdx};
use jobs::{Ctx, Seed};
use params::{Axis, ParamSpec, Params, Range, Value};
use std::sync::Arc;
use trees::{CodeMatrix, Encoder, Onto, Rows, Target};

/// What a learner learns from.
pub struct FitInput<'a> {
    /// Names of the columns, for parameters that speak of them.
    pub names: &'a [&'a str],
    /// How each column became codes.
    pub encoders: &'a [Encoder],
    /// The codes of all rows.
    pub codes: &'a CodeMatrix,
    /// By column: its numbers, missing as NaN; none for categories, and for learners that do not ask for them.
    pub numbers: &'a [Option<Arc<[f64]>>],
    /// By column: its bags with their width; none for other kinds, and for learners that do not ask for them.
    pub bags: &'a [Option<(Arc<Bags>, usize)>],
    /// The target of all rows.
    pub target: Target<'a>,
    /// Weight of each row; `None` weighs all alike.
    pub row_weights: Option<&'a [f32]>,
    /// Scores of all rows that the fit goes on from; taken by learners that start from scores alone.
    pub offsets: Option<Offsets<'a>>,
    /// The rows to learn from, and those whose scores are wanted (and may stop the fit early).
    pub rows: Rows,
    /// Rounds that earlier fits found to be best; learners without rounds ignore it.
    pub rounds: Option<StageRounds>,
    /// What predictions of numbers are judged by.
    pub goal: Goal,
    /// Whether scores without rounding are wanted beside the integers.
    pub exact: Exactness,
    /// Whether the part is wanted, or the scores of `rows.others` alone.
    pub wants: Wants,
}

impl<'a> FitInput<'a> {
    /// Weight of a row.
    pub(crate) fn weight(&self, row: u32) -> f64 {
        self.row_weights.map_or(1.0, |w| f64::from(w[row as usize]))
    }

    /// The training rows that weigh something, rising.
    ///
    /// # Errors
    /// `NoRows`.
    pub(crate) fn train_rows(&self) -> Result<Vec<u32>, Error> {
        let mut rows: Vec<u32> = self.rows.train.iter().copied().filter(|&r| self.weight(r) > 0.0).collect();
        if rows.is_empty() {
            return Err(Kind::NoRows.into());
        }
        rows.sort_unstable();
        Ok(rows)
    }

    /// The numbers of a column; none for other kinds.
    pub(crate) fn numbers_of(&self, column: usize) -> Option<&'a [f64]> {
        self.numbers.get(column).and_then(|n| n.as_deref())
    }
}

/// Rounds of the first stage of a fit, and of a second one where the learner has two.
pub type StageRounds = [u32; 2];

/// What a predicted number should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Goal {
    /// The mean: errors are squared.
    #[default]
    Mean,
    /// The median: errors are absolute.
    Median,
}

/// What a fit is for. Learners whose models are large keep less for scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Wants {
    /// A part that becomes nodes.
    #[default]
    Model,
    /// Scores of the other rows; the part may be an [`Unkept`] one.
    Scores,
}

/// The part of a fit whose scores alone were wanted.
pub struct Unkept;

impl Part for Unkept {
    fn lower(&self, _: &mut GraphBuilder, _: &[ValueIdx]) -> Result<ValueIdx, Error> {
        Err(Kind::Unkept.into())
    }
}

/// The numbers that a fit computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Exactness {
    /// Those that are deployed: integers.
    #[default]
    Integers,
    /// The same recipe without rounding, to see what rounding costs.
    Floats,
}

/// What was learnt, ready to become nodes.
pub trait Part: Send + Sync {
    /// Appends nodes; `columns` are the graph's inputs for `Fitted::uses`, in that order. Gives the integer
    /// scores, `i32 [N, n_outputs]`, which [`ScoreLink::lower`] goes on from.
    ///
    /// # Errors
    /// The graph refuses a node.
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, Error>;
}

/// The result of a fit.
pub struct Fitted {
    /// Columns (encoders) that the part takes, rising.
    pub uses: Vec<usize>,
    /// What becomes nodes.
    pub part: Box<dyn Part>,
    /// How the scores of the part are added to the offsets, where there are some; scores and link are then those of
    /// the sum.
    pub onto: Option<Onto>,
    /// Scores of `rows.others`, in their order, `[n_others, n_outputs]`.
    pub other_scores: Vec<i32>,
    /// What people would read for `rows.others` if nothing were rounded: probabilities `[n_others, n_classes]`
    /// or values. Empty unless asked for.
    pub other_floats: Vec<f64>,
    /// How they become probabilities or values; of several targets those of the first.
    pub link: ScoreLink,
    /// Links of the second target on, where there are several.
    pub further: Vec<ScoreLink>,
    /// Rounds that were best; 0 for learners without rounds.
    pub rounds: StageRounds,
}

/// A learner fits; [`LearnerEntry::fit`] is what is called.
pub trait Learner: Sync {
    /// Learns from the training part of the rows.
    /// Exact: the same input, parameters and seed give the same part on any number of threads.
    ///
    /// # Errors
    /// Nothing to learn from, or cancelled before there was a model.
    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error>;
}

/// What a learner takes beside codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Takes {
    /// Numbers as they are.
    pub numbers: bool,
    /// Bags of terms as they are; else texts become columns first.
    pub bags: bool,
}

impl Takes {
    /// Codes alone.
    pub const CODES: Takes = Takes { numbers: false, bags: false };
    /// Numbers as they are.
    pub const NUMBERS: Takes = Takes { numbers: true, bags: false };
    /// Numbers and bags as they are.
    pub const ALL: Takes = Takes { numbers: true, bags: true };
}

/// One line of the table.
pub struct LearnerEntry {
    /// Name on the command line.
    pub name: &'static str,
    /// What it is, in one line.
    pub doc: &'static str,
    /// What it can answer.
    pub tasks: &'static [Task],
    /// Tables of its parameters.
    pub specs: &'static [&'static [ParamSpec]],
    /// What a search changes.
    pub space: &'static [Axis],
    /// What it takes beside codes.
    pub takes: Takes,
    /// Whether scores without rounding come with the integers; else they take another training.
    pub floats_are_free: bool,
    /// Whether it can go on from scores that rows have already.
    pub starts_from_scores: bool,
    /// What the work of a fit grows with.
    pub grows: Grows,
    /// The learner.
    pub learner: &'static dyn Learner,
}

/// What the work of a fit grows with, beside rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grows {
    /// Rounds that are boosted.
    Rounds,
    /// Trees that know nothing of each other, whose number is the parameter `n_trees`.
    Trees,
    /// The rows once more: each is compared with the others.
    Rows,
    /// Nothing else: a few passes.
    Passes,
}

/// What every learner of classes has.
static OF_CLASSES: &[ParamSpec] = &[ParamSpec {
    name: CLASS_WEIGHT,
    aliases: &["class_weights"],
    default: Value::Word("none"),
    range: Range::Words(&["none", "balanced"]),
    doc: "what rows weigh by their class: all alike, or so that every class weighs the same",
}];

/// Name of the parameter that weighs classes; whoever makes row weights reads it.
pub const CLASS_WEIGHT: &str = "class_weight";

impl LearnerEntry {
    /// Most codes of a column; 254 for learners that have no parameter for it.
    pub fn max_bins(&self, params: &Params) -> usize {
        usize::try_from(params.int("max_bins")).ok().filter(|&n| n > 0).unwrap_or(254)
    }

    /// Checks that it answers a task.
    ///
    /// # Errors
    /// `Task`.
    pub fn answers(&self, task: Task) -> Result<(), Error> {
        if self.tasks.contains(&task) {
            return Ok(());
        }
        let expected = self.tasks.iter().map(|t| t.name()).collect::<Vec<_>>().join(" or ");
        let others = crate::LEARNERS.iter().filter(|l| l.tasks.contains(&task)).map(|l| l.name);
        let instead = others.collect::<Vec<_>>().join(", ");
        Err(Kind::Task { learner: self.name, task: task.name(), expected, instead }.into())
    }

    /// Checks that it can go on from scores that rows have already.
    ///
    /// # Errors
    /// `NoStart`.
    pub fn starts(&self) -> Result<(), Error> {
        if self.starts_from_scores {
            return Ok(());
        }
        let starts = crate::LEARNERS.iter().filter(|l| l.starts_from_scores).map(|l| l.name);
        let instead = starts.collect::<Vec<_>>().join(", ");
        Err(Kind::NoStart { learner: self.name, instead }.into())
    }

    /// [`Learner::fit`].
    ///
    /// # Errors
    /// As there; `NoStart` for offsets that it does not take, `Task` for several targets.
    pub fn fit(
        &self,
        input: FitInput<'_>,
        params: &Params,
        seed: Seed,
        ctx: &Ctx<'_>,
    ) -> Result<Fitted, Error> {
        if input.offsets.is_some() {
            self.starts()?;
        }
        match input.target {
            Target::Several(_) if input.target.is_of_numbers() => self.answers(Task::MultiRegression)?,
            Target::Several(_) => self.answers(Task::Multilabel)?,
            Target::Binary(_) | Target::Classes { .. } | Target::Values(_) => {}
        }
        self.learner.fit(input, params, seed, ctx)
    }

    /// Its own parameters.
    pub fn spec(&self) -> impl Iterator<Item = &'static ParamSpec> + use<> {
        self.specs.iter().flat_map(|table| table.iter())
    }

    /// Parameters that every learner of its tasks has.
    pub fn shared(&self) -> &'static [ParamSpec] {
        if self.tasks.contains(&Task::Binary) { OF_CLASSES } else { &[] }
    }

    /// Parameters with these settings.
    ///
    /// # Errors
    /// An unknown name or a value out of range.
    pub fn params(&self, settings: &[(String, String)]) -> Result<Params, Error> {
        Ok(Params::parse(self.name, &[self.specs, &[self.shared()]].concat(), settings)?)
    }
}
