# Serves /srv on port 8000 for as long as the step runs, and says of each request what was asked for.
import functools, http.server, os

handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="/srv")
server = http.server.ThreadingHTTPServer(("localhost", 8000), handler)
if os.fork() == 0:
    server.serve_forever()
