//! A workspace member depends only on the members that the design allows it.
//!
//! Dependencies of tests are free: laws run the runtime from everywhere.

use anyhow::Result;
use toml::Table;

use super::Rule;
use crate::tidy::Finding;
use crate::tidy::config::{Config, FILE};
use crate::tidy::tree::{Tree, line_of_key};

pub(crate) static RULE: Rule = Rule { name: "crate-edges", check };

fn check(tree: &Tree, config: &Config) -> Result<Vec<Finding>> {
    let workspace = tree.workspace_dependencies();
    let mut findings = Vec::new();
    for member in tree.members() {
        let Some(may_use) = config.edges.get(&member.name) else {
            let text =
                format!("crate {:?} is not listed; add a [[crate]] with its edges to {FILE}", member.name);
            findings.push(Finding::failure(&member.path, 1, text));
            continue;
        };
        for key in normal_dependencies(&member.manifest) {
            let Some(target) = member_behind(&key, &member.manifest, &workspace) else { continue };
            if !may_use.contains(&target) {
                let text = format!(
                    "{} may not use {target}, only {}; move the code, or change the design and {FILE}",
                    member.name,
                    if may_use.is_empty() { "no other crate".to_owned() } else { may_use.join(", ") },
                );
                findings.push(Finding::failure(&member.path, line_of_key(&member.text, &key), text));
            }
        }
    }
    Ok(findings)
}

/// The tables of a manifest that hold dependencies of the crate itself, tests apart.
pub(crate) fn normal_tables(manifest: &Table) -> Vec<&Table> {
    let targets = manifest.get("target").and_then(|target| target.as_table());
    let places =
        targets.into_iter().flat_map(|targets| targets.values().filter_map(|place| place.as_table()));
    std::iter::once(manifest)
        .chain(places)
        .flat_map(|place| [place.get("dependencies"), place.get("build-dependencies")])
        .filter_map(|table| table?.as_table())
        .collect()
}

fn normal_dependencies(manifest: &Table) -> Vec<String> {
    normal_tables(manifest).into_iter().flat_map(|table| table.keys().cloned()).collect()
}

/// The member that a dependency points at by path, directly or through the workspace; none for an outside crate.
fn member_behind(key: &str, manifest: &Table, workspace: &Table) -> Option<String> {
    let direct = normal_tables(manifest).into_iter().find_map(|table| table.get(key)?.get("path")?.as_str());
    let path = direct.or_else(|| workspace.get(key)?.get("path")?.as_str())?;
    path.rsplit('/').next().map(str::to_owned)
}
