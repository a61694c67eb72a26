//! Permutation Shapley values of parts that compare rows: neighbours and similarities.
//!
//! Such a score is no sum over features, so its attributions are sampled: from a background row on, the features of
//! a row come in one after the other, in a random order, and each is given what the score gained when it came. The
//! orders and the background rows are drawn once, from a fixed seed, and serve all rows: equal rows have equal
//! attributions, and the expectation is one number. Each second order is the one before, reversed.

use super::error::{Error, Kind};
use super::feeds::Weighed;
use super::taken::shuffled;
use ir::fixed::Requantize;
use ir::op::{NearestRows, RbfParts, RbfSums};
use jobs::Seed;

/// Orders, each from a background row of its own where there are as many.
const N_WALKS: usize = 16;

/// What compares a row with known rows, beside its constants.
#[derive(Debug)]
pub(crate) enum Comparing {
    Nearest { op: NearestRows, known: Vec<i16>, votes: Vec<i32> },
    Similar { op: RbfSums, constants: Similar },
}

/// The constants of a node of `RbfSums`.
#[derive(Debug)]
pub(crate) struct Similar {
    pub(crate) vectors: Vec<i16>,
    pub(crate) coefficients: Vec<i16>,
    pub(crate) table: Vec<i32>,
    pub(crate) pairs: Vec<Requantize>,
    pub(crate) start: Vec<i32>,
}

/// A part that compares rows, and the walks that explain it.
#[derive(Debug)]
pub(crate) struct Sampled {
    comparing: Comparing,
    /// Scores a row.
    width: usize,
    /// Features a row.
    n_features: usize,
    /// By player, that is by different set of columns: the set and its features.
    players: Vec<(u32, Vec<usize>)>,
    walks: Vec<Walk>,
}

#[derive(Debug)]
struct Walk {
    /// Players in the order in which they come in.
    order: Vec<u32>,
    /// The background row, and its scores.
    from: Vec<i16>,
    scores: Vec<i32>,
}

/// Room for the scores of a row.
#[derive(Default)]
pub(crate) struct Room {
    near: Vec<(i64, usize)>,
    acc: Vec<i64>,
}

impl Comparing {
    fn scores_into(&self, row: &[i16], room: &mut Room, out: &mut [i32]) {
        match self {
            Comparing::Nearest { op, known, votes } => op.scores_into(row, known, votes, &mut room.near, out),
            Comparing::Similar { op, constants } => {
                let Similar { vectors, coefficients, table, pairs, start } = constants;
                room.acc.resize(out.len(), 0);
                let parts = RbfParts { vectors, coefficients, table, pairs, start };
                op.scores_into(row, &parts, &mut room.acc, out);
            }
        }
    }
}

impl Sampled {
    /// Draws walks from `background: [n_rows, n_features]`; `sets` is the set of columns that feeds each feature. A
    /// column's features come in together. O(scores of 16 rows).
    ///
    /// # Errors
    /// `NoRows`.
    pub(crate) fn new(
        comparing: Comparing,
        width: usize,
        sets: &[u32],
        background: &[i16],
    ) -> Result<Sampled, Error> {
        let n_features = sets.len();
        let n_rows = background.len() / n_features.max(1);
        if n_rows == 0 {
            return Err(Kind::NoRows.into());
        }
        let mut players: Vec<(u32, Vec<usize>)> = Vec::new();
        for (feature, &set) in sets.iter().enumerate() {
            match players.iter_mut().find(|(s, _)| *s == set) {
                Some((_, features)) => features.push(feature),
                None => players.push((set, vec![feature])),
            }
        }
        let rows = shuffled(n_rows, Seed(0).derive("explain rows", 0));
        let mut room = Room::default();
        let walk = |w: usize| {
            let mut order = shuffled(players.len(), Seed(0).derive("explain", w as u64 / 2));
            if w % 2 == 1 {
                order.reverse();
            }
            let from = background[rows[w % n_rows] as usize * n_features..][..n_features].to_vec();
            let mut scores = vec![0; width];
            comparing.scores_into(&from, &mut room, &mut scores);
            Walk { order, from, scores }
        };
        let walks = (0..N_WALKS).map(walk).collect();
        Ok(Sampled { comparing, width, n_features, players, walks })
    }

    /// Mean of each score over the background rows from which walks start.
    pub(crate) fn expected(&self) -> Vec<f64> {
        let mean = |k| self.walks.iter().map(|w| f64::from(w.scores[k])).sum::<f64>() / N_WALKS as f64;
        (0..self.width).map(mean).collect()
    }

    /// Features a row.
    pub(crate) fn n_features(&self) -> usize {
        self.n_features
    }

    /// Adds what moved score `output` of a row away from the expectation to the columns that feed the part; the sum
    /// is the score minus the expectation. At most one score a player and walk is computed.
    pub(crate) fn attribute(
        &self,
        row: &[i16],
        output: usize,
        feeds: Weighed<'_>,
        room: &mut Room,
        columns: &mut [f64],
    ) {
        let mut mixed = vec![0; self.n_features];
        let mut scores = vec![0; self.width];
        let mut gained = vec![0i64; self.players.len()];
        for walk in &self.walks {
            mixed.copy_from_slice(&walk.from);
            let mut before = i64::from(walk.scores[output]);
            for &player in &walk.order {
                let player = player as usize;
                let features = &self.players[player].1;
                if features.iter().all(|&f| mixed[f] == row[f]) {
                    continue;
                }
                features.iter().for_each(|&f| mixed[f] = row[f]);
                self.comparing.scores_into(&mixed, room, &mut scores);
                let now = i64::from(scores[output]);
                gained[player] += now - before;
                before = now;
            }
        }
        for ((set, _), &gained) in self.players.iter().zip(&gained) {
            feeds.share(*set, gained as f64 / N_WALKS as f64, columns);
        }
    }
}
