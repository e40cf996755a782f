"""The Python libraries beside Warmfront, for the program `peers`.

`python peers.py PEER INPUTS` with PEER one of botorch, moocore, pygmo, optuna; INPUTS is the folder that the
program `inputs` writes. One request per line of standard input, one answer per line of standard output, both
JSON; the first line that is written holds the versions. Requests, by "do":

prepare  "task": {"work", "variant", "m", "n"}   whatever comes before the work to be measured
measure  "seconds", "seed"   repeats the work until so much time has passed; time per call, and what came out
judge    "candidates"  what this side thinks of each: larger is better
start    "loop": {"dim", "objectives", "reference", "x", "y", "seed", "steps"}   a run, with its initial design
step     "y"           the outcome of the point before (null at first); the next point, and its time
memory                 the most memory that the process held, in MB

A request that fails is answered by {"error": ...}, and the process goes on. Numbers that are not finite are
written as the texts "inf", "-inf" and "nan". PEERS_THREADS says how many threads may work.
"""

import json
import math
import os
import resource
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np

THREADS = int(os.environ.get("PEERS_THREADS", "1"))
REFERENCE = 1.1
SAMPLES = 128
# The hyper-parameters at which values, gradients and predictions are computed, on standardised outcomes.
LENGTHSCALE, NOISE = 1.0, 0.01
# How many of the test points a fitted model is asked about.
CHECKED = 1000


class Inputs:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.index = json.loads((self.folder / "index.json").read_text())

    def __getitem__(self, name):
        entry = self.index[name]
        values = np.fromfile(self.folder / entry["file"], dtype="<f8")
        return np.ascontiguousarray(values.reshape(entry["shape"]))

    def front(self, task):
        return self[f"front_{task['variant']}_m{task['m']}_n{task['n']}.P"]

    def cloud(self, task):
        return self[f"cloud_m{task['m']}_n{task['n']}.P"]


class Call:
    """Something to measure: a function without arguments, and what to report of its result."""

    def __init__(self, run, values, judge=None):
        self.run, self.values, self.judge = run, values, judge


def floats(values):
    return [float(v) for v in np.asarray(values, dtype=float).reshape(-1)]


class Moocore:
    packages = ("moocore", "numpy")

    def __init__(self, inputs):
        import moocore

        self.moocore, self.inputs = moocore, inputs

    def prepare(self, task):
        work, lib = task["work"], self.moocore
        if work == "hypervolume":
            points, ref = self.inputs.front(task), [REFERENCE] * task["m"]
            ref = np.array(ref)
            return Call(lambda: lib.hypervolume(points, ref=ref), lambda v: {"volume": [v]})
        if work == "contributions":
            points, ref = self.inputs.front(task), np.full(task["m"], REFERENCE)
            return Call(
                lambda: lib.hv_contributions(points, ref=ref), lambda v: {"volumes": floats(v)}
            )
        points = self.inputs.cloud(task)
        if work == "filter":
            return Call(lambda: lib.is_nondominated(points), lambda v: {"labels": floats(v)})
        if work == "ranks":
            return Call(
                lambda: lib.pareto_rank(points), lambda v: {"labels": floats(v - np.min(v))}
            )
        raise ValueError(f"moocore does not do `{work}`")


class Pygmo:
    packages = ("pygmo", "numpy")

    def __init__(self, inputs):
        import pygmo

        self.pygmo, self.inputs = pygmo, inputs

    def prepare(self, task):
        if task["work"] != "hypervolume":
            raise ValueError(f"pygmo does not do `{task['work']}`")
        # The points are copied into the library's own layout here, outside the time.
        volume = self.pygmo.hypervolume(self.inputs.front(task))
        ref = np.full(task["m"], REFERENCE)
        return Call(lambda: volume.compute(ref), lambda v: {"volume": [v]})


