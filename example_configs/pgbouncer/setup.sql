-- Run once, as PostgreSQL's superuser. With PgBouncer, these settings belong to the user, not to options in the URI.
CREATE ROLE tiled LOGIN PASSWORD 'fill in';
CREATE DATABASE tiled OWNER tiled;
ALTER ROLE tiled SET statement_timeout = '15s';
ALTER ROLE tiled SET idle_in_transaction_session_timeout = '15s';
