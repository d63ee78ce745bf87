//! Live runs against a real Envoy that is broken in many ways: the live report is the report on the bundle that is kept, byte for byte.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/envoy.rs"]
mod envoy;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use common::{casebook, codes, verdict};
use envoy::{Envoy, Setup, address, cluster, endpoints, healthy, installed, listener, routes};
use serde_json::{Value, json};

/// A way to break a proxy, and the rule that must find it; none: nothing is wrong.
struct State {
    name: &'static str,
    setup: Setup,
    /// What is to be done, or waited for, once it runs.
    then: fn(&Envoy),
    finds: Option<&'static str>,
    /// How the run ends, where that matters.
    exit: Option<i32>,
}

fn state(name: &'static str, setup: Setup, then: fn(&Envoy), finds: &'static str) -> State {
    State {
        name,
        setup,
        then,
        finds: Some(finds),
        exit: Some(1),
    }
}

fn live(envoy: &Envoy) {
    envoy.wait_for("/ready", "LIVE");
}

fn with_routes(actions: &[Value]) -> Setup {
    Setup {
        routes: vec![routes("web", actions)],
        ..healthy()
    }
}

/// A listener that is a plain TCP proxy.
fn tcp_proxy(to: &str) -> Value {
    let proxy = json!({ "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": "tcp", "cluster": to });
    json!({ "name": "tcp", "address": address("127.0.0.1", 0),
        "filter_chains": [{ "filters": [{ "name": "envoy.filters.network.tcp_proxy", "typed_config": proxy }] }] })
}

/// A listener with TLS, whose certificate is this.
fn with_tls(mut plain: Value, tls: &Value) -> Value {
    let context = json!({ "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": tls });
    plain["filter_chains"][0]["transport_socket"] =
        json!({ "name": "envoy.transport_sockets.tls", "typed_config": context });
    plain
}

