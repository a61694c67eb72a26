//! Clusters of numbers on a line, exactly.

use crate::statistics::Piece;

/// Numbers that count as one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Group {
    /// Their mean.
    pub(super) value: f64,
    /// How many they are.
    pub(super) count: f64,
}

/// Most groups; more distinct numbers are put together by intervals of one width.
const MOST_GROUPS: usize = 8192;

impl Group {
    /// The middle of a piece over `size`.
    pub(super) fn of(piece: &Piece, size: f64) -> Group {
        Group { value: piece.middle() / size, count: piece.count as f64 }
    }
}

/// Groups, rising, those of one value put together; if they are too many, those of an interval.
pub(super) fn groups(mut all: Vec<Group>) -> Vec<Group> {
    all.sort_by(|a, b| a.value.total_cmp(&b.value));
    let merged = |run: &[Group]| {
        let count: f64 = run.iter().map(|g| g.count).sum();
        Group { value: run.iter().map(|g| g.value * g.count).sum::<f64>() / count, count }
    };
    let (Some(first), Some(last)) = (all.first(), all.last()) else { return all };
    if all.len() <= MOST_GROUPS {
        let distinct = all.chunk_by(|a, b| a.value == b.value);
        return distinct.filter_map(|run| Some(Group { value: run.first()?.value, ..merged(run) })).collect();
    }
    let width = (last.value - first.value) / MOST_GROUPS as f64;
    let interval = |g: &Group| ((g.value - first.value) / width) as usize;
    all.chunk_by(|a, b| interval(a) == interval(b)).map(merged).collect()
}

/// Sums over the first groups, of numbers measured from a middle one, so that little cancels.
struct Sums {
    middle: f64,
    /// Of the first 0, 1, 2, .. groups: number, sum, sum of squares.
    first: Vec<[f64; 3]>,
}

impl Sums {
    fn of(groups: &[Group]) -> Sums {
        let middle = groups.get(groups.len() / 2).map_or(0.0, |g| g.value);
        let mut sum = [0.0; 3];
        let mut first = vec![sum];
        for g in groups {
            let x = g.value - middle;
            sum = [sum[0] + g.count, sum[1] + g.count * x, sum[2] + g.count * x * x];
            first.push(sum);
        }
        Sums { middle, first }
    }

    /// Number, sum and sum of squares of groups `from..to`.
    fn between(&self, from: usize, to: usize) -> [f64; 3] {
        match (self.first.get(from), self.first.get(to)) {
            (Some(a), Some(b)) => [b[0] - a[0], b[1] - a[1], b[2] - a[2]],
            _ => [0.0; 3],
        }
    }

    /// `sum (x - mean)^2` of groups `from..to`.
    fn cost(&self, from: usize, to: usize) -> f64 {
        let [n, sum, squares] = self.between(from, to);
        if n > 0.0 { (squares - sum * sum / n).max(0.0) } else { 0.0 }
    }
}

/// At most `k` centres of the least `sum count (value - centre)^2`, rising; `groups` rise. Where splits cost the same,
/// the first clusters are the smaller ones. O(k n log n), by dynamic programming over the number of clusters: the best
/// place of the last split never falls when groups are added, so each half is searched between its neighbours.
/// # Source  Groenlund et al., Fast exact k-means, k-medians and Bregman divergence clustering in 1D,
/// arXiv 1701.07204, section 2.2.
pub(super) fn centers(groups: &[Group], k: usize) -> Vec<f64> {
    let n = groups.len();
    if n <= k {
        return groups.iter().map(|g| g.value).collect();
    }
    let sums = Sums::of(groups);
    // Least cost of the first j groups in one cluster, then in two, ..; where the last cluster starts.
    let mut least: Vec<f64> = (0..=n).map(|j| sums.cost(0, j)).collect();
    let mut starts: Vec<Vec<u32>> = vec![vec![0; n + 1]];
    for n_before in 1..k {
        let mut next = vec![f64::INFINITY; n + 1];
        let mut start = vec![0u32; n + 1];
        // Ranges of j still to do, with the bounds of the start.
        let mut open = vec![(n_before + 1, n, n_before, n)];
        while let Some((low, high, from, to)) = open.pop() {
            if low > high {
                continue;
            }
            let j = low + (high - low) / 2;
            let mut best = (f64::INFINITY, from);
            for at in from..=to.min(j - 1) {
                let cost = least.get(at).copied().unwrap_or_default() + sums.cost(at, j);
                if cost < best.0 {
                    best = (cost, at);
                }
            }
            if let (Some(cost), Some(place)) = (next.get_mut(j), start.get_mut(j)) {
                *cost = best.0;
                *place = best.1 as u32;
            }
            open.push((low, j - 1, from, best.1));
            open.push((j + 1, high, best.1, to));
        }
        least = next;
        starts.push(start);
    }
    let mut centers = Vec::with_capacity(k);
    let mut to = n;
    for start in starts.iter().rev() {
        let from = start.get(to).map_or(0, |s| *s as usize);
        let [count, sum, _] = sums.between(from, to);
        centers.push(sums.middle + sum / count);
        to = from;
    }
    centers.reverse();
    centers
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The least cost over all ways to cut `groups` into `k` runs.
    fn exhaustive(groups: &[Group], k: usize) -> f64 {
        let cost = |run: &[Group]| {
            let n: f64 = run.iter().map(|g| g.count).sum();
            let mean = run.iter().map(|g| g.value * g.count).sum::<f64>() / n;
            run.iter().map(|g| g.count * (g.value - mean).powi(2)).sum::<f64>()
        };
        if k == 1 {
            return cost(groups);
        }
        let last = (k - 1)..groups.len();
        last.map(|at| exhaustive(&groups[..at], k - 1) + cost(&groups[at..])).fold(f64::INFINITY, f64::min)
    }

    fn cost(groups: &[Group], centers: &[f64]) -> f64 {
        let near = |x: f64| centers.iter().map(|c| (x - c).powi(2)).fold(f64::INFINITY, f64::min);
        groups.iter().map(|g| g.count * near(g.value)).sum()
    }

    proptest! {
        #[test]
        fn as_good_as_all_ways_to_cut(
            values in prop::collection::btree_set(-1000i32..1000, 2..12),
            counts in prop::collection::vec(1u8..9, 12),
            k in 1usize..6,
        ) {
            let groups: Vec<Group> = values
                .iter()
                .zip(&counts)
                .map(|(v, c)| Group { value: f64::from(*v) / 64.0, count: (*c).into() })
                .collect();
            let found = centers(&groups, k);
            prop_assert!(found.len() == k.min(groups.len()) && found.is_sorted());
            if groups.len() > k {
                let least = exhaustive(&groups, k);
                prop_assert!(cost(&groups, &found) <= least + 1e-9 * (1.0 + least));
            }
        }
    }

    #[test]
    fn many_numbers_are_put_together() {
        let n = 3 * MOST_GROUPS;
        let even = |i: usize| i as f64 / 7.0;
        let together = groups((0..n).map(|i| Group { value: even(i), count: 2.0 }).collect());
        assert!(together.len() <= MOST_GROUPS + 1 && together.is_sorted_by(|a, b| a.value < b.value));
        assert_eq!(together.iter().map(|g| g.count).sum::<f64>(), 2.0 * n as f64);
        // Even numbers have even clusters.
        let found = centers(&together, 4);
        for (i, c) in found.iter().enumerate() {
            assert!((c / even(n - 1) - (i as f64 + 0.5) / 4.0).abs() < 1e-3, "{found:?}");
        }
    }
}
