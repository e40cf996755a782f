//! What the files of a scenario do not say: the order of inputs and outputs.

use warmfront_core::Direction;

/// One output of a surrogate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct YahpoOutput {
    /// Its name.
    pub name: &'static str,
    /// Whether it is minimised or maximised.
    pub direction: Direction,
    /// The value that is perfect where there is one: 1 or 100 for accuracies. `1-name` is then
    /// `1 − value/scale`.
    pub scale: f64,
}

/// The inputs and outputs of a scenario's surrogate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct YahpoLayout {
    /// The scenario's name, as in the global statistics.
    pub name: &'static str,
    /// The categorical input that chooses the instance.
    pub instance: &'static str,
    /// The input that is the fidelity.
    pub fidelity: &'static str,
    /// Inputs that are no part of the search space, with the value they are kept at.
    pub fixed: &'static [(&'static str, f64)],
    /// The numeric inputs in the model's order.
    pub numeric: &'static [&'static str],
    /// The categorical inputs in the model's order.
    pub categorical: &'static [&'static str],
    /// The outputs in the model's order.
    pub outputs: &'static [YahpoOutput],
    /// The objectives of problems that name no others.
    pub objectives: &'static [&'static str],
}

const fn down(name: &'static str) -> YahpoOutput {
    YahpoOutput {
        name,
        direction: Direction::Minimize,
        scale: 1.0,
    }
}

const fn up(name: &'static str, scale: f64) -> YahpoOutput {
    YahpoOutput {
        name,
        direction: Direction::Maximize,
        scale,
    }
}

impl YahpoLayout {
    /// The layout of this scenario, if it is one of those below.
    #[must_use]
    pub fn by_name(scenario: &str) -> Option<Self> {
        let known = [Self::LCBENCH, Self::RBV2_XGBOOST];
        known.into_iter().find(|layout| layout.name == scenario)
    }

    /// `lcbench`: 34 data sets, seven hyper-parameters of a multi-layer perceptron, 1 to 52 epochs.
    /// Default objectives: `1-val_accuracy` and `log_time`.
    pub const LCBENCH: Self = Self {
        name: "lcbench",
        instance: "OpenML_task_id",
        fidelity: "epoch",
        fixed: &[],
        numeric: &[
            "epoch",
            "batch_size",
            "learning_rate",
            "momentum",
            "weight_decay",
            "num_layers",
            "max_units",
            "max_dropout",
        ],
        categorical: &["OpenML_task_id"],
        outputs: &[
            down("time"),
            up("val_accuracy", 100.0),
            down("val_cross_entropy"),
            up("val_balanced_accuracy", 1.0),
            down("test_cross_entropy"),
            up("test_balanced_accuracy", 1.0),
        ],
        objectives: &["1-val_accuracy", "log_time"],
    };

    /// `rbv2_xgboost`: 119 data sets, a mixed and conditional space of XGBoost, the share of the
    /// training set as fidelity, ten repetitions. Default objectives: `acc` (maximised) and
    /// `memory`. YAHPO declares `f1` as minimised, and so does this layout.
    pub const RBV2_XGBOOST: Self = Self {
        name: "rbv2_xgboost",
        instance: "task_id",
        fidelity: "trainsize",
        fixed: &[("repl", 10.0)],
        numeric: &[
            "nrounds",
            "eta",
            "gamma",
            "lambda",
            "alpha",
            "subsample",
            "max_depth",
            "min_child_weight",
            "colsample_bytree",
            "colsample_bylevel",
            "rate_drop",
            "skip_drop",
            "trainsize",
            "repl",
        ],
        categorical: &["task_id", "booster", "num.impute.selected.cpo"],
        outputs: &[
            up("acc", 1.0),
            up("bac", 1.0),
            up("auc", 1.0),
            down("brier"),
            down("f1"),
            down("logloss"),
            down("timetrain"),
            down("timepredict"),
            down("memory"),
        ],
        objectives: &["acc", "memory"],
    };
}
