//! The problems with a cheap fidelity, and what experts believe about them.

use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, anyhow};
use warmfront_core::{Belief, Beliefs, Purpose, Seed};
use warmfront_problems::{
    ExpertQuality, ExpertSample, FrontBudget, MfHartmann, MfHartmannKind, MfZdt, MomfBraninCurrin,
    MomfPark, Problem, WineTuning, YahpoFamily, YahpoProblem,
};

use super::priors::{CONFIDENCE, published};
use crate::cell::fnv1a;
use crate::data::DataFolder;
use crate::problems::{LCBENCH, Slots, kept, searched_hypervolume, slot, yahpo_files};

/// One problem of an experiment.
#[derive(Debug, Clone, Copy)]
pub struct ProblemSpec {
    /// Short name, as on the command line.
    pub name: &'static str,
    /// Title in the report.
    pub title: &'static str,
    /// What it is, for a reader of the report.
    pub text: &'static str,
    /// Raised when a change makes earlier results incomparable.
    pub version: u32,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Lcbench { task: &'static str, time: f64 },
    Xgboost { task: &'static str },
    BraninCurrin,
    Park,
    Zdt1,
    Zdt6,
    Wine,
    Hartmann { dim: usize },
}

const XGBOOST: &str = "yahpo/rbv2_xgboost";
/// Objectives of the published experiments on LCBench.
const LCBENCH_OBJECTIVES: [&str; 2] = ["val_cross_entropy", "time"];

const fn problem(
    name: &'static str,
    title: &'static str,
    kind: Kind,
    text: &'static str,
) -> ProblemSpec {
    ProblemSpec {
        name,
        title,
        text,
        version: 1,
        kind,
    }
}

const fn lcbench(
    name: &'static str,
    title: &'static str,
    task: &'static str,
    time: f64,
) -> ProblemSpec {
    let text = "Seven hyper-parameters of a neural network; validation cross-entropy against training \
                time, by the YAHPO surrogate; 1 to 52 epochs. Reference point and prior centres as \
                published.";
    problem(name, title, Kind::Lcbench { task, time }, text)
}

const fn xgboost(name: &'static str, title: &'static str, task: &'static str) -> ProblemSpec {
    let text = "XGBoost: mixed and conditional hyper-parameters; accuracy against memory, by the YAHPO \
                surrogate; 3 % to all of the training data.";
    problem(name, title, Kind::Xgboost { task }, text)
}

/// All problems that an experiment may name.
pub const PROBLEMS: &[ProblemSpec] = &[
    lcbench("lcbench-126026", "LCBench 126026", "126026", 150.0),
    lcbench("lcbench-146212", "LCBench 146212", "146212", 150.0),
    lcbench("lcbench-168330", "LCBench 168330", "168330", 5000.0),
    lcbench("lcbench-168868", "LCBench 168868", "168868", 200.0),
    xgboost("rbv2-xgboost-12", "XGBoost 12", "12"),
    xgboost("rbv2-xgboost-28", "XGBoost 28", "28"),
    problem(
        "branin-currin",
        "MOMF Branin–Currin",
        Kind::BraninCurrin,
        "Two inputs; both functions minimised, as in the PriMO experiments; budgets 1 to 100.",
    ),
    problem(
        "park",
        "MOMF Park",
        Kind::Park,
        "Four inputs; both functions minimised, as in the PriMO experiments; budgets 1 to 100.",
    ),
    problem(
        "zdt1",
        "MF-ZDT1",
        Kind::Zdt1,
        "Thirty inputs; budgets 1 to 100 shift both objectives.",
    ),
    problem(
        "zdt6",
        "MF-ZDT6",
        Kind::Zdt6,
        "Ten inputs; budgets 1 to 100 shift both objectives.",
    ),
    problem(
        "wine",
        "Wine quality, live",
        Kind::Wine,
        "A small network or boosted trees are really trained to predict the scores of wines: validation \
         error against the operations of a prediction; log scales, a category and conditions; the budget \
         is training. The best of all runs stands for the best possible.",
    ),
    problem(
        "mf-hartmann3",
        "MF-Hartmann 3, 1 objective",
        Kind::Hartmann { dim: 3 },
        "Three inputs, one objective; small budgets are biased and noisy (the kind called good).",
    ),
    problem(
        "mf-hartmann6",
        "MF-Hartmann 6, 1 objective",
        Kind::Hartmann { dim: 6 },
        "Six inputs, one objective; small budgets are biased and noisy (the kind called good).",
    ),
];

impl ProblemSpec {
    /// The problem with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        PROBLEMS.iter().find(|p| p.name == name)
    }

    /// Number of objectives.
    #[must_use]
    pub fn objectives(&self) -> u32 {
        match self.kind {
            Kind::Hartmann { .. } => 1,
            _ => 2,
        }
    }

    /// The part of the data folder that it needs.
    #[must_use]
    pub fn data(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Lcbench { .. } => Some(LCBENCH),
            Kind::Xgboost { .. } => Some(XGBOOST),
            _ => None,
        }
    }

