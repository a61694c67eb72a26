//! `export` to source code: a folder with a model of tables as C99, or as a Rust module; and to a WebAssembly file.

use crate::Error;
use crate::export::{ExportOptions, Exported};
use crate::model_file::{holds_network, load};
use crate::network::is_network;
use crate::output::{refuse_same_file, write_whole};
use emit::{Integer, Program};
use ir::Signature;
use std::path::{Path, PathBuf};

/// What source code is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// C99.
    C,
    /// Rust without `std`.
    Rust,
}

impl Language {
    /// Every language.
    pub const ALL: &'static [Language] = &[Language::C, Language::Rust];

    /// Its name as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Language::C => "c",
            Language::Rust => "rust",
        }
    }
}

/// What is written.
#[derive(Clone, Debug)]
pub struct SourceCodeOptions {
    /// The model file.
    pub model: PathBuf,
    /// The folder that the files are written to; it is made where there is none.
    pub output: PathBuf,
    /// The language.
    pub language: Language,
    /// Name of the module: of its files, and what begins all that others see in C.
    pub name: String,
    /// Columns of numbers that are given in few integers, by name, and the name of these: `i8`, `u8`, `i16`, `u16`, `i32`,
    /// `u32`.
    pub types: Vec<(String, String)>,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceCode {
    /// The files, in the folder.
    pub files: Vec<PathBuf>,
    /// Bytes of all constants.
    pub table_bytes: usize,
}

/// Writes a model of tables as source code that needs nothing; [`emit`] says what it takes and gives, and how it proves
/// that it computes what the model does. A file without a self-test gets one of seed 0; where columns are given in few
/// integers, its rows are of such ones, so the digest is another than that of the file.
///
/// # Errors
/// The model cannot be read, is a network, or has a node without such a form; a name that is no identifier; a file cannot
/// be written.
pub fn export_source(options: &SourceCodeOptions) -> Result<SourceCode, Error> {
    let of_file = |e: emit::Error| Error::of_file(&options.model, e.nature(), &e);
    let program = program(&options.model, &options.types, "source code")?;
    let files = match options.language {
        Language::C => emit::c(&program, &options.name),
        Language::Rust => emit::rust(&program, &options.name),
    };
    let files = files.map_err(of_file)?;
    std::fs::create_dir_all(&options.output).map_err(|e| {
        let folder = options.output.display();
        Error::input(format!("{folder}: the folder cannot be made: {e}; choose another place with -o"))
    })?;
    let mut written = Vec::with_capacity(files.len());
    for file in files {
        let path = options.output.join(&file.name);
        write_bytes(&path, file.text.as_bytes())?;
        written.push(path);
    }
    Ok(SourceCode { files: written, table_bytes: program.table_bytes() })
}

/// Writes a model of tables as one WebAssembly file that needs nothing: the model, and of the runtime what it calls. A
/// file without a self-test gets one of seed 0.
///
/// # Errors
/// The model cannot be read, is a network, or has a node without such a form; the file cannot be written; then nothing is.
pub fn export_wasm(options: &ExportOptions) -> Result<Exported, Error> {
    refuse_same_file(&options.output, &options.model.display().to_string())?;
    let program = program(&options.model, &[], "a WebAssembly file")?;
    let bytes = emit::wasm(&program).map_err(|e| Error::of_file(&options.model, e.nature(), &e))?;
    write_bytes(&options.output, &bytes)?;
    Ok(Exported { bytes: bytes.len() as u64 })
}

/// Writes a file, whole or not at all.
fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_whole(path, |out| {
        let shown = path.display();
        out.write_all(bytes).map_err(|e| Error::input(format!("{shown}: cannot be written: {e}")))
    })
}

/// The program of a model file, whose columns of numbers are given in these integers, with a self-test.
fn program(path: &Path, types: &[(String, String)], form: &str) -> Result<Program, Error> {
    let shown = path.display();
    if holds_network(path) || is_network(path) {
        let what = format!("{shown}: a network as {form} is not supported; use --to onnx");
        return Err(Error::unsupported(what));
    }
    let (mut model, _) = load(path)?;
    let integers = integers(types, model.signature())?;
    if model.self_test.is_none() || integers.iter().any(Option::is_some) {
        let ranges: Vec<_> = integers.iter().map(|i| i.map(Integer::range)).collect();
        let seed = model.self_test.map_or(0, |test| test.seed);
        let test = runtime::self_test_of_integers(model.graph(), seed, &ranges);
        model.self_test = Some(test.map_err(|e| Error::input(format!("{shown}: {e}")))?);
    }
    Program::of_integers(&model, &integers).map_err(|e| Error::of_file(path, e.nature(), &e))
}

/// By column: the integers that it is given in.
fn integers(types: &[(String, String)], signature: &Signature) -> Result<Vec<Option<Integer>>, Error> {
    let mut integers = vec![None; signature.inputs.len()];
    for (column, name) in types {
        let at = signature.inputs.iter().position(|input| input.name == *column).ok_or_else(|| {
            let names: Vec<&str> = signature.inputs.iter().map(|input| &input.name[..]).collect();
            Error::input(format!("--types: no column \"{column}\"; the model takes {}", names.join(", ")))
        })?;
        let integer = Integer::parse(name).ok_or_else(|| {
            let names: Vec<&str> = Integer::ALL.iter().map(|i| i.name()).collect();
            Error::input(format!("--types {column}={name}: expected one of {}", names.join(", ")))
        })?;
        integers[at] = Some(integer);
    }
    Ok(integers)
}
