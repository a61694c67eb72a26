//! What a run tells the person who waits.

/// Receives what goes on; how it looks is the receiver's business. Called from any thread.
pub trait Progress: Sync {
    /// A new stage begins, of `total` steps if that is known.
    fn stage(&self, name: &str, total: Option<u64>);
    /// Steps of the stage were done.
    fn advance(&self, steps: u64);
    /// A short line about the state of the stage.
    fn note(&self, text: &str);
    /// Lines that stand beside the stage, in the place of those before; nothing where lines cannot be replaced.
    fn board(&self, lines: &[String]);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn stage(&self, _: &str, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn board(&self, _: &[String]) {}
}
