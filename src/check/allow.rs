//! `// allow(code): reason`: warnings that a script silences on one line, and what is wrong with such comments.

use super::Checker;
use crate::finding::{Finding, can_be_lowered, catalogue, level_names};
use crate::syntax::tree::{Comment, CommentKind};
use crate::text::{Source, Span, nearest};

/// One code in an `allow`.
struct Allowed {
    /// The code, as written.
    code: String,
    /// Its place.
    span: Span,
}

/// An `allow` with what it is for.
struct Allow {
    codes: Vec<Allowed>,
    has_reason: bool,
    /// The zero-based line whose findings it silences.
    line: usize,
    /// The comment with the blanks or the line break that would be left over without it.
    whole: Span,
    span: Span,
}

impl Checker<'_> {
    /// Takes away what is allowed where it was found, and reports comments that allow nothing.
    pub(crate) fn allow(&mut self) {
        // Not everything is looked at where something can't be read: a comment may be needed after all.
        let is_whole = !self.findings.iter().any(|finding| finding.is_error() && !can_be_lowered(finding.code));
        let mut findings = Vec::new();
        for module in self.names.modules.iter().filter(|module| !module.is_library) {
            let Some(source) = self.program.sources.get(module.source) else { continue };
            for comment in &module.script.comments {
                let Some(allow) = read(comment, source) else { continue };
                if !allow.has_reason {
                    findings.push(
                        Finding::new(&catalogue::check::ALLOW_REASON, allow.span, "this `allow` gives no reason")
                            .at("why is it fine here?")
                            .help("write the reason behind a colon: `// allow(code): the reason`"),
                    );
                }
                let mut needless = Vec::new();
                for Allowed { code, span } in &allow.codes {
                    if let Some(finding) = wrong(code, *span) {
                        findings.push(finding);
                        continue;
                    }
                    let before = (self.findings.len(), self.unused_here.len());
                    let is_allowed = |finding: &Finding| {
                        let is_here = finding.span().is_some_and(|place| {
                            place.source == module.source && source.line_of(place.start as usize) == allow.line
                        });
                        is_here && finding.code.id == *code
                    };
                    self.findings.retain(|finding| !is_allowed(finding));
                    // What a project would say of the place is allowed as well.
                    self.unused_here.retain(|unused| !is_allowed(&unused.finding));
                    if (self.findings.len(), self.unused_here.len()) == before && is_whole {
                        needless.push((code, *span));
                    }
                }
                let all = needless.len() == allow.codes.len();
                for (code, span) in needless {
                    let finding = Finding::new(
                        &catalogue::check::UNUSED_ALLOW,
                        span,
                        format!("this `allow` silences nothing: there is no `{code}` here"),
                    )
                    .at(format!("not found on line {}", allow.line + 1))
                    .help("remove it");
                    findings.push(if all { finding.fix(allow.whole, "") } else { finding });
                }
            }
        }
        findings.into_iter().for_each(|finding| self.report(finding));
    }
}

/// What is wrong with a code in an `allow`, if something is.
fn wrong(code: &str, span: Span) -> Option<Finding> {
    let finding = |message: String| Finding::new(&catalogue::check::ALLOW_WRONG, span, message);
    match catalogue::find(code) {
        Some(known) if known.group() == "check" => {
            Some(finding(format!("`{code}` can't be allowed: it is about what is allowed")).help("remove it"))
        }
        Some(known) if can_be_lowered(known) => None,
        Some(_) => Some(
            finding(format!("`{code}` is an error and can't be allowed"))
                .at("no warning")
                .help("put right what is wrong, and remove the `allow`"),
        ),
        None => {
            let finding = finding(format!("there is no finding `{code}`")).at("not in the catalogue");
            Some(match nearest(code, level_names().filter(|name| name.contains("::"))) {
                Some(near) => finding.help(format!("did you mean `{near}`?")).fix(span, near),
                None => finding.help("the code stands at the head of a finding; all of them are in docs/findings.md"),
            })
        }
    }
}

/// Reads a comment that begins with `allow(`.
fn read(comment: &Comment, source: &Source) -> Option<Allow> {
    if comment.kind == CommentKind::Documentation {
        return None;
    }
    let text = comment.text.as_str();
    let after_slashes = text.strip_prefix("//")?;
    let inside = after_slashes.trim_start().strip_prefix("allow(")?;
    let (codes, rest) = inside.split_once(')')?;
    let begins = comment.span.start as usize + (text.len() - inside.len());
    let mut at = begins;
    let mut allowed = Vec::new();
    for part in codes.split(',') {
        let code = part.trim();
        let start = at + (part.len() - part.trim_start().len());
        if !code.is_empty() {
            let span = Span::new(comment.span.source, start, start + code.len());
            allowed.push(Allowed { code: code.to_string(), span });
        }
        at += part.len() + 1;
    }
    let has_reason = rest.trim_start().strip_prefix(':').is_some_and(|reason| !reason.trim().is_empty());
    let own_line = source.line_of(comment.span.start as usize);
    let line = match comment.kind {
        CommentKind::Trailing => own_line,
        // Other comments may stand between it and what it is for.
        _ => (own_line + 1..source.line_count())
            .find(|line| {
                let text = source.line(*line).trim();
                !text.is_empty() && !text.starts_with("//")
            })
            .unwrap_or(own_line),
    };
    let (start, end) = (comment.span.start as usize, comment.span.end as usize);
    let whole = match comment.kind {
        CommentKind::Trailing => {
            let before = source.text.get(..start).unwrap_or_default();
            Span::new(comment.span.source, before.trim_end_matches([' ', '\t']).len(), end)
        }
        _ => Span::new(comment.span.source, source.line_start(own_line), source.line_start(own_line + 1)),
    };
    Some(Allow { codes: allowed, has_reason, line, whole, span: comment.span })
}
