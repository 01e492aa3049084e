//! Sealing and opening files in the age format.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Chain, Cursor, Read as _, Write},
    path::Path,
    time::Duration,
};

use age::{DecryptError, Decryptor, Encryptor, Identity, IdentityFile, Recipient, secrecy::SecretString};
use zeroize::Zeroizing;

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
const LIMIT: usize = 1 << 30;

/// The most bytes and lines that a header may have: parsing one takes time that grows with the square of its size.
const HEADER: u64 = 64 * 1024;
const HEADER_LINES: usize = 1024;
/// The most recipients of a backup. Each takes two lines of the header.
const RECIPIENTS: usize = 500;

const NOT_AGE: &str = "is not a backup: it is not in the age format";
const LONG: &str = "is not a backup: its header is longer than any";
const DAMAGED: &str = "is damaged: a part of it is missing or was altered";

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
/// A header in memory, and the rest of the file.
type Opened = Chain<Cursor<Vec<u8>>, BufReader<File>>;

/// Checks that a backup may be written to this file. Call it before a passphrase is asked for.
///
/// # Errors
/// [`StoreError::Backup`] and [`StoreError::BackupExists`] when it may not.
pub fn may_write(file: &Path, replace: bool) -> Result<(), StoreError> {
    match fs::symlink_metadata(file) {
        Ok(found) if found.is_dir() => Err(StoreError::backup(file, "is a directory: name a file")),
        Ok(_) if !replace => Err(StoreError::BackupExists { path: file.to_owned() }),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && parent(file).is_dir() => Ok(()),
        Err(error) => Err(StoreError::backup(file, format!("cannot be written: {error}"))),
    }
}

/// Returns the directory of a file.
pub(super) fn parent(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns the recipients for a new backup.
pub(super) fn new_recipients(file: &Path, lock: &BackupLock) -> Result<Recipients, StoreError> {
    match lock {
        BackupLock::Passphrase(passphrase) if passphrase.is_empty() => {
            Err(StoreError::backup(file, "needs a passphrase: an empty one protects nothing"))
        }
        BackupLock::Passphrase(passphrase) => Ok(for_passphrase(passphrase)),
        BackupLock::Recipients(names) => {
            let parse = |name: &String| match name.parse::<age::x25519::Recipient>() {
                Ok(recipient) => Ok(Box::new(recipient) as Box<dyn Recipient + Send>),
                Err(why) => {
                    let why = format!("cannot be sealed for {}: {why}", quote(name));
                    Err(StoreError::backup(file, why))
                }
            };
            names.iter().map(parse).collect()
        }
    }
}

/// Seals what `content` writes. The file gets its name when it is complete.
pub(super) fn write(
    file: &Path,
    recipients: &Recipients,
    replace: bool,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), StoreError> {
    let parent = parent(file);
    let failed = || StoreError::io("write", file);
    if recipients.len() > RECIPIENTS {
        return Err(StoreError::backup(
            file,
            format!("cannot be sealed for more than {RECIPIENTS} recipients"),
        ));
    }
    let encryptor =
        Encryptor::with_recipients(recipients.iter().map(|recipient| &**recipient as &dyn Recipient))
            .map_err(|error| StoreError::backup(file, format!("cannot be sealed: {error}")))?;
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
    let (decryptor, length) = open(file)?;
    let why = |error: DecryptError| StoreError::backup(file, reason(&error, unlock));
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
            return Err(StoreError::backup(file, "is sealed for recipients: an identity opens it"));
        }
        (BackupUnlock::Identities(_), true) => {
            let why = "is sealed with a passphrase: no identity opens it";
            return Err(StoreError::backup(file, why));
        }
    };
    let mut content = decryptor.decrypt(identities.iter().map(|identity| &**identity)).map_err(why)?;
    // Large enough from the start, because a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    content.read_to_end(&mut bytes).map_err(|_| StoreError::backup(file, DAMAGED))?;
    Ok(bytes)
}

