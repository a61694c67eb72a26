//! Which points of a long curve a chart needs.

/// Indices of the points to keep, rising, the first and the last among them; all of them if they are few enough.
///
/// A point is kept if the next one lies farther than `d` from the last point kept, by the sum of both distances:
/// so a long straight step keeps both of its ends, and all that is left out lies within `d` of the point before it.
/// `d` starts at `2 / (max - 1)` and grows by a quarter until `max_points` (at least 2) suffice. On a curve that
/// rises from (0, 0) to (1, 1) that is at most `5 / (max - 2)`, and its area then changes by at most `d / 4`.
/// `points` in 0..=1. O(n log max_points).
pub(super) fn kept(points: &[(f64, f64)], max_points: usize) -> Vec<usize> {
    let max_points = max_points.max(2);
    if points.len() <= max_points {
        return (0..points.len()).collect();
    }
    let mut within = 2.0 / (max_points - 1) as f64;
    loop {
        let kept = kept_within(points, within);
        // Within 2 lies every point, and the first and the last remain.
        if kept.len() <= max_points || within > 2.0 {
            return kept;
        }
        within *= 1.25;
    }
}

fn kept_within(points: &[(f64, f64)], within: f64) -> Vec<usize> {
    let mut kept = vec![0];
    let mut last = points[0];
    for (idx, pair) in points.windows(2).enumerate().skip(1) {
        let (x, y) = pair[1];
        if (x - last.0).abs() + (y - last.1).abs() > within {
            kept.push(idx);
            last = pair[0];
        }
    }
    kept.push(points.len() - 1);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(points: &[(f64, f64)]) -> f64 {
        points.windows(2).map(|w| (w[1].0 - w[0].0) * (w[1].1 + w[0].1) / 2.0).sum()
    }

    #[test]
    fn few_points_are_all_kept() {
        assert_eq!(kept(&[(0.0, 0.0), (1.0, 1.0)], 0), [0, 1]);
        assert_eq!(kept(&[(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)], 3), [0, 1, 2]);
        assert_eq!(kept(&[(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)], 2), [0, 2]);
        assert_eq!(kept(&[], 5), []);
    }

    #[test]
    fn the_area_stays() {
        let curve: Vec<(f64, f64)> =
            (0..=10_000).map(|i| f64::from(i) / 1e4).map(|x| (x, x.powf(0.2))).collect();
        for max_points in [2, 3, 10, 50, 200] {
            let some: Vec<_> = kept(&curve, max_points).into_iter().map(|idx| curve[idx]).collect();
            assert!(some.len() <= max_points && some[0] == curve[0], "{max_points}: {}", some.len());
            assert_eq!(some.last(), curve.last());
            let off = (area(&some) - area(&curve)).abs();
            assert!(max_points < 3 || off <= 1.25 / (max_points - 2) as f64, "{max_points}: {off}");
            assert!(max_points < 200 || off < 1e-3, "{max_points}: {off}");
        }
    }

    #[test]
    fn both_ends_of_a_long_step_are_kept() {
        let mut curve: Vec<(f64, f64)> = (0..100).map(|i| (0.0, f64::from(i) / 1e4)).collect();
        curve.extend([(0.9, 0.02), (1.0, 1.0)]);
        assert_eq!(kept(&curve, 5), [0, 99, 100, 101]);
    }
}
