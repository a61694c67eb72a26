//! From a table to a model: the only crate that both fits and predicts.
//!
//! [`Step`]s make features of columns, fitted once a study or, if they see the target, inside each fold;
//! [`Prepared`] makes codes of them; [`validate`] fits a learner inside folds and gathers its
//! out-of-fold scores; [`finish`] fits on all rows and assembles the model. Scores come from the
//! integers that are deployed: there is no second `predict`.

mod augmented;
mod base;
mod chain;
mod cleaning;
mod coded_columns;
mod combination;
mod decide;
mod error;
mod features;
mod finish;
mod floats;
mod fold_scores;
mod folds;
mod forerunner;
mod frame;
mod grafts;
mod learning_curve;
mod merged;
mod predictions;
mod prepared;
mod relations;
mod rungs;
mod score_map;
mod seed_scores;
mod several;
mod share;
mod shrink;
mod size;
mod step;
mod store;
mod teacher;
mod transformed;
mod validate;
mod whole;

pub use augmented::Augment;
pub use base::{Base, BaseScores};
pub use chain::Feature;
pub use cleaning::{Cleaned, Duplicates, MissingCells};
pub use coded_columns::{CodedColumns, CodedRows};
pub use combination::{
    Cascade, Combination, Gate, GateColumn, MemberSum, OnGrids, ScoreColumn, ScoreTrees, Space,
};
pub use decide::{Aim, ClassWeights, Costs, predictions_by};
pub use error::{Error, Kind};
pub use finish::{Finished, Member, Origin, ends, finish, model_of};
pub use floats::float_predictions;
pub use fold_scores::{FoldScore, fold_scores};
pub use folds::Scheme;
pub use forerunner::Forerunner;
pub use learning_curve::{LearningPoint, learning_curve};
pub use merged::{Merge, ModelScore, size_together};
pub use predictions::{OneTruth, Predictions, Truth};
pub use prepare::Warning;
pub use prepared::{PrepareOptions, Prepared};
pub use relations::{Join, Relations};
pub use rungs::{FirstFold, GoOn, Rung, validate_while};
pub use score_map::{Curve, MapOnGrid, ScoreMap, mapped_floats, member_scores, real_scores};
pub use seed_scores::seed_scores;
pub use size::{Limits, Scales, Size};
pub use step::Step;
pub use teacher::{Generate, Loss, Teacher, TeacherOptions};
pub use transformed::{Transformed, transform};
pub use validate::{Candidate, HeldBack, Validated, gather, relinked, validate, with_floats};
