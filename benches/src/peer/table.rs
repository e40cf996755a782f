//! What came out of a [`duel`](super::duel), as a Markdown page.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::duel::{NEPS, Plan, Row};
use crate::setup::Setup;
use crate::stats::{Paired, holm, mean_and_error, paired};

/// Level of the tests.
const LEVEL: f64 = 0.05;

/// A run of NePS and the run of ours on the same problem, with the same priors and seed.
type Pair<'a> = (&'a Row, &'a Row);

/// The pairs of one problem and condition.
struct Cell<'a> {
    problem: &'a str,
    condition: &'a str,
    pairs: Vec<Pair<'a>>,
}

/// Writes the page: the set-up, then one pair of tables for each variant of ours.
///
/// Only seeds that both sides have finished count.
#[must_use]
pub fn markdown(plan: &Plan, rows: &[Row], setup: &Setup) -> String {
    let terms = &plan.terms;
    let mut page = format!(
        "# NePS' PriMO beside ours\n\n\
         The same problems, expert priors (confidence {}), seeds and budget: {} full evaluations, \
         going on with a configuration pays the difference. NePS runs `primo` with an initial \
         design of {}, all else default. Ours and NePS' runs took turns, one thread each.\n\n\
         | | |\n|---|---|\n",
        terms.confidence, terms.budget, terms.initial_design_size
    );
    for (name, value) in &setup.facts {
        page.push_str(&format!("| {name} | {value} |\n"));
    }
    for variant in &plan.variants {
        let cells = cells(plan, rows, variant);
        if cells.is_empty() {
            page.push_str(&format!("\n## `{variant}`\n\nNo pairs of runs yet.\n"));
            continue;
        }
        page.push_str(&format!("\n## `{variant}`\n\n"));
        page.push_str(&quality(&cells));
        page.push_str(&speed(&cells));
    }
    page
}

fn cells<'a>(plan: &'a Plan, rows: &'a [Row], variant: &str) -> Vec<Cell<'a>> {
    let by_key: BTreeMap<_, _> = rows
        .iter()
        .map(|r| ((&*r.problem, &*r.condition, r.seed, &*r.method), r))
        .collect();
    let mut cells = Vec::new();
    for problem in &plan.problems {
        for condition in &plan.conditions {
            let find = |seed, method| by_key.get(&(&**problem, &**condition, seed, method));
            let pairs: Vec<Pair<'a>> = (0..plan.seeds)
                .filter_map(|seed| Some((*find(seed, NEPS)?, *find(seed, variant)?)))
                .collect();
            if !pairs.is_empty() {
                cells.push(Cell {
                    problem,
                    condition,
                    pairs,
                });
            }
        }
    }
    cells
}

/// Hypervolumes with their tests.
fn quality(cells: &[Cell<'_>]) -> String {
    let mut text = String::from(
        "Final hypervolume of the points at full fidelity, mean ± standard error; Wilcoxon's \
         signed-rank test over the seeds, Holm's correction over the rows.\n\n\
         | problem | priors | seeds | NePS | ours | ours better / worse | p | p (Holm) | |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    let tests: Vec<Paired> = cells
        .iter()
        .map(|cell| larger(&cell.pairs, |row| row.hypervolume))
        .collect();
    let corrected = holm(&tests.iter().map(|t| t.p).collect::<Vec<_>>());
    let mut worse = 0;
    for ((cell, test), p) in cells.iter().zip(&tests).zip(corrected) {
        let side = |pick: fn(&Pair<'_>) -> f64| {
            let values: Vec<f64> = cell.pairs.iter().map(pick).collect();
            let (mean, error) = mean_and_error(&values);
            format!("{mean:.4} ± {error:.4}")
        };
        // Uncorrected where it counts against ours.
        let verdict = match test.direction {
            Ordering::Greater if test.p < LEVEL => {
                worse += 1;
                "worse"
            }
            Ordering::Less if p < LEVEL => "better",
            _ => "no difference shown",
        };
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} / {} | {} | {} | {verdict} |\n",
            cell.problem,
            cell.condition,
            cell.pairs.len(),
            side(|(theirs, _)| theirs.hypervolume),
            side(|(_, ours)| ours.hypervolume),
            test.wins,
            test.losses,
            p_value(test.p),
            p_value(p),
        ));
    }
    let all = larger_of_all(cells);
    text.push_str(&format!(
        "\nOver all rows, each difference divided by the largest hypervolume of its problem: ours \
         better in {} pairs, worse in {}, p = {}. Rows in which ours is worse (p < {LEVEL} without \
         correction): {worse} of {}.\n\n",
        all.wins,
        all.losses,
        p_value(all.p),
        cells.len(),
    ));
    text
}

