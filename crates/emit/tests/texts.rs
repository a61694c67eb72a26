//! Texts, times and bags as source code: every operator with every attribute on the rows of a self-test, then odd texts.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may unwrap, and say what they skip")]

#[path = "support/compiled.rs"]
mod compiled;
#[path = "support/making.rs"]
mod making;

use compiled::{check, write_c};
use ir::digest::SplitMix64;
use ir::op::{
    BagNorm, BagWeigh, Cast, Codes, HashBucket, HashTokens, LabelEncoder, Respell, TermFrequency, TextPart,
    TimePart, Tokens,
};
use ir::text::parts::TextNumber;
use ir::text::time::{Part, TimeFormat};
use ir::text::tokens::{Analyzer, Pieces};
use ir::{Bits, Column, ColumnData, ColumnKind, DType, Model, Op, TensorData, ValueIdx};
use making::{Making, tokenizer, vocabulary};
use smidgen_emit::{Program, rust};
use std::collections::BTreeSet;
use std::process::Command;

#[test]
fn parts_of_moments() {
    let mut m = Making::new();
    let moment = m.column(ColumnKind::Time, DType::I64);
    for &part in Part::ALL {
        let value = m.node(Op::TimePart(TimePart { part, format: None }), &[moment]);
        m.give(value);
    }
    check(&[m.finish("parts of moments")]);
}

#[test]
fn parts_of_times_in_every_format() {
    let mut m = Making::new();
    let texts: Vec<ValueIdx> = TimeFormat::all().map(|_| m.column(ColumnKind::Time, DType::Str)).collect();
    for ((k, format), text) in TimeFormat::all().enumerate().zip(texts) {
        for part in [Part::Moment, Part::ALL[1 + k % 8]] {
            let value = m.node(Op::TimePart(TimePart { part, format: Some(format) }), &[text]);
            m.give(value);
        }
    }
    check(&[m.finish("parts of times in every format")]);
}

