//! Exit codes, and errors with their causes and hints.

use std::io;

use urumi_core::cluster::ConnectError;
use urumi_core::error::{Error, ErrorKind, FieldError};
use urumi_core::store::ProblemCode;
use urumi_core::store::status::{Condition, ConditionStatus};
use urumi_core::{Store, StoreId};

/// The exit codes of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ExitStatus {
    Ok = 0,
    Other = 1,
    Usage = 2,
    NotFound = 3,
    Conflict = 4,
    TimedOut = 5,
    StoreFailed = 6,
    NotPermitted = 7,
    Unreachable = 8,
    Different = 9,
    Interrupted = 130,
}

impl ExitStatus {
    /// All codes.
    pub(crate) const ALL: [ExitStatus; 11] = [
        ExitStatus::Ok,
        ExitStatus::Other,
        ExitStatus::Usage,
        ExitStatus::NotFound,
        ExitStatus::Conflict,
        ExitStatus::TimedOut,
        ExitStatus::StoreFailed,
        ExitStatus::NotPermitted,
        ExitStatus::Unreachable,
        ExitStatus::Different,
        ExitStatus::Interrupted,
    ];

    /// The meaning in one line, for help texts.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            ExitStatus::Ok => "success",
            ExitStatus::Other => "any other error",
            ExitStatus::Usage => "the command line or an option is invalid; nothing was changed",
            ExitStatus::NotFound => "the store does not exist, or you may not see it",
            ExitStatus::Conflict => "the store already exists, has changed, or has a status that does not allow this",
            ExitStatus::TimedOut => "the timeout expired; the operation continues in the cluster",
            ExitStatus::StoreFailed => "the store failed, or its test order failed",
            ExitStatus::NotPermitted => "permission denied by the cluster, the server or a limit",
            ExitStatus::Unreachable => "no response from the cluster or the server",
            ExitStatus::Different => "`urumi diff --exit-code` found differences",
            ExitStatus::Interrupted => "interrupted; a created store is kept",
        }
    }
}

/// The exit codes as a section of `urumi --help`.
pub(crate) fn help() -> String {
    let lines: Vec<String> =
        ExitStatus::ALL.iter().map(|code| format!("{:>5}  {}", *code as u8, code.meaning())).collect();
    format!("Exit codes:\n{}", lines.join("\n"))
}

/// How the command accesses stores. Hints depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    Cluster,
    /// A cluster in this process, which ends with it.
    Memory,
    Server,
}

/// A failed command: its exit code, and the messages to print.
#[derive(Debug)]
pub(crate) struct CommandError {
    /// The exit code.
    pub(crate) code: ExitStatus,
    /// The errors, one per line. Empty if they have been printed already.
    pub(crate) errors: Vec<String>,
    /// The causes, outermost first.
    pub(crate) causes: Vec<String>,
    /// Suggestions, one per line.
    pub(crate) hints: Vec<String>,
}

impl CommandError {
    /// A failure with one error message.
    pub(crate) fn new(code: ExitStatus, error: impl Into<String>) -> Self {
        CommandError { code, errors: vec![error.into()], causes: Vec::new(), hints: Vec::new() }
    }

    /// A failure whose errors have been printed already.
    pub(crate) fn shown(code: ExitStatus) -> Self {
        CommandError { code, errors: Vec::new(), causes: Vec::new(), hints: Vec::new() }
    }

    /// An invalid command line.
    pub(crate) fn usage(error: impl Into<String>) -> Self {
        CommandError::new(ExitStatus::Usage, error)
    }

    /// Adds a suggestion.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Ctrl-C or SIGTERM during a wait. `consequence` says what happens to the store.
    pub(crate) fn interrupted(consequence: &str) -> Self {
        CommandError::new(ExitStatus::Interrupted, format!("interrupted; {consequence}"))
    }

