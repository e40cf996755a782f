//! A small neural network trained by mini-batches.

use warmfront_core::{Purpose, Seed};
use warmfront_math::distribution::standard_normal;

use super::data::{Data, Part};
use crate::sample::permutation;

#[derive(Debug, Clone, Copy)]
pub(super) enum Optimizer {
    /// Gradient steps with (heavy-ball) momentum.
    Sgd { momentum: f32 },
    /// Adam with the usual constants.
    Adam,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    /// How many of the measurements are used.
    pub(super) inputs: usize,
    pub(super) learning_rate: f32,
    /// Decoupled from the gradient for both optimisers.
    pub(super) weight_decay: f32,
    pub(super) batch: usize,
    pub(super) width: usize,
    pub(super) hidden: usize,
    pub(super) optimizer: Optimizer,
}

/// Weights `inputs × outputs`, then the biases; so are the gradient and the optimiser's moments.
struct Layer {
    inputs: usize,
    outputs: usize,
    weights: Vec<f32>,
    gradient: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
}

/// Hidden layers with rectified units and one linear output, squared loss.
pub(super) struct Network {
    settings: Settings,
    layers: Vec<Layer>,
    // Per layer the batch's inputs, then the outputs of the last; and their derivatives.
    values: Vec<Vec<f32>>,
    deltas: Vec<Vec<f32>>,
    steps: i32,
    seed: Seed,
}

impl Network {
    pub(super) fn new(settings: Settings, seed: Seed) -> Self {
        let mut widths = vec![settings.inputs];
        widths.extend(vec![settings.width; settings.hidden]);
        widths.push(1);
        let mut rng = seed.stream(Purpose::Init, 1);
        let layer = |pair: &[usize]| {
            let (inputs, outputs) = (pair[0], pair[1]);
            // Rectified units halve the variance, the output is linear.
            let gain = if outputs == 1 { 1.0 } else { 2.0 };
            let scale = (gain / inputs as f64).sqrt();
            let size = (inputs + 1) * outputs;
            let mut weights = vec![0.0; size];
            for weight in &mut weights[..inputs * outputs] {
                *weight = (scale * standard_normal(&mut rng)) as f32;
            }
            Layer {
                inputs,
                outputs,
                weights,
                gradient: vec![0.0; size],
                first: vec![0.0; size],
                second: vec![0.0; size],
            }
        };
        Self {
            settings,
            layers: widths.windows(2).map(layer).collect(),
            values: vec![Vec::new(); widths.len()],
            deltas: vec![Vec::new(); widths.len()],
            steps: 0,
            seed,
        }
    }

    /// Multiply-adds of one prediction.
    pub(super) fn operations(&self) -> usize {
        self.layers
            .iter()
            .map(|layer| layer.inputs * layer.outputs)
            .sum()
    }

    /// Passes once over the training part, in an order that depends on the epoch alone.
    pub(super) fn train_epoch(&mut self, data: &Data, epoch: u64) {
        let n = data.training.rows();
        let order = permutation(n, n, &mut self.seed.stream(Purpose::Evaluate, epoch));
        for batch in order.chunks(self.settings.batch) {
            self.forward(&data.training, batch);
            let targets = batch.iter().map(|&row| data.training.targets[row]);
            let scale = 1.0 / batch.len() as f32;
            let last = self.layers.len();
            let errors = self.values[last].iter().zip(targets);
            self.deltas[last].clear();
            self.deltas[last].extend(errors.map(|(output, target)| scale * (output - target)));
            self.backward();
            self.step();
        }
    }

    pub(super) fn predict(&mut self, part: &Part) -> Vec<f32> {
        let rows: Vec<usize> = (0..part.rows()).collect();
        self.forward(part, &rows);
        self.values[self.layers.len()].clone()
    }

    /// Whether all weights are.
    pub(super) fn is_finite(&self) -> bool {
        let mut weights = self.layers.iter().flat_map(|layer| &layer.weights);
        weights.all(|weight| weight.is_finite())
    }

