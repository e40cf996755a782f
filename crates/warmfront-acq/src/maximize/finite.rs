//! Spaces that are searched point by point.

use warmfront_core::UnitPoint;

use super::{Maximum, Search, key};

/// Spaces with at most this many configurations are enumerated.
pub(super) const ENUMERABLE: u64 = 4096;

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
