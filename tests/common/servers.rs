//! Servers of a test's own, each on a free port of this machine, gone with the test's process.

#![allow(dead_code, unreachable_pub)] // each test binary uses its own part

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server that answers every connection with `answer`, which is given the request's head.
pub fn server(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || {
                let mut stream = stream;
                let head = head(&mut stream);
                answer(&head, &mut stream);
            });
        }
    });
    port
}

/// What a client asks for, up to the empty line.
pub fn head(stream: &mut impl Read) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        head.extend(byte);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// A whole answer; what goes wrong is the client's to notice.
pub fn answer(stream: &mut impl Write, status: &str, headers: &str, body: &[u8]) {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n");
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
}

/// A server with one body for every path, and the requests that it has got.
pub fn pages(pages: &'static [(&'static str, &'static str)]) -> (u16, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let port = server(move |head, stream| {
        log.lock().expect("a log").push(head.to_owned());
        let path = head.split(' ').nth(1).unwrap_or_default();
        match pages.iter().find(|(page, _)| *page == path) {
            Some((_, body)) => answer(stream, "200 OK", "", body.as_bytes()),
            None => answer(stream, "404 Not Found", "", b"no such page"),
        }
    });
    (port, asked)
}

/// A port at which nobody listens.
pub fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}
