//! `TimePart`: the calendar in whole numbers, as the model computes it, so exact.

use super::codes::missing;
use super::step::Step;
use super::time_texts;
use crate::error::Error;
use ir::DType;
use ir::op::TimePart;
use ir::text::time::Part;

pub(super) fn time_part(s: &mut Step<'_>, op: TimePart) -> Result<String, Error> {
    let x = s.input(0)?;
    let (micros, is_there) = match op.format {
        Some(format) => time_texts::read(s, &x, format),
        None => {
            let is_missing = missing(s, &x, true);
            let is_there = s.w.op("Not", &[&is_missing]);
            (x, is_there)
        }
    };
    let part = part(s, &micros, op.part);
    let part = s.w.cast(&part, DType::F64);
    let nan = s.w.double(f64::NAN);
    Ok(s.w.op("Where", &[&is_there, &part, &nan]))
}

/// Whole numbers by constants, in the notation of the formulas.
pub(super) struct Whole<'s, 'e> {
    pub(super) s: &'s mut Step<'e>,
}

impl Whole<'_, '_> {
    fn with(&mut self, op: &str, x: &str, constant: i64) -> String {
        let constant = self.s.w.int(constant);
        self.s.w.op(op, &[x, &constant])
    }

    pub(super) fn plus(&mut self, x: &str, constant: i64) -> String {
        self.with("Add", x, constant)
    }

    pub(super) fn times(&mut self, x: &str, constant: i64) -> String {
        self.with("Mul", x, constant)
    }

    pub(super) fn modulo(&mut self, x: &str, constant: i64) -> String {
        self.with("Mod", x, constant)
    }

    /// Rounded down.
    pub(super) fn over(&mut self, x: &str, constant: i64) -> String {
        let constant = self.s.w.int(constant);
        self.s.w.floor_divide(x, &constant)
    }

    /// Rounded down, for numbers that may be near the least `int64`, where `x - x mod d` is none.
    fn over_any(&mut self, x: &str, constant: i64) -> String {
        let (divisor, zero) = (self.s.w.int(constant), self.s.w.int(0));
        let cut = self.s.w.op("Div", &[x, &divisor]);
        let whole = self.s.w.op("Mul", &[&cut, &divisor]);
        let rest = self.less(x, &whole);
        let is_below = self.s.w.op("Less", &[&rest, &zero]);
        let is_below = self.s.w.cast(&is_below, DType::I64);
        self.less(&cut, &is_below)
    }

    pub(super) fn sum(&mut self, a: &str, b: &str) -> String {
        self.s.w.op("Add", &[a, b])
    }

    pub(super) fn less(&mut self, a: &str, b: &str) -> String {
        self.s.w.op("Sub", &[a, b])
    }

    /// 1 where `x` is at most the constant, else 0.
    pub(super) fn at_most(&mut self, x: &str, constant: i64) -> String {
        let constant = self.s.w.int(constant);
        let is = self.s.w.op("LessOrEqual", &[x, &constant]);
        self.s.w.cast(&is, DType::I64)
    }
}

/// The part of microseconds since 1970-01-01 00:00 UTC.
/// # Source  As [`ir::text::time::civil`].
fn part(s: &mut Step<'_>, micros: &str, part: Part) -> String {
    const DAY: i64 = 86_400_000_000;
    let mut w = Whole { s };
    if part == Part::Moment {
        return micros.to_string();
    }
    if matches!(part, Part::Hour | Part::DayMinute | Part::Second) {
        let of_day = w.modulo(micros, DAY);
        let seconds = w.over(&of_day, 1_000_000);
        return match part {
            Part::Hour => w.over(&seconds, 3600),
            Part::DayMinute => w.over(&seconds, 60),
            _ => w.modulo(&seconds, 60),
        };
    }
    let days = w.over_any(micros, DAY);
    if part == Part::Weekday {
        let shifted = w.plus(&days, 3);
        return w.modulo(&shifted, 7);
    }
    let z = w.plus(&days, 719_468);
    let (era, of_era) = (w.over(&z, 146_097), w.modulo(&z, 146_097));
    // (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365
    let (a, b, c) = (w.over(&of_era, 1460), w.over(&of_era, 36_524), w.over(&of_era, 146_096));
    let sum = w.less(&of_era, &a);
    let sum = w.sum(&sum, &b);
    let sum = w.less(&sum, &c);
    let year_of_era = w.over(&sum, 365);
    // of_era - (365 year_of_era + year_of_era / 4 - year_of_era / 100)
    let (a, b, c) = (w.times(&year_of_era, 365), w.over(&year_of_era, 4), w.over(&year_of_era, 100));
    let sum = w.sum(&a, &b);
    let sum = w.less(&sum, &c);
    let from_march = w.less(&of_era, &sum);
    // (5 from_march + 2) / 153, in which March is 0.
    let shifted = w.times(&from_march, 5);
    let shifted = w.plus(&shifted, 2);
    let shifted = w.over(&shifted, 153);
    let month = {
        let month = w.plus(&shifted, 2);
        let month = w.modulo(&month, 12);
        w.plus(&month, 1)
    };
    if part == Part::Month {
        return month;
    }
    if part == Part::Day {
        // from_march - (153 shifted + 2) / 5 + 1
        let before = w.times(&shifted, 153);
        let before = w.plus(&before, 2);
        let before = w.over(&before, 5);
        let day = w.less(&from_march, &before);
        return w.plus(&day, 1);
    }
    let year = w.times(&era, 400);
    let year = w.sum(&year, &year_of_era);
    let is_early = w.at_most(&month, 2);
    let year = w.sum(&year, &is_early);
    if part == Part::Year {
        return year;
    }
    // The day of the year: days from March, of which January begins at 306, else behind January and February.
    let early = w.plus(&from_march, -305);
    let late = w.plus(&from_march, 60);
    let leap = leap_day(&mut w, &year);
    let late = w.sum(&late, &leap);
    let one = w.s.w.int(1);
    let is_early = w.s.w.op("Equal", &[&is_early, &one]);
    w.s.w.op("Where", &[&is_early, &early, &late])
}

/// 1 in years with a 29th of February, else 0.
pub(super) fn leap_day(w: &mut Whole<'_, '_>, year: &str) -> String {
    let zero = w.s.w.int(0);
    let [four, hundred, four_hundred] = [4, 100, 400].map(|n| {
        let rest = w.modulo(year, n);
        let is = w.s.w.op("Equal", &[&rest, &zero]);
        w.s.w.cast(&is, DType::I64)
    });
    let leap = w.less(&four, &hundred);
    w.sum(&leap, &four_hundred)
}
