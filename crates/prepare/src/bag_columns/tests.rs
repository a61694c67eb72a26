//! scikit-learn's order of terms, bags by hand, and the laws for a member that takes what another makes.

use super::*;
use crate::laws::table::{Cell, Fitted, Fitting, Table};
use crate::{hash_text, tf_idf};

const DOCS: [&str; 8] = [
    "win cash now win",
    "call me now",
    "cash prize call now",
    "see you later",
    "you win a prize",
    "me and you",
    "later call me",
    "cash now",
];
const TWO: [u32; 8] = [1, 0, 1, 0, 1, 0, 0, 1];
const THREE: [u32; 8] = [1, 0, 2, 0, 1, 0, 0, 2];
const VALUES: [f64; 8] = [9.0, 2.0, 7.5, 1.0, 8.0, 0.5, 1.5, 6.0];
const ALL_WORDS: &[(&str, &str)] = &[("min_rows", "1"), ("ngram_max", "1")];

fn table(texts: &[&str]) -> Table {
    Table::new(&[("note", FeatureKind::Text, Cell::texts(texts))])
}

fn fit(table: &Table, settings: &[(&str, &str)], fitting: &Fitting<'_>) -> Result<Fitted, Error> {
    table.fit_chain((&tf_idf::ENTRY, ALL_WORDS), (&ENTRY, settings), fitting)
}

/// The terms that are chosen, best first: those of one column, then what two have more, and so on.
fn order(how: &str, target: StepTarget<'_>, most: usize) -> Vec<String> {
    let mut chosen: Vec<String> = Vec::new();
    for n in 1..=most {
        let n = n.to_string();
        let fitting = Fitting { target: Some(target), ..Fitting::default() };
        let fitted = fit(&table(&DOCS), &[("how", how), ("columns", &n)], &fitting).unwrap();
        assert!(fitted.names.is_sorted(), "{:?}", fitted.names);
        let term = |name: &String| {
            name.strip_prefix('"').unwrap().strip_suffix("\" in \"note\"").unwrap().to_owned()
        };
        let new: Vec<String> = fitted.names.iter().map(term).filter(|t| !chosen.contains(t)).collect();
        assert_eq!(new.len(), 1, "{how}: {new:?} beside {chosen:?}");
        chosen.extend(new);
    }
    chosen
}

/// `X = TfidfVectorizer(token_pattern=r"(?u)[0-9A-Za-z\x80-\U0010ffff]+").fit_transform(DOCS)` of
/// scikit-learn 1.9, then the order of `chi2(X, y)`, `f_classif(X, y)` and `f_regression(X, t)`, as far as no
/// two scores are equal.
#[test]
fn the_order_is_scikit_learns() {
    let (two, three) = (StepTarget::Classes(&TWO, 2), StepTarget::Classes(&THREE, 3));
    let chi2 = ["me", "cash", "win", "later", "prize", "and", "see", "a", "now", "call", "you"];
    assert_eq!(order("chi2", two, 11), chi2);
    assert_eq!(order("auto", two, 3), chi2[..3]);
    let chi2 = ["win", "cash", "a", "me", "later", "prize", "now", "and", "see", "call", "you"];
    assert_eq!(order("chi2", three, 11), chi2);
    assert_eq!(order("anova", two, 6), ["me", "cash", "later", "prize", "win", "now"]);
    let anova = ["win", "cash", "me", "now", "a", "prize", "later", "you", "call"];
    assert_eq!(order("anova", three, 9), anova);
    let values = StepTarget::Values(&VALUES);
    let correlation = ["me", "win", "cash", "prize", "later", "and", "a", "see", "now", "you", "call"];
    assert_eq!(order("correlation", values, 11), correlation);
    assert_eq!(order("auto", values, 11), correlation);
    // Rows: now 4, call, cash, me and you 3, later, prize and win 2, a, and and see 1.
    let frequency = ["now", "call", "cash", "me", "you", "later", "prize", "win", "a", "and", "see"];
    assert_eq!(order("frequency", two, 11), frequency);
}

