//! What evaluations are expected to add to the integrated optimum, and their greedy choice.

use warmfront_gp::{ArdKernel, ExactGp};
use warmfront_linalg::{Mat, ScaledPoints, add_matmul_into, dot, matmul};
use warmfront_math::special::ei_helper;

use super::Recommended;

/// Candidates with their values under a model; all in standardised units.
pub(super) struct Gains<'a> {
    gp: &'a ExactGp,
    kernel: &'a ArdKernel,
    noise: f64,
    /// Solution coordinates.
    v: usize,
    tasks: Vec<&'a [f64]>,
    points: ScaledPoints,
    /// `K⁻¹(y − m)`.
    alpha: Vec<f64>,
    mean: f64,
    /// The fixed alternatives, `T·S×(V + D)`, those of one task one after the other.
    alternatives: Mat<f64>,
    /// Their means.
    alternative_means: Vec<f64>,
    /// Their covariances with the data, `n×T·S`.
    cross: Mat<f64>,
    candidates: Vec<Candidate>,
    picks: Vec<Pick>,
}

struct Candidate {
    z: Vec<f64>,
    /// `K⁻¹k(z)`, length `n`.
    weights: Vec<f64>,
    /// Posterior variance of the latent value before any pick.
    variance: f64,
    /// Posterior covariances with the fixed alternatives before any pick.
    with_alternatives: Vec<f64>,
    value: f64,
    /// Picks that the value knows of.
    valued_at: usize,
    taken: bool,
}

/// A pick as it changes later covariances: `cov(a, b)` loses `u(a)·u(b)`.
struct Pick {
    candidate: usize,
    /// `√(variance + noise)` when it was picked.
    scale: f64,
    /// `u` at the fixed alternatives.
    with_alternatives: Vec<f64>,
    /// `u` at the earlier picks, in order.
    with_picks: Vec<f64>,
}

impl<'a> Gains<'a> {
    pub(super) fn new(gp: &'a ExactGp, recommended: &'a [Recommended]) -> Self {
        let kernel = gp.kernel();
        let hyper = gp.hyperparameters();
        let dim = kernel.dim();
        let v = dim - recommended.first().map_or(0, |at| at.task.len());
        let each = recommended.first().map_or(0, |at| at.solutions.len());
        let alternatives = Mat::from_fn(recommended.len() * each, dim, |row, k| {
            let at = &recommended[row / each];
            if k < v {
                at.solutions[row % each][k]
            } else {
                at.task[k - v]
            }
        });
        let mut alpha: Vec<f64> = gp.standardized_y().iter().map(|y| y - hyper.mean).collect();
        gp.factor().solve_slice_in_place(&mut alpha);
        let cross = kernel.cross(gp.x(), alternatives.as_ref());
        let alternative_means = (0..alternatives.nrows())
            .map(|i| hyper.mean + dot(cross.col_as_slice(i), &alpha))
            .collect();
        Self {
            gp,
            noise: hyper.noise,
            mean: hyper.mean,
            v,
            tasks: recommended.iter().map(|at| at.task.as_slice()).collect(),
            points: kernel.scale(gp.x()),
            kernel,
            alpha,
            alternatives,
            alternative_means,
            cross,
            candidates: Vec::new(),
            picks: Vec::new(),
        }
    }

    /// Adds and values candidates `(x, θ)`.
    pub(super) fn add(&mut self, all: Vec<Vec<f64>>) {
        let dim = self.kernel.dim();
        let at = Mat::from_fn(all.len(), dim, |i, k| all[i][k]);
        let cross = self.kernel.cross(self.gp.x(), at.as_ref());
        let mut weights = cross.clone();
        self.gp.factor().solve_in_place(weights.as_mut());
        let mut with = self.kernel.cross(self.alternatives.as_ref(), at.as_ref());
        add_matmul_into(
            with.as_mut(),
            self.cross.transpose(),
            weights.as_ref(),
            -1.0,
        );
        for (i, z) in all.into_iter().enumerate() {
            let explained = dot(cross.col_as_slice(i), weights.col_as_slice(i));
            self.candidates.push(Candidate {
                z,
                weights: weights.col_as_slice(i).to_vec(),
                variance: (self.kernel.variance() - explained).max(0.0),
                with_alternatives: with.col_as_slice(i).to_vec(),
                value: 0.0,
                valued_at: 0,
                taken: false,
            });
            let index = self.candidates.len() - 1;
            self.value(index);
        }
    }

