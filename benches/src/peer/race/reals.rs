//! Numbers in JSON, which has no infinities: what is not finite is written as a text.
//!
//! The modules are for `#[serde(with = "...")]`.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

#[derive(Debug, Clone, Copy)]
struct Real(f64);

impl Serialize for Real {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            v if v.is_finite() => serializer.serialize_f64(v),
            v if v.is_nan() => serializer.serialize_str("nan"),
            v if v > 0.0 => serializer.serialize_str("inf"),
            _ => serializer.serialize_str("-inf"),
        }
    }
}

impl<'de> Deserialize<'de> for Real {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(value) => Ok(Self(value)),
            Written::Text(text) => match &*text {
                "nan" => Ok(Self(f64::NAN)),
                "inf" => Ok(Self(f64::INFINITY)),
                "-inf" => Ok(Self(f64::NEG_INFINITY)),
                other => Err(de::Error::custom(format!("`{other}` is no number"))),
            },
        }
    }
}

fn wrap(values: &[f64]) -> Vec<Real> {
    values.iter().map(|&v| Real(v)).collect()
}

fn unwrap(values: Vec<Real>) -> Vec<f64> {
    values.into_iter().map(|v| v.0).collect()
}

/// One list.
pub(super) mod list {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(values: &[f64], to: S) -> Result<S::Ok, S::Error> {
        wrap(values).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
        Vec::deserialize(from).map(unwrap)
    }
}

/// Several lists.
pub(super) mod lists {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(values: &[Vec<f64>], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(|list| wrap(list)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Vec<f64>>, D::Error> {
        let lists = Vec::<Vec<Real>>::deserialize(from)?;
        Ok(lists.into_iter().map(unwrap).collect())
    }
}

/// Lists by name.
pub(super) mod named {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        values: &BTreeMap<String, Vec<f64>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_map(values.iter().map(|(name, list)| (name, wrap(list))))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<String, Vec<f64>>, D::Error> {
        let named = BTreeMap::<String, Vec<Real>>::deserialize(from)?;
        Ok(named.into_iter().map(|(k, v)| (k, unwrap(v))).collect())
    }
}
