//! Tables of the page.

use std::fmt::Write as _;

use super::measure::QUANTILES;
use super::methods::recipes;
use super::replication::Replicated;
use super::study::{AS_RUN, Group, Moments, Study};
use super::wins::{Choice, count};
use crate::claims::LEVEL;
use crate::report::svg::escape;
use crate::stats::rank_sum;

/// Name of the refined answers among the recipes.
pub const REFINED: &str = "refined";

/// Recipes of the tables, the refined answers last.
#[must_use]
pub fn table_recipes() -> Vec<&'static str> {
    let names = recipes().map(|r| r.name);
    names.into_iter().chain([REFINED]).collect()
}

/// Names methods and problems for people.
pub(super) type Label<'a> = &'a dyn Fn(&str) -> String;

/// A number with three significant digits.
#[must_use]
pub fn short(value: f64) -> String {
    let text = match value.abs() {
        v if !v.is_finite() => return "–".into(),
        v if v < 1e-300 => return "0".into(),
        v if (1e-3..1e5).contains(&v) => {
            let digits = (2.0 - v.log10().floor()).clamp(0.0, 6.0) as usize;
            format!("{value:.digits$}")
        }
        _ => format!("{value:.1e}"),
    };
    text.replace('-', "−")
}

/// Mean and deviation.
#[must_use]
pub fn with_sd(m: Moments) -> String {
    if m.sd.is_finite() {
        format!("{} ± {}", short(m.mean), short(m.sd))
    } else {
        short(m.mean)
    }
}

pub(super) fn head(out: &mut String, columns: &[&str]) {
    out.push_str("<div class=\"scroll\"><table class=\"numbers\"><thead><tr>");
    for column in columns {
        let _ = write!(out, "<th>{}</th>", escape(column));
    }
    out.push_str("</tr></thead><tbody>\n");
}

pub(super) const END: &str = "</tbody></table></div>\n";

fn row_class(method: &str, reference: &str) -> &'static str {
    if method == reference {
        " class=\"row-own\""
    } else {
        ""
    }
}

