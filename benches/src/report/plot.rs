//! The plots of a report: regret curves, and times against the number of meta-tasks.

use super::svg::{Anchor, Drawing, Stroke};
use crate::claims::Scaling;
use crate::results::{Band, ProblemCurves};

pub use super::style::{Style, style};

pub(super) const WIDTH: f64 = 780.0;
pub(super) const HEIGHT: f64 = 400.0;
pub(super) const LEFT: f64 = 66.0;
pub(super) const RIGHT: f64 = 196.0;
pub(super) const TOP: f64 = 16.0;
pub(super) const BOTTOM: f64 = 48.0;
pub(super) const TEXT: f64 = 13.0;

/// The rectangle of a plot and its two linear scales.
#[derive(Debug, Clone, Copy)]
struct Axes {
    x: (f64, f64),
    y: (f64, f64),
}

impl Axes {
    fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let fraction = |v: f64, (low, high): (f64, f64)| (v - low) / (high - low);
        (
            LEFT + fraction(x, self.x) * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - fraction(y, self.y) * (HEIGHT - TOP - BOTTOM),
        )
    }
}

pub(super) const GRID: Stroke<'_> = Stroke {
    color: "currentColor",
    width: 1.0,
    dash: "",
    opacity: 0.12,
};
pub(super) const FAINT: Stroke<'_> = Stroke {
    color: "currentColor",
    width: 1.0,
    dash: "",
    opacity: 0.05,
};
pub(super) const AXIS: Stroke<'_> = Stroke {
    color: "currentColor",
    width: 1.0,
    dash: "",
    opacity: 0.55,
};

/// One line of a plot.
#[derive(Debug, Clone)]
pub struct Line {
    /// How it looks.
    pub style: Style,
    /// Its name.
    pub label: String,
    /// For each unit of the horizontal axis: centre, lower and upper end of the band.
    pub band: Vec<[f64; 3]>,
}

/// What the vertical axis shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vertical {
    /// Decimal logarithms of relative regrets.
    LogRegret,
    /// Decimal logarithms of something else, which this names.
    Log(&'static str),
    /// Mean ranks.
    Rank,
}

/// What the axes of a plot show.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'a> {
    /// Read aloud by screen readers.
    pub title: &'a str,
    /// Below the horizontal axis.
    pub horizontal: &'a str,
    /// The vertical axis.
    pub vertical: Vertical,
}

/// Regret (log scale) against evaluations, one line and band per method, labelled at its end.
#[must_use]
pub fn regret(
    curves: &ProblemCurves,
    band: Band,
    (title, horizontal): (&str, &str),
    label: &dyn Fn(&str) -> String,
) -> Drawing {
    let lines = curves
        .methods
        .iter()
        .enumerate()
        .map(|(i, m)| Line {
            style: style(&m.method, i),
            label: label(&m.method),
            band: m.band(band),
        })
        .collect();
    let labels = Labels {
        title,
        horizontal,
        vertical: Vertical::LogRegret,
    };
    chart(labels, curves.entry.evaluations, lines)
}

