//! A rule as borders between numbers: where, on the way from the least number to the largest, its answer changes.
//!
//! Borders are integer keys of doubles, as the edges of [`crate::op::Bin`] are, so no rounding stands between a rule and
//! its codes: `x < t` has its border at the next number below `t`.

use super::{Precision, Rule};
use crate::fixed::{from_key_f64, key_f64};
use alloc::vec;
use alloc::vec::Vec;

/// The answer of a rule for every number: `first` up to the first border, the other one up to the next, and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cuts {
    /// The answer for the least number.
    pub(super) first: bool,
    /// Keys that strictly rise; the answer changes above each.
    pub(super) borders: Vec<i64>,
}

/// The key of the next number below the one of this key.
fn before(key: i64) -> i64 {
    // No number has the key -1, since -0 has that of +0.
    if key == 0 { -2 } else { key - 1 }
}

impl Cuts {
    pub(super) fn of(rule: &Rule, precision: Precision) -> Cuts {
        let up_to = key_f64;
        let below = |t: f64| before(key_f64(t));
        let (mut first, raw) = match rule {
            Rule::Less(t) => (true, vec![below(*t)]),
            Rule::LessEqual(t) => (true, vec![up_to(*t)]),
            Rule::Greater(t) => (false, vec![up_to(*t)]),
            Rule::GreaterEqual(t) => (false, vec![below(*t)]),
            Rule::Equal(t) => (false, vec![below(*t), up_to(*t)]),
            Rule::NotEqual(t) => (true, vec![below(*t), up_to(*t)]),
            Rule::Within(ranges) => {
                (false, ranges.iter().flat_map(|&[first, last]| [below(first), up_to(last)]).collect())
            }
        };
        let (least, most) = (key_f64(f64::NEG_INFINITY), key_f64(f64::INFINITY));
        let mut borders: Vec<i64> = Vec::with_capacity(raw.len());
        for border in raw {
            if border < least {
                // Every number is above it.
                first = !first;
                continue;
            }
            if border >= most {
                // No number is.
                continue;
            }
            let border = match precision {
                Precision::Double => border,
                Precision::Single => single(border),
            };
            // Two changes at one border are none.
            if borders.last() == Some(&border) {
                borders.pop();
            } else {
                borders.push(border);
            }
        }
        Cuts { first, borders }
    }

    /// The answer above `border`, which is one of a list that holds all borders of this rule.
    pub(super) fn above(&self, border: i64) -> bool {
        let passed = self.borders.partition_point(|&b| b <= border);
        self.first ^ (passed % 2 == 1)
    }
}

/// The border of doubles above which those lie that, rounded to `f32`, lie above `border`.
fn single(border: i64) -> i64 {
    let e = from_key_f64(border);
    let nearest = e as f32;
    let up = if f64::from(nearest) > e { nearest } else { nearest.next_up() };
    // 2^128 is where the next number of single precision would be.
    let wide = |x: f32| {
        if x.is_finite() { f64::from(x) } else { f64::from(x.signum()) * crate::fixed::power_of_two(128) }
    };
    // Exact: both have 24 bits, and neighbours have them at nearly the same place.
    let middle = key_f64((wide(up.next_down()) + wide(up)) * 0.5);
    // A tie goes to the one whose last bit is 0.
    if up.to_bits() & 1 == 0 { before(middle) } else { middle }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers where rounding and order can go wrong.
    fn numbers() -> Vec<f64> {
        let mut all = vec![f64::NEG_INFINITY, f64::INFINITY, f64::MAX, f64::MIN, 0.0, -0.0, 5e-324, -5e-324];
        let base =
            [0.1f32, 1.0, 1.5, f32::MAX, f32::MIN_POSITIVE, 1e-45, 3.0, 16_777_217.0, f32::INFINITY, 0.0];
        for x in base.into_iter().flat_map(|x| [x, -x]) {
            for x in [x, x.next_up(), x.next_down()] {
                let wide = f64::from(x);
                let middle = (wide + f64::from(x.next_up())) * 0.5;
                for x in [wide, middle] {
                    all.extend([x, x.next_up(), x.next_down()]);
                }
            }
        }
        all.retain(|x| !x.is_nan());
        all
    }

    #[test]
    fn borders_answer_as_rules_do() {
        let numbers = numbers();
        for precision in [Precision::Single, Precision::Double] {
            for &t in &numbers {
                let rules = [
                    Rule::Less(t),
                    Rule::LessEqual(t),
                    Rule::Greater(t),
                    Rule::GreaterEqual(t),
                    Rule::Equal(t),
                    Rule::NotEqual(t),
                    Rule::Within(vec![[t, t]]),
                    Rule::Within(vec![[f64::NEG_INFINITY, t]]),
                    Rule::Within(vec![[t, f64::INFINITY]]),
                    Rule::Within(Vec::new()),
                ];
                for rule in rules {
                    let cuts = Cuts::of(&rule, precision);
                    assert!(cuts.borders.is_sorted_by(|a, b| a < b), "{rule:?}");
                    for &x in &numbers {
                        let passed =
                            cuts.borders.iter().filter(|&&b| key_f64(x) > key_f64(from_key_f64(b))).count();
                        let answer = cuts.first ^ (passed % 2 == 1);
                        assert_eq!(answer, rule.holds(precision.of(x)), "{rule:?} {precision:?} {x:e}");
                    }
                }
            }
        }
    }
}
