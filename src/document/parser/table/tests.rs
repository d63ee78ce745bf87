use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::testing::{check_example, check_rows, json, read, refusal};
use super::*;
use crate::document::{NodeId, Parser};

fn parser(header: Option<&str>, columns: &[&str]) -> Parser {
    Parser::Table(TableOptions {
        header: header.map(|header| Pattern::new(header).unwrap()),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
    })
}

fn rows(text: &str) -> Value {
    json(&read(&parser(None, &[]), text))
}

#[test]
fn example() {
    check_example(include_str!("../table.rs"), &parser(None, &[]));
}

#[test]
fn columns_with_much_space_between() {
    let text = "\u{feff}\r\nNAME      VHOST NAME     DOMAINS\r\na.8080    a.test:80      *.test     \r\n          other          \r\n\r\n\r\n";
    let expected = json!([{"NAME": "a.8080", "VHOST NAME": "a.test:80", "DOMAINS": "*.test"}, {"VHOST NAME": "other"}]);
    assert_eq!(rows(text), expected);
    assert_eq!(rows("NAME   AGE\n"), json!([]));
    assert_eq!(rows("A  B"), json!([]));
    assert_eq!(rows("A\n1 2\n"), json!([{"A": "1 2"}]));
}

#[test]
fn columns_with_one_blank_between() {
    let text =
        "ADDRESS PORT  MATCH        TO\n0.0.0.0 80    App: HTTP    Route: 80\n1.1.1.1 15001 ALL          PassThrough\n";
    let expected = json!([{"ADDRESS": "0.0.0.0", "PORT": "80", "MATCH": "App: HTTP", "TO": "Route: 80"},
        {"ADDRESS": "1.1.1.1", "PORT": "15001", "MATCH": "ALL", "TO": "PassThrough"}]);
    assert_eq!(rows(text), expected);
}

#[test]
fn cells_on_the_right_alone_tell_columns_apart() {
    let text = "NAME  ADDRESSES PORT MATCH TO\na               0    ALL   b\nc     0.0.0.0   80   ALL   d\n";
    let expected = json!([{"NAME": "a", "PORT": "0", "MATCH": "ALL", "TO": "b"},
        {"NAME": "c", "ADDRESSES": "0.0.0.0", "PORT": "80", "MATCH": "ALL", "TO": "d"}]);
    assert_eq!(rows(text), expected);
    let text = "LAST SEEN   KIND\n5m          Pod\n12m ago     Pod\n";
    assert_eq!(
        rows(text),
        json!([{"LAST SEEN": "5m", "KIND": "Pod"}, {"LAST SEEN": "12m ago", "KIND": "Pod"}])
    );
}

#[test]
fn lists_of_processes() {
    let text = "USER         PID %CPU    VSZ   RSS TTY      STAT START COMMAND\n\
                web           52  4.2 3389160 71736 ?       Sl   11:28 /bin/web  --port 80\n\
                root           1  0.0      0     0 ?        S    11:27 [init]\n";
    let expected = json!([{"USER": "web", "PID": "52", "%CPU": "4.2", "VSZ": "3389160", "RSS": "71736", "TTY": "?", "STAT": "Sl",
        "START": "11:28", "COMMAND": "/bin/web  --port 80"},
        {"USER": "root", "PID": "1", "%CPU": "0.0", "VSZ": "0", "RSS": "0", "TTY": "?", "STAT": "S", "START": "11:27", "COMMAND": "[init]"}]);
    assert_eq!(rows(text), expected);
    let text = "    PID USER     COMMAND\n      7 web      /bin/web -c /etc/web\n";
    assert_eq!(
        rows(text),
        json!([{"PID": "7", "USER": "web", "COMMAND": "/bin/web -c /etc/web"}])
    );
    let text = "USER         PID COMMAND\nweb          123 /bin/web -c x\n";
    assert_eq!(
        rows(text),
        json!([{"USER": "web", "PID": "123", "COMMAND": "/bin/web -c x"}])
    );
    let text = concat!(
        "    PID USER                      STARTED ELAPSED COMMAND\n",
        "     52 web      Sun Nov 22 11:28:05 2026      61 /bin/web -c x\n",
        "      1 root     Sun Nov  2 11:28:05 2026     100 init\n"
    );
    let expected = json!([
        {"PID": "52", "USER": "web", "STARTED": "Sun Nov 22 11:28:05 2026", "ELAPSED": "61", "COMMAND": "/bin/web -c x"},
        {"PID": "1", "USER": "root", "STARTED": "Sun Nov  2 11:28:05 2026", "ELAPSED": "100", "COMMAND": "init"}]);
    assert_eq!(rows(text), expected);
}

