//! Joint posterior samples at query points, conditioned on fixed samples at anchor points.
//!
//! The samples at the anchors are drawn once: `F_b = μ_b + L_bb z_b`. A query `x` continues each
//! of them: with `L_xb = Σ_xb L_bb⁻ᵀ` and `L_xx L_xxᵀ = Σ_xx − L_xb L_xbᵀ`,
//! `F_x = μ_x + L_xb z_b + L_xx z_x`, which is what a factorisation of the whole matrix would give
//! (Daulton et al. 2021, section 5, the cached root). `L_bb⁻¹` is kept explicitly: a query then
//! costs one product with a triangular matrix for each output and query point, no solve.

use rand::Rng;
use warmfront_gp::{AnchoredPosterior, AnchoredQuery, DifferentiableSurrogate};
use warmfront_linalg::{Mat, MatMut, MatRef, axpy, dot};

use crate::AcqError;
use crate::base_samples::normal_samples;
use crate::root::{Root, add_lower_transposed_times, lower_times};

/// Most query points that can be judged jointly.
pub(crate) const MAX_JOINT: usize = 6;

/// A standard deviation this small, relative to the scale of an objective, counts as none.
const NEGLIGIBLE: f64 = 1e-7;

/// Outputs that are correlated a posteriori, and the root of their covariance at the anchors.
struct Group {
    first: usize,
    outputs: usize,
    /// `L_bb⁻¹`, row-major, `w×w` with `w = outputs·a`.
    inverse: Vec<f64>,
}

/// Draws samples at query points that continue samples at anchors.
pub(crate) struct Sampler<'a> {
    anchored: Box<dyn AnchoredPosterior + 'a>,
    pub(crate) samples: usize,
    pub(crate) outputs: usize,
    pub(crate) anchors: usize,
    groups: Vec<Group>,
    /// Samples at the anchors, `am×S`, one row a variable (objective-major).
    pub(crate) anchor_samples: Vec<f64>,
    /// `am×S`: base samples at the anchors, one row a variable.
    z_anchor: Vec<f64>,
    /// `(MAX_JOINT·m)×S`, ordered by query point, then output.
    z_query: Vec<f64>,
    /// Smallest variance of each output that counts.
    floor: Vec<f64>,
}

/// Everything a query computes, for the way back.
pub(crate) struct Draw {
    query: AnchoredQuery,
    /// `qm×am` rows of `L_xb`, row-major.
    l_xb: Vec<f64>,
    l_xx: Root,
    /// Samples, `qm×S`, one row a variable.
    pub(crate) f: Vec<f64>,
}

impl<'a> Sampler<'a> {
    /// Prepares samples anchored at the rows of `anchors` (`a×d`); `scale` (length `m`) says what
    /// a typical difference between values of each output is.
    pub(crate) fn new(
        model: &'a dyn DifferentiableSurrogate,
        anchors: MatRef<'_, f64>,
        samples: usize,
        scale: &[f64],
        rng: &mut dyn Rng,
    ) -> Result<Self, AcqError> {
        let (a, m) = (anchors.nrows(), model.num_outputs());
        let anchored = model.anchor(anchors);
        let joint = anchored.anchors();
        let finite = |x: MatRef<'_, f64>| x.col_iter().all(|c| c.iter().all(|v| v.is_finite()));
        if !finite(joint.mean.as_ref()) || !finite(joint.covariance.as_ref()) {
            return Err(AcqError::ModelNotFinite {
                at: "observed points",
            });
        }
        let floor: Vec<f64> = scale.iter().map(|s| (NEGLIGIBLE * s).powi(2)).collect();
        let z = normal_samples(MAX_JOINT * m + a * m, samples, rng);
        let (z_query, z_anchor) = z.split_at(MAX_JOINT * m * samples);
        let step = if a > 0 && separable(joint.covariance.as_ref(), a, m) {
            1
        } else {
            m
        };
        let mut anchor_samples = vec![0.0; a * m * samples];
        let mut groups = Vec::with_capacity(m / step);
        for first in (0..m).step_by(step) {
            let (w, offset) = (step * a, first * a);
            let mut sigma = vec![0.0; w * w];
            for i in 0..w {
                for j in 0..=i {
                    sigma[i * w + j] = joint.covariance[(offset + i, offset + j)];
                }
            }
            let floors: Vec<f64> = (0..w).map(|i| floor[first + i / a]).collect();
            let root = Root::factorize(sigma, &floors);
            for (i, row) in anchor_samples[offset * samples..(offset + w) * samples]
                .chunks_exact_mut(samples)
                .enumerate()
            {
                row.fill(joint.mean[(i % a, first + i / a)]);
                for (k, &c) in root.l[i * w..i * w + i + 1].iter().enumerate() {
                    if c != 0.0 {
                        let z = &z_anchor[(offset + k) * samples..(offset + k + 1) * samples];
                        axpy(c, z, row);
                    }
                }
            }
            groups.push(Group {
                first,
                outputs: step,
                inverse: root.inverse(),
            });
        }
        Ok(Self {
            samples,
            outputs: m,
            anchors: a,
            groups,
            anchor_samples,
            z_anchor: z_anchor.to_vec(),
            z_query: z_query.to_vec(),
            floor,
            anchored,
        })
    }

