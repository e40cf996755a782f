//! What the network says of candidates.

use rayon::prelude::*;
use warmfront_core::UnitPoint;

use super::history::View;
use crate::network::CHUNK;
use crate::{EncodedHistory, Heads, Network, Utility};

/// A network shown a history.
#[derive(Clone, Copy)]
pub(super) struct Scorer<'a> {
    pub(super) network: &'a Network,
    pub(super) view: &'a View,
    pub(super) progress: f32,
    pub(super) acquisition: Utility,
    pub(super) parallel: bool,
}

/// Writes a point as the network sees it: coordinates that the space does not have are zero.
pub(super) fn encode(point: &UnitPoint, inputs: usize, out: &mut Vec<f32>) {
    let coords = point.coords();
    out.extend(coords.iter().map(|c| *c as f32));
    out.resize(out.len() + inputs - coords.len(), 0.0);
}

impl Scorer<'_> {
    fn rows(&self, points: &[UnitPoint]) -> Vec<f32> {
        let inputs = self.network.config().inputs;
        let mut rows = Vec::with_capacity(points.len() * inputs);
        for point in points {
            encode(point, inputs, &mut rows);
        }
        rows
    }

    /// The utility of each point; what is not a number counts as −∞.
    pub(super) fn utilities(&self, points: &[UnitPoint]) -> Vec<f32> {
        self.given(self.view.encoded(), points)
    }

    /// The utility of each point given some of the history; `None` where it is not thinned.
    pub(super) fn screen(&self, points: &[UnitPoint]) -> Option<Vec<f32>> {
        Some(self.given(self.view.thin()?, points))
    }

    fn given(&self, history: &EncodedHistory, points: &[UnitPoint]) -> Vec<f32> {
        let score = |points: &[UnitPoint]| self.chunk(history, points);
        if self.parallel {
            let chunks: Vec<_> = points.par_chunks(CHUNK).map(score).collect();
            chunks.concat()
        } else {
            points.chunks(CHUNK).flat_map(score).collect()
        }
    }

    fn chunk(&self, history: &EncodedHistory, points: &[UnitPoint]) -> Vec<f32> {
        self.network.utilities(
            history,
            &self.rows(points),
            self.view.incumbent(),
            self.progress,
            self.acquisition,
        )
    }

    /// Utilities of points given row by row, and their gradients by the coordinates of the space.
    pub(super) fn gradients(&self, rows: &[Vec<f64>]) -> (Vec<f32>, Vec<Vec<f64>>) {
        let inputs = self.network.config().inputs;
        let mut queries = Vec::with_capacity(rows.len() * inputs);
        for row in rows {
            queries.extend(row.iter().map(|c| *c as f32));
            queries.resize(queries.len() + inputs - row.len(), 0.0);
        }
        let (values, gradients) = self.network.score_gradients(
            self.view.encoded(),
            &queries,
            self.view.incumbent(),
            self.progress,
            self.acquisition,
        );
        let gradients = gradients
            .chunks_exact(inputs)
            .zip(rows)
            .map(|(gradient, row)| {
                gradient[..row.len()]
                    .iter()
                    .map(|g| f64::from(*g))
                    .collect()
            })
            .collect();
        (values, gradients)
    }

    /// The outcome that the network expects at a point, on its own scale.
    pub(super) fn expected(&self, point: &UnitPoint) -> f32 {
        let output = self.network.score(
            self.view.encoded(),
            &self.rows(std::slice::from_ref(point)),
            self.view.incumbent(),
            self.progress,
            Heads::BAR,
        );
        self.network.config().bar.mean(&output.logits)
    }
}
