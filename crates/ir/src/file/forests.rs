//! The section of forests: trees in preorder, entropy-coded.
//!
//! A forest starts with plain numbers (features, outputs, initial scores, trees, splits, bytes),
//! then one arithmetic-coded stream. Contexts: "is a leaf" by depth; the feature by the parent's
//! feature, where that pays; the threshold and the missing side by feature; members of a set by
//! feature and code; leaves by the eighth of the forest that the tree stands in.
//!
//! An adaptive stream can say much in few bytes, so the stream is padded until no byte stands for
//! more than [`PER_BYTE`] splits or leaf values: what a reader allocates is bounded by what it got.

use super::bytes::{Reader, Writer};
use super::coder::{Bit, Coder, Decoder, Encoder, Signed, n_bits, symbol};
use super::ill_formed;
use crate::forest::{Child, CodeSet, CodedFeature, MAX_CODES, MAX_FEATURES, Split, Test, Tree};
use crate::{Error, Forest};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// Splits or leaf values that one byte may stand for. Trained trees have about one a byte.
const PER_BYTE: usize = 16;

/// Most features for which the parent's feature is a context.
const MAX_CONTEXT_FEATURES: usize = 256;

/// What the coder has learnt of a forest.
struct Contexts {
    by_parent: bool,
    n_feature_bits: u32,
    leaf: [Bit; 16],
    feature: Vec<Vec<Bit>>,
    threshold: Vec<Vec<Bit>>,
    missing: Vec<Bit>,
    value: Vec<Signed>,
    width: Bit,
}

impl Contexts {
    fn new(features: &[CodedFeature], by_parent: bool) -> Contexts {
        let n_feature_bits = n_bits(features.len());
        let n_parents = if by_parent { features.len() + 1 } else { 1 };
        Contexts {
            by_parent,
            n_feature_bits,
            leaf: [Bit::default(); 16],
            feature: vec![vec![Bit::default(); 1 << n_feature_bits]; n_parents],
            // Ordered: a tree of bits over thresholds. Sets: one context a code.
            threshold: features
                .iter()
                .map(|f| {
                    vec![
                        Bit::default();
                        (1usize << n_bits(usize::from(f.n_codes))).max(usize::from(f.n_codes))
                    ]
                })
                .collect(),
            missing: vec![Bit::default(); features.len()],
            value: (0..8).map(|_| Signed::default()).collect(),
            width: Bit::default(),
        }
    }

    fn is_leaf<C: Coder>(&mut self, coder: &mut C, depth: usize, leaf: bool) -> bool {
        coder.bit(&mut self.leaf[depth.min(15)], leaf)
    }

    fn feature<C: Coder>(&mut self, coder: &mut C, parent: Option<u32>, feature: u32) -> u32 {
        let row = if self.by_parent { parent.map_or(0, |p| p as usize + 1) } else { 0 };
        symbol(coder, &mut self.feature[row], self.n_feature_bits, feature)
    }

    fn test<C: Coder>(&mut self, coder: &mut C, feature: u32, kind: CodedFeature, test: Test) -> Test {
        let contexts = &mut self.threshold[feature as usize];
        if kind.ordered {
            let t = if let Test::Greater(t) = test { t } else { 0 };
            let n = n_bits(usize::from(kind.n_codes));
            return Test::Greater(symbol(coder, contexts, n, t.into()) as u8);
        }
        let set = if let Test::In(set) = test { set } else { CodeSet::default() };
        let mut read = CodeSet::default();
        for code in 0..kind.n_codes.min(255) as u8 {
            if coder.bit(&mut contexts[usize::from(code)], set.contains(code)) {
                read.insert(code);
            }
        }
        Test::In(read)
    }
}

