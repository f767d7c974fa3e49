//! `urumi login`.

use std::io::{self, IsTerminal as _, Read as _};

use serde_json::json;
use urumi_core::error::{Error, ErrorKind};
use urumi_core::http_client::ServerOptions;
use urumi_core::secret::SecretString;
use urumi_core::{HttpOrchestrator, store::ProblemCode};

use super::context::warn_outranked;
use super::whoami;
use crate::choice::{Choice, ServerChoice, choose, outranking_variables};
use crate::cli::{GlobalArgs, LoginArgs};
use crate::contexts::{Context, Contexts, check_name};
use crate::exit::{CommandError, ExitStatus, Via};
use crate::file::{self, MAX_FILE};
use crate::login::{self, Browser, Flow, Login, LoginFile, SignInMethods, TokenText, normalized};
use crate::output::Out;
use crate::{follow, target};

pub(super) async fn run(global: &GlobalArgs, out: &Out, args: &LoginArgs) -> Result<(), CommandError> {
    let choice = server(global, args.address.as_deref())?;
    let server = connect(&choice)?;
    let address = normalized(server.address());
    if !server.is_confidential() {
        return Err(CommandError::usage(format!("cannot sign in to {address}: the token would be sent unencrypted"))
            .hint("use https; http works only for a server on this computer"));
    }
    let no_home = || {
        CommandError::new(ExitStatus::Other, "cannot save a login: there is no home directory")
            .hint("set HOME or XDG_STATE_HOME to an absolute path, or pass the token in $URUMI_TOKEN")
    };
    let file = LoginFile::of(&server).ok_or_else(no_home)?;
    let mut contexts = Contexts::load()?;
    let given = global.context.as_deref().filter(|_| global.is_flag("context"));
    let name = context_name(&contexts, address, given)?;

    let methods = ask(&server).await?;
    if methods.is_open() {
        file.delete().map_err(|error| file.failed("delete", &error))?;
        out.note(&format!("{address} has no authentication, so no token is needed"));
    } else {
        let signing_in = token(&methods, address, &choice, args, out);
        let login = follow::unless_interrupted("nothing was saved", signing_in).await?;
        let identity = verify(&choice, &login).await?;
        let held = file.lock().await.map_err(|error| file.failed("lock", &error))?;
        file.save(&login).map_err(|error| file.failed("save", &error))?;
        drop(held);
        let expires = login.expires();
        out.structured(&json!({
            "server": address, "context": name, "subject": identity.subject, "role": identity.role,
            "tokenExpires": expires, "renewable": login.renewal.is_some(),
        }))?;
        out.note(&format!("signed in to {address} as {} with the role {}", identity.subject, identity.role));
        if let (Some(expires), None) = (expires, &login.renewal) {
            out.note(&format!("the token expires at {expires:.0} and cannot be renewed; then run `urumi login` again"));
        }
    }

    // A token file would outrank the login.
    let saved = Context { server: address.to_owned(), token_file: None, ca_file: choice.ca_file.clone() };
    if let Some(file) = contexts.contexts.insert(name.clone(), saved).and_then(|replaced| replaced.token_file) {
        out.note(&format!("context {name} no longer uses the token file {}", file.display()));
    }
    contexts.current = Some(name.clone());
    contexts.save()?;
    out.note(&format!("context {name} is the default now"));
    let commands_use_it = args.address.is_none() || global.server.as_deref().map(normalized) == Some(address);
    if !commands_use_it {
        warn_outranked(out, &outranking_variables());
    }
    for variable in ["URUMI_TOKEN", "URUMI_TOKEN_FILE"] {
        if std::env::var_os(variable).is_some_and(|value| !value.is_empty()) {
            out.warn(&format!("{variable} is set and outranks this login"));
        }
    }
    Ok(())
}

