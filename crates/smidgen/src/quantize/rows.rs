//! Rows that a network is calibrated on.

use super::QuantizeOptions;
use crate::Error;
use crate::evaluate::EvaluateOptions;
use crate::network::Network;
use crate::network::evaluate::known;
use crate::network::feed::Feed;
use crate::network::head::Answers;
use ::quantize::Rows;
use ir::Tensor;
use recipe::Truth;
use std::ops::Range;

/// Rows of a feed, as a network takes them.
pub(super) struct Calibration<'f> {
    feed: &'f Feed,
    n_rows: usize,
    batch: usize,
}

impl<'f> Calibration<'f> {
    pub(super) fn new(network: &Network, feed: &'f Feed) -> Result<Calibration<'f>, Error> {
        let (n_rows, batch) = match feed {
            Feed::Whole(_) => (1, 1),
            _ => (feed.n_rows(), network.slice(feed)?),
        };
        if n_rows == 0 {
            return Err(network.fail("expected one row or more to calibrate on, got none"));
        }
        Ok(Calibration { feed, n_rows, batch })
    }

    pub(super) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The classes of the rows, where they are known.
    pub(super) fn truth(
        &self,
        network: &Network,
        options: &QuantizeOptions,
        answers: &Answers,
    ) -> Result<Option<Vec<u32>>, Error> {
        let has_labels = match self.feed {
            Feed::Images(images, _) => images.labels().is_some(),
            _ => options.network.labels.is_some(),
        };
        if !has_labels || answers.n_classes == 0 {
            return Ok(None);
        }
        let asked = EvaluateOptions {
            data: options.calibrate.clone().unwrap_or_default(),
            target: options.target.clone(),
            network: options.network.clone(),
            ..EvaluateOptions::default()
        };
        match known(network, self.feed, answers, &asked)?.truth {
            Truth::Classes { labels, .. } => Ok(Some(labels)),
            Truth::Values(_) => Ok(None),
        }
    }
}

impl Rows for Calibration<'_> {
    fn n_rows(&self) -> usize {
        self.n_rows
    }

    fn batch(&self) -> usize {
        self.batch
    }

    fn rows(&self, rows: Range<usize>) -> Result<Vec<(String, Tensor)>, ::quantize::Error> {
        match self.feed {
            Feed::Whole(arrays) => Ok(arrays.clone()),
            _ => self.feed.rows(rows).map_err(|e| ::quantize::Kind::Rows { what: e.to_string() }.into()),
        }
    }
}
