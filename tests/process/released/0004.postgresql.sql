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
ALTER TABLE ONLY public.task_grams ALTER COLUMN number SET DEFAULT nextval('public.task_grams_number_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0004');
INSERT INTO public.audit_entries VALUES (1, '51b45e0eb29d1ca5-4aa98805443fde09', 1, '2026-11-20 22:45:02.349462+00', 'cli', 'vm', 'set', 'system', 'default', 'openai', '7028aa566511c44e', 'ok', NULL, 1, '0000000000000000000000000000000000000000000000000000000000000000', '51ca6551f99efb6cb9e57a5844fc0dcc3cbc5da43ac068fc520b816981376e1e');
INSERT INTO public.audit_entries VALUES (2, '51b45e0eb29d1ca5-4aa98805443fde09', 2, '2026-11-20 22:45:02.360905+00', 'cli', 'vm', 'set', 'system', 'default', 'anthropic', '91f9bc00a0755504', 'ok', NULL, 1, '51ca6551f99efb6cb9e57a5844fc0dcc3cbc5da43ac068fc520b816981376e1e', '2282b1fd5ac2d27e219f8d17b4c9a7ac81ee815e1db06b5c2259be13e620c8af');
INSERT INTO public.daily_updates VALUES ('406890d5-52d5-488a-90ae-8ea4e3f18b4d', 'd2a8d95b-abe7-4717-9561-612e37d3705a', 'd7c02ea7-fe6d-45f9-8699-056d9a4eebda', 'Drained today.', false, '2026-11-20 22:45:02.513079+00', '2026-11-20 22:45:02.513079+00');
INSERT INTO public.daily_updates VALUES ('0ddd589b-2516-42e5-8280-87e80d3aa5fd', 'd2a8d95b-abe7-4717-9561-612e37d3705a', 'd7c02ea7-fe6d-45f9-8699-056d9a4eebda', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-20 22:45:02.526837+00', '2026-11-20 22:45:02.526837+00');
INSERT INTO public.daily_updates VALUES ('85624a8d-9112-441a-bd08-bc47ecd2a28b', 'a4f8be8a-daae-45ba-9c74-8e79e41365f8', 'd7c02ea7-fe6d-45f9-8699-056d9a4eebda', 'Drained today.', false, '2026-11-20 22:45:02.609769+00', '2026-11-20 22:45:02.609769+00');
INSERT INTO public.daily_updates VALUES ('9ff41aee-b722-4f67-a488-4d46b39749fa', 'a4f8be8a-daae-45ba-9c74-8e79e41365f8', 'd7c02ea7-fe6d-45f9-8699-056d9a4eebda', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-20 22:45:02.621643+00', '2026-11-20 22:45:02.621643+00');
INSERT INTO public.daily_updates VALUES ('1e7fef9d-0498-43fb-ad96-eac87af40fa4', '072612e0-70ed-43c0-8b2c-b049506b680b', 'd7c02ea7-fe6d-45f9-8699-056d9a4eebda', 'Drained today.', false, '2026-11-20 22:45:02.73696+00', '2026-11-20 22:45:02.73696+00');
INSERT INTO public.daily_updates VALUES ('1b0c21ba-85ff-4726-ae69-3d10809b2c4b', '072612e0-70ed-43c0-8b2c-b049506b680b', 'd7c02ea7-fe6d-45f9-8699-056d9a4eebda', 'Fitted; ''torqued'' — 180 bar', false, '2026-11-20 22:45:02.740488+00', '2026-11-20 22:45:02.740488+00');
INSERT INTO public.members VALUES ('1cf0fbce-e6a7-46d0-87d2-08e03d2c2ace', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', true, '2026-11-20 22:45:00.766613+00', '2026-11-20 22:45:00.766613+00');
INSERT INTO public.members VALUES ('8b8cd1e6-6d62-4e14-a049-e29480305647', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', true, '2026-11-20 22:45:00.804626+00', '2026-11-20 22:45:00.804626+00');
INSERT INTO public.members VALUES ('d7c02ea7-fe6d-45f9-8699-056d9a4eebda', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', false, '2026-11-20 22:45:00.825528+00', '2026-11-20 22:45:00.825528+00');
INSERT INTO public.secrets VALUES ('10c204ad-c847-497d-a8d1-561cbf956635', 'system', 'default', 'openai', 'vf1.1f56d1ae.gAAAAABrAM1uTjkqFAiDpnqQx1M73tw6FpVBhcuf_6pUuIGQi0k-cItPPdH84urPSmGNCpwaqaa3bnxcKpaIIYDy3U-Gh0V5mZRzxe8d7wtSD2ffrI-slZetc_De--Q1vM7zI39E2-uqUUqJVAUOPwT0m_guHEFQV4c895XYZpP_CsyRMQdEFUZO0r7mxud5v3UINjOPoTrLxa2xXpVFFjDxWIdFGcEp3fo7VsmJ-_444OOhDzDeXTQDHmnsnsZuOdntW7G9LxXG', '1f56d1ae', NULL, 1, '7028aa566511c44e', 'ENAI', 'unknown', NULL, NULL, NULL, '2026-11-20 22:45:02.342081+00', '2026-11-20 22:45:02.342081+00', 'https://api.openai.com', '2026-11-21 23:20:49.181475+00', NULL);
INSERT INTO public.secrets VALUES ('5ae950df-1b9e-4218-a12f-5f19d5a37a12', 'system', 'default', 'anthropic', 'vf1.1f56d1ae.gAAAAABrAM1u0q0Dvgeob6zg2bcvhDduljiUReYRSmJdvo3gOa6qQoXA9OJAC33OXChAmoEkxWq7LfI-8yr6R5j8EP5q9mdEc3YANW7R451nIszrAran5dX8Ay7DK-MAbwueW_Ov-PslhDPajmm2-MtjsQ6WHn5wXIycfpSNf3DTbgBQbUr4Qovl8a2SulKfAVODtyPsBqgmI2C9YpzGDY-TxrwCrkGFDMvv-129DhBqKbJ4pLRCJEbNTisKbFvM9gJO7SudEMIK', '1f56d1ae', NULL, 1, '91f9bc00a0755504', 'ANTH', 'unknown', NULL, NULL, NULL, '2026-11-20 22:45:02.354037+00', '2026-11-20 22:45:02.354037+00', 'https://api.anthropic.com', '2026-11-22 00:31:22.122962+00', NULL);
INSERT INTO public.sub_tasks VALUES ('0e238a97-86f9-4649-844c-0a216fcfcbf7', 'd2a8d95b-abe7-4717-9561-612e37d3705a', 'Drain', false, 0, '2026-11-20 22:45:02.476218+00');
INSERT INTO public.sub_tasks VALUES ('e1d41636-e1a3-4668-b1e9-848677a669f4', 'd2a8d95b-abe7-4717-9561-612e37d3705a', 'Fit', false, 1, '2026-11-20 22:45:02.491768+00');
INSERT INTO public.sub_tasks VALUES ('3abec77b-0165-4f81-b853-2116d87f0f68', 'd2a8d95b-abe7-4717-9561-612e37d3705a', 'Test', false, 2, '2026-11-20 22:45:02.505793+00');
INSERT INTO public.sub_tasks VALUES ('518be9cd-9de6-4012-a5d0-af024822d11f', 'a4f8be8a-daae-45ba-9c74-8e79e41365f8', 'Drain', false, 0, '2026-11-20 22:45:02.560864+00');
INSERT INTO public.sub_tasks VALUES ('e6d31d54-fe3e-4665-85b0-5654d3610d24', 'a4f8be8a-daae-45ba-9c74-8e79e41365f8', 'Fit', false, 1, '2026-11-20 22:45:02.574693+00');
INSERT INTO public.sub_tasks VALUES ('c4208014-c1fa-4387-b4b2-70f405162304', 'a4f8be8a-daae-45ba-9c74-8e79e41365f8', 'Test', false, 2, '2026-11-20 22:45:02.587529+00');
INSERT INTO public.sub_tasks VALUES ('225c5796-4cbb-40e4-911d-10946edea240', '072612e0-70ed-43c0-8b2c-b049506b680b', 'Drain', false, 0, '2026-11-20 22:45:02.673746+00');
INSERT INTO public.sub_tasks VALUES ('f7afa5d8-1e90-4dfd-b110-71156685c0ff', '072612e0-70ed-43c0-8b2c-b049506b680b', 'Fit', false, 1, '2026-11-20 22:45:02.719213+00');
INSERT INTO public.sub_tasks VALUES ('0c545b03-d43f-42e2-a742-f1ffe4581651', '072612e0-70ed-43c0-8b2c-b049506b680b', 'Test', false, 2, '2026-11-20 22:45:02.731816+00');
INSERT INTO public.task_grams VALUES (1, 'd2a8d95b-abe7-4717-9561-612e37d3705a', '{-2116805770,-2056453938,-2034638993,-2012694870,-1990788063,-1894804668,-1844101460,-1819531172,-1782133999,-1764654766,-1757685581,-1737051676,-1700006720,-1699818603,-1693528309,-1601011031,-1523111409,-1428011398,-1426422219,-1389553793,-1294876852,-1294530925,-1219347494,-1161073603,-1136300570,-1022771712,-915335451,-907851929,-829821254,-678240261,-665992153,-620798807,-600024914,-519529380,-499274283,-425709145,-354289896,-343836275,-334889059,-281208305,-245923018,-206487202,-186874553,-150447386,-132928227,-76703680,-28652270,5823165,34053809,51151051,53838712,72894305,90856104,168996913,214374476,272412921,292226791,296389009,369541886,372511553,417155788,442629280,449302940,694164925,841246618,883799130,1008656688,1099920937,1163711926,1214014391,1245805610,1257971988,1318904709,1328990826,1361405575,1406770827,1409827955,1433337743,1516667996,1546310052,1622903794,1627517544,1672498099,1698826551,1756872259,1768738629,1770289403,1865619093,1876589146,1919773246,1941314360,1960104114,1960566561,1962978855,1978254056,2005012027,2129404733}');
INSERT INTO public.task_grams VALUES (2, 'a4f8be8a-daae-45ba-9c74-8e79e41365f8', '{-1991142939,-1950827346,-1894804668,-1697268211,-1693528309,-1693275136,-1671230702,-1648921209,-1512505660,-1448726758,-1435764392,-1340610642,-1333219031,-1310421307,-1306218360,-1051787175,-1046319091,-1005565492,-732742969,-721216050,-425709145,-406967997,-379716684,-334889059,-306892622,-259198416,-153932832,-142198598,34053809,53762057,72894305,90856104,241327127,447573683,502069585,579761972,685219573,694164925,695222957,762460040,796107287,944116896,1059836089,1132891787,1216001415,1384560586,1406770827,1718367857,1719084253,1756872259,1768738629,1869941240,1941314360,1960566561,2083903060}');
INSERT INTO public.task_grams VALUES (3, '072612e0-70ed-43c0-8b2c-b049506b680b', '{-1984550456,-1957568757,-1894804668,-1781980110,-1737507116,-1707289918,-1671230702,-1537476039,-1158424327,-1006627108,-907851929,-844578292,-499274283,-425709145,-133651502,-93550863,90856104,125812993,292226791,320645439,417155788,491110549,518815762,579761972,694164925,813530149,1406770827,1469305752,1614016417,1718367857,1768738629,1790447844,1876589146,1926227017,2029027801}');
INSERT INTO public.tasks VALUES ('d2a8d95b-abe7-4717-9561-612e37d3705a', 'Replace the pump', 'Größe 40
  ''quoted''', 'In Progress', 1, 'High', 0, '1cf0fbce-e6a7-46d0-87d2-08e03d2c2ace', NULL, '', 'replace the pumpAAgrösse 40
  ''quoted''AAAA', '2026-11-20 22:45:02.463631+00', -1795214702463631, '2026-11-20 22:45:02.508001+00', -1795214702508001);
INSERT INTO public.tasks VALUES ('a4f8be8a-daae-45ba-9c74-8e79e41365f8', 'Wait for parts', NULL, 'Blocked', 2, 'Low', 2, '1cf0fbce-e6a7-46d0-87d2-08e03d2c2ace', '0042', 'Carrier', 'wait for partsAAAA0042AA', '2026-11-20 22:45:02.541406+00', -1795214702541406, '2026-11-20 22:45:02.597377+00', -1795214702597377);
INSERT INTO public.tasks VALUES ('072612e0-70ed-43c0-8b2c-b049506b680b', 'Done with it', NULL, 'Done', 3, 'Medium', 1, '1cf0fbce-e6a7-46d0-87d2-08e03d2c2ace', NULL, '', 'done with itAAAAAA', '2026-11-20 22:45:02.642745+00', -1795214702642745, '2026-11-20 22:45:02.733913+00', -1795214702733913);
INSERT INTO public.tenants VALUES ('acme', 'Acme ''n'' Söhne', 'trial', 100, '2026-11-20 12:00:00.123456+00', '2026-11-20 12:00:00.123456+00');
INSERT INTO public.vault_keys VALUES ('1f56d1ae', 'active', 'vf1.1f56d1ae.gAAAAABrAM1sSlsJq_YORYP-e-kgEkpt_Wjwq-8Uw0pNwPVxpNCBWMMqgUUYIvqYH0Ms1RRur3TzeJ4dT224e7DYESbo5sN7HJK_nMkFyF_PKUWnCWG3fmEeT36dI2RHZh6sI41XsMcm', '2026-11-20 22:45:00.781823+00');
INSERT INTO public.vault_owners VALUES ('system', 'default', '53c1c5bef9a23f8ac4562b6d71d11d4c9ad722fe6fb7a979b9dcebd857efcf23', '2026-11-20 22:45:02.330682+00');
INSERT INTO public.vault_wraps VALUES ('1f56d1ae', '4aa98805443fde09', 'root', 'gAAAAABrAM1shb9P76o-tftHDKWZfsRwbznQVCnd62yEopzBwjtIktqZVhWsC0aH4VbGrRyd06R1NX5nw9JRn4vDvfjMZPtboEZaGD-sqZ3JyxfrqciAQqDu4Kh0rbFyfaO817CHQc_C', NULL, '2026-11-20 22:45:00.790076+00');
INSERT INTO public.vaults VALUES (1, '87547c70-e252-4495-b977-1a00efc7a8fa', 1, '2026-11-20 22:45:00.764667+00');
SELECT pg_catalog.setval('public.audit_entries_seq_seq', 2, true);
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
ALTER TABLE ONLY public.chat_servers
    ADD CONSTRAINT pk_chat_servers PRIMARY KEY (server_id);
ALTER TABLE ONLY public.daily_updates
    ADD CONSTRAINT pk_daily_updates PRIMARY KEY (id);
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
CREATE INDEX ix_daily_updates_author_id ON public.daily_updates USING btree (author_id);
CREATE INDEX ix_daily_updates_task_id_created_at ON public.daily_updates USING btree (task_id, created_at);
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
