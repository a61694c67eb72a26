//! Source code made of models, compiled and run: each says the digest of its self-test.

use ir::Model;
use smidgen_emit::{Program, c};
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

/// Checks that the C code of models, compiled by the machine's own compiler, says what the models say.
pub fn check(models: &[(String, Model)]) {
    let programs: Vec<Program> = models.iter().map(|(_, model)| Program::try_new(model).unwrap()).collect();
    let flags = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let said = digests_of_c(&programs, "cc", &flags, &[]);
    for ((name, model), digest) in models.iter().zip(said) {
        assert_eq!(format!("{digest:016x}"), format!("{:016x}", model.self_test.unwrap().digest), "{name}");
    }
}
