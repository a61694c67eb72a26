//! A table ready for learners: typed inputs, features, codes, target, weights, and what a person should know.

use crate::augmented::{Augment, Augmented};
use crate::base::BaseScores;
use crate::chain::{Feature, Source};
use crate::cleaning::{Cleaned, Duplicates, Looked, MissingCells, Told, choose, look};
use crate::decide::ClassWeights;
use crate::error::{Error, Kind};
use crate::features::{Coding, Features, View, leave_out_unlearnt};
use crate::forerunner::Ahead;
use crate::frame::{Fitting, Frame};
use crate::predictions::{OneTruth, Truth};
use crate::relations::{Relations, Tables};
use crate::several::{SeveralTargets, refuse_of_one};
use crate::step::Step;
use crate::store::MadeCells;
use arrow_array::RecordBatch;
use data::{Bound, NamedTarget, Strata, Table, Target, TargetValues, by_column};
use ir::digest::Digest;
use ir::{ColumnKind, Input};
use jobs::{Ctx, Seed, Silent, Threads};
use learn::{Exactness, FitInput, Goal, StageRounds, Takes, Wants};
use prepare::Warning;
use prepare::clean::{self, LeakTarget};
use prepare::transform::StepTarget;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use trees::{CodeMatrix, Rows};

/// How a table is made ready.
#[derive(Clone)]
pub struct PrepareOptions<'a> {
    /// The target columns.
    pub targets: &'a [String],
    /// Column of row weights.
    pub row_weight: Option<&'a str>,
    /// Kinds that the user declared.
    pub declared: &'a BTreeMap<String, ColumnKind>,
    /// Transforms asked for.
    pub steps: Vec<Step>,
    /// How rows are added inside folds.
    pub augment: Option<Augment>,
    /// What fits go on from.
    pub base: Option<&'a BaseScores<'a>>,
    /// Columns with a role: order, group, second table.
    pub relations: Relations<'a>,
    /// What becomes of copies.
    pub duplicates: Duplicates,
    /// What becomes of missing cells.
    pub missing_cells: MissingCells,
    /// Most codes of a column.
    pub max_bins: usize,
    /// What the learner takes beside codes.
    pub takes: Takes,
    /// Batches of the table whose cells make edges and dictionaries, the first ones; all unless given.
    pub n_batches: Option<usize>,
    /// What rows weigh by their class, and what mistakes cost.
    pub class_weights: ClassWeights<'a>,
    /// What predicted numbers are judged by.
    pub goal: Goal,
    /// Where randomness comes from.
    pub seed: Seed,
}

/// A table ready for learners.
pub struct Prepared<'t> {
    /// The table.
    table: &'t Table,
    /// Order, group, second table.
    pub(crate) relations: Relations<'t>,
    /// Columns that learners may use.
    pub inputs: Vec<Input>,
    /// The study's features, fitted once on all rows.
    pub(crate) study: Features,
    /// Steps that are fitted inside the folds, and the number of the first of them.
    late: Vec<Step>,
    first_late: usize,
    /// How rows are added inside folds.
    augment: Option<Augment>,
    /// What fits go on from.
    pub(crate) base: Option<&'t BaseScores<'t>>,
    /// Cells that the study made, kept for steps inside the folds.
    made: BTreeMap<Source, Arc<MadeCells>>,
    /// Steps of the recipe.
    pub steps: Vec<Step>,
    /// The target of all rows; rows without one hold class 0 or 0.
    pub truth: Truth,
    /// Several targets, if there are.
    several: SeveralTargets,
    /// Rows that are learnt from.
    pub rows: Vec<u32>,
    /// Rows without a target, which a student may learn from.
    pub unlabelled: Vec<u32>,
    /// Weight of each row, that of its class included.
    pub row_weights: Option<Vec<f32>>,
    /// Factors of the classes in these weights.
    pub class_factors: Option<Vec<f64>>,
    /// For each row the first one that must share its fold: with the same inputs, or of the same group.
    pub first_copy: Vec<u32>,
    /// For each row the number of rows before it, if rows are ordered and not grouped.
    pub(crate) rank: Option<Vec<f64>>,
    /// What a person should know.
    pub warnings: Vec<Warning>,
    /// What cleaning changed.
    pub cleaned: Vec<Cleaned>,
    /// Digest of the codes and the target.
    pub fingerprint: u64,
    coding: Coding,
    goal: Goal,
    seed: Seed,
    /// Features of fits on some rows, by a digest of these: the same folds are asked for by every candidate.
    views: Mutex<Vec<(u64, Arc<Features>)>>,
    /// Fits of forerunners, by what tells them apart: every candidate that is added to the same one asks for the same.
    aheads: Mutex<Vec<(u64, Arc<Ahead>)>>,
}

