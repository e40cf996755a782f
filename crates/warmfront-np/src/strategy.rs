//! The strategy that serves a trained policy.

mod history;
mod log;
mod maximize;
mod scorer;

use std::borrow::Cow;
use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use rand::{Rng, RngExt};
use warmfront_core::{
    Candidate, Objectives, Observation, SearchSpace, Strategy, StrategyError, UnitPoint,
};

use crate::config::HistoryAttention;
use crate::policy::Policy;
use crate::{NpError, Utility};
use history::View;
use log::Log;
use scorer::Scorer;

/// Random points that a point of the initial design is chosen from.
const CANDIDATES: usize = 32;

/// How often to draw another point when the last one was visited.
const ATTEMPTS: usize = 256;

/// Which evaluations the network is shown, and when they are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum History {
    /// All of them, encoded anew after each: what the policy was trained to do. The `n`-th step costs
    /// `O(n²)`.
    #[default]
    Exact,
    /// All of them; a new one is appended to the encoded ones under their scaling, and all are encoded
    /// anew, with a scaling to their outcomes, whenever there are half as many again, or as soon as
    /// the new scaling would move the best or a new outcome by more than 1 (with
    /// [`Scaling::Range`](crate::Scaling::Range) of an unknown range: as soon as a cost leaves the
    /// range). The `n`-th step costs `O(n)` on average. Needs a network with a causal history.
    Cached,
    /// This many: half of them the best, the other half spread over the space, encoded anew after
    /// each. The cost of a step stays the same, and what the others say is lost.
    TopK(usize),
}

/// How a policy is served.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NapConfig {
    /// Which evaluations the network is shown.
    pub history: History,
    /// Evaluations of the run; `None`: as many as the policy was trained for. The network sees the
    /// fraction used up, which stays at 1 beyond.
    pub horizon: Option<usize>,
    /// What candidates are compared by; `None`: what the policy says.
    pub acquisition: Option<Utility>,
    /// Trials to place by a space-filling design before the policy proposes; `None`: as many as the
    /// policy's runs had at least in training.
    pub initial_trials: Option<usize>,
    /// Lowest and highest cost of the task, for a policy that was trained with known ranges; without
    /// it the range of the evaluations in view takes its place.
    pub range: Option<(f64, f64)>,
    /// How spaces that are no tables are searched.
    pub maximize: MaximizeConfig,
    /// Whether to use several threads. The result does not depend on it.
    pub parallel: bool,
}

/// How hard to search for the best candidate of a space that is no table.
///
/// By default no point is moved uphill: where a network is highest, its error is in its favour. With the
/// policy that comes with this crate, searches that climbed found higher values of the network and ended no
/// better, without an initial design worse. A policy with slopes to be trusted may gain from 16 steps.
#[derive(Debug, Clone, PartialEq)]
pub struct MaximizeConfig {
    /// Points of a scrambled Sobol sequence that are scored first.
    pub raw_samples: usize,
    /// Further points scored first: perturbations of the best evaluations.
    pub around_best: usize,
    /// How many of those points are moved uphill.
    pub restarts: usize,
    /// Steps uphill, through the network and the embedding of the candidate; 0: real coordinates stay
    /// where they were drawn.
    pub steps: usize,
    /// Score the first points with no more than this many evaluations, chosen as by
    /// [`History::TopK`], and only the best 64 of them with the whole history. For long runs, in
    /// which the first points cost the most: 256. `None`: score them with the whole history.
    pub screening: Option<usize>,
}

impl Default for MaximizeConfig {
    fn default() -> Self {
        Self {
            raw_samples: 256,
            around_best: 256,
            restarts: 8,
            steps: 0,
            screening: None,
        }
    }
}

