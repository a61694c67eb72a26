//! `fit`: a table to a model file.

use crate::Error;
use crate::calibrated::{ProbabilityCalibration, calibrated};
use crate::chance::is_chance;
use crate::costs::CostTable;
use crate::demands::{Demands, Reached};
use crate::drift::{drift_from, overfit};
use crate::evaluate::{self, Evaluated, OnRows, evaluate_rows, metric_task, report};
use crate::figures::{Fitted, figures};
use crate::fit_report::{FitMember, FitReport, Stages, Status};
use crate::float_side::{FloatSide, LEAST_CORRELATION};
use crate::front::with_written;
use crate::joined::rows_of_second;
use crate::output::{refuse_same_file, write_whole};
use crate::quantize::MaxDrop;
use crate::relation_options::RelationOptions;
use crate::searched::{Chosen, ChosenMember, Distil, Lessons, Ready, Wanted, Workshop, named};
use crate::several;
use crate::start::Start;
use crate::table::{Scorer, batch_truth, rows_for};
use crate::teacher_file;
use crate::timing::measure;
use compose::calibrate;
use data::{Encoding, Markers, NamedTarget, ReadOptions, Source, Table, Target, TargetOptions, TargetValues};
use ir::{ColumnKind, Model, Signature, Task};
use jobs::{Cancel, Clock, Ctx};
use learn::Decision;
use metrics::MetricEntry;
use params::settings_of;
use recipe::{
    Aim, Augment, Combination, Duplicates, Finished, Limits, MissingCells, Prepared, Scales, Scheme,
    ScoreMap, Size, Step, Validated, Warning,
};
use runtime::cost::OperationCosts;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is fitted, and to what.
#[derive(Clone, Debug)]
pub struct FitOptions {
    /// The table: a path, or `-`.
    pub data: String,
    /// The target columns: one, or several that trees share.
    pub targets: Vec<String>,
    /// A model file that the fit goes on from.
    pub from: Option<PathBuf>,
    /// The task; found out from the target if `None`.
    pub task: Option<Task>,
    /// The metric; the task's default if `None`.
    pub metric: Option<String>,
    /// A table that the written model is evaluated on.
    pub test: Option<String>,
    /// Where the model is written.
    pub output: PathBuf,
    /// Kinds of columns.
    pub types: BTreeMap<String, ColumnKind>,
    /// Cells that mean missing.
    pub missing: Vec<String>,
    /// How the bytes of the tables spell text.
    pub encoding: Encoding,
    /// Columns that are not read.
    pub drop: Vec<String>,
    /// Transforms, in order, as [`Step::parse`] takes them.
    pub transforms: Vec<String>,
    /// Their parameters: transform, name, value.
    pub transform_settings: Vec<(String, String, String)>,
    /// The augmentation inside folds, or `none`; the search tries some unless it is given.
    pub augment: Option<String>,
    /// The learner that candidates are added to, or `none`; the search tries the best sum of columns unless it is given.
    pub onto: Option<String>,
    /// Parameters of augmentations: augmentation, name, value.
    pub augment_settings: Vec<(String, String, String)>,
    /// What becomes of copies of rows.
    pub duplicates: Duplicates,
    /// What becomes of missing cells.
    pub missing_cells: MissingCells,
    /// Columns with a role: order, group, second table.
    pub relations: RelationOptions,
    /// Column of row weights.
    pub row_weight: Option<String>,
    /// The positive class.
    pub positive: Option<String>,
    /// How rows are held back.
    pub scheme: Scheme,
    /// Learners to try; those that settings name, or the usual ones, if there are none.
    pub learners: Vec<String>,
    /// Parameters of learners: learner, name, value.
    pub settings: Vec<(String, String, String)>,
    /// What becomes of the best candidates in the end.
    pub refit: Refit,
    /// What candidates are combined by: `auto`, `none` or the name of an ensemble.
    pub ensemble: String,
    /// Parameters of ensembles: ensemble, name, value.
    pub ensemble_settings: Vec<(String, String, String)>,
    /// A folder that keeps trials, so that a run goes on where another one was stopped.
    pub resume: Option<PathBuf>,
    /// Probability calibration: `auto`, `none` or the name of a calibrator.
    pub calibrator: String,
    /// Parameters of calibrators: calibrator, name, value.
    pub calibrator_settings: Vec<(String, String, String)>,
    /// A table of what mistakes cost.
    pub costs: Option<PathBuf>,
    /// Bytes of memory that the run may take.
    pub memory: Option<u64>,
    /// The score that is demanded.
    pub min_score: Option<f64>,
    /// Largest length of the file that is demanded.
    pub max_bytes: Option<u64>,
    /// Most nanoseconds of a row in a batch that are demanded, by `operation_costs`; a single row may take twice as many.
    pub max_ns: Option<f64>,
    /// The most that rounding may cost.
    pub max_drop: Option<MaxDrop>,
    /// What operations cost on the processor that the model is for.
    pub operation_costs: OperationCosts,
    /// What is distilled where the size of the model is limited.
    pub distil: Distil,
    /// What another system predicted for the rows, out of fold, or a model: candidates may learn from it.
    pub teacher: Option<PathBuf>,
    /// Which candidate of the front is written, the smallest is 1; the best one, or an ensemble, unless given.
    pub point: Option<usize>,
    /// The seed.
    pub seed: u64,
    /// Make the figures of a report.
    pub figures: bool,
}

