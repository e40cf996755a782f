//! The heads: predicted density, score of candidates, value of the state.

use warmfront_linalg::single::{
    Visible, add_column_sums, add_product, relu_rows_in_place, relu_slope_in_place, softmax_rows,
    softmax_rows_backward, view, view_mut,
};

use super::Network;
use crate::layer::{feed_forward, linear};

/// Which heads are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// The predicted density.
    pub bar: bool,
    /// The score of every candidate.
    pub acquisition: bool,
    /// The value of the state.
    pub value: bool,
}

impl Heads {
    /// All heads.
    pub const ALL: Self = Self {
        bar: true,
        acquisition: true,
        value: true,
    };
    /// The predicted density only.
    pub const BAR: Self = Self {
        bar: true,
        acquisition: false,
        value: false,
    };
    /// The score of every candidate only.
    pub const ACQUISITION: Self = Self {
        bar: false,
        acquisition: true,
        value: false,
    };
}

/// What the heads answer; empty (or 0) where a head was not asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Output {
    /// Logits of the predicted density, `N×B` row by row.
    pub logits: Vec<f32>,
    /// Score `α` of every candidate, before the division by the temperature.
    pub acquisition: Vec<f32>,
    /// Value of the state.
    pub value: f32,
}

/// The gradient of a loss by an [`Output`]; an empty vector is zero.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OutputGradient {
    /// By the logits, `N×B` row by row.
    pub logits: Vec<f32>,
    /// By the scores.
    pub acquisition: Vec<f32>,
    /// By the value.
    pub value: f32,
}

/// What the heads computed; rows are candidates.
#[derive(Debug, Clone, Default)]
pub(super) struct HeadTape {
    bar: feed_forward::Saved,
    probabilities: Vec<f32>,
    /// Activations of every hidden layer of the acquisition head.
    hidden: Vec<Vec<f32>>,
    log_improvement: Vec<f32>,
    /// What the first layer of the acquisition head adds in every row.
    constant: Vec<f32>,
    /// Mean of the history's tokens, where the critic sees it.
    pub(super) pooled: Vec<f32>,
    state: Vec<f32>,
    value: Vec<f32>,
}

/// Gradients on their way from the heads to the encoder.
#[derive(Debug, Clone, Default)]
pub(super) struct HeadGradient {
    /// By the encoder's output.
    pub(super) encoded: Vec<f32>,
    /// By the embedded candidates; empty where the heads do not pass one on.
    pub(super) embedded: Vec<f32>,
    logits: Vec<f32>,
    hidden: Vec<f32>,
    below: Vec<f32>,
    probabilities: Vec<f32>,
    row: Vec<f32>,
    state: Vec<f32>,
}

impl Network {
    /// The heads of the candidates, given the encoder's outputs for them and their embeddings.
    pub(super) fn candidate_heads(
        &self,
        encoded: &[f32],
        embedded: &[f32],
        incumbent: f32,
        progress: f32,
        heads: Heads,
        keep: bool,
        tape: &mut HeadTape,
        output: &mut Output,
    ) {
        output.logits.clear();
        output.acquisition.clear();
        if !(heads.bar || heads.acquisition) {
            return;
        }
        let (p, layout) = (&self.parameters, &self.layout);
        let rows = encoded.len() / self.config.width;
        let buckets = self.config.bar.buckets();
        feed_forward::hidden(p, &layout.bar_hidden, encoded, keep, &mut tape.bar);
        output.logits.resize(rows * buckets, 0.0);
        linear::forward(p, &layout.bar_logits, &tape.bar.active, &mut output.logits);
        if !heads.acquisition {
            return;
        }
        let head = &self.config.acquisition;
        tape.probabilities.clear();
        tape.probabilities.extend_from_slice(&output.logits);
        softmax_rows(
            &mut tape.probabilities,
            buckets,
            Visible::Same(buckets),
            1.0,
        );

        tape.hidden.resize_with(head.layers, Vec::new);
        let first = &layout.acquisition[0];
        let parts = self.acquisition_inputs();
        let scalars = &p[parts.scalars..][..2 * head.hidden];
        tape.constant.clear();
        let bias = &p[first.bias.clone()];
        tape.constant.extend(
            (0..head.hidden)
                .map(|j| bias[j] + incumbent * scalars[j] + progress * scalars[head.hidden + j]),
        );
        let hidden = &mut tape.hidden[0];
        hidden.clear();
        hidden.resize(rows * head.hidden, 0.0);
        let mut add = |start: usize, inputs: usize, x: &[f32]| {
            add_product(
                view_mut(hidden, rows, head.hidden, head.hidden),
                view(x, rows, inputs, inputs),
                view(&p[start..], inputs, head.hidden, head.hidden),
            );
        };
        add(parts.probabilities, buckets, &tape.probabilities);
        add(parts.embedded, self.config.width, embedded);
        if let Some(start) = parts.encoded {
            add(start, self.config.width, encoded);
        }
        relu_rows_in_place(hidden, &tape.constant);
        for i in 1..head.layers {
            let (below, above) = tape.hidden.split_at_mut(i);
            let linear = &layout.acquisition[i];
            above[0].resize(rows * head.hidden, 0.0);
            linear::product(p, linear, &below[i - 1], &mut above[0]);
            relu_rows_in_place(&mut above[0], &p[linear.bias.clone()]);
        }
        let last = &layout.acquisition[head.layers];
        output.acquisition.resize(rows, 0.0);
        linear::forward(
            p,
            last,
            &tape.hidden[head.layers - 1],
            &mut output.acquisition,
        );
        if let Some(at) = layout.residual {
            let factor = head.temperature * p[at].exp();
            tape.log_improvement.clear();
            let candidates = output.logits.chunks_exact(buckets);
            let improvement = self.config.bar.improvement(incumbent);
            for (score, logits) in output.acquisition.iter_mut().zip(candidates) {
                let value = improvement.log_expected(logits, None);
                *score += factor * value;
                tape.log_improvement.push(value);
            }
        }
    }

