use std::error::Error as _;

use warmfront_testkit::assert_close;

use super::*;
use crate::{Config, Fidelity};

const EXAMPLE: &str = include_str!("../../examples/tuning.json");

/// The messages of an error and its causes.
fn chain(text: &str) -> String {
    let error = Definition::from_json(text.as_bytes()).expect_err(text);
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message += ": ";
        message += &error.to_string();
        cause = error.source();
    }
    message
}

/// The example with one piece of its text exchanged.
fn with(old: &str, new: &str) -> String {
    assert_eq!(EXAMPLE.matches(old).count(), 1, "{old}");
    EXAMPLE.replace(old, new)
}

#[test]
fn the_example_means_what_it_says() {
    let definition = Definition::from_json(EXAMPLE.as_bytes()).expect("valid");
    let space = SearchSpace::builder()
        .param("learning rate", Domain::log_real(1e-5, 0.1))
        .param("layers", Domain::integer(1, 5))
        .param("batch", Domain::ordinal([32.0, 64.0, 128.0, 256.0]))
        .param("optimizer", Domain::categorical(["adam", "sgd", "lion"]))
        .param("momentum", Domain::real(0.0, 0.99))
        .when("optimizer", ["sgd"])
        .fidelity(FidelityRange::integer("epochs", 1, 81).expect("valid"))
        .build()
        .expect("valid");
    let objectives = [
        Objective::minimize("error"),
        Objective::maximize("throughput"),
    ];
    assert_eq!(definition.space, space);
    assert_eq!(
        definition.objectives,
        Objectives::new(objectives).expect("valid")
    );
    let error = Belief::uniform(&space, 0)
        .with("learning rate", 1e-3, 0.75)
        .and_then(|b| b.with("layers", 4, 0.5))
        .and_then(|b| b.with_weights("optimizer", &[("adam", 6.0), ("sgd", 3.0), ("lion", 1.0)]))
        .and_then(|b| b.with("momentum", 0.9, 0.9))
        .expect("valid");
    let batch = [("32", 1.0), ("64", 1.0), ("128", 2.0), ("256", 4.0)];
    let throughput = Belief::uniform(&space, 1)
        .with("layers", 1, 0.75)
        .and_then(|b| b.with_weights("batch", &batch))
        .expect("valid");
    assert_eq!(
        definition.beliefs,
        Beliefs::new(2, vec![error, throughput]).expect("valid")
    );
}

#[test]
fn priors_and_the_fidelity_may_be_left_out() {
    let bare = r#"{
        "parameters": [{"name": "x", "type": "real", "low": 0, "high": 1.5}],
        "objectives": [{"name": "f", "direction": "minimize"}]
    }"#;
    let definition = Definition::from_json(bare.as_bytes()).expect("valid");
    assert!(definition.beliefs.is_empty());
    assert_eq!(definition.beliefs.len(), 1);
    assert_eq!(definition.space.fidelity(), None);

    let second_only = with(
        &EXAMPLE[EXAMPLE.find("    \"error\": {\n").expect("there")
            ..EXAMPLE.find("    \"throughput\": {").expect("there")],
        "",
    );
    let definition = Definition::from_json(second_only.as_bytes()).expect("valid");
    assert!(definition.beliefs.get(0).is_none());
    let belief = definition.beliefs.get(1).expect("given");
    let layers = |n: i32| {
        let config = Config::new()
            .with("learning rate", 1e-4)
            .with("layers", n)
            .with("batch", 64.0)
            .with("optimizer", "lion");
        belief.ln_density(&definition.space.encode(&config).expect("valid"))
    };
    assert!(layers(1) > layers(2) && layers(2) > layers(5));
}

#[test]
fn fidelities_have_a_type_and_a_scale() {
    let rows = r#"{"name": "rows", "type": "real", "low": 0.5, "high": 2, "scale": "linear"}"#;
    let epochs = r#"{"name": "epochs", "type": "integer", "low": 1, "high": 81, "scale": "log"}"#;
    let definition = Definition::from_json(with(epochs, rows).as_bytes()).expect("valid");
    let range = definition.space.fidelity().expect("given");
    assert!(!range.is_integer());
    assert_eq!(range.scale(), Scale::Linear);
    let half = range.coordinate(Fidelity::new(0.625).expect("valid"));
    assert_close(half, 0.5, 1e-15, 0.0, "the middle");
}

