//! Operations to decide about.

use std::collections::{BTreeMap, BTreeSet};

use larder_inject::{Decision, Exec, Ids, Layout, OwnCache, Policy, Sharing, User, decide};

/// An operation and a policy.
pub(crate) struct Case {
    args: Vec<String>,
    env: Vec<(String, String)>,
    image_env: BTreeSet<String>,
    user: User,
    cwd: String,
    mounted: Vec<String>,
    earlier: BTreeMap<&'static str, String>,
    outputs: Vec<String>,
    policy: Policy,
}

/// A step of uid 1000 in `/app`.
pub(crate) fn sh(text: &str) -> Case {
    Case {
        args: ["/bin/sh", "-c", text].map(str::to_owned).into(),
        env: Vec::new(),
        image_env: BTreeSet::new(),
        user: User {
            uid: 1000,
            gid: 1000,
            home: Some("/home/build".to_owned()),
        },
        cwd: "/app".to_owned(),
        mounted: Vec::new(),
        earlier: BTreeMap::new(),
        outputs: Vec::new(),
        policy: Policy {
            auto: true,
            named: Vec::new(),
            own: Vec::new(),
            layout: Layout::Cache,
            ids: Ids::Larder,
            scope: None,
            project: "shop".to_owned(),
            namespace: None,
            platform: "linux/amd64".to_owned(),
            distribution: "debian-13".to_owned(),
            foreign: None,
        },
    }
}

impl Case {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Case {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A variable of the base image.
    pub(crate) fn image_env(mut self, name: &str, value: &str) -> Case {
        self.image_env.insert(name.to_owned());
        self.env(name, value)
    }

    pub(crate) fn root(mut self) -> Case {
        self.user = User {
            uid: 0,
            gid: 0,
            home: Some("/root".to_owned()),
        };
        self
    }

    pub(crate) fn homeless(mut self) -> Case {
        self.user.home = None;
        self
    }

    pub(crate) fn mounted(mut self, path: &str) -> Case {
        self.mounted.push(path.to_owned());
        self
    }

    /// What an operation before it left in its stores.
    pub(crate) fn after(mut self, earlier: &Decision) -> Case {
        self.earlier.extend(earlier.stores.clone());
        self
    }

    pub(crate) fn output(mut self, path: &str) -> Case {
        self.outputs.push(path.to_owned());
        self
    }

    pub(crate) fn cwd(mut self, path: &str) -> Case {
        path.clone_into(&mut self.cwd);
        self
    }

    pub(crate) fn named(mut self, names: &[&str]) -> Case {
        self.policy.named = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    pub(crate) fn own(mut self, id: &str, target: &str) -> Case {
        self.policy.own.push(OwnCache {
            id: id.to_owned(),
            target: target.to_owned(),
            sharing: Sharing::Private,
            uid: None,
            gid: None,
            mode: None,
        });
        self
    }

    pub(crate) fn policy(mut self, change: impl FnOnce(&mut Policy)) -> Case {
        change(&mut self.policy);
        self
    }

    pub(crate) fn home_layout(self) -> Case {
        self.policy(|policy| policy.layout = Layout::Home)
    }

    pub(crate) fn decide(&self) -> Decision {
        let exec = Exec {
            args: &self.args,
            env: &self.env,
            image_env: &self.image_env,
            user: &self.user,
            cwd: &self.cwd,
            mounted: &self.mounted,
            earlier: &self.earlier,
            outputs: &self.outputs,
        };
        decide(&exec, &self.policy)
    }

    pub(crate) fn shows(&self, expected: &str) {
        assert_eq!(show(&self.decide()), expected.trim_start_matches('\n'));
    }
}

/// A decision as text, a line for each thing in it.
pub(crate) fn show(decision: &Decision) -> String {
    let mut lines = Vec::new();
    for m in &decision.mounts {
        let sharing = m.sharing.as_str();
        lines.push(format!(
            "{} at {}, {sharing}, {}:{} {:o}, {}",
            m.id, m.target, m.uid, m.gid, m.mode, m.reason
        ));
    }
    lines.extend(
        decision
            .env
            .iter()
            .map(|(name, value)| format!("env {name}={value}")),
    );
    let without = decision.without.iter();
    lines.extend(without.map(|name| format!("without {name}")));
    lines.extend(decision.files.keys().map(|path| format!("file {path}")));
    lines.extend(decision.tmpfs.iter().map(|path| format!("tmpfs {path}")));
    lines.extend(decision.parents.iter().map(|path| format!("parent {path}")));
    lines.extend(
        decision
            .left_alone
            .iter()
            .map(|left| format!("not {}: {}", left.cache, left.reason)),
    );
    lines.extend(
        decision
            .defeated
            .iter()
            .map(|d| format!("defeat {}: {:?}: {}: {}", d.cache, d.harm, d.words, d.hint)),
    );
    lines.extend(
        (decision.vanishing.iter())
            .map(|v| format!("vanishes in {}: {} of {}", v.cache, v.directory, v.words)),
    );
    lines.extend(decision.unread.iter().map(|why| format!("unread: {why}")));
    lines.into_iter().map(|line| line + "\n").collect()
}
