BEGIN;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES ('0005');
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
INSERT INTO members VALUES ('1e0d1802-9a80-43d2-bbc6-8ac2f7a05c7a', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', 1, '2026-11-20T22:45:13.465247Z', '2026-11-20T22:45:13.465247Z');
INSERT INTO members VALUES ('7db2e2b8-b62d-4976-b67f-ae51575b9ce9', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', 1, '2026-11-20T22:45:13.471807Z', '2026-11-20T22:45:13.471807Z');
INSERT INTO members VALUES ('d615c403-a236-4637-9a52-27a7c3e8bfad', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', 0, '2026-11-20T22:45:13.475217Z', '2026-11-20T22:45:13.475217Z');
CREATE TABLE vaults (
	id INTEGER NOT NULL, 
	vault_id VARCHAR(36) NOT NULL, 
	epoch INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vaults PRIMARY KEY (id)
);
INSERT INTO vaults VALUES (1, '28545cf6-b75c-4ed5-8bda-0d02266018a2', 2, '2026-11-20T22:45:12.776448Z');
CREATE TABLE vault_keys (
	kid TEXT NOT NULL, 
	state TEXT NOT NULL, 
	fingerprint_key TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vault_keys PRIMARY KEY (kid)
);
INSERT INTO vault_keys VALUES ('c3962950', 'active', 'vf1.c3962950.gAAAAABrAM14YDGzSZobyef9Ex3H6tn-sDWiqoGOT5sYsTTA3xH0i-KlMQJVAtAkbAGaiOSIHkr5dRfXvnELXjppp3vieWtst30Gy3OjDFx_IlwRytThY98MrBfqcVqxbDSLYWTqTYta', '2026-11-20T22:45:12.810585Z');
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
INSERT INTO vault_wraps VALUES ('c3962950', '4aa98805443fde09', 'root', 'gAAAAABrAM147MEeRSXJ-xJqIemusUpTJbr8fvfkzY2UNNIuTOCcSB1vjt1Fj98Ds1ic2ukDnQS9bjTIyBnRmNmWr_6VxfYNTvEgIpL2EG2qJ6CYEXsd112gq0eP3qLvMLvATIVQpe04', NULL, '2026-11-20T22:45:12.812435Z');
CREATE TABLE vault_owners (
	owner_kind TEXT NOT NULL, 
	owner_id TEXT NOT NULL, 
	salt TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vault_owners PRIMARY KEY (owner_kind, owner_id)
);
INSERT INTO vault_owners VALUES ('system', 'default', '6b66655f08cce504bb180d9d1dce169ddd08e0e6c1fa7c5ea226bf955641de46', '2026-11-20T22:45:15.178908Z');
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
INSERT INTO secrets VALUES ('7d9a68b1-995a-434c-b202-5d54c246a6d9', 'system', 'default', 'openai', 'vf1.c3962950.gAAAAABrAM17AOwBV2kT8A546-29jOKo04T4C7-MHcZIlBpmJHWwNc5pfk0f3XhrXQlyU8n2yWkE_n14lPkOTRNMoRyXYwoshGIBcCNcKooWFj-Fn-Ol0ucd6L8_vnxiaFNRyVR4N-5dDzpt1jEsKTSz-GIGuHeUqHYZeiYhPJM7gexpgvEfgVsyPD8IFVRTwRjQN2VHoMKP5YWyzSBR0s0rlEUl3-lPjAtcjqmVxkCivQjsJDhZX-6XgzuiXtp9AF2z1WVNCTmE', 'c3962950', NULL, 1, '8f5b48adcadf1e68', 'ENAI', 'unknown', NULL, NULL, NULL, '2026-11-20T22:45:15.194010Z', '2026-11-20T22:45:15.194010Z', 'https://api.openai.com', '2026-11-21T22:10:40.839050Z', NULL);
INSERT INTO secrets VALUES ('c3144b5e-c1e0-4bbd-8cf2-3e32597ae551', 'system', 'default', 'anthropic', 'vf1.c3962950.gAAAAABrAM179W3bVHylUcMdz2shTT17dFsuLBfVq6HNgFTkuJ6suRBuJ8w3_cfrrWPpsX4_1m0tJTMMG531r0twHW05zbZe1F06iz-GE3RCn7LBdK0mNgb1DGrx7qFnSX-C6IwgwvHrgq8o954prGCdwunhJPd_QhteRwSrSTwVwrVszVJXdyneDsL-j44wMeXAz0nV7q5UhMpaYGtfxLwMAedr67su6PvcnTxO6CtdTnJNka0vjmkO_74g03pHFhdE7OhvIvUj', 'c3962950', NULL, 1, 'e2da91fea144d5eb', 'ANTH', 'unknown', NULL, NULL, NULL, '2026-11-20T22:45:15.196094Z', '2026-11-20T22:45:15.196094Z', 'https://api.anthropic.com', '2026-11-21T23:37:18.179883Z', NULL);
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
INSERT INTO audit_entries VALUES (1, '6c0d23554536d9a1-4aa98805443fde09', 1, '2026-11-20T22:45:15.195267Z', 'cli', 'vm', 'set', 'system', 'default', 'openai', '8f5b48adcadf1e68', 'ok', NULL, 1, '0000000000000000000000000000000000000000000000000000000000000000', 'cd781d6e97f119b410a6c1e923a10e1c30edc901d21a9247f3131a1f424d0d53');
INSERT INTO audit_entries VALUES (2, '6c0d23554536d9a1-4aa98805443fde09', 2, '2026-11-20T22:45:15.196431Z', 'cli', 'vm', 'set', 'system', 'default', 'anthropic', 'e2da91fea144d5eb', 'ok', NULL, 1, 'cd781d6e97f119b410a6c1e923a10e1c30edc901d21a9247f3131a1f424d0d53', '9a551da9d09205de8426e72057fd1e0fe3417f7f6ef098fecc612d0173ac9494');
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
INSERT INTO tasks VALUES ('fde42790-b8d2-4f79-96a7-7d55112d06f8', 'Replace the pump', 'Größe 40
  ''quoted''', 'In Progress', 1, 'High', 0, '1e0d1802-9a80-43d2-bbc6-8ac2f7a05c7a', NULL, '', 'replace the pumpAAgrösse 40
  ''quoted''AAAA', '2026-11-20T22:45:15.292796Z', -1795214715292796, '2026-11-20T22:45:15.359558Z', -1795214715359558);
INSERT INTO tasks VALUES ('2e31ecfe-9163-43c7-94fc-92b27f1bdf92', 'Wait for parts', NULL, 'Blocked', 2, 'Low', 2, '1e0d1802-9a80-43d2-bbc6-8ac2f7a05c7a', '0042', 'Carrier', 'wait for partsAAAA0042AA', '2026-11-20T22:45:15.414829Z', -1795214715414829, '2026-11-20T22:45:15.437704Z', -1795214715437704);
INSERT INTO tasks VALUES ('1347f5f3-96ad-44d4-991b-f9aa37a90ea9', 'Done with it', NULL, 'Done', 3, 'Medium', 1, '1e0d1802-9a80-43d2-bbc6-8ac2f7a05c7a', NULL, '', 'done with itAAAAAA', '2026-11-20T22:45:15.461277Z', -1795214715461277, '2026-11-20T22:45:15.477509Z', -1795214715477509);
CREATE TABLE task_grams (
	number INTEGER NOT NULL, 
	task_id VARCHAR(36) NOT NULL, 
	grams TEXT NOT NULL, 
	CONSTRAINT pk_task_grams PRIMARY KEY (number), 
	CONSTRAINT fk_task_grams_task_id_tasks FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
INSERT INTO task_grams VALUES (1, 'fde42790-b8d2-4f79-96a7-7d55112d06f8', 'replace the pumpAAgrösse 40
  ''quoted''AAAA');
INSERT INTO task_grams VALUES (2, '2e31ecfe-9163-43c7-94fc-92b27f1bdf92', 'wait for partsAAAA0042AA');
INSERT INTO task_grams VALUES (3, '1347f5f3-96ad-44d4-991b-f9aa37a90ea9', 'done with itAAAAAA');
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
INSERT INTO sub_tasks VALUES ('19f239be-bb4a-4e84-b496-9f9969f0a01c', 'fde42790-b8d2-4f79-96a7-7d55112d06f8', 'Drain', 0, 0, '2026-11-20T22:45:15.324830Z');
INSERT INTO sub_tasks VALUES ('11c9b591-05b5-43cd-ae49-f2f79639dac8', 'fde42790-b8d2-4f79-96a7-7d55112d06f8', 'Fit', 0, 1, '2026-11-20T22:45:15.345660Z');
INSERT INTO sub_tasks VALUES ('0fe682a7-9f6e-4ad3-85bb-32641c487830', 'fde42790-b8d2-4f79-96a7-7d55112d06f8', 'Test', 0, 2, '2026-11-20T22:45:15.358167Z');
INSERT INTO sub_tasks VALUES ('c42eb39a-76f4-485a-b0ec-1eb5bfd4166d', '2e31ecfe-9163-43c7-94fc-92b27f1bdf92', 'Drain', 0, 0, '2026-11-20T22:45:15.419037Z');
INSERT INTO sub_tasks VALUES ('61e9e3d8-ec7c-4b8b-9eed-688d29ef22d0', '2e31ecfe-9163-43c7-94fc-92b27f1bdf92', 'Fit', 0, 1, '2026-11-20T22:45:15.432477Z');
INSERT INTO sub_tasks VALUES ('da5ec289-1e35-4de2-a09b-1f406ee4fd7c', '2e31ecfe-9163-43c7-94fc-92b27f1bdf92', 'Test', 0, 2, '2026-11-20T22:45:15.436983Z');
INSERT INTO sub_tasks VALUES ('bec238dc-dcb3-450b-9fed-2a63cf64d557', '1347f5f3-96ad-44d4-991b-f9aa37a90ea9', 'Drain', 0, 0, '2026-11-20T22:45:15.464884Z');
INSERT INTO sub_tasks VALUES ('1f6caa2e-5504-4417-8206-f39884711d3d', '1347f5f3-96ad-44d4-991b-f9aa37a90ea9', 'Fit', 0, 1, '2026-11-20T22:45:15.473275Z');
INSERT INTO sub_tasks VALUES ('69d87bdb-fe98-4db3-9354-07ba0d3ecf89', '1347f5f3-96ad-44d4-991b-f9aa37a90ea9', 'Test', 0, 2, '2026-11-20T22:45:15.476879Z');
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
INSERT INTO daily_updates VALUES ('c8006904-bfdc-4f23-a732-b1168c08b9f4', 'fde42790-b8d2-4f79-96a7-7d55112d06f8', 'd615c403-a236-4637-9a52-27a7c3e8bfad', 'Drained today.', 0, '2026-11-20T22:45:15.373090Z', '2026-11-20T22:45:15.373090Z');
INSERT INTO daily_updates VALUES ('f6752f64-faf4-4570-b0b6-ceaa2a23b757', 'fde42790-b8d2-4f79-96a7-7d55112d06f8', 'd615c403-a236-4637-9a52-27a7c3e8bfad', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-20T22:45:15.391593Z', '2026-11-20T22:45:15.391593Z');
INSERT INTO daily_updates VALUES ('8a17466d-1060-4c03-9b52-4a02fa04cc13', '2e31ecfe-9163-43c7-94fc-92b27f1bdf92', 'd615c403-a236-4637-9a52-27a7c3e8bfad', 'Drained today.', 0, '2026-11-20T22:45:15.446441Z', '2026-11-20T22:45:15.446441Z');
INSERT INTO daily_updates VALUES ('ee29667b-a9b4-457b-9e86-68f87740bdea', '2e31ecfe-9163-43c7-94fc-92b27f1bdf92', 'd615c403-a236-4637-9a52-27a7c3e8bfad', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-20T22:45:15.450576Z', '2026-11-20T22:45:15.450576Z');
INSERT INTO daily_updates VALUES ('a99a2ae3-1cc6-4d58-8888-ccae8b4726fc', '1347f5f3-96ad-44d4-991b-f9aa37a90ea9', 'd615c403-a236-4637-9a52-27a7c3e8bfad', 'Drained today.', 0, '2026-11-20T22:45:15.491921Z', '2026-11-20T22:45:15.491921Z');
INSERT INTO daily_updates VALUES ('5c4172e6-0ffa-4ebb-9a74-f9589108cb5b', '1347f5f3-96ad-44d4-991b-f9aa37a90ea9', 'd615c403-a236-4637-9a52-27a7c3e8bfad', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-20T22:45:15.496064Z', '2026-11-20T22:45:15.496064Z');
CREATE TABLE changes (
	id INTEGER NOT NULL, 
	number BIGINT, 
	resource TEXT NOT NULL, 
	resource_id TEXT NOT NULL, 
	change TEXT NOT NULL, 
	at TEXT NOT NULL, 
	CONSTRAINT pk_changes PRIMARY KEY (id)
);
INSERT INTO changes VALUES (1, 1, 'member', '1e0d1802-9a80-43d2-bbc6-8ac2f7a05c7a', 'created', '2026-11-20T22:45:13.466804Z');
INSERT INTO changes VALUES (2, 2, 'member', '7db2e2b8-b62d-4976-b67f-ae51575b9ce9', 'created', '2026-11-20T22:45:13.472511Z');
INSERT INTO changes VALUES (3, 3, 'member', 'd615c403-a236-4637-9a52-27a7c3e8bfad', 'created', '2026-11-20T22:45:13.475592Z');
INSERT INTO changes VALUES (4, 4, 'task', 'fde42790-b8d2-4f79-96a7-7d55112d06f8', 'created', '2026-11-20T22:45:15.305854Z');
INSERT INTO changes VALUES (5, 5, 'sub_task', '19f239be-bb4a-4e84-b496-9f9969f0a01c', 'created', '2026-11-20T22:45:15.327825Z');
INSERT INTO changes VALUES (6, 6, 'task', 'fde42790-b8d2-4f79-96a7-7d55112d06f8', 'updated', '2026-11-20T22:45:15.328455Z');
INSERT INTO changes VALUES (7, 7, 'sub_task', '11c9b591-05b5-43cd-ae49-f2f79639dac8', 'created', '2026-11-20T22:45:15.347045Z');
INSERT INTO changes VALUES (8, 8, 'task', 'fde42790-b8d2-4f79-96a7-7d55112d06f8', 'updated', '2026-11-20T22:45:15.347425Z');
INSERT INTO changes VALUES (9, 9, 'sub_task', '0fe682a7-9f6e-4ad3-85bb-32641c487830', 'created', '2026-11-20T22:45:15.359722Z');
INSERT INTO changes VALUES (10, 10, 'task', 'fde42790-b8d2-4f79-96a7-7d55112d06f8', 'updated', '2026-11-20T22:45:15.360075Z');
INSERT INTO changes VALUES (11, 11, 'daily_update', 'c8006904-bfdc-4f23-a732-b1168c08b9f4', 'created', '2026-11-20T22:45:15.374648Z');
INSERT INTO changes VALUES (12, 12, 'task', 'fde42790-b8d2-4f79-96a7-7d55112d06f8', 'updated', '2026-11-20T22:45:15.377549Z');
INSERT INTO changes VALUES (13, 13, 'daily_update', 'f6752f64-faf4-4570-b0b6-ceaa2a23b757', 'created', '2026-11-20T22:45:15.397158Z');
INSERT INTO changes VALUES (14, 14, 'task', 'fde42790-b8d2-4f79-96a7-7d55112d06f8', 'updated', '2026-11-20T22:45:15.397747Z');
INSERT INTO changes VALUES (15, 15, 'task', '2e31ecfe-9163-43c7-94fc-92b27f1bdf92', 'created', '2026-11-20T22:45:15.416092Z');
INSERT INTO changes VALUES (16, 16, 'sub_task', 'c42eb39a-76f4-485a-b0ec-1eb5bfd4166d', 'created', '2026-11-20T22:45:15.419963Z');
INSERT INTO changes VALUES (17, 17, 'task', '2e31ecfe-9163-43c7-94fc-92b27f1bdf92', 'updated', '2026-11-20T22:45:15.420281Z');
INSERT INTO changes VALUES (18, 18, 'sub_task', '61e9e3d8-ec7c-4b8b-9eed-688d29ef22d0', 'created', '2026-11-20T22:45:15.433919Z');
INSERT INTO changes VALUES (19, 19, 'task', '2e31ecfe-9163-43c7-94fc-92b27f1bdf92', 'updated', '2026-11-20T22:45:15.434271Z');
INSERT INTO changes VALUES (20, 20, 'sub_task', 'da5ec289-1e35-4de2-a09b-1f406ee4fd7c', 'created', '2026-11-20T22:45:15.437842Z');
INSERT INTO changes VALUES (21, 21, 'task', '2e31ecfe-9163-43c7-94fc-92b27f1bdf92', 'updated', '2026-11-20T22:45:15.438103Z');
INSERT INTO changes VALUES (22, 22, 'daily_update', '8a17466d-1060-4c03-9b52-4a02fa04cc13', 'created', '2026-11-20T22:45:15.447329Z');
INSERT INTO changes VALUES (23, 23, 'task', '2e31ecfe-9163-43c7-94fc-92b27f1bdf92', 'updated', '2026-11-20T22:45:15.447658Z');
INSERT INTO changes VALUES (24, 24, 'daily_update', 'ee29667b-a9b4-457b-9e86-68f87740bdea', 'created', '2026-11-20T22:45:15.451232Z');
INSERT INTO changes VALUES (25, 25, 'task', '2e31ecfe-9163-43c7-94fc-92b27f1bdf92', 'updated', '2026-11-20T22:45:15.451513Z');
INSERT INTO changes VALUES (26, 26, 'task', '1347f5f3-96ad-44d4-991b-f9aa37a90ea9', 'created', '2026-11-20T22:45:15.462407Z');
INSERT INTO changes VALUES (27, 27, 'sub_task', 'bec238dc-dcb3-450b-9fed-2a63cf64d557', 'created', '2026-11-20T22:45:15.465681Z');
INSERT INTO changes VALUES (28, 28, 'task', '1347f5f3-96ad-44d4-991b-f9aa37a90ea9', 'updated', '2026-11-20T22:45:15.465947Z');
INSERT INTO changes VALUES (29, 29, 'sub_task', '1f6caa2e-5504-4417-8206-f39884711d3d', 'created', '2026-11-20T22:45:15.474300Z');
INSERT INTO changes VALUES (30, 30, 'task', '1347f5f3-96ad-44d4-991b-f9aa37a90ea9', 'updated', '2026-11-20T22:45:15.474582Z');
INSERT INTO changes VALUES (31, 31, 'sub_task', '69d87bdb-fe98-4db3-9354-07ba0d3ecf89', 'created', '2026-11-20T22:45:15.477633Z');
INSERT INTO changes VALUES (32, 32, 'task', '1347f5f3-96ad-44d4-991b-f9aa37a90ea9', 'updated', '2026-11-20T22:45:15.477866Z');
INSERT INTO changes VALUES (33, 33, 'daily_update', 'a99a2ae3-1cc6-4d58-8888-ccae8b4726fc', 'created', '2026-11-20T22:45:15.493072Z');
INSERT INTO changes VALUES (34, 34, 'task', '1347f5f3-96ad-44d4-991b-f9aa37a90ea9', 'updated', '2026-11-20T22:45:15.493504Z');
INSERT INTO changes VALUES (35, 35, 'daily_update', '5c4172e6-0ffa-4ebb-9a74-f9589108cb5b', 'created', '2026-11-20T22:45:15.496840Z');
INSERT INTO changes VALUES (36, 36, 'task', '1347f5f3-96ad-44d4-991b-f9aa37a90ea9', 'updated', '2026-11-20T22:45:15.497174Z');
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
CREATE UNIQUE INDEX uq_changes_number ON changes (number);
CREATE INDEX ix_changes_unnumbered ON changes (id) WHERE number IS NULL;
CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);
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
