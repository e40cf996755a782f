use rand::{Rng, RngExt};
use warmfront_core::{Purpose, Seed};
use warmfront_testkit::{assert_close, check_gradient};

use super::ppo::Surrogate;
use super::supervised::{self, Example, Histories};
use super::workers::Workers;
use super::*;
use crate::{Bar, Heads, Network, NetworkConfig, NpError, Task, TaskSource, Utility};

/// Distances to a random point of the unit interval.
struct Distances;

impl TaskSource for Distances {
    fn dim(&self) -> usize {
        1
    }

    fn draw(&self, candidates: usize, rng: &mut dyn Rng) -> Task {
        let best = rng.random::<f32>();
        let x: Vec<f32> = (0..candidates).map(|_| rng.random()).collect();
        let costs = x.iter().map(|&x| f64::from((x - best).abs())).collect();
        Task::new(1, x, costs).unwrap()
    }

    fn name(&self) -> &'static str {
        "distances"
    }
}

/// Every task has its low costs at high coordinates: a policy needs no history for it.
struct Slope;

impl TaskSource for Slope {
    fn dim(&self) -> usize {
        1
    }

    fn draw(&self, candidates: usize, rng: &mut dyn Rng) -> Task {
        let x: Vec<f32> = (0..candidates).map(|_| rng.random()).collect();
        let costs = x.iter().map(|&x| -f64::from(x)).collect();
        Task::new(1, x, costs).unwrap()
    }

    fn name(&self) -> &'static str {
        "slope"
    }
}

fn small_network() -> NetworkConfig {
    let mut config = NetworkConfig::compact(1);
    (config.layers, config.width, config.feed_forward) = (2, 32, 64);
    config.head_hidden = 32;
    config.heads = 2;
    config.bar = Bar::uniform(-3.0, 3.0, 24).with_tails();
    config.acquisition.hidden = 32;
    config
}

fn small_training() -> TrainConfig {
    let mut config = TrainConfig::two_phase();
    config.warm_up = Some(SupervisedConfig {
        steps: 3,
        batch: 5,
        learning_rate: 2e-3,
        ramp: 2,
        decay: Decay::Cosine,
        history: (0, 12),
        queries: 10,
        clustered: 0.5,
    });
    config.policy = Some(PpoConfig {
        iterations: 2,
        tasks: 3,
        trajectories: 3,
        initial: (0, 3),
        horizon: (4, 8),
        candidates: 20,
        top_k: Some(4),
        minibatch: 16,
        states: None,
        epochs: 1,
        ramp: 0,
        auxiliary: Auxiliary {
            contexts: AuxiliaryContexts::Mixed,
            queries: 6,
            drawn: 4,
        },
        ..PpoConfig::compact()
    });
    config
}

fn policy(config: &mut TrainConfig) -> &mut PpoConfig {
    config.policy.as_mut().unwrap()
}

fn bits(network: &Network) -> Vec<u32> {
    network.parameters().iter().map(|p| p.to_bits()).collect()
}

fn train(config: TrainConfig, network: NetworkConfig, source: &dyn TaskSource) -> Trainer {
    let mut trainer = Trainer::new(config, network, Seed(7)).unwrap();
    while trainer.advance(source).is_some() {}
    trainer
}

#[test]
fn surrogate_gradient() {
    let scores = [0.03_f32, -0.02, 0.05, 0.0];
    let x: Vec<f64> = scores.iter().map(|&s| s.into()).collect();
    let check = |entropy, advantage: f64, old: f64, clipped: bool| {
        let surrogate = Surrogate {
            clip: 0.15,
            entropy,
            temperature: 0.1,
        };
        let (loss, gradient) = surrogate.loss(&scores, 1, old, advantage);
        assert_eq!(loss.clipped, clipped);
        // The reference: the formula of the paper in f64.
        let value = |x: &[f64]| {
            let z: Vec<f64> = x.iter().map(|s| s / f64::from(0.1_f32)).collect();
            let total = warmfront_math::special::logsumexp(&z);
            let log: Vec<f64> = z.iter().map(|z| z - total).collect();
            let ratio = (log[1] - old).exp();
            let bounded = ratio.clamp(0.85, 1.15);
            let entropy_of = -log.iter().map(|l| l.exp() * l).sum::<f64>();
            -(ratio * advantage).min(bounded * advantage) - entropy * entropy_of
        };
        assert_close(
            loss.surrogate - entropy * loss.entropy,
            value(&x),
            1e-6,
            1e-6,
            "loss",
        );
        check_gradient(value, &gradient, &x, 1e-6);
    };
    let now = super::episode::log_softmax(&scores, 0.1)[1];
    for entropy in [0.0, 0.3] {
        for advantage in [1.3, -0.7] {
            check(entropy, advantage, now, false);
            check(entropy, advantage, now - 0.1, false);
            check(entropy, advantage, now - 0.5, true);
            check(entropy, advantage, now + 0.5, true);
        }
    }
}

