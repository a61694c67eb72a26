//! What a quantized network lost, on all rows.

use super::MaxDrop;
use crate::Error;
use crate::network::Network;
use crate::network::feed::Feed;
use crate::network::head::{Answers, batches_while, interpreted, largest};
use ::quantize::{Kind, Lowered, Verdict, lower};
use ir::{Graph, Tensor, TensorData};
use jobs::Ctx;
use recipe::Predictions;

/// The normal's 97.5 % point.
const Z: f64 = 1.959_963_984_540_054;

/// Rows from which on a loss may be beyond doubt, and by so many standard deviations.
const ENOUGH: usize = 500;
const SURE: f64 = 4.0;

/// A network that ran as integers on all rows.
pub(super) struct Ran {
    pub(super) network: Network,
    pub(super) answers: Answers,
    /// Names of the nodes that compute with floats.
    pub(super) floats: Vec<String>,
    /// Names of values that nodes on integers make, in both forms.
    pub(super) made: Vec<(String, String)>,
}

impl Ran {
    /// Runs a network in QDQ form on all rows, as long as `go_on` wants more; `network` is the float one.
    fn until(
        network: &Network,
        graph: &Graph,
        feed: &Feed,
        ctx: &Ctx<'_>,
        go_on: &mut dyn FnMut(usize, &[f64], usize) -> bool,
    ) -> Result<Option<Ran>, Error> {
        let Lowered { graph, floats, made } = lower(graph)?;
        let network = network.with_graph(graph);
        let mut is_wanted = true;
        let batches = batches_while(&network, feed, ctx, &mut |first, values, width| {
            is_wanted = go_on(first, values, width);
            is_wanted
        })?;
        if !is_wanted {
            return Ok(None);
        }
        Ok(Some(Ran { answers: interpreted(&network, batches)?, network, floats, made }))
    }

    /// Runs a network in QDQ form on all rows; `network` is the float one.
    pub(super) fn of(network: &Network, graph: &Graph, feed: &Feed, ctx: &Ctx<'_>) -> Result<Ran, Error> {
        let ran = Ran::until(network, graph, feed, ctx, &mut |_, _, _| true)?;
        ran.ok_or_else(|| Error::bug("quantize: rows that nobody stopped were not all run"))
    }
}

/// Compares a quantized network with the float one.
pub(super) struct Judge<'a> {
    pub(super) network: &'a Network,
    pub(super) feed: &'a Feed,
    pub(super) float: &'a Answers,
    /// Classes of the rows, where they are known.
    pub(super) truth: Option<&'a [u32]>,
    pub(super) ctx: &'a Ctx<'a>,
}

impl Judge<'_> {
    /// Runs a network in QDQ form, as integers, and says what is lost: on all rows, or on the first ones if it is beyond
    /// doubt by then that too much is.
    pub(super) fn verdict(
        &self,
        graph: &Graph,
        max_drop: MaxDrop,
    ) -> Result<(Verdict, Option<Ran>), ::quantize::Error> {
        let Predictions::Classes { labels, .. } = &self.float.predictions else {
            let what =
                "--max-drop: expected a network of classes, got one number a row; leave it out".to_owned();
            return Err(Kind::Rows { what }.into());
        };
        let mut tally = Tally::new(labels, self.truth, max_drop);
        let ran = Ran::until(self.network, graph, self.feed, self.ctx, &mut |first, values, width| {
            let answered = values.chunks_exact(width.max(1)).map(largest);
            answered.enumerate().for_each(|(at, label)| tally.add(first + at, label));
            !tally.is_lost()
        });
        let ran = ran.map_err(|e| Kind::Rows { what: e.to_string() })?;
        Ok((tally.verdict(), ran))
    }
}

/// Rows that only one of two networks answers right; without classes, rows that they answer otherwise.
struct Tally<'a> {
    /// Answers of the float network.
    float: &'a [u32],
    truth: Option<&'a [u32]>,
    lost: usize,
    won: usize,
    seen: usize,
    /// Rows to come that the other one may win.
    open: usize,
    /// The most that may be lost.
    bound: f64,
}

