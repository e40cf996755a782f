//! Everything that can be wrong with a space, an outcome or a request.

use std::error::Error;

use thiserror::Error as ThisError;

use crate::{TrialId, Value};

/// What can be wrong with a search space, a configuration or a point.
#[derive(Debug, Clone, PartialEq, ThisError)]
#[non_exhaustive]
pub enum SpaceError {
    /// The space has no parameters.
    #[error("a search space needs at least one parameter")]
    NoParameters,
    /// Every parameter has a single value, so there is nothing to search.
    #[error("every parameter of the search space has only one value")]
    NothingToSearch,
    /// A parameter has no name.
    #[error("parameter {index} has an empty name")]
    EmptyName {
        /// Position of the parameter.
        index: usize,
    },
    /// Two parameters share a name.
    #[error("parameter name `{name}` is used twice")]
    DuplicateName {
        /// The repeated name.
        name: String,
    },
    /// A real range is empty or not finite.
    #[error("`{name}` needs finite bounds with low < high, got [{low}, {high}]")]
    EmptyRange {
        /// Parameter or fidelity name.
        name: String,
        /// Given lower bound.
        low: f64,
        /// Given upper bound.
        high: f64,
    },
    /// An integer range is empty or has a single value.
    #[error("`{name}` needs integer bounds with low < high, got [{low}, {high}]")]
    EmptyIntegerRange {
        /// Parameter name.
        name: String,
        /// Given lower bound.
        low: i64,
        /// Given upper bound.
        high: i64,
    },
    /// A log scale starts at or below zero.
    #[error("`{name}` has a log scale, which needs low > 0, got {low}")]
    NonPositiveLog {
        /// Parameter name.
        name: String,
        /// Given lower bound.
        low: f64,
    },
    /// A log-scaled integer range reaches further than its values can be told apart.
    #[error("`{name}` is a log-scaled integer up to {high}, at most {limit} is supported")]
    LogIntegerTooLarge {
        /// Parameter name.
        name: String,
        /// Given upper bound.
        high: i64,
        /// Largest supported upper bound.
        limit: i64,
    },
    /// An ordinal or categorical parameter lists no values.
    #[error("`{name}` needs at least one value")]
    NoValues {
        /// Parameter name.
        name: String,
    },
    /// An ordinal or categorical parameter lists a value twice.
    #[error("`{name}` lists the value {value} twice")]
    DuplicateValue {
        /// Parameter name.
        name: String,
        /// The repeated value.
        value: Value,
    },
    /// A number is NaN or infinite.
    #[error("`{name}` has the non-finite value {value}")]
    NonFinite {
        /// Parameter name.
        name: String,
        /// The value.
        value: f64,
    },
    /// A condition was given before any parameter.
    #[error("the condition on `{parent}` follows no parameter")]
    ConditionWithoutParameter {
        /// Parameter the condition looks at.
        parent: String,
    },
    /// A condition looks at a parameter that does not come earlier.
    #[error("`{name}` depends on `{parent}`, which is not an earlier parameter")]
    UnknownParent {
        /// The conditional parameter.
        name: String,
        /// Parameter the condition looks at.
        parent: String,
    },
    /// A condition looks at a real parameter.
    #[error("`{name}` depends on `{parent}`, a real parameter: only discrete ones can be compared")]
    RealParent {
        /// The conditional parameter.
        name: String,
        /// Parameter the condition looks at.
        parent: String,
    },
    /// A condition lists no values and could never hold.
    #[error("`{name}` depends on `{parent}` taking one of no values")]
    EmptyCondition {
        /// The conditional parameter.
        name: String,
        /// Parameter the condition looks at.
        parent: String,
    },
    /// A condition asks for a value its parent cannot take.
    #[error("`{name}` depends on `{parent}` being {value}, which it cannot be")]
    ImpossibleCondition {
        /// The conditional parameter.
        name: String,
        /// Parameter the condition looks at.
        parent: String,
        /// The value.
        value: Value,
    },
    /// A configuration lacks an active parameter.
    #[error("no value for the parameter `{name}`")]
    MissingValue {
        /// Parameter name.
        name: String,
    },
    /// A configuration names a parameter the space does not have.
    #[error("the search space has no parameter `{name}`")]
    UnknownParameter {
        /// The unknown name.
        name: String,
    },
    /// A configuration sets a parameter whose condition does not hold.
    #[error("`{name}` is inactive in this configuration but has the value {value}")]
    InactiveParameter {
        /// Parameter name.
        name: String,
        /// The value given.
        value: Value,
    },
    /// A value is of the wrong kind.
    #[error("`{name}` expects {expected}, got {value}")]
    WrongKind {
        /// Parameter name.
        name: String,
        /// What the domain expects.
        expected: &'static str,
        /// The value given.
        value: Value,
    },
    /// A number lies outside its range.
    #[error("`{name}` is {value}, outside [{low}, {high}]")]
    OutOfRange {
        /// Parameter or fidelity name.
        name: String,
        /// The value given.
        value: Value,
        /// Lower bound.
        low: Value,
        /// Upper bound.
        high: Value,
    },
    /// A value is none of the values an ordinal or categorical parameter lists.
    #[error("`{name}` has no value {value}")]
    NotAValue {
        /// Parameter name.
        name: String,
        /// The value given.
        value: Value,
    },
    /// A coordinate lies outside the unit interval, or is NaN.
    #[error("coordinate {index} is {value}, outside [0, 1]")]
    Coordinate {
        /// Position of the coordinate.
        index: usize,
        /// The coordinate.
        value: f64,
    },
    /// A fidelity lies outside `(0, 1]`, or is NaN.
    #[error("fidelity {value} is outside (0, 1]")]
    Fidelity {
        /// The fidelity.
        value: f64,
    },
    /// The smallest budget of a fidelity range is not positive.
    #[error("the fidelity `{name}` needs budgets above 0, got {low}")]
    NonPositiveBudget {
        /// Fidelity name.
        name: String,
        /// Given smallest budget.
        low: f64,
    },
    /// A table of configurations has no rows.
    #[error("a table of configurations needs at least one row")]
    EmptyTable,
    /// Two rows of a table are the same point.
    #[error("rows {first} and {second} of the table are the same point")]
    DuplicateRow {
        /// The earlier row.
        first: usize,
        /// The later row.
        second: usize,
    },
    /// A row of a table has the wrong number of coordinates.
    #[error("row {row} of the table has {found} coordinates, the space has {expected}")]
    RowDimension {
        /// The row.
        row: usize,
        /// Encoded dimension of the space.
        expected: usize,
        /// Coordinates of the row.
        found: usize,
    },
    /// A row of a table is not a configuration of the space.
    #[error("row {row} of the table is not a configuration of the space")]
    TableRow {
        /// The row.
        row: usize,
        /// What is wrong with it.
        #[source]
        source: Box<SpaceError>,
    },
    /// The confidence of a belief lies outside `(0, 1)`, or is NaN.
    #[error("the confidence in `{name}` is {value}, outside (0, 1)")]
    Confidence {
        /// Parameter name.
        name: String,
        /// The confidence.
        value: f64,
    },
    /// Weights were given for a real or integer parameter.
    #[error("`{name}` lists no values to weigh: it takes a centre and a confidence")]
    WeightsOfNumber {
        /// Parameter name.
        name: String,
    },
    /// A weight is not positive and finite.
    #[error("the weight of {value} in `{name}` is {weight}, it must be above 0 and finite")]
    Weight {
        /// Parameter name.
        name: String,
        /// The weighed value.
        value: Value,
        /// The weight.
        weight: f64,
    },
    /// A value is weighed twice.
    #[error("`{name}` weighs {value} twice")]
    RepeatedWeight {
        /// Parameter name.
        name: String,
        /// The weighed value.
        value: Value,
    },
    /// Weights leave out a value.
    #[error("the weights of `{name}` leave out {value}, every value needs one above 0")]
    MissingWeight {
        /// Parameter name.
        name: String,
        /// The value left out.
        value: Value,
    },
    /// A belief is about an objective that does not exist.
    #[error("a belief is about objective {objective}, there are {objectives}")]
    BeliefObjective {
        /// Position of the objective, from 0.
        objective: usize,
        /// Number of objectives.
        objectives: usize,
    },
    /// Two beliefs are about one objective.
    #[error("two beliefs are about objective {objective}")]
    RepeatedBelief {
        /// Position of the objective, from 0.
        objective: usize,
    },
    /// Beliefs are about different spaces.
    #[error("belief {index} is about another search space than belief 0")]
    BeliefSpace {
        /// Position of the belief.
        index: usize,
    },
}

