//! The evaluations that the network is shown, encoded.

use warmfront_core::UnitPoint;

use super::log::Log;
use super::scorer::encode;
use super::{History, NapConfig};
use crate::config::HistoryAttention;
use crate::policy::Policy;
use crate::{EncodedHistory, Frame, Network, Scaling};

/// A cached history is encoded anew when it has grown by half, so that all the times together cost a
/// few times the last one.
const GROWTH: (usize, usize) = (3, 2);

/// It is also encoded anew once the frame of now would move an outcome by this much.
const DRIFT: f32 = 1.0;

/// The evaluations that the network is shown, encoded.
#[derive(Debug, Clone)]
pub(super) struct View {
    whole: Shown,
    /// Some of the evaluations under the same scale, to screen candidates with; none while all are few.
    thin: Option<Shown>,
    frame: Frame,
    /// Whether the frame has a scale: without one all outcomes are 0.
    scaled: bool,
    incumbent: f32,
    /// Number of trials of the log that were looked at, and of those the failed ones are not shown.
    seen: usize,
    /// Number of evaluations when all were last encoded.
    refreshed: usize,
}

/// Points and outcomes as the network sees them, and its encoding of them.
#[derive(Debug, Clone)]
struct Shown {
    /// `n×d` row by row, padded to the network's inputs.
    x: Vec<f32>,
    y: Vec<f32>,
    encoded: EncodedHistory,
}

impl Shown {
    fn new(network: &Network, frame: &Frame, rows: &[(&UnitPoint, f64)]) -> Self {
        let inputs = network.config().inputs;
        let mut x = Vec::with_capacity(rows.len() * inputs);
        for (point, _) in rows {
            encode(point, inputs, &mut x);
        }
        let y: Vec<f32> = rows.iter().map(|row| frame.scaled(row.1)).collect();
        let encoded = network.encode(&x, &y);
        Self { x, y, encoded }
    }

    fn push(&mut self, network: &Network, point: &UnitPoint, y: f32) {
        let start = self.x.len();
        encode(point, network.config().inputs, &mut self.x);
        self.y.push(y);
        if network.config().attention == HistoryAttention::Causal {
            network.append(&mut self.encoded, &self.x[start..], y);
        } else {
            self.encoded = network.encode(&self.x, &self.y);
        }
    }
}

impl View {
    pub(super) fn new(policy: &Policy, config: &NapConfig, log: &Log) -> Self {
        let all: Vec<_> = log.complete().collect();
        let rows = match config.history {
            History::TopK(k) if k < all.len() => choose(&all, k),
            _ => all,
        };
        let costs: Vec<f64> = rows.iter().map(|row| row.1).collect();
        let scaling = policy.about().scaling;
        let frame = scaling.serving(&costs, config.range);
        Self {
            whole: Shown::new(policy.network(), &frame, &rows),
            thin: thin(policy, config, &frame, &rows),
            scaled: scaling.has_scale(&costs, config.range),
            incumbent: frame.incumbent(&costs),
            seen: log.len(),
            refreshed: rows.len(),
            frame,
        }
    }

    /// Number of evaluations shown.
    pub(super) fn len(&self) -> usize {
        self.whole.y.len()
    }

    pub(super) fn encoded(&self) -> &EncodedHistory {
        &self.whole.encoded
    }

    /// The history to screen candidates with, where it is another one.
    pub(super) fn thin(&self) -> Option<&EncodedHistory> {
        self.thin.as_ref().map(|thin| &thin.encoded)
    }

    pub(super) fn incumbent(&self) -> f32 {
        self.incumbent
    }

    /// Follows the log, which has grown.
    pub(super) fn update(&mut self, policy: &Policy, config: &NapConfig, log: &Log) {
        let told = log.len() - self.seen;
        let news: Vec<(&UnitPoint, f64)> = log.newest(told).collect();
        if news.is_empty() {
            // Failed trials: nothing to show.
            self.seen = log.len();
            return;
        }
        let all: Vec<_> = log.complete().collect();
        let costs: Vec<f64> = all.iter().map(|row| row.1).collect();
        if config.history != History::Cached
            || self.is_stale(policy.about().scaling, config, &costs, news.len())
        {
            *self = Self::new(policy, config, log);
            return;
        }
        for (point, cost) in news {
            let y = self.frame.scaled(cost);
            self.whole.push(policy.network(), point, y);
        }
        self.incumbent = self.frame.incumbent(&costs);
        self.scaled = policy.about().scaling.has_scale(&costs, config.range);
        if config.maximize.screening.is_some() {
            self.thin = thin(policy, config, &self.frame, &all);
        }
        self.seen = log.len();
    }

