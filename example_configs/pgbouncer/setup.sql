-- Once, as PostgreSQL's superuser. What options of the URI would set without a PgBouncer is a setting of the user here.
CREATE ROLE tiled LOGIN PASSWORD 'fill in';
CREATE DATABASE tiled OWNER tiled;
ALTER ROLE tiled SET statement_timeout = '15s';
ALTER ROLE tiled SET idle_in_transaction_session_timeout = '15s';
