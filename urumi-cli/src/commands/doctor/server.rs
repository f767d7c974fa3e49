//! Checks of a server.

use futures::future;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use urumi_core::error::Error;
use urumi_core::http_client::Answer;
use urumi_core::{ErrorKind, HttpOrchestrator};

use super::{Finding, fail, ok, stores, warn};
use crate::choice::{Choice, ServerChoice};
use crate::cli::GlobalArgs;
use crate::commands::{version, whoami};
use crate::exit::{CommandError, NO_TLS, TRY_HTTP};
use crate::output::{Out, short};
use crate::target;

/// The accepted difference between clocks. A larger one affects the validity of tokens. The server reports whole seconds.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(5);

const ASK: &str = "ask the administrator of this server";

/// A server's answer to `/readyz`.
#[derive(Deserialize)]
struct Readiness {
    ready: bool,
    #[serde(default)]
    problems: Vec<String>,
    election: Option<Election>,
}

/// The leader election of a server's replicas.
#[derive(Deserialize)]
struct Election {
    leader: Option<String>,
    since: Option<Timestamp>,
}

/// Checks the connection, the server, and the user's identity.
pub(super) async fn check(address: &ServerChoice, choice: &Choice, global: &GlobalArgs, out: &Out) -> Vec<Finding> {
    let unchecked = || {
        warn("the server's state, your role and the stores were not checked", "fix the connection to the server first")
            .of("unchecked")
    };
    let target = match target::validator(choice, global, out) {
        Ok(target) => target,
        Err(CommandError { errors, hints, .. }) => {
            return vec![fail(errors.join(": "), hints.join("; ")).of("connection")];
        }
    };
    let Some(server) = target.as_server() else { return Vec::new() };
    let answer = match server.probe(&["readyz"]).await {
        Ok(answer) => answer,
        Err(error) => return vec![unreachable(address, &error).of("connection"), unchecked()],
    };
    let mut findings = vec![connection(server, &answer).of("connection")];
    let readiness: Option<Readiness> = answer.body.clone().and_then(|body| serde_json::from_value(body).ok());
    let Some(readiness) = readiness else {
        let what = format!("this is not a urumi server: it answers {} to /readyz", answer.status);
        let to_do = "check the address, including the path of the API";
        return findings.into_iter().chain([fail(what, to_do).of("readiness"), unchecked()]).collect();
    };
    let ready = match readiness.ready {
        true => ok("the server is ready"),
        false => fail(format!("the server is not ready: {}", readiness.problems.join("; ")), ASK),
    };
    findings.push(ready.of("readiness"));
    findings.extend(readiness.election.map(|election| leadership(&election, Timestamp::now()).of("leader")));
    findings.extend(answer.date.map(|date| clock(date, Timestamp::now() - answer.took / 2).of("clock")));
    let (theirs, identity) = future::join(version::of_server(server), whoami::ask(server)).await;
    let notices = theirs.as_ref().map(|theirs| theirs.notices.clone()).unwrap_or_default();
    findings.push(versions(theirs.map(|theirs| theirs.version.unwrap_or_default())).of("version"));
    findings.extend(notices.into_iter().map(|notice| warn(notice, ASK).of("notice")));
    match identity {
        Ok(identity) => {
            findings.push(who(&identity).of("identity"));
            findings.push(engines(server, &*target.stores).await.of("engines"));
            findings.push(stores(&*target.stores).await.of("stores"));
        }
        Err(error) => findings.push(unknown(&error).of("identity")),
    }
    findings
}

fn unreachable(address: &ServerChoice, error: &Error) -> Finding {
    let text = error.to_string();
    let to_do = if text.contains("certificate") {
        match address.ca_file {
            None => "if a private CA signed the certificate, pass the CA's certificate with --ca-file",
            Some(_) => "check that the CA file matches, and that the certificate names this host and has not expired",
        }
    } else if text.contains(NO_TLS) {
        TRY_HTTP
    } else {
        "check the address, the network, and that the server is running"
    };
    fail(format!("{}: {text}", address.address), to_do)
}

fn connection(server: &HttpOrchestrator, answer: &Answer) -> Finding {
    let what = format!("{} responds within {} ms", server.address(), answer.took.as_millis());
    match (server.address().starts_with("https:"), server.is_confidential()) {
        (true, _) => ok(format!("{what}; the connection is encrypted, and the certificate is trusted")),
        (false, true) => ok(format!("{what}; the server is on this machine")),
        (false, false) => warn(
            format!("{what}; the connection is not encrypted"),
            "use https: without it, anyone on the network path can read the token",
        ),
    }
}

