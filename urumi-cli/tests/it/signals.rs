//! Ctrl-C and SIGTERM.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::server::{ServerSetup, TestServer};
use crate::support::on_memory;

/// Runs the command until it prints `line` to stderr, sends a signal, and returns the exit code and all of stderr.
fn interrupted(mut command: Command, args: &[&str], line: &str, signal: &str) -> (Option<i32>, String) {
    let mut child = command
        .env("URUMI_MEMORY_READY_AFTER", "1h")
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains(line) {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "it ended: {said}");
    }
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    stderr.read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said)
}

#[test]
fn ctrl_c_leaves_the_store_and_says_so() {
    let args = ["create", "x", "--id", "shop", "--wait"];
    for signal in ["-INT", "-TERM"] {
        let server = TestServer::with(ServerSetup { delay: Duration::from_secs(3600), ..ServerSetup::default() });
        let (code, said) = interrupted(server.urumi(), &args, "Starting", signal);
        assert_eq!(code, Some(130), "{said}");
        assert!(said.contains("error: interrupted; store shop exists: `urumi wait shop`"), "{said}");
        assert!(said.contains("`urumi delete shop` removes it"), "{said}");
        // A cluster in memory ends with the command.
        let (code, said) = interrupted(on_memory(), &args, "Starting", signal);
        assert_eq!(code, Some(130), "{said}");
        assert!(said.contains("error: interrupted; the store is lost"), "{said}");
        assert!(!said.contains("urumi "), "{said}");
    }
}

#[test]
fn a_monitor_ends_well_when_it_is_told_to() {
    let (code, said) = interrupted(on_memory(), &["monitor"], "monitoring 0 stores", "-TERM");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the monitor has stopped"), "{said}");
}
