//! A plane with two axes of any range, for plots other than regret curves.

use super::plot::{self, AXIS, BOTTOM, FAINT, GRID, HEIGHT, LEFT, RIGHT, TEXT, TOP, WIDTH, tick};
use super::style::Style;
use super::svg::{Anchor, Drawing, Stroke};

/// One axis.
#[derive(Debug, Clone, Copy)]
pub struct Axis<'a> {
    /// What it shows.
    pub label: &'a str,
    /// Least and largest value; their decimal logarithms on a logarithmic axis.
    pub range: (f64, f64),
    /// Whether values are decimal logarithms.
    pub log: bool,
}

/// A drawing with axes.
#[derive(Debug)]
pub struct Plane {
    drawing: Drawing,
    x: (f64, f64),
    y: (f64, f64),
    right: f64,
}

/// Ticks at most of a linear axis.
const TICKS: f64 = 8.0;

impl Plane {
    /// An empty plane of the usual size, with room for labels to the right of it.
    #[must_use]
    pub fn new(title: &str, x: Axis<'_>, y: Axis<'_>) -> Self {
        Self::sized(title, (WIDTH, WIDTH - RIGHT), x, y)
    }

    /// An empty square plane, with room for a scale to the right of it.
    #[must_use]
    pub fn square(title: &str, x: Axis<'_>, y: Axis<'_>) -> Self {
        let right = LEFT + HEIGHT - TOP - BOTTOM;
        Self::sized(title, (right + 110.0, right), x, y)
    }

    fn sized(title: &str, (width, right): (f64, f64), x: Axis<'_>, y: Axis<'_>) -> Self {
        let mut plane = Self {
            drawing: Drawing::new(width, HEIGHT, title),
            x: widened(x.range),
            y: widened(y.range),
            right,
        };
        let bottom = HEIGHT - BOTTOM;
        for (value, text) in ticks(plane.y, y.log) {
            let (_, at) = plane.place(plane.x.0, value);
            let stroke = if text.is_empty() { FAINT } else { GRID };
            plane.drawing.line((LEFT, at), (right, at), stroke);
            let place = (LEFT - 8.0, at + 4.5);
            plane.drawing.text(place, Anchor::End, TEXT, 400, &text);
        }
        for (value, text) in ticks(plane.x, x.log) {
            let (at, _) = plane.place(value, plane.y.0);
            plane.drawing.line((at, TOP), (at, bottom), FAINT);
            plane.drawing.line((at, bottom), (at, bottom + 4.0), AXIS);
            let place = (at, bottom + 19.0);
            plane.drawing.text(place, Anchor::Middle, TEXT, 400, &text);
        }
        plane.drawing.line((LEFT, TOP), (LEFT, bottom), AXIS);
        plane.drawing.line((LEFT, bottom), (right, bottom), AXIS);
        let middle = (LEFT + right) / 2.0;
        let below = (middle, HEIGHT - 10.0);
        plane
            .drawing
            .text(below, Anchor::Middle, TEXT, 400, x.label);
        let beside = (15.0, (TOP + bottom) / 2.0);
        plane.drawing.text_upward(beside, TEXT, y.label);
        plane
    }

    /// Where a point of the plane lies in the drawing.
    #[must_use]
    pub fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let fraction = |v: f64, (low, high): (f64, f64)| (v - low) / (high - low);
        (
            LEFT + fraction(x, self.x) * (self.right - LEFT),
            HEIGHT - BOTTOM - fraction(y, self.y) * (HEIGHT - TOP - BOTTOM),
        )
    }

    /// Connected points; those outside the vertical range are moved to its ends.
    pub fn line(&mut self, points: &[(f64, f64)], stroke: Stroke<'_>, tooltip: &str) {
        let placed: Vec<_> = points.iter().map(|p| self.inside(*p)).collect();
        self.drawing.polyline(&placed, stroke, tooltip);
    }

    /// The area between two curves over the same points: x, lower and upper end.
    pub fn band(&mut self, points: &[(f64, f64, f64)], color: &str, opacity: f64) {
        let lower = points.iter().map(|p| self.inside((p.0, p.1)));
        let upper = points.iter().rev().map(|p| self.inside((p.0, p.2)));
        let outline: Vec<_> = lower.chain(upper).collect();
        self.drawing.area(&outline, color, opacity);
    }

    /// A dot.
    pub fn dot(&mut self, (x, y): (f64, f64), radius: f64, color: &str, tooltip: &str) {
        let at = self.inside((x, y));
        self.drawing.dot(at, radius, color, tooltip);
    }

    /// A rectangle between two opposite corners.
    pub fn tile(&mut self, from: (f64, f64), to: (f64, f64), color: &str) {
        let (a, b) = (self.place(from.0, from.1), self.place(to.0, to.1));
        let corner = (a.0.min(b.0), a.1.min(b.1));
        // A little overlap: no seams between neighbours.
        let size = ((a.0 - b.0).abs() + 0.5, (a.1 - b.1).abs() + 0.5);
        self.drawing.rectangle(corner, size, color);
    }

    /// Labels to the right, beside the points where lines end.
    pub fn labels(&mut self, ends: Vec<((f64, f64), Style, &str)>) {
        let placed = ends
            .into_iter()
            .map(|(at, style, text)| (self.inside(at), style, text))
            .collect();
        plot::labels(&mut self.drawing, placed);
    }

    /// A vertical scale of colours to the right, from the bottom up, with texts at its ends.
    pub fn scale(&mut self, colors: &[String], (low, high): (&str, &str), name: &str) {
        let (left, bottom) = (self.right + 18.0, HEIGHT - BOTTOM);
        let step = (bottom - TOP) / colors.len() as f64;
        for (index, color) in colors.iter().enumerate() {
            let top = bottom - (index + 1) as f64 * step;
            let size = (16.0, step + 0.3);
            self.drawing.rectangle((left, top), size, color);
        }
        let mut text = |y: f64, text: &str| {
            let at = (left + 22.0, y);
            self.drawing.text(at, Anchor::Start, TEXT, 400, text);
        };
        text(bottom, low);
        text(TOP + 10.0, high);
        text((TOP + bottom) / 2.0, name);
    }

    /// The drawing.
    #[must_use]
    pub fn finish(self) -> Drawing {
        self.drawing
    }

    fn inside(&self, (x, y): (f64, f64)) -> (f64, f64) {
        self.place(x, y.clamp(self.y.0, self.y.1))
    }
}

