//! Spaces that are searched point by point.

use std::collections::HashSet;

use warmfront_core::{SearchSpace, UnitPoint};

use super::{Maximum, Search, key};

/// Spaces with at most this many configurations are enumerated.
const ENUMERABLE: u64 = 4096;

/// The best row that is not excluded, `None` if there is none.
pub(super) fn best_row(search: &Search<'_>, rows: &[UnitPoint]) -> Option<Maximum> {
    let open: Vec<UnitPoint> = rows
        .iter()
        .filter(|row| !search.visited.contains(&key(row)))
        .cloned()
        .collect();
    best(search, open, false)
}

/// The best of all configurations that is not excluded, or the best of all if each is.
pub(super) fn best_point(search: &Search<'_>, points: Vec<UnitPoint>) -> Maximum {
    let is_open = |p: &UnitPoint| !search.visited.contains(&key(p));
    if points.iter().any(is_open) {
        best(search, points.into_iter().filter(is_open).collect(), false)
    } else {
        best(search, points, true)
    }
    .expect("an enumerated space has at least one configuration")
}

fn best(search: &Search<'_>, points: Vec<UnitPoint>, repeated: bool) -> Option<Maximum> {
    let utilities = search.utilities(&points);
    let mut at = 0;
    for (i, utility) in utilities.iter().enumerate() {
        // The first of equals wins, and with nothing but −∞ the first of all.
        if *utility > utilities[at] {
            at = i;
        }
    }
    points.into_iter().nth(at).map(|point| Maximum {
        point,
        utility: utilities[at],
        repeated,
    })
}

/// All configurations of a space with few of them, as canonical points.
pub(super) fn enumerate(space: &SearchSpace) -> Option<Vec<UnitPoint>> {
    if space.cardinality()? > ENUMERABLE {
        return None;
    }
    let mut points = vec![vec![0.0; space.dim()]];
    for parameter in space.parameters() {
        let coords = parameter.coords();
        if coords.is_empty() {
            continue;
        }
        let levels: Vec<Vec<f64>> = parameter.encodings().collect();
        points = points
            .iter()
            .flat_map(|point| {
                let coords = coords.clone();
                levels.iter().map(move |level| {
                    let mut point = point.clone();
                    point[coords.clone()].copy_from_slice(level);
                    point
                })
            })
            .collect();
    }
    let mut seen = HashSet::new();
    Some(
        points
            .into_iter()
            .map(|point| space.canonical(&UnitPoint::clamped(point)))
            .filter(|point| seen.insert(key(point)))
            .collect(),
    )
}
