//! Columns by their role: order, group, and the second table.

use crate::chain::Source;
use crate::error::{Error, Kind};
use crate::frame::{Fitting, Frame};
use arrow_array::RecordBatch;
use data::Bound;
use ir::{ColumnData, ColumnKind, Input, Joined};
use params::Params;
use prepare::transform::{StepColumn, StepInput};
use prepare::{past_rows, related_rows};
use std::collections::BTreeMap;

/// Which columns have a role, and what is made of them.
#[derive(Clone, Default)]
pub struct Relations<'a> {
    /// Rows are ordered by it: earlier rows become features.
    pub order: Option<&'a str>,
    /// Rows of one group belong together.
    pub group: Option<&'a str>,
    /// Parameters of `past`, if rows are ordered.
    pub past: Option<Params>,
    /// A second table.
    pub join: Option<Join<'a>>,
}

/// A second table and how its rows belong to those of the first.
#[derive(Clone)]
pub struct Join<'a> {
    /// Name for features: of the file `data/trans.csv.gz` it is `trans`.
    pub name: &'a str,
    /// The file, as the user typed it.
    pub file: &'a str,
    /// Its columns.
    pub inputs: &'a [Input],
    /// Its rows.
    pub batch: &'a RecordBatch,
    /// The key: column of the table, column of the second one.
    pub on: (&'a str, &'a str),
    /// The moment: column of the table, column of the second one; only earlier rows count.
    pub before: Option<(&'a str, &'a str)>,
    /// Moment of the second table, where the first has none.
    pub time: Option<&'a str>,
    /// Category of the second table whose shares are features.
    pub by: Option<&'a str>,
    /// Parameters of `join`.
    pub params: Params,
}

impl<'a> Relations<'a> {
    /// True if a column of the table has a role, so that it must stay an input.
    pub(crate) fn has_role(&self, column: &str) -> bool {
        let join = self.join.as_ref();
        let joined = join.is_some_and(|j| j.on.0 == column || j.before.is_some_and(|b| b.0 == column));
        self.order == Some(column) || self.group == Some(column) || joined
    }

    /// True if a column of the table is only a role and must not be learnt from.
    pub(crate) fn is_only_role(&self, column: &str) -> bool {
        self.join.as_ref().is_some_and(|j| j.on.0 == column)
    }

    /// Adds the features of earlier rows and of the second table.
    ///
    /// # Errors
    /// A column is not there or of a kind that its role does not allow.
    pub(crate) fn apply<'b>(
        &self,
        frame: &mut Frame<'b>,
        second: Option<&'b Bound<'b>>,
        fitting: &Fitting<'_>,
    ) -> Result<(), Error> {
        if let (None, Some(group)) = (self.order, self.group) {
            place("--group", &frame.inputs, group, &[ColumnKind::Category])?;
        }
        if let Some(order) = self.order {
            let order = place("--order", &frame.inputs, order, &[ColumnKind::Number, ColumnKind::Time])?;
            let group = match self.group {
                Some(group) => Some(place("--group", &frame.inputs, group, &[ColumnKind::Category])?),
                None => None,
            };
            self.apply_past(frame, order, group, fitting)?;
        }
        if let (Some(join), Some(second)) = (&self.join, second) {
            frame.add_second(join.inputs, second);
            self.apply_join(frame, join, fitting)?;
        }
        Ok(())
    }

    /// The number of rows before each row, if rows are ordered and not grouped.
    pub(crate) fn rank(&self, frame: &Frame<'_>) -> Option<Vec<f64>> {
        if self.order.is_none() || self.group.is_some() {
            return None;
        }
        // The first group that was made counts the earlier rows.
        let chunks = frame.store.columns(Source::Group(0));
        let values = chunks.iter().filter_map(|c| match c.data() {
            ColumnData::F64(v) => Some(v),
            _ => None,
        });
        Some(values.flatten().copied().collect())
    }

    /// For each row the first row of its group; `None` without groups.
    pub(crate) fn first_of_group(&self, frame: &Frame<'_>) -> Option<Vec<u32>> {
        let group = frame.inputs.iter().position(|i| Some(i.name.as_str()) == self.group)?;
        let mut seen: BTreeMap<Option<&str>, u32> = BTreeMap::new();
        let mut first = Vec::new();
        for chunk in &frame.store.inputs[group] {
            for row in 0..chunk.n_rows() {
                let next = first.len() as u32;
                first.push(*seen.entry(chunk.text(row)).or_insert(next));
            }
        }
        Some(first)
    }

    fn apply_past(
        &self,
        frame: &mut Frame<'_>,
        order: usize,
        group: Option<usize>,
        fitting: &Fitting<'_>,
    ) -> Result<(), Error> {
        let Some(params) = &self.past else { return Ok(()) };
        let is_value = |i: &usize| frame.inputs[*i].kind == ColumnKind::Number && *i != order;
        let mut taken: Vec<usize> = (0..frame.n_main).filter(is_value).collect();
        taken.retain(|&i| frame.features.iter().any(|f| f.source == Source::Input(i)));
        taken.push(order);
        taken.extend(group);
        let columns: Vec<StepColumn<'_>> = taken.iter().map(|&i| frame.step_column(i)).collect();
        let input = StepInput {
            columns: &columns,
            rows: fitting.rows,
            target: None,
            row_weights: None,
            seed: fitting.seed,
            threads: fitting.threads,
        };
        let fitted = past_rows::fit(&input, group.is_some(), params)?;
        let uses: Vec<Source> = taken.into_iter().map(Source::Input).collect();
        frame.add_relations(&uses, fitted, fitting.threads)
    }

    fn apply_join(&self, frame: &mut Frame<'_>, join: &Join<'_>, fitting: &Fitting<'_>) -> Result<(), Error> {
        let n_main = frame.n_main;
        let (main, other) = frame.inputs.split_at(n_main);
        let (number, category) = (ColumnKind::Number, ColumnKind::Category);
        let moments = [number, ColumnKind::Time];
        let in_other =
            |flag, name, kinds: &[ColumnKind]| place(flag, other, name, kinds).map(|at| n_main + at);
        let on = (place("--on", main, join.on.0, &[category])?, in_other("--on", join.on.1, &[category])?);
        let before = match join.before {
            Some((name, _)) => Some(place("--before", main, name, &moments)?),
            None => None,
        };
        let time = match join.before.map(|b| b.1).or(join.time) {
            Some(name) => Some(in_other("--before", name, &moments)?),
            None => None,
        };
        if let (Some(a), Some(b), Some((column, other))) = (before, time, join.before)
            && frame.inputs[a].kind != frame.inputs[b].kind
        {
            return Err(Kind::Role {
                flag: "--before",
                column: column.to_owned(),
                what: "the kinds of both tables",
                expected: "the same",
                got: format!(
                    "\"{column}\" is a {} and \"{other}\" of {} a {}",
                    frame.inputs[a].kind, join.name, frame.inputs[b].kind
                ),
                cure: "name columns of one kind".to_owned(),
            }
            .into());
        }
        let by = match join.by {
            Some(name) => Some(in_other("--by", name, &[category])?),
            None => None,
        };
        let values = (n_main..frame.inputs.len())
            .filter(|&i| frame.inputs[i].kind == number && Some(i) != time)
            .collect();
        let roles = related_rows::Roles { on, before, time, by, values };
        let columns: Vec<StepColumn<'_>> = (0..frame.inputs.len()).map(|i| frame.step_column(i)).collect();
        let fitted = related_rows::fit(join.name, &columns, &roles, &join.params)?;
        let uses: Vec<Source> = (0..frame.inputs.len()).map(Source::Input).collect();
        frame.add_relations(&uses, fitted, fitting.threads)
    }
}

