//! Operators on text and bags: cases by hand, the plan, the file, and a self-test that proves something.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use ir::digest::SplitMix64;
use ir::op::{BagGather, BagGemm, BagNorm, BagWeigh, HashTokens, TermFrequency, TextPart, Tokens};
use ir::text::parts::TextNumber;
use ir::text::tokens::{Analyzer, Tokenizer, hashed};
use ir::{Bags, Bits, Card, Column, ColumnData, ColumnKind, DType, Graph, GraphBuilder, Input, Model, Op};
use ir::{OutputRole, Shape, Signature, Task, Tensor, TensorData, ValueIdx};
use smidgen_runtime::{Plan, Verdict, reference, self_test, verify};

const WORDS: Tokenizer = Tokenizer { analyzer: Analyzer::Words, ngram_min: 1, ngram_max: 2, fold_case: true };

/// Texts in Arrow's layout; `None` is missing.
struct Laid {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    validity: Vec<u8>,
}

impl Laid {
    fn new(texts: &[Option<&str>]) -> Laid {
        let mut laid = Laid { offsets: vec![0], bytes: vec![], validity: vec![0; texts.len().div_ceil(8)] };
        for (row, text) in texts.iter().enumerate() {
            laid.bytes.extend_from_slice(text.unwrap_or("behind a missing cell").as_bytes());
            laid.offsets.push(laid.bytes.len() as i32);
            laid.validity[row / 8] |= u8::from(text.is_some()) << (row % 8);
        }
        laid
    }

    fn column(&self) -> Column<'_> {
        let bits = Bits::try_new(&self.validity, 0, self.offsets.len() - 1).unwrap();
        Column::try_new(ColumnData::Str { offsets: &self.offsets, bytes: &self.bytes }, Some(bits)).unwrap()
    }
}

fn strings(texts: &[&str]) -> Tensor {
    Tensor::vector(TensorData::Str(texts.iter().map(ToString::to_string).collect()))
}

fn doubles(dims: &[usize], values: &[f64]) -> Tensor {
    Tensor::try_new(dims.to_vec(), TensorData::F64(values.to_vec())).unwrap()
}

/// A graph over one column of text.
fn graph(make: impl Fn(&mut GraphBuilder, ValueIdx) -> ValueIdx) -> Graph {
    let mut b = GraphBuilder::new();
    let text = b.input("note", DType::Str, Shape::rows()).unwrap();
    let made = make(&mut b, text);
    b.finish(&[made]).unwrap()
}

fn run(graph: &Graph, texts: &[Option<&str>]) -> Tensor {
    let laid = Laid::new(texts);
    let meant = reference::run(graph, &[laid.column()]).unwrap().swap_remove(0);
    let planned = Plan::new(graph).unwrap().run(&[laid.column()]).unwrap().swap_remove(0);
    assert_eq!(bits(&planned), bits(&meant), "plan");
    for (row, &text) in texts.iter().enumerate() {
        let laid = Laid::new(&[text]);
        let alone = reference::run(graph, &[laid.column()]).unwrap().swap_remove(0);
        assert_eq!(bits(&alone)[0], bits(&meant)[row], "row {row}");
    }
    meant
}

/// By row, the bits of what it holds.
fn bits(tensor: &Tensor) -> Vec<Vec<u64>> {
    match tensor.data() {
        TensorData::F64(v) => {
            let width = tensor.dims().get(1).copied().unwrap_or(1);
            let row = |row: &[f64]| row.iter().map(|x| x.to_bits()).collect();
            if width == 0 { vec![vec![]; tensor.dims()[0]] } else { v.chunks(width).map(row).collect() }
        }
        TensorData::Bag(bags) => (0..bags.n_rows())
            .map(|row| bags.row(row).flat_map(|(id, w)| [id.into(), w.to_bits()]).collect())
            .collect(),
        other => panic!("{}", other.dtype()),
    }
}

fn bags(tensor: &Tensor) -> Vec<Vec<(u32, f64)>> {
    let TensorData::Bag(bags) = tensor.data() else { panic!("{}", tensor.dtype()) };
    (0..bags.n_rows()).map(|row| bags.row(row).collect()).collect()
}

fn tokens(b: &mut GraphBuilder, text: ValueIdx, terms: &[&str]) -> ValueIdx {
    let terms = b.constant(strings(terms)).unwrap();
    b.node(Op::Tokens(Tokens { tokenizer: WORDS }), &[text, terms]).unwrap()
}

