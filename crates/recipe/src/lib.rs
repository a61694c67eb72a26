//! From a table to a model: the only crate that both fits and predicts.
//!
//! [`Prepared`] makes codes of a table once; [`validate`] fits a learner inside folds and gathers its
//! out-of-fold scores; [`finish`] fits on all rows and assembles the model. Scores come from the
//! integers that are deployed: there is no second `predict`.

mod error;
mod features;
mod finish;
mod predictions;
mod prepared;
mod validate;

pub use error::{Error, Kind};
pub use features::Feature;
pub use finish::{Origin, finish};
pub use predictions::{Predictions, Truth};
pub use prepare::Warning;
pub use prepared::Prepared;
pub use validate::{Scheme, Validated, validate};
