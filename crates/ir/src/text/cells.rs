//! Cells of a table as text: which are missing, and which number one spells.
//!
//! The plainest code that is right, for whoever has few cells or no Arrow (the browser); `data`, which reads whole files,
//! has a faster twin that is tested against it. Every function takes a trimmed cell (see [`super::category_key`]).

use super::{category_key_f64, category_key_i64};
use crate::DType;
use alloc::string::String;

/// Spellings that mean missing, beside the blank cell; other cases (`none`, `NULL`) are values.
pub const MISSING: &[&str] = &["?", "NA", "N/A", "NaN", "nan", "null", "None"];

/// True if a trimmed cell means missing: blank, one of [`MISSING`], or one of `extra`, which are trimmed too.
pub fn is_missing(cell: &str, extra: &[String]) -> bool {
    cell.is_empty() || MISSING.contains(&cell) || extra.iter().any(|m| super::category_key(m) == cell)
}

/// The number that a cell spells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Digits only, within 64 bits.
    Int(i64),
    /// Anything else; never NaN.
    Float(f64),
}

impl Number {
    /// The number of a trimmed cell: an optional sign, digits with at most one point, an optional exponent, or `inf` or
    /// `infinity` in any case. Not numbers: hexadecimal, `1_000`, `1,000`, `50%`, `nan`.
    pub fn parse(cell: &str) -> Option<Number> {
        // Both readers take exactly this, but for NaN.
        if let Ok(value) = cell.parse() {
            return Some(Number::Int(value));
        }
        cell.parse::<f64>().ok().filter(|value| !value.is_nan()).map(Number::Float)
    }

    /// The nearest double.
    pub fn to_f64(self) -> f64 {
        match self {
            Number::Int(value) => value as f64,
            Number::Float(value) => value,
        }
    }

    /// `Int` whenever the value is whole and fits; -0 is 0. Equal numbers have equal results.
    pub fn whole(self) -> Number {
        // 2^63, the first double that does not fit; `as` saturates and drops the fraction.
        const END: f64 = 9_223_372_036_854_775_808.0;
        match self {
            Number::Float(value) if value < END && (value as i64) as f64 == value => {
                Number::Int(value as i64)
            }
            other => other,
        }
    }

    /// The least whole number that is not below it, saturated to 64 bits: what an `I64` column binds (see
    /// [`crate::Input`]).
    pub fn ceil_i64(self) -> i64 {
        match self {
            Number::Int(value) => value,
            // `as` saturates and cuts the fraction off; a number below 2^53 that was cut has room for one more.
            Number::Float(value) => {
                let cut = value as i64;
                if (cut as f64) < value { cut.saturating_add(1) } else { cut }
            }
        }
    }
}

/// The category key of a trimmed cell in a column whose training cells were all numbers of `dtype`: the canonical
/// spelling of a number, `None` for a cell that is none.
pub fn number_key(cell: &str, dtype: DType) -> Option<String> {
    Some(match Number::parse(cell)? {
        Number::Int(value) if dtype == DType::I64 => category_key_i64(value),
        number => category_key_f64(number.to_f64()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn missing_cells() {
        let extra = ["-999".to_string(), " unknown ".to_string()];
        for cell in ["", "?", "NA", "N/A", "NaN", "nan", "null", "None", "-999", "unknown"] {
            assert!(is_missing(cell, &extra), "{cell:?}");
        }
        for cell in ["na", "none", "NULL", "NAN", "??", "-999.0", "0", "Unknown"] {
            assert!(!is_missing(cell, &extra), "{cell:?}");
        }
        assert!(!is_missing("-999", &[]));
    }

    #[test]
    fn numbers() {
        let int = |v| Some(Number::Int(v));
        let float = |v| Some(Number::Float(v));
        for (cell, expected) in [
            ("007", int(7)),
            ("+7", int(7)),
            ("-0", int(0)),
            ("9223372036854775807", int(i64::MAX)),
            ("9223372036854775808", float(9_223_372_036_854_775_808.0)),
            (".5", float(0.5)),
            ("5.", float(5.0)),
            ("-1e-3", float(-0.001)),
            ("-Infinity", float(f64::NEG_INFINITY)),
            ("1e999", float(f64::INFINITY)),
        ] {
            assert_eq!(Number::parse(cell), expected, "{cell}");
        }
        for cell in
            ["", "-", ".", "e5", "1e", "0x10", "1_000", "1,000", "50%", "nan", "-NaN", "1 2", "+-1", "in"]
        {
            assert_eq!(Number::parse(cell), None, "{cell}");
        }
    }

    #[test]
    fn whole_numbers_from_above() {
        for (number, expected) in [
            (1.2, 2),
            (-1.2, -1),
            (-0.5, 0),
            (1e300, i64::MAX),
            (f64::INFINITY, i64::MAX),
            (-1e300, i64::MIN),
            (4_503_599_627_370_495.5, 4_503_599_627_370_496),
        ] {
            assert_eq!(Number::Float(number).ceil_i64(), expected, "{number}");
        }
    }

    #[test]
    fn keys_of_numbers() {
        let key = |cell, dtype| number_key(cell, dtype);
        assert_eq!(key("007", DType::I64).as_deref(), Some("7"));
        assert_eq!(key("9007199254740993", DType::I64).as_deref(), Some("9007199254740993"));
        assert_eq!(key("9007199254740993", DType::F64).as_deref(), Some("9007199254740992"));
        assert_eq!(key("2.50", DType::F64).as_deref(), Some("2.5"));
        assert_eq!(key("x", DType::F64), None);
    }
}