    /// Samples at the rows of `x` (`q×d`); `None` if the posterior is not finite there.
    pub(crate) fn draw(&self, x: MatRef<'_, f64>) -> Option<Draw> {
        let (q, m, a, s) = (x.nrows(), self.outputs, self.anchors, self.samples);
        assert!(
            q > 0 && q <= MAX_JOINT,
            "expected 1 to {MAX_JOINT} points to judge jointly, got {q}"
        );
        let (rows, w_all) = (q * m, a * m);
        let query = self.anchored.query(x);
        let mut l_xb = vec![0.0; rows * w_all];
        let mut cross = vec![0.0; w_all];
        for group in self.groups.iter().filter(|_| a > 0) {
            let (w, offset) = (group.outputs * a, group.first * a);
            for r in group.first * q..(group.first + group.outputs) * q {
                for k in 0..w {
                    cross[k] = query.cross[(r, offset + k)];
                }
                let out = &mut l_xb[r * w_all + offset..r * w_all + offset + w];
                lower_times(&group.inverse, &cross[..w], out);
            }
        }
        let mut conditional = vec![0.0; rows * rows];
        for i in 0..rows {
            for j in 0..=i {
                let explained = dot(
                    &l_xb[i * w_all..(i + 1) * w_all],
                    &l_xb[j * w_all..(j + 1) * w_all],
                );
                let value = query.covariance[(i, j)] - explained;
                if !value.is_finite() {
                    return None;
                }
                conditional[i * rows + j] = value;
            }
        }
        let floors: Vec<f64> = (0..rows).map(|r| self.floor[r / q]).collect();
        let l_xx = Root::factorize(conditional, &floors);
        let mut f = vec![0.0; rows * s];
        for (r, f) in f.chunks_exact_mut(s).enumerate() {
            let mean = query.mean[(r % q, r / q)];
            if !mean.is_finite() {
                return None;
            }
            f.fill(mean);
            for (z, &c) in self
                .z_anchor
                .chunks_exact(s)
                .zip(&l_xb[r * w_all..(r + 1) * w_all])
            {
                if c != 0.0 {
                    axpy(c, z, f);
                }
            }
            for k in 0..=r {
                axpy(l_xx.l[r * rows + k], self.base(k, q), f);
            }
        }
        Some(Draw {
            query,
            l_xb,
            l_xx,
            f,
        })
    }

    /// Base samples of variable `r` (output `r / q` of query point `r % q`).
    fn base(&self, r: usize, q: usize) -> &[f64] {
        let (s, at) = (self.samples, (r % q) * self.outputs + r / q);
        &self.z_query[at * s..(at + 1) * s]
    }

    /// Pulls ∂s/∂F (`f_bar`, `qm×S`) back to `x` and writes ∂s/∂x (`q×d`).
    pub(crate) fn pullback(
        &self,
        x: MatRef<'_, f64>,
        draw: Draw,
        f_bar: &[f64],
        gradient: MatMut<'_, f64>,
    ) {
        let (q, m, a, s) = (x.nrows(), self.outputs, self.anchors, self.samples);
        let (rows, w_all) = (q * m, a * m);
        let mut bar = vec![0.0; rows * rows];
        for r in 0..rows {
            for k in 0..=r {
                bar[r * rows + k] = dot(&f_bar[r * s..(r + 1) * s], self.base(k, q));
            }
        }
        draw.l_xx.pullback(&mut bar);

        let mut adjoint = draw.query;
        adjoint.mean = Mat::from_fn(q, m, |i, o| {
            f_bar[(o * q + i) * s..(o * q + i + 1) * s].iter().sum()
        });
        adjoint.covariance = Mat::from_fn(rows, rows, |i, j| bar[i * rows + j]);
        adjoint.cross.fill(0.0);
        let (mut l_bar, mut cross) = (vec![0.0; w_all], vec![0.0; w_all]);
        for group in self.groups.iter().filter(|_| a > 0) {
            let (w, offset) = (group.outputs * a, group.first * a);
            let members = group.first * q..(group.first + group.outputs) * q;
            for r in members.clone() {
                for (k, value) in l_bar[..w].iter_mut().enumerate() {
                    let z = &self.z_anchor[(offset + k) * s..(offset + k + 1) * s];
                    *value = dot(&f_bar[r * s..(r + 1) * s], z);
                }
                for j in members.clone() {
                    let row = &draw.l_xb[j * w_all + offset..j * w_all + offset + w];
                    axpy(-2.0 * bar[r * rows + j], row, &mut l_bar[..w]);
                }
                cross[..w].fill(0.0);
                add_lower_transposed_times(&group.inverse, &l_bar[..w], &mut cross[..w]);
                for k in 0..w {
                    adjoint.cross[(r, offset + k)] = cross[k];
                }
            }
        }
        self.anchored.pullback(x, &adjoint, gradient);
    }
}

/// Whether all covariances between different outputs are exactly zero.
fn separable(covariance: MatRef<'_, f64>, a: usize, m: usize) -> bool {
    (0..a * m).all(|j| (0..a * m).all(|i| i / a == j / a || covariance[(i, j)] == 0.0))
}
