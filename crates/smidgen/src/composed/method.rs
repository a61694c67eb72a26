//! Which method combines models, what it learns from rows, and how good that is on rows that it has not seen.
//!
//! What a method learnt is judged by cross-fitting: the rows are dealt out to [`N_FOLDS`] parts by their number, those of
//! each are combined by what the others teach, with the integers that a graph would compute.

use super::{ComposeOptions, Member};
use crate::Error;
use compose::combine::{Asked, EnsembleEntry, MemberRows, named};
use ir::Task;
use learn::{Decision, ScoreLink};
use params::{Params, settings_of};
use recipe::{Combination, Predictions, Truth, member_scores, predictions_by};

/// Rows that a method learns from at least.
const LEAST_ROWS: usize = 10;
/// Rows from which members are chosen, unless a method or weights are named.
const ROWS_TO_CHOOSE: usize = 50;
/// Parts of the rows, each of which is combined by what the others teach.
const N_FOLDS: usize = 5;
/// What asks for the usual method.
const AUTO: &str = "auto";

/// Refuses names and settings that no method has, before any file is read.
pub(super) fn check(options: &ComposeOptions) -> Result<(), Error> {
    if options.method != AUTO {
        params_of(named(&options.method)?, options)?;
    }
    for (of, ..) in &options.settings {
        named(of)?.params(&settings_of(&options.settings, of))?;
    }
    Ok(())
}

/// The method that was asked for: with `auto` the mean of probabilities or values if there are weights, else the members
/// that the rows choose, if there are enough of these, else the mean of scores.
pub(super) fn chosen(
    options: &ComposeOptions,
    task: Task,
    n_rows: usize,
) -> Result<&'static EnsembleEntry, Error> {
    let name = match (options.method.as_str(), &options.weights) {
        (AUTO, Some(_)) if task != Task::Regression => "soft_vote",
        (AUTO, None) if n_rows >= ROWS_TO_CHOOSE => "greedy",
        (AUTO, _) => "average",
        (name, _) => name,
    };
    let entry = named(name)?;
    entry.answers(task)?;
    entry.needs_no_columns()?;
    Ok(entry)
}

/// The parameters of a method.
///
/// # Errors
/// Settings of another one; an unknown parameter, a value out of range.
pub(super) fn params_of(entry: &EnsembleEntry, options: &ComposeOptions) -> Result<Params, Error> {
    if let Some((of, name, value)) = options.settings.iter().find(|(of, ..)| of != entry.name) {
        named(of)?;
        return Err(Error::input(format!(
            "--set {of}.{name}={value}: the models are combined by {}; name {of} with --method",
            entry.name
        )));
    }
    Ok(entry.params(&settings_of(&options.settings, entry.name))?)
}

/// Refuses to learn from a handful of rows.
pub(super) fn enough(entry: &EnsembleEntry, name: &str, n_rows: usize) -> Result<(), Error> {
    if n_rows >= LEAST_ROWS {
        return Ok(());
    }
    Err(Error::input(format!(
        "{name}: {n_rows} rows with a target: {} learns from {LEAST_ROWS} or more; use --method average, which learns nothing",
        entry.name
    )))
}

/// Scores of all members on the same rows.
pub(super) struct Told<'a> {
    truth: &'a Truth,
    links: Vec<ScoreLink>,
    n_outputs: usize,
    /// By member, `[n_rows, n_outputs]`.
    scores: Vec<&'a [i32]>,
    /// The same as real numbers, as ensembles take them.
    real: Vec<Vec<f64>>,
}

impl<'a> Told<'a> {
    /// `scores: [n_rows, n_outputs]` of each member.
    pub(super) fn new(members: &[Member], scores: Vec<&'a [i32]>, truth: &'a Truth) -> Told<'a> {
        let n_outputs = members.first().map_or(1, |first| first.score.n_outputs);
        let links: Vec<ScoreLink> = members.iter().map(|member| member.score.link).collect();
        let real = links.iter().zip(&scores).map(|(link, scores)| member_scores(scores, link, n_outputs));
        let real = real.collect();
        Told { truth, links, n_outputs, scores, real }
    }

    /// What all rows teach.
    pub(super) fn learn(
        &self,
        entry: &EnsembleEntry,
        params: &Params,
        asked: &Asked<'_>,
    ) -> Result<Combination, Error> {
        let all: Vec<usize> = (0..self.truth.n_rows()).collect();
        Ok(entry.fit(&self.rows(&all)?, asked, params)?)
    }

    /// What a combination makes of the rows.
    pub(super) fn combined(&self, combination: &Combination) -> Result<Predictions, Error> {
        let all: Vec<usize> = (0..self.truth.n_rows()).collect();
        Ok(predictions_by(self.truth, self.linked(combination, &all)?, &Decision::Largest))
    }

    /// What the rows are by what the rows of other parts teach.
    pub(super) fn cross_fitted(
        &self,
        entry: &EnsembleEntry,
        params: &Params,
        asked: &Asked<'_>,
    ) -> Result<Predictions, Error> {
        let (n_rows, width) = (self.truth.n_rows(), self.truth.n_linked());
        let mut linked = vec![0.0; n_rows * width];
        for fold in 0..N_FOLDS {
            let (own, others): (Vec<usize>, Vec<usize>) = (0..n_rows).partition(|row| row % N_FOLDS == fold);
            let combination = entry.fit(&self.rows(&others)?, asked, params)?;
            let of_own = self.linked(&combination, &own)?;
            for (cells, &row) in of_own.chunks_exact(width).zip(&own) {
                linked[row * width..][..width].copy_from_slice(cells);
            }
        }
        Ok(predictions_by(self.truth, linked, &Decision::Largest))
    }

    /// Some of the rows, as an ensemble takes them.
    fn rows(&self, places: &[usize]) -> Result<MemberRows, Error> {
        let real = self.real.iter().map(|real| picked(real, places, self.n_outputs)).collect();
        let rows: Vec<u32> = places.iter().map(|&place| place as u32).collect();
        Ok(MemberRows::try_new(real, self.n_outputs, self.truth.select(&rows))?)
    }

    /// Probabilities or values of some rows, by the integers of the model.
    fn linked(&self, combination: &Combination, places: &[usize]) -> Result<Vec<f64>, Error> {
        let scores: Vec<Vec<i32>> =
            self.scores.iter().map(|scores| picked(scores, places, self.n_outputs)).collect();
        let members: Vec<_> = scores.iter().map(Vec::as_slice).zip(self.links.iter().copied()).collect();
        let (sum, link) = combination.apply(&members, self.n_outputs, None)?;
        Ok(link.apply(&sum, self.n_outputs))
    }
}

/// The cells of some rows of `[n_rows, width]`.
fn picked<T: Copy>(cells: &[T], places: &[usize], width: usize) -> Vec<T> {
    places.iter().flat_map(|&place| &cells[place * width..][..width]).copied().collect()
}
