//! `urumi login` and `urumi logout`, with an issuer and a server that verifies its tokens.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tempfile::TempDir;
use urumi_core::secret::SecretString;
use urumi_http::auth::{
    AuthError, Authentication, Authenticator, Bindings, Method, Oidc, OidcClient, OidcOptions, Principal, Role,
    SignInMethods,
};

use crate::issuer::{CLIENT, Issuer};
use crate::server::{ServerSetup, TestServer};
use crate::support::{CommandOutput, Run, urumi};

/// An issuer, a server that trusts it, and a user's home directory.
struct Scene {
    issuer: Issuer,
    server: TestServer,
    home: TempDir,
}

impl Scene {
    fn new() -> Scene {
        Scene::with_issuer(Issuer::start(None), None)
    }

    fn with_issuer(issuer: Issuer, ca: Option<PathBuf>) -> Scene {
        let mut options =
            OidcOptions::new(issuer.url(), CLIENT).bindings(Bindings::default().default_role(Some(Role::Operator)));
        options.ca = ca;
        let authentication = Authentication::chain(vec![Arc::new(Oidc::new(options).unwrap())]);
        let oidc = OidcClient::new(issuer.url()).client(CLIENT, ["openid", "groups"]);
        let sign_in = Some(SignInMethods::new([Method::Oidc]).oidc(oidc));
        let server = TestServer::with(ServerSetup { authentication, sign_in, ..ServerSetup::default() });
        Scene { issuer, server, home: tempfile::tempdir().unwrap() }
    }

    /// The command, with the user's home directory.
    fn urumi(&self) -> Command {
        at(self.home.path())
    }

    /// Runs `urumi login` with maximum verbosity, and visits the URL that it prints. Returns the page, too.
    fn login(&self, args: &[&str]) -> (CommandOutput, String) {
        let mut signing_in = Running::start(self.urumi().args(["login", &self.server.address, "-vvv"]).args(args));
        let url = signing_in.line(|line| line.starts_with("  http"));
        let page = visit(url.trim());
        (self.without_secrets(signing_in.end()), page)
    }

    /// Runs `urumi login --device`.
    fn login_with_device(&self, args: &[&str]) -> CommandOutput {
        let ran = self.urumi().args(["login", &self.server.address, "--device", "-vvv"]).run(args);
        self.without_secrets(ran)
    }

    /// Asserts that the output has no token.
    #[track_caller]
    fn without_secrets(&self, ran: CommandOutput) -> CommandOutput {
        let all = format!("{ran:?}");
        assert!(!all.contains("s3cr3t"), "{all}");
        self.issuer.record(|record| assert!(!record.secrets.iter().any(|secret| all.contains(secret)), "{all}"));
        ran
    }

    /// The folder with the saved logins.
    fn logins(&self) -> PathBuf {
        self.home.path().join("urumi/logins")
    }

    /// The content of the only saved login, if there is one.
    fn saved(&self) -> Option<Value> {
        let files = std::fs::read_dir(self.logins()).into_iter().flatten().map(|entry| entry.unwrap().path());
        let logins: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|it| it == "json")).collect();
        assert!(logins.len() <= 1, "{logins:?}");
        logins.first().map(|file| serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
    }
}

fn at(home: &Path) -> Command {
    let mut command = urumi();
    command.env("XDG_CONFIG_HOME", home).env("XDG_STATE_HOME", home);
    command
}

/// A command that is running.
struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

impl Running {
    fn start(command: &mut Command) -> Running {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Running { child, stderr, said: String::new() }
    }

    /// Waits for a line of stderr.
    fn line(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.stderr.read_line(&mut line).unwrap(), 0, "it ended: {}", self.said);
            self.said.push_str(&line);
            if wanted(&line) {
                return line;
            }
        }
    }

    fn end(mut self) -> CommandOutput {
        self.stderr.read_to_string(&mut self.said).unwrap();
        let mut output = CommandOutput::from(self.child.wait_with_output().unwrap());
        output.stderr = self.said;
        output
    }
}

