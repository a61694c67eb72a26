//! A thread beside the caller's, for work that streams: reading ahead, writing behind.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts `work` on a thread of its own. What it computes must not depend on when it runs.
///
/// # Errors
/// The system gives no thread; the caller then does the work itself.
#[expect(clippy::disallowed_methods, reason = "this is one of the modules that own threads")]
pub fn background(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).spawn(work)
}
