//! Generates the command reference from the definitions of the arguments.

use clap::CommandFactory;

use crate::cli::{Cli, describe_once};
use crate::exit::ExitStatus;

/// The width of help texts in the reference, in characters.
const WIDTH: usize = 110;

/// The reference as Markdown. A test compares it with `docs/CLI.md`.
pub fn reference() -> String {
    let mut command = describe_once(Cli::command().term_width(WIDTH).color(clap::ColorChoice::Never));
    let mut out = String::from(
        "# The `urumi` command\n\n\
         Generated from `urumi --help` by `UPDATE_DOCS=1 cargo test -p urumi-cli reference`; don't edit.\n\n\
         Data goes to stdout, everything else to stderr. STORE is a store's id. Commands that only read also accept a unique\n\
         prefix of the id, or an exact name. Every command accepts the global options of [`urumi`](#urumi).\n\n\
         ## Exit codes\n\n| code | meaning |\n| --- | --- |\n",
    );
    for code in ExitStatus::ALL {
        out.push_str(&format!("| {} | {} |\n", code as u8, code.meaning()));
    }
    section(&mut out, "urumi", &mut command);
    out
}

fn section(out: &mut String, title: &str, command: &mut clap::Command) {
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    out.push_str(&format!("\n## `{title}`\n\n```text\n{}\n```\n", lines.join("\n")));
    for subcommand in command.get_subcommands_mut().filter(|subcommand| subcommand.get_name() != "help") {
        let title = format!("{title} {}", subcommand.get_name());
        section(out, &title, subcommand);
    }
}
