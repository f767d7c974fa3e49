//! The API server's audit log.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};
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
    /// `get`, `list`, `create`, `update`, `patch`, `delete`.
    pub verb: String,
    /// The plural of the kind: `namespaces`.
    pub resource: String,
    /// The namespace of the object; of a namespace, its name.
    pub namespace: String,
    /// The HTTP status of the answer.
    pub code: u16,
    /// When it was answered.
    pub at: Timestamp,
}

/// Where the next line of a log begins, in bytes.
pub fn length(log: &Path) -> Result<u64, Error> {
    let mut file = File::open(log)?;
    let end = file.metadata()?.len();
    // The API server may be writing the last line; the longest line is shorter than this.
    let from = end.saturating_sub(1 << 20);
    file.seek(SeekFrom::Start(from))?;
    let mut text = Vec::new();
    file.take(end - from).read_to_end(&mut text)?;
    Ok(from + whole_lines(&text).len() as u64)
}

/// The text up to the last newline.
fn whole_lines(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    text.get(..end).unwrap_or_default()
}

/// The requests whose answers were logged from a position on, without watches.
pub fn requests(log: &Path, from: u64) -> Result<Vec<Request>, Error> {
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(from))?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    read(&text)
}

/// Reads whole lines; the API server may be writing the last one.
fn read(text: &[u8]) -> Result<Vec<Request>, Error> {
    let lines = whole_lines(text).split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut requests = Vec::new();
    for line in lines {
        let entry: Entry = serde_json::from_slice(line).map_err(|error| {
            let line = String::from_utf8_lossy(line);
            Error::new(ErrorKind::InvalidData, format!("{error} in this line of the audit log: {line}"))
        })?;
        // A watch is logged twice: when it starts (ResponseStarted) and when it ends.
        if entry.stage == "ResponseComplete" && entry.verb != "watch" {
            requests.push(entry.read());
        }
    }
    Ok(requests)
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

#[derive(Default, Deserialize)]
#[serde(default)]
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
            namespace: if resource == "namespaces" { name } else { namespace },
            resource,
            code: self.response_status.map_or(0, |answer| answer.code),
            at: self.stage_timestamp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &str = r#"{"stage":"ResponseComplete","verb":"get","user":{"username":"urumi"},"objectRef":{"resource":"pods","namespace":"store-a"},"responseStatus":{},"stageTimestamp":"2026-01-01T00:00:00.000000Z"}"#;
    const WATCH: &str = r#"{"stage":"ResponseStarted","verb":"watch","user":{"username":"urumi"},"stageTimestamp":"2026-01-01T00:00:00.000000Z"}"#;

    #[test]
    fn only_the_last_line_may_be_unfinished() {
        let requests = read(format!("{GET}\n{WATCH}\n{GET}\n{{\"stage\"").as_bytes()).unwrap();
        assert_eq!(requests.iter().map(|r| (r.verb.as_str(), r.code)).collect::<Vec<_>>(), [("get", 0), ("get", 0)]);
        assert!(read(format!("{{\"stage\"\n{GET}\n").as_bytes()).is_err());
    }

    #[test]
    fn a_log_is_read_from_its_next_line_on() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let length_of = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            length(file.path()).unwrap()
        };
        assert_eq!(length_of(""), 0);
        assert_eq!(length_of("{\"unfinished\""), 0);
        let from = length_of(&format!("{WATCH}\n{GET}\n{{\"stage\""));
        std::fs::write(file.path(), format!("{WATCH}\n{GET}\n{GET}\n")).unwrap();
        assert_eq!(requests(file.path(), from).unwrap().len(), 1);
    }
}
