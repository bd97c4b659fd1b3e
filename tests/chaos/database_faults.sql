-- What the harness does to the database, past any wire.

-- Commits are refused with real SQLSTATEs, from inside the server: a constraint trigger that is deferred to the COMMIT.
-- What is made for that has a schema of its own, and is there only while a run has such faults.

-- name: prepare
-- A sequence counts what was refused, because nextval survives the rollback that a refusal causes.
CREATE SCHEMA IF NOT EXISTS chaos;
CREATE SEQUENCE IF NOT EXISTS chaos.refusals;
CREATE TABLE IF NOT EXISTS chaos.refusing (error_code text NOT NULL, problem text NOT NULL, times bigint NOT NULL);
CREATE OR REPLACE FUNCTION chaos.refuse_commit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    refusing chaos.refusing;
BEGIN
    SELECT * INTO refusing FROM chaos.refusing;
    IF FOUND AND nextval('chaos.refusals') <= refusing.times THEN
        RAISE EXCEPTION USING ERRCODE = refusing.error_code, MESSAGE = refusing.problem;
    END IF;
    RETURN NULL;
END $$;

-- name: unwatched
SELECT table_name FROM information_schema.tables
WHERE table_schema = 'public' AND table_name = ANY (%(tables)s)
  AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'refuse_commit' AND tgrelid = table_name::text::regclass)
ORDER BY table_name;

-- name: watch
CREATE CONSTRAINT TRIGGER refuse_commit AFTER INSERT OR UPDATE ON {table}
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION chaos.refuse_commit();

-- name: unwatch
DROP TRIGGER IF EXISTS refuse_commit ON {table};

-- name: count_anew
ALTER SEQUENCE chaos.refusals RESTART;

-- name: forget
DELETE FROM chaos.refusing;

-- name: refuse
INSERT INTO chaos.refusing VALUES (%(error_code)s, %(problem)s, %(times)s);

-- name: refused
SELECT least(CASE WHEN is_called THEN last_value ELSE 0 END, (SELECT times FROM chaos.refusing))
FROM chaos.refusals;

-- name: remove
DROP SCHEMA IF EXISTS chaos CASCADE;

-- name: terminate_backends
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid();

-- name: terminate_lock_holders
SELECT pg_terminate_backend(pid)
FROM (SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()) AS holders;

-- name: busiest_backend
SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
ORDER BY state = 'idle', query_start DESC NULLS LAST LIMIT 1;
