//! The bridge to the daemon that started this process.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::time::Duration;

use buildkit_llb::{Definition, Platform, ResolveMode};
use buildkit_proto::moby::buildkit::v1::frontend::{
    self as proto, llb_bridge_client::LlbBridgeClient,
};
use buildkit_proto::pb;
use hyper_util::rt::TokioIo;
use prost::Message;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic_prost::ProstCodec;
use tower::service_fn;

use crate::transport::{Stream, stream, take_stdio};
use crate::{
    Bridge, CacheImport, Capabilities, Failure, FileStat, FrontendRequest, ImageRequest, Outcome,
    RawResult, Ref, ResolvedImage, SolveRequest, Warning, cap, time, wire,
};

/// What the daemon takes and sends at most, in bytes.
const MESSAGE: usize = 16 << 20;
/// Error details travel in a header, and hold the file that is to blame.
const HEADERS: u32 = 8 << 20;
/// How much may be on its way before it is acknowledged.
const WINDOW: u32 = 1 << 20;
const SOLVE: &str = "/moby.buildkit.v1.frontend.LLBBridge/Solve";
const RETURN: &str = "/moby.buildkit.v1.frontend.LLBBridge/Return";
const INPUTS: &str = "/moby.buildkit.v1.frontend.LLBBridge/Inputs";
/// A daemon that does not answer in this time never will.
const PATIENCE: Duration = Duration::from_secs(15);

/// The bridge to the daemon that started this process.
#[derive(Debug)]
pub struct StdioBridge {
    channel: Channel,
    capabilities: OnceLock<Capabilities>,
}

impl StdioBridge {
    /// Connects over standard input and output, and takes them over. To be called before anything
    /// else: the daemon waits a few seconds only.
    ///
    /// Fails with [`io::ErrorKind::NotConnected`] if nobody is at the other end, and otherwise if
    /// they are neither pipes nor sockets.
    pub async fn connect() -> io::Result<StdioBridge> {
        let (input, output) = take_stdio()?;
        StdioBridge::over(input, output).await
    }

    /// Connects over two descriptors, each a pipe or a socket.
    pub async fn over(input: OwnedFd, output: OwnedFd) -> io::Result<StdioBridge> {
        let mut stream = Some(TokioIo::new(stream(input, output)?));
        // There is one connection to be had; when it ends, so does every call.
        let connector = service_fn(move |_| {
            let stream: Option<TokioIo<Stream>> = stream.take();
            async move { stream.ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected)) }
        });
        let channel = Endpoint::from_static("http://localhost")
            .http2_max_header_list_size(HEADERS)
            .initial_connection_window_size(WINDOW)
            .initial_stream_window_size(WINDOW)
            .connect_with_connector(connector)
            .await
            .map_err(|error| io::Error::new(io::ErrorKind::NotConnected, error))?;
        Ok(StdioBridge {
            channel,
            capabilities: OnceLock::new(),
        })
    }

    fn client(&self) -> LlbBridgeClient<Channel> {
        LlbBridgeClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE)
            .max_encoding_message_size(MESSAGE)
    }

    /// A call whose messages hold definitions, which are left encoded.
    async fn call<A, B>(&self, method: &'static str, message: A) -> Result<B, Failure>
    where
        A: Message + 'static,
        B: Message + Default + 'static,
    {
        let mut client = Grpc::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE)
            .max_encoding_message_size(MESSAGE);
        client
            .ready()
            .await
            .map_err(|error| Failure::Disconnected(error.to_string()))?;
        let path = PathAndQuery::from_static(method);
        let request = tonic::Request::new(message);
        let answer = client.unary(request, path, ProstCodec::default()).await?;
        Ok(answer.into_inner())
    }

    async fn call_solve(&self, request: wire::SolveRequest) -> Result<wire::Result, Failure> {
        let answer: wire::SolveResponse = self.call(SOLVE, request).await?;
        // The daemons of old answer with a reference alone.
        Ok(answer.result.unwrap_or_else(|| wire::Result {
            refs: Some(wire::Refs::OneDeprecated(answer.reference)),
            ..wire::Result::default()
        }))
    }

    async fn resolves_sources(&self) -> Result<bool, Failure> {
        Ok(match self.capabilities.get() {
            Some(known) => known.has(cap::SOURCE_META),
            None => self.ping().await?.has(cap::SOURCE_META),
        })
    }

    async fn resolve_source(&self, request: &ImageRequest) -> Result<ResolvedImage, Failure> {
        let (scheme, attrs) = match &request.layout {
            None => ("docker-image://", BTreeMap::new()),
            Some(layout) => {
                let attrs = [
                    ("oci.session", &layout.session),
                    ("oci.store", &layout.store),
                ];
                let attrs = attrs.map(|(key, value)| (key.to_owned(), value.clone()));
                ("oci-layout://", BTreeMap::from(attrs))
            }
        };
        let answer = self
            .client()
            .resolve_source_meta(proto::ResolveSourceMetaRequest {
                source: Some(pb::SourceOp {
                    identifier: format!("{scheme}{}", request.reference),
                    attrs: attrs.into_iter().collect(),
                }),
                platform: Some(platform(&request.platform)),
                log_name: request.log_name.clone(),
                resolve_mode: mode(request.mode).to_owned(),
                ..Default::default()
            })
            .await?
            .into_inner();
        let Some(image) = answer.image else {
            return Err(Failure::mistake(format!(
                "{} is not an image: a source policy of the daemon replaces it",
                request.reference
            )));
        };
        let identifier = answer.source.unwrap_or_default().identifier;
        Ok(ResolvedImage {
            reference: identifier
                .strip_prefix(scheme)
                .unwrap_or(&request.reference)
                .to_owned(),
            digest: image.digest,
            config: image.config,
        })
    }

    async fn resolve_config(&self, request: &ImageRequest) -> Result<ResolvedImage, Failure> {
        /// The daemon's number for images in layouts.
        const IN_LAYOUT: i32 = 1;
        let (kind, layout) = match request.layout.clone() {
            None => (0, None),
            Some(layout) => (IN_LAYOUT, Some((layout.session, layout.store))),
        };
        let (session_id, store_id) = layout.unwrap_or_default();
        let answer = self
            .client()
            .resolve_image_config(proto::ResolveImageConfigRequest {
                r#ref: request.reference.clone(),
                platform: Some(platform(&request.platform)),
                resolve_mode: mode(request.mode).to_owned(),
                log_name: request.log_name.clone(),
                resolver_type: kind,
                session_id,
                store_id,
                ..Default::default()
            })
            .await?
            .into_inner();
        Ok(ResolvedImage {
            reference: if answer.r#ref.is_empty() {
                request.reference.clone()
            } else {
                answer.r#ref
            },
            digest: answer.digest,
            config: answer.config,
        })
    }

    async fn finish(&self, request: wire::ReturnRequest) -> Result<(), Failure> {
        let proto::ReturnResponse {} = self.call(RETURN, request).await?;
        Ok(())
    }
}

