//! Providers that a program describes.

use serde_json::Value;

use super::Client;
use crate::{Error, config::yaml::Problem, context::ConfigError, credential::Name, provider::Descriptor};

impl Client {
    /// Adds a provider, or replaces fields of a known one. The descriptor takes precedence over files in the configuration
    /// directory, and fields that it leaves out stay as they are.
    ///
    /// ```
    /// # use authenticate::{Client, LoginOptions, Paths, cancel_pair};
    /// use authenticate::Descriptor;
    /// use serde_json::json;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let paths = Paths::new("/nonexistent/config", "/nonexistent/data");
    /// let acme: Descriptor = serde_json::from_value(json!({
    ///     "name": "acme",
    ///     "label": "Acme",
    ///     "api_key": {"env_var": "ACME_KEY", "pattern": "^acme-[0-9]+$"},
    ///     "api": {"base_url": "https://api.acme.example", "shape": "openai"},
    /// }))?;
    /// let client = Client::in_memory(paths)?.provider(acme)?;
    ///
    /// let options = LoginOptions { api_key: Some("acme-0123456789".into()), ..LoginOptions::default() };
    /// client.login("acme", options, &mut cancel_pair().1).await?;
    /// let headers = client.headers_for("acme", &"https://api.acme.example/v1".parse()?).await?;
    /// assert_eq!(headers[0].value.expose(), "Bearer acme-0123456789");
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// Blocks while configuration files are read.
    ///
    /// # Errors
    /// [`Error::Config`] if the name is invalid, or with every problem of the descriptor.
    pub fn provider(self, descriptor: Descriptor) -> Result<Self, Error> {
        let name: Name = descriptor.name.parse()?;
        let text = text(&descriptor).map_err(|error| {
            let (file, message) = (format!("program/{name}.yaml"), error.to_string());
            ConfigError::Descriptor(vec![Problem { file, at: None, message }])
        })?;
        let context = self.context.with_descriptor(name.to_string(), text);
        match context.registry().problems_of(name.as_str()) {
            problems if problems.is_empty() => Ok(Self { context, ..self }),
            problems => Err(ConfigError::Descriptor(problems).into()),
        }
    }
}

/// The descriptor as a file would have it: without fields that have their default.
fn text(descriptor: &Descriptor) -> serde_json::Result<String> {
    let mut fields = serde_json::to_value(descriptor)?;
    let defaults = serde_json::to_value(Descriptor::default())?;
    if let (Value::Object(fields), Value::Object(defaults)) = (&mut fields, defaults) {
        fields.retain(|field, value| defaults.get(field) != Some(value));
    }
    serde_json::to_string_pretty(&fields)
}
