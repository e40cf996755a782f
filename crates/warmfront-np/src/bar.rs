//! The bar distribution: a density that is piecewise constant over buckets.

use rand::Rng;
use warmfront_math::distribution::open_uniform;

use crate::NpError;

/// Half the mass of a tail of scale 1 lies within this distance: `2^{1/3} − 1`.
const TAIL_MEDIAN: f64 = 0.259_921_049_894_873_2;

/// A distribution over the real line, given by one logit for each of `B` buckets.
///
/// Bucket `b` lies between border `b` and border `b + 1` and has the probability `softmax(logits)_b`,
/// spread evenly. Outcomes are on the network's scale: larger is better. One outside the borders
/// counts as one in the bucket at that end; with [tails](Self::with_tails) the two buckets at the ends
/// reach to infinity instead, and every real number has its density.
///
/// ```
/// use warmfront_np::Bar;
///
/// let bar = Bar::uniform(-0.1, 1.1, 1000);
/// let flat = vec![0.0; 1000];
/// assert!((bar.nll(&flat, 0.5) - 1.2_f32.ln()).abs() < 1e-3);
/// assert!((bar.mean(&flat) - 0.5).abs() < 1e-3);
/// ```
///
/// # References
/// Müller et al. 2022 (arXiv 2112.10510), section 4 ("Riemann distribution").
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    borders: Vec<f32>,
    tails: bool,
    /// Per bucket: logarithm of the density given the bucket; not read in a tail.
    log_density: Vec<f32>,
    /// Per bucket: its mean and variance.
    moments: Vec<(f32, f32)>,
}

impl Bar {
    /// Buckets between the given borders, which must increase.
    ///
    /// # Errors
    /// [`NpError::Borders`] for fewer than two borders, or one that is not finite or not above the
    /// one before it.
    pub fn new(borders: Vec<f32>, tails: bool) -> Result<Self, NpError> {
        if borders.len() < 2 {
            return Err(NpError::Borders {
                index: borders.len(),
                value: f32::NAN,
            });
        }
        for (index, &value) in borders.iter().enumerate() {
            let above = index == 0 || value > borders[index - 1];
            if !value.is_finite() || !above {
                return Err(NpError::Borders { index, value });
            }
        }
        let mut bar = Self {
            borders,
            tails,
            log_density: Vec::new(),
            moments: Vec::new(),
        };
        let buckets = bar.buckets();
        bar.log_density = (0..buckets).map(|b| -bar.width(b).ln() as f32).collect();
        bar.moments = (0..buckets)
            .map(|b| {
                let (low, high) = bar.ends(b);
                let (mean, variance) = match bar.tail(b) {
                    None => (f64::midpoint(low, high), (high - low).powi(2) / 12.0),
                    Some((Side::Lower, s)) => (high - 0.5 * s, 0.75 * s * s),
                    Some((Side::Upper, s)) => (low + 0.5 * s, 0.75 * s * s),
                };
                (mean as f32, variance as f32)
            })
            .collect();
        Ok(bar)
    }

    /// `buckets` buckets of equal width between `low` and `high`, without tails.
    ///
    /// # Panics
    /// If `buckets` is zero, or `low` is not so far below `high` that all borders differ.
    #[must_use]
    #[track_caller]
    pub fn uniform(low: f32, high: f32, buckets: usize) -> Self {
        assert!(buckets > 0, "a bar distribution needs a bucket");
        let (low, high) = (f64::from(low), f64::from(high));
        let borders = (0..=buckets)
            .map(|i| (low + (high - low) * i as f64 / buckets as f64) as f32)
            .collect();
        match Self::new(borders, false) {
            Ok(bar) => bar,
            Err(error) => panic!("{buckets} buckets between {low} and {high}: {error}"),
        }
    }

