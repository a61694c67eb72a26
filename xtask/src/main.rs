//! The build habits of smidgen as verbs of `cargo xtask`.
//!
//! A rule that a machine can check stands here and not in prose.
//! Findings go to stdout, errors of the tool itself to stderr; the exit code is 0 (clean), 1 (findings) or 2 (usage, input).

mod library;
mod tidy;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask tidy      check the rules of tidy.toml
       cargo xtask library   build what a model as a WebAssembly file takes along";

fn main() -> ExitCode {
    let verb: Vec<String> = env::args().skip(1).collect();
    let outcome = match verb.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["tidy"] => {
            env::current_dir().map_err(Into::into).and_then(|folder| tidy::run(&folder, &mut io::stdout()))
        }
        ["library"] => env::current_dir().map_err(Into::into).and_then(|folder| library::run(&folder)),
        [] => Err(anyhow::anyhow!("no verb given\n{USAGE}")),
        other => Err(anyhow::anyhow!("unknown verb {:?}\n{USAGE}", other.join(" "))),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nothing is left to tell when stderr itself is closed.
            let _ = writeln!(io::stderr(), "xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}
