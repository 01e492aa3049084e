//! The stored form of a credential.

use authenticate::credential::Credential;

use crate::canary::{hidden, undebugged};

pub fn run(data: &[u8]) {
    match Credential::decode(data) {
        Err(error) => hidden(error),
        Ok(credential) => {
            let shows_names = matches!(credential, Credential::Basic { .. });
            let has_names = !credential.field_names().is_empty()
                || matches!(&credential, Credential::OAuth(oauth) if !oauth.extra.is_empty());
            if !shows_names && !has_names {
                undebugged(&credential);
            }
            let again = Credential::decode(&credential.encode()).expect("what was written is read");
            assert_eq!(again, credential);
            assert_eq!(again.encode(), credential.encode());
            credential.parts().iter().for_each(|part| assert!(!part.is_empty() || has_names));
        }
    }
}
