//! XGBoost's JSON: boosted trees (`gbtree`) and those with weights (`dart`).
//!
//! What a split asks follows `RegTree::GetNextNode` and `common::Decision` of XGBoost 3: cells are rounded to single
//! precision, less than the threshold goes left, a category in the set goes right. Trees of all rounds count, as in
//! `Booster.predict`.

use super::{Known, Library, Meaning, check_names, foreign, shown, told, unsupported};
use crate::error::Error;
use ir::RealForest;
use ir::fixed::math;
use ir::real_forest::{Precision, RealTree, Rule, SourceNode};
use serde_json::Value;
use std::borrow::Cow;
use std::str::FromStr;

const HERE: Library = Library::XgBoost;

/// The left child of a leaf.
const NONE: i64 = -1;

/// A value and where it stands, for messages.
#[derive(Clone)]
struct Place<'j> {
    value: &'j Value,
    path: String,
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl<'j> Place<'j> {
    fn fail(&self, expected: &str) -> Error {
        foreign(HERE, &self.path, expected, &kind(self.value))
    }

    fn optional(&self, key: &str) -> Option<Place<'j>> {
        let value = self.value.get(key)?;
        Some(Place { value, path: format!("{}.{key}", self.path) })
    }

    fn get(&self, key: &str) -> Result<Place<'j>, Error> {
        let fail = || foreign(HERE, &self.path, &format!("a field \"{key}\""), &kind(self.value));
        self.optional(key).ok_or_else(fail)
    }

    fn list(&self) -> Result<&'j [Value], Error> {
        self.value.as_array().map(Vec::as_slice).ok_or_else(|| self.fail("a list"))
    }

    fn text(&self) -> Result<&'j str, Error> {
        self.value.as_str().ok_or_else(|| self.fail("text"))
    }

    /// A number as XGBoost writes parameters: in quotes, or plainly.
    fn parameter<T: FromStr>(&self) -> Result<T, Error> {
        let text = match self.value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return Err(self.fail("a number")),
        };
        text.parse().map_err(|_| foreign(HERE, &self.path, "a number in range", &shown(&text)))
    }

    /// `n` elements of a list.
    fn elements<T>(
        &self,
        n: Option<usize>,
        expected: &str,
        of: impl Fn(&'j Value) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let list = self.list()?;
        if n.is_some_and(|n| n != list.len()) {
            let expected = format!("{} elements", n.unwrap_or(0));
            return Err(foreign(HERE, &self.path, &expected, &list.len()));
        }
        let mut all = Vec::with_capacity(list.len());
        for (at, value) in list.iter().enumerate() {
            let fail =
                || foreign(HERE, &format!("{}[{at}]", self.path), expected, &shown(&value.to_string()));
            all.push(of(value).ok_or_else(fail)?);
        }
        Ok(all)
    }

    fn whole<T: TryFrom<i64>>(&self, n: Option<usize>) -> Result<Vec<T>, Error> {
        self.elements(n, "whole numbers in range", |v| v.as_i64().and_then(|v| T::try_from(v).ok()))
    }

    /// Numbers of single precision, as doubles.
    fn singles(&self, n: usize) -> Result<Vec<f64>, Error> {
        let single = |v: &Value| v.as_f64().map(|v| f64::from(v as f32)).filter(|v| v.is_finite());
        self.elements(Some(n), "numbers of single precision", single)
    }

    /// The same, NaN where there is none.
    fn singles_or_nan(&self, n: usize) -> Result<Vec<f64>, Error> {
        let single = |v: &Value| match v {
            Value::Null => Some(f64::NAN),
            v => v.as_f64().map(|v| f64::from(v as f32)).filter(|v| v.is_finite()),
        };
        self.elements(Some(n), "numbers of single precision", single)
    }

    fn flags(&self, n: usize) -> Result<Vec<bool>, Error> {
        self.elements(Some(n), "0 or 1", |v| v.as_bool().or_else(|| v.as_i64().map(|v| v != 0)))
    }
}

