//! Regret and rank over evaluations.

use super::study::Group;
use crate::report::plane::{Axis, Plane};
use crate::report::style::{Style, style};
use crate::report::svg::{Drawing, Stroke};

/// What a plot shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Mean normalised regret, on a log scale.
    Regret,
    /// Mean rank.
    Rank,
}

/// Regrets below this are drawn there.
const FLOOR: f64 = 1e-4;

/// Mean and standard error over evaluations, from the end of the shared start on.
#[must_use]
pub fn plot(
    group: &Group<'_>,
    shown: Shown,
    title: &str,
    label: &dyn Fn(&str) -> String,
) -> Drawing {
    let lines: Vec<(String, Vec<(f64, f64)>)> = match shown {
        Shown::Rank => group.ranks(),
        Shown::Regret => group
            .methods
            .iter()
            .map(|(m, _)| (m.clone(), group.curve(m)))
            .collect(),
    };
    let log = shown == Shown::Regret;
    let scale = |v: f64| if log { v.max(FLOOR).log10() } else { v };
    let first = super::lab::INITIAL.min(group.entry.evaluations as usize) - 1;
    let values = || {
        lines
            .iter()
            .flat_map(|(_, c)| c.iter().skip(first))
            .map(|v| scale(v.0))
    };
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let margin = 0.05 * (high - low).max(0.1);
    let mut plane = Plane::new(
        title,
        Axis {
            label: "evaluations",
            range: (first as f64, f64::from(group.entry.evaluations)),
            log: false,
        },
        Axis {
            label: match shown {
                Shown::Regret => "mean normalised regret",
                Shown::Rank => "mean rank (1 is best)",
            },
            range: (low - margin, high + margin),
            log,
        },
    );
    let mut ends = Vec::new();
    for (index, (method, curve)) in lines.iter().enumerate() {
        let style = look(method, index);
        let points = || (1..).zip(curve).skip(first);
        let line: Vec<(f64, f64)> = points()
            .map(|(t, (mean, _))| (f64::from(t), scale(*mean)))
            .collect();
        let band: Vec<(f64, f64, f64)> = points()
            .filter(|(_, (_, error))| error.is_finite())
            .map(|(t, (mean, error))| (f64::from(t), scale(mean - error), scale(mean + error)))
            .collect();
        if band.len() > 1 {
            plane.band(&band, style.color, if style.emphasis { 0.2 } else { 0.08 });
        }
        let stroke = Stroke {
            color: style.color,
            width: if style.emphasis { 3.0 } else { 1.9 },
            dash: style.dash,
            opacity: 1.0,
        };
        let name = label(method);
        plane.line(&line, stroke, &name);
        if let Some(end) = line.last() {
            ends.push((*end, style, name));
        }
    }
    plane.labels(
        ends.iter()
            .map(|(at, s, t)| (*at, *s, t.as_str()))
            .collect(),
    );
    plane.finish()
}

/// The style of a method among these: SMOG is not the one to look at here.
fn look(method: &str, position: usize) -> Style {
    let plain = |color, dash| Style {
        color,
        dash,
        emphasis: false,
    };
    match method {
        "gp-logei" => plain("#0072b2", ""),
        "smog" => plain("#009e73", ""),
        "portfolio" => plain("#cc79a7", ""),
        "np-ei" => plain("#e69f00", ""),
        "np-ei-long" => plain("#e69f00", "2 3"),
        "nap-ei" => plain("#e69f00", "7 3"),
        "nap-shuffled" => plain("#d55e00", "2 3"),
        "nap-published" => plain("#d55e00", "7 3"),
        "nap-lambda-0" => plain("#8c8c8c", ""),
        "nap-lambda-0.01" => plain("#56b4e9", ""),
        "nap-lambda-0.1" => plain("#0072b2", ""),
        "nap-lambda-10" => plain("#009e73", ""),
        "nap-lambda-100" => plain("#cc79a7", ""),
        "nap-again" => plain("#56b4e9", ""),
        "nap-top-32" => plain("#009e73", "7 3"),
        "nap-causal" => plain("#0072b2", "7 3"),
        "nap-no-warmup" => plain("#8c8c8c", "7 3"),
        _ => style(method, position),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_of_a_plot_look_different() {
        let nap = crate::profile::experiment("nap").expect("defined");
        for block in nap.profiles.values().flat_map(|p| &p.blocks) {
            let looks: Vec<Style> = (0..).zip(&block.methods).map(|(i, m)| look(m, i)).collect();
            for (i, a) in looks.iter().enumerate() {
                for b in &looks[..i] {
                    assert!(
                        (a.color, a.dash) != (b.color, b.dash),
                        "{:?}",
                        block.methods
                    );
                }
            }
        }
    }
}
