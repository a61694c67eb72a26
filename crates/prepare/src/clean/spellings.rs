//! Categories that differ by case or blanks alone.

use ir::Column;
use std::collections::{BTreeMap, BTreeSet};

/// The form that keys of one meaning share: ASCII letters in lower case, words parted by one blank, where
/// ASCII blanks, `_` and `-` part words. Only ASCII letters are folded, as `ir::text` does.
pub(crate) fn folded(key: &str) -> String {
    key.split(|c: char| c.is_ascii_whitespace() || c == '_' || c == '-')
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
        .to_ascii_lowercase()
}

/// Groups of keys that are equal once folded; each group sorted, at least two.
pub fn spellings(chunks: &[Column<'_>]) -> Vec<Vec<String>> {
    let mut keys: BTreeSet<&str> = BTreeSet::new();
    for chunk in chunks {
        keys.extend((0..chunk.n_rows()).filter_map(|row| chunk.text(row)));
    }
    let groups = alike(keys).into_values();
    groups.map(|g| g.into_iter().map(str::to_owned).collect()).collect()
}

/// By folded form the keys that share it, at least two, in the order given.
pub(crate) fn alike<'a>(keys: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, Vec<&'a str>> {
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for key in keys {
        groups.entry(folded(key)).or_default().push(key);
    }
    // Keys of nothing but `_`, `-` and blanks have nothing in common.
    groups.retain(|form, group| group.len() > 1 && !form.is_empty());
    groups
}
