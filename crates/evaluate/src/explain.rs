//! What moves the predictions of a deployed model.
//!
//! Only the graph is known. Its score is a sum of parts (a forest, sums of tables, products, neighbours), and each
//! part says which of its features moved a row: forests by TreeSHAP, tables and products by what a term gives beyond
//! its mean, parts that compare rows by seeded permutations. The codes and integers that a part takes
//! are watched in the reference interpreter, so nothing here predicts a second time.
//!
//! - [`Explainer`]: which column of a row gave which part of its score;
//! - [`permutation_importance`]: what a metric loses when the cells of a column change places;
//! - [`score_tables`]: what every value of a column adds, where the score is a sum of tables;
//! - [`dependence`]: what is predicted when a column holds one value in all rows;
//! - [`importances`]: both figures of all columns, and [`rank_correlation`], whether two models agree on them.
//!
//! Columns are those of the signature, in the user's names. Rows of *background* are rows of a table that stand
//! for "the usual": a file holds no training rows, so whoever explains brings them.

mod attribution;
mod cell;
mod dependence;
mod error;
mod feeds;
mod importance;
mod parts;
mod permutation;
mod sampled;
mod score_tables;
mod shap;
mod taken;
#[cfg(test)]
mod tests;

pub use attribution::{Attributions, Explainer, score_tables};
pub use cell::spelled;
pub use dependence::{Dependence, GridPoint, MAX_BACKGROUND, MAX_GRID, MAX_LINES, dependence};
pub use error::{Error, Kind};
pub use importance::{Importance, Sample, importances, rank_correlation};
pub use permutation::{Permutations, permutation_importance};
pub use score_tables::{ScoreTable, Side};
pub(crate) use taken::evenly;
