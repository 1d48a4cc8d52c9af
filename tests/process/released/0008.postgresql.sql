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
    created_at timestamp with time zone NOT NULL,
    format text DEFAULT 'vf1'::text NOT NULL
);
CREATE TABLE public.vault_manifest (
    path text NOT NULL,
    content text NOT NULL
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
INSERT INTO public.alembic_version VALUES ('0008');
INSERT INTO public.alert_rules VALUES ('6ea8b4eb-a815-4a2d-800e-cac1bdf63d51', 'Rule', true, 'https://hooks.example.com/x', '["X-Token"]', true, '2026-11-29 23:45:35.65037+00', '2026-11-29 23:45:35.65037+00');
INSERT INTO public.audit_entries VALUES (1, '57ba1dbf10e86aee-4aa98805443fde09', 1, '2026-11-29 23:45:35.414528+00', 'cli', 'vm', 'set', 'system', 'default', 'openai', '3a8c72a139ed0ae1', 'ok', NULL, 1, '0000000000000000000000000000000000000000000000000000000000000000', 'f416bec1c595df4c8847f2342e8237365aaeb7f7405f82fe9b5a5ad1d42fced8');
INSERT INTO public.audit_entries VALUES (2, '57ba1dbf10e86aee-4aa98805443fde09', 2, '2026-11-29 23:45:35.416815+00', 'cli', 'vm', 'set', 'system', 'default', 'anthropic', '151feb0dc538c6bc', 'ok', NULL, 1, 'f416bec1c595df4c8847f2342e8237365aaeb7f7405f82fe9b5a5ad1d42fced8', '4887cb9c984a8be6e6dd55c7bf9b31363be697400a61f23d5654d40a82901fd9');
INSERT INTO public.audit_entries VALUES (3, '57ba1dbf10e86aee-4aa98805443fde09', 3, '2026-11-29 23:45:35.626296+00', 'launch-token', 'vm', 'set', 'camera', '543fb2ee-0b0f-4f76-a2ac-9e2481b9221b', 'password', '06a0cd12a3d5b40b', 'ok', NULL, 1, '4887cb9c984a8be6e6dd55c7bf9b31363be697400a61f23d5654d40a82901fd9', '2cac43bedbf8ee8fc367724de355841c851ec7e0d6d0b2e43aa75b83f506be96');
INSERT INTO public.audit_entries VALUES (4, '57ba1dbf10e86aee-4aa98805443fde09', 4, '2026-11-29 23:45:35.657168+00', 'launch-token', 'vm', 'set', 'alert_rule', '6ea8b4eb-a815-4a2d-800e-cac1bdf63d51', 'header:x-token', '691d6bdb0497c13f', 'ok', NULL, 1, '2cac43bedbf8ee8fc367724de355841c851ec7e0d6d0b2e43aa75b83f506be96', 'd9e45ef3c52edea03a2f35f767567617e0554dcbc05e007f4aea48fd47e8ef75');
INSERT INTO public.audit_entries VALUES (5, '57ba1dbf10e86aee-4aa98805443fde09', 5, '2026-11-29 23:45:35.696757+00', 'launch-token', 'vm', 'set', 'server', 'guild', 'openai', 'f1ceb25ce4ac6b50', 'ok', NULL, 1, 'd9e45ef3c52edea03a2f35f767567617e0554dcbc05e007f4aea48fd47e8ef75', '11daa11327c01612f34cb3ac0b4c7ea90fdb87cd3d8e2e2e06f93dc6d2d4158d');
INSERT INTO public.audit_entries VALUES (6, '57ba1dbf10e86aee-4aa98805443fde09', 6, '2026-11-29 23:45:35.72442+00', 'launch-token', 'vm', 'set', 'tenant', 'acme', 'openai', '63f3d50cf7c7f005', 'ok', NULL, 1, '11daa11327c01612f34cb3ac0b4c7ea90fdb87cd3d8e2e2e06f93dc6d2d4158d', '88a37fde55b04a6a30b42533d3385af2045ccee9ac3f6faeda2456aec93b2db7');
INSERT INTO public.audit_entries VALUES (7, '57ba1dbf10e86aee-4aa98805443fde09', 7, '2026-11-29 23:45:35.726964+00', 'launch-token', 'vm', 'set', 'user', 'ann', 'openai', '2f192dab70b43653', 'ok', NULL, 1, '88a37fde55b04a6a30b42533d3385af2045ccee9ac3f6faeda2456aec93b2db7', 'a8bb52464672f9881544a7476f6a2c5a81cb7268d503561f99d487846a6dd4fa');
INSERT INTO public.cameras VALUES ('543fb2ee-0b0f-4f76-a2ac-9e2481b9221b', 'Door', 'http://127.0.0.1:1/stream', 'admin', true, '2026-11-29 23:45:35.616863+00', '2026-11-29 23:45:35.616863+00');
INSERT INTO public.changes VALUES (1, NULL, 'member', '00cd86b2-b1b0-4df9-a801-27708f9623d1', 'created', '2026-11-29 23:45:34.732539+00');
INSERT INTO public.changes VALUES (2, NULL, 'member', '5ef499f7-5bff-4fb6-9677-ecae661b9102', 'created', '2026-11-29 23:45:34.749083+00');
INSERT INTO public.changes VALUES (3, NULL, 'member', 'fef0b75b-f10c-4114-9e14-9b0875b8edd4', 'created', '2026-11-29 23:45:34.762805+00');
INSERT INTO public.changes VALUES (4, NULL, 'task', 'a43cae04-d357-461b-b226-7ffe40030c7e', 'created', '2026-11-29 23:45:35.47185+00');
INSERT INTO public.changes VALUES (5, NULL, 'sub_task', '0e4f1a81-91a0-4bd1-a265-ef3403274927', 'created', '2026-11-29 23:45:35.491069+00');
INSERT INTO public.changes VALUES (6, NULL, 'task', 'a43cae04-d357-461b-b226-7ffe40030c7e', 'updated', '2026-11-29 23:45:35.492426+00');
INSERT INTO public.changes VALUES (7, NULL, 'sub_task', '65c0b7f3-702e-4777-b838-efafac04025d', 'created', '2026-11-29 23:45:35.499217+00');
INSERT INTO public.changes VALUES (8, NULL, 'task', 'a43cae04-d357-461b-b226-7ffe40030c7e', 'updated', '2026-11-29 23:45:35.500028+00');
INSERT INTO public.changes VALUES (9, NULL, 'sub_task', 'f2c597a2-2543-4ca2-a2cc-41b60f93fec6', 'created', '2026-11-29 23:45:35.505883+00');
INSERT INTO public.changes VALUES (10, NULL, 'task', 'a43cae04-d357-461b-b226-7ffe40030c7e', 'updated', '2026-11-29 23:45:35.506651+00');
INSERT INTO public.changes VALUES (11, NULL, 'daily_update', '0098339c-6eb5-4336-bbbb-cfa0ae9b1b5b', 'created', '2026-11-29 23:45:35.522172+00');
INSERT INTO public.changes VALUES (12, NULL, 'task', 'a43cae04-d357-461b-b226-7ffe40030c7e', 'updated', '2026-11-29 23:45:35.523171+00');
INSERT INTO public.changes VALUES (13, NULL, 'daily_update', '8464fe7a-1ffd-4575-8a9a-a512adfa40fe', 'created', '2026-11-29 23:45:35.530013+00');
INSERT INTO public.changes VALUES (14, NULL, 'task', 'a43cae04-d357-461b-b226-7ffe40030c7e', 'updated', '2026-11-29 23:45:35.531049+00');
INSERT INTO public.changes VALUES (15, NULL, 'task', 'e932c1c2-5376-41eb-a8bb-f53ed4a64e4d', 'created', '2026-11-29 23:45:35.539591+00');
INSERT INTO public.changes VALUES (16, NULL, 'sub_task', '321cb908-1d32-444a-aa30-6ecdeedbed06', 'created', '2026-11-29 23:45:35.546098+00');
INSERT INTO public.changes VALUES (17, NULL, 'task', 'e932c1c2-5376-41eb-a8bb-f53ed4a64e4d', 'updated', '2026-11-29 23:45:35.547442+00');
INSERT INTO public.changes VALUES (18, NULL, 'sub_task', '762391a2-0f92-4b07-93c9-0d6d40ecc35f', 'created', '2026-11-29 23:45:35.554948+00');
INSERT INTO public.changes VALUES (19, NULL, 'task', 'e932c1c2-5376-41eb-a8bb-f53ed4a64e4d', 'updated', '2026-11-29 23:45:35.55617+00');
INSERT INTO public.changes VALUES (20, NULL, 'sub_task', 'b4dda504-f49c-4a19-adea-9a428e595568', 'created', '2026-11-29 23:45:35.56162+00');
INSERT INTO public.changes VALUES (21, NULL, 'task', 'e932c1c2-5376-41eb-a8bb-f53ed4a64e4d', 'updated', '2026-11-29 23:45:35.56253+00');
INSERT INTO public.changes VALUES (22, NULL, 'daily_update', 'f326dd44-9a46-47cf-a6b3-dd5b2968cce5', 'created', '2026-11-29 23:45:35.567785+00');
INSERT INTO public.changes VALUES (23, NULL, 'task', 'e932c1c2-5376-41eb-a8bb-f53ed4a64e4d', 'updated', '2026-11-29 23:45:35.568897+00');
INSERT INTO public.changes VALUES (24, NULL, 'daily_update', '2c9964bd-422e-472f-b653-cb52593967bb', 'created', '2026-11-29 23:45:35.573941+00');
INSERT INTO public.changes VALUES (25, NULL, 'task', 'e932c1c2-5376-41eb-a8bb-f53ed4a64e4d', 'updated', '2026-11-29 23:45:35.574692+00');
INSERT INTO public.changes VALUES (26, NULL, 'task', '482123c8-6558-4707-8495-2345ae46efd5', 'created', '2026-11-29 23:45:35.580266+00');
INSERT INTO public.changes VALUES (27, NULL, 'sub_task', '84436f4b-3411-4838-b3f8-90e132ef08da', 'created', '2026-11-29 23:45:35.585549+00');
INSERT INTO public.changes VALUES (28, NULL, 'task', '482123c8-6558-4707-8495-2345ae46efd5', 'updated', '2026-11-29 23:45:35.586348+00');
INSERT INTO public.changes VALUES (29, NULL, 'sub_task', 'e2877ccc-479b-4336-89e9-c039c4c66d27', 'created', '2026-11-29 23:45:35.591044+00');
INSERT INTO public.changes VALUES (30, NULL, 'task', '482123c8-6558-4707-8495-2345ae46efd5', 'updated', '2026-11-29 23:45:35.591849+00');
INSERT INTO public.changes VALUES (31, NULL, 'sub_task', '4ba68530-6c8a-4697-b508-2e4011f9225c', 'created', '2026-11-29 23:45:35.596298+00');
INSERT INTO public.changes VALUES (32, NULL, 'task', '482123c8-6558-4707-8495-2345ae46efd5', 'updated', '2026-11-29 23:45:35.597113+00');
INSERT INTO public.changes VALUES (33, NULL, 'daily_update', 'c746e69e-93a7-4835-83fd-54987c8639db', 'created', '2026-11-29 23:45:35.602358+00');
INSERT INTO public.changes VALUES (34, NULL, 'task', '482123c8-6558-4707-8495-2345ae46efd5', 'updated', '2026-11-29 23:45:35.603095+00');
INSERT INTO public.changes VALUES (35, NULL, 'daily_update', 'a77196ea-21de-4e94-a144-7c3a4df445c8', 'created', '2026-11-29 23:45:35.608985+00');
INSERT INTO public.changes VALUES (36, NULL, 'task', '482123c8-6558-4707-8495-2345ae46efd5', 'updated', '2026-11-29 23:45:35.609749+00');
INSERT INTO public.changes VALUES (37, NULL, 'member', 'fef0b75b-f10c-4114-9e14-9b0875b8edd4', 'updated', '2026-11-29 23:45:35.757584+00');
INSERT INTO public.chat_servers VALUES ('guild', 'openai', 'public', 'manual_digital', 'digital_sheet', '2026-11-29 23:45:35.682781+00', '2026-11-29 23:45:35.684497+00');
INSERT INTO public.daily_updates VALUES ('0098339c-6eb5-4336-bbbb-cfa0ae9b1b5b', 'a43cae04-d357-461b-b226-7ffe40030c7e', 'fef0b75b-f10c-4114-9e14-9b0875b8edd4', 'Drained today.', false, '2026-11-29 23:45:35.519116+00', '2026-11-29 23:45:35.519116+00');
INSERT INTO public.daily_updates VALUES ('8464fe7a-1ffd-4575-8a9a-a512adfa40fe', 'a43cae04-d357-461b-b226-7ffe40030c7e', 'fef0b75b-f10c-4114-9e14-9b0875b8edd4', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-29 23:45:35.528261+00', '2026-11-29 23:45:35.528261+00');
INSERT INTO public.daily_updates VALUES ('f326dd44-9a46-47cf-a6b3-dd5b2968cce5', 'e932c1c2-5376-41eb-a8bb-f53ed4a64e4d', 'fef0b75b-f10c-4114-9e14-9b0875b8edd4', 'Drained today.', false, '2026-11-29 23:45:35.56628+00', '2026-11-29 23:45:35.56628+00');
INSERT INTO public.daily_updates VALUES ('2c9964bd-422e-472f-b653-cb52593967bb', 'e932c1c2-5376-41eb-a8bb-f53ed4a64e4d', 'fef0b75b-f10c-4114-9e14-9b0875b8edd4', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-29 23:45:35.571913+00', '2026-11-29 23:45:35.571913+00');
INSERT INTO public.daily_updates VALUES ('c746e69e-93a7-4835-83fd-54987c8639db', '482123c8-6558-4707-8495-2345ae46efd5', 'fef0b75b-f10c-4114-9e14-9b0875b8edd4', 'Drained today.', false, '2026-11-29 23:45:35.601082+00', '2026-11-29 23:45:35.601082+00');
INSERT INTO public.daily_updates VALUES ('a77196ea-21de-4e94-a144-7c3a4df445c8', '482123c8-6558-4707-8495-2345ae46efd5', 'fef0b75b-f10c-4114-9e14-9b0875b8edd4', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-29 23:45:35.607336+00', '2026-11-29 23:45:35.607336+00');
INSERT INTO public.members VALUES ('00cd86b2-b1b0-4df9-a801-27708f9623d1', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', true, '2026-11-29 23:45:34.729758+00', '2026-11-29 23:45:34.729758+00');
INSERT INTO public.members VALUES ('5ef499f7-5bff-4fb6-9677-ecae661b9102', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', true, '2026-11-29 23:45:34.748358+00', '2026-11-29 23:45:34.748358+00');
INSERT INTO public.members VALUES ('fef0b75b-f10c-4114-9e14-9b0875b8edd4', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', false, '2026-11-29 23:45:34.757065+00', '2026-11-29 23:45:35.755975+00');
INSERT INTO public.secrets VALUES ('420ff365-4ae3-4f67-87de-1a5570c29893', 'system', 'default', 'openai', 'vf2.28738179.gAAAAABrDLkfzleszGRTWAvX5Fe-Ht-wV3XSKZqUJWdfl7fLOW5MHmxh0YhhdfTkL0KC-JrUxiwyrMgK53CWluSNxJJgSwBDoKjM57HNyVpie1wOukT32o2jM4lGeRfE3r9On1kEee-wUvbRgV4B2iwb1DzdBIvhg5wUsH93NTxuwovWlrn5LwEgTPcd8qmzvt3EWM9esdjukYXdzFGwdb8lwg8UD_Iw6ymrOWqsZsqN7NPM6TamvDDdXmmo_FppzablJDE3YTpw', '28738179', NULL, 1, '3a8c72a139ed0ae1', 'ENAI', 'unknown', NULL, NULL, NULL, '2026-11-29 23:45:35.409732+00', '2026-11-29 23:45:35.409732+00', 'https://api.openai.com', '2026-11-30 22:02:36.988678+00', NULL);
INSERT INTO public.secrets VALUES ('08e1190e-50e5-424a-a5dd-7bc60aa5a920', 'system', 'default', 'anthropic', 'vf2.28738179.gAAAAABrDLkfZ9uAyiWH5W1znjWeQo7Ixu6sQY__3rEbyMXIRy76WtnHcBnzdigixZYzCUKF0_FpiD8qCOMec7ijWzBLZpuHxF8uc3Z4new2_4dCbvsOz2JKg8l7nFDlgs4MgUkqTPmJu5D2PufOHRXiuLQQrL2GainIzzb3tKmQQ3Y3otCEMg_ajN0cxtqAiTFDnYYpLzVvstUDCLbvdSGfBgj8xNXRFYA8evDi2s_yGefpjPFAg0ESzkmLIwjraIdBif_dXSBt', '28738179', NULL, 1, '151feb0dc538c6bc', 'ANTH', 'unknown', NULL, NULL, NULL, '2026-11-29 23:45:35.415082+00', '2026-11-29 23:45:35.415082+00', 'https://api.anthropic.com', '2026-12-01 01:55:40.41283+00', NULL);
INSERT INTO public.secrets VALUES ('4da73467-d5bb-4273-93ae-67f63be6cb36', 'camera', '543fb2ee-0b0f-4f76-a2ac-9e2481b9221b', 'password', 'vf2.28738179.gAAAAABrDLkfBIWWcZwbrnpPN_UMdSi-L-1QpSak7HLZqrsqvsMDkPUIJnckdUzCU8WR-mEpAh_MAIPm9Usc80ZBQ9IJuz1ltZZRciVy-F_svPG2dk_OhEOf5pc3j3P_42Ov1NS7ddW9I3_xtDiGFQIqPjOnXzy5-GUDNJA1JRFx73Y5BAimMweBkU5ey1ujEGJbbkRps4qDKaUqidl9aP0BH28VdMp-06CL0Ercvhrc50ialYeM5xbscAEJSmcX71DIuAvRO58A', '28738179', NULL, 1, '06a0cd12a3d5b40b', '6789', 'unknown', NULL, NULL, '2099-01-31 00:00:00+00', '2026-11-29 23:45:35.622789+00', '2026-11-29 23:45:35.622789+00', NULL, NULL, NULL);
INSERT INTO public.secrets VALUES ('0ad3ddcc-64c2-4aa9-b52b-c0cd4224c67d', 'alert_rule', '6ea8b4eb-a815-4a2d-800e-cac1bdf63d51', 'header:x-token', 'vf2.28738179.gAAAAABrDLkf2RLEUCLwLT9plABFU2AlRi6ECSJT2mYdN-MHECXMDtGHfXfgN6svfQz0AqBfxAgTS-BwUJ3jZqf1-DrDv6NuQJcJeYMChdE4xvgBsmze1JvI-vpV_ugavnDpfLQVfFBvJnobPlOPqEPBd_jD1mgJDgn-Yorlk9eFVUerb3nxuU6OKeRsru-hatSKYptGsRhEzhX_CHODdi3Wzr_NGbQSQBUmMnMjvtYEaAPke4QezmD8qkMBGm7AwybK9wQ2Bhdd', '28738179', NULL, 1, '691d6bdb0497c13f', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29 23:45:35.652637+00', '2026-11-29 23:45:35.652637+00', NULL, NULL, NULL);
INSERT INTO public.secrets VALUES ('a67465cd-1a49-4174-94f8-949ccaabf8e0', 'server', 'guild', 'openai', 'vf2.28738179.gAAAAABrDLkfaBfuGkrKJ1cov-LRs5jhbX9aA5ugdsyxUk4rfIIGi-a1raxJgy_h6jBj6t5L5gq6sNu-noYFuaKUMkXCF1VU6nODsnmfQrss5A0loHy_bSK-mWIr4ENFgwEza60A0kxfME54-sleHZAn9g3NAa3CMRZKgULu7O5pa_9oyOYKSSvbu0wbYmDjQBuPUp6prYamz9D_r7gyKNw94K3PfIlpulb4Y1dZabJT2TxPg_u7IZCReeONh6FL8zEg9-Xsgh6b', '28738179', NULL, 1, 'f1ceb25ce4ac6b50', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29 23:45:35.693863+00', '2026-11-29 23:45:35.693863+00', 'https://api.openai.com', '2026-11-30 22:06:10.942961+00', NULL);
INSERT INTO public.secrets VALUES ('005ea3da-50d2-4bc6-bc85-63b6c368b3a6', 'tenant', 'acme', 'openai', 'vf2.28738179.gAAAAABrDLkfuvXcD2vj6tYTC-oJy9aSNk8pwO5jd1jBFrMm-P5LoLMRp-JKDf-IDR3R84ZOy5yUbv91t9rHdViIu8F6nUqMSs1io50i7kWss3wwIGNu5p0wAOlqeHG86XmkFZbKi6vc06n4xECJUoMoS6Z9RiQI9OsDo0lWSlHfJ_uMSWH7rxDsSXAMY6IH0-78mjUsbrKNryFlMff-KKFNO7EKkYs2W42EgblchRfkiUtIR0w0akYDrhsyBfxELY0ixcJuQ-p-', '28738179', NULL, 1, '63f3d50cf7c7f005', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29 23:45:35.722538+00', '2026-11-29 23:45:35.722538+00', 'https://api.openai.com', '2026-11-30 23:53:38.584363+00', NULL);
INSERT INTO public.secrets VALUES ('729c6958-bb78-4d2f-a882-ddc39d4cc84d', 'user', 'ann', 'openai', 'vf2.28738179.gAAAAABrDLkfH2Q6Bw0lxVl25CjSZJi2q4pyDt5MKrsmBffC3vUoimnKmjAs_htjlY-QjTrDUsd6EMjffcA3DguZFLJrIV43Yp9dhmatPrdi1kOxedEK1pnEjFGTP1DeqsoovtTcsXHbcb14I3_vhUyHJHtQfwnf7wC8aSycCgduKvMlr5_KGRUn83rUPtVBtOuVUsrnmfRAPP9YqqUoqSC-jLbbUOSvQYiJqNUHvaYtNa0tFs7Cv5A_qqWZoYTVU_9NHJUNLuxZ', '28738179', NULL, 1, '2f192dab70b43653', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29 23:45:35.725573+00', '2026-11-29 23:45:35.725573+00', 'https://api.openai.com', '2026-11-30 23:56:54.348887+00', NULL);
INSERT INTO public.sub_tasks VALUES ('0e4f1a81-91a0-4bd1-a265-ef3403274927', 'a43cae04-d357-461b-b226-7ffe40030c7e', 'Drain', false, 0, '2026-11-29 23:45:35.486564+00');
INSERT INTO public.sub_tasks VALUES ('65c0b7f3-702e-4777-b838-efafac04025d', 'a43cae04-d357-461b-b226-7ffe40030c7e', 'Fit', false, 1, '2026-11-29 23:45:35.497561+00');
INSERT INTO public.sub_tasks VALUES ('f2c597a2-2543-4ca2-a2cc-41b60f93fec6', 'a43cae04-d357-461b-b226-7ffe40030c7e', 'Test', false, 2, '2026-11-29 23:45:35.503953+00');
INSERT INTO public.sub_tasks VALUES ('321cb908-1d32-444a-aa30-6ecdeedbed06', 'e932c1c2-5376-41eb-a8bb-f53ed4a64e4d', 'Drain', false, 0, '2026-11-29 23:45:35.544272+00');
INSERT INTO public.sub_tasks VALUES ('762391a2-0f92-4b07-93c9-0d6d40ecc35f', 'e932c1c2-5376-41eb-a8bb-f53ed4a64e4d', 'Fit', false, 1, '2026-11-29 23:45:35.55338+00');
INSERT INTO public.sub_tasks VALUES ('b4dda504-f49c-4a19-adea-9a428e595568', 'e932c1c2-5376-41eb-a8bb-f53ed4a64e4d', 'Test', false, 2, '2026-11-29 23:45:35.55964+00');
INSERT INTO public.sub_tasks VALUES ('84436f4b-3411-4838-b3f8-90e132ef08da', '482123c8-6558-4707-8495-2345ae46efd5', 'Drain', false, 0, '2026-11-29 23:45:35.583876+00');
INSERT INTO public.sub_tasks VALUES ('e2877ccc-479b-4336-89e9-c039c4c66d27', '482123c8-6558-4707-8495-2345ae46efd5', 'Fit', false, 1, '2026-11-29 23:45:35.589548+00');
INSERT INTO public.sub_tasks VALUES ('4ba68530-6c8a-4697-b508-2e4011f9225c', '482123c8-6558-4707-8495-2345ae46efd5', 'Test', false, 2, '2026-11-29 23:45:35.595+00');
INSERT INTO public.task_counts VALUES (1, 1, 0, '00cd86b2-b1b0-4df9-a801-27708f9623d1', 1);
INSERT INTO public.task_counts VALUES (2, 2, 2, '00cd86b2-b1b0-4df9-a801-27708f9623d1', 1);
INSERT INTO public.task_counts VALUES (3, 3, 1, '00cd86b2-b1b0-4df9-a801-27708f9623d1', 1);
INSERT INTO public.task_grams VALUES (1, 'a43cae04-d357-461b-b226-7ffe40030c7e', '{-2116805770,-2056453938,-2034638993,-2012694870,-1990788063,-1894804668,-1844101460,-1819531172,-1782133999,-1764654766,-1757685581,-1737051676,-1700006720,-1699818603,-1693528309,-1601011031,-1523111409,-1428011398,-1426422219,-1389553793,-1294876852,-1294530925,-1219347494,-1161073603,-1136300570,-1022771712,-915335451,-907851929,-829821254,-678240261,-665992153,-620798807,-600024914,-519529380,-499274283,-425709145,-354289896,-343836275,-334889059,-281208305,-245923018,-206487202,-186874553,-150447386,-132928227,-76703680,-28652270,5823165,34053809,51151051,53838712,72894305,90856104,168996913,214374476,272412921,292226791,296389009,369541886,372511553,417155788,442629280,449302940,694164925,841246618,883799130,1008656688,1099920937,1163711926,1214014391,1245805610,1257971988,1318904709,1328990826,1361405575,1406770827,1409827955,1433337743,1516667996,1546310052,1622903794,1627517544,1672498099,1698826551,1756872259,1768738629,1770289403,1865619093,1876589146,1919773246,1941314360,1960104114,1960566561,1962978855,1978254056,2005012027,2129404733}');
INSERT INTO public.task_grams VALUES (2, 'e932c1c2-5376-41eb-a8bb-f53ed4a64e4d', '{-1991142939,-1950827346,-1894804668,-1697268211,-1693528309,-1693275136,-1671230702,-1648921209,-1512505660,-1448726758,-1435764392,-1340610642,-1333219031,-1310421307,-1306218360,-1051787175,-1046319091,-1005565492,-732742969,-721216050,-425709145,-406967997,-379716684,-334889059,-306892622,-259198416,-153932832,-142198598,34053809,53762057,72894305,90856104,241327127,447573683,502069585,579761972,685219573,694164925,695222957,762460040,796107287,944116896,1059836089,1132891787,1216001415,1384560586,1406770827,1718367857,1719084253,1756872259,1768738629,1869941240,1941314360,1960566561,2083903060}');
INSERT INTO public.task_grams VALUES (3, '482123c8-6558-4707-8495-2345ae46efd5', '{-1984550456,-1957568757,-1894804668,-1781980110,-1737507116,-1707289918,-1671230702,-1537476039,-1158424327,-1006627108,-907851929,-844578292,-499274283,-425709145,-133651502,-93550863,90856104,125812993,292226791,320645439,417155788,491110549,518815762,579761972,694164925,813530149,1406770827,1469305752,1614016417,1718367857,1768738629,1790447844,1876589146,1926227017,2029027801}');
INSERT INTO public.tasks VALUES ('a43cae04-d357-461b-b226-7ffe40030c7e', 'Replace the pump', 'Größe 40
  ''quoted''', 'In Progress', 1, 'High', 0, '00cd86b2-b1b0-4df9-a801-27708f9623d1', NULL, '', 'replace the pumpAAgrösse 40
  ''quoted''AAAA', '2026-11-29 23:45:35.462533+00', -1795995935462533, '2026-11-29 23:45:35.528261+00', -1795995935528261, NULL);
INSERT INTO public.tasks VALUES ('e932c1c2-5376-41eb-a8bb-f53ed4a64e4d', 'Wait for parts', NULL, 'Blocked', 2, 'Low', 2, '00cd86b2-b1b0-4df9-a801-27708f9623d1', '0042', 'Carrier', 'wait for partsAAAA0042AA', '2026-11-29 23:45:35.536085+00', -1795995935536085, '2026-11-29 23:45:35.571913+00', -1795995935571913, '2026-11-29 23:45:35.536085+00');
INSERT INTO public.tasks VALUES ('482123c8-6558-4707-8495-2345ae46efd5', 'Done with it', NULL, 'Done', 3, 'Medium', 1, '00cd86b2-b1b0-4df9-a801-27708f9623d1', NULL, '', 'done with itAAAAAA', '2026-11-29 23:45:35.578266+00', -1795995935578266, '2026-11-29 23:45:35.607336+00', -1795995935607336, NULL);
INSERT INTO public.tenants VALUES ('acme', 'Acme ''n'' Söhne', 'trial', 100, '2026-11-20 12:00:00.123456+00', '2026-11-20 12:00:00.123456+00', 200000);
INSERT INTO public.vault_keys VALUES ('28738179', 'active', 'vf1.28738179.gAAAAABrDLkefWf9btqr18bHymYBN-YXGVmtZyk5jCCmO6eHlRY32P2Mt541oCqqAoi4KSEX29T_bW-PvehWoKpbdaW87lNfime-qo84HrDorG57LHTnnSwBgr2-hd6hIeKhXY3UL6gm', '2026-11-29 23:45:34.816311+00', 'vf2');
INSERT INTO public.vault_manifest VALUES ('ad', '{"4":"9ad3538e1b682969a0e93b38aa2a1f8bf5c134ef40f43ab4327930b608b42f6c"}');
INSERT INTO public.vault_manifest VALUES ('ad4', '{"ad44137251c07a44ed2a40c9162fe02a":{"is":["420ff365-4ae3-4f67-87de-1a5570c29893",1,"unknown"],"of":["secret","system","default","openai"]}}');
INSERT INTO public.vault_manifest VALUES ('d', '{"3":"8bc3805646b2771757eff14fbeff3905f5667bf32e3856e4f124de8e48fc8437"}');
INSERT INTO public.vault_manifest VALUES ('d3', '{"6":"5dcc3a78329cb9e19b901b88346e3c474d1481664703624eac3f93725d3df301"}');
INSERT INTO public.vault_manifest VALUES ('d36', '{"d36e9c52c04cf0310707745747609507":{"is":["08e1190e-50e5-424a-a5dd-7bc60aa5a920",1,"unknown"],"of":["secret","system","default","anthropic"]}}');
INSERT INTO public.vault_manifest VALUES ('6', '{"4":"b43f355e912647fe2a710a6e7590f732e21a8948c9cad10fd0b37437a8d75d1c"}');
INSERT INTO public.vault_manifest VALUES ('64', '{"5":"45b7854efc832accdc5b74557e5693270b8e87cf7c487e7c3005d884d02ff16d"}');
INSERT INTO public.vault_manifest VALUES ('645', '{"645f087a018615f27074ecd1cba83ca6":{"is":["4da73467-d5bb-4273-93ae-67f63be6cb36",1,"unknown"],"of":["secret","camera","543fb2ee-0b0f-4f76-a2ac-9e2481b9221b","password"]}}');
INSERT INTO public.vault_manifest VALUES ('4', '{"e":"83f24d0b373606c916faa05e82ab90aeb6bfac953db5ada4144ad18725002bf4"}');
INSERT INTO public.vault_manifest VALUES ('4e', '{"5":"66963dfa6c434a4d268366a1b49a2c574c4c77473234105b6c4b1e410afa8b23"}');
INSERT INTO public.vault_manifest VALUES ('4e5', '{"4e50efffc9b244e4e2a21cbb3f0b4632":{"is":["0ad3ddcc-64c2-4aa9-b52b-c0cd4224c67d",1,"unknown"],"of":["secret","alert_rule","6ea8b4eb-a815-4a2d-800e-cac1bdf63d51","header:x-token"]}}');
INSERT INTO public.vault_manifest VALUES ('a', '{"b":"0b1444c31efe0bbccafdb39852283edf5772effd58b7459ce49bd63d9a77b870","d":"bb98a0998adff3150ccf2904d6db64f8d31bd5497face7672ac55e5d0cc53935"}');
INSERT INTO public.vault_manifest VALUES ('ab', '{"e":"e2c2d204a72d0f96f73749711e5ba5d1bb25b76aad72c60c313cf81710b30bce"}');
INSERT INTO public.vault_manifest VALUES ('abe', '{"abe03a495b7146c020b17e45de6ec6fc":{"is":["a67465cd-1a49-4174-94f8-949ccaabf8e0",1,"unknown"],"of":["secret","server","guild","openai"]}}');
INSERT INTO public.vault_manifest VALUES ('', '{"2":"f94352a17e72e83510eb993d769b5e3514c9b30a0618870c61068420e38c8c5b","4":"8d973c6fe3ef58122d614ec9bfd108fe88fb7d44b59f008d2751cea533e60671","6":"8b1461be915ea578a09c623d69c279481ef4bc235de444718df7796b7a0db7e9","9":"170f894e63bbc3970519330b84ea64dfcfbf45ed3e266e9eaba7386b69784f48","a":"71e8d6449fbbcaf0ed7f75c384fd7e8eec3ef075d508238fe8b464edabe84cd3","d":"aaa0a45d4afd1f5bc2aed45e4c0f697898d0973ccbf0112e78dc00442810bb75"}');
INSERT INTO public.vault_manifest VALUES ('2', '{"4":"464524f1457f4487ad3e398b669c06eb607fd56aa8f841bc34efa1983841c8fa"}');
INSERT INTO public.vault_manifest VALUES ('24', '{"9":"628c347a851dc14bbb54afd83fd9b42cea58313a1e53c48cd88cb0b27f69da86"}');
INSERT INTO public.vault_manifest VALUES ('249', '{"2494692a9abdfe5027349a25da94ee7b":{"is":["729c6958-bb78-4d2f-a882-ddc39d4cc84d",1,"unknown"],"of":["secret","user","ann","openai"]}}');
INSERT INTO public.vault_manifest VALUES ('9', '{"0":"fcf14f097397521e7dfed3c68a8667c7b261bfbbbe6a4f8259a2bd526f4d1063"}');
INSERT INTO public.vault_manifest VALUES ('90', '{"0":"0963a33aa397475f8de64c0b6396d59d4e02ac38a621527dccc65464139d3c18"}');
INSERT INTO public.vault_manifest VALUES ('900', '{"9006805dbec73646d3ba1cd0bf7e60b9":{"is":["005ea3da-50d2-4bc6-bc85-63b6c368b3a6",1,"unknown"],"of":["secret","tenant","acme","openai"]}}');
INSERT INTO public.vault_manifest VALUES ('mac', '2e48dfa76b653c5896fe69c8eee306d2cc3feb53a2e8e4052093c40b7734b12d');
INSERT INTO public.vault_manifest VALUES ('root', '{"heads":{"57ba1dbf10e86aee-4aa98805443fde09":[7,"a8bb52464672f9881544a7476f6a2c5a81cb7268d503561f99d487846a6dd4fa"]},"keys":{"28738179":"active"},"kid":"28738179","legacy":false,"number":7,"top":"b87b9f4375a58e66d6db1e489310b42236dd8977432fea613fcdcc3fdc31c0a7","wraps":{"28738179:4aa98805443fde09":"67072d35c28f0aa9a091afe57fe67951"}}');
INSERT INTO public.vault_owners VALUES ('system', 'default', 'b98c95ad1d78bf42add11fd117e09e90df48829ffe8775c507b26d55bd141ce5', '2026-11-29 23:45:35.408098+00');
INSERT INTO public.vault_owners VALUES ('camera', '543fb2ee-0b0f-4f76-a2ac-9e2481b9221b', 'c6833341f9941fd28f4d19ada4bbe4d03ea6fa8979c09db8caaaaa5fd2a9fc02', '2026-11-29 23:45:35.621891+00');
INSERT INTO public.vault_owners VALUES ('alert_rule', '6ea8b4eb-a815-4a2d-800e-cac1bdf63d51', 'ad50e474f5aa077dca73872bfde162bf632e700299ad6362c058b4bdd14fef36', '2026-11-29 23:45:35.652071+00');
INSERT INTO public.vault_owners VALUES ('server', 'guild', '76536f065c68c8bfcfbedc53e21977fca882c504b0f728ed5ee69c76986d0f89', '2026-11-29 23:45:35.689136+00');
INSERT INTO public.vault_owners VALUES ('tenant', 'acme', '842a2a52459532257af583c357e7e5fd9069358889be3457ea2d1dc68e1b34d8', '2026-11-29 23:45:35.721879+00');
INSERT INTO public.vault_owners VALUES ('user', 'ann', '6f0b299d1958660a24d71a00be4cca3fde3cf8538bbafd771127beb6a3aaa97f', '2026-11-29 23:45:35.725115+00');
INSERT INTO public.vault_wraps VALUES ('28738179', '4aa98805443fde09', 'root', 'gAAAAABrDLke4efT6BKVq50e2mIkTwaKwd11D016ybw0OTHJbnipU-syU9HD3mtTgWql9tQTx8uAxycQBXvKiSnA8UKl0pD0pc63EWIwLtufmPOPSvN2VdNP5yFtq-_2oJvZH7QD7Stt', NULL, '2026-11-29 23:45:34.823045+00');
INSERT INTO public.vaults VALUES (1, '405e576a-fb5d-4351-8f53-5f0f4718b581', 1, '2026-11-29 23:45:34.792888+00');
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
ALTER TABLE ONLY public.vault_manifest
    ADD CONSTRAINT pk_vault_manifest PRIMARY KEY (path);
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