/// Methods × problems: Q50 with each method's best recipe, marked against the reference method.
pub(super) fn overview(
    out: &mut String,
    study: &Study<'_>,
    groups: &[&Group],
    reference: &str,
    [problem, method]: [Label<'_>; 2],
) {
    let mut methods: Vec<&str> = Vec::new();
    for name in groups.iter().flat_map(|g| study.present(g)) {
        if !methods.contains(&name) {
            methods.push(name);
        }
    }
    let titles: Vec<String> = groups.iter().map(|g| problem(&g.problem)).collect();
    let mut columns = vec!["method"];
    columns.extend(titles.iter().map(String::as_str));
    head(out, &columns);
    for name in methods {
        let _ = write!(
            out,
            "<tr{}><th>{}</th>",
            row_class(name, reference),
            escape(&method(name))
        );
        for group in groups {
            let of = |m: &str| {
                let recipe = study.best_recipe(group, m)?;
                let values = study.quantile(group, (m, recipe), None, 50);
                Some((recipe, Moments::of(&values)?, values))
            };
            let Some((recipe, moments, values)) = of(name) else {
                out.push_str("<td>–</td>");
                continue;
            };
            let least = study
                .present(group)
                .into_iter()
                .filter_map(|m| of(m).map(|o| o.1.mean))
                .fold(f64::INFINITY, f64::min);
            let mark = match of(reference) {
                Some((_, _, theirs)) if name != reference => {
                    let test = rank_sum(&values, &theirs);
                    if test.loses(LEVEL) {
                        " ▼"
                    } else if test.wins(LEVEL) {
                        " ▲"
                    } else {
                        " ≈"
                    }
                }
                _ => "",
            };
            let best = if moments.mean <= least {
                " class=\"best\""
            } else {
                ""
            };
            let _ = write!(
                out,
                "<td{best}>{} <small>{recipe}{mark}</small></td>",
                with_sd(moments)
            );
        }
        out.push_str("</tr>\n");
    }
    out.push_str(END);
}

/// Quantiles of one problem: methods × recipes.
pub(super) fn quantiles(
    out: &mut String,
    study: &Study<'_>,
    group: &Group,
    reference: &str,
    method: Label<'_>,
) {
    let mut rows = Vec::new();
    for name in study.present(group) {
        for recipe in table_recipes() {
            rows.extend(study.row(group, name, recipe).map(|r| (name, recipe, r)));
        }
    }
    let least = [0, 1, 2, 3, 4].map(|q| {
        let means = rows.iter().map(|r| r.2[q].mean);
        means.fold(f64::INFINITY, f64::min)
    });
    head(
        out,
        &[
            "method", "seeds", "recipe", "Q5", "Q25", "Q50", "Q75", "Q95",
        ],
    );
    for (index, (name, recipe, row)) in rows.iter().enumerate() {
        let _ = write!(out, "<tr{}>", row_class(name, reference));
        if index == 0 || rows[index - 1].0 != *name {
            let span = rows[index..].iter().take_while(|r| r.0 == *name).count();
            let seeds = study.runs(group, name).len();
            let _ = write!(
                out,
                "<th rowspan=\"{span}\">{}</th><td rowspan=\"{span}\">{seeds}</td>",
                escape(&method(name))
            );
        }
        let _ = write!(out, "<td>{recipe}</td>");
        for (moments, least) in row.iter().zip(least) {
            let best = if moments.mean <= least {
                " class=\"best\""
            } else {
                ""
            };
            let _ = write!(out, "<td{best}>{}</td>", with_sd(*moments));
        }
        out.push_str("</tr>\n");
    }
    out.push_str(END);
}

/// "Significantly better in k of n" for the published method and the reference against all others.
pub(super) fn wins(
    out: &mut String,
    study: &Study<'_>,
    groups: &[&Group],
    reference: &str,
    method: Label<'_>,
) {
    let mut methods: Vec<&str> = Vec::new();
    for name in groups.iter().flat_map(|g| study.present(g)) {
        if !methods.contains(&name) {
            methods.push(name);
        }
    }
    let mut columns = vec!["better", "than"];
    let choices = Choice::all();
    columns.extend(choices.iter().map(|c| c.name()));
    head(out, &columns);
    for first in [reference, AS_RUN] {
        for second in methods.iter().filter(|m| **m != first) {
            let counts: Vec<_> = choices
                .iter()
                .map(|c| count(study, groups, [first, second], *c))
                .collect();
            if counts.iter().all(|c| c.cells == 0) {
                continue;
            }
            let _ = write!(
                out,
                "<tr{}><th>{}</th><th>{}</th>",
                row_class(first, reference),
                escape(&method(first)),
                escape(&method(second))
            );
            for count in counts {
                let class = match count.better.cmp(&count.worse) {
                    std::cmp::Ordering::Greater => " class=\"better\"",
                    std::cmp::Ordering::Less => " class=\"worse\"",
                    std::cmp::Ordering::Equal => "",
                };
                let _ = write!(
                    out,
                    "<td{class}>{} : {} <small>of {}</small></td>",
                    count.better, count.worse, count.cells
                );
            }
            out.push_str("</tr>\n");
        }
    }
    out.push_str(END);
}

/// Released and own numbers cell by cell, of one method and recipe.
pub(super) fn replication(out: &mut String, all: &[&Replicated], problem: Label<'_>) {
    let mut columns = vec!["problem".to_owned()];
    columns.extend(QUANTILES.map(|q| format!("Q{q}")));
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    head(out, &columns);
    let mut problems: Vec<&str> = all.iter().map(|r| r.problem.as_str()).collect();
    problems.dedup();
    for name in problems {
        let _ = write!(out, "<tr><th>{}</th>", escape(&problem(name)));
        for quantile in QUANTILES {
            let cell = all
                .iter()
                .find(|r| r.problem == name && r.quantile == quantile);
            let _ = match cell {
                Some(cell) => {
                    let (ours, theirs) = (
                        Moments {
                            mean: cell.ours,
                            sd: cell.our_sd,
                        },
                        Moments {
                            mean: cell.published,
                            sd: cell.published_sd,
                        },
                    );
                    let class = match cell {
                        c if c.agrees() => "same",
                        c if c.is_better() => "better",
                        c if c.distance().is_nan() => "none",
                        _ => "worse",
                    };
                    write!(
                        out,
                        "<td class=\"{class}\" title=\"{} combined deviations\">{}<br>\
                         <small>released {}</small></td>",
                        short(cell.distance()),
                        with_sd(ours),
                        with_sd(theirs)
                    )
                }
                None => write!(out, "<td>–</td>"),
            };
        }
        out.push_str("</tr>\n");
    }
    out.push_str(END);
}

/// Counts of agreement for each method and recipe.
pub(super) fn agreement(out: &mut String, all: &[Replicated], method: Label<'_>) {
    let mut kinds: Vec<(&str, &str)> = Vec::new();
    for row in all {
        let kind = (row.method.as_str(), row.recipe.as_str());
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds.sort_unstable();
    head(
        out,
        &[
            "method", "recipe", "cells", "agree", "better", "worse", "worse in",
        ],
    );
    for (name, recipe) in kinds {
        let mine: Vec<&Replicated> = all
            .iter()
            .filter(|r| r.method == name && r.recipe == recipe)
            .collect();
        let agree = mine.iter().filter(|r| r.agrees()).count();
        let better = mine.iter().filter(|r| r.is_better()).count();
        let worse: Vec<String> = mine
            .iter()
            .filter(|r| !r.agrees() && !r.is_better() && r.distance().is_finite())
            .map(|r| format!("{} Q{}", r.problem, r.quantile))
            .collect();
        let _ = writeln!(
            out,
            "<tr><th>{}</th><td>{recipe}</td><td>{}</td><td>{agree}</td><td>{better}</td><td>{}</td>\
             <td>{}</td></tr>",
            escape(&method(name)),
            mine.len(),
            worse.len(),
            escape(&worse.join(", "))
        );
    }
    out.push_str(END);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        let check = |value: f64, text| assert_eq!(short(value), text);
        check(0.0, "0");
        check(0.012_345, "0.0123");
        check(-57.44, "−57.4");
        check(1234.5, "1234");
        check(1.234e-5, "1.2e−5");
        check(f64::NAN, "–");
        let one = Moments {
            mean: 2.0,
            sd: f64::NAN,
        };
        assert_eq!(with_sd(one), "2.00");
        assert_eq!(with_sd(Moments { sd: 0.5, ..one }), "2.00 ± 0.500");
    }
}
