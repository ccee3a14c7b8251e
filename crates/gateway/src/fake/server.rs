//! A fake daemon behind a real connection.

use std::io;

use buildkit_llb::{Definition, Platform, ResolveMode};
use buildkit_proto::google::{protobuf::Timestamp, rpc};
use buildkit_proto::moby::buildkit::v1::frontend::{
    self as wire,
    llb_bridge_server::{LlbBridge, LlbBridgeServer},
    result,
};
use buildkit_proto::{fsutil::types::Stat, pb};
use prost::Message as _;
use tokio::net::UnixStream;
use tonic::codegen::tokio_stream::{self, StreamExt};
use tonic::{Code, Request, Response, Status};

use super::{FakeBridge, Returned};
use crate::{
    CacheImport, Excerpt, FileStat, FrontendRequest, ImageRequest, Layout, ResolvedImage,
    SolveRequest, Warning,
};

type Answer<T> = Result<Response<T>, Status>;

/// Serves a fake daemon over a connection, until the other end closes it.
pub async fn serve(fake: FakeBridge, connection: UnixStream) -> io::Result<()> {
    let service = LlbBridgeServer::new(fake)
        .max_decoding_message_size(16 << 20)
        .max_encoding_message_size(16 << 20);
    // The stream must not end: the server would stop at once.
    let connections = StreamExt::chain(
        tokio_stream::once(Ok::<_, io::Error>(connection)),
        tokio_stream::pending(),
    );
    tonic::transport::Server::builder()
        .add_service(service)
        .serve_with_incoming(connections)
        .await
        .map_err(io::Error::other)
}

impl FakeBridge {
    /// Tells a time as daemons do: by a commit, or by a header.
    fn resolve_time(&self, source: pb::SourceOp) -> Answer<wire::ResolveSourceMetaResponse> {
        let seconds = self.answer_time(&source.identifier).map_err(sent)?;
        let is_git = source.identifier.starts_with("git://");
        let commit = |seconds| wire::ResolveSourceGitResponse {
            commit_object: format!("tree 1\ncommitter C <c@d> {seconds} +0000\n\nhi\n")
                .into_bytes(),
            ..Default::default()
        };
        let header = |seconds| wire::ResolveSourceHttpResponse {
            last_modified: Some(Timestamp { seconds, nanos: 0 }),
            ..Default::default()
        };
        Ok(Response::new(wire::ResolveSourceMetaResponse {
            source: Some(source),
            git: seconds.filter(|_| is_git).map(commit),
            http: seconds.filter(|_| !is_git).map(header),
            ..Default::default()
        }))
    }
}

#[tonic::async_trait]
impl LlbBridge for FakeBridge {
    async fn ping(&self, _: Request<wire::PingRequest>) -> Answer<wire::PongResponse> {
        Ok(Response::new(self.pong()))
    }

    async fn resolve_image_config(
        &self,
        request: Request<wire::ResolveImageConfigRequest>,
    ) -> Answer<wire::ResolveImageConfigResponse> {
        let request = request.into_inner();
        let layout = (request.resolver_type == 1).then_some(Layout {
            session: request.session_id,
            store: request.store_id,
        });
        let image = ImageRequest {
            layout,
            ..image_request(
                request.r#ref,
                request.platform,
                &request.resolve_mode,
                request.log_name,
            )
        };
        let found = self.answer_resolve(&image).map_err(sent)?;
        Ok(Response::new(wire::ResolveImageConfigResponse {
            digest: found.digest,
            config: found.config,
            r#ref: found.reference,
        }))
    }

