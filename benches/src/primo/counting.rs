//! From evaluations at several fidelities to one hypervolume per unit of cost.

use crate::score::Progress;

/// Slack for sums of costs that are whole in exact arithmetic.
const SLACK: f64 = 1e-9;

/// One evaluation of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// What the run had spent when it ended, in evaluations at full fidelity.
    pub spent: f64,
    /// Whether it was at full fidelity; others never enter the hypervolume.
    pub full: bool,
    /// Noise-free costs; `None` for a failure.
    pub costs: Option<Vec<f64>>,
}

/// Hypervolume of all points evaluated at full fidelity by the time that 1, 2, …, `units` are spent.
#[must_use]
pub fn by_cost(evaluations: &[Evaluation], reference: &[f64], units: usize) -> Vec<f64> {
    let mut progress = Progress::new(reference);
    let mut value = 0.0;
    let mut next = evaluations.iter().peekable();
    (1..=units)
        .map(|unit| {
            let limit = unit as f64 + SLACK;
            while let Some(evaluation) = next.next_if(|e| e.spent <= limit) {
                value = added(&mut progress, evaluation).unwrap_or(value);
            }
            value
        })
        .collect()
}

/// The curve of the published plots: an evaluation at full fidelity appends a value; one at a lower
/// fidelity repeats the last value when the cost spent has reached another whole number beyond the
/// length of the curve.
///
/// A curve that ends early keeps its last value; one that is too long is cut.
#[must_use]
pub fn by_published_count(evaluations: &[Evaluation], reference: &[f64], units: usize) -> Vec<f64> {
    let mut progress = Progress::new(reference);
    let mut value = 0.0;
    let mut curve = Vec::with_capacity(units);
    for evaluation in evaluations {
        if evaluation.full {
            value = added(&mut progress, evaluation).unwrap_or(value);
            curve.push(value);
        } else if (evaluation.spent + SLACK).floor() > curve.len() as f64 {
            curve.push(value);
        }
    }
    curve.resize(units, value);
    curve
}

fn added(progress: &mut Progress, evaluation: &Evaluation) -> Option<f64> {
    let costs = evaluation.costs.clone().filter(|_| evaluation.full)?;
    Some(progress.add(costs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluation(spent: f64, full: bool, cost: f64) -> Evaluation {
        Evaluation {
            spent,
            full,
            costs: cost.is_finite().then(|| vec![cost]),
        }
    }

    fn check(got: &[f64], expected: &[f64]) {
        assert_eq!(got.len(), expected.len());
        for (g, e) in got.iter().zip(expected) {
            assert!((g - e).abs() < 1e-12, "{got:?} is not {expected:?}");
        }
    }

    #[test]
    fn low_fidelities_cost_but_never_score() {
        let run = [
            evaluation(0.4, false, 0.0),
            evaluation(1.2, false, 0.0),
            evaluation(1.8, true, 4.0),
            evaluation(3.0, true, 6.0),
            evaluation(3.5, true, f64::NAN),
            evaluation(4.0 + 1e-12, true, 1.0),
        ];
        check(&by_cost(&run, &[10.0], 5), &[0.0, 6.0, 6.0, 9.0, 9.0]);
    }

    #[test]
    fn the_published_curve_counts_full_evaluations_and_whole_units_of_cheap_ones() {
        let run = [
            evaluation(0.4, false, 0.0),
            // The cost reaches 1: nothing is repeated yet, the curve has a first entry.
            evaluation(1.2, false, 0.0),
            // 1.5 is not beyond a curve of length 1.
            evaluation(1.5, false, 0.0),
            evaluation(1.8, true, 4.0),
            // 2.1 is not beyond a curve of length 2, 3.4 is.
            evaluation(2.1, false, 0.0),
            evaluation(3.4, false, 0.0),
            evaluation(4.4, true, 1.0),
            evaluation(5.4, true, 2.0),
        ];
        let curve = [0.0, 6.0, 6.0, 9.0, 9.0];
        check(&by_published_count(&run, &[10.0], 5), &curve);
        check(&by_published_count(&run, &[10.0], 3), &curve[..3]);
        check(
            &by_published_count(&run, &[10.0], 7),
            &[0.0, 6.0, 6.0, 9.0, 9.0, 9.0, 9.0],
        );
        // Black-box methods: one entry per evaluation under both rules.
        let plain: Vec<Evaluation> = (1..=3)
            .map(|i| evaluation(f64::from(i), true, 10.0 - f64::from(i)))
            .collect();
        check(&by_published_count(&plain, &[10.0], 3), &[1.0, 2.0, 3.0]);
        check(&by_cost(&plain, &[10.0], 3), &[1.0, 2.0, 3.0]);
    }
}
