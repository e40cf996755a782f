//! Test functions with the optimum moved, the box stretched and the coordinates exchanged.

use rand::{Rng, RngExt};
use warmfront_core::{Purpose, Seed};
use warmfront_math::distribution::open_uniform;
use warmfront_math::sobol::Sobol;

/// Which formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Many shallow wells around a deep one.
    Ackley,
    /// A bowl with regular ripples.
    Griewank,
    /// Two wells per coordinate.
    StyblinskiTang,
    /// A narrow curved valley.
    DixonPrice,
    /// Flat and singular around the optimum.
    Powell,
    /// A curved valley.
    Rosenbrock,
    /// A bowl.
    Sphere,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Ackley,
        Self::Griewank,
        Self::StyblinskiTang,
        Self::DixonPrice,
        Self::Powell,
        Self::Rosenbrock,
        Self::Sphere,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Ackley => "Ackley",
            Self::Griewank => "Griewank",
            Self::StyblinskiTang => "Styblinski–Tang",
            Self::DixonPrice => "Dixon–Price",
            Self::Powell => "Powell",
            Self::Rosenbrock => "Rosenbrock",
            Self::Sphere => "sphere",
        }
    }

    /// The usual range of every coordinate.
    fn range(self) -> (f64, f64) {
        match self {
            Self::Ackley => (-20.0, 20.0),
            Self::Griewank => (-30.0, 30.0),
            Self::StyblinskiTang => (-5.0, 5.0),
            Self::DixonPrice => (-10.0, 10.0),
            Self::Powell => (-4.0, 5.0),
            Self::Rosenbrock => (-3.0, 3.0),
            Self::Sphere => (-1.0, 1.0),
        }
    }

    /// Coordinate `i` of a global minimum.
    fn optimum(self, i: usize) -> f64 {
        match self {
            Self::StyblinskiTang => -2.903_534_027_771_18,
            Self::DixonPrice => {
                let power = 2.0_f64.powi(i as i32 + 1);
                2.0_f64.powf(-(power - 2.0) / power)
            }
            Self::Rosenbrock => 1.0,
            _ => 0.0,
        }
    }

    /// The value in natural coordinates, 0 at the minimum.
    fn value(self, z: &[f64]) -> f64 {
        let d = z.len() as f64;
        match self {
            Self::Ackley => {
                let square = z.iter().map(|v| v * v).sum::<f64>() / d;
                let wave = z
                    .iter()
                    .map(|v| (2.0 * std::f64::consts::PI * v).cos())
                    .sum::<f64>()
                    / d;
                20.0 - 20.0 * (-0.2 * square.sqrt()).exp() + std::f64::consts::E - wave.exp()
            }
            Self::Griewank => {
                let square = z.iter().map(|v| v * v).sum::<f64>() / 4000.0;
                let product: f64 = (1..)
                    .zip(z)
                    .map(|(i, v)| (v / f64::from(i).sqrt()).cos())
                    .product();
                1.0 + square - product
            }
            Self::StyblinskiTang => {
                let term = |v: &f64| v.powi(4) - 16.0 * v * v + 5.0 * v;
                let least = 2.0 * -39.166_165_703_771_42;
                z.iter().map(|v| 0.5 * (term(v) - least)).sum()
            }
            Self::DixonPrice => {
                let first = (z[0] - 1.0).powi(2);
                let rest = (2..)
                    .zip(z.windows(2))
                    .map(|(i, w)| f64::from(i) * (2.0 * w[1] * w[1] - w[0]).powi(2));
                first + rest.sum::<f64>()
            }
            Self::Powell => {
                let block = |w: &[f64]| {
                    (w[0] + 10.0 * w[1]).powi(2)
                        + 5.0 * (w[2] - w[3]).powi(2)
                        + (w[1] - 2.0 * w[2]).powi(4)
                        + 10.0 * (w[0] - w[3]).powi(4)
                };
                let blocks = z.chunks_exact(4);
                let rest: f64 = blocks.remainder().iter().map(|v| v * v).sum();
                blocks.map(block).sum::<f64>() + rest
            }
            Self::Rosenbrock => z
                .windows(2)
                .map(|w| 100.0 * (w[1] - w[0] * w[0]).powi(2) + (1.0 - w[0]).powi(2))
                .sum(),
            Self::Sphere => z.iter().map(|v| v * v).sum(),
        }
    }
}

