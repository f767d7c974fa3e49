use std::os::unix::fs::symlink;

use super::*;
use crate::auth::Role;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("tokens.yaml")
    }

    fn write(&self, text: &str) {
        std::fs::write(self.path(), text).unwrap();
    }

    fn load(&self) -> StaticTokens {
        StaticTokens::load(self.path()).unwrap()
    }
}

fn entry(subject: &str, token: &SecretString) -> String {
    format!("- {{subject: {subject}, role: operator, teams: [shop], sha256: {}}}\n", TokenHash::of(token))
}

async fn who(tokens: &StaticTokens, token: &SecretString) -> Result<String, AuthError> {
    tokens.authenticate(token).await.map(|principal| principal.unwrap().subject)
}

#[tokio::test]
async fn each_token_is_its_own_bearers() {
    let (folder, drawn) = (Folder::new(), [(); 4].map(|()| new_token().unwrap()));
    let [ann, bob, eve, stranger] = &drawn;
    folder.write(&[entry("ann", ann), entry("bob", bob), entry("eve", eve)].concat());
    let tokens = folder.load();
    for (token, subject) in [(ann, "ann"), (bob, "bob"), (eve, "eve")] {
        assert_eq!(who(&tokens, token).await.as_deref(), Ok(subject));
    }
    let principal = tokens.authenticate(ann).await.unwrap().unwrap();
    assert_eq!((principal.role, principal.how), (Role::Operator, Method::StaticToken));
    assert_eq!(principal.teams, ["shop"]);

    let refusal = |text: &str| Err(AuthError::Invalid(text.into()));
    assert_eq!(who(&tokens, stranger).await, refusal("it is unknown or was revoked"));
    let mistyped = SecretString::new(format!("{}x", ann.reveal()));
    assert_eq!(who(&tokens, &mistyped).await, refusal("its checksum is wrong, so it is mistyped or truncated"));
    assert_eq!(tokens.authenticate(&SecretString::new("eyJ.a.b")).await, Ok(None), "not one of ours");
    // The hash itself opens nothing.
    assert_eq!(tokens.authenticate(&SecretString::new(TokenHash::of(ann).to_string())).await, Ok(None));
}

#[tokio::test]
async fn a_token_expires_in_time() {
    let (folder, token) = (Folder::new(), new_token().unwrap());
    let expiring = |expires: &str| entry("ann", &token).replace("}", &format!(", expires: {expires}}}"));
    folder.write(&expiring("2027-01-31T12:00:00Z"));
    let tokens = folder.load();
    let at = |instant: &str| tokens.find(&token, instant.parse().unwrap()).map(|p| p.subject);
    assert_eq!(at("2027-01-31T11:59:59Z").as_deref(), Ok("ann"));
    assert_eq!(at("2027-01-31T12:00:00Z"), Err(AuthError::Invalid("it has expired".into())));
    folder.write(&expiring("2020-01-01"));
    tokens.reload();
    assert_eq!(who(&tokens, &token).await, Err(AuthError::Invalid("it has expired".into())));
}

#[tokio::test]
async fn a_changed_file_counts_and_a_broken_one_does_not() {
    let folder = Folder::new();
    let (ann, bob) = (new_token().unwrap(), new_token().unwrap());
    folder.write(&entry("ann", &ann));
    let tokens = folder.load();
    assert_eq!(tokens.reload(), Reload::Unchanged);

    folder.write(&entry("bob", &bob));
    assert_eq!(tokens.reload(), Reload::Loaded(1));
    assert!(who(&tokens, &ann).await.is_err(), "what is no longer listed is revoked");
    assert_eq!(who(&tokens, &bob).await.as_deref(), Ok("bob"));

    for broken in ["", "- {subject: bob", "- {subject: bob, role: root}\n"] {
        folder.write(broken);
        assert!(matches!(tokens.reload(), Reload::Kept(_)), "{broken}");
        assert_eq!(who(&tokens, &bob).await.as_deref(), Ok("bob"));
    }
    std::fs::remove_file(folder.path()).unwrap();
    assert!(matches!(tokens.reload(), Reload::Kept(why) if why.starts_with("cannot read")));
    assert_eq!(who(&tokens, &bob).await.as_deref(), Ok("bob"));

    folder.write(&entry("ann", &ann));
    assert_eq!(tokens.reload(), Reload::Loaded(1));
    folder.write("[]");
    assert_eq!(tokens.reload(), Reload::Loaded(0));
    assert!(who(&tokens, &ann).await.is_err());
}

/// A mounted Secret: `tokens.yaml` links to `..data/tokens.yaml`, and `..data` to a folder that is replaced.
#[tokio::test]
async fn a_mounted_secret_is_followed_without_a_restart() {
    let folder = Folder::new();
    let root = folder.0.path();
    let (ann, bob) = (new_token().unwrap(), new_token().unwrap());
    for (version, text) in [("v1", entry("ann", &ann)), ("v2", entry("bob", &bob))] {
        std::fs::create_dir(root.join(version)).unwrap();
        std::fs::write(root.join(version).join("tokens.yaml"), text).unwrap();
    }
    symlink("v1", root.join("..data")).unwrap();
    symlink("..data/tokens.yaml", folder.path()).unwrap();

    let tokens = Arc::new(folder.load());
    let mut changes = tokens.entries.subscribe();
    let stop = CancellationToken::new();
    let task = tokio::spawn(tokens.clone().run(Duration::from_millis(5), stop.clone()));
    symlink("v2", root.join("..data_tmp")).unwrap();
    std::fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
    tokio::time::timeout(Duration::from_secs(30), changes.changed()).await.expect("the change is seen").unwrap();
    assert_eq!(who(&tokens, &bob).await.as_deref(), Ok("bob"));
    assert!(who(&tokens, &ann).await.is_err());

    stop.cancel();
    task.await.unwrap();
}

#[test]
fn a_file_that_cannot_be_used_is_an_error_at_the_start() {
    let folder = Folder::new();
    let message = |result: Result<StaticTokens, TokenFileError>| result.unwrap_err().to_string();
    assert!(message(StaticTokens::load(folder.path())).starts_with("cannot read the file of tokens "));
    folder.write("nonsense");
    assert!(message(StaticTokens::load(folder.path())).contains("is invalid: "));
    folder.write(&"#".repeat(usize::try_from(MAX_FILE).unwrap() + 1));
    assert!(message(StaticTokens::load(folder.path())).ends_with("is larger than 4 MiB"));
}

#[test]
fn debug_shows_neither_tokens_nor_hashes() {
    let (folder, token) = (Folder::new(), new_token().unwrap());
    folder.write(&entry("ann", &token));
    let tokens = folder.load();
    let shown = format!("{tokens:?} {:?}", tokens.entries.borrow());
    assert!(!shown.contains(token.reveal()) && !shown.contains(&TokenHash::of(&token).to_string()), "{shown}");
}

#[test]
fn a_file_that_others_may_read_is_warned_of_once() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.write("[]");
    let mode = |mode| std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o640);
    let tokens = folder.load();
    assert!(!tokens.warned.load(Ordering::Relaxed));
    mode(0o644);
    tokens.reload();
    assert!(tokens.warned.load(Ordering::Relaxed));
}
