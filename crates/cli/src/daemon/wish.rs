//! What the options say, checked.

use buildkit_llb::Platform;

use super::gc::{self, FREE, Rule};
use super::registries::{self, HUB, Registries};
use super::size::Size;
use super::{Daemon, DaemonConfigCommand};

/// A configuration.
pub(super) struct Wish {
    /// What BuildKit may use.
    pub(super) disk: Size,
    /// The same, as it was said.
    pub(super) disk_said: String,
    /// What stays free.
    free: Size,
    pub(super) registries: Registries,
    pub(super) worker: Worker,
    pub(super) rootless: bool,
    pub(super) snapshotter: Option<String>,
    pub(super) parallelism: Option<u32>,
    pub(super) platforms: Vec<String>,
    /// Where buildkitd listens, unless it is where it always does.
    pub(super) listen: Option<Listen>,
}

/// Who runs the steps of a build.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Worker {
    /// buildkitd, with runc
    Oci,
    /// containerd
    Containerd,
}

/// A port, beside the socket.
pub(super) struct Listen {
    pub(super) socket: String,
    pub(super) tcp: String,
    pub(super) tls: Option<Tls>,
}

/// Files of certificates.
pub(super) struct Tls {
    pub(super) ca: String,
    pub(super) cert: String,
    pub(super) key: String,
}

/// Below this, the layers of one image leave no room for caches.
const LEAST: u64 = 2_000_000_000;

const SOCKET: &str = "/run/buildkit/buildkitd.sock";
const ROOTLESS_SOCKET: &str = "/run/user/1000/buildkit/buildkitd.sock";

impl Wish {
    /// Checks the options; every mistake goes to `mistakes`.
    pub(super) fn read(command: &DaemonConfigCommand, mistakes: &mut Vec<String>) -> Wish {
        let disk = disk(command, mistakes);
        Wish {
            disk,
            disk_said: command.disk.clone().unwrap_or_default(),
            free: free(command, disk, mistakes),
            registries: Registries::read(
                &command.mirrors,
                &command.insecure,
                &command.caches,
                mistakes,
            ),
            worker: command.worker,
            rootless: command.rootless,
            snapshotter: snapshotter(command, mistakes),
            parallelism: parallelism(command, mistakes),
            platforms: platforms(command, mistakes),
            listen: listen(command, mistakes),
        }
        .for_daemon(command, mistakes)
    }

    pub(super) fn rules(&self) -> Vec<Rule> {
        gc::rules(self.disk, self.free)
    }

    /// Refuses what dockerd has no setting for.
    fn for_daemon(self, command: &DaemonConfigCommand, mistakes: &mut Vec<String>) -> Wish {
        if command.daemon == Daemon::Buildkitd {
            if command.merge.is_some() {
                mistakes
                    .push("--merge: only daemon.json can be merged, with --for dockerd".to_owned());
            }
            return self;
        }
        for (option, size) in [("--disk", self.disk), ("--keep-free", self.free)] {
            let given = option == "--disk" || command.keep_free.is_some();
            if given && size.is_percent() {
                mistakes.push(format!(
                    "{option} {size}: dockerd takes no percentages; give a size"
                ));
            }
        }
        for host in self.registries.0.iter().filter_map(|(host, registry)| {
            (host != HUB && !registry.mirrors.is_empty()).then_some(host)
        }) {
            mistakes.push(format!(
                "--mirror {host}=…: dockerd has mirrors of Docker Hub alone"
            ));
        }
        for (option, given) in [
            ("--worker containerd", self.worker == Worker::Containerd),
            ("--rootless", self.rootless),
            ("--snapshotter", command.snapshotter.is_some()),
            ("--max-parallelism", command.max_parallelism.is_some()),
            ("--platform", !command.platforms.is_empty()),
            ("--socket", command.socket.is_some()),
            ("--tcp", command.tcp.is_some()),
            ("--tls-ca", command.tls_ca.is_some()),
            ("--tls-cert", command.tls_cert.is_some()),
            ("--tls-key", command.tls_key.is_some()),
            ("--without-tls", command.without_tls),
        ] {
            if given {
                mistakes.push(format!(
                    "{option}: this is for buildkitd; daemon.json has no such setting, or it is not \
                     one of builds"
                ));
            }
        }
        self
    }
}

fn disk(command: &DaemonConfigCommand, mistakes: &mut Vec<String>) -> Size {
    let some = Size::Bytes(LEAST);
    let Some(text) = &command.disk else {
        mistakes.push(
            "--disk is missing: how much of the disk may BuildKit use? Give a size such as 100GB, or, \
             for buildkitd, a share such as 80%"
                .to_owned(),
        );
        return some;
    };
    match Size::parse(text) {
        Err(reason) => {
            mistakes.push(format!("--disk {text}: {reason}"));
            some
        }
        Ok(size @ (Size::Bytes(0..LEAST) | Size::Percent(0..10))) => {
            mistakes.push(format!(
                "--disk {text}: this is too small for caches to be kept; give 2GB or 10% at least"
            ));
            size
        }
        Ok(size) => size,
    }
}

