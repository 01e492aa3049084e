//! Sealing a file in the age format, and opening one.

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
    store::{StoreError, db::permissions},
};

/// scrypt's work, as a power of two: about a second and 256 MiB of memory, as age itself takes.
const WORK: u8 = 18;
/// More than this is not done, whatever a file asks: 1 GiB, and twice as much with each more.
const MOST_WORK: u8 = 20;
/// How the name of one begins that is not whole yet.
const UNFINISHED: &str = ".authenticate-backup-";
/// Nobody is still writing what is older.
const OLD: Duration = Duration::from_secs(3600);
/// No backup is larger.
const MOST: u64 = 1 << 30;

/// What opens a backup some day.
#[derive(Clone, Debug)]
pub enum BackupLock {
    /// A passphrase.
    Passphrase(Secret),
    /// The identities of these recipients: `age1..`.
    Recipients(Vec<String>),
}

/// What opens a backup.
#[derive(Clone, Debug)]
pub enum BackupUnlock {
    /// The passphrase.
    Passphrase(Secret),
    /// The text of an identity file: `AGE-SECRET-KEY-1..`.
    Identities(Secret),
}

type Recipients = Vec<Box<dyn Recipient + Send>>;

/// Whether a backup may be written there, over what is there already or not: to be asked before a passphrase is.
///
/// # Errors
/// [`StoreError::Backup`] when it may not.
pub fn may_write(file: &Path, replace: bool) -> Result<(), StoreError> {
    match fs::symlink_metadata(file) {
        Ok(found) if found.is_dir() => Err(BackupError::usage(file, "is a directory: name a file")),
        Ok(_) if !replace => {
            Err(BackupError::usage(file, "is there already: name another file, or use --force"))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(StoreError::io("look at", file)(error)),
    }
}

/// Seals what `content` writes, in a file that is whole when it has its name.
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
        BackupLock::Passphrase(passphrase) => {
            let mut recipient = age::scrypt::Recipient::new(secret(passphrase));
            recipient.set_work_factor(WORK);
            vec![Box::new(recipient)]
        }
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
    stale::remove_files(parent, UNFINISHED, OLD);
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

/// Opens a whole file. What is altered or cut off does not open.
pub(super) fn read(file: &Path, unlock: &BackupUnlock) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let bad = |why: &str| BackupError::bad(file, why);
    let opened = open(file)?;
    let length = opened.metadata().ok().map(|found| found.len()).filter(|length| *length <= MOST);
    let length = length.and_then(|length| usize::try_from(length).ok());
    let length = length.ok_or_else(|| bad("is no backup: it is larger than any"))?;
    let why = |error: DecryptError| bad(&reason(&error, unlock));
    let decryptor = Decryptor::new(BufReader::new(opened)).map_err(why)?;
    let identities: Vec<Box<dyn Identity>> = match (unlock, decryptor.is_scrypt()) {
        (BackupUnlock::Passphrase(passphrase), true) => {
            let mut identity = age::scrypt::Identity::new(secret(passphrase));
            identity.set_max_work_factor(MOST_WORK);
            vec![Box::new(identity)]
        }
        (BackupUnlock::Identities(text), false) => {
            let identities = identities(file, text)?.into_identities().map_err(why)?;
            identities.into_iter().map(|identity| identity as Box<dyn Identity>).collect()
        }
        (BackupUnlock::Passphrase(_), false) => {
            return Err(BackupError::usage(
                file,
                "is sealed for recipients: name the file with your identity, --identity FILE",
            ));
        }
        (BackupUnlock::Identities(_), true) => {
            return Err(BackupError::usage(file, "is sealed with a passphrase: leave --identity out"));
        }
    };
    let mut content = decryptor.decrypt(identities.iter().map(|identity| &**identity)).map_err(why)?;
    // Large enough from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    content.read_to_end(&mut bytes).map_err(|_| bad("is damaged: a part of it is missing or was altered"))?;
    Ok(bytes)
}

/// A FIFO without a writer holds up nobody.
fn open(file: &Path) -> Result<File, StoreError> {
    if file.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(BackupError::bad(file, "is no backup: it is not a file"));
    }
    open_plain(file).map_err(StoreError::io("read", file))
}

/// Those for whom a file that is opened in this way could be sealed.
pub(super) fn recipients(file: &Path, unlock: &BackupUnlock) -> Result<Recipients, StoreError> {
    match unlock {
        BackupUnlock::Passphrase(passphrase) => {
            let mut recipient = age::scrypt::Recipient::new(secret(passphrase));
            recipient.set_work_factor(WORK);
            Ok(vec![Box::new(recipient)])
        }
        BackupUnlock::Identities(text) => identities(file, text)?
            .to_recipients()
            .map_err(|error| BackupError::usage(file, format!("cannot be used: {error}"))),
    }
}

/// Whether a backup is sealed with a passphrase; so that the right thing can be asked for.
///
/// # Errors
/// [`StoreError::Backup`] for a file that is no backup.
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
                "asks for more memory than is given to any backup: its scrypt work factor is {required}, and at most \
                 {MOST_WORK} (1 GiB) is taken; seal it anew with less, or for a recipient"
            )
            .into();
        }
        (DecryptError::UnknownFormat | DecryptError::InvalidHeader | DecryptError::Io(_), _) => {
            "is no backup: it is not in the age format"
        }
        _ => "is damaged: a part of it is missing or was altered",
    };
    text.into()
}

fn secret(passphrase: &Secret) -> SecretString {
    SecretString::from(passphrase.expose())
}

/// Makes sure that a directory is one to put a safety copy into.
pub(super) fn private(directory: &Path) -> Result<(), StoreError> {
    permissions::directory(directory).map(drop)
}