/// Visits a page as a browser, which follows redirects.
fn visit(url: &str) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let browser = reqwest::Client::builder().no_proxy().build().unwrap();
        browser.get(url).send().await.unwrap().text().await.unwrap()
    })
}

#[test]
fn a_user_signs_in_with_a_browser_and_is_known_from_then_on() {
    let scene = Scene::new();
    let (ran, page) = scene.login(&["--no-browser"]);
    assert!(page.contains("You may close this window"), "{page}");
    assert!(ran.stderr.contains(&format!("signs users in at {} (client cli)", scene.issuer.url())), "{}", ran.stderr);
    assert!(ran.stderr.contains("as ann with the role operator"), "{}", ran.stderr);
    assert!(ran.stderr.contains("context 127.0.0.1 is the default now"), "{}", ran.stderr);
    assert_eq!(ran.ok(), "");
    assert_eq!(scene.issuer.record(|record| record.scope.clone()), "openid groups offline_access");

    let identity = scene.without_secrets(scene.urumi().run(&["whoami", "-o", "json", "-vvv"])).json();
    assert_eq!((&identity["subject"], &identity["how"]), (&json!("ann"), &json!("oidc")));
    assert_eq!(identity["renewable"], true);
    assert!(identity["tokenExpires"].is_string(), "{identity}");
    assert!(scene.urumi().run(&["whoami"]).ok().contains("it is renewed before"));
    let listed = scene.without_secrets(scene.urumi().run(&["context", "list", "-o", "json"])).json();
    assert_eq!(listed, json!([{"name": "127.0.0.1", "current": true, "server": scene.server.address}]));

    // The default server is signed in to again under the same name, and the other tokens outrank the login.
    let mut again = Running::start(scene.urumi().args(["login", "--no-browser", "-o", "json"]).env("URUMI_TOKEN", "x"));
    visit(again.line(|line| line.starts_with("  http")).trim());
    let again = again.end();
    assert!(again.stderr.contains("URUMI_TOKEN is set and outranks this login"), "{}", again.stderr);
    assert_eq!(again.json()["context"], "127.0.0.1");
    assert_eq!(scene.urumi().env("URUMI_TOKEN", "x").run(&["whoami"]).code, 7);
}

