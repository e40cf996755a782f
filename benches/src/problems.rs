//! The problems of the experiments: which family, how much meta-data, which target tasks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context as _, anyhow};
use warmfront_core::{Candidate, MetaDataset, Purpose, Seed};
use warmfront_problems::{
    Design, FrontBudget, HardHartmann, HartmannFamily, HpobenchXgb, HpobenchXgbConfig, Problem,
    Sinusoidal, TaskFamily, Terrain, YahpoFamily, YahpoFiles, approximate_front, design_points,
};

use crate::cell::fnv1a;
use crate::data::DataFolder;
use crate::score::hypervolume;

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
    /// Number of meta-tasks.
    pub meta_tasks: usize,
    /// Observations of each meta-task.
    pub per_task: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sinusoidal,
    Hartmann { objectives: usize },
    HardHartmann,
    Terrain,
    Lcbench,
    Xgb,
}

/// Target instances of LCBench: the three of YAHPO's multi-objective suite, and three more that are
/// spread over the rest.
const LCBENCH_TARGETS: [&str; 6] = ["167152", "167185", "189873", "3945", "126026", "189906"];
pub(crate) const LCBENCH: &str = "yahpo/lcbench";
const STATISTICS: &str = "yahpo/global_statistics/instance_target_statistics.csv";
pub(crate) const XGB: &str = "hpobench-xgb";
/// Target tables of HPOBench-XGB: the first of the authors' test tasks.
const XGB_TARGETS: usize = 6;

const fn scaling(name: &'static str, meta_tasks: usize) -> ProblemSpec {
    ProblemSpec {
        name,
        title: name,
        text: "Two-objective Hartmann family, 64 observations of each meta-task; measures time.",
        version: 1,
        meta_tasks,
        per_task: 64,
        kind: Kind::Hartmann { objectives: 2 },
    }
}

/// All problems that an experiment may name.
pub const PROBLEMS: &[ProblemSpec] = &[
    ProblemSpec {
        name: "sinusoidal",
        title: "Sinusoidal",
        text: "One input, two phase-shifted sinusoids per task; amplitude, frequency and phase vary \
               between tasks. Noise 0.05; 8 meta-tasks of 16 observations.",
        version: 1,
        meta_tasks: 8,
        per_task: 16,
        kind: Kind::Sinusoidal,
    },
    ProblemSpec {
        name: "hartmann-2",
        title: "Hartmann, 2 objectives",
        text: "Six inputs; the objectives are the Hartmann function at slightly shifted inputs, and \
               the tasks differ by little in the depths of its wells. Noise 0.1; 8 meta-tasks of \
               128 observations.",
        version: 1,
        meta_tasks: 8,
        per_task: 128,
        kind: Kind::Hartmann { objectives: 2 },
    },
    ProblemSpec {
        name: "hartmann-4",
        title: "Hartmann, 4 objectives",
        text: "As with 2 objectives, with shifts of 0, 0.1, 0.2 and 0.3.",
        version: 1,
        meta_tasks: 8,
        per_task: 128,
        kind: Kind::Hartmann { objectives: 4 },
    },
    ProblemSpec {
        name: "hartmann-6",
        title: "Hartmann, 6 objectives",
        text: "As with 2 objectives, with shifts up to 0.5; proposals maximise a random \
               scalarisation (ParEGO).",
        version: 1,
        meta_tasks: 8,
        per_task: 128,
        kind: Kind::Hartmann { objectives: 6 },
    },
    ProblemSpec {
        name: "hard-hartmann",
        title: "Harder Hartmann, 2 objectives",
        text: "Tasks that really differ: the wells' depths are permuted and the inputs moved \
               (median correlation between two tasks 0.59). Noise 0.1; 8 meta-tasks of 128 \
               observations.",
        version: 1,
        meta_tasks: 8,
        per_task: 128,
        kind: Kind::HardHartmann,
    },
    ProblemSpec {
        name: "terrain",
        title: "Terrain",
        text: "Three waypoints of a path over random hills; length against accumulated climb. \
               Every task is another landscape. 8 meta-tasks of 128 observations.",
        version: 1,
        meta_tasks: 8,
        per_task: 128,
        kind: Kind::Terrain,
    },
    ProblemSpec {
        name: "lcbench",
        title: "LCBench",
        text: "Seven hyper-parameters of a neural network; 1 − validation accuracy against the \
               logarithm of training time, by the YAHPO surrogate. Six target data sets; the other \
               33 are meta-tasks of 64 observations each.",
        version: 1,
        meta_tasks: 33,
        per_task: 64,
        kind: Kind::Lcbench,
    },
    ProblemSpec {
        name: "hpobench-xgb",
        title: "HPOBench-XGB, 1 objective",
        text: "Tables of XGBoost configurations, one objective (the case of ScaML-GP). Six target \
               tables; 20 other tables are meta-tasks of 64 observations each. With one objective \
               SMOG and Ind.-ScaML-GP are the same method. Regrets below 0.1 % count as 0.1 %: the \
               best row of a table can be hit exactly.",
        version: 1,
        meta_tasks: 20,
        per_task: 64,
        kind: Kind::Xgb,
    },
    scaling("scaling-2", 2),
    scaling("scaling-4", 4),
    scaling("scaling-8", 8),
    scaling("scaling-16", 16),
    scaling("scaling-32", 32),
    scaling("scaling-64", 64),
];

