//! The reference of all commands, made from the arguments themselves.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::exit::Code;

/// How wide help texts are in the reference.
const WIDTH: usize = 110;

/// The reference as Markdown: it is `docs/CLI.md`, which a test compares.
pub fn reference() -> String {
    let mut command = Cli::command().term_width(WIDTH).color(clap::ColorChoice::Never);
    command.build();
    let mut out = String::from(
        "# The `urumi` command\n\n\
         Made from the command's own help by `UPDATE_DOCS=1 cargo test -p urumi-cli reference`; don't edit.\n\n\
         Data goes to stdout, everything else to stderr. Commands that take a STORE take its id, the unique beginning \
         of its id, or its exact name.\n\n\
         ## Exit codes\n\n| code | meaning |\n| --- | --- |\n",
    );
    for code in Code::ALL {
        out.push_str(&format!("| {} | {} |\n", code as u8, code.meaning()));
    }
    section(&mut out, "urumi", &mut command);
    out
}

fn section(out: &mut String, title: &str, command: &mut clap::Command) {
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    out.push_str(&format!("\n## `{title}`\n\n```text\n{}\n```\n", lines.join("\n")));
    for subcommand in command.get_subcommands_mut() {
        let title = format!("{title} {}", subcommand.get_name());
        section(out, &title, subcommand);
    }
}
