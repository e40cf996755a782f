//! The families of tasks: which tasks a policy is trained on, and which it is tested on.

mod antibodies;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, ensure};
use rand::{Rng, RngExt};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use warmfront_core::{Direction, Purpose, SearchSpace, Seed};
use warmfront_gp::ExactGp;
use warmfront_meta::smog::{MetaModels, SmogConfig, fit_meta};
use warmfront_problems::{
    Design, HpobenchXgb, HpobenchXgbConfig, TaskFamily, YahpoFamily, design_points,
};

use super::analytic::{Function, Shape};
use super::sources::conditional::fit_surrogate;
use super::sources::general;
use super::sources::prior::GpPrior;
use super::task::{Ground, Table};
use super::{methods, portfolio};
use crate::cell::fnv1a;
use crate::data::DataFolder;
use crate::problems::{LCBENCH, Slots, XGB, slot, yahpo_files};

/// One family of tasks.
#[derive(Debug, Clone, Copy)]
pub struct FamilySpec {
    /// Short name, as on the command line.
    pub name: &'static str,
    /// Title in the report.
    pub title: &'static str,
    /// What it is, for a reader of the report.
    pub text: &'static str,
    /// Raised when a change makes earlier results incomparable.
    pub version: u32,
    /// Number of tasks to test on.
    pub tests: u32,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Xgb { published: bool },
    Antbo,
    Lcbench,
    Gp { dim: usize, rows: usize },
    Analytic { dim: usize },
    General,
}

/// Rows of a table of the antibody family, of a LCBench table, and of a drawn function.
const ROWS: usize = 1000;
const DRAWN_ROWS: usize = 500;
/// Functions that stand for training tasks where there is no end of them.
const DRAWN: usize = 20;
/// Points of the portfolio of a family: the largest budget of an experiment.
const LIST: usize = 100;
/// Rows of each training table that SMOG is given.
const META_ROWS: usize = 128;
const ANTBO: &str = "antbo";

/// All families that an experiment may name.
pub const FAMILIES: &[FamilySpec] = &[
    FamilySpec {
        name: "xgb",
        title: "HPOBench-XGB",
        text: "Tables of a thousand XGBoost configurations, six inputs, the skewed ones on a log scale; the \
               value is minimised. Trained on tables 0–19, validated on 20–33, tested on 34–47.",
        version: 1,
        tests: 14,
        kind: Kind::Xgb { published: false },
    },
    FamilySpec {
        name: "xgb-published",
        title: "HPOBench-XGB, as published",
        text: "The same tables with their columns as they are and the value maximised, as in the authors' \
               program.",
        version: 1,
        tests: 14,
        kind: Kind::Xgb { published: true },
    },
    FamilySpec {
        name: "antbo",
        title: "Antibodies",
        text: "Sequences of eleven amino acids and their energy of binding to an antigen. In alphabetical \
               order the first eight antigens are for training, then two for validation and two for tests, \
               a thousand sequences of each.",
        version: 2,
        tests: 2,
        kind: Kind::Antbo,
    },
    FamilySpec {
        name: "lcbench",
        title: "LCBench",
        text: "Tables of a thousand Sobol points of seven hyper-parameters, 1 − validation accuracy after all \
               epochs by the YAHPO surrogate. Of 34 data sets, in the order of the surrogate, 20 are for \
               training, 6 for validation, 8 for tests.",
        version: 1,
        tests: 8,
        kind: Kind::Lcbench,
    },
    FamilySpec {
        name: "gp",
        title: "Gaussian process, 3 inputs",
        text: "Draws of a Gaussian process with random kernel and lengthscales at 500 uniform points; every \
               function has its own points. Tasks have nothing in common but their prior.",
        version: 1,
        tests: 16,
        kind: Kind::Gp { dim: 3, rows: 500 },
    },
    FamilySpec {
        name: "gp-1",
        title: "Gaussian process, 1 input",
        text: "As small as possible: shows that everything works, nothing else.",
        version: 1,
        tests: 3,
        kind: Kind::Gp { dim: 1, rows: 60 },
    },
    FamilySpec {
        name: "gp-2",
        title: "Gaussian process, 2 inputs",
        text: "Draws of a Gaussian process with random kernel and lengthscales at 200 uniform points; every \
               function has its own points. A small policy, trained in a minute.",
        version: 1,
        tests: 16,
        kind: Kind::Gp { dim: 2, rows: 200 },
    },
    FamilySpec {
        name: "gp-6",
        title: "Gaussian process, 6 inputs",
        text: "As with 3 inputs.",
        version: 1,
        tests: 16,
        kind: Kind::Gp { dim: 6, rows: 500 },
    },
    FamilySpec {
        name: "analytic",
        title: "Shifted functions, 4 inputs",
        text: "Ackley, Griewank, Styblinski–Tang, Dixon–Price, Powell, Rosenbrock and sphere functions over a \
               box, the optimum moved, the box stretched, the coordinates exchanged; two of each are tests.",
        version: 1,
        tests: 2 * Shape::ALL.len() as u32,
        kind: Kind::Analytic { dim: 4 },
    },
    FamilySpec {
        name: "general",
        title: "Functions of one to eight inputs",
        text: "Draws of Gaussian processes and shifted functions of one to eight inputs at 500 uniform points; \
               inputs beyond are held at zero. For a policy that serves any such space.",
        version: 1,
        tests: 16,
        kind: Kind::General,
    },
];

