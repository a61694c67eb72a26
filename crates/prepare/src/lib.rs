//! Preparing columns: what is wrong with them, and what learners get of them.
//!
//! [`clean`] looks at a table before anything is learnt and says what a person should know: copies of
//! rows, columns that only name rows, numbers that stand for "missing", spellings that differ by
//! case alone, columns that give the target away. It changes nothing by itself.
//!
//! The Transform family ([`transform`]) makes columns of columns; a member is one file and one line in
//! [`TRANSFORMS`]. `laws.rs` runs on every member.
//!
//! The Augmentation family ([`augment`]) makes training rows of training rows, inside a fold; the Generator family
//! ([`generate`]) makes rows of their cells, for a teacher to label.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may unwrap"))]

pub mod augment;
mod bag_columns;
mod best_columns;
pub mod clean;
mod clip_outliers;
mod coded;
mod construct;
mod discretize;
mod discretize_target;
mod error;
mod fourier;
mod frequency;
pub mod generate;
mod hash;
mod hash_text;
mod impute;
mod impute_neighbours;
mod log;
mod max_abs;
mod merge_spellings;
mod min_max;
mod moments;
mod neighbours;
mod nodes;
mod nystrom;
mod one_hot;
mod ordinal;
pub mod past_rows;
mod piecewise_linear;
mod quantile_normal;
mod random_fourier;
pub mod related_rows;
mod robust;
mod row_norm;
mod select_anova;
mod select_chi2;
mod select_correlation;
mod select_mutual_information;
mod select_variance;
mod splines;
mod standard;
mod starts;
mod statistics;
mod target_encode;
mod text_numbers;
mod tf_idf;
mod time_cycles;
mod time_differences;
mod time_parts;
pub mod transform;
mod yeo_johnson;

#[cfg(test)]
mod laws;

pub use error::{Error, Kind};

use transform::TransformEntry;

/// Every transform, by what it does.
pub static TRANSFORMS: &[&TransformEntry] = &[
    // Text.
    &text_numbers::ENTRY,
    &tf_idf::ENTRY,
    &hash_text::ENTRY,
    &bag_columns::ENTRY,
    // Points in time.
    &time_parts::ENTRY,
    &time_cycles::ENTRY,
    &time_differences::ENTRY,
    // Categories to numbers.
    &one_hot::ENTRY,
    &ordinal::ENTRY,
    &frequency::ENTRY,
    &target_encode::ENTRY,
    &hash::ENTRY,
    &merge_spellings::ENTRY,
    // Missing cells.
    &impute::ENTRY,
    &impute_neighbours::ENTRY,
    // Outliers.
    &clip_outliers::ENTRY,
    // Scales.
    &standard::ENTRY,
    &min_max::ENTRY,
    &robust::ENTRY,
    &max_abs::ENTRY,
    &row_norm::ENTRY,
    // Numbers to bins.
    &discretize::ENTRY,
    &discretize_target::ENTRY,
    // Shapes of distributions.
    &log::ENTRY,
    &yeo_johnson::ENTRY,
    &quantile_normal::ENTRY,
    // One number to many.
    &piecewise_linear::ENTRY,
    &splines::ENTRY,
    &fourier::ENTRY,
    // Columns of several columns.
    &construct::ENTRY,
    // Whole rows.
    &random_fourier::ENTRY,
    &nystrom::ENTRY,
    // Fewer columns.
    &select_variance::ENTRY,
    &select_correlation::ENTRY,
    &select_chi2::ENTRY,
    &select_anova::ENTRY,
    &select_mutual_information::ENTRY,
];

/// The transform of a name.
///
/// # Errors
/// `UnknownTransform` lists the known ones.
pub fn transform(name: &str) -> Result<&'static TransformEntry, Error> {
    let found = TRANSFORMS.iter().find(|t| t.name == name);
    found.copied().ok_or_else(|| {
        let names = || TRANSFORMS.iter().map(|t| t.name);
        Kind::UnknownTransform {
            name: name.to_owned(),
            suggestion: params::suggestion(name, names()),
            known: names().collect::<Vec<_>>().join(", "),
        }
        .into()
    })
}

/// Something that a person should know and that is no error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Stable word for programs.
    pub code: &'static str,
    /// The column that it is about.
    pub column: Option<String>,
    /// What it is, for people.
    pub text: String,
}

impl Warning {
    /// A warning about a column.
    pub fn column(code: &'static str, column: &str, text: String) -> Warning {
        Warning { code, column: Some(column.to_owned()), text }
    }

    /// A warning about the table.
    pub fn table(code: &'static str, text: String) -> Warning {
        Warning { code, column: None, text }
    }
}