class Botorch:
    packages = ("botorch", "gpytorch", "linear_operator", "torch", "scipy", "numpy")

    def __init__(self, inputs):
        import torch

        torch.set_num_threads(THREADS)
        torch.set_default_dtype(torch.double)
        import botorch.optim.core
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import ModelListGP, SingleTaskGP
        from botorch.models.utils.gpytorch_modules import (
            get_covar_module_with_dim_scaled_prior,
        )
        from gpytorch.mlls import ExactMarginalLogLikelihood, SumMarginalLogLikelihood

        self.torch, self.inputs = torch, inputs
        self.fit_mll, self.Single, self.List = fit_gpytorch_mll, SingleTaskGP, ModelListGP
        self.kernel = get_covar_module_with_dim_scaled_prior
        self.Mll, self.SumMll = ExactMarginalLogLikelihood, SumMarginalLogLikelihood
        self.evaluations, self.seed = 0, 0
        minimize = botorch.optim.core.minimize_with_timeout

        def counting(*args, **kwargs):
            result = minimize(*args, **kwargs)
            self.evaluations += int(result.nfev)
            return result

        botorch.optim.core.minimize_with_timeout = counting

    def prepare(self, task):
        prepare = {
            "gp_gradient": self.gradient,
            "gp_fit": self.fit,
            "gp_predict": self.predict,
            "suggest": self.suggest,
            "boxes": self.boxes,
        }
        if task["work"] not in prepare:
            raise ValueError(f"BoTorch does not do `{task['work']}`")
        return prepare[task["work"]](task)

    def regression(self, task):
        x, y = (self.torch.from_numpy(self.inputs[f"gp_h6_n{task['n']}.{v}"]) for v in "Xy")
        return x, y

    def single(self, x, y, variant="rbf"):
        kernel = None
        if variant == "matern52":
            kernel = self.kernel(ard_num_dims=x.shape[-1], use_rbf_kernel=False)
        return self.Single(x, y, covar_module=kernel)

    def set(self, model, mean):
        model.covar_module.lengthscale = LENGTHSCALE
        model.likelihood.noise = NOISE
        model.mean_module.initialize(constant=mean)

    def best_mean(self, model, x):
        """The constant mean with the largest likelihood, which has no prior."""
        torch = self.torch
        with torch.no_grad():
            noise = model.likelihood.noise.item() * torch.eye(len(x))
            covariance = model.covar_module(x).to_dense() + noise
            solved = torch.linalg.solve(covariance, torch.ones(len(x), 1))
            return (solved.T @ model.train_targets[:, None] / solved.sum()).item()

    def gradient(self, task):
        x, y = self.regression(task)
        model = self.single(x, y, task["variant"])
        self.set(model, 0.0)
        self.set(model, self.best_mean(model, x))
        mll = self.Mll(model.likelihood, model)
        model.train()

        def run():
            model.zero_grad()
            value = mll(model(*model.train_inputs), model.train_targets)
            value.backward()
            return value

        def values(value):
            # Neither parameter is transformed: these are the derivatives by the values themselves.
            by = [model.covar_module.raw_lengthscale, model.likelihood.noise_covar.raw_noise]
            at = [model.covar_module.lengthscale, model.likelihood.noise]
            gradient = [g for p, v in zip(by, at) for g in floats((p.grad * v).detach())]
            # It is divided by the number of points there, priors included.
            n = len(x)
            return {"posterior": [n * value.item()], "gradient": [n * g for g in gradient]}

        return Call(run, values)

    def fit(self, task):
        torch = self.torch
        x, y = self.regression(task)
        test = torch.from_numpy(self.inputs["gp_h6_test10k.X"][:CHECKED])

        def run():
            self.evaluations = 0
            model = self.single(x, y, task["variant"])
            self.fit_mll(self.Mll(model.likelihood, model))
            return model

        def values(model):
            evaluations = self.evaluations
            model.eval()
            with torch.no_grad():
                means = floats(model.posterior(test.unsqueeze(-2)).mean)
                fitted = floats(model.covar_module.lengthscale) + floats(model.likelihood.noise)
            return {"fitted": fitted, "evaluations": [evaluations], "means": means}

        def judge(candidates):
            model = self.single(x, y, task["variant"])
            model.train()
            mll = self.Mll(model.likelihood, model)
            judged = []
            for *lengthscales, noise in candidates:
                with torch.no_grad():
                    # As they are: a value on its bound may lie beyond it by rounding.
                    raw = model.covar_module.raw_lengthscale
                    raw.copy_(torch.tensor(lengthscales).reshape(raw.shape))
                    model.likelihood.noise_covar.raw_noise.fill_(noise)
                    model.mean_module.initialize(constant=self.best_mean(model, x))
                    # Per point, with the priors.
                    value = mll(model(*model.train_inputs), model.train_targets)
                judged.append(value.item())
            return judged

        return Call(run, values, judge)

    def predict(self, task):
        torch = self.torch
        x, y = self.regression(task)
        test = torch.from_numpy(self.inputs["gp_h6_test10k.X"])
        model = self.single(x, y, task["variant"])
        self.set(model, 0.0)
        model.eval()

        def at(points):
            def run():
                with torch.no_grad():
                    posterior = model.posterior(points)
                    return posterior.mean, posterior.variance

            run()  # fills the caches
            return run

        def seconds(run):
            start = time.process_time()
            run()
            return time.process_time() - start

        run, mode = at(test.unsqueeze(-2)), {}
        # With many observations one posterior of all points may be the faster mode; with Matern's kernel
        # it computes all their covariances.
        if task["variant"] == "rbf" and len(x) >= 1000:
            together = at(test)
            joint = seconds(together) < seconds(run)
            run, mode = together if joint else run, {"joint": [float(joint)]}

        def values(result):
            means, variances = (floats(v) for v in result)
            return {"means": means, "variances": variances, **mode}

        return Call(run, values)

    def model_list(self, x, y):
        models = [self.single(x, y[:, i : i + 1]) for i in range(y.shape[1])]
        if len(models) == 1:
            self.fit_mll(self.Mll(models[0].likelihood, models[0]))
            return models[0]
        model = self.List(*models)
        self.fit_mll(self.SumMll(model.likelihood, model))
        return model

    def acquisition(self, variant, model, x, reference, seed):
        from botorch.acquisition.logei import qLogNoisyExpectedImprovement
        from botorch.acquisition.multi_objective.analytic import ExpectedHypervolumeImprovement
        from botorch.acquisition.multi_objective.logei import (
            qLogNoisyExpectedHypervolumeImprovement,
        )
        from botorch.sampling.normal import SobolQMCNormalSampler
        from botorch.utils.multi_objective.box_decompositions.non_dominated import (
            FastNondominatedPartitioning,
        )

        torch = self.torch
        if variant == "log_ehvi":
            with torch.no_grad():
                means = model.posterior(x).mean
            boxes = FastNondominatedPartitioning(ref_point=reference, Y=means)
            return ExpectedHypervolumeImprovement(
                model=model, ref_point=reference, partitioning=boxes
            )
        sampler = SobolQMCNormalSampler(torch.Size([SAMPLES]), seed=seed)
        if variant == "log_nei":
            return qLogNoisyExpectedImprovement(model, x, sampler=sampler, prune_baseline=True)
        return qLogNoisyExpectedHypervolumeImprovement(
            model=model,
            ref_point=reference,
            X_baseline=x,
            sampler=sampler,
            prune_baseline=True,
        )

    def maximum(self, function, dim):
        from botorch.optim import optimize_acqf

        bounds = self.torch.stack([self.torch.zeros(dim), self.torch.ones(dim)])
        point, _ = optimize_acqf(function, bounds=bounds, q=1, num_restarts=10, raw_samples=512)
        return point

    def suggest(self, task):
        torch, m = self.torch, task["m"]
        name = f"mo_dtlz2_m{m}_n{task['n']}"
        x, y = (torch.from_numpy(self.inputs[f"{name}.{v}"]) for v in "XY")
        model = self.model_list(x, -y)
        reference = torch.full((m,), -REFERENCE)

        def run():
            torch.manual_seed(self.seed)
            np.random.seed(self.seed)
            function = self.acquisition(task["variant"], model, x, reference, self.seed)
            return function, self.maximum(function, x.shape[1])

        last = {}

        def values(result):
            last["function"] = result[0]
            return {"point": floats(result[1])}

        def judge(candidates):
            with torch.no_grad():
                value = last["function"](torch.tensor(candidates).unsqueeze(-2))
                return floats(value.log() if task["variant"] == "log_ehvi" else value)

        return Call(run, values, judge)

    def boxes(self, task):
        from botorch.utils.multi_objective.box_decompositions.non_dominated import (
            FastNondominatedPartitioning,
        )

        points = -self.torch.from_numpy(self.inputs.front(task))
        reference = self.torch.full((task["m"],), -REFERENCE)

        def values(boxes):
            count = boxes.get_hypercell_bounds().shape[-2]
            return {"volume": floats(boxes.compute_hypervolume()), "boxes": [count]}

        return Call(lambda: FastNondominatedPartitioning(reference, Y=points), values)

    def start(self, loop):
        return BotorchLoop(self, loop)


