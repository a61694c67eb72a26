//! Parameters as data: one table gives the check, the message, the help and the search space.
//!
//! A member of a family has a `SPEC`, a slice of [`ParamSpec`]; [`Params::parse`] is the only way to values,
//! so a member never sees one out of range. It stands apart because all families use it.

mod axis;

pub use axis::{Axis, Scale};

use std::fmt;

/// A setting that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No parameter of that name.
    #[error("{owner}: unknown parameter \"{name}\"{suggestion}; known: {known}")]
    Unknown {
        /// The member of a family.
        owner: &'static str,
        /// The name asked for.
        name: String,
        /// `; did you mean ..?`, or nothing.
        suggestion: String,
        /// The names that there are.
        known: String,
    },
    /// A value out of range.
    #[error("{owner}: {param} must be {range}, got {got}")]
    Range {
        /// The member of a family.
        owner: &'static str,
        /// The parameter.
        param: &'static str,
        /// What is allowed.
        range: String,
        /// What was given.
        got: String,
    },
}

/// A value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    Int(i64),
    /// A number.
    Real(f64),
    /// One of a list of words.
    Word(&'static str),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Int(v) => write!(f, "{v}"),
            Value::Real(v) => write!(f, "{v}"),
            Value::Word(v) => f.write_str(v),
        }
    }
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// Whole numbers, both ends allowed.
    Int {
        /// Smallest.
        low: i64,
        /// Largest.
        high: i64,
    },
    /// Numbers, both ends allowed.
    Real {
        /// Smallest.
        low: f64,
        /// Largest.
        high: f64,
    },
    /// One of these words.
    Words(&'static [&'static str]),
    /// Any text; the default is none.
    Text,
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Range::Int { low, high } => write!(f, "a whole number in {low}..={high}"),
            Range::Real { low, high } => write!(f, "a number in {low}..={high}"),
            Range::Words(words) => write!(f, "one of {}", words.join(", ")),
            Range::Text => f.write_str("a text"),
        }
    }
}

/// One parameter of a member.
#[derive(Clone, Copy, Debug)]
pub struct ParamSpec {
    /// Name, as in `--set member.name=value`.
    pub name: &'static str,
    /// Names that other libraries give it; accepted, never printed.
    pub aliases: &'static [&'static str],
    /// Value when nothing is said.
    pub default: Value,
    /// What it may be.
    pub range: Range,
    /// What it does, in one line.
    pub doc: &'static str,
}

