//! LightGBM's text: lines `key=value` of a header, then of each tree.
//!
//! What a split asks follows `Tree::NumericalDecision` and `Tree::CategoricalDecision` of LightGBM 4, whose deeds with
//! missing cells, zeros that count as missing and categories written as numbers are rules of [`ir::real_forest`] here.

use super::{Known, Library, Meaning, check_names, foreign, shown, told, unsupported};
use crate::error::Error;
use ir::RealForest;
use ir::real_forest::{Precision, RealTree, Rule, SourceNode};
use std::collections::BTreeMap;
use std::str::FromStr;

const HERE: Library = Library::LightGbm;

/// The versions of the text that say the same.
const VERSIONS: &[&str] = &["v2", "v3", "v4"];

/// LightGBM's `kZeroThreshold`: when a row is read, numbers not further from 0 than this become 0.
const ZERO: f64 = 1e-35f32 as f64;

/// Lines of the header or of one tree.
struct Section<'t> {
    name: String,
    lines: BTreeMap<&'t str, &'t str>,
}

impl<'t> Section<'t> {
    fn at(&self, key: &str) -> String {
        format!("{}, {key}", self.name)
    }

    fn text(&self, key: &str) -> Result<&'t str, Error> {
        let found = self.lines.get(key).copied();
        found.ok_or_else(|| foreign(HERE, &self.at(key), "a line with it", &"none"))
    }

    fn number<T: FromStr>(&self, key: &str) -> Result<T, Error> {
        let text = self.text(key)?.trim();
        text.parse().map_err(|_| foreign(HERE, &self.at(key), "a number in range", &shown(text)))
    }

    /// `n` numbers; only what is there takes memory.
    fn list<T: FromStr>(&self, key: &str, n: usize) -> Result<Vec<T>, Error> {
        let text = self.text(key)?;
        let mut all = Vec::new();
        for word in text.split_ascii_whitespace() {
            let number =
                word.parse().map_err(|_| foreign(HERE, &self.at(key), "numbers in range", &shown(word)))?;
            all.push(number);
        }
        if all.len() != n {
            return Err(foreign(HERE, &self.at(key), &format!("{n} numbers"), &all.len()));
        }
        Ok(all)
    }
}

/// The forest of a text.
pub(super) fn read(bytes: &[u8]) -> Result<Known, Error> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| foreign(HERE, &format!("byte {}", e.valid_up_to()), "text in UTF-8", &"other bytes"))?;
    let mut sections = vec![Section { name: "header".to_owned(), lines: BTreeMap::new() }];
    let mut is_whole = false;
    for line in text.lines() {
        let line = line.trim_end();
        if line == "end of trees" {
            is_whole = true;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        if is_whole {
            // Behind the trees stand importances and parameters, and what pandas called its categories.
            let named = line.strip_prefix("pandas_categorical:").map(str::trim);
            if named.is_some_and(|names| !matches!(names, "" | "null" | "[]")) {
                let instead = "train on whole numbers instead of categories of pandas";
                return Err(unsupported(
                    HERE,
                    "pandas_categorical",
                    "a list of names of categories",
                    instead,
                ));
            }
            continue;
        }
        if key == "Tree" {
            let name = format!("tree {}", sections.len() - 1);
            if value != (sections.len() - 1).to_string() {
                return Err(foreign(HERE, &name, &format!("Tree={}", sections.len() - 1), &shown(line)));
            }
            sections.push(Section { name, lines: BTreeMap::new() });
        } else if let (Some(section), false) = (sections.last_mut(), key.is_empty()) {
            section.lines.insert(key, value);
        }
    }
    if !is_whole {
        let got = "the end of the file; it is truncated, copy it again";
        let last = sections.last().map_or("header", |s| s.name.as_str());
        return Err(foreign(HERE, last, "\"end of trees\"", &got));
    }
    let trees = sections.split_off(1);
    let header = &sections[0];
    of_sections(header, &trees)
}

