use super::*;

fn plan(budget: f64) -> Plan {
    Plan {
        problems: vec!["momf_branin_currin".into()],
        conditions: vec!["good-bad".into()],
        variants: vec!["as-run".into()],
        seeds: 2,
        terms: Terms {
            budget,
            ..Terms::default()
        },
    }
}

fn evaluation(x: [f64; 2], fidelity: f64) -> Evaluation {
    let problem = problem("momf_branin_currin").unwrap();
    let point = UnitPoint::new(x).unwrap();
    let candidate = Candidate::at(point).with_fidelity(Fidelity::new(fidelity).unwrap());
    let outcome = problem.noise_free(&candidate).unwrap();
    Evaluation {
        x: x.into(),
        fidelity,
        objectives: outcome.costs().unwrap().complete().unwrap(),
        seconds: 0.5,
        cpu_seconds: Some(0.25),
    }
}

fn row(budget: f64, evaluations: &[Evaluation]) -> anyhow::Result<Row> {
    let plan = plan(budget);
    arenas(&plan)?[0].row(NEPS, 0, plan.terms, evaluations)
}

#[test]
fn going_on_pays_the_difference_and_is_no_suggestion_of_the_model() {
    let run = [
        evaluation([0.2, 0.8], 0.25),
        evaluation([0.2, 0.8], 1.0),
        evaluation([0.5, 0.5], 1.0),
    ];
    let row = row(2.0, &run).unwrap();
    assert!((row.spent - 2.0).abs() < 1e-12);
    assert_eq!(
        (row.evaluations, row.full, row.model_suggestions),
        (3, 2, 1)
    );
    assert!((row.seconds - 1.5).abs() < 1e-12 && (row.model_seconds - 0.5).abs() < 1e-12);
    assert_eq!(row.cpu_seconds, Some(0.75));
    assert!(row.hypervolume > 0.0);
}

#[test]
fn only_points_at_full_fidelity_count() {
    let row = row(2.0, &[evaluation([0.2, 0.8], 0.99)]).unwrap();
    assert_eq!(row.hypervolume.to_bits(), 0.0_f64.to_bits());
}

#[test]
fn an_overdrawn_budget_and_other_values_are_refused() {
    let twice = [evaluation([0.2, 0.8], 1.0), evaluation([0.5, 0.5], 0.5)];
    assert!(
        row(1.4, &twice)
            .unwrap_err()
            .to_string()
            .contains("overdrawn")
    );
    let mut wrong = evaluation([0.2, 0.8], 1.0);
    wrong.objectives[1] += 1e-6;
    assert!(
        row(2.0, &[wrong])
            .unwrap_err()
            .to_string()
            .contains("disagree")
    );
}

#[test]
fn both_sides_get_the_same_centres() {
    let plan = plan(2.0);
    let arena = &arenas(&plan).unwrap()[0];
    let job = arena.job(3, plan.terms);
    for (objective, centre) in job.centers.into_iter().enumerate() {
        let centre = UnitPoint::new(centre.unwrap()).unwrap();
        let belief = arena.beliefs.get(objective).unwrap();
        assert_eq!(belief.mode(), centre);
        let cost = |x: &UnitPoint| {
            let outcome = arena.problem.noise_free(&Candidate::at(x.clone())).unwrap();
            outcome.costs().unwrap().complete().unwrap()[objective]
        };
        let middle = UnitPoint::new([0.5, 0.5]).unwrap();
        // The first is good, the second bad.
        assert_eq!(cost(&centre) < cost(&middle), objective == 0);
    }
}

#[test]
fn names_are_checked() {
    assert!(problem("momf").is_err());
    assert!(qualities("good").is_err());
    assert!(variant("best").is_err());
}

#[test]
fn finished_runs_are_kept_and_runs_of_another_budget_refused() {
    let name = format!("warmfront-duel-{}.csv", std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_file(&path);
    let plan = plan(6.5);
    // NePS has finished already, so that it is never started.
    let mut writer = csv::Writer::from_path(&path).unwrap();
    for seed in 0..plan.seeds {
        let row = row(2.0, &[evaluation([0.2, 0.8], 1.0)]).unwrap();
        let budget = plan.terms.budget;
        writer
            .serialize(Row {
                seed,
                budget,
                ..row
            })
            .unwrap();
    }
    writer.flush().unwrap();
    let go = |plan: &Plan| {
        let mut made = 0;
        let rows = run(plan, &path, || bail!("NePS was started"), |_| made += 1);
        rows.map(|rows| (rows, made))
    };
    let (rows, made) = go(&plan).unwrap();
    assert_eq!((rows.len(), made), (4, 2));
    let ours = rows.iter().find(|row| row.method == "as-run").unwrap();
    assert_eq!((ours.full, ours.model_suggestions), (5, 2), "{ours:?}");
    assert!(ours.spent <= 6.5 && ours.hypervolume > 0.0);
    let (again, made) = go(&plan).unwrap();
    assert_eq!((again.len(), made), (4, 0));
    let other = Plan {
        terms: Terms::default(),
        ..plan
    };
    let error = go(&other).unwrap_err().to_string();
    assert!(error.contains("budget of 6.5"), "{error}");
    let _ = std::fs::remove_file(&path);
}
