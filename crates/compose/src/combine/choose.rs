//! What an ensemble of candidates would score, and what it is.
//!
//! A combination is judged by cross-fitting: for the rows of some folds it is learnt from the other folds of their
//! repetition, and judged by the integers that a graph would compute. The one that is kept is the mean of those, so no
//! row alone decides a weight; forms that have no mean, and members of all groups that have no room together, are learnt
//! once more, from all rows.

use super::ensemble::{Asked, EnsembleEntry, MemberRows};
use super::room::Room;
use super::within::Within;
use crate::error::{Error, Kind};
use jobs::{Clock, Ctx};
use params::Params;
use recipe::{CodedColumns, CodedRows, Combination, HeldBack, MemberSum, Truth, member_scores};
use std::sync::Arc;
use std::time::Duration;

/// Folds that are judged together are put into so many groups at most.
const MOST_GROUPS: usize = 4;

/// Candidates for an ensemble: what each predicts for the parts that were held back, the same rows for all.
pub struct Pool<'a> {
    /// The parts of each candidate.
    pub members: Vec<&'a [HeldBack]>,
    /// The target of all rows.
    pub truth: &'a Truth,
    /// Columns of the table, for what asks them.
    pub columns: Option<Arc<CodedColumns>>,
}

/// An ensemble, and what it predicts for rows that neither its members nor its weights had seen.
#[derive(Clone, Debug)]
pub struct Composed {
    /// Candidates that have a weight, as [`Combination::ranked`] orders them.
    pub members: Vec<usize>,
    /// Their combination, in that order.
    pub combination: Combination,
    /// The parts that were held back.
    pub held: Vec<HeldBack>,
    /// What the candidate predicts for them that is the best alone on the other folds: that of the best of all on its own
    /// rows would be flattered by having been chosen on them.
    pub alone: Vec<HeldBack>,
}

