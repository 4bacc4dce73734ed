//! What a project says of itself in `rpa.toml`: where things are kept and what its scripts may reach.
//!
//! Plain data: `cli::project` reads it, the adapters obey it.

use super::{Breaker, CallSettings, EffectsOff, Holidays, SecretPlace, Switches};
use crate::check::{Allowance, Boundaries};
use crate::finding::Levels;
use crate::value::{Currency, Duration, EcoString};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A project. Paths are joined with the folder already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The folder: that of `rpa.toml`, or that of a script that stands alone.
    pub folder: PathBuf,
    /// What people call it.
    pub name: EcoString,
    /// The IANA zone in which days are counted where a script names none.
    pub zone: EcoString,
    /// The currency of amounts in data that names none; none refuses such amounts.
    pub currency: Option<Currency>,
    /// The file that holds records, journal and outbox.
    pub store: PathBuf,
    /// How long a process that works on the store may be silent before others take it for stuck.
    pub lease: Duration,
    /// How long runs are kept after they have ended; none keeps them for good.
    pub keep: Option<Duration>,
    /// How mail leaves.
    pub mail: MailSettings,
    /// What scripts may touch.
    pub reach: Reach,
    /// How scripts call others, and whom they may.
    pub calls: CallSettings,
    /// Files with the authorities (PEM) that are trusted beside those of Mozilla's list.
    pub authorities: Vec<PathBuf>,
    /// Where the secrets are that scripts may ask for, by their names.
    pub secrets: BTreeMap<EcoString, SecretPlace>,
    /// Where personal data may go beside the person's own mail: `allow` in `[privacy]`.
    pub privacy: Vec<Allowance>,
    /// What of it is written in `rpa.toml`, in contrast to what holds for every script.
    pub written: Written,
    /// How far a script may go before it is stopped.
    pub limits: Limits,
    /// How documents look.
    pub pdf: Pdf,
    /// Who sells.
    pub seller: Seller,
    /// How much the findings of its scripts matter.
    pub levels: Levels,
    /// Classes of effects that are off.
    pub effects_off: EffectsOff,
    /// The file with the holidays, if there is one.
    pub holidays: Option<PathBuf>,
}

/// How mail leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailSettings {
    /// The sender of mails that name none: `Shop <orders@example.com>`.
    pub from: EcoString,
    /// The folder that mails are written to as `.eml` files when there is no server.
    pub outbox: PathBuf,
    /// The server, if mail shall really leave.
    pub smtp: Option<Smtp>,
    /// How mail is tried again.
    pub delivery: Delivery,
}

/// How mail is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// How often a mail is tried before it becomes a dead letter.
    pub attempts: u32,
    /// When the server is left alone.
    pub breaker: Breaker,
}

impl Default for Delivery {
    fn default() -> Self {
        // With the pauses that double up to four hours: a bit more than two days.
        Delivery { attempts: 20, breaker: Breaker::default() }
    }
}

/// A mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smtp {
    /// Its name.
    pub host: EcoString,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// The name to sign in with, if it wants one.
    pub user: Option<EcoString>,
    /// The environment variable that holds the password. The password itself never stands in a file.
    pub password_env: Option<EcoString>,
    /// How long it may take to answer. To say what becomes of a mail that it has whole it may take ten times as long.
    pub timeout: Duration,
}

impl Smtp {
    /// How long a server may take to answer when a project does not say.
    pub const TIMEOUT: Duration = Duration::from_milliseconds(30 * Duration::SECOND);
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Begun in plain, then made safe or given up: port 587.
    Starttls,
    /// Safe from the first byte: port 465.
    Tls,
    /// Not at all: for a server on the same machine.
    Off,
}

/// What scripts may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Folders that may be read, with all that is in them.
    pub read: Vec<PathBuf>,
    /// Folders that may be written to, with all that is in them.
    pub write: Vec<PathBuf>,
    /// Domains that mail may go to: `example.com`, `*.example.com`; none lets it go anywhere.
    pub mail: Option<Vec<EcoString>>,
}

/// Which settings a project has written down itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Whether there is a project file at all.
    pub file: bool,
    /// `zone`
    pub zone: bool,
    /// `from` in `[mail]`
    pub from: bool,
    /// `read` in `[reach]`
    pub read: bool,
    /// `write` in `[reach]`
    pub write: bool,
}

