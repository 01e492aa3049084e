//! Sealing and opening files in the age format.

use std::{
    borrow::Cow,
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read as _, Write},
    path::Path,
    time::Duration,
};

use age::{DecryptError, Decryptor, Encryptor, Identity, IdentityFile, Recipient, secrecy::SecretString};
use zeroize::Zeroizing;

use super::BackupError;
use crate::{
    credential::Secret,
    fs::{read::open_plain, stale},
    redact::quote,
    store::StoreError,
};

/// The work factor of scrypt: about a second and 256 MiB of memory, as the `age` program takes.
const WORK: u8 = 18;
/// The highest work factor that is accepted: 1 GiB of memory. Each step doubles it.
const WORK_LIMIT: u8 = 20;
/// The start of an unfinished file's name.
const UNFINISHED: &str = ".authenticate-backup-";
/// The age from which nobody is still writing a file.
const STALE_AFTER: Duration = Duration::from_secs(3600);
/// The most bytes that a backup may have.
const LIMIT: u64 = 1 << 30;

/// The lock of a new backup.
#[derive(Clone, Debug)]
pub enum BackupLock {
    /// The backup opens with this passphrase.
    Passphrase(Secret),
    /// The backup opens with an identity of one of these recipients: `age1..`.
    Recipients(Vec<String>),
}

/// The key to a backup.
#[derive(Clone, Debug)]
pub enum BackupUnlock {
    /// The passphrase of the backup.
    Passphrase(Secret),
    /// The text of an identity file: `AGE-SECRET-KEY-1..`.
    Identities(Secret),
}

type Recipients = Vec<Box<dyn Recipient + Send>>;

/// Checks that a backup may be written to this file. Call it before a passphrase is asked for.
///
/// # Errors
/// [`StoreError::Backup`] and [`StoreError::BackupExists`] when it may not.
pub fn may_write(file: &Path, replace: bool) -> Result<(), StoreError> {
    match fs::symlink_metadata(file) {
        Ok(found) if found.is_dir() => Err(BackupError::usage(file, "is a directory: name a file")),
        Ok(_) if !replace => Err(StoreError::BackupExists { path: file.to_owned() }),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(StoreError::io("look at", file)(error)),
    }
}

/// Seals what `content` writes. The file gets its name when it is complete.
pub(super) fn write(
    file: &Path,
    lock: &BackupLock,
    replace: bool,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), StoreError> {
    let recipients: Recipients = match lock {
        BackupLock::Passphrase(passphrase) if passphrase.is_empty() => {
            return Err(BackupError::usage(file, "needs a passphrase: an empty one protects nothing"));
        }
        BackupLock::Passphrase(passphrase) => for_passphrase(passphrase),
        BackupLock::Recipients(names) => {
            let parse = |name: &String| match name.parse::<age::x25519::Recipient>() {
                Ok(recipient) => Ok(Box::new(recipient) as Box<dyn Recipient + Send>),
                Err(why) => {
                    Err(BackupError::usage(file, format!("cannot be sealed for {}: {why}", quote(name))))
                }
            };
            names.iter().map(parse).collect::<Result<_, _>>()?
        }
    };
    write_for(file, &recipients, replace, content)
}

pub(super) fn write_for(
    file: &Path,
    recipients: &Recipients,
    replace: bool,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), StoreError> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = || StoreError::io("write", file);
    let encryptor =
        Encryptor::with_recipients(recipients.iter().map(|recipient| &**recipient as &dyn Recipient))
            .map_err(|error| BackupError::usage(file, format!("cannot be sealed: {error}")))?;
    stale::remove_files(parent, UNFINISHED, STALE_AFTER);
    let new = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(parent).map_err(failed())?;
    let mut to = encryptor.wrap_output(BufWriter::new(new)).map_err(failed())?;
    content(&mut to).map_err(failed())?;
    let new = to.finish().and_then(|to| to.into_inner().map_err(io::Error::from)).map_err(failed())?;
    new.as_file().sync_all().map_err(failed())?;
    let done = match replace {
        true => new.persist(file),
        false => new.persist_noclobber(file),
    };
    done.map_err(|error| failed()(error.error))?;
    File::open(parent).and_then(|parent| parent.sync_all()).map_err(failed())
}