fn leadership(election: &Election, now: Timestamp) -> Finding {
    match &election.leader {
        Some(leader) => {
            let since = election.since.map(|since| format!(", for {}", short(now.duration_since(since).abs())));
            ok(format!("the leader is {leader}{}", since.unwrap_or_default()))
        }
        None => warn(
            "no replica is the leader: statuses are not updated, and stores are not repaired",
            "wait about 15 s for a new leader; if there is none, ask the administrator of this server",
        ),
    }
}

fn clock(theirs: Timestamp, ours: Timestamp) -> Finding {
    let ahead = theirs.duration_since(ours);
    if ahead.abs() <= CLOCK_TOLERANCE {
        return ok("the server's clock agrees with this machine's clock");
    }
    let direction = if ahead.is_positive() { "ahead of" } else { "behind" };
    warn(
        format!("the server's clock is {} {direction} this one", short(ahead.abs())),
        "synchronize both with NTP: the server's clock decides whether tokens are valid, this clock the ages shown here",
    )
}

fn versions(theirs: Result<String, Error>) -> Finding {
    match theirs {
        Ok(theirs) if theirs == version::VERSION => ok(format!("the server and this command are urumi {theirs}")),
        Ok(theirs) => warn(
            format!("the server is urumi {theirs}, this command is urumi {}", version::VERSION),
            "use the same version: features that only one of them has do not work",
        ),
        Err(error) => warn(format!("the server's version is unknown: {error}"), ASK),
    }
}

fn who(identity: &whoami::Identity) -> Finding {
    let whoami::Identity { subject, teams, role, how } = identity;
    let teams = if teams.is_empty() { String::new() } else { format!(", in {}", teams.join(", ")) };
    let what = format!("you are {subject}{teams}, with the role {role} (authenticated by {how})");
    match role.as_str() {
        "viewer" => warn(
            what,
            "you can only view stores; to change them, ask the administrator of this server for the role operator",
        ),
        _ => ok(what),
    }
}

fn unknown(error: &Error) -> Finding {
    let to_do = match error.kind() {
        ErrorKind::NotPermitted => "run `urumi login`, or pass a token in $URUMI_TOKEN or with --token-file",
        _ => "try again; if the problem persists, ask the administrator of this server",
    };
    fail(format!("your identity is unknown: {error}"), to_do)
}

async fn engines(server: &HttpOrchestrator, stores: &dyn urumi_core::StoreOrchestrator) -> Finding {
    match stores.engines().await {
        Ok(engines) if engines.is_empty() => fail(format!("{} offers no engine", server.address()), ASK),
        Ok(engines) => {
            let names: Vec<String> = engines.into_iter().map(|engine| engine.name).collect();
            ok(format!("available engines: {}", names.join(", ")))
        }
        Err(error) => fail(error.to_string(), ASK),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_are_apart_are_told() {
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        for (theirs, said) in
            [(0, "agree"), (5, "agree"), (-5, "agree"), (6, "6s ahead of this one"), (-7200, "2h behind this one")]
        {
            let finding = clock(at(theirs), at(0));
            assert!(finding.what.contains(said), "{finding:?}");
            assert_eq!(finding.to_do.is_none(), said == "agree", "{finding:?}");
        }
    }

    #[test]
    fn who_leads_is_told_and_that_nobody_does() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let election = Election { leader: Some("backend-1_x".into()), since: Some(now - SignedDuration::from_mins(5)) };
        assert_eq!(leadership(&election, now).what, "the leader is backend-1_x, for 5m");
        assert!(leadership(&Election { leader: None, since: None }, now).to_do.is_some());
    }

    #[test]
    fn other_versions_and_lowly_roles_are_remarked_on() {
        assert!(versions(Ok(version::VERSION.to_owned())).to_do.is_none());
        assert!(versions(Ok("99.0.0".to_owned())).to_do.is_some());
        let identity = |role: &str| whoami::Identity {
            subject: "ann".into(),
            teams: vec!["shop".into()],
            role: role.into(),
            how: "static-token".into(),
        };
        assert!(who(&identity("viewer")).to_do.is_some_and(|to_do| to_do.contains("operator")));
        let admin = who(&identity("admin"));
        assert_eq!(admin.what, "you are ann, in shop, with the role admin (authenticated by static-token)");
        assert!(admin.to_do.is_none());
    }
}
