//! A real application, built three times, with every byte counted.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use larder_e2e::proxy::{Proxy, Transfer};

use crate::build::{self, Built};
use crate::engine::{self, Engine, Kind};
use crate::{run, test};

const EXAMPLE: &str = "examples/python";
const REQUIREMENTS: &str = "requirements.txt";
const IMAGE: &str = "python:3.13-slim";
/// What is added for the third build: small, and needs no other package.
const ADDED: &str = "humanize==4.12.3";
/// The port that the example's server listens on.
const PORT: u16 = 8000;

/// Shows on a real BuildKit what Larder is for.
pub(crate) fn show(kind: Kind) -> Result<()> {
    run::say("Preparing: a private BuildKit, a Python image, and Larder's frontend image.");
    let engine = engine::up(kind, &[IMAGE.to_owned()])?;
    run::say(format!("  {}", engine.describe()?));
    engine::frontend::push(&engine, "frontend")?;
    let work = tempfile::tempdir().context("cannot make a folder for the application")?;
    let app = work.path().join("app");
    copy_tree(&engine.root().join(EXAMPLE), &app)?;
    // The first build must find nothing, however often this runs: caches of its own, and files
    // that no build has seen.
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let namespace = format!("demo-{now}");
    let requirements = app.join(REQUIREMENTS);
    let text = fs::read_to_string(&requirements)?;
    fs::write(&requirements, format!("# for {namespace}\n{text}"))?;
    // And a proxy of its own, so that only these builds' downloads are counted.
    let demo = Demo {
        engine: &engine,
        proxy: engine.own_proxy()?,
        app: &app,
        namespace: &namespace,
    };
    demo.show_spec()?;
    demo.first()?;
    demo.unchanged()?;
    demo.one_more()?;
    demo.serve()?;
    run::print("\nDone.");
    if kind != Kind::Host {
        run::print("The engine is still up: `cargo xtask engine down --purge` removes all of it.");
    }
    Ok(())
}

struct Demo<'a> {
    engine: &'a Engine,
    proxy: Option<Proxy>,
    app: &'a Path,
    namespace: &'a str,
}

impl Demo<'_> {
    fn show_spec(&self) -> Result<()> {
        let spec = fs::read_to_string(self.app.join("larder.yaml"))?;
        title("The application's larder.yaml");
        indent(&spec);
        title("What Larder makes of it (`larder plan`)");
        let mut command = test::cargo_command(&["run", "--quiet", "--package", "larder", "--"])?;
        command
            .args(["plan", "--file"])
            .arg(self.app.join("larder.yaml"))
            .arg(self.app);
        let plan = run::step(
            "compiling the larder command, asking it for the plan",
            || run::output(&mut command),
        )?;
        indent(&plan);
        Ok(())
    }

    fn first(&self) -> Result<()> {
        title("First build: nothing is cached");
        self.build()?;
        run::print(
            "\n  Caches that the steps left behind, each with the id that later builds find it by:",
        );
        for mount in build::cache_mounts(self.engine, self.namespace)? {
            run::print(format!(
                "    {:<28} {:>8}  {}",
                mount.path, mount.size, mount.id
            ));
        }
        Ok(())
    }

    fn unchanged(&self) -> Result<()> {
        title("Second build: nothing changed");
        let transfers = self.build()?;
        if let Some(one) = transfers.first() {
            bail!("expected nothing to be downloaded, but {} was", one.path);
        }
        Ok(())
    }

    fn one_more(&self) -> Result<()> {
        title(&format!(
            "Third build: {ADDED} was added to requirements.txt"
        ));
        let file = self.app.join(REQUIREMENTS);
        let mut text = fs::read_to_string(&file)?;
        text.push_str(ADDED);
        text.push('\n');
        fs::write(&file, text)?;
        let transfers = self.build()?;
        let fetched: Vec<&str> = transfers.iter().filter_map(package).collect();
        let wanted = ADDED.split("==").next().unwrap_or_default();
        if self.proxy.is_some() && !matches!(fetched[..], [one] if one.starts_with(wanted)) {
            bail!("expected {wanted} alone to be downloaded, but it was {fetched:?}");
        }
        Ok(())
    }

    /// Builds the image, shows what was done, and returns what was downloaded meanwhile.
    fn build(&self) -> Result<Vec<Transfer>> {
        let mut words = vec!["--load".to_owned(), "--tag=larder-demo".to_owned()];
        words.push(format!(
            "--build-arg=BUILDKIT_CACHE_MOUNT_NS={}",
            self.namespace
        ));
        if let Some(proxy) = &self.proxy {
            for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
                words.push(format!("--build-arg={name}={}", proxy.url()));
            }
        }
        words.push(format!("--file={}", self.app.join("larder.yaml").display()));
        let built = run::step("docker buildx build -f larder.yaml .", || {
            build::build(self.engine, &words, self.app)
        })?;
        steps(&built);
        let Some(proxy) = &self.proxy else {
            run::print("  downloads are counted on an engine of Larder's own only; pip says:");
            for line in built.progress.logs.lines() {
                if line.contains("Downloading ") || line.contains("Using cached ") {
                    run::print(format!("  {line}"));
                }
            }
            return Ok(Vec::new());
        };
        let transfers = proxy.take();
        downloads(&transfers);
        Ok(transfers)
    }

    /// Runs the image and asks its server for a page.
    fn serve(&self) -> Result<()> {
        title("The image runs");
        let docker = |words: &[&str]| run::output(self.engine.docker().args(words));
        let publish = format!("127.0.0.1::{PORT}");
        let container = docker(&["run", "--detach", "--publish", &publish, "larder-demo"])?;
        let container = container.trim();
        let shown = self.ask(container);
        let log = docker(&["logs", container]).unwrap_or_default();
        docker(&["rm", "--force", container])?;
        let page = shown.with_context(|| format!("the container said:\n{log}"))?;
        run::print("  GET / answers:");
        indent(&page);
        Ok(())
    }

    fn ask(&self, container: &str) -> Result<String> {
        let mut command = self.engine.docker();
        let mapped = run::output(command.args(["port", container, &PORT.to_string()]))?;
        let address = mapped
            .lines()
            .next()
            .context("the container has no port")?
            .trim()
            .to_owned();
        let mut page = String::new();
        run::wait_until(Duration::from_secs(20), || {
            page = get(&address).unwrap_or_default();
            page.starts_with("HTTP/")
        });
        let (head, body) = page
            .split_once("\r\n\r\n")
            .context("the server does not answer")?;
        let status = head.lines().next().unwrap_or_default();
        if !status.contains(" 200 ") {
            bail!("the server answers: {status}");
        }
        let text: Vec<&str> = std::iter::once(status)
            .chain(body.lines().filter(|line| !line.trim().is_empty()))
            .take(8)
            .collect();
        Ok(text.join("\n"))
    }
}