#[test]
fn supervised_gradient_along_a_direction() {
    let mut rng = Seed(3).stream(Purpose::Init, 0);
    let network = Network::new(small_network(), &mut rng).unwrap();
    let config = small_training().warm_up.unwrap();
    let loss = |network: &Network| {
        let mut workers = Workers::default();
        let (gradient, nll) = supervised::gradient(
            network,
            &config,
            Scaling::History,
            &Distances,
            Seed(5),
            &mut workers,
        );
        (gradient.to_vec(), nll)
    };
    let (gradient, _) = loss(&network);
    let square: f64 = gradient.iter().map(|&g| f64::from(g) * f64::from(g)).sum();
    assert!(square > 1e-6, "no gradient");
    let moved = |step: f64| {
        let mut network = network.clone();
        for (p, &g) in network.parameters_mut().iter_mut().zip(&gradient) {
            *p += (step * f64::from(g)) as f32;
        }
        loss(&network).1
    };
    let step = 1e-2 / square.sqrt();
    let slope = (moved(step) - moved(-step)) / (2.0 * step);
    assert_close(slope, square, 2e-2, 0.0, "derivative along the gradient");
}

#[test]
fn ratio_is_one_before_the_first_update() {
    for (advantage, top_k) in [
        (Advantage::Group, Some(4)),
        (Advantage::Gae, Some(1)),
        (Advantage::Gae, None),
    ] {
        let mut config = small_training();
        let policy = policy(&mut config);
        policy.advantage = advantage;
        policy.top_k = top_k;
        // One minibatch has all states of an iteration.
        policy.minibatch = 1000;
        let trainer = train(config, small_network(), &Distances);
        let rows: Vec<_> = trainer
            .curve()
            .iter()
            .filter_map(|p| p.policy.as_ref())
            .collect();
        assert_eq!(rows.len(), 2);
        for row in rows {
            assert!(row.first_ratio_error < 1e-4, "{row:?}");
            assert_eq!((row.clipped, row.states), (0.0, row.decisions));
            assert!(row.divergence.abs() < 1e-6);
            assert_eq!(row.value_loss.is_some(), advantage == Advantage::Gae);
        }
    }
}

#[test]
fn a_checkpoint_goes_on_bit_for_bit() {
    let mut config = small_training();
    policy(&mut config).lambda = Lambda::Constraint {
        start: 1.0,
        slack: 0.05,
        rate: 0.7,
    };
    let whole = train(config.clone(), small_network(), &Distances);
    assert_eq!(whole.curve().len(), 5);
    for stop in 0..=5 {
        let mut trainer = Trainer::new(config.clone(), small_network(), Seed(7)).unwrap();
        for _ in 0..stop {
            trainer.advance(&Distances).unwrap();
        }
        let mut bytes = Vec::new();
        trainer.save(&mut bytes).unwrap();
        let mut trainer = Trainer::load(&bytes[..]).unwrap();
        while trainer.advance(&Distances).is_some() {}
        assert_eq!(trainer.curve(), whole.curve());
        assert_eq!(bits(trainer.network()), bits(whole.network()));
    }
}

#[test]
fn a_broken_checkpoint_is_an_error() {
    let trainer = Trainer::new(small_training(), small_network(), Seed(1)).unwrap();
    let mut bytes = Vec::new();
    trainer.save(&mut bytes).unwrap();
    let cut = Trainer::load(&bytes[..bytes.len() / 2]);
    assert!(matches!(cut, Err(NpError::Checkpoint(_))));
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    assert!(Trainer::load(&bytes[..]).is_err());
}

