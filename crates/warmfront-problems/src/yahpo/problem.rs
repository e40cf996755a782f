//! Instances of a scenario as problems and as a family.

use std::sync::{Arc, OnceLock};

use rand::Rng;
use warmfront_core::{
    Candidate, Config, Direction, Fidelity, Objective, Objectives, Outcome, SearchSpace,
};

use super::layout::YahpoLayout;
use super::scenario::{YahpoFiles, YahpoScenario};
use crate::family::REFERENCE_METHOD;
use crate::sample::reference_from_sample;
use crate::{Known, Problem, ProblemError, Provenance, TaskFamily};

const SAMPLE: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transform {
    Identity,
    Log,
    Complement,
}

/// An objective computed from one output.
#[derive(Debug, Clone, Copy)]
struct Target {
    output: usize,
    transform: Transform,
    scale: f64,
    direction: Direction,
}

impl Target {
    /// Reads `name`, `log_name` or `1-name`.
    fn parse(text: &str, layout: &YahpoLayout) -> Result<Self, ProblemError> {
        let find = |name: &str| layout.outputs.iter().position(|output| output.name == name);
        let transforms = [
            ("", Transform::Identity),
            ("log_", Transform::Log),
            ("1-", Transform::Complement),
        ];
        for (prefix, transform) in transforms {
            let Some(output) = text.strip_prefix(prefix).and_then(find) else {
                continue;
            };
            let known = layout.outputs[output];
            let direction = match (transform, known.direction) {
                (Transform::Complement, Direction::Maximize) => Direction::Minimize,
                (Transform::Complement, Direction::Minimize) => Direction::Maximize,
                (_, direction) => direction,
            };
            return Ok(Self {
                output,
                transform,
                scale: known.scale,
                direction,
            });
        }
        let known = layout.outputs.iter().map(|output| output.name).collect();
        Err(ProblemError::UnknownOutput {
            name: text.to_owned(),
            known,
        })
    }

    fn apply(&self, value: f64) -> f64 {
        match self.transform {
            Transform::Identity => value,
            Transform::Log => value.ln(),
            Transform::Complement => 1.0 - value / self.scale,
        }
    }

    /// The worst cost that the statistics know.
    fn worst_cost(&self, scenario: &YahpoScenario, instance: &str) -> Option<f64> {
        let name = scenario.layout().outputs[self.output].name;
        let (low, high) = scenario.range(instance, name)?;
        let costs = [low, high].map(|value| match self.direction {
            Direction::Minimize => self.apply(value),
            Direction::Maximize => -self.apply(value),
        });
        let worst = costs[0].max(costs[1]);
        worst.is_finite().then_some(worst)
    }
}

/// One instance of a scenario.
///
/// The candidate's fidelity is the share of the largest budget; without one the budget is the
/// largest. The reference point, unless given, is the worst value in the scenario's statistics, or
/// comes from a dense sample where there are none.
#[derive(Debug)]
pub struct YahpoProblem {
    scenario: Arc<YahpoScenario>,
    instance: String,
    name: String,
    targets: Vec<Target>,
    objectives: Objectives,
    reference: OnceLock<Vec<f64>>,
    provenance: Provenance,
}