impl ProblemSpec {
    /// The problem with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        PROBLEMS.iter().find(|p| p.name == name)
    }

    /// Number of target tasks; families that are drawn anew for each seed have one.
    #[must_use]
    pub fn tasks(&self) -> u32 {
        match self.kind {
            Kind::Lcbench => LCBENCH_TARGETS.len() as u32,
            Kind::Xgb => XGB_TARGETS as u32,
            _ => 1,
        }
    }

    /// Number of objectives.
    #[must_use]
    pub fn objectives(&self) -> u32 {
        match self.kind {
            Kind::Hartmann { objectives } => objectives as u32,
            Kind::Xgb => 1,
            Kind::Sinusoidal | Kind::HardHartmann | Kind::Terrain | Kind::Lcbench => 2,
        }
    }

    /// The part of the data folder that it needs.
    #[must_use]
    pub fn data(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Lcbench => Some(LCBENCH),
            Kind::Xgb => Some(XGB),
            _ => None,
        }
    }

    /// Whether published ranges are missing, so that the reference point comes from a sample.
    #[must_use]
    pub fn samples_reference(&self, data: &DataFolder) -> bool {
        self.kind == Kind::Lcbench && !data.has(STATISTICS)
    }

    /// Whether each seed draws its own tasks.
    fn drawn(&self) -> bool {
        self.data().is_none()
    }
}

/// A target task with everything that methods share: meta-data, seed, and how it is scored.
pub struct Arena {
    /// The target.
    pub problem: Box<dyn Problem>,
    /// Observations of the other tasks.
    pub metadata: MetaDataset,
    /// Upper bound in cost space below which hypervolume counts, for scores and proposals alike.
    pub reference: Vec<f64>,
    /// The best hypervolume that a long search found without noise.
    pub optimum: f64,
    /// Streams of this replicate.
    pub seed: Seed,
}

/// Makes arenas, each once, whichever thread asks first.
pub struct Arenas {
    data: Option<DataFolder>,
    base: Seed,
    lcbench: OnceLock<Result<YahpoFamily, String>>,
    xgb: OnceLock<Result<HpobenchXgb, String>>,
    arenas: Slots<(&'static str, u32, u32), Arc<Arena>>,
    /// Optima of targets that are the same for every seed.
    optima: Slots<(&'static str, u32), f64>,
}

/// Values made once; a failure is kept as its text.
pub(crate) type Slots<K, V> = Mutex<HashMap<K, Arc<OnceLock<Result<V, String>>>>>;

/// The value of a key, made by whichever thread asks first.
pub(crate) fn slot<K: std::hash::Hash + Eq, V: Clone>(
    slots: &Slots<K, V>,
    key: K,
    make: impl FnOnce() -> anyhow::Result<V>,
) -> anyhow::Result<V> {
    let slot = {
        let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(key).or_default())
    };
    slot.get_or_init(|| make().map_err(|error| format!("{error:#}")))
        .clone()
        .map_err(|text| anyhow!(text))
}

impl Arenas {
    /// Arenas that derive from one base seed.
    #[must_use]
    pub fn new(data: Option<DataFolder>, base: u64) -> Self {
        Self {
            data,
            base: Seed(base),
            lcbench: OnceLock::new(),
            xgb: OnceLock::new(),
            arenas: Slots::default(),
            optima: Slots::default(),
        }
    }

