BEGIN;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES ('0002');
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
INSERT INTO members VALUES ('7eda83c7-6ff7-4f59-bec3-145a388f9aa0', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', 1, '2026-11-20T22:44:28.620841Z', '2026-11-20T22:44:28.620841Z');
INSERT INTO members VALUES ('bc35240b-6158-42c8-9500-5e8d140faefb', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', 1, '2026-11-20T22:44:28.630760Z', '2026-11-20T22:44:28.630760Z');
INSERT INTO members VALUES ('cc138354-64c7-4679-987d-b8ba11a76a0e', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', 0, '2026-11-20T22:44:28.649409Z', '2026-11-20T22:44:28.649409Z');
CREATE TABLE vaults (
	id INTEGER NOT NULL, 
	vault_id VARCHAR(36) NOT NULL, 
	epoch INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vaults PRIMARY KEY (id)
);
INSERT INTO vaults VALUES (1, '514e6815-31b1-4ea8-bb3e-efa331a8bc74', 1, '2026-11-20T22:44:28.271605Z');
CREATE TABLE vault_keys (
	kid TEXT NOT NULL, 
	state TEXT NOT NULL, 
	fingerprint_key TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vault_keys PRIMARY KEY (kid)
);
INSERT INTO vault_keys VALUES ('f3da8284', 'active', 'vf1.f3da8284.gAAAAABrAM1M5l_KTcoqHgyaQkU2AYoAbsIwO1CONRZYT6mVkRA1Phd-zfAY4u06p5IQ1aCkXWzgzse3y-vf2_HAIA12xvP4X5gvknfdXnm61WPuvGKZYCi88ig7YpyVbmsy-pTcKnt5', '2026-11-20T22:44:28.274525Z');
CREATE TABLE vault_wraps (
	kid TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	wrap TEXT NOT NULL, 
	escrow TEXT, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vault_wraps PRIMARY KEY (kid, fingerprint), 
	CONSTRAINT fk_vault_wraps_kid_vault_keys FOREIGN KEY(kid) REFERENCES vault_keys (kid) ON DELETE CASCADE
);
INSERT INTO vault_wraps VALUES ('f3da8284', '4aa98805443fde09', 'root', 'gAAAAABrAM1MXVG9cohysRMJsm5P6M3yXwzja-Xa72kuPuRY1eFJ2c7ITzSzGMXMgRLArCt1CESqryEVliLOsbQR707E_Tl2zbcTi6GoDxH4pvCLMejrBYatp2z3Spk2-lL7m16FU2FN', NULL, '2026-11-20T22:44:28.275451Z');
CREATE TABLE vault_owners (
	owner_kind TEXT NOT NULL, 
	owner_id TEXT NOT NULL, 
	salt TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vault_owners PRIMARY KEY (owner_kind, owner_id)
);
INSERT INTO vault_owners VALUES ('system', 'default', 'a1f4345fb81ac2faf767290feab1c0a88e8e48ed8f80fbea7a5867bc763a3a4c', '2026-11-20T22:44:29.183360Z');
CREATE TABLE secrets (
	id VARCHAR(36) NOT NULL, 
	owner_kind TEXT NOT NULL, 
	owner_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	ciphertext TEXT NOT NULL, 
	kid TEXT NOT NULL, 
	api_secret_fingerprint TEXT, 
	row_version INTEGER NOT NULL, 
	fingerprint TEXT NOT NULL, 
	hint TEXT, 
	status TEXT NOT NULL, 
	status_evidence TEXT, 
	last_validated_at TEXT, 
	expires_at TEXT, 
	created_at TEXT NOT NULL, 
	updated_at TEXT NOT NULL, 
	CONSTRAINT pk_secrets PRIMARY KEY (id)
);
INSERT INTO secrets VALUES ('03146b07-3f5c-437e-a931-f0f51fc9191a', 'system', 'default', 'openai', 'vf1.f3da8284.gAAAAABrAM1N892M3tg2Ineqglbc4f22-y3h_VGZbTfYDF88YXKXu125DHH7Q4T5cGbDwGu32F3fM_bhzCUXAWgoF7v0m9Lpazl6lv44kK1IiQbhwQUTA87qnqS-Cb3GApgEg7eFUu_tLitf6P7CqUo_t0rmgkz3BZzqnG6TxFHckaTVnsY-KRahxe3W5AIPA_3QC2l1tbku2ZC5bqQlkShsAFWD5j0FIxYBS3Og5R0-Afhi7xFOUkZpgUizLzRLboMtxF_g7y3p', 'f3da8284', NULL, 1, '2bcbb6b660d6fb99', 'ENAI', 'unknown', NULL, NULL, NULL, '2026-11-20T22:44:29.184939Z', '2026-11-20T22:44:29.184939Z');
INSERT INTO secrets VALUES ('4d83a802-93c7-4931-abcd-b783102f1843', 'system', 'default', 'anthropic', 'vf1.f3da8284.gAAAAABrAM1NblHdt1DBMPSmjEzeoM9tTaWVYBrfdzVkXGw_xuN3lzhumgK8LKFsE_8hXUKPEXchZZ8VFL7rwpJfDmwkhOrEHncWXetyStICtBCCrpTPmlNceEJJMhhiBCgp6yFEF62C3Xo_LLey-6QVoLnoGpbh8sL7IsgQMyH4bQrgQOtzqdmOfSTiaJS8C5gSoe5vVSmep8xdCFE5wT96Pqko7n-C9G4eSST8Pu717Yb0lIuGkuk3E4lai7AQAH37QaC5jA7x', 'f3da8284', NULL, 1, '6d080a4438995719', 'ANTH', 'unknown', NULL, NULL, NULL, '2026-11-20T22:44:29.186098Z', '2026-11-20T22:44:29.186098Z');
CREATE TABLE vault_rotations (
	id INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	from_kid TEXT, 
	to_kid TEXT, 
	total INTEGER NOT NULL, 
	done INTEGER NOT NULL, 
	quarantined INTEGER NOT NULL, 
	runner TEXT, 
	heartbeat_at TEXT, 
	started_at TEXT, 
	finished_at TEXT, 
	CONSTRAINT pk_vault_rotations PRIMARY KEY (id)
);
CREATE TABLE audit_entries (
	seq INTEGER NOT NULL, 
	writer TEXT NOT NULL, 
	writer_seq BIGINT NOT NULL, 
	time TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	device TEXT NOT NULL, 
	action TEXT NOT NULL, 
	owner_kind TEXT, 
	owner_id TEXT, 
	name TEXT, 
	fingerprint TEXT, 
	outcome TEXT NOT NULL, 
	reason TEXT, 
	count INTEGER NOT NULL, 
	prev TEXT NOT NULL, 
	mac TEXT NOT NULL, 
	CONSTRAINT pk_audit_entries PRIMARY KEY (seq)
);
INSERT INTO audit_entries VALUES (1, 'a5b80f1bb0e38568-4aa98805443fde09', 1, '2026-11-20T22:44:29.185606Z', 'cli', 'vm', 'set', 'system', 'default', 'openai', '2bcbb6b660d6fb99', 'ok', NULL, 1, '0000000000000000000000000000000000000000000000000000000000000000', '413c118e6d3962adccbe4e505756ec6f856edd677877f6e2306390fc78642508');
INSERT INTO audit_entries VALUES (2, 'a5b80f1bb0e38568-4aa98805443fde09', 2, '2026-11-20T22:44:29.186311Z', 'cli', 'vm', 'set', 'system', 'default', 'anthropic', '6d080a4438995719', 'ok', NULL, 1, '413c118e6d3962adccbe4e505756ec6f856edd677877f6e2306390fc78642508', 'ceba453f1c596c0eb5a996ed897cac8f45462c7056589ce21c343de2191573cb');
CREATE UNIQUE INDEX uq_members_email_folded ON members (email_folded);
CREATE INDEX ix_members_name_folded_id ON members (name_folded, id);
CREATE UNIQUE INDEX uq_vault_keys_active ON vault_keys (state) WHERE state = 'active';
CREATE UNIQUE INDEX uq_secrets_owner_name ON secrets (owner_kind, owner_id, name);
CREATE UNIQUE INDEX uq_audit_entries_writer_writer_seq ON audit_entries (writer, writer_seq);
CREATE INDEX ix_audit_entries_owner ON audit_entries (owner_kind, owner_id, seq);
CREATE INDEX ix_audit_entries_action_seq ON audit_entries (action, seq);
CREATE INDEX ix_audit_entries_owner_kind_seq ON audit_entries (owner_kind, seq);
COMMIT;