impl FamilySpec {
    /// The family with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        FAMILIES.iter().find(|f| f.name == name)
    }

    /// The part of the data folder that it needs.
    #[must_use]
    pub fn data(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Xgb { .. } => Some(XGB),
            Kind::Antbo => Some(ANTBO),
            Kind::Lcbench => Some(LCBENCH),
            Kind::Gp { .. } | Kind::Analytic { .. } | Kind::General => None,
        }
    }

    /// Number of coordinates of a point.
    #[must_use]
    pub fn inputs(&self) -> usize {
        match self.kind {
            Kind::Xgb { .. } => 6,
            Kind::Antbo => 220,
            Kind::Lcbench => 7,
            Kind::Gp { dim, .. } | Kind::Analytic { dim } => dim,
            Kind::General => general::INPUTS,
        }
    }

    /// Whether tasks are drawn rather than read.
    #[must_use]
    pub fn drawn(&self) -> bool {
        self.data().is_none()
    }

    /// Whether its policies are for any space of no more coordinates.
    #[must_use]
    pub fn is_general(&self) -> bool {
        matches!(self.kind, Kind::General)
    }

    /// The analytic families: their tasks are boxes.
    #[must_use]
    pub fn is_box(&self) -> bool {
        matches!(self.kind, Kind::Analytic { .. })
    }
}

/// A family with its tasks.
pub struct Hall {
    /// Which.
    pub spec: &'static FamilySpec,
    /// The space, without a table.
    pub space: SearchSpace,
    /// Tasks to train on; where functions are drawn, a few of them.
    pub train: Vec<Table>,
    /// Tasks to judge a policy by.
    pub validation: Vec<Table>,
    tests: Vec<Table>,
    functions: Vec<Function>,
    seed: Seed,
    surrogates: OnceLock<Result<Vec<ExactGp>, String>>,
    meta_models: OnceLock<Result<Arc<MetaModels>, String>>,
    portfolio: OnceLock<Result<Arc<Vec<Vec<f64>>>, String>>,
}

