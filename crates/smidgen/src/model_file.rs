//! Model files: reading them, and proving that this machine computes them.

use crate::Error;
use ir::Model;
use runtime::tensors::Limits;
use std::path::Path;

/// Largest model file that is read.
pub(crate) const MAX_BYTES: u64 = 4 << 30;

/// First bytes of a model file.
const MAGIC: &[u8] = b"SMDG";

/// What a forest of another library predicts, which its file does not name.
const TARGET: &str = "target";

/// True when the file starts as a model does, one of ours or a forest of another library; false when it does not or
/// cannot be read.
pub(crate) fn looks_like_model(path: &Path) -> bool {
    use std::io::Read;
    let mut start = Vec::new();
    let read = std::fs::File::open(path).and_then(|f| f.take(64).read_to_end(&mut start));
    read.is_ok() && (start.starts_with(MAGIC) || trees::library_of(&start).is_some())
}

/// True when the file starts as one of ours with a network does; false when it does not or cannot be read.
pub(crate) fn holds_network(path: &Path) -> bool {
    use std::io::Read;
    let mut start = Vec::new();
    // What is read of a pipe is gone.
    let is_file = std::fs::metadata(path).is_ok_and(|about| about.is_file());
    let mut read = || std::fs::File::open(path).and_then(|f| f.take(8).read_to_end(&mut start));
    is_file && read().is_ok() && ir::file::is_network(&start)
}

/// A model and the length of its file: one of ours, or a forest that LightGBM or XGBoost wrote.
///
/// # Errors
/// The file cannot be read, is damaged, or is newer than this program.
pub(crate) fn load(path: &Path) -> Result<(Model, u64), Error> {
    let fail = |what: &dyn std::fmt::Display| {
        Error::input(format!("{}: {what}; name a model that smidgen fit has written", path.display()))
    };
    let length = std::fs::metadata(path).map_err(|e| fail(&e))?.len();
    if length > MAX_BYTES {
        return Err(fail(&format!("{length} bytes, at most {MAX_BYTES} are read")));
    }
    let bytes = std::fs::read(path).map_err(|e| fail(&e))?;
    if trees::library_of(&bytes).is_some() {
        let model = imported(&bytes).map_err(|e| Error::of_file(path, e.nature(), &e))?;
        return Ok((model, bytes.len() as u64));
    }
    if ir::file::is_network(&bytes) {
        return Err(fail(&"holds a network, expected a model of tables"));
    }
    let model = ir::file::read(&bytes).map_err(|e| match e.nature() {
        ir::Nature::Unsupported => Error::unsupported(format!("{}: {e}", path.display())),
        _ => Error::input(format!("{}: {e}", path.display())),
    })?;
    Ok((model, bytes.len() as u64))
}

/// The model that a forest of another library is.
fn imported(bytes: &[u8]) -> Result<Model, Error> {
    let trees::Imported { graph, signature, card, .. } = trees::import(bytes, TARGET)?;
    let test = runtime::self_test(&graph, card.seed)?;
    let mut model = Model::try_new(graph, signature, card)?;
    model.self_test = Some(test);
    Ok(model)
}

/// The model with the target's name and the markers of missing cells that a table asks for, beside its own.
///
/// # Errors
/// None that can happen: only the signature's words change.
pub(crate) fn for_table(model: Model, target: Option<&str>, missing: &[String]) -> Result<Model, Error> {
    if target.is_none() && missing.is_empty() {
        return Ok(model);
    }
    let mut signature = model.signature().clone();
    if let Some(target) = target {
        target.clone_into(&mut signature.target);
    }
    signature.missing.extend(missing.iter().cloned());
    Ok(Model::try_new(model.graph().clone(), signature, model.card.clone())?)
}

/// One path of the runtime, checked.
pub use runtime::Checked as VerifiedPath;

/// Runs every path of this machine on the rows, or the inputs, of the file's self-test.
///
/// # Errors
/// The file cannot be read, is damaged, or is newer than this program.
pub fn verify_file(path: &Path) -> Result<Vec<VerifiedPath>, Error> {
    if holds_network(path) {
        let network = crate::network::Network::load(path)?.stored()?;
        return runtime::verify_network(&network, Limits::default()).map_err(|e| {
            let nature = match &e {
                runtime::Failure::Rows(e) => e.nature(),
                runtime::Failure::Run(e) => e.nature(),
            };
            Error::of_file(path, nature, &e)
        });
    }
    let (model, _) = load(path)?;
    Ok(runtime::verify(&model)?)
}
