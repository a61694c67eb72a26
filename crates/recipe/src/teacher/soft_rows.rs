//! Soft labels as rows: what a learner that knows of no teacher takes.
//!
//! Cross entropy is linear in the label: `-sum_k t_k log q_k` of a row of weight `w` is the loss of a row for each class
//! `k` of weight `w t_k`. So a row keeps its place for one class and stands behind the table once more for every other;
//! any learner that takes row weights then learns from soft labels, exactly.

use super::Teacher;
use crate::augmented::Lesson;
use crate::predictions::Truth;
use crate::prepared::Prepared;
use ir::fixed::math;
use prepare::augment::MadeTarget;

/// Probabilities below it are left out, the others take their share.
const LEAST_SHARE: f64 = 1e-3;
/// The least and the largest probability whose log odds are learnt.
const ENDS: [f64; 2] = [0.005, 0.995];

/// What is learnt of each row of a table, and of rows behind it: first copies of its rows, then made ones.
pub(super) struct SoftRows<'a> {
    teacher: &'a Teacher,
    prepared: &'a Prepared<'a>,
    target: MadeTarget,
    weights: Vec<f32>,
    copies: Vec<u32>,
    made: Vec<u32>,
}

/// Where a row stands.
#[derive(Clone, Copy)]
enum Place {
    /// In the table: its first share stays there.
    Table(u32),
    /// Behind the table, where there is nothing yet.
    Made(u32),
}