/// Lines with bands over 1, 2, …, `evaluations`, labelled at their ends.
#[must_use]
pub fn chart(text: Labels<'_>, evaluations: u32, mut lines: Vec<Line>) -> Drawing {
    let mut drawing = Drawing::new(WIDTH, HEIGHT, text.title);
    let all = || lines.iter().flat_map(|l| l.band.iter());
    let low = all().map(|b| b[1]).fold(f64::INFINITY, f64::min);
    let high = all().map(|b| b[2]).fold(f64::NEG_INFINITY, f64::max);
    if !(low.is_finite() && high.is_finite()) {
        drawing.text(
            (WIDTH / 2.0, HEIGHT / 2.0),
            Anchor::Middle,
            TEXT,
            400,
            "no finished run",
        );
        return drawing;
    }
    let margin = 0.04 * (high - low).max(0.2);
    let top = match text.vertical {
        // No regret is above 1.
        Vertical::LogRegret => (high + margin).min(0.02_f64.max(high)),
        Vertical::Log(_) | Vertical::Rank => high + margin,
    };
    let axes = Axes {
        x: (1.0, f64::from(evaluations).max(2.0)),
        y: (low - margin, top),
    };
    let name = match text.vertical {
        Vertical::LogRegret => {
            log_axis(&mut drawing, &axes);
            "relative hypervolume regret"
        }
        Vertical::Log(name) => {
            log_axis(&mut drawing, &axes);
            name
        }
        Vertical::Rank => {
            rank_axis(&mut drawing, &axes);
            "mean rank (1 is best)"
        }
    };
    evaluation_axis(&mut drawing, &axes, evaluations, text.horizontal);
    drawing.text_upward((15.0, (TOP + HEIGHT - BOTTOM) / 2.0), TEXT, name);

    // The emphasised method lies on top.
    lines.sort_by_key(|line| line.style.emphasis);
    let x = |t: usize| (t + 1) as f64;
    for Line { style, band, .. } in &lines {
        let upper = band.iter().enumerate().map(|(t, b)| axes.place(x(t), b[2]));
        let lower = band
            .iter()
            .enumerate()
            .rev()
            .map(|(t, b)| axes.place(x(t), b[1]));
        let outline: Vec<_> = upper.chain(lower).collect();
        drawing.area(
            &outline,
            style.color,
            if style.emphasis { 0.20 } else { 0.10 },
        );
    }
    let mut ends = Vec::new();
    for Line { style, label, band } in &lines {
        let points: Vec<_> = band
            .iter()
            .enumerate()
            .map(|(t, b)| axes.place(x(t), b[0]))
            .collect();
        let Some(last) = points.last().copied() else {
            continue;
        };
        let width = if style.emphasis { 3.2 } else { 1.9 };
        let stroke = Stroke {
            color: style.color,
            width,
            dash: style.dash,
            opacity: 1.0,
        };
        let end = band.last().map_or(f64::NAN, |b| b[0]);
        let end = match text.vertical {
            Vertical::LogRegret => format!("{:.3}", 10_f64.powf(end)),
            Vertical::Log(_) => format!("{:.1e}", 10_f64.powf(end)),
            Vertical::Rank => format!("{end:.2}"),
        };
        drawing.polyline(&points, stroke, &format!("{label}: {end} at the end"));
        ends.push((last, *style, label.as_str()));
    }
    labels(&mut drawing, ends);
    drawing
}

/// Ticks and grid of an axis of ranks.
fn rank_axis(drawing: &mut Drawing, axes: &Axes) {
    let (low, high) = axes.y;
    let every = ((high - low) / 8.0).ceil().max(1.0) as i32;
    for rank in (low.ceil() as i32)..=(high.floor() as i32) {
        let (_, y) = axes.place(axes.x.0, f64::from(rank));
        drawing.line((LEFT, y), (WIDTH - RIGHT, y), GRID);
        if rank % every == 0 {
            let text = rank.to_string();
            drawing.text((LEFT - 8.0, y + 4.5), Anchor::End, TEXT, 400, &text);
        }
    }
    drawing.line((LEFT, TOP), (LEFT, HEIGHT - BOTTOM), AXIS);
}

