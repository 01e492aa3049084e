//! The terminal as the library's user interface.

use std::{
    collections::BTreeSet,
    env,
    io::{self, IsTerminal as _},
    sync::Mutex,
    thread,
    time::Duration,
};

use authenticate::{
    credential::Secret,
    provider::{Descriptor, Mode},
    ui::{Console, Event, FieldQuestion, Lines, Ui, UiError},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use dialoguer::{Select, theme::ColorfulTheme};
use indicatif::{ProgressBar, ProgressStyle};
use qrcode::{QrCode, render::unicode};

use super::{console, output, prompt::Prompt, signals::Guard, tty};

/// All modes, with the words of the question for one of them.
pub const MODES: [(Mode, &str); 9] = [
    (Mode::Oauth, "Login with the vendor's own CLI, in a container"),
    (Mode::ApiKey, "API key"),
    (Mode::Token, "Bearer token"),
    (Mode::Device, "Login on another device, with a code"),
    (Mode::Browser, "Login in a browser"),
    (Mode::Basic, "User and password"),
    (Mode::Fields, "Fields"),
    (Mode::ClientCredentials, "Client credentials"),
    (Mode::TokenExchange, "Token exchange"),
];

/// A user interface at the terminal. Questions fail if there is none.
#[derive(Default)]
pub struct TerminalUi {
    /// Open no browser: the person may be elsewhere.
    pub no_browser: bool,
    /// Show the login URL as a QR code, too.
    pub qr: bool,
    /// Ask the terminal to copy the device code.
    pub copy: bool,
    /// Let a vendor's CLI write to standard output, which is for data otherwise.
    pub cli_on_stdout: bool,
    progress: Mutex<Option<ProgressBar>>,
    warned: Mutex<BTreeSet<String>>,
}

impl TerminalUi {
    fn with_progress(&self, change: impl FnOnce(&mut Option<ProgressBar>)) {
        if let Ok(mut progress) = self.progress.lock() {
            change(&mut progress);
        }
    }

    fn is_first(&self, text: &str) -> bool {
        self.warned.lock().is_ok_and(|mut warned| warned.insert(text.to_owned()))
    }

    /// Shows the URL on a line of its own, clickable if the terminal supports that, and opens a browser.
    fn show_login_url(&self, url: &str) {
        let url = output::safe(url);
        // The terminal may be raw: lines end with CR and LF.
        output::print(&format!("\r\nlog in at: {}\r\n{}", clickable(&url), self.qr_code(&url)));
        self.open(&url);
    }

    /// Shows a URL that is not opened.
    fn show_possible_login_url(&self, url: &str) {
        let url = output::safe(url);
        let text = "this may be a page to log in at; compare it with the login's output and open it yourself";
        output::print(&format!("\r\n{text}: {}\r\n{}", clickable(&url), self.qr_code(&url)));
    }

    /// Shows a device code with the page at which to enter it.
    fn show_device_code(&self, code: &str, url: &str, complete_url: Option<&str>, lasts: Duration) {
        let (code, url) = (output::safe(code), output::safe(url));
        let complete_url = complete_url.map_or_else(|| url.clone(), output::safe);
        let shown = if output::colours() { format!("\x1b[1m{code}\x1b[0m") } else { code.clone() };
        let minutes = lasts.as_secs().div_ceil(60);
        output::print(&format!(
            "\nlog in at: {}\nand enter the code\n\n    {shown}\n\n\
             The code expires in {minutes} min. Never enter a code that you did not request yourself: it would log in whoever sent it.\n{}",
            clickable(&url),
            self.qr_code(&complete_url)
        ));
        if self.copy && io::stderr().is_terminal() {
            // OSC 52 sets the clipboard of the machine that shows the terminal, also over SSH.
            let code = STANDARD.encode(&code);
            output::print(&format!("\x1b]52;c;{code}\x07The terminal was asked to copy the code.\n"));
        }
        self.open(&complete_url);
    }

    /// A QR code of the URL, if it was asked for.
    fn qr_code(&self, url: &str) -> String {
        let code = if self.qr { QrCode::new(url.as_bytes()).ok() } else { None };
        let picture = code.map(|code| code.render::<unicode::Dense1x2>().build() + "\n");
        picture.unwrap_or_default().replace('\n', "\r\n")
    }

    fn open(&self, url: &str) {
        if !self.no_browser && can_open_browser() {
            let (url, quiet) =
                (url.to_owned(), webbrowser::BrowserOptions::new().with_suppress_output(true).clone());
            // A failure is ignored: the URL is on the screen. In a thread, because some browsers block until they end.
            thread::spawn(move || {
                let _ = webbrowser::open_browser_with_options(webbrowser::Browser::Default, &url, &quiet);
            });
        }
    }
}

fn clickable(url: &str) -> String {
    match io::stderr().is_terminal() && supports_hyperlinks::on(supports_hyperlinks::Stream::Stderr) {
        true => format!("\x1b]8;;{url}\x1b\\{url}\x1b]8;;\x1b\\"),
        false => url.to_owned(),
    }
}

/// Whether a graphical browser can be opened. Without a display, a text browser would start in the middle of the login.
fn can_open_browser() -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || set("DISPLAY") || set("WAYLAND_DISPLAY") || set("BROWSER")
}

