//! Files of LightGBM and XGBoost that are not well formed, or that ask for what is not here: an error that says where,
//! what, and what to do, without much memory and without a panic.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use ir::Nature;
use ir::digest::SplitMix64;
use smidgen_trees::{Library, import, library_of};
use std::path::Path;

fn model(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/forests");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// A model, what is replaced in it once by what, and how the message starts.
type Case = (&'static str, &'static str, &'static str, &'static str);

fn check(cases: &[Case], nature: Nature) {
    let mut wrong = Vec::new();
    for &(name, from, to, expected) in cases {
        let text = model(name);
        assert!(text.contains(from), "{name} holds no {from:?}");
        match import(text.replacen(from, to, 1).as_bytes(), "y") {
            Ok(_) => wrong.push(format!("{name}: {to}: imported")),
            Err(error) if !error.to_string().starts_with(expected) => wrong.push(error.to_string()),
            Err(error) if error.nature() != nature => wrong.push(format!("{error}: {:?}", error.nature())),
            Err(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn texts_of_lightgbm() {
    const M: &str = "lightgbm_categories.txt";
    check(
        &[
            (M, "Tree=1\n", "Tree=7\n", "lightgbm import: tree 1: expected Tree=1, got \"Tree=7\""),
            (
                M,
                "end of trees",
                "",
                "lightgbm import: tree 5: expected \"end of trees\", got the end of the file",
            ),
            (
                M,
                "num_leaves=8",
                "num_leaves=1152921504606846976",
                "lightgbm import: tree 0, leaf_value: expected 1152921504606846976 numbers, got 8",
            ),
            (
                M,
                "num_leaves=8",
                "num_leaves=0",
                "lightgbm import: tree 0, num_leaves: expected 1 or more, got 0",
            ),
            (
                M,
                "num_leaves=8",
                "num_leaves=x",
                "lightgbm import: tree 0, num_leaves: expected a number in range, got \"x\"",
            ),
            (
                M,
                "num_leaves=8\n",
                "",
                "lightgbm import: tree 0, num_leaves: expected a line with it, got none",
            ),
            (
                M,
                "max_feature_idx=4",
                "max_feature_idx=4000000000",
                "lightgbm import: header, feature_names: expected max_feature_idx + 1 = 4000000001 of them, got 5",
            ),
            (
                M,
                "max_feature_idx=4",
                "max_feature_idx=1152921504606846976",
                "lightgbm import: header, max_feature_idx: expected a number in range",
            ),
            (
                M,
                "names=x0 x1",
                "names=x0 x0",
                "lightgbm import: feature names: expected each one once and none empty, got \"x0\"",
            ),
            (
                M,
                "num_tree_per_iteration=1",
                "num_tree_per_iteration=0",
                "lightgbm import: header, num_tree_per_iteration: expected a number that divides 6 trees, got 0",
            ),
            (
                M,
                "num_tree_per_iteration=1",
                "num_tree_per_iteration=3",
                "lightgbm import: header, num_tree_per_iteration: expected 1 for this objective, got 3",
            ),
            (
                M,
                "left_child=2",
                "left_child=0",
                "lightgbm import: tree 0, node 0: expected one split that leads to it, got two, or a cycle",
            ),
            (
                M,
                "left_child=2",
                "left_child=99",
                "lightgbm import: tree 0, left_child: expected a split below 7 or a leaf from -8, got 99",
            ),
            (
                M,
                "left_child=2",
                "left_child=-9",
                "lightgbm import: tree 0, left_child: expected a split below 7 or a leaf from -8, got -9",
            ),
            (
                M,
                "left_child=2",
                "left_child=-1",
                "lightgbm import: tree 0: expected all 7 splits below the first",
            ),
            (
                M,
                "split_feature=0",
                "split_feature=5",
                "lightgbm import: tree 0, split_feature: expected below 5, got 5",
            ),
            (
                M,
                "threshold=-0.44999999999999996",
                "threshold=nan",
                "lightgbm import: tree 0, threshold: expected numbers, got NaN",
            ),
            (
                M,
                "threshold=-0.44999999999999996",
                "threshold=a",
                "lightgbm import: tree 0, threshold: expected numbers in range, got \"a\"",
            ),
            (
                M,
                "decision_type=8",
                "decision_type=12",
                "lightgbm import: tree 0, decision_type: expected 0 to 11, got 12",
            ),
            (
                M,
                "leaf_value=884.39228668848682",
                "leaf_value=inf",
                "lightgbm import: tree 0, leaf_value: expected finite numbers, got inf",
            ),
            (
                M,
                "0 4.5500000000000007 1 -5.0499999999999989\ndecision_type=8 10 10 9 10 9 10",
                "0 1 1 -5.0\ndecision_type=8 10 10 9 9 9 10",
                "lightgbm import: tree 0, threshold: expected sets of 2 words in all, each for one split",
            ),
            (
                M,
                "0.44999999999999996 2.4500000000000006 -2.7499999999999996 0",
                "0.4 2.4 -2.7 2",
                "lightgbm import: tree 0, threshold: expected the place of one of 2 sets, got 2",
            ),
            (
                M,
                "cat_boundaries=0 1 2",
                "cat_boundaries=1 0 2",
                "lightgbm import: tree 0, cat_boundaries: expected rising places of words",
            ),
            (
                M,
                "cat_boundaries=0 1 2",
                "cat_boundaries=0 1 1152921504606846976",
                "lightgbm import: tree 0, cat_threshold: expected 1152921504606846976 numbers, got 2",
            ),
            (
                M,
                "num_cat=2",
                "num_cat=18446744073709551615",
                "lightgbm import: tree 0, cat_boundaries: expected 18446744073709551615 numbers, got 3",
            ),
            (
                "lightgbm_multiclass.txt",
                "num_class:3",
                "num_class:4",
                "lightgbm import: header, num_class: expected 3 trees a round, got 4",
            ),
            (
                "lightgbm_sigmoid.txt",
                "sigmoid:1.7",
                "sigmoid:-1",
                "lightgbm import: header, objective: expected a number above 0, got \"sigmoid:-1\"",
            ),
        ],
        Nature::Input,
    );
    check(
        &[
            (
                M,
                "is_linear=0",
                "is_linear=1",
                "lightgbm import: tree 0: a linear model in each leaf (linear_tree) is not supported; train without linear_tree",
            ),
            (M, "version=v4", "version=v9", "lightgbm import: header: version \"v9\" is not supported"),
            (
                M,
                "objective=regression",
                "objective=regression sqrt",
                "lightgbm import: header: objective \"regression sqrt\" is not supported",
            ),
            (
                M,
                "objective=regression",
                "objective=cross_entropy",
                "lightgbm import: header: objective \"cross_entropy\" is not supported; links here are",
            ),
            (
                "lightgbm_multiclass.txt",
                "objective=multiclass ",
                "objective=multiclassova ",
                "lightgbm import: header: objective \"multiclassova\" is not supported",
            ),
            (
                M,
                "end of trees\n",
                "end of trees\npandas_categorical:[[\"a\"]]\n",
                "lightgbm import: pandas_categorical: a list of names of categories is not supported",
            ),
        ],
        Nature::Unsupported,
    );
}

#[test]
fn json_of_xgboost() {
    const M: &str = "xgboost_categories.json";
    const V: &str = "xgboost_vectors.json";
    check(
        &[
            (
                M,
                "\"learner\"",
                "\"learned\"",
                "xgboost import: file: expected a field \"learner\", got an object",
            ),
            (
                M,
                "\"size_leaf_vector\":\"1\"}},",
                "\"size_leaf_vector\":\"1\"]},",
                "xgboost import: line 1, column",
            ),
            (
                M,
                "[\"x0\",\"x1\",\"x2\",\"x3\",\"x4\"]",
                "[\"x0\",\"x1\"]",
                "xgboost import: learner.feature_names: expected 5 names, got 2",
            ),
            (
                M,
                "[\"x0\",\"x1\",",
                "[\"x0\",7,",
                "xgboost import: file.learner.feature_names[1]: expected text, got \"7\"",
            ),
            (
                M,
                "\"tree_info\":[0,",
                "\"tree_info\":[4000000000,",
                "xgboost import: file.learner.learner_model_param: expected at most 6 outputs",
            ),
            (
                M,
                "\"tree_info\":[0,",
                "\"tree_info\":[",
                "xgboost import: file.learner.gradient_booster.model.tree_info: expected 6 elements, got 5",
            ),
            (
                M,
                "\"left_children\":[1,",
                "\"left_children\":[0,",
                "xgboost import: tree 0, node 0: expected one split that leads to it, got two, or a cycle",
            ),
            (
                M,
                "\"left_children\":[1,",
                "\"left_children\":[1152921504606846976,",
                "xgboost import: tree 0, node 0, left child: expected a node below 11, got 1152921504606846976",
            ),
            (
                M,
                "\"left_children\":[1,",
                "\"left_children\":[\"a\",",
                "xgboost import: tree 0.left_children[0]: expected whole numbers in range, got \"\"a\"\"",
            ),
            (
                M,
                "\"right_children\":[2,",
                "\"right_children\":[-7,",
                "xgboost import: tree 0, node 0, right child: expected a node below 11, got -7",
            ),
            (
                M,
                "\"split_conditions\":[1.0,",
                "\"split_conditions\":[1e99,",
                "xgboost import: tree 0.split_conditions[0]: expected numbers of single precision",
            ),
            (
                M,
                "\"split_conditions\":[1.0,",
                "\"split_conditions\":[null,",
                "xgboost import: tree 0: threshold of split 0: expected numbers in order, got NaN",
            ),
            (
                M,
                "\"split_indices\":[0,",
                "\"split_indices\":[-1,",
                "xgboost import: tree 0.split_indices[0]: expected whole numbers in range",
            ),
            (
                M,
                "\"split_indices\":[0,",
                "\"split_indices\":[5,",
                "xgboost import: tree 0: feature of a split: expected below 5, got 5",
            ),
            (
                M,
                "\"categories_segments\":[0]",
                "\"categories_segments\":[5]",
                "xgboost import: tree 0, node 4, categories: expected a set within the list",
            ),
            (
                M,
                "\"categories_sizes\":[9]",
                "\"categories_sizes\":[1152921504606846976]",
                "xgboost import: tree 0.categories: expected 1152921504606846976 categories, got 9",
            ),
            (
                M,
                "\"categories_nodes\":[4]",
                "\"categories_nodes\":[3]",
                "xgboost import: tree 0, node 4, categories: expected a set within the list",
            ),
            (
                M,
                "[5.175E-1]",
                "[1.5]",
                "xgboost import: file.learner.learner_model_param.base_score: expected a probability above 0 and below 1, got \"1.5\"",
            ),
            (
                M,
                "[5.175E-1]",
                "[x]",
                "xgboost import: file.learner.learner_model_param.base_score: expected numbers, got \"x\"",
            ),
            (
                M,
                "[5.175E-1]",
                "[0.5,0.5]",
                "xgboost import: file.learner.learner_model_param.base_score: expected 1 or 1 numbers, got 2",
            ),
            (
                M,
                "\"num_class\":\"0\"",
                "\"num_class\":\"1152921504606846976\"",
                "xgboost import: file.learner.learner_model_param: expected at most 6 outputs",
            ),
            (
                M,
                "\"boost_from_average\":\"1\",\"num_class\":\"0\",\"num_feature\":\"5\"",
                "\"num_class\":\"0\",\"num_feature\":\"9999999999\"",
                "xgboost import: file.learner.learner_model_param.num_feature: expected a number in range",
            ),
            (
                "xgboost_dart.json",
                "\"weight_drop\":[0.71864897,",
                "\"weight_drop\":[",
                "xgboost import: file.learner.gradient_booster.weight_drop: expected 6 elements, got 5",
            ),
            (
                "xgboost_poisson.json",
                "\"base_score\":\"[",
                "\"base_score\":\"[-",
                "xgboost import: file.learner.learner_model_param.base_score: expected a number above 0",
            ),
            (
                V,
                "\"leaf_weights\":[0.37989882,",
                "\"leaf_weights\":[",
                "xgboost import: tree 0.leaf_weights: expected 24 elements, got 23",
            ),
            (
                V,
                "\"size_leaf_vector\":\"3\"",
                "\"size_leaf_vector\":\"1152921504606846976\"",
                "xgboost import: tree 0.tree_param: expected leaves of 1 or 3 values, got 1152921504606846976",
            ),
        ],
        Nature::Input,
    );
    check(
        &[
            (
                M,
                "\"name\":\"gbtree\"",
                "\"name\":\"gblinear\"",
                "xgboost import: learner.gradient_booster: booster \"gblinear\" is not supported; train with gbtree or dart",
            ),
            (
                M,
                "binary:logistic",
                "binary:hinge",
                "xgboost import: learner.objective: objective \"binary:hinge\" is not supported; links here are",
            ),
            (
                M,
                "\"enc\":[]",
                "\"enc\":[1]",
                "xgboost import: file.learner.gradient_booster.model.cats.enc: a list of names of categories is not supported",
            ),
            (
                V,
                "multi:softprob",
                "reg:squarederror",
                "xgboost import: learner.objective: 3 targets of \"reg:squarederror\" is not supported; train a model for each target",
            ),
            (
                V,
                "leaf_weights",
                "leaf_values",
                "xgboost import: tree 0: leaves of several values as XGBoost 2 to 3.0 wrote them is not supported",
            ),
        ],
        Nature::Unsupported,
    );
}

/// 200 categories with others between them have 400 borders, more than a column of codes.
#[test]
fn more_categories_than_codes() {
    let words: Vec<String> = (0..13).map(|_| 0x5555_5555u32.to_string()).collect();
    let text = model("lightgbm_categories.txt")
        .replacen("cat_boundaries=0 1 2", "cat_boundaries=0 13 14", 1)
        .replacen("cat_threshold=599186", &format!("cat_threshold={}", words.join(" ")), 1);
    let error = import(text.as_bytes(), "y").unwrap_err();
    let expected = "lightgbm import: borders in one split on feature 4: 416, where at most 253 can be, is not supported; \
                    train with fewer categories a split";
    assert_eq!((error.to_string().as_str(), error.nature()), (expected, Nature::Unsupported));
}

/// XGBoost up to 2.1 writes NaN where a split on categories has no threshold; elsewhere it is an error.
#[test]
fn nan_in_json() {
    let text = model("xgboost_categories.json");
    let named = text.replace("\"x0\"", "\"NaN\\\"NaN\"");
    let text = named.replacen("-0.5848478,1e-45,", "-0.5848478,NaN,", 1);
    assert_ne!(text, named);
    let imported = import(text.as_bytes(), "y").unwrap();
    assert_eq!(imported.features[0], "NaN\"NaN");
    assert_eq!(imported.forest, import(named.as_bytes(), "y").unwrap().forest);
    let error =
        import(text.replacen("\"split_conditions\":[1.0,", "\"split_conditions\":[NaN,", 1).as_bytes(), "y");
    let expected = "xgboost import: tree 0: threshold of split 0: expected numbers in order, got NaN";
    assert_eq!(error.unwrap_err().to_string(), expected);
}

#[test]
fn bytes_of_neither() {
    let cases: &[(&[u8], Option<Library>)] = &[
        (b"", None),
        (b"{", None),
        (b"PK\x03\x04", None),
        (b"treehouse", None),
        (b"tree\nversion=v4\n", Some(Library::LightGbm)),
        (b"tree\noak\n", None),
        (b"tree\r\nversion=v3", Some(Library::LightGbm)),
        (b" { \"learner\"", Some(Library::XgBoost)),
        (b"\xef\xbb\xbf{\"learner\"", Some(Library::XgBoost)),
        (b"{L\0\0\0\0\0\0\0\x07learner", Some(Library::XgBoost)),
    ];
    for &(bytes, library) in cases {
        assert_eq!(library_of(bytes), library, "{bytes:?}");
        let error = import(bytes, "y").unwrap_err();
        let expected = match library {
            None => "import: expected a model of LightGBM".to_string(),
            Some(library) => format!("{library} import: "),
        };
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
    assert_eq!(import(b"{L\0", "y").unwrap_err().nature(), Nature::Unsupported);
}

/// Every beginning of a file is refused; a byte changed anywhere gives a model or an error.
#[test]
fn truncated_and_changed() {
    let mut random = SplitMix64::new(3);
    for name in ["lightgbm_categories.txt", "xgboost_categories.json", "xgboost_vectors.json"] {
        let bytes = model(name).into_bytes();
        for end in (0..bytes.len() - 2).step_by(37) {
            assert!(import(&bytes[..end], "y").is_err(), "{name}, {end} bytes");
        }
        let mut n_refused = 0;
        for _ in 0..2000 {
            let mut changed = bytes.clone();
            let at = random.below(bytes.len() as u32) as usize;
            changed[at] = b"0123456789-.e,[]{}\" \n\xff="[random.below(23) as usize];
            n_refused += usize::from(import(&changed, "y").is_err());
        }
        assert!(n_refused > 100, "{name}: {n_refused}");
    }
}
