//! The score of a run: hypervolume of the noise-free costs of everything evaluated.

use warmfront_pareto::{Points, hypervolume as exact};

/// Hypervolume dominated by `costs` (each of length m) below the reference point; with one
/// objective, the distance of the best cost from it.
#[must_use]
pub fn hypervolume(costs: &[Vec<f64>], reference: &[f64]) -> f64 {
    let flat: Vec<f64> = costs.concat();
    match Points::new(&flat, reference.len()) {
        Ok(points) => exact(points, reference),
        // Scores are of noise-free, finite costs; anything else counts as nothing reached.
        Err(_) => 0.0,
    }
}

/// Hypervolume after each new point, recomputed only when the point is not dominated.
#[derive(Debug, Clone)]
pub struct Progress {
    reference: Vec<f64>,
    front: Vec<Vec<f64>>,
    value: f64,
}

impl Progress {
    /// Nothing evaluated yet.
    #[must_use]
    pub fn new(reference: &[f64]) -> Self {
        Self {
            reference: reference.to_vec(),
            front: Vec::new(),
            value: 0.0,
        }
    }

    /// Adds the costs of one evaluation and returns the hypervolume so far.
    pub fn add(&mut self, costs: Vec<f64>) -> f64 {
        let covers = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(x, y)| x <= y);
        if !self.front.iter().any(|kept| covers(kept, &costs)) {
            self.front.retain(|kept| !covers(&costs, kept));
            self.front.push(costs);
            // Never falls, whatever rounding does.
            self.value = self.value.max(hypervolume(&self.front, &self.reference));
        }
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_equals_the_hypervolume_of_all_points() {
        let points = [
            vec![0.5, 0.5],
            vec![0.9, 0.2],
            vec![0.6, 0.6],
            vec![0.1, 0.9],
            vec![2.0, 2.0],
        ];
        let reference = [1.0, 1.0];
        let mut progress = Progress::new(&reference);
        for end in 1..=points.len() {
            let got = progress.add(points[end - 1].clone());
            let expected = hypervolume(&points[..end], &reference);
            assert!(
                (got - expected).abs() < 1e-12,
                "{end}: {got} is not {expected}"
            );
        }
        assert!((progress.value - (0.25 + 0.1 * 0.3 + 0.4 * 0.1)).abs() < 1e-12);
    }

    #[test]
    fn one_objective_is_the_distance_from_the_reference() {
        let mut progress = Progress::new(&[3.0]);
        assert!((progress.add(vec![2.0]) - 1.0).abs() < 1e-12);
        assert!((progress.add(vec![2.5]) - 1.0).abs() < 1e-12);
        assert!((progress.add(vec![0.5]) - 2.5).abs() < 1e-12);
        assert!(Progress::new(&[3.0]).add(vec![4.0]).abs() < 1e-12);
    }
}
