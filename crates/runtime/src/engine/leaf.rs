//! Leaves of several values, as vectors take them: each is filled up with zeros, so that no value is added by itself.

use alloc::vec::Vec;

/// Values that are added at once; one where the program has to be short.
pub(super) const WIDE: usize = if cfg!(target_arch = "wasm32") { 1 } else { 8 };

/// Places that a leaf of so many values takes.
pub(super) fn stride(width: usize) -> usize {
    if width == 1 { 1 } else { width.next_multiple_of(WIDE) }
}

/// Leaves `[n, width]` as `[n, stride]`.
pub(super) fn strided(leaves: &[i32], width: usize) -> Vec<i32> {
    if WIDE == 1 {
        return leaves.to_vec();
    }
    let mut made = Vec::with_capacity(leaves.len() / width * stride(width));
    for leaf in leaves.chunks_exact(width) {
        made.extend(leaf);
        made.resize(made.len() + stride(width) - width, 0);
    }
    made
}

/// Adds a leaf of `width` values to the scores from a place on. Scores behind it, which the zeros are added to, may be
/// those of another row.
#[inline(always)]
pub(super) fn add(scores: &mut [i32], at: usize, leaf: &[i32], width: usize) {
    // No closures: they would be compiled for any machine.
    if width == 1 {
        scores[at] += leaf[0];
    } else if WIDE > 1
        && let Some(scores) = scores.get_mut(at..at + leaf.len())
    {
        let (scores, _) = scores.as_chunks_mut::<WIDE>();
        let (leaf, _) = leaf.as_chunks::<WIDE>();
        for (scores, values) in scores.iter_mut().zip(leaf) {
            for (score, value) in scores.iter_mut().zip(values) {
                *score += value;
            }
        }
    } else {
        for (score, value) in scores[at..][..width].iter_mut().zip(leaf) {
            *score += value;
        }
    }
}
