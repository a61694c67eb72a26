//! What learners see of the features: codes of all, numbers and bags as they are where these are asked for.

use crate::chain::{Chain, Feature, Source};
use crate::cleaning::Told;
use crate::frame::Frame;
use crate::store::Store;
use ir::{Bags, Column};
use jobs::Threads;
use learn::Takes;
use prepare::transform::FeatureKind;
use std::collections::BTreeMap;
use std::sync::Arc;
use trees::{CodeMatrix, Encoder};

/// What learners see: features, how they are made, their codes, and their numbers if these are asked for.
pub(crate) struct Features {
    pub(crate) chain: Chain,
    pub(crate) features: Vec<Feature>,
    pub(crate) encoders: Vec<Encoder>,
    pub(crate) codes: CodeMatrix,
    pub(crate) numbers: Vec<Option<Arc<[f64]>>>,
    pub(crate) bags: Vec<Option<(Arc<Bags>, usize)>>,
}

/// How features become what learners see.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coding {
    /// Most codes of a column.
    pub(crate) max_bins: usize,
    /// What the learner takes beside codes.
    pub(crate) takes: Takes,
    /// Batches whose cells make edges and dictionaries, the first ones.
    pub(crate) n_batches: usize,
}

impl Coding {
    fn encoder(self, columns: &[Column<'_>]) -> Encoder {
        Encoder::fit(&columns[..columns.len().min(self.n_batches)], self.max_bins)
    }
}

/// The features of a fit: the study's own, or some that were fitted inside a fold.
pub(crate) enum View<'p> {
    Study(&'p Features),
    Fold(Arc<Features>),
}

impl Features {
    /// Codes of all features of a frame; features of kinds that are not learnt get a code that is always missing.
    pub(crate) fn of(frame: Frame<'_>, coding: Coding, threads: &Threads) -> Features {
        let takes = coding.takes;
        let Frame { chain, features, store, .. } = frame;
        let columns: Vec<Vec<Column<'_>>> = features
            .iter()
            .map(|f| if is_learnt(f.kind) { store.columns(f.source) } else { Vec::new() })
            .collect();
        let encoders = threads.map(features.len(), |i| coding.encoder(&columns[i]));
        let codes = CodeMatrix::new(&encoders, &columns, store.chunk_rows.iter().sum(), threads);
        let kinds: Vec<FeatureKind> = features.iter().map(|f| f.kind).collect();
        let number = |i: usize| if takes.numbers { numbers_of(kinds[i], &columns[i]) } else { None };
        let numbers = threads.map(kinds.len(), number);
        drop(columns);
        let bags = bags_of(&features, &store, takes, None);
        Features { chain, features, encoders, codes, numbers, bags }
    }

    /// Codes of the features of a fold; those that the study has already are copied.
    pub(crate) fn again(&self, frame: Frame<'_>, coding: Coding, threads: &Threads) -> Features {
        let takes = coding.takes;
        let Frame { chain, features, store, .. } = frame;
        let learnt = self.features.iter().enumerate().filter(|(_, f)| is_learnt(f.kind));
        let places: BTreeMap<Source, usize> = learnt.map(|(at, f)| (f.source, at)).collect();
        let known: Vec<Option<usize>> = features.iter().map(|f| places.get(&f.source).copied()).collect();
        let columns: Vec<Vec<Column<'_>>> = features
            .iter()
            .zip(&known)
            .map(|(f, k)| if k.is_some() { Vec::new() } else { store.columns(f.source) })
            .collect();
        let encoders = threads.map(features.len(), |i| match known[i] {
            Some(at) => self.encoders[at].clone(),
            None => coding.encoder(&columns[i]),
        });
        let codes = self.codes.with(&known, &encoders, &columns, threads);
        let numbers = threads.map(features.len(), |i| match known[i] {
            Some(at) => self.numbers.get(at).cloned().flatten(),
            None if takes.numbers => numbers_of(features[i].kind, &columns[i]),
            None => None,
        });
        drop(columns);
        let bags = bags_of(&features, &store, takes, Some(self));
        Features { chain, features, encoders, codes, numbers, bags }
    }

    /// Bytes of codes, numbers and bags, shared ones counted with each that shares them.
    pub(crate) fn bytes(&self) -> usize {
        let numbers = self.numbers.iter().flatten().map(|cells| size_of_val(&cells[..]));
        let bags = self.bags.iter().flatten().map(|(bags, _)| bags.bytes());
        self.codes.bytes() + numbers.sum::<usize>() + bags.sum::<usize>()
    }

    /// Names of the columns.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.features.iter().map(|f| f.name.as_str()).collect()
    }
}

impl View<'_> {
    pub(crate) fn get(&self) -> &Features {
        match self {
            View::Study(features) => features,
            View::Fold(features) => features,
        }
    }
}

/// True for kinds that have codes.
pub(crate) fn is_learnt(kind: FeatureKind) -> bool {
    matches!(kind, FeatureKind::Number | FeatureKind::Category)
}

/// Leaves out features of kinds that the learner does not take.
pub(crate) fn leave_out_unlearnt(frame: &mut Frame<'_>, takes: Takes, told: &mut Told) {
    frame.features.retain(|feature| {
        if is_learnt(feature.kind) || (takes.bags && feature.kind == FeatureKind::Bag) {
            return true;
        }
        let kind = feature.kind.name();
        let text = format!("this learner takes no {kind} as it is; the column is left out");
        told.left_out("unused_column", &feature.name, text);
        false
    });
}

/// The bags of bag features, whole, those of the study as it holds them; none for other kinds.
fn bags_of(
    features: &[Feature],
    store: &Store<'_>,
    takes: Takes,
    study: Option<&Features>,
) -> Vec<Option<(Arc<Bags>, usize)>> {
    let known = |f: &Feature| {
        let at = study?.features.iter().position(|s| s.source == f.source)?;
        study?.bags.get(at)?.clone()
    };
    let bags = |f: &Feature| match f.kind {
        FeatureKind::Bag if takes.bags => known(f).or_else(|| store.bags(f.source)),
        _ => None,
    };
    features.iter().map(bags).collect()
}

/// The cells of a number feature, missing as NaN; none for other kinds.
fn numbers_of(kind: FeatureKind, chunks: &[Column<'_>]) -> Option<Arc<[f64]>> {
    if kind != FeatureKind::Number {
        return None;
    }
    let cells = |c: &Column<'_>| (0..c.n_rows()).map(|row| c.double(row)).collect::<Vec<_>>();
    Some(chunks.iter().flat_map(cells).collect())
}
