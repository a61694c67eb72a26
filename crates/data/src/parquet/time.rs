//! Dates, times of day and points in time: their microseconds and their spelling.
//!
//! Whatever the unit, the value is microseconds since 1970-01-01 00:00 UTC; a finer part is dropped
//! downwards. A zone changes nothing: Parquet stores UTC. A time of day is one of 1970-01-01.
//! Spellings are those that `ir::text::time` reads: `2026-01-31`, `2026-01-31 12:30:00.5`, the same
//! with `Z` behind it where the column has a zone, `12:30:00.5`.

use arrow_schema::{DataType, TimeUnit};
use ir::text::time::civil;
use std::fmt::Write;

/// What a column of times holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeType {
    /// Days.
    Date,
    /// Milliseconds of which only the day counts.
    DateMillis,
    /// A point in time.
    Point { per_second: i64, zoned: bool },
    /// A time of day.
    OfDay { per_second: i64 },
}

const MICROS: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;

impl TimeType {
    pub(super) fn of(data_type: &DataType) -> Option<TimeType> {
        match data_type {
            DataType::Date32 => Some(TimeType::Date),
            DataType::Date64 => Some(TimeType::DateMillis),
            DataType::Timestamp(unit, zone) => {
                Some(TimeType::Point { per_second: per_second(*unit), zoned: zone.is_some() })
            }
            DataType::Time32(unit) | DataType::Time64(unit) => {
                Some(TimeType::OfDay { per_second: per_second(*unit) })
            }
            _ => None,
        }
    }

    /// Microseconds since 1970, or `None` if they do not fit 64 bits.
    pub(super) fn micros(self, value: i64) -> Option<i64> {
        match self {
            TimeType::Date => value.checked_mul(DAY_SECONDS * MICROS),
            TimeType::DateMillis => value.checked_mul(MICROS / 1_000),
            TimeType::Point { per_second, .. } | TimeType::OfDay { per_second } => {
                if per_second > MICROS {
                    Some(value.div_euclid(per_second / MICROS))
                } else {
                    value.checked_mul(MICROS / per_second)
                }
            }
        }
    }

    pub(crate) fn spell(self, value: i64, text: &mut String) {
        let (per_second, is_date, is_of_day, zone) = match self {
            TimeType::Date => return date(value, text),
            TimeType::DateMillis => (1_000, true, false, ""),
            TimeType::Point { per_second, zoned } => (per_second, false, false, if zoned { "Z" } else { "" }),
            TimeType::OfDay { per_second } => (per_second, false, true, ""),
        };
        let (seconds, fraction) = (value.div_euclid(per_second), value.rem_euclid(per_second));
        let (day, second) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));
        if !is_of_day {
            date(day, text);
        }
        if is_date {
            return;
        }
        let gap = if is_of_day { "" } else { " " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{gap}{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
        if fraction != 0 {
            let digits = (per_second + fraction).to_string();
            let _ = write!(text, ".{}", digits[1..].trim_end_matches('0'));
        }
        text.push_str(zone);
    }
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => MICROS,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Days beyond what microseconds can count are spelt as a number of days.
fn date(day: i64, text: &mut String) {
    let _ = match day.checked_mul(DAY_SECONDS * MICROS) {
        Some(micros) => {
            let civil = civil(micros);
            write!(text, "{:04}-{:02}-{:02}", civil.year, civil.month, civil.day)
        }
        None => write!(text, "day {day}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::text::time::TimeFormat;

    #[test]
    fn spellings_read_back() {
        let point = |per_second, zoned| TimeType::Point { per_second, zoned };
        for (kind, value, spelt, micros) in [
            (TimeType::Date, 0, "1970-01-01", 0),
            (TimeType::Date, -1, "1969-12-31", -86_400_000_000),
            (TimeType::DateMillis, 86_400_000, "1970-01-02", 86_400_000_000),
            (point(1, false), 61, "1970-01-01 00:01:01", 61_000_000),
            (point(1_000, false), -1, "1969-12-31 23:59:59.999", -1_000),
            (point(1_000_000, true), 1_500_000, "1970-01-01 00:00:01.5Z", 1_500_000),
            (point(1_000_000_000, true), 1_001, "1970-01-01 00:00:00.000001001Z", 1),
            (point(1_000_000_000, false), -1, "1969-12-31 23:59:59.999999999", -1),
            (TimeType::OfDay { per_second: 1_000 }, 3_723_004, "01:02:03.004", 3_723_004_000),
            (TimeType::OfDay { per_second: 1 }, 0, "00:00:00", 0),
        ] {
            let mut text = String::new();
            kind.spell(value, &mut text);
            assert_eq!((text.as_str(), kind.micros(value)), (spelt, Some(micros)));
            assert!(TimeFormat::all().any(|format| format.parse(spelt) == Some(micros)), "{spelt}");
        }
        assert_eq!(point(1, false).micros(i64::MAX), None);
        let mut text = String::new();
        point(1, false).spell(i64::MAX, &mut text);
        assert_eq!(text, "day 106751991167300 15:30:07");
    }
}