impl FitOptions {
    /// Names of the targets, for people.
    pub(crate) fn target_name(&self) -> String {
        self.targets.join(", ")
    }

    /// Where a model of this fit comes from: one learner, no limits, no figures.
    pub(crate) fn origin<'o>(&'o self, target: &'o Target, decision: &'o Decision) -> recipe::Origin<'o> {
        recipe::Origin {
            target: self.target_name(),
            targets: several::columns(target),
            task: target.task,
            classes: &target.classes,
            missing: &self.missing,
            seed: self.seed,
            work: 0,
            recipe: String::new(),
            scales: Scales { costs: &self.operation_costs, limits: Limits::default() },
            combination: None,
            decision,
            score_map: None,
            metrics: Vec::new(),
        }
    }

    /// What the model may take.
    pub(crate) fn limits(&self) -> Limits {
        Limits { bytes: self.max_bytes, ns: self.max_ns }
    }

    /// The augmentation that is named, if rows shall be added.
    pub(crate) fn named_augmentation(&self) -> Option<&String> {
        self.augment.as_ref().filter(|name| *name != search::NO_AUGMENTATION)
    }

    /// The learner that candidates are added to, if one is named.
    pub(crate) fn named_forerunner(&self) -> Option<&String> {
        self.onto.as_ref().filter(|name| *name != NO_FORERUNNER)
    }

    /// An augmentation by name, as it is set.
    pub(crate) fn augmentation(&self, name: &str) -> Result<Augment, Error> {
        Ok(Augment::parse(name, &settings_of(&self.augment_settings, name))?)
    }
}

/// What a user says who wants candidates added to no other one.
const NO_FORERUNNER: &str = "none";

/// What the model is fitted on, once it is known which candidates it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refit {
    /// Once, on all rows.
    #[default]
    All,
    /// Once for each fold, on the rows that it does not hold back; the mean of these fits is the model.
    Folds,
}

/// What is known before any row is read.
struct Asked {
    metric: Option<&'static MetricEntry>,
    calibrator: calibrate::Asked,
}

