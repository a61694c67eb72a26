//! What may stand before a learner: preparations of the columns, and rows added inside folds.
//!
//! Each is tried once with the best settings that its learner has by then; one that is better stays. Which are worth a
//! trial hangs on what the table has and on what the learner takes.

use crate::trial::Trial;
use ir::Task;
use learn::{Grows, LearnerEntry};

/// What a search knows of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Facts {
    /// What is answered.
    pub task: Task,
    /// Rows that are learnt from.
    pub n_rows: usize,
    /// Columns of numbers.
    pub n_numbers: usize,
    /// Columns of categories.
    pub n_categories: usize,
    /// Rows of the rarest class for each one of the most frequent; 1 for numbers.
    pub rare: f64,
    /// Whether the size of the model is limited.
    pub is_limited: bool,
}

/// A change of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Transforms before the learner.
    Prepare(&'static [&'static str]),
    /// An augmentation.
    Augment(&'static str),
    /// Settings by which each tree takes less, so that more of them have room: fewer bits, or a cost of what is asked anew.
    Shrink(&'static [(&'static str, &'static str)]),
    /// What a teacher says, in a way that the worker knows.
    Teach(String),
    /// The best candidate of [`FORERUNNERS`] goes before it.
    Onto,
}

/// Learners whose candidates boosted trees are added to: what a sum of columns says well costs trees much.
pub(crate) const FORERUNNERS: &[&str] = &["logistic", "ridge", "lasso", "elastic_net", "huber"];

/// Who takes a preparation.
#[derive(Clone, Copy, PartialEq)]
enum For {
    All,
    /// Learners of numbers as they are.
    Numbers,
}

/// A line: transforms, for whom, the fewest columns of numbers and of categories, the most rows.
type Line = (&'static [&'static str], For, (usize, usize), usize);

const PREPARATIONS: &[Line] = &[
    (&["construct"], For::All, (2, 0), 200_000),
    (&["splines"], For::Numbers, (1, 0), 100_000),
    (&["target_encode:keep=yes"], For::All, (0, 1), 1_000_000),
    (&["quantile_normal"], For::Numbers, (1, 0), 1_000_000),
    (&["construct", "quantile_normal"], For::Numbers, (2, 0), 100_000),
    (&["target_encode:keep=yes", "construct"], For::All, (1, 1), 100_000),
];

/// An augmentation, whether it answers numbers, whether it is for rare classes.
const AUGMENTATIONS: &[(&str, bool, bool)] = &[
    ("noise", true, false),
    ("mixup", true, false),
    ("oversample", false, true),
    ("smote", false, true),
    ("borderline_smote", false, true),
    ("adasyn", false, true),
];

/// Bits of leaves and of thresholds, and costs of columns and thresholds that are asked anew, for models whose size is
/// limited; the mildest of both first.
const SHRINKS: &[&[(&str, &str)]] = &[
    &[("leaf_bits", "6"), ("max_bins", "63")],
    &[("threshold_reuse", "0.0003")],
    &[("leaf_bits", "5"), ("max_bins", "31")],
    &[("threshold_reuse", "0.003"), ("feature_reuse", "0.003")],
    &[("leaf_bits", "4"), ("max_bins", "15")],
    &[("threshold_reuse", "0.02"), ("feature_reuse", "0.02")],
];

/// The parameter that ends boosting.
pub(crate) const MOST_TREES: &str = "max_trees";

/// A class is rare if it has fewer rows than this share of the most frequent one.
const RARE: f64 = 0.3;
/// Rows from which on there are enough without made ones.
const ENOUGH: usize = 20_000;

