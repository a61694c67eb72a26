//! The section of forests: trees in preorder, entropy-coded.
//!
//! A forest starts with plain numbers (features, outputs, initial scores, trees, splits, bytes),
//! then one range-coded stream. What is coded in which context stands in [`super::contexts`].
//!
//! An adaptive stream can say much in few bytes, so the stream is padded until no byte stands for
//! more than [`PER_BYTE`] splits or leaf values: what a reader allocates is bounded by what it got.

use super::bytes::{Reader, Writer};
use super::coder::{Bit, Coder, Decoder, Encoder, n_bits, symbol};
use super::contexts::{Contexts, Form, Kind, Place};
use super::ill_formed;
use crate::forest::{Child, CodedFeature, MAX_CODES, MAX_FEATURES, Split, Test, Tree};
use crate::{Error, Forest};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

/// Splits, leaf values or edges that one byte may stand for. Trained trees have about one a byte.
pub(super) const PER_BYTE: usize = 16;

pub(super) fn write(forests: &[Arc<Forest>]) -> Vec<u8> {
    let mut out = Writer::default();
    if forests.is_empty() {
        return out.into_bytes();
    }
    out.count(forests.len());
    for forest in forests {
        out.count(forest.features().len());
        let kinds = Kind::all(forest);
        for Kind { feature, parts_missing } in &kinds {
            let flags = u64::from(*parts_missing) << 1 | u64::from(feature.ordered);
            out.varint(u64::from(feature.n_codes) << 2 | flags);
        }
        out.count(forest.initial_scores().len());
        for &score in forest.initial_scores() {
            out.signed(score.into());
        }
        out.count(forest.trees().len());
        out.count(forest.n_splits());
        let form = Form::of(forest, &kinds);
        let forms = [form, Form { by_parent: true, ..form }];
        let mut best: Option<(Form, Vec<u8>)> = None;
        for form in forms.into_iter().filter(|f| f.fits(forest.features().len())) {
            let stream = encode(forest, &kinds, form);
            if best.as_ref().is_none_or(|(_, b)| stream.len() < b.len()) {
                best = Some((form, stream));
            }
        }
        let (form, mut stream) = best.unwrap_or_default();
        let n_values: usize = forest.trees().iter().map(|t| t.leaves.len()).sum();
        let least = (forest.n_splits() + n_values).div_ceil(PER_BYTE);
        stream.resize(stream.len().max(least), 0);
        out.raw(&form.bytes());
        out.count(stream.len());
        out.raw(&stream);
    }
    out.into_bytes()
}

/// The octile of a tree in its forest.
fn octile(tree: usize, n_trees: usize) -> usize {
    tree * 8 / n_trees.max(1)
}

/// What is still to be coded of a tree: a node, or the end of what hangs below a split.
enum Pending<T> {
    Node(T, Place),
    End(Place),
}

/// The two children of a split and its end, in the order in which a stack gives them back.
fn below<T>(contexts: &mut Contexts, split: &Split, at: Place, [left, right]: [T; 2]) -> [Pending<T>; 3] {
    let [yes, no, end] = contexts.places(split, at);
    [Pending::End(end), Pending::Node(right, yes), Pending::Node(left, no)]
}

