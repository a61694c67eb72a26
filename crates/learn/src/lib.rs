//! The Learner family: what fits a model to rows.
//!
//! A member is one file and one line in [`LEARNERS`]; its file owns its parameters (`SPEC`), docs,
//! source and tests. A learner has no `predict`: it appends nodes to a graph ([`Part`]), and the
//! runtime predicts, for folds, evaluation, the server and the device alike. `laws.rs` runs on every
//! member.

mod additive_tables;
mod averages;
mod bernoulli_nb;
mod categorical_nb;
mod column_lists;
mod ebm;
mod elastic_net;
mod error;
mod extra_trees;
mod forest;
mod gaussian_nb;
mod gbdt;
mod huber;
mod knn;
mod lasso;
mod learner;
mod linear_columns;
mod linear_fit;
mod linear_model;
mod linear_svm;
mod logistic;
mod lowering;
mod multinomial_nb;
mod naive_bayes;
mod offsets;
mod poisson;
mod ridge;
mod score_link;
mod scored_forest;
mod smo;
mod svm;
mod tree;
mod vectors;

#[cfg(test)]
mod laws;

pub use error::{Error, Kind};
pub use learner::{
    CLASS_WEIGHT, Exactness, FitInput, Fitted, Goal, Grows, Learner, LearnerEntry, Part, StageRounds, Takes,
    Unkept, Wants,
};
pub use linear_model::Unfit;
pub use lowering::encoded;
pub use offsets::Offsets;
pub use score_link::{Decision, Linked, ScoreLink, linked};
pub use smo::platt::fit_sigmoid;
pub use trees::Onto;

/// Every learner, in the order in which `smidgen fit` would try them.
pub static LEARNERS: &[&LearnerEntry] = &[
    &gbdt::ENTRY,
    &forest::ENTRY,
    &extra_trees::ENTRY,
    &tree::ENTRY,
    &ridge::ENTRY,
    &lasso::ENTRY,
    &elastic_net::ENTRY,
    &logistic::ENTRY,
    &poisson::ENTRY,
    &huber::ENTRY,
    &linear_svm::ENTRY,
    &gaussian_nb::ENTRY,
    &categorical_nb::ENTRY,
    &bernoulli_nb::ENTRY,
    &multinomial_nb::ENTRY,
    &knn::ENTRY,
    &svm::ENTRY,
    &ebm::ENTRY,
];

/// The learner of a name.
///
/// # Errors
/// `UnknownLearner` lists the known ones.
pub fn learner(name: &str) -> Result<&'static LearnerEntry, Error> {
    let found = LEARNERS.iter().find(|l| l.name == name);
    found.copied().ok_or_else(|| {
        let names = || LEARNERS.iter().map(|l| l.name);
        let suggestion = params::suggestion(name, names());
        let known = names().collect::<Vec<_>>().join(", ");
        Kind::UnknownLearner { name: name.to_owned(), suggestion, known }.into()
    })
}
