//! From costs to what the network sees, in one place.

/// Scaled outcomes are held within `±LIMIT`: one freak value must not swamp the network.
const LIMIT: f64 = 12.0;

/// How costs (smaller is better) become the network's outcomes (larger is better).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scaling {
    /// The task's own lowest and highest cost become 1 and 0, as published.
    ///
    /// An oracle: to serve it, the range of all costs must be known beforehand.
    Range,
    /// The history in view gets mean 0 and standard deviation 1.
    #[default]
    History,
    /// The median of the history in view becomes 0, the root mean square of its better half 1, and what
    /// is worse than −1 is compressed to `−1 − ln(−y)`.
    ///
    /// Late in a run most of the spread of a history comes from its bad evaluations, in whose units
    /// improvements are too small to be seen. What improves on the history lies where nothing is
    /// compressed, so that an expected improvement is one of the costs.
    BetterHalf,
}

/// Mean, spread and range of all costs of a task: what only training may look at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TaskScale {
    /// The mean cost.
    pub mean: f64,
    /// The standard deviation of the costs.
    pub deviation: f64,
    /// The lowest cost.
    pub lowest: f64,
    /// The highest cost.
    pub highest: f64,
}

impl TaskScale {
    /// Of the costs of a task; all zero without costs.
    #[must_use]
    pub fn of(costs: &[f64]) -> Self {
        let Some((lowest, highest)) = range(costs) else {
            return Self {
                mean: 0.0,
                deviation: 0.0,
                lowest: 0.0,
                highest: 0.0,
            };
        };
        let unit = lowest.abs().max(highest.abs());
        let (mean, deviation) = moments(costs, unit);
        Self {
            mean: mean * unit,
            deviation: deviation * unit,
            lowest,
            highest,
        }
    }
}

/// The shift and scale of one context: `y = (center − cost) / scale`, with
/// [`Scaling::BetterHalf`] compressed below −1.
///
/// ```
/// use warmfront_np::Frame;
///
/// let frame = Frame::of_history(&[3.0, 1.0]);
/// assert_eq!(frame.scaled(1.0), 1.0);
/// assert_eq!(frame.scaled(3.0), -1.0);
/// assert_eq!(frame.cost(0.0), 2.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Costs are divided by this before anything else: those of 1e300 must not overflow.
    unit: f64,
    /// In units of `unit`.
    center: f64,
    scale: f64,
    compressed: bool,
}

impl Frame {
    /// The history gets mean 0 and standard deviation 1.
    ///
    /// With fewer than two different costs it is only shifted: all its outcomes are 0.
    #[must_use]
    pub fn of_history(costs: &[f64]) -> Self {
        Self::of_history_or(costs, None)
    }

    /// `lowest` becomes 1 and `highest` 0.
    #[must_use]
    pub fn of_range(lowest: f64, highest: f64) -> Self {
        let unit = unit(lowest.abs().max(highest.abs()));
        let (low, high) = (lowest / unit, highest / unit);
        Self {
            unit,
            center: high,
            scale: if high > low { high - low } else { 1.0 },
            compressed: false,
        }
    }

    /// The median becomes 0 and the root mean square of the better half 1; below −1 compressed.
    ///
    /// Where the better half is as good as the median, mean and standard deviation take their place.
    #[must_use]
    pub fn of_better_half(costs: &[f64]) -> Self {
        Self::of_better_half_or(costs, None)
    }

    fn of_better_half_or(costs: &[f64], task: Option<&TaskScale>) -> Self {
        let frame = match better_half(costs) {
            Some((unit, center, scale)) => Self {
                unit,
                center,
                scale,
                compressed: true,
            },
            None => Self::of_history_or(costs, task),
        };
        Self {
            compressed: true,
            ..frame
        }
    }

    fn of_history_or(costs: &[f64], task: Option<&TaskScale>) -> Self {
        if let Some((lowest, highest)) = range(costs) {
            let unit = unit(lowest.abs().max(highest.abs()));
            let (center, scale) = moments(costs, unit);
            if lowest < highest && scale > 0.0 {
                return Self {
                    unit,
                    center,
                    scale,
                    compressed: false,
                };
            }
        }
        let scale = task.map_or(0.0, |task| task.deviation);
        let scale = if scale > 0.0 { scale } else { 1.0 };
        let center = costs.first().copied().or(task.map(|task| task.mean));
        Self {
            unit: scale,
            center: center.unwrap_or(0.0) / scale,
            scale: 1.0,
            compressed: false,
        }
    }

