//! Finds the stores that a command acts on. Commands that lose or reveal something never guess: they accept a prefix, or a name
//! that could be an id, only after the user has seen the store and agreed.

use std::io::{self, BufRead, IsTerminal as _};

use urumi_core::error::{Error, ErrorKind};
use urumi_core::{Store, StoreOrchestratorExt};

use crate::exit::{CommandError, ExitStatus};
use crate::output::Out;
use crate::target::Target;

/// The most ids that a hint lists.
const MAX_LISTED: usize = 5;

/// A store that was found.
pub(crate) struct Found {
    pub(crate) store: Store,
    /// The user's text, if it is not certain that it means this store.
    pub(crate) guessed_from: Option<String>,
}

/// Whether somebody can answer a question.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// The store that [`find_exact`](StoreOrchestratorExt::find_exact) finds. With `guess`, also the store whose exact, unique name
/// can be an id, and the only store whose id begins with the text.
///
/// # Errors
/// When there is no such store, or more than one.
pub(crate) async fn look_up(target: &Target, text: &str, guess: bool) -> Result<Found, CommandError> {
    let mut near = match target.stores.find_exact(text).await {
        Ok(store) => return Ok(Found { store, guessed_from: None }),
        Err(error) if error.kind() == ErrorKind::NotFound => near(target, text).await?,
        Err(error) => return Err(target.explain(error)),
    };
    let error = Error::NoMatch { given: text.to_owned() };
    match (near.pop(), near.as_slice()) {
        (Some(store), []) if guess => Ok(Found { store, guessed_from: Some(text.to_owned()) }),
        (Some(last), others) => {
            let ids: Vec<&str> = others.iter().chain([&last]).map(|store| store.id.as_str()).collect();
            let more = if ids.len() > MAX_LISTED { ", …" } else { "" };
            let ids = ids.into_iter().take(MAX_LISTED).collect::<Vec<_>>().join(", ");
            Err(target.explain(error).hint(format!("this command needs the whole id; similar ids: {ids}{more}")))
        }
        (None, _) => Err(target.explain(error)),
    }
}

/// Like [`look_up`]. On a terminal, asks whether the store that was guessed is meant.
///
/// # Errors
/// When there is no such store, or more than one; when the user means another one.
pub(crate) async fn exact(target: &Target, out: &Out, text: &str) -> Result<Store, CommandError> {
    let Found { store, guessed_from } = look_up(target, text, can_ask()).await?;
    if let Some(text) = guessed_from {
        let out = out.asking();
        out.note(&format!("no store has the id {text:?}; there is {}", description(&store)));
        out.note("Is this the store? Type y or its id:");
        if !confirmed(&mut io::stdin().lock(), store.id.as_str())? {
            return Err(CommandError::new(ExitStatus::Other, "nothing was done"));
        }
    }
    Ok(store)
}

/// The store with this name, or else the stores whose ids begin with the text.
///
/// # Errors
/// When several stores have the name.
async fn near(target: &Target, text: &str) -> Result<Vec<Store>, CommandError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut stores = target.stores.list().await.map_err(|error: Error| target.explain(error))?;
    let named: Vec<Store> = stores.iter().filter(|store| store.name == text).cloned().collect();
    match named.len() {
        0 => {
            stores.retain(|store| store.id.as_str().starts_with(text));
            stores.sort_by(|a, b| a.id.cmp(&b.id));
            Ok(stores)
        }
        1 => Ok(named),
        _ => {
            let ids = named.iter().map(|store| store.id.as_str()).collect::<Vec<_>>().join(", ");
            Err(target.explain(Error::Ambiguous { given: text.to_owned(), ids }))
        }
    }
}

/// A store in one line.
pub(crate) fn description(store: &Store) -> String {
    format!("store {} {:?} ({}, {}), namespace {}", store.id, store.name, store.engine, store.status, store.namespace)
}

/// Whether the answer is y, yes or the expected word.
///
/// # Errors
/// When the answer cannot be read.
pub(crate) fn confirmed(input: &mut impl BufRead, expected: &str) -> Result<bool, CommandError> {
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    let answer = answer.trim();
    Ok(answer == expected || answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"))
}

#[cfg(test)]
mod tests {
    use urumi_core::cluster::InMemoryCluster;
    use urumi_core::{CreateStore, Orchestrator, StoreOrchestrator as _};

    use super::*;

    async fn target() -> Target {
        let orchestrator = Orchestrator::builder(InMemoryCluster::default()).build();
        for (id, name) in
            [("shop2", "Tea"), ("shop-eu", "Coffee"), ("other", "Tea"), ("tea", "milk"), ("a", "two"), ("b", "two")]
        {
            orchestrator.create(CreateStore::new(name, "medusa").id(id)).await.unwrap();
        }
        Target::memory(orchestrator)
    }

    #[tokio::test]
    async fn only_a_whole_id_or_a_unique_name_is_accepted() {
        let target = target().await;
        for (text, id) in [("shop2", "shop2"), ("Coffee", "shop-eu"), ("tea", "tea")] {
            let found = look_up(&target, text, false).await.unwrap();
            assert_eq!((found.store.id.as_str(), found.guessed_from), (id, None), "{text}");
        }
        for (text, code, said) in [
            ("shop", ExitStatus::NotFound, "similar ids: shop-eu, shop2"),
            ("othe", ExitStatus::NotFound, "similar ids: other"),
            ("", ExitStatus::NotFound, ""),
            ("milk", ExitStatus::NotFound, "similar ids: tea"),
            ("nothing", ExitStatus::NotFound, ""),
            ("Tea", ExitStatus::Usage, "fits more than one store"),
            ("two", ExitStatus::Usage, "fits more than one store"),
        ] {
            let error = look_up(&target, text, false).await.err().unwrap();
            assert_eq!(error.code, code, "{text}: {error:?}");
            assert!(format!("{error:?}").contains(said), "{text}: {error:?}");
        }
    }

    #[tokio::test]
    async fn a_prefix_and_a_name_like_an_id_are_guesses() {
        let target = target().await;
        for (text, id) in [("othe", "other"), ("milk", "tea")] {
            let found = look_up(&target, text, true).await.unwrap();
            assert_eq!((found.store.id.as_str(), found.guessed_from.as_deref()), (id, Some(text)));
        }
        assert!(look_up(&target, "shop", true).await.is_err(), "two stores fit");
    }

    #[test]
    fn an_answer_must_agree() {
        for (answer, agrees) in [
            ("y\n", true),
            ("YES\n", true),
            ("shop\n", true),
            ("\n", false),
            ("", false),
            ("n\n", false),
            ("sho\n", false),
        ] {
            assert_eq!(confirmed(&mut answer.as_bytes(), "shop").unwrap(), agrees, "{answer:?}");
        }
    }
}
