//! What every path of a tree must keep, whatever it costs.
//!
//! Directions of scores, features that may meet on a path, and the largest step of a leaf are decided
//! before a forest is grown; what the splits above a leaf leave of them is its [`Freedom`]. Values are
//! clipped to nested bounds last of all, so the order of two sides survives smoothing, and rounding,
//! which is monotone.
//! # Source  Ke et al., LightGBM, NeurIPS 2017: its "basic" monotone constraints and interaction
//! constraints; deviation: values are compared before path smoothing, and clipped after it.

/// Limits on the values of leaves and on the features of a path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Constraints {
    /// By feature, the direction in which the score must go; empty without any.
    monotone: Vec<i8>,
    /// By feature, the sets that hold it, rising; empty where all features may meet.
    sets_of: Vec<Vec<usize>>,
    /// Largest size of a value; 0: no limit.
    max_step: f64,
}

impl Constraints {
    /// `monotone`: -1, 0 or 1 by feature. `interactions`: sets of features that may meet on a path; a
    /// feature in none of them meets no other. `max_step`: 0 for no limit.
    pub(crate) fn new(
        monotone: &[i8],
        interactions: &[Vec<usize>],
        max_step: f64,
        n_features: usize,
    ) -> Constraints {
        let any = monotone.iter().any(|&m| m != 0);
        let mut sets_of = Vec::new();
        if !interactions.is_empty() {
            sets_of = vec![Vec::new(); n_features];
            for (set, features) in interactions.iter().enumerate() {
                for &f in features {
                    if let Some(sets) = sets_of.get_mut(f).filter(|sets| sets.last() != Some(&set)) {
                        sets.push(set);
                    }
                }
            }
            for (f, sets) in sets_of.iter_mut().enumerate().filter(|(_, sets)| sets.is_empty()) {
                sets.push(interactions.len() + f);
            }
        }
        Constraints { monotone: if any { monotone.to_vec() } else { Vec::new() }, sets_of, max_step }
    }

    /// True if values of leaves are clipped.
    pub(crate) fn clip(&self) -> bool {
        self.max_step > 0.0 || !self.monotone.is_empty()
    }

    /// The direction in which the score must go with the feature: -1, 0 or 1.
    pub(crate) fn direction(&self, feature: usize) -> i8 {
        self.monotone.get(feature).copied().unwrap_or(0)
    }

    /// What the root may do.
    pub(crate) fn root(&self) -> Freedom {
        let most = if self.max_step > 0.0 { self.max_step } else { f64::INFINITY };
        Freedom { low: -most, high: most, sets: None }
    }

    /// The features of these that a leaf may ask, if not all.
    pub(crate) fn allowed(&self, freedom: &Freedom, features: &[usize]) -> Option<Vec<usize>> {
        freedom.sets.as_ref()?;
        Some(features.iter().copied().filter(|&f| self.allows(freedom, f)).collect())
    }

    /// True if the leaf may ask the feature.
    pub(crate) fn allows(&self, freedom: &Freedom, feature: usize) -> bool {
        match &freedom.sets {
            None => true,
            Some(open) => open.iter().any(|set| self.sets_of[feature].contains(set)),
        }
    }
}

/// What the splits above a leaf leave it.
#[derive(Clone, Debug)]
pub(crate) struct Freedom {
    low: f64,
    high: f64,
    /// The sets that hold all features of the path; none where there are no sets, or no split yet.
    sets: Option<Vec<usize>>,
}

impl Freedom {
    /// The value nearest to `value` that the leaf may have.
    pub(crate) fn clip(&self, value: f64) -> f64 {
        value.max(self.low).min(self.high)
    }

    /// What a split by `feature` leaves both sides.
    pub(crate) fn after(&self, constraints: &Constraints, feature: usize) -> Freedom {
        let mut after = self.clone();
        if let Some(of) = constraints.sets_of.get(feature) {
            match &mut after.sets {
                None => after.sets = Some(of.clone()),
                Some(open) => open.retain(|set| of.contains(set)),
            }
        }
        after
    }

    /// Parts the values of two sides, whose own are `values`, at the middle of these.
    pub(crate) fn part(left: &mut Freedom, right: &mut Freedom, direction: i8, values: [f64; 2]) {
        let middle = 0.5 * (values[0] + values[1]);
        let (lower, upper) = if direction > 0 { (left, right) } else { (right, left) };
        lower.high = lower.high.min(middle);
        upper.low = upper.low.max(middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_one_set() {
        let constraints = Constraints::new(&[], &[vec![0, 1], vec![1, 2]], 0.0, 4);
        let allowed = |freedom: &Freedom| -> Vec<usize> {
            (0..4).filter(|&f| constraints.allows(freedom, f)).collect()
        };
        let root = constraints.root();
        assert_eq!(allowed(&root), [0, 1, 2, 3]);
        let one = root.after(&constraints, 1);
        assert_eq!(allowed(&one), [0, 1, 2]);
        assert_eq!(allowed(&one.after(&constraints, 2)), [1, 2]);
        assert_eq!(allowed(&root.after(&constraints, 0)), [0, 1]);
        assert_eq!(allowed(&root.after(&constraints, 3)), [3], "in no set");
        assert_eq!(constraints.allowed(&one, &[0, 3]), Some(vec![0]));
    }

    #[test]
    fn sides_are_parted_at_the_middle_within_the_largest_step() {
        let constraints = Constraints::new(&[1, -1], &[], 2.0, 2);
        let root = constraints.root();
        assert_eq!([root.clip(9.0), root.clip(-9.0), root.clip(0.5)], [2.0, -2.0, 0.5]);
        for (feature, values) in [(0, [-1.0, 2.0]), (1, [2.0, -1.0])] {
            let (mut left, mut right) = (root.clone(), root.clone());
            Freedom::part(&mut left, &mut right, constraints.direction(feature), values);
            let (lower, upper) = if feature == 0 { (left, right) } else { (right, left) };
            assert_eq!([lower.clip(9.0), lower.clip(-9.0)], [0.5, -2.0]);
            assert_eq!([upper.clip(9.0), upper.clip(-9.0)], [2.0, 0.5]);
        }
    }
}
