//! `fit`: a table to a model file.

mod command;

use crate::page::quoted;
use crate::run::{End, Limit, message, print, with_ctx};
use crate::steps::StepArgs;
use crate::{figures, look, operation_costs, page, values};
use command::command;
use serde_json::{Value, json};
use smidgen::{
    ColumnKind, Distil, Error, FitOptions, FitReport, FrontPoint, LEARNERS, MaxDrop, ReadOptions, Refit,
    Scheme, Searched, Status, Task, around_written, fit, report_page,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Candidates that the terminal shows.
const N_SHOWN: usize = 5;
/// Characters of a candidate.
const WIDTH: usize = 72;

/// How a table is read; shared by the verbs that find out types.
#[derive(clap::Args)]
pub(crate) struct ReadArgs {
    /// Kinds of columns: number, category, text, time, or id (left out)
    #[arg(long, value_name = "COL=KIND,..", value_delimiter = ',', value_parser = values::pair)]
    types: Vec<(String, String)>,
    /// Cells that mean missing, beside the usual ones
    #[arg(long, value_name = "CELL,..", value_delimiter = ',', allow_hyphen_values = true)]
    missing: Vec<String>,
    /// How the bytes of CSV spell text: utf-8 or latin-1
    #[arg(long, value_name = "NAME", default_value = "utf-8", hide_default_value = true, value_parser = values::encoding)]
    encoding: smidgen::Encoding,
    /// Columns that are not read
    #[arg(long, value_name = "COL,..", value_delimiter = ',')]
    drop: Vec<String>,
}

/// Fit a model to a table and write it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The table: CSV, plain or gzip; - for standard input
    data: String,
    /// The column to predict; several make one model, whose trees they share
    #[arg(long, required = true, value_name = "COL,..", value_delimiter = ',')]
    target: Vec<String>,
    /// A model that is trained further: what is learnt from these rows, which it has not seen, is added to its scores
    #[arg(long, value_name = "MODEL")]
    from: Option<PathBuf>,
    /// binary, multiclass or regression; found out from the target unless given
    #[arg(long, value_name = "T", default_value = "auto", hide_default_value = true)]
    task: String,
    /// The metric; roc_auc, log_loss or rmse unless given
    #[arg(long, value_name = "M")]
    metric: Option<String>,
    /// A table that the written model is evaluated on
    #[arg(long, value_name = "FILE")]
    test: Option<String>,
    /// Where the model is written
    #[arg(short, long, value_name = "FILE", default_value = "model.smidgen")]
    output: PathBuf,
    /// A page for people: one HTML file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress
    #[arg(long)]
    quiet: bool,
    /// Wall time of the whole: 90, 90s, 10m, 2h
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = values::time)]
    time: Duration,
    /// Units of work instead of time: candidates tried
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    work: Option<u64>,
    /// Memory that the run may take: 200MB, 4GB
    #[arg(long, value_name = "SIZE", value_parser = values::bytes)]
    memory: Option<u64>,
    /// Largest file
    #[arg(long, value_name = "SIZE", value_parser = values::bytes)]
    max_bytes: Option<u64>,
    /// Most microseconds of a row in a batch, and half of those of a single row, by the table of costs
    #[arg(long, value_name = "US", value_parser = operation_costs::us)]
    max_us: Option<f64>,
    /// A table of costs of another processor, in JSON
    #[arg(long, value_name = "FILE")]
    cost: Option<PathBuf>,
    /// The most that rounding may cost: 0.005 of the score, or 0.5% of the error of floats; no ensemble is taken then
    #[arg(long, value_name = "D", value_parser = values::max_drop)]
    max_drop: Option<MaxDrop>,
    /// Where the file or its speed is limited: learn from the best model without limits (auto), or not (none), or from the
    /// best of so many candidates
    #[arg(long, value_name = "HOW", default_value = "auto", hide_default_value = true, value_parser = distil)]
    distil: Distil,
    /// What another system predicts for the rows: a CSV as predict --proba writes it, a line a row, out of fold; or a
    /// model file. Candidates may learn from it
    #[arg(long, value_name = "FILE")]
    teacher: Option<PathBuf>,
    /// Write this point of the front of size, speed and score; the smallest is 1
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    point: Option<u32>,
    /// Least score (largest, for losses)
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = values::finite)]
    min_score: Option<f64>,
    #[command(flatten)]
    read: ReadArgs,
    /// Column of row weights
    #[arg(long, value_name = "COL")]
    row_weight: Option<String>,
    /// The positive class; the last one unless given
    #[arg(long, value_name = "CLASS")]
    positive: Option<String>,
    /// Probability calibration: auto (if it helps, not with --from), none, or a calibrator's name
    #[arg(long, value_name = "NAME", default_value = "auto", hide_default_value = true)]
    calibrator: String,
    /// A CSV of what mistakes cost, or gain, by true and predicted class
    #[arg(long, value_name = "FILE")]
    costs: Option<PathBuf>,
    /// Folds: a number, loo (every row alone), or auto
    #[arg(long, value_name = "N", default_value = "auto", conflicts_with = "holdout")]
    folds: String,
    /// Hold this share of the rows back instead of folds
    #[arg(long, value_name = "SHARE")]
    holdout: Option<f64>,
    /// Learners to try; the usual ones, or those that --set names, unless given
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    learners: Vec<String>,
    /// What the best candidates are combined by: an ensemble's name, none, or auto, which takes one if it is better (not with --from)
    #[arg(long, value_name = "NAME", default_value = "auto")]
    ensemble: String,
    /// What the model is fitted on in the end: all rows, or folds (the mean of a fit a fold: slower and larger)
    #[arg(long, value_name = "WHAT", default_value = "all", value_parser = refit)]
    refit: Refit,
    /// A folder that keeps what was tried: a run that was stopped goes on, a finished one is extended by more --time
    #[arg(long, value_name = "DIR")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    steps: StepArgs,
    /// Rows that are added inside folds: an augmentation's name, or none; some are tried unless given
    #[arg(long, value_name = "NAME")]
    augment: Option<String>,
    /// What candidates are added to: a learner that is fitted first, or none; the best linear model is tried unless given
    #[arg(long, value_name = "LEARNER")]
    onto: Option<String>,
    /// The seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Threads; all cores unless given
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,
}

