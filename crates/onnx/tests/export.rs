//! Exported models against the reference: models made by hand as ONNX Runtime runs them, whose outputs
//! `export_outputs.py` records for these very bytes; these and random ones as this crate reads and runs them, where its
//! importer has the operators.
//!
//! To record anew: `SMIDGEN_EXPORT_CASES=DIR` makes the test write models and rows to a folder, the script reads them.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "../../runtime/tests/conformance/columns.rs"]
#[expect(dead_code, reason = "only the generator is used here")]
mod columns;
#[path = "export/made.rs"]
mod made;
#[path = "../../runtime/tests/conformance/models.rs"]
#[expect(dead_code, reason = "only the generator is used here")]
mod models;
#[path = "../../runtime/tests/conformance/numbers.rs"]
mod numbers;
#[path = "export/rows.rs"]
mod rows;
#[path = "../../runtime/tests/conformance/scores.rs"]
mod scores;

use ir::digest::{Digest, SplitMix64};
use ir::op::{
    BagGather, Cast, Columns, Gather, HashBucket, HashTokens, Past, PastKind, Reduce, Related, RelatedKind,
    TextPart, TimePart, Timed, ToScores, Votes, VotesKind,
};
use ir::text::parts::TextNumber;
use ir::text::tokens::{Analyzer, Tokenizer};
use ir::{
    ColumnKind, DType, GraphBuilder, Input, Joined, Model, Nature, Op, OutputRole, Shape, Signature, Task,
    Tensor, TensorData,
};
use rows::{Case, Cells};
use runtime::tensors::{Limits, run};
use smidgen_onnx::{Kind, NoExternal, Options, export, import};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Random models that are tried.
const N_RANDOM: usize = 1000;
const N_ROWS: usize = 9;

/// A random model and rows; none if it is refused.
fn random_case(seed: u64) -> Option<Case> {
    let mut random = SplitMix64::new(seed);
    let model = models::random_model(&mut random);
    let graph = model.graph();
    if export(&model).is_err() {
        return None;
    }
    let inputs = graph.inputs().iter().zip(&model.signature().inputs);
    let cells = inputs
        .map(|(&idx, input)| {
            let owned = columns::OwnedColumn::random(&mut random, graph, idx, N_ROWS);
            Cells::of(&owned.column(), input)
        })
        .collect();
    Some(Case { name: format!("random {seed}"), model, cells })
}

/// The digest of an exported model, but for the version that wrote it.
fn digest(bytes: &[u8]) -> String {
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    let mut digest = Digest::new();
    for part in bytes.split(|b| version.first() == Some(b)) {
        digest.bytes(part.strip_prefix(&version[1..]).unwrap_or(part));
    }
    format!("{:016x}", digest.finish())
}

/// Numbers of an output, or texts.
#[derive(Debug)]
enum Made {
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

fn made_of(tensor: &Tensor) -> Made {
    Made::Numbers(match tensor.data() {
        TensorData::I32(v) => v.iter().map(|&x| x.into()).collect(),
        TensorData::I64(v) => v.iter().map(|&x| x as f64).collect(),
        TensorData::F32(v) => v.iter().map(|&x| x.into()).collect(),
        TensorData::F64(v) => v.clone(),
        TensorData::Str(v) => return Made::Texts(v.clone()),
        other => panic!("{}", other.dtype()),
    })
}

/// Compares an output of an exported model with what the reference makes.
fn check(case: &Case, at: usize, meant: &Tensor, got: &Made) {
    let signature = case.model.signature();
    let role = signature.outputs[at];
    let place = format!("{}: output {at} ({})", case.name, role.name());
    let (want, have) = match (made_of(meant), got) {
        (Made::Numbers(labels), Made::Texts(texts)) => {
            let target = signature.outputs[..at].iter().filter(|&&before| before == role).count();
            let names = signature.of_target(target).classes;
            let classes: Vec<&String> = labels.iter().map(|&l| &names[l as usize]).collect();
            assert_eq!(classes, texts.iter().collect::<Vec<_>>(), "{place}");
            return;
        }
        (Made::Numbers(want), Made::Numbers(have)) => (want, have),
        (want, have) => panic!("{place}: {want:?} and {have:?}"),
    };
    assert_eq!(want.len(), have.len(), "{place}");
    let name = if role == OutputRole::Column { &signature.columns[at] } else { role.name() };
    for (row, (&want, &have)) in want.iter().zip(have).enumerate() {
        let distance = if want == have { 0.0 } else { (want - have).abs() };
        let is_same = (want.is_nan() && have.is_nan()) || want == have;
        let fits = match role {
            // One step of single precision; below its normal numbers steps are even.
            OutputRole::Probability => distance <= (want.abs() * f64::from(f32::EPSILON)).max(1.5e-45),
            // e^score; linear values are equal.
            OutputRole::Value => distance <= (want.abs() * 2f64.powi(-50)).max(f64::MIN_POSITIVE),
            // Sums of 300 numbers of sizes below 10.
            _ if name.starts_with(made::NEAR) => distance <= 300.0 * 3000.0 * 2f64.powi(-53),
            _ => is_same,
        };
        assert!(fits || is_same, "{place}, {name}, element {row}: {want:?} and {have:?}");
    }
}

fn record_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/onnx/export.txt")
}

