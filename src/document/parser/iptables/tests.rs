use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::testing::{check_example, check_spans, json, read, refusal};
use super::*;
use crate::document::Parser;

fn parser(table: Option<&str>) -> Parser {
    let table = table.map(str::to_owned);
    Parser::Iptables(IptablesOptions { table })
}

/// The only rule of a listing's only chain.
fn rule(text: &str) -> Value {
    let doc = json(&read(&parser(Some("t")), text));
    let mut rule = doc["t"]["A"]["rules"][0].clone();
    rule.as_object_mut().expect("a rule is an object").remove("chain");
    rule
}

fn spec(options: &str) -> Value {
    rule(&format!("-A A {options}\n"))
}

/// A rule of a listing with all columns.
fn listed(columns: &str) -> Value {
    let header = "num   pkts bytes target     prot opt in     out     source               destination";
    let mut rule = rule(&format!("Chain A (1 references)\n{header}\n{columns}\n"));
    let members = rule.as_object_mut().expect("a rule is an object");
    assert_eq!(
        (members.remove("packets"), members.remove("bytes")),
        (Some(json!("0")), Some(json!("10K")))
    );
    rule
}

#[test]
fn example() {
    check_example(include_str!("../iptables.rs"), &parser(Some("nat")));
}

#[test]
fn both_forms_of_a_rule_agree() {
    for (options, columns, expected) in [
        (
            "-s 10.0.0.0/8 -d 10.9.0.5/32 -i eth+ -o lo -p tcp -m tcp --sport 1024:65535 --dport 80 -j B",
            "1        0   10K B          6    --  eth+   lo      10.0.0.0/8           10.9.0.5             tcp spts:1024:65535 dpt:80",
            json!({"source": "10.0.0.0/8", "destination": "10.9.0.5/32", "in_interface": "eth+", "out_interface": "lo",
                "protocol": "tcp", "source_port": "1024:65535", "destination_port": "80", "target": "B"}),
        ),
        (
            "! -s 10.0.0.1/32 ! -d fd00::/8 ! -i a ! -p udp -m udp ! --dport 53 -m owner ! --uid-owner 0-9 -m owner ! --gid-owner web -g B",
            "12345    0   10K B         !17   --  !a     *      !10.0.0.1            !fd00::/8            [goto] udp dpt:!53 ! owner UID match 0-9 ! owner GID match web",
            json!({"source": "!10.0.0.1/32", "destination": "!fd00::/8", "in_interface": "!a", "protocol": "!udp",
                "destination_port": "!53", "uid_owner": "!0-9", "gid_owner": "!web", "target": "B", "goto": true}),
        ),
        (
            r#"-p tcp -m multiport ! --sports 1,2 -m multiport --dports 80,443,8000:8010 -m comment --comment "say \"hi\" \\ it\'s" -j REDIRECT --to-ports 1-3 --random"#,
            r#"1        0   10K REDIRECT   tcp  --  *      *       anywhere             anywhere             multiport sports  !1,2 multiport dports 80,443,8000:8010 /* say "hi" \ it's */ redir ports 1-3 random"#,
            json!({"protocol": "tcp", "source_port": "!1,2", "destination_port": "80,443,8000:8010",
                "comment": "say \"hi\" \\ it's", "target": "REDIRECT", "to_ports": "1-3", "random": true}),
        ),
        (
            "-d ::1/128 -p ipv6-icmp -m multiport --ports 7 -m comment --comment x",
            "1        0   10K            58       *      *       ::/0                 ::1                  multiport ports 7 /* x */",
            json!({"destination": "::1/128", "protocol": "ipv6-icmp", "port": "7", "comment": "x"}),
        ),
        (
            "-j DNAT --to-destination 10.0.0.1:80 --persistent",
            "1        0   10K DNAT       all  --  any    any     anywhere             anywhere             to:10.0.0.1:80 persistent",
            json!({"target": "DNAT", "to_destination": "10.0.0.1:80", "persistent": true}),
        ),
        (
            "-j SNAT --to-source 1.2.3.4",
            "1        0   10K SNAT       0    --  *      *       0.0.0.0/0            0.0.0.0/0            to:1.2.3.4",
            json!({"target": "SNAT", "to_source": "1.2.3.4"}),
        ),
        (
            "-j TPROXY --on-port 15 --on-ip :: --tproxy-mark 0x1/0xff",
            "1        0   10K TPROXY     0    --  *      *       ::/0                 ::/0                 TPROXY redirect :::15 mark 0x1/0xff",
            json!({"target": "TPROXY", "on_port": "15", "on_ip": "::", "tproxy_mark": "0x1/0xff"}),
        ),
        (
            "-j REJECT --reject-with icmp-port-unreachable",
            "1        0   10K REJECT     0    --  *      *       0.0.0.0/0            0.0.0.0/0            reject-with icmp-port-unreachable",
            json!({"target": "REJECT", "reject_with": "icmp-port-unreachable"}),
        ),
        (
            "-j MASQUERADE --to-ports 1024-2048 --random-fully",
            "1        0   10K MASQUERADE  0    --  *      *       0.0.0.0/0            0.0.0.0/0            masq ports: 1024-2048 random-fully",
            json!({"target": "MASQUERADE", "to_ports": "1024-2048", "random_fully": true}),
        ),
    ] {
        assert_eq!(spec(options), expected, "{options}");
        assert_eq!(listed(columns), expected, "{columns}");
    }
}

