//! The map from task and preference to solutions, and the fronts that it predicts.

use warmfront_core::{Purpose, Seed, UnitPoint};
use warmfront_gp::ExactGp;
use warmfront_linalg::Mat;

use super::MultiPmto;
use super::corrected::OutputSlice;
use super::outlook::Outlook;
use super::plan::{candidates, sobol_pairs};
use super::preference::{augmented, evenly};
use super::slice::TaskSlice;
use crate::MetaError;
use crate::pmto::search::space_filling;
use crate::pmto::task_model::{InverseData, TaskModel, TaskSolution};

/// Points of the screening.
const SCREENED: usize = 96;
/// Evaluations of the means in each descent.
const DESCENT: usize = 30;

/// A map from any task of a box and any preference among its objectives to a solution, with its
/// uncertainty; the image of all preferences is the task's front.
///
/// Learnt by [`MultiPmto::front_model`]; saved and loaded by [`save`](Self::save) and
/// [`load`](Self::load). Costs are those that the strategy was told: smaller is better.
#[derive(Debug, Clone)]
pub struct FrontModel {
    pub(super) map: TaskModel,
    pub(super) models: Vec<ExactGp>,
    pub(super) task_dim: usize,
    pub(super) screening: Vec<Vec<f64>>,
}

impl MultiPmto {
    /// The map from task and preference to solutions, of everything told so far.
    ///
    /// The models of the objectives are fitted to all evaluations first. The result depends on
    /// nothing but what was told.
    ///
    /// # Errors
    /// [`MetaError::NoSolvedTask`] if some objective has no value yet, and those of the fits.
    pub fn front_model(&self) -> Result<FrontModel, MetaError> {
        let archive = &self.archive;
        let mut rng = Seed(0x006d_756c_7469).stream(Purpose::Init, archive.len() as u64);
        let mut models = self.models.clone();
        models.update(archive, &self.config.fit, true, &mut rng)?;
        if models.is_empty() {
            return Err(MetaError::NoSolvedTask);
        }
        let screening = space_filling(SCREENED, archive.dim(), &mut rng);
        let (d, m) = (archive.task_dim(), archive.objectives());
        let pairs = sobol_pairs(self.config.distilled, d, m, &mut rng);
        let inputs = d + m - 1;
        let mut rows = Vec::with_capacity(pairs.len());
        let mut solutions: Vec<Vec<f64>> = vec![Vec::new(); archive.dim()];
        for (task, preference) in &pairs {
            let slice = models.slice(None, task);
            let outlook = Outlook::new(&slice, candidates(archive, task, &screening));
            let (x, _) = outlook.solve(&slice, preference, None, DESCENT);
            rows.push(augmented(task, preference));
            for (column, value) in solutions.iter_mut().zip(x) {
                column.push(value);
            }
        }
        let data = InverseData {
            tasks: Mat::from_fn(rows.len(), inputs, |i, k| rows[i][k]),
            solutions,
            slack: Vec::new(),
        };
        let map = TaskModel::fit(data, false, &self.config.inverse, None, None)?;
        Ok(FrontModel {
            map,
            models: models.unified(),
            task_dim: d,
            screening,
        })
    }
}

impl FrontModel {
    /// Number of task coordinates.
    #[must_use]
    pub fn task_dim(&self) -> usize {
        self.task_dim
    }

    /// Number of solution coordinates.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.map.dim()
    }

    /// Number of objectives.
    #[must_use]
    pub fn objectives(&self) -> usize {
        self.models.len()
    }

    /// The predicted solution of a task for a preference: weights of the objectives, at least 0 and
    /// not all 0; they need not sum to one.
    ///
    /// # Panics
    /// If the task or the preference is of another length than the model's, or the weights are not
    /// as described.
    #[must_use]
    #[track_caller]
    pub fn solution(&self, task: &UnitPoint, preference: &[f64]) -> TaskSolution {
        self.check(task);
        let m = self.objectives();
        assert!(
            preference.len() == m,
            "{} weights for {m} objectives",
            preference.len()
        );
        let total: f64 = preference.iter().sum();
        assert!(
            preference.iter().all(|w| *w >= 0.0) && total > 0.0 && total.is_finite(),
            "a preference needs weights that are at least 0 and not all 0, got {preference:?}"
        );
        let weights: Vec<f64> = preference.iter().map(|w| w / total).collect();
        let input = UnitPoint::clamped(augmented(task.coords(), &weights));
        self.map.solution(&input)
    }

    /// The front of a task: predicted solutions for about `count` preferences spread evenly over the
    /// simplex, at least one for each objective.
    ///
    /// # Panics
    /// If the task is of another dimension than the model's.
    #[must_use]
    #[track_caller]
    pub fn front(&self, task: &UnitPoint, count: usize) -> Vec<UnitPoint> {
        self.check(task);
        evenly(count, self.objectives())
            .iter()
            .map(|weights| {
                UnitPoint::clamped(self.map.raw_mean(&augmented(task.coords(), weights)))
            })
            .collect()
    }

    /// The front of a task after descents of the models' means from the map's prediction and from
    /// the best of a screening; no evaluation is spent.
    ///
    /// # Panics
    /// As [`front`](Self::front).
    #[must_use]
    #[track_caller]
    pub fn refined_front(&self, task: &UnitPoint, count: usize) -> Vec<UnitPoint> {
        let own: Vec<Vec<f64>> = self
            .front(task, count)
            .into_iter()
            .map(|x| x.coords().to_vec())
            .collect();
        let slice = self.slice(task);
        let points = own.iter().chain(&self.screening).cloned().collect();
        let mut outlook = Outlook::new(&slice, points);
        outlook
            .front(&slice, &evenly(count, self.objectives()), DESCENT)
            .into_iter()
            .map(|(x, _)| UnitPoint::clamped(x))
            .collect()
    }

    /// Mean costs that the models predict for some solutions of a task.
    ///
    /// # Panics
    /// If the task or a solution is of another dimension than the model's.
    #[must_use]
    #[track_caller]
    pub fn predicted_costs(&self, task: &UnitPoint, points: &[UnitPoint]) -> Vec<Vec<f64>> {
        self.check(task);
        let rows: Vec<Vec<f64>> = points.iter().map(|x| x.coords().to_vec()).collect();
        for row in &rows {
            assert!(
                row.len() == self.dim(),
                "a solution has {} coordinates, the model's {}",
                row.len(),
                self.dim()
            );
        }
        self.slice(task).means(&rows)
    }

    fn slice<'a>(&'a self, task: &'a UnitPoint) -> TaskSlice<'a> {
        TaskSlice::new(
            self.models
                .iter()
                .map(|unified| OutputSlice {
                    unified,
                    correction: None,
                    task: task.coords(),
                })
                .collect(),
        )
    }

    #[track_caller]
    fn check(&self, task: &UnitPoint) {
        assert!(
            task.dim() == self.task_dim,
            "the task has {} coordinates, the model's tasks {}",
            task.dim(),
            self.task_dim
        );
    }
}