/// The neural acquisition process as a strategy: a trained policy, shown the evaluations so far,
/// scores candidates, and the best wins.
///
/// Every unvisited row of a table is scored. Elsewhere points of a Sobol sequence and around the best
/// evaluations are; discrete parameters of the best are tried value by value, and real ones moved uphill
/// if [`MaximizeConfig::steps`] says so.
///
/// Points that are pending, and those of a batch before its last, are shown to the network one after the
/// other, each with the outcome that it predicts there itself. Failed trials are not shown, only avoided.
///
/// ```
/// use std::num::NonZeroUsize;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_core::{Objectives, SearchSpace, Strategy};
/// use warmfront_np::{About, Policy};
/// use warmfront_np::NapConfig;
/// use warmfront_np::{Network, NetworkConfig};
///
/// let space = SearchSpace::unit_cube(2);
/// let mut rng = ChaCha8Rng::seed_from_u64(1);
/// let network = Network::new(NetworkConfig::compact(2), &mut rng)?;
/// let policy = Policy::new(network, About::new(&space, 50))?;
///
/// let nap = NapConfig::default().build(policy, &space, &Objectives::minimize_all(1))?;
/// let next = nap.ask(NonZeroUsize::MIN, &[], &mut rng)?;
/// assert_eq!(next[0].point.dim(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
/// Maraval et al. 2023 (arXiv 2305.15930).
#[derive(Debug, Clone)]
#[doc(alias = "neural acquisition process")]
pub struct Nap {
    policy: Arc<Policy>,
    space: SearchSpace,
    config: NapConfig,
    log: Log,
    view: View,
}

impl NapConfig {
    /// For runs of thousands of evaluations, with a policy whose history is causal: it is cached, and
    /// candidates are screened with 256 evaluations of it.
    #[must_use]
    pub fn long_run() -> Self {
        Self {
            history: History::Cached,
            maximize: MaximizeConfig {
                screening: Some(256),
                ..MaximizeConfig::default()
            },
            ..Self::default()
        }
    }

    /// A strategy that serves `policy` on `space`.
    ///
    /// # Errors
    /// If the policy does not fit the space, there are several objectives, a setting is outside its
    /// range, or [`History::Cached`] is asked of a network whose history is not causal.
    pub fn build(
        self,
        policy: impl Into<Arc<Policy>>,
        space: &SearchSpace,
        objectives: &Objectives,
    ) -> Result<Nap, NpError> {
        let policy = policy.into();
        policy.fits(space)?;
        if objectives.len() != 1 {
            return Err(NpError::SingleObjective {
                found: objectives.len(),
            });
        }
        if self.history == History::Cached
            && policy.network().config().attention != HistoryAttention::Causal
        {
            return Err(NpError::NotCausal);
        }
        let at_least_one = |what, value| match value {
            0 => Err(NpError::Setting {
                what,
                value: 0.0,
                expected: "at least 1",
            }),
            _ => Ok(()),
        };
        at_least_one("horizon", self.horizon.unwrap_or(1))?;
        at_least_one("maximize.raw_samples", self.maximize.raw_samples)?;
        at_least_one("maximize.screening", self.maximize.screening.unwrap_or(1))?;
        if let History::TopK(k) = self.history {
            at_least_one("history", k)?;
        }
        if let Some((lowest, highest)) = self.range
            && !(lowest < highest && (highest - lowest).is_finite())
        {
            return Err(NpError::Setting {
                what: "the width of the range",
                value: highest - lowest,
                expected: "a positive number",
            });
        }
        let view = View::new(&policy, &self, &Log::default());
        Ok(Nap {
            policy,
            space: space.clone(),
            config: self,
            log: Log::default(),
            view,
        })
    }
}

impl Nap {
    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Evaluations that the network is shown.
    #[must_use]
    pub fn history_len(&self) -> usize {
        self.view.len()
    }

