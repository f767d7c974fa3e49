//! Flags, variables and a file, and how they go together.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use urumi_http::program::config::{Config, ConfigError, Exposure, Loaded, MetricsListen, check_exposure};

fn load(args: &[&str]) -> Result<Loaded, ConfigError> {
    Config::load(std::iter::once("urumi-http").chain(args.iter().copied()))
}

#[track_caller]
fn refusal(args: &[&str]) -> String {
    load(args).expect_err("this should be refused").to_string()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn with_file(text: &str, args: &[&str]) -> Result<Loaded, ConfigError> {
    let file = file(text);
    load(&[&["--config", file.path().to_str().unwrap()], args].concat())
}

#[test]
fn without_arguments_it_is_for_this_computer_only() {
    let config = load(&[]).unwrap().config;
    assert_eq!(config.addresses.listen, "127.0.0.1:8080".parse::<SocketAddr>().unwrap());
    assert_eq!(config.stores.domain, "localtest.me");
    assert_eq!(config.limits.max_body, 256 * 1024);
    assert_eq!(check_exposure(&config).unwrap(), Exposure::Local);
}

#[test]
fn all_settings_with_their_defaults() {
    insta::assert_snapshot!(load(&[]).unwrap().printed);
}

#[test]
fn a_flag_wins_over_the_file_and_the_file_over_defaults() {
    let text = "deadline: 30m\nresync: 20s\ncors-origin: [https://a.example, https://b.example]\nrate-limit: 7\n";
    let loaded = with_file(text, &["--resync=5s", "--cors-origin", "https://c.example"]).unwrap();
    assert_eq!(loaded.config.stores.deadline, Duration::from_secs(1800));
    assert_eq!(loaded.config.stores.resync, Duration::from_secs(5));
    assert_eq!(loaded.config.limits.rate_limit.get(), 7);
    assert_eq!(loaded.config.addresses.cors_origin, ["https://c.example"]);
    for line in ["deadline: \"30m\"  # file ", "resync: \"5s\"  # flag --resync", "rate-burst: 200  # default"] {
        assert!(loaded.printed.contains(line), "{line} is missing in {}", loaded.printed);
    }
}

#[test]
fn variables_win_over_the_file() {
    let file = file("deadline: 30m\nresync: 20s\nlog: debug\n");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["config::print_what_the_environment_says", "--exact", "--ignored", "--nocapture"])
        .env("URUMI_CONFIG", file.path())
        .env("URUMI_RESYNC", "7s")
        .env("URUMI_CORS_ORIGIN", "https://a.example,https://b.example")
        .env("URUMI_TOKEN_REVIEW", "no")
        .env("URUMI_DEADLINE", "")
        .env("URUMI_LISTEN", "")
        .env("URUMI_TRUSTED_PROXY", "")
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    for line in [
        "deadline: \"30m\"  # file ",
        "resync: \"7s\"  # variable URUMI_RESYNC",
        "log: \"warn\"  # flag --log",
        "cors-origin: [\"https://a.example\", \"https://b.example\"]  # variable URUMI_CORS_ORIGIN",
        "token-review: \"no\"  # variable URUMI_TOKEN_REVIEW",
        "listen: \"127.0.0.1:8080\"  # default",
        "# trusted-proxy:  # not set",
    ] {
        assert!(printed.contains(line), "{line} is missing in {printed}");
    }
}

#[test]
#[ignore = "run by another test, with variables of its own"]
fn print_what_the_environment_says() {
    println!("{}", load(&["--log=warn"]).unwrap().printed);
}

#[test]
fn what_is_printed_is_a_file_that_means_the_same() {
    let args = ["--cluster=kube", "--listen=0.0.0.0:8443", "--tokens-file=t.yaml", "--token-review"];
    let more = ["--role-binding=admin=team:a,b", "--role-binding=viewer=subject:it's \"x\"", "--metrics-listen=off"];
    let first = load(&[&args[..], &more[..]].concat()).unwrap();
    assert_eq!(first.config.addresses.metrics_listen, MetricsListen::Off);
    let second = with_file(&first.printed, &[]).unwrap();
    let strip = |config: Config| format!("{:?}", Config { config: None, ..config });
    assert_eq!(strip(first.config), strip(second.config));
}

#[test]
fn passwords_are_not_printed() {
    let loaded = load(&["--otlp-endpoint=https://me:hunter2@traces.example/v1/traces?key=hunter2"]).unwrap();
    assert!(loaded.printed.contains("otlp-endpoint: \"https://REDACTED@traces.example/v1/traces\""));
    assert!(!format!("{loaded:?}").contains("hunter2"));
}

#[test]
fn unknown_keys_are_named_with_the_nearest() {
    for (key, nearest) in [("deadlin", "deadline"), ("max_body", "max-body"), ("cors-origins", "cors-origin")] {
        let error = with_file(&format!("{key}: 1"), &[]).unwrap_err();
        assert!(matches!(&error, ConfigError::UnknownKey { nearest: Some(it), .. } if it == nearest), "{error}");
        assert!(error.to_string().contains(&format!("no setting {key:?}; did you mean {nearest:?}?")), "{error}");
    }
    for key in ["config", "print-config", "help", "zzz"] {
        let error = with_file(&format!("{key}: 1"), &[]).unwrap_err();
        assert!(matches!(error, ConfigError::UnknownKey { .. }), "{error}");
    }
}

