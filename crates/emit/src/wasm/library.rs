//! The library as it was built, and how a model is joined with it: what the model does not call is left out.

use super::source::PREFIX;
use crate::{Error, Kind};
use std::collections::BTreeMap;
use std::convert::Infallible;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, ExportKind, ExportSection, FunctionSection,
    GlobalSection, MemorySection, MemoryType, Module, TableSection, TypeSection, ValType,
};
use wasmparser::{ExternalKind, FunctionBody, Operator, Parser, Payload, TypeRef};

/// What `cargo xtask library` built.
pub(super) const BUILT: &[u8] = include_bytes!("library.wasm");

/// Bytes of a page of memory.
const PAGE: u64 = 1 << 16;
/// What begins the names that JavaScript calls.
const CALLED: &str = "smidgen_";

/// A routine of the library.
pub(super) struct Routine {
    /// Its number there.
    pub(super) function: u32,
    pub(super) parameters: Vec<ValType>,
}

/// The library, read.
pub(super) struct Library<'b> {
    payloads: Vec<Payload<'b>>,
    bodies: Vec<FunctionBody<'b>>,
    /// The type of each function, imports first.
    types: Vec<u32>,
    /// Names of what the model is to bring, in order: the first functions.
    imports: Vec<&'b str>,
    exports: BTreeMap<&'b str, (ExternalKind, u32)>,
    routines: BTreeMap<&'b str, Routine>,
    /// Functions that are called by their place in a table.
    elements: Vec<u32>,
    n_pages: u64,
}

