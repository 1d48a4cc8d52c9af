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
INSERT INTO public.alembic_version VALUES ('0001');
INSERT INTO public.members VALUES ('c2da221e-92ed-448f-b61d-151723926f98', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', true, '2026-11-20 22:44:21.363985+00', '2026-11-20 22:44:21.363985+00');
INSERT INTO public.members VALUES ('80d209a7-ac54-4795-8632-7be77b3b1b6b', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', true, '2026-11-20 22:44:21.380853+00', '2026-11-20 22:44:21.380853+00');
INSERT INTO public.members VALUES ('2aa97c2f-6e08-42f6-94d8-0ec982940bb8', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', false, '2026-11-20 22:44:21.389269+00', '2026-11-20 22:44:21.389269+00');
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.members
    ADD CONSTRAINT pk_members PRIMARY KEY (id);
CREATE INDEX ix_members_name_folded_id ON public.members USING btree (name_folded, id);
CREATE UNIQUE INDEX uq_members_email_folded ON public.members USING btree (email_folded);
