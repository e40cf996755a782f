//! Promotions, brackets and budgets of partial evaluations.

use std::collections::HashMap;

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use warmfront_core::{
    Candidate, Costs, Domain, Fidelity, FidelityRange, Observation, ObservationFault, Outcome,
    SearchSpace, StrategyError, TrialId, UnitPoint,
};
use warmfront_meta::multi_fidelity::{
    Action, FidelityBudget, FidelityLog, FrontOrder, HyperBand, PromotionRule, Rungs, Scheduler,
    SuccessiveHalving,
};

fn space(low: u32, high: u32) -> SearchSpace {
    SearchSpace::builder()
        .param("x", Domain::real(0.0, 1.0))
        .fidelity(FidelityRange::integer("epoch", low, high).unwrap())
        .build()
        .unwrap()
}

fn observe(trial: u64, candidate: &Candidate, costs: Option<&[f64]>) -> Observation {
    let outcome = match costs {
        Some(costs) => Outcome::Complete(Costs::from_values(costs.to_vec()).unwrap()),
        None => Outcome::failed("crashed"),
    };
    Observation {
        trial: TrialId(trial),
        candidate: candidate.clone(),
        outcome,
    }
}

/// The `i`-th configuration.
fn point(i: usize) -> UnitPoint {
    // The golden ratio: all different.
    UnitPoint::clamped([(0.5 + i as f64 * 0.618_033_988_749_894_9).fract()])
}

/// Two conflicting costs that have nothing to do with the order of arrival.
fn costs(point: &UnitPoint) -> [f64; 2] {
    let x = point.coords()[0];
    [(17.0 * x).sin(), (23.0 * x).cos()]
}

/// One worker, until the fidelities add up to `enough`; candidates in order.
fn run(space: &SearchSpace, scheduler: &dyn Scheduler, enough: f64) -> (FidelityLog, Vec<f64>) {
    let mut log = FidelityLog::new(space, 2);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let (mut budgets, mut started) = (Vec::new(), 0);
    while log.full_equivalents() < enough - 1e-9 {
        let action = scheduler.next(&log, &[], &mut rng);
        let fidelity = scheduler.rungs().fidelity(action.rung());
        budgets.push(space.fidelity().unwrap().budget(fidelity));
        let point = match action {
            Action::Promote { point, .. } => point,
            Action::Start { .. } => {
                started += 1;
                point(started)
            }
        };
        let candidate = Candidate::at(point.clone()).with_fidelity(fidelity);
        let observation = observe(budgets.len() as u64, &candidate, Some(&costs(&point)));
        log.extend(&[observation]).unwrap();
    }
    (log, budgets)
}

fn halving(space: &SearchSpace) -> SuccessiveHalving {
    SuccessiveHalving::new(Rungs::of(space, 3).unwrap())
}

#[test]
fn the_fidelities_of_a_published_run() {
    let space = space(1, 99);
    let (_, budgets) = run(&space, &halving(&space), 5.0);
    let expected =
        "1,1,1,3,1,3,1,3,11,1,3,11,1,3,11,33,1,3,11,33,1,3,11,33,99,1,3,11,33,99,1,3,11,33,99";
    let found: Vec<String> = budgets.iter().map(f64::to_string).collect();
    assert_eq!(found.join(","), expected);
}

#[test]
fn the_initial_designs_of_the_published_runs() {
    // Range, configurations per rung, sum of fidelities and what continuing costs.
    let check = |low, high, rungs: &[usize], sum: f64, continued: f64| {
        let space = space(low, high);
        let (log, budgets) = run(&space, &halving(&space), 5.0);
        let scheduler = halving(&space);
        let count = |fidelity: Fidelity| {
            let same = |f: Fidelity| (f.value() - fidelity.value()).abs() < 1e-12;
            log.entries().iter().filter(|e| same(e.fidelity)).count()
        };
        let counts: Vec<usize> = scheduler.rungs.iter().map(count).collect();
        assert_eq!(counts, rungs, "{high}");
        assert_eq!(budgets.len(), rungs.iter().sum::<usize>());
        assert_eq!(log.full().count(), 3);
        assert!(
            (log.full_equivalents() - sum).abs() < 0.006,
            "{high}: {}",
            log.full_equivalents()
        );
        assert!(
            (log.spent() - continued).abs() < 0.006,
            "{high}: {}",
            log.spent()
        );
    };
    check(1, 199, &[11, 9, 7, 5, 3], 5.86, 3.97);
    check(1, 99, &[11, 9, 7, 5, 3], 5.83, 3.97);
    check(1, 100, &[11, 9, 7, 5, 3], 5.80, 3.96);
    check(1, 74, &[9, 7, 5, 3], 5.62, 3.92);
    check(1, 52, &[9, 7, 5, 3], 5.48, 3.88);
    check(1, 19, &[7, 5, 3], 5.32, 3.84);
}

