//! What a local search needs to know of a space.

use super::{Domain, SearchSpace, UnitPoint};

impl SearchSpace {
    /// Canonical points that differ from a canonical one in one discrete parameter: all other choices
    /// of a categorical one, the next values of an ordered one. Each occurs once; none for a space of
    /// real parameters. The table of a space does not count.
    ///
    /// # Panics
    /// If the point is of another dimension.
    ///
    /// ```
    /// use warmfront_core::{Domain, SearchSpace, UnitPoint};
    ///
    /// let space = SearchSpace::builder()
    ///     .param("colour", Domain::categorical(["red", "green", "blue"]))
    ///     .param("layers", Domain::integer(1, 5))
    ///     .build()?;
    /// let point = space.canonical(&UnitPoint::clamped([1.0, 0.0, 0.0, 0.0]));
    /// // Two other colours, and two layers instead of one.
    /// assert_eq!(space.neighbours(&point).len(), 3);
    /// # Ok::<(), warmfront_core::SpaceError>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn neighbours(&self, point: &UnitPoint) -> Vec<UnitPoint> {
        let mut out: Vec<UnitPoint> = Vec::new();
        for parameter in self.parameters() {
            let coords = parameter.coords();
            let levels: Vec<Vec<f64>> = match parameter.domain() {
                Domain::Real { .. } => continue,
                // A single value has no coordinates, and no neighbours.
                _ if coords.is_empty() => continue,
                Domain::Categorical { .. } => parameter.encodings().collect(),
                _ => {
                    let next = parameter.adjacent(point.coords()[coords.start]);
                    next.into_iter().flatten().map(|c| vec![c]).collect()
                }
            };
            for level in levels {
                let mut moved = point.coords().to_vec();
                moved[coords.clone()].copy_from_slice(&level);
                let canonical = self.canonical(&UnitPoint::clamped(moved));
                if canonical != *point && !out.contains(&canonical) {
                    out.push(canonical);
                }
            }
        }
        out
    }

    /// Which coordinates are real and count at this point: those that [`canonical`](Self::canonical)
    /// does not reset since a condition does not hold.
    ///
    /// # Panics
    /// If the point is of another dimension.
    #[must_use]
    #[track_caller]
    pub fn active_reals(&self, point: &UnitPoint) -> Vec<bool> {
        let counts = |j: usize| {
            let mut moved = point.coords().to_vec();
            moved[j] = if moved[j] < 0.5 { 0.875 } else { 0.125 };
            let canonical = self.canonical(&UnitPoint::clamped(moved.clone()));
            (canonical.coords()[j] - moved[j]).abs() < 1e-12
        };
        let continuous = self.continuous().into_iter().enumerate();
        continuous.map(|(j, real)| real && counts(j)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Value};

    fn space() -> SearchSpace {
        SearchSpace::builder()
            .param("optimizer", Domain::categorical(["sgd", "adam"]))
            .param("layers", Domain::integer(1, 3))
            .param("momentum", Domain::real(0.0, 1.0))
            .when("optimizer", ["sgd"])
            .build()
            .expect("a space")
    }

    #[test]
    fn neighbours_differ_in_one_discrete_parameter() {
        let space = space();
        let config = Config::new()
            .with("optimizer", "sgd")
            .with("layers", 1)
            .with("momentum", 0.25);
        let point = space.encode(&config).expect("a configuration");
        let neighbours = space.neighbours(&point);
        // The other optimizer (which resets the momentum) and two layers.
        assert_eq!(neighbours.len(), 2);
        let configs: Vec<_> = neighbours.iter().map(|p| space.decode(p)).collect();
        assert_eq!(configs[0].get("optimizer"), Some(&Value::from("adam")));
        assert_eq!(configs[1].get("layers"), Some(&Value::from(2)));
        assert!(
            SearchSpace::unit_cube(2)
                .neighbours(&UnitPoint::clamped([0.5, 0.5]))
                .is_empty()
        );
    }

    #[test]
    fn only_what_counts_is_active() {
        let space = space();
        let last = space.dim() - 1;
        let config = |choice: &str| Config::new().with("optimizer", choice).with("layers", 1);
        for (config, counts) in [
            (config("sgd").with("momentum", 0.25), true),
            (config("adam"), false),
        ] {
            let point = space.encode(&config).expect("a configuration");
            let mut expected = vec![false; space.dim()];
            expected[last] = counts;
            assert_eq!(space.active_reals(&point), expected);
        }
    }
}
