//! Writes the first inputs of every target to `corpus/<target>`: small files of the kinds that people have.
//!
//! A fuzzer changes what it is given; without a whole Parquet file or model it would not find one.

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray, types::Int32Type,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

const TABLES: &[&str] = &[
    "a,b\n1,2\n3,4\n",
    "age, income ,town,note,flag,none\n 30 ,1.5,Bonn,a,1,\nNA,inf,?,b,1,NaN\n41,-2e3,\"Koeln, Sued\",c,1,null\n",
    "a;b\n1,5;2\n\"x;\"\"y\"\"\nz\";-9\n",
    "d\tt\n2026-01-31\t12:30\n2024-02-29\t00:00\n",
    "1,2,x\n3,4,y\n",
    "\u{feff}a|b\r\n1|\u{e9}\r\n\r\n2|\u{65e5}\r\n",
    "t\none two three four five six\n\"\"\n",
    "n\n9007199254740993\n1e308\n-0.0\n007\n",
];

fn main() -> Result<(), Box<dyn Error>> {
    let corpus = Path::new("corpus");
    for target in ["csv", "parquet", "model_file", "onnx"] {
        fs::create_dir_all(corpus.join(target))?;
    }
    for (at, table) in TABLES.iter().enumerate() {
        let bytes = [&[0][..], table.as_bytes()].concat();
        fs::write(corpus.join("csv").join(format!("table{at}")), bytes)?;
    }
    for (at, properties) in [
        WriterProperties::builder().build(),
        WriterProperties::builder().set_dictionary_enabled(false).build(),
        WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(2))
            .build(),
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?)).build(),
    ]
    .into_iter()
    .enumerate()
    {
        let batch = typed()?;
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties))?;
        writer.write(&batch)?;
        fs::write(corpus.join("parquet").join(format!("table{at}")), writer.into_inner()?)?;
    }
    networks(&corpus.join("onnx"), &corpus.join("model_file"))?;
    models(&corpus.join("model_file"))
}

/// The node tests of ONNX, if they are at hand, and the same in files of smidgen.
fn networks(folder: &Path, stored: &Path) -> Result<(), Box<dyn Error>> {
    let Some(tests) = std::env::var_os("SMIDGEN_ONNX_NODE_TESTS") else { return Ok(()) };
    for test in fs::read_dir(tests)? {
        let test = test?;
        let model = test.path().join("model.onnx");
        if !model.metadata().is_ok_and(|m| m.len() < 4096) {
            continue;
        }
        fs::copy(&model, folder.join(test.file_name()))?;
        let graph = onnx::import(&fs::read(model)?, onnx::Options { external: &onnx::NoExternal });
        let network = graph.ok().and_then(|graph| {
            ir::Network::try_new(graph, ir::NetworkSignature::default(), ir::Card::default()).ok()
        });
        if let Some(network) = network {
            fs::write(stored.join(test.file_name()), ir::file::write_network(&network))?;
        }
    }
    Ok(())
}

fn typed() -> Result<RecordBatch, Box<dyn Error>> {
    let words: DictionaryArray<Int32Type> =
        [Some("red"), None, Some("red"), Some("blue")].into_iter().collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("n", Arc::new(Int64Array::from(vec![Some(1), None, Some(3), Some(1 << 60)]))),
        ("x", Arc::new(Float64Array::from(vec![Some(0.5), Some(f64::NAN), None, Some(-1e300)]))),
        ("t", Arc::new(StringArray::from(vec![Some("a"), Some(""), None, Some("?")]))),
        ("w", Arc::new(words)),
        ("f", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true)]))),
        (
            "m",
            Arc::new(
                Decimal128Array::from(vec![Some(125), None, Some(-5), Some(0)])
                    .with_precision_and_scale(9, 2)?,
            ),
        ),
        ("d", Arc::new(Date32Array::from(vec![Some(0), Some(20_000), None, Some(-1)]))),
        (
            "p",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(1), None, Some(2), Some(-3)]).with_timezone("UTC"),
            ),
        ),
    ];
    Ok(RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )?)
}

/// One model of each task, with numbers, categories and times, and one of each kind of nodes.
fn models(folder: &Path) -> Result<(), Box<dyn Error>> {
    let place = tempfile::tempdir()?;
    let mut table = String::from("age,town,when,yes,kind,price\n");
    for row in 0..200_u32 {
        let age = row * 37 % 61;
        let town = ["Bonn", "Trier", "", "Mainz"][(row % 4) as usize];
        let yes = ["no", "yes"][usize::from(age + row % 4 * 9 > 40)];
        let kind = ["low", "mid", "high"][(age / 21) as usize];
        let day = row % 28 + 1;
        table.push_str(&format!("{age},{town},2026-01-{day:02},{yes},{kind},{}.5\n", age * 3 + day));
    }
    let data = place.path().join("t.csv");
    fs::write(&data, table)?;
    let program =
        std::env::var_os("SMIDGEN").map_or_else(|| "../target/release/smidgen".into(), PathBuf::from);
    let gbdt = ["--set", "gbdt.n_trees=3", "--set", "gbdt.max_leaves=4"];
    let other = |learner| ["--learners", learner, "--seed", "1"];
    for (name, target, others, learner) in [
        ("yes", "yes", "kind,price", gbdt),
        ("kind", "kind", "yes,price", gbdt),
        ("price", "price", "yes,kind", gbdt),
        ("logistic", "yes", "kind,price", other("logistic")),
        ("poisson", "price", "yes,kind", other("poisson")),
        ("ebm", "kind", "yes,price", other("ebm")),
        ("knn", "kind", "yes,price", other("knn")),
        ("svm", "yes", "kind,price", other("svm")),
    ] {
        let mut fit = Command::new(&program);
        fit.arg("fit")
            .arg(&data)
            .arg("-o")
            .arg(folder.join(format!("{name}.smidgen")))
            .arg("--quiet")
            .stdout(Stdio::null());
        fit.args([
            "--target",
            target,
            "--drop",
            others,
            "--missing",
            "-9",
            "--work",
            "1",
            "--holdout",
            "0.3",
        ]);
        fit.args(learner);
        if !fit.status()?.success() {
            return Err(format!(
                "{} could not fit; build it first: cargo build --release",
                program.display()
            )
            .into());
        }
    }
    Ok(())
}