    /// The untaken candidates of largest value, best first.
    pub(super) fn best(&self, count: usize) -> Vec<Vec<f64>> {
        let mut order: Vec<usize> = (0..self.candidates.len()).collect();
        order.sort_by(|&a, &b| {
            self.candidates[b]
                .value
                .total_cmp(&self.candidates[a].value)
        });
        order
            .into_iter()
            .take(count)
            .map(|i| self.candidates[i].z.clone())
            .collect()
    }

    /// The best candidates one after the other, each as if the earlier ones returned their means.
    pub(super) fn greedy(&mut self, count: usize) -> Vec<Vec<f64>> {
        let mut picks = Vec::with_capacity(count);
        while picks.len() < count.min(self.candidates.len()) {
            let Some(leader) = self.leader() else { break };
            if self.candidates[leader].valued_at < self.picks.len() {
                self.value(leader);
            } else {
                picks.push(self.candidates[leader].z.clone());
                self.pick(leader);
            }
        }
        picks
    }

    fn leader(&self) -> Option<usize> {
        let mut best: Option<usize> = None;
        for (i, candidate) in self.candidates.iter().enumerate() {
            let ahead = |b: usize| candidate.value > self.candidates[b].value;
            if !candidate.taken && best.is_none_or(ahead) {
                best = Some(i);
            }
        }
        best
    }

    /// `u` of a candidate at the picks, in order.
    fn at_picks(&self, index: usize) -> Vec<f64> {
        let own = &self.candidates[index];
        let mut u: Vec<f64> = Vec::with_capacity(self.picks.len());
        for pick in &self.picks {
            let other = &self.candidates[pick.candidate];
            let mut covariance = self.covariance(&own.z, &other.z, &other.weights);
            for (a, b) in u.iter().zip(&pick.with_picks) {
                covariance -= a * b;
            }
            u.push(covariance / pick.scale);
        }
        u
    }

    /// Posterior covariance of two points before any pick, `weights` being those of the second.
    fn covariance(&self, a: &[f64], b: &[f64], weights: &[f64]) -> f64 {
        let mut point = vec![0.0; a.len()];
        self.kernel.scale_point(a, &mut point);
        let mut column = vec![0.0; weights.len()];
        self.kernel.column_into(&self.points, &point, &mut column);
        let inverse = self.kernel.inverse_lengthscales();
        let squared: f64 = (0..a.len())
            .map(|k| ((a[k] - b[k]) * inverse[k]).powi(2))
            .sum();
        let mut prior = [squared];
        self.kernel.apply(&mut prior);
        prior[0] - dot(&column, weights)
    }

    /// Values a candidate under all picks so far.
    fn value(&mut self, index: usize) {
        let (count, dim) = (self.tasks.len(), self.kernel.dim());
        let own = &self.candidates[index];
        let at_picks = self.at_picks(index);
        let variance = own.variance - dot(&at_picks, &at_picks);
        let scale = (variance.max(0.0) + self.noise).sqrt();
        let mut with_alternatives = own.with_alternatives.clone();
        for (pick, u) in self.picks.iter().zip(&at_picks) {
            for (value, other) in with_alternatives.iter_mut().zip(&pick.with_alternatives) {
                *value -= u * other;
            }
        }
        // The candidate's solution at every task: one more alternative of each.
        let moved = Mat::from_fn(count, dim, |t, k| {
            if k < self.v {
                own.z[k]
            } else {
                self.tasks[t][k - self.v]
            }
        });
        let scaled = self.kernel.scale(moved.as_ref());
        let mut cross = Mat::zeros(self.alpha.len(), count);
        self.kernel
            .cross_into(&self.points, &scaled, cross.as_mut());
        let others: Vec<usize> = std::iter::once(index)
            .chain(self.picks.iter().map(|pick| pick.candidate))
            .collect();
        let weights = Mat::from_fn(self.alpha.len(), others.len(), |i, j| {
            self.candidates[others[j]].weights[i]
        });
        let there = Mat::from_fn(others.len(), dim, |j, k| self.candidates[others[j]].z[k]);
        let mut covariances = self.kernel.cross(moved.as_ref(), there.as_ref());
        covariances -= matmul(cross.transpose(), weights.as_ref());
        let each = self.alternative_means.len() / count.max(1);
        let mut lines: Vec<(f64, f64)> = Vec::with_capacity(each + 1);
        let mut u = vec![0.0; self.picks.len()];
        let mut total = 0.0;
        for t in 0..count {
            for (j, pick) in self.picks.iter().enumerate() {
                let mut covariance = covariances[(t, j + 1)];
                for (a, b) in u[..j].iter().zip(&pick.with_picks) {
                    covariance -= a * b;
                }
                u[j] = covariance / pick.scale;
            }
            let mean = self.mean + dot(cross.col_as_slice(t), &self.alpha);
            let slope = (covariances[(t, 0)] - dot(&u, &at_picks)) / scale;
            lines.clear();
            lines.push((mean, slope));
            let range = t * each..(t + 1) * each;
            lines.extend(range.map(|i| (self.alternative_means[i], with_alternatives[i] / scale)));
            total += expected_decrease(&mut lines);
        }
        let valued_at = self.picks.len();
        let own = &mut self.candidates[index];
        own.value = if total.is_finite() {
            total / count as f64
        } else {
            0.0
        };
        own.valued_at = valued_at;
    }

