//! One cell: its blanks and its number.
//!
//! A number is a decimal: an optional sign, digits with at most one point, an optional exponent;
//! or `inf` or `infinity` in any case, with an optional sign. Not numbers: hexadecimal, `1_000`,
//! `1,000`, `50%`, `nan`. Whole numbers that fit keep 64 bits; others are the nearest double.

use ir::DType;
use ir::text::{category_key_f64, category_key_i64};
use std::cmp::Ordering;

/// `cell` without the blanks that `ir::text::category_key` removes.
#[inline]
pub(crate) fn trim(cell: &[u8]) -> &[u8] {
    match cell {
        // Blanks are below `!`, and most cells begin and end with something else.
        [b'!'..=255, .., b'!'..=255] | [b'!'..=255] => cell,
        _ => trim_blanks(cell),
    }
}

fn trim_blanks(mut cell: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = cell {
        if !is_blank(*first) {
            break;
        }
        cell = rest;
    }
    while let [rest @ .., last] = cell {
        if !is_blank(*last) {
            break;
        }
        cell = rest;
    }
    cell
}

#[inline]
pub(crate) fn is_blank(byte: u8) -> bool {
    // Tab, line feed, vertical tab, form feed, carriage return.
    byte == b' ' || byte.wrapping_sub(b'\t') < 5
}

/// The number that a cell spells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// Digits only, within 64 bits.
    Int(i64),
    /// Anything else; never NaN.
    Float(f64),
}

impl Number {
    /// The number of a trimmed cell.
    #[inline(always)]
    pub(crate) fn parse(cell: &[u8]) -> Option<Number> {
        match scan_short(cell) {
            Some(number) => Some(number),
            None => Number::parse_any(cell),
        }
    }

    #[inline(never)]
    fn parse_any(cell: &[u8]) -> Option<Number> {
        match scan(cell) {
            Scan::Int(value) => Some(Number::Int(value)),
            Scan::Float(value) => Some(Number::Float(value)),
            Scan::Long => match parse_i64(cell) {
                Some(value) => Some(Number::Int(value)),
                None => parse_long(cell).map(Number::Float),
            },
            Scan::Other => None,
        }
    }

    #[inline]
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            // Rounds to nearest, as reading the digits as a double does.
            Number::Int(value) => value as f64,
            Number::Float(value) => value,
        }
    }

    /// `Int` whenever the value is whole and fits; -0 is 0. Equal numbers have equal results.
    #[inline]
    pub(crate) fn whole(self) -> Number {
        match self {
            Number::Float(value) => match exact_i64(value) {
                Some(whole) => Number::Int(whole),
                None => self,
            },
            Number::Int(_) => self,
        }
    }

    /// Order by value; of two that a double cannot tell apart the whole one is first.
    pub(crate) fn compare(self, other: Number) -> Ordering {
        match (self.whole(), other.whole()) {
            (Number::Int(a), Number::Int(b)) => a.cmp(&b),
            (a, b) => a.to_f64().total_cmp(&b.to_f64()).then_with(|| {
                let rank = |n| u8::from(matches!(n, Number::Float(_)));
                rank(a).cmp(&rank(b))
            }),
        }
    }
}

/// Digits with an optional sign, within 64 bits.
#[inline]
pub(crate) fn parse_i64(cell: &[u8]) -> Option<i64> {
    let (negative, digits) = match cell {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, cell),
    };
    if digits.is_empty() {
        return None;
    }
    // Eighteen digits cannot overflow; longer ones take the checked way.
    if digits.len() <= 18 {
        let mut value = 0_i64;
        for &byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value * 10 + i64::from(digit);
        }
        return Some(if negative { -value } else { value });
    }
    let mut value = 0_i64;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        let digit = i64::from(digit);
        let next = value.checked_mul(10)?;
        value = if negative { next.checked_sub(digit)? } else { next.checked_add(digit)? };
    }
    Some(value)
}

/// A decimal or an infinity; NaN is no number.
#[inline]
pub(crate) fn parse_f64(cell: &[u8]) -> Option<f64> {
    match scan_short(cell) {
        Some(number) => Some(number.to_f64()),
        None => parse_any_f64(cell),
    }
}

