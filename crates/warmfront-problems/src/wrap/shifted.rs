use rand::Rng;
use warmfront_core::{Candidate, Outcome, UnitPoint};

use super::forward;
use crate::{Known, Optimum, Problem, ProblemError};

/// A problem whose inputs are moved inside the unit cube.
///
/// Coordinate `u` is replaced by the piecewise linear map with `0 ↦ 0`, `½ ↦ ½ + shift`, `1 ↦ 1`.
/// Unlike a translation it is a continuous bijection of the cube: the front, the optimum's cost
/// and the hypervolume stay what they were.
#[derive(Debug, Clone)]
pub struct Shifted<P> {
    inner: P,
    shift: Vec<f64>,
    optimum: Option<Known<Optimum>>,
}

/// Maps `u` with the knot `(knot, value)` between `(0, 0)` and `(1, 1)`.
fn bend(u: f64, knot: f64, value: f64) -> f64 {
    if u <= knot {
        u * (value / knot)
    } else {
        1.0 - (1.0 - u) * ((1.0 - value) / (1.0 - knot))
    }
}

impl<P: Problem> Shifted<P> {
    /// Moves the middle of each coordinate by `shift` (length d).
    ///
    /// # Panics
    /// If there is not one shift strictly between −½ and ½ per coordinate, or the space is not a box.
    #[must_use]
    #[track_caller]
    pub fn new(inner: P, shift: &[f64]) -> Self {
        assert_eq!(shift.len(), inner.space().dim(), "one shift per coordinate");
        assert!(
            inner.space().is_box(),
            "only a box of real inputs can be shifted"
        );
        assert!(
            shift.iter().all(|s| s.abs() < 0.5),
            "shifts must lie strictly between −½ and ½, got {shift:?}"
        );
        let back = |point: &UnitPoint| {
            let pairs = point.coords().iter().zip(shift);
            UnitPoint::clamped(
                pairs
                    .map(|(u, s)| bend(*u, 0.5 + s, 0.5))
                    .collect::<Vec<_>>(),
            )
        };
        let optimum = inner.optimum().map(|known| {
            known.map(|optimum| Optimum {
                points: optimum.points.iter().map(back).collect(),
                cost: optimum.cost,
            })
        });
        Self {
            shift: shift.to_vec(),
            optimum,
            inner,
        }
    }

    fn moved(&self, candidate: &Candidate) -> Candidate {
        let coords = candidate.point.coords();
        assert_eq!(coords.len(), self.shift.len(), "one coordinate per input");
        let pairs = coords.iter().zip(&self.shift);
        let point = UnitPoint::clamped(
            pairs
                .map(|(u, s)| bend(*u, 0.5, 0.5 + s))
                .collect::<Vec<_>>(),
        );
        Candidate {
            point,
            ..candidate.clone()
        }
    }

    fn all_moved(&self, candidates: &[Candidate]) -> Vec<Candidate> {
        candidates
            .iter()
            .map(|candidate| self.moved(candidate))
            .collect()
    }
}

impl<P: Problem> Problem for Shifted<P> {
    forward!(name, space, objectives, cost);

    fn evaluate(&self, candidate: &Candidate, rng: &mut dyn Rng) -> Result<Outcome, ProblemError> {
        self.inner.evaluate(&self.moved(candidate), rng)
    }

    fn noise_free(&self, candidate: &Candidate) -> Option<Outcome> {
        self.inner.noise_free(&self.moved(candidate))
    }

    fn evaluate_batch(
        &self,
        candidates: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Outcome>, ProblemError> {
        self.inner.evaluate_batch(&self.all_moved(candidates), rng)
    }

    fn noise_free_batch(&self, candidates: &[Candidate]) -> Vec<Option<Outcome>> {
        self.inner.noise_free_batch(&self.all_moved(candidates))
    }

    fn reference_point(&self) -> Known<&[f64]> {
        self.inner.reference_point()
    }

    fn max_hypervolume(&self) -> Option<Known<f64>> {
        self.inner.max_hypervolume()
    }

    fn optimum(&self) -> Option<Known<&Optimum>> {
        self.optimum
            .as_ref()
            .map(|known| Known::new(&known.value, known.provenance))
    }

    fn front(&self, points: usize) -> Option<Known<Vec<Vec<f64>>>> {
        self.inner.front(points)
    }
}
