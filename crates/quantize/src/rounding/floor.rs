//! `floor`: to the next level below.

use super::RoundingEntry;

/// The line of the table.
pub(super) static ENTRY: RoundingEntry = RoundingEntry {
    name: "floor",
    aliases: &["down"],
    doc: "to the next level below",
    spec: &[],
    round: |steps, _, _| steps.floor(),
};
