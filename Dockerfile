# urumi's image: the server (urumi-http, which both of the chart's Deployments run) and the command line (urumi), without a shell.
# `images/build urumi` builds it.
ARG DEBIAN=docker.io/library/debian:bookworm-20260824-slim@sha256:88200866dfff7ea7f5cbcb6ec7c8a701889efe6fe859fe64d6990e4b07ea4171
ARG RUST=docker.io/library/rust:1.95.0-slim-bookworm@sha256:d7482085ff5b415f84dba5647ae71606650bdef00db7aeb69f4b3d170c3e4082

FROM ${DEBIAN} AS debian
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl
COPY images/base/node images/base/packages images/base/with-ca /base/

# The dashboard, which becomes a part of the server.
FROM debian AS dashboard
RUN --mount=type=secret,id=ca /base/with-ca /base/node /usr/local
WORKDIR /src
COPY urumi-http/dashboard/package.json urumi-http/dashboard/package-lock.json ./
RUN --mount=type=secret,id=ca --mount=type=cache,target=/root/.npm /base/with-ca npm ci --no-audit --no-fund
COPY urumi-http/dashboard/ ./
RUN npm run build

FROM debian AS root
RUN /base/packages /root-folder nonroot 65532 libc6 libgcc-s1 ca-certificates

FROM ${RUST} AS build
# The allocator is built with it.
RUN apt-get update && apt-get install -y --no-install-recommends make
ENV CARGO_HOME=/usr/local/cargo CARGO_INCREMENTAL=0
COPY images/base/with-ca /base/
# Writes the dependencies into the programs, where `cargo audit bin` and scanners read them.
RUN --mount=type=secret,id=ca --mount=type=cache,target=/usr/local/cargo/registry \
    /base/with-ca cargo install --quiet --locked --root /usr/local cargo-auditable@0.7.7
WORKDIR /src
COPY . .
# Cargo wants a target in every member of the workspace, also in those that are not built here.
RUN for manifest in $(find . -name Cargo.toml); do \
      folder=$(dirname "$manifest")/src; [ -d "$folder" ] || { mkdir "$folder" && : > "$folder/lib.rs"; }; \
    done
COPY --from=dashboard /src/dist urumi-http/dashboard/dist
# The commit of the sources, which `--version` prints.
ARG COMMIT
# Programs of the same sources are equal: they contain no paths of this machine. The sources are touched, since a builder may have set
# all of their times to the same.
ENV RUSTFLAGS="--remap-path-prefix=/src=. --remap-path-prefix=/usr/local/cargo=cargo -C strip=symbols"
RUN --mount=type=secret,id=ca --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target,sharing=locked \
    find urumi-* -type f -exec touch {} + \
 && URUMI_COMMIT=$COMMIT /base/with-ca cargo auditable build --release --locked -p urumi-http -p urumi-cli \
 && mkdir /out && cp target/release/urumi-http target/release/urumi /out/

FROM scratch
COPY --from=root /root-folder/ /
COPY --from=build /out/ /usr/local/bin/
ENV PATH=/usr/local/bin
USER 65532:65532
EXPOSE 8080 9090
ENTRYPOINT ["urumi-http"]
LABEL org.opencontainers.image.title="urumi" \
      org.opencontainers.image.description="Online stores on Kubernetes: server, dashboard and command line" \
      org.opencontainers.image.source="https://github.com/urumi/urumi" \
      org.opencontainers.image.licenses="Apache-2.0"
