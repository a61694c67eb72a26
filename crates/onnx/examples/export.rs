//! A model file as ONNX: `export MODEL.smidgen OUT.onnx`.
#![expect(clippy::print_stderr, reason = "a program says why it failed")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [model, out] = &paths[..] else {
        eprintln!("usage: export MODEL.smidgen OUT.onnx");
        return ExitCode::from(2);
    };
    match written(model, out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(3)
        }
    }
}

fn written(model: &str, out: &str) -> Result<(), Box<dyn std::error::Error>> {
    let model = ir::file::read(&std::fs::read(model)?)?;
    std::fs::write(out, smidgen_onnx::export(&model)?)?;
    Ok(())
}
