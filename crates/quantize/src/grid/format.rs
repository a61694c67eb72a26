//! The integers that a grid has: bits, sign, symmetry, and whether the least one is used.

use crate::error::{Error, misfit};
use ir::DType;
use ir::fixed::Narrow;

/// Whether integers may be negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Sign {
    /// They may.
    #[default]
    Signed,
    /// They may not.
    Unsigned,
}

/// Whether the zero point is fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Symmetry {
    /// The zero point is the middle: 0 for signed integers, `2^(bits - 1)` for unsigned ones.
    #[default]
    Symmetric,
    /// The zero point is where the range asks for it.
    Asymmetric,
}

/// Whether the least integer is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Span {
    /// All `2^bits` integers.
    Full,
    /// The least one is left out: -127 to 127, so that a symmetric grid is the same on both sides.
    #[default]
    Narrow,
}

/// The integers of a grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntegerFormat {
    bits: u8,
    /// Whether they may be negative.
    pub sign: Sign,
    /// Whether the zero point is fixed.
    pub symmetry: Symmetry,
    /// Whether the least one is used.
    pub span: Span,
}

impl IntegerFormat {
    /// Integers of 1 to 16 bits.
    ///
    /// # Errors
    /// `Shape` for other bits.
    pub fn try_new(bits: u8, sign: Sign, symmetry: Symmetry, span: Span) -> Result<IntegerFormat, Error> {
        if !(1..=16).contains(&bits) {
            return Err(misfit("bits of integers", "1..=16", bits));
        }
        Ok(IntegerFormat { bits, sign, symmetry, span })
    }

    /// Signed, symmetric, narrow: what weights are by default.
    ///
    /// # Errors
    /// As [`IntegerFormat::try_new`].
    pub fn weights(bits: u8) -> Result<IntegerFormat, Error> {
        IntegerFormat::try_new(bits, Sign::Signed, Symmetry::Symmetric, Span::Narrow)
    }

    /// Unsigned, asymmetric, full: what activations are by default.
    ///
    /// # Errors
    /// As [`IntegerFormat::try_new`].
    pub fn activations(bits: u8) -> Result<IntegerFormat, Error> {
        IntegerFormat::try_new(bits, Sign::Unsigned, Symmetry::Asymmetric, Span::Full)
    }

    /// Bits of an integer.
    pub fn bits(&self) -> u8 {
        self.bits
    }

    /// Least and largest integer.
    pub fn limits(&self) -> (i32, i32) {
        let half = 1 << (self.bits - 1);
        let left_out = i32::from(self.span == Span::Narrow);
        match self.sign {
            Sign::Signed => (left_out - half, half - 1),
            Sign::Unsigned => (left_out, 2 * half - 1),
        }
    }

    /// The zero point of symmetric grids.
    pub fn middle(&self) -> i32 {
        match self.sign {
            Sign::Signed => 0,
            Sign::Unsigned => 1 << (self.bits - 1),
        }
    }

    /// The smallest dtype of ONNX that holds the integers.
    pub fn dtype(&self) -> DType {
        match (self.bits, self.sign) {
            (0..3, Sign::Signed) => DType::Narrow(Narrow::I2),
            (0..3, Sign::Unsigned) => DType::Narrow(Narrow::U2),
            (3..5, Sign::Signed) => DType::Narrow(Narrow::I4),
            (3..5, Sign::Unsigned) => DType::Narrow(Narrow::U4),
            (5..9, Sign::Signed) => DType::I8,
            (5..9, Sign::Unsigned) => DType::U8,
            (_, Sign::Signed) => DType::I16,
            (_, Sign::Unsigned) => DType::U16,
        }
    }
}
