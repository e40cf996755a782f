//! What every problem promises, checked on every problem.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use warmfront_core::{Candidate, Fidelity, Seed, UnitPoint};
use warmfront_problems::wrap::{Failing, Negated, Noisy, Scaled, Shifted};
use warmfront_problems::{
    Design, HardHartmann, HartmannFamily, MfZdt, Problem, Sinusoidal, TaskFamily, Terrain, branin,
    branin_currin, design_points, problem_by_name, problem_names, zdt1,
};

fn all_problems() -> Vec<Box<dyn Problem>> {
    let mut problems: Vec<Box<dyn Problem>> = Vec::new();
    for name in problem_names() {
        let sizes: Vec<_> = (1..8).flat_map(|d| (1..5).map(move |m| (d, m))).collect();
        let before = problems.len();
        for (d, m) in sizes {
            problems.extend(problem_by_name(name, d, m));
        }
        assert!(
            problems.len() > before,
            "{name} has no size up to 7 inputs and 4 objectives"
        );
    }
    let families: [&dyn TaskFamily; 5] = [
        &Sinusoidal::new(3, Seed(1)),
        &HartmannFamily::new(2, Seed(2)),
        &HartmannFamily::new(6, Seed(3)),
        &HardHartmann::new(2, Seed(4)),
        &Terrain::new(Seed(5)),
    ];
    for family in families {
        problems.extend([0, 3].map(|index| family.task(index)));
    }
    problems.push(Box::new(MfZdt::zdt1(30)));
    problems.push(Box::new(MfZdt::zdt6(10)));
    problems.push(Box::new(Noisy::new(branin(), &[0.5])));
    problems.push(Box::new(Shifted::new(branin(), &[0.3, -0.2])));
    problems.push(Box::new(Shifted::new(zdt1(4), &[0.1, -0.45, 0.49, 0.0])));
    problems.push(Box::new(Scaled::new(branin_currin(), &[10.0, 0.1])));
    problems.push(Box::new(Scaled::new(branin(), &[1e-6])));
    problems.push(Box::new(Negated::new(zdt1(3))));
    problems.push(Box::new(Failing::at_random(zdt1(3), 0.0)));
    problems
}

fn costs(problem: &dyn Problem, point: &UnitPoint) -> Vec<f64> {
    let outcome = problem
        .noise_free(&Candidate::at(point.clone()))
        .expect("known everywhere");
    let costs = outcome.costs().and_then(|costs| costs.complete());
    costs.unwrap_or_else(|| panic!("{} fails at {point:?}", problem.name()))
}

fn dominates(a: &[f64], b: &[f64], margin: f64) -> bool {
    a.iter()
        .zip(b)
        .all(|(a, b)| a + margin * b.abs().max(1.0) < *b)
}

/// Hypervolume by slicing along the last objective; slow, and plainly right.
fn hypervolume(points: &[Vec<f64>], reference: &[f64]) -> f64 {
    let last = reference.len() - 1;
    let mut sorted: Vec<&Vec<f64>> = points
        .iter()
        .filter(|p| p.iter().zip(reference).all(|(p, r)| p < r))
        .collect();
    sorted.sort_by(|a, b| a[last].total_cmp(&b[last]));
    let mut volume = 0.0;
    let mut slice: Vec<Vec<f64>> = Vec::new();
    let mut floor = f64::INFINITY;
    for (index, point) in sorted.iter().enumerate() {
        let ceiling = sorted
            .get(index + 1)
            .map_or(reference[last], |next| next[last]);
        let area = if last == 1 {
            floor = floor.min(point[0]);
            reference[0] - floor
        } else {
            let part = point[..last].to_vec();
            if !slice
                .iter()
                .any(|kept| kept.iter().zip(&part).all(|(k, p)| k <= p))
            {
                slice.retain(|kept| !part.iter().zip(kept).all(|(p, k)| p <= k));
                slice.push(part);
            }
            if ceiling <= point[last] {
                continue;
            }
            hypervolume(&slice, &reference[..last])
        };
        volume += (ceiling - point[last]) * area;
    }
    volume
}