/// Labels to the right of the lines' ends, moved apart so that none covers another.
pub(super) fn labels(drawing: &mut Drawing, mut ends: Vec<((f64, f64), Style, &str)>) {
    const STEP: f64 = 17.0;
    ends.sort_by(|a, b| a.0.1.total_cmp(&b.0.1));
    let mut places: Vec<f64> = ends.iter().map(|e| e.0.1).collect();
    // Push down from the top, then up from the bottom.
    let mut floor = TOP + 4.0;
    for place in &mut places {
        *place = place.max(floor);
        floor = *place + STEP;
    }
    let mut ceiling = HEIGHT - BOTTOM + 6.0;
    for place in places.iter_mut().rev() {
        *place = place.min(ceiling);
        ceiling = *place - STEP;
    }
    let right = WIDTH - RIGHT;
    for (((x, y), style, label), place) in ends.into_iter().zip(places) {
        let leader = Stroke {
            color: style.color,
            width: 1.0,
            dash: "",
            opacity: 0.6,
        };
        drawing.polyline(&[(x + 2.0, y), (right + 14.0, place)], leader, "");
        let sample = Stroke {
            color: style.color,
            width: if style.emphasis { 3.2 } else { 1.9 },
            dash: style.dash,
            opacity: 1.0,
        };
        drawing.line((right + 14.0, place), (right + 38.0, place), sample);
        let weight = if style.emphasis { 700 } else { 400 };
        drawing.text(
            (right + 43.0, place + 4.5),
            Anchor::Start,
            TEXT,
            weight,
            label,
        );
    }
}

/// Ticks and grid of an axis whose values are decimal logarithms.
fn log_axis(drawing: &mut Drawing, axes: &Axes) {
    let (low, high) = axes.y;
    // Over few decades the powers of ten alone leave too few ticks.
    let mantissas: &[u32] = match high - low {
        s if s < 1.3 => &[1, 2, 3, 5, 7],
        s if s < 2.6 => &[1, 2, 5],
        _ => &[1],
    };
    let every = ((high - low) / 8.0).ceil().max(1.0) as i32;
    let right = WIDTH - RIGHT;
    for exponent in (low.floor() as i32)..=(high.ceil() as i32) {
        for mantissa in 1..10_u32 {
            let value = f64::from(exponent) + f64::from(mantissa).log10();
            if value < low - 1e-9 || value > high + 1e-9 {
                continue;
            }
            let (_, y) = axes.place(axes.x.0, value);
            let labelled = mantissas.contains(&mantissa) && exponent.rem_euclid(every) == 0;
            drawing.line((LEFT, y), (right, y), if labelled { GRID } else { FAINT });
            if !labelled {
                continue;
            }
            let text = tick(mantissa, exponent);
            drawing.text((LEFT - 8.0, y + 4.5), Anchor::End, TEXT, 400, &text);
        }
    }
    drawing.line((LEFT, TOP), (LEFT, HEIGHT - BOTTOM), AXIS);
}

/// `mantissa · 10^exponent`, as a decimal number where that is short.
pub(super) fn tick(mantissa: u32, exponent: i32) -> String {
    if (-3..=2).contains(&exponent) {
        let digits = usize::try_from(-exponent).unwrap_or(0);
        return format!("{:.digits$}", f64::from(mantissa) * 10_f64.powi(exponent));
    }
    let raised = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => char::from_u32('⁰' as u32 + digit.to_digit(10).unwrap_or(0)).unwrap_or(digit),
    };
    let power: String = exponent.to_string().chars().map(raised).collect();
    let front = if mantissa == 1 {
        String::new()
    } else {
        format!("{mantissa}·")
    };
    format!("{front}10{power}")
}

fn evaluation_axis(drawing: &mut Drawing, axes: &Axes, evaluations: u32, name: &str) {
    let step = match evaluations {
        0..=12 => 1,
        13..=24 => 2,
        25..=60 => 5,
        _ => 10,
    };
    let bottom = HEIGHT - BOTTOM;
    for evaluation in 1..=evaluations {
        if evaluation != 1 && evaluation % step != 0 {
            continue;
        }
        let (x, _) = axes.place(f64::from(evaluation), axes.y.0);
        drawing.line((x, TOP), (x, bottom), FAINT);
        drawing.line((x, bottom), (x, bottom + 4.0), AXIS);
        let text = evaluation.to_string();
        drawing.text((x, bottom + 19.0), Anchor::Middle, TEXT, 400, &text);
    }
    drawing.line((LEFT, bottom), (WIDTH - RIGHT, bottom), AXIS);
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    drawing.text((middle, HEIGHT - 10.0), Anchor::Middle, TEXT, 400, name);
}

