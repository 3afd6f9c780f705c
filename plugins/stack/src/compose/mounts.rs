//! `volumes` of a service: named volumes, and folders and files beneath the pipeline's own.

use windlass_plugin::docker::{Mount, MountSource};

use super::Declared;
use super::values::Reader;
use crate::yaml::{Node, Yaml};

const LONG: &[&str] = &["type", "source", "target", "read_only"];

/// The volumes that mounts name.
pub(super) fn volumes_of(mounts: &[Mount]) -> impl Iterator<Item = String> {
    mounts.iter().filter_map(|mount| match &mount.source {
        MountSource::Volume(name) => Some(name.clone()),
        MountSource::Folder(_) | MountSource::Tmpfs(_) => None,
    })
}

/// One item of `volumes`.
pub(super) fn read(
    reader: &mut Reader<'_>,
    node: &Node,
    place: &str,
    declared: &Declared,
    folder: &str,
) -> Option<Mount> {
    let (source, target, writable) = match &node.value {
        Yaml::Map(_) => long(reader, node, place)?,
        _ => short(reader, node, place)?,
    };
    let mut mount = if source.starts_with(['.', '/', '~']) {
        let found = beneath(folder, &source);
        Mount::folder(reader.problems.or_add(node.line, place, found)?, target)
    } else {
        if !declared.volumes.contains(&source) {
            return reader.wrong(
                node,
                place,
                format_args!("there is no volume `{source}`; declare it in `volumes` at the top, or write `./{source}` if a folder is meant"),
            );
        }
        Mount::volume(source, target)
    };
    mount.writable = writable;
    Some(mount)
}

/// `source:target`, `source:target:ro`.
fn short(reader: &mut Reader<'_>, node: &Node, place: &str) -> Option<(String, String, bool)> {
    let text = reader.text(node, place)?;
    let parts: Vec<_> = text.split(':').collect();
    let (source, target, mode) = match &*parts {
        [source, target] => (source, target, "rw"),
        [source, target, mode] => (source, target, *mode),
        [_] => {
            return reader.wrong(node, place, format_args!("`{text}` has no name; give the volume one: `data:{text}`"));
        }
        _ => return reader.wrong(node, place, format_args!("`{text}` is not `SOURCE:TARGET` or `SOURCE:TARGET:ro`")),
    };
    let writable = match mode {
        "rw" => true,
        "ro" => false,
        _ => return reader.wrong(node, place, format_args!("`{mode}` is not supported; `ro` and `rw` are")),
    };
    Some(((*source).to_owned(), (*target).to_owned(), writable))
}

/// `{ type: bind, source: ./etc, target: /etc/app, read_only: true }`.
fn long(reader: &mut Reader<'_>, node: &Node, place: &str) -> Option<(String, String, bool)> {
    let (mut kind, mut source, mut target, mut read_only) = (None, None, None, false);
    for (key, item) in reader.map(node, place)? {
        let at = format!("{place}.{}", key.text);
        match &*key.text {
            "type" => kind = reader.text(item, &at),
            "source" => source = reader.text(item, &at),
            "target" => target = reader.text(item, &at),
            "read_only" => read_only = reader.flag(item, &at)?,
            _ => reader.unknown(key, &format!("{place}."), LONG, None),
        }
    }
    let (Some(kind), Some(source), Some(target)) = (kind, source, target) else {
        return reader.wrong(node, place, "this needs `type`, `source` and `target`");
    };
    let source = match &*kind {
        "volume" => source,
        // A folder that is written as a name would be taken for a volume.
        "bind" if !source.starts_with(['.', '/', '~']) => format!("./{source}"),
        "bind" => source,
        _ => {
            return reader.wrong(
                node,
                place,
                format_args!("the type `{kind}` is not supported; `volume` and `bind` are"),
            );
        }
    };
    Some((source, target, !read_only))
}

/// Where a path of the file leads, relative to the pipeline's folder and never out of it. What of it a container may
/// see, the grants say.
fn beneath(folder: &str, path: &str) -> Result<String, String> {
    let no = |why: &str| Err(format!("`{path}` {why}; a bind is a path like `./config`, within the pipeline's folder"));
    if path.starts_with('/') {
        return no("is a path of the machine");
    }
    if path.starts_with('~') {
        return no("is in somebody's home folder");
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return no("leads out of the pipeline's folder");
                }
            }
            part => parts.push(part),
        }
    }
    Ok(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

#[cfg(test)]
mod tests {
    use super::beneath;

    #[test]
    fn binds_stay_within_the_folder_of_the_pipeline() {
        for (folder, path, told) in [
            ("", "./config", "config"),
            ("deploy", "./config/a.conf", "deploy/config/a.conf"),
            ("deploy", "../shared/", "shared"),
            ("", ".", "."),
            ("./a/b", "..", "a"),
        ] {
            assert_eq!(beneath(folder, path), Ok(told.to_owned()), "{folder} {path}");
        }
        for (folder, path) in [("", "../x"), ("a", "./../../x"), ("", "/etc"), ("", "~/x")] {
            assert!(beneath(folder, path).is_err(), "{folder} {path}");
        }
    }
}
