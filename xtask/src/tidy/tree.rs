//! The repository as the rules see it: every text file they may ask for, read once, and the workspace's manifests.
//!
//! Paths are relative to the root, use `/`, and are sorted, so findings come in the same order on every machine.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use toml::Table;

use super::pattern;

/// The kinds of file that are read: the ones in which words are refused, and the ones other rules look into.
const EXTENSIONS: &[&str] = &["rs", "md", "toml", "sh", "py", "yml"];
/// Scripts without an extension.
const SCRIPTS: &[&str] = &[".ci/run"];

/// One text file.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A workspace member's manifest.
pub(crate) struct Member {
    /// The name of its folder, which is also the name by which others depend on it.
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) manifest: Table,
}

/// All files, the root manifest and the members' manifests.
pub(crate) struct Tree {
    files: Vec<File>,
    root_manifest: Table,
    members: Vec<Member>,
}

impl Tree {
    /// Reads everything under `root` but the paths that match a pattern of `skip`.
    pub(crate) fn read(root: &Path, skip: &[String]) -> Result<Self> {
        let mut files = Vec::new();
        collect(root, "", skip, &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));

        let root_file =
            files.iter().find(|file| file.path == "Cargo.toml").context("no Cargo.toml at the root")?;
        let root_manifest = parse(root_file)?;
        let patterns: Vec<String> = root_manifest
            .get("workspace")
            .and_then(|workspace| workspace.get("members")?.as_array())
            .context("Cargo.toml: no workspace.members")?
            .iter()
            .filter_map(|member| Some(format!("{}/Cargo.toml", member.as_str()?)))
            .collect();
        let members = files
            .iter()
            .filter(|file| pattern::matches_any(&patterns, &file.path))
            .map(|file| {
                let folder = file.path.trim_end_matches("/Cargo.toml");
                let name = folder.rsplit('/').next().unwrap_or(folder).to_owned();
                let manifest = parse(file)?;
                Ok(Member { name, path: file.path.clone(), text: file.text.clone(), manifest })
            })
            .collect::<Result<_>>()?;
        Ok(Self { files, root_manifest, members })
    }

    pub(crate) fn files(&self) -> &[File] {
        &self.files
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    pub(crate) fn rust_files(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.extension() == "rs")
    }

    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// `[workspace.dependencies]` of the root manifest.
    pub(crate) fn workspace_dependencies(&self) -> Table {
        self.root_manifest
            .get("workspace")
            .and_then(|workspace| workspace.get("dependencies")?.as_table())
            .cloned()
            .unwrap_or_default()
    }
}

impl File {
    /// What follows the last dot of the file's name; a script without one counts as `sh`.
    pub(crate) fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.rsplit_once('.').map_or("sh", |(_, extension)| extension)
    }

    /// The file's name without its extension.
    pub(crate) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }
}

/// The first line of `text` that declares the TOML key `key`, or line 1.
pub(crate) fn line_of_key(text: &str, key: &str) -> usize {
    let declares = |line: &str| {
        let line = line.trim_start();
        let ends_at_name = |rest: &str| rest.trim_start().starts_with(['=', '.', ']']);
        line.strip_prefix(key).is_some_and(ends_at_name)
            || (line.starts_with('[') && line.trim_end().ends_with(&format!(".{key}]")))
    };
    text.lines().position(declares).map_or(1, |at| at + 1)
}

fn parse(file: &File) -> Result<Table> {
    file.text.parse().with_context(|| format!("{}: not valid TOML", file.path))
}

fn collect(folder: &Path, prefix: &str, skip: &[String], files: &mut Vec<File>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        if pattern::matches_any(skip, &path) {
            continue;
        }
        let kind = entry.file_type()?;
        let wanted = SCRIPTS.contains(&path.as_str())
            || name.rsplit_once('.').is_some_and(|(_, extension)| EXTENSIONS.contains(&extension));
        if kind.is_dir() {
            collect(&entry.path(), &path, skip, files)?;
        } else if kind.is_file() && wanted {
            let text =
                fs::read_to_string(entry.path()).with_context(|| format!("cannot read {path} as text"))?;
            files.push(File { path, text });
        }
    }
    Ok(())
}
