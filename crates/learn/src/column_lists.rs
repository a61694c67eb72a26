//! Parameters that name columns: directions of the score, and sets that may meet.

use crate::Error;
use crate::error::Kind;

/// Place of a column.
fn place(name: &str, names: &[&str], param: &'static str) -> Result<usize, Error> {
    names.iter().position(|n| *n == name).ok_or_else(|| {
        let near = |n: &&&str| n.eq_ignore_ascii_case(name) || n.contains(name) || name.contains(**n);
        let known: Vec<&str> =
            names.iter().filter(near).chain(names.iter().filter(|n| !near(n))).take(5).copied().collect();
        Kind::UnknownColumn { param, name: name.to_owned(), known: known.join(", ") }.into()
    })
}

/// `COL:+;COL:-` as -1, 0 or 1 by column; empty for none.
///
/// # Errors
/// `UnknownColumn`, `Direction`.
pub(crate) fn directions(text: &str, names: &[&str], param: &'static str) -> Result<Vec<i8>, Error> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut directions = vec![0; names.len()];
    for item in text.split(';').map(str::trim).filter(|item| !item.is_empty()) {
        let unfit = || Error::from(Kind::Direction { param, got: item.to_owned() });
        let (name, word) = item.rsplit_once(':').ok_or_else(unfit)?;
        directions[place(name.trim(), names, param)?] = match word.trim() {
            "+" | "1" | "+1" | "rising" | "increasing" => 1,
            "-" | "-1" | "falling" | "decreasing" => -1,
            "0" => 0,
            _ => return Err(unfit()),
        };
    }
    Ok(directions)
}

/// `COL;COL|COL;COL` as sets of columns; empty for none.
///
/// # Errors
/// `UnknownColumn`.
pub(crate) fn sets(text: &str, names: &[&str], param: &'static str) -> Result<Vec<Vec<usize>>, Error> {
    let names_of = |set: &str| -> Result<Vec<usize>, Error> {
        let columns = set.split(';').map(str::trim).filter(|name| !name.is_empty());
        columns.map(|name| place(name, names, param)).collect()
    };
    text.split('|').map(str::trim).filter(|set| !set.is_empty()).map(names_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_columns() {
        let names = ["age", "a:b", "income"];
        assert_eq!(directions("age:+; a:b:-", &names, "monotone").unwrap(), [1, -1, 0]);
        assert_eq!(directions(" ", &names, "monotone").unwrap(), [0i8; 0]);
        assert_eq!(sets("age;income|a:b", &names, "interactions").unwrap(), [vec![0, 2], vec![1]]);
        let errors = [
            (
                directions("age", &names, "monotone").map(|_| ()),
                "monotone: expected COL:+ or COL:-, got \"age\"",
            ),
            (
                directions("age:up", &names, "monotone").map(|_| ()),
                "monotone: expected COL:+ or COL:-, got \"age:up\"",
            ),
            (
                sets("ages", &names, "interactions").map(|_| ()),
                "interactions: no column \"ages\" is learnt from; known: age, a:b, income",
            ),
        ];
        for (got, message) in errors {
            assert_eq!(got.unwrap_err().to_string(), message);
        }
    }
}
