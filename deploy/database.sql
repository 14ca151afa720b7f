-- Rights inside the database, for a superuser or the owner of the database; may be repeated. See roles.sql.

DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO crm_app', current_database());
END
$$;

-- Nobody but the owner creates objects. Rights on the tables are granted after each migration.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO crm_owner;
GRANT USAGE ON SCHEMA public TO crm_app, crm_search, crm_audit;
