//! The source of the library's routines: those of emitted Rust, and around each a function of plain numbers.

use crate::routines::{RUST, Routine};
use ir::digest::Digest;
use std::fmt::Write as _;

/// All else that the library is built from.
const SOURCES: &[&str] = &[
    include_str!("../../library/src/exports.rs"),
    include_str!("../../library/src/head.rs"),
    include_str!("../../library/src/lib.rs"),
    include_str!("../../library/src/model.rs"),
    include_str!("../../../cells/src/answer.rs"),
    include_str!("../../../cells/src/bind.rs"),
    include_str!("../../../cells/src/describe.rs"),
    include_str!("../../../cells/src/lib.rs"),
    include_str!("../../../cells/src/memory.rs"),
    include_str!("../../../cells/src/table.rs"),
];

/// What begins the name of a routine that is called by plain numbers.
pub(super) const PREFIX: &str = "routine_";

/// The digest of all that the library is built from, but for the crate `ir`.
pub(super) fn digest() -> u64 {
    let mut digest = Digest::new();
    SOURCES.iter().for_each(|source| digest.bytes(source.as_bytes()));
    digest.bytes(routines().as_bytes());
    digest.finish()
}

/// Rust that the library includes: all routines, and for each that a program may call a function that takes a slice as its
/// place and length, a truth as 0 or 1, and a text that is missing as the place 0. A routine that may give nothing is told
/// behind its arguments where its number goes, or the place of its text and the length in one word, and where the truth
/// goes that it is missing.
///
/// For the build script of the library alone.
pub fn library_source() -> String {
    format!("pub const DIGEST: u64 = 0x{:016x};\n{}", digest(), routines())
}

fn routines() -> String {
    let mut out = String::new();
    let all = RUST.closed(&RUST.all().iter().map(|routine| routine.name).collect::<Vec<_>>());
    for routine in &all {
        let _ = writeln!(out, "\n{}", routine.text);
    }
    for routine in all.iter().filter(|routine| is_called(routine.name)) {
        out.push_str(&around(routine));
    }
    out
}

/// Whether programs call a routine, or the rows of a self-test are drawn by it.
fn is_called(name: &str) -> bool {
    !name.starts_with('_') || name.starts_with("_draw_")
}

/// The function of plain numbers around a routine.
fn around(routine: &Routine) -> String {
    let name = routine.name;
    let head = ["(", "<"].iter().find_map(|open| routine.text.find(&format!("fn {name}{open}")));
    let declared = &routine.text[head.unwrap_or(0)..];
    let open = declared.find('(').map_or(0, |at| at + 1);
    // No type of a routine has parentheses.
    let close = declared.find(')').unwrap_or(declared.len());
    let given = declared[close..].split_once('{').map_or("", |(head, _)| head);
    let (mut taken, mut passed, mut before, mut behind) =
        (Vec::new(), Vec::new(), String::new(), String::new());
    for (at, parameter) in declared[open..close].split(',').filter(|p| !p.trim().is_empty()).enumerate() {
        let of_type = parameter.split_once(':').map_or("", |(_, of_type)| of_type.trim()).replace("'t ", "");
        if of_type == "&mut [Option<&[u8]>]" {
            taken.push(format!("a{at}: *mut u32, _n{at}: usize"));
            let _ = write!(before, "let mut a{at}_made = [None]; ");
            passed.push(format!("&mut a{at}_made"));
            let _ = write!(
                behind,
                "let text: Option<&[u8]> = a{at}_made[0]; *a{at} = text.map_or(0, |t| t.as_ptr() as usize as u32); *a{at}.add(1) = text.map_or(0, |t| t.len() as u32); "
            );
        } else if let Some(of) = of_type.strip_prefix("&mut [").and_then(|t| t.strip_suffix(']')) {
            taken.push(format!("a{at}: *mut {of}, n{at}: usize"));
            passed.push(format!("core::slice::from_raw_parts_mut(a{at}, n{at})"));
        } else if let Some(of) = of_type.strip_prefix("&[").and_then(|t| t.strip_suffix(']')) {
            taken.push(format!("a{at}: *const {of}, n{at}: usize"));
            passed.push(format!("core::slice::from_raw_parts(a{at}, n{at})"));
        } else if let Some(of) = of_type.strip_prefix("&mut ") {
            taken.push(format!("a{at}: *mut {of}"));
            passed.push(format!("&mut *a{at}"));
        } else if of_type == "Option<&[u8]>" {
            taken.push(format!("a{at}: *const u8, n{at}: usize"));
            passed.push(format!(
                "if a{at}.is_null() {{ None }} else {{ Some(core::slice::from_raw_parts(a{at}, n{at})) }}"
            ));
        } else if of_type == "bool" {
            taken.push(format!("a{at}: u32"));
            passed.push(format!("a{at} != 0"));
        } else {
            taken.push(format!("a{at}: {of_type}"));
            passed.push(format!("a{at}"));
        }
    }
    let word = match given.trim_start_matches(')').trim() {
        "-> Option<i64>" => Some("x as u64"),
        "-> Option<f64>" => Some("x.to_bits()"),
        "-> Option<usize>" => Some("a0 as usize as u64 | (x as u64) << 32"),
        _ => None,
    };
    let call = format!("{name}({})", passed.join(", "));
    let call = match word {
        Some(word) => {
            taken.push("value: *mut u64, missing: *mut bool".to_string());
            format!("let made = {call}; *missing = made.is_none(); *value = made.map_or(0, |x| {word}); ")
        }
        None => format!("{call}; "),
    };
    format!(
        "\n#[unsafe(no_mangle)]\npub unsafe extern \"C\" fn {PREFIX}{name}({}) {{\n    unsafe {{ {before}{call}{behind}}}\n}}\n",
        taken.join(", ")
    )
}