/// What can be wrong with objectives or their values.
#[derive(Debug, Clone, PartialEq, ThisError)]
#[non_exhaustive]
pub enum ObjectiveError {
    /// There are no objectives.
    #[error("at least one objective is needed")]
    NoObjectives,
    /// An objective has no name.
    #[error("objective {index} has an empty name")]
    EmptyName {
        /// Position of the objective.
        index: usize,
    },
    /// Two objectives share a name.
    #[error("objective name `{name}` is used twice")]
    DuplicateName {
        /// The repeated name.
        name: String,
    },
    /// An objective's value is NaN or infinite.
    #[error("objective `{name}` has the non-finite value {value}")]
    NonFinite {
        /// Name of the objective.
        name: String,
        /// The value.
        value: f64,
    },
    /// A cost is NaN or infinite.
    #[error("the cost of objective {index} has the non-finite value {value}")]
    NonFiniteCost {
        /// Position of the objective.
        index: usize,
        /// The value.
        value: f64,
    },
}

/// What can be wrong with an observation or a pending candidate.
#[derive(Debug, Clone, PartialEq, ThisError)]
#[non_exhaustive]
pub enum ObservationFault {
    /// The point belongs to a space of another dimension.
    #[error("the point has {found} coordinates, expected {expected}")]
    Dimension {
        /// Encoded dimension of the space.
        expected: usize,
        /// Coordinates of the point.
        found: usize,
    },
    /// The task descriptor belongs to a task space of another dimension.
    #[error("the task descriptor has {found} coordinates, expected {expected}")]
    TaskDimension {
        /// Dimension of the task space.
        expected: usize,
        /// Coordinates of the descriptor.
        found: usize,
    },
    /// A strategy over several tasks was not told the task.
    #[error("the task descriptor is missing")]
    MissingTask,
    /// The number of costs is wrong.
    #[error("the outcome has {found} costs, expected {expected}")]
    Objectives {
        /// Number of objectives.
        expected: usize,
        /// Number of costs.
        found: usize,
    },
    /// The trial was told before.
    #[error("the trial was told before")]
    Repeated,
    /// The evaluation got a part of the full budget, of which the strategy has no model.
    #[error("the evaluation got {found} of the full budget, the strategy models full ones only")]
    Fidelity {
        /// The fraction of the full budget.
        found: f64,
    },
    /// The evaluation belongs to a task of which the strategy has no model.
    #[error("the evaluation belongs to another task, the strategy models its target task only")]
    Task,
}

