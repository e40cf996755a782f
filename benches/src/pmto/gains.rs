//! The statement about the maximal information gain, checked on random designs.

use anyhow::Context as _;
use rand::RngExt as _;
use serde::Serialize;
use warmfront_core::{Purpose, Seed};
use warmfront_gp::{ArdKernel, KernelKind};
use warmfront_linalg::Mat;
use warmfront_meta::pmto::InformationGains;

/// Tasks, solution coordinates and task coordinates of the designs.
const SHAPE: (usize, usize, usize) = (20, 4, 5);
/// Variance of the noise.
const NOISE: f64 = 0.01;
/// Designs of each row.
const DESIGNS: u64 = 5;

/// One row: a kernel, a number of evaluations, and the gains of random designs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gain {
    /// Lengthscale of all solution coordinates.
    pub solution_lengthscale: f64,
    /// Lengthscale of all task coordinates.
    pub task_lengthscale: f64,
    /// Evaluations of each task.
    pub per_task: usize,
    /// Mean gain of one model of all tasks, nats.
    pub unified: f64,
    /// Mean gain of one model for each task, summed.
    pub independent: f64,
    /// The ratio on one random design by an independent program, where there is one.
    pub expected_ratio: Option<f64>,
}

impl Gain {
    /// Unified over independent.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.unified / self.independent
    }
}

/// Lengthscales of solutions and tasks, evaluations of each task, and the ratio on one random design
/// found by an independent program.
const ROWS: [(f64, f64, usize, Option<f64>); 8] = [
    (0.3, 0.3, 5, Some(0.993)),
    (0.3, 0.3, 10, Some(0.997)),
    (0.693, 0.693, 5, Some(0.826)),
    (0.693, 0.693, 10, Some(0.780)),
    (1.0, 1.0, 5, Some(0.636)),
    (1.0, 1.0, 10, Some(0.611)),
    (0.693, 0.01, 10, None),
    (0.693, 100.0, 10, None),
];

/// All rows, the same whatever was run.
///
/// # Errors
/// If a covariance cannot be factorised.
pub fn table() -> anyhow::Result<Vec<Gain>> {
    ROWS.into_iter().map(row).collect()
}

fn row(
    (solution, task, per_task, expected_ratio): (f64, f64, usize, Option<f64>),
) -> anyhow::Result<Gain> {
    let (tasks, v, d) = SHAPE;
    let kernel = |dim, lengthscale| ArdKernel::new(KernelKind::Rbf, vec![lengthscale; dim], 1.0);
    let (mut unified, mut independent) = (0.0, 0.0);
    for design in 0..DESIGNS {
        let mut rng = Seed(design).stream(Purpose::Init, per_task as u64);
        let mut uniform = |rows, columns| Mat::from_fn(rows, columns, |_, _| rng.random::<f64>());
        let theta = uniform(tasks, d);
        let x = uniform(tasks * per_task, v);
        let of: Vec<usize> = (0..x.nrows()).map(|i| i % tasks).collect();
        let gains = InformationGains::of(
            x.as_ref(),
            &of,
            theta.as_ref(),
            &kernel(v, solution),
            &kernel(d, task),
            NOISE,
        )
        .context("no information gain")?;
        unified += gains.unified / DESIGNS as f64;
        independent += gains.independent / DESIGNS as f64;
    }
    Ok(Gain {
        solution_lengthscale: solution,
        task_lengthscale: task,
        per_task,
        unified,
        independent,
        expected_ratio,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unified_model_never_gains_more() {
        let rows = table().expect("factorised");
        for row in &rows {
            assert!(row.ratio() <= 1.0 + 1e-9, "{row:?}");
            if let Some(expected) = row.expected_ratio {
                // One random design each.
                assert!((row.ratio() - expected).abs() < 0.05, "{row:?}");
            }
        }
        // Tasks that have nothing in common, and tasks that are all the same.
        assert!(rows[6].ratio() > 0.999 && rows[7].ratio() < 0.3);
    }
}
