//! A few SVG primitives.
//!
//! Written by hand rather than drawn through a plotting library, so that the same drawing follows
//! the colours of the page it stands in (`currentColor`), keeps dashed lines as dashed lines and
//! carries tooltips.

use std::fmt::Write as _;

/// Text made safe inside markup and attributes.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stroke<'a> {
    /// A colour, or `currentColor`.
    pub color: &'a str,
    /// In user units.
    pub width: f64,
    /// As in `stroke-dasharray`; empty for a solid line.
    pub dash: &'a str,
    /// 0 to 1.
    pub opacity: f64,
}

impl<'a> Stroke<'a> {
    /// A solid, opaque line.
    #[must_use]
    pub fn solid(color: &'a str, width: f64) -> Self {
        Self {
            color,
            width,
            dash: "",
            opacity: 1.0,
        }
    }
}

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// To the right of it.
    Start,
    /// Centred.
    Middle,
    /// To the left of it.
    End,
}

/// A drawing that grows by appending elements.
#[derive(Debug, Clone)]
pub struct Drawing {
    width: f64,
    height: f64,
    title: String,
    body: String,
}

impl Drawing {
    /// An empty drawing; `title` is read aloud by screen readers.
    #[must_use]
    pub fn new(width: f64, height: f64, title: &str) -> Self {
        Self {
            width,
            height,
            title: title.into(),
            body: String::new(),
        }
    }

    fn push(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.body
            .write_fmt(arguments)
            .expect("writing to a string cannot fail");
        self.body.push('\n');
    }

    /// A straight line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: Stroke<'_>) {
        self.polyline(&[from, to], stroke, "");
    }

    /// Connected lines with a tooltip (none if empty).
    pub fn polyline(&mut self, points: &[(f64, f64)], stroke: Stroke<'_>, tooltip: &str) {
        let path = path(points);
        let dash = match stroke.dash {
            "" => String::new(),
            dash => format!(" stroke-dasharray=\"{dash}\""),
        };
        let opacity = match stroke.opacity {
            o if o < 1.0 => format!(" stroke-opacity=\"{o}\""),
            _ => String::new(),
        };
        let title = match tooltip {
            "" => String::new(),
            text => format!("<title>{}</title>", escape(text)),
        };
        self.push(format_args!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" \
             stroke-linejoin=\"round\" stroke-linecap=\"{}\"{dash}{opacity}>{title}</path>",
            stroke.color,
            stroke.width,
            if dash.is_empty() { "round" } else { "butt" },
        ));
    }

    /// A filled area.
    pub fn area(&mut self, points: &[(f64, f64)], color: &str, opacity: f64) {
        let path = path(points);
        self.push(format_args!(
            "<path d=\"{path}Z\" fill=\"{color}\" fill-opacity=\"{opacity}\" stroke=\"none\"/>"
        ));
    }

    /// A filled rectangle: upper left corner, width and height.
    pub fn rectangle(&mut self, at: (f64, f64), size: (f64, f64), color: &str) {
        self.push(format_args!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{color}\" \
             shape-rendering=\"crispEdges\"/>",
            at.0, at.1, size.0, size.1
        ));
    }

    /// A filled circle with a ring in the colour of the page, so that it stands out on lines.
    pub fn dot(&mut self, at: (f64, f64), radius: f64, color: &str, tooltip: &str) {
        self.push(format_args!(
            "<circle cx=\"{:.2}\" cy=\"{:.2}\" r=\"{radius}\" fill=\"{color}\">\
             <title>{}</title></circle>",
            at.0,
            at.1,
            escape(tooltip)
        ));
    }

    /// A text; `weight` as in CSS.
    pub fn text(&mut self, at: (f64, f64), anchor: Anchor, size: f64, weight: u32, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.push(format_args!(
            "<text x=\"{:.2}\" y=\"{:.2}\" text-anchor=\"{anchor}\" font-size=\"{size}\" \
             font-weight=\"{weight}\" fill=\"currentColor\">{}</text>",
            at.0,
            at.1,
            escape(text)
        ));
    }

    /// A text turned by 90 degrees, reading upward, centred.
    pub fn text_upward(&mut self, at: (f64, f64), size: f64, text: &str) {
        self.push(format_args!(
            "<text transform=\"translate({:.2} {:.2}) rotate(-90)\" text-anchor=\"middle\" \
             font-size=\"{size}\" fill=\"currentColor\">{}</text>",
            at.0,
            at.1,
            escape(text)
        ));
    }

    /// The drawing for use inside a page; takes over the page's text colour and font.
    #[must_use]
    pub fn inline(&self) -> String {
        format!(
            "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n",
            self.width,
            self.height,
            escape(&self.title),
            self.body
        )
    }

    /// The drawing as a file of its own, dark on white.
    #[must_use]
    pub fn standalone(&self) -> String {
        let (w, h) = (self.width, self.height);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" \
             height=\"{h}\" color=\"#1c2127\" font-family=\"Helvetica, Arial, sans-serif\">\n\
             <title>{}</title>\n<rect width=\"{w}\" height=\"{h}\" fill=\"#ffffff\"/>\n{}</svg>\n",
            escape(&self.title),
            self.body
        )
    }
}

fn path(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (index, (x, y)) in points.iter().enumerate() {
        let command = if index == 0 { 'M' } else { 'L' };
        write!(path, "{command}{x:.2} {y:.2}").expect("writing to a string cannot fail");
    }
    path
}
