//! `portable`: weights so small in pairs that no engine's sum of two products saturates.
//!
//! On x86 processors without VNNI engines add two neighbouring products of 8 bits in 16 bits (`vpmaddubsw`), and what
//! does not fit is cut off in silence.

use super::{Claim, Correction, CorrectionEntry};

/// The line of the table.
pub(super) static ENTRY: CorrectionEntry = CorrectionEntry {
    name: "portable",
    aliases: &["reduce_pairs"],
    doc: "pairs of weights so small that engines without VNNI do not saturate",
    spec: &[],
    correction: Correction::Portable,
    claim: Claim::Integers,
};

/// The most that two weights of one sign may be together where codes of what they multiply lie in `0..=high`:
/// `high (w1 + w2) <= 2^15 - 1`, so 128 for 255.
pub fn most(high: i64) -> i64 {
    i64::from(i16::MAX) / high.max(1)
}

/// True if `x1 w1 + x2 w2` can leave 16 bits.
pub fn can_saturate(w1: i64, w2: i64, most: i64) -> bool {
    w1.signum() * w2.signum() > 0 && (w1 + w2).abs() > most || w1.abs().max(w2.abs()) > most
}

/// The two weights nearest to these, in squares, that cannot saturate: both come down by the same, the larger one by one
/// more where that is odd.
pub fn clipped(w1: i64, w2: i64, most: i64) -> (i64, i64) {
    let (w1, w2) = (w1.clamp(-most, most), w2.clamp(-most, most));
    if !can_saturate(w1, w2, most) {
        return (w1, w2);
    }
    let excess = (w1 + w2).abs() - most;
    let (more, less) = ((excess + 1) / 2, excess / 2);
    let (first, second) = if w1.abs() >= w2.abs() { (more, less) } else { (less, more) };
    (w1 - w1.signum() * first, w2 - w2.signum() * second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_computed() {
        assert_eq!((most(255), most(127), most(0)), (128, 258, 32767));
        for (w1, w2, expected) in [
            (100, 28, (100, 28)),
            (100, 29, (99, 29)),
            (29, 100, (29, 99)),
            (-127, -127, (-64, -64)),
            (-127, -2, (-126, -2)),
            (127, -127, (127, -127)),
            (127, 0, (127, 0)),
            (127, 100, (77, 51)),
        ] {
            assert_eq!(clipped(w1, w2, 128), expected);
        }
    }

    #[test]
    fn no_pair_saturates_then_and_none_is_nearer() {
        for w1 in -128..=127i64 {
            for w2 in -128..=127i64 {
                let (a, b) = clipped(w1, w2, 128);
                let reach = |x1: i64, x2: i64| x1 * a + x2 * b;
                let sums = [reach(0, 255), reach(255, 0), reach(255, 255)];
                assert!(sums.iter().all(|s| i16::try_from(*s).is_ok()), "{w1} {w2}: {a} {b}");
                let sums = [255 * w2, 255 * w1, 255 * (w1 + w2)];
                assert_eq!(can_saturate(w1, w2, 128), sums.iter().any(|s| i16::try_from(*s).is_err()));
                let far = |a: i64, b: i64| (w1 - a).pow(2) + (w2 - b).pow(2);
                let near = |(da, db): (i64, i64)| {
                    can_saturate(a + da, b + db, 128) || far(a + da, b + db) >= far(a, b)
                };
                let around = (-1..=1).flat_map(|da| (-1..=1).map(move |db| (da, db)));
                assert!(around.into_iter().all(near), "{w1} {w2}: {a} {b}");
            }
        }
    }
}