#[cfg(unix)]
#[test]
fn the_saved_token_is_for_its_user_and_its_server_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new();
    let mut open = Command::new("sh");
    let urumi = scene.urumi();
    for (name, value) in urumi.get_envs() {
        match value {
            Some(value) => open.env(name, value),
            None => open.env_remove(name),
        };
    }
    open.args(["-c", "umask 0; exec \"$@\"", "sh"]).arg(urumi.get_program());
    assert_eq!(CommandOutput::from(open.args(["login", &scene.server.address, "--device"]).output().unwrap()).code, 0);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&scene.logins()), 0o700);
    for entry in std::fs::read_dir(scene.logins()).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    // Another server gets no token, even with the same configuration, nor does the same one by another name.
    let other = Scene::new();
    let localhost = scene.server.address.replace("127.0.0.1", "localhost");
    for address in [&other.server.address, &localhost] {
        let ran = scene.urumi().run(&["whoami", "--server", address]);
        assert_eq!((ran.code, ran.stderr.contains("`urumi login`")), (7, true), "{}", ran.stderr);
    }
    scene.urumi().run(&["whoami", "--server", &format!("{}/", scene.server.address)]).ok();
    let ran = scene.urumi().run(&["login", "http://urumi.invalid"]);
    assert_eq!((ran.code, ran.stderr.contains("would be sent unencrypted")), (2, true), "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn the_browser_of_the_environment_gets_the_url() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new();
    let (pipe, script) = (scene.home.path().join("pipe"), scene.home.path().join("browser"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::fs::write(&script, format!("#!/bin/sh\nprintf %s \"$1\" > '{}'\n", pipe.display())).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let login = ["login", &scene.server.address];
    let signing_in = Running::start(scene.urumi().args(login).env("BROWSER", &script));
    visit(&std::fs::read_to_string(&pipe).unwrap());
    signing_in.end().ok();
}

#[test]
fn a_redirect_that_is_not_of_this_sign_in_is_refused() {
    let scene = Scene::new();
    for (redirect, said) in [
        (json!({"state": "another"}), "state differs"),
        (json!({"state": null}), "state differs"),
        (json!({"iss": "https://evil.example.com"}), "another issuer"),
        (json!({"iss": null}), "does not name its issuer"),
        (json!({"code": null, "error": "access_denied", "error_description": "no\u{1b}[31m"}), "access_denied: no\\u"),
        (json!({"code": null}), "has no code"),
    ] {
        scene.issuer.behave(|behaviour| behaviour.redirect = redirect.clone());
        let (ran, page) = scene.login(&["--no-browser"]);
        assert_eq!((ran.code, ran.stderr.contains(said)), (7, true), "{redirect}: {}", ran.stderr);
        assert!(page.contains("Not signed in"), "{page}");
    }
    // A code of somebody else: the verifier does not fit.
    scene.issuer.behave(|behaviour| behaviour.redirect = json!({"code": "stolen"}));
    let (ran, _) = scene.login(&["--no-browser"]);
    assert_eq!((ran.code, ran.stderr.contains("refuses: invalid_grant")), (7, true), "{}", ran.stderr);
    assert_eq!(scene.saved(), None);
}

#[test]
fn tokens_of_another_issuer_client_sign_in_or_time_are_refused() {
    let scene = Scene::new();
    let now = jiff::Timestamp::now().as_second();
    for (claims, said) in [
        (json!({"iss": "https://evil.example.com"}), "names the issuer"),
        (json!({"aud": "dashboard"}), "for another client"),
        (json!({"nonce": "another"}), "another sign-in"),
        (json!({"exp": now - 300}), "clock may be ahead"),
        (json!({"iat": now + 300}), "clock may be behind"),
    ] {
        scene.issuer.behave(|behaviour| behaviour.claims = claims.clone());
        let (ran, _) = scene.login(&["--no-browser"]);
        assert_eq!((ran.code, ran.stderr.contains(said)), (1, true), "{claims}: {}", ran.stderr);
    }
    scene.issuer.behave(|behaviour| behaviour.claims = json!({}));
    for (metadata, said) in [
        (json!({"issuer": "https://evil.example.com"}), "names another issuer"),
        (json!({"token_endpoint": "http://login.example.com/token"}), "must begin with https://"),
        (json!({"token_endpoint": null}), "no token_endpoint"),
        (json!({"device_authorization_endpoint": null}), "offers no sign-in with a device code"),
    ] {
        scene.issuer.behave(|behaviour| behaviour.metadata = metadata.clone());
        let ran = scene.login_with_device(&[]);
        assert_eq!((ran.code, ran.stderr.contains(said)), (1, true), "{metadata}: {}", ran.stderr);
    }
    assert_eq!(scene.saved(), None);
}

#[test]
fn a_user_signs_in_on_another_device() {
    let scene = Scene::new();
    scene.issuer.behave(|behaviour| behaviour.device = ["authorization_pending"; 3].into());
    let ran = scene.urumi().run(&["login", &scene.server.address, "--device", "--quiet"]);
    let verify = format!("open {}/verify in a browser on any device and enter the code ABCD-EFGH", scene.issuer.url());
    assert!(ran.stderr.contains(&verify), "{}", ran.stderr);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(scene.urumi().run(&["whoami", "-o", "name"]).ok(), "ann\n");

    for (error, code, said) in [
        ("access_denied", 7, "the sign-in was denied"),
        ("expired_token", 5, "the code has expired"),
        ("invalid_grant", 7, "refuses: invalid_grant"),
    ] {
        scene.issuer.behave(|behaviour| behaviour.device = ["authorization_pending", error].into());
        let ran = scene.login_with_device(&[]);
        assert_eq!((ran.code, ran.stderr.contains(said)), (code, true), "{}", ran.stderr);
    }
    // It is chosen where no browser can be.
    let ran = scene.urumi().env("SSH_CONNECTION", "x").run(&["login", &scene.server.address]);
    assert_eq!((ran.code, ran.stderr.contains("ABCD-EFGH")), (0, true), "{}", ran.stderr);
}

#[test]
fn a_token_is_renewed_once_by_commands_that_run_at_once() {
    let scene = Scene::new();
    // Valid, but to be renewed.
    scene.issuer.behave(|behaviour| behaviour.expires_in = 50);
    assert_eq!(scene.login_with_device(&[]).code, 0);
    let before = scene.saved().unwrap();
    scene.issuer.behave(|behaviour| behaviour.expires_in = 3600);
    let commands: Vec<Running> =
        (0..4).map(|_| Running::start(scene.urumi().args(["whoami", "-o", "name", "-vvv"]))).collect();
    for command in commands {
        assert_eq!(scene.without_secrets(command.end()).ok(), "ann\n");
    }
    assert_eq!(scene.issuer.record(|record| (record.refreshed, record.refused)), (1, 0));
    let after = scene.saved().unwrap();
    assert_ne!(before["token"], after["token"]);
    assert_eq!(after["renewal"]["refreshToken"], json!(scene.issuer.record(|record| record.refresh_token.clone())));

    // The token of another user is not accepted as the renewed one, but the present one lasts.
    scene.issuer.behave(|behaviour| behaviour.expires_in = 50);
    assert_eq!(scene.login_with_device(&[]).code, 0);
    scene.issuer.behave(|behaviour| behaviour.claims = json!({"sub": "bob"}));
    assert_eq!(scene.urumi().run(&["whoami", "-o", "name"]).ok(), "ann\n");
}

#[test]
fn who_has_no_valid_token_any_more_is_told_to_sign_in() {
    let scene = Scene::new();
    let told = || {
        let ran = scene.without_secrets(scene.urumi().run(&["list", "-vvv"]));
        let hint = format!("run `urumi login {}`", scene.server.address);
        assert_eq!((ran.code, ran.stderr.contains("has expired")), (7, true), "{}", ran.stderr);
        assert!(ran.stderr.contains(&hint), "{}", ran.stderr);
    };
    // Just expired; the server and the check at the sign-in still tolerate that.
    scene.issuer.behave(|behaviour| behaviour.expires_in = -20);
    assert_eq!(scene.login_with_device(&[]).code, 0);
    scene.issuer.record(|record| record.refresh_token = None);
    told();
    scene.issuer.behave(|behaviour| behaviour.no_refresh = true);
    let ran = scene.login_with_device(&[]);
    assert!(ran.stderr.contains("cannot be renewed; then run `urumi login` again"), "{}", ran.stderr);
    told();
    // An issuer that does not answer is another problem.
    scene.issuer.behave(|behaviour| behaviour.no_refresh = false);
    assert_eq!(scene.login_with_device(&[]).code, 0);
    let Scene { issuer, home, server: _server } = scene;
    drop(issuer);
    let ran = at(home.path()).run(&["list"]);
    assert_eq!((ran.code, ran.stderr.contains("gave no answer")), (8, true), "{}", ran.stderr);
}

#[test]
fn who_signs_out_has_no_token_and_the_issuer_revokes_its_refresh_token() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let scene = Scene::with_issuer(Issuer::start(Some(&ca)), Some(ca.clone()));
    assert_eq!(scene.login_with_device(&["--ca-file", ca.to_str().unwrap()]).code, 0);
    let refresh_token = scene.issuer.record(|record| record.refresh_token.clone()).unwrap();
    // The context has the CA file.
    let ran = scene.without_secrets(scene.urumi().run(&["logout", "-vvv"]));
    assert!(ran.stderr.contains("the issuer has revoked the refresh token"), "{}", ran.stderr);
    assert_eq!(ran.ok(), "");
    assert_eq!(scene.issuer.record(|record| record.revoked.clone()), [refresh_token]);
    assert_eq!(scene.saved(), None);
    assert_eq!(scene.urumi().run(&["whoami"]).code, 7);
    let ran = scene.urumi().run(&["logout"]);
    assert!(ran.stderr.contains("you are not signed in to"), "{}", ran.stderr);
    ran.ok();

    // Without an answer of the issuer, the token is deleted nevertheless.
    assert_eq!(scene.login_with_device(&[]).code, 0);
    scene.issuer.behave(|behaviour| behaviour.metadata = json!({"issuer": "https://other"}));
    let ran = scene.without_secrets(scene.urumi().run(&["logout"]));
    assert!(ran.stderr.contains("the refresh token was not revoked: "), "{}", ran.stderr);
    ran.ok();
    assert_eq!(scene.saved(), None);
}

/// Knows one token.
struct StaticToken;

const TOKEN: &str = "s3cr3t-static";

#[async_trait]
impl Authenticator for StaticToken {
    async fn authenticate(&self, token: &SecretString) -> Result<Option<Principal>, AuthError> {
        Ok((token.reveal() == TOKEN).then(|| Principal::new("ci", Role::Viewer)))
    }
}

#[test]
fn a_server_with_tokens_only_takes_one_from_stdin() {
    let authentication = Authentication::chain(vec![Arc::new(StaticToken)]);
    let sign_in = Some(SignInMethods::new([Method::StaticToken]));
    let server = TestServer::with(ServerSetup { authentication, sign_in, ..ServerSetup::default() });
    let home = tempfile::tempdir().unwrap();
    let ran = at(home.path()).run(&["login", &server.address]);
    assert_eq!((ran.code, ran.stderr.contains("--with-token < FILE`")), (7, true), "{}", ran.stderr);
    let login = |token: &str| {
        let mut login = at(home.path());
        let login = login.args(["login", &server.address, "--with-token", "-vvv"]);
        let mut child = login.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(token.as_bytes()).unwrap();
        let ran = CommandOutput::from(child.wait_with_output().unwrap());
        assert!(!format!("{ran:?}").contains("s3cr3t"), "{ran:?}");
        ran
    };
    for (token, code, said) in [
        ("s3cr3t-wrong\n", 7, "the server refuses the token"),
        ("", 2, "stdin contains no valid token"),
        ("s3cr3t two\n", 2, "stdin contains no valid token"),
    ] {
        let ran = login(token);
        assert_eq!((ran.code, ran.stderr.contains(said)), (code, true), "{}", ran.stderr);
        assert!(!home.path().join("urumi").exists());
    }
    assert!(login(&format!("{TOKEN}\n")).stderr.contains("as ci with the role viewer"));
    assert_eq!(at(home.path()).run(&["whoami", "-o", "name"]).ok(), "ci\n");
    at(home.path()).run(&["logout"]).ok();
    assert_eq!(at(home.path()).run(&["whoami"]).code, 7);
}

#[test]
fn a_server_without_authentication_needs_no_token() {
    let (server, home) = (TestServer::start(), tempfile::tempdir().unwrap());
    let ran = at(home.path()).run(&["login", &server.address]);
    assert!(ran.stderr.contains("has no authentication, so no token is needed"), "{}", ran.stderr);
    ran.ok();
    assert_eq!(at(home.path()).run(&["whoami", "-o", "name"]).ok(), "local\n");
    let ran = at(home.path()).run(&["login", "--cluster", "memory"]);
    assert_eq!((ran.code, ran.stderr.contains("the server's address is missing")), (2, true), "{}", ran.stderr);
}
