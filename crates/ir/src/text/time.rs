//! Points in time, specified to the byte: a closed list of formats, and the calendar in integers.
//!
//! A format is chosen once, at fit, as the first of the list that reads every cell; the model stores
//! it. Times become microseconds since 1970-01-01 00:00 UTC; a time without zone counts as UTC.

use alloc::format;
use alloc::string::String;

/// A way of writing a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeFormat(u8);

/// Patterns, by tag. `Y` four digits, `y` two digits (69 to 99 are 19xx), `m` `d` `H` `M` `S` one or
/// two digits, `b` an English month (three letters or whole, any case), `f` an optional fraction of
/// up to nine digits behind `.` or `,`, `z` an optional zone (`Z`, `+hh`, `+hhmm`, `+hh:mm`); every
/// other character is itself. Tags are part of the file format: the list only grows at its end.
const PATTERNS: &[&str] = &[
    "Y-m-d",
    "Y-m-d H:M",
    "Y-m-d H:M:Sfz",
    "Y-m-dTH:M",
    "Y-m-dTH:M:Sfz",
    "Y/m/d",
    "Y/m/d H:M",
    "Y/m/d H:M:Sfz",
    "d.m.Y",
    "d.m.Y H:M",
    "d.m.Y H:M:Sf",
    "d/m/Y",
    "d/m/Y H:M",
    "d/m/Y H:M:Sf",
    "m/d/Y",
    "m/d/Y H:M",
    "m/d/Y H:M:Sf",
    "d-m-Y",
    "d-m-Y H:M",
    "d-m-Y H:M:Sf",
    "m-d-Y",
    "d-b-Y",
    "d-b-y",
    "d b Y",
    "d b Y H:M",
    "d b Y H:M:Sf",
    "b d, Y",
    "b d Y",
    "m/d/y",
    "m/d/y H:M",
    "d/m/y",
    "Y-m",
    "b-Y",
    "H:M",
    "H:M:Sf",
];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

impl TimeFormat {
    /// Every format, in the order in which they are tried.
    pub fn all() -> impl Iterator<Item = TimeFormat> {
        (0..PATTERNS.len() as u8).map(TimeFormat)
    }

    /// The tag in the file.
    pub fn tag(self) -> u8 {
        self.0
    }

    /// The format of a tag.
    pub fn from_tag(tag: u8) -> Option<TimeFormat> {
        (usize::from(tag) < PATTERNS.len()).then_some(TimeFormat(tag))
    }

    /// The pattern, as people may read it.
    pub fn pattern(self) -> &'static str {
        PATTERNS[usize::from(self.0)]
    }

    /// Microseconds since 1970-01-01 00:00 UTC, or `None` for any other text: a date that exists in no
    /// calendar, a part out of range, characters left over. 24:00 and leap seconds do not exist.
    pub fn parse(self, text: &str) -> Option<i64> {
        let mut rest = text.as_bytes();
        let (mut year, mut month, mut day) = (1970i64, 1i64, 1i64);
        let mut micros = 0i64;
        for token in self.pattern().bytes() {
            match token {
                b'Y' => year = digits(&mut rest, 4, 4)?,
                b'y' => {
                    let short = digits(&mut rest, 2, 2)?;
                    year = if short >= 69 { 1900 + short } else { 2000 + short };
                }
                b'm' => month = digits(&mut rest, 1, 2)?,
                b'd' => day = digits(&mut rest, 1, 2)?,
                b'b' => month = month_name(&mut rest)?,
                b'H' => micros += below(digits(&mut rest, 1, 2)?, 24)? * 3_600_000_000,
                b'M' => micros += below(digits(&mut rest, 1, 2)?, 60)? * 60_000_000,
                b'S' => micros += below(digits(&mut rest, 1, 2)?, 60)? * 1_000_000,
                b'f' => micros += fraction(&mut rest)?,
                b'z' => micros -= zone(&mut rest)?,
                other => {
                    let (first, after) = rest.split_first()?;
                    if *first != other {
                        return None;
                    }
                    rest = after;
                }
            }
        }
        let days = days_from_civil(year, month, day)?;
        rest.is_empty().then(|| days * DAY + micros)
    }

    /// Writes a point in time, UTC; what the pattern does not say is lost. Years outside 0 to 9999
    /// are written as the nearer of the two.
    pub fn write(self, micros: i64) -> String {
        let c = civil(micros);
        let mut text = String::new();
        for token in self.pattern().bytes() {
            let (number, width) = match token {
                b'Y' => (c.year.clamp(0, 9999), 4),
                b'y' => (c.year.rem_euclid(100), 2),
                b'm' => (c.month, 2),
                b'd' => (c.day, 2),
                b'H' => (c.hour, 2),
                b'M' => (c.minute, 2),
                b'S' => (c.second, 2),
                b'f' => {
                    let fraction = micros.rem_euclid(1_000_000);
                    if fraction != 0 {
                        text.push_str(&format!(".{fraction:06}"));
                    }
                    continue;
                }
                b'b' => {
                    let name = MONTHS.get((c.month - 1) as usize).copied().unwrap_or("jan");
                    text.push_str(&name[..3]);
                    continue;
                }
                b'z' => {
                    text.push('Z');
                    continue;
                }
                other => {
                    text.push(char::from(other));
                    continue;
                }
            };
            text.push_str(&format!("{number:0width$}"));
        }
        text
    }
}