/// A cluster that nobody answers for: what asks it for configuration waits for ever.
fn silent() -> Value {
    json!({ "name": "silent", "type": "STATIC", "connect_timeout": "1s",
        "typed_extension_protocol_options": { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": { "http2_protocol_options": {} } } },
        "load_assignment": endpoints("silent", &[9], "HEALTHY") })
}

fn asks_silent() -> Value {
    let service = json!({ "envoy_grpc": { "cluster_name": "silent" } });
    json!({ "api_config_source": { "api_type": "GRPC", "transport_api_version": "V3", "grpc_services": [service] },
        "resource_api_version": "V3", "initial_fetch_timeout": "0s" })
}

fn warming_cluster() -> Value {
    let mut warming = cluster("slow");
    warming["eds_cluster_config"]["eds_config"] = asks_silent();
    warming
}

fn states() -> Vec<State> {
    let absent = json!({ "cluster": "nowhere" });
    let mirror = json!({ "cluster": "shop", "request_mirror_policies": [{ "cluster": "nowhere" }] });
    let mut twice = routes("web", &[json!({ "cluster": "shop" })]);
    let host = twice["virtual_hosts"][0].clone();
    twice["virtual_hosts"] = json!([host, { "name": "other", "domains": ["*"], "routes": [] }]);
    let mut bad_listener = listener("bad", "web");
    // Two chains that match the same.
    let chain = bad_listener["filter_chains"][0].clone();
    bad_listener["filter_chains"] = json!([chain, chain]);
    let bad_cluster = json!({ "name": "bad", "type": "EDS", "connect_timeout": "1s" });
    let checked = json!({ "name": "checked", "type": "STATIC", "connect_timeout": "0.1s",
        "load_assignment": endpoints("checked", &[9], "UNKNOWN"),
        "health_checks": [{ "timeout": "0.1s", "interval": "0.1s", "unhealthy_threshold": 1, "healthy_threshold": 1,
            "no_traffic_interval": "0.1s", "http_health_check": { "path": "/" } }] });
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/expired");
    let file = |name: &str| json!({ "filename": data.join(name).display().to_string() });
    let expired = json!({ "tls_certificates": [{ "certificate_chain": file("certificate.pem"), "private_key": file("key.pem") }] });
    let by_sds =
        json!({ "tls_certificate_sds_secret_configs": [{ "name": "shop-certificate", "sds_config": asks_silent() }] });
    vec![
        State {
            name: "healthy",
            setup: healthy(),
            then: live,
            finds: None,
            exit: Some(0),
        },
        state(
            "route to an absent cluster",
            with_routes(&[absent]),
            live,
            "route-to-unknown-cluster",
        ),
        state(
            "mirror to an absent cluster",
            with_routes(&[mirror]),
            live,
            "mirror-to-unknown-cluster",
        ),
        state(
            "TCP proxy to an absent cluster",
            Setup {
                listeners: vec![listener("web", "web"), tcp_proxy("nowhere")],
                ..healthy()
            },
            live,
            "tcp-proxy-to-unknown-cluster",
        ),
        state(
            "listener rejected",
            Setup {
                listeners: vec![listener("web", "web"), bad_listener],
                ..healthy()
            },
            |envoy| envoy.wait_for("/config_dump", "error_state"),
            "listener-rejected",
        ),
        // Refused from a file it is refused with the whole file; only a counter tells.
        State {
            name: "cluster rejected",
            setup: Setup {
                clusters: vec![cluster("shop"), bad_cluster],
                ..healthy()
            },
            then: |envoy| envoy.wait_for("/stats", "cluster_manager.cds.update_rejected: 1"),
            finds: None,
            exit: None,
        },
        state(
            "duplicate domain",
            Setup {
                routes: vec![twice],
                ..healthy()
            },
            |envoy| envoy.wait_for("/stats", "rds.web.update_rejected: 1"),
            "route-configuration-absent",
        ),
        state(
            "endpoints unhealthy by the control plane",
            Setup {
                endpoints: vec![endpoints("shop", &[9, 10], "UNHEALTHY")],
                ..healthy()
            },
            live,
            "most-endpoints-unhealthy",
        ),
        state(
            "no endpoints",
            Setup {
                endpoints: vec![json!({ "cluster_name": "shop" })],
                ..healthy()
            },
            live,
            "cluster-without-endpoints",
        ),
        state(
            "endpoints that fail their health check",
            Setup {
                clusters: vec![cluster("shop"), checked],
                ..healthy()
            },
            |envoy| envoy.wait_for("/clusters?format=json", "\"failed_active_health_check\": true"),
            "most-endpoints-unhealthy",
        ),
        state(
            "draining",
            healthy(),
            |envoy| {
                live(envoy);
                envoy.post("/healthcheck/fail");
                envoy.wait_for("/ready", "DRAINING");
            },
            "proxy-draining",
        ),
        state(
            "certificate expired",
            Setup {
                listeners: vec![listener("web", "web"), with_tls(tcp_proxy("shop"), &expired)],
                ..healthy()
            },
            live,
            "certificate-expired",
        ),
        state(
            "outlier ejected",
            Setup {
                clusters: vec![outlier()],
                ..healthy()
            },
            eject,
            "most-endpoints-unhealthy",
        ),
        // What waits is stuck only after a grace, which is set to nothing here.
        state(
            "cluster that warms, and so not live",
            Setup {
                clusters: vec![cluster("shop"), warming_cluster()],
                static_clusters: vec![silent()],
                ..healthy()
            },
            |envoy| envoy.wait_for("/config_dump", "dynamic_warming_clusters"),
            "cluster-warming",
        ),
        state(
            "certificate never delivered",
            Setup {
                listeners: vec![listener("web", "web"), with_tls(tcp_proxy("shop"), &by_sds)],
                static_clusters: vec![silent()],
                ..healthy()
            },
            |envoy| envoy.wait_for("/config_dump", "warming_state"),
            "secret-not-delivered",
        ),
    ]
}

/// A cluster that ejects an endpoint after one answer of 5xx.
fn outlier() -> Value {
    let mut cluster = cluster("shop");
    cluster["outlier_detection"] = json!({ "consecutive_5xx": 1, "interval": "0.1s", "base_ejection_time": "600s",
        "max_ejection_percent": 100, "enforcing_consecutive_5xx": 100 });
    cluster
}

/// Lets the only endpoint answer 500, and asks it through the proxy.
fn eject(envoy: &Envoy) {
    let upstream = serve(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    let port = upstream.rsplit(':').next().unwrap().parse().unwrap();
    let mut file = endpoints("shop", &[port], "HEALTHY");
    file["@type"] = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment".into();
    let path = envoy.dir.path().join("eds-shop.json");
    // A move is what the proxy watches for.
    fs::write(
        path.with_extension("new"),
        json!({ "version_info": "2", "resources": [file] }).to_string(),
    )
    .unwrap();
    fs::rename(path.with_extension("new"), &path).unwrap();
    envoy.wait_for("/clusters", &format!("127.0.0.1:{port}::"));
    live(envoy);
    let listeners: Value = serde_json::from_str(body(&envoy.get("/listeners?format=json"))).unwrap();
    let port = &listeners["listener_statuses"][0]["local_address"]["socket_address"]["port_value"];
    let address = format!("127.0.0.1:{port}");
    envoy.wait("an ejected endpoint", |envoy| {
        envoy::ask(&address, "GET", "/");
        envoy.get("/clusters").contains("failed_outlier_check").then_some(())
    });
}

fn body(answer: &str) -> &str {
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    // Chunks of one answer: the largest piece between braces.
    let (start, end) = (body.find('{').unwrap_or(0), body.rfind('}').map_or(0, |end| end + 1));
    body.get(start..end).unwrap_or_default()
}

/// A server that answers each request by its path, until the test ends.
fn serve(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> String {
    let answer = Arc::new(answer);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let first = lines.next().and_then(Result::ok).unwrap_or_default();
                while lines.next().and_then(Result::ok).is_some_and(|line| !line.is_empty()) {}
                answer(first.split(' ').nth(1).unwrap_or_default(), &mut stream);
            });
        }
    });
    address
}