/// The forest of a JSON text.
pub(super) fn read(bytes: &[u8]) -> Result<Known, Error> {
    let value: Value = serde_json::from_slice(&without_nan(bytes)).map_err(|e| {
        let at = format!("line {}, column {}", e.line(), e.column());
        let got = "something else, or the end of the file; save or copy it again";
        foreign(HERE, &at, "JSON", &got)
    })?;
    let learner = Place { value: &value, path: "file".to_owned() }.get("learner")?;
    let params = learner.get("learner_model_param")?;
    let n_features: u32 = params.get("num_feature")?.parameter()?;
    let features = names(&learner, n_features)?;
    let objective = learner.get("objective")?.get("name")?.text()?;
    let booster = learner.get("gradient_booster")?;
    let name = booster.get("name")?.text()?;
    let (model, weights) = match name {
        "gbtree" => (booster.get("model")?, None),
        "dart" => (booster.get("gbtree")?.get("model")?, Some(booster.get("weight_drop")?)),
        other => {
            let what = format!("booster {}", shown(other));
            return Err(unsupported(HERE, "learner.gradient_booster", &what, "train with gbtree or dart"));
        }
    };
    let cats = model.optional("cats").and_then(|cats| cats.optional("enc"));
    if let Some(cats) = cats.filter(|c| c.list().is_ok_and(|list| !list.is_empty())) {
        let instead = "train on whole numbers instead of categories of a data frame";
        return Err(unsupported(HERE, &cats.path, "a list of names of categories", instead));
    }
    let trees = model.get("trees")?;
    let n_trees = trees.list()?.len();
    let groups: Vec<u32> = model.get("tree_info")?.whole(Some(n_trees))?;
    let weights = match weights {
        Some(weights) => weights.singles(n_trees)?,
        None => vec![1.0; n_trees],
    };
    let n_outputs = n_outputs(&params, &trees, &groups)?;
    let mut read = Vec::with_capacity(n_trees);
    for (at, value) in trees.list()?.iter().enumerate() {
        let place = Place { value, path: format!("tree {at}") };
        read.push(tree(&place, groups[at], n_outputs, weights[at])?);
    }
    let meaning = meaning(objective, n_outputs)?;
    let initial = initial(&params, meaning, n_outputs)?;
    let forest = RealForest::try_new(n_features, Precision::Single, initial, read)?;
    let recipe = format!("XGBoost: {n_trees} trees of {name}, objective {objective}");
    Ok(Known { forest, features, meaning, recipe })
}

/// The bytes with `null` for each NaN that is no text: JSON has none, but XGBoost up to 2.1 writes it where a split on
/// categories has no threshold.
fn without_nan(bytes: &[u8]) -> Cow<'_, [u8]> {
    const NAN: &[u8] = b"NaN";
    if !bytes.windows(NAN.len()).any(|w| w == NAN) {
        return Cow::Borrowed(bytes);
    }
    let mut made = Vec::with_capacity(bytes.len());
    let (mut at, mut is_text) = (0, false);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => is_text = !is_text,
            b'\\' if is_text => {
                made.push(byte);
                at += 1;
            }
            b'N' if !is_text && bytes[at..].starts_with(NAN) => {
                made.extend_from_slice(b"null");
                at += NAN.len();
                continue;
            }
            _ => {}
        }
        made.extend(bytes.get(at));
        at += 1;
    }
    Cow::Owned(made)
}

fn names(learner: &Place<'_>, n_features: u32) -> Result<Vec<String>, Error> {
    let named = match learner.optional("feature_names") {
        Some(names) => names.elements(None, "text", |v| v.as_str().map(str::to_owned))?,
        None => Vec::new(),
    };
    // A number in a file makes no names; what splits ask is bounded by it, and by the nodes that are there.
    const MOST_UNNAMED: u32 = 1 << 20;
    match (named.len(), n_features) {
        (0, 1..=MOST_UNNAMED) => Ok((0..n_features).map(|at| format!("f{at}")).collect()),
        (n, n_features) if n > 0 && n as u64 == u64::from(n_features) => {
            check_names(HERE, &named)?;
            Ok(named)
        }
        (0, n) => {
            let expected = format!("1 to {MOST_UNNAMED}");
            Err(foreign(HERE, "learner.learner_model_param.num_feature", &expected, &n))
        }
        (n, _) => Err(foreign(HERE, "learner.feature_names", &format!("{n_features} names"), &n)),
    }
}

/// Number of scores: classes, or targets.
fn n_outputs(params: &Place<'_>, trees: &Place<'_>, groups: &[u32]) -> Result<usize, Error> {
    let count = |key: &str| params.optional(key).map_or(Ok(0), |p| p.parameter::<usize>());
    let n = count("num_class")?.max(count("num_target")?).max(1);
    // Each output has a tree, or a leaf has a value for it; else a number alone would ask for memory.
    let mut widest = 1;
    for (at, value) in trees.list()?.iter().enumerate() {
        let place = Place { value, path: format!("tree {at}") };
        if let Some(values) = place.optional("leaf_weights") {
            widest = widest.max(values.list()?.len());
        }
    }
    let most = widest.max(groups.len());
    if n <= most && groups.iter().all(|&group| (group as usize) < n) {
        return Ok(n);
    }
    let expected = format!("at most {most} outputs, as many as trees or leaves have, and no tree of another");
    Err(foreign(HERE, &params.path, &expected, &n))
}