#[test]
fn hyperband_runs_its_brackets_in_order_and_again() {
    let space = space(1, 9);
    let hyperband = HyperBand::new(Rungs::of(&space, 3).unwrap());
    let sizes: Vec<_> = hyperband
        .brackets()
        .iter()
        .map(|b| (b.start, b.configurations))
        .collect();
    assert_eq!(sizes, [(0, 9), (1, 3), (2, 3)]);
    let one_round = [
        vec![1.0; 9],
        vec![3.0; 3],
        vec![9.0],
        vec![3.0; 3],
        vec![9.0],
        vec![9.0; 3],
    ]
    .concat();
    let (_, budgets) = run(&space, &hyperband, 17.0);
    assert_eq!(budgets[..one_round.len()], one_round);
    assert_eq!(budgets[one_round.len()..one_round.len() + 9], [1.0; 9]);

    let rungs = Rungs::geometric(&FidelityRange::integer("epoch", 1, 81).unwrap(), 3).unwrap();
    let sizes: Vec<_> = HyperBand::new(rungs)
        .brackets()
        .iter()
        .map(|b| b.configurations)
        .collect();
    assert_eq!(sizes, [81, 27, 9, 6, 5]);
}

#[test]
fn what_does_not_fit_is_refused_and_any_fidelity_in_the_range_is_data() {
    let space = space(2, 8);
    let mut log = FidelityLog::new(&space, 2);
    let at = |share: f64| Candidate::at(point(1)).with_fidelity(Fidelity::new(share).unwrap());
    let fault = |log: &mut FidelityLog, observation: Observation| match log.extend(&[observation]) {
        Err(StrategyError::InvalidObservation { fault, .. }) => Some(fault),
        _ => None,
    };
    let low = observe(1, &at(0.1), Some(&[1.0, 2.0]));
    assert_eq!(
        fault(&mut log, low),
        Some(ObservationFault::Fidelity { found: 0.1 })
    );
    let short = observe(1, &at(1.0), Some(&[1.0]));
    let wrong = ObservationFault::Objectives {
        expected: 2,
        found: 1,
    };
    assert_eq!(fault(&mut log, short), Some(wrong));
    assert!(log.is_empty());
    // 3/8 is no rung.
    log.extend(&[observe(1, &at(0.375), Some(&[1.0, 2.0]))])
        .unwrap();
    let again = observe(1, &at(1.0), None);
    assert_eq!(fault(&mut log, again), Some(ObservationFault::Repeated));
    assert!((log.full_equivalents() - 0.375).abs() < 1e-12);

    let plain = SearchSpace::unit_cube(1);
    let mut log = FidelityLog::new(&plain, 2);
    let partial = observe(1, &at(0.5), None);
    assert!(matches!(
        fault(&mut log, partial),
        Some(ObservationFault::Fidelity { .. })
    ));
}

/// Asynchronous successive halving with state: who waits at each rung, who has left it.
struct Slow {
    waiting: Vec<Vec<(usize, Vec<f64>)>>,
    /// All that were told at each rung: configuration, costs.
    told: Vec<Vec<(usize, Option<Vec<f64>>)>>,
    promoted: Vec<Vec<usize>>,
}

impl Slow {
    fn new(rungs: usize) -> Self {
        Self {
            waiting: vec![Vec::new(); rungs],
            told: vec![Vec::new(); rungs],
            promoted: vec![Vec::new(); rungs],
        }
    }

    fn report(&mut self, rung: usize, id: usize, costs: Option<Vec<f64>>) {
        if let Some(costs) = &costs {
            self.waiting[rung].push((id, costs.clone()));
        }
        self.told[rung].push((id, costs));
    }

