//! A problem and an expert's priors from one file.

mod error;
mod wire;

pub use error::DefinitionError;

use crate::{
    Belief, Beliefs, Domain, FidelityRange, Objective, Objectives, Scale, SearchSpace, SpaceError,
    Value,
};
use wire::{Direction, Entries, FidelityKind, File, Kind, Prior, Scalar};

/// What to search, what for, and what an expert believes about it, as read from one JSON file
/// (feature `json`).
///
/// | field | what |
/// |---|---|
/// | `parameters` | a list, parents before children: `name`, `type`, its values, and `when` to make it conditional |
/// | `fidelity` | optional budgets above 0: `name`, `type` (`real` or `integer`), `low`, `high`, `scale` (default `log`) |
/// | `objectives` | a list: `name`, `direction` (`minimize` or `maximize`) |
/// | `priors` | optional, by objective, then by parameter; any may be left out |
///
/// | `type` of a parameter | values | prior |
/// |---|---|---|
/// | `real`, `integer` | `low`, `high`, `scale` (`linear`, the default, or `log`) | `centre` in the user's units and `confidence` in (0, 1) |
/// | `ordinal` | `values`, numbers in a meaningful order | the same, or `weights` by value |
/// | `categorical` | `choices`, names | the same, or `weights` by choice |
///
/// `"when": {"optimizer": ["sgd"]}` makes a parameter count only if all the named parents have one
/// of the listed values. What priors mean is said by [`Belief`]. Whatever cannot be used is an
/// error; nothing is ignored.
///
/// The file `examples/tuning.json` of this crate:
///
/// ```json
#[doc = include_str!("../examples/tuning.json")]
/// ```
///
/// ```
/// use warmfront_core::{Config, Definition, Direction};
///
/// let text = include_bytes!("../examples/tuning.json");
/// let Definition { space, objectives, beliefs } = Definition::from_json(text)?;
///
/// assert_eq!(space.parameter("momentum").expect("there").conditions().len(), 1);
/// assert_eq!(space.fidelity().expect("there").high(), 81.0);
/// assert_eq!(objectives.iter().nth(1).expect("two").direction, Direction::Maximize);
/// let error = beliefs.get(0).expect("given");
/// assert_eq!(space.decode(&error.mode()).text("optimizer"), Some("adam"));
///
/// let typo = br#"{"parameters": [], "objective": []}"#;
/// let error = Definition::from_json(typo).expect_err("a typo");
/// assert_eq!(
///     error.to_string(),
///     "line 1, column 30: unknown field `objective`, expected one of `parameters`, `fidelity`, \
///      `objectives`, `priors`",
/// );
/// # Ok::<(), warmfront_core::DefinitionError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// What to search.
    pub space: SearchSpace,
    /// What for.
    pub objectives: Objectives,
    /// What is believed about each objective.
    pub beliefs: Beliefs,
}

impl Definition {
    /// Reads a definition.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place in the text or the names it is about.
    pub fn from_json(text: &[u8]) -> Result<Self, DefinitionError> {
        let file: File = serde_json::from_slice(text)?;
        let space = space(file.parameters, file.fidelity)?;
        let objective = |objective: wire::Objective| match objective.direction {
            Direction::Minimize => Objective::minimize(objective.name),
            Direction::Maximize => Objective::maximize(objective.name),
        };
        let objectives = Objectives::new(file.objectives.into_iter().map(objective))?;
        let beliefs = file
            .priors
            .0
            .into_iter()
            .map(|(name, prior)| belief(&space, &objectives, name, prior))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            beliefs: Beliefs::new(objectives.len(), beliefs)?,
            space,
            objectives,
        })
    }
}

fn space(
    parameters: Vec<wire::Parameter>,
    fidelity: Option<wire::Fidelity>,
) -> Result<SearchSpace, DefinitionError> {
    let mut builder = SearchSpace::builder();
    if let Some(fidelity) = fidelity {
        if let Some(parameter) = parameters.iter().find(|p| p.name == fidelity.name) {
            return Err(DefinitionError::FidelityIsParameter {
                name: parameter.name.clone(),
            });
        }
        builder = builder.fidelity(range(fidelity)?);
    }
    for mut parameter in parameters {
        let conditions = std::mem::take(&mut parameter.when);
        let name = parameter.name.clone();
        builder = builder.param(name, domain(parameter)?);
        for (parent, values) in conditions.0 {
            builder = builder.when(parent, values.into_iter().map(|Scalar(value)| value));
        }
    }
    Ok(builder.build()?)
}

