//! Vectorised functions of slices: exponential, dot product, scaled addition.

use faer::{Mat, MatMut, MatRef};

use crate::parallel::{LARGE, both, column_blocks, for_each};
use crate::simd::{self, Loop, fma, sum_lanes};

/// Adding and subtracting this rounds to the nearest integer and leaves it in the low mantissa bits.
const ROUNDING_SHIFT: f64 = 6_755_399_441_055_744.0;
/// Below this the result would be subnormal; it is flushed to zero.
const SMALLEST_ARGUMENT: f64 = -708.0;
/// Above this the scaling by a power of two would overflow.
const LARGEST_ARGUMENT: f64 = 709.0;

/// `exp` without branches: argument reduction by ln 2, then a Taylor polynomial of degree 13,
/// whose remainder on |r| ≤ ln 2 / 2 is below 1e-17.
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(x: f64) -> f64 {
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    // min and max would turn NaN into a number, so the comparison is written out.
    let clamped = if x > LARGEST_ARGUMENT {
        LARGEST_ARGUMENT
    } else {
        x
    };
    let clamped = if clamped < SMALLEST_ARGUMENT {
        SMALLEST_ARGUMENT
    } else {
        clamped
    };
    let shifted = fma::<FMA>(clamped, std::f64::consts::LOG2_E, ROUNDING_SHIFT);
    let k = shifted - ROUNDING_SHIFT;
    let r = fma::<FMA>(-k, LN2_HIGH, clamped);
    let r = fma::<FMA>(-k, LN2_LOW, r);
    // Estrin's scheme: a tree instead of a chain, so that the latencies overlap.
    let r2 = r * r;
    let r4 = r2 * r2;
    let r8 = r4 * r4;
    let p23 = fma::<FMA>(r, 1.0 / 6.0, 0.5);
    let p45 = fma::<FMA>(r, 1.0 / 120.0, 1.0 / 24.0);
    let p67 = fma::<FMA>(r, 1.0 / 5_040.0, 1.0 / 720.0);
    let p89 = fma::<FMA>(r, 1.0 / 362_880.0, 1.0 / 40_320.0);
    let p1011 = fma::<FMA>(r, 1.0 / 39_916_800.0, 1.0 / 3_628_800.0);
    let p1213 = fma::<FMA>(r, 1.0 / 6_227_020_800.0, 1.0 / 479_001_600.0);
    let low = fma::<FMA>(r2, p45, p23);
    let middle = fma::<FMA>(r2, p89, p67);
    let high = fma::<FMA>(r2, p1213, p1011);
    let q = fma::<FMA>(r8, high, fma::<FMA>(r4, middle, low));
    // 1 is added last: r + r²q is below 0.42, so its rounding error is a fraction of an ulp of 1.
    let p = 1.0 + fma::<FMA>(r2, q, r);
    let scaled = f64::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 52));
    let scaled = if x < SMALLEST_ARGUMENT { 0.0 } else { scaled };
    let scaled = if x > LARGEST_ARGUMENT {
        f64::INFINITY
    } else {
        scaled
    };
    if x.is_nan() { x } else { scaled }
}

struct Exp<'a>(&'a mut [f64]);

impl Loop for Exp<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for v in self.0.iter_mut() {
            *v = exp::<FMA>(*v);
        }
    }
}

/// Replaces every value by its exponential, to within 1e-15 relative.
///
/// Results below 1e-307 (arguments below −708) become 0 and arguments above 709 give infinity.
///
/// ```
/// let mut values = [0.0, 1.0, -2.5];
/// warmfront_linalg::exp_in_place(&mut values);
/// assert!((values[1] - std::f64::consts::E).abs() < 1e-15);
/// ```
pub fn exp_in_place(values: &mut [f64]) {
    simd::run(Exp(values));
}

struct Dot<'a>(&'a [f64], &'a [f64]);

