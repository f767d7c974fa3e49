-- Creates a store's role and database. psql runs it as the server's administrator. It may be run again after any statement.
\set ON_ERROR_STOP on
\getenv store STORE
\getenv owner STORE_OWNER
\getenv verifier STORE_VERIFIER
\getenv connections STORE_CONNECTIONS

-- A role may connect to every database that admits PUBLIC. In these it could leave objects, or block CREATE DATABASE.
DO $do$
DECLARE
  open name;
BEGIN
  FOR open IN
    SELECT datname FROM pg_database
      WHERE datname IN ('template1', 'postgres', current_database()) AND has_database_privilege('public', oid, 'CONNECT')
  LOOP
    BEGIN
      EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', open);
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING 'CONNECT on the database % was not revoked from PUBLIC: %', open, SQLERRM;
    END;
    IF has_database_privilege('public', open, 'CONNECT') THEN
      RAISE WARNING 'every store can connect to the database %; as its owner, revoke CONNECT on it from PUBLIC', open;
    END IF;
  END LOOP;
END $do$;

-- The role never exists without its comment.
BEGIN;
SELECT format('CREATE ROLE %I', :'store'), format('COMMENT ON ROLE %I IS %L', :'store', :'owner')
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'store') \gexec
COMMIT;

SELECT format('DO %L', format('BEGIN RAISE EXCEPTION %L; END',
    format('the role %s is on the server already, and is not this store''s', :'store')))
  FROM pg_roles
  WHERE rolname = :'store' AND shobj_description(oid, 'pg_authid') IS DISTINCT FROM :'owner' \gexec

ALTER ROLE :"store" LOGIN CONNECTION LIMIT :connections PASSWORD :'verifier';
-- An administrator that is no superuser can give objects only to a role that it is a member of.
GRANT :"store" TO CURRENT_USER;

-- template0 contains nothing of other roles, and nobody can connect to it. Connections to the new database wait for
-- the REVOKE below, because a new database admits PUBLIC.
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ALLOW_CONNECTIONS false', :'store', :'store')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'store') \gexec

SELECT format('DO %L', format('BEGIN RAISE EXCEPTION %L; END',
    format('the database %s is on the server already, and is not this store''s', :'store')))
  FROM pg_database
  WHERE datname = :'store' AND pg_get_userbyid(datdba) <> :'store' \gexec

REVOKE ALL ON DATABASE :"store" FROM PUBLIC;
ALTER DATABASE :"store" ALLOW_CONNECTIONS true;