class BotorchLoop:
    """qLogNEI or qLogNEHVI on independent Gaussian processes that are fitted anew at every step."""

    def __init__(self, botorch, loop):
        self.botorch, self.loop = botorch, loop
        self.x, self.y = [list(x) for x in loop["x"]], [list(y) for y in loop["y"]]
        botorch.torch.manual_seed(loop["seed"])
        np.random.seed(loop["seed"])

    def ask(self):
        torch = self.botorch.torch
        x, y = torch.tensor(self.x), -torch.tensor(self.y)
        model = self.botorch.model_list(x, y)
        variant = "log_nei" if y.shape[1] == 1 else "qlog_nehvi"
        reference = -torch.tensor(self.loop["reference"])
        function = self.botorch.acquisition(variant, model, x, reference, seed=len(self.x))
        self.point = floats(self.botorch.maximum(function, x.shape[1]))
        return self.point

    def tell(self, y):
        self.x.append(self.point)
        self.y.append(y)


class Optuna:
    packages = ("optuna", "torch", "scipy", "numpy")

    def __init__(self, inputs):
        import optuna
        import torch

        torch.set_num_threads(THREADS)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.optuna = optuna

    def start(self, loop):
        return OptunaLoop(self.optuna, loop)


class OptunaLoop:
    """GPSampler, which proposes from the first trial after the initial design."""

    def __init__(self, optuna, loop):
        self.names = [f"x{i}" for i in range(loop["dim"])]
        m = loop["objectives"]
        # The problems have no noise, which ours is told as well.
        sampler = optuna.samplers.GPSampler(
            seed=loop["seed"], n_startup_trials=len(loop["x"]), deterministic_objective=True
        )
        self.study = optuna.create_study(directions=["minimize"] * m, sampler=sampler)
        ranges = {n: optuna.distributions.FloatDistribution(0.0, 1.0) for n in self.names}
        for x, y in zip(loop["x"], loop["y"]):
            self.study.add_trial(
                optuna.trial.create_trial(
                    params=dict(zip(self.names, x)), distributions=ranges, values=list(y)
                )
            )

    def ask(self):
        self.trial = self.study.ask()
        return [self.trial.suggest_float(name, 0.0, 1.0) for name in self.names]

    def tell(self, y):
        self.study.tell(self.trial, y)


