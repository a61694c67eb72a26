//! Search: which learner with which parameters, inside a budget.
//!
//! [`Schedule`] is ask and tell: a portfolio, then walks through the learners' spaces. [`study`] runs its trials in rounds on
//! an [`Executor`](jobs::Executor); a trial goes in and comes out as bytes. [`Store`] keeps what is done, so that a run
//! which was stopped goes on. What a trial does is its worker's business: nothing here fits a model.

mod changes;
mod error;
mod flow;
mod portfolio;
mod schedule;
mod store;
mod study;
mod trial;

pub use changes::Facts;
pub use error::{Error, Kind};
pub use portfolio::usual_learners;
pub use schedule::{Added, Asked, NO_AUGMENTATION, Schedule, Space, Told};
pub use store::Store;
pub use study::{Studied, View, study};
pub use trial::{Outcome, Rungs, Trial};
