-- Removes a store's role and database. Run by psql as the server's administrator; may be run again at any point.
\set ON_ERROR_STOP on
\getenv store STORE
\getenv owner STORE_OWNER

SELECT EXISTS (
  SELECT FROM pg_roles WHERE rolname = :'store' AND shobj_description(oid, 'pg_authid') = :'owner'
) AS ours \gset

\if :ours
  ALTER ROLE :"store" NOLOGIN;
  SELECT format('DROP DATABASE %I WITH (FORCE)', :'store')
    FROM pg_database
    WHERE datname = :'store' AND pg_get_userbyid(datdba) = :'store' \gexec
  DROP OWNED BY :"store";
  DROP ROLE :"store";
\endif