/// Bytes of features of folds that are kept.
const VIEW_BYTES: usize = 64 << 20;

/// Bytes of scores of forerunners that are kept.
const AHEAD_BYTES: usize = 16 << 20;

/// Rows needed to learn and to hold some back.
const FEWEST_ROWS: usize = 4;

/// Classes above which a person is told that there are many.
const MANY_CLASSES: usize = 100;

impl<'t> Prepared<'t> {
    /// Chooses columns, applies the steps that do not see the target, makes codes of all rows, and spreads the
    /// target over them.
    ///
    /// Constant and empty columns, and columns that name rows (unless their kind is declared), are left
    /// out with a warning; infinite values are ordered, with a warning.
    ///
    /// # Errors
    /// Too few rows, no column left, weights that are none or all 0, a step that cannot be fitted; a base that takes
    /// columns of other kinds, or goes with rows that are made.
    pub fn new(
        table: &'t Table,
        target: &Target,
        options: &PrepareOptions<'t>,
        ctx: &Ctx<'_>,
    ) -> Result<Prepared<'t>, Error> {
        let threads = ctx.threads;
        let too_few = |n_rows: usize| -> Error {
            let table = table.profile().name.clone();
            Kind::TooFewRows { table, n_rows, needed: FEWEST_ROWS }.into()
        };
        if target.kept_rows.len() < FEWEST_ROWS {
            return Err(too_few(target.kept_rows.len()));
        }
        let mut told = Told::default();
        let mut inputs = choose(table, options, &mut told);
        if let Some(base) = options.base {
            base.base().agree(&mut inputs, &table.profile().name)?;
            if let Some(augment) = &options.augment {
                return Err(Kind::BaseAugment { augment: augment.entry.name }.into());
            }
        }
        let bound = bind_all(table.batches(), &inputs)?;
        let columns = by_column(&bound, inputs.len());
        let looked = look(table, Some(target), options, inputs, columns, &mut told)?;
        let Looked { inputs, columns, unlearnt, rows, unlabelled, truth, mut row_weights, first_copy, steps } =
            looked;
        let second = bind_second(&options.relations)?;
        let truth = truth.unwrap_or(Truth::Values(Vec::new()));
        if matches!(truth, Truth::Several(_)) {
            refuse_of_one(options, &steps)?;
        }
        let expected = truth.n_rows() * truth.n_outputs();
        if let Some(got) = options.base.map(BaseScores::n_scores).filter(|&got| got != expected) {
            return Err(Kind::BaseScores { expected, got }.into());
        }
        // Cleaning may leave fewer.
        if rows.len() < FEWEST_ROWS {
            return Err(too_few(rows.len()));
        }
        refuse_one_class(&truth, &rows, table)?;
        if let Truth::Classes { labels, n_classes, .. } = &truth {
            told.warnings.extend(about_classes(target, labels, &rows, *n_classes));
        }
        let mut class_factors = None;
        if let Truth::Classes { labels, n_classes, .. } = &truth {
            class_factors = options.class_weights.factors(labels, &rows, *n_classes);
            if let Some(factors) = &class_factors {
                let weights = row_weights.get_or_insert_with(|| vec![1.0; labels.len()]);
                let pairs = weights.iter_mut().zip(labels);
                pairs.for_each(|(weight, &label)| *weight *= factors[label as usize] as f32);
            }
        }
        let first_late = steps.iter().position(|s| s.entry.sees_target).unwrap_or(steps.len());
        let mut frame = Frame::new(&inputs, columns);
        let fitting = Fitting {
            rows: &rows,
            target: None,
            row_weights: row_weights.as_deref(),
            seed: options.seed,
            threads,
            progress: ctx.progress,
        };
        if first_late > 0 {
            ctx.progress.stage("transforming", Some(first_late as u64));
        }
        frame.features.retain(|f| !unlearnt.contains(&f.name));
        options.relations.apply(&mut frame, second.as_ref(), &fitting)?;
        let rank = options.relations.rank(&frame);
        let first_copy = options.relations.first_of_group(&frame).unwrap_or(first_copy);
        frame.apply(&steps[..first_late], 0, &fitting)?;
        let late = steps[first_late..].to_vec();
        told.append(std::mem::take(&mut frame.told));
        if late.is_empty() {
            leave_out_unlearnt(&mut frame, options.takes, &mut told);
        }
        let made = if late.is_empty() { BTreeMap::new() } else { frame.store.made.clone() };
        ctx.progress.stage("encoding", None);
        let n_batches = options.n_batches.unwrap_or(table.batches().len());
        let coding = Coding { max_bins: options.max_bins, takes: options.takes, n_batches };
        let study = Features::of(frame, coding, threads);
        told.warnings.extend(leaks(&study.features, &study.codes, &rows, &truth, threads));
        let fingerprint = fingerprint(&study.codes, &truth);
        let several = SeveralTargets::of(truth.of_each(), &rows);
        let prepared = Prepared {
            table,
            relations: options.relations.clone(),
            inputs,
            study,
            late,
            first_late,
            augment: options.augment.clone(),
            base: options.base,
            made,
            steps,
            truth,
            several,
            rows,
            unlabelled,
            row_weights,
            class_factors,
            first_copy,
            rank,
            warnings: told.warnings,
            cleaned: told.cleaned,
            fingerprint,
            coding,
            goal: options.goal,
            seed: options.seed,
            views: Mutex::default(),
            aheads: Mutex::default(),
        };
        Ok(prepared)
    }

    /// What a learner learns from on some rows; `names` are those of the features, `augmented` the rows with those that
    /// were added.
    pub(crate) fn fit_input<'a>(
        &'a self,
        features: &'a Features,
        names: &'a [&'a str],
        (rows, augmented): (Rows, Option<&'a Augmented>),
        rounds: Option<StageRounds>,
        (exact, wants): (Exactness, Wants),
    ) -> FitInput<'a> {
        let (encoders, goal) = (&features.encoders[..], self.goal);
        let input = FitInput {
            names,
            encoders,
            codes: &features.codes,
            numbers: &features.numbers,
            bags: &features.bags,
            target: self.target(),
            row_weights: self.row_weights.as_deref(),
            offsets: self.base.map(BaseScores::offsets),
            rows,
            rounds,
            goal,
            exact,
            wants,
        };
        match augmented {
            Some(augmented) => augmented.input(input),
            None => input,
        }
    }

    /// Columns of the table, by batch.
    ///
    /// # Errors
    /// The table has no such column.
    pub(crate) fn bound(&self, inputs: &[Input]) -> Result<Vec<Bound<'t>>, Error> {
        bind_all(self.table.batches(), inputs)
    }

    /// What augments the rows of folds, if anything does.
    pub(crate) fn augmentation(&self) -> Option<&'static str> {
        self.augment.as_ref().map(|augment| augment.entry.name)
    }

    /// The table with the rows that a fit adds to `rows`, if it does.
    ///
    /// # Errors
    /// An augmentation that does not answer the task.
    pub(crate) fn augmented(
        &self,
        features: &Features,
        rows: &Rows,
        (seed, threads): (Seed, &Threads),
    ) -> Result<Option<Augmented>, Error> {
        let add = |augment| Augmented::new(augment, (self, features), rows, (seed, threads));
        self.augment.as_ref().map(add).transpose()
    }

    /// The features for a fit on some rows: the steps that see the target are fitted on these rows alone.
    ///
    /// # Errors
    /// A step cannot be fitted.
    pub(crate) fn view(&self, rows: &[u32], threads: &Threads) -> Result<View<'_>, Error> {
        if self.late.is_empty() {
            return Ok(View::Study(&self.study));
        }
        let mut digest = Digest::new();
        rows.iter().for_each(|&row| digest.word(row.into()));
        let key = digest.finish();
        let kept = || self.views.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, features)) = kept().iter().find(|(known, _)| *known == key) {
            return Ok(View::Fold(features.clone()));
        }
        let (view, _) = self.view_told(rows, threads)?;
        if let View::Fold(features) = &view {
            let mut kept = kept();
            let bytes: usize = kept.iter().map(|(_, f)| f.bytes()).sum();
            if bytes + features.bytes() <= VIEW_BYTES {
                kept.push((key, features.clone()));
            }
        }
        Ok(view)
    }

    /// A fit of a forerunner that is kept.
    pub(crate) fn known_ahead(&self, key: u64) -> Option<Arc<Ahead>> {
        let kept = self.aheads.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(known, _)| *known == key).map(|(_, ahead)| ahead.clone())
    }

    /// Keeps a fit of a forerunner; the oldest ones go where there are too many.
    pub(crate) fn keep_ahead(&self, key: u64, ahead: &Arc<Ahead>) {
        let mut kept = self.aheads.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = kept.iter().map(|(_, ahead)| ahead.bytes()).sum::<usize>() + ahead.bytes();
        while bytes > AHEAD_BYTES && !kept.is_empty() {
            bytes -= kept.remove(0).1.bytes();
        }
        kept.push((key, ahead.clone()));
    }

    /// Bytes of what is kept for learners, the table not counted.
    pub fn bytes(&self) -> usize {
        let kept = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        let views: usize = kept.iter().map(|(_, features)| features.bytes()).sum();
        let aheads = self.aheads.lock().unwrap_or_else(PoisonError::into_inner);
        self.study.bytes() + views + aheads.iter().map(|(_, ahead)| ahead.bytes()).sum::<usize>()
    }

    /// As [`Prepared::view`], with what the steps tell.
    pub(crate) fn view_told(&self, rows: &[u32], threads: &Threads) -> Result<(View<'_>, Told), Error> {
        if self.late.is_empty() {
            return Ok((View::Study(&self.study), Told::default()));
        }
        let bound = self.bound(&self.inputs)?;
        let second = bind_second(&self.relations)?;
        let mut frame = Frame::new(&self.inputs, by_column(&bound, self.inputs.len()));
        if let (Some(join), Some(second)) = (&self.relations.join, &second) {
            frame.add_second(join.inputs, second);
        }
        frame.chain = self.study.chain.clone();
        frame.features = self.study.features.clone();
        frame.store.made = self.made.clone();
        let target = self.truth.step_target();
        let row_weights = self.row_weights.as_deref();
        let seed = self.seed;
        frame.apply(
            &self.late,
            self.first_late,
            &Fitting { rows, target, row_weights, seed, threads, progress: &Silent },
        )?;
        let mut told = std::mem::take(&mut frame.told);
        leave_out_unlearnt(&mut frame, self.coding.takes, &mut told);
        Ok((View::Fold(Arc::new(self.study.again(frame, self.coding, threads))), told))
    }

    /// The steps asked for and the learner, for people: `one_hot; standard; gbdt max_leaves=7`.
    pub fn recipe(&self, params: &params::Params) -> String {
        let steps = self.steps.iter().filter(|s| !s.by_default).map(Step::describe);
        let augment = self.augment.as_ref().map(|augment| augment.params.describe());
        steps.chain(augment).chain([params.describe()]).collect::<Vec<_>>().join("; ")
    }

    /// The inputs of both tables.
    pub(crate) fn tables(&self) -> Tables<'t> {
        Tables::new(&self.inputs, &self.relations)
    }

    /// Name of the table.
    pub(crate) fn table_name(&self) -> String {
        self.table.profile().name.clone()
    }

    /// Whether rows of one group share a fold.
    pub(crate) fn is_grouped(&self) -> bool {
        self.relations.group.is_some()
    }

    /// Features that learners see.
    pub fn n_features(&self) -> usize {
        self.study.features.len()
    }

    /// Codes of all features together, and one more of each for missing: the cells of a histogram.
    pub fn n_cells(&self) -> usize {
        self.study.codes.n_cells()
    }

    /// Sets of rows that share a fold.
    pub(crate) fn n_fold_units(&self) -> usize {
        self.rows.iter().map(|&row| self.first_copy[row as usize]).collect::<BTreeSet<_>>().len()
    }

    /// What keeps folds alike.
    pub fn strata(&self) -> Strata<'_> {
        match &self.truth {
            Truth::Classes { labels, .. } => Strata::Classes(labels),
            Truth::Values(values) => Strata::Values(values),
            Truth::Several(_) => self.several.strata(),
        }
    }

    /// The target as learners take it.
    pub fn target(&self) -> trees::Target<'_> {
        match &self.truth {
            Truth::Classes { labels, n_classes: 2, .. } => trees::Target::Binary(labels),
            Truth::Classes { labels, n_classes, .. } => {
                trees::Target::Classes { labels, n_classes: *n_classes }
            }
            Truth::Values(values) => trees::Target::Values(values),
            Truth::Several(_) => trees::Target::Several(&self.several.targets),
        }
    }
}

