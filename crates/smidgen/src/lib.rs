//! smidgen: the smallest and fastest model that keeps the accuracy, proven.
//!
//! The only public Rust surface of the project. [`fit`] turns a table into a model file, [`evaluate`]
//! measures it, [`predict`] applies it, [`inspect`](Inspected) shows it, [`verify_file`] proves that
//! this machine computes it. Every figure comes from the integers that are deployed.

mod error;
mod evaluate;
mod fit;
mod inspect;
mod model_file;
mod output;
mod predict;
mod table;
mod timing;

pub use data::{ColumnProfile, ColumnSummary, Encoding, ReadOptions, Spread, TableProfile, Value};
pub use error::{Error, Nature};
pub use evaluate::{EvaluateOptions, Evaluated, evaluate};
pub use fit::{FitOptions, FitReport, Stages, Status, fit};
pub use inspect::{Inspected, ModelSummary, TableSummary, inspect};
pub use ir::{ColumnKind, Task};
pub use jobs::{Budget, Cancel, Clock, Ctx, Progress, Silent, Threads};
pub use learn::{LEARNERS, LearnerEntry, ParamSpec};
pub use metrics::{ClassRow, METRICS};
pub use model_file::{VerifiedPath, verify_file};
pub use output::write_whole;
pub use predict::{PredictOptions, Predicted, predict};
pub use recipe::{Scheme, Warning};
pub use runtime::Verdict;
pub use timing::Speed;
