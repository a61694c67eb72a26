//! `export`: a model in a form that other programs run.

use crate::Error;
use crate::model_file::{holds_network, load};
use crate::network::{Network, is_network, read_simplified};
use crate::output::{refuse_same_file, write_whole};
use onnx::NetworkMeta;
use std::path::PathBuf;

/// What is written.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// The model file, or a network in ONNX.
    pub model: PathBuf,
    /// Where the ONNX file is written.
    pub output: PathBuf,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Length of the file.
    pub bytes: u64,
}

/// Writes a model of tables, or a network, as standard ONNX; [`onnx::export`] and [`onnx::export_network`] say what it
/// takes and gives. What has no exact form is refused by name, and what is within a bound is named in the file's
/// `doc_string`. A network in ONNX is written simplified, in the lowest version of ONNX's operators that has them, with
/// the properties of its file.
///
/// # Errors
/// The model cannot be read or has a node without such a form; the file cannot be written; then nothing is.
pub fn export(options: &ExportOptions) -> Result<Exported, Error> {
    refuse_same_file(&options.output, &options.model.display().to_string())?;
    let of_file = |e: onnx::Error| Error::of_file(&options.model, e.nature(), &e);
    let bytes = if holds_network(&options.model) {
        let network = Network::load(&options.model)?;
        onnx::export_network(&network.graph, &NetworkMeta::default()).map_err(of_file)?
    } else if is_network(&options.model) {
        let network = read_simplified(&options.model)?;
        onnx::export_network(&network.graph, &network.meta).map_err(of_file)?
    } else {
        onnx::export(&load(&options.model)?.0).map_err(of_file)?
    };
    write_whole(&options.output, |out| {
        let path = options.output.display();
        out.write_all(&bytes).map_err(|e| Error::input(format!("{path}: cannot be written: {e}")))
    })?;
    Ok(Exported { bytes: bytes.len() as u64 })
}
