//! Solutions seen from where the task model expects the best one.
//!
//! Many landscapes look alike around their optima: only the place of the optimum depends on the
//! task. In the coordinates `x − M(θ)`, with `M` the mean of a task model, the evaluations of all
//! tasks then describe one landscape, and detail that the few evaluations of a task could never
//! show becomes visible. Where landscapes do not move with `M` this makes the costs
//! harder to predict, which the likelihood notices.

use warmfront_gp::{ArdKernel, ExactGp};
use warmfront_linalg::{Mat, MatRef, ScaledPoints, dot};

use super::task_model::TaskModel;

/// The mean of a task model, frozen.
#[derive(Debug, Clone)]
pub(super) struct Alignment {
    /// `n×D`.
    tasks: Mat<f64>,
    outputs: Vec<Output>,
}

/// One coordinate: `mean + Σ_i weight_i·k(θ, θ_i)`.
#[derive(Debug, Clone)]
struct Output {
    kernel: ArdKernel,
    points: ScaledPoints,
    weights: Vec<f64>,
    mean: f64,
}

impl Alignment {
    pub(super) fn of(model: &TaskModel) -> Self {
        let tasks = model.data.tasks.clone();
        let outputs = model
            .outputs
            .iter()
            .map(|output| {
                let (kernel, weights) = output.mean_function();
                Output::new(&tasks, kernel.clone(), weights.to_vec(), output.hyper.mean)
            })
            .collect();
        Self { tasks, outputs }
    }

    /// From rows (`n×D`) and, for each output, kernel, weights (length `n`) and mean.
    pub(super) fn from_parts(tasks: Mat<f64>, parts: Vec<(ArdKernel, Vec<f64>, f64)>) -> Self {
        let outputs = parts
            .into_iter()
            .map(|(kernel, weights, mean)| Output::new(&tasks, kernel, weights, mean))
            .collect();
        Self { tasks, outputs }
    }

    pub(super) fn tasks(&self) -> MatRef<'_, f64> {
        self.tasks.as_ref()
    }

    /// Kernel, weights and mean of each output.
    pub(super) fn parts(&self) -> impl ExactSizeIterator<Item = (&ArdKernel, &[f64], f64)> {
        self.outputs
            .iter()
            .map(|o| (&o.kernel, o.weights.as_slice(), o.mean))
    }

    /// Where the best solution of a task is expected, inside the unit cube.
    pub(super) fn expected(&self, task: &[f64]) -> Vec<f64> {
        let mut scaled = vec![0.0; task.len()];
        let mut column = vec![0.0; self.tasks.nrows()];
        self.outputs
            .iter()
            .map(|o| {
                o.kernel.scale_point(task, &mut scaled);
                o.kernel.column_into(&o.points, &scaled, &mut column);
                (o.mean + dot(&column, &o.weights)).clamp(0.0, 1.0)
            })
            .collect()
    }
}

impl Output {
    fn new(tasks: &Mat<f64>, kernel: ArdKernel, weights: Vec<f64>, mean: f64) -> Self {
        Self {
            points: kernel.scale(tasks.as_ref()),
            kernel,
            weights,
            mean,
        }
    }
}

/// A process over solutions and tasks, perhaps in aligned coordinates.
#[derive(Debug, Clone)]
pub(super) struct UnifiedGp {
    pub(super) gp: ExactGp,
    pub(super) alignment: Option<Alignment>,
}

impl UnifiedGp {
    /// What is subtracted from the solutions of a task; empty where nothing is.
    pub(super) fn shift(&self, task: &[f64]) -> Vec<f64> {
        self.alignment
            .as_ref()
            .map_or_else(Vec::new, |alignment| alignment.expected(task))
    }

    /// Number of solution coordinates.
    pub(super) fn solution_dim(&self, task_dim: usize) -> usize {
        self.gp.x().ncols() - task_dim
    }
}

/// Subtracts the expected solution of each row's task from its first columns; `of` numbers the
/// tasks of the rows, so that each is predicted once.
pub(super) fn align(z: &mut Mat<f64>, of: &[usize], solutions: usize, alignment: &Alignment) {
    let mut known: Vec<Option<Vec<f64>>> = vec![None; of.iter().max().map_or(0, |t| t + 1)];
    for (i, &t) in of.iter().enumerate() {
        let shift = known[t].get_or_insert_with(|| {
            let task: Vec<f64> = (solutions..z.ncols()).map(|k| z[(i, k)]).collect();
            alignment.expected(&task)
        });
        for (k, s) in shift.iter().enumerate() {
            z[(i, k)] -= s;
        }
    }
}
