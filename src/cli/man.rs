//! `authenticate man`

use std::path::PathBuf;

use clap::CommandFactory as _;

#[derive(clap::Args)]
pub struct Args {
    /// The directory to write the manual pages to
    directory: PathBuf,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    use anyhow::Context as _;
    let shown = args.directory.display();
    std::fs::create_dir_all(&args.directory).with_context(|| format!("cannot create {shown}"))?;
    clap_mangen::generate_to(super::Cli::command(), &args.directory)
        .with_context(|| format!("cannot write to {shown}"))
}
