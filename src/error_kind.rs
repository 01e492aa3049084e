//! The coarse classes of errors.

/// The class of an error, for programs that decide by it. The command line gives each class an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request or the configuration is wrong.
    InvalidInput,
    /// There is no usable credential.
    NoCredential,
    /// The login failed or was denied, or it left no credential; or the vendor refused to revoke one.
    LoginFailed,
    /// The container engine failed: none answered, the image is missing or could not be built, or a request failed.
    Engine,
    /// The store is locked, without its key, altered, corrupt, of another user, or written by a newer version; or a lock
    /// file or a login's files cannot be used.
    Store,
    /// The network or the vendor cannot be reached.
    Unreachable,
    /// Another process holds this login, refresh or port, or writes to the store.
    Busy,
    /// The person or a signal interrupted it.
    Interrupted,
    /// An unexpected failure.
    Other,
}
