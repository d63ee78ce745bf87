//! TLS handshakes: which certificates the other side shows, and whether they hold. That they do not is an answer, and so a document.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpStream};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use serde::Serialize;
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

use crate::bundle::sha256;
use crate::rulebook::spec::TlsSpec;
use crate::rulebook::text::Text;

use super::tcp::{Reached, reach};
use super::{Gathered, Kind, Order, document};

/// A TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls<T> {
    /// Where to, as `host:port`.
    pub connect: T,
    /// The name to ask for; none: the host.
    pub server_name: Option<T>,
}

/// What a TLS probe has found (`docs/probes.md`).
#[derive(Debug, Serialize)]
struct Document<'d> {
    address: &'d str,
    server_name: &'d str,
    /// How far it came: as a TCP probe, where the connection failed; else `shaken` or `no-handshake`.
    result: &'static str,
    error: Option<String>,
    /// Whether this machine trusts the chain, for this name and now; null where there was none.
    verified: Option<bool>,
    verify_error: Option<String>,
    version: Option<String>,
    cipher: Option<String>,
    /// What the other side has shown, its own certificate first.
    chain: Vec<Shown>,
}

/// One certificate.
#[derive(Debug, Default, Serialize)]
struct Shown {
    subject: String,
    issuer: String,
    serial: String,
    not_before: Option<String>,
    not_after: Option<String>,
    is_ca: bool,
    dns_names: Vec<String>,
    ip_addresses: Vec<String>,
    uris: Vec<String>,
    sha256: String,
    /// Why it could not be read.
    error: Option<String>,
}

impl<T> Tls<T> {
    pub(super) fn compile(spec: &TlsSpec, words: &mut impl FnMut(&Text) -> Option<T>) -> Option<Tls<T>> {
        let connect = words(&spec.connect);
        let server_name = spec.server_name.as_ref().map(words);
        Some(Tls {
            connect: connect?,
            server_name: server_name.map_or(Some(None), |name| name.map(Some))?,
        })
    }

    pub(super) fn map<'a, U, E>(&'a self, change: &mut impl FnMut(&'a T) -> Result<U, E>) -> Result<Tls<U>, E> {
        Ok(Tls {
            connect: change(&self.connect)?,
            server_name: self.server_name.as_ref().map(change).transpose()?,
        })
    }
}

impl Kind for Tls<String> {
    fn show(&self) -> String {
        let name = self.server_name.as_ref().map(|name| format!(" as {name}"));
        format!("shake hands with {}{}", self.connect, name.unwrap_or_default())
    }

    fn target(&self) -> String {
        self.connect.to_ascii_lowercase()
    }

    fn gather(&self, order: &Order) -> Gathered {
        let host = self
            .connect
            .rsplit_once(':')
            .map_or(self.connect.as_str(), |(host, _)| host);
        let name = self.server_name.as_deref().unwrap_or(host.trim_matches(['[', ']']));
        let mut found = Document {
            address: &self.connect,
            server_name: name,
            result: "shaken",
            error: None,
            verified: None,
            verify_error: None,
            version: None,
            cipher: None,
            chain: Vec::new(),
        };
        match reach(&self.connect, order) {
            Ok(stream) => found.shake(stream, order),
            Err((reached, error)) => (found.result, found.error) = (reached.word(), Some(error)),
        }
        document(&found)
    }
}

impl Document<'_> {
    fn shake(&mut self, mut stream: TcpStream, order: &Order) {
        let noted = Arc::new(Noted::new());
        let shaken = connection(self.server_name, &noted).and_then(|mut connection| {
            let ended = handshake(&mut connection, &mut stream, order);
            self.version = connection
                .protocol_version()
                .and_then(|version| version.as_str())
                .map(str::to_owned);
            let suite = connection.negotiated_cipher_suite();
            self.cipher = suite.and_then(|suite| suite.suite().as_str()).map(str::to_owned);
            ended
        });
        if let Err(error) = shaken {
            self.result = match error.kind() {
                ErrorKind::TimedOut | ErrorKind::WouldBlock => Reached::TimedOut.word(),
                _ => "no-handshake",
            };
            self.error = Some(error.to_string());
        }
        let seen = noted.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((chain, verdict)) = seen.as_ref() {
            self.verified = Some(verdict.is_none());
            self.verify_error.clone_from(verdict);
            self.chain = chain.iter().map(|der| shown(der)).collect();
        }
    }
}

