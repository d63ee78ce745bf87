//! Rulebook `csm` on real evidence: on each broken machine the first finding is its cause and all others follow from it, on a healthy one
//! there is none; and no clock but that of the evidence counts.

mod common;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;

/// Bundles that this rulebook must be right on, with the code of the cause; no code for a healthy one.
const CAUSES: &[(&str, Option<&str>)] = &[
    ("csm_99pct_unhealthy", Some("envoy::most-endpoints-unhealthy")),
    ("csm_healthy", None),
    ("csm_iptables_missing", Some("csm::interception-not-set-up")),
    (
        "csm_lds_accesslog_denied",
        Some("csm::listener-rejected-for-access-log"),
    ),
    ("csm_vhost_mismatch_404", Some("csm::requests-without-route")),
    ("csm_xds_network_not_found", Some("csm::configuration-not-found")),
    ("csm_xds_refused", Some("csm::control-plane-unreachable")),
    ("envoy_exit_bad_bootstrap", Some("envoy::start-failed")),
    ("istio_healthy", None),
    ("istio_healthy_past_nack", None),
    ("istio_mtls_healthy", None),
];

fn judged(bundle: &Path) -> Value {
    common::report(&["run", "-r", "csm", bundle.to_str().expect("a name in UTF-8")]).1
}

/// What is not a consequence of another finding.
fn roots(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().into_iter().flatten();
    let roots = findings.filter(|finding| finding["explained_by"].as_array().is_none_or(Vec::is_empty));
    roots.filter_map(|finding| finding["code"].as_str()).collect()
}

#[test]
#[allow(clippy::print_stderr)] // the table is what the test shows
fn the_first_finding_is_the_cause() {
    let Some(shared) = common::shared("evidence") else {
        return;
    };
    let mut bundles: Vec<PathBuf> = fs::read_dir(shared)
        .expect("a folder")
        .filter_map(Result::ok)
        .map(|e| e.path())
        .collect();
    bundles.retain(|path| path.is_dir());
    bundles.sort();
    eprintln!("| bundle | cause | first finding | other findings | unknown |\n|---|---|---|---|---|");
    let mut wrong = Vec::new();
    for bundle in &bundles {
        let name = bundle.file_name().and_then(|name| name.to_str()).expect("a name");
        let report = judged(bundle);
        let codes = common::codes(&report);
        let expected = CAUSES
            .iter()
            .find(|(bundle, _)| *bundle == name)
            .map(|(_, cause)| *cause);
        let first = codes.first().map_or("-", String::as_str);
        let told = expected.map_or("of another rulebook", |cause| cause.unwrap_or("-"));
        let others = codes.get(1..).unwrap_or_default().join(", ");
        eprintln!(
            "| {name} | {told} | {first} | {others} | {} |",
            report["summary"]["unknown"]
        );
        let broke = report["summary"]["error"] != 0;
        if broke || expected.is_some_and(|cause| roots(&report) != Vec::from_iter(cause)) {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// A machine whose agent has not been heard of for eight minutes before the newest time in its evidence.
fn silent_machine() -> tempfile::TempDir {
    let evidence = Path::new(env!("CARGO_MANIFEST_DIR")).join("rulebooks/csm/cases/evidence/healthy");
    let attributes = r#"[{"namespace": "gce-service-proxy", "key": "bootstrap-status", "value": "FINISHED"},
        {"namespace": "gce-service-proxy", "key": "agent-heartbeat", "value": "2026-11-22T11:20:00Z"}]"#;
    let dump = fs::read(evidence.join("config_dump.json")).expect("the evidence of a case");
    common::folder(&[
        ("guest-attributes.json", attributes.as_bytes()),
        ("config_dump.json", &dump),
    ])
}

/// An archive of a folder whose members carry a time.
fn packed(folder: &Path, time: SystemTime) -> Vec<u8> {
    let seconds = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    let mut tar = tar::Builder::new(Vec::new());
    for file in fs::read_dir(folder).expect("a folder").filter_map(Result::ok) {
        let bytes = fs::read(file.path()).expect("a file");
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(seconds);
        tar.append_data(&mut header, Path::new("vm").join(file.file_name()), bytes.as_slice())
            .expect("in memory");
    }
    let tar = tar.into_inner().expect("in memory");
    zstd::encode_all(tar.as_slice(), 1).expect("in memory")
}

/// Packed soon after the capture, the archive tells its time; packed again years away, it tells no worse.
#[test]
fn the_verdict_on_the_heartbeat_does_not_depend_on_when_it_was_packed() {
    let machine = silent_machine();
    let unpacked = judged(machine.path());
    // 2026-11-22T11:28:06Z, the newest time in the evidence.
    let captured = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_346_886);
    let year = Duration::from_secs(365 * 86_400);
    let scratch = tempfile::tempdir().expect("a temporary folder");
    for time in [
        captured - 10 * year,
        captured,
        captured + Duration::from_secs(120),
        captured + year,
    ] {
        let archive = scratch.path().join("vm.tar.zst");
        fs::write(&archive, packed(machine.path(), time)).expect("a file");
        let report = judged(&archive);
        assert_eq!(common::verdict(&report, "agent-silent").0, "fail", "{time:?}");
        assert_eq!(common::codes(&report), common::codes(&unpacked), "{time:?}");
    }
}

/// A year later, on another disk, the evidence is as old as it was.
#[test]
fn the_verdict_on_the_heartbeat_does_not_depend_on_when_it_is_asked() {
    let machine = silent_machine();
    let now = judged(machine.path());
    assert_eq!(common::verdict(&now, "agent-silent").0, "fail");
    for days in [-3650, -365, 365] {
        let away = Duration::from_secs(86_400 * u64::from(i32::unsigned_abs(days)));
        let time = if days < 0 {
            SystemTime::now() - away
        } else {
            SystemTime::now() + away
        };
        for file in fs::read_dir(machine.path()).expect("a folder").filter_map(Result::ok) {
            let file = File::options().append(true).open(file.path()).expect("a file");
            file.set_modified(time).expect("a time can be set");
        }
        let then = judged(machine.path());
        assert_eq!(now["verdicts"], then["verdicts"], "{days} days away");
        assert_eq!(now["findings"], then["findings"], "{days} days away");
    }
}
