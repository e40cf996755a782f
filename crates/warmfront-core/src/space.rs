//! Search spaces: named parameters outside, the unit cube inside.

mod builder;
mod config;
mod domain;
mod encoding;
mod fidelity;
mod neighbourhood;
mod point;
mod table;

use std::collections::HashSet;
use std::sync::Arc;

use rand::{Rng, RngExt};

pub use builder::SearchSpaceBuilder;
pub use config::{Config, Value};
pub use domain::{Domain, Scale};
pub use fidelity::FidelityRange;
pub use point::UnitPoint;

use crate::SpaceError;
use table::Table;

/// When a parameter counts: its parent must have one of some values.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The parameter looked at, which comes earlier in the space.
    pub parent: Box<str>,
    /// The values that make the conditional parameter active.
    pub values: Vec<Value>,
}

/// One named parameter and its place in the encoded space.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    name: Box<str>,
    domain: Domain,
    conditions: Vec<Condition>,
    // The same conditions as (index of the parent, levels), which is what decoding needs.
    resolved: Vec<(usize, Vec<i64>)>,
    first: usize,
    width: usize,
}

impl Parameter {
    /// Its name, unique in the space.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The values it can take.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// When it counts; all conditions must hold. Empty: always.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// The coordinates of a point that belong to it; empty for a parameter with a single value.
    #[must_use]
    pub fn coords(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.width
    }

    /// The coordinates of each of its values, in order, as [`SearchSpace::encode`] writes them.
    ///
    /// As many as [`Domain::count`], which may be a great many; none for a real parameter.
    pub fn encodings(&self) -> impl Iterator<Item = Vec<f64>> + '_ {
        encoding::all_levels(&self.domain).map(|level| {
            let mut coords = vec![0.0; self.width];
            encoding::write_level(&self.domain, level, &mut coords);
            coords
        })
    }

    /// The coordinates of the next lower and the next higher value of an integer or ordinal
    /// parameter at `coord`; `None` beyond the ends, and for parameters of other kinds.
    ///
    /// ```
    /// use warmfront_core::{Domain, SearchSpace};
    ///
    /// let space = SearchSpace::builder().param("n", Domain::ordinal([1.0, 4.0, 9.0])).build()?;
    /// let n = space.parameter("n").expect("there is one");
    /// assert_eq!(n.adjacent(0.1), [None, Some(0.5)]);
    /// # Ok::<(), warmfront_core::SpaceError>(())
    /// ```
    #[must_use]
    pub fn adjacent(&self, coord: f64) -> [Option<f64>; 2] {
        encoding::adjacent(&self.domain, coord)
    }
}

/// What can be searched: parameters outside, the unit cube `[0, 1]^d` inside.
///
/// | domain | coordinates | decoded as |
/// |---|---|---|
/// | real | 1 | linear or logarithmic interpolation |
/// | integer, `k` values | 1 | `k` buckets of equal width, encoded at the bucket's centre; on a log scale the bucket of `v` runs from `ln(v − ½)` to `ln(v + ½)` and `v` is encoded at `ln v` |
/// | ordinal, `k` values | 1 | `k` buckets of equal width, encoded at the bucket's centre |
/// | categorical, 2 choices | 1 | up to ½ the first, above the second; encoded at 0 and 1 |
/// | categorical, `k > 2` choices | `k` | the largest coordinate wins, the first of equals; encoded one-hot |
/// | ordinal or categorical, one value | 0 | that value |
///
/// A conditional parameter that does not count is absent from the [`Config`] and encoded as
/// "undecided": ½, or `1/k` in each of `k` one-hot coordinates.
///
/// A space may be restricted to a [`table`](Self::table) of configurations. Then
/// [`canonical`](Self::canonical) and [`decode`](Self::decode) go to the nearest row, so that a
/// strategy that knows nothing of tables still proposes rows only.
///
/// ```
/// use warmfront_core::{Config, Domain, SearchSpace};
///
/// let space = SearchSpace::builder()
///     .param("learning rate", Domain::log_real(1e-5, 1e-1))
///     .param("optimizer", Domain::categorical(["adam", "sgd"]))
///     .param("momentum", Domain::real(0.0, 0.99))
///     .when("optimizer", ["sgd"])
///     .build()?;
/// assert_eq!(space.dim(), 3);
///
/// let config = Config::new().with("learning rate", 1e-3).with("optimizer", "adam");
/// let point = space.encode(&config)?;
/// assert_eq!(space.decode(&point).text("optimizer"), Some("adam"));
/// assert_eq!(space.decode(&point).get("momentum"), None);
/// # Ok::<(), warmfront_core::SpaceError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SearchSpace {
    parameters: Vec<Parameter>,
    dim: usize,
    fidelity: Option<FidelityRange>,
    table: Option<Arc<Table>>,
}

impl SearchSpace {
    /// Starts a space.
    pub fn builder() -> SearchSpaceBuilder {
        SearchSpaceBuilder::default()
    }

