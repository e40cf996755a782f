//! `config_space.json` (ConfigSpace's JSON format) as a search space.

use serde::Deserialize;
use warmfront_core::{Domain, FidelityRange, Scale, SearchSpace, Value};

use super::layout::YahpoLayout;
use crate::ProblemError;

const WHAT: &str = "config_space.json";

#[derive(Deserialize)]
struct Raw {
    hyperparameters: Vec<RawParameter>,
    #[serde(default)]
    conditions: Vec<RawCondition>,
}

#[derive(Deserialize)]
struct RawParameter {
    name: String,
    #[serde(flatten)]
    kind: RawKind,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum RawKind {
    Categorical { choices: Vec<String> },
    UniformInt { lower: i64, upper: i64, log: bool },
    UniformFloat { lower: f64, upper: f64, log: bool },
}

#[derive(Deserialize)]
struct RawCondition {
    child: String,
    parent: String,
    #[serde(flatten)]
    kind: RawConditionKind,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "UPPERCASE")]
enum RawConditionKind {
    Eq { value: String },
    In { values: Vec<String> },
}

pub(crate) struct ScenarioSpace {
    pub(crate) space: SearchSpace,
    pub(crate) instances: Vec<String>,
}

fn layout_error(name: &str, problem: &'static str) -> ProblemError {
    ProblemError::Layout {
        what: WHAT,
        name: name.to_owned(),
        problem,
    }
}

impl Raw {
    fn conditions_of<'a>(&'a self, child: &'a str) -> impl Iterator<Item = &'a RawCondition> {
        self.conditions
            .iter()
            .filter(move |condition| condition.child == child)
    }
}

impl RawParameter {
    fn domain(&self) -> Domain {
        let scale = |log| if log { Scale::Log } else { Scale::Linear };
        match &self.kind {
            RawKind::Categorical { choices } => Domain::categorical(choices.iter().cloned()),
            &RawKind::UniformInt { lower, upper, log } => Domain::Integer {
                low: lower,
                high: upper,
                scale: scale(log),
            },
            &RawKind::UniformFloat { lower, upper, log } => Domain::Real {
                low: lower,
                high: upper,
                scale: scale(log),
            },
        }
    }
}

/// Splits the parameters into the search space, the instances and the fidelity; those that the
/// layout fixes are left out.
pub(crate) fn read(bytes: &[u8], layout: &YahpoLayout) -> Result<ScenarioSpace, ProblemError> {
    let raw: Raw = serde_json::from_slice(bytes)
        .map_err(|source| ProblemError::Json { what: WHAT, source })?;
    let find = |name: &str| {
        raw.hyperparameters
            .iter()
            .find(|parameter| parameter.name == name)
    };
    for name in layout.numeric.iter().chain(layout.categorical) {
        if find(name).is_none() {
            return Err(layout_error(name, "missing"));
        }
    }
    let instances = match find(layout.instance).map(|parameter| &parameter.kind) {
        Some(RawKind::Categorical { choices }) if !choices.is_empty() => choices.clone(),
        _ => return Err(layout_error(layout.instance, "not a list of instances")),
    };
    let range = match find(layout.fidelity).map(|parameter| &parameter.kind) {
        Some(&RawKind::UniformFloat { lower, upper, .. }) => {
            FidelityRange::real(layout.fidelity, lower, upper)?
        }
        Some(&RawKind::UniformInt { lower, upper, .. }) => {
            let whole = |bound| u32::try_from(bound);
            let (Ok(low), Ok(high)) = (whole(lower), whole(upper)) else {
                return Err(layout_error(layout.fidelity, "not a range of budgets"));
            };
            FidelityRange::integer(layout.fidelity, low, high)?
        }
        _ => return Err(layout_error(layout.fidelity, "not a range of budgets")),
    };

    let outside = |name: &str| {
        name == layout.instance
            || name == layout.fidelity
            || layout.fixed.iter().any(|(fixed, _)| *fixed == name)
    };
    let mut builder = SearchSpace::builder().fidelity(range);
    // A condition may only look back, and the files do not promise that parents come first.
    let (free, conditional): (Vec<_>, Vec<_>) = raw
        .hyperparameters
        .iter()
        .filter(|parameter| !outside(&parameter.name))
        .partition(|parameter| raw.conditions_of(&parameter.name).next().is_none());
    for parameter in free.into_iter().chain(conditional) {
        let name = parameter.name.as_str();
        let listed = match parameter.kind {
            RawKind::Categorical { .. } => layout.categorical,
            _ => layout.numeric,
        };
        if !listed.contains(&name) {
            return Err(layout_error(name, "no input of the surrogate"));
        }
        builder = builder.param(name, parameter.domain());
        for condition in raw.conditions_of(name) {
            let texts = match &condition.kind {
                RawConditionKind::Eq { value } => std::slice::from_ref(value),
                RawConditionKind::In { values } => values,
            };
            let values: Vec<Value> = texts
                .iter()
                .map(|text| Value::from(text.as_str()))
                .collect();
            builder = builder.when(condition.parent.as_str(), values);
        }
    }
    Ok(ScenarioSpace {
        space: builder.build()?,
        instances,
    })
}
