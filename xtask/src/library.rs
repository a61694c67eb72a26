//! Builds what a model as a WebAssembly file takes along, and puts it where `emit` includes it.

use anyhow::{Context, ensure};
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

const PACKAGE: &str = "crates/emit/library";
const TARGET: &str = "wasm32-unknown-unknown";
const PLACE: &str = "crates/emit/src/wasm/library.wasm";

pub(crate) fn run(root: &Path) -> anyhow::Result<bool> {
    let target = root.join("target/library");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root.join(PACKAGE)).args(["build", "--release", "--locked", "--target", TARGET]);
    command.arg("--target-dir").arg(&target).env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let status = command.status().context("cargo cannot be started")?;
    ensure!(
        status.success(),
        "{PACKAGE} cannot be built; is the target {TARGET} installed (rustup target add {TARGET})?"
    );
    let built = target.join(TARGET).join("release/smidgen_emit_library.wasm");
    fs::copy(&built, root.join(PLACE)).with_context(|| format!("{} to {PLACE}", built.display()))?;
    Ok(true)
}
