-- Makes a store's role and database. Run by psql as the server's administrator; may be run again at any point.
\set ON_ERROR_STOP on
\getenv store STORE
\getenv owner STORE_OWNER
\getenv verifier STORE_VERIFIER
\getenv connections STORE_CONNECTIONS

-- The comment is there as soon as the role is.
BEGIN;
SELECT format('CREATE ROLE %I', :'store'), format('COMMENT ON ROLE %I IS %L', :'store', :'owner')
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'store') \gexec
COMMIT;

SELECT format('DO %L', format('BEGIN RAISE EXCEPTION %L; END',
    format('the role %s is on the server already, and is not this store''s', :'store')))
  FROM pg_roles
  WHERE rolname = :'store' AND shobj_description(oid, 'pg_authid') IS DISTINCT FROM :'owner' \gexec

ALTER ROLE :"store" LOGIN CONNECTION LIMIT :connections PASSWORD :'verifier';
-- An administrator that is no superuser may only give away what it is itself a member of.
GRANT :"store" TO CURRENT_USER;

SELECT format('CREATE DATABASE %I OWNER %I', :'store', :'store')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'store') \gexec

SELECT format('DO %L', format('BEGIN RAISE EXCEPTION %L; END',
    format('the database %s is on the server already, and is not this store''s', :'store')))
  FROM pg_database
  WHERE datname = :'store' AND pg_get_userbyid(datdba) <> :'store' \gexec

-- Every role may connect to every database, where nothing else is said.
REVOKE ALL ON DATABASE :"store" FROM PUBLIC;
