//! The network once more: dense, masked, padded, in double precision and formula by formula.

use std::collections::HashMap;

use warmfront_math::special::ndtr;
use warmfront_np::{Context, Critic, HistoryAttention, Network, NetworkConfig};

/// Ends of the buckets of all networks in these tests.
pub(crate) const SUPPORT: (f64, f64) = (-2.0, 2.0);

type Matrix = Vec<Vec<f64>>;

pub(crate) struct Dense {
    config: NetworkConfig,
    tensors: HashMap<String, (Vec<usize>, Vec<f64>)>,
}

pub(crate) struct Answer {
    pub(crate) logits: Matrix,
    pub(crate) acquisition: Vec<f64>,
    pub(crate) value: f64,
}

impl Dense {
    pub(crate) fn new(network: &Network) -> Self {
        let tensors = network.tensors().map(|(name, shape, values)| {
            let values = values.iter().map(|v| f64::from(*v)).collect();
            (name.to_owned(), (shape.to_vec(), values))
        });
        Self {
            config: network.config().clone(),
            tensors: tensors.collect(),
        }
    }

    pub(crate) fn value_mut(&mut self, tensor: &str, index: usize) -> &mut f64 {
        &mut self.tensors.get_mut(tensor).expect("a tensor").1[index]
    }

    fn vector(&self, name: &str) -> &[f64] {
        &self.tensors[name].1
    }

    fn linear(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let (shape, weight) = &self.tensors[&format!("{name}.weight")];
        assert_eq!(shape[0], x.len(), "{name}");
        let bias = self.vector(&format!("{name}.bias"));
        (0..shape[1])
            .map(|j| {
                bias[j]
                    + (0..shape[0])
                        .map(|i| x[i] * weight[i * shape[1] + j])
                        .sum::<f64>()
            })
            .collect()
    }

    fn norm(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        let (gain, bias) = (
            self.vector(&format!("{name}.gain")),
            self.vector(&format!("{name}.bias")),
        );
        (0..x.len())
            .map(|i| (x[i] - mean) / (variance + 1e-5).sqrt() * gain[i] + bias[i])
            .collect()
    }

    /// The context with `padding` unused slots between its history and its candidates, whose contents
    /// are `rubbish`.
    pub(crate) fn answer(&self, context: &Context, padding: usize, rubbish: f64) -> Answer {
        let c = &self.config;
        let n = context.history_y.len();
        let slots = n + padding;
        let point = |x: &[f32]| -> Vec<f64> {
            let x: Vec<f64> = x.iter().map(|v| f64::from(*v)).collect();
            self.linear("embed.x", &x)
        };
        let mut tokens: Matrix = Vec::new();
        for (x, y) in context.history_x.chunks(c.inputs).zip(&context.history_y) {
            tokens.push(add(&point(x), &self.linear("embed.y", &[f64::from(*y)])));
        }
        tokens.resize(slots, vec![rubbish; c.width]);
        let embedded: Matrix = context.queries.chunks(c.inputs).map(point).collect();
        tokens.extend(embedded.iter().cloned());

        let visible = |i: usize, j: usize| {
            let causal = c.attention == HistoryAttention::Causal && i < n;
            i == j || (j < n && (!causal || j <= i))
        };
        for layer in 0..c.layers {
            let name = format!("layers.{layer}");
            let projected: Matrix = tokens
                .iter()
                .map(|t| self.linear(&format!("{name}.attention.project"), t))
                .collect();
            let size = c.width / c.heads;
            let mut after = Vec::new();
            for (i, token) in tokens.iter().enumerate() {
                let mut attended = vec![0.0; c.width];
                for head in 0..c.heads {
                    let part = |j: usize, which: usize| {
                        &projected[j][which * c.width + head * size..][..size]
                    };
                    let seen: Vec<usize> = (0..tokens.len()).filter(|&j| visible(i, j)).collect();
                    let weights: Vec<f64> = seen
                        .iter()
                        .map(|&j| (dot(part(i, 0), part(j, 1)) / (size as f64).sqrt()).exp())
                        .collect();
                    let total: f64 = weights.iter().sum();
                    for (&j, w) in seen.iter().zip(&weights) {
                        for (k, v) in part(j, 2).iter().enumerate() {
                            attended[head * size + k] += w / total * v;
                        }
                    }
                }
                let merged = self.linear(&format!("{name}.attention.merge"), &attended);
                let middle = self.norm(&format!("{name}.attention.norm"), &add(token, &merged));
                let hidden = gelu(self.linear(&format!("{name}.feed_forward.up"), &middle));
                let down = self.linear(&format!("{name}.feed_forward.down"), &hidden);
                after.push(self.norm(&format!("{name}.feed_forward.norm"), &add(&middle, &down)));
            }
            tokens = after;
        }
        self.heads(context, &tokens[..n], &tokens[slots..], &embedded)
    }

    fn heads(
        &self,
        context: &Context,
        history: &[Vec<f64>],
        candidates: &[Vec<f64>],
        embedded: &[Vec<f64>],
    ) -> Answer {
        let c = &self.config;
        let scalars = [f64::from(context.incumbent), f64::from(context.progress)];
        let logits: Matrix = candidates
            .iter()
            .map(|z| self.linear("bar.logits", &gelu(self.linear("bar.hidden", z))))
            .collect();
        let score = |((l, e), z): ((&Vec<f64>, &Vec<f64>), &Vec<f64>)| {
            let probabilities = softmax(l);
            let mut x = probabilities.clone();
            x.extend(e);
            if c.acquisition.sees_encoding {
                x.extend(z);
            }
            x.extend(scalars);
            for i in 0..=c.acquisition.layers {
                x = self.linear(&format!("acquisition.{i}"), &x);
                if i < c.acquisition.layers {
                    x.iter_mut().for_each(|v| *v = v.max(0.0));
                }
            }
            let mut score = x[0];
            if c.acquisition.residual {
                let width = (SUPPORT.1 - SUPPORT.0) / probabilities.len() as f64;
                let improvement: f64 = (0..probabilities.len())
                    .map(|b| {
                        let low = SUPPORT.0 + width * b as f64;
                        let high = low + width;
                        let from = scalars[0].clamp(low, high);
                        let whole = 0.5 * (high * high - from * from) - scalars[0] * (high - from);
                        probabilities[b] * whole / width
                    })
                    .sum();
                let strength = self.vector("acquisition.residual")[0].exp();
                score += f64::from(c.acquisition.temperature) * strength * improvement.ln();
            }
            score
        };
        let acquisition = logits
            .iter()
            .zip(embedded)
            .zip(candidates)
            .map(score)
            .collect();
        let mut state = Vec::new();
        if c.critic == Critic::History {
            state = vec![0.0; c.width];
            for token in history {
                state = add(&state, token);
            }
            state
                .iter_mut()
                .for_each(|s| *s /= history.len().max(1) as f64);
        }
        state.extend(scalars);
        let hidden: Vec<f64> = self
            .linear("value.hidden", &state)
            .iter()
            .map(|v| v.tanh())
            .collect();
        Answer {
            logits,
            acquisition,
            value: self.linear("value.output", &hidden)[0],
        }
    }
}

fn gelu(x: Vec<f64>) -> Vec<f64> {
    x.into_iter().map(|v| v * ndtr(v)).collect()
}

fn softmax(x: &[f64]) -> Vec<f64> {
    let total: f64 = x.iter().map(|v| v.exp()).sum();
    x.iter().map(|v| v.exp() / total).collect()
}

fn add(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(x, y)| x + y).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
