//! Building and validating a search space.

use crate::space::{Condition, Parameter, encoding};
use crate::{Config, Domain, FidelityRange, SearchSpace, SpaceError, Value};

/// Collects parameters, conditions, budgets and rows; [`build`](Self::build) validates them.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct SearchSpaceBuilder {
    parameters: Vec<(Box<str>, Domain, Vec<Condition>)>,
    orphan: Option<Box<str>>,
    fidelity: Option<FidelityRange>,
    table: Option<Vec<Config>>,
}

impl SearchSpaceBuilder {
    /// Adds a parameter.
    pub fn param(mut self, name: impl Into<Box<str>>, domain: Domain) -> Self {
        self.parameters.push((name.into(), domain, Vec::new()));
        self
    }

    /// Makes the last parameter count only when the earlier parameter `parent` has one of `values`.
    ///
    /// Called more than once for a parameter, all conditions must hold. A parameter whose parent
    /// does not count does not count either.
    pub fn when<V: Into<Value>>(
        mut self,
        parent: impl Into<Box<str>>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let parent = parent.into();
        match self.parameters.last_mut() {
            Some((.., conditions)) => {
                let values = values.into_iter().map(Into::into).collect();
                conditions.push(Condition { parent, values });
            }
            None => self.orphan = Some(parent),
        }
        self
    }

    /// Gives evaluations a range of budgets.
    pub fn fidelity(mut self, range: FidelityRange) -> Self {
        self.fidelity = Some(range);
        self
    }

    /// Restricts the space to these configurations.
    pub fn table(mut self, rows: Vec<Config>) -> Self {
        self.table = Some(rows);
        self
    }

    /// Validates everything and fixes the encoding.
    ///
    /// # Errors
    /// The first thing that is wrong: a name, a range, a list of values, a condition or a row.
    pub fn build(self) -> Result<SearchSpace, SpaceError> {
        if let Some(parent) = self.orphan {
            return Err(SpaceError::ConditionWithoutParameter {
                parent: parent.into(),
            });
        }
        let mut parameters: Vec<Parameter> = Vec::with_capacity(self.parameters.len());
        let mut dim = 0;
        for (index, (name, domain, conditions)) in self.parameters.into_iter().enumerate() {
            if name.is_empty() {
                return Err(SpaceError::EmptyName { index });
            }
            if parameters.iter().any(|earlier| earlier.name == name) {
                return Err(SpaceError::DuplicateName { name: name.into() });
            }
            domain.validate(&name)?;
            let resolve = |condition| resolve(&name, condition, &parameters);
            let resolved = conditions.iter().map(resolve).collect::<Result<_, _>>()?;
            let width = encoding::width(&domain);
            parameters.push(Parameter {
                name,
                domain,
                conditions,
                resolved,
                first: dim,
                width,
            });
            dim += width;
        }
        if parameters.is_empty() {
            return Err(SpaceError::NoParameters);
        }
        if dim == 0 {
            return Err(SpaceError::NothingToSearch);
        }
        let space = SearchSpace {
            parameters,
            dim,
            fidelity: self.fidelity,
            table: None,
        };
        match self.table {
            Some(rows) => space.with_table_of(&rows),
            None => Ok(space),
        }
    }
}

fn resolve(
    name: &str,
    condition: &Condition,
    earlier: &[Parameter],
) -> Result<(usize, Vec<i64>), SpaceError> {
    let name = || name.to_owned();
    let parent_name = || condition.parent.to_string();
    let Some(index) = earlier
        .iter()
        .position(|parameter| parameter.name == condition.parent)
    else {
        return Err(SpaceError::UnknownParent {
            name: name(),
            parent: parent_name(),
        });
    };
    let parent = &earlier[index];
    if matches!(parent.domain, Domain::Real { .. }) {
        return Err(SpaceError::RealParent {
            name: name(),
            parent: parent_name(),
        });
    }
    if condition.values.is_empty() {
        return Err(SpaceError::EmptyCondition {
            name: name(),
            parent: parent_name(),
        });
    }
    let level = |value: &Value| {
        encoding::level_of(&parent.name, &parent.domain, value).map_err(|_| {
            SpaceError::ImpossibleCondition {
                name: name(),
                parent: parent_name(),
                value: value.clone(),
            }
        })
    };
    Ok((
        index,
        condition
            .values
            .iter()
            .map(level)
            .collect::<Result<_, _>>()?,
    ))
}