#[test]
fn any_number_of_threads_gives_the_same_network() {
    let with = |threads: usize| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| {
                let trainer = train(small_training(), small_network(), &Distances);
                (bits(trainer.network()), trainer.curve().to_vec())
            })
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(5));
}

#[test]
fn prediction_becomes_better_than_the_marginal() {
    let mut config = small_training();
    config.policy = None;
    let warm_up = config.warm_up.as_mut().unwrap();
    (warm_up.steps, warm_up.batch, warm_up.ramp) = (400, 8, 50);
    warm_up.learning_rate = 4e-3;
    warm_up.history = (4, 12);
    let sample = sample_targets(&config, &Distances, 300, Seed(8));
    let bar = small_network().bar;
    let mut counts = vec![0.5_f32; bar.buckets()];
    for &y in &sample {
        counts[bar.bucket(y)] += 1.0;
    }
    let logits: Vec<f32> = counts.iter().map(|c| c.ln()).collect();
    let marginal = sample.iter().map(|&y| bar.nll(&logits, y)).sum::<f32>() / sample.len() as f32;
    let trainer = train(config, small_network(), &Distances);
    let last = &trainer.curve()[380..];
    let nll = last.iter().map(|p| p.nll.unwrap()).sum::<f64>() / 20.0;
    assert!(nll < f64::from(marginal) - 0.3, "{nll} against {marginal}");
}

#[test]
fn policy_learns_where_to_look() {
    for (advantage, reward) in [
        (Advantage::Group, Reward::Incremental),
        (Advantage::GroupGivenIncumbent, Reward::Regret),
        (Advantage::Gae, Reward::Regret),
    ] {
        let mut config = small_training();
        config.warm_up = None;
        let policy = policy(&mut config);
        (policy.advantage, policy.reward) = (advantage, reward);
        policy.iterations = 40;
        policy.initial = (1, 1);
        policy.horizon = (3, 3);
        policy.trajectories = 8;
        policy.top_k = None;
        policy.learning_rate = 2e-3;
        policy.divergence_limit = None;
        policy.minibatch = 24;
        policy.auxiliary.contexts = AuxiliaryContexts::Off;
        let mut network = small_network();
        network.acquisition.residual = false;
        let trainer = train(config, network, &Slope);
        let regret = |rows: &[Progress]| {
            let sum: f64 = rows.iter().map(|p| p.policy.as_ref().unwrap().regret).sum();
            sum / rows.len() as f64
        };
        let (first, last) = (
            regret(&trainer.curve()[..5]),
            regret(&trainer.curve()[35..]),
        );
        assert!(last < 0.4 * first, "{advantage:?}: {last} after {first}");
        assert!(trainer.curve()[0].nll.is_none());

        // The same in greedy runs on tasks that it has not seen, against chance.
        let mut rng = Seed(11).stream(Purpose::Evaluate, 0);
        let tasks: Vec<Task> = (0..6).map(|_| Slope.draw(20, &mut rng)).collect();
        let after = |utility| {
            let evaluation = Evaluation {
                initial: 1,
                horizon: 3,
                repeats: 4,
                utility,
                ..Evaluation::default()
            };
            let curves = regret_curves(trainer.network(), &tasks, &evaluation, Seed(12));
            assert_eq!((curves.len(), curves[0].len()), (24, 4));
            assert!(curves.iter().all(|c| c.windows(2).all(|r| r[1] <= r[0])));
            mean_regret(&curves, &[0, 3])
        };
        let (learned, chance) = (after(Some(Utility::Acquisition)), after(None));
        assert_close(learned[0], chance[0], 0.0, 1e-15, "same initial designs");
        assert!(learned[1] < 0.3 * chance[1], "{learned:?} {chance:?}");
    }
}