/// A range with a width.
fn widened((low, high): (f64, f64)) -> (f64, f64) {
    if high - low > 1e-12 {
        (low, high)
    } else {
        (low - 0.5, low + 0.5)
    }
}

/// Values with their texts; an empty text is a grid line only.
fn ticks((low, high): (f64, f64), log: bool) -> Vec<(f64, String)> {
    if log {
        return log_ticks(low, high);
    }
    let raw = (high - low) / TICKS;
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|m| m * power)
        .into_iter()
        .find(|s| *s >= raw)
        .unwrap_or(10.0 * power);
    let digits = (-(step.log10() + 1e-9).floor()).clamp(0.0, 8.0) as usize;
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last)
        .map(|i| {
            let value = i as f64 * step;
            (value, format!("{value:.digits$}"))
        })
        .collect()
}

fn log_ticks(low: f64, high: f64) -> Vec<(f64, String)> {
    let mantissas: &[u32] = match high - low {
        s if s < 1.3 => &[1, 2, 3, 5, 7],
        s if s < 2.6 => &[1, 2, 5],
        _ => &[1],
    };
    let every = ((high - low) / TICKS).ceil().max(1.0) as i32;
    let mut all = Vec::new();
    for exponent in (low.floor() as i32)..=(high.ceil() as i32) {
        for mantissa in 1..10_u32 {
            let value = f64::from(exponent) + f64::from(mantissa).log10();
            if value < low - 1e-9 || value > high + 1e-9 {
                continue;
            }
            let named = mantissas.contains(&mantissa) && exponent.rem_euclid(every) == 0;
            let text = match named {
                true => tick(mantissa, exponent),
                false => String::new(),
            };
            all.push((value, text));
        }
    }
    all
}

/// A colour between dark blue (0) and yellow (1), of growing lightness.
#[must_use]
pub fn color(fraction: f64) -> String {
    const STOPS: [[f64; 3]; 5] = [
        [46.0, 20.0, 92.0],
        [59.0, 82.0, 139.0],
        [33.0, 145.0, 140.0],
        [94.0, 201.0, 98.0],
        [253.0, 231.0, 37.0],
    ];
    let position = fraction.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let low = (position.floor() as usize).min(STOPS.len() - 2);
    let part = position - low as f64;
    let [r, g, b] =
        [0, 1, 2].map(|c| (STOPS[low][c] * (1.0 - part) + STOPS[low + 1][c] * part).round() as u8);
    format!("#{r:02x}{g:02x}{b:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let texts = |range, log| -> Vec<String> {
            let all = ticks(range, log).into_iter().map(|t| t.1);
            all.filter(|t| !t.is_empty()).collect()
        };
        assert_eq!(
            texts((0.0, 1.0), false),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(texts((-90.0, 110.0), false), ["-50", "0", "50", "100"]);
        assert_eq!(
            texts((0.0, 2000.0), false),
            ["0", "500", "1000", "1500", "2000"]
        );
        assert_eq!(texts((-2.1, 2.1), true), ["0.01", "0.1", "1", "10", "100"]);
    }

    #[test]
    fn colours_run_from_dark_to_light() {
        assert_eq!([color(-1.0), color(1.0)], ["#2e145c", "#fde725"]);
        assert_eq!(color(0.25), "#3b528b");
    }

    #[test]
    fn the_corners_of_the_plane_are_those_of_its_axes() {
        let axis = Axis {
            label: "x",
            range: (2.0, 4.0),
            log: false,
        };
        let plane = Plane::square("t", axis, axis);
        let (low, high) = (plane.place(2.0, 2.0), plane.place(4.0, 4.0));
        // As wide as high.
        assert!(((high.0 - low.0) - (low.1 - high.1)).abs() < 1e-9);
        let svg = plane.finish().standalone();
        assert!(svg.contains(">2.0<") && svg.contains(">4.0<"));
    }
}
