-- The four roles of the system. `make run` executes this file on its embedded server. On a server of your own:
--
--   psql --dbname=postgres --file=deploy/roles.sql          as a superuser; may be repeated
--   psql --dbname=postgres --command='\password crm_owner'  and the same for crm_app
--   createdb --owner=crm_owner --encoding=UTF8 crm
--   psql --dbname=crm --file=deploy/database.sql
--
-- then DATABASE_URL names crm_app and DATABASE_OWNER_URL names crm_owner.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'crm_owner') THEN
        CREATE ROLE crm_owner;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'crm_app') THEN
        CREATE ROLE crm_app;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'crm_search') THEN
        CREATE ROLE crm_search;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'crm_audit') THEN
        CREATE ROLE crm_audit;
    END IF;
END
$$;

-- Owns the tables and migrates. CREATEDB is for test databases only: take it away in production.
ALTER ROLE crm_owner LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOREPLICATION;

-- Serves requests. SECURITY: row-level security holds only for a role that is neither a superuser nor the owner of
-- the tables and has no BYPASSRLS.
ALTER ROLE crm_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;

-- Owns the search functions. Nobody can sign in as this role.
ALTER ROLE crm_search NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;

-- Owns the function behind the audit triggers: the only role that may write the trail. Nobody can sign in as it.
ALTER ROLE crm_audit NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;

-- The owner may hand functions over to crm_search and crm_audit. SECURITY: it does not inherit the rights of these roles (the
-- policies of crm_search show every team's rows); before PostgreSQL 16 a membership could not be limited so.
DO $$
BEGIN
    IF current_setting('server_version_num')::int >= 160000 THEN
        EXECUTE 'GRANT crm_search, crm_audit TO crm_owner WITH SET TRUE, INHERIT FALSE';
    ELSE
        GRANT crm_search, crm_audit TO crm_owner;
    END IF;
END
$$;