/// Fits a model to a table and writes it.
///
/// With a model to go on from, learners are those that start from scores, what is learnt is added to the scores of that
/// model, and the file that is written holds both.
///
/// # Errors
/// Any fault of options or data; then nothing is written.
pub fn fit(options: &FitOptions, ctx: &Ctx<'_>) -> Result<FitReport, Error> {
    several::refuse_of_one(options)?;
    let start = Start::read(options.from.as_ref())?;
    let going_on = start.as_ref().map(|start| start.options(options)).transpose()?;
    let options = going_on.as_ref().unwrap_or(options);
    named(options, options.task)?;
    let metric = options.metric.as_deref().map(metrics::metric).transpose()?;
    asked_steps(&options.transforms, &options.transform_settings)?;
    options.named_augmentation().map(|name| options.augmentation(name)).transpose()?;
    let calibrator = calibrate::Asked::parse(&options.calibrator, &options.calibrator_settings)?;
    refuse_folds(options)?;
    if let (Some(from), Some(teacher)) = (&options.from, &options.teacher) {
        return Err(Error::unsupported(format!(
            "--from {}: a fit that goes on from a model has no teacher; leave --teacher {} out",
            from.display(),
            teacher.display()
        )));
    }
    refuse_forerunner(options)?;
    let ensemble = Wanted::parse(&options.ensemble, &options.ensemble_settings)?;
    let asked = Asked { metric, calibrator };
    let cost_table = options.costs.as_deref().map(CostTable::read).transpose()?;
    let test_source = options.test.as_deref().map(Source::parse).transpose()?;

    refuse_same_file(&options.output, &options.data)?;
    options.relations.refuse_output(&options.output)?;
    for read in
        options.test.iter().cloned().chain(options.teacher.iter().map(|path| path.display().to_string()))
    {
        refuse_same_file(&options.output, &read)?;
    }
    if let Some(start) = &start {
        refuse_same_file(&options.output, &start.path().display().to_string())?;
    }

    let clock = Clock::start();
    let mut stages = Stages::default();
    ctx.progress.stage("reading", None);
    let second = options.relations.read_second(&read_options(options))?;
    let relations = options.relations.relations(second.as_ref())?;
    let source = Source::parse(&options.data)?;
    start.as_ref().map(|start| start.check_columns(&source, options)).transpose()?;
    let table = Table::read(&source, &read_options(options))?;
    let target = resolve(options, &table, start.as_ref())?;
    if let Some(test) = &test_source {
        check_test(test, options, &target)?;
    }
    stages.read = clock.seconds();
    let metric = asked.metric.unwrap_or_else(|| several::default_metric(target.task));
    if !metric.applies_to(metric_task(target.task)) {
        return Err(unfit_metric(metric, target.task));
    }

    let learners = named(options, Some(target.task))?;
    asked.calibrator.answers(target.task)?;
    let ensemble = ensemble.of_task(target.task)?;
    let costs = cost_table.as_ref().map(|table| table.of_classes(&target.classes)).transpose()?;

    let said = start.as_ref().map(|start| start.said(&table, ctx)).transpose()?;
    let base = match start.as_ref().zip(said.as_ref()) {
        Some((start, said)) => Some(start.base()?.with_scores(said.scores.clone())),
        None => None,
    };
    let workshop = Workshop {
        options,
        table: &table,
        target: &target,
        start: start.as_ref().zip(base.as_ref()),
        relations,
        metric,
        costs: costs.as_ref(),
        ready: Ready::default(),
        best: RefCell::default(),
        ensemble,
        pool: RefCell::default(),
        lessons: RefCell::default(),
        is_for_teacher: Cell::default(),
        until: Cell::default(),
        is_timed_out: Cell::default(),
        not_combined: Cell::default(),
    };
    if let Some(path) = &options.teacher {
        let (said, fitted_to) =
            teacher_file::said(path, (&table, &target, options.encoding), &options.target_name(), ctx)?;
        *workshop.lessons.borrow_mut() = Some(Lessons::of_file(said, fitted_to));
    }
    let is_one = ctx.budget.units() == Some(1);
    if let Some(path) = options.teacher.as_ref().filter(|_| is_one) {
        return Err(Error::input(format!(
            "--teacher {}: one candidate learns from labels alone; give more --work",
            path.display()
        )));
    }
    if let Some(point) = options.point.filter(|_| is_one) {
        return Err(Error::input(format!("--point {point}: one candidate has no front; give more --work")));
    }
    let chosen = match &learners[..] {
        [first, ..] if is_one => workshop.only(first, ctx)?,
        _ => workshop.best_of(learners, ctx)?,
    };
    let Chosen { members, combination, validated, searched, seconds } = chosen;
    workshop.ready.clear();
    // Of several the heaviest: what is shown of one candidate is shown of it.
    let Some(&ChosenMember { learner, ref params, ref trial, ref prepared, .. }) = members.first() else {
        return Err(Error::bug("fit: nothing was chosen"));
    };
    let aim = Aim { metric, costs: costs.as_ref(), factors: prepared.class_factors.as_deref() };
    let clock = Clock::start();
    let (validated, calibrator) = calibrated(&asked.calibrator, prepared, validated, aim, ctx)?;
    [stages.encode, stages.validate] = [seconds[0], seconds[1] + clock.seconds()];
    let work = searched.as_ref().map_or(1, |s| s.n_repeated as u64);

    let clock = Clock::start();
    ctx.progress.stage("fitting on all rows", validated.rounds.map(|[first, _]| first.into()));
    let score_map = calibrator.as_ref().map(|made| &made.map);
    let (combined, start) = (combination.as_ref(), start.as_ref());
    let told = Told { validated: &validated, combination: combined, metric, score_map, work, start };
    let finished = finish(options, &members, &target, told, ctx)?;
    let Finished { model, weights, member_bytes, warnings: of_last_fit, cleaned: by_last_fit } = finished;
    // One that stands alone has no combination.
    let weights = if weights.is_empty() { vec![1.0] } else { weights };
    stages.finish = clock.seconds();

    // From here on only the bytes count: what is measured is what was written.
    let bytes = ir::file::write(&model);
    drop(model);
    let model = ir::file::read(&bytes)?;
    let scorer = Scorer::new(&model, rows_of_second(&model, None, options.encoding)?)?;
    let speed = match table.batches().first() {
        Some(batch) => measure(&scorer, batch)?,
        None => return Err(Error::bug("fit: a table without rows was fitted")),
    };
    let clock = Clock::start();
    let mut about_test = Vec::new();
    let mut test = None;
    let tested = match &test_source {
        Some(source) => {
            ctx.progress.stage("testing", None);
            let asked = evaluate::Asked {
                metric,
                encoding: options.encoding,
                drop_unseen: false,
                join: None,
                figures: false,
                sampled: true,
            };
            let n_bytes = bytes.len() as u64;
            if target.task.is_several() {
                let (evaluated, sample) = several::evaluate_targets(&model, n_bytes, source, asked, ctx)?;
                if let Some(sample) = sample {
                    about_test = drift_from(model.signature(), &table, sample)?;
                }
                test = Some(evaluated);
                None
            } else {
                Some(evaluate_rows(&model, n_bytes, source, asked, ctx)?)
            }
        }
        None => None,
    };
    let oof_truth = prepared.truth.select(&validated.rows);
    if let Some(OnRows { evaluated, truth, predictions, sample, .. }) = tested {
        if let Some(sample) = sample {
            about_test = drift_from(model.signature(), &table, sample)?;
        }
        let oof = (&oof_truth, &validated.predictions);
        about_test.extend(overfit(metric, oof, (&truth, &predictions), ctx.threads)?);
        test = Some(evaluated);
    }
    stages.test = clock.seconds();
    let clock = Clock::start();
    let prepare = workshop.prepare_options(learner, params, trial)?;
    let figures = options.figures.then(|| {
        let fitted = Fitted {
            options,
            learner,
            params,
            is_ensemble: combination.is_some(),
            is_plain: trial.taught.is_none() && trial.onto.is_none(),
            metric,
            aim,
            table: &table,
            target: &target,
            start,
            prepare: &prepare,
            prepared,
            validated: &validated,
            score_map,
            model: &model,
            scorer: &scorer,
            seconds_of_a_fit: stages.encode + stages.finish,
        };
        figures(&fitted, ctx)
    });
    let figures = figures.transpose()?;
    stages.figures = clock.seconds();
    write_whole(&options.output, |out| {
        let path = options.output.display();
        out.write_all(&bytes).map_err(|e| Error::input(format!("{path}: cannot be written: {e}")))
    })?;

    let mut warnings = [several::warnings(&target), prepared.warnings.clone()].concat();
    warnings.extend(of_last_fit);
    warnings.extend(about_test);
    let cleaned = [prepared.cleaned.clone(), by_last_fit].concat();
    if let Some(floats) = figures.as_ref().map(|f| f.floats).filter(FloatSide::explains_differently) {
        let text = format!(
            "the integers order the columns by their effect otherwise than floats do (rank correlation {:.2}, {LEAST_CORRELATION} is expected); more bits may help",
            floats.rank_correlation.unwrap_or_default()
        );
        warnings.push(Warning::table("explanations_differ", text));
    }
    let score_base = match &said {
        Some(said) => said.score(&validated.rows, &oof_truth, metric)?,
        None => None,
    };
    let base = start.map(|start| start.told(score_base));
    if let Some(start) = start {
        let scores = (metric, score_base, validated.score);
        warnings.extend(start.warnings(scores, prepared.fingerprint));
    }
    let n_tried = searched.as_ref().map_or(1, |s| s.n_trials);
    if is_chance(&oof_truth, &validated.predictions, n_tried) {
        let text = format!(
            "rows that no fit had seen are predicted no better than chance would do once in {n_tried} candidates: the columns say little of the target"
        );
        warnings.push(Warning::table("nothing_learnt", text));
    }
    if let Some(why) = searched.as_ref().and_then(|s| s.unkept.as_ref()) {
        warnings.push(Warning::table("trials_not_kept", why.clone()));
    }
    if let Some(why) = workshop.not_combined.get() {
        let text = format!("--ensemble {}: {why}; the best candidate stands alone", options.ensemble);
        warnings.push(Warning::table("not_combined", text));
    }
    if weights.len() < members.len() {
        let text = format!(
            "{} of {} members were left out for the length of the file; scores out of fold are those of all",
            members.len() - weights.len(),
            members.len()
        );
        warnings.push(Warning::table("members_left_out", text));
    }
    if searched.as_ref().is_some_and(|s| !s.is_repeated) {
        let text = "the best candidates came behind one that was cut off for lack of time: --work may give another model; give more --time for one that it gives again";
        warnings.push(Warning::table("not_repeated", text.to_owned()));
    }
    if validated.n_skipped > 0 && !ctx.cancel.is_cancelled() {
        let text = format!("{} folds were left out for lack of time; give more --time", validated.n_skipped);
        warnings.push(Warning::table("folds_left_out", text));
    }
    let oof = if target.task.is_several() {
        let rows = (&oof_truth, &validated.predictions);
        several::reported(rows, &several::columns(&target), target.task, metric)?
    } else {
        report(&oof_truth, &validated.predictions, metric, |e| e)?
    };
    let (task, classes, n_bytes) = (target.task, target.classes.clone(), bytes.len() as u64);
    let oof = Evaluated { task, classes, bytes: n_bytes, ..oof };
    let told = cost_table.as_ref().zip(costs.as_ref());
    let cost_report = told.map(|(table, costs)| table.report(costs, &oof, test.as_ref()));
    let alone = member_bytes.into_iter().chain(std::iter::repeat(bytes.len() as u64));
    let held = members.iter().zip(&weights).zip(alone);
    let held = held.map(|((member, &weight), bytes)| FitMember::of(member, weight, bytes));
    let held = base.iter().map(FitMember::of_base).chain(held).collect();
    let cost = options.operation_costs.row(&scorer.plan().counts());
    let size = Size { bytes: bytes.len() as u64, ns: cost.limited() };
    let recipe = recipe_of(&members, &weights, (combination.as_ref(), start));
    let front = searched.as_ref().map_or(&[][..], |searched| &searched.front);
    // One that stands alone is the trial of a point, however its recipe is spelt.
    let point = (members.len() == 1 && combination.is_none()).then(|| members[0].trial.describe());
    let front = with_written(metric, front, (point.as_deref(), &recipe), (validated.score, size));
    let mut made = FitReport {
        status: Status::Ok,
        task: target.task,
        target: options.target_name(),
        targets: several::columns(&target),
        metric: metric.name,
        greater_is_better: metric.greater_is_better,
        score_oof: validated.score,
        score_float: validated.score_float,
        calibration: calibrator.as_ref().map(ProbabilityCalibration::of),
        costs: cost_report,
        score_test: test.as_ref().and_then(|t| t.score),
        oof,
        test,
        n_rows: prepared.rows.len(),
        n_columns: n_columns(&model, prepared),
        classes: target.classes.clone(),
        positive: target.positive.map(|p| target.classes[p as usize].clone()),
        bytes: size.bytes,
        cost,
        speed,
        seconds: ctx.budget.clock().seconds(),
        stages,
        work,
        learner: if weights.len() > 1 { ENSEMBLE } else { learner.name },
        recipe,
        members: held,
        front,
        base,
        searched,
        rounds: validated.rounds.map(|[first, second]| first + second),
        warnings,
        cleaned,
        exact: crate::table::is_exact(&model),
        integers: crate::table::is_integer(&model),
        model: options.output.clone(),
        figures,
    };
    let demands =
        Demands { min_score: options.min_score, limits: options.limits(), max_drop: options.max_drop };
    let rounded = [made.score_oof, made.score_float];
    made.status = demands.status(metric, Reached { score: made.score(), size, rounded });
    Ok(made)
}

