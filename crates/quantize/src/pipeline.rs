//! A float network and rows in, a network in QDQ form out: static quantization, and weights alone.

use crate::bias_correction::{LayerError, correct_biases};
use crate::calibrate::{Rows, calibrate};
use crate::decide::{Precision, decide};
use crate::decisions::Decisions;
use crate::error::Error;
use crate::places::Places;
use crate::qdq::qdq;
use crate::roles::Roles;
use crate::sample::sample;
use crate::scheme::{Corrections, Scheme};
use crate::{Correction, Statistics, Told};
use ir::{Graph, NodeIdx, Tensor, ValueIdx};
use jobs::Threads;
use std::collections::{BTreeMap, BTreeSet};

/// What was seen of a network, from which any number of schemes can be decided.
pub struct Observed<'g> {
    /// What each node is.
    pub roles: Roles<'g>,
    /// Statistics of every value that may become integers.
    pub seen: BTreeMap<ValueIdx, Statistics>,
    /// Where values become integers if no node is kept.
    places: Places,
    /// A few rows.
    pub sample: Vec<(String, Tensor)>,
    /// How many.
    pub n_sample: usize,
}

/// A quantized network.
pub struct Quantized {
    /// In QDQ form.
    pub graph: Graph,
    /// What was decided.
    pub decisions: Decisions,
    /// What each layer did to its signal, in order.
    pub errors: Vec<LayerError>,
}

impl<'g> Observed<'g> {
    /// Runs the float network once on every row.
    ///
    /// # Errors
    /// Rows that cannot be read, or that the network does not take.
    pub fn of(
        graph: &'g Graph,
        rows: &dyn Rows,
        threads: &Threads,
        go_on: &mut dyn FnMut(usize) -> Result<(), Error>,
    ) -> Result<Observed<'g>, Error> {
        let roles = Roles::of(graph);
        let places = Places::of(&roles, &|_| false);
        let groups: BTreeSet<ValueIdx> = places.values().map(|(_, group)| group).collect();
        let wanted: Vec<ValueIdx> = groups.into_iter().filter(|v| graph.constant(*v).is_none()).collect();
        let seen = calibrate(graph, rows, &wanted, threads, go_on)?;
        let (sample, n_sample) = sample(rows)?;
        Ok(Observed { roles, seen, places, sample, n_sample })
    }

    /// Statistics of a group of values by its first one. Groups that kept nodes part are elements of those that were
    /// observed.
    pub fn statistics(&self, group: ValueIdx) -> Option<&Statistics> {
        self.seen.get(&group).or_else(|| self.seen.get(&self.places.group(group)?))
    }

    /// The network as a scheme rounds it, but for layers of another precision.
    ///
    /// # Errors
    /// A grid or an observer that does not fit; the network does not run on the sample.
    pub fn quantize(
        &self,
        scheme: &Scheme,
        precision: &dyn Fn(NodeIdx) -> Precision,
    ) -> Result<Quantized, Error> {
        let mut decisions = decide(self, scheme, precision)?;
        let is_asked = scheme.corrections.get(Correction::BiasMean).is_some();
        let errors = correct_biases(&self.roles, &mut decisions, &self.sample, self.n_sample, is_asked)?;
        Ok(Quantized { graph: qdq(&self.roles, &decisions)?, decisions, errors })
    }
}

impl Quantized {
    /// What the corrections of integers did.
    pub fn told(&self, corrections: &Corrections) -> Vec<Told> {
        let told = |name, n_changed, what| Told { name, n_changed, what, left: Vec::new() };
        let of = |correction: Correction| match correction {
            Correction::BiasRange => Some(told("bias_range", self.decisions.n_coarser, "scales of weights")),
            Correction::Portable => Some(told("portable", self.decisions.n_clipped, "pairs of weights")),
            Correction::BiasMean => Some(told("bias_mean", self.decisions.biases.len(), "layers")),
            Correction::Equalize | Correction::AbsorbBias | Correction::Smooth => None,
        };
        corrections.members().filter_map(|m| of(m.entry().correction)).collect()
    }
}
