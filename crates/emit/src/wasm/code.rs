//! The functions of a model: what the library calls, each a row of calls into it.

use super::layout::{Layout, NOWHERE};
use super::library::{Library, Routine};
use crate::program::{Argument, Element, Program};
use crate::{Error, Kind};
use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, MemArgTarget, ValType};

/// Parameters of the functions: values of columns, and which are missing; states of what is drawn.
const VALUES: u32 = 0;
const MISSING: u32 = 1;
const STATES: u32 = 2;
/// Bytes of a value, and of a state.
const WORD: u32 = 8;

/// A place in memory; it is aligned to a power of two.
fn place(offset: u32, align: u32) -> MemArg {
    MemArg { offset: offset.into(), align, target: MemArgTarget::Memory(0), ordering: None }
}

/// Instructions that push what a routine takes, checked against its parameters.
struct Call<'f, 's> {
    sink: InstructionSink<'f>,
    routine: &'s Routine,
    name: &'static str,
    n_pushed: usize,
}

impl Call<'_, '_> {
    /// Notes a number on the stack.
    ///
    /// # Errors
    /// The routine takes another type in its place.
    fn pushed(&mut self, of_type: ValType) -> Result<(), Error> {
        self.n_pushed += 1;
        match self.routine.parameters.get(self.n_pushed - 1) {
            Some(taken) if *taken == of_type => Ok(()),
            _ => Err(misfit(self.name)),
        }
    }

    fn i32(&mut self, value: u32) -> Result<(), Error> {
        self.sink.i32_const(value.cast_signed());
        self.pushed(ValType::I32)
    }

    /// A place in memory and how many elements stand there.
    fn slice(&mut self, (at, n): (u32, u32)) -> Result<(), Error> {
        self.i32(at)?;
        self.i32(n)
    }

    /// The address of a word behind a parameter.
    fn address(&mut self, parameter: u32, offset: u32) -> Result<(), Error> {
        self.sink.local_get(parameter).i32_const(offset.cast_signed()).i32_add();
        self.pushed(ValType::I32)
    }

    /// A whole number in the type that the routine takes.
    fn whole(&mut self, value: i64) -> Result<(), Error> {
        match (self.routine.parameters.get(self.n_pushed), i32::try_from(value)) {
            (Some(ValType::I64), _) => {
                self.sink.i64_const(value);
                self.pushed(ValType::I64)
            }
            (_, Ok(value)) => self.i32(value.cast_unsigned()),
            // A number without a sign.
            _ => self.i32(u32::try_from(value).map_err(|_| misfit(self.name))?),
        }
    }

    /// The number at an address.
    fn load(&mut self, element: Element, at: u32) -> Result<(), Error> {
        let place = |align| place(at, align);
        self.sink.i32_const(0);
        match element {
            Element::U8 => self.sink.i32_load8_u(place(0)),
            Element::I16 => self.sink.i32_load16_s(place(1)),
            Element::U16 => self.sink.i32_load16_u(place(1)),
            Element::I32 | Element::U32 | Element::F32 | Element::Text => self.sink.i32_load(place(2)),
            Element::I64 => self.sink.i64_load(place(3)),
            Element::F64 => self.sink.f64_load(place(3)),
        };
        self.pushed(match element {
            Element::I64 => ValType::I64,
            Element::F64 => ValType::F64,
            _ => ValType::I32,
        })
    }

