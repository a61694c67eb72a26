//! What a quantized network lost, on all rows.

use super::MaxDrop;
use crate::Error;
use crate::network::Network;
use crate::network::feed::Feed;
use crate::network::head::{Answers, answers};
use ::quantize::{Kind, Lowered, Verdict, lower};
use ir::{Graph, Tensor, TensorData};
use jobs::Ctx;
use recipe::Predictions;

/// The normal's 97.5 % point.
const Z: f64 = 1.959_963_984_540_054;

/// A network that ran as integers on all rows.
pub(super) struct Ran {
    pub(super) network: Network,
    pub(super) answers: Answers,
    /// Names of the nodes that compute with floats.
    pub(super) floats: Vec<String>,
}

impl Ran {
    /// Runs a network in QDQ form; `network` is the float one.
    pub(super) fn of(network: &Network, graph: &Graph, feed: &Feed, ctx: &Ctx<'_>) -> Result<Ran, Error> {
        let Lowered { graph, floats } = lower(graph)?;
        let network = network.with_graph(graph);
        let answers = answers(&network, feed, ctx)?;
        Ok(Ran { network, answers, floats })
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
    /// Runs a network in QDQ form, as integers, on all rows, and says what is lost.
    pub(super) fn verdict(
        &self,
        graph: &Graph,
        max_drop: MaxDrop,
    ) -> Result<(Verdict, Ran), ::quantize::Error> {
        let ran = Ran::of(self.network, graph, self.feed, self.ctx);
        let ran = ran.map_err(|e| Kind::Rows { what: e.to_string() })?;
        let (Predictions::Classes { labels: a, .. }, Predictions::Classes { labels: b, .. }) =
            (&self.float.predictions, &ran.answers.predictions)
        else {
            let what =
                "--max-drop: expected a network of classes, got one number a row; leave it out".to_owned();
            return Err(Kind::Rows { what }.into());
        };
        let n = a.len().max(1) as f64;
        let rows = a.iter().zip(b).enumerate();
        // Rows that only one of them answers right; without classes, rows that they answer otherwise.
        let (lost, won, errors) = match self.truth {
            Some(truth) => rows.fold((0.0, 0.0, 0.0), |(lost, won, errors), (row, (a, b))| {
                let is_right = |label: &u32| truth.get(row) == Some(label);
                match (is_right(a), is_right(b)) {
                    (true, false) => (lost + 1.0, won, errors),
                    (false, true) => (lost, won + 1.0, errors + 1.0),
                    (false, false) => (lost, won, errors + 1.0),
                    (true, true) => (lost, won, errors),
                }
            }),
            None => (rows.filter(|(_, (a, b))| a != b).count() as f64, 0.0, n),
        };
        let drop = (lost - won) / n;
        let deviation = ((lost + won - (lost - won) * (lost - won) / n).max(0.0)).sqrt() / n;
        let bound = match max_drop {
            MaxDrop::Absolute(bound) => bound,
            MaxDrop::Relative(share) => share * errors / n,
        };
        let interval = [drop - Z * deviation, drop + Z * deviation];
        let verdict = Verdict { holds: drop <= bound, drop, interval, n_rows: a.len() };
        Ok((verdict, ran))
    }
}

/// Answers as a tensor `[rows, classes]`.
pub(super) fn predicted(answers: &Answers) -> Result<Tensor, Error> {
    let (values, width) = match &answers.predictions {
        Predictions::Values(values) => (values, 1),
        Predictions::Classes { probabilities, .. } => (probabilities, answers.n_classes.max(1)),
    };
    let data = TensorData::F32(values.iter().map(|&v| v as f32).collect());
    Tensor::try_new(vec![values.len() / width, width], data)
        .ok_or_else(|| Error::bug("quantize: answers that do not fit together"))
}
