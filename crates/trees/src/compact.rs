//! From training codes to deployed codes: only the features, edges and categories that a forest
//! uses are kept, and thresholds are counted anew among the edges that remain.

use crate::{Encoder, Error};
use ir::Forest;
use ir::forest::{CodedFeature, Test, Tree};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A feature of a compact forest.
#[derive(Clone, Debug, PartialEq)]
pub struct UsedFeature {
    /// Its index among the encoders that the forest was trained with.
    pub feature: usize,
    /// The encoder cut down to what the forest asks.
    pub encoder: Encoder,
}

/// A forest over the features that it uses.
#[derive(Clone, Debug, PartialEq)]
pub struct Compact {
    /// The forest's inputs, in order.
    pub features: Vec<UsedFeature>,
    /// The forest.
    pub forest: Arc<Forest>,
}

/// Cuts a forest and its encoders down to what is used. A forest without a split keeps the first
/// feature, so that it still has a column to count rows by.
///
/// # Errors
/// The forest does not fit its encoders, or its scores could leave 32 bits.
pub fn compact(
    mut trees: Vec<Tree>,
    initial_scores: Vec<i32>,
    encoders: &[Encoder],
) -> Result<Compact, Error> {
    let mut used: BTreeMap<usize, BTreeSet<u8>> = BTreeMap::new();
    for split in trees.iter().flat_map(|t| &t.splits) {
        let thresholds = used.entry(split.feature as usize).or_default();
        if let Test::Greater(t) = split.test {
            thresholds.insert(t);
        }
    }
    if used.is_empty() && !encoders.is_empty() {
        used.insert(0, BTreeSet::new());
    }
    let mut features = Vec::with_capacity(used.len());
    for (&feature, thresholds) in &used {
        // Code `t` and those below it are parted from the rest by edge `t`.
        let kept = |n: usize| thresholds.iter().map(|&t| usize::from(t)).filter(move |&t| t < n);
        let encoder = match &encoders[feature] {
            Encoder::Whole(edges) => Encoder::Whole(kept(edges.len()).map(|t| edges[t]).collect()),
            Encoder::Real(edges) => Encoder::Real(kept(edges.len()).map(|t| edges[t]).collect()),
            category @ Encoder::Category { .. } => category.clone(),
        };
        features.push(UsedFeature { feature, encoder });
    }
    let position: BTreeMap<usize, usize> = used.keys().enumerate().map(|(i, &f)| (f, i)).collect();
    for split in trees.iter_mut().flat_map(|t| &mut t.splits) {
        let feature = split.feature as usize;
        if let Test::Greater(t) = &mut split.test {
            *t = used[&feature].iter().take_while(|&&u| u < *t).count() as u8;
        }
        split.feature = position[&feature] as u32;
    }
    let coded = features
        .iter()
        .map(|f| CodedFeature { n_codes: f.encoder.n_codes(), ordered: f.encoder.ordered() })
        .collect();
    Ok(Compact { features, forest: Arc::new(Forest::try_new(coded, initial_scores, trees)?) })
}
