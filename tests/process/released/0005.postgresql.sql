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
ALTER TABLE ONLY public.task_grams ALTER COLUMN number SET DEFAULT nextval('public.task_grams_number_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0005');
INSERT INTO public.audit_entries VALUES (1, '20154d7d02830734-4aa98805443fde09', 1, '2026-11-20 22:45:19.973738+00', 'cli', 'vm', 'set', 'system', 'default', 'openai', '70b38738458802d7', 'ok', NULL, 1, '0000000000000000000000000000000000000000000000000000000000000000', '286c9b345d8bcaf127e7bf08ecb84d4162048b2b1552a96be169497190171fbb');
INSERT INTO public.audit_entries VALUES (2, '20154d7d02830734-4aa98805443fde09', 2, '2026-11-20 22:45:19.98097+00', 'cli', 'vm', 'set', 'system', 'default', 'anthropic', '20c127f971abad09', 'ok', NULL, 1, '286c9b345d8bcaf127e7bf08ecb84d4162048b2b1552a96be169497190171fbb', '7c3fca701d1ac3efe6de8595e5ee5704029eace5a2701d7f1313aff0b9a1c2bc');
INSERT INTO public.changes VALUES (1, NULL, 'member', 'f57301ae-6fd6-4a40-a7b9-b7091199c7bc', 'created', '2026-11-20 22:45:18.594553+00');
INSERT INTO public.changes VALUES (2, NULL, 'member', '1dcf3ec4-dd75-4826-8197-ef73897aeac9', 'created', '2026-11-20 22:45:18.626492+00');
INSERT INTO public.changes VALUES (3, NULL, 'member', '0ae78529-03c1-464f-97ca-9b8818fba9e7', 'created', '2026-11-20 22:45:18.649224+00');
INSERT INTO public.changes VALUES (4, NULL, 'task', '048268d6-49bc-40d9-b1bc-ba0a818db8d4', 'created', '2026-11-20 22:45:20.047995+00');
INSERT INTO public.changes VALUES (5, NULL, 'sub_task', '94185c27-09bf-40ba-a7be-ee2d0a465caf', 'created', '2026-11-20 22:45:20.130686+00');
INSERT INTO public.changes VALUES (6, NULL, 'task', '048268d6-49bc-40d9-b1bc-ba0a818db8d4', 'updated', '2026-11-20 22:45:20.136139+00');
INSERT INTO public.changes VALUES (7, NULL, 'sub_task', 'f26e3568-b506-40cc-b5cc-8b02e40f691e', 'created', '2026-11-20 22:45:20.171962+00');
INSERT INTO public.changes VALUES (8, NULL, 'task', '048268d6-49bc-40d9-b1bc-ba0a818db8d4', 'updated', '2026-11-20 22:45:20.176963+00');
INSERT INTO public.changes VALUES (9, NULL, 'sub_task', 'a9a9da96-b56e-4b75-af1c-e53b6581d2c8', 'created', '2026-11-20 22:45:20.228953+00');
INSERT INTO public.changes VALUES (10, NULL, 'task', '048268d6-49bc-40d9-b1bc-ba0a818db8d4', 'updated', '2026-11-20 22:45:20.253295+00');
INSERT INTO public.changes VALUES (11, NULL, 'daily_update', 'fc877a79-80de-4f91-876e-ad08056083e1', 'created', '2026-11-20 22:45:20.308874+00');
INSERT INTO public.changes VALUES (12, NULL, 'task', '048268d6-49bc-40d9-b1bc-ba0a818db8d4', 'updated', '2026-11-20 22:45:20.322313+00');
INSERT INTO public.changes VALUES (13, NULL, 'daily_update', 'd5943b5e-8b1f-42d3-97ee-604705cc8dd1', 'created', '2026-11-20 22:45:20.354666+00');
INSERT INTO public.changes VALUES (14, NULL, 'task', '048268d6-49bc-40d9-b1bc-ba0a818db8d4', 'updated', '2026-11-20 22:45:20.356886+00');
INSERT INTO public.changes VALUES (15, NULL, 'task', 'af2daba4-de83-4386-b0e3-cd8ca26f5a05', 'created', '2026-11-20 22:45:20.372859+00');
INSERT INTO public.changes VALUES (16, NULL, 'sub_task', 'c57d899b-b0e5-4af7-ace9-ceef251fa30f', 'created', '2026-11-20 22:45:20.391487+00');
INSERT INTO public.changes VALUES (17, NULL, 'task', 'af2daba4-de83-4386-b0e3-cd8ca26f5a05', 'updated', '2026-11-20 22:45:20.421425+00');
INSERT INTO public.changes VALUES (18, NULL, 'sub_task', '57a5c346-bab0-4a3c-bf5c-ed65d64aeddb', 'created', '2026-11-20 22:45:20.477272+00');
INSERT INTO public.changes VALUES (19, NULL, 'task', 'af2daba4-de83-4386-b0e3-cd8ca26f5a05', 'updated', '2026-11-20 22:45:20.485814+00');
INSERT INTO public.changes VALUES (20, NULL, 'sub_task', 'aa9aa625-5b3d-4dd9-9979-ab3625f45a9a', 'created', '2026-11-20 22:45:20.532923+00');
INSERT INTO public.changes VALUES (21, NULL, 'task', 'af2daba4-de83-4386-b0e3-cd8ca26f5a05', 'updated', '2026-11-20 22:45:20.541281+00');
INSERT INTO public.changes VALUES (22, NULL, 'daily_update', '86efeb6e-0607-4fc1-8e94-ab884d87483f', 'created', '2026-11-20 22:45:20.568834+00');
INSERT INTO public.changes VALUES (23, NULL, 'task', 'af2daba4-de83-4386-b0e3-cd8ca26f5a05', 'updated', '2026-11-20 22:45:20.572913+00');
INSERT INTO public.changes VALUES (24, NULL, 'daily_update', 'e32388aa-bc6b-4910-afb8-c82fd939351b', 'created', '2026-11-20 22:45:20.600854+00');
INSERT INTO public.changes VALUES (25, NULL, 'task', 'af2daba4-de83-4386-b0e3-cd8ca26f5a05', 'updated', '2026-11-20 22:45:20.606082+00');
INSERT INTO public.changes VALUES (26, NULL, 'task', '94b7b6b2-2b27-4e59-95c4-2f9e089025f5', 'created', '2026-11-20 22:45:20.629769+00');
INSERT INTO public.changes VALUES (27, NULL, 'sub_task', 'cf7b30d5-0f28-4501-bfae-6631495282a1', 'created', '2026-11-20 22:45:20.678232+00');
INSERT INTO public.changes VALUES (28, NULL, 'task', '94b7b6b2-2b27-4e59-95c4-2f9e089025f5', 'updated', '2026-11-20 22:45:20.679289+00');
INSERT INTO public.changes VALUES (29, NULL, 'sub_task', 'f9be7ed5-2836-48a1-bcd0-1b113fa29bff', 'created', '2026-11-20 22:45:20.714075+00');
INSERT INTO public.changes VALUES (30, NULL, 'task', '94b7b6b2-2b27-4e59-95c4-2f9e089025f5', 'updated', '2026-11-20 22:45:20.716309+00');
INSERT INTO public.changes VALUES (31, NULL, 'sub_task', '774a62d0-80a1-4e46-b0b6-c12fe8f00c1b', 'created', '2026-11-20 22:45:20.757416+00');
INSERT INTO public.changes VALUES (32, NULL, 'task', '94b7b6b2-2b27-4e59-95c4-2f9e089025f5', 'updated', '2026-11-20 22:45:20.769119+00');
INSERT INTO public.changes VALUES (33, NULL, 'daily_update', 'eeb8013d-eef1-4c87-9c27-2280564dc30f', 'created', '2026-11-20 22:45:20.805205+00');
INSERT INTO public.changes VALUES (34, NULL, 'task', '94b7b6b2-2b27-4e59-95c4-2f9e089025f5', 'updated', '2026-11-20 22:45:20.807973+00');
INSERT INTO public.changes VALUES (35, NULL, 'daily_update', 'b06c5609-9fb8-4a2b-b4a1-eb1451d2118c', 'created', '2026-11-20 22:45:20.829997+00');
INSERT INTO public.changes VALUES (36, NULL, 'task', '94b7b6b2-2b27-4e59-95c4-2f9e089025f5', 'updated', '2026-11-20 22:45:20.832872+00');
INSERT INTO public.daily_updates VALUES ('fc877a79-80de-4f91-876e-ad08056083e1', '048268d6-49bc-40d9-b1bc-ba0a818db8d4', '0ae78529-03c1-464f-97ca-9b8818fba9e7', 'Drained today.', false, '2026-11-20 22:45:20.292388+00', '2026-11-20 22:45:20.292388+00');
INSERT INTO public.daily_updates VALUES ('d5943b5e-8b1f-42d3-97ee-604705cc8dd1', '048268d6-49bc-40d9-b1bc-ba0a818db8d4', '0ae78529-03c1-464f-97ca-9b8818fba9e7', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-20 22:45:20.348337+00', '2026-11-20 22:45:20.348337+00');
INSERT INTO public.daily_updates VALUES ('86efeb6e-0607-4fc1-8e94-ab884d87483f', 'af2daba4-de83-4386-b0e3-cd8ca26f5a05', '0ae78529-03c1-464f-97ca-9b8818fba9e7', 'Drained today.', false, '2026-11-20 22:45:20.556948+00', '2026-11-20 22:45:20.556948+00');
INSERT INTO public.daily_updates VALUES ('e32388aa-bc6b-4910-afb8-c82fd939351b', 'af2daba4-de83-4386-b0e3-cd8ca26f5a05', '0ae78529-03c1-464f-97ca-9b8818fba9e7', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-20 22:45:20.589738+00', '2026-11-20 22:45:20.589738+00');
INSERT INTO public.daily_updates VALUES ('eeb8013d-eef1-4c87-9c27-2280564dc30f', '94b7b6b2-2b27-4e59-95c4-2f9e089025f5', '0ae78529-03c1-464f-97ca-9b8818fba9e7', 'Drained today.', false, '2026-11-20 22:45:20.798689+00', '2026-11-20 22:45:20.798689+00');
INSERT INTO public.daily_updates VALUES ('b06c5609-9fb8-4a2b-b4a1-eb1451d2118c', '94b7b6b2-2b27-4e59-95c4-2f9e089025f5', '0ae78529-03c1-464f-97ca-9b8818fba9e7', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-20 22:45:20.820199+00', '2026-11-20 22:45:20.820199+00');
INSERT INTO public.members VALUES ('f57301ae-6fd6-4a40-a7b9-b7091199c7bc', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', true, '2026-11-20 22:45:18.550661+00', '2026-11-20 22:45:18.550661+00');
INSERT INTO public.members VALUES ('1dcf3ec4-dd75-4826-8197-ef73897aeac9', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', true, '2026-11-20 22:45:18.62094+00', '2026-11-20 22:45:18.62094+00');
INSERT INTO public.members VALUES ('0ae78529-03c1-464f-97ca-9b8818fba9e7', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', false, '2026-11-20 22:45:18.644889+00', '2026-11-20 22:45:18.644889+00');
INSERT INTO public.secrets VALUES ('9e5cc5ca-f786-4b0f-a359-b30056b2f29f', 'system', 'default', 'openai', 'vf1.cdb1f407.gAAAAABrAM1_5tPjFeo7MC4zyUnWU28cs7H5lCZpty6XHBJvZssLPzA60q9Lo1WBA5Of3aFwX1Kh_xQ6NCX0_RuCe3fplBA_noWdv4gdZtSq2U37beShLBpAndNue5g8qB1YskiQ95ms1-_8t5o5epTsCOac2cTJPZYAGx8jEWwIKAUK5NWH2KlTlz2WDDPZXF2UAlzAKWPgILmw67A5utM6rV5ENOYpFgHMRe-dWB0B7HeyV9AakRuTj5ShXP0xDM9vPDAYLD57', 'cdb1f407', NULL, 1, '70b38738458802d7', 'ENAI', 'unknown', NULL, NULL, NULL, '2026-11-20 22:45:19.969761+00', '2026-11-20 22:45:19.969761+00', 'https://api.openai.com', '2026-11-22 00:24:44.469622+00', NULL);
INSERT INTO public.secrets VALUES ('a5a0236f-2534-40bf-8033-c893d8320b8e', 'system', 'default', 'anthropic', 'vf1.cdb1f407.gAAAAABrAM1_kHxBjMgtP6zMG-aTtQHW4r56rT7anva8bRsi9fNXoirM_ltFhjATdnw2WGgSLUjwfNMy1NIJnmiftiDM88ELB-UsVUhOlKsxRV-AvNvEvZ4hWOITiJyMP5eo_E0poxTyNw5Bly8n4cW3Psaw36QortadYxj0zXSShmJ9dm9BDiGyCSIpL-u8F9N0-dmbcTx-KBucnZYKwlWt5gw74fro2bpXjc29-rWzaC8Ki4xskc7YaoLyclwgpA-U5rUE91c0', 'cdb1f407', NULL, 1, '20c127f971abad09', 'ANTH', 'unknown', NULL, NULL, NULL, '2026-11-20 22:45:19.979776+00', '2026-11-20 22:45:19.979776+00', 'https://api.anthropic.com', '2026-11-21 21:43:18.373854+00', NULL);
INSERT INTO public.sub_tasks VALUES ('94185c27-09bf-40ba-a7be-ee2d0a465caf', '048268d6-49bc-40d9-b1bc-ba0a818db8d4', 'Drain', false, 0, '2026-11-20 22:45:20.086314+00');
INSERT INTO public.sub_tasks VALUES ('f26e3568-b506-40cc-b5cc-8b02e40f691e', '048268d6-49bc-40d9-b1bc-ba0a818db8d4', 'Fit', false, 1, '2026-11-20 22:45:20.156619+00');
INSERT INTO public.sub_tasks VALUES ('a9a9da96-b56e-4b75-af1c-e53b6581d2c8', '048268d6-49bc-40d9-b1bc-ba0a818db8d4', 'Test', false, 2, '2026-11-20 22:45:20.202931+00');
INSERT INTO public.sub_tasks VALUES ('c57d899b-b0e5-4af7-ace9-ceef251fa30f', 'af2daba4-de83-4386-b0e3-cd8ca26f5a05', 'Drain', false, 0, '2026-11-20 22:45:20.384335+00');
INSERT INTO public.sub_tasks VALUES ('57a5c346-bab0-4a3c-bf5c-ed65d64aeddb', 'af2daba4-de83-4386-b0e3-cd8ca26f5a05', 'Fit', false, 1, '2026-11-20 22:45:20.449558+00');
INSERT INTO public.sub_tasks VALUES ('aa9aa625-5b3d-4dd9-9979-ab3625f45a9a', 'af2daba4-de83-4386-b0e3-cd8ca26f5a05', 'Test', false, 2, '2026-11-20 22:45:20.521965+00');
INSERT INTO public.sub_tasks VALUES ('cf7b30d5-0f28-4501-bfae-6631495282a1', '94b7b6b2-2b27-4e59-95c4-2f9e089025f5', 'Drain', false, 0, '2026-11-20 22:45:20.66516+00');
INSERT INTO public.sub_tasks VALUES ('f9be7ed5-2836-48a1-bcd0-1b113fa29bff', '94b7b6b2-2b27-4e59-95c4-2f9e089025f5', 'Fit', false, 1, '2026-11-20 22:45:20.697864+00');
INSERT INTO public.sub_tasks VALUES ('774a62d0-80a1-4e46-b0b6-c12fe8f00c1b', '94b7b6b2-2b27-4e59-95c4-2f9e089025f5', 'Test', false, 2, '2026-11-20 22:45:20.740799+00');
INSERT INTO public.task_grams VALUES (1, '048268d6-49bc-40d9-b1bc-ba0a818db8d4', '{-2116805770,-2056453938,-2034638993,-2012694870,-1990788063,-1894804668,-1844101460,-1819531172,-1782133999,-1764654766,-1757685581,-1737051676,-1700006720,-1699818603,-1693528309,-1601011031,-1523111409,-1428011398,-1426422219,-1389553793,-1294876852,-1294530925,-1219347494,-1161073603,-1136300570,-1022771712,-915335451,-907851929,-829821254,-678240261,-665992153,-620798807,-600024914,-519529380,-499274283,-425709145,-354289896,-343836275,-334889059,-281208305,-245923018,-206487202,-186874553,-150447386,-132928227,-76703680,-28652270,5823165,34053809,51151051,53838712,72894305,90856104,168996913,214374476,272412921,292226791,296389009,369541886,372511553,417155788,442629280,449302940,694164925,841246618,883799130,1008656688,1099920937,1163711926,1214014391,1245805610,1257971988,1318904709,1328990826,1361405575,1406770827,1409827955,1433337743,1516667996,1546310052,1622903794,1627517544,1672498099,1698826551,1756872259,1768738629,1770289403,1865619093,1876589146,1919773246,1941314360,1960104114,1960566561,1962978855,1978254056,2005012027,2129404733}');
INSERT INTO public.task_grams VALUES (2, 'af2daba4-de83-4386-b0e3-cd8ca26f5a05', '{-1991142939,-1950827346,-1894804668,-1697268211,-1693528309,-1693275136,-1671230702,-1648921209,-1512505660,-1448726758,-1435764392,-1340610642,-1333219031,-1310421307,-1306218360,-1051787175,-1046319091,-1005565492,-732742969,-721216050,-425709145,-406967997,-379716684,-334889059,-306892622,-259198416,-153932832,-142198598,34053809,53762057,72894305,90856104,241327127,447573683,502069585,579761972,685219573,694164925,695222957,762460040,796107287,944116896,1059836089,1132891787,1216001415,1384560586,1406770827,1718367857,1719084253,1756872259,1768738629,1869941240,1941314360,1960566561,2083903060}');
INSERT INTO public.task_grams VALUES (3, '94b7b6b2-2b27-4e59-95c4-2f9e089025f5', '{-1984550456,-1957568757,-1894804668,-1781980110,-1737507116,-1707289918,-1671230702,-1537476039,-1158424327,-1006627108,-907851929,-844578292,-499274283,-425709145,-133651502,-93550863,90856104,125812993,292226791,320645439,417155788,491110549,518815762,579761972,694164925,813530149,1406770827,1469305752,1614016417,1718367857,1768738629,1790447844,1876589146,1926227017,2029027801}');
INSERT INTO public.tasks VALUES ('048268d6-49bc-40d9-b1bc-ba0a818db8d4', 'Replace the pump', 'Größe 40
  ''quoted''', 'In Progress', 1, 'High', 0, 'f57301ae-6fd6-4a40-a7b9-b7091199c7bc', NULL, '', 'replace the pumpAAgrösse 40
  ''quoted''AAAA', '2026-11-20 22:45:20.03526+00', -1795214720035260, '2026-11-20 22:45:20.220497+00', -1795214720220497);
INSERT INTO public.tasks VALUES ('af2daba4-de83-4386-b0e3-cd8ca26f5a05', 'Wait for parts', NULL, 'Blocked', 2, 'Low', 2, 'f57301ae-6fd6-4a40-a7b9-b7091199c7bc', '0042', 'Carrier', 'wait for partsAAAA0042AA', '2026-11-20 22:45:20.366816+00', -1795214720366816, '2026-11-20 22:45:20.529039+00', -1795214720529039);
INSERT INTO public.tasks VALUES ('94b7b6b2-2b27-4e59-95c4-2f9e089025f5', 'Done with it', NULL, 'Done', 3, 'Medium', 1, 'f57301ae-6fd6-4a40-a7b9-b7091199c7bc', NULL, '', 'done with itAAAAAA', '2026-11-20 22:45:20.618827+00', -1795214720618827, '2026-11-20 22:45:20.75527+00', -1795214720755270);
INSERT INTO public.tenants VALUES ('acme', 'Acme ''n'' Söhne', 'trial', 100, '2026-11-20 12:00:00.123456+00', '2026-11-20 12:00:00.123456+00');
INSERT INTO public.vault_keys VALUES ('cdb1f407', 'active', 'vf1.cdb1f407.gAAAAABrAM1-dB0h3eOsW9WOiyelKATM1GgZH1-1gmgzApxgcJPq_FXIdpVGvKi6D_EBUXnDuL5Y9hHAmb9p_nG-PEDooyUyQWU4r3gPsqB9b8WJAy540iRYus4rtn_VAndTbDMKaD6w', '2026-11-20 22:45:18.443752+00');
INSERT INTO public.vault_owners VALUES ('system', 'default', 'b953d8717ad9115bade06a929ed4c2c9433c0854f0d178b3fce64903e345b85b', '2026-11-20 22:45:19.959163+00');
INSERT INTO public.vault_wraps VALUES ('cdb1f407', '4aa98805443fde09', 'root', 'gAAAAABrAM1-_iNtVPC9vc9gRbV9g020g1ihLtapLD4HYu0LZ6k40WIqG2fZw9jqt4n4os3aPbtAchEdgV1e0Vqj3Wctq2DzuoYt7uZHQcyPpsu8Q6PSBv6P8tiTkY6ZKWoniXXktvGD', NULL, '2026-11-20 22:45:18.477488+00');
INSERT INTO public.vaults VALUES (1, '584fb110-385e-4d6a-8281-1e49aad54e5a', 2, '2026-11-20 22:45:18.409787+00');
SELECT pg_catalog.setval('public.audit_entries_seq_seq', 2, true);
SELECT pg_catalog.setval('public.changes_id_seq', 36, true);
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
CREATE INDEX ix_daily_updates_author_id ON public.daily_updates USING btree (author_id);
CREATE INDEX ix_daily_updates_task_id_created_at ON public.daily_updates USING btree (task_id, created_at);
CREATE INDEX ix_idempotency_keys_created_at ON public.idempotency_keys USING btree (created_at);
CREATE INDEX ix_members_name_folded_id ON public.members USING btree (name_folded, id);
CREATE INDEX ix_secrets_next_check_at ON public.secrets USING btree (next_check_at);
CREATE INDEX ix_task_grams_grams ON public.task_grams USING gin (grams) WITH (fastupdate=off);
CREATE INDEX ix_tasks_assignee_updated ON public.tasks USING btree (assignee_id, updated_order, created_order, id);
CREATE INDEX ix_tasks_created ON public.tasks USING btree (created_order, id);
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