    /// Buckets that hold equal shares of a sample of outcomes, without tails.
    ///
    /// Where the sample has ties the borders are moved apart, to a hundredth of the width that equal
    /// buckets would have.
    ///
    /// # Errors
    /// [`NpError::Sample`] if the sample has no two different finite values.
    ///
    /// # Panics
    /// If `buckets` is zero.
    #[track_caller]
    pub fn quantiles(sample: &[f32], buckets: usize) -> Result<Self, NpError> {
        assert!(buckets > 0, "a bar distribution needs a bucket");
        let mut sorted: Vec<f64> = sample.iter().map(|&y| f64::from(y)).collect();
        sorted.retain(|y| y.is_finite());
        sorted.sort_by(f64::total_cmp);
        let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else {
            return Err(NpError::Sample { len: sample.len() });
        };
        if low >= high {
            return Err(NpError::Sample { len: sample.len() });
        }
        // Rounding to f32 must keep the borders apart far from zero.
        let size = low.abs().max(high.abs());
        let gap = (0.01 * (high - low) / buckets as f64).max(4.0 * f64::from(f32::EPSILON) * size);
        let mut borders: Vec<f64> = (0..=buckets)
            .map(|i| {
                let position = i as f64 / buckets as f64 * (sorted.len() - 1) as f64;
                let (below, share) = (position.floor(), position.fract());
                let below = below as usize;
                let above = (below + 1).min(sorted.len() - 1);
                sorted[below] + share * (sorted[above] - sorted[below])
            })
            .collect();
        for i in 1..borders.len() {
            borders[i] = borders[i].max(borders[i - 1] + gap);
        }
        Self::new(borders.into_iter().map(|y| y as f32).collect(), false)
    }

    /// The same buckets, the two at the ends reaching to infinity.
    ///
    /// A tail starts at the inner border of its bucket, has half its mass within the bucket's width and
    /// survives a distance `z` with probability `(1 + z/s)⁻³`. That is heavier than the half-normal of
    /// PFNs: outcomes that are standardised by the deviation of few evaluations are heavy-tailed
    /// themselves, and one of them must not outweigh all others in a mean likelihood.
    ///
    /// A single bucket cannot reach both ways and stays as it is.
    #[must_use]
    pub fn with_tails(self) -> Self {
        Self::new(self.borders, true).expect("the borders were checked")
    }

    /// The number of buckets `B`.
    #[must_use]
    pub fn buckets(&self) -> usize {
        self.borders.len() - 1
    }

    /// The `B + 1` borders, increasing.
    #[must_use]
    pub fn borders(&self) -> &[f32] {
        &self.borders
    }

    /// Whether the buckets at the ends reach to infinity.
    #[must_use]
    pub fn tails(&self) -> bool {
        self.tails
    }

    /// The bucket of an outcome; one on a border belongs to the bucket below it, one outside the
    /// borders to the bucket at that end.
    #[must_use]
    pub fn bucket(&self, y: f32) -> usize {
        self.borders
            .partition_point(|&border| border < y)
            .saturating_sub(1)
            .min(self.buckets() - 1)
    }

    /// The negative logarithm of the density at `y`.
    ///
    /// # Panics
    /// If there is not one logit per bucket; so for all functions of logits.
    #[must_use]
    #[track_caller]
    pub fn nll(&self, logits: &[f32], y: f32) -> f32 {
        self.check(logits);
        let bucket = self.bucket(y);
        log_sum_exp(logits) - logits[bucket] - self.log_density_at(bucket, y)
    }

    /// [`nll`](Self::nll), adding `weight` times its gradient to `gradient`.
    #[track_caller]
    pub fn nll_gradient(&self, logits: &[f32], y: f32, weight: f32, gradient: &mut [f32]) -> f32 {
        self.check(logits);
        self.check(gradient);
        let bucket = self.bucket(y);
        let total = log_sum_exp(logits);
        for (g, &l) in gradient.iter_mut().zip(logits) {
            *g += weight * (l - total).exp();
        }
        gradient[bucket] -= weight;
        total - logits[bucket] - self.log_density_at(bucket, y)
    }

    /// The mean.
    #[must_use]
    #[track_caller]
    pub fn mean(&self, logits: &[f32]) -> f32 {
        self.check(logits);
        let total = log_sum_exp(logits);
        logits
            .iter()
            .zip(&self.moments)
            .map(|(&l, &(mean, _))| f64::from((l - total).exp()) * f64::from(mean))
            .sum::<f64>() as f32
    }

    /// The variance, with that inside the buckets.
    #[must_use]
    #[track_caller]
    pub fn variance(&self, logits: &[f32]) -> f32 {
        let center = f64::from(self.mean(logits));
        let total = log_sum_exp(logits);
        logits
            .iter()
            .zip(&self.moments)
            .map(|(&l, &(mean, variance))| {
                let off = f64::from(mean) - center;
                f64::from((l - total).exp()) * (off * off + f64::from(variance))
            })
            .sum::<f64>() as f32
    }

