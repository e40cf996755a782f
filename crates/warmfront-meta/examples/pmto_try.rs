#![allow(missing_docs, clippy::all, clippy::disallowed_methods)]
use rand::RngExt;
use std::num::NonZeroUsize;
use std::time::Instant;
use warmfront_core::*;
use warmfront_meta::pmto::*;

fn sigma(t: usize, z: f64) -> f64 {
    let pi = std::f64::consts::PI;
    if t == 1 {
        ((5.0 * (z + 0.5)).sin() + 1.0) / 2.0
    } else {
        0.3 * (1.0 + (5.0 * pi * z - pi / 2.0).sin()) + 0.3 * (z - 0.2).powi(2)
    }
}
fn opt(t: usize, th: &[f64]) -> [f64; 4] {
    let z = [
        th[0],
        (2.0 * th[1] + th[2]) / 3.0,
        (th[2] + 2.0 * th[3]) / 3.0,
        th[4],
    ];
    z.map(|z| sigma(t, z))
}
fn f(name: &str, t: usize, x: &[f64], th: &[f64]) -> f64 {
    let s = opt(t, th);
    let tau = 2.0 * std::f64::consts::PI;
    let c = match name {
        "sphere" | "ackley" => 4.0,
        "rastrigin" => 20.0,
        _ => 600.0,
    };
    let u: Vec<f64> = (0..4).map(|i| c * (x[i] - s[i])).collect();
    let sq: f64 = u.iter().map(|v| v * v).sum();
    match name {
        "sphere" => sq,
        "ackley" => {
            -20.0 * (-0.2 * (sq / 4.0).sqrt()).exp()
                - (u.iter().map(|v| (tau * v).cos()).sum::<f64>() / 4.0).exp()
                + 20.0
                + 1f64.exp()
        }
        "rastrigin" => u
            .iter()
            .map(|v| v * v - 10.0 * (tau * v).cos() + 10.0)
            .sum(),
        _ => {
            sq / 4000.0
                - (0..4)
                    .map(|i| (600.0 * x[i] - 600.0 * s[i] / ((i + 1) as f64).sqrt()).cos())
                    .product::<f64>()
                + 1.0
        }
    }
}
fn quant(mut v: Vec<f64>) -> String {
    v.sort_by(f64::total_cmp);
    [0.05, 0.25, 0.5, 0.75, 0.95]
        .iter()
        .map(|q| {
            let p = q * (v.len() - 1) as f64;
            format!("{:.4}", v[p.round() as usize])
        })
        .collect::<Vec<_>>()
        .join(" ")
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let (name, t, method, fe, seed) = (
        a[1].as_str(),
        a[2].parse::<usize>().unwrap(),
        a[3].as_str(),
        a[4].parse::<usize>().unwrap(),
        a[5].parse::<u64>().unwrap(),
    );
    let config = match method {
        "improved" => PmtoConfig::improved(),
        "plain" => {
            let mut c = PmtoConfig::improved();
            if let ForwardFit::Map { aligned, .. } = &mut c.fit {
                *aligned = None;
            }
            c
        }
        "detail" => {
            let mut c = PmtoConfig::improved();
            if let ForwardFit::Map { finest, .. } = &mut c.fit {
                *finest = 0.05;
            }
            c
        }
        "asrun" => PmtoConfig::as_run(),
        "ft" => PmtoConfig::fixed_tasks(),
        "rt" => PmtoConfig::random_tasks(),
        "st" => PmtoConfig::single_tasks(),
        "mt" => PmtoConfig::coregionalized(),
        _ => PmtoConfig::random(),
    };
    let space = SearchSpace::unit_cube(4);
    let s = Seed(seed);
    let mut rng = s.stream(Purpose::Init, 0);
    let mut p = config
        .build(&space, 5, &Objectives::minimize_all(1), &mut rng)
        .unwrap();
    let clock = Instant::now();
    let (mut ta, mut tt) = (0.0, 0.0);
    for i in 0..fe as u64 {
        let c0 = Instant::now();
        let c = p
            .ask(NonZeroUsize::MIN, &[], &mut s.stream(Purpose::Ask, i))
            .unwrap()
            .remove(0);
        ta += c0.elapsed().as_secs_f64();
        let y = f(name, t, c.point.coords(), c.task.as_ref().unwrap().coords());
        let c0 = Instant::now();
        p.tell(
            &[Observation {
                trial: TrialId(i),
                candidate: c,
                outcome: Outcome::Complete(Costs::from_values(vec![y]).unwrap()),
            }],
            &mut s.stream(Purpose::Tell, i),
        )
        .unwrap();
        tt += c0.elapsed().as_secs_f64();
        if let Some(e) = p.last_error() {
            eprintln!("{e:?}");
        }
        if (i + 1) % 500 == 0 || i + 1 == 200 {
            eprintln!(
                "{} evals {:.1}s ask {ta:.1} tell {tt:.1}",
                i + 1,
                clock.elapsed().as_secs_f64()
            );
        }
    }
    println!(
        "{name}-{t} {method} {fe} seed {seed}: {:.1}s, {} tasks, {} added",
        clock.elapsed().as_secs_f64(),
        p.tasks().count(),
        p.added_tasks().len()
    );
    if method == "asrun" {
        let b: usize = p
            .added_tasks()
            .iter()
            .flat_map(|t| t.coords().to_vec())
            .filter(|&v| v < 0.02 || v > 0.98)
            .count();
        println!(
            "boundary {:.2}",
            b as f64 / (5 * p.added_tasks().len()) as f64
        );
    }
    println!(
        "pool bests {:?}",
        p.tasks()
            .map(|t| format!("{:.3}", t.1.map_or(-1.0, |b| b.1)))
            .collect::<Vec<_>>()
            .join(" ")
    );
    if let Some(h) = p.forward_hyperparameters() {
        println!("{:.3?}", h);
    }
    {
        let m: f64 =
            p.tasks().filter_map(|t| t.1).map(|b| b.1).sum::<f64>() / p.tasks().count() as f64;
        println!("mean best {m}");
    }
    let mut r = s.stream(Purpose::Evaluate, 0);
    let tests: Vec<UnitPoint> = (0..500)
        .map(|_| {
            UnitPoint::clamped(
                (0..5)
                    .map(|_| 0.05 + 0.9 * r.random::<f64>())
                    .collect::<Vec<_>>(),
            )
        })
        .collect();
    for recipe in [
        InverseRecipe::IsoAll,
        InverseRecipe::ArdAll,
        InverseRecipe::ArdBest { share: 0.7 },
        InverseRecipe::NoiseAware,
        InverseRecipe::Distilled { tasks: 256 },
    ] {
        let c = Instant::now();
        let m = p.task_model_with(recipe, None).unwrap();
        let built = c.elapsed().as_secs_f64();
        let c = Instant::now();
        let v = tests
            .iter()
            .map(|t| f(name, t_(t), m.solution(t).mean.coords(), t.coords()))
            .collect();
        let each = c.elapsed().as_secs_f64() / tests.len() as f64 * 1e6;
        println!("  {recipe:?} ({built:.1}s, {each:.0}us): {}", quant(v));
        let c = Instant::now();
        let v = tests
            .iter()
            .map(|th| f(name, t, m.refined(th).coords(), th.coords()))
            .collect();
        println!(
            "     refined ({:.0}us): {}",
            c.elapsed().as_secs_f64() / tests.len() as f64 * 1e6,
            quant(v)
        );
        fn t_(_: &UnitPoint) -> usize {
            std::env::args().nth(2).unwrap().parse().unwrap()
        }
    }
}
