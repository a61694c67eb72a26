//! `tidy.toml` as typed values.
//!
//! Every key is read here and nowhere else; an unknown key is an error, so a misspelt exception cannot pass in silence.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

/// The name of the configuration file; the folder that holds it is the root.
pub(crate) const FILE: &str = "tidy.toml";

/// All that the rules need to know.
pub(crate) struct Config {
    /// Paths that are not read at all.
    pub(crate) skip: Vec<String>,
    /// Rust files that are tests as a whole.
    pub(crate) test_files: Vec<String>,
    /// Rust files written by a program.
    pub(crate) generated_files: Vec<String>,
    /// Member name to the members it may depend on.
    pub(crate) edges: BTreeMap<String, Vec<String>>,
    pub(crate) file_size: FileSize,
    /// Module, file and folder names that say nothing.
    pub(crate) refused_names: Vec<String>,
    pub(crate) families: Vec<Family>,
    pub(crate) refused_words: Vec<RefusedWord>,
}

/// Limits in lines of code, tests apart.
pub(crate) struct FileSize {
    pub(crate) soft: usize,
    pub(crate) hard: usize,
    /// Paths of files that may be larger than `hard`.
    pub(crate) exceptions: Vec<String>,
}

/// A folder whose files must all stand in one table.
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) dir: String,
    pub(crate) table_file: String,
    /// How the table names a member; `{name}` stands for the file's stem.
    pub(crate) pattern: String,
    /// Files of the folder, without `.rs`, that are no members.
    pub(crate) except: Vec<String>,
}

/// Text that no committed file may hold.
pub(crate) struct RefusedWord {
    /// Written in parts in `tidy.toml`, so that the file does not flag itself.
    pub(crate) text: String,
    /// What to do instead.
    pub(crate) instead: String,
    pub(crate) place: Place,
    /// The text must not touch a name character, a dot or a dash on its left, nor, if it ends in a name character, one on its right.
    pub(crate) whole: bool,
    /// Tests in Rust files may hold it.
    pub(crate) tests_may: bool,
}

/// Where a refused word is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Every line of every file.
    Text,
    /// Rust code without comments and literals.
    Code,
}

impl Config {
    /// Reads `tidy.toml` in `root`.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let text = fs::read_to_string(root.join(FILE)).with_context(|| format!("cannot read {FILE}"))?;
        Self::parse(&text).context(FILE)
    }

    fn parse(text: &str) -> Result<Self> {
        let mut top = Section { at: String::new(), table: text.parse()? };
        let mut edges = BTreeMap::new();
        for mut section in top.sections("crate")? {
            let name = section.string("name")?;
            let mut may_use = section.strings("may_use")?;
            for mut exception in section.sections("exception")? {
                may_use.push(exception.string("to")?);
                exception.reason()?;
                exception.finish()?;
            }
            section.finish()?;
            if edges.insert(name.clone(), may_use).is_some() {
                bail!("crate {name:?} is listed twice");
            }
        }
        let mut size = top.section("file_size")?;
        let mut exceptions = Vec::new();
        for mut exception in size.sections("exception")? {
            exceptions.push(exception.string("path")?);
            exception.reason()?;
            exception.finish()?;
        }
        let file_size = FileSize { soft: size.count("soft")?, hard: size.count("hard")?, exceptions };
        size.finish()?;
        let config = Self {
            skip: top.strings("skip")?,
            test_files: top.strings("test_files")?,
            generated_files: top.strings("generated_files")?,
            edges,
            file_size,
            refused_names: top.strings("refused_names")?,
            families: top.sections("family")?.into_iter().map(Family::parse).collect::<Result<_>>()?,
            refused_words: top
                .sections("refused_word")?
                .into_iter()
                .map(RefusedWord::parse)
                .collect::<Result<_>>()?,
        };
        top.finish()?;
        Ok(config)
    }
}

impl Family {
    fn parse(mut section: Section) -> Result<Self> {
        let family = Self {
            name: section.string("name")?,
            dir: section.string("dir")?,
            table_file: section.string("table_file")?,
            pattern: section.string("pattern")?,
            except: section.strings("except")?,
        };
        section.finish()?;
        if !family.pattern.contains("{name}") {
            bail!("family {:?}: pattern {:?} does not contain {{name}}", family.name, family.pattern);
        }
        Ok(family)
    }
}

