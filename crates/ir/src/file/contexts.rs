//! What the coder of a forest has learnt, and what a place in a tree leaves possible.
//!
//! | coded | contexts |
//! |---|---|
//! | is it a leaf | depth, and what its elder sibling is |
//! | feature | the parent's feature, where that pays |
//! | threshold | the feature; only what the splits above leave to be asked, where all splits keep to that |
//! | set | the feature and the code, of the codes that the splits above leave |
//! | missing side | the feature, and where in the possible codes the threshold lies |
//! | leaf | the eighth of the forest that the tree stands in, and the length of the leaf before |
//!
//! The writer and the reader call the same functions in the same order.

use super::coder::{Bit, Coder, n_bits, symbol, symbol_between, symbol_within};
use crate::Forest;
use crate::forest::{Child, CodeSet, CodedFeature, Split, Test, Tree};
use alloc::vec;
use alloc::vec::Vec;

/// Most features for which the parent's feature is a context.
const MAX_CONTEXT_FEATURES: usize = 256;

/// Bits below a leaf's leading one that are coded in context.
const N_HIGH: u32 = 3;

/// How a forest is coded.
#[derive(Clone, Copy, Default)]
pub(super) struct Form {
    /// The parent's feature is a context.
    pub(super) by_parent: bool,
    /// Every split asks only what the splits above it leave open.
    pub(super) narrowing: bool,
    /// Zero is told from other leaves first.
    pub(super) zero_first: bool,
    /// Bits of the largest leaf, its sign not counted.
    pub(super) longest: u32,
}

impl Form {
    /// The form that fits a forest, without the parent's feature.
    pub(super) fn of(forest: &Forest, kinds: &[Kind]) -> Form {
        let leaves = || forest.trees().iter().flat_map(|t| &t.leaves);
        let longest = leaves().map(|&l| length(l)).max().unwrap_or(0);
        let n_zero = leaves().filter(|&&l| l == 0).count();
        let form = Form { narrowing: true, zero_first: n_zero > leaves().count() / 4, ..Form::default() };
        let mut contexts = Contexts::new(kinds, form);
        let narrowing = forest.trees().iter().all(|tree| narrows(&mut contexts, tree));
        Form { narrowing, longest, ..form }
    }

    pub(super) fn bytes(self) -> [u8; 2] {
        let flags = [self.by_parent, self.narrowing, self.zero_first];
        [flags.iter().rev().fold(0, |byte, &f| byte << 1 | u8::from(f)), self.longest as u8]
    }

    pub(super) fn from_bytes([flags, longest]: [u8; 2]) -> Option<Form> {
        let flag = |i: u8| flags >> i & 1 == 1;
        let form =
            Form { by_parent: flag(0), narrowing: flag(1), zero_first: flag(2), longest: longest.into() };
        Some(form).filter(|f| flags < 8 && f.longest <= 32)
    }

    pub(super) fn fits(self, n_features: usize) -> bool {
        !self.by_parent || n_features <= MAX_CONTEXT_FEATURES
    }
}

/// Bits of a value, its sign not counted.
fn length(value: i32) -> u32 {
    32 - value.unsigned_abs().leading_zeros()
}

/// A feature, and whether a split parts missing from all its codes.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) feature: CodedFeature,
    pub(super) parts_missing: bool,
}

impl Kind {
    /// The features of a forest.
    pub(super) fn all(forest: &Forest) -> Vec<Kind> {
        let features = forest.features().iter();
        let mut kinds: Vec<Kind> = features.map(|&f| Kind { feature: f, parts_missing: false }).collect();
        for split in forest.trees().iter().flat_map(|t| &t.splits) {
            let kind = &mut kinds[split.feature as usize];
            kind.parts_missing |= split.test == Test::Greater(kind.last());
        }
        kinds
    }

    /// The last code.
    fn last(self) -> u8 {
        self.feature.n_codes.saturating_sub(1).min(255) as u8
    }
}

/// The codes of a feature that can arrive at a node: the first and the last of an ordered one, the place
/// of a set in [`Contexts::sets`] of a category.
#[derive(Clone, Copy, Default)]
struct Reach(u16, u16);

/// A place in a tree.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    depth: u8,
    right: bool,
    /// The feature of the split above, counted from 1, or 0 at the root.
    above: u32,
    /// What can arrive of it.
    reach: Reach,
}

/// True when every split of a tree asks only what those above it leave open: a threshold that parts the
/// codes, or the last code, which parts missing from them; a set of them.
fn narrows(contexts: &mut Contexts, tree: &Tree) -> bool {
    contexts.start_tree(0, 1);
    let root = (!tree.splits.is_empty()).then_some(Child::Split(0));
    let mut pending: Vec<(Option<Child>, Place)> = vec![(root, Place::default())];
    let mut narrows = true;
    while let Some((child, place)) = pending.pop() {
        contexts.enter(&place);
        if let Some(Child::Split(at)) = child {
            let split = &tree.splits[at as usize];
            let feature = split.feature as usize;
            narrows &= match split.test {
                Test::Greater(t) => {
                    let Reach(low, high) = contexts.reach[feature];
                    (low..high).contains(&t.into()) || t == contexts.kinds[feature].last()
                }
                Test::In(set) => contexts.set_at(feature).0.iter().zip(set.0).all(|(a, s)| s & !a == 0),
            };
            let [right, left, end] = contexts.places(split, place);
            pending.extend([(None, end), (Some(split.right), right), (Some(split.left), left)]);
        }
    }
    narrows
}

