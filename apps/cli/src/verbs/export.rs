//! `export`: a model in a form that other programs run.

use crate::look;
use crate::run::{End, Limit, message, with_ctx};
use smidgen::{Error, ExportOptions, export};
use std::path::PathBuf;

/// Write a model as others take it: ONNX.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The model file, or a network in ONNX, which is written simplified
    model: PathBuf,
    /// What it becomes: onnx
    #[arg(long, value_name = "onnx")]
    to: String,
    /// Where it is written
    #[arg(short, long, value_name = "PATH")]
    output: PathBuf,
    /// No progress
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(args: &Args) -> Result<End, Error> {
    match args.to.as_str() {
        "onnx" => {}
        "c" | "rust" | "wasm" => {
            return Err(Error::unsupported(format!("--to {}: not written yet; use --to onnx", args.to)));
        }
        other => return Err(Error::input(format!("--to: expected onnx, got \"{other}\""))),
    }
    let options = ExportOptions { model: args.model.clone(), output: args.output.clone() };
    let (made, _) = with_ctx(1, Limit::None, args.quiet, |_| export(&options))?;
    let Some(made) = made else { return Ok(End::Interrupted) };
    if !args.quiet {
        message(&format!("{}: {} written", args.output.display(), look::size(made.bytes)));
    }
    Ok(End::Done)
}
