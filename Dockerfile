# syntax=docker/dockerfile:1
# urumi's image: the server (urumi-http, which is both of the chart's Deployments) and the command line (urumi), static, without a
# shell, without root. `make image` builds it.
ARG RUST=1.95
ARG NODE=24

# The dashboard, which becomes a part of the server.
FROM node:${NODE}-alpine AS dashboard
WORKDIR /src
COPY urumi-http/dashboard .
RUN --mount=type=cache,target=/root/.npm npm ci && npm run build

FROM rust:${RUST}-alpine AS build
# ring compiles a little C and assembly.
RUN apk add --no-cache musl-dev
# What the programs are made of is written into them: `cargo audit bin` and scanners read it.
RUN --mount=type=cache,target=/usr/local/cargo/registry cargo install --locked cargo-auditable@^0.7
WORKDIR /src
COPY . .
COPY --from=dashboard /src/dist urumi-http/dashboard/dist
# The same commit gives the same bytes: no paths of this machine, no time.
ARG SOURCE_DATE_EPOCH=0
ENV RUSTFLAGS="--remap-path-prefix=/src=. --remap-path-prefix=/usr/local/cargo=cargo -C strip=symbols" \
    CARGO_INCREMENTAL=0
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target,sharing=locked \
    cargo auditable build --release --locked -p urumi-http -p urumi-cli \
 && mkdir /out && cp target/release/urumi-http target/release/urumi /out/

FROM gcr.io/distroless/static-debian12:nonroot
LABEL org.opencontainers.image.title="urumi" \
      org.opencontainers.image.description="Online stores on Kubernetes: server, dashboard and command line" \
      org.opencontainers.image.source="https://github.com/urumi/urumi" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/ /usr/local/bin/
USER 65532:65532
EXPOSE 8080 9090
ENTRYPOINT ["/usr/local/bin/urumi-http"]
