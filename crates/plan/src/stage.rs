//! Plans one stage.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use larder_diagnostic::Span;
use larder_inject::Policy;
use larder_spec::model::{self, EnvVar, StepKind};
use larder_spec::template::Template;

use crate::accounts::BUILD;
use crate::args::Args;
use crate::base::Ground;
use crate::caches;
use crate::env::Env;
use crate::from::Taken;
use crate::image::History;
use crate::model::{Account, Action, PlannedStep};
use crate::names;
use crate::planner::{Planner, Scope};
use crate::runtime::Installed;
use crate::users;

/// A stage on its way to being planned.
pub(crate) struct Builder<'p, 'a> {
    pub planner: &'p mut Planner<'a>,
    pub stage: &'a model::Stage,
    pub args: &'p Args,
    /// What its steps take from elsewhere.
    pub taken: &'p Taken,
    /// The step at hand, from 0.
    pub at: usize,
    /// Where in the plan each stage of the spec is.
    pub position: &'p [usize],
    /// The base, until the stage's own config is made.
    pub ground: Ground,
    /// Variables of steps, without `HOME`.
    pub variables: Env,
    /// Variables of the image.
    pub image_variables: Env,
    pub account: Arc<Account>,
    pub workdir: Arc<str>,
    pub shell: Vec<String>,
    pub policy: Policy,
    /// What steps left in stores, those of the base too.
    pub stores: BTreeMap<&'static str, String>,
    pub steps: Vec<PlannedStep>,
    pub history: Vec<History>,
    /// Directories that were made already.
    made: BTreeSet<String>,
    /// `variables` with a `HOME`, by home.
    with_home: BTreeMap<Option<String>, Arc<[(String, String)]>>,
}

/// What became of a stage.
pub(crate) struct Built {
    pub steps: Vec<PlannedStep>,
    pub account: Arc<Account>,
    pub workdir: Arc<str>,
    pub ground: Ground,
}

/// Plans a stage on a base.
pub(crate) fn build<'a>(
    planner: &mut Planner<'a>,
    stage: &'a model::Stage,
    args: &Args,
    taken: &Taken,
    position: &[usize],
    mut ground: Ground,
    installed: Installed<'_>,
) -> Built {
    let mut image_variables = Env::of_image(&ground.config.config.env, ground.complete);
    let mut variables = image_variables.clone();
    for (name, value) in args.variables() {
        variables.set(name, value);
        ground.image_env.remove(name);
    }
    for variable in &stage.env {
        let scope = Scope {
            args,
            env: Some(&variables),
        };
        let value = planner.expand_or_empty(&variable.value, scope);
        image_variables.set(&variable.name.value, value.clone());
        ground.image_env.remove(&variable.name.value);
        variables.set(&variable.name.value, value);
    }
    planner.spend(variables.size(), stage.name.span);
    let distribution = ground.distribution.clone().unwrap_or_default();
    let policy = caches::default_policy(planner, &ground.platform, &distribution);
    let own = stage.shell.as_ref().map(|shell| shell.value.clone());
    let shell = own.or_else(|| ground.config.config.shell.clone());
    let mut builder = Builder {
        stage,
        args,
        taken,
        at: 0,
        position,
        workdir: Arc::from(crate::paths::join("/", &ground.config.config.working_dir)),
        account: Arc::new(users::root()),
        shell: shell
            .filter(|shell| !shell.is_empty())
            .unwrap_or_else(|| ["/bin/sh", "-c"].map(str::to_owned).to_vec()),
        stores: ground.stores.clone(),
        ground,
        variables,
        image_variables,
        policy,
        steps: Vec::with_capacity(stage.steps.len() + 2),
        history: Vec::with_capacity(stage.steps.len() + 2),
        made: BTreeSet::new(),
        with_home: BTreeMap::new(),
        planner,
    };
    builder.all(installed);
    Built {
        account: Arc::clone(&builder.account),
        workdir: Arc::clone(&builder.workdir),
        steps: std::mem::take(&mut builder.steps),
        ground: builder.finish(),
    }
}

impl Builder<'_, '_> {
    fn all(&mut self, installed: Installed<'_>) {
        let stage = self.stage;
        let spec = self.planner.spec;
        for choice in spec.caches.iter().chain(&stage.caches) {
            let scope = Scope {
                args: self.args,
                env: None,
            };
            caches::apply(self.planner, &mut self.policy, choice, scope);
        }
        let user = stage.user.as_ref().or(spec.user.as_ref());
        let written: Vec<Option<String>> = stage
            .steps
            .iter()
            .map(|step| self.written_user(step_user(step)))
            .collect();
        let default = self.written_user(user);
        let image = self.written_user(stage.image.user.as_ref());
        let asked = (default.iter().zip(user.map(|user| user.span)))
            .chain(
                image
                    .iter()
                    .zip(stage.image.user.as_ref().map(|user| user.span)),
            )
            .chain(
                written
                    .iter()
                    .zip(&stage.steps)
                    .filter_map(|(written, step)| Some((written.as_ref()?, step_user(step)?.span))),
            )
            .find(|(written, _)| users::is_build(written))
            .map(|(_, span)| span);
        if let Some(span) = asked {
            self.make_build(span);
        }
        self.account = Arc::new(match (default, user) {
            (Some(default), Some(user)) => {
                self.ground
                    .users
                    .account(self.planner, &default, Some(user.span))
            }
            _ => self.default_account(),
        });
        self.install_into(installed);
        if let Some(workdir) = &stage.workdir {
            let path = self.expand(workdir);
            self.workdir = Arc::from(crate::paths::join(&self.workdir, &path));
            let (path, account) = (Arc::clone(&self.workdir), Arc::clone(&self.account));
            self.directory(&path, &account, workdir.span);
        }
        for (index, (step, written)) in stage.steps.iter().zip(written).enumerate() {
            let account = match (written, step_user(step)) {
                (Some(written), Some(user)) => Arc::new(self.ground.users.account(
                    self.planner,
                    &written,
                    Some(user.span),
                )),
                _ => Arc::clone(&self.account),
            };
            self.at = index;
            match &step.kind {
                StepKind::Run(run) => self.run(step, run, account),
                StepKind::Copy(copy) => self.copy(step, copy, self.taken.copies.get(&index)),
                StepKind::Install(install) => self.install(step, install, &account),
                StepKind::Add(add) => self.add(step, add),
                StepKind::File(file) => self.file(step, file),
            }
        }
    }