    /// Uniform configurations of which the made-up experts know the best and the worst.
    fn expert_samples(&self) -> usize {
        match self.kind {
            Kind::Wine => 40,
            Kind::Xgboost { .. } => 20_000,
            _ => 100_000,
        }
    }

    /// How long to search for the best hypervolume; `None` where evaluations take real time, so that
    /// the best that any run reached must do.
    fn search(&self) -> Option<FrontBudget> {
        match self.kind {
            Kind::Wine => None,
            Kind::Lcbench { .. } | Kind::Xgboost { .. } => Some(FrontBudget {
                population: 80,
                generations: 80,
                ..FrontBudget::default()
            }),
            _ => Some(FrontBudget::default()),
        }
    }
}

/// A problem with how it is scored; the same for every seed.
pub struct Stage {
    /// The problem.
    pub problem: Arc<dyn Problem>,
    /// Upper bound in cost space below which hypervolume counts, for scores and proposals alike.
    pub reference: Vec<f64>,
    /// The best hypervolume that a search found; 0 where there was none.
    pub optimum: f64,
}

/// Makes stages and beliefs, each once, whichever thread asks first.
pub struct Stages {
    data: Option<DataFolder>,
    lcbench: OnceLock<Result<YahpoFamily, String>>,
    xgboost: OnceLock<Result<YahpoFamily, String>>,
    stages: Slots<&'static str, Arc<Stage>>,
    experts: Slots<&'static str, Arc<ExpertSample>>,
}

/// Split, first weights and orders of the live problem.
const WINE: Seed = Seed(1);
/// What experts happen to have seen does not depend on the base seed of a run.
const EXPERTS: Seed = Seed(0x6578_7065_7274_7300);

impl Stages {
    /// Stages with or without published data.
    #[must_use]
    pub fn new(data: Option<DataFolder>) -> Self {
        Self {
            data,
            lcbench: OnceLock::new(),
            xgboost: OnceLock::new(),
            stages: Slots::default(),
            experts: Slots::default(),
        }
    }

    /// The data folder, if one was given.
    #[must_use]
    pub fn data(&self) -> Option<&DataFolder> {
        self.data.as_ref()
    }

    /// Reads and checks the data that `spec` needs.
    ///
    /// # Errors
    /// If a file cannot be read or is not what it should be.
    pub fn check(&self, spec: &ProblemSpec) -> anyhow::Result<()> {
        match spec.kind {
            Kind::Lcbench { .. } => self.lcbench().map(|_| ()),
            Kind::Xgboost { .. } => self.xgboost().map(|_| ()),
            _ => Ok(()),
        }
        .with_context(|| format!("cannot set up the problem `{}`", spec.name))
    }

    /// The problem and its score.
    ///
    /// # Errors
    /// If the data cannot be read.
    pub fn get(&self, spec: &'static ProblemSpec) -> anyhow::Result<Arc<Stage>> {
        slot(&self.stages, spec.name, || {
            let problem = self.problem(spec)?;
            let reference = match spec.kind {
                Kind::Lcbench { time, .. } => vec![1.0, time],
                _ => problem.reference_point().value.to_vec(),
            };
            let optimum = spec.search().map_or(0.0, |budget| {
                searched_hypervolume(&*problem, &reference, &budget)
            });
            Ok(Arc::new(Stage {
                problem,
                reference,
                optimum,
            }))
        })
    }

