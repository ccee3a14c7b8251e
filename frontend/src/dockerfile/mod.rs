//! The second entrance: Dockerfiles, and what any other frontend builds. That frontend does all of it;
//! its operations get caches, and nothing else of its result changes.

pub(crate) mod args;
mod facts;
mod layers;
mod lint;
mod requests;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;

use buildkit_llb::Definition;
use larder_diagnostic::Diagnostic;
use larder_gateway::{
    Bridge, Capabilities, Excerpt, Failure, FrontendRequest, Given, Outcome, Place, RawResult,
    SolveRequest, Warning, cap,
};
use larder_inject::definition::{Injected, Mistake, Wish};

use crate::ask::{Question, describe};
use crate::locate::Found;
use crate::spec::checked;

/// The daemon's own frontend of Dockerfiles.
const DOCKERFILE: &str = "dockerfile.v0";
/// The daemon's frontend that runs an image.
const GATEWAY: &str = "gateway.v0";

/// Has another frontend answer, and adds caches to what it builds.
pub(crate) async fn build(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    given: &Given,
    found: Option<&Found>,
) -> Result<Outcome, Failure> {
    let wish = args::wish(given)?;
    let mut build = Build {
        bridge,
        capabilities,
        found,
        request: forwarded(bridge, capabilities, given).await?,
        wish,
    };
    let Some(request) = given.request_id() else {
        let warnings = build.add_layers(given).await?;
        return Ok(Outcome::Raw(build.image(warnings).await?));
    };
    let result = match Question::of(request) {
        Some(Question::Plan) => build.plan().await?,
        Some(Question::Lint) => build.lint().await?,
        Some(Question::Describe) => describe::joined(build.ask(&build.request).await?),
        _ => build.ask(&build.request).await?,
    };
    Ok(Outcome::Raw(result))
}

/// The client's request, for the frontend that builds the file: every option and input as it came.
async fn forwarded(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    given: &Given,
) -> Result<FrontendRequest, Failure> {
    let mut options = given.options.clone();
    let ours = options.remove("source");
    for arg in args::OURS {
        options.remove(arg);
    }
    let frontend = match given.option(args::FRONTEND) {
        None => {
            // Without it the `# syntax=` line would be followed, back to us.
            let by = ours.unwrap_or_else(|| DOCKERFILE.to_owned());
            options.entry("cmdline".to_owned()).or_insert(by);
            DOCKERFILE
        }
        Some(image) => {
            options.insert("source".to_owned(), image.to_owned());
            options.insert("cmdline".to_owned(), image.to_owned());
            GATEWAY
        }
    };
    Ok(FrontendRequest {
        frontend: frontend.to_owned(),
        options,
        inputs: if capabilities.has(cap::INPUTS) {
            bridge.inputs().await?
        } else {
            BTreeMap::new()
        },
        // What is wrong with them is for that frontend to say.
        cache_imports: given.cache_imports().unwrap_or_default(),
    })
}

/// A build by another frontend.
struct Build<'a, B> {
    bridge: &'a B,
    capabilities: &'a Capabilities,
    /// The file, if it was read.
    found: Option<&'a Found>,
    /// What that frontend is asked.
    request: FrontendRequest,
    /// None to add no caches.
    wish: Option<Wish>,
}

/// What came of adding caches.
enum Added {
    /// None are wanted, or there is nothing to add them to.
    Nothing,
    /// They cannot be added, and why.
    Impossible(String),
    /// To what came, place by place.
    Injected(Vec<(Place, Definition)>, Box<Injected>),
}

