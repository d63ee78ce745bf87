//! Reports about evidence that is huge, odd or wants to do harm.

#![allow(clippy::unwrap_used)]

#[path = "common/reports.rs"]
mod reports;

use casebook::report::model::*;
use casebook::report::{Format, Style, write};
use proptest::prelude::*;
use reports::*;

#[test]
fn a_finding_in_a_very_long_line_is_small() {
    let item = r#"{"name":"outbound|9080|v1|reviews.default.svc.cluster.local","type":"EDS","connect_timeout":"10s"}"#;
    let text = format!(r#"{{"targets":[{}]}}"#, vec![item; 55_000].join(","));
    assert!(text.len() > 5_000_000);
    let doc = document(&text);
    let name = node(&doc, &["targets", "40000", "name"]);
    let whole = node(&doc, &["targets"]);
    let at = |id| label(&doc, id, "config_dump.json", "mesh::dump", Some("here".into()));
    let message = text[..100_000].to_owned();
    let report = Report {
        findings: vec![finding(
            "mesh::a",
            Severity::Error,
            "bundle",
            &message,
            vec![at(name), at(whole)],
        )],
        ..empty_report()
    };
    assert!(serde_json::to_string(&report).unwrap().len() < 110_000 + 2 * 4096);
    let printed = print(&report, unicode(80));
    assert!(printed.len() < 4096, "{printed}");
    assert!(printed.contains("config_dump.json:1:"), "{printed}");
}

#[test]
fn evidence_cannot_command_the_terminal() {
    let doc = document("{\"name\": \"a\u{7f}\u{9b}31m\u{202e}b\"}");
    let mut hostile = finding(
        "mesh::a",
        Severity::Error,
        "pod/\u{1b}[2J",
        "name \u{1b}]0;x\u{7}\r\nnext",
        vec![],
    );
    hostile.labels = vec![label(
        &doc,
        node(&doc, &["name"]),
        "a\u{1b}.json",
        "mesh::a",
        Some("\u{2067}says".into()),
    )];
    hostile.help = Some("\u{1b}[31mred".into());
    hostile.r#try = vec![vec!["echo".into(), "\u{1b}[31m".into()]];
    hostile.docs = Some("https://x/\u{1b}\\".into());
    let report = Report {
        findings: vec![hostile],
        ..empty_report()
    };
    for style in [
        unicode(80),
        Style::default(),
        Style {
            narrated: true,
            ..unicode(80)
        },
    ] {
        let text = print(&report, style);
        assert!(
            !text.chars().any(
                |c| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            ),
            "{text:?}"
        );
    }
    let mut json = Vec::new();
    write(&report, Format::Json, &Style::default(), &mut json).unwrap();
    let json = String::from_utf8(json).unwrap();
    assert!(
        !json.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'),
        "{json:?}"
    );
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
}

proptest! {
    #[test]
    fn no_label_and_no_text_makes_it_panic(
        text in "(?s)[a-zé日\u{1b}\u{301}\t\r\n… ]{0,400}",
        places in prop::collection::vec((any::<u16>(), any::<u16>(), 1u32..30, any::<bool>()), 0..5),
        says in "(?s).{0,80}",
        width in 0usize..130,
        flags in any::<(bool, bool, bool)>(),
    ) {
        let labels = places.into_iter().map(|(start, end, first_line, reformatted)| {
            let (start, end) = (u32::from(start) % 500, u32::from(end) % 500);
            let gaps = vec![Gap { line: start % 7, skipped: reformatted.then_some(end) }];
            Label {
                evidence: "a.json".into(),
                probe: "mesh::a".into(),
                path: says.clone(),
                start,
                end,
                line: first_line,
                column: u32::MAX,
                text: text.clone(),
                says: Some(says.clone()),
                excerpt: Some(Excerpt { first_line, text: text.clone(), start, end, reformatted, gaps }),
            }
        });
        let found = finding("mesh::a", Severity::Error, &says, &text, labels.collect());
        let (color, unicode, narrated) = flags;
        print(&Report { findings: vec![found], ..empty_report() }, Style { color, unicode, width, links: color, narrated });
    }
}
