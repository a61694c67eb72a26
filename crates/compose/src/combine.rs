//! The Ensemble family: one score of the scores of several members.
//!
//! A member is one file and one line in [`ENSEMBLES`]; its file owns its parameters (`SPEC`), source and tests. It
//! learns a [`recipe::Combination`] from rows that no member had seen ([`ensemble`]); [`choose`] says by cross-fitting
//! how good that is, and shares the room out where the size of the whole is limited. The combination becomes integers on the grids of the members. `laws.rs` runs on every member.

mod average;
mod cascade;
mod choose;
mod ensemble;
mod gate;
mod greedy;
mod hard_vote;
mod rank_average;
mod room;
mod soft_vote;
mod stack;
mod stack_logistic;
mod stack_nnls;
mod stack_ridge;
mod stack_trees;
mod within;

#[cfg(test)]
mod laws;

pub use choose::{Composed, Pool, choose};
pub use ensemble::{Asked, Ensemble, EnsembleEntry, MemberRows};
pub use room::{Room, Weigh};

use crate::error::{Error, Kind};

/// Every ensemble.
pub static ENSEMBLES: &[&EnsembleEntry] = &[
    &average::ENTRY,
    &soft_vote::ENTRY,
    &hard_vote::ENTRY,
    &rank_average::ENTRY,
    &greedy::ENTRY,
    &stack_nnls::ENTRY,
    &stack_ridge::ENTRY,
    &stack_logistic::ENTRY,
    &stack_trees::ENTRY,
    &cascade::ENTRY,
    &gate::ENTRY,
];

/// The ensemble of a name.
///
/// # Errors
/// `UnknownEnsemble` lists the known ones.
pub fn named(name: &str) -> Result<&'static EnsembleEntry, Error> {
    let found = ENSEMBLES.iter().find(|e| e.name == name);
    found.copied().ok_or_else(|| {
        let names = || ENSEMBLES.iter().map(|e| e.name);
        let suggestion = params::suggestion(name, names());
        let known = names().collect::<Vec<_>>().join(", ");
        Kind::UnknownEnsemble { name: name.to_owned(), suggestion, known }.into()
    })
}
