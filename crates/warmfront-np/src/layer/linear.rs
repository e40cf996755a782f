//! Linear maps `y = x·W + b` of rows.

use warmfront_linalg::single::{
    add_column_sums, add_product, fill_rows, product as multiply, view, view_mut,
};

use crate::layout::Linear;

/// Writes `x·W + b` to `y`.
pub(crate) fn forward(parameters: &[f32], linear: &Linear, x: &[f32], y: &mut [f32]) {
    fill_rows(y, &parameters[linear.bias.clone()]);
    let rows = x.len() / linear.inputs;
    add_product(
        view_mut(y, rows, linear.outputs, linear.outputs),
        view(x, rows, linear.inputs, linear.inputs),
        weight(parameters, linear),
    );
}

/// Writes `x·W` to `y`.
pub(crate) fn product(parameters: &[f32], linear: &Linear, x: &[f32], y: &mut [f32]) {
    let rows = x.len() / linear.inputs;
    multiply(
        view_mut(y, rows, linear.outputs, linear.outputs),
        view(x, rows, linear.inputs, linear.inputs),
        weight(parameters, linear),
    );
}

/// Writes the gradient by `x` to `dx`.
pub(crate) fn input_gradient(parameters: &[f32], linear: &Linear, dy: &[f32], dx: &mut [f32]) {
    let rows = dy.len() / linear.outputs;
    multiply(
        view_mut(dx, rows, linear.inputs, linear.inputs),
        view(dy, rows, linear.outputs, linear.outputs),
        weight(parameters, linear).transpose(),
    );
}

/// Adds the gradient by `x` to `dx`.
pub(crate) fn add_input_gradient(parameters: &[f32], linear: &Linear, dy: &[f32], dx: &mut [f32]) {
    let rows = dy.len() / linear.outputs;
    add_product(
        view_mut(dx, rows, linear.inputs, linear.inputs),
        view(dy, rows, linear.outputs, linear.outputs),
        weight(parameters, linear).transpose(),
    );
}

/// Adds the gradients by weights and bias to `gradient`, which is by all parameters.
pub(crate) fn add_parameter_gradient(linear: &Linear, x: &[f32], dy: &[f32], gradient: &mut [f32]) {
    add_column_sums(dy, &mut gradient[linear.bias.clone()]);
    add_weight_gradient(
        linear.weight.start,
        linear.inputs,
        linear.outputs,
        x,
        dy,
        gradient,
    );
}

/// Adds the gradient by a weight matrix (or some rows of it) that begins at `start`.
pub(crate) fn add_weight_gradient(
    start: usize,
    inputs: usize,
    outputs: usize,
    x: &[f32],
    dy: &[f32],
    gradient: &mut [f32],
) {
    let rows = dy.len() / outputs;
    add_product(
        view_mut(
            &mut gradient[start..][..inputs * outputs],
            inputs,
            outputs,
            outputs,
        ),
        view(x, rows, inputs, inputs).transpose(),
        view(dy, rows, outputs, outputs),
    );
}

fn weight<'p>(parameters: &'p [f32], linear: &Linear) -> warmfront_linalg::MatRef<'p, f32> {
    let weight = &parameters[linear.weight.clone()];
    view(weight, linear.inputs, linear.outputs, linear.outputs)
}