    /// The data folder, if one was given.
    #[must_use]
    pub fn data(&self) -> Option<&DataFolder> {
        self.data.as_ref()
    }

    /// Reads and checks the data that `spec` needs, so that a damaged file stops a run at its start.
    ///
    /// # Errors
    /// If a file cannot be read or is not what it should be.
    pub fn check(&self, spec: &ProblemSpec) -> anyhow::Result<()> {
        match spec.kind {
            Kind::Lcbench => self.lcbench().map(|_| ()),
            Kind::Xgb => self.xgb().map(|_| ()),
            _ => Ok(()),
        }
        .with_context(|| format!("cannot set up the problem `{}`", spec.name))
    }

    /// The arena of a target task and a replicate.
    ///
    /// # Errors
    /// If the data cannot be read.
    pub fn get(
        &self,
        spec: &'static ProblemSpec,
        task: u32,
        seed: u32,
    ) -> anyhow::Result<Arc<Arena>> {
        slot(&self.arenas, (spec.name, task, seed), || {
            self.make(spec, task, seed).map(Arc::new)
        })
    }

    fn make(&self, spec: &'static ProblemSpec, task: u32, seed: u32) -> anyhow::Result<Arena> {
        let problem_seed = self.base.child(fnv1a(spec.name.as_bytes()));
        let seed = problem_seed.child(u64::from(seed));
        let family_seed = seed.child(1);
        let mut rng = seed.child(2).stream(Purpose::Init, 0);
        let synthetic: Box<dyn TaskFamily> = match spec.kind {
            Kind::Sinusoidal => Box::new(Sinusoidal::new(2, family_seed)),
            Kind::Hartmann { objectives } => Box::new(HartmannFamily::new(objectives, family_seed)),
            Kind::HardHartmann => Box::new(HardHartmann::new(2, family_seed)),
            Kind::Terrain => Box::new(Terrain::new(family_seed)),
            Kind::Lcbench => Box::new(self.lcbench()?.clone()),
            Kind::Xgb => Box::new(self.xgb()?.clone()),
        };
        let (target, others): (usize, Vec<usize>) = match spec.kind {
            Kind::Lcbench => {
                let family = self.lcbench()?;
                let name = LCBENCH_TARGETS[task as usize % LCBENCH_TARGETS.len()];
                let target = family
                    .index_of(name)
                    .with_context(|| format!("LCBench has no instance {name}"))?;
                let all = 0..family.scenario().instances().len();
                (
                    target,
                    all.filter(|i| *i != target).take(spec.meta_tasks).collect(),
                )
            }
            Kind::Xgb => {
                let target = HpobenchXgb::TEST.start + task as usize % XGB_TARGETS;
                (target, HpobenchXgb::TRAIN.take(spec.meta_tasks).collect())
            }
            _ => (0, (1..=spec.meta_tasks).collect()),
        };
        let problem = synthetic.task(target);
        let metadata = synthetic.metadata(&others, spec.per_task, &mut rng);
        let (reference, optimum) = if spec.drawn() {
            let reference = worst_of_sample(&*problem)?;
            let optimum = best_hypervolume(&*problem, &reference);
            (reference, optimum)
        } else {
            let reference = problem.reference_point().value.to_vec();
            let search = || Ok(best_hypervolume(&*problem, &reference));
            let optimum = slot(&self.optima, (spec.name, task), search)?;
            (reference, optimum)
        };
        Ok(Arena {
            problem,
            metadata,
            reference,
            optimum,
            seed,
        })
    }

    fn folder(&self) -> anyhow::Result<&DataFolder> {
        self.data
            .as_ref()
            .context("no data folder was given (--data DIR)")
    }

