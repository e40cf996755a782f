//! The boxes of tasks.

use std::sync::Arc;

use warmfront_core::UnitPoint;
use warmfront_problems::parametric::{
    Archery, Crane, ParametricFunction, ParametricProblem, ParametricSynthetic, PlanarArm,
    RobustTruss, TaskShift, test_tasks,
};

use super::unrelated::UnrelatedSpheres;
use crate::problems::{Slots, slot};

/// One problem of an experiment.
#[derive(Debug, Clone, Copy)]
pub struct ProblemSpec {
    /// Short name, as on the command line.
    pub name: &'static str,
    /// Title in the report.
    pub title: &'static str,
    /// What it is, for a reader of the report.
    pub text: &'static str,
    /// Raised when a change makes earlier results incomparable.
    pub version: u32,
    /// Tasks of the initial design.
    pub initial_tasks: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Synthetic(ParametricFunction, TaskShift),
    Wide(ParametricFunction, TaskShift),
    Small,
    Unrelated,
    Arm,
    CraneConditions,
    CraneDelays,
    Truss,
    TwoBar,
    Archery,
}

const fn problem(
    name: &'static str,
    title: &'static str,
    kind: Kind,
    text: &'static str,
) -> ProblemSpec {
    ProblemSpec {
        name,
        title,
        text,
        version: 1,
        initial_tasks: 20,
        kind,
    }
}

const fn synthetic(
    name: &'static str,
    title: &'static str,
    function: ParametricFunction,
    shift: TaskShift,
) -> ProblemSpec {
    let text = match shift {
        TaskShift::I => {
            "Four inputs, five task parameters; the optimal solution moves smoothly with the task."
        }
        _ => "Four inputs, five task parameters; the optimal solution moves fast with the task.",
    };
    problem(name, title, Kind::Synthetic(function, shift), text)
}

const fn wide(
    name: &'static str,
    title: &'static str,
    function: ParametricFunction,
    shift: TaskShift,
) -> ProblemSpec {
    let text = match shift {
        TaskShift::I => "Sixty inputs, five task parameters; the optimal solution moves smoothly.",
        _ => "Sixty inputs, five task parameters; the optimal solution moves fast.",
    };
    problem(name, title, Kind::Wide(function, shift), text)
}

const GRIEWANK: ParametricFunction = ParametricFunction::Griewank {
    published_shift: true,
};