    async fn resolve_source_meta(
        &self,
        request: Request<wire::ResolveSourceMetaRequest>,
    ) -> Answer<wire::ResolveSourceMetaResponse> {
        let request = request.into_inner();
        let source = request.source.unwrap_or_default();
        if !source.identifier.starts_with("docker-image://")
            && !source.identifier.starts_with("oci-layout://")
        {
            return self.resolve_time(source);
        }
        let of_layout = source.identifier.strip_prefix("oci-layout://");
        let of_registry = || source.identifier.trim_start_matches("docker-image://");
        let attr = |key: &str| source.attrs.get(key).cloned().unwrap_or_default();
        let image = ImageRequest {
            layout: of_layout.map(|_| Layout {
                session: attr("oci.session"),
                store: attr("oci.store"),
            }),
            ..image_request(
                of_layout.unwrap_or_else(of_registry).to_owned(),
                request.platform,
                &request.resolve_mode,
                request.log_name,
            )
        };
        let ResolvedImage { digest, config, .. } = self.answer_resolve(&image).map_err(sent)?;
        Ok(Response::new(wire::ResolveSourceMetaResponse {
            source: Some(source),
            image: Some(wire::ResolveSourceImageResponse {
                digest,
                config,
                attestation_chain: None,
            }),
            ..Default::default()
        }))
    }

    async fn solve(&self, request: Request<wire::SolveRequest>) -> Answer<wire::SolveResponse> {
        let request = request.into_inner();
        let import = |entry: wire::CacheOptionsEntry| CacheImport {
            kind: entry.r#type,
            attrs: entry.attrs.into_iter().collect(),
        };
        let cache_imports = request.cache_imports.into_iter().map(import).collect();
        if !request.frontend.is_empty() {
            let result = self
                .answer_frontend(FrontendRequest {
                    frontend: request.frontend,
                    options: request.frontend_opt.into_iter().collect(),
                    inputs: request
                        .frontend_inputs
                        .iter()
                        .map(|(name, input)| (name.clone(), Definition::from_proto(input)))
                        .collect(),
                    cache_imports,
                })
                .map_err(sent)?;
            return Ok(Response::new(wire::SolveResponse {
                r#ref: String::new(),
                result: Some(result),
            }));
        }
        let answer = self
            .answer_solve(SolveRequest {
                definition: Definition::from_proto(&request.definition.unwrap_or_default()),
                cache_imports,
                evaluate: request.evaluate,
            })
            .map_err(sent)?;
        Ok(Response::new(wire::SolveResponse {
            r#ref: String::new(),
            result: Some(wire::Result {
                result: Some(result::Result::Ref(wire::Ref {
                    id: answer.id,
                    def: answer.definition.map(Definition::into_proto),
                })),
                ..Default::default()
            }),
        }))
    }