    /// The configurations that may be promoted next and the rung they come from.
    fn allowed(&self, rule: PromotionRule, eta: usize) -> Option<(usize, Vec<usize>)> {
        let top = self.told.len() - 1;
        for rung in (0..top).rev() {
            let allowed = match rule {
                PromotionRule::DropPromoted if self.waiting[rung].len() >= eta => {
                    first_front(&self.waiting[rung])
                }
                PromotionRule::DropPromoted => Vec::new(),
                PromotionRule::WholeRung => {
                    let quota = self.told[rung].len() / eta;
                    let mut complete: Vec<(usize, f64)> = self.told[rung]
                        .iter()
                        .filter_map(|(id, costs)| Some((*id, costs.as_ref()?[0])))
                        .collect();
                    complete.sort_by(|a, b| a.1.total_cmp(&b.1));
                    let open = |&&(id, _): &&(usize, f64)| !self.promoted[rung].contains(&id);
                    complete
                        .iter()
                        .take(quota)
                        .find(open)
                        .map(|c| c.0)
                        .into_iter()
                        .collect()
                }
            };
            if !allowed.is_empty() {
                return Some((rung, allowed));
            }
        }
        None
    }

    fn promote(&mut self, rung: usize, id: usize) {
        self.waiting[rung].retain(|(other, _)| *other != id);
        self.promoted[rung].push(id);
    }
}

