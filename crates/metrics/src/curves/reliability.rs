//! Reliability: of the rows that are said with 80 %, are 80 of 100 of the class?

use super::Curves;

/// How rows are parted by their probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bins {
    /// This many of equal width on 0..=1, each closed on the right, the first on both sides.
    EqualWidth(u16),
    /// This many of about equal weight; rows of equal probability stay in the bin in which they start.
    EqualCount(u16),
}

/// The rows of one bin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReliabilityBin {
    /// Mean probability of the class, by weight.
    pub mean_probability: f64,
    /// Share of the rows that is of the class.
    pub observed: f64,
    /// Weight of the rows: their number if there are no row weights.
    pub rows: f64,
}

impl Curves {
    /// Mean probability and observed share by bin of probability, smallest first; empty bins are left out.
    /// 0 bins count as 1. Defined for any rows. O(steps).
    /// # Source
    /// Niculescu-Mizil & Caruana, ICML 2005, section 4; scikit-learn `calibration_curve`, deviation: bins of equal
    /// count are cut between rows of unequal probability by weight, not at interpolated quantiles.
    pub fn reliability(&self, bins: Bins) -> Vec<ReliabilityBin> {
        let total = self.ranking.total;
        let n_rows = total.hits + total.false_alarms;
        let mut out: Vec<(usize, Sums)> = Vec::new();
        for (idx, step) in self.ranking.steps.iter().enumerate().rev() {
            let above = idx.checked_sub(1).map(|above| self.ranking.steps[above]).unwrap_or_default();
            let hits = step.hits - above.hits;
            let rows = hits + (step.false_alarms - above.false_alarms);
            let at = match bins {
                Bins::EqualWidth(n) => bin_of_width(step.score, n.max(1)),
                Bins::EqualCount(n) => {
                    let below = (n_rows - (step.hits + step.false_alarms)) / n_rows;
                    (below * f64::from(n.max(1))) as usize
                }
            };
            if out.last().is_none_or(|&(last, _)| last != at) {
                out.push((at, Sums::default()));
            }
            if let Some((_, sums)) = out.last_mut() {
                sums.probability += rows * step.score;
                sums.hits += hits;
                sums.rows += rows;
            }
        }
        out.into_iter().map(|(_, sums)| sums.bin()).collect()
    }
}

#[derive(Default)]
struct Sums {
    probability: f64,
    hits: f64,
    rows: f64,
}

impl Sums {
    /// Differences of sums may pass their bounds by rounding.
    fn bin(self) -> ReliabilityBin {
        let share = |x: f64| if self.rows > 0.0 { (x / self.rows).clamp(0.0, 1.0) } else { 0.0 };
        ReliabilityBin {
            mean_probability: share(self.probability),
            observed: share(self.hits),
            rows: self.rows,
        }
    }
}

/// The bin `b` of `n` with `b / n < p <= (b + 1) / n`; edges are quotients in f64.
fn bin_of_width(p: f64, n: u16) -> usize {
    let n = f64::from(n);
    let mut at = (p * n).ceil().max(1.0) - 1.0;
    // The product is rounded, so the guess may be off by one.
    if at > 0.0 && p <= at / n {
        at -= 1.0;
    } else if p > (at + 1.0) / n {
        at += 1.0;
    }
    at as usize
}

#[cfg(test)]
mod tests {
    use super::bin_of_width;

    #[test]
    fn bins_are_closed_on_the_right() {
        for n in [1_u16, 3, 7, 10, 15, 49] {
            for edge in 1..=n {
                let at = f64::from(edge) / f64::from(n);
                assert_eq!(bin_of_width(at, n), usize::from(edge) - 1, "{edge} of {n}");
                if edge < n {
                    assert_eq!(bin_of_width(at.next_up(), n), usize::from(edge), "above {edge} of {n}");
                }
            }
            assert_eq!(bin_of_width(0.0, n), 0);
        }
    }
}