/// The server to sign in to or out of: the argument, or else the chosen server.
pub(super) fn server(global: &GlobalArgs, address: Option<&str>) -> Result<ServerChoice, CommandError> {
    if global.is_flag("token_file") {
        return Err(CommandError::usage("--token-file is not for this command")
            .hint("to save a token, run `urumi login URL --with-token < FILE`"));
    }
    let mut choice = match address {
        Some(address) => {
            let address = if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
            let contexts = Contexts::load()?;
            let mut saved = contexts.contexts.values().filter(|saved| saved.server == normalized(&address));
            let ca_file = global.ca_file.clone().or_else(|| saved.find_map(|saved| saved.ca_file.clone()));
            ServerChoice { address, token_file: None, ca_file }
        }
        None => match choose(global)? {
            Choice::Server(server) => server,
            Choice::Cluster(_) => {
                return Err(CommandError::usage("the server's address is missing")
                    .hint("example: `urumi login https://urumi.example.com`"));
            }
        },
    };
    if let Some(file) = &choice.ca_file {
        let absolute = std::path::absolute(file);
        choice.ca_file =
            Some(absolute.map_err(|error| CommandError::usage(format!("invalid path {}: {error}", file.display())))?);
    }
    Ok(choice)
}

/// A client without a token.
pub(super) fn connect(choice: &ServerChoice) -> Result<HttpOrchestrator, CommandError> {
    let mut options = ServerOptions::default().user_agent(target::PROGRAM);
    options.ca_certificates = ca(choice)?;
    HttpOrchestrator::connect(&choice.address, &options).map_err(|error| target::unusable(&choice.address, &error))
}

/// The additional CA certificates.
pub(super) fn ca(choice: &ServerChoice) -> Result<Option<Vec<u8>>, CommandError> {
    choice.ca_file.as_deref().map(|file| file::read(file, "the CA certificates")).transpose()
}

async fn ask(server: &HttpOrchestrator) -> Result<SignInMethods, CommandError> {
    server.ask(&["authentication"]).await.map_err(|error| {
        let code = if let Error::Server { code, .. } = &error { ProblemCode::parse(code) } else { None };
        match code {
            Some(ProblemCode::NoSuchPath) => CommandError::new(
                ExitStatus::Other,
                "the server does not say how to sign in: it is older than this command",
            )
            .hint("pass a token in $URUMI_TOKEN or with --token-file"),
            _ => CommandError::of(error, Via::Server),
        }
    })
}

/// Gets a token.
async fn token(
    methods: &SignInMethods,
    address: &str,
    choice: &ServerChoice,
    args: &LoginArgs,
    out: &Out,
) -> Result<Login, CommandError> {
    if args.with_token {
        let token = TokenText(read_token(out)?);
        return Ok(Login { server: address.to_owned(), token, renewal: None });
    }
    let client = methods.oidc.as_ref().and_then(|oidc| Some((oidc, oidc.client_id.as_deref()?)));
    let Some((oidc, client_id)) = client else {
        let why = match &methods.oidc {
            Some(oidc) => format!(
                "{address} accepts tokens of the issuer {}, but has no client for the command line there",
                oidc.issuer
            ),
            None => format!("{address} accepts only tokens, and no sign-in with a browser"),
        };
        return Err(CommandError::new(ExitStatus::NotPermitted, why)
            .hint(format!("ask its administrator for a token, and run `urumi login {address} --with-token < FILE`")));
    };
    let browser = Browser { open: !args.no_browser, port: args.port.unwrap_or(0) };
    let flow = match args.device {
        true => Flow::Device,
        false if args.no_browser || args.port.is_some() => Flow::Browser(browser),
        false => Flow::Automatic,
    };
    // The server chooses the issuer and the client. The user should see which.
    out.note(&format!("{address} signs users in at {} (client {client_id})", oidc.issuer));
    login::sign_in(address, oidc, client_id, flow, ca(choice)?.as_deref(), out).await
}

