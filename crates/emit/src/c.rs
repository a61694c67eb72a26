//! A program in C99: a source file, a header and a README.

use crate::memory::{self, Memory};
use crate::names::{check_identifier, identifiers, in_comment};
use crate::program::{Argument, Element, Made, Program, Step, Table};
use crate::sample::Sample;
use crate::{Error, SourceFile, readme, routines, values};
use ir::{DType, OutputRole};
use std::fmt::Write as _;

/// What comes before all of it: no library, memory that only reads, text.
const FLASH: &str = "\
/* GCC makes calls of memcpy, memmove and memset of loops, unless told. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize (\"no-tree-loop-distribute-patterns\")
#endif

/* Where constants stand: in memory that a processor reads by its own instructions, on AVR. */
#ifndef SM_FLASH
#ifdef __AVR__
#define SM_FLASH __flash
#else
#define SM_FLASH
#endif
#endif

typedef struct {
    const uint8_t *bytes; /* null where the text is missing */
    uint32_t length;
} sm_text;
";

/// The same for programs that compute with doubles.
const DOUBLES: &str = include_str!("routines/doubles_prelude.h.txt");

/// Prints a program under a name, in which all that others see begins: `NAME.c`, `NAME.h` and `README.md`.
///
/// # Errors
/// A name that is no identifier in small letters.
pub fn c(program: &Program, name: &str) -> Result<Vec<SourceFile>, Error> {
    check_identifier(name)?;
    let printer = Printer::new(program, name);
    let header = SourceFile { name: format!("{name}.h"), text: printer.header() };
    let source = SourceFile { name: format!("{name}.c"), text: printer.source() };
    let readme =
        SourceFile { name: "README.md".to_string(), text: readme::of_c(program, name, &printer.memory) };
    Ok(vec![header, source, readme])
}

struct Printer<'p> {
    program: &'p Program,
    name: &'p str,
    columns: Vec<String>,
    fields: Vec<String>,
    memory: Memory,
}

/// Names of the fields that hold outputs, in order.
pub(crate) fn fields(program: &Program) -> Vec<String> {
    let several = program.signature.task.is_several();
    let mut n_columns = 0;
    let names = program.outputs.iter().map(|made| match made.role {
        OutputRole::Column => {
            n_columns += 1;
            program.signature.columns.get(n_columns - 1).cloned().unwrap_or_default()
        }
        OutputRole::Score => "score".to_string(),
        role => match program.signature.targets.get(made.target).filter(|_| several) {
            Some(target) => format!("{} {}", role.name(), target.name),
            None => role.name().to_string(),
        },
    });
    let names: Vec<String> = names.collect();
    identifiers(names.iter().map(String::as_str))
}

/// The type of an element in memory.
fn c_type(element: Element) -> &'static str {
    match element {
        Element::U8 => "uint8_t",
        Element::I16 => "int16_t",
        Element::U16 => "uint16_t",
        Element::I32 => "int32_t",
        Element::U32 | Element::F32 => "uint32_t",
        Element::I64 => "int64_t",
        Element::F64 => "double",
        Element::Text => "sm_text",
    }
}

/// The array that elements stand in.
fn array(element: Element) -> &'static str {
    match element {
        Element::U8 => "u8",
        Element::I16 => "i16",
        Element::U16 => "u16",
        Element::I32 => "i32",
        Element::U32 => "u32",
        Element::F32 => "f32",
        Element::I64 => "i64",
        Element::F64 => "f64",
        Element::Text => "text",
    }
}

