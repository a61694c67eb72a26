//! Where a number column is cut into bins.
//!
//! Works on integer keys (see [`ir::fixed::key_f64`]; whole numbers are their own keys), so that
//! -0, infinities and 64-bit integers need no special care.

/// Rows with a value below which a bin is merged with the next.
const MIN_ROWS: u64 = 3;

/// Pairs (last key of a bin, first key of the next) for at most `max_bins` bins.
///
/// `keys` is sorted. With few distinct keys each gets a bin (merged until it holds three rows); else
/// a key as frequent as an average bin ends its bin (little before it joins it) and the rest are cut into bins of equal
/// frequency, the average taken anew after each cut.
/// # Source  LightGBM's greedy bin finder (Ke et al., NeurIPS 2017, and its documentation); our
/// deviation: zero has no bin of its own.
pub(crate) fn cuts(keys: &[i64], max_bins: usize) -> Vec<(i64, i64)> {
    let mut distinct: Vec<(i64, u64)> = Vec::new();
    for &key in keys {
        match distinct.last_mut() {
            Some((last, n)) if *last == key => *n += 1,
            _ => distinct.push((key, 1)),
        }
    }
    if distinct.len() <= max_bins { few(&distinct) } else { many(&distinct, keys.len() as u64, max_bins) }
}

fn few(distinct: &[(i64, u64)]) -> Vec<(i64, i64)> {
    let mut cuts = Vec::new();
    let mut in_bin = 0;
    for pair in distinct.windows(2) {
        in_bin += pair[0].1;
        if in_bin >= MIN_ROWS {
            cuts.push((pair[0].0, pair[1].0));
            in_bin = 0;
        }
    }
    cuts
}

fn many(distinct: &[(i64, u64)], n_rows: u64, max_bins: usize) -> Vec<(i64, i64)> {
    let mut rest_bins = max_bins as f64;
    let mut rest_rows = n_rows as f64;
    let mut average = rest_rows / rest_bins;
    let first_average = average;
    let is_frequent = |n: u64| n as f64 >= first_average;
    for &(_, n) in distinct.iter().filter(|&&(_, n)| is_frequent(n)) {
        rest_bins -= 1.0;
        rest_rows -= n as f64;
    }
    if rest_bins > 0.0 {
        average = rest_rows / rest_bins;
    }
    let mut cuts = Vec::new();
    let mut in_bin = 0u64;
    for pair in distinct.windows(2) {
        let ((key, n), (next_key, next_n)) = (pair[0], pair[1]);
        if !is_frequent(n) {
            rest_rows -= n as f64;
        }
        in_bin += n;
        let full = in_bin as f64 >= average;
        let before_frequent = is_frequent(next_n) && in_bin as f64 >= (average * 0.5).max(1.0);
        if is_frequent(n) || full || before_frequent {
            cuts.push((key, next_key));
            if cuts.len() + 1 == max_bins {
                break;
            }
            in_bin = 0;
            if !is_frequent(n) && rest_bins > 1.0 {
                rest_bins -= 1.0;
                average = rest_rows / rest_bins;
            }
        }
    }
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_get_a_bin_each() {
        let keys = [1, 1, 1, 2, 2, 2, 5, 5, 5];
        assert_eq!(cuts(&keys, 10), [(1, 2), (2, 5)]);
        // A value of one row is merged with the next.
        assert_eq!(cuts(&[1, 2, 2, 2, 9, 9, 9], 10), [(2, 9)]);
        assert_eq!(cuts(&[], 10), []);
        assert_eq!(cuts(&[7; 100], 10), []);
    }

    #[test]
    fn many_values_get_bins_of_equal_frequency() {
        let keys: Vec<i64> = (0..1000).collect();
        let c = cuts(&keys, 10);
        assert_eq!(c.len(), 9);
        assert_eq!(c[0], (99, 100));
        // A frequent value ends its bin.
        let mut keys: Vec<i64> = (0..500).chain(vec![600; 500]).chain(700..1200).collect();
        keys.sort_unstable();
        let c = cuts(&keys, 10);
        assert!(c.contains(&(600, 700)), "{c:?}");
        assert!(c.len() <= 9);
    }
}
