//! Plans steps that run a program.

use std::borrow::Cow;
use std::sync::Arc;

use larder_catalog::KeyPart;
use larder_diagnostic::{Diagnostic, Span};
use larder_inject::{Decision, Exec, Policy, decide};
use larder_spec::model::{CacheChoice, Command, EnvVar, Run, Step};

use crate::caches;
use crate::model::{Account, Action, Manifests, PlannedOptions, PlannedOutput, PlannedRun};
use crate::names;
use crate::outputs;
use crate::planner::Scope;
use crate::request::CACHE_CONTEXT_TARGET;
use crate::stage::Builder;

/// A program that is going to run.
pub(crate) struct Program<'s> {
    pub name: String,
    pub span: Span,
    pub args: Vec<String>,
    pub env: Arc<[(String, String)]>,
    /// Those of `env` that the step itself sets.
    pub own_env: &'s [EnvVar],
    pub cwd: Arc<str>,
    pub account: Arc<Account>,
    pub caches: Option<&'s CacheChoice>,
    pub outputs: Vec<PlannedOutput>,
    pub manifests: Option<Manifests>,
    pub options: PlannedOptions,
}

impl Builder<'_, '_> {
    pub(crate) fn run(&mut self, step: &Step, run: &Run, account: Arc<Account>) {
        let Some(shell) = &run.shell else {
            return self.run_in_shell(step, run, account);
        };
        let of_stage = std::mem::replace(&mut self.shell, shell.value.clone());
        self.run_in_shell(step, run, account);
        self.shell = of_stage;
    }

    fn run_in_shell(&mut self, step: &Step, run: &Run, account: Arc<Account>) {
        let (args, span, name) = match &run.command {
            Command::Shell(text) => (
                self.shell_words(&text.value),
                text.span,
                names::line(&text.value),
            ),
            Command::Exec(list) => {
                let args: Vec<String> = list.iter().map(|word| word.value.clone()).collect();
                let name = names::words(&args);
                (
                    args,
                    around(list.iter().map(|word| word.span), step.span),
                    name,
                )
            }
        };
        if args.is_empty() || (args.iter().all(|word| word.trim().is_empty())) {
            self.planner.report(
                Diagnostic::error(span, "there is nothing to run")
                    .hint("write a command, or leave the step out"),
            );
        }
        let name = match &step.name {
            Some(name) => names::line(&self.expand(name)),
            None => format!("run {name}"),
        };
        let cwd = match &run.workdir {
            Some(workdir) => {
                let path = self.expand(workdir);
                let path: Arc<str> = Arc::from(crate::paths::join(&self.workdir, &path));
                self.directory(&path, &account, workdir.span);
                path
            }
            None => Arc::clone(&self.workdir),
        };
        let env = self.environment(&account, &run.env);
        let outputs = self.outputs(run, &cwd);
        let options = self.options(&run.options, &cwd, account.owner());
        self.program(Program {
            name,
            span,
            args,
            env,
            own_env: &run.env,
            cwd,
            account,
            caches: run.caches.as_ref(),
            outputs,
            manifests: None,
            options,
        });
    }

    /// Adds a program with the caches that it uses.
    pub(crate) fn program(&mut self, program: Program<'_>) {
        let own = program.caches.map(|choice| self.policy_with(choice));
        let policy = own.as_ref().unwrap_or(&self.policy);
        let env_size: usize = (program.env.iter())
            .map(|(name, value)| name.len() + value.len() + 2)
            .sum();
        let size = env_size + caches::size(policy);
        if !self.planner.spend(size, program.span) {
            return;
        }
        // Without the base image's variables and user, no decision would stand.
        let decision = if self.ground.complete {
            let manifests = program.manifests.iter();
            let mut mounted: Vec<String> = manifests.map(|files| files.target.clone()).collect();
            mounted.extend(program.options.targets().cloned());
            if self.planner.request.cache_context.is_some() {
                mounted.push(CACHE_CONTEXT_TARGET.to_owned());
            }
            let outputs: Vec<String> = (program.outputs.iter())
                .map(|output| output.from.clone())
                .collect();
            let mut image_env = Cow::Borrowed(&self.ground.image_env);
            for variable in program.own_env {
                image_env.to_mut().remove(&variable.name.value);
            }
            decide(
                &Exec {
                    args: &program.args,
                    env: &program.env,
                    image_env: &image_env,
                    user: &program.account.user,
                    cwd: &program.cwd,
                    mounted: &mounted,
                    earlier: &self.stores,
                    outputs: &outputs,
                },
                policy,
            )
        } else {
            Decision::default()
        };
        self.ask(&decision);
        outputs::check(self.planner, &program.outputs, &decision, &program.options);
        let seeds = self.seeds(&decision);
        let (parents, account) = (&decision.parents, &program.account);
        self.directories("make", parents, account, program.span);
        let stores = decision.stores.clone();
        let run = PlannedRun {
            args: self.copying(program.args, &program.outputs),
            env: program.env,
            cwd: program.cwd,
            account: program.account,
            decision,
            outputs: program.outputs,
            manifests: program.manifests,
            options: program.options,
            seeds,
        };
        self.push(program.name, program.span, Action::Run(Box::new(run)));
        let step = self.steps.len();
        for (tool, words) in stores {
            let text = || format!("{words} in step {step}");
            self.stores.entry(tool).or_insert_with(text);
        }
    }

    /// The stage's policy with a step's own `caches`.
    fn policy_with(&mut self, choice: &CacheChoice) -> Policy {
        let mut policy = self.policy.clone();
        let scope = Scope {
            args: self.args,
            env: None,
        };
        caches::apply(self.planner, &mut policy, choice, scope);
        policy
    }

    /// Asks for what a decision depends on.
    fn ask(&mut self, decision: &Decision) {
        if self.ground.distribution.is_none()
            && let Some((_, origin)) = &self.ground.users.image
            && decision.mounts.iter().any(|mount| {
                larder_catalog::cache(&mount.cache)
                    .is_some_and(|cache| cache.key.contains(&KeyPart::Distribution))
            })
        {
            self.planner.need_accounts(origin);
        }
    }

    pub(crate) fn has_bourne_shell(&self) -> bool {
        match self.shell.as_slice() {
            [program, .., option] => {
                let program = program.rsplit('/').next().unwrap_or_default();
                option.ends_with('c')
                    && matches!(program, "sh" | "ash" | "bash" | "dash" | "ksh" | "zsh")
            }
            _ => false,
        }
    }

    /// What the kernel gets for a command line. A script of several lines stops at the first one that
    /// fails, if its shell is a Bourne shell.
    pub(crate) fn shell_words(&self, text: &str) -> Vec<String> {
        let mut words = self.shell.clone();
        let is_sh = self.has_bourne_shell();
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let script = is_sh && lines.take(2).count() > 1;
        words.push(if script {
            format!("set -e\n{text}")
        } else {
            text.to_owned()
        });
        words
    }
}

/// From the first span to the last.
fn around(spans: impl Iterator<Item = Span>, otherwise: Span) -> Span {
    spans
        .reduce(|all, span| Span::new(all.start.min(span.start), all.end.max(span.end)))
        .unwrap_or(otherwise)
}
