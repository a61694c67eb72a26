//! Which cells mean missing.
//!
//! A cell is missing if it is blank, or spelt exactly as one of the built-in markers `?`, `NA`,
//! `N/A`, `NaN`, `nan`, `null`, `None`, or as one that the user adds. Other cases (`none`, `NULL`)
//! are values. (`nan` is what NumPy and C write; the design names `NaN` only.)

use crate::cell::trim;

/// The cells that mean missing.
#[derive(Clone, Debug, Default)]
pub struct Markers {
    extra: Vec<Vec<u8>>,
}

impl Markers {
    /// The built-in markers and `extra`, which are trimmed like cells.
    pub fn new<S: AsRef<str>>(extra: &[S]) -> Markers {
        let extra = extra.iter().map(|m| trim(m.as_ref().as_bytes()).to_vec()).collect();
        Markers { extra }
    }

    /// True if `cell`, once trimmed, means missing.
    pub fn is_missing(&self, cell: &str) -> bool {
        self.is_missing_bytes(trim(cell.as_bytes()))
    }

    /// True if `cell`, trimmed already, means missing.
    #[inline]
    pub(crate) fn is_missing_bytes(&self, cell: &[u8]) -> bool {
        let built_in = match cell {
            [] | b"?" => true,
            [b'N' | b'n', ..] => {
                matches!(cell, b"NA" | b"N/A" | b"NaN" | b"nan" | b"null" | b"None")
            }
            _ => false,
        };
        built_in || (!self.extra.is_empty() && self.extra.iter().any(|m| m.as_slice() == cell))
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
    }
}