    /// The outcome of a cost: larger is better, within ±12.
    #[must_use]
    pub fn scaled(&self, cost: f64) -> f32 {
        let y = (self.center - cost / self.unit) / self.scale;
        let y = if self.compressed && y < -1.0 {
            -1.0 - (-y).ln()
        } else {
            y
        };
        y.clamp(-LIMIT, LIMIT) as f32
    }

    /// The cost of an outcome.
    #[must_use]
    pub fn cost(&self, y: f32) -> f64 {
        let y = f64::from(y);
        let y = if self.compressed && y < -1.0 {
            -(-1.0 - y).exp()
        } else {
            y
        };
        (self.center - y * self.scale) * self.unit
    }

    /// The best outcome of a history; 0 without one.
    #[must_use]
    pub fn incumbent(&self, history: &[f64]) -> f32 {
        range(history).map_or(0.0, |(lowest, _)| self.scaled(lowest))
    }
}

impl Scaling {
    /// The frame of a context in training, where the whole task is known.
    ///
    /// A history with fewer than two different costs says nothing of the task's spread. The targets
    /// of such a context are measured from the history's cost (the task's mean without one) in the
    /// task's own standard deviations; the history itself is 0, as in serving.
    #[must_use]
    pub fn training(self, history: &[f64], task: &TaskScale) -> Frame {
        match self {
            Self::Range => Frame::of_range(task.lowest, task.highest),
            Self::History => Frame::of_history_or(history, Some(task)),
            Self::BetterHalf => Frame::of_better_half_or(history, Some(task)),
        }
    }

    /// Whether the [serving](Self::serving) frame has a scale; without one all outcomes of the history
    /// are 0.
    #[must_use]
    pub fn has_scale(self, history: &[f64], known: Option<(f64, f64)>) -> bool {
        (self == Self::Range && known.is_some())
            || range(history).is_some_and(|(lowest, highest)| lowest < highest)
    }

    /// The least and the largest outcome that there can be.
    #[must_use]
    pub fn outcomes(self) -> (f32, f32) {
        match self {
            Self::Range => (0.0, 1.0),
            Self::History | Self::BetterHalf => (-LIMIT as f32, LIMIT as f32),
        }
    }

    /// The frame of a history in serving.
    ///
    /// `range` is the lowest and highest cost of the task, for [`Scaling::Range`]; without it the
    /// range of the history in view takes its place.
    #[must_use]
    pub fn serving(self, history: &[f64], known: Option<(f64, f64)>) -> Frame {
        match self {
            Self::History => Frame::of_history(history),
            Self::BetterHalf => Frame::of_better_half(history),
            Self::Range => {
                let (lowest, highest) = known.or(range(history)).unwrap_or((0.0, 1.0));
                Frame::of_range(lowest, highest)
            }
        }
    }
}

fn unit(size: f64) -> f64 {
    // The reciprocal of a subnormal overflows.
    if size > f64::MIN_POSITIVE * 16.0 {
        size
    } else {
        1.0
    }
}

fn range(costs: &[f64]) -> Option<(f64, f64)> {
    let first = *costs.first()?;
    Some(costs.iter().fold((first, first), |(low, high), &cost| {
        (low.min(cost), high.max(cost))
    }))
}

/// Unit, median and root mean square distance of what is better than it, both in that unit.
fn better_half(costs: &[f64]) -> Option<(f64, f64, f64)> {
    let (lowest, highest) = range(costs)?;
    let unit = unit(lowest.abs().max(highest.abs()));
    let mut sorted: Vec<f64> = costs.iter().map(|cost| cost / unit).collect();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    let median = if sorted.len().is_multiple_of(2) {
        0.5 * (sorted[half - 1] + sorted[half])
    } else {
        sorted[half]
    };
    let square: f64 = sorted[..half].iter().map(|c| (median - c).powi(2)).sum();
    let scale = (square / half.max(1) as f64).sqrt();
    // Distances that are rounding errors of the median say nothing.
    (scale > 1e-12 * median.abs()).then_some((unit, median, scale))
}