#[test]
fn shuffled_histories_hurt_a_predictor_and_exhausted_tables_end() {
    let mut config = small_training();
    config.policy = None;
    let warm_up = config.warm_up.as_mut().unwrap();
    (warm_up.steps, warm_up.batch, warm_up.ramp) = (1000, 8, 50);
    warm_up.learning_rate = 4e-3;
    let trainer = train(config, small_network(), &Distances);
    let network = trainer.network();
    let mut rng = Seed(1).stream(Purpose::Evaluate, 0);
    let tasks: Vec<Task> = (0..20).map(|_| Distances.draw(100, &mut rng)).collect();
    let after = |shuffled| {
        let evaluation = Evaluation {
            initial: 3,
            horizon: 8,
            repeats: 3,
            utility: Some(Utility::LogEi),
            shuffled,
            ..Evaluation::default()
        };
        let curves = regret_curves(network, &tasks, &evaluation, Seed(2));
        mean_regret(&curves, &[8])[0]
    };
    let (seen, dealt) = (after(false), after(true));
    assert!(
        seen < 0.7 * dealt,
        "{seen} against {dealt} with dealt outcomes"
    );

    let few = vec![Distances.draw(6, &mut rng)];
    let evaluation = Evaluation {
        horizon: 4,
        ..Evaluation::default()
    };
    let curves = regret_curves(network, &few, &evaluation, Seed(2));
    assert_eq!(curves[0].len(), 5);
    assert_close(curves[0][4], 0.0, 0.0, 0.0, "all evaluated");
}

#[test]
fn the_published_recipe_and_all_options_run() {
    let mut published = TrainConfig::published();
    let policy = policy(&mut published);
    (policy.iterations, policy.tasks, policy.candidates) = (2, 4, 20);
    policy.horizon = (5, 5);
    policy.auxiliary.queries = 8;
    let mut paper = NetworkConfig::paper(1);
    (paper.layers, paper.width, paper.feed_forward) = (1, 16, 32);
    paper.bar = Bar::uniform(-0.1, 1.1, 30);
    paper.head_hidden = 16;
    let mut settings = vec![(published, paper)];
    for reward in [Reward::Published, Reward::Regret, Reward::Rank] {
        for contexts in [AuxiliaryContexts::Iid, AuxiliaryContexts::OnPolicy] {
            let mut config = small_training();
            config.warm_up = None;
            let policy = config.policy.as_mut().unwrap();
            policy.reward = reward;
            policy.auxiliary.contexts = contexts;
            policy.entropy = 0.01;
            policy.epochs = 2;
            policy.states = Some(20);
            policy.lambda = Lambda::Schedule { from: 1.0, to: 0.1 };
            settings.push((config, small_network()));
        }
    }
    for (config, network) in settings {
        let limit = config.policy.as_ref().unwrap().states;
        let trainer = train(config, network, &Distances);
        assert_eq!(trainer.curve().len(), 2);
        for row in trainer.curve() {
            let policy = row.policy.as_ref().unwrap();
            assert!(row.nll.unwrap().is_finite() && row.gradient_norm > 0.0);
            assert!(policy.returns.is_finite() && policy.entropy > 0.0);
            assert!(limit.is_none_or(|limit| policy.states <= 2 * limit as u64));
        }
        assert!(trainer.network().parameters().iter().all(|p| p.is_finite()));
        assert_eq!(curve_csv(trainer.curve()).lines().count(), 3);

        let mut bytes = Vec::new();
        trainer.save(&mut bytes).unwrap();
        let kept = Trainer::load(&bytes[..]).unwrap();
        assert_eq!(kept.config(), trainer.config());
        assert_eq!(kept.curve(), trainer.curve());
        assert_eq!(kept.network(), trainer.network());
    }
}

#[test]
fn learning_rates_rise_and_fall() {
    let linear: Vec<f64> = (0..6).map(|s| Decay::Linear.rate(1.0, 2, s, 6)).collect();
    warmfront_testkit::assert_all_close(
        &linear,
        &[0.5, 1.0, 1.0, 0.75, 0.5, 0.25],
        1e-12,
        0.0,
        "linear",
    );
    assert_close(Decay::Cosine.rate(2.0, 0, 5, 10), 1.0, 1e-12, 0.0, "cosine");
    assert_close(Decay::None.rate(2.0, 0, 9, 10), 2.0, 1e-12, 0.0, "none");
}

