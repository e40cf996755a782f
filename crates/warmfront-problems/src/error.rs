//! What can go wrong when a problem is built, read or evaluated.

use std::error::Error;

use thiserror::Error as ThisError;
use warmfront_core::{ObjectiveError, SpaceError};

/// Why a problem could not be built, read or evaluated.
///
/// An evaluation that was made and failed is no error but
/// [`Outcome::Failed`](warmfront_core::Outcome::Failed).
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum ProblemError {
    /// No standard problem has this name.
    #[error("no problem is named `{name}`, close names: {}", close.join(", "))]
    UnknownProblem {
        /// The name asked for.
        name: String,
        /// The names most like it, closest first.
        close: Vec<&'static str>,
    },
    /// A standard problem does not come in this size.
    #[error("`{name}` does not exist with {dim} inputs and {objectives} objectives: {expected}")]
    Size {
        /// The problem's name.
        name: &'static str,
        /// Inputs asked for.
        dim: usize,
        /// Objectives asked for.
        objectives: usize,
        /// The sizes it has.
        expected: &'static str,
    },
    /// A standard problem comes in one size only.
    #[error("`{name}` has {d} inputs and {m} objectives, asked for were {dim} and {objectives}")]
    FixedSize {
        /// The problem's name.
        name: &'static str,
        /// Inputs asked for.
        dim: usize,
        /// Objectives asked for.
        objectives: usize,
        /// Inputs it has.
        d: usize,
        /// Objectives it has.
        m: usize,
    },
    /// No evaluation gives a value of an objective about which a belief is asked for.
    #[error("none of {samples} configurations has a value of objective {objective} to believe in")]
    NothingToBelieve {
        /// The objective.
        objective: usize,
        /// How many configurations were to be evaluated.
        samples: usize,
    },
    /// A table has no rows, or not the columns it must have.
    #[error(
        "the table has {rows} rows and {columns} columns, expected at least {expected} columns and one row"
    )]
    TableShape {
        /// Rows found.
        rows: usize,
        /// Columns found.
        columns: usize,
        /// Fewest columns that make sense.
        expected: usize,
    },
    /// A table's cell is NaN or infinite, or not positive where a logarithm is taken.
    #[error("row {row}, column {column} of the table is {value}, which cannot be used")]
    TableCell {
        /// Row of the cell.
        row: usize,
        /// Column of the cell.
        column: usize,
        /// Its value.
        value: f64,
    },
    /// Bytes are not an `.npy` array that can be read here.
    #[error("not a readable npy array")]
    Npy(#[from] NpyError),
    /// A JSON file does not have the layout it should have.
    #[error("{what} cannot be read")]
    Json {
        /// Which file.
        what: &'static str,
        /// Where it is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A parameter that a surrogate needs is not in its space, or is of an unknown kind.
    #[error("the parameter `{name}` of {what} is {problem}")]
    Layout {
        /// Which file or model.
        what: &'static str,
        /// The parameter.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A line of a statistics table cannot be read.
    #[error("line {line} of the statistics is not `metric,statistic,value,scenario,instance`")]
    Statistics {
        /// The line, counted from 1.
        line: usize,
    },
    /// A scenario has no such instance.
    #[error("the scenario has no instance `{name}` among its {instances}")]
    UnknownInstance {
        /// The instance asked for.
        name: String,
        /// How many instances it has.
        instances: usize,
    },
    /// A task belongs to another scenario.
    #[error("the task belongs to the scenario `{expected}`, not to `{found}`")]
    OtherScenario {
        /// The task's scenario.
        expected: String,
        /// The scenario given.
        found: &'static str,
    },
    /// A surrogate has no such output.
    #[error("no output is named `{name}`, there are: {}", known.join(", "))]
    UnknownOutput {
        /// The output asked for.
        name: String,
        /// The outputs it has.
        known: Vec<&'static str>,
    },
    /// The bytes of a surrogate are not a model, or not the model they should be.
    #[error("the surrogate model cannot be loaded: {reason}")]
    Model {
        /// What is wrong.
        reason: &'static str,
        /// The runtime's error, where it has one.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// A surrogate failed to predict.
    #[error("the surrogate failed on a batch of {rows} rows")]
    Prediction {
        /// Rows of the batch.
        rows: usize,
        /// The runtime's error.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A candidate of a parametric problem has no task.
    #[error("`{name}` needs a task of {expected} coordinates, the candidate has none")]
    NoTask {
        /// The problem's name.
        name: String,
        /// Its task parameters.
        expected: usize,
    },
    /// A task does not have one coordinate per task parameter.
    #[error("a task of `{name}` has {expected} coordinates, got {found}")]
    TaskDimension {
        /// The problem's name.
        name: String,
        /// Its task parameters.
        expected: usize,
        /// Coordinates of the task.
        found: usize,
    },
    /// A configuration or space is not valid.
    #[error("the space or configuration is not valid")]
    Space(#[from] SpaceError),
    /// Objectives or their values are not valid.
    #[error("the objectives or their values are not valid")]
    Objectives(#[from] ObjectiveError),
}

/// Why bytes are not an `.npy` array that can be read here.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum NpyError {
    /// The first bytes are not `\x93NUMPY`.
    #[error("the bytes do not start with the npy magic")]
    Magic,
    /// The format version is unknown.
    #[error("npy format version {major}.{minor} is not supported, only 1.0 to 3.0 are")]
    Version {
        /// Major version found.
        major: u8,
        /// Minor version found.
        minor: u8,
    },
    /// The bytes end inside the header.
    #[error("the header needs {expected} bytes, there are {found}")]
    TruncatedHeader {
        /// Bytes needed.
        expected: usize,
        /// Bytes there.
        found: usize,
    },
    /// The header is not the dictionary it should be.
    #[error("the header has no readable `{key}`")]
    Header {
        /// The entry that is missing or unreadable.
        key: &'static str,
    },
    /// The elements are not little-endian 64-bit floats.
    #[error("the elements are `{found}`, only little-endian f64 (`<f8`) is read")]
    ElementType {
        /// The type found.
        found: String,
    },
    /// The array is not two-dimensional.
    #[error("the array has {found} dimensions, expected 2")]
    Dimensions {
        /// Dimensions found.
        found: usize,
    },
    /// The bytes of the elements do not match the shape.
    #[error("{rows}×{columns} elements need {expected} bytes, there are {found}")]
    Length {
        /// Rows by the header.
        rows: usize,
        /// Columns by the header.
        columns: usize,
        /// Bytes needed.
        expected: usize,
        /// Bytes there.
        found: usize,
    },
}