/// What a script may use of the machine it runs on, for one step or for what lies between two of them.
/// Reaching a limit is the failure `limit_reached`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rounds of loops, calls and elements handled by primitives, together.
    pub rounds: u64,
    /// Calls inside of calls.
    pub call_depth: usize,
    /// Elements of one list or map.
    pub list_length: usize,
    /// Bytes of one text.
    pub text_length: usize,
    /// Bytes of all values that are alive, estimated.
    pub memory: usize,
}

/// How documents look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pdf {
    /// Font files, the most wanted first; a character is taken from the first that has it.
    pub fonts: Vec<PathBuf>,
}

/// What primitives need to know of the project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The currency of amounts in data that names none; none refuses such amounts.
    pub currency: Option<Currency>,
    /// Who sells.
    pub seller: Seller,
    /// Domains that mail may go to; none lets it go anywhere.
    pub mail: Option<Vec<EcoString>>,
    /// How mail is tried again.
    pub delivery: Delivery,
    /// How scripts call others, and whom they may.
    pub calls: CallSettings,
    /// The kill switches.
    pub switches: Switches,
    /// The days on which nobody works.
    pub holidays: Holidays,
}

/// Who sells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seller {
    /// The company's name; empty when the project does not say.
    pub name: EcoString,
    /// Street, town and country, a line each.
    pub address: EcoString,
    /// ISO 3166, two letters.
    pub country: EcoString,
    /// The VAT identification number.
    pub vat_id: EcoString,
    /// The account to pay to.
    pub iban: EcoString,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            rounds: 2_000_000_000,
            call_depth: 10_000,
            list_length: 20_000_000,
            text_length: 256 * 1024 * 1024,
            memory: 2 * 1024 * 1024 * 1024,
        }
    }
}

impl Project {
    /// What primitives need to know of it.
    pub fn settings(&self) -> Settings {
        Settings {
            currency: self.currency,
            seller: self.seller.clone(),
            mail: self.reach.mail.clone(),
            delivery: self.mail.delivery,
            calls: self.calls.clone(),
            switches: Switches::default(),
            holidays: Holidays::default(),
        }
    }

    /// What the checker holds scripts to.
    pub fn boundaries(&self) -> Boundaries {
        let folders = |paths: &[PathBuf]| {
            let relative =
                |path: &PathBuf| path.strip_prefix(&self.folder).unwrap_or(path).display().to_string().into();
            paths.iter().map(relative).collect::<Vec<EcoString>>()
        };
        let from = self.mail.from.trim_end_matches('>');
        Boundaries {
            is_project: self.written.file,
            today: None,
            zone: self.written.zone.then(|| self.zone.clone()),
            own_domain: from.rsplit_once('@').filter(|_| self.written.from).map(|(_, domain)| domain.into()),
            read: self.written.read.then(|| folders(&self.reach.read)),
            write: self.written.write.then(|| folders(&self.reach.write)),
            mail: self.reach.mail.clone(),
            hosts: Some(self.calls.hosts.clone()),
            secrets: Some(self.secrets.keys().cloned().collect()),
            personal: self.privacy.clone(),
        }
    }

    /// What holds for scripts in a folder without `rpa.toml`: the store and the outbox in `.rpa` beside
    /// them, nothing reachable but the folder.
    pub fn of_folder(folder: &Path) -> Project {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("rpa");
        Project {
            folder: folder.to_path_buf(),
            name: name.into(),
            zone: "UTC".into(),
            currency: None,
            store: folder.join(".rpa").join("store.db"),
            lease: Duration::from_milliseconds(30_000),
            keep: None,
            mail: MailSettings {
                from: "rpa@localhost".into(),
                outbox: folder.join(".rpa").join("outbox"),
                smtp: None,
                delivery: Delivery::default(),
            },
            reach: Reach { read: vec![folder.to_path_buf()], write: vec![folder.to_path_buf()], mail: None },
            calls: CallSettings::default(),
            authorities: Vec::new(),
            secrets: BTreeMap::new(),
            privacy: Vec::new(),
            written: Written::default(),
            limits: Limits::default(),
            pdf: Pdf::default(),
            seller: Seller::default(),
            levels: Levels::of_catalogue(),
            effects_off: EffectsOff::default(),
            holidays: None,
        }
    }
}