/// The steps of these transforms, as a user asks for them.
///
/// # Errors
/// As [`steps`]; a setting of a transform that is not in the list.
pub(crate) fn asked_steps(
    transforms: &[String],
    settings: &[(String, String, String)],
) -> Result<Vec<Step>, Error> {
    let steps = steps(transforms, settings)?;
    match settings.iter().find(|(of, _, _)| !steps.iter().any(|s| s.entry.name == of)) {
        None => Ok(steps),
        Some((of, name, value)) => Err(Error::input(format!(
            "--set {of}.{name}={value}: transform \"{of}\" is not in --transforms; add it there"
        ))),
    }
}

/// The steps of these transforms; settings of others do not count.
///
/// # Errors
/// An unknown transform or parameter, a value out of range.
pub(crate) fn steps(
    transforms: &[String],
    settings: &[(String, String, String)],
) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::with_capacity(transforms.len());
    for text in transforms {
        let name = text.split(['(', ':']).next().unwrap_or(text).trim();
        steps.push(Step::parse(text, &settings_of(settings, name))?);
    }
    Ok(steps)
}

fn read_options(options: &FitOptions) -> ReadOptions {
    let mut raw = options.targets.clone();
    raw.extend(options.row_weight.clone());
    let mut types = options.types.clone();
    options.relations.add_types(&mut types);
    ReadOptions {
        types,
        missing: options.missing.clone(),
        raw,
        encoding: options.encoding,
        drop: options.drop.clone(),
        // Codes, numbers and trials take as much again.
        most_bytes: options.memory.map(|memory| memory / 2),
        ..ReadOptions::default()
    }
}