fn of_sections(header: &Section<'_>, trees: &[Section<'_>]) -> Result<Known, Error> {
    let version = header.text("version")?;
    if !VERSIONS.contains(&version) {
        let what = format!("version {}", shown(version));
        return Err(unsupported(HERE, "header", &what, "save the model with LightGBM 2.3 to 4"));
    }
    let most_idx: u32 = header.number("max_feature_idx")?;
    let features: Vec<String> = header.text("feature_names")?.split(' ').map(str::to_owned).collect();
    if u64::from(most_idx) + 1 != features.len() as u64 {
        let expected = format!("max_feature_idx + 1 = {} of them", u64::from(most_idx) + 1);
        return Err(foreign(HERE, "header, feature_names", &expected, &features.len()));
    }
    check_names(HERE, &features)?;
    let per_round: usize = header.number("num_tree_per_iteration")?;
    if per_round == 0 || !trees.len().is_multiple_of(per_round) {
        let expected = format!("a number that divides {} trees", trees.len());
        return Err(foreign(HERE, "header, num_tree_per_iteration", &expected, &per_round));
    }
    // A multiple of more than there are trees is 0 trees, whose scores would be made for nothing.
    if per_round > trees.len().max(1) {
        return Err(foreign(
            HERE,
            "header, num_tree_per_iteration",
            "at most the number of trees",
            &per_round,
        ));
    }
    let (meaning, factor) = objective(header, per_round)?;
    let n_rounds = trees.len() / per_round;
    // A random forest gives the mean of its rounds.
    let is_average = header.lines.contains_key("average_output");
    let scale = |leaf: f64| if is_average { leaf / n_rounds as f64 * factor } else { leaf * factor };
    let mut read = Vec::with_capacity(trees.len());
    for (at, section) in trees.iter().enumerate() {
        let output = (at % per_round) as u32;
        read.push(tree(section, output, features.len() as u32, &scale)?);
    }
    let n_features = features.len() as u32;
    let forest = RealForest::try_new(n_features, Precision::Double, vec![0.0; per_round], read)?;
    let objective = header.lines.get("objective").copied().unwrap_or("none").trim();
    let recipe = format!("LightGBM {version}: {} trees, objective {objective}", trees.len());
    Ok(Known { forest, features, meaning, recipe })
}

/// What scores mean, and the factor in front of them.
fn objective(header: &Section<'_>, per_round: usize) -> Result<(Meaning, f64), Error> {
    let text = header.lines.get("objective").copied().unwrap_or("custom");
    let mut words = text.split_ascii_whitespace();
    let name = words.next().unwrap_or("custom");
    let mut factor = 1.0;
    for word in words {
        let fail = || foreign(HERE, "header, objective", "a number above 0", &shown(word));
        match word.split_once(':') {
            Some(("sigmoid", value)) => {
                factor = value.parse().ok().filter(|f: &f64| f.is_finite() && *f > 0.0).ok_or_else(fail)?;
            }
            Some(("num_class", value)) => {
                let n: usize = value.parse().map_err(|_| fail())?;
                if n != per_round {
                    return Err(foreign(
                        HERE,
                        "header, num_class",
                        &format!("{per_round} trees a round"),
                        &n,
                    ));
                }
            }
            // How a loss was tuned does not matter when it predicts.
            Some(("alpha" | "c" | "fair_c" | "tweedie_variance_power" | "poisson_max_delta_step", _)) => {}
            None if name.starts_with("lambdarank") || name.starts_with("rank") => {}
            _ => {
                let what = format!("objective {}", shown(text));
                return Err(unsupported(HERE, "header", &what, "train without this option of the objective"));
            }
        }
    }
    let single = |meaning| {
        if per_round == 1 {
            return Ok((meaning, factor));
        }
        Err(foreign(HERE, "header, num_tree_per_iteration", "1 for this objective", &per_round))
    };
    match name {
        "binary" => single(Meaning::Logistic),
        "multiclass" | "softmax" if per_round >= 2 => Ok((Meaning::Softmax, 1.0)),
        "poisson" | "gamma" | "tweedie" => single(Meaning::Exponential),
        "regression" | "regression_l2" | "regression_l1" | "huber" | "fair" | "quantile" | "mape"
        | "lambdarank" | "rank_xendcg" | "custom" => single(Meaning::Linear),
        other => {
            let what = format!("objective {}", shown(other));
            let instead =
                "links here are those of binary, multiclass, poisson, gamma, tweedie and regression";
            Err(unsupported(HERE, "header", &what, instead))
        }
    }
}

