BEGIN;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES ('0003');
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
INSERT INTO members VALUES ('06fb1267-eeb1-479b-b624-0873e453fd50', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', 1, '2026-11-20T22:44:44.020336Z', '2026-11-20T22:44:44.020336Z');
INSERT INTO members VALUES ('89c0d797-5848-40d2-8362-fc69b4eb9b4b', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', 1, '2026-11-20T22:44:44.024212Z', '2026-11-20T22:44:44.024212Z');
INSERT INTO members VALUES ('674db41d-5a6b-46c5-80e9-efbb856fddc5', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', 0, '2026-11-20T22:44:44.026070Z', '2026-11-20T22:44:44.026070Z');
CREATE TABLE vaults (
	id INTEGER NOT NULL, 
	vault_id VARCHAR(36) NOT NULL, 
	epoch INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vaults PRIMARY KEY (id)
);
INSERT INTO vaults VALUES (1, '4cb8eead-1909-43ce-8371-4acc2600bb78', 1, '2026-11-20T22:44:43.778215Z');
CREATE TABLE vault_keys (
	kid TEXT NOT NULL, 
	state TEXT NOT NULL, 
	fingerprint_key TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vault_keys PRIMARY KEY (kid)
);
INSERT INTO vault_keys VALUES ('8bb12198', 'active', 'vf1.8bb12198.gAAAAABrAM1boKR6v8R5wuYySuLonvzof0lvawFnDjXWtDqr0v5MASB48GI6DCfq4F_3uHjjZ-fES-GGpx1I5fTgB3sccv2M_WK3btfSjlNuB-ZgJNxQX-0Ifmtbe-E7JOumDhPICZ_9', '2026-11-20T22:44:43.825126Z');
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
INSERT INTO vault_wraps VALUES ('8bb12198', '4aa98805443fde09', 'root', 'gAAAAABrAM1bQzPD2nj-C1jVlT9z1t8ureo18LXgta1PTgg6VWknrzaYcawenGPvPVbGup7JC68_pV7X98hWP9Lgw1fdIM0RDQoefiDtas9eMxjCwxr5Kh7L-KJMu6gkn6p_vENMaIFM', NULL, '2026-11-20T22:44:43.826804Z');
CREATE TABLE vault_owners (
	owner_kind TEXT NOT NULL, 
	owner_id TEXT NOT NULL, 
	salt TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vault_owners PRIMARY KEY (owner_kind, owner_id)
);
INSERT INTO vault_owners VALUES ('system', 'default', '891272e678d0d93a626f089f08b10aeb1797f3ad14bc9d45adfcc282ebe93bc3', '2026-11-20T22:44:44.779607Z');
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
	updated_at TEXT NOT NULL, pinned_host TEXT, next_check_at TEXT, refused_at TEXT, 
	CONSTRAINT pk_secrets PRIMARY KEY (id)
);
INSERT INTO secrets VALUES ('9bba776e-abec-4432-9f72-2ce139fa19a1', 'system', 'default', 'openai', 'vf1.8bb12198.gAAAAABrAM1cumIfvGAZnpc40dWnx_3v5svkPY4VlDSrEkNJIxOHraUgDL7_58pDG_duVCk4QGzSbqMiXsK9W2aL2LQhxdZsWIJJUg6B97PLiclxL-imX_uICKIpfQZElmLvV_Y3Jd0sXutCk5g0vjmSiJkkcbMqm_W9y3VbbaMUfEtV7ak1aIGGExIRryI1tAiSthqgNn4g2oRb-a-EWETCDqdML2D325OAzj9pCrjXfZZdpQSVxvrf888aNssJ8uZFVC5bko-P', '8bb12198', NULL, 1, 'bdbf4fddc3fc7d7c', 'ENAI', 'unknown', NULL, NULL, NULL, '2026-11-20T22:44:44.784570Z', '2026-11-20T22:44:44.784570Z', NULL, NULL, NULL);
INSERT INTO secrets VALUES ('9f483ea4-cd00-4ff8-89e4-809e07b23cc0', 'system', 'default', 'anthropic', 'vf1.8bb12198.gAAAAABrAM1cpksM9fFGLCZbQOcJrTAZAgr3MH8wS1cBE2-wnJeSoGbhJWr0AVQkOmTykuUpfCVtATOhkUpPGP8Py87h0-hf90Nwfc4fK15rnHruA_ZQfnP660aADaUjlzYQuwz7Hv00fhic-0sGjPcIM5uGZAuoCMAPt66VPVyYVuGZz6WYI3UwaRa_QDCdxQuRbtdOnKfOAI1BgqQ9hjEMV1iD-4UbXB4UGP8A97KUyu6rgyldcM9mAzS1YYLfL0GWDcBCjpoU', '8bb12198', NULL, 1, '90e1e32e24ffd0e9', 'ANTH', 'unknown', NULL, NULL, NULL, '2026-11-20T22:44:44.786482Z', '2026-11-20T22:44:44.786482Z', NULL, NULL, NULL);
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
INSERT INTO audit_entries VALUES (1, 'b9d4651491c81ab6-4aa98805443fde09', 1, '2026-11-20T22:44:44.785780Z', 'cli', 'vm', 'set', 'system', 'default', 'openai', 'bdbf4fddc3fc7d7c', 'ok', NULL, 1, '0000000000000000000000000000000000000000000000000000000000000000', '76ddc59d9918f4642bf7b4a0c27a21e0503912453fcbcef56fa120c304bf7026');
INSERT INTO audit_entries VALUES (2, 'b9d4651491c81ab6-4aa98805443fde09', 2, '2026-11-20T22:44:44.786812Z', 'cli', 'vm', 'set', 'system', 'default', 'anthropic', '90e1e32e24ffd0e9', 'ok', NULL, 1, '76ddc59d9918f4642bf7b4a0c27a21e0503912453fcbcef56fa120c304bf7026', 'fb468bdc9be0660c6103234c26b30e36e5b6e8f560a2dddc769bd2e91c186c7b');
CREATE TABLE chat_servers (
	server_id TEXT NOT NULL, 
	provider TEXT NOT NULL, 
	dm_roll_visibility TEXT NOT NULL, 
	player_roll_mode TEXT NOT NULL, 
	character_sheet_mode TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	updated_at TEXT NOT NULL, 
	CONSTRAINT pk_chat_servers PRIMARY KEY (server_id)
);
CREATE TABLE tenants (
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	tier TEXT NOT NULL, 
	trial_limit INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	updated_at TEXT NOT NULL, 
	CONSTRAINT pk_tenants PRIMARY KEY (id)
);
INSERT INTO tenants VALUES ('acme', 'Acme ''n'' Söhne', 'trial', 100, '2026-11-20T12:00:00.123456Z', '2026-11-20T12:00:00.123456Z');
CREATE TABLE trial_calls (
	tenant_id TEXT NOT NULL, 
	day TEXT NOT NULL, 
	calls INTEGER NOT NULL, 
	CONSTRAINT pk_trial_calls PRIMARY KEY (tenant_id, day), 
	CONSTRAINT fk_trial_calls_tenant_id_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);
CREATE TABLE cameras (
	id VARCHAR(36) NOT NULL, 
	name TEXT NOT NULL, 
	stream_url TEXT NOT NULL, 
	username TEXT, 
	active BOOLEAN NOT NULL, 
	created_at TEXT NOT NULL, 
	updated_at TEXT NOT NULL, 
	CONSTRAINT pk_cameras PRIMARY KEY (id)
);
CREATE TABLE alert_rules (
	id VARCHAR(36) NOT NULL, 
	name TEXT NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	webhook_url TEXT NOT NULL, 
	header_names TEXT NOT NULL, 
	allow_private BOOLEAN NOT NULL, 
	created_at TEXT NOT NULL, 
	updated_at TEXT NOT NULL, 
	CONSTRAINT pk_alert_rules PRIMARY KEY (id)
);
CREATE TABLE ai_usage (
	owner_kind TEXT NOT NULL, 
	owner_id TEXT NOT NULL, 
	provider TEXT NOT NULL, 
	model TEXT NOT NULL, 
	day TEXT NOT NULL, 
	requests BIGINT NOT NULL, 
	input_tokens BIGINT NOT NULL, 
	output_tokens BIGINT NOT NULL, 
	CONSTRAINT pk_ai_usage PRIMARY KEY (owner_kind, owner_id, provider, model, day)
);
CREATE UNIQUE INDEX uq_members_email_folded ON members (email_folded);
CREATE INDEX ix_members_name_folded_id ON members (name_folded, id);
CREATE UNIQUE INDEX uq_vault_keys_active ON vault_keys (state) WHERE state = 'active';
CREATE UNIQUE INDEX uq_secrets_owner_name ON secrets (owner_kind, owner_id, name);
CREATE UNIQUE INDEX uq_audit_entries_writer_writer_seq ON audit_entries (writer, writer_seq);
CREATE INDEX ix_audit_entries_owner ON audit_entries (owner_kind, owner_id, seq);
CREATE INDEX ix_audit_entries_action_seq ON audit_entries (action, seq);
CREATE INDEX ix_audit_entries_owner_kind_seq ON audit_entries (owner_kind, seq);
CREATE INDEX ix_secrets_next_check_at ON secrets (next_check_at);
CREATE UNIQUE INDEX uq_cameras_name ON cameras (name);
COMMIT;
