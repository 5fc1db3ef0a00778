# prefectd in a container, beside the runs' own: from the binaries of a build, which are all that it
# needs beyond a C library and the zones of the world (these it has within).
#
#   cargo build --release --locked
#   docker build --file Dockerfile --tag prefectd target/release
#
# It makes runs' containers by the socket of the engine that it runs on: whoever has that socket is
# root on the machine. See examples/compose.yaml.
ARG BASE=debian:trixie-slim
FROM ${BASE}
COPY prefectd prefectctl /usr/local/bin/
# Other containers reach it by its name; there is no bridge to listen on from within.
ENV PREFECTD_SERVER__LISTEN="[\"0.0.0.0:4200\"]" \
    PREFECTD_SERVER__DOCKER_BRIDGE=false \
    PREFECTD_LOG__FORMAT=text
VOLUME /var/lib/prefectd
EXPOSE 4200
HEALTHCHECK --interval=10s --timeout=5s CMD ["prefectctl", "status"]
ENTRYPOINT ["prefectd"]
CMD []
