//! What the first pass remembers of a column.
//!
//! Memory per column is bounded: counts, a few example cells, and the hashes of at most `cap`
//! different values, of 10,000 while all are numbers. Two values with one 64-bit hash would count as one; that is accepted, as
//! `n_distinct` guides people and the text rule only.

use crate::cell::{Number, is_blank, trim};
use crate::error::{BadCell, short};
use crate::markers::Markers;
use ir::digest::mix;
use ir::text::time::TimeFormat;
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// Most cells that an error shows.
pub(crate) const SHOWN: usize = 3;

/// Most different values kept as examples.
const EXAMPLES: usize = 5;

/// Most different values counted in a column of numbers: enough to tell codes from quantities.
const MOST_DISTINCT_NUMBERS: usize = 10_000;

/// Most different values counted in one column, and in all columns together.
const MOST_DISTINCT: usize = 100_000;
const MOST_DISTINCT_ALL: usize = 4_000_000;

/// Most different values counted in each of `n_columns` columns; at least 1,000.
pub(crate) fn distinct_cap(n_columns: usize) -> usize {
    (MOST_DISTINCT_ALL / n_columns.max(1)).clamp(1_000, MOST_DISTINCT)
}

/// Running facts of one column.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) n_missing: u64,
    pub(crate) n_ints: u64,
    pub(crate) n_floats: u64,
    pub(crate) n_infinite: u64,
    /// Cells that are there and are no numbers.
    pub(crate) n_texts: u64,
    /// Blank-separated words of all cells that are there; a number is one.
    pub(crate) n_words: u64,
    /// Formats of time that read every cell so far that is no number.
    pub(crate) times: Times,
    /// The first cell that no format reads as it reads all before.
    pub(crate) untimed: Option<BadCell>,
    /// The first cells that are no numbers.
    pub(crate) texts: Vec<BadCell>,
    /// The first different cells.
    pub(crate) examples: Vec<String>,
    pub(crate) distinct: Distinct,
}

impl Facts {
    pub(crate) fn new(distinct_cap: usize) -> Facts {
        Facts {
            n_missing: 0,
            n_ints: 0,
            n_floats: 0,
            n_infinite: 0,
            n_texts: 0,
            n_words: 0,
            times: Times::default(),
            untimed: None,
            texts: Vec::new(),
            examples: Vec::new(),
            distinct: Distinct::new(distinct_cap),
        }
    }

    /// Cells that are there.
    pub(crate) fn n_cells(&self) -> u64 {
        self.n_numbers() + self.n_texts
    }

    /// Cells that are numbers.
    pub(crate) fn n_numbers(&self) -> u64 {
        self.n_ints + self.n_floats
    }

    #[inline]
    pub(crate) fn see(&mut self, cell: &[u8], row: u64, markers: &Markers) {
        let cell = trim(cell);
        if markers.is_missing_bytes(cell) {
            self.n_missing += 1;
            return;
        }
        let spelt = || String::from_utf8_lossy(cell).into_owned();
        match Number::parse(cell) {
            Some(number) => {
                self.count_number(number, row, spelt);
                if !self.distinct.is_capped() {
                    let cap = if self.n_texts == 0 { MOST_DISTINCT_NUMBERS } else { usize::MAX };
                    self.see_hash(hash_number(number), cap, spelt);
                }
            }
            None => {
                self.count_text(cell, row);
                if !self.distinct.is_capped() {
                    self.see_hash(hash_bytes(cell), usize::MAX, spelt);
                }
            }
        }
    }

    /// Sees a cell that is text whatever it spells.
    #[inline]
    pub(crate) fn see_text(&mut self, cell: &[u8], row: u64, markers: &Markers) {
        let cell = trim(cell);
        if markers.is_missing_bytes(cell) {
            self.n_missing += 1;
            return;
        }
        self.count_text(cell, row);
        self.see_hash(hash_bytes(cell), usize::MAX, || String::from_utf8_lossy(cell).into_owned());
    }

    pub(crate) fn see_missing(&mut self) {
        self.n_missing += 1;
    }

