//! How much memory and processor time steps may use.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use buildkit_llb::LinuxResources;

use crate::Failure;

/// The highest processor or memory node that BuildKit takes.
const MOST_NODES: u32 = 8192;

/// Reads them by the names that BuildKit gives them. What is empty is not set.
pub(super) fn read(given: &BTreeMap<String, String>) -> Result<LinuxResources, Failure> {
    Ok(LinuxResources {
        memory: number(given, "memory", |it: i64| it > 0, "bytes, at least 1")?,
        memory_swap: number(
            given,
            "memswap",
            |it: i64| it == -1 || it > 0,
            "bytes, at least 1, and -1 for no limit",
        )?,
        cpu_shares: number(given, "cpushares", |it: u64| it > 0, "at least 1")?,
        cpu_period: number(
            given,
            "cpuperiod",
            |it: u64| it > 0,
            "microseconds, at least 1",
        )?,
        cpu_quota: number(
            given,
            "cpuquota",
            |it: i64| it > 0,
            "microseconds, at least 1",
        )?,
        cpuset_cpus: set(given, "cpusetcpus")?,
        cpuset_mems: set(given, "cpusetmems")?,
    })
}

fn text<'a>(given: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    let text = given.get(name).map(String::as_str);
    text.filter(|text| !text.is_empty())
}

fn number<N: FromStr + Default + Copy>(
    given: &BTreeMap<String, String>,
    name: &str,
    good: impl Fn(N) -> bool,
    what: impl Display,
) -> Result<N, Failure> {
    let Some(text) = text(given, name) else {
        return Ok(N::default());
    };
    let number = text.parse().ok().filter(|number| good(*number));
    number.ok_or_else(|| Failure::option(name, format!("`{text}` is not a number of {what}")))
}

/// A list of numbers and ranges of them, such as `0-3,7`.
fn set(given: &BTreeMap<String, String>, name: &str) -> Result<String, Failure> {
    let Some(text) = text(given, name) else {
        return Ok(String::new());
    };
    let node = |text: &str| {
        let node = text.trim().parse::<u32>().ok();
        node.filter(|node| *node <= MOST_NODES)
    };
    for part in text.split(',').map(str::trim).filter(|it| !it.is_empty()) {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        if !matches!((node(low), node(high)), (Some(low), Some(high)) if low <= high) {
            let message = format!(
                "`{part}` is neither a number up to {MOST_NODES} nor a range of them, such as `0-3`"
            );
            return Err(Failure::option(name, message));
        }
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 7] = [
        "memory",
        "memswap",
        "cpushares",
        "cpuperiod",
        "cpuquota",
        "cpusetcpus",
        "cpusetmems",
    ];

    fn resources(given: &[(&str, &str)]) -> Result<LinuxResources, String> {
        let given = given.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        read(&given.collect()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn every_option_is_read() {
        let given = ["64", "-1", "512", "100000", "50000", "0-1,3", "0"];
        let given: Vec<_> = NAMES.into_iter().zip(given).collect();
        let expected = LinuxResources {
            memory: 64,
            memory_swap: -1,
            cpu_shares: 512,
            cpu_period: 100_000,
            cpu_quota: 50_000,
            cpuset_cpus: "0-1,3".into(),
            cpuset_mems: "0".into(),
        };
        assert_eq!(resources(&given), Ok(expected));
        assert_eq!(
            resources(&[("memory", ""), ("cpusetcpus", "")]),
            Ok(LinuxResources::default())
        );
    }

    #[test]
    fn what_is_no_limit_names_its_option() {
        for (name, value) in [
            ("memory", "1g"),
            ("memory", "0"),
            ("memory", "-1"),
            ("memswap", "-2"),
            ("memswap", "0"),
            ("cpushares", "-1"),
            ("cpuperiod", "0"),
            ("cpuquota", "0"),
            ("cpusetcpus", "a"),
            ("cpusetcpus", "3-1"),
            ("cpusetcpus", "-1"),
            ("cpusetmems", "0-999999999"),
        ] {
            let said = resources(&[(name, value)]).unwrap_err();
            assert!(said.contains(&format!("`{name}`")), "{said}");
            assert!(said.contains(value), "{said}");
        }
    }
}
