//! Which rows are held back from which fit.

use crate::prepared::Prepared;
use ir::digest::mix;
use jobs::Seed;
use learn::StageRounds;
use std::collections::{BTreeMap, BTreeSet};

/// Most rows of which each is held back alone: a fit and a list of all others for each.
pub(crate) const MAX_LEFT_OUT: usize = 5000;

/// How rows are held back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scheme {
    /// 8 folds; 5 above 50,000 rows; three times over below 1,000 rows.
    Auto,
    /// This many folds.
    Folds(u32),
    /// Every row alone, or with its copies.
    LeaveOneOut,
    /// One part of this share.
    Holdout(f64),
}

impl Scheme {
    /// Folds, how often rows are dealt anew, and the share that is held back instead, for so many rows.
    fn parts(self, n_rows: usize) -> (u32, usize, Option<f64>) {
        match self {
            Scheme::Auto if n_rows > 50_000 => (5, 1, None),
            Scheme::Auto if n_rows < 1000 => (8, 3, None),
            Scheme::Auto => (8, 1, None),
            Scheme::Folds(n) => (n, 1, None),
            Scheme::LeaveOneOut => (u32::try_from(n_rows).unwrap_or(u32::MAX), 1, None),
            Scheme::Holdout(share) => (2, 1, Some(share)),
        }
    }

    /// Fits that validate one candidate on so many rows.
    pub fn n_folds(self, n_rows: usize) -> usize {
        match self.parts(n_rows) {
            (.., Some(_)) => 1,
            (n_folds, repetitions, None) => (n_folds as usize).min(n_rows) * repetitions,
        }
    }

    /// Rows that one fold holds back, of so many.
    pub fn n_held_back(self, n_rows: usize) -> usize {
        match self.parts(n_rows) {
            (.., Some(share)) => (n_rows as f64 * share) as usize,
            (n_folds, ..) => n_rows / n_folds.max(1) as usize,
        }
    }
}

/// One held-back part.
#[derive(Clone)]
pub(crate) struct Fold {
    pub(crate) repetition: usize,
    pub(crate) held_back: Vec<u32>,
    pub(crate) train: Vec<u32>,
    pub(crate) seed: Seed,
    /// Rounds of the fit; `None`: as many as the rows held back ask for.
    pub(crate) rounds: Option<StageRounds>,
}

/// The parts that are held back, one after the other.
pub(crate) fn plan(prepared: &Prepared<'_>, scheme: Scheme, seed: Seed) -> Vec<Fold> {
    plan_of(prepared, &prepared.rows, scheme, seed)
}

/// The same of some rows, rising.
pub(crate) fn plan_of(prepared: &Prepared<'_>, rows: &[u32], scheme: Scheme, seed: Seed) -> Vec<Fold> {
    let n_rows = rows.len();
    let (n_folds, repetitions, share) = scheme.parts(n_rows);
    if prepared.rank.is_some() {
        return blocks((prepared, rows), n_folds, share, seed);
    }
    let mut folds = Vec::new();
    for repetition in 0..repetitions {
        let seed = seed.derive("folds", repetition as u64);
        let parts = match share {
            // A share is dealt as that many hundredths.
            Some(share) if prepared.is_grouped() => {
                held_groups((prepared, rows), share, seed).into_iter().map(|held| u32::from(!held)).collect()
            }
            Some(share) => {
                let held = (share.clamp(0.01, 0.99) * 100.0) as u32;
                let part = data::folds(rows, prepared.strata(), &prepared.first_copy, 100, seed.0);
                part.into_iter().map(|p| u32::from(p >= held)).collect()
            }
            None => {
                data::folds(rows, prepared.strata(), &prepared.first_copy, n_folds.min(n_rows as u32), seed.0)
            }
        };
        let n_parts = if share.is_some() { 1 } else { n_folds.min(n_rows as u32) };
        for part in 0..n_parts {
            let pick = |held: bool| {
                rows.iter().zip(&parts).filter(|(_, p)| (**p == part) == held).map(|(r, _)| *r).collect()
            };
            let (held_back, train): (Vec<u32>, Vec<u32>) = (pick(true), pick(false));
            if !held_back.is_empty() && !train.is_empty() {
                let seed = seed.derive("fit", part.into());
                folds.push(Fold { repetition, held_back, train, seed, rounds: None });
            }
        }
    }
    folds
}

/// Which rows are held back, in whole groups taken in random order until their rows are nearest to the share.
fn held_groups((prepared, rows): (&Prepared<'_>, &[u32]), share: f64, seed: Seed) -> Vec<bool> {
    let group = |row: u32| prepared.first_copy[row as usize];
    let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
    rows.iter().for_each(|&row| *sizes.entry(group(row)).or_default() += 1);
    let mut order: Vec<(u32, usize)> = sizes.into_iter().collect();
    order.sort_by_key(|&(first, _)| (mix(seed.0 ^ mix(first.into())), first));
    let wanted = rows.len() as f64 * share;
    let mut held = BTreeSet::new();
    let mut n_held = 0;
    // One group stays for learning.
    for &(first, size) in order.iter().skip(1) {
        let nearer = (wanted - (n_held + size) as f64).abs() < (wanted - n_held as f64).abs();
        if nearer || held.is_empty() {
            held.insert(first);
            n_held += size;
        }
    }
    rows.iter().map(|&row| held.contains(&group(row))).collect()
}

/// Folds of ordered rows: blocks of neighbours, or the last share.
fn blocks(
    (prepared, rows): (&Prepared<'_>, &[u32]),
    n_folds: u32,
    share: Option<f64>,
    seed: Seed,
) -> Vec<Fold> {
    let empty = Vec::new();
    let rank = prepared.rank.as_ref().unwrap_or(&empty);
    let mut ordered = rows.to_vec();
    let place = |row: u32| rank.get(row as usize).copied().filter(|r| !r.is_nan()).unwrap_or(-1.0);
    ordered.sort_by(|&a, &b| place(a).total_cmp(&place(b)).then(a.cmp(&b)));
    let n = ordered.len();
    // Rows of one moment stay together: a bound moves to where the next moment begins.
    let moment_start = |mut at: usize| {
        while at > 0 && at < n && place(ordered[at]) == place(ordered[at - 1]) {
            at += 1;
        }
        at
    };
    let bounds: Vec<(usize, usize)> = match share {
        // At least one row on each side.
        Some(share) => {
            let held = ((n as f64 * share).round() as usize).clamp(1, n.saturating_sub(1).max(1));
            let from = match moment_start(n - held) {
                // The last moment has more rows than the share: all of it is held back.
                from if from == n => {
                    (0..n).rev().find(|&at| at == 0 || place(ordered[at]) != place(ordered[at - 1]))
                }
                from => Some(from),
            };
            vec![(from.unwrap_or(0), n)]
        }
        None => {
            let n_folds = (n_folds as usize).clamp(2, n.max(2));
            let bound = |f: usize| moment_start(f * n / n_folds);
            (0..n_folds).map(|f| (bound(f), bound(f + 1))).collect()
        }
    };
    let mut folds = Vec::new();
    for (part, (from, to)) in bounds.into_iter().enumerate() {
        let mut held_back = ordered[from..to].to_vec();
        let mut train = [&ordered[..from], &ordered[to..]].concat();
        held_back.sort_unstable();
        train.sort_unstable();
        if !held_back.is_empty() && !train.is_empty() {
            let seed = seed.derive("fit", part as u64);
            folds.push(Fold { repetition: 0, held_back, train, seed, rounds: None });
        }
    }
    folds
}