impl YahpoProblem {
    /// The problem of one instance with these objectives: each the name of an output, `log_name`
    /// for its natural logarithm, or `1-name` for one minus its share of the perfect value.
    ///
    /// # Errors
    /// If the instance or an output does not exist, or an objective is named twice.
    pub fn new(
        scenario: Arc<YahpoScenario>,
        instance: &str,
        objectives: &[&str],
    ) -> Result<Self, ProblemError> {
        if !scenario.instances().iter().any(|known| known == instance) {
            let instances = scenario.instances().len();
            return Err(ProblemError::UnknownInstance {
                name: instance.to_owned(),
                instances,
            });
        }
        let targets: Vec<Target> = objectives
            .iter()
            .map(|name| Target::parse(name, scenario.layout()))
            .collect::<Result<_, _>>()?;
        let named = objectives
            .iter()
            .zip(&targets)
            .map(|(&name, target)| Objective {
                name: name.into(),
                direction: target.direction,
            });
        let objectives = Objectives::new(named)?;
        let reported: Option<Vec<f64>> = targets
            .iter()
            .map(|target| target.worst_cost(&scenario, instance))
            .collect();
        Ok(Self {
            name: format!("{}_{instance}", scenario.layout().name),
            instance: instance.to_owned(),
            targets,
            objectives,
            provenance: match &reported {
                Some(_) => Provenance::Reported {
                    source: "worst values in YAHPO Gym's global statistics",
                },
                None => Provenance::Approximated {
                    method: REFERENCE_METHOD,
                },
            },
            reference: reported.map_or_else(OnceLock::new, OnceLock::from),
            scenario,
        })
    }

    /// The same problem with this reference point, upper bounds in cost space.
    ///
    /// # Panics
    /// If there is not one number per objective.
    #[must_use]
    #[track_caller]
    pub fn with_reference(self, reference: Known<Vec<f64>>) -> Self {
        assert_eq!(
            reference.value.len(),
            self.objectives.len(),
            "one bound per objective"
        );
        Self {
            reference: OnceLock::from(reference.value),
            provenance: reference.provenance,
            ..self
        }
    }

    /// The instance.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// The scenario.
    #[must_use]
    pub fn scenario(&self) -> &Arc<YahpoScenario> {
        &self.scenario
    }

    fn config(&self, candidate: &Candidate) -> Config {
        let space = self.scenario.space();
        let range = space.fidelity();
        let budget = candidate
            .fidelity
            .and_then(|fidelity| Some(range?.budget(fidelity)));
        self.scenario
            .complete(space.decode(&candidate.point), &self.instance, budget)
    }

    fn outcomes(&self, candidates: &[Candidate]) -> Result<Vec<Outcome>, ProblemError> {
        let configs: Vec<Config> = candidates
            .iter()
            .map(|candidate| self.config(candidate))
            .collect();
        let outcome = |values: Vec<f64>| {
            let raw: Vec<f64> = self
                .targets
                .iter()
                .map(|target| target.apply(values[target.output]))
                .collect();
            match self.objectives.to_costs(&raw) {
                Ok(costs) => Outcome::Complete(costs),
                Err(error) => Outcome::failed(error.to_string()),
            }
        };
        Ok(self
            .scenario
            .predict(&configs)?
            .into_iter()
            .map(outcome)
            .collect())
    }
}

impl Problem for YahpoProblem {
    fn name(&self) -> &str {
        &self.name
    }

    fn space(&self) -> &SearchSpace {
        self.scenario.space()
    }

    fn objectives(&self) -> &Objectives {
        &self.objectives
    }

    fn evaluate(&self, candidate: &Candidate, rng: &mut dyn Rng) -> Result<Outcome, ProblemError> {
        let mut outcomes = self.evaluate_batch(std::slice::from_ref(candidate), rng)?;
        Ok(outcomes.pop().expect("one outcome per candidate"))
    }

    fn noise_free(&self, candidate: &Candidate) -> Option<Outcome> {
        self.outcomes(std::slice::from_ref(candidate)).ok()?.pop()
    }

    fn evaluate_batch(
        &self,
        candidates: &[Candidate],
        _: &mut dyn Rng,
    ) -> Result<Vec<Outcome>, ProblemError> {
        self.outcomes(candidates)
    }

    fn noise_free_batch(&self, candidates: &[Candidate]) -> Vec<Option<Outcome>> {
        match self.outcomes(candidates) {
            Ok(outcomes) => outcomes.into_iter().map(Some).collect(),
            Err(_) => vec![None; candidates.len()],
        }
    }

