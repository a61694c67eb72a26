//! Rows that a network is calibrated on.

use super::QuantizeOptions;
use crate::Error;
use crate::evaluate::EvaluateOptions;
use crate::network::Network;
use crate::network::evaluate::known;
use crate::network::feed::Feed;
use crate::network::head::{Answers, answer, interpreted};
use ::quantize::Rows;
use ir::Tensor;
use recipe::Truth;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Rows of a feed, as a network takes them.
pub(super) struct Calibration<'f> {
    network: &'f Network,
    feed: &'f Feed,
    n_rows: usize,
    batch: usize,
    /// What was told of batches, by their first row: numbers, and how many a row has.
    told: Mutex<BTreeMap<usize, (Vec<f64>, usize)>>,
}

impl<'f> Calibration<'f> {
    pub(super) fn new(network: &'f Network, feed: &'f Feed) -> Result<Calibration<'f>, Error> {
        let (n_rows, batch) = match feed {
            Feed::Whole(_) => (1, 1),
            _ => (feed.n_rows(), network.slice(feed)?),
        };
        if n_rows == 0 {
            return Err(network.fail("expected one row or more to calibrate on, got none"));
        }
        Ok(Calibration { network, feed, n_rows, batch, told: Mutex::default() })
    }

    pub(super) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// What the network that was observed answers.
    ///
    /// # Errors
    /// It was not observed on these rows.
    pub(super) fn answers(&self) -> Result<Answers, Error> {
        let told = std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner));
        interpreted(self.network, told.into_values().collect())
    }

    /// The classes of the rows, where they are known.
    pub(super) fn truth(
        &self,
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
        match known(self.network, self.feed, answers, &asked)?.truth {
            Truth::Classes { labels, .. } => Ok(Some(labels)),
            Truth::Values(_) | Truth::Several(_) => Ok(None),
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
            _ => self.feed.rows(rows).map_err(failed),
        }
    }

    fn told(&self, rows: Range<usize>, outputs: Vec<Tensor>) -> Result<(), ::quantize::Error> {
        let n = if let Feed::Whole(_) = self.feed { self.feed.n_rows() } else { rows.len() };
        let answer = answer(self.network, &outputs, n).map_err(failed)?;
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(rows.start, answer);
        Ok(())
    }
}

fn failed(e: Error) -> ::quantize::Error {
    ::quantize::Kind::Rows { what: e.to_string() }.into()
}
