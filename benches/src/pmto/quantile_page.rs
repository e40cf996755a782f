//! The quantile tables as Markdown: every method with every recipe.

use std::fmt::Write as _;

use super::measure::QUANTILES;
use super::study::{Group, Study};
use super::tables::{Label, table_recipes, with_sd};
use crate::profile::Section;

/// Sections with quantiles, and their titles.
const SECTIONS: [(Section, &str); 3] = [
    (Section::Main, "Families"),
    (Section::Cases, "Case studies"),
    (Section::Wide, "Many inputs"),
];

/// The page; a section or a problem without a finished run has no part in it.
pub(super) fn page(study: &Study<'_>, problem: Label<'_>, method: Label<'_>) -> String {
    let mut out = String::from(
        "# Quantiles over unseen tasks\n\n\
         Written by `cargo xtask reproduce pmto`; read with the section on PMTO of the page on \
         reproduction. Noise-free cost at the task model's solution over unseen tasks, lower is better: \
         mean ± standard deviation of each quantile over seeds, at the end of the run, for every method \
         with every recipe of task models.\n",
    );
    for (section, title) in SECTIONS {
        let mut groups = study.section(section);
        groups.retain(|g| !study.present(g).is_empty());
        if !groups.is_empty() {
            let _ = write!(out, "\n## {title}\n");
        }
        for group in groups {
            table(&mut out, study, group, [problem, method]);
        }
    }
    out
}

fn table(out: &mut String, study: &Study<'_>, group: &Group, [problem, method]: [Label<'_>; 2]) {
    let _ = write!(
        out,
        "\n### {}\n\n| method | seeds | recipe |{}\n|{}\n",
        problem(&group.problem),
        QUANTILES.map(|q| format!(" Q{q} |")).concat(),
        "---|".repeat(3 + QUANTILES.len())
    );
    for name in study.present(group) {
        for recipe in table_recipes() {
            let Some(row) = study.row(group, name, recipe) else {
                continue;
            };
            let _ = writeln!(
                out,
                "| {} | {} | {recipe} |{}",
                method(name),
                study.quantile(group, (name, recipe), None, 50).len(),
                row.map(|m| format!(" {} |", with_sd(m))).concat()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pmto::made_up::Runs;

    #[test]
    fn every_method_has_a_row_for_every_recipe_that_it_was_scored_with() {
        let mut runs = Runs::default();
        runs.quantiles("sphere-i", "pmto", "iso", &[1.0, 3.0]);
        runs.quantiles("sphere-i", "pmto", "ard", &[0.5, 0.5]);
        runs.quantiles("sphere-i", "random", "iso", &[8.0]);
        let page = page(&runs.study(), &str::to_uppercase, &str::to_owned);
        let rows: Vec<&str> = page.lines().filter(|l| l.starts_with("| ")).collect();
        let five = |cell: &str| format!("{cell} |").repeat(5);
        assert_eq!(
            rows,
            [
                "| method | seeds | recipe | Q5 | Q25 | Q50 | Q75 | Q95 |",
                &format!("| random | 1 | iso |{}", five(" 8.00")),
                &format!("| pmto | 2 | iso |{}", five(" 2.00 ± 1.41")),
                &format!("| pmto | 2 | ard |{}", five(" 0.500 ± 0")),
            ]
        );
        let titles: Vec<&str> = page.lines().filter(|l| l.starts_with("##")).collect();
        assert_eq!(titles, ["## Families", "### SPHERE-I"]);
    }
}
