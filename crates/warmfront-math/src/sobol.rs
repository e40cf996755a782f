//! Sobol points: low-discrepancy points of the unit cube, plain or scrambled.
//!
//! The scramble is a random lower-triangular binary matrix for each dimension followed by a
//! digital shift. It keeps the net properties (2ᵏ points put exactly one in each of the 2ᵏ dyadic
//! intervals of every axis), makes each point uniform on the cube and estimates unbiased.
//!
//! # References
//! I. M. Sobol', *On the distribution of points in a cube*, USSR Comput. Math. Math. Phys. 7
//! (1967). I. A. Antonov, V. M. Saleev (1979): the order of the Gray code. S. Joe, F. Y. Kuo,
//! *Constructing Sobol sequences with better two-dimensional projections*, SIAM J. Sci. Comput. 30
//! (2008). J. Matoušek, *On the L2-discrepancy for anchored boxes*, J. Complexity 14 (1998): the
//! linear scramble.

mod directions;
#[cfg(test)]
mod tests;

use rand::Rng;

use crate::MathError;
use crate::special::ndtri;
pub use directions::MAX_DIM;
use directions::{BITS, direction_numbers};

/// 2⁻³², the spacing of the points.
const SPACING: f64 = 1.0 / 4_294_967_296.0;

/// A Sobol sequence, and the position reached in it.
///
/// ```
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
/// use warmfront_math::sobol::Sobol;
///
/// let mut sobol = Sobol::scrambled(3, &mut ChaCha8Rng::seed_from_u64(7))?;
/// let points = sobol.points(8); // 8×3, row-major
/// assert_eq!(points.len(), 24);
/// assert!(points.iter().all(|u| 0.0 < *u && *u < 1.0));
/// # Ok::<(), warmfront_math::MathError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sobol {
    dim: usize,
    /// Direction numbers, all dimensions of bit 0 first (32×dim).
    directions: Vec<u32>,
    /// The point at `index` in units of 2⁻³².
    state: Vec<u32>,
    /// The first point: zero, or the digital shift.
    origin: Vec<u32>,
    index: u64,
    /// Added in units of 2⁻³²: half a unit keeps scrambled points off zero.
    offset: f64,
}

impl Sobol {
    /// Starts the plain sequence, whose first point is the origin.
    ///
    /// # Errors
    /// [`MathError::SobolDimension`] when `dim` is 0 or above [`MAX_DIM`].
    pub fn new(dim: usize) -> Result<Self, MathError> {
        if dim == 0 || dim > MAX_DIM {
            return Err(MathError::SobolDimension { dim, max: MAX_DIM });
        }
        Ok(Self {
            dim,
            directions: direction_numbers(dim),
            state: vec![0; dim],
            origin: vec![0; dim],
            index: 0,
            offset: 0.0,
        })
    }

    /// Starts a randomly scrambled sequence; every coordinate lies strictly between 0 and 1.
    ///
    /// # Errors
    /// [`MathError::SobolDimension`] when `dim` is 0 or above [`MAX_DIM`].
    pub fn scrambled<R: Rng + ?Sized>(dim: usize, rng: &mut R) -> Result<Self, MathError> {
        let mut sobol = Self::new(dim)?;
        sobol.offset = 0.5;
        for j in 0..dim {
            // Row r of the matrix, its most significant digit first, ends in a one at digit r.
            let mut rows = [0u32; BITS];
            for pair in 0..BITS / 2 {
                let bits = rng.next_u64();
                rows[2 * pair] = (bits >> 32) as u32;
                rows[2 * pair + 1] = bits as u32;
            }
            for (r, row) in rows.iter_mut().enumerate() {
                let diagonal = 1u32 << (BITS - 1 - r);
                *row = (*row & !(diagonal | (diagonal - 1))) | diagonal;
            }
            for bit in 0..BITS {
                let number = &mut sobol.directions[bit * dim + j];
                let mut scrambled = 0;
                for (r, row) in rows.iter().enumerate() {
                    scrambled |= ((row & *number).count_ones() & 1) << (BITS - 1 - r);
                }
                *number = scrambled;
            }
            sobol.origin[j] = (rng.next_u64() >> 32) as u32;
        }
        sobol.state.copy_from_slice(&sobol.origin);
        Ok(sobol)
    }

    /// Returns the number of coordinates of a point.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Returns the index of the next point, from 0.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Writes the next point.
    ///
    /// # Panics
    /// When `point` is not `dim` long, and after 2³² points.
    #[track_caller]
    pub fn next_into(&mut self, point: &mut [f64]) {
        assert!(
            point.len() == self.dim,
            "a point of {} coordinates for a sequence of dimension {}",
            point.len(),
            self.dim
        );
        assert!(
            self.index < 1 << BITS,
            "the sequence ends after 2^32 points"
        );
        for (u, s) in point.iter_mut().zip(&self.state) {
            *u = (f64::from(*s) + self.offset) * SPACING;
        }
        // The Gray codes of neighbours differ in the lowest bit that is zero in the first.
        let bit = self.index.trailing_ones() as usize;
        self.index += 1;
        if bit < BITS {
            let numbers = &self.directions[bit * self.dim..(bit + 1) * self.dim];
            for (s, v) in self.state.iter_mut().zip(numbers) {
                *s ^= v;
            }
        }
    }

    /// Moves `count` points ahead, in time that does not depend on `count`.
    ///
    /// # Panics
    /// When the target is beyond the 2³² points of the sequence.
    #[track_caller]
    pub fn skip(&mut self, count: u64) {
        let index = self.index.saturating_add(count);
        assert!(index <= 1 << BITS, "the sequence ends after 2^32 points");
        self.index = index;
        self.state.copy_from_slice(&self.origin);
        let gray = index ^ (index >> 1);
        for bit in 0..BITS {
            if gray >> bit & 1 == 1 {
                let numbers = &self.directions[bit * self.dim..(bit + 1) * self.dim];
                for (s, v) in self.state.iter_mut().zip(numbers) {
                    *s ^= v;
                }
            }
        }
    }

    /// Returns the next `count` points, one after the other (count×dim, row-major).
    ///
    /// # Panics
    /// After 2³² points.
    #[track_caller]
    pub fn points(&mut self, count: usize) -> Vec<f64> {
        let mut points = vec![0.0; count * self.dim];
        for point in points.chunks_exact_mut(self.dim) {
            self.next_into(point);
        }
        points
    }
}

/// Returns `count` quasi-random standard normal vectors (count×dim, row-major): the base samples
/// of quasi-Monte-Carlo acquisition functions.
///
/// The normal quantile function is applied to each coordinate of a freshly scrambled sequence; a
/// power of two as `count` keeps the sequence balanced.
///
/// # Errors
/// [`MathError::SobolDimension`] when `dim` is 0 or above [`MAX_DIM`].
pub fn normal_points<R: Rng + ?Sized>(
    count: usize,
    dim: usize,
    rng: &mut R,
) -> Result<Vec<f64>, MathError> {
    let mut points = Sobol::scrambled(dim, rng)?.points(count);
    for u in &mut points {
        *u = ndtri(*u);
    }
    Ok(points)
}