fn meaning(objective: &str, n_outputs: usize) -> Result<Meaning, Error> {
    let meaning = match objective {
        "multi:softprob" | "multi:softmax" if n_outputs >= 2 => return Ok(Meaning::Softmax),
        "binary:logistic" => Meaning::Logistic,
        "count:poisson" | "reg:gamma" | "reg:tweedie" => Meaning::Exponential,
        "reg:squarederror"
        | "reg:linear"
        | "reg:squaredlogerror"
        | "reg:pseudohubererror"
        | "reg:absoluteerror"
        | "reg:quantileerror"
        | "rank:pairwise"
        | "rank:ndcg"
        | "rank:map" => Meaning::Linear,
        other => {
            let what = format!("objective {}", shown(other));
            let instead = "links here are those of binary:logistic, multi:softprob, count:poisson, reg:gamma, \
                           reg:tweedie and reg:squarederror";
            return Err(unsupported(HERE, "learner.objective", &what, instead));
        }
    };
    if n_outputs == 1 {
        return Ok(meaning);
    }
    let what = format!("{n_outputs} targets of {}", shown(objective));
    Err(unsupported(HERE, "learner.objective", &what, "train a model for each target"))
}

/// Scores before any tree: the base score, which is written as a prediction, in the space of scores.
fn initial(params: &Place<'_>, meaning: Meaning, n_outputs: usize) -> Result<Vec<f64>, Error> {
    let place = params.get("base_score")?;
    let text = match place.value {
        Value::Number(number) => number.to_string(),
        _ => place.text()?.to_owned(),
    };
    let listed = text.trim().strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(&text);
    let mut scores = Vec::new();
    for word in listed.split(',') {
        let fail = |expected: &str| foreign(HERE, &place.path, expected, &shown(word));
        let base: f64 = word.trim().parse::<f32>().map_err(|_| fail("numbers"))?.into();
        scores.push(match meaning {
            Meaning::Logistic if base > 0.0 && base < 1.0 => math::log(base / (1.0 - base)),
            Meaning::Logistic => return Err(fail("a probability above 0 and below 1")),
            Meaning::Exponential if base > 0.0 && base.is_finite() => math::log(base),
            Meaning::Exponential => return Err(fail("a number above 0")),
            Meaning::Softmax | Meaning::Linear if base.is_finite() => base,
            Meaning::Softmax | Meaning::Linear => return Err(fail("finite numbers")),
        });
    }
    match scores[..] {
        [one] => Ok(vec![one; n_outputs]),
        _ if scores.len() == n_outputs => Ok(scores),
        _ => Err(foreign(HERE, &place.path, &format!("1 or {n_outputs} numbers"), &scores.len())),
    }
}

/// The lists of a tree.
struct Lists<'j> {
    place: &'j Place<'j>,
    left: Vec<i64>,
    right: Vec<i64>,
    features: Vec<u32>,
    thresholds: Vec<f64>,
    default_left: Vec<bool>,
    is_category: Vec<bool>,
    /// Categories of nodes, with the first of each node and their number.
    categories: Vec<u32>,
    sets: Vec<(usize, usize)>,
    set_of: Vec<(i64, usize)>,
    leaves: Leaves,
    weight: f64,
}

/// Values of leaves.
enum Leaves {
    /// Stand where splits have their threshold.
    Single,
    /// Stand in a list of their own, `width` a leaf, in the order that the right child of a leaf names.
    Vectors(usize, Vec<f64>),
}

