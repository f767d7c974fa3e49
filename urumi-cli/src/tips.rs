//! Tips for mistakes on the command line. The parser's own tips are sometimes far from what was meant.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use crate::exit::{CommandError, ExitStatus};

/// Words of other tools, and what to do here instead.
const OTHER_WORDS: [(&[&str], &str); 10] = [
    (&["install", "deploy", "add"], "`urumi create NAME` creates a store"),
    (&["store", "shop", "shops"], "`urumi list` shows all stores, `urumi create NAME` creates one"),
    (&["auth", "signin"], "`urumi login` signs in to a server"),
    (
        &["apply", "change", "edit", "patch", "scale", "upgrade", "rename", "replace"],
        "`urumi update STORE` changes the name or the options of a store",
    ),
    (&["undo", "revert"], "`urumi rollback STORE` returns to the revision before"),
    (&["rollout", "reload", "reboot"], "`urumi restart STORE` restarts the programs of a store"),
    (&["exec", "shell", "ssh", "psql", "port-forward"], "use kubectl in the store's namespace, `store-ID`"),
    (&["backup", "restore", "snapshot", "export", "clone"], "urumi does not back up stores"),
    (
        &["start", "stop", "pause", "resume"],
        "stores cannot be stopped; `urumi delete` deletes a store with all its data",
    ),
    (&["config", "use-context", "contexts"], "`urumi context` manages saved servers"),
];

/// Options of other tools, and what to do here instead.
const OTHER_OPTIONS: [(&[&str], &str); 5] = [
    (&["-A", "--all-namespaces"], "`urumi list` shows the stores of all namespaces"),
    (&["--json"], "-o json prints JSON"),
    (&["--force"], "--yes deletes without confirmation"),
    (&["-n", "--namespace"], "each store has a namespace of its own; name the store instead"),
    (&["--container"], "--component chooses a component, e.g. `api`"),
];

/// Other words for the time since a store's creation.
const AGES: [&str; 4] = ["age", "created", "date", "time"];

const LIST_SHOWS: &str = "`urumi list` shows all stores";
/// The commands that take the name of a new store.
const CREATING: [&str; 3] = ["create", "new", "render"];

/// The command that was called without its subcommand, and without anything else: people want its help.
pub(crate) fn incomplete<'a>(
    error: &Error,
    command: &'a mut clap::Command,
    words: &[OsString],
) -> Option<&'a mut clap::Command> {
    match error.kind() {
        // Options from the environment make the difference.
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            words.iter().skip(1).try_fold(command, |command, word| command.find_subcommand_mut(word))
        }
        _ => None,
    }
}

/// Replaces tips that do not help.
pub(crate) fn improved(mut error: Error, words: &[OsString]) -> Error {
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = text(&error, ContextKind::InvalidSubcommand);
            if let Some(tip) = tip_for(&OTHER_WORDS, &word) {
                error.remove(ContextKind::SuggestedSubcommand);
                suggest(&mut error, tip);
            } else {
                error.remove(ContextKind::Suggested);
                keep_similar(&mut error, ContextKind::SuggestedSubcommand, &word);
            }
        }
        // The list contains hidden aliases.
        ErrorKind::MissingSubcommand => drop(error.remove(ContextKind::ValidSubcommand)),
        ErrorKind::InvalidValue if text(&error, ContextKind::InvalidArg).starts_with("--sort") => {
            let word = text(&error, ContextKind::InvalidValue);
            keep_similar(&mut error, ContextKind::SuggestedValue, &word);
            if AGES.contains(&word.as_str()) {
                suggest(&mut error, "--sort=-createdAt lists the newest stores first");
            }
        }
        ErrorKind::UnknownArgument => {
            let word = text(&error, ContextKind::InvalidArg);
            // "to pass '-x' as a value, use '-- -x'" is never what was meant.
            error.remove(ContextKind::Suggested);
            keep_similar(&mut error, ContextKind::SuggestedArg, &word);
            let creating = CREATING.into_iter().find(|name| words.iter().any(|word| word == name));
            if let Some(tip) = tip_for(&OTHER_OPTIONS, &word) {
                error.remove(ContextKind::SuggestedArg);
                suggest(&mut error, tip);
            } else if let (false, Some(command)) = (word.starts_with('-'), creating) {
                suggest(&mut error, &format!("quote a name that contains spaces: urumi {command} 'My Shop'"));
            }
        }
        ErrorKind::MissingRequiredArgument if text(&error, ContextKind::InvalidArg).contains("<STORE>") => {
            suggest(&mut error, LIST_SHOWS);
        }
        _ => {}
    }
    error
}

fn tip_for(table: &[(&[&str], &'static str)], word: &str) -> Option<&'static str> {
    table.iter().find(|(words, _)| words.contains(&word)).map(|(_, tip)| *tip)
}

fn suggest(error: &mut Error, tip: &str) {
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.to_owned().into()]));
}

