//! Which rows and columns a tree sees, and what a forest has used so far.
//!
//! Every draw is a hash of (seed, tree, number), so that no draw depends on another or on threads.

use ir::digest::mix;

/// The features that a tree may ask.
pub(crate) enum Columns {
    /// Every one.
    All,
    /// These, rising.
    Some(Vec<usize>),
    /// Some of these, drawn anew for each split; more while none of them parts the rows.
    PerSplit {
        /// The features, rising.
        from: Vec<usize>,
        /// How many are drawn.
        n: usize,
        /// Seed of the tree.
        key: u64,
    },
}

impl Columns {
    /// Seed of what is drawn for each split.
    pub(crate) fn key(&self) -> u64 {
        match self {
            Columns::PerSplit { key, .. } => *key,
            Columns::All | Columns::Some(_) => 0,
        }
    }
}

/// Features in a random order; as they stand where all of them are drawn.
pub(crate) struct Drawn {
    /// Hash and feature.
    order: Vec<(u64, usize)>,
    n: usize,
}

impl Drawn {
    /// Draws `n` of `from`.
    pub(crate) fn new(from: &[usize], n: usize, key: u64) -> Drawn {
        if n >= from.len() {
            let order: Vec<(u64, usize)> = from.iter().map(|&f| (0, f)).collect();
            return Drawn { n: order.len(), order };
        }
        let mut order: Vec<(u64, usize)> =
            from.iter().map(|&f| (mix(key.wrapping_add(f as u64)), f)).collect();
        // The order of the others is seldom asked for.
        order.select_nth_unstable(n);
        order[..n].sort_unstable();
        Drawn { order, n }
    }

    /// The drawn ones.
    pub(crate) fn first(&self) -> impl ExactSizeIterator<Item = usize> {
        self.order[..self.n].iter().map(|p| p.1)
    }

    /// All others.
    pub(crate) fn rest(&mut self) -> impl Iterator<Item = usize> {
        let rest = &mut self.order[self.n..];
        rest.sort_unstable();
        rest.iter().map(|p| p.1)
    }
}

/// The `n` of `items` with the smallest hashes, in their old order; at least one where there is any.
pub(crate) fn draw(items: &[u32], share: f64, key: u64) -> (Vec<u32>, Vec<u32>) {
    let n = ((items.len() as f64 * share + 0.5) as usize).clamp(1, items.len().max(1));
    if n >= items.len() {
        return (items.to_vec(), Vec::new());
    }
    let place = |&item: &u32| (mix(key.wrapping_add(u64::from(item))), item);
    let mut places: Vec<(u64, u32)> = items.iter().map(place).collect();
    let (_, &mut last, _) = places.select_nth_unstable(n - 1);
    items.iter().partition(|item| place(item) <= last)
}

/// A share of the features for a tree, see [`draw`], and of these a share for each split.
pub(crate) fn columns(n_features: usize, share: f64, share_by_split: f64, key: u64) -> Columns {
    let all = || 0..n_features as u32;
    let some = (share < 1.0 && n_features > 0).then(|| draw(&all().collect::<Vec<_>>(), share, key).0);
    if share_by_split >= 1.0 || n_features == 0 {
        let some = some.map(|some| some.into_iter().map(|f| f as usize).collect());
        return some.map_or(Columns::All, Columns::Some);
    }
    let from: Vec<usize> = some.unwrap_or_else(|| all().collect()).into_iter().map(|f| f as usize).collect();
    let n = ((from.len() as f64 * share_by_split + 0.5) as usize).clamp(1, from.len());
    Columns::PerSplit { from, n, key }
}

/// What asking a new feature or threshold costs; off without penalties.
///
/// A penalty is a share of the gain of the forest's first split, as it would be without penalties, so
/// it has no unit. As residuals shrink, new features and thresholds must be worth ever more.
/// # Source  Alkhoury et al., ToaD (trees on a diet), 2023: linear penalty; deviation: the scale.
#[derive(Default)]
pub(crate) struct Reuse {
    feature: f64,
    threshold: f64,
    /// Gain of the first split.
    unit: Option<f64>,
    features: Vec<bool>,
    /// By cell of a histogram.
    thresholds: Vec<bool>,
}

impl Reuse {
    pub(crate) fn new(feature: f64, threshold: f64, n_features: usize, n_cells: usize) -> Reuse {
        if feature == 0.0 && threshold == 0.0 {
            return Reuse::default();
        }
        let (features, thresholds) = (vec![false; n_features], vec![false; n_cells]);
        Reuse { feature, threshold, unit: None, features, thresholds }
    }

    pub(crate) fn is_on(&self) -> bool {
        !self.features.is_empty()
    }

    /// True until the first gain is known.
    pub(crate) fn wants_unit(&self) -> bool {
        self.is_on() && self.unit.is_none()
    }

    pub(crate) fn set_unit(&mut self, gain: f64) {
        self.unit = Some(gain);
    }

    /// What a feature costs.
    pub(crate) fn of_feature(&self, feature: usize) -> f64 {
        match self.unit {
            Some(unit) if !self.features[feature] => unit * self.feature,
            _ => 0.0,
        }
    }

    /// What the threshold of this cell costs.
    pub(crate) fn of_threshold(&self, cell: usize) -> f64 {
        match self.unit {
            Some(unit) if !self.thresholds[cell] => unit * self.threshold,
            _ => 0.0,
        }
    }

    /// A feature, and its threshold by cell, are used from now on.
    pub(crate) fn mark(&mut self, feature: usize, cell: Option<usize>) {
        if self.is_on() {
            self.features[feature] = true;
            if let Some(cell) = cell {
                self.thresholds[cell] = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_parts_the_items() {
        let items: Vec<u32> = (0..1000).map(|i| i * 3).collect();
        let (taken, left) = draw(&items, 0.3, 7);
        assert_eq!((taken.len(), left.len()), (300, 700));
        assert!(taken.is_sorted() && left.is_sorted());
        let mut both = [taken.clone(), left].concat();
        both.sort_unstable();
        assert_eq!(both, items);
        assert_ne!(draw(&items, 0.3, 8).0, taken);
        assert_eq!(draw(&items, 1e-9, 7).0.len(), 1);
        assert_eq!(draw(&items, 1.0, 7).0, items);
        assert_eq!(draw(&[], 0.5, 7).0, [0u32; 0]);
    }
}
