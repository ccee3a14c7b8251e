//! The builds of a row.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use larder_e2e::{
    Build, Engine, Project, Repository,
    language::Row,
    same::{Difference, Images, same_result},
};

use crate::web::Web;

/// What stands for a web server in Dockerfiles and specs: the row's folder `web`.
const SITE: &str = "https://example.com";

/// What stands for a git repository: the row's folder `repository`, with the tag `v1`.
const REPOSITORY: &str = "https://example.com/app.git";

/// A row with all that its builds ask for.
pub(crate) struct Scene<'a> {
    engine: &'a Engine,
    images: &'a Images,
    row: &'a Row,
    context: Project,
    /// Dockerfile, spec and key, outside the context.
    files: Project,
    web: Option<Web>,
    repository: Option<Repository>,
}

/// All that is wrong with a row.
pub(crate) fn check(engine: &Engine, images: &Images, row: &Row) -> Result<Vec<String>> {
    let Some(spec) = &row.spec else {
        return Ok(Vec::new());
    };
    let scene = Scene::new(engine, images, row)?;
    let syntax = format!("# syntax={}\n", engine.frontend());
    let larder = || scene.build("larder.yaml", &format!("{syntax}{spec}"));
    if let Some(refused) = &row.about.refused {
        let said = larder()?.fail()?;
        return Ok(if said.contains(refused.as_str()) {
            Vec::new()
        } else {
            vec![format!("is refused with another text:\n{said}")]
        });
    }
    if let Some(lacking) = &row.about.lacking {
        let tried = larder()?.run()?;
        if !tried.succeeded && tried.text.contains(lacking.as_str()) {
            return Ok(Vec::new());
        }
    }
    let mut wrong = Vec::new();
    if let Some(dockerfile) = row.built()? {
        wrong.extend(scene.compare(scene.build("Dockerfile", &dockerfile)?, larder()?)?);
    }
    if !row.about.run.is_empty() {
        let built = larder()?.image().succeed()?;
        for call in &row.about.run {
            let [options, args] = [&call.options, &call.args]
                .map(|words| words.iter().map(String::as_str).collect::<Vec<_>>());
            let printed = built.run_with(&options, &args)?;
            if printed != call.prints {
                wrong.push(format!(
                    "{args:?} prints {printed:?}, not {:?}",
                    call.prints
                ));
            }
        }
    }
    Ok(wrong)
}

impl<'a> Scene<'a> {
    fn new(engine: &'a Engine, images: &'a Images, row: &'a Row) -> Result<Self> {
        let context = Project::empty()?;
        let inside = row.folder.join("context");
        if inside.exists() {
            context.lay(&inside)?;
        }
        let web = row.folder.join("web");
        let repository = row.folder.join("repository");
        Ok(Self {
            engine,
            images,
            row,
            context,
            files: Project::empty()?,
            web: web.exists().then(|| Web::serve(web)).transpose()?,
            repository: repository
                .exists()
                .then(|| serve(&repository))
                .transpose()?,
        })
    }

    fn build(&self, name: &str, text: &str) -> Result<Build<'_>> {
        let mut text = text.to_owned();
        if let Some(repository) = &self.repository {
            text = text.replace(REPOSITORY, &repository.url);
        }
        if let Some(web) = &self.web {
            text = text.replace(SITE, &web.url);
        }
        let file = self.files.file(name, text)?;
        let build = self.engine.build(&self.context);
        let mut build = build.file(&file.to_string_lossy());
        for option in &self.row.about.options {
            let mut option = option.replace("FOLDER", &self.row.folder.to_string_lossy());
            if option.contains("KEY") {
                let key = rcgen::KeyPair::generate()?.serialize_pem();
                let key = self.files.file("key", key)?;
                option = option.replace("KEY", &key.to_string_lossy());
            }
            build = build.option(option);
        }
        Ok(build)
    }

    /// What differs between what is built by a Dockerfile and by a spec.
    fn compare(&self, dockerfile: Build<'_>, spec: Build<'_>) -> Result<Vec<String>> {
        let [first, second] = [("Dockerfile", dockerfile), ("spec", spec)].map(|(what, build)| {
            let pushed = build.pushed(self.images.repository()).succeed();
            let pushed = pushed.with_context(|| what)?;
            self.images.pull(pushed.digest()?)
        });
        let (first, second) = (first?, second?);
        let about = &self.row.about;
        let mut wrong = Vec::new();
        if !about.platforms.is_empty() {
            let found: Vec<&String> = first.keys().collect();
            if found != about.platforms.iter().collect::<Vec<_>>() {
                wrong.push(format!("the platforms are {found:?}"));
            }
        }
        ensure!(
            first.keys().eq(second.keys()),
            "the platforms are {:?} and {:?}",
            first.keys(),
            second.keys()
        );
        for (platform, one) in &first {
            let other = &second[platform];
            let found = same_result(one, other);
            wrong.extend(found.iter().map(Difference::to_string));
            if let Some(created) = &about.created {
                for image in [one, other] {
                    let said = image.config["created"].as_str().unwrap_or_default();
                    if said != created {
                        wrong.push(format!("created at {said}"));
                    }
                }
            }
        }
        Ok(wrong)
    }
}

fn serve(folder: &std::path::Path) -> Result<Repository> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        files.push((name, fs::read_to_string(entry.path())?));
    }
    files.sort();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    Repository::serve(&files)
}
