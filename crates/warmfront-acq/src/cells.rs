//! Hypervolume improvements of sampled outcomes over sampled fronts, with smooth edges.
//!
//! Each sample has its own box decomposition of the non-dominated region, or all share one. In a box
//! `[l, u)` an outcome `y` gains `Π_o (u_o − max(l_o, y_o))₊`. The positive part has a zero gradient
//! where nothing is gained, so it is replaced by `r(t) = (t + √(t² + 4τ²))/2`, which exceeds it by
//! τ²/|t| away from zero: a tail so fat that the logarithm of the mean stays informative anywhere,
//! while its excess is below anything a sample can resolve. It needs no exponential, and products
//! of it stay far from underflow, so one logarithm at the end is enough.
//!
//! For `q` points the boxes `Π_o [0, r_o(j)]` of one cell share a corner: the volume of their union
//! follows by inclusion and exclusion, where an intersection is an elementwise minimum. It is at
//! least the volume of the largest, so that the alternating sum never cancels to nothing.
//!
//! # References
//! Ament et al. 2023, section 4 and appendix A (smooth, fat-tailed logarithmic improvements; the
//! tail here is algebraic instead of a softplus plus a Cauchy term). Daulton, Balandat and Bakshy
//! 2020, equation 3 (inclusion–exclusion over boxes).

use warmfront_linalg::simd::{self, Loop};
use warmfront_pareto::BoxDecomposition;

/// Most objectives for which boxes are used.
pub(crate) const MAX_OBJECTIVES: usize = 6;

/// Width of the rounded edge, in units of the normalised objectives.
const TAU: f64 = 1e-6;
const FOUR_TAU2: f64 = 4.0 * TAU * TAU;
const TAU2: f64 = TAU * TAU;

/// Where lengths are cut off, by the number of objectives: so that a product of two for each does
/// not overflow.
const FAR: [f64; MAX_OBJECTIVES + 1] = [0.0, 1e150, 1e75, 1e50, 1e37, 1e30, 1e25];

const LANES: usize = 4;

/// Boxes in a row that one step of the smooth improvement takes.
const BLOCK: usize = 16;

/// The smooth positive part `r(t)` and its slope `r'(t)`.
#[inline(always)]
pub(crate) fn smooth_positive(t: f64) -> (f64, f64) {
    let s = (t * t + FOUR_TAU2).sqrt();
    let p = 0.5 * (t.abs() + s);
    let r = if t >= 0.0 { p } else { TAU2 / p };
    (r, r / s)
}

/// Boxes of several samples, normalised so that the reference point is the origin.
#[derive(Debug, Clone)]
pub(crate) struct SampleCells {
    m: usize,
    /// Start of each sample's block in cells, and the end; two entries if all samples share one.
    starts: Vec<usize>,
    /// For each sample, objective by objective, its boxes' bounds; padded with empty boxes.
    lower: Vec<f64>,
    upper: Vec<f64>,
    reference: Vec<f64>,
    inverse_scale: Vec<f64>,
}

impl SampleCells {
    /// No samples yet; bounds will be stored as `(bound − reference)/scale`.
    pub(crate) fn new(reference: &[f64], scale: &[f64]) -> Self {
        Self {
            m: reference.len(),
            starts: vec![0],
            lower: Vec::new(),
            upper: Vec::new(),
            reference: reference.to_vec(),
            inverse_scale: scale.iter().map(|s| 1.0 / s).collect(),
        }
    }

    /// Appends the boxes of one sample.
    pub(crate) fn push(&mut self, boxes: &BoxDecomposition) {
        let n = boxes.len().next_multiple_of(LANES);
        for o in 0..self.m {
            let (r, c) = (self.reference[o], self.inverse_scale[o]);
            let padding = n - boxes.len();
            let pads = |value: f64| std::iter::repeat_n(value, padding);
            self.lower
                .extend(boxes.lower(o).iter().map(|l| (l - r) * c));
            self.lower.extend(pads(0.0));
            self.upper
                .extend(boxes.upper(o).iter().map(|u| (u - r) * c));
            // A length, and a slope, that vanish beside any other.
            self.upper.extend(pads(f64::NEG_INFINITY));
        }
        self.starts.push(self.starts[self.starts.len() - 1] + n);
    }

