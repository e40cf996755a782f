#![doc = include_str!("../README.md")]

mod error;

mod problem;
mod sample;
mod synthetic;

mod branin_currin;
mod dtlz;
mod engineering;
mod hartmann;
mod multi_fidelity;
mod penicillin;
mod zdt;

pub mod parametric;
pub mod wrap;

mod expert;
mod family;
mod front_search;
#[cfg(feature = "live")]
mod live;
mod registry;

mod tabular;
#[cfg(feature = "onnx")]
mod yahpo;

pub use branin_currin::{branin, branin_currin};
pub use dtlz::{dtlz1, dtlz2, dtlz3, dtlz5, dtlz7};
pub use engineering::{car_side_impact, vehicle_safety};
pub use error::{NpyError, ProblemError};
pub use expert::{ExpertQuality, ExpertSample, expert_beliefs};
pub use family::{HardHartmann, HartmannFamily, Sinusoidal, Terrain};
pub use front_search::{ApproximateFront, FrontBudget, approximate_front};
pub use hartmann::{hartmann3, hartmann6};
#[cfg(feature = "live")]
pub use live::WineTuning;
pub use multi_fidelity::{MfHartmann, MfHartmannKind, MfZdt, MomfBraninCurrin, MomfPark};
pub use penicillin::penicillin;
pub use problem::{Known, Optimum, Problem, Provenance, TaskFamily};
pub use registry::{problem_by_name, problem_names};
pub use sample::{Design, design_points, reference_from_sample, sample_record};
pub use synthetic::Synthetic;
pub use tabular::{HpobenchXgb, HpobenchXgbConfig, Npy, Tabular};
#[cfg(feature = "onnx")]
pub use yahpo::{
    PRIMO_LCBENCH, YahpoFamily, YahpoFiles, YahpoLayout, YahpoOutput, YahpoProblem, YahpoScenario,
    YahpoTask,
};
pub use zdt::{zdt1, zdt2, zdt3};
