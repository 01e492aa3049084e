//! Providers that the program itself describes.

use serde_json::Value;

use super::Client;
use crate::{
    Error,
    config::yaml::Problem,
    credential::Name,
    provider::{Descriptor, Registry},
};

impl Client {
    /// With a provider of the program's own, or with fields of a known one in place of those that it has: as a file of the
    /// configuration directory has them, and over such a file. What a descriptor leaves out is left as it is.
    ///
    /// ```
    /// # use authenticate::{Client, login::{How, cancel}, config::Paths, ui::Nobody};
    /// use authenticate::provider::Descriptor;
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
    /// let how = How { api_key: Some("acme-0123456789".into()), ..How::default() };
    /// client.login("acme", how, &Nobody, &mut interrupt::pair().1).await?;
    /// let headers = client.headers_for("acme", &"https://api.acme.example/v1".parse()?).await?;
    /// assert_eq!(headers[0].value.expose(), "Bearer acme-0123456789");
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Name`] for one without a name, [`Error::Descriptor`] with all that is wrong with it.
    pub fn provider(mut self, descriptor: Descriptor) -> Result<Self, Error> {
        let name: Name = descriptor.name.parse()?;
        let text = text(&descriptor).map_err(|error| {
            let (file, message) = (format!("program/{name}.yaml"), error.to_string());
            Error::Descriptor(vec![Problem { file, at: None, message }])
        })?;
        self.paths.describe(name.to_string(), text);
        match Registry::load_all(&self.paths).problems_of(name.as_str()) {
            problems if problems.is_empty() => Ok(self),
            problems => Err(Error::Descriptor(problems)),
        }
    }
}

/// As a file would have it: without what is not said.
fn text(descriptor: &Descriptor) -> serde_json::Result<String> {
    let mut said = serde_json::to_value(descriptor)?;
    let unsaid = serde_json::to_value(Descriptor::default())?;
    if let (Value::Object(said), Value::Object(unsaid)) = (&mut said, unsaid) {
        said.retain(|field, value| unsaid.get(field) != Some(value));
    }
    serde_json::to_string_pretty(&said)
}
