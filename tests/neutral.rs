//! The engine knows no rulebook's subject.

use std::path::Path;

const WORDS: [&str; 9] = [
    "envoy",
    "istio",
    "gcloud",
    "google",
    "trafficdirector",
    "service_proxy",
    "prerouting",
    "postrouting",
    "kubectl",
];

#[test]
fn nothing_in_the_engine_names_the_subject_of_a_rulebook() {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let entry = entry.expect("the sources can be read");
        if !entry.file_type().is_file() {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).expect("sources are text");
        for (number, line) in text.lines().enumerate() {
            let lower = line.to_lowercase();
            let words = WORDS.iter().filter(|word| lower.contains(**word));
            found.extend(words.map(|word| format!("{}:{}: {word}", entry.path().display(), number + 1)));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
