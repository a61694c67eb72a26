//! A frame: the features at one point of a recipe, with the cells of all rows.
//!
//! A step takes some features and makes others. Made cells are computed by the runtime from the very nodes
//! that the model will hold, for training as for prediction.

use crate::chain::{Chain, ChainGroup, Feature, Lowering, Source, add_inputs};
use crate::cleaning::{Cleaned, Told};
use crate::error::{Error, Kind};
use crate::step::Step;
use crate::store::{MadeCells, Store, cells_of, cut, n_changed};
use crate::whole::WholeColumn;
use data::Bound;
use ir::{Bags, Column, DType, GraphBuilder, Input, Tensor};
use jobs::{Progress, Seed, Threads};
use prepare::transform::{Cells, FeatureKind, FittedStep, Made, StepColumn, StepInput, StepTarget};
use prepare::{Kind as StepKind, Warning};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// What steps are fitted to.
pub(crate) struct Fitting<'a> {
    /// Rows to learn from, rising.
    pub(crate) rows: &'a [u32],
    pub(crate) target: Option<StepTarget<'a>>,
    pub(crate) row_weights: Option<&'a [f32]>,
    pub(crate) seed: Seed,
    pub(crate) threads: &'a Threads,
    /// Told of each step.
    pub(crate) progress: &'a dyn Progress,
}

/// Features, how they are made, and their cells.
pub(crate) struct Frame<'b> {
    /// Columns of the table, then those of the second table.
    pub(crate) inputs: Vec<Input>,
    /// How many of them belong to the table.
    pub(crate) n_main: usize,
    pub(crate) chain: Chain,
    pub(crate) features: Vec<Feature>,
    pub(crate) store: Store<'b>,
    pub(crate) told: Told,
}

/// Groups that are computed by one graph: wide tables have more than a graph may hold.
const GROUPS_AT_ONCE: usize = 64;