    /// What experts of these qualities believe.
    ///
    /// # Errors
    /// If the data cannot be read or nothing can be believed.
    pub fn beliefs(
        &self,
        spec: &'static ProblemSpec,
        qualities: &[ExpertQuality],
    ) -> anyhow::Result<Beliefs> {
        if let Kind::Lcbench { task, .. } = spec.kind {
            let family = self.lcbench()?;
            return published(
                task,
                family.scenario().space(),
                &LCBENCH_OBJECTIVES,
                qualities,
            );
        }
        let seed = EXPERTS.child(fnv1a(spec.name.as_bytes()));
        let sample = slot(&self.experts, spec.name, || {
            let mut rng = seed.stream(Purpose::Init, 0);
            let problem = self.problem(spec)?;
            let sample = ExpertSample::draw(&*problem, spec.expert_samples(), &mut rng)?;
            Ok(Arc::new(sample))
        })?;
        let stage = self.problem(spec)?;
        let beliefs = qualities.iter().enumerate().map(|(objective, quality)| {
            // Streams of their own: the same step from the best point whatever the others know.
            let mut rng = seed.stream(Purpose::Init, 1 + objective as u64);
            let centre = sample.centre(objective, *quality, &mut rng);
            let confidence = match quality {
                ExpertQuality::Overconfident => ExpertQuality::OVERCONFIDENCE,
                _ => CONFIDENCE,
            };
            Belief::new(stage.space(), objective, &centre, confidence)
        });
        let beliefs = beliefs.collect::<Result<Vec<_>, _>>()?;
        Ok(Beliefs::new(qualities.len(), beliefs)?)
    }

    fn problem(&self, spec: &ProblemSpec) -> anyhow::Result<Arc<dyn Problem>> {
        Ok(match spec.kind {
            Kind::Lcbench { task, .. } => instance(self.lcbench()?, task, &LCBENCH_OBJECTIVES)?,
            Kind::Xgboost { task } => instance(self.xgboost()?, task, &["acc", "memory"])?,
            Kind::BraninCurrin => Arc::new(MomfBraninCurrin::inverted()),
            Kind::Park => Arc::new(MomfPark::inverted()),
            Kind::Zdt1 => Arc::new(MfZdt::zdt1(30)),
            Kind::Zdt6 => Arc::new(MfZdt::zdt6(10)),
            Kind::Wine => Arc::new(WineTuning::new(WINE)),
            Kind::Hartmann { dim } => Arc::new(MfHartmann::new(dim, MfHartmannKind::Good)),
        })
    }

    fn folder(&self) -> anyhow::Result<&DataFolder> {
        self.data
            .as_ref()
            .context("no data folder was given (--data DIR)")
    }

    fn lcbench(&self) -> anyhow::Result<&YahpoFamily> {
        kept(&self.lcbench, || {
            let data = self.folder()?;
            YahpoFamily::lcbench(yahpo_files(data, LCBENCH)?)
                .with_context(|| format!("{} is damaged", data.root().join(LCBENCH).display()))
        })
    }

    fn xgboost(&self) -> anyhow::Result<&YahpoFamily> {
        kept(&self.xgboost, || {
            let data = self.folder()?;
            YahpoFamily::rbv2_xgboost(yahpo_files(data, XGBOOST)?)
                .with_context(|| format!("{} is damaged", data.root().join(XGBOOST).display()))
        })
    }
}

fn instance(
    family: &YahpoFamily,
    task: &str,
    objectives: &[&str],
) -> anyhow::Result<Arc<dyn Problem>> {
    let scenario = Arc::clone(family.scenario());
    YahpoProblem::new(scenario, task, objectives)
        .map(|problem| Arc::new(problem) as Arc<dyn Problem>)
        .map_err(|error| anyhow!(error))
}