    fn pick(&mut self, index: usize) {
        let with_picks = self.at_picks(index);
        let own = &self.candidates[index];
        let variance = own.variance - dot(&with_picks, &with_picks);
        let scale = (variance.max(0.0) + self.noise).sqrt();
        let mut with_alternatives = own.with_alternatives.clone();
        for (pick, u) in self.picks.iter().zip(&with_picks) {
            for (value, other) in with_alternatives.iter_mut().zip(&pick.with_alternatives) {
                *value -= u * other;
            }
        }
        for value in &mut with_alternatives {
            *value /= scale;
        }
        self.candidates[index].taken = true;
        self.picks.push(Pick {
            candidate: index,
            scale,
            with_alternatives,
            with_picks,
        });
    }
}

/// `min a − E[min (a + b·Z)]` over lines `(a, b)` with `Z` standard normal; reorders them.
///
/// # References
/// Frazier, Powell, Dayanik 2009, algorithm 1, for a minimum.
pub(super) fn expected_decrease(lines: &mut Vec<(f64, f64)>) -> f64 {
    // Of lines with the same slope the lowest counts.
    lines.sort_by(|p, q| p.1.total_cmp(&q.1).then(p.0.total_cmp(&q.0)));
    lines.dedup_by(|next, kept| next.1 <= kept.1);
    // The lower envelope from right to left has slopes in ascending order from Z = +∞ on.
    let mut envelope: Vec<((f64, f64), f64)> = Vec::with_capacity(lines.len());
    for &(a, b) in lines.iter() {
        let mut crossing = f64::INFINITY;
        while let Some(&((a0, b0), from)) = envelope.last() {
            // Below the crossing the steeper line is the lower one.
            crossing = (a0 - a) / (b - b0);
            if crossing < from {
                break;
            }
            envelope.pop();
            crossing = f64::INFINITY;
        }
        envelope.push(((a, b), crossing));
    }
    envelope
        .windows(2)
        .map(|pair| {
            let step = pair[1].0.1 - pair[0].0.1;
            step * ei_helper(-pair[1].1.abs())
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use warmfront_gp::{Dataset, Hyperparameters, KernelKind, Standardization, Surrogate};
    use warmfront_math::distribution::standard_normal;

    use super::*;

    fn by_quadrature(lines: &[(f64, f64)]) -> f64 {
        let least = |z: f64| {
            lines
                .iter()
                .map(|(a, b)| a + b * z)
                .fold(f64::INFINITY, f64::min)
        };
        let n = 40_000;
        let mean: f64 = (0..n)
            .map(|i| {
                let z = -8.0 + 16.0 * (f64::from(i) + 0.5) / f64::from(n);
                least(z) * (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt() * 16.0
                    / f64::from(n)
            })
            .sum();
        least(0.0) - mean
    }

    #[test]
    fn the_expected_decrease_agrees_with_quadrature() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for count in [1, 2, 3, 5, 9] {
            for _ in 0..5 {
                let lines: Vec<(f64, f64)> = (0..count)
                    .map(|_| (standard_normal(&mut rng), standard_normal(&mut rng)))
                    .collect();
                let value = expected_decrease(&mut lines.clone());
                let expected = by_quadrature(&lines);
                assert!(
                    (value - expected).abs() < 1e-6,
                    "{value} {expected} {lines:?}"
                );
            }
        }
        let mut same = vec![(1.0, 0.5), (0.3, 0.5), (0.3, 0.5)];
        assert!(expected_decrease(&mut same).abs() < 1e-300);
    }

    fn model(extra: &[Vec<f64>]) -> ExactGp {
        let n = 12;
        let mut x = Mat::from_fn(n + extra.len(), 2, |i, k| {
            ((i * (k + 3)) as f64 * 0.37).fract()
        });
        let start = x.subrows(0, n).to_owned();
        let y = Mat::from_fn(n, 1, |i, _| (3.0 * (x[(i, 0)] - 0.5 * x[(i, 1)])).powi(2));
        let hyper = Hyperparameters {
            lengthscales: vec![0.2, 0.4],
            outputscale: 1.3,
            noise: 1e-3,
            mean: 0.2,
        };
        let s = Standardization::of(y.col_as_slice(0));
        let data = Dataset::new(start, y).expect("finite");
        let gp = ExactGp::with_hyperparameters(&data, KernelKind::Rbf, &hyper, s).expect("regular");
        let mut grown = gp;
        for (i, z) in extra.iter().enumerate() {
            for k in 0..2 {
                x[(n + i, k)] = z[k];
            }
            let row = x.as_ref().subrows(n + i, 1);
            let mean = grown.means(row)[0];
            grown = grown.condition_on(row, &[mean]).expect("regular");
        }
        grown
    }

    fn recommended() -> Vec<Recommended> {
        [0.1, 0.5, 0.9]
            .map(|t| Recommended {
                task: vec![t],
                solutions: vec![vec![0.5 * t], vec![0.8]],
                mean: 0.0,
            })
            .to_vec()
    }

    #[test]
    fn later_values_are_those_of_a_model_that_knows_the_picks() {
        let gp = model(&[]);
        let tasks = recommended();
        let all: Vec<Vec<f64>> = (0..30)
            .map(|i| {
                (1..3)
                    .map(|k| (f64::from(i * k) * 0.17 + 0.05).fract())
                    .collect()
            })
            .collect();
        let mut gains = Gains::new(&gp, &tasks);
        gains.add(all.clone());
        let picks = gains.greedy(4);
        let grown = model(&picks);
        let mut fresh = Gains::new(&grown, &tasks);
        fresh.add(all.clone());
        for i in 0..all.len() {
            gains.value(i);
            let (a, b) = (gains.candidates[i].value, fresh.candidates[i].value);
            assert!((a - b).abs() < 1e-6 + 1e-3 * b, "{i}: {a} {b}");
        }
        // Each pick was the best of all when its turn came, or nearly so: values may grow.
        for turn in 0..4 {
            let known = model(&picks[..turn]);
            let mut then = Gains::new(&known, &tasks);
            then.add(all.clone());
            let best = then.best(1).remove(0);
            let at = |z: &Vec<f64>| {
                all.iter()
                    .position(|other| other == z)
                    .expect("one of them")
            };
            let (own, most) = (at(&picks[turn]), at(&best));
            let share = then.candidates[own].value / then.candidates[most].value;
            assert!(
                share > if turn == 0 { 0.999 } else { 0.7 },
                "turn {turn}: {share}"
            );
        }
    }

    #[test]
    fn the_value_is_the_expected_decrease_of_the_mean_optimum() {
        // By simulation: condition on outcomes drawn at the candidate and look at the minima.
        let gp = model(&[]);
        let tasks = recommended();
        let z = vec![0.35, 0.6];
        let mut gains = Gains::new(&gp, &tasks);
        gains.add(vec![z.clone()]);
        let row = Mat::from_fn(1, 2, |_, k| z[k]);
        let at = gp.predict(row.as_ref());
        let minima = |gp: &ExactGp| -> f64 {
            let total: f64 = tasks
                .iter()
                .map(|at| {
                    let mut xs: Vec<f64> = at.solutions.iter().map(|x| x[0]).collect();
                    xs.push(z[0]);
                    let points =
                        Mat::from_fn(xs.len(), 2, |i, k| if k == 0 { xs[i] } else { at.task[0] });
                    gp.means(points.as_ref())
                        .into_iter()
                        .fold(f64::INFINITY, f64::min)
                })
                .sum();
            total / 3.0
        };
        let before = minima(&gp);
        let sd = (at.variance[(0, 0)] + gp.noise_variance()).sqrt();
        let n = 400;
        let mut gain = 0.0;
        let mut weight = 0.0;
        for i in 0..n {
            let step = -5.0 + 10.0 * (f64::from(i) + 0.5) / f64::from(n);
            let w = (-0.5 * step * step).exp();
            let outcome = at.mean[(0, 0)] + sd * step;
            let after = gp.condition_on(row.as_ref(), &[outcome]).expect("regular");
            gain += w * (before - minima(&after));
            weight += w;
        }
        let expected = gain / weight / gp.standardization().scale();
        let value = gains.candidates[0].value;
        assert!(value > 1e-4, "{value}");
        assert!(
            (value - expected).abs() < 1e-3 * expected + 1e-6,
            "{value} {expected}"
        );
    }
}