/// What is a model's own.
pub(super) struct Own<'c> {
    /// Bodies of functions by the name under which the library imports them, which call by the library's numbers.
    pub(super) functions: Vec<(&'static str, Vec<u8>)>,
    /// Constants, and where they stand.
    pub(super) constants: (u32, &'c [u8]),
}

fn damaged(e: impl std::fmt::Display) -> Error {
    Kind::Library(e.to_string()).into()
}

impl<'b> Library<'b> {
    /// Reads it.
    ///
    /// # Errors
    /// It is not what was built.
    pub(super) fn read(bytes: &'b [u8]) -> Result<Library<'b>, Error> {
        let payloads: Result<Vec<Payload<'b>>, _> = Parser::new(0).parse_all(bytes).collect();
        let payloads = payloads.map_err(damaged)?;
        let mut library = Library {
            payloads: Vec::new(),
            bodies: Vec::new(),
            types: Vec::new(),
            imports: Vec::new(),
            exports: BTreeMap::new(),
            routines: BTreeMap::new(),
            elements: Vec::new(),
            n_pages: 0,
        };
        let mut parameters: Vec<Vec<ValType>> = Vec::new();
        for payload in &payloads {
            library.note(payload, &mut parameters)?;
        }
        library.payloads = payloads;
        for (name, &(kind, function)) in &library.exports {
            if let (Some(name), ExternalKind::Func) = (name.strip_prefix(PREFIX), kind) {
                let of_type = library.types.get(function as usize).and_then(|t| parameters.get(*t as usize));
                let parameters = of_type.ok_or_else(|| damaged("a function without a type"))?.clone();
                library.routines.insert(name, Routine { function, parameters });
            }
        }
        Ok(library)
    }

    fn note(&mut self, payload: &Payload<'b>, parameters: &mut Vec<Vec<ValType>>) -> Result<(), Error> {
        match payload {
            Payload::TypeSection(section) => {
                for of_type in section.clone().into_iter_err_on_gc_types() {
                    let of_type = of_type.map_err(damaged)?;
                    let all = of_type.params().iter().map(|&t| ValType::try_from(t).map_err(damaged));
                    parameters.push(all.collect::<Result<_, _>>()?);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    let import = import.map_err(damaged)?;
                    let TypeRef::Func(of_type) = import.ty else {
                        return Err(damaged("an import that is no function"));
                    };
                    self.imports.push(import.name);
                    self.types.push(of_type);
                }
            }
            Payload::FunctionSection(section) => {
                for of_type in section.clone() {
                    self.types.push(of_type.map_err(damaged)?);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    self.n_pages = memory.map_err(damaged)?.initial;
                }
            }
            Payload::ExportSection(section) => {
                for export in section.clone() {
                    let export = export.map_err(damaged)?;
                    self.exports.insert(export.name, (export.kind, export.index));
                }
            }
            Payload::ElementSection(section) => {
                for element in section.clone() {
                    let wasmparser::ElementItems::Functions(functions) = element.map_err(damaged)?.items
                    else {
                        return Err(damaged("elements that are no functions"));
                    };
                    for function in functions {
                        self.elements.push(function.map_err(damaged)?);
                    }
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body.clone()),
            _ => {}
        }
        Ok(())
    }

    /// The first address that the library does not use.
    pub(super) fn end(&self) -> Result<u32, Error> {
        u32::try_from(self.n_pages * PAGE).map_err(damaged)
    }

    /// A routine by its name.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn routine(&self, name: &str) -> Result<&Routine, Error> {
        self.routines.get(name).ok_or_else(|| damaged(format!("no routine {name}")))
    }

    /// The number that a function without parameters gives, if it is a constant.
    #[cfg(test)]
    pub(super) fn constant(&self, name: &str) -> Option<i64> {
        let (_, function) = self.exports.get(name)?;
        let body = self.bodies.get((*function as usize).checked_sub(self.imports.len())?)?;
        match body.get_operators_reader().ok()?.read().ok()? {
            Operator::I64Const { value } => Some(value),
            _ => None,
        }
    }

    /// By function of the library that is its own, whether it is needed: by JavaScript, by a table, by one of these, or by
    /// one that is.
    fn needed(&self, own: &Own<'_>) -> Result<Vec<bool>, Error> {
        let n_imports = self.imports.len();
        let mut needed = vec![false; self.bodies.len()];
        let by_name = self
            .exports
            .iter()
            .filter(|(name, (kind, _))| *kind == ExternalKind::Func && name.starts_with(CALLED));
        let mut open: Vec<u32> = by_name.map(|(_, (_, function))| *function).collect();
        open.extend(&self.elements);
        for (_, own) in &own.functions {
            open.extend(calls(&body(own))?);
        }
        while let Some(function) = open.pop() {
            let Some(own) = (function as usize).checked_sub(n_imports) else { continue };
            let (Some(is_needed), Some(body)) = (needed.get_mut(own), self.bodies.get(own)) else {
                return Err(damaged("a function that is not there"));
            };
            if std::mem::replace(is_needed, true) {
                continue;
            }
            open.extend(calls(body)?);
        }
        Ok(needed)
    }

    /// The library and what is a model's own as one module without imports.
    ///
    /// # Errors
    /// The library is not what was built.
    pub(super) fn joined(&self, own: &Own<'_>) -> Result<Vec<u8>, Error> {
        let needed = self.needed(own)?;
        let n_kept = needed.iter().filter(|n| **n).count() as u32;
        // Those of the library keep their order; the model's come behind.
        let mut numbers = Vec::with_capacity(self.types.len());
        for name in &self.imports {
            let place = own.functions.iter().position(|(own, _)| own == name);
            numbers.push(n_kept + place.ok_or_else(|| damaged(format!("an import {name}")))? as u32);
        }
        let mut next = 0;
        for &is_needed in &needed {
            // One that is left out is asked for by nobody.
            numbers.push(if is_needed { next } else { u32::MAX });
            next += u32::from(is_needed);
        }
        let mut again = Renumbered(&numbers);
        let mut module = Module::new();
        let error = |e: reencode::Error<Infallible>| damaged(e);
        let mut functions = FunctionSection::new();
        let of_library = self.types.iter().skip(self.imports.len()).zip(&needed);
        of_library.filter(|(_, needed)| **needed).for_each(|(of_type, _)| {
            functions.function(*of_type);
        });
        for (name, _) in &own.functions {
            let import = self.imports.iter().position(|import| import == name);
            let of_type = import.and_then(|at| self.types.get(at)).ok_or_else(|| damaged("an import"))?;
            functions.function(*of_type);
        }
        let mut code = CodeSection::new();
        for (body, _) in self.bodies.iter().zip(&needed).filter(|(_, needed)| **needed) {
            again.parse_function_body(&mut code, body.clone()).map_err(error)?;
        }
        for (_, own) in &own.functions {
            again.parse_function_body(&mut code, body(own)).map_err(error)?;
        }
        let (at, constants) = own.constants;
        for payload in &self.payloads {
            match payload {
                Payload::TypeSection(section) => {
                    let mut types = TypeSection::new();
                    again.parse_type_section(&mut types, section.clone()).map_err(error)?;
                    module.section(&types);
                }
                Payload::FunctionSection(_) => {
                    module.section(&functions);
                }
                Payload::TableSection(section) => {
                    let mut tables = TableSection::new();
                    again.parse_table_section(&mut tables, section.clone()).map_err(error)?;
                    module.section(&tables);
                }
                Payload::MemorySection(_) => {
                    let minimum = (u64::from(at) + constants.len() as u64).div_ceil(PAGE);
                    let mut memories = MemorySection::new();
                    memories.memory(MemoryType {
                        minimum,
                        maximum: None,
                        memory64: false,
                        shared: false,
                        page_size_log2: None,
                    });
                    module.section(&memories);
                }
                Payload::GlobalSection(section) => {
                    let mut globals = GlobalSection::new();
                    again.parse_global_section(&mut globals, section.clone()).map_err(error)?;
                    module.section(&globals);
                }
                Payload::ExportSection(_) => {
                    let mut exports = ExportSection::new();
                    for (name, &(kind, index)) in &self.exports {
                        match kind {
                            ExternalKind::Memory => exports.export(name, ExportKind::Memory, index),
                            ExternalKind::Func if name.starts_with(CALLED) => {
                                exports.export(name, ExportKind::Func, numbers[index as usize])
                            }
                            _ => continue,
                        };
                    }
                    module.section(&exports);
                }
                Payload::ElementSection(section) => {
                    let mut elements = ElementSection::new();
                    again.parse_element_section(&mut elements, section.clone()).map_err(error)?;
                    module.section(&elements);
                }
                Payload::CodeSectionStart { .. } => {
                    module.section(&code);
                }
                Payload::DataSection(section) => {
                    let mut data = DataSection::new();
                    again.parse_data_section(&mut data, section.clone()).map_err(error)?;
                    data.active(0, &ConstExpr::i32_const(at.cast_signed()), constants.iter().copied());
                    module.section(&data);
                }
                _ => {}
            }
        }
        Ok(module.finish())
    }
}

/// A function's body to be read.
fn body(bytes: &[u8]) -> FunctionBody<'_> {
    FunctionBody::new(wasmparser::BinaryReader::new(bytes, 0))
}

/// Functions that a function calls.
fn calls(body: &FunctionBody<'_>) -> Result<Vec<u32>, Error> {
    let mut called = Vec::new();
    let mut operators = body.get_operators_reader().map_err(damaged)?;
    while !operators.eof() {
        match operators.read().map_err(damaged)? {
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                called.push(function_index);
            }
            Operator::RefFunc { .. } => return Err(damaged("a reference to a function")),
            _ => {}
        }
    }
    Ok(called)
}

/// Gives functions their numbers in the joined module.
struct Renumbered<'n>(&'n [u32]);

impl Reencode for Renumbered<'_> {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error<Infallible>> {
        Ok(self.0.get(function as usize).copied().unwrap_or(u32::MAX))
    }
}