impl Hall {
    /// Encoded dimension.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.space.dim()
    }

    /// For each categorical input the range of its coordinates.
    #[must_use]
    pub fn categories(&self) -> Vec<Range<usize>> {
        let inputs = self.space.parameters().iter();
        let categorical = inputs.filter(|p| p.coords().len() > 1);
        categorical.map(|p| p.coords()).collect()
    }

    /// The task with this number.
    ///
    /// # Errors
    /// If its rows are no table of the space.
    pub fn ground(&self, task: u32) -> anyhow::Result<Ground> {
        let index = task as usize;
        if self.spec.is_box() {
            let function = self.functions.get(index).context("no such task")?;
            return Ok(Ground::formula(function.clone()));
        }
        let table = self.tests.get(index).context("no such task")?;
        let table = if table.len() > ROWS {
            // The same rows for all seeds: runs from different starts can be compared row by row.
            let stream = self.seed.child(11).child(u64::from(task));
            let rows = subset(table.len(), ROWS, &mut stream.stream(Purpose::Init, 0));
            table.select(&rows)
        } else {
            table.clone()
        };
        Ground::table(&self.space, table)
    }

    /// The fixed list of points that does best on the training tasks, chosen once.
    ///
    /// # Errors
    /// If the surrogates cannot be fitted.
    pub fn portfolio(&self) -> anyhow::Result<Arc<Vec<Vec<f64>>>> {
        self.portfolio
            .get_or_init(|| {
                let list = portfolio::choose(self, LIST, self.seed.child(13));
                list.map(Arc::new).map_err(|error| format!("{error:#}"))
            })
            .clone()
            .map_err(anyhow::Error::msg)
    }

    /// Gaussian processes of 128 rows of each training table, as SMOG has them, fitted once.
    ///
    /// # Errors
    /// If they cannot be fitted.
    pub fn meta_models(&self) -> anyhow::Result<Arc<MetaModels>> {
        let make = || -> anyhow::Result<Arc<MetaModels>> {
            let mut rng = self.seed.child(14).stream(Purpose::Init, 0);
            let meta = methods::meta_tasks(self, META_ROWS, &mut rng);
            let config = SmogConfig::default();
            Ok(Arc::new(fit_meta(&meta, self.dim(), 1, &config, &mut rng)?))
        };
        self.meta_models
            .get_or_init(|| make().map_err(|error| format!("{error:#}")))
            .clone()
            .map_err(anyhow::Error::msg)
    }

    /// A Gaussian process for each training table, fitted to at most 300 of its rows, once.
    ///
    /// # Errors
    /// If a fit fails.
    pub fn surrogates(&self) -> anyhow::Result<&[ExactGp]> {
        let make = || -> anyhow::Result<Vec<ExactGp>> {
            let categorical = !self.categories().is_empty();
            let fit = |(index, table): (u64, &Table)| {
                let seed = self.seed.child(12).child(index);
                fit_surrogate(table, categorical, seed)
                    .with_context(|| format!("no surrogate of {}", table.name))
            };
            let tables: Vec<(u64, &Table)> = (0..).zip(&self.train).collect();
            tables.into_par_iter().map(fit).collect()
        };
        self.surrogates
            .get_or_init(|| make().map_err(|error| format!("{error:#}")))
            .as_deref()
            .map_err(|text| anyhow::anyhow!(text.clone()))
    }
}

/// Families, each made once, whichever thread asks first.
pub struct Halls {
    data: Option<DataFolder>,
    base: Seed,
    halls: Slots<&'static str, Arc<Hall>>,
    checksums: Slots<&'static str, u32>,
}

impl Halls {
    /// Families whose drawn tasks derive from one base seed.
    #[must_use]
    pub fn new(data: Option<DataFolder>, base: u64) -> Self {
        Self {
            data,
            base: Seed(base),
            halls: Slots::default(),
            checksums: Slots::default(),
        }
    }

    /// The data folder, if one was given.
    #[must_use]
    pub fn data(&self) -> Option<&DataFolder> {
        self.data.as_ref()
    }

    /// A family.
    ///
    /// # Errors
    /// If its data cannot be read.
    pub fn get(&self, spec: &'static FamilySpec) -> anyhow::Result<Arc<Hall>> {
        slot(&self.halls, spec.name, || {
            self.make(spec)
                .map(Arc::new)
                .with_context(|| format!("cannot set up the family `{}`", spec.name))
        })
    }

    /// Checksum of the files that a family is made of; 0 without any.
    #[must_use]
    pub fn checksum(&self, spec: &'static FamilySpec) -> u32 {
        let files = || -> anyhow::Result<u32> {
            let (Some(data), Some(folder)) = (&self.data, spec.data()) else {
                return Ok(0);
            };
            let mut all = crc32fast::Hasher::new();
            for extension in ["npy", "csv", "json", "onnx"] {
                for name in data.list(folder, extension)? {
                    all.update(&data.read(&name)?);
                }
            }
            Ok(all.finalize())
        };
        // What cannot be read stops the run where it is needed.
        slot(&self.checksums, spec.name, files).unwrap_or(0)
    }

