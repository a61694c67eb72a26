//! Members that have room together: the price of the room that leads to the best of them.
//!
//! What helps most alone may take nearly all the room, where two smaller ones would do better. So each member costs a share
//! of the error by what it adds to the others, `error (1 + lambda sum_j share_j)`, and the price `lambda` of the whole room
//! is bisected between a choice that is too large and one that is not. It stands apart from the ensembles, which know
//! prices of members and a room that is full or not.
//! # Source  Everett, Generalized Lagrange multiplier method for solving problems of optimum allocation of resources,
//! Operations Research 11, 1963. Deviation: prices are few, since what is chosen is discrete.

use super::ensemble::{Asked, EnsembleEntry, MemberRows};
use super::room::Room;
use crate::error::Error;
use params::Params;
use recipe::Combination;

/// The least and the highest price of the whole room that are tried, as shares of the error.
const PRICES: [f64; 2] = [1e-4, 1.0];
/// How often the price is bisected: then it is known to a sixth of itself.
const BISECTIONS: usize = 6;
/// Shares of the price at which a choice has room by itself; at lower ones members are left out that have none.
const SHARES: [f64; 3] = [1.0, 0.25, 0.0];
/// Rows that say what a price does.
const FEW_ROWS: usize = 4000;

/// An ensemble whose members have room together.
pub(super) struct Within<'a> {
    entry: &'a EnsembleEntry,
    params: &'a Params,
    asked: &'a Asked<'a>,
    /// The room and its price; none where all that would be chosen has room, or no price makes it smaller.
    priced: Option<(&'a Room<'a>, f64)>,
}

impl<'a> Within<'a> {
    /// Finds the price by what is chosen on the rows, which are asked for where there is a limit.
    ///
    /// # Errors
    /// What the ensemble says, and who weighs.
    pub(super) fn new(
        entry: &'a EnsembleEntry,
        params: &'a Params,
        asked: &'a Asked<'a>,
        rows: impl FnOnce() -> Result<MemberRows, Error>,
    ) -> Result<Within<'a>, Error> {
        let mut within = Within { entry, params, asked, priced: None };
        let Some(room) = asked.room else { return Ok(within) };
        let few = few(&rows()?);
        let has_room = |price: f64| room.allows(&within.at(&few, &room.prices(asked.prices, price), None)?);
        let [mut low, mut high] = PRICES;
        if has_room(0.0)? || !has_room(high)? {
            return Ok(within);
        }
        for _ in 0..BISECTIONS {
            let middle = (low * high).sqrt();
            if has_room(middle)? { high = middle } else { low = middle }
        }
        within.priced = Some((room, high));
        Ok(within)
    }

    /// What the rows teach, at the prices that lead to the lowest error; `error` is that of a combination on these rows.
    ///
    /// # Errors
    /// What the ensemble says, and who weighs.
    pub(super) fn fit(
        &self,
        rows: &MemberRows,
        error: impl Fn(&Combination) -> Result<f64, Error>,
    ) -> Result<Combination, Error> {
        let Some((room, price)) = self.priced else { return self.entry.fit(rows, self.asked, self.params) };
        let (few, known) = (few(rows), self.asked.prices);
        let mut best: Option<(f64, Vec<f64>)> = None;
        for price in SHARES.map(|share| share * price) {
            let dear = room.prices(known, price);
            let made = self.at(&few, &dear, Some(room))?;
            // What room is left is filled.
            let cheap = room.beside(known, &made);
            let filled = self.at(&few, &cheap, Some(room))?;
            for (made, prices) in [(made, dear), (filled, cheap)] {
                if room.allows(&made)? {
                    let own = error(&made)?;
                    if best.as_ref().is_none_or(|(known, _)| own < *known) {
                        best = Some((own, prices));
                    }
                }
            }
        }
        let prices = best.map_or_else(|| room.prices(known, price), |(_, prices)| prices);
        self.at(rows, &prices, Some(room))
    }

    /// What the rows teach at some prices, of members that have room together if there is a limit.
    fn at(&self, rows: &MemberRows, prices: &[f64], room: Option<&Room<'_>>) -> Result<Combination, Error> {
        self.entry.fit(rows, &Asked { prices, room, ..*self.asked }, self.params)
    }
}

fn few(rows: &MemberRows) -> MemberRows {
    rows.every(rows.n_rows().div_ceil(FEW_ROWS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combine::named;
    use jobs::Threads;
    use recipe::{Limits, Size, Truth};

    /// One that is near, and two that are further off but make up for each other.
    fn rows() -> MemberRows {
        let truth: Vec<f64> = (0..80).map(f64::from).collect();
        let off = |by: f64, every: usize| -> Vec<f64> {
            let away = |(i, y): (usize, &f64)| if (i / every).is_multiple_of(2) { y + by } else { y - by };
            truth.iter().enumerate().map(away).collect()
        };
        let scores = vec![off(0.5, 1), off(0.6, 2), off(-0.6, 2)];
        MemberRows::try_new(scores, 1, Truth::Values(truth)).unwrap()
    }

    /// Weights of what is chosen where members add so much to 5 bytes and have 100.
    fn chosen(own: [u64; 3]) -> (Vec<f64>, bool) {
        let weigh = |members: &[usize], _: &Combination| {
            Ok(Size { bytes: 5 + members.iter().map(|&at| own[at]).sum::<u64>(), ns: 0.0 })
        };
        let threads = Threads::try_new(2).unwrap();
        let room = Room::new(Limits { bytes: Some(100), ns: None }, 3, &weigh, &threads).unwrap();
        let (entry, rows) = (named("greedy").unwrap(), rows());
        let asked = Asked {
            metric: metrics::metric("rmse").unwrap(),
            weights: None,
            prices: &[1e-4; 3],
            costs: &[],
            room: Some(&room),
            threads: &threads,
        };
        let params = entry.params(&[]).unwrap();
        let within = Within::new(entry, &params, &asked, || Ok(rows.clone())).unwrap();
        let error = |made: &Combination| {
            let mut sum = vec![0.0; rows.n_rows()];
            for (member, weight) in made.weights().into_iter().enumerate() {
                sum.iter_mut().zip(rows.scores(member)).for_each(|(sum, score)| *sum += weight * score);
            }
            Ok(rows.error(sum, asked.metric))
        };
        let made = within.fit(&rows, error).unwrap();
        assert!(room.allows(&made).unwrap());
        (made.weights(), within.priced.is_some())
    }

    #[test]
    fn two_small_members_have_the_room_of_one_that_is_better_alone() {
        assert_eq!(chosen([95, 45, 45]), (vec![0.0, 0.5, 0.5], true));
        // All have room.
        let (weights, is_priced) = chosen([5, 4, 4]);
        assert!(!is_priced && weights.iter().all(|weight| *weight > 0.0), "{weights:?}");
        // Only one has, whichever it is.
        assert_eq!(chosen([90, 80, 70]).0, [1.0, 0.0, 0.0]);
    }
}