#[test]
fn senseless_settings_are_errors() {
    let mut few = small_training();
    policy(&mut few).trajectories = 1;
    let mut clip = small_training();
    clip.clip_norm = f64::NAN;
    let mut order = small_training();
    policy(&mut order).horizon = (9, 3);
    let mut negative = small_training();
    policy(&mut negative).lambda = Lambda::Fixed(-1.0);
    let mut drawn = small_training();
    policy(&mut drawn).auxiliary.drawn = 0;
    let constraint = |slack| Lambda::Constraint {
        start: 1.0,
        slack,
        rate: 1.0,
    };
    let mut slack = small_training();
    policy(&mut slack).lambda = constraint(f64::NAN);
    let mut nothing = small_training();
    policy(&mut nothing).lambda = constraint(0.1);
    policy(&mut nothing).auxiliary.contexts = AuxiliaryContexts::Off;
    let mut limit = small_training();
    policy(&mut limit).divergence_limit = Some(f64::NAN);
    for (config, setting) in [
        (drawn, "auxiliary.drawn"),
        (slack, "slack"),
        (nothing, "auxiliary.queries"),
        (limit, "divergence_limit"),
        (few, "trajectories"),
        (clip, "clip_norm"),
        (order, "horizon"),
        (negative, "lambda"),
    ] {
        let error = config.check().unwrap_err();
        assert!(
            matches!(error, NpError::Setting { what, .. } if what == setting),
            "{error}"
        );
        assert!(Trainer::new(config, small_network(), Seed(0)).is_err());
    }
}

#[test]
fn buckets_without_tails_must_reach_all_outcomes() {
    let message = |bar: Bar, scaling| {
        let config = TrainConfig {
            scaling,
            ..small_training()
        };
        let mut network = small_network();
        network.bar = bar;
        let trainer = Trainer::new(config, network, Seed(0));
        trainer.map_or_else(|error| error.to_string(), |_| String::new())
    };
    let expected = "expected one that reaches all outcomes of the scaling";
    assert_eq!(
        message(Bar::uniform(-4.0, 4.0, 9), Scaling::History),
        format!("the lowest border of buckets without tails is -4, {expected}")
    );
    assert_eq!(
        message(Bar::uniform(-0.1, 0.9, 10), Scaling::Range),
        format!("the highest border of buckets without tails is 0.8999999761581421, {expected}")
    );
    for (bar, scaling) in [
        (Bar::uniform(-0.1, 1.1, 9), Scaling::Range),
        (Bar::uniform(-12.0, 12.0, 9), Scaling::BetterHalf),
        (Bar::uniform(-4.0, 4.0, 9).with_tails(), Scaling::BetterHalf),
    ] {
        assert_eq!(message(bar, scaling), "");
    }
}

#[test]
fn a_policy_is_served_as_it_was_trained() {
    let mut config = small_training();
    config.scaling = Scaling::BetterHalf;
    policy(&mut config).initial = (2, 3);
    let about = || crate::About {
        trained: "briefly".into(),
        ..crate::About::new(&warmfront_core::SearchSpace::unit_cube(1), 9)
    };
    let trainer = Trainer::new(config.clone(), small_network(), Seed(1)).unwrap();
    let served = trainer.finish(about()).unwrap();
    let expected = crate::About {
        scaling: Scaling::BetterHalf,
        initial: 2,
        ..about()
    };
    assert_eq!(*served.about(), expected);
    config.policy = None;
    let trainer = Trainer::new(config, small_network(), Seed(1)).unwrap();
    assert_eq!(trainer.finish(about()).unwrap().about().initial, 0);
}

/// The mean loss of drawn contexts is that of the inference path.
#[test]
fn likelihood_of_training_and_inference_agree() {
    let mut rng = Seed(6).stream(Purpose::Init, 0);
    let network = Network::new(small_network(), &mut rng).unwrap();
    let histories = Histories {
        sizes: (0, 10),
        queries: 7,
        clustered: 0.0,
        scaling: Scaling::Range,
    };
    let bar = &network.config().bar;
    for _ in 0..5 {
        let task = Distances.draw(30, &mut rng);
        let Example { context, targets } = histories.draw(&task, &mut rng);
        let logits = network.forward(&context, Heads::BAR).logits;
        let direct: f64 = logits
            .chunks_exact(bar.buckets())
            .zip(&targets)
            .map(|(l, &y)| f64::from(bar.nll(l, y)))
            .sum();
        let mut tape = crate::Tape::default();
        let output = network.forward_train(&context, Heads::BAR, &mut tape);
        let mut scratch = vec![0.0; output.logits.len()];
        let trained = supervised::likelihood(bar, &output.logits, &targets, 1.0, &mut scratch);
        assert_close(trained, direct, 1e-4, 1e-4, "likelihood");
    }
}
