use super::*;
use crate::inputs;
use crate::peer::race::protocol::Run;

const MEASURE: Request = Request::Measure {
    seconds: 0.0,
    seed: 1,
};

fn lines(requests: &[Request]) -> Vec<Answer> {
    let input: Vec<String> = requests
        .iter()
        .map(|r| serde_json::to_string(r).unwrap())
        .collect();
    let mut output = Vec::new();
    serve(input.join("\n").as_bytes(), &mut output).unwrap();
    String::from_utf8(output)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn once(task: Task) -> Values {
    let answers = lines(&[Request::Prepare { task }, MEASURE]);
    match &answers[..] {
        [Answer::Hello(_), Answer::Ready, Answer::Measured(measured)] => {
            assert_eq!(measured.calls, 1);
            measured.values.clone()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_gradient_is_that_of_the_value() {
    let of = |shift: f64| {
        let task = Task::new(Work::GpGradient, "matern52", 1, 50);
        let mut call = gp::Gradient::new(&task).unwrap();
        call.shift(shift);
        call.run().unwrap();
        call.values()
    };
    let step = 1e-5;
    let slope = (of(step)["posterior"][0] - of(-step)["posterior"][0]) / (2.0 * step);
    let sum: f64 = of(0.0)["gradient"].iter().sum();
    assert!((slope - sum).abs() < 1e-4 * sum.abs(), "{slope}, {sum}");
}

#[test]
fn a_fit_is_judged_best_where_it_ended() {
    let task = Task::new(Work::GpFit, "rbf", 1, 50);
    let fitted = once(task.clone())["fitted"].clone();
    let other: Vec<f64> = fitted.iter().map(|v| 1.3 * v).collect();
    let answers = lines(&[
        Request::Prepare { task },
        Request::Judge {
            candidates: vec![fitted, other],
        },
    ]);
    match answers.last() {
        Some(Answer::Judged(values)) => assert!(values[0] > values[1], "{values:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn pieces_of_work_agree_with_each_other() {
    let of = |work| once(Task::new(work, "concave", 3, 50));
    let volume = of(Work::Hypervolume)["volume"][0];
    let boxes = of(Work::Boxes);
    assert!((boxes["volume"][0] - volume).abs() < 1e-12 && boxes["boxes"][0] > 50.0);
    let shares = of(Work::Contributions)["volumes"].clone();
    assert!(shares.len() == 50 && shares.iter().sum::<f64>() < volume);

    let of = |work| once(Task::new(work, "", 3, 100))["labels"].clone();
    let (filter, ranks) = (of(Work::Filter), of(Work::Ranks));
    let agree = |(label, rank): (&f64, &f64)| (*label > 0.5) == (*rank < 0.5);
    assert!(filter.len() == inputs::cloud(3, 100).rows() && filter.iter().zip(&ranks).all(agree));
}

#[test]
fn errors_are_answers() {
    let answers = lines(&[
        MEASURE,
        Request::Prepare {
            task: Task::new(Work::GpFit, "linear", 1, 50),
        },
        Request::Judge { candidates: vec![] },
    ]);
    let errors: Vec<bool> = answers
        .iter()
        .map(|a| matches!(a, Answer::Error(_)))
        .collect();
    assert_eq!(errors, [false, true, true, true]);
}

#[test]
fn what_is_no_point_cannot_be_judged() {
    let task = Task::new(Work::Suggest, "log_ehvi", 2, 50);
    let judge = |point: Vec<f64>| {
        let candidates = vec![vec![0.5; inputs::DIM], point];
        let answers = lines(&[
            Request::Prepare { task: task.clone() },
            Request::Judge { candidates },
        ]);
        answers.last().cloned()
    };
    assert!(matches!(judge(vec![0.4; inputs::DIM]), Some(Answer::Judged(v)) if v.len() == 2));
    for short in [vec![], vec![0.5]] {
        assert!(matches!(judge(short), Some(Answer::Error(e)) if e.contains("coordinates")));
    }
}

#[test]
fn an_optimisation_takes_outcomes_and_proposes() {
    let run = |method: &str| Run {
        method: method.into(),
        dim: 1,
        objectives: 1,
        reference: vec![1.0],
        x: vec![vec![0.1], vec![0.5], vec![0.9]],
        y: vec![vec![0.16], vec![0.0], vec![0.16]],
        seed: 1,
        steps: 2,
    };
    for method in ["ours", "ours-default"] {
        proposes(run(method));
    }
    let answers = lines(&[Request::Start { run: run("theirs") }]);
    assert!(matches!(answers.last(), Some(Answer::Error(_))));
}

fn proposes(run: Run) {
    let y = Some(vec![0.001]);
    let answers = lines(&[
        Request::Start { run },
        Request::Step { y: None },
        Request::Step { y },
    ]);
    let points: Vec<f64> = answers
        .iter()
        .filter_map(|a| match a {
            Answer::Point(point) => Some(point.x[0]),
            _ => None,
        })
        .collect();
    assert_eq!(points.len(), 2);
    assert!(points.iter().all(|x| (0.3..0.7).contains(x)), "{points:?}");
}
