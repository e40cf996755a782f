use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use warmfront_core::{Costs, Objectives, Outcome};

use super::*;
use crate::wrap::Failing;
use crate::{Known, Provenance, Synthetic};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Low near 0.2 by the first objective and near 0.8 by the second.
fn valleys() -> Synthetic {
    Synthetic::new(
        "valleys",
        &[(0.0, 1.0), (-2.0, 2.0)],
        Objectives::minimize_all(2),
        |x, y| {
            y[0] = (x[0] - 0.2).powi(2) + (x[1] - 0.4).powi(2);
            y[1] = (x[0] - 0.8).powi(2) + 0.01 * x[1];
        },
    )
}

#[test]
fn centres_are_at_the_best_or_the_worst_of_the_sample() {
    let sample = ExpertSample::draw(&valleys(), 5000, &mut rng(1)).expect("finite");
    let mut rng = rng(2);
    let mut at = |objective, quality| {
        let centre = sample.centre(objective, quality, &mut rng);
        let number = |name| centre.number(name).expect("active");
        [number("x1"), number("x2")]
    };
    let near = |found: [f64; 2], x: f64, y: f64, tolerance: f64| {
        assert!(
            (found[0] - x).abs() < tolerance && (found[1] - y).abs() < 4.0 * tolerance,
            "{found:?}"
        );
    };
    near(at(0, ExpertQuality::Good), 0.2, 0.4, 0.06);
    near(at(0, ExpertQuality::Bad), 1.0, -2.0, 0.05);
    let bad = at(1, ExpertQuality::Bad);
    let sure = at(1, ExpertQuality::Overconfident);
    assert_eq!(bad.map(f64::to_bits), sure.map(f64::to_bits));
    assert!(bad[0] < 0.05);
    let moves: Vec<f64> = (0..400)
        .map(|_| at(0, ExpertQuality::Medium)[0] - 0.2)
        .collect();
    let spread = (moves.iter().map(|m| m * m).sum::<f64>() / 400.0).sqrt();
    // Clipped at 0, which is 1.6 deviations away.
    assert!((0.09..0.14).contains(&spread), "{spread}");
}

#[test]
fn beliefs_carry_their_objective_and_confidence() {
    let problem = valleys();
    let qualities = [ExpertQuality::Overconfident, ExpertQuality::Bad];
    let beliefs = expert_beliefs(&problem, &qualities, 3000, 0.75, &mut rng(3)).expect("finite");
    assert_eq!(
        beliefs.iter().map(Belief::objective).collect::<Vec<_>>(),
        [0, 1]
    );
    let density = |objective: usize| {
        let belief = beliefs.get(objective).expect("one each");
        belief.ln_density(&belief.mode())
    };
    // Two normals at bounds: ln density at the mode is −2·ln(σ·√(2π)/2) at a corner.
    let corner = |sd: f64| -2.0 * (sd * (2.0 * std::f64::consts::PI).sqrt() / 2.0).ln();
    assert!((density(0) - corner(0.01)).abs() < 1.0, "{}", density(0));
    assert!(density(1) < corner(0.25) + 0.1, "{}", density(1));
    let again = expert_beliefs(&problem, &qualities, 3000, 0.75, &mut rng(3)).expect("finite");
    assert_eq!(beliefs, again);
}

#[test]
fn failures_are_skipped_and_nothing_but_failures_is_an_error() {
    let left = |candidate: &Candidate| candidate.point.coords()[0] < 0.5;
    let problem = Failing::inside(valleys(), left);
    let sample = ExpertSample::draw(&problem, 2000, &mut rng(4)).expect("half succeed");
    for quality in [ExpertQuality::Good, ExpertQuality::Bad] {
        let centre = sample.centre(0, quality, &mut rng(5));
        assert!(centre.number("x1").expect("active") > 0.45, "{centre:?}");
    }
    let problem = Failing::inside(valleys(), |_| true);
    let error = ExpertSample::draw(&problem, 7, &mut rng(6)).expect_err("all fail");
    assert_eq!(
        error.to_string(),
        "none of 7 configurations has a value of objective 0 to believe in"
    );
    assert!(ExpertSample::draw(&valleys(), 0, &mut rng(7)).is_err());
}

#[test]
fn confidences_are_checked() {
    let sample = ExpertSample::draw(&valleys(), 10, &mut rng(8)).expect("finite");
    for confidence in [0.0, 1.0, f64::NAN] {
        let qualities = [ExpertQuality::Good; 2];
        assert!(sample.beliefs(&qualities, confidence, &mut rng(9)).is_err());
    }
}

/// A conditional space; the best is learner `b` with a large depth, the worst learner `a`.
struct Conditional {
    space: SearchSpace,
    objectives: Objectives,
}

impl Conditional {
    fn new() -> Self {
        let space = SearchSpace::builder()
            .param("learner", Domain::categorical(["a", "b", "c"]))
            .param("rate", Domain::log_real(1e-3, 1.0))
            .param("depth", Domain::integer(1, 20))
            .when("learner", ["b"])
            .build()
            .expect("valid");
        Self {
            space,
            objectives: Objectives::minimize_all(1),
        }
    }
}

impl Problem for Conditional {
    fn name(&self) -> &str {
        "conditional"
    }

    fn space(&self) -> &SearchSpace {
        &self.space
    }

    fn objectives(&self) -> &Objectives {
        &self.objectives
    }

    fn evaluate(&self, candidate: &Candidate, _: &mut dyn Rng) -> Result<Outcome, ProblemError> {
        let config = self.space.decode(&candidate.point);
        let cost = match (config.text("learner"), config.integer("depth")) {
            (Some("a"), _) => 10.0,
            (_, Some(depth)) => -(depth as f64),
            _ => 5.0,
        };
        Ok(Outcome::Complete(Costs::from_values(vec![cost])?))
    }

    fn noise_free(&self, candidate: &Candidate) -> Option<Outcome> {
        self.evaluate(candidate, &mut rng(0)).ok()
    }

    fn reference_point(&self) -> Known<&[f64]> {
        Known::new(&[10.0], Provenance::Analytic)
    }
}

#[test]
fn only_active_parameters_get_a_centre_and_categories_stay() {
    let sample = ExpertSample::draw(&Conditional::new(), 1000, &mut rng(10)).expect("finite");
    for seed in 0..50 {
        let centre = sample.centre(0, ExpertQuality::Medium, &mut rng(seed));
        assert_eq!(centre.text("learner"), Some("b"));
        assert!(centre.integer("depth").expect("active") > 8, "{centre:?}");
    }
    let bad = sample.centre(0, ExpertQuality::Bad, &mut rng(0));
    assert_eq!(bad.text("learner"), Some("a"));
    assert_eq!(bad.len(), 2);
    let beliefs = sample
        .beliefs(&[ExpertQuality::Bad], 0.75, &mut rng(0))
        .expect("valid");
    assert_eq!(beliefs.len(), 1);
}
