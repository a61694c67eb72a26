//! The Learner family: what fits a model to rows.
//!
//! A member is one file and one line in [`LEARNERS`]; its file owns its parameters (`SPEC`), docs,
//! source and tests. A learner has no `predict`: it appends nodes to a graph ([`Part`]), and the
//! runtime predicts, for folds, evaluation, the server and the device alike. `laws.rs` runs on every
//! member.

mod averages;
mod error;
mod extra_trees;
mod forest;
mod gbdt;
mod learner;
#[cfg_attr(not(test), expect(dead_code, reason = "the members that use it come next"))]
mod linear_model;
mod scored_forest;
mod tree;

#[cfg(test)]
mod laws;

pub use error::{Error, Kind};
pub use learner::{FitInput, Fitted, Learner, LearnerEntry, Lowered, Part, ScoreLink};

/// Every learner, in the order in which `smidgen fit` would try them.
pub static LEARNERS: &[&LearnerEntry] = &[&gbdt::ENTRY, &forest::ENTRY, &extra_trees::ENTRY, &tree::ENTRY];

/// The learner of a name.
///
/// # Errors
/// `UnknownLearner` lists the known ones.
pub fn learner(name: &str) -> Result<&'static LearnerEntry, Error> {
    let found = LEARNERS.iter().find(|l| l.name == name);
    found.copied().ok_or_else(|| {
        let known = LEARNERS.iter().map(|l| l.name).collect::<Vec<_>>().join(", ");
        Kind::UnknownLearner { name: name.to_owned(), known }.into()
    })
}
