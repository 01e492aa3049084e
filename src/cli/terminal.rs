//! The person at the terminal, for the library.

use std::{
    cell::RefCell,
    env,
    io::{self, IsTerminal as _, Write as _},
    sync::Mutex,
};

use authenticate::{
    provider::{Descriptor, Mode},
    secret::Secret,
    ui::{Console, Event, Ui, UiError},
};
use dialoguer::{Password, Select, theme::ColorfulTheme};
use indicatif::{ProgressBar, ProgressStyle};
use qrcode::{QrCode, render::unicode};

use super::{console, output, prompt};

/// Asks and shows at the terminal; asks nothing when there is none.
pub struct TerminalUi {
    open_browser: bool,
    qr: bool,
    data_on_stdout: bool,
    progress: Mutex<RefCell<Option<ProgressBar>>>,
}

impl TerminalUi {
    pub fn new() -> Self {
        Self { open_browser: true, qr: false, data_on_stdout: false, progress: Mutex::default() }
    }

    pub fn open_browser(self, open_browser: bool) -> Self {
        Self { open_browser, ..self }
    }

    pub fn qr(self, qr: bool) -> Self {
        Self { qr, ..self }
    }

    pub fn data_on_stdout(self, data_on_stdout: bool) -> Self {
        Self { data_on_stdout, ..self }
    }

    fn with_progress(&self, change: impl FnOnce(&mut Option<ProgressBar>)) {
        if let Ok(progress) = self.progress.lock() {
            change(&mut progress.borrow_mut());
        }
    }

    /// The URL on one line of its own, clickable where the terminal can, opened where there is a browser.
    fn login_url(&self, url: &str) {
        let url = output::safe(url);
        let mut err = io::stderr().lock();
        // The terminal may be raw: a line ends with both.
        let shown = match err.is_terminal() && supports_hyperlinks::on(supports_hyperlinks::Stream::Stderr) {
            true => format!("\x1b]8;;{url}\x1b\\{url}\x1b]8;;\x1b\\"),
            false => url.clone(),
        };
        let _ = write!(err, "\r\nlog in at: {shown}\r\n");
        if self.qr
            && let Ok(code) = QrCode::new(url.as_bytes())
        {
            let picture = code.render::<unicode::Dense1x2>().build().replace('\n', "\r\n");
            let _ = write!(err, "{picture}\r\n");
        }
        let _ = err.flush();
        if self.open_browser && can_open_browser() {
            // Never fatal: the URL is on the screen.
            let quiet = webbrowser::BrowserOptions::new().with_suppress_output(true).clone();
            let _ = webbrowser::open_browser_with_options(webbrowser::Browser::Default, &url, &quiet);
        }
    }
}

/// Whether there is something to open a browser with. Without a display only a text browser would start, in the
/// middle of the login.
fn can_open_browser() -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || set("DISPLAY") || set("WAYLAND_DISPLAY") || set("BROWSER")
}

fn interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn asked(error: dialoguer::Error) -> UiError {
    let dialoguer::Error::IO(error) = error;
    if error.kind() == io::ErrorKind::Interrupted { UiError::Interrupted } else { UiError::Io(error) }
}

impl Ui for TerminalUi {
    fn choose_mode(&self, provider: &Descriptor, modes: &[Mode]) -> Result<Mode, UiError> {
        if !interactive() {
            let modes: Vec<&str> = modes.iter().map(|mode| mode.as_str()).collect();
            let text = format!(
                "{} can be logged in to in several ways, and there is no terminal to ask at: use --mode {}",
                provider.name,
                modes.join(" or --mode ")
            );
            return Err(UiError::NobodyToAsk(text));
        }
        let items: Vec<&str> = modes
            .iter()
            .map(|mode| match mode {
                Mode::Oauth => "Log in with the vendor's own CLI, in a container",
                Mode::ApiKey => "API key",
                Mode::Device => "Log in on another device",
                Mode::Browser => "Log in in a browser",
                Mode::Basic => "User and password",
                Mode::Fields => "Fields",
            })
            .collect();
        let prompt = format!("Authenticate {}", output::safe(&provider.label));
        let theme = ColorfulTheme::default();
        let select = Select::with_theme(&theme).with_prompt(prompt).items(items).default(0);
        let _guard = prompt::Guard::new()?;
        let chosen = select.interact_opt().map_err(asked)?;
        chosen.and_then(|index| modes.get(index).copied()).ok_or(UiError::Interrupted)
    }

    fn ask_secret(&self, prompt: &str, hint: Option<&str>) -> Result<Secret, UiError> {
        if !interactive() {
            let text = "there is no terminal to ask for the key at: use --api-key-stdin, --api-key-file or --api-key-env";
            return Err(UiError::NobodyToAsk(text.into()));
        }
        if let Some(hint) = hint {
            output::note(hint);
        }
        let _guard = prompt::Guard::new()?;
        let answer =
            Password::with_theme(&ColorfulTheme::default()).with_prompt(output::safe(prompt)).interact();
        answer.map(Secret::from).map_err(asked)
    }

    fn show(&self, event: Event<'_>) {
        match event {
            Event::Note(text) => output::note(text),
            Event::Warning(text) => output::warn_raw(text),
            Event::BuildStarted { image } => {
                output::note(&format!("building {image}; this happens once"));
                self.with_progress(|progress| *progress = io::stderr().is_terminal().then(spinner));
            }
            Event::BuildLine(line) => self.with_progress(|progress| match progress {
                Some(bar) => {
                    bar.set_message(output::safe(line));
                    bar.tick();
                }
                None => output::note(&format!("  {}", output::safe(line))),
            }),
            Event::BuildDone => self.with_progress(|progress| {
                if let Some(bar) = progress.take() {
                    bar.finish_and_clear();
                }
            }),
            Event::Starting { banner: Some(banner) } => output::note(banner),
            Event::LoginUrl(url) => self.login_url(url),
            Event::PasteRedirect { port } => {
                output::note(&format!(
                    "log in in a browser; it ends at an address that starts with http://localhost:{port} or \
                     http://127.0.0.1:{port}\npaste that address here and press Enter (another line goes to the login):"
                ));
            }
            _ => {}
        }
    }

    fn console(&self) -> io::Result<Console> {
        console::open(self.data_on_stdout)
    }

    fn browser_can_return(&self) -> bool {
        let remote = env::var_os("SSH_CONNECTION").is_some() || env::var_os("SSH_TTY").is_some();
        can_open_browser() && !remote
    }
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
        bar.set_style(style);
    }
    bar
}
