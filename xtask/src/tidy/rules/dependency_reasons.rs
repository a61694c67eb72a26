//! Every outside crate has its reason in ARCHITECTURE.md, and is declared once, in the workspace.

use anyhow::Result;

use super::{Rule, crate_edges};
use crate::tidy::Finding;
use crate::tidy::config::Config;
use crate::tidy::tree::{Tree, line_of_key};

pub(crate) static RULE: Rule = Rule { name: "dependency-reasons", check };

const PLACE: &str = "ARCHITECTURE.md";

fn check(tree: &Tree, _config: &Config) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let reasons = tree.file(PLACE).map_or("", |file| file.text.as_str());
    let root_text = tree.file("Cargo.toml").map_or("", |file| file.text.as_str());
    for (name, declared) in &tree.workspace_dependencies() {
        if declared.get("path").is_none() && !reasons.contains(&format!("`{name}`")) {
            let text = format!("{name} has no reason; add a line with `{name}` to {PLACE}");
            findings.push(Finding::failure("Cargo.toml", line_of_key(root_text, name), text));
        }
    }
    for member in tree.members() {
        let tests = member.manifest.get("dev-dependencies").and_then(|table| table.as_table());
        for table in crate_edges::normal_tables(&member.manifest).into_iter().chain(tests) {
            for (name, declared) in table {
                let from_workspace = declared.get("workspace").and_then(|flag| flag.as_bool()) == Some(true);
                if !from_workspace && declared.get("path").is_none() {
                    let text =
                        format!("{name} is declared here; declare it once in [workspace.dependencies]");
                    findings.push(Finding::failure(&member.path, line_of_key(&member.text, name), text));
                }
            }
        }
    }
    Ok(findings)
}
