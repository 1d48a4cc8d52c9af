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
INSERT INTO public.alert_rules VALUES ('191f8fb8-aee6-4977-a1b1-ea353bcb015a', 'Rule', true, 'https://hooks.example.com/x', '["X-Token"]', true, '2026-11-29 23:54:05.353544+00', '2026-11-29 23:54:05.353544+00');
INSERT INTO public.audit_entries VALUES (1, 'a45f974b5ed1120a-4aa98805443fde09', 1, '2026-11-29 23:54:05.037729+00', 'cli', 'vm', 'set', 'system', 'default', 'openai', '39d3d4c6f653a732', 'ok', NULL, 1, '0000000000000000000000000000000000000000000000000000000000000000', 'f191e526c6b43ada4fd6b529e41d116ba02fcc54939903be5a8e151e8ac05eaf');
INSERT INTO public.audit_entries VALUES (2, 'a45f974b5ed1120a-4aa98805443fde09', 2, '2026-11-29 23:54:05.041431+00', 'cli', 'vm', 'set', 'system', 'default', 'anthropic', 'b591c7a964d802f2', 'ok', NULL, 1, 'f191e526c6b43ada4fd6b529e41d116ba02fcc54939903be5a8e151e8ac05eaf', 'c2159eaec07c033a4b907af53de33b117d1d7373ad5fb22463c153c51f13934b');
INSERT INTO public.audit_entries VALUES (3, 'a45f974b5ed1120a-4aa98805443fde09', 3, '2026-11-29 23:54:05.322914+00', 'launch-token', 'vm', 'set', 'camera', '98222c08-48e4-423e-a3aa-695732218339', 'password', '861a2aca5898e1d3', 'ok', NULL, 1, 'c2159eaec07c033a4b907af53de33b117d1d7373ad5fb22463c153c51f13934b', '7b8815d310190ad36e63f60840782e9ba2d1ecebc94cb56da0fa629450d5d60d');
INSERT INTO public.audit_entries VALUES (4, 'a45f974b5ed1120a-4aa98805443fde09', 4, '2026-11-29 23:54:05.35982+00', 'launch-token', 'vm', 'set', 'alert_rule', '191f8fb8-aee6-4977-a1b1-ea353bcb015a', 'header:x-token', 'da13c0fce5cd58fd', 'ok', NULL, 1, '7b8815d310190ad36e63f60840782e9ba2d1ecebc94cb56da0fa629450d5d60d', '5fe98c9f4042f298f726462eeac9641acbb7662785d6cd58c212e0a35c24d196');
INSERT INTO public.audit_entries VALUES (5, 'a45f974b5ed1120a-4aa98805443fde09', 5, '2026-11-29 23:54:05.39509+00', 'launch-token', 'vm', 'set', 'server', 'guild', 'openai', '3dd0589ca478584d', 'ok', NULL, 1, '5fe98c9f4042f298f726462eeac9641acbb7662785d6cd58c212e0a35c24d196', 'b845b896e56bfcc6da60a0519566cd0eb7c34a4ea721349673bf35f9019b7fb2');
INSERT INTO public.audit_entries VALUES (6, 'a45f974b5ed1120a-4aa98805443fde09', 6, '2026-11-29 23:54:05.422294+00', 'launch-token', 'vm', 'set', 'tenant', 'acme', 'openai', '523f5034a2ffe456', 'ok', NULL, 1, 'b845b896e56bfcc6da60a0519566cd0eb7c34a4ea721349673bf35f9019b7fb2', 'bba4fa5b20ccf719e4a29f2868de2bbd08cf512722dd0306ff2ce1b72ec3a664');
INSERT INTO public.audit_entries VALUES (7, 'a45f974b5ed1120a-4aa98805443fde09', 7, '2026-11-29 23:54:05.426583+00', 'launch-token', 'vm', 'set', 'user', 'ann', 'openai', 'b6ddca58a6ebcb6f', 'ok', NULL, 1, 'bba4fa5b20ccf719e4a29f2868de2bbd08cf512722dd0306ff2ce1b72ec3a664', 'da6d4412ec457b4c7b5d2346f7745ad80b22d2cdbea48deee856a9d7872db9a6');
INSERT INTO public.cameras VALUES ('98222c08-48e4-423e-a3aa-695732218339', 'Door', 'http://127.0.0.1:1/stream', 'admin', true, '2026-11-29 23:54:05.301192+00', '2026-11-29 23:54:05.301192+00');
INSERT INTO public.changes VALUES (1, NULL, 'member', 'fed14685-6097-4ae6-9154-aa3054ccb461', 'created', '2026-11-29 23:54:04.365029+00');
INSERT INTO public.changes VALUES (2, NULL, 'member', 'f7ece898-7237-4764-aff1-8a4fb0b75eb6', 'created', '2026-11-29 23:54:04.382248+00');
INSERT INTO public.changes VALUES (3, NULL, 'member', '4ac790a6-45cd-44c8-af7f-ce64362edc90', 'created', '2026-11-29 23:54:04.390161+00');
INSERT INTO public.changes VALUES (4, NULL, 'task', '312faf16-1e68-48a7-b719-9469a5a11011', 'created', '2026-11-29 23:54:05.110016+00');
INSERT INTO public.changes VALUES (5, NULL, 'sub_task', '7237083f-3638-40d6-aab5-f7f57e0ad7ea', 'created', '2026-11-29 23:54:05.127391+00');
INSERT INTO public.changes VALUES (6, NULL, 'task', '312faf16-1e68-48a7-b719-9469a5a11011', 'updated', '2026-11-29 23:54:05.130269+00');
INSERT INTO public.changes VALUES (7, NULL, 'sub_task', 'c84948c7-25b0-48ef-b60c-5f0b63e12da8', 'created', '2026-11-29 23:54:05.139613+00');
INSERT INTO public.changes VALUES (8, NULL, 'task', '312faf16-1e68-48a7-b719-9469a5a11011', 'updated', '2026-11-29 23:54:05.140675+00');
INSERT INTO public.changes VALUES (9, NULL, 'sub_task', '1c41bb4d-3c67-472e-88a9-53a8881e0d04', 'created', '2026-11-29 23:54:05.148526+00');
INSERT INTO public.changes VALUES (10, NULL, 'task', '312faf16-1e68-48a7-b719-9469a5a11011', 'updated', '2026-11-29 23:54:05.149933+00');
INSERT INTO public.changes VALUES (11, NULL, 'daily_update', '2539629f-862d-4e16-b4a8-0808c7a02f9a', 'created', '2026-11-29 23:54:05.158819+00');
INSERT INTO public.changes VALUES (12, NULL, 'task', '312faf16-1e68-48a7-b719-9469a5a11011', 'updated', '2026-11-29 23:54:05.159969+00');
INSERT INTO public.changes VALUES (13, NULL, 'daily_update', '346cd3b2-fb43-4a0e-b11e-76dc9dbc755e', 'created', '2026-11-29 23:54:05.167185+00');
INSERT INTO public.changes VALUES (14, NULL, 'task', '312faf16-1e68-48a7-b719-9469a5a11011', 'updated', '2026-11-29 23:54:05.168466+00');
INSERT INTO public.changes VALUES (15, NULL, 'task', '83c44908-2166-4a86-b14c-ce74620d510e', 'created', '2026-11-29 23:54:05.17807+00');
INSERT INTO public.changes VALUES (16, NULL, 'sub_task', 'da66920f-5cc9-4d34-906c-79f767575ac7', 'created', '2026-11-29 23:54:05.186696+00');
INSERT INTO public.changes VALUES (17, NULL, 'task', '83c44908-2166-4a86-b14c-ce74620d510e', 'updated', '2026-11-29 23:54:05.187553+00');
INSERT INTO public.changes VALUES (18, NULL, 'sub_task', '49d753b6-36e6-4dde-a0c6-0b56c01603e2', 'created', '2026-11-29 23:54:05.194307+00');
INSERT INTO public.changes VALUES (19, NULL, 'task', '83c44908-2166-4a86-b14c-ce74620d510e', 'updated', '2026-11-29 23:54:05.195356+00');
INSERT INTO public.changes VALUES (20, NULL, 'sub_task', '3978f47f-5b18-44e5-b610-012318f6f748', 'created', '2026-11-29 23:54:05.202491+00');
INSERT INTO public.changes VALUES (21, NULL, 'task', '83c44908-2166-4a86-b14c-ce74620d510e', 'updated', '2026-11-29 23:54:05.203483+00');
INSERT INTO public.changes VALUES (22, NULL, 'daily_update', '83143d78-0891-4f6e-bbd0-0e4d39d36996', 'created', '2026-11-29 23:54:05.210698+00');
INSERT INTO public.changes VALUES (23, NULL, 'task', '83c44908-2166-4a86-b14c-ce74620d510e', 'updated', '2026-11-29 23:54:05.211878+00');
INSERT INTO public.changes VALUES (24, NULL, 'daily_update', 'de23a64f-d3d8-4284-a1f0-34b10f84bbb2', 'created', '2026-11-29 23:54:05.219068+00');
INSERT INTO public.changes VALUES (25, NULL, 'task', '83c44908-2166-4a86-b14c-ce74620d510e', 'updated', '2026-11-29 23:54:05.220587+00');
INSERT INTO public.changes VALUES (26, NULL, 'task', 'a0600c3b-0e92-4bb2-bb9a-606ed51e45f5', 'created', '2026-11-29 23:54:05.228926+00');
INSERT INTO public.changes VALUES (27, NULL, 'sub_task', '94b31a03-f268-4d3b-8d34-4def0a44ec4c', 'created', '2026-11-29 23:54:05.237762+00');
INSERT INTO public.changes VALUES (28, NULL, 'task', 'a0600c3b-0e92-4bb2-bb9a-606ed51e45f5', 'updated', '2026-11-29 23:54:05.238583+00');
INSERT INTO public.changes VALUES (29, NULL, 'sub_task', 'eb34c612-b53a-477f-bdcd-d0c16ffbe34b', 'created', '2026-11-29 23:54:05.24463+00');
INSERT INTO public.changes VALUES (30, NULL, 'task', 'a0600c3b-0e92-4bb2-bb9a-606ed51e45f5', 'updated', '2026-11-29 23:54:05.24577+00');
INSERT INTO public.changes VALUES (31, NULL, 'sub_task', '2a3f35aa-2e3b-45a7-86ed-b41cebf7ff25', 'created', '2026-11-29 23:54:05.253185+00');
INSERT INTO public.changes VALUES (32, NULL, 'task', 'a0600c3b-0e92-4bb2-bb9a-606ed51e45f5', 'updated', '2026-11-29 23:54:05.254006+00');
INSERT INTO public.changes VALUES (33, NULL, 'daily_update', 'a69fe060-fcd0-4205-a2c2-f6eaba7f2dcb', 'created', '2026-11-29 23:54:05.261231+00');
INSERT INTO public.changes VALUES (34, NULL, 'task', 'a0600c3b-0e92-4bb2-bb9a-606ed51e45f5', 'updated', '2026-11-29 23:54:05.262404+00');
INSERT INTO public.changes VALUES (35, NULL, 'daily_update', 'e6a1820f-b6f8-4d72-8a52-97bf28e944f5', 'created', '2026-11-29 23:54:05.270407+00');
INSERT INTO public.changes VALUES (36, NULL, 'task', 'a0600c3b-0e92-4bb2-bb9a-606ed51e45f5', 'updated', '2026-11-29 23:54:05.271461+00');
INSERT INTO public.changes VALUES (37, NULL, 'member', '4ac790a6-45cd-44c8-af7f-ce64362edc90', 'updated', '2026-11-29 23:54:05.459718+00');
INSERT INTO public.chat_servers VALUES ('guild', 'openai', 'public', 'manual_digital', 'digital_sheet', '2026-11-29 23:54:05.384274+00', '2026-11-29 23:54:05.387971+00');
INSERT INTO public.daily_updates VALUES ('2539629f-862d-4e16-b4a8-0808c7a02f9a', '312faf16-1e68-48a7-b719-9469a5a11011', '4ac790a6-45cd-44c8-af7f-ce64362edc90', 'Drained today.', false, '2026-11-29 23:54:05.1557+00', '2026-11-29 23:54:05.1557+00');
INSERT INTO public.daily_updates VALUES ('346cd3b2-fb43-4a0e-b11e-76dc9dbc755e', '312faf16-1e68-48a7-b719-9469a5a11011', '4ac790a6-45cd-44c8-af7f-ce64362edc90', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-29 23:54:05.165563+00', '2026-11-29 23:54:05.165563+00');
INSERT INTO public.daily_updates VALUES ('83143d78-0891-4f6e-bbd0-0e4d39d36996', '83c44908-2166-4a86-b14c-ce74620d510e', '4ac790a6-45cd-44c8-af7f-ce64362edc90', 'Drained today.', false, '2026-11-29 23:54:05.20879+00', '2026-11-29 23:54:05.20879+00');
INSERT INTO public.daily_updates VALUES ('de23a64f-d3d8-4284-a1f0-34b10f84bbb2', '83c44908-2166-4a86-b14c-ce74620d510e', '4ac790a6-45cd-44c8-af7f-ce64362edc90', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-29 23:54:05.217477+00', '2026-11-29 23:54:05.217477+00');
INSERT INTO public.daily_updates VALUES ('a69fe060-fcd0-4205-a2c2-f6eaba7f2dcb', 'a0600c3b-0e92-4bb2-bb9a-606ed51e45f5', '4ac790a6-45cd-44c8-af7f-ce64362edc90', 'Drained today.', false, '2026-11-29 23:54:05.258537+00', '2026-11-29 23:54:05.258537+00');
INSERT INTO public.daily_updates VALUES ('e6a1820f-b6f8-4d72-8a52-97bf28e944f5', 'a0600c3b-0e92-4bb2-bb9a-606ed51e45f5', '4ac790a6-45cd-44c8-af7f-ce64362edc90', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-29 23:54:05.267825+00', '2026-11-29 23:54:05.267825+00');
INSERT INTO public.members VALUES ('fed14685-6097-4ae6-9154-aa3054ccb461', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', true, '2026-11-29 23:54:04.361235+00', '2026-11-29 23:54:04.361235+00');
INSERT INTO public.members VALUES ('f7ece898-7237-4764-aff1-8a4fb0b75eb6', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', true, '2026-11-29 23:54:04.380361+00', '2026-11-29 23:54:04.380361+00');
INSERT INTO public.members VALUES ('4ac790a6-45cd-44c8-af7f-ce64362edc90', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', false, '2026-11-29 23:54:04.389358+00', '2026-11-29 23:54:05.457866+00');
INSERT INTO public.secrets VALUES ('66277313-2a31-4827-ae01-fafbdf2f5904', 'system', 'default', 'openai', 'vf2.4dda311e.gAAAAABrDLsdnF7IQzdsUWe65tbaUXj4XvnLpR-ji1PfDn-iqJb7BTxKzExg5uZbyjDFIcpfHpEnBNbSpvSXO9_i-TMufDOqCtWQzAYzwv_37Zy6Xct-oc-112M2jOCK65B5aPvsi6XkyCzM2y1HRgQO6ZmbQCbwEgeElG925IF8aFC6g7jPPGgEeDpAkdMHH02ODuLzegr4g_YSRlpWxmDCCV_cvEIzkkuB2O_JfvMXj5d2jtJpXoEQm_g38yDGYABPcKpR_-up', '4dda311e', NULL, 1, '39d3d4c6f653a732', 'ENAI', 'unknown', NULL, NULL, NULL, '2026-11-29 23:54:05.031011+00', '2026-11-29 23:54:05.031011+00', 'https://api.openai.com', '2026-11-30 22:51:28.605957+00', NULL);
INSERT INTO public.secrets VALUES ('4e60cb18-e998-4077-a648-87ff8835ba59', 'system', 'default', 'anthropic', 'vf2.4dda311e.gAAAAABrDLsd0rXLEkwPa__eOvYB4DhN3FUvMciQMbzVXWOou-NHq_-8xIBzHWGLZauL2dp5Y14ZCT5ZGonNBcZjQU1RNmf8ZqaW0xq2rtptKLGcUGZNLoHB6Z3ttPdmOOVXeOLAh-YZMQL8jOdadqSVO_TumQ0ZF1f7dLWfzROvSH5WYl4uDM5AwNrE3bFTIw2DqSE_0p-U82Zz476pGyxOZSaoaMGY-Y77P7TFkFVzjnimkhXMWyrVjgKrRRW-6kOZl7OOTb8v', '4dda311e', NULL, 1, 'b591c7a964d802f2', 'ANTH', 'unknown', NULL, NULL, NULL, '2026-11-29 23:54:05.039443+00', '2026-11-29 23:54:05.039443+00', 'https://api.anthropic.com', '2026-11-30 22:28:16.392781+00', NULL);
INSERT INTO public.secrets VALUES ('de7f15de-276a-4bde-a564-558d2b7f4d2a', 'camera', '98222c08-48e4-423e-a3aa-695732218339', 'password', 'vf2.4dda311e.gAAAAABrDLsdn9kZYV6e326gDPD-m94xAkx2ordbY1JHv3oW735rsOdQsmfA99aq8tMrpwAIPIlguLiAwmGnzxzrzPGfohWElvcNCHBTUzp5wjgQp61GarkCcWGRz6NNbbWSitdePxLSMnmDzmrzX6R9bYgHO6XSpwhc47Ovm3AWwT-Gqnfee5xRS65s9iq4hOoigcSbXeaPGtt_BITOc2rnSplX2IYOXbcg9Yjm4cR5YPOQwhQSGseDvLuJKLLmPssn_uLzxzbn', '4dda311e', NULL, 1, '861a2aca5898e1d3', '6789', 'unknown', NULL, NULL, '2099-01-31 00:00:00+00', '2026-11-29 23:54:05.313155+00', '2026-11-29 23:54:05.313155+00', NULL, NULL, NULL);
INSERT INTO public.secrets VALUES ('5f6b4546-2142-499d-953f-9df3763c6742', 'alert_rule', '191f8fb8-aee6-4977-a1b1-ea353bcb015a', 'header:x-token', 'vf2.4dda311e.gAAAAABrDLsdICZU8mQqIlEHGn-NldHuImjg6TNzPoW0FF_DjrTBXD-lL0YVPOpK_yEXaQycBB1gF23wybq2Vs42ermayKnV5q6xd3tlXKtaESM7fkFMgF-97FOAGD98QfeRB6PC1iPKfrTDo1rGM7L59y0xX90vpsoeGno_dPoixfhHSET_VpNECZQx0Azme0wmJCYdY3TfIPn4kTuvaezti3YOCF6FN9WKiWsOhQPNEkH98RxXBcwCT6IKeo3gnba9puqsXoDn', '4dda311e', NULL, 1, 'da13c0fce5cd58fd', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29 23:54:05.358028+00', '2026-11-29 23:54:05.358028+00', NULL, NULL, NULL);
INSERT INTO public.secrets VALUES ('a8c3e736-642b-4c8d-bea3-2f21f990e7c4', 'server', 'guild', 'openai', 'vf2.4dda311e.gAAAAABrDLsdnQ01J2SjjoULdscAowpfMKM50wnkJ8IPeGxN_jnArT6CSdhI2FE1feVnwxnba6jGBNdmWn-GAbXphnP8s78Ddf3AK86llLCOBEWSg2Ovnjv4xaQzoxAR4Y5swANDdkE1AEs973y98MfySFDEfppc6CjvkTZcKpVdqbFOl_r4f3g8yYLClMeznPoiy99Mttzj5n6krV-GE3Fj2KQjDgdS-Bl8ThrpvvnaB-hbhAjgF-QtkbjbvC16SUI2sWgxf_M-', '4dda311e', NULL, 1, '3dd0589ca478584d', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29 23:54:05.392203+00', '2026-11-29 23:54:05.392203+00', 'https://api.openai.com', '2026-12-01 01:34:24.107676+00', NULL);
INSERT INTO public.secrets VALUES ('70d4ef3e-836b-4f5b-aa3d-509e40cacf52', 'tenant', 'acme', 'openai', 'vf2.4dda311e.gAAAAABrDLsd2dDl_1_FIYQguNKO4B0Tz7qnHORI3Kdrm_Gfy_qtCUYtdXtMYe6c63dTeTktQhQRo2Z62XAws-jHVDRtbhgv_AF6VLL_aRhAtOtpd55molB4v2xFsq-xeiMyAy9zOYY_T7mm4MaWXvnKioyiuDdKOcbV5hPB7Oh6WRwBVkiHmf6lmUk0O7guResEIvmuAyztmKBfDQ9k1B7him8QnM0S_jNUO2dkeu5dBIq0nD6tzdKJWwqpUQyH8R6uqmxVM0lp', '4dda311e', NULL, 1, '523f5034a2ffe456', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29 23:54:05.419882+00', '2026-11-29 23:54:05.419882+00', 'https://api.openai.com', '2026-12-01 00:55:07.244905+00', NULL);
INSERT INTO public.secrets VALUES ('af3326e9-fa7c-446c-ad7f-d4bca957f13a', 'user', 'ann', 'openai', 'vf2.4dda311e.gAAAAABrDLsdYFkll4OOJLs26xNBBYNFYdxsc6hsV5x-iMHDtfLcd4fsddb8yK82bgAbJ6mBpjyLkgd3gBu2-W6TrkHN0_F_QuVNteG6AZzQCs_ncyd6LEjhvNVSxxKzXNAMbrIlldN3Cg3sxO-t_EGU_xWBe63uG67g8O8ThvzXWKNrCql-muAmDjc9H7ruhPFurG_q9WczxghogjcAWQQvsmeDyYUgYbUql6ZATaU6cY7IztWtriAwXK4QEtksOXGAwCQI_JAz', '4dda311e', NULL, 1, 'b6ddca58a6ebcb6f', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29 23:54:05.423963+00', '2026-11-29 23:54:05.423963+00', 'https://api.openai.com', '2026-12-01 00:04:29.258363+00', NULL);
INSERT INTO public.sub_tasks VALUES ('7237083f-3638-40d6-aab5-f7f57e0ad7ea', '312faf16-1e68-48a7-b719-9469a5a11011', 'Drain', false, 0, '2026-11-29 23:54:05.121523+00');
INSERT INTO public.sub_tasks VALUES ('c84948c7-25b0-48ef-b60c-5f0b63e12da8', '312faf16-1e68-48a7-b719-9469a5a11011', 'Fit', false, 1, '2026-11-29 23:54:05.137261+00');
INSERT INTO public.sub_tasks VALUES ('1c41bb4d-3c67-472e-88a9-53a8881e0d04', '312faf16-1e68-48a7-b719-9469a5a11011', 'Test', false, 2, '2026-11-29 23:54:05.146499+00');
INSERT INTO public.sub_tasks VALUES ('da66920f-5cc9-4d34-906c-79f767575ac7', '83c44908-2166-4a86-b14c-ce74620d510e', 'Drain', false, 0, '2026-11-29 23:54:05.184337+00');
INSERT INTO public.sub_tasks VALUES ('49d753b6-36e6-4dde-a0c6-0b56c01603e2', '83c44908-2166-4a86-b14c-ce74620d510e', 'Fit', false, 1, '2026-11-29 23:54:05.192347+00');
INSERT INTO public.sub_tasks VALUES ('3978f47f-5b18-44e5-b610-012318f6f748', '83c44908-2166-4a86-b14c-ce74620d510e', 'Test', false, 2, '2026-11-29 23:54:05.200503+00');
INSERT INTO public.sub_tasks VALUES ('94b31a03-f268-4d3b-8d34-4def0a44ec4c', 'a0600c3b-0e92-4bb2-bb9a-606ed51e45f5', 'Drain', false, 0, '2026-11-29 23:54:05.235527+00');
INSERT INTO public.sub_tasks VALUES ('eb34c612-b53a-477f-bdcd-d0c16ffbe34b', 'a0600c3b-0e92-4bb2-bb9a-606ed51e45f5', 'Fit', false, 1, '2026-11-29 23:54:05.242906+00');
INSERT INTO public.sub_tasks VALUES ('2a3f35aa-2e3b-45a7-86ed-b41cebf7ff25', 'a0600c3b-0e92-4bb2-bb9a-606ed51e45f5', 'Test', false, 2, '2026-11-29 23:54:05.25099+00');
INSERT INTO public.task_counts VALUES (1, 1, 0, 'fed14685-6097-4ae6-9154-aa3054ccb461', 1);
INSERT INTO public.task_counts VALUES (2, 2, 2, 'fed14685-6097-4ae6-9154-aa3054ccb461', 1);
INSERT INTO public.task_counts VALUES (3, 3, 1, 'fed14685-6097-4ae6-9154-aa3054ccb461', 1);
INSERT INTO public.task_grams VALUES (1, '312faf16-1e68-48a7-b719-9469a5a11011', '{-2116805770,-2056453938,-2034638993,-2012694870,-1990788063,-1894804668,-1844101460,-1819531172,-1782133999,-1764654766,-1757685581,-1737051676,-1700006720,-1699818603,-1693528309,-1601011031,-1523111409,-1428011398,-1426422219,-1389553793,-1294876852,-1294530925,-1219347494,-1161073603,-1136300570,-1022771712,-915335451,-907851929,-829821254,-678240261,-665992153,-620798807,-600024914,-519529380,-499274283,-425709145,-354289896,-343836275,-334889059,-281208305,-245923018,-206487202,-186874553,-150447386,-132928227,-76703680,-28652270,5823165,34053809,51151051,53838712,72894305,90856104,168996913,214374476,272412921,292226791,296389009,369541886,372511553,417155788,442629280,449302940,694164925,841246618,883799130,1008656688,1099920937,1163711926,1214014391,1245805610,1257971988,1318904709,1328990826,1361405575,1406770827,1409827955,1433337743,1516667996,1546310052,1622903794,1627517544,1672498099,1698826551,1756872259,1768738629,1770289403,1865619093,1876589146,1919773246,1941314360,1960104114,1960566561,1962978855,1978254056,2005012027,2129404733}');
INSERT INTO public.task_grams VALUES (2, '83c44908-2166-4a86-b14c-ce74620d510e', '{-1991142939,-1950827346,-1894804668,-1697268211,-1693528309,-1693275136,-1671230702,-1648921209,-1512505660,-1448726758,-1435764392,-1340610642,-1333219031,-1310421307,-1306218360,-1051787175,-1046319091,-1005565492,-732742969,-721216050,-425709145,-406967997,-379716684,-334889059,-306892622,-259198416,-153932832,-142198598,34053809,53762057,72894305,90856104,241327127,447573683,502069585,579761972,685219573,694164925,695222957,762460040,796107287,944116896,1059836089,1132891787,1216001415,1384560586,1406770827,1718367857,1719084253,1756872259,1768738629,1869941240,1941314360,1960566561,2083903060}');
INSERT INTO public.task_grams VALUES (3, 'a0600c3b-0e92-4bb2-bb9a-606ed51e45f5', '{-1984550456,-1957568757,-1894804668,-1781980110,-1737507116,-1707289918,-1671230702,-1537476039,-1158424327,-1006627108,-907851929,-844578292,-499274283,-425709145,-133651502,-93550863,90856104,125812993,292226791,320645439,417155788,491110549,518815762,579761972,694164925,813530149,1406770827,1469305752,1614016417,1718367857,1768738629,1790447844,1876589146,1926227017,2029027801}');
INSERT INTO public.tasks VALUES ('312faf16-1e68-48a7-b719-9469a5a11011', 'Replace the pump', 'Größe 40
  ''quoted''', 'In Progress', 1, 'High', 0, 'fed14685-6097-4ae6-9154-aa3054ccb461', NULL, '', 'replace the pumpAAgrösse 40
  ''quoted''AAAA', '2026-11-29 23:54:05.093635+00', -1795996445093635, '2026-11-29 23:54:05.165563+00', -1795996445165563, NULL);
INSERT INTO public.tasks VALUES ('83c44908-2166-4a86-b14c-ce74620d510e', 'Wait for parts', NULL, 'Blocked', 2, 'Low', 2, 'fed14685-6097-4ae6-9154-aa3054ccb461', '0042', 'Carrier', 'wait for partsAAAA0042AA', '2026-11-29 23:54:05.174176+00', -1795996445174176, '2026-11-29 23:54:05.217477+00', -1795996445217477, '2026-11-29 23:54:05.174176+00');
INSERT INTO public.tasks VALUES ('a0600c3b-0e92-4bb2-bb9a-606ed51e45f5', 'Done with it', NULL, 'Done', 3, 'Medium', 1, 'fed14685-6097-4ae6-9154-aa3054ccb461', NULL, '', 'done with itAAAAAA', '2026-11-29 23:54:05.226255+00', -1795996445226255, '2026-11-29 23:54:05.267825+00', -1795996445267825, NULL);
INSERT INTO public.tenants VALUES ('acme', 'Acme ''n'' Söhne', 'trial', 100, '2026-11-29 23:54:05.277576+00', '2026-11-29 23:54:05.277576+00', 200000);
INSERT INTO public.vault_keys VALUES ('4dda311e', 'active', 'vf1.4dda311e.gAAAAABrDLscSUM5PVsJf1qAb9rxczy380Ixb_BXwOZCQZWpep_aXiPfIVUoe2KZXmKc8UqUxZ609R3wgj6WPg3Y551yAEYn4PfM0HKhnz4dJ22FI4xOgjOQyIO9EmxIcsQeux-L-fO-', '2026-11-29 23:54:04.338017+00', 'vf2');
INSERT INTO public.vault_manifest VALUES ('mac', '0537e30b3a0426ee63f792551f0cb64a05a52a7abbf93f0f0ac0774df38cad8f');
INSERT INTO public.vault_manifest VALUES ('root', '{"heads":{"a45f974b5ed1120a-4aa98805443fde09":[7,"da6d4412ec457b4c7b5d2346f7745ad80b22d2cdbea48deee856a9d7872db9a6"]},"keys":{"4dda311e":"active"},"kid":"4dda311e","legacy":false,"number":8,"top":"7e9ed7e715072c0f23ae7d3e460929fa000edc608f16c134194c42dc7138a68d","wraps":{"4dda311e:4aa98805443fde09":"386bb67d471976879ea260a663c25e60"}}');
INSERT INTO public.vault_manifest VALUES ('ad', '{"4":"692cad829d0a415e96766305011f412cd4e0d6d7d123df49917e3aa0688f79d8"}');
INSERT INTO public.vault_manifest VALUES ('ad4', '{"ad44137251c07a44ed2a40c9162fe02a":{"is":["66277313-2a31-4827-ae01-fafbdf2f5904",1,"unknown"],"of":["secret","system","default","openai"]}}');
INSERT INTO public.vault_manifest VALUES ('d', '{"3":"fec5cef974790ab89382352a88c11381fcdbcf887177fa55e58f481347d09a07"}');
INSERT INTO public.vault_manifest VALUES ('d3', '{"6":"28f856a4af173d0a052dc3613fef70c102e0690713075499b20716a6b9dc729f"}');
INSERT INTO public.vault_manifest VALUES ('d36', '{"d36e9c52c04cf0310707745747609507":{"is":["4e60cb18-e998-4077-a648-87ff8835ba59",1,"unknown"],"of":["secret","system","default","anthropic"]}}');
INSERT INTO public.vault_manifest VALUES ('a0', '{"6":"d6274723df0afd6d648777064c8b8f5ade8acc3185da6c8af580f6ea4a91064c"}');
INSERT INTO public.vault_manifest VALUES ('a06', '{"a067b4143bca3eec246a2e82e14c5903":{"is":["trial",100,200000],"of":["tenant","acme"]}}');
INSERT INTO public.vault_manifest VALUES ('8', '{"d":"2973fde9b08ad01cfe38b7cce96b3b88efae044e866e7c0510c6d599316e552f"}');
INSERT INTO public.vault_manifest VALUES ('8d', '{"1":"961c9b8bdc7eba92df88ad366fcd26924ce6d3443c7b419205999969f2cd3f91"}');
INSERT INTO public.vault_manifest VALUES ('8d1', '{"8d185157560d1439cc3e97b01221a6a9":{"is":["de7f15de-276a-4bde-a564-558d2b7f4d2a",1,"unknown"],"of":["secret","camera","98222c08-48e4-423e-a3aa-695732218339","password"]}}');
INSERT INTO public.vault_manifest VALUES ('4', '{"9":"eea278ce115d2f48e8182f9c396d5fd7d2e32d8ab1c14110804235cdb3f083b7"}');
INSERT INTO public.vault_manifest VALUES ('49', '{"2":"0ec3c53f7d196af29d9adc39e60de172311c0ef644a719877d8594edddbbe56a"}');
INSERT INTO public.vault_manifest VALUES ('492', '{"4921e5caaaca84cd6f9bf83d71cb691d":{"is":["5f6b4546-2142-499d-953f-9df3763c6742",1,"unknown"],"of":["secret","alert_rule","191f8fb8-aee6-4977-a1b1-ea353bcb015a","header:x-token"]}}');
INSERT INTO public.vault_manifest VALUES ('a', '{"0":"8cec77088a88538d8198830b7fd7b4aa8c7ea5c59cb0fa8a5041d35cede95d86","b":"30aec3a85423633f7edc926657253b723d7479812fe7bf791dfd6b57c7b2240c","d":"f8f7583d6cb68feb1ec7f59ddb147a8b80d51a3af631ab6a4884989cf406ed33"}');
INSERT INTO public.vault_manifest VALUES ('ab', '{"e":"66912a30e3e8c2965ff8eb24b4e36f422750d537b29fd49f9df730e5a45c6ac7"}');
INSERT INTO public.vault_manifest VALUES ('abe', '{"abe03a495b7146c020b17e45de6ec6fc":{"is":["a8c3e736-642b-4c8d-bea3-2f21f990e7c4",1,"unknown"],"of":["secret","server","guild","openai"]}}');
INSERT INTO public.vault_manifest VALUES ('', '{"2":"232b225bfa2a757d60b3117c9861362e7b39d2e1b42f92741f3b80f70ceee536","4":"15964f85fc8147e8c4e207d04e00bd8d6b122b91a5fbec43bf4d42ab2a226df7","8":"7dfe2465d1498fec9f1f799c5dfaf9a9826ad92d92b0a7223bb58e4fc081a6b1","9":"5634f7bf09194b7131a6a52c56f682a449fe071053efc08ccf2012ac2e56fb28","a":"4687e5d2b2de5782646a5f2d94975bf0e16f1a3a54b09b15b7e1b8b15f0bf390","d":"1d0121941960bcdc5a0b61f4b29d720acc6796aa154e8e9d68a8f08610ec7865"}');
INSERT INTO public.vault_manifest VALUES ('2', '{"4":"2b7f386633e97fdd5d34cdb71d770df52eee7bdb03b15bc3fe664c0aa154a263"}');
INSERT INTO public.vault_manifest VALUES ('24', '{"9":"9307171b5c67756a5127862b1116dded567d58ebf7096c967a8e3640c495c7f4"}');
INSERT INTO public.vault_manifest VALUES ('249', '{"2494692a9abdfe5027349a25da94ee7b":{"is":["af3326e9-fa7c-446c-ad7f-d4bca957f13a",1,"unknown"],"of":["secret","user","ann","openai"]}}');
INSERT INTO public.vault_manifest VALUES ('9', '{"0":"71db50f3724fdbb3f8933746e41a0df1f9286c57daf29cb74ad5c37feeffc129"}');
INSERT INTO public.vault_manifest VALUES ('90', '{"0":"191924dd3ca1fbf8ea8652afad0ed61c0b8cebd95b96e439ab1a19c7500de140"}');
INSERT INTO public.vault_manifest VALUES ('900', '{"9006805dbec73646d3ba1cd0bf7e60b9":{"is":["70d4ef3e-836b-4f5b-aa3d-509e40cacf52",1,"unknown"],"of":["secret","tenant","acme","openai"]}}');
INSERT INTO public.vault_owners VALUES ('system', 'default', 'c373670fa7e0fdf64923e5564ffbd8d86b234b2bde6fb07c7823c52600889129', '2026-11-29 23:54:05.027816+00');
INSERT INTO public.vault_owners VALUES ('camera', '98222c08-48e4-423e-a3aa-695732218339', 'bca900899c6027e7eb2e53215fc6ae5983113a2bf3038deba5d0c3f3c1e7cb26', '2026-11-29 23:54:05.31105+00');
INSERT INTO public.vault_owners VALUES ('alert_rule', '191f8fb8-aee6-4977-a1b1-ea353bcb015a', 'a585e397d5aaf21adbbf33ea2960b0f79a00211e76f89bd1db77f62b404d510b', '2026-11-29 23:54:05.357317+00');
INSERT INTO public.vault_owners VALUES ('server', 'guild', 'c6488c8dda631597e02531148e505437420769fbe5ba039ff75275874f6c4c6a', '2026-11-29 23:54:05.391471+00');
INSERT INTO public.vault_owners VALUES ('tenant', 'acme', '12ebb49c55902807f6aacfc14bdeb5e163edf9dff5a263504cc941ab58077fa6', '2026-11-29 23:54:05.419081+00');
INSERT INTO public.vault_owners VALUES ('user', 'ann', '27358b7c204e7c481fa3d22f34641cb1fb07dfdb1bd5035c87782efbf00592ca', '2026-11-29 23:54:05.423306+00');
INSERT INTO public.vault_wraps VALUES ('4dda311e', '4aa98805443fde09', 'root', 'gAAAAABrDLscSsxIgTJlthQTt-0ORicRWcOuhq_MW2d9RiFXAicef-X-Hl8mxydpdf_gHkDZce7O8v6f5z9cPaTP2GSS87FHHZq-dwrMdmuHdEAWJIaxLFRqsfg5bRxknqtXnIbxqxjR', NULL, '2026-11-29 23:54:04.343418+00');
INSERT INTO public.vaults VALUES (1, '0da21d2a-4708-483d-966f-f75315632e5a', 1, '2026-11-29 23:54:04.314568+00');
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
