use std::sync::LazyLock;

use super::*;

fn redactor() -> &'static Redactor {
    static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| Redactor::new(Key::known([7; 32]), &Rules::default()));
    &REDACTOR
}

/// The text with every token as `#`.
fn shown(text: &str) -> String {
    let out = redactor().text(text).into_owned();
    let mut parts = out.split("REDACTED-");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push('#');
        shown.push_str(&part[12..]);
    }
    shown
}

/// Texts before and after; `=` where nothing is secret.
fn check(cases: &[(&str, &str)]) {
    for (text, after) in cases {
        let after = if *after == "=" { text } else { after };
        assert_eq!(&shown(text), after, "{text}");
    }
}

#[test]
fn names_in_json() {
    check(&[
        (
            r#"{"password": "a\"b", "user": "u"}"#,
            r##"{"password": "#", "user": "u"}"##,
        ),
        (r#"{"dbPassword":"hunter2"}"#, r##"{"dbPassword":"#"}"##),
        (
            r#"{"client_secret": "x y", "n": 1}"#,
            r##"{"client_secret": "#", "n": 1}"##,
        ),
        (r#"{"password": 12345, "n": 1}"#, r##"{"password": "#", "n": 1}"##),
        (r#"{"token": true, "secret": null, "password": ""}"#, "="),
        (r#"{"secret": {"name": "default"}}"#, "="),
        (
            r#"{"secret_name": "a", "token_bucket": {"max_tokens": 5}, "secretName": "b"}"#,
            "=",
        ),
        (r#"{"sds_secret_configs": [{"name": "default"}]}"#, "="),
        (
            r#"{"Authorization":["Bearer abc","x"],"Accept":["y"]}"#,
            r##"{"Authorization":["Bearer #","#"],"Accept":["y"]}"##,
        ),
        (
            r#"{"secret": {"inline_string": "abc"}}"#,
            r##"{"secret": {"inline_string": "#"}}"##,
        ),
        (
            r#"{"a": "{\"password\":\"p\\\"q\",\"b\":\"c\"}"}"#,
            r##"{"a": "{\"password\":\"#\",\"b\":\"c\"}"}"##,
        ),
        (
            r#"[{"name":"DB_PASSWORD","value":"hunter2"},{"name":"A","value":"b"}]"#,
            r##"[{"name":"DB_PASSWORD","value":"#"},{"name":"A","value":"b"}]"##,
        ),
        (
            r#"{"key": "authorization", "value": "Bearer abc"}"#,
            r##"{"key": "authorization", "value": "Bearer #"}"##,
        ),
        (
            r#"["--password", "x", "--port", "5432"]"#,
            r##"["--password", "#", "--port", "5432"]"##,
        ),
        (r#"["user", "password", "email"]"#, "="),
        (r#"{"password": "cut off"#, r##"{"password": "#"##),
    ]);
}

#[test]
fn names_in_yaml() {
    check(&[
        (
            "password: correct horse # old\nuser: u\n",
            "password: # # old\nuser: u\n",
        ),
        ("a:\n  api-key: 'x y'\n", "a:\n  api-key: '#'\n"),
        ("token: |\n  abc\n  def\nnext: 1\n", "token: |\n  #\n\nnext: 1\n"),
        ("secret:\n  name: default\n", "="),
        (
            "private_key:\n  inline_string: abc\nb: c\n",
            "private_key:\n  inline_string: #\nb: c\n",
        ),
        (
            "- name: DB_PASSWORD\n  value: hunter2\n- name: A\n  value: b\n",
            "- name: DB_PASSWORD\n  value: #\n- name: A\n  value: b\n",
        ),
        (
            "args:\n- --password\n- hunter2\n- --x\n",
            "args:\n- --password\n- #\n- --x\n",
        ),
        ("x: {password: abc, user: u}\n", "x: {password: #, user: u}\n"),
        (
            "client-key-data: LS0tABC=\nclient-certificate-data: LS0t\n",
            "client-key-data: #\nclient-certificate-data: LS0t\n",
        ),
        ("token: !vault abc\n", "token: !vault #\n"),
    ]);
}

#[test]
fn names_in_commands_variables_and_addresses() {
    check(&[
        ("psql --password=a,b;c --host h", "psql --password=# --host h"),
        ("psql --password hunter2 -h h", "psql --password # -h h"),
        ("run --password-file /x --no-token", "="),
        ("PGPASSWORD=hunter2 psql -h h", "PGPASSWORD=# psql -h h"),
        ("A=b\0DB_PASSWORD=x&y\0C=d\0", "A=b\0DB_PASSWORD=#\0C=d\0"),
        (
            "GET /x?access_token=abc&b=c HTTP/1.1",
            "GET /x?access_token=#&b=c HTTP/1.1",
        ),
        ("if password == other", "="),
        ("tool -p=hunter2 -p=8080", "tool -p=# -p=8080"),
        ("curl -u admin:hunter2 -u 1000:1000", "curl -u admin:# -u 1000:1000"),
        ("postgres://u:p%40x@db:5432/d", "postgres://u:#@db:5432/d"),
        (
            "https://a.example/b?X-Amz-Signature=abcdef&c=d",
            "https://a.example/b?X-Amz-Signature=#&c=d",
        ),
        ("mysql -u root -phunter2 db", "mysql -u root -p# db"),
        ("Server=h;Uid=u;Pwd=hunter2;", "Server=h;Uid=u;Pwd=#;"),
        ("PWD=/root\nOLDPWD=/tmp", "="),
    ]);
}

#[test]
fn names_in_headers_and_logs() {
    check(&[
        (
            "Authorization: Bearer abc.def\nAccept: x",
            "Authorization: Bearer #\nAccept: x",
        ),
        (
            "> proxy-authorization: Basic dTpw\n",
            "> proxy-authorization: Basic #\n",
        ),
        ("cookie: a=b; c=d\r\nx: y", "cookie: #\r\nx: y"),
        ("Set-Cookie: sid=1; Path=/\n", "Set-Cookie: #\n"),
        (
            "curl -H 'Authorization: Bearer abc' http://h",
            "curl -H 'Authorization: Bearer #' http://h",
        ),
        (
            "':method', 'GET'\n'authorization', 'Bearer abc'\n'cookie', 'a=b'",
            "':method', 'GET'\n'authorization', 'Bearer #'\n'cookie', '#'",
        ),
        ("x error: token: expected a value", "="),
        (
            "x user u with password: hunter2, retry",
            "x user u with password: #, retry",
        ),
        ("sent with bearer abcdefghijkl0123", "sent with bearer #"),
        ("http.cookie_size: 5\nupstream_context_secrets_not_ready: 0", "="),
        ("machine h login u password hunter2", "machine h login u password #"),
    ]);
}

#[test]
fn keys_and_tokens_by_their_form() {
    let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\nabcd==\n-----END RSA PRIVATE KEY-----\nnext\n";
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    check(&[
        (
            pem,
            "-----BEGIN RSA PRIVATE KEY-----\n#\n\n-----END RSA PRIVATE KEY-----\nnext\n",
        ),
        (certificate, "="),
        (
            "{\"k\":\"-----BEGIN EC PRIVATE KEY-----\\nMIIB\\nab==\\n-----END EC PRIVATE KEY-----\\n\"}",
            "{\"k\":\"-----BEGIN EC PRIVATE KEY-----\\n#\\n-----END EC PRIVATE KEY-----\\n\"}",
        ),
        ("x LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUI= y", "x # y"),
        ("x LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg== y", "="),
        ("a eyJhbGciOiJI.eyJzdWIiOiIx.c2ln b", "a # b"),
        ("id AKIAIOSFODNN7EXAMPLE.", "id #."),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "#"),
        ("spiffe://cluster.local/ns/default/sa/x type.example.com/a@b", "="),
    ]);
}

#[test]
fn places_in_documents() {
    check(&[
        (
            r#"{"kind":"Secret","data":{"a":"eA==","n":7},"metadata":{"name":"n"}}"#,
            r##"{"kind":"Secret","data":{"a":"#","n":"#"},"metadata":{"name":"n"}}"##,
        ),
        (
            r#"{"items":[{"kind":"Secret","data":{"a":"eA=="}},{"kind":"ConfigMap","data":{"a":"b"}}]}"#,
            r##"{"items":[{"kind":"Secret","data":{"a":"#"}},{"kind":"ConfigMap","data":{"a":"b"}}]}"##,
        ),
        (
            "kind: Secret\nstringData:\n  a: b\n  c: |\n    d\n    e\nx: y\n",
            "kind: Secret\nstringData:\n  a: #\n  c: |\n    #\n\nx: y\n",
        ),
        (
            "kind: ConfigMap\ndata:\n  a: b\n---\nkind: Secret\ndata:\n  a: b\n",
            "kind: ConfigMap\ndata:\n  a: b\n---\nkind: Secret\ndata:\n  a: #\n",
        ),
        (
            r#"{"session_ticket_keys":{"keys":[{"inline_bytes":"eA=="}]}}"#,
            r##"{"session_ticket_keys":{"keys":[{"inline_bytes":"#"}]}}"##,
        ),
    ]);
}

#[test]
fn what_was_redacted_is_left_alone() {
    let redactor = redactor();
    let text = r#"{"password":"a","authorization":"Bearer abc","url":"http://u:p@h/","n":[1]}"#;
    let once = redactor.text(text).into_owned();
    assert_eq!(redactor.text(&once), once);
    check(&[(
        r#"{"private_key":{"inline_bytes":"W3JlZGFjdGVkXQ=="},"password":"[redacted]"}"#,
        "=",
    )]);
}

#[test]
fn equal_secrets_are_equal_wherever_they_stand() {
    let text = "password=hunter2 x\n{\"secret\": \"hunter2\"}\nhttp://u:hunter2@h\nother_password=hunter3";
    let out = redactor().text(text).into_owned();
    let tokens: Vec<&str> = out
        .match_indices("REDACTED-")
        .map(|(at, _)| &out[at..at + 21])
        .collect();
    assert!(
        tokens.len() == 4 && tokens[0] == tokens[1] && tokens[1] == tokens[2] && tokens[2] != tokens[3],
        "{out}"
    );
}

#[test]
fn rules_of_others_are_added() {
    let mut rules = Rules::pattern(r"sess-(?<secret>\d+)").unwrap();
    let mut sources = crate::diagnostic::Sources::default();
    let more = "casebook: 1\nredact:\n  names: [session_ref]\n  paths: [$.a.b]\n  except: [public]\n";
    rules.add(&Rules::read("more.yaml", more.into(), &mut sources).unwrap());
    let redactor = Redactor::new(Key::known([0; 32]), &rules);
    let redacted = redactor
        .redact(br#"{"a":{"b":["x"]},"sessionRef":"y","z":"sess-12","password":"public"}"#)
        .unwrap();
    let text = String::from_utf8(redacted.bytes).unwrap();
    assert_eq!(redacted.count, 3, "{text}");
    assert!(text.contains("sess-REDACTED") && text.contains("\"public\""), "{text}");
    assert!(Rules::pattern("(").is_err());
}

#[test]
fn bytes_that_are_no_text_are_searched_too() {
    let redactor = redactor();
    let redacted = redactor.redact(b"\xff\x00password=hunter2\x00\xfe").unwrap();
    assert!(redacted.bytes.starts_with(b"\xff\x00password=REDACTED-") && redacted.bytes.ends_with(b"\x00\xfe"));
    let wide: Vec<u8> = [0xfeffu16]
        .into_iter()
        .chain("password=hunter2\n".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let redacted = redactor.redact(&wide).unwrap();
    assert!(redacted.bytes.starts_with(b"password=REDACTED-"), "{redacted:?}");
}

mod any {
    use proptest::prelude::*;

    use super::*;

    /// Pieces that look like the beginnings and ends of secrets.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("password"),
            Just("\""),
            Just("\\"),
            Just(":"),
            Just("="),
            Just("{"),
            Just("["),
            Just("\n"),
            Just("  "),
            Just("é"),
            Just("-----BEGIN PRIVATE KEY-----"),
            Just("abc1"),
            Just("--token"),
            Just("|"),
            Just("'"),
            Just("://a:"),
            Just("@"),
            Just("name"),
            Just("value"),
            Just(","),
            Just("- "),
            Just("cookie"),
            Just("Bearer "),
            Just("kind: Secret\ndata:"),
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn lines_stay_lines_and_text_stays_text(text in pieces()) {
            let redacted = redactor().redact(text.as_bytes());
            if let Some(redacted) = redacted {
                let out = String::from_utf8(redacted.bytes).unwrap();
                prop_assert_eq!(out.matches('\n').count(), text.matches('\n').count());
                prop_assert!(redacted.count > 0);
            }
        }

        #[test]
        fn json_stays_json(name in "(password|a|token|cookie)", value in "\\PC{0,12}", number: i32) {
            let json = serde_json::json!({ name.clone(): value, "b": [{ name.clone(): number }], "c": { "name": name, "value": "v\n\"" } });
            for text in [json.to_string(), serde_json::to_string_pretty(&json).unwrap(), serde_json::json!({ "s": json.to_string() }).to_string()] {
                let out = redactor().text(&text).into_owned();
                let read = serde_json::from_str::<serde_json::Value>(&out);
                prop_assert!(read.is_ok(), "{text}\n{out}");
            }
        }
    }
}