/// Opens a regular file, and returns its length, too. It does not wait for the writer of a FIFO.
fn open(file: &Path) -> Result<(Decryptor<Opened>, usize), StoreError> {
    let unread = |error: io::Error| StoreError::backup(file, format!("cannot be read: {error}"));
    let opened = open_plain(file).map_err(unread)?;
    let length = opened.metadata().map_err(unread)?.len();
    let length = usize::try_from(length).ok().filter(|length| *length <= LIMIT);
    let length = length.ok_or_else(|| StoreError::backup(file, "is not a backup: it is larger than any"))?;
    let mut rest = BufReader::new(opened);
    let header = header(&mut rest).map_err(unread)?.map_err(|why| StoreError::backup(file, why))?;
    match Decryptor::new_buffered(Cursor::new(header).chain(rest)) {
        Ok(decryptor) => Ok((decryptor, length)),
        Err(_) => Err(StoreError::backup(file, NOT_AGE)),
    }
}

/// Reads a header up to its last line, which begins with `---`. Returns the reason if there is no such line where it must
/// be.
fn header(from: &mut impl BufRead) -> io::Result<Result<Vec<u8>, &'static str>> {
    let (mut from, mut header) = (from.take(HEADER), Vec::new());
    for _ in 0..HEADER_LINES {
        let start = header.len();
        from.read_until(b'\n', &mut header)?;
        match header.get(start..) {
            Some(last) if last.starts_with(b"---") => return Ok(Ok(header)),
            Some([]) | None if from.limit() > 0 => return Ok(Err(NOT_AGE)),
            Some([]) | None => break,
            Some(_) => {}
        }
    }
    Ok(Err(LONG))
}

/// Returns the recipients for a file that should open as this one does.
pub(super) fn recipients(file: &Path, unlock: &BackupUnlock) -> Result<Recipients, StoreError> {
    match unlock {
        BackupUnlock::Passphrase(passphrase) => Ok(for_passphrase(passphrase)),
        BackupUnlock::Identities(text) => identities(file, text)?
            .to_recipients()
            .map_err(|error| StoreError::backup(file, format!("cannot be used: {error}"))),
    }
}

/// Returns whether a backup is sealed with a passphrase.
///
/// # Errors
/// [`StoreError::Backup`] for a file that is not a backup.
pub fn needs_passphrase(file: &Path) -> Result<bool, StoreError> {
    Ok(open(file)?.0.is_scrypt())
}

fn identities(file: &Path, text: &Secret) -> Result<IdentityFile<age::NoCallbacks>, StoreError> {
    let why = "cannot be opened: the identity file holds no age identity (AGE-SECRET-KEY-1..)";
    IdentityFile::from_buffer(text.expose().as_bytes()).map_err(|_| StoreError::backup(file, why))
}

fn reason(error: &DecryptError, unlock: &BackupUnlock) -> String {
    match (error, unlock) {
        (DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed, BackupUnlock::Passphrase(_)) => {
            "does not open: that is not its passphrase".into()
        }
        (DecryptError::NoMatchingKeys, _) => "is sealed for other recipients".into(),
        (DecryptError::ExcessiveWork { required, .. }, _) => format!(
            "needs more memory than a backup may use: its scrypt work factor is {required}, and at most \
             {WORK_LIMIT} (1 GiB) is accepted; seal it again with less, or for a recipient"
        ),
        (DecryptError::InvalidHeader | DecryptError::Io(_), _) => NOT_AGE.into(),
        _ => DAMAGED.into(),
    }
}

fn for_passphrase(passphrase: &Secret) -> Recipients {
    let mut recipient = age::scrypt::Recipient::new(secret(passphrase));
    recipient.set_work_factor(WORK);
    vec![Box::new(recipient)]
}

fn secret(passphrase: &Secret) -> SecretString {
    SecretString::from(passphrase.expose())
}
