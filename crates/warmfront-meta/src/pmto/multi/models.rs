//! One process over solutions and tasks for each objective.

use rand::Rng;
use warmfront_gp::IndependentGps;

use crate::MetaError;
use crate::pmto::archive::Archive;
use crate::pmto::config::ForwardFit;
use crate::pmto::forward::{Fitted, fit_process};

#[derive(Debug, Clone, Default)]
pub(super) struct Models {
    fitted: Vec<Fitted>,
    joint: Option<IndependentGps>,
    /// Evaluations that the models know.
    known: usize,
}

impl Models {
    pub(super) fn joint(&self) -> Option<&IndependentGps> {
        self.joint.as_ref()
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
        let joint = IndependentGps::new(fitted.iter().map(|f| f.gp.clone()).collect());
        *self = Self {
            fitted,
            joint: Some(joint),
            known: n,
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
        fit_process(x, &self.values, &of, v, &groups, fit, last, rng)
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
        let due = match fit {
            ForwardFit::Map { growth, .. } => {
                self.rows.len() as f64 >= growth * model.fitted_at as f64
            }
            ForwardFit::Published { .. } => true,
        };
        if !due && start == model.gp.x().nrows() {
            if start == self.rows.len() {
                return Ok(model);
            }
            let x = archive.joint(&self.rows[start..]);
            if let Ok(gp) = model.gp.condition_on(x.as_ref(), &self.values[start..]) {
                return Ok(Fitted { gp, ..model });
            }
        }
        self.fit(archive, archive.dim(), fit, Some(&model), rng)
    }
}
