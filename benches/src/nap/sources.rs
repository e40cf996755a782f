//! Where training tasks come from.
//!
//! A [`Source`] draws tables; [`Source::Mixture`] draws from several.

pub mod conditional;
pub mod general;
pub mod prior;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use rand::{Rng, RngExt};
use warmfront_math::distribution::open_uniform;
use warmfront_np::task::{Task, TaskSource};

use self::conditional::{Augmentation, Conditional};
use self::prior::GpPrior;
use super::analytic::Function;
use super::families::{Hall, function_table, subset};
use super::task::Table;

/// Draws training tasks.
pub enum Source {
    /// Rows of real tables, without repetition.
    Rows(Arc<Hall>),
    /// Draws of Gaussian processes fitted to real tables.
    Conditional(Conditional),
    /// Functions of a Gaussian process with random hyper-parameters, with this much noise at most.
    Prior(GpPrior, f64),
    /// Formulas with random shifts.
    Analytic(usize),
    /// Functions of any number of inputs up to eight, with this much noise at most.
    General(f64),
    /// Each with its weight.
    Mixture(Vec<(f64, Self)>),
}

impl Source {
    /// Draws of Gaussian processes fitted to the training tables of a family.
    ///
    /// # Errors
    /// If a fit fails.
    pub fn conditional(hall: &Arc<Hall>, augmentation: Augmentation) -> anyhow::Result<Self> {
        hall.surrogates()?;
        Ok(Self::Conditional(Conditional::new(
            Arc::clone(hall),
            augmentation,
        )))
    }

    /// Number of coordinates.
    #[must_use]
    pub fn dim(&self) -> usize {
        match self {
            Self::Rows(hall) => hall.dim(),
            Self::Conditional(conditional) => conditional.dim(),
            Self::Prior(prior, _) => prior.dim(),
            Self::Analytic(dim) => *dim,
            Self::General(_) => general::INPUTS,
            Self::Mixture(parts) => parts.first().map_or(0, |part| part.1.dim()),
        }
    }

    /// A task of at most this many candidates.
    pub fn table(&self, candidates: usize, rng: &mut dyn Rng) -> Table {
        match self {
            Self::Rows(hall) => {
                let index = rng.random_range(0..hall.train.len() as u64) as usize;
                let table = &hall.train[index];
                table.select(&subset(table.len(), candidates, rng))
            }
            Self::Conditional(conditional) => conditional.table(candidates, rng),
            Self::Prior(prior, noise) => {
                let noise = noise * open_uniform(rng);
                prior.table(candidates, noise, rng)
            }
            Self::Analytic(dim) => {
                let function = Function::any(*dim, rng);
                function_table(&function, candidates, rng)
            }
            Self::General(noise) => general::table(candidates, *noise, rng),
            Self::Mixture(parts) => {
                let total: f64 = parts.iter().map(|part| part.0).sum();
                let mut left = total * open_uniform(rng);
                for (weight, source) in parts {
                    left -= weight;
                    if left < 0.0 {
                        return source.table(candidates, rng);
                    }
                }
                let last = parts.last().expect("a mixture has parts");
                last.1.table(candidates, rng)
            }
        }
    }
}

impl TaskSource for Source {
    fn dim(&self) -> usize {
        Self::dim(self)
    }

    fn draw(&self, candidates: usize, rng: &mut dyn Rng) -> Task {
        let table = self.table(candidates, rng);
        let x = table.x.iter().map(|v| *v as f32).collect();
        Task::new(table.dim, x, table.costs).expect("tables are finite and not empty")
    }

    fn name(&self) -> &str {
        match self {
            Self::Rows(_) => "rows of tables",
            Self::Conditional(_) => "draws near tables",
            Self::Prior(..) => "Gaussian process",
            Self::Analytic(_) => "shifted functions",
            Self::General(_) => "functions of one to eight inputs",
            Self::Mixture(_) => "mixture",
        }
    }
}
