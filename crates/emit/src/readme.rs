//! What a person reads beside the source code.

use crate::c::fields;
use crate::memory::Memory;
use crate::names::{identifiers, in_comment};
use crate::program::Program;
use ir::DType;
use std::fmt::Write as _;

/// When a row has no outputs.
const NO_ROOM: &str = "A row is refused where more different terms of a vocabulary stand in a text than there is memory \
    for, which is never so in a text of at most 256 bytes:";

/// README.md beside Rust.
pub(crate) fn of_rust(program: &Program, name: &str) -> String {
    let mut out = format!(
        "# {name}\n\nA model of \"{}\" as a Rust module: no `std`, no heap, no `unsafe`; `{name}.rs` is all of it.\n\n",
        in_comment(&program.signature.target)
    );
    let _ = writeln!(out, "Its tables, which are constants, take {} bytes.\n", program.table_bytes());
    let _ = writeln!(
        out,
        "```rust\nmod {name};\n\nlet row = {name}::Row {{ ..Default::default() }};\nif let Some(said) = {name}::predict(&row) {{\n    // said.*\n}}\n```\n"
    );
    let _ = writeln!(out, "| column | field | type |\n| --- | --- | --- |");
    for (column, field) in
        program.columns.iter().zip(identifiers(program.columns.iter().map(|c| &c.name[..])))
    {
        let of_type = match (column.integer, column.dtype) {
            (Some(integer), _) => format!("`Option<{}>`", integer.name()),
            (None, DType::I64) => "`Option<i64>`".to_string(),
            (None, DType::F64) => "`Option<f64>`; NaN is missing too".to_string(),
            _ => "`Option<&str>`, without blanks at both ends".to_string(),
        };
        let _ = writeln!(
            out,
            "| {} ({}) | `{field}` | {of_type} |",
            in_comment(&column.name).replace('|', "\\|"),
            column.kind
        );
    }
    if !program.refusals.is_empty() {
        let _ = writeln!(out, "\n{NO_ROOM} `predict` gives `None`.");
    }
    if let Some(test) = program.self_test {
        let _ = writeln!(
            out,
            "\n`self_test()` regenerates the {} rows of the model's self-test and gives the digest of what it says of them: `{:016x}`, the same that `smidgen verify` prints.",
            test.n_rows, test.digest
        );
    }
    out
}

/// README.md beside C.
pub(crate) fn of_c(program: &Program, name: &str, memory: &Memory) -> String {
    let guard = name.to_ascii_uppercase();
    let ram = program.n_codes + memory.lengths.iter().map(|(e, n)| e.bytes() * n).sum::<usize>();
    let mut out = format!(
        "# {name}\n\nA model of \"{}\" in C99: no heap, no library, no state; `{name}.c` and `{name}.h` are all of it.\n\n",
        in_comment(&program.signature.target)
    );
    let _ = writeln!(
        out,
        "| what | bytes |\n| --- | ---: |\n| tables (constants, in flash) | {} |\n| memory of a call (on the stack) | {ram} |\n",
        program.table_bytes()
    );
    let _ = writeln!(
        out,
        "A call runs {} routines over these tables; its time hangs on the row by the ways through trees and the length of texts alone.\n",
        program.steps.len()
    );
    let _ = writeln!(
        out,
        "## Use\n\n```c\n#include \"{name}.h\"\n\n{name}_row row = {{0}};\n{name}_result result;\n/* set the columns of row, and a bit of row.missing for each that is missing */\nif ({name}_predict(&row, &result) == 0) {{\n    /* result.* */\n}}\n```\n"
    );
    let _ = writeln!(out, "| column | field | type |\n| --- | --- | --- |");
    for (column, field) in
        program.columns.iter().zip(identifiers(program.columns.iter().map(|c| &c.name[..])))
    {
        let of_type = match (column.integer, column.dtype) {
            (Some(integer), _) => integer.c_type(),
            (None, DType::I64) => "int64_t",
            (None, DType::F64) => "double; NaN is missing too",
            _ => "text in UTF-8, without blanks at both ends",
        };
        let _ = writeln!(
            out,
            "| {} ({}) | `{field}` | {of_type} |",
            in_comment(&column.name).replace('|', "\\|"),
            column.kind
        );
    }
    let _ = writeln!(out, "\n| output | field | elements |\n| --- | --- | ---: |");
    for (made, field) in program.outputs.iter().zip(fields(program)) {
        let _ = writeln!(out, "| {} | `{field}` | {} |", made.role.name(), program.slots[made.slot].length);
    }
    if !program.refusals.is_empty() {
        let _ = writeln!(out, "\n{NO_ROOM} `{name}_predict` gives 1.");
    }
    out.push_str(
        "\nOn AVR compile as gnu99, so that constants stand in flash; old versions of its compiler need `-fno-ivopts`.\n",
    );
    if let Some(test) = program.self_test {
        let _ = writeln!(
            out,
            "\n## Proof\n\nCompiled with `-D{guard}_SELF_TEST`, `{name}_self_test()` regenerates the {} rows of the model's self-test and gives the digest of what it says of them: `{:016x}`, the same that `smidgen verify` prints.",
            test.n_rows, test.digest
        );
    }
    out
}