    /// The `p`-quantile. Of a tail's own mass the outermost `1e-7` counts as lying at its boundary: the
    /// answer is finite.
    #[must_use]
    #[track_caller]
    pub fn quantile(&self, logits: &[f32], p: f64) -> f32 {
        self.check(logits);
        assert!((0.0..=1.0).contains(&p), "{p} is not a probability");
        let total = f64::from(log_sum_exp(logits));
        let mut below = 0.0;
        let last = self.buckets() - 1;
        for (b, &l) in logits.iter().enumerate() {
            let mass = (f64::from(l) - total).exp();
            if below + mass >= p || b == last {
                let share = if mass > 0.0 { (p - below) / mass } else { 0.0 };
                return self.inside(b, share.clamp(0.0, 1.0)) as f32;
            }
            below += mass;
        }
        unreachable!("the last bucket returns")
    }

    /// A draw.
    #[track_caller]
    pub fn sample<R: Rng + ?Sized>(&self, logits: &[f32], rng: &mut R) -> f32 {
        self.quantile(logits, open_uniform(rng))
    }

    /// What each bucket adds to the expected improvement over `incumbent`.
    ///
    /// The candidates of a context share an incumbent, so this is computed once for all of them. An
    /// incumbent above all buckets counts, if the last has no tail, as one in the middle of the last bucket:
    /// the expected improvement is then still positive and tells candidates apart.
    #[must_use]
    pub fn improvement(&self, incumbent: f32) -> Improvement {
        let last = self.buckets() - 1;
        let mut f = f64::from(incumbent);
        if self.tail(last).is_none() {
            let (low, high) = self.ends(last);
            f = f.min(f64::midpoint(low, high));
        }
        let logs: Vec<f64> = (0..=last).map(|b| self.log_gain(b, f)).collect();
        Improvement {
            gains: logs.iter().map(|log| log.exp() as f32).collect(),
            log_gains: logs.into_iter().map(|log| log as f32).collect(),
        }
    }

    /// The expected improvement over `incumbent`, exact.
    ///
    /// The published formula overstates the one bucket that holds the incumbent.
    #[must_use]
    #[doc(alias = "ei")]
    #[track_caller]
    pub fn expected_improvement(&self, logits: &[f32], incumbent: f32) -> f32 {
        self.improvement(incumbent).expected(logits)
    }

    /// The logarithm of the expected improvement over `incumbent`, finite for finite logits; its
    /// gradient by the logits is written to `gradient`.
    #[doc(alias = "logei")]
    #[track_caller]
    pub fn log_expected_improvement(
        &self,
        logits: &[f32],
        incumbent: f32,
        gradient: Option<&mut [f32]>,
    ) -> f32 {
        self.improvement(incumbent).log_expected(logits, gradient)
    }

    #[track_caller]
    fn check(&self, logits: &[f32]) {
        assert_eq!(
            logits.len(),
            self.buckets(),
            "{} logits for {} buckets",
            logits.len(),
            self.buckets()
        );
    }

    fn ends(&self, bucket: usize) -> (f64, f64) {
        (
            f64::from(self.borders[bucket]),
            f64::from(self.borders[bucket + 1]),
        )
    }

    fn width(&self, bucket: usize) -> f64 {
        let (low, high) = self.ends(bucket);
        high - low
    }

    /// The side and scale of the tail that a bucket is, if it is one.
    fn tail(&self, bucket: usize) -> Option<(Side, f64)> {
        // A single bucket cannot reach both ways and stays a box.
        if !self.tails || self.buckets() == 1 {
            return None;
        }
        let scale = self.width(bucket) / TAIL_MEDIAN;
        if bucket == 0 {
            Some((Side::Lower, scale))
        } else if bucket + 1 == self.buckets() {
            Some((Side::Upper, scale))
        } else {
            None
        }
    }

    fn log_density_at(&self, bucket: usize, y: f32) -> f32 {
        match self.tail(bucket) {
            None => self.log_density[bucket],
            Some((side, s)) => {
                let (low, high) = self.ends(bucket);
                let from = match side {
                    Side::Lower => high - f64::from(y),
                    Side::Upper => f64::from(y) - low,
                };
                ((3.0 / s).ln() - 4.0 * (from / s).ln_1p()) as f32
            }
        }
    }

