//! The values a parameter can take.

use crate::{SpaceError, Value};

/// How a numeric range is laid out on the unit interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Scale {
    /// Equal differences are equally far apart.
    #[default]
    Linear,
    /// Equal ratios are equally far apart.
    Log,
}

/// The values a parameter can take. Bounds are inclusive.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// The numbers of an interval.
    Real {
        /// Smallest value.
        low: f64,
        /// Largest value.
        high: f64,
        /// Layout.
        scale: Scale,
    },
    /// The whole numbers of an interval.
    Integer {
        /// Smallest value.
        low: i64,
        /// Largest value.
        high: i64,
        /// Layout.
        scale: Scale,
    },
    /// A list of numbers in a meaningful order.
    Ordinal {
        /// The values in order.
        values: Vec<f64>,
    },
    /// A list of names in no order.
    Categorical {
        /// The names.
        choices: Vec<String>,
    },
}

impl Domain {
    /// The numbers from `low` to `high`.
    #[must_use]
    pub fn real(low: f64, high: f64) -> Self {
        Self::Real {
            low,
            high,
            scale: Scale::Linear,
        }
    }

    /// The numbers from `low` to `high` on a log scale.
    #[must_use]
    pub fn log_real(low: f64, high: f64) -> Self {
        Self::Real {
            low,
            high,
            scale: Scale::Log,
        }
    }

    /// The whole numbers from `low` to `high`.
    #[must_use]
    pub fn integer(low: i64, high: i64) -> Self {
        Self::Integer {
            low,
            high,
            scale: Scale::Linear,
        }
    }

    /// The whole numbers from `low` to `high` on a log scale.
    #[must_use]
    pub fn log_integer(low: i64, high: i64) -> Self {
        Self::Integer {
            low,
            high,
            scale: Scale::Log,
        }
    }

    /// Numbers in a meaningful order.
    #[must_use]
    pub fn ordinal(values: impl Into<Vec<f64>>) -> Self {
        Self::Ordinal {
            values: values.into(),
        }
    }

    /// Names in no order.
    #[must_use]
    pub fn categorical<S: Into<String>>(choices: impl IntoIterator<Item = S>) -> Self {
        Self::Categorical {
            choices: choices.into_iter().map(Into::into).collect(),
        }
    }

    /// Number of values; `None` for a real domain.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::Real { .. } => None,
            // The full range of i64 has 2^64 values, one more than fits.
            Self::Integer { low, high, .. } => Some(high.abs_diff(*low).saturating_add(1)),
            Self::Ordinal { values } => Some(values.len() as u64),
            Self::Categorical { choices } => Some(choices.len() as u64),
        }
    }

    /// Largest upper bound of a log-scaled integer: beyond it neighbours could not be told apart
    /// reliably after a logarithm and an exponential in `f64`.
    pub const MAX_LOG_INTEGER: i64 = 1 << 40;

    pub(super) fn validate(&self, name: &str) -> Result<(), SpaceError> {
        let name = || name.to_owned();
        match self {
            &Self::Real { low, high, scale } => {
                if !(low < high && low.is_finite() && high.is_finite()) {
                    return Err(SpaceError::EmptyRange {
                        name: name(),
                        low,
                        high,
                    });
                }
                if scale == Scale::Log && low <= 0.0 {
                    return Err(SpaceError::NonPositiveLog { name: name(), low });
                }
            }
            &Self::Integer { low, high, scale } => {
                if low >= high {
                    return Err(SpaceError::EmptyIntegerRange {
                        name: name(),
                        low,
                        high,
                    });
                }
                if scale == Scale::Log && low <= 0 {
                    return Err(SpaceError::NonPositiveLog {
                        name: name(),
                        low: low as f64,
                    });
                }
                let limit = Self::MAX_LOG_INTEGER;
                if scale == Scale::Log && high > limit {
                    return Err(SpaceError::LogIntegerTooLarge {
                        name: name(),
                        high,
                        limit,
                    });
                }
            }
            Self::Ordinal { values } => {
                if values.is_empty() {
                    return Err(SpaceError::NoValues { name: name() });
                }
                for (index, &value) in values.iter().enumerate() {
                    if !value.is_finite() {
                        return Err(SpaceError::NonFinite {
                            name: name(),
                            value,
                        });
                    }
                    if position(&values[..index], value).is_some() {
                        let value = Value::Real(value);
                        return Err(SpaceError::DuplicateValue {
                            name: name(),
                            value,
                        });
                    }
                }
            }
            Self::Categorical { choices } => {
                if choices.is_empty() {
                    return Err(SpaceError::NoValues { name: name() });
                }
                for (index, choice) in choices.iter().enumerate() {
                    if choices[..index].contains(choice) {
                        let value = Value::from(choice.as_str());
                        return Err(SpaceError::DuplicateValue {
                            name: name(),
                            value,
                        });
                    }
                }
            }
        }
        Ok(())
    }
}

/// Where `value` stands in a list, compared exactly: a listed value is a name, not a measurement.
#[expect(clippy::float_cmp, reason = "listed values are compared as given")]
pub(super) fn position(values: &[f64], value: f64) -> Option<usize> {
    values.iter().position(|&listed| listed == value)
}
