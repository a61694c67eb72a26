//! Source code of models on other machines: of 32 bits, big-endian, without doubles, without an operating system.
//!
//! Machines whose compiler or emulator is not here are counted; `SMIDGEN_NEED_MACHINES` makes that a failure.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may unwrap, and say what they skip")]

#[path = "support/compiled.rs"]
#[expect(dead_code, reason = "there are more ways than these machines need")]
mod compiled;
#[path = "support/making.rs"]
mod making;
#[path = "../../runtime/tests/conformance/models.rs"]
#[expect(dead_code, reason = "only the generator is used here")]
mod models;
#[path = "../../runtime/tests/conformance/numbers.rs"]
mod numbers;
#[path = "../../runtime/tests/conformance/scores.rs"]
mod scores;

use compiled::{STRICT, digests_of_c, proven, write_c};
use ir::digest::SplitMix64;
use ir::forest::CodedFeature;
use ir::op::{
    ArgMax, BagNorm, BagWeigh, Bin, Cast, Codes, ForestOp, HashBucket, HashTokens, Link, LinkKind,
    TermFrequency, TextPart, Threshold, TimePart, Tokens,
};
use ir::text::parts::TextNumber;
use ir::text::time::{Part, TimeFormat};
use ir::text::tokens::Analyzer;
use ir::{
    Card, ColumnKind, DType, GraphBuilder, Input, Model, Op, OutputRole, Shape, Signature, Task, Tensor,
    TensorData,
};
use making::{Making, tokenizer, vocabulary};
use smidgen_emit::{Program, c, rust};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

/// Random models beside those that are made by hand.
const N: u64 = 25;

/// A compiler, and what runs what it makes.
struct Machine {
    name: &'static str,
    compiler: &'static str,
    flags: &'static [&'static str],
    run: &'static [&'static str],
}

const HERE: [Machine; 4] = [
    Machine { name: "here, -O0", compiler: "cc", flags: &["-O0"], run: &[] },
    Machine { name: "here, -O2", compiler: "cc", flags: &["-O2", "-Wconversion"], run: &[] },
    Machine { name: "here, -Os", compiler: "cc", flags: &["-Os", "-funsigned-char"], run: &[] },
    Machine { name: "clang", compiler: "clang", flags: &["-O2"], run: &[] },
];

const ELSEWHERE: [Machine; 4] = [
    Machine {
        name: "x86 of 32 bits",
        compiler: "i686-linux-gnu-gcc",
        flags: &["-O1", "-static", "-msse2", "-mfpmath=sse"],
        run: &[],
    },
    Machine {
        name: "ARM of 32 bits",
        compiler: "arm-linux-gnueabihf-gcc",
        flags: &["-O1", "-static"],
        run: &["qemu-arm-static"],
    },
    Machine {
        name: "RISC-V of 64 bits",
        compiler: "riscv64-linux-gnu-gcc",
        flags: &["-O1", "-static"],
        run: &["qemu-riscv64-static"],
    },
    Machine {
        name: "s390x, big-endian",
        compiler: "s390x-linux-gnu-gcc",
        flags: &["-O1", "-static"],
        run: &["qemu-s390x-static"],
    },
];

/// Cores without an operating system, flags, and the board that QEMU emulates.
const CORES: [(&str, &[&str], &str); 2] =
    [("Cortex-M3", &["-mcpu=cortex-m3"], "mps2-an385"), ("Cortex-M4", &["-mcpu=cortex-m4"], "mps2-an386")];

/// The same with a unit of floats, as Rust's target has it.
const CORE_WITH_FLOATS: (&str, &[&str], &str) =
    ("Cortex-M4F", &["-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"], "mps2-an386");

/// Whether all of these commands are here; where one is not, that is said and counted.
fn is_here(machine: &str, commands: &[&str]) -> bool {
    let missing = commands.iter().find(|name| {
        Command::new(name).arg("--version").output().map_or(true, |said| !said.status.success())
    });
    if let Some(missing) = missing {
        // Clang is one more, never a must.
        let must = std::env::var_os("SMIDGEN_NEED_MACHINES").is_some() && *missing != "clang";
        assert!(!must, "{machine}: there is no {missing}");
        println!("1 machine skipped: {machine}: there is no {missing}");
    }
    missing.is_none()
}

