//! Finding out what injecting asks for.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use buildkit_llb::{Definition, Digest};
use futures_util::future::join_all;
use larder_gateway::{Bridge, Capabilities, Failure, Ref, SolveRequest, cap};
use larder_inject::definition::{Facts, ImageFact, ImageNeed, Injected, Injection, Wish, inject};

/// Each answer may lead to one more question. So many in a row, none does.
const MAX_ROUNDS: usize = 16;
/// The size of the largest `/etc/passwd` and the like that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// Asks until everything is decided. The inner error says why nothing can be injected.
pub(super) async fn settle(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    definitions: &[Definition],
    wish: &Wish,
) -> Result<Result<Injected, String>, Failure> {
    let mut facts = Facts::new();
    for _ in 0..MAX_ROUNDS {
        // A build that works without Larder goes on, whatever is wrong with Larder.
        let decided = catch_unwind(AssertUnwindSafe(|| inject(definitions, wish, &facts)));
        match decided {
            Err(_) => return Ok(Err("a fault of Larder's; please report it".to_owned())),
            Ok(Err(error)) => return Ok(Err(error.to_string())),
            Ok(Ok(Injection::Done(injected))) => return Ok(Ok(injected)),
            Ok(Ok(Injection::Needs(needs))) => {
                look_up(bridge, capabilities, needs, &mut facts).await?;
            }
        }
    }
    Ok(Err("more and more would have to be known".to_owned()))
}

/// Looks into images, all at the same time.
async fn look_up(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    needs: BTreeMap<Digest, ImageNeed>,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let answers = join_all(needs.into_iter().map(async |(digest, need)| {
        let fact = look_into(bridge, capabilities, need).await;
        (digest, fact)
    }))
    .await;
    for (digest, answer) in answers {
        let ImageFact { files, filled, .. } = answer?;
        let known = facts.entry(digest).or_default();
        known.files.extend(files);
        known.filled.extend(filled);
    }
    Ok(())
}

/// What cannot be looked at is no reason to fail: a file counts as missing then, and a directory as one
/// that nothing may be mounted over.
async fn look_into(
    bridge: &impl Bridge,
    capabilities: &Capabilities,
    need: ImageNeed,
) -> Result<ImageFact, Failure> {
    let mut fact = ImageFact {
        files: need.files.iter().map(|path| (path.clone(), None)).collect(),
        filled: need
            .directories
            .iter()
            .map(|it| (it.clone(), true))
            .collect(),
        assumed: false,
    };
    let request = SolveRequest {
        definition: need.definition,
        ..SolveRequest::default()
    };
    let read = async {
        let root = bridge.solve(request).await?;
        for (path, text) in &mut fact.files {
            let data = bridge.read_file_if_any(&root, path, MAX_BYTES).await?;
            *text = data.map(|data| String::from_utf8_lossy(&data).into_owned());
        }
        if capabilities.has(cap::READ_DIR) {
            for (path, filled) in &mut fact.filled {
                *filled = has_entries(bridge, &root, path).await?;
            }
        }
        Ok(())
    };
    match read.await {
        Err(failure @ Failure::Disconnected(_)) => Err(failure),
        Ok(()) | Err(_) => Ok(fact),
    }
}

async fn has_entries(bridge: &impl Bridge, root: &Ref, path: &str) -> Result<bool, Failure> {
    match bridge.read_dir(root, path, None).await {
        Ok(entries) => Ok(!entries.is_empty()),
        Err(failure) if failure.is_not_found() => Ok(false),
        Err(failure) => Err(failure),
    }
}