/// The input columns of every batch, bound.
pub(crate) fn bind_all<'t>(batches: &'t [RecordBatch], inputs: &[Input]) -> Result<Vec<Bound<'t>>, Error> {
    Ok(batches.iter().map(|b| data::bind_inputs(b, inputs, &[])).collect::<Result<_, data::Error>>()?)
}

/// The columns of the second table, bound.
pub(crate) fn bind_second<'t>(relations: &Relations<'t>) -> Result<Option<Bound<'t>>, Error> {
    let Some(join) = &relations.join else { return Ok(None) };
    let bound = bind_all(std::slice::from_ref(join.batch), join.inputs)?;
    Ok(bound.into_iter().next())
}

/// Columns that give the target away.
fn leaks(
    features: &[Feature],
    codes: &CodeMatrix,
    rows: &[u32],
    truth: &Truth,
    threads: &Threads,
) -> Vec<Warning> {
    let target = match truth {
        Truth::Classes { labels, n_classes, .. } => LeakTarget::Classes(labels, *n_classes),
        Truth::Values(values) => LeakTarget::Values(values),
        Truth::Several(each) => {
            let of_one = |one: &OneTruth| {
                let rows: Vec<u32> = rows.iter().copied().filter(|&row| one.is_known(row)).collect();
                let mut found = leaks(features, codes, &rows, &one.truth, threads);
                found
                    .iter_mut()
                    .for_each(|leak| leak.text = format!("target \"{}\": {}", one.name, leak.text));
                found
            };
            return each.iter().flat_map(of_one).collect();
        }
    };
    let found = threads.map(features.len(), |i| clean::leak(codes, i, rows, target));
    let told = features.iter().zip(found).filter_map(|(feature, why)| Some((feature, why?)));
    told.map(|(feature, why)| Warning::column("leak", &feature.name, why)).collect()
}

