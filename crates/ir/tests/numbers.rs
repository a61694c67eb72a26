//! Laws of the numbers: keys keep the order, edges are short, links are within one float step of the
//! exact value, `linear` is rounded once. Random bits throughout, and exact integers to judge by.

use proptest::prelude::*;
use smidgen_ir::fixed::link::{MAX_SHIFT, exponential, linear, logistic, softmax};
use smidgen_ir::fixed::math;
use smidgen_ir::fixed::{Requantize, from_key_f64, key_f64, round_ties_even, shortest_between};
use std::cmp::Ordering;

/// Doubles of any bits but NaN, with zeros, subnormals, infinities and neighbours more often.
fn double() -> impl Strategy<Value = f64> {
    let any_bits = any::<u64>().prop_map(f64::from_bits);
    let near = (0u64..4, any::<bool>(), 0usize..4).prop_map(|(step, negative, base)| {
        let base = [0, 1 << 52, 1023 << 52, (2047 << 52) - 3][base];
        f64::from_bits((base + step) | u64::from(negative) << 63)
    });
    prop_oneof![any_bits, near, (-50i32..50).prop_map(|i| f64::from(i) / 4.0)]
        .prop_map(|x| if x.is_nan() { 0.0 } else { x })
}

/// Multipliers of any bits, with the ends more often.
fn multiplier() -> impl Strategy<Value = i64> {
    let ends = prop_oneof![Just(1i64 << 30), Just((1 << 31) - 1), Just((1 << 30) + 1)];
    prop_oneof![3 => 1i64 << 30..1 << 31, 1 => ends]
}

