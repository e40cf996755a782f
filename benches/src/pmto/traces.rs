//! Costs over the evaluations of the offline phase.

use super::measure::TRACE_POINTS;
use super::study::{Group, Moments, Study};
use crate::report::plane::{Axis, Plane};
use crate::report::style::style;
use crate::report::svg::{Drawing, Stroke};

/// Methods in the plots; tables have all. PT-ME and REVI hardly ever return to a task, so that the best cost
/// of a task means nothing there.
pub const SHOWN: [&str; 10] = [
    "random",
    "st",
    "mt",
    "self",
    "pmto-ft",
    "pmto-rt",
    "pmto",
    "pmto-high",
    "pmto-hybrid",
    "pmto-improved",
];

/// Over which tasks the mean is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Those of the initial design.
    Initial,
    /// All that have been evaluated.
    Pool,
}

impl Over {
    /// As in the names of measures.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Pool => "pool",
        }
    }
}

/// Evaluations and the mean best cost of the tasks then.
#[must_use]
pub fn trace(study: &Study<'_>, group: &Group, method: &str, over: Over) -> Vec<(u32, Moments)> {
    let step = (group.evaluations / TRACE_POINTS).max(1);
    let all = (step..=group.evaluations).step_by(step as usize);
    let at = |count: u32| {
        let name = format!("trace/{}/{count}", over.name());
        Some((count, study.moments(group, method, &name)?))
    };
    all.filter_map(at).collect()
}

/// The mean best cost of the tasks of the initial design against evaluations, a line for each method.
#[must_use]
pub fn plot(
    study: &Study<'_>,
    group: &Group,
    title: &str,
    label: &dyn Fn(&str) -> String,
) -> Drawing {
    let lines: Vec<(&str, Vec<(u32, Moments)>)> = SHOWN
        .into_iter()
        .map(|m| (m, trace(study, group, m, Over::Initial)))
        .filter(|(_, points)| !points.is_empty())
        .collect();
    let values = || lines.iter().flat_map(|l| l.1.iter().map(|p| p.1.mean));
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let log = low > 0.0 && high > 5.0 * low;
    let scale = |v: f64| if log { v.max(1e-300).log10() } else { v };
    let margin = 0.04 * (scale(high) - scale(low));
    let finite = low.is_finite() && high.is_finite();
    let mut plane = Plane::new(
        title,
        Axis {
            label: "evaluations",
            range: (0.0, f64::from(group.evaluations)),
            log: false,
        },
        Axis {
            label: "mean best cost of the tasks",
            range: match finite {
                true => (scale(low) - margin, scale(high) + margin),
                false => (0.0, 1.0),
            },
            log,
        },
    );
    let mut ends = Vec::new();
    for (index, (method, points)) in lines.iter().enumerate() {
        let style = style(method, index);
        let line: Vec<(f64, f64)> = points
            .iter()
            .map(|(count, m)| (f64::from(*count), scale(m.mean)))
            .collect();
        let band: Vec<(f64, f64, f64)> = points
            .iter()
            .filter(|(_, m)| m.sd.is_finite())
            .map(|(count, m)| {
                let low = if log {
                    (m.mean - m.sd).max(0.3 * m.mean)
                } else {
                    m.mean - m.sd
                };
                (f64::from(*count), scale(low), scale(m.mean + m.sd))
            })
            .collect();
        if style.emphasis && !band.is_empty() {
            plane.band(&band, style.color, 0.15);
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
    let texts = ends.iter().map(|(at, s, t)| (*at, *s, t.as_str()));
    let texts = texts.collect();
    plane.labels(texts);
    plane.finish()
}
