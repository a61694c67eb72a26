//! What a split asks of a code, as engines ask it.

use ir::forest::{CodeSet, MISSING, Split, Test};

/// Yes goes right.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question {
    /// `code + add`, wrapping, is above. `add` is 1 where missing goes left, so that 255 is 0.
    Above { add: u8, above: u8 },
    /// In the set, to which missing belongs if it goes right.
    In(CodeSet),
}

impl Question {
    pub(super) fn of(split: &Split) -> Question {
        match split.test {
            // A threshold is below 254, so one more fits.
            Test::Greater(t) => {
                let add = u8::from(split.missing_left);
                Question::Above { add, above: t + add }
            }
            Test::In(mut set) => {
                if !split.missing_left {
                    set.insert(MISSING);
                }
                Question::In(set)
            }
        }
    }
}

/// 255 where a code goes left, 0 where it is in the set. Not compiled for vectors, which would gather: a load a row is faster.
#[inline(never)]
pub(super) fn lefts_of(set: &CodeSet, codes: &[u8], lefts: &mut [u8]) {
    let mut table = [255; 256];
    for (codes, &word) in table.as_chunks_mut::<64>().0.iter_mut().zip(&set.0) {
        if word != 0 {
            for (i, left) in codes.iter_mut().enumerate() {
                *left = (word >> i & 1) as u8 ^ 1;
                *left = left.wrapping_neg();
            }
        }
    }
    for (left, &code) in lefts.iter_mut().zip(codes) {
        *left = table[usize::from(code)];
    }
}
