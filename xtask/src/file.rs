//! Files that a person names, and xtask writes: looked at before the work begins, and under their name when they are whole.

use std::fs::{self, File, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use rustix::fs::{Access, access};
use tempfile::{Builder, NamedTempFile};

use crate::exit::Refused;

/// Refuses a name that nothing can be written to. To be called before the work whose result is to go there.
///
/// # Errors
/// [`Refused`], naming the option that the name was given by.
pub fn check(option: &str, path: &Path) -> Result<()> {
    place(path)
        .map(drop)
        .map_err(|reason| Refused::usage(format!("{option} {}: {reason:#}", path.display())))
}

/// The same where there may be no name.
///
/// # Errors
/// As [`check`].
pub fn check_any(option: &str, path: Option<&Path>) -> Result<()> {
    path.map_or(Ok(()), |path| check(option, path))
}

/// Writes a file called `path` by `fill`. It has the name when it is whole: until then, and if it fails, there is what was there
/// before.
///
/// # Errors
/// As `fill`, and when `path` is no place for a file.
pub fn write<T>(path: &Path, fill: impl FnOnce(&mut File) -> Result<T>) -> Result<T> {
    let failed = || format!("cannot write {}", path.display());
    let (mut fresh, path) = begin(path).with_context(failed)?;
    // What goes wrong in there is said as it is: the place need not be to blame.
    let filled = fill(fresh.as_file_mut())?;
    finish(fresh, &path).with_context(failed)?;
    Ok(filled)
}

/// A fresh file beside the one that `path` means, and which that is.
fn begin(path: &Path) -> Result<(NamedTempFile, PathBuf)> {
    let (folder, path) = place(path)?;
    let fresh = Builder::new()
        .prefix(".standstill-")
        .suffix(".new")
        .permissions(Permissions::from_mode(0o666)) // less what the user's umask takes
        .tempfile_in(&folder)?;
    Ok((fresh, path))
}

/// Gives it the mode of the file that was there, and its name.
fn finish(fresh: NamedTempFile, path: &Path) -> Result<()> {
    if let Ok(old) = fs::metadata(path) {
        fresh.as_file().set_permissions(old.permissions())?;
    }
    fresh.persist(path)?;
    Ok(())
}

/// Writes `bytes` so.
///
/// # Errors
/// As [`write()`].
pub fn write_all(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    write(path, |file| file.write_all(bytes.as_ref()).with_context(failed))
}

/// The folder of the file that `path` means, and the file: links are followed, so that they stay.
fn place(path: &Path) -> Result<(PathBuf, PathBuf)> {
    ensure!(
        path.file_name().is_some() && !path.as_os_str().as_bytes().ends_with(b"/"),
        "it takes the name of a file"
    );
    let path = match fs::symlink_metadata(path) {
        Ok(_) => existing(path)?,
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error.into()),
    };
    let folder = path
        .parent()
        .filter(|folder| *folder != Path::new(""))
        .unwrap_or(Path::new("."))
        .to_owned();
    match fs::metadata(&folder) {
        Ok(meta) if meta.is_dir() => {}
        Ok(_) => bail!("{} is no folder", folder.display()),
        Err(error) => return Err(error).context(format!("the folder {}", folder.display())),
    }
    access(&folder, Access::WRITE_OK | Access::EXEC_OK)
        .context(format!("the folder {}", folder.display()))?;
    Ok((folder, path))
}

fn existing(path: &Path) -> Result<PathBuf> {
    let real = fs::canonicalize(path).context("a link that leads nowhere")?;
    if !fs::metadata(&real)?.is_file() {
        return Err(anyhow!(
            "it is there, and no regular file; what goes to a device is to be copied there from a file"
        ));
    }
    access(&real, Access::WRITE_OK)?;
    Ok(real)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::exit::{self, Exit};

    fn refusal(path: &Path) -> String {
        let error = check("--out", path).unwrap_err();
        assert_eq!(exit::of_error(&error), Exit::Usage);
        // Who does not ask gets no further.
        assert!(write_all(path, "x").is_err());
        error.to_string()
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_no_file_is_refused_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let socket = dir.join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        assert!(refusal(dir).contains("no regular file"));
        assert!(refusal(&socket).contains("no regular file"));
        assert!(fs::metadata(&socket).unwrap().file_type().is_socket());
        assert!(refusal(Path::new("/dev/null")).contains("no regular file"));
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        symlink("nowhere", dir.join("link")).unwrap();
        assert!(refusal(&dir.join("link")).contains("leads nowhere"));
        assert!(refusal(&dir.join("new/")).contains("name of a file"));
        assert!(refusal(Path::new("")).contains("name of a file"));
        assert_eq!(names(dir), ["link", "socket"]);
    }

    #[test]
    fn a_folder_that_is_missing_is_named_and_not_made() {
        let dir = tempfile::tempdir().unwrap();
        let said = refusal(&dir.path().join("no/such/file"));
        assert!(said.contains("/no/such: No such file"), "{said}");
        fs::write(dir.path().join("file"), "").unwrap();
        refusal(&dir.path().join("file/below"));
        assert_eq!(names(dir.path()), ["file"]);
    }

    #[test]
    fn what_was_not_finished_leaves_the_old_one_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("a.img");
        fs::write(&out, "the old one").unwrap();
        let failed = write(&out, |file| {
            file.write_all(b"half")?;
            Err::<(), _>(anyhow!("no room on the device"))
        });
        assert!(format!("{:#}", failed.unwrap_err()).contains("no room"));
        assert_eq!(fs::read(&out).unwrap(), b"the old one");
        assert_eq!(names(dir.path()), ["a.img"]);
    }

    #[test]
    fn links_and_permissions_stay() {
        let dir = tempfile::tempdir().unwrap();
        let (out, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::write(&out, "old").unwrap();
        fs::set_permissions(&out, Permissions::from_mode(0o640)).unwrap();
        symlink("real", &link).unwrap();
        check("--out", &link).unwrap();
        write_all(&link, "new").unwrap();
        assert_eq!(fs::read(&out).unwrap(), b"new");
        assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
