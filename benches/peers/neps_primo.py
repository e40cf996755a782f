"""Runs NePS' own PriMO for `peer_neps`.

One job per line of standard input, one answer per line of standard output, both JSON. A job is

    {"problem": "momf_branin_currin", "seed": 1, "budget": 20.0, "initial_design_size": 5,
     "confidence": 0.75, "centers": [[0.5, 0.5], null]}

with one prior centre (a point of the search space, or null) per objective. The answer lists every
evaluation: the point, its fidelity, what it cost in full evaluations (going on with a configuration
pays the difference), its objectives (all minimised) and the seconds that the suggestion took. A job
that fails is answered by {"error": ...}.

`python neps_primo.py --check` compares the problems with published values and needs no package.
"""

import json
import math
import random
import sys
import time

FULL = 100  # fidelities are the whole numbers 1 to 100, on all problems


def branin_currin(x, s):
    """Irshad et al.'s pair, negated to be minimised."""
    lack = 1.0 - s
    u, v = 15.0 * x[0] - 5.0, 15.0 * x[1]
    b = 5.1 / (4.0 * math.pi**2) - 0.01 * lack
    c = 5.0 / math.pi - 0.1 * lack
    t = 1.0 / (8.0 * math.pi) + 0.05 * lack
    branin = (v - b * u * u + c * u - 6.0) ** 2 + 10.0 * (1.0 - t) * math.cos(u) + 10.0
    decay = math.exp(-1.0 / (2.0 * x[1])) if x[1] > 0.0 else 0.0
    above = 2300.0 * x[0] ** 3 + 1900.0 * x[0] ** 2 + 2092.0 * x[0] + 60.0
    below = 100.0 * x[0] ** 3 + 500.0 * x[0] ** 2 + 4.0 * x[0] + 20.0
    currin = (1.0 - 0.1 * lack * decay) * above / below
    return [(branin - 21.0) / 22.0, (currin - 14.0) / 15.0]


def park(x, s):
    """Irshad et al.'s pair, negated to be minimised."""
    lack = 1.0 - s
    a, shift = 0.9 + 0.1 * s, 0.1 * lack
    y1, y2 = 1.0 - 2.0 * (x[0] - 0.6) ** 2, x[1]
    y3, y4 = 1.0 - 3.0 * (x[2] - 0.5) ** 2, 1.0 - (x[3] - 0.8) ** 2
    root = math.sqrt(1.0 + (y2 + y3**2) * y4 / (y1**2 + 1e-4))
    t1 = (y1 + 0.001 * lack) / 2.0 * root
    t2 = (y1 + 3.0 * y4) * math.exp(1.0 + math.sin(y3))
    first = a * (t1 + t2 - shift) / 22.0 - 0.8
    inner = 5.0 - 2.0 / 3.0 * math.exp(y1 + y2) + y4 * math.sin(y3) * a - y3 + shift
    return [-first, -(a * inner / 4.0 - 0.7)]


def zdt6(x, s):
    """ZDT6 with an error in both objectives that vanishes at full fidelity."""
    lack = 1.0 - s
    f1 = 1.0 - math.exp(-4.0 * x[0] - 0.9 * lack) * math.sin(6.0 * math.pi * x[0]) ** 6
    g = 1.0 + 9.0 * (sum(x[1:]) / (len(x) - 1)) ** 0.25
    return [f1, 1.0 - (f1 / g) ** 2 + 0.5 * lack]


PROBLEMS = {
    "momf_branin_currin": (2, branin_currin),
    "momf_park": (4, park),
    "mf_zdt6_d10": (10, zdt6),
}

CHECKS = [
    ("momf_branin_currin", [0.5, 0.5], 1.0, [0.1422711, -0.1523511]),
    ("momf_branin_currin", [0.2, 0.8], 0.3, [-0.3981095, -0.0497786]),
    ("momf_park", [0.5] * 4, 1.0, [-0.2980447, 0.2407230]),
    ("momf_park", [0.2, 0.8, 0.3, 0.6], 0.11, [-0.0915382, 0.2548793]),
    ("mf_zdt6_d10", [0.5] * 10, 0.5, [1.0, 1.236378]),
]


def check():
    for name, x, s, expected in CHECKS:
        found = PROBLEMS[name][1](x, s)
        if any(abs(f - e) > 1e-6 for f, e in zip(found, expected)):
            sys.exit(f"{name} at {x}, s = {s}: {found} instead of {expected}")
    print(f"{len(CHECKS)} values agree")


def run(job):
    import numpy
    import torch
    from neps import AskAndTell
    from neps.optimizers.algorithms import primo
    from neps.space import HPOFloat, HPOInteger, SearchSpace

    # NePS draws from the global generators and has no seed of its own.
    random.seed(job["seed"])
    numpy.random.seed(job["seed"])
    torch.manual_seed(job["seed"])

    dim, function = PROBLEMS[job["problem"]]
    names = [f"x{i + 1}" for i in range(dim)]
    space = SearchSpace(
        {
            **{name: HPOFloat(lower=0.0, upper=1.0) for name in names},
            "fidelity": HPOInteger(lower=1, upper=FULL, is_fidelity=True),
        }
    )
    centers = {
        f"objective{i}": dict(zip(names, center))
        for i, center in enumerate(job["centers"])
        if center is not None
    }
    confidences = {key: dict.fromkeys(names, job["confidence"]) for key in centers}
    optimizer = AskAndTell(
        primo(
            space,
            prior_centers=centers,
            prior_confidences=confidences,
            initial_design_size=job["initial_design_size"],
        )
    )

    spent, fidelities, evaluations = 0.0, {}, []
    while True:
        wall, cpu = time.perf_counter(), time.process_time()
        trial = optimizer.ask()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        fidelity = int(trial.config["fidelity"])
        previous = fidelities.get(trial.metadata.previous_trial_id, 0)
        cost = (fidelity - previous) / FULL
        if spent + cost > job["budget"] + 1e-9:
            return evaluations
        spent += cost
        fidelities[trial.metadata.id] = fidelity
        x = [float(trial.config[name]) for name in names]
        objectives = function(x, fidelity / FULL)
        optimizer.tell(trial, {"objective_to_minimize": objectives})
        evaluations.append(
            {
                "x": x,
                "fidelity": fidelity / FULL,
                "cost": cost,
                "objectives": objectives,
                "seconds": wall,
                "cpu_seconds": cpu,
            }
        )


def versions():
    from importlib.metadata import version

    packages = ["neural-pipeline-search", "torch", "botorch", "gpytorch", "numpy"]
    return {"python": sys.version.split()[0], **{name: version(name) for name in packages}}


def main():
    import logging
    import warnings

    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    import torch

    torch.set_num_threads(1)
    # Whatever a package prints must not mix with the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps({"versions": versions()}), file=answers, flush=True)
    for line in sys.stdin:
        try:
            answer = {"evaluations": run(json.loads(line))}
        except Exception as error:  # the caller decides what a failed run means
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        check()
    else:
        main()
