//! What a table looks like, column by column: spread and most frequent values.
//!
//! The first pass decides what a column is; this one, over the typed batches, says what is in it. It
//! is asked for by `inspect` alone, so that `fit` does not pay for it. Memory a column is bounded:
//! at most 32,768 values and as many for each doubling beyond ([`quantiles`]), at most 10,000
//! different values with their counts ([`frequent`]); less in wide tables. No value depends on how the rows are
//! cut into batches.

mod frequent;
mod quantiles;

use crate::cell::trim;
use crate::facts::hash_bytes;
use crate::parquet::TimeType;
use crate::profile::{ColumnProfile, TableProfile};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{ArrayRef, RecordBatch};
use frequent::{Frequent, Seen};
use ir::ColumnKind;
use ir::text::time::TimeFormat;
use ir::text::{category_key_f64, category_key_i64};
use quantiles::{Quantiles, ranks};
use std::fmt;

/// Values of all columns together that quantiles and counts may keep at their first level.
const MOST_VALUES: usize = 1 << 22;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// What is in a column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnSummary {
    /// Of numbers and times that have a finite value.
    pub spread: Option<Spread>,
    /// The most frequent values with the cells that hold them, most first, at most ten; ties in the order
    /// of the values. Long text is cut.
    pub frequent: Vec<(String, u64)>,
    /// True if the counts are exact and none is left out. Otherwise there were more different values than are counted:
    /// a count may be too low, and a value is listed only if it is certain to be more frequent than any that is not.
    pub frequent_exact: bool,
}

/// Where the finite values of a column lie.
///
/// A quartile is a value of the column: the one of rank `floor(p (n - 1))`, from 0. In tables of up to 128
/// columns it is exact up to 32,768 values, and of numbers up to 10,000 different ones; beyond, its rank is off
/// by less than 0.1 % of the values (in the widest tables: 1,024 and 2 %).
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// The smallest value.
    pub min: Value,
    /// A quarter, half and three quarters of the values are no larger.
    pub quartiles: [Value; 3],
    /// The largest value.
    pub max: Value,
    /// The mean; `None` if it is beyond the range of doubles.
    pub mean: Option<Value>,
    /// True if the quartiles are exact; all else is.
    pub exact: bool,
}

/// A value of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// A point in time, spelt as in the column; of a typed column `2026-01-31 12:30:00`, UTC.
    Time(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Int(value) => f.write_str(&category_key_i64(*value)),
            Value::Float(value) => f.write_str(&category_key_f64(*value)),
            Value::Time(text) => f.write_str(text),
        }
    }
}

/// The columns of a table, while its batches are seen.
pub struct Summaries(Vec<Look>);

impl Summaries {
    /// For the batches of the table that was profiled.
    pub fn new(profile: &TableProfile) -> Summaries {
        let share = MOST_VALUES / profile.columns.len().max(1);
        Summaries(profile.columns.iter().map(|column| Look::new(column, share)).collect())
    }

    /// Sees a batch; its columns are those of the profile.
    pub fn see(&mut self, batch: &RecordBatch) {
        for (look, array) in self.0.iter_mut().zip(batch.columns()) {
            look.see(array);
        }
    }

    /// What was seen, a column each.
    pub fn finish(self) -> Vec<ColumnSummary> {
        self.0.into_iter().map(Look::finish).collect()
    }
}

/// One column.
struct Look {
    scale: Scale,
    quantiles: Quantiles,
    sum: Sum,
    frequent: Frequent,
}

/// How values are ordered and spelt.
#[derive(Clone, Copy)]
enum Scale {
    Int,
    Float,
    /// Stored microseconds.
    Micros,
    /// Text in a format.
    Spelt(TimeFormat),
    /// No order.
    None,
}

impl Look {
    fn new(column: &ColumnProfile, share: usize) -> Look {
        let scale = match (column.kind, column.time_format) {
            (ColumnKind::Time, Some(format)) => Scale::Spelt(format),
            (ColumnKind::Time, None) => Scale::Micros,
            (ColumnKind::Number, _) if column.dtype == ir::DType::I64 => Scale::Int,
            (ColumnKind::Number, _) => Scale::Float,
            (ColumnKind::Category | ColumnKind::Text, _) => Scale::None,
        };
        let (quantiles, frequent) = (Quantiles::new(share), Frequent::new(share / 4));
        Look { scale, quantiles, sum: Sum::default(), frequent }
    }