/// The inputs of both tables.
pub(crate) struct Tables<'a> {
    pub(crate) inputs: Vec<Input>,
    pub(crate) n_main: usize,
    file: &'a str,
}

impl<'a> Tables<'a> {
    pub(crate) fn new(main: &[Input], relations: &Relations<'a>) -> Tables<'a> {
        let mut inputs = main.to_vec();
        inputs.extend_from_slice(relations.join.as_ref().map_or(&[], |j| j.inputs));
        Tables { inputs, n_main: main.len(), file: relations.join.as_ref().map_or("", |j| j.file) }
    }

    /// Place of a column of the first table.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.inputs[..self.n_main].iter().position(|input| input.name == name)
    }

    /// The inputs that are used, by table.
    pub(crate) fn taken(&self, used: &[bool]) -> (Vec<Input>, Option<Joined>) {
        let (main, second): (Vec<_>, Vec<_>) =
            self.inputs.iter().enumerate().filter(|(i, _)| used[*i]).partition(|(i, _)| *i < self.n_main);
        let own = |taken: Vec<(usize, &Input)>| taken.into_iter().map(|(_, i)| i.clone()).collect::<Vec<_>>();
        let joined =
            (!second.is_empty()).then(|| Joined { table: self.file.to_owned(), inputs: own(second) });
        (own(main), joined)
    }
}

/// Place of a column with a role.
fn place(flag: &'static str, inputs: &[Input], name: &str, kinds: &[ColumnKind]) -> Result<usize, Error> {
    let shown = || kinds.iter().map(|k| k.name()).collect::<Vec<_>>().join(" or ");
    let Some(at) = inputs.iter().position(|i| i.name == name) else {
        let known = inputs.iter().map(|i| i.name.as_str()).take(30).collect::<Vec<_>>().join(", ");
        return Err(Kind::Role {
            flag,
            column: name.to_owned(),
            what: "the column",
            expected: "one that is read and has different values",
            got: format!("none of that name among {known}"),
            cure: "check its spelling, --drop and --types".to_owned(),
        }
        .into());
    };
    if kinds.contains(&inputs[at].kind) {
        return Ok(at);
    }
    Err(Kind::Role {
        flag,
        column: name.to_owned(),
        what: "its kind",
        expected: if kinds.contains(&ColumnKind::Category) { "category" } else { "number or time" },
        got: inputs[at].kind.to_string(),
        cure: format!("declare it with --types {name}={}", shown().replace(" or ", "|")),
    }
    .into())
}
