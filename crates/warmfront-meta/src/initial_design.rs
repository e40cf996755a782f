//! Points to evaluate before there is a model: scrambled Sobol points, or distinct rows of a table.

use std::collections::HashSet;

use rand::{Rng, RngExt};
use warmfront_core::{SearchSpace, UnitPoint};
use warmfront_math::sobol::Sobol;

/// Draws `count` different canonical points of `space` (fewer where the space has no more).
///
/// Boxes get a scrambled Sobol sequence (Matoušek 1998), so that any prefix of the design fills the
/// space evenly; tables get rows drawn without replacement.
///
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_core::SearchSpace;
///
/// let mut rng = ChaCha8Rng::seed_from_u64(1);
/// let design = warmfront_meta::initial_design(&SearchSpace::unit_cube(3), 8, &mut rng);
/// assert_eq!(design.len(), 8);
/// ```
pub fn initial_design(space: &SearchSpace, count: usize, rng: &mut dyn Rng) -> Vec<UnitPoint> {
    if let Some(rows) = space.table() {
        return sample_rows(rows, count, rng);
    }
    let mut points = SpaceFilling::new(space, rng);
    let mut design = Vec::with_capacity(count);
    let mut seen = HashSet::new();
    // A small discrete space may hold fewer points than asked for: give up after many repeats.
    for _ in 0..count.saturating_mul(20) {
        if design.len() == count {
            break;
        }
        let point = points.next(space, rng);
        if seen.insert(point.clone()) {
            design.push(point);
        }
    }
    design
}

/// A scrambled Sobol sequence; independent uniform points beyond the dimensions it is tabulated for.
struct SpaceFilling {
    sequence: Option<Sobol>,
    coords: Vec<f64>,
}

impl SpaceFilling {
    fn new(space: &SearchSpace, rng: &mut dyn Rng) -> Self {
        Self {
            sequence: Sobol::scrambled(space.dim(), rng).ok(),
            coords: vec![0.0; space.dim()],
        }
    }

    fn next(&mut self, space: &SearchSpace, rng: &mut dyn Rng) -> UnitPoint {
        match &mut self.sequence {
            Some(sequence) => {
                sequence.next_into(&mut self.coords);
                space.canonical(&UnitPoint::clamped(self.coords.as_slice()))
            }
            None => space.sample(rng),
        }
    }
}

fn sample_rows(rows: &[UnitPoint], count: usize, rng: &mut dyn Rng) -> Vec<UnitPoint> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let count = count.min(rows.len());
    for i in 0..count {
        // u64, not usize: the draw is the same on every platform.
        let j = i + rng.random_range(0..(rows.len() - i) as u64) as usize;
        order.swap(i, j);
    }
    order[..count].iter().map(|&i| rows[i].clone()).collect()
}

/// The next point outside `taken`: from a fresh scrambled Sobol sequence, or a random free row of the table.
pub(crate) fn exploratory_point(
    space: &SearchSpace,
    taken: &HashSet<UnitPoint>,
    rng: &mut dyn Rng,
) -> Option<UnitPoint> {
    if let Some(rows) = space.table() {
        let free: Vec<&UnitPoint> = rows.iter().filter(|row| !taken.contains(row)).collect();
        if free.is_empty() {
            return None;
        }
        return Some(free[rng.random_range(0..free.len() as u64) as usize].clone());
    }
    let mut points = SpaceFilling::new(space, rng);
    // In a space of few points everything may be taken; a repeat is then better than no answer.
    for _ in 0..256 {
        let point = points.next(space, rng);
        if !taken.contains(&point) {
            return Some(point);
        }
    }
    Some(points.next(space, rng))
}
