SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE FUNCTION public.count_tasks() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO task_counts (status_rank, priority_rank, assignee_id, amount) SELECT status_rank, priority_rank, assignee_id, count(*) FROM touched GROUP BY status_rank, priority_rank, assignee_id;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO task_counts (status_rank, priority_rank, assignee_id, amount) SELECT status_rank, priority_rank, assignee_id, -count(*) FROM touched GROUP BY status_rank, priority_rank, assignee_id;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO task_counts (status_rank, priority_rank, assignee_id, amount) VALUES (old.status_rank, old.priority_rank, old.assignee_id, -1), (new.status_rank, new.priority_rank, new.assignee_id, 1);
    ELSE
        DELETE FROM task_counts;
    END IF;
    RETURN NULL;
END
$$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.ai_usage (
    owner_kind text NOT NULL,
    owner_id text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    day text NOT NULL,
    requests bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.alert_rules (
    id uuid NOT NULL,
    name text NOT NULL,
    enabled boolean NOT NULL,
    webhook_url text NOT NULL,
    header_names text NOT NULL,
    allow_private boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE public.audit_entries (
    seq bigint NOT NULL,
    writer text NOT NULL,
    writer_seq bigint NOT NULL,
    "time" timestamp with time zone NOT NULL,
    actor text NOT NULL,
    device text NOT NULL,
    action text NOT NULL,
    owner_kind text,
    owner_id text,
    name text,
    fingerprint text,
    outcome text NOT NULL,
    reason text,
    count integer NOT NULL,
    prev text NOT NULL,
    mac text NOT NULL
);
CREATE SEQUENCE public.audit_entries_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.audit_entries_seq_seq OWNED BY public.audit_entries.seq;
CREATE TABLE public.cameras (
    id uuid NOT NULL,
    name text NOT NULL,
    stream_url text NOT NULL,
    username text,
    active boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE public.changes (
    id bigint NOT NULL,
    number bigint,
    resource text NOT NULL,
    resource_id text NOT NULL,
    change text NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.changes_id_seq OWNED BY public.changes.id;
CREATE TABLE public.chat_servers (
    server_id text NOT NULL,
    provider text NOT NULL,
    dm_roll_visibility text NOT NULL,
    player_roll_mode text NOT NULL,
    character_sheet_mode text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE public.daily_updates (
    id uuid NOT NULL,
    task_id uuid NOT NULL,
    author_id uuid NOT NULL,
    content text NOT NULL,
    edited boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE public.idempotency_keys (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    status integer NOT NULL,
    headers text NOT NULL,
    body text NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.members (
    id uuid NOT NULL,
    name text NOT NULL,
    name_folded text NOT NULL COLLATE pg_catalog."C",
    email text NOT NULL,
    email_folded text NOT NULL,
    active boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE public.secrets (
    id uuid NOT NULL,
    owner_kind text NOT NULL,
    owner_id text NOT NULL,
    name text NOT NULL,
    ciphertext text NOT NULL,
    kid text NOT NULL,
    api_secret_fingerprint text,
    row_version integer NOT NULL,
    fingerprint text NOT NULL,
    hint text,
    status text NOT NULL,
    status_evidence text,
    last_validated_at timestamp with time zone,
    expires_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    pinned_host text,
    next_check_at timestamp with time zone,
    refused_at timestamp with time zone
);
CREATE TABLE public.sub_tasks (
    id uuid NOT NULL,
    task_id uuid NOT NULL,
    title text NOT NULL,
    completed boolean NOT NULL,
    "position" integer NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.task_counts (
    id bigint NOT NULL,
    status_rank smallint NOT NULL,
    priority_rank smallint NOT NULL,
    assignee_id uuid,
    amount bigint NOT NULL
);
CREATE SEQUENCE public.task_counts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.task_counts_id_seq OWNED BY public.task_counts.id;
CREATE TABLE public.task_grams (
    number bigint NOT NULL,
    task_id uuid NOT NULL,
    grams integer[] NOT NULL
);
CREATE SEQUENCE public.task_grams_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.task_grams_number_seq OWNED BY public.task_grams.number;
CREATE TABLE public.tasks (
    id uuid NOT NULL,
    title text NOT NULL,
    description text,
    status text NOT NULL,
    status_rank smallint NOT NULL,
    priority text NOT NULL,
    priority_rank smallint NOT NULL,
    assignee_id uuid,
    gear_id text,
    blocking_reason text NOT NULL,
    searched text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_order bigint NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    updated_order bigint NOT NULL,
    blocked_since timestamp with time zone,
    CONSTRAINT ck_tasks_priority CHECK ((((priority = 'High'::text) AND (priority_rank = 0)) OR ((priority = 'Medium'::text) AND (priority_rank = 1)) OR ((priority = 'Low'::text) AND (priority_rank = 2)))),
    CONSTRAINT ck_tasks_status CHECK ((((status = 'To Do'::text) AND (status_rank = 0)) OR ((status = 'In Progress'::text) AND (status_rank = 1)) OR ((status = 'Blocked'::text) AND (status_rank = 2)) OR ((status = 'Done'::text) AND (status_rank = 3))))
);
CREATE TABLE public.tenants (
    id text NOT NULL,
    name text NOT NULL,
    tier text NOT NULL,
    trial_limit integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    trial_tokens integer DEFAULT 200000 NOT NULL
);
CREATE TABLE public.trial_calls (
    tenant_id text NOT NULL,
    day text NOT NULL,
    calls integer NOT NULL,
    tokens bigint DEFAULT '0'::bigint NOT NULL
);
CREATE TABLE public.vault_keys (
    kid text NOT NULL,
    state text NOT NULL,
    fingerprint_key text NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.vault_owners (
    owner_kind text NOT NULL,
    owner_id text NOT NULL,
    salt text NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.vault_rotations (
    id integer NOT NULL,
    state text NOT NULL,
    from_kid text,
    to_kid text,
    total integer NOT NULL,
    done integer NOT NULL,
    quarantined integer NOT NULL,
    runner text,
    heartbeat_at timestamp with time zone,
    started_at timestamp with time zone,
    finished_at timestamp with time zone
);
CREATE TABLE public.vault_wraps (
    kid text NOT NULL,
    fingerprint text NOT NULL,
    kind text NOT NULL,
    wrap text NOT NULL,
    escrow text,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.vaults (
    id integer NOT NULL,
    vault_id uuid NOT NULL,
    epoch integer NOT NULL,
    created_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.audit_entries ALTER COLUMN seq SET DEFAULT nextval('public.audit_entries_seq_seq'::regclass);
ALTER TABLE ONLY public.changes ALTER COLUMN id SET DEFAULT nextval('public.changes_id_seq'::regclass);
ALTER TABLE ONLY public.task_counts ALTER COLUMN id SET DEFAULT nextval('public.task_counts_id_seq'::regclass);
ALTER TABLE ONLY public.task_grams ALTER COLUMN number SET DEFAULT nextval('public.task_grams_number_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0007');
INSERT INTO public.alert_rules VALUES ('39abd785-8761-415a-a71e-36f47ec504e0', 'Rule', true, 'https://hooks.example.com/x', '["X-Token"]', true, '2026-11-29 22:13:41.993786+00', '2026-11-29 22:13:41.993786+00');
INSERT INTO public.audit_entries VALUES (1, '133b1fa61d1c9d12-4aa98805443fde09', 1, '2026-11-29 22:13:40.037966+00', 'cli', 'vm', 'set', 'system', 'default', 'openai', '37c4e16d58b50dd9', 'ok', NULL, 1, '0000000000000000000000000000000000000000000000000000000000000000', '58417d821b96826ad11b39afa9028f45cec39692bbf94f3b3850a3bd7493c4ea');
INSERT INTO public.audit_entries VALUES (2, '133b1fa61d1c9d12-4aa98805443fde09', 2, '2026-11-29 22:13:40.059061+00', 'cli', 'vm', 'set', 'system', 'default', 'anthropic', '5f3d41fa06a35e52', 'ok', NULL, 1, '58417d821b96826ad11b39afa9028f45cec39692bbf94f3b3850a3bd7493c4ea', '69e15a5a6a72ee5c7bea923f6ba1ff8b511d11e4cdfbf6af5dde73ab28b1db26');
INSERT INTO public.audit_entries VALUES (3, '133b1fa61d1c9d12-4aa98805443fde09', 3, '2026-11-29 22:13:41.801501+00', 'launch-token', 'vm', 'set', 'camera', 'd216b969-217d-4eb2-a7de-24f695ff4653', 'password', '624088d145846f53', 'ok', NULL, 1, '69e15a5a6a72ee5c7bea923f6ba1ff8b511d11e4cdfbf6af5dde73ab28b1db26', '1abe216a81d9b1b216dc66b455c897012f5dbbf58d47d3f496e9d1e8ff0498bb');
INSERT INTO public.audit_entries VALUES (4, '133b1fa61d1c9d12-4aa98805443fde09', 4, '2026-11-29 22:13:42.032496+00', 'launch-token', 'vm', 'set', 'alert_rule', '39abd785-8761-415a-a71e-36f47ec504e0', 'header:x-token', '158aa822ceb25583', 'ok', NULL, 1, '1abe216a81d9b1b216dc66b455c897012f5dbbf58d47d3f496e9d1e8ff0498bb', '0fb9b8201f4c882dac3742117748c9184fcb489f5194af53c5a63c0b922c8134');
INSERT INTO public.audit_entries VALUES (5, '133b1fa61d1c9d12-4aa98805443fde09', 5, '2026-11-29 22:13:42.227998+00', 'launch-token', 'vm', 'set', 'server', 'guild', 'openai', 'b33eab95d5885568', 'ok', NULL, 1, '0fb9b8201f4c882dac3742117748c9184fcb489f5194af53c5a63c0b922c8134', '4829d28cb5faea46a3d80f63a97512b1882d48fc63f505822fbb4f38b6367827');
INSERT INTO public.audit_entries VALUES (6, '133b1fa61d1c9d12-4aa98805443fde09', 6, '2026-11-29 22:13:42.408667+00', 'launch-token', 'vm', 'set', 'tenant', 'acme', 'openai', 'c676d90ea6e6f1db', 'ok', NULL, 1, '4829d28cb5faea46a3d80f63a97512b1882d48fc63f505822fbb4f38b6367827', '24fc907201b87c23c5fc38ed620af51d775f116e800f387693557e525c194fc6');
INSERT INTO public.audit_entries VALUES (7, '133b1fa61d1c9d12-4aa98805443fde09', 7, '2026-11-29 22:13:42.445043+00', 'launch-token', 'vm', 'set', 'user', 'ann', 'openai', '8a544c7accc83b7e', 'ok', NULL, 1, '24fc907201b87c23c5fc38ed620af51d775f116e800f387693557e525c194fc6', '5524aaac6147e386ab58bd28291ced6934b01f2c26e5286386dd905a07e04658');
INSERT INTO public.cameras VALUES ('d216b969-217d-4eb2-a7de-24f695ff4653', 'Door', 'http://127.0.0.1:1/stream', 'admin', true, '2026-11-29 22:13:41.655061+00', '2026-11-29 22:13:41.655061+00');
INSERT INTO public.changes VALUES (1, NULL, 'member', '82656c87-0679-4816-aa40-3e3a89ad480f', 'created', '2026-11-29 22:13:35.397304+00');
INSERT INTO public.changes VALUES (2, NULL, 'member', 'fde5f645-9b9a-4b89-9aa8-11158953779d', 'created', '2026-11-29 22:13:35.549146+00');
INSERT INTO public.changes VALUES (3, NULL, 'member', '9b36f68d-6b4b-44c1-b393-925610dcaa2a', 'created', '2026-11-29 22:13:35.70565+00');
INSERT INTO public.changes VALUES (4, NULL, 'task', '9a5c88da-4f8c-4bfa-ab65-af2104765022', 'created', '2026-11-29 22:13:40.368156+00');
INSERT INTO public.changes VALUES (5, NULL, 'sub_task', '020a96db-9fb4-473e-b715-a49060dd609c', 'created', '2026-11-29 22:13:40.429729+00');
INSERT INTO public.changes VALUES (6, NULL, 'task', '9a5c88da-4f8c-4bfa-ab65-af2104765022', 'updated', '2026-11-29 22:13:40.438974+00');
INSERT INTO public.changes VALUES (7, NULL, 'sub_task', '5604b666-eafd-41f8-a05f-650b9c3c8139', 'created', '2026-11-29 22:13:40.482978+00');
INSERT INTO public.changes VALUES (8, NULL, 'task', '9a5c88da-4f8c-4bfa-ab65-af2104765022', 'updated', '2026-11-29 22:13:40.488001+00');
INSERT INTO public.changes VALUES (9, NULL, 'sub_task', '3633d1d6-39ba-4803-9435-8f5151668906', 'created', '2026-11-29 22:13:40.531014+00');
INSERT INTO public.changes VALUES (10, NULL, 'task', '9a5c88da-4f8c-4bfa-ab65-af2104765022', 'updated', '2026-11-29 22:13:40.537634+00');
INSERT INTO public.changes VALUES (11, NULL, 'daily_update', '6fa36d04-14c3-44be-87e2-40ab71eaa45a', 'created', '2026-11-29 22:13:40.582879+00');
INSERT INTO public.changes VALUES (12, NULL, 'task', '9a5c88da-4f8c-4bfa-ab65-af2104765022', 'updated', '2026-11-29 22:13:40.596867+00');
INSERT INTO public.changes VALUES (13, NULL, 'daily_update', '12af160f-e855-41c5-b928-ed4ee4dc80f3', 'created', '2026-11-29 22:13:40.650556+00');
INSERT INTO public.changes VALUES (14, NULL, 'task', '9a5c88da-4f8c-4bfa-ab65-af2104765022', 'updated', '2026-11-29 22:13:40.654186+00');
INSERT INTO public.changes VALUES (15, NULL, 'task', '082c4c06-80e8-4acf-b0b0-7d8b59144170', 'created', '2026-11-29 22:13:40.725625+00');
INSERT INTO public.changes VALUES (16, NULL, 'sub_task', '45f7e7c0-56a2-48aa-8307-63340a29ba5b', 'created', '2026-11-29 22:13:40.788504+00');
INSERT INTO public.changes VALUES (17, NULL, 'task', '082c4c06-80e8-4acf-b0b0-7d8b59144170', 'updated', '2026-11-29 22:13:40.791488+00');
INSERT INTO public.changes VALUES (18, NULL, 'sub_task', '45054bde-504a-4c0e-b669-d84c4ec3093d', 'created', '2026-11-29 22:13:40.86293+00');
INSERT INTO public.changes VALUES (19, NULL, 'task', '082c4c06-80e8-4acf-b0b0-7d8b59144170', 'updated', '2026-11-29 22:13:40.878203+00');
INSERT INTO public.changes VALUES (20, NULL, 'sub_task', '96ac8d85-1763-45b6-aa70-287ddc3f5d1b', 'created', '2026-11-29 22:13:40.952865+00');
INSERT INTO public.changes VALUES (21, NULL, 'task', '082c4c06-80e8-4acf-b0b0-7d8b59144170', 'updated', '2026-11-29 22:13:40.961042+00');
INSERT INTO public.changes VALUES (22, NULL, 'daily_update', '7c02e8a6-4190-423e-b8b0-9c80148cafb5', 'created', '2026-11-29 22:13:41.011506+00');
INSERT INTO public.changes VALUES (23, NULL, 'task', '082c4c06-80e8-4acf-b0b0-7d8b59144170', 'updated', '2026-11-29 22:13:41.030009+00');
INSERT INTO public.changes VALUES (24, NULL, 'daily_update', '2a41cc55-d733-4418-8012-a28a6e185d83', 'created', '2026-11-29 22:13:41.108319+00');
INSERT INTO public.changes VALUES (25, NULL, 'task', '082c4c06-80e8-4acf-b0b0-7d8b59144170', 'updated', '2026-11-29 22:13:41.128973+00');
INSERT INTO public.changes VALUES (26, NULL, 'task', 'bf6b18a3-e47e-478e-a408-03c468c89f8f', 'created', '2026-11-29 22:13:41.188218+00');
INSERT INTO public.changes VALUES (27, NULL, 'sub_task', '2b0ac9db-617c-421e-84f9-e2f7318ffa29', 'created', '2026-11-29 22:13:41.263312+00');
INSERT INTO public.changes VALUES (28, NULL, 'task', 'bf6b18a3-e47e-478e-a408-03c468c89f8f', 'updated', '2026-11-29 22:13:41.270785+00');
INSERT INTO public.changes VALUES (29, NULL, 'sub_task', 'a4e6c3ba-ebd6-49d2-b771-db8cec8341f2', 'created', '2026-11-29 22:13:41.326526+00');
INSERT INTO public.changes VALUES (30, NULL, 'task', 'bf6b18a3-e47e-478e-a408-03c468c89f8f', 'updated', '2026-11-29 22:13:41.328884+00');
INSERT INTO public.changes VALUES (31, NULL, 'sub_task', '1d5a28f7-597e-4c4e-817a-5655858e9d6b', 'created', '2026-11-29 22:13:41.411928+00');
INSERT INTO public.changes VALUES (32, NULL, 'task', 'bf6b18a3-e47e-478e-a408-03c468c89f8f', 'updated', '2026-11-29 22:13:41.421278+00');
INSERT INTO public.changes VALUES (33, NULL, 'daily_update', 'd50ed075-f67d-49c4-8e49-61778dfed88a', 'created', '2026-11-29 22:13:41.494113+00');
INSERT INTO public.changes VALUES (34, NULL, 'task', 'bf6b18a3-e47e-478e-a408-03c468c89f8f', 'updated', '2026-11-29 22:13:41.50625+00');
INSERT INTO public.changes VALUES (35, NULL, 'daily_update', '0f2fd544-d8a8-42e0-aef4-10eaa6e082b6', 'created', '2026-11-29 22:13:41.583921+00');
INSERT INTO public.changes VALUES (36, NULL, 'task', 'bf6b18a3-e47e-478e-a408-03c468c89f8f', 'updated', '2026-11-29 22:13:41.586857+00');
INSERT INTO public.changes VALUES (37, NULL, 'member', '9b36f68d-6b4b-44c1-b393-925610dcaa2a', 'updated', '2026-11-29 22:13:42.61432+00');
INSERT INTO public.chat_servers VALUES ('guild', 'openai', 'public', 'manual_digital', 'digital_sheet', '2026-11-29 22:13:42.149393+00', '2026-11-29 22:13:42.161808+00');
INSERT INTO public.daily_updates VALUES ('6fa36d04-14c3-44be-87e2-40ab71eaa45a', '9a5c88da-4f8c-4bfa-ab65-af2104765022', '9b36f68d-6b4b-44c1-b393-925610dcaa2a', 'Drained today.', false, '2026-11-29 22:13:40.571661+00', '2026-11-29 22:13:40.571661+00');
INSERT INTO public.daily_updates VALUES ('12af160f-e855-41c5-b928-ed4ee4dc80f3', '9a5c88da-4f8c-4bfa-ab65-af2104765022', '9b36f68d-6b4b-44c1-b393-925610dcaa2a', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-29 22:13:40.633875+00', '2026-11-29 22:13:40.633875+00');
INSERT INTO public.daily_updates VALUES ('7c02e8a6-4190-423e-b8b0-9c80148cafb5', '082c4c06-80e8-4acf-b0b0-7d8b59144170', '9b36f68d-6b4b-44c1-b393-925610dcaa2a', 'Drained today.', false, '2026-11-29 22:13:40.99527+00', '2026-11-29 22:13:40.99527+00');
INSERT INTO public.daily_updates VALUES ('2a41cc55-d733-4418-8012-a28a6e185d83', '082c4c06-80e8-4acf-b0b0-7d8b59144170', '9b36f68d-6b4b-44c1-b393-925610dcaa2a', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-29 22:13:41.092058+00', '2026-11-29 22:13:41.092058+00');
INSERT INTO public.daily_updates VALUES ('d50ed075-f67d-49c4-8e49-61778dfed88a', 'bf6b18a3-e47e-478e-a408-03c468c89f8f', '9b36f68d-6b4b-44c1-b393-925610dcaa2a', 'Drained today.', false, '2026-11-29 22:13:41.47403+00', '2026-11-29 22:13:41.47403+00');
INSERT INTO public.daily_updates VALUES ('0f2fd544-d8a8-42e0-aef4-10eaa6e082b6', 'bf6b18a3-e47e-478e-a408-03c468c89f8f', '9b36f68d-6b4b-44c1-b393-925610dcaa2a', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-29 22:13:41.552797+00', '2026-11-29 22:13:41.552797+00');
INSERT INTO public.members VALUES ('82656c87-0679-4816-aa40-3e3a89ad480f', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', true, '2026-11-29 22:13:35.341142+00', '2026-11-29 22:13:35.341142+00');
INSERT INTO public.members VALUES ('fde5f645-9b9a-4b89-9aa8-11158953779d', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', true, '2026-11-29 22:13:35.533027+00', '2026-11-29 22:13:35.533027+00');
INSERT INTO public.members VALUES ('9b36f68d-6b4b-44c1-b393-925610dcaa2a', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', false, '2026-11-29 22:13:35.689907+00', '2026-11-29 22:13:42.608864+00');
INSERT INTO public.secrets VALUES ('64630f2e-7e31-4a0a-a838-b09bd0a192e7', 'system', 'default', 'openai', 'vf1.f66a5598.gAAAAABrDKOUfOLfbwf5Hd6Bpk8kNlKFHBR43WObIWPQZGOV9mITRCsfLPhM1YGuY_aGa37xaIZiCgwUnNHHfetAO5EOzzKCGjAVKpW1SMKixkeqlEGKpjRu3Q9IefMxdZ-SIErbX8-pPx3MV33SwNHyxTbiiCXJQObK9duW9GwlVEYjGTfZJtDysoh34qhbiNRsLLXUL8sU36SsxYUPUMmh9R9xZx0OML0el0bHP6-RtSp2DfMPzDdCUb6qn3eWLOhYkOa3KQeY', 'f66a5598', NULL, 1, '37c4e16d58b50dd9', 'ENAI', 'unknown', NULL, NULL, NULL, '2026-11-29 22:13:40.008249+00', '2026-11-29 22:13:40.008249+00', 'https://api.openai.com', '2026-11-30 23:03:10.884299+00', NULL);
INSERT INTO public.secrets VALUES ('106c769a-3a0f-4b63-990f-ed117f046fdf', 'system', 'default', 'anthropic', 'vf1.f66a5598.gAAAAABrDKOU3OAHnAuooHXgOtpQJUUuTHH4vCFx1rUy60Os6tUPJY5SWBga35SC28ONRtcajjWye0r8YP3LRGxFg8HF8mDPpcZSEWZIqxEQLw3W6UEeVry2iLzidP3g_lezMbOD8H5lU6N-eVmKuwQBLJKnfQcAYcJs7oYj59o733Ki86LsN_FO57gwGa8-nmUtdVs7WtdAHndCCQS-kHZVVnjL6S_844En0WvbDCxTzaz3jw7MR8e0cB6wQz6E8tgrP7O4bbZJ', 'f66a5598', NULL, 1, '5f3d41fa06a35e52', 'ANTH', 'unknown', NULL, NULL, NULL, '2026-11-29 22:13:40.042847+00', '2026-11-29 22:13:40.042847+00', 'https://api.anthropic.com', '2026-11-30 21:10:30.34749+00', NULL);
INSERT INTO public.secrets VALUES ('7151c5fa-b9c6-4174-bc83-13eff58888c4', 'camera', 'd216b969-217d-4eb2-a7de-24f695ff4653', 'password', 'vf1.f66a5598.gAAAAABrDKOVNdZcTJiJeGST9AwpB4N0j9CNPF3dePv4mqnu-GkgAVp2hiehi5-OPimBOKD-D4Rd87erc8TDJR53xreu0hthJTijpPxg3mbmytb05SlmKJH9vfC2GEeBFupTQouERe71BB9o23bYTCk9I2fToYpVwzZVD2B57mQYlW0dewUmGJHj4-fD4t8LVxEyAHq3tOLNBHHOEGPo_MiYxrObfrpxxghx7SPnn09BvopdhttHEDc5k0SusRuISOrVLYJfDIzn', 'f66a5598', NULL, 1, '624088d145846f53', '6789', 'unknown', NULL, NULL, '2099-01-31 00:00:00+00', '2026-11-29 22:13:41.749413+00', '2026-11-29 22:13:41.749413+00', NULL, NULL, NULL);
INSERT INTO public.secrets VALUES ('e97aaaba-db7b-4639-9288-1540513022c1', 'alert_rule', '39abd785-8761-415a-a71e-36f47ec504e0', 'header:x-token', 'vf1.f66a5598.gAAAAABrDKOWYOjP4CBG2nchf3G02mgTQtPWxFP8mQeeQXCH_TZ-cnMrFZaPD_iAl807aQ9_YIdDDK8WtfCJ6EoKqEqaJaIFMKBoO1SRS2DVbx2DwwfRkeWqnBckWi8SKdIr5fmta0M8TD4xXAO8M-wUe0NaZNz70WFIS6o8MjXgsWhI_E5_Rs2PhsLE40IaeEmpxnTAG911AZ1b61pR3eLVDgafFdYKKXl8bYb2KvkRDhZAjn0drTjt1dkvsRxDe8d8eZBo9y1B', 'f66a5598', NULL, 1, '158aa822ceb25583', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29 22:13:42.015113+00', '2026-11-29 22:13:42.015113+00', NULL, NULL, NULL);
INSERT INTO public.secrets VALUES ('68516a74-008a-417b-bb82-8521e1236f80', 'server', 'guild', 'openai', 'vf1.f66a5598.gAAAAABrDKOWYtplIutjy--P5jEVe3e2_WPpDP5votU88rXpKNJcTDR2KxvdJH2sbC2lWkYNKo2tTEwM7WHZAB2a9nxFj3_9J7Em8j3nQzkb3KYhl-Pbi1l6ZoVVINzcFk_OPR5hIFRPfbXQflWyjK1erSIKGF5xs6f20VBlkgeOjdEV9-tcGZSDSNPLWfubByX3AD0u7bnQm5tvc31xX4ICTJFb42_LeesKfDr5G6LfkwEQ3qevPdQtHcN5rP5DQw17M_w708iB', 'f66a5598', NULL, 1, 'b33eab95d5885568', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29 22:13:42.207097+00', '2026-11-29 22:13:42.207097+00', 'https://api.openai.com', '2026-12-01 00:19:22.934214+00', NULL);
INSERT INTO public.secrets VALUES ('d3609685-301f-44e3-9875-1cbc7fed4bfc', 'tenant', 'acme', 'openai', 'vf1.f66a5598.gAAAAABrDKOWZ6keK9CXUctQKWfNvcHf36c1z-TpjcWZ-xOp2Q6T6hZ5QB-BMsLWBcLUk2-P4OKjBGrhEJKSkzvXJb1Df2nArhxQmuSgr7sdaz87fQPcJ1YFal4-bPOVf9gBah7n6_tFH2c6HIJVNlD_9bpbG195OcLqBCc_lg-Shvoj4Uqpdw4fZdAZJeDPaX5Jlh7DEqNimonJMwqEJKjMB0mqkm7dQfqYmL35G4oZxGmfMK1bPW84Ewo5RSL57mJHwNXwbfHC', 'f66a5598', NULL, 1, 'c676d90ea6e6f1db', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29 22:13:42.395574+00', '2026-11-29 22:13:42.395574+00', 'https://api.openai.com', '2026-11-30 20:21:24.335078+00', NULL);
INSERT INTO public.secrets VALUES ('ff9acdff-d4e1-4d1c-b3e1-e4e877873779', 'user', 'ann', 'openai', 'vf1.f66a5598.gAAAAABrDKOWbwB9dSVxbLe2_K40bU7MLggp49taKQ3H2vcgEX7mCBB3I3Y_QFh-AVFX019Q1qgchaxw0eB8B2d6G1x6G71BR9RHTatblGxeewCOpiv144uj9ZNwSPt55kIRAd2JyUE4w8uMZ3e5jazyn_-bvjFDlEDBU7GyRS4OlvivVfoIGDrzZJdoMDwELDRL-ctpoElOhJpco-smEMp_6zKV-KmjnFiRDv2NKqRBVV45y1_2ugQuESOTUZjSG_WIL8Q0Yd2R', 'f66a5598', NULL, 1, '8a544c7accc83b7e', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29 22:13:42.425912+00', '2026-11-29 22:13:42.425912+00', 'https://api.openai.com', '2026-11-30 22:44:30.932413+00', NULL);
INSERT INTO public.sub_tasks VALUES ('020a96db-9fb4-473e-b715-a49060dd609c', '9a5c88da-4f8c-4bfa-ab65-af2104765022', 'Drain', false, 0, '2026-11-29 22:13:40.42351+00');
INSERT INTO public.sub_tasks VALUES ('5604b666-eafd-41f8-a05f-650b9c3c8139', '9a5c88da-4f8c-4bfa-ab65-af2104765022', 'Fit', false, 1, '2026-11-29 22:13:40.477777+00');
INSERT INTO public.sub_tasks VALUES ('3633d1d6-39ba-4803-9435-8f5151668906', '9a5c88da-4f8c-4bfa-ab65-af2104765022', 'Test', false, 2, '2026-11-29 22:13:40.52087+00');
INSERT INTO public.sub_tasks VALUES ('45f7e7c0-56a2-48aa-8307-63340a29ba5b', '082c4c06-80e8-4acf-b0b0-7d8b59144170', 'Drain', false, 0, '2026-11-29 22:13:40.768871+00');
INSERT INTO public.sub_tasks VALUES ('45054bde-504a-4c0e-b669-d84c4ec3093d', '082c4c06-80e8-4acf-b0b0-7d8b59144170', 'Fit', false, 1, '2026-11-29 22:13:40.841199+00');
INSERT INTO public.sub_tasks VALUES ('96ac8d85-1763-45b6-aa70-287ddc3f5d1b', '082c4c06-80e8-4acf-b0b0-7d8b59144170', 'Test', false, 2, '2026-11-29 22:13:40.94171+00');
INSERT INTO public.sub_tasks VALUES ('2b0ac9db-617c-421e-84f9-e2f7318ffa29', 'bf6b18a3-e47e-478e-a408-03c468c89f8f', 'Drain', false, 0, '2026-11-29 22:13:41.249612+00');
INSERT INTO public.sub_tasks VALUES ('a4e6c3ba-ebd6-49d2-b771-db8cec8341f2', 'bf6b18a3-e47e-478e-a408-03c468c89f8f', 'Fit', false, 1, '2026-11-29 22:13:41.313085+00');
INSERT INTO public.sub_tasks VALUES ('1d5a28f7-597e-4c4e-817a-5655858e9d6b', 'bf6b18a3-e47e-478e-a408-03c468c89f8f', 'Test', false, 2, '2026-11-29 22:13:41.385107+00');
INSERT INTO public.task_counts VALUES (1, 1, 0, '82656c87-0679-4816-aa40-3e3a89ad480f', 1);
INSERT INTO public.task_counts VALUES (2, 2, 2, '82656c87-0679-4816-aa40-3e3a89ad480f', 1);
INSERT INTO public.task_counts VALUES (3, 3, 1, '82656c87-0679-4816-aa40-3e3a89ad480f', 1);
INSERT INTO public.task_grams VALUES (1, '9a5c88da-4f8c-4bfa-ab65-af2104765022', '{-2116805770,-2056453938,-2034638993,-2012694870,-1990788063,-1894804668,-1844101460,-1819531172,-1782133999,-1764654766,-1757685581,-1737051676,-1700006720,-1699818603,-1693528309,-1601011031,-1523111409,-1428011398,-1426422219,-1389553793,-1294876852,-1294530925,-1219347494,-1161073603,-1136300570,-1022771712,-915335451,-907851929,-829821254,-678240261,-665992153,-620798807,-600024914,-519529380,-499274283,-425709145,-354289896,-343836275,-334889059,-281208305,-245923018,-206487202,-186874553,-150447386,-132928227,-76703680,-28652270,5823165,34053809,51151051,53838712,72894305,90856104,168996913,214374476,272412921,292226791,296389009,369541886,372511553,417155788,442629280,449302940,694164925,841246618,883799130,1008656688,1099920937,1163711926,1214014391,1245805610,1257971988,1318904709,1328990826,1361405575,1406770827,1409827955,1433337743,1516667996,1546310052,1622903794,1627517544,1672498099,1698826551,1756872259,1768738629,1770289403,1865619093,1876589146,1919773246,1941314360,1960104114,1960566561,1962978855,1978254056,2005012027,2129404733}');
INSERT INTO public.task_grams VALUES (2, '082c4c06-80e8-4acf-b0b0-7d8b59144170', '{-1991142939,-1950827346,-1894804668,-1697268211,-1693528309,-1693275136,-1671230702,-1648921209,-1512505660,-1448726758,-1435764392,-1340610642,-1333219031,-1310421307,-1306218360,-1051787175,-1046319091,-1005565492,-732742969,-721216050,-425709145,-406967997,-379716684,-334889059,-306892622,-259198416,-153932832,-142198598,34053809,53762057,72894305,90856104,241327127,447573683,502069585,579761972,685219573,694164925,695222957,762460040,796107287,944116896,1059836089,1132891787,1216001415,1384560586,1406770827,1718367857,1719084253,1756872259,1768738629,1869941240,1941314360,1960566561,2083903060}');
INSERT INTO public.task_grams VALUES (3, 'bf6b18a3-e47e-478e-a408-03c468c89f8f', '{-1984550456,-1957568757,-1894804668,-1781980110,-1737507116,-1707289918,-1671230702,-1537476039,-1158424327,-1006627108,-907851929,-844578292,-499274283,-425709145,-133651502,-93550863,90856104,125812993,292226791,320645439,417155788,491110549,518815762,579761972,694164925,813530149,1406770827,1469305752,1614016417,1718367857,1768738629,1790447844,1876589146,1926227017,2029027801}');
INSERT INTO public.tasks VALUES ('9a5c88da-4f8c-4bfa-ab65-af2104765022', 'Replace the pump', 'Größe 40
  ''quoted''', 'In Progress', 1, 'High', 0, '82656c87-0679-4816-aa40-3e3a89ad480f', NULL, '', 'replace the pumpAAgrösse 40
  ''quoted''AAAA', '2026-11-29 22:13:40.339836+00', -1795990420339836, '2026-11-29 22:13:40.633875+00', -1795990420633875, NULL);
INSERT INTO public.tasks VALUES ('082c4c06-80e8-4acf-b0b0-7d8b59144170', 'Wait for parts', NULL, 'Blocked', 2, 'Low', 2, '82656c87-0679-4816-aa40-3e3a89ad480f', '0042', 'Carrier', 'wait for partsAAAA0042AA', '2026-11-29 22:13:40.695868+00', -1795990420695868, '2026-11-29 22:13:41.092058+00', -1795990421092058, '2026-11-29 22:13:40.695868+00');
INSERT INTO public.tasks VALUES ('bf6b18a3-e47e-478e-a408-03c468c89f8f', 'Done with it', NULL, 'Done', 3, 'Medium', 1, '82656c87-0679-4816-aa40-3e3a89ad480f', NULL, '', 'done with itAAAAAA', '2026-11-29 22:13:41.167598+00', -1795990421167598, '2026-11-29 22:13:41.552797+00', -1795990421552797, NULL);
INSERT INTO public.tenants VALUES ('acme', 'Acme ''n'' Söhne', 'trial', 100, '2026-11-20 12:00:00.123456+00', '2026-11-20 12:00:00.123456+00', 200000);
INSERT INTO public.vault_keys VALUES ('f66a5598', 'active', 'vf1.f66a5598.gAAAAABrDKOQusdEyVLLGID5_tF7X9poQes91G0WsoxYcUcEDRYlAz8ibxggUKwY89VEZMMOwFUGCb2r8HZIeuvA3WsTLwLatJvWexY5Erb1-5vuybzpZDJld3Xx5tULIjvQbzWm0A6I', '2026-11-29 22:13:36.29459+00');
INSERT INTO public.vault_owners VALUES ('system', 'default', 'acad2509fb9876492c8c44b41831f7834efbda1e9db11c95850c5cccbe1bc7bd', '2026-11-29 22:13:40.005272+00');
INSERT INTO public.vault_owners VALUES ('camera', 'd216b969-217d-4eb2-a7de-24f695ff4653', '32c38ac16a014590d246f88a7616a7fd31015639eda5590ebdb51ad6e8c43c00', '2026-11-29 22:13:41.703983+00');
INSERT INTO public.vault_owners VALUES ('alert_rule', '39abd785-8761-415a-a71e-36f47ec504e0', '216280805e63e5a375a79935f09b6ec314fb4885cbaa75e8860deea70061692a', '2026-11-29 22:13:42.002288+00');
INSERT INTO public.vault_owners VALUES ('server', 'guild', '6e87bd02ad2b31290d6a98e834ac66f185688cbfbb30d29b2606771c68469160', '2026-11-29 22:13:42.193625+00');
INSERT INTO public.vault_owners VALUES ('tenant', 'acme', '09bccf0fda8d3f1ff5cd2d650ad33f06409ef17f0773a9f6b7d445eb64fb37b1', '2026-11-29 22:13:42.386073+00');
INSERT INTO public.vault_owners VALUES ('user', 'ann', '27adbf0ebb1fc1660b29cf85ce07f1dc1ee15740495ebf1ceb2969a3ced790ab', '2026-11-29 22:13:42.424075+00');
INSERT INTO public.vault_wraps VALUES ('f66a5598', '4aa98805443fde09', 'root', 'gAAAAABrDKOQf3WndF4mhqP2Yxy-Z9eE6rjbchKYFd8sYCOjSQLC6MDU_NqcJMEncHQNX1tlkuOYi6JgsjVZHYGrRNmJ_MKBVhqRfwPfiikswWwtw8LX7xbGaHVsxpiXC-sfWyXkUnmU', NULL, '2026-11-29 22:13:36.373247+00');
INSERT INTO public.vaults VALUES (1, 'c0e3082c-0552-455c-a475-c712fa89910b', 1, '2026-11-29 22:13:36.130362+00');
SELECT pg_catalog.setval('public.audit_entries_seq_seq', 7, true);
SELECT pg_catalog.setval('public.changes_id_seq', 37, true);
SELECT pg_catalog.setval('public.task_counts_id_seq', 3, true);
SELECT pg_catalog.setval('public.task_grams_number_seq', 3, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.ai_usage
    ADD CONSTRAINT pk_ai_usage PRIMARY KEY (owner_kind, owner_id, provider, model, day);
ALTER TABLE ONLY public.alert_rules
    ADD CONSTRAINT pk_alert_rules PRIMARY KEY (id);
ALTER TABLE ONLY public.audit_entries
    ADD CONSTRAINT pk_audit_entries PRIMARY KEY (seq);
ALTER TABLE ONLY public.cameras
    ADD CONSTRAINT pk_cameras PRIMARY KEY (id);
ALTER TABLE ONLY public.changes
    ADD CONSTRAINT pk_changes PRIMARY KEY (id);
ALTER TABLE ONLY public.chat_servers
    ADD CONSTRAINT pk_chat_servers PRIMARY KEY (server_id);
ALTER TABLE ONLY public.daily_updates
    ADD CONSTRAINT pk_daily_updates PRIMARY KEY (id);
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT pk_idempotency_keys PRIMARY KEY (caller, route, key);
ALTER TABLE ONLY public.members
    ADD CONSTRAINT pk_members PRIMARY KEY (id);
ALTER TABLE ONLY public.secrets
    ADD CONSTRAINT pk_secrets PRIMARY KEY (id);
ALTER TABLE ONLY public.sub_tasks
    ADD CONSTRAINT pk_sub_tasks PRIMARY KEY (id);
ALTER TABLE ONLY public.task_counts
    ADD CONSTRAINT pk_task_counts PRIMARY KEY (id);
ALTER TABLE ONLY public.task_grams
    ADD CONSTRAINT pk_task_grams PRIMARY KEY (number);
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT pk_tasks PRIMARY KEY (id);
ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT pk_tenants PRIMARY KEY (id);
ALTER TABLE ONLY public.trial_calls
    ADD CONSTRAINT pk_trial_calls PRIMARY KEY (tenant_id, day);
ALTER TABLE ONLY public.vault_keys
    ADD CONSTRAINT pk_vault_keys PRIMARY KEY (kid);
ALTER TABLE ONLY public.vault_owners
    ADD CONSTRAINT pk_vault_owners PRIMARY KEY (owner_kind, owner_id);
ALTER TABLE ONLY public.vault_rotations
    ADD CONSTRAINT pk_vault_rotations PRIMARY KEY (id);
ALTER TABLE ONLY public.vault_wraps
    ADD CONSTRAINT pk_vault_wraps PRIMARY KEY (kid, fingerprint);
ALTER TABLE ONLY public.vaults
    ADD CONSTRAINT pk_vaults PRIMARY KEY (id);
CREATE INDEX ix_audit_entries_action_seq ON public.audit_entries USING btree (action, seq);
CREATE INDEX ix_audit_entries_owner ON public.audit_entries USING btree (owner_kind, owner_id, seq);
CREATE INDEX ix_audit_entries_owner_kind_seq ON public.audit_entries USING btree (owner_kind, seq);
CREATE INDEX ix_changes_unnumbered ON public.changes USING btree (id) WHERE (number IS NULL);
CREATE INDEX ix_daily_updates_author_newest ON public.daily_updates USING btree (author_id, created_at DESC, id);
CREATE INDEX ix_daily_updates_newest ON public.daily_updates USING btree (created_at DESC, id);
CREATE INDEX ix_daily_updates_task_newest ON public.daily_updates USING btree (task_id, created_at DESC, id);
CREATE INDEX ix_idempotency_keys_created_at ON public.idempotency_keys USING btree (created_at);
CREATE INDEX ix_members_name_folded_id ON public.members USING btree (name_folded, id);
CREATE INDEX ix_secrets_next_check_at ON public.secrets USING btree (next_check_at);
CREATE INDEX ix_task_counts_kind ON public.task_counts USING btree (assignee_id, status_rank, priority_rank);
CREATE INDEX ix_task_grams_grams ON public.task_grams USING gin (grams) WITH (fastupdate=off);
CREATE INDEX ix_tasks_assignee_updated ON public.tasks USING btree (assignee_id, updated_order, created_order, id);
CREATE INDEX ix_tasks_created ON public.tasks USING btree (created_order, id);
CREATE INDEX ix_tasks_gear ON public.tasks USING btree (gear_id, updated_order, created_order, id) WHERE (gear_id IS NOT NULL);
CREATE INDEX ix_tasks_priority_created ON public.tasks USING btree (priority_rank, created_order, id);
CREATE INDEX ix_tasks_priority_updated ON public.tasks USING btree (priority_rank, updated_order, created_order, id);
CREATE INDEX ix_tasks_status_created ON public.tasks USING btree (status_rank, created_order, id);
CREATE INDEX ix_tasks_status_updated ON public.tasks USING btree (status_rank, updated_order, created_order, id);
CREATE INDEX ix_tasks_updated ON public.tasks USING btree (updated_order, created_order, id);
CREATE UNIQUE INDEX uq_audit_entries_writer_writer_seq ON public.audit_entries USING btree (writer, writer_seq);
CREATE UNIQUE INDEX uq_cameras_name ON public.cameras USING btree (name);
CREATE UNIQUE INDEX uq_changes_number ON public.changes USING btree (number);
CREATE UNIQUE INDEX uq_members_email_folded ON public.members USING btree (email_folded);
CREATE UNIQUE INDEX uq_secrets_owner_name ON public.secrets USING btree (owner_kind, owner_id, name);
CREATE UNIQUE INDEX uq_sub_tasks_task_id_position ON public.sub_tasks USING btree (task_id, "position");
CREATE UNIQUE INDEX uq_task_grams_task_id ON public.task_grams USING btree (task_id);
CREATE UNIQUE INDEX uq_vault_keys_active ON public.vault_keys USING btree (state) WHERE (state = 'active'::text);
CREATE TRIGGER tasks_deleted AFTER DELETE ON public.tasks REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.count_tasks();
CREATE TRIGGER tasks_inserted AFTER INSERT ON public.tasks REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.count_tasks();
CREATE TRIGGER tasks_truncated AFTER TRUNCATE ON public.tasks FOR EACH STATEMENT EXECUTE FUNCTION public.count_tasks();
CREATE TRIGGER tasks_updated AFTER UPDATE ON public.tasks FOR EACH ROW WHEN ((((old.status_rank IS DISTINCT FROM new.status_rank) OR (old.priority_rank IS DISTINCT FROM new.priority_rank)) OR (old.assignee_id IS DISTINCT FROM new.assignee_id))) EXECUTE FUNCTION public.count_tasks();
ALTER TABLE ONLY public.daily_updates
    ADD CONSTRAINT fk_daily_updates_author_id_members FOREIGN KEY (author_id) REFERENCES public.members(id);
ALTER TABLE ONLY public.daily_updates
    ADD CONSTRAINT fk_daily_updates_task_id_tasks FOREIGN KEY (task_id) REFERENCES public.tasks(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sub_tasks
    ADD CONSTRAINT fk_sub_tasks_task_id_tasks FOREIGN KEY (task_id) REFERENCES public.tasks(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.task_grams
    ADD CONSTRAINT fk_task_grams_task_id_tasks FOREIGN KEY (task_id) REFERENCES public.tasks(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT fk_tasks_assignee_id_members FOREIGN KEY (assignee_id) REFERENCES public.members(id);
ALTER TABLE ONLY public.trial_calls
    ADD CONSTRAINT fk_trial_calls_tenant_id_tenants FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.vault_wraps
    ADD CONSTRAINT fk_vault_wraps_kid_vault_keys FOREIGN KEY (kid) REFERENCES public.vault_keys(kid) ON DELETE CASCADE;