/// Keys that begin with one another, a key without bytes, and no keys at all.
#[test]
fn keys_become_numbers() {
    let keys = ["", "a", "aa", "ab", "b", "ba", "bb", "\u{e9}", "\u{10ffff}"];
    let values = [0.5, -0.0, f64::NAN, f64::INFINITY, 1e-300, -7.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let mut m = Making::new();
    let texts: Vec<ValueIdx> = (0..8).map(|_| m.column(ColumnKind::Category, DType::Str)).collect();
    for (n, &text) in [0, 1, 2, 9].into_iter().zip(&texts) {
        let (keys, values) = (m.strings(&keys[..n]), m.doubles(&[n + 2], values[..n + 2].to_vec()));
        let value = m.node(Op::LabelEncoder(LabelEncoder), &[text, keys, values]);
        m.give(value);
    }
    for (n, &text) in [0, 1, 9, 9].into_iter().zip(&texts) {
        let keys = m.strings(&keys[..n]);
        for unseen in [n as u8, 255] {
            let code = m.node(Op::Codes(Codes { unseen }), &[text, keys]);
            let value = m.node(Op::Cast(Cast), &[code]);
            m.give(value);
        }
    }
    for (n_buckets, &text) in [1, 7, 1 << 16, u32::MAX].into_iter().zip(&texts[4..]) {
        let value = m.node(Op::HashBucket(HashBucket { n_buckets }), &[text]);
        m.give(value);
    }
    check(&[m.finish("keys become numbers")]);
}

/// Text that was made is read as text that was given.
#[test]
fn respelt_texts_are_texts() {
    let mut m = Making::new();
    let text = m.column(ColumnKind::Category, DType::Str);
    let (keys, values) = (m.strings(&["", "B", "a", "z"]), m.strings(&["B", "2001-02-03", "B", "a b C! 9"]));
    let once = m.node(Op::Respell(Respell), &[text, keys, values]);
    let twice = m.node(Op::Respell(Respell), &[once, keys, values]);
    let none = m.strings::<&str>(&[]);
    let same = m.node(Op::Respell(Respell), &[text, none, none]);
    let format = TimeFormat::all().next();
    for made in [once, twice, same] {
        let numbers = m.doubles(&[6], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let value = m.node(Op::LabelEncoder(LabelEncoder), &[made, keys, numbers]);
        m.give(value);
        let value = m.node(Op::HashBucket(HashBucket { n_buckets: 1000 }), &[made]);
        m.give(value);
        let value = m.node(Op::TextPart(TextPart { part: TextNumber::PunctuationShare }), &[made]);
        m.give(value);
        let value = m.node(Op::TimePart(TimePart { part: Part::YearDay, format }), &[made]);
        m.give(value);
    }
    check(&[m.finish("respelt texts are texts")]);
}

#[test]
fn numbers_of_texts() {
    let mut m = Making::new();
    let text = m.text();
    for &part in TextNumber::ALL {
        let value = m.node(Op::TextPart(TextPart { part }), &[text]);
        m.give(value);
    }
    check(&[m.finish("numbers of texts")]);
}

/// Each frequency with each norm, with factors and without, of bags that others read too.
fn weighed(m: &mut Making, bag: ValueIdx, n: usize) {
    let idf: Vec<f64> = (0..n).map(|i| 1.0 + (i as f64).sin()).collect();
    let idf = m.doubles(&[n], idf);
    for (k, &term_frequency) in TermFrequency::ALL.iter().enumerate() {
        for (l, &norm) in BagNorm::ALL.iter().enumerate() {
            let op = Op::BagWeigh(BagWeigh { term_frequency, norm });
            let inputs = if (k + l) % 2 == 0 { vec![bag, idf] } else { vec![bag] };
            let weights = m.node(op, &inputs);
            let product = m.product(weights, n, 1 + l);
            m.give_all(product, 1 + l);
        }
    }
    let step = n.div_ceil(5);
    let (columns, width) = m.gather(bag, (0..n).step_by(step).map(|id| id as i64).collect());
    m.give_all(columns, width);
    let (nothing, width) = m.gather(bag, Vec::new());
    m.give_all(nothing, width);
}

#[test]
fn bags_of_terms() {
    let mut models = Vec::new();
    let cases = [
        tokenizer(Analyzer::Words, 1, 2, true),
        tokenizer(Analyzer::Words, 2, 8, false),
        tokenizer(Analyzer::Chars, 1, 8, true),
        tokenizer(Analyzer::Chars, 2, 3, false),
    ];
    for tokenizer in cases {
        let terms = vocabulary(40);
        let mut m = Making::new();
        let text = m.text();
        let known = m.strings(&terms);
        let bag = m.node(Op::Tokens(Tokens { tokenizer }), &[text, known]);
        weighed(&mut m, bag, terms.len());
        models.push(m.finish(format!("{tokenizer:?}")));
    }
    check(&models);
}

/// A bag of which one node alone makes weights, and one without terms.
#[test]
fn bags_change_in_place() {
    let terms = vocabulary(9);
    let mut m = Making::new();
    let text = m.text();
    let known = m.strings(&terms);
    let op = Op::Tokens(Tokens { tokenizer: tokenizer(Analyzer::Words, 1, 2, true) });
    let bag = m.node(op, &[text, known]);
    let op = BagWeigh { term_frequency: TermFrequency::Sublinear, norm: BagNorm::L2 };
    let first = m.node(Op::BagWeigh(op), &[bag]);
    let op = BagWeigh { term_frequency: TermFrequency::Raw, norm: BagNorm::L1 };
    let second = m.node(Op::BagWeigh(op), &[first]);
    let product = m.product(second, terms.len(), 3);
    m.give_all(product, 3);
    let none = m.strings::<&str>(&[]);
    let op = Op::Tokens(Tokens { tokenizer: tokenizer(Analyzer::Chars, 1, 1, true) });
    let empty = m.node(op, &[text, none]);
    let product = m.product(empty, 0, 2);
    m.give_all(product, 2);
    check(&[m.finish("bags change in place")]);
}

/// Weights beyond the range of doubles: an infinite length makes NaN of infinite weights.
#[test]
fn weights_may_be_infinite() {
    let mut models = Vec::new();
    let terms = vocabulary(9);
    for norm in [BagNorm::L1, BagNorm::L2] {
        let mut m = Making::new();
        let text = m.text();
        let known = m.strings(&terms);
        let op = Op::Tokens(Tokens { tokenizer: tokenizer(Analyzer::Words, 1, 1, true) });
        let bag = m.node(op, &[text, known]);
        let idf = (0..terms.len()).map(|i| [f64::MAX, -1e300, 0.0, 1.0][i % 4]).collect();
        let idf = m.doubles(&[terms.len()], idf);
        let op = Op::BagWeigh(BagWeigh { term_frequency: TermFrequency::Raw, norm });
        let weights = m.node(op, &[bag, idf]);
        let product = m.product(weights, terms.len(), 2);
        m.give_all(product, 2);
        let (columns, width) = m.gather(weights, (0..terms.len() as i64).collect());
        m.give_all(columns, width);
        models.push(m.finish(norm.name()));
    }
    check(&models);
}

#[test]
fn bags_of_hashed_terms() {
    let mut models = Vec::new();
    let cases = [
        (tokenizer(Analyzer::Words, 1, 1, false), 1),
        (tokenizer(Analyzer::Words, 1, 3, true), 6),
        (tokenizer(Analyzer::Chars, 3, 5, true), 10),
        (tokenizer(Analyzer::Chars, 1, 8, false), 11),
    ];
    for (tokenizer, bits) in cases {
        let mut m = Making::new();
        let text = m.text();
        let bag = m.node(Op::HashTokens(HashTokens { tokenizer, bits }), &[text]);
        weighed(&mut m, bag, 1 << bits);
        models.push(m.finish(format!("{tokenizer:?} {bits}")));
    }
    // The largest table of ids, of which some are asked for.
    let mut m = Making::new();
    let text = m.text();
    let op = HashTokens { tokenizer: tokenizer(Analyzer::Chars, 1, 2, true), bits: 20 };
    let bag = m.node(Op::HashTokens(op), &[text]);
    let wanted =
        ["b", "ba", "to", "a", "\u{e9}", "7", " "].map(|term| ir::text::tokens::hashed(term, 20).into());
    let mut wanted = wanted.to_vec();
    wanted.sort_unstable();
    let (columns, width) = m.gather(bag, wanted);
    m.give_all(columns, width);
    models.push(m.finish("some of many ids"));
    check(&models);
}

/// Texts in the layout of a column; `None` is missing.
struct Laid {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    validity: Vec<u8>,
}

impl Laid {
    fn new(texts: &[Option<String>]) -> Laid {
        let mut laid = Laid { offsets: vec![0], bytes: vec![], validity: vec![0; texts.len().div_ceil(8)] };
        for (row, text) in texts.iter().enumerate() {
            laid.bytes.extend_from_slice(text.as_deref().unwrap_or("").as_bytes());
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

/// By row, the bits of all outputs of a model of one column of text.
fn meant(model: &Model, texts: &[Option<String>]) -> Vec<Vec<u64>> {
    let laid = Laid::new(texts);
    let outputs = runtime::reference::run(model.graph(), &[laid.column()]).unwrap();
    let mut rows = vec![Vec::new(); texts.len()];
    for output in &outputs {
        let TensorData::F64(values) = output.data() else { panic!("{}", output.dtype()) };
        rows.iter_mut().zip(values).for_each(|(row, value)| row.push(value.to_bits()));
    }
    rows
}

/// Random texts of all that parts words, characters and moments.
fn odd_texts(n: usize, longest: u32) -> Vec<Option<String>> {
    let parts = [
        "a",
        "B",
        "ba",
        "Ba",
        "to",
        "\u{e9}",
        "\u{2019}",
        "\u{1d11e}",
        " ",
        "  ",
        "\t",
        "\u{b}",
        "\r\n",
        "-",
        ",",
        "_",
        "7",
        "0",
        "@",
        "[",
        "`",
        "{",
        "~",
        "\u{a0}",
        "Z",
        "jan",
    ];
    let mut random = SplitMix64::new(8);
    let text = |random: &mut SplitMix64| {
        (0..random.below(longest))
            .map(|_| parts[random.below(parts.len() as u32) as usize])
            .collect::<String>()
    };
    (0..n).map(|_| (random.below(20) > 0).then(|| text(&mut random))).collect()
}

/// What C and Rust say of texts, by row: the bits of all outputs, or none where the row is refused.
fn said(model: &Model, texts: &[Option<String>]) -> [Vec<Option<Vec<u64>>>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let program = Program::try_new(model).unwrap();
    write_c(folder.path(), std::slice::from_ref(&program));
    for file in rust(&program, "m0").unwrap() {
        std::fs::write(path(&file.name), file.text).unwrap();
    }
    let n = model.graph().outputs().len();
    let in_c = (0..n).map(|k| format!("printf(\" %016\" PRIx64, result.y{k}.bits);\n")).collect::<String>();
    std::fs::write(path("main.c"), C_ROWS.replace("PRINT", &in_c)).unwrap();
    let in_rust =
        (0..n).map(|k| format!("print!(\" {{:016x}}\", said.y{k}.to_bits());\n")).collect::<String>();
    std::fs::write(path("main.rs"), RUST_ROWS.replace("PRINT", &in_rust)).unwrap();
    let mut rows = Vec::new();
    for text in texts {
        let length = text.as_ref().map_or(-1, |text| text.len() as i32);
        rows.extend_from_slice(&length.to_ne_bytes());
        rows.extend_from_slice(text.as_deref().unwrap_or("").as_bytes());
    }
    std::fs::write(path("rows"), rows).unwrap();
    let row = |line: &str| {
        let word = |word: &str| u64::from_str_radix(word, 16).unwrap();
        (line != "refused").then(|| line.split_whitespace().map(word).collect())
    };
    let flags =
        ["-std=c99", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "main.c", "m0.c"];
    [("cc", &flags[..]), ("rustc", &["--edition", "2021", "-O", "-C", "overflow-checks=on", "main.rs"])].map(
        |(compiler, arguments)| {
            let mut command = Command::new(compiler);
            let command = command.current_dir(folder.path()).args(arguments).args(["-o", compiler]);
            let made = command.output().unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            let rows = std::fs::File::open(path("rows")).unwrap();
            let said = Command::new(path(compiler)).stdin(rows).output().unwrap();
            assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
            String::from_utf8(said.stdout).unwrap().lines().map(row).collect()
        },
    )
}

/// Reads rows in C. Each text has just the memory that it takes, so that a byte read behind it shows.
const C_ROWS: &str = r#"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "m0.h"

int main(void)
{
    int32_t length;
    while (fread(&length, sizeof length, 1, stdin) == 1) {
        size_t n = length < 0 ? 0 : (size_t)length;
        char *text = malloc(n);
        m0_row row;
        m0_result result;
        if (fread(text, 1, n, stdin) != n) {
            return 1;
        }
        row.c0.bytes = text;
        row.c0.length = (uint32_t)n;
        row.missing[0] = length < 0;
        if (m0_predict(&row, &result) == 0) {
            PRINT
        } else {
            printf("refused");
        }
        printf("\n");
        free(text);
    }
    return 0;
}
"#;

/// The same in Rust.
const RUST_ROWS: &str = r#"
use std::io::Read;

mod m0;

fn main() {
    let mut rows = Vec::new();
    std::io::stdin().read_to_end(&mut rows).unwrap();
    let mut rest = &rows[..];
    while let Some((length, behind)) = rest.split_first_chunk() {
        let length = i32::from_ne_bytes(*length);
        let (text, behind) = behind.split_at(length.max(0) as usize);
        rest = behind;
        let text = (length >= 0).then(|| std::str::from_utf8(text).unwrap());
        match m0::predict(&m0::Row { c0: text }) {
            Some(said) => {
                PRINT
            }
            None => print!("refused"),
        }
        println!();
    }
}
"#;

/// Checks what both languages say of texts.
fn check_rows(model: &Model, texts: &[Option<String>], refused: impl Fn(&str) -> bool) {
    let meant = meant(model, texts);
    for said in said(model, texts) {
        assert_eq!(said.len(), texts.len());
        for ((text, said), meant) in texts.iter().zip(said).zip(&meant) {
            let expected = (!refused(text.as_deref().unwrap_or(""))).then(|| meant.clone());
            assert_eq!(said, expected, "{text:?}");
        }
    }
}

/// Texts that no self-test draws: blanks of all kinds, characters that are cut by none, long texts and empty ones.
#[test]
fn odd_texts_are_read_as_the_reference_reads_them() {
    let terms = vocabulary(20);
    let mut m = Making::new();
    let text = m.text();
    for &part in TextNumber::ALL {
        let value = m.node(Op::TextPart(TextPart { part }), &[text]);
        m.give(value);
    }
    for tokenizer in [
        tokenizer(Analyzer::Words, 1, 2, true),
        tokenizer(Analyzer::Words, 2, 3, false),
        tokenizer(Analyzer::Chars, 1, 4, true),
        tokenizer(Analyzer::Chars, 2, 8, false),
    ] {
        let known = m.strings(&terms);
        let bag = m.node(Op::Tokens(Tokens { tokenizer }), &[text, known]);
        let product = m.product(bag, terms.len(), 2);
        m.give_all(product, 2);
        let hashed = m.node(Op::HashTokens(HashTokens { tokenizer, bits: 9 }), &[text]);
        let product = m.product(hashed, 512, 1);
        m.give_all(product, 1);
    }
    let (_, model) = m.finish("odd texts");
    let mut texts = odd_texts(400, 60);
    texts.extend(odd_texts(20, 4000));
    texts.extend(["", " ", "\t\r", "a", "\u{a0}", "ba ba", " ba\u{b}\u{c}ba "].map(|t| Some(t.to_string())));
    check_rows(&model, &texts, |_| false);
}

/// Moments that are nearly well written.
#[test]
fn odd_moments_are_read_as_the_reference_reads_them() {
    let mut m = Making::new();
    let text = m.column(ColumnKind::Time, DType::Str);
    for format in TimeFormat::all() {
        let value = m.node(Op::TimePart(TimePart { part: Part::Moment, format: Some(format) }), &[text]);
        m.give(value);
    }
    let (_, model) = m.finish("odd moments");
    let mut random = SplitMix64::new(11);
    let written = b"0123456789-/:. ,+ZzTtjanFEBMarch";
    let tails = ["+01:30", "-0130", "+23", "+24", "+1", "-01:", ".5", ",123456789", ".1234567890", "."];
    let mut texts = vec![None, Some(String::new())];
    for tail in [
        "",
        ".",
        ",",
        ".5",
        ",123456",
        ".123456789",
        ".1234567890",
        ".5.",
        "Z",
        "z",
        "Zz",
        "+",
        "-1",
        "+12",
        "-12:",
    ] {
        texts.push(Some(format!("2001-02-03 04:05:06{tail}")));
    }
    for tail in [
        "+23", "+24", "-2359", "+2360", "+23:59", "-23:60", "+12:3", "+12:345", ".5+0130", "+01:30.5",
        " +01:30",
    ] {
        texts.push(Some(format!("2001-02-03T04:05:06{tail}")));
    }
    for text in [
        "2001-02-29",
        "2000-02-29",
        "1900-02-29",
        "2001-04-31",
        "0000-01-01",
        "9999-12-31",
        "2001-13-01",
        "2001-1-1",
    ] {
        texts.push(Some(text.to_string()));
    }
    for format in TimeFormat::all() {
        for _ in 0..40 {
            let mut text = format.write(random.next_word().cast_signed() >> random.below(30)).into_bytes();
            for _ in 0..random.below(3) {
                let (at, byte) =
                    (random.below(text.len() as u32) as usize, written[random.below(32) as usize]);
                match random.below(3) {
                    0 => text.insert(at, byte),
                    1 => text[at] = byte,
                    _ => drop(text.remove(at)),
                }
                if text.is_empty() {
                    break;
                }
            }
            let tail = tails[random.below(tails.len() as u32) as usize];
            let tail = if random.below(3) == 0 { tail } else { "" };
            let text = String::from_utf8(text).unwrap() + tail;
            let text =
                if random.below(4) == 0 { text.replace("mar", "MARCH").replace("sep", "sept") } else { text };
            texts.push(Some(format!("{}{text}", ["", "\t "][random.below(2) as usize])));
        }
    }
    let meant = meant(&model, &texts);
    let n_read = meant.iter().flatten().filter(|bits| !f64::from_bits(**bits).is_nan()).count();
    assert!((texts.len() / 4..texts.len()).contains(&n_read), "{n_read} of {}", texts.len());
    check_rows(&model, &texts, |_| false);
}

/// A text whose different terms find no place is refused; a text of any length whose terms do is not.
#[test]
fn a_text_of_too_many_different_terms_is_refused() {
    let terms: Vec<String> = (0..1500).map(|i| format!("w{i:04}")).collect();
    let tokenizer = tokenizer(Analyzer::Words, 1, 1, true);
    let mut m = Making::new();
    let text = m.text();
    let known = m.strings(&terms);
    let bag = m.node(Op::Tokens(Tokens { tokenizer }), &[text, known]);
    let product = m.product(bag, terms.len(), 1);
    m.give_all(product, 1);
    let model = m.finish("many terms");
    check(std::slice::from_ref(&model));
    let mut random = SplitMix64::new(12);
    let texts: Vec<Option<String>> = (0..60)
        .map(|row| {
            let among = [100, 500, 540, 700, 1500][row % 5];
            let words: Vec<String> = (0..3 * among).map(|_| format!("W{:04}", random.below(among))).collect();
            Some(words.join(" "))
        })
        .collect();
    let texts: Vec<Option<String>> = texts.into_iter().chain(exact_numbers_of_terms()).collect();
    let is_refused = |text: &str| {
        let mut pieces = Pieces::default();
        tokenizer.part(text, &mut pieces);
        tokenizer.terms(&pieces).collect::<BTreeSet<_>>().len() > 512
    };
    let n_refused = texts.iter().flatten().filter(|text| is_refused(text)).count();
    assert!((10..texts.len() - 10).contains(&n_refused), "{n_refused}");
    check_rows(&model.1, &texts, is_refused);
}

/// Texts of just as many terms as there is memory for, and of one more.
fn exact_numbers_of_terms() -> [Option<String>; 2] {
    let text = |n: usize| (0..n).map(|i| format!("w{i:04},")).collect::<String>();
    [Some(text(512)), Some(text(513))]
}