#[test]
fn text_that_is_no_definition_is_refused_at_its_place() {
    let check = |text: &str, message: &str| assert_eq!(chain(text), message);
    check("", "line 1, column 0: EOF while parsing a value");
    check(
        "{\n  \"parameters\": [,]\n}",
        "line 2, column 18: expected value",
    );
    check(
        "{\"parameters\": []} {",
        "line 1, column 18: missing field `objectives`",
    );
    check(
        &format!("{EXAMPLE}x"),
        "line 27, column 1: trailing characters",
    );
    check(
        &with("\"choices\"", "\"choice\""),
        "line 6, column 57: unknown field `choice`, expected one of `name`, `type`, `low`, \
         `high`, `scale`, `values`, `choices`, `when`",
    );
    check(
        &with("\"type\": \"ordinal\"", "\"type\": \"float\""),
        "line 5, column 37: unknown variant `float`, expected one of `real`, `integer`, \
         `ordinal`, `categorical`",
    );
    check(
        &with("\"maximize\"", "\"max\""),
        "line 12, column 45: unknown variant `max`, expected `minimize` or `maximize`",
    );
    check(
        &with("\"centre\": 4", "\"center\": 4"),
        "line 17, column 25: unknown field `center`, expected one of `centre`, `confidence`, \
         `weights`",
    );
    check(
        &with("\"centre\": 4", "\"centre\": true"),
        "line 17, column 31: invalid type: boolean `true`, expected a number or a name",
    );
    check(
        &with("\"centre\": 4", "\"centre\": 4, \"centre\": 5"),
        "line 17, column 38: duplicate field `centre`",
    );
    check(
        &with("\"lion\": 1}", "\"adam\": 1}"),
        "line 18, column 59: `adam` is given twice",
    );
    check(
        &with("\"throughput\": {", "\"error\": {"),
        "line 21, column 11: `error` is given twice",
    );
    check(
        &with("\"minimize\"}", "\"minimize\", \"weight\": 2}"),
        "line 11, column 55: unknown field `weight`, expected `name` or `direction`",
    );
}

#[test]
fn spaces_and_objectives_are_checked() {
    let check = |old: &str, new: &str, message: &str| assert_eq!(chain(&with(old, new)), message);
    check(
        "\"low\": 1, \"high\": 81",
        "\"low\": 0, \"high\": 81",
        "the fidelity `epochs` needs budgets above 0, got 0",
    );
    check(
        "\"low\": 1, \"high\": 81",
        "\"low\": -3, \"high\": 81",
        "the fidelity `epochs` needs budgets above 0, got -3",
    );
    check(
        "\"low\": 1, \"high\": 81",
        "\"low\": 1, \"high\": 1e10",
        "`epochs` is 10000000000, outside [1, 4294967295]",
    );
    check(
        "\"low\": 1, \"high\": 81",
        "\"low\": 1, \"high\": 1",
        "`epochs` needs finite bounds with low < high, got [1, 1]",
    );
    check(
        "\"low\": 1, \"high\": 81",
        "\"low\": 0.5, \"high\": 81",
        "`epochs` expects a whole number, got 0.5",
    );
    check(
        "\"name\": \"epochs\"",
        "\"name\": \"layers\"",
        "`layers` is both a parameter and the fidelity",
    );
    check(
        "\"when\": {\"optimizer\"",
        "\"when\": {\"solver\"",
        "`momentum` depends on `solver`, which is not an earlier parameter",
    );
    check(
        "[\"sgd\"]",
        "[\"sdg\"]",
        "`momentum` depends on `optimizer` being \"sdg\", which it cannot be",
    );
    check(
        "\"low\": 1e-5, \"high\": 0.1",
        "\"low\": 0, \"high\": 0.1",
        "`learning rate` has a log scale, which needs low > 0, got 0",
    );
    check(
        "\"low\": 1e-5, \"high\": 0.1",
        "\"low\": \"tiny\", \"high\": 0.1",
        "`learning rate` expects a number, got \"tiny\"",
    );
    check(
        "\"low\": 1, \"high\": 5",
        "\"high\": 5",
        "`layers` is an integer parameter, which needs the field `low`",
    );
    check(
        "\"low\": 1, \"high\": 5",
        "\"low\": 1, \"high\": 5.5",
        "`layers` expects a whole number, got 5.5",
    );
    check(
        "\"low\": 1, \"high\": 5",
        "\"low\": 1, \"high\": 5, \"values\": [1, 5]",
        "`layers` is an integer parameter, which has no field `values`",
    );
    check(
        ", \"choices\": [\"adam\", \"sgd\", \"lion\"]",
        "",
        "`optimizer` is a categorical parameter, which needs the field `choices`",
    );
    check(
        "{\"name\": \"throughput\"",
        "{\"name\": \"error\"",
        "objective name `error` is used twice",
    );
}

