//! The command line that makes a fit again.

use super::Args;
use crate::page;
use smidgen::{Distil, FitOptions, FitReport, Refit, Scheme};

/// The command that makes the same bytes again: by work, not by time.
pub(super) fn command(args: &Args, options: &FitOptions, made: &FitReport) -> String {
    let mut words: Vec<String> = ["smidgen", "fit"].map(str::to_owned).to_vec();
    words.push(options.data.clone());
    // A value that starts with a dash is one only behind the equals sign.
    let mut flag = |name: &str, value: String| match value.starts_with('-') {
        true => words.push(format!("{name}={value}")),
        false => words.extend([name.to_owned(), value]),
    };
    options.targets.iter().for_each(|target| flag("--target", target.clone()));
    if let Some(model) = &options.from {
        flag("--from", model.display().to_string());
    }
    if let Some(task) = options.task {
        flag("--task", task.name().to_owned());
    }
    if let Some(metric) = &options.metric {
        flag("--metric", metric.clone());
    }
    if let Some(test) = &options.test {
        flag("--test", test.clone());
    }
    for (column, kind) in &options.types {
        flag("--types", format!("{column}={kind}"));
    }
    for (name, values) in [("--missing", &options.missing), ("--drop", &options.drop)] {
        if !values.is_empty() {
            flag(name, values.join(","));
        }
    }
    if options.encoding != smidgen::Encoding::default() {
        flag("--encoding", options.encoding.name().to_owned());
    }
    if let Some(column) = &options.row_weight {
        flag("--row-weight", column.clone());
    }
    if let Some(costs) = &options.costs {
        flag("--costs", costs.display().to_string());
    }
    if options.calibrator != "auto" {
        flag("--calibrator", options.calibrator.clone());
    }
    if let Some(class) = &options.positive {
        flag("--positive", class.clone());
    }
    match options.scheme {
        Scheme::Auto => {}
        Scheme::LeaveOneOut => flag("--folds", "loo".to_owned()),
        Scheme::Folds(n) => flag("--folds", n.to_string()),
        Scheme::Holdout(share) => flag("--holdout", share.to_string()),
    }
    if !options.learners.is_empty() {
        flag("--learners", options.learners.join(","));
    }
    args.steps.flags(&mut flag);
    if let Some(name) = &options.augment {
        flag("--augment", name.clone());
    }
    if let Some(name) = &options.onto {
        flag("--onto", name.clone());
    }
    if let Some(most) = options.max_bytes {
        flag("--max-bytes", most.to_string());
    }
    if let Some(ns) = options.max_ns {
        flag("--max-us", (ns / 1e3).to_string());
    }
    if let Some(path) = &args.cost {
        flag("--cost", path.display().to_string());
    }
    if let Some(drop) = options.max_drop {
        flag("--max-drop", drop.to_string());
    }
    let taught = made.searched.as_ref().and_then(|searched| searched.taught.as_ref());
    match (taught, options.distil) {
        // What a run spent on its teacher, it spends again.
        (Some(taught), _) if taught.n_repeated > 0 => flag("--distil", taught.n_repeated.to_string()),
        (_, Distil::Auto) if options.max_bytes.is_none() && options.max_ns.is_none() => {}
        _ => flag("--distil", "none".to_owned()),
    }
    if let Some(path) = &options.teacher {
        flag("--teacher", path.display().to_string());
    }
    if let Some(point) = options.point {
        flag("--point", point.to_string());
    }
    if options.refit == Refit::Folds {
        flag("--refit", "folds".to_owned());
    }
    if options.ensemble != "auto" {
        flag("--ensemble", options.ensemble.clone());
    }
    flag("--seed", options.seed.to_string());
    flag("--work", made.work.to_string());
    flag("-o", options.output.display().to_string());
    page::command(&words)
}