    /// Whether all evaluations have to be encoded anew, because they are far more or because their
    /// outcomes would now be others.
    fn is_stale(&self, scaling: Scaling, config: &NapConfig, costs: &[f64], new: usize) -> bool {
        let now = scaling.serving(costs, config.range);
        if now == self.frame {
            // The same outcomes: a plateau, or a range that was known.
            return false;
        }
        if costs.len() * GROWTH.1 >= self.refreshed * GROWTH.0 {
            return true;
        }
        match scaling {
            // The range of the history: it changes seldom, and all outcomes lie in it.
            Scaling::Range => true,
            Scaling::History | Scaling::BetterHalf => {
                let best = costs.iter().copied().fold(f64::INFINITY, f64::min);
                let mut watched = costs[costs.len() - new..].iter().copied().chain([best]);
                !self.scaled
                    || watched.any(|c| (now.scaled(c) - self.frame.scaled(c)).abs() > DRIFT)
            }
        }
    }

    /// Adds a point as if it had the outcome that the network expects there.
    pub(super) fn imagine(&mut self, policy: &Policy, point: &UnitPoint, expected: f32) {
        // A network in training has seen only zeros from histories without a scale.
        let y = if self.scaled { expected } else { 0.0 };
        for shown in std::iter::once(&mut self.whole).chain(&mut self.thin) {
            shown.push(policy.network(), point, y);
        }
    }
}

fn thin(
    policy: &Policy,
    config: &NapConfig,
    frame: &Frame,
    rows: &[(&UnitPoint, f64)],
) -> Option<Shown> {
    let k = config.maximize.screening.filter(|k| *k < rows.len())?;
    Some(Shown::new(policy.network(), frame, &choose(rows, k)))
}

