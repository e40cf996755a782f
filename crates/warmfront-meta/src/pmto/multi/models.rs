//! One process over solutions and tasks for each objective.

use std::collections::BTreeMap;

use rand::Rng;
use warmfront_gp::ExactGp;

use super::corrected::{Correction, OutputSlice};
use super::slice::TaskSlice;
use crate::MetaError;
use crate::pmto::alignment::UnifiedGp;
use crate::pmto::archive::Archive;
use crate::pmto::config::ForwardFit;
use crate::pmto::forward::{Fitted, fit_process};

/// Tasks with fewer evaluations have no process of their own.
const LEAST_OWN: usize = 8;

/// None, or one for each objective.
#[derive(Debug, Clone, Default)]
pub(super) struct Models {
    fitted: Vec<Fitted>,
    /// Evaluations that the models know.
    known: usize,
    /// Of tasks of the pool by index, for each objective.
    corrections: BTreeMap<usize, Vec<Option<Correction>>>,
}

impl Models {
    /// Whether there are any.
    pub(super) fn is_empty(&self) -> bool {
        self.fitted.is_empty()
    }

    /// All objectives of one task; `index` is its place in the pool, if it has one.
    pub(super) fn slice<'a>(&'a self, index: Option<usize>, task: &'a [f64]) -> TaskSlice<'a> {
        let own = index.and_then(|t| self.corrections.get(&t));
        let outputs = self
            .fitted
            .iter()
            .enumerate()
            .map(|(o, fitted)| OutputSlice {
                unified: &fitted.unified.gp,
                correction: own.and_then(|own| own[o].as_ref()),
                task,
            });
        TaskSlice::new(outputs.collect())
    }

    /// The processes over solutions and tasks.
    pub(super) fn unified(&self) -> Vec<ExactGp> {
        self.fitted.iter().map(|f| f.unified.gp.clone()).collect()
    }

    /// Chooses what models each of these tasks.
    pub(super) fn correct(
        &mut self,
        archive: &Archive,
        tasks: &[usize],
        rng: &mut dyn Rng,
    ) -> Result<(), MetaError> {
        if self.is_empty() {
            return Ok(());
        }
        let columns: Vec<Column> = (0..archive.objectives())
            .map(|o| Column::new(archive, o))
            .collect();
        let mut corrections = BTreeMap::new();
        for &task in tasks {
            let last = self.corrections.get(&task);
            let mut own = Vec::with_capacity(columns.len());
            for (o, (column, fitted)) in columns.iter().zip(&self.fitted).enumerate() {
                let rows = column.of_task(archive, task);
                let last = last.and_then(|last| last[o].as_ref());
                own.push(if rows.len() < LEAST_OWN {
                    None
                } else {
                    Correction::choose(&fitted.unified.gp, &rows, archive.dim(), last, rng)?
                });
            }
            corrections.insert(task, own);
        }
        self.corrections = corrections;
        Ok(())
    }

    /// Brings the models up to date with the archive. There are none until every objective has a value.
    ///
    /// An objective learns from every evaluation that has a value of it; a failed trial counts as
    /// the worst value seen so far.
    pub(super) fn update(
        &mut self,
        archive: &Archive,
        fit: &ForwardFit,
        force: bool,
        rng: &mut dyn Rng,
    ) -> Result<(), MetaError> {
        let (v, m, n) = (archive.dim(), archive.objectives(), archive.len());
        let last = std::mem::take(self);
        let columns: Vec<Column> = (0..m).map(|o| Column::new(archive, o)).collect();
        if columns.iter().any(|column| column.rows.is_empty()) {
            return Ok(());
        }
        let mut old = last.fitted.into_iter();
        let mut fitted = Vec::with_capacity(m);
        for column in &columns {
            fitted.push(match old.next() {
                Some(model) if !force => column.grow(model, archive, last.known, fit, rng)?,
                model => column.fit(archive, v, fit, model.as_ref(), rng)?,
            });
        }
        *self = Self {
            fitted,
            known: n,
            corrections: last.corrections,
        };
        Ok(())
    }
}

/// Rows of the archive with a value of one objective.
struct Column {
    rows: Vec<usize>,
    values: Vec<f64>,
}

impl Column {
    fn new(archive: &Archive, objective: usize) -> Self {
        let worst = archive
            .rows()
            .iter()
            .filter_map(|row| row.costs.get(objective).copied().flatten())
            .reduce(f64::max);
        let mut column = Self {
            rows: Vec::new(),
            values: Vec::new(),
        };
        for (index, row) in archive.rows().iter().enumerate() {
            let value = if row.costs.is_empty() {
                worst
            } else {
                row.costs[objective]
            };
            if let (Some(value), Some(_)) = (value, worst) {
                column.rows.push(index);
                column.values.push(value);
            }
        }
        column
    }

    /// The rows of the process that belong to a task.
    fn of_task(&self, archive: &Archive, task: usize) -> Vec<usize> {
        (0..self.rows.len())
            .filter(|&i| archive.rows()[self.rows[i]].task == task)
            .collect()
    }

    fn fit(
        &self,
        archive: &Archive,
        v: usize,
        fit: &ForwardFit,
        last: Option<&Fitted>,
        rng: &mut dyn Rng,
    ) -> Result<Fitted, MetaError> {
        let groups: Vec<usize> = (0..v + archive.task_dim()).collect();
        let of: Vec<usize> = self
            .rows
            .iter()
            .map(|&row| archive.rows()[row].task)
            .collect();
        let x = archive.joint(&self.rows);
        fit_process(x, &self.values, &of, v, &groups, fit, last, None, rng)
    }

    /// Adds the rows from `known` on, or fits again where the schedule says so.
    fn grow(
        &self,
        model: Fitted,
        archive: &Archive,
        known: usize,
        fit: &ForwardFit,
        rng: &mut dyn Rng,
    ) -> Result<Fitted, MetaError> {
        let start = self.rows.partition_point(|&row| row < known);
        let (ForwardFit::Map { growth, .. } | ForwardFit::Published { growth, .. }) = fit;
        let due = self.rows.len() as f64 >= growth * model.fitted_at as f64;
        if !due && start == model.unified.gp.x().nrows() {
            if start == self.rows.len() {
                return Ok(model);
            }
            let x = archive.joint(&self.rows[start..]);
            if let Ok(gp) = model
                .unified
                .gp
                .condition_on(x.as_ref(), &self.values[start..])
            {
                let unified = UnifiedGp {
                    gp,
                    ..model.unified
                };
                return Ok(Fitted { unified, ..model });
            }
        }
        self.fit(archive, archive.dim(), fit, Some(&model), rng)
    }
}