    fn see(&mut self, array: &ArrayRef) {
        if let Some(values) = array.as_primitive_opt::<Int64Type>() {
            for value in values.iter().flatten() {
                self.quantiles.see(value);
                self.sum.add_int(value);
                self.frequent.see(ir::digest::mix(value.cast_unsigned()), || Seen::Key(value));
            }
        } else if let Some(values) = array.as_primitive_opt::<Float64Type>() {
            for value in values.iter().flatten() {
                // One zero.
                let key = float_key(value + 0.0);
                self.frequent.see(ir::digest::mix(key.cast_unsigned()), || Seen::Key(key));
                if value.is_finite() {
                    self.quantiles.see(key);
                    self.sum.add(value);
                }
            }
        } else if let Some(values) = array.as_string_opt::<i32>() {
            for text in values.iter().flatten() {
                let cell = trim(text.as_bytes());
                self.frequent.see(hash_bytes(cell), || Seen::text(text));
                if let Scale::Spelt(format) = self.scale
                    && let Some(micros) = format.parse(ir::text::category_key(text))
                {
                    self.quantiles.see(micros);
                    self.sum.add_int(micros);
                }
            }
        }
    }

    fn finish(self) -> ColumnSummary {
        let Look { scale, quantiles, sum, frequent } = self;
        let spell = |key: i64| match scale {
            Scale::Float => category_key_f64(float_of(key)),
            Scale::Micros => spell_micros(key),
            Scale::Int | Scale::Spelt(_) | Scale::None => category_key_i64(key),
        };
        let spread = spread(scale, &quantiles, &frequent, &sum);
        let frequent_exact = frequent.is_exact();
        ColumnSummary { spread, frequent: frequent.top(spell), frequent_exact }
    }
}

fn spread(scale: Scale, quantiles: &Quantiles, frequent: &Frequent, sum: &Sum) -> Option<Spread> {
    const QUARTERS: [f64; 3] = [0.25, 0.5, 0.75];
    let (min, max) = quantiles.ends()?;
    let (quartiles, exact) = match frequent.numbers() {
        Some(mut numbers) if !quantiles.is_exact() => {
            numbers.retain(|&(key, _)| (min..=max).contains(&key));
            (ranks(&numbers, QUARTERS), true)
        }
        _ => (quantiles.ranks(QUARTERS), quantiles.is_exact()),
    };
    let days_only = [min, max].iter().chain(&quartiles).all(|key| key % DAY == 0);
    let value = |key: i64| match scale {
        Scale::Int => Value::Int(key),
        Scale::Float => Value::Float(float_of(key)),
        Scale::Spelt(format) => Value::Time(format.write(key)),
        Scale::Micros | Scale::None => {
            let mut text = spell_micros(key);
            text.truncate(if days_only { text.find(' ').unwrap_or(text.len()) } else { text.len() });
            Value::Time(text)
        }
    };
    let mean = match scale {
        Scale::Int | Scale::Float => sum.mean().map(Value::Float),
        Scale::Spelt(_) | Scale::Micros | Scale::None => sum.whole_mean().map(value),
    };
    Some(Spread { min: value(min), quartiles: quartiles.map(value), max: value(max), mean, exact })
}

fn spell_micros(micros: i64) -> String {
    let mut text = String::new();
    TimeType::Point { per_second: 1_000_000, zoned: false }.spell(micros, &mut text);
    text
}

/// A whole number that orders as the double does; undone by [`float_of`].
fn float_key(value: f64) -> i64 {
    flip(value.to_bits().cast_signed())
}

fn float_of(key: i64) -> f64 {
    f64::from_bits(flip(key).cast_unsigned())
}

/// Turns all bits but the sign of what is negative.
fn flip(bits: i64) -> i64 {
    bits ^ (((bits >> 63).cast_unsigned() >> 1).cast_signed())
}

/// The sum of a column: of whole numbers exact, of others with the lost digits carried along.
/// # Source  Neumaier, ZAMM 1974.
#[derive(Default)]
struct Sum {
    n: u64,
    whole: i128,
    sum: f64,
    lost: f64,
}

impl Sum {
    fn add_int(&mut self, value: i64) {
        self.n += 1;
        // 2^64 values of 64 bits fit.
        self.whole += i128::from(value);
    }

    fn add(&mut self, value: f64) {
        self.n += 1;
        let sum = self.sum + value;
        self.lost +=
            if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
    }

    fn mean(&self) -> Option<f64> {
        let mean = (self.whole as f64 + self.sum + self.lost) / self.n as f64;
        mean.is_finite().then_some(mean)
    }

    fn whole_mean(&self) -> Option<i64> {
        i64::try_from(self.whole.checked_div_euclid(i128::from(self.n))?).ok()
    }
}

#[cfg(test)]
mod tests;
