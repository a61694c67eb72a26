//! `Cast`: elements of another dtype.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, flag, misfit, one, word};
use crate::DType;
use crate::fixed::{Overflow, PowerRounding};
use crate::op::Attrs;
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "Cast";

/// ONNX's `Cast`: floats to floats are rounded to the nearest, ties to even; floats to integers are truncated, and
/// saturate, but for those of 2 and 4 bits, which keep their low bits as integers to integers do; a number is `true`
/// unless it is 0.
///
/// Input: any dtype but bags. Output: `to`, of the same shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cast {
    /// The dtype of the output.
    pub to: DType,
    /// What a float of 8 bits does beyond its largest number.
    pub overflow: Overflow,
    /// How a number becomes a power of two.
    pub rounding: PowerRounding,
}

impl Cast {
    /// The cast that most dtypes need no more for.
    pub fn to(to: DType) -> Cast {
        Cast { to, overflow: Overflow::Saturate, rounding: PowerRounding::Up }
    }
}

fn rounding_name(rounding: &PowerRounding) -> &'static str {
    match rounding {
        PowerRounding::Up => "up",
        PowerRounding::Down => "down",
        PowerRounding::Nearest => "nearest",
    }
}

impl Payload for Cast {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![
            ("to", word(self.to.name())),
            ("saturate", flag(self.overflow == Overflow::Saturate)),
            ("round_mode", word(rounding_name(&self.rounding))),
        ]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x] = arity(NAME, inputs)?;
        if x.dtype == DType::Bag || self.to == DType::Bag {
            return Err(misfit(NAME, "dtypes", "numbers, bool or text", &x.describe()));
        }
        one(self.to, x.shape.clone())
    }
}

impl Stored for Cast {
    fn parse(name: &str, attrs: &Attrs) -> Found<Cast> {
        let read = || {
            let roundings = [PowerRounding::Up, PowerRounding::Down, PowerRounding::Nearest];
            Ok(Cast {
                to: attrs.dtype(NAME, "to")?,
                overflow: attrs.overflow(NAME)?,
                rounding: attrs.one_of(NAME, "round_mode", &roundings, rounding_name)?,
            })
        };
        (name == NAME).then(read)
    }
}
