//! Authorities that a project trusts and that can't be read: found when its scripts are checked and before it is served,
//! and not with the first call.

use crate::adapter::tls;
use crate::finding::Finding;
use crate::finding::catalogue::config;
use crate::world::Project;

/// A finding for each file of `authorities` in `[tls]` that can't be used, as much as the project lets it matter.
pub fn unusable(project: &Project) -> Vec<Finding> {
    let finding = |path: &std::path::Path, why: &str| {
        Finding::without_place(&config::AUTHORITY, format!("the authorities in {}: {why}", path.display()))
            .note("no safe connection is made without them: calls by https would fail, and mail would wait")
            .help("put the file there, or name another one: `authorities` in `[tls]` of rpa.toml")
    };
    let mut findings: Vec<Finding> =
        tls::unusable(&project.authorities).iter().map(|(path, why)| finding(path, why)).collect();
    project.levels.apply(&mut findings);
    findings
}
