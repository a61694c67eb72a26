//! Exit codes, messages, and the resources of a run.

use crate::progress::Shown;
use smidgen::{Budget, Cancel, Clock, Ctx, Error, Nature, Threads};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How a verb ended, when it ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All that was asked.
    Done,
    /// A demand was not met, or a check differs.
    Unmet,
    /// Stopped by the user, the best so far is written.
    Interrupted,
}

/// What the last panic said. Told only if it ends the verb: those of the Parquet decoder on a damaged file are
/// caught where it is called.
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

fn keep_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let trace = Backtrace::capture();
        let trace =
            if trace.status() == BacktraceStatus::Captured { format!("\n{trace}") } else { String::new() };
        *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = format!("{panic}{trace}");
    }));
}

/// Runs a verb and turns its end into an exit code; with `json`, errors go to stdout as an object.
pub(crate) fn verb(
    json: bool,
    verb: impl FnOnce() -> Result<End, Error> + std::panic::UnwindSafe,
) -> ExitCode {
    keep_panics();
    let ended = match std::panic::catch_unwind(verb) {
        Ok(ended) => ended,
        Err(_) => {
            message(&LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner));
            Err(Error::bug("the program stopped unexpectedly (its message stands above)"))
        }
    };
    match ended {
        Ok(End::Done) => ExitCode::SUCCESS,
        Ok(End::Unmet) => ExitCode::from(1),
        Ok(End::Interrupted) => ExitCode::from(130),
        Err(error) => {
            let (code, kind) = match error.nature() {
                Nature::Input => (2, "input"),
                Nature::Unsupported => (3, "unsupported"),
                Nature::Bug => (70, "bug"),
            };
            message(&format!("error: {error}"));
            if json {
                print_error(kind, &error.to_string());
            }
            ExitCode::from(code)
        }
    }
}

/// An error as an object on stdout.
fn print_error(kind: &str, message: &str) {
    let object = serde_json::json!({"schema": 1, "status": "error", "kind": kind, "message": message});
    // A closed stdout leaves nobody to tell.
    let _ = print(&format!("{object}\n"));
}

/// A fault of the arguments, or a call for help.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let is_error = error.use_stderr();
    // A closed stream leaves nobody to tell.
    let _ = error.print();
    // Arguments that cannot be read still say whether a program is listening.
    if is_error && std::env::args_os().any(|arg| arg == "--json") {
        let text = error.to_string();
        let message = text.split("\n\n").next().unwrap_or_default();
        print_error("input", message.strip_prefix("error: ").unwrap_or(message));
    }
    if is_error { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

/// Prints to stdout; a reader that went away ends the printing, not the program.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::input(format!("standard output cannot be written: {e}")))
        }
        _ => Ok(()),
    }
}

/// Prints a line to stderr.
pub(crate) fn message(text: &str) {
    // Nobody is left to tell when stderr is closed.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// The limit of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    Time(Duration),
    Work(u64),
    None,
}

/// Calls `f` with threads, budget, cancelling by Ctrl-C, and progress. Gives what was made, if there was
/// anything, and whether the user interrupted.
pub(crate) fn with_ctx<T>(
    n_threads: usize,
    limit: Limit,
    quiet: bool,
    f: impl FnOnce(&Ctx<'_>) -> Result<T, Error>,
) -> Result<(Option<T>, bool), Error> {
    let clock = Clock::start();
    let budget = match limit {
        Limit::Time(time) => Budget::time(clock, time),
        Limit::Work(units) => Budget::work(clock, units),
        Limit::None => Budget::work(clock, u64::MAX),
    };
    let threads = Threads::try_new(n_threads).map_err(|e| Error::input(e.to_string()))?;
    let cancel = Cancel::new();
    let asked = cancel.clone();
    // Without a handler Ctrl-C still ends the program, only less gently.
    let _ = ctrlc::set_handler(move || {
        if asked.is_cancelled() {
            exit_now();
        }
        asked.cancel();
        message("stopping, with what there is so far; press Ctrl-C again to stop at once");
    });
    let shown = Shown::new(quiet);
    let made = f(&Ctx { threads: &threads, budget: &budget, cancel: &cancel, progress: &shown });
    shown.finish();
    match made {
        Ok(made) => Ok((Some(made), cancel.is_cancelled())),
        // What failed because the user stopped it is no fault.
        Err(error) if cancel.is_cancelled() => {
            message(&format!("interrupted, nothing was written ({error})"));
            Ok((None, true))
        }
        Err(error) => Err(error),
    }
}

#[expect(
    clippy::exit,
    reason = "the user asked twice; nothing half-written is left, files are renamed into place"
)]
fn exit_now() {
    std::process::exit(130);
}
