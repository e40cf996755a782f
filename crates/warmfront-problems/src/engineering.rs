//! Engineering design problems: vehicle safety and car side impact.
//!
//! # References
//! Liao, Li, Yang, Zhang, Li 2008 (vehicle crashworthiness); Jain, Deb 2014 (car side impact);
//! both collected by Tanabe, Ishibuchi 2020 as RE3-5-4 and RE4-7-1.

use crate::problem::{Known, Provenance};
use crate::synthetic::{Synthetic, minimise};

/// Thickness of five reinforcements, `[1, 3]⁵` mm: mass, acceleration and toe-board intrusion.
#[must_use]
pub fn vehicle_safety() -> Synthetic {
    Synthetic::new(
        "vehicle_safety",
        &[(1.0, 3.0); 5],
        minimise(&["mass", "acceleration", "intrusion"]),
        |x, y| {
            let &[a, b, c, d, e] = x else {
                unreachable!("five inputs by construction")
            };
            y[0] = 1640.2823
                + 2.357_328_5 * a
                + 2.322_003_5 * b
                + 4.568_876_8 * c
                + 7.721_363_3 * d
                + 4.455_950_4 * e;
            y[1] = 6.5856 + 1.15 * a - 1.0427 * b + 0.9738 * c + 0.8364 * d - 0.3695 * a * d
                + 0.0861 * a * e
                + 0.3628 * b * d
                - 0.1106 * a * a
                - 0.3437 * c * c
                + 0.1764 * d * d;
            y[2] = -0.0551 + 0.0181 * a + 0.1024 * b + 0.0421 * c - 0.0073 * a * b + 0.0240 * b * c
                - 0.0118 * b * d
                - 0.0204 * c * d
                - 0.0080 * c * e
                - 0.0241 * b * b
                + 0.0109 * d * d;
        },
    )
    .with_reference(Known::new(
        vec![1_864.720_22, 11.819_939_45, 0.290_399_938_4],
        Provenance::Reported { source: "BoTorch" },
    ))
    .with_max_hypervolume(Known::new(
        246.816_070_811_870_02,
        Provenance::Reported {
            source: "BoTorch, NSGA-II",
        },
    ))
}

/// Seven design variables of a car door: mass, force on the passenger, velocity of the pillar and
/// the summed violation of ten constraints.
#[must_use]
pub fn car_side_impact() -> Synthetic {
    Synthetic::new(
        "car_side_impact",
        &[
            (0.5, 1.5),
            (0.45, 1.35),
            (0.5, 1.5),
            (0.5, 1.5),
            (0.875, 2.625),
            (0.4, 1.2),
            (0.4, 1.2),
        ],
        minimise(&["mass", "force", "velocity", "violation"]),
        |x, y| {
            let &[a, b, c, d, e, f, g] = x else {
                unreachable!("seven inputs by construction")
            };
            y[0] = 1.98 + 4.9 * a + 6.67 * b + 6.98 * c + 4.01 * d + 1.78 * e + 1e-5 * f + 2.73 * g;
            y[1] = 4.72 - 0.5 * d - 0.19 * b * c;
            let pillar = 10.58 - 0.674 * a * b - 0.67275 * b;
            let door = 16.45 - 0.489 * c * g - 0.843 * e * f;
            y[2] = 0.5 * (pillar + door);
            let constraints = [
                1.0 - (1.16 - 0.3717 * b * d - 0.009_292_8 * c),
                0.32 - (0.261 - 0.0159 * a * b - 0.06486 * a - 0.019 * b * g
                    + 0.0144 * c * e
                    + 0.015_446_4 * f),
                0.32 - (0.214 + 0.00817 * e - 0.045_195 * a - 0.013_516_8 * a + 0.03099 * b * f
                    - 0.018 * b * g
                    + 0.007_176 * c
                    + 0.023_232 * c
                    - 0.00364 * e * f
                    - 0.018 * b * b),
                0.32 - (0.74 - 0.61 * b - 0.031_296 * c - 0.031_872 * g + 0.227 * b * b),
                32.0 - (28.98 + 3.818 * c - 4.2 * a * b + 1.27296 * f - 2.68065 * g),
                32.0 - (33.86 + 2.95 * c - 5.057 * a * b - 3.795 * b - 3.4431 * g + 1.45728),
                32.0 - (46.36 - 9.9 * b - 4.4505 * a),
                4.0 - y[1],
                9.9 - pillar,
                15.7 - door,
            ];
            y[3] = constraints.iter().map(|slack| (-slack).max(0.0)).sum();
        },
    )
    .with_reference(Known::new(
        vec![45.4872, 4.5114, 13.3394, 10.3942],
        Provenance::Reported { source: "BoTorch" },
    ))
    .with_max_hypervolume(Known::new(
        484.726_543_476_427_93,
        Provenance::Reported {
            source: "BoTorch, NSGA-II",
        },
    ))
}
