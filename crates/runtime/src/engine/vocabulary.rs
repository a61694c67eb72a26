//! Terms to ids by a hash table that is built once a plan.
//!
//! The table holds places only; the terms stand in the constant of the node, so a plan holds them once.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use ir::text::fnv1a32;

const EMPTY: u32 = u32::MAX;

/// Open addressing over the terms of a `Tokens` node, at most half full.
#[derive(Clone, Debug)]
pub(crate) struct Vocabulary {
    slots: Vec<u32>,
}

impl Vocabulary {
    /// The table of these terms, which are at most 2^20.
    pub(crate) fn new(terms: &[String]) -> Vocabulary {
        let n_slots = (2 * terms.len() + 2).next_power_of_two();
        let mut slots = vec![EMPTY; n_slots];
        for (i, term) in terms.iter().enumerate() {
            let mut at = fnv1a32(term.as_bytes()) as usize & (n_slots - 1);
            while slots[at] != EMPTY {
                at = (at + 1) & (n_slots - 1);
            }
            slots[at] = i as u32;
        }
        Vocabulary { slots }
    }

    /// The place of a term among those that the table was made of.
    pub(crate) fn find(&self, terms: &[String], term: &str) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut at = fnv1a32(term.as_bytes()) as usize & mask;
        loop {
            match self.slots[at] {
                EMPTY => return None,
                i if terms.get(i as usize).is_some_and(|t| t == term) => return Some(i as usize),
                _ => at = (at + 1) & mask,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_is_found_and_no_other() {
        for n in [0, 1, 2, 3, 1000] {
            let terms: Vec<String> = (0..n).map(|i| alloc::format!("t{i}")).collect();
            let table = Vocabulary::new(&terms);
            for (i, term) in terms.iter().enumerate() {
                assert_eq!(table.find(&terms, term), Some(i));
            }
            for other in ["", "t", "t1000", "T0", "t0 "] {
                assert_eq!(table.find(&terms, other), None, "{other} of {n}");
            }
        }
    }
}
