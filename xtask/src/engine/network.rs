//! The bridge on which the engine's containers live.
//!
//! It is ours rather than one that dockerd makes: it has a name of its own, a subnet that nothing
//! else uses, and a fixed hardware address. A bridge without one takes the lowest of its ports',
//! so that it changes whenever a container starts or ends, and open connections stall.

use std::net::Ipv4Addr;

use anyhow::{Context, Result, bail};

use super::packages::Tools;
use super::state::State;
use crate::run;

/// The engine's network.
#[derive(Debug, Clone)]
pub(crate) struct Bridge {
    /// The interface's name.
    pub(crate) name: String,
    /// The machine's address on it, where the proxy listens.
    pub(crate) gateway: Ipv4Addr,
}

impl Bridge {
    /// The bridge of this checkout, as remembered.
    pub(crate) fn remembered(state: &State) -> Option<Bridge> {
        let gateway = state.remembered("gateway")?.parse().ok()?;
        Some(Bridge {
            name: name(state),
            gateway,
        })
    }

    /// Makes the bridge unless it is there.
    pub(crate) fn up(state: &State, tools: &Tools) -> Result<Bridge> {
        let name = name(state);
        let ip = |words: &[&str]| run::output(tools.command("ip").args(words));
        let mut taken = ip(&["-4", "-o", "route"])?;
        if let Some(bridge) = Bridge::remembered(state)
            && ip(&["-4", "-o", "addr", "show", "dev", &name])
                .is_ok_and(|text| text.contains(&format!("{}/24", bridge.gateway)))
        {
            return Ok(bridge);
        }
        let _ = ip(&["link", "delete", &name]);
        taken.push_str(&ip(&["-4", "-o", "addr"])?);
        let gateway = free_subnet(&taken).context("no free /24 subnet found for the bridge")?;
        let [a, b, c, d] = gateway.octets();
        let hardware = format!("02:4c:{a:02x}:{b:02x}:{c:02x}:{d:02x}");
        ip(&["link", "add", &name, "address", &hardware, "type", "bridge"])
            .context("the engine needs root and a kernel with bridges")?;
        ip(&["addr", "add", &format!("{gateway}/24"), "dev", &name])?;
        ip(&["link", "set", &name, "up"])?;
        state.remember("gateway", &gateway.to_string())?;
        Ok(Bridge { name, gateway })
    }

    /// Removes the bridge, and the firewall rules that name it.
    pub(crate) fn down(&self, tools: &Tools) -> Result<()> {
        let subnet = self.subnet();
        for table in ["nat", "filter"] {
            let Ok(rules) = run::output(tools.command("iptables-save").args(["-t", table])) else {
                continue;
            };
            for rule in rules.lines() {
                let ours = rule
                    .split(' ')
                    .any(|word| word == self.name || word == subnet);
                if let (true, Some(rule)) = (ours, rule.strip_prefix("-A ")) {
                    let words = rule.split(' ').map(|word| word.trim_matches('"'));
                    let _ = run::output(
                        tools
                            .command("iptables")
                            .args(["-t", table, "-D"])
                            .args(words),
                    );
                }
            }
        }
        let _ = run::output(tools.command("ip").args(["link", "delete", &self.name]));
        if run::output(tools.command("ip").args(["link", "show", &self.name])).is_ok() {
            bail!("cannot remove the bridge {}", self.name);
        }
        Ok(())
    }

    /// The subnet's CIDR.
    pub(crate) fn subnet(&self) -> String {
        let [a, b, c, _] = self.gateway.octets();
        format!("{a}.{b}.{c}.0/24")
    }
}

fn name(state: &State) -> String {
    format!("larder-{}", state.id)
}

/// The first address of a /24 that overlaps none of the networks in `taken`, the output of
/// `ip route` and `ip addr`.
fn free_subnet(taken: &str) -> Option<Ipv4Addr> {
    let networks: Vec<(u32, u32)> = taken.split_whitespace().filter_map(network).collect();
    (16..32_u8)
        .rev()
        .flat_map(|b| [77_u8, 177, 211].map(|c| Ipv4Addr::new(172, b, c, 1)))
        .chain((0..255).map(|b| Ipv4Addr::new(10, b, 77, 1)))
        .find(|gateway| {
            networks.iter().all(|(address, mask)| {
                let mask = mask & 0xffff_ff00;
                u32::from(*gateway) & mask != address & mask
            })
        })
}

/// An address with a prefix length, as numbers. The default route is no network.
fn network(word: &str) -> Option<(u32, u32)> {
    let (address, length) = word.split_once('/')?;
    let address: Ipv4Addr = address.parse().ok()?;
    let length: u32 = length
        .parse()
        .ok()
        .filter(|length| (1..=32).contains(length))?;
    Some((u32::from(address), u32::MAX << (32 - length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_that_nothing_uses() {
        let free = |taken: &str| free_subnet(taken).map(|gateway| gateway.to_string());
        assert_eq!(
            free("default via 192.0.2.1 dev eth0").as_deref(),
            Some("172.31.77.1")
        );
        assert_eq!(
            free("172.31.77.5/32 dev x").as_deref(),
            Some("172.31.177.1")
        );
        assert_eq!(free("172.24.0.0/13 dev x").as_deref(), Some("172.23.77.1"));
        assert_eq!(free("172.16.0.0/12 dev x").as_deref(), Some("10.0.77.1"));
        assert_eq!(free("172.16.0.0/12 dev x 10.0.0.0/8 dev y"), None);
    }
}
