//! What the surrogate is fitted to.

use rand::{Rng, RngExt};
use warmfront_gp::{Dataset, DifferentiableSurrogate, ExactGp, ExactGpConfig, Independent};
use warmfront_linalg::Mat;
use warmfront_pareto::{Points, reference, simplex_weights};

use super::at_full::AtFullFidelity;
use super::config::{LowFidelity, Outliers, ReferencePoint, Scalarization, weighted_uniforms};
use super::outliers::Compression;
use crate::data::impute;
use crate::multi_fidelity::{FidelityLog, LogEntry};
use crate::{FailurePolicy, MetaError, TargetData};

/// A fitted surrogate and the full evaluations as it sees them.
pub(super) struct Fitted {
    pub(super) model: Box<dyn DifferentiableSurrogate>,
    pub(super) data: TargetData,
    /// The hypervolume reference point; `None` lets the acquisition function infer it.
    pub(super) reference: Option<Vec<f64>>,
}

/// Which targets to fit to, from which evaluations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Targets<'a> {
    pub(super) scalarization: Scalarization,
    pub(super) low_fidelity: LowFidelity,
    pub(super) failures: FailurePolicy,
    pub(super) outliers: Outliers,
    pub(super) reference: &'a ReferencePoint,
    /// Of [`Scalarization::RawFixed`].
    pub(super) weights: &'a [f64],
}

