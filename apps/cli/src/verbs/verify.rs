//! `verify`: this machine computes this model.

use crate::look;
use crate::run::{End, print};
use smidgen::{Error, Verdict, verify_file};
use std::path::PathBuf;

/// Prove that this machine computes the model: one line a path, `PATH DIGEST ok|differs|skipped`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The model file
    model: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<End, Error> {
    let checked = verify_file(&args.model)?;
    let mut text = String::new();
    for path in &checked {
        let digest = match path.verdict {
            Verdict::Skipped => "-".repeat(16),
            Verdict::Ok | Verdict::Differs => format!("{:016x}", path.digest),
        };
        text.push_str(&format!("{} {digest} {}\n", path.path, path.verdict.name()));
    }
    print(&text)?;
    if let Some(bits) = checked.iter().find_map(|p| p.within) {
        crate::run::message(&format!(
            "floats are left in this network: outputs were compared within 1/{} of their largest element",
            1u64 << bits
        ));
    }
    let differs = checked.iter().any(|p| p.verdict == Verdict::Differs);
    if differs {
        let n = checked.iter().filter(|p| p.verdict == Verdict::Differs).count();
        crate::run::message(&format!("{} of {} paths differ", look::count(n as u64), checked.len()));
    }
    Ok(if differs { End::Unmet } else { End::Done })
}