    /// The gradients by the encoder's outputs for the candidates and by their embeddings, into `d`.
    pub(super) fn candidate_heads_backward(
        &self,
        encoded: &[f32],
        embedded: &[f32],
        incumbent: f32,
        progress: f32,
        heads: Heads,
        tape: &HeadTape,
        output: &Output,
        by: &OutputGradient,
        d: &mut HeadGradient,
        mut gradient: Option<&mut [f32]>,
    ) {
        let layout = &self.layout;
        let p = &self.parameters;
        d.encoded.clear();
        d.encoded.resize(encoded.len(), 0.0);
        d.embedded.clear();
        d.logits.clear();
        if !by.logits.is_empty() {
            assert_eq!(by.logits.len(), output.logits.len(), "one number a logit");
            d.logits.extend_from_slice(&by.logits);
        }
        if heads.acquisition && !by.acquisition.is_empty() {
            assert_eq!(
                by.acquisition.len(),
                output.acquisition.len(),
                "one number a candidate"
            );
            d.logits.resize(output.logits.len(), 0.0);
            self.acquisition_backward(
                encoded,
                embedded,
                incumbent,
                progress,
                tape,
                output,
                &by.acquisition,
                d,
                gradient.as_deref_mut(),
            );
        }
        if d.logits.is_empty() {
            return;
        }
        if let Some(gradient) = gradient.as_deref_mut() {
            let active = &tape.bar.active;
            linear::add_parameter_gradient(&layout.bar_logits, active, &d.logits, gradient);
        }
        d.hidden.resize(tape.bar.active.len(), 0.0);
        linear::input_gradient(p, &layout.bar_logits, &d.logits, &mut d.hidden);
        feed_forward::hidden_backward(
            p,
            &layout.bar_hidden,
            encoded,
            &tape.bar,
            &mut d.hidden,
            &mut d.encoded,
            gradient,
        );
    }

