//! The archives (tar) that an engine's API takes.

use std::io;

use super::EngineError;

/// Packs files, given by path and content, into an archive. `what` names the archive in the error.
///
/// # Errors
/// [`EngineError::Io`]
pub(super) fn pack(what: &str, files: &[(&str, &[u8])]) -> Result<Vec<u8>, EngineError> {
    write(files).map_err(|source| EngineError::Io { action: format!("pack {what}"), source })
}

fn write(files: &[(&str, &[u8])]) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        tar.append_data(&mut header, path, *bytes)?;
    }
    tar.into_inner()
}
