//! `Einsum`: sums of products, by letters for axes.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, alike, broadcast, misfit, one, word};
use crate::op::Attrs;
use crate::{Dim, Error, Shape};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "Einsum";

/// ONNX's `Einsum` with its notation: a term of letters an input, `...` for axes that broadcast, `->` and the
/// output; without it the letters that occur once, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Einsum {
    /// The equation.
    pub equation: String,
}

/// The axes of each input and of the output, as labels: letters by their code, axes of `...` from 256 on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EinsumTerms {
    /// One a input.
    pub inputs: Vec<Vec<u16>>,
    /// The output's.
    pub output: Vec<u16>,
}

impl EinsumTerms {
    /// Label of the first axis of `...`.
    pub const FIRST_OF_REST: u16 = 256;
}

impl Einsum {
    /// The terms for inputs of these ranks.
    ///
    /// # Errors
    /// An equation of other form, or for another number of inputs or axes.
    pub fn terms(&self, ranks: &[usize]) -> Result<EinsumTerms, Error> {
        let bad = |got: &str| misfit(NAME, "equation", "letters, \"...\", commas and \"->\"", &got);
        let text: String = self.equation.chars().filter(|c| !c.is_whitespace()).collect();
        let (left, right) = match text.split_once("->") {
            Some((left, right)) => (left, Some(right)),
            None => (&text[..], None),
        };
        let parts: Vec<&str> = left.split(',').collect();
        if parts.len() != ranks.len() {
            let expected = alloc::format!("{} terms", ranks.len());
            return Err(misfit(NAME, "equation", &expected, &parts.len()));
        }
        // Axes of the dots, as many as the longest term has; aligned at the last.
        let mut most = 0;
        let mut split = Vec::with_capacity(parts.len());
        for (part, &rank) in parts.iter().zip(ranks) {
            let (before, after) = part.split_once("...").map_or((*part, None), |(b, a)| (b, Some(a)));
            let n_letters = before.len() + after.map_or(0, str::len);
            let rest = match (rank.checked_sub(n_letters), after) {
                (Some(0), None) => 0,
                (Some(rest), Some(_)) => rest,
                _ => {
                    let expected = alloc::format!("{rank} axes in the term");
                    return Err(misfit(NAME, "equation", &expected, part));
                }
            };
            most = most.max(rest);
            split.push((before, rest, after.unwrap_or("")));
        }
        if most > 64 {
            return Err(misfit(NAME, "inputs", "at most 64 axes", &most));
        }
        let letters = |text: &str, out: &mut Vec<u16>| -> Result<(), Error> {
            for c in text.chars() {
                match u8::try_from(c) {
                    Ok(letter) if letter.is_ascii_alphabetic() => out.push(letter.into()),
                    _ => return Err(bad(&self.equation)),
                }
            }
            Ok(())
        };
        let dots = |rest: usize| (most - rest..most).map(|i| EinsumTerms::FIRST_OF_REST + i as u16);
        let mut inputs = Vec::with_capacity(split.len());
        for (before, rest, after) in split {
            let mut labels = Vec::new();
            letters(before, &mut labels)?;
            labels.extend(dots(rest));
            letters(after, &mut labels)?;
            inputs.push(labels);
        }
        let mut output: Vec<u16> = Vec::new();
        match right {
            Some(right) => {
                let (before, after) = right.split_once("...").map_or((right, None), |(b, a)| (b, Some(a)));
                letters(before, &mut output)?;
                if let Some(after) = after {
                    output.extend(dots(most));
                    letters(after, &mut output)?;
                }
            }
            None => {
                output.extend(dots(most));
                let all: Vec<u16> = inputs.iter().flatten().copied().filter(|&l| l < 256).collect();
                let mut once: Vec<u16> =
                    all.iter().copied().filter(|l| all.iter().filter(|m| *m == l).count() == 1).collect();
                once.sort_unstable();
                output.extend(once);
            }
        }
        for (at, label) in output.iter().enumerate() {
            if output[..at].contains(label) || !inputs.iter().any(|i| i.contains(label)) {
                return Err(bad(&self.equation));
            }
        }
        Ok(EinsumTerms { inputs, output })
    }
}

impl Payload for Einsum {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("equation", word(&self.equation))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let Some((first, others)) = inputs.split_first() else {
            return Err(misfit(NAME, "inputs", "1 or more", &0));
        };
        alike(NAME, first, others)?;
        let Some(axes) = inputs.iter().map(|i| i.shape.axes()).collect::<Option<Vec<_>>>() else {
            return one(first.dtype, Shape::any());
        };
        let ranks: Vec<usize> = axes.iter().map(|a| a.len()).collect();
        let terms = self.terms(&ranks)?;
        let length = |label: &u16| -> Result<Dim, Error> {
            let mut dim = Shape(vec![Dim::Fixed(1)]);
            for (term, axes) in terms.inputs.iter().zip(&axes) {
                for (_, own) in term.iter().zip(*axes).filter(|(l, _)| *l == label) {
                    dim = broadcast(NAME, &[&dim, &Shape(vec![own.clone()])])?;
                }
            }
            Ok(dim.0.swap_remove(0))
        };
        // All labels are looked at, those that are summed too.
        for label in terms.inputs.iter().flatten() {
            length(label)?;
        }
        let dims = terms.output.iter().map(length).collect::<Result<_, _>>()?;
        one(first.dtype, Shape(dims))
    }

    fn is_exact(&self) -> bool {
        false
    }
}

impl Stored for Einsum {
    fn parse(name: &str, attrs: &Attrs) -> Found<Einsum> {
        (name == NAME).then(|| Ok(Einsum { equation: attrs.word(NAME, "equation")?.into() }))
    }
}