/// The lists of a tree.
struct Lists {
    features: Vec<u32>,
    thresholds: Vec<f64>,
    decisions: Vec<u8>,
    left: Vec<i64>,
    right: Vec<i64>,
    leaves: Vec<f64>,
    /// Bits of categories and where those of each split begin.
    cat_words: Vec<u32>,
    cat_starts: Vec<usize>,
}

fn tree(
    section: &Section<'_>,
    output: u32,
    n_features: u32,
    scale: &dyn Fn(f64) -> f64,
) -> Result<RealTree, Error> {
    if section.lines.get("is_linear").is_some_and(|v| *v != "0") {
        let what = "a linear model in each leaf (linear_tree)";
        return Err(unsupported(HERE, &section.name, what, "train without linear_tree"));
    }
    let n_leaves: usize = section.number("num_leaves")?;
    let n_splits = n_leaves
        .checked_sub(1)
        .ok_or_else(|| foreign(HERE, &section.at("num_leaves"), "1 or more", &n_leaves))?;
    let leaves: Vec<f64> = section.list("leaf_value", n_leaves)?;
    let lists = if n_splits == 0 {
        Lists {
            features: Vec::new(),
            thresholds: Vec::new(),
            decisions: Vec::new(),
            left: Vec::new(),
            right: Vec::new(),
            leaves,
            cat_words: Vec::new(),
            cat_starts: Vec::new(),
        }
    } else {
        let n_cat: usize =
            if section.lines.contains_key("num_cat") { section.number("num_cat")? } else { 0 };
        let cat_starts: Vec<usize> = match n_cat {
            0 => Vec::new(),
            n => section.list("cat_boundaries", n.saturating_add(1))?,
        };
        let cat_words = match cat_starts.last() {
            Some(&n) => section.list("cat_threshold", n)?,
            None => Vec::new(),
        };
        Lists {
            features: section.list("split_feature", n_splits)?,
            thresholds: section.list("threshold", n_splits)?,
            decisions: section.list("decision_type", n_splits)?,
            left: section.list("left_child", n_splits)?,
            right: section.list("right_child", n_splits)?,
            leaves,
            cat_words,
            cat_starts,
        }
    };
    lists.check_sets(section)?;
    let node = |at: usize| lists.node(section, at, n_features, scale);
    // Leaves are numbered behind the splits.
    let root = if n_splits == 0 { n_splits } else { 0 };
    let n_nodes = n_splits.saturating_add(n_leaves);
    let tree = RealTree::gather(output..output + 1, n_nodes, root, node);
    let tree = tree.map_err(|e: Error| told(HERE, &section.name, e))?;
    if tree.splits.len() != n_splits {
        let expected = format!("all {n_splits} splits below the first");
        return Err(foreign(HERE, &section.name, &expected, &tree.splits.len()));
    }
    Ok(tree)
}

const CATEGORY: u8 = 1;
const DEFAULT_LEFT: u8 = 2;

impl Lists {
    /// Each split has a set of its own, so that few words do not become many.
    fn check_sets(&self, section: &Section<'_>) -> Result<(), Error> {
        let mut n_words = 0usize;
        for (&place, &decision) in self.thresholds.iter().zip(&self.decisions) {
            if decision & CATEGORY != 0 {
                n_words = n_words.saturating_add(self.words(section, place)?.len());
            }
        }
        let n = self.cat_words.len();
        if n_words <= n {
            return Ok(());
        }
        let expected = format!("sets of {n} words in all, each for one split");
        Err(foreign(HERE, &section.at("threshold"), &expected, &n_words))
    }