    fn make(&self, spec: &'static FamilySpec) -> anyhow::Result<Hall> {
        let seed = self.base.child(fnv1a(spec.name.as_bytes()));
        let hall = |space, [train, validation, tests]: [Vec<Table>; 3]| Hall {
            spec,
            space,
            train,
            validation,
            tests,
            functions: Vec::new(),
            seed,
            surrogates: OnceLock::new(),
            portfolio: OnceLock::new(),
            meta_models: OnceLock::new(),
        };
        match spec.kind {
            Kind::Xgb { published } => {
                let (space, tables) = self.xgb(published)?;
                Ok(hall(space, split(tables, 20, 14)))
            }
            Kind::Antbo => {
                let (space, tables) = self.antibodies()?;
                Ok(hall(space, split(tables, 8, 2)))
            }
            Kind::Lcbench => {
                let (space, tables) = self.lcbench(seed)?;
                Ok(hall(space, split(tables, 20, 6)))
            }
            Kind::Gp { dim, rows } => {
                let prior = GpPrior::new(dim);
                let tables = drawn_tables(spec, seed, 8, |_, rng| prior.table(rows, 0.0, rng));
                Ok(hall(SearchSpace::unit_cube(dim), tables))
            }
            Kind::General => {
                let tables = drawn_tables(spec, seed, 16, |index, rng| {
                    general::table_of(1 + index % general::INPUTS, DRAWN_ROWS, 0.0, rng)
                });
                Ok(hall(SearchSpace::unit_cube(general::INPUTS), tables))
            }
            Kind::Analytic { dim } => {
                let draw = |kind: u64, count: usize| -> Vec<(Function, Table)> {
                    let one = |index: usize| {
                        let stream = seed.child(kind).child(index as u64);
                        let mut rng = stream.stream(Purpose::Init, 0);
                        let shape = Shape::ALL[index % Shape::ALL.len()];
                        let function = Function::draw(shape, dim, &mut rng);
                        let table = function_table(&function, DRAWN_ROWS, &mut rng);
                        (function, table)
                    };
                    (0..count).map(one).collect()
                };
                let tables =
                    |drawn: Vec<(Function, Table)>| drawn.into_iter().map(|d| d.1).collect();
                let tests = draw(3, spec.tests as usize);
                Ok(Hall {
                    functions: tests.into_iter().map(|d| d.0).collect(),
                    ..hall(
                        SearchSpace::unit_cube(dim),
                        [tables(draw(1, 21)), tables(draw(2, 7)), Vec::new()],
                    )
                })
            }
        }
    }

    fn folder(&self) -> anyhow::Result<&DataFolder> {
        self.data
            .as_ref()
            .context("no data folder was given (--data DIR)")
    }

    fn xgb(&self, published: bool) -> anyhow::Result<(SearchSpace, Vec<Table>)> {
        let data = self.folder()?;
        let names = data.list(XGB, "npy")?;
        // Tables are told apart by their order alone.
        let needed = HpobenchXgb::TEST.end;
        ensure!(
            names.len() == needed,
            "{} holds {} tables (.npy), expected exactly {needed}",
            data.root().join(XGB).display(),
            names.len()
        );
        let tables = names
            .iter()
            .map(|name| data.read(name))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let config = if published {
            HpobenchXgbConfig {
                log_scale: false,
                direction: Direction::Maximize,
            }
        } else {
            HpobenchXgbConfig::default()
        };
        let family = HpobenchXgb::from_npy(&tables, config)?;
        // All tables lie in one space; only their rows differ.
        let space = SearchSpace::unit_cube(family.task(0).space().dim());
        let tables = (0..needed)
            .map(|index| Table::of(&family.task(index)))
            .collect::<anyhow::Result<_>>()?;
        Ok((space, tables))
    }

    fn antibodies(&self) -> anyhow::Result<(SearchSpace, Vec<Table>)> {
        let data = self.folder()?;
        let space = antibodies::space()?;
        let names = data.list(ANTBO, "csv")?;
        ensure!(
            names.len() == 12,
            "{} holds {} tables (.csv), expected exactly 12",
            data.root().join(ANTBO).display(),
            names.len()
        );
        let tables = names
            .iter()
            .map(|name| {
                antibodies::sequences(name, &data.read(name)?)
                    .with_context(|| format!("{} is damaged", data.root().join(name).display()))
            })
            .collect::<anyhow::Result<_>>()?;
        Ok((space, tables))
    }

    fn lcbench(&self, seed: Seed) -> anyhow::Result<(SearchSpace, Vec<Table>)> {
        let data = self.folder()?;
        let family = YahpoFamily::lcbench(yahpo_files(data, LCBENCH)?)
            .and_then(|family| family.with_objectives(&["1-val_accuracy"]))
            .with_context(|| format!("{} is damaged", data.root().join(LCBENCH).display()))?;
        let instances = family.scenario().instances().len();
        ensure!(instances == 34, "{instances} data sets, expected 34");
        let space = SearchSpace::unit_cube(family.task(0).space().dim());
        let tables = (0..instances)
            .map(|index| {
                let problem = family.problem(index);
                let mut rng = seed.child(4).child(index as u64).stream(Purpose::Init, 0);
                let space = warmfront_problems::Problem::space(&problem);
                let points = design_points(space, ROWS, Design::Sobol, &mut rng);
                Table::at(&problem, points)
            })
            .collect::<anyhow::Result<_>>()?;
        Ok((space, tables))
    }
}

