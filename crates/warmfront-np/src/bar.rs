//! A density that is constant on each of a row of buckets ("bar" or "Riemann" distribution).

/// A density on buckets, given by one logit per bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    borders: Vec<f32>,
}

impl Bar {
    /// `buckets` buckets of equal width between `low` and `high`.
    #[must_use]
    pub fn uniform(low: f32, high: f32, buckets: usize) -> Self {
        let width = (high - low) / buckets as f32;
        Self {
            borders: (0..=buckets).map(|i| low + width * i as f32).collect(),
        }
    }

    /// Number of buckets.
    #[must_use]
    pub fn buckets(&self) -> usize {
        self.borders.len() - 1
    }

    /// Logarithm of the expected improvement over `incumbent`; the derivative by the logits is
    /// written to `gradient`.
    ///
    /// # Panics
    /// If there is not one logit per bucket.
    pub fn log_expected_improvement(
        &self,
        logits: &[f32],
        incumbent: f32,
        gradient: Option<&mut [f32]>,
    ) -> f32 {
        assert_eq!(logits.len(), self.buckets(), "one logit per bucket");
        let highest = logits.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
        let weights: Vec<f32> = logits.iter().map(|l| (l - highest).exp()).collect();
        let total: f32 = weights.iter().sum();
        let gains: Vec<f32> = self
            .borders
            .windows(2)
            .zip(&weights)
            .map(|(b, w)| {
                let from = incumbent.clamp(b[0], b[1]);
                let gain = (b[1] - from) * (0.5 * (b[1] + from) - incumbent) / (b[1] - b[0]);
                w * gain.max(f32::MIN_POSITIVE)
            })
            .collect();
        let gained: f32 = gains.iter().sum();
        if let Some(gradient) = gradient {
            for ((g, gain), w) in gradient.iter_mut().zip(&gains).zip(&weights) {
                *g = gain / gained - w / total;
            }
        }
        gained.ln() - total.ln()
    }
}
