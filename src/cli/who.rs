//! Who uses the program, as it is kept with what they did: `ada@desk`.

/// The user and the machine.
pub fn user() -> String {
    let variable = |name: &&str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let user = ["USER", "LOGNAME", "USERNAME"].iter().find_map(variable).unwrap_or_else(|| "somebody".to_string());
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::fs::read_to_string("/etc/hostname"))
        .ok()
        .or_else(|| ["HOSTNAME", "COMPUTERNAME"].iter().find_map(variable));
    match machine.as_deref().map(str::trim).filter(|machine| !machine.is_empty()) {
        Some(machine) => format!("{user}@{machine}"),
        None => user,
    }
}

/// The process: what others are told who meet its runs.
pub fn process() -> String {
    format!("{}, process {}", user(), std::process::id())
}
