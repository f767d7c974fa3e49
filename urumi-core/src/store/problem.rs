//! The codes of the problems that a urumi server reports.

macro_rules! codes {
    ($($name:ident = $code:literal, $meaning:literal;)*) => {
        /// What went wrong with a request to a server: `code` in its problem details (RFC 9457).
        ///
        /// A code never changes its meaning. A newer server may report codes that are not listed here.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ProblemCode {
            $(#[doc = $meaning] $name,)*
        }

        impl ProblemCode {
            /// All codes.
            pub const ALL: &'static [ProblemCode] = &[$(ProblemCode::$name,)*];

            /// The code's name in problem details.
            pub fn as_str(self) -> &'static str {
                match self { $(ProblemCode::$name => $code,)* }
            }
        }
    };
}

codes! {
    Malformed = "malformed", "The request cannot be parsed.";
    Invalid = "invalid", "A field of the request is invalid.";
    Unauthenticated = "unauthenticated", "The request has no valid credentials.";
    Forbidden = "forbidden", "The user may not do this.";
    CrossSite = "cross-site", "The request comes from a web page of another origin.";
    LimitReached = "limit-reached", "The owner has the maximum number of stores, or their stores would request too much.";
    NotFound = "not-found", "The store does not exist.";
    NoSuchEngine = "no-such-engine", "The engine does not exist.";
    NoSuchPath = "no-such-path", "The path does not exist.";
    MethodNotAllowed = "method-not-allowed", "The path does not support the method.";
    NotAcceptable = "not-acceptable", "The response is not available in the requested format.";
    AlreadyExists = "already-exists", "The store's id is already in use.";
    WrongState = "wrong-state", "The store's status does not allow this.";
    IdempotencyInUse = "idempotency-key-in-use", "The store created with the key is being deleted.";
    SmokeRunning = "smoke-running", "A smoke order in the store has not ended yet.";
    Conflict = "conflict", "Another client changed the store at the same time.";
    PreconditionFailed = "precondition-failed", "The store has changed since the given version.";
    PayloadTooLarge = "payload-too-large", "The body is too large.";
    UriTooLong = "uri-too-long", "Path and query are too long.";
    Misdirected = "misdirected", "The server does not accept the host name of the request.";
    UnsupportedMediaType = "unsupported-media-type", "The body's media type is not supported.";
    UnsupportedEncoding = "unsupported-encoding", "The body's content encoding is not supported.";
    IdempotencyMismatch = "idempotency-key-reused", "The key was used for another request.";
    RateLimited = "rate-limited", "The client sent too many requests.";
    ProvisioningLimit = "provisioning-limit", "Too many of the owner's stores are provisioning.";
    CreationLimit = "creation-limit", "The owner has created too many stores within an hour.";
    HeadersTooLarge = "headers-too-large", "The headers are too large.";
    Internal = "internal", "The server or the store's record has an error.";
    ClusterRefused = "cluster-refused", "The cluster refused the server's request.";
    NoReport = "no-report", "The smoke test ended without a report.";
    ApiUnreachable = "api-unreachable", "The dashboard cannot reach the API.";
    NotReady = "not-ready", "The server has not yet read the cluster's state.";
    Overloaded = "overloaded", "The server has too many requests.";
    ClusterUnreachable = "cluster-unreachable", "The cluster does not respond.";
    AuthUnavailable = "auth-unavailable", "The service that verifies credentials does not respond.";
    VersionNotReached = "version-not-reached", "The server has not seen the requested version yet.";
    TimedOut = "timed-out", "The request exceeded the server's time limit.";
}

impl ProblemCode {
    /// The code with this name, unless it is unknown.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_the_name_of_one_code() {
        for code in ProblemCode::ALL {
            assert_eq!(ProblemCode::parse(code.as_str()), Some(*code));
        }
        assert_eq!(ProblemCode::parse("none"), None);
    }
}
