BEGIN;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES ('0006');
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
INSERT INTO members VALUES ('617b8a5b-7e57-49e1-a01a-335396fb2b56', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', 1, '2026-11-29T19:31:28.426573Z', '2026-11-29T19:31:28.426573Z');
INSERT INTO members VALUES ('0f6dd9a0-f905-4e7a-a992-6f87b2b11f89', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', 1, '2026-11-29T19:31:28.481370Z', '2026-11-29T19:31:28.481370Z');
INSERT INTO members VALUES ('0234c6cd-8a4d-4fbb-b05e-fdcdc7a98285', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', 0, '2026-11-29T19:31:28.514491Z', '2026-11-29T19:31:34.441404Z');
CREATE TABLE vaults (
	id INTEGER NOT NULL, 
	vault_id VARCHAR(36) NOT NULL, 
	epoch INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vaults PRIMARY KEY (id)
);
INSERT INTO vaults VALUES (1, '4b57d386-6ee5-4501-8049-5ea0f2587e7f', 1, '2026-11-29T19:31:26.411531Z');
CREATE TABLE vault_keys (
	kid TEXT NOT NULL, 
	state TEXT NOT NULL, 
	fingerprint_key TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vault_keys PRIMARY KEY (kid)
);
INSERT INTO vault_keys VALUES ('ac4d8158', 'active', 'vf1.ac4d8158.gAAAAABrDH2OvLemaJjLfDZ1g4vITx2B6rrGoZXiM51fKsJglWuLR7XoFqUBL2_IYu4qR4nbeWEI3NkTj5Z6bYNoyF2CdrUH8VDmCn5zNLrciKq3eV_T5PYugKPIGNzorNvv8OetDgU2', '2026-11-29T19:31:26.486566Z');
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
INSERT INTO vault_wraps VALUES ('ac4d8158', '4aa98805443fde09', 'root', 'gAAAAABrDH2Orz2ZM6MpydzLFwm_J6dHj_d05yJZgwJZ8R5mIXSPHIqP3cvTxeBPpm1ebniGNZleGB1zWLXJT2sg6ZVngcaDWmrkqWsPSF5XkGKfKHEeC_5H2kpl8YKZb3O4MADV4b_i', NULL, '2026-11-29T19:31:26.519827Z');
CREATE TABLE vault_owners (
	owner_kind TEXT NOT NULL, 
	owner_id TEXT NOT NULL, 
	salt TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vault_owners PRIMARY KEY (owner_kind, owner_id)
);
INSERT INTO vault_owners VALUES ('system', 'default', 'b803c38ca1419b9c469283388f52c0ca00cff014327a14a0e7186e9d9ed411a1', '2026-11-29T19:31:33.199221Z');
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
INSERT INTO secrets VALUES ('436a7ced-59fd-4fd5-afb0-c1b0f6bb2273', 'system', 'default', 'openai', 'vf1.ac4d8158.gAAAAABrDH2V2NP-NiZiAj-qiYwkwa-UdC8GuYnPonkUkVT0P0ZRZDHgvNV1uU9HM6LTaZyhZ1VSp8G993woYi5aR8MZsGB7j01qArmCoeyvk-ojk5B9Hr-Hr7E4KUJCglJ2ww6k5CDazqL6TNCmtfaenX8jR5dgpwfjogzR9_MB3vaEakKbKamzdJW9UFbCXvJygIRLo2QK32vBuoq8IR880uonBYWFQ1zu08mfT1jmey88mU2atQTdZBWd5GGqBVKsHsvtTx8K', 'ac4d8158', NULL, 1, '60b6b1df5c80ec7b', 'ENAI', 'unknown', NULL, NULL, NULL, '2026-11-29T19:31:33.209080Z', '2026-11-29T19:31:33.209080Z', 'https://api.openai.com', '2026-11-30T17:45:02.250953Z', NULL);
INSERT INTO secrets VALUES ('ea01371b-96ab-49f8-904d-7a989eb4c2b4', 'system', 'default', 'anthropic', 'vf1.ac4d8158.gAAAAABrDH2VEpnnfN26VlE8YGbmD81ydXsjVEEzLrQhF5nEQEKCiCv0osf6x9pnmDFC21Mmn2ZbPMXshP8sPgCdJodTnMPSbVRNa8AHrFJfrvwkLx0BrH82CF3WTNWfnf9P4PhK77e81rwhEW3YCdtHHcozKzdfoH7_t18PfL4Plrb7FqzHr2Jr7XPu3ZLO-5cAqTKKFgu_m2MRIL5efvgyJdIGtfjQulRV_ghVH-yhW-bAp0ZQmVARHgx5YQUwNNpccvdY8cTc', 'ac4d8158', NULL, 1, 'e3475ca6652ce34e', 'ANTH', 'unknown', NULL, NULL, NULL, '2026-11-29T19:31:33.246726Z', '2026-11-29T19:31:33.246726Z', 'https://api.anthropic.com', '2026-11-30T17:45:33.555128Z', NULL);
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
INSERT INTO audit_entries VALUES (1, 'b4da02d966cf5bb0-4aa98805443fde09', 1, '2026-11-29T19:31:33.243089Z', 'cli', 'vm', 'set', 'system', 'default', 'openai', '60b6b1df5c80ec7b', 'ok', NULL, 1, '0000000000000000000000000000000000000000000000000000000000000000', '1d36374e23841434e534bb13373d9fc472762a94e2aba43f69dbd989063ad913');
INSERT INTO audit_entries VALUES (2, 'b4da02d966cf5bb0-4aa98805443fde09', 2, '2026-11-29T19:31:33.256616Z', 'cli', 'vm', 'set', 'system', 'default', 'anthropic', 'e3475ca6652ce34e', 'ok', NULL, 1, '1d36374e23841434e534bb13373d9fc472762a94e2aba43f69dbd989063ad913', '0e9781d0ac692491f966e64fb0029a00c3562e018b3bc53b67e8c4bc4aa9f713');
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
	updated_order BIGINT NOT NULL, blocked_since TEXT, 
	CONSTRAINT pk_tasks PRIMARY KEY (id), 
	CONSTRAINT ck_tasks_status CHECK ((status = 'To Do' AND status_rank = 0) OR (status = 'In Progress' AND status_rank = 1) OR (status = 'Blocked' AND status_rank = 2) OR (status = 'Done' AND status_rank = 3)), 
	CONSTRAINT ck_tasks_priority CHECK ((priority = 'High' AND priority_rank = 0) OR (priority = 'Medium' AND priority_rank = 1) OR (priority = 'Low' AND priority_rank = 2)), 
	CONSTRAINT fk_tasks_assignee_id_members FOREIGN KEY(assignee_id) REFERENCES members (id)
);
INSERT INTO tasks VALUES ('5157321f-3ff4-4176-bd10-8d190623e768', 'Replace the pump', 'Größe 40
  ''quoted''', 'In Progress', 1, 'High', 0, '617b8a5b-7e57-49e1-a01a-335396fb2b56', NULL, '', 'replace the pumpAAgrösse 40
  ''quoted''AAAA', '2026-11-29T19:31:33.418611Z', -1795980693418611, '2026-11-29T19:31:33.727604Z', -1795980693727604, NULL);
INSERT INTO tasks VALUES ('8ad45b21-5577-49b5-90a2-e82f41200c43', 'Wait for parts', NULL, 'Blocked', 2, 'Low', 2, '617b8a5b-7e57-49e1-a01a-335396fb2b56', '0042', 'Carrier', 'wait for partsAAAA0042AA', '2026-11-29T19:31:33.784732Z', -1795980693784732, '2026-11-29T19:31:34.057368Z', -1795980694057368, '2026-11-29T19:31:33.784732Z');
INSERT INTO tasks VALUES ('3b111f39-75b6-4d3a-bc73-6f52026aea41', 'Done with it', NULL, 'Done', 3, 'Medium', 1, '617b8a5b-7e57-49e1-a01a-335396fb2b56', NULL, '', 'done with itAAAAAA', '2026-11-29T19:31:34.096545Z', -1795980694096545, '2026-11-29T19:31:34.329138Z', -1795980694329138, NULL);
CREATE TABLE task_grams (
	number INTEGER NOT NULL, 
	task_id VARCHAR(36) NOT NULL, 
	grams TEXT NOT NULL, 
	CONSTRAINT pk_task_grams PRIMARY KEY (number), 
	CONSTRAINT fk_task_grams_task_id_tasks FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
INSERT INTO task_grams VALUES (1, '5157321f-3ff4-4176-bd10-8d190623e768', 'replace the pumpAAgrösse 40
  ''quoted''AAAA');
INSERT INTO task_grams VALUES (2, '8ad45b21-5577-49b5-90a2-e82f41200c43', 'wait for partsAAAA0042AA');
INSERT INTO task_grams VALUES (3, '3b111f39-75b6-4d3a-bc73-6f52026aea41', 'done with itAAAAAA');
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
INSERT INTO sub_tasks VALUES ('09092b52-c78e-4efa-83b3-212b9cbcb9f6', '5157321f-3ff4-4176-bd10-8d190623e768', 'Drain', 0, 0, '2026-11-29T19:31:33.496290Z');
INSERT INTO sub_tasks VALUES ('b309f25f-6cc9-4b47-867b-d99b62b4e320', '5157321f-3ff4-4176-bd10-8d190623e768', 'Fit', 0, 1, '2026-11-29T19:31:33.567642Z');
INSERT INTO sub_tasks VALUES ('7320c2ff-1717-42c6-b3a2-02566dbd3fdd', '5157321f-3ff4-4176-bd10-8d190623e768', 'Test', 0, 2, '2026-11-29T19:31:33.626407Z');
INSERT INTO sub_tasks VALUES ('0ea2026b-2d8d-46d9-8545-b9ecd4e37c0e', '8ad45b21-5577-49b5-90a2-e82f41200c43', 'Drain', 0, 0, '2026-11-29T19:31:33.843819Z');
INSERT INTO sub_tasks VALUES ('80288a80-a70f-435c-a98e-ecdc8821510b', '8ad45b21-5577-49b5-90a2-e82f41200c43', 'Fit', 0, 1, '2026-11-29T19:31:33.902746Z');
INSERT INTO sub_tasks VALUES ('b6e36f1a-7543-4f72-9270-aabfc629250b', '8ad45b21-5577-49b5-90a2-e82f41200c43', 'Test', 0, 2, '2026-11-29T19:31:33.961851Z');
INSERT INTO sub_tasks VALUES ('98f32d1a-7242-4373-87c1-e1b344a82202', '3b111f39-75b6-4d3a-bc73-6f52026aea41', 'Drain', 0, 0, '2026-11-29T19:31:34.151640Z');
INSERT INTO sub_tasks VALUES ('ed63310e-1098-4cc7-9f89-b7be88784215', '3b111f39-75b6-4d3a-bc73-6f52026aea41', 'Fit', 0, 1, '2026-11-29T19:31:34.190248Z');
INSERT INTO sub_tasks VALUES ('e9c7bf90-0633-4f38-94df-f90ad404e64c', '3b111f39-75b6-4d3a-bc73-6f52026aea41', 'Test', 0, 2, '2026-11-29T19:31:34.234903Z');
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
INSERT INTO daily_updates VALUES ('887369d0-b88d-482a-8ede-bc75de43700e', '5157321f-3ff4-4176-bd10-8d190623e768', '0234c6cd-8a4d-4fbb-b05e-fdcdc7a98285', 'Drained today.', 0, '2026-11-29T19:31:33.670629Z', '2026-11-29T19:31:33.670629Z');
INSERT INTO daily_updates VALUES ('e708f57e-9ec7-43d7-80a8-4a4308e8d792', '5157321f-3ff4-4176-bd10-8d190623e768', '0234c6cd-8a4d-4fbb-b05e-fdcdc7a98285', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-29T19:31:33.727604Z', '2026-11-29T19:31:33.727604Z');
INSERT INTO daily_updates VALUES ('e7efc1f9-4c91-415b-9eae-36796ada7b48', '8ad45b21-5577-49b5-90a2-e82f41200c43', '0234c6cd-8a4d-4fbb-b05e-fdcdc7a98285', 'Drained today.', 0, '2026-11-29T19:31:33.995022Z', '2026-11-29T19:31:33.995022Z');
INSERT INTO daily_updates VALUES ('fa5412c1-563a-4754-86f6-9934fe80188e', '8ad45b21-5577-49b5-90a2-e82f41200c43', '0234c6cd-8a4d-4fbb-b05e-fdcdc7a98285', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-29T19:31:34.057368Z', '2026-11-29T19:31:34.057368Z');
INSERT INTO daily_updates VALUES ('e21ebf1d-66b5-4ef5-92a1-7b22d8f19f1d', '3b111f39-75b6-4d3a-bc73-6f52026aea41', '0234c6cd-8a4d-4fbb-b05e-fdcdc7a98285', 'Drained today.', 0, '2026-11-29T19:31:34.277370Z', '2026-11-29T19:31:34.277370Z');
INSERT INTO daily_updates VALUES ('c2da9754-58a3-48fc-b9e8-1bcf7df6321a', '3b111f39-75b6-4d3a-bc73-6f52026aea41', '0234c6cd-8a4d-4fbb-b05e-fdcdc7a98285', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-29T19:31:34.329138Z', '2026-11-29T19:31:34.329138Z');
CREATE TABLE changes (
	id INTEGER NOT NULL, 
	number BIGINT, 
	resource TEXT NOT NULL, 
	resource_id TEXT NOT NULL, 
	change TEXT NOT NULL, 
	at TEXT NOT NULL, 
	CONSTRAINT pk_changes PRIMARY KEY (id)
);
INSERT INTO changes VALUES (1, 1, 'member', '617b8a5b-7e57-49e1-a01a-335396fb2b56', 'created', '2026-11-29T19:31:28.435575Z');
INSERT INTO changes VALUES (2, 2, 'member', '0f6dd9a0-f905-4e7a-a992-6f87b2b11f89', 'created', '2026-11-29T19:31:28.485689Z');
INSERT INTO changes VALUES (3, 3, 'member', '0234c6cd-8a4d-4fbb-b05e-fdcdc7a98285', 'created', '2026-11-29T19:31:28.519021Z');
INSERT INTO changes VALUES (4, 4, 'task', '5157321f-3ff4-4176-bd10-8d190623e768', 'created', '2026-11-29T19:31:33.448987Z');
INSERT INTO changes VALUES (5, 5, 'sub_task', '09092b52-c78e-4efa-83b3-212b9cbcb9f6', 'created', '2026-11-29T19:31:33.516743Z');
INSERT INTO changes VALUES (6, 6, 'task', '5157321f-3ff4-4176-bd10-8d190623e768', 'updated', '2026-11-29T19:31:33.527923Z');
INSERT INTO changes VALUES (7, 7, 'sub_task', 'b309f25f-6cc9-4b47-867b-d99b62b4e320', 'created', '2026-11-29T19:31:33.576121Z');
INSERT INTO changes VALUES (8, 8, 'task', '5157321f-3ff4-4176-bd10-8d190623e768', 'updated', '2026-11-29T19:31:33.582614Z');
INSERT INTO changes VALUES (9, 9, 'sub_task', '7320c2ff-1717-42c6-b3a2-02566dbd3fdd', 'created', '2026-11-29T19:31:33.632472Z');
INSERT INTO changes VALUES (10, 10, 'task', '5157321f-3ff4-4176-bd10-8d190623e768', 'updated', '2026-11-29T19:31:33.639106Z');
INSERT INTO changes VALUES (11, 11, 'daily_update', '887369d0-b88d-482a-8ede-bc75de43700e', 'created', '2026-11-29T19:31:33.686109Z');
INSERT INTO changes VALUES (12, 12, 'task', '5157321f-3ff4-4176-bd10-8d190623e768', 'updated', '2026-11-29T19:31:33.689360Z');
INSERT INTO changes VALUES (13, 13, 'daily_update', 'e708f57e-9ec7-43d7-80a8-4a4308e8d792', 'created', '2026-11-29T19:31:33.738277Z');
INSERT INTO changes VALUES (14, 14, 'task', '5157321f-3ff4-4176-bd10-8d190623e768', 'updated', '2026-11-29T19:31:33.746329Z');
INSERT INTO changes VALUES (15, 15, 'task', '8ad45b21-5577-49b5-90a2-e82f41200c43', 'created', '2026-11-29T19:31:33.785509Z');
INSERT INTO changes VALUES (16, 16, 'sub_task', '0ea2026b-2d8d-46d9-8545-b9ecd4e37c0e', 'created', '2026-11-29T19:31:33.844651Z');
INSERT INTO changes VALUES (17, 17, 'task', '8ad45b21-5577-49b5-90a2-e82f41200c43', 'updated', '2026-11-29T19:31:33.859965Z');
INSERT INTO changes VALUES (18, 18, 'sub_task', '80288a80-a70f-435c-a98e-ecdc8821510b', 'created', '2026-11-29T19:31:33.909553Z');
INSERT INTO changes VALUES (19, 19, 'task', '8ad45b21-5577-49b5-90a2-e82f41200c43', 'updated', '2026-11-29T19:31:33.912925Z');
INSERT INTO changes VALUES (20, 20, 'sub_task', 'b6e36f1a-7543-4f72-9270-aabfc629250b', 'created', '2026-11-29T19:31:33.962398Z');
INSERT INTO changes VALUES (21, 21, 'task', '8ad45b21-5577-49b5-90a2-e82f41200c43', 'updated', '2026-11-29T19:31:33.968065Z');
INSERT INTO changes VALUES (22, 22, 'daily_update', 'e7efc1f9-4c91-415b-9eae-36796ada7b48', 'created', '2026-11-29T19:31:33.995344Z');
INSERT INTO changes VALUES (23, 23, 'task', '8ad45b21-5577-49b5-90a2-e82f41200c43', 'updated', '2026-11-29T19:31:34.005722Z');
INSERT INTO changes VALUES (24, 24, 'daily_update', 'fa5412c1-563a-4754-86f6-9934fe80188e', 'created', '2026-11-29T19:31:34.057817Z');
INSERT INTO changes VALUES (25, 25, 'task', '8ad45b21-5577-49b5-90a2-e82f41200c43', 'updated', '2026-11-29T19:31:34.065187Z');
INSERT INTO changes VALUES (26, 26, 'task', '3b111f39-75b6-4d3a-bc73-6f52026aea41', 'created', '2026-11-29T19:31:34.112066Z');
INSERT INTO changes VALUES (27, 27, 'sub_task', '98f32d1a-7242-4373-87c1-e1b344a82202', 'created', '2026-11-29T19:31:34.153264Z');
INSERT INTO changes VALUES (28, 28, 'task', '3b111f39-75b6-4d3a-bc73-6f52026aea41', 'updated', '2026-11-29T19:31:34.162536Z');
INSERT INTO changes VALUES (29, 29, 'sub_task', 'ed63310e-1098-4cc7-9f89-b7be88784215', 'created', '2026-11-29T19:31:34.195066Z');
INSERT INTO changes VALUES (30, 30, 'task', '3b111f39-75b6-4d3a-bc73-6f52026aea41', 'updated', '2026-11-29T19:31:34.204455Z');
INSERT INTO changes VALUES (31, 31, 'sub_task', 'e9c7bf90-0633-4f38-94df-f90ad404e64c', 'created', '2026-11-29T19:31:34.235583Z');
INSERT INTO changes VALUES (32, 32, 'task', '3b111f39-75b6-4d3a-bc73-6f52026aea41', 'updated', '2026-11-29T19:31:34.236297Z');
INSERT INTO changes VALUES (33, 33, 'daily_update', 'e21ebf1d-66b5-4ef5-92a1-7b22d8f19f1d', 'created', '2026-11-29T19:31:34.279775Z');
INSERT INTO changes VALUES (34, 34, 'task', '3b111f39-75b6-4d3a-bc73-6f52026aea41', 'updated', '2026-11-29T19:31:34.291331Z');
INSERT INTO changes VALUES (35, 35, 'daily_update', 'c2da9754-58a3-48fc-b9e8-1bcf7df6321a', 'created', '2026-11-29T19:31:34.329447Z');
INSERT INTO changes VALUES (36, 36, 'task', '3b111f39-75b6-4d3a-bc73-6f52026aea41', 'updated', '2026-11-29T19:31:34.339999Z');
INSERT INTO changes VALUES (37, 37, 'member', '0234c6cd-8a4d-4fbb-b05e-fdcdc7a98285', 'updated', '2026-11-29T19:31:34.446925Z');
CREATE TABLE idempotency_keys (
	caller TEXT NOT NULL, 
	route TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	status INTEGER NOT NULL, 
	headers TEXT NOT NULL, 
	body TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_idempotency_keys PRIMARY KEY (caller, route, "key")
);
CREATE TABLE task_counts (
	id INTEGER NOT NULL, 
	status_rank SMALLINT NOT NULL, 
	priority_rank SMALLINT NOT NULL, 
	assignee_id VARCHAR(36), 
	amount BIGINT NOT NULL, 
	CONSTRAINT pk_task_counts PRIMARY KEY (id)
);
INSERT INTO task_counts VALUES (1, 1, 0, '617b8a5b-7e57-49e1-a01a-335396fb2b56', 1);
INSERT INTO task_counts VALUES (2, 2, 2, '617b8a5b-7e57-49e1-a01a-335396fb2b56', 1);
INSERT INTO task_counts VALUES (3, 3, 1, '617b8a5b-7e57-49e1-a01a-335396fb2b56', 1);
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
CREATE UNIQUE INDEX uq_changes_number ON changes (number);
CREATE INDEX ix_changes_unnumbered ON changes (id) WHERE number IS NULL;
CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);
CREATE INDEX ix_tasks_gear ON tasks (gear_id, updated_order, created_order, id) WHERE gear_id IS NOT NULL;
CREATE INDEX ix_task_counts_kind ON task_counts (assignee_id, status_rank, priority_rank);
CREATE INDEX ix_daily_updates_newest ON daily_updates (created_at DESC, id);
CREATE INDEX ix_daily_updates_task_newest ON daily_updates (task_id, created_at DESC, id);
CREATE INDEX ix_daily_updates_author_newest ON daily_updates (author_id, created_at DESC, id);
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
CREATE TRIGGER tasks_inserted AFTER INSERT ON tasks BEGIN UPDATE task_counts SET amount = amount + 1 WHERE status_rank = new.status_rank AND priority_rank = new.priority_rank AND assignee_id IS new.assignee_id; INSERT INTO task_counts (status_rank, priority_rank, assignee_id, amount) SELECT new.status_rank, new.priority_rank, new.assignee_id, 1 WHERE changes() = 0; END;
CREATE TRIGGER tasks_deleted AFTER DELETE ON tasks BEGIN UPDATE task_counts SET amount = amount - 1 WHERE status_rank = old.status_rank AND priority_rank = old.priority_rank AND assignee_id IS old.assignee_id; END;
CREATE TRIGGER tasks_updated AFTER UPDATE OF status_rank, priority_rank, assignee_id ON tasks BEGIN UPDATE task_counts SET amount = amount - 1 WHERE status_rank = old.status_rank AND priority_rank = old.priority_rank AND assignee_id IS old.assignee_id; UPDATE task_counts SET amount = amount + 1 WHERE status_rank = new.status_rank AND priority_rank = new.priority_rank AND assignee_id IS new.assignee_id; INSERT INTO task_counts (status_rank, priority_rank, assignee_id, amount) SELECT new.status_rank, new.priority_rank, new.assignee_id, 1 WHERE changes() = 0; END;
COMMIT;
