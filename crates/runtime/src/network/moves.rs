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

/// Tile by tile, so that neither side leaves the first-level cache.
fn turned<const B: usize>(x: &[u8], out: &mut [u8], rows: usize, columns: usize) {
    const TILE: [usize; 2] = [16, 64];
    let (x, _) = x.as_chunks::<B>();
    let (out, _) = out.as_chunks_mut::<B>();
    let size = (rows * columns).max(1);
    for (x, out) in x.chunks_exact(size).zip(out.chunks_exact_mut(size)) {
        for from in (0..columns).step_by(TILE[1]) {
            for row in (0..rows).step_by(TILE[0]) {
                let n = (rows - row).min(TILE[0]);
                for column in from..(from + TILE[1]).min(columns) {
                    let (x, out) = (&x[row * columns + column..], &mut out[column * rows + row..][..n]);
                    if let Some(all) = out.first_chunk_mut::<{ TILE[0] }>() {
                        *all = core::array::from_fn(|i| x[i * columns]);
                    } else {
                        out.iter_mut().enumerate().for_each(|(i, out)| *out = x[i * columns]);
                    }
                }
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
