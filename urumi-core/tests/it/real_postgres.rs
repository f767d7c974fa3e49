//! The Jobs of databases on a shared server, run as they are rendered, against a real PostgreSQL whose stores are hostile.
//!
//! `images/medusa-api/scripts/with-postgres` installs PostgreSQL and names its folder in `POSTGRES_BIN`. Without that, a test
//! says that it is skipped, and fails in CI.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use urumi_core::cluster::InMemoryCluster;
use urumi_core::engine::medusa::MedusaEngine;
use urumi_core::engine::{Engine, Manifest};
use urumi_core::secret::OsSecrets;
use urumi_core::{CreateStore, Orchestrator};

/// A PostgreSQL server of one test.
struct Postgres {
    folder: TempDir,
    bin: PathBuf,
    port: String,
}

impl Postgres {
    /// Starts a server on which everybody may create objects in `postgres` and `template1`, as was the default until
    /// PostgreSQL 14. It believes every name that a client gives.
    fn start() -> Option<Postgres> {
        let Some(bin) = std::env::var_os("POSTGRES_BIN").map(PathBuf::from) else {
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            let why = format!(
                "skipped: {test} needs PostgreSQL; run it with images/medusa-api/scripts/with-postgres cargo test\n"
            );
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
            // Past the harness, which hides what a passing test prints.
            std::io::stderr().write_all(why.as_bytes()).unwrap();
            return None;
        };
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port().to_string();
        drop(free);
        let server = Postgres { folder: tempfile::tempdir().unwrap(), bin, port };
        if is_root() {
            succeeds(Command::new("chown").arg("postgres").arg(server.folder.path()));
        }
        let initdb = server.command("initdb").args(["--username=postgres", "--auth=trust", "--no-sync"]).output();
        assert_succeeded(&initdb.unwrap());
        server.restart("");
        for database in ["postgres", "template1"] {
            server.sql(database, "GRANT CREATE ON SCHEMA public TO PUBLIC");
        }
        Some(server)
    }

    /// Starts the server with further settings.
    fn restart(&self, settings: &str) {
        let folder = self.folder.path();
        if folder.join("data/postmaster.pid").exists() {
            self.stop();
        }
        let options = format!(
            "-c listen_addresses=localhost -c port={} -c unix_socket_directories={} -c fsync=off {settings}",
            self.port,
            folder.display()
        );
        let log = folder.join("log");
        succeeds(self.command("pg_ctl").args(["--wait", "--options", &options, "--log"]).arg(&log).arg("start"));
    }

    fn stop(&self) {
        succeeds(self.command("pg_ctl").args(["--mode=immediate", "--wait", "stop"]));
    }

    /// A program of the server, as the user who may run it.
    fn command(&self, program: &str) -> Command {
        let program = self.bin.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.env("PGDATA", self.folder.path().join("data")).env("LC_ALL", "C.UTF-8").stdout(Stdio::null());
        command
    }

