//! Which output of a network answers the question, and what its numbers mean.

use super::Network;
use super::feed::{Feed, numbers};
use crate::Error;
use ir::{AnswerKind, Tensor};
use jobs::Ctx;
use recipe::Predictions;

/// How far sums of probabilities may lie from 1.
const SUM_EPS: f64 = 1e-3;

/// What a network predicts for rows.
pub(crate) struct Answers {
    pub(crate) predictions: Predictions,
    /// Classes; 0 for numbers.
    pub(crate) n_classes: usize,
    /// True where a softmax was taken that nobody asked for: the outputs were no probabilities.
    pub(crate) was_softmax: bool,
}

/// Runs a network on all rows, and takes what the output that answers says. Where the file names none, that is the first
/// output `[rows, classes]` or `[rows]`, `[rows, 1]` of numbers, and numbers of several classes that are no probabilities
/// (rows that do not sum up to 1) become some by softmax.
///
/// # Errors
/// The network does not run on the rows, or has no such output.
pub(crate) fn answers(network: &Network, feed: &Feed, ctx: &Ctx<'_>) -> Result<Answers, Error> {
    let answers = batches_while(network, feed, ctx, &mut |_, _, _| true)?;
    interpreted(network, answers)
}

/// The numbers of the output that answers, in batches of rows in order, each with how many numbers a row has; as long as
/// `go_on` wants more, which hears the first row of each batch, its numbers, and how many a row has.
///
/// # Errors
/// As [`answers`].
pub(crate) fn batches_while(
    network: &Network,
    feed: &Feed,
    ctx: &Ctx<'_>,
    go_on: &mut dyn FnMut(usize, &[f64], usize) -> bool,
) -> Result<Vec<(Vec<f64>, usize)>, Error> {
    let n_rows = feed.n_rows();
    ctx.progress.stage("running", Some(n_rows as u64));
    let mut answers = Vec::new();
    // All rows of one run come at once.
    let slice = network.slice(feed)?;
    let round = Network::round(slice, ctx.threads);
    for first in (0..n_rows).step_by(round) {
        if ctx.cancel.is_cancelled() {
            return Err(Error::input(format!("interrupted after {first} rows")));
        }
        let rows = first..n_rows.min(first + round);
        let mut next = first;
        let mut is_wanted = true;
        for outputs in network.run_rows(feed, slice, rows.clone(), ctx.threads)? {
            let n = slice.min(rows.end - next);
            let (values, width) = answer(network, &outputs, n)?;
            is_wanted = is_wanted && go_on(next, &values, width);
            answers.push((values, width));
            next += n;
        }
        ctx.progress.advance(rows.len() as u64);
        if !is_wanted {
            break;
        }
    }
    Ok(answers)
}

/// What the numbers of all rows mean, in batches of rows in order, each with how many numbers a row has.
///
/// # Errors
/// No rows.
pub(crate) fn interpreted(network: &Network, batches: Vec<(Vec<f64>, usize)>) -> Result<Answers, Error> {
    let Some(&(_, width)) = batches.last() else {
        return Err(network.fail("expected at least one row, got none"));
    };
    let mut answers: Vec<f64> = batches.into_iter().flat_map(|(values, _)| values).collect();
    if width == 1 {
        return Ok(Answers { predictions: Predictions::Values(answers), n_classes: 0, was_softmax: false });
    }
    let known = network.signature.answer.map(|a| a.kind);
    let is_share = known == Some(AnswerKind::Probability) || answers.chunks_exact(width).all(is_shares);
    let was_softmax = known.is_none() && !is_share;
    for row in answers.chunks_exact_mut(width) {
        if was_softmax || known == Some(AnswerKind::Logit) {
            softmax(row);
        }
        // Shares of single precision are some last digits off; metrics want them whole.
        let sum: f64 = row.iter().sum();
        // Shares of 8 bits may all be 0; such a row says nothing.
        let all = row.len() as f64;
        row.iter_mut().for_each(|p| *p = if sum > 0.0 { *p / sum } else { 1.0 / all });
    }
    let labels = answers.chunks_exact(width).map(largest).collect();
    let predictions = Predictions::Classes { probabilities: answers, labels };
    Ok(Answers { predictions, n_classes: width, was_softmax })
}

/// The class with the largest number, the first of equal ones.
pub(crate) fn largest(row: &[f64]) -> u32 {
    (1..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best }) as u32
}

/// True for numbers that are probabilities of all classes.
pub(crate) fn is_shares(row: &[f64]) -> bool {
    row.iter().all(|p| (0.0..=1.0 + SUM_EPS).contains(p)) && (row.iter().sum::<f64>() - 1.0).abs() <= SUM_EPS
}

/// How many numbers a tensor of floats has for each of the rows; none if it does not stand for rows.
pub(crate) fn width_of(tensor: &Tensor, n_rows: usize) -> Option<usize> {
    let width: usize = tensor.dims().iter().skip(1).product();
    let is_flat = tensor.dims().iter().skip(1).filter(|n| **n > 1).count() <= 1;
    let is_of_rows = tensor.dims().first() == Some(&n_rows) && is_flat && tensor.dtype().is_float();
    Some(width).filter(|&width| is_of_rows && width > 0)
}

fn softmax(row: &mut [f64]) {
    let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    row.iter_mut().for_each(|x| *x = ir::fixed::math::exp(*x - most));
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|x| *x /= sum);
}

/// The numbers of the output that answers, or of the first that has some for each row, and how many a row has.
pub(crate) fn answer(
    network: &Network,
    outputs: &[Tensor],
    n_rows: usize,
) -> Result<(Vec<f64>, usize), Error> {
    let of_rows = |tensor: &&Tensor| width_of(tensor, n_rows).is_some();
    let named = network.signature.answer.map(|a| outputs.iter().skip(a.output as usize).take(1));
    let found = match named {
        Some(mut named) => named.find(of_rows),
        None => outputs.iter().find(of_rows),
    };
    let Some(tensor) = found else {
        let shapes: Vec<String> = outputs.iter().map(|t| format!("{} {:?}", t.dtype(), t.dims())).collect();
        return Err(network.fail(&format!(
            "expected an output of floats with one number a class, or one number, for each of {n_rows} rows, got {}; look at its outputs with predict -o FILE.npz",
            shapes.join(", ")
        )));
    };
    let values = numbers(tensor.data()).ok_or_else(|| Error::bug("network: floats that are none"))?;
    if let Some(at) = values.iter().position(|v| !v.is_finite()) {
        let row = at / (values.len() / n_rows.max(1)).max(1) + 1;
        return Err(
            network.fail(&format!("expected finite outputs, got {} at row {row} of a batch", values[at]))
        );
    }
    let width = values.len() / n_rows.max(1);
    Ok((values, width))
}
