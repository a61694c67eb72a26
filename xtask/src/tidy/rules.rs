//! The table of rules; a rule is a file of this folder.

mod crate_edges;
mod dependency_reasons;
mod families;
mod file_size;
mod manifests;
mod module_doc;
mod names;
mod refused_words;

use anyhow::Result;

use super::Finding;
use super::config::Config;
use super::tree::Tree;

/// A rule: its name in findings and its check.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) check: fn(&Tree, &Config) -> Result<Vec<Finding>>,
}

/// Every rule, in the order in which they run.
pub(crate) static RULES: &[&Rule] = &[
    &crate_edges::RULE,
    &dependency_reasons::RULE,
    &manifests::RULE,
    &file_size::RULE,
    &module_doc::RULE,
    &names::RULE,
    &families::RULE,
    &refused_words::RULE,
];
