//! Levels with any steps: small integers times one scale, looked up by code.
//!
//! The integers are what an engine computes with, so a network of tables is exact. Between two levels stands a border,
//! which need not be half-way: a logarithmic grid decides by ratios, a ternary one by a threshold of its own.

use crate::error::{Error, misfit};
use crate::rounding::Rounding;
use ir::DType;
use ir::fixed::Narrow;

/// `real = scale * values[code]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    scale: f32,
    values: Vec<i16>,
    borders: Vec<f32>,
    dtype: DType,
}

/// Far enough from one half to stay there when a code up to 255 is added.
const NEAR: f64 = 1.0 / (1u64 << 40) as f64;

impl Table {
    /// `values: [n_levels]` rising, at most 256; `borders: [n_levels - 1]`, each between its levels. A number on a
    /// border belongs to the upper level if it is 0 or more, else to the lower one.
    ///
    /// # Errors
    /// `Shape` for a scale that is not finite and above 0, values that do not rise or whose levels are not finite, and
    /// borders that are not between.
    pub fn try_new(scale: f32, values: Vec<i16>, borders: Vec<f32>) -> Result<Table, Error> {
        if !(scale.is_finite() && scale > 0.0) {
            return Err(misfit("scale", "a finite number above 0", scale));
        }
        if !(1..=256).contains(&values.len()) || !values.is_sorted_by(|a, b| a < b) {
            return Err(misfit("levels of a table", "1 to 256 rising numbers", format!("{values:?}")));
        }
        let table = Table { scale, dtype: index_dtype(values.len()), values, borders };
        if table.values.iter().any(|v| !table.real(*v).is_finite()) {
            return Err(misfit("scale of a table", "levels that are finite", scale));
        }
        let is_between = |pair: &[i16], border: &f32| matches!(*pair, [a, b] if table.real(a) <= *border && *border <= table.real(b));
        let n_borders = table.values.len() - 1;
        if table.borders.len() != n_borders
            || !table.values.windows(2).zip(&table.borders).all(|(p, b)| is_between(p, b))
        {
            let expected = format!("{n_borders} numbers, each between two levels");
            return Err(misfit("borders of a table", expected, format!("{:?}", table.borders)));
        }
        Ok(table)
    }

    /// Borders half-way between levels.
    ///
    /// # Errors
    /// As [`Table::try_new`].
    pub fn half_way(scale: f32, values: Vec<i16>) -> Result<Table, Error> {
        let middle = |pair: &[i16]| match *pair {
            [a, b] => (0.5 * f64::from(scale) * (f64::from(a) + f64::from(b))) as f32,
            _ => 0.0,
        };
        let borders = values.windows(2).map(middle).collect();
        Table::try_new(scale, values, borders)
    }

    /// The step of the values.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// The integers that codes stand for, rising.
    pub fn values(&self) -> &[i16] {
        &self.values
    }

    /// What parts the numbers of neighbouring levels.
    pub fn borders(&self) -> &[f32] {
        &self.borders
    }