    fn forward(&mut self, part: &Part, rows: &[usize]) {
        self.values[0].clear();
        for &row in rows {
            self.values[0].extend_from_slice(&part.row(row)[..self.settings.inputs]);
        }
        let last = self.layers.len() - 1;
        for (index, layer) in self.layers.iter().enumerate() {
            let (before, after) = self.values.split_at_mut(index + 1);
            let (inputs, outputs) = (&before[index], &mut after[0]);
            let (weights, biases) = layer.weights.split_at(layer.inputs * layer.outputs);
            outputs.clear();
            for input in inputs.chunks(layer.inputs) {
                let start = outputs.len();
                outputs.extend_from_slice(biases);
                let output = &mut outputs[start..];
                for (value, weights) in input.iter().zip(weights.chunks(layer.outputs)) {
                    // Half of the rectified units are off.
                    if *value != 0.0 {
                        add_scaled(output, *value, weights);
                    }
                }
                if index < last {
                    for value in output {
                        // Not `max`, which would hide a NaN.
                        if *value < 0.0 {
                            *value = 0.0;
                        }
                    }
                }
            }
        }
    }

    fn backward(&mut self) {
        for (index, layer) in self.layers.iter_mut().enumerate().rev() {
            layer.gradient.fill(0.0);
            let (before, after) = self.deltas.split_at_mut(index + 1);
            let (previous, deltas) = (&mut before[index], &after[0]);
            let inputs = &self.values[index];
            let (weights, _) = layer.weights.split_at(layer.inputs * layer.outputs);
            let (gradient, biases) = layer.gradient.split_at_mut(layer.inputs * layer.outputs);
            previous.clear();
            for (input, delta) in inputs
                .chunks(layer.inputs)
                .zip(deltas.chunks(layer.outputs))
            {
                add_scaled(biases, 1.0, delta);
                for (value, gradient) in input.iter().zip(gradient.chunks_mut(layer.outputs)) {
                    if *value != 0.0 {
                        add_scaled(gradient, *value, delta);
                    }
                }
                if index > 0 {
                    let units = input.iter().zip(weights.chunks(layer.outputs));
                    previous.extend(units.map(|(value, weights)| {
                        if *value > 0.0 {
                            dot(weights, delta)
                        } else {
                            0.0
                        }
                    }));
                }
            }
        }
    }

    fn step(&mut self) {
        const BETA: (f32, f32) = (0.9, 0.999);
        self.steps = self.steps.saturating_add(1);
        let Settings {
            learning_rate,
            weight_decay,
            optimizer,
            ..
        } = self.settings;
        let corrections = (1.0 - BETA.0.powi(self.steps), 1.0 - BETA.1.powi(self.steps));
        for layer in &mut self.layers {
            let (weights, _) = layer.weights.split_at_mut(layer.inputs * layer.outputs);
            let keep = 1.0 - learning_rate * weight_decay;
            weights.iter_mut().for_each(|weight| *weight *= keep);
            let state = layer.first.iter_mut().zip(&mut layer.second);
            let all = layer.weights.iter_mut().zip(&layer.gradient).zip(state);
            for ((weight, gradient), (first, second)) in all {
                match optimizer {
                    Optimizer::Sgd { momentum } => {
                        *first = momentum * *first + gradient;
                        *weight -= learning_rate * *first;
                    }
                    Optimizer::Adam => {
                        *first = BETA.0 * *first + (1.0 - BETA.0) * gradient;
                        *second = BETA.1 * *second + (1.0 - BETA.1) * gradient * gradient;
                        let (mean, square) = (*first / corrections.0, *second / corrections.1);
                        *weight -= learning_rate * mean / (square.sqrt() + 1e-8);
                    }
                }
            }
        }
    }
}

fn add_scaled(out: &mut [f32], factor: f32, values: &[f32]) {
    for (out, value) in out.iter_mut().zip(values) {
        *out += factor * value;
    }
}

/// With eight partial sums, which the compiler may put into vector registers.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (heads_a, tail_a) = a.as_chunks::<8>();
    let (heads_b, tail_b) = b.as_chunks::<8>();
    for (a, b) in heads_a.iter().zip(heads_b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let tail: f32 = tail_a.iter().zip(tail_b).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + tail
}
