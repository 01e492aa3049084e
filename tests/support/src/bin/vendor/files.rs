//! The files that a vendor CLI leaves, and those that only a hostile one does.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{CWD, Mode};

use crate::Failure;

pub fn write(path: &Path, content: &str) -> Result<(), Failure> {
    Ok(open(path, OpenOptions::new().write(true).truncate(true))?.write_all(content.as_bytes())?)
}

pub fn append(path: &Path, content: &str) -> Result<(), Failure> {
    Ok(open(path, OpenOptions::new().append(true))?.write_all(content.as_bytes())?)
}

pub fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let content = fs::read(from)?;
    Ok(open(to, OpenOptions::new().write(true).truncate(true))?.write_all(&content)?)
}

pub fn rename(from: &Path, to: &Path) -> Result<(), Failure> {
    make_parents(to)?;
    Ok(fs::rename(from, to)?)
}

pub fn symlink(target: &str, path: &Path) -> Result<(), Failure> {
    make_parents(path)?;
    Ok(std::os::unix::fs::symlink(target, path)?)
}

pub fn hardlink(from: &Path, to: &Path) -> Result<(), Failure> {
    make_parents(to)?;
    Ok(fs::hard_link(from, to)?)
}

pub fn mkfifo(path: &Path) -> Result<(), Failure> {
    make_parents(path)?;
    Ok(rustix::fs::mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR)?)
}

pub fn mkdir(path: &Path, mode: u32) -> Result<(), Failure> {
    fs::create_dir_all(path)?;
    chmod(path, mode)
}

pub fn chmod(path: &Path, mode: u32) -> Result<(), Failure> {
    Ok(fs::set_permissions(path, Permissions::from_mode(mode))?)
}

pub fn sparse(path: &Path, bytes: u64) -> Result<(), Failure> {
    Ok(open(path, OpenOptions::new().write(true).truncate(true))?.set_len(bytes)?)
}

pub fn deep(path: &Path, levels: usize) -> Result<(), Failure> {
    write(path, &(r#"{"a":"#.repeat(levels) + "null" + &"}".repeat(levels)))
}

fn open(path: &Path, options: &mut OpenOptions) -> Result<File, Failure> {
    make_parents(path)?;
    Ok(options.create(true).mode(0o600).open(path)?)
}

fn make_parents(path: &Path) -> Result<(), Failure> {
    Ok(path.parent().map_or(Ok(()), fs::create_dir_all)?)
}