    fn scorer<'a>(&'a self, view: &'a View, busy: usize) -> Scorer<'a> {
        let about = self.policy.about();
        let horizon = self.config.horizon.unwrap_or(about.horizon);
        let used = (self.log.len() + busy) as f64 / horizon as f64;
        Scorer {
            network: self.policy.network(),
            view,
            progress: used.min(1.0) as f32,
            acquisition: self.config.acquisition.unwrap_or(about.acquisition),
            parallel: self.config.parallel,
        }
    }

    /// Shows a point with the outcome that is expected there, given those placed before it.
    fn imagine(&self, view: &mut Cow<'_, View>, placed: usize, point: &UnitPoint) {
        let expected = self.scorer(view, placed).expected(point);
        view.to_mut().imagine(&self.policy, point, expected);
    }

    fn next_point(
        &self,
        view: &View,
        busy: usize,
        taken: &HashSet<UnitPoint>,
        rng: &mut dyn Rng,
    ) -> Option<UnitPoint> {
        let initial = self.policy.about().initial;
        if self.log.len() + busy < self.config.initial_trials.unwrap_or(initial) {
            return exploratory_point(&self.space, taken, rng);
        }
        let search = maximize::Search {
            scorer: self.scorer(view, busy),
            space: &self.space,
            config: &self.config.maximize,
            taken,
            best: self.log.best(),
        };
        search.run(rng)
    }
}

impl Strategy for Nap {
    fn name(&self) -> &str {
        "nap"
    }

    fn tell(&mut self, batch: &[Observation], _rng: &mut dyn Rng) -> Result<(), StrategyError> {
        self.log.extend(&self.space, batch)?;
        self.view.update(&self.policy, &self.config, &self.log);
        Ok(())
    }

    fn ask(
        &self,
        q: NonZeroUsize,
        pending: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Candidate>, StrategyError> {
        log::check_pending(&self.space, pending)?;
        let busy: Vec<UnitPoint> = pending
            .iter()
            .map(|candidate| self.space.canonical(&candidate.point))
            .collect();
        let mut taken: HashSet<UnitPoint> = self.log.points().chain(&busy).cloned().collect();
        let mut view = Cow::Borrowed(&self.view);
        for (placed, point) in busy.iter().enumerate() {
            self.imagine(&mut view, placed, point);
        }
        let mut picks: Vec<Candidate> = Vec::with_capacity(q.get());
        for _ in 0..q.get() {
            let placed = busy.len() + picks.len();
            let Some(point) = self.next_point(&view, placed, &taken, rng) else {
                return Err(StrategyError::Exhausted {
                    requested: q.get(),
                    available: picks.len(),
                });
            };
            if picks.len() + 1 < q.get() {
                self.imagine(&mut view, placed, &point);
            }
            taken.insert(point.clone());
            picks.push(Candidate::at(point));
        }
        Ok(picks)
    }
}

/// A point far from the visited ones: the farthest of a few random ones (Mitchell's best candidate).
/// `None` if all are visited. It needs to remember no design, and fills the space around failed and
/// pending trials as well.
fn exploratory_point(
    space: &SearchSpace,
    taken: &HashSet<UnitPoint>,
    rng: &mut dyn Rng,
) -> Option<UnitPoint> {
    let free: Option<Vec<UnitPoint>> = maximize::finite(space).map(|all| {
        let free = all.iter().filter(|point| !taken.contains(*point));
        free.cloned().collect()
    });
    let draw = |rng: &mut dyn Rng| match &free {
        Some(free) => free[rng.random_range(0..free.len() as u64) as usize].clone(),
        None => space.sample(rng),
    };
    if free.as_ref().is_some_and(Vec::is_empty) {
        return None;
    }
    let mut farthest = (draw(rng), f64::NEG_INFINITY);
    for _ in 0..CANDIDATES {
        let point = draw(rng);
        let apart = taken.iter().map(|other| point.distance(other));
        let nearest = apart.fold(f64::INFINITY, f64::min);
        if nearest > farthest.1 {
            farthest = (point, nearest);
        }
    }
    Some(farthest.0)
}