    /// The `share`-quantile of one bucket.
    fn inside(&self, bucket: usize, share: f64) -> f64 {
        let (low, high) = self.ends(bucket);
        let inner = share.clamp(1e-7, 1.0 - 1e-7);
        match self.tail(bucket) {
            None => low + share * (high - low),
            Some((Side::Lower, s)) => high - s * (inner.cbrt().recip() - 1.0),
            Some((Side::Upper, s)) => low + s * ((1.0 - inner).cbrt().recip() - 1.0),
        }
    }

    /// The logarithm of the expected improvement over `f` given that the outcome is in the bucket.
    fn log_gain(&self, bucket: usize, f: f64) -> f64 {
        let (low, high) = self.ends(bucket);
        match self.tail(bucket) {
            None if f >= high => f64::NEG_INFINITY,
            None if f <= low => (f64::midpoint(low, high) - f).ln(),
            None => ((high - f).powi(2) / (2.0 * (high - low))).ln(),
            Some((Side::Lower, _)) if f >= high => f64::NEG_INFINITY,
            // The integral of the distribution function up to `a`, without cancellation.
            Some((Side::Lower, s)) => {
                let a = (high - f) / s;
                (s * a * a * (a + 1.5) / (1.0 + a).powi(2)).ln()
            }
            Some((Side::Upper, s)) if f <= low => (low - f + 0.5 * s).ln(),
            Some((Side::Upper, s)) => (0.5 * s).ln() - 2.0 * ((f - low) / s).ln_1p(),
        }
    }
}

#[derive(Clone, Copy)]
enum Side {
    Lower,
    Upper,
}

/// The expected improvement of each bucket over one incumbent: see [`Bar::improvement`].
#[derive(Debug, Clone, PartialEq)]
pub struct Improvement {
    gains: Vec<f32>,
    log_gains: Vec<f32>,
}

impl Improvement {
    /// `Σ_b p_b · gain_b`.
    #[must_use]
    #[track_caller]
    pub fn expected(&self, logits: &[f32]) -> f32 {
        self.check(logits);
        let total = log_sum_exp(logits);
        logits
            .iter()
            .zip(&self.gains)
            .map(|(&l, &gain)| f64::from((l - total).exp()) * f64::from(gain))
            .sum::<f64>() as f32
    }

    /// Its logarithm, which does not underflow; its gradient by the logits is written to `gradient`.
    #[track_caller]
    pub fn log_expected(&self, logits: &[f32], gradient: Option<&mut [f32]>) -> f32 {
        self.check(logits);
        let (weighted, total) = (self.log_weighted(logits), log_sum_exp(logits));
        if let Some(gradient) = gradient {
            self.check(gradient);
            for ((g, &l), &log_gain) in gradient.iter_mut().zip(logits).zip(&self.log_gains) {
                *g = (l + log_gain - weighted).exp() - (l - total).exp();
            }
        }
        weighted - total
    }

    fn log_weighted(&self, logits: &[f32]) -> f32 {
        let terms = || logits.iter().zip(&self.log_gains).map(|(&l, &g)| l + g);
        let largest = terms().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = terms().map(|t| (t - largest).exp()).sum();
        largest + sum.ln()
    }

    #[track_caller]
    fn check(&self, logits: &[f32]) {
        assert_eq!(
            logits.len(),
            self.gains.len(),
            "{} logits for {} buckets",
            logits.len(),
            self.gains.len()
        );
    }
}

/// `ln Σ exp(l)`, shifted by the largest so that nothing overflows.
pub(crate) fn log_sum_exp(logits: &[f32]) -> f32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|&l| (l - largest).exp()).sum();
    largest + sum.ln()
}

#[cfg(test)]
mod tests {
    use rand::RngExt as _;
    use warmfront_core::{Purpose, Seed};
    use warmfront_testkit::{assert_close, check_gradient};

    use warmfront_math::special::ndtri;

    use super::*;

    fn bars() -> Vec<Bar> {
        let sample: Vec<f32> = (0..500)
            .map(|i| ndtri((f64::from(i) + 0.5) / 500.0) as f32)
            .collect();
        vec![
            Bar::uniform(-0.1, 1.1, 24),
            Bar::uniform(-3.0, 3.0, 24).with_tails(),
            Bar::quantiles(&sample, 24).unwrap().with_tails(),
        ]
    }

    fn logits(bar: &Bar, seed: u64) -> Vec<f32> {
        let mut rng = Seed(seed).stream(Purpose::Init, 0);
        (0..bar.buckets())
            .map(|_| 4.0 * rng.random::<f32>() - 2.0)
            .collect()
    }

