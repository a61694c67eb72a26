//! A Rust file stays small enough to be read at once; tests do not count.
//!
//! Past the soft limit a warning asks for a split by concept; past the hard limit only a reasoned exception passes,
//! and an exception that is no longer needed fails, so the list stays true.

use anyhow::Result;

use super::Rule;
use crate::tidy::Finding;
use crate::tidy::config::{Config, FILE};
use crate::tidy::tree::Tree;
use crate::tidy::{pattern, rust_source};

pub(crate) static RULE: Rule = Rule { name: "file-size", check };

fn check(tree: &Tree, config: &Config) -> Result<Vec<Finding>> {
    let limits = &config.file_size;
    let mut findings = Vec::new();
    let mut needed = Vec::new();
    for file in tree.rust_files() {
        let exempt = [&config.test_files, &config.generated_files];
        if exempt.into_iter().any(|patterns| pattern::matches_any(patterns, &file.path)) {
            continue;
        }
        let lines = rust_source::lines(&file.text);
        let n_code = lines.iter().filter(|line| line.is_code() && !line.in_tests).count();
        if n_code > limits.hard && limits.exceptions.contains(&file.path) {
            needed.push(&file.path);
        } else if n_code > limits.hard {
            let text = format!("{n_code} code lines, the limit is {}; split it by concept", limits.hard);
            findings.push(Finding::failure(&file.path, 1, text));
        } else if n_code > limits.soft {
            let text =
                format!("{n_code} code lines, past the soft limit {}; split it by concept", limits.soft);
            findings.push(Finding::warning(&file.path, 1, text));
        }
    }
    for path in limits.exceptions.iter().filter(|path| !needed.contains(path)) {
        let text = format!("the size exception of {path} is not needed; remove it");
        findings.push(Finding::failure(FILE, 1, text));
    }
    Ok(findings)
}