/// Contexts of leaf values. On the heap: a compiler takes minutes over the stores of such large arrays.
struct Values {
    zero: Vec<[Bit; 33]>,
    length: Vec<[Bit; 64]>,
    length_of_octile: Vec<[Bit; 64]>,
    sign: Vec<[Bit; 3]>,
    high: Vec<[Bit; 8]>,
}

/// What the coder has learnt of a forest.
pub(super) struct Contexts {
    form: Form,
    n_feature_bits: u32,
    n_length_bits: u32,
    kinds: Vec<Kind>,
    reach: Vec<Reach>,
    /// Codes of categories: all of each feature, then those at places of the present tree.
    sets: Vec<CodeSet>,
    n_whole_sets: usize,
    leaf: [[Bit; 3]; 16],
    /// What the node before was, for its younger sibling.
    leaf_before: bool,
    feature: Vec<Vec<Bit>>,
    any_feature: Vec<Bit>,
    /// Made when a feature is first met. Ordered: a tree of bits over thresholds. Sets: one a code.
    test: Vec<Vec<Bit>>,
    only_missing: Vec<Bit>,
    missing: Vec<[Bit; 8]>,
    values: Values,
    octile: usize,
    /// The values of the leaf before, one an output.
    before: Vec<i32>,
    pub(super) width: Bit,
}

impl Contexts {
    pub(super) fn new(features: &[Kind], form: Form) -> Contexts {
        let n_feature_bits = n_bits(features.len());
        let mut sets = Vec::new();
        let reach = features.iter().map(|kind| {
            if kind.feature.ordered {
                return Reach(0, kind.last().into());
            }
            let mut set = CodeSet::default();
            (0..kind.feature.n_codes.min(255)).for_each(|c| set.insert(c as u8));
            sets.push(set);
            index(sets.len() - 1)
        });
        let reach = reach.collect();
        let bits = |n: u32| vec![Bit::default(); 1 << n];
        let n_parents = if form.by_parent { features.len() + 1 } else { 0 };
        let bit = Bit::default();
        Contexts {
            form,
            n_feature_bits,
            n_length_bits: n_bits(form.longest as usize + 1),
            kinds: features.to_vec(),
            reach,
            n_whole_sets: sets.len(),
            sets,
            leaf: [[bit; 3]; 16],
            leaf_before: false,
            feature: vec![bits(n_feature_bits); n_parents],
            any_feature: bits(n_feature_bits),
            test: vec![Vec::new(); features.len()],
            only_missing: vec![bit; features.len()],
            missing: vec![[bit; 8]; features.len()],
            values: Values {
                zero: vec![[bit; 33]; 8],
                length: vec![[bit; 64]; 33],
                length_of_octile: vec![[bit; 64]; 8],
                sign: vec![[bit; 3]; 33],
                high: vec![[bit; 8]; 33],
            },
            octile: 0,
            before: Vec::new(),
            width: bit,
        }
    }

    pub(super) fn start_tree(&mut self, octile: usize, width: usize) {
        self.octile = octile;
        self.before.clear();
        self.before.resize(width.min(64), 0);
        self.sets.truncate(self.n_whole_sets);
    }

    /// Goes to a place: what its parent asked is known from now on.
    #[inline]
    pub(super) fn enter(&mut self, place: &Place) {
        if place.above > 0 {
            self.reach[place.above as usize - 1] = place.reach;
        }
    }

    fn set_at(&self, feature: usize) -> CodeSet {
        let Reach(low, high) = self.reach[feature];
        self.sets.get(usize::from(low) | usize::from(high) << 16).copied().unwrap_or_default()
    }

    /// The places right and left of a split, and the one behind it, where its question is open again.
    #[inline]
    pub(super) fn places(&mut self, split: &Split, at: Place) -> [Place; 3] {
        let reach = self.reach[split.feature as usize];
        let [left, right] = match split.test {
            _ if !self.form.narrowing => [reach; 2],
            Test::Greater(t) => {
                let t = u16::from(t);
                [Reach(reach.0, reach.1.min(t)), Reach(reach.0.max(t + 1), reach.1)]
            }
            Test::In(set) => {
                let all = self.set_at(split.feature as usize);
                let [mut left, mut right] = [all; 2];
                for (i, word) in set.0.iter().enumerate() {
                    left.0[i] &= !word;
                    right.0[i] &= word;
                }
                self.sets.extend([left, right]);
                [index(self.sets.len() - 2), index(self.sets.len() - 1)]
            }
        };
        let depth = at.depth.saturating_add(1);
        let place = |right, reach| Place { depth, right, above: split.feature + 1, reach };
        [place(true, right), place(false, left), place(false, reach)]
    }

