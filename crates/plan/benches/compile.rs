//! From the YAML of a spec to the bytes of its definition: plain steps, and steps that use caches.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use buildkit_llb::Platform;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use larder_diagnostic::SourceFile;
use larder_plan::{Facts, Planned, Request, lower, offline_facts};

fn plain(steps: usize) -> String {
    let mut spec = String::from("name: bench\nfrom: debian:13\nsteps:\n");
    for step in 0..steps {
        let _ = writeln!(spec, "  - run: echo {step} > /tmp/{step}");
    }
    spec
}

fn cached(steps: usize) -> String {
    let mut spec = String::from("name: bench\nfrom: debian:13\nuser: 1000:1000\nsteps:\n");
    for step in 0..steps {
        let command = match step % 4 {
            0 => "pip install --no-deps package",
            1 => "npm ci && npm run build",
            2 => "cd /src && go build ./...",
            _ => "cargo build --release && cargo test",
        };
        let _ = writeln!(spec, "  - run: {command} # {step}");
    }
    spec
}

/// One `larder compile`, with what an image is known to be.
fn compile(text: &str, request: &Request, facts: &mut Facts) -> usize {
    let source = SourceFile::new("larder.yaml", text);
    let spec = larder_spec::parse(&source).spec.expect("it is a spec");
    loop {
        match larder_plan::plan(&spec, request, facts) {
            Planned::Plan(plan) => {
                let lowered = lower(&plan, &source).expect("nothing is imported");
                return lowered.definition.to_bytes().len() + lowered.config.len();
            }
            Planned::Needs(needs) => {
                offline_facts(&needs, facts);
            }
            Planned::Mistakes(mistakes) => panic!("{mistakes:?}"),
        }
    }
}

fn bench(criterion: &mut Criterion) {
    let request = Request::new(Platform::new("linux", "amd64", ""), "bench");
    for (name, spec) in [
        ("plain", plain as fn(usize) -> String),
        ("cached", cached as fn(usize) -> String),
    ] {
        let mut group = criterion.benchmark_group(name);
        group
            .sample_size(10)
            .measurement_time(Duration::from_secs(3));
        for steps in [1_000, 10_000] {
            let text = spec(steps);
            let mut facts = Facts::default();
            compile(&text, &request, &mut facts);
            group.bench_with_input(
                BenchmarkId::from_parameter(steps),
                &text,
                |bencher, text| {
                    bencher.iter(|| compile(black_box(text), &request, &mut facts));
                },
            );
        }
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
