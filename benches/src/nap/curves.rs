//! Regret and rank over evaluations.

use super::study::Group;
use crate::report::plane::{Axis, Plane};
use crate::report::style::style;
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
        let style = style(method, index);
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
