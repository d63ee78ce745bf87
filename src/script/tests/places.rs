//! Where values come from: tags must survive what scripts do with them.

use super::*;

/// The places of a script's value, as paths.
fn paths(text: &str) -> Vec<String> {
    let facts = facts();
    let doc = Arc::clone(&facts.docs[0]);
    let modules = [("m", "fn same(x) { x }\nfn first(list) { for x in list { return x; } }")];
    let value = try_with(&scripts(&modules), text, facts, &[]).unwrap_or_else(|stop| panic!("{text}: {stop:?}"));
    let places = places_of(&value);
    places
        .iter()
        .map(|place| doc.document.normalized_path(place.node))
        .collect()
}

#[test]
fn values_remember_their_place() {
    for (text, expected) in [
        ("servers[0].name", vec!["$[0]['name']"]),
        ("servers[0].port", vec!["$[0]['port']"]),
        ("servers[0].up", vec!["$[0]['up']"]),
        ("servers[0]", vec!["$[0]"]),
        ("servers[0].labels.app", vec!["$[0]['labels']['app']"]),
        ("servers[2].tags", vec!["$[2]['tags']"]),
        ("servers[2].tags[1]", vec!["$[2]['tags'][1]"]),
        ("servers[0][\"name\"]", vec!["$[0]['name']"]),
        ("servers", vec!["$"]),
        // An absence remembers the object that lacks it, a null itself.
        ("servers[1].port", vec!["$[1]"]),
        ("servers[1].labels", vec!["$[1]['labels']"]),
        ("servers[1].labels?.app", vec![]),
        // Through lists, objects, closures, modules, returns, variables.
        ("[servers[0].name, servers[1].port]", vec!["$[0]['name']", "$[1]"]),
        ("#{ a: servers[0].port }.a", vec!["$[0]['port']"]),
        (
            "servers.map(|s| s.name)",
            vec!["$[0]['name']", "$[1]['name']", "$[2]['name']"],
        ),
        ("servers.filter(|s| s.name != \"a\")", vec!["$[1]", "$[2]"]),
        ("servers.find(|s| s.name == \"c\").port", vec!["$[2]['port']"]),
        ("m::same(servers[0].name)", vec!["$[0]['name']"]),
        ("m::same(servers[1].port)", vec!["$[1]"]),
        ("m::first(servers[2].tags)", vec!["$[2]['tags'][0]"]),
        ("let p = servers[0].port; p", vec!["$[0]['port']"]),
        ("let n = servers[0]; n", vec!["$[0]"]),
        ("let a = []; a.push(servers[0].name); a[0]", vec!["$[0]['name']"]),
        ("let a = []; a += [servers[0].name]; a", vec!["$[0]['name']"]),
        ("let o = #{}; o.x = servers[0].port; o.x", vec!["$[0]['port']"]),
        ("if true { servers[0].name } else { 1 }", vec!["$[0]['name']"]),
        ("return servers[0].name;", vec!["$[0]['name']"]),
        ("servers[1].port ?? servers[0].port", vec!["$[0]['port']"]),
        ("let f = || servers[0].port; f.call()", vec!["$[0]['port']"]),
        ("servers.map(|s| s.name).order().slice(1, 1)", vec!["$[1]['name']"]),
        ("servers.group_by(|s| s.name).a", vec!["$[0]"]),
        ("max(servers[0].port, servers[2].port)", vec!["$[0]['port']"]),
        // Reading a value out of a text keeps its place, computing does not.
        ("int(capture(servers[2].tags[0], `t(\\d)`))", vec!["$[2]['tags'][0]"]),
        ("servers[0].port + 1", vec![]),
    ] {
        assert_eq!(paths(text), expected, "{text}");
    }
}

#[test]
fn lines_are_those_of_the_evidence() {
    check(&[
        ("line(servers[0])", "2"),
        ("line(servers[2].tags[1])", "4"),
        ("line(servers[1].port)", "3"),
        (
            "line(servers[0].port + 1)",
            "unknown: it is not known on which line the number 81 stands",
        ),
    ]);
}

#[test]
fn places_that_do_not_fit_a_tag_are_none() {
    let doc = |slot| {
        let document = json::parse("[1]".into(), &json::Options::default()).unwrap();
        Arc::new(Doc { slot, document })
    };
    let place = |slot| {
        let doc = doc(slot);
        place_of(&to_dynamic(&doc, doc.document.root()))
    };
    assert_eq!(place(127).map(|place| place.slot), Some(127));
    assert_eq!(place(128), None);
    assert_eq!(place(NO_SLOT), None);
}