    /// One failure of several: with their code if it is the same, and all different messages.
    pub(crate) fn all(failures: Vec<CommandError>) -> Result<(), Self> {
        let mut failures = failures.into_iter();
        let Some(first) = failures.next() else { return Ok(()) };
        let rest: Vec<CommandError> = failures.collect();
        if rest.is_empty() {
            return Err(first);
        }
        let code = if rest.iter().all(|other| other.code == first.code) { first.code } else { ExitStatus::Other };
        let mut all = CommandError::shown(code);
        for failure in std::iter::once(first).chain(rest) {
            // Each cause stays beside its error.
            all.errors.push(failure.errors.into_iter().chain(failure.causes).collect::<Vec<_>>().join(": "));
            all.hints.extend(failure.hints);
        }
        let mut seen = std::collections::HashSet::new();
        all.errors.retain(|error| seen.insert(error.clone()));
        all.hints.retain(|hint| seen.insert(hint.clone()));
        Err(all)
    }

    /// Names the engine in the hints that need one.
    pub(crate) fn for_engine(mut self, engine: &str) -> Self {
        for hint in &mut self.hints {
            *hint = hint.replace("`urumi engines NAME`", &format!("`urumi engines {engine}`"));
        }
        self
    }

    fn because_of(mut self, error: &dyn std::error::Error) -> Self {
        let mut source = error.source();
        while let Some(cause) = source {
            // Some errors already contain the text of their source.
            let text = cause.to_string();
            if !self.causes.iter().chain(&self.errors).any(|said| said.contains(&text)) {
                self.causes.push(text);
            }
            source = cause.source();
        }
        self
    }
}

impl From<Vec<FieldError>> for CommandError {
    fn from(errors: Vec<FieldError>) -> Self {
        let mut failure = CommandError::shown(ExitStatus::Usage);
        if errors.iter().any(|e| e.field == "engine") {
            failure = failure.hint("`urumi engines` lists the engines");
        } else if errors.iter().any(concerns_options) {
            failure = failure.hint("`urumi engines NAME` lists the options of an engine");
        }
        failure.errors = errors.iter().map(ToString::to_string).collect();
        failure
    }
}

/// Whether the list of options helps. It does not help with a file that cannot be read.
fn concerns_options(error: &FieldError) -> bool {
    let is_option = error.field == "--set" || error.field == "options" || error.field.starts_with("options.");
    is_option && !error.message.starts_with("cannot read ")
}

impl From<Error> for CommandError {
    /// `Error::Server` implies a server. For any other error, use [`CommandError::of`] if the command may use a server.
    fn from(error: Error) -> Self {
        let via = if matches!(error, Error::Server { .. }) { Via::Server } else { Via::Cluster };
        CommandError::of(error, via)
    }
}

impl CommandError {
    /// An error with hints.
    pub(crate) fn of(error: Error, via: Via) -> Self {
        let code = match error.kind() {
            ErrorKind::Invalid => ExitStatus::Usage,
            ErrorKind::NotFound => ExitStatus::NotFound,
            ErrorKind::Conflict => ExitStatus::Conflict,
            ErrorKind::TimedOut => ExitStatus::TimedOut,
            ErrorKind::StoreFailed => ExitStatus::StoreFailed,
            ErrorKind::NotPermitted => ExitStatus::NotPermitted,
            ErrorKind::Unreachable => ExitStatus::Unreachable,
            _ => ExitStatus::Other,
        };
        let failure = match &error {
            Error::Invalid(errors) => return errors.clone().into(),
            _ => CommandError::new(code, error.to_string()).because_of(&error),
        };
        match &error {
            Error::StoreFailed { store } => failed(failure, store, via),
            Error::Unfinished { store, .. } => unfinished(failure, &store.id, via),
            Error::TimedOut { id, .. } => timed_out(failure, id, via),
            Error::KeyReused { id } | Error::KeyStoreDeleting { id } => {
                failure.hint(format!("`urumi get {id}` shows the store created with this key"))
            }
            Error::PreconditionFailed { id, .. } => {
                failure.hint(format!("`urumi get {id} -o json` shows the current version"))
            }
            Error::LimitReached { .. }
            | Error::ProvisioningLimit { .. }
            | Error::CreationLimit { .. }
            | Error::DemandLimit { .. } => failure,
            Error::Server { code: problem, detail, .. } => of_server(failure, problem, detail),
            _ => match code {
                ExitStatus::NotFound => failure.hint("`urumi list` shows all stores"),
                ExitStatus::NotPermitted => failure.hint("`urumi doctor` shows which permissions are missing"),
                ExitStatus::Unreachable => unreachable(failure),
                _ => failure,
            },
        }
    }
}

