//! The inputs that every measurement of speed shares, ours and other programs'.
//!
//! Each array has a stream of its own, named by what it is and its sizes: adding one changes no
//! other. [`write()`] gives them to programs in other languages.
//!
//! Layout on disk: `NAME.bin` holds the values as little-endian `f64`, row by row; `index.json`
//! maps `NAME` to `{"file": "NAME.bin", "shape": [rows, columns]}`.

use std::path::Path;

use anyhow::Context as _;
use rand_chacha::ChaCha8Rng;
use warmfront_core::{Purpose, Seed};
use warmfront_linalg::Mat;
use warmfront_math::distribution::{open_uniform, standard_normal};
use warmfront_pareto::Points;
use warmfront_problems::{dtlz2, hartmann6};

/// Number of inputs of the regression and of the multi-objective data.
pub const DIM: usize = 6;
/// Sizes of [`regression`] that are written.
pub const REGRESSION_SIZES: [usize; 6] = [50, 100, 200, 500, 1000, 2000];
/// Numbers of objectives of [`tradeoff`] that are written.
pub const TRADEOFF_OBJECTIVES: [usize; 3] = [2, 3, 4];
/// Sizes of [`tradeoff`] that are written.
pub const TRADEOFF_SIZES: [usize; 3] = [50, 100, 200];
/// Sizes of [`front`] that are written.
pub const FRONT_SIZES: [usize; 9] = [10, 20, 50, 100, 200, 300, 500, 1000, 2000];
/// Largest number of objectives of the [`front`]s that are written.
pub const FRONT_MAX_OBJECTIVES: usize = 8;
/// Numbers of objectives of the [`cloud`]s that are written.
pub const CLOUD_OBJECTIVES: [usize; 4] = [2, 3, 4, 6];
/// Sizes of the [`cloud`]s that are written.
pub const CLOUD_SIZES: [usize; 3] = [100, 1000, 10_000];
/// Upper bound of the costs of [`tradeoff`] and [`front`] that count, the same in every objective.
pub const REFERENCE: f64 = 1.1;

const NOISE: f64 = 0.02;
const TEST_POINTS: usize = 10_000;

const ROOT: Seed = Seed(0x7761_726d);

/// What an array is; part of the name of its random stream.
#[derive(Clone, Copy)]
enum Kind {
    Regression = 1,
    Test = 2,
    Tradeoff = 3,
    Linear = 4,
    Concave = 5,
    Convex = 6,
    Cloud = 7,
}

fn stream(kind: Kind, m: usize, n: usize) -> ChaCha8Rng {
    ROOT.child(kind as u64)
        .child(m as u64)
        .stream(Purpose::Evaluate, n as u64)
}

/// A matrix stored row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    columns: usize,
    values: Vec<f64>,
}

impl Table {
    fn from_rows(columns: usize, rows: impl IntoIterator<Item = Vec<f64>>) -> Self {
        let values = rows.into_iter().flatten().collect();
        Self { columns, values }
    }

    fn uniform(n: usize, columns: usize, rng: &mut ChaCha8Rng) -> Self {
        let values = (0..n * columns).map(|_| open_uniform(rng)).collect();
        Self { columns, values }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    /// Number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Row `i`.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.columns..(i + 1) * self.columns]
    }

    /// The values, row by row.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The values as a matrix.
    #[must_use]
    pub fn to_mat(&self) -> Mat<f64> {
        Mat::from_fn(self.rows(), self.columns, |i, j| self.row(i)[j])
    }

    /// The rows as objective vectors.
    #[must_use]
    pub fn points(&self) -> Points<'_> {
        Points::new(&self.values, self.columns).expect("generated without NaN")
    }
}

/// Inputs and outcomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// Inputs, `n×6`, in the unit cube.
    pub x: Table,
    /// Outcomes, `n×m`.
    pub y: Table,
}

