//! Between configurations and points of the unit cube.
//!
//! The values of discrete parameters pass through a *level*: the integer itself, or the position
//! in the list of values. A level's coordinate is computed by one function, so that a canonical
//! point is reproduced bit for bit. Real parameters have no level; it is 0 where one is stored.

use crate::space::Parameter;
use crate::space::domain::position;
use crate::{Config, Domain, Scale, SpaceError, UnitPoint, Value};

/// Integer ranges with more values than this are resolved into this many equal steps, because the
/// centres of finer buckets would not survive the rounding of `f64`.
const MAX_STEPS: u64 = 1 << 50;

/// Number of coordinates of a parameter.
pub(super) fn width(domain: &Domain) -> usize {
    match domain {
        Domain::Real { .. } | Domain::Integer { .. } => 1,
        Domain::Ordinal { values } => usize::from(values.len() > 1),
        Domain::Categorical { choices } => match choices.len() {
            0 | 1 => 0,
            2 => 1,
            k => k,
        },
    }
}

pub(super) fn encode(
    parameters: &[Parameter],
    dim: usize,
    config: &Config,
) -> Result<UnitPoint, SpaceError> {
    if let Some((name, _)) = config
        .iter()
        .find(|(name, _)| !parameters.iter().any(|p| &*p.name == *name))
    {
        return Err(SpaceError::UnknownParameter {
            name: name.to_owned(),
        });
    }
    let mut coords = vec![0.0; dim];
    let mut levels = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        let out = &mut coords[parameter.coords()];
        let name = || parameter.name.to_string();
        let level = match (is_active(parameter, &levels), config.get(&parameter.name)) {
            (true, None) => return Err(SpaceError::MissingValue { name: name() }),
            (false, Some(value)) => {
                return Err(SpaceError::InactiveParameter {
                    name: name(),
                    value: value.clone(),
                });
            }
            (false, None) => {
                write_undecided(&parameter.domain, out);
                None
            }
            (true, Some(value)) => {
                Some(write_value(&parameter.name, &parameter.domain, value, out)?)
            }
        };
        levels.push(level);
    }
    Ok(UnitPoint::clamped(coords))
}

/// Writes the coordinates of a value in the user's units and gives its level.
pub(super) fn write_value(
    name: &str,
    domain: &Domain,
    value: &Value,
    out: &mut [f64],
) -> Result<i64, SpaceError> {
    let level = level_of(name, domain, value)?;
    match (domain, value.as_f64()) {
        (&Domain::Real { low, high, scale }, Some(value)) => {
            out[0] = real_coordinate(low, high, scale, value);
        }
        _ => write_level(domain, level, out),
    }
    Ok(level)
}

pub(super) fn levels(parameters: &[Parameter], coords: &[f64]) -> Vec<Option<i64>> {
    let mut levels = Vec::with_capacity(parameters.len());
    for_each_level(parameters, coords, |_, level| levels.push(level));
    levels
}

pub(super) fn decode(parameters: &[Parameter], coords: &[f64]) -> Config {
    let mut config = Config::new();
    for_each_level(parameters, coords, |parameter, level| {
        if let Some(level) = level {
            let value = value_of(&parameter.domain, level, &coords[parameter.coords()]);
            config.set(parameter.name.clone(), value);
        }
    });
    config
}

pub(super) fn canonical(parameters: &[Parameter], coords: &[f64]) -> UnitPoint {
    let mut out = coords.to_vec();
    for_each_level(parameters, coords, |parameter, level| {
        let out = &mut out[parameter.coords()];
        match (level, &parameter.domain) {
            (None, domain) => write_undecided(domain, out),
            (Some(_), Domain::Real { .. }) => {}
            (Some(level), domain) => write_level(domain, level, out),
        }
    });
    UnitPoint::clamped(out)
}

fn for_each_level(
    parameters: &[Parameter],
    coords: &[f64],
    mut visit: impl FnMut(&Parameter, Option<i64>),
) {
    let mut levels = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        let level = is_active(parameter, &levels)
            .then(|| level_at(&parameter.domain, &coords[parameter.coords()]));
        visit(parameter, level);
        levels.push(level);
    }
}

fn is_active(parameter: &Parameter, earlier: &[Option<i64>]) -> bool {
    parameter
        .resolved
        .iter()
        .all(|(parent, allowed)| earlier[*parent].is_some_and(|level| allowed.contains(&level)))
}