#[test]
fn nothing_in_a_prior_is_ignored() {
    let check = |old: &str, new: &str, message: &str| assert_eq!(chain(&with(old, new)), message);
    let rate = "{\"centre\": 1e-3, \"confidence\": 0.75}";
    let weights = "{\"adam\": 6, \"sgd\": 3, \"lion\": 1}";
    check(
        rate,
        "{\"confidence\": 0.75}",
        "the prior for `error` on `learning rate` has a confidence but no centre",
    );
    check(
        rate,
        "{\"centre\": 1e-3}",
        "the prior for `error` on `learning rate` has a centre but no confidence",
    );
    check(
        rate,
        "{}",
        "the prior for `error` on `learning rate` says nothing, leave it out",
    );
    check(
        rate,
        "{\"weights\": {\"0.001\": 1}}",
        "the prior for `error` does not fit the space: `learning rate` lists no values to weigh: \
         it takes a centre and a confidence",
    );
    check(
        rate,
        "{\"centre\": 1, \"confidence\": 0.75}",
        "the prior for `error` does not fit the space: `learning rate` is 1, outside [0.00001, 0.1]",
    );
    check(
        rate,
        "{\"centre\": 1e-3, \"confidence\": 1}",
        "the prior for `error` does not fit the space: the confidence in `learning rate` is 1, \
         outside (0, 1)",
    );
    check(
        rate,
        "{\"centre\": 1e-3, \"confidence\": 0}",
        "the prior for `error` does not fit the space: the confidence in `learning rate` is 0, \
         outside (0, 1)",
    );
    check(
        rate,
        "{\"centre\": \"adam\", \"confidence\": 0.5}",
        "the prior for `error` does not fit the space: `learning rate` expects a number, got \
         \"adam\"",
    );
    check(
        "\"centre\": 4, ",
        "\"centre\": 4.5, ",
        "the prior for `error` does not fit the space: `layers` expects a whole number, got 4.5",
    );
    let both = "the prior for `error` on `optimizer` has weights and also a centre or a \
                confidence, give one or the other";
    check(
        weights,
        &format!("{weights}, \"centre\": \"adam\", \"confidence\": 0.5"),
        both,
    );
    check(weights, &format!("{weights}, \"confidence\": 0.5"), both);
    check(
        weights,
        "{\"adam\": 6, \"sgd\": 3, \"lyon\": 1}",
        "the prior for `error` does not fit the space: `optimizer` has no value \"lyon\"",
    );
    check(
        weights,
        "{\"adam\": 6, \"sgd\": -3, \"lion\": 1}",
        "the prior for `error` does not fit the space: the weight of \"sgd\" in `optimizer` is \
         -3, it must be above 0 and finite",
    );
    check(
        weights,
        "{\"adam\": 0, \"sgd\": 0, \"lion\": 0}",
        "the prior for `error` does not fit the space: the weight of \"adam\" in `optimizer` is \
         0, it must be above 0 and finite",
    );
    check(
        weights,
        "{\"adam\": 6, \"lion\": 1}",
        "the prior for `error` does not fit the space: the weights of `optimizer` leave out \
         \"sgd\", every value needs one above 0",
    );
    check(
        "\"throughput\": {",
        "\"speed\": {",
        "there is a prior for `speed`, which is not an objective; there are `error`, `throughput`",
    );
    check(
        "\"momentum\": {",
        "\"epochs\": {",
        "the prior for `error` is about the fidelity `epochs`, which is chosen by the strategy \
         and takes no prior",
    );
    check(
        "\"momentum\": {",
        "\"momenta\": {",
        "the prior for `error` is about `momenta`, which is not a parameter",
    );
    let all = &EXAMPLE[EXAMPLE.find("\"error\": {\n").expect("there")
        ..EXAMPLE.find("    \"throughput\": {").expect("there")];
    check(
        all,
        "\"error\": {},\n",
        "the prior for `error` names no parameters, leave it out",
    );
}