/// Digest and outputs of each case, by its name.
fn record() -> BTreeMap<String, (String, Vec<Made>)> {
    let text = std::fs::read_to_string(record_path()).unwrap_or_default();
    let mut cases = BTreeMap::new();
    let mut last = None;
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        match line.split('\t').collect::<Vec<_>>()[..] {
            ["case", name, digest] => {
                cases.insert(name.to_string(), (digest.to_string(), Vec::new()));
                last = Some(name);
            }
            ["numbers", ref values @ ..] => {
                let values = values.iter().filter(|v| !v.is_empty()).map(|v| v.parse().unwrap()).collect();
                cases.get_mut(last.unwrap()).unwrap().1.push(Made::Numbers(values));
            }
            ["texts", ref values @ ..] => {
                let values = values.iter().map(|v| v.to_string()).collect();
                cases.get_mut(last.unwrap()).unwrap().1.push(Made::Texts(values));
            }
            _ => panic!("{line}"),
        }
    }
    cases
}

#[test]
fn onnx_runtime_says_what_the_model_says() {
    let cases = made::cases();
    if let Some(folder) = std::env::var_os("SMIDGEN_EXPORT_CASES").map(PathBuf::from) {
        std::fs::create_dir_all(&folder).unwrap();
        for case in &cases {
            let bytes = export(&case.model).unwrap();
            std::fs::write(folder.join(format!("{}.onnx", case.name)), &bytes).unwrap();
            std::fs::write(folder.join(format!("{}.txt", case.name)), case.written(&digest(&bytes))).unwrap();
        }
    }
    let record = record();
    let names = |all: Vec<&String>| all.into_iter().cloned().collect::<BTreeSet<String>>();
    assert_eq!(
        names(record.keys().collect()),
        names(cases.iter().map(|c| &c.name).collect()),
        "cases recorded"
    );
    for case in &cases {
        let (recorded, outputs) = &record[&case.name];
        let bytes = export(&case.model).unwrap();
        assert_eq!(*recorded, digest(&bytes), "{}: other bytes than those that were recorded", case.name);
        let meant = case.meant();
        assert_eq!(meant.len(), outputs.len(), "{}", case.name);
        meant.iter().zip(outputs).enumerate().for_each(|(at, (meant, got))| check(case, at, meant, got));
    }
}

/// What is exported is read back and says the same, but for points in time that are written as text: they are matched
/// and split by operators that are not imported.
#[test]
fn exported_models_come_back() {
    let mut n = 0;
    let random = (0..N_RANDOM as u64).filter_map(random_case);
    for case in made::cases().into_iter().chain(random) {
        let is_text = |op: &Op| matches!(op, Op::TimePart(TimePart { format: Some(_), .. }));
        if case.model.graph().nodes().iter().any(|node| is_text(&node.op)) {
            continue;
        }
        n += 1;
        let graph = import(&export(&case.model).unwrap(), Options { external: &NoExternal });
        let graph = graph.unwrap_or_else(|e| panic!("{}: {e}", case.name));
        let outputs = run(&graph, case.given(), Limits::default()).unwrap();
        for (at, (meant, got)) in case.meant().iter().zip(&outputs).enumerate() {
            check(&case, at, meant, &made_of(got));
        }
    }
    assert!(n >= 100, "only {n} models are compared");
}

fn made_case(name: &str) -> Case {
    made::cases().into_iter().find(|c| c.name == name).unwrap()
}

