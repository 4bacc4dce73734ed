//! Safe connections of calls: those of ureq, with the authorities that the project trusts beside Mozilla's list. ureq itself
//! trusts either its own list or another one.

use crate::adapter::tls;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

/// Makes a connection safe where the address wants it.
pub(super) struct SafeConnector(pub Arc<ClientConfig>);

impl<In: Transport> Connector<In> for SafeConnector {
    type Out = Either<In, SafeTransport>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_string()).map_err(|_| ureq::Error::HostNotFound)?;
        let connection = ClientConnection::new(self.0.clone(), name).map_err(|error| refused(&error, host))?;
        let mut line = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        line.set_timeout(details.timeout);
        let mut stream = StreamOwned::new(connection, line);
        stream.conn.complete_io(&mut stream.sock).map_err(|error| {
            match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(inner) => refused(inner, host),
                None => ureq::Error::from(error),
            }
        })?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(Either::B(SafeTransport { buffers, stream })))
    }
}

/// What was wrong with a certificate, on its way through ureq.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct RefusedCertificate(pub String);

fn refused(error: &rustls::Error, host: &str) -> ureq::Error {
    match tls::refused_certificate(error, host) {
        Some(words) => ureq::Error::Other(Box::new(RefusedCertificate(words))),
        None => ureq::Error::Rustls(error.clone()),
    }
}

/// A connection that nobody else can read.
pub(super) struct SafeTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl Transport for SafeTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.write_all(output)?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for SafeConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SafeConnector")
    }
}

impl fmt::Debug for SafeTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SafeTransport")
    }
}