impl Loop for Dot<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> f64 {
        let n = self.0.len();
        let (a, b) = (&self.0[..n], &self.1[..n]);
        sum_lanes(n, |i, sum| fma::<FMA>(a[i], b[i], sum))
    }
}

/// The inner product of two slices.
///
/// # Panics
/// If the lengths differ.
#[track_caller]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert!(
        a.len() == b.len(),
        "dot product of lengths {} and {}",
        a.len(),
        b.len()
    );
    simd::run(Dot(a, b))
}

struct Axpy<'a>(f64, &'a [f64], &'a mut [f64]);

impl Loop for Axpy<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (y, &x) in self.2.iter_mut().zip(self.1) {
            *y = fma::<FMA>(self.0, x, *y);
        }
    }
}

/// Adds `factor·x` to `y`.
///
/// # Panics
/// If the lengths differ.
#[track_caller]
pub fn axpy(factor: f64, x: &[f64], y: &mut [f64]) {
    assert!(
        x.len() == y.len(),
        "scaled addition of lengths {} and {}",
        x.len(),
        y.len()
    );
    simd::run(Axpy(factor, x, y));
}

struct AxpyPair<'a>([f64; 2], &'a [f64], &'a mut [f64], &'a mut [f64]);

impl Loop for AxpyPair<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for ((a, b), &x) in self.2.iter_mut().zip(self.3.iter_mut()).zip(self.1) {
            *a = fma::<FMA>(self.0[0], x, *a);
            *b = fma::<FMA>(self.0[1], x, *b);
        }
    }
}

/// Adds `factors[0]·x` to `a` and `factors[1]·x` to `b`, of equal lengths.
pub(crate) fn axpy_pair(factors: [f64; 2], x: &[f64], a: &mut [f64], b: &mut [f64]) {
    simd::run(AxpyPair(factors, x, a, b));
}

struct LikelihoodWeights<'a> {
    factor: f64,
    alpha: &'a [f64],
    inverse: &'a [f64],
    slope: &'a [f64],
    out: &'a mut [f64],
}

impl Loop for LikelihoodWeights<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (((o, &a), &k), &s) in self
            .out
            .iter_mut()
            .zip(self.alpha)
            .zip(self.inverse)
            .zip(self.slope)
        {
            *o = fma::<FMA>(self.factor, a, -k) * s;
        }
    }
}

/// Writes `(factor·alpha − inverse)·slope` element by element into `out`.
///
/// One column of `(αα^T − K⁻¹)∘∂K`, from which a marginal likelihood's gradient is summed.
///
/// # Panics
/// If the lengths differ.
#[track_caller]
pub fn likelihood_weights(
    factor: f64,
    alpha: &[f64],
    inverse: &[f64],
    slope: &[f64],
    out: &mut [f64],
) {
    let n = out.len();
    assert!(
        alpha.len() == n && inverse.len() == n && slope.len() == n,
        "weights of lengths {}, {} and {} into {n}",
        alpha.len(),
        inverse.len(),
        slope.len()
    );
    simd::run(LikelihoodWeights {
        factor,
        alpha,
        inverse,
        slope,
        out,
    });
}

/// Copies the lower triangle of a square matrix onto its upper triangle.
///
/// # Panics
/// If the matrix is not square.
#[track_caller]
pub fn fill_upper_from_lower(a: &mut Mat<f64>) {
    fill_upper(a.as_mut());
}

#[track_caller]
pub(crate) fn fill_upper(a: MatMut<'_, f64>) {
    let n = a.nrows();
    assert!(
        n == a.ncols(),
        "expected a square matrix, got {}×{}",
        n,
        a.ncols()
    );
    if n < LARGE || rayon::current_num_threads() < 2 {
        fill_upper_in_tiles(a);
        return;
    }
    let (top, upper, lower, bottom) = a.split_at_mut(n / 2, n / 2);
    let lower = lower.as_ref();
    let blocks = column_blocks(upper, TRANSPOSED_TILE).into_iter();
    let blocks = blocks.enumerate().collect();
    for_each(blocks, |(index, block): (usize, MatMut<'_, f64>)| {
        let from = lower.subrows(index * TRANSPOSED_TILE, block.ncols());
        copy_transposed(from, block);
    });
    both(|| fill_upper(top), || fill_upper(bottom));
}

