//! A teacher: what a student learns from instead of the labels, or beside them.
//!
//! A student is a usual candidate. Its teacher says, for rows of the table, how probable each class is, or a value, and it
//! says so of rows that it had not seen: else a student would learn by heart what its teacher knows by heart. What it
//! says becomes rows that the learner takes as any others (`soft_rows`), so no learner knows of it. Rows without a
//! target can be learnt from too; and new rows can be made of the cells of training rows (`prepare::generate`), whose
//! labels come from models (`known_models`) that have not seen what is held back.

mod column_groups;
mod known_models;
mod logits;
mod soft_rows;

#[cfg(test)]
mod tests;

use crate::augmented::Augmented;
use crate::error::{Error, Kind};
use crate::features::Features;
use crate::predictions::Truth;
use crate::prepared::Prepared;
use column_groups::ColumnGroups;
use ir::{Model, Task};
use jobs::{Ctx, Seed, Threads};
use known_models::KnownModel;
use learn::{FitInput, Fitted, Goal, LearnerEntry};
use params::Params;
use prepare::generate::{GenerateInput, GeneratorEntry, MadeCells, generator};
use soft_rows::SoftRows;
use trees::Rows;

/// What brings a student to say what its teacher says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Loss {
    /// Of classes the cross entropy with soft labels: `-sum_k t_k log q_k`. Of numbers the learner's own loss.
    #[default]
    CrossEntropy,
    /// Of two classes the square of what log odds are apart: a regression of `log(t / (1 - t))`, `t` within
    /// `0.005..=0.995`, by a learner that answers one.
    Logit,
}

/// How rows are made for a teacher to label.
#[derive(Clone)]
pub struct Generate {
    /// The generator.
    pub entry: &'static GeneratorEntry,
    /// Its parameters.
    pub params: Params,
}

impl Generate {
    /// By name, with these settings.
    ///
    /// # Errors
    /// An unknown generator or parameter, a value out of range.
    pub fn parse(name: &str, settings: &[(String, String)]) -> Result<Generate, Error> {
        let entry = generator(name)?;
        Ok(Generate { entry, params: entry.params(settings)? })
    }
}

/// How a student learns from its teacher.
#[derive(Clone)]
pub struct TeacherOptions {
    /// The share `a` of a row's own label in what is learnt of it: `t = a y + (1 - a) p`; `0..=1`.
    pub own_share: f64,
    /// What a row without a target weighs beside one with a target; 0 leaves them out.
    pub unlabelled_weight: f64,
    /// What brings the student to say what its teacher says.
    pub loss: Loss,
    /// How rows are made, if any are.
    pub generate: Option<Generate>,
}

/// What a teacher says of the rows of a table, and what a student makes of it.
pub struct Teacher {
    /// `[n_rows, width]`, NaN for rows of which nothing is known.
    targets: Vec<f64>,
    /// Classes, or 1.
    width: usize,
    is_of_classes: bool,
    options: TeacherOptions,
    models: Vec<KnownModel>,
}

impl Teacher {
    /// How far the probabilities of a row may sum up beside 1: a few hundred of four digits do.
    pub const SUM_TOLERANCE: f64 = 1e-2;

    /// `targets` says for each row of the table how probable each class is, `[n_rows, n_classes]`, also of two classes, or
    /// its value, `[n_rows]`; rows that are NaN throughout are never learnt from. Of rows with a target it must have been
    /// said without having seen them. Probabilities are scaled to sum up to 1. `truth` is that of all rows.
    ///
    /// # Errors
    /// `TeacherLength`, `TeacherTarget` for what is no probability, no finite value or does not sum up to 1,
    /// `TeacherOption` for options out of range, `TeacherLoss` for logits of anything but two classes, `SeveralTargets`.
    pub fn try_new(targets: Vec<f64>, truth: &Truth, options: TeacherOptions) -> Result<Teacher, Error> {
        if matches!(truth, Truth::Several(_)) {
            return Err(Kind::SeveralTargets { what: "a teacher".to_owned() }.into());
        }
        let (width, is_of_classes) = (truth.n_linked(), matches!(truth, Truth::Classes { .. }));
        let (n_rows, got) = (truth.n_rows(), targets.len());
        if n_rows.checked_mul(width) != Some(got) {
            return Err(Kind::TeacherLength { n_rows, width, got }.into());
        }
        let fault = |name, expected, got| Err(Kind::TeacherOption { name, expected, got }.into());
        let TeacherOptions { own_share, unlabelled_weight, loss, .. } = options;
        if !(0.0..=1.0).contains(&own_share) {
            return fault("own_share", "a number in 0..=1", own_share);
        }
        if !(0.0..=1e6).contains(&unlabelled_weight) {
            return fault("unlabelled_weight", "a number in 0..=1000000", unlabelled_weight);
        }
        if loss == Loss::Logit && !(is_of_classes && width == 2) {
            return Err(Kind::TeacherLoss { n_classes: if is_of_classes { width } else { 0 } }.into());
        }
        let mut teacher = Teacher { targets, width, is_of_classes, options, models: Vec::new() };
        for row in 0..n_rows {
            let target = &mut teacher.targets[row * width..(row + 1) * width];
            if is_of_classes { scale(target) } else { value(target) }
                .map_err(|(expected, got)| Kind::TeacherTarget { row: row + 1, expected, got })?;
        }
        Ok(teacher)
    }