fn resolve(options: &FitOptions, table: &Table, start: Option<&Start>) -> Result<Target, Error> {
    let mut targets = Vec::with_capacity(options.targets.len());
    for name in &options.targets {
        let asked = TargetOptions {
            name,
            task: options.task,
            classes: start.and_then(Start::classes),
            positive: options.positive.as_deref(),
            missing: Markers::new(&options.missing),
        };
        let resolved = Target::resolve(table.raw_cells(name)?, &asked).map_err(Error::from);
        let target = resolved.map_err(|e| match start {
            Some(start) => start.of_question(e),
            None => e,
        })?;
        targets.push(NamedTarget { name: name.clone(), target });
    }
    Ok(Target::several(targets)?)
}

/// Finds out before a long fit that the test table cannot be read, has no target, or has classes
/// that the training table has not.
fn check_test(test: &Source, options: &FitOptions, target: &Target) -> Result<(), Error> {
    if let TargetValues::Several(each) = &target.values {
        return each.iter().try_for_each(|one| {
            let options = FitOptions { targets: vec![one.name.clone()], ..options.clone() };
            check_test(test, &options, &one.target)
        });
    }
    let signature = Signature {
        task: target.task,
        target: options.target_name(),
        targets: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        classes: target.classes.clone(),
        positive: target.positive,
        missing: options.missing.clone(),
        columns: Vec::new(),
        joined: None,
    };
    let mut first_row = 0;
    let mut unseen: Vec<(String, usize)> = Vec::new();
    for batch in rows_for(test, &signature, &options.targets, options.encoding)? {
        let batch = batch?;
        unseen.extend(batch_truth(&batch, &signature, test.name(), first_row)?.unseen);
        first_row += batch.num_rows();
    }
    let Some((class, _)) = unseen.first() else { return Ok(()) };
    let (name, target) = (test.name(), options.target_name());
    Err(Error::input(format!(
        "{name}: target \"{target}\": class \"{class}\" does not stand in the training table; remove those rows from the test table"
    )))
}