/// The level of a value in the user's units, or what is wrong with it.
pub(super) fn level_of(name: &str, domain: &Domain, value: &Value) -> Result<i64, SpaceError> {
    let wrong = |expected| {
        Err(SpaceError::WrongKind {
            name: name.to_owned(),
            expected,
            value: value.clone(),
        })
    };
    let outside = |low: Value, high: Value| {
        Err(SpaceError::OutOfRange {
            name: name.to_owned(),
            value: value.clone(),
            low,
            high,
        })
    };
    let listed = |position: Option<usize>| match position {
        Some(level) => Ok(level as i64),
        None => Err(SpaceError::NotAValue {
            name: name.to_owned(),
            value: value.clone(),
        }),
    };
    match domain {
        &Domain::Real { low, high, .. } => match value.as_f64() {
            None => wrong("a number"),
            Some(number) if !(low..=high).contains(&number) => outside(low.into(), high.into()),
            Some(_) => Ok(0),
        },
        &Domain::Integer { low, high, .. } => match value.as_i64() {
            None => wrong("a whole number"),
            Some(number) if !(low..=high).contains(&number) => outside(low.into(), high.into()),
            Some(number) => Ok(number),
        },
        Domain::Ordinal { values } => match value.as_f64() {
            None => wrong("a number"),
            Some(number) => listed(position(values, number)),
        },
        Domain::Categorical { choices } => match value.as_text() {
            None => wrong("a choice"),
            Some(text) => listed(choices.iter().position(|choice| choice == text)),
        },
    }
}

fn value_of(domain: &Domain, level: i64, coords: &[f64]) -> Value {
    match domain {
        &Domain::Real { low, high, scale } => real_value(low, high, scale, coords[0]).into(),
        Domain::Integer { .. } => Value::Integer(level),
        Domain::Ordinal { values } => Value::Real(values[level as usize]),
        Domain::Categorical { choices } => Value::from(choices[level as usize].as_str()),
    }
}

fn level_at(domain: &Domain, coords: &[f64]) -> i64 {
    match domain {
        Domain::Real { .. } => 0,
        &Domain::Integer {
            low,
            high,
            scale: Scale::Linear,
        } => integer_at(low, high, coords[0]),
        &Domain::Integer {
            low,
            high,
            scale: Scale::Log,
        } => {
            let (start, end) = log_edges(low, high);
            let value = (start + coords[0] * (end - start)).exp().round();
            // Within 2^41 by validation, so the cast is exact.
            (value as i64).clamp(low, high)
        }
        Domain::Ordinal { values } if values.len() < 2 => 0,
        Domain::Ordinal { values } => bucket(coords[0], values.len() as u64) as i64,
        Domain::Categorical { .. } if coords.is_empty() => 0,
        Domain::Categorical { .. } if coords.len() == 1 => i64::from(coords[0] > 0.5),
        Domain::Categorical { .. } => {
            let mut best = 0;
            for (choice, coord) in coords.iter().enumerate() {
                if *coord > coords[best] {
                    best = choice;
                }
            }
            best as i64
        }
    }
}

pub(super) fn write_level(domain: &Domain, level: i64, out: &mut [f64]) {
    match domain {
        Domain::Real { .. } => {}
        &Domain::Integer {
            low,
            high,
            scale: Scale::Linear,
        } => {
            out[0] = integer_coordinate(low, high, level);
        }
        &Domain::Integer {
            low,
            high,
            scale: Scale::Log,
        } => {
            let (start, end) = log_edges(low, high);
            out[0] = ((level as f64).ln() - start) / (end - start);
        }
        Domain::Ordinal { values } if values.len() < 2 => {}
        Domain::Ordinal { values } => out[0] = centre(level as u64, values.len() as u64),
        Domain::Categorical { .. } if out.len() == 1 => out[0] = level as f64,
        Domain::Categorical { .. } => {
            out.fill(0.0);
            if let Some(chosen) = out.get_mut(level as usize) {
                *chosen = 1.0;
            }
        }
    }
}

/// Every level of a discrete domain, in order; none of a real one.
pub(super) fn all_levels(domain: &Domain) -> std::ops::RangeInclusive<i64> {
    let (first, last) = match domain {
        Domain::Real { .. } => (0, -1),
        Domain::Integer { low, high, .. } => (*low, *high),
        Domain::Ordinal { values } => (0, values.len() as i64 - 1),
        Domain::Categorical { choices } => (0, choices.len() as i64 - 1),
    };
    first..=last
}

