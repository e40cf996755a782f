//! What can be wrong with a definition file.

use thiserror::Error;

use crate::{ObjectiveError, SpaceError};

/// What can be wrong with a file that defines a problem. Nothing in it is ever ignored.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// The text is not JSON of the right shape: a typo, an unknown or repeated field, a wrong type.
    #[error("line {line}, column {column}: {message}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1; 0 for the end of the line before.
        column: usize,
        /// What was found and expected.
        message: String,
    },
    /// A parameter or the fidelity lacks a field that its type needs.
    #[error("`{name}` is {kind}, which needs the field `{field}`")]
    MissingField {
        /// Parameter or fidelity name.
        name: String,
        /// Its type, with its article.
        kind: &'static str,
        /// The missing field.
        field: &'static str,
    },
    /// A parameter has a field that its type does not use.
    #[error("`{name}` is {kind}, which has no field `{field}`")]
    UnusedField {
        /// Parameter name.
        name: String,
        /// Its type, with its article.
        kind: &'static str,
        /// The unused field.
        field: &'static str,
    },
    /// The fidelity has the name of a parameter.
    #[error("`{name}` is both a parameter and the fidelity")]
    FidelityIsParameter {
        /// The shared name.
        name: String,
    },
    /// The space is not valid.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The objectives are not valid.
    #[error(transparent)]
    Objectives(#[from] ObjectiveError),
    /// A prior is about an objective that does not exist.
    #[error("there is a prior for `{objective}`, which is not an objective; there are {known}")]
    UnknownObjective {
        /// The unknown name.
        objective: String,
        /// The names there are.
        known: String,
    },
    /// A prior is about a parameter that does not exist.
    #[error("the prior for `{objective}` is about `{parameter}`, which is not a parameter")]
    UnknownParameter {
        /// Objective of the prior.
        objective: String,
        /// The unknown name.
        parameter: String,
    },
    /// A prior is about the fidelity.
    #[error(
        "the prior for `{objective}` is about the fidelity `{fidelity}`, which is chosen by the \
         strategy and takes no prior"
    )]
    PriorOnFidelity {
        /// Objective of the prior.
        objective: String,
        /// Name of the fidelity.
        fidelity: String,
    },
    /// A prior for an objective names no parameters.
    #[error("the prior for `{objective}` names no parameters, leave it out")]
    EmptyPrior {
        /// Objective of the prior.
        objective: String,
    },
    /// A prior on a parameter has neither a centre nor weights.
    #[error("the prior for `{objective}` on `{parameter}` says nothing, leave it out")]
    EmptyParameterPrior {
        /// Objective of the prior.
        objective: String,
        /// Parameter of the prior.
        parameter: String,
    },
    /// A prior has a centre but no confidence.
    #[error("the prior for `{objective}` on `{parameter}` has a centre but no confidence")]
    CentreWithoutConfidence {
        /// Objective of the prior.
        objective: String,
        /// Parameter of the prior.
        parameter: String,
    },
    /// A prior has a confidence but no centre.
    #[error("the prior for `{objective}` on `{parameter}` has a confidence but no centre")]
    ConfidenceWithoutCentre {
        /// Objective of the prior.
        objective: String,
        /// Parameter of the prior.
        parameter: String,
    },
    /// A prior has weights and also a centre or a confidence.
    #[error(
        "the prior for `{objective}` on `{parameter}` has weights and also a centre or a \
         confidence, give one or the other"
    )]
    WeightsAndCentre {
        /// Objective of the prior.
        objective: String,
        /// Parameter of the prior.
        parameter: String,
    },
    /// A prior does not fit its parameter.
    #[error("the prior for `{objective}` does not fit the space")]
    Prior {
        /// Objective of the prior.
        objective: String,
        /// What is wrong with it.
        #[source]
        source: SpaceError,
    },
}

impl From<serde_json::Error> for DefinitionError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        // The place has fields of its own.
        let place = format!(" at line {line} column {column}");
        let message = text.strip_suffix(&place).unwrap_or(&text).to_owned();
        Self::Json {
            line,
            column,
            message,
        }
    }
}
