//! The log marginal likelihood of the target data under the conditioned prior, with its gradient.
//!
//! # References
//! Sections 1.3 and 1.11 of the reconstruction: `C = Σ_m (w_m w_mᵀ)∘Σ_m + K_r + σ²I`,
//! `r = y − Σ_m w_m∘μ_m`, `α = C⁻¹r`; with `P = αα ᵀ − C⁻¹`, the derivative of the likelihood by
//! an entry of `C` is `P/2`, and by the weights of task m `(P∘Σ_m)w_m + α∘μ_m`, summed per
//! objective.

use warmfront_gp::{
    ArdKernel, BlockMatrix, GpError, HyperPrior, KernelGram, MapObjective, ParameterScale,
    ParameterSpec, PreparedAnchors,
};
use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat, axpy, dot};

use super::normalize::Normalization;
use super::{Residual, SmogConfig, SmogParams, WeightScope, WeightSign};

/// Posterior mean and covariance of one meta-task at the target's points, as contiguous blocks.
struct TaskTerms {
    mean: Mat<f64>,
    /// One or two blocks if all objectives look alike, else those of the lower triangle.
    blocks: Vec<Vec<f64>>,
    equicorrelated: bool,
}

impl TaskTerms {
    fn new(prepared: &PreparedAnchors) -> Self {
        let covariance = prepared.covariance();
        let m = covariance.outputs();
        let equicorrelated = covariance.is_equicorrelated();
        let blocks = if equicorrelated {
            let second = (m > 1).then(|| flat(covariance, 1, 0));
            std::iter::once(flat(covariance, 0, 0))
                .chain(second)
                .collect()
        } else {
            pairs(m).map(|(o, p)| flat(covariance, o, p)).collect()
        };
        Self {
            mean: prepared.mean().clone(),
            blocks,
            equicorrelated,
        }
    }

    fn block(&self, pair: usize, diagonal: bool) -> &[f64] {
        &self.blocks[if self.equicorrelated {
            usize::from(!diagonal)
        } else {
            pair
        }]
    }
}

fn flat(covariance: &BlockMatrix, first: usize, second: usize) -> Vec<f64> {
    let block = covariance.block(first, second);
    (0..block.ncols())
        .flat_map(|j| (0..block.nrows()).map(move |i| (i, j)))
        .map(|at| block[at])
        .collect()
}

/// Pairs of objectives `(o, p)` with `o ≥ p`.
fn pairs(m: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..m).flat_map(|o| (0..=o).map(move |p| (o, p)))
}

pub(super) struct TargetObjective<'a> {
    config: &'a SmogConfig,
    normalization: &'a Normalization,
    x: &'a Mat<f64>,
    /// Standardised costs, `n×O`.
    y: Mat<f64>,
    tasks: Vec<TaskTerms>,
}

pub(super) struct Workspace {
    gram: KernelGram,
    /// The residual kernel, `n·n`.
    kernel: Vec<f64>,
    /// Blocks of `C`, then of `P`.
    blocks: Vec<Vec<f64>>,
    covariance: Mat<f64>,
    factor: JitteredCholesky,
    inverse: Mat<f64>,
    scratch: Mat<f64>,
}

impl<'a> TargetObjective<'a> {
    pub(super) fn new(
        config: &'a SmogConfig,
        normalization: &'a Normalization,
        x: &'a Mat<f64>,
        y: &Mat<f64>,
        prepared: impl Iterator<Item = &'a PreparedAnchors>,
    ) -> Self {
        let target = &normalization.target;
        Self {
            config,
            normalization,
            x,
            y: Mat::from_fn(y.nrows(), y.ncols(), |i, o| target.apply(o, y[(i, o)])),
            tasks: prepared.map(TaskTerms::new).collect(),
        }
    }

    fn outputs(&self) -> usize {
        self.y.ncols()
    }

    fn weight_count(&self) -> usize {
        match self.config.weights {
            WeightScope::PerObjective => self.tasks.len() * self.outputs(),
            WeightScope::Shared => self.tasks.len(),
        }
    }

    fn weight_index(&self, task: usize, output: usize) -> usize {
        match self.config.weights {
            WeightScope::PerObjective => task * self.outputs() + output,
            WeightScope::Shared => task,
        }
    }