/// Refuses fits on folds where there are none to average, or too many, or where their length is limited.
fn refuse_folds(options: &FitOptions) -> Result<(), Error> {
    if options.refit != Refit::Folds {
        return Ok(());
    }
    let refuse =
        |flag: &str, cure: &str| Err(Error::input(format!("--refit folds does not go with {flag}: {cure}")));
    match options.scheme {
        Scheme::Holdout(_) => refuse("--holdout", "give --folds, whose fits are averaged"),
        Scheme::LeaveOneOut => refuse("--folds loo", "give a number of folds"),
        _ if !options.limits().is_none() => refuse(
            "--max-bytes and --max-us",
            "a model of folds is that many times larger and slower; leave one of both out",
        ),
        _ => Ok(()),
    }
}

/// Refuses a learner that others are added to beside what brings rows or scores of its own.
fn refuse_forerunner(options: &FitOptions) -> Result<(), Error> {
    let Some(name) = options.named_forerunner() else { return Ok(()) };
    let beside = [
        ("--from", options.from.is_some()),
        ("--augment", options.named_augmentation().is_some()),
        ("--teacher", options.teacher.is_some()),
    ];
    match beside.into_iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => {
            Err(Error::unsupported(format!("--onto {name} does not go with {flag}: leave one of both out")))
        }
        None => Ok(()),
    }
}