    /// With a model that was fitted on these rows of the table and on no others, for rows that are made and rows without a
    /// target in fits on some of these rows. Several may be added; of those that serve the first one is asked.
    ///
    /// # Errors
    /// `TeacherModel` for a model of another task, of other classes, or of columns that hang on other rows; an operator
    /// that the runtime lacks.
    pub fn with_model(mut self, rows: &[u32], model: &Model) -> Result<Teacher, Error> {
        let n_classes = if self.is_of_classes { self.width } else { 0 };
        self.models.push(KnownModel::try_new(rows, model, n_classes)?);
        Ok(self)
    }

    /// What is said of a row; nothing where nothing is known.
    fn target(&self, row: u32) -> Option<&[f64]> {
        let at = row as usize * self.width;
        self.targets.get(at..at + self.width).filter(|target| target.iter().all(|p| p.is_finite()))
    }

    /// True if log odds are learnt, by a regression.
    fn learns_logits(&self) -> bool {
        self.options.loss == Loss::Logit
    }

    /// What a fit on these rows learns: of their targets and of what this teacher says. Rows of which nothing is known are
    /// left out. Rows without a target are learnt from if they are known, do not share a fold with a row with a target
    /// that this fit does not learn from, and are not `rows.others`.
    ///
    /// # Errors
    /// `TeacherAugment` beside an augmentation, `TeacherLength` for another table, `Generate` where rows cannot be made,
    /// `NoTeacherModel` where nobody can label them, whatever such a model says.
    pub(crate) fn augmented(
        &self,
        (prepared, features): (&Prepared<'_>, &Features),
        rows: &Rows,
        (seed, threads): (Seed, &Threads),
    ) -> Result<Augmented, Error> {
        if let Some(augmentation) = prepared.augmentation() {
            return Err(Kind::TeacherAugment { augmentation }.into());
        }
        let (n_rows, got) = (prepared.truth.n_rows(), self.targets.len());
        if n_rows.checked_mul(self.width) != Some(got) {
            return Err(Kind::TeacherLength { n_rows, width: self.width, got }.into());
        }
        let mut soft = SoftRows::new(self, prepared);
        let mut train: Vec<u32> = rows.train.clone();
        train.sort_unstable();
        train.retain(|&row| self.target(row).is_some());
        for &row in &train {
            soft.of_row(row);
        }
        let model = self.model_for(rows, n_rows);
        let unlabelled = self.unlabelled(prepared, rows);
        let said = match model.filter(|_| !unlabelled.is_empty()) {
            Some(model) => Some(model.says(prepared, |_| Ok(&unlabelled), unlabelled.len(), threads)?),
            None => None,
        };
        for (at, &row) in unlabelled.iter().enumerate() {
            let of_model = said.as_ref().and_then(|said| said.get(at * self.width..(at + 1) * self.width));
            if let Some(target) = of_model.or_else(|| self.target(row)) {
                soft.of_unlabelled(row, target);
            }
        }
        let generate =
            |generate| self.generated(generate, (prepared, features), (&train, model), (seed, threads));
        let generated = self.options.generate.as_ref().map(generate).transpose()?;
        if let Some(Generated { made, said, .. }) = &generated {
            let made = said.chunks_exact(self.width).zip(&made.weights);
            (0..).zip(made).for_each(|(at, (said, &weight))| soft.of_made(at, said, weight));
        }
        train.extend(unlabelled);
        train.sort_unstable();
        let (copies, made, lesson) = soft.finish(train);
        let rows_of = |feature: usize| {
            let from = generated.as_ref().map(|g| &g.made.from[g.groups.of_feature[feature]]);
            let made = made.iter().filter_map(move |&at| from?.get(at as usize).copied());
            copies.iter().copied().chain(made)
        };
        let behind = (copies.len() + made.len(), rows_of);
        Ok(Augmented::of_cells((prepared, features), behind, lesson, &rows.others, threads))
    }

    /// Rows without a target that a fit learns from, rising.
    fn unlabelled(&self, prepared: &Prepared<'_>, rows: &Rows) -> Vec<u32> {
        if prepared.unlabelled.is_empty() || self.options.unlabelled_weight == 0.0 {
            return Vec::new();
        }
        let n_rows = prepared.truth.n_rows();
        let mut is_learnt = vec![false; n_rows];
        rows.train.iter().for_each(|&row| is_learnt[row as usize] = true);
        let unit = |row: u32| prepared.first_copy[row as usize] as usize;
        // What shares a fold with a row that is held back says what that row is.
        let mut is_held = vec![false; n_rows];
        prepared
            .rows
            .iter()
            .filter(|&&row| !is_learnt[row as usize])
            .for_each(|&row| is_held[unit(row)] = true);
        let mut is_scored = vec![false; n_rows];
        rows.others.iter().for_each(|&row| is_scored[row as usize] = true);
        let is_free = |row: &u32| !is_held[unit(*row)] && !is_scored[*row as usize];
        let all = prepared.unlabelled.iter().copied();
        all.filter(|row| self.target(*row).is_some() && is_free(row)).collect()
    }

    /// The model that labels rows for a fit: the one that was fitted on the same rows, else the first one that has seen
    /// all of them and none of those held back.
    fn model_for(&self, rows: &Rows, n_rows: usize) -> Option<&KnownModel> {
        let same = self.models.iter().find(|model| model.is_of(&rows.train));
        same.or_else(|| self.models.iter().find(|model| model.serves(rows, n_rows)))
    }

    /// New rows of the cells of training rows, and what a model says of them.
    fn generated(
        &self,
        generate: &Generate,
        (prepared, features): (&Prepared<'_>, &Features),
        (train, model): (&[u32], Option<&KnownModel>),
        (seed, threads): (Seed, &Threads),
    ) -> Result<Generated, Error> {
        let generator = generate.entry.name;
        let groups = ColumnGroups::new(generator, prepared, features)?;
        let Some(model) = model else {
            let (n_rows, n_models) = (train.len(), self.models.len());
            return Err(Kind::NoTeacherModel { generator, n_rows, n_models }.into());
        };
        let row_weights = soft_rows::user_weights(prepared);
        let input = GenerateInput {
            encoders: &features.encoders,
            codes: &features.codes,
            group_of: &groups.of_feature,
            n_groups: groups.n,
            targets: &self.targets,
            n_outputs: self.width,
            row_weights: row_weights.as_deref(),
            rows: train,
            seed: seed.derive("generate", 0),
            threads,
        };
        let made = generate.entry.generator.make(&input, &generate.params)?;
        let taken = |name: &str| match prepared.inputs.iter().position(|input| input.name == name) {
            Some(input) => Ok(&made.from[groups.of_input[input]]),
            None => Err(unknown_input(name)),
        };
        let said = model.says(prepared, taken, made.n_rows(), threads)?;
        Ok(Generated { groups, made, said })
    }

    /// Fits a learner on what [`Teacher::augmented`] gives.
    ///
    /// # Errors
    /// Whatever the learner says; a learner that answers no regression, or whose scores are logs, where log odds are learnt.
    pub(crate) fn fit(
        &self,
        (learner, params): (&LearnerEntry, &Params),
        input: FitInput<'_>,
        (seed, ctx): (Seed, &Ctx<'_>),
    ) -> Result<Fitted, Error> {
        if !self.learns_logits() {
            return Ok(learner.learner.fit(input, params, seed, ctx)?);
        }
        learner.answers(Task::Regression)?;
        let fitted = learner.learner.fit(FitInput { goal: Goal::Mean, ..input }, params, seed, ctx)?;
        logits::as_odds(fitted, learner.name)
    }
}

/// Made rows, by groups of columns, and what a model says of them.
struct Generated {
    groups: ColumnGroups,
    made: MadeCells,
    said: Vec<f64>,
}

fn unknown_input(name: &str) -> Error {
    let (what, expected) = ("a column that it takes", "one of the student's".to_owned());
    Kind::TeacherModel { what, expected, got: format!("\"{name}\"") }.into()
}

/// Probabilities scaled to sum up to 1, or nothing known; else what is expected, and what is there.
fn scale(target: &mut [f64]) -> Result<(), (&'static str, f64)> {
    if target.iter().all(|p| p.is_nan()) {
        return Ok(());
    }
    if let Some(&wrong) = target.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(("probabilities in 0..=1, or nothing throughout", wrong));
    }
    let sum: f64 = target.iter().sum();
    if (sum - 1.0).abs() > Teacher::SUM_TOLERANCE {
        return Err(("probabilities that sum up to 1", sum));
    }
    target.iter_mut().for_each(|p| *p /= sum);
    Ok(())
}

/// A finite value, or nothing known; else what is expected, and what is there.
fn value(target: &[f64]) -> Result<(), (&'static str, f64)> {
    match target.iter().find(|value| value.is_infinite()) {
        Some(&wrong) => Err(("a finite number, or nothing", wrong)),
        None => Ok(()),
    }
}