#[test]
fn bad_files_are_refused_with_the_key_and_the_reason() {
    for (text, expected) in [
        ("deadline: soon", "deadline: invalid value 'soon' for '"),
        ("deadline: soon", "write a duration with its unit"),
        ("deadline: [1m, 2m]", "deadline: only one value is allowed"),
        ("deadline: {a: b}", "deadline: write a scalar value"),
        ("max-in-flight: -1", "max-in-flight: invalid value '-1'"),
        ("cluster: docker", "cluster: invalid value 'docker'"),
        ("- deadline", "write settings as `name: value`"),
        ("deadline: 1m\ndeadline: 2m", "duplicate"),
        ("deadline: [", "unclosed bracket '[' at line 1"),
    ] {
        let error = with_file(text, &[]).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    // What a flag overrules must be right too: the flag may be gone tomorrow.
    assert!(with_file("deadline: soon", &["--deadline=1m"]).is_err());
    assert!(refusal(&["--config=/nowhere/urumi.yaml"]).contains("/nowhere/urumi.yaml"));
    assert!(with_file("", &[]).is_ok());
}

#[test]
fn engines_get_the_defaults_of_a_file() {
    let defaults = file("medusa: {database: {storage: {size: 10Gi}}}");
    let path = defaults.path().display();
    let size = |loaded: &Loaded| {
        let size = "/properties/database/properties/storage/properties/size";
        loaded.engines.infos()[0].options.pointer(size).unwrap()["default"].clone()
    };
    assert_eq!(size(&load(&[]).unwrap()), "5Gi");
    let loaded = with_file(&format!("engine-defaults: {path}"), &[]).unwrap();
    assert_eq!(size(&loaded), "10Gi");
    assert!(loaded.printed.contains(&format!("engine-defaults: \"{path}\"  # file ")), "{}", loaded.printed);
    let nothing = file("# medusa:\n");
    assert_eq!(size(&load(&["--engine-defaults", nothing.path().to_str().unwrap()]).unwrap()), "5Gi");
}

#[test]
fn all_that_is_wrong_with_engines_defaults_is_said() {
    let large = "#".repeat((1 << 20) + 1);
    for (text, expected) in [
        ("medusa: {database: {storage: {size: 5GB}}, colour: red}", "medusa.database.storage.size: \"5GB\" is not a"),
        ("medusa: {database: {storage: {size: 5GB}}, colour: red}", "medusa.colour: there is no such option"),
        ("shopware: {}", "shopware: is no engine; there is medusa"),
        ("medusa: [a]", "medusa: must hold the engine's options"),
        ("medusa: {api: {replicas: 1, replicas: 2}}", "duplicate mapping key `replicas` is not allowed here at line 1"),
        ("- medusa", "expected mapping start at line 1"),
        ("medusa: {", "unclosed bracket '{' at line 1"),
        (&large, "is too large"),
    ] {
        let file = file(text);
        let path = file.path().to_str().unwrap();
        let error = load(&["--engine-defaults", path]).unwrap_err().to_string();
        assert!(error.lines().any(|line| line.starts_with(&format!("{path}: {expected}"))), "{text:.50}: {error}");
    }
    assert!(refusal(&["--engine-defaults=/nowhere/defaults.yaml"]).contains("/nowhere/defaults.yaml: cannot be read"));
}

#[test]
fn settings_that_do_not_go_together_are_refused() {
    for (args, expected) in [
        (&["--tls-cert=a"][..], "--tls-cert needs --tls-key"),
        (&["--tls-key=a"], "--tls-key needs --tls-cert"),
        (&["--oidc-issuer=https://a", "--default-role=viewer"], "--oidc-issuer needs --oidc-audience"),
        (&["--oidc-issuer=https://a", "--oidc-audience=b"], "need --role-binding or --default-role"),
        (&["--oidc-audience=a"], "--oidc-audience needs --oidc-issuer"),
        (&["--cluster=memory", "--token-review", "--default-role=viewer"], "--token-review needs --cluster kube"),
        (&["--token-review-audience=a"], "--token-review-audience needs --token-review"),
        (&["--tokens-file=a", "--role-binding=admin=team:a"], "have their roles in the file"),
        (&["--metrics-listen=127.0.0.1:8080"], "the same address"),
    ] {
        let error = refusal(args);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
    // Otherwise every creation would be refused, because of a field that nobody sent.
    assert!(refusal(&["--domain=10.0.0.1"]).contains("as an address does"));
    for args in [&["--listen=here"][..], &["--cors-origin=*"], &["--trusted-proxy=10.0.0.0/40"], &["--rate-limit=0"]] {
        assert!(matches!(load(args), Err(ConfigError::Arguments(_))), "{args:?}");
    }
}

#[test]
fn nobody_from_elsewhere_is_served_without_being_recognised() {
    for local in ["127.0.0.1:0", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80", "localhost:80"] {
        assert_eq!(check_exposure(&load(&["--listen", local]).unwrap().config).unwrap(), Exposure::Local, "{local}");
    }
    for open in ["0.0.0.0:8080", "[::]:8080", "10.0.0.1:80", "[::ffff:10.0.0.1]:80"] {
        let error = refusal(&["--listen", open]);
        assert!(error.contains("--tokens-file") && error.contains("127.0.0.1"), "{error}");
        let config = load(&["--listen", open, "--tokens-file=tokens.yaml"]).unwrap().config;
        assert_eq!(check_exposure(&config).unwrap(), Exposure::Authenticated, "{open}");
    }
}

#[test]
fn tokens_are_made_by_a_command() {
    let config = load(&["token", "--subject=ci", "--role=operator"]).unwrap().config;
    assert!(matches!(config.command, Some(urumi_http::program::config::Command::Token(args)) if args.subject == "ci"));
}

#[test]
fn help_and_version_are_no_failures() {
    for flag in ["--help", "-h", "--version"] {
        let Err(ConfigError::Arguments(error)) = load(&[flag]) else { panic!("{flag} is no error of clap") };
        assert_eq!(error.exit_code(), 0, "{flag}");
    }
}