pub(super) fn write(forests: &[Box<Forest>]) -> Vec<u8> {
    let mut out = Writer::default();
    if forests.is_empty() {
        return out.into_bytes();
    }
    out.count(forests.len());
    for forest in forests {
        out.count(forest.features().len());
        for feature in forest.features() {
            out.varint(u64::from(feature.n_codes) << 1 | u64::from(feature.ordered));
        }
        out.count(forest.initial_scores().len());
        for &score in forest.initial_scores() {
            out.signed(score.into());
        }
        out.count(forest.trees().len());
        out.count(forest.n_splits());
        let mut stream = encode(forest, false);
        let mut by_parent = false;
        if forest.features().len() <= MAX_CONTEXT_FEATURES {
            let other = encode(forest, true);
            if other.len() < stream.len() {
                (stream, by_parent) = (other, true);
            }
        }
        let n_values: usize = forest.trees().iter().map(|t| t.leaves.len()).sum();
        let least = (forest.n_splits() + n_values).div_ceil(PER_BYTE);
        stream.resize(stream.len().max(least), 0);
        out.byte(by_parent.into());
        out.count(stream.len());
        out.raw(&stream);
    }
    out.into_bytes()
}

/// The octile of a tree in its forest.
fn octile(tree: usize, n_trees: usize) -> usize {
    tree * 8 / n_trees.max(1)
}

fn encode(forest: &Forest, by_parent: bool) -> Vec<u8> {
    let mut contexts = Contexts::new(forest.features(), by_parent);
    let mut coder = Encoder::new();
    let output_bits = n_bits(forest.n_outputs() as usize);
    let mut outputs = vec![Bit::default(); 1 << output_bits];
    for (i, tree) in forest.trees().iter().enumerate() {
        let whole = tree.width == forest.n_outputs();
        coder.bit(&mut contexts.width, whole);
        if !whole {
            symbol(&mut coder, &mut outputs, output_bits, tree.first_output);
            symbol(&mut coder, &mut outputs, output_bits, tree.width - 1);
        }
        let root = if tree.splits.is_empty() { Child::Leaf(0) } else { Child::Split(0) };
        let mut pending = vec![(root, 0usize, None)];
        while let Some((child, depth, parent)) = pending.pop() {
            match child {
                Child::Leaf(leaf) => {
                    contexts.is_leaf(&mut coder, depth, true);
                    let start = leaf as usize * tree.width as usize;
                    for &value in &tree.leaves[start..start + tree.width as usize] {
                        contexts.value[octile(i, forest.trees().len())].code(&mut coder, value);
                    }
                }
                Child::Split(split) => {
                    contexts.is_leaf(&mut coder, depth, false);
                    let split = &tree.splits[split as usize];
                    contexts.feature(&mut coder, parent, split.feature);
                    let kind = forest.features()[split.feature as usize];
                    contexts.test(&mut coder, split.feature, kind, split.test);
                    coder.bit(&mut contexts.missing[split.feature as usize], split.missing_left);
                    pending.push((split.right, depth + 1, Some(split.feature)));
                    pending.push((split.left, depth + 1, Some(split.feature)));
                }
            }
        }
    }
    coder.finish()
}

pub(super) fn read(from: &mut Reader<'_>) -> Result<Vec<Forest>, Error> {
    if from.left() == 0 {
        return Ok(Vec::new());
    }
    let n = from.count(4)?;
    let mut forests = Vec::with_capacity(n);
    for _ in 0..n {
        forests.push(read_forest(from)?);
    }
    from.end()?;
    Ok(forests)
}