pub(crate) fn run(args: &Args) -> Result<End, Error> {
    let options = options(args)?;
    args.report.as_deref().map_or(Ok(()), |path| page::check(path, &taken(args)))?;
    let limit = args.work.map_or(Limit::Time(args.time), Limit::Work);
    let (made, interrupted) = with_ctx(args.jobs, limit, args.quiet, |ctx| fit(&options, ctx))?;
    let Some(made) = made else { return Ok(End::Interrupted) };
    if let Some(path) = &args.report {
        page::write(path, &report_page(&made, &command(args, &options, &made))?)?;
    }
    if args.json {
        print(&format!("{}\n", object(args, &options, &made)))?;
    } else {
        print(&text(&made))?;
    }
    if let Status::Unmet(unmet) = &made.status {
        unmet.iter().for_each(|u| message(&format!("not met: {u}")));
    }
    Ok(match made.status {
        _ if interrupted => End::Interrupted,
        Status::Ok => End::Done,
        Status::Unmet(_) => End::Unmet,
    })
}

/// The files that a fit reads or writes besides its report.
fn taken(args: &Args) -> Vec<&Path> {
    let tables = std::iter::once(&args.data).chain(&args.test).map(Path::new);
    let tables = tables.chain(args.teacher.iter().chain(&args.cost).map(PathBuf::as_path));
    tables.chain(args.from.as_deref()).chain(std::iter::once(args.output.as_path())).collect()
}

/// What the arguments say about reading.
pub(crate) fn read_options(args: &ReadArgs) -> Result<ReadOptions, Error> {
    let (types, drop) = types(args)?;
    Ok(ReadOptions {
        types,
        missing: args.missing.clone(),
        drop,
        encoding: args.encoding,
        ..ReadOptions::default()
    })
}

/// Declared kinds, and the columns that are not read: those of `--drop`, and ids.
fn types(args: &ReadArgs) -> Result<(BTreeMap<String, ColumnKind>, Vec<String>), Error> {
    let mut types = BTreeMap::new();
    let mut drop = args.drop.clone();
    for (column, kind) in &args.types {
        if kind == "id" {
            drop.push(column.clone());
            continue;
        }
        let parsed = ColumnKind::parse(kind).ok_or_else(|| {
            Error::input(format!(
                "--types {column}={kind}: expected number, category, text, time or id, got \"{kind}\""
            ))
        })?;
        types.insert(column.clone(), parsed);
    }
    Ok((types, drop))
}