impl<'b> Frame<'b> {
    /// The columns of a table as they are.
    pub(crate) fn new(inputs: &[Input], columns: Vec<Vec<Column<'b>>>) -> Frame<'b> {
        let feature = |(i, input): (usize, &Input)| Feature {
            name: input.name.clone(),
            kind: input.kind.into(),
            source: Source::Input(i),
            terms: None,
        };
        let chunk_rows = columns.first().map_or(Vec::new(), |c| c.iter().map(Column::n_rows).collect());
        Frame {
            inputs: inputs.to_vec(),
            n_main: inputs.len(),
            chain: Chain::default(),
            features: inputs.iter().enumerate().map(feature).collect(),
            store: Store { inputs: columns, made: BTreeMap::new(), chunk_rows },
            told: Told::default(),
        }
    }

    /// Adds the columns of a second table, in one chunk; they are no features.
    pub(crate) fn add_second(&mut self, inputs: &[Input], second: &'b Bound<'_>) {
        self.inputs.extend_from_slice(inputs);
        self.store.inputs.extend(second.columns().into_iter().map(|column| vec![column]));
    }

    /// Adds what other rows say: `fitted` was made of the columns of `uses`, which are inputs.
    ///
    /// # Errors
    /// The graph refuses a node.
    pub(crate) fn add_relations(
        &mut self,
        uses: &[Source],
        fitted: FittedStep,
        threads: &Threads,
    ) -> Result<(), Error> {
        let first = self.chain.groups.len();
        for group in fitted.groups {
            let g = self.chain.groups.len();
            let kind = |source: Source| match source {
                Source::Input(i) => FeatureKind::from(self.inputs[i].kind),
                _ => FeatureKind::Number,
            };
            let used = group.uses.iter().map(|&k| (uses[k], kind(uses[k])));
            self.chain.groups.push(ChainGroup { uses: used.collect(), part: Arc::from(group.part) });
            self.features.extend(features_of(g, group.made));
        }
        self.compute(first, threads)
    }

    /// A column of the table or of the second table as a step sees it.
    pub(crate) fn step_column<'s>(&'s self, input: usize) -> StepColumn<'s> {
        let Input { name, kind, .. } = &self.inputs[input];
        StepColumn { name, kind: (*kind).into(), cells: Cells::Chunks(&self.store.inputs[input]) }
    }

    /// Applies steps, the first of them number `first` of the recipe.
    ///
    /// # Errors
    /// A step names a column that is not there or cannot be fitted.
    pub(crate) fn apply(&mut self, steps: &[Step], first: usize, fitting: &Fitting<'_>) -> Result<(), Error> {
        for (i, step) in steps.iter().enumerate() {
            fitting.progress.advance(1);
            let selected = self.selected(step)?;
            if selected.is_empty() {
                if !step.by_default {
                    let text = format!(
                        "there is no column for the transform {}, which takes {}; it does nothing",
                        step.entry.name,
                        step.entry.takes_shown()
                    );
                    self.told.warnings.push(Warning::table("idle_transform", text));
                }
                continue;
            }
            let fitted = self.fit(step, &selected, (first + i) as u64, fitting)?;
            self.take_over(step, &selected, fitted, fitting)?;
        }
        Ok(())
    }

    fn selected(&self, step: &Step) -> Result<Vec<usize>, Error> {
        let takes = |f: &Feature| step.entry.takes.contains(&f.kind);
        let Some(names) = &step.columns else {
            return Ok((0..self.features.len()).filter(|&i| takes(&self.features[i])).collect());
        };
        let transform = step.entry.name;
        let mut selected = Vec::with_capacity(names.len());
        for name in names {
            let Some(at) = self.features.iter().position(|f| f.name == *name) else {
                let known = self.features.iter().map(|f| f.name.as_str()).take(30).collect::<Vec<_>>();
                let (column, known) = (name.clone(), known.join(", "));
                return Err(prepare::Error::from(StepKind::UnknownColumn { transform, column, known }).into());
            };
            if !takes(&self.features[at]) {
                let (column, got) = (name.clone(), self.features[at].kind.name());
                let takes = step.entry.takes_shown();
                return Err(
                    prepare::Error::from(StepKind::ColumnKind { transform, column, got, takes }).into()
                );
            }
            selected.push(at);
        }
        selected.sort_unstable();
        selected.dedup();
        Ok(selected)
    }

    fn fit(
        &self,
        step: &Step,
        selected: &[usize],
        number: u64,
        fitting: &Fitting<'_>,
    ) -> Result<FittedStep, Error> {
        let chunks: Vec<Vec<Column<'_>>> =
            selected.iter().map(|&i| self.store.columns(self.features[i].source)).collect();
        let bags: Vec<(Vec<&Bags>, usize)> =
            selected.iter().map(|&i| self.bags(self.features[i].source)).collect();
        let columns: Vec<StepColumn<'_>> = selected
            .iter()
            .zip(chunks.iter().zip(&bags))
            .map(|(&i, (chunks, (bags, width)))| StepColumn {
                name: &self.features[i].name,
                kind: self.features[i].kind,
                cells: match self.features[i].kind {
                    FeatureKind::Bag => {
                        let terms = self.features[i].terms.as_deref();
                        Cells::Bags { bags, width: *width, terms }
                    }
                    _ => Cells::Chunks(chunks),
                },
            })
            .collect();
        let input = StepInput {
            columns: &columns,
            rows: fitting.rows,
            target: if step.entry.sees_target { fitting.target } else { None },
            row_weights: fitting.row_weights,
            seed: fitting.seed.derive("transform", number),
            threads: fitting.threads,
        };
        Ok(step.entry.transform.fit(&input, &step.params)?)
    }

    fn bags(&self, source: Source) -> (Vec<&Bags>, usize) {
        match self.store.made.get(&source).map(AsRef::as_ref) {
            Some(MadeCells::Bags(chunks, width)) => (chunks.iter().collect(), *width),
            _ => (Vec::new(), 0),
        }
    }

    /// Puts what a step made in the place of what it took, and computes its cells.
    fn take_over(
        &mut self,
        step: &Step,
        selected: &[usize],
        fitted: FittedStep,
        fitting: &Fitting<'_>,
    ) -> Result<(), Error> {
        let keep_all = step.params.word("keep") == "yes";
        let mut stay = vec![true; self.features.len()];
        if !keep_all {
            selected.iter().for_each(|&i| stay[i] = false);
            fitted.kept.iter().for_each(|&k| stay[selected[k]] = true);
        }
        // A feature of one column stands behind it, one of several behind all.
        let mut placed: Vec<(usize, Feature)> = Vec::new();
        for (i, feature) in self.features.iter().enumerate().filter(|(i, _)| stay[*i]) {
            placed.push((i, feature.clone()));
        }
        let taken: Vec<Feature> = selected.iter().map(|&i| self.features[i].clone()).collect();
        let stay_names: HashSet<String> = placed.iter().map(|(_, f)| f.name.clone()).collect();
        let first_group = self.chain.groups.len();
        let mut trainings = Vec::new();
        for group in fitted.groups {
            let g = self.chain.groups.len();
            let used = |&k: &usize| (self.features[selected[k]].source, self.features[selected[k]].kind);
            let uses = group.uses.iter().map(used).collect();
            let place = match group.uses[..] {
                [one] => selected[one],
                _ => usize::MAX,
            };
            self.chain.groups.push(ChainGroup { uses, part: Arc::from(group.part) });
            for mut feature in features_of(g, group.made) {
                // A column that goes on keeps its name.
                if stay_names.contains(&feature.name) {
                    feature.name = format!("{} by {}", feature.name, step.entry.name);
                }
                placed.push((place, feature));
            }
            trainings.push(group.training);
        }
        // Stable: kept columns before what is made of them, groups in their order.
        placed.sort_by_key(|(place, _)| *place);
        self.features = placed.into_iter().map(|(_, feature)| feature).collect();
        self.compute(first_group, fitting.threads)?;
        for (g, training) in trainings.into_iter().enumerate() {
            if let Some(values) = training {
                self.override_rows(first_group + g, &values, fitting.rows);
            }
        }
        if step.entry.cleans {
            self.count_changes(step.entry.name, &taken, first_group);
        }
        Ok(())
    }

    /// Tells how many cells differ between columns and those of the same names that were made of them.
    fn count_changes(&mut self, code: &'static str, taken: &[Feature], first_group: usize) {
        let is_new = |f: &&Feature| of_group(f.source).is_some_and(|g| g >= first_group);
        for new in self.features.iter().filter(is_new) {
            let Some(old) = taken.iter().find(|f| f.name == new.name) else { continue };
            let (before, after) = (self.store.columns(old.source), self.store.columns(new.source));
            let count: u64 = before.iter().zip(&after).map(|(a, b)| n_changed(a, b)).sum();
            if count > 0 {
                let text = format!("{count} cells were changed by {code}");
                self.told.cleaned.push(Cleaned { code, column: Some(new.name.clone()), count, text });
            }
        }
    }

    /// Computes the cells of all groups from `first` on, chunk by chunk.
    fn compute(&mut self, first: usize, threads: &Threads) -> Result<(), Error> {
        let all: Vec<usize> = (first..self.chain.groups.len()).collect();
        all.chunks(GROUPS_AT_ONCE).try_for_each(|new| self.compute_some(new, threads))
    }

    fn compute_some(&mut self, new: &[usize], threads: &Threads) -> Result<(), Error> {
        let mut builder = GraphBuilder::new();
        let known = |source: Source| self.store.dtype(source).is_some();
        let needs = self.chain.needs(new.iter().map(|&g| Source::Group(g)), &known, self.inputs.len());
        let used = &needs.inputs;
        let values = add_inputs(&mut builder, (&self.inputs, self.n_main), used)?;
        let mut lowering = Lowering::new(&self.chain, values);
        let mut columns: Vec<Vec<Column<'_>>> =
            used.iter().enumerate().filter(|(_, u)| **u).map(|(i, _)| self.store.inputs[i].clone()).collect();
        for &source in &needs.known {
            let dtype = self.store.dtype(source).unwrap_or(DType::F64);
            lowering.add_known(&mut builder, source, dtype)?;
            columns.push(self.store.columns(source));
        }
        let mut outputs = Vec::with_capacity(new.len());
        for &g in new {
            outputs.push(lowering.group(&mut builder, g)?);
        }
        let graph = builder.finish(&outputs)?;
        let is_row_wise = graph.nodes().iter().all(|n| n.op.payload().is_row_wise());
        let results = if is_row_wise {
            threads.map(self.store.chunk_rows.len(), |chunk| {
                let rows: Vec<Column<'_>> = columns.iter().map(|c| c[chunk]).collect();
                runtime::reference::run(&graph, &rows)
            })
        } else {
            let whole: Option<Vec<WholeColumn>> = columns.iter().map(|c| WholeColumn::new(c)).collect();
            let whole = whole.ok_or_else(|| Kind::TooLong { n_columns: columns.len() })?;
            let rows: Option<Vec<Column<'_>>> = whole.iter().map(WholeColumn::column).collect();
            vec![runtime::reference::run(&graph, &rows.unwrap_or_default())]
        };
        let mut by_group: Vec<Vec<Tensor>> = new.iter().map(|_| Vec::new()).collect();
        for result in results {
            for (place, tensor) in by_group.iter_mut().zip(result?) {
                if is_row_wise {
                    place.push(tensor);
                } else {
                    place.extend(cut(&tensor, &self.store.chunk_rows));
                }
            }
        }
        for (&g, tensors) in new.iter().zip(by_group) {
            for (source, cells) in cells_of(g, tensors)? {
                self.store.made.insert(source, Arc::new(cells));
            }
        }
        Ok(())
    }

    /// Replaces the cells of the rows that were learnt from.
    fn override_rows(&mut self, g: usize, values: &[f64], rows: &[u32]) {
        let width = values.len() / rows.len().max(1);
        let sources: Vec<Source> =
            self.store.made.keys().copied().filter(|s| of_group(*s) == Some(g)).collect();
        for source in sources {
            let at = if let Source::Column(_, at) = source { at } else { 0 };
            let Some(MadeCells::Doubles(chunks)) = self.store.made.get_mut(&source).and_then(Arc::get_mut)
            else {
                continue;
            };
            let mut first = 0usize;
            let mut next = rows.iter().zip(values.iter().skip(at).step_by(width.max(1))).peekable();
            for chunk in chunks {
                while let Some(&(&row, &value)) = next.peek() {
                    let Some(cell) = (row as usize).checked_sub(first).and_then(|r| chunk.get_mut(r)) else {
                        break;
                    };
                    *cell = value;
                    next.next();
                }
                first += chunk.len();
            }
        }
    }
}

/// The features that a group gives.
fn features_of(g: usize, made: Made) -> Vec<Feature> {
    let feature = |name, kind, source, terms| Feature { name, kind, source, terms };
    match made {
        Made::Column(column) => vec![feature(column.name, column.kind, Source::Group(g), None)],
        Made::Bag { name, terms } => vec![feature(name, FeatureKind::Bag, Source::Group(g), terms)],
        Made::Matrix(names) => {
            let of = |(at, name)| feature(name, FeatureKind::Number, Source::Column(g, at), None);
            names.into_iter().enumerate().map(of).collect()
        }
    }
}

fn of_group(source: Source) -> Option<usize> {
    match source {
        Source::Input(_) => None,
        Source::Group(g) | Source::Column(g, _) => Some(g),
    }
}