fn read_forest(from: &mut Reader<'_>) -> Result<Forest, Error> {
    let n_features = from.count(1)?;
    if n_features > MAX_FEATURES {
        return Err(from.fail("a forest has too many features"));
    }
    let mut features = Vec::with_capacity(n_features);
    for _ in 0..n_features {
        let word: u16 = from.small()?;
        if word >> 1 > MAX_CODES {
            return Err(from.fail("a feature has too many codes"));
        }
        features.push(CodedFeature { n_codes: word >> 1, ordered: word & 1 == 1 });
    }
    let n_outputs = from.count(1)?;
    let mut initial_scores = Vec::with_capacity(n_outputs);
    for _ in 0..n_outputs {
        let score = i32::try_from(from.signed()?);
        initial_scores.push(score.map_err(|_| from.fail("an initial score has more than 32 bits"))?);
    }
    let n_trees: usize = from.small()?;
    let n_splits: usize = from.small()?;
    let by_parent = from.byte()? != 0;
    let length = from.count(1)?;
    let stream = from.take(length)?;
    let capacity = length.saturating_mul(PER_BYTE);
    if n_trees.checked_add(n_splits).is_none_or(|n| n > capacity)
        || (by_parent && n_features > MAX_CONTEXT_FEATURES)
    {
        return Err(from.fail("the trees are more than their bytes can hold"));
    }
    let mut decode = Decode {
        contexts: Contexts::new(&features, by_parent),
        coder: Decoder::new(stream),
        features: &features,
        n_outputs: n_outputs as u32,
        splits_left: n_splits,
        values_left: capacity,
    };
    let output_bits = n_bits(n_outputs);
    let mut outputs = vec![Bit::default(); 1 << output_bits];
    let mut trees = Vec::new();
    for i in 0..n_trees {
        trees.push(decode.tree(from, octile(i, n_trees), &mut outputs, output_bits)?);
        decode.coder.check(from)?;
    }
    if decode.splits_left != 0 {
        return Err(from.fail("the trees have another number of splits than stated"));
    }
    Forest::try_new(features, initial_scores, trees).map_err(|e| ill_formed(&e))
}

/// A node to read: the place in its parent that it fills (a split's index, true on the right), its
/// depth and the parent's feature.
type Pending = (Option<(usize, bool)>, usize, Option<u32>);

struct Decode<'a> {
    contexts: Contexts,
    coder: Decoder<'a>,
    features: &'a [CodedFeature],
    n_outputs: u32,
    splits_left: usize,
    values_left: usize,
}

impl Decode<'_> {
    fn tree(
        &mut self,
        from: &Reader<'_>,
        octile: usize,
        outputs: &mut [Bit],
        output_bits: u32,
    ) -> Result<Tree, Error> {
        let mut tree = Tree { width: self.n_outputs, ..Tree::default() };
        if !self.coder.bit(&mut self.contexts.width, false) {
            tree.first_output = symbol(&mut self.coder, outputs, output_bits, 0);
            tree.width = symbol(&mut self.coder, outputs, output_bits, 0) + 1;
        }
        let mut pending: Vec<Pending> = vec![(None, 0, None)];
        let mut n_leaves = 0u32;
        while let Some((place, depth, parent)) = pending.pop() {
            let child = if self.contexts.is_leaf(&mut self.coder, depth, false) {
                let width = tree.width as usize;
                self.values_left = self
                    .values_left
                    .checked_sub(width)
                    .ok_or_else(|| from.fail("the leaves are more than their bytes can hold"))?;
                for _ in 0..width {
                    tree.leaves.push(self.contexts.value[octile].code(&mut self.coder, 0));
                }
                n_leaves += 1;
                Child::Leaf(n_leaves - 1)
            } else {
                self.splits_left = self
                    .splits_left
                    .checked_sub(1)
                    .ok_or_else(|| from.fail("the trees have more splits than stated"))?;
                let feature = self.contexts.feature(&mut self.coder, parent, 0);
                let kind = self.features.get(feature as usize);
                let kind = *kind.ok_or_else(|| from.fail("a split asks for a feature that is not there"))?;
                let test = self.contexts.test(&mut self.coder, feature, kind, Test::Greater(0));
                let missing_left = self.coder.bit(&mut self.contexts.missing[feature as usize], false);
                let at = tree.splits.len();
                let unknown = Child::Leaf(0);
                tree.splits.push(Split { feature, test, missing_left, left: unknown, right: unknown });
                pending.push((Some((at, true)), depth + 1, Some(feature)));
                pending.push((Some((at, false)), depth + 1, Some(feature)));
                Child::Split(at as u32)
            };
            match place {
                Some((at, true)) => tree.splits[at].right = child,
                Some((at, false)) => tree.splits[at].left = child,
                None => {}
            }
        }
        Ok(tree)
    }
}
