//! `export`: a model in a form that other programs run.

use crate::look;
use crate::run::{End, Limit, message, with_ctx};
use smidgen::{Error, ExportOptions, Language, SourceCodeOptions, export, export_source, export_wasm};
use std::path::PathBuf;

/// Write a model as others take it: ONNX, C99, Rust without `std`, or a WebAssembly file that needs nothing
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The model file, or a network in ONNX, which is written simplified
    model: PathBuf,
    /// What it becomes: onnx, c, rust, wasm
    #[arg(long, value_name = "onnx|c|rust|wasm")]
    to: String,
    /// Where it is written: a file of ONNX or WebAssembly, a folder of source code
    #[arg(short, long, value_name = "PATH")]
    output: PathBuf,
    /// Name of the module of source code
    #[arg(long, value_name = "NAME", default_value = "model")]
    name: String,
    /// Integers that columns of numbers are given in, in source code: i8, u8, i16, u16, i32, u32
    #[arg(long, value_name = "COL=i16,..", value_delimiter = ',')]
    types: Vec<String>,
    /// No progress
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(args: &Args) -> Result<End, Error> {
    if let Some(language) = Language::ALL.iter().find(|l| l.name() == args.to) {
        return source(args, *language);
    }
    if !args.types.is_empty() {
        return Err(Error::input(
            "--types: only source code takes them; use --to c or --to rust".to_string(),
        ));
    }
    match args.to.as_str() {
        "onnx" | "wasm" => {}
        other => return Err(Error::input(format!("--to: expected onnx, c, rust or wasm, got \"{other}\""))),
    }
    let write = if args.to == "wasm" { export_wasm } else { export };
    let options = ExportOptions { model: args.model.clone(), output: args.output.clone() };
    let (made, _) = with_ctx(1, Limit::None, args.quiet, |_| write(&options))?;
    let Some(made) = made else { return Ok(End::Interrupted) };
    if !args.quiet {
        message(&format!("{}: {} written", args.output.display(), look::size(made.bytes)));
    }
    Ok(End::Done)
}

fn source(args: &Args, language: Language) -> Result<End, Error> {
    let options = SourceCodeOptions {
        model: args.model.clone(),
        output: args.output.clone(),
        language,
        name: args.name.clone(),
        types: args.types.iter().map(|given| one_type(given)).collect::<Result<_, _>>()?,
    };
    let (made, _) = with_ctx(1, Limit::None, args.quiet, |_| export_source(&options))?;
    let Some(made) = made else { return Ok(End::Interrupted) };
    if !args.quiet {
        let files: Vec<String> = made.files.iter().map(|file| file.display().to_string()).collect();
        let bytes = look::size(made.table_bytes as u64);
        message(&format!("{} written; constants take {bytes}", files.join(", ")));
    }
    Ok(End::Done)
}

/// `COLUMN=TYPE`; the column may hold `=`.
fn one_type(given: &str) -> Result<(String, String), Error> {
    let parts = given.rsplit_once('=');
    let (column, of) = parts.ok_or_else(|| {
        Error::input(format!("--types {given}: expected COLUMN=TYPE, such as temperature=i16"))
    })?;
    Ok((column.to_string(), of.to_string()))
}
