//! What was taken out of the evidence is unknown, unless what is left decides.

use super::*;

/// Facts with tokens in them.
fn redacted() -> Facts {
    let text = r#"{
  "password": "REDACTED-0123456789ab", "other": "REDACTED-ba9876543210", "url": "http://u:REDACTED-0123456789ab@h:80/",
  "list": ["a", "REDACTED-0123456789ab"], "object": { "p": "REDACTED-0123456789ab" }, "rows": [{ "n": "x", "p": "REDACTED-ba9876543210" }]
}"#;
    let token = || Dynamic::from("REDACTED-0123456789ab".to_owned());
    let plain = Index::new([("a".into(), 1.into())]);
    facts()
        .json("e", text)
        .with(
            "secrets",
            Dynamic::from(Index::new([(token(), 1.into()), ("a".into(), 2.into())])),
        )
        .with("plain", Dynamic::from(plain))
}

#[test]
fn what_needs_a_secret_is_unknown() {
    for script in [
        r#"e.password == "hunter2""#,
        r#"e.password != "hunter2""#,
        "e.password == e.other",
        "e.password == 5",
        r#"e.password < "x""#,
        "e.password > 5",
        r#"e.url == "http://u:p@h:80/""#,
        r#""hunter2" in e.list"#,
        "e.other in e.list",
        r#""x" in e.password"#,
        r#"matches(e.password, "x")"#,
        "e.password.len() == 3",
        "int(e.password) == 3",
        "version(e.password) == version(\"1.0.0\")",
        r#"e.object == #{ p: "x" }"#,
        r#""hunter2" in secrets"#,
        r#"secrets["hunter2"] == ()"#,
        "e.password in plain",
        r#"differ(e.rows, [#{ n: "x", p: "y" }], "n").is_empty()"#,
    ] {
        match try_with(&scripts(&[]), script, redacted(), &[]) {
            Err(Stop::Unknown(unknown)) => assert_eq!(unknown.reason, REDACTED, "{script}"),
            other => panic!("{script}: {other:?}"),
        }
    }
}

#[test]
fn what_is_left_may_decide() {
    for script in [
        "e.password == e.password",
        "e.object == e.object",
        r#"e.password != "" && e.password != ()"#,
        r#"e.url != "https://u:p@h:80/""#,
        r#""@h:80" in e.url && e.url.ends_with("/")"#,
        r#""a" in e.list && e.password in e.list"#,
        r#""a" in secrets && secrets["a"] == 2"#,
        "known(e.password)",
        r#"`${e.password}` == e.password"#,
    ] {
        let value =
            try_with(&scripts(&[]), script, redacted(), &[]).unwrap_or_else(|stop| panic!("{script}: {stop:?}"));
        assert_eq!(value.as_bool(), Ok(true), "{script}");
    }
}