    async fn read_file(
        &self,
        request: Request<wire::ReadFileRequest>,
    ) -> Answer<wire::ReadFileResponse> {
        let request = request.into_inner();
        let number = |n: i64| u64::try_from(n).unwrap_or(0);
        let range = request.range.map_or(0..u64::MAX, |range| {
            number(range.offset)..number(range.offset.saturating_add(range.length))
        });
        let data = self
            .answer_read(&request.r#ref, &request.file_path, range)
            .map_err(sent)?;
        Ok(Response::new(wire::ReadFileResponse { data }))
    }

    async fn read_dir(
        &self,
        request: Request<wire::ReadDirRequest>,
    ) -> Answer<wire::ReadDirResponse> {
        let request = request.into_inner();
        let pattern = Some(request.include_pattern).filter(|pattern| !pattern.is_empty());
        let entries = self.answer_read_dir(&request.r#ref, &request.dir_path, pattern.as_deref());
        Ok(Response::new(wire::ReadDirResponse {
            entries: entries.into_iter().map(stat).collect(),
        }))
    }

    async fn stat_file(
        &self,
        request: Request<wire::StatFileRequest>,
    ) -> Answer<wire::StatFileResponse> {
        let request = request.into_inner();
        let found = self
            .answer_stat(&request.r#ref, &request.path)
            .map_err(sent)?;
        Ok(Response::new(wire::StatFileResponse {
            stat: Some(stat(found)),
        }))
    }

    async fn r#return(
        &self,
        request: Request<wire::ReturnRequest>,
    ) -> Answer<wire::ReturnResponse> {
        let request = request.into_inner();
        let returned = match (request.error, request.result) {
            (Some(error), _) => Returned::Error(error),
            (None, Some(result)) => Returned::Outcome(Box::new(result)),
            (None, None) => return Err(Status::invalid_argument("nothing is returned")),
        };
        self.answer_return(returned).map_err(sent)?;
        Ok(Response::new(wire::ReturnResponse {}))
    }

    async fn inputs(&self, _: Request<wire::InputsRequest>) -> Answer<wire::InputsResponse> {
        Ok(Response::new(wire::InputsResponse {
            definitions: self
                .answer_inputs()
                .into_iter()
                .map(|(name, input)| (name, input.into_proto()))
                .collect(),
        }))
    }

    async fn warn(&self, request: Request<wire::WarnRequest>) -> Answer<wire::WarnResponse> {
        let request = request.into_inner();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let line = |position: Option<pb::Position>| {
            let line = position.map_or(0, |position| position.line);
            u32::try_from(line).unwrap_or(0)
        };
        let excerpt = request.info.map(|info| Excerpt {
            file: info.filename,
            data: info.data,
            language: info.language,
            lines: request
                .ranges
                .iter()
                .map(|range| line(range.start)..=line(range.end))
                .collect(),
        });
        self.answer_warn(Warning {
            vertex: request.digest,
            short: text(request.short),
            detail: request.detail.into_iter().map(text).collect(),
            excerpt,
        })
        .map_err(sent)?;
        Ok(Response::new(wire::WarnResponse {}))
    }

    async fn evaluate(&self, _: Request<wire::EvaluateRequest>) -> Answer<wire::EvaluateResponse> {
        Ok(Response::new(wire::EvaluateResponse {}))
    }

    async fn new_container(
        &self,
        _: Request<wire::NewContainerRequest>,
    ) -> Answer<wire::NewContainerResponse> {
        Err(no_containers())
    }

    async fn release_container(
        &self,
        _: Request<wire::ReleaseContainerRequest>,
    ) -> Answer<wire::ReleaseContainerResponse> {
        Err(no_containers())
    }

    type ExecProcessStream = tokio_stream::Pending<Result<wire::ExecMessage, Status>>;

    async fn exec_process(
        &self,
        _: Request<tonic::Streaming<wire::ExecMessage>>,
    ) -> Answer<Self::ExecProcessStream> {
        Err(no_containers())
    }

    async fn read_file_container(
        &self,
        _: Request<wire::ReadFileRequest>,
    ) -> Answer<wire::ReadFileResponse> {
        Err(no_containers())
    }

    async fn read_dir_container(
        &self,
        _: Request<wire::ReadDirRequest>,
    ) -> Answer<wire::ReadDirResponse> {
        Err(no_containers())
    }

    async fn stat_file_container(
        &self,
        _: Request<wire::StatFileRequest>,
    ) -> Answer<wire::StatFileResponse> {
        Err(no_containers())
    }
}

fn no_containers() -> Status {
    Status::unimplemented("this fake runs no containers")
}

fn image_request(
    reference: String,
    platform: Option<pb::Platform>,
    mode: &str,
    log_name: String,
) -> ImageRequest {
    let platform = platform.unwrap_or_default();
    ImageRequest {
        reference,
        platform: Platform::new(&platform.os, &platform.architecture, &platform.variant),
        mode: match mode {
            "pull" => ResolveMode::Pull,
            "local" => ResolveMode::Local,
            _ => ResolveMode::Default,
        },
        log_name,
        layout: None,
    }
}

fn stat(stat: FileStat) -> Stat {
    Stat {
        path: stat.path,
        mode: stat.mode,
        uid: stat.uid,
        gid: stat.gid,
        size: i64::try_from(stat.size).unwrap_or(i64::MAX),
        linkname: stat.link,
        ..Stat::default()
    }
}

/// As a daemon sends it: the details in a trailer, the code and message beside it.
fn sent(status: rpc::Status) -> Status {
    let details = status.encode_to_vec().into();
    Status::with_details(Code::from(status.code), status.message, details)
}
