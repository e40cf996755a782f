//! Softmax of rows of which only the first entries count.

use super::activation::exp;
use super::norm::{dot, sum};
use super::rows::LANES;
use crate::simd::{self, Loop};

/// How many entries of a row count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visible {
    /// As many in every row.
    Same(usize),
    /// So many in the first row, and one more in each next.
    Growing(usize),
}

impl Visible {
    fn of(self, row: usize) -> usize {
        match self {
            Self::Same(n) => n,
            Self::Growing(n) => n + row,
        }
    }
}

struct Forward<'a> {
    x: &'a mut [f32],
    width: usize,
    visible: Visible,
    scale: f32,
}

impl Loop for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (r, row) in self.x.chunks_exact_mut(self.width).enumerate() {
            let visible = self.visible.of(r);
            // Whole vectors are faster than the last few numbers one by one.
            let len = visible.next_multiple_of(LANES).min(self.width);
            row[visible..len].fill(f32::NEG_INFINITY);
            row[len..].fill(0.0);
            softmax::<FMA>(&mut row[..len], self.scale);
        }
    }
}

#[inline(always)]
fn softmax<const FMA: bool>(row: &mut [f32], scale: f32) {
    let highest = maximum(row);
    for x in row.iter_mut() {
        *x = exp::<FMA>(scale * (*x - highest));
    }
    let inverse = 1.0 / sum(row);
    for x in row.iter_mut() {
        *x *= inverse;
    }
}

#[inline(always)]
fn maximum(x: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, v) in lanes.iter_mut().zip(chunk) {
            *lane = if *v > *lane { *v } else { *lane };
        }
    }
    rest.iter()
        .chain(&lanes)
        .fold(f32::NEG_INFINITY, |a, &b| a.max(b))
}

/// Replaces the visible part of every row (`width` long) by the softmax of `scale` times it, and the
/// rest by zeros.
///
/// # Panics
/// If `x` is not made of such rows, or no entry or more than there are count.
#[track_caller]
pub fn softmax_rows(x: &mut [f32], width: usize, visible: Visible, scale: f32) {
    check(x.len(), width, visible);
    simd::run(Forward {
        x,
        width,
        visible,
        scale,
    });
}

struct Backward<'a> {
    probabilities: &'a [f32],
    gradient: &'a mut [f32],
    width: usize,
    visible: Visible,
    scale: f32,
}

impl Loop for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let rows = self
            .gradient
            .chunks_exact_mut(self.width)
            .zip(self.probabilities.chunks_exact(self.width));
        for (r, (gradient, probabilities)) in rows.enumerate() {
            let visible = self.visible.of(r);
            gradient[visible..].fill(0.0);
            let len = visible.next_multiple_of(LANES).min(self.width);
            let (gradient, probabilities) = (&mut gradient[..len], &probabilities[..len]);
            let mean = dot::<FMA>(gradient, probabilities);
            for (g, p) in gradient.iter_mut().zip(probabilities) {
                *g = self.scale * p * (*g - mean);
            }
        }
    }
}

/// Turns the gradient by the results of [`softmax_rows`] into that by its arguments.
///
/// # Panics
/// If the lengths do not fit.
#[track_caller]
pub fn softmax_rows_backward(
    probabilities: &[f32],
    gradient: &mut [f32],
    width: usize,
    visible: Visible,
    scale: f32,
) {
    check(gradient.len(), width, visible);
    assert_eq!(
        probabilities.len(),
        gradient.len(),
        "one probability a gradient"
    );
    simd::run(Backward {
        probabilities,
        gradient,
        width,
        visible,
        scale,
    });
}

#[track_caller]
fn check(len: usize, width: usize, visible: Visible) {
    let rows = len.checked_div(width).unwrap_or(0);
    assert!(
        rows * width == len && (rows == 0 || (visible.of(0) > 0 && visible.of(rows - 1) <= width)),
        "{len} values in rows of {width}, of which {visible:?} count"
    );
}
