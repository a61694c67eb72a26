//! Text as the model sees it, specified to the byte.
//!
//! A category's key is its trimmed text; numbers are spelt in one canonical way, so that a CSV
//! and a Parquet column of the same numbers bind alike.

pub mod cells;
pub mod parts;
pub mod time;
pub mod tokens;

use alloc::format;
use alloc::string::String;

/// FNV-1a, 32 bits: `h = (h ^ byte) * 16777619`, from 2166136261.
/// # Source  Fowler, Noll, Vo; draft-eastlake-fnv-17.
pub fn fnv1a32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |h, &b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193))
}

/// The key of a text category: blanks at both ends removed (space, tab, line feed, vertical tab,
/// form feed, carriage return; no other character counts as blank).
pub fn category_key(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// Space, tab, line feed, vertical tab, form feed, carriage return.
fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | ' ')
}

/// The key of a number used as a category: the shortest decimal that reads back to the same value,
/// whole numbers without a point, never with an exponent; -0 is spelt `0`.
pub fn category_key_f64(value: f64) -> String {
    if value == 0.0 {
        return String::from("0");
    }
    format!("{value}")
}

/// The key of a whole number used as a category: its decimal digits.
pub fn category_key_i64(value: i64) -> String {
    format!("{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for (input, expected) in [(" a b\t", "a b"), ("", ""), ("\u{a0}x", "\u{a0}x"), ("\r\nx", "x")] {
            assert_eq!(category_key(input), expected);
        }
        for (input, expected) in
            [(1.0, "1"), (-0.0, "0"), (0.1, "0.1"), (-2.5, "-2.5"), (1e21, "1000000000000000000000")]
        {
            assert_eq!(category_key_f64(input), expected);
        }
        assert_eq!(category_key_i64(-7), "-7");
    }

    #[test]
    fn fnv_published_vectors() {
        assert_eq!(fnv1a32(b""), 0x811c9dc5);
        assert_eq!(fnv1a32(b"a"), 0xe40c292c);
        assert_eq!(fnv1a32(b"foobar"), 0xbf9cf968);
    }
}
