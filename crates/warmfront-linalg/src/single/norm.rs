//! Layer normalisation of rows.

use super::activation::whole_rows;
use super::rows::LANES;
use crate::simd::{self, Loop, fma_single as fma};

/// Keeps the scale finite where a row is constant.
const EPSILON: f32 = 1e-5;

struct Forward<'a> {
    x: &'a [f32],
    bias: &'a [f32],
    gain: &'a [f32],
    shift: &'a [f32],
    normalized: &'a mut [f32],
    scales: &'a mut [f32],
    out: &'a mut [f32],
}

impl Loop for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let width = self.bias.len();
        let (bias, gain, shift) = (self.bias, &self.gain[..width], &self.shift[..width]);
        let rows = self
            .x
            .chunks_exact(width)
            .zip(self.normalized.chunks_exact_mut(width))
            .zip(self.out.chunks_exact_mut(width))
            .zip(self.scales);
        let inverse = 1.0 / width as f32;
        for (((x, normalized), out), scale) in rows {
            for ((z, x), b) in normalized.iter_mut().zip(x).zip(bias) {
                *z += x + b;
            }
            let mean = sum(normalized) * inverse;
            for z in normalized.iter_mut() {
                *z -= mean;
            }
            let variance = dot::<FMA>(normalized, normalized) * inverse;
            *scale = 1.0 / (variance + EPSILON).sqrt();
            for (((o, z), g), s) in out.iter_mut().zip(normalized).zip(gain).zip(shift) {
                *z *= *scale;
                *o = fma::<FMA>(*z, *g, *s);
            }
        }
    }
}

/// Layer norm of `residual + x + bias`, row by row.
///
/// `normalized` holds the residual and afterwards the normalised rows, `scales` the factor each row was
/// multiplied by; `out` is `normalized` times `gain` plus `shift`.
///
/// # Panics
/// If the lengths do not fit.
#[track_caller]
pub fn add_normalize_rows(
    x: &[f32],
    bias: &[f32],
    gain: &[f32],
    shift: &[f32],
    normalized: &mut [f32],
    scales: &mut [f32],
    out: &mut [f32],
) {
    let width = bias.len();
    whole_rows(x.len(), width);
    assert!(
        gain.len() == width
            && shift.len() == width
            && normalized.len() == x.len()
            && out.len() == x.len()
            && scales.len() * width == x.len(),
        "gain {}, shift {}, scales {} for {} values in rows of {width}",
        gain.len(),
        shift.len(),
        scales.len(),
        x.len()
    );
    simd::run(Forward {
        x,
        bias,
        gain,
        shift,
        normalized,
        scales,
        out,
    });
}

/// Where the gradients of a layer norm's parameters are added.
#[derive(Debug)]
pub struct NormGradient<'a> {
    /// By the gain.
    pub gain: &'a mut [f32],
    /// By the shift.
    pub shift: &'a mut [f32],
}

struct Backward<'a> {
    gradient: &'a mut [f32],
    normalized: &'a [f32],
    scales: &'a [f32],
    gain: &'a [f32],
}

impl Loop for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let width = self.gain.len();
        let inverse = 1.0 / width as f32;
        let rows = self
            .gradient
            .chunks_exact_mut(width)
            .zip(self.normalized.chunks_exact(width))
            .zip(self.scales);
        for ((gradient, normalized), &scale) in rows {
            for (d, g) in gradient.iter_mut().zip(self.gain) {
                *d *= g;
            }
            let mean = sum(gradient) * inverse;
            let slope = dot::<FMA>(gradient, normalized) * inverse;
            for (d, z) in gradient.iter_mut().zip(normalized) {
                *d = scale * (fma::<FMA>(-slope, *z, *d) - mean);
            }
        }
    }
}

struct Parameters<'a> {
    gradient: &'a [f32],
    normalized: &'a [f32],
    parameters: NormGradient<'a>,
}

impl Loop for Parameters<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let NormGradient { gain, shift } = self.parameters;
        let width = gain.len();
        let rows = self
            .gradient
            .chunks_exact(width)
            .zip(self.normalized.chunks_exact(width));
        for (gradient, normalized) in rows {
            let sums = gain.iter_mut().zip(shift.iter_mut());
            for (((g, s), d), z) in sums.zip(gradient).zip(normalized) {
                *g = fma::<FMA>(*d, *z, *g);
                *s += d;
            }
        }
    }
}

/// Turns the gradient by the outputs of [`add_normalize_rows`] into that by the sum it normalised, and
/// adds the parameters' gradient where it is asked for.
///
/// # Panics
/// If the lengths do not fit.
#[track_caller]
pub fn normalize_rows_backward(
    gradient: &mut [f32],
    normalized: &[f32],
    scales: &[f32],
    gain: &[f32],
    parameters: Option<NormGradient<'_>>,
) {
    let width = gain.len();
    whole_rows(gradient.len(), width);
    assert!(
        normalized.len() == gradient.len() && scales.len() * width == gradient.len(),
        "{} gradients, {} normalised values and {} scales in rows of {width}",
        gradient.len(),
        normalized.len(),
        scales.len()
    );
    if let Some(parameters) = parameters {
        assert!(
            parameters.gain.len() == width && parameters.shift.len() == width,
            "gradients of {} gains and {} shifts, expected {width}",
            parameters.gain.len(),
            parameters.shift.len()
        );
        simd::run(Parameters {
            gradient,
            normalized,
            parameters,
        });
    }
    simd::run(Backward {
        gradient,
        normalized,
        scales,
        gain,
    });
}

#[inline(always)]
pub(super) fn sum(x: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, v) in lanes.iter_mut().zip(chunk) {
            *lane += v;
        }
    }
    let mut total: f32 = rest.iter().sum();
    for lane in lanes {
        total += lane;
    }
    total
}

#[inline(always)]
pub(super) fn dot<const FMA: bool>(x: &[f32], y: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    for (x, y) in x.iter().zip(y) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane = fma::<FMA>(*x, *y, *lane);
        }
    }
    let mut total = 0.0;
    for (x, y) in x_rest.iter().zip(y_rest) {
        total = fma::<FMA>(*x, *y, total);
    }
    for lane in lanes {
        total += lane;
    }
    total
}