/// Runs live and keeps the bundle; the report as it was printed, and how it ended.
fn run_live(admin: &str, keep: &Path) -> (i32, String, String) {
    let output = casebook()
        .args(["run", "--live", "-r", "envoy", "--format", "json", "--set"])
        .arg(format!("admin=http://{}", admin.trim()))
        .args(["--set", "warming_grace=0s", "--set", "not_live_grace=0s", "--keep"])
        .arg(keep)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn replay(bundle: &Path, threads: &str) -> (i32, String) {
    let output = casebook()
        .args(["run", "-r", "envoy", "--format", "json"])
        .args(["--set", "warming_grace=0s", "--set", "not_live_grace=0s"])
        .arg(bundle)
        .env("RAYON_NUM_THREADS", threads)
        .output()
        .unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// Copies a folder; its files get the times of now.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::write(&target, fs::read(entry.path()).unwrap()).unwrap();
            let old = fs::File::options().write(true).open(&target).unwrap();
            old.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        }
    }
}

/// Live and replayed reports, with one thread and two, of the folder as kept and of a copy with other times.
fn check_parity(name: &str, admin: &str) -> (i32, Value) {
    let dir = tempfile::tempdir().unwrap();
    let (kept, copied) = (dir.path().join("kept"), dir.path().join("copied/kept"));
    let (code, report, stderr) = run_live(admin, &kept);
    assert!(!report.is_empty(), "{name}: {code} {stderr}");
    copy(&kept, &copied);
    for (bundle, threads) in [(&kept, "1"), (&kept, "2"), (&copied, "1"), (&copied, "2")] {
        let (again, replayed) = replay(bundle, threads);
        assert_eq!(
            (again, &replayed),
            (code, &report),
            "{name}: {threads} threads, {}",
            bundle.display()
        );
    }
    (code, serde_json::from_str(&report).unwrap())
}

#[test]
fn a_live_report_is_the_report_on_its_bundle() {
    let Some(program) = installed() else { return };
    let (mut table, mut wrong) = (String::new(), Vec::new());
    for state in states() {
        let envoy = Envoy::start(&program, &state.setup);
        (state.then)(&envoy);
        let (code, report) = check_parity(state.name, &envoy.admin);
        let found = codes(&report);
        table.push_str(&format!(
            "{:45} exit {code}, equal 4 of 4: {}\n",
            state.name,
            found.join(" ")
        ));
        let as_wanted = match state.finds {
            Some(rule) => found.iter().any(|code| code == &format!("envoy::{rule}")),
            None => state.exit.is_none() || found.is_empty(),
        };
        if !as_wanted || state.exit.is_some_and(|exit| exit != code) {
            wrong.push(format!("{}: {:?}", state.name, state.finds));
        }
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{wrong:#?}\n{table}");
}

/// An admin interface that has only some of its pages, and none at all.
#[test]
fn half_an_admin_interface_is_judged_by_what_it_has() {
    let Some(program) = installed() else { return };
    let setup = with_routes(&[json!({ "cluster": "nowhere" })]);
    let envoy = Envoy::start(&program, &setup);
    live(&envoy);
    let behind = envoy.admin.trim().to_owned();
    let half = serve(move |path, stream| {
        let known = ["/config_dump", "/server_info"]
            .iter()
            .any(|page| path.starts_with(page));
        let answer = match known {
            true => crate::envoy::ask(&behind, "GET", path),
            false => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(),
        };
        let _ = stream.write_all(answer.as_bytes());
    });
    let (code, report) = check_parity("half an admin interface", &half);
    assert_eq!(
        (code, codes(&report)),
        (1, vec!["envoy::route-to-unknown-cluster".to_owned()])
    );
    let (verdict, reason) = verdict(&report, "most-endpoints-unhealthy");
    assert_eq!(verdict, "unknown");
    assert!(reason.contains("404"), "{reason}");
    drop(envoy);
    // Behind it there is nothing any more.
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let (code, report) = check_parity("no admin interface", &closed);
    assert_eq!(code, 0);
    let decided = report["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|verdict| verdict["verdict"] != "unknown");
    assert_eq!(decided.count(), 0, "{report:#}");
}