/// What may change before a learner, in the order in which it is tried; `others` are the learners of its study.
pub(crate) fn changes(
    learner: &LearnerEntry,
    facts: &Facts,
    (teachings, others): (&[String], &[&str]),
) -> Vec<Change> {
    let fits = |(_, for_whom, (n_numbers, n_categories), most): &&Line| {
        facts.n_numbers >= *n_numbers
            && facts.n_categories >= *n_categories
            && facts.n_rows <= *most
            && (*for_whom == For::All || learner.takes.numbers)
    };
    let has = |name: &str| learner.spec().any(|param| param.name == name);
    let is_cut = |settings: &&&[(&str, &str)]| facts.is_limited && settings.iter().all(|(name, _)| has(name));
    // A student that keeps the rows would keep the made ones too.
    let can_learn = learner.grows != Grows::Rows;
    let taught = teachings.iter().filter(|_| can_learn).map(|how| Change::Teach(how.clone()));
    let mut changes: Vec<Change> = taught.collect();
    changes.extend(SHRINKS.iter().filter(is_cut).map(|settings| Change::Shrink(settings)));
    // What stands before trees, or makes rows, looks at one target.
    if facts.task.is_several() {
        return changes;
    }
    let has_forerunner = others.iter().any(|name| FORERUNNERS.contains(name));
    changes.extend((learner.starts_from_scores && has_forerunner).then_some(Change::Onto));
    changes.extend(PREPARATIONS.iter().filter(fits).map(|line| Change::Prepare(line.0)));
    let has_classes = facts.task != Task::Regression;
    let helps = |(_, numbers, rare): &&(&str, bool, bool)| {
        (has_classes || *numbers) && (!*rare || facts.rare < RARE) && facts.n_rows <= ENOUGH
    };
    changes.extend(AUGMENTATIONS.iter().filter(helps).map(|line| Change::Augment(line.0)));
    changes
}

/// Settings of fewer bits of leaves than these, the next ones.
pub(crate) fn coarser(leaf_bits: i64) -> Option<&'static [(&'static str, &'static str)]> {
    let bits = |settings: &[(&str, &str)]| {
        let set = settings.iter().find(|(name, _)| *name == "leaf_bits")?;
        set.1.parse::<i64>().ok()
    };
    SHRINKS.iter().copied().find(|settings| bits(settings).is_some_and(|bits| bits < leaf_bits))
}

