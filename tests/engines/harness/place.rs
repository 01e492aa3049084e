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
    /// Docker, as root; it sees another `/tmp` than we do.
    DockerElsewhere,
    /// Rootless Docker, as the ordinary user whose it is.
    RootlessDocker,
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
        static URLS: PerEngine<String> = PerEngine::new();
        let name = match self {
            Self::Docker | Self::DockerAsUser => "docker",
            Self::DockerElsewhere => "docker-elsewhere",
            Self::RootlessDocker => "docker-rootless",
            Self::Podman => "podman",
            Self::PodmanAsUser => "podman-rootless",
        };
        URLS.of(self).get_or_init(|| {
            testbed("base-images", &[name]);
            testbed(name, &[])
        })
    }

    /// The ordinary user, where it is one.
    pub fn user(self) -> Option<&'static User> {
        static USER: OnceLock<User> = OnceLock::new();
        (!matches!(self, Self::Docker | Self::DockerElsewhere | Self::Podman)).then(|| {
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

    /// `UID:GID` of whoever runs the program, as a login's container calls it: rootless Docker maps its root to the user.
    pub fn ids_inside(self) -> String {
        if self == Self::RootlessDocker { "0:0".to_owned() } else { self.ids() }
    }

    /// Whether the engine can limit nothing: an ordinary user's, with the old kind of cgroups.
    pub fn is_without_limits(self) -> bool {
        matches!(self, Self::RootlessDocker | Self::PodmanAsUser)
            && !Path::new("/sys/fs/cgroup/cgroup.controllers").exists()
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

/// Something that each engine has one of.
pub struct PerEngine<T>([OnceLock<T>; 5]);

impl<T> PerEngine<T> {
    pub const fn new() -> Self {
        Self([const { OnceLock::new() }; 5])
    }

    pub fn of(&self, place: Place) -> &OnceLock<T> {
        &self.0[match place {
            Place::Docker | Place::DockerAsUser => 0,
            Place::RootlessDocker => 1,
            Place::Podman => 2,
            Place::PodmanAsUser => 3,
            Place::DockerElsewhere => 4,
        }]
    }
}

fn testbed(script: &str, args: &[&str]) -> String {
    output(Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed").join(script)).args(args))
}
