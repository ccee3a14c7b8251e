//! buildkitd.toml.

use std::fmt::Write as _;

use super::gc::{Rule, What};
use super::registries::HUB;
use super::wish::{Wish, Worker};

/// The file, which BuildKit 0.13 and all that came later read alike. A version passes over the keys
/// that it does not know.
pub(super) fn file(wish: &Wish) -> String {
    let mut out = format!(
        "# Written by `larder buildkitd-config` for {} of disk. BuildKit 0.13 and later read it.\n",
        wish.disk_said
    );
    grpc(&mut out, wish);
    worker(&mut out, wish);
    registries(&mut out, wish);
    out
}

fn grpc(out: &mut String, wish: &Wish) {
    let Some(listen) = &wish.listen else { return };
    let unix = format!("unix://{}", listen.socket);
    let tcp = format!("tcp://{}", listen.tcp);
    out.push_str("\n[grpc]\n");
    pair(out, 1, "address", &list(&[unix, tcp]));
    match &listen.tls {
        Some(tls) => {
            out.push_str("\n  # Only clients whose certificate this CA signed may use the daemon.\n");
            out.push_str("  [grpc.tls]\n");
            for (key, path) in [("ca", &tls.ca), ("cert", &tls.cert), ("key", &tls.key)] {
                pair(out, 2, key, &text(path));
            }
        }
        None => out.push_str(
            "  # Without TLS: whoever reaches this port can run whatever they like on this machine.\n",
        ),
    }
}

fn worker(out: &mut String, wish: &Wish) {
    let name = match wish.worker {
        Worker::Oci => "oci",
        Worker::Containerd => {
            out.push_str("\n[worker.oci]\n");
            pair(out, 1, "enabled", "false");
            "containerd"
        }
    };
    let _ = writeln!(out, "\n[worker.{name}]");
    if wish.worker == Worker::Containerd {
        pair(out, 1, "enabled", "true");
    }
    if wish.rootless {
        pair(out, 1, "rootless", "true");
    }
    if let Some(snapshotter) = &wish.snapshotter {
        pair(out, 1, "snapshotter", &text(snapshotter));
    }
    if let Some(most) = wish.parallelism {
        pair(out, 1, "max-parallelism", &most.to_string());
    }
    if !wish.platforms.is_empty() {
        pair(out, 1, "platforms", &list(&wish.platforms));
    }
    pair(out, 1, "gc", "true");
    out.push_str(
        "\n  # Garbage collection goes through these rules in their order, after builds. While all records\n  \
         # together take more than a rule's maxUsedSpace, or less than minFreeSpace of the disk is free, it\n  \
         # removes what the rule names, the least used first, but leaves reservedSpace. keepBytes is the\n  \
         # same limit for BuildKit before 0.17.\n",
    );
    for (at, rule) in wish.rules().iter().enumerate() {
        let _ = writeln!(out, "\n  # {}. {}", at + 1, said(rule));
        let _ = writeln!(out, "  [[worker.{name}.gcpolicy]]");
        self::rule(out, rule);
    }
}

fn rule(out: &mut String, rule: &Rule) {
    let types: &[&str] = match rule.what {
        What::Sources => &["source.local", "source.git.checkout"],
        What::Layers => &["regular"],
        What::Mounts => &["exec.cachemount"],
        What::Any | What::All => &[],
    };
    if rule.what == What::All {
        pair(out, 2, "all", "true");
    }
    if !types.is_empty() {
        let filters: Vec<String> = types.iter().map(|it| format!("type=={it}")).collect();
        pair(out, 2, "filters", &list(&filters));
    }
    if let Some(hours) = rule.unused {
        pair(out, 2, "keepDuration", &text(&format!("{hours}h")));
    }
    let most = text(&rule.most.to_string());
    pair(out, 2, "keepBytes", &most);
    pair(out, 2, "maxUsedSpace", &most);
    pair(out, 2, "reservedSpace", &text(&rule.reserve.to_string()));
    if let Some(free) = rule.free {
        pair(out, 2, "minFreeSpace", &text(&free.to_string()));
    }
}

/// A rule in words.
fn said(rule: &Rule) -> String {
    let what = match rule.what {
        What::Sources => "Build contexts and git checkouts",
        What::Layers => "Layers",
        What::Mounts => "Cache mounts",
        What::Any => "Everything that no build uses just now, cache mounts too",
        What::All => "The same, and what BuildKit keeps for itself: the last resort",
    };
    match rule.unused {
        Some(24) => format!("{what} unused for a day."),
        Some(hours) => format!("{what} unused for {} days.", hours / 24),
        None => format!("{what}."),
    }
}

/// Inline tables: BuildKit 0.13 cannot read the address in `[registry."[::1]:5000"]`.
fn registries(out: &mut String, wish: &Wish) {
    if !wish.registries.0.is_empty() {
        out.push_str("\n[registry]\n");
    }
    for (host, registry) in &wish.registries.0 {
        let mut pairs = Vec::new();
        if !registry.mirrors.is_empty() {
            let of = if host == HUB { "Docker Hub" } else { host };
            let _ = writeln!(
                out,
                "  # Mirrors of {of}: asked in this order, and it itself last."
            );
            let mirrors = registry.mirrors.iter();
            let mirrors: Vec<String> = mirrors
                .map(|it| format!("{}{}", it.host, it.path))
                .collect();
            pairs.push(format!("mirrors = {}", list(&mirrors)));
        }
        if registry.insecure {
            out.push_str("  # HTTPS with whatever certificate it has, or else plain HTTP.\n");
        }
        if registry.http {
            pairs.push("http = true".to_owned());
        }
        if registry.insecure {
            pairs.push("insecure = true".to_owned());
        }
        pair(out, 1, &text(host), &format!("{{{}}}", pairs.join(", ")));
    }
}

fn pair(out: &mut String, depth: usize, key: &str, value: &str) {
    let _ = writeln!(out, "{}{key} = {value}", "  ".repeat(depth));
}

fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|it| text(it)).collect();
    format!("[{}]", texts.join(", "))
}

/// A basic string of TOML.
fn text(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn strings_are_escaped() {
        assert_eq!(text(r#"a"b\c"#), r#""a\"b\\c""#);
        assert_eq!(text("a\nb\u{7f}ü"), "\"a\\u000Ab\\u007Fü\"");
    }
}
