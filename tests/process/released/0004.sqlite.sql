BEGIN;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES ('0004');
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
INSERT INTO members VALUES ('bc13d573-bcce-490d-a17b-128babaea77e', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', 1, '2026-11-20T22:44:56.553606Z', '2026-11-20T22:44:56.553606Z');
INSERT INTO members VALUES ('bd87cfee-a318-4e77-a610-572f755890e4', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', 1, '2026-11-20T22:44:56.576872Z', '2026-11-20T22:44:56.576872Z');
INSERT INTO members VALUES ('67a55dbf-a9b2-4c5e-a28d-486d31605fb0', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', 0, '2026-11-20T22:44:56.588879Z', '2026-11-20T22:44:56.588879Z');
CREATE TABLE vaults (
	id INTEGER NOT NULL, 
	vault_id VARCHAR(36) NOT NULL, 
	epoch INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vaults PRIMARY KEY (id)
);
INSERT INTO vaults VALUES (1, 'd7d8c89e-7da2-45dd-b1ce-c4984af8be11', 1, '2026-11-20T22:44:56.354652Z');
CREATE TABLE vault_keys (
	kid TEXT NOT NULL, 
	state TEXT NOT NULL, 
	fingerprint_key TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vault_keys PRIMARY KEY (kid)
);
INSERT INTO vault_keys VALUES ('71287f9f', 'active', 'vf1.71287f9f.gAAAAABrAM1obJbKFvmv_v9Q3TUaCOd9n0lBDiKor4x3HPWSSilGkyKBUX3_zzsaeiUJiSlz_eDKYzrq4kg3wAx-8B3cNPq2aKKIahk1UJahWMfaapXORh7oRiKpjduh9Nfe4q7csNY7', '2026-11-20T22:44:56.385996Z');
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
INSERT INTO vault_wraps VALUES ('71287f9f', '4aa98805443fde09', 'root', 'gAAAAABrAM1oHTNRNsyIgB-etu0AAfVSRKHYCZcPCjZbHTQ3pRAJxpLpRDaUHcGujmspUUdxowat3o0t2cBTs8ep8H5hGy8sKcPBb8OYrhHN8v9J7imtnYpO-ZoKX28y2qFPxxM11gis', NULL, '2026-11-20T22:44:56.395411Z');
CREATE TABLE vault_owners (
	owner_kind TEXT NOT NULL, 
	owner_id TEXT NOT NULL, 
	salt TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vault_owners PRIMARY KEY (owner_kind, owner_id)
);
INSERT INTO vault_owners VALUES ('system', 'default', '9889ee22dd6d5aac86835a0a0e529cea779b46c4b6dd1428ba8eddd0fb85e89d', '2026-11-20T22:44:57.912221Z');
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
INSERT INTO secrets VALUES ('eafff636-3af2-49b1-b5e6-b8c0893b0f34', 'system', 'default', 'openai', 'vf1.71287f9f.gAAAAABrAM1p3Wy7fS2lRlVT4S5iJfdovBH6xbJH245CMqJnOYiScnhLPtBnA4Mffp7wMs8UJlkR2DTPNUGkN9qlh5_IXH3fg2EBhe5Nw_yNxdtjchG4Phw9_BclvILCRNGUQrh_EWPHlc9jAtFbMjgji6CISBN-bTU_iWNTuB4y2RUwcUPevN5FXEyW8-nk-sDcE61jRJYi2LnVm-tdONcAlq0maZfe69zJNXestiRTeorfLxxEw0PTlkJiljhrr8dMWn_VJxPq', '71287f9f', NULL, 1, '983b4fb64d83fe88', 'ENAI', 'unknown', NULL, NULL, NULL, '2026-11-20T22:44:57.930593Z', '2026-11-20T22:44:57.930593Z', 'https://api.openai.com', '2026-11-22T00:44:51.390788Z', NULL);
INSERT INTO secrets VALUES ('ccb7fb15-5cd9-4249-985a-fd66ae71d5c9', 'system', 'default', 'anthropic', 'vf1.71287f9f.gAAAAABrAM1pMFa55tZut8GZPPHW3ekr8NGQnaQndF33_dWwFZQ7YXUDZihMsvfTMyCKRJg4-vZnipLTF05pQoeKPpnwgKULX5fwun2Y7lfxH9OF-27ukuvmUSYiMhOLidGO3Fgaf9Y8kzq4H7xnhFrcIqiBgZukYBdBjmoKzv9RCA9LJSAdKTeCKNSIDhRqeMdQHwUFch1ApTqskZLUXzBFuxRf4TsoOwdEHKM-9aBXEKefz25oZjyMozCullmJgcho4u9KLd3F', '71287f9f', NULL, 1, '3ce33035f285fa25', 'ANTH', 'unknown', NULL, NULL, NULL, '2026-11-20T22:44:57.943296Z', '2026-11-20T22:44:57.943296Z', 'https://api.anthropic.com', '2026-11-22T00:50:43.604059Z', NULL);
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
INSERT INTO audit_entries VALUES (1, 'f5bb76fafae34b5d-4aa98805443fde09', 1, '2026-11-20T22:44:57.932108Z', 'cli', 'vm', 'set', 'system', 'default', 'openai', '983b4fb64d83fe88', 'ok', NULL, 1, '0000000000000000000000000000000000000000000000000000000000000000', '66213dc1d06be223183165afdba5913e982a8d9b81fe39442a1553d8982d23c1');
INSERT INTO audit_entries VALUES (2, 'f5bb76fafae34b5d-4aa98805443fde09', 2, '2026-11-20T22:44:57.943784Z', 'cli', 'vm', 'set', 'system', 'default', 'anthropic', '3ce33035f285fa25', 'ok', NULL, 1, '66213dc1d06be223183165afdba5913e982a8d9b81fe39442a1553d8982d23c1', '83d188a0e09200516e9e88d950be269cbcb217ff4855dd06b4c9284ac692fa0e');
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
CREATE TABLE tasks (
	id VARCHAR(36) NOT NULL, 
	title TEXT NOT NULL, 
	description TEXT, 
	status TEXT NOT NULL, 
	status_rank SMALLINT NOT NULL, 
	priority TEXT NOT NULL, 
	priority_rank SMALLINT NOT NULL, 
	assignee_id VARCHAR(36), 
	gear_id TEXT, 
	blocking_reason TEXT NOT NULL, 
	searched TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	created_order BIGINT NOT NULL, 
	updated_at TEXT NOT NULL, 
	updated_order BIGINT NOT NULL, 
	CONSTRAINT pk_tasks PRIMARY KEY (id), 
	CONSTRAINT ck_tasks_status CHECK ((status = 'To Do' AND status_rank = 0) OR (status = 'In Progress' AND status_rank = 1) OR (status = 'Blocked' AND status_rank = 2) OR (status = 'Done' AND status_rank = 3)), 
	CONSTRAINT ck_tasks_priority CHECK ((priority = 'High' AND priority_rank = 0) OR (priority = 'Medium' AND priority_rank = 1) OR (priority = 'Low' AND priority_rank = 2)), 
	CONSTRAINT fk_tasks_assignee_id_members FOREIGN KEY(assignee_id) REFERENCES members (id)
);
INSERT INTO tasks VALUES ('0343206a-ddd5-40bb-8e69-8572c61f2998', 'Replace the pump', 'Größe 40
  ''quoted''', 'In Progress', 1, 'High', 0, 'bc13d573-bcce-490d-a17b-128babaea77e', NULL, '', 'replace the pumpAAgrösse 40
  ''quoted''AAAA', '2026-11-20T22:44:58.047229Z', -1795214698047229, '2026-11-20T22:44:58.122682Z', -1795214698122682);
INSERT INTO tasks VALUES ('95660e46-e39f-46bc-96b1-caff8cc60f8e', 'Wait for parts', NULL, 'Blocked', 2, 'Low', 2, 'bc13d573-bcce-490d-a17b-128babaea77e', '0042', 'Carrier', 'wait for partsAAAA0042AA', '2026-11-20T22:44:58.164026Z', -1795214698164026, '2026-11-20T22:44:58.187324Z', -1795214698187324);
INSERT INTO tasks VALUES ('f895b0be-d774-4e39-809c-21d9dbf5dc87', 'Done with it', NULL, 'Done', 3, 'Medium', 1, 'bc13d573-bcce-490d-a17b-128babaea77e', NULL, '', 'done with itAAAAAA', '2026-11-20T22:44:58.207921Z', -1795214698207921, '2026-11-20T22:44:58.243600Z', -1795214698243600);
CREATE TABLE task_grams (
	number INTEGER NOT NULL, 
	task_id VARCHAR(36) NOT NULL, 
	grams TEXT NOT NULL, 
	CONSTRAINT pk_task_grams PRIMARY KEY (number), 
	CONSTRAINT fk_task_grams_task_id_tasks FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
INSERT INTO task_grams VALUES (1, '0343206a-ddd5-40bb-8e69-8572c61f2998', 'replace the pumpAAgrösse 40
  ''quoted''AAAA');
INSERT INTO task_grams VALUES (2, '95660e46-e39f-46bc-96b1-caff8cc60f8e', 'wait for partsAAAA0042AA');
INSERT INTO task_grams VALUES (3, 'f895b0be-d774-4e39-809c-21d9dbf5dc87', 'done with itAAAAAA');
CREATE VIRTUAL TABLE task_trigrams USING fts5(
        grams, content='task_grams', content_rowid='number',
        tokenize='trigram case_sensitive 1', detail='none', columnsize=0
    );
INSERT INTO task_trigrams (task_trigrams) VALUES ('rebuild');
CREATE VIRTUAL TABLE task_trigram_terms USING fts5vocab('task_trigrams', 'row');
CREATE TABLE sub_tasks (
	id VARCHAR(36) NOT NULL, 
	task_id VARCHAR(36) NOT NULL, 
	title TEXT NOT NULL, 
	completed BOOLEAN NOT NULL, 
	position INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_sub_tasks PRIMARY KEY (id), 
	CONSTRAINT fk_sub_tasks_task_id_tasks FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
INSERT INTO sub_tasks VALUES ('bd91e701-4da4-4e5d-9899-a646f1125c3a', '0343206a-ddd5-40bb-8e69-8572c61f2998', 'Drain', 0, 0, '2026-11-20T22:44:58.076824Z');
INSERT INTO sub_tasks VALUES ('1c6b6152-63d1-4a4a-8e7e-8732d8acf356', '0343206a-ddd5-40bb-8e69-8572c61f2998', 'Fit', 0, 1, '2026-11-20T22:44:58.110009Z');
INSERT INTO sub_tasks VALUES ('eb3d08d5-28a9-47c1-aacd-3ba3b8861070', '0343206a-ddd5-40bb-8e69-8572c61f2998', 'Test', 0, 2, '2026-11-20T22:44:58.119098Z');
INSERT INTO sub_tasks VALUES ('3a9b3bfd-7c25-4663-afc7-6df941058e56', '95660e46-e39f-46bc-96b1-caff8cc60f8e', 'Drain', 0, 0, '2026-11-20T22:44:58.173136Z');
INSERT INTO sub_tasks VALUES ('937b6c11-ed48-45ea-9ad2-f806c9a30c1c', '95660e46-e39f-46bc-96b1-caff8cc60f8e', 'Fit', 0, 1, '2026-11-20T22:44:58.179525Z');
INSERT INTO sub_tasks VALUES ('a25d0fcb-9ab4-48e6-ae98-2818ef289d99', '95660e46-e39f-46bc-96b1-caff8cc60f8e', 'Test', 0, 2, '2026-11-20T22:44:58.186579Z');
INSERT INTO sub_tasks VALUES ('636e2b55-c26d-4465-b12f-728c4f564f43', 'f895b0be-d774-4e39-809c-21d9dbf5dc87', 'Drain', 0, 0, '2026-11-20T22:44:58.219529Z');
INSERT INTO sub_tasks VALUES ('38cba0d7-8496-4862-b760-14b788e49fe1', 'f895b0be-d774-4e39-809c-21d9dbf5dc87', 'Fit', 0, 1, '2026-11-20T22:44:58.228804Z');
INSERT INTO sub_tasks VALUES ('646385a9-4c29-43c7-8b12-8b662b2f38cf', 'f895b0be-d774-4e39-809c-21d9dbf5dc87', 'Test', 0, 2, '2026-11-20T22:44:58.242488Z');
CREATE TABLE daily_updates (
	id VARCHAR(36) NOT NULL, 
	task_id VARCHAR(36) NOT NULL, 
	author_id VARCHAR(36) NOT NULL, 
	content TEXT NOT NULL, 
	edited BOOLEAN NOT NULL, 
	created_at TEXT NOT NULL, 
	updated_at TEXT NOT NULL, 
	CONSTRAINT pk_daily_updates PRIMARY KEY (id), 
	CONSTRAINT fk_daily_updates_task_id_tasks FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE, 
	CONSTRAINT fk_daily_updates_author_id_members FOREIGN KEY(author_id) REFERENCES members (id)
);
INSERT INTO daily_updates VALUES ('6450e987-a4b3-473c-b05f-2eef12881e68', '0343206a-ddd5-40bb-8e69-8572c61f2998', '67a55dbf-a9b2-4c5e-a28d-486d31605fb0', 'Drained today.', 0, '2026-11-20T22:44:58.136224Z', '2026-11-20T22:44:58.136224Z');
INSERT INTO daily_updates VALUES ('ff3cdd32-eca5-49fe-bab5-10586e576011', '0343206a-ddd5-40bb-8e69-8572c61f2998', '67a55dbf-a9b2-4c5e-a28d-486d31605fb0', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-20T22:44:58.154866Z', '2026-11-20T22:44:58.154866Z');
INSERT INTO daily_updates VALUES ('374427c2-c123-471c-b5f2-8996eff602e3', '95660e46-e39f-46bc-96b1-caff8cc60f8e', '67a55dbf-a9b2-4c5e-a28d-486d31605fb0', 'Drained today.', 0, '2026-11-20T22:44:58.194572Z', '2026-11-20T22:44:58.194572Z');
INSERT INTO daily_updates VALUES ('8739b246-cc45-4c8e-9d2d-40880de64e86', '95660e46-e39f-46bc-96b1-caff8cc60f8e', '67a55dbf-a9b2-4c5e-a28d-486d31605fb0', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-20T22:44:58.202353Z', '2026-11-20T22:44:58.202353Z');
INSERT INTO daily_updates VALUES ('06ba25c5-ee72-4eaf-b443-549e638aaa4c', 'f895b0be-d774-4e39-809c-21d9dbf5dc87', '67a55dbf-a9b2-4c5e-a28d-486d31605fb0', 'Drained today.', 0, '2026-11-20T22:44:58.250201Z', '2026-11-20T22:44:58.250201Z');
INSERT INTO daily_updates VALUES ('3aa7b5ec-0ac6-461c-8b80-333a3024303d', 'f895b0be-d774-4e39-809c-21d9dbf5dc87', '67a55dbf-a9b2-4c5e-a28d-486d31605fb0', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-20T22:44:58.263651Z', '2026-11-20T22:44:58.263651Z');
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
CREATE INDEX ix_tasks_updated ON tasks (updated_order, created_order, id);
CREATE INDEX ix_tasks_created ON tasks (created_order, id);
CREATE INDEX ix_tasks_status_created ON tasks (status_rank, created_order, id);
CREATE INDEX ix_tasks_priority_created ON tasks (priority_rank, created_order, id);
CREATE INDEX ix_tasks_status_updated ON tasks (status_rank, updated_order, created_order, id);
CREATE INDEX ix_tasks_priority_updated ON tasks (priority_rank, updated_order, created_order, id);
CREATE INDEX ix_tasks_assignee_updated ON tasks (assignee_id, updated_order, created_order, id);
CREATE UNIQUE INDEX uq_task_grams_task_id ON task_grams (task_id);
CREATE UNIQUE INDEX uq_sub_tasks_task_id_position ON sub_tasks (task_id, position);
CREATE INDEX ix_daily_updates_task_id_created_at ON daily_updates (task_id, created_at);
CREATE INDEX ix_daily_updates_author_id ON daily_updates (author_id);
CREATE TRIGGER task_grams_inserted AFTER INSERT ON task_grams BEGIN
        INSERT INTO task_trigrams (rowid, grams) VALUES (new.number, new.grams);
    END;
CREATE TRIGGER task_grams_deleted AFTER DELETE ON task_grams BEGIN
        INSERT INTO task_trigrams (task_trigrams, rowid, grams) VALUES ('delete', old.number, old.grams);
    END;
CREATE TRIGGER task_grams_updated AFTER UPDATE ON task_grams BEGIN
        INSERT INTO task_trigrams (task_trigrams, rowid, grams) VALUES ('delete', old.number, old.grams);
        INSERT INTO task_trigrams (rowid, grams) VALUES (new.number, new.grams);
    END;
COMMIT;
