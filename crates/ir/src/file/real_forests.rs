//! Forests with real thresholds, inside the attribute that holds one.
//!
//! Numbers take four bytes where all of them are of single precision, which most sources compare in, else eight. Children
//! are numbers of splits and leaves, told apart by the lowest bit.

use super::bytes::{Reader, Writer};
use super::ill_formed;
use crate::forest::Child;
use crate::real_forest::{Precision, RealSplit, RealTree, Rule};
use crate::{Error, RealForest};
use alloc::vec::Vec;

const LESS: u8 = 0;
const LESS_EQUAL: u8 = 1;
const GREATER: u8 = 2;
const GREATER_EQUAL: u8 = 3;
const EQUAL: u8 = 4;
const NOT_EQUAL: u8 = 5;
const WITHIN: u8 = 6;
/// Beside the rule: a missing cell goes where yes goes.
const MISSING_IS_YES: u8 = 0x80;

/// Beside the precision: numbers take four bytes.
const SHORT: u8 = 2;

pub(super) fn write(out: &mut Writer, forest: &RealForest) {
    let is_short = |x: &f64| f64::from(*x as f32).to_bits() == x.to_bits();
    let thresholds = forest.trees().iter().flat_map(|t| &t.splits).flat_map(|s| numbers(&s.rule));
    let leaves = forest.trees().iter().flat_map(|t| &t.leaves).copied();
    let mut all = forest.initial_scores().iter().copied().chain(leaves).chain(thresholds);
    let short = all.all(|x| is_short(&x));
    let number = |out: &mut Writer, x: f64| match short {
        true => out.raw(&(x as f32).to_bits().to_le_bytes()),
        false => out.raw(&x.to_bits().to_le_bytes()),
    };
    out.byte(u8::from(forest.precision() == Precision::Double) | if short { SHORT } else { 0 });
    out.varint(forest.n_features().into());
    out.count(forest.initial_scores().len());
    forest.initial_scores().iter().for_each(|&x| number(out, x));
    out.count(forest.trees().len());
    for tree in forest.trees() {
        out.varint(tree.first_output.into());
        out.varint(tree.width.into());
        out.count(tree.splits.len());
        for split in &tree.splits {
            let tag = match &split.rule {
                Rule::Less(_) => LESS,
                Rule::LessEqual(_) => LESS_EQUAL,
                Rule::Greater(_) => GREATER,
                Rule::GreaterEqual(_) => GREATER_EQUAL,
                Rule::Equal(_) => EQUAL,
                Rule::NotEqual(_) => NOT_EQUAL,
                Rule::Within(_) => WITHIN,
            };
            out.byte(tag | if split.missing_is_yes { MISSING_IS_YES } else { 0 });
            out.varint(split.feature.into());
            let numbers = numbers(&split.rule);
            if tag == WITHIN {
                out.count(numbers.len() / 2);
            }
            numbers.into_iter().for_each(|x| number(out, x));
            for child in [split.yes, split.no] {
                out.varint(match child {
                    Child::Leaf(at) => u64::from(at) << 1,
                    Child::Split(at) => u64::from(at) << 1 | 1,
                });
            }
        }
        tree.leaves.iter().for_each(|&x| number(out, x));
        tree.leaf_ids.iter().for_each(|&id| out.varint(id.into()));
    }
}

fn numbers(rule: &Rule) -> Vec<f64> {
    match rule {
        Rule::Less(t)
        | Rule::LessEqual(t)
        | Rule::Greater(t)
        | Rule::GreaterEqual(t)
        | Rule::Equal(t)
        | Rule::NotEqual(t) => alloc::vec![*t],
        Rule::Within(ranges) => ranges.as_flattened().to_vec(),
    }
}

pub(super) fn read(from: &mut Reader<'_>) -> Result<RealForest, Error> {
    let tag = from.byte()?;
    if tag > 3 {
        return Err(from.fail("the precision of a forest is not known"));
    }
    let precision = if tag & 1 == 1 { Precision::Double } else { Precision::Single };
    let numbers = Numbers { is_short: tag & SHORT != 0 };
    let n_features = from.small()?;
    let n_scores = from.count(numbers.bytes())?;
    let initial_scores = numbers.read(from, n_scores)?;
    let n_trees = from.count(3)?;
    let mut trees = Vec::with_capacity(n_trees);
    for _ in 0..n_trees {
        let (first_output, width): (u32, u32) = (from.small()?, from.small()?);
        let n_splits = from.count(4)?;
        let mut splits = Vec::with_capacity(n_splits);
        for _ in 0..n_splits {
            let tag = from.byte()?;
            let feature = from.small()?;
            let rule = numbers.rule(from, tag & !MISSING_IS_YES)?;
            let (yes, no) = (child(from)?, child(from)?);
            splits.push(RealSplit { feature, rule, missing_is_yes: tag & MISSING_IS_YES != 0, yes, no });
        }
        let n_values = (n_splits + 1).checked_mul(width as usize);
        let n_values = n_values.ok_or_else(|| from.fail("a tree has too many leaves"))?;
        let leaves = numbers.read(from, n_values)?;
        let leaf_ids = (0..=n_splits).map(|_| from.small()).collect::<Result<_, _>>()?;
        trees.push(RealTree { first_output, width, splits, leaves, leaf_ids });
    }
    RealForest::try_new(n_features, precision, initial_scores, trees).map_err(|e| ill_formed(&e))
}

fn child(from: &mut Reader<'_>) -> Result<Child, Error> {
    let coded = from.varint()?;
    let at = u32::try_from(coded >> 1).map_err(|_| from.fail("a number is too large"))?;
    Ok(if coded & 1 == 1 { Child::Split(at) } else { Child::Leaf(at) })
}

/// How numbers are stored.
struct Numbers {
    is_short: bool,
}

impl Numbers {
    fn bytes(&self) -> usize {
        if self.is_short { 4 } else { 8 }
    }

    fn read(&self, from: &mut Reader<'_>, n: usize) -> Result<Vec<f64>, Error> {
        let length = n.checked_mul(self.bytes()).ok_or_else(|| from.fail("a forest is too large"))?;
        let word = |chunk: &[u8]| chunk.iter().rev().fold(0u64, |word, &b| word << 8 | u64::from(b));
        let number = |chunk: &[u8]| match self.is_short {
            true => f64::from(f32::from_bits(word(chunk) as u32)),
            false => f64::from_bits(word(chunk)),
        };
        Ok(from.take(length)?.chunks_exact(self.bytes()).map(number).collect())
    }

    fn one(&self, from: &mut Reader<'_>) -> Result<f64, Error> {
        let all = self.read(from, 1)?;
        all.first().copied().ok_or_else(|| from.fail("it ends too early"))
    }

    fn rule(&self, from: &mut Reader<'_>, tag: u8) -> Result<Rule, Error> {
        Ok(match tag {
            LESS => Rule::Less(self.one(from)?),
            LESS_EQUAL => Rule::LessEqual(self.one(from)?),
            GREATER => Rule::Greater(self.one(from)?),
            GREATER_EQUAL => Rule::GreaterEqual(self.one(from)?),
            EQUAL => Rule::Equal(self.one(from)?),
            NOT_EQUAL => Rule::NotEqual(self.one(from)?),
            WITHIN => {
                let n = from.count(2 * self.bytes())?;
                Rule::Within(self.read(from, 2 * n)?.as_chunks::<2>().0.to_vec())
            }
            _ => return Err(from.fail("the rule of a split is not known")),
        })
    }
}
