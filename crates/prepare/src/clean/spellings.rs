//! Categories that differ by case or blanks alone.

use ir::Column;
use std::collections::{BTreeMap, BTreeSet};

/// Groups of keys that are equal once case and blanks are folded; each group sorted, at least two.
/// Only ASCII letters are folded, as `ir::text` does.
pub fn spellings(chunks: &[Column<'_>]) -> Vec<Vec<String>> {
    let mut groups: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut keys: BTreeSet<&str> = BTreeSet::new();
    for chunk in chunks {
        keys.extend((0..chunk.n_rows()).filter_map(|row| chunk.text(row)));
    }
    for key in keys {
        let folded: String = key
            .split(|c: char| c.is_ascii_whitespace() || c == '_' || c == '-')
            .filter(|w| !w.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
            .to_ascii_lowercase();
        groups.entry(folded).or_default().insert(key);
    }
    let alike = groups.into_values().filter(|g| g.len() > 1);
    alike.map(|g| g.into_iter().map(str::to_owned).collect()).collect()
}