/// Models by name, and their programs.
static MODELS: LazyLock<Vec<(String, Model, Program)>> = LazyLock::new(|| {
    let mut models: Vec<(String, Model)> = (0..N)
        .map(|seed| {
            let model = models::random_model(&mut SplitMix64::new(1000 + seed));
            (format!("random {seed}"), proven(model, seed))
        })
        .collect();
    models.extend([times(), keys(), terms(), hashed_terms()]);
    models.extend([1, 3].map(integers));
    let of = |(name, model): (String, Model)| {
        let program = Program::try_new(&model).unwrap();
        (name, model, program)
    };
    models.into_iter().map(of).collect()
});

fn times() -> (String, Model) {
    let mut m = Making::new();
    let moment = m.column(ColumnKind::Time, DType::I64);
    let text = m.column(ColumnKind::Time, DType::Str);
    let format = TimeFormat::all().next();
    for &part in Part::ALL {
        let value = m.node(Op::TimePart(TimePart { part, format: None }), &[moment]);
        m.give(value);
        let value = m.node(Op::TimePart(TimePart { part, format }), &[text]);
        m.give(value);
    }
    m.finish("times")
}

fn keys() -> (String, Model) {
    let mut m = Making::new();
    let text = m.column(ColumnKind::Category, DType::Str);
    let known = m.strings(&["", "a", "aa", "ab", "b", "\u{e9}", "\u{10ffff}"]);
    let code = m.node(Op::Codes(Codes { unseen: 7 }), &[text, known]);
    let value = m.node(Op::Cast(Cast), &[code]);
    m.give(value);
    let value = m.node(Op::HashBucket(HashBucket { n_buckets: 1000 }), &[text]);
    m.give(value);
    for &part in TextNumber::ALL {
        let value = m.node(Op::TextPart(TextPart { part }), &[text]);
        m.give(value);
    }
    m.finish("keys")
}

fn terms() -> (String, Model) {
    let terms = vocabulary(20);
    let mut m = Making::new();
    let text = m.text();
    let known = m.strings(&terms);
    let tokenizer = tokenizer(Analyzer::Words, 1, 2, true);
    let bag = m.node(Op::Tokens(Tokens { tokenizer }), &[text, known]);
    let op = BagWeigh { term_frequency: TermFrequency::Sublinear, norm: BagNorm::L2 };
    let bag = m.node(Op::BagWeigh(op), &[bag]);
    let product = m.product(bag, terms.len(), 3);
    m.give_all(product, 3);
    m.finish("terms")
}

fn hashed_terms() -> (String, Model) {
    let mut m = Making::new();
    let text = m.text();
    let tokenizer = tokenizer(Analyzer::Chars, 2, 4, true);
    let bag = m.node(Op::HashTokens(HashTokens { tokenizer, bits: 8 }), &[text]);
    let (columns, width) = m.gather(bag, (0..256).step_by(9).collect());
    m.give_all(columns, width);
    let product = m.product(bag, 256, 2);
    m.give_all(product, 2);
    m.finish("hashed terms")
}

/// Trees over whole numbers, and probabilities of two classes or of as many as there are scores.
fn integers(n_outputs: u32) -> (String, Model) {
    let mut random = SplitMix64::new(u64::from(n_outputs));
    let mut b = GraphBuilder::new();
    let (mut inputs, mut codes, mut features) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..5 {
        inputs.push(Input { name: format!("x{at}"), kind: ColumnKind::Number, dtype: DType::I64 });
    }
    let columns: Vec<_> = inputs.iter().map(|i| b.input(&i.name, i.dtype, Shape::rows()).unwrap()).collect();
    for (at, column) in columns.into_iter().enumerate() {
        let edges: Vec<i64> = (-10..10).map(|i| i << (at * 7)).collect();
        features.push(CodedFeature { n_codes: edges.len() as u16 + 1, ordered: at != 2 });
        let edges = b.constant(Tensor::vector(TensorData::I64(edges))).unwrap();
        codes.push(b.node(Op::Bin(Bin), &[column, edges]).unwrap());
    }
    let mut forest = models::random_forest(&mut random, features.clone(), n_outputs);
    while forest.trees().len() < 4 {
        forest = models::random_forest(&mut random, features.clone(), n_outputs);
    }
    let score = b.node(Op::Forest(ForestOp { forest: forest.into() }), &codes).unwrap();
    let is_binary = n_outputs == 1;
    let kind = if is_binary { LinkKind::Logistic } else { LinkKind::Softmax };
    let p = b.node(Op::Link(Link { kind, shift: 18, offset: 0 }), &[score]).unwrap();
    let label = if is_binary { Op::Threshold(Threshold { above: 0 }) } else { Op::ArgMax(ArgMax) };
    let label = b.node(label, &[score]).unwrap();
    let n_classes = n_outputs.max(2);
    let signature = Signature {
        task: if is_binary { Task::Binary } else { Task::Multiclass },
        target: "target".to_string(),
        targets: Vec::new(),
        inputs,
        outputs: vec![OutputRole::Label, OutputRole::Probability],
        classes: (0..n_classes).map(|k| format!("class {k}")).collect(),
        positive: is_binary.then_some(1),
        missing: Vec::new(),
        columns: Vec::new(),
        joined: None,
    };
    let model = Model::try_new(b.finish(&[label, p]).unwrap(), signature, Card::default()).unwrap();
    (format!("integers to {n_classes} classes"), proven(model, 7))
}

