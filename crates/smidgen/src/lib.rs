//! smidgen: the smallest and fastest model that keeps the accuracy, proven.
//!
//! The only public Rust surface of the project. [`fit`] turns a table into a model file, [`evaluate`]
//! measures it, [`predict`] applies it, [`compose`](compose()) makes one of several, [`bench`] times it, [`export`] hands it to others, [`inspect`](Inspected) shows it, [`verify_file`] proves that
//! this machine computes it. Every figure comes from the integers that are deployed.

mod bench;
mod calibrated;
mod chance;
mod compare;
mod composed;
mod costs;
mod demands;
mod drift;
mod error;
mod evaluate;
mod evaluation_report;
mod export;
mod figures;
mod fit;
mod fit_report;
mod float_side;
mod front;
mod inspect;
mod joined;
mod model_file;
mod network;
mod output;
mod predict;
mod prepare;
mod quantize;
mod reasons;
mod relation_options;
mod report;
mod searched;
mod several;
mod shown;
mod source_code;
mod stability;
mod start;
mod table;
mod teacher_file;
mod timing;

pub use ::compose::calibrate::{CALIBRATORS, CalibratorEntry};
pub use ::compose::combine::{ENSEMBLES, EnsembleEntry};
pub use ::evaluate::Test;
pub use ::evaluate::explain::{Dependence, GridPoint, Importance, ScoreTable, Side};
pub use ::evaluate::number;
pub use ::prepare::augment::{AUGMENTATIONS, AugmentationEntry};
pub use ::prepare::transform::{COMMON, TransformEntry};
pub use ::prepare::{TRANSFORMS, past_rows, related_rows};
pub use ::quantize::{Bins, Cause, Effect, LayerReport, Portability, Remedy, Saturation, Symmetry, Told};
pub use bench::{BenchOptions, Timed, bench};
pub use calibrated::ProbabilityCalibration;
pub use compare::{Comparison, Evaluation};
pub use composed::{ComposeOptions, ComposeReport, ComposedMember, compose};
pub use costs::CostReport;
pub use data::{ColumnProfile, ColumnSummary, Encoding, Format, ReadOptions, Spread, TableProfile, Value};
pub use error::{Error, Nature};
pub use evaluate::{EvaluateOptions, Evaluated, evaluate};
pub use evaluation_report::{EvaluationFigures, evaluation_page};
pub use export::{ExportOptions, Exported, export};
pub use figures::Figures;
pub use fit::{FitOptions, Refit, fit};
pub use fit_report::{FitMember, FitReport, Stages, Status};
pub use float_side::FloatSide;
pub use front::{FrontPoint, around_written};
pub use inspect::{Inspected, ModelSummary, TableSummary, inspect};
pub use ir::{AnswerKind, ColumnKind, Layout, PixelMap, TargetColumn, Task};
pub use jobs::{Budget, Cancel, Clock, Ctx, Progress, Silent, Threads};
pub use joined::JoinOptions;
pub use learn::{LEARNERS, LearnerEntry};
pub use metrics::{Average, Averages, ClassRow, METRICS};
pub use model_file::{VerifiedPath, verify_file};
pub use network::predict::predict_arrays;
pub use network::store::{StoreOptions, store_network};
pub use network::summary::{NetworkSummary, OperatorCount, WeightCount};
pub use network::{NetworkOptions, Port, is_network};
pub use output::{same_file, write_whole};
pub use params::ParamSpec;
pub use predict::{PredictOptions, Predicted, predict};
pub use prepare::{TransformOptions, TransformReport, transform};
pub use quantize::{
    Guard, MaxDrop, QuantizeOptions, QuantizeReport, RowCost, SchemeWords, quantization_page, quantize,
};
pub use recipe::{Cleaned, Duplicates, FoldScore, MissingCells, Scheme, Warning};
pub use relation_options::RelationOptions;
pub use report::report_page;
pub use runtime::Verdict;
pub use runtime::cost::{Counts, Operation, OperationCosts, RowCounts, TableCost};
pub use searched::{Distil, Searched, Taught};
pub use several::TargetFigures;
pub use shown::Shown;
pub use source_code::{Language, SourceCode, SourceCodeOptions, export_source, export_wasm};
pub use stability::Stability;
pub use start::FitBase;
pub use timing::Speed;