fn text(error: &Error, kind: ContextKind) -> String {
    error.get(kind).map(ToString::to_string).unwrap_or_default()
}

/// Removes suggestions that are no typing errors.
fn keep_similar(error: &mut Error, kind: ContextKind, word: &str) {
    let suggested = match error.remove(kind) {
        Some(ContextValue::Strings(all)) => all,
        Some(ContextValue::String(one)) => vec![one],
        _ => return,
    };
    let bare = |word: &str| word.trim_start_matches('-').split(['=', ' ']).next().unwrap_or_default().to_owned();
    let word = bare(word);
    let is_similar = |other: &String| {
        let distance = strsim::damerau_levenshtein(&word, &bare(other));
        distance <= 1 + word.chars().count() / 4 || bare(other).starts_with(&word)
    };
    let kept: Vec<String> = suggested.into_iter().filter(is_similar).collect();
    match (kind, kept.as_slice()) {
        (_, []) => {}
        (ContextKind::SuggestedArg, [one]) => {
            error.insert(kind, ContextValue::String(one.clone()));
        }
        _ => {
            error.insert(kind, ContextValue::Strings(kept));
        }
    }
}

/// Whether the command line asks for errors as JSON. It could not be parsed.
pub(crate) fn wants_json(words: &[OsString]) -> bool {
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    let joined = ["--output=json", "-ojson", "-o=json"];
    words.iter().any(|word| joined.contains(word))
        || words.windows(2).any(|pair| matches!(pair, ["-o" | "--output", "json"]))
}

/// The parser's error as an error of a command.
pub(crate) fn failure(error: &Error) -> CommandError {
    let text = error.render().to_string();
    let mut failure = CommandError::shown(ExitStatus::Usage);
    let mut message = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(tip) = line.strip_prefix("tip: ") {
            failure.hints.push(tip.to_owned());
        } else if line.starts_with("Usage: ") || line.starts_with("For more information") {
            break;
        } else {
            message = format!("{message} {}", line.trim_start_matches("error: ")).trim().to_owned();
        }
    }
    failure.errors.push(message);
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &[&str]) -> (String, CommandError) {
        let words: Vec<OsString> = std::iter::once("urumi").chain(line.iter().copied()).map(OsString::from).collect();
        let error = crate::cli::command().try_get_matches_from(&words).unwrap_err();
        let error = improved(error, &words);
        (error.render().to_string(), failure(&error))
    }

    #[test]
    fn tips_say_what_was_probably_meant() {
        for (line, tip) in [
            (&["create", "My", "Shop"][..], "spaces: urumi create 'My Shop'"),
            (&["render", "My", "Shop"], "spaces: urumi render 'My Shop'"),
            (&["rollout", "restart", "shop"], "`urumi restart STORE`"),
            (&["apply", "-f", "x"], "`urumi update STORE`"),
            (&["undo", "x"], "`urumi rollback STORE`"),
            (&["creat", "x"], "'create'"),
            (&["dleete", "x"], "'delete'"),
            (&["list", "--stauts", "ready"], "'--status'"),
            (&["delete", "x", "--force"], "--yes"),
            (&["get"], LIST_SHOWS),
            (&["install", "x"], "`urumi create NAME`"),
            (&["store", "list"], LIST_SHOWS),
            (&["auth", "login"], "`urumi login`"),
            (&["list", "-A"], "all namespaces"),
            (&["list", "--json", "id"], "-o json"),
            (&["list", "--sort", "age"], "--sort=-createdAt"),
            (&["list", "--sort", "nme"], "'name'"),
        ] {
            let (text, failure) = said(line);
            assert!(text.contains(tip), "{line:?}: {text}");
            assert!(failure.hints.join("; ").contains(tip), "{line:?}: {failure:?}");
            assert!(!failure.errors[0].is_empty() && !failure.errors[0].contains("Usage"), "{failure:?}");
        }
        for (line, word) in [(&["store", "list"][..], "smoke"), (&["list", "--sort", "age"], "'name'")] {
            let (text, failure) = said(line);
            let tips = failure.hints.join("; ");
            assert!(!tips.contains(word), "{line:?}: {text}");
        }
        for line in [&["frobnicate"][..], &["list", "-x"], &["wait", "x", "-1"], &["list", "--verbatim-output"]] {
            let (text, _) = said(line);
            assert!(!text.contains("tip:") && !text.contains("\n\n\n"), "{line:?}: {text}");
        }
    }

    #[test]
    fn json_is_recognized_in_a_line_that_cannot_be_parsed() {
        let words = |line: &[&str]| line.iter().map(OsString::from).collect::<Vec<_>>();
        for line in [&["x", "-o", "json"][..], &["x", "--output=json"], &["-ojson", "x"], &["--output", "json"]] {
            assert!(wants_json(&words(line)), "{line:?}");
        }
        assert!(!wants_json(&words(&["-o", "yaml", "json"])));
    }
}
