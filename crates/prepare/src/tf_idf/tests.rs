//! Vocabularies by hand, and scikit-learn's weights.

use super::*;
use crate::bag_columns;
use crate::laws::table::{Cell, Fitted, Fitting, Table};
use std::collections::BTreeMap;

const DOCS: [&str; 5] = [
    "The cat sat on the mat, the cat slept.",
    "A dog chased the cat!",
    "Dogs and cats: friends? No.",
    ".",
    "The mat was red; the dog was RED too.",
];

fn table(texts: &[&str]) -> Table {
    Table::new(&[("note", FeatureKind::Text, Cell::texts(texts))])
}

/// All terms of the bags as columns.
fn dense(table: &Table, settings: &[(&str, &str)], rows: Vec<u32>) -> Fitted {
    let columns = (&bag_columns::ENTRY, &[("how", "frequency"), ("columns", "8192")][..]);
    table.fit_chain((&ENTRY, settings), columns, &Fitting { rows, ..Fitting::default() }).unwrap()
}

/// By row, the terms that have a weight.
fn weights(fitted: &Fitted, table: &Table) -> Vec<BTreeMap<String, f64>> {
    let columns = fitted.run(table);
    let term =
        |name: &str| name.strip_prefix('"').unwrap().strip_suffix("\" in \"note\"").unwrap().to_owned();
    let row = |row: usize| {
        let there = fitted.names.iter().zip(&columns).filter(|(_, c)| c[row] != 0.0);
        there.map(|(name, c)| (term(name), c[row])).collect()
    };
    (0..table.n_rows()).map(row).collect()
}

fn check(settings: &[(&str, &str)], n_terms: usize, expected: [&[(&str, f64)]; 5]) {
    let table = table(&DOCS);
    let fitted = dense(&table, settings, Vec::new());
    assert_eq!(fitted.names.len(), n_terms, "{:?}", fitted.names);
    for (row, (got, expected)) in weights(&fitted, &table).iter().zip(expected).enumerate() {
        let terms: Vec<&str> = got.keys().map(String::as_str).collect();
        assert_eq!(terms, expected.iter().map(|e| e.0).collect::<Vec<_>>(), "row {row}");
        for (term, expected) in expected {
            // Four roundings and two logarithms within two steps, on either side.
            let got = got[*term];
            assert!((got - expected).abs() <= 4e-15 * expected, "row {row}, {term}: {got} for {expected}");
        }
    }
}

/// `TfidfVectorizer(token_pattern=r"(?u)[0-9A-Za-z\x80-\U0010ffff]+", ..).fit_transform(docs)` of
/// scikit-learn 1.9, with the arguments that stand at each case.
#[test]
fn weights_are_scikit_learns() {
    // Defaults.
    check(
        &[("min_rows", "1"), ("ngram_max", "1")],
        17,
        [
            &[
                ("cat", 0.5029900667416394),
                ("mat", 0.2514950333708197),
                ("on", 0.31172161146466404),
                ("sat", 0.31172161146466404),
                ("slept", 0.31172161146466404),
                ("the", 0.6262907885213309),
            ],
            &[
                ("a", 0.5163739676148649),
                ("cat", 0.4166072657167828),
                ("chased", 0.5163739676148649),
                ("dog", 0.4166072657167828),
                ("the", 0.345821664219199),
            ],
            &[
                ("and", 0.4472135954999579),
                ("cats", 0.4472135954999579),
                ("dogs", 0.4472135954999579),
                ("friends", 0.4472135954999579),
                ("no", 0.4472135954999579),
            ],
            &[],
            &[
                ("dog", 0.23197631237674887),
                ("mat", 0.23197631237674887),
                ("red", 0.5750573197927861),
                ("the", 0.3851225891009627),
                ("too", 0.28752865989639304),
                ("was", 0.5750573197927861),
            ],
        ],
    );
    // ngram_range=(1, 2), min_df=2, sublinear_tf=True, norm="l1".
    check(
        &[("min_df", "2"), ("term_frequency", "sublinear"), ("norm", "l1")],
        6,
        [
            &[
                ("cat", 0.23752360976288353),
                ("mat", 0.14028527022933202),
                ("the", 0.24438224001556907),
                ("the cat", 0.23752360976288353),
                ("the mat", 0.14028527022933202),
            ],
            &[
                ("cat", 0.26109044771142487),
                ("dog", 0.26109044771142487),
                ("the", 0.21672865686572537),
                ("the cat", 0.26109044771142487),
            ],
            &[],
            &[],
            &[
                ("dog", 0.22699078881807994),
                ("mat", 0.22699078881807994),
                ("the", 0.3190276335457602),
                ("the mat", 0.22699078881807994),
            ],
        ],
    );
    // analyzer="char", ngram_range=(3, 3), min_df=2, max_df=0.5, norm=None, binary=True.
    let w = 1.6931471805599454;
    check(
        &[
            ("analyzer", "chars"),
            ("ngram_min", "3"),
            ("ngram_max", "3"),
            ("max_df", "0.5"),
            ("norm", "none"),
            ("term_frequency", "binary"),
        ],
        9,
        [
            &[(" ma", w), ("at ", w), ("e c", w), ("e m", w), ("mat", w)],
            &[(" do", w), ("d t", w), ("e c", w), ("ed ", w), ("og ", w)],
            &[],
            &[],
            &[(" do", w), (" ma", w), ("at ", w), ("d t", w), ("e m", w), ("ed ", w), ("mat", w), ("og ", w)],
        ],
    );
    // max_features=4, use_idf=False, norm=None.
    check(
        &[("min_rows", "1"), ("ngram_max", "1"), ("max_features", "4"), ("use_idf", "no"), ("norm", "none")],
        4,
        [
            &[("cat", 2.0), ("mat", 1.0), ("the", 3.0)],
            &[("cat", 1.0), ("dog", 1.0), ("the", 1.0)],
            &[],
            &[],
            &[("dog", 1.0), ("mat", 1.0), ("the", 2.0)],
        ],
    );
}