/// One formula, placed in the unit cube.
///
/// At `u` it has the value of the formula at `x* + s·(high − low)·(u − u*)`, so that the optimum `x*`
/// lies at `u*`.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    shape: Shape,
    place: Vec<f64>,
    stretch: f64,
    /// Coordinate `i` of the formula is coordinate `order[i]` of the cube.
    order: Vec<usize>,
}

impl Function {
    /// A formula whose optimum is drawn uniformly from the middle of the box, stretched by 0.5 to 1,
    /// its coordinates in a random order.
    pub fn draw(shape: Shape, dim: usize, rng: &mut dyn Rng) -> Self {
        let place = (0..dim).map(|_| 0.15 + 0.7 * open_uniform(rng)).collect();
        let stretch = 0.5 + 0.5 * open_uniform(rng);
        let mut order: Vec<usize> = (0..dim).collect();
        for i in (1..dim).rev() {
            order.swap(i, rng.random_range(0..=i as u64) as usize);
        }
        Self {
            shape,
            place,
            stretch,
            order,
        }
    }

    /// Any of the formulas.
    pub fn any(dim: usize, rng: &mut dyn Rng) -> Self {
        let index = rng.random_range(0..Shape::ALL.len() as u64) as usize;
        Self::draw(Shape::ALL[index], dim, rng)
    }

    /// For people.
    #[must_use]
    pub fn name(&self) -> String {
        self.shape.name().to_owned()
    }

    /// Number of coordinates.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.place.len()
    }

    /// The value at a point of the unit cube.
    ///
    /// Values of formulas that grow steeply are compressed by ln(1 + v), which moves no optimum.
    ///
    /// # Panics
    /// If the point has fewer coordinates.
    #[must_use]
    pub fn at(&self, u: &[f64]) -> f64 {
        let (low, high) = self.shape.range();
        let z: Vec<f64> = self
            .order
            .iter()
            .enumerate()
            .map(|(i, &k)| {
                self.shape.optimum(i) + self.stretch * (high - low) * (u[k] - self.place[k])
            })
            .collect();
        let value = self.shape.value(&z);
        match self.shape {
            Shape::DixonPrice | Shape::Powell | Shape::Rosenbrock => value.max(0.0).ln_1p(),
            _ => value,
        }
    }

    /// The minimum, and the largest value of a dense sample.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        let mut rng = Seed(0x7261_6e67_6500_0000).stream(Purpose::Init, 0);
        let mut point = vec![0.0; self.dim()];
        let mut worst = f64::NEG_INFINITY;
        if let Ok(mut sobol) = Sobol::scrambled(self.dim(), &mut rng) {
            for _ in 0..4096 {
                sobol.next_into(&mut point);
                worst = worst.max(self.at(&point));
            }
        }
        (self.at(&self.place), worst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_below_that_of_the_optimum() {
        let mut rng = Seed(3).stream(Purpose::Init, 0);
        for shape in Shape::ALL {
            let function = Function::draw(shape, 4, &mut rng);
            let (best, worst) = function.range();
            assert!(best.abs() < 1e-6, "{shape:?} has {best} at its optimum");
            assert!(worst > 0.1);
            for _ in 0..2000 {
                let u: Vec<f64> = (0..4).map(|_| open_uniform(&mut rng)).collect();
                assert!(function.at(&u) >= best - 1e-6, "{shape:?} at {u:?}");
            }
            // Nor near it.
            for k in 0..4 {
                let mut u = function.place.clone();
                u[k] += 1e-3;
                assert!(function.at(&u) > best, "{shape:?}");
            }
        }
    }
}