    /// A client, without the settings of whoever runs the test.
    fn psql(&self, user: &str, database: &str) -> Command {
        let mut command = self.client("psql");
        command.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]);
        command.env("PGHOST", self.folder.path()).env("PGUSER", user).env("PGDATABASE", database);
        command
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = format!("{}:{}", self.bin.display(), std::env::var("PATH").unwrap());
        command.env_clear().env("PATH", path).env("HOME", self.folder.path()).env("PGPORT", &self.port);
        command
    }

    fn run(&self, user: &str, database: &str, statements: &str) -> Output {
        self.psql(user, database).args(["--command", statements]).output().unwrap()
    }

    /// What the server answers to its superuser.
    #[track_caller]
    fn sql(&self, database: &str, statements: &str) -> String {
        self.sql_as("postgres", database, statements)
    }

    /// What the server answers to a role.
    #[track_caller]
    fn sql_as(&self, user: &str, database: &str, statements: &str) -> String {
        let output = self.run(user, database, statements);
        assert_succeeded(&output);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn admits(&self, user: &str, database: &str) -> bool {
        self.run(user, database, "SELECT").status.success()
    }

    /// A role that is the administrator of a provider's server: it may create roles and databases and no more.
    fn limited_administrator(&self) -> &'static str {
        self.sql("postgres", "CREATE ROLE administrator LOGIN CREATEROLE CREATEDB");
        "administrator"
    }

    /// An open transaction in which statements were executed.
    fn transaction(&self, user: &str, database: &str, statements: &str) -> Session {
        let mut command = self.psql(user, database);
        let mut client = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let begin = format!("BEGIN;\n{statements};\n\\echo begun\n");
        client.stdin.as_mut().unwrap().write_all(begin.as_bytes()).unwrap();
        let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "begun"), "{statements}");
        Session(client)
    }

    /// Whether nothing is left by which a later store of this name would be hindered.
    fn is_clean_of(&self, store: &str) -> bool {
        let left = "SELECT (SELECT count(*) FROM pg_roles WHERE rolname = 'NAME') \
             + (SELECT count(*) FROM pg_database WHERE datname = 'NAME')";
        self.sql("postgres", &left.replace("NAME", store)) == "0"
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A client with an open transaction.
struct Session(Child);

impl Drop for Session {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

#[track_caller]
fn succeeds(command: &mut Command) {
    assert_succeeded(&command.output().unwrap());
}

#[track_caller]
fn assert_succeeded(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A store on a server, with the two Jobs as they are rendered.
struct Store<'a> {
    server: &'a Postgres,
    name: String,
    administrator: &'a str,
    secret: BTreeMap<String, String>,
    make: Value,
    remove: Value,
}

impl Store<'_> {
    fn new<'a>(server: &'a Postgres, administrator: &'a str, id: &str) -> Store<'a> {
        Store::with(server, administrator, id, json!({"sslMode": "disable"}))
    }

    /// A store whose installation says more about the server.
    fn with<'a>(server: &'a Postgres, administrator: &'a str, id: &str, more: Value) -> Store<'a> {
        let mut described = json!({"host": "localhost", "namespace": "databases", "secretName": "administrator"});
        described.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        let defaults = json!({"database": {"mode": "managed", "server": described}});
        let engine = MedusaEngine::with_defaults(defaults.as_object().cloned().unwrap()).unwrap();
        let urumi = Orchestrator::builder(InMemoryCluster::builder().build()).engine(engine.clone()).build();
        let spec = urumi.prepare(&CreateStore::new("Test", "medusa").id(id)).unwrap();
        let rendered = engine.render(&spec, &OsSecrets).unwrap();
        let teardown = engine.teardown(&spec, &OsSecrets).unwrap().pop().unwrap().manifests;
        let elsewhere = |manifests: &[Manifest], kind: &str| -> Value {
            let there = |m: &&Manifest| m.object.namespace() == Some("databases") && m.object.kind().kind == kind;
            manifests.iter().find(there).unwrap().object.as_value().clone()
        };
        let container = |job: Value| job.pointer("/spec/template/spec/containers/0").unwrap().clone();
        let secret = elsewhere(&rendered, "Secret");
        let data = secret["data"].as_object().unwrap().iter().map(|(key, value)| {
            let value = base64::prelude::BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap();
            (key.clone(), String::from_utf8(value).unwrap())
        });
        Store {
            server,
            administrator,
            name: spec.namespace(),
            secret: data.collect(),
            make: container(elsewhere(&rendered, "Job")),
            remove: container(elsewhere(&teardown, "Job")),
        }
    }

    /// Runs a Job's container as Kubernetes would, but for where the server and the container's `/tmp` are, with its
    /// script cut off after a number of lines.
    fn run(&self, container: &Value, lines: usize) -> Output {
        let folder = self.server.folder.path();
        let text = |value: &Value| value.as_str().unwrap().replace("/tmp/", &format!("{}/", folder.display()));
        let command: Vec<&str> = container["command"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let script = text(&container["args"][0]);
        let kept: Vec<&str> = script.lines().filter(|line| *line != "SQL").take(lines).collect();
        let mut client = self.server.client(command[0]);
        client.args(&command[1..]).arg(format!("{}\nSQL\n", kept.join("\n")));
        for variable in container["env"].as_array().unwrap() {
            let name = variable["name"].as_str().unwrap();
            let from = &variable["valueFrom"]["secretKeyRef"];
            let value = match (from["name"].as_str(), from["key"].as_str()) {
                (None, _) => text(&variable["value"]),
                (Some("administrator"), Some("username")) => self.administrator.to_owned(),
                (Some("administrator"), _) => String::new(),
                (Some(_), key) => self.secret[key.unwrap()].clone(),
            };
            client.env(name, value);
        }
        client.env("PGPORT", &self.server.port).output().unwrap()
    }

    #[track_caller]
    fn make(&self) -> String {
        finished(&self.run(&self.make, usize::MAX))
    }

    #[track_caller]
    fn remove(&self) -> String {
        let log = finished(&self.run(&self.remove, usize::MAX));
        assert!(self.server.is_clean_of(&self.name), "{log}");
        log
    }

    /// The lines of a script after which a statement ends.
    fn interruptions(container: &Value) -> Vec<usize> {
        let script = container["args"][0].as_str().unwrap();
        // Further to the right is the body of a DO.
        let ends = |line: &str| {
            (line.ends_with(';') && !line.starts_with("    "))
                || ["\\gexec", "\\gset", "\\g /dev/null"].iter().any(|end| line.ends_with(end))
        };
        script.lines().enumerate().filter(|(_, line)| ends(line)).map(|(index, _)| index + 1).collect()
    }
}

/// The log of a Job that succeeded.
#[track_caller]
fn finished(output: &Output) -> String {
    assert_succeeded(output);
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A certificate for a name and its key in `folder`, signed by an authority that is made with it. Returns the authority.
fn certificate(folder: &Path, name: &str) -> String {
    let openssl = |args: &str| {
        let args = args.replace("DIR", folder.to_str().unwrap());
        succeeds(Command::new("openssl").args(args.split(' ')));
    };
    openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout DIR/ca.key -out DIR/ca.crt -subj /CN=authority",
    );
    let leaf =
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout DIR/server.key -out DIR/server.crt";
    let by = "-CA DIR/ca.crt -CAkey DIR/ca.key -addext basicConstraints=critical,CA:FALSE";
    openssl(&format!("{leaf} {by} -subj /CN={name} -addext subjectAltName=DNS:{name}"));
    if is_root() {
        succeeds(Command::new("chown").arg("postgres").args([folder.join("server.key"), folder.join("server.crt")]));
    }
    std::fs::read_to_string(folder.join("ca.crt")).unwrap()
}

const ATTACK: &str = r#"ALTER ROLE "store-eve" CREATEROLE CREATEDB"#;

#[test]
fn a_store_connects_to_its_own_database_only() {
    let Some(server) = Postgres::start() else { return };
    for id in ["eve", "victim"] {
        assert_eq!(Store::new(&server, "postgres", id).make(), "");
    }
    assert!(server.admits("store-eve", "store-eve"));
    for database in ["postgres", "template1", "store-victim"] {
        assert!(!server.admits("store-eve", database), "{database}");
    }
}

/// A store that may create objects where the administrator works defines functions by the names that the Jobs call.
#[test]
fn functions_of_a_store_are_not_called_by_the_administrator() {
    let Some(server) = Postgres::start() else { return };
    for administrator in [server.limited_administrator(), "postgres"] {
        let eve = Store::new(&server, administrator, "eve");
        eve.make();
        server.sql("postgres", "GRANT CONNECT ON DATABASE postgres TO PUBLIC");
        let functions = [
            ("format", "text, text", "text"),
            ("format", "text, name", "text"),
            ("format", "text, name, text", "text"),
            ("shobj_description", "oid, text", "text"),
            ("shobj_description", "oid, name", "text"),
            ("pg_get_userbyid", "oid", "name"),
            ("quote_ident", "name", "text"),
            ("has_database_privilege", "text, oid, text", "boolean"),
            ("pg_terminate_backend", "integer, integer", "boolean"),
        ];
        for (name, arguments, result) in functions {
            let body = format!("BEGIN {ATTACK}; RETURN NULL; END");
            let create = format!("CREATE FUNCTION public.{name}({arguments}) RETURNS {result} LANGUAGE plpgsql");
            server.sql_as("store-eve", "postgres", &format!("{create} AS $do$ {body} $do$"));
        }
        // The attack works on a session that finds functions by the usual path.
        let careless = "BEGIN; SELECT format('x'::text, 'y'::text); \
             SELECT rolcreaterole FROM pg_roles WHERE rolname = 'store-eve'; ROLLBACK";
        assert_eq!(server.sql_as("postgres", "postgres", careless).trim(), "t");

        let victim = Store::new(&server, administrator, "victim");
        victim.make();
        victim.remove();
        let gained = "SELECT rolcreaterole OR rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = 'store-eve'";
        assert_eq!(server.sql("postgres", gained), "f", "{administrator}");
        eve.remove();
    }
}

#[test]
fn a_session_on_template1_blocks_nobody() {
    let Some(server) = Postgres::start() else { return };
    let mallory = Store::new(&server, "postgres", "mallory");
    mallory.make();
    server.sql("postgres", "GRANT CONNECT ON DATABASE template1, postgres TO PUBLIC");
    let _session = server.transaction("store-mallory", "template1", "LOCK pg_database IN ACCESS SHARE MODE");
    let _other = server.transaction("store-mallory", "postgres", "CREATE TABLE public.x (y int)");
    let victim = Store::new(&server, "postgres", "victim");
    victim.make();
    victim.remove();
    mallory.remove();
}

#[test]
fn objects_in_template1_are_not_inherited_and_do_not_block_the_removal() {
    let Some(server) = Postgres::start() else { return };
    for administrator in [server.limited_administrator(), "postgres"] {
        let mallory = Store::new(&server, administrator, "mallory");
        mallory.make();
        server.sql("postgres", "GRANT CONNECT ON DATABASE template1, postgres TO PUBLIC");
        for database in ["template1", "postgres"] {
            server.sql_as("store-mallory", database, "SELECT lo_create(4711); CREATE TABLE public.x (y int)");
        }
        let victim = Store::new(&server, administrator, "victim");
        victim.make();
        assert_eq!(server.sql("store-victim", "SELECT count(*) FROM pg_largeobject_metadata"), "0");
        // As a store that was created from template1 once.
        server.sql("store-victim", "SELECT lo_create(4711); ALTER LARGE OBJECT 4711 OWNER TO \"store-mallory\"");
        assert!(mallory.remove().contains("removed-"), "its object in another store's database keeps the role");
        victim.remove();
        for database in ["template1", "postgres"] {
            assert_eq!(server.sql(database, "SELECT count(*) FROM pg_largeobject_metadata"), "0", "{database}");
        }
    }
}

/// A privilege of a role keeps it from being dropped, and everybody can grant privileges on objects of their own.
#[test]
fn a_privilege_that_another_store_grants_does_not_block_the_removal() {
    let Some(server) = Postgres::start() else { return };
    for administrator in [server.limited_administrator(), "postgres"] {
        let [mallory, victim] = ["mallory", "victim"].map(|id| Store::new(&server, administrator, id));
        mallory.make();
        victim.make();
        let grant = "CREATE TABLE x (y int); GRANT SELECT ON x TO \"store-victim\"; \
             GRANT CONNECT ON DATABASE \"store-mallory\" TO \"store-victim\"";
        server.sql_as("store-mallory", "store-mallory", grant);
        let open = "CREATE TABLE z (y int); GRANT SELECT ON z TO \"store-victim\"";
        let session = server.transaction("store-mallory", "store-mallory", open);
        assert!(victim.remove().contains("is now removed-"));
        drop(session);
        // A later store of this id has none of it.
        let later = Store::new(&server, administrator, "victim");
        later.make();
        assert!(!server.admits("store-victim", "store-mallory"));
        later.remove();
        mallory.remove();
    }
}

#[test]
fn a_store_cannot_keep_its_own_database() {
    let Some(server) = Postgres::start() else { return };
    for administrator in [server.limited_administrator(), "postgres"] {
        let eve = Store::new(&server, administrator, "eve");
        eve.make();
        let _session = server.transaction("store-eve", "store-eve", "CREATE TABLE x (y int)");
        server.sql("postgres", "GRANT CONNECT ON DATABASE postgres TO PUBLIC");
        let _other = server.transaction("store-eve", "postgres", "SELECT lo_create(0)");
        let keep = "ALTER DATABASE \"store-eve\" IS_TEMPLATE true; ALTER DATABASE \"store-eve\" ALLOW_CONNECTIONS false; \
             ALTER DATABASE \"store-eve\" SET search_path = public; ALTER ROLE \"store-eve\" SET role = 'store-eve'";
        for statement in keep.split("; ") {
            server.sql_as("store-eve", "postgres", statement);
        }
        eve.remove();
    }
}

#[test]
fn a_limited_administrator_is_told_what_it_cannot_close() {
    let Some(server) = Postgres::start() else { return };
    let administrator = server.limited_administrator();
    let eve = Store::new(&server, administrator, "eve");
    let log = eve.make();
    for database in ["postgres", "template1"] {
        assert!(log.contains(&format!("every store can connect to the database {database};")), "{log}");
    }
    assert!(server.admits("store-eve", "postgres"));
    server.sql("postgres", "REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC");
    server.sql("postgres", "GRANT CONNECT ON DATABASE postgres TO administrator");
    assert_eq!(Store::new(&server, administrator, "second").make(), "");
    assert!(!server.admits("store-eve", "postgres"));
    assert!(!server.admits("store-eve", "store-second"));
    eve.remove();
}

#[test]
fn making_and_removing_may_be_interrupted_after_every_statement() {
    let Some(server) = Postgres::start() else { return };
    for administrator in [server.limited_administrator(), "postgres"] {
        let mallory = Store::new(&server, administrator, "mallory");
        mallory.make();
        let one = Store::new(&server, administrator, "one");
        let points = Store::interruptions(&one.make);
        assert!(points.len() > 8, "{points:?}");
        for lines in points {
            one.run(&one.make, lines);
            assert!(!server.admits("store-mallory", "store-one"), "{administrator}, after line {lines}");
            one.remove();
            one.run(&one.make, lines);
            one.make();
            assert!(server.admits("store-one", "store-one"), "{administrator}, after line {lines}");
            one.remove();
        }
        let points = Store::interruptions(&one.remove);
        assert!(points.len() > 8, "{points:?}");
        for lines in points {
            one.make();
            one.run(&one.remove, lines);
            one.remove();
        }
        mallory.remove();
    }
}

/// What was on the server before, or another cluster made there, is neither taken over nor removed.
#[test]
fn a_role_of_the_same_name_is_left_alone() {
    let Some(server) = Postgres::start() else { return };
    let first = Store::new(&server, "postgres", "one");
    first.make();
    let other = Store::new(&server, "postgres", "one");
    let refused = other.run(&other.make, usize::MAX);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is not this store's"));
    finished(&other.run(&other.remove, usize::MAX));
    assert!(server.admits("store-one", "store-one"));
    first.remove();
}

#[test]
fn a_server_that_is_not_verified_gets_no_password() {
    let Some(server) = Postgres::start() else { return };
    let folder = server.folder.path();
    let authority = certificate(folder, "localhost");
    let settings = |folder: &Path| {
        format!("-c ssl=on -c ssl_cert_file={0}/server.crt -c ssl_key_file={0}/server.key", folder.display())
    };
    let verified = json!({"sslMode": "verifyFull", "ca": authority});
    let one = Store::with(&server, "postgres", "one", verified);
    let refused = |why: &str| {
        let output = one.run(&one.make, usize::MAX);
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && log.contains(why), "{log}");
    };
    refused("server does not support SSL");
    server.restart(&settings(folder));
    one.make();
    let address = &one.secret["DATABASE_URL"];
    assert!(address.ends_with("/store-one?sslmode=verify-full"), "{address}");
    one.remove();

    for name in ["localhost", "postgres.example.com"] {
        let other = folder.join(name);
        std::fs::create_dir(&other).unwrap();
        let theirs = certificate(&other, name);
        server.restart(&settings(&other));
        refused("certificate verify failed");
        let named = Store::with(&server, "postgres", "one", json!({"sslMode": "verifyFull", "ca": theirs}));
        assert_eq!(named.run(&named.make, usize::MAX).status.success(), name == "localhost");
    }
}