/// Hartmann's function in six dimensions at `n` uniform points, with noise of standard deviation
/// 0.02.
#[must_use]
pub fn regression(n: usize) -> Data {
    let mut rng = stream(Kind::Regression, 1, n);
    let x = Table::uniform(n, DIM, &mut rng);
    let function = hartmann6();
    let y = (0..n).map(|i| vec![function.value(x.row(i))[0] + NOISE * standard_normal(&mut rng)]);
    let y = Table::from_rows(1, y);
    Data { x, y }
}

/// 10 000 uniform points at which to predict.
#[must_use]
pub fn test_points() -> Table {
    Table::uniform(TEST_POINTS, DIM, &mut stream(Kind::Test, 1, TEST_POINTS))
}

/// DTLZ2 with `m` objectives at `n` points, the first half uniform and the rest near the Pareto
/// set, as in the middle of an optimisation.
///
/// # Panics
/// If `m` is not between 2 and 5.
#[must_use]
pub fn tradeoff(m: usize, n: usize) -> Data {
    let mut rng = stream(Kind::Tradeoff, m, n);
    let mut x = Table::uniform(n, DIM, &mut rng);
    for i in n / 2..n {
        for j in m - 1..DIM {
            x.values[i * DIM + j] = (0.5 + 0.1 * standard_normal(&mut rng)).clamp(0.0, 1.0);
        }
    }
    let function = dtlz2(DIM, m);
    let y = Table::from_rows(m, (0..n).map(|i| function.value(x.row(i))));
    Data { x, y }
}

/// The shape of a front, all in `[0, 1]^m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrontShape {
    /// The unit simplex.
    Linear,
    /// The octant of the unit sphere.
    Concave,
    /// One minus the octant of the unit sphere.
    Convex,
}

impl FrontShape {
    /// Every shape.
    pub const ALL: [Self; 3] = [Self::Linear, Self::Concave, Self::Convex];

    /// Its name in names of arrays.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Concave => "concave",
            Self::Convex => "convex",
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Linear => Kind::Linear,
            Self::Concave => Kind::Concave,
            Self::Convex => Kind::Convex,
        }
    }
}

/// `n` mutually non-dominated points, uniform on a front.
#[must_use]
pub fn front(shape: FrontShape, m: usize, n: usize) -> Table {
    let mut rng = stream(shape.kind(), m, n);
    let point = |_| {
        let mut p: Vec<f64> = match shape {
            FrontShape::Linear => (0..m).map(|_| -open_uniform(&mut rng).ln()).collect(),
            _ => (0..m).map(|_| standard_normal(&mut rng).abs()).collect(),
        };
        let length = match shape {
            FrontShape::Linear => p.iter().sum::<f64>(),
            _ => p.iter().map(|v| v * v).sum::<f64>().sqrt(),
        };
        for v in &mut p {
            *v /= length;
            if shape == FrontShape::Convex {
                *v = 1.0 - *v;
            }
        }
        p
    };
    Table::from_rows(m, (0..n).map(point))
}

/// `n` uniform points of the unit cube, most of them dominated.
#[must_use]
pub fn cloud(m: usize, n: usize) -> Table {
    Table::uniform(n, m, &mut stream(Kind::Cloud, m, n))
}

/// Every array that is written, by name.
#[must_use]
pub fn all() -> Vec<(String, Table)> {
    let mut tables = Vec::new();
    for n in REGRESSION_SIZES {
        let data = regression(n);
        tables.push((format!("gp_h6_n{n}.X"), data.x));
        tables.push((format!("gp_h6_n{n}.y"), data.y));
    }
    tables.push(("gp_h6_test10k.X".into(), test_points()));
    for m in TRADEOFF_OBJECTIVES {
        for n in TRADEOFF_SIZES {
            let data = tradeoff(m, n);
            tables.push((format!("mo_dtlz2_m{m}_n{n}.X"), data.x));
            tables.push((format!("mo_dtlz2_m{m}_n{n}.Y"), data.y));
        }
    }
    for shape in FrontShape::ALL {
        for m in 2..=FRONT_MAX_OBJECTIVES {
            for n in FRONT_SIZES {
                let name = format!("front_{}_m{m}_n{n}.P", shape.name());
                tables.push((name, front(shape, m, n)));
            }
        }
    }
    for m in CLOUD_OBJECTIVES {
        for n in CLOUD_SIZES {
            tables.push((format!("cloud_m{m}_n{n}.P"), cloud(m, n)));
        }
    }
    tables
}

