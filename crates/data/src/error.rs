//! What can go wrong with a table, in the user's own names.
//!
//! Every message has the form `where: what is wrong: expected X, got Y; what to do`. Rows are
//! counted from 1 after the header, so that row 1 is the first row of data.

mod show;

use ir::{ColumnKind, Task};
use show::{
    AtLine, Cells, FirstCell, Hint, List, MissingList, Place, Quoted, Shell, count, delimiter_name,
    encoding_cure, needs,
};
use std::io;

pub(crate) use show::{LISTED, short};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Who can mend an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// The user: the data or the request is wrong.
    Input,
    /// We could add it.
    Unsupported,
    /// Smidgen itself is wrong.
    Bug,
}

/// An error of reading, typing or binding a table.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> &Kind {
        &self.0
    }

    /// Who can mend it.
    pub fn nature(&self) -> Nature {
        match *self.0 {
            Kind::Format { .. }
            | Kind::TextTimes { .. }
            | Kind::ArrayType { .. }
            | Kind::ArrayDType { .. } => Nature::Unsupported,
            Kind::SeveralClasses { .. } | Kind::MixedTargets { .. } => Nature::Unsupported,
            Kind::ColumnType { .. } | Kind::ParquetCodec { .. } | Kind::ParquetPart { .. } => {
                Nature::Unsupported
            }
            Kind::Arrow { .. } => Nature::Bug,
            _ => Nature::Input,
        }
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Error {
        Error(Box::new(kind))
    }
}

/// A cell that is not what its column should hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCell {
    /// Row, from 1 after the header.
    pub row: u64,
    /// The trimmed cell, cut after 40 characters.
    pub cell: String,
}

/// A column that a model needs and a table does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingColumn {
    /// Its name in the signature.
    pub name: String,
    /// The most alike name in the table.
    pub nearest: Option<String>,
}