impl Bridge for StdioBridge {
    async fn ping(&self) -> Result<Capabilities, Failure> {
        let mut client = self.client();
        let pong = in_time(async move { Ok(client.ping(proto::PingRequest {}).await?) }).await?;
        let capabilities = Capabilities::from(pong.into_inner());
        Ok(self.capabilities.get_or_init(|| capabilities).clone())
    }

    async fn resolve_image(&self, request: &ImageRequest) -> Result<ResolvedImage, Failure> {
        if self.resolves_sources().await? {
            self.resolve_source(request).await
        } else {
            self.resolve_config(request).await
        }
    }

    async fn source_time(&self, of: &Definition, log_name: &str) -> Result<Option<i64>, Failure> {
        let Some(source) = time::only_source(of) else {
            return Ok(None);
        };
        if !self.resolves_sources().await? {
            return Ok(None);
        }
        let is_git = source.identifier.starts_with("git://");
        let request = proto::ResolveSourceMetaRequest {
            source: Some(source),
            log_name: log_name.to_owned(),
            git: is_git.then_some(proto::ResolveSourceGitRequest {
                return_object: true,
            }),
            ..Default::default()
        };
        let answer = self.client().resolve_source_meta(request).await?;
        Ok(time::of_answer(&answer.into_inner()))
    }

    async fn solve(&self, request: SolveRequest) -> Result<Ref, Failure> {
        let answer = self
            .call_solve(wire::SolveRequest {
                definition: Some(wire::encoded(&request.definition)),
                allow_result_return: true,
                allow_result_array_ref: true,
                cache_imports: request.cache_imports.into_iter().map(entry).collect(),
                evaluate: request.evaluate,
                ..wire::SolveRequest::default()
            })
            .await?;
        match answer.refs {
            Some(wire::Refs::One(reference)) => Ok(reference.into()),
            Some(wire::Refs::OneDeprecated(id)) => Ok(Ref {
                id,
                definition: None,
            }),
            None => Ok(Ref::default()),
            Some(wire::Refs::Many(_) | wire::Refs::ManyDeprecated(_)) => Err(Failure::mistake(
                "the daemon answered a definition with several results",
            )),
        }
    }