    /// Storage type of the codes: unsigned, of 2, 4 or 8 bits.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    fn real(&self, value: i16) -> f32 {
        (f64::from(self.scale) * f64::from(value)) as f32
    }

    /// The number of a code, `scale * values[code]`, rounded once; a code beyond the table gives the nearest level.
    #[inline]
    pub fn value(&self, code: i32) -> f32 {
        self.integer(code).map_or(0.0, |value| self.real(value))
    }

    /// The integer of a code; none only in a table without levels, which there is not.
    fn integer(&self, code: i32) -> Option<i16> {
        let last = self.values.len() - 1;
        self.values.get((code.max(0) as usize).min(last)).copied()
    }

    /// The integers that codes stand for, with which an engine computes.
    pub fn integers(&self, codes: &[i32]) -> Vec<i16> {
        codes.iter().map(|&code| self.integer(code).unwrap_or_default()).collect()
    }

    /// The code of a number. What is rounded is the number's place among the levels, counted from the first level that
    /// is not negative: a whole number at a level, a half at a border, linear between. NaN is taken for 0.
    pub fn code(&self, x: f32, at: u64, rounding: &Rounding) -> i32 {
        let x = if x.is_nan() { 0.0 } else { x };
        let origin = self.values.partition_point(|v| *v < 0) as i32;
        let last = self.values.len() as i32 - 1;
        let place = self.place(x) - f64::from(origin);
        let code = rounding.round(place, at) + f64::from(origin);
        code.clamp(0.0, last.into()) as i32
    }

    fn place(&self, x: f32) -> f64 {
        // Levels at or below x.
        let n_below = self.values.partition_point(|v| self.real(*v) <= x);
        let (Some(&low), Some(&high), Some(&border)) = (
            n_below.checked_sub(1).and_then(|at| self.values.get(at)),
            self.values.get(n_below),
            n_below.checked_sub(1).and_then(|at| self.borders.get(at)),
        ) else {
            return if n_below == 0 { 0.0 } else { n_below as f64 - 1.0 };
        };
        let low = self.real(low);
        let [x_, low_, high_, border_] = [x, low, self.real(high), border].map(f64::from);
        let is_upper = if x >= 0.0 { x >= border } else { x > border };
        let share = if x == low {
            0.0
        } else if is_upper {
            (0.5 + 0.5 * (x_ - border_) / (high_ - border_)).clamp(0.5 + NEAR, 1.0 - NEAR)
        } else {
            (0.5 * (x_ - low_) / (border_ - low_)).clamp(NEAR, 0.5 - NEAR)
        };
        n_below as f64 - 1.0 + share
    }
}

fn index_dtype(n_levels: usize) -> DType {
    match n_levels {
        0..5 => DType::Narrow(Narrow::U2),
        5..17 => DType::Narrow(Narrow::U4),
        _ => DType::U8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rounding::ROUNDINGS;

    #[test]
    fn borders_decide_and_roundings_choose_a_side() {
        // Levels -2, 0, 1, 4; borders -1.5, 0.5, 1.5.
        let table = Table::try_new(0.5, vec![-4, 0, 2, 8], vec![-1.5, 0.5, 1.5]).unwrap();
        let numbers = [-9.0, -2.0, -1.6, -1.5, -1.4, -0.1, -0.0, 0.0, 0.4, 0.5, 1.0, 1.4, 1.5, 3.9, 4.0, 9.0];
        for (name, expected) in [
            ("half_even", [0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3]),
            ("half_away", [0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3]),
            ("floor", [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3]),
            ("ceil", [0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]),
            ("trunc", [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3]),
        ] {
            let rounding = Rounding::parse(name, 0).unwrap();
            let codes: Vec<i32> = numbers.iter().map(|x| table.code(*x, 0, &rounding)).collect();
            assert_eq!(codes, expected, "{name}");
        }
        for entry in ROUNDINGS {
            let rounding = Rounding::parse(entry.name, 3).unwrap();
            assert_eq!(table.code(f32::NAN, 0, &rounding), 1);
            assert_eq!(table.code(f32::INFINITY, 0, &rounding), 3);
            assert_eq!(table.code(f32::NEG_INFINITY, 0, &rounding), 0);
        }
    }

    #[test]
    fn neighbours_of_a_border_part_at_it() {
        let values: Vec<i16> = (-128..128).collect();
        let table = Table::half_way(0.1, values).unwrap();
        for (at, &border) in table.borders().iter().enumerate() {
            let code = |x: f32| table.code(x, 0, &Rounding::HALF_EVEN) as usize;
            let own = if border >= 0.0 { at + 1 } else { at };
            assert_eq!((code(border.next_down()), code(border), code(border.next_up())), (at, own, at + 1));
        }
    }

    #[test]
    fn what_does_not_hold_together_is_refused() {
        for (scale, values, borders) in [
            (0.0, vec![0, 1], vec![0.0]),
            (f32::NAN, vec![0, 1], vec![0.0]),
            (1.0, vec![1, 0], vec![0.5]),
            (1.0, vec![0, 0], vec![0.0]),
            (1.0, vec![], vec![]),
            (1.0, (0..257).collect(), vec![0.0; 256]),
            (1.0, vec![0, 1], vec![]),
            (1.0, vec![0, 1], vec![1.5]),
            (1.0, vec![0, 1], vec![f32::NAN]),
            (1e38, vec![0, 9], vec![1e38]),
        ] {
            assert!(Table::try_new(scale, values.clone(), borders).is_err(), "{scale} {values:?}");
        }
    }
}
