//! The smidgen command line.
//!
//! One file a verb; each turns its arguments into options of the facade, calls it, and prints. Data
//! goes to stdout, progress and messages to stderr. Exit codes: 0 done, 1 a demand was not met,
//! 2 input, 3 unsupported, 70 a defect, 130 interrupted.
// The object of `fit --json` has many keys.
#![recursion_limit = "256"]

mod figures;
mod look;
mod networks;
mod operation_costs;
mod page;
mod progress;
mod rows;
mod run;
mod steps;
mod values;
mod verbs;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;

/// Turns data into the smallest and fastest model that keeps the accuracy, and proves it.
#[derive(Parser)]
#[command(name = "smidgen", version, arg_required_else_help = true)]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Fit(Box<verbs::fit::Args>),
    Evaluate(verbs::evaluate::Args),
    Predict(verbs::predict::Args),
    Prepare(Box<verbs::prepare::Args>),
    Inspect(verbs::inspect::Args),
    Verify(verbs::verify::Args),
    Bench(verbs::bench::Args),
    Export(verbs::export::Args),
    Quantize(Box<verbs::quantize::Args>),
    Compose(Box<verbs::compose::Args>),
}

fn main() -> ExitCode {
    let mut command = Args::command();
    for (verb, learners) in [
        ("fit", steps::learners() + &steps::augmentations() + &steps::ensembles()),
        ("prepare", String::new()),
    ] {
        command = command.mut_subcommand(verb, |c| c.after_long_help(learners + &steps::list()));
    }
    command = command.mut_subcommand("compose", |c| c.after_long_help(steps::ensembles()));
    let args = match command.try_get_matches().and_then(|m| Args::from_arg_matches(&m)) {
        Ok(args) => args,
        Err(e) => return run::usage(&e),
    };
    match args.verb {
        Verb::Fit(args) => run::verb(args.json, || verbs::fit::run(&args)),
        Verb::Evaluate(args) => run::verb(args.json, || verbs::evaluate::run(&args)),
        Verb::Predict(args) => run::verb(false, || verbs::predict::run(&args)),
        Verb::Prepare(args) => run::verb(args.json, || verbs::prepare::run(&args)),
        Verb::Inspect(args) => run::verb(args.json, || verbs::inspect::run(&args)),
        Verb::Bench(args) => run::verb(args.json, || verbs::bench::run(&args)),
        Verb::Quantize(args) => run::verb(args.json, || verbs::quantize::run(&args)),
        Verb::Compose(args) => run::verb(args.json, || verbs::compose::run(&args)),
        Verb::Export(args) => run::verb(false, || verbs::export::run(&args)),
        Verb::Verify(args) => run::verb(false, || verbs::verify::run(&args)),
    }
}
