//! What a user asks for: bits, grids, observers, roundings, and which layers stay as they are.

use crate::error::Error;
use crate::grid::{IntegerFormat, Sign, Span, Symmetry};
use crate::{GridEntry, Member, ObserverEntry, Rounding};

/// When the ranges of activations are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Pipeline {
    /// Before: from calibration rows.
    #[default]
    Static,
    /// At each run, from the values themselves; no rows are needed.
    Dynamic,
    /// Never: weights alone become integers, products stay floats.
    WeightsOnly,
}

/// What shares a scale among weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Sharing {
    /// The whole tensor.
    Tensor,
    /// An output channel.
    #[default]
    Channel,
    /// So many weights of an output channel.
    Group(usize),
}

impl Sharing {
    /// `tensor`, `channel`, `group:64`.
    pub fn parse(text: &str) -> Option<Sharing> {
        match text.split_once(':') {
            None if text == "tensor" => Some(Sharing::Tensor),
            None if text == "channel" => Some(Sharing::Channel),
            Some(("group", n)) => n.parse().ok().filter(|n| *n > 0).map(Sharing::Group),
            _ => None,
        }
    }
}

/// Integers of weights or of activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codes {
    /// Bits of an integer.
    pub bits: u8,
    /// Whether they may be negative.
    pub sign: Sign,
}

impl Codes {
    /// `int8`, `uint8`, `int4`, ..
    pub fn parse(text: &str) -> Option<Codes> {
        let (sign, bits) = match text.strip_prefix("uint") {
            Some(bits) => (Sign::Unsigned, bits),
            None => (Sign::Signed, text.strip_prefix("int")?),
        };
        bits.parse().ok().filter(|b| (1..=16).contains(b)).map(|bits| Codes { bits, sign })
    }

    /// As it is read.
    pub fn describe(self) -> String {
        let prefix = if self.sign == Sign::Unsigned { "u" } else { "" };
        format!("{prefix}int{}", self.bits)
    }
}

/// How one side is rounded.
#[derive(Clone, Debug)]
pub struct Side {
    /// Its integers.
    pub codes: Codes,
    /// Which levels they stand for.
    pub grid: Member<GridEntry>,
    /// Which range they cover.
    pub observer: Member<ObserverEntry>,
    /// Where 0 lies.
    pub symmetry: Symmetry,
    /// Whether the least integer is used.
    pub span: Span,
}

impl Side {
    /// The integers with their limits.
    ///
    /// # Errors
    /// Bits that there are not.
    pub fn format(&self, bits: u8) -> Result<IntegerFormat, Error> {
        IntegerFormat::try_new(bits, self.codes.sign, self.symmetry, self.span)
    }
}

/// What a user asks for.
#[derive(Clone, Debug)]
pub struct Scheme {
    /// When ranges are known.
    pub pipeline: Pipeline,
    /// How weights are rounded.
    pub weights: Side,
    /// How activations are rounded.
    pub activations: Side,
    /// What shares a scale among weights.
    pub sharing: Sharing,
    /// How a weight becomes one of two neighbours.
    pub rounding: Rounding,
    /// What is mended beside rounding.
    pub corrections: Corrections,
}

/// What is mended beside rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrections {
    /// Biases take up the mean error of their layer.
    pub bias: bool,
}

/// Below these bits of weights, the first and the last layer keep 8.
pub const BORDER_BITS: u8 = 8;

impl Scheme {
    /// 8 bits: weights symmetric by channel, activations asymmetric, by the least error of their histograms; biases
    /// corrected.
    ///
    /// # Errors
    /// None but defects of the tables.
    pub fn standard() -> Result<Scheme, Error> {
        Ok(Scheme {
            pipeline: Pipeline::Static,
            weights: Side {
                codes: Codes { bits: 8, sign: Sign::Signed },
                grid: Member::parse("affine")?,
                observer: Member::parse("lp")?,
                symmetry: Symmetry::Symmetric,
                span: Span::Narrow,
            },
            activations: Side {
                codes: Codes { bits: 8, sign: Sign::Unsigned },
                grid: Member::parse("affine")?,
                observer: Member::parse("mse")?,
                symmetry: Symmetry::Asymmetric,
                span: Span::Full,
            },
            sharing: Sharing::Channel,
            rounding: Rounding::parse("half_even", 0)?,
            corrections: Corrections { bias: true },
        })
    }
}
