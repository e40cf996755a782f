//! Gradients against central differences of the dense reference.

use warmfront_np::{
    AcquisitionHead, Context, Critic, Heads, HistoryAttention, Network, OutputGradient, Tape,
    Utility,
};

use super::dense::Dense;
use super::{config, context, network, networks, uniform};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

const STEP: f64 = 1e-6;

fn weights(buckets: usize, queries: usize, heads: Heads) -> OutputGradient {
    let mut rng = ChaCha8Rng::seed_from_u64(99);
    let mut draw = |k: usize| {
        (0..k)
            .map(|_| 2.0 * uniform(&mut rng) - 1.0)
            .collect::<Vec<f32>>()
    };
    OutputGradient {
        logits: draw(if heads.bar { buckets * queries } else { 0 }),
        acquisition: draw(if heads.acquisition { queries } else { 0 }),
        value: if heads.value { 0.7 } else { 0.0 },
    }
}

fn loss(dense: &Dense, context: &Context, weights: &OutputGradient) -> f64 {
    let answer = dense.answer(context, 0, 0.0);
    let sum = |values: &mut dyn Iterator<Item = f64>, weights: &[f32]| -> f64 {
        values.zip(weights).map(|(v, w)| v * f64::from(*w)).sum()
    };
    sum(
        &mut answer.logits.iter().flatten().copied(),
        &weights.logits,
    ) + sum(
        &mut answer.acquisition.iter().copied(),
        &weights.acquisition,
    ) + answer.value * f64::from(weights.value)
}

/// Checks the gradient by every parameter whose tensor's name passes.
fn check(
    network: &Network,
    context: &Context,
    heads: Heads,
    checked: impl Fn(&str) -> bool,
) -> Vec<f32> {
    let queries = context.queries.len() / 3;
    let weights = weights(5, queries, heads);
    let mut tape = Tape::default();
    // A tape that has seen a larger context must not leak it.
    network.forward_train(&super::context(23, 9, 1), Heads::ALL, &mut tape);
    network.forward_train(context, heads, &mut tape);
    let mut found = vec![0.5; network.parameters().len()];
    network.backward(&mut tape, &weights, &mut found);
    let mut dense = Dense::new(network);
    for tensor in network.layout().tensors() {
        if !checked(&tensor.name) {
            continue;
        }
        for index in 0..tensor.range.len() {
            *dense.value_mut(&tensor.name, index) += STEP;
            let up = loss(&dense, context, &weights);
            *dense.value_mut(&tensor.name, index) -= 2.0 * STEP;
            let down = loss(&dense, context, &weights);
            *dense.value_mut(&tensor.name, index) += STEP;
            let expected = (up - down) / (2.0 * STEP);
            let found = f64::from(found[tensor.range.start + index]) - 0.5;
            assert!(
                (found - expected).abs() < 1e-4 * (1.0 + expected.abs()),
                "{}[{index}] (n = {}, {heads:?}): {found} is not {expected}",
                tensor.name,
                context.history_y.len()
            );
        }
    }
    found
}

#[test]
fn all_parameters_and_heads() {
    for network in networks() {
        let found = check(&network, &context(6, 8, 11), Heads::ALL, |_| true);
        // Units that are never active would hide the layers before them.
        let first = network
            .layout()
            .tensors()
            .iter()
            .find(|t| t.name == "acquisition.0.weight");
        let range = first.expect("a tensor").range.clone();
        let active = found[range].iter().filter(|g| (*g - 0.5).abs() > 1e-4);
        assert!(active.count() > 20);
    }
}

#[test]
fn each_head_alone() {
    let value = Heads {
        value: true,
        acquisition: false,
        bar: false,
    };
    for network in networks() {
        for heads in [Heads::BAR, Heads::ACQUISITION, value] {
            check(&network, &context(3, 2, 12), heads, |_| true);
        }
    }
}

#[test]
fn empty_and_single_histories() {
    for network in networks() {
        for n in [0, 1] {
            check(&network, &context(n, 3, 13), Heads::ALL, |_| true);
        }
    }
}

#[test]
fn a_history_longer_than_a_vector() {
    let network = &networks()[2];
    check(network, &context(18, 2, 14), Heads::ALL, |name| {
        name.contains("attention") || name.starts_with("embed")
    });
}

#[test]
fn detached_scores_teach_only_their_head() {
    let head = AcquisitionHead {
        residual: true,
        sees_encoding: true,
        detached: true,
        ..AcquisitionHead::published()
    };
    let network = network(config(HistoryAttention::Full, Critic::Scalars, head), 6);
    let context = context(5, 8, 15);
    check(&network, &context, Heads::ACQUISITION, |name| {
        name.starts_with("acquisition")
    });
    let mut tape = Tape::default();
    network.forward_train(&context, Heads::ACQUISITION, &mut tape);
    let mut found = vec![0.0; network.parameters().len()];
    network.backward(&mut tape, &weights(5, 8, Heads::ACQUISITION), &mut found);
    for tensor in network.layout().tensors() {
        let zero = found[tensor.range.clone()].iter().all(|g| g.abs() <= 0.0);
        assert_eq!(
            zero,
            !tensor.name.starts_with("acquisition"),
            "{}",
            tensor.name
        );
    }
}

#[test]
fn scores_by_the_candidate() {
    for network in networks() {
        let dense = Dense::new(&network);
        for n in [0, 1, 17] {
            let context = context(n, 3, 16);
            let history = network.encode(&context.history_x, &context.history_y);
            let (inc, progress) = (context.incumbent, context.progress);
            let many = network.score_gradients(
                &history,
                &context.queries,
                inc,
                progress,
                Utility::Acquisition,
            );
            for (i, query) in context.queries.chunks(3).enumerate() {
                let (value, gradient) =
                    network.score_gradient(&history, query, inc, progress, Utility::Acquisition);
                assert!((value - many.0[i]).abs() < 1e-5);
                for k in 0..3 {
                    // Single precision holds only so much of a step.
                    let step = 1e-3_f32;
                    let at = |s: f32| {
                        let mut moved = context.clone();
                        moved.queries[3 * i + k] = query[k] + s;
                        (
                            f64::from(query[k] + s),
                            dense.answer(&moved, 0, 0.0).acquisition[i],
                        )
                    };
                    let (up, down) = (at(step), at(-step));
                    let expected = (up.1 - down.1) / (up.0 - down.0);
                    for found in [gradient[k], many.1[3 * i + k]] {
                        assert!(
                            (f64::from(found) - expected).abs() < 1e-3 * (1.0 + expected.abs()),
                            "n = {n}: {found} is not {expected}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn expected_improvement_by_the_candidate() {
    let network = &networks()[1];
    let context = context(6, 1, 17);
    let history = network.encode(&context.history_x, &context.history_y);
    let at = |query: &[f32]| {
        network.score_gradient(&history, query, context.incumbent, 0.3, Utility::LogEi)
    };
    let (_, gradient) = at(&context.queries);
    for k in 0..3 {
        let (mut up, mut down) = (context.queries.clone(), context.queries.clone());
        up[k] += 1e-2;
        down[k] -= 1e-2;
        let expected = (at(&up).0 - at(&down).0) / (up[k] - down[k]);
        assert!(
            (gradient[k] - expected).abs() < 2e-3 * (1.0 + expected.abs()),
            "{} is not {expected}",
            gradient[k]
        );
    }
}
