//! What models must have in common to be composed, and the columns that they take together.

use crate::Error;
use crate::compare::difference;
use ir::{ColumnKind, DType, Input, Joined, Signature, Task};
use std::path::{Path, PathBuf};

/// The signature of a model, with the name of its file.
pub(super) type Named<'a> = (&'a Path, &'a Signature);

/// Refuses two models that answer different questions.
pub(super) fn same_question([a, b]: [Named<'_>; 2]) -> Result<(), Error> {
    let Some((what, [of_a, of_b])) = difference([a.1, b.1]) else { return Ok(()) };
    let is_number = [a, b].map(|(_, signature)| signature.task == Task::Regression);
    let is_same = is_number[0] == is_number[1];
    let why = if is_same { "" } else { ": a number and the code of a class have no mean" };
    let (a, b) = (a.0.display(), b.0.display());
    Err(Error::input(format!(
        "compose: {a} has {what} {of_a}, {b} has {what} {of_b}{why}; train them on the same {what}"
    )))
}

/// The signature of all models together, but for the outputs: columns by name, those of the first model first, and every
/// cell that means missing in one of them. `join` is read instead of the second table of the fits.
///
/// # Errors
/// A column that differs between models, second tables that do.
pub(super) fn united(models: &[Named<'_>], join: Option<&PathBuf>) -> Result<Signature, Error> {
    let Some(&(_, model)) = models.first() else {
        return Err(Error::bug("compose: no model is left"));
    };
    let mut inputs: Vec<(Input, &Path)> = Vec::new();
    let mut missing: Vec<String> = Vec::new();
    let mut joined: Option<(&Joined, &Path)> = None;
    for &(path, signature) in models {
        for input in &signature.inputs {
            match inputs.iter_mut().find(|(known, _)| known.name == input.name) {
                None => inputs.push((input.clone(), path)),
                Some((known, first)) => {
                    known.dtype = dtype_of_both(known, input).ok_or_else(|| {
                        let (a, b) = (first.display(), path.display());
                        let described = |i: &Input| format!("{} stored as {}", i.kind, i.dtype);
                        Error::unsupported(format!(
                            "compose: column \"{}\" is a {} in {a} and a {} in {b}; train them on tables that hold it alike",
                            input.name,
                            described(known),
                            described(input)
                        ))
                    })?;
                }
            }
        }
        for cell in &signature.missing {
            if !missing.contains(cell) {
                missing.push(cell.clone());
            }
        }
        match (&signature.joined, joined) {
            (None, _) => {}
            (Some(own), None) => joined = Some((own, path)),
            (Some(own), Some((known, first))) => {
                let is_same = own.inputs == known.inputs && (join.is_some() || own.table == known.table);
                if !is_same {
                    let (a, b) = (first.display(), path.display());
                    return Err(Error::unsupported(format!(
                        "compose: {a} and {b} take different second tables, {} and {}, or other columns of it; a model takes one",
                        known.table, own.table
                    )));
                }
            }
        }
    }
    let joined = joined.map(|(known, _)| Joined {
        table: join.map_or(known.table.clone(), |path| path.display().to_string()),
        inputs: known.inputs.clone(),
    });
    let inputs = inputs.into_iter().map(|(input, _)| input).collect();
    Ok(Signature { inputs, missing, joined, outputs: Vec::new(), ..model.clone() })
}

/// The dtype of a column that two models take; numbers are doubles where one of them has fractions.
fn dtype_of_both(a: &Input, b: &Input) -> Option<DType> {
    match (a.dtype, b.dtype) {
        _ if a.kind != b.kind => None,
        (one, other) if one == other => Some(one),
        (DType::I64, DType::F64) | (DType::F64, DType::I64) if a.kind == ColumnKind::Number => {
            Some(DType::F64)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(columns: &[(&str, ColumnKind, DType)], missing: &[&str]) -> Signature {
        let input = |(name, kind, dtype): &(&str, ColumnKind, DType)| Input {
            name: (*name).to_owned(),
            kind: *kind,
            dtype: *dtype,
        };
        Signature {
            task: Task::Binary,
            target: "y".to_owned(),
            targets: Vec::new(),
            inputs: columns.iter().map(input).collect(),
            outputs: Vec::new(),
            classes: vec!["no".to_owned(), "yes".to_owned()],
            positive: Some(1),
            missing: missing.iter().map(|m| (*m).to_owned()).collect(),
            columns: Vec::new(),
            joined: None,
        }
    }

    fn of_two(a: &Signature, b: &Signature) -> Result<Signature, Error> {
        united(&[(Path::new("a"), a), (Path::new("b"), b)], None)
    }

    #[test]
    fn columns_meet_by_name() {
        use ColumnKind::{Category, Number};
        let a = signature(&[("age", Number, DType::I64), ("city", Category, DType::Str)], &["-", "?"]);
        let b = signature(&[("income", Number, DType::F64), ("age", Number, DType::F64)], &["?", "none"]);
        let both = of_two(&a, &b).unwrap();
        let names: Vec<(&str, DType)> = both.inputs.iter().map(|i| (i.name.as_str(), i.dtype)).collect();
        assert_eq!(names, [("age", DType::F64), ("city", DType::Str), ("income", DType::F64)]);
        assert_eq!(both.missing, ["-", "?", "none"]);
        let c = signature(&[("city", Number, DType::F64)], &[]);
        let error = of_two(&a, &c).unwrap_err();
        assert_eq!(error.nature(), ir::Nature::Unsupported);
        assert!(error.to_string().contains("column \"city\" is a category stored as string in a"), "{error}");
    }

    #[test]
    fn second_tables_are_one() {
        let with = |table: &str| Signature {
            joined: Some(Joined { table: table.to_owned(), inputs: Vec::new() }),
            ..signature(&[], &[])
        };
        let plain = signature(&[], &[]);
        assert_eq!(of_two(&plain, &with("t.csv")).unwrap().joined.unwrap().table, "t.csv");
        assert!(of_two(&with("t.csv"), &with("u.csv")).is_err());
        let (t, u, other) = (with("t.csv"), with("u.csv"), PathBuf::from("v.csv"));
        let both = united(&[(Path::new("a"), &t), (Path::new("b"), &u)], Some(&other)).unwrap();
        assert_eq!(both.joined.unwrap().table, "v.csv");
    }

    #[test]
    fn numbers_and_classes_have_no_mean() {
        let a = signature(&[], &[]);
        let b = Signature { task: Task::Regression, classes: Vec::new(), positive: None, ..a.clone() };
        let error = same_question([(Path::new("a"), &a), (Path::new("b"), &b)]).unwrap_err().to_string();
        assert!(error.contains("a has task binary, b has task regression: a number and"), "{error}");
    }
}
