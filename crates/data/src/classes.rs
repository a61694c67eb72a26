//! Finding a class by the cell that names it.
//!
//! A cell that is a number names the class of that number, however both are spelt (`1`, `1.0`,
//! `1e0`); any other cell names the class of the same text.

use crate::cell::{Number, trim};
use std::collections::HashMap;

/// Classes by name.
#[derive(Clone, Debug, Default)]
pub struct Classes {
    names: Vec<String>,
    numbers: HashMap<NumberKey, u32>,
    texts: HashMap<String, u32>,
}

impl Classes {
    /// The classes of a model, in class order. Of two that name the same the first is found.
    pub fn new<S: AsRef<str>>(names: &[S]) -> Classes {
        let mut classes = Classes::default();
        for name in names {
            let name = name.as_ref();
            let idx = u32::try_from(classes.names.len()).unwrap_or(u32::MAX);
            match Number::parse(trim(name.as_bytes())) {
                Some(number) => {
                    classes.numbers.entry(number_key(number)).or_insert(idx);
                }
                None => {
                    let text = String::from(ir::text::category_key(name));
                    classes.texts.entry(text).or_insert(idx);
                }
            }
            classes.names.push(String::from(name));
        }
        classes
    }

    /// Names in class order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The class that a cell names; the cell is trimmed.
    pub fn find(&self, cell: &str) -> Option<u32> {
        let cell = ir::text::category_key(cell);
        match Number::parse(cell.as_bytes()) {
            Some(number) => self.numbers.get(&number_key(number)).copied(),
            None => self.texts.get(cell).copied(),
        }
    }

    /// The class that a cell names, which becomes a new one if there is none.
    pub(crate) fn find_or_add(&mut self, cell: &str) -> u32 {
        if let Some(idx) = self.find(cell) {
            return idx;
        }
        let cell = ir::text::category_key(cell);
        let idx = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        match Number::parse(cell.as_bytes()) {
            Some(number) => self.numbers.insert(number_key(number), idx),
            None => self.texts.insert(String::from(cell), idx),
        };
        self.names.push(String::from(cell));
        idx
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum NumberKey {
    Whole(i64),
    Bits(u64),
}

fn number_key(number: Number) -> NumberKey {
    match number.whole() {
        Number::Int(value) => NumberKey::Whole(value),
        Number::Float(value) => NumberKey::Bits(value.to_bits()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_by_number_or_text() {
        let classes = Classes::new(&["1", "2.50", "a b", "inf"]);
        for (cell, expected) in [
            ("1", Some(0)),
            (" 1.0 ", Some(0)),
            ("1e0", Some(0)),
            ("2.5", Some(1)),
            ("a b\t", Some(2)),
            ("Infinity", Some(3)),
            ("2", None),
            ("A b", None),
            ("", None),
        ] {
            assert_eq!(classes.find(cell), expected, "{cell:?}");
        }
    }
}