#[test]
fn what_has_no_member_is_unknown() {
    for (options, columns, written, shown) in [
        (
            "-m conntrack ! --ctstate NEW,RELATED -j B",
            "B  0 -- * * ::/0 ::/0 ! ctstate NEW,RELATED",
            json!(["conntrack ! --ctstate NEW,RELATED"]),
            json!(["! ctstate NEW,RELATED"]),
        ),
        (
            "-m set ! --match-set a src,dst -m mark --mark 0x1/0xff",
            " 0 -- * * ::/0 ::/0 ! match-set a src,dst mark match 0x1/0xff",
            json!(["set ! --match-set a src,dst", "mark --mark 0x1/0xff"]),
            json!(["! match-set a src,dst mark match 0x1/0xff"]),
        ),
        (
            "-p tcp -m tcp --tcp-flags SYN,ACK SYN -m owner --socket-exists",
            " tcp -- * * ::/0 ::/0 tcp flags:0x12/0x02 owner socket exists",
            json!(["--tcp-flags SYN,ACK SYN", "--socket-exists"]),
            json!(["flags:0x12/0x02 owner socket exists"]),
        ),
        (
            "-f ! -f -m rpfilter -j B",
            "B 0 !f * * ::/0 ::/0 rpfilter",
            json!(["-f", "! -f", "rpfilter"]),
            json!(["!f", "rpfilter"]),
        ),
        (
            "-s 10.0.0.1/32 ! -s 10.0.0.2/32",
            " 0 -- * * 10.0.0.1 ::/0 dpt:1 dpt:2",
            json!(["! -s 10.0.0.2/32"]),
            json!(["2"]),
        ),
    ] {
        assert_eq!(spec(options)["unknown"], written, "{options}");
        assert_eq!(
            listed(&format!("1        0   10K {columns}"))["unknown"],
            shown,
            "{columns}"
        );
    }
}

#[test]
fn options_of_targets_are_members() {
    assert_eq!(
        spec("-j LOG --log-prefix \"-a b: \" --log-level 6"),
        json!({"target": "LOG", "log_prefix": "-a b: ", "log_level": "6"})
    );
    let shown = listed(
        "1        0   10K LOG        6    --  *      *       0.0.0.0/0            0.0.0.0/0            LOG flags 0 level 6 prefix \"a: \"",
    );
    assert_eq!(
        shown,
        json!({"target": "LOG", "protocol": "tcp", "target_options": "flags 0 level 6 prefix \"a: \""})
    );
}

#[test]
fn a_save_names_its_tables() {
    let text = "# Generated\r\n*one\r\n:A DROP [1:20]\r\n:B - [0:0]\r\n[3:40] -A A -s 10.0.0.1/32 -j B\r\n-A A -j B\r\nCOMMIT\r\n*two\n:A ACCEPT [0:0]\nCOMMIT\n# Completed\n";
    let doc = read(&parser(Some("not used")), text);
    let expected = json!({
        "one": {
            "A": {"policy": "DROP", "packets": "1", "bytes": "20", "references": 0, "rules": [
                {"chain": "A", "packets": "3", "bytes": "40", "source": "10.0.0.1/32", "target": "B"}, {"chain": "A", "target": "B"}]},
            "B": {"packets": "0", "bytes": "0", "references": 2, "rules": []}},
        "two": {"A": {"policy": "ACCEPT", "packets": "0", "bytes": "0", "references": 0, "rules": []}}});
    assert_eq!(json(&doc), expected);
    let one = doc.get(doc.root(), "one").unwrap();
    let chain = doc.get(one, "A").unwrap();
    assert!(doc.raw(one).starts_with("*one") && doc.raw(one).ends_with("COMMIT"));
    assert_eq!(
        (doc.raw(chain), doc.slice(doc.key_span(chain).unwrap())),
        (":A DROP [1:20]", "A")
    );
    let rule = doc.at(doc.get(chain, "rules").unwrap(), 0).unwrap();
    assert_eq!(doc.raw(rule), "[3:40] -A A -s 10.0.0.1/32 -j B");
    assert_eq!(
        doc.normalized_path(doc.get(rule, "source").unwrap()),
        "$['one']['A']['rules'][0]['source']"
    );
}