/// Checks the digests that a machine says of all models, in order.
fn compare(machine: &str, said: &[u64]) {
    assert_eq!(said.len(), MODELS.len(), "{machine}");
    for ((name, model, _), digest) in MODELS.iter().zip(said) {
        let expected = model.self_test.unwrap().digest;
        assert_eq!(format!("{digest:016x}"), format!("{expected:016x}"), "{name} on {machine}");
    }
}

fn run_on(machines: &[Machine]) {
    let programs: Vec<Program> = MODELS.iter().map(|(_, _, program)| program.clone()).collect();
    for machine in machines {
        let commands: Vec<&str> =
            [machine.compiler].into_iter().chain(machine.run.first().copied()).collect();
        if is_here(machine.name, &commands) {
            compare(machine.name, &digests_of_c(&programs, machine.compiler, machine.flags, machine.run));
        }
    }
}

#[test]
fn compilers_agree() {
    run_on(&HERE);
}

#[test]
fn machines_agree() {
    run_on(&ELSEWHERE);
}

/// Runs a command in a folder; what it says.
fn run(folder: &Path, command: &str, arguments: &[&str]) -> String {
    let said = Command::new(command).current_dir(folder).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        said.status.success(),
        "{command} {arguments:?}: {}",
        text.chars().take(4000).collect::<String>()
    );
    String::from_utf8(said.stdout).unwrap()
}

/// The self-tests of all models, which the start-up code calls one after the other.
fn self_tests(names: impl Iterator<Item = String> + Clone) -> String {
    let declared: String =
        names.clone().fold(String::new(), |text, name| text + &format!("uint64_t {name}(void);\n"));
    let called = names.collect::<Vec<_>>().join(", ");
    format!("#include <stdint.h>\n{declared}uint64_t (*const self_tests[])(void) = {{{called}, 0}};\n")
}

const OF_CORES: [(&str, &str); 2] =
    [("start.c", include_str!("cortex_m/start.c")), ("image.ld", include_str!("cortex_m/image.ld"))];

/// An image without any library but the compiler's own arithmetic; models in C, and in Rust where that compiler can.
#[test]
fn cores_without_an_operating_system_agree() {
    let programs: Vec<Program> = MODELS.iter().map(|(_, _, program)| program.clone()).collect();
    for (core, flags, board) in CORES {
        if !is_here(core, &["arm-none-eabi-gcc", "qemu-system-arm"]) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut files = write_c(folder.path(), &programs);
        OF_CORES.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
        let names = (0..programs.len()).map(|at| format!("m{at}_self_test"));
        std::fs::write(folder.path().join("main.c"), self_tests(names)).unwrap();
        files.push("start.c".to_string());
        let defines: Vec<String> = (0..programs.len()).map(|at| format!("-DM{at}_SELF_TEST")).collect();
        let mut arguments = STRICT.to_vec();
        arguments.extend([
            "-mthumb",
            "-Os",
            "-ffreestanding",
            "-nostdlib",
            "-Wl,--gc-sections",
            "-T",
            "image.ld",
        ]);
        arguments.extend(flags);
        arguments.extend(defines.iter().map(String::as_str));
        arguments.extend(files.iter().map(String::as_str));
        arguments.extend(["-lgcc", "-o", "image.elf"]);
        run(folder.path(), "arm-none-eabi-gcc", &arguments);
        compare(core, &digests_of_image(folder.path(), board));
    }
}

/// What an image says on an emulated board.
fn digests_of_image(folder: &Path, board: &str) -> Vec<u64> {
    let host = ["-chardev", "stdio,id=host", "-semihosting-config", "enable=on,target=native,chardev=host"];
    let arguments =
        ["-M", board, "-display", "none", "-monitor", "none", "-serial", "none", "-kernel", "image.elf"];
    let arguments = [&arguments[..], &host].concat();
    let text = run(folder, "qemu-system-arm", &arguments);
    text.lines().map(|line| u64::from_str_radix(line, 16).unwrap()).collect()
}

