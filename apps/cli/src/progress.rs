//! Progress on stderr: bars on a terminal, plain lines otherwise, nothing when quiet.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use smidgen::{Clock, Progress};
use std::io::IsTerminal;
use std::sync::Mutex;

enum Look {
    Quiet,
    Lines,
    Bars,
}

/// Shows what goes on.
pub(crate) struct Shown {
    look: Look,
    clock: Clock,
    bar: Mutex<Option<ProgressBar>>,
    lines: Mutex<Stage>,
}

/// Seconds between lines about a stage that takes long.
const LINE_EVERY: f64 = 10.0;

/// The stage that goes on, for plain lines.
#[derive(Default)]
struct Stage {
    name: String,
    total: Option<u64>,
    done: u64,
    began: f64,
    told: f64,
}

impl Shown {
    pub(crate) fn new(quiet: bool) -> Shown {
        let look = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Look::Quiet,
            (false, true) => Look::Bars,
            (false, false) => Look::Lines,
        };
        Shown { look, clock: Clock::start(), bar: Mutex::new(None), lines: Mutex::new(Stage::default()) }
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        if let Ok(mut bar) = self.bar.lock()
            && let Some(bar) = bar.take()
        {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Shown {
    fn stage(&self, name: &str, total: Option<u64>) {
        match self.look {
            Look::Quiet => {}
            Look::Lines => {
                let now = self.clock.seconds();
                crate::run::message(&format!("{now:7.1} s  {name}"));
                if let Ok(mut stage) = self.lines.lock() {
                    *stage = Stage { name: name.to_owned(), total, done: 0, began: now, told: now };
                }
            }
            Look::Bars => {
                self.finish();
                let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
                let template = if total.is_some() {
                    "{elapsed_precise} {msg:<24} {bar:32} {pos}/{len}, {eta} left{prefix}"
                } else {
                    "{elapsed_precise} {msg:<24} {spinner} {human_pos}"
                };
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style);
                }
                bar.set_message(name.to_owned());
                bar.enable_steady_tick(std::time::Duration::from_millis(200));
                if let Ok(mut shown) = self.bar.lock() {
                    *shown = Some(bar);
                }
            }
        }
    }

    fn advance(&self, steps: u64) {
        if let Look::Lines = self.look
            && let Ok(mut stage) = self.lines.lock()
        {
            stage.advance(steps, self.clock.seconds());
        }
        if let Look::Bars = self.look
            && let Ok(bar) = self.bar.lock()
            && let Some(bar) = &*bar
        {
            bar.inc(steps);
        }
    }

    fn board(&self, lines: &[String]) {
        if let Look::Bars = self.look
            && let Ok(bar) = self.bar.lock()
            && let Some(bar) = &*bar
        {
            bar.set_prefix(lines.iter().map(|line| format!("\n{line}")).collect::<String>());
        }
    }

    fn note(&self, text: &str) {
        if let Look::Lines = self.look {
            crate::run::message(&format!("{:7.1} s  {text}", self.clock.seconds()));
        } else if let Ok(bar) = self.bar.lock()
            && let Some(bar) = bar.as_ref().filter(|bar| bar.prefix().is_empty())
        {
            // A board says it already.
            bar.set_message(text.to_owned());
        }
    }
}

impl Stage {
    /// Counts steps, and says how far the stage is when it has said nothing for a while.
    fn advance(&mut self, steps: u64, now: f64) {
        self.done += steps;
        if now - self.told < LINE_EVERY {
            return;
        }
        self.told = now;
        let (name, done) = (&self.name, self.done);
        let text = match self.total {
            Some(total) if done > 0 && total >= done => {
                let left = (now - self.began) / done as f64 * (total - done) as f64;
                format!("{now:7.1} s  {name}: {done} of {total}, {left:.0} s left")
            }
            _ => format!("{now:7.1} s  {name}: {done}"),
        };
        crate::run::message(&text);
    }
}
