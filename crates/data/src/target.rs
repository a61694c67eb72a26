//! What is to be learnt: the task, the classes and a label or a number for each row.
//!
//! The target is read as raw text, so that a class is spelt as in the file; of two spellings of one
//! number (`1`, `1.0`) the first is kept. Rows without a target are dropped and counted.
//! The task, unless it is asked for: a target that is not all numbers, or has two different values,
//! is binary with 2 classes and multiclass otherwise; whole numbers (`3` or `3.0`) with at most 20
//! different values are multiclass; everything else is regression.
//! Classes are in the order of their numbers if all are numbers, else of their bytes. The positive
//! class is the last one unless another is asked for. Where the classes are known, as those of a model
//! that is trained further, they are these, in their order; rows may lack some of them.

use crate::cell::{Number, trim};
use crate::classes::Classes;
use crate::error::{BadCell, Kind, LISTED, Result, short};
use crate::facts::SHOWN;
use crate::markers::Markers;
use crate::nearest::nearest;
use ir::Task;

/// Most different whole numbers that are classes.
const MOST_WHOLE_CLASSES: usize = 20;

/// What is asked of a target.
#[derive(Clone, Debug)]
pub struct TargetOptions<'a> {
    /// Name of the column.
    pub name: &'a str,
    /// The task; found out from the values if `None`.
    pub task: Option<Task>,
    /// The classes, in class order, where they are known; those of the rows if `None`.
    pub classes: Option<&'a [String]>,
    /// The positive class of a binary task; the last class if `None`.
    pub positive: Option<&'a str>,
    /// Cells that mean missing.
    pub missing: Markers,
}

/// A label or a number for each row that is kept.
#[derive(Clone, Debug, PartialEq)]
pub enum TargetValues {
    /// Index of the class; binary and multiclass tasks.
    Labels(Vec<u32>),
    /// Finite numbers; regression.
    Numbers(Vec<f64>),
    /// Several targets, each with the rows that it is known in.
    Several(Vec<NamedTarget>),
}

/// One of several targets.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTarget {
    /// Name of the column.
    pub name: String,
    /// What is to be learnt of it.
    pub target: Target,
}

/// What is to be learnt.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The question.
    pub task: Task,
    /// Classes in class order, as the file spells them; empty for regression.
    pub classes: Vec<String>,
    /// Index of the positive class; binary tasks only.
    pub positive: Option<u32>,
    /// Values of the kept rows, in row order.
    pub values: TargetValues,
    /// Rows that have a target, from 0, increasing; as long as the values.
    pub kept_rows: Vec<usize>,
    /// Rows that have none.
    pub n_missing: usize,
}

impl Target {
    /// Decides task and classes from the raw cells of the target, in row order.
    /// The cells are passed over twice or thrice; memory is O(rows + classes).
    /// # Errors  `TargetMissing`, `OneClass`, `TargetClasses`, `OtherClass`, `TargetText`,
    /// `TargetMostlyNumbers` (at least 99.5 % but not all are numbers and no task is asked for),
    /// `TargetInfinite`, `UnknownClass`, `PositiveTask`.
    pub fn resolve<'c, I>(cells: I, options: &TargetOptions<'_>) -> Result<Target>
    where
        I: Iterator<Item = Option<&'c str>> + Clone,
    {
        let survey = Survey::of(cells.clone(), &options.missing);
        if survey.kept_rows.is_empty() {
            let (target, n_rows) = (String::from(options.name), survey.n_missing);
            return Err(Kind::TargetMissing { target, n_rows }.into());
        }
        let task = survey.task(options)?;
        let kept = cells.flatten().filter(|cell| !options.missing.is_missing(cell));
        let (classes, values) = match task {
            Task::Regression | Task::Transform | Task::MultiRegression | Task::Multilabel => {
                (Vec::new(), TargetValues::Numbers(survey.numbers(kept, options)?))
            }
            Task::Binary | Task::Multiclass => {
                let (classes, labels) = match options.classes {
                    Some(known) => (known.to_vec(), known_labels(kept, known, options)?),
                    None => labels(kept),
                };
                check_classes(&classes, task, options)?;
                (classes, TargetValues::Labels(labels))
            }
        };
        let positive = positive(&classes, task, options)?;
        let Survey { kept_rows, n_missing, .. } = survey;
        Ok(Target { task, classes, positive, values, kept_rows, n_missing })
    }

    /// Several targets of one table as one; a single one stays as it is. A row is kept if one of them is known in it.
    ///
    /// # Errors
    /// `SeveralClasses`, `MixedTargets`.
    pub fn several(mut targets: Vec<NamedTarget>) -> Result<Target> {
        if targets.len() == 1
            && let Some(only) = targets.pop()
        {
            return Ok(only.target);
        }
        let name_of = |task: Task| {
            let one = targets.iter().find(|one| one.target.task == task);
            one.map(|one| (one.name.clone(), one.target.classes.len()))
        };
        if let Some((target, n_classes)) = name_of(Task::Multiclass) {
            return Err(Kind::SeveralClasses { target, n_classes }.into());
        }
        let task = match (name_of(Task::Regression), name_of(Task::Binary)) {
            (Some((number, _)), Some((classes, _))) => {
                return Err(Kind::MixedTargets { number, classes }.into());
            }
            (None, Some(_)) => Task::Multilabel,
            _ => Task::MultiRegression,
        };
        let rows = |one: &NamedTarget| one.target.kept_rows.len() + one.target.n_missing;
        let n_rows = targets.iter().map(rows).max().unwrap_or(0);
        let mut is_kept = vec![false; n_rows];
        targets.iter().flat_map(|one| &one.target.kept_rows).for_each(|&row| is_kept[row] = true);
        let kept_rows: Vec<usize> = (0..n_rows).filter(|&row| is_kept[row]).collect();
        let n_missing = n_rows - kept_rows.len();
        let values = TargetValues::Several(targets);
        Ok(Target { task, classes: Vec::new(), positive: None, values, kept_rows, n_missing })
    }
}

