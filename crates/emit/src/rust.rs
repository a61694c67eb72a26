//! A program as a Rust module without `std`: one file.

use crate::c::fields;
use crate::memory::used;
use crate::names::{check_identifier, identifiers, in_comment};
use crate::program::{Argument, Element, Program, Step, Table};
use crate::sample::Sample;
use crate::{Error, SourceFile, readme, routines, values};
use ir::{DType, OutputRole};
use std::fmt::Write as _;

/// Prints a program as a module of this name, `NAME.rs`, and `README.md`. It needs neither `std` nor `alloc`, and has no
/// `unsafe`.
///
/// # Errors
/// A name that is no identifier in small letters.
pub fn rust(program: &Program, name: &str) -> Result<Vec<SourceFile>, Error> {
    check_identifier(name)?;
    let columns = identifiers(program.columns.iter().map(|c| &c.name[..]));
    let printer = Printer { program, columns, fields: fields(program) };
    let source = SourceFile { name: format!("{name}.rs"), text: printer.source() };
    let readme = SourceFile { name: "README.md".to_string(), text: readme::of_rust(program, name) };
    Ok(vec![source, readme])
}

struct Printer<'p> {
    program: &'p Program,
    columns: Vec<String>,
    fields: Vec<String>,
}

/// The type of an element in memory.
fn rust_type(element: Element) -> &'static str {
    match element {
        Element::U8 => "u8",
        Element::I16 => "i16",
        Element::U16 => "u16",
        Element::I32 => "i32",
        Element::U32 | Element::F32 => "u32",
        Element::I64 => "i64",
        Element::F64 => "f64",
        Element::Text => "Option<&[u8]>",
    }
}

