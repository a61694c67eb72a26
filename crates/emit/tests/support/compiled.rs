//! Source code made of models, compiled and run, and WebAssembly files: each says the digest of its self-test.

use ir::Model;
use smidgen_emit::{Program, c, rust, wasm};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// What is asked of every compiler.
pub const STRICT: &[&str] = &["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-ffunction-sections"];

/// A model with its self-test, whose seed is small.
pub fn proven(mut model: Model, seed: u64) -> Model {
    model.self_test = Some(runtime::self_test(model.graph(), seed).unwrap());
    model
}

/// Programs as C in a folder, with a main that prints a digest a line; gives the names of the files.
pub fn write_c(folder: &Path, programs: &[Program]) -> Vec<String> {
    let mut main = String::from("#include <stdio.h>\n#include <inttypes.h>\n");
    let mut files = vec!["main.c".to_string()];
    for (at, program) in programs.iter().enumerate() {
        let name = format!("m{at}");
        for file in c(program, &name).unwrap() {
            if file.name != "README.md" {
                std::fs::write(folder.join(&file.name), &file.text).unwrap();
            }
        }
        writeln!(main, "#include \"{name}.h\"").unwrap();
        files.push(format!("{name}.c"));
    }
    main.push_str("int main(void)\n{\n");
    for at in 0..programs.len() {
        writeln!(main, "    printf(\"%016\" PRIx64 \"\\n\", m{at}_self_test());").unwrap();
    }
    main.push_str("    return 0;\n}\n");
    std::fs::write(folder.join("main.c"), main).unwrap();
    files
}

/// The digests that a compiler's program prints; `run` is what runs it, if it is not of this machine.
pub fn digests_of_c(programs: &[Program], compiler: &str, flags: &[&str], run: &[&str]) -> Vec<u64> {
    let folder = tempfile::tempdir().unwrap();
    let files = write_c(folder.path(), programs);
    let defines: Vec<String> = (0..programs.len()).map(|at| format!("-DM{at}_SELF_TEST")).collect();
    let mut command = Command::new(compiler);
    command
        .current_dir(folder.path())
        .args(STRICT)
        .args(flags)
        .args(&defines)
        .args(&files)
        .args(["-o", "all"]);
    let made = command.output().unwrap();
    if !made.status.success() {
        let kept = folder.keep();
        panic!("{compiler} {flags:?}: {}\n{}", kept.display(), String::from_utf8_lossy(&made.stderr));
    }
    let program = folder.path().join("all");
    let (first, rest) = match run {
        [] => (program.as_os_str(), &[][..]),
        [first, rest @ ..] => (std::ffi::OsStr::new(first), rest),
    };
    let mut command = Command::new(first);
    command.args(rest);
    if !run.is_empty() {
        command.arg(&program);
    }
    let said = command.output().unwrap();
    let text = String::from_utf8(said.stdout).unwrap();
    assert!(said.status.success(), "{compiler} {flags:?}: {}", String::from_utf8_lossy(&said.stderr));
    text.lines().map(|line| u64::from_str_radix(line, 16).unwrap()).collect()
}

/// Checks that the code of models in both languages, compiled by the machine's own compilers, and their WebAssembly files
/// say what the models say.
pub fn check(models: &[(String, Model)]) {
    let programs: Vec<Program> = models.iter().map(|(_, model)| Program::try_new(model).unwrap()).collect();
    let flags = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let of_c = digests_of_c(&programs, "cc", &flags, &[]);
    let of_rust = digests_of_rust(&programs);
    let of_wasm = digests_of_wasm(&programs);
    for (form, digests) in [("C", Some(of_c)), ("Rust", Some(of_rust)), ("WebAssembly", of_wasm)] {
        for ((name, model), digest) in models.iter().zip(digests.into_iter().flatten()) {
            let expected = model.self_test.unwrap().digest;
            assert_eq!(format!("{digest:016x}"), format!("{expected:016x}"), "{name} in {form}");
        }
    }
}

/// The digests that WebAssembly files find in Node.js; none, and told, where that is missing.
pub fn digests_of_wasm(programs: &[Program]) -> Option<Vec<u64>> {
    const SCRIPT: &str = "
        const { readFileSync } = require('node:fs');
        for (let at = 0; at < COUNT; at++) {
            const module = new WebAssembly.Module(readFileSync(`m${at}.wasm`));
            const { memory, smidgen_verify } = new WebAssembly.Instance(module, {}).exports;
            const answer = smidgen_verify(1);
            const [status, length] = new Uint32Array(memory.buffer, answer, 2);
            const said = JSON.parse(new TextDecoder().decode(new Uint8Array(memory.buffer, answer + 8, length)));
            if (status !== 0 || said.paths.length !== 1) throw new Error(JSON.stringify(said));
            console.log(said.paths[0].digest);
        }";
    if Command::new("node").arg("--version").output().is_err() {
        println!("skipped: {} models as WebAssembly: there is no node", programs.len());
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    for (at, program) in programs.iter().enumerate() {
        std::fs::write(folder.path().join(format!("m{at}.wasm")), wasm(program).unwrap()).unwrap();
    }
    let script = SCRIPT.replace("COUNT", &programs.len().to_string());
    let said = Command::new("node").current_dir(folder.path()).args(["-e", &script]).output().unwrap();
    if !said.status.success() {
        panic!("{}: {}", folder.keep().display(), String::from_utf8_lossy(&said.stderr));
    }
    let text = String::from_utf8(said.stdout).unwrap();
    Some(text.lines().map(|line| u64::from_str_radix(line, 16).unwrap()).collect())
}

/// The digests of the same as Rust modules, one crate that has neither `std` nor `alloc`, in a program that prints.
pub fn digests_of_rust(programs: &[Program]) -> Vec<u64> {
    let folder = tempfile::tempdir().unwrap();
    let mut library = String::from("#![no_std]\n#![forbid(unsafe_code)]\n#![deny(warnings)]\n");
    let mut main = String::from("fn main() {\n");
    for (at, program) in programs.iter().enumerate() {
        let name = format!("m{at}");
        for file in rust(program, &name).unwrap() {
            std::fs::write(folder.path().join(&file.name), &file.text).unwrap();
        }
        writeln!(library, "pub mod {name};").unwrap();
        writeln!(main, "    println!(\"{{:016x}}\", all::{name}::self_test());").unwrap();
    }
    main.push_str("}\n");
    std::fs::write(folder.path().join("all.rs"), library).unwrap();
    std::fs::write(folder.path().join("main.rs"), main).unwrap();
    let rustc = |arguments: &[&str]| {
        let mut command = Command::new("rustc");
        command.current_dir(folder.path()).args([
            "--edition",
            "2024",
            "-C",
            "opt-level=1",
            "-C",
            "overflow-checks=on",
        ]);
        let made = command.args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&made.stderr).into_owned();
        assert!(
            made.status.success(),
            "{}: {}",
            folder.path().display(),
            said.chars().take(5000).collect::<String>()
        );
    };
    rustc(&["--crate-type", "rlib", "--crate-name", "all", "all.rs"]);
    rustc(&["-L", ".", "--extern", "all=liball.rlib", "main.rs", "-o", "run"]);
    let said = Command::new(folder.path().join("run")).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let text = String::from_utf8(said.stdout).unwrap();
    text.lines().map(|line| u64::from_str_radix(line, 16).unwrap()).collect()
}