fn free(command: &DaemonConfigCommand, disk: Size, mistakes: &mut Vec<String>) -> Size {
    let usual = disk.part(FREE);
    let Some(text) = &command.keep_free else {
        return match disk {
            Size::Percent(share) => Size::Percent(FREE.min(100 - share).max(1)),
            Size::Bytes(_) => usual,
        };
    };
    match (Size::parse(text), disk) {
        (Err(reason), _) => mistakes.push(format!("--keep-free {text}: {reason}")),
        (Ok(Size::Percent(free)), Size::Percent(share)) if free + share > 100 => {
            mistakes.push(format!(
                "--keep-free {text}: with --disk {share}% this is more than the whole disk"
            ));
        }
        (Ok(Size::Percent(100)), _) => {
            mistakes.push(format!("--keep-free {text}: this leaves nothing to use"));
        }
        (Ok(Size::Bytes(1..0x10_0000)), _) => {
            mistakes.push(format!(
                "--keep-free {text}: give 1MiB at least, or 0 for nothing"
            ));
        }
        (Ok(size), _) => return size,
    }
    usual
}

fn snapshotter(command: &DaemonConfigCommand, mistakes: &mut Vec<String>) -> Option<String> {
    let name = command.snapshotter.as_ref()?;
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(letter) {
        mistakes.push(format!(
            "--snapshotter {name}: this is no snapshotter's name; overlayfs, native, fuse-overlayfs and \
             stargz are"
        ));
    }
    Some(name.clone())
}

fn parallelism(command: &DaemonConfigCommand, mistakes: &mut Vec<String>) -> Option<u32> {
    let text = command.max_parallelism.as_ref()?;
    let most = text.parse().ok().filter(|most| (1..=10_000).contains(most));
    if most.is_none() {
        mistakes.push(format!(
            "--max-parallelism {text}: give a number from 1 to 10000"
        ));
    }
    most
}

fn platforms(command: &DaemonConfigCommand, mistakes: &mut Vec<String>) -> Vec<String> {
    let mut platforms: Vec<String> = Vec::new();
    for text in &command.platforms {
        match Platform::parse(text).map(|platform| platform.to_string()) {
            Err(error) => mistakes.push(format!("--platform {text}: {error}")),
            Ok(platform) if platforms.contains(&platform) => {
                mistakes.push(format!("--platform {text}: it is given twice"));
            }
            Ok(platform) => platforms.push(platform),
        }
    }
    platforms
}

fn listen(command: &DaemonConfigCommand, mistakes: &mut Vec<String>) -> Option<Listen> {
    let files = [
        ("--tls-ca", &command.tls_ca),
        ("--tls-cert", &command.tls_cert),
        ("--tls-key", &command.tls_key),
    ];
    for (option, file) in [("--socket", &command.socket)].iter().chain(&files) {
        let path = file.as_deref().unwrap_or("/");
        if !path.starts_with('/') {
            mistakes.push(format!("{option} {path}: give a full path, from / on"));
        }
    }
    let given = files.iter().filter(|(_, file)| file.is_some()).count();
    let Some(tcp) = &command.tcp else {
        for (option, given) in [
            ("--tls-ca, --tls-cert and --tls-key", given > 0),
            ("--without-tls", command.without_tls),
            ("--socket", command.socket.is_some()),
        ] {
            if given && command.daemon == Daemon::Buildkitd {
                mistakes.push(format!("{option}: this needs a --tcp HOST:PORT"));
            }
        }
        return None;
    };
    if let Err(reason) = address(tcp) {
        mistakes.push(format!("--tcp {tcp}: {reason}"));
    }
    let tls = match files.map(|(_, file)| file.clone()) {
        [Some(ca), Some(cert), Some(key)] => Some(Tls { ca, cert, key }),
        _ => None,
    };
    match (given, command.without_tls) {
        (0, false) => mistakes.push(format!(
            "--tcp {tcp}: whoever reaches this port could run whatever they like on the machine; give \
             --tls-ca, --tls-cert and --tls-key, or --without-tls if only trusted programs reach it"
        )),
        (1 | 2, _) => {
            let missing = files.iter().filter(|(_, file)| file.is_none());
            let missing: Vec<&str> = missing.map(|(option, _)| *option).collect();
            let missing = missing.join(" and ");
            mistakes.push(format!(
                "--tcp {tcp}: with {missing} missing, the daemon cannot both show its certificate and \
                 ask clients for one that the CA signed; give all three files"
            ));
        }
        (3, true) => mistakes.push("--without-tls: there are certificates as well".to_owned()),
        _ => {}
    }
    let usual = if command.rootless {
        ROOTLESS_SOCKET
    } else {
        SOCKET
    };
    Some(Listen {
        socket: command.socket.clone().unwrap_or(usual.to_owned()),
        tcp: tcp.clone(),
        tls,
    })
}

fn address(text: &str) -> Result<(), String> {
    let has_port = text
        .rsplit_once(':')
        .is_some_and(|(host, _)| !host.is_empty() && (!host.contains(':') || host.ends_with(']')));
    let read = registries::host(text)?;
    if has_port {
        return Ok(());
    }
    Err(format!(
        "`{read}` has no port; write HOST:PORT, such as 0.0.0.0:1234"
    ))
}