#[test]
fn rules_without_declarations_are_read() {
    let doc = json(&read(
        &parser(Some("t")),
        "-A A -p tcp -c 1 2 -j B\n-P C DROP -c 3 4\n-N B\n",
    ));
    let expected = json!({"t": {
        "A": {"references": 0, "rules": [{"chain": "A", "protocol": "tcp", "packets": "1", "bytes": "2", "target": "B"}]},
        "C": {"policy": "DROP", "packets": "3", "bytes": "4", "references": 0, "rules": []},
        "B": {"references": 1, "rules": []}}});
    assert_eq!(doc, expected);
    assert_eq!(json(&read(&parser(None), "# nothing\n")), json!({}));
}

#[test]
fn spans_of_a_negation_hold_its_mark() {
    let doc = read(&parser(Some("t")), "-A A ! -d 10.0.0.1/32 -p tcp\n");
    let path = crate::path::Path::parse("$.t.A.rules[0].destination").unwrap();
    let found = path.select(&doc, doc.root());
    assert_eq!(
        found.iter().map(|id| doc.raw(*id)).collect::<Vec<_>>(),
        ["! -d 10.0.0.1/32"]
    );
}

#[test]
fn damaged_texts_are_refused() {
    let row = "Chain A (policy DROP)\ntarget prot opt source destination\n";
    for (text, words) in [
        (
            "*t\n:A DROP [0:0]\n",
            "line 1, column 1: the table that begins here does not end with `COMMIT`",
        ),
        (
            "*t\nCOMMIT\n*t\n",
            "line 3, column 1: a table that stands in this text before",
        ),
        ("COMMIT\n", "line 1, column 1: `COMMIT` without a table"),
        (
            "-P A DROP\n-N A\n",
            "line 2, column 1: a chain that stands in this table before",
        ),
        (
            "-P A\n",
            "line 1, column 1: expected a chain's name, policy and counters",
        ),
        (
            ": DROP [1:2]\n",
            "line 1, column 1: expected a chain's name, policy and counters",
        ),
        (
            "-P A DROP -c 1\n",
            "line 1, column 1: expected a chain's name, policy and counters",
        ),
        ("-N\n", "line 1, column 1: expected a chain's name, policy and counters"),
        (
            "-N A b\n",
            "line 1, column 1: expected a chain's name, policy and counters",
        ),
        ("-A A -p\n", "line 1, column 6: `-p` without a value"),
        ("-A\n", "line 1, column 1: `-A` without a value"),
        (
            "-A A -m comment --comment \"x\n",
            "line 1, column 27: the quotation that begins here does not end",
        ),
        (
            "Error: no such thing\n",
            "line 1, column 1: this is no line of a packet filter's listing",
        ),
        (
            "-N A\ntarget x\n",
            "line 2, column 1: this is no line of a packet filter's listing",
        ),
        (
            "Chain A\n",
            "line 1, column 1: expected a chain's name, and its policy or references in parentheses",
        ),
        (
            "Chain A (two references)\n",
            "line 1, column 1: expected a chain's name, and its policy or references in parentheses",
        ),
        (
            "Chain A (2 references)\nB tcp\n",
            "line 2, column 1: this is no line of a packet filter's listing",
        ),
        (
            &format!("{row}B tcp -- ::/0\n"),
            "line 3, column 1: a rule without a destination",
        ),
        (
            &format!("{row}{row}"),
            "line 3, column 1: a chain that stands in this listing before",
        ),
    ] {
        assert_eq!(refusal(&parser(Some("t")), text), words, "{text}");
    }
    let words =
        "line 2, column 1: nothing says which table this belongs to: set `table`, or capture with the tables' names";
    assert_eq!(refusal(&parser(None), "#\n-P A DROP\n"), words);
}

#[test]
fn a_rule_with_very_many_options_takes_little_time() {
    let options: String = (0..200_000).map(|number| format!(" --o{number}")).collect();
    let doc = read(&parser(Some("t")), &format!("-A A -j B{options}\n"));
    assert!(doc.node_count() > 200_000);
}

#[test]
fn cut_texts_never_panic() {
    let save = "*t\n:A DROP [1:2]\n[1:2] -A A ! -s é -p 6 -m set ! --match-set a dst -m comment --comment \"a \\\" b\" -j B --to-ports 1\nCOMMIT\n";
    let list = "Chain A (policy DROP 1 packets, 2 bytes)\nnum   pkts bytes target prot opt in out source destination\n1        0     0 B   !tcp  -f  !a * 1.1.1.1 é  ! owner UID match 1 multiport dports  !1 /* é */ B é: 1\n";
    for text in [save, list] {
        for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
            if let Ok(doc) = parser(Some("t")).parse(text[..end].to_owned()) {
                check_spans(&doc);
            }
        }
    }
}

proptest! {
    #[test]
    fn nothing_panics(text in "(?s)(-A|-P|:| |\\*|COMMIT|Chain|\\(policy|references\\)|\\(1|!|-[spmjgc]|--[a-z]{0,3}|\"|\\\\|a|é|/\\*|\\*/|target prot opt source destination num pkts in|owner|UID|multiport|dports|:|[0-9]|\r?\n){0,40}") {
        if let Ok(doc) = parser(Some("t")).parse(text) {
            check_spans(&doc);
        }
    }
}