    fn argument(
        &mut self,
        argument: &Argument,
        (program, layout): (&Program, &Layout<'_>),
    ) -> Result<(), Error> {
        match *argument {
            Argument::Slot(slot) | Argument::Out(slot) => self.slice(layout.slot(slot, 0)),
            Argument::OutFrom(slot, first) => self.slice(layout.slot(slot, first)),
            Argument::Element(slot) => self.load(program.slots[slot].element, layout.slot(slot, 0).0),
            Argument::SlotText(slot) => {
                let (first, _) = layout.slot(slot, 0);
                self.load(Element::Text, first)?;
                self.load(Element::Text, first + 4)
            }
            Argument::Codes => self.slice((layout.codes(), program.n_codes as u32)),
            Argument::Code(code) => self.i32(layout.codes() + code as u32),
            Argument::Table(table) => self.slice(layout.table_at(table)),
            Argument::NoTable => self.slice((NOWHERE, 0)),
            Argument::Number(column) => {
                let offset = WORD * column as u32;
                self.sink.local_get(VALUES);
                if program.columns[column].is_whole() {
                    self.sink.i64_load(place(offset, 3));
                    self.pushed(ValType::I64)?;
                } else {
                    self.sink.f64_load(place(offset, 3));
                    self.pushed(ValType::F64)?;
                }
                self.sink.local_get(MISSING).i32_load8_u(place(column as u32, 0));
                self.pushed(ValType::I32)
            }
            Argument::Text(column) => {
                for half in [0, 4] {
                    self.sink.local_get(VALUES).i32_load(place(WORD * column as u32 + half, 2));
                    self.pushed(ValType::I32)?;
                }
                Ok(())
            }
            Argument::Missing => {
                self.sink.local_get(MISSING);
                self.pushed(ValType::I32)?;
                self.i32(program.columns.len() as u32)
            }
            Argument::Whole(value) => self.whole(value),
            Argument::Length(n) => self.whole(n as i64),
            Argument::Flag(flag) => self.whole(flag.into()),
            Argument::Double(x) => {
                self.sink.f64_const(x.into());
                self.pushed(ValType::F64)
            }
        }
    }

    /// The call itself.
    fn end(mut self) -> Result<(), Error> {
        if self.n_pushed != self.routine.parameters.len() {
            return Err(misfit(self.name));
        }
        self.sink.call(self.routine.function);
        Ok(())
    }
}

fn misfit(routine: &str) -> Error {
    Kind::Library(format!("routine {routine} takes something else")).into()
}

/// Begins a call of a routine.
fn call<'f, 's>(
    function: &'f mut Function,
    library: &'s Library<'_>,
    name: &'static str,
) -> Result<Call<'f, 's>, Error> {
    let routine = library.routine(name)?;
    Ok(Call { sink: function.instructions(), routine, name, n_pushed: 0 })
}

/// `head() -> i32`: where the head stands.
pub(super) fn head(at: u32) -> Vec<u8> {
    let mut function = Function::new([]);
    function.instructions().i32_const(at.cast_signed()).end();
    function.into_raw_body()
}

/// `row(values, missing) -> i32`: runs a row; 1 where a text of it has no room.
pub(super) fn row(program: &Program, layout: &Layout<'_>, library: &Library<'_>) -> Result<Vec<u8>, Error> {
    let mut function = Function::new([]);
    for step in &program.steps {
        let mut call = call(&mut function, library, step.routine)?;
        let recoded = step.recoded();
        if let Some((code, _)) = recoded {
            call.argument(&Argument::Codes, (program, layout))?;
            call.i32(code as u32)?;
        }
        for argument in recoded.map_or(&step.arguments[..], |(_, behind)| behind) {
            call.argument(argument, (program, layout))?;
        }
        call.end()?;
        for slot in step.refusals(program) {
            let (at, _) = layout.slot(slot, 0);
            let mut sink = function.instructions();
            sink.i32_const(0).i32_load8_u(place(at, 0));
            sink.if_(BlockType::Empty).i32_const(1).return_().end();
        }
    }
    function.instructions().i32_const(0).end();
    Ok(function.into_raw_body())
}

/// `draw(values, missing, states)`: draws a row of the self-test.
pub(super) fn draw(
    program: &Program,
    layout: &mut Layout<'_>,
    library: &Library<'_>,
) -> Result<Vec<u8>, Error> {
    let mut function = Function::new([]);
    for (column, sample) in program.samples.iter().enumerate() {
        let mut tables = Vec::new();
        let arguments = sample.arguments(&mut |table| {
            tables.push(table);
            Argument::Table(tables.len() - 1)
        });
        let places: Vec<(u32, u32)> =
            tables.iter().map(|table| layout.table(table)).collect::<Result<_, _>>()?;
        let mut call = call(&mut function, library, sample.routine())?;
        if sample.is_text() {
            call.slice((layout.text(column), sample.longest() as u32))?;
        }
        call.address(STATES, WORD * column as u32)?;
        for argument in &arguments {
            match argument {
                Argument::Table(table) => call.slice(places[*table])?,
                other => call.argument(other, (program, layout))?,
            }
        }
        call.address(VALUES, WORD * column as u32)?;
        call.address(MISSING, column as u32)?;
        call.end()?;
    }
    function.instructions().end();
    Ok(function.into_raw_body())
}
