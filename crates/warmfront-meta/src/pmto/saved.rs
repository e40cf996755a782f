//! Task models as bytes.
//!
//! Rows and hyperparameters are saved; loading conditions on them again, which gives the model
//! that was saved to the last bit.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};
use warmfront_codec::{CodecError, Kind, WireMatrix};
use warmfront_gp::{ArdKernel, Dataset, ExactGp, Hyperparameters, KernelKind, Standardization};
use warmfront_linalg::{Mat, MatRef};

use super::alignment::{Alignment, UnifiedGp};
use super::task_gp::TaskHyper;
use super::task_model::{InverseData, TaskModel};
use crate::MetaError;

const KIND: Kind = Kind::new("pmto-task-model", 2);

#[derive(Serialize, Deserialize)]
pub(super) struct ModelV2 {
    /// `n×D`.
    tasks: WireMatrix,
    /// `n×V`.
    solutions: WireMatrix,
    /// `n×1`, or empty.
    slack: WireMatrix,
    /// A column for each output: lengthscales, variance, mean, noise and its slope.
    hyperparameters: WireMatrix,
    forward: Option<ForwardV2>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ForwardV2 {
    /// `n×(V + D)`.
    inputs: WireMatrix,
    /// `n×1`, standardised.
    outcomes: WireMatrix,
    /// A column: lengthscales, variance, noise, mean, shift and scale of outcomes.
    hyperparameters: WireMatrix,
    alignment: Option<AlignmentV2>,
}

#[derive(Serialize, Deserialize)]
struct AlignmentV2 {
    /// `n×D`.
    tasks: WireMatrix,
    /// `n×V`.
    weights: WireMatrix,
    /// A column for each output: lengthscales, variance, mean.
    hyperparameters: WireMatrix,
}

impl AlignmentV2 {
    fn of(alignment: &Alignment) -> Result<Self, CodecError> {
        let parts: Vec<_> = alignment.parts().collect();
        let (n, d) = (alignment.tasks().nrows(), alignment.tasks().ncols());
        Ok(Self {
            tasks: wire(alignment.tasks())?,
            weights: WireMatrix::from_fn(n, parts.len(), |i, v| parts[v].1[i])?,
            hyperparameters: WireMatrix::from_fn(d + 2, parts.len(), |i, v| {
                let (kernel, _, mean) = parts[v];
                match i.checked_sub(d) {
                    None => kernel.lengthscales()[i],
                    Some(0) => kernel.variance(),
                    Some(_) => mean,
                }
            })?,
        })
    }

    fn restore(&self, dim: usize, task_dim: usize) -> Result<Alignment, MetaError> {
        let shaped = self.tasks.cols() == task_dim
            && (self.weights.rows(), self.weights.cols()) == (self.tasks.rows(), dim)
            && (self.hyperparameters.rows(), self.hyperparameters.cols()) == (task_dim + 2, dim);
        if !shaped {
            return Err(MetaError::TaskModelShape);
        }
        let mut parts = Vec::with_capacity(dim);
        for v in 0..dim {
            let column = self.hyperparameters.column(v);
            if column[..=task_dim].iter().any(|&value| value <= 0.0) {
                return Err(MetaError::TaskModelShape);
            }
            let lengthscales = column[..task_dim].to_vec();
            let kernel = ArdKernel::new(KernelKind::Rbf, lengthscales, column[task_dim]);
            parts.push((
                kernel,
                self.weights.column(v).to_vec(),
                column[task_dim + 1],
            ));
        }
        Ok(Alignment::from_parts(matrix(&self.tasks), parts))
    }
}

fn wire(matrix: MatRef<'_, f64>) -> Result<WireMatrix, CodecError> {
    WireMatrix::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)])
}

fn matrix(wire: &WireMatrix) -> Mat<f64> {
    Mat::from_fn(wire.rows(), wire.cols(), |i, j| wire.get(i, j))
}

impl TaskModel {
    /// Writes the model to `writer`, in a checked envelope.
    ///
    /// # Errors
    /// [`MetaError::Codec`] if writing fails.
    pub fn save(&self, writer: impl Write) -> Result<(), MetaError> {
        Ok(warmfront_codec::save(writer, KIND, &ModelV2::of(self)?)?)
    }

    /// Reads a model.
    ///
    /// # Errors
    /// [`MetaError::Codec`] if the bytes are damaged or of another kind or version,
    /// [`MetaError::TaskModelShape`] if they are no task model in spite of that.
    pub fn load(reader: impl Read) -> Result<Self, MetaError> {
        warmfront_codec::load::<ModelV2>(reader, KIND)?.restore()
    }
}

