//! A spec of which every stage is planned.

use larder_diagnostic::Spanned;
use larder_spec::model::{Copy, Spec, Stage, Step, StepKind};
use larder_spec::template::Template;

/// The spec with one more stage, which is the target and takes from every other: warnings come from the
/// stages that the result needs.
pub fn with_all_stages(spec: &Spec) -> Spec {
    // No stage that a user writes has a space in its name.
    const ALL: &str = "every stage";
    let copies = spec.stages.iter().map(|stage| {
        let span = stage.name.span;
        Step {
            name: None,
            kind: StepKind::Copy(Box::new(Copy {
                from: Some(Template::text(stage.name.value.clone(), span)),
                ..Copy::new(vec![Template::text(".", span)], Template::text("/", span))
            })),
            span,
        }
    });
    let span = spec
        .stages
        .first()
        .map_or_else(Default::default, |stage| stage.name.span);
    let mut all = spec.clone();
    all.target = Some(Spanned::new(ALL.to_owned(), span));
    all.stages.push(Stage {
        user: Some(Spanned::new(Template::text("0:0", span), span)),
        steps: copies.collect(),
        ..Stage::empty(Spanned::new(ALL.to_owned(), span))
    });
    all
}
