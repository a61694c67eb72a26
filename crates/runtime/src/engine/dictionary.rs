//! Categories to codes by a hash table that is built once a plan.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use ir::Column;
use ir::forest::MISSING;
use ir::text::fnv1a32;

const EMPTY: u16 = u16::MAX;

/// Open addressing over the keys of a `Codes` node, at most half full.
#[derive(Clone, Debug)]
pub(crate) struct Dictionary {
    keys: Vec<String>,
    slots: Vec<u16>,
    unseen: u8,
}

impl Dictionary {
    pub(crate) fn new(keys: &[String], unseen: u8) -> Dictionary {
        let n_slots = (2 * keys.len() + 2).next_power_of_two();
        let mut slots = vec![EMPTY; n_slots];
        for (i, key) in keys.iter().enumerate() {
            let mut at = fnv1a32(key.as_bytes()) as usize & (n_slots - 1);
            while slots[at] != EMPTY {
                at = (at + 1) & (n_slots - 1);
            }
            slots[at] = i as u16;
        }
        Dictionary { keys: keys.to_vec(), slots, unseen }
    }

    fn code(&self, key: &str) -> u8 {
        let mask = self.slots.len() - 1;
        let mut at = fnv1a32(key.as_bytes()) as usize & mask;
        loop {
            match self.slots[at] {
                EMPTY => return self.unseen,
                i if self.keys[usize::from(i)] == key => return i as u8,
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Codes of a text column.
    pub(crate) fn codes_into(&self, column: &Column<'_>, out: &mut [u8]) {
        for (row, code) in out.iter_mut().enumerate() {
            *code = column.text(row).map_or(MISSING, |key| self.code(key));
        }
    }
}
