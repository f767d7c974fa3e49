-- Removes a store's role and database. psql runs it as the server's administrator. It may be run again after any statement.
\set ON_ERROR_STOP on
\getenv store STORE
\getenv owner STORE_OWNER
\set own_database :DBNAME

SELECT EXISTS (
  SELECT FROM pg_roles WHERE rolname = :'store' AND shobj_description(oid, 'pg_authid') = :'owner'
) AS ours \gset

\if :ours
  ALTER ROLE :"store" NOLOGIN;
  -- An administrator that is no superuser can end the sessions and drop the objects only of a role that it is a member of.
  GRANT :"store" TO CURRENT_USER;
  SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = :'store' \g /dev/null

  SELECT format('ALTER DATABASE %I IS_TEMPLATE false', datname)
    FROM pg_database
    WHERE datname = :'store' AND pg_get_userbyid(datdba) = :'store' AND datistemplate \gexec
  SELECT format('DROP DATABASE %I WITH (FORCE)', datname)
    FROM pg_database
    WHERE datname = :'store' AND pg_get_userbyid(datdba) = :'store' \gexec

  -- The role may have objects and privileges in databases that admitted it. What depends on the role after this belongs
  -- to another role, which must not be able to keep this one from being removed.
  \set ON_ERROR_STOP off
  DROP OWNED BY :"store";
  SELECT
      coalesce(bool_or(datname = 'template1'), false) AS in_template1,
      coalesce(bool_or(datname = 'postgres'), false) AS in_postgres
    FROM pg_shdepend JOIN pg_database ON pg_database.oid = dbid
    WHERE refclassid = 'pg_authid'::regclass AND refobjid = to_regrole(quote_ident(:'store')) \gset
  \if :in_template1
    \connect template1
    DROP OWNED BY :"store";
  \endif
  \if :in_postgres
    \connect postgres
    DROP OWNED BY :"store";
  \endif
  \connect :own_database
  DROP ROLE :"store";
  \set ON_ERROR_STOP on
  -- The role cannot sign in. A new store of this id needs its name.
  SELECT
      format('ALTER ROLE %I RENAME TO %I', rolname, 'removed-' || oid),
      format('DO %L', format('BEGIN RAISE WARNING %L; END',
        format('the role %s could not be dropped, and is now removed-%s: drop what depends on it', rolname, oid)))
    FROM pg_roles WHERE rolname = :'store' \gexec
\endif
