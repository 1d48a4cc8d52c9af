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
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE public.trial_calls (
    tenant_id text NOT NULL,
    day text NOT NULL,
    calls integer NOT NULL
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
INSERT INTO public.alembic_version VALUES ('0006');
INSERT INTO public.audit_entries VALUES (1, '321e4f12baf7b1f8-4aa98805443fde09', 1, '2026-11-29 19:31:52.867811+00', 'cli', 'vm', 'set', 'system', 'default', 'openai', '71458a28139c2f46', 'ok', NULL, 1, '0000000000000000000000000000000000000000000000000000000000000000', '6204acfa48c3f386972393562879ffa06367c09daba51995b1cfd33b938d22ce');
INSERT INTO public.audit_entries VALUES (2, '321e4f12baf7b1f8-4aa98805443fde09', 2, '2026-11-29 19:31:52.896512+00', 'cli', 'vm', 'set', 'system', 'default', 'anthropic', 'd2aa99a21fc931cf', 'ok', NULL, 1, '6204acfa48c3f386972393562879ffa06367c09daba51995b1cfd33b938d22ce', 'ea5c4495b28be3d1885b86cd874846d2d3535044cae928da332785b9a9b4a767');
INSERT INTO public.changes VALUES (1, NULL, 'member', '11683ce1-3596-49d1-b661-1aef6e6a8d9b', 'created', '2026-11-29 19:31:47.07053+00');
INSERT INTO public.changes VALUES (2, NULL, 'member', '5548f745-8ced-4ef7-8dc8-bdd0caf3033a', 'created', '2026-11-29 19:31:47.129024+00');
INSERT INTO public.changes VALUES (3, NULL, 'member', '1d794756-4340-4386-b03f-6f71dda0be39', 'created', '2026-11-29 19:31:47.163059+00');
INSERT INTO public.changes VALUES (4, NULL, 'task', 'c9d1c082-be38-4f3d-a06f-b05873ac1569', 'created', '2026-11-29 19:31:53.138816+00');
INSERT INTO public.changes VALUES (5, NULL, 'sub_task', 'e023ce60-47a0-4770-9112-1720d8906030', 'created', '2026-11-29 19:31:53.219848+00');
INSERT INTO public.changes VALUES (6, NULL, 'task', 'c9d1c082-be38-4f3d-a06f-b05873ac1569', 'updated', '2026-11-29 19:31:53.246444+00');
INSERT INTO public.changes VALUES (7, NULL, 'sub_task', '3062348f-6ed4-47fd-83f8-0d42739ba396', 'created', '2026-11-29 19:31:53.310018+00');
INSERT INTO public.changes VALUES (8, NULL, 'task', 'c9d1c082-be38-4f3d-a06f-b05873ac1569', 'updated', '2026-11-29 19:31:53.318415+00');
INSERT INTO public.changes VALUES (9, NULL, 'sub_task', '8b662865-a13a-445b-b90f-570b36460e2b', 'created', '2026-11-29 19:31:53.362846+00');
INSERT INTO public.changes VALUES (10, NULL, 'task', 'c9d1c082-be38-4f3d-a06f-b05873ac1569', 'updated', '2026-11-29 19:31:53.384354+00');
INSERT INTO public.changes VALUES (11, NULL, 'daily_update', 'ecff0f63-8f72-43a4-b123-330e887420de', 'created', '2026-11-29 19:31:53.465034+00');
INSERT INTO public.changes VALUES (12, NULL, 'task', 'c9d1c082-be38-4f3d-a06f-b05873ac1569', 'updated', '2026-11-29 19:31:53.483265+00');
INSERT INTO public.changes VALUES (13, NULL, 'daily_update', '65f257bf-08ee-4d24-8f4f-8c03284605a3', 'created', '2026-11-29 19:31:53.533085+00');
INSERT INTO public.changes VALUES (14, NULL, 'task', 'c9d1c082-be38-4f3d-a06f-b05873ac1569', 'updated', '2026-11-29 19:31:53.544124+00');
INSERT INTO public.changes VALUES (15, NULL, 'task', '086a08d2-3c7f-4415-b561-a7145f81a32a', 'created', '2026-11-29 19:31:53.603145+00');
INSERT INTO public.changes VALUES (16, NULL, 'sub_task', '711a3a95-6fd2-48b7-9f33-0262bb68d59e', 'created', '2026-11-29 19:31:53.645901+00');
INSERT INTO public.changes VALUES (17, NULL, 'task', '086a08d2-3c7f-4415-b561-a7145f81a32a', 'updated', '2026-11-29 19:31:53.655832+00');
INSERT INTO public.changes VALUES (18, NULL, 'sub_task', '3280c7ee-2e20-425d-a0dc-502b558360a2', 'created', '2026-11-29 19:31:53.698691+00');
INSERT INTO public.changes VALUES (19, NULL, 'task', '086a08d2-3c7f-4415-b561-a7145f81a32a', 'updated', '2026-11-29 19:31:53.715623+00');
INSERT INTO public.changes VALUES (20, NULL, 'sub_task', 'bff29c81-6b37-4269-9e36-5e658ed56d9d', 'created', '2026-11-29 19:31:53.754771+00');
INSERT INTO public.changes VALUES (21, NULL, 'task', '086a08d2-3c7f-4415-b561-a7145f81a32a', 'updated', '2026-11-29 19:31:53.769467+00');
INSERT INTO public.changes VALUES (22, NULL, 'daily_update', '3724961f-8abe-49b1-ba2d-e41efbc5ab8c', 'created', '2026-11-29 19:31:53.828276+00');
INSERT INTO public.changes VALUES (23, NULL, 'task', '086a08d2-3c7f-4415-b561-a7145f81a32a', 'updated', '2026-11-29 19:31:53.842813+00');
INSERT INTO public.changes VALUES (24, NULL, 'daily_update', 'e4935688-8c5b-42ff-a4b2-9d72489ba869', 'created', '2026-11-29 19:31:53.896134+00');
INSERT INTO public.changes VALUES (25, NULL, 'task', '086a08d2-3c7f-4415-b561-a7145f81a32a', 'updated', '2026-11-29 19:31:53.908654+00');
INSERT INTO public.changes VALUES (26, NULL, 'task', 'd0572bc1-86dd-406f-abe4-9961d937c519', 'created', '2026-11-29 19:31:53.960025+00');
INSERT INTO public.changes VALUES (27, NULL, 'sub_task', 'a828fb9b-1251-4ce6-8887-fc2940da8704', 'created', '2026-11-29 19:31:54.038903+00');
INSERT INTO public.changes VALUES (28, NULL, 'task', 'd0572bc1-86dd-406f-abe4-9961d937c519', 'updated', '2026-11-29 19:31:54.053056+00');
INSERT INTO public.changes VALUES (29, NULL, 'sub_task', 'bf017366-db87-4dd7-a409-4ea12ddb4398', 'created', '2026-11-29 19:31:54.104613+00');
INSERT INTO public.changes VALUES (30, NULL, 'task', 'd0572bc1-86dd-406f-abe4-9961d937c519', 'updated', '2026-11-29 19:31:54.116143+00');
INSERT INTO public.changes VALUES (31, NULL, 'sub_task', '1f945571-2a60-4b8a-aa63-84d45cdd76ee', 'created', '2026-11-29 19:31:54.171203+00');
INSERT INTO public.changes VALUES (32, NULL, 'task', 'd0572bc1-86dd-406f-abe4-9961d937c519', 'updated', '2026-11-29 19:31:54.187722+00');
INSERT INTO public.changes VALUES (33, NULL, 'daily_update', '7f322ca6-5703-4b63-a509-62064dacdb4b', 'created', '2026-11-29 19:31:54.237287+00');
INSERT INTO public.changes VALUES (34, NULL, 'task', 'd0572bc1-86dd-406f-abe4-9961d937c519', 'updated', '2026-11-29 19:31:54.24326+00');
INSERT INTO public.changes VALUES (35, NULL, 'daily_update', 'b6464052-2006-41fe-8712-37a2e9effede', 'created', '2026-11-29 19:31:54.289696+00');
INSERT INTO public.changes VALUES (36, NULL, 'task', 'd0572bc1-86dd-406f-abe4-9961d937c519', 'updated', '2026-11-29 19:31:54.309255+00');
INSERT INTO public.changes VALUES (37, NULL, 'member', '1d794756-4340-4386-b03f-6f71dda0be39', 'updated', '2026-11-29 19:31:54.404814+00');
INSERT INTO public.daily_updates VALUES ('ecff0f63-8f72-43a4-b123-330e887420de', 'c9d1c082-be38-4f3d-a06f-b05873ac1569', '1d794756-4340-4386-b03f-6f71dda0be39', 'Drained today.', false, '2026-11-29 19:31:53.440791+00', '2026-11-29 19:31:53.440791+00');
INSERT INTO public.daily_updates VALUES ('65f257bf-08ee-4d24-8f4f-8c03284605a3', 'c9d1c082-be38-4f3d-a06f-b05873ac1569', '1d794756-4340-4386-b03f-6f71dda0be39', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-29 19:31:53.528491+00', '2026-11-29 19:31:53.528491+00');
INSERT INTO public.daily_updates VALUES ('3724961f-8abe-49b1-ba2d-e41efbc5ab8c', '086a08d2-3c7f-4415-b561-a7145f81a32a', '1d794756-4340-4386-b03f-6f71dda0be39', 'Drained today.', false, '2026-11-29 19:31:53.821783+00', '2026-11-29 19:31:53.821783+00');
INSERT INTO public.daily_updates VALUES ('e4935688-8c5b-42ff-a4b2-9d72489ba869', '086a08d2-3c7f-4415-b561-a7145f81a32a', '1d794756-4340-4386-b03f-6f71dda0be39', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-29 19:31:53.890779+00', '2026-11-29 19:31:53.890779+00');
INSERT INTO public.daily_updates VALUES ('7f322ca6-5703-4b63-a509-62064dacdb4b', 'd0572bc1-86dd-406f-abe4-9961d937c519', '1d794756-4340-4386-b03f-6f71dda0be39', 'Drained today.', false, '2026-11-29 19:31:54.230722+00', '2026-11-29 19:31:54.230722+00');
INSERT INTO public.daily_updates VALUES ('b6464052-2006-41fe-8712-37a2e9effede', 'd0572bc1-86dd-406f-abe4-9961d937c519', '1d794756-4340-4386-b03f-6f71dda0be39', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-29 19:31:54.287372+00', '2026-11-29 19:31:54.287372+00');
INSERT INTO public.members VALUES ('11683ce1-3596-49d1-b661-1aef6e6a8d9b', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', true, '2026-11-29 19:31:47.042633+00', '2026-11-29 19:31:47.042633+00');
INSERT INTO public.members VALUES ('5548f745-8ced-4ef7-8dc8-bdd0caf3033a', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', true, '2026-11-29 19:31:47.123605+00', '2026-11-29 19:31:47.123605+00');
INSERT INTO public.members VALUES ('1d794756-4340-4386-b03f-6f71dda0be39', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', false, '2026-11-29 19:31:47.161453+00', '2026-11-29 19:31:54.39878+00');
INSERT INTO public.secrets VALUES ('d548ab75-db97-4a8e-b127-aff6ccf46fe9', 'system', 'default', 'openai', 'vf1.e2fee4d9.gAAAAABrDH2o_NYH7SsfhGsSLqCslj8KZ3DUci27o32fdThncbnHJu53gMVt_BSHM0jncuYv1ZwBOjqNJk5fUAl6GdRkr6nXL44IxhAhlZ_pz_It-CwiOe5WlZ5CEmgnzYTDScdGrHK6LJy540JL2NnQuCIyEqF1ayNf9OUQNVV19B__BuNJgYbDIYNpObbFO4nYC9ulPgwFMQzxA8-FJO3EVkAPMwNfyy73Upf0liN3DJJ0T-dI03gEbOU6IN6LVuy5OoGrEEXp', 'e2fee4d9', NULL, 1, '71458a28139c2f46', 'ENAI', 'unknown', NULL, NULL, NULL, '2026-11-29 19:31:52.815501+00', '2026-11-29 19:31:52.815501+00', 'https://api.openai.com', '2026-11-30 19:35:22.001704+00', NULL);
INSERT INTO public.secrets VALUES ('4f462979-2dfe-400e-ad38-18824e62050b', 'system', 'default', 'anthropic', 'vf1.e2fee4d9.gAAAAABrDH2oNrxGdEyvBgIMEWQxaY-lfwJxVQF2JXF1YhQKoRGvkuk4kb-U7PG00fNCKNAdNGpiIMXPvqZbiliqJhghoizbqyms3dvOY7GBYf_BoKld189kt1IEs1TtRmtCl2IWXUK4hWzFm7CnBJlO2EPkc7LeCnKmXnqMp0LF2kXstjx6QQR_vmP2jT4Ja0RbsT_t9rGVBbg1RJKDKnZk3YwdqBYZjVbvzkdKcMozsy-4_ZNHBzSnFTv72eGHV5GnRWckux8e', 'e2fee4d9', NULL, 1, 'd2aa99a21fc931cf', 'ANTH', 'unknown', NULL, NULL, NULL, '2026-11-29 19:31:52.877651+00', '2026-11-29 19:31:52.877651+00', 'https://api.anthropic.com', '2026-11-30 17:16:04.399562+00', NULL);
INSERT INTO public.sub_tasks VALUES ('e023ce60-47a0-4770-9112-1720d8906030', 'c9d1c082-be38-4f3d-a06f-b05873ac1569', 'Drain', false, 0, '2026-11-29 19:31:53.199111+00');
INSERT INTO public.sub_tasks VALUES ('3062348f-6ed4-47fd-83f8-0d42739ba396', 'c9d1c082-be38-4f3d-a06f-b05873ac1569', 'Fit', false, 1, '2026-11-29 19:31:53.308435+00');
INSERT INTO public.sub_tasks VALUES ('8b662865-a13a-445b-b90f-570b36460e2b', 'c9d1c082-be38-4f3d-a06f-b05873ac1569', 'Test', false, 2, '2026-11-29 19:31:53.351509+00');
INSERT INTO public.sub_tasks VALUES ('711a3a95-6fd2-48b7-9f33-0262bb68d59e', '086a08d2-3c7f-4415-b561-a7145f81a32a', 'Drain', false, 0, '2026-11-29 19:31:53.64062+00');
INSERT INTO public.sub_tasks VALUES ('3280c7ee-2e20-425d-a0dc-502b558360a2', '086a08d2-3c7f-4415-b561-a7145f81a32a', 'Fit', false, 1, '2026-11-29 19:31:53.685064+00');
INSERT INTO public.sub_tasks VALUES ('bff29c81-6b37-4269-9e36-5e658ed56d9d', '086a08d2-3c7f-4415-b561-a7145f81a32a', 'Test', false, 2, '2026-11-29 19:31:53.74767+00');
INSERT INTO public.sub_tasks VALUES ('a828fb9b-1251-4ce6-8887-fc2940da8704', 'd0572bc1-86dd-406f-abe4-9961d937c519', 'Drain', false, 0, '2026-11-29 19:31:54.025167+00');
INSERT INTO public.sub_tasks VALUES ('bf017366-db87-4dd7-a409-4ea12ddb4398', 'd0572bc1-86dd-406f-abe4-9961d937c519', 'Fit', false, 1, '2026-11-29 19:31:54.094603+00');
INSERT INTO public.sub_tasks VALUES ('1f945571-2a60-4b8a-aa63-84d45cdd76ee', 'd0572bc1-86dd-406f-abe4-9961d937c519', 'Test', false, 2, '2026-11-29 19:31:54.16045+00');
INSERT INTO public.task_counts VALUES (1, 1, 0, '11683ce1-3596-49d1-b661-1aef6e6a8d9b', 1);
INSERT INTO public.task_counts VALUES (2, 2, 2, '11683ce1-3596-49d1-b661-1aef6e6a8d9b', 1);
INSERT INTO public.task_counts VALUES (3, 3, 1, '11683ce1-3596-49d1-b661-1aef6e6a8d9b', 1);
INSERT INTO public.task_grams VALUES (1, 'c9d1c082-be38-4f3d-a06f-b05873ac1569', '{-2116805770,-2056453938,-2034638993,-2012694870,-1990788063,-1894804668,-1844101460,-1819531172,-1782133999,-1764654766,-1757685581,-1737051676,-1700006720,-1699818603,-1693528309,-1601011031,-1523111409,-1428011398,-1426422219,-1389553793,-1294876852,-1294530925,-1219347494,-1161073603,-1136300570,-1022771712,-915335451,-907851929,-829821254,-678240261,-665992153,-620798807,-600024914,-519529380,-499274283,-425709145,-354289896,-343836275,-334889059,-281208305,-245923018,-206487202,-186874553,-150447386,-132928227,-76703680,-28652270,5823165,34053809,51151051,53838712,72894305,90856104,168996913,214374476,272412921,292226791,296389009,369541886,372511553,417155788,442629280,449302940,694164925,841246618,883799130,1008656688,1099920937,1163711926,1214014391,1245805610,1257971988,1318904709,1328990826,1361405575,1406770827,1409827955,1433337743,1516667996,1546310052,1622903794,1627517544,1672498099,1698826551,1756872259,1768738629,1770289403,1865619093,1876589146,1919773246,1941314360,1960104114,1960566561,1962978855,1978254056,2005012027,2129404733}');
INSERT INTO public.task_grams VALUES (2, '086a08d2-3c7f-4415-b561-a7145f81a32a', '{-1991142939,-1950827346,-1894804668,-1697268211,-1693528309,-1693275136,-1671230702,-1648921209,-1512505660,-1448726758,-1435764392,-1340610642,-1333219031,-1310421307,-1306218360,-1051787175,-1046319091,-1005565492,-732742969,-721216050,-425709145,-406967997,-379716684,-334889059,-306892622,-259198416,-153932832,-142198598,34053809,53762057,72894305,90856104,241327127,447573683,502069585,579761972,685219573,694164925,695222957,762460040,796107287,944116896,1059836089,1132891787,1216001415,1384560586,1406770827,1718367857,1719084253,1756872259,1768738629,1869941240,1941314360,1960566561,2083903060}');
INSERT INTO public.task_grams VALUES (3, 'd0572bc1-86dd-406f-abe4-9961d937c519', '{-1984550456,-1957568757,-1894804668,-1781980110,-1737507116,-1707289918,-1671230702,-1537476039,-1158424327,-1006627108,-907851929,-844578292,-499274283,-425709145,-133651502,-93550863,90856104,125812993,292226791,320645439,417155788,491110549,518815762,579761972,694164925,813530149,1406770827,1469305752,1614016417,1718367857,1768738629,1790447844,1876589146,1926227017,2029027801}');
INSERT INTO public.tasks VALUES ('c9d1c082-be38-4f3d-a06f-b05873ac1569', 'Replace the pump', 'Größe 40
  ''quoted''', 'In Progress', 1, 'High', 0, '11683ce1-3596-49d1-b661-1aef6e6a8d9b', NULL, '', 'replace the pumpAAgrösse 40
  ''quoted''AAAA', '2026-11-29 19:31:53.097957+00', -1795980713097957, '2026-11-29 19:31:53.528491+00', -1795980713528491, NULL);
INSERT INTO public.tasks VALUES ('086a08d2-3c7f-4415-b561-a7145f81a32a', 'Wait for parts', NULL, 'Blocked', 2, 'Low', 2, '11683ce1-3596-49d1-b661-1aef6e6a8d9b', '0042', 'Carrier', 'wait for partsAAAA0042AA', '2026-11-29 19:31:53.589772+00', -1795980713589772, '2026-11-29 19:31:53.890779+00', -1795980713890779, '2026-11-29 19:31:53.589772+00');
INSERT INTO public.tasks VALUES ('d0572bc1-86dd-406f-abe4-9961d937c519', 'Done with it', NULL, 'Done', 3, 'Medium', 1, '11683ce1-3596-49d1-b661-1aef6e6a8d9b', NULL, '', 'done with itAAAAAA', '2026-11-29 19:31:53.9479+00', -1795980713947900, '2026-11-29 19:31:54.287372+00', -1795980714287372, NULL);
INSERT INTO public.tenants VALUES ('acme', 'Acme ''n'' Söhne', 'trial', 100, '2026-11-20 12:00:00.123456+00', '2026-11-20 12:00:00.123456+00');
INSERT INTO public.vault_keys VALUES ('e2fee4d9', 'active', 'vf1.e2fee4d9.gAAAAABrDH2gXsdKWzJvKDFQmLB8VTr-oQqU7bQbNdq_NPhr2Pgi6k89CyT-WfarBPwklbbFXNPdxObGo4GSFIk34gREEqeodmyK0yksa24VUq2zTJoAf0FPQp4XzlXi9YzbUD0iGxrv', '2026-11-29 19:31:44.760094+00');
INSERT INTO public.vault_owners VALUES ('system', 'default', 'dd7e28549d3279d5263456aa4a8bfe299d4a8c4371230ebf938f1b46e61e08a8', '2026-11-29 19:31:52.807324+00');
INSERT INTO public.vault_wraps VALUES ('e2fee4d9', '4aa98805443fde09', 'root', 'gAAAAABrDH2g721ssXnbN-zyOCBYBJ6XmSA9GAeRZOWerz6pqT5l8kQBRAxcnavDUf4553e2v7Kx8XEhmr8MEXPi-Z9q3X4FKYIcZJ2OB8W7WicTWexCO5nvqIhd6EOGQCXr7fi0oO_l', NULL, '2026-11-29 19:31:44.8452+00');
INSERT INTO public.vaults VALUES (1, '594db0c6-41d4-4d1a-ac8f-90b64c3923a2', 1, '2026-11-29 19:31:44.614205+00');
SELECT pg_catalog.setval('public.audit_entries_seq_seq', 2, true);
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