/// Half of `k` the best, the others each as far as possible from all before, in the order told.
fn choose<'a>(all: &[(&'a UnitPoint, f64)], k: usize) -> Vec<(&'a UnitPoint, f64)> {
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by(|&a, &b| all[a].1.total_cmp(&all[b].1));
    let mut chosen: Vec<usize> = order[..k.div_ceil(2)].to_vec();
    let distance = |a: usize, b: usize| -> f64 {
        let pairs = all[a].0.coords().iter().zip(all[b].0.coords());
        pairs.map(|(a, b)| (a - b).powi(2)).sum()
    };
    let mut nearest: Vec<f64> = (0..all.len())
        .map(|i| {
            chosen
                .iter()
                .map(|&j| distance(i, j))
                .fold(f64::INFINITY, f64::min)
        })
        .collect();
    while chosen.len() < k {
        let mut far = 0;
        for i in 1..all.len() {
            if nearest[i] > nearest[far] {
                far = i;
            }
        }
        // Only copies of chosen points are left: the better ones of them.
        if nearest[far] <= 0.0 {
            let Some(&next) = order.iter().find(|i| !chosen.contains(i)) else {
                break;
            };
            far = next;
        }
        chosen.push(far);
        for i in 0..all.len() {
            nearest[i] = nearest[i].min(distance(i, far));
        }
    }
    chosen.sort_unstable();
    chosen.into_iter().map(|i| all[i]).collect()
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    use warmfront_core::{Candidate, Costs, Observation, Outcome, SearchSpace, TrialId};

    use super::*;
    use crate::{About, NetworkConfig};

    #[test]
    fn the_chosen_are_the_best_and_the_far() {
        let points: Vec<UnitPoint> = (0..11)
            .map(|i| UnitPoint::clamped([0.1 * f64::from(i)]))
            .collect();
        let all: Vec<_> = points
            .iter()
            .zip([5.0, 1.0, 0.0, 2.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0])
            .collect();
        let at = |rows: Vec<(&UnitPoint, f64)>| -> Vec<f64> {
            rows.iter()
                .map(|row| (row.0.coords()[0] * 10.0).round())
                .collect()
        };
        assert_eq!(at(choose(&all, 4)), [1.0, 2.0, 6.0, 10.0]);
        assert_eq!(choose(&all, 1)[0].1.to_bits(), 0.0_f64.to_bits());
        let copies: Vec<_> = (0..5).map(|i| (&points[3], f64::from(i))).collect();
        let costs: Vec<f64> = choose(&copies, 4).iter().map(|row| row.1).collect();
        assert_eq!(costs, [0.0, 1.0, 2.0, 3.0]);
    }

    fn policy(scaling: Scaling) -> Policy {
        let small = NetworkConfig {
            layers: 1,
            width: 8,
            attention: HistoryAttention::Causal,
            ..NetworkConfig::compact(1)
        };
        let network = Network::new(small, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        let about = About {
            scaling,
            ..About::new(&SearchSpace::unit_cube(1), 9)
        };
        Policy::new(network, about).unwrap()
    }

    fn cached() -> NapConfig {
        NapConfig {
            history: History::Cached,
            ..NapConfig::default()
        }
    }

    fn told(log: &mut Log, trial: u64, cost: f64) {
        let observation = Observation {
            trial: TrialId(trial),
            candidate: Candidate::at(UnitPoint::clamped([(0.07 * trial as f64).fract()])),
            outcome: Outcome::Complete(Costs::from_values(vec![cost]).unwrap()),
        };
        log.extend(&SearchSpace::unit_cube(1), &[observation])
            .unwrap();
    }

    #[test]
    fn a_thin_history_follows_the_whole_one() {
        let policy = policy(Scaling::History);
        let mut config = cached();
        config.maximize.screening = Some(4);
        let mut log = Log::default();
        let mut view = View::new(&policy, &config, &log);
        for i in 0..12_u32 {
            told(&mut log, i.into(), f64::from(i % 5));
            view.update(&policy, &config, &log);
            assert_eq!(view.len(), i as usize + 1);
            let thin = view.thin().map(EncodedHistory::len);
            assert_eq!(thin, (i >= 4).then_some(4), "after {i}");
        }
        let mut imagined = view.clone();
        imagined.imagine(&policy, &UnitPoint::clamped([0.31]), 0.5);
        assert_eq!(imagined.thin().map(EncodedHistory::len), Some(5));
        assert_eq!((imagined.len(), view.len()), (13, 12));
    }

    /// After how many evaluations of a cached history all were encoded.
    fn refreshes(scaling: Scaling, range: Option<(f64, f64)>, costs: &[f64]) -> Vec<usize> {
        let policy = policy(scaling);
        let config = NapConfig { range, ..cached() };
        let mut log = Log::default();
        let mut view = View::new(&policy, &config, &log);
        let mut at = Vec::new();
        for (trial, &cost) in (0..).zip(costs) {
            told(&mut log, trial, cost);
            let before = view.refreshed;
            view.update(&policy, &config, &log);
            if view.refreshed != before {
                at.push(view.refreshed);
            }
            assert!(view.whole.y.iter().all(|y| *y <= view.incumbent));
        }
        at
    }

    #[test]
    fn a_cached_history_is_encoded_anew_when_it_has_to_be() {
        let every = [Scaling::History, Scaling::BetterHalf, Scaling::Range];
        for scaling in every {
            // A plateau says nothing; the first cost beside it gives a scale.
            let mut costs = vec![5.0; 20];
            costs[17] = 4.9;
            costs[18] = 4.95;
            costs[19] = 4.95;
            assert_eq!(refreshes(scaling, None, &costs), [1, 18], "{scaling:?}");
        }
        let known = refreshes(Scaling::Range, Some((0.0, 9.0)), &[3.0, 1.0, 2.0, 9.0, 0.0]);
        assert!(known.is_empty(), "{known:?}");
        let within = [0.0, 9.0, 1.0, 2.0, 8.0, 4.0, 3.0, 9.5, 2.0];
        assert_eq!(refreshes(Scaling::Range, None, &within), [1, 2, 8]);

        // Ordinary outcomes: whenever there are half as many again. One far below or above all: at once,
        // where it changes what the network sees.
        let mut costs: Vec<f64> = (0..36).map(|i| f64::from(i * 7 % 10)).collect();
        let grown = |at: Vec<usize>| at.into_iter().filter(|n| *n > 20).collect::<Vec<_>>();
        let ordinary = grown(refreshes(Scaling::History, None, &costs));
        assert!(ordinary.len() <= 2, "{ordinary:?}");
        costs[33] = -1e3;
        for scaling in [Scaling::History, Scaling::BetterHalf] {
            assert!(
                refreshes(scaling, None, &costs).contains(&34),
                "{scaling:?}"
            );
        }
        costs[33] = 1e9;
        assert!(refreshes(Scaling::History, None, &costs).contains(&34));
        assert!(!refreshes(Scaling::BetterHalf, None, &costs).contains(&34));
    }

    #[test]
    fn nothing_is_imagined_without_a_scale() {
        let policy = policy(Scaling::History);
        let mut log = Log::default();
        for (trial, cost, expected) in [(0, 2.0, 0.0), (1, 2.0, 0.0), (2, 1.0, 0.7)] {
            told(&mut log, trial, cost);
            let mut view = View::new(&policy, &cached(), &log);
            view.imagine(&policy, &UnitPoint::clamped([0.5]), 0.7);
            let last = view.whole.y.last().copied();
            assert_eq!(last.map(f32::to_bits), Some(f32::to_bits(expected)));
        }
    }
}
