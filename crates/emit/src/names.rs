//! Names in source code: identifiers made of the user's own names.

use crate::{Error, Kind};

/// Words that mean something in C, C++ or Rust.
const RESERVED: &[&str] = &[
    "abstract",
    "alignas",
    "alignof",
    "and",
    "as",
    "asm",
    "async",
    "auto",
    "await",
    "become",
    "bool",
    "box",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "const",
    "continue",
    "crate",
    "default",
    "delete",
    "do",
    "double",
    "dyn",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "final",
    "float",
    "fn",
    "for",
    "friend",
    "gen",
    "goto",
    "if",
    "impl",
    "in",
    "inline",
    "int",
    "let",
    "long",
    "loop",
    "macro",
    "match",
    "missing",
    "mod",
    "move",
    "mut",
    "mutable",
    "namespace",
    "new",
    "not",
    "operator",
    "or",
    "override",
    "priv",
    "private",
    "protected",
    "pub",
    "public",
    "ref",
    "register",
    "restrict",
    "return",
    "self",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "super",
    "switch",
    "template",
    "this",
    "throw",
    "trait",
    "true",
    "try",
    "type",
    "typedef",
    "typename",
    "typeof",
    "union",
    "unsafe",
    "unsigned",
    "unsized",
    "use",
    "using",
    "virtual",
    "void",
    "volatile",
    "where",
    "while",
    "xor",
    "yield",
];

/// An identifier for each name, in order: letters, digits and `_`, in small letters, none twice.
pub(crate) fn identifiers<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<String> {
    let mut made: Vec<String> = Vec::new();
    for name in names {
        let mut plain = String::new();
        for c in name.chars() {
            let c = c.to_ascii_lowercase();
            if c.is_ascii_alphanumeric() {
                plain.push(c);
            } else if !plain.ends_with('_') && !plain.is_empty() {
                plain.push('_');
            }
        }
        let plain = plain.trim_end_matches('_');
        let mut base = if plain.is_empty() { "column".to_string() } else { plain.to_string() };
        if base.starts_with(|c: char| c.is_ascii_digit()) || RESERVED.contains(&&base[..]) {
            base = format!("x_{base}");
        }
        let mut identifier = base.clone();
        let mut n = 2;
        while made.contains(&identifier) {
            identifier = format!("{base}_{n}");
            n += 1;
        }
        made.push(identifier);
    }
    made
}

/// True for a name that all languages take as it is.
fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&name)
}

/// Refuses a name that is no identifier of all languages.
///
/// # Errors
/// Such a name.
pub(crate) fn check_identifier(name: &str) -> Result<(), Error> {
    if is_identifier(name) {
        return Ok(());
    }
    let expected = "a name of small letters, digits and _, which is no word of C, C++ or Rust".to_string();
    let what = "name of the module".to_string();
    Err(Kind::Option { what, expected, got: format!("\"{name}\"") }.into())
}

/// A name inside of a comment, without what could end it.
pub(crate) fn in_comment(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_control() || c == '\\' { '?' } else { c })
        .collect::<String>()
        .replace("*/", "* /")
        .replace("/*", "/ *")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_identifiers() {
        let cases: &[(&[&str], &[&str])] = &[
            (&["age", "Hours per week", "education-num"], &["age", "hours_per_week", "education_num"]),
            (&["a", "A", "a_2", "a"], &["a", "a_2", "a_2_2", "a_3"]),
            (
                &["for", "int", "1st", "", "é", "missing"],
                &["x_for", "x_int", "x_1st", "column", "column_2", "x_missing"],
            ),
            (&["a*/b", "__x__"], &["a_b", "x"]),
        ];
        for (names, expected) in cases {
            assert_eq!(identifiers(names.iter().copied()), *expected);
        }
        assert!(
            is_identifier("model_2") && !is_identifier("2") && !is_identifier("int") && !is_identifier("A")
        );
        assert_eq!(in_comment("a*/b\n"), "a* /b?");
    }
}
