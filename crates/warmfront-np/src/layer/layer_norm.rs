//! Layer norm after a residual connection.

use warmfront_linalg::single::{
    NormGradient, add_column_sums, add_normalize_rows, normalize_rows_backward,
};

use crate::layout::{Linear, Norm};

#[derive(Debug, Clone, Default)]
pub(crate) struct Saved {
    normalized: Vec<f32>,
    scales: Vec<f32>,
    /// The linear map whose bias was added on the way, by the place of its bias.
    bias: std::ops::Range<usize>,
}

/// Layer norm of `residual + y + b`, where `b` is the bias that `linear` left out in `y`.
pub(crate) fn forward(
    parameters: &[f32],
    norm: &Norm,
    linear: &Linear,
    residual: &[f32],
    y: &[f32],
    saved: &mut Saved,
    out: &mut Vec<f32>,
) {
    out.resize(y.len(), 0.0);
    forward_into(parameters, norm, linear, residual, y, saved, out);
}

/// As [`forward`], into a slice.
pub(crate) fn forward_into(
    parameters: &[f32],
    norm: &Norm,
    linear: &Linear,
    residual: &[f32],
    y: &[f32],
    saved: &mut Saved,
    out: &mut [f32],
) {
    saved.normalized.clear();
    saved.normalized.extend_from_slice(residual);
    saved.scales.resize(y.len() / linear.outputs, 0.0);
    saved.bias = linear.bias.clone();
    add_normalize_rows(
        y,
        &parameters[linear.bias.clone()],
        &parameters[norm.gain.clone()],
        &parameters[norm.bias.clone()],
        &mut saved.normalized,
        &mut saved.scales,
        out,
    );
}

/// Turns the gradient by the output into that by the sum that was normalised, and adds the gradients by
/// the norm's parameters and by the bias.
pub(crate) fn backward(
    parameters: &[f32],
    norm: &Norm,
    saved: &Saved,
    d: &mut [f32],
    mut gradient: Option<&mut [f32]>,
) {
    let sums = gradient.as_deref_mut().map(|gradient| {
        let (gain, shift) = gradient.split_at_mut(norm.bias.start);
        NormGradient {
            gain: &mut gain[norm.gain.clone()],
            shift: &mut shift[..norm.bias.len()],
        }
    });
    let gain = &parameters[norm.gain.clone()];
    normalize_rows_backward(d, &saved.normalized, &saved.scales, gain, sums);
    if let Some(gradient) = gradient {
        add_column_sums(d, &mut gradient[saved.bias.clone()]);
    }
}
