//! Some text is refused in everything that is committed: paths of one machine, hosts of package registries, notes to self.

use anyhow::Result;

use super::Rule;
use crate::tidy::config::{Config, Place, RefusedWord};
use crate::tidy::tree::{File, Tree};
use crate::tidy::{Finding, pattern, rust_source};

pub(crate) static RULE: Rule = Rule { name: "refused-words", check };

fn check(tree: &Tree, config: &Config) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in tree.files() {
        let is_test_file = pattern::matches_any(&config.test_files, &file.path);
        let code = if file.extension() == "rs" { rust_source::lines(&file.text) } else { Vec::new() };
        for (at, line) in file.text.lines().enumerate() {
            let in_tests = is_test_file || code.get(at).is_some_and(|line| line.in_tests);
            for word in &config.refused_words {
                let place = match word.place {
                    Place::Text => line,
                    Place::Code => code.get(at).map_or("", |line| line.code.as_str()),
                };
                if !(word.tests_may && in_tests) && holds(place, word) {
                    findings.push(finding(file, at + 1, word));
                }
            }
        }
    }
    Ok(findings)
}

fn finding(file: &File, line: usize, word: &RefusedWord) -> Finding {
    Finding::failure(&file.path, line, format!("{:?} is refused; {}", word.text, word.instead))
}

fn holds(line: &str, word: &RefusedWord) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(&word.text).any(|(at, _)| {
        let left = line[..at].chars().next_back();
        let right = line[at + word.text.len()..].chars().next();
        let free_left = !left.is_some_and(|c| is_name(c) || c == '.' || c == '-');
        let free_right = !(word.text.ends_with(is_name) && right.is_some_and(is_name));
        !word.whole || (free_left && free_right)
    })
}
