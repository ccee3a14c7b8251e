//! What is removed first, and when: the rules of garbage collection for a given disk.
//!
//! BuildKit goes through the rules in their order, after builds and at most once a minute. A rule names
//! records and a limit. While *all* records together take more than that limit, it removes one of
//! those that it names and that nobody uses, the least used first. So what is in an early rule with
//! a low limit goes first, and what no early rule names is kept as long as anything else can go.

use super::size::Size;

/// What a rule removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Build contexts and git checkouts, which the next build sends or fetches again.
    Sources,
    /// The results of steps, and images.
    Layers,
    /// Cache mounts.
    Mounts,
    /// Each of these.
    Any,
    /// Also what BuildKit keeps for itself, images of frontends, and what an image store shares.
    All,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) what: What,
    /// Only what no build used for so many hours.
    pub(super) unused: Option<u64>,
    /// How much all records may take before the rule removes anything.
    pub(super) most: Size,
    /// How much of them stays, even where the disk is full.
    pub(super) reserve: Size,
    /// How much of the disk it tries to keep free.
    pub(super) free: Option<Size>,
}

const DAY: u64 = 24;

/// What, unused for how many hours, and from how many hundredths of the disk on.
const RULES: [(What, Option<u64>, u64); 7] = [
    (What::Sources, Some(2 * DAY), 10),
    (What::Layers, Some(14 * DAY), 50),
    (What::Mounts, Some(90 * DAY), 50),
    (What::Layers, Some(DAY), 80),
    (What::Mounts, Some(14 * DAY), 80),
    (What::Any, None, 90),
    (What::All, None, 90),
];

/// Of the disk, in hundredths.
const RESERVE: u64 = 10;

/// What is kept free unless that is said, in hundredths.
pub(super) const FREE: u64 = 10;

/// The rules for the part of a disk that BuildKit may use, where so much of the disk is to stay free.
pub(super) fn rules(disk: Size, free: Size) -> Vec<Rule> {
    let rule = |&(what, unused, limit)| Rule {
        what,
        unused,
        most: disk.part(limit),
        reserve: disk.part(RESERVE),
        free: (!free.is_zero()).then_some(free),
    };
    RULES.iter().map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::{FREE, RULES, Rule, What, rules};
    use crate::daemon::size::Size;

    /// Disks of every size that is taken, and percentages.
    fn disks() -> impl Iterator<Item = Size> {
        let sizes = (0..200u32).map(|step| {
            let bytes = 2e9 * 1.11f64.powi(i32::try_from(step).expect("it is small"));
            let whole = format!("{bytes:.0}").parse::<u64>();
            Size::Bytes(whole.expect("it fits") + u64::from(step))
        });
        sizes.chain((10..=100).map(Size::Percent))
    }

    fn amount(size: Size) -> u64 {
        match size {
            Size::Bytes(amount) | Size::Percent(amount) => amount,
        }
    }

    #[test]
    fn no_rule_lets_more_stay_than_the_disk_has() {
        let mut disks_seen = 0;
        for disk in disks() {
            for rule in rules(disk, disk.part(FREE)) {
                let [reserve, most] = [rule.reserve, rule.most].map(amount);
                assert!(0 < reserve && reserve <= most, "{disk:?}: {rule:?}");
                assert!(most < amount(disk), "{disk:?}: {rule:?}");
                let free = amount(rule.free.expect("some is kept free"));
                assert!(most + free <= amount(disk), "{disk:?}: {rule:?}");
            }
            disks_seen += 1;
        }
        assert!(disks_seen > 250);
    }

    #[test]
    fn limits_rise_from_rule_to_rule() {
        for disk in disks() {
            let rules = rules(disk, Size::Bytes(0));
            assert!(rules.iter().all(|rule| rule.free.is_none()));
            for pair in rules.windows(2) {
                assert!(amount(pair[0].most) <= amount(pair[1].most), "{disk:?}");
            }
        }
    }

    #[test]
    fn mounts_outlive_layers_and_sources() {
        let rules = rules(Size::Bytes(100 << 30), Size::Bytes(0));
        let ages = |what| {
            let of = move |rule: &&Rule| rule.what == what;
            rules.iter().filter(of).map(|rule| rule.unused)
        };
        let pairs: Vec<_> = ages(What::Layers).zip(ages(What::Mounts)).collect();
        assert_eq!(pairs.len(), 2);
        assert!(pairs.iter().all(|(layers, mounts)| layers < mounts));
        assert_eq!(rules[0].what, What::Sources);
        // Any rule that names a mount lets two weeks pass, but for the last two.
        let hasty = |rule: &&Rule| {
            !matches!(rule.what, What::Sources | What::Layers)
                && rule.unused.is_none_or(|hours| hours < 14 * 24)
        };
        let hasty: Vec<What> = rules.iter().filter(hasty).map(|rule| rule.what).collect();
        assert_eq!(hasty, [What::Any, What::All]);
        assert_eq!(RULES.last().map(|rule| rule.0), Some(What::All));
    }
}
