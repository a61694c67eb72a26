//! `percentile`: all but a small share of the values.

use super::observer::{Observer, ObserverEntry};
use crate::grid::IntegerFormat;
use crate::statistics::{Channel, Piece};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(super) static ENTRY: ObserverEntry = ObserverEntry {
    name: "percentile",
    aliases: &[],
    doc: "all values but a small share at each end",
    spec: &[ParamSpec {
        name: "p",
        aliases: &["percentile", "quantile"],
        default: Value::Real(99.999),
        range: Range::Real { low: 50.0, high: 100.0 },
        doc: "percent of the values that stay within the range; half of the others may lie beyond each end",
    }],
    observer: &Percentile,
};

struct Percentile;

impl Observer for Percentile {
    /// The narrowest ends, on borders of bins or at an extreme, beyond each of which lie at most
    /// `floor(n (100 - p) / 200)` of the n values.
    /// # Source  Wu et al., Integer quantization for deep learning inference, arXiv 2004.09602, section 3.4;
    /// deviation: a share at each end instead of one of sizes.
    fn range(&self, seen: &Channel, _: &IntegerFormat, params: &Params) -> (f64, f64) {
        let whole = seen.whole();
        let beyond = (whole.n() as f64 * (100.0 - params.real("p")) / 200.0).floor() as u64;
        let pieces: Vec<Piece> = whole.pieces().collect();
        let low = first(pieces.iter(), beyond).map_or(0.0, |piece| piece.low);
        let high = first(pieces.iter().rev(), beyond).map_or(0.0, |piece| piece.high);
        (low, high)
    }
}

/// The first piece with which more values lie outside than may.
fn first<'a>(mut pieces: impl Iterator<Item = &'a Piece>, beyond: u64) -> Option<&'a Piece> {
    let mut outside = 0;
    pieces.find(|piece| {
        outside += piece.count;
        outside > beyond
    })
}

#[cfg(test)]
mod tests {
    use super::super::laws::{bell, range};
    use super::*;

    #[test]
    fn at_most_the_share_lies_beyond_an_end() {
        let mut values = bell(10_000, 1);
        values.push(500.0);
        values.sort_by(f32::total_cmp);
        let seen = Channel::of(&values);
        let format = IntegerFormat::activations(8).unwrap();
        for (p, beyond) in [(100.0, 0), (99.999, 0), (99.9, 5), (99.0, 50), (50.0, 2500)] {
            let range = range(&format!("percentile:p={p}"), &seen, &format);
            let width = seen.whole().bin_width() as f32;
            assert!(values.iter().filter(|x| **x > range.high()).count() <= beyond, "{p}");
            assert!(values.iter().filter(|x| **x < range.low()).count() <= beyond, "{p}");
            // A bin nearer to the middle, and more lie beyond.
            let exact = values[values.len() - 1 - beyond];
            assert!((range.high() - exact).abs() <= width && range.high() >= exact, "{p}");
        }
    }
}