impl<'p> Printer<'p> {
    fn new(program: &'p Program, name: &'p str) -> Printer<'p> {
        let columns = identifiers(program.columns.iter().map(|c| &c.name[..]));
        Printer { program, name, columns, fields: fields(program), memory: memory::plan(program) }
    }

    fn header(&self) -> String {
        let (name, program) = (self.name, self.program);
        let guard = name.to_ascii_uppercase();
        let mut out = format!(
            "/* {}: a model as source code; README.md says what it takes and gives. */\n#ifndef {guard}_H\n#define {guard}_H\n\n\
             #include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n",
            in_comment(&program.signature.target),
        );
        let has_text = program.columns.iter().any(|c| c.dtype == DType::Str);
        if has_text {
            let _ = writeln!(
                out,
                "/* Text in UTF-8; bytes are null where it is missing. */\ntypedef struct {{\n    const char *bytes;\n    uint32_t length;\n}} {name}_text;\n"
            );
        }
        let of = |made: &Made| program.slots[made.slot];
        if program.outputs.iter().any(|made| of(made).element == Element::F32) {
            let _ = writeln!(
                out,
                "/* A float, or its bits where no float is wanted. */\ntypedef union {{\n    uint32_t bits;\n    float value;\n}} {name}_f32;\n"
            );
        }
        if program.outputs.iter().any(|made| of(made).element == Element::F64) {
            let _ = writeln!(
                out,
                "/* A double, or its bits where no double is wanted. */\ntypedef union {{\n    uint64_t bits;\n    double value;\n}} {name}_f64;\n"
            );
        }
        let _ = writeln!(out, "/* A row: columns in the order of the table. */\ntypedef struct {{");
        for (at, (column, field)) in program.columns.iter().zip(&self.columns).enumerate() {
            let of_type = match (column.integer, column.dtype) {
                (Some(integer), _) => format!("{} ", integer.c_type()),
                (None, DType::I64) => "int64_t ".to_string(),
                (None, DType::F64) => "double ".to_string(),
                _ => format!("{name}_text "),
            };
            let _ = writeln!(
                out,
                "    {of_type}{field}; /* {at}: {} \"{}\" */",
                column.kind,
                in_comment(&column.name)
            );
        }
        let n_bytes = program.columns.len().div_ceil(8);
        let _ = writeln!(
            out,
            "    /* Bit c % 8 of byte c / 8 is set where column c is missing. */\n    uint8_t missing[{n_bytes}];\n}} {name}_row;\n"
        );
        let _ = writeln!(out, "/* What is said of a row. */\ntypedef struct {{");
        for (made, field) in program.outputs.iter().zip(&self.fields) {
            let slot = of(made);
            let of_type = match slot.element {
                Element::F32 => format!("{name}_f32"),
                Element::F64 => format!("{name}_f64"),
                Element::I64 => "int32_t".to_string(),
                other => c_type(other).to_string(),
            };
            let length = match made.role {
                OutputRole::Score | OutputRole::Probability => format!("[{}]", slot.length),
                _ => String::new(),
            };
            let _ = writeln!(out, "    {of_type} {field}{length};");
        }
        let _ = writeln!(out, "}} {name}_result;\n");
        let n_classes = program.signature.classes.len();
        if n_classes > 0 {
            let _ = writeln!(
                out,
                "/* Names of the classes, by label. */\n#define {guard}_CLASSES {n_classes}\nextern const char *const {name}_classes[{guard}_CLASSES];\n"
            );
        }
        let _ = writeln!(
            out,
            "/* Says what the model says of a row. 0, or 1 where a text has no room: then the result is not set. */\nint {name}_predict(const {name}_row *row, {name}_result *result);\n"
        );
        if let Some(test) = program.self_test {
            let _ = writeln!(
                out,
                "/* The digest of all outputs on the {} rows of the seed {}; it equals {guard}_DIGEST where this code computes what the\n   model does. There where {guard}_SELF_TEST is defined. */\n#define {guard}_DIGEST UINT64_C(0x{:016x})\nuint64_t {name}_self_test(void);\n",
                test.n_rows, test.seed, test.digest
            );
        }
        out.push_str("#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
        out
    }

    fn source(&self) -> String {
        let (name, program) = (self.name, self.program);
        let guard = name.to_ascii_uppercase();
        let mut out = format!("/* {name}.h says what is here. */\n#include \"{name}.h\"\n\n{FLASH}\n");
        let mut names: Vec<&str> = program.steps.iter().map(|s| s.routine).collect();
        names.sort_unstable();
        names.dedup();
        let own = routines::C.closed(&names);
        let computes = own.iter().any(|r| {
            r.text.contains("double ")
                && !["bin_", "read_", "link_", "_key_f64"].iter().any(|p| r.name.starts_with(p))
        });
        if computes {
            out.push_str(DOUBLES);
            out.push('\n');
        }
        for (at, table) in program.tables.iter().enumerate() {
            self.table(&mut out, &format!("table_{at}"), table);
        }
        out.push('\n');
        for routine in &own {
            let _ = writeln!(out, "{}\n", routine.text);
        }
        self.predict(&mut out);
        let n_classes = program.signature.classes.len();
        if n_classes > 0 {
            let classes = program.signature.classes.iter().map(|c| string(c)).collect::<Vec<_>>().join(", ");
            let _ = writeln!(out, "\nconst char *const {name}_classes[{guard}_CLASSES] = {{{classes}}};");
        }
        if program.self_test.is_some() {
            let _ = writeln!(out, "\n#ifdef {guard}_SELF_TEST\n");
            self.self_test(&mut out, &own.iter().map(|r| r.name).collect::<Vec<_>>());
            let _ = writeln!(out, "#endif");
        }
        out
    }

    fn table(&self, out: &mut String, name: &str, table: &Table) {
        fn all<T>(values: &[T], shown: impl Fn(&T) -> String) -> Vec<String> {
            values.iter().map(shown).collect()
        }
        let (of_type, mut values) = match table {
            Table::U8(v) => ("uint8_t", all(v, u8::to_string)),
            Table::I8(v) => ("int8_t", all(v, i8::to_string)),
            Table::I16(v) => ("int16_t", all(v, |&x| whole(x.into()))),
            Table::U16(v) => ("uint16_t", all(v, u16::to_string)),
            Table::I32(v) => ("int32_t", all(v, |&x| whole(x.into()))),
            Table::U32(v) => ("uint32_t", all(v, |x| format!("{x}u"))),
            Table::I64(v) => ("int64_t", all(v, |&x| whole(x))),
            Table::F32(v) => ("float", all(v, |&x| double(x.into()) + if x.is_finite() { "f" } else { "" })),
            Table::F64(v) => ("double", all(v, |&x| double(x))),
        };
        if values.is_empty() {
            // C has no empty array.
            values.push("0".to_string());
        }
        let _ = write!(out, "static const SM_FLASH {of_type} {name}[{}] = {{", values.len());
        values::in_lines(out, &values);
        out.push_str("\n};\n");
    }

    fn argument(&self, argument: &Argument) -> String {
        let from = |slot: usize, first: usize| {
            let place = self.memory.places[slot] + first;
            let name = array(self.program.slots[slot].element);
            if place == 0 { name.to_string() } else { format!("{name} + {place}") }
        };
        match *argument {
            Argument::Slot(slot) | Argument::Out(slot) => from(slot, 0),
            Argument::OutFrom(slot, first) => from(slot, first),
            Argument::Element(slot) | Argument::SlotText(slot) => {
                format!("{}[{}]", array(self.program.slots[slot].element), self.memory.places[slot])
            }
            Argument::Codes => "codes".to_string(),
            Argument::Code(code) => format!("codes + {code}"),
            Argument::Table(table) => format!("table_{table}"),
            Argument::NoTable => "0".to_string(),
            Argument::Number(column) => {
                format!("row->{}, row->missing[{}] >> {} & 1", self.columns[column], column / 8, column % 8)
            }
            Argument::Missing => "row->missing".to_string(),
            Argument::Text(column) => {
                let field = &self.columns[column];
                format!(
                    "sm_given(row->{field}.bytes, row->{field}.length, row->missing[{}] >> {} & 1)",
                    column / 8,
                    column % 8
                )
            }
            Argument::Whole(n) => whole(n),
            Argument::Length(n) => n.to_string(),
            Argument::Flag(flag) => i32::from(flag).to_string(),
            Argument::Double(x) => double(x),
        }
    }

    fn call(&self, step: &Step) -> String {
        let arguments: Vec<String> = step.arguments.iter().map(|a| self.argument(a)).collect();
        format!("sm_{}({});", step.routine, arguments.join(", "))
    }

    fn predict(&self, out: &mut String) {
        let (name, program) = (self.name, self.program);
        if program.steps.iter().flat_map(|s| &s.arguments).any(|a| matches!(a, Argument::Text(_))) {
            out.push_str(
                "/* Text as it was given. */\nstatic sm_text sm_given(const char *bytes, uint32_t length, int is_missing)\n{\n    sm_text text;\n    text.bytes = is_missing ? 0 : (const uint8_t *)bytes;\n    text.length = length;\n    return text;\n}\n\n",
            );
        }
        let _ = writeln!(out, "int {name}_predict(const {name}_row *row, {name}_result *result)\n{{");
        if program.n_codes > 0 {
            let _ = writeln!(out, "    uint8_t codes[{}];", program.n_codes);
        }
        for &(element, length) in &self.memory.lengths {
            let _ = writeln!(out, "    {} {}[{length}];", c_type(element), array(element));
        }
        if program.outputs.iter().any(|made| matches!(made.role, OutputRole::Score | OutputRole::Probability))
        {
            out.push_str("    uint32_t k;\n");
        }
        if program
            .steps
            .iter()
            .flat_map(|s| &s.arguments)
            .all(|a| !matches!(a, Argument::Number(_) | Argument::Text(_)))
        {
            out.push_str("    (void)row;\n");
        }
        for step in &program.steps {
            let _ = writeln!(out, "    {}", self.call(step));
            for slot in step.refusals(program) {
                let place = self.memory.places[slot];
                let _ = writeln!(out, "    if (u8[{place}] != 0) {{\n        return 1;\n    }}");
            }
        }
        for (made, field) in program.outputs.iter().zip(&self.fields) {
            let slot = program.slots[made.slot];
            let (from, place) = (array(slot.element), self.memory.places[made.slot]);
            let bits = if slot.element == Element::F32 { ".bits" } else { "" };
            match (made.role, slot.element) {
                (OutputRole::Score | OutputRole::Probability, _) => {
                    let _ = writeln!(
                        out,
                        "    for (k = 0; k < {}; k++) {{\n        result->{field}[k]{bits} = {from}[{place} + k];\n    }}",
                        slot.length
                    );
                }
                (_, Element::F64) => {
                    let _ = writeln!(out, "    result->{field}.value = {from}[{place}];");
                }
                _ => {
                    let _ = writeln!(out, "    result->{field} = (int32_t){from}[{place}];");
                }
            }
        }
        out.push_str("    return 0;\n}\n");
    }

    fn self_test(&self, out: &mut String, defined: &[&str]) {
        let (name, program) = (self.name, self.program);
        let Some(test) = program.self_test else { return };
        let mut names: Vec<&str> = program.samples.iter().map(Sample::routine).collect();
        names.extend(["_digest", "_mix"]);
        names.sort_unstable();
        names.dedup();
        for routine in routines::C.closed(&names).iter().filter(|r| !defined.contains(&r.name)) {
            let _ = writeln!(out, "{}\n", routine.text);
        }
        let mut tables = Vec::new();
        let mut draws = String::new();
        for (at, (sample, field)) in program.samples.iter().zip(&self.columns).enumerate() {
            let arguments = sample.arguments(&mut |table| {
                tables.push(table);
                Argument::Table(tables.len() - 1)
            });
            let said = arguments.iter().map(|argument| match argument {
                Argument::Table(table) => format!("test_{table}"),
                other => self.argument(other),
            });
            let said = said.collect::<Vec<_>>().join(", ");
            let routine = sample.routine();
            if sample.is_text() {
                let _ =
                    writeln!(draws, "            length = sm_{routine}(text_{at}, &states[{at}], {said});");
                let _ = writeln!(
                    draws,
                    "            row.{field}.bytes = (const char *)text_{at};\n            row.{field}.length = length < 0 ? 0 : (uint32_t)length;"
                );
                let _ = writeln!(
                    draws,
                    "            row.missing[{}] = (uint8_t)(row.missing[{}] | (length < 0) << {});",
                    at / 8,
                    at / 8,
                    at % 8
                );
            } else {
                let cell = match program.columns[at].integer {
                    Some(_) => "whole".to_string(),
                    None => format!("row.{field}"),
                };
                let _ =
                    writeln!(draws, "            is_missing = sm_{routine}(&{cell}, &states[{at}], {said});");
                if let Some(integer) = program.columns[at].integer {
                    let (of_type, (low, high)) = (integer.c_type(), integer.range());
                    let (low, high) = (whole(low), whole(high));
                    let _ = writeln!(
                        draws,
                        "            row.{field} = ({of_type})(whole < {low} ? {low} : whole > {high} ? {high} : whole);"
                    );
                }
                let _ = writeln!(
                    draws,
                    "            row.missing[{}] = (uint8_t)(row.missing[{}] | is_missing << {});",
                    at / 8,
                    at / 8,
                    at % 8
                );
            }
        }
        for (at, table) in tables.iter().enumerate() {
            self.table(out, &format!("test_{at}"), table);
        }
        let n = program.columns.len();
        let _ = writeln!(
            out,
            "\nuint64_t {name}_self_test(void)\n{{\n    uint64_t digest = UINT64_C(0x53474d442d313634);\n    uint64_t states[{n}];\n    {name}_row row;\n    {name}_result result;\n    uint32_t output, at, c;"
        );
        if program.samples.iter().any(Sample::is_text) {
            out.push_str("    int32_t length;\n");
        }
        if program.samples.iter().any(|s| !s.is_text()) {
            out.push_str("    int is_missing;\n");
        }
        if program.columns.iter().any(|c| c.integer.is_some()) {
            out.push_str("    int64_t whole;\n");
        }
        for (at, sample) in program.samples.iter().enumerate().filter(|(_, s)| s.is_text()) {
            let _ = writeln!(out, "    uint8_t text_{at}[{}];", sample.longest());
        }
        let n_outputs = program.outputs.len();
        let _ = writeln!(
            out,
            "    /* Output by output: rows are drawn again, so that none need be kept. */\n    for (output = 0; output < {n_outputs}; output++) {{\n        for (c = 0; c < {n}; c++) {{\n            states[c] = UINT64_C({}) + c;\n        }}\n        for (at = 0; at < {}; at++) {{\n            for (c = 0; c < sizeof row.missing; c++) {{\n                row.missing[c] = 0;\n            }}\n{draws}            if ({name}_predict(&row, &result) != 0) {{\n                return 0;\n            }}\n            switch (output) {{",
            test.seed, test.n_rows
        );
        for (at, (made, field)) in program.outputs.iter().zip(&self.fields).enumerate() {
            let slot = program.slots[made.slot];
            let _ = writeln!(out, "            case {at}:");
            let word = match slot.element {
                Element::F32 => format!("result.{field}[c].bits"),
                Element::F64 => format!("result.{field}.bits"),
                Element::I32 => format!("(uint64_t)(int64_t)result.{field}[c]"),
                _ => format!("(uint64_t)(int64_t)result.{field}"),
            };
            if matches!(made.role, OutputRole::Score | OutputRole::Probability) {
                let _ = writeln!(
                    out,
                    "                for (c = 0; c < {}; c++) {{\n                    sm__digest(&digest, {word});\n                }}",
                    slot.length
                );
            } else {
                let _ = writeln!(out, "                sm__digest(&digest, {word});");
            }
            let _ = writeln!(out, "                break;");
        }
        out.push_str("            default:\n                break;\n            }\n        }\n    }\n    return sm__mix(digest);\n}\n\n");
    }
}

