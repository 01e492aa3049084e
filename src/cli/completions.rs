//! `authenticate completions`

use clap::CommandFactory as _;
use clap_complete::Shell;

#[derive(clap::Args)]
pub struct Args {
    /// The shell to print the script for
    shell: Shell,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "authenticate", &mut script);
    super::output::generated(&String::from_utf8_lossy(&script))?;
    Ok(())
}