    fn lcbench(&self) -> anyhow::Result<&YahpoFamily> {
        let make = || -> anyhow::Result<YahpoFamily> {
            let data = self.folder()?;
            YahpoFamily::lcbench(yahpo_files(data, LCBENCH)?)
                .with_context(|| format!("{} is damaged", data.root().join(LCBENCH).display()))
        };
        kept(&self.lcbench, make)
    }

    fn xgb(&self) -> anyhow::Result<&HpobenchXgb> {
        let make = || -> anyhow::Result<HpobenchXgb> {
            let data = self.folder()?;
            let names = data.list(XGB, "npy")?;
            // Tables are told apart by their order alone: with one more or less, others would be
            // the targets.
            let needed = HpobenchXgb::TEST.end;
            anyhow::ensure!(
                names.len() == needed,
                "{} holds {} tables (.npy), expected exactly {needed}",
                data.root().join(XGB).display(),
                names.len()
            );
            let tables = names
                .iter()
                .map(|name| data.read(name))
                .collect::<anyhow::Result<Vec<_>>>()?;
            HpobenchXgb::from_npy(&tables, HpobenchXgbConfig::default())
                .with_context(|| format!("{} is damaged", data.root().join(XGB).display()))
        };
        kept(&self.xgb, make)
    }
}

/// The files of a YAHPO scenario.
pub(crate) fn yahpo_files(data: &DataFolder, folder: &str) -> anyhow::Result<YahpoFiles> {
    let read = |name: &str| data.read(&format!("{folder}/{name}"));
    Ok(YahpoFiles {
        model: read("model.onnx")?,
        config_space: read("config_space.json")?,
        encoding: read("encoding.json")?,
        statistics: data
            .has(STATISTICS)
            .then(|| data.read(STATISTICS))
            .transpose()?,
    })
}

/// As [`slot`], for a single value.
pub(crate) fn kept<T>(
    slot: &OnceLock<Result<T, String>>,
    make: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<&T> {
    slot.get_or_init(|| make().map_err(|error| format!("{error:#}")))
        .as_ref()
        .map_err(|text| anyhow!(text.clone()))
}

/// Worst noise-free values of a dense sample and a tenth of their range.
///
/// The problems' own reference points lie close behind the front; in six dimensions less than one
/// point in two hundred beats them, so that scores would say nothing about the first evaluations.
fn worst_of_sample(problem: &dyn Problem) -> anyhow::Result<Vec<f64>> {
    let mut rng = Seed(0x7265_6665_7265_6e63).stream(Purpose::Init, 0);
    let points = design_points(problem.space(), 4096, Design::Sobol, &mut rng);
    let candidates: Vec<Candidate> = points.into_iter().map(Candidate::at).collect();
    let costs: Vec<Vec<f64>> = problem
        .noise_free_batch(&candidates)
        .into_iter()
        .filter_map(|outcome| outcome?.costs()?.complete())
        .collect();
    anyhow::ensure!(
        !costs.is_empty(),
        "no point of `{}` has a noise-free value",
        problem.name()
    );
    let end = |o: usize, start: f64, pick: fn(f64, f64) -> f64| {
        costs.iter().map(|c| c[o]).fold(start, pick)
    };
    let reference = |o: usize| {
        let worst = end(o, f64::NEG_INFINITY, f64::max);
        worst + 0.1 * (worst - end(o, f64::INFINITY, f64::min))
    };
    Ok((0..problem.objectives().len()).map(reference).collect())
}

/// Hypervolume of the noise-free front that a long evolutionary search finds.
fn best_hypervolume(problem: &dyn Problem, reference: &[f64]) -> f64 {
    let objectives = problem.objectives().len();
    let budget = FrontBudget {
        // Exact hypervolume of many objectives grows steeply with the number of points.
        archive: if objectives > 4 { 150 } else { 400 },
        ..FrontBudget::default()
    };
    searched_hypervolume(problem, reference, &budget)
}

/// The same with another length of the search.
pub(crate) fn searched_hypervolume(
    problem: &dyn Problem,
    reference: &[f64],
    budget: &FrontBudget,
) -> f64 {
    let front = approximate_front(problem, budget, Seed(0x6672_6f6e_7400_0000));
    hypervolume(&front.costs, reference)
}