/// What becomes of a store on a cluster in memory.
pub(crate) const LOST: &str = "the store is lost: the in-memory cluster ends with this command";

fn timed_out(failure: CommandError, id: &StoreId, via: Via) -> CommandError {
    if via == Via::Memory {
        return failure.hint("pass a longer --timeout").hint(LOST);
    }
    let failure = failure.hint(format!("the store still exists: `urumi get {id}` shows its status"));
    match via {
        Via::Cluster | Via::Memory => failure.hint(format!(
            "if a monitor runs, wait again with `urumi wait {id}`; otherwise, run `urumi retry {id} --wait`"
        )),
        Via::Server => {
            failure.hint(format!("`urumi wait {id}` waits again; `urumi events {id}` shows the store's history"))
        }
    }
}

/// A part of the error of a TLS connection to a server that does not use TLS.
pub(crate) const NO_TLS: &str = "corrupt message";
pub(crate) const TRY_HTTP: &str =
    "the server does not use TLS at this address; is the address http:// rather than https://?";

/// Adds hints to a server's problem. Most problems need none: their detail says what to do.
fn of_server(failure: CommandError, problem: &str, detail: &str) -> CommandError {
    let no_response = problem == "none";
    match (ProblemCode::parse(problem), failure.code) {
        (Some(ProblemCode::Unauthenticated), _) => failure
            .hint("run `urumi login`, or set the token in $URUMI_TOKEN or its file with --token-file")
            .hint("`urumi doctor` checks the connection"),
        (Some(ProblemCode::Forbidden), _) => failure.hint("`urumi whoami` shows your role"),
        (Some(ProblemCode::PreconditionFailed), _) => {
            failure.hint("`urumi get STORE -o json` shows the current version")
        }
        (Some(ProblemCode::NoSuchPath | ProblemCode::MethodNotAllowed), _) => failure
            .hint("check the path of the server's address; usually there is none, e.g. https://urumi.example.com"),
        (_, ExitStatus::NotFound) => failure.hint("`urumi list` shows all stores that you may see"),
        (_, ExitStatus::Unreachable) if !no_response => {
            failure.hint("the problem may be temporary: try again in a moment; `urumi doctor` checks the server")
        }
        _ if no_response && detail.contains("certificate") => failure
            .hint("if a private CA signed the server's certificate, pass the CA's certificate with --ca-file FILE")
            .hint("`urumi doctor` checks the connection"),
        _ if no_response && detail.contains(NO_TLS) => failure.hint(TRY_HTTP),
        _ if no_response => {
            failure.hint("`urumi doctor` checks the connection; --server and --context choose the server")
        }
        _ => failure,
    }
}

fn failed(mut failure: CommandError, store: &Store, via: Via) -> CommandError {
    let broken = |c: &&Condition| c.type_ != Condition::READY && c.status == ConditionStatus::False;
    let lines = store.conditions.iter().filter(broken).map(|c| format!("{}: {} {}", c.type_, c.reason, c.message));
    failure.causes.extend(lines.map(|line| line.trim_end().to_owned()));
    if via == Via::Memory {
        return failure.hint(LOST);
    }
    let id = &store.id;
    failure.hint(format!("`urumi get {id}` shows all conditions")).hint(format!(
        "after fixing the cause, run `urumi retry {id} --wait`; to remove the store, `urumi delete {id}`"
    ))
}

fn unfinished(failure: CommandError, id: &StoreId, via: Via) -> CommandError {
    if via == Via::Memory {
        return failure.hint(LOST);
    }
    failure
        .hint("nothing is lost: a running monitor (`urumi monitor` or urumi-http) completes the store")
        .hint(format!("without a monitor, run `urumi retry {id} --wait`; to remove the store, `urumi delete {id}`"))
}

