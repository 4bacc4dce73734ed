//! `file.read`, `file.write`, `file.exists`, `file.list`, `file.move`, `file.delete`.

use super::arguments::Arguments;
use super::executor::Executor;
use super::problem::Problem;
use crate::value::Value;

pub(super) fn read(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let path = arguments.text(0)?;
    let mut bytes = executor.world.files.read(path)?;
    if bytes.starts_with("\u{feff}".as_bytes()) {
        bytes.drain(..3);
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
        Problem::bad_data(path, format!("it is not UTF-8 text (line {line}, byte {at})"))
    })?;
    Ok(text.into())
}

pub(super) fn write(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let (path, content) = (arguments.text(0)?, arguments.text(1)?);
    executor.world.files.write(path, content.as_bytes())?;
    executor.document(path, content.len())
}

pub(super) fn exists(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    Ok(Value::Bool(executor.world.files.exists(arguments.text(0)?)?))
}

pub(super) fn list(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let paths = executor.world.files.list(arguments.text(0)?)?;
    Ok(paths.into_iter().map(Value::from).collect::<Vec<_>>().into())
}

pub(super) fn move_to(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let (from, to) = (arguments.text(0)?, arguments.text(1)?);
    executor.world.files.rename(from, to)?;
    let size = executor.world.files.size(to)?;
    executor.document(to, size as usize)
}

pub(super) fn delete(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let path = arguments.text(0)?;
    if executor.world.files.exists(path)? {
        executor.world.files.delete(path)?;
        executor.record(crate::world::ChangeKind::Deleted, "file", path.clone());
    }
    Ok(Value::None)
}

#[cfg(test)]
mod tests {
    use crate::library::Operation;
    use crate::task::fixture::Fixture;
    use crate::value::Value;

    #[test]
    fn texts_are_written_moved_read_and_deleted() {
        let mut fixture = Fixture::new();
        let shown = |value: Result<Value, String>| value.map_or_else(|error| error, |value| format!("{value:?}"));
        let steps = [
            fixture.perform(Operation::FileWrite, &["out/a.txt".into(), "Grüße".into()]),
            fixture.perform(Operation::FileMove, &["out/a.txt".into(), "out/b.txt".into()]),
            fixture.perform(Operation::FileMove, &["out/a.txt".into(), "out/b.txt".into()]),
            fixture.perform(Operation::FileMove, &["out/x.txt".into(), "out/y.txt".into()]),
            fixture.perform(Operation::FileRead, &["out/b.txt".into()]),
            fixture.perform(Operation::FileRead, &["out/c.txt".into()]),
            fixture.perform(Operation::FileList, &["out/*".into()]),
            fixture.perform(Operation::FileExists, &["out/a.txt".into()]),
            fixture.perform(Operation::FileDelete, &["out/b.txt".into()]),
            fixture.perform(Operation::FileDelete, &["out/b.txt".into()]),
        ];
        insta::assert_snapshot!(steps.map(shown).join("\n"), @r#"
        Record(RecordValue { type_id: RecordId(1), fields: [Text("out/a.txt"), Int(7)] })
        Record(RecordValue { type_id: RecordId(1), fields: [Text("out/b.txt"), Int(7)] })
        Record(RecordValue { type_id: RecordId(1), fields: [Text("out/b.txt"), Int(7)] })
        no_file(path: "out/x.txt")
        Text("Grüße")
        no_file(path: "out/c.txt")
        List([Text("out/b.txt")])
        Bool(false)
        None
        None
        "#);
        insta::assert_snapshot!(fixture.changes(), @r"
        Wrote out/a.txt
        Wrote out/b.txt
        Wrote out/b.txt
        Deleted file out/b.txt
        ");
    }

    #[test]
    fn what_is_not_text_is_said_with_its_line() {
        let mut fixture = Fixture::new().with_file("a.bin", b"one\ntwo\xff");
        insta::assert_snapshot!(fixture.perform(Operation::FileRead, &["a.bin".into()]).unwrap_err(), @r#"bad_data(source: "a.bin", reason: "it is not UTF-8 text (line 2, byte 7)")"#);
    }
}
