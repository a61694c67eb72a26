//! How many made rows start from each row.
//!
//! It stands apart because members of two families share out a number of made rows, and rounding must lose none of
//! them.

/// A row, and how many made rows start from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) row: u32,
    /// Above zero.
    pub(crate) n_made: usize,
}

/// Shares `wanted` made rows out to rows by what each counts, in whole numbers: each gets its exact part rounded up
/// or down, all together exactly `wanted`, those that are rounded up evenly spread. None where nothing counts.
/// O(rows).
pub(crate) fn shared_out(rows: &[(u32, u64)], wanted: usize) -> Vec<Start> {
    let total: u64 = rows.iter().map(|r| r.1).sum();
    if total == 0 {
        return Vec::new();
    }
    let mut starts = Vec::new();
    let (mut counted, mut given) = (0u64, 0usize);
    for &(row, counts) in rows {
        counted += counts;
        let upto = (u128::from(counted) * wanted as u128 / u128::from(total)) as usize;
        if upto > given {
            starts.push(Start { row, n_made: upto - given });
        }
        given = upto;
    }
    starts
}

/// [`shared_out`] among rows that count alike.
pub(crate) fn evenly(rows: &[u32], wanted: usize) -> Vec<Start> {
    shared_out(&rows.iter().map(|&row| (row, 1)).collect::<Vec<_>>(), wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_computed() {
        let pairs = |starts: Vec<Start>| starts.iter().map(|s| (s.row, s.n_made)).collect::<Vec<_>>();
        assert_eq!(pairs(evenly(&[4, 7, 9], 7)), [(4, 2), (7, 2), (9, 3)]);
        assert_eq!(pairs(evenly(&[4, 7, 9, 11], 2)), [(7, 1), (11, 1)]);
        assert_eq!(pairs(shared_out(&[(4, 0), (7, 2), (9, 1)], 3)), [(7, 2), (9, 1)]);
        assert!(shared_out(&[(4, 0), (7, 0)], 3).is_empty());
        assert!(evenly(&[], 3).is_empty());
        assert!(evenly(&[4], 0).is_empty());
    }
}