/// Compares ours with NePS' where larger is better: `Less` and wins speak for ours.
fn larger(pairs: &[Pair<'_>], value: impl Fn(&Row) -> f64) -> Paired {
    let ours: Vec<f64> = pairs.iter().map(|(_, ours)| -value(ours)).collect();
    let theirs: Vec<f64> = pairs.iter().map(|(theirs, _)| -value(theirs)).collect();
    paired(&ours, &theirs)
}

fn larger_of_all(cells: &[Cell<'_>]) -> Paired {
    let mut largest: BTreeMap<&str, f64> = BTreeMap::new();
    for (theirs, ours) in cells.iter().flat_map(|cell| &cell.pairs) {
        let entry = largest.entry(&theirs.problem).or_default();
        *entry = entry.max(theirs.hypervolume).max(ours.hypervolume);
    }
    let pairs: Vec<Pair<'_>> = cells.iter().flat_map(|c| c.pairs.iter().copied()).collect();
    larger(&pairs, |row| {
        // Where nothing was reached there is nothing to divide by.
        row.hypervolume / largest[&*row.problem].max(f64::MIN_POSITIVE)
    })
}

/// Seconds per suggestion with their ratios.
fn speed(cells: &[Cell<'_>]) -> String {
    let mut text = String::from(
        "Time per suggestion: NePS' `ask`; our `tell` of the last outcome and `ask`. \"Model\" are \
         the suggestions that start a configuration at full fidelity, \"all\" those of the initial \
         design too. The ratio is NePS' time ÷ ours.\n\n\
         | problem | priors | NePS, model | ours, model | ratio | ratio of processor times | \
         NePS, all | ours, all | ratio |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    let mut least = f64::INFINITY;
    for cell in cells {
        let model = Times::new(cell, |r| r.model_seconds, |r| r.model_suggestions);
        let cpu = Times::new(
            cell,
            |r| r.model_cpu_seconds.unwrap_or(f64::NAN),
            |r| r.model_suggestions,
        );
        let all = Times::new(cell, |r| r.seconds, |r| r.evaluations);
        least = least.min(model.ratio()).min(all.ratio());
        text.push_str(&format!(
            "| {} | {} | {} | {} | {:.0}× | {} | {} | {} | {:.0}× |\n",
            cell.problem,
            cell.condition,
            duration(model.theirs),
            duration(model.ours),
            model.ratio(),
            if cpu.ratio().is_finite() {
                format!("{:.0}×", cpu.ratio())
            } else {
                "–".to_owned()
            },
            duration(all.theirs),
            duration(all.ours),
            all.ratio(),
        ));
    }
    text.push_str(&format!(
        "\nThe smallest ratio of wall times is {least:.0}×.\n"
    ));
    text
}

/// Mean times per suggestion over the runs of a cell.
struct Times {
    theirs: (f64, f64),
    ours: (f64, f64),
}

impl Times {
    fn new(cell: &Cell<'_>, seconds: fn(&Row) -> f64, count: fn(&Row) -> usize) -> Self {
        let mean = |row: &Row| seconds(row) / count(row) as f64;
        let theirs: Vec<f64> = cell.pairs.iter().map(|(theirs, _)| mean(theirs)).collect();
        let ours: Vec<f64> = cell.pairs.iter().map(|(_, ours)| mean(ours)).collect();
        Self {
            theirs: mean_and_error(&theirs),
            ours: mean_and_error(&ours),
        }
    }

    fn ratio(&self) -> f64 {
        self.theirs.0 / self.ours.0
    }
}

fn duration((mean, error): (f64, f64)) -> String {
    if mean < 1.0 {
        format!("{:.2} ± {:.2} ms", 1e3 * mean, 1e3 * error)
    } else {
        format!("{mean:.2} ± {error:.2} s")
    }
}

fn p_value(p: f64) -> String {
    if p < 0.0001 {
        "< 0.0001".to_owned()
    } else {
        format!("{p:.4}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::duel::Terms;
    use super::*;

    fn row(method: &str, seed: u32, hypervolume: f64, seconds: f64) -> Row {
        Row {
            problem: "p".into(),
            condition: "good-good".into(),
            seed,
            method: method.into(),
            budget: 20.0,
            spent: 20.0,
            evaluations: 50,
            full: 19,
            hypervolume,
            seconds: 1.1 * seconds,
            cpu_seconds: None,
            model_suggestions: 10,
            model_seconds: seconds,
            model_cpu_seconds: None,
        }
    }

    fn plan() -> Plan {
        Plan {
            problems: vec!["p".into()],
            conditions: vec!["good-good".into()],
            variants: vec!["improved".into()],
            seeds: 10,
            terms: Terms::default(),
        }
    }

    fn page(ours: impl Fn(u32) -> f64) -> String {
        let rows: Vec<Row> = (0..10)
            .flat_map(|seed| {
                [
                    row(NEPS, seed, 1.0 + 0.01 * f64::from(seed), 20.0),
                    row("improved", seed, ours(seed), 0.1),
                ]
            })
            .collect();
        markdown(&plan(), &rows, &Setup::default())
    }

    #[test]
    fn the_larger_hypervolume_is_the_better() {
        let better = page(|seed| 1.5 + 0.02 * f64::from(seed));
        assert!(
            better.contains("| 10 / 0 | 0.0020 | 0.0020 | better |"),
            "{better}"
        );
        let worse = page(|seed| 0.5 + 0.02 * f64::from(seed));
        assert!(
            worse.contains("| 0 / 10 | 0.0020 | 0.0020 | worse |"),
            "{worse}"
        );
        assert!(worse.contains("correction): 1 of 1"), "{worse}");
        let equal = page(|seed| 1.0 + 0.01 * f64::from(seed));
        assert!(equal.contains("no difference shown"), "{equal}");
    }

    #[test]
    fn ratios_are_of_mean_times() {
        let page = page(|_| 1.0);
        assert!(
            page.contains("| 2.00 ± 0.00 s | 10.00 ± 0.00 ms | 200× | – |"),
            "{page}"
        );
        assert!(
            page.contains("smallest ratio of wall times is 200×"),
            "{page}"
        );
    }

    #[test]
    fn seeds_of_one_side_only_do_not_count() {
        let rows = [row(NEPS, 0, 1.0, 1.0), row("improved", 1, 1.0, 1.0)];
        let page = markdown(&plan(), &rows, &Setup::default());
        assert!(page.contains("No pairs of runs yet."), "{page}");
    }
}
