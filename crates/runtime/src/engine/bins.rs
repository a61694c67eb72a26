//! Numbers to codes by branch-free binary search.

use ir::fixed::key_f64;
use ir::forest::MISSING;
use ir::{Column, ColumnData, TensorData};

/// The edges of a column as sorted integer keys, padded to a power of two less one.
#[derive(Clone, Debug)]
pub(crate) struct Bins {
    keys: alloc::vec::Vec<i64>,
}

impl Bins {
    /// From the constant of a `Bin` node.
    pub(crate) fn new(edges: &TensorData) -> Option<Bins> {
        let mut keys: alloc::vec::Vec<i64> = match edges {
            TensorData::F64(v) => v.iter().map(|&e| key_f64(e)).collect(),
            TensorData::I64(v) => v.clone(),
            _ => return None,
        };
        // No key is greater than the largest, so the padding is never counted.
        keys.resize((keys.len() + 1).next_power_of_two() - 1, i64::MAX);
        Some(Bins { keys })
    }

    /// Steps of a search.
    pub(crate) fn n_steps(&self) -> usize {
        (self.keys.len() + 1).ilog2() as usize
    }

    /// Number of edges that the key is greater than.
    #[inline]
    fn rank(&self, key: i64) -> u8 {
        let mut rank = 0usize;
        for bit in (0..self.n_steps()).rev() {
            // Loop invariant: the answer is in rank..rank + 2 * step. The comparison is shifted, since compilers make a
            // branch of a choice, and half of its guesses would be wrong.
            let step = 1 << bit;
            rank += usize::from(self.keys[rank + step - 1] < key) << bit;
        }
        rank as u8
    }

    /// The code of a number that is there.
    #[inline]
    pub(crate) fn code(&self, number: f64) -> u8 {
        self.rank(key_f64(number))
    }

    /// Codes of a column of the edges' dtype.
    pub(crate) fn codes_into(&self, column: &Column<'_>, out: &mut [u8]) {
        match column.data() {
            ColumnData::F64(values) => {
                for (code, &v) in out.iter_mut().zip(values) {
                    let rank = self.rank(key_f64(v));
                    *code = if v.is_nan() { MISSING } else { rank };
                }
            }
            ColumnData::I64(values) => {
                for (code, &v) in out.iter_mut().zip(values) {
                    *code = self.rank(v);
                }
            }
            // The plan has compared dtypes.
            _ => out.fill(MISSING),
        }
        if !column.all_valid() {
            for (row, code) in out.iter_mut().enumerate() {
                if !column.is_valid(row) {
                    *code = MISSING;
                }
            }
        }
    }
}
