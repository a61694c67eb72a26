//! A family is a folder, a member a file, and one visible table names every member.
//!
//! A file that the table does not name could never be reached by name; a table line without a file is a leftover.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use super::Rule;
use crate::tidy::Finding;
use crate::tidy::config::{Config, Family};
use crate::tidy::rust_source;
use crate::tidy::tree::{File, Tree};

pub(crate) static RULE: Rule = Rule { name: "families", check };

fn check(tree: &Tree, config: &Config) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for family in &config.families {
        check_family(tree, family, &mut findings).with_context(|| format!("family {:?}", family.name))?;
    }
    Ok(findings)
}

fn check_family(tree: &Tree, family: &Family, findings: &mut Vec<Finding>) -> Result<()> {
    let Some(table_file) = tree.file(&family.table_file) else {
        bail!("there is no table file {}", family.table_file);
    };
    let in_dir = |file: &&File| file.path.rsplit_once('/').is_some_and(|(dir, _)| dir == family.dir);
    let is_member = |name: &str| !family.except.iter().any(|except| except == name);
    let members: Vec<&File> =
        tree.rust_files().filter(in_dir).filter(|file| is_member(file.stem())).collect();
    let listed = listed_names(table_file, &family.pattern)?;

    for file in &members {
        if !listed.contains_key(file.stem()) {
            let entry = family.pattern.replace("{name}", file.stem());
            let text = format!(
                "{} is not in the table of {}; add `{entry}` to {}",
                file.stem(),
                family.name,
                family.table_file
            );
            findings.push(Finding::failure(&file.path, 1, text));
        }
    }
    for (name, line) in &listed {
        if is_member(name) && !members.iter().any(|file| file.stem() == name) {
            let text = format!(
                "{} lists {name}, but there is no {}/{name}.rs; remove one or add the other",
                family.name, family.dir
            );
            findings.push(Finding::failure(&table_file.path, *line, text));
        }
    }
    Ok(())
}

/// The names for which the pattern occurs in the code of `file`, with the first line of each.
fn listed_names(file: &File, pattern: &str) -> Result<BTreeMap<String, usize>> {
    let (before, after) = pattern.split_once("{name}").context("the pattern has no {name}")?;
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut names = BTreeMap::new();
    for (at, line) in rust_source::lines(&file.text).iter().enumerate().filter(|(_, line)| !line.in_tests) {
        for (start, _) in line.code.char_indices() {
            let touches_name = |text: &str| text.chars().next_back().is_some_and(is_name);
            let Some(rest) = line.code[start..].strip_prefix(before) else { continue };
            let name = &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())];
            if name.is_empty() || !rest[name.len()..].starts_with(after) || touches_name(&line.code[..start])
            {
                continue;
            }
            names.entry(name.to_owned()).or_insert(at + 1);
        }
    }
    Ok(names)
}
