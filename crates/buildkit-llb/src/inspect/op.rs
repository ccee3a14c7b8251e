//! What an operation does, in JSON and in a few words.

use buildkit_proto::pb;
use buildkit_proto::pb::file_action::Action;
use buildkit_proto::pb::op::Op as Body;
use buildkit_proto::pb::user_opt::User;
use serde_json::{Value, json};

use super::Fields;
use crate::LinuxResources;

/// What an operation does, in a few words.
pub(crate) fn name(op: &pb::Op) -> String {
    match &op.op {
        Some(Body::Exec(exec)) => {
            let args = exec.meta.as_ref().map(|meta| meta.args.join(" "));
            args.unwrap_or_else(|| "exec".to_owned())
        }
        Some(Body::Source(source)) => source.identifier.clone(),
        Some(Body::File(file)) => {
            let actions: Vec<String> = file.actions.iter().map(action_name).collect();
            actions.join(", ")
        }
        Some(Body::Build(_)) => "build".to_owned(),
        Some(Body::Merge(_)) => "merge".to_owned(),
        Some(Body::Diff(_)) => "diff".to_owned(),
        None => "unknown operation".to_owned(),
    }
}

fn action_name(action: &pb::FileAction) -> String {
    match &action.action {
        Some(Action::Copy(copy)) => format!("copy {} {}", copy.src, copy.dest),
        Some(Action::Mkfile(mkfile)) => format!("mkfile {}", mkfile.path),
        Some(Action::Mkdir(mkdir)) => format!("mkdir {}", mkdir.path),
        Some(Action::Rm(rm)) => format!("rm {}", rm.path),
        Some(Action::Symlink(link)) => format!("symlink {} {}", link.oldpath, link.newpath),
        None => "unknown action".to_owned(),
    }
}

/// What each input is for: the place where it is mounted, or the number of the input's output.
pub(super) fn input_labels(op: &pb::Op) -> Vec<String> {
    let label = |index: usize, input: &pb::Input| {
        if let Some(Body::Exec(exec)) = &op.op {
            let mounts = exec.mounts.iter();
            let here = mounts.filter(|mount| usize::try_from(mount.input) == Ok(index));
            let targets: Vec<&str> = here.map(|mount| mount.dest.as_str()).collect();
            return targets.join(", ");
        }
        input.index.to_string()
    };
    let inputs = op.inputs.iter().enumerate();
    inputs.map(|(index, input)| label(index, input)).collect()
}

pub(super) fn platform(platform: &pb::Platform) -> String {
    let version = match platform.os_version.as_str() {
        "" => String::new(),
        version => format!("({version})"),
    };
    let name = format!("{}{version}/{}", platform.os, platform.architecture);
    match platform.variant.as_str() {
        "" => name,
        variant => format!("{name}/{variant}"),
    }
}

pub(super) fn meta(meta: &pb::OpMetadata, limits: Option<LinuxResources>) -> Value {
    let mut fields = Fields::default();
    fields.flag("ignore_cache", meta.ignore_cache);
    fields.set("description", json!(meta.description));
    if let Some(export) = meta.export_cache {
        fields.set("export_cache", export.value.into());
    }
    let caps = meta.caps.iter().filter(|(_, needed)| **needed);
    fields.list("caps", caps.map(|(cap, _)| cap.as_str().into()).collect());
    if let Some(group) = &meta.progress_group {
        let mut of = Fields::default();
        of.text("id", &group.id);
        of.text("name", &group.name);
        of.flag("weak", group.weak);
        fields.set("progress_group", of.value());
    }
    if let Some(limits) = limits {
        let mut of = Fields::default();
        of.set("memory", none_if_zero(limits.memory));
        of.set("memory_swap", none_if_zero(limits.memory_swap));
        of.set("cpu_shares", none_if_zero(limits.cpu_shares));
        of.set("cpu_period", none_if_zero(limits.cpu_period));
        of.set("cpu_quota", none_if_zero(limits.cpu_quota));
        of.text("cpuset_cpus", &limits.cpuset_cpus);
        of.text("cpuset_mems", &limits.cpuset_mems);
        fields.set("linux_resources", of.value());
    }
    fields.value()
}

fn none_if_zero(number: impl Into<serde_json::Number>) -> Value {
    let number = number.into();
    if number == 0.into() {
        return Value::Null;
    }
    number.into()
}