impl RefusedWord {
    fn parse(mut section: Section) -> Result<Self> {
        let word = Self {
            text: section.strings("parts")?.concat(),
            instead: section.string("instead")?,
            place: match section.string("place")?.as_str() {
                "text" => Place::Text,
                "code" => Place::Code,
                other => bail!("{}: place must be \"text\" or \"code\", got {other:?}", section.at),
            },
            whole: section.flag("whole")?,
            tests_may: section.flag("tests_may")?,
        };
        section.finish()?;
        if word.text.is_empty() {
            bail!("refused_word: parts are empty");
        }
        Ok(word)
    }
}

/// A table whose keys are taken out one by one, so that what is left over is unknown.
struct Section {
    at: String,
    table: Table,
}

impl Section {
    fn take(&mut self, key: &str) -> Result<Value> {
        self.table.remove(key).with_context(|| format!("{}key {key:?} is missing", self.at))
    }

    fn string(&mut self, key: &str) -> Result<String> {
        match self.take(key)? {
            Value::String(text) => Ok(text),
            other => bail!("{}{key}: expected a string, got {other}", self.at),
        }
    }

    fn strings(&mut self, key: &str) -> Result<Vec<String>> {
        let Value::Array(items) = self.take(key)? else { bail!("{}{key}: expected an array", self.at) };
        items
            .into_iter()
            .map(|item| match item {
                Value::String(text) => Ok(text),
                other => bail!("{}{key}: expected strings, got {other}", self.at),
            })
            .collect()
    }

    fn count(&mut self, key: &str) -> Result<usize> {
        let value = self.take(key)?;
        value
            .as_integer()
            .and_then(|count| usize::try_from(count).ok())
            .with_context(|| format!("{}{key}: expected a count, got {value}", self.at))
    }

    /// A flag that is off where it is not written.
    fn flag(&mut self, key: &str) -> Result<bool> {
        match self.table.remove(key) {
            None => Ok(false),
            Some(Value::Boolean(flag)) => Ok(flag),
            Some(other) => bail!("{}{key}: expected true or false, got {other}", self.at),
        }
    }

    fn section(&mut self, key: &str) -> Result<Self> {
        match self.take(key)? {
            Value::Table(table) => Ok(Self { at: format!("{}{key}: ", self.at), table }),
            other => bail!("{}{key}: expected a table, got {other}", self.at),
        }
    }

    /// An array of tables, empty where it is not written.
    fn sections(&mut self, key: &str) -> Result<Vec<Self>> {
        let Some(value) = self.table.remove(key) else { return Ok(Vec::new()) };
        let Value::Array(items) = value else { bail!("{}{key}: expected [[{key}]] tables", self.at) };
        items
            .into_iter()
            .enumerate()
            .map(|(at, item)| match item {
                Value::Table(table) => Ok(Self { at: format!("{}{key} {}: ", self.at, at + 1), table }),
                other => bail!("{}{key}: expected tables, got {other}", self.at),
            })
            .collect()
    }

    /// Every exception states why.
    fn reason(&mut self) -> Result<()> {
        if self.string("reason")?.trim().is_empty() {
            bail!("{}the reason is empty", self.at);
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        match self.table.keys().next() {
            None => Ok(()),
            Some(key) => bail!("{}unknown key {key:?}", self.at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn unknown_and_missing_keys_are_refused_by_name() {
        let good = "skip = []\ntest_files = []\ngenerated_files = []\nrefused_names = []\n[file_size]\nsoft = 1\nhard = 2\n";
        let message = |text: &str| format!("{:#}", Config::parse(text).err().expect("must fail"));
        assert!(Config::parse(good).is_ok());
        assert_eq!(message(&good.replace("skip", "skipp")), "key \"skip\" is missing");
        assert_eq!(message(&format!("extra = 1\n{good}")), "unknown key \"extra\"");
        let exception = "[[file_size.exception]]\npath = \"a.rs\"\nreason = \" \"\n";
        assert_eq!(message(&format!("{good}{exception}")), "file_size: exception 1: the reason is empty");
        assert_eq!(
            message(&good.replace("soft = 1", "soft = -1")),
            "file_size: soft: expected a count, got -1"
        );
    }
}