    /// Lengthscales, variance and, if learned, the position of ρ, if there is a residual; the
    /// noise; the weights.
    pub(super) fn specs(&self) -> Vec<ParameterSpec> {
        let mut specs = Vec::new();
        if self.config.residual {
            specs.extend(vec![self.config.residual_lengthscale; self.x.ncols()]);
            specs.push(self.config.residual_variance);
            specs.extend(self.config.rho.spec(self.outputs()));
        }
        specs.push(self.config.noise);
        let initial = 1.0 / self.tasks.len().max(1) as f64;
        let weight = match self.config.sign {
            WeightSign::NonNegative => ParameterSpec {
                prior: Some(HyperPrior::Gamma {
                    shape: 1.0,
                    rate: 1.0,
                }),
                lower: 1e-10,
                upper: 1e6,
                initial,
                scale: ParameterScale::Linear,
            },
            // Its normal prior is part of the objective.
            WeightSign::Signed => ParameterSpec::flat(initial, -1e6, 1e6),
        };
        specs.extend(vec![weight; self.weight_count()]);
        specs
    }

    /// Position of the noise; the weights follow.
    pub(super) fn noise_at(&self) -> usize {
        if self.config.residual {
            self.x.ncols() + 1 + usize::from(self.config.rho.spec(self.outputs()).is_some())
        } else {
            0
        }
    }

    pub(super) fn params(&self, values: &[f64]) -> SmogParams {
        let (d, at, m) = (self.x.ncols(), self.noise_at(), self.outputs());
        let weights = &values[at + 1..];
        SmogParams {
            weights: Mat::from_fn(self.tasks.len(), m, |t, o| weights[self.weight_index(t, o)]),
            residual: self.config.residual.then(|| Residual {
                lengthscales: values[..d].to_vec(),
                variance: values[d],
                rho: self.config.rho.value(m, values[d + 1]),
            }),
            noise: values[at],
        }
    }
}