#[inline(never)]
fn parse_any_f64(cell: &[u8]) -> Option<f64> {
    match scan(cell) {
        Scan::Int(value) => Some(value as f64),
        Scan::Float(value) => Some(value),
        Scan::Long => parse_long(cell),
        Scan::Other => None,
    }
}

/// What a quick look at a cell finds.
#[derive(Debug, PartialEq)]
enum Scan {
    /// Digits only, at most 17.
    Int(i64),
    /// A decimal whose value is exact after one rounding.
    Float(f64),
    /// Perhaps a number, but not a short one.
    Long,
    /// No number.
    Other,
}

/// Powers of ten that doubles hold exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// The number of a decimal of at most 16 bytes, without looping over them: all bytes are one word,
/// a point is cut out of it, and pairs, fours and eights of digits are joined in turn.
/// `None` says nothing: [`scan`] decides.
/// # Source  Lemire, "Quickly parsing eight digits", 2018; Muła, "SIMD-ized conversion", 2014.
#[inline(always)]
fn scan_short(cell: &[u8]) -> Option<Number> {
    let (negative, digits) = match cell {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, cell),
    };
    let (value, n_behind) = match digits {
        // A point that is first is for the slow way, as is every letter.
        [b'0'..=b'9', ..] if digits.len() <= 8 => scan_8(digits)?,
        [b'0'..=b'9', ..] if digits.len() <= 16 => scan_16(digits)?,
        _ => return None,
    };
    Some(match n_behind {
        0 => Number::Int(if negative { -value } else { value }),
        _ => {
            let value = value as f64 / TENS[n_behind - 1];
            Number::Float(if negative { -value } else { value })
        }
    })
}

/// The digits of a decimal of at most 8 bytes, and one more than how many are behind the point;
/// 0 without a point. `None` for anything else.
#[inline(always)]
fn scan_8(cell: &[u8]) -> Option<(i64, usize)> {
    let n = cell.len();
    let word = match (cell.first_chunk::<4>(), cell.last_chunk::<4>()) {
        (Some(&first), Some(&last)) => {
            u64::from(u32::from_le_bytes(first)) | u64::from(u32::from_le_bytes(last)) << (8 * (n - 4))
        }
        // One to three bytes; parts overlap where they must.
        _ => {
            let at = |i: usize| u64::from(cell[i]) << (8 * i);
            at(0) | at(n / 2) | at(n - 1)
        }
    };
    if let Some(value) = eight_digits(word, n) {
        return Some((value, 0));
    }
    let point = find_point(word);
    if point >= n {
        return None;
    }
    let below = (1 << (8 * point)) - 1;
    let value = eight_digits((word & below) | (word >> 8 & !below), n - 1)?;
    Some((value, n - point))
}

/// As [`scan_8`], of 9 to 16 bytes whose digits are at most 2^53 if there is a point.
#[inline(always)]
fn scan_16(cell: &[u8]) -> Option<(i64, usize)> {
    const MOST_EXACT: i64 = 1 << 53;
    let n = cell.len();
    let (Some(&first), Some(&last)) = (cell.first_chunk::<8>(), cell.last_chunk::<8>()) else { return None };
    let (first, last) = (u64::from_le_bytes(first), u64::from_le_bytes(last));
    // `last` repeats the end of `first` but for words of 16 bytes.
    let n_more = n - 8;
    let start = if n == 16 { first } else { first & ((1 << (8 * n_more)) - 1) };
    if let (Some(start), Some(end)) = (eight_digits(start, n_more), eight_digits(last, 8)) {
        return Some((start * 100_000_000 + end, 0));
    }
    let word = u128::from(first) | u128::from(last) << (8 * n_more);
    let point = match find_point(first) {
        8 => n_more + find_point(last),
        point => point,
    };
    if point >= n {
        return None;
    }
    let below = (1_u128 << (8 * point)) - 1;
    let joined = (word & below) | (word >> 8 & !below);
    let end = (joined >> (8 * (n_more - 1))) as u64;
    let start =
        if n_more == 1 { 0 } else { eight_digits(joined as u64 & low_bytes(n_more - 1), n_more - 1)? };
    let value = start * 100_000_000 + eight_digits(end, 8)?;
    (value <= MOST_EXACT).then_some((value, n - point))
}

