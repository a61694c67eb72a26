use super::histogram::Histogram;
use super::*;
use ir::digest::SplitMix64;
use proptest::prelude::*;

fn drawn(n: usize, seed: u64) -> Vec<f32> {
    let mut random = SplitMix64::new(seed);
    let mut unit = || f64::from(random.below(1 << 24)) / f64::from(1 << 24);
    (0..n).map(|_| ((unit() + unit() + unit() - 1.5) * 4.0) as f32).collect()
}

#[test]
fn a_hand_computed_summary() {
    let whole = Channel::of(&[0.1, 0.2, 0.3, 0.4, 0.5]).whole();
    assert_eq!((whole.n(), whole.n_zero(), whole.n_rows()), (5, 0, 1));
    assert_eq!(whole.extremes(), Some((0.1, 0.5)));
    assert!((whole.mean() - 0.3).abs() < 1e-8);
    assert!((whole.mean_square() - 0.11).abs() < 1e-8);
    assert!((whole.deviation() - 0.02f64.sqrt()).abs() < 1e-8);
    assert!((whole.absolute_deviation() - 0.12).abs() < 1e-3);
    assert_eq!(whole.bin_width(), 1.0 / 1024.0);
}

#[test]
fn what_is_no_value_is_counted_apart() {
    let whole = Channel::of(&[f32::NAN, f32::INFINITY, -0.0, 0.0, f32::NEG_INFINITY, -2.0]).whole();
    assert_eq!((whole.n(), whole.n_zero(), whole.n_nan(), whole.n_infinite()), (3, 2, 1, 2));
    assert_eq!(whole.extremes(), Some((-2.0, 0.0)));
    let pieces: Vec<_> = whole.pieces().collect();
    let expected = [(-2.0, -2.0 + 1.0 / 256.0, 1), (0.0, 0.0, 2)];
    assert_eq!(pieces, expected.map(|(low, high, count)| Piece { low, high, count }));
    let nothing = Channel::of(&[f32::NAN]).whole();
    assert_eq!((nothing.n(), nothing.extremes(), nothing.mean(), nothing.deviation()), (0, None, 0.0, 0.0));
    assert_eq!(nothing.pieces().count(), 0);
    let constant = Channel::of(&[0.1; 7]).whole();
    assert_eq!(constant.deviation(), 0.0);
    assert_eq!(constant.absolute_deviation(), 0.0);
}

#[test]
fn sums_do_not_round() {
    // In doubles the small ones would vanish beside the large one.
    let whole = Channel::of(&[3e38, 1.0, 1e-40, -3e38]).whole();
    assert_eq!(whole.mean(), 0.25);
    let squares = Channel::of(&[f32::MAX, f32::MAX, 1e-45]).whole().mean_square();
    assert_eq!(squares, 2.0 * f64::from(f32::MAX).powi(2) / 3.0);
}

/// The histogram with the final width from the start.
fn direct(values: &[f32]) -> (f64, Vec<(i64, u64)>) {
    let largest = values.iter().fold(f32::MIN_POSITIVE, |m, x| m.max(x.abs()));
    let mut width = 2f64.powi(-135);
    while f64::from(largest) >= 1024.0 * width {
        width *= 2.0;
    }
    let mut bins = BTreeMap::new();
    values.iter().for_each(|x| *bins.entry((f64::from(*x) / width).floor() as i64).or_default() += 1);
    (width, bins.into_iter().collect())
}

proptest! {
    #[test]
    fn widening_gives_the_counts_of_the_final_width(values in prop::collection::vec(any::<f32>(), 1..200)) {
        let values: Vec<f32> = values.into_iter().filter(|x| x.is_finite()).collect();
        let mut histogram = Histogram::default();
        values.iter().for_each(|x| histogram.push(std::iter::once(*x)));
        if !values.is_empty() {
            prop_assert_eq!((histogram.width(), histogram.bins().collect::<Vec<_>>()), direct(&values));
        }
    }

    #[test]
    fn any_order_of_rows_and_of_merging_gives_the_same_bits(
        values in prop::collection::vec(any::<f32>(), 24 * 2),
        cuts in prop::collection::vec(0usize..24, 0..6),
        first in any::<bool>(),
    ) {
        let mut whole = Statistics::try_new(2, 24).unwrap();
        whole.push(0, 24, &values, 1).unwrap();
        let mut cuts: Vec<usize> = cuts.into_iter().chain([0, 24]).collect();
        cuts.sort_unstable();
        let mut parts: Vec<Statistics> = cuts
            .windows(2)
            .map(|w| {
                let mut part = Statistics::try_new(2, 24).unwrap();
                part.push(w[0] as u64, w[1] - w[0], &values[2 * w[0]..2 * w[1]], 1).unwrap();
                part
            })
            .collect();
        if first {
            parts.reverse();
        }
        let mut merged = Statistics::try_new(2, 24).unwrap();
        parts.iter().for_each(|part| merged.merge(part).unwrap());
        prop_assert_eq!(merged, whole);
    }
}