impl Change {
    /// The trial with the change; `None` where nothing can go before it.
    pub(crate) fn of(self, trial: &Trial, forerunner: Option<&Trial>) -> Option<Trial> {
        let mut changed = trial.without_bars();
        // Rows that are made have no score of a candidate that goes before.
        if matches!(self, Change::Augment(_) | Change::Teach(_)) {
            changed.onto = None;
        }
        match self {
            Change::Onto => {
                changed.onto = Some(Box::new(forerunner?.clone()));
                (changed.augment, changed.taught) = (None, None);
            }
            Change::Prepare(steps) => changed.transforms = steps.iter().map(|s| (*s).to_owned()).collect(),
            // Made rows are labelled either by a teacher or by an augmentation.
            Change::Augment(name) => (changed.augment, changed.taught) = (Some(name.to_owned()), None),
            Change::Teach(how) => (changed.taught, changed.augment) = (Some(how), None),
            Change::Shrink(settings) => {
                // As many trees as help: if they are too many, it is tried again with fewer.
                let is_kept =
                    |name: &str| name != MOST_TREES && settings.iter().all(|(other, _)| *other != name);
                changed.settings.retain(|(name, _)| is_kept(name));
                changed.settings.extend(settings.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
            }
        }
        Some(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_has_a_name_that_is_known() {
        let boosting = learn::learner("gbdt").unwrap();
        for settings in SHRINKS {
            let settings: Vec<_> = settings.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            boosting.params(&settings).unwrap();
        }
        for step in PREPARATIONS.iter().flat_map(|line| line.0) {
            recipe::Step::parse(step, &[]).unwrap();
        }
        for (name, numbers, _) in AUGMENTATIONS {
            let entry = prepare::augment::augmentation(name).unwrap();
            assert_eq!(entry.tasks.contains(&Task::Regression), *numbers, "{name}");
        }
    }

    #[test]
    fn tables_and_learners_choose() {
        let facts = Facts {
            task: Task::Binary,
            n_rows: 900,
            n_numbers: 3,
            n_categories: 0,
            rare: 0.9,
            is_limited: false,
        };
        let taught = |name: &str, facts: Facts, how: &[&str]| {
            let how: Vec<String> = how.iter().map(|how| (*how).to_owned()).collect();
            changes(learn::learner(name).unwrap(), &facts, (&how, &[]))
        };
        let of = |name: &str, facts: Facts| taught(name, facts, &[]);
        assert_eq!(
            of("gbdt", facts),
            [Change::Prepare(&["construct"]), Change::Augment("noise"), Change::Augment("mixup")]
        );
        assert!(of("logistic", facts).contains(&Change::Prepare(&["splines"])));
        let rare = Facts { rare: 0.02, ..facts };
        assert!(of("gbdt", rare).contains(&Change::Augment("smote")));
        let number = Facts { task: Task::Regression, rare: 1.0, ..facts };
        assert!(!of("gbdt", number).contains(&Change::Augment("smote")));
        let large = Facts { n_rows: 300_000, ..rare };
        assert_eq!(of("gbdt", large), []);
        let limited = Facts { is_limited: true, ..large };
        let shrinks: Vec<Change> = SHRINKS.iter().map(|settings| Change::Shrink(settings)).collect();
        assert_eq!(of("gbdt", limited), shrinks);
        // Averages of trees have bits, but no cost of what is asked anew.
        assert_eq!(of("forest", limited), [0, 2, 4].map(|at| shrinks[at].clone()));
        assert_eq!(of("logistic", limited), of("logistic", large));
        assert_eq!(taught("gbdt", large, &["a", "b"]), ["a", "b"].map(|how| Change::Teach(how.to_owned())));
        assert_eq!(taught("knn", large, &["a"]), of("knn", large));
        let beside = |name: &str, other: &str| {
            changes(learn::learner(name).unwrap(), &large, (&[], &[name, other])).contains(&Change::Onto)
        };
        assert!(beside("gbdt", "logistic") && !beside("gbdt", "knn") && !beside("ebm", "logistic"));
    }

    #[test]
    fn a_change_keeps_the_rest() {
        let settings = vec![("l2".to_owned(), "3".to_owned())];
        let trial = Trial { learner: "gbdt".to_owned(), settings, ..Trial::default() };
        let of = |change: Change, trial: &Trial| change.of(trial, None).unwrap();
        let changed = of(Change::Augment("smote"), &of(Change::Prepare(&["splines"]), &trial));
        assert_eq!(changed.describe(), "splines; smote; gbdt l2=3");
        assert_eq!(Change::Onto.of(&changed, None), None);
        let first = Trial { learner: "logistic".to_owned(), ..Trial::default() };
        let onto = Change::Onto.of(&changed, Some(&first)).unwrap();
        assert_eq!(onto.describe(), "splines; gbdt l2=3 onto (logistic)");
        let prepared = of(Change::Prepare(&["construct"]), &onto);
        assert_eq!(prepared.describe(), "construct; gbdt l2=3 onto (logistic)");
        assert_eq!(of(Change::Augment("noise"), &onto).describe(), "splines; noise; gbdt l2=3");
        let settings = [("max_trees", "9"), ("leaf_bits", "12"), ("l2", "3")];
        let settings = settings.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec();
        let fewer = of(Change::Shrink(SHRINKS[2]), &Trial { settings, ..changed });
        assert_eq!(fewer.describe(), "splines; smote; gbdt l2=3 leaf_bits=5 max_bins=31");
        assert_eq!(coarser(8), Some(SHRINKS[0]));
        assert_eq!((coarser(5), coarser(4)), (Some(SHRINKS[4]), None));
        // Both go together.
        let reused = of(Change::Shrink(SHRINKS[1]), &fewer);
        assert!(reused.describe().ends_with("leaf_bits=5 max_bins=31 threshold_reuse=0.0003"));
    }
}
