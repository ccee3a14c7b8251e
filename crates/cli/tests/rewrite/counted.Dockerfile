FROM debian:13
RUN apt-get update && apt-get install -y curl
RUN pip install flask
FROM scratch
COPY --from=0 /usr/bin/curl /
