//! A byte stream out of the process's standard input and output.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;

use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::stdio::{dup2_stdin, dup2_stdout, stderr, stdin, stdout};
use tokio::io::{AsyncRead, AsyncWrite, Join, join};
use tokio::net::{UnixStream, unix::pipe};

type Reader = Box<dyn AsyncRead + Send + Unpin>;
type Writer = Box<dyn AsyncWrite + Send + Unpin>;
/// Both directions of a connection.
pub(crate) type Stream = Join<Reader, Writer>;

/// Takes standard input and output over. What is read from the one is then empty, and what is
/// printed to the other goes to standard error: a stray print cannot break the connection.
///
/// Not through tokio's own standard streams, whose reading thread keeps the process from exiting.
pub(crate) fn take_stdio() -> io::Result<(OwnedFd, OwnedFd)> {
    let input = stdin().try_clone_to_owned()?;
    let output = stdout().try_clone_to_owned()?;
    // A container without `/dev/null` is no reason not to build.
    if let Ok(null) = open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        dup2_stdin(&null)?;
    }
    dup2_stdout(stderr())?;
    Ok((input, output))
}

/// A stream out of two descriptors, each a pipe or a socket. Must be called within a runtime.
pub(crate) fn stream(input: OwnedFd, output: OwnedFd) -> io::Result<Stream> {
    let reader: Reader = match kind(&input)? {
        FileType::Fifo => Box::new(pipe::Receiver::from_owned_fd(input)?),
        FileType::Socket => Box::new(socket(input)?),
        _ => return Err(not_a_pipe("input")),
    };
    let writer: Writer = match kind(&output)? {
        FileType::Fifo => Box::new(pipe::Sender::from_owned_fd(output)?),
        FileType::Socket => Box::new(socket(output)?),
        _ => return Err(not_a_pipe("output")),
    };
    Ok(join(reader, writer))
}

fn kind(fd: impl AsFd) -> io::Result<FileType> {
    Ok(FileType::from_raw_mode(fstat(fd)?.st_mode))
}

fn socket(fd: OwnedFd) -> io::Result<UnixStream> {
    let socket = StdUnixStream::from(fd);
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}

fn not_a_pipe(which: &str) -> io::Error {
    io::Error::other(format!(
        "standard {which} is neither a pipe nor a socket: BuildKit starts this program, to build a \
         file whose first line is a `# syntax=` comment that names its image"
    ))
}
