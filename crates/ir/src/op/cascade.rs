//! `Cascade`: a first score where it is sure, else a second one.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::{DType, Dim, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Cascade";

/// A row of the output is that of `first` where `sureness(first) >= margin`, else that of `second`. For K = 1 (two
/// classes) the sureness is `|s - offset|`, for more classes the largest score less the second largest. Exact: no
/// difference of two scores leaves 32 bits.
///
/// Who computes it need not compute `second` where `first` is sure.
///
/// Inputs: `first` and `second`, `i32 [N, K]` of one shape, K at least 1. Output: `i32 [N, K]`.
/// # Source  Viola & Jones, Rapid object detection using a boosted cascade of simple features, CVPR 2001, section 4.
/// Deviation: the first stage may answer with any class, not with the first alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cascade {
    /// Sureness from which a row keeps its first score, `0..=2^32`; none is as sure as [`Cascade::NEVER`].
    pub margin: i64,
    /// The score in which nothing is sure of two classes; 0 for more.
    pub offset: i32,
    /// Rows of 1,000 that took the second score in training: it says what a row costs and changes no output.
    pub passed_on: u16,
}

impl Cascade {
    /// A margin that no difference of two scores reaches.
    pub const NEVER: i64 = 1 << 32;
    /// Largest share of rows.
    pub const ALL: u16 = 1000;

    pub(super) fn parse(attrs: &Attrs) -> Result<Cascade, Error> {
        Ok(Cascade {
            margin: attrs.int(NAME, "margin")?,
            offset: attrs.int(NAME, "offset")?,
            passed_on: attrs.int(NAME, "passed_on")?,
        })
    }

    /// Whether a row keeps its first scores `[K]`.
    #[inline]
    pub fn is_sure(self, first: &[i32]) -> bool {
        let sureness = match first {
            &[score] => score.abs_diff(self.offset),
            _ => {
                let mut largest = [i32::MIN; 2];
                for &score in first {
                    if score > largest[0] {
                        largest = [score, largest[0]];
                    } else if score > largest[1] {
                        largest[1] = score;
                    }
                }
                largest[0].abs_diff(largest[1])
            }
        };
        i64::from(sureness) >= self.margin
    }

    /// The scores of rows `[n, width]`: those of `first` are replaced by those of `second` where they are not sure.
    pub fn apply(self, width: usize, first: &mut [i32], second: &[i32]) {
        let width = width.max(1);
        for (first, second) in first.chunks_exact_mut(width).zip(second.chunks_exact(width)) {
            if !self.is_sure(first) {
                first.copy_from_slice(second);
            }
        }
    }
}

impl Payload for Cascade {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![
            ("margin", Attr::Int(self.margin)),
            ("offset", Attr::Int(self.offset.into())),
            ("passed_on", Attr::Int(self.passed_on.into())),
        ]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [first, second] = arity(NAME, inputs)?;
        let width = match (first.dtype, &first.shape.0[..]) {
            (DType::I32, [_, Dim::Fixed(width @ 1..)]) => *width,
            _ => return Err(misfit(NAME, "first", "i32 [N, K], K at least 1", &first.describe())),
        };
        if (second.dtype, second.shape) != (first.dtype, first.shape) {
            return Err(misfit(NAME, "second", &first.describe(), &second.describe()));
        }
        if !(0..=Self::NEVER).contains(&self.margin) {
            return Err(misfit(NAME, "margin", "0..=2^32", &self.margin));
        }
        if width > 1 && self.offset != 0 {
            return Err(misfit(NAME, "offset", "0", &self.offset));
        }
        if self.passed_on > Self::ALL {
            return Err(misfit(NAME, "passed_on", "0..=1000", &self.passed_on));
        }
        Ok(vec![(DType::I32, first.shape.clone())])
    }
}

#[cfg(test)]
mod tests {
    use super::Cascade;

    fn sure(margin: i64, offset: i32, first: &[i32]) -> bool {
        Cascade { margin, offset, passed_on: 0 }.is_sure(first)
    }

    #[test]
    fn sure_of_two_classes() {
        for (margin, offset, score, expected) in [
            (0, 5, 5, true),
            (1, 5, 5, false),
            (3, 5, 8, true),
            (3, 5, 2, true),
            (4, 5, 8, false),
            (4, 5, 2, false),
            ((1 << 32) - 1, i32::MIN, i32::MAX, true),
            (Cascade::NEVER, i32::MIN, i32::MAX, false),
            (1 << 31, 0, i32::MIN, true),
        ] {
            assert_eq!(sure(margin, offset, &[score]), expected, "{score} - {offset}, {margin}");
        }
    }

    #[test]
    fn sure_of_more_classes() {
        for (margin, first, expected) in [
            (4, [1, 7, 3], true),
            (5, [1, 7, 3], false),
            (4, [7, 1, 3], true),
            (4, [1, 3, 7], true),
            (1, [7, 7, 3], false),
            (0, [7, 7, 7], true),
            ((1 << 32) - 1, [i32::MIN, i32::MAX, i32::MIN], true),
            (Cascade::NEVER, [i32::MIN, i32::MAX, i32::MIN], false),
        ] {
            assert_eq!(sure(margin, 0, &first), expected, "{first:?}, {margin}");
        }
    }

    #[test]
    fn rows_take_one_score_or_the_other() {
        let mut first = [10, 3, -10, -3];
        Cascade { margin: 10, offset: 0, passed_on: 500 }.apply(1, &mut first, &[1, 2, 3, 4]);
        assert_eq!(first, [10, 2, -10, 4]);
        let mut first = [10, 3, -10, -3];
        Cascade { margin: 7, offset: 0, passed_on: 500 }.apply(2, &mut first, &[1, 2, 3, 4]);
        assert_eq!(first, [10, 3, -10, -3]);
        Cascade { margin: 8, offset: 0, passed_on: 500 }.apply(2, &mut first, &[1, 2, 3, 4]);
        assert_eq!(first, [1, 2, 3, 4]);
    }
}
