//! Values of options. Errors are lower-case phrases without the option's name.

use std::collections::BTreeMap;
use std::net::IpAddr;

use buildkit_llb::{ExtraHost, Network, Platform, ResolveMode, Ulimit};
use serde::Deserialize;

use crate::CacheImport;

/// In every spelling that clients use.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

pub(super) fn platforms(text: &str) -> Result<Vec<Platform>, String> {
    let mut platforms = Vec::new();
    for name in text.split(',') {
        let platform = Platform::parse(name.trim()).map_err(|error| error.to_string())?;
        if !platforms.contains(&platform) {
            platforms.push(platform);
        }
    }
    Ok(platforms)
}

pub(super) fn resolve_mode(text: &str) -> Result<ResolveMode, String> {
    match text {
        "" | "default" => Ok(ResolveMode::Default),
        "pull" => Ok(ResolveMode::Pull),
        "local" => Ok(ResolveMode::Local),
        other => Err(format!("`{other}` is not one of default, pull, local")),
    }
}

pub(super) fn network(text: &str) -> Result<Network, String> {
    match text {
        "sandbox" => Ok(Network::Sandbox),
        "host" => Ok(Network::Host),
        "none" => Ok(Network::None),
        other => Err(format!("`{other}` is not one of sandbox, host, none")),
    }
}

pub(super) fn extra_hosts(text: &str) -> Result<Vec<ExtraHost>, String> {
    csv(text)?
        .into_iter()
        .map(|field| {
            let Some((host, ip)) = field.split_once('=') else {
                return Err(format!("`{field}` is not of the form host=address"));
            };
            let ip: IpAddr = ip
                .trim_start_matches('[')
                .trim_end_matches(']')
                .parse()
                .map_err(|_| format!("`{ip}` is not an IP address"))?;
            Ok(ExtraHost {
                host: host.to_ascii_lowercase(),
                ip: ip.to_string(),
            })
        })
        .collect()
}

/// Every limit that `setrlimit` knows.
const LIMITS: [&str; 15] = [
    "as",
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
];

pub(super) fn ulimits(text: &str) -> Result<Vec<Ulimit>, String> {
    csv(text)?
        .into_iter()
        .map(|field| {
            let malformed = || format!("`{field}` is not of the form name=soft[:hard]");
            let (name, limits) = field.split_once('=').ok_or_else(malformed)?;
            if !LIMITS.contains(&name) && name != "stack" {
                return Err(format!("`{name}` is not the name of a limit"));
            }
            let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
            let soft: i64 = soft.parse().map_err(|_| malformed())?;
            let hard: i64 = hard.parse().map_err(|_| malformed())?;
            if hard != -1 && (soft == -1 || soft > hard) {
                return Err(format!("`{field}`: the soft limit is above the hard one"));
            }
            Ok(Ulimit {
                name: name.to_owned(),
                soft,
                hard,
            })
        })
        .collect()
}

pub(super) fn bytes(text: &str) -> Result<Option<u64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse() {
        Ok(0) => Ok(None),
        Ok(bytes) => Ok(Some(bytes)),
        Err(_) => Err(format!("`{text}` is not a number of bytes")),
    }
}

pub(super) fn cache_imports(json: &str) -> Result<Vec<CacheImport>, String> {
    #[derive(Deserialize)]
    struct Entry {
        #[serde(alias = "type")]
        #[serde(rename = "Type")]
        kind: String,
        #[serde(alias = "attrs", default)]
        #[serde(rename = "Attrs")]
        attrs: Option<BTreeMap<String, String>>,
    }
    let entries: Vec<Entry> = serde_json::from_str(json)
        .map_err(|error| format!("not the JSON of cache imports: {error}"))?;
    Ok(entries
        .into_iter()
        .map(|entry| CacheImport {
            kind: entry.kind,
            attrs: entry.attrs.unwrap_or_default(),
        })
        .collect())
}

pub(super) fn cache_from(list: &str) -> Vec<CacheImport> {
    list.split(',')
        .map(str::trim)
        .filter(|reference| !reference.is_empty())
        .map(|reference| CacheImport {
            kind: "registry".to_owned(),
            attrs: BTreeMap::from([("ref".to_owned(), reference.to_owned())]),
        })
        .collect()
}