fn connection(name: &str, noted: &Arc<Noted>) -> io::Result<ClientConnection> {
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&noted.provider));
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let verifier: Arc<dyn ServerCertVerifier> = Arc::clone(noted) as Arc<dyn ServerCertVerifier>;
    let config = builder
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)
}

/// Goes on until the handshake is done: nothing is sent after it.
fn handshake(connection: &mut ClientConnection, stream: &mut TcpStream, order: &Order) -> io::Result<()> {
    while connection.is_handshaking() {
        let left = order.left();
        if left.is_zero() || order.is_cancelled() {
            return Err(io::Error::new(ErrorKind::TimedOut, "no whole handshake in time"));
        }
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        stream.set_write_timeout(Some(left.max(Duration::from_millis(1))))?;
        let (read, written) = connection.complete_io(stream)?;
        if read == 0 && written == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    connection.send_close_notify();
    // The answer is had; whether the goodbye arrives changes nothing.
    let _ = connection.write_tls(stream);
    Ok(())
}

/// Notes which certificates are shown and whether they hold, and goes on either way: nothing is sent that would be secret.
#[derive(Debug)]
struct Noted {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Option<Seen>>,
}

/// The chain, and why it does not hold.
type Seen = (Vec<CertificateDer<'static>>, Option<String>);

impl Noted {
    fn new() -> Noted {
        Noted {
            provider: Arc::new(rustls::crypto::ring::default_provider()),
            seen: Mutex::default(),
        }
    }

    fn check(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), String> {
        let verifier = WebPkiServerVerifier::builder_with_provider(roots(), Arc::clone(&self.provider)).build();
        let verifier = verifier.map_err(|error| format!("this machine trusts no certificates: {error}"))?;
        let checked = verifier.verify_server_cert(own, others, name, &[], now);
        checked.map(|_| ()).map_err(|error| error.to_string())
    }
}

impl ServerCertVerifier for Noted {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.check(own, others, name, now).err();
        let chain = std::iter::once(own)
            .chain(others)
            .map(|der| der.clone().into_owned())
            .collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((chain, verdict));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, own, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, own, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The certificates that this machine trusts, read when first needed.
fn roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let load = || {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(store)
    };
    Arc::clone(ROOTS.get_or_init(load))
}

fn shown(der: &CertificateDer<'_>) -> Shown {
    let sha256 = sha256(der);
    let certificate = match X509Certificate::from_der(der) {
        Ok((_, certificate)) => certificate,
        Err(error) => {
            return Shown {
                sha256,
                error: Some(error.to_string()),
                ..Shown::default()
            };
        }
    };
    let time = |seconds: i64| jiff::Timestamp::from_second(seconds).ok().map(|at| at.to_string());
    let mut shown = Shown {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        serial: certificate.raw_serial_as_string(),
        not_before: time(certificate.validity().not_before.timestamp()),
        not_after: time(certificate.validity().not_after.timestamp()),
        is_ca: certificate.is_ca(),
        sha256,
        ..Shown::default()
    };
    for extension in certificate.extensions() {
        if let ParsedExtension::SubjectAlternativeName(names) = extension.parsed_extension() {
            names.general_names.iter().for_each(|name| shown.name(name));
        }
    }
    shown
}

impl Shown {
    fn name(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::DNSName(name) => self.dns_names.push((*name).to_owned()),
            GeneralName::URI(uri) => self.uris.push((*uri).to_owned()),
            GeneralName::IPAddress(bytes) => self.ip_addresses.extend(ip(bytes).map(|ip| ip.to_string())),
            _ => {}
        }
    }
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(|bytes| Ipv4Addr::from(bytes).into());
    let sixteen = || <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).into());
    four.or_else(|_| sixteen()).ok()
}
