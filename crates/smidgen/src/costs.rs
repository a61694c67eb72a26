//! What mistakes cost: a small table of gains or costs by true and predicted class.
//!
//! Two forms, told apart by the header. A matrix: its first cell says `cost` or `gain`, the others of the header are
//! predicted classes, and each row is a true class with its numbers. A list: columns `true`, `predicted` and
//! `cost` or `gain`, a row a pair. Every pair of classes must have a number once.

use crate::Error;
use crate::evaluate::Evaluated;
use ir::Task;
use learn::{CLASS_WEIGHT, LearnerEntry};
use params::Params;
use recipe::{ClassWeights, Costs};
use std::collections::BTreeMap;
use std::path::Path;

/// Costs read from a file.
#[derive(Clone, Debug)]
pub struct CostTable {
    path: String,
    /// True if the file speaks of gains; they are negative costs.
    pub is_gain: bool,
    /// (true class, predicted class) to cost.
    pairs: BTreeMap<(String, String), f64>,
}

impl CostTable {
    /// # Errors
    /// A file that cannot be read, another header, a cell that is no number, a pair that stands twice.
    pub fn read(path: &Path) -> Result<CostTable, Error> {
        let shown = path.display().to_string();
        let fail = |what: String| Error::input(format!("--costs {shown}: {what}"));
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_path(path)
            .map_err(|e| fail(e.to_string()))?;
        let mut lines: Vec<Vec<String>> = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| fail(e.to_string()))?;
            let line: Vec<String> = record.iter().map(str::to_owned).collect();
            if line.iter().any(|cell| !cell.is_empty()) {
                lines.push(line);
            }
        }
        let Some((header, body)) = lines.split_first() else {
            return Err(fail(format!("it is empty; {FORM}")));
        };
        let word = |cell: &str| match cell.to_ascii_lowercase().as_str() {
            "cost" | "costs" => Some(false),
            "gain" | "gains" => Some(true),
            _ => None,
        };
        let place = |name: &str| header.iter().position(|h| h.eq_ignore_ascii_case(name));
        let value_at = header.iter().position(|h| word(h).is_some());
        let Some(value_at) = value_at else {
            return Err(fail(format!(
                "expected \"cost\" or \"gain\" in the header, got \"{}\"; {FORM}",
                header.join(",")
            )));
        };
        let is_gain = word(&header[value_at]) == Some(true);
        let mut table = CostTable { path: shown.clone(), is_gain, pairs: BTreeMap::new() };
        for (at, line) in body.iter().enumerate() {
            let cell = |i: usize| line.get(i).map_or("", String::as_str);
            let number = |text: &str| {
                let number = text.parse::<f64>().ok().filter(|n| n.is_finite());
                number.ok_or_else(|| fail(format!("line {}: expected a number, got \"{text}\"", at + 2)))
            };
            match (place("true"), place("predicted")) {
                (Some(truth), Some(predicted)) => {
                    table.add(cell(truth), cell(predicted), number(cell(value_at))?)?;
                }
                _ if value_at == 0 => {
                    for (i, predicted) in header.iter().enumerate().skip(1) {
                        table.add(cell(0), predicted, number(cell(i))?)?;
                    }
                }
                _ => return Err(fail(format!("header \"{}\" is of neither form; {FORM}", header.join(",")))),
            }
        }
        Ok(table)
    }

    fn add(&mut self, truth: &str, predicted: &str, value: f64) -> Result<(), Error> {
        let cost = if self.is_gain { -value } else { value };
        let key = (truth.to_owned(), predicted.to_owned());
        match self.pairs.insert(key, cost) {
            None => Ok(()),
            Some(_) => Err(Error::input(format!(
                "--costs {}: true class \"{truth}\", predicted class \"{predicted}\" stands twice; keep one",
                self.path
            ))),
        }
    }

    /// What the decisions of a fit cost; `oof` and `test` count them.
    pub(crate) fn report(&self, costs: &Costs, oof: &Evaluated, test: Option<&Evaluated>) -> CostReport {
        let mean = |figures: &Evaluated| self.shown(costs.mean_of(&figures.confusion));
        CostReport {
            is_gain: self.is_gain,
            oof: mean(oof),
            constant: self.shown(costs.of_constant(&oof.confusion)),
            test: test.map(mean),
        }
    }

    /// A cost as the file speaks of it.
    fn shown(&self, cost: f64) -> f64 {
        if self.is_gain { -cost } else { cost }
    }

    /// The costs of these classes. A pair on the diagonal that is not there costs nothing.
    ///
    /// # Errors
    /// A class that the target has not, a pair that is missing, a task without classes.
    pub fn of_classes(&self, classes: &[String]) -> Result<Costs, Error> {
        let path = &self.path;
        if classes.is_empty() {
            return Err(Error::input(format!(
                "--costs {path}: the target is a number; costs are for classes"
            )));
        }
        let known = || classes.join(", ");
        for class in self.pairs.keys().flat_map(|(a, b)| [a, b]) {
            if !classes.contains(class) {
                return Err(Error::input(format!(
                    "--costs {path}: the target has no class \"{class}\"; it has {}",
                    known()
                )));
            }
        }
        let mut matrix = Vec::with_capacity(classes.len() * classes.len());
        for truth in classes {
            for predicted in classes {
                let found = self.pairs.get(&(truth.clone(), predicted.clone())).copied();
                let cost = found.or((truth == predicted).then_some(0.0));
                matrix.push(cost.ok_or_else(|| {
                    Error::input(format!(
                        "--costs {path}: true class \"{truth}\", predicted class \"{predicted}\" has no number; add it"
                    ))
                })?);
            }
        }
        Costs::try_new(matrix, classes.len()).ok_or_else(|| Error::bug("costs: a matrix that does not hold"))
    }
}