    /// The space of `dim` real parameters in `[0, 1]`, named `x0`, `x1`, ….
    ///
    /// # Panics
    /// If `dim` is 0.
    #[must_use]
    #[track_caller]
    pub fn unit_cube(dim: usize) -> Self {
        assert!(dim > 0, "a unit cube needs at least one dimension, got 0");
        let parameter = |index: usize| Parameter {
            name: format!("x{index}").into(),
            domain: Domain::real(0.0, 1.0),
            conditions: Vec::new(),
            resolved: Vec::new(),
            first: index,
            width: 1,
        };
        Self {
            parameters: (0..dim).map(parameter).collect(),
            dim,
            fidelity: None,
            table: None,
        }
    }

    /// The encoded dimension `d`, at least 1.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The parameters in order.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The parameter of this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| &*parameter.name == name)
    }

    /// The range of budgets, if evaluations can be cheaper than full ones.
    #[must_use]
    pub fn fidelity(&self) -> Option<&FidelityRange> {
        self.fidelity.as_ref()
    }

    /// For each of the `d` coordinates, whether it can be moved continuously (it is real).
    ///
    /// In a space restricted to a table no coordinate can.
    #[must_use]
    pub fn continuous(&self) -> Vec<bool> {
        let real = |parameter: &Parameter| {
            let real = self.table.is_none() && matches!(parameter.domain, Domain::Real { .. });
            std::iter::repeat_n(real, parameter.width)
        };
        self.parameters.iter().flat_map(real).collect()
    }

    /// Whether the space is a box: real parameters only, no conditions, no table.
    #[must_use]
    pub fn is_box(&self) -> bool {
        let unconditional = |parameter: &Parameter| parameter.conditions.is_empty();
        self.continuous().into_iter().all(|real| real) && self.parameters.iter().all(unconditional)
    }

    /// An upper bound on the number of distinct configurations; `None` if there are infinitely many.
    ///
    /// For a table it is the number of rows. Conditions make it an upper bound, because inactive
    /// parameters do not tell configurations apart.
    #[must_use]
    pub fn cardinality(&self) -> Option<u64> {
        if let Some(table) = &self.table {
            return Some(table.rows().len() as u64);
        }
        self.parameters.iter().try_fold(1_u64, |count, parameter| {
            Some(count.saturating_mul(parameter.domain.count()?))
        })
    }

    /// All configurations as canonical points, each once; `None` if there are infinitely many, or
    /// [`cardinality`](Self::cardinality) is above `limit`.
    ///
    /// For a table they are its rows.
    ///
    /// ```
    /// use warmfront_core::{Domain, SearchSpace};
    ///
    /// let space = SearchSpace::builder()
    ///     .param("kernel", Domain::categorical(["linear", "rbf"]))
    ///     .param("degree", Domain::integer(1, 3))
    ///     .when("kernel", ["linear"])
    ///     .build()?;
    /// assert_eq!(space.enumerate(10).map(|all| all.len()), Some(4));
    /// assert_eq!(space.enumerate(5), None);
    /// # Ok::<(), warmfront_core::SpaceError>(())
    /// ```
    #[must_use]
    pub fn enumerate(&self, limit: u64) -> Option<Vec<UnitPoint>> {
        if self.cardinality()? > limit {
            return None;
        }
        if let Some(table) = &self.table {
            return Some(table.rows().to_vec());
        }
        let mut points = vec![vec![0.0; self.dim]];
        for parameter in &self.parameters {
            let coords = parameter.coords();
            if coords.is_empty() {
                continue;
            }
            let levels: Vec<Vec<f64>> = parameter.encodings().collect();
            points = points
                .iter()
                .flat_map(|point| {
                    let coords = coords.clone();
                    levels.iter().map(move |level| {
                        let mut point = point.clone();
                        point[coords.clone()].copy_from_slice(level);
                        point
                    })
                })
                .collect();
        }
        // Inactive parameters do not tell points apart.
        let mut seen = HashSet::new();
        let canonical = points
            .into_iter()
            .map(|coords| encoding::canonical(&self.parameters, &coords))
            .filter(|point| seen.insert(point.clone()));
        Some(canonical.collect())
    }

    /// The rows of the table the space is restricted to, if it is.
    #[must_use]
    pub fn table(&self) -> Option<&[UnitPoint]> {
        self.table.as_ref().map(|table| table.rows())
    }

    /// The table row that is exactly `point`.
    #[must_use]
    pub fn row_of(&self, point: &UnitPoint) -> Option<usize> {
        self.table.as_ref()?.row_of(point)
    }

    /// The table row nearest to `point` (Euclidean, the first of equals); `None` without a table.
    ///
    /// # Panics
    /// If `point` does not have [`dim`](Self::dim) coordinates.
    #[must_use]
    #[track_caller]
    pub fn nearest_row(&self, point: &UnitPoint) -> Option<usize> {
        self.assert_dim(point);
        self.table.as_ref().map(|table| table.nearest(point))
    }

    /// The same space restricted to these encoded rows, which need not be canonical.
    ///
    /// # Errors
    /// If there are no rows, a row has the wrong number of coordinates, or two rows are the same.
    pub fn with_table(self, rows: Vec<UnitPoint>) -> Result<Self, SpaceError> {
        Ok(Self {
            table: Some(Arc::new(Table::new(rows, self.dim)?)),
            ..self
        })
    }

    /// The same space restricted to these configurations.
    ///
    /// # Errors
    /// If there are no rows, a row is not a configuration of the space, or two rows are the same.
    pub fn with_table_of(self, rows: &[Config]) -> Result<Self, SpaceError> {
        let encode = |(row, config): (usize, &Config)| {
            encoding::encode(&self.parameters, self.dim, config).map_err(|source| {
                SpaceError::TableRow {
                    row,
                    source: Box::new(source),
                }
            })
        };
        let rows = rows
            .iter()
            .enumerate()
            .map(encode)
            .collect::<Result<Vec<_>, _>>()?;
        self.with_table(rows)
    }

    /// The point of a configuration.
    ///
    /// A parameter whose condition does not hold must be absent. In a space restricted to a table
    /// the configuration need not be one of the rows.
    ///
    /// # Errors
    /// If a value is missing, unknown, of the wrong kind, out of range, or given to an inactive
    /// parameter; the error names it.
    pub fn encode(&self, config: &Config) -> Result<UnitPoint, SpaceError> {
        encoding::encode(&self.parameters, self.dim, config)
    }

    /// The configuration at a point. Every point means something.
    ///
    /// # Panics
    /// If `point` does not have [`dim`](Self::dim) coordinates.
    #[must_use]
    #[track_caller]
    pub fn decode(&self, point: &UnitPoint) -> Config {
        self.assert_dim(point);
        let coords = match &self.table {
            Some(table) => table.rows()[table.nearest(point)].coords(),
            None => point.coords(),
        };
        encoding::decode(&self.parameters, coords)
    }

    /// The one point that stands for all points with the same configuration.
    ///
    /// This is `encode(decode(point))`, except that coordinates of active real parameters are kept
    /// as they are instead of taking a detour over the original unit and its rounding. It is
    /// idempotent bit for bit. In a space restricted to a table it is the nearest row.
    ///
    /// # Panics
    /// If `point` does not have [`dim`](Self::dim) coordinates.
    #[must_use]
    #[track_caller]
    pub fn canonical(&self, point: &UnitPoint) -> UnitPoint {
        self.assert_dim(point);
        match &self.table {
            Some(table) => table.rows()[table.nearest(point)].clone(),
            None => encoding::canonical(&self.parameters, point.coords()),
        }
    }

    /// Draws a canonical point: each parameter uniformly on its scale, or a uniform table row.
    #[must_use]
    pub fn sample<R>(&self, rng: &mut R) -> UnitPoint
    where
        R: Rng + ?Sized,
    {
        if let Some(table) = &self.table {
            let rows = table.rows();
            return rows[rng.random_range(0..rows.len() as u64) as usize].clone();
        }
        let coords: Vec<f64> = (0..self.dim).map(|_| rng.random::<f64>()).collect();
        encoding::canonical(&self.parameters, &coords)
    }

    /// For each parameter its position in the list of values (0 if real), `None` if inactive.
    pub(crate) fn levels(&self, coords: &[f64]) -> Vec<Option<i64>> {
        encoding::levels(&self.parameters, coords)
    }

    /// The part of the unit interval decoded as a value of an integer or ordinal parameter.
    pub(crate) fn bucket_of(parameter: &Parameter, level: i64) -> Option<(f64, f64)> {
        encoding::bucket_of(&parameter.domain, level)
    }

    /// Writes the coordinates of a value of a discrete parameter, by its position in the list.
    pub(crate) fn write_level(parameter: &Parameter, position: usize, out: &mut [f64]) {
        encoding::write_level(&parameter.domain, position as i64, out);
    }

    /// The coordinate of a value of a parameter that is neither categorical nor constant.
    pub(crate) fn coordinate_of(parameter: &Parameter, value: &Value) -> Result<f64, SpaceError> {
        let mut coord = [0.5];
        encoding::write_value(&parameter.name, &parameter.domain, value, &mut coord)?;
        Ok(coord[0])
    }

    /// The position of a value in the list of values of a parameter (0 if real).
    pub(crate) fn level_of(parameter: &Parameter, value: &Value) -> Result<i64, SpaceError> {
        encoding::level_of(&parameter.name, &parameter.domain, value)
    }

    #[track_caller]
    pub(crate) fn assert_dim(&self, point: &UnitPoint) {
        assert_eq!(
            point.dim(),
            self.dim,
            "coordinates of the point (left) and dimension of the space"
        );
    }
}

#[cfg(test)]
mod tests;