/// All problems that an experiment may name.
pub const PROBLEMS: &[ProblemSpec] = &[
    synthetic(
        "sphere-i",
        "Sphere-I",
        ParametricFunction::Sphere,
        TaskShift::I,
    ),
    synthetic(
        "ackley-i",
        "Ackley-I",
        ParametricFunction::Ackley,
        TaskShift::I,
    ),
    synthetic(
        "rastrigin-i",
        "Rastrigin-I",
        ParametricFunction::Rastrigin,
        TaskShift::I,
    ),
    synthetic("griewank-i", "Griewank-I", GRIEWANK, TaskShift::I),
    synthetic(
        "sphere-ii",
        "Sphere-II",
        ParametricFunction::Sphere,
        TaskShift::II,
    ),
    synthetic(
        "ackley-ii",
        "Ackley-II",
        ParametricFunction::Ackley,
        TaskShift::II,
    ),
    synthetic(
        "rastrigin-ii",
        "Rastrigin-II",
        ParametricFunction::Rastrigin,
        TaskShift::II,
    ),
    synthetic("griewank-ii", "Griewank-II", GRIEWANK, TaskShift::II),
    ProblemSpec {
        initial_tasks: 10,
        ..problem(
            "arm",
            "Planar arm",
            Kind::Arm,
            "Three joints; the task is how far the joints turn and how long the arm is.",
        )
    },
    problem(
        "crane-conditions",
        "Crane, operating conditions",
        Kind::CraneConditions,
        "Three switching times; the task is load, length of the rope and resistance.",
    ),
    problem(
        "crane-delays",
        "Crane, actuation delays",
        Kind::CraneDelays,
        "Three switching times; the task is what delays add to each.",
    ),
    problem(
        "truss",
        "Truss, as published",
        Kind::Truss,
        "The task is a design, the inputs are its perturbation, the least cost is the worst case; one \
         of the three task parameters has no effect.",
    ),
    problem(
        "truss-two-bar",
        "Two-bar truss",
        Kind::TwoBar,
        "The same for volume and stress of the standard two-bar truss.",
    ),
    problem(
        "archery",
        "Archery",
        Kind::Archery,
        "Yaw and pitch of an arrow; the task is distance and wind. Costs have plateaus, and most shots \
         hit nothing.",
    ),
    wide(
        "sphere-60",
        "Sphere-I, 60 inputs",
        ParametricFunction::Sphere,
        TaskShift::I,
    ),
    wide(
        "ackley-60",
        "Ackley-I, 60 inputs",
        ParametricFunction::Ackley,
        TaskShift::I,
    ),
    wide(
        "rastrigin-60",
        "Rastrigin-I, 60 inputs",
        ParametricFunction::Rastrigin,
        TaskShift::I,
    ),
    wide(
        "griewank-60",
        "Griewank-I, 60 inputs",
        GRIEWANK,
        TaskShift::I,
    ),
    wide(
        "sphere-ii-60",
        "Sphere-II, 60 inputs",
        ParametricFunction::Sphere,
        TaskShift::II,
    ),
    problem(
        "related",
        "Related tasks",
        Kind::Small,
        "Sphere with three inputs and two task parameters; the optimal solution moves smoothly.",
    ),
    problem(
        "unrelated",
        "Unrelated tasks",
        Kind::Unrelated,
        "The same function, but the optimal solution jumps at random from task to task.",
    ),
];

impl ProblemSpec {
    /// The problem with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        PROBLEMS.iter().find(|p| p.name == name)
    }

    fn build(&self) -> Arc<dyn ParametricProblem> {
        match self.kind {
            Kind::Synthetic(function, shift) => {
                Arc::new(ParametricSynthetic::new(function, shift, 4, 5))
            }
            Kind::Wide(function, shift) => {
                Arc::new(ParametricSynthetic::new(function, shift, 60, 5))
            }
            Kind::Small => Arc::new(ParametricSynthetic::new(
                ParametricFunction::Sphere,
                TaskShift::I,
                3,
                2,
            )),
            Kind::Unrelated => Arc::new(UnrelatedSpheres::new()),
            Kind::Arm => Arc::new(PlanarArm::new(3)),
            Kind::CraneConditions => Arc::new(Crane::operating_conditions()),
            Kind::CraneDelays => Arc::new(Crane::actuation_delays()),
            Kind::Truss => Arc::new(RobustTruss::published()),
            Kind::TwoBar => Arc::new(RobustTruss::two_bar()),
            Kind::Archery => Arc::new(Archery::new()),
        }
    }
}

/// A problem with the tasks that answers are scored on; the same for every seed.
pub struct Stage {
    /// Its name and texts.
    pub spec: &'static ProblemSpec,
    /// The problem.
    pub problem: Arc<dyn ParametricProblem>,
    /// A dense sample of tasks.
    pub tests: Vec<UnitPoint>,
}

impl Stage {
    /// A stage of its own.
    #[must_use]
    pub fn new(spec: &'static ProblemSpec) -> Self {
        let problem = spec.build();
        Self {
            spec,
            tests: test_tasks(&*problem),
            problem,
        }
    }
}

/// Makes stages, each once, whichever thread asks first.
#[derive(Default)]
pub struct Stages {
    stages: Slots<&'static str, Arc<Stage>>,
}

impl Stages {
    /// The stage of a problem.
    ///
    /// # Errors
    /// None of its own.
    pub fn get(&self, spec: &'static ProblemSpec) -> anyhow::Result<Arc<Stage>> {
        slot(&self.stages, spec.name, || Ok(Arc::new(Stage::new(spec))))
    }
}
