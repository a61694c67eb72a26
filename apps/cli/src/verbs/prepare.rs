//! `prepare`: a table through transforms.

use crate::run::{End, Limit, message, print, with_ctx};
use crate::steps::StepArgs;
use crate::verbs::fit::{self, ReadArgs};
use crate::{figures, look};
use serde_json::json;
use smidgen::{Error, TransformOptions, transform};
use std::path::PathBuf;

/// Apply transforms to a table; write a table, or a model that makes the same number columns of any such table.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The table: CSV or Parquet; - for standard input
    data: String,
    /// The column that transforms which see a target are fitted to; it is written too
    #[arg(long, value_name = "COL")]
    target: Option<String>,
    /// A table (.csv, .parquet), or a model that makes the columns (.smidgen) and is applied by `predict`
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    steps: StepArgs,
    #[command(flatten)]
    read: ReadArgs,
    /// The seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Threads; all cores unless given
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(args: &Args) -> Result<End, Error> {
    let settings = args.steps.settings(&[])?;
    let options = TransformOptions {
        data: args.data.clone(),
        target: args.target.clone(),
        read: fit::read_options(&args.read)?,
        transforms: args.steps.transforms(),
        transform_settings: settings.transforms,
        relations: settings.relations,
        duplicates: args.steps.duplicates,
        missing_cells: args.steps.missing_cells,
        seed: args.seed,
        output: args.output.clone(),
    };
    let (made, _) = with_ctx(args.jobs, Limit::None, args.quiet, |ctx| transform(&options, ctx))?;
    let Some(made) = made else { return Ok(End::Interrupted) };
    if args.json {
        let object = json!({
            "schema": 1,
            "status": "ok",
            "rows": made.n_rows,
            "columns": made.columns,
            "warnings": figures::warnings(&made.warnings),
            "cleaning": figures::cleaning(&made.cleaned),
            "output": args.output.display().to_string(),
        });
        print(&format!("{object}\n"))?;
        return Ok(End::Done);
    }
    for warning in &made.warnings {
        let column = warning.column.as_ref().map(|c| format!("column \"{c}\": ")).unwrap_or_default();
        message(&format!("warning: {column}{}", warning.text));
    }
    let (n_rows, n_columns) = (look::count(made.n_rows as u64), look::count(made.columns.len() as u64));
    message(&format!("{}: {n_rows} rows, {n_columns} columns", args.output.display()));
    Ok(End::Done)
}