/// Stored mantissa bits up to the last one that is set.
fn mantissa_bits(x: f64) -> u32 {
    let fraction = x.to_bits() & ((1 << 52) - 1);
    if fraction == 0 { 0 } else { 52 - fraction.trailing_zeros() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn keys_keep_the_order_of_doubles(a in double(), b in double()) {
        let order = a.partial_cmp(&b).expect("neither is NaN");
        prop_assert_eq!(key_f64(a).cmp(&key_f64(b)), order, "{} {}", a, b);
        prop_assert_eq!(from_key_f64(key_f64(a)), a);
        prop_assert_eq!(key_f64(from_key_f64(key_f64(a))), key_f64(a));
    }

    #[test]
    fn ties_go_to_the_even_neighbour(x in double()) {
        let (got, floor) = (round_ties_even(x), x.floor());
        let expected = match (x - floor).partial_cmp(&0.5) {
            None => x,
            Some(Ordering::Less) => floor,
            Some(Ordering::Greater) => floor + 1.0,
            Some(Ordering::Equal) => if floor % 2.0 == 0.0 { floor } else { floor + 1.0 },
        };
        prop_assert_eq!(got, expected, "{}", x);
    }

    #[test]
    fn the_shortest_number_lies_between(a in double(), b in double()) {
        let clip = |x: f64| x.clamp(f64::MIN, f64::MAX);
        let (low, high) = (clip(a.min(b)), clip(a.max(b)));
        let got = shortest_between(low, high);
        prop_assert!(low <= got && got <= high, "{} in {}..={}", got, low, high);
        prop_assert!(mantissa_bits(got) <= mantissa_bits(low).min(mantissa_bits(high)));
        prop_assert_eq!(shortest_between(-high, -low), if got == 0.0 { 0.0 } else { -got });
    }

    #[test]
    fn logistic_is_within_a_step_of_the_exact(score: i32, narrow in 0u32..32, shift in 0u32..=20) {
        let score = score >> narrow;
        let x = f64::from(score) * 0.5f64.powi(shift as i32);
        let [p0, p1] = logistic(score, shift);
        prop_assert!(steps(p1, 1.0 / (1.0 + (-x).exp())) <= 1, "{} at {}: {}", score, shift, p1);
        prop_assert!(steps(p0, 1.0 / (1.0 + x.exp())) <= 1, "{} at {}: {}", score, shift, p0);
        let [q0, q1] = logistic(-score.max(-i32::MAX), shift);
        prop_assert!(score == i32::MIN || [q1.to_bits(), q0.to_bits()] == [p0.to_bits(), p1.to_bits()]);
        for (higher, lower) in [(score.saturating_add(1), score), (score, score.saturating_sub(1))] {
            let (up, down) = (logistic(higher, shift), logistic(lower, shift));
            prop_assert!(up[1] >= down[1] && up[0] <= down[0], "{} at {}", score, shift);
        }
    }

    #[test]
    fn exponential_is_within_two_steps_of_the_exact(score: i32, narrow in 0u32..32, shift in 0u32..=20) {
        let score = score >> narrow;
        // A double holds the score exactly; the platform's exp is within a step itself.
        let want = (f64::from(score) * 0.5f64.powi(shift as i32)).exp().min(f64::MAX);
        let got = exponential(score, shift);
        let apart = got.to_bits().abs_diff(want.to_bits());
        prop_assert!(got.is_finite() && apart <= 2, "{} at {}: {:e} for {:e}", score, shift, got, want);
        for (higher, lower) in [(score.saturating_add(1), score), (score, score.saturating_sub(1))] {
            prop_assert!(exponential(higher, shift) >= exponential(lower, shift), "{} at {}", score, shift);
        }
    }

    #[test]
    fn requantizing_is_the_exact_number_rounded_half_up(acc: i32, narrow in 0u32..32, m in multiplier(), s in 1i64..=62) {
        let acc = i64::from(acc >> narrow);
        let got = Requantize::try_new(m, s).expect("both are in range").apply(acc);
        let exact = i128::from(acc) * i128::from(m);
        // floor(x + 1/2) = floor((2 x + 1) / 2)
        let expected = (2 * exact + (1i128 << s)).div_euclid(1i128 << (s + 1));
        prop_assert_eq!(i128::from(got), expected, "{} * {} >> {}", acc, m, s);
    }

    #[test]
    fn a_tie_goes_up(odd: i16, s in 33i64..=45) {
        // acc * m = (2 k + 1) 2^(s - 1) for an odd number of halves.
        let halves = 2 * i64::from(odd) + 1;
        let pair = Requantize::try_new(1 << 30, s).expect("both are in range");
prop_assert_eq!(pair.apply(halves << (s - 31)), (halves + 1) / 2);
    }

    #[test]
    fn no_pair_is_nearer_to_a_factor(exponent in -34i32..32, fraction: u64) {
        let factor = f64::from_bits(((1023 + exponent) as u64) << 52 | fraction >> 12);
        let Some(pair) = Requantize::of(factor) else {
            // The smallest and the largest factor are 2^-32 and (2^31 - 1) / 2.
            prop_assert!(factor < 0.5f64.powi(32) || factor >= 1_073_741_823.5, "{:e}", factor);
            return Ok(());
        };
        prop_assert_eq!(Requantize::try_new(pair.multiplier(), pair.shift()), Some(pair));
        // All these are exact: 31 bits of a pair, 53 of a factor, and their difference by Sterbenz.
        let away = |pair: Requantize| (pair.factor() - factor).abs();
        for s in pair.shift() - 1..=pair.shift() + 1 {
            let at = (factor * 2f64.powi(s as i32)) as i64;
            for m in [at - 1, at, at + 1, 1 << 30, (1 << 31) - 1] {
                if let Some(other) = Requantize::try_new(m, s) {
                    prop_assert!(away(pair) <= away(other), "{:e}: {:?}, nearer {:?}", factor, pair, other);
                }
            }
        }
    }

    #[test]
    fn linear_is_rounded_once(score: i32, offset: i64, narrow in 0u32..64, shift in prop_oneof![any::<i16>(), -70i16..70, 960i16..1150, -1030i16..-900]) {
        check_linear(score, offset >> narrow, shift);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn softmax_is_within_a_step_of_the_exact(scores in proptest::collection::vec(any::<i32>(), 1..40), narrow in 0u32..32, shift in 0u32..=20) {
        let scores: Vec<i32> = scores.into_iter().map(|s| s >> narrow).collect();
        let mut p = vec![f32::NAN; scores.len()];
        softmax(&scores, shift, &mut p);
        let largest = scores.iter().max().copied().unwrap_or(0);
        let power = |s: i32| ((f64::from(s) - f64::from(largest)) * 0.5f64.powi(shift as i32)).exp();
        let sum: f64 = scores.iter().map(|&s| power(s)).sum();
        for (&s, &p) in scores.iter().zip(&p) {
            prop_assert!((0.0..=1.0).contains(&p));
            prop_assert!(steps(p, power(s) / sum) <= 1, "{} of {:?} at {}: {}", s, scores, shift, p);
        }
        let total: f64 = p.iter().map(|&p| f64::from(p)).sum();
        prop_assert!((total - 1.0).abs() < 1e-6, "{}", total);
        for i in 0..scores.len() {
            for j in 0..scores.len() {
                match scores[i].cmp(&scores[j]) {
                    Ordering::Less => prop_assert!(p[i] <= p[j]),
                    Ordering::Equal => prop_assert_eq!(p[i].to_bits(), p[j].to_bits()),
                    Ordering::Greater => {}
                }
            }
        }
        // The order of the classes changes nothing.
        let reversed: Vec<i32> = scores.iter().rev().copied().collect();
        let mut q = vec![0.0; p.len()];
        softmax(&reversed, shift, &mut q);
        q.reverse();
        prop_assert_eq!(p, q);
    }
}

/// Float steps between a float and the one nearest to a double.
fn steps(got: f32, want: f64) -> u32 {
    got.to_bits().abs_diff((want as f32).to_bits())
}

#[test]
fn links_at_the_ends() {
    for shift in 0..=40 {
        for score in [i32::MIN, i32::MIN + 1, -1, 0, 1, i32::MAX] {
            assert_eq!(logistic(score, shift), logistic(score, shift.min(MAX_SHIFT)));
            let p = logistic(score, shift);
            assert!(p.iter().all(|p| (0.0..=1.0).contains(p)), "{score} at {shift}: {p:?}");
            let mut all = [f32::NAN; 4];
            softmax(&[i32::MIN, score, i32::MAX, score], shift, &mut all);
            assert!(all.iter().all(|p| (0.0..=1.0).contains(p)), "{score} at {shift}: {all:?}");
            assert_eq!(all[1].to_bits(), all[3].to_bits());
        }
        let mut one = [0.0];
        softmax(&[i32::MIN], shift, &mut one);
        assert_eq!(one, [1.0]);
    }
    softmax(&[], 3, &mut []);
    assert_eq!(logistic(i32::MAX, 20), [0.0, 1.0], "e^-2048 is no float");
}

/// Every interval of a small grid against every number of few mantissa bits.
#[test]
fn no_shorter_number_lies_between() {
    let mut few = vec![0.0];
    for kept in 0..=4u32 {
        for exponent in -8..=4 {
            for m in 0..1u64 << kept {
                let x = (1.0 + m as f64 * 0.5f64.powi(kept as i32)) * 2f64.powi(exponent);
                few.extend([x, -x]);
            }
        }
    }
    let grid: Vec<f64> = (-130..=130).map(|i| f64::from(i) / 48.0).collect();
    for (i, &low) in grid.iter().enumerate() {
        for &high in &grid[i..] {
            let got = shortest_between(low, high);
            assert!((low..=high).contains(&got));
            let shorter = |x: &&f64| {
                (low..=high).contains(*x)
                    && got != 0.0
                    && (**x == 0.0 || mantissa_bits(**x) < mantissa_bits(got))
            };
            assert_eq!(few.iter().find(shorter), None, "{got} for {low}..={high}");
        }
    }
}

/// Order of `a * 2^ea` and `b * 2^eb`; both mantissas below 2^66.
fn compare(a: u128, ea: i32, b: u128, eb: i32) -> Ordering {
    let top = |m: u128, e: i32| if m == 0 { i32::MIN } else { 128 - m.leading_zeros() as i32 + e };
    top(a, ea).cmp(&top(b, eb)).then_with(|| match ea.cmp(&eb) {
        // Equal tops: the exponents differ by less than 66.
        _ if a == 0 => Ordering::Equal,
        Ordering::Less => a.cmp(&(b << (eb - ea))),
        Ordering::Equal => a.cmp(&b),
        Ordering::Greater => (a << (ea - eb)).cmp(&b),
    })
}

/// Mantissa and exponent of a double that is not negative.
fn parts(x: f64) -> (u128, i32) {
    let (fraction, field) = (x.to_bits() & ((1 << 52) - 1), (x.to_bits() >> 52) as i32);
    if field == 0 { (fraction.into(), -1074) } else { ((fraction | 1 << 52).into(), field - 1075) }
}

/// The exact value lies between the middles to both neighbours, on a middle only if even.
fn check_linear(score: i32, offset: i64, shift: i16) {
    let sum = i128::from(score) + i128::from(offset);
    let got = linear(score, offset, shift);
    let shown = format!("({score} + {offset}) * 2^-{shift} = {got:e}");
    assert!(got.is_finite(), "{shown}");
    assert_eq!(got.is_sign_negative(), sum < 0, "{shown}");
    let got = got.abs();
    let (size, exponent) = (sum.unsigned_abs(), -i32::from(shift));
    let even = got.to_bits() & 1 == 0;
    if got < f64::MAX {
        let (m, e) = parts(got);
        let order = compare(size, exponent, 2 * m + 1, e - 1);
        assert!(order == Ordering::Less || (even && order == Ordering::Equal), "{shown} is too small");
    }
    if got > 0.0 {
        let (m, e) = parts(f64::from_bits(got.to_bits() - 1));
        let order = compare(size, exponent, 2 * m + 1, e - 1);
        assert!(order == Ordering::Greater || (even && order == Ordering::Equal), "{shown} is too large");
    }
}

#[test]
fn linear_at_the_ends() {
    for score in [i32::MIN, -1, 0, 1, i32::MAX] {
        for offset in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX] {
            for shift in
                [i16::MIN, -1024, -961, -960, 0, 1, 1022, 1073, 1074, 1075, 1137, 1138, 1139, i16::MAX]
            {
                check_linear(score, offset, shift);
            }
        }
    }
    // A product of doubles rounds twice here.
    check_linear(576_536_362, 4_497_873_437_492_757_719, 1085);
    // Rounded to 53 bits first, this would be a tie that goes up.
    let just_above_half = (1i64 << 62) + 1;
    assert_eq!(linear(0, just_above_half, 1137), f64::from_bits(1));
    let just_below_half = (1i64 << 62) - 1;
    assert_eq!(linear(0, just_below_half, 1137), 0.0, "nearer to 0 than to the smallest double");
}

/// Near 1 the logarithm is small, and its steps with it.
#[test]
fn log_near_one() {
    let mut x = 0.998;
    while x < 1.002 {
        // ln(1 + d) = d - d^2/2 + .., where d is exact; ten terms reach 2^-90.
        let d = x - 1.0;
        let series = (1..=10).rev().fold(0.0, |sum, k| 1.0 / f64::from(k) - d * sum) * d;
        let got = math::log(x);
        assert!(got.to_bits().abs_diff(series.to_bits()) <= 3, "{x}: {got} for {series}");
        x += 1.1e-7;
    }
}
