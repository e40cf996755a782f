//! Fronts and clouds of points.

use anyhow::Context as _;
use warmfront_pareto::{
    BoxDecomposition, HypervolumeWorkspace, contributions, non_dominated, non_dominated_sort,
};

use super::{Call, values};
use crate::inputs::{FrontShape, REFERENCE, Table, cloud, front};
use crate::peer::race::protocol::{Task, Values, Work};

pub(super) struct Front {
    work: Work,
    points: Table,
    reference: Vec<f64>,
    workspace: HypervolumeWorkspace,
    boxes: Option<BoxDecomposition>,
    result: Vec<f64>,
}

impl Front {
    pub(super) fn new(task: &Task) -> anyhow::Result<Self> {
        let shape = FrontShape::ALL
            .into_iter()
            .find(|shape| shape.name() == task.variant)
            .with_context(|| format!("unknown front `{}`", task.variant))?;
        Ok(Self {
            work: task.work,
            points: front(shape, task.m, task.n),
            reference: vec![REFERENCE; task.m],
            workspace: HypervolumeWorkspace::new(),
            boxes: None,
            result: Vec::new(),
        })
    }
}

impl Call for Front {
    fn run(&mut self) -> anyhow::Result<()> {
        let points = self.points.points();
        match self.work {
            Work::Boxes => {
                self.boxes = Some(BoxDecomposition::from_points(points, &self.reference)?);
            }
            Work::Contributions => self.result = contributions(points, &self.reference),
            _ => self.result = vec![self.workspace.hypervolume(points, &self.reference)],
        }
        Ok(())
    }

    fn values(&self) -> Values {
        match (self.work, &self.boxes) {
            (Work::Boxes, Some(boxes)) => values([
                ("volume", vec![boxes.hypervolume()]),
                ("boxes", vec![boxes.len() as f64]),
            ]),
            (Work::Contributions, _) => values([("volumes", self.result.clone())]),
            _ => values([("volume", self.result.clone())]),
        }
    }
}

pub(super) struct Cloud {
    work: Work,
    points: Table,
    result: Vec<usize>,
}

impl Cloud {
    pub(super) fn new(task: &Task) -> Self {
        Self {
            work: task.work,
            points: cloud(task.m, task.n),
            result: Vec::new(),
        }
    }
}

impl Call for Cloud {
    fn run(&mut self) -> anyhow::Result<()> {
        self.result = match self.work {
            Work::Filter => non_dominated(self.points.points()),
            _ => non_dominated_sort(self.points.points()),
        };
        Ok(())
    }

    /// A label of every point: whether it is not dominated, or the number of its front from 0.
    fn values(&self) -> Values {
        let labels = if self.work == Work::Filter {
            let mut labels = vec![0.0; self.points.rows()];
            self.result.iter().for_each(|&i| labels[i] = 1.0);
            labels
        } else {
            self.result.iter().map(|&rank| rank as f64).collect()
        };
        values([("labels", labels)])
    }
}