fn encode(forest: &Forest, kinds: &[Kind], form: Form) -> Vec<u8> {
    let mut contexts = Contexts::new(kinds, form);
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
        contexts.start_tree(octile(i, forest.trees().len()), tree.width as usize);
        let root = if tree.splits.is_empty() { Child::Leaf(0) } else { Child::Split(0) };
        let mut pending = vec![Pending::Node(root, Place::default())];
        while let Some(next) = pending.pop() {
            let (child, place) = match next {
                Pending::Node(child, place) => (child, place),
                Pending::End(place) => {
                    contexts.enter(&place);
                    continue;
                }
            };
            contexts.enter(&place);
            match child {
                Child::Leaf(leaf) => {
                    contexts.is_leaf(&mut coder, &place, true);
                    let start = leaf as usize * tree.width as usize;
                    for (k, &value) in tree.leaves[start..start + tree.width as usize].iter().enumerate() {
                        contexts.value(&mut coder, k, value);
                    }
                }
                Child::Split(split) => {
                    contexts.is_leaf(&mut coder, &place, false);
                    let split = &tree.splits[split as usize];
                    contexts.feature(&mut coder, &place, split.feature);
                    contexts.test(&mut coder, split.feature, split.test);
                    contexts.missing(&mut coder, split.feature, split.test, split.missing_left);
                    pending.extend(below(&mut contexts, split, place, [split.left, split.right]));
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
    let mut kinds = Vec::with_capacity(n_features);
    for _ in 0..n_features {
        let word: u16 = from.small()?;
        if word >> 2 > MAX_CODES {
            return Err(from.fail("a feature has too many codes"));
        }
        let feature = CodedFeature { n_codes: word >> 2, ordered: word & 1 == 1 };
        kinds.push(Kind { feature, parts_missing: word & 2 == 2 });
    }
    let n_outputs = from.count(1)?;
    let mut initial_scores = Vec::with_capacity(n_outputs);
    for _ in 0..n_outputs {
        let score = i32::try_from(from.signed()?);
        initial_scores.push(score.map_err(|_| from.fail("an initial score has more than 32 bits"))?);
    }
    let n_trees: usize = from.small()?;
    let n_splits: usize = from.small()?;
    let form = Form::from_bytes([from.byte()?, from.byte()?]).filter(|f| f.fits(n_features));
    let form = form.ok_or_else(|| from.fail("the form of a forest is not known"))?;
    let length = from.count(1)?;
    let stream = from.take(length)?;
    let capacity = length.saturating_mul(PER_BYTE);
    if n_trees.checked_add(n_splits).is_none_or(|n| n > capacity) {
        return Err(from.fail("the trees are more than their bytes can hold"));
    }
    let mut decode = Decode {
        contexts: Contexts::new(&kinds, form),
        coder: Decoder::new(stream),
        n_features,
        n_outputs: n_outputs as u32,
        splits_left: n_splits,
        values_left: capacity,
        expected: (0, 0),
        pending: Vec::new(),
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
    let features = kinds.iter().map(|k| k.feature).collect();
    Forest::try_new(features, initial_scores, trees).map_err(|e| ill_formed(&e))
}

struct Decode<'a> {
    contexts: Contexts,
    coder: Decoder<'a>,
    n_features: usize,
    n_outputs: u32,
    splits_left: usize,
    values_left: usize,
    /// Splits and values of the tree before: room for the next one, of which no more than half is vain.
    expected: (usize, usize),
    /// A node fills a place in its parent: a split's index, true on the right.
    pending: Vec<Pending<Option<(usize, bool)>>>,
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
        let width = tree.width as usize;
        self.contexts.start_tree(octile, width);
        tree.splits.reserve(self.expected.0);
        tree.leaves.reserve(self.expected.1);
        self.pending.push(Pending::Node(None, Place::default()));
        let mut n_leaves = 0u32;
        while let Some(next) = self.pending.pop() {
            let (parent, place) = match next {
                Pending::Node(parent, place) => (parent, place),
                Pending::End(place) => {
                    self.contexts.enter(&place);
                    continue;
                }
            };
            self.contexts.enter(&place);
            let child = if self.contexts.is_leaf(&mut self.coder, &place, false) {
                self.values_left = self
                    .values_left
                    .checked_sub(width)
                    .ok_or_else(|| from.fail("the leaves are more than their bytes can hold"))?;
                for k in 0..width {
                    tree.leaves.push(self.contexts.value(&mut self.coder, k, 0));
                }
                n_leaves += 1;
                Child::Leaf(n_leaves - 1)
            } else {
                self.splits_left = self
                    .splits_left
                    .checked_sub(1)
                    .ok_or_else(|| from.fail("the trees have more splits than stated"))?;
                let feature = self.contexts.feature(&mut self.coder, &place, 0);
                if feature as usize >= self.n_features {
                    return Err(from.fail("a split asks for a feature that is not there"));
                }
                let test = self.contexts.test(&mut self.coder, feature, Test::Greater(0));
                let missing_left = self.contexts.missing(&mut self.coder, feature, test, false);
                let at = tree.splits.len();
                let unknown = Child::Leaf(0);
                let split = Split { feature, test, missing_left, left: unknown, right: unknown };
                let children = [Some((at, false)), Some((at, true))];
                self.pending.extend(below(&mut self.contexts, &split, place, children));
                tree.splits.push(split);
                Child::Split(at as u32)
            };
            match parent {
                Some((at, true)) => tree.splits[at].right = child,
                Some((at, false)) => tree.splits[at].left = child,
                None => {}
            }
        }
        self.expected = (tree.splits.len(), tree.leaves.len());
        Ok(tree)
    }
}