/// What one pass over the cells finds.
struct Survey {
    kept_rows: Vec<usize>,
    n_missing: usize,
    n_texts: u64,
    texts: Vec<BadCell>,
    all_whole: bool,
    /// Different values, up to one more than can matter.
    few: Classes,
}

impl Survey {
    fn of<'c, I: Iterator<Item = Option<&'c str>>>(cells: I, missing: &Markers) -> Survey {
        let mut survey = Survey {
            kept_rows: Vec::new(),
            n_missing: 0,
            n_texts: 0,
            texts: Vec::new(),
            all_whole: true,
            few: Classes::default(),
        };
        for (row, cell) in cells.enumerate() {
            let Some(cell) = cell.filter(|cell| !missing.is_missing(cell)) else {
                survey.n_missing += 1;
                continue;
            };
            survey.kept_rows.push(row);
            match Number::parse(trim(cell.as_bytes())).map(Number::whole) {
                Some(Number::Int(_)) => {}
                Some(Number::Float(_)) => survey.all_whole = false,
                None => {
                    survey.n_texts += 1;
                    if survey.texts.len() < SHOWN {
                        let cell = short(ir::text::category_key(cell));
                        survey.texts.push(BadCell { row: row as u64 + 1, cell });
                    }
                }
            }
            if survey.few.names().len() <= MOST_WHOLE_CLASSES {
                survey.few.find_or_add(cell);
            }
        }
        survey
    }

    fn class_task(&self) -> Task {
        if self.few.names().len() == 2 { Task::Binary } else { Task::Multiclass }
    }

    fn task(&self, options: &TargetOptions<'_>) -> Result<Task> {
        let target = || String::from(options.name);
        let (n_bad, n_cells) = (self.n_texts, self.kept_rows.len() as u64);
        match options.task {
            Some(Task::Regression) if n_bad > 0 => {
                let (cells, other) = (self.texts.clone(), self.class_task());
                return Err(Kind::TargetText { target: target(), n_bad, cells, other }.into());
            }
            Some(task) => return Ok(task),
            None => {}
        }
        if let Some(known) = options.classes {
            return Ok(if known.len() == 2 { Task::Binary } else { Task::Multiclass });
        }
        let n_numbers = n_cells - n_bad;
        if n_bad > 0 && n_numbers * 1000 >= n_cells * 995 {
            let cells = self.texts.clone();
            let target = target();
            return Err(Kind::TargetMostlyNumbers { target, n_numbers, n_cells, n_bad, cells }.into());
        }
        let n_values = self.few.names().len();
        let is_class = n_bad > 0 || n_values <= 2 || (self.all_whole && n_values <= MOST_WHOLE_CLASSES);
        Ok(if is_class { self.class_task() } else { Task::Regression })
    }

