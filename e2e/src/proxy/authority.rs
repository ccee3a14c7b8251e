use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SerialNumber,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};

/// A certificate authority that only its own engine's images trust.
pub struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
    /// One key serves every host.
    key: KeyPair,
    hosts: Mutex<BTreeMap<String, Arc<ServerConfig>>>,
}

impl Authority {
    /// The file of its certificate, in PEM, in its folder.
    pub const CERTIFICATE: &str = "ca.pem";
    /// The file of its private key, in PEM, in its folder.
    pub const KEY: &str = "ca.key";

    /// Makes a new one and writes both its files to `dir`, which is made when missing.
    pub fn create(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let key = KeyPair::generate()?;
        let certificate = params().self_signed(&key)?.pem();
        let path = dir.join(Self::KEY);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        file.write_all(key.serialize_pem().as_bytes())?;
        fs::write(dir.join(Self::CERTIFICATE), &certificate)?;
        Self::new(certificate, key)
    }

    /// Reads the files that [`Authority::create`] wrote to `dir`.
    pub fn load(dir: &Path) -> Result<Self> {
        let read = |name: &str| {
            let path = dir.join(name);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let key = KeyPair::from_pem(&read(Self::KEY)?)?;
        Self::new(read(Self::CERTIFICATE)?, key)
    }

    fn new(certificate: String, key: KeyPair) -> Result<Self> {
        Ok(Self {
            certificate,
            issuer: Issuer::new(params(), key),
            key: KeyPair::generate()?,
            hosts: Mutex::default(),
        })
    }

    /// Its certificate in PEM, for the bundles of clients.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A certificate for a host name or an address, with its private key.
    pub fn mint(&self, host: &str) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>)> {
        let mut params = CertificateParams::new(vec![host.to_owned()])?;
        params.distinguished_name = named("larder test proxy");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let mut serial = DefaultHasher::new();
        (host, self.key.serialize_der()).hash(&mut serial);
        params.serial_number = Some(SerialNumber::from(serial.finish() >> 1));
        let certificate = params.signed_by(&self.key, &self.issuer)?;
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        Ok((certificate.into(), key.into()))
    }

    /// How to be the server of `host`.
    pub(super) fn server(&self, host: &str) -> Result<Arc<ServerConfig>> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = hosts.get(host) {
            return Ok(Arc::clone(config));
        }
        let (certificate, key) = self.mint(host)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let config = Arc::new(config);
        hosts.insert(host.to_owned(), Arc::clone(&config));
        Ok(config)
    }
}

/// What of the authority's certificate goes into those that it signs is the same in every run.
fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named("larder test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}