    /// Sees a cell that is stored as a number; `spelt` is asked for examples only.
    #[inline]
    pub(crate) fn see_number(&mut self, number: Number, row: u64, spelt: impl Fn() -> String) {
        self.count_number(number, row, &spelt);
        if !self.distinct.is_capped() {
            self.see_hash(hash_number(number), MOST_DISTINCT_NUMBERS, spelt);
        }
    }

    #[inline]
    fn see_hash(&mut self, hash: u64, cap: usize, spelt: impl FnOnce() -> String) {
        if self.distinct.see(hash, cap) && self.examples.len() < EXAMPLES {
            self.examples.push(short(&spelt()));
        }
    }

    #[inline]
    fn count_text(&mut self, cell: &[u8], row: u64) {
        self.n_texts += 1;
        self.n_words += words(cell);
        if !self.times.see(cell) && self.untimed.is_none() {
            self.untimed = Some(BadCell { row, cell: short(&String::from_utf8_lossy(cell)) });
        }
        if self.texts.len() < SHOWN {
            let cell = short(&String::from_utf8_lossy(cell));
            self.texts.push(BadCell { row, cell });
        }
    }

    #[inline]
    fn count_number(&mut self, number: Number, row: u64, spelt: impl FnOnce() -> String) {
        self.n_words += 1;
        if self.n_numbers() == 0 && self.untimed.is_none() {
            self.untimed = Some(BadCell { row, cell: short(&spelt()) });
        }
        match number {
            Number::Int(_) => self.n_ints += 1,
            Number::Float(value) => {
                self.n_floats += 1;
                self.n_infinite += u64::from(value.is_infinite());
            }
        }
    }
}

/// Formats of time, one bit each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times(u64);

impl Default for Times {
    fn default() -> Times {
        Times(TimeFormat::all().fold(0, |bits, f| bits | 1 << f.tag()))
    }
}

impl Times {
    /// Keeps the formats that read the cell; false if none is left.
    #[inline]
    fn see(&mut self, cell: &[u8]) -> bool {
        if self.0 == 0 {
            return false;
        }
        let text = std::str::from_utf8(cell).unwrap_or_default();
        let left = self.0;
        for format in TimeFormat::all().filter(|f| left >> f.tag() & 1 == 1) {
            if format.parse(text).is_none() {
                self.0 &= !(1 << format.tag());
            }
        }
        self.0 != 0
    }

    /// The first format that read every cell.
    pub(crate) fn first(self) -> Option<TimeFormat> {
        TimeFormat::all().find(|f| self.0 >> f.tag() & 1 == 1)
    }
}

/// Counts different values up to a cap.
#[derive(Debug)]
pub(crate) struct Distinct {
    hashes: HashSet<u64, BuildHasherDefault<Same>>,
    cap: usize,
    n_seen: u64,
    last: Option<u64>,
    /// Values seen when the cap was passed.
    passed_after: Option<u64>,
}

impl Distinct {
    fn new(cap: usize) -> Distinct {
        Distinct { hashes: HashSet::default(), cap, n_seen: 0, last: None, passed_after: None }
    }

    /// Different values, at most the cap.
    pub(crate) fn count(&self) -> usize {
        self.hashes.len()
    }

    /// True if there are more than the cap.
    pub(crate) fn is_capped(&self) -> bool {
        self.passed_after.is_some()
    }

    /// True if more than half of the values seen are different from all before; if the cap was
    /// passed, of the values seen until then.
    pub(crate) fn is_most(&self) -> bool {
        let seen = self.passed_after.unwrap_or(self.n_seen);
        self.hashes.len() as u64 * 2 > seen
    }

    /// True if the value is new. `cap` lowers the cap of the column.
    #[inline]
    fn see(&mut self, hash: u64, cap: usize) -> bool {
        if self.passed_after.is_some() {
            return false;
        }
        self.n_seen += 1;
        if self.last == Some(hash) {
            return false;
        }
        self.last = Some(hash);
        if self.hashes.len() < self.cap.min(cap) {
            return self.hashes.insert(hash);
        }
        if !self.hashes.contains(&hash) {
            self.passed_after = Some(self.n_seen);
        }
        false
    }
}

