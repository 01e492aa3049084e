//! Devices, FIFOs and endless files where a file is expected: an error, in no time and in little memory.

use std::{fs, io::Write as _, os::unix::fs::symlink, path::Path, thread};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use test_support::{Home, KEY, code};

fn fifo(home: &Home, path: &str) -> String {
    let path = home.path().join(path);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
    path.to_str().expect("text").to_owned()
}

#[test]
fn certificate_bundle_must_be_a_plain_file() {
    let home = Home::new();
    let fifo = fifo(&home, "fifo");
    for bundle in ["/dev/zero", &fifo] {
        for arguments in [
            &["demo", "codex", "--mode", "oauth", "--ca-bundle", bundle][..],
            &["image", "build", "codex", "--ca-bundle", bundle],
        ] {
            home.authenticate(arguments)
                .within_megabytes(2000)
                .exits(code::USAGE)
                .says(&format!("cannot read {bundle}: it is not a regular file"));
        }
        home.authenticate(["image", "build", "codex"])
            .env("SSL_CERT_FILE", bundle)
            .within_megabytes(2000)
            .exits(code::ENGINE)
            .says(&format!("warning: ignoring SSL_CERT_FILE: cannot read {bundle}"));
    }
}

#[test]
fn missing_bundle_of_a_variable_is_reported() {
    let home = Home::new();
    home.authenticate(["image", "build", "codex"])
        .env("SSL_CERT_FILE", "/nonexistent/ca.pem")
        .exits(code::ENGINE)
        .says("warning: ignoring SSL_CERT_FILE: cannot read /nonexistent/ca.pem: No such file");
}

#[test]
fn secret_file_of_a_descriptor_must_be_a_plain_file() {
    let home = Home::new();
    let fifo = fifo(&home, "fifo");
    for place in ["/dev/zero", &fifo] {
        let flow =
            format!("token_url: 'http://127.0.0.1:9/', client_id: demo, client_secret: 'file:{place}'");
        let yaml =
            format!("name: acme\nlabel: Acme\nmodes: [client_credentials]\nclient_credentials: {{{flow}}}\n");
        home.write("config/providers/acme.yaml", &yaml);
        home.authenticate(["demo", "acme"]).within_megabytes(2000).exits(code::USAGE).says(&format!(
            "client_credentials.client_secret: cannot read {place}: it is not a regular file"
        ));
    }
}

#[test]
fn containerfile_must_be_a_plain_file() {
    let home = Home::new();
    let own = fifo(&home, "config/images/codex/Containerfile");
    let refused = |home: &Home| {
        let run = home.authenticate(["image", "build", "codex"]).within_megabytes(2000);
        run.exits(code::USAGE).says("it is not a regular file");
    };
    refused(&home);
    fs::remove_file(&own).expect("removed");
    symlink("/dev/zero", &own).expect("a link");
    refused(&home);
}

#[test]
fn configuration_file_must_be_a_plain_file() {
    let home = Home::new();
    fifo(&home, "config/projects/ff.yaml");
    fifo(&home, "config/providers/ff.yaml");
    let outcome = home.authenticate(["projects"]).exits(code::USAGE);
    assert!(outcome.stderr.contains("ff.yaml: cannot be read: it is not a regular file"), "{outcome:?}");
    let outcome = home.authenticate(["providers"]).ends();
    assert!(outcome.stderr.contains("ff.yaml: cannot be read: it is not a regular file"), "{outcome:?}");
    home.authenticate(["status", "ff"]).exits(code::USAGE).says("it is not a regular file");
}

/// As a shell's process substitution gives it.
#[test]
fn key_can_be_read_from_a_fifo() {
    let home = Home::new();
    let path = fifo(&home, "fifo");
    let writer = thread::spawn({
        let path = path.clone();
        move || {
            let mut file = fs::OpenOptions::new().write(true).open(Path::new(&path)).expect("opened");
            writeln!(file, "{KEY}").expect("written");
        }
    });
    home.authenticate(["demo", "openai", "--api-key-file", &path]).exits(code::DONE);
    writer.join().expect("written");
    assert_eq!(home.keys()[0].1, KEY);
}

#[test]
fn endless_key_source_is_refused() {
    let home = Home::new();
    home.authenticate(["demo", "openai", "--api-key-file", "/dev/zero"])
        .within_megabytes(2000)
        .exits(code::USAGE)
        .says("it is longer than 65536 bytes");
    let second = format!("{KEY}{}\n{KEY}", " ".repeat(70_000));
    home.authenticate(["demo", "openai", "--api-key-stdin"])
        .input(second)
        .exits(code::USAGE)
        .says("it is longer than 65536 bytes");
    assert!(home.keys().is_empty());
}

/// The bundled descriptor would be another one, and name another image.
#[test]
fn invalid_descriptor_prevents_image_commands() {
    let home = Home::new();
    let file = home.write("config/providers/codex.yaml", "labl: x\n");
    let says = format!("{}:1:1: unknown field \"labl\"", file.display());
    for arguments in [&["image", "build", "codex"][..], &["image", "prune"], &["providers", "show", "codex"]]
    {
        home.authenticate(arguments).exits(code::USAGE).says(&says);
    }
    home.write("config/providers/acme.yaml", "labl: x\n");
    for arguments in [&["image", "build", "acme"][..], &["providers", "show", "acme"]] {
        home.authenticate(arguments).exits(code::USAGE).says("acme.yaml:1:1: unknown field");
    }
}
