//! Folders of the host as volumes: what is judged is what is mounted.
//!
//! The rules permit folders by their names, and a name may be a link's. So a source is followed
//! to where it leads, that is judged, and that is what the engine is told to mount; just before
//! the start it is looked at once more. Whoever may write in a permitted folder has, between
//! that look and the engine's, a moment in which to put a link there.

use std::path::{Path, PathBuf};

use crate::runners::RunnerError;

/// Whether no volume is a folder of the host.
pub(super) fn are_plain(volumes: &[String]) -> bool {
    !volumes.iter().any(|volume| volume.starts_with('/'))
}

/// The volumes with their sources resolved.
pub(super) fn resolved(
    volumes: &[String],
    folders: &[PathBuf],
) -> Result<Vec<String>, RunnerError> {
    let resolve = |volume: &String| {
        let Some((source, rest)) = volume.split_once(':').filter(|_| volume.starts_with('/'))
        else {
            return Ok(volume.clone());
        };
        let real = real(Path::new(source));
        check(source, &real, folders)?;
        // What is not text cannot be told to the engine.
        let real = real.to_str().filter(|real| !real.contains(':'));
        match real {
            Some(real) => Ok(format!("{real}:{rest}")),
            None => Err(refused(source, Path::new("a path that no volume can name"))),
        }
    };
    volumes.iter().map(resolve).collect()
}

/// Checks what was resolved before: it leads to itself.
pub(super) fn check_again(binds: &[String], folders: &[PathBuf]) -> Result<(), RunnerError> {
    for source in binds.iter().filter_map(|bind| bind.split(':').next()) {
        if source.starts_with('/') {
            let real = real(Path::new(source));
            check(source, &real, folders)?;
            if real != Path::new(source) {
                return Err(refused(source, &real));
            }
        }
    }
    Ok(())
}

fn check(source: &str, real: &Path, folders: &[PathBuf]) -> Result<(), RunnerError> {
    let permits = |folder: &PathBuf| real.starts_with(self::real(folder));
    if folders.iter().any(permits) {
        Ok(())
    } else {
        Err(refused(source, real))
    }
}

fn refused(source: &str, real: &Path) -> RunnerError {
    RunnerError::Refused(format!(
        "The volume {source} leads to {}, which this machine does not permit to mount. Its \
         operator can permit it in prefectd.toml: docker.allow.host_volumes",
        real.display()
    ))
}

/// Where a path leads. What is not there is made by the engine, below what is.
fn real(path: &Path) -> PathBuf {
    let mut ancestors = path.ancestors();
    let found = ancestors.find_map(|there| Some((there, there.canonicalize().ok()?)));
    let Some((there, real)) = found else {
        return path.to_owned();
    };
    match path.strip_prefix(there) {
        Ok(below) if !below.as_os_str().is_empty() => real.join(below),
        _ => real,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_a_link_leads_to_is_judged_and_mounted() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().canonicalize().unwrap();
        let (data, secret) = (base.join("data"), base.join("secret"));
        for folder in [&data, &secret] {
            std::fs::create_dir(folder).unwrap();
        }
        std::fs::create_dir(data.join("real")).unwrap();
        symlink(data.join("real"), data.join("inside")).unwrap();
        symlink(&secret, data.join("outside")).unwrap();
        let folders = [data.clone()];
        let volume = |name: &str| vec![format!("{}:/x:ro", data.join(name).display())];
        assert_eq!(
            resolved(&volume("inside"), &folders).unwrap(),
            volume("real")
        );
        assert_eq!(
            resolved(&volume("new/er"), &folders).unwrap(),
            volume("new/er")
        );
        assert_eq!(
            resolved(&["named:/x".to_owned()], &folders).unwrap(),
            ["named:/x"]
        );
        for leading_out in ["outside", "outside/below", "outside/not/there"] {
            let refused = resolved(&volume(leading_out), &folders).unwrap_err();
            assert!(
                refused.to_string().contains("docker.allow.host_volumes"),
                "{refused}"
            );
        }
        // The permitted folder may be a link itself.
        symlink(&data, base.join("link")).unwrap();
        let by_link = vec![format!("{}:/x", base.join("link/real").display())];
        let got = resolved(&by_link, &[base.join("link")]).unwrap();
        assert_eq!(got, [format!("{}:/x", data.join("real").display())]);
    }

    #[test]
    fn a_link_that_came_later_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().canonicalize().unwrap();
        let folder = base.join("folder");
        std::fs::create_dir(&folder).unwrap();
        let binds = resolved(
            &[format!("{}:/x", folder.display())],
            std::slice::from_ref(&base),
        )
        .unwrap();
        assert!(check_again(&binds, std::slice::from_ref(&base)).is_ok());
        std::fs::remove_dir(&folder).unwrap();
        std::fs::create_dir(base.join("other")).unwrap();
        symlink(base.join("other"), &folder).unwrap();
        assert!(check_again(&binds, std::slice::from_ref(&base)).is_err());
    }

    #[test]
    fn on_an_engine_elsewhere_names_are_all_there_is() {
        let folders = [PathBuf::from("/no-such-folder-here/data")];
        let inside = vec!["/no-such-folder-here/data/x:/x".to_owned()];
        assert_eq!(resolved(&inside, &folders).unwrap(), inside);
        assert!(resolved(&["/no-such-folder-here/other:/x".to_owned()], &folders).is_err());
    }
}