#[test]
fn values_are_finite_over_the_cube_and_at_its_corners() {
    for problem in all_problems() {
        let d = problem.space().dim();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut points = design_points(problem.space(), 200, Design::Uniform, &mut rng);
        // The first dozen inputs at their bounds, the others at their least value.
        points.extend((0..1u32 << d.min(12)).map(|corner| {
            let coords: Vec<f64> = (0..d).map(|j| f64::from(corner >> j & 1)).collect();
            UnitPoint::new(coords).expect("a corner")
        }));
        for point in points {
            assert_eq!(costs(&*problem, &point).len(), problem.objectives().len());
        }
    }
}

#[test]
fn spaces_are_boxes_with_ordered_names() {
    for problem in all_problems() {
        let space = problem.space();
        assert!(space.is_box(), "{}", problem.name());
        assert_eq!(space.parameters().len(), space.dim());
        assert_eq!(
            problem.reference_point().value.len(),
            problem.objectives().len()
        );
        assert!(
            problem
                .reference_point()
                .value
                .iter()
                .all(|bound| bound.is_finite())
        );
        assert!((problem.cost(None) - 1.0).abs() < 1e-15);
    }
}

#[test]
fn noise_comes_from_the_generator_only() {
    for problem in all_problems() {
        let point = UnitPoint::new(vec![0.3; problem.space().dim()]).expect("inside");
        let candidates = vec![Candidate::at(point); 3];
        let draw = |seed| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            problem
                .evaluate_batch(&candidates, &mut rng)
                .expect("a point of the cube")
        };
        assert_eq!(draw(7), draw(7), "{}", problem.name());
        let exact = problem.noise_free(&candidates[0]).expect("known");
        let noisy = draw(7)[0] != exact;
        assert_eq!(noisy, draw(7) != draw(8), "{}", problem.name());
        assert_eq!(problem.noise_free_batch(&candidates), vec![Some(exact); 3]);
    }
}

#[test]
fn optima_are_reached_and_nothing_is_better() {
    let mut seen = 0;
    for problem in all_problems() {
        let Some(known) = problem.optimum() else {
            continue;
        };
        seen += 1;
        let best = known.value.cost;
        let scale = problem.reference_point().value[0] - best;
        for point in &known.value.points {
            let found = costs(&*problem, point)[0];
            assert!(
                (found - best).abs() < 2e-5 * scale,
                "{}: {found}, {best}",
                problem.name()
            );
        }
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for point in design_points(problem.space(), 3000, Design::Sobol, &mut rng) {
            assert!(
                costs(&*problem, &point)[0] >= best - 1e-5 * scale,
                "{}",
                problem.name()
            );
        }
        assert!(best < problem.reference_point().value[0]);
    }
    assert!(seen >= 6, "{seen} problems with an optimum");
}

#[test]
fn fronts_are_non_dominated_under_the_reference_and_unbeaten() {
    let mut seen = 0;
    for problem in all_problems() {
        let Some(known) = problem.front(400) else {
            continue;
        };
        seen += 1;
        let front = known.value;
        let name = problem.name();
        assert!(
            (200..=900).contains(&front.len()),
            "{name}: {} points",
            front.len()
        );
        for a in &front {
            assert!(
                !front.iter().any(|b| dominates(b, a, 1e-9)),
                "{name}: {a:?}"
            );
            let below = a
                .iter()
                .zip(problem.reference_point().value)
                .all(|(a, r)| a <= r);
            assert!(below, "{name}: {a:?}");
        }
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for point in design_points(problem.space(), 1000, Design::Sobol, &mut rng) {
            let found = costs(&*problem, &point);
            assert!(
                !front.iter().any(|b| dominates(&found, b, 1e-9)),
                "{name}: {found:?}"
            );
        }
    }
    assert!(seen >= 20, "{seen} problems with a front");
}

