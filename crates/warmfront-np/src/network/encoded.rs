//! Histories that are encoded once and asked many times.

use rayon::prelude::*;

use super::heads::HeadTape;
use super::{Heads, Network, Output, OutputGradient, Tape};
use crate::config::{Critic, HistoryAttention};
use crate::layer::attention::{Keys, Shape};
use crate::layer::{self, Saved, Scratch};

/// Candidates that are scored together.
pub(crate) const CHUNK: usize = 256;

/// A history as the layers saw it: keys and values of every layer.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodedHistory {
    len: usize,
    width: usize,
    /// By layer, `n×2E`: keys and values side by side.
    layers: Vec<Vec<f32>>,
    /// Sum of the last layer's tokens; empty where the critic does not see them.
    sum: Vec<f64>,
}

/// What candidates are compared by, and moved uphill on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Utility {
    /// The score of the acquisition head.
    #[default]
    Acquisition,
    /// The logarithm of the expected improvement of the predicted density ("NP-EI"): for a network
    /// that was trained to predict only.
    LogEi,
}

impl Utility {
    fn heads(self) -> Heads {
        match self {
            Self::Acquisition => Heads::ACQUISITION,
            Self::LogEi => Heads::BAR,
        }
    }
}

/// What is not a number ranks below all numbers.
pub(crate) fn rankable(utilities: &mut [f32]) {
    for utility in utilities {
        if utility.is_nan() {
            *utility = f32::NEG_INFINITY;
        }
    }
}

impl EncodedHistory {
    /// Number of evaluations.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "an empty history is one like any other"
    )]
    pub fn len(&self) -> usize {
        self.len
    }

    fn keys(&self) -> Vec<Keys<'_>> {
        let layers = self.layers.iter();
        layers
            .map(|data| Keys {
                data,
                stride: 2 * self.width,
                keys: 0,
                values: self.width,
                len: self.len,
            })
            .collect()
    }

    /// Keeps the keys and values that stand behind the queries in `projected`.
    fn push(&mut self, layer: usize, projected: &[f32]) {
        let keep = &mut self.layers[layer];
        for token in projected.chunks_exact(3 * self.width) {
            keep.extend_from_slice(&token[self.width..]);
        }
    }

    fn add(&mut self, tokens: &[f32]) {
        if self.sum.is_empty() {
            return;
        }
        for token in tokens.chunks_exact(self.width) {
            for (s, t) in self.sum.iter_mut().zip(token) {
                *s += f64::from(*t);
            }
        }
    }
}

/// Buffers of passes that are not kept.
#[derive(Default)]
struct Pass {
    tokens: Vec<f32>,
    embedded: Vec<f32>,
    saved: Saved,
    scratch: Scratch,
    head: HeadTape,
}

impl Network {
    /// Encodes a history: `x` is `n×d` row by row, `y` the `n` scaled values; `n` may be 0.
    ///
    /// # Panics
    /// If the lengths do not fit.
    #[track_caller]
    #[must_use]
    pub fn encode(&self, x: &[f32], y: &[f32]) -> EncodedHistory {
        assert!(
            x.len() == y.len() * self.config.inputs,
            "{} coordinates of {} points in {} dimensions",
            x.len(),
            y.len(),
            self.config.inputs
        );
        let sees = self.config.critic == Critic::History;
        let mut history = EncodedHistory {
            len: y.len(),
            width: self.config.width,
            layers: vec![Vec::new(); self.config.layers],
            sum: vec![0.0; if sees { self.config.width } else { 0 }],
        };
        if y.is_empty() {
            return history;
        }
        let mut pass = Pass::default();
        self.embed(x, y, &mut pass.tokens);
        let heads = Heads::ALL;
        for i in 0..self.config.layers {
            let shape = self.shape(i, y.len(), y.len(), heads);
            self.step(i, &shape, None, &mut pass);
            history.push(i, &pass.saved.projected);
        }
        history.add(&pass.tokens);
        history
    }

    /// Adds one evaluation to an encoded history, in time linear in its length.
    ///
    /// # Panics
    /// If the network's history attention is not causal, or a length does not fit.
    #[track_caller]
    pub fn append(&self, history: &mut EncodedHistory, x: &[f32], y: f32) {
        assert!(
            self.config.attention == HistoryAttention::Causal,
            "only a causal history can be appended to"
        );
        assert!(
            x.len() == self.config.inputs,
            "{} coordinates in {} dimensions",
            x.len(),
            self.config.inputs
        );
        let mut pass = Pass::default();
        self.embed(x, &[y], &mut pass.tokens);
        for i in 0..self.config.layers {
            // The newest token sees those before and itself, as a candidate does.
            let shape = self.shape(i, 0, 1, Heads::ALL);
            let keys = history.keys()[i];
            self.step(i, &shape, Some(keys), &mut pass);
            history.push(i, &pass.saved.projected);
        }
        history.add(&pass.tokens);
        history.len += 1;
    }

    /// One layer over the tokens of a pass, in place.
    fn step(&self, layer: usize, shape: &Shape, keys: Option<Keys<'_>>, pass: &mut Pass) {
        layer::forward(
            &self.parameters,
            &self.layout.blocks[layer],
            shape,
            &pass.tokens,
            keys,
            false,
            &mut pass.saved,
            &mut pass.scratch,
        );
        std::mem::swap(&mut pass.tokens, &mut pass.saved.out);
    }

