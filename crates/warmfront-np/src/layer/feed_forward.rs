//! The feed-forward part of a layer: linear, GELU, linear.

use warmfront_linalg::single::{gelu_rows_in_place, gelu_rows_with_slope, multiply_in_place};

use super::linear;
use crate::layout::Linear;

#[derive(Debug, Clone, Default)]
pub(crate) struct Saved {
    slope: Vec<f32>,
    pub(crate) active: Vec<f32>,
}

/// Writes `GELU(x·U + b)·D` to `y`, without the bias of the second map; only with `keep` a backward
/// pass may follow.
pub(crate) fn forward(
    parameters: &[f32],
    up: &Linear,
    down: &Linear,
    x: &[f32],
    keep: bool,
    saved: &mut Saved,
    y: &mut [f32],
) {
    hidden(parameters, up, x, keep, saved);
    linear::product(parameters, down, &saved.active, y);
}

/// The hidden activations `GELU(x·U + b)`, into `saved.active`.
pub(crate) fn hidden(parameters: &[f32], up: &Linear, x: &[f32], keep: bool, saved: &mut Saved) {
    let bias = &parameters[up.bias.clone()];
    let size = x.len() / up.inputs * up.outputs;
    saved.active.resize(size, 0.0);
    if keep {
        saved.slope.resize(size, 0.0);
        linear::product(parameters, up, x, &mut saved.slope);
        gelu_rows_with_slope(&mut saved.slope, bias, &mut saved.active);
    } else {
        linear::product(parameters, up, x, &mut saved.active);
        gelu_rows_in_place(&mut saved.active, bias);
    }
}

/// Adds to the gradient `d` by the output that by the input, because the input is also the residual;
/// the second map's bias is left to its layer norm.
pub(crate) fn backward(
    parameters: &[f32],
    up: &Linear,
    down: &Linear,
    x: &[f32],
    saved: &Saved,
    scratch: &mut Vec<f32>,
    d: &mut [f32],
    mut gradient: Option<&mut [f32]>,
) {
    if let Some(gradient) = gradient.as_deref_mut() {
        let (inputs, outputs) = (down.inputs, down.outputs);
        linear::add_weight_gradient(
            down.weight.start,
            inputs,
            outputs,
            &saved.active,
            d,
            gradient,
        );
    }
    scratch.resize(saved.active.len(), 0.0);
    linear::input_gradient(parameters, down, d, scratch);
    hidden_backward(parameters, up, x, saved, scratch, d, gradient);
}

/// Adds to `d` the gradient by the input of [`hidden`], given that by its output in `hidden`.
pub(crate) fn hidden_backward(
    parameters: &[f32],
    up: &Linear,
    x: &[f32],
    saved: &Saved,
    hidden: &mut [f32],
    d: &mut [f32],
    gradient: Option<&mut [f32]>,
) {
    multiply_in_place(hidden, &saved.slope);
    if let Some(gradient) = gradient {
        linear::add_parameter_gradient(up, x, hidden, gradient);
    }
    linear::add_input_gradient(parameters, up, hidden, d);
}