fn domain(parameter: wire::Parameter) -> Result<Domain, DefinitionError> {
    let wire::Parameter {
        name,
        kind,
        low,
        high,
        scale,
        values,
        choices,
        when: _,
    } = parameter;
    let (title, used): (_, &[&str]) = match kind {
        Kind::Real => ("a real parameter", &["low", "high", "scale"]),
        Kind::Integer => ("an integer parameter", &["low", "high", "scale"]),
        Kind::Ordinal => ("an ordinal parameter", &["values"]),
        Kind::Categorical => ("a categorical parameter", &["choices"]),
    };
    let given = [
        ("low", low.is_some()),
        ("high", high.is_some()),
        ("scale", scale.is_some()),
        ("values", values.is_some()),
        ("choices", choices.is_some()),
    ];
    if let Some((field, _)) = given
        .iter()
        .find(|(field, given)| *given && !used.contains(field))
    {
        return Err(DefinitionError::UnusedField {
            name,
            kind: title,
            field,
        });
    }
    let missing = |field| DefinitionError::MissingField {
        name: name.clone(),
        kind: title,
        field,
    };
    let scale = scale.map_or(Scale::Linear, Scale::from);
    Ok(match kind {
        Kind::Real => Domain::Real {
            low: number(&name, low.ok_or_else(|| missing("low"))?)?,
            high: number(&name, high.ok_or_else(|| missing("high"))?)?,
            scale,
        },
        Kind::Integer => Domain::Integer {
            low: whole(&name, low.ok_or_else(|| missing("low"))?)?,
            high: whole(&name, high.ok_or_else(|| missing("high"))?)?,
            scale,
        },
        Kind::Ordinal => Domain::ordinal(values.ok_or_else(|| missing("values"))?),
        Kind::Categorical => Domain::categorical(choices.ok_or_else(|| missing("choices"))?),
    })
}

fn range(fidelity: wire::Fidelity) -> Result<FidelityRange, SpaceError> {
    let wire::Fidelity {
        name,
        kind,
        low,
        high,
        scale,
    } = fidelity;
    let range = match kind {
        FidelityKind::Real => {
            let (low, high) = (number(&name, low)?, number(&name, high)?);
            FidelityRange::real(name, low, high)?
        }
        FidelityKind::Integer => {
            let (low, high) = (whole(&name, low)?, whole(&name, high)?);
            // First as real numbers, which may be negative or too large.
            FidelityRange::real(name.as_str(), low as f64, high as f64)?;
            let budget = |value: i64| {
                u32::try_from(value).map_err(|_| SpaceError::OutOfRange {
                    name: name.clone(),
                    value: value.into(),
                    low: 1.into(),
                    high: i64::from(u32::MAX).into(),
                })
            };
            FidelityRange::integer(name.as_str(), budget(low)?, budget(high)?)?
        }
    };
    Ok(match scale {
        Some(scale) => range.with_scale(scale.into()),
        None => range,
    })
}

fn number(name: &str, Scalar(value): Scalar) -> Result<f64, SpaceError> {
    value
        .as_f64()
        .ok_or_else(|| wrong_kind(name, "a number", value))
}

fn whole(name: &str, Scalar(value): Scalar) -> Result<i64, SpaceError> {
    value
        .as_i64()
        .ok_or_else(|| wrong_kind(name, "a whole number", value))
}

fn wrong_kind(name: &str, expected: &'static str, value: Value) -> SpaceError {
    SpaceError::WrongKind {
        name: name.to_owned(),
        expected,
        value,
    }
}

fn belief(
    space: &SearchSpace,
    objectives: &Objectives,
    objective: String,
    prior: Entries<Prior>,
) -> Result<Belief, DefinitionError> {
    let Some(index) = objectives.iter().position(|o| *o.name == *objective) else {
        let quoted = |o: &Objective| format!("`{}`", o.name);
        let known = objectives.iter().map(quoted).collect::<Vec<_>>().join(", ");
        return Err(DefinitionError::UnknownObjective { objective, known });
    };
    if prior.0.is_empty() {
        return Err(DefinitionError::EmptyPrior { objective });
    }
    let mut belief = Belief::uniform(space, index);
    for (parameter, prior) in prior.0 {
        belief = believe(belief, &objective, parameter, prior)?;
    }
    Ok(belief)
}

fn believe(
    belief: Belief,
    objective: &str,
    parameter: String,
    prior: Prior,
) -> Result<Belief, DefinitionError> {
    let objective = objective.to_owned();
    let space = belief.space();
    if space.parameter(&parameter).is_none() {
        let fidelity = space.fidelity().map(FidelityRange::name);
        return Err(if fidelity == Some(parameter.as_str()) {
            DefinitionError::PriorOnFidelity {
                objective,
                fidelity: parameter,
            }
        } else {
            DefinitionError::UnknownParameter {
                objective,
                parameter,
            }
        });
    }
    let believed = match (prior.centre, prior.confidence, prior.weights) {
        (Some(Scalar(centre)), Some(confidence), None) => {
            belief.with(&parameter, centre, confidence)
        }
        (None, None, Some(weights)) => belief.with_weights(&parameter, &weights.0),
        (Some(_), None, None) => {
            return Err(DefinitionError::CentreWithoutConfidence {
                objective,
                parameter,
            });
        }
        (None, Some(_), None) => {
            return Err(DefinitionError::ConfidenceWithoutCentre {
                objective,
                parameter,
            });
        }
        (None, None, None) => {
            return Err(DefinitionError::EmptyParameterPrior {
                objective,
                parameter,
            });
        }
        (_, _, Some(_)) => {
            return Err(DefinitionError::WeightsAndCentre {
                objective,
                parameter,
            });
        }
    };
    believed.map_err(|source| DefinitionError::Prior { objective, source })
}

#[cfg(test)]
mod tests;
