//! A forward pass that is kept, and the backward pass over it.

use warmfront_linalg::single::add_column_sums;

use super::heads::{HeadGradient, HeadTape, Output, OutputGradient};
use super::{Context, Heads, Network};
use crate::config::{Critic, HistoryAttention};
use crate::layer::attention::{Keys, Shape};
use crate::layer::{self, Saved, Scratch, linear};

/// What a backward pass needs of the forward pass. To be used again: it allocates only for a context
/// larger than all before.
#[derive(Debug, Clone, Default)]
pub struct Tape {
    pub(super) output: Output,
    /// Evaluations and candidates of the last forward pass.
    history: usize,
    queries: usize,
    heads: Option<Heads>,
    points: Vec<f32>,
    values: Vec<f32>,
    incumbent: f32,
    progress: f32,
    embedded: Vec<f32>,
    layers: Vec<Saved>,
    head: HeadTape,
    scratch: Scratch,
    gradient: Vec<f32>,
    head_gradient: HeadGradient,
}

impl Tape {
    /// The answers of the last forward pass.
    #[must_use]
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// Gradient by the coordinates of the candidates; only where they were the only points.
    pub(super) fn query_gradient(&self, network: &Network) -> Vec<f32> {
        let mut out = vec![0.0; self.queries * network.config.inputs];
        linear::input_gradient(
            &network.parameters,
            &network.layout.embed_x,
            &self.gradient,
            &mut out,
        );
        out
    }
}

