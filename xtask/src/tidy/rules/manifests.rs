//! Every member takes its lints and its licence from the workspace.

use anyhow::Result;
use toml::{Table, Value};

use super::Rule;
use crate::tidy::Finding;
use crate::tidy::config::Config;
use crate::tidy::tree::{Tree, line_of_key};

pub(crate) static RULE: Rule = Rule { name: "manifests", check };

fn check(tree: &Tree, _config: &Config) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for member in tree.members() {
        if !inherits(member.manifest.get("lints")) {
            let text = "lints are not the workspace's; write [lints] and workspace = true".to_owned();
            findings.push(Finding::failure(&member.path, line_of_key(&member.text, "[lints"), text));
        }
        let package: Option<&Table> = member.manifest.get("package").and_then(Value::as_table);
        if !inherits(package.and_then(|package| package.get("license"))) {
            let text = "the licence is not the workspace's; write license.workspace = true".to_owned();
            findings.push(Finding::failure(&member.path, line_of_key(&member.text, "license"), text));
        }
    }
    Ok(findings)
}

fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")?.as_bool()) == Some(true)
}