/// Ones in the lowest `n` bytes, 1 to 7.
#[inline]
fn low_bytes(n: usize) -> u64 {
    (1 << (8 * n)) - 1
}

/// The position of the first point, 8 if there is none.
#[inline(always)]
fn find_point(word: u64) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const TOPS: u64 = u64::from_le_bytes([0x80; 8]);
    let points = word ^ u64::from_le_bytes([b'.'; 8]);
    // The lowest zero byte is marked for certain; borrows may mark others above it.
    ((points.wrapping_sub(ONES) & !points & TOPS).trailing_zeros() / 8) as usize
}

/// The number of `n` digits, 1 to 8, one a byte, the first lowest, with zero bytes above.
#[inline(always)]
fn eight_digits(word: u64, n: usize) -> Option<i64> {
    const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
    let shift = 8 * (8 - n);
    // Digits end in the highest byte, and the bytes below the first are zero.
    let digits = (word ^ ZEROS) << shift;
    // A byte above 9 reaches its highest bit with 0x76 added, or has it already.
    let over = (digits.wrapping_add(u64::from_le_bytes([0x76; 8])) | digits) & u64::from_le_bytes([0x80; 8]);
    if over != 0 {
        return None;
    }
    let pairs = (digits.wrapping_mul(10) + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some(((fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff) as i64)
}

/// Reads digits with at most one point. At most 16 digits whose value is at most 2^53, divided by
/// an exact power of ten, is the nearest double, since the division is the only rounding.
/// # Source  Clinger, PLDI 1990, section 3 (the fast path).
#[inline]
fn scan(cell: &[u8]) -> Scan {
    const MOST_DIGITS: usize = 16;
    const MOST_EXACT: i64 = 1 << 53;
    let (negative, digits) = match cell {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, cell),
    };
    match digits {
        [b'0'..=b'9' | b'.', ..] => {}
        [b'i' | b'I', ..] => return Scan::Long,
        _ => return Scan::Other,
    }
    if digits.len() > MOST_DIGITS + 1 {
        return Scan::Long;
    }
    let mut value = 0_i64;
    let mut point = None;
    for (at, &byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            value = value * 10 + i64::from(digit);
        } else if byte == b'.' && point.is_none() {
            point = Some(at);
        } else if matches!(byte, b'e' | b'E') {
            return Scan::Long;
        } else {
            return Scan::Other;
        }
    }
    let Some(point) = point else {
        if digits.len() > MOST_DIGITS {
            return Scan::Long;
        }
        return Scan::Int(if negative { -value } else { value });
    };
    match TENS.get(digits.len() - point - 1) {
        Some(tens) if digits.len() > 1 && value <= MOST_EXACT => {
            let value = value as f64 / tens;
            Scan::Float(if negative { -value } else { value })
        }
        _ => Scan::Long,
    }
}

/// Every spelling that is a number, slowly.
#[cold]
fn parse_long(cell: &[u8]) -> Option<f64> {
    let value: f64 = std::str::from_utf8(cell).ok()?.parse().ok()?;
    (!value.is_nan()).then_some(value)
}

/// The whole number that `value` is, if it fits.
#[inline]
fn exact_i64(value: f64) -> Option<i64> {
    // 2^63, the first double that does not fit; `as` saturates and drops the fraction.
    const END: f64 = 9_223_372_036_854_775_808.0;
    let whole = value as i64;
    (whole as f64 == value && value < END).then_some(whole)
}

/// The least whole number that is not below `value`, saturated to 64 bits; `None` for NaN.
/// Compares with every whole number as `value` does (but for those beyond 64 bits).
#[inline]
pub(crate) fn ceil_i64(value: f64) -> Option<i64> {
    // `as` from a float saturates.
    (!value.is_nan()).then_some(value.ceil() as i64)
}

