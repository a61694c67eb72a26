//! Which cells mean missing.
//!
//! A cell is missing if it is blank, or spelt exactly as one of the built-in markers `?`, `NA`,
//! `N/A`, `NaN`, `nan`, `null`, `None`, or as one that the user adds. Other cases (`none`, `NULL`)
//! are values. In columns that a file stores as numbers an added marker that is a number is
//! compared by value. (`nan` is what NumPy and C write; the design names `NaN` only.)

use crate::cell::{Number, trim};

/// The cells that mean missing.
#[derive(Clone, Debug, Default)]
pub struct Markers {
    extra: Vec<Vec<u8>>,
    /// Those of `extra` that are numbers.
    numbers: Vec<Number>,
}

impl Markers {
    /// The built-in markers and `extra`, which are trimmed like cells.
    pub fn new<S: AsRef<str>>(extra: &[S]) -> Markers {
        let extra: Vec<Vec<u8>> = extra.iter().map(|m| trim(m.as_ref().as_bytes()).to_vec()).collect();
        let numbers = extra.iter().filter_map(|m| Number::parse(m)).map(Number::whole).collect();
        Markers { extra, numbers }
    }

    /// True if `cell`, once trimmed, means missing.
    pub fn is_missing(&self, cell: &str) -> bool {
        self.is_missing_bytes(trim(cell.as_bytes()))
    }

    /// True if there are others than the built-in ones.
    pub(crate) fn has_extra(&self) -> bool {
        !self.extra.is_empty()
    }

    /// True if `number`, of a column that is stored as numbers, means missing: spelling is lost
    /// there, so a marker is compared by value.
    pub(crate) fn is_missing_number(&self, number: Number) -> bool {
        !self.numbers.is_empty() && self.numbers.contains(&number.whole())
    }

    /// True if `cell`, trimmed already, means missing.
    #[inline]
    pub(crate) fn is_missing_bytes(&self, cell: &[u8]) -> bool {
        match cell {
            [] => true,
            [b'N' | b'n' | b'?', ..] => self.is_marker(cell),
            _ => !self.extra.is_empty() && self.is_marker(cell),
        }
    }

    fn is_marker(&self, cell: &[u8]) -> bool {
        matches!(cell, b"?" | b"NA" | b"N/A" | b"NaN" | b"nan" | b"null" | b"None")
            || self.extra.iter().any(|m| m.as_slice() == cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_spellings() {
        let markers = Markers::new(&["-999", " unknown "]);
        for cell in
            ["", "  ", "?", " ? ", "NA", "N/A", "NaN", "nan", "null", "None", "-999", "unknown", "unknown\t"]
        {
            assert!(markers.is_missing(cell), "{cell:?}");
        }
        for cell in
            ["na", "none", "NULL", "NAN", "Nan", "n/a", "??", "-999.0", "0", "Unknown", "N", "Nothing"]
        {
            assert!(!markers.is_missing(cell), "{cell:?}");
        }
        assert!(!Markers::default().is_missing("-999"));
        assert!(
            markers.is_missing_number(Number::Float(-999.0)) && markers.is_missing_number(Number::Int(-999))
        );
        assert!(!markers.is_missing_number(Number::Int(999)) && markers.has_extra());
    }
}