/// Opens a whole file. One that was altered or truncated does not open.
pub(super) fn read(file: &Path, unlock: &BackupUnlock) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let bad = |why: &str| BackupError::bad(file, why);
    let opened = open(file)?;
    let length = opened.metadata().ok().map(|found| found.len()).filter(|length| *length <= LIMIT);
    let length = length.and_then(|length| usize::try_from(length).ok());
    let length = length.ok_or_else(|| bad("is not a backup: it is larger than any"))?;
    let why = |error: DecryptError| bad(&reason(&error, unlock));
    let decryptor = Decryptor::new(BufReader::new(opened)).map_err(why)?;
    let identities: Vec<Box<dyn Identity>> = match (unlock, decryptor.is_scrypt()) {
        (BackupUnlock::Passphrase(passphrase), true) => {
            let mut identity = age::scrypt::Identity::new(secret(passphrase));
            identity.set_max_work_factor(WORK_LIMIT);
            vec![Box::new(identity)]
        }
        (BackupUnlock::Identities(text), false) => {
            let identities = identities(file, text)?.into_identities().map_err(why)?;
            identities.into_iter().map(|identity| identity as Box<dyn Identity>).collect()
        }
        (BackupUnlock::Passphrase(_), false) => {
            return Err(BackupError::usage(file, "is sealed for recipients: an identity opens it"));
        }
        (BackupUnlock::Identities(_), true) => {
            return Err(BackupError::usage(file, "is sealed with a passphrase: no identity opens it"));
        }
    };
    let mut content = decryptor.decrypt(identities.iter().map(|identity| &**identity)).map_err(why)?;
    // Large enough from the start, because a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    content.read_to_end(&mut bytes).map_err(|_| bad("is damaged: a part of it is missing or was altered"))?;
    Ok(bytes)
}

/// Opens a regular file. It does not wait for the writer of a FIFO.
fn open(file: &Path) -> Result<File, StoreError> {
    if file.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(BackupError::bad(file, "is not a backup: it is not a file"));
    }
    open_plain(file).map_err(StoreError::io("read", file))
}

/// Returns the recipients for a file that should open as this one does.
pub(super) fn recipients(file: &Path, unlock: &BackupUnlock) -> Result<Recipients, StoreError> {
    match unlock {
        BackupUnlock::Passphrase(passphrase) => Ok(for_passphrase(passphrase)),
        BackupUnlock::Identities(text) => identities(file, text)?
            .to_recipients()
            .map_err(|error| BackupError::usage(file, format!("cannot be used: {error}"))),
    }
}

/// Returns whether a backup is sealed with a passphrase.
///
/// # Errors
/// [`StoreError::Backup`] for a file that is not a backup.
pub fn needs_passphrase(file: &Path) -> Result<bool, StoreError> {
    let opened = open(file)?;
    match Decryptor::new(BufReader::new(opened)) {
        Ok(decryptor) => Ok(decryptor.is_scrypt()),
        Err(error) => Err(BackupError::bad(file, reason(&error, &BackupUnlock::Passphrase(Secret::new(""))))),
    }
}

fn identities(file: &Path, text: &Secret) -> Result<IdentityFile<age::NoCallbacks>, StoreError> {
    let none = || {
        BackupError::usage(
            file,
            "cannot be opened: the identity file holds no age identity (AGE-SECRET-KEY-1..)",
        )
    };
    IdentityFile::from_buffer(text.expose().as_bytes()).map_err(|_| none())
}

fn reason(error: &DecryptError, unlock: &BackupUnlock) -> Cow<'static, str> {
    let text = match (error, unlock) {
        (DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed, BackupUnlock::Passphrase(_)) => {
            "does not open: that is not its passphrase"
        }
        (DecryptError::NoMatchingKeys, _) => "is sealed for other recipients",
        (DecryptError::ExcessiveWork { required, .. }, _) => {
            return format!(
                "needs more memory than a backup may use: its scrypt work factor is {required}, and at most \
                 {WORK_LIMIT} (1 GiB) is accepted; seal it again with less, or for a recipient"
            )
            .into();
        }
        (DecryptError::UnknownFormat | DecryptError::InvalidHeader | DecryptError::Io(_), _) => {
            "is not a backup: it is not in the age format"
        }
        _ => "is damaged: a part of it is missing or was altered",
    };
    text.into()
}

fn for_passphrase(passphrase: &Secret) -> Recipients {
    let mut recipient = age::scrypt::Recipient::new(secret(passphrase));
    recipient.set_work_factor(WORK);
    vec![Box::new(recipient)]
}

fn secret(passphrase: &Secret) -> SecretString {
    SecretString::from(passphrase.expose())
}