fn read_token(out: &Out) -> Result<SecretString, CommandError> {
    if io::stdin().is_terminal() {
        out.note("paste the token, then press Enter and Ctrl-D:");
    }
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(MAX_FILE + 1).read_to_end(&mut bytes);
    read.map_err(|error| CommandError::usage(format!("cannot read the token from stdin: {error}")))?;
    target::checked_token(String::from_utf8(bytes).ok(), "stdin")
}

/// Checks that the server accepts the token.
async fn verify(choice: &ServerChoice, login: &Login) -> Result<whoami::Identity, CommandError> {
    let server = connect(choice)?.token_source(login.token.0.clone());
    whoami::ask(&server).await.map_err(|error| match error.kind() {
        ErrorKind::NotPermitted => {
            CommandError::new(ExitStatus::NotPermitted, format!("the server refuses the token: {error}"))
                .hint("nothing was saved; ask the administrator of this server")
        }
        _ => CommandError::of(error, Via::Server),
    })
}

/// The context for a server: the given name, that of a context with this address, or a name made from the address.
fn context_name(contexts: &Contexts, address: &str, given: Option<&str>) -> Result<String, CommandError> {
    if let Some(name) = given {
        check_name(name)?;
        return Ok(name.to_owned());
    }
    let saved = |name: &String| contexts.contexts.get(name).is_some_and(|saved| normalized(&saved.server) == address);
    if let Some(name) = contexts.current.as_ref().filter(|name| saved(name)) {
        return Ok(name.clone());
    }
    if let Some(name) = contexts.contexts.keys().find(|name| saved(name)) {
        return Ok(name.clone());
    }
    let (_, rest) = address.split_once("://").unwrap_or(("", address));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let mut candidates = [host.to_owned(), authority.to_owned(), format!("{authority}-{path}")].into_iter();
    let name = candidates.find_map(|text| {
        let allowed = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        let name: String = text.chars().map(allowed).collect();
        let name = name.trim_matches('-').to_owned();
        (check_name(&name).is_ok() && !contexts.contexts.contains_key(&name)).then_some(name)
    });
    name.ok_or_else(|| {
        CommandError::usage(format!("no name for a context can be made from {address}"))
            .hint(format!("save one with `urumi context set NAME --server {address}`, then sign in again"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contexts(saved: &[(&str, &str)], current: Option<&str>) -> Contexts {
        let context = |server: &str| Context { server: server.to_owned(), token_file: None, ca_file: None };
        let contexts = saved.iter().map(|(name, server)| ((*name).to_owned(), context(server))).collect();
        Contexts { current: current.map(str::to_owned), contexts }
    }

    #[test]
    fn a_context_is_named_by_its_host_and_never_replaces_another_server() {
        let name =
            |saved: &[(&str, &str)], current, address| context_name(&contexts(saved, current), address, None).unwrap();
        assert_eq!(name(&[], None, "https://urumi.example.com"), "urumi.example.com");
        assert_eq!(name(&[], None, "https://urumi.example.com:8443/api"), "urumi.example.com");
        assert_eq!(name(&[], None, "http://[::1]:8080"), "1");
        let taken = [("a.example", "https://a.example"), ("a.example-1", "https://other")];
        assert_eq!(name(&taken, None, "https://a.example"), "a.example");
        assert_eq!(name(&taken, None, "https://a.example:2"), "a.example-2");
        assert_eq!(name(&taken, None, "https://a.example:1/x"), "a.example-1-x");
        let two = [("prod", "https://a.example"), ("too", "https://a.example")];
        assert_eq!(name(&two, None, "https://a.example"), "prod");
        assert_eq!(name(&two, Some("too"), "https://a.example"), "too");
        let full = contexts(&[("a", "https://x"), ("a-1", "https://y"), ("a-1-", "https://z")], None);
        assert!(context_name(&full, "https://a:1", None).is_err());
        assert_eq!(context_name(&full, "https://a:1", Some("mine")).unwrap(), "mine");
        assert!(context_name(&full, "https://a:1", Some("not a name")).is_err());
    }
}
