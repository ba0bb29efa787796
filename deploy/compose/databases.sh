#!/bin/sh
# Run once by the postgres image on an empty volume: a login for Countersign, which may make its group roles and owns
# its database but bypasses nothing, and one for Temporal, which makes its own two databases.
set -eu
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -v app="$COUNTERSIGN_DB_PASSWORD" -v temporal="$TEMPORAL_DB_PASSWORD" <<'SQL'
create role countersign login createrole password :'app';
create database countersign owner countersign;
create role temporal login createdb password :'temporal';
SQL