/// The first platform of the first worker.
pub(super) fn worker_platform(json: &str) -> Result<Option<Platform>, String> {
    #[derive(Deserialize)]
    struct Worker {
        #[serde(default)]
        platforms: Option<Vec<Entry>>,
    }
    #[derive(Deserialize)]
    struct Entry {
        os: String,
        architecture: String,
        #[serde(default)]
        variant: String,
        #[serde(rename = "os.version", default)]
        os_version: String,
    }
    if json.is_empty() || json == "null" {
        return Ok(None);
    }
    let workers: Vec<Worker> =
        serde_json::from_str(json).map_err(|error| format!("not the JSON of workers: {error}"))?;
    let first = workers.into_iter().next().and_then(|w| w.platforms);
    Ok(first.unwrap_or_default().into_iter().next().map(|entry| {
        let mut platform = Platform::new(&entry.os, &entry.architecture, &entry.variant);
        platform.os_version = entry.os_version;
        platform
    }))
}

/// Fields between commas. One in double quotes may hold commas, and doubled quotes for quotes.
fn csv(text: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut field = String::new();
            let mut chars = quoted.char_indices().peekable();
            let end = loop {
                match chars.next() {
                    None => return Err(format!("`{rest}`: a quote is not closed")),
                    Some((at, '"')) => {
                        if chars.next_if(|(_, c)| *c == '"').is_some() {
                            field.push('"');
                        } else {
                            break at + 1;
                        }
                    }
                    Some((_, c)) => field.push(c),
                }
            };
            fields.push(field);
            rest = &quoted[end..];
            if !rest.is_empty() {
                rest = rest
                    .strip_prefix(',')
                    .ok_or_else(|| format!("`{rest}`: a comma is missing after a quote"))?;
            }
        } else {
            let (field, after) = rest.split_once(',').unwrap_or((rest, ""));
            fields.push(field.to_owned());
            rest = after;
        }
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_fields() {
        assert_eq!(csv("").unwrap(), [""; 0]);
        assert_eq!(csv("a=1,b=2").unwrap(), ["a=1", "b=2"]);
        assert_eq!(csv(r#""a,""b""",c"#).unwrap(), [r#"a,"b""#, "c"]);
        assert!(csv(r#""a"#).is_err());
        assert!(csv(r#""a"b"#).is_err());
    }

    #[test]
    fn hosts() {
        let hosts = extra_hosts("Some.Host=10.0.0.1,six=::1").unwrap();
        assert_eq!(
            (hosts[0].host.as_str(), hosts[0].ip.as_str()),
            ("some.host", "10.0.0.1")
        );
        assert_eq!(hosts[1].ip, "::1");
        assert_eq!(extra_hosts("a=b").unwrap_err(), "`b` is not an IP address");
        assert!(extra_hosts("a").is_err());
    }

    #[test]
    fn limits() {
        let limits = ulimits("nofile=1024:2048,core=-1").unwrap();
        assert_eq!((limits[0].soft, limits[0].hard), (1024, 2048));
        assert_eq!((limits[1].soft, limits[1].hard), (-1, -1));
        for wrong in [
            "nofile",
            "nofile=",
            "nofile=a",
            "nofile=2:1",
            "files=1",
            "core=-1:5",
        ] {
            assert!(ulimits(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn imports() {
        let imports =
            cache_imports(r#"[{"Type":"registry","Attrs":{"ref":"r/x"}},{"type":"gha"}]"#).unwrap();
        assert_eq!(imports[0].attrs["ref"], "r/x");
        assert_eq!(
            (imports[1].kind.as_str(), imports[1].attrs.len()),
            ("gha", 0)
        );
        assert!(cache_imports("{").is_err());
        assert_eq!(cache_from("a,b").len(), 2);
    }

    #[test]
    fn workers() {
        let json = r#"[{"id":"x","labels":{},"platforms":[{"architecture":"arm","os":"linux","variant":"v7"}]}]"#;
        let platform = worker_platform(json).unwrap().unwrap();
        assert_eq!(platform.to_string(), "linux/arm/v7");
        assert_eq!(worker_platform("[]").unwrap(), None);
        assert!(worker_platform("x").is_err());
    }
}
