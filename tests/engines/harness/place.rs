//! The engines, and the users that they are used as.

use std::{path::Path, process::Command, sync::OnceLock};

use super::output;

/// An engine, and who uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Docker, as root.
    Docker,
    /// Docker, as an ordinary user.
    DockerAsUser,
    /// Rootful Podman, as root.
    Podman,
    /// Rootless Podman, as an ordinary user.
    PodmanAsUser,
}

/// An ordinary user.
#[derive(Clone, Debug)]
pub struct User {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

impl Place {
    /// The engine's URL. It is brought up first, if need be, with the images that others are built from.
    pub fn url(self) -> &'static str {
        static URLS: [OnceLock<String>; 3] = [OnceLock::new(), OnceLock::new(), OnceLock::new()];
        let (index, name) = match self {
            Self::Docker | Self::DockerAsUser => (0, "docker"),
            Self::Podman => (1, "podman"),
            Self::PodmanAsUser => (2, "podman-rootless"),
        };
        URLS[index].get_or_init(|| {
            testbed("base-images", &[name]);
            testbed(name, &[])
        })
    }

    /// The ordinary user, where it is one.
    pub fn user(self) -> Option<&'static User> {
        static USER: OnceLock<User> = OnceLock::new();
        matches!(self, Self::DockerAsUser | Self::PodmanAsUser).then(|| {
            USER.get_or_init(|| {
                let name = testbed("user", &[]);
                let id = |flag: &str| {
                    output(Command::new("id").args([flag, name.as_str()])).parse().expect("a number")
                };
                User { uid: id("-u"), gid: id("-g"), name }
            })
        })
    }

    /// `UID:GID` of whoever runs the program here.
    pub fn ids(self) -> String {
        self.user().map_or("0:0".to_owned(), |user| format!("{}:{}", user.uid, user.gid))
    }

    /// Docker's client, which Podman's service understands, too.
    pub fn client(self) -> Command {
        let mut client = Command::new("docker");
        client.env("DOCKER_BUILDKIT", "0").args(["--host", self.url()]);
        client
    }

    /// Runs Docker's client, which has to succeed.
    pub fn ask(self, args: &[&str]) -> String {
        output(self.client().args(args))
    }

    /// The network of image builds: rootless Podman has no private one on every machine.
    pub fn build_network(self) -> Option<&'static str> {
        (self == Self::PodmanAsUser).then_some("host")
    }
}

fn testbed(script: &str, args: &[&str]) -> String {
    output(Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed").join(script)).args(args))
}
