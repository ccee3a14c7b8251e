//! Which command lines may run something that the catalogue does not know, and what they make.

use larder_catalog::{read, read_script};

fn runs_unknown(text: &str) -> bool {
    read(&["/bin/sh", "-c", text].map(str::to_owned)).runs_unknown()
}

#[test]
fn what_is_plain_runs_nothing_unknown() {
    for text in [
        "mkdir -p /out && cp -a app /out/ && chown 1:1 /out",
        "set -e\necho \"$X\" > file; cat <<E\ntext\nE\n",
        "apt-get update && apt-get install -y make && rm -rf /var/lib/apt/lists/*",
        "for f in *; do test -f \"$f\" || continue; sed -i s/a/b/ \"$f\"; done",
        "git clone https://example.org/x",
        "find . -name '*.o'",
        "find . -exec chmod +x {} +",
        "sh -c 'echo a'",
        "sh <<E\necho a\nE\n",
        "/bin/mv a b; X=1; export Y=2",
        "go build ./... && pip install x",
        "timeout 5 sleep 1",
    ] {
        assert!(!runs_unknown(text), "{text}");
    }
}

#[test]
fn what_may_call_another_program_is_unknown() {
    for text in [
        "make",
        "./build.sh",
        "cp a b && make -j4",
        "\"$TOOL\" build",
        "sh -c \"$SCRIPT\"",
        "eval \"$SCRIPT\"",
        "curl https://example.org/x | sh",
        "sh build.sh",
        ". ./env",
        "find . -name Makefile -execdir make ';'",
        "sudo make",
        "su build -c \"$X\"",
        "git commit -m x",
        "echo 'unclosed",
        "npm run build",
        "CC='ccache gcc' make",
        "f() { echo a; }; f",
    ] {
        assert!(runs_unknown(text), "{text}");
    }
}

#[test]
fn results_are_below_the_directory_or_where_a_variable_says() {
    let made = |text: &str, env: &[(&str, &str)]| {
        let env: Vec<_> = (env.iter())
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let made = read_script(text).results("/app", &env);
        made.into_iter()
            .map(|made| format!("{} {}", made.words, made.directory))
            .collect::<Vec<_>>()
    };
    let release = "cargo build --release";
    assert_eq!(made(release, &[]), ["cargo build /app/target"]);
    let elsewhere = [("CARGO_TARGET_DIR", "/t")];
    assert_eq!(made(release, &elsewhere), ["cargo build /t"]);
    assert_eq!(made("mvn -q package", &[]), ["mvn package /app/target"]);
    for text in [
        "cargo test",
        "cd x && cargo build",
        "CARGO_TARGET_DIR=/t cargo build",
        "cargo build && ./package.sh",
    ] {
        assert!(made(text, &[]).is_empty(), "{text}");
    }
}

#[test]
fn copies_out_of_a_directory_are_seen() {
    let takes = |text: &str| read_script(text).takes_from("/app/target", "/app", &[]);
    assert!(takes("cargo build && cp target/release/app /bin/"));
    assert!(takes(
        "cargo build && install -m 755 /app/target/release/app /bin/app"
    ));
    assert!(!takes("cargo build && ls target/release"));
    assert!(!takes("cargo build && cp README /out"));
}