#[test]
fn vocabularies_by_hand() {
    let texts = ["b a", "", "a B c", "c c c", "é"];
    let base = [("ngram_max", "1"), ("min_rows", "1")];
    // Settings beside the base, and the terms; counts are a 2, b 2, c 4, é 1 in 2, 2, 2, 1 of 4 texts.
    type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);
    let cases: [Case; 9] = [
        (&[], &["a", "b", "c", "é"]),
        (&[("min_rows", "2")], &["a", "b", "c"]),
        (&[("max_share", "0.5")], &["a", "b", "c", "é"]),
        (&[("max_share", "0.49")], &["é"]),
        (&[("max_terms", "1")], &["c"]),
        // Equal counts in byte order.
        (&[("max_terms", "2")], &["a", "c"]),
        (&[("case", "keep")], &["B", "a", "b", "c", "é"]),
        (&[("ngram_max", "2"), ("min_rows", "1"), ("max_terms", "4")], &["a", "b", "c", "c c"]),
        (&[("ngram_min", "2"), ("ngram_max", "2")], &["a b", "b a", "b c", "c c"]),
    ];
    for (settings, expected) in cases {
        let settings: Vec<(&str, &str)> = base.iter().chain(settings).copied().collect();
        let fitted = dense(&table(&texts), &settings, Vec::new());
        let expected: Vec<String> = expected.iter().map(|t| format!("\"{t}\" in \"note\"")).collect();
        assert_eq!(fitted.names, expected, "{settings:?}");
    }
}

/// A missing text is no text: `idf = 1 + ln((1 + 2) / (1 + 1))`.
#[test]
fn missing_texts_do_not_count() {
    let table = table(&["a", "", "b", ""]);
    let settings = [("min_rows", "1"), ("ngram_max", "1"), ("norm", "none")];
    let got = weights(&dense(&table, &settings, Vec::new()), &table);
    assert!((got[0]["a"] - (1.0 + 1.5f64.ln())).abs() < 1e-15, "{got:?}");
    assert!(got[1].is_empty() && got[3].is_empty());
}

#[test]
fn a_column_without_terms_is_kept() {
    for texts in [&["", ""][..], &["one", "two"], &["?", "!!"]] {
        let fitted = table(texts).fit(&ENTRY, &[]);
        assert_eq!((fitted.names.len(), &fitted.kept[..]), (0, &["note".to_owned()][..]), "{texts:?}");
    }
    let long = "x".repeat(257);
    let fitted = table(&[&long, &long]).fit(&ENTRY, &[]);
    assert_eq!(fitted.kept, ["note"]);
    let error = table(&["a b"]).fit_with(&ENTRY, &[("ngram_min", "3")], &Fitting::default()).err();
    let message = "tf_idf: ngram_min: expected at most ngram_max, which is 2, got 3; set both";
    assert_eq!(error.map(|e| e.to_string()).as_deref(), Some(message));
}

/// A vocabulary in a file takes a few bytes a term, its weights little more than one.
#[test]
fn a_model_of_many_terms_is_small() {
    // Syllables make words that share beginnings as those of a language do.
    let syllables = ["ba", "con", "der", "ing", "pre", "tion", "un", "ver", "mi", "sta"];
    let mut random = ir::digest::SplitMix64::new(1);
    let mut word = || (0..3).map(|_| syllables[random.below(10) as usize]).collect::<String>();
    let texts: Vec<String> =
        (0..400).map(|_| (0..20).map(|_| word()).collect::<Vec<_>>().join(" ")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let fitted = table(&texts).fit(&ENTRY, &[("ngram_max", "1")]);
    let model = fitted.model.as_ref().unwrap();
    let constants = |v: &ir::Value| match &v.origin {
        ir::Origin::Constant(tensor) => tensor.data().len(),
        _ => 0,
    };
    let n_terms = model.graph().values().iter().map(constants).max().unwrap();
    assert!(n_terms > 900, "{n_terms}");
    // Terms of nine letters, weights of doubles, and numbers of three bytes that the test adds: 21 bytes and more
    // without what they share.
    let bytes = ir::file::write(model).len();
    assert!(bytes < 8 * n_terms, "{bytes} bytes for {n_terms} terms");
}