    /// The share of the largest budget that is really spent, after rounding to whole budgets.
    fn cost(&self, fidelity: Option<&Fidelity>) -> f64 {
        match (fidelity, self.scenario.space().fidelity()) {
            (Some(fidelity), Some(range)) => range.budget(*fidelity) / range.high(),
            _ => 1.0,
        }
    }

    fn reference_point(&self) -> Known<&[f64]> {
        // Not `get_or_init`: the runtime has a thread pool of its own, and a worker of another pool
        // that waits for it may be handed a job that asks for this same point, which would then wait
        // for itself. Computed twice, the point is the same.
        let reference = match self.reference.get() {
            Some(reference) => reference,
            None => {
                let computed = reference_from_sample(self, SAMPLE);
                self.reference.get_or_init(|| computed)
            }
        };
        Known::new(reference, self.provenance)
    }
}

/// The instances of a scenario as related tasks, in the order of the configuration space.
#[derive(Debug, Clone)]
pub struct YahpoFamily {
    scenario: Arc<YahpoScenario>,
    objectives: Vec<String>,
}

impl YahpoFamily {
    /// The family of a scenario with its layout's default objectives.
    #[must_use]
    pub fn new(scenario: Arc<YahpoScenario>) -> Self {
        let objectives = scenario
            .layout()
            .objectives
            .iter()
            .map(|&name| name.to_owned())
            .collect();
        Self {
            scenario,
            objectives,
        }
    }

    /// LCBench: 34 data sets, objectives `1-val_accuracy` and `log_time` at 52 epochs.
    ///
    /// # Errors
    /// As [`YahpoScenario::new`].
    pub fn lcbench(files: YahpoFiles) -> Result<Self, ProblemError> {
        Ok(Self::new(Arc::new(YahpoScenario::new(
            YahpoLayout::LCBENCH,
            files,
        )?)))
    }

    /// XGBoost on 119 data sets, objectives `acc` (maximised) and `memory`.
    ///
    /// # Errors
    /// As [`YahpoScenario::new`].
    pub fn rbv2_xgboost(files: YahpoFiles) -> Result<Self, ProblemError> {
        Ok(Self::new(Arc::new(YahpoScenario::new(
            YahpoLayout::RBV2_XGBOOST,
            files,
        )?)))
    }

    /// The same family with other objectives, named as in [`YahpoProblem::new`].
    ///
    /// # Errors
    /// As [`YahpoProblem::new`].
    pub fn with_objectives(self, objectives: &[&str]) -> Result<Self, ProblemError> {
        let first = &self.scenario.instances()[0];
        YahpoProblem::new(Arc::clone(&self.scenario), first, objectives)?;
        let objectives = objectives.iter().map(|&name| name.to_owned()).collect();
        Ok(Self { objectives, ..self })
    }

    /// The scenario.
    #[must_use]
    pub fn scenario(&self) -> &Arc<YahpoScenario> {
        &self.scenario
    }

    /// The index of an instance.
    #[must_use]
    pub fn index_of(&self, instance: &str) -> Option<usize> {
        self.scenario
            .instances()
            .iter()
            .position(|known| known == instance)
    }

    /// The problem of the instance with this index.
    ///
    /// # Panics
    /// If there is no such instance.
    #[must_use]
    #[track_caller]
    pub fn problem(&self, index: usize) -> YahpoProblem {
        let instances = self.scenario.instances();
        assert!(
            index < instances.len(),
            "task {index} of {}",
            instances.len()
        );
        let objectives: Vec<&str> = self.objectives.iter().map(String::as_str).collect();
        YahpoProblem::new(Arc::clone(&self.scenario), &instances[index], &objectives)
            .expect("instance and objectives were checked")
    }
}

impl TaskFamily for YahpoFamily {
    fn name(&self) -> &str {
        self.scenario.layout().name
    }

    fn len(&self) -> Option<usize> {
        Some(self.scenario.instances().len())
    }

    fn task(&self, index: usize) -> Box<dyn Problem> {
        Box::new(self.problem(index))
    }
}