/// What is taken out of a point in time, as a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Microseconds since 1970-01-01 00:00 UTC: before and after.
    Moment,
    /// Year.
    Year,
    /// Month, 1 to 12.
    Month,
    /// Day of the month, 1 to 31.
    Day,
    /// Day of the week, Monday is 0.
    Weekday,
    /// Day of the year, 1 to 366.
    YearDay,
    /// Hour, 0 to 23.
    Hour,
    /// Minute of the day, 0 to 1439.
    DayMinute,
    /// Second of the minute, 0 to 59.
    Second,
}

impl Part {
    /// Every part, from the longest to the shortest.
    pub const ALL: &'static [Part] = &[
        Part::Moment,
        Part::Year,
        Part::Month,
        Part::Day,
        Part::Weekday,
        Part::YearDay,
        Part::Hour,
        Part::DayMinute,
        Part::Second,
    ];

    /// Name as printed and stored.
    pub fn name(self) -> &'static str {
        match self {
            Part::Moment => "moment",
            Part::Year => "year",
            Part::Month => "month",
            Part::Day => "day",
            Part::Weekday => "weekday",
            Part::YearDay => "year_day",
            Part::Hour => "hour",
            Part::DayMinute => "day_minute",
            Part::Second => "second",
        }
    }

    /// The part of a name.
    pub fn parse(name: &str) -> Option<Part> {
        Part::ALL.iter().copied().find(|p| p.name() == name)
    }

    /// The part of microseconds since 1970-01-01 00:00 UTC.
    pub fn of(self, micros: i64) -> i64 {
        let c = civil(micros);
        match self {
            Part::Moment => micros,
            Part::Year => c.year,
            Part::Month => c.month,
            Part::Day => c.day,
            Part::Weekday => c.weekday,
            Part::YearDay => c.day_of_year,
            Part::Hour => c.hour,
            Part::DayMinute => c.hour * 60 + c.minute,
            Part::Second => c.second,
        }
    }
}

/// A number of `least..=most` digits, as many as there are.
fn digits(rest: &mut &[u8], least: usize, most: usize) -> Option<i64> {
    let n = rest.iter().take(most).take_while(|b| b.is_ascii_digit()).count();
    if n < least {
        return None;
    }
    let (number, after) = rest.split_at(n);
    *rest = after;
    Some(number.iter().fold(0, |v, b| v * 10 + i64::from(b - b'0')))
}

fn below(value: i64, limit: i64) -> Option<i64> {
    (value < limit).then_some(value)
}

fn month_name(rest: &mut &[u8]) -> Option<i64> {
    let n = rest.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let (word, after) = rest.split_at(n);
    let known = |name: &str| {
        let name = name.as_bytes();
        word.eq_ignore_ascii_case(name) || word.eq_ignore_ascii_case(&name[..3])
    };
    let at = MONTHS.iter().position(|m| known(m))?;
    *rest = after;
    Some(at as i64 + 1)
}

/// Microseconds of an optional fraction; digits beyond the sixth are dropped.
fn fraction(rest: &mut &[u8]) -> Option<i64> {
    if !matches!(rest.first(), Some(b'.' | b',')) {
        return Some(0);
    }
    *rest = &rest[1..];
    let n = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    if n == 0 || n > 9 {
        return None;
    }
    let (number, after) = rest.split_at(n);
    *rest = after;
    Some((0..6).fold(0, |v, i| v * 10 + number.get(i).map_or(0, |b| i64::from(b - b'0'))))
}

