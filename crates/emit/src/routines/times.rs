//! Points in time: the calendar in integers, and ways of writing them.

//: time_part_i64 needs _time_part
/// A part of microseconds since 1970-01-01 00:00 UTC; NaN where they are missing.
fn time_part_i64(out: &mut [f64], x: i64, is_missing: bool, part: i64) {
    out[0] = if is_missing { f64::NAN } else { _time_part(x, part) as f64 };
}

//: time_part_text needs _trim _time_part _time_parse
/// A part of the time that a text says in this pattern; NaN for another text and a missing one.
fn time_part_text(out: &mut [f64], text: Option<&[u8]>, pattern: &[u8], length: usize, part: i64) {
    let micros = text.and_then(|text| _time_parse(_trim(text), &pattern[..length]));
    out[0] = micros.map_or(f64::NAN, |micros| _time_part(micros, part) as f64);
}

//: _month_length
/// Days of a month from 1.
fn _month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

//: _months
const MONTHS: [&str; 12] = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
];

//: _time_part needs _month_length
/// A part of microseconds since 1970-01-01 00:00 UTC: these (0), year (1), month from 1 (2), day from 1 (3), weekday from
/// Monday (4), day of the year from 1 (5), hour (6), minute of the day (7), second (8).
fn _time_part(micros: i64, part: i64) -> i64 {
    const DAY: i64 = 86_400_000_000;
    let (days, second) = (micros.div_euclid(DAY), micros.rem_euclid(DAY) / 1_000_000);
    // Eras of 400 years from a first of March.
    let era = (days + 719_468).div_euclid(146_097);
    let of_era = (days + 719_468).rem_euclid(146_097);
    let of_year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let from_march = of_era - (365 * of_year + of_year / 4 - of_year / 100);
    let shifted = (5 * from_march + 2) / 153;
    let day = from_march - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = of_year + era * 400 + i64::from(month <= 2);
    match part {
        0 => micros,
        1 => year,
        2 => month,
        3 => day,
        4 => (days + 3).rem_euclid(7),
        5 => day + (1..month).map(|m| _month_length(year, m)).sum::<i64>(),
        6 => second / 3600,
        7 => second / 60,
        _ => second % 60,
    }
}

//: _digits
/// A number of `least..=most` digits, as many as there are.
fn _digits(rest: &mut &[u8], least: usize, most: usize) -> Option<i64> {
    let n = rest.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    if n < least {
        return None;
    }
    let (number, after) = rest.split_at(n);
    *rest = after;
    Some(number.iter().fold(0, |value, byte| value * 10 + i64::from(byte - b'0')))
}

/// As [`_digits`] of one or two, below a limit.
fn _digits_below(rest: &mut &[u8], limit: i64) -> Option<i64> {
    _digits(rest, 1, 2).filter(|&number| number < limit)
}

//: _month_name needs _months
/// The month, from 1, whose name or its first three letters stand there in any case.
fn _month_name(rest: &mut &[u8]) -> Option<i64> {
    let n = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (word, after) = rest.split_at(n);
    *rest = after;
    let is_word = |name: &str| {
        let name = name.as_bytes();
        word.eq_ignore_ascii_case(name) || word.eq_ignore_ascii_case(&name[..3])
    };
    MONTHS.iter().position(|name| is_word(name)).map(|place| place as i64 + 1)
}

//: _fraction
/// Microseconds of an optional fraction of up to nine digits.
fn _fraction(rest: &mut &[u8]) -> Option<i64> {
    if !matches!(rest.first(), Some(b'.' | b',')) {
        return Some(0);
    }
    let n = rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if n == 0 || n > 9 {
        return None;
    }
    let (number, after) = rest[1..].split_at(n);
    *rest = after;
    let digit = |i: usize| number.get(i).map_or(0, |byte| i64::from(byte - b'0'));
    Some((0..6).fold(0, |value, i| value * 10 + digit(i)))
}

