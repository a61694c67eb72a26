//! Every Rust file opens with its module doc: what it is, why it stands apart, which invariant it keeps.

use anyhow::Result;

use super::Rule;
use crate::tidy::Finding;
use crate::tidy::config::Config;
use crate::tidy::pattern;
use crate::tidy::tree::Tree;

pub(crate) static RULE: Rule = Rule { name: "module-doc", check };

fn check(tree: &Tree, config: &Config) -> Result<Vec<Finding>> {
    let exempt = [&config.test_files, &config.generated_files];
    Ok(tree
        .rust_files()
        .filter(|file| !exempt.into_iter().any(|patterns| pattern::matches_any(patterns, &file.path)))
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| {
            let text = "no module doc on the first line; open with //! and what the file is".to_owned();
            Finding::failure(&file.path, 1, text)
        })
        .collect())
}
