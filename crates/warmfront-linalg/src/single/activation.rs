//! Activation functions and their slopes.

use crate::simd::{self, Loop, fma_single as fma};

/// Adding and subtracting this rounds to the nearest integer and leaves it in the low mantissa bits.
const ROUNDING_SHIFT: f32 = 12_582_912.0;
/// Below this the result would be subnormal; it is flushed to zero.
const SMALLEST_ARGUMENT: f32 = -87.0;
/// Above this the scaling by a power of two would overflow.
const LARGEST_ARGUMENT: f32 = 88.0;

/// `exp` without branches, to 2e-7 relative: argument reduction by ln 2, then a Taylor polynomial of
/// degree 7.
#[inline(always)]
pub(super) fn exp<const FMA: bool>(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
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
    let shifted = fma::<FMA>(clamped, std::f32::consts::LOG2_E, ROUNDING_SHIFT);
    let k = shifted - ROUNDING_SHIFT;
    let r = fma::<FMA>(-k, LN2_HIGH, clamped);
    let r = fma::<FMA>(-k, LN2_LOW, r);
    let r2 = r * r;
    let p23 = fma::<FMA>(r, 1.0 / 6.0, 0.5);
    let p45 = fma::<FMA>(r, 1.0 / 120.0, 1.0 / 24.0);
    let p67 = fma::<FMA>(r, 1.0 / 5_040.0, 1.0 / 720.0);
    let q = fma::<FMA>(r2, fma::<FMA>(r2, p67, p45), p23);
    let p = 1.0 + fma::<FMA>(r2, q, r);
    let scaled = f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23));
    if x < SMALLEST_ARGUMENT { 0.0 } else { scaled }
}

/// `Φ(x)`, to 1e-7, and `exp(−x²/2)`.
///
/// # References
/// Abramowitz and Stegun, *Handbook of Mathematical Functions*, 7.1.26.
#[inline(always)]
fn normal<const FMA: bool>(x: f32) -> (f32, f32) {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / fma::<FMA>(0.327_591_1, z, 1.0);
    let bell = exp::<FMA>(-z * z);
    // Halved coefficients: Φ needs erfc / 2.
    let p = fma::<FMA>(t, 0.530_702_7, -0.726_576);
    let p = fma::<FMA>(t, p, 0.710_706_9);
    let p = fma::<FMA>(t, p, -0.142_248_37);
    let p = fma::<FMA>(t, p, 0.127_414_8);
    let tail = p * t * bell;
    (if x < 0.0 { tail } else { 1.0 - tail }, bell)
}

struct Gelu<'a> {
    x: &'a mut [f32],
    bias: &'a [f32],
}

impl Loop for Gelu<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for row in self.x.chunks_exact_mut(self.bias.len()) {
            for (x, b) in row.iter_mut().zip(self.bias) {
                let u = *x + b;
                *x = u * normal::<FMA>(u).0;
            }
        }
    }
}

/// Adds `bias` to every row of `x` and applies the Gaussian error linear unit `u·Φ(u)`.
///
/// # Panics
/// If `x` is not made of rows of the bias' length.
#[track_caller]
pub fn gelu_rows_in_place(x: &mut [f32], bias: &[f32]) {
    whole_rows(x.len(), bias.len());
    simd::run(Gelu { x, bias });
}

struct GeluWithSlope<'a> {
    x: &'a mut [f32],
    bias: &'a [f32],
    out: &'a mut [f32],
}

impl Loop for GeluWithSlope<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        const DENSITY_AT_0: f32 = 0.398_942_3;
        let width = self.bias.len();
        let rows = self.x.chunks_exact_mut(width);
        for (row, out) in rows.zip(self.out.chunks_exact_mut(width)) {
            for ((x, b), o) in row.iter_mut().zip(self.bias).zip(out) {
                let u = *x + b;
                let (below, bell) = normal::<FMA>(u);
                *o = u * below;
                *x = fma::<FMA>(u * DENSITY_AT_0, bell, below);
            }
        }
    }
}

/// As [`gelu_rows_in_place`], but writes the values to `out` and leaves the slopes in `x`.
///
/// # Panics
/// If `x` is not made of rows of the bias' length, or `out` of another size.
#[track_caller]
pub fn gelu_rows_with_slope(x: &mut [f32], bias: &[f32], out: &mut [f32]) {
    whole_rows(x.len(), bias.len());
    assert_eq!(x.len(), out.len(), "one output a value");
    simd::run(GeluWithSlope { x, bias, out });
}

struct Relu<'a> {
    x: &'a mut [f32],
    bias: &'a [f32],
}

impl Loop for Relu<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for row in self.x.chunks_exact_mut(self.bias.len()) {
            for (x, b) in row.iter_mut().zip(self.bias) {
                let u = *x + b;
                *x = if u < 0.0 { 0.0 } else { u };
            }
        }
    }
}

/// Adds `bias` to every row of `x` and sets what is negative to zero.
///
/// # Panics
/// If `x` is not made of rows of the bias' length.
#[track_caller]
pub fn relu_rows_in_place(x: &mut [f32], bias: &[f32]) {
    whole_rows(x.len(), bias.len());
    simd::run(Relu { x, bias });
}

struct ReluSlope<'a>(&'a mut [f32], &'a [f32]);

impl Loop for ReluSlope<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (g, &y) in self.0.iter_mut().zip(self.1) {
            *g = if y > 0.0 { *g } else { 0.0 };
        }
    }
}

/// Turns the gradient by the outputs of [`relu_rows_in_place`] into that by its inputs.
///
/// # Panics
/// If the lengths differ.
#[track_caller]
pub fn relu_slope_in_place(gradient: &mut [f32], outputs: &[f32]) {
    assert_eq!(gradient.len(), outputs.len(), "one output a gradient");
    simd::run(ReluSlope(gradient, outputs));
}

struct Multiply<'a>(&'a mut [f32], &'a [f32]);

impl Loop for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (x, y) in self.0.iter_mut().zip(self.1) {
            *x *= y;
        }
    }
}

/// Multiplies `x` by `y`, element by element.
///
/// # Panics
/// If the lengths differ.
#[track_caller]
pub fn multiply_in_place(x: &mut [f32], y: &[f32]) {
    assert_eq!(x.len(), y.len(), "one factor a value");
    simd::run(Multiply(x, y));
}

#[track_caller]
pub(super) fn whole_rows(len: usize, width: usize) {
    assert!(
        width > 0 && len.is_multiple_of(width),
        "{len} values in rows of {width}"
    );
}
