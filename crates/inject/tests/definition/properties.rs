//! What holds of every injection.

use buildkit_llb::edit::{Editor, Seen, SeenExec};
use larder_inject::definition::{Facts, ImageFact, Injected, Injection, inject};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::Config;

use crate::{World, dockerfile, wish};

fn line() -> impl Strategy<Value = &'static str> {
    select(vec![
        "RUN pip install x",
        "RUN npm ci",
        "RUN npm ci --offline",
        "RUN go mod download",
        "RUN go build",
        "RUN make",
        "RUN mvn package",
        "RUN cargo build",
        "RUN apt-get update && apt-get install x",
        "RUN apt-get update && rm -rf /var/lib/apt/lists/*",
        "RUN apk add --no-cache x",
        "RUN useradd app",
        "RUN rm -rf ~/.cache ~/.npm",
        "RUN chown -R 5 ~/.npm",
        "RUN echo 'x",
        "RUN --no-cache npm ci",
        "RUN --network=none make",
        "RUN --mount=type=cache,target=/root/.cache pip install x",
        "RUN --mount=from=one,target=/one,source=/root npm ci",
        "RUN npm ci && uv sync && poetry install && yarn",
        "RUN gradle build; dotnet build; sbt compile",
        "RUN ccache gcc x.c; bundle install; composer install",
        "SCRIPT #!/bin/bash;go build;",
        "COPY . .",
        "COPY --link . /root",
        "COPY --from=one /app /app",
        "COPY --from=one / /",
        "ENV PIP_CACHE_DIR=/pip",
        "ENV npm_config_cache=/npm",
        "ENV GOPATH=/go",
        "ENV HOME=/home/app",
        "ENV MAVEN_OPTS=-Xmx1g",
        "USER app",
        "USER 1000:1000",
        "USER root",
        "WORKDIR /",
        "# larder: caches=off",
        "# larder: caches=go-mod,pnpm,pip",
        "FROM one AS three",
        "FROM two",
        "FROM other",
        "",
    ])
}

fn text() -> impl Strategy<Value = String> {
    let lines = || prop::collection::vec(line(), 0..6).prop_map(|lines| lines.join("\n"));
    let stage = |lines: String| {
        lines
            .replace("FROM one AS three", "")
            .replace("FROM two", "")
    };
    (lines(), lines(), lines()).prop_map(move |(one, two, rest)| {
        let (one, two) = (stage(one), stage(two));
        let one = one
            .replace("--from=one", "")
            .replace("--mount=,target=/one,source=/root", "");
        let one = one.replace("COPY  ", "COPY ").replace("FROM other", "");
        let two = two.replace("FROM other", "");
        format!("FROM base AS one\n{one}\nFROM base2 AS two\n{two}\nFROM base3\n{rest}")
    })
}

fn done(world: &mut World, definition: &buildkit_llb::Definition) -> Injected {
    world.inject(std::slice::from_ref(definition), &wish())
}

fn execs(editor: &Editor) -> Vec<&SeenExec> {
    let execs = editor.ops().filter_map(|op| match editor.see(op) {
        Seen::Exec(exec) => Some(exec),
        _ => None,
    });
    execs.collect()
}

fn cases() -> u32 {
    let cases = std::env::var("LARDER_INJECT_CASES").ok();
    cases.and_then(|cases| cases.parse().ok()).unwrap_or(50)
}

proptest! {
    #![proptest_config(Config::with_cases(cases()))]

    #[test]
    fn only_mounts_and_variables_are_added(text in text()) {
        let definition = dockerfile::definition(&text);
        let injected = done(&mut World::debian(), &definition);
        let [changed] = injected.definitions.as_slice() else {
            panic!("one definition");
        };
        let before = Editor::new(std::slice::from_ref(&definition)).expect("a definition");
        let after = Editor::new(std::slice::from_ref(changed)).expect("a definition");
        let (old, new) = (execs(&before), execs(&after));
        prop_assert_eq!(old.len(), new.len());
        prop_assert_eq!(old.len(), injected.execs.len());
        for exec in &injected.execs {
            let decision = &exec.decision;
            prop_assert!(decision.without.is_empty() && decision.parents.is_empty());
            let mut defeated = decision.defeated.iter().map(|defeat| &defeat.cache);
            let useless = defeated.find(|cache| decision.mounts.iter().any(|it| it.cache == **cache));
            prop_assert_eq!(useless, None);
            let op = before.ops().find(|op| before.digest(*op) == exec.digest).expect("it was there");
            let now = after.ops().find(|op| after.digest(*op) == exec.injected).expect("it is there");
            let (Seen::Exec(old), Seen::Exec(new)) = (before.see(op), after.see(now)) else {
                panic!("no programs");
            };
            prop_assert_eq!((&old.args, &old.cwd, &old.user), (&new.args, &new.cwd, &new.user));
            prop_assert_eq!(&old.env[..], &new.env[..old.env.len()]);
            prop_assert_eq!(&decision.env[..], &new.env[old.env.len()..]);
            for (name, _) in &decision.env {
                prop_assert!(old.env.iter().all(|(known, _)| known != name), "{}", name);
            }
            let added = new.mounts.iter().filter(|mount| {
                old.mounts.iter().all(|known| known.target != mount.target)
            });
            let expected = decision.mounts.len() + decision.files.len() + decision.tmpfs.len();
            prop_assert_eq!(added.count(), expected);
            prop_assert_eq!(old.mounts.len() + expected, new.mounts.len());
        }
        prop_assert_eq!(before.locations(before.ops().next().expect("an image")), []);
    }

    #[test]
    fn injecting_twice_changes_nothing_more(text in text()) {
        let definition = dockerfile::definition(&text);
        let once = done(&mut World::debian(), &definition).definitions.remove(0);
        let twice = done(&mut World::debian(), &once);
        for exec in &twice.execs {
            prop_assert!(exec.decision.mounts.is_empty(), "{}: {:?}", exec.name, exec.decision.mounts);
        }
        prop_assert_eq!(twice.definitions[0].to_bytes(), once.to_bytes());
    }

    #[test]
    fn off_is_off(text in text()) {
        let text = text.replace("# larder: caches=go-mod,pnpm,pip", "");
        let definition = dockerfile::definition(&format!("# larder: caches=off\n{text}"));
        let injected = done(&mut World::debian(), &definition);
        prop_assert_eq!(injected.definitions[0].to_bytes(), definition.to_bytes());
        prop_assert!(injected.execs.iter().all(|exec| exec.off.is_some()));
    }

    #[test]
    fn nobody_needs_to_look(text in text()) {
        let definition = dockerfile::definition(&text);
        let mut facts = Facts::new();
        for _ in 0..4 {
            match inject(std::slice::from_ref(&definition), &wish(), &facts).expect("a definition") {
                Injection::Done(_) => return Ok(()),
                Injection::Needs(needs) => {
                    let assumed = ImageFact { assumed: true, ..ImageFact::default() };
                    facts.extend(needs.into_keys().map(|digest| (digest, assumed.clone())));
                }
            }
        }
        prop_assert!(false, "it does not stop asking");
    }
}