/// Mean cost of a row, a gain where the table of costs speaks of gains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CostReport {
    /// True for gains.
    pub is_gain: bool,
    /// Of rows that no fit had seen.
    pub oof: f64,
    /// Of the best answer that is the same for all of these rows.
    pub constant: f64,
    /// Of the test table.
    pub test: Option<f64>,
}

/// What rows weigh by their class.
///
/// # Errors
/// Balanced classes and costs at once, or classes of a target of numbers.
pub(crate) fn class_weights<'c>(
    learner: &LearnerEntry,
    params: &Params,
    costs: Option<&'c Costs>,
    task: Task,
) -> Result<ClassWeights<'c>, Error> {
    let balanced = params.word(CLASS_WEIGHT) == "balanced";
    match costs {
        Some(_) if balanced => Err(Error::input(
            "--costs weighs the classes by what their mistakes cost; leave out class_weight=balanced",
        )),
        Some(costs) => Ok(ClassWeights::Costs(costs)),
        None if balanced && task.of_each() == Task::Regression => {
            let name = learner.name;
            Err(Error::input(format!(
                "--set {name}.class_weight=balanced: the target is a number; it has no classes"
            )))
        }
        None if balanced => Ok(ClassWeights::Balanced),
        None => Ok(ClassWeights::None),
    }
}

/// What the file may look like.
const FORM: &str =
    "a matrix begins with a header such as cost,good,bad; a list has the columns true,predicted,cost";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CostTable, Error> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        CostTable::read(file.path())
    }

    #[test]
    fn both_forms_say_the_same() {
        let classes = ["1".to_owned(), "2".to_owned()];
        let matrix = read("cost,1,2\n1,0,1\n2,5,0\n").unwrap().of_classes(&classes).unwrap();
        let list = read("true,predicted,cost\n1,2,1\n2,1,5\n").unwrap().of_classes(&classes).unwrap();
        let gains = read("gain, 2, 1\n\n2,0,-5\n1,-1,0\n").unwrap();
        assert!(gains.is_gain);
        assert_eq!(matrix, list);
        assert_eq!(gains.of_classes(&classes).unwrap(), matrix);
        assert_eq!(matrix.mean(&[1, 0], &[0, 1]), 3.0);
    }

    #[test]
    fn bad_files() {
        let classes = ["a".to_owned(), "b".to_owned()];
        let cases = [
            ("", "it is empty"),
            ("a,b\n1,2\n", "expected \"cost\" or \"gain\" in the header, got \"a,b\""),
            ("x,cost\n1,2\n", "header \"x,cost\" is of neither form"),
            ("cost,a,b\na,0,x\n", "line 2: expected a number, got \"x\""),
            ("cost,a,b\na,0\n", "line 2: expected a number, got \"\""),
            ("cost,a,b\na,0,1\na,0,1\n", "true class \"a\", predicted class \"a\" stands twice"),
            ("cost,a,b\na,0,1\n", "true class \"b\", predicted class \"a\" has no number"),
            ("cost,a,c\na,0,1\n", "the target has no class \"c\"; it has a, b"),
        ];
        for (text, message) in cases {
            let error = read(text).and_then(|t| t.of_classes(&classes)).unwrap_err().to_string();
            assert!(error.contains(message), "{text:?}: {error}");
        }
        let error = read("cost,a,b\na,0,1\nb,1,0\n").unwrap().of_classes(&[]).unwrap_err().to_string();
        assert!(error.contains("the target is a number"), "{error}");
        assert!(CostTable::read(Path::new("no such file.csv")).is_err());
    }
}