impl ModelV2 {
    pub(super) fn of(model: &TaskModel) -> Result<Self, CodecError> {
        let (n, d) = (model.num_tasks(), model.task_dim());
        let columns: Vec<Vec<f64>> = model
            .outputs
            .iter()
            .map(|output| {
                let h = &output.hyper;
                let mut column = h.lengthscales.clone();
                column.extend([h.variance, h.mean, h.noise, h.noise_slope]);
                column
            })
            .collect();
        let slack = &model.data.slack;
        Ok(Self {
            tasks: wire(model.data.tasks.as_ref())?,
            solutions: WireMatrix::from_fn(n, model.dim(), |i, v| model.data.solutions[v][i])?,
            slack: WireMatrix::new(slack.len(), 1, slack.clone())?,
            hyperparameters: WireMatrix::from_fn(d + 4, columns.len(), |i, v| columns[v][i])?,
            forward: model.forward.as_ref().map(ForwardV2::of).transpose()?,
        })
    }

    pub(super) fn restore(self) -> Result<TaskModel, MetaError> {
        let saved = self;
        let (n, d, v) = (
            saved.tasks.rows(),
            saved.tasks.cols(),
            saved.solutions.cols(),
        );
        let shaped = saved.solutions.rows() == n
            && n > 0
            && v > 0
            && matches!(saved.slack.rows(), rows if rows == 0 || rows == n)
            && saved.slack.cols() == 1
            && (saved.hyperparameters.rows(), saved.hyperparameters.cols()) == (d + 4, v);
        if !shaped {
            return Err(MetaError::TaskModelShape);
        }
        let hyper: Vec<TaskHyper> = (0..v)
            .map(|output| {
                let column = saved.hyperparameters.column(output);
                TaskHyper {
                    lengthscales: column[..d].to_vec(),
                    variance: column[d],
                    mean: column[d + 1],
                    noise: column[d + 2],
                    noise_slope: column[d + 3],
                }
            })
            .collect();
        let valid = hyper.iter().all(|h| {
            h.lengthscales.iter().all(|&l| l > 0.0)
                && h.variance > 0.0
                && h.noise >= 0.0
                && h.noise_slope >= 0.0
        }) && saved.slack.data().iter().all(|&s| s >= 0.0);
        if !valid {
            return Err(MetaError::TaskModelShape);
        }
        let forward = saved
            .forward
            .map(|forward| forward.restore(v, d))
            .transpose()?;
        let data = InverseData {
            tasks: matrix(&saved.tasks),
            solutions: (0..v).map(|o| saved.solutions.column(o).to_vec()).collect(),
            slack: saved.slack.data().to_vec(),
        };
        Ok(TaskModel::condition(data, hyper, forward)?)
    }
}

impl ForwardV2 {
    pub(super) fn of(unified: &UnifiedGp) -> Result<Self, CodecError> {
        let UnifiedGp { gp, alignment } = unified;
        let (h, s) = (gp.hyperparameters(), gp.standardization());
        let mut column = h.lengthscales;
        column.extend([h.outputscale, h.noise, h.mean, s.shift(), s.scale()]);
        Ok(Self {
            inputs: wire(gp.x())?,
            outcomes: WireMatrix::new(gp.x().nrows(), 1, gp.standardized_y().to_vec())?,
            hyperparameters: WireMatrix::new(column.len(), 1, column)?,
            alignment: alignment.as_ref().map(AlignmentV2::of).transpose()?,
        })
    }

    pub(super) fn restore(&self, dim: usize, task_dim: usize) -> Result<UnifiedGp, MetaError> {
        let inputs = dim + task_dim;
        let n = self.inputs.rows();
        let shaped = self.inputs.cols() == inputs
            && (self.outcomes.rows(), self.outcomes.cols()) == (n, 1)
            && (self.hyperparameters.rows(), self.hyperparameters.cols()) == (inputs + 5, 1);
        if !shaped {
            return Err(MetaError::TaskModelShape);
        }
        let column = self.hyperparameters.column(0);
        let (lengthscales, rest) = column.split_at(inputs);
        let positive = lengthscales.iter().chain([&rest[0], &rest[4]]);
        if positive.into_iter().any(|&value| value <= 0.0) || rest[1] < 0.0 {
            return Err(MetaError::TaskModelShape);
        }
        let h = Hyperparameters {
            lengthscales: lengthscales.to_vec(),
            outputscale: rest[0],
            noise: rest[1],
            mean: rest[2],
        };
        let data = Dataset::new(matrix(&self.inputs), matrix(&self.outcomes))?;
        // Outcomes were saved standardised: restoring and standardising again would round them.
        let gp =
            ExactGp::with_hyperparameters(&data, KernelKind::Rbf, &h, Standardization::IDENTITY)?;
        let alignment = self
            .alignment
            .as_ref()
            .map(|alignment| alignment.restore(dim, task_dim))
            .transpose()?;
        Ok(UnifiedGp {
            gp: gp.with_standardization(Standardization::new(rest[3], rest[4])),
            alignment,
        })
    }
}