    /// The heads' answers for candidates (`N×d` row by row) given an encoded history. Candidates do
    /// not see each other, so they may come in any number of calls. Large numbers of them are scored in
    /// parallel.
    ///
    /// # Panics
    /// If a length does not fit.
    #[track_caller]
    #[must_use]
    pub fn score(
        &self,
        history: &EncodedHistory,
        queries: &[f32],
        incumbent: f32,
        progress: f32,
        heads: Heads,
    ) -> Output {
        self.fits(history, queries);
        let mut output = Output::default();
        if heads.bar || heads.acquisition {
            let keys = history.keys();
            let run = |queries: &[f32]| self.part(&keys, queries, incumbent, progress, heads);
            let size = CHUNK * self.config.inputs;
            if queries.len() <= size {
                output = run(queries);
            } else {
                let parts: Vec<Output> = queries.par_chunks(size).map(run).collect();
                for part in parts {
                    output.logits.extend(part.logits);
                    output.acquisition.extend(part.acquisition);
                }
            }
        }
        if heads.value {
            let mut tape = HeadTape::default();
            let n = history.len.max(1) as f64;
            tape.pooled
                .extend(history.sum.iter().map(|s| (s / n) as f32));
            output.value = self.value_head(incumbent, progress, &mut tape);
        }
        output
    }

    /// A utility of each candidate; one that is not a number counts as −∞.
    ///
    /// # Panics
    /// If a length does not fit.
    #[track_caller]
    #[must_use]
    pub fn utilities(
        &self,
        history: &EncodedHistory,
        queries: &[f32],
        incumbent: f32,
        progress: f32,
        utility: Utility,
    ) -> Vec<f32> {
        let output = self.score(history, queries, incumbent, progress, utility.heads());
        let mut utilities = match utility {
            Utility::Acquisition => output.acquisition,
            Utility::LogEi => {
                let bar = &self.config.bar;
                let improvement = bar.improvement(incumbent);
                let rows = output.logits.chunks_exact(bar.buckets());
                rows.map(|logits| improvement.log_expected(logits, None))
                    .collect()
            }
        };
        rankable(&mut utilities);
        utilities
    }

    fn part(
        &self,
        keys: &[Keys<'_>],
        queries: &[f32],
        incumbent: f32,
        progress: f32,
        heads: Heads,
    ) -> Output {
        let mut output = Output::default();
        let mut pass = Pass::default();
        self.embed(queries, &[], &mut pass.tokens);
        pass.embedded.clone_from(&pass.tokens);
        let rows = queries.len() / self.config.inputs;
        for i in 0..self.config.layers {
            let shape = self.shape(i, 0, rows, heads);
            self.step(i, &shape, Some(keys[i]), &mut pass);
        }
        self.candidate_heads(
            &pass.tokens,
            &pass.embedded,
            incumbent,
            progress,
            heads,
            false,
            &mut pass.head,
            &mut output,
        );
        if !heads.bar {
            output.logits = Vec::new();
        }
        output
    }

    /// A utility of one candidate and its gradient by the candidate's coordinates.
    ///
    /// # Panics
    /// If a length does not fit.
    #[track_caller]
    #[must_use]
    pub fn score_gradient(
        &self,
        history: &EncodedHistory,
        query: &[f32],
        incumbent: f32,
        progress: f32,
        utility: Utility,
    ) -> (f32, Vec<f32>) {
        assert!(
            query.len() == self.config.inputs,
            "{} coordinates in {} dimensions",
            query.len(),
            self.config.inputs
        );
        let (values, gradient) = self.score_gradients(history, query, incumbent, progress, utility);
        (values[0], gradient)
    }

    /// A utility of each of several candidates (`N×d` row by row) and its gradients by their
    /// coordinates, `N×d`.
    ///
    /// # Panics
    /// If a length does not fit.
    #[track_caller]
    #[must_use]
    pub fn score_gradients(
        &self,
        history: &EncodedHistory,
        queries: &[f32],
        incumbent: f32,
        progress: f32,
        utility: Utility,
    ) -> (Vec<f32>, Vec<f32>) {
        self.fits(history, queries);
        let (mut values, mut slopes) = (Vec::new(), Vec::new());
        let keys = history.keys();
        let mut tape = Tape::default();
        let heads = utility.heads();
        let bar = &self.config.bar;
        let improvement = bar.improvement(incumbent);
        for queries in queries.chunks(CHUNK * self.config.inputs) {
            Self::show(queries, incumbent, progress, &mut tape);
            self.forward_kept(0, Some(&keys), heads, &mut tape);
            let mut by = OutputGradient::default();
            match utility {
                Utility::Acquisition => {
                    by.acquisition = vec![1.0; tape.output.acquisition.len()];
                    values.extend_from_slice(&tape.output.acquisition);
                }
                Utility::LogEi => {
                    by.logits = vec![0.0; tape.output.logits.len()];
                    let rows = tape.output.logits.chunks_exact(bar.buckets());
                    for (logits, d) in rows.zip(by.logits.chunks_exact_mut(bar.buckets())) {
                        values.push(improvement.log_expected(logits, Some(d)));
                    }
                }
            }
            self.backward_kept(Some(&keys), &mut tape, &by, None);
            slopes.extend(tape.query_gradient(self));
        }
        (values, slopes)
    }

    #[track_caller]
    fn fits(&self, history: &EncodedHistory, queries: &[f32]) {
        assert!(
            queries.len().is_multiple_of(self.config.inputs)
                && history.width == self.config.width
                && history.layers.len() == self.config.layers,
            "{} coordinates in {} dimensions, a history of {} layers of width {} for {} of {}",
            queries.len(),
            self.config.inputs,
            history.layers.len(),
            history.width,
            self.config.layers,
            self.config.width
        );
    }
}
