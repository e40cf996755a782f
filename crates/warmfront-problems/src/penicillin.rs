//! Fed-batch penicillin production: a dynamic simulation with seven inputs and three objectives.
//!
//! Inputs: culture volume, biomass, temperature, glucose, feed rate, feed concentration, pH.
//! Costs: negative yield, by-product CO₂ and time until the batch ends; it ends when the tank is
//! full, the glucose is used up or the yield stops growing, after at most 2500 hours.
//!
//! # References
//! Liang, Lai 2021, *Scalable Bayesian optimization accelerates process optimization of penicillin
//! production*; the constants of Birol, Ündey, Çinar 2002.

use crate::problem::{Known, Provenance};
use crate::synthetic::{Synthetic, minimise};

const YIELD_BIOMASS: f64 = 0.45;
const YIELD_PENICILLIN: f64 = 0.90;
const K_1: f64 = 1e-10;
const K_2: f64 = 7e-5;
const MAINTENANCE: f64 = 0.014;
const ALPHA_1: f64 = 0.143;
const ALPHA_2: f64 = 4e-7;
const ALPHA_3: f64 = 1e-4;
const MU_BIOMASS: f64 = 0.092;
const K_BIOMASS: f64 = 0.15;
const MU_PENICILLIN: f64 = 0.005;
const K_PENICILLIN: f64 = 0.0002;
const K_INHIBITION: f64 = 0.10;
const HYDROLYSIS: f64 = 0.04;
const GROWTH_RATE: f64 = 7e3;
const GROWTH_ENERGY: f64 = 5100.0;
const DEATH_RATE: f64 = 1e33;
const DEATH_ENERGY: f64 = 50_000.0;
const EVAPORATION: f64 = 2.5e-4;
const FREEZING: f64 = 273.0;
const BOILING: f64 = 373.0;
const GAS_CONSTANT: f64 = 1.9872;
const MAX_VOLUME: f64 = 180.0;
const MAX_HOURS: u32 = 2500;
const SLOWEST_YIELD: f64 = 10e-12;

/// Penicillin production over its seven-dimensional box.
#[must_use]
pub fn penicillin() -> Synthetic {
    Synthetic::new(
        "penicillin",
        &[
            (60.0, 120.0),
            (0.05, 18.0),
            (293.0, 303.0),
            (0.05, 18.0),
            (0.01, 0.5),
            (500.0, 700.0),
            (5.0, 6.5),
        ],
        minimise(&["negative_yield", "co2", "hours"]),
        |x, y| {
            let costs = simulate(x);
            y.copy_from_slice(&costs);
        },
    )
    .with_reference(Known::new(
        vec![1.85, 86.93, 514.70],
        Provenance::Reported { source: "BoTorch" },
    ))
    .with_max_hypervolume(Known::new(
        2_183_455.909_507_436,
        Provenance::Reported {
            source: "BoTorch, NSGA-II",
        },
    ))
}

/// Euler steps of one hour; all right-hand sides use the state before the step.
fn simulate(x: &[f64]) -> [f64; 3] {
    let &[
        mut volume,
        mut biomass,
        temperature,
        mut glucose,
        feed,
        feed_glucose,
        ph,
    ] = x
    else {
        unreachable!("seven inputs by construction")
    };
    let (mut penicillin, mut co2) = (0.0, 0.0);
    let hydrogen = 10f64.powf(-ph);
    let evaporation = EVAPORATION * (5.0 * (temperature - BOILING) / (FREEZING - BOILING)).exp_m1();
    let acidity = MU_BIOMASS / (1.0 + K_1 / hydrogen + hydrogen / K_2);
    let arrhenius = GROWTH_RATE * (-GROWTH_ENERGY / (GAS_CONSTANT * temperature)).exp()
        - DEATH_RATE * (-DEATH_ENERGY / (GAS_CONSTANT * temperature)).exp();
    let mut hours = MAX_HOURS;
    for hour in 1..=MAX_HOURS {
        let d_volume = feed - volume * evaporation;
        let mu = acidity * (glucose / (K_BIOMASS * biomass + glucose)) * arrhenius;
        let d_biomass = mu * biomass - biomass / volume * d_volume;
        let mu_penicillin =
            MU_PENICILLIN * (glucose / (K_PENICILLIN + glucose + glucose * glucose / K_INHIBITION));
        let d_glucose = -(mu / YIELD_BIOMASS) * biomass
            - (mu_penicillin / YIELD_PENICILLIN) * biomass
            - MAINTENANCE * biomass
            + feed * feed_glucose / volume
            - glucose / volume * d_volume;
        let d_penicillin =
            mu_penicillin * biomass - HYDROLYSIS * penicillin - penicillin / volume * d_volume;
        let d_co2 = ALPHA_1 * d_biomass + ALPHA_2 * biomass + ALPHA_3;
        penicillin += d_penicillin;
        volume += d_volume;
        biomass += d_biomass;
        glucose += d_glucose;
        co2 += d_co2;
        if volume > MAX_VOLUME || glucose < 0.0 || d_penicillin < SLOWEST_YIELD {
            hours = hour;
            break;
        }
    }
    [-penicillin, co2, f64::from(hours)]
}