    /// `∫ g(y) p(y) dy` by the midpoint rule over a fine grid inside each bucket.
    fn integrate(bar: &Bar, logits: &[f32], g: impl Fn(f64) -> f64) -> f64 {
        let borders: Vec<f64> = bar.borders().iter().map(|&b| f64::from(b)).collect();
        let last = bar.buckets() - 1;
        let n = 4000;
        let mut total = 0.0;
        for b in 0..=last {
            let (low, high) = (borders[b], borders[b + 1]);
            let tail = bar.tails() && (b == 0 || b == last);
            // In a tail the steps grow, out to ten thousand widths.
            let at = |i: i32| {
                let share = f64::from(i) / f64::from(n);
                let reach = (high - low)
                    * if tail {
                        1e4_f64.powf(share) - 1.0
                    } else {
                        share
                    };
                if tail && b == 0 {
                    high - reach
                } else {
                    low + reach
                }
            };
            for i in 0..n {
                let (from, to) = (at(i), at(i + 1));
                let y = f64::midpoint(from, to);
                let density = f64::from(-bar.nll(logits, y as f32)).exp();
                total += g(y) * density * (to - from).abs();
            }
        }
        total
    }

    #[test]
    fn density_integrates_to_one_and_has_these_moments() {
        for (seed, bar) in (0..).zip(bars()) {
            let l = logits(&bar, seed);
            assert_close(integrate(&bar, &l, |_| 1.0), 1.0, 2e-4, 0.0, "mass");
            let mean = f64::from(bar.mean(&l));
            assert_close(mean, integrate(&bar, &l, |y| y), 1e-3, 1e-3, "mean");
            let variance = integrate(&bar, &l, |y| (y - mean).powi(2));
            assert_close(bar.variance(&l).into(), variance, 2e-3, 0.0, "variance");
        }
    }

    #[test]
    fn expected_improvement_is_the_integral() {
        for (seed, bar) in (0..).zip(bars()) {
            let l = logits(&bar, seed);
            for f in [-9.0, -2.9, -0.3, 0.013, 0.5, 0.77, 0.9, 2.9] {
                if !bar.tails() && f > 1.0 {
                    continue;
                }
                let expected = integrate(&bar, &l, |y| (y - f).max(0.0));
                let ei = bar.expected_improvement(&l, f as f32);
                assert_close(ei.into(), expected, 2e-3, 1e-6, &format!("f = {f}"));
                let log = bar.log_expected_improvement(&l, f as f32, None);
                assert_close(log.into(), f64::from(ei).ln(), 1e-4, 1e-4, "log");
            }
        }
    }

    #[test]
    fn expected_improvement_far_below_and_above() {
        for (seed, bar) in (0..).zip(bars()) {
            let l = logits(&bar, seed);
            let far = bar.expected_improvement(&l, -100.0);
            assert_close(
                far.into(),
                f64::from(bar.mean(&l)) + 100.0,
                1e-5,
                0.0,
                "below",
            );
            let above = bar.expected_improvement(&l, 30.0);
            assert!(above < 0.05, "{above}");
            assert!(bar.log_expected_improvement(&l, 1e6, None).is_finite());
        }
        let bar = &bars()[1];
        let (a, b) = (vec![0.0; 24], {
            let mut l = vec![0.0; 24];
            l[23] = 1.0;
            l
        });
        // Far out the logarithms still tell candidates apart.
        assert!(
            bar.log_expected_improvement(&b, 40.0, None)
                > bar.log_expected_improvement(&a, 40.0, None)
        );
    }

    #[test]
    fn one_bucket_has_no_tails() {
        let bar = Bar::uniform(0.0, 1.0, 1).with_tails();
        assert_close(bar.mean(&[3.0]).into(), 0.5, 1e-6, 0.0, "mean");
        for incumbent in [-1.0, 0.5, 1.0, 7.0] {
            let log = bar.log_expected_improvement(&[3.0], incumbent, None);
            assert!(log.is_finite(), "{log} over {incumbent}");
        }
    }

