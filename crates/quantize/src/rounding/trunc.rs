//! `trunc`: to the next level towards zero; what a cast to an integer does.

use super::RoundingEntry;

/// The line of the table.
pub(super) static ENTRY: RoundingEntry = RoundingEntry {
    name: "trunc",
    aliases: &["truncate"],
    doc: "to the next level towards 0",
    spec: &[],
    round: |steps, _, _| steps.trunc(),
};
