//! Whom safe connections trust: those to mail servers and to other systems alike.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, Error, OtherError, RootCertStore};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Trusts Mozilla's list of authorities, and those in PEM files.
///
/// # Errors
/// In words, when a file can't be used.
pub(super) fn config(authorities: &[PathBuf]) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for path in authorities {
        add(path, &mut roots)
            .map_err(|why| format!("{}: {why}; see to `authorities` in `[tls]` of rpa.toml", path.display()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

/// The files that can't be used, and why: what nobody should hear of only with the first call.
pub fn unusable(authorities: &[PathBuf]) -> Vec<(&PathBuf, String)> {
    let tried = authorities.iter().map(|path| (path, add(path, &mut RootCertStore::empty())));
    tried.filter_map(|(path, added)| Some((path, added.err()?))).collect()
}

/// Adds the authorities in a file.
fn add(path: &Path, roots: &mut RootCertStore) -> Result<(), String> {
    let content = std::fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_string(),
        io::ErrorKind::PermissionDenied => "it may not be read".to_string(),
        io::ErrorKind::IsADirectory => "it is a folder".to_string(),
        _ => format!("it can't be read: {error}"),
    })?;
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(&content) {
        let certificate = certificate.map_err(|error| format!("it is damaged: {error}"))?;
        roots.add(certificate).map_err(|error| format!("a certificate in it can't be used: {error}"))?;
    }
    match roots.len() > before {
        true => Ok(()),
        false => Err("there is no certificate in it (-----BEGIN CERTIFICATE-----)".to_string()),
    }
}

/// Why the certificate of a server is not accepted, and what to do; none when something else is wrong. `host` is the name
/// that it was called by.
pub(super) fn refused_certificate(error: &Error, host: &str) -> Option<String> {
    let Error::InvalidCertificate(error) = error else { return None };
    let day = |time: rustls::pki_types::UnixTime| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        jiff::Timestamp::from_second(seconds)
            .map_or_else(|_| "a day far away".to_string(), |time| time.strftime("%Y-%m-%d").to_string())
    };
    let clock = "or the clock of this machine is wrong";
    Some(match error {
        CertificateError::UnknownIssuer => "its certificate is from no authority that is trusted; when it is one of your \
                                            own, name its certificate in rpa.toml: `authorities = [\"ca.pem\"]` in `[tls]`"
            .to_string(),
        CertificateError::BadSignature => "its certificate was made by an authority that has the name of a trusted one and \
                                           another key; `authorities` in `[tls]` of rpa.toml may hold an older one"
            .to_string(),
        CertificateError::NotValidForName => wrong_name(host, &[]),
        CertificateError::NotValidForNameContext { presented, .. } => wrong_name(host, presented),
        CertificateError::Expired => format!("its certificate has expired; whoever runs it must renew it, {clock}"),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("its certificate has expired on {}; whoever runs it must renew it, {clock}", day(*not_after))
        }
        CertificateError::NotValidYet => format!("its certificate does not hold yet, {clock}"),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("its certificate does not hold before {}, {clock}", day(*not_before))
        }
        CertificateError::Revoked => "its certificate was revoked; whoever runs it must have a new one made".to_string(),
        CertificateError::Other(other) if is_of_authority(other) => "its certificate is one of an authority (`CA:TRUE`), such \
                                                                    as tools make that let a server sign its own; one for a server is \
                                                                    wanted (`CA:FALSE`), also when `authorities` holds this one"
            .to_string(),
        other => format!("its certificate is not accepted ({other}); whoever runs it must have another one made"),
    })
}

/// Whether a server has shown the certificate of an authority as its own. rustls hands this through from the library below it,
/// of which it shows no type.
fn is_of_authority(error: &OtherError) -> bool {
    format!("{:?}", error.0) == "CaUsedAsEndEntity"
}

fn wrong_name(host: &str, presented: &[String]) -> String {
    // Names are shown as a certificate holds them: `DnsName("example.com")`.
    let names: Vec<&str> = presented.iter().map(|name| name.split('"').nth(1).unwrap_or(name)).collect();
    let of = match names.as_slice() {
        [] => "another name".to_string(),
        names => format!("`{}`", names.join("`, `")),
    };
    format!(
        "its certificate is for {of} and not for `{host}`; call it by its right name, or have a certificate made for this one"
    )
}
