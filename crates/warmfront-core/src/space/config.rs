//! Configurations in the user's units.

use std::collections::BTreeMap;
use std::fmt;

/// The value of one parameter in the user's units.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number: real and ordinal parameters.
    Real(f64),
    /// A whole number: integer parameters.
    Integer(i64),
    /// A choice: categorical parameters.
    Text(Box<str>),
}

impl Value {
    /// The number, if it is one.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::Real(value) => Some(value),
            Self::Integer(value) => Some(value as f64),
            Self::Text(_) => None,
        }
    }

    /// The whole number, if it is one; a [`Real`](Self::Real) counts if it has no fraction.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        // Beyond 2^53 a float names no single integer.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match *self {
            Self::Integer(value) => Some(value),
            Self::Real(value) if value.abs() <= EXACT && value.fract().abs() <= 0.0 => {
                Some(value as i64)
            }
            _ => None,
        }
    }

    /// The choice, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Real(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

/// The values of the active parameters, by name.
///
/// ```
/// use warmfront_core::Config;
///
/// let config = Config::new().with("depth", 3).with("eta", 0.1).with("booster", "gbtree");
/// assert_eq!(config.integer("depth"), Some(3));
/// assert_eq!(config.number("eta"), Some(0.1));
/// assert_eq!(config.text("booster"), Some("gbtree"));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config(BTreeMap<Box<str>, Value>);

impl Config {
    /// An empty configuration.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same configuration with a value set, replacing an earlier one.
    #[must_use]
    pub fn with(mut self, name: impl Into<Box<str>>, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets a value, replacing an earlier one.
    pub fn set(&mut self, name: impl Into<Box<str>>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// The value of a parameter; `None` if it is absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The value of a numeric parameter; `None` if it is absent or not a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.as_f64()
    }

    /// The value of an integer parameter; `None` if it is absent or not a whole number.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_i64()
    }

    /// The value of a categorical parameter; `None` if it is absent or not a choice.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_text()
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<Box<str>>, V: Into<Value>> FromIterator<(N, V)> for Config {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(values: I) -> Self {
        Self(
            values
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_may_come_as_floats() {
        let check = |value: f64, whole: Option<i64>| assert_eq!(Value::Real(value).as_i64(), whole);
        check(118.0, Some(118));
        check(-2.0, Some(-2));
        check(-0.0, Some(0));
        check(0.5, None);
        check(1e300, None);
        check(f64::NAN, None);
        check(f64::INFINITY, None);
        assert_eq!(Value::Integer(i64::MIN).as_i64(), Some(i64::MIN));
        assert_eq!(Value::from("3").as_i64(), None);
    }
}