pub(super) fn json(op: &pb::Op) -> Fields {
    let mut fields = Fields::default();
    match &op.op {
        Some(Body::Exec(exec)) => fields.set("exec", exec_json(exec)),
        Some(Body::Source(source)) => {
            let mut of = Fields::default();
            of.text("identifier", &source.identifier);
            of.set("attrs", json!(source.attrs));
            fields.set("source", of.value());
        }
        Some(Body::File(file)) => {
            fields.list("file", file.actions.iter().map(action_json).collect());
        }
        Some(Body::Build(_)) => fields.flag("build", true),
        Some(Body::Merge(merge)) => {
            let inputs = merge.inputs.iter().map(|input| input.input.into());
            fields.list("merge", inputs.collect());
        }
        Some(Body::Diff(diff)) => {
            let mut of = Fields::default();
            input(&mut of, "lower", diff.lower.map_or(-1, |lower| lower.input));
            input(&mut of, "upper", diff.upper.map_or(-1, |upper| upper.input));
            // Nothing but the empty filesystem on both sides is still a diff.
            fields.0.insert("diff".to_owned(), of.value());
        }
        None => fields.flag("unknown", true),
    }
    fields
}

/// An index of an input, unless it stands for the empty filesystem.
fn input(fields: &mut Fields, key: &str, index: i64) {
    if index >= 0 {
        fields.number(key, index);
    }
}

fn exec_json(exec: &pb::ExecOp) -> Value {
    let mut fields = Fields::default();
    if let Some(meta) = &exec.meta {
        exec_meta(&mut fields, meta);
    }
    let name = |name: &str| name.to_ascii_lowercase();
    if exec.network() != pb::NetMode::Unset {
        fields.text("network", &name(exec.network().as_str_name()));
    }
    if exec.security() != pb::SecurityMode::Sandbox {
        fields.text("security", &name(exec.security().as_str_name()));
    }
    fields.list("mounts", exec.mounts.iter().map(mount).collect());
    let secrets = exec.secretenv.iter().map(|secret| {
        let mut of = Fields::default();
        of.text("id", &secret.id);
        of.text("name", &secret.name);
        of.flag("optional", secret.optional);
        of.value()
    });
    fields.list("secret_env", secrets.collect());
    let devices = exec.cdi_devices.iter();
    fields.list(
        "devices",
        devices.map(|device| device.name.as_str().into()).collect(),
    );
    fields.value()
}

fn exec_meta(fields: &mut Fields, meta: &pb::Meta) {
    fields.texts("args", &meta.args);
    fields.texts("env", &meta.env);
    fields.text("cwd", &meta.cwd);
    fields.text("user", &meta.user);
    fields.text("hostname", &meta.hostname);
    fields.text("cgroup_parent", &meta.cgroup_parent);
    fields.set("valid_exit_codes", json!(meta.valid_exit_codes));
    let hosts = meta.extra_hosts.iter();
    let hosts = hosts.map(|host| format!("{}={}", host.host, host.ip).into());
    fields.list("extra_hosts", hosts.collect());
    let limits = meta.ulimit.iter();
    let limits = limits.map(|l| format!("{}={}:{}", l.name, l.soft, l.hard).into());
    fields.list("ulimits", limits.collect());
    if let Some(proxy) = &meta.proxy_env {
        let mut of = Fields::default();
        of.text("http", &proxy.http_proxy);
        of.text("https", &proxy.https_proxy);
        of.text("ftp", &proxy.ftp_proxy);
        of.text("no", &proxy.no_proxy);
        of.text("all", &proxy.all_proxy);
        fields.set("proxy", of.value());
    }
}