/// Why a strategy could not learn or propose.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum StrategyError {
    /// The space holds fewer unvisited configurations than were asked for.
    #[error("{requested} candidates were asked for, {available} unvisited ones are left")]
    Exhausted {
        /// Candidates asked for.
        requested: usize,
        /// Candidates left.
        available: usize,
    },
    /// An observation does not fit the problem.
    #[error("trial {trial} does not fit the problem")]
    InvalidObservation {
        /// The trial.
        trial: TrialId,
        /// What is wrong with it.
        #[source]
        fault: ObservationFault,
    },
    /// A pending candidate does not fit the problem.
    #[error("pending candidate {index} does not fit the problem")]
    InvalidPending {
        /// Position in the pending list.
        index: usize,
        /// What is wrong with it.
        #[source]
        fault: ObservationFault,
    },
    /// The strategy's model failed.
    #[error("the strategy's model failed")]
    Model(#[source] Box<dyn Error + Send + Sync>),
}

impl StrategyError {
    /// Wraps the failure of a model.
    pub fn model(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Model(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_was_expected_and_what_came() {
        let check = |error: &dyn Error, message: &str| assert_eq!(error.to_string(), message);
        check(
            &SpaceError::EmptyRange {
                name: "lr".into(),
                low: 1.0,
                high: 0.5,
            },
            "`lr` needs finite bounds with low < high, got [1, 0.5]",
        );
        check(
            &SpaceError::OutOfRange {
                name: "depth".into(),
                value: Value::from(17),
                low: Value::from(1),
                high: Value::from(16),
            },
            "`depth` is 17, outside [1, 16]",
        );
        check(
            &SpaceError::ImpossibleCondition {
                name: "degree".into(),
                parent: "kernel".into(),
                value: Value::from("cubic"),
            },
            "`degree` depends on `kernel` being \"cubic\", which it cannot be",
        );
        check(
            &SpaceError::Coordinate {
                index: 2,
                value: 1.5,
            },
            "coordinate 2 is 1.5, outside [0, 1]",
        );
        check(
            &ObjectiveError::NonFinite {
                name: "loss".into(),
                value: f64::NAN,
            },
            "objective `loss` has the non-finite value NaN",
        );
        check(
            &StrategyError::Exhausted {
                requested: 3,
                available: 1,
            },
            "3 candidates were asked for, 1 unvisited ones are left",
        );
    }

    #[test]
    fn causes_are_chained_and_not_repeated() {
        let error = StrategyError::InvalidObservation {
            trial: TrialId(7),
            fault: ObservationFault::Objectives {
                expected: 2,
                found: 3,
            },
        };
        assert_eq!(error.to_string(), "trial 7 does not fit the problem");
        let source = error.source().expect("the fault is the source");
        assert_eq!(source.to_string(), "the outcome has 3 costs, expected 2");

        let error = StrategyError::model("no convergence");
        assert_eq!(error.to_string(), "the strategy's model failed");
        assert_eq!(error.source().expect("kept").to_string(), "no convergence");
    }
}
