//! Verdicts on made-up runs of which the answer is known.

use super::*;
use crate::pmto::made_up::Runs;
use crate::pmto::measure::quantile_name;

impl Runs {
    fn decide(&self) -> Vec<Claim> {
        decide(&self.study(), &[], "pmto-improved", &str::to_owned)
    }

    /// The verdict and note of the one claim whose statement has this part.
    fn verdict(&self, part: &str) -> (Verdict, String) {
        let all = self.decide();
        let mut found = all.iter().filter(|c| c.statement.contains(part));
        let claim = found.next().expect("a claim");
        assert!(found.next().is_none(), "several claims about {part}");
        (claim.verdict, claim.note.clone())
    }
}

const GOOD: [f64; 5] = [1.0, 1.1, 1.2, 1.3, 1.4];
const BAD: [f64; 5] = [2.0, 2.1, 2.2, 2.3, 2.4];

const FAMILIES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

#[test]
fn a_hybrid_that_is_only_not_significantly_worse_is_not_decided() {
    const CLAIM: &str = "not worse than the better";
    let verdict = |hybrid: &[f64]| {
        let mut runs = Runs::default();
        runs.quantiles("a", "pmto", "ard", &GOOD);
        runs.quantiles("a", "pmto-ft", "ard", &BAD);
        runs.quantiles("a", HYBRID, "ard", hybrid);
        runs.verdict(CLAIM).0
    };
    assert_eq!(verdict(&[0.9, 1.0, 1.1, 1.2, 1.3]), Verdict::Holds);
    assert_eq!(verdict(&[1.05, 1.15, 1.25, 1.35, 1.45]), Verdict::Open);
    // Better than PMTO-FT, worse than PMTO.
    assert_eq!(verdict(&[1.8, 1.8, 1.9, 1.9, 1.95]), Verdict::Fails);
    assert_eq!(verdict(&[0.1, 0.1, 0.1]), Verdict::Open);
}

#[test]
fn wins_are_counted_for_the_published_method_and_in_its_favour() {
    const CLAIM: &str = "pmto is significantly better than self";
    let claims = |won: usize| {
        let mut runs = Runs::default();
        for (i, family) in FAMILIES.iter().enumerate() {
            let (ours, theirs) = if i < won {
                (&GOOD, &BAD)
            } else {
                (&BAD, &GOOD)
            };
            runs.quantiles(family, "pmto", PUBLISHED_RECIPE, ours);
            runs.quantiles(family, "self", PUBLISHED_RECIPE, theirs);
        }
        let all = runs.decide();
        let best = |c: &&Claim| c.statement.contains(CLAIM) && c.note.contains("best recipe");
        let claim = all.iter().find(best).expect("a claim");
        (claim.verdict, claim.note.clone())
    };
    // Five cells a family.
    let (verdict, note) = claims(7);
    assert_eq!(verdict, Verdict::Holds);
    assert!(note.contains("better in 35 of 40, worse in 5"), "{note}");
    assert_eq!(claims(6).0, Verdict::Fails);
}

#[test]
fn a_rival_with_better_ranks_counts_though_its_mean_is_spoilt() {
    let mut runs = Runs::default();
    for family in FAMILIES {
        runs.quantiles(family, "pmto-improved", OWN_RECIPE, &BAD);
        // The least mean is that of an equal, the better ranks are those of one with an outlier.
        runs.quantiles(family, "pmto", "ard", &BAD);
        runs.quantiles(family, "self", "ard", &[1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 50.0]);
    }
    let all = runs.decide();
    let own = |c: &&Claim| c.statement.contains("with its own recipe wins or ties");
    let claim = all.iter().find(own).expect("a claim");
    assert_eq!(claim.verdict, Verdict::Holds);
    assert!(claim.note.contains("ties 40, loses 0"), "{}", claim.note);
    assert!(
        claim.note.contains("in 40 cells some method"),
        "{}",
        claim.note
    );
}

#[test]
fn half_the_budget_is_compared_by_medians() {
    const CLAIM: &str = "with half the evaluations";
    let verdict = |early: &[f64]| {
        let mut runs = Runs::default();
        runs.quantiles("a", "pmto", PUBLISHED_RECIPE, &GOOD);
        let name = quantile_name(OWN_RECIPE, Some(50), 50);
        runs.add((Section::Main, "a", "pmto-improved"), &[&name], early);
        runs.verdict(CLAIM).0
    };
    assert_eq!(verdict(&[1.0, 1.0, 1.2, 9.0, 9.0]), Verdict::Holds);
    assert_eq!(verdict(&[1.0, 1.0, 1.3, 1.3, 1.3]), Verdict::Fails);
    assert_eq!(verdict(&[1.0, 1.0, 1.0]), Verdict::Open);
}

#[test]
fn fronts_need_three_families_with_enough_seeds() {
    const CLAIM: &str = "multi-pmto-ft is better than alone-qlognehvi";
    let verdict = |families: usize, ours: &[f64], theirs: &[f64]| {
        let mut runs = Runs::default();
        for family in &FAMILIES[..families] {
            let of = |method| (Section::Fronts, *family, method);
            runs.add(of("multi-pmto-ft"), &["front/offline"], ours);
            runs.add(of("alone-qlognehvi"), &["front/offline"], theirs);
        }
        runs.verdict(CLAIM).0
    };
    // Larger is better.
    assert_eq!(verdict(3, &BAD, &GOOD), Verdict::Holds);
    assert_eq!(verdict(3, &GOOD, &BAD), Verdict::Fails);
    assert_eq!(verdict(2, &BAD, &GOOD), Verdict::Open);
    // Significant with too few runs.
    assert_eq!(verdict(3, &[2.0; 4], &[1.0, 1.1, 1.2, 1.3]), Verdict::Open);
}