fn options(args: &Args) -> Result<FitOptions, Error> {
    let task = match args.task.as_str() {
        "auto" => None,
        other => Some(Task::parse(other).ok_or_else(|| {
            Error::input(format!("--task: expected auto, binary, multiclass or regression, got \"{other}\""))
        })?),
    };
    let scheme = match (args.folds.as_str(), args.holdout) {
        (_, Some(share)) if share > 0.0 && share < 1.0 => Scheme::Holdout(share),
        (_, Some(share)) => {
            return Err(Error::input(format!("--holdout: expected a share between 0 and 1, got {share}")));
        }
        ("auto", None) => Scheme::Auto,
        ("loo", None) => Scheme::LeaveOneOut,
        (n, None) => Scheme::Folds(n.parse().ok().filter(|n| (2..=1000).contains(n)).ok_or_else(|| {
            Error::input(format!("--folds: expected auto, loo or a number in 2..=1000, got \"{n}\""))
        })?),
    };
    let learners: Vec<String> =
        args.learners.iter().map(|l| l.trim().to_owned()).filter(|l| !l.is_empty()).collect();
    let names: Vec<&str> = match &learners[..] {
        [] => LEARNERS.iter().map(|l| l.name).collect(),
        named => named.iter().chain(&args.onto).map(String::as_str).collect(),
    };
    let settings = args.steps.settings(&names)?;
    let (types, drop) = types(&args.read)?;
    Ok(FitOptions {
        data: args.data.clone(),
        targets: args.target.clone(),
        from: args.from.clone(),
        task,
        metric: args.metric.clone(),
        test: args.test.clone(),
        output: args.output.clone(),
        types,
        missing: args.read.missing.clone(),
        drop,
        encoding: args.read.encoding,
        transforms: args.steps.transforms(),
        transform_settings: settings.transforms,
        augment: args.augment.clone(),
        onto: args.onto.clone(),
        augment_settings: settings.augmentations,
        relations: settings.relations,
        duplicates: args.steps.duplicates,
        missing_cells: args.steps.missing_cells,
        row_weight: args.row_weight.clone(),
        positive: args.positive.clone(),
        scheme,
        learners,
        settings: settings.learners,
        refit: args.refit,
        ensemble: args.ensemble.clone(),
        ensemble_settings: settings.ensembles,
        resume: args.resume.clone(),
        calibrator: args.calibrator.clone(),
        calibrator_settings: settings.calibrators,
        costs: args.costs.clone(),
        memory: args.memory,
        min_score: args.min_score,
        max_bytes: args.max_bytes,
        max_ns: args.max_us,
        max_drop: args.max_drop,
        operation_costs: operation_costs::read(args.cost.as_deref())?,
        distil: args.distil,
        teacher: args.teacher.clone(),
        point: args.point.map(|point| point as usize),
        seed: args.seed,
        figures: args.report.is_some(),
    })
}

fn distil(text: &str) -> Result<Distil, String> {
    match text {
        "auto" => Ok(Distil::Auto),
        "none" => Ok(Distil::None),
        n => match n.parse::<u64>() {
            Ok(n) if n > 0 => Ok(Distil::Trials(n)),
            _ => Err(format!("expected auto, none or a number of candidates, got \"{text}\"")),
        },
    }
}

fn refit(text: &str) -> Result<Refit, String> {
    match text {
        "all" => Ok(Refit::All),
        "folds" => Ok(Refit::Folds),
        other => Err(format!("expected all or folds, got \"{other}\"")),
    }
}

