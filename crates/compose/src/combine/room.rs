//! What members of an ensemble may take together, and what each of them adds to the others.
//!
//! Members of one graph share columns, codes and what a file says of itself, so the sum of their files is too much. What a
//! member adds is what a pair with the first one takes more than that one alone; sums of these lead a choice, and what is
//! chosen is weighed as the one model that it becomes.

use crate::error::{Error, Kind};
use jobs::Threads;
use recipe::{Combination, Limits, Size, Space};

/// What one model of some members takes: their places, and their combination in that order.
pub type Weigh<'a> = &'a (dyn Fn(&[usize], &Combination) -> Result<Size, recipe::Error> + Sync);

/// What members may take together.
pub struct Room<'a> {
    limits: Limits,
    /// What is there once, and what each member adds.
    base: Size,
    adds: Vec<Size>,
    weigh: Weigh<'a>,
}

impl<'a> Room<'a> {
    /// Room of so much for so many members; each is weighed in a pair with the first one.
    ///
    /// # Errors
    /// `Members` for none; what `weigh` says.
    pub fn new(
        limits: Limits,
        n_members: usize,
        weigh: Weigh<'a>,
        threads: &Threads,
    ) -> Result<Room<'a>, Error> {
        let pairs = threads.map(n_members, |member| match member {
            0 => weigh_mean(weigh, &[0]),
            _ => weigh_mean(weigh, &[0, member]),
        });
        let pairs = pairs.into_iter().collect::<Result<Vec<Size>, Error>>()?;
        let Some(&first) = pairs.first() else {
            return Err(Kind::Members { n_members, n_rows: 0 }.into());
        };
        let mut adds: Vec<Size> = pairs.iter().map(|pair| pair.minus(first)).collect();
        adds[0] = match pairs.get(1) {
            Some(pair) => pair.minus(weigh_mean(weigh, &[1])?),
            None => first,
        };
        Ok(Room { limits, base: first.minus(adds[0]), adds, weigh })
    }

    /// The same room for some of the members; `weigh` takes their places among these.
    pub(super) fn of_some<'s>(&self, some: &[usize], weigh: Weigh<'s>) -> Room<'s> {
        let adds = some.iter().filter_map(|&member| self.adds.get(member).copied()).collect();
        Room { limits: self.limits, base: self.base, adds, weigh }
    }

    /// About whether some members have room together.
    pub(super) fn holds(&self, members: impl Iterator<Item = usize>) -> bool {
        let adds = members.filter_map(|member| self.adds.get(member));
        self.limits.allow(adds.fold(self.base, |sum, size| sum.plus(*size)))
    }

    /// Whether a combination of all members has room, those that weigh nothing left out.
    ///
    /// # Errors
    /// What weighing says.
    pub(super) fn allows(&self, combination: &Combination) -> Result<bool, Error> {
        let used = combination.used();
        Ok(self.limits.allow((self.weigh)(&used, &combination.of_members(&used))?))
    }

    /// Whether a mean of some members has room.
    ///
    /// # Errors
    /// What weighing says.
    pub(super) fn allows_mean(&self, members: &[usize]) -> Result<bool, Error> {
        Ok(self.limits.allow(weigh_mean(self.weigh, members)?))
    }

    /// What one model of some members takes, by their places here.
    ///
    /// # Errors
    /// What weighing says.
    pub(super) fn weigh(&self, members: &[usize], combination: &Combination) -> Result<Size, recipe::Error> {
        (self.weigh)(members, combination)
    }

    /// Prices of members where the whole room has one: that share of it which each adds, by all measures that are limited,
    /// on top of what each costs already.
    pub(super) fn prices(&self, known: &[f64], of_room: f64) -> Vec<f64> {
        let own = |member: usize| known.get(member).copied().unwrap_or(0.0);
        let share = |size: &Size| self.limits.taken(*size).sum::<f64>();
        self.adds.iter().enumerate().map(|(at, size)| own(at) + of_room * share(size)).collect()
    }

    /// Prices of members that are used already or have room beside those; of others they are infinite.
    pub(super) fn beside(&self, known: &[f64], made: &Combination) -> Vec<f64> {
        let used = made.used();
        let price = |member: usize| {
            let has_room = used.contains(&member) || self.holds(used.iter().copied().chain([member]));
            if has_room { known.get(member).copied().unwrap_or(0.0) } else { f64::INFINITY }
        };
        (0..self.adds.len()).map(price).collect()
    }
}

/// What a mean of some members takes. It hangs on no score.
fn weigh_mean(weigh: Weigh<'_>, members: &[usize]) -> Result<Size, Error> {
    let mean = Combination::mean(Space::Scores, &vec![1.0; members.len()], [0.0, 1.0]);
    Ok(weigh(members, &mean)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_counts_once() {
        let own = [50, 20, 30];
        let weigh = |members: &[usize], _: &Combination| {
            let bytes = 10 + members.iter().map(|&member| own[member]).sum::<u64>();
            Ok(Size { bytes, ns: 2.0 })
        };
        let limits = Limits { bytes: Some(90), ns: None };
        let room = Room::new(limits, 3, &weigh, &Threads::one()).unwrap();
        let adds: Vec<u64> = room.adds.iter().map(|size| size.bytes).collect();
        assert_eq!((adds, room.base.bytes), (vec![50, 20, 30], 10));
        assert!(room.holds([0, 2].into_iter()) && !room.holds([0, 1, 2].into_iter()));
        assert!(room.allows_mean(&[0, 2]).unwrap() && !room.allows_mean(&[0, 1, 2]).unwrap());
        assert!(room.allows(&Combination::mean(Space::Scores, &[0.0, 1.0, 1.0], [0.0, 1.0])).unwrap());
        let prices = room.prices(&[0.0, 0.5], 9.0);
        assert!(
            (prices[0] - 5.0).abs() + (prices[1] - 2.5).abs() + (prices[2] - 3.0).abs() < 1e-9,
            "{prices:?}"
        );
        let beside = room.beside(&[0.0; 3], &Combination::mean(Space::Scores, &[1.0, 0.0, 0.0], [0.0; 2]));
        assert_eq!(beside, [0.0, 0.0, 0.0]);
        let both = Combination::mean(Space::Scores, &[0.5, 0.5, 0.0], [0.0; 2]);
        assert_eq!(room.beside(&[0.0; 3], &both), [0.0, 0.0, f64::INFINITY]);
        let some = room.of_some(&[1, 2], &weigh);
        assert_eq!(some.adds.iter().map(|size| size.bytes).collect::<Vec<_>>(), [20, 30]);
    }
}
