# The server alone: built on the machine's own platform, run on the target's by a user without privileges.
#
#   docker build -t tiled-auth .
#   docker run -p 8000:8000 --read-only --tmpfs /tmp -v ./config.yml:/etc/tiled-auth/config.yml:ro -v tiled-auth:/var/lib/tiled-auth tiled-auth
#   docker exec CONTAINER tiled admin principals --config /etc/tiled-auth/config.yml
#
# The configuration's database belongs in the volume: sqlite:////var/lib/tiled-auth/tiled.db. Compiled code is
# kept beside it, which makes the next start faster. Nothing else is written but temporary files below /tmp. For several platforms,
# and with the version in the labels:
#
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg VERSION=0.2.0 --build-arg REVISION=$(git rev-parse HEAD) .
#
# The digest names the index of all platforms of an image. Both lines change together; a dependency bot keeps them current.

FROM --platform=$BUILDPLATFORM node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6 AS build
WORKDIR /app
COPY package.json package-lock.json LICENSE ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY migrations migrations
COPY src src
RUN npm run build
# The modules with native code ship a library for each platform, so nothing of the target has to run here.
ARG TARGETARCH
RUN case "${TARGETARCH:-$(node -p process.arch)}" in \
    amd64 | x64) cpu=x64 ;; \
    arm64) cpu=arm64 ;; \
    *) echo "better-sqlite3 and koffi have no library for $TARGETARCH" >&2; exit 1 ;; \
  esac \
  && npm ci --omit=dev --ignore-scripts --os=linux --cpu="$cpu" --libc=glibc
RUN install -d bin && install -d -m 0700 volume/tiled-auth && ln -s ../dist/src/bin.js bin/tiled && ln -s tiled bin/tiled-auth

FROM node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tiled-auth" \
  org.opencontainers.image.description="Authentication server for Tiled and other data services" \
  org.opencontainers.image.licenses="BSD-3-Clause" \
  org.opencontainers.image.version="$VERSION" \
  org.opencontainers.image.revision="$REVISION" \
  org.opencontainers.image.base.name="docker.io/library/node:24.21.0-bookworm-slim"
ENV NODE_ENV=production PATH=/app/bin:$PATH CACHE_DIRECTORY=/var/lib/tiled-auth/cache
COPY --from=build --chown=1000:1000 /app/volume /var/lib
COPY --from=build /app/package.json /app/LICENSE /app/
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
COPY --from=build /app/bin /app/bin
# By number, so that Kubernetes can see that it is not root. The image calls it node.
USER 1000:1000
WORKDIR /var/lib/tiled-auth
EXPOSE 8000
# Asks as the configuration says: over HTTPS or not, below a root path or not. If you change the port below, change it here, too.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s \
  CMD ["node", "/app/dist/src/bin.js", "healthcheck", "/etc/tiled-auth/config.yml", "--port", "8000"]
ENTRYPOINT ["node", "/app/dist/src/bin.js"]
CMD ["serve", "config", "/etc/tiled-auth/config.yml", "--host", "0.0.0.0", "--port", "8000"]
