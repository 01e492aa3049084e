//! The issuer's memory, and its tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use test_support::stand_in::device::Devices;
use test_support::stand_in::journal::lock;
use test_support::stand_in::mint::{Mint, now, random};

use crate::Manner;

/// The issuer, shared by all requests.
#[derive(Clone)]
pub struct Issuer {
    pub manner: Arc<Manner>,
    pub mint: Mint,
    pub devices: Devices,
    memory: Arc<Mutex<Memory>>,
}

/// Everything that changes.
#[derive(Default)]
pub struct Memory {
    /// Authorization codes that were given out; each is used once, at most.
    pub codes: BTreeMap<String, Code>,
    /// Refresh tokens, spent ones included.
    pub refresh: BTreeMap<String, Refresh>,
    /// Login families that were revoked.
    pub revoked: BTreeSet<String>,
    /// Every answer with a token in it.
    pub issued: Vec<Value>,
}

/// The login that an authorization code stands for.
pub struct Code {
    pub redirect_uri: Redirect,
    pub challenge: String,
}

/// Where a code may have been sent.
pub enum Redirect {
    /// To exactly this address.
    To(String),
    /// Nowhere: it was handed out by the device flow, whose redirect address is one of the issuer's own.
    Device,
}

/// A refresh token, of all those that descend from one login.
pub struct Refresh {
    pub family: String,
    pub spent: bool,
}

impl Issuer {
    pub fn new(manner: Manner) -> Result<Self, String> {
        let mint = Mint::new(manner.canary.clone())?;
        let devices = Devices::new(manner.auto_approve);
        Ok(Self { manner: Arc::new(manner), mint, devices, memory: Arc::default() })
    }

    pub fn memory(&self) -> MutexGuard<'_, Memory> {
        lock(&self.memory)
    }

    /// A new code, for whoever can prove that the challenge is theirs.
    pub fn code(&self, redirect_uri: Redirect, challenge: String) -> String {
        let code = self.mint.secret("ac_");
        self.memory().codes.insert(code.clone(), Code { redirect_uri, challenge });
        code
    }

    /// A new set of tokens in a family, noted among those issued.
    pub fn tokens(&self, grant: &str, family: &str) -> Value {
        let Manner { client_id, email, account, plan, scope, expires_in, .. } = &*self.manner;
        let auth = json!({
            "chatgpt_account_id": account,
            "chatgpt_plan_type": plan,
            "chatgpt_user_id": "user-1",
        });
        let claims = |audience: &str, lifetime: u64| {
            json!({
                "iss": "https://auth.example.org",
                "sub": "auth0|user-1",
                "aud": [audience],
                "client_id": client_id,
                "email": email,
                "email_verified": true,
                "iat": now(),
                "exp": now() + lifetime,
                "jti": random::<12>(),
                "https://api.openai.com/auth": auth,
                "https://api.openai.com/profile": {"email": email, "email_verified": true},
            })
        };
        let refresh_token = self.mint.secret("rt_");
        let answer = json!({
            "id_token": self.mint.jwt(&claims(client_id, 3600)),
            "access_token": self.mint.jwt(&claims("https://api.openai.com/v1", *expires_in)),
            "refresh_token": refresh_token,
            "token_type": "bearer",
            "expires_in": expires_in,
            "scope": scope,
        });
        let mut memory = self.memory();
        memory.refresh.insert(refresh_token, Refresh { family: family.to_owned(), spent: false });
        memory.issued.push(json!({"grant": grant, "family": family, "account": account, "tokens": answer}));
        answer
    }
}

/// An error as OpenAI's issuer words it.
pub struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

pub fn refuse(status: StatusCode, code: &'static str, message: &'static str) -> Refusal {
    Refusal { status, code, message }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, code, message } = self;
        let error = json!({"message": message, "type": "invalid_request_error", "param": null, "code": code});
        (status, Json(json!({"error": error}))).into_response()
    }
}