/// Values of like sizes, of all sizes, and what is special.
fn mixed() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => (-4.0f32..4.0, -20i32..4).prop_map(|(x, e)| x * 2f32.powi(e)),
        2 => any::<f32>().prop_filter("finite", |x| x.is_finite()),
        2 => Just(0.0f32),
        1 => Just(-0.0f32),
        1 => any::<u32>().prop_map(|bits| f32::from_bits(bits & 0x807f_ffff)),
    ]
}

proptest! {
    #[test]
    fn blocks_give_the_bits_of_single_values(
        values in prop::collection::vec(mixed(), 1..300),
        like in prop::collection::vec((-8.0f32..8.0).prop_map(|x| x.max(0.0)), 0..9000),
        exponent in -149i32..100,
        special in prop_oneof![9 => Just(None), 1 => Just(Some(f32::NAN)), 1 => Just(Some(f32::NEG_INFINITY))],
    ) {
        let like: Vec<f32> = like.into_iter().map(|x| (f64::from(x) * 2f64.powi(exponent)) as f32).collect();
        let subnormal: Vec<f32> = (1..100u32).map(f32::from_bits).collect();
        let last: Vec<f32> = values.iter().copied().chain(special).collect();
        for values in [values, like, subnormal, last] {
            let (mut blocks, mut single) = (Summary::default(), Summary::default());
            let extremes = blocks.push_row(std::iter::once(&values[..]));
            single.push_row(values.chunks(1));
            prop_assert_eq!(extremes, single.extremes());
            // Both saw one row.
            prop_assert_eq!(blocks, single);
        }
    }
}

#[test]
fn channels_lie_between_the_axes_before_and_after() {
    // [rows 2, outer 2, channels 3, inner 2]
    let values: Vec<f32> = (0..24).map(|i| i as f32).collect();
    let mut statistics = Statistics::try_new(3, 2).unwrap();
    statistics.push(0, 2, &values, 2).unwrap();
    let extremes: Vec<_> = statistics.channels().iter().map(|c| c.whole().extremes().unwrap()).collect();
    assert_eq!(extremes, [(0.0, 19.0), (2.0, 21.0), (4.0, 23.0)]);
    let rows: Vec<_> = statistics.channels()[1].last_rows().collect();
    assert_eq!(rows, [(2.0, 9.0), (14.0, 21.0)]);
    assert_eq!(statistics.channels()[1].whole().mean_extremes(), (8.0, 15.0));
}

#[test]
fn halves_show_drift() {
    let mut statistics = Statistics::try_new(1, 5).unwrap();
    statistics.push(0, 5, &[1.0, 2.0, 3.0, 40.0, 50.0], 1).unwrap();
    let halves = statistics.halves().map(|half| half.channels()[0].clone());
    let extremes = halves.each_ref().map(|half| half.whole().extremes().unwrap());
    assert_eq!(extremes, [(1.0, 3.0), (40.0, 50.0)]);
    assert_eq!(halves.map(|half| half.last_rows().len()), [3, 2]);
}

#[test]
fn the_last_rows_are_kept_whatever_the_order() {
    let n = MOVING_ROWS + 3;
    let values = drawn(n, 3);
    let mut forward = Statistics::try_new(1, n as u64).unwrap();
    forward.push(0, n, &values, 1).unwrap();
    let mut backward = Statistics::try_new(1, n as u64).unwrap();
    (0..n).rev().for_each(|row| backward.push(row as u64, 1, &values[row..=row], 1).unwrap());
    assert_eq!(forward, backward);
    let kept: Vec<_> = forward.channels()[0].last_rows().map(|(low, _)| low).collect();
    assert_eq!(kept, values[3..]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut statistics = Statistics::try_new(3, 4).unwrap();
    for (first, n, values, inner) in [
        (4, 1, 3, 1),
        (0, 5, 15, 1),
        (u64::MAX, 2, 6, 1),
        (0, 1, 4, 1),
        (0, 1, 6, 4),
        (0, 0, 3, 1),
        (0, 1, 3, 0),
    ] {
        let values = vec![0.0; values];
        assert!(statistics.push(first, n, &values, inner).is_err(), "{first} {n} {} {inner}", values.len());
    }
    assert_eq!(
        statistics.push(3, 2, &[], 1).unwrap_err().to_string(),
        "quantization: rows of statistics: expected rows below 4, got 2 rows from row 3"
    );
    assert!(statistics.push(0, 2, &[], 1).is_ok());
    assert!(Statistics::try_new(0, 1).is_err() && Statistics::try_new(usize::MAX, 1).is_err());
    assert!(statistics.merge(&Statistics::try_new(2, 4).unwrap()).is_err());
}