const TEXTS: [Option<&str>; 5] =
    [Some("The cat, THE CAT the dog"), None, Some(""), Some("a bird"), Some("cat dog cat dog")];

#[test]
fn counts_of_terms() {
    let terms = ["cat", "cat dog", "dog", "the cat"];
    let counted = run(&graph(|b, text| tokens(b, text, &terms)), &TEXTS);
    assert_eq!(counted.dims(), [5, 4]);
    let expected =
        [vec![(0, 2.0), (2, 1.0), (3, 2.0)], vec![], vec![], vec![], vec![(0, 2.0), (1, 2.0), (2, 2.0)]];
    assert_eq!(bags(&counted), expected);
    let none = run(&graph(|b, text| tokens(b, text, &[])), &TEXTS);
    assert_eq!((none.dims(), bags(&none)), (&[5, 0][..], vec![vec![]; 5]));
}

#[test]
fn counts_of_buckets() {
    let op = HashTokens { tokenizer: WORDS, bits: 3 };
    let counted = run(&graph(|b, text| b.node(Op::HashTokens(op), &[text]).unwrap()), &TEXTS);
    assert_eq!(counted.dims(), [5, 8]);
    let mut expected = [0.0; 8];
    for term in ["a", "bird", "a bird"] {
        expected[hashed(term, 3) as usize] += 1.0;
    }
    let expected: Vec<(u32, f64)> = (0..8).zip(expected).filter(|(_, n)| *n > 0.0).collect();
    let counted = bags(&counted);
    assert_eq!(counted[3], expected);
    assert_eq!((counted[1].len(), counted[2].len()), (0, 0));
    assert_eq!(counted[0].iter().map(|(_, n)| n).sum::<f64>(), 11.0);
}

/// The fifth text holds "cat", "cat dog" and "dog" twice each; idf 1, 2, -2.
#[test]
fn weights_of_terms() {
    let idf = [1.0, 2.0, -2.0];
    let log = 1.0 + std::f64::consts::LN_2;
    let cases = [
        (TermFrequency::Raw, BagNorm::None, true, [2.0, 4.0, -4.0]),
        (TermFrequency::Raw, BagNorm::None, false, [2.0, 2.0, 2.0]),
        (TermFrequency::Raw, BagNorm::L1, true, [0.2, 0.4, -0.4]),
        (TermFrequency::Raw, BagNorm::L2, true, [2.0 / 6.0, 4.0 / 6.0, -4.0 / 6.0]),
        (TermFrequency::Binary, BagNorm::None, true, [1.0, 2.0, -2.0]),
        (TermFrequency::Sublinear, BagNorm::None, false, [log, log, log]),
        (TermFrequency::Binary, BagNorm::L1, false, [1.0 / 3.0; 3]),
    ];
    for (term_frequency, norm, weighed, expected) in cases {
        let op = Op::BagWeigh(BagWeigh { term_frequency, norm });
        let graph = graph(|b, text| {
            let counts = tokens(b, text, &["cat", "cat dog", "dog"]);
            let mut inputs = vec![counts];
            if weighed {
                inputs.push(b.constant(doubles(&[3], &idf)).unwrap());
            }
            b.node(op.clone(), &inputs).unwrap()
        });
        let got = bags(&run(&graph, &TEXTS));
        let expected: Vec<(u32, f64)> = (0..3).zip(expected).collect();
        assert_eq!(got[4], expected, "{op:?}");
        assert!(got[1..4].iter().all(Vec::is_empty));
    }
    // Weights that are all 0 have no length to be brought to.
    let op = Op::BagWeigh(BagWeigh { term_frequency: TermFrequency::Raw, norm: BagNorm::L2 });
    let graph = graph(|b, text| {
        let counts = tokens(b, text, &["cat"]);
        let idf = b.constant(doubles(&[1], &[0.0])).unwrap();
        b.node(op.clone(), &[counts, idf]).unwrap()
    });
    assert_eq!(bags(&run(&graph, &TEXTS))[4], [(0, 0.0)]);
}