impl Network {
    /// The heads' answers; `tape` keeps what [`Network::backward`] needs. The logits are there also
    /// when only the scores were asked for, which depend on them.
    ///
    /// # Panics
    /// If lengths of the context do not fit.
    #[track_caller]
    pub fn forward_train<'t>(
        &self,
        context: &Context,
        heads: Heads,
        tape: &'t mut Tape,
    ) -> &'t Output {
        let (history, _) = self.sizes(context);
        tape.points.clear();
        tape.points.extend_from_slice(&context.history_x);
        tape.points.extend_from_slice(&context.queries);
        tape.values.clear();
        tape.values.extend_from_slice(&context.history_y);
        tape.incumbent = context.incumbent;
        tape.progress = context.progress;
        self.forward_kept(history, None, heads, tape);
        &tape.output
    }

    /// Over the points and values in the tape, of which the first `history` are evaluations.
    pub(super) fn forward_kept(
        &self,
        history: usize,
        cached: Option<&[Keys<'_>]>,
        heads: Heads,
        tape: &mut Tape,
    ) {
        let rows = tape.points.len() / self.config.inputs;
        tape.history = history;
        tape.queries = rows - history;
        tape.heads = Some(heads);
        self.embed(&tape.points, &tape.values, &mut tape.embedded);
        tape.layers.resize_with(self.config.layers, Saved::default);
        for i in 0..self.config.layers {
            let (before, after) = tape.layers.split_at_mut(i);
            let x = before.last().map_or(&tape.embedded, |saved| &saved.out);
            layer::forward(
                &self.parameters,
                &self.layout.blocks[i],
                &self.shape(i, history, rows, heads),
                x,
                cached.map(|keys| keys[i]),
                true,
                &mut after[0],
                &mut tape.scratch,
            );
        }
        let width = self.config.width;
        let encoded = tape
            .layers
            .last()
            .map_or(&tape.embedded, |saved| &saved.out);
        let (evaluated, candidates) = encoded.split_at(history * width);
        self.candidate_heads(
            candidates,
            &tape.embedded[history * width..],
            tape.incumbent,
            tape.progress,
            heads,
            true,
            &mut tape.head,
            &mut tape.output,
        );
        tape.output.value = 0.0;
        if heads.value {
            tape.head.pooled.clear();
            if self.config.critic == Critic::History {
                tape.head.pooled.resize(width, 0.0);
                if history > 0 {
                    add_column_sums(evaluated, &mut tape.head.pooled);
                    for p in &mut tape.head.pooled {
                        *p /= history as f32;
                    }
                }
            }
            tape.output.value = self.value_head(tape.incumbent, tape.progress, &mut tape.head);
        }
    }

    /// Adds the gradient by the parameters to `gradient`, given the gradient by the outputs of the
    /// last [`Network::forward_train`] on this tape.
    ///
    /// # Panics
    /// If a length does not fit, or the tape has seen no forward pass.
    #[track_caller]
    pub fn backward(&self, tape: &mut Tape, output: &OutputGradient, gradient: &mut [f32]) {
        assert_eq!(
            gradient.len(),
            self.parameters.len(),
            "one number a parameter"
        );
        self.backward_kept(None, tape, output, Some(gradient));
    }

    #[track_caller]
    pub(super) fn backward_kept(
        &self,
        cached: Option<&[Keys<'_>]>,
        tape: &mut Tape,
        output: &OutputGradient,
        mut gradient: Option<&mut [f32]>,
    ) {
        let heads = tape.heads.expect("a forward pass comes first");
        let (history, rows, width) = (tape.history, tape.history + tape.queries, self.config.width);
        let encoded = tape
            .layers
            .last()
            .map_or(&tape.embedded, |saved| &saved.out);
        self.candidate_heads_backward(
            &encoded[history * width..],
            &tape.embedded[history * width..],
            tape.incumbent,
            tape.progress,
            heads,
            &tape.head,
            &tape.output,
            output,
            &mut tape.head_gradient,
            gradient.as_deref_mut(),
        );
        let d = &mut tape.gradient;
        d.resize(rows * width, 0.0);
        let (evaluated, candidates) = d.split_at_mut(history * width);
        evaluated.fill(0.0);
        candidates.copy_from_slice(&tape.head_gradient.encoded);
        if heads.value {
            let pooled = self.value_head_backward(
                &tape.head,
                output.value,
                &mut tape.head_gradient,
                gradient.as_deref_mut(),
            );
            for row in evaluated.chunks_exact_mut(width) {
                for (d, p) in row.iter_mut().zip(pooled) {
                    *d = p / history as f32;
                }
            }
        }
        for i in (0..self.config.layers).rev() {
            let (before, after) = tape.layers.split_at_mut(i);
            let x = before.last().map_or(&tape.embedded, |saved| &saved.out);
            layer::backward(
                &self.parameters,
                &self.layout.blocks[i],
                &self.shape(i, history, rows, heads),
                x,
                cached.map(|keys| keys[i]),
                &after[0],
                &mut tape.scratch,
                d,
                gradient.as_deref_mut(),
            );
        }
        if !tape.head_gradient.embedded.is_empty() {
            let candidates = &mut d[history * width..];
            for (d, e) in candidates.iter_mut().zip(&tape.head_gradient.embedded) {
                *d += e;
            }
        }
        if let Some(gradient) = gradient {
            let (x, y) = (&self.layout.embed_x, &self.layout.embed_y);
            linear::add_parameter_gradient(x, &tape.points, d, gradient);
            let evaluated = &d[..history * width];
            linear::add_parameter_gradient(y, &tape.values, evaluated, gradient);
        }
    }

    /// Tokens of evaluations (points that have a value) and of candidates.
    pub(super) fn embed(&self, points: &[f32], values: &[f32], out: &mut Vec<f32>) {
        let (x, y) = (&self.layout.embed_x, &self.layout.embed_y);
        let width = self.config.width;
        out.resize(points.len() / self.config.inputs * width, 0.0);
        linear::forward(&self.parameters, x, points, out);
        let slope = &self.parameters[y.weight.clone()];
        let bias = &self.parameters[y.bias.clone()];
        for (token, value) in out.chunks_exact_mut(width).zip(values) {
            for ((t, s), b) in token.iter_mut().zip(slope).zip(bias) {
                *t += value * s + b;
            }
        }
    }

    pub(super) fn shape(&self, layer: usize, history: usize, rows: usize, heads: Heads) -> Shape {
        // After the last layer's keys, only a critic asks for the history.
        let needed = heads.value && self.config.critic == Critic::History;
        let last = layer + 1 == self.config.layers;
        Shape {
            rows,
            first: if last && !needed { history } else { 0 },
            queries: history,
            width: self.config.width,
            heads: self.config.heads,
            causal: self.config.attention == HistoryAttention::Causal,
        }
    }

    /// Puts candidates into a tape.
    pub(super) fn show(queries: &[f32], incumbent: f32, progress: f32, tape: &mut Tape) {
        tape.points.clear();
        tape.points.extend_from_slice(queries);
        tape.values.clear();
        tape.incumbent = incumbent;
        tape.progress = progress;
    }
}