/// Times against the number of meta-tasks, both on log scales, with fitted lines.
#[must_use]
pub fn scaling(times: &Scaling) -> Drawing {
    let mut drawing = Drawing::new(
        WIDTH,
        HEIGHT,
        "Time against the number of meta-tasks, log-log",
    );
    let series = [
        ("meta-fit", "#d55e00", "", times.fit_slope(), 1),
        (
            "one suggestion",
            "#0072b2",
            "7 3",
            times.suggestion_slope(),
            2,
        ),
    ];
    let value = |point: &(f64, f64, f64), which: usize| match which {
        1 => point.1,
        _ => point.2,
    };
    let logs: Vec<f64> = times
        .points
        .iter()
        .flat_map(|p| [p.1, p.2])
        .filter(|v| *v > 0.0)
        .map(f64::log10)
        .collect();
    let low = logs.iter().copied().fold(f64::INFINITY, f64::min);
    let high = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let first = times.points.first().map_or(0.0, |p| p.0.log10());
    let last = times.points.last().map_or(1.0, |p| p.0.log10());
    if !(low.is_finite() && high.is_finite()) || last - first < 1e-9 {
        drawing.text(
            (WIDTH / 2.0, HEIGHT / 2.0),
            Anchor::Middle,
            TEXT,
            400,
            "too few points",
        );
        return drawing;
    }
    let axes = Axes {
        x: (first - 0.05, last + 0.05),
        y: (low - 0.15, high + 0.15),
    };
    log_axis(&mut drawing, &axes);
    drawing.text_upward((15.0, (TOP + HEIGHT - BOTTOM) / 2.0), TEXT, "seconds");
    let bottom = HEIGHT - BOTTOM;
    for (tasks, _, _) in &times.points {
        let (x, _) = axes.place(tasks.log10(), axes.y.0);
        drawing.line((x, TOP), (x, bottom), FAINT);
        drawing.line((x, bottom), (x, bottom + 4.0), AXIS);
        drawing.text(
            (x, bottom + 19.0),
            Anchor::Middle,
            TEXT,
            400,
            &tasks.to_string(),
        );
    }
    drawing.line((LEFT, bottom), (WIDTH - RIGHT, bottom), AXIS);
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    drawing.text(
        (middle, HEIGHT - 10.0),
        Anchor::Middle,
        TEXT,
        400,
        "meta-tasks",
    );

    let mut ends = Vec::new();
    let mut texts = Vec::new();
    for (name, color, dash, slope, which) in series {
        let places: Vec<((f64, f64), String)> = times
            .points
            .iter()
            .filter(|p| value(p, which) > 0.0)
            .map(|p| {
                let seconds = value(p, which);
                let tip = format!("{name}, {} meta-tasks: {seconds:.4} s", p.0);
                (axes.place(p.0.log10(), seconds.log10()), tip)
            })
            .collect();
        let points: Vec<(f64, f64)> = places.iter().map(|p| p.0).collect();
        let Some(last) = points.last().copied() else {
            continue;
        };
        drawing.polyline(
            &points,
            Stroke {
                color,
                width: 2.2,
                dash,
                opacity: 1.0,
            },
            name,
        );
        for (at, tip) in &places {
            drawing.dot(*at, 4.0, color, tip);
        }
        let style = Style {
            color,
            dash,
            emphasis: false,
        };
        texts.push(match slope {
            Some((slope, _)) => format!("{name}, slope {slope:.2}"),
            None => name.to_owned(),
        });
        ends.push((last, style));
    }
    labels(
        &mut drawing,
        ends.into_iter()
            .zip(&texts)
            .map(|((at, s), t)| (at, s, t.as_str()))
            .collect(),
    );
    drawing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_short() {
        assert_eq!(tick(1, 0), "1");
        assert_eq!(tick(5, -2), "0.05");
        assert_eq!(tick(2, 2), "200");
        assert_eq!(tick(1, -4), "10⁻⁴");
        assert_eq!(tick(5, -13), "5·10⁻¹³");
        assert_eq!(tick(1, 5), "10⁵");
    }
}