#[test]
fn columns_and_products_of_bags() {
    let gathered = graph(|b, text| {
        let counts = tokens(b, text, &["a", "cat", "cat dog", "dog"]);
        let ids = b.constant(Tensor::vector(TensorData::I64(vec![1, 3]))).unwrap();
        b.node(Op::BagGather(BagGather), &[counts, ids]).unwrap()
    });
    let expected = doubles(&[5, 2], &[2.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 2.0]);
    assert_eq!(run(&gathered, &TEXTS), expected);
    let nothing = graph(|b, text| {
        let counts = tokens(b, text, &["a"]);
        let ids = b.constant(Tensor::vector(TensorData::I64(vec![]))).unwrap();
        b.node(Op::BagGather(BagGather), &[counts, ids]).unwrap()
    });
    assert_eq!(run(&nothing, &TEXTS), doubles(&[5, 0], &[]));

    // Big and small in another order would give 0 instead of 1: (1e16 + 1) - 1e16 is 0, 1e16 - 1e16 + 1 is 1.
    let w = [1e16, 0.5, -1e16, 0.25, 1.0, 0.125];
    let product = graph(|b, text| {
        let counts = tokens(b, text, &["cat", "dog", "the"]);
        let w = b.constant(doubles(&[3, 2], &w)).unwrap();
        b.node(Op::BagGemm(BagGemm), &[counts, w]).unwrap()
    });
    let texts = [Some("the dog cat"), None, Some("cat cat")];
    let expected = doubles(&[3, 2], &[1.0, 0.875, 0.0, 0.0, 2e16, 1.0]);
    assert_eq!(run(&product, &texts), expected);
}

#[test]
fn numbers_of_texts() {
    let graph = graph(|b, text| b.node(Op::TextPart(TextPart { part: TextNumber::Words }), &[text]).unwrap());
    let numbers = run(&graph, &TEXTS);
    let TensorData::F64(v) = numbers.data() else { panic!("{}", numbers.dtype()) };
    assert_eq!((v[0], v[1].to_bits(), &v[2..]), (6.0, f64::NAN.to_bits(), &[0.0, 2.0, 4.0][..]));
}

/// A matrix over weighed bags and a number of the text: every operator but the gathering one.
fn model(terms: &[&str], idf: &[f64], tokenizer: Tokenizer) -> Model {
    let mut b = GraphBuilder::new();
    let text = b.input("note", DType::Str, Shape::rows()).unwrap();
    let words = b.node(Op::TextPart(TextPart { part: TextNumber::Words }), &[text]).unwrap();
    let terms_value = b.constant(strings(terms)).unwrap();
    let counts = b.node(Op::Tokens(Tokens { tokenizer }), &[text, terms_value]).unwrap();
    let idf = b.constant(doubles(&[idf.len()], idf)).unwrap();
    let op = Op::BagWeigh(BagWeigh { term_frequency: TermFrequency::Sublinear, norm: BagNorm::L2 });
    let weighed = b.node(op, &[counts, idf]).unwrap();
    let w: Vec<f64> = (1..=terms.len()).map(|i| 1.0 / i as f64).collect();
    let w = b.constant(doubles(&[terms.len(), 1], &w)).unwrap();
    let product = b.node(Op::BagGemm(BagGemm), &[weighed, w]).unwrap();
    let first = b.constant(Tensor::try_new(vec![], TensorData::I64(vec![0])).unwrap()).unwrap();
    let product = b.node(Op::Gather(ir::op::Gather), &[product, first]).unwrap();
    let signature = Signature {
        task: Task::Transform,
        target: String::new(),
        targets: Vec::new(),
        inputs: vec![Input { name: "note".into(), kind: ColumnKind::Text, dtype: DType::Str }],
        outputs: vec![OutputRole::Column; 2],
        classes: vec![],
        positive: None,
        missing: vec![],
        columns: vec!["words".into(), "product".into()],
        joined: None,
    };
    Model::try_new(b.finish(&[words, product]).unwrap(), signature, Card::default()).unwrap()
}

/// Every change of a weight or a tokenizer is seen by the rows of a self-test.
#[test]
fn a_self_test_reads_real_terms() {
    let terms: Vec<String> = (0..40).map(|i| format!("word{i:02}")).collect();
    let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
    let idf = vec![1.5; 40];
    let digest = |model: &Model| self_test(model.graph(), 5).unwrap().digest;
    let first = model(&terms, &idf, WORDS);
    let meant = digest(&first);
    for at in 0..40 {
        let mut weights = idf.clone();
        weights[at] = 1.25;
        // Each word of its own is in the texts, so that its weight shows.
        assert_ne!(digest(&model(&terms, &weights, WORDS)), meant, "weight {at}");
    }
    let keep = Tokenizer { fold_case: false, ..WORDS };
    let chars = Tokenizer { analyzer: Analyzer::Chars, ngram_min: 6, ngram_max: 6, ..WORDS };
    for tokenizer in [keep, chars] {
        assert_ne!(digest(&model(&terms, &idf, tokenizer)), meant, "{tokenizer:?}");
    }
    // Runs of two words are drawn often enough.
    let runs: Vec<String> = (0..40).map(|i| format!("w{} w{}", i / 8, i % 8)).collect();
    let runs: Vec<&str> = runs.iter().map(String::as_str).collect();
    let single = Tokenizer { ngram_max: 1, ..WORDS };
    assert_ne!(digest(&model(&runs, &idf, WORDS)), digest(&model(&runs, &idf, single)));

    let mut stored = first;
    stored.self_test = Some(self_test(stored.graph(), 5).unwrap());
    let back = ir::file::read(&ir::file::write(&stored)).unwrap();
    assert_eq!(back, stored);
    assert!(verify(&back).unwrap().iter().all(|c| c.verdict == Verdict::Ok));
}