impl Targets<'_> {
    /// Whether the targets are the same for every suggestion.
    pub(super) fn are_fixed(&self) -> bool {
        matches!(
            self.scalarization,
            Scalarization::RawFixed | Scalarization::Hypervolume
        )
    }

    /// Fits to everything told; `None` if there is no usable full evaluation.
    ///
    /// Draws weights where they are drawn for each suggestion.
    pub(super) fn fit(
        &self,
        log: &FidelityLog,
        config: &ExactGpConfig,
        rng: &mut dyn Rng,
    ) -> Result<Option<Fitted>, MetaError> {
        let entries: Vec<&LogEntry> = match self.low_fidelity {
            LowFidelity::Ignore => log.full().collect(),
            LowFidelity::Learn => log.entries().iter().collect(),
        };
        let targets = self.targets(&entries, log.num_objectives(), rng);
        let slices: Vec<&[Option<f64>]> = targets.iter().map(Vec::as_slice).collect();
        let rows: Vec<(&LogEntry, Vec<f64>)> = entries
            .iter()
            .zip(impute(&slices, self.failures))
            .filter_map(|(entry, target)| Some((*entry, target?)))
            .collect();
        let full: Vec<&(&LogEntry, Vec<f64>)> =
            rows.iter().filter(|(entry, _)| entry.is_full()).collect();
        if full.is_empty() {
            return Ok(None);
        }
        let d = log.space().dim();
        let m = full[0].1.len();
        let costs = Mat::from_fn(full.len(), m, |i, o| full[i].1[o]);
        let mut reference = self.reference(&costs);
        let compression = match self.outliers {
            Outliers::Keep => Compression::none(m),
            Outliers::Compress if m == 1 => Compression::new(&costs, None),
            Outliers::Compress => {
                // Kept: from compressed costs another one could be inferred.
                reference = reference.or_else(|| inferred(&costs));
                Compression::new(&costs, reference.as_deref())
            }
        };
        let data = TargetData {
            x: Mat::from_fn(full.len(), d, |i, k| full[i].0.point.coords()[k]),
            y: Mat::from_fn(full.len(), m, |i, o| compression.apply(o, costs[(i, o)])),
        };
        // Not warm: the fit of a log must not depend on how often it was told in parts.
        let fit = |x: Mat<f64>, y: Mat<f64>, rng: &mut dyn Rng| {
            Independent::<ExactGp>::fit(&Dataset::new(x, y)?, config, &[], rng)
        };
        let model: Box<dyn DifferentiableSurrogate> =
            match (self.low_fidelity, log.space().fidelity()) {
                (LowFidelity::Learn, Some(range)) => {
                    let x = Mat::from_fn(rows.len(), d + 1, |i, k| {
                        let (entry, _) = rows[i];
                        match entry.point.coords().get(k) {
                            Some(coord) => *coord,
                            None => range.coordinate(entry.fidelity),
                        }
                    });
                    let y = Mat::from_fn(rows.len(), m, |i, o| compression.apply(o, rows[i].1[o]));
                    Box::new(AtFullFidelity(fit(x, y, rng)?))
                }
                _ => Box::new(fit(data.x.clone(), data.y.clone(), rng)?),
            };
        Ok(Some(Fitted {
            model,
            data,
            reference,
        }))
    }

    fn reference(&self, y: &Mat<f64>) -> Option<Vec<f64>> {
        if self.scalarization != Scalarization::Hypervolume {
            return None;
        }
        match self.reference {
            ReferencePoint::Front => None,
            ReferencePoint::Given(reference) => Some(reference.clone()),
            ReferencePoint::Worst => {
                let worst = (0..y.ncols()).map(|o| {
                    let column = y.col_as_slice(o);
                    let high = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let low = column.iter().copied().fold(f64::INFINITY, f64::min);
                    high + (0.1 * high - 0.1 * low)
                });
                Some(worst.collect())
            }
        }
    }

    /// One target vector per entry; a scalar is missing if one of its costs is.
    fn targets(&self, entries: &[&LogEntry], m: usize, rng: &mut dyn Rng) -> Vec<Vec<Option<f64>>> {
        let (weights, normalized) = match self.scalarization {
            Scalarization::Hypervolume => {
                return entries.iter().map(|entry| entry.costs.to_vec()).collect();
            }
            Scalarization::RawFixed => (self.weights.to_vec(), false),
            Scalarization::RawRedrawn => (weighted_uniforms(m, rng), false),
            Scalarization::NormalizedRedrawn => (weighted_uniforms(m, rng), true),
            Scalarization::Chebyshev { .. } => {
                let uniforms: Vec<f64> = (1..m).map(|_| rng.random()).collect();
                (simplex_weights(&uniforms), true)
            }
        };
        let ranges: Vec<(f64, f64)> = (0..m).map(|o| range(entries, o)).collect();
        let scaled = |o: usize, cost: f64| {
            let (low, high) = ranges[o];
            // Halved before the difference, which could overflow.
            let extent = 0.5 * high - 0.5 * low;
            if normalized && extent > 0.0 {
                (0.5 * cost - 0.5 * low) / extent
            } else {
                cost
            }
        };
        let scalar = |costs: Vec<f64>| {
            let terms = costs
                .into_iter()
                .enumerate()
                .map(|(o, cost)| weights[o] * scaled(o, cost));
            match self.scalarization {
                Scalarization::Chebyshev { rho } => {
                    let (largest, sum) = terms
                        .fold((f64::NEG_INFINITY, 0.0), |(top, sum), term| {
                            (top.max(term), sum + term)
                        });
                    largest + rho * sum
                }
                _ => terms.sum(),
            }
        };
        entries
            .iter()
            .map(|entry| {
                vec![
                    entry
                        .complete()
                        .map(scalar)
                        .filter(|value| value.is_finite()),
                ]
            })
            .collect()
    }
}

/// What the acquisition function infers from these costs (n×m).
fn inferred(y: &Mat<f64>) -> Option<Vec<f64>> {
    let (n, m) = (y.nrows(), y.ncols());
    let flat: Vec<f64> = (0..n * m).map(|k| y[(k / m, k % m)]).collect();
    reference::infer(Points::new(&flat, m).ok()?).ok()
}

/// Least and largest cost of the full evaluations in objective `o`.
fn range(entries: &[&LogEntry], o: usize) -> (f64, f64) {
    entries
        .iter()
        .filter(|entry| entry.is_full())
        .filter_map(|entry| entry.costs[o])
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), cost| {
            (low.min(cost), high.max(cost))
        })
}