/// The hash of a value that is a hash.
#[derive(Debug, Default)]
pub(crate) struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |h, &b| mix(h ^ u64::from(b)));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// Equal numbers have one hash, however they are spelt.
#[inline]
fn hash_number(number: Number) -> u64 {
    match number.whole() {
        Number::Int(value) => mix(value.cast_unsigned() ^ 0x9e37_79b9_7f4a_7c15),
        Number::Float(value) => mix(value.to_bits() ^ 0xd1b5_4a32_d192_ed03),
    }
}

#[inline]
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let (chunks, _) = bytes.as_chunks::<8>();
    let mut hash = (bytes.len() as u64).wrapping_mul(FACTOR);
    for &chunk in chunks {
        hash = (hash ^ u64::from_le_bytes(chunk)).wrapping_mul(FACTOR).rotate_left(31);
    }
    // The last bytes again, as one word; parts overlap where they must.
    let n = bytes.len();
    let end = match (bytes.last_chunk::<8>(), bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(&last), ..) => u64::from_le_bytes(last),
        (None, Some(&first), Some(&last)) => {
            u64::from(u32::from_le_bytes(first)) | u64::from(u32::from_le_bytes(last)) << 32
        }
        _ if n == 0 => 0,
        _ => u64::from(bytes[0]) | u64::from(bytes[n / 2]) << 8 | u64::from(bytes[n - 1]) << 16,
    };
    mix(hash ^ end)
}

/// Runs of bytes that are not blank, in a trimmed cell: one more than the blanks with another byte behind them.
#[inline]
fn words(cell: &[u8]) -> u64 {
    let mut n_words = u64::from(!cell.is_empty());
    let mut after_blank = false;
    for &byte in cell {
        let blank = is_blank(byte);
        n_words += u64::from(after_blank & !blank);
        after_blank = blank;
    }
    n_words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(cells: &[&str], cap: usize) -> Facts {
        let mut facts = Facts::new(cap);
        for (row, cell) in cells.iter().enumerate() {
            facts.see(cell.as_bytes(), row as u64 + 1, &Markers::default());
        }
        facts
    }

    #[test]
    fn counts() {
        let f = facts(&["1", " 1.0 ", "01", "", "?", "inf", "two words", "2.5", "a", "b", "c"], 100);
        assert_eq!((f.n_missing, f.n_ints, f.n_floats, f.n_infinite, f.n_texts), (2, 2, 3, 1, 4));
        assert_eq!(f.n_words, 10);
        assert_eq!(f.distinct.count(), 7);
        assert_eq!(f.examples, ["1", "inf", "two words", "2.5", "a"]);
        let shown: Vec<_> = f.texts.iter().map(|t| (t.row, t.cell.as_str())).collect();
        assert_eq!(shown, [(7, "two words"), (9, "a"), (10, "b")]);
    }

    #[test]
    fn the_cap_holds() {
        let cells: Vec<String> = (0..50).map(|i| format!("c{}", i % 20)).collect();
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let f = facts(&cells, 20);
        assert_eq!((f.distinct.count(), f.distinct.is_capped(), f.distinct.is_most()), (20, false, false));
        let f = facts(&cells, 19);
        assert_eq!((f.distinct.count(), f.distinct.is_capped(), f.distinct.is_most()), (19, true, true));
        assert_eq!(distinct_cap(10), 100_000);
        assert_eq!(distinct_cap(400), 10_000);
        assert_eq!(distinct_cap(20_000), 1_000);
    }

    #[test]
    fn hashes_differ() {
        let cells = ["", "a", "a\0", "aaaaaaaa", "aaaaaaaaa", "b", "12345678", "12345678\0"];
        for (cell, n_words) in [("", 0), ("a", 1), ("a b", 2), ("ab \t c  d", 3), ("é\u{a0}b", 1)] {
            assert_eq!(words(cell.as_bytes()), n_words, "{cell:?}");
        }
        let spelt = |i: u64| format!("{i:x}").repeat(1 + i as usize % 4);
        let many: HashSet<String> = (0..200_000).map(spelt).collect();
        let found: HashSet<u64> = (0..200_000).map(|i| hash_bytes(spelt(i).as_bytes())).collect();
        assert_eq!(found.len(), many.len());
        let hashes: HashSet<u64> = cells.iter().map(|c| hash_bytes(c.as_bytes())).collect();
        assert_eq!(hashes.len(), cells.len());
    }
}