fn text(made: &FitReport) -> String {
    let mut head = look::table(&["", "score"]);
    head.set_header(["", made.metric]);
    if let Some(score) = made.score_test {
        head.add_row(["test".to_owned(), look::score(score)]);
    }
    if let Some(score) = made.score_oof {
        head.add_row(["out of fold".to_owned(), look::score(score)]);
    }
    if let Some(score) = made.score_float {
        head.add_row(["out of fold, floats".to_owned(), look::score(score)]);
    }
    if let Some(score) = made.base.as_ref().and_then(|base| base.score) {
        head.add_row(["base alone".to_owned(), look::score(score)]);
    }
    let figures = made.test.as_ref().unwrap_or(&made.oof);
    let on = if made.test.is_some() { "test rows" } else { "out-of-fold rows" };
    let mut out = format!(
        "{}: {} task, {} rows, {} of {} columns used\n\n{head}\n\n",
        made.model.display(),
        made.task,
        look::count(made.n_rows as u64),
        made.n_columns.0,
        made.n_columns.1
    );
    if let Some(base) = &made.base {
        let (path, bytes) = (base.model.display(), look::size(base.bytes));
        out.push_str(&format!("goes on from {path}, {bytes}: {}\n\n", cut(&base.recipe)));
    }
    if let Some(searched) = &made.searched {
        out.push_str(&format!("{}\n", tried(searched, made.metric)));
    }
    if let Some(teacher) = made.searched.as_ref().and_then(|s| s.taught.as_ref()) {
        let score = teacher.score.map_or("undefined".to_owned(), look::score);
        if let Some(recipe) = &teacher.recipe {
            out.push_str(&format!("the best without limits: {score} by {recipe}\n\n"));
        }
    }
    let fitted = &made.members[usize::from(made.base.is_some()).min(made.members.len())..];
    if fitted.len() > 1 {
        let mut members = look::table(&["member", "weight", "bytes alone"]);
        for member in fitted {
            let bytes = look::count(member.bytes);
            members.add_row([cut(&member.recipe), look::score(member.weight), bytes]);
        }
        out.push_str(&format!("an ensemble of {}:\n{members}\n\n", fitted.len()));
    }
    out.push_str(&front_table(made).unwrap_or_default());
    if let Some(c) = &made.calibration {
        out.push_str(&format!(
            "probabilities calibrated by {}: log loss {} to {}, ece {} to {} out of fold\n\n",
            c.method,
            look::score(c.log_loss_before),
            look::score(c.log_loss_after),
            look::score(c.ece_before),
            look::score(c.ece_after)
        ));
    }
    if let Some(costs) = &made.costs {
        let what = if costs.is_gain { "gain" } else { "cost" };
        let test = costs.test.map(|t| format!("{} on test rows, ", look::score(t))).unwrap_or_default();
        out.push_str(&format!(
            "expected {what} of a row: {test}{} out of fold, {} for the best answer to all rows alike\n\n",
            look::score(costs.oof),
            look::score(costs.constant)
        ));
    }
    out.push_str(&format!("{} {on}:\n{}\n", look::count(figures.n_rows as u64), figures::text(figures)));
    if let Some(figures) = &made.figures {
        out.push_str(&figures::importance(&figures.shown));
    }
    out.push_str(&format!(
        "{} on disk, {} a row in batch, {} for a single row, {}, in {:.1} s\n",
        look::size(made.bytes),
        look::nanoseconds(made.speed.ns_per_row),
        look::nanoseconds(made.speed.ns_single),
        made.exactness(),
        made.seconds
    ));
    for warning in &made.warnings {
        let column = warning.column.as_ref().map(|c| format!("column \"{c}\": ")).unwrap_or_default();
        out.push_str(&format!("warning: {column}{}\n", warning.text));
    }
    for cleaned in made.cleaned_untold() {
        let column = cleaned.column.as_ref().map(|c| format!("column \"{c}\": ")).unwrap_or_default();
        out.push_str(&format!("cleaned: {column}{}\n", cleaned.text));
    }
    let path = quoted(&made.model.display().to_string());
    let has_classes = !made.classes.is_empty() || made.task == Task::Multilabel;
    let proba = if has_classes { " --proba" } else { "" };
    out.push_str(&format!("\nnext: smidgen predict {path} DATA{proba}   or   smidgen verify {path}\n"));
    out
}

/// A text that may be long, for a column of a table; all of it stands in `--json`.
fn cut(text: &str) -> String {
    if text.chars().count() <= WIDTH {
        return text.to_owned();
    }
    let whole = text.chars().take(WIDTH - 2).collect::<String>();
    // Not within a word.
    let end = whole.rfind(' ').unwrap_or(whole.len());
    format!("{} ..", &whole[..end])
}

/// The best of what was tried.
fn tried(searched: &Searched, metric: &str) -> String {
    let mut table = look::table(&["candidate", "score", "seconds"]);
    table.set_header(["candidate", metric, "seconds"]);
    for (what, score, seconds) in searched.leaders.iter().take(N_SHOWN) {
        table.add_row([cut(what), look::score(*score), format!("{seconds:.1}")]);
    }
    let known = match searched.n_known {
        0 => String::new(),
        n => format!(", {} of them in earlier runs", look::count(n as u64)),
    };
    format!("{} candidates tried{known}; the best:\n{table}\n", look::count(searched.n_trials as u64))
}

/// The model beside what is smaller, faster or better.
fn front_table(made: &FitReport) -> Option<String> {
    if made.front.len() < 2 {
        return None;
    }
    let mut table = look::table(&["candidate", "point", made.metric, "bytes", "a row"]);
    for point in around_written(&made.front) {
        table.add_row([
            cut(&point.recipe),
            format!("{}{}", point.point, if point.is_written { " *" } else { "" }),
            point.score.map_or("undefined".to_owned(), look::score),
            look::count(point.bytes),
            look::nanoseconds(point.cost_ns),
        ]);
    }
    Some(format!(
        "the front of score, bytes and time (* is written; --point K writes another one):\n{table}\n\n"
    ))
}