fn unreachable(failure: CommandError) -> CommandError {
    failure
        .hint("`urumi doctor` checks the connection; --kubeconfig and --kube-context choose the cluster")
        .hint("to try urumi without a cluster, add `--cluster memory`")
}

impl From<ConnectError> for CommandError {
    fn from(error: ConnectError) -> Self {
        unreachable(CommandError::new(ExitStatus::Unreachable, error.to_string()).because_of(&error))
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        // The reader closed the pipe, as in `urumi list | head -1`.
        if error.kind() == io::ErrorKind::BrokenPipe {
            return CommandError::shown(ExitStatus::Ok);
        }
        CommandError::new(ExitStatus::Other, format!("cannot write the output: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_store::test_store;
    use serde_json::json;
    use urumi_core::error::Operation;
    use urumi_core::kubernetes::{ClusterError, ClusterErrorKind, Verb};

    fn store() -> Box<Store> {
        let broken = json!({
            "type": "DatabaseReady", "status": "False", "reason": "ImagePull", "message": "no such image",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        });
        let reason = "ImagePull no such image";
        Box::new(test_store("shop", json!({"status": "failed", "reason": reason, "conditions": [broken]})))
    }

    fn cluster(kind: ClusterErrorKind) -> ClusterError {
        ClusterError::new(Verb::Create, "Namespace store-shop", kind, "because").with_source("beneath")
    }

    fn at_cluster(kind: ClusterErrorKind) -> Error {
        Error::Cluster { operation: Operation::Create, id: Some(store().id), source: cluster(kind) }
    }

    #[test]
    fn every_kind_of_error_has_its_code_and_says_what_to_do() {
        let id = store().id;
        let errors = [
            (ExitStatus::Usage, FieldError::new("options.api.replicas", "must be 1 to 20").into()),
            (ExitStatus::Usage, Error::Ambiguous { given: "s".into(), ids: "shop, shoq".into() }),
            (ExitStatus::NotFound, Error::NotFound { id: id.clone() }),
            (
                ExitStatus::Conflict,
                Error::AlreadyExists { id: id.clone(), message: "a store of that id exists".into() },
            ),
            (
                ExitStatus::Conflict,
                Error::WrongState { operation: Operation::Retry, id: id.clone(), message: "it is ready".into() },
            ),
            (
                ExitStatus::TimedOut,
                Error::TimedOut { id, wanted: "ready".into(), seconds: 5, state: "it is provisioning".into() },
            ),
            (ExitStatus::StoreFailed, Error::StoreFailed { store: store() }),
            (ExitStatus::NotPermitted, at_cluster(ClusterErrorKind::Forbidden)),
            (ExitStatus::NotPermitted, at_cluster(ClusterErrorKind::Unauthorized)),
            (ExitStatus::Unreachable, at_cluster(ClusterErrorKind::Unreachable)),
            (ExitStatus::Unreachable, at_cluster(ClusterErrorKind::Timeout)),
            (ExitStatus::Other, at_cluster(ClusterErrorKind::QuotaExceeded)),
            (ExitStatus::Other, Error::Unfinished { store: store(), source: cluster(ClusterErrorKind::QuotaExceeded) }),
            (ExitStatus::NotPermitted, Error::LimitReached { owner: "user:ann".into(), has: 3, limit: 3 }),
            (ExitStatus::NotPermitted, Error::ProvisioningLimit { owner: "user:ann".into(), has: 2, limit: 2 }),
            (ExitStatus::NotFound, Error::Deleted { id: store().id, wanted: "ready".into() }),
            (ExitStatus::Usage, Error::KeyReused { id: store().id }),
            (ExitStatus::Conflict, Error::KeyStoreDeleting { id: store().id }),
            (
                ExitStatus::Conflict,
                Error::PreconditionFailed { operation: Operation::Delete, id: store().id, expected: "7".into() },
            ),
        ];
        let mut said = String::new();
        for (code, error) in errors {
            let failure = CommandError::from(error);
            assert_eq!(failure.code, code, "{failure:?}");
            said.push_str(&format!("{failure:#?}\n"));
        }
        insta::assert_snapshot!(said);
    }

    #[test]
    fn several_failures_keep_their_messages_and_a_common_code() {
        let missing = |error: &str| CommandError::new(ExitStatus::NotFound, error).hint("list");
        let not_found = || missing("no a");
        let mut conflict = CommandError::new(ExitStatus::Conflict, "no b").hint("list");
        conflict.causes.push("because".into());
        assert!(CommandError::all(Vec::new()).is_ok());
        let same = CommandError::all(vec![not_found(), missing("no c"), not_found()]).unwrap_err();
        assert_eq!((same.code, same.errors.len(), same.hints.len()), (ExitStatus::NotFound, 2, 1));
        let mixed = CommandError::all(vec![not_found(), conflict]).unwrap_err();
        assert_eq!((mixed.code, mixed.errors), (ExitStatus::Other, vec!["no a".to_owned(), "no b: because".into()]));
    }

    #[test]
    fn a_store_in_memory_does_not_go_on() {
        for error in [
            Error::TimedOut { id: store().id, wanted: "ready".into(), seconds: 5, state: "it is provisioning".into() },
            Error::StoreFailed { store: store() },
            Error::Unfinished { store: store(), source: cluster(ClusterErrorKind::QuotaExceeded) },
        ] {
            let hints = CommandError::of(error, Via::Memory).hints.join("; ");
            assert!(hints.contains(LOST) && !hints.contains("urumi"), "{hints}");
        }
    }

    #[test]
    fn every_problem_of_a_server_has_its_code_and_says_what_to_do() {
        let mut said = String::new();
        for (expected, kind, problem, detail) in [
            (ExitStatus::Usage, ErrorKind::Invalid, "malformed", "the query is not acceptable"),
            (ExitStatus::Usage, ErrorKind::Invalid, "idempotency-key-reused", "use a new key"),
            (ExitStatus::Conflict, ErrorKind::Conflict, "already-exists", "choose another id"),
            (ExitStatus::Conflict, ErrorKind::Conflict, "precondition-failed", "it has changed"),
            (ExitStatus::NotFound, ErrorKind::NotFound, "not-found", "there is no such store"),
            (ExitStatus::NotFound, ErrorKind::NotFound, "no-such-path", "there is no path /nope/stores"),
            (ExitStatus::NotPermitted, ErrorKind::NotPermitted, "unauthenticated", "the token is not valid"),
            (ExitStatus::NotPermitted, ErrorKind::NotPermitted, "forbidden", "delete-store needs the role operator"),
            (ExitStatus::NotPermitted, ErrorKind::NotPermitted, "limit-reached", "user:ann has 3 stores"),
            (
                ExitStatus::NotPermitted,
                ErrorKind::NotPermitted,
                "cluster-refused",
                "ask the administrator of the server",
            ),
            (ExitStatus::Unreachable, ErrorKind::Unreachable, "rate-limited", "too many requests"),
            (ExitStatus::Unreachable, ErrorKind::Unreachable, "none", "the server gave no answer: connection refused"),
            (
                ExitStatus::Unreachable,
                ErrorKind::Unreachable,
                "none",
                "no answer: invalid peer certificate: UnknownIssuer",
            ),
            (ExitStatus::Other, ErrorKind::Internal, "none", "the server answered 404, not as a urumi server does"),
            (ExitStatus::Other, ErrorKind::Internal, "internal", "ask the administrator of the server"),
        ] {
            let (code, detail) = (problem.to_owned(), detail.to_owned());
            let failure = CommandError::from(Error::Server { kind, code, detail, retryable: false });
            assert_eq!(failure.code, expected, "{failure:?}");
            assert!(!format!("{failure:?}").contains("kubeconfig"), "{failure:?}");
            said.push_str(&format!("{problem}: {}\n", failure.errors.join("; ")));
            failure.hints.iter().for_each(|hint| said.push_str(&format!("    {hint}\n")));
        }
        insta::assert_snapshot!(said);
    }
}
