//! Which options of a store can be changed, and which were decided when it was created.

use serde_json::Value;

use super::resolve::{read, remove, set};
use super::validate;
use crate::engine::RequestChange;
use crate::error::FieldError;
use crate::kubernetes::syntax::image_tag;
use crate::store::{Options, StoreSpec};

/// The options that were decided when the store was created, with what to do instead of a change.
const DECIDED: [(&[&str], &str); 5] = [
    (&["database", "server"], "it is the installation's to choose"),
    (&["database", "mode"], "create a store with the other mode, and move the data to it"),
    (&["database", "storage", "size"], "create a store with a larger volume, and move the data to it"),
    (&["database", "storage", "className"], "create a store with the other class, and move the data to it"),
    (&["admin", "email"], "invite another administrator in the shop's admin dashboard"),
];
const DATABASE_IMAGE: &[&str] = &["database", "image"];

/// The options in force after a change: what was decided stays as it is, also where its default would be another one now.
pub(super) fn settle(
    store: &StoreSpec,
    change: &RequestChange<'_>,
    mut options: Options,
) -> Result<Options, Vec<FieldError>> {
    let mut wrong = Vec::new();
    for (path, instead) in DECIDED {
        let in_force = at(&store.options, path);
        let asked = at(change.after, path).filter(|asked| at(change.before, path) != Some(asked));
        if asked.is_some_and(|asked| Some(asked) != in_force) {
            wrong.push(FieldError::new(path.join("."), format!("cannot be changed: {instead}")));
        }
        let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
        match in_force {
            Some(value) => drop(set(&mut options, &path, value.clone())),
            None => drop(remove(&mut options, &path)),
        }
    }
    let version = |options: &Options| major_version(at(options, DATABASE_IMAGE)?.as_str()?);
    if let (Some(before), Some(after)) = (version(&store.options), version(&options))
        && before != after
    {
        let message = format!(
            "cannot be changed: PostgreSQL {after} does not read the files of PostgreSQL {before}; create a store with it, and \
             move the data to it"
        );
        wrong.push(FieldError::new(DATABASE_IMAGE.join("."), message));
    }
    // Of the options that stay, some may not go with those that change: a limit below a new request, for example.
    match read(&options) {
        Ok(read) => wrong.extend(validate::all(&read, &store.id)),
        Err(message) => wrong.push(FieldError::new("", message)),
    }
    if wrong.is_empty() { Ok(options) } else { Err(wrong) }
}

fn at<'a>(options: &'a Options, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(options.get(*first)?, |value, name| value.get(*name))
}

/// The major version of a PostgreSQL image, by its tag: `15` of `postgres:15.8-alpine`.
fn major_version(image: &str) -> Option<u32> {
    let tag = image_tag(image)?;
    tag.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::medusa::MedusaEngine;
    use crate::engine::{Engine, NewStore};
    use crate::store::{StoreId, StoreName};

    fn options(value: Value) -> Options {
        value.as_object().cloned().unwrap()
    }

    fn resolve(request: &Options) -> Options {
        let id = StoreId::parse("abc").unwrap();
        MedusaEngine::default().resolve(&NewStore::new(&id, "localtest.me"), request).unwrap()
    }

    /// Settles the change between two requests.
    fn settled(before: Value, after: Value) -> Result<Options, Vec<String>> {
        let (before, after) = (options(before), options(after));
        let store = StoreSpec {
            id: StoreId::parse("abc").unwrap(),
            name: StoreName::parse("Shop").unwrap(),
            engine: MedusaEngine::NAME.into(),
            options: resolve(&before),
            renderer: 1,
        };
        let change = RequestChange::new(&before, &after);
        settle(&store, &change, resolve(&after)).map_err(|wrong| wrong.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_was_decided_is_refused_with_what_to_do_instead() {
        let refused = settled(
            json!({}),
            json!({
                "database": {"storage": {"size": "10Gi", "className": "fast"}, "image": "postgres:16"},
                "admin": {"email": "other@example.com"},
            }),
        );
        insta::assert_snapshot!(refused.unwrap_err().join("\n"), @r"
        database.storage.size: cannot be changed: create a store with a larger volume, and move the data to it
        database.storage.className: cannot be changed: create a store with the other class, and move the data to it
        admin.email: cannot be changed: invite another administrator in the shop's admin dashboard
        database.image: cannot be changed: PostgreSQL 16 does not read the files of PostgreSQL 15; create a store with it, and move the data to it
        ");
        let mode = settled(json!({}), json!({"database": {"mode": "external", "secret": {"name": "db"}}})).unwrap_err();
        assert!(mode[0].starts_with("database.mode: cannot be changed"), "{mode:?}");
    }

    #[test]
    fn what_is_in_force_already_may_be_said_and_taken_back() {
        let said =
            json!({"database": {"storage": {"size": "5Gi"}}, "admin": {"email": "admin@store-abc.localtest.me"}});
        assert_eq!(settled(json!({}), said.clone()), Ok(resolve(&Options::new())));
        assert_eq!(settled(said, json!({})), Ok(resolve(&Options::new())));
    }

    /// The store's limits are those of its creation, and not those of today's defaults.
    #[test]
    fn options_that_stay_go_with_those_that_change() {
        let before = options(json!({"api": {"resources": {"limits": {"memory": "512Mi"}}}}));
        let after = options(json!({"api": {"resources": {"requests": {"memory": "768Mi"}}}}));
        let store = StoreSpec {
            id: StoreId::parse("abc").unwrap(),
            name: StoreName::parse("Shop").unwrap(),
            engine: MedusaEngine::NAME.into(),
            options: resolve(&before),
            renderer: 1,
        };
        let mut mixed = resolve(&before);
        let memory = ["api", "resources", "requests", "memory"].map(str::to_owned);
        set(&mut mixed, &memory, json!("768Mi"));
        let wrong = settle(&store, &RequestChange::new(&Options::new(), &after), mixed).unwrap_err();
        assert!(wrong[0].field.starts_with("api.resources"), "{wrong:?}");
    }

    #[test]
    fn the_administrator_stays_when_the_domain_changes() {
        let settled = settled(json!({}), json!({"domain": "shops.example.com"})).unwrap();
        assert_eq!(at(&settled, &["domain"]), Some(&json!("shops.example.com")));
        assert_eq!(at(&settled, &["admin", "email"]), Some(&json!("admin@store-abc.localtest.me")));
    }

    #[test]
    fn a_patch_release_of_the_database_is_no_other_version() {
        assert!(settled(json!({}), json!({"database": {"image": "registry.example.com/postgres:15.8"}})).is_ok());
        for (image, version) in [("postgres:15-alpine", Some(15)), ("a/b:v1", None), ("postgres", None)] {
            assert_eq!(major_version(image), version, "{image}");
        }
    }
}
