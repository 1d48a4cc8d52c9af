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
INSERT INTO public.alembic_version VALUES ('0003');
INSERT INTO public.audit_entries VALUES (1, 'e120da4caca693ea-4aa98805443fde09', 1, '2026-11-20 22:44:47.764039+00', 'cli', 'vm', 'set', 'system', 'default', 'openai', '239fcf36cc622d32', 'ok', NULL, 1, '0000000000000000000000000000000000000000000000000000000000000000', 'a40918ac934342e57477b27540e7e91dee55fd279cb0468225ae7695fd3c5d17');
INSERT INTO public.audit_entries VALUES (2, 'e120da4caca693ea-4aa98805443fde09', 2, '2026-11-20 22:44:47.767589+00', 'cli', 'vm', 'set', 'system', 'default', 'anthropic', '3e020ca8bbe2a788', 'ok', NULL, 1, 'a40918ac934342e57477b27540e7e91dee55fd279cb0468225ae7695fd3c5d17', '0bf692b9f655faedfbc493b609d2e5abcedbf56778fa08d799ddaf7c9188174e');
INSERT INTO public.members VALUES ('3d0c172b-301f-44f1-bbdd-b74e2a2dac2f', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', true, '2026-11-20 22:44:46.567084+00', '2026-11-20 22:44:46.567084+00');
INSERT INTO public.members VALUES ('081519f4-c0ab-48a4-abb7-6556e36e01b5', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', true, '2026-11-20 22:44:46.610738+00', '2026-11-20 22:44:46.610738+00');
INSERT INTO public.members VALUES ('8cee0ae9-0a7a-46b2-ba0f-00d0db027994', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', false, '2026-11-20 22:44:46.625597+00', '2026-11-20 22:44:46.625597+00');
INSERT INTO public.secrets VALUES ('daf1cb62-24f1-4cc7-89d6-39239e2ec06d', 'system', 'default', 'openai', 'vf1.aa07bba5.gAAAAABrAM1f2IEz0YML4XHasYgEUsDui9mfapKucMru0AeVpwMFlQ07gtlgpiN0vWlctpmeVQ6pJuFkmYo7LpY5TEsjfKp0AJW3Th294qyN2X_y9oBr1SYjcf1ijPDlLFC2unHjzIRHYnaCnMakt-5NuHqiPz7TG8PX5Hr57YTHyThA6qg7EM9o0aPwb3XF2rI1h4tL9q0y4ohmOg7oav_w-OyX1Ym0BUvofyctb2ZFIrs0MEPR-wmpnT8cOchy8RybQb0zy8eI', 'aa07bba5', NULL, 1, '239fcf36cc622d32', 'ENAI', 'unknown', NULL, NULL, NULL, '2026-11-20 22:44:47.761104+00', '2026-11-20 22:44:47.761104+00', NULL, NULL, NULL);
INSERT INTO public.secrets VALUES ('44f557dc-046d-40ba-b25e-fab1693cc437', 'system', 'default', 'anthropic', 'vf1.aa07bba5.gAAAAABrAM1fWmNaZ2Wm4WliWZemmC6aaVQt2gcZPhDyGbkE0OuvNYZMjK3630DHaOBeDy8e2PjDFVMcIu1uDEt7wlCSKcHL5SyqZi4Ej80jYzsnH2UpYYu6Sxhyt0lokO6ad1ZTPrEsb1lNuAmm9yaWVikAYBc8Ke8QRI2GbMHFJEMHFNInMS_cRwVY7EDxC2GWDrLEVU2t6hvzvX-flBHXttLyUX0Gy1Dpz0oU1YK1xskDcFH0abPyxxCOa-MFoR98iz0aVvL7', 'aa07bba5', NULL, 1, '3e020ca8bbe2a788', 'ANTH', 'unknown', NULL, NULL, NULL, '2026-11-20 22:44:47.76515+00', '2026-11-20 22:44:47.76515+00', NULL, NULL, NULL);
INSERT INTO public.tenants VALUES ('acme', 'Acme ''n'' Söhne', 'trial', 100, '2026-11-20 12:00:00.123456+00', '2026-11-20 12:00:00.123456+00');
INSERT INTO public.vault_keys VALUES ('aa07bba5', 'active', 'vf1.aa07bba5.gAAAAABrAM1eQIkHB5YY0SoyfgWUaL14USPzTUcygbciJ2JwNR_nAgbdv4XWm__pvxepJxikn8SyzLDoHXWLevP9GtFyAbMfd9oK5Ym__x96weRgIFgn0BxFAS9M1SRwnchxq-FDyvSO', '2026-11-20 22:44:46.547969+00');
INSERT INTO public.vault_owners VALUES ('system', 'default', '9697de0cd0077001728a6444c47a07e965d979ddfd01b2a5715d1e719bc67c64', '2026-11-20 22:44:47.752868+00');
INSERT INTO public.vault_wraps VALUES ('aa07bba5', '4aa98805443fde09', 'root', 'gAAAAABrAM1eIxRKRcKbfLr0F9B8k4EFQ4Dob7_l1sN9FO94iqZedDi-hWrHjCuQqkkz4d5K36OZUloYf6wZHTAUV-irX5ziYA1Qsvjio5ZE16RnV9eNjVSDDphNevGn1vx1IO5JR7tI', NULL, '2026-11-20 22:44:46.566357+00');
INSERT INTO public.vaults VALUES (1, '30efa8f9-7515-48c6-bba0-2bb5f3c2210e', 1, '2026-11-20 22:44:46.540559+00');
SELECT pg_catalog.setval('public.audit_entries_seq_seq', 2, true);
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
ALTER TABLE ONLY public.members
    ADD CONSTRAINT pk_members PRIMARY KEY (id);
ALTER TABLE ONLY public.secrets
    ADD CONSTRAINT pk_secrets PRIMARY KEY (id);
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
CREATE INDEX ix_members_name_folded_id ON public.members USING btree (name_folded, id);
CREATE INDEX ix_secrets_next_check_at ON public.secrets USING btree (next_check_at);
CREATE UNIQUE INDEX uq_audit_entries_writer_writer_seq ON public.audit_entries USING btree (writer, writer_seq);
CREATE UNIQUE INDEX uq_cameras_name ON public.cameras USING btree (name);
CREATE UNIQUE INDEX uq_members_email_folded ON public.members USING btree (email_folded);
CREATE UNIQUE INDEX uq_secrets_owner_name ON public.secrets USING btree (owner_kind, owner_id, name);
CREATE UNIQUE INDEX uq_vault_keys_active ON public.vault_keys USING btree (state) WHERE (state = 'active'::text);
ALTER TABLE ONLY public.trial_calls
    ADD CONSTRAINT fk_trial_calls_tenant_id_tenants FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.vault_wraps
    ADD CONSTRAINT fk_vault_wraps_kid_vault_keys FOREIGN KEY (kid) REFERENCES public.vault_keys(kid) ON DELETE CASCADE;
