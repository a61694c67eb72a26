//! Numbers that stand for "missing".

use ir::{Column, ColumnData};

/// Numbers that people write for "missing"; zero and minus one are too often real.
const USUAL: [f64; 12] =
    [-99.0, -999.0, -9999.0, -99999.0, -999_999.0, 99.0, 999.0, 9999.0, 99999.0, 999_999.0, -1.0, 0.0];

/// Share of the rows that a sentinel has at least.
const LEAST_SHARE: f64 = 0.005;

/// The suspicious values of a number column, with why.
///
/// The smallest or largest value, if it stands in at least half a percent of the rows and in five, and
/// either is a usual marker (-999, 9999, .., also -1 and 0) that lies beyond the rest by more than the
/// rest's range (between its quantiles at 10 % and 90 %), or lies beyond it by four times that range
/// and is more frequent than its neighbour in value.
pub fn sentinels(chunks: &[Column<'_>]) -> Vec<(f64, String)> {
    let mut values = Vec::new();
    for chunk in chunks {
        for row in (0..chunk.n_rows()).filter(|&r| chunk.is_valid(r)) {
            match chunk.data() {
                ColumnData::F64(v) if v[row].is_finite() => values.push(v[row]),
                ColumnData::I64(v) => values.push(v[row] as f64),
                _ => {}
            }
        }
    }
    values.sort_by(f64::total_cmp);
    let n_rows = values.len();
    let mut rest = &values[..];
    let mut found = Vec::new();
    // A marker at one end widens the range and hides one at the other: look again without it.
    for low in [true, false, true] {
        let n = rest.len();
        if let Some((edge, count)) = end_marker(rest, low, n_rows) {
            let share = 100.0 * count as f64 / n_rows as f64;
            found.push((
                edge,
                format!("{edge} stands in {share:.1} % of the rows, far from all other values"),
            ));
            rest = if low { &rest[count..] } else { &rest[..n - count] };
        }
    }
    found
}

/// The value at one end of the sorted values and its rows, if it looks like a marker.
fn end_marker(values: &[f64], low: bool, n_rows: usize) -> Option<(f64, usize)> {
    let n = values.len();
    let edge = *if low { values.first() } else { values.last() }?;
    let count = values.iter().filter(|&&v| v == edge).count();
    let rest: &[f64] = if low { &values[count..] } else { &values[..n - count] };
    let often = count >= 5 && count as f64 >= LEAST_SHARE * n_rows as f64;
    if !often || rest.len() < 20 {
        return None;
    }
    let neighbour = if low { rest[0] } else { rest[rest.len() - 1] };
    let n_neighbour = rest.iter().filter(|&&v| v == neighbour).count();
    let quantile = |p: f64| rest[((rest.len() - 1) as f64 * p) as usize];
    // The middle, so that a marker at the other end does not count as range.
    let range = quantile(0.9) - quantile(0.1);
    let gap = (neighbour - edge).abs();
    let usual = USUAL.contains(&edge) && gap > range;
    let far = gap > 4.0 * range && count > n_neighbour;
    (range > 0.0 && (usual || far)).then_some((edge, count))
}