/// What can go wrong.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Kind {
    /// The file cannot be opened or read.
    #[error("{file}: cannot be read: {source}; check the path and its permissions")]
    Unreadable {
        /// File as the user named it.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// Standard input could not be kept in a temporary file.
    #[error("{file}: cannot be kept in a temporary file: {source}; free disk space or set TMPDIR")]
    Spool {
        /// Name of the input.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A folder where a file is needed.
    #[error("{file}: expected a CSV file, got a folder; name a file in it")]
    Folder {
        /// File as the user named it.
        file: String,
    },
    /// A known format that is not read yet.
    #[error(
        "{file}: expected a CSV file, got {format}; write the table as CSV, plain or gzip, or as Parquet"
    )]
    Format {
        /// File as the user named it.
        file: String,
        /// Name of the format.
        format: &'static str,
    },
    /// A gzip file that ends early or has wrong bytes.
    #[error("{file}: the gzip data is damaged: {source}; copy or download the file again")]
    DamagedGzip {
        /// File as the user named it.
        file: String,
        /// What the decoder said.
        source: io::Error,
    },
    /// A Parquet file that ends early or has wrong bytes.
    #[error("{file}: the Parquet data is damaged: {source}; copy or download the file again")]
    DamagedParquet {
        /// File as the user named it.
        file: String,
        /// What the decoder said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A part of Parquet that the decoder does not know yet.
    #[error("{file}: {what}, which is not read yet; write the file without it, or as CSV")]
    ParquetPart {
        /// File as the user named it.
        file: String,
        /// What the decoder said.
        what: String,
    },
    /// A column packed in a way that is not compiled in.
    #[error(
        "{file}: column {column:?} ({position}) is compressed with {codec}, which is not read yet; write it with snappy, zstd or none, or leave it out with --drop {column}"
    )]
    ParquetCodec {
        /// File as the user named it.
        file: String,
        /// Name of the column.
        column: String,
        /// Position of the column, from 1.
        position: usize,
        /// Name of the compression.
        codec: String,
    },
    /// A column of a type that is no column of a table.
    #[error(
        "{file}: column {column:?} ({position}) has type {got}, which is not read; leave it out with --drop {column}"
    )]
    ColumnType {
        /// File as the user named it.
        file: String,
        /// Name of the column.
        column: String,
        /// Position of the column, from 1.
        position: usize,
        /// Its type.
        got: String,
    },
    /// A time that 64 bits of microseconds cannot hold.
    #[error(
        "{file}: row {row}, column {column:?} ({position}): expected a time within 292,000 years of 1970, got another; mend it, or leave the column out with --drop {column}"
    )]
    TimeRange {
        /// File as the user named it.
        file: String,
        /// Name of the column.
        column: String,
        /// Position of the column, from 1.
        position: usize,
        /// Row, from 1.
        row: u64,
    },
    /// A zero byte in a text of a typed file.
    #[error(
        "{file}: row {row}, column {column:?} ({position}): expected text, got a zero byte; take it out, or leave the column out with --drop {column}"
    )]
    ZeroText {
        /// File as the user named it.
        file: String,
        /// Row, from 1.
        row: u64,
        /// Name of the column.
        column: String,
        /// Position of the column, from 1.
        position: usize,
    },
    /// A typed file without rows.
    #[error("{file}: expected rows, got none; check that it was written")]
    EmptyTable {
        /// File as the user named it.
        file: String,
    },
    /// No byte, or blank lines only.
    #[error("{file}: expected a header and rows, got an empty file; check that it was written")]
    EmptyFile {
        /// File as the user named it.
        file: String,
    },
    /// A header and nothing after it.
    #[error("{file}: expected rows after the header, got none; the first line is the header")]
    NoRows {
        /// File as the user named it.
        file: String,
    },
    /// A column without a name.
    #[error(
        "{file}: column {position} has no name; name it in the header, or write the table without its row index"
    )]
    EmptyName {
        /// File as the user named it.
        file: String,
        /// Position of the column, from 1.
        position: usize,
    },
    /// Two columns of one name.
    #[error("{file}: columns {first} and {second} are both named {name:?}; rename one of them")]
    DuplicateName {
        /// File as the user named it.
        file: String,
        /// The name.
        name: String,
        /// Position of the first, from 1.
        first: usize,
        /// Position of the second, from 1.
        second: usize,
    },
    /// A row with more or fewer cells than the header.
    #[error(
        "{file}: row {row} has {cells}, the {first} has {columns} (line {line}, delimiter {delimiter}); quote cells that hold the delimiter, or mend the row",
        cells = count(*.cells, "cell"), columns = count(*.columns, "column"), delimiter = delimiter_name(*.delimiter),
        first = if *.has_header { "header" } else { "first row" }
    )]
    Ragged {
        /// File as the user named it.
        file: String,
        /// Row, from 1 after the header.
        row: u64,
        /// Line, from 1.
        line: u64,
        /// Cells in the row.
        cells: usize,
        /// Cells in the first row.
        columns: usize,
        /// The delimiter that was used.
        delimiter: u8,
        /// True if the first row is the header.
        has_header: bool,
    },
    /// Bytes that are not UTF-8.
    #[error(
        "{file}: {place}: expected UTF-8 text, got byte 0x{byte:02x} (line {line}); {cure}",
        place = Place(*.row, .column, *.position), cure = encoding_cure(*.is_latin1)
    )]
    Utf8 {
        /// File as the user named it.
        file: String,
        /// Row, from 1 after the header; 0 for the header itself.
        row: u64,
        /// Line, from 1.
        line: u64,
        /// Name of the column; empty in the header.
        column: String,
        /// Position of the column, from 1.
        position: usize,
        /// The first wrong byte.
        byte: u8,
        /// True if the file may be Latin-1.
        is_latin1: bool,
    },
    /// A zero byte in a cell.
    #[error(
        "{file}: {place}: expected text, got a zero byte (line {line}); is this a binary file? write the table as CSV",
        place = Place(*.row, .column, *.position)
    )]
    ZeroByte {
        /// File as the user named it.
        file: String,
        /// Row, from 1 after the header; 0 for the header itself.
        row: u64,
        /// Line, from 1.
        line: u64,
        /// Name of the column; empty in the header.
        column: String,
        /// Position of the column, from 1.
        position: usize,
    },
    /// A quoted cell without its closing quote.
    #[error(
        "{file}: the quote opened at line {line} is never closed; close it, or write quotes inside cells twice (\"\")"
    )]
    OpenQuote {
        /// File as the user named it.
        file: String,
        /// Line of the opening quote, from 1.
        line: u64,
    },
    /// A record too long to be a row of a table.
    #[error(
        "{file}: the row that begins at line {line} is longer than {limit} bytes; is this a CSV file? check that its lines end, or leave out the cell that is so long"
    )]
    LongRecord {
        /// File as the user named it.
        file: String,
        /// Line where it begins, from 1.
        line: u64,
        /// Most bytes of a row.
        limit: u64,
    },
    /// The second pass saw something else than the first.
    #[error("{file}: changed while it was read (row {row}); read it again when nothing writes it")]
    Changed {
        /// File as the user named it.
        file: String,
        /// Row, from 1 after the header.
        row: u64,
    },
    /// Nearly all cells of a column are numbers.
    #[error(
        "{file}: column {column:?} ({position}): expected a number in every cell, as in {n_numbers} of {n_cells}, got {cells}; declare it missing with --missing {first}, or keep the column as text with --types {column}=category",
        cells = Cells(.cells, *.n_bad), first = FirstCell(.cells)
    )]
    MostlyNumbers {
        /// File as the user named it.
        file: String,
        /// Name of the column.
        column: String,
        /// Position of the column, from 1.
        position: usize,
        /// Cells that are numbers.
        n_numbers: u64,
        /// Cells that are not missing.
        n_cells: u64,
        /// Cells that are no numbers.
        n_bad: u64,
        /// The first three of them.
        cells: Vec<BadCell>,
    },
    /// A column declared a number that holds text.
    #[error(
        "{file}: column {column:?} ({position}) is declared number: expected numbers, got {cells}; declare it missing with --missing {first}, or leave out --types {column}=number",
        cells = Cells(.cells, *.n_bad), first = FirstCell(.cells)
    )]
    DeclaredNumber {
        /// File as the user named it.
        file: String,
        /// Name of the column.
        column: String,
        /// Position of the column, from 1.
        position: usize,
        /// Cells that are no numbers.
        n_bad: u64,
        /// The first three of them.
        cells: Vec<BadCell>,
    },
    /// A text cell where a model takes a number.
    #[error(
        "{file}: column {column:?} ({position}): expected a number, got {cell} at row {row}{at}; declare it missing with --missing {shell}",
        cell = Quoted(.cell), shell = Shell(.cell), at = AtLine(*.line)
    )]
    TextInNumber {
        /// File as the user named it.
        file: String,
        /// Name of the column.
        column: String,
        /// Position of the column, from 1.
        position: usize,
        /// Row, from 1 after the header.
        row: u64,
        /// Line, from 1; files that are no text have none.
        line: Option<u64>,
        /// The trimmed cell, cut after 40 characters.
        cell: String,
    },
    /// A name that no column has.
    #[error(
        "{file}: no column {name:?}{hint} columns: {columns}",
        hint = Hint(.nearest), columns = List(.columns, *.n_columns)
    )]
    UnknownColumn {
        /// File as the user named it.
        file: String,
        /// The name asked for.
        name: String,
        /// The most alike name.
        nearest: Option<String>,
        /// The first 20 columns.
        columns: Vec<String>,
        /// Number of columns.
        n_columns: usize,
    },
    /// Columns that a model needs and a table does not have.
    #[error("{table}: {columns}; add or rename the column", columns = MissingList(.columns))]
    MissingColumns {
        /// File as the user named it, or `table`.
        table: String,
        /// Every missing column.
        columns: Vec<MissingColumn>,
    },
    /// A column declared a time that holds something else.
    #[error(
        "{file}: column {column:?} ({position}) is declared time: no known format of time reads every cell up to {cell} at row {row}; mend the cell, declare it missing with --missing {shell}, or leave out --types {column}=time",
        cell = Quoted(.cell), shell = Shell(.cell)
    )]
    DeclaredTime {
        /// File as the user named it.
        file: String,
        /// Name of the column.
        column: String,
        /// Position of the column, from 1.
        position: usize,
        /// Row of the first such cell, from 1 after the header.
        row: u64,
        /// The trimmed cell, cut after 40 characters.
        cell: String,
    },
    /// Times that a model takes as a typed file stores them, in a file of text.
    #[error(
        "{file}: column {column:?}: the model takes times as Parquet stores them, CSV holds text; write the table as Parquet"
    )]
    TextTimes {
        /// File as the user named it.
        file: String,
        /// Name of the column.
        column: String,
    },
    /// A delimiter that no CSV file can have.
    #[error(
        "expected a delimiter that is one ASCII character other than a quote or a line end, got byte 0x{byte:02x}; use one of , ; | or tab"
    )]
    Delimiter {
        /// The byte asked for.
        byte: u8,
    },
    /// An Arrow type that is no column of a table.
    #[error("column {column:?}: Arrow type {got} is not supported; cast it to {cast}")]
    ArrayType {
        /// Name of the column.
        column: String,
        /// Its Arrow type.
        got: String,
        /// Types that are.
        cast: &'static str,
    },
    /// An Arrow type that cannot mean what the model takes.
    #[error("column {column:?}: expected {expected}, got Arrow type {got}; cast it before binding")]
    WrongType {
        /// Name of the column.
        column: String,
        /// Kind of the model's input.
        expected: ColumnKind,
        /// Its Arrow type.
        got: String,
    },
    /// A part of a set of arrays or images that is not what it should be.
    #[error("{file}: {part}: expected {expected}, got {got}; {cure}")]
    Part {
        /// File as the user named it.
        file: String,
        /// The part: an array, an image, a line.
        part: String,
        /// What is asked for.
        expected: String,
        /// What is there.
        got: String,
        /// What to do.
        cure: &'static str,
    },
    /// Arrays of a type that is not read or written.
    #[error("{file}: array \"{name}\": type {got} is not supported; {cure}")]
    ArrayDType {
        /// File as the user named it.
        file: String,
        /// Name of the array.
        name: String,
        /// Its type.
        got: String,
        /// What to do.
        cure: &'static str,
    },
    /// A table cannot be written.
    #[error("cannot be written: {why}")]
    Write {
        /// What the writer says.
        why: String,
    },
    /// Batches of one table that are not alike.
    #[error(
        "{table}: batch {batch} has other columns or types than the first; cast it, or make a table of each"
    )]
    OtherSchema {
        /// Name of the table.
        table: String,
        /// Number of the batch, from 1.
        batch: usize,
    },
    /// More than may be held in memory.
    #[error(
        "{table}: expected at most {most} bytes in memory, got more in the first {n_rows} rows; allow more, leave columns out (--drop), or use fewer rows"
    )]
    TooLarge {
        /// Name of the table.
        table: String,
        /// Bytes that it may take.
        most: u64,
        /// Rows that were read.
        n_rows: usize,
    },
    /// Too much text for one batch.
    #[error(
        "column {column:?}: expected less than 2^31 bytes of text in a batch, got more; use smaller batches"
    )]
    TooLong {
        /// Name of the column.
        column: String,
    },
    /// A column that is no raw text, where raw text is needed.
    #[error("{file}: column {column:?} was not read as raw text; name it in ReadOptions::raw")]
    NotRaw {
        /// File as the user named it.
        file: String,
        /// Name of the column.
        column: String,
    },
    /// A target without any value.
    #[error("target {target:?} has no value in {n_rows}; check the column and the --missing markers", n_rows = count(*.n_rows, "row"))]
    TargetMissing {
        /// Name of the target.
        target: String,
        /// Number of rows.
        n_rows: usize,
    },
    /// A target with one class.
    #[error(
        "target {target:?} has one class, {class:?}; expected at least two, so add rows of another class"
    )]
    OneClass {
        /// Name of the target.
        target: String,
        /// The class.
        class: String,
    },
    /// A class that is none of those that are known.
    #[error(
        "target {target:?}: expected one of {classes}, got {class:?} or another in {n_rows}; take those rows out of the table",
        n_rows = count(*.n_rows, "row"), classes = List(.classes, *.n_classes)
    )]
    OtherClass {
        /// Name of the target.
        target: String,
        /// The first such class.
        class: String,
        /// Rows of such classes.
        n_rows: usize,
        /// The first 20 known classes.
        classes: Vec<String>,
        /// Number of known classes.
        n_classes: usize,
    },
    /// A number of classes that the task does not have.
    #[error("target {target:?} has {n_classes} classes, {task} needs {needs}; use --task {other}", needs = needs(*.task))]
    TargetClasses {
        /// Name of the target.
        target: String,
        /// The task asked for.
        task: Task,
        /// Classes found.
        n_classes: usize,
        /// The task that fits.
        other: Task,
    },
    /// Regression on a target that holds text.
    #[error(
        "target {target:?} (regression): expected numbers, got {cells}; use --task {other}, or drop these rows with --missing {first}",
        cells = Cells(.cells, *.n_bad), first = FirstCell(.cells)
    )]
    TargetText {
        /// Name of the target.
        target: String,
        /// Cells that are no numbers.
        n_bad: u64,
        /// The first three of them.
        cells: Vec<BadCell>,
        /// The task that fits.
        other: Task,
    },
    /// Nearly all cells of a target are numbers.
    #[error(
        "target {target:?}: expected a number in every cell, as in {n_numbers} of {n_cells}, got {cells}; drop these rows with --missing {first}, or learn classes with --task multiclass",
        cells = Cells(.cells, *.n_bad), first = FirstCell(.cells)
    )]
    TargetMostlyNumbers {
        /// Name of the target.
        target: String,
        /// Cells that are numbers.
        n_numbers: u64,
        /// Cells that are not missing.
        n_cells: u64,
        /// Cells that are no numbers.
        n_bad: u64,
        /// The first three of them.
        cells: Vec<BadCell>,
    },
    /// Regression on a target with an infinite value.
    #[error(
        "target {target:?} (regression): expected finite numbers, got {cell:?} at row {row}; drop these rows with --missing {cell}"
    )]
    TargetInfinite {
        /// Name of the target.
        target: String,
        /// Row, from 1 after the header.
        row: u64,
        /// The cell.
        cell: String,
    },
    /// A positive class that is no class.
    #[error(
        "target {target:?}: no class {positive:?}{hint} classes: {classes}",
        hint = Hint(.nearest), classes = List(.classes, *.n_classes)
    )]
    UnknownClass {
        /// Name of the target.
        target: String,
        /// The class asked for.
        positive: String,
        /// The most alike class.
        nearest: Option<String>,
        /// The first 20 classes.
        classes: Vec<String>,
        /// Number of classes.
        n_classes: usize,
    },
    /// A positive class where the task has none.
    #[error("target {target:?} ({task}): --positive {positive} is for binary tasks; leave it out")]
    PositiveTask {
        /// Name of the target.
        target: String,
        /// The task.
        task: Task,
        /// The class asked for.
        positive: String,
    },
    /// More than two classes beside another target.
    #[error(
        "target {target:?}: one of several targets has 2 classes or is a number, got {n_classes} classes; say --task regression where it is a number, or fit a model of it alone"
    )]
    SeveralClasses {
        /// Name of the target.
        target: String,
        /// Its classes.
        n_classes: usize,
    },
    /// Targets of two kinds.
    #[error(
        "targets {number:?} and {classes:?}: several targets are all numbers or all of 2 classes, got a number and classes; fit a model of each kind, or say --task regression where both are numbers"
    )]
    MixedTargets {
        /// A target of numbers.
        number: String,
        /// A target of classes.
        classes: String,
    },
    /// Arrow refused what this crate made.
    #[error("a batch could not be made: {source}; please report this")]
    Arrow {
        /// What Arrow said.
        source: arrow_schema::ArrowError,
    },
}