/// Keeps strided accesses within the first-level cache.
const TRANSPOSED_TILE: usize = 32;

fn copy_transposed(from: MatRef<'_, f64>, mut to: MatMut<'_, f64>) {
    for first in (0..to.nrows()).step_by(TRANSPOSED_TILE) {
        for j in 0..to.ncols() {
            for i in first..to.nrows().min(first + TRANSPOSED_TILE) {
                to[(i, j)] = from[(j, i)];
            }
        }
    }
}

fn fill_upper_in_tiles(mut a: MatMut<'_, f64>) {
    let n = a.nrows();
    for block_column in (0..n).step_by(TRANSPOSED_TILE) {
        let last_column = (block_column + TRANSPOSED_TILE).min(n);
        for block_row in (block_column..n).step_by(TRANSPOSED_TILE) {
            let last_row = (block_row + TRANSPOSED_TILE).min(n);
            for j in block_column..last_column {
                for i in block_row.max(j + 1)..last_row {
                    a[(j, i)] = a[(i, j)];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_agrees_with_the_standard_library() {
        let mut worst: f64 = 0.0;
        let arguments: Vec<f64> = (0..200_003)
            .map(|i| -707.9 + f64::from(i) * (1416.0 / 200_003.0))
            .collect();
        let mut values = arguments.clone();
        exp_in_place(&mut values);
        for (&x, &value) in arguments.iter().zip(&values) {
            let exact = x.exp();
            worst = worst.max(((value - exact) / exact).abs());
        }
        assert!(worst < 5e-16, "relative error {worst:e}");
    }

    #[test]
    fn exponential_near_zero_and_at_the_edges() {
        let mut values = vec![
            0.0,
            -0.0,
            1e-300,
            -1e-18,
            -1e4,
            1e4,
            f64::NEG_INFINITY,
            f64::INFINITY,
            f64::NAN,
        ];
        exp_in_place(&mut values);
        assert_eq!(
            &values[..8],
            &[1.0, 1.0, 1.0, 1.0, 0.0, f64::INFINITY, 0.0, f64::INFINITY]
        );
        assert!(values[8].is_nan());
    }

    #[test]
    fn dot_and_axpy_at_block_edges() {
        for n in [0, 1, 2, 15, 16, 17, 63, 64, 65] {
            let a: Vec<f64> = (0..n).map(f64::from).collect();
            let b: Vec<f64> = (0..n).map(|i| f64::from(i % 7) - 3.0).collect();
            let expected: f64 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
            assert!((dot(&a, &b) - expected).abs() <= 1e-12 * expected.abs().max(1.0));
            let mut c = b.clone();
            axpy(2.0, &a, &mut c);
            for i in 0..a.len() {
                assert!((c[i] - (b[i] + 2.0 * a[i])).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn likelihood_weights_agree_with_their_formula() {
        let mut out = [0.0; 2];
        likelihood_weights(2.0, &[1.0, 3.0], &[0.5, 1.0], &[2.0, -1.0], &mut out);
        assert!((out[0] - 3.0).abs() < 1e-15 && (out[1] + 5.0).abs() < 1e-15);
    }

    #[test]
    fn upper_triangle_mirrors_the_lower() {
        for n in [0, 1, 5, 33, 70] {
            let mut a = Mat::from_fn(
                n,
                n,
                |i, j| if i >= j { (i * 100 + j) as f64 } else { -1.0 },
            );
            fill_upper_from_lower(&mut a);
            assert!((0..n).all(|i| (0..n).all(|j| a[(i, j)].total_cmp(&a[(j, i)]).is_eq())));
        }
    }
}