    async fn solve_frontend(&self, request: FrontendRequest) -> Result<RawResult, Failure> {
        let inputs = request.inputs.iter();
        let answer = self
            .call_solve(wire::SolveRequest {
                frontend: request.frontend,
                frontend_opt: request.options,
                frontend_inputs: inputs
                    .map(|(name, input)| wire::Input {
                        name: name.clone(),
                        definition: wire::encoded(input),
                    })
                    .collect(),
                allow_result_return: true,
                allow_result_array_ref: true,
                cache_imports: request.cache_imports.into_iter().map(entry).collect(),
                ..wire::SolveRequest::default()
            })
            .await?;
        Ok(RawResult::new(answer))
    }

    async fn read_range(
        &self,
        from: &Ref,
        path: &str,
        range: Range<u64>,
    ) -> Result<Vec<u8>, Failure> {
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let answer = self
            .client()
            .read_file(proto::ReadFileRequest {
                r#ref: from.id.clone(),
                file_path: path.to_owned(),
                range: Some(proto::FileRange {
                    offset: number(range.start),
                    length: number(range.end.saturating_sub(range.start)),
                }),
                mount_index: 0,
            })
            .await?;
        Ok(answer.into_inner().data)
    }

    async fn stat_file(&self, from: &Ref, path: &str) -> Result<FileStat, Failure> {
        let answer = self
            .client()
            .stat_file(proto::StatFileRequest {
                r#ref: from.id.clone(),
                path: path.to_owned(),
                mount_index: 0,
            })
            .await?;
        Ok(answer.into_inner().stat.unwrap_or_default().into())
    }

    async fn read_dir(
        &self,
        from: &Ref,
        path: &str,
        pattern: Option<&str>,
    ) -> Result<Vec<FileStat>, Failure> {
        let answer = self
            .client()
            .read_dir(proto::ReadDirRequest {
                r#ref: from.id.clone(),
                dir_path: path.to_owned(),
                include_pattern: pattern.unwrap_or_default().to_owned(),
                mount_index: 0,
            })
            .await?;
        let entries = answer.into_inner().entries;
        Ok(entries.into_iter().map(FileStat::from).collect())
    }

    async fn warn(&self, warning: Warning) -> Result<(), Failure> {
        let excerpt = warning.excerpt.as_ref();
        self.client()
            .warn(proto::WarnRequest {
                digest: warning.vertex,
                level: 1,
                short: warning.short.into_bytes(),
                detail: warning.detail.into_iter().map(String::into_bytes).collect(),
                url: String::new(),
                info: excerpt.map(|excerpt| excerpt.trimmed().info()),
                ranges: excerpt.map_or_else(Vec::new, crate::Excerpt::ranges),
            })
            .await?;
        Ok(())
    }

    async fn inputs(&self) -> Result<BTreeMap<String, Definition>, Failure> {
        let answer: wire::InputsResponse = self.call(INPUTS, proto::InputsRequest {}).await?;
        let read = |(name, bytes): (String, prost::bytes::Bytes)| {
            let unreadable = |error| format!("the input `{name}` cannot be read: {error}");
            let definition = Definition::from_bytes(&bytes).map_err(unreadable);
            Ok((name.clone(), definition.map_err(Failure::mistake)?))
        };
        answer.definitions.into_iter().map(read).collect()
    }

    async fn return_outcome(&self, outcome: Outcome) -> Result<(), Failure> {
        self.finish(wire::ReturnRequest {
            result: Some(outcome.into_wire()),
            error: None,
        })
        .await
    }

    async fn return_failure(&self, failure: &Failure) -> Result<(), Failure> {
        self.finish(wire::ReturnRequest {
            result: None,
            error: Some(failure.to_status()),
        })
        .await
    }
}

async fn in_time<T>(call: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout(PATIENCE, call)
        .await
        .unwrap_or_else(|_| Err(Failure::Disconnected("it does not answer".to_owned())))
}

fn entry(import: CacheImport) -> proto::CacheOptionsEntry {
    proto::CacheOptionsEntry {
        r#type: import.kind,
        attrs: import.attrs.into_iter().collect(),
    }
}

fn platform(platform: &Platform) -> pb::Platform {
    pb::Platform {
        architecture: platform.architecture.clone(),
        os: platform.os.clone(),
        variant: platform.variant.clone(),
        os_version: platform.os_version.clone(),
        os_features: platform.os_features.clone(),
    }
}

fn mode(mode: ResolveMode) -> &'static str {
    match mode {
        ResolveMode::Default => "default",
        ResolveMode::Pull => "pull",
        ResolveMode::Local => "local",
    }
}
