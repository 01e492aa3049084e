//! A program that asks for a credential in many threads at once, as an agent with many workers does.
//!
//! `asker --config DIR --data DIR --threads N PROVIDER` says `ready`, asks when its standard input ends, and prints a line
//! for each thread: the token, or `error: ..`.

use std::{io, path::PathBuf, sync::Barrier, thread};

use authenticate::{
    ConfigError, ResolveError,
    config::Paths,
    context::Context,
    resolve::{Request, ensure_fresh::find_fresh},
};
use clap::Parser;

#[derive(Parser)]
struct Cli {
    #[arg(long)]
    config: PathBuf,
    #[arg(long)]
    data: PathBuf,
    #[arg(long, default_value_t = 1)]
    threads: usize,
    provider: String,
}

fn main() {
    let cli = &Cli::parse();
    let paths = &Paths::new(&cli.config, &cli.data);
    let start = &Barrier::new(cli.threads + 1);
    thread::scope(|scope| {
        for _ in 0..cli.threads {
            scope.spawn(move || {
                start.wait();
                match ask(cli, paths) {
                    Ok(token) => println!("{token}"),
                    Err(error) => println!("error: {error}"),
                }
            });
        }
        println!("ready");
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        start.wait();
    });
}

fn ask(cli: &Cli, paths: &Paths) -> Result<String, ResolveError> {
    let context = Context::new(paths.clone()).with_project("p".parse().map_err(ConfigError::from)?);
    let request = Request::new(cli.provider.as_str());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    let alive = runtime.block_on(find_fresh(&context, &request))?;
    let token = alive.resolved.credential.usable().map(|secret| secret.expose().to_owned());
    Ok(token.unwrap_or_default())
}
