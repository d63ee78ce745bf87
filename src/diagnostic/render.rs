//! Prints problems through miette.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, Severity, SourceCode, ThemeCharacters, ThemeStyles,
};

use super::window::{CONTEXT, Window, visible};
use super::{Level, Place, Problem, Problems, Sources, by_place};

/// How problems are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// ANSI colours
    pub color: bool,
    /// Box drawing characters; ASCII otherwise
    pub unicode: bool,
    /// Columns to wrap at
    pub width: usize,
}

/// Most problems that are printed.
const MOST: usize = 100;

/// The problems in the order of files and positions, as text for a terminal; the first hundred, and how many more
/// there are.
pub fn render(problems: &Problems, sources: &Sources, style: &Style) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme {
        characters: if style.unicode {
            ThemeCharacters::unicode()
        } else {
            ThemeCharacters::ascii()
        },
        styles: if style.color {
            ThemeStyles::ansi()
        } else {
            ThemeStyles::none()
        },
    });
    let handler = handler
        .with_links(false)
        .with_context_lines(CONTEXT)
        .with_width(style.width);
    let mut sorted: Vec<&Problem> = problems.iter().collect();
    sorted.sort_by(|a, b| by_place(a, b));
    let mut text = String::new();
    for problem in sorted.iter().take(MOST) {
        // Writing to a string does not fail, and the labels lie within their windows.
        if handler.render_report(&mut text, &report(problem, sources)).is_err() {
            text.push_str(&visible(&problem.message));
        }
        text.push('\n');
    }
    if let Some(more) = sorted.len().checked_sub(MOST).filter(|more| *more > 0) {
        text.push_str(&format!("and {more} more\n"));
    }
    text
}

/// A problem with the lines that it points at, as miette wants it.
pub fn report(problem: &Problem, sources: &Sources) -> impl Diagnostic + Send + Sync + 'static {
    let (here, elsewhere): (Vec<_>, Vec<_>) = problem
        .related
        .iter()
        .partition(|(place, _)| place.file == problem.place.file);
    let places = std::iter::once((problem.place, problem.label.as_str()));
    let places: Vec<(Place, &str)> = places
        .chain(here.into_iter().map(|(place, label)| (*place, label.as_str())))
        .collect();
    let (window, labels) = Window::of(sources, problem.place.file, &places);
    let related = elsewhere.into_iter().map(|(place, label)| {
        let (window, labels) = Window::of(sources, place.file, &[(*place, "")]);
        let severity = Severity::Advice;
        Report {
            message: visible(label),
            code: None,
            severity,
            window,
            labels,
            help: None,
            related: Vec::new(),
        }
    });
    Report {
        message: visible(&problem.message),
        code: Some(problem.code),
        severity: match problem.level {
            Level::Error => Severity::Error,
            Level::Warning => Severity::Warning,
        },
        window,
        labels,
        help: problem.help.as_deref().map(visible),
        related: related.collect(),
    }
}

#[derive(Debug)]
struct Report {
    message: String,
    code: Option<&'static str>,
    severity: Severity,
    window: Window,
    labels: Vec<LabeledSpan>,
    help: Option<String>,
    related: Vec<Report>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Report {}

impl Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.window)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        if self.related.is_empty() {
            return None;
        }
        Some(Box::new(self.related.iter().map(|report| report as &dyn Diagnostic)))
    }
}
