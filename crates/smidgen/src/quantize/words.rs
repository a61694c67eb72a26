//! How a user spells a scheme.

use super::QuantizeOptions;
use crate::Error;
use ::quantize::{Codes, Corrections, Member, Pipeline, Rounding, Scheme, Sharing, Sign, Span, Symmetry};

/// What a user says of bits, grids and observers; what is not said is as [`Scheme::standard`] has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SchemeWords {
    /// `int8`, `int4`, ..
    pub weights: Option<String>,
    /// `uint8`, `int8`, `int16`, ..; `float` for weights alone, `dynamic` for ranges at each run.
    pub activations: Option<String>,
    /// The observer of activations.
    pub observer: Option<String>,
    /// The observer of weights.
    pub weight_observer: Option<String>,
    /// The grid; grids of levels are those of weights.
    pub grid: Option<String>,
    /// The zero point is the middle, or where the range asks for it, on both sides.
    pub symmetry: Option<Symmetry>,
    /// `full` or `narrow`, on both sides.
    pub span: Option<String>,
    /// How weights are rounded.
    pub rounding: Option<String>,
    /// `tensor`, `channel`, `group:64`: what shares a scale among weights.
    pub granularity: Option<String>,
    /// `none`, or members by commas: `equalize:rounds=20,absorb_bias,bias`.
    pub corrections: Option<String>,
    /// What stochastic rounding draws by.
    pub seed: u64,
}

fn expected(flag: &str, what: &str, got: &str) -> Error {
    Error::input(format!("{flag}: expected {what}, got \"{got}\""))
}

impl SchemeWords {
    /// The scheme. With rows that show what weights are multiplied by, these are kept where no engine saturates, unless
    /// other corrections are asked for: answers are the same on every machine then.
    ///
    /// # Errors
    /// A word that is none of its flag.
    pub(super) fn scheme(&self, has_rows: bool) -> Result<Scheme, Error> {
        let mut scheme = Scheme::standard()?;
        if let Some(text) = &self.weights {
            let codes = Codes::parse(text).filter(|c| c.bits <= 8 || c.bits == 16);
            scheme.weights.codes =
                codes.ok_or_else(|| expected("--weights", "int2 to int8, or uint2 to uint8", text))?;
        }
        match self.activations.as_deref() {
            None => {}
            Some("float") => scheme.pipeline = Pipeline::WeightsOnly,
            Some("dynamic") => scheme.pipeline = Pipeline::Dynamic,
            Some(text) => {
                let codes = Codes::parse(text).filter(|c| matches!(c.bits, 4 | 8 | 16));
                let what = "uint8, int8, uint16, int16, dynamic or float";
                scheme.activations.codes = codes.ok_or_else(|| expected("--activations", what, text))?;
            }
        }
        if let Some(text) = &self.observer {
            scheme.activations.observer = Member::parse(text)?;
        }
        if let Some(text) = &self.weight_observer {
            scheme.weights.observer = Member::parse(text)?;
        }
        if let Some(text) = &self.grid {
            scheme.weights.grid = Member::parse(text)?;
            // Levels of any steps are looked up: those of weights alone.
            if matches!(scheme.weights.grid.entry().name, "affine" | "pow2") {
                scheme.activations.grid = Member::parse(text)?;
            }
        }
        if let Some(symmetry) = self.symmetry {
            (scheme.weights.symmetry, scheme.activations.symmetry) = (symmetry, symmetry);
            if symmetry == Symmetry::Symmetric && self.activations.is_none() {
                scheme.activations.codes.sign = Sign::Signed;
            }
        }
        match self.span.as_deref() {
            None => {}
            Some("full") => (scheme.weights.span, scheme.activations.span) = (Span::Full, Span::Full),
            Some("narrow") => (scheme.weights.span, scheme.activations.span) = (Span::Narrow, Span::Narrow),
            Some(text) => return Err(expected("--range", "full or narrow", text)),
        }
        if let Some(text) = &self.rounding {
            scheme.rounding = Rounding::parse(text, self.seed)?;
        }
        if let Some(text) = &self.granularity {
            let sharing = Sharing::parse(text);
            scheme.sharing =
                sharing.ok_or_else(|| expected("--granularity", "tensor, channel or group:N", text))?;
        }
        match &self.corrections {
            Some(text) => scheme.corrections = Corrections::parse(text)?,
            None if has_rows => scheme.corrections = Corrections::parse("bias_mean,portable")?,
            None => {}
        }
        Ok(scheme)
    }
}

impl QuantizeOptions {
    /// The flags, one a word, that say how a network is quantized and which of its layers.
    pub fn words(&self) -> Vec<String> {
        let scheme = &self.scheme;
        let symmetry =
            scheme.symmetry.map(|s| if s == Symmetry::Symmetric { "--symmetric" } else { "--asymmetric" });
        let flags = [
            ("--weights", &scheme.weights),
            ("--activations", &scheme.activations),
            ("--observer", &scheme.observer),
            ("--weight-observer", &scheme.weight_observer),
            ("--grid", &scheme.grid),
            ("--range", &scheme.span),
            ("--rounding", &scheme.rounding),
            ("--granularity", &scheme.granularity),
            ("--corrections", &scheme.corrections),
            ("--keep", &self.keep),
            ("--only", &self.only),
        ];
        let said = flags.iter().filter_map(|(flag, text)| Some(format!("{flag}={}", text.as_ref()?)));
        let mut words: Vec<String> = said.chain(symmetry.map(str::to_owned)).collect();
        if scheme.seed != 0 {
            words.push(format!("--seed={}", scheme.seed));
        }
        words
    }

    /// The same as the file says it: a second run gives the same bytes.
    pub(super) fn recipe(&self) -> String {
        self.words().join(" ")
    }
}