fn tree(place: &Place<'_>, group: u32, n_outputs: usize, weight: f64) -> Result<RealTree, Error> {
    let left: Vec<i64> = place.get("left_children")?.whole(None)?;
    let n = left.len();
    let param = place.get("tree_param")?;
    let width: usize = param.optional("size_leaf_vector").map_or(Ok(1), |p| p.parameter())?;
    let outputs = match width {
        0 | 1 => group..group + 1,
        width if width == n_outputs => 0..n_outputs as u32,
        width => {
            return Err(foreign(HERE, &param.path, &format!("leaves of 1 or {n_outputs} values"), &width));
        }
    };
    let leaves = if width <= 1 {
        Leaves::Single
    } else {
        let Some(list) = place.optional("leaf_weights") else {
            let what = "leaves of several values as XGBoost 2 to 3.0 wrote them";
            return Err(unsupported(
                HERE,
                &place.path,
                what,
                "load and save the model with XGBoost 3.1 or later",
            ));
        };
        // Each leaf has values of its own, so that few numbers do not become many.
        let n_values = left.iter().filter(|&&child| child == NONE).count().checked_mul(width);
        Leaves::Vectors(width, list.singles(n_values.unwrap_or(usize::MAX))?)
    };
    let is_category = match place.optional("split_type") {
        Some(types) => types.flags(n)?,
        None => vec![false; n],
    };
    let (mut categories, mut sets, mut set_of) = (Vec::new(), Vec::new(), Vec::new());
    if is_category.contains(&true) {
        let nodes: Vec<i64> = place.get("categories_nodes")?.whole(None)?;
        let starts: Vec<usize> = place.get("categories_segments")?.whole(Some(nodes.len()))?;
        let sizes: Vec<usize> = place.get("categories_sizes")?.whole(Some(nodes.len()))?;
        let list = place.get("categories")?;
        categories = list.whole(None)?;
        // Each set has members of its own, for the same reason.
        let n_members = sizes.iter().fold(0usize, |sum, &size| sum.saturating_add(size));
        if n_members > categories.len() {
            return Err(foreign(HERE, &list.path, &format!("{n_members} categories"), &categories.len()));
        }
        sets = starts.into_iter().zip(sizes).collect();
        set_of = nodes.into_iter().enumerate().map(|(at, node)| (node, at)).collect();
        set_of.sort_unstable();
    }
    let lists = Lists {
        place,
        right: place.get("right_children")?.whole(Some(n))?,
        features: place.get("split_indices")?.whole(Some(n))?,
        thresholds: place.get("split_conditions")?.singles_or_nan(n)?,
        default_left: place.get("default_left")?.flags(n)?,
        left,
        is_category,
        categories,
        sets,
        set_of,
        leaves,
        weight,
    };
    let tree = RealTree::gather(outputs, n, 0, |at| lists.node(at));
    tree.map_err(|e: Error| told(HERE, &place.path, e))
}

impl Lists<'_> {
    fn fail(&self, at: usize, what: &str, expected: &str, got: i64) -> Error {
        foreign(HERE, &format!("{}, node {at}, {what}", self.place.path), expected, &got)
    }

    fn node(&self, at: usize) -> Result<SourceNode, Error> {
        let (left, right) = (self.left[at], self.right[at]);
        if left == NONE {
            let values = match &self.leaves {
                Leaves::Single => vec![self.thresholds[at] * self.weight],
                Leaves::Vectors(width, values) => {
                    let leaf = usize::try_from(right).ok();
                    let start = leaf.and_then(|leaf| leaf.checked_mul(*width));
                    let range = start.and_then(|start| values.get(start..start.checked_add(*width)?));
                    let n = values.len() / width;
                    let range = range
                        .ok_or_else(|| self.fail(at, "right child", &format!("a leaf below {n}"), right))?;
                    range.iter().map(|v| v * self.weight).collect()
                }
            };
            return Ok(SourceNode::Leaf { id: at as u32, values });
        }
        let child = |what: &str, child: i64| {
            let n = self.left.len();
            let place = usize::try_from(child).ok().filter(|&child| child < n);
            place.ok_or_else(|| self.fail(at, what, &format!("a node below {n}"), child))
        };
        let (left, right) = (child("left child", left)?, child("right child", right)?);
        let (feature, default_left) = (self.features[at], self.default_left[at]);
        Ok(if self.is_category[at] {
            let rule = self.set(at)?;
            SourceNode::Split { feature, rule, missing_is_yes: !default_left, yes: right, no: left }
        } else {
            let rule = Rule::Less(self.thresholds[at]);
            SourceNode::Split { feature, rule, missing_is_yes: default_left, yes: left, no: right }
        })
    }

    /// The categories that go right: `c` is every number from `c` to below `c + 1`.
    fn set(&self, at: usize) -> Result<Rule, Error> {
        /// Larger ones are in no set, whatever a file says.
        const MOST: u32 = 1 << 24;
        let found = self.set_of.binary_search_by_key(&(at as i64), |&(node, _)| node).ok();
        let set = found.map(|place| self.sets[self.set_of[place].1]);
        let members = set.and_then(|(start, n)| self.categories.get(start..start.checked_add(n)?));
        let Some(members) = members else {
            return Err(self.fail(at, "categories", "a set within the list", at as i64));
        };
        let mut members: Vec<u32> = members.iter().copied().filter(|&c| c < MOST).collect();
        members.sort_unstable();
        members.dedup();
        let mut ranges: Vec<[f64; 2]> = Vec::new();
        for c in members {
            let [first, last] = [f64::from(c), f64::from(c + 1).next_down()];
            match ranges.last_mut() {
                Some(range) if range[1].next_up() == first => range[1] = last,
                _ => ranges.push([first, last]),
            }
        }
        Ok(Rule::Within(ranges))
    }
}