    fn numbers<'c, I>(&self, kept: I, options: &TargetOptions<'_>) -> Result<Vec<f64>>
    where
        I: Iterator<Item = &'c str>,
    {
        let mut values = Vec::with_capacity(self.kept_rows.len());
        for (cell, &row) in kept.zip(&self.kept_rows) {
            let cell = ir::text::category_key(cell);
            // Text was refused with the task, so every cell parses.
            let value = Number::parse(cell.as_bytes()).map_or(f64::INFINITY, Number::to_f64);
            if value.is_infinite() {
                let (target, row) = (String::from(options.name), row as u64 + 1);
                return Err(Kind::TargetInfinite { target, row, cell: short(cell) }.into());
            }
            values.push(value);
        }
        Ok(values)
    }
}

/// Classes in class order, and the class of each cell.
fn labels<'c, I: Iterator<Item = &'c str>>(kept: I) -> (Vec<String>, Vec<u32>) {
    let mut found = Classes::default();
    let mut labels: Vec<u32> = kept.map(|cell| found.find_or_add(cell)).collect();
    let names = found.names();
    let numbers: Option<Vec<Number>> = names.iter().map(|n| Number::parse(n.as_bytes())).collect();
    let mut order: Vec<usize> = (0..names.len()).collect();
    match numbers {
        Some(numbers) => order.sort_by(|&a, &b| numbers[a].compare(numbers[b])),
        None => order.sort_by(|&a, &b| names[a].as_bytes().cmp(names[b].as_bytes())),
    }
    let mut rank = vec![0_u32; order.len()];
    for (place, &idx) in (0_u32..).zip(&order) {
        rank[idx] = place;
    }
    for label in &mut labels {
        // Labels are indices of `names`, one rank each.
        *label = rank[*label as usize];
    }
    (order.iter().map(|&idx| names[idx].clone()).collect(), labels)
}

/// The class of each cell among those that are known.
/// # Errors  `OtherClass` for a cell of none of them, `OneClass`.
fn known_labels<'c, I>(kept: I, known: &[String], options: &TargetOptions<'_>) -> Result<Vec<u32>>
where
    I: Iterator<Item = &'c str>,
{
    let (classes, mut labels) = (Classes::new(known), Vec::new());
    let (mut first, mut n_rows) = (None, 0);
    for cell in kept {
        match classes.find(cell) {
            Some(label) => labels.push(label),
            None => {
                n_rows += 1;
                first.get_or_insert(cell);
            }
        }
    }
    let target = String::from(options.name);
    if let Some(cell) = first {
        let class = short(ir::text::category_key(cell));
        let (classes, n_classes) = (known.iter().take(LISTED).cloned().collect(), known.len());
        return Err(Kind::OtherClass { target, class, n_rows, classes, n_classes }.into());
    }
    match labels.first().and_then(|&only| known.get(only as usize)) {
        Some(class) if labels.iter().all(|label| *label == labels[0]) => {
            Err(Kind::OneClass { target, class: class.clone() }.into())
        }
        _ => Ok(labels),
    }
}

fn check_classes(classes: &[String], task: Task, options: &TargetOptions<'_>) -> Result<()> {
    let target = String::from(options.name);
    let n_classes = classes.len();
    match (classes, task) {
        ([class], _) => Err(Kind::OneClass { target, class: class.clone() }.into()),
        ([_, _], Task::Multiclass) => {
            Err(Kind::TargetClasses { target, task, n_classes, other: Task::Binary }.into())
        }
        ([_, _, _, ..], Task::Binary) => {
            Err(Kind::TargetClasses { target, task, n_classes, other: Task::Multiclass }.into())
        }
        _ => Ok(()),
    }
}

fn positive(classes: &[String], task: Task, options: &TargetOptions<'_>) -> Result<Option<u32>> {
    let target = String::from(options.name);
    match (task, options.positive) {
        (Task::Binary, None) => Ok(Some(1)),
        (_, None) => Ok(None),
        (
            Task::Multiclass | Task::Regression | Task::Transform | Task::MultiRegression | Task::Multilabel,
            Some(positive),
        ) => Err(Kind::PositiveTask { target, task, positive: String::from(positive) }.into()),
        (Task::Binary, Some(positive)) => match Classes::new(classes).find(positive) {
            Some(idx) => Ok(Some(idx)),
            None => Err(Kind::UnknownClass {
                target,
                positive: String::from(positive),
                nearest: nearest(positive, classes.iter().map(String::as_str)).map(String::from),
                classes: classes.iter().take(LISTED).cloned().collect(),
                n_classes: classes.len(),
            }
            .into()),
        },
    }
}

#[cfg(test)]
mod tests;
