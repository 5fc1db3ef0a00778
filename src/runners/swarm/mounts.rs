//! A container's mounts as a service has them.

use std::path::{Path, PathBuf};

use bollard::models::{
    Mount, MountBindOptions, MountBindOptionsPropagationEnum as Propagation, MountTmpfsOptions,
    MountType,
};

use super::service::{TEMPLATE, literal};
use crate::domain::container::Bytes;
use crate::runners::RunnerError;
use crate::runners::spec::Container;

/// All of them.
pub(super) fn of(wanted: &Container) -> Result<Vec<Mount>, RunnerError> {
    let asked = &wanted.resources;
    let mut mounts = wanted
        .volumes
        .iter()
        .map(|text| mount(text, wanted))
        .collect::<Result<Vec<_>, _>>()?;
    for text in asked.tmpfs.iter().flatten() {
        mounts.push(tmpfs(text)?);
    }
    if let Some(Bytes(size)) = asked.shm_size {
        mounts.push(in_memory("/dev/shm", Some(size), None));
    }
    Ok(mounts)
}

/// `source:path[:options]`.
fn mount(text: &str, wanted: &Container) -> Result<Mount, RunnerError> {
    let mut parts = text.splitn(3, ':');
    let (source, target) = (parts.next().unwrap_or_default(), parts.next());
    check_source(source, wanted)?;
    let mut mount = Mount {
        source: Some(source.to_owned()),
        target: target.map(literal),
        typ: Some(match source.starts_with('/') {
            true => MountType::BIND,
            false => MountType::VOLUME,
        }),
        ..Mount::default()
    };
    for option in parts.next().unwrap_or_default().split(',') {
        let propagation = match option {
            "" | "rw" => continue,
            "ro" => {
                mount.read_only = Some(true);
                continue;
            }
            "private" => Propagation::PRIVATE,
            "rprivate" => Propagation::RPRIVATE,
            "shared" => Propagation::SHARED,
            "rshared" => Propagation::RSHARED,
            "slave" => Propagation::SLAVE,
            "rslave" => Propagation::RSLAVE,
            other => {
                return Err(RunnerError::Refused(format!(
                    "The volume {text:?} has the option {other:?}, which no service knows."
                )));
            }
        };
        mount.bind_options = Some(MountBindOptions {
            propagation: Some(propagation),
            ..MountBindOptions::default()
        });
    }
    Ok(mount)
}

/// Nobody can look from here whether a path on a node leads elsewhere by a link that a run has put
/// there, so that a folder of a node is one that the operator names, and none below it. Nodes take
/// what looks like a template for one.
fn check_source(source: &str, wanted: &Container) -> Result<(), RunnerError> {
    if source.contains(TEMPLATE) {
        return Err(RunnerError::Refused(format!(
            "The volume {source:?} has {TEMPLATE:?} in it, which a swarm would fill in."
        )));
    }
    let (folders, path) = (&wanted.host_folders, Path::new(source));
    // One below another is where a run that has the other one may put a link.
    let is_within = |folder: &PathBuf| folder != path && path.starts_with(folder);
    let is_named = || folders.iter().any(|folder| folder == path) && !folders.iter().any(is_within);
    if source.starts_with('/') && !is_named() {
        return Err(RunnerError::Refused(format!(
            "On a swarm only the very folders can be mounted that docker.allow.host_volumes names, \
             and none that lies below another of them, since where it leads on another node \
             cannot be seen from here. {source:?} is not such a folder."
        )));
    }
    Ok(())
}

/// `path[:size=…,mode=…]`.
fn tmpfs(text: &str) -> Result<Mount, RunnerError> {
    let (path, options) = text.split_once(':').unwrap_or((text, ""));
    let refused = |option: &str| {
        RunnerError::Refused(format!(
            "The tmpfs {text:?} has the option {option:?}; on a swarm it has a size and a mode."
        ))
    };
    let (mut size, mut mode) = (None, None);
    for option in options
        .split(',')
        .filter(|option| !["", "rw"].contains(option))
    {
        match option.split_once('=') {
            Some(("size", value)) => {
                let Bytes(bytes) = value.parse().map_err(|_| refused(option))?;
                size = Some(bytes);
            }
            Some(("mode", value)) => {
                mode = Some(i64::from_str_radix(value, 8).map_err(|_| refused(option))?);
            }
            _ => return Err(refused(option)),
        }
    }
    Ok(in_memory(path, size, mode))
}

fn in_memory(path: &str, size: Option<i64>, mode: Option<i64>) -> Mount {
    let options = MountTmpfsOptions {
        size_bytes: size,
        mode,
        ..MountTmpfsOptions::default()
    };
    Mount {
        target: Some(literal(path)),
        typ: Some(MountType::TMPFS),
        tmpfs_options: (size.is_some() || mode.is_some()).then_some(options),
        ..Mount::default()
    }
}
