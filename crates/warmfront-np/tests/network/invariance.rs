//! What changes the network's answers, and what must not.

use proptest::prelude::*;
use warmfront_linalg::single::{Visible, softmax_rows};
use warmfront_np::{Context, Heads, HistoryAttention, Network, Output};

use super::{context, networks, same};

fn permuted(context: &Context, order: &[usize]) -> Context {
    let mut out = context.clone();
    out.history_x = order
        .iter()
        .flat_map(|&i| context.history_x[3 * i..3 * i + 3].to_vec())
        .collect();
    out.history_y = order.iter().map(|&i| context.history_y[i]).collect();
    out
}

fn all(network: &Network, context: &Context) -> Output {
    network.forward(context, Heads::ALL)
}

fn distance(a: &Output, b: &Output) -> f32 {
    let logits = a.logits.iter().zip(&b.logits);
    let scores = a.acquisition.iter().zip(&b.acquisition);
    logits
        .chain(scores)
        .map(|(x, y)| (x - y).abs())
        .fold(0.0, f32::max)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_a_full_history_does_not_matter(
        order in Just((0..9).collect::<Vec<usize>>()).prop_shuffle(),
        seed in 0_u64..1000,
    ) {
        let context = context(9, 3, seed);
        for network in &networks()[..2] {
            let (a, b) = (all(network, &context), all(network, &permuted(&context, &order)));
            same(&a.logits, &b.logits);
            same(&a.acquisition, &b.acquisition);
            same(&[a.value], &[b.value]);
        }
    }

    #[test]
    fn candidates_do_not_see_each_other(
        n in 0_usize..20, queries in 1_usize..8, cut in 0_usize..8, seed in 0_u64..1000,
    ) {
        let context = context(n, queries, seed);
        for network in networks() {
            let together = all(&network, &context);
            let history = network.encode(&context.history_x, &context.history_y);
            let score = |queries: &[f32]| network.score(&history, queries, 0.4, 0.3, Heads::ALL);
            // In two parts, one of which may be empty, and in another order.
            let cut = 3 * cut.min(queries);
            let (a, b) = (score(&context.queries[..cut]), score(&context.queries[cut..]));
            same(&[a.acquisition.clone(), b.acquisition.clone()].concat(), &together.acquisition);
            same(&[a.logits, b.logits].concat(), &together.logits);
            let swapped = score(&[&context.queries[cut..], &context.queries[..cut]].concat());
            same(&swapped.acquisition, &[b.acquisition, a.acquisition].concat());
        }
    }

    #[test]
    fn appending_equals_encoding_anew(n in 0_usize..40, more in 1_usize..4, seed in 0_u64..1000) {
        let network = &networks()[2];
        let context = context(n + more, 3, seed);
        let mut history = network.encode(&context.history_x[..3 * n], &context.history_y[..n]);
        for i in n..n + more {
            network.append(&mut history, &context.history_x[3 * i..3 * i + 3], context.history_y[i]);
        }
        prop_assert_eq!(history.len(), n + more);
        let (found, expected) = (
            network.score(&history, &context.queries, 0.4, 0.3, Heads::ALL),
            all(network, &context),
        );
        same(&found.logits, &expected.logits);
        same(&found.acquisition, &expected.acquisition);
        same(&[found.value], &[expected.value]);
    }
}

#[test]
fn the_order_of_a_causal_history_matters() {
    let network = &networks()[2];
    assert_eq!(network.config().attention, HistoryAttention::Causal);
    let context = context(6, 3, 5);
    let reversed = permuted(&context, &[5, 4, 3, 2, 1, 0]);
    assert!(distance(&all(network, &context), &all(network, &reversed)) > 1e-3);
}

#[test]
fn repeating_or_exchanging_values_matters() {
    for network in networks() {
        let context = context(4, 3, 6);
        let before = all(&network, &context);
        let repeated = permuted(&context, &[0, 1, 2, 3, 0]);
        assert!(distance(&before, &all(&network, &repeated)) > 1e-4);
        let mut exchanged = context.clone();
        exchanged.history_y.swap(1, 2);
        assert!(distance(&before, &all(&network, &exchanged)) > 1e-4);
    }
}

#[test]
fn without_a_history_only_the_candidate_counts() {
    for network in networks() {
        let context = context(0, 3, 8);
        let together = all(&network, &context);
        assert!(
            together
                .logits
                .iter()
                .chain(&together.acquisition)
                .all(|v| v.is_finite())
        );
        let mut alone = context.clone();
        alone.queries = context.queries[3..6].to_vec();
        let alone = all(&network, &alone);
        same(&alone.logits, &together.logits[5..10]);
        same(&alone.acquisition, &together.acquisition[1..2]);
        assert!((alone.value - together.value).abs() < 1e-6);
    }
}

#[test]
fn more_candidates_than_a_chunk_are_scored_as_few() {
    for network in networks() {
        let context = context(7, 700, 9);
        let many = all(&network, &context);
        let history = network.encode(&context.history_x, &context.history_y);
        for i in [0, 255, 256, 511, 512, 699] {
            let query = &context.queries[3 * i..3 * i + 3];
            let one = network.score(&history, query, 0.4, 0.3, Heads::ACQUISITION);
            same(&one.acquisition, &many.acquisition[i..=i]);
            assert!(one.logits.is_empty());
        }
    }
}

#[test]
fn the_same_answers_from_any_number_of_threads() {
    let network = &networks()[1];
    let context = context(12, 1500, 10);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("a pool").install(|| all(network, &context))
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn probabilities_do_not_change_with_a_shift_and_vanish_at_minus_infinity() {
    let scores = [0.3, -2.0, 5.0, 1.0, f32::NEG_INFINITY];
    let softmax = |shift: f32| {
        let mut p = scores.map(|s| s + shift);
        softmax_rows(&mut p, 5, Visible::Same(5), 2.0);
        p
    };
    same(&softmax(0.0), &softmax(-64.0));
    assert!(softmax(3.0)[4].abs() <= 0.0);
    assert!((softmax(0.0).iter().sum::<f32>() - 1.0).abs() < 1e-6);
}
