//! The frame of the page: style, navigation, sections in order.

use super::{
    DrawError, Report, classes, curves, data, floats, headline, learning, models, residuals, rows, shapes,
    tables,
};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");

/// A section: its place in the page, its title, and what it shows; none is left out.
pub(super) type Section = (&'static str, String, Option<Markup>);

/// The whole page.
pub(super) fn page(report: &Report<'_>) -> Result<String, DrawError> {
    let on = format!("on {}", report.observed_on);
    let sections: Vec<Section> = vec![
        ("notices", "To know".to_owned(), headline::notices(&report.notices)),
        ("scores", "Scores".to_owned(), headline::scores(report)),
        ("models", "Score, size and time".to_owned(), models::models(report)?),
        ("floats", "Floats against integers".to_owned(), floats::floats(report)),
        ("classes", format!("Right and wrong {on}"), classes::classes(report)),
        ("curves", format!("Probabilities {on}"), curves::curves(report)?),
        ("residuals", format!("Errors {on}"), residuals::residuals(report)?),
        ("learning", "More rows".to_owned(), learning::learning(report)?),
        ("importance", "What columns are worth".to_owned(), data::importance(report)),
        ("shapes", "How predictions follow a column".to_owned(), shapes::shapes(report)?),
        ("tables", "The tables that are added up".to_owned(), tables::tables(report)?),
        ("worst", "The worst rows".to_owned(), rows::worst(report)),
        ("columns", "The table".to_owned(), data::columns(report)),
        ("stages", "What each stage cost".to_owned(), rows::stages(report)),
        ("again", "How to make it again".to_owned(), Some(rows::again(report))),
    ];
    Ok(framed(&report.title, &headline::head(report), sections))
}

/// A page of a head and sections, with all that stands around them.
pub(super) fn framed(title: &str, head: &Markup, sections: Vec<Section>) -> String {
    let sections: Vec<(&str, String, Markup)> =
        sections.into_iter().filter_map(|(id, title, body)| Some((id, title, body?))).collect();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " - smidgen report" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "To the figures" }
                (head)
                nav aria-label="Sections" {
                    ul { @for (id, title, _) in &sections { li { a href=(format!("#{id}")) { (title) } } } }
                }
                main id="main" {
                    @for (id, title, body) in &sections {
                        section id=(*id) { h2 { (title) } (body) }
                    }
                }
            }
        }
    };
    page.into_string()
}