/// A whole number as C writes it.
fn whole(n: i64) -> String {
    match (i32::try_from(n), n) {
        // A minus is an operator, and what is behind it must fit.
        (Ok(i32::MIN), _) => "(-2147483647 - 1)".to_string(),
        (Ok(n), _) => n.to_string(),
        (_, i64::MIN) => "(-INT64_C(9223372036854775807) - 1)".to_string(),
        (_, n) if n < 0 => format!("-INT64_C({})", n.unsigned_abs()),
        (_, n) => format!("INT64_C({n})"),
    }
}

/// A double as C99 writes it, to the bit.
fn double(x: f64) -> String {
    if x.is_nan() {
        // Constants are finite or infinite; a NaN stands for missing.
        return "(0.0 / 0.0)".to_string();
    }
    if x.is_infinite() {
        return if x > 0.0 { "(1.0 / 0.0)" } else { "(-1.0 / 0.0)" }.to_string();
    }
    if let Some(short) = values::short_double(x) {
        return short;
    }
    let bits = x.to_bits();
    let (sign, exponent, fraction) = (bits >> 63, bits >> 52 & 0x7ff, bits & ((1 << 52) - 1));
    let minus = if sign == 1 { "-" } else { "" };
    let (lead, power) = if exponent == 0 { (0, -1022) } else { (1, exponent as i64 - 1023) };
    let digits = format!("{fraction:013x}");
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    format!("{minus}0x{lead}{point}{digits}p{power}")
}

/// A string of C.
fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(byte as char);
            }
            // Two question marks could begin a trigraph.
            b'?' => out.push_str("\\?"),
            0x20..=0x7e => out.push(byte as char),
            _ => {
                let _ = write!(out, "\\{byte:03o}");
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_strings_are_written_as_c_reads_them() {
        let cases = [
            (1.5, "0x1.8p0"),
            (-0.1, "-0x1.999999999999ap-4"),
            (3.0, "3.0"),
            (-0.0, "-0x0p-1022"),
            (5e-324, "0x0.0000000000001p-1022"),
            (1e300, "0x1.7e43c8800759cp996"),
        ];
        for (x, expected) in cases {
            assert_eq!(double(x), expected);
        }
        for (n, expected) in [
            (5, "5"),
            (-5, "-5"),
            (i64::MIN, "(-INT64_C(9223372036854775807) - 1)"),
            (1 << 40, "INT64_C(1099511627776)"),
        ] {
            assert_eq!(whole(n), expected);
        }
        assert_eq!(string("a\"?\u{e9}"), "\"a\\\"\\?\\303\\251\"");
    }
}
