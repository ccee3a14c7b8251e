//! `SOURCE_DATE_EPOCH`: the time that a build gives to what it makes.

use larder_diagnostic::{Diagnostic, quote};
use larder_spec::model::Spec;

use crate::from::named_context;
use crate::planner::Planner;
use crate::request::Request;

/// The arg that has it.
pub const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";

/// What stands for the time of the build context.
const CONTEXT: &str = "context";

/// What an arg says of the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Epoch {
    /// Nothing.
    None,
    /// Seconds since 1970.
    At(i64),
    /// That of the build context.
    Context,
    /// That of the context, or of the stage, with this name.
    Of(String),
}

/// What the client, or else the spec at its top, says of the time.
pub fn asked(spec: &Spec, request: &Request) -> Epoch {
    let at_top = spec.args.iter();
    let default = at_top
        .filter(|arg| arg.name.value == SOURCE_DATE_EPOCH)
        .find_map(|arg| arg.default.as_ref()?.literal());
    let given = request.build_args.get(SOURCE_DATE_EPOCH);
    let text = match (given, default) {
        (Some(given), _) => given.clone(),
        (None, Some(default)) => default.into_owned(),
        (None, None) => return Epoch::None,
    };
    if text.is_empty() {
        return Epoch::None;
    }
    match text.parse() {
        Ok(seconds) => Epoch::At(seconds),
        Err(_) if text == CONTEXT => Epoch::Context,
        Err(_) => Epoch::Of(text),
    }
}

/// The time of a build. One that only a daemon can find out is in the request, or there is none.
pub(crate) fn of(planner: &mut Planner<'_>) -> Option<i64> {
    let request = planner.request;
    if request.epoch.is_some() {
        return request.epoch;
    }
    let spec = planner.spec;
    match asked(spec, request) {
        Epoch::None => None,
        Epoch::At(seconds) => {
            if written(seconds).is_none() {
                let message = format!("`{SOURCE_DATE_EPOCH}` is {seconds}: no calendar has that");
                let hint = "write seconds since 1970, such as `1704067200`";
                planner.report(Diagnostic::error(None, message).hint(hint));
            }
            Some(seconds)
        }
        Epoch::Context => {
            planner.assume(format!("{SOURCE_DATE_EPOCH}: the context has no time"));
            None
        }
        Epoch::Of(name) if named_context(request, &name, &request.platform).is_some() => {
            planner.assume(format!(
                "{SOURCE_DATE_EPOCH}: the context {name} has no time"
            ));
            None
        }
        Epoch::Of(name) => {
            let is_stage = spec.stages.iter().any(|stage| stage.name.value == name);
            let name = quote(&name);
            planner.report(if is_stage {
                let message =
                    format!("`{SOURCE_DATE_EPOCH}` is the stage {name}, which has no time");
                Diagnostic::warning(None, message)
                    .lint("unknown-epoch")
                    .hint("give seconds since 1970, or `context`; the build goes on without")
            } else {
                let message = format!("`{SOURCE_DATE_EPOCH}` is {name}, which is no time");
                Diagnostic::error(None, message)
                    .hint("give seconds since 1970, `context`, or the name of a build context")
            });
            None
        }
    }
}

/// Seconds since 1970 as image configs have times: `2024-01-01T00:00:00Z`. `None` outside of the years
/// 0 to 9999.
pub(crate) fn written(seconds: i64) -> Option<String> {
    const DAY: i64 = 86_400;
    let (days, time) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = date(days).filter(|(year, ..)| (0..=9999).contains(year))?;
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
    ))
}

/// Year, month and day of a count of days since 1970. The count goes by eras of 400 years, each of which
/// begins on the first of March, so that a leap day is the last of its year.
fn date(days: i64) -> Option<(i64, i64, i64)> {
    const ERA: i64 = 146_097;
    /// From 0000-03-01 to 1970-01-01.
    const BEFORE: i64 = 719_468;
    let days = days.checked_add(BEFORE)?;
    let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / (ERA - 1)) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_based = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_based + 2) / 5 + 1;
    let month = if march_based < 10 {
        march_based + 3
    } else {
        march_based - 9
    };
    let year = year + era * 400 + i64::from(month <= 2);
    Some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_704_067_200, "2024-01-01T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(written(seconds).as_deref(), Some(text));
        }
        for seconds in [253_402_300_800, i64::MAX, i64::MIN] {
            assert_eq!(written(seconds), None, "{seconds}");
        }
    }
}
