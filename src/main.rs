//! The command line of `authenticate`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