PEERS = {"botorch": Botorch, "moocore": Moocore, "pygmo": Pygmo, "optuna": Optuna}


class Worker:
    def __init__(self, peer):
        self.peer, self.call, self.loop = peer, None, None

    def prepare(self, task):
        self.call = None  # frees what the last task holds
        self.call = self.peer.prepare(task)
        return "ready"

    def measure(self, seconds, seed):
        self.peer.seed = seed
        calls, wall, cpu = 0, time.perf_counter(), time.process_time()
        while calls == 0 or time.perf_counter() - wall < seconds:
            result = self.call.run()
            calls += 1
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        times = {"calls": calls, "seconds": wall / calls, "cpu_seconds": cpu / calls}
        return {"measured": {**times, "values": self.call.values(result)}}

    def judge(self, candidates):
        if self.call.judge is None:
            raise ValueError("nothing to judge")
        return {"judged": self.call.judge([decoded(c) for c in candidates])}

    def start(self, loop):
        self.loop = self.peer.start(loop)
        return "ready"

    def step(self, y):
        wall, cpu = time.perf_counter(), time.process_time()
        if y is not None:
            self.loop.tell(y)
        x = [min(max(v, 0.0), 1.0) for v in self.loop.ask()]
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return {"point": {"x": x, "seconds": wall, "cpu_seconds": cpu}}

    def memory(self):
        return {"memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1.024e-3}


def encoded(value):
    """What JSON can hold: it knows no infinities."""
    if isinstance(value, dict):
        return {name: encoded(v) for name, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [encoded(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def decoded(values):
    return [float(v) for v in values]


def main():
    warnings.filterwarnings("ignore")
    # Whatever a package prints, in Python or in C, must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout = sys.stderr

    def answer(value):
        print(json.dumps(encoded(value), allow_nan=False), file=answers, flush=True)

    kind = PEERS[sys.argv[1]]
    try:
        worker = Worker(kind(Inputs(sys.argv[2])))
    except Exception as error:
        answer({"error": f"{type(error).__name__}: {error}"})
        return
    python = ".".join(map(str, sys.version_info[:3]))
    answer({"hello": {"python": python, **{name: version(name) for name in kind.packages}}})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer(getattr(worker, request.pop("do"))(**request))
        except Exception as error:  # the caller decides what a failed request means
            answer({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
