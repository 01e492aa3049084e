//! `authenticate logout`

use authenticate::{
    Error,
    name::{Address, Name},
    paths::Paths,
    provider::Registry,
    store::Store,
};

use super::{
    output,
    target::{StoredArgs, Target},
};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    stored: StoredArgs,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(paths: &Paths, args: Args) -> anyhow::Result<()> {
    let set = args.stored.set(paths)?;
    let Target { provider, profile } = args.stored.provider;
    let registry = Registry::load_for(Some(&paths.providers()), &provider);
    // A credential outlives its descriptor: what is stored can be removed under its own name.
    let name: Name = match registry.get(&provider) {
        Ok(known) => known.name.parse().map_err(Error::from)?,
        Err(unknown) => provider.parse().map_err(|_| Error::from(unknown))?,
    };
    let profile = profile.unwrap_or_else(Name::default_name);
    let address = Address { set, provider: name, profile };
    let removal = match Store::open_existing(paths).map_err(Error::from)? {
        Some(mut store) => Some(store.remove(&address).map_err(Error::from)?),
        None => None,
    };
    let Some(removal) = removal.filter(|removal| removal.found) else {
        registry.get(&provider).map_err(Error::from)?;
        let hint = "see what is stored with: authenticate status".to_owned();
        return Err(Error::NoCredential { what: address.to_string(), hint }.into());
    };
    if !removal.erased {
        output::warn(
            "its bytes are still in the database's log, because another process reads it; the next change removes them",
        );
    }
    if args.json {
        return Ok(output::json(&serde_json::json!({
            "schema": 1,
            "provider": address.provider.as_str(),
            "set": address.set.as_str(),
            "profile": address.profile.as_str(),
            "removed": true,
            "erased": removal.erased,
        }))?);
    }
    output::note(&format!("removed {address} from this machine; it was not revoked at the vendor"));
    Ok(())
}