/// Writes every array and `index.json` into `folder`, which is made if it is missing, and returns
/// how many arrays there are.
///
/// # Errors
/// If the folder or a file cannot be written.
pub fn write(folder: &Path) -> anyhow::Result<usize> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut index = serde_json::Map::new();
    for (name, table) in all() {
        let file = format!("{name}.bin");
        let bytes: Vec<u8> = table.values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let path = folder.join(&file);
        // Another process may be reading it.
        if std::fs::read(&path).ok().as_ref() != Some(&bytes) {
            std::fs::write(&path, bytes)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        let shape = [table.rows(), table.columns];
        index.insert(name, serde_json::json!({ "file": file, "shape": shape }));
    }
    let count = index.len();
    let path = folder.join("index.json");
    std::fs::write(&path, serde_json::to_string_pretty(&index)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use warmfront_pareto::non_dominated;

    use super::*;

    #[test]
    fn names_are_unique_and_values_in_range() {
        let mut tables = all();
        for (name, table) in &tables {
            let inside = |v: &f64| (0.0..=1.0).contains(v);
            if !name.starts_with("mo_") && !name.ends_with(".y") {
                assert!(table.values.iter().all(inside), "{name}");
            }
            assert!(table.values.iter().all(|v| v.is_finite()), "{name}");
        }
        let count = tables.len();
        tables.sort_by(|a, b| a.0.cmp(&b.0));
        tables.dedup_by(|a, b| a.0 == b.0);
        assert_eq!(tables.len(), count);
        tables.sort_by(|a, b| a.1.values[0].total_cmp(&b.1.values[0]));
        tables.dedup_by(|a, b| a.1.values[0].total_cmp(&b.1.values[0]).is_eq());
        // Each linear or concave front has a stream of its own, and so has everything else.
        assert_eq!(tables.len(), count, "two arrays start with the same value");
    }

    #[test]
    fn fronts_are_fronts_and_clouds_are_not() {
        for shape in FrontShape::ALL {
            for m in [2, 5] {
                let table = front(shape, m, 50);
                assert_eq!(non_dominated(table.points()).len(), 50, "{shape:?} {m}");
            }
        }
        assert!(non_dominated(cloud(2, 100).points()).len() < 30);
    }

    #[test]
    fn half_of_the_tradeoff_data_is_near_the_front() {
        let data = tradeoff(3, 100);
        let distance = |i: usize| {
            let y = data.y.row(i);
            (y.iter().map(|v| v * v).sum::<f64>().sqrt() - 1.0).abs()
        };
        let mean = |range: std::ops::Range<usize>| range.map(distance).sum::<f64>() / 50.0;
        assert!(mean(50..100) < 0.1, "{}", mean(50..100));
        assert!(mean(0..50) > 0.2, "{}", mean(0..50));
    }

    #[test]
    fn what_is_written_can_be_read() {
        let folder = std::env::temp_dir().join(format!("warmfront-inputs-{}", std::process::id()));
        let count = write(&folder).unwrap();
        let index: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(folder.join("index.json")).unwrap())
                .unwrap();
        assert_eq!(index.as_object().unwrap().len(), count);
        let entry = &index["mo_dtlz2_m3_n50.Y"];
        assert_eq!(entry["shape"], serde_json::json!([50, 3]));
        let bytes = std::fs::read(folder.join(entry["file"].as_str().unwrap())).unwrap();
        let values: Vec<f64> = bytes
            .chunks_exact(8)
            .map(|b| f64::from_le_bytes(b.try_into().unwrap()))
            .collect();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(values, tradeoff(3, 50).y.values);
    }
}