/// What a report calls several candidates that are combined.
const ENSEMBLE: &str = "ensemble";

/// What the folds tell the fit on all rows.
struct Told<'a> {
    validated: &'a Validated,
    combination: Option<&'a Combination>,
    metric: &'a MetricEntry,
    score_map: Option<&'a ScoreMap>,
    work: u64,
    start: Option<&'a Start>,
}

/// For people: the recipe, or those of an ensemble with their weights; behind it that of what the fit went on from.
fn recipe_of(
    members: &[ChosenMember<'_>],
    weights: &[f64],
    (combination, start): (Option<&Combination>, Option<&Start>),
) -> String {
    let own = match (members, weights) {
        ([first, ..], [_]) => first.recipe(),
        _ => {
            let each = members.iter().zip(weights).map(|(m, weight)| format!("{weight:.3} ({})", m.recipe()));
            let each = each.collect::<Vec<_>>().join(" + ");
            match combination.and_then(Combination::form) {
                Some(form) => format!("{form} of {each}"),
                None => each,
            }
        }
    };
    start.map_or(own.clone(), |start| format!("{own} from ({})", start.recipe()))
}

/// Columns that a model takes, and those that it could have taken.
fn n_columns(model: &Model, prepared: &Prepared<'_>) -> (usize, usize) {
    let inputs = &model.signature().inputs;
    // One that a fit went on from may take what cleaning leaves out.
    let others = inputs.iter().filter(|own| prepared.inputs.iter().all(|input| input.name != own.name));
    (inputs.len(), prepared.inputs.len() + others.count())
}

fn finish(
    options: &FitOptions,
    members: &[ChosenMember<'_>],
    target: &Target,
    told: Told<'_>,
    ctx: &Ctx<'_>,
) -> Result<Finished, Error> {
    let Told { validated, combination, metric, score_map, work, start } = told;
    let metrics = validated.score.map(|s| (format!("{} (oof)", metric.name), s)).into_iter().collect();
    let origin = recipe::Origin {
        work,
        recipe: {
            let weights: Vec<f64> = members.iter().map(|member| member.weight).collect();
            recipe_of(members, &weights, (combination, start))
        },
        scales: Scales { costs: &options.operation_costs, limits: options.limits() },
        combination,
        score_map,
        metrics,
        ..options.origin(target, &validated.decision)
    };
    // Whoever interrupts still gets a model: the last fit, of known length, is done all the same.
    let cancel = Cancel::new();
    let cancel = if ctx.cancel.is_cancelled() { &cancel } else { ctx.cancel };
    let ctx = Ctx { cancel, ..*ctx };
    let members: Vec<recipe::Member<'_>> = members.iter().map(ChosenMember::member).collect();
    Ok(recipe::finish(&members, origin, &ctx)?)
}

fn unfit_metric(metric: &MetricEntry, task: Task) -> Error {
    let fit: Vec<&str> =
        metrics::METRICS.iter().filter(|m| m.applies_to(metric_task(task))).map(|m| m.name).collect();
    Error::input(format!(
        "metric \"{}\" is not defined for a {task} task; choose one of {}",
        metric.name,
        fit.join(", ")
    ))
}
