//! `urumi-http token`: creates a token and its entry for the file of tokens.

use std::io::{self, Write};

use clap::Args;
use urumi_core::secret::NoRandomness;

use crate::auth::Role;
use crate::auth::owner::check_name;
use crate::auth::static_tokens::{Entry, Expiry, TokenHash, new_token};

/// Create a token. The token is shown once and stored nowhere; add the printed entry, which contains only its hash, to the
/// file of tokens.
#[derive(Args, Clone, Debug)]
pub struct TokenArgs {
    /// The subject of the token.
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub subject: String,
    /// The role: viewer, operator or admin.
    #[arg(long, value_name = "ROLE", default_value_t = Role::Viewer)]
    pub role: Role,
    /// A team of the subject; repeatable.
    #[arg(long = "team", value_name = "NAME", value_parser = name)]
    pub teams: Vec<String>,
    /// The expiry: a day, e.g. 2027-01-31, or a time, e.g. 2027-01-31T12:00:00Z; none by default.
    #[arg(long, value_name = "DATE")]
    pub expires: Option<Expiry>,
}

fn name(text: &str) -> Result<String, String> {
    check_name(text).map(|()| text.to_owned())
}

/// The token cannot be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenCommandError {
    /// The operating system provides no randomness.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The token cannot be printed.
    #[error("cannot write the token")]
    Write(#[from] io::Error),
    /// The entry cannot be serialized.
    #[error("cannot write the entry")]
    Entry(#[from] serde_saphyr::SerializeError),
}

/// Creates a token. Writes the entry to `file`, which may be the file of tokens, and the token to `person`.
///
/// # Errors
/// If there is no randomness, or a write fails.
pub fn run_token_command(
    args: &TokenArgs,
    file: &mut impl Write,
    person: &mut impl Write,
) -> Result<(), TokenCommandError> {
    let token = new_token()?;
    let entry = Entry {
        subject: args.subject.clone(),
        role: args.role,
        teams: args.teams.clone(),
        sha256: TokenHash::of(&token),
        expires: args.expires,
    };
    let entry = serde_saphyr::to_string(&[entry])?;
    // The token first: an entry is useless if its token is lost.
    writeln!(person, "The token, shown only this once:\n  {}", token.reveal())?;
    person.flush()?;
    write!(file, "{entry}")?;
    Ok(file.flush()?)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use urumi_core::secret::SecretString;

    use super::*;
    use crate::auth::static_tokens::is_well_formed;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: TokenArgs,
    }

    #[test]
    fn what_is_shown_is_the_token_and_a_file_with_its_entry() {
        let words =
            ["x", "--subject", "ann", "--role", "operator", "--team", "a", "--team", "b", "--expires", "2027-01-31"];
        let args = Command::try_parse_from(words).unwrap().args;
        let (mut file, mut said) = (Vec::new(), Vec::new());
        run_token_command(&args, &mut file, &mut said).unwrap();
        let (file, said) = (String::from_utf8(file).unwrap(), String::from_utf8(said).unwrap());
        let token = said.lines().find_map(|line| line.strip_prefix("  ")).unwrap();
        assert!(is_well_formed(token), "{said}");
        assert!(!file.contains(token), "the file must not have the token");
        let entries: Vec<Entry> = crate::yaml::from_str(&file).unwrap();
        assert_eq!(entries[0].sha256, TokenHash::of(&SecretString::new(token)));
        assert_eq!(
            (entries[0].role, entries[0].teams.as_slice()),
            (Role::Operator, &["a".to_owned(), "b".to_owned()][..])
        );
        assert_eq!(entries[0].expires, args.expires);
    }

    #[test]
    fn bad_arguments_are_refused() {
        for words in [
            &["x"][..],
            &["x", "--subject", ""],
            &["x", "--subject", "a", "--role", "root"],
            &["x", "--subject", "a", "--expires", "soon"],
        ] {
            assert!(Command::try_parse_from(words).is_err(), "{words:?}");
        }
        assert_eq!(Command::try_parse_from(["x", "--subject", "a"]).unwrap().args.role, Role::Viewer);
    }
}
