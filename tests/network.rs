//! Probes to which a refusal is an answer: `tcp`, `dns`, `tls`.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/servers.rs"]
mod servers;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use common::folder;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use servers::{closed_port, server};
use simple_dns::rdata::{A, RData, SRV};
use simple_dns::{CLASS, Name, Packet, PacketFlag, RCODE, ResourceRecord};

/// Captures one probe, whose document is the answer.
fn answer(probe: &str) -> Value {
    answer_to(Command::new(common::casebook().get_program()), probe)
}

/// The same by a command that runs casebook.
fn answer_to(mut casebook: Command, probe: &str) -> Value {
    let text = format!(
        "casebook: 1\nrulebook: r\ntitle: T\nprobes:\n  it: {{ {probe} }}\nrules:\n  r: {{ title: T, severity: error, expect: it.result != \"\" }}\n"
    );
    let (book, out) = (folder(&[("r.yaml", text.as_bytes())]), tempfile::tempdir().unwrap());
    let (book, bundle) = (book.path().join("r.yaml"), out.path().join("b"));
    let args = [
        "capture",
        "-r",
        book.to_str().unwrap(),
        "-o",
        bundle.to_str().unwrap(),
        "--allow",
        "tcp=**,dns=**,tls=**",
    ];
    let ran = casebook.args(args).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let manifest: Value = serde_json::from_slice(&fs::read(bundle.join("casebook.json")).unwrap()).unwrap();
    let item = &manifest["items"][0];
    assert_eq!(
        (&item["outcome"], &item["path"]),
        (&json!("ok"), &json!("r.it.json")),
        "{manifest}"
    );
    serde_json::from_slice(&fs::read(bundle.join("r.it.json")).unwrap()).unwrap()
}

#[test]
fn a_port_is_open_or_refuses() {
    let (open, closed) = (server(|_, _| {}), closed_port());
    let connected = answer(&format!("tcp: '127.0.0.1:{open}'"));
    let address = format!("127.0.0.1:{open}");
    assert_eq!(
        connected,
        json!({ "address": address, "result": "connected", "error": null, "tried": [{ "address": address, "result": "connected", "error": null }] })
    );
    assert_eq!(answer(&format!("tcp: '127.0.0.1:{closed}'"))["result"], "refused");
    let unresolved = answer("tcp: 'no-such-host.invalid:80'");
    assert_eq!(
        (&unresolved["result"], &unresolved["tried"]),
        (&json!("unresolved"), &json!([]))
    );
}

#[test]
fn a_network_without_a_way_there_is_told_from_a_refusal() {
    // A network of its own has no interface that is up.
    let alone = ["--map-root-user", "--net"];
    let can = Command::new("unshare").args(alone).arg("true").output();
    if !can.is_ok_and(|ran| ran.status.success()) {
        println!("skipped: `unshare` cannot make a network of its own here");
        return;
    }
    let mut casebook = Command::new("unshare");
    casebook.args(alone).arg(common::casebook().get_program());
    let answer = answer_to(casebook, "tcp: '192.0.2.1:80'");
    assert_eq!(answer["result"], "unreachable", "{answer}");
}

/// A name server that knows a little.
fn names() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let over_tcp = TcpListener::bind(("127.0.0.1", port)).unwrap();
    thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut query) {
            if let Some(reply) = reply(&query[..length], false) {
                let _ = socket.send_to(&reply, from);
            }
        }
    });
    thread::spawn(move || {
        for mut stream in over_tcp.incoming().flatten() {
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut query).unwrap();
            let reply = reply(&query, true).unwrap();
            let length = u16::try_from(reply.len()).unwrap().to_be_bytes();
            stream.write_all(&[&length, reply.as_slice()].concat()).unwrap();
        }
    });
    port
}

