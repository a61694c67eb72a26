//! The most frequent values of a stream, counted in bounded memory.
//!
//! While there are no more different values than counters, counts are exact. Beyond that a value without a
//! counter takes one from every counter: each count is then too low by at most what was taken, and
//! so is that of every value without a counter. Values that stand in more than one of `cap` cells are
//! never lost.
//! # Source  Misra & Gries, Science of Computer Programming 1982.

use crate::error::short;
use crate::facts::Same;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// Most values that are told.
const TOLD: usize = 10;

/// Bounds of the counters of a column.
const MOST_COUNTERS: usize = 10_000;
const LEAST_COUNTERS: usize = 64;

/// A value, to be spelt when it is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seen {
    Key(i64),
    Text(Box<str>),
}

impl Seen {
    pub(super) fn text(cell: &str) -> Seen {
        Seen::Text(short(cell).into_boxed_str())
    }
}

/// Counters of values, by hash: two values of one 64-bit hash would count as one.
pub(super) struct Frequent {
    counters: HashMap<u64, (u64, Seen), BuildHasherDefault<Same>>,
    cap: usize,
    /// Taken from every counter so far.
    taken: u64,
}

impl Frequent {
    pub(super) fn new(share: usize) -> Frequent {
        let cap = share.clamp(LEAST_COUNTERS, MOST_COUNTERS);
        Frequent { counters: HashMap::default(), cap, taken: 0 }
    }

    #[inline]
    pub(super) fn see(&mut self, hash: u64, value: impl FnOnce() -> Seen) {
        if let Some((count, _)) = self.counters.get_mut(&hash) {
            *count += 1;
        } else if self.counters.len() < self.cap {
            self.counters.insert(hash, (1, value()));
        } else {
            self.taken += 1;
            self.counters.retain(|_, (count, _)| {
                *count -= 1;
                *count > 0
            });
        }
    }

    /// True if nothing was taken.
    pub(super) fn is_exact(&self) -> bool {
        self.taken == 0
    }

    /// Every different number with its count, by number, if the counts are exact.
    pub(super) fn numbers(&self) -> Option<Vec<(i64, u64)>> {
        let mut numbers = Vec::with_capacity(self.counters.len());
        for (count, value) in self.counters.values().filter(|_| self.is_exact()) {
            match value {
                Seen::Key(key) => numbers.push((*key, *count)),
                Seen::Text(_) => return None,
            }
        }
        numbers.sort_unstable();
        self.is_exact().then_some(numbers)
    }

    /// The most frequent values and their counts: those that are certain to be above all that are not told.
    pub(super) fn top(self, spell: impl Fn(i64) -> String) -> Vec<(String, u64)> {
        let taken = self.taken;
        let mut counted: Vec<(u64, Seen)> = self.counters.into_values().filter(|c| c.0 > taken).collect();
        counted.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        counted.truncate(TOLD);
        let spelt = |value| match value {
            Seen::Key(key) => spell(key),
            Seen::Text(text) => String::from(text),
        };
        counted.into_iter().map(|(count, value)| (spelt(value), count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(keys: impl Iterator<Item = i64>) -> Frequent {
        let mut frequent = Frequent::new(0);
        keys.for_each(|key| frequent.see(ir::digest::mix(key.cast_unsigned()), || Seen::Key(key)));
        frequent
    }

    #[test]
    fn few_values_are_exact() {
        let frequent = of((0..1_000).map(|i| i % 64 % 20));
        assert!(frequent.is_exact());
        let top = frequent.top(|key| key.to_string());
        assert_eq!(top.len(), TOLD);
        assert_eq!((&top[0], &top[1]), (&("0".into(), 62), &("1".into(), 62)));
    }

    #[test]
    fn of_many_values_the_frequent_ones_stay() {
        // Every third cell is 7, every sixth 8, the others are different.
        let keys = (0..60_000_i64).map(|i| match i % 6 {
            0 | 3 => 7,
            1 => 8,
            _ => 1_000 + i,
        });
        let frequent = of(keys);
        assert!(!frequent.is_exact());
        let top = frequent.top(|key| key.to_string());
        let names: Vec<&str> = top.iter().map(|t| t.0.as_str()).collect();
        assert_eq!(names, ["7", "8"]);
        // Too low by at most the cells over the counters.
        assert!((20_000 - 60_000 / 64..=20_000).contains(&top[0].1), "{top:?}");
        assert!(of(0..100_000).top(|key| key.to_string()).is_empty());
    }
}