#[test]
fn ends_have_the_names_of_the_signature() {
    let case = made_case("tables of numbers");
    let bytes = export(&case.model).unwrap();
    let graph = import(&bytes, Options { external: &NoExternal }).unwrap();
    let ends = |all: &[ir::ValueIdx]| {
        let of = |idx: &ir::ValueIdx| {
            let value = graph.value(*idx);
            format!("{} {} {}", value.name, value.dtype, value.shape)
        };
        all.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(ends(graph.inputs()), ["x f64 [N]", "whole f64 [N]", "far f64 [N]"]);
    let outputs = ends(graph.outputs());
    assert_eq!(outputs[0], "ReduceSum 0 f64 [N]");
    assert_eq!(outputs.len(), case.model.signature().columns.len());
    let holds = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
    for text in [
        "smidgen.recipe",
        "made by hand",
        "smidgen.input.whole",
        "number i64",
        "smidgen.missing.0",
        "-999",
        "All outputs are exact",
    ] {
        assert!(holds(text), "{text}");
    }
    let near = export(&made_case("long sums").model).unwrap();
    assert!(near.windows(19).any(|w| w == b"sums of K > 256 dou"));
}

/// Classes that are whole numbers stay numbers, others are text; an output gives way to a column of its name.
#[test]
fn labels_are_spelt_as_in_training() {
    let seed = (0..).find(|&seed| {
        let outputs = random_case(seed).map(|c| c.model.signature().outputs.clone());
        outputs.is_some_and(|o| o.contains(&OutputRole::Label))
    });
    let case = random_case(seed.unwrap()).unwrap();
    for (spelt, dtype) in [("", "i64"), ("0", "string"), ("+", "string")] {
        let mut signature = case.model.signature().clone();
        for (at, class) in signature.classes.iter_mut().enumerate() {
            *class = format!("{spelt}{at}");
        }
        signature.inputs[0].name = "label".to_string();
        let model = Model::try_new(case.model.graph().clone(), signature, ir::Card::default()).unwrap();
        let bytes = export(&model).unwrap();
        let holds = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        assert!(holds("label_"), "{spelt}");
        assert_eq!(holds(&format!("{spelt}1")) && dtype == "string", dtype == "string");
    }
}

/// Every operator is exported in some case above, or refused by name.
#[test]
fn every_operator_is_exported_or_refused() {
    let mut exported: BTreeSet<&str> = BTreeSet::new();
    for case in made::cases() {
        exported.extend(case.model.graph().nodes().iter().map(|n| n.op.payload().name()));
    }
    let refused = [
        "HashBucket",
        "Past",
        "Related",
        "TextPart",
        "Tokens",
        "HashTokens",
        "BagWeigh",
        "BagGather",
        "BagGemm",
    ];
    let missing: Vec<&str> = ir::op::OPS
        .iter()
        .map(|(name, _)| *name)
        .filter(|n| !exported.contains(n) && !refused.contains(n))
        .collect();
    assert!(missing.is_empty(), "neither exported nor refused: {missing:?}");
}

/// Random models that are refused say which node and what would work.
#[test]
fn refusals_name_the_node() {
    let mut seen = BTreeSet::new();
    for seed in 0..400 {
        let model = models::random_model(&mut SplitMix64::new(seed));
        let Err(error) = export(&model) else { continue };
        assert_eq!(error.nature(), Nature::Unsupported);
        let Kind::NotExported { node, op, instead, .. } = error.kind() else { panic!("{error}") };
        let named = model.graph().nodes().iter().find(|n| n.name == *node).unwrap();
        assert_eq!(named.op.payload().name(), *op);
        assert!(!instead.is_empty());
        if seen.insert(*op) {
            assert!(
                error.to_string().starts_with(&format!("onnx export: node \"{node}\" ({op}): ")),
                "{error}"
            );
        }
    }
    assert!(seen.contains("HashBucket") && seen.contains("Link"), "{seen:?}");
}

/// Each operator that is refused, with the words that say why.
#[test]
fn refused_operators_say_why() {
    let text = |op: Op| {
        let mut b = GraphBuilder::new();
        let x = b.input("x", DType::Str, Shape::rows()).unwrap();
        let made = b.node(op, &[x]).unwrap();
        (b, made, Input { name: "x".to_string(), kind: ColumnKind::Text, dtype: DType::Str })
    };
    let tokenizer = Tokenizer { analyzer: Analyzer::Words, ngram_min: 1, ngram_max: 1, fold_case: true };
    let bag = |next: Option<Op>| {
        let (mut b, bag, input) = text(Op::HashTokens(HashTokens { tokenizer, bits: 2 }));
        let weighed = next.map_or(bag, |op| b.node(op, &[bag]).unwrap());
        let ids = b.constant(Tensor::vector(TensorData::I64(vec![1]))).unwrap();
        let columns = b.node(Op::BagGather(BagGather), &[weighed, ids]).unwrap();
        let made = b.node(Op::Reduce(Reduce::Sum), &[columns]).unwrap();
        let at = b.constant(Tensor::scalar(TensorData::I64(vec![0])).unwrap()).unwrap();
        let made = b.node(Op::Gather(Gather), &[made, at]).unwrap();
        (b, made, input)
    };
    let past = Past { kind: PastKind::Lag, steps: 1 };
    let second = {
        let mut b = GraphBuilder::new();
        let key = b.input("x", DType::Str, Shape::rows()).unwrap();
        let other = b.input("of the second", DType::Str, Shape::other_rows()).unwrap();
        let related = Related { kind: RelatedKind::Count, timed: Timed::Neither };
        let made = b.node(Op::Related(related), &[key, other]).unwrap();
        (b, made, Input { name: "x".to_string(), kind: ColumnKind::Category, dtype: DType::Str })
    };
    let number = {
        let mut b = GraphBuilder::new();
        let x = b.input("x", DType::F64, Shape::rows()).unwrap();
        let made = b.node(Op::Past(past), &[x, x]).unwrap();
        (b, made, Input { name: "x".to_string(), kind: ColumnKind::Number, dtype: DType::F64 })
    };
    let voted = |kind, n: usize| {
        let mut b = GraphBuilder::new();
        let x = b.input("x", DType::F64, Shape::rows()).unwrap();
        let columns = b.node(Op::Columns(Columns), &vec![x; n]).unwrap();
        let score = b.node(Op::ToScores(ToScores { shift: 8 }), &[columns]).unwrap();
        let votes = Votes { kind, shift: 8, offset: 0, bits: 12 };
        let votes = b.node(Op::Votes(votes), &[score]).unwrap();
        let votes = b.node(Op::Cast(Cast), &[votes]).unwrap();
        let at = b.constant(Tensor::scalar(TensorData::I64(vec![0])).unwrap()).unwrap();
        let made = b.node(Op::Gather(Gather), &[votes, at]).unwrap();
        (b, made, Input { name: "x".to_string(), kind: ColumnKind::Number, dtype: DType::F64 })
    };
    let cases = [
        (text(Op::HashBucket(HashBucket { n_buckets: 3 })), "(HashBucket): a hash of text"),
        (
            text(Op::TextPart(TextPart { part: TextNumber::Words })),
            "(TextPart): a count of a text's characters",
        ),
        (bag(None), "(HashTokens): a hash of terms"),
        (number, "(Past): a statistic of earlier rows"),
        (second, "(Related): a statistic of a second table"),
        (voted(VotesKind::Logistic, 1), "(Votes): an exponential as an integer"),
        (voted(VotesKind::Softmax, 2), "(Votes): an exponential as an integer"),
    ];
    for ((b, made, input), expected) in cases {
        let of_second =
            Input { name: "of the second".to_string(), kind: ColumnKind::Category, dtype: DType::Str };
        let is_alone = b.is_free("of the second");
        let signature = Signature {
            task: Task::Transform,
            target: String::new(),
            targets: Vec::new(),
            inputs: vec![input],
            outputs: vec![OutputRole::Column],
            classes: Vec::new(),
            positive: None,
            missing: Vec::new(),
            columns: vec!["made".to_string()],
            joined: (!is_alone).then(|| Joined { table: "second.csv".to_string(), inputs: vec![of_second] }),
        };
        let model = Model::try_new(b.finish(&[made]).unwrap(), signature, ir::Card::default()).unwrap();
        let error = export(&model).unwrap_err();
        assert_eq!(error.nature(), Nature::Unsupported);
        let instead = "has no form in ONNX that gives the same; ";
        assert!(error.to_string().contains(&format!("{expected} {instead}")), "{error}");
    }
}
