//! The network against a dense masked reference in double precision, its gradient against finite
//! differences of that reference, and what must not change its answers.

mod dense;
mod gradients;
mod invariance;

use dense::{Dense, SUPPORT};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use warmfront_math::sobol::Sobol;
use warmfront_np::{
    AcquisitionHead, Bar, Context, Critic, Heads, HistoryAttention, Initialisation, Network,
    NetworkConfig,
};

fn uniform(rng: &mut ChaCha8Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 / (1 << 24) as f32
}

fn config(attention: HistoryAttention, critic: Critic, head: AcquisitionHead) -> NetworkConfig {
    NetworkConfig {
        inputs: 3,
        layers: 2,
        width: 8,
        feed_forward: 12,
        heads: 2,
        bar: Bar::uniform(SUPPORT.0 as f32, SUPPORT.1 as f32, 5),
        head_hidden: 9,
        acquisition: AcquisitionHead {
            hidden: 7,
            layers: 2,
            ..head
        },
        critic,
        attention,
        initialisation: Initialisation::Scaled,
    }
}

/// Every kind of network, with parameters that leave nothing at zero or one.
fn networks() -> Vec<Network> {
    let published = AcquisitionHead::published();
    let configs = [
        config(HistoryAttention::Full, Critic::Scalars, published.clone()),
        config(
            HistoryAttention::Full,
            Critic::History,
            AcquisitionHead {
                residual: true,
                sees_encoding: true,
                ..published.clone()
            },
        ),
        config(
            HistoryAttention::Causal,
            Critic::History,
            AcquisitionHead {
                residual: true,
                ..published
            },
        ),
    ];
    configs
        .into_iter()
        .map(|config| network(config, 1))
        .collect()
}

fn network(config: NetworkConfig, seed: u64) -> Network {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut network = Network::new(config, &mut rng).expect("a network");
    for p in network.parameters_mut() {
        *p += 0.6 * uniform(&mut rng) - 0.3;
    }
    network
}

fn context(n: usize, queries: usize, seed: u64) -> Context {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = |k: usize| (0..k).map(|_| uniform(&mut rng)).collect::<Vec<f32>>();
    Context {
        history_x: draw(3 * n),
        history_y: draw(n).iter().map(|y| 3.0 * y - 1.5).collect(),
        queries: draw(3 * queries),
        incumbent: 0.4,
        progress: 0.3,
    }
}

#[track_caller]
fn close(found: f32, expected: f64, what: &str) {
    assert!(
        (f64::from(found) - expected).abs() < 2e-5 * (1.0 + expected.abs()),
        "{what}: {found} is not {expected}"
    );
}

#[track_caller]
fn same(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        assert!(
            (x - y).abs() <= 1e-5 * (1.0 + y.abs()),
            "{i}: {x} is not {y}"
        );
    }
}

#[test]
fn answers_equal_the_dense_masked_reference() {
    for network in networks() {
        let dense = Dense::new(&network);
        // More evaluations than a vector of scores is long, fewer, one and none.
        for (n, queries) in [(19, 4), (5, 3), (1, 2), (0, 3), (4, 0)] {
            let context = context(n, queries, 7 + n as u64);
            let expected = dense.answer(&context, 3, 0.0);
            let mut tape = warmfront_np::Tape::default();
            let kept = network
                .forward_train(&context, Heads::ALL, &mut tape)
                .clone();
            for found in [network.forward(&context, Heads::ALL), kept] {
                for (f, e) in found.logits.iter().zip(expected.logits.iter().flatten()) {
                    close(*f, *e, "logit");
                }
                for (f, e) in found.acquisition.iter().zip(&expected.acquisition) {
                    close(*f, *e, "score");
                }
                close(found.value, expected.value, "value");
                assert_eq!(found.logits.len(), 5 * queries);
                assert_eq!(found.acquisition.len(), queries);
            }
        }
    }
}

#[test]
fn unused_slots_have_no_effect() {
    // The reference pads, the network has no slots at all: both must agree whatever is in them.
    for network in networks() {
        let dense = Dense::new(&network);
        let context = context(4, 3, 3);
        let none = network.forward(&context, Heads::ALL);
        for (padding, rubbish) in [(1, 0.0), (5, 3.0), (2, -40.0)] {
            let padded = dense.answer(&context, padding, rubbish);
            for (found, expected) in none.acquisition.iter().zip(&padded.acquisition) {
                close(*found, *expected, "score");
            }
            for (found, expected) in none.logits.iter().zip(padded.logits.iter().flatten()) {
                close(*found, *expected, "logit");
            }
            close(none.value, padded.value, "value");
        }
    }
}

#[test]
fn parameters_are_counted_and_finite() {
    let network = &networks()[0];
    let mut parameters = network.parameters().to_vec();
    let again = Network::from_parameters(network.config().clone(), parameters.clone());
    assert_eq!(again.expect("the same network"), *network);
    parameters[39] = f32::NAN;
    let error = Network::from_parameters(network.config().clone(), parameters).expect_err("NaN");
    assert_eq!(
        error.to_string(),
        "parameter 7 of `embed.y.weight` is not finite"
    );
    let error = Network::from_parameters(network.config().clone(), vec![0.0; 3]).expect_err("few");
    assert_eq!(
        error.to_string(),
        format!(
            "3 parameters, the network has {}",
            network.parameters().len()
        )
    );
    let mut wrong = network.config().clone();
    wrong.heads = 3;
    let error = wrong.check().expect_err("three heads of eight");
    assert_eq!(
        error.to_string(),
        "width is 8, expected a multiple of the number of heads"
    );
    // Published: 14.56 million parameters at six inputs.
    let layout = warmfront_np::Layout::new(&NetworkConfig::paper(6));
    let tensors = layout
        .tensors()
        .iter()
        .filter(|t| !t.name.starts_with("value"));
    let size: usize = tensors.map(|t| t.range.len()).sum();
    assert_eq!((size + 5_000) / 10_000, 1456);
}

