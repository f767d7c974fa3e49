//! The API server's audit log.

use std::fs::File;
use std::io::{Error, Read, Seek, SeekFrom};
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;

/// A request that the API server has answered.
#[derive(Clone, Debug)]
pub struct Request {
    /// The client's user agent.
    pub agent: String,
    /// The user as whom the client acts.
    pub caller: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    pub verb: String,
    /// The plural of the kind: `namespaces`.
    pub resource: String,
    /// The namespace of the object; of a namespace, its name.
    pub namespace: String,
    /// The name of the object; the log has none for most creations.
    pub name: String,
    /// The HTTP status of the answer.
    pub code: u16,
    /// When it was answered.
    pub at: Timestamp,
}

/// The length of a log in bytes.
pub fn length(log: &Path) -> Result<u64, Error> {
    Ok(std::fs::metadata(log)?.len())
}

/// The requests whose answers were logged from a position on, without watches.
pub fn requests(log: &Path, from: u64) -> Result<Vec<Request>, Error> {
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(from))?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    // The API server may be writing the last line.
    let entries = text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
    // A watch is logged twice: when it starts (ResponseStarted) and when it ends.
    Ok(entries.filter(|entry| entry.stage == "ResponseComplete" && entry.verb != "watch").map(Entry::read).collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    stage: String,
    verb: String,
    #[serde(default)]
    user_agent: String,
    user: User,
    impersonated_user: Option<User>,
    #[serde(default)]
    object_ref: Object,
    response_status: Option<Answer>,
    stage_timestamp: Timestamp,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Object {
    resource: String,
    namespace: String,
    name: String,
}

#[derive(Deserialize)]
struct Answer {
    code: u16,
}

impl Entry {
    fn read(self) -> Request {
        let Object { resource, namespace, name } = self.object_ref;
        // Where all replicas share one token (`dev/tests/chart/suites`), the user agent ends with the name of the caller.
        let named = self.user_agent.rsplit_once(" as ").map(|(_, name)| name.to_owned());
        Request {
            caller: named.unwrap_or_else(|| self.impersonated_user.unwrap_or(self.user).username),
            agent: self.user_agent,
            verb: self.verb,
            namespace: if resource == "namespaces" { name.clone() } else { namespace },
            resource,
            name,
            code: self.response_status.map_or(0, |answer| answer.code),
            at: self.stage_timestamp,
        }
    }
}
