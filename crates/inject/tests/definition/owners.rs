//! Whose directories caches are.

use crate::{World, dockerfile, in_debian, wish};

fn owner(text: &str) -> String {
    let injected = in_debian(text);
    let exec = injected.execs.last().expect("a program");
    let mount = exec.decision.mounts.first().expect("a mount");
    let (_, owner) = mount.id.rsplit_once("/owner:").expect("an owner");
    let owner = owner.split_once('@').map_or(owner, |(name, _)| name);
    format!("{owner} {}:{} {:o}", mount.uid, mount.gid, mount.mode)
}

#[test]
fn users_are_looked_up() {
    for (text, expected) in [
        ("FROM a\nRUN npm ci", "0.0 0:0 755"),
        ("FROM a\nUSER root\nRUN npm ci", "0.0 0:0 755"),
        ("FROM a\nUSER 5:6\nRUN npm ci", "5.6 5:6 755"),
        ("FROM a\nUSER 5\nRUN npm ci", "5.0 5:0 755"),
        ("FROM a\nUSER 1000\nRUN npm ci", "1000.1001 1000:1001 755"),
        ("FROM a\nUSER node\nRUN npm ci", "1000.1001 1000:1001 755"),
        ("FROM a\nUSER node:staff\nRUN npm ci", "1000.50 1000:50 755"),
        ("FROM a\nUSER 7:staff\nRUN npm ci", "7.50 7:50 755"),
        // Who is whom after this, nobody knows.
        (
            "FROM a\nRUN useradd app\nUSER app\nRUN npm ci",
            "app 0:0 777",
        ),
        (
            "FROM a\nRUN usermod -u 5 node\nUSER node\nRUN npm ci",
            "node 0:0 777",
        ),
        (
            "FROM a\nRUN ./setup.sh\nUSER node\nRUN npm ci",
            "node 0:0 777",
        ),
        (
            "FROM a\nCOPY passwd /etc/passwd\nUSER node\nRUN npm ci",
            "node 0:0 777",
        ),
        (
            "FROM a\nCOPY . /srv\nUSER node\nRUN npm ci",
            "1000.1001 1000:1001 755",
        ),
        (
            "FROM a\nUSER node:nobody\nRUN npm ci",
            "node%3Anobody 0:0 777",
        ),
    ] {
        assert_eq!(owner(text), expected, "{text}");
    }
}

#[test]
fn users_that_may_be_others_do_not_share() {
    let id = |text: &str| {
        let injected = World::debian().inject(&[dockerfile::definition(text)], &wish());
        injected.execs.last().expect("a program").decision.mounts[0]
            .id
            .clone()
    };
    let texts = [
        "FROM a\nRUN useradd app\nUSER app\nRUN composer install",
        "FROM b\nRUN useradd app\nUSER app\nRUN composer install",
        "FROM a\nRUN useradd -u 5 app\nUSER app\nRUN composer install",
        "FROM a\nRUN apt-get install x\nRUN useradd app\nUSER app\nRUN composer install",
        "FROM a\nRUN useradd app\nUSER app:app\nRUN composer install",
        "FROM a\nRUN ./useradd app\nUSER app\nRUN composer install",
        "FROM a\nCOPY x /etc/passwd\nUSER app\nRUN composer install",
    ];
    let mut ids: Vec<String> = texts.iter().map(|text| id(text)).collect();
    let again =
        id("FROM a\nRUN useradd app\nRUN mkdir x\nCOPY . /app\nUSER app\nRUN composer install y");
    assert_eq!(ids[0], again);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), texts.len());
}

#[test]
fn a_spec_and_a_dockerfile_share() {
    use buildkit_llb::{Account, Constraints, File, Graph, Meta, Mkdir, Owner};
    let definition = dockerfile::definition("FROM a\nUSER 1000:1000\nRUN composer install");
    let injected = World::debian().inject(&[definition], &wish());
    // As the frontend of Dockerfiles makes it for `uid=1000,gid=1000`.
    let mkdir = Mkdir {
        path: "/cache".to_owned(),
        mode: 0o755,
        parents: false,
        owner: Some(Owner {
            user: Some(Account::Id(1000)),
            group: Some(Account::Id(1000)),
        }),
        time: None,
    };
    let mut graph = Graph::new();
    let file = File::on(None).mkdir(mkdir);
    let vertex = graph.add(file, &Constraints::default(), Meta::default());
    let digest = graph.digest(vertex);
    assert!(
        injected.definitions[0]
            .vertices()
            .any(|(known, _)| known == digest)
    );
    let mount = &injected.execs[0].decision.mounts[0];
    assert_eq!(mount.id, "/larder/shared/composer/owner:1000.1000");
}

#[test]
fn a_distribution_that_is_not_known_is_shared_with_nobody() {
    let distribution = |text: &str, world: &mut World| {
        let injected = world.inject(&[dockerfile::definition(text)], &wish());
        let id = &injected.execs[0].decision.mounts[0].id;
        id.split('/')
            .find(|part| part.starts_with("distribution:"))
            .expect("one")
            .to_owned()
    };
    let pip = |from: &str| format!("{from}\nRUN pip install x");
    let debian = distribution(&pip("FROM a"), &mut World::debian());
    assert_eq!(debian, "distribution:debian-13");
    let none = distribution(&pip("FROM a"), &mut World::default());
    assert_eq!(none, "distribution:unknown");
    let a = distribution(&pip("FROM scratch\nCOPY a /"), &mut World::default());
    let b = distribution(&pip("FROM scratch\nCOPY b /"), &mut World::default());
    assert!(a.starts_with("distribution:unknown-") && a != b, "{a} {b}");
}