fn get(address: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET / HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

fn title(text: &str) {
    run::print(format!("\n== {text}"));
}

fn indent(text: &str) {
    for line in text.lines() {
        run::print(format!("  {line}"));
    }
}

fn steps(built: &Built) {
    let mut steps: Vec<_> = built.progress.steps().collect();
    steps.sort_by_key(|step| number(&step.name));
    for step in steps {
        let how = if step.cached { "cached" } else { "ran" };
        run::print(format!("    {how:<7} {}", step.name));
    }
    run::print(format!("  built in {}", run::seconds(built.time)));
}

/// 4 for a step named `[stage 4/6] …`, as the spec has only one stage.
fn number(name: &str) -> usize {
    let place = name.split(']').next().unwrap_or_default();
    let number = place.rsplit(' ').next().and_then(|of| of.split('/').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn downloads(transfers: &[Transfer]) {
    let packages: Vec<(&str, u64)> = transfers
        .iter()
        .filter_map(|one| Some((package(one)?, one.bytes)))
        .collect();
    let total = packages.iter().map(|(_, bytes)| bytes).sum();
    match packages.len() {
        0 => run::print("  downloaded: no package"),
        1 => run::print(format!("  downloaded: one package, {}", size(total))),
        count => run::print(format!("  downloaded: {count} packages, {}", size(total))),
    }
    for (name, bytes) in &packages {
        run::print(format!("    {:>9}  {name}", size(*bytes)));
    }
    let others: Vec<&Transfer> = transfers
        .iter()
        .filter(|one| package(one).is_none())
        .collect();
    if !others.is_empty() {
        let bytes = others.iter().map(|one| one.bytes).sum();
        run::print(format!(
            "  and pip asked {} times which versions there are: {}",
            others.len(),
            size(bytes)
        ));
    }
}

/// The file name of a package, if that is what was transferred.
fn package(transfer: &Transfer) -> Option<&str> {
    let path = transfer.path.split('?').next()?;
    let name = path.rsplit('/').next()?;
    let archive = [".whl", ".tar.gz", ".zip"]
        .iter()
        .any(|end| name.ends_with(end));
    (archive && transfer.status == 200 && transfer.bytes > 0).then_some(name)
}

fn size(bytes: u64) -> String {
    if bytes < 1_000_000 {
        format!("{}.{} kB", bytes / 1000, bytes % 1000 / 100)
    } else {
        format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
    }
}

/// Copies a folder.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