fn about_classes(target: &Target, labels: &[u32], rows: &[u32], n_classes: usize) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if n_classes > MANY_CLASSES {
        let text = format!("{n_classes} classes; training time and model size grow with each");
        warnings.push(Warning::table("many_classes", text));
    }
    let mut counts = vec![0usize; n_classes];
    rows.iter().for_each(|&r| counts[labels[r as usize] as usize] += 1);
    let rare: Vec<&str> =
        (0..n_classes).filter(|&k| counts[k] < 5).map(|k| target.classes[k].as_str()).collect();
    if !rare.is_empty() {
        let shown = rare.iter().take(5).copied().collect::<Vec<_>>().join(", ");
        let text = format!("{} classes have fewer than 5 rows ({shown}); they are hardly learnt", rare.len());
        warnings.push(Warning::table("rare_classes", text));
    }
    warnings
}

fn fingerprint(codes: &CodeMatrix, truth: &Truth) -> u64 {
    let mut digest = Digest::new();
    codes.digest(&mut digest);
    digest_truth(truth, &mut digest);
    digest.finish()
}

fn digest_truth(truth: &Truth, digest: &mut Digest) {
    match truth {
        Truth::Classes { labels, .. } => labels.iter().for_each(|&l| digest.word(l.into())),
        Truth::Values(values) => values.iter().for_each(|v| digest.word(v.to_bits())),
        Truth::Several(each) => {
            for one in each {
                digest_truth(&one.truth, digest);
                one.known.iter().flatten().for_each(|&known| digest.word(known.into()));
            }
        }
    }
}

