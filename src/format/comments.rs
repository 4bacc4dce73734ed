//! Comments: which ones stand where, so that each is written exactly once.

use crate::syntax::tree::{Comment, CommentKind};

/// The comments of a script, with those that were written already.
pub struct Comments {
    comments: Vec<Comment>,
    written: Vec<bool>,
}

/// A comment that is about to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The comment with its slashes.
    pub text: String,
    /// Where it begins in the source.
    pub start: usize,
    /// Where it ends in the source.
    pub end: usize,
    /// Whether code stands before it on its line.
    pub trailing: bool,
}

impl Comments {
    /// Comments in the order of the source, none of them written.
    pub fn new(comments: Vec<Comment>) -> Self {
        let written = vec![false; comments.len()];
        Comments { comments, written }
    }

    /// Takes the comments that begin in `start..end` and were not written yet.
    pub fn take(&mut self, start: usize, end: usize) -> Vec<Taken> {
        let first = self.comments.partition_point(|comment| (comment.span.start as usize) < start);
        let mut taken = Vec::new();
        for (comment, written) in self.comments.iter().zip(&mut self.written).skip(first) {
            if comment.span.start as usize >= end {
                break;
            }
            if !*written {
                *written = true;
                taken.push(Taken {
                    text: plain(comment),
                    start: comment.span.start as usize,
                    end: comment.span.end as usize,
                    trailing: comment.kind == CommentKind::Trailing,
                });
            }
        }
        taken
    }

    /// Whether a comment that was not written yet begins in `start..end`.
    pub fn any(&self, start: usize, end: usize) -> bool {
        let first = self.comments.partition_point(|comment| (comment.span.start as usize) < start);
        let in_range = |comment: &Comment| (comment.span.start as usize) < end;
        self.comments
            .iter()
            .zip(&self.written)
            .skip(first)
            .take_while(|(c, _)| in_range(c))
            .any(|(_, written)| !written)
    }
}

/// The comment as it is written. `///` that documents nothing (inside a declaration, behind code) becomes `//`: when the
/// layout moves it above the declaration, it must not turn into documentation.
fn plain(comment: &Comment) -> String {
    match comment.text.strip_prefix("///") {
        Some(rest) if comment.kind != CommentKind::Documentation && !rest.starts_with('/') => format!("//{rest}"),
        _ => comment.text.to_string(),
    }
}