/// The mass that the untrained network sees near an evaluated candidate moves with its value.
#[test]
fn a_smoother_attends_to_what_is_near() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let network = Network::new(NetworkConfig::compact(6), &mut rng).expect("a network");
    let find = |name: &str| {
        let tensor = network.tensors().find(|t| t.0 == name);
        tensor.expect("a tensor").2.to_vec()
    };
    let (weight, bias) = (find("embed.x.weight"), find("embed.x.bias"));
    let width = bias.len();
    let mut points = Sobol::new(6).expect("few dimensions");
    let points = points.points(1024);
    let embedded = |point: &[f64], e: usize| -> f64 {
        let sum: f64 = (0..6)
            .map(|k| point[k] * f64::from(weight[k * width + e]))
            .sum();
        sum + f64::from(bias[e])
    };
    let count = (points.len() / 6 * width) as f64;
    let (mut mean, mut square) = (0.0, 0.0);
    for point in points.chunks_exact(6) {
        for e in 0..width {
            let value = embedded(point, e);
            mean += value / count;
            square += value * value / count;
        }
    }
    assert!(mean.abs() < 0.02, "mean {mean}");
    assert!((square - 1.0).abs() < 0.15, "mean square {square}");
    let project = find("layers.1.attention.project.weight");
    for row in project.chunks_exact(3 * width) {
        assert_eq!(row[..width], row[width..2 * width]);
        assert_ne!(row[..width], row[2 * width..]);
    }
    // The value of an evaluation moves the prediction near it more than that far from it.
    let (mut near, mut far) = (0.0, 0.0);
    for seed in 0..10 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let network = Network::new(NetworkConfig::compact(6), &mut rng).expect("a network");
        let place = [0.2; 6];
        let candidates = [place, [0.25; 6], [0.8; 6], [0.9; 6]].concat();
        let means = |y: f32| -> Vec<f32> {
            let history = network.encode(&place, &[y]);
            let output = network.score(&history, &candidates, y, 0.1, Heads::BAR);
            let bar = &network.config().bar;
            let rows = output.logits.chunks_exact(bar.buckets());
            rows.map(|logits| bar.mean(logits)).collect()
        };
        let pairs = means(2.0).into_iter().zip(means(-2.0));
        let moved: Vec<f32> = pairs.map(|(high, low)| (high - low).abs()).collect();
        near += moved[0] + moved[1];
        far += moved[2] + moved[3];
    }
    assert!(near > 1.3 * far, "{near} near, {far} far");
}

/// A policy that has learned nothing ranks candidates as the expected improvement does.
#[test]
fn the_untrained_residual_is_the_expected_improvement() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let config = NetworkConfig::compact(3);
    let network = Network::new(config, &mut rng).expect("a network");
    let history = network.encode(&[0.1, 0.2, 0.3, 0.8, 0.7, 0.6], &[-1.0, 1.0]);
    let queries: Vec<f32> = (0..30).map(|i| (i as f32 * 0.37).fract()).collect();
    let output = network.score(&history, &queries, 1.0, 0.2, Heads::ALL);
    let bar = &network.config().bar;
    for (score, logits) in output
        .acquisition
        .iter()
        .zip(output.logits.chunks_exact(bar.buckets()))
    {
        let expected = bar.log_expected_improvement(logits, 1.0, None);
        let temperature = network.config().acquisition.temperature;
        assert!((score - temperature * expected).abs() < 1e-4 * expected.abs().max(1.0));
    }
}

#[test]
fn the_first_parameters_are_always_the_same() {
    for (initialisation, expected) in [
        (
            Initialisation::Published,
            [0.003_132_838, -0.180_496_47, 0.008_735_601],
        ),
        (
            Initialisation::Scaled,
            [0.141_990_6, 0.268_875_54, -0.467_104_35],
        ),
        (
            Initialisation::Smoother,
            [0.626_567_54, -0.281_323_1, -0.397_195_5],
        ),
    ] {
        let mut config = networks()[0].config().clone();
        config.initialisation = initialisation;
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let network = Network::new(config, &mut rng).expect("a network");
        let first = |name: &str| {
            let tensor = network.tensors().find(|t| t.0 == name);
            tensor.expect("a tensor").2[0]
        };
        let found = [
            first("embed.x.weight"),
            first("layers.1.attention.project.weight"),
            first("value.hidden.weight"),
        ];
        for (f, e) in found.iter().zip(expected) {
            close(*f, e, &format!("{initialisation:?} {found:?}"));
        }
    }
}

#[test]
fn published_layers_begin_as_copies_and_others_do_not() {
    let mut config = networks()[0].config().clone();
    for initialisation in [
        Initialisation::Published,
        Initialisation::Small,
        Initialisation::Scaled,
        Initialisation::Smoother,
    ] {
        config.initialisation = initialisation;
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let network = Network::new(config.clone(), &mut rng).expect("a network");
        let find = |name: &str| {
            let tensor = network.tensors().find(|t| t.0 == name);
            tensor.expect("a tensor").2.to_vec()
        };
        let copies =
            find("layers.0.feed_forward.up.weight") == find("layers.1.feed_forward.up.weight");
        assert_eq!(copies, initialisation == Initialisation::Published);
        assert!(
            find("layers.1.attention.norm.gain")
                .iter()
                .all(|g| (g - 1.0).abs() < 1e-9)
        );
    }
}