impl<B: Bridge> Build<'_, B> {
    async fn ask(&self, request: &FrontendRequest) -> Result<RawResult, Failure> {
        self.bridge.solve_frontend(request.clone()).await
    }

    /// The image, with caches for what makes it. Warnings can be shown when there is something of it.
    async fn image(&self, warnings: Vec<Diagnostic>) -> Result<RawResult, Failure> {
        let mut result = self.ask(&self.request).await?;
        for warning in warnings.into_iter().filter(|it| self.wants(it)) {
            self.warn(&result, of_nothing(warning)).await?;
        }
        let (came, injected) = match self.add_caches(&result).await? {
            Added::Nothing => return Ok(result),
            Added::Impossible(why) => {
                self.warn(&result, without_caches(&why)).await?;
                return Ok(result);
            }
            Added::Injected(came, injected) => (came, injected),
        };
        for mistake in &injected.mistakes {
            self.warn(&result, self.wrong_comment(mistake)).await?;
        }
        let changed = match self.changed(came, injected.definitions) {
            Ok(changed) => changed,
            Err(lacking) => {
                self.warn(&result, without_caches(&lacking)).await?;
                return Ok(result);
            }
        };
        for (place, definition) in changed {
            let reference = self
                .bridge
                .solve(SolveRequest {
                    definition,
                    cache_imports: self.request.cache_imports.clone(),
                    evaluate: false,
                })
                .await?;
            result.replace(&place, reference);
        }
        Ok(result)
    }

    /// Decides over all definitions of a result at once: they share operations.
    async fn add_caches(&self, result: &RawResult) -> Result<Added, Failure> {
        let Some(wish) = &self.wish else {
            return Ok(Added::Nothing);
        };
        let all = match result.definitions() {
            Ok(all) => all,
            Err(error) => return Ok(Added::Impossible(error.to_string())),
        };
        let silent = all.values().any(Option::is_none);
        let mut places = Vec::new();
        let mut definitions = Vec::new();
        for (place, definition) in all {
            if let Some(definition) = definition {
                places.push(place);
                definitions.push(definition);
            }
        }
        if definitions.is_empty() {
            return Ok(match self.capabilities.require(cap::REF_ARRAY) {
                _ if !silent => Added::Nothing,
                Err(lacking) => Added::Impossible(lacking.to_string()),
                Ok(()) => Added::Impossible("the daemon does not say what it is made of".into()),
            });
        }
        let settled = facts::settle(self.bridge, self.capabilities, &definitions, wish).await?;
        Ok(match settled {
            Ok(injected) => {
                let came = places.into_iter().zip(definitions).collect();
                Added::Injected(came, Box::new(injected))
            }
            Err(why) => Added::Impossible(why),
        })
    }

    /// What is not as it came; an error if the daemon cannot solve all of it.
    fn changed(
        &self,
        came: Vec<(Place, Definition)>,
        injected: Vec<Definition>,
    ) -> Result<Vec<(Place, Definition)>, Failure> {
        let mut changed = Vec::new();
        for ((place, before), definition) in came.into_iter().zip(injected) {
            if before != definition {
                changed.push((place, checked(self.capabilities, definition)?));
            }
        }
        Ok(changed)
    }

    /// Shows a warning where the file was loaded, or anywhere else if it was not. One that the daemon
    /// does not take is no reason to stop.
    async fn warn(&self, result: &RawResult, warning: Warning) -> Result<(), Failure> {
        if !self.capabilities.has(cap::WARNINGS) {
            return Ok(());
        }
        let vertex = match self.found {
            Some(found) => found.vertex.clone(),
            None => any_vertex(result),
        };
        match self.bridge.warn(Warning { vertex, ..warning }).await {
            Err(failure) if failure.is_disconnected() => Err(failure),
            _ => Ok(()),
        }
    }

    fn wrong_comment(&self, mistake: &Mistake) -> Warning {
        let Mistake {
            file,
            line,
            message,
            hint,
        } = mistake;
        let excerpt = self.excerpt(file, *line..=*line);
        Warning {
            vertex: String::new(),
            short: match excerpt {
                Some(_) => message.clone(),
                None => format!("{file}:{line}: {message}"),
            },
            detail: vec![hint.clone()],
            excerpt,
        }
    }

    /// Lines of the file, if it was read.
    fn excerpt(&self, file: &str, lines: RangeInclusive<u32>) -> Option<Excerpt> {
        // `dockerfile` goes by the name of `Dockerfile`.
        let found = self.found?;
        found.name.eq_ignore_ascii_case(file).then(|| Excerpt {
            file: file.to_owned(),
            data: found.data.clone(),
            language: "Dockerfile".to_owned(),
            lines: vec![lines],
        })
    }
}

/// A warning that no line is to blame for.
fn of_nothing(diagnostic: Diagnostic) -> Warning {
    Warning {
        vertex: String::new(),
        short: match diagnostic.lint {
            Some(lint) => format!("{lint}: {}", diagnostic.message),
            None => diagnostic.message,
        },
        detail: diagnostic.hint.into_iter().collect(),
        excerpt: None,
    }
}

fn without_caches(why: &dyn Display) -> Warning {
    Warning {
        vertex: String::new(),
        short: format!("this build gets no caches from Larder: {why}"),
        detail: Vec::new(),
        excerpt: None,
    }
}

fn any_vertex(result: &RawResult) -> String {
    let definitions = result.definitions().unwrap_or_default();
    let mut definitions = definitions.into_values().flatten();
    let head = definitions.find_map(|one| one.head().ok().flatten());
    head.map(|digest| digest.to_string()).unwrap_or_default()
}