/// Refuses rows of one class; of several targets each on the rows in which it is known.
fn refuse_one_class(truth: &Truth, rows: &[u32], table: &Table) -> Result<(), Error> {
    match truth {
        Truth::Classes { labels, .. } => {
            let first = rows.first().map(|&row| labels[row as usize]);
            if rows.iter().all(|&row| Some(labels[row as usize]) == first) {
                let (table, n_rows) = (table.profile().name.clone(), rows.len());
                return Err(Kind::OneClass { table, n_rows }.into());
            }
            Ok(())
        }
        Truth::Values(_) => Ok(()),
        Truth::Several(each) => each.iter().try_for_each(|one| {
            let known: Vec<u32> = rows.iter().copied().filter(|&row| one.is_known(row)).collect();
            refuse_one_class(&one.truth, &known, table)
        }),
    }
}

impl Truth {
    /// The target as steps take it; none of several.
    pub(crate) fn step_target(&self) -> Option<StepTarget<'_>> {
        match self {
            Truth::Classes { labels, n_classes, .. } => Some(StepTarget::Classes(labels, *n_classes)),
            Truth::Values(values) => Some(StepTarget::Values(values)),
            Truth::Several(_) => None,
        }
    }

    /// The targets, where there are several.
    pub(crate) fn of_each(&self) -> &[OneTruth] {
        match self {
            Truth::Several(each) => each,
            Truth::Classes { .. } | Truth::Values(_) => &[],
        }
    }

    /// A number that rows of the same target share.
    pub(crate) fn key(&self, row: u32) -> u64 {
        match self {
            Truth::Classes { labels, .. } => u64::from(labels[row as usize]),
            Truth::Values(values) => values[row as usize].to_bits(),
            Truth::Several(each) => {
                let mut digest = Digest::new();
                for one in each {
                    digest.word(one.truth.key(row));
                    digest.word(one.is_known(row).into());
                }
                digest.finish()
            }
        }
    }

    /// The target of the kept rows, spread over all rows.
    pub(crate) fn spread(target: &Target, n_rows: usize) -> Truth {
        match &target.values {
            TargetValues::Labels(kept) => {
                let mut labels = vec![0; n_rows];
                for (&row, &label) in target.kept_rows.iter().zip(kept) {
                    labels[row] = label;
                }
                Truth::Classes { labels, n_classes: target.classes.len(), positive: target.positive }
            }
            TargetValues::Numbers(kept) => {
                let mut values = vec![0.0; n_rows];
                for (&row, &value) in target.kept_rows.iter().zip(kept) {
                    values[row] = value;
                }
                Truth::Values(values)
            }
            TargetValues::Several(each) => {
                let one = |one: &NamedTarget| {
                    let mut known = vec![false; n_rows];
                    one.target.kept_rows.iter().for_each(|&row| known[row] = true);
                    let is_partly = one.target.kept_rows.len() < target.kept_rows.len();
                    let (name, truth) = (one.name.clone(), Truth::spread(&one.target, n_rows));
                    OneTruth { name, truth, known: is_partly.then_some(known) }
                };
                Truth::Several(each.iter().map(one).collect())
            }
        }
    }
}