/// Mean and standard deviation of `costs / unit`.
fn moments(costs: &[f64], size: f64) -> (f64, f64) {
    let unit = unit(size);
    let n = costs.len() as f64;
    let mean = costs.iter().map(|cost| cost / unit).sum::<f64>() / n;
    let variance = costs
        .iter()
        .map(|cost| (cost / unit - mean).powi(2))
        .sum::<f64>()
        / n;
    (mean, variance.sqrt())
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use warmfront_testkit::assert_close;

    use super::*;

    #[test]
    fn history_has_mean_zero_and_deviation_one() {
        for (shift, factor) in [(0.0, 1.0), (1e6, 1e-3), (0.0, 1e300), (0.0, 1e-300)] {
            let costs: Vec<f64> = [0.3, -0.8, 0.5, 0.1]
                .iter()
                .map(|c| shift + factor * c)
                .collect();
            let frame = Frame::of_history(&costs);
            let y: Vec<f64> = costs.iter().map(|&c| frame.scaled(c).into()).collect();
            let mean = y.iter().sum::<f64>() / 4.0;
            let variance = y.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 4.0;
            assert_close(mean, 0.0, 0.0, 1e-6, "mean");
            assert_close(variance, 1.0, 1e-5, 0.0, "variance");
            assert_eq!(frame.incumbent(&costs), frame.scaled(costs[1]));
            assert!(frame.scaled(costs[1]) > frame.scaled(costs[0]));
            let back = frame.cost(frame.scaled(costs[2]));
            assert_close(back, costs[2], 1e-6, 0.0, "inverse");
        }
    }

    #[test]
    fn degenerate_histories_are_zero() {
        for costs in [vec![], vec![5.0], vec![7.0; 4], vec![0.0; 3], vec![1e300]] {
            let frame = Scaling::BetterHalf.serving(&costs, None);
            for &cost in &costs {
                assert_eq!(frame.scaled(cost), 0.0);
            }
            assert_eq!(frame.incumbent(&costs), 0.0);
            assert!(frame.scaled(1e308).is_finite());
        }
    }

    #[test]
    fn the_better_half_sets_the_scale() {
        let costs = [1.0, 2.0, 3.0, 10.0, 1e9];
        let frame = Frame::of_better_half(&costs);
        let scale = 2.5_f64.sqrt();
        assert_close(frame.scaled(1.0).into(), 2.0 / scale, 1e-6, 0.0, "best");
        assert_eq!(frame.scaled(3.0), 0.0);
        assert_close(
            frame.scaled(10.0).into(),
            -1.0 - (7.0 / scale).ln(),
            1e-6,
            0.0,
            "compressed",
        );
        // A freak value moves nothing and stays below the others.
        let other = Frame::of_better_half(&[1.0, 2.0, 3.0, 10.0, 11.0]);
        assert_close(
            frame.scaled(1.5).into(),
            other.scaled(1.5).into(),
            1e-5,
            0.0,
            "outlier",
        );
        assert!(frame.scaled(1e9) < frame.scaled(10.0));
        for cost in [-5.0, 1.0, 4.0, 10.0, 300.0] {
            let back = frame.cost(frame.scaled(cost));
            assert_close(back, cost, 1e-5, 1e-5, "inverse");
        }
        // Ties among the better half: the spread of all.
        let ties = Frame::of_better_half(&[1.0, 1.0, 1.0, 5.0]);
        assert!(ties.scaled(1.0) > 0.0 && ties.scaled(5.0) < 0.0);
    }

    #[test]
    fn training_falls_back_on_the_task() {
        let all = [1.0, 2.0, 3.0, 6.0];
        let task = TaskScale::of(&all);
        let none = Scaling::History.training(&[], &task);
        let one = Scaling::History.training(&[2.0], &task);
        assert_eq!(none.scaled(3.0), 0.0);
        assert_eq!(one.scaled(2.0), 0.0);
        let step = 1.0 / task.deviation;
        assert_close(one.scaled(1.0).into(), step, 1e-6, 0.0, "one");
        assert_close(none.scaled(2.0).into(), step, 1e-6, 0.0, "none");
        let two = Scaling::History.training(&[1.0, 3.0], &task);
        assert_eq!(two, Scaling::History.serving(&[1.0, 3.0], None));
    }

    #[test]
    fn range_is_published() {
        let task = TaskScale::of(&[1.0, 2.0, 3.0]);
        let frame = Scaling::Range.training(&[2.0], &task);
        assert_eq!(frame, Scaling::Range.serving(&[2.0], Some((1.0, 3.0))));
        assert_eq!([1.0, 2.0, 3.0].map(|c| frame.scaled(c)), [1.0, 0.5, 0.0]);
        assert_eq!(frame.incumbent(&[]), 0.0);
        let constant = Frame::of_range(4.0, 4.0);
        assert_eq!(constant.scaled(4.0), 0.0);
    }

    #[test]
    fn one_outlier_stays_bounded() {
        let mut costs = vec![0.0; 1000];
        costs[7] = 1e9;
        costs[8] = -1e-3;
        let frame = Frame::of_history(&costs);
        assert_eq!(frame.scaled(1e9), -12.0);
        assert!(frame.scaled(-1e300).is_finite());
    }
}
