//! The command line of `authenticate`.
fn main() {}