fn first_front(rows: &[(usize, Vec<f64>)]) -> Vec<usize> {
    let dominated = |costs: &[f64]| {
        rows.iter().any(|(_, other)| {
            other.iter().zip(costs).all(|(a, b)| a <= b)
                && other.iter().zip(costs).any(|(a, b)| a < b)
        })
    };
    rows.iter()
        .filter(|(_, costs)| !dominated(costs))
        .map(|(id, _)| *id)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn promotions_agree_with_a_slow_reference(
        seed in any::<u64>(),
        m in 1_usize..=2,
        whole in any::<bool>(),
        legacy in any::<bool>(),
        workers in 1_usize..6,
        // What happens: a worker asks, or the (i mod running)-th one ends, with a failure or not.
        events in prop::collection::vec((any::<bool>(), 0_usize..6, 0_u32..5), 20..160),
    ) {
        // The whole rung's best are unique for one objective only.
        let (rule, m) = if whole { (PromotionRule::WholeRung, 1) } else { (PromotionRule::DropPromoted, m) };
        let space = space(1, 27);
        let order = if legacy { FrontOrder::LegacyEpsilonNet } else { FrontOrder::EpsilonNet };
        let scheduler = SuccessiveHalving { rule, order, ..halving(&space) };
        let mut log = FidelityLog::new(&space, m);
        let mut slow = Slow::new(4);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut ids: HashMap<UnitPoint, usize> = HashMap::new();
        let mut running: Vec<(usize, usize, Candidate)> = Vec::new();
        let mut trial = 0;
        for (ask, which, outcome) in events {
            if (ask || running.is_empty()) && running.len() < workers {
                let pending: Vec<Candidate> = running.iter().map(|r| r.2.clone()).collect();
                let expected = slow.allowed(rule, 3);
                let (id, rung, point) = match scheduler.next(&log, &pending, &mut rng) {
                    Action::Promote { point, rung } => {
                        let id = ids[&point];
                        let (from, allowed) = expected.expect("nobody may be promoted");
                        prop_assert_eq!(from + 1, rung);
                        prop_assert!(allowed.contains(&id), "{} of {:?}", id, allowed);
                        slow.promote(from, id);
                        (id, rung, point)
                    }
                    Action::Start { rung } => {
                        prop_assert!(expected.is_none(), "{:?}", expected);
                        let id = ids.len();
                        ids.insert(point(id), id);
                        (id, rung, point(id))
                    }
                };
                let fidelity = scheduler.rungs.fidelity(rung);
                running.push((id, rung, Candidate::at(point).with_fidelity(fidelity)));
            } else if !running.is_empty() {
                let (id, rung, candidate) = running.remove(which % running.len());
                // Costs change with the rung, so that orders do.
                let fresh: Vec<f64> = (0..m).map(|o| ((7 * id + 3 * rung + 5 * o) as f64).sin()).collect();
                let costs = (outcome > 0).then_some(fresh);
                trial += 1;
                log.extend(&[observe(trial, &candidate, costs.as_deref())]).unwrap();
                slow.report(rung, id, costs);
            }
        }
    }

    /// Fronts are ordered by chance: asking often must not promote more.
    #[test]
    fn the_whole_rung_promotes_no_more_than_its_share(
        seed in any::<u64>(),
        members in 0_usize..20,
        asks in 1_usize..12,
    ) {
        let space = space(1, 3);
        let scheduler = SuccessiveHalving {
            rule: PromotionRule::WholeRung,
            ..halving(&space)
        };
        let mut log = FidelityLog::new(&space, 2);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for id in 0..members {
            let low = scheduler.rungs.fidelity(0);
            // All on one front.
            let both = [id as f64, -(id as f64)];
            let candidate = Candidate::at(point(id)).with_fidelity(low);
            log.extend(&[observe(id as u64, &candidate, Some(&both))]).unwrap();
        }
        let mut running: Vec<Candidate> = Vec::new();
        for _ in 0..asks {
            if let Action::Promote { point, rung } = scheduler.next(&log, &running, &mut rng) {
                let fidelity = scheduler.rungs.fidelity(rung);
                let candidate = Candidate::at(point).with_fidelity(fidelity);
                prop_assert!(!running.contains(&candidate));
                running.push(candidate);
            }
        }
        prop_assert_eq!(running.len(), asks.min(members / 3));
    }

    #[test]
    fn hyperband_never_continues_more_than_its_share(
        seed in any::<u64>(),
        workers in 1_usize..5,
        events in prop::collection::vec((any::<bool>(), 0_usize..5, 0_u32..4), 20..120),
    ) {
        let space = space(1, 9);
        let scheduler = HyperBand::new(Rungs::of(&space, 3).unwrap());
        let mut log = FidelityLog::new(&space, 2);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut running: Vec<Candidate> = Vec::new();
        let (mut started, mut promoted, mut trial) = ([0_usize; 3], [0_usize; 3], 0);
        for (ask, which, outcome) in events {
            if (ask || running.is_empty()) && running.len() < workers {
                let action = scheduler.next(&log, &running, &mut rng);
                let rung = action.rung();
                let fidelity = scheduler.rungs.fidelity(rung);
                let point = match action {
                    Action::Promote { point, .. } => {
                        let before = scheduler.rungs.fidelity(rung - 1);
                        let told = |e: &&warmfront_meta::multi_fidelity::LogEntry| {
                            e.point == point && (e.fidelity.value() - before.value()).abs() < 1e-12
                        };
                        prop_assert!(log.entries().iter().find(told).is_some_and(|e| e.complete().is_some()));
                        promoted[rung] += 1;
                        point
                    }
                    Action::Start { .. } => {
                        started[rung] += 1;
                        point(started.iter().sum())
                    }
                };
                let candidate = Candidate::at(point).with_fidelity(fidelity);
                prop_assert!(!running.contains(&candidate));
                running.push(candidate);
            } else if !running.is_empty() {
                let candidate = running.remove(which % running.len());
                trial += 1;
                let both = costs(&candidate.point);
                let outcome = (outcome > 0).then_some(&both[..]);
                log.extend(&[observe(trial, &candidate, outcome)]).unwrap();
            }
            // One in three of those planned: a failure leaves a rung smaller, not the share of the next.
            let most = [started[0] / 3, started[0] / 9 + started[1] / 3];
            prop_assert!(promoted[1] <= most[0] && promoted[2] <= most[1]);
        }
    }

    #[test]
    fn a_budget_is_never_exceeded(
        total in 0.0_f64..6.0,
        asks in prop::collection::vec((0_usize..6, 1_u32..=27), 0..80),
    ) {
        let mut budget = FidelityBudget::new(total);
        let mut highest: HashMap<usize, f64> = HashMap::new();
        let mut paid = 0.0;
        for (id, epochs) in asks {
            let share = f64::from(epochs) / 27.0;
            let candidate = Candidate::at(point(id)).with_fidelity(Fidelity::new(share).unwrap());
            let before = highest.get(&id).copied().unwrap_or(0.0);
            let cost = if share > before { share - before } else { share };
            prop_assert!((budget.cost_of(&candidate) - cost).abs() < 1e-12);
            let affordable = paid + cost <= total;
            if budget.try_spend(&candidate) {
                paid += cost;
                highest.insert(id, before.max(share));
            } else {
                prop_assert!(!affordable);
            }
            prop_assert!(budget.spent() <= total + 1e-9);
            prop_assert!((budget.spent() - paid).abs() < 1e-9);
            prop_assert!((budget.remaining() - (total - paid).max(0.0)).abs() < 1e-9);
        }
    }
}
