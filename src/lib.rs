//! The one owner of the credentials of AI agents and developer tools.