#[test]
fn a_column_may_have_no_name() {
    let text = "        total   used\nMem:     1000    123\nSwap:       0      0\n";
    assert_eq!(
        rows(text),
        json!([{"": "Mem:", "total": "1000", "used": "123"}, {"": "Swap:", "total": "0", "used": "0"}])
    );
    let text = "        total   used\nMem:  16303428 1234567\nSwap:       0        0\n";
    let words = "line 2, column 1: the first cell of this row ends before the first name of the header begins; \
                 name the columns with `columns`";
    assert_eq!(refusal(&parser(None, &[]), text), words);
}

#[test]
fn names_may_be_given() {
    let columns = ["state", "in", "out", "local", "peer", "process"];
    let text = "State  In  Out      Local Address:Port  Peer Address:PortProcess\n\
                LISTEN 0   4096  [::ffff:1.1.1.1]:443            *:*    users:((\"web\",pid=1, fd=2)) \n\
                LISTEN 0   4096         127.0.0.1:80       0.0.0.0:*\n";
    let expected = json!([
        {"state": "LISTEN", "in": "0", "out": "4096", "local": "[::ffff:1.1.1.1]:443", "peer": "*:*", "process": "users:((\"web\",pid=1, fd=2))"},
        {"state": "LISTEN", "in": "0", "out": "4096", "local": "127.0.0.1:80", "peer": "0.0.0.0:*"}]);
    assert_eq!(json(&read(&parser(Some("^State"), &columns), text)), expected);
    let doc = read(
        &parser(None, &["name", "ready", "age"]),
        "\na   1/1   2 (5d ago)\nb   0/1   3 days\n",
    );
    assert_eq!(
        json(&doc),
        json!([{"name": "a", "ready": "1/1", "age": "2 (5d ago)"}, {"name": "b", "ready": "0/1", "age": "3 days"}])
    );
    let doc = read(&parser(None, &["a", "b"]), "x y\t\nz\n");
    assert_eq!(json(&doc), json!([{"a": "x y"}, {"a": "z"}]));
}

#[test]
fn tabs_separate() {
    assert_eq!(
        rows("A\tB C\tD\n1\t\t3 \tx\n\t2\n"),
        json!([{"A": "1", "D": "3 \tx"}, {"B C": "2"}])
    );
    assert_eq!(
        rows("A\t\tB\nlong cell\t2\n1\t\t2\n"),
        json!([{"A": "long cell", "B": "2"}, {"A": "1", "B": "2"}])
    );
}

#[test]
fn one_table_of_several() {
    let text = "Version: 1\n\nNAME  PORT\na     80\n\nADDRESS  PORT\n::       90\n";
    assert_eq!(
        json(&read(&parser(Some("^ADDRESS"), &[]), text)),
        json!([{"ADDRESS": "::", "PORT": "90"}])
    );
    assert_eq!(
        json(&read(&parser(Some("^NAME"), &[]), text)),
        json!([{"NAME": "a", "PORT": "80"}])
    );
    let words = "line 3, column 1: more text after the blank line that ends the table";
    assert_eq!(refusal(&parser(None, &[]), text), words);
    let words = "line 1, column 1: no line of the text matches the pattern of the header";
    assert_eq!(refusal(&parser(Some("^HOST"), &[]), text), words);
}

#[test]
fn colours_belong_to_no_value() {
    let text = "\x1b[1mNAME\x1b[0m   STATE     NOTE\n\x1b[32ma\x1b[0m      not \x1b[1;31msent\x1b[m  \x1b]8;;http://x\x07link\x1b]8;;\x1b\\\n";
    let doc = read(&parser(None, &[]), text);
    assert_eq!(json(&doc), json!([{"NAME": "a", "STATE": "not sent", "NOTE": "link"}]));
    let row = doc.at(doc.root(), 0).unwrap();
    let raw = |key| doc.raw(doc.get(row, key).unwrap());
    assert_eq!(
        (raw("NAME"), raw("STATE"), raw("NOTE")),
        ("a", "not \x1b[1;31msent", "link")
    );
    check_rows(&doc, doc.root());
}