fn reply(query: &[u8], whole: bool) -> Option<Vec<u8>> {
    let mut packet = Packet::parse(query).unwrap().into_reply();
    let name = packet.questions[0].qname.to_string();
    let record = |data| ResourceRecord::new(Name::new_unchecked("web.shop").into_owned(), CLASS::IN, 60, data);
    let address = |last: u32| {
        record(RData::A(A {
            address: 0x0a00_0000 + last,
        }))
    };
    match name.as_str() {
        "web.shop" => packet.answers = vec![address(2), address(1)],
        "_web._tcp.shop" => {
            let target = Name::new_unchecked("web.shop").into_owned();
            packet.answers = vec![record(RData::SRV(SRV {
                priority: 1,
                weight: 2,
                port: 80,
                target,
            }))];
        }
        "empty.shop" => {}
        "secret.shop" => *packet.rcode_mut() = RCODE::Refused,
        "broken.shop" => *packet.rcode_mut() = RCODE::ServerFailure,
        "silent.shop" => return None,
        "long.shop" if whole => packet.answers = (1..=200).map(address).collect(),
        "long.shop" => packet.set_flags(PacketFlag::TRUNCATION),
        _ => *packet.rcode_mut() = RCODE::NameError,
    }
    Some(packet.build_bytes_vec_compressed().unwrap())
}

#[test]
fn names_resolve_or_not_for_a_reason() {
    let port = names();
    let ask = |name: &str, more: &str| {
        answer(&format!(
            "dns: {{ name: {name}, server: '127.0.0.1:{port}'{more} }}, timeout: 10s"
        ))
    };
    let found = ask("web.shop", "");
    assert_eq!(
        (&found["result"], &found["records"]),
        (&json!("resolved"), &json!(["10.0.0.1", "10.0.0.2"]))
    );
    assert_eq!(
        (&found["record"], &found["server"]),
        (&json!("A"), &json!(format!("127.0.0.1:{port}")))
    );
    let service = ask("_web._tcp.shop", ", record: SRV");
    assert_eq!(
        service["records"],
        json!([{ "target": "web.shop", "port": 80, "priority": 1, "weight": 2 }])
    );
    assert_eq!(ask("long.shop", "")["records"].as_array().unwrap().len(), 200);
    for (name, result) in [
        ("empty.shop", "no-records"),
        ("other.shop", "no-such-name"),
        ("secret.shop", "refused"),
        ("broken.shop", "failed"),
        ("silent.shop", "timed-out"),
    ] {
        let found = ask(name, "");
        assert_eq!(
            (&found["result"], &found["records"]),
            (&json!(result), &json!([])),
            "{found}"
        );
    }
    let nobody = answer(&format!(
        "dns: {{ name: web.shop, server: '127.0.0.1:{}' }}",
        closed_port()
    ));
    assert_eq!(nobody["result"], "unreachable", "{nobody}");
}

/// A server that shakes hands and nothing else.
fn tls_server() -> u16 {
    let cert = CertificateDer::from_pem_slice(include_bytes!("data/tls/cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("data/tls/key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![cert], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            while connection.is_handshaking() && connection.complete_io(&mut stream).is_ok() {}
        }
    });
    port
}

#[test]
fn certificates_are_shown_whether_they_hold_or_not() {
    let port = tls_server();
    let found = answer(&format!(
        "tls: {{ connect: '127.0.0.1:{port}', server-name: shop.test }}"
    ));
    assert_eq!(
        (&found["result"], &found["version"], &found["verified"]),
        (&json!("shaken"), &json!("TLSv1_3"), &json!(false)),
        "{found}"
    );
    assert!(
        found["verify_error"].as_str().unwrap().contains("UnknownIssuer"),
        "{found}"
    );
    let [shown] = found["chain"].as_array().unwrap().as_slice() else {
        panic!("{found}")
    };
    assert_eq!(shown["subject"], "CN=shop.test, O=Shop");
    assert_eq!(shown["dns_names"], json!(["shop.test", "*.shop.test"]));
    assert_eq!(
        (&shown["ip_addresses"], &shown["uris"]),
        (&json!(["127.0.0.1"]), &json!(["spiffe://shop/web"]))
    );
    assert!(shown["not_after"].as_str().unwrap() > "2100" && shown["is_ca"] == false && shown["error"].is_null());
}

#[test]
fn what_shakes_no_hands_is_told() {
    let plain = server(|_, stream| servers::answer(stream, "200 OK", "", b"plain"));
    // The server reads a head that never comes, so it is the time that ends it, or what it says.
    let found = answer(&format!("tls: '127.0.0.1:{plain}', timeout: 1s"));
    assert!(
        ["no-handshake", "timed-out"].contains(&found["result"].as_str().unwrap()),
        "{found}"
    );
    assert_eq!((&found["verified"], &found["chain"]), (&Value::Null, &json!([])));
    assert_eq!(
        answer(&format!("tls: '127.0.0.1:{}'", closed_port()))["result"],
        "refused"
    );
}