/// The scores themselves: `chi2(X, y)`, `f_classif(X, y)`, and from `F = f_regression(X, t)[0]` the square of
/// the correlation, `F / (F + 8 - 2)`, with `X` as above.
#[test]
fn the_scores_are_scikit_learns() {
    let of = |how: How<'_>, rows: &[u32], weights: &[f64]| {
        let mut bags = Bags::new();
        for row in 0..8u32 {
            let at = rows.iter().position(|&r| r == row);
            bags.push(at.map(|at| (0, weights[at])));
        }
        let all: Vec<u32> = (0..8).collect();
        let threads = jobs::Threads::one();
        let input = StepInput {
            columns: &[],
            rows: &all,
            target: None,
            row_weights: None,
            seed: jobs::Seed(0),
            threads: &threads,
        };
        let bags: Vec<(&Bags, usize)> = (0..8).map(|row| (&bags, row)).collect();
        Entries::new(&bags, 1).scores(how, &input)[0].score
    };
    // "win", column 9 of X.
    let (rows, weights) = ([0, 4], [0.8673501476491873, 0.48979792305132713]);
    let cases = [
        (How::Chi2(&TWO, 2), 1.3571480707005144),
        (How::Chi2(&THREE, 3), 4.071444212101543),
        (How::Anova(&TWO, 2), 2.597885606141671),
        (How::Anova(&THREE, 3), 24.227113408090432),
        (How::Correlation(&VALUES), 5.747600729678101 / (5.747600729678101 + 6.0)),
    ];
    for (how, expected) in cases {
        let got = of(how, &rows, &weights);
        // Sums of eight numbers whose differences lose two digits.
        assert!((got - expected).abs() <= 1e-13 * expected, "{got} for {expected}");
    }
}

#[test]
fn columns_by_hand() {
    // "b" stands in the rows of class 1 alone, "a" in all.
    let texts = ["a", "a b b", "", "b a", "a"];
    let fitting = Fitting { target: Some(StepTarget::Classes(&[0, 1, 0, 1, 0], 2)), ..Fitting::default() };
    let plain = [ALL_WORDS, &[("norm", "none"), ("idf", "no")]].concat();
    let chain = |settings: &[(&str, &str)]| {
        table(&texts).fit_chain((&tf_idf::ENTRY, &plain), (&ENTRY, settings), &fitting).unwrap()
    };
    let one = chain(&[("columns", "1")]);
    assert_eq!(one.names, ["\"b\" in \"note\""]);
    assert_eq!(one.run(&table(&texts)), [[0.0, 2.0, 0.0, 1.0, 0.0]]);
    let two = chain(&[]);
    assert_eq!(two.names, ["\"a\" in \"note\"", "\"b\" in \"note\""]);
    assert_eq!(two.run(&table(&["b", "x"])), [[0.0, 0.0], [1.0, 0.0]]);
}

#[test]
fn buckets_have_numbers_for_names() {
    let fitting = Fitting { target: Some(StepTarget::Classes(&TWO, 2)), ..Fitting::default() };
    let hash = (&hash_text::ENTRY, &[("bits", "8"), ("ngram_max", "1"), ("norm", "none")][..]);
    let fitted = table(&DOCS).fit_chain(hash, (&ENTRY, &[("columns", "1")]), &fitting).unwrap();
    // "cash" stands in three texts of class 1 alone, "me" in three of class 0: the smaller id is first.
    let id = |word: &str| ir::text::tokens::hashed(word, 8);
    assert!(id("me") < id("cash"));
    assert_eq!(fitted.names, [format!("bucket {} of \"note\"", id("me"))]);
    let by_hand = DOCS.map(|d| d.split(' ').filter(|w| *w == "me").count() as f64);
    assert_eq!(fitted.run(&table(&DOCS)), [by_hand]);
}

