//! A terminal of a test's own: what a program shows at it, and what is typed in answer.

#![allow(dead_code, unreachable_pub)] // each test binary uses its own part

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// What a program showed at a terminal, and what it wrote to a pipe.
pub struct Shown {
    pub code: Option<i32>,
    pub terminal: String,
    pub stdout: String,
}

/// Both ends of a terminal.
fn terminal() -> (File, File) {
    let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&keyboard).expect("a terminal");
    unlockpt(&keyboard).expect("a terminal");
    let size = Winsize {
        ws_row: 40,
        ws_col: 100,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&keyboard, size).expect("a terminal has a size");
    let name = ptsname(&keyboard, Vec::new()).expect("a terminal has a name");
    let screen = OpenOptions::new()
        .read(true)
        .write(true)
        .open(name.to_str().expect("its name is text"))
        .expect("a terminal");
    (File::from(keyboard), screen)
}

/// Runs a program whose standard input and error are a terminal, and types `answer` once it shows `question`.
pub fn at_terminal(mut command: Command, question: &str, answer: &str) -> Shown {
    let (mut keyboard, screen) = terminal();
    command
        .stdin(Stdio::from(screen.try_clone().expect("a terminal")))
        .stderr(Stdio::from(screen))
        .stdout(Stdio::piped());
    let child = command.spawn().expect("it starts");
    // Else the terminal would stay open for ever.
    drop(command);
    let (question, answer) = (question.to_owned(), answer.to_owned());
    let reader = thread::spawn(move || {
        let (mut seen, mut chunk, mut asked) = (Vec::new(), [0; 4096], false);
        // Where everybody has left a terminal, reading from it is an error.
        while let Ok(count @ 1..) = keyboard.read(&mut chunk) {
            seen.extend_from_slice(&chunk[..count]);
            if !asked && String::from_utf8_lossy(&seen).contains(&question) {
                asked = true;
                keyboard.write_all(answer.as_bytes()).expect("somebody listens");
            }
        }
        String::from_utf8_lossy(&seen).into_owned()
    });
    let output = child.wait_with_output().expect("it ends");
    Shown {
        code: output.status.code(),
        terminal: reader.join().expect("the terminal is read"),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
    }
}
