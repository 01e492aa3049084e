//! A program that asks for a credential in many threads at once, as an agent with many workers does.
//!
//! `asker --config DIR --data DIR --threads N PROVIDER` prints a line for each thread: the token, or `error: ..`. With
//! `--force` each thread renews it, due or not.

use std::{path::PathBuf, sync::Barrier, thread};

use authenticate::{
    Error,
    lifecycle::{
        alive::alive,
        refresh::Refresh,
        resolve::{Request, resolve_in},
    },
    name::Name,
    paths::Paths,
    project::Project,
    provider::Registry,
    store::Store,
    ui::Nobody,
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
    #[arg(long)]
    force: bool,
    provider: String,
}

fn main() {
    let cli = &Cli::parse();
    let paths = &Paths::new(&cli.config, &cli.data);
    let start = &Barrier::new(cli.threads);
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
    });
}

fn ask(cli: &Cli, paths: &Paths) -> Result<String, Error> {
    let project: Name = "p".parse()?;
    let request = Request::new(&project, cli.provider.as_str());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    let usable = |credential: authenticate::credential::Credential| {
        credential.usable().map(|secret| secret.expose().to_owned()).unwrap_or_default()
    };
    if !cli.force {
        let alive = runtime.block_on(alive(paths, &request, &Nobody))?;
        return Ok(usable(alive.resolved.credential));
    }
    let store = Store::open(paths.data())?;
    let found = resolve_in(Some(&store), paths, &request)?;
    let address = match found {
        authenticate::lifecycle::resolve::Resolution::Ready(resolved) => resolved.address,
        authenticate::lifecycle::resolve::Resolution::Stale(stale) => stale.record.address,
    };
    let record = store.get(&address)?.unwrap_or_else(|| panic!("{address} is gone"));
    let registry = Registry::load(Some(&paths.providers()));
    let refresh = Refresh {
        paths,
        store: None,
        provider: registry.get(&cli.provider)?,
        project: &Project::default(),
        ui: &Nobody,
    };
    Ok(usable(runtime.block_on(refresh.renew(&record, true))?.record().credential))
}
