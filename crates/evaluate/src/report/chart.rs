//! Drawings: lines, points and bars in one frame, as SVG.
//!
//! A drawing names its colours by stand-ins that become variables of the style sheet, so that it follows light,
//! dark and paper. Legends are text of the page, not of the drawing, so that they wrap and can be read aloud.

use crate::number;
use maud::{Markup, PreEscaped, html};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

/// A drawing failed; a bug.
#[derive(Debug)]
pub struct DrawError(String);

impl std::fmt::Display for DrawError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "report: a figure could not be drawn: {}", self.0)
    }
}

impl std::error::Error for DrawError {}

/// Colours by their stand-ins, and the variables that they become.
const INK: RGBColor = RGBColor(1, 2, 3);
const GRID: RGBColor = RGBColor(1, 2, 4);
const SERIES: [RGBColor; 6] = [
    RGBColor(1, 2, 11),
    RGBColor(1, 2, 12),
    RGBColor(1, 2, 13),
    RGBColor(1, 2, 14),
    RGBColor(1, 2, 15),
    RGBColor(1, 2, 16),
];

/// A drawing's size in units of the page; it shrinks with the window.
const SIZE: (u32, u32) = (460, 320);

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Look {
    /// A line.
    Line,
    /// A line with its points.
    Marked,
    /// A thin line that only guides the eye.
    Guide,
    /// A thin pale line, one of many.
    Faint,
    /// Points.
    Points,
    /// Bars down to 0: points are their upper right corners, in order, the first begins at the frame's left.
    Bars,
}

/// Points that belong together.
pub(super) struct Series {
    /// What the legend calls it; none stands for no entry.
    pub(super) name: Option<String>,
    pub(super) look: Look,
    /// Number of the colour.
    pub(super) colour: usize,
    pub(super) points: Vec<(f64, f64)>,
}

/// What is drawn, and what a person who cannot see it is told.
pub(super) struct Chart {
    pub(super) title: String,
    /// One sentence on what it shows and how to read it.
    pub(super) caption: String,
    pub(super) x_name: String,
    pub(super) y_name: String,
    pub(super) x: Range<f64>,
    pub(super) y: Range<f64>,
    /// How the numbers along the horizontal axis are written.
    pub(super) x_tick: fn(&f64) -> String,
    /// How those along the vertical axis are.
    pub(super) y_tick: fn(&f64) -> String,
    pub(super) series: Vec<Series>,
}

/// A number as it is.
pub(super) const PLAIN: fn(&f64) -> String = number::tick;
/// Whole numbers alone.
pub(super) const WHOLE: fn(&f64) -> String =
    |v| if (v - v.round()).abs() < 1e-6 { number::tick(&v.round()) } else { String::new() };

/// The range of numbers with some room, never empty.
pub(super) fn range_of(values: impl Iterator<Item = f64>) -> Range<f64> {
    let finite = values.filter(|v| v.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    if low > high {
        return 0.0..1.0;
    }
    let room = ((high - low) * 0.04).max(high.abs().max(low.abs()) * 1e-6).max(1e-12);
    low - room..high + room
}

impl Chart {
    /// The figure with its title, legend and caption.
    pub(super) fn figure(&self) -> Result<Markup, DrawError> {
        let svg = self.svg().map_err(DrawError)?;
        let told = format!("{}: {}", self.title, self.caption);
        Ok(html! {
            figure {
                h3 { (self.title) }
                div.drawing role="img" aria-label=(told) { (PreEscaped(svg)) }
                @if self.series.iter().filter(|s| s.name.is_some()).count() > 0 {
                    ul.legend {
                        @for series in self.series.iter().filter(|s| s.name.is_some()) {
                            li { span.swatch style=(format!("background:var(--series-{})", series.colour % SERIES.len() + 1)) {} (series.name.as_deref().unwrap_or_default()) }
                        }
                    }
                }
                figcaption { (self.caption) }
            }
        })
    }

    fn svg(&self) -> Result<String, String> {
        let mut svg = String::new();
        self.draw(&mut svg).map_err(|e| e.to_string())?;
        svg = svg.replace("#010203", "var(--ink)").replace("#010204", "var(--grid)");
        for (i, RGBColor(r, g, b)) in SERIES.iter().enumerate() {
            svg = svg.replace(&format!("#{r:02X}{g:02X}{b:02X}"), &format!("var(--series-{})", i + 1));
        }
        Ok(svg)
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(10)
            .margin_right(30)
            .x_label_area_size(42)
            .y_label_area_size(58)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        let label = ("sans-serif", 13).into_font().color(&INK);
        chart
            .configure_mesh()
            .x_labels(6)
            .y_labels(6)
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(GRID)
            .label_style(label.clone())
            .axis_desc_style(label.pos(Pos::new(HPos::Center, VPos::Center)))
            .x_label_formatter(&self.x_tick)
            .y_label_formatter(&self.y_tick)
            .x_desc(self.x_name.as_str())
            .y_desc(self.y_name.as_str())
            .draw()?;
        for Series { look, colour, points, .. } in &self.series {
            let colour = SERIES[colour % SERIES.len()];
            let points: Vec<(f64, f64)> =
                points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
            match look {
                Look::Line | Look::Marked => {
                    chart.draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?;
                }
                Look::Guide => {
                    chart.draw_series(LineSeries::new(points.clone(), INK.stroke_width(1)))?;
                }
                Look::Faint => {
                    chart.draw_series(LineSeries::new(points.clone(), colour.mix(0.3).stroke_width(1)))?;
                }
                Look::Points => {
                    let dot = |p: &(f64, f64)| Circle::new(*p, 2, colour.filled());
                    chart.draw_series(points.iter().map(dot))?;
                }
                Look::Bars => {
                    let lefts = std::iter::once(self.x.start).chain(points.iter().map(|p| p.0));
                    let bars = points.iter().zip(lefts);
                    let floor = self.y.start.max(0.0);
                    chart.draw_series(
                        bars.map(|(&(x, y), left)| Rectangle::new([(left, floor), (x, y)], colour.filled())),
                    )?;
                }
            }
            if *look == Look::Marked {
                chart.draw_series(points.iter().map(|p| Circle::new(*p, 4, colour.filled())))?;
            }
        }
        root.present()?;
        Ok(())
    }
}
