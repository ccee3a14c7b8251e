//! Large definitions.

use std::time::{Duration, Instant};

use crate::{World, dockerfile, wish};

#[test]
fn a_thousand_programs_are_no_matter() {
    const PROGRAMS: [&str; 5] = [
        "npm ci",
        "go build",
        "make",
        "pip install x && rm -rf ~/.cache",
        "apt-get update && apt-get install -y x",
    ];
    let lines = (0..1000).zip(PROGRAMS.iter().cycle());
    let lines: Vec<String> = lines
        .map(|(number, line)| format!("RUN {line} {number}"))
        .collect();
    let text = format!(
        "FROM base AS build\nUSER node\n{}\nFROM scratch\nCOPY --from=build /x /x",
        lines.join("\n")
    );
    let definition = dockerfile::definition(&text);
    let start = Instant::now();
    let injected = World::debian().inject(&[definition], &wish());
    assert_eq!(injected.execs.len(), 1000);
    assert!(injected.execs[0].decision.mounts.len() == 1);
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "{:?}",
        start.elapsed()
    );
}
