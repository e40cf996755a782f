//! The policy that comes with the library.

use super::Policy;

const GENERAL: &[u8] = include_bytes!("../../policies/general.safetensors");

impl Policy {
    /// The policy that comes with the library, to try without any training.
    ///
    /// It was trained to predict draws of Gaussian processes and shifted test functions of one to eight
    /// inputs in the unit cube (`cargo run --release -p warmfront-bench --bin shipped_policy`), and compares
    /// candidates by expected improvement. It knows nothing of any particular problem: on a family of
    /// problems with something in common, a policy trained on past ones does better. It serves any space of
    /// up to eight coordinates, best those of real parameters.
    ///
    /// # Panics
    /// Never: the file is a part of the library, and a test reads it.
    ///
    /// ```
    /// use std::num::NonZeroUsize;
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use warmfront_core::{Domain, Objectives, SearchSpace, Strategy};
    /// use warmfront_np::{NapConfig, Policy};
    ///
    /// let space = SearchSpace::builder()
    ///     .param("learning rate", Domain::log_real(1e-5, 1e-1))
    ///     .param("momentum", Domain::real(0.0, 1.0))
    ///     .build()?;
    /// let nap = NapConfig::default().build(Policy::shipped(), &space, &Objectives::minimize_all(1))?;
    /// let mut rng = ChaCha8Rng::seed_from_u64(1);
    /// assert_eq!(nap.ask(NonZeroUsize::MIN, &[], &mut rng)?.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn shipped() -> Self {
        Self::read(GENERAL).expect("the file is whole, as its test says")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Columns, Precision};

    #[test]
    fn the_file_is_small_whole_and_general() {
        assert!(GENERAL.len() < 2_000_000, "{} bytes", GENERAL.len());
        let policy = Policy::shipped();
        assert_eq!(policy.network().config().inputs, 8);
        assert!(policy.about().padded);
        assert_eq!(policy.about().columns, Columns::Any);
        // Half precision is read back as it was written.
        let mut file = Vec::new();
        policy
            .write_with(&mut file, Precision::Half)
            .expect("in memory");
        assert_eq!(file, GENERAL);
    }
}
