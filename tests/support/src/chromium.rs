//! A real browser without a display, which the program opens as its user's.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{Home, eventually};

/// Held by the one browser that runs: two need more memory than a small machine has.
static TURN: Mutex<()> = Mutex::new(());

pub struct Chromium {
    home: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Chromium {
    /// To be named in `BROWSER`. It follows pages and their scripts, and keeps the last page that it saw.
    pub fn of(home: &Home) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let path = home.path().display();
        let script = format!(
            "#!/bin/sh\necho \"$1\" >{path}/opened\ntimeout 60 chromium --headless --no-sandbox --disable-gpu \
             --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync \
             --no-proxy-server --disable-dev-shm-usage --user-data-dir={path}/chromium --virtual-time-budget=20000 \
             --dump-dom \"$1\" >{path}/page.part 2>{path}/chromium.log </dev/null && mv {path}/page.part {path}/page.html\n"
        );
        let file = home.write("browser", &script);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("mode");
        Self { home: home.path().to_owned(), _turn: turn }
    }

    pub fn command(&self) -> PathBuf {
        self.home.join("browser")
    }

    /// The address that it was opened with.
    pub fn opened(&self) -> String {
        fs::read_to_string(self.home.join("opened")).expect("opened").trim().to_owned()
    }

    /// The last page that it saw.
    pub fn page(&self) -> String {
        let page = self.home.join("page.html");
        eventually("the browser's last page", || page.exists());
        fs::read_to_string(page).expect("readable")
    }
}