/// Drawn functions that stand for training tasks, for validation, and the tests.
fn drawn_tables(
    spec: &FamilySpec,
    seed: Seed,
    validation: usize,
    one: impl Fn(usize, &mut dyn Rng) -> Table,
) -> [Vec<Table>; 3] {
    [(1, DRAWN), (2, validation), (3, spec.tests as usize)].map(|(kind, count): (u64, usize)| {
        let draw = |index: usize| {
            let stream = seed.child(kind).child(index as u64);
            let mut table = one(index, &mut stream.stream(Purpose::Init, 0));
            table.name = format!("{}-{index}", spec.name);
            table
        };
        (0..count).map(draw).collect()
    })
}

/// The first `train` tables, the next `validation`, and the rest.
fn split(mut tables: Vec<Table>, train: usize, validation: usize) -> [Vec<Table>; 3] {
    let tests = tables.split_off(train + validation);
    let middle = tables.split_off(train);
    [tables, middle, tests]
}

/// `count` distinct numbers below `of`, in a random order.
pub(super) fn subset<R: Rng + ?Sized>(of: usize, count: usize, rng: &mut R) -> Vec<usize> {
    let mut order: Vec<usize> = (0..of).collect();
    let count = count.min(of);
    for i in 0..count {
        order.swap(i, rng.random_range(i as u64..of as u64) as usize);
    }
    order.truncate(count);
    order
}

/// A function at uniform points.
pub(super) fn function_table(function: &Function, rows: usize, rng: &mut dyn Rng) -> Table {
    let dim = function.dim();
    let x: Vec<f64> = (0..rows * dim)
        .map(|_| warmfront_math::distribution::open_uniform(rng))
        .collect();
    Table {
        name: function.name(),
        dim,
        costs: x.chunks_exact(dim).map(|u| function.at(u)).collect(),
        x,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_the_same_each_time_and_hold_their_tests() {
        for name in ["gp", "analytic", "general"] {
            let spec = FamilySpec::find(name).expect("defined");
            let [a, b] = [0, 1].map(|_| Halls::new(None, 5).get(spec).expect("no data needed"));
            assert_eq!(a.train, b.train);
            for task in 0..spec.tests {
                let (a, b) = (a.ground(task), b.ground(task));
                let (a, b) = (a.expect("a task"), b.expect("a task"));
                assert_eq!(
                    (a.best.to_bits(), a.worst.to_bits()),
                    (b.best.to_bits(), b.worst.to_bits())
                );
                assert!(a.best < a.worst);
            }
            assert!(a.ground(spec.tests).is_err());
        }
    }

    #[test]
    fn tables_are_split_in_their_order() {
        let tables = (0..10).map(|i| Table {
            name: i.to_string(),
            dim: 1,
            x: vec![0.0],
            costs: vec![0.0],
        });
        let parts = split(tables.collect(), 5, 3);
        let names = parts.map(|part| part.into_iter().map(|t| t.name).collect::<String>());
        assert_eq!(names, ["01234", "567", "89"]);
    }

    #[test]
    fn published_data_are_split_as_stated() {
        let Some(folder) = warmfront_testkit::data_folder() else {
            return;
        };
        let data = DataFolder::open(&folder).expect("a data folder");
        let halls = Halls::new(Some(data), 1);
        for (name, train, validation) in [("xgb", 20, 14), ("antbo", 8, 2), ("lcbench", 20, 6)] {
            let spec = FamilySpec::find(name).expect("defined");
            let hall = halls.get(spec).expect("the data are there");
            let counts = (hall.train.len(), hall.validation.len(), hall.tests.len());
            assert_eq!(counts, (train, validation, spec.tests as usize), "{name}");
            assert_eq!(hall.dim(), spec.inputs(), "{name}");
            let all = hall.train.iter().chain(&hall.validation).chain(&hall.tests);
            let names: std::collections::BTreeSet<&str> = all.map(|t| t.name.as_str()).collect();
            assert_eq!(names.len(), train + validation + hall.tests.len(), "{name}");
            assert_ne!(halls.checksum(spec), 0, "{name}");
        }
    }
}
