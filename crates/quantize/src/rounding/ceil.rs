//! `ceil`: to the next level above.

use super::RoundingEntry;

/// The line of the table.
pub(super) static ENTRY: RoundingEntry = RoundingEntry {
    name: "ceil",
    aliases: &["up"],
    doc: "to the next level above",
    spec: &[],
    round: |steps, _, _| steps.ceil(),
};