/// Rust on a core: a library without `std` and `alloc` in an image of the same start-up code.
#[test]
fn rust_agrees_on_a_core() {
    const TARGET: &str = "thumbv7em-none-eabihf";
    let (core, flags, board) = CORE_WITH_FLOATS;
    let known =
        Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output().unwrap();
    let library = String::from_utf8(known.stdout).unwrap();
    if !Path::new(library.trim()).is_dir() {
        assert!(std::env::var_os("SMIDGEN_NEED_MACHINES").is_none(), "rustup target add {TARGET}");
        println!("1 machine skipped: Rust on {core}: there is no target {TARGET}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from(
        "#![no_std]\n#![deny(warnings)]\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! {\n    loop {}\n}\n",
    );
    for (at, (_, _, program)) in MODELS.iter().enumerate() {
        let name = format!("m{at}");
        for file in rust(program, &name).unwrap() {
            std::fs::write(folder.path().join(&file.name), &file.text).unwrap();
        }
        writeln!(
            text,
            "pub mod {name};\n#[unsafe(no_mangle)]\nextern \"C\" fn {name}_digest() -> u64 {{\n    {name}::self_test()\n}}"
        )
        .unwrap();
    }
    std::fs::write(folder.path().join("all.rs"), text).unwrap();
    let arguments =
        ["--edition", "2024", "--target", TARGET, "--crate-type", "staticlib", "-C", "opt-level=s"];
    run(folder.path(), "rustc", &[&arguments[..], &["-C", "panic=abort", "all.rs"]].concat());
    if !is_here(core, &["arm-none-eabi-gcc", "qemu-system-arm"]) {
        return;
    }
    OF_CORES.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
    let names = (0..MODELS.len()).map(|at| format!("m{at}_digest"));
    std::fs::write(folder.path().join("main.c"), self_tests(names)).unwrap();
    let mut arguments =
        vec!["-mthumb", "-Os", "-ffreestanding", "-nostdlib", "-Wl,--gc-sections", "-T", "image.ld"];
    arguments.extend(flags);
    arguments.extend(["main.c", "start.c", "liball.a", "-lgcc", "-o", "image.elf"]);
    run(folder.path(), "arm-none-eabi-gcc", &arguments);
    compare("Rust on a core", &digests_of_image(folder.path(), board));
}

/// Trees over whole numbers use no register for doubles, and no routine of a compiler for them.
#[test]
fn whole_numbers_need_no_doubles() {
    let cases: [(&str, &str, &[&str]); 3] = [
        ("here", "cc", &["-std=c99", "-pedantic", "-mgeneral-regs-only", "-O2"]),
        ("Cortex-M3", "arm-none-eabi-gcc", &["-std=c99", "-pedantic", "-mcpu=cortex-m3", "-mthumb", "-Os"]),
        // Constants stand in flash, which is a word of this compiler alone.
        ("AVR", "avr-gcc", &["-std=gnu99", "-mmcu=atmega2560", "-Os", "-fno-ivopts"]),
    ];
    for (machine, compiler, flags) in cases {
        if !is_here(machine, &[compiler]) || (machine == "here" && cfg!(not(target_arch = "x86_64"))) {
            continue;
        }
        for (name, _, program) in MODELS.iter().filter(|(name, ..)| name.starts_with("integers")) {
            let folder = tempfile::tempdir().unwrap();
            for file in c(program, "m").unwrap() {
                std::fs::write(folder.path().join(&file.name), &file.text).unwrap();
            }
            let strict = ["-Wall", "-Wextra", "-Werror", "-ffreestanding", "-c", "m.c"];
            run(folder.path(), compiler, &[flags, &strict[..]].concat());
            let prefix = compiler.strip_suffix("gcc").unwrap_or("");
            let text = run(folder.path(), &format!("{prefix}nm"), &["-u", "m.o"]);
            let needed: Vec<&str> = text.split_whitespace().filter(|&word| word != "U").collect();
            // The compiler's own arithmetic on 64 bits, and on AVR what starts a program.
            let is_whole = |word: &&str| {
                ["__aeabi_l", "__aeabi_ul", "__udivdi", "__divdi", "__umoddi", "__moddi", "__muldi", "__do_"]
                    .iter()
                    .any(|start| word.starts_with(start))
                    || (machine == "AVR" && !word.contains("sf") && !word.contains("df"))
            };
            let other: Vec<&&str> = needed.iter().filter(|word| !is_whole(word)).collect();
            assert!(other.is_empty(), "{name} on {machine}: {other:?}");
        }
    }
}
