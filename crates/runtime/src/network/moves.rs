//! Elements moved: channels last and first, values one after the other.

use super::rooms::Slot;
use super::step::Run;
use alloc::vec::Vec;

/// `[images, rows, columns]` to `[images, columns, rows]`: channels are rows where they stand first.
#[derive(Clone, Debug)]
pub(super) struct Relayout {
    pub(super) x: Slot,
    pub(super) y: Slot,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Bytes of an element.
    pub(super) bytes: usize,
}

impl Relayout {
    pub(super) fn run(&self, run: &mut Run<'_>) {
        let (others, out) = run.rooms.apart(run.memory, self.y);
        turn(others.get(self.x), out, (self.rows, self.columns), self.bytes);
    }
}

/// Turns each matrix of elements of so many bytes.
pub(super) fn turn(x: &[u8], out: &mut [u8], (rows, columns): (usize, usize), bytes: usize) {
    match bytes {
        1 => turned::<1>(x, out, rows, columns),
        2 => turned::<2>(x, out, rows, columns),
        4 => turned::<4>(x, out, rows, columns),
        _ => turned::<8>(x, out, rows, columns),
    }
}

fn turned<const B: usize>(x: &[u8], out: &mut [u8], rows: usize, columns: usize) {
    let size = (rows * columns * B).max(1);
    for (x, out) in x.chunks_exact(size).zip(out.chunks_exact_mut(size)) {
        for (column, out) in out.chunks_exact_mut(rows * B).enumerate() {
            for (row, out) in out.chunks_exact_mut(B).enumerate() {
                let at = (row * columns + column) * B;
                out.copy_from_slice(&x[at..at + B]);
            }
        }
    }
}

/// Blocks of several values, one after the other, again and again.
#[derive(Clone, Debug)]
pub(super) struct Join {
    /// Each value and the bytes of its blocks.
    pub(super) parts: Vec<(Slot, usize)>,
    pub(super) y: Slot,
}

impl Join {
    pub(super) fn run(&self, run: &mut Run<'_>) {
        let (others, out) = run.rooms.apart(run.memory, self.y);
        let row: usize = self.parts.iter().map(|part| part.1).sum();
        let mut from = 0;
        for &(slot, n) in &self.parts {
            let blocks = others.get(slot).chunks_exact(n.max(1));
            for (out, block) in out.chunks_exact_mut(row.max(1)).zip(blocks) {
                out[from..from + n].copy_from_slice(block);
            }
            from += n;
        }
    }
}
