//! Random streams named by purpose and step.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What a random stream is drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// Building a strategy or a study.
    Init,
    /// Learning from observations.
    Tell,
    /// Proposing candidates.
    Ask,
    /// Evaluating a problem, noise included.
    Evaluate,
}

impl Purpose {
    // Part of the format: renumbering changes every stream.
    fn tag(self) -> u64 {
        match self {
            Self::Init => 1,
            Self::Tell => 2,
            Self::Ask => 3,
            Self::Evaluate => 4,
        }
    }
}

/// The seed from which all randomness of a run follows.
///
/// There is no generator to keep: each use names its purpose and step, and gets a stream of its
/// own. A run can therefore be resumed at any step, and a draw added in one place moves no other.
///
/// ```
/// use rand::Rng;
/// use warmfront_core::{Purpose, Seed};
///
/// let seed = Seed(42);
/// let mut first = seed.stream(Purpose::Ask, 3);
/// let mut again = seed.stream(Purpose::Ask, 3);
/// assert_eq!(first.next_u64(), again.next_u64());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed(pub u64);

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
const CHILD_TAG: u64 = 0x6368_696c_6400_0000;

impl Seed {
    /// The stream for one purpose at one step, independent of every other.
    ///
    /// The key of the ChaCha8 generator is four outputs of a SplitMix64 sequence started from the
    /// mixed seed and purpose; `step` is the generator's 64-bit stream number.
    ///
    /// # References
    /// Steele, Lea and Flood 2014 (SplitMix64).
    #[must_use]
    pub fn stream(self, purpose: Purpose, step: u64) -> ChaCha8Rng {
        let start = self.absorb(purpose.tag());
        let mut key = [0; 32];
        for (word, bytes) in (1_u64..).zip(key.chunks_exact_mut(8)) {
            let output = mix(start.wrapping_add(word.wrapping_mul(GOLDEN_GAMMA)));
            bytes.copy_from_slice(&output.to_le_bytes());
        }
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(step);
        rng
    }

    /// The seed of the `index`-th independent part (restart, task, repetition) of this run.
    #[must_use]
    pub fn child(self, index: u64) -> Self {
        Self(Self(self.absorb(CHILD_TAG)).absorb(index))
    }

    fn absorb(self, word: u64) -> u64 {
        // The seed is mixed before the word is added, so that neighbouring seeds and words do not
        // meet in one sum.
        mix(mix(self.0.wrapping_add(GOLDEN_GAMMA)).wrapping_add(word.wrapping_mul(GOLDEN_GAMMA)))
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::Rng;

    use super::*;

    const PURPOSES: [Purpose; 4] = [
        Purpose::Init,
        Purpose::Tell,
        Purpose::Ask,
        Purpose::Evaluate,
    ];

    #[test]
    fn mix_is_the_splitmix64_finaliser() {
        // The published generator's first outputs for seed 0.
        assert_eq!(mix(GOLDEN_GAMMA), 0xe220_a839_7b1d_cdaf);
        assert_eq!(mix(GOLDEN_GAMMA.wrapping_mul(2)), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn value_stability() {
        // Computed by an independent implementation of this page and of ChaCha8.
        let check = |seed, purpose, step, expected: [u64; 2]| {
            let mut rng = Seed(seed).stream(purpose, step);
            assert_eq!([rng.next_u64(), rng.next_u64()], expected);
        };
        check(
            0,
            Purpose::Init,
            0,
            [0xb87c_f8f2_97b0_11c3, 0x2b28_9587_bb24_f2a3],
        );
        check(
            42,
            Purpose::Ask,
            7,
            [0xe89b_10a9_da8d_d6e5, 0x9246_383d_4bba_0321],
        );
        assert_eq!(Seed(42).child(5), Seed(0xee67_4dad_52d1_24b3));
    }

    #[test]
    fn streams_differ_in_seed_purpose_and_step() {
        let mut seen = HashSet::new();
        for seed in 0..20 {
            for purpose in PURPOSES {
                for step in 0..20 {
                    assert!(seen.insert(Seed(seed).stream(purpose, step).next_u64()));
                }
            }
            for index in 0..20 {
                let child = Seed(seed).child(index);
                assert!(seen.insert(child.0));
                assert!(seen.insert(child.stream(Purpose::Init, 0).next_u64()));
            }
        }
    }

    #[test]
    fn step_and_child_accept_the_ends_of_the_range() {
        let _ = Seed(u64::MAX)
            .child(u64::MAX)
            .stream(Purpose::Evaluate, u64::MAX)
            .next_u64();
    }
}
