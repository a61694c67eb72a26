//! Runs the program in a temporary folder of its own and keeps what it says.

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A temporary folder in which the program runs.
pub struct Place(TempDir);

/// What a run of the program left.
pub struct Ran {
    /// Exit code; -1 for a signal.
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Place {
        Place(tempfile::tempdir().expect("a temporary folder can be made"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and the folders on its way.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        let folder = path.parent().expect("a file stands in a folder");
        std::fs::create_dir_all(folder).expect("folders can be made");
        std::fs::write(path, bytes).expect("a file can be written");
    }

    /// The program, without arguments, in this folder, with nothing on its standard input.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smidgen"));
        command.current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    /// Runs the program with the words of a line; a `fit` that says nothing of its budget tries one candidate.
    pub fn run(&self, line: &str) -> Ran {
        let mut command = self.command();
        command.args(line.split_whitespace());
        if line.starts_with("fit ") && !line.contains("--work") && !line.contains("--time") {
            command.args(["--work", "1"]);
        }
        Ran::of(command.output().expect("the program starts"))
    }

    /// As [`Place::run`]; the run must end with 0.
    pub fn good(&self, line: &str) -> Ran {
        let ran = self.run(line);
        assert_eq!(ran.code, 0, "{line}\n{}", ran.err);
        ran
    }
}

impl Ran {
    pub fn of(output: Output) -> Ran {
        let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
        Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Standard output, if it is one JSON object and nothing else.
    pub fn json(&self) -> Result<Value, String> {
        match serde_json::from_str(&self.out) {
            Ok(value @ Value::Object(_)) => Ok(value),
            _ => Err(format!("stdout is not one JSON object: {:?}\n{}", self.out, self.err)),
        }
    }
}