#[test]
fn a_row_weight_is_repetition() {
    let weights: Vec<f32> = vec![1.0, 2.0, 1.0, 3.0, 1.0, 0.0, 2.0, 1.0];
    let rows: Vec<u32> = (0..8).collect();
    let mut repeated = Vec::new();
    for (&row, &weight) in rows.iter().zip(&weights) {
        repeated.extend(std::iter::repeat_n(row, weight as usize));
    }
    for target in [StepTarget::Classes(&TWO, 2), StepTarget::Classes(&THREE, 3), StepTarget::Values(&VALUES)]
    {
        for how in ["auto", "anova", "frequency"] {
            let scores = |rows: &[u32], row_weights| {
                let mut bags = Bags::new();
                DOCS.iter().for_each(|d| bags.push(d.contains("now").then_some((0, d.len() as f64))));
                let bags: Vec<(&Bags, usize)> = rows.iter().map(|&row| (&bags, row as usize)).collect();
                let threads = jobs::Threads::one();
                let input = StepInput {
                    columns: &[],
                    rows,
                    target: Some(target),
                    row_weights,
                    seed: jobs::Seed(0),
                    threads: &threads,
                };
                let ranked = Entries::new(&bags, 1).scores(super::how(how, &input).ok()?, &input);
                Some((ranked[0].score, ranked[0].rows))
            };
            let (Some(weighed), Some(repeated)) = (scores(&rows, Some(&weights)), scores(&repeated, None))
            else {
                assert_eq!((how, matches!(target, StepTarget::Values(_))), ("anova", true));
                continue;
            };
            assert!((weighed.0 - repeated.0).abs() <= 1e-13 * repeated.0.abs(), "{how}: {weighed:?}");
            assert_eq!(weighed.1, repeated.1);
        }
    }
}

#[test]
fn tasks_that_do_not_fit_say_so() {
    let (classes, values) = (StepTarget::Classes(&TWO, 2), StepTarget::Values(&VALUES));
    let cases = [
        (
            Some(classes),
            "correlation",
            "bag_columns: it is defined for numbers (how=correlation), not for a classification task",
        ),
        (
            Some(values),
            "chi2",
            "bag_columns: it is defined for classes (how=chi2), not for a regression task",
        ),
        (
            Some(values),
            "anova",
            "bag_columns: it is defined for classes (how=anova), not for a regression task",
        ),
        (None, "auto", "bag_columns: it is fitted to the target, and there is none; name it with --target"),
    ];
    for (target, how, message) in cases {
        let error = fit(&table(&DOCS), &[("how", how)], &Fitting { target, ..Fitting::default() }).err();
        assert_eq!(error.map(|e| e.to_string()).as_deref(), Some(message));
    }
    assert!(fit(&table(&DOCS), &[("how", "frequency")], &Fitting::default()).is_ok());
}

/// Texts of many rows with missing ones, and a target that hangs on them.
fn random(n_rows: usize) -> (Table, Vec<u32>) {
    let mut r = ir::digest::SplitMix64::new(5);
    let words = ["cat", "dog", "the", "runs", "Sleeps", "today", "no", "é"];
    let texts: Vec<Option<String>> = (0..n_rows)
        .map(|_| {
            let n = r.below(9);
            (n > 0).then(|| (0..n).map(|_| words[r.below(8) as usize]).collect::<Vec<_>>().join(" "))
        })
        .collect();
    let class =
        |t: &Option<String>| u32::from(t.as_ref().is_some_and(|t| t.contains("cat") != t.contains("no")));
    let labels = texts.iter().map(class).collect();
    (Table::new(&[("note", FeatureKind::Text, Cell::Text(texts))]), labels)
}

fn bits(columns: &[Vec<f64>]) -> Vec<Vec<u64>> {
    columns.iter().map(|c| c.iter().map(|v| v.to_bits()).collect()).collect()
}