/// Checked values for every parameter of a member.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    owner: &'static str,
    values: Vec<(&'static str, Value)>,
    given: Vec<&'static str>,
    texts: Vec<(&'static str, String)>,
}

impl Params {
    /// Defaults with these values set, as text. The parameters are those of all tables of `spec`.
    ///
    /// # Errors
    /// `Unknown`, `Range`.
    pub fn parse(
        owner: &'static str,
        spec: &[&'static [ParamSpec]],
        settings: &[(String, String)],
    ) -> Result<Params, Error> {
        let all = || spec.iter().flat_map(|table| table.iter());
        let values = all().map(|p| (p.name, p.default)).collect();
        let mut params = Params { owner, values, given: Vec::new(), texts: Vec::new() };
        for (name, text) in settings {
            let found = all().find(|p| p.name == name || p.aliases.contains(&name.as_str()));
            let Some(param) = found else {
                return Err(Error::Unknown {
                    owner,
                    name: name.clone(),
                    suggestion: suggestion(name, all().map(|p| p.name)),
                    known: all().map(|p| p.name).collect::<Vec<_>>().join(", "),
                });
            };
            if param.range == Range::Text {
                params.texts.retain(|(n, _)| *n != param.name);
                params.texts.push((param.name, text.clone()));
                continue;
            }
            let value = param.read(text).ok_or_else(|| Error::Range {
                owner,
                param: param.name,
                range: param.range.to_string(),
                got: text.clone(),
            })?;
            for (n, v) in &mut params.values {
                if *n == param.name {
                    *v = value;
                }
            }
            if !params.given.contains(&param.name) {
                params.given.push(param.name);
            }
        }
        Ok(params)
    }

    /// A whole number of the member's own `SPEC`; 0 for a name that is not in it.
    pub fn int(&self, name: &str) -> i64 {
        match self.get(name) {
            Some(Value::Int(v)) => v,
            _ => 0,
        }
    }

    /// A number of the member's own `SPEC`; 0 for a name that is not in it.
    pub fn real(&self, name: &str) -> f64 {
        match self.get(name) {
            Some(Value::Real(v)) => v,
            _ => 0.0,
        }
    }

    /// A word of the member's own `SPEC`; empty for a name that is not in it.
    pub fn word(&self, name: &str) -> &'static str {
        match self.get(name) {
            Some(Value::Word(v)) => v,
            _ => "",
        }
    }

    /// A text of the member's own `SPEC`; empty if it was not set.
    pub fn text(&self, name: &str) -> &str {
        self.texts.iter().find(|(n, _)| *n == name).map_or("", |(_, text)| text)
    }

    /// True if the parameter was set.
    pub fn is_given(&self, name: &str) -> bool {
        self.given.contains(&name)
    }

    fn get(&self, name: &str) -> Option<Value> {
        self.values.iter().find(|(n, _)| *n == name).map(|(_, v)| *v)
    }

    /// The member and what was set, as `--set` takes it: `gbdt max_leaves=7`.
    pub fn describe(&self) -> String {
        let mut text = self.owner.to_owned();
        for (name, value) in self.values.iter().filter(|(n, _)| self.given.contains(n)) {
            text.push_str(&format!(" {name}={value}"));
        }
        for (name, value) in &self.texts {
            text.push_str(&format!(" {name}={value}"));
        }
        text
    }
}

impl ParamSpec {
    /// The value of a text, if it is in range.
    fn read(&self, text: &str) -> Option<Value> {
        match self.range {
            Range::Int { low, high } => {
                text.parse().ok().filter(|v| (low..=high).contains(v)).map(Value::Int)
            }
            Range::Real { low, high } => {
                text.parse().ok().filter(|v| (low..=high).contains(v)).map(Value::Real)
            }
            Range::Words(words) => words.iter().find(|w| **w == text).map(|w| Value::Word(w)),
            Range::Text => None,
        }
    }
}

/// Values just outside a range, with the text that a user would write; the laws of a family try them.
pub fn outside(range: Range) -> Vec<String> {
    match range {
        Range::Int { low, high } => {
            let below = low.checked_sub(1).map(|v| v.to_string());
            let above = high.checked_add(1).map(|v| v.to_string());
            below.into_iter().chain(above).chain(["x".to_owned()]).collect()
        }
        Range::Real { low, high } => {
            vec![
                (low - low.abs().max(1.0)).to_string(),
                (high + high.abs().max(1.0)).to_string(),
                "NaN".to_owned(),
            ]
        }
        Range::Words(_) => vec!["no such word".to_owned()],
        Range::Text => Vec::new(),
    }
}
/// Of settings by owner, name and value those of one owner, as names and values.
pub fn settings_of(all: &[(String, String, String)], owner: &str) -> Vec<(String, String)> {
    let own = all.iter().filter(|(of, ..)| of == owner);
    own.map(|(_, name, value)| (name.clone(), value.clone())).collect()
}

/// `; did you mean "NAME"?` with the first known name that holds `name` or stands in it; nothing without one.
pub fn suggestion<'a>(name: &str, mut known: impl Iterator<Item = &'a str>) -> String {
    let near = known.find(|n| !name.is_empty() && (n.contains(name) || name.contains(n)));
    near.map(|n| format!("; did you mean \"{n}\"?")).unwrap_or_default()
}
