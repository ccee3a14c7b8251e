//! Copies, and files and directories that are made.

use buildkit_llb::{
    Account, Copy, CopyMode, File, FileInput, Meta, Mkdir, Mkfile, Op, Output, Vertex,
};
use larder_diagnostic::Span;

use super::{Lowering, progress};
use crate::copy::{has_pattern, start};
use crate::link;
use crate::model::{CopyFrom, Owner, PlannedCopy, PlannedStage};

const NANOSECONDS: i64 = 1_000_000_000;

/// What BuildKit keeps of the mode of a file or directory that it makes.
const PERMISSIONS: u32 = 0o777;

impl Lowering<'_> {
    /// Copies onto `root`. `None` if there is nothing to copy.
    pub(super) fn copy(
        &mut self,
        root: Option<Output>,
        copies: &[PlannedCopy],
        label: String,
        span: Span,
    ) -> Option<Vertex> {
        let file = self.copies(File::on(root), copies, span)?;
        Some(self.graph.add(file, &self.here, Meta::named(label)))
    }

    /// Copies to a layer of its own, and lays that over `root`.
    pub(super) fn link(
        &mut self,
        root: Option<Output>,
        stage: &PlannedStage,
        step: usize,
        copies: &[PlannedCopy],
    ) -> Option<Vertex> {
        let label = stage.label(step);
        let span = stage.steps.get(step)?.span;
        if !self.plan.request.able.merge {
            return self.copy(root, copies, label, span);
        }
        let above = link::above(&self.plan.stages, stage, step, copies);
        // BuildKit makes directories without a sticky bit, which `/tmp` would lose.
        if above.iter().any(|above| above.mode > PERMISSIONS) {
            return self.copy(root, copies, label, span);
        }
        let mut layer = File::on(None);
        for above in above {
            let mkdir = self.directory(&above.path, above.mode, above.owner);
            layer = layer.mkdir(mkdir);
        }
        let layer = self.copies(layer, copies, span)?;
        let Some(root) = root else {
            return Some(self.graph.add(layer, &self.here, Meta::named(label)));
        };
        let what = copies
            .iter()
            .flat_map(|copy| copy.src.iter().chain([&copy.dest]));
        let group = progress::of(self.plan, label.clone(), what);
        let alone = progress::helper(&label, Some(&group));
        let laid_over = Meta {
            progress_group: Some(group),
            ..Meta::named(format!("{label}, laid over what is below"))
        };
        let layer = self.graph.add(layer, &self.here, alone);
        self.locate(layer, span);
        let merge = Op::Merge(vec![root, layer.only()]);
        Some(self.graph.add(merge, &self.here, laid_over))
    }

    /// Adds copies to a chain of actions; `None` if there is nothing to copy.
    pub(super) fn copies(
        &mut self,
        mut file: File,
        copies: &[PlannedCopy],
        span: Span,
    ) -> Option<File> {
        let mut any = false;
        for copy in copies {
            let (from, root) = self.files(copy, span);
            // Of what is made above the copies, the mode would be theirs.
            let above = copy.dest.rsplit_once('/').map_or("", |(above, _)| above);
            if mode_of_copy(copy).is_some() && !above.is_empty() {
                file = file.mkdir(self.directory(above, 0o755, copy.owner));
            }
            for src in &copy.src {
                any = true;
                file = file.copy(self.one_copy(copy, src, from, &root));
            }
        }
        any.then_some(file)
    }

    fn one_copy(&self, copy: &PlannedCopy, src: &str, from: Option<Output>, root: &str) -> Copy {
        let (start, below) = start(copy, src);
        let within = |path: &str| crate::paths::join(root, path.trim_start_matches('/'));
        let source = match (start.is_empty(), root) {
            (true, _) => root.to_owned(),
            (false, "/") => format!("/{start}"),
            (false, _) => format!("{root}/{start}"),
        };
        let pattern = has_pattern(copy, &start);
        let required = match &below {
            Some(below)
                if self.plan.request.able.required_paths
                    && !pattern
                    && !has_pattern(copy, below) =>
            {
                vec![within(&crate::paths::under(&start, below))]
            }
            _ => Vec::new(),
        };
        let is_text = matches!(copy.from, CopyFrom::Text(_));
        Copy {
            owner: Some(numeric(copy.owner)),
            mode: mode_of_copy(copy).map(CopyMode::Bits),
            follow_symlink: true,
            contents_only: true,
            create_target: true,
            allow_wildcard: pattern,
            allow_empty_wildcard: pattern,
            unpack: copy.unpack,
            include: below.into_iter().collect(),
            exclude: copy.exclude.clone(),
            required,
            time: if is_text { self.time() } else { None },
            ..Copy::new(FileInput::from(from), source, copy.dest.as_str())
        }
    }

    /// Where a copy comes from: a filesystem, and the directory in it that counts.
    fn files(&mut self, copy: &PlannedCopy, span: Span) -> (Option<Output>, String) {
        let root = || "/".to_owned();
        match &copy.from {
            CopyFrom::Source(source) => {
                let shown = crate::web::shown_source(source);
                let meta = Meta::named(format!("[internal] fetch {shown}"));
                let vertex = self.graph.add((**source).clone(), &self.here, meta);
                self.locate(vertex, span);
                (Some(vertex.only()), root())
            }
            CopyFrom::Text(text) => {
                let name = copy.src.first().map_or("", String::as_str);
                let file = File::on(None).mkfile(Mkfile {
                    mode: copy.mode.unwrap_or(0o644),
                    owner: Some(numeric(copy.owner)),
                    time: self.time(),
                    ..plain_file(&format!("/{name}"), text)
                });
                let shown = crate::names::line(&copy.dest);
                let meta = Meta::named(format!("[internal] contents of {shown}"));
                let vertex = self.graph.add(file, &self.here, meta);
                self.locate(vertex, span);
                (Some(vertex.only()), root())
            }
            _ => self.files_of(&copy.from, span),
        }
    }

    /// The time of files and directories that are made for the image, if the client asks for one.
    pub(super) fn time(&self) -> Option<i64> {
        let epoch = self.plan.request.epoch?;
        Some(epoch.saturating_mul(NANOSECONDS))
    }

    /// A directory of the image.
    pub(super) fn directory(&self, path: &str, mode: u32, owner: Owner) -> Mkdir {
        Mkdir {
            time: self.time(),
            ..directory(path, mode, owner)
        }
    }
}

/// The mode that the copy itself sets. A file with text is made with its mode, as far as BuildKit does
/// that.
fn mode_of_copy(copy: &PlannedCopy) -> Option<u32> {
    let is_text = matches!(copy.from, CopyFrom::Text(_));
    copy.mode.filter(|mode| !is_text || *mode > PERMISSIONS)
}

pub(super) fn numeric(owner: Owner) -> buildkit_llb::Owner {
    buildkit_llb::Owner {
        user: Some(Account::Id(owner.uid)),
        group: Some(Account::Id(owner.gid)),
    }
}

pub(super) fn directory(path: &str, mode: u32, owner: Owner) -> Mkdir {
    Mkdir {
        path: path.to_owned(),
        mode,
        parents: true,
        owner: Some(numeric(owner)),
        time: None,
    }
}

pub(super) fn plain_file(path: &str, text: &str) -> Mkfile {
    Mkfile {
        path: path.to_owned(),
        mode: 0o644,
        data: text.as_bytes().to_vec(),
        owner: None,
        time: None,
    }
}