    #[inline(always)]
    fn block(&self, sample: usize) -> (usize, &[f64], &[f64]) {
        let at = if self.starts.len() == 2 { 0 } else { sample };
        let (from, to) = (self.starts[at], self.starts[at + 1]);
        let range = from * self.m..to * self.m;
        (to - from, &self.lower[range.clone()], &self.upper[range])
    }

    /// Boxes in all, padding included.
    pub(crate) fn len(&self) -> usize {
        self.starts[self.starts.len() - 1]
    }

    /// Mean over the samples of the smooth improvement of `q` outcomes, in normalised units, and its
    /// derivatives with respect to `f` if wanted. `f` and `f_bar` are `qm×S`, one row a variable.
    pub(crate) fn mean_smooth(&self, f: &[f64], q: usize, f_bar: Option<&mut [f64]>) -> f64 {
        if q == 1 {
            return match self.m {
                1 => self.mean_single::<1>(f, f_bar),
                2 => self.mean_single::<2>(f, f_bar),
                3 => self.mean_single::<3>(f, f_bar),
                4 => self.mean_single::<4>(f, f_bar),
                5 => self.mean_single::<5>(f, f_bar),
                _ => self.mean_single::<6>(f, f_bar),
            };
        }
        let mut joint = Joint::new(q, self.m);
        let samples = f.len() / (q * self.m);
        let share = 1.0 / samples as f64;
        let mut total = 0.0;
        let mut f_bar = f_bar;
        for s in 0..samples {
            for (v, y) in joint.y.iter_mut().enumerate() {
                let o = v / q;
                *y = (f[v * samples + s] - self.reference[o]) * self.inverse_scale[o];
            }
            let (n, lower, upper) = self.block(s);
            joint.slope.fill(0.0);
            for c in 0..n {
                total += joint.add_cell(c, n, lower, upper) * share;
            }
            if let Some(f_bar) = f_bar.as_deref_mut() {
                for (v, slope) in joint.slope.iter().enumerate() {
                    f_bar[v * samples + s] = slope * self.inverse_scale[v / q] * share;
                }
            }
        }
        total
    }

    fn mean_single<const M: usize>(&self, f: &[f64], f_bar: Option<&mut [f64]>) -> f64 {
        simd::run(MeanSingle::<M> {
            cells: self,
            f,
            f_bar,
        })
    }

    #[inline(always)]
    fn mean_single_of<const M: usize>(&self, f: &[f64], mut f_bar: Option<&mut [f64]>) -> f64 {
        let samples = f.len() / M;
        let share = 1.0 / samples as f64;
        let mut total = 0.0;
        let scratch = &mut Scratch::<M>::new();
        for s in 0..samples {
            let y = self.outcome::<M>(f, s, samples);
            let (n, lower, upper) = self.block(s);
            match f_bar.as_deref_mut() {
                None => total += smooth_single::<M, false>(lower, upper, n, &y, scratch).0,
                Some(f_bar) => {
                    let (value, slope) = smooth_single::<M, true>(lower, upper, n, &y, scratch);
                    total += value;
                    for o in 0..M {
                        f_bar[o * samples + s] = slope[o] * self.inverse_scale[o] * share;
                    }
                }
            }
        }
        total * share
    }

    /// Mean over the samples of the improvement of one outcome without smoothing.
    pub(crate) fn mean_plain(&self, f: &[f64]) -> f64 {
        match self.m {
            1 => simd::run(MeanPlain::<1>(self, f)),
            2 => simd::run(MeanPlain::<2>(self, f)),
            3 => simd::run(MeanPlain::<3>(self, f)),
            4 => simd::run(MeanPlain::<4>(self, f)),
            5 => simd::run(MeanPlain::<5>(self, f)),
            _ => simd::run(MeanPlain::<6>(self, f)),
        }
    }