impl<'a> Tally<'a> {
    fn new(float: &'a [u32], truth: Option<&'a [u32]>, max_drop: MaxDrop) -> Tally<'a> {
        let open = truth.map_or(0, |truth| float.iter().zip(truth).filter(|(a, t)| a != t).count());
        let errors = if truth.is_some() { open } else { float.len() };
        let bound = match max_drop {
            MaxDrop::Absolute(bound) => bound,
            MaxDrop::Relative(share) => share * errors as f64 / float.len().max(1) as f64,
        };
        Tally { float, truth, lost: 0, won: 0, seen: 0, open, bound }
    }

    fn add(&mut self, row: usize, label: u32) {
        let Some(&float) = self.float.get(row) else { return };
        self.seen += 1;
        let is_right = |label: u32| self.truth.map_or(label == float, |t| t.get(row) == Some(&label));
        match (is_right(float), is_right(label)) {
            (true, false) => self.lost += 1,
            (false, is_won) => {
                self.open = self.open.saturating_sub(1);
                self.won += usize::from(is_won);
            }
            (true, true) => {}
        }
    }

    /// True if too much is lost whatever is answered from here on, or if the rows so far leave next to no doubt. Where
    /// rows are sorted by class the latter may be wrong: then a layer too many goes back, never one too few.
    fn is_lost(&self) -> bool {
        let least = self.lost as f64 - (self.won + self.open) as f64;
        let Verdict { drop, interval, .. } = self.verdict();
        let deviation = (interval[1] - drop) / Z;
        least / self.float.len().max(1) as f64 > self.bound
            || (self.seen >= ENOUGH && drop - SURE * deviation > self.bound)
    }

    /// On the rows that were seen.
    fn verdict(&self) -> Verdict {
        let (n, lost, won) = (self.seen.max(1) as f64, self.lost as f64, self.won as f64);
        let drop = (lost - won) / n;
        let deviation = (lost + won - (lost - won) * (lost - won) / n).max(0.0).sqrt() / n;
        Verdict {
            holds: self.seen == self.float.len() && drop <= self.bound,
            drop,
            bound: self.bound,
            interval: [drop - Z * deviation, drop + Z * deviation],
            passes: self.seen as f64 / self.float.len().max(1) as f64,
        }
    }
}

/// Answers as a tensor `[rows, classes]`.
pub(super) fn predicted(answers: &Answers) -> Result<Tensor, Error> {
    let (values, width) = match &answers.predictions {
        Predictions::Values(values) => (values, 1),
        Predictions::Classes { probabilities, .. } => (probabilities, answers.n_classes.max(1)),
        Predictions::Several(_) => return Err(Error::bug("quantize: a network of several targets")),
    };
    let data = TensorData::F32(values.iter().map(|&v| v as f32).collect());
    Tensor::try_new(vec![values.len() / width, width], data)
        .ok_or_else(|| Error::bug("quantize: answers that do not fit together"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers, classes or none, the demand; rows until it is certain, drop, whether it holds.
    type Case<'a> = (&'a [u32], Option<&'a [u32]>, MaxDrop, usize, f64, bool);

    #[test]
    fn rows_that_only_one_answers_right() {
        let (float, truth) = ([0, 1, 2, 1, 0, 2], [0, 1, 2, 0, 0, 1]);
        let cases: [Case<'_>; 6] = [
            (&float, Some(&truth), MaxDrop::Absolute(0.0), 6, 0.0, true),
            // One is lost, one won.
            (&[1, 1, 2, 0, 0, 2], Some(&truth), MaxDrop::Absolute(0.0), 6, 0.0, true),
            // A third of the float network's two errors of six rows is a ninth; one more is a sixth.
            (&[1, 1, 2, 1, 0, 2], Some(&truth), MaxDrop::Relative(1.0 / 3.0), 6, 1.0 / 6.0, false),
            (&[1, 1, 2, 1, 0, 2], Some(&truth), MaxDrop::Relative(0.5), 6, 1.0 / 6.0, true),
            // Two rows may still be won, so three lost ones are certain.
            (&[1, 0, 0, 1, 0, 2], Some(&truth), MaxDrop::Absolute(0.1), 3, 1.0, false),
            (&[0, 0, 2, 0, 0, 2], None, MaxDrop::Absolute(0.2), 4, 0.5, false),
        ];
        for (at, (answers, truth, max_drop, n, drop, holds)) in cases.into_iter().enumerate() {
            let mut tally = Tally::new(&float, truth, max_drop);
            for (row, &label) in answers.iter().enumerate() {
                tally.add(row, label);
                if tally.is_lost() {
                    break;
                }
            }
            let told = tally.verdict();
            assert_eq!(tally.seen, n, "case {at}");
            assert!((told.drop - drop).abs() < 1e-12 && told.holds == holds, "case {at}: {told:?}");
            assert!(told.interval[0] <= drop && told.interval[1] >= drop);
            assert!((told.passes - n as f64 / 6.0).abs() < 1e-12);
        }
        // Of many rows a tenth is lost: that says itself long before the end. A hundredth is within the bound.
        let float = vec![0; 10_000];
        for (every, holds) in [(10, false), (100, true)] {
            let mut tally = Tally::new(&float, Some(&float), MaxDrop::Absolute(0.02));
            let mut rows = (0..float.len()).take_while(|row| {
                tally.add(*row, u32::from(row % every == 0));
                !tally.is_lost()
            });
            let n = rows.by_ref().count();
            assert_eq!((tally.verdict().holds, n < 1000), (holds, !holds), "{every}: {n} rows");
        }
    }
}