impl MapObjective for TargetObjective<'_> {
    type Workspace = Workspace;

    fn workspace(&self) -> Workspace {
        let (n, m) = (self.y.nrows(), self.outputs());
        let size = n * m;
        Workspace {
            gram: KernelGram::new(self.config.kernel, n, self.x.ncols()),
            kernel: vec![0.0; n * n],
            blocks: vec![vec![0.0; n * n]; m * (m + 1) / 2],
            covariance: Mat::zeros(size, size),
            factor: JitteredCholesky::from_lower(Mat::identity(size, size), 0.0),
            inverse: Mat::zeros(size, size),
            scratch: Mat::zeros(size, size),
        }
    }

    fn evaluate(
        &self,
        values: &[f64],
        gradient: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<f64, GpError> {
        let (n, m) = (self.y.nrows(), self.outputs());
        let (d, noise_at, tasks) = (self.x.ncols(), self.noise_at(), self.tasks.len());
        let params = self.params(values);
        let normalization = self.normalization;
        let effective = Mat::from_fn(tasks, m, |t, o| {
            params.weights[(t, o)] * normalization.factor[(t, o)]
        });
        let Workspace {
            gram,
            kernel,
            blocks,
            covariance,
            factor,
            inverse,
            scratch,
        } = workspace;

        if let Some(residual) = &params.residual {
            let ard = ArdKernel::new(
                self.config.kernel,
                residual.lengthscales.clone(),
                residual.variance,
            );
            gram.update(&ard, self.x.as_ref());
            mirror(gram, n, kernel);
        }
        for (pair, (o, p)) in pairs(m).enumerate() {
            let block = &mut blocks[pair];
            let correlation = match &params.residual {
                None => 0.0,
                Some(_) if o == p => 1.0,
                Some(residual) => residual.rho,
            };
            block
                .iter_mut()
                .zip(&*kernel)
                .for_each(|(b, k)| *b = correlation * k);
            for (t, task) in self.tasks.iter().enumerate() {
                let weight = effective[(t, o)] * effective[(t, p)];
                axpy(weight, task.block(pair, o == p), block);
            }
            if o == p {
                for i in 0..n {
                    block[i * (n + 1)] += params.noise;
                }
            }
            for j in 0..n {
                covariance.col_as_slice_mut(p * n + j)[o * n..(o + 1) * n]
                    .copy_from_slice(&block[j * n..(j + 1) * n]);
            }
        }
        // Without jitter: a search must not creep into a region that only jitter makes definite.
        factor.refactorize(covariance.as_ref(), JitterPolicy::NONE)?;

        let constant = normalization.constant(&params.weights);
        let mut residuals = Mat::from_fn(n, m, |i, o| self.y[(i, o)] - constant[o]);
        for (t, task) in self.tasks.iter().enumerate() {
            for o in 0..m {
                axpy(
                    -effective[(t, o)],
                    task.mean.col_as_slice(o),
                    residuals.col_as_slice_mut(o),
                );
            }
        }
        let r: Vec<f64> = (0..m)
            .flat_map(|o| residuals.col_as_slice(o).to_vec())
            .collect();
        let mut alpha = r.clone();
        factor.solve_slice_in_place(&mut alpha);
        let mut value = -0.5
            * (dot(&r, &alpha)
                + factor.log_det()
                + (n * m) as f64 * (2.0 * std::f64::consts::PI).ln());

        factor.inverse_lower_into(inverse.as_mut(), scratch);
        for (pair, (o, p)) in pairs(m).enumerate() {
            let block = &mut blocks[pair];
            for j in 0..n {
                let from = if o == p { j } else { 0 };
                let column = &inverse.col_as_slice(p * n + j)[o * n..(o + 1) * n];
                for i in from..n {
                    block[j * n + i] = alpha[o * n + i] * alpha[p * n + j] - column[i];
                }
                if o == p {
                    for i in j + 1..n {
                        block[i * n + j] = block[j * n + i];
                    }
                }
            }
        }

        if let Some(residual) = &params.residual {
            let mut on_diagonal = vec![0.0; n * n];
            let mut off_diagonal = vec![0.0; n * n];
            for (pair, (o, p)) in pairs(m).enumerate() {
                axpy(
                    1.0,
                    &blocks[pair],
                    if o == p {
                        &mut on_diagonal
                    } else {
                        &mut off_diagonal
                    },
                );
            }
            let by_rho = dot(&off_diagonal, kernel);
            let by_variance = 0.5 * dot(&on_diagonal, kernel) + residual.rho * by_rho;
            let weights = Mat::from_fn(n, n, |i, j| {
                let both = off_diagonal[j * n + i] + off_diagonal[i * n + j];
                0.5 * (on_diagonal[j * n + i] + residual.rho * both)
            });
            gram.add_lengthscale_gradient(weights.as_ref(), &mut gradient[..d]);
            gradient[d] += by_variance;
            if noise_at == d + 2 {
                gradient[d + 1] += by_rho * self.config.rho.width(m);
            }
        }
        let trace: f64 = pairs(m)
            .enumerate()
            .filter(|(_, (o, p))| o == p)
            .map(|(pair, _)| (0..n).map(|i| blocks[pair][i * (n + 1)]).sum::<f64>())
            .sum();
        gradient[noise_at] += 0.5 * params.noise * trace;

        let totals: Vec<f64> = (0..m)
            .map(|o| alpha[o * n..(o + 1) * n].iter().sum())
            .collect();
        for (t, task) in self.tasks.iter().enumerate() {
            let mut by_weight: Vec<f64> = (0..m)
                .map(|o| dot(&alpha[o * n..(o + 1) * n], task.mean.col_as_slice(o)))
                .collect();
            for (pair, (o, p)) in pairs(m).enumerate() {
                let inner = dot(&blocks[pair], task.block(pair, o == p));
                by_weight[o] += effective[(t, p)] * inner;
                if o != p {
                    by_weight[p] += effective[(t, o)] * inner;
                }
            }
            for o in 0..m {
                gradient[noise_at + 1 + self.weight_index(t, o)] += by_weight[o]
                    * normalization.factor[(t, o)]
                    + totals[o] * normalization.constant_slope(t, o);
            }
        }
        if self.config.sign == WeightSign::Signed {
            for k in noise_at + 1..values.len() {
                value -= 0.5 * values[k] * values[k];
                gradient[k] -= values[k];
            }
        }
        Ok(value)
    }

    fn observations(&self) -> usize {
        (self.y.nrows() * self.outputs()).max(1)
    }
}

/// Both triangles of the Gram matrix, column after column.
fn mirror(gram: &KernelGram, n: usize, out: &mut [f64]) {
    let value = gram.value();
    for j in 0..n {
        for i in j..n {
            out[j * n + i] = value[(i, j)];
            out[i * n + j] = value[(i, j)];
        }
    }
}