    fn node(
        &self,
        section: &Section<'_>,
        at: usize,
        n_features: u32,
        scale: &dyn Fn(f64) -> f64,
    ) -> Result<SourceNode, Error> {
        let n_splits = self.features.len();
        if let Some(leaf) = at.checked_sub(n_splits) {
            let value = self.leaves.get(leaf).copied().unwrap_or(f64::NAN);
            if !value.is_finite() {
                let expected = "finite numbers";
                return Err(foreign(HERE, &section.at("leaf_value"), expected, &value));
            }
            return Ok(SourceNode::Leaf { id: leaf as u32, values: vec![scale(value)] });
        }
        let child = |key: &str, child: i64| {
            // Below zero it is the complement of a leaf.
            let place = if child >= 0 { (child, n_splits) } else { (!child, self.leaves.len()) };
            match usize::try_from(place.0) {
                Ok(k) if k < place.1 => Ok(if child >= 0 { k } else { n_splits + k }),
                _ => {
                    let expected = format!("a split below {n_splits} or a leaf from -{}", self.leaves.len());
                    Err(foreign(HERE, &section.at(key), &expected, &child))
                }
            }
        };
        let (feature, threshold, decision) = (self.features[at], self.thresholds[at], self.decisions[at]);
        if feature >= n_features {
            let expected = format!("below {n_features}");
            return Err(foreign(HERE, &section.at("split_feature"), &expected, &feature));
        }
        if threshold.is_nan() {
            return Err(foreign(HERE, &section.at("threshold"), "numbers", &"NaN"));
        }
        let default_left = decision & DEFAULT_LEFT != 0;
        let (rule, missing_is_yes) = match (decision & CATEGORY != 0, decision >> 2) {
            // Missing is in no set.
            (true, _) => (self.categories(section, threshold)?, false),
            // Missing counts as zero.
            (false, 0) => (at_most(threshold), 0.0 <= threshold),
            // Zero counts as missing.
            (false, 1) => (zeros_apart(threshold, default_left), default_left),
            (false, 2) => (at_most(threshold), default_left),
            (false, _) => {
                return Err(foreign(HERE, &section.at("decision_type"), "0 to 11", &decision));
            }
        };
        let (yes, no) = (child("left_child", self.left[at])?, child("right_child", self.right[at])?);
        Ok(SourceNode::Split { feature, rule, missing_is_yes, yes, no })
    }

    /// The bits of the set whose place stands instead of a threshold.
    fn words(&self, section: &Section<'_>, place: f64) -> Result<&[u32], Error> {
        let n_sets = self.cat_starts.len().saturating_sub(1);
        if !(place >= 0.0 && place < n_sets as f64) {
            let expected = format!("the place of one of {n_sets} sets");
            return Err(foreign(HERE, &section.at("threshold"), &expected, &place));
        }
        let at = place as usize;
        let words = self.cat_words.get(self.cat_starts[at]..self.cat_starts[at + 1]);
        words.ok_or_else(|| foreign(HERE, &section.at("cat_boundaries"), "rising places of words", &"others"))
    }

    /// The set of a split: bit `k` stands for numbers whose whole part is `k`.
    fn categories(&self, section: &Section<'_>, place: f64) -> Result<Rule, Error> {
        let words = self.words(section, place)?;
        let mut ranges: Vec<[f64; 2]> = Vec::new();
        let mut run: Option<usize> = None;
        for bit in 0..=words.len() * 32 {
            let is_in = words.get(bit / 32).is_some_and(|word| word >> (bit % 32) & 1 == 1);
            match (run, is_in) {
                (None, true) => run = Some(bit),
                (Some(start), false) => {
                    // The whole part of what lies between -1 and 0 is 0 too.
                    let first = if start == 0 { (-1.0f64).next_up() } else { start as f64 };
                    ranges.push([first, (bit as f64).next_down()]);
                    run = None;
                }
                _ => {}
            }
        }
        Ok(Rule::Within(ranges))
    }
}

/// `x <= threshold` once zeros are zeros.
fn at_most(threshold: f64) -> Rule {
    if threshold.abs() > ZERO { Rule::LessEqual(threshold) } else { zeros_apart(threshold, 0.0 <= threshold) }
}

/// `x <= threshold`, but zeros go to a side of their own.
fn zeros_apart(threshold: f64, left: bool) -> Rule {
    let least = f64::NEG_INFINITY;
    Rule::Within(match (left, threshold < -ZERO) {
        (true, true) => vec![[least, threshold], [-ZERO, ZERO]],
        (true, false) => vec![[least, threshold.max(ZERO)]],
        (false, true) => vec![[least, threshold]],
        (false, false) => {
            let below = [least, (-ZERO).next_down()];
            if threshold > ZERO { vec![below, [ZERO.next_up(), threshold]] } else { vec![below] }
        }
    })
}
