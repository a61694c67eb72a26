//! A walk through the space of one learner: steps in random directions, kept where they lead to a smaller error.
//!
//! From the best place `x`, `x + s u` is tried for a random direction `u` of length 1, then `x - s u`; a better place
//! becomes the new `x`. Where so many steps as there are axes twice over led nowhere, steps become shorter; where they are
//! short, the walk begins anew at a random place.
//! # Source  Wu, Wang, Huang, Frugal optimization for cost-related hyperparameters (FLOW2), AAAI 2021, algorithm 1.

use ir::digest::SplitMix64;

/// The length of a step at first, for one axis; it grows with the square root of their number.
const STEP: f64 = 0.15;
/// What becomes of a step that led nowhere often enough.
const SHORTER: f64 = 0.6;
/// Steps shorter than this share of the first one are too short.
const SHORTEST: f64 = 0.1;

/// A walk.
#[derive(Clone, Debug)]
pub struct Flow {
    center: Vec<f64>,
    step: f64,
    failures: usize,
    /// The other side of the last direction.
    opposite: Option<Vec<f64>>,
    random: SplitMix64,
}

impl Flow {
    /// From a place, each axis in `0..=1`.
    pub fn new(center: Vec<f64>, seed: u64) -> Flow {
        let step = STEP * (center.len() as f64).sqrt();
        Flow { center, step, failures: 0, opposite: None, random: SplitMix64::new(seed) }
    }

    /// The next place to try.
    pub fn next(&mut self) -> Vec<f64> {
        if let Some(place) = self.opposite.take() {
            return place;
        }
        let direction = self.direction();
        let at = |sign: f64| {
            let moved = self.center.iter().zip(&direction).map(|(x, u)| inside(x + sign * self.step * u));
            moved.collect::<Vec<f64>>()
        };
        let (place, opposite) = (at(1.0), at(-1.0));
        self.opposite = Some(opposite);
        place
    }

    /// What came of a place.
    pub fn told(&mut self, place: &[f64], is_better: bool) {
        if is_better {
            self.center = place.to_vec();
            (self.failures, self.opposite) = (0, None);
            return;
        }
        self.failures += 1;
        if self.failures < 2 * self.center.len().max(1) {
            return;
        }
        self.failures = 0;
        self.step *= SHORTER;
        let first = STEP * (self.center.len() as f64).sqrt();
        if self.step < SHORTEST * first {
            self.step = first;
            self.opposite = None;
            self.center = (0..self.center.len()).map(|_| self.random.unit()).collect();
        }
    }

    /// A direction of length 1, all alike.
    fn direction(&mut self) -> Vec<f64> {
        loop {
            let n = self.center.len();
            let u: Vec<f64> = (0..n).map(|_| self.random.normal()).collect();
            let length = u.iter().map(|x| x * x).sum::<f64>().sqrt();
            if length > 1e-6 || n == 0 {
                return u.into_iter().map(|x| x / length).collect();
            }
        }
    }
}

/// A place beyond an end is as far inside.
fn inside(x: f64) -> f64 {
    let x = if x < 0.0 { -x } else { x };
    let x = if x > 1.0 { 2.0 - x } else { x };
    x.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bowl_is_walked_down() {
        let error = |x: &[f64]| x.iter().zip([0.9, 0.2, 0.6]).map(|(x, to)| (x - to) * (x - to)).sum::<f64>();
        let mut flow = Flow::new(vec![0.5; 3], 1);
        let mut best = error(&[0.5; 3]);
        let first = best;
        for _ in 0..60 {
            let place = flow.next();
            assert!(place.iter().all(|x| (0.0..=1.0).contains(x)));
            let is_better = error(&place) < best;
            best = best.min(error(&place));
            flow.told(&place, is_better);
        }
        assert!(best < 0.05 * first, "{best} of {first}");
        // The same seed walks the same way.
        let (mut a, mut b) = (Flow::new(vec![0.1, 0.2], 7), Flow::new(vec![0.1, 0.2], 7));
        assert!((0..50).all(|_| a.next() == b.next()));
    }

    #[test]
    fn where_nothing_is_better_it_begins_anew() {
        let mut flow = Flow::new(vec![0.5], 3);
        let mut places = Vec::new();
        for _ in 0..100 {
            let place = flow.next();
            flow.told(&place, false);
            places.push(place[0]);
        }
        let far = places.iter().filter(|x| (*x - 0.5).abs() > 0.2).count();
        assert!(far > 5, "{places:?}");
    }
}
