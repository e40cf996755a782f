//! Training: supervised warm-up, proximal policy optimisation, checkpoints.
