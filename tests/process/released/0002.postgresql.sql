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
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
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
    updated_at timestamp with time zone NOT NULL
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
INSERT INTO public.alembic_version VALUES ('0002');
INSERT INTO public.audit_entries VALUES (1, 'e5753c4ed1dcd172-4aa98805443fde09', 1, '2026-11-20 22:44:32.817147+00', 'cli', 'vm', 'set', 'system', 'default', 'openai', '413ec0b84cc4c1c6', 'ok', NULL, 1, '0000000000000000000000000000000000000000000000000000000000000000', 'a4e66bee1d0fddd54763ffbebea44a5527d17b3b657e5c1784624a21102b9a36');
INSERT INTO public.audit_entries VALUES (2, 'e5753c4ed1dcd172-4aa98805443fde09', 2, '2026-11-20 22:44:32.832855+00', 'cli', 'vm', 'set', 'system', 'default', 'anthropic', '524f5bdee2cf8c6c', 'ok', NULL, 1, 'a4e66bee1d0fddd54763ffbebea44a5527d17b3b657e5c1784624a21102b9a36', '59e2b9f6298bacc74561f98ee80d796072d0ef2434c1549bb0c2b6be9718153a');
INSERT INTO public.members VALUES ('623925b4-1628-457e-a3d7-281b756680e9', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', true, '2026-11-20 22:44:31.26231+00', '2026-11-20 22:44:31.26231+00');
INSERT INTO public.members VALUES ('49445981-dc9d-4d80-bdd2-a74f31b65042', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', true, '2026-11-20 22:44:31.293264+00', '2026-11-20 22:44:31.293264+00');
INSERT INTO public.members VALUES ('bebb5d16-d65a-47cc-a7ad-9f0731e7ba06', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', false, '2026-11-20 22:44:31.309334+00', '2026-11-20 22:44:31.309334+00');
INSERT INTO public.secrets VALUES ('13f65821-ed73-44ba-aa35-c5d8a3ccdaa1', 'system', 'default', 'openai', 'vf1.3b68c7ce.gAAAAABrAM1Qg2QJGy7N23tCcHV_wnxGo3us3-0PV8XOMv-gwr2lJOehIOdBDokWsb_nkD5HAf4DvuFk62P6nbIFWX6jnII3L9mDx06znSWe0vzDaDXk43Iipsv4sDtOONBOzLIIy2u1zp3631Qwtg7eeOWffN5sp6CsZDGmeqn5CVdp-uoFy7hjjqVUfO5xN5ini33rUbRprHd4AfRm78fg-Lqp2gDYuDj1d6UlDXZI9_lHMO0mu0Yd5_i4xVYLblLIwYT_gJVt', '3b68c7ce', NULL, 1, '413ec0b84cc4c1c6', 'ENAI', 'unknown', NULL, NULL, NULL, '2026-11-20 22:44:32.806834+00', '2026-11-20 22:44:32.806834+00');
INSERT INTO public.secrets VALUES ('ef980eda-31c0-426d-a352-2b56c066b10f', 'system', 'default', 'anthropic', 'vf1.3b68c7ce.gAAAAABrAM1QBUbH3Z7Cqgt6OEzJlWjoJyVmebLPJ-dcIxU6Vfrw5AVuf1WHoctSnjkuLUceicYUNbuQOBaCl2neIvHbSDQ9C29TK_oULJNtIBIV7SiMNsmO7fGAkAhmRvFgqvuESvRQ1RA3Uzg24OB1xmD1JcgkGFrzSb6PVyZBn3nP4QamME-eH6Ai3cJVvGhIjjbdGmgD9ZCPdxmKxMv4XQ9ls4CJmIiU2cZda7A2r-yRr-3WJdADx3fFeQkatpa4rOg2WdHQ', '3b68c7ce', NULL, 1, '524f5bdee2cf8c6c', 'ANTH', 'unknown', NULL, NULL, NULL, '2026-11-20 22:44:32.829433+00', '2026-11-20 22:44:32.829433+00');
INSERT INTO public.vault_keys VALUES ('3b68c7ce', 'active', 'vf1.3b68c7ce.gAAAAABrAM1PDocodqkqHmmIBwqulWcFc-L1-D3ymg3N_Ogof8dkoE-Xxi5TC5UbQVZzR1hE6TrLqG_YU22yS5D7xii-Y86DoHu8mV2iY9Fta6CTlDvOrth6MQOM_hYViWyzgQUyxqpB', '2026-11-20 22:44:31.23571+00');
INSERT INTO public.vault_owners VALUES ('system', 'default', '8c302fd7feea060445bcf8b9ad55180d6a48baf38e2db08f4bf712a910e73923', '2026-11-20 22:44:32.784971+00');
INSERT INTO public.vault_wraps VALUES ('3b68c7ce', '4aa98805443fde09', 'root', 'gAAAAABrAM1PFHYvCM3QNfIBHS9kjmZmisknGB4d9o_wSwrUmt9-wsNoZpzBPzbywmynK9mQ5f4tYZAE6spu6kctnoD5GM08QQyW_eERemmRwg3Xovfh9RW7qh2yJVMbPtVPdYMEMVGO', NULL, '2026-11-20 22:44:31.237151+00');
INSERT INTO public.vaults VALUES (1, '3f34d95f-e008-42e4-8773-8e92cbf5eb88', 1, '2026-11-20 22:44:31.231336+00');
SELECT pg_catalog.setval('public.audit_entries_seq_seq', 2, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.audit_entries
    ADD CONSTRAINT pk_audit_entries PRIMARY KEY (seq);
ALTER TABLE ONLY public.members
    ADD CONSTRAINT pk_members PRIMARY KEY (id);
ALTER TABLE ONLY public.secrets
    ADD CONSTRAINT pk_secrets PRIMARY KEY (id);
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
CREATE UNIQUE INDEX uq_audit_entries_writer_writer_seq ON public.audit_entries USING btree (writer, writer_seq);
CREATE UNIQUE INDEX uq_members_email_folded ON public.members USING btree (email_folded);
CREATE UNIQUE INDEX uq_secrets_owner_name ON public.secrets USING btree (owner_kind, owner_id, name);
CREATE UNIQUE INDEX uq_vault_keys_active ON public.vault_keys USING btree (state) WHERE (state = 'active'::text);
ALTER TABLE ONLY public.vault_wraps
    ADD CONSTRAINT fk_vault_wraps_kid_vault_keys FOREIGN KEY (kid) REFERENCES public.vault_keys(kid) ON DELETE CASCADE;