#[test]
fn wide_characters_by_either_measure() {
    let characters = "NAME  STATE\n日本    up\nab    up\n";
    let cells = "NAME  STATE\n日本  up\nab    up\n";
    let expected = json!([{"NAME": "日本", "STATE": "up"}, {"NAME": "ab", "STATE": "up"}]);
    assert_eq!(rows(characters), expected);
    assert_eq!(rows(cells), expected);
    assert_eq!(
        rows("NOM   É     X\né     à     ü ö\n"),
        json!([{"NOM": "é", "É": "à", "X": "ü ö"}])
    );
}

#[test]
fn rows_that_cannot_be_read_are_told() {
    let text = "A  B C\nxxxx y 1\nz\n";
    let words = "line 3, column 1: this row has 1 cells, the header 3 columns; name the columns with `columns`";
    assert_eq!(refusal(&parser(None, &[]), text), words);
    let words = "line 1, column 1: the header has more than 4096 columns";
    assert_eq!(refusal(&parser(None, &[]), &"a ".repeat(MOST_COLUMNS + 1)), words);
}

#[test]
fn short_rows_below_a_long_header_cost_little() {
    let text = format!("{}\n{}", "a  ".repeat(MOST_COLUMNS), "b\n".repeat(20_000));
    assert_eq!(read(&parser(None, &[]), &text).node_count(), 40_001);
    let escapes = format!("A\n{}", "\x1b]".repeat(50_000));
    assert_eq!(json(&read(&parser(None, &[]), &escapes)), json!([{}]));
}

#[test]
fn a_cut_text_never_panics() {
    let text = "\x1b[1mNAME\x1b[0m  É日 B\r\n 日本  \x1b[3mx\x1b[0m y\r\n\r\nmore\r\n";
    for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
        for parser in [parser(None, &[]), parser(Some("NAME"), &[]), parser(None, &["a", "b"])] {
            if let Ok(doc) = parser.parse(text[..end].to_owned()) {
                check_rows(&doc, doc.root());
            }
        }
    }
}

/// Tables as Go's `tabwriter` pads them.
fn padded() -> impl Strategy<Value = (Vec<Vec<String>>, usize)> {
    let cell = prop_oneof![3 => "[a-zé日]{1,9}( [a-z]{1,3})?", 1 => Just(String::new())];
    let table = (1_usize..5)
        .prop_flat_map(move |columns| prop::collection::vec(prop::collection::vec(cell.clone(), columns), 1..6));
    (table, 2_usize..6)
}

proptest! {
    #[test]
    fn padded_tables_are_read_back((mut cells, padding) in padded()) {
        let columns = cells[0].len();
        cells.retain(|row| row.iter().any(|cell| !cell.is_empty()));
        let names: Vec<String> = (0..columns).map(|at| format!("NAME {at}")).collect();
        let lines = || std::iter::once(&names).chain(&cells);
        let width = |at: usize| lines().map(|line| line[at].chars().count()).max().unwrap_or(0) + padding;
        let text: String = lines().map(|line| {
            let cells = line.iter().enumerate().map(|(at, cell)| format!("{cell}{}", " ".repeat(width(at) - cell.chars().count())));
            cells.collect::<String>() + "\n"
        }).collect();
        let doc = read(&parser(None, &[]), &text);
        check_rows(&doc, doc.root());
        let expected: Value = cells.iter().map(|row| {
            let cells = names.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
            Value::Object(cells.map(|(name, cell)| (name.clone(), Value::from(cell.as_str()))).collect())
        }).collect();
        // Names with a blank may be two columns if all rows that have words there have them on both sides.
        let doubtful = |at: usize| cells.iter().all(|row| row[at].is_empty() || row[at].contains(' '));
        if !(0..columns).any(doubtful) {
            prop_assert_eq!(json(&doc), expected);
        }
    }

    #[test]
    fn rows_lie_in_order(text in "(?s)[A-B \t\r\n\0é日\x1b\\[m]{0,80}", columns: bool, header: bool) {
        let columns: &[&str] = if columns { &["x", "y", "z"] } else { &[] };
        if let Ok(doc) = parser(header.then_some("A"), columns).parse(text) {
            check_rows(&doc, doc.root());
            for id in doc.subtree(doc.root()).map(NodeId::from_index).filter(|&id| doc.str(id).is_some()) {
                let (value, raw) = (doc.str(id).unwrap(), doc.raw(id));
                prop_assert!(value == raw || raw.contains('\x1b'));
                prop_assert_eq!(value.trim_matches(BLANKS), &value);
            }
        }
    }
}