    #[inline(always)]
    fn mean_plain_of<const M: usize>(&self, f: &[f64]) -> f64 {
        let samples = f.len() / M;
        let mut total = 0.0;
        for s in 0..samples {
            let y = self.outcome::<M>(f, s, samples);
            // Not below the reference point: nothing to gain in any box.
            if y.iter().any(|&y| y >= 0.0) {
                continue;
            }
            let (n, lower, upper) = self.block(s);
            total += plain_single(lower, upper, n, &y);
        }
        total / samples as f64
    }

    #[inline(always)]
    fn outcome<const M: usize>(&self, f: &[f64], s: usize, samples: usize) -> [f64; M] {
        std::array::from_fn(|o| (f[o * samples + s] - self.reference[o]) * self.inverse_scale[o])
    }
}

#[inline(always)]
fn lanes(x: &[f64], at: usize) -> &[f64; LANES] {
    x[at..at + LANES]
        .first_chunk()
        .expect("the range has this length")
}

/// [`SampleCells::mean_smooth`] for one point.
struct MeanSingle<'a, const M: usize> {
    cells: &'a SampleCells,
    f: &'a [f64],
    f_bar: Option<&'a mut [f64]>,
}

impl<const M: usize> Loop for MeanSingle<'_, M> {
    type Output = f64;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> f64 {
        self.cells.mean_single_of::<M>(self.f, self.f_bar)
    }
}

/// [`SampleCells::mean_plain`].
struct MeanPlain<'a, const M: usize>(&'a SampleCells, &'a [f64]);

impl<const M: usize> Loop for MeanPlain<'_, M> {
    type Output = f64;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> f64 {
        self.0.mean_plain_of::<M>(self.1)
    }
}

/// The sum over the boxes of `Π_o r(t_o)`, and its derivatives with respect to `y`.
///
/// `r(t)` is `p` or `τ²/p` with `p = (|t| + s)/2`, and `r'/r = 1/s`. Divisions are the slowest step,
/// so that there is one for each box: by the product of all that is divided by.
#[inline(always)]
fn smooth_single<const M: usize, const SLOPE: bool>(
    lower: &[f64],
    upper: &[f64],
    n: usize,
    y: &[f64; M],
    scratch: &mut Scratch<M>,
) -> (f64, [f64; M]) {
    let mut total = [0.0; BLOCK];
    let mut slope = [[0.0; BLOCK]; M];
    let Scratch {
        numerator,
        denominator,
        all,
        s,
    } = scratch;
    let far = FAR[M];
    for start in (0..n).step_by(BLOCK) {
        let len = BLOCK.min(n - start);
        let of = |o: usize| o * n + start..o * n + start + len;
        for o in 0..M {
            let (lo, up) = (&lower[of(o)], &upper[of(o)]);
            let y = y[o];
            let (numerator, denominator) = (&mut numerator[..len], &mut denominator[..len]);
            let (all, s) = (&mut all[..len], &mut s[o][..len]);
            for l in 0..len {
                // One instruction, which `f64::max` with its NaN rule is not.
                let t = up[l] - if lo[l] > y { lo[l] } else { y };
                let t = if t > far { far } else { t };
                let t = if t < -far { -far } else { t };
                let root = (t * t + FOUR_TAU2).sqrt();
                let p = 0.5 * (t.abs() + root);
                let above = if t >= 0.0 { p } else { TAU2 };
                let below = if t >= 0.0 { 1.0 } else { p };
                let first = o == 0;
                numerator[l] = if first { above } else { numerator[l] * above };
                denominator[l] = if first { below } else { denominator[l] * below };
                if SLOPE {
                    s[l] = root;
                    all[l] = if first { root } else { all[l] * root };
                }
            }
        }
        if !SLOPE {
            for l in 0..len {
                total[l] += numerator[l] / denominator[l];
            }
            continue;
        }
        // The product of the roots of all other objectives, the rest of the way, is what is left.
        for l in 0..len {
            let rest = numerator[l] / (denominator[l] * all[l]);
            numerator[l] = rest;
            total[l] += rest * all[l];
        }
        for o in 0..M {
            let lo = &lower[of(o)];
            let y = y[o];
            for l in 0..len {
                let mut rate = numerator[l];
                for (other, s) in s.iter().enumerate() {
                    if other != o {
                        rate *= s[l];
                    }
                }
                slope[o][l] -= if y > lo[l] { rate } else { 0.0 };
            }
        }
    }
    (sum_block(total), slope.map(sum_block))
}