    fn acquisition_backward(
        &self,
        encoded: &[f32],
        embedded: &[f32],
        incumbent: f32,
        progress: f32,
        tape: &HeadTape,
        output: &Output,
        by: &[f32],
        d: &mut HeadGradient,
        mut gradient: Option<&mut [f32]>,
    ) {
        let (p, layout, head) = (&self.parameters, &self.layout, &self.config.acquisition);
        let (buckets, width) = (self.config.bar.buckets(), self.config.width);
        if let Some(at) = layout.residual {
            let factor = head.temperature * p[at].exp();
            if let Some(gradient) = gradient.as_deref_mut() {
                let values = by.iter().zip(&tape.log_improvement);
                gradient[at] += factor * values.map(|(b, v)| b * v).sum::<f32>();
            }
            if !head.detached {
                d.row.resize(buckets, 0.0);
                let improvement = self.config.bar.improvement(incumbent);
                let rows = d.logits.chunks_exact_mut(buckets);
                for ((d_logits, logits), b) in rows.zip(output.logits.chunks_exact(buckets)).zip(by)
                {
                    let _ = improvement.log_expected(logits, Some(&mut d.row));
                    for (d, g) in d_logits.iter_mut().zip(&d.row) {
                        *d += b * factor * g;
                    }
                }
            }
        }
        d.hidden.clear();
        d.hidden.extend_from_slice(by);
        for i in (1..=head.layers).rev() {
            let linear = &layout.acquisition[i];
            let x = &tape.hidden[i - 1];
            if let Some(gradient) = gradient.as_deref_mut() {
                linear::add_parameter_gradient(linear, x, &d.hidden, gradient);
            }
            d.below.resize(x.len(), 0.0);
            linear::input_gradient(p, linear, &d.hidden, &mut d.below);
            relu_slope_in_place(&mut d.below, x);
            std::mem::swap(&mut d.hidden, &mut d.below);
        }
        let parts = self.acquisition_inputs();
        if let Some(gradient) = gradient {
            let mut add = |start, inputs, x: &[f32]| {
                linear::add_weight_gradient(start, inputs, head.hidden, x, &d.hidden, gradient);
            };
            add(parts.probabilities, buckets, &tape.probabilities);
            add(parts.embedded, width, embedded);
            if let Some(start) = parts.encoded {
                add(start, width, encoded);
            }
            d.row.clear();
            d.row.resize(head.hidden, 0.0);
            add_column_sums(&d.hidden, &mut d.row);
            let starts = [parts.scalars, parts.scalars + head.hidden];
            let bias = layout.acquisition[0].bias.start;
            let factors = [(starts[0], incumbent), (starts[1], progress), (bias, 1.0)];
            for (start, factor) in factors {
                for (g, s) in gradient[start..][..head.hidden].iter_mut().zip(&d.row) {
                    *g += factor * s;
                }
            }
        }
        if head.detached {
            return;
        }
        let rows = by.len();
        let back = |start: usize, inputs: usize, out: &mut [f32]| {
            add_product(
                view_mut(out, rows, inputs, inputs),
                view(&d.hidden, rows, head.hidden, head.hidden),
                view(&p[start..], inputs, head.hidden, head.hidden).transpose(),
            );
        };
        d.probabilities.clear();
        d.probabilities.resize(rows * buckets, 0.0);
        back(parts.probabilities, buckets, &mut d.probabilities);
        softmax_rows_backward(
            &tape.probabilities,
            &mut d.probabilities,
            buckets,
            Visible::Same(buckets),
            1.0,
        );
        for (d, q) in d.logits.iter_mut().zip(&d.probabilities) {
            *d += q;
        }
        d.embedded.resize(rows * width, 0.0);
        back(parts.embedded, width, &mut d.embedded);
        if let Some(start) = parts.encoded {
            back(start, width, &mut d.encoded);
        }
    }

    /// Where the first weights of the acquisition head begin for each part of what it sees.
    fn acquisition_inputs(&self) -> Inputs {
        let start = self.layout.acquisition[0].weight.start;
        let row = self.config.acquisition.hidden;
        let embedded = start + self.config.bar.buckets() * row;
        let after = embedded + self.config.width * row;
        let sees = self.config.acquisition.sees_encoding;
        Inputs {
            probabilities: start,
            embedded,
            encoded: sees.then_some(after),
            scalars: if sees {
                after + self.config.width * row
            } else {
                after
            },
        }
    }

    /// The value of the state; the mean of the history's tokens is in the tape.
    pub(super) fn value_head(&self, incumbent: f32, progress: f32, tape: &mut HeadTape) -> f32 {
        let (p, layout) = (&self.parameters, &self.layout);
        tape.state.clear();
        tape.state.extend_from_slice(&tape.pooled);
        tape.state.extend([incumbent, progress]);
        tape.value.resize(self.config.width, 0.0);
        linear::forward(p, &layout.value_hidden, &tape.state, &mut tape.value);
        for v in &mut tape.value {
            *v = v.tanh();
        }
        let mut value = [0.0];
        linear::forward(p, &layout.value, &tape.value, &mut value);
        value[0]
    }

    /// The gradient by what the value head saw: the mean of the history's tokens, if any, and the two
    /// scalars.
    pub(super) fn value_head_backward<'d>(
        &self,
        tape: &HeadTape,
        by: f32,
        d: &'d mut HeadGradient,
        mut gradient: Option<&mut [f32]>,
    ) -> &'d [f32] {
        let (p, layout) = (&self.parameters, &self.layout);
        if let Some(gradient) = gradient.as_deref_mut() {
            linear::add_parameter_gradient(&layout.value, &tape.value, &[by], gradient);
        }
        d.row.resize(self.config.width, 0.0);
        linear::input_gradient(p, &layout.value, &[by], &mut d.row);
        for (d, v) in d.row.iter_mut().zip(&tape.value) {
            *d *= 1.0 - v * v;
        }
        if let Some(gradient) = gradient {
            linear::add_parameter_gradient(&layout.value_hidden, &tape.state, &d.row, gradient);
        }
        d.state.resize(tape.state.len(), 0.0);
        linear::input_gradient(p, &layout.value_hidden, &d.row, &mut d.state);
        &d.state[..tape.pooled.len()]
    }
}

/// Offsets of the rows of a weight matrix by what they multiply.
struct Inputs {
    probabilities: usize,
    embedded: usize,
    encoded: Option<usize>,
    scalars: usize,
}
