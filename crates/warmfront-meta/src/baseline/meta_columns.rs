//! Meta-data as single-objective regression tasks, each standardised by itself.

use warmfront_core::MetaDataset;
use warmfront_gp::Standardization;
use warmfront_linalg::Mat;

use crate::MetaError;

/// The usable meta-tasks: inputs and costs of every complete observation.
pub(crate) struct MetaColumns {
    tasks: Vec<(Mat<f64>, Mat<f64>)>,
}

impl MetaColumns {
    /// Collects the tasks with at least `needed` complete observations.
    ///
    /// # Errors
    /// If a shape does not fit, or no task has that many.
    pub(crate) fn new(
        meta: &MetaDataset,
        dim: usize,
        objectives: usize,
        needed: usize,
    ) -> Result<Self, MetaError> {
        meta.check(dim, objectives)?;
        let mut tasks = Vec::new();
        for task in &meta.tasks {
            let rows: Vec<_> = task.complete().collect();
            if rows.len() >= needed {
                let x = Mat::from_fn(rows.len(), dim, |i, k| rows[i].0.coords()[k]);
                let y = Mat::from_fn(rows.len(), objectives, |i, o| rows[i].1[o]);
                tasks.push((x, y));
            }
        }
        if tasks.is_empty() {
            return Err(MetaError::NoUsableMetaData {
                tasks: meta.len(),
                needed,
            });
        }
        Ok(Self { tasks })
    }

    /// Inputs and raw costs of each task, `n×d` and `n×m`.
    pub(crate) fn tasks(&self) -> &[(Mat<f64>, Mat<f64>)] {
        &self.tasks
    }

    /// Objective `o` of every task, standardised by the task's own mean and standard deviation.
    pub(crate) fn objective(&self, o: usize) -> Vec<TaskColumn> {
        self.tasks
            .iter()
            .map(|(x, y)| {
                let raw: Vec<f64> = (0..y.nrows()).map(|i| y[(i, o)]).collect();
                let standardization = Standardization::of(&raw);
                let y = raw.iter().map(|v| standardization.apply(*v)).collect();
                TaskColumn {
                    x: x.clone(),
                    y,
                    standardization,
                }
            })
            .collect()
    }
}

/// One task's inputs (`n×d`) and standardised costs of one objective.
#[derive(Debug, Clone)]
pub(crate) struct TaskColumn {
    pub(crate) x: Mat<f64>,
    pub(crate) y: Vec<f64>,
    /// What was taken out of `y`.
    pub(crate) standardization: Standardization,
}
