//! Asynchronous successive halving.

use rand::Rng;
use warmfront_core::Candidate;
use warmfront_pareto::Points;

use super::log::Member;
use super::rungs::reaches;
use super::{Action, FidelityLog, FrontOrder, Rungs, Scheduler};

/// How many configurations of a rung may be continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PromotionRule {
    /// One in `eta` of those *not continued yet*. After the first `eta` configurations each new
    /// one leads to a promotion: the rule of the PriMO runs.
    ///
    /// Failed evaluations do not count: they could never leave, and after `eta` of them every
    /// configuration would be promoted.
    #[default]
    DropPromoted,
    /// The best one in `eta` of the whole rung, failed evaluations included: textbook ASHA.
    WholeRung,
}

/// Asynchronous successive halving for one or several objectives (ASHA, MO-ASHA).
///
/// From the top down, the first rung with a configuration worth continuing promotes its best;
/// where there is none, a new configuration starts at the lowest rung. A configuration that is
/// pending at a higher rung counts as promoted. Failed or incomplete evaluations are never promoted.
///
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_core::{FidelityRange, SearchSpace};
/// use warmfront_meta::multi_fidelity::{
///     Action, FidelityLog, Rungs, Scheduler, SuccessiveHalving,
/// };
///
/// let rungs = Rungs::geometric(&FidelityRange::integer("epoch", 1, 9)?, 3)?;
/// let asha = SuccessiveHalving::new(rungs);
/// let log = FidelityLog::new(&SearchSpace::unit_cube(2), 2);
/// let mut rng = ChaCha8Rng::seed_from_u64(1);
/// assert_eq!(asha.next(&log, &[], &mut rng), Action::Start { rung: 0 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SuccessiveHalving {
    /// The rungs.
    pub rungs: Rungs,
    /// How many of a rung are promoted.
    pub rule: PromotionRule,
    /// Which ones.
    pub order: FrontOrder,
    /// Whether objectives are scaled to their range in the rung before they are compared.
    pub normalize: bool,
    /// The rung at which new configurations start (the early-stopping rate).
    pub start: usize,
}

impl SuccessiveHalving {
    /// From the lowest rung, with the default rule and order and normalised objectives.
    #[must_use]
    pub fn new(rungs: Rungs) -> Self {
        Self {
            rungs,
            rule: PromotionRule::default(),
            order: FrontOrder::default(),
            normalize: true,
            start: 0,
        }
    }
}

impl Scheduler for SuccessiveHalving {
    fn rungs(&self) -> &Rungs {
        &self.rungs
    }

    fn next(&self, log: &FidelityLog, pending: &[Candidate], rng: &mut dyn Rng) -> Action {
        let reached = log.reached(pending);
        let start = self.start.min(self.rungs.top());
        let eta = self.rungs.eta() as usize;
        for lower in (start..self.rungs.top()).rev() {
            let upper = self.rungs.fidelity(lower + 1);
            let promoted = |member: &Member<'_>| reaches(reached[member.point], upper);
            let rung = log.at(self.rungs.fidelity(lower));
            let ranges = self.normalize.then(|| ranges(&rung));
            let mut pool: Vec<&Member<'_>> = rung
                .iter()
                .filter(|member| member.costs.is_some())
                .collect();
            let quota = match self.rule {
                PromotionRule::DropPromoted => {
                    pool.retain(|member| !promoted(member));
                    pool.len() / eta
                }
                // Fronts are ordered by chance, so what was promoted must be counted, not looked for.
                PromotionRule::WholeRung if pool.first().is_some_and(|m| several(m)) => {
                    let before = rung.iter().filter(|member| promoted(member)).count();
                    pool.retain(|member| !promoted(member));
                    (rung.len() / eta).saturating_sub(before)
                }
                PromotionRule::WholeRung => rung.len() / eta,
            };
            if quota == 0 {
                continue;
            }
            let order = sorted(&pool, &self.order, ranges.as_deref(), rng);
            if let Some(best) = order
                .into_iter()
                .take(quota)
                .map(|i| pool[i])
                .find(|member| !promoted(member))
            {
                return Action::Promote {
                    point: best.point.clone(),
                    rung: lower + 1,
                };
            }
        }
        Action::Start { rung: start }
    }
}

/// Whether a member has several costs.
fn several(member: &Member<'_>) -> bool {
    member.costs.as_ref().is_some_and(|costs| costs.len() > 1)
}

/// Least cost and range of each objective among the complete members.
pub(super) fn ranges(rung: &[Member<'_>]) -> Vec<(f64, f64)> {
    let complete = || rung.iter().filter_map(|member| member.costs.as_ref());
    let m = complete().next().map_or(0, Vec::len);
    (0..m)
        .map(|o| {
            let values = complete().map(|costs| costs[o]);
            let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                (low.min(v), high.max(v))
            });
            (low, high - low)
        })
        .collect()
}

/// Indices of `pool` (complete members), the most promising first.
pub(super) fn sorted(
    pool: &[&Member<'_>],
    order: &FrontOrder,
    ranges: Option<&[(f64, f64)]>,
    rng: &mut dyn Rng,
) -> Vec<usize> {
    let mut data: Vec<f64> = Vec::new();
    let mut m = 0;
    for costs in pool.iter().filter_map(|member| member.costs.as_ref()) {
        m = costs.len();
        match ranges {
            Some(ranges) => data.extend(costs.iter().zip(ranges).map(|(cost, (low, range))| {
                // What has no range, or one that overflows, is compared as it is.
                if *range > 0.0 && range.is_finite() {
                    (cost - low) / range
                } else {
                    *cost
                }
            })),
            None => data.extend(costs),
        }
    }
    if m == 0 {
        return Vec::new();
    }
    // Costs are finite and ranges positive, so nothing here is NaN.
    Points::new(&data, m).map_or_else(|_| Vec::new(), |points| order.order(points, rng))
}
