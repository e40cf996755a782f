//! Starts for further local searches, one parameter away from where earlier ones ended.
//!
//! Optima of an acquisition function often agree in most parameters: they lie along a front, or on
//! different faces of the cube. A move of one parameter from a good end point then lands in another
//! basin with everything else in place, where a random point would need luck in all parameters.

use std::ops::Range;

use rand::{Rng, RngExt};
use warmfront_core::UnitPoint;

use super::{Found, Search, farthest, starts};

/// Moves leave from this many end points, the best ones.
const ENDS: usize = 4;

/// End points nearer than this to a better one in every coordinate are the same one.
const SAME_END: f64 = 0.05;

/// A start is at least this far from every end point in some coordinate: nearer ones would only
/// climb back.
const AWAY: f64 = 0.1;

/// Values tried for each parameter: both ends of its range, and uniform ones of equal strata between.
const VALUES: usize = 6;

/// Moves are at most this share of the points scored first.
const SHARE: usize = 4;

/// Up to `count` points to start from, the best of those scored that are apart from one another and
/// from everything found.
pub(super) fn propose(
    search: &Search<'_>,
    found: &[Found],
    count: usize,
    rng: &mut dyn Rng,
) -> Vec<Found> {
    let mut sorted: Vec<&Found> = found.iter().filter(|f| f.1.is_finite()).collect();
    sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut ends: Vec<&Found> = Vec::new();
    for one in sorted {
        if ends.iter().all(|end| farthest(&end.0, &one.0) > SAME_END) {
            ends.push(one);
        }
    }
    let lines = lines(search, &ends[..ends.len().min(ENDS)], rng);
    let points: Vec<UnitPoint> = lines.iter().flat_map(|line| line.points.clone()).collect();
    let utilities = search.utilities(&points);
    let mut peaks = vec![f64::NEG_INFINITY; points.len()];
    for (line, at) in lines.iter().zip((0..).step_by(VALUES)) {
        line.peaks(&utilities[at..at + VALUES], &mut peaks[at..at + VALUES]);
    }
    let mut taken: Vec<usize> = Vec::with_capacity(count);
    // Where there are not enough peaks, the slopes.
    for order in [starts::best_first(&peaks), starts::best_first(&utilities)] {
        for i in order {
            if taken.len() >= count {
                break;
            }
            let point = &points[i];
            if ends.iter().all(|end| farthest(&end.0, point) > AWAY)
                && taken.iter().all(|&j| farthest(&points[j], point) > AWAY)
            {
                taken.push(i);
            }
        }
    }
    taken
        .into_iter()
        .map(|i| (points[i].clone(), utilities[i]))
        .collect()
}

/// The moves of one parameter from one end point: [`VALUES`] canonical points.
struct Line<'a> {
    end: &'a Found,
    coords: Range<usize>,
    points: Vec<UnitPoint>,
}

impl Line<'_> {
    /// Copies the utilities that are not below those of the next smaller and the next larger value.
    /// Values without an order are all copied.
    fn peaks(&self, utilities: &[f64], peaks: &mut [f64]) {
        if self.coords.len() > 1 {
            peaks.copy_from_slice(utilities);
            return;
        }
        let value = |i: usize| self.points[i].coords()[self.coords.start];
        let own = (self.end.0.coords()[self.coords.start], self.end.1);
        for i in 0..utilities.len() {
            let others = (0..utilities.len()).map(|j| (value(j), utilities[j]));
            let (mut below, mut above) = ((-1.0, f64::NEG_INFINITY), (2.0, f64::NEG_INFINITY));
            for other in others.chain([own]) {
                if other.0 < value(i) && other.0 > below.0 {
                    below = other;
                }
                if other.0 > value(i) && other.0 < above.0 {
                    above = other;
                }
            }
            if utilities[i] >= below.1 && utilities[i] >= above.1 {
                peaks[i] = utilities[i];
            }
        }
    }
}

fn lines<'a>(search: &Search<'_>, ends: &[&'a Found], rng: &mut dyn Rng) -> Vec<Line<'a>> {
    let config = search.config;
    let most = (config.raw_samples + config.around_best) / SHARE / VALUES;
    let parameters = search.space.parameters();
    let mut pairs: Vec<(&'a Found, Range<usize>)> = ends
        .iter()
        .flat_map(|end| parameters.iter().map(|p| (*end, p.coords())))
        .collect();
    if pairs.len() > most {
        // A random selection, by the first steps of a shuffle.
        for i in 0..most {
            let j = rng.random_range(i as u64..pairs.len() as u64) as usize;
            pairs.swap(i, j);
        }
        pairs.truncate(most);
    }
    let mut line = |(end, coords): (&'a Found, Range<usize>)| {
        let points = (0..VALUES).map(|k| {
            let mut point = end.0.coords().to_vec();
            for j in coords.clone() {
                let u: f64 = rng.random();
                point[j] = if coords.len() > 1 {
                    u
                } else {
                    match k {
                        0 => 0.0,
                        1 => 1.0,
                        _ => ((k - 2) as f64 + u) / (VALUES - 2) as f64,
                    }
                };
            }
            search.canonical(point)
        });
        let points = points.collect();
        Line {
            end,
            coords,
            points,
        }
    };
    pairs.into_iter().map(&mut line).collect()
}