/// Products of one block of boxes; `s` holds the roots of each objective.
struct Scratch<const M: usize> {
    numerator: [f64; BLOCK],
    denominator: [f64; BLOCK],
    all: [f64; BLOCK],
    s: [[f64; BLOCK]; M],
}

impl<const M: usize> Scratch<M> {
    #[inline(always)]
    fn new() -> Self {
        Self {
            numerator: [1.0; BLOCK],
            denominator: [1.0; BLOCK],
            all: [1.0; BLOCK],
            s: [[1.0; BLOCK]; M],
        }
    }
}

#[inline(always)]
fn sum_block(mut x: [f64; BLOCK]) -> f64 {
    let mut width = BLOCK / 2;
    while width > 0 {
        for l in 0..width {
            x[l] += x[l + width];
        }
        width /= 2;
    }
    x[0]
}

#[inline(always)]
fn plain_single<const M: usize>(lower: &[f64], upper: &[f64], n: usize, y: &[f64; M]) -> f64 {
    let mut total = [0.0; LANES];
    for c in (0..n).step_by(LANES) {
        let mut volume = [1.0; LANES];
        for o in 0..M {
            let (lo, up) = (lanes(lower, o * n + c), lanes(upper, o * n + c));
            for l in 0..LANES {
                let t = up[l] - if lo[l] > y[o] { lo[l] } else { y[o] };
                volume[l] *= if t > 0.0 { t } else { 0.0 };
            }
        }
        for l in 0..LANES {
            total[l] += volume[l];
        }
    }
    (total[0] + total[2]) + (total[1] + total[3])
}

/// Scratch of the union of `q` boxes in one cell.
struct Joint {
    q: usize,
    m: usize,
    /// Outcomes, objective-major.
    y: Vec<f64>,
    /// Derivatives of the improvement with respect to `y`.
    slope: Vec<f64>,
    /// Lengths of the boxes and their slopes, objective-major.
    length: Vec<f64>,
    rate: Vec<f64>,
    /// Which point limits each objective of an intersection.
    limiting: Vec<usize>,
}

impl Joint {
    fn new(q: usize, m: usize) -> Self {
        let zeros = || vec![0.0; q * m];
        Self {
            q,
            m,
            y: zeros(),
            slope: zeros(),
            length: zeros(),
            rate: zeros(),
            limiting: vec![0; m],
        }
    }

    /// Volume of the union in box `c` of `n`; adds its derivatives to `slope`.
    fn add_cell(&mut self, c: usize, n: usize, lower: &[f64], upper: &[f64]) -> f64 {
        let (q, m) = (self.q, self.m);
        for v in 0..q * m {
            let (lo, up) = (lower[v / q * n + c], upper[v / q * n + c]);
            let (r, slope) = smooth_positive(up - lo.max(self.y[v]));
            self.length[v] = r;
            // The padding's slope is 0/∞, its length 0.
            self.rate[v] = if self.y[v] > lo && r > 0.0 {
                slope / r
            } else {
                0.0
            };
        }
        let mut total = 0.0;
        for subset in 1_u32..1 << q {
            let mut volume = 1.0;
            for o in 0..m {
                let mut smallest = f64::INFINITY;
                for i in (0..q).filter(|i| subset >> i & 1 == 1) {
                    if self.length[o * q + i] < smallest {
                        smallest = self.length[o * q + i];
                        self.limiting[o] = o * q + i;
                    }
                }
                volume *= smallest;
            }
            if subset.count_ones() % 2 == 0 {
                volume = -volume;
            }
            total += volume;
            for &v in &self.limiting {
                self.slope[v] -= volume * self.rate[v];
            }
        }
        total
    }
}