#[test]
fn the_hypervolume_of_the_front_approaches_the_largest_from_below() {
    let mut seen = 0;
    for problem in all_problems() {
        let m = problem.objectives().len();
        let (Some(front), Some(best)) = (problem.front(600), problem.max_hypervolume()) else {
            continue;
        };
        if m > 3 {
            continue;
        }
        seen += 1;
        let reference = problem.reference_point().value;
        let found = hypervolume(&front.value, reference);
        // The reported boxes are huge, so what counts is the part that the front leaves out.
        let ideal: Vec<f64> = (0..m)
            .map(|o| {
                front
                    .value
                    .iter()
                    .map(|c| c[o])
                    .fold(f64::INFINITY, f64::min)
            })
            .collect();
        let all: f64 = reference.iter().zip(&ideal).map(|(r, i)| r - i).product();
        let (left_out, missing) = (all - best.value, best.value - found);
        let name = problem.name();
        assert!(
            missing > -1e-9 * all,
            "{name}: {found} above {}",
            best.value
        );
        assert!(
            missing < 0.15 * left_out + 1e-9 * all,
            "{name}: {missing} of {left_out}"
        );
    }
    assert!(seen >= 15, "{seen} problems with a hypervolume");
}

#[test]
fn reference_points_of_families_bound_a_part_of_the_cube() {
    for problem in all_problems() {
        let reference = problem.reference_point().value;
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let points = design_points(problem.space(), 4096, Design::Sobol, &mut rng);
        let any = points.iter().any(|point| {
            costs(&*problem, point)
                .iter()
                .zip(reference)
                .all(|(cost, bound)| cost < bound)
        });
        // The distance functions of these two leave almost nothing under a reported reference.
        let hard = ["dtlz1", "dtlz3"]
            .iter()
            .any(|name| problem.name().starts_with(name));
        assert!(
            any || hard,
            "{} has nothing under {reference:?}",
            problem.name()
        );
    }
}

/// Checks budgets at one point; whether the problem has any.
fn check_budgets(problem: &dyn Problem) -> bool {
    let name = problem.name();
    let Some(range) = problem.space().fidelity() else {
        return false;
    };
    let point = UnitPoint::new(vec![0.3; problem.space().dim()]).expect("inside");
    let full = Candidate::at(point);
    let at = |fidelity| problem.noise_free(&full.clone().with_fidelity(fidelity));
    assert_eq!(at(Fidelity::FULL), problem.noise_free(&full), "{name}");
    let mut last = 0.0;
    let mut changes = false;
    for budget in range.low() as u32..=range.high() as u32 {
        let fidelity = range.fidelity(budget.into()).expect("in the range");
        let cost = problem.cost(Some(&fidelity));
        let share = f64::from(budget) / range.high();
        assert!((cost - share).abs() < 1e-15, "{name}: {cost}");
        assert!(last < cost && cost <= 1.0, "{name}: {cost} after {last}");
        last = cost;
        let outcome = at(fidelity).expect("known");
        assert_eq!(at(fidelity), Some(outcome.clone()), "{name}");
        let costs = outcome.costs().and_then(|costs| costs.complete());
        assert_eq!(
            costs.map(|costs| costs.len()),
            Some(problem.objectives().len())
        );
        changes |= at(Fidelity::FULL) != Some(outcome);
    }
    assert!(changes, "{name} does not depend on its budget");
    true
}

#[test]
fn budgets_cost_their_share_and_the_full_one_is_the_default() {
    let problems = all_problems();
    let seen = problems
        .iter()
        .filter(|problem| check_budgets(&***problem))
        .count();
    assert!(seen >= 28, "{seen} problems with budgets");
}

#[cfg(feature = "live")]
#[test]
fn the_live_problem_keeps_the_promises_too() {
    let problem = warmfront_problems::WineTuning::new(Seed(1));
    assert!(check_budgets(&problem));
    assert!(!problem.space().is_box());
    let reference = problem.reference_point().value.to_vec();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let points = design_points(problem.space(), 30, Design::Uniform, &mut rng);
    let third = Fidelity::new(1.0 / 3.0).expect("in range");
    let candidates: Vec<Candidate> = points
        .into_iter()
        .map(|point| Candidate::at(point).with_fidelity(third))
        .collect();
    let exact = problem.noise_free_batch(&candidates);
    let evaluated = problem
        .evaluate_batch(&candidates, &mut rng)
        .expect("points of the cube");
    assert_eq!(exact, evaluated.into_iter().map(Some).collect::<Vec<_>>());
    let costs = exact.into_iter().flatten();
    let mut costs = costs.filter_map(|outcome| outcome.costs()?.complete());
    assert!(costs.any(|costs| {
        costs
            .iter()
            .zip(&reference)
            .all(|(cost, bound)| cost < bound)
    }));
}
