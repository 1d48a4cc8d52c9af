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
INSERT INTO members VALUES ('2e682977-725d-4ce8-b762-cbfe115dcfdb', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', 1, '2026-11-29T23:45:32.116097Z', '2026-11-29T23:45:32.116097Z');
INSERT INTO members VALUES ('96ae6993-05d7-421b-a2fd-a50fc9168141', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', 1, '2026-11-29T23:45:32.145252Z', '2026-11-29T23:45:32.145252Z');
INSERT INTO members VALUES ('61f717bc-56f6-4782-9447-4e25e3e57497', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', 0, '2026-11-29T23:45:32.167857Z', '2026-11-29T23:45:33.357444Z');
CREATE TABLE vaults (
	id INTEGER NOT NULL, 
	vault_id VARCHAR(36) NOT NULL, 
	epoch INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vaults PRIMARY KEY (id)
);
INSERT INTO vaults VALUES (1, 'e00f80e2-63dd-41ec-acdf-ae682e740aad', 1, '2026-11-29T23:45:32.370754Z');
CREATE TABLE vault_keys (
	kid TEXT NOT NULL, 
	state TEXT NOT NULL, 
	fingerprint_key TEXT NOT NULL, 
	created_at TEXT NOT NULL, format TEXT DEFAULT 'vf1' NOT NULL, 
	CONSTRAINT pk_vault_keys PRIMARY KEY (kid)
);
INSERT INTO vault_keys VALUES ('cd05b7e8', 'active', 'vf1.cd05b7e8.gAAAAABrDLkctOWsdN6I6Eqy5okSx0PLLpb9gYBz1sprlt6W5R5WqEcz54oLXTQouqw6LG9NEal0rRXlozlIz_6LCoUZjrqKsrjLF2K0kLjSiOPJ3BhHWc4Ounjn8Oyj3TFs7WqmfFkT', '2026-11-29T23:45:32.379873Z', 'vf2');
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
INSERT INTO vault_wraps VALUES ('cd05b7e8', '4aa98805443fde09', 'root', 'gAAAAABrDLkc5mLlcEicA3xhJAWeISe0W01seP7WpC-bKJQ81rCyrhXQgjN361FcNadV4CqOy9gA6nqoT9DSYmSJyYsildAE9AupHYneEmCRgd4BDPZ9WN-5j-my5rIybl0mg_Ry_pFN', NULL, '2026-11-29T23:45:32.381756Z');
CREATE TABLE vault_owners (
	owner_kind TEXT NOT NULL, 
	owner_id TEXT NOT NULL, 
	salt TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vault_owners PRIMARY KEY (owner_kind, owner_id)
);
INSERT INTO vault_owners VALUES ('system', 'default', 'b1dfc6078c1f436c60d4b5cb4015210f36e3dc34231e3f1df45e1499b6eb2640', '2026-11-29T23:45:33.067422Z');
INSERT INTO vault_owners VALUES ('camera', 'abada91d-6631-4b88-a82d-2c9699d6e450', '52855ea5d4af10ad94d42ee5c6f23c27d55847150040efa0758d8a4e420d0826', '2026-11-29T23:45:33.263428Z');
INSERT INTO vault_owners VALUES ('alert_rule', 'f59addcd-8483-4462-926a-32868cfdf582', 'c7afd7ad396dbae716968f0e1a291d58764b80b010f6fd88508f9c2274a84a34', '2026-11-29T23:45:33.294253Z');
INSERT INTO vault_owners VALUES ('server', 'guild', '6aa0c4848ff7a001b89bd4760e736317e04a5d3bcca8abd52f2668e86af48138', '2026-11-29T23:45:33.312604Z');
INSERT INTO vault_owners VALUES ('tenant', 'acme', 'b50e7356d0cedd4033e4fb7e2ca9bb5a9496dbf325862e001fd4e9ade93051ad', '2026-11-29T23:45:33.329134Z');
INSERT INTO vault_owners VALUES ('user', 'ann', '06a196d305c115c803d0bb57259ed76f377bc605b6bed7cda5962f99ed5db0ea', '2026-11-29T23:45:33.331174Z');
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
INSERT INTO secrets VALUES ('dcb512c1-5463-45ce-9e88-03428af41d5a', 'system', 'default', 'openai', 'vf2.cd05b7e8.gAAAAABrDLkdAQrMys5a40UIS-GZS0U8YGuZqgVJcEl-JYsKt78ZbiTrgfOhEcVn4Beii29cu6-Bi4OFU8oVtWSrzNp5257imTeLUDRqZ7OIQ22evyJsXt_CaqpWpujfvdjrRnfN1ftQzlpvSzTHuL3jAjmjv0JYWg7CKl1I49eZYYCrISo4hzAana_6OMWnszOpSzf4fmWa0PiR1G5AJ3KCNHwgHwLQBVNzt09EX1OmeUexM6idb-1DrLyMQ4B_mK-tqSL2kCzO', 'cd05b7e8', NULL, 1, '33a867b2ec8abbf7', 'ENAI', 'unknown', NULL, NULL, NULL, '2026-11-29T23:45:33.068296Z', '2026-11-29T23:45:33.068296Z', 'https://api.openai.com', '2026-12-01T01:58:40.985053Z', NULL);
INSERT INTO secrets VALUES ('a80f63d8-c1ee-4f40-9a6a-21350caf0619', 'system', 'default', 'anthropic', 'vf2.cd05b7e8.gAAAAABrDLkdaxkaiGocJb0sAVVxrJFX0RhyXYBNrDrsljymn05L77FT6PiVdWx8qMoWjcr88-IIG44gcbz7CTqOmitTOCdXNvMDySr-4IIPVUziDLzqP1O-1ciWRCd7-oYTP3m7E0-QdarMxBLVKyGDG8BWAT1erFkDqfYTuBy2Px5sjX6KKL9U-j7DLHSRIv6myeyDGrKv8kmIFcA01nsTpAhf1db6T2IqiXfWD5saCqflTtRJCCzK7QD4JU3Q7S3tUXTlu1b-', 'cd05b7e8', NULL, 1, 'ff847eec0e2480cf', 'ANTH', 'unknown', NULL, NULL, NULL, '2026-11-29T23:45:33.072678Z', '2026-11-29T23:45:33.072678Z', 'https://api.anthropic.com', '2026-12-01T01:19:01.678814Z', NULL);
INSERT INTO secrets VALUES ('09000414-366d-449c-bd0a-d4be5251c4a5', 'camera', 'abada91d-6631-4b88-a82d-2c9699d6e450', 'password', 'vf2.cd05b7e8.gAAAAABrDLkdn9ehigfSbIO16wySrSlpcnlWqHS8qm4EL1Qh9605Y6sWmaXtfxWLv-QcETbAk6w1b6R0-0lmOnY2SDjYXhBZZmNaVjpV2XQy8xokJCPwny5KFOwYeTGNGD3zdEOIfC6zEaNMxgBbyWyBS2kTdCCTI0Tb02WKBbAghUF5Is0E_YpqW3TKOmyPwxnt7T5P-bPWInvbZyg7MmI5LttdNlaEFeerFCyzBNp87A6JA_HCcESTHoYVFRCy7OOsCe3HlRp0', 'cd05b7e8', NULL, 1, '04a9be05e951756b', '6789', 'unknown', NULL, NULL, '2099-01-31T00:00:00.000000Z', '2026-11-29T23:45:33.263981Z', '2026-11-29T23:45:33.263981Z', NULL, NULL, NULL);
INSERT INTO secrets VALUES ('8dc11687-1ad5-4790-ac09-e9a666fe991f', 'alert_rule', 'f59addcd-8483-4462-926a-32868cfdf582', 'header:x-token', 'vf2.cd05b7e8.gAAAAABrDLkdiEh-iLUVceYGJwiyE7wbmp8bD9cRJle0B_wN9eqo7i4kYLc3nl1Qly3l_sIJZB_Ehu9tlXzIaofMfjA9KX30OsrdP-ixk-Dvkq2MO_ikjYBohPYVTiBZqZDjGG7rAW5wer4WJ8wH8kUEvvu-efUI9PDEFHbeWDKxTyvSclEf5La1DGfyBqD2b5hAWOCTVHjzmIHD0Wlzxd44a7Ycjg4Oo3YZj_9NgdVtG7_pLtzTN6O7scaFeTrokTzwK36K8WwL', 'cd05b7e8', NULL, 1, '8ddcbdeaed010ced', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29T23:45:33.294568Z', '2026-11-29T23:45:33.294568Z', NULL, NULL, NULL);
INSERT INTO secrets VALUES ('70a75da4-fd61-4547-8f52-9dfb6c25872e', 'server', 'guild', 'openai', 'vf2.cd05b7e8.gAAAAABrDLkdo2_3yktuzrhYQ1ZT6Zi4VnJ8OQ_PqEMCGDp4KGsXVqMWCzgbuV412lMMHlhUuSGNbgYNNEFYd113u6PiJ9Ibfjip8ngQLAnNmaczcFuayulD2RW45JGpYFW7C5tlwO3esLzYzc6kq551CYLv2RraxuoYdMsURTj8h0KMdw3tonOE7QTN__s9TS6UO5DXREzATylkTiLvdlhYkUDkiO8ijr5e3F2Fe2VOL6iVC9NlzdikhGulva_KVr_yyz9O8a6M', 'cd05b7e8', NULL, 1, 'e661e12c144a0c77', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29T23:45:33.313528Z', '2026-11-29T23:45:33.313528Z', 'https://api.openai.com', '2026-12-01T01:37:12.747648Z', NULL);
INSERT INTO secrets VALUES ('30329c77-4708-4a65-b0fd-fbb54853a298', 'tenant', 'acme', 'openai', 'vf2.cd05b7e8.gAAAAABrDLkdCByaV3zuKiDqKZzsNf1ED1AdSmYCMaBMHtCdGxvce2SzsKrrZ0bGt9wZpVfF9Iq8U_2w6jbgeQpSK5g17Yoc-tpg6R4JarqG01BJJUA_3i9s8wZPPpu3BxQiXv4jty2XALLFxNuQrhQy_Cot05KSYMgecGsPucPSZuf7G9VBGD-e4nJnLw2Omdf8Yc_AMT5hShgY22ROpq-BD8cWBjMIV7UPW4ttgiyUS27wCnfk_Frq1pk5XFtgAxMCjlMjfiGT', 'cd05b7e8', NULL, 1, '853a095b372be739', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29T23:45:33.329650Z', '2026-11-29T23:45:33.329650Z', 'https://api.openai.com', '2026-12-01T00:46:11.703417Z', NULL);
INSERT INTO secrets VALUES ('5c0a570e-1cb3-427a-a273-c815140fa294', 'user', 'ann', 'openai', 'vf2.cd05b7e8.gAAAAABrDLkdyYY4onDEXuJtNWk0wXf-J3UWpRHDr2tI8oG90nHQ228F7_2YR9Qbe2vcnpL1-VNH2SR3YWXC1UZ4FI6jhHcG2T11i6icOkL9TNJrIP6rjfqQnSV3UuELFkm0DQhF21cpz6bBBscpnsoDJfmTgycwLajzyokvFrvXSe8lpqg2wbaApNSc9gZ5C0HZXiXmzjZliMniylJlkMCKXvqbMVFuLbvaKucz5pQFx84l_tl38WoiOs112w_HmGewRUxSz1sS', 'cd05b7e8', NULL, 1, '415057e61c11ddf0', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29T23:45:33.331391Z', '2026-11-29T23:45:33.331391Z', 'https://api.openai.com', '2026-12-01T00:02:42.060803Z', NULL);
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
INSERT INTO audit_entries VALUES (1, 'b9462f5ebecac5ac-4aa98805443fde09', 1, '2026-11-29T23:45:33.071828Z', 'cli', 'vm', 'set', 'system', 'default', 'openai', '33a867b2ec8abbf7', 'ok', NULL, 1, '0000000000000000000000000000000000000000000000000000000000000000', '8a5e84e025cc7d3662eab078e815abe43d92b42d70fb5d2e49a98731d044e4e7');
INSERT INTO audit_entries VALUES (2, 'b9462f5ebecac5ac-4aa98805443fde09', 2, '2026-11-29T23:45:33.074408Z', 'cli', 'vm', 'set', 'system', 'default', 'anthropic', 'ff847eec0e2480cf', 'ok', NULL, 1, '8a5e84e025cc7d3662eab078e815abe43d92b42d70fb5d2e49a98731d044e4e7', '403467ce03326d5bdee7765af665498104ca0b29d7812f8cc8ccfdd248663bea');
INSERT INTO audit_entries VALUES (3, 'b9462f5ebecac5ac-4aa98805443fde09', 3, '2026-11-29T23:45:33.268100Z', 'launch-token', 'vm', 'set', 'camera', 'abada91d-6631-4b88-a82d-2c9699d6e450', 'password', '04a9be05e951756b', 'ok', NULL, 1, '403467ce03326d5bdee7765af665498104ca0b29d7812f8cc8ccfdd248663bea', '558c32d007d5765f877d0137114270afce3773bdab82664b0547187faa5fd8a0');
INSERT INTO audit_entries VALUES (4, 'b9462f5ebecac5ac-4aa98805443fde09', 4, '2026-11-29T23:45:33.295844Z', 'launch-token', 'vm', 'set', 'alert_rule', 'f59addcd-8483-4462-926a-32868cfdf582', 'header:x-token', '8ddcbdeaed010ced', 'ok', NULL, 1, '558c32d007d5765f877d0137114270afce3773bdab82664b0547187faa5fd8a0', '0fdb068c6347a2ed6af7fec8026b40c427516270e77c434c24f0a28024b87702');
INSERT INTO audit_entries VALUES (5, 'b9462f5ebecac5ac-4aa98805443fde09', 5, '2026-11-29T23:45:33.314980Z', 'launch-token', 'vm', 'set', 'server', 'guild', 'openai', 'e661e12c144a0c77', 'ok', NULL, 1, '0fdb068c6347a2ed6af7fec8026b40c427516270e77c434c24f0a28024b87702', 'b8c3711c38e1791cbfd6015869be9e66874d468f1cca32e6627ce7f21206de84');
INSERT INTO audit_entries VALUES (6, 'b9462f5ebecac5ac-4aa98805443fde09', 6, '2026-11-29T23:45:33.330871Z', 'launch-token', 'vm', 'set', 'tenant', 'acme', 'openai', '853a095b372be739', 'ok', NULL, 1, 'b8c3711c38e1791cbfd6015869be9e66874d468f1cca32e6627ce7f21206de84', '5e2342449829608d867b6d3758c6a22ff1ae2cd8e824072578b71f5618302724');
INSERT INTO audit_entries VALUES (7, 'b9462f5ebecac5ac-4aa98805443fde09', 7, '2026-11-29T23:45:33.333206Z', 'launch-token', 'vm', 'set', 'user', 'ann', 'openai', '415057e61c11ddf0', 'ok', NULL, 1, '5e2342449829608d867b6d3758c6a22ff1ae2cd8e824072578b71f5618302724', '34b57505f3780061c8f5525ba0682c6b0848eaf1f6003121b1f45ae3508a689a');
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
INSERT INTO chat_servers VALUES ('guild', 'openai', 'public', 'manual_digital', 'digital_sheet', '2026-11-29T23:45:33.310315Z', '2026-11-29T23:45:33.311519Z');
CREATE TABLE tenants (
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	tier TEXT NOT NULL, 
	trial_limit INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	updated_at TEXT NOT NULL, trial_tokens INTEGER DEFAULT '200000' NOT NULL, 
	CONSTRAINT pk_tenants PRIMARY KEY (id)
);
INSERT INTO tenants VALUES ('acme', 'Acme ''n'' Söhne', 'trial', 100, '2026-11-20T12:00:00.123456Z', '2026-11-20T12:00:00.123456Z', 200000);
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
INSERT INTO cameras VALUES ('abada91d-6631-4b88-a82d-2c9699d6e450', 'Door', 'http://127.0.0.1:1/stream', 'admin', 1, '2026-11-29T23:45:33.259519Z', '2026-11-29T23:45:33.259519Z');
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
INSERT INTO alert_rules VALUES ('f59addcd-8483-4462-926a-32868cfdf582', 'Rule', 1, 'https://hooks.example.com/x', '["X-Token"]', 1, '2026-11-29T23:45:33.293241Z', '2026-11-29T23:45:33.293241Z');
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
INSERT INTO tasks VALUES ('49dab749-0311-4ddb-8147-4b25a1781bba', 'Replace the pump', 'Größe 40
  ''quoted''', 'In Progress', 1, 'High', 0, '2e682977-725d-4ce8-b762-cbfe115dcfdb', NULL, '', 'replace the pumpAAgrösse 40
  ''quoted''AAAA', '2026-11-29T23:45:33.107999Z', -1795995933107999, '2026-11-29T23:45:33.158911Z', -1795995933158911, NULL);
INSERT INTO tasks VALUES ('2aa59425-5d5b-49f8-af4e-3a41c75bd38f', 'Wait for parts', NULL, 'Blocked', 2, 'Low', 2, '2e682977-725d-4ce8-b762-cbfe115dcfdb', '0042', 'Carrier', 'wait for partsAAAA0042AA', '2026-11-29T23:45:33.163463Z', -1795995933163463, '2026-11-29T23:45:33.205080Z', -1795995933205080, '2026-11-29T23:45:33.163463Z');
INSERT INTO tasks VALUES ('d5ba94ed-e3e3-44e2-92a7-1b19a212e76b', 'Done with it', NULL, 'Done', 3, 'Medium', 1, '2e682977-725d-4ce8-b762-cbfe115dcfdb', NULL, '', 'done with itAAAAAA', '2026-11-29T23:45:33.211868Z', -1795995933211868, '2026-11-29T23:45:33.248536Z', -1795995933248536, NULL);
CREATE TABLE task_grams (
	number INTEGER NOT NULL, 
	task_id VARCHAR(36) NOT NULL, 
	grams TEXT NOT NULL, 
	CONSTRAINT pk_task_grams PRIMARY KEY (number), 
	CONSTRAINT fk_task_grams_task_id_tasks FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
INSERT INTO task_grams VALUES (1, '49dab749-0311-4ddb-8147-4b25a1781bba', 'replace the pumpAAgrösse 40
  ''quoted''AAAA');
INSERT INTO task_grams VALUES (2, '2aa59425-5d5b-49f8-af4e-3a41c75bd38f', 'wait for partsAAAA0042AA');
INSERT INTO task_grams VALUES (3, 'd5ba94ed-e3e3-44e2-92a7-1b19a212e76b', 'done with itAAAAAA');
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
INSERT INTO sub_tasks VALUES ('db45a4f0-f021-4747-9e39-c285eece8d63', '49dab749-0311-4ddb-8147-4b25a1781bba', 'Drain', 0, 0, '2026-11-29T23:45:33.121654Z');
INSERT INTO sub_tasks VALUES ('00d92d10-366f-4252-8919-7d99a9ea81f9', '49dab749-0311-4ddb-8147-4b25a1781bba', 'Fit', 0, 1, '2026-11-29T23:45:33.132396Z');
INSERT INTO sub_tasks VALUES ('b5e9fba0-90a0-4a76-8bae-f53c797e6c81', '49dab749-0311-4ddb-8147-4b25a1781bba', 'Test', 0, 2, '2026-11-29T23:45:33.139710Z');
INSERT INTO sub_tasks VALUES ('adc90fa9-6206-4f74-b508-febe7a230ce7', '2aa59425-5d5b-49f8-af4e-3a41c75bd38f', 'Drain', 0, 0, '2026-11-29T23:45:33.168864Z');
INSERT INTO sub_tasks VALUES ('ecca0d01-ddc5-4ab2-9d55-f7703cadade9', '2aa59425-5d5b-49f8-af4e-3a41c75bd38f', 'Fit', 0, 1, '2026-11-29T23:45:33.175594Z');
INSERT INTO sub_tasks VALUES ('ccf636c4-0903-4652-936c-6656b86b429e', '2aa59425-5d5b-49f8-af4e-3a41c75bd38f', 'Test', 0, 2, '2026-11-29T23:45:33.188182Z');
INSERT INTO sub_tasks VALUES ('f60bd6b2-11e3-41c3-bc16-ef3fb4bc004b', 'd5ba94ed-e3e3-44e2-92a7-1b19a212e76b', 'Drain', 0, 0, '2026-11-29T23:45:33.217129Z');
INSERT INTO sub_tasks VALUES ('b61f9500-e277-431a-8c2b-a37a55ad85ec', 'd5ba94ed-e3e3-44e2-92a7-1b19a212e76b', 'Fit', 0, 1, '2026-11-29T23:45:33.225878Z');
INSERT INTO sub_tasks VALUES ('4403a85b-b9fe-4981-938f-096793694b9d', 'd5ba94ed-e3e3-44e2-92a7-1b19a212e76b', 'Test', 0, 2, '2026-11-29T23:45:33.231177Z');
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
INSERT INTO daily_updates VALUES ('3da78733-a6f4-4a4d-be2e-5cdf50579341', '49dab749-0311-4ddb-8147-4b25a1781bba', '61f717bc-56f6-4782-9447-4e25e3e57497', 'Drained today.', 0, '2026-11-29T23:45:33.147798Z', '2026-11-29T23:45:33.147798Z');
INSERT INTO daily_updates VALUES ('c0cf6dd6-8426-4a87-b6ed-2e6a8cf0c511', '49dab749-0311-4ddb-8147-4b25a1781bba', '61f717bc-56f6-4782-9447-4e25e3e57497', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-29T23:45:33.158911Z', '2026-11-29T23:45:33.158911Z');
INSERT INTO daily_updates VALUES ('83853f16-aa31-40d3-9672-208819e5b674', '2aa59425-5d5b-49f8-af4e-3a41c75bd38f', '61f717bc-56f6-4782-9447-4e25e3e57497', 'Drained today.', 0, '2026-11-29T23:45:33.199124Z', '2026-11-29T23:45:33.199124Z');
INSERT INTO daily_updates VALUES ('2f206e29-dad4-47b7-9bb2-7c4bdb3c9f3c', '2aa59425-5d5b-49f8-af4e-3a41c75bd38f', '61f717bc-56f6-4782-9447-4e25e3e57497', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-29T23:45:33.205080Z', '2026-11-29T23:45:33.205080Z');
INSERT INTO daily_updates VALUES ('dd22437c-1a44-4b48-9d9d-e6fe4a730419', 'd5ba94ed-e3e3-44e2-92a7-1b19a212e76b', '61f717bc-56f6-4782-9447-4e25e3e57497', 'Drained today.', 0, '2026-11-29T23:45:33.241941Z', '2026-11-29T23:45:33.241941Z');
INSERT INTO daily_updates VALUES ('27d3014f-c67c-4991-a1f8-c7fe7c192820', 'd5ba94ed-e3e3-44e2-92a7-1b19a212e76b', '61f717bc-56f6-4782-9447-4e25e3e57497', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-29T23:45:33.248536Z', '2026-11-29T23:45:33.248536Z');
CREATE TABLE changes (
	id INTEGER NOT NULL, 
	number BIGINT, 
	resource TEXT NOT NULL, 
	resource_id TEXT NOT NULL, 
	change TEXT NOT NULL, 
	at TEXT NOT NULL, 
	CONSTRAINT pk_changes PRIMARY KEY (id)
);
INSERT INTO changes VALUES (1, 1, 'member', '2e682977-725d-4ce8-b762-cbfe115dcfdb', 'created', '2026-11-29T23:45:32.118324Z');
INSERT INTO changes VALUES (2, 2, 'member', '96ae6993-05d7-421b-a2fd-a50fc9168141', 'created', '2026-11-29T23:45:32.151877Z');
INSERT INTO changes VALUES (3, 3, 'member', '61f717bc-56f6-4782-9447-4e25e3e57497', 'created', '2026-11-29T23:45:32.168196Z');
INSERT INTO changes VALUES (4, 4, 'task', '49dab749-0311-4ddb-8147-4b25a1781bba', 'created', '2026-11-29T23:45:33.111410Z');
INSERT INTO changes VALUES (5, 5, 'sub_task', 'db45a4f0-f021-4747-9e39-c285eece8d63', 'created', '2026-11-29T23:45:33.123762Z');
INSERT INTO changes VALUES (6, 6, 'task', '49dab749-0311-4ddb-8147-4b25a1781bba', 'updated', '2026-11-29T23:45:33.126153Z');
INSERT INTO changes VALUES (7, 7, 'sub_task', '00d92d10-366f-4252-8919-7d99a9ea81f9', 'created', '2026-11-29T23:45:33.133247Z');
INSERT INTO changes VALUES (8, 8, 'task', '49dab749-0311-4ddb-8147-4b25a1781bba', 'updated', '2026-11-29T23:45:33.134672Z');
INSERT INTO changes VALUES (9, 9, 'sub_task', 'b5e9fba0-90a0-4a76-8bae-f53c797e6c81', 'created', '2026-11-29T23:45:33.140172Z');
INSERT INTO changes VALUES (10, 10, 'task', '49dab749-0311-4ddb-8147-4b25a1781bba', 'updated', '2026-11-29T23:45:33.141137Z');
INSERT INTO changes VALUES (11, 11, 'daily_update', '3da78733-a6f4-4a4d-be2e-5cdf50579341', 'created', '2026-11-29T23:45:33.148754Z');
INSERT INTO changes VALUES (12, 12, 'task', '49dab749-0311-4ddb-8147-4b25a1781bba', 'updated', '2026-11-29T23:45:33.149694Z');
INSERT INTO changes VALUES (13, 13, 'daily_update', 'c0cf6dd6-8426-4a87-b6ed-2e6a8cf0c511', 'created', '2026-11-29T23:45:33.159467Z');
INSERT INTO changes VALUES (14, 14, 'task', '49dab749-0311-4ddb-8147-4b25a1781bba', 'updated', '2026-11-29T23:45:33.160270Z');
INSERT INTO changes VALUES (15, 15, 'task', '2aa59425-5d5b-49f8-af4e-3a41c75bd38f', 'created', '2026-11-29T23:45:33.164032Z');
INSERT INTO changes VALUES (16, 16, 'sub_task', 'adc90fa9-6206-4f74-b508-febe7a230ce7', 'created', '2026-11-29T23:45:33.169267Z');
INSERT INTO changes VALUES (17, 17, 'task', '2aa59425-5d5b-49f8-af4e-3a41c75bd38f', 'updated', '2026-11-29T23:45:33.171920Z');
INSERT INTO changes VALUES (18, 18, 'sub_task', 'ecca0d01-ddc5-4ab2-9d55-f7703cadade9', 'created', '2026-11-29T23:45:33.176146Z');
INSERT INTO changes VALUES (19, 19, 'task', '2aa59425-5d5b-49f8-af4e-3a41c75bd38f', 'updated', '2026-11-29T23:45:33.178314Z');
INSERT INTO changes VALUES (20, 20, 'sub_task', 'ccf636c4-0903-4652-936c-6656b86b429e', 'created', '2026-11-29T23:45:33.188572Z');
INSERT INTO changes VALUES (21, 21, 'task', '2aa59425-5d5b-49f8-af4e-3a41c75bd38f', 'updated', '2026-11-29T23:45:33.191315Z');
INSERT INTO changes VALUES (22, 22, 'daily_update', '83853f16-aa31-40d3-9672-208819e5b674', 'created', '2026-11-29T23:45:33.199342Z');
INSERT INTO changes VALUES (23, 23, 'task', '2aa59425-5d5b-49f8-af4e-3a41c75bd38f', 'updated', '2026-11-29T23:45:33.199988Z');
INSERT INTO changes VALUES (24, 24, 'daily_update', '2f206e29-dad4-47b7-9bb2-7c4bdb3c9f3c', 'created', '2026-11-29T23:45:33.205438Z');
INSERT INTO changes VALUES (25, 25, 'task', '2aa59425-5d5b-49f8-af4e-3a41c75bd38f', 'updated', '2026-11-29T23:45:33.206694Z');
INSERT INTO changes VALUES (26, 26, 'task', 'd5ba94ed-e3e3-44e2-92a7-1b19a212e76b', 'created', '2026-11-29T23:45:33.213196Z');
INSERT INTO changes VALUES (27, 27, 'sub_task', 'f60bd6b2-11e3-41c3-bc16-ef3fb4bc004b', 'created', '2026-11-29T23:45:33.217716Z');
INSERT INTO changes VALUES (28, 28, 'task', 'd5ba94ed-e3e3-44e2-92a7-1b19a212e76b', 'updated', '2026-11-29T23:45:33.219075Z');
INSERT INTO changes VALUES (29, 29, 'sub_task', 'b61f9500-e277-431a-8c2b-a37a55ad85ec', 'created', '2026-11-29T23:45:33.226277Z');
INSERT INTO changes VALUES (30, 30, 'task', 'd5ba94ed-e3e3-44e2-92a7-1b19a212e76b', 'updated', '2026-11-29T23:45:33.226879Z');
INSERT INTO changes VALUES (31, 31, 'sub_task', '4403a85b-b9fe-4981-938f-096793694b9d', 'created', '2026-11-29T23:45:33.231560Z');
INSERT INTO changes VALUES (32, 32, 'task', 'd5ba94ed-e3e3-44e2-92a7-1b19a212e76b', 'updated', '2026-11-29T23:45:33.232144Z');
INSERT INTO changes VALUES (33, 33, 'daily_update', 'dd22437c-1a44-4b48-9d9d-e6fe4a730419', 'created', '2026-11-29T23:45:33.242156Z');
INSERT INTO changes VALUES (34, 34, 'task', 'd5ba94ed-e3e3-44e2-92a7-1b19a212e76b', 'updated', '2026-11-29T23:45:33.242746Z');
INSERT INTO changes VALUES (35, 35, 'daily_update', '27d3014f-c67c-4991-a1f8-c7fe7c192820', 'created', '2026-11-29T23:45:33.248854Z');
INSERT INTO changes VALUES (36, 36, 'task', 'd5ba94ed-e3e3-44e2-92a7-1b19a212e76b', 'updated', '2026-11-29T23:45:33.249486Z');
INSERT INTO changes VALUES (37, 37, 'member', '61f717bc-56f6-4782-9447-4e25e3e57497', 'updated', '2026-11-29T23:45:33.358227Z');
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
INSERT INTO task_counts VALUES (1, 1, 0, '2e682977-725d-4ce8-b762-cbfe115dcfdb', 1);
INSERT INTO task_counts VALUES (2, 2, 2, '2e682977-725d-4ce8-b762-cbfe115dcfdb', 1);
INSERT INTO task_counts VALUES (3, 3, 1, '2e682977-725d-4ce8-b762-cbfe115dcfdb', 1);
CREATE TABLE vault_manifest (
	path TEXT NOT NULL, 
	content TEXT NOT NULL, 
	CONSTRAINT pk_vault_manifest PRIMARY KEY (path)
);
INSERT INTO vault_manifest VALUES ('mac', '795e6b483bdfbf774bb6118e946bc1450a13ac89a199536941a2b8fbdfa187f9');
INSERT INTO vault_manifest VALUES ('root', '{"heads":{"b9462f5ebecac5ac-4aa98805443fde09":[7,"34b57505f3780061c8f5525ba0682c6b0848eaf1f6003121b1f45ae3508a689a"]},"keys":{"cd05b7e8":"active"},"kid":"cd05b7e8","legacy":false,"number":7,"top":"0e361804561b3d9a750a9e3f7448194f14f24f9def01d28db6d33144e59dd54a","wraps":{"cd05b7e8:4aa98805443fde09":"7d34472b3d58c7f318e64b3c04b147fd"}}');
INSERT INTO vault_manifest VALUES ('', '{"1":"36639dba37aafff4ef78c17240886c1750385c566226ff32818f0b2f4163a9c0","2":"30f10b6bf3516056429fc98795f309c270ba137923d13b3dbade586bb3d97214","7":"9b23022e86a5f3846757e69a7a869935c2d37aea27cd85a808e5e8f0206eddc2","9":"e2111d5c28e673f967d890db08e71d81dd6e5f9ca4376eb670ce3d53770b6837","a":"0372189b78e44e0d16eb5c80d90e22d209d6087b609e3a17e104ae8c29e76898","d":"18e0092bdecdd4183cac7cfd7b5dbe92fa109c785800703cd1cafc9c897078a0"}');
INSERT INTO vault_manifest VALUES ('a', '{"b":"d37656d994bfb3e9df2a328ebea0906598c2b43fc650709c4f6619a5e2d13ea2","d":"4cb77789a3c8b32c124cbb5b46a80737786067e18ee84f5bb29b38521adbdffc"}');
INSERT INTO vault_manifest VALUES ('ad', '{"4":"94f0d65cac803da86878141bdc1e1897362b41a311220afd3f389c0cae12da50"}');
INSERT INTO vault_manifest VALUES ('ad4', '{"ad44137251c07a44ed2a40c9162fe02a":{"is":["dcb512c1-5463-45ce-9e88-03428af41d5a",1,"unknown"],"of":["secret","system","default","openai"]}}');
INSERT INTO vault_manifest VALUES ('d', '{"3":"6e37280bafa68f0061e04be905911f3812a485fd708072b4095864ce1fd8359c"}');
INSERT INTO vault_manifest VALUES ('d3', '{"6":"aa18253b86079ad7af867619e6a147e8f2b8fa55c3e781ea4021985a507c0817"}');
INSERT INTO vault_manifest VALUES ('d36', '{"d36e9c52c04cf0310707745747609507":{"is":["a80f63d8-c1ee-4f40-9a6a-21350caf0619",1,"unknown"],"of":["secret","system","default","anthropic"]}}');
INSERT INTO vault_manifest VALUES ('7', '{"9":"a32d4fe0726764a7f08f56e966370ce8cdc4987270af383fc4aa484394f89dee"}');
INSERT INTO vault_manifest VALUES ('79', '{"1":"9ff9ff4d7a2f4790254750c402a240f44a397bb0101ace5dba95694bc1c13820"}');
INSERT INTO vault_manifest VALUES ('791', '{"79124161d312e4f38ca9d94f6b1728d7":{"is":["09000414-366d-449c-bd0a-d4be5251c4a5",1,"unknown"],"of":["secret","camera","abada91d-6631-4b88-a82d-2c9699d6e450","password"]}}');
INSERT INTO vault_manifest VALUES ('1', '{"f":"d7449c3ee814c3252c4b0d89a0cce0ab706bc4fa6d4389eb551e6a22b5153c22"}');
INSERT INTO vault_manifest VALUES ('1f', '{"b":"411e0162880db7849d46c41b79e37b0e9ab82a0425b249348fc53e08744152e9"}');
INSERT INTO vault_manifest VALUES ('1fb', '{"1fb161aa47be65d82559954a737a40d4":{"is":["8dc11687-1ad5-4790-ac09-e9a666fe991f",1,"unknown"],"of":["secret","alert_rule","f59addcd-8483-4462-926a-32868cfdf582","header:x-token"]}}');
INSERT INTO vault_manifest VALUES ('ab', '{"e":"58edac28a21e3d4abcc1cc5895e370b3ef1cab4c54daac2f6d746d84ee5d2a97"}');
INSERT INTO vault_manifest VALUES ('abe', '{"abe03a495b7146c020b17e45de6ec6fc":{"is":["70a75da4-fd61-4547-8f52-9dfb6c25872e",1,"unknown"],"of":["secret","server","guild","openai"]}}');
INSERT INTO vault_manifest VALUES ('2', '{"4":"1fbf961628a89aa821a185be319068e14bdc0f48f67e786d869a190f98bf14a3"}');
INSERT INTO vault_manifest VALUES ('24', '{"9":"6b036d5aba332bf1539c53971497edf90edfa2657e478daa03e57f2c7c7504ea"}');
INSERT INTO vault_manifest VALUES ('249', '{"2494692a9abdfe5027349a25da94ee7b":{"is":["5c0a570e-1cb3-427a-a273-c815140fa294",1,"unknown"],"of":["secret","user","ann","openai"]}}');
INSERT INTO vault_manifest VALUES ('9', '{"0":"385a1e7f122a0dc8e05e97b20a689a8af988d1a4b2820c0e866a05fc5949c558"}');
INSERT INTO vault_manifest VALUES ('90', '{"0":"542813a1d987687135506107b76f4f465c80821c887244055c7bec65c131b943"}');
INSERT INTO vault_manifest VALUES ('900', '{"9006805dbec73646d3ba1cd0bf7e60b9":{"is":["30329c77-4708-4a65-b0fd-fbb54853a298",1,"unknown"],"of":["secret","tenant","acme","openai"]}}');
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
