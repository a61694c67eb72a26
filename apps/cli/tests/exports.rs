//! `export`: models of tables as ONNX, which the verbs for networks read again.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/run.rs"]
mod run;

use run::Place;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data");

#[test]
fn a_model_of_numbers_is_written_whole() {
    let place = Place::new();
    let fit =
        format!("fit {EXAMPLES}/iris.csv --target species --learners gbdt --work 1 -o m.smidgen --json");
    assert_eq!(place.good(&fit).json().unwrap()["status"], "ok");
    let ran = place.good("export m.smidgen --to onnx -o m.onnx");
    assert!(ran.out.is_empty() && ran.err.contains("m.onnx: "), "{}", ran.err);
    let bytes = std::fs::read(place.path("m.onnx")).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    for told in ["petal length (cm)", "probabilities", "label", "setosa", "ai.onnx.ml"] {
        assert!(text.contains(told), "{told}");
    }
    place.good("export m.smidgen --to onnx -o again.onnx --quiet");
    assert_eq!(std::fs::read(place.path("again.onnx")).unwrap(), bytes, "the same bytes");
}

#[test]
fn what_cannot_be_written_is_refused() {
    let place = Place::new();
    place.write("text.csv", {
        let rows =
            (0..80).map(|i| format!("{} word{} and more words here,{}\n", ["good", "bad"][i % 2], i, i % 2));
        std::iter::once("review,y\n".to_owned()).chain(rows).collect::<String>()
    });
    place.good("fit text.csv --target y --types review=text --learners logistic --work 1 -o text.smidgen");
    place.good(&format!("fit {EXAMPLES}/iris.csv --target species --work 1 -o m.smidgen"));
    for (line, code, message) in [
        ("export text.smidgen --to onnx -o out.onnx", 3, "text.smidgen: "),
        ("export m.smidgen --to wasm -o m.smidgen", 2, "m.smidgen"),
        ("export m.smidgen --to wasm --types nothing=i16 -o out.onnx", 2, "--to c"),
        ("export m.smidgen --to wasm -o nowhere/out.onnx", 2, "nowhere/out.onnx"),
        ("export m.smidgen --to pmml -o out.xml", 2, "expected onnx, c, rust or wasm"),
        ("export m.smidgen --to c --name int -o out.onnx", 2, "\"int\""),
        ("export m.smidgen --to c --types nothing=i16 -o out.onnx", 2, "no column \"nothing\""),
        ("export m.smidgen --to onnx --types nothing=i16 -o out.onnx", 2, "--to c"),
        ("export m.smidgen --to c -o m.smidgen", 2, "m.smidgen"),
        ("export gone.smidgen --to onnx -o out.onnx", 2, "gone.smidgen: "),
        ("export m.smidgen --to onnx -o m.smidgen", 2, "m.smidgen"),
        ("export m.smidgen --to onnx -o nowhere/out.onnx", 2, "nowhere/out.onnx"),
    ] {
        let ran = place.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{line}: {}", ran.err);
        assert!(ran.err.contains(message), "{line}: {}", ran.err);
        assert!(!place.path("out.onnx").exists(), "{line}");
    }
}

/// Learners of every kind, and an ensemble, as C and as Rust: both give the digest that `verify` prints.
#[test]
fn source_code_proves_itself() {
    let place = Place::new();
    let fits = [
        ("iris", "species", "--learners gbdt"),
        ("iris", "species", "--learners forest --set forest.n_trees=20"),
        ("breast_cancer", "diagnosis", "--learners logistic"),
        ("iris", "species", "--learners gaussian_nb"),
        ("breast_cancer", "diagnosis", "--learners ebm"),
        ("iris", "species", "--learners knn"),
        ("iris", "species", "--learners gbdt,logistic,ebm --ensemble average --work 4"),
    ];
    for (at, (table, target, how)) in fits.into_iter().enumerate() {
        let work = if how.contains("--work") { "" } else { "--work 1" };
        place.good(&format!("fit {EXAMPLES}/{table}.csv --target {target} {how} {work} -o m{at}.smidgen"));
        let verified = place.good(&format!("verify m{at}.smidgen")).out;
        let digest = verified.split_whitespace().nth(1).unwrap().to_owned();
        let ran = place.good(&format!("export m{at}.smidgen --to c -o c{at}"));
        assert!(ran.out.is_empty() && ran.err.contains("model.h"), "{}", ran.err);
        place.write(
            &format!("c{at}/main.c"),
            "#include <inttypes.h>\n#include <stdio.h>\n#include \"model.h\"\nint main(void)\n{\n    \
             printf(\"%016\" PRIx64 \"\\n\", model_self_test());\n    return model_self_test() != MODEL_DIGEST;\n}\n",
        );
        let folder = place.path(&format!("c{at}"));
        let flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-DMODEL_SELF_TEST"];
        assert_eq!(
            built(&folder, "cc", &[&flags[..], &["main.c", "model.c", "-o", "run"]].concat()),
            digest,
            "{how}"
        );
        place.good(&format!("export m{at}.smidgen --to rust -o r{at} --name one --quiet"));
        place.write(
            &format!("r{at}/main.rs"),
            "mod one;\nfn main() {\n    assert_eq!(one::self_test(), one::DIGEST);\n    \
             println!(\"{:016x}\", one::self_test());\n}\n",
        );
        let folder = place.path(&format!("r{at}"));
        assert_eq!(built(&folder, "rustc", &["--edition", "2021", "main.rs", "-o", "run"]), digest, "{how}");
    }
    // Other cells, so another digest, which the code itself knows.
    let rows = (0..300).map(|i: i32| {
        format!(
            "{},{}.5,{}\n",
            i * 7 % 500 - 200,
            i % 90,
            ["no", "yes"][(i * 7 % 500 > 220 && i % 90 > 30) as usize]
        )
    });
    place
        .write("counts.csv", std::iter::once("turns,heat,stop\n".to_owned()).chain(rows).collect::<String>());
    place.good("fit counts.csv --target stop --learners gbdt -o counts.smidgen");
    place.good("export counts.smidgen --to c -o t --types turns=i16,heat=u8");
    place.write(
        "t/main.c",
        "#include \"model.h\"\nint main(void)\n{\n    return model_self_test() != MODEL_DIGEST;\n}\n",
    );
    let header = std::fs::read_to_string(place.path("t/model.h")).unwrap();
    assert!(header.contains("int16_t turns;") && header.contains("uint8_t heat;"), "{header}");
    assert_eq!(built(&place.path("t"), "cc", &["-DMODEL_SELF_TEST", "main.c", "model.c", "-o", "run"]), "");
}

/// What a program prints that a compiler made in a folder; its end must be a good one.
fn built(folder: &std::path::Path, compiler: &str, arguments: &[&str]) -> String {
    let made = std::process::Command::new(compiler).current_dir(folder).args(arguments).output().unwrap();
    assert!(made.status.success(), "{compiler}: {}", String::from_utf8_lossy(&made.stderr));
    let ran = std::process::Command::new(folder.join("run")).output().unwrap();
    assert!(ran.status.success(), "{}: {:?}", folder.display(), ran.status);
    String::from_utf8(ran.stdout).unwrap().trim().to_owned()
}
