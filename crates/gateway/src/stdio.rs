//! The bridge to the daemon that started this process.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::time::Duration;

use buildkit_llb::{Platform, ResolveMode};
use buildkit_proto::moby::buildkit::v1::frontend::{
    self as wire, llb_bridge_client::LlbBridgeClient, result,
};
use buildkit_proto::pb;
use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use crate::transport::{Stream, stream, take_stdio};
use crate::{
    Bridge, CacheImport, Capabilities, Failure, FileStat, FrontendRequest, ImageRequest, Outcome,
    RawResult, Ref, ResolvedImage, SolveRequest, Warning, cap,
};

/// What the daemon takes and sends at most, in bytes.
const MESSAGE: usize = 16 << 20;
/// Error details travel in a header, and hold the file that is to blame.
const HEADERS: u32 = 8 << 20;
/// How much may be on its way before it is acknowledged.
const WINDOW: u32 = 1 << 20;
/// A daemon that does not answer in this time never will.
const PATIENCE: Duration = Duration::from_secs(15);

/// The bridge to the daemon that started this process.
#[derive(Debug)]
pub struct StdioBridge {
    client: LlbBridgeClient<Channel>,
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
            client: LlbBridgeClient::new(channel)
                .max_decoding_message_size(MESSAGE)
                .max_encoding_message_size(MESSAGE),
            capabilities: OnceLock::new(),
        })
    }

    fn client(&self) -> LlbBridgeClient<Channel> {
        self.client.clone()
    }

    async fn resolve_source(&self, request: &ImageRequest) -> Result<ResolvedImage, Failure> {
        const SCHEME: &str = "docker-image://";
        let answer = self
            .client()
            .resolve_source_meta(wire::ResolveSourceMetaRequest {
                source: Some(pb::SourceOp {
                    identifier: format!("{SCHEME}{}", request.reference),
                    attrs: BTreeMap::new(),
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
                .strip_prefix(SCHEME)
                .unwrap_or(&request.reference)
                .to_owned(),
            digest: image.digest,
            config: image.config,
        })
    }

    async fn resolve_config(&self, request: &ImageRequest) -> Result<ResolvedImage, Failure> {
        let answer = self
            .client()
            .resolve_image_config(wire::ResolveImageConfigRequest {
                r#ref: request.reference.clone(),
                platform: Some(platform(&request.platform)),
                resolve_mode: mode(request.mode).to_owned(),
                log_name: request.log_name.clone(),
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
        self.client().r#return(request).await?;
        Ok(())
    }
}

impl Bridge for StdioBridge {
    async fn ping(&self) -> Result<Capabilities, Failure> {
        let mut client = self.client();
        let pong = in_time(async move { Ok(client.ping(wire::PingRequest {}).await?) }).await?;
        let capabilities = Capabilities::from(pong.into_inner());
        Ok(self.capabilities.get_or_init(|| capabilities).clone())
    }

    async fn resolve_image(&self, request: &ImageRequest) -> Result<ResolvedImage, Failure> {
        let by_source = match self.capabilities.get() {
            Some(known) => known.has(cap::SOURCE_META),
            None => self.ping().await?.has(cap::SOURCE_META),
        };
        if by_source {
            self.resolve_source(request).await
        } else {
            self.resolve_config(request).await
        }
    }

    async fn solve(&self, request: SolveRequest) -> Result<Ref, Failure> {
        let answer = self
            .client()
            .solve(wire::SolveRequest {
                definition: Some(request.definition),
                allow_result_return: true,
                allow_result_array_ref: true,
                cache_imports: request.cache_imports.into_iter().map(entry).collect(),
                evaluate: request.evaluate,
                ..Default::default()
            })
            .await?
            .into_inner();
        match answer.result.and_then(|result| result.result) {
            Some(result::Result::Ref(reference)) => Ok(Ref {
                id: reference.id,
                definition: reference.def,
            }),
            Some(result::Result::RefDeprecated(id)) => Ok(Ref {
                id,
                definition: None,
            }),
            None => Ok(Ref {
                id: answer.r#ref,
                definition: None,
            }),
            Some(result::Result::Refs(_) | result::Result::RefsDeprecated(_)) => Err(
                Failure::mistake("the daemon answered a definition with several results"),
            ),
        }
    }

    async fn solve_frontend(&self, request: FrontendRequest) -> Result<RawResult, Failure> {
        let answer = self
            .client()
            .solve(wire::SolveRequest {
                frontend: request.frontend,
                frontend_opt: request.options.into_iter().collect(),
                frontend_inputs: request.inputs.into_iter().collect(),
                allow_result_return: true,
                allow_result_array_ref: true,
                cache_imports: request.cache_imports.into_iter().map(entry).collect(),
                ..Default::default()
            })
            .await?
            .into_inner();
        Ok(RawResult::new(answer.result.unwrap_or_else(|| {
            wire::Result {
                result: Some(result::Result::RefDeprecated(answer.r#ref)),
                ..Default::default()
            }
        })))
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
            .read_file(wire::ReadFileRequest {
                r#ref: from.id.clone(),
                file_path: path.to_owned(),
                range: Some(wire::FileRange {
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
            .stat_file(wire::StatFileRequest {
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
            .read_dir(wire::ReadDirRequest {
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
            .warn(wire::WarnRequest {
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

    async fn inputs(&self) -> Result<BTreeMap<String, pb::Definition>, Failure> {
        let answer = self.client().inputs(wire::InputsRequest {}).await?;
        Ok(answer.into_inner().definitions.into_iter().collect())
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

fn entry(import: CacheImport) -> wire::CacheOptionsEntry {
    wire::CacheOptionsEntry {
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
