//! `cargo xtask tidy`: the house rules that no compiler checks.
//!
//! A rule is a file in `rules/`, listed in `rules::RULES`; what it needs to know stands in `tidy.toml`, read by `config`.
//! A rule sees the whole tree as text (`tree`), Rust files with comments and literals told apart (`rust_source`),
//! and reports findings; it never changes a file.

mod config;
mod pattern;
mod rules;
mod rust_source;
#[cfg(test)]
mod tests;
mod tree;

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

use config::Config;
use tree::Tree;

/// One thing a rule found: where, and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    severity: Severity,
    text: String,
}

/// Whether a finding fails the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// The run fails.
    Failure,
    /// Printed only.
    Warning,
}

impl Finding {
    fn failure(path: &str, line: usize, text: String) -> Self {
        Self { path: path.to_owned(), line, severity: Severity::Failure, text }
    }

    fn warning(path: &str, line: usize, text: String) -> Self {
        Self { path: path.to_owned(), line, severity: Severity::Warning, text }
    }
}

/// Checks every rule on the repository that holds `folder` and writes the findings and a closing line to `out`.
/// Returns whether nothing failed.
pub(crate) fn run(folder: &Path, out: &mut dyn Write) -> Result<bool> {
    let root = folder
        .ancestors()
        .find(|folder| folder.join(config::FILE).is_file())
        .with_context(|| format!("no {} in {} or above it", config::FILE, folder.display()))?;
    let config = Config::read(root)?;
    let tree = Tree::read(root, &config.skip)?;

    let (mut failures, mut warnings) = (0, 0);
    for rule in rules::RULES {
        let mut findings = (rule.check)(&tree, &config).with_context(|| format!("rule {}", rule.name))?;
        findings.sort();
        for finding in findings {
            let mark = match finding.severity {
                Severity::Failure => {
                    failures += 1;
                    ""
                }
                Severity::Warning => {
                    warnings += 1;
                    "warning: "
                }
            };
            writeln!(out, "{}:{}: {}: {mark}{}", finding.path, finding.line, rule.name, finding.text)?;
        }
    }
    writeln!(
        out,
        "tidy: {} files, {} rules: {failures} failures, {warnings} warnings",
        tree.files().len(),
        rules::RULES.len()
    )?;
    Ok(failures == 0)
}