/// The coordinates of the values next to the one at `coord`, below and above.
pub(super) fn adjacent(domain: &Domain, coord: f64) -> [Option<f64>; 2] {
    // Neighbouring values of a very large range may share a step; neighbouring steps never do.
    let steps = match domain {
        Domain::Real { .. } | Domain::Categorical { .. } => return [None, None],
        &Domain::Integer {
            low,
            high,
            scale: Scale::Log,
        } => {
            let level = level_at(domain, &[coord]);
            return [level - 1, level + 1].map(|next| {
                let mut out = [0.5];
                write_level(domain, next, &mut out);
                (low..=high).contains(&next).then_some(out[0])
            });
        }
        &Domain::Integer { low, high, .. } => count(low, high).min(u128::from(MAX_STEPS)) as u64,
        Domain::Ordinal { values } => values.len() as u64,
    };
    let at = bucket(coord, steps);
    [at.checked_sub(1), Some(at + 1)].map(|next| {
        let next = next.filter(|&next| next < steps)?;
        Some(centre(next, steps))
    })
}

/// The part of the unit interval decoded as a level of an integer or ordinal domain.
pub(super) fn bucket_of(domain: &Domain, level: i64) -> Option<(f64, f64)> {
    let part = |bucket: u64, count: u64| {
        let [low, high] = [bucket, bucket + 1].map(|edge| edge as f64 / count as f64);
        (low, high)
    };
    match domain {
        Domain::Real { .. } | Domain::Categorical { .. } => None,
        &Domain::Integer {
            low,
            high,
            scale: Scale::Log,
        } => {
            let (start, end) = log_edges(low, high);
            let (from, to) = log_edges(level, level);
            Some(((from - start) / (end - start), (to - start) / (end - start)))
        }
        &Domain::Integer { low, high, .. } => {
            let (bucket, steps) = step_of(low, high, level);
            Some(part(bucket, steps))
        }
        Domain::Ordinal { values } => Some(part(level as u64, values.len() as u64)),
    }
}

fn write_undecided(domain: &Domain, out: &mut [f64]) {
    let value = match domain {
        Domain::Categorical { .. } if out.len() > 1 => 1.0 / out.len() as f64,
        _ => 0.5,
    };
    out.fill(value);
}

fn log_edges(low: i64, high: i64) -> (f64, f64) {
    ((low as f64 - 0.5).ln(), (high as f64 + 0.5).ln())
}

/// Which of `count` equal parts of the unit interval holds `coord`.
fn bucket(coord: f64, count: u64) -> u64 {
    ((coord * count as f64) as u64).min(count - 1)
}

/// The middle of a part; exact in its numerator for counts up to 2^52.
fn centre(bucket: u64, count: u64) -> f64 {
    (bucket as f64 + 0.5) / count as f64
}

/// Number of values of a range, which is 2^64 for the full range of `i64`.
fn count(low: i64, high: i64) -> u128 {
    u128::from(high.abs_diff(low)) + 1
}

fn integer_at(low: i64, high: i64, coord: f64) -> i64 {
    let count = count(low, high);
    let steps = count.min(u128::from(MAX_STEPS));
    let bucket = u128::from(bucket(coord, steps as u64));
    // The first value of the step; the bucket itself if steps and values are equally many.
    let offset = (bucket * count).div_ceil(steps);
    low.wrapping_add_unsigned(offset as u64)
}

fn integer_coordinate(low: i64, high: i64, value: i64) -> f64 {
    let (bucket, steps) = step_of(low, high, value);
    centre(bucket, steps)
}

/// Which of how many equal parts of the unit interval stands for a value.
fn step_of(low: i64, high: i64, value: i64) -> (u64, u64) {
    let count = count(low, high);
    let steps = count.min(u128::from(MAX_STEPS));
    let bucket = u128::from(value.abs_diff(low)) * steps / count;
    (bucket as u64, steps as u64)
}

fn real_value(low: f64, high: f64, scale: Scale, coord: f64) -> f64 {
    let value = match scale {
        Scale::Linear if (high - low).is_finite() => low + coord * (high - low),
        Scale::Linear => 2.0 * (low / 2.0 + coord * (high / 2.0 - low / 2.0)),
        Scale::Log => (low.ln() + coord * (high.ln() - low.ln())).exp(),
    };
    // Rounding must not make the ends of the range unreachable or overshoot them.
    match coord {
        0.0 => low,
        1.0 => high,
        _ => value.clamp(low, high),
    }
}

fn real_coordinate(low: f64, high: f64, scale: Scale, value: f64) -> f64 {
    match scale {
        Scale::Linear if (high - low).is_finite() => (value - low) / (high - low),
        Scale::Linear => (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0),
        Scale::Log => {
            let (start, end) = (low.ln(), high.ln());
            // Bounds that are neighbours may share a logarithm.
            if end > start {
                (value.ln() - start) / (end - start)
            } else {
                0.5
            }
        }
    }
}
