//! What a user asks for: bits, grids, observers, roundings, and which layers stay as they are.

use crate::error::{Error, misfit};
use crate::grid::{IntegerFormat, Sign, Span, Symmetry};
use crate::{CORRECTIONS, Correction, CorrectionEntry, GridEntry, Member, ObserverEntry, Rounding};

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

/// What is mended beside rounding: members of the Correction family, in the order of its table.
#[derive(Clone, Debug, Default)]
pub struct Corrections(Vec<Member<CorrectionEntry>>);

impl Corrections {
    /// `none`, or members by commas: `equalize:rounds=20,absorb_bias,bias`. A setting without a name before it belongs to
    /// the member before.
    ///
    /// # Errors
    /// A correction that there is not, or twice, or with settings that it does not take.
    pub fn parse(text: &str) -> Result<Corrections, Error> {
        let mut texts: Vec<String> = Vec::new();
        for part in text.split(',').filter(|_| text.trim() != "none") {
            match (texts.last_mut(), part.contains('=') && !part.contains(':')) {
                (Some(last), true) => *last = format!("{last},{part}"),
                _ => texts.push(part.to_owned()),
            }
        }
        let members = texts.iter().map(|t| Member::parse(t)).collect::<Result<Vec<_>, Error>>()?;
        let corrections = Corrections(members);
        for entry in CORRECTIONS {
            let named = corrections.0.iter().filter(|m| m.entry().correction == entry.correction);
            if named.count() > 1 {
                return Err(misfit("corrections", format!("{} once", entry.name), text));
            }
        }
        match corrections.get(Correction::BiasMean).map(|m| m.params().word("means")) {
            Some("normal") => {
                let got = "means=normal, since normalizations were taken into the layers before them";
                Err(misfit("bias_mean", "means=seen", got))
            }
            _ => Ok(corrections),
        }
    }

    /// Those that are asked for, in the order in which they are applied.
    pub fn members(&self) -> impl Iterator<Item = &Member<CorrectionEntry>> {
        CORRECTIONS.iter().filter_map(|entry| self.get(entry.correction))
    }

    /// A correction, if it is asked for.
    pub fn get(&self, correction: Correction) -> Option<&Member<CorrectionEntry>> {
        self.0.iter().find(|m| m.entry().correction == correction)
    }
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
            corrections: Corrections::parse("bias_mean")?,
        })
    }
}
