//! Large definitions.

use std::time::{Duration, Instant};

use crate::{World, dockerfile, wish};

#[test]
fn a_thousand_programs_are_no_matter() {
    let mut text = "FROM base AS build\nUSER node\n".to_owned();
    for number in 0..1000 {
        let line = match number % 5 {
            0 => "npm ci",
            1 => "go build",
            2 => "make",
            3 => "pip install x && rm -rf ~/.cache",
            _ => "apt-get update && apt-get install -y x",
        };
        text += &format!("RUN {line} {number}\n");
    }
    text += "FROM scratch\nCOPY --from=build /x /x";
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
    eprintln!("{:?}", start.elapsed());
}
