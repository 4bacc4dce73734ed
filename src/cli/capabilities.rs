//! `rpa check --capabilities`: what scripts reach, for the people who allow it.

use super::console::{Console, Format};
use crate::check::Checked;
use crate::check::capability::{Reach, capabilities};
use serde_json::{Map, Value as Json, json};

/// What one script reaches, as data.
pub struct Listing {
    script: String,
    flows: Vec<(String, Reach)>,
    allowances: Vec<String>,
}

/// What a checked script reaches; nothing where it has an error.
pub fn listing(script: &str, checked: &Checked) -> Option<Listing> {
    let program = checked.program.as_ref()?;
    let flows = capabilities(program).into_iter().map(|of| (of.what.to_string(), of.reach)).collect();
    let allowances = checked.allowances.iter().map(ToString::to_string).collect();
    Some(Listing { script: script.to_string(), flows, allowances })
}

/// Shows what scripts reach.
pub fn show(listings: &[Listing], console: &mut Console) {
    if console.format != Format::Text {
        let all: Vec<Json> = listings.iter().map(as_json).collect();
        console.line(Json::Array(all).to_string());
        return;
    }
    for listing in listings {
        console.line(&listing.script);
        for (what, reach) in &listing.flows {
            console.line(format!("  {what}"));
            if reach.is_empty() {
                console.line("    reaches nothing");
            }
            for (kind, places) in reach.kinds().into_iter().filter(|(_, places)| !places.is_empty()) {
                let places: Vec<&str> = places.iter().map(|place| place.as_str()).collect();
                console.line(format!("    {kind:<15}  {}", places.join(", ")));
            }
        }
        if !listing.allowances.is_empty() {
            console.line(format!("  personal data leaves, as the project allows: {}", listing.allowances.join(", ")));
        }
    }
}

fn as_json(listing: &Listing) -> Json {
    let flows: Vec<Json> = listing
        .flows
        .iter()
        .map(|(what, reach)| {
            let mut of: Map<String, Json> = Map::new();
            of.insert("what".into(), json!(what));
            for (kind, places) in reach.kinds() {
                let places: Vec<&str> = places.iter().map(|place| place.as_str()).collect();
                of.insert(kind.replace(' ', "_"), json!(places));
            }
            Json::Object(of)
        })
        .collect();
    json!({ "script": listing.script, "reaches": flows, "allowed_by_project": listing.allowances })
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::super::tests::ran;

    const SCRIPT: &str = "/// A row.\nrecord Row {\n  name: pii text\n  city: text\n}\n\nflow export(day: date) {\n  step rows = csv.read(\"inbox/people.csv\", as: Row)\n  step report = csv.write(\"reports/{day}.csv\", rows)\n  step mail = email.send(to: \"desk@example.com\", subject: \"Done\", body: \"{rows.count} rows\")\n}\n";

    #[test]
    fn what_scripts_reach_is_listed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("export.rpa"), SCRIPT).unwrap();
        std::fs::write(path("rpa.toml"), "name = \"Export\"\n[privacy]\nallow = [\"write reports\", \"log\"]\n")
            .unwrap();
        let (status, output, errors) = ran(&["check", "--capabilities", &path("export.rpa")], "");
        assert_eq!((status, errors.as_str()), (Status::Fine, ""));
        insta::assert_snapshot!(output.replace(&folder.path().display().to_string(), "."), @r"
        ./export.rpa
          flow export
            reads            inbox/people.csv
            writes           reports/….csv
            mail             desk@example.com
          personal data leaves, as the project allows: write reports
        ");
        let (_, output, _) = ran(&["check", "--capabilities", "--format", "json", &path("export.rpa")], "");
        let json: serde_json::Value = serde_json::from_str(&output).unwrap();
        assert_eq!(json[0]["reaches"][0]["writes"], serde_json::json!(["reports/….csv"]));
        assert_eq!(json[0]["allowed_by_project"], serde_json::json!(["write reports"]));
        // All scripts of the project were looked at, and none has a need to log what is personal.
        let (status, _, errors) = ran(&["check", &folder.path().display().to_string()], "");
        assert_eq!(status, Status::Fine);
        assert!(errors.contains("config::unused") && errors.contains("`log`"), "{errors}");
        assert!(!errors.contains("`write reports`"), "{errors}");
    }
}
