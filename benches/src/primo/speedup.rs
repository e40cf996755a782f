//! Speed-up as a threshold crossing: how much sooner one method is where another ends.

use super::curves::Curves;
use super::methods::is_primo;
use crate::profile::base_name;
use crate::stats;

/// One method against a rival on one problem under one condition.
#[derive(Debug, Clone, PartialEq)]
pub struct SpeedUp {
    /// Name of the problem.
    pub problem: String,
    /// Name of the condition.
    pub condition: String,
    /// The rival, without the condition.
    pub rival: String,
    /// Mean hypervolume of the rival at the end of its budget.
    pub target: f64,
    /// Units of cost that the rival needs for it.
    pub theirs: usize,
    /// Units of cost that the method needs; `None` if it does not get there.
    pub ours: Option<usize>,
}

impl SpeedUp {
    /// Their units over ours; 0 if the method does not get there.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.ours
            .map_or(0.0, |ours| self.theirs as f64 / ours as f64)
    }
}

/// The first unit, counted from 1, at which a curve reaches `target`.
#[must_use]
pub fn first_reaching(curve: &[f64], target: f64) -> Option<usize> {
    // Means of the same runs in another order differ by rounding.
    let slack = 1e-12 * target.abs();
    curve
        .iter()
        .position(|v| *v >= target - slack)
        .map(|p| p + 1)
}

/// The speed-up of `method` over `rival` (a name without condition) or, without one, over the best
/// method that is no variant of PriMO, by mean hypervolume at the end.
///
/// `None` when one of them has not run.
#[must_use]
pub fn speed_up(
    curves: &Curves,
    condition: &str,
    method: &str,
    rival: Option<&str>,
) -> Option<SpeedUp> {
    let entry = curves.entry.under(condition);
    let full = |base: &str| entry.methods.iter().find(|m| base_name(m) == base);
    let ours = curves.mean(full(method)?)?;
    let candidates = entry.methods.iter().filter(|m| match rival {
        Some(rival) => base_name(m) == rival,
        None => !is_primo(m),
    });
    let (name, theirs) = candidates
        .filter_map(|m| Some((m, curves.mean(m)?)))
        .max_by(|a, b| {
            a.1.last()
                .unwrap_or(&0.0)
                .total_cmp(b.1.last().unwrap_or(&0.0))
        })?;
    let target = *theirs.last()?;
    Some(SpeedUp {
        problem: entry.problem.clone(),
        condition: condition.to_owned(),
        rival: base_name(name).to_owned(),
        target,
        theirs: first_reaching(&theirs, target)?,
        ours: first_reaching(&ours, target),
    })
}

/// The median ratio; problems on which the method never gets there count as 0.
#[must_use]
pub fn median_ratio(all: &[SpeedUp]) -> f64 {
    stats::median(&all.iter().map(SpeedUp::ratio).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primo::ranks::tests::curves;

    #[test]
    fn the_target_is_where_the_best_rival_ends() {
        let data = curves(
            "p",
            &[
                ("random", 0, &[1.0, 2.0, 3.0, 4.0]),
                ("bo-rw", 0, &[2.0, 5.0, 6.0, 6.0]),
                ("primo@good", 0, &[6.0, 8.0, 8.0, 8.0]),
                ("primo@misleading", 0, &[0.0, 1.0, 2.0, 5.0]),
                ("primo-paper@good", 0, &[9.0, 9.0, 9.0, 9.0]),
            ],
        );
        let good = speed_up(&data, "good", "primo", None).expect("both ran");
        assert_eq!(good.rival, "bo-rw");
        // The rival itself is there after three units.
        assert_eq!((good.theirs, good.ours), (3, Some(1)));
        assert!((good.ratio() - 3.0).abs() < 1e-12);
        let bad = speed_up(&data, "misleading", "primo", None).expect("both ran");
        assert_eq!(bad.ours, None);
        assert!(bad.ratio().abs() < 1e-12);
        let random = speed_up(&data, "misleading", "primo", Some("random")).expect("both ran");
        assert_eq!((random.theirs, random.ours), (4, Some(4)));
        assert!((median_ratio(&[good, bad, random]) - 1.0).abs() < 1e-12);
        assert!(speed_up(&data, "good", "nsga2", None).is_none());
    }

    #[test]
    fn crossing_counts_from_one() {
        assert_eq!(first_reaching(&[0.0, 1.0, 2.0], 1.0), Some(2));
        assert_eq!(first_reaching(&[0.0, 1.0], 1.5), None);
    }
}
