use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};

struct Place {
    _folder: tempfile::TempDir,
    root: PathBuf,
    files: DiskFiles,
}

/// A project whose scripts may read all of it and write to `out`; a secret lies beside it.
fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let project_folder = root.join("project");
    for path in ["project/inbox/deep", "project/out", "project/.rpa", "elsewhere"] {
        fs::create_dir_all(root.join(path)).unwrap();
    }
    for path in [
        "project/inbox/a.csv",
        "project/inbox/b.csv",
        "project/inbox/deep/c.csv",
        "project/.rpa/store.db",
        "elsewhere/secret",
    ] {
        fs::write(root.join(path), path).unwrap();
    }
    let mut project = Project::of_folder(&project_folder);
    project.reach.write = vec![project_folder.join("out")];
    Place { files: DiskFiles::new(&project), root, _folder: folder }
}

/// A result as text, without the folder of the test.
fn shown<T: std::fmt::Debug>(place: &Place, result: Done<T>) -> String {
    let text = match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => error.to_string(),
    };
    text.replace(place.root.to_str().unwrap(), "…").replace('\0', "\\0")
}

#[test]
fn nothing_outside_the_allowed_folders_is_reached() {
    let mut place = place();
    let root = place.root.clone();
    symlink(root.join("elsewhere"), root.join("project/inbox/link")).unwrap();
    symlink(root.join("elsewhere/secret"), root.join("project/inbox/link.csv")).unwrap();
    symlink(root.join("elsewhere/new"), root.join("project/out/dangling")).unwrap();
    let absolute = root.join("elsewhere/secret").display().to_string();
    let mut results = Vec::new();
    for path in [
        "../elsewhere/secret",
        absolute.as_str(),
        "inbox/link/secret",
        "inbox/link.csv",
        "inbox/../../elsewhere/secret",
        ".rpa/store.db",
        "",
        "a\0b",
    ] {
        let result = place.files.read(path);
        results.push(shown(&place, result));
    }
    for path in ["inbox/new.csv", "../elsewhere/new", "out/dangling", "out/../inbox/x", "rpa.toml", ".rpa/x"] {
        let result = place.files.write(path, b"x");
        results.push(shown(&place, result));
    }
    let result = place.files.rename("inbox/a.csv", "out/a.csv");
    results.push(shown(&place, result));
    let result = place.files.list("**/*.csv");
    results.push(shown(&place, result));
    insta::assert_snapshot!(results.join("\n"), @r#"
    `../elsewhere/secret` can't be used: it lies outside the folders that scripts may read; if that is meant, add its folder to `read` under `[reach]` in rpa.toml
    `…/elsewhere/secret` can't be used: it lies outside the folders that scripts may read; if that is meant, add its folder to `read` under `[reach]` in rpa.toml
    `inbox/link/secret` can't be used: it lies outside the folders that scripts may read; if that is meant, add its folder to `read` under `[reach]` in rpa.toml
    `inbox/link.csv` can't be used: it lies outside the folders that scripts may read; if that is meant, add its folder to `read` under `[reach]` in rpa.toml
    `inbox/../../elsewhere/secret` can't be used: it lies outside the folders that scripts may read; if that is meant, add its folder to `read` under `[reach]` in rpa.toml
    `.rpa/store.db` can't be used: it belongs to rpa itself, and no script may touch it
    `` can't be used: the path is empty
    `a\0b` can't be used: the path has a NUL byte in it
    `inbox/new.csv` can't be used: it lies outside the folders that scripts may write to; if that is meant, add its folder to `write` under `[reach]` in rpa.toml
    `../elsewhere/new` can't be used: it lies outside the folders that scripts may write to; if that is meant, add its folder to `write` under `[reach]` in rpa.toml
    `out/dangling` can't be used: it lies outside the folders that scripts may write to; if that is meant, add its folder to `write` under `[reach]` in rpa.toml
    `out/../inbox/x` can't be used: it lies outside the folders that scripts may write to; if that is meant, add its folder to `write` under `[reach]` in rpa.toml
    `rpa.toml` can't be used: it belongs to rpa itself, and no script may touch it
    `.rpa/x` can't be used: it belongs to rpa itself, and no script may touch it
    `inbox/a.csv` can't be used: it lies outside the folders that scripts may write to; if that is meant, add its folder to `write` under `[reach]` in rpa.toml
    ["inbox/a.csv", "inbox/b.csv", "inbox/deep/c.csv"]
    "#);
    assert!(!root.join("elsewhere/new").exists());
    // Inside the allowed folders an absolute path and `..` are fine.
    let inside = root.join("project/inbox/../inbox/a.csv").display().to_string();
    assert_eq!(place.files.read(&inside).unwrap(), b"project/inbox/a.csv");
}

#[test]
fn what_can_not_be_read_is_explained() {
    let mut place = place();
    let root = place.root.clone();
    fs::write(root.join("project/locked"), "x").unwrap();
    fs::set_permissions(root.join("project/locked"), fs::Permissions::from_mode(0o000)).unwrap();
    let listener = std::os::unix::net::UnixListener::bind(root.join("project/socket")).unwrap();
    let mut results = Vec::new();
    for path in ["none.csv", "inbox", "inbox/a.csv/x", "socket", &"x".repeat(300)] {
        let result = place.files.read(path);
        results.push(shown(&place, result).replace(&"x".repeat(300), "xxx…"));
    }
    for path in ["out", "out/x/../../inbox"] {
        let result = place.files.write(path, b"x");
        results.push(shown(&place, result));
    }
    drop(listener);
    insta::assert_snapshot!(results.join("\n"), @r"
    there is no file `none.csv`
    `inbox` can't be used: it is a folder, not a file
    `inbox/a.csv/x` can't be used: a part of the path is a file, not a folder
    `socket` can't be used: it is no regular file, but a device, pipe or socket
    `xxx…` can't be used: the name is too long, or not one that the disk takes
    `out` can't be used: it is a folder, not a file
    `out/x/../../inbox` can't be used: it lies outside the folders that scripts may write to; if that is meant, add its folder to `write` under `[reach]` in rpa.toml
    ");
}

#[test]
fn files_are_written_whole_and_leave_nothing_behind() {
    let mut place = place();
    let out = place.root.join("project/out");
    place.files.write("out/new/folder/a.txt", b"one").unwrap();
    place.files.write("out/new/folder/a.txt", b"two").unwrap();
    place.files.flush().unwrap();
    assert_eq!(fs::read(out.join("new/folder/a.txt")).unwrap(), b"two");
    assert_eq!(fs::read_dir(out.join("new/folder")).unwrap().count(), 1);
    fs::set_permissions(out.join("new/folder/a.txt"), fs::Permissions::from_mode(0o640)).unwrap();
    place.files.write("out/new/folder/a.txt", b"three").unwrap();
    assert_eq!(fs::metadata(out.join("new/folder/a.txt")).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn what_a_dead_writer_has_left_is_removed_and_what_a_living_one_writes_is_not() {
    let mut place = place();
    let out = place.root.join("project/out");
    fs::write(out.join(".rpa-1-7.tmp"), b"half a fi").unwrap();
    fs::write(out.join(".rpa-notes"), b"somebody's own").unwrap();
    let living = fs::File::create(out.join(".rpa-2-8.tmp")).unwrap();
    living.lock().unwrap();
    place.files.write("out/a.txt", b"whole").unwrap();
    assert!(!out.join(".rpa-1-7.tmp").exists());
    assert!(out.join(".rpa-2-8.tmp").exists() && out.join(".rpa-notes").exists());
}

#[test]
fn moving_and_deleting_twice_is_as_once() {
    let mut place = place();
    place.files.write("out/a", b"a").unwrap();
    place.files.rename("out/a", "out/done/a").unwrap();
    place.files.rename("out/a", "out/done/a").unwrap();
    assert_eq!(place.files.size("out/done/a"), Ok(1));
    place.files.write("out/a", b"b").unwrap();
    assert_eq!(place.files.rename("out/a", "out/done/a"), Err(FileError::AlreadyExists("out/done/a".to_string())));
    assert_eq!(place.files.rename("out/x", "out/y"), Err(FileError::NotFound("out/x".to_string())));
    place.files.delete("out/a").unwrap();
    place.files.delete("out/a").unwrap();
    assert_eq!(place.files.exists("out/a"), Ok(false));
    place.files.flush().unwrap();
}

#[test]
fn patterns_find_files_in_order() {
    let mut place = place();
    let mut found = |pattern: &str| place.files.list(pattern).unwrap();
    assert_eq!(found("inbox/*.csv"), ["inbox/a.csv", "inbox/b.csv"]);
    assert_eq!(found("./inbox/**"), ["inbox/a.csv", "inbox/b.csv", "inbox/deep/c.csv"]);
    assert_eq!(found("**/c.csv"), ["inbox/deep/c.csv"]);
    assert_eq!(found("*/*/c.csv"), ["inbox/deep/c.csv"]);
    assert_eq!(found("inbox/a.csv"), ["inbox/a.csv"]);
    assert_eq!(found("none/*.csv"), Vec::<String>::new());
    assert_eq!(found("**/store.db"), Vec::<String>::new());
}

#[test]
fn a_full_disk_is_said_and_the_old_content_stays() {
    // `/dev/full` says so for every byte; the words are those of the system's error.
    let error =
        fs::File::options().write(true).open("/dev/full").and_then(|mut file| io::Write::write_all(&mut file, b"x"));
    let error = file_error("out/a", &error.unwrap_err());
    insta::assert_snapshot!(error, @"`out/a` can't be used: the disk is full; nothing of the new content was kept");
}
