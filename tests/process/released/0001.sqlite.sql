BEGIN;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES ('0001');
CREATE TABLE members (
	id VARCHAR(36) NOT NULL, 
	name TEXT NOT NULL, 
	name_folded TEXT NOT NULL, 
	email TEXT NOT NULL, 
	email_folded TEXT NOT NULL, 
	active BOOLEAN NOT NULL, 
	created_at TEXT NOT NULL, 
	updated_at TEXT NOT NULL, 
	CONSTRAINT pk_members PRIMARY KEY (id)
);
INSERT INTO members VALUES ('c6098f13-549c-4a1c-8431-e60dee51645d', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', 1, '2026-11-20T22:44:18.785684Z', '2026-11-20T22:44:18.785684Z');
INSERT INTO members VALUES ('26e5a8b1-9776-4e5a-9320-820981b65946', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', 1, '2026-11-20T22:44:18.821775Z', '2026-11-20T22:44:18.821775Z');
INSERT INTO members VALUES ('87a69ff2-1bbe-4a38-a38d-a5c69c84cc86', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', 0, '2026-11-20T22:44:18.845225Z', '2026-11-20T22:44:18.845225Z');
CREATE UNIQUE INDEX uq_members_email_folded ON members (email_folded);
CREATE INDEX ix_members_name_folded_id ON members (name_folded, id);
COMMIT;