/// The category key of a trimmed cell in a column whose training cells were all numbers of
/// `dtype`: the canonical spelling of a number, `None` for a cell that is none.
pub(crate) fn number_key(cell: &[u8], dtype: DType) -> Option<String> {
    if dtype == DType::I64
        && let Some(value) = parse_i64(cell)
    {
        return Some(category_key_i64(value));
    }
    parse_f64(cell).map(category_key_f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::text::category_key;

    #[test]
    fn trims_as_keys_do() {
        for text in ["", " ", " a b\t", "\u{a0}x ", "\r\nx\u{b}\u{c}", "é ", "\u{2003}", "a"] {
            assert_eq!(trim(text.as_bytes()), category_key(text).as_bytes(), "{text:?}");
        }
    }

    #[test]
    fn numbers() {
        let int = |v| Some(Number::Int(v));
        let float = |v| Some(Number::Float(v));
        for (cell, expected) in [
            ("0", int(0)),
            ("-0", int(0)),
            ("+7", int(7)),
            ("007", int(7)),
            ("-12", int(-12)),
            ("999999999999999999", int(999_999_999_999_999_999)),
            ("9223372036854775807", int(i64::MAX)),
            ("-9223372036854775808", int(i64::MIN)),
            ("0000000000000000000000005", int(5)),
            ("9223372036854775808", float(9_223_372_036_854_775_808.0)),
            ("1.5", float(1.5)),
            (".5", float(0.5)),
            ("5.", float(5.0)),
            ("-1e-3", float(-0.001)),
            ("1E5", float(1e5)),
            ("inf", float(f64::INFINITY)),
            ("-inf", float(f64::NEG_INFINITY)),
            ("Infinity", float(f64::INFINITY)),
            ("-Infinity", float(f64::NEG_INFINITY)),
            ("1e999", float(f64::INFINITY)),
        ] {
            assert_eq!(Number::parse(cell.as_bytes()), expected, "{cell}");
        }
        for cell in [
            "",
            "-",
            "+",
            ".",
            "e5",
            "1e",
            "0x10",
            "1_000",
            "1,000",
            "50%",
            "nan",
            "-nan",
            "NaN",
            "1 2",
            "--1",
            "+-1",
            "in",
            "i",
            "infinit",
            "١",
            "1é",
            "12345678901234567890123x",
        ] {
            assert_eq!(Number::parse(cell.as_bytes()), None, "{cell}");
        }
    }

    /// The quick way and the standard library agree on every shape of short decimal.
    #[test]
    fn short_decimals_are_exact() {
        let mut state = 1_u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let digits = (state >> 32) % 19 + 1;
            let mut text = (state % 10_u64.pow(u32::try_from(digits).unwrap())).to_string();
            let point = usize::try_from(state >> 59).unwrap() % (text.len() + 1);
            text.insert(point, '.');
            if state & 1 == 1 {
                text.insert(0, '-');
            }
            let expected: f64 = text.parse().unwrap();
            assert_eq!(parse_f64(text.as_bytes()).map(f64::to_bits), Some(expected.to_bits()), "{text}");
        }
    }

    /// The way without loops and the one with them agree on every short cell of few characters.
    #[test]
    fn short_cells_are_scanned_alike() {
        let mut state = 1_u64;
        let mut n_short = 0;
        for round in 0..400_000_u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let alphabet: &[u8] = match round % 4 {
                0 => b"0123456789",
                1 => b"0123456789012345678901234567890123456789.",
                2 => b"0123456789./:-+e\x00\xff ,",
                _ => b"90.",
            };
            let len = usize::try_from(state >> 59).unwrap() % 20;
            let mut bits = ir::digest::mix(state);
            let cell: Vec<u8> = (0..len)
                .map(|_| {
                    bits = ir::digest::mix(bits);
                    alphabet[usize::try_from(bits >> 32).unwrap() % alphabet.len()]
                })
                .collect();
            let text = String::from_utf8_lossy(&cell);
            match (scan_short(&cell), scan(&cell)) {
                (Some(Number::Int(short)), Scan::Int(value)) => assert_eq!(short, value, "{text:?}"),
                (Some(Number::Float(short)), Scan::Float(value)) => {
                    assert_eq!(short.to_bits(), value.to_bits(), "{text:?}");
                }
                (short, other) => assert_eq!(short, None, "{text:?}: {other:?}"),
            }
            n_short += u32::from(scan_short(&cell).is_some());
        }
        // Half of the alphabets make numbers, three of four lengths are short.
        assert!(n_short > 100_000, "{n_short}");
    }

    #[test]
    fn ceilings() {
        for (value, expected) in [
            (1.0, 1),
            (1.2, 2),
            (-1.2, -1),
            (-0.5, 0),
            (1e300, i64::MAX),
            (f64::NEG_INFINITY, i64::MIN),
            (f64::INFINITY, i64::MAX),
        ] {
            assert_eq!(ceil_i64(value), Some(expected), "{value}");
        }
        assert_eq!(ceil_i64(f64::NAN), None);
    }

    #[test]
    fn order_and_equality() {
        let n = |text: &str| Number::parse(text.as_bytes()).unwrap();
        assert_eq!(n("1").whole(), n("1.0").whole());
        assert_eq!(n("-0.0").whole(), n("0").whole());
        let mut cells =
            vec!["inf", "10", "9.5", "9", "-inf", "9223372036854775808", "9223372036854775807", "-1e3"];
        cells.sort_by(|a, b| n(a).compare(n(b)));
        assert_eq!(
            cells,
            ["-inf", "-1e3", "9", "9.5", "10", "9223372036854775807", "9223372036854775808", "inf"]
        );
    }

    #[test]
    fn keys_of_numbers() {
        for (cell, dtype, expected) in [
            ("007", DType::I64, Some("7")),
            ("2.0", DType::I64, Some("2")),
            ("2.50", DType::F64, Some("2.5")),
            ("2", DType::F64, Some("2")),
            ("-0.0", DType::F64, Some("0")),
            ("9007199254740993", DType::I64, Some("9007199254740993")),
            ("a", DType::I64, None),
        ] {
            assert_eq!(number_key(cell.as_bytes(), dtype).as_deref(), expected, "{cell}");
        }
    }

    /// `ir::text::cells` says the same in the plainest code.
    #[test]
    fn cells_are_what_ir_says() {
        use crate::markers::Markers;
        use ir::text::cells::{self, is_missing};
        let extra = ["-999".to_owned(), "7e1".to_owned()];
        let markers = Markers::new(&extra);
        let check = |cell: &str| {
            let ours = Number::parse(cell.as_bytes());
            let plain = cells::Number::parse(cell).map(|number| match number {
                cells::Number::Int(value) => Number::Int(value),
                cells::Number::Float(value) => Number::Float(value),
            });
            let bits = |n: Option<Number>| n.map(|n| (matches!(n, Number::Int(_)), n.to_f64().to_bits()));
            assert_eq!((ours, bits(ours)), (plain, bits(plain)), "{cell:?}");
            let ceil = cells::Number::parse(cell).map(cells::Number::ceil_i64);
            let to_i64 = ours.and_then(|number| match number {
                Number::Int(value) => Some(value),
                Number::Float(value) => ceil_i64(value),
            });
            assert_eq!(to_i64, ceil, "{cell:?}");
            for dtype in [DType::I64, DType::F64] {
                let key = number_key(cell.as_bytes(), dtype);
                assert_eq!(key, cells::number_key(cell, dtype), "{cell:?} {dtype}");
            }
            assert_eq!(markers.is_missing_bytes(cell.as_bytes()), is_missing(cell, &extra), "{cell:?}");
        };
        for cell in cells::MISSING {
            check(cell);
        }
        for cell in [
            "-999",
            "-999.0",
            "7e1",
            "70",
            "inf",
            "+inf",
            "-Infinity",
            "infinit",
            "nan",
            "1e999",
            "9223372036854775808",
        ] {
            check(cell);
        }
        let mut random = ir::digest::SplitMix64::new(1);
        let letters = b"0123456789012345678900..--++eEiInfaN?_ ";
        for _ in 0..100_000 {
            let n = random.below(22);
            let cell: String =
                (0..n).map(|_| char::from(letters[random.below(letters.len() as u32) as usize])).collect();
            check(trimmed(&cell));
        }
    }

    fn trimmed(cell: &str) -> &str {
        std::str::from_utf8(trim(cell.as_bytes())).unwrap()
    }
}
