//! What is tried first, on any table: configurations that together do well on most, the best one first.
//!
//! The first is the learner as it is; then come those that differ most from what was tried before: slower and wider
//! boosting, sums of tables, averages of trees, lines, neighbours. Settings are rounded from published portfolios.
//! # Source  Salinas, Erickson, TabRepo, AutoML 2024; Holzmueller et al., Better by default, NeurIPS 2024, appendix.

use crate::trial::Trial;

/// A line: learner, its settings, the most rows for which it is worth its time.
type Line = (&'static str, &'static [(&'static str, &'static str)], usize);

const ANY: usize = usize::MAX;

/// Boosting as long as it helps, however little: rounds cost bytes, which a first guess saves.
const LONG: [(&str, &str); 2] = [("round_tolerance", "0.0001"), ("max_trees", "4000")];

const LINES: &[Line] = &[
    ("gbdt", &[], ANY),
    ("logistic", &[], ANY),
    ("ridge", &[], ANY),
    ("gaussian_nb", &[], ANY),
    ("extra_trees", &[("column_share", "0.5"), ("min_leaf_rows", "2"), ("smoothing", "0.5")], 50_000),
    (
        "gbdt",
        &[
            LONG[0],
            LONG[1],
            ("learning_rate", "0.03"),
            ("max_leaves", "63"),
            ("column_share_by_split", "0.5"),
            ("row_share", "0.9"),
            ("min_leaf_rows", "10"),
            ("l2", "2"),
        ],
        ANY,
    ),
    ("ebm", &[], 100_000),
    (
        "gbdt",
        &[
            LONG[0],
            LONG[1],
            ("learning_rate", "0.05"),
            ("max_leaves", "8"),
            ("column_share_by_split", "0.6"),
            ("row_share", "0.8"),
            ("min_leaf_rows", "5"),
        ],
        ANY,
    ),
    (
        "gbdt",
        &[
            LONG[0],
            LONG[1],
            ("growth", "symmetric"),
            ("learning_rate", "0.06"),
            ("max_depth", "6"),
            ("l2", "3"),
            ("row_share", "0.8"),
        ],
        ANY,
    ),
    ("svm", &[], 4_000),
    ("forest", &[("min_leaf_rows", "2"), ("smoothing", "0.1")], 50_000),
    (
        "extra_trees",
        &[("n_trees", "400"), ("column_share", "0.5"), ("min_leaf_rows", "1"), ("smoothing", "0.05")],
        50_000,
    ),
    (
        "gbdt",
        &[
            LONG[0],
            LONG[1],
            ("learning_rate", "0.02"),
            ("max_leaves", "180"),
            ("column_share_by_split", "0.4"),
            ("row_share", "0.8"),
            ("min_leaf_rows", "3"),
            ("l1", "0.5"),
            ("l2", "1"),
        ],
        ANY,
    ),
    ("knn", &[("k", "15"), ("weights", "distance")], 5_000),
];
/// Learners that are tried where none are named.
pub fn usual_learners() -> Vec<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    LINES.iter().for_each(|line| {
        if !names.contains(&line.0) {
            names.push(line.0)
        }
    });
    names
}

/// The lines for some learners and a table. A learner that is named but has no line is tried as it is; one that is named
/// alone is tried on any table.
pub fn portfolio(learners: &[&str], n_rows: usize) -> Vec<Trial> {
    let of = |&(learner, settings, _): &Line| Trial {
        learner: learner.to_owned(),
        settings: settings.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        ..Trial::default()
    };
    let fits = |line: &&Line| learners.contains(&line.0) && (n_rows <= line.2 || learners.len() == 1);
    let mut trials: Vec<Trial> = LINES.iter().filter(fits).map(of).collect();
    let missing = learners.iter().filter(|name| !LINES.iter().any(|line| line.0 == **name));
    trials.extend(missing.map(|name| Trial { learner: (*name).to_owned(), ..Trial::default() }));
    trials
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_configuration() {
        for (name, settings, ..) in LINES {
            let own: Vec<_> = settings.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            let learner = learn::learner(name).unwrap();
            learner.params(&own).unwrap();
        }
    }

    #[test]
    fn learners_and_sizes_choose_lines() {
        let names = |trials: Vec<Trial>| trials.into_iter().map(|t| t.learner).collect::<Vec<_>>();
        let all = usual_learners();
        assert_eq!(names(portfolio(&all, 100))[0], "gbdt");
        assert!(!names(portfolio(&all, 10_000)).contains(&"svm".to_owned()));
        // Whoever names one gets it.
        assert_eq!(names(portfolio(&["svm"], 10_000)), ["svm"]);
        assert_eq!(names(portfolio(&["tree", "huber"], 100)), ["tree", "huber"]);
    }
}
