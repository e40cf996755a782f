//! The evaluations that the network is shown, encoded.

use warmfront_core::UnitPoint;

use super::log::Log;
use super::scorer::{Scorer, encode};
use super::{History, NapConfig};
use crate::config::HistoryAttention;
use crate::policy::Policy;
use crate::{EncodedHistory, Frame};

/// A cached history is encoded anew when it has grown by half, so that all the times together cost a
/// few times the last one.
const GROWTH: (usize, usize) = (3, 2);

/// An outcome this far out, and twice as far as any before it, is taken as news about the scale.
const FAR: f32 = 4.0;

/// The evaluations that the network is shown, encoded.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// `n×d` row by row, padded to the network's inputs.
    x: Vec<f32>,
    y: Vec<f32>,
    frame: Frame,
    incumbent: f32,
    encoded: EncodedHistory,
    /// Some of the evaluations under the same scale, to screen candidates with; none while all are few.
    thin: Option<EncodedHistory>,
    /// Number of trials of the log that were looked at, and of those the failed ones are not shown.
    seen: usize,
    /// Number of evaluations when all were last encoded.
    refreshed: usize,
}

impl View {
    pub(super) fn new(policy: &Policy, config: &NapConfig, log: &Log) -> Self {
        let all: Vec<_> = log.complete().collect();
        let rows = match config.history {
            History::TopK(k) if k < all.len() => choose(&all, k),
            _ => all,
        };
        let costs: Vec<f64> = rows.iter().map(|row| row.1).collect();
        let frame = policy.about().scaling.serving(&costs, config.range);
        let (x, y) = shown(policy, &frame, &rows);
        Self {
            encoded: policy.network().encode(&x, &y),
            thin: thin(policy, config, &frame, &rows),
            incumbent: frame.incumbent(&costs),
            seen: log.len(),
            refreshed: y.len(),
            frame,
            x,
            y,
        }
    }

    /// Number of evaluations shown.
    pub(super) fn len(&self) -> usize {
        self.y.len()
    }

    pub(super) fn encoded(&self) -> &EncodedHistory {
        &self.encoded
    }

    /// The history to screen candidates with, where it is another one.
    pub(super) fn thin(&self) -> Option<&EncodedHistory> {
        self.thin.as_ref()
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
        if config.history != History::Cached || self.is_stale(&news) {
            *self = Self::new(policy, config, log);
            return;
        }
        for (point, cost) in news {
            let y = self.frame.scaled(cost);
            self.push(policy, point, y);
            // An incumbent of exactly 0 stands for none.
            self.incumbent = self.incumbent.max(y);
        }
        if config.maximize.screening.is_some() {
            let all: Vec<_> = log.complete().collect();
            self.thin = thin(policy, config, &self.frame, &all);
        }
        self.seen = log.len();
    }

    fn is_stale(&self, news: &[(&UnitPoint, f64)]) -> bool {
        let n = self.len() + news.len();
        let largest = |values: &mut dyn Iterator<Item = f32>| values.fold(0.0, f32::max);
        let before = largest(&mut self.y.iter().map(|y| y.abs()));
        let now = largest(&mut news.iter().map(|(_, cost)| self.frame.scaled(*cost).abs()));
        // Without two different outcomes there is no scale yet.
        before <= 0.0
            || n * GROWTH.1 >= self.refreshed * GROWTH.0
            || (now > FAR && now > 2.0 * before)
    }

    fn push(&mut self, policy: &Policy, point: &UnitPoint, y: f32) {
        let network = policy.network();
        let start = self.x.len();
        encode(point, network.config().inputs, &mut self.x);
        self.y.push(y);
        network.append(&mut self.encoded, &self.x[start..], y);
    }

    /// The view with further points, as if each had the outcome that the network expects there.
    pub(super) fn imagine(
        &self,
        policy: &Policy,
        scorer: Scorer<'_>,
        points: &[UnitPoint],
    ) -> Self {
        let expected = scorer.expected(points);
        let mut view = self.clone();
        let network = policy.network();
        let causal = network.config().attention == HistoryAttention::Causal;
        for (point, y) in points.iter().zip(expected) {
            if causal {
                view.push(policy, point, y);
            } else {
                encode(point, network.config().inputs, &mut view.x);
                view.y.push(y);
            }
        }
        if !causal {
            view.encoded = network.encode(&view.x, &view.y);
        }
        view
    }
}

/// Points and outcomes of evaluations as the network sees them.
fn shown(policy: &Policy, frame: &Frame, rows: &[(&UnitPoint, f64)]) -> (Vec<f32>, Vec<f32>) {
    let inputs = policy.network().config().inputs;
    let mut x = Vec::with_capacity(rows.len() * inputs);
    for (point, _) in rows {
        encode(point, inputs, &mut x);
    }
    (x, rows.iter().map(|row| frame.scaled(row.1)).collect())
}

fn thin(
    policy: &Policy,
    config: &NapConfig,
    frame: &Frame,
    rows: &[(&UnitPoint, f64)],
) -> Option<EncodedHistory> {
    let k = config.maximize.screening.filter(|k| *k < rows.len())?;
    let (x, y) = shown(policy, frame, &choose(rows, k));
    Some(policy.network().encode(&x, &y))
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
    use crate::{About, Network, NetworkConfig};

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

    #[test]
    fn a_thin_history_follows_the_whole_one() {
        let space = SearchSpace::unit_cube(1);
        let small = NetworkConfig {
            layers: 1,
            width: 8,
            attention: HistoryAttention::Causal,
            ..NetworkConfig::compact(1)
        };
        let network = Network::new(small, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        let policy = Policy::new(network, About::new(&space, 9)).unwrap();
        let mut config = NapConfig {
            history: History::Cached,
            ..NapConfig::default()
        };
        config.maximize.screening = Some(4);
        let mut log = Log::default();
        let mut view = View::new(&policy, &config, &log);
        for i in 0..12_u32 {
            let observation = Observation {
                trial: TrialId(i.into()),
                candidate: Candidate::at(UnitPoint::clamped([0.07 * f64::from(i)])),
                outcome: Outcome::Complete(Costs::from_values(vec![f64::from(i % 5)]).unwrap()),
            };
            log.extend(&space, &[observation]).unwrap();
            view.update(&policy, &config, &log);
            assert_eq!(view.len(), i as usize + 1);
            let thin = view.thin().map(EncodedHistory::len);
            assert_eq!(thin, (i >= 4).then_some(4), "after {i}");
        }
    }
}
