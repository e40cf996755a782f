//! Compiles one loop for several instruction sets and picks the best at run time.
//!
//! The loops are plain Rust, written so that the compiler vectorises them; they are
//! inlined into a function that has the wide registers enabled. Whether a fused
//! multiply-add is native is a compile-time constant, because the software version
//! would be a hundred times slower than a multiplication and an addition.

use pulp::{Arch, Simd, WithSimd};

/// A loop that can be compiled with and without native fused multiply-add.
pub trait Loop {
    /// What the loop computes.
    type Output;
    /// Runs the loop; `FMA` says whether a fused multiply-add is one instruction.
    ///
    /// Must be `#[inline(always)]`, and so must what it calls, or the wide registers are not used.
    fn run<const FMA: bool>(self) -> Self::Output;
}

struct Dispatched<L>(L);

impl<L: Loop> WithSimd for Dispatched<L> {
    type Output = L::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> L::Output {
        if S::IS_SCALAR {
            self.0.run::<false>()
        } else {
            self.0.run::<true>()
        }
    }
}

/// Runs `body` with the best instruction set of this processor.
///
/// ```
/// use warmfront_linalg::simd::{Loop, run};
///
/// struct Scale<'a>(f64, &'a mut [f64]);
/// impl Loop for Scale<'_> {
///     type Output = ();
///     #[inline(always)]
///     fn run<const FMA: bool>(self) {
///         for value in self.1 {
///             *value *= self.0;
///         }
///     }
/// }
///
/// let mut values = [1.0, 2.0, 3.0];
/// run(Scale(2.0, &mut values));
/// assert!((values[2] - 6.0).abs() < 1e-15);
/// ```
#[inline(always)]
pub fn run<L: Loop>(body: L) -> L::Output {
    Arch::new().dispatch(Dispatched(body))
}

/// `a·b + c`, fused where that is one instruction.
#[inline(always)]
pub(crate) fn fma<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// Independent partial sums; strict floating-point order would forbid vectorising a single one.
pub(crate) const LANES: usize = 16;

/// `Σ f(i)` over `0..n`, in [`LANES`] interleaved partial sums.
#[inline(always)]
pub(crate) fn sum_lanes(n: usize, mut add: impl FnMut(usize, f64) -> f64) -> f64 {
    let mut lanes = [0.0_f64; LANES];
    let whole = n - n % LANES;
    let mut start = 0;
    while start < whole {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum = add(start + lane, *sum);
        }
        start += LANES;
    }
    let mut rest = 0.0;
    for i in whole..n {
        rest = add(i, rest);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0] + rest
}

/// `a·b + c` of single numbers, fused where that is one instruction.
#[inline(always)]
pub(crate) fn fma_single<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}