/// Random texts of many rows: plan and file give the bits of the reference, across blocks.
#[test]
fn plans_equal_the_reference_over_many_rows() {
    let mut random = SplitMix64::new(3);
    let words = ["ab", "Ba", "cab", "ABBA", "b", "é", "7", "?"];
    let own: Vec<Option<String>> = (0..2500)
        .map(|_| {
            let n = random.below(9);
            let mut word = || words[random.below(8) as usize];
            (n > 0).then(|| (1..n).map(|_| word()).collect::<Vec<_>>().join(" "))
        })
        .collect();
    let texts: Vec<Option<&str>> = own.iter().map(Option::as_deref).collect();
    let laid = Laid::new(&texts);
    let terms = ["7", "ab", "ab ab", "abba b", "b", "ba", "cab é", "é"];
    let idf: Vec<f64> = (0..8).map(|i| 1.0 + f64::from(i) / 3.0).collect();
    for tokenizer in [
        WORDS,
        Tokenizer { analyzer: Analyzer::Chars, ngram_min: 1, ngram_max: 8, fold_case: true },
        Tokenizer { fold_case: false, ..WORDS },
    ] {
        let model = model(&terms, &idf, tokenizer);
        let back = ir::file::read(&ir::file::write(&model)).unwrap();
        assert_eq!(back, model);
        let meant = reference::run(model.graph(), &[laid.column()]).unwrap();
        let planned = Plan::new(back.graph()).unwrap().run(&[laid.column()]).unwrap();
        for (meant, planned) in meant.iter().zip(&planned) {
            assert_eq!(meant.dims(), [2500]);
            assert_eq!(bits(planned), bits(meant), "{tokenizer:?}");
        }
    }
}

/// A file with any one byte replaced behind a valid digest: refused, or it verifies without a panic.
#[test]
fn hostile_files_of_text_verify_without_a_panic() {
    let mut model = model(&["ab", "ba", "cab"], &[1.5, 1.25, 1.5], WORDS);
    model.self_test = Some(self_test(model.graph(), 7).unwrap());
    let written = ir::file::write(&model);
    let body = &written[..written.len() - 8];
    let (mut n_read, mut n_differ) = (0, 0);
    for at in 0..body.len() {
        for flip in [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0xff] {
            let mut bytes = body.to_vec();
            bytes[at] ^= flip;
            let mut digest = ir::digest::Digest::new();
            digest.bytes(&bytes);
            bytes.extend_from_slice(&digest.finish().to_le_bytes());
            let Ok(read) = ir::file::read(&bytes) else { continue };
            n_read += 1;
            let checked = verify(&read).unwrap_or_default();
            n_differ += usize::from(checked.first().is_some_and(|c| c.verdict == Verdict::Differs));
            assert!(checked.windows(2).all(|c| c[0].digest == c[1].digest), "byte {at} by {flip}");
        }
    }
    assert!(n_read > 100 && n_differ > 100, "{n_read} read, {n_differ} differ");
}

#[test]
fn rows_of_bags() {
    let mut bags = Bags::new();
    bags.push([(1, 0.5), (4, 2.0)]);
    bags.push([]);
    assert_eq!((bags.n_rows(), bags.row(0).count(), bags.row(1).count(), bags.row(2).count()), (2, 2, 0, 0));
    assert!(Tensor::try_new(vec![2, 5], TensorData::Bag(bags.clone())).is_some());
    for dims in [vec![2, 4], vec![3, 5], vec![2], vec![2, 5, 1]] {
        assert!(Tensor::try_new(dims.clone(), TensorData::Bag(bags.clone())).is_none(), "{dims:?}");
    }
}