/// An ensemble of the candidates of a pool; `None` if choosing one would take longer than the limit, or one candidate is
/// all that is left of it.
///
/// # Errors
/// `Members` for candidates of different rows; what the ensemble says.
pub fn choose(
    entry: &EnsembleEntry,
    params: &Params,
    pool: &Pool<'_>,
    asked: &Asked<'_>,
    (limit, ctx): (Option<Duration>, &Ctx<'_>),
) -> Result<Option<Composed>, Error> {
    let Some(first) = pool.members.first() else { return Ok(None) };
    let is_alike = |parts: &&[HeldBack]| {
        parts.len() == first.len() && parts.iter().zip(*first).all(|(a, b)| a.rows == b.rows)
    };
    if !pool.members.iter().all(is_alike) {
        return Err(Kind::Members { n_members: pool.members.len(), n_rows: pool.truth.n_rows() }.into());
    }
    // A part without others is dealt in two, so that no row teaches what it is judged by.
    let is_alone = |part: &HeldBack| first.iter().filter(|p| p.repetition == part.repetition).count() == 1;
    if first.iter().any(|part| is_alone(part) && part.rows.len() > 1) {
        let dealt = |parts: &&[HeldBack]| -> Vec<HeldBack> {
            let halves = |part: &HeldBack| match is_alone(part) && part.rows.len() > 1 {
                true => [0, 1].map(|half| half_of(part, half)).to_vec(),
                false => vec![part.clone()],
            };
            parts.iter().flat_map(halves).collect()
        };
        let dealt: Vec<Vec<HeldBack>> = pool.members.iter().map(dealt).collect();
        let members = dealt.iter().map(|parts| &parts[..]).collect();
        let pool = Pool { members, truth: pool.truth, columns: pool.columns.clone() };
        return choose(entry, params, &pool, asked, (limit, ctx));
    }
    let parts = Parts::new(pool);
    let n_repetitions = first.iter().map(|part| part.repetition + 1).max().unwrap_or(0);
    let mut held: Vec<Option<HeldBack>> = vec![None; first.len()];
    let mut alone: Vec<Option<HeldBack>> = vec![None; first.len()];
    let mut learnt: Vec<Combination> = Vec::new();
    let clock = Clock::start();
    let everything: Vec<usize> = (0..first.len()).collect();
    let within = Within::new(entry, params, asked, || parts.rows(&everything))?;
    let n_in = |repetition: usize| first.iter().filter(|part| part.repetition == repetition).count();
    let n_all: usize = (0..n_repetitions).map(|repetition| n_in(repetition).min(MOST_GROUPS)).sum();
    for repetition in 0..n_repetitions {
        let of: Vec<usize> = (0..first.len()).filter(|&at| first[at].repetition == repetition).collect();
        let n_groups = of.len().min(MOST_GROUPS);
        for group in 0..n_groups {
            let is_in =
                |at: usize| of.iter().position(|&o| o == at).is_some_and(|place| place % n_groups == group);
            let (own, others): (Vec<usize>, Vec<usize>) = of.iter().partition(|&&at| is_in(at));
            // A part without others teaches itself.
            let teaching = if others.is_empty() { &own } else { &others };
            let rows = parts.rows(teaching)?;
            let combination = within.fit(&rows, |made| parts.error(teaching, (made, &rows), asked))?;
            let best = rows.best(asked);
            // Groups take about the same time.
            let share = (learnt.len() + 1) as f64 / n_all as f64;
            let is_late = limit.is_some_and(|limit| clock.elapsed() > limit.mul_f64(share.max(0.25)));
            if is_late || ctx.cancel.is_cancelled() {
                return Ok(None);
            }
            for &at in &own {
                held[at] = Some(parts.combined(at, &combination)?);
                alone[at] = Some(parts.of_member(at, best));
            }
            learnt.push(combination);
        }
    }
    let whole = |parts: Vec<Option<HeldBack>>| parts.into_iter().collect::<Option<Vec<HeldBack>>>();
    let (Some(held), Some(alone)) = (whole(held), whole(alone)) else { return Ok(None) };
    let has_room = |made: &Combination| asked.room.map_or(Ok(true), |room| room.allows(made));
    let mean = match mean(&learnt) {
        Some(mean) if has_room(&mean)? => Some(mean),
        _ => None,
    };
    let combination = match mean {
        Some(mean) => mean,
        None => {
            let rows = parts.rows(&everything)?;
            within.fit(&rows, |made| parts.error(&everything, (made, &rows), asked))?
        }
    };
    let members = combination.ranked();
    if members.len() < 2 {
        return Ok(None);
    }
    if let Some(room) = asked.room
        && !room.allows(&combination)?
    {
        let some = fitting(&members, room)?;
        return of_some(entry, params, (pool, &some, room), asked, (limit, ctx));
    }
    let combination = combination.of_members(&members);
    Ok(Some(Composed { members, combination, held, alone }))
}

/// Of members as they are ranked, of which all together have no room, those that have, rising.
fn fitting(members: &[usize], room: &Room<'_>) -> Result<Vec<usize>, Error> {
    let mut some: Vec<usize> = Vec::with_capacity(members.len());
    for &member in members {
        let with = [&some[..], &[member]].concat();
        if some.is_empty() || (with.len() < members.len() && room.allows_mean(&with)?) {
            some = with;
        }
    }
    some.sort_unstable();
    Ok(some)
}

/// The ensemble of some of the candidates, which have room together.
fn of_some(
    entry: &EnsembleEntry,
    params: &Params,
    (pool, some, room): (&Pool<'_>, &[usize], &Room<'_>),
    asked: &Asked<'_>,
    limited: (Option<Duration>, &Ctx<'_>),
) -> Result<Option<Composed>, Error> {
    let members = some.iter().map(|&member| pool.members[member]).collect();
    let picked = |at: &usize| asked.prices.get(*at).copied().unwrap_or(0.0);
    let prices: Vec<f64> = some.iter().map(picked).collect();
    let weigh = |members: &[usize], combination: &Combination| {
        let places: Vec<usize> = members.iter().map(|&member| some[member]).collect();
        room.weigh(&places, combination)
    };
    let room = room.of_some(some, &weigh);
    let costs: Vec<f64> = some.iter().map(|&at| asked.cost(at)).collect();
    let asked = Asked { prices: &prices, costs: &costs, room: Some(&room), ..*asked };
    let pool = Pool { members, truth: pool.truth, columns: pool.columns.clone() };
    let made = choose(entry, params, &pool, &asked, limited)?;
    let named = |composed: Composed| Composed {
        members: composed.members.iter().map(|&member| some[member]).collect(),
        ..composed
    };
    Ok(made.map(named))
}

/// Every second row of a part, from `half` on.
fn half_of(part: &HeldBack, half: usize) -> HeldBack {
    let width = part.scores.len() / part.rows.len().max(1);
    let places = || (half..part.rows.len()).step_by(2);
    let scores = places().flat_map(|place| &part.scores[place * width..(place + 1) * width]);
    HeldBack {
        repetition: part.repetition,
        rows: places().map(|place| part.rows[place]).collect(),
        scores: scores.copied().collect(),
        link: part.link,
        further: Vec::new(),
        linked: Vec::new(),
        floats: Vec::new(),
    }
}

/// The mean of sums that groups taught: weights and offsets of the most frequent space, maps of the last of them; `None`
/// of other forms.
fn mean(learnt: &[Combination]) -> Option<Combination> {
    let sums: Vec<&MemberSum> = learnt.iter().map(Combination::sum).collect::<Option<_>>()?;
    let votes = |space| sums.iter().filter(|c| c.space == space).count();
    let space = sums.iter().map(|c| c.space).max_by_key(|&space| votes(space))?;
    let of: Vec<&MemberSum> = sums.into_iter().filter(|c| c.space == space).collect();
    let mut mean = (*of.last()?).clone();
    let n = of.len() as f64;
    let average = |all: &dyn Fn(&MemberSum) -> &Vec<f64>, at: usize| {
        of.iter().map(|c| all(c).get(at).copied().unwrap_or(0.0)).sum::<f64>() / n
    };
    mean.weights = (0..mean.weights.len()).map(|at| average(&|c| &c.weights, at)).collect();
    mean.offsets = (0..mean.offsets.len()).map(|at| average(&|c| &c.offsets, at)).collect();
    mean.range = of.iter().fold(mean.range, |[low, high], c| [low.min(c.range[0]), high.max(c.range[1])]);
    Some(Combination::Sum(mean))
}

/// Real scores of all members, by part.
struct Parts<'a> {
    pool: &'a Pool<'a>,
    n_outputs: usize,
    /// By member, by part.
    real: Vec<Vec<Vec<f64>>>,
}

impl<'a> Parts<'a> {
    fn new(pool: &'a Pool<'a>) -> Parts<'a> {
        let n_outputs = pool.truth.n_outputs();
        let real = |part: &HeldBack| member_scores(&part.scores, &part.link, n_outputs);
        let of_member = |parts: &&[HeldBack]| parts.iter().map(real).collect();
        Parts { pool, n_outputs, real: pool.members.iter().map(of_member).collect() }
    }

    /// The rows of some parts.
    fn rows(&self, parts: &[usize]) -> Result<MemberRows, Error> {
        let rows: Vec<u32> =
            parts.iter().flat_map(|&at| self.pool.members[0][at].rows.iter().copied()).collect();
        let of_member =
            |real: &Vec<Vec<f64>>| parts.iter().flat_map(|&at| real[at].iter().copied()).collect();
        let truth = self.pool.truth.select(&rows);
        let of_members =
            MemberRows::try_new(self.real.iter().map(of_member).collect(), self.n_outputs, truth)?;
        match &self.pool.columns {
            Some(columns) => of_members.with_columns(columns.clone(), rows),
            None => Ok(of_members),
        }
    }

    /// The error of a combination on some parts, whose rows are given too.
    fn error(
        &self,
        parts: &[usize],
        (combination, rows): (&Combination, &MemberRows),
        asked: &Asked<'_>,
    ) -> Result<f64, Error> {
        let mut linked = Vec::new();
        for &at in parts {
            linked.extend(self.combined(at, combination)?.linked);
        }
        Ok(rows.error(linked, asked.smooth(rows.task())))
    }

    /// What a member makes of a part.
    fn of_member(&self, at: usize, member: usize) -> HeldBack {
        let part = self.pool.members[member][at].clone();
        HeldBack { linked: part.link.apply(&part.scores, self.n_outputs), ..part }
    }

    /// What a combination makes of a part.
    fn combined(&self, at: usize, combination: &Combination) -> Result<HeldBack, Error> {
        let parts: Vec<&HeldBack> = self.pool.members.iter().map(|parts| &parts[at]).collect();
        let members: Vec<_> = parts.iter().map(|part| (&part.scores[..], part.link)).collect();
        let coded = self.pool.columns.as_deref().map(|columns| CodedRows { columns, rows: &parts[0].rows });
        let (scores, link) = combination.apply(&members, self.n_outputs, coded)?;
        let linked = link.apply(&scores, self.n_outputs);
        let HeldBack { repetition, rows, .. } = parts[0];
        let (repetition, rows, further, floats) = (*repetition, rows.clone(), Vec::new(), Vec::new());
        Ok(HeldBack { repetition, rows, scores, link, further, linked, floats })
    }
}