impl<'a> SoftRows<'a> {
    /// All rows of the table. Those that no `of_..` is called for stay as they are, but that log odds are those of all
    /// rows with a target: rows held back, which may stop a fit early, are what they are to rows that are learnt from.
    pub(super) fn new(teacher: &'a Teacher, prepared: &'a Prepared<'a>) -> SoftRows<'a> {
        let n_rows = prepared.truth.n_rows();
        let target = match &prepared.truth {
            Truth::Classes { labels, .. } if teacher.learns_logits() => {
                let mut values = vec![0.0; n_rows];
                for &row in &prepared.rows {
                    let own = f64::from(labels[row as usize]);
                    values[row as usize] =
                        logit(teacher.target(row).map_or(own, |said| teacher.mixed(own, said[1])));
                }
                MadeTarget::Values(values)
            }
            Truth::Classes { labels, .. } => MadeTarget::Classes(labels.clone()),
            Truth::Values(values) => MadeTarget::Values(values.clone()),
            // No teacher says anything of several targets.
            Truth::Several(_) => MadeTarget::Values(vec![0.0; n_rows]),
        };
        let weights = prepared.row_weights.clone().unwrap_or_else(|| vec![1.0; n_rows]);
        SoftRows { teacher, prepared, target, weights, copies: Vec::new(), made: Vec::new() }
    }

    /// A training row with a target, of which something is said.
    pub(super) fn of_row(&mut self, row: u32) {
        let Some(said) = self.teacher.target(row) else { return };
        let weight = f64::from(self.weights[row as usize]);
        let (prepared, factors) = (self.prepared, self.prepared.class_factors.as_deref());
        match &prepared.truth {
            Truth::Classes { labels, .. } => {
                let own = labels[row as usize];
                // Of its own class exactly what it weighs.
                let of = |class: usize| factors.map_or(weight, |f| weight * (f[class] / f[own as usize]));
                self.put(Place::Table(row), Some(f64::from(own)), said, of);
            }
            Truth::Values(values) => {
                self.put(Place::Table(row), Some(values[row as usize]), said, |_| weight)
            }
            Truth::Several(_) => {}
        }
    }

    /// A row without a target, and what is said of it.
    pub(super) fn of_unlabelled(&mut self, row: u32, said: &[f64]) {
        let weight = user_weight(self.prepared, row) * self.teacher.options.unlabelled_weight;
        let factors = self.prepared.class_factors.as_deref();
        self.put(Place::Table(row), None, said, |class| factors.map_or(weight, |f| weight * f[class]));
    }

    /// A made row, what is said of it, and what it weighs.
    pub(super) fn of_made(&mut self, at: u32, said: &[f64], weight: f32) {
        let (weight, factors) = (f64::from(weight), self.prepared.class_factors.as_deref());
        self.put(Place::Made(at), None, said, |class| factors.map_or(weight, |f| weight * f[class]));
    }

    /// Copies and made rows, in the order in which they stand behind the table, and what is learnt of all rows.
    pub(super) fn finish(self, train: Vec<u32>) -> (Vec<u32>, Vec<u32>, Lesson) {
        let SoftRows { target, weights, copies, made, .. } = self;
        (copies, made, Lesson { target, weights, train })
    }

    /// Puts a row where it stands; `own` is its own label or value, `weight` what it would weigh as one of a class.
    fn put(&mut self, place: Place, own: Option<f64>, said: &[f64], weight: impl Fn(usize) -> f64) {
        let teacher = self.teacher;
        let mixed = |said: f64| own.map_or(said, |own| teacher.mixed(own, said));
        if let MadeTarget::Values(_) = self.target {
            let (value, weight) = if teacher.is_of_classes {
                let p = mixed(said[1]);
                (logit(p), weight(0) * (1.0 - p) + weight(1) * p)
            } else {
                (mixed(said[0]), weight(0))
            };
            return self.put_value(place, value, weight as f32);
        }
        let own = own.map(|own| (own as u32, teacher.options.own_share));
        let shares = shares(own, said).into_iter();
        let mut weighed = shares.map(|(class, share)| (class, (weight(class as usize) * share) as f32));
        if let Place::Table(row) = place
            && let Some((class, weight)) = weighed.next()
            && let MadeTarget::Classes(labels) = &mut self.target
        {
            (labels[row as usize], self.weights[row as usize]) = (class, weight);
        }
        for (class, weight) in weighed.filter(|(_, weight)| *weight > 0.0) {
            if let MadeTarget::Classes(labels) = &mut self.target {
                labels.push(class);
            }
            self.push(place, weight);
        }
    }

    fn put_value(&mut self, place: Place, value: f64, weight: f32) {
        let MadeTarget::Values(values) = &mut self.target else { return };
        match place {
            Place::Table(row) => (values[row as usize], self.weights[row as usize]) = (value, weight),
            Place::Made(_) => {
                values.push(value);
                self.push(place, weight);
            }
        }
    }

    /// A row behind the others.
    fn push(&mut self, place: Place, weight: f32) {
        self.weights.push(weight);
        match place {
            Place::Table(row) => self.copies.push(row),
            Place::Made(at) => self.made.push(at),
        }
    }
}

impl Teacher {
    /// `a y + (1 - a) p`.
    fn mixed(&self, own: f64, said: f64) -> f64 {
        let a = self.options.own_share;
        a * own + (1.0 - a) * said
    }
}

/// What a user weighs each row, the factor of its class left out.
pub(super) fn user_weights(prepared: &Prepared<'_>) -> Option<Vec<f32>> {
    let weights = prepared.row_weights.as_ref()?;
    Some((0..weights.len() as u32).map(|row| user_weight(prepared, row) as f32).collect())
}

fn user_weight(prepared: &Prepared<'_>, row: u32) -> f64 {
    let weight = prepared.row_weights.as_ref().map_or(1.0, |weights| f64::from(weights[row as usize]));
    match (&prepared.truth, &prepared.class_factors) {
        (Truth::Classes { labels, .. }, Some(factors)) => weight / factors[labels[row as usize] as usize],
        _ => weight,
    }
}

/// The shares of classes in what a row teaches, which sum up to 1 and are above 0: `a [k = y] + (1 - a) p_k` for a row of
/// class `y`, `own = (y, a)`, else `p_k`. Of the `p_k` those below 1/1000 are left out and the others scaled, the largest
/// stays always. The row's own class is the first, else the most probable one.
fn shares(own: Option<(u32, f64)>, said: &[f64]) -> Vec<(u32, f64)> {
    let largest = said.iter().fold(0.0f64, |most, p| most.max(*p));
    let is_kept = |p: f64| p >= LEAST_SHARE.min(largest);
    let all: f64 = said.iter().filter(|p| is_kept(**p)).sum();
    let share = |(class, &p): (u32, &f64)| {
        let p = if is_kept(p) && all > 0.0 { p / all } else { 0.0 };
        let of_own = own.map_or(p, |(y, a)| if y == class { a + (1.0 - a) * p } else { (1.0 - a) * p });
        (class, of_own)
    };
    let mut shares: Vec<(u32, f64)> = (0..).zip(said).map(share).filter(|(_, share)| *share > 0.0).collect();
    let of = |class: u32| shares.iter().position(|(k, _)| *k == class);
    let first = own.and_then(|(y, _)| of(y)).unwrap_or_else(|| {
        let largest = shares.iter().fold(0.0f64, |most, (_, share)| most.max(*share));
        shares.iter().position(|(_, share)| *share == largest).unwrap_or(0)
    });
    if let Some(before) = shares.get_mut(..=first) {
        before.rotate_right(1);
    }
    shares
}

/// `log(p / (1 - p))`, `p` brought within its ends.
fn logit(p: f64) -> f64 {
    let p = p.clamp(ENDS[0], ENDS[1]);
    math::log(p / (1.0 - p))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row's own class with its share, what is said of it, and the shares of the classes.
    type Shared = (Option<(u32, f64)>, &'static [f64], &'static [(u32, f64)]);

    #[test]
    fn shares_are_hand_computed() {
        let cases: &[Shared] = &[
            (Some((1, 0.25)), &[0.4, 0.6], &[(1, 0.7), (0, 0.3)]),
            (Some((0, 0.0)), &[0.25, 0.75], &[(0, 0.25), (1, 0.75)]),
            // Its own class alone.
            (Some((0, 1.0)), &[0.25, 0.75], &[(0, 1.0)]),
            // Nothing of its own class is left.
            (Some((2, 0.0)), &[0.25, 0.75, 0.0], &[(1, 0.75), (0, 0.25)]),
            (Some((2, 0.5)), &[0.25, 0.75, 0.0], &[(2, 0.5), (0, 0.125), (1, 0.375)]),
            // 0.0005 is left out, the others are scaled by 1 / 0.9995.
            (None, &[0.19990, 0.0005, 0.7996], &[(2, 0.8), (0, 0.2)]),
        ];
        for &(own, said, expected) in cases {
            let got = shares(own, said);
            assert_eq!(got.len(), expected.len(), "{own:?} {said:?}: {got:?}");
            for (got, expected) in got.iter().zip(expected) {
                assert!(got.0 == expected.0 && (got.1 - expected.1).abs() < 1e-12, "{got:?} {expected:?}");
            }
        }
        // Of very many classes the most probable ones stay.
        let many = vec![1.0 / 4096.0; 4096];
        let all: f64 = shares(None, &many).iter().map(|(_, share)| share).sum();
        assert!((all - 1.0).abs() < 1e-9);
    }

    #[test]
    fn log_odds_end() {
        assert_eq!(logit(0.0), logit(0.005));
        assert_eq!(logit(1.0), logit(0.995));
        assert!((logit(0.995) - 199f64.ln()).abs() < 1e-12 && logit(0.5).abs() < 1e-15);
    }
}