    /// The user that the image config names.
    fn default_account(&mut self) -> Account {
        let written = self.ground.config.config.user.clone();
        let span = self.stage.from.span;
        self.ground
            .users
            .account(self.planner, &written, Some(span))
    }

    fn written_user(
        &mut self,
        user: Option<&larder_diagnostic::Spanned<Template>>,
    ) -> Option<String> {
        self.expand_maybe(&user?.value)
    }

    fn make_build(&mut self, span: Span) {
        let accounts = Arc::make_mut(&mut self.ground.users.accounts);
        let new = match accounts.make_build(self.args.build) {
            Ok(Some(new)) => new,
            Ok(None) => return,
            Err(problem) => {
                let users = &self.ground.users;
                users.complain(self.planner, BUILD, problem, Some(span));
                return;
            }
        };
        let size = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        if !self
            .planner
            .spend(size(&new.passwd) + size(&new.group), span)
        {
            return;
        }
        self.made.insert(new.home.clone());
        let action = Action::Account {
            passwd: new.passwd,
            group: new.group,
            home: new.home,
            owner: crate::model::Owner {
                uid: new.found.uid,
                gid: new.found.gid,
            },
        };
        self.push(format!("user {BUILD}"), span, action);
    }

    /// Makes a directory, once.
    pub(crate) fn directory(&mut self, path: &str, account: &Account, span: Span) {
        self.directories("workdir", &[path], account, span);
    }

    /// Makes directories, each once.
    pub(crate) fn directories(
        &mut self,
        why: &str,
        paths: &[impl AsRef<str>],
        account: &Account,
        span: Span,
    ) {
        let mut missing = Vec::new();
        for path in paths.iter().map(AsRef::as_ref) {
            if path != "/" && self.made.insert(path.to_owned()) {
                missing.push(path.to_owned());
            }
        }
        if missing.is_empty() {
            return;
        }
        let name = format!("{why} {}", names::line(&missing.join(" ")));
        let action = Action::Directories {
            paths: missing,
            owner: account.owner(),
        };
        self.push(name, span, action);
    }

    /// Adds a step, and a line of history.
    pub(crate) fn push(&mut self, name: String, span: Span, action: Action) {
        self.history.push(History {
            created_by: Some(name.clone()),
            ..History::default()
        });
        self.steps.push(PlannedStep { name, span, action });
    }

    /// The text of a template that may name args; empty where it is wrong.
    pub(crate) fn expand(&mut self, template: &Template) -> String {
        self.expand_maybe(template).unwrap_or_default()
    }

    /// The text of a template; `None` where it is wrong, which is reported.
    pub(crate) fn expand_maybe(&mut self, template: &Template) -> Option<String> {
        let scope = Scope {
            args: self.args,
            env: None,
        };
        self.planner.expand(template, scope)
    }

    /// The variables of a step: those of the stage, `HOME`, and its own.
    pub(crate) fn environment(
        &mut self,
        account: &Account,
        own: &[EnvVar],
    ) -> Arc<[(String, String)]> {
        let home = &account.user.home;
        if own.is_empty() {
            if let Some(known) = self.with_home.get(home) {
                return Arc::clone(known);
            }
            let list: Arc<[_]> = with_home(&self.variables, home.as_deref());
            self.with_home.insert(home.clone(), Arc::clone(&list));
            return list;
        }
        let mut variables = self.variables.clone();
        for variable in own {
            let scope = Scope {
                args: self.args,
                env: Some(&variables),
            };
            let value = self.planner.expand_or_empty(&variable.value, scope);
            variables.set(&variable.name.value, value);
        }
        with_home(&variables, home.as_deref())
    }

    /// Puts a directory first on the `PATH` of later steps and of the image.
    pub(crate) fn prepend_path(&mut self, directory: &str) {
        for variables in [&mut self.variables, &mut self.image_variables] {
            let path = variables.get("PATH").unwrap_or_default();
            if path.split(':').all(|known| known != directory) {
                let path = format!("{directory}:{path}");
                variables.set("PATH", path);
            }
        }
        self.with_home.clear();
    }
}

fn with_home(variables: &Env, home: Option<&str>) -> Arc<[(String, String)]> {
    match home {
        Some(home) if variables.get("HOME").is_none() => {
            let home = ("HOME".to_owned(), home.to_owned());
            variables.list().iter().cloned().chain([home]).collect()
        }
        _ => variables.list().into(),
    }
}

fn step_user(step: &model::Step) -> Option<&larder_diagnostic::Spanned<Template>> {
    match &step.kind {
        StepKind::Run(run) => run.user.as_ref(),
        StepKind::Install(install) => install.user.as_ref(),
        StepKind::Copy(_) | StepKind::Add(_) | StepKind::File(_) => None,
    }
}