    #[inline]
    pub(super) fn is_leaf<C: Coder>(&mut self, coder: &mut C, place: &Place, leaf: bool) -> bool {
        let sibling = if place.right { 1 + usize::from(self.leaf_before) } else { 0 };
        self.leaf_before = coder.bit(&mut self.leaf[usize::from(place.depth.min(15))][sibling], leaf);
        self.leaf_before
    }

    #[inline]
    pub(super) fn feature<C: Coder>(&mut self, coder: &mut C, place: &Place, feature: u32) -> u32 {
        if !self.form.by_parent {
            return symbol(coder, &mut self.any_feature, self.n_feature_bits, feature);
        }
        let narrow = &mut self.feature[place.above as usize];
        symbol_within(coder, (narrow, &mut self.any_feature), self.n_feature_bits, feature)
    }

    #[inline]
    pub(super) fn test<C: Coder>(&mut self, coder: &mut C, feature: u32, test: Test) -> Test {
        let at = feature as usize;
        let kind = self.kinds[at];
        if !kind.feature.ordered {
            let set = if let Test::In(set) = test { set } else { CodeSet::default() };
            return Test::In(self.set(coder, at, set));
        }
        let t = if let Test::Greater(t) = test { t } else { 0 };
        let n = n_bits(kind.feature.n_codes.into());
        let contexts = &mut self.test[at];
        if contexts.is_empty() {
            contexts.resize(1 << n, Bit::default());
        }
        if !self.form.narrowing {
            return Test::Greater(symbol(coder, contexts, n, t.into()) as u8);
        }
        if kind.parts_missing && coder.bit(&mut self.only_missing[at], t == kind.last()) {
            return Test::Greater(kind.last());
        }
        let Reach(low, high) = self.reach[at];
        Test::Greater(symbol_between(coder, contexts, n, (low.into(), high.into()), t.into()) as u8)
    }

    fn set<C: Coder>(&mut self, coder: &mut C, feature: usize, set: CodeSet) -> CodeSet {
        let all = self.set_at(feature);
        let contexts = &mut self.test[feature];
        if contexts.is_empty() {
            contexts.resize(256, Bit::default());
        }
        let mut read = CodeSet::default();
        for (word, first) in all.0.into_iter().zip([0u8, 64, 128, 192]) {
            let mut left = word;
            while left != 0 {
                let code = first + left.trailing_zeros() as u8;
                left &= left - 1;
                if coder.bit(&mut contexts[usize::from(code)], set.contains(code)) {
                    read.insert(code);
                }
            }
        }
        read
    }

    #[inline]
    pub(super) fn missing<C: Coder>(&mut self, coder: &mut C, feature: u32, test: Test, left: bool) -> bool {
        let bucket = match test {
            Test::Greater(t) => {
                let Reach(low, high) = self.reach[feature as usize];
                let t = u16::from(t);
                if t < low || t >= high { 6 } else { usize::from((t - low) * 6 / (high - low)) }
            }
            Test::In(_) => 7,
        };
        coder.bit(&mut self.missing[feature as usize][bucket], left)
    }

    /// A leaf's value for its `k`-th output: zero or its length in bits, its sign, then the bits below
    /// the leading one, the first of them in context.
    #[inline]
    pub(super) fn value<C: Coder>(&mut self, coder: &mut C, k: usize, value: i32) -> i32 {
        let slot = k & 63;
        let before = self.before.get(slot).copied().unwrap_or(0);
        let n_before = length(before) as usize;
        let size = value.unsigned_abs();
        let zero = &mut self.values.zero[self.octile][n_before];
        let length = if self.form.zero_first && coder.bit(zero, size == 0) {
            0
        } else {
            let narrow = &mut self.values.length[n_before];
            let wide = &mut self.values.length_of_octile[self.octile];
            symbol_within(coder, (narrow, wide), self.n_length_bits, length(value)).min(32)
        };
        if length == 0 {
            self.remember(slot, 0);
            return 0;
        }
        let sign = &mut self.values.sign[length as usize][(before.signum() + 1) as usize];
        let negative = coder.bit(sign, value < 0);
        let mut read = 1u32;
        let n_high = (length - 1).min(N_HIGH);
        for i in 0..n_high {
            let bit = size >> (length - 2 - i) & 1 == 1;
            let bit = coder.bit(&mut self.values.high[length as usize][read as usize], bit);
            read = read << 1 | u32::from(bit);
        }
        let n_low = length - 1 - n_high;
        if n_low > 0 {
            read = read << n_low | coder.flat(n_low, size & ((1 << n_low) - 1));
        }
        let read = i64::from(read);
        let value = if negative { -read } else { read }.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
        self.remember(slot, value);
        value
    }

    #[inline]
    fn remember(&mut self, slot: usize, value: i32) {
        if let Some(before) = self.before.get_mut(slot) {
            *before = value;
        }
    }
}

/// The place of a set.
fn index(at: usize) -> Reach {
    Reach(at as u16, (at >> 16) as u16)
}
