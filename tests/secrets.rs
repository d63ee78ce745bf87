//! Secrets of many kinds, planted in all that a live run reads: none is in the bundle, the report, or what is printed.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/servers.rs"]
mod servers;

use std::fs;
use std::path::Path;

use common::{casebook, folder};
use servers::{answer, server};

/// A secret: its kind, and a text with the secret between `«` and `»`.
type Planted = (&'static str, &'static str);

/// In the configuration that a server answers with, a member each.
const IN_JSON: &[Planted] = &[
    ("password in JSON", r#""password": "«json-pass-1»""#),
    ("password with quotes", r#""db_password": "«json\"pass-2»""#),
    ("client secret", r#""clientSecret": "«cs-3-aaaa»""#),
    ("API key by name", r#""x-api-key": "«apikey-4-bb»""#),
    (
        "private key in a holder",
        r#""private_key": {"inline_string": "«inline-5-key»"}"#,
    ),
    (
        "private key as bytes",
        r#""private_key": {"inline_bytes": "«aW5saW5lLTYta2V5»"}"#,
    ),
    (
        "escaped PEM",
        r#""pem": "-----BEGIN EC PRIVATE KEY-----\n«MHcCAQEEIB9hEZ5gUvkC»\n-----END EC PRIVATE KEY-----\n""#,
    ),
    (
        "base64 of a PEM",
        r#""b64": "«LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlC»""#,
    ),
    ("header as a list", r#""Authorization": ["Bearer «hdr-8-cccc»"]"#),
    (
        "name and value",
        r#""env": [{"name": "DB_PASSWORD", "value": "«pair-9-ddd»"}]"#,
    ),
    ("arguments", r#""args": ["--password", "«arg-10-eee»"]"#),
    ("JSON in a string", r#""last": "{\"password\":\"«nested-11-f»\"}""#),
    (
        "URL with a password",
        r#""url": "postgres://shop:«url-12-ggg»@db/shop""#,
    ),
    (
        "JWT",
        r#""note": "«eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMyJ9.c2lnbmF0dXJl»""#,
    ),
    ("number", r#""secret": «1414141414»"#),
    ("registry login", r#""auths": {"r": {"auth": "«dXNlcjpwYXNzMTU=»"}}"#),
];

/// In a YAML file.
const IN_YAML: &[Planted] = &[
    ("plain scalar", "password: «yaml pass 16»\n"),
    ("quoted scalar", "api_key: '«yaml-17-key»'\n"),
    ("block", "token: |\n  «yaml-18-block»\n"),
    ("client key", "client-key-data: «LS0teWFtbC0xOQ==»\n"),
    ("flow", "x: {secret: «yaml-20-flow», n: 1}\n"),
    (
        "secret object",
        "object:\n  kind: Secret\n  data:\n    any: «b2JqZWN0LTIx»\n",
    ),
];

/// In a log.
const IN_LOG: &[Planted] = &[
    ("bearer token", "sent Authorization: Bearer «log-22-bearer-token»\n"),
    ("basic login", "sent Authorization: Basic «bG9nOjIzLWJhc2lj»\n"),
    ("proxy login", "proxy-authorization: Basic «cHJveHk6MjQ=»\n"),
    ("cookie", "cookie: «sid=log-25-cookie»\n"),
    ("set-cookie", "< set-cookie: «sid=log-26; Path=/»\n"),
    ("key and value", "login with password=«log-27-kv» done\n"),
    ("query", "GET /x?access_token=«log-28-query»&a=b HTTP/1.1\n"),
    ("signed URL", "GET https://b/x?X-Amz-Signature=«0929abcdef0929»&b=c\n"),
    (
        "PEM",
        "-----BEGIN RSA PRIVATE KEY-----\n«MIIEpAIBAAKCAQEA30»\n-----END RSA PRIVATE KEY-----\n",
    ),
    (
        "PGP key",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n«lQVYBGQxMTExMTE=»\n-----END PGP PRIVATE KEY BLOCK-----\n",
    ),
    ("cloud key id", "key «AKIAIOSFODNN7EXAMPLE» used\n"),
    (
        "cloud secret key",
        "aws_secret_access_key = «wJalrXUtnFEMI/K7MDENG/33»\n",
    ),
    ("maps key", "used «AIzaSyA-0123456789abcdefghijklmnopqrs34» today\n"),
    ("OAuth token", "got «ya29.a0AfH6SMBx0123456789abcdef»\n"),
    ("forge token", "clone with «ghp_0123456789abcdefghijABCDEFGHIJ36»\n"),
    ("chat token", "posting with «xoxb-371234567890-abcdefghij»\n"),
    ("payment key", "charged by «sk_live_38abcdefghijklmnop»\n"),
    ("mail key", "sent by «SG.39abcdefghijklmnop.qrstuvwxyz0123456789»\n"),
    ("vault token", "read with «hvs.40abcdefghijklmnopqrstuv»\n"),
    ("connection string", "Server=h;Uid=u;Pwd=«log-41-pwd»;\n"),
    ("crypt", "root:«$6$rounds=5000$saltsalt$42abcdefghijklmnop»:19000\n"),
    ("mail login of curl", "curl -u shop:«log-43-curl» http://h\n"),
];

/// On a command's standard error, which becomes part of the manifest and of reasons.
const IN_STDERR: &[Planted] = &[
    ("option", "tool: cannot log in with --password «err-44-option»\n"),
    ("option with =", "tool: --token=«err-45-option» is no longer valid\n"),
];

fn without_marks(text: &str) -> String {
    text.replace(['«', '»'], "")
}

/// The secrets of some texts.
fn secrets(planted: &[Planted]) -> Vec<(&'static str, &'static str)> {
    let secret = |(kind, text): &Planted| {
        let (_, rest) = text.split_once('«').unwrap();
        (*kind, rest.split_once('»').unwrap().0)
    };
    planted.iter().map(secret).collect()
}

fn texts(planted: &[Planted], between: &str) -> String {
    let texts: Vec<String> = planted.iter().map(|(_, text)| without_marks(text)).collect();
    texts.join(between)
}

/// A rulebook that asks for everything and shows whatever it gets.
fn rulebook(port: u16, dir: &Path) -> String {
    let dir = dir.display();
    format!(
        r#"
casebook: 1
rulebook: r
title: R
inputs: {{ token: {{ about: A token., is: text }} }}
probes:
  config: {{ http: {{ get: "http://u:url-46-login@127.0.0.1:{port}/?access_token=${{inputs.token}}", headers: {{ X-Token: header-48 }} }}, captured: [config.json], parse: json }}
  yaml: {{ file: "{dir}/a.yaml", captured: [a.yaml], parse: yaml }}
  log: {{ file: "{dir}/a.log", captured: [a.log], parse: {{ lines: {{ fields: '^(?<text>.*)$' }} }} }}
  printed: {{ exec: [cat, "{dir}/a.log"], captured: [printed.txt], parse: raw }}
  failed: {{ exec: [sh, -c, "cat {dir}/a.err >&2; exit 3"], captured: [failed.txt], parse: raw }}
  environment: {{ exec: [env], captured: [env.txt], parse: {{ key-value: }} }}
facts:
  members: {{ let: "config.keys()" }}
  lines: {{ from: log, all: "$[*]" }}
rules:
  config: {{ title: C, severity: error, each: {{ m: members }}, decide: [{{ fail: true }}], key: m, at: "config[m]", says: "${{m}} is ${{config[m]}}" }}
  yaml: {{ title: Y, severity: error, decide: [{{ fail: "known(yaml)" }}], at: yaml, says: "${{yaml}}" }}
  log: {{ title: L, severity: error, each: {{ l: lines }}, decide: [{{ fail: true }}], key: l.text, at: l, says: "${{l.text}}" }}
  printed: {{ title: P, severity: error, decide: [{{ fail: "known(printed)" }}], at: printed, says: "${{printed}}" }}
  failed: {{ title: F, severity: error, expect: failed == "x", at: failed }}
  environment: {{ title: E, severity: error, decide: [{{ fail: "environment.DB_PASSWORD != ()" }}], at: environment.DB_PASSWORD, says: "${{environment}}" }}
"#
    )
}

/// Every file below a folder, as text.
fn all_of(dir: &Path) -> String {
    let files = walkdir::WalkDir::new(dir)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned())
        .collect()
}

#[test]
fn no_planted_secret_is_found_anywhere() {
    let config = format!("{{{}}}", unique(IN_JSON));
    let port = server(move |_, stream| answer(stream, "200 OK", "Set-Cookie: sid=cookie-49\r\n", config.as_bytes()));
    let dir = folder(&[
        ("a.yaml", texts(IN_YAML, "").as_bytes()),
        ("a.log", texts(IN_LOG, "").as_bytes()),
        ("a.err", texts(IN_STDERR, "").as_bytes()),
    ]);
    fs::write(dir.path().join("r.yaml"), rulebook(port, dir.path())).unwrap();
    let mut planted: Vec<(&str, &str)> = [IN_JSON, IN_YAML, IN_LOG, IN_STDERR]
        .into_iter()
        .flat_map(secrets)
        .collect();
    planted.extend([
        ("login in a probe's URL", "url-46-login"),
        ("input", "input-47-token"),
        ("header of a probe", "header-48"),
        ("variable of the environment", "env-50-variable"),
    ]);
    assert!(planted.len() >= 40, "{}", planted.len());
    let mut found = Vec::new();
    for format in ["json", "terminal"] {
        for kept in ["folder", "archive.tar"] {
            let kept = dir.path().join(format!("{format}-{kept}"));
            let output = casebook()
                .args([
                    "run",
                    "--live",
                    "--allow=exec=**",
                    "--allow=http=**",
                    "--allow=file=**",
                    "--env",
                    "DB_PASSWORD",
                    "--format",
                    format,
                ])
                .args(["--set", "token=input-47-token", "-r"])
                .arg(dir.path().join("r.yaml"))
                .arg("--keep")
                .arg(&kept)
                .env("DB_PASSWORD", "env-50-variable")
                .output()
                .unwrap();
            let (stdout, stderr) = (
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr),
            );
            assert_eq!(output.status.code(), Some(1), "{stderr}");
            let places = [
                ("report", stdout.into_owned()),
                ("stderr", stderr.into_owned()),
                ("bundle", all_of(&kept)),
            ];
            for (place, text) in &places {
                // As it was planted, and without the escapes of JSON.
                let there = |secret: &str| text.contains(secret) || text.contains(&secret.replace('\\', ""));
                found.extend(
                    planted
                        .iter()
                        .filter(|(_, secret)| there(secret))
                        .map(|(kind, _)| (format, *place, *kind)),
                );
            }
            assert!(places[2].1.contains("REDACTED-") && places[2].1.contains("\"redactions\": "));
            assert_eq!(places[2].1.matches("\"outcome\": \"ok\"").count(), 5, "all was read");
        }
    }
    println!("{} secrets planted, {} found", planted.len(), found.len());
    assert!(found.is_empty(), "{found:#?}");
}

/// The members of an object, the second of a name under another.
fn unique(planted: &[Planted]) -> String {
    let text = texts(planted, ",\n");
    text.replacen("\"private_key\"", "\"tls_private_key\"", 1)
}