    #[test]
    fn draws_are_always_the_same() {
        let bar = Bar::uniform(-3.0, 3.0, 24).with_tails();
        let logits = logits(&bar, 1);
        let mut rng = Seed(2).stream(Purpose::Init, 0);
        let draws: Vec<f32> = (0..4).map(|_| bar.sample(&logits, &mut rng)).collect();
        let expected = [2.501_054, -2.592_229_8, -1.380_103_5, 0.397_495_1];
        for (draw, expected) in draws.iter().zip(expected) {
            assert_close(f64::from(*draw), expected, 1e-5, 0.0, "draw");
        }
    }

    #[test]
    fn buckets_at_the_borders() {
        let bar = Bar::uniform(-0.1, 1.1, 1000);
        assert_eq!((bar.bucket(-0.1), bar.bucket(1.1)), (0, 999));
        assert_eq!((bar.bucket(-7.0), bar.bucket(9.0)), (0, 999));
        assert_eq!(bar.bucket(bar.borders()[5]), 4);
        let flat = vec![0.0; 1000];
        assert_close(
            bar.nll(&flat, 0.3).into(),
            0.182_321_6,
            0.0,
            2e-4,
            "uniform",
        );
        let mut sharp = vec![-100.0; 1000];
        sharp[bar.bucket(0.3)] = 100.0;
        assert_close(bar.nll(&sharp, 0.3).into(), -6.725_434, 1e-3, 0.0, "sharp");
    }

    #[test]
    fn quantiles_invert_the_distribution() {
        for (seed, bar) in (0..).zip(bars()) {
            let l = logits(&bar, seed);
            for p in [0.001, 0.2, 0.5, 0.93, 0.9995] {
                let q = f64::from(bar.quantile(&l, p));
                let below = integrate(&bar, &l, |y| if y <= q { 1.0 } else { 0.0 });
                assert_close(below, p, 0.0, 2e-3, &format!("p = {p}"));
            }
            let mut rng = Seed(seed).stream(Purpose::Ask, 1);
            let mean = (0..20_000)
                .map(|_| f64::from(bar.sample(&l, &mut rng)))
                .sum::<f64>()
                / 20_000.0;
            let spread = f64::from(bar.variance(&l)).sqrt();
            assert_close(mean, bar.mean(&l).into(), 0.0, 0.03 * spread, "sample mean");
        }
    }

    #[test]
    fn quantile_borders_of_a_sample_with_ties() {
        let mut sample = vec![0.0; 300];
        sample.extend((0..100).map(|i| i as f32 / 100.0));
        let bar = Bar::quantiles(&sample, 40).unwrap();
        assert_eq!(bar.buckets(), 40);
        assert!(bar.bucket(0.5) > 25);
        assert!(Bar::quantiles(&[2.0; 9], 4).is_err());
        assert!(Bar::quantiles(&[], 4).is_err());
        assert!(Bar::quantiles(&[1e6, 1e6 + 1.0], 64).is_ok());
    }

    #[test]
    fn gradients_are_those_of_the_values() {
        for (seed, bar) in (0..).zip(bars()) {
            let l = logits(&bar, seed);
            // The reference is the same formula in f64.
            let x: Vec<f64> = l.iter().map(|&v| v.into()).collect();
            let lse = |x: &[f64]| warmfront_math::special::logsumexp(x);
            let mut gradient = vec![0.0; 24];
            bar.nll_gradient(&l, 0.4, 1.0, &mut gradient);
            let bucket = bar.bucket(0.4);
            let wide: Vec<f64> = gradient.iter().map(|&g| g.into()).collect();
            check_gradient(|x| lse(x) - x[bucket], &wide, &x, 1e-5);

            let improvement = bar.improvement(0.4);
            let mut gradient = vec![0.0; 24];
            improvement.log_expected(&l, Some(&mut gradient));
            let wide: Vec<f64> = gradient.iter().map(|&g| g.into()).collect();
            let log_gains: Vec<f64> = improvement.log_gains.iter().map(|&g| g.into()).collect();
            let log_ei = |x: &[f64]| {
                let sum: f64 = x.iter().zip(&log_gains).map(|(l, g)| (l + g).exp()).sum();
                sum.ln() - lse(x)
            };
            check_gradient(log_ei, &wide, &x, 1e-5);
        }
    }

    #[test]
    fn bad_borders_are_errors() {
        assert!(Bar::new(vec![0.0], false).is_err());
        assert!(Bar::new(vec![0.0, 0.0], false).is_err());
        assert!(Bar::new(vec![1.0, 0.0], false).is_err());
        assert!(Bar::new(vec![0.0, f32::NAN], false).is_err());
    }
}