/// Microseconds east of UTC of an optional zone.
fn zone(rest: &mut &[u8]) -> Option<i64> {
    let sign = match rest.first() {
        None => return Some(0),
        Some(b'Z' | b'z') => {
            *rest = &rest[1..];
            return Some(0);
        }
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(_) => return None,
    };
    *rest = &rest[1..];
    let hours = below(digits(rest, 2, 2)?, 24)?;
    if rest.first() == Some(&b':') {
        *rest = &rest[1..];
    }
    let minutes = if rest.is_empty() { 0 } else { below(digits(rest, 2, 2)?, 60)? };
    Some(sign * (hours * 60 + minutes) * 60_000_000)
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar, or `None` if there is none such.
/// # Source  Hinnant, chrono-compatible low-level date algorithms, 2013: `days_from_civil`.
pub fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(0..=9999).contains(&year) || !(1..=12).contains(&month) || day < 1 || day > month_length(year, month)
    {
        return None;
    }
    // The year starts in March, so that the leap day is the last.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

fn month_length(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A point in time by the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Year.
    pub year: i64,
    /// Month, from 1.
    pub month: i64,
    /// Day of the month, from 1.
    pub day: i64,
    /// Day of the week, Monday is 0.
    pub weekday: i64,
    /// Day of the year, from 1.
    pub day_of_year: i64,
    /// Hour.
    pub hour: i64,
    /// Minute.
    pub minute: i64,
    /// Second.
    pub second: i64,
}

/// The calendar's view of microseconds since 1970-01-01 00:00 UTC.
/// # Source  Hinnant, as above: `civil_from_days`.
pub fn civil(micros: i64) -> Civil {
    let days = micros.div_euclid(DAY);
    let of_day = micros.rem_euclid(DAY) / 1_000_000;
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let from_march = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * from_march + 2) / 153;
    let day = from_march - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let before: i64 = (1..month).map(|m| month_length(year, m)).sum();
    Civil {
        year,
        month,
        day,
        weekday: (days + 3).rem_euclid(7),
        day_of_year: before + day,
        hour: of_day / 3600,
        minute: of_day / 60 % 60,
        second: of_day % 60,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pattern: &str, text: &str) -> Option<i64> {
        TimeFormat::all().find(|f| f.pattern() == pattern).unwrap().parse(text)
    }

    #[test]
    fn known_moments() {
        let cases = [
            ("Y-m-d", "1970-01-01", Some(0)),
            ("Y-m-d", "2000-02-29", Some(11_016 * DAY)),
            ("Y-m-d", "1900-02-29", None),
            ("Y-m-d", "2001-13-01", None),
            ("Y-m-d", "2001-04-31", None),
            ("Y-m-d", "2001-04-30x", None),
            ("Y-m-dTH:M:Sfz", "2026-11-21T00:00:00Z", Some(1_795_219_200_000_000)),
            ("Y-m-dTH:M:Sfz", "1970-01-01T01:00:00.5+01:00", Some(500_000)),
            ("Y-m-d H:M:Sfz", "1969-12-31 23:59:59,999999-00", Some(-1)),
            ("Y-m-d H:M", "1970-01-01 24:00", None),
            ("d-b-y", "31-Dec-69", Some(-DAY)),
            ("d-b-y", "1-JAN-70", Some(0)),
            ("d b Y", "2 January 1970", Some(DAY)),
            ("b d, Y", "Jan 2, 1970", Some(DAY)),
            ("m/d/Y", "1/2/1970", Some(DAY)),
            ("d/m/Y", "2/1/1970", Some(DAY)),
            ("H:M:Sf", "00:00:01", Some(1_000_000)),
            ("b-Y", "Feb-1970", Some(31 * DAY)),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(parse(pattern, text), expected, "{pattern}: {text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        let mut last = None;
        for days in -80_000..80_000 {
            let c = civil(days * DAY + 3_723_000_000);
            assert_eq!(days_from_civil(c.year, c.month, c.day), Some(days));
            assert_eq!((c.hour, c.minute, c.second), (1, 2, 3));
            if let Some(weekday) = last {
                assert_eq!(c.weekday, (weekday + 1) % 7);
            }
            last = Some(c.weekday);
        }
        // 1970-01-01 was a Thursday.
        assert_eq!(civil(0).weekday, 3);
        assert_eq!(civil(59 * DAY).day_of_year, 60);
    }

    #[test]
    fn what_is_written_reads_back() {
        for format in TimeFormat::all() {
            for micros in [0, 1_795_219_200_000_000, 951_782_400_123_456, -86_400_000_000 * 200] {
                let text = format.write(micros);
                let read = format.parse(&text).unwrap();
                assert_eq!(format.write(read), text, "{}", format.pattern());
            }
        }
        assert_eq!(parse("Y-m-dTH:M:Sfz", "2000-02-29T00:00:00.123456Z"), Some(951_782_400_123_456));
        assert_eq!(Part::Weekday.of(0), 3);
        assert_eq!(Part::DayMinute.of(3_723_000_000), 62);
        for part in Part::ALL {
            assert_eq!(Part::parse(part.name()), Some(*part));
        }
    }

    #[test]
    fn formats_keep_their_tags() {
        assert_eq!(TimeFormat::from_tag(0).unwrap().pattern(), "Y-m-d");
        assert_eq!(TimeFormat::from_tag(34).unwrap().pattern(), "H:M:Sf");
        assert!(TimeFormat::from_tag(35).is_none());
        for f in TimeFormat::all() {
            assert_eq!(TimeFormat::from_tag(f.tag()), Some(f));
        }
    }
}
