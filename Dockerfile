# The server alone: built in one stage, run in another by a user without privileges.
#
#   docker build -t tiled-auth .
#   docker run -p 8000:8000 -v ./config.yml:/etc/tiled-auth/config.yml:ro -v tiled-auth:/var/lib/tiled-auth tiled-auth
#
# The configuration's database belongs into the volume: sqlite:////var/lib/tiled-auth/tiled.db
# Other commands take the place of the last line's: docker exec CONTAINER node /app/dist/src/bin.js admin --help

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY migrations migrations
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production
RUN install -d -o node -g node -m 0700 /var/lib/tiled-auth
COPY --from=build /app/package.json /app/package.json
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
USER node
WORKDIR /var/lib/tiled-auth
EXPOSE 8000
# As the configuration says: with HTTPS or not, below a root path or not. Who changes the port below, changes it here, too.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s \
  CMD ["node", "/app/dist/src/bin.js", "healthcheck", "/etc/tiled-auth/config.yml", "--port", "8000"]
ENTRYPOINT ["node", "/app/dist/src/bin.js"]
CMD ["serve", "config", "/etc/tiled-auth/config.yml", "--host", "0.0.0.0", "--port", "8000"]