fn mount(mount: &pb::Mount) -> Value {
    let mut fields = Fields::default();
    let name = |name: &str| name.to_ascii_lowercase();
    fields.text("target", &mount.dest);
    fields.text("type", &name(mount.mount_type().as_str_name()));
    input(&mut fields, "input", mount.input);
    input(&mut fields, "output", mount.output);
    fields.text("selector", &mount.selector);
    fields.flag("read_only", mount.readonly);
    if mount.content_cache() != pb::MountContentCache::Default {
        fields.text("content_cache", &name(mount.content_cache().as_str_name()));
    }
    if let Some(cache) = &mount.cache_opt {
        fields.text("id", &cache.id);
        fields.text("sharing", &name(cache.sharing().as_str_name()));
    }
    if let Some(tmpfs) = mount.tmpfs_opt.filter(|tmpfs| tmpfs.size != 0) {
        fields.number("size", tmpfs.size);
    }
    let secret = mount.secret_opt.as_ref();
    let secret = secret.map(|s| (&s.id, s.uid, s.gid, s.mode, s.optional));
    let ssh = mount.ssh_opt.as_ref();
    let ssh = ssh.map(|s| (&s.id, s.uid, s.gid, s.mode, s.optional));
    if let Some((id, uid, gid, mode, optional)) = secret.or(ssh) {
        fields.text("id", id);
        fields.number("uid", uid.into());
        fields.number("gid", gid.into());
        fields.text("mode", &format!("{mode:04o}"));
        fields.flag("optional", optional);
    }
    fields.value()
}

fn action_json(action: &pb::FileAction) -> Value {
    let mut fields = Fields::default();
    match &action.action {
        Some(Action::Copy(copy)) => fields.set("copy", copy_json(copy)),
        Some(Action::Mkfile(mkfile)) => {
            let mut of = made(
                &mkfile.path,
                mkfile.mode,
                mkfile.owner.as_ref(),
                mkfile.timestamp,
            );
            of.text("data", &String::from_utf8_lossy(&mkfile.data));
            fields.set("mkfile", of.value());
        }
        Some(Action::Mkdir(mkdir)) => {
            let mut of = made(
                &mkdir.path,
                mkdir.mode,
                mkdir.owner.as_ref(),
                mkdir.timestamp,
            );
            of.flag("parents", mkdir.make_parents);
            fields.set("mkdir", of.value());
        }
        Some(Action::Rm(rm)) => {
            let mut of = Fields::default();
            of.text("path", &rm.path);
            of.flag("allow_missing", rm.allow_not_found);
            of.flag("allow_wildcard", rm.allow_wildcard);
            fields.set("rm", of.value());
        }
        Some(Action::Symlink(link)) => {
            let mut of = made(&link.newpath, -1, link.owner.as_ref(), link.timestamp);
            of.text("to", &link.oldpath);
            fields.set("symlink", of.value());
        }
        None => fields.flag("unknown", true),
    }
    input(&mut fields, "input", action.input);
    input(&mut fields, "secondary_input", action.secondary_input);
    input(&mut fields, "output", action.output);
    fields.value()
}

fn copy_json(copy: &pb::FileActionCopy) -> Value {
    let mut fields = made(&copy.dest, copy.mode, copy.owner.as_ref(), copy.timestamp);
    if !copy.mode_str.is_empty() {
        fields.text("mode", &copy.mode_str);
    }
    fields.text("source", &copy.src);
    fields.texts("include", &copy.include_patterns);
    fields.texts("exclude", &copy.exclude_patterns);
    fields.texts("required", &copy.required_paths);
    for (key, flag) in [
        ("follow_symlink", copy.follow_symlink),
        ("contents_only", copy.dir_copy_contents),
        ("unpack", copy.attempt_unpack_docker_compatibility),
        ("create_target", copy.create_dest_path),
        ("allow_wildcard", copy.allow_wildcard),
        ("allow_empty_wildcard", copy.allow_empty_wildcard),
        ("replace", copy.always_replace_existing_dest_paths),
    ] {
        fields.flag(key, flag);
    }
    fields.value()
}

/// What all that makes files has in common.
fn made(path: &str, mode: i32, owner: Option<&pb::ChownOpt>, time: i64) -> Fields {
    let mut fields = Fields::default();
    fields.text("path", path);
    if mode >= 0 {
        fields.text("mode", &format!("{mode:04o}"));
    }
    if let Some(owner) = owner {
        account(&mut fields, "user", owner.user.as_ref());
        account(&mut fields, "group", owner.group.as_ref());
    }
    if time >= 0 {
        fields.number("time", time);
    }
    fields
}

fn account(fields: &mut Fields, key: &str, account: Option<&pb::UserOpt>) {
    match account.and_then(|account| account.user.as_ref()) {
        Some(User::ById(id)) => fields.number(key, (*id).into()),
        Some(User::ByName(named)) => fields.text(key, &named.name),
        None => {}
    }
}
