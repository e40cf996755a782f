//! Paths over random hills: six inputs, two objectives.
//!
//! A task is a height map over the unit square, the sum of twelve Gaussian hills. Three interior
//! waypoints (`x`, `y` each) and the corners (0, 0) and (1, 1) define a natural cubic spline;
//! minimised are its length and the climb accumulated along it. The straight line is shortest, and
//! ways round the hills climb less. The length is the same function in every task; only the climb
//! differs. The published SMOG experiments name a terrain family without its definition; this one
//! is our own.

use warmfront_core::{Purpose, Seed};

use super::task::SampledReference;
use crate::sample::uniform_in;
use crate::synthetic::minimise;
use crate::{Design, Problem, Synthetic, TaskFamily};

const HILLS: usize = 12;
/// Straight pieces into which each of the four spline segments is cut.
const PIECES: usize = 32;

/// Tasks of planning a path over a random terrain.
#[derive(Debug, Clone)]
pub struct Terrain {
    seed: Seed,
    noise: f64,
    design: Design,
}

impl Terrain {
    /// A family without noise.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        Self {
            seed,
            noise: 0.0,
            design: Design::Uniform,
        }
    }

    /// The same family with Gaussian noise of this standard deviation on both objectives.
    #[must_use]
    pub fn with_noise(self, noise: f64) -> Self {
        Self { noise, ..self }
    }

    /// The same family with meta-data placed otherwise.
    #[must_use]
    pub fn with_design(self, design: Design) -> Self {
        Self { design, ..self }
    }
}

#[derive(Debug, Clone, Copy)]
struct Hill {
    x: f64,
    y: f64,
    height: f64,
    width: f64,
}

fn height(hills: &[Hill], x: f64, y: f64) -> f64 {
    let hill = |hill: &Hill| {
        let square = (x - hill.x).powi(2) + (y - hill.y).powi(2);
        hill.height * (-0.5 * square / (hill.width * hill.width)).exp()
    };
    hills.iter().map(hill).sum()
}

/// Second derivatives at the five knots 0, 1, …, 4 of a natural cubic spline.
fn curvatures(values: &[f64; 5]) -> [f64; 5] {
    // Three interior equations s_{i−1} + 4 s_i + s_{i+1} = 6·Δ²v with s₀ = s₄ = 0, solved by hand.
    let right = |i: usize| 6.0 * (values[i - 1] - 2.0 * values[i] + values[i + 1]);
    let (a, b, c) = (right(1), right(2), right(3));
    let middle = (4.0 * b - a - c) / 14.0;
    [0.0, (a - middle) / 4.0, middle, (c - middle) / 4.0, 0.0]
}

fn spline(values: &[f64; 5], curvature: &[f64; 5], segment: usize, t: f64) -> f64 {
    let s = 1.0 - t;
    s * values[segment]
        + t * values[segment + 1]
        + ((s * s * s - s) * curvature[segment] + (t * t * t - t) * curvature[segment + 1]) / 6.0
}

/// Length and accumulated climb of the path through the waypoints `x` (length 6).
fn path(hills: &[Hill], x: &[f64]) -> (f64, f64) {
    let xs = [0.0, x[0], x[2], x[4], 1.0];
    let ys = [0.0, x[1], x[3], x[5], 1.0];
    let (curve_x, curve_y) = (curvatures(&xs), curvatures(&ys));
    let (mut length, mut climb) = (0.0, 0.0);
    let (mut px, mut py) = (0.0, 0.0);
    let mut before = height(hills, px, py);
    for segment in 0..4 {
        for piece in 1..=PIECES {
            let t = piece as f64 / PIECES as f64;
            let qx = spline(&xs, &curve_x, segment, t);
            let qy = spline(&ys, &curve_y, segment, t);
            length += (qx - px).hypot(qy - py);
            let after = height(hills, qx, qy);
            climb += (after - before).max(0.0);
            (px, py, before) = (qx, qy, after);
        }
    }
    (length, climb)
}

impl TaskFamily for Terrain {
    fn name(&self) -> &str {
        "terrain"
    }

    fn len(&self) -> Option<usize> {
        None
    }

    fn task(&self, index: usize) -> Box<dyn Problem> {
        let mut rng = self.seed.child(index as u64).stream(Purpose::Init, 0);
        let mut draw = |low, high| uniform_in(low, high, &mut rng);
        let hills = [(); HILLS].map(|()| Hill {
            x: draw(0.0, 1.0),
            y: draw(0.0, 1.0),
            height: draw(0.3, 1.0),
            width: draw(0.06, 0.2),
        });
        let problem = Synthetic::new(
            &format!("terrain_{index}"),
            &[(0.0, 1.0); 6],
            minimise(&["length", "climb"]),
            move |x, y| (y[0], y[1]) = path(&hills, x),
        );
        Box::new(SampledReference::new(problem.with_noise(&[self.noise; 2])))
    }

    fn design(&self) -> Design {
        self.design
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_path_over_a_plain_has_the_diagonal_as_length_and_no_climb() {
        let (length, climb) = path(&[], &[0.25, 0.25, 0.5, 0.5, 0.75, 0.75]);
        assert!((length - 2f64.sqrt()).abs() < 1e-12, "{length}");
        assert!(climb.abs() < 1e-300);
    }

    #[test]
    fn the_climb_over_one_hill_is_its_height_above_the_start() {
        let hill = Hill {
            x: 0.5,
            y: 0.5,
            height: 2.0,
            width: 0.1,
        };
        let (_, climb) = path(&[hill], &[0.25, 0.25, 0.5, 0.5, 0.75, 0.75]);
        assert!(
            (climb - (2.0 - height(&[hill], 0.0, 0.0))).abs() < 1e-12,
            "{climb}"
        );
    }

    #[test]
    fn the_spline_meets_its_knots_with_continuous_slope() {
        let values = [0.0, 0.9, 0.1, 0.4, 1.0];
        let curvature = curvatures(&values);
        for knot in 1..4 {
            assert!((spline(&values, &curvature, knot, 0.0) - values[knot]).abs() < 1e-12);
            let slope = |segment, t: f64, h: f64| {
                (spline(&values, &curvature, segment, t + h)
                    - spline(&values, &curvature, segment, t))
                    / h
            };
            let jump = slope(knot - 1, 1.0, -1e-6) - slope(knot, 0.0, 1e-6);
            assert!(jump.abs() < 1e-4, "{jump}");
        }
    }
}