//: _zone needs _digits
/// Microseconds east of UTC of an optional zone.
fn _zone(rest: &mut &[u8]) -> Option<i64> {
    let Some((&first, after)) = rest.split_first() else { return Some(0) };
    *rest = after;
    let sign = match first {
        b'Z' | b'z' => return Some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = _digits(rest, 2, 2).filter(|&hours| hours < 24)?;
    if let Some((b':', after)) = rest.split_first() {
        *rest = after;
    }
    let minutes =
        if rest.is_empty() { 0 } else { _digits(rest, 2, 2).filter(|&minutes| minutes < 60)? };
    Some(sign * (hours * 60 + minutes) * 60_000_000)
}

//: _time_parse needs _month_length _digits _month_name _fraction _zone
/// Microseconds since 1970-01-01 00:00 UTC of a text in a pattern: `Y` four digits of a year, `y` two, `m` month, `d` day,
/// `b` the name of a month, `H` `M` `S`, `f` a fraction, `z` a zone, else the character itself.
fn _time_parse(text: &[u8], pattern: &[u8]) -> Option<i64> {
    let mut rest = text;
    let (mut year, mut month, mut day, mut micros) = (1970, 1, 1, 0);
    for &token in pattern {
        match token {
            b'Y' => year = _digits(&mut rest, 4, 4)?,
            b'y' => {
                let short = _digits(&mut rest, 2, 2)?;
                year = if short >= 69 { 1900 + short } else { 2000 + short };
            }
            b'm' => month = _digits(&mut rest, 1, 2)?,
            b'd' => day = _digits(&mut rest, 1, 2)?,
            b'b' => month = _month_name(&mut rest)?,
            b'H' => micros += _digits_below(&mut rest, 24)? * 3_600_000_000,
            b'M' => micros += _digits_below(&mut rest, 60)? * 60_000_000,
            b'S' => micros += _digits_below(&mut rest, 60)? * 1_000_000,
            b'f' => micros += _fraction(&mut rest)?,
            b'z' => micros -= _zone(&mut rest)?,
            other => {
                let (&first, after) = rest.split_first()?;
                if first != other {
                    return None;
                }
                rest = after;
            }
        }
    }
    if !rest.is_empty() || !(1..=12).contains(&month) || !(1..=_month_length(year, month)).contains(&day) {
        return None;
    }
    // The year starts in March, so that the leap day is the last.
    let y = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (y.div_euclid(400), y.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400_000_000 + micros)
}

//: _time_write needs _time_part _months
/// All patterns in the order of their tags, each with its end.
const PATTERNS: &str = "Y-m-d|Y-m-d H:M|Y-m-d H:M:Sfz|Y-m-dTH:M|Y-m-dTH:M:Sfz|Y/m/d|Y/m/d H:M|Y/m/d H:M:Sfz|\
    d.m.Y|d.m.Y H:M|d.m.Y H:M:Sf|d/m/Y|d/m/Y H:M|d/m/Y H:M:Sf|m/d/Y|m/d/Y H:M|m/d/Y H:M:Sf|\
    d-m-Y|d-m-Y H:M|d-m-Y H:M:Sf|m-d-Y|d-b-Y|d-b-y|d b Y|d b Y H:M|d b Y H:M:Sf|b d, Y|b d Y|\
    m/d/y|m/d/y H:M|d/m/y|Y-m|b-Y|H:M|H:M:Sf|";

/// Writes decimal digits of a number, as many as there is place.
fn _decimal(out: &mut [u8], number: i64) -> usize {
    let mut left = number;
    for byte in out.iter_mut().rev() {
        *byte = b'0' + (left % 10) as u8;
        left /= 10;
    }
    out.len()
}

/// Writes a point in time in the format of a tag, at most 32 bytes; returns how many.
fn _time_write(out: &mut [u8], micros: i64, format: i64) -> usize {
    let mut at = 0;
    for token in PATTERNS.split('|').nth(format as usize).unwrap_or("").bytes() {
        let (part, width) = match token {
            b'Y' => (1, 4),
            b'y' => (1, 2),
            b'm' => (2, 2),
            b'd' => (3, 2),
            b'H' => (6, 2),
            b'M' => (7, 2),
            b'S' => (8, 2),
            b'f' => {
                let fraction = micros.rem_euclid(1_000_000);
                if fraction != 0 {
                    out[at] = b'.';
                    at += 1 + _decimal(&mut out[at + 1..at + 7], fraction);
                }
                continue;
            }
            b'b' => {
                let name = MONTHS[(_time_part(micros, 2) - 1) as usize].as_bytes();
                out[at..at + 3].copy_from_slice(&name[..3]);
                at += 3;
                continue;
            }
            other => {
                out[at] = if other == b'z' { b'Z' } else { other };
                at += 1;
                continue;
            }
        };
        let number = match (_time_part(micros, part), token) {
            (year, b'Y') => year.clamp(0, 9999),
            (year, b'y') => year.rem_euclid(100),
            (minute, b'M') => minute % 60,
            (number, _) => number,
        };
        at += _decimal(&mut out[at..at + width], number);
    }
    at
}
