BEGIN;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES ('0008');
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
INSERT INTO members VALUES ('4091c9be-8596-4a28-9761-ca6ffbe555ed', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', 1, '2026-11-29T23:54:01.765359Z', '2026-11-29T23:54:01.765359Z');
INSERT INTO members VALUES ('d5b1ef57-6060-416a-90ea-8a6404e1e78f', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', 1, '2026-11-29T23:54:01.790671Z', '2026-11-29T23:54:01.790671Z');
INSERT INTO members VALUES ('322f5606-9678-4219-8b5b-659bfdbc5b1f', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', 0, '2026-11-29T23:54:01.800761Z', '2026-11-29T23:54:02.699251Z');
CREATE TABLE vaults (
	id INTEGER NOT NULL, 
	vault_id VARCHAR(36) NOT NULL, 
	epoch INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vaults PRIMARY KEY (id)
);
INSERT INTO vaults VALUES (1, '1d4d2c7e-ed39-4275-836c-af705127a32d', 1, '2026-11-29T23:54:01.846796Z');
CREATE TABLE vault_keys (
	kid TEXT NOT NULL, 
	state TEXT NOT NULL, 
	fingerprint_key TEXT NOT NULL, 
	created_at TEXT NOT NULL, format TEXT DEFAULT 'vf1' NOT NULL, 
	CONSTRAINT pk_vault_keys PRIMARY KEY (kid)
);
INSERT INTO vault_keys VALUES ('6b9ea3a9', 'active', 'vf1.6b9ea3a9.gAAAAABrDLsZ3Lyc2IzQ9xLa-FR99x7hI5glWrJZ_A-GQNXeD9NXBPsIqO22MGRIGhX4WR82UZVrQsysQ6ETGVgy5TqEJmhQeBTzPFwHG0MJlY38IuzdXblXE9M0T5CGNs5TfXbqyh0h', '2026-11-29T23:54:01.865711Z', 'vf2');
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
INSERT INTO vault_wraps VALUES ('6b9ea3a9', '4aa98805443fde09', 'root', 'gAAAAABrDLsZK1I5LM8_W06DczOv1badXU8CbaL07NQmKztn_Uo4C_lYF15ptCVHhBwdqcwZIPI3YRxl9qV9BM_KSdQdaP1c1aIXBGEbMTy3cKVu8MBQHN3i3AG1FZQZxBPUYLpaFoSj', NULL, '2026-11-29T23:54:01.880165Z');
CREATE TABLE vault_owners (
	owner_kind TEXT NOT NULL, 
	owner_id TEXT NOT NULL, 
	salt TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vault_owners PRIMARY KEY (owner_kind, owner_id)
);
INSERT INTO vault_owners VALUES ('system', 'default', '4d5798f638cf7809cec80472121be79bdaeaec125826dd7e688bfb8dae6e9d7a', '2026-11-29T23:54:02.426278Z');
INSERT INTO vault_owners VALUES ('camera', '95589c13-711a-4540-8cf0-99a5b164541b', '3ace276d137d8aca4a55b19d0df2fa2bbc0d3763f608491bf3d7747c6f19a54c', '2026-11-29T23:54:02.612161Z');
INSERT INTO vault_owners VALUES ('alert_rule', 'acb73f0d-7574-4b88-adcd-db804c0d8ca5', '668ea4fbf082ff4e8ede169366eec519989bf7695a6c7e78e197c9230af56add', '2026-11-29T23:54:02.641685Z');
INSERT INTO vault_owners VALUES ('server', 'guild', '29b2a1153fec48b90e62d63d1b7cf3890c3f20ccea73d00aca6ff54209b124e7', '2026-11-29T23:54:02.663049Z');
INSERT INTO vault_owners VALUES ('tenant', 'acme', '49964073ca63d34d1a6a089a8e9ee3929e0f8ed56b37fccf26d4e42085982b93', '2026-11-29T23:54:02.677511Z');
INSERT INTO vault_owners VALUES ('user', 'ann', '6ba8ab5914a1448510ec89fe797d697a1c4abbb0e8334d873438f51b7f05702b', '2026-11-29T23:54:02.680268Z');
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
INSERT INTO secrets VALUES ('cd197749-9aa4-4810-a11c-a7adee41fc7e', 'system', 'default', 'openai', 'vf2.6b9ea3a9.gAAAAABrDLsaXG7kBbDlna9CTLi8xyZjcu2ytO0y2NrHko9aRGyZmJKUkuf_tYUnKpSIym0FR08EeG0xxY51xK_v9lHRQ4m2yK7c12qC9D8JbJv5APmVyKzOxmdcXDyGaN_HX-SppnFFloRlVg2mstUrmAZdGgsEV__75R_8kc5qEoYORPV9jfgQ9HUhsiYyl2qJ1LLgXZBOg8_wKDF4U5I-rYtfixQIJfMXLTNN24JFg6zeeFs4NEyN63UFF0jSfB4Anj69sPHz', '6b9ea3a9', NULL, 1, '20ca23137bc37285', 'ENAI', 'unknown', NULL, NULL, NULL, '2026-11-29T23:54:02.427140Z', '2026-11-29T23:54:02.427140Z', 'https://api.openai.com', '2026-12-01T02:02:53.342010Z', NULL);
INSERT INTO secrets VALUES ('908ef3fe-c323-45ec-abe3-859b82423c39', 'system', 'default', 'anthropic', 'vf2.6b9ea3a9.gAAAAABrDLsa2LaA1Pkkbd-9d6epY2ItGAUk3CHsRSvVaJnT4IYuc1q3zxiE8oHSXnucZL4sBxlJQj84PsqHPXQzrH_76NevAoEKA5ItlOiotxnD2J8CAtBwEo-XunhBSYrtgixWGerI42vXEeBZHALdVechifo-48NgXGNLQTLfffFcARvzVRPU-VWnwkEtkZHLYHseqiPvxWfiqZ_-f0kuOfe6McUKFzOCk0KXnclsOj7lVWjPhopca5_qtQg-GqkLfw4SsBw4', '6b9ea3a9', NULL, 1, '269558623bf299ca', 'ANTH', 'unknown', NULL, NULL, NULL, '2026-11-29T23:54:02.432183Z', '2026-11-29T23:54:02.432183Z', 'https://api.anthropic.com', '2026-12-01T01:54:19.253200Z', NULL);
INSERT INTO secrets VALUES ('7ee61b6a-04f8-42f3-96c7-9e00dce50cd2', 'camera', '95589c13-711a-4540-8cf0-99a5b164541b', 'password', 'vf2.6b9ea3a9.gAAAAABrDLsaJHuWmTr00ICHQeCYFrCFs4ZlOLlMb6tmZs7kbCkpCfe2DAKUU0V0M4nSwtiKyOyJuAjDJk5Z4rypPgkkJj_CyAaIvKf1NX5dDh53uCZrTXfd83V3G8-BCDxmRC1ogKEmgPHBYpbvklvAb348o4dh6FEZMi287oEo8G_ImtTBca8t8Y4hOuAKzPGqk6PfgY3ZLcCojlXnWRmwvqhZVUgmLTqGNNsuYb4Wf1aP3BhBmwOIN9mCU4KY8gzPBi9zABC0', '6b9ea3a9', NULL, 1, '73f096b7dbbd1916', '6789', 'unknown', NULL, NULL, '2099-01-31T00:00:00.000000Z', '2026-11-29T23:54:02.613162Z', '2026-11-29T23:54:02.613162Z', NULL, NULL, NULL);
INSERT INTO secrets VALUES ('ddcef9fe-1493-4db7-a181-961159831777', 'alert_rule', 'acb73f0d-7574-4b88-adcd-db804c0d8ca5', 'header:x-token', 'vf2.6b9ea3a9.gAAAAABrDLsa90wfNPofOCa5ojoh1a--HpyLYqbiihiNOCQ1NwI022TNM1TfbSxjSFT3iTpuRHmEflO8ozIsnA2ouvu_wyEPs5RlsCQXmiC29YVkdGmEJDDPpYPK1SCYKyD-HqezmM7RSlxt650LAqqWrtsPMsOwSlBGBC1E_CUzs5dj1Xk_Spf0s103rqXkB2SJ5Vv-HVBcnl8-QhipHnew43AjLwUOykEcjvBXWokwfmJs9N2GVdIDB8ic-PNG8EeyKApXS2sv', '6b9ea3a9', NULL, 1, '4e591ea7b9635625', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29T23:54:02.642015Z', '2026-11-29T23:54:02.642015Z', NULL, NULL, NULL);
INSERT INTO secrets VALUES ('f0b23f52-5979-4ae9-8d67-5b3d89a0a404', 'server', 'guild', 'openai', 'vf2.6b9ea3a9.gAAAAABrDLsaGoYrfdnwxVgD51Sebrdqw7Xu5sQz-a8866hS_VghGZgtLRWz2fvfac7f6glnA6EeNUHaoQbS3pMPxCXt-YYtjbPPWaayxzHgQqjW-AHHYV7aGgtIyFbczkzBobFSPuYQC_K7ic5aC0ZdhiZZX5M_5YfTDJWj8t04xy-x_rr_zIUSHHbovJCnk8TM8HBTbDzDQoZjOXafob_OXYH8d9IXsoPACDNPuD-xH4vbdOkIr4dSfHShkYptHc6BHWg3VlrK', '6b9ea3a9', NULL, 1, '951d242ab93373ea', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29T23:54:02.663490Z', '2026-11-29T23:54:02.663490Z', 'https://api.openai.com', '2026-11-30T21:32:23.339212Z', NULL);
INSERT INTO secrets VALUES ('ca3cf2ea-2ea2-46db-9963-dd2e43aec132', 'tenant', 'acme', 'openai', 'vf2.6b9ea3a9.gAAAAABrDLsah2Unjy3EsVirC6nEPdOl3wPutIv_O6D7yInNoJGtHPyGfBKDX3UsWHQ0Sh0_CzCgfBt8C4mpfF5Rp4YZyarcfIYSES3YpKQ86i3SeyJmtYJfX7TN5FOtCzqErLZkhpjZMvnuVd2cYGWj1SnIGcoAazlMfsIv7MqqhVbeWPiq2TaT2xyFn9gQ8bvNFTnmX80nan4sGvkru6uk5_D1Ht9WLq94rj_z1ksFUgcMHkyJ2mlg1cowCn8_kdWstb-Ms45e', '6b9ea3a9', NULL, 1, '1353e08d54efc896', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29T23:54:02.678894Z', '2026-11-29T23:54:02.678894Z', 'https://api.openai.com', '2026-11-30T23:55:09.404761Z', NULL);
INSERT INTO secrets VALUES ('7862a264-5e24-4471-8d2d-a2ad92016ca7', 'user', 'ann', 'openai', 'vf2.6b9ea3a9.gAAAAABrDLsazIl7ICIZv-CjJEMjtzqj-WRO17D2lMFZUfj8mEnzxJpNRYuuhc0SjpXsqociqLE67cN3MK0qQT73ns8ynpO--O-JNnGAK3dC06m1I9f0lKcMn7qBS0JW18Lt9R_JxCxjz3EJYV72VGzPw4biu67Q2-6iz_59XQBgv1inseBZRNVsaAlQQeKQIuEKavtugbYyEH-lkRiucYoJW4w-f-ulE2HY9Ct_KpV7XOWp6FLyiMpBciRnfxkJCFqRAcIS0JIO', '6b9ea3a9', NULL, 1, '25d7d7e6ac0ff7d0', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29T23:54:02.680503Z', '2026-11-29T23:54:02.680503Z', 'https://api.openai.com', '2026-11-30T22:33:56.687184Z', NULL);
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
INSERT INTO audit_entries VALUES (1, '847fe984cd5605b8-4aa98805443fde09', 1, '2026-11-29T23:54:02.431672Z', 'cli', 'vm', 'set', 'system', 'default', 'openai', '20ca23137bc37285', 'ok', NULL, 1, '0000000000000000000000000000000000000000000000000000000000000000', '170e7566d13eecf37f80049d491a3fb73c28f8fd80206628a788b7c99a8be96d');
INSERT INTO audit_entries VALUES (2, '847fe984cd5605b8-4aa98805443fde09', 2, '2026-11-29T23:54:02.433391Z', 'cli', 'vm', 'set', 'system', 'default', 'anthropic', '269558623bf299ca', 'ok', NULL, 1, '170e7566d13eecf37f80049d491a3fb73c28f8fd80206628a788b7c99a8be96d', 'ded4980547300020a5b4e6ed9c253558f35c449bd7b7872ab0d5e2cadb788f62');
INSERT INTO audit_entries VALUES (3, '847fe984cd5605b8-4aa98805443fde09', 3, '2026-11-29T23:54:02.617051Z', 'launch-token', 'vm', 'set', 'camera', '95589c13-711a-4540-8cf0-99a5b164541b', 'password', '73f096b7dbbd1916', 'ok', NULL, 1, 'ded4980547300020a5b4e6ed9c253558f35c449bd7b7872ab0d5e2cadb788f62', '230e9013b59ec8174ded1d0a5a4614e5f2c46e98cd7156a809fbdb5427aa94ec');
INSERT INTO audit_entries VALUES (4, '847fe984cd5605b8-4aa98805443fde09', 4, '2026-11-29T23:54:02.644080Z', 'launch-token', 'vm', 'set', 'alert_rule', 'acb73f0d-7574-4b88-adcd-db804c0d8ca5', 'header:x-token', '4e591ea7b9635625', 'ok', NULL, 1, '230e9013b59ec8174ded1d0a5a4614e5f2c46e98cd7156a809fbdb5427aa94ec', '0eedd5a3eac371a5f932f2c5d564fddd4a54ba585fc4321caaa9ad7e5b5bb27b');
INSERT INTO audit_entries VALUES (5, '847fe984cd5605b8-4aa98805443fde09', 5, '2026-11-29T23:54:02.664475Z', 'launch-token', 'vm', 'set', 'server', 'guild', 'openai', '951d242ab93373ea', 'ok', NULL, 1, '0eedd5a3eac371a5f932f2c5d564fddd4a54ba585fc4321caaa9ad7e5b5bb27b', '86cc2922a82acef4f9ee2955bc98d19bb5ade8a1271c6397c072f2d4f04873a8');
INSERT INTO audit_entries VALUES (6, '847fe984cd5605b8-4aa98805443fde09', 6, '2026-11-29T23:54:02.679992Z', 'launch-token', 'vm', 'set', 'tenant', 'acme', 'openai', '1353e08d54efc896', 'ok', NULL, 1, '86cc2922a82acef4f9ee2955bc98d19bb5ade8a1271c6397c072f2d4f04873a8', 'e583671f669436358ebc4a01b781773942fd0ceacdc88063ddb2325521d321bc');
INSERT INTO audit_entries VALUES (7, '847fe984cd5605b8-4aa98805443fde09', 7, '2026-11-29T23:54:02.681402Z', 'launch-token', 'vm', 'set', 'user', 'ann', 'openai', '25d7d7e6ac0ff7d0', 'ok', NULL, 1, 'e583671f669436358ebc4a01b781773942fd0ceacdc88063ddb2325521d321bc', '9a9526cfc6208a5774ce6597f962b24f7ede38583022387ae5ce5a0b6ea2a88c');
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
INSERT INTO chat_servers VALUES ('guild', 'openai', 'public', 'manual_digital', 'digital_sheet', '2026-11-29T23:54:02.658390Z', '2026-11-29T23:54:02.661869Z');
CREATE TABLE tenants (
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	tier TEXT NOT NULL, 
	trial_limit INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	updated_at TEXT NOT NULL, trial_tokens INTEGER DEFAULT '200000' NOT NULL, 
	CONSTRAINT pk_tenants PRIMARY KEY (id)
);
INSERT INTO tenants VALUES ('acme', 'Acme ''n'' Söhne', 'trial', 100, '2026-11-29T23:54:02.588846Z', '2026-11-29T23:54:02.588846Z', 200000);
CREATE TABLE trial_calls (
	tenant_id TEXT NOT NULL, 
	day TEXT NOT NULL, 
	calls INTEGER NOT NULL, tokens BIGINT DEFAULT '0' NOT NULL, 
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
INSERT INTO cameras VALUES ('95589c13-711a-4540-8cf0-99a5b164541b', 'Door', 'http://127.0.0.1:1/stream', 'admin', 1, '2026-11-29T23:54:02.608462Z', '2026-11-29T23:54:02.608462Z');
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
INSERT INTO alert_rules VALUES ('acb73f0d-7574-4b88-adcd-db804c0d8ca5', 'Rule', 1, 'https://hooks.example.com/x', '["X-Token"]', 1, '2026-11-29T23:54:02.640226Z', '2026-11-29T23:54:02.640226Z');
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
INSERT INTO tasks VALUES ('cb9e4904-78bf-4d9f-be96-80ad91947de0', 'Replace the pump', 'Größe 40
  ''quoted''', 'In Progress', 1, 'High', 0, '4091c9be-8596-4a28-9761-ca6ffbe555ed', NULL, '', 'replace the pumpAAgrösse 40
  ''quoted''AAAA', '2026-11-29T23:54:02.474156Z', -1795996442474156, '2026-11-29T23:54:02.519394Z', -1795996442519394, NULL);
INSERT INTO tasks VALUES ('0d036571-d3d5-4b50-b5d3-e25b8e00249c', 'Wait for parts', NULL, 'Blocked', 2, 'Low', 2, '4091c9be-8596-4a28-9761-ca6ffbe555ed', '0042', 'Carrier', 'wait for partsAAAA0042AA', '2026-11-29T23:54:02.524663Z', -1795996442524663, '2026-11-29T23:54:02.550495Z', -1795996442550495, '2026-11-29T23:54:02.524663Z');
INSERT INTO tasks VALUES ('8e52c1ce-b000-43de-a0a5-888152889f19', 'Done with it', NULL, 'Done', 3, 'Medium', 1, '4091c9be-8596-4a28-9761-ca6ffbe555ed', NULL, '', 'done with itAAAAAA', '2026-11-29T23:54:02.555266Z', -1795996442555266, '2026-11-29T23:54:02.580622Z', -1795996442580622, NULL);
CREATE TABLE task_grams (
	number INTEGER NOT NULL, 
	task_id VARCHAR(36) NOT NULL, 
	grams TEXT NOT NULL, 
	CONSTRAINT pk_task_grams PRIMARY KEY (number), 
	CONSTRAINT fk_task_grams_task_id_tasks FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
INSERT INTO task_grams VALUES (1, 'cb9e4904-78bf-4d9f-be96-80ad91947de0', 'replace the pumpAAgrösse 40
  ''quoted''AAAA');
INSERT INTO task_grams VALUES (2, '0d036571-d3d5-4b50-b5d3-e25b8e00249c', 'wait for partsAAAA0042AA');
INSERT INTO task_grams VALUES (3, '8e52c1ce-b000-43de-a0a5-888152889f19', 'done with itAAAAAA');
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
INSERT INTO sub_tasks VALUES ('c962d5a3-8aae-41a8-943a-789896f467e0', 'cb9e4904-78bf-4d9f-be96-80ad91947de0', 'Drain', 0, 0, '2026-11-29T23:54:02.487659Z');
INSERT INTO sub_tasks VALUES ('53606d3e-426f-461e-992a-c4cc8539ea38', 'cb9e4904-78bf-4d9f-be96-80ad91947de0', 'Fit', 0, 1, '2026-11-29T23:54:02.498626Z');
INSERT INTO sub_tasks VALUES ('b4f4bc14-3d2b-4bdb-b8ec-756f39fe5d03', 'cb9e4904-78bf-4d9f-be96-80ad91947de0', 'Test', 0, 2, '2026-11-29T23:54:02.505451Z');
INSERT INTO sub_tasks VALUES ('a03dcee2-4d62-4308-8268-9d1b1ec0b7fb', '0d036571-d3d5-4b50-b5d3-e25b8e00249c', 'Drain', 0, 0, '2026-11-29T23:54:02.529607Z');
INSERT INTO sub_tasks VALUES ('cd01ebf0-827e-483e-b479-cf74643bf727', '0d036571-d3d5-4b50-b5d3-e25b8e00249c', 'Fit', 0, 1, '2026-11-29T23:54:02.534278Z');
INSERT INTO sub_tasks VALUES ('ed130a14-977c-4503-aaa6-ecb7fe85e853', '0d036571-d3d5-4b50-b5d3-e25b8e00249c', 'Test', 0, 2, '2026-11-29T23:54:02.539040Z');
INSERT INTO sub_tasks VALUES ('6d1f7079-7275-4d46-82cd-fa01f5f6ca7a', '8e52c1ce-b000-43de-a0a5-888152889f19', 'Drain', 0, 0, '2026-11-29T23:54:02.560056Z');
INSERT INTO sub_tasks VALUES ('11935776-72a0-4807-8bd4-5811c8842939', '8e52c1ce-b000-43de-a0a5-888152889f19', 'Fit', 0, 1, '2026-11-29T23:54:02.565053Z');
INSERT INTO sub_tasks VALUES ('9b5ea691-f0b7-4ed3-835e-9d519b73ec68', '8e52c1ce-b000-43de-a0a5-888152889f19', 'Test', 0, 2, '2026-11-29T23:54:02.569434Z');
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
INSERT INTO daily_updates VALUES ('7406fa57-0a51-4f30-b590-d9dbafeaa153', 'cb9e4904-78bf-4d9f-be96-80ad91947de0', '322f5606-9678-4219-8b5b-659bfdbc5b1f', 'Drained today.', 0, '2026-11-29T23:54:02.512186Z', '2026-11-29T23:54:02.512186Z');
INSERT INTO daily_updates VALUES ('e14be8d0-4d5c-4335-b058-27cefb9d74de', 'cb9e4904-78bf-4d9f-be96-80ad91947de0', '322f5606-9678-4219-8b5b-659bfdbc5b1f', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-29T23:54:02.519394Z', '2026-11-29T23:54:02.519394Z');
INSERT INTO daily_updates VALUES ('a8bb37ba-f53f-4e11-9661-ae31e5a6904e', '0d036571-d3d5-4b50-b5d3-e25b8e00249c', '322f5606-9678-4219-8b5b-659bfdbc5b1f', 'Drained today.', 0, '2026-11-29T23:54:02.544276Z', '2026-11-29T23:54:02.544276Z');
INSERT INTO daily_updates VALUES ('38b4ef98-d163-4996-a43e-463b2a15b4f0', '0d036571-d3d5-4b50-b5d3-e25b8e00249c', '322f5606-9678-4219-8b5b-659bfdbc5b1f', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-29T23:54:02.550495Z', '2026-11-29T23:54:02.550495Z');
INSERT INTO daily_updates VALUES ('4e64cbba-d68e-49a2-a858-c0fcfee0eefa', '8e52c1ce-b000-43de-a0a5-888152889f19', '322f5606-9678-4219-8b5b-659bfdbc5b1f', 'Drained today.', 0, '2026-11-29T23:54:02.574516Z', '2026-11-29T23:54:02.574516Z');
INSERT INTO daily_updates VALUES ('1facc9ea-b96b-4088-a2e9-f79e8ab360da', '8e52c1ce-b000-43de-a0a5-888152889f19', '322f5606-9678-4219-8b5b-659bfdbc5b1f', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-29T23:54:02.580622Z', '2026-11-29T23:54:02.580622Z');
CREATE TABLE changes (
	id INTEGER NOT NULL, 
	number BIGINT, 
	resource TEXT NOT NULL, 
	resource_id TEXT NOT NULL, 
	change TEXT NOT NULL, 
	at TEXT NOT NULL, 
	CONSTRAINT pk_changes PRIMARY KEY (id)
);
INSERT INTO changes VALUES (1, 1, 'member', '4091c9be-8596-4a28-9761-ca6ffbe555ed', 'created', '2026-11-29T23:54:01.770452Z');
INSERT INTO changes VALUES (2, 2, 'member', 'd5b1ef57-6060-416a-90ea-8a6404e1e78f', 'created', '2026-11-29T23:54:01.792336Z');
INSERT INTO changes VALUES (3, 3, 'member', '322f5606-9678-4219-8b5b-659bfdbc5b1f', 'created', '2026-11-29T23:54:01.801159Z');
INSERT INTO changes VALUES (4, 4, 'task', 'cb9e4904-78bf-4d9f-be96-80ad91947de0', 'created', '2026-11-29T23:54:02.477521Z');
INSERT INTO changes VALUES (5, 5, 'sub_task', 'c962d5a3-8aae-41a8-943a-789896f467e0', 'created', '2026-11-29T23:54:02.490152Z');
INSERT INTO changes VALUES (6, 6, 'task', 'cb9e4904-78bf-4d9f-be96-80ad91947de0', 'updated', '2026-11-29T23:54:02.491911Z');
INSERT INTO changes VALUES (7, 7, 'sub_task', '53606d3e-426f-461e-992a-c4cc8539ea38', 'created', '2026-11-29T23:54:02.499084Z');
INSERT INTO changes VALUES (8, 8, 'task', 'cb9e4904-78bf-4d9f-be96-80ad91947de0', 'updated', '2026-11-29T23:54:02.499747Z');
INSERT INTO changes VALUES (9, 9, 'sub_task', 'b4f4bc14-3d2b-4bdb-b8ec-756f39fe5d03', 'created', '2026-11-29T23:54:02.505854Z');
INSERT INTO changes VALUES (10, 10, 'task', 'cb9e4904-78bf-4d9f-be96-80ad91947de0', 'updated', '2026-11-29T23:54:02.506459Z');
INSERT INTO changes VALUES (11, 11, 'daily_update', '7406fa57-0a51-4f30-b590-d9dbafeaa153', 'created', '2026-11-29T23:54:02.513256Z');
INSERT INTO changes VALUES (12, 12, 'task', 'cb9e4904-78bf-4d9f-be96-80ad91947de0', 'updated', '2026-11-29T23:54:02.514404Z');
INSERT INTO changes VALUES (13, 13, 'daily_update', 'e14be8d0-4d5c-4335-b058-27cefb9d74de', 'created', '2026-11-29T23:54:02.519660Z');
INSERT INTO changes VALUES (14, 14, 'task', 'cb9e4904-78bf-4d9f-be96-80ad91947de0', 'updated', '2026-11-29T23:54:02.520446Z');
INSERT INTO changes VALUES (15, 15, 'task', '0d036571-d3d5-4b50-b5d3-e25b8e00249c', 'created', '2026-11-29T23:54:02.525621Z');
INSERT INTO changes VALUES (16, 16, 'sub_task', 'a03dcee2-4d62-4308-8268-9d1b1ec0b7fb', 'created', '2026-11-29T23:54:02.530082Z');
INSERT INTO changes VALUES (17, 17, 'task', '0d036571-d3d5-4b50-b5d3-e25b8e00249c', 'updated', '2026-11-29T23:54:02.530689Z');
INSERT INTO changes VALUES (18, 18, 'sub_task', 'cd01ebf0-827e-483e-b479-cf74643bf727', 'created', '2026-11-29T23:54:02.534810Z');
INSERT INTO changes VALUES (19, 19, 'task', '0d036571-d3d5-4b50-b5d3-e25b8e00249c', 'updated', '2026-11-29T23:54:02.535389Z');
INSERT INTO changes VALUES (20, 20, 'sub_task', 'ed130a14-977c-4503-aaa6-ecb7fe85e853', 'created', '2026-11-29T23:54:02.539405Z');
INSERT INTO changes VALUES (21, 21, 'task', '0d036571-d3d5-4b50-b5d3-e25b8e00249c', 'updated', '2026-11-29T23:54:02.540150Z');
INSERT INTO changes VALUES (22, 22, 'daily_update', 'a8bb37ba-f53f-4e11-9661-ae31e5a6904e', 'created', '2026-11-29T23:54:02.544488Z');
INSERT INTO changes VALUES (23, 23, 'task', '0d036571-d3d5-4b50-b5d3-e25b8e00249c', 'updated', '2026-11-29T23:54:02.545489Z');
INSERT INTO changes VALUES (24, 24, 'daily_update', '38b4ef98-d163-4996-a43e-463b2a15b4f0', 'created', '2026-11-29T23:54:02.550715Z');
INSERT INTO changes VALUES (25, 25, 'task', '0d036571-d3d5-4b50-b5d3-e25b8e00249c', 'updated', '2026-11-29T23:54:02.551530Z');
INSERT INTO changes VALUES (26, 26, 'task', '8e52c1ce-b000-43de-a0a5-888152889f19', 'created', '2026-11-29T23:54:02.555796Z');
INSERT INTO changes VALUES (27, 27, 'sub_task', '6d1f7079-7275-4d46-82cd-fa01f5f6ca7a', 'created', '2026-11-29T23:54:02.560424Z');
INSERT INTO changes VALUES (28, 28, 'task', '8e52c1ce-b000-43de-a0a5-888152889f19', 'updated', '2026-11-29T23:54:02.561024Z');
INSERT INTO changes VALUES (29, 29, 'sub_task', '11935776-72a0-4807-8bd4-5811c8842939', 'created', '2026-11-29T23:54:02.565403Z');
INSERT INTO changes VALUES (30, 30, 'task', '8e52c1ce-b000-43de-a0a5-888152889f19', 'updated', '2026-11-29T23:54:02.565955Z');
INSERT INTO changes VALUES (31, 31, 'sub_task', '9b5ea691-f0b7-4ed3-835e-9d519b73ec68', 'created', '2026-11-29T23:54:02.569902Z');
INSERT INTO changes VALUES (32, 32, 'task', '8e52c1ce-b000-43de-a0a5-888152889f19', 'updated', '2026-11-29T23:54:02.570448Z');
INSERT INTO changes VALUES (33, 33, 'daily_update', '4e64cbba-d68e-49a2-a858-c0fcfee0eefa', 'created', '2026-11-29T23:54:02.574999Z');
INSERT INTO changes VALUES (34, 34, 'task', '8e52c1ce-b000-43de-a0a5-888152889f19', 'updated', '2026-11-29T23:54:02.575744Z');
INSERT INTO changes VALUES (35, 35, 'daily_update', '1facc9ea-b96b-4088-a2e9-f79e8ab360da', 'created', '2026-11-29T23:54:02.581062Z');
INSERT INTO changes VALUES (36, 36, 'task', '8e52c1ce-b000-43de-a0a5-888152889f19', 'updated', '2026-11-29T23:54:02.581836Z');
INSERT INTO changes VALUES (37, 37, 'member', '322f5606-9678-4219-8b5b-659bfdbc5b1f', 'updated', '2026-11-29T23:54:02.699890Z');
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
INSERT INTO task_counts VALUES (1, 1, 0, '4091c9be-8596-4a28-9761-ca6ffbe555ed', 1);
INSERT INTO task_counts VALUES (2, 2, 2, '4091c9be-8596-4a28-9761-ca6ffbe555ed', 1);
INSERT INTO task_counts VALUES (3, 3, 1, '4091c9be-8596-4a28-9761-ca6ffbe555ed', 1);
CREATE TABLE vault_manifest (
	path TEXT NOT NULL, 
	content TEXT NOT NULL, 
	CONSTRAINT pk_vault_manifest PRIMARY KEY (path)
);
INSERT INTO vault_manifest VALUES ('mac', '96a18d567b6ccb1842787bc5c5efdd5e472f01af9d09ecfe8e319c7428c6f3b1');
INSERT INTO vault_manifest VALUES ('root', '{"heads":{"847fe984cd5605b8-4aa98805443fde09":[7,"9a9526cfc6208a5774ce6597f962b24f7ede38583022387ae5ce5a0b6ea2a88c"]},"keys":{"6b9ea3a9":"active"},"kid":"6b9ea3a9","legacy":false,"number":8,"top":"2dccee46e750f48613a4ecdd72d83d9d021c7cf1021f325cf9f69e4309a57d10","wraps":{"6b9ea3a9:4aa98805443fde09":"428272118a883b25602634dcdfd9695d"}}');
INSERT INTO vault_manifest VALUES ('', '{"2":"8a55afc7cee0cebc84f63270bf1b4ef591e3e6e00ab475add7bf365d89184464","7":"0af25ee704a817d55a7963d4b6716104f555382503a649617e8ae5f7fc096196","9":"d3280d75c975d0d9356dcaf3226e4db3520e2030ee6cee248ba7183180f0df73","a":"5291b1db75a6d3807d846bf80a5c2df79f3a2a85e18e5f620a4c482b745928d0","d":"b13a0c1fba59529260dbe3daeaa79b4898fff534b132e5b13962fef9b40d1fd2","e":"6677d9dce5c082f364db291ad3c42bf135d89efb971a19e654f10296bf9d4385"}');
INSERT INTO vault_manifest VALUES ('a', '{"0":"8cec77088a88538d8198830b7fd7b4aa8c7ea5c59cb0fa8a5041d35cede95d86","b":"e42b18b4f69d5f3bdd9f156c1dde335cdcd239d4234ee3137aa83faea8373d36","d":"ecfa3e1c73341d3cb61eef90793bd94980abf6e5158a91d9a18750cb7b284f79"}');
INSERT INTO vault_manifest VALUES ('ad', '{"4":"92f056e2a61bdfbcfd89bb236a36bbe0df62efe22cb94775dd887f8af14b4d72"}');
INSERT INTO vault_manifest VALUES ('ad4', '{"ad44137251c07a44ed2a40c9162fe02a":{"is":["cd197749-9aa4-4810-a11c-a7adee41fc7e",1,"unknown"],"of":["secret","system","default","openai"]}}');
INSERT INTO vault_manifest VALUES ('d', '{"3":"75b97b1264b397c92dd378b69af45aa9008a2f5f7684352cb781a8721c8661d1"}');
INSERT INTO vault_manifest VALUES ('d3', '{"6":"855ef2672f97b2a91fc1c6ff4dbea63adf8b968bc6bf9b7e75e45f05d5b3e5eb"}');
INSERT INTO vault_manifest VALUES ('d36', '{"d36e9c52c04cf0310707745747609507":{"is":["908ef3fe-c323-45ec-abe3-859b82423c39",1,"unknown"],"of":["secret","system","default","anthropic"]}}');
INSERT INTO vault_manifest VALUES ('a0', '{"6":"d6274723df0afd6d648777064c8b8f5ade8acc3185da6c8af580f6ea4a91064c"}');
INSERT INTO vault_manifest VALUES ('a06', '{"a067b4143bca3eec246a2e82e14c5903":{"is":["trial",100,200000],"of":["tenant","acme"]}}');
INSERT INTO vault_manifest VALUES ('7', '{"b":"e56e1307248a490d2dcc554fd329404bf337bc1dad12c259dc0e5d5ad1b0fa6f"}');
INSERT INTO vault_manifest VALUES ('7b', '{"1":"a694a85adef6a84be216769fca359bedfb305b2bb640a5a28e816455c0ce5559"}');
INSERT INTO vault_manifest VALUES ('7b1', '{"7b194432f6d0133a95bf89369d76e54a":{"is":["7ee61b6a-04f8-42f3-96c7-9e00dce50cd2",1,"unknown"],"of":["secret","camera","95589c13-711a-4540-8cf0-99a5b164541b","password"]}}');
INSERT INTO vault_manifest VALUES ('e', '{"9":"d0bb81833310d2567819a664631ce56a8ec1caa07783e91606c881f4c80725ba"}');
INSERT INTO vault_manifest VALUES ('e9', '{"9":"2c1ee4fc2a1230b50c99773d0c3c21625f93c161e76a5426a79e5c7fe1530180"}');
INSERT INTO vault_manifest VALUES ('e99', '{"e99ef9aaa820c0f459e6944b46a34fce":{"is":["ddcef9fe-1493-4db7-a181-961159831777",1,"unknown"],"of":["secret","alert_rule","acb73f0d-7574-4b88-adcd-db804c0d8ca5","header:x-token"]}}');
INSERT INTO vault_manifest VALUES ('ab', '{"e":"bf358475cfebff49343ede56daac5aa8a7978dc194e3b2359ce9d70b9e1f3c46"}');
INSERT INTO vault_manifest VALUES ('abe', '{"abe03a495b7146c020b17e45de6ec6fc":{"is":["f0b23f52-5979-4ae9-8d67-5b3d89a0a404",1,"unknown"],"of":["secret","server","guild","openai"]}}');
INSERT INTO vault_manifest VALUES ('2', '{"4":"759e96e5dc26298310c02dbacf1a6529b46c25371553610b683163ba7f31b5a9"}');
INSERT INTO vault_manifest VALUES ('24', '{"9":"7573a412072bfa512f4aa8d04767074ffc0f51909169d76dfca92621c6f21269"}');
INSERT INTO vault_manifest VALUES ('249', '{"2494692a9abdfe5027349a25da94ee7b":{"is":["7862a264-5e24-4471-8d2d-a2ad92016ca7",1,"unknown"],"of":["secret","user","ann","openai"]}}');
INSERT INTO vault_manifest VALUES ('9', '{"0":"303f5dbfd98cd02fab461bd28d132b036799192fa83525644888a81c1e416b5c"}');
INSERT INTO vault_manifest VALUES ('90', '{"0":"a9e6779883b7cb1d0879ba3c2044a3d2030de49cf53ba7580c9942ddca7e4bf0"}');
INSERT INTO vault_manifest VALUES ('900', '{"9006805dbec73646d3ba1cd0bf7e60b9":{"is":["ca3cf2ea-2ea2-46db-9963-dd2e43aec132",1,"unknown"],"of":["secret","tenant","acme","openai"]}}');
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