/// The laws of the family, on both members that make bags with this one behind them.
#[test]
fn laws_hold_behind_members_that_make_bags() {
    let (whole, labels) = random(2400);
    let rows: Vec<u32> = (0..2000).collect();
    let fitting = Fitting { rows, target: Some(StepTarget::Classes(&labels, 2)), ..Fitting::default() };
    for first in [
        (&tf_idf::ENTRY, &[][..]),
        (&tf_idf::ENTRY, &[("analyzer", "chars"), ("ngram_min", "2"), ("ngram_max", "4")]),
        (&hash_text::ENTRY, &[("bits", "10")]),
    ] {
        let name = first.0.name;
        let second = (&ENTRY, &[("columns", "20")][..]);
        let fitted = whole.fit_chain(first, second, &fitting).unwrap();
        assert_eq!(fitted.names.len(), 20, "{name}");
        // Chunks of rows and threads.
        for (n_threads, chunk) in [(2, 64), (3, 7), (1, 1000)] {
            let again = Fitting { n_threads, chunk, ..fitting.clone() };
            let again = whole.fit_chain(first, second, &again).unwrap();
            assert!(again.names == fitted.names && again.model == fitted.model, "{name}: chunks of {chunk}");
        }
        // Rows that are not learnt from.
        let mut other = whole.clone();
        if let Cell::Text(texts) = &mut other.columns[0].2 {
            texts[2000..].fill(Some("unseen words unseen words unseen".to_owned()));
        }
        let again = other.fit_chain(first, second, &fitting).unwrap();
        assert!(again.names == fitted.names && again.model == fitted.model, "{name}: other rows");
        // Alone as in a batch, by plan (of the file) as by reference.
        let made = bits(&fitted.run(&whole));
        assert_eq!(bits(&fitted.run_plan(&whole)), made, "{name}: plan");
        for row in [0, 1, 57, 2399] {
            let alone = bits(&fitted.run(&whole.select(&[row])));
            for (column, alone) in made.iter().zip(&alone) {
                assert_eq!(alone, &column[row..=row], "{name}: row {row}");
            }
        }
        assert!(made.iter().all(|c| c.iter().any(|v| *v != c[0])), "{name}: a constant column");
        // The self-test of the file, whose rows hold terms.
        let mut model = fitted.model.unwrap();
        model.self_test = Some(runtime::self_test(model.graph(), 3).unwrap());
        let back = ir::file::read(&ir::file::write(&model)).unwrap();
        for checked in runtime::verify(&back).unwrap() {
            assert_eq!(checked.verdict, runtime::Verdict::Ok, "{name}: {}", checked.path);
        }
    }
}

#[test]
fn odd_bags_and_targets_give_a_defined_result() {
    // No id in any row to learn from.
    let fitting = |target| Fitting { rows: vec![0, 1], target: Some(target), ..Fitting::default() };
    let nothing = table(&["", "?", "a b"]);
    let target = StepTarget::Classes(&[0, 1, 0], 2);
    let hash = (&hash_text::ENTRY, &[("bits", "4")][..]);
    let fitted = nothing.fit_chain(hash, (&ENTRY, &[]), &fitting(target)).unwrap();
    assert_eq!((fitted.names.len(), &fitted.kept[..]), (0, &["note".to_owned()][..]));
    // One class, or equal numbers: no id has a score, the most frequent stand first.
    let texts = ["x a", "a", "a b", "b"];
    for (target, how) in [
        (StepTarget::Classes(&[1; 4], 2), "chi2"),
        (StepTarget::Classes(&[1; 4], 2), "anova"),
        // Sums of 0.1 are rounded, so a mean of equal numbers need not be one of them.
        (StepTarget::Values(&[0.1; 4]), "auto"),
    ] {
        let fitting = Fitting { target: Some(target), ..Fitting::default() };
        let fitted = fit(&table(&texts), &[("how", how), ("columns", "2")], &fitting).unwrap();
        assert_eq!(fitted.names, ["\"a\" in \"note\"", "\"b\" in \"note\""], "{how}");
    }
    // A term of one weight in all rows says nothing, whatever rounding makes of its variance.
    let texts = ["a", "a", "b a", "b a", "a", "c a", "a"];
    let plain = [ALL_WORDS, &[("norm", "none")]].concat();
    for (target, how) in [
        (StepTarget::Classes(&[0, 1, 0, 1, 1, 1, 0], 2), "anova"),
        (StepTarget::Values(&[0.3, 0.7, 0.1, 0.9, 0.7, 0.2, 0.4]), "correlation"),
    ] {
        let fitting = Fitting { target: Some(target), ..Fitting::default() };
        let second = (&ENTRY, &[("how", how), ("columns", "2")][..]);
        let fitted = table(&texts).fit_chain((&tf_idf::ENTRY, &plain), second, &fitting).unwrap();
        assert_eq!(fitted.names, ["\"b\" in \"note\"", "\"c\" in \"note\""], "{how}");
    }
    // One row.
    let one = Fitting { rows: vec![2], target: Some(StepTarget::Classes(&TWO, 2)), ..Fitting::default() };
    for how in ["chi2", "anova", "frequency"] {
        let fitted = fit(&table(&DOCS), &[("how", how)], &one).unwrap();
        assert_eq!(fitted.names.len(), 4, "{how}: {:?}", fitted.names);
    }
}
