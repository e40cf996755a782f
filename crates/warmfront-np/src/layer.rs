//! Transformer layers: forward passes that keep what the backward passes need.

pub(crate) mod attention;
pub(crate) mod feed_forward;
pub(crate) mod layer_norm;
pub(crate) mod linear;

use attention::{Keys, Shape};

use crate::layout::Block;

/// What one layer computed; everything is row by row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Saved {
    /// Queries, keys and values side by side.
    pub(crate) projected: Vec<f32>,
    pub(crate) probabilities: Vec<f32>,
    attended: Vec<f32>,
    attention_norm: layer_norm::Saved,
    middle: Vec<f32>,
    feed_forward: feed_forward::Saved,
    output_norm: layer_norm::Saved,
    pub(crate) out: Vec<f32>,
}

/// Buffers whose contents nobody needs afterwards.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch {
    tokens: Vec<f32>,
    projected: Vec<f32>,
    hidden: Vec<f32>,
    probabilities: Vec<f32>,
}

/// One layer over all tokens `x`. The history's keys are its first tokens' own, or given.
pub(crate) fn forward(
    parameters: &[f32],
    block: &Block,
    shape: &Shape,
    x: &[f32],
    keys: Option<Keys<'_>>,
    keep: bool,
    saved: &mut Saved,
    scratch: &mut Scratch,
) {
    let size = shape.rows * shape.width;
    let from = shape.first * shape.width;
    assert_eq!(x.len(), size, "one row a token");
    saved.projected.resize(3 * size, 0.0);
    saved.attended.resize(size, 0.0);
    scratch.tokens.resize(size, 0.0);

    linear::forward(parameters, &block.project, x, &mut saved.projected);
    let keys = keys.unwrap_or_else(|| shape.own_keys(&saved.projected));
    attention::forward(
        shape,
        &saved.projected,
        &keys,
        keep,
        &mut saved.probabilities,
        &mut saved.attended,
    );
    let tokens = &mut scratch.tokens[from..];
    linear::product(parameters, &block.merge, &saved.attended[from..], tokens);
    layer_norm::forward(
        parameters,
        &block.attention_norm,
        &block.merge,
        &x[from..],
        tokens,
        &mut saved.attention_norm,
        &mut saved.middle,
    );
    feed_forward::forward(
        parameters,
        &block.up,
        &block.down,
        &saved.middle,
        keep,
        &mut saved.feed_forward,
        tokens,
    );
    saved.out.resize(size, 0.0);
    layer_norm::forward_into(
        parameters,
        &block.output_norm,
        &block.down,
        &saved.middle,
        tokens,
        &mut saved.output_norm,
        &mut saved.out[from..],
    );
}

/// Turns the gradient by the layer's output (zero before `shape.first`) into that by its input, and
/// adds that by the parameters where it is asked for.
pub(crate) fn backward(
    parameters: &[f32],
    block: &Block,
    shape: &Shape,
    x: &[f32],
    keys: Option<Keys<'_>>,
    saved: &Saved,
    scratch: &mut Scratch,
    d: &mut [f32],
    mut gradient: Option<&mut [f32]>,
) {
    let size = shape.rows * shape.width;
    let from = shape.first * shape.width;
    scratch.tokens.resize(size, 0.0);
    scratch.projected.resize(3 * size, 0.0);

    let late = &mut d[from..];
    layer_norm::backward(
        parameters,
        &block.output_norm,
        &saved.output_norm,
        late,
        gradient.as_deref_mut(),
    );
    feed_forward::backward(
        parameters,
        &block.up,
        &block.down,
        &saved.middle,
        &saved.feed_forward,
        &mut scratch.hidden,
        late,
        gradient.as_deref_mut(),
    );
    layer_norm::backward(
        parameters,
        &block.attention_norm,
        &saved.attention_norm,
        late,
        gradient.as_deref_mut(),
    );
    let tokens = &mut scratch.tokens;
    linear::input_gradient(parameters, &block.merge, late, &mut tokens[from..]);
    if let Some(gradient) = gradient.as_deref_mut() {
        // The bias was added by the layer norm.
        linear::add_weight_gradient(
            block.merge.weight.start,
            shape.width,
            shape.width,
            &saved.attended[from..],
            late,
            gradient,
        );
    }
    let own = keys.is_none();
    let keys = keys.unwrap_or_else(|| shape.own_keys(&saved.projected));
    attention::backward(
        shape,
        &saved.projected,
        &keys,
        own,
        &saved.probabilities,
        tokens,
        &mut scratch.probabilities,
        &mut scratch.projected,
    );
    if let Some(gradient) = gradient {
        linear::add_parameter_gradient(&block.project, x, &scratch.projected, gradient);
    }
    linear::add_input_gradient(parameters, &block.project, &scratch.projected, d);
}
