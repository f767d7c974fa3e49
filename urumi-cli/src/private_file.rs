//! Files that only this user can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The folder of a kind of files, following the XDG Base Directory Specification: the variable's value, or a folder in the
/// home directory.
pub(crate) fn folder(variable: &str, in_home: &str) -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute(variable).or_else(|| Some(absolute("HOME")?.join(in_home)))?;
    Some(base.join("urumi"))
}

/// Replaces a file atomically. The permissions do not depend on the umask or on the replaced file.
pub(crate) fn write(file: &Path, content: &[u8]) -> io::Result<()> {
    let (Some(directory), Some(name)) = (file.parent(), file.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    create_directory(directory)?;
    let draft = directory.join(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
    // A killed process with the same id may have left its draft.
    let _ = fs::remove_file(&draft);
    let written = private(OpenOptions::new().write(true).create_new(true)).open(&draft).and_then(|mut open| {
        #[cfg(unix)]
        open.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        open.write_all(content)?;
        open.sync_all()
    });
    let placed = written.and_then(|()| fs::rename(&draft, file));
    if placed.is_err() {
        let _ = fs::remove_file(&draft);
    }
    placed
}

/// Opens a file to lock it, and creates it if it does not exist.
pub(crate) fn open_lock(file: &Path) -> io::Result<File> {
    if let Some(directory) = file.parent() {
        create_directory(directory)?;
    }
    private(OpenOptions::new().write(true).create(true).truncate(false)).open(file)
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn create_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_replaced_file_is_private_whatever_it_was() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("new").join("file");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for content in ["first", "second"] {
            write(&file, content.as_bytes()).unwrap();
            assert_eq!((fs::read_to_string(&file).unwrap().as_str(), mode(&file)), (content, 0o600));
            fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        }
        assert_eq!(mode(&home.path().join("new")), 0o700);
        assert_eq!(fs::read_dir(home.path().join("new")).unwrap().count(), 1, "a draft is left");
    }
}