impl Printer<'_> {
    fn has_text(&self) -> bool {
        self.program.columns.iter().any(|c| c.dtype == DType::Str)
    }

    fn source(&self) -> String {
        let program = self.program;
        let mut out = format!(
            "//! A model of \"{}\"; README.md says what it takes and gives. No `std`, no heap, no `unsafe`.\n\n\
             #![allow(clippy::all, clippy::pedantic, dead_code, unused_mut, unused_variables)]\n\n",
            in_comment(&program.signature.target)
        );
        let life = if self.has_text() { "<'a>" } else { "" };
        let _ = writeln!(
            out,
            "/// A row: columns in the order of the table; none is missing.\n#[derive(Clone, Copy, Debug, Default)]\npub struct Row{life} {{"
        );
        for (column, field) in program.columns.iter().zip(&self.columns) {
            let of_type = match (column.integer, column.dtype) {
                (Some(integer), _) => integer.name(),
                (None, DType::I64) => "i64",
                (None, DType::F64) => "f64",
                _ => "&'a str",
            };
            let _ = writeln!(
                out,
                "    /// {} \"{}\"\n    pub {field}: Option<{of_type}>,",
                column.kind,
                in_comment(&column.name)
            );
        }
        let _ = writeln!(
            out,
            "}}\n\n/// What is said of a row.\n#[derive(Clone, Copy, Debug)]\npub struct Output {{"
        );
        for (made, field) in program.outputs.iter().zip(&self.fields) {
            let slot = program.slots[made.slot];
            let one = match slot.element {
                Element::F32 => "f32",
                other => rust_type(other),
            };
            let of_type = match made.role {
                OutputRole::Score | OutputRole::Probability => format!("[{one}; {}]", slot.length),
                _ => one.to_string(),
            };
            let _ = writeln!(out, "    /// {}\n    pub {field}: {of_type},", made.role.name());
        }
        out.push_str("}\n");
        let classes = &program.signature.classes;
        if !classes.is_empty() {
            let _ = writeln!(
                out,
                "\n/// Names of the classes, by label.\npub const CLASSES: [&str; {}] = {classes:?};",
                classes.len()
            );
        }
        let mut names: Vec<&str> = program.steps.iter().map(|s| s.routine).collect();
        if program.self_test.is_some() {
            names.extend(program.samples.iter().map(Sample::routine));
            names.extend(["_digest", "_mix"]);
        }
        self.predict(&mut out);
        let mut tables: Vec<(String, Table)> =
            program.tables.iter().enumerate().map(|(at, t)| (format!("TABLE_{at}"), t.clone())).collect();
        if program.self_test.is_some() {
            self.self_test(&mut out, &mut tables);
        }
        out.push('\n');
        for (name, table) in &tables {
            self.table(&mut out, name, table);
        }
        for routine in routines::RUST.closed(&names) {
            let _ = writeln!(out, "\n{}", routine.text);
        }
        out
    }

    fn table(&self, out: &mut String, name: &str, table: &Table) {
        fn all<T>(values: &[T], shown: impl Fn(&T) -> String) -> Vec<String> {
            values.iter().map(shown).collect()
        }
        let (of_type, values) = match table {
            Table::U8(v) => ("u8", all(v, u8::to_string)),
            Table::I8(v) => ("i8", all(v, i8::to_string)),
            Table::I16(v) => ("i16", all(v, i16::to_string)),
            Table::U16(v) => ("u16", all(v, u16::to_string)),
            Table::I32(v) => ("i32", all(v, i32::to_string)),
            Table::U32(v) => ("u32", all(v, u32::to_string)),
            Table::I64(v) => ("i64", all(v, i64::to_string)),
            Table::F32(v) => ("f32", all(v, |x| format!("f32::from_bits(0x{:x})", x.to_bits()))),
            Table::F64(v) => ("f64", all(v, |x| double(*x))),
        };
        let _ = write!(out, "static {name}: [{of_type}; {}] = [", values.len());
        values::in_lines(out, &values);
        out.push_str("\n];\n");
    }

    fn argument(&self, argument: &Argument) -> String {
        match *argument {
            Argument::Slot(slot) => format!("&v{slot}"),
            Argument::Out(slot) => format!("&mut v{slot}"),
            Argument::OutFrom(slot, first) => format!("&mut v{slot}[{first}..]"),
            Argument::Element(slot) | Argument::SlotText(slot) => format!("v{slot}[0]"),
            Argument::Codes => "&codes".to_string(),
            Argument::Code(code) => format!("&mut codes[{code}]"),
            Argument::Table(table) => format!("&TABLE_{table}"),
            Argument::NoTable => "&[]".to_string(),
            Argument::Number(column) => {
                let field = &self.columns[column];
                match self.program.columns[column].integer {
                    Some(_) => format!("row.{field}.unwrap_or_default().into(), row.{field}.is_none()"),
                    None => format!("row.{field}.unwrap_or_default(), row.{field}.is_none()"),
                }
            }
            Argument::Missing => {
                let each: Vec<String> =
                    self.columns.iter().map(|field| format!("row.{field}.is_none()")).collect();
                format!("&[{}]", each.join(", "))
            }
            Argument::Text(column) => format!("row.{}.map(str::as_bytes)", self.columns[column]),
            Argument::Whole(n) => n.to_string(),
            Argument::Length(n) => n.to_string(),
            Argument::Flag(flag) => flag.to_string(),
            Argument::Double(x) => double(x),
        }
    }

    fn call(&self, step: &Step) -> String {
        let (mut arguments, behind) = match step.recoded() {
            Some((code, behind)) => (vec!["&mut codes".to_string(), code.to_string()], behind),
            None => (Vec::new(), &step.arguments[..]),
        };
        arguments.extend(behind.iter().map(|argument| self.argument(argument)));
        format!("{}({});", step.routine, arguments.join(", "))
    }

    fn predict(&self, out: &mut String) {
        let program = self.program;
        let life = if self.has_text() { "<'_>" } else { "" };
        let _ = writeln!(
            out,
            "\n/// Says what the model says of a row; none where a text has no room.\npub fn predict(row: &Row{life}) -> Option<Output> {{"
        );
        if program.n_codes > 0 {
            let _ = writeln!(out, "    let mut codes = [0u8; {}];", program.n_codes);
        }
        for (at, slot) in program.slots.iter().enumerate().filter(|(at, _)| used(program, *at)) {
            let of_type = rust_type(slot.element);
            let first = match slot.element {
                Element::Text => "None",
                Element::F64 => "0.0",
                _ => "0",
            };
            let _ = writeln!(out, "    let mut v{at}: [{of_type}; {n}] = [{first}; {n}];", n = slot.length);
        }
        for step in &program.steps {
            let _ = writeln!(out, "    {}", self.call(step));
            for slot in step.refusals(program) {
                let _ = writeln!(out, "    if v{slot}[0] != 0 {{\n        return None;\n    }}");
            }
        }
        out.push_str("    Some(Output {\n");
        for (made, field) in program.outputs.iter().zip(&self.fields) {
            let (slot, element) = (made.slot, program.slots[made.slot].element);
            let value = match made.role {
                OutputRole::Score | OutputRole::Probability if element == Element::F32 => {
                    format!("v{slot}.map(f32::from_bits)")
                }
                OutputRole::Score | OutputRole::Probability => format!("v{slot}"),
                _ => format!("v{slot}[0]"),
            };
            let _ = writeln!(out, "        {field}: {value},");
        }
        out.push_str("    })\n}\n");
    }

    fn self_test(&self, out: &mut String, tables: &mut Vec<(String, Table)>) {
        let program = self.program;
        let Some(test) = program.self_test else { return };
        let _ = writeln!(
            out,
            "\n/// The digest of all outputs on the {} rows of the seed {}, as the model file has it.\npub const DIGEST: u64 = 0x{:016x};\n\n\
             /// The digest that this code makes of them: [`DIGEST`] where it computes what the model does, 0 where a text has no room.\n\
             pub fn self_test() -> u64 {{\n    let mut digest = 0x5347_4d44_2d31_3634;",
            test.n_rows, test.seed, test.digest
        );
        let n = program.columns.len();
        for (at, sample) in program.samples.iter().enumerate().filter(|(_, s)| s.is_text()) {
            let _ = writeln!(out, "    let mut text_{at} = [0u8; {}];", sample.longest());
        }
        let _ = writeln!(
            out,
            "    // Output by output: rows are drawn again, so that none need be kept.\n    for output in 0..{} {{\n        let mut states: [u64; {n}] = core::array::from_fn(|at| {}u64.wrapping_add(at as u64));\n        for _ in 0..{} {{",
            program.outputs.len(),
            test.seed,
            test.n_rows
        );
        let mut fields = String::new();
        for (at, (sample, field)) in program.samples.iter().zip(&self.columns).enumerate() {
            let arguments = sample.arguments(&mut |table| {
                tables.push((format!("TEST_{}", tables.len()), table));
                Argument::Table(tables.len() - 1)
            });
            let said: Vec<String> = arguments
                .iter()
                .map(|argument| match argument {
                    Argument::Table(table) => format!("&{}", tables[*table].0),
                    Argument::Flag(flag) => i64::from(*flag).to_string(),
                    other => self.argument(other),
                })
                .collect();
            let (routine, said) = (sample.routine(), said.join(", "));
            if sample.is_text() {
                let _ = writeln!(
                    out,
                    "            let length = {routine}(&mut text_{at}, &mut states[{at}], {said});"
                );
                let _ = writeln!(
                    out,
                    "            let {field} = length.and_then(|n| core::str::from_utf8(&text_{at}[..n]).ok());"
                );
            } else {
                let narrowed = program.columns[at].integer.map_or(String::new(), |integer| {
                    let (low, high) = integer.range();
                    format!(".map(|x| x.clamp({low}, {high}) as {})", integer.name())
                });
                let _ = writeln!(
                    out,
                    "            let {field} = {routine}(&mut states[{at}], {said}){narrowed};"
                );
            }
            let _ = write!(fields, "{field}, ");
        }
        let _ = writeln!(
            out,
            "            let Some(said) = predict(&Row {{ {fields}}}) else {{ return 0 }};\n            match output {{"
        );
        for (at, (made, field)) in program.outputs.iter().zip(&self.fields).enumerate() {
            let word = match program.slots[made.slot].element {
                Element::F32 => "u64::from(x.to_bits())",
                Element::F64 => "x.to_bits()",
                _ => "i64::from(x) as u64",
            };
            let _ = match made.role {
                OutputRole::Score | OutputRole::Probability => {
                    writeln!(
                        out,
                        "                {at} => said.{field}.iter().for_each(|&x| _digest(&mut digest, {word})),"
                    )
                }
                _ => writeln!(
                    out,
                    "                {at} => {{\n                    let x = said.{field};\n                    _digest(&mut digest, {word});\n                }}"
                ),
            };
        }
        out.push_str("                _ => {}\n            }\n        }\n    }\n    _mix(digest)\n}\n");
    }
}

/// A double, to the bit.
fn double(x: f64) -> String {
    if let Some(short) = values::short_double(x) {
        return short;
    }
    format!("f64::from_bits(0x{:016x})", x.to_bits())
}
