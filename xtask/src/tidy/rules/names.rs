//! Module, file and folder names say what a thing is; the ones that could hold anything are refused.

use anyhow::Result;

use super::Rule;
use crate::tidy::Finding;
use crate::tidy::config::Config;
use crate::tidy::rust_source;
use crate::tidy::tree::Tree;

pub(crate) static RULE: Rule = Rule { name: "names", check };

fn check(tree: &Tree, config: &Config) -> Result<Vec<Finding>> {
    let refused = |name: &str| config.refused_names.iter().any(|refused| refused == name);
    let mut findings = Vec::new();
    for file in tree.rust_files() {
        let folders = file.path.rsplit_once('/').map_or("", |(folders, _)| folders).split('/');
        for name in folders.chain([file.stem()]).filter(|name| refused(name)) {
            let text = match name {
                "mod" => "mod.rs is refused; write foo.rs beside the folder foo/".to_owned(),
                _ => format!("the name {name:?} says nothing; name the concept it holds"),
            };
            findings.push(Finding::failure(&file.path, 1, text));
        }
        for (at, line) in rust_source::lines(&file.text).iter().enumerate() {
            if let Some(name) = inline_module(&line.code).filter(|name| refused(name)) {
                let text = format!("the module name {name:?} says nothing; name the concept it holds");
                findings.push(Finding::failure(&file.path, at + 1, text));
            }
        }
    }
    Ok(findings)
}

/// The name of the module whose body opens on this line of code.
fn inline_module(code: &str) -> Option<&str> {
    let mut words = code.trim().strip_suffix('{')?.split_whitespace();
    words.find(|&word| word == "mod")?;
    words.next()
}
