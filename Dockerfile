# syntax=docker/dockerfile:1
# The gateway alone: built with all dependencies, run with those it needs, by a user without rights.
FROM node:22-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
COPY packages packages
# The build runs below, when its sources are there.
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY tsconfig.json tsconfig.build.json openapi.yaml ./
COPY scripts scripts
COPY api api
COPY src src
COPY adapters adapters
COPY simulators simulators
COPY bench bench
COPY abuse abuse
COPY examples examples
RUN node scripts/build.mjs && npm prune --omit=dev --no-audit --no-fund --ignore-scripts

FROM node:22-bookworm-slim
ENV NODE_ENV=production \
    HPC_GATEWAY_CONFIG=/etc/hpc-gateway/gateway.yaml
WORKDIR /app
COPY --from=build /build/package.json ./
# The gateway's own client, which its shell command uses; node_modules leads there.
COPY --from=build /build/packages packages
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
# The folder of the store, where it is LMDB (store.path: /var/lib/hpc-gateway).
RUN install -d -o node -g node -m 0700 /var/lib/hpc-gateway
VOLUME /var/lib/hpc-gateway
USER node
EXPOSE 8080
# Whether the process serves; whether it may be sent work is /readyz, for the load balancer.
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
CMD ["node", "--enable-source-maps", "dist/api/server.js"]
