use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use super::*;
use crate::config::{Critic, HistoryAttention, NetworkConfig};

fn config(inputs: usize) -> NetworkConfig {
    let compact = NetworkConfig::compact(inputs);
    NetworkConfig {
        layers: 2,
        width: 8,
        feed_forward: 8,
        heads: 2,
        bar: crate::Bar::uniform(-3.0, 3.0, 5).with_tails(),
        head_hidden: 4,
        acquisition: crate::AcquisitionHead {
            hidden: 4,
            layers: 1,
            ..compact.acquisition
        },
        critic: Critic::History,
        attention: HistoryAttention::Causal,
        ..compact
    }
}

fn policy(about: About, inputs: usize) -> Policy {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    Policy::new(Network::new(config(inputs), &mut rng).unwrap(), about).unwrap()
}

fn mixed() -> SearchSpace {
    SearchSpace::builder()
        .param("rate", Domain::log_real(1e-4, 1.0))
        .param("layers", Domain::integer(1, 4))
        .param("kind", Domain::categorical(["a", "b", "c"]))
        .param("flag", Domain::categorical(["on", "off"]))
        .build()
        .unwrap()
}

fn bytes(policy: &Policy) -> Vec<u8> {
    let mut bytes = Vec::new();
    policy.write(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_file_gives_back_the_policy() {
    let space = mixed();
    let about = About {
        scaling: Scaling::Range,
        initial: 2,
        acquisition: Utility::LogEi,
        trained: "on \"nothing\" at all\n".into(),
        ..About::new(&space, 25)
    };
    for policy in [policy(about, 6), policy(About::general(100), 3)] {
        let file = bytes(&policy);
        assert_eq!(Policy::read(&*file).unwrap(), policy);
        assert_eq!(file, bytes(&policy), "equal policies give equal bytes");
    }
}

#[test]
fn half_the_precision_is_half_the_size_and_the_same_borders() {
    let general = policy(About::general(100), 3);
    let mut half = Vec::new();
    general.write_with(&mut half, Precision::Half).unwrap();
    let count = general.network().parameters().len();
    assert!(half.len() < bytes(&general).len() - 2 * count + 64);
    let read = Policy::read(&*half).unwrap();
    assert_eq!(read.network().config(), general.network().config());
    let pairs = general.network().parameters().iter();
    for (a, b) in pairs.zip(read.network().parameters()) {
        assert!((a - b).abs() <= a.abs() / 2048.0 + 3e-8);
    }
}

#[test]
fn cut_or_damaged_anywhere_is_an_error() {
    let file = bytes(&policy(About::new(&mixed(), 25), 6));
    for end in 0..file.len() {
        let cut = Policy::read(&file[..end]);
        assert!(matches!(cut, Err(NpError::Truncated { .. })), "after {end}");
    }
    for at in 0..file.len() {
        let mut damaged = file.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(Policy::read(&*damaged).is_err(), "byte {at}");
    }
}

#[test]
fn a_policy_knows_the_spaces_it_fits() {
    let exact = policy(About::new(&mixed(), 25), 6);
    assert!(exact.fits(&mixed()).is_ok());
    let message =
        |policy: &Policy, space: &SearchSpace| policy.fits(space).unwrap_err().to_string();
    assert_eq!(
        message(&exact, &SearchSpace::unit_cube(5)),
        "the policy is for 6 coordinates, the space has 5"
    );
    assert_eq!(
        message(&exact, &SearchSpace::unit_cube(6)),
        "coordinate 1 of the space is real, the policy is for ordered"
    );
    let general = policy(About::general(25), 3);
    for d in 1..=3 {
        assert!(general.fits(&SearchSpace::unit_cube(d)).is_ok());
    }
    assert_eq!(
        message(&general, &mixed()),
        "the policy is for at most 3 coordinates, the space has 6"
    );
    let rows = [0.1, 0.9].map(|x| warmfront_core::UnitPoint::clamped([x, 0.5, 0.5]));
    let table = SearchSpace::unit_cube(3).with_table(rows.into()).unwrap();
    let boxed = policy(About::new(&SearchSpace::unit_cube(3), 25), 3);
    assert!(boxed.fits(&table).is_ok(), "a table is the same space");
}

#[test]
fn parts_that_do_not_fit_are_named() {
    let network = || policy(About::general(1), 3).network;
    let message = |about: About| Policy::new(network(), about).unwrap_err().to_string();
    assert_eq!(
        message(About::new(&mixed(), 25)),
        "the policy does not fit together: 6 coordinates of a network with 3"
    );
    assert_eq!(
        message(About::general(0)),
        "horizon is 0, expected at least one evaluation"
    );

    let change = |change: fn(&mut Archive)| {
        let file = bytes(&policy(About::general(9), 3));
        let mut archive = weights::read(&*file, KIND).unwrap();
        change(&mut archive);
        let mut changed = Vec::new();
        weights::write(&mut changed, KIND, &archive, |_| Precision::Full).unwrap();
        Policy::read(&*changed).unwrap_err().to_string()
    };
    assert_eq!(
        change(|a| drop(a.tensors.remove("embed.y.bias"))),
        "the policy does not fit together: there is no tensor `embed.y.bias`"
    );
    assert_eq!(
        change(|a| a.tensors.get_mut("embed.x.weight").unwrap().shape.reverse()),
        "the policy does not fit together: tensor `embed.x.weight` is of shape [8, 3], expected [3, 8]"
    );
    assert_eq!(
        change(|a| {
            let values = vec![1.0];
            let shape = vec![1];
            a.tensors.insert("extra".into(), Weights { shape, values });
        }),
        "the policy does not fit together: the network has no tensor `extra`"
    );
    assert_eq!(
        change(|a| a.text = a.text.replace("\"layers\":2", "\"layers\":4000000000")),
        "the policy does not fit together: 4000000001 layers in 41 tensors"
    );
    assert_eq!(
        change(|a| a.text = a.text.replace("\"width\":8", "\"width\":4000000000")),
        "width is 4000000000, expected a number from 1 to 2^20"
    );
    assert_eq!(
        change(|a| a.text = a.text.replace("\"width\":8", "\"breadth\":8")),
        "the policy does not fit together: unknown field `breadth`, expected one of `inputs`, \
         `layers`, `width`, `feed_forward`, `heads`, `tails`, `head_hidden`, `acquisition`, \
         `critic`, `attention`, `initialisation` at line 1 column 43"
    );
    assert_eq!(
        change(|a| a.tensors.get_mut(BORDERS).unwrap().values[1] = -9.0),
        "border 1 of the bar distribution is -9, expected at least two that increase"
    );
}