/// The front, the smallest first.
fn front(made: &FitReport) -> Vec<Value> {
    let object = |point: &FrontPoint| {
        json!({
            "point": point.point,
            "score": figures::number(point.score),
            "bytes": point.bytes,
            "cost_ns": point.cost_ns,
            "recipe": point.recipe,
            "written": point.is_written,
        })
    };
    made.front.iter().map(object).collect()
}

fn object(args: &Args, options: &FitOptions, made: &FitReport) -> Value {
    let (score, error) = (made.score(), made.error());
    let mut object = json!({
        "schema": 1,
        "status": if made.status == Status::Ok { "ok" } else { "unmet" },
        "task": made.task.name(),
        "metric": made.metric,
        "score": figures::number(score),
        "error": figures::number(error),
        "score_on": if made.test.is_some() { "test" } else { "oof" },
        "score_oof": figures::number(made.score_oof),
        "score_test": figures::number(made.score_test),
        "score_float": figures::number(made.score_float),
        "score_base": figures::number(made.base.as_ref().and_then(|base| base.score)),
        "rows": made.n_rows,
        "rows_test": made.test.as_ref().map(|t| t.n_rows),
        "classes": figures::classes(&made.classes),
        "positive": made.positive,
        "targets": figures::targets(made.test.as_ref().unwrap_or(&made.oof)),
        "bytes": made.bytes,
        "cost_ns": made.cost.ns,
        "cost_ns_single": made.cost.ns_single,
        "ns_per_row": figures::number(Some(made.speed.ns_per_row)),
        "ns_single": figures::number(Some(made.speed.ns_single)),
        "seconds": made.seconds,
        "work": made.work,
        "members": made.members.iter().map(|m| json!({
            "learner": m.learner, "recipe": m.recipe, "weight": m.weight, "bytes": m.bytes,
        })).collect::<Vec<_>>(),
        "front": front(made),
        "teacher": made.searched.as_ref().and_then(|s| s.taught.as_ref()).map(|t| json!({
            "recipe": t.recipe, "score": figures::number(t.score), "trials": t.n_trials, "taught": t.has_taught,
        })),
        "warnings": figures::warnings(&made.warnings),
        "trials": made.searched.as_ref().map(|s| s.leaders.iter().map(|(what, score, seconds)| json!({
            "recipe": what, "score": figures::number(Some(*score)), "seconds": seconds,
        })).collect::<Vec<_>>()),
        "trials_known": made.searched.as_ref().map(|s| s.n_known),
        "calibration": made.calibration.map(|c| json!({
            "method": c.method,
            "log_loss_before": c.log_loss_before,
            "log_loss_after": c.log_loss_after,
            "ece_before": c.ece_before,
            "ece_after": c.ece_after,
        })),
        "costs": made.costs.map(|c| json!({
            "kind": if c.is_gain { "gain" } else { "cost" },
            "oof": c.oof,
            "test": c.test,
            "constant": c.constant,
        })),
        "cleaning": figures::cleaning(&made.cleaned),
        "interval": made.figures.as_ref().and_then(|f| f.shown.interval),
        "fold_scores": made.figures.as_ref().map(|f| f.folds.iter().map(|f| f.integer).collect::<Vec<_>>()),
        "seed_scores": made.figures.as_ref().map(|f| &f.seed_scores),
        "learning_curve": made.figures.as_ref().map(|f| f.learning.iter().map(|p| json!({
            "rows": p.n_rows,
            "training": figures::number(p.training),
            "held_back": figures::number(p.held_back),
        })).collect::<Vec<_>>()),
        "stability": made.figures.as_ref().and_then(|f| f.stability).map(|s| json!({
            "noise": s.noise,
            "missing": s.missing,
        })),
        "floats": made.figures.as_ref().map(|f| json!({
            "noise": f.floats.stability.map(|s| s.noise),
            "missing": f.floats.stability.map(|s| s.missing),
            "rank_correlation": f.floats.rank_correlation,
            "same_class": f.floats.same_class,
            "p_value": figures::number(f.floats.p_value),
        })),
        "exact": made.exact,
        "model": made.model.display().to_string(),
        "command": command(args, options, made),
        "recipe": made.recipe,
        "rounds": made.rounds,
        "metrics": figures::metrics(made.test.as_ref().unwrap_or(&made.oof)),
        "confusion": figures::confusion(made.test.as_ref().unwrap_or(&made.oof)),
        "stages": {
            "read": made.stages.read,
            "encode": made.stages.encode,
            "validate": made.stages.validate,
            "finish": made.stages.finish,
            "test": made.stages.test,
            "figures": made.stages.figures,
            "train": made.stages.encode + made.stages.finish,
        },
    });
    page::add_shown(&mut object, made.figures.as_ref().map(|f| &f.shown));
    object
}