/// Whether a person can be asked.
pub fn interactive() -> bool {
    tty::is_ours() && io::stderr().is_terminal()
}

fn to_ui_error(error: io::Error) -> UiError {
    match error.kind() {
        io::ErrorKind::Interrupted => UiError::Interrupted,
        io::ErrorKind::InvalidInput => UiError::Rejected(error.to_string()),
        _ => UiError::Io(error),
    }
}

fn ask_line(prompt: io::Result<Prompt>, question: &str, may_be_blank: bool) -> Result<Secret, UiError> {
    let answer = prompt.and_then(|prompt| prompt.ask_for_a_line(question, may_be_blank));
    answer.map_err(to_ui_error)
}

impl Ui for TerminalUi {
    fn choose_mode(&self, provider: &Descriptor, modes: &[Mode]) -> Result<Mode, UiError> {
        if !interactive() {
            let modes: Vec<&str> = modes.iter().map(|mode| mode.as_str()).collect();
            let text = format!(
                "{} has several modes, and there is no terminal to ask at: use --mode {}",
                provider.name,
                modes.join(" or --mode ")
            );
            return Err(UiError::NoOneToAsk(text));
        }
        let label = |mode: &Mode| MODES.iter().find(|(known, _)| known == mode).map(|(_, label)| *label);
        let items = modes.iter().map(|mode| label(mode).unwrap_or(mode.as_str()));
        let prompt = format!("Authenticate {}", output::safe(&provider.label));
        let theme = ColorfulTheme::default();
        let select = Select::with_theme(&theme).with_prompt(prompt).items(items).default(0);
        let _guard = Guard::new()?;
        let chosen = select.interact_opt().map_err(|dialoguer::Error::IO(error)| to_ui_error(error))?;
        chosen.and_then(|index| modes.get(index).copied()).ok_or(UiError::Interrupted)
    }

    fn ask_secret(&self, prompt: &str, hint: Option<&str>) -> Result<Secret, UiError> {
        if !interactive() {
            let text = "there is no terminal to ask for the secret at: use --api-key-stdin, --api-key-file or --api-key-env, or for a bearer token --token-stdin, --token-file or --token-env";
            return Err(UiError::NoOneToAsk(text.into()));
        }
        if let Some(hint) = hint {
            output::note(hint);
        }
        ask_line(Prompt::hidden(), prompt, false)
    }

    fn ask_field(&self, question: &FieldQuestion<'_>) -> Result<Secret, UiError> {
        if !interactive() {
            return Err(UiError::NoOneToAsk(format!("there is no terminal to ask for {} at", question.name)));
        }
        let FieldQuestion { provider, field, .. } = question;
        let mut prompt = format!("{} for {provider}", field.label);
        if let Some(variable) = &field.env_var {
            prompt.push_str(&format!(" (press Enter to use {variable})"));
        }
        let terminal = if field.secret { Prompt::hidden() } else { Prompt::shown() };
        ask_line(terminal, &prompt, field.env_var.is_some())
    }

    fn show(&self, event: Event<'_>) {
        match event {
            Event::Warning(text) => output::warn_raw(text),
            Event::IgnoredConfig(text) if self.is_first(text) => output::warn_raw(text),
            Event::IgnoredConfig(_) => {}
            Event::BuildStarted { image } => {
                output::note(&format!("building the image {image}; this is needed only once"));
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
            Event::LoginUrl(url) => self.show_login_url(url),
            Event::PossibleLoginUrl(url) => self.show_possible_login_url(url),
            Event::Typed(text) => tty::show(text),
            Event::DeviceCode { code, url, complete_url, lasts } => {
                self.show_device_code(code, url, complete_url, lasts);
            }
            Event::PasteAnswer { redirect } => output::note_raw(&format!(
                "if the browser is on another machine, it ends at an error page whose address starts with {redirect}\n\
                 paste that address, or the code on the page, here and press Enter"
            )),
            Event::PasteRedirect { port } => {
                output::note_raw(&format!(
                    "log in in a browser; it ends at an address that starts with http://localhost:{port} or \
                     http://127.0.0.1:{port}\npaste that address here and press Enter (another line goes to the login):"
                ));
            }
            _ => {}
        }
    }

    fn console(&self) -> io::Result<Console> {
        console::open(self.cli_on_stdout)
    }

    fn lines(&self) -> Option<Lines> {
        // Without a terminal, only --no-browser says that the answer comes through standard input.
        (tty::is_ours() || self.no_browser).then(console::lines)
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
