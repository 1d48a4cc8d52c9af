BEGIN;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES ('0007');
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
INSERT INTO members VALUES ('0c6dd46f-4f90-4b17-b7d1-6a9832c7c095', 'Ada Lovelace', 'ada lovelace', 'ada@example.com', 'ada@example.com', 1, '2026-11-29T22:13:16.482553Z', '2026-11-29T22:13:16.482553Z');
INSERT INTO members VALUES ('732477e3-45d2-4ccc-99b4-f993ff87a2cf', 'Ægir Þórsson', 'ægir þórsson', 'Aegir@Example.com', 'aegir@example.com', 1, '2026-11-29T22:13:16.638469Z', '2026-11-29T22:13:16.638469Z');
INSERT INTO members VALUES ('b821be9a-e9b2-42c9-9e83-6549ede6e76d', 'zoë o''brien; --', 'zoë o''brien; --', 'zoe@example.com', 'zoe@example.com', 0, '2026-11-29T22:13:16.775526Z', '2026-11-29T22:13:25.732540Z');
CREATE TABLE vaults (
	id INTEGER NOT NULL, 
	vault_id VARCHAR(36) NOT NULL, 
	epoch INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vaults PRIMARY KEY (id)
);
INSERT INTO vaults VALUES (1, 'ef5d448a-4654-445a-9d9f-14ee88879ae4', 1, '2026-11-29T22:13:17.820452Z');
CREATE TABLE vault_keys (
	kid TEXT NOT NULL, 
	state TEXT NOT NULL, 
	fingerprint_key TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vault_keys PRIMARY KEY (kid)
);
INSERT INTO vault_keys VALUES ('4376bf67', 'active', 'vf1.4376bf67.gAAAAABrDKN9gGPt_FbX_6oJRpAsSYhmI-32Cy1dfk_bjDbWLx-kClqgnDytD_YP_xF46PgK-XXcANnTtu_XxupuesAMvSrtgw2TxlkOqIBXc7afbESNDPepJGcTgRV4p5E21HVO5Ix-', '2026-11-29T22:13:17.863217Z');
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
INSERT INTO vault_wraps VALUES ('4376bf67', '4aa98805443fde09', 'root', 'gAAAAABrDKN9nR2k0rWbtYzVCs5mbRf0cf6v24SvnnUYIxL99oGDknyvy3T4P-606KHgdVkcdgNg4360tHH_Y_X0LGj9X737z6gVGFoSphnxSrAh31eZO3YXxeTQLdcIuN4SwtDsY76V', NULL, '2026-11-29T22:13:17.932945Z');
CREATE TABLE vault_owners (
	owner_kind TEXT NOT NULL, 
	owner_id TEXT NOT NULL, 
	salt TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_vault_owners PRIMARY KEY (owner_kind, owner_id)
);
INSERT INTO vault_owners VALUES ('system', 'default', 'da2831b3ca7c7a5cd99245a5222ba514d276c1964b432342aa1ab0ac7accde5e', '2026-11-29T22:13:22.843026Z');
INSERT INTO vault_owners VALUES ('camera', '30d6a439-fdf0-4d28-9caa-a7e560367588', '9ef9ed2eddda5f926cb6c6e9f3f52b7815c21af85a0dac47c03c48279791801a', '2026-11-29T22:13:24.982057Z');
INSERT INTO vault_owners VALUES ('alert_rule', '7a21b232-faff-4325-a49d-4e8f41ff737a', '428e147841a2441604f29e30fe2228a39e321bc60c6a5ef12ac10100ac0e311b', '2026-11-29T22:13:25.223893Z');
INSERT INTO vault_owners VALUES ('server', 'guild', 'bd159a071f3746eb31efa07c619518d9ea89830441dbdb0f9e9d9293fdc289e6', '2026-11-29T22:13:25.383890Z');
INSERT INTO vault_owners VALUES ('tenant', 'acme', 'b8e19aeb1e63ced1dacf0492ce393a542582213f8217f45a011a996b34760d33', '2026-11-29T22:13:25.526128Z');
INSERT INTO vault_owners VALUES ('user', 'ann', '8d12e31983a166ec0290d2bdbd086f5f0503160216ddc4a4d2b114592346035e', '2026-11-29T22:13:25.542241Z');
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
INSERT INTO secrets VALUES ('41184b10-abad-48e1-89f1-e2d78ac192b5', 'system', 'default', 'openai', 'vf1.4376bf67.gAAAAABrDKOCgL--RXjLVg_gp2IEIcCQ7-gcNWzyyjvZz1DB9tTh83sgU21IrH2Lt4BwTUQmdC507AvO5R6u6Fy3s_jZZSOCrn_47KwCShP_csntnJECz6AbmtNR8zMMM-pZ7A1-GCiGYFKvw-h_0GjraUOVuOhpZI_p_-vX9Qc9QThlakiJ9pH9H74z_bwCdOc0inKH3ucSq7lB7G06AXk6GPm_hCEwCXHbi1auH2rvjIL-7dZzu2Y29e1Wfy3kQkxjjyakr3BA', '4376bf67', NULL, 1, '472ad8f619e1e428', 'ENAI', 'unknown', NULL, NULL, NULL, '2026-11-29T22:13:22.844074Z', '2026-11-29T22:13:22.844074Z', 'https://api.openai.com', '2026-11-30T23:32:54.706104Z', NULL);
INSERT INTO secrets VALUES ('5ae3a722-2197-4aea-ac51-c34034e049e1', 'system', 'default', 'anthropic', 'vf1.4376bf67.gAAAAABrDKOCLKFf3B0qmHO1B3TVTNMMGJTbjsmngRq7fwCblrVXum5GWBAkweIJys8kDIYDXsnvJ0JR3VSvx75pFY7SDiOEzM4SFOvAt8HmaZwNttDYoj-a9_yDbG3bHNqPI1NobeJm31hFd_GyqmNgtzT-T5-MuYr95HrFTbkmSzlUI3oW4p5mlyDbeh55xBCunZCeCYQEoK5a8eVA8_hMT8bVdrCPqarjtqJIGJhL01tDRzYO706fhpua-nwrGGxanv35Cnjl', '4376bf67', NULL, 1, 'e0abdda89bdc4234', 'ANTH', 'unknown', NULL, NULL, NULL, '2026-11-29T22:13:22.887348Z', '2026-11-29T22:13:22.887348Z', 'https://api.anthropic.com', '2026-11-30T21:42:44.829160Z', NULL);
INSERT INTO secrets VALUES ('ad98ae03-f90d-4ef2-aff0-658c6a73b7fa', 'camera', '30d6a439-fdf0-4d28-9caa-a7e560367588', 'password', 'vf1.4376bf67.gAAAAABrDKOFVRIDzOSgIoGUag5R-u6d__UeM7SD7oP9aiylr6GBXrRFAo55SqOhhBPkDSs_j07OiYymVZ8dE877hp0r8KmkXRRDk1VrplszLJiaOtAV_AgAvP3xEumglUsPDNofWEOkKrjuutUrbeC1xYWKtWy_6GSAnzYlnVsgdfNQuratMFYMzIEpF7nDard_E4bqx6--xFGQkfgHqARK5N6Ve2IGqrjk5D3hDRKRPk1qInX9PdXAB4T0Q5U1PtgZD9Mi-jUl', '4376bf67', NULL, 1, 'c467347ec438f88a', '6789', 'unknown', NULL, NULL, '2099-01-31T00:00:00.000000Z', '2026-11-29T22:13:24.983511Z', '2026-11-29T22:13:24.983511Z', NULL, NULL, NULL);
INSERT INTO secrets VALUES ('84ca9731-41a8-451a-a490-7e54448fb527', 'alert_rule', '7a21b232-faff-4325-a49d-4e8f41ff737a', 'header:x-token', 'vf1.4376bf67.gAAAAABrDKOFf-I-PULZAYf8qsH9k8zLUoxbohw73eJjlcbc6ApV4GXQ8dFANbeam9avNeZ5QgHAscTpa9MvNnzGgd41XGqfO2p9MPribERSeSbFy0Klk3HM6WXieuZC2mv-UzUPXRQNBtEoH6Aq_ndSEkSBDlTW6CYvk4LpU04W9f6V3AoTPwXKHQREs5CVKiqyZPoAp6Ap8472RbSZT0wHDq-68axIKiRDVrMDdD2QC-zrDvCBYqSjztQ8fce5Yrhe57ko9GUb', '4376bf67', NULL, 1, 'e75a073fc7237642', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29T22:13:25.224390Z', '2026-11-29T22:13:25.224390Z', NULL, NULL, NULL);
INSERT INTO secrets VALUES ('a23068e1-addc-42e1-85e0-8188e4f2e3b5', 'server', 'guild', 'openai', 'vf1.4376bf67.gAAAAABrDKOFXUI55rsG9REhb5nC-rpvVAF0fJGM2Iei9l4hL_-57nVnBECPLlaC56c4zxL18qdHdYkSYtyM8_vCA957awrmO7oxAxdw4vmRg0XhWJLeKbPtQ913Z6Dp6_AM_2PlpeO52Go8fUYHOcFp0h5yUk2y41rd43a3t3sU2QSS2ywzo6dBnZvGVljzw-Vj1X_bC4wTeRFFbpFbRxvpktgliNUVyTK3z6f6MOxGZVnp5iyKOYIJEt-7Uu706r5tGXLRkJ3u', '4376bf67', NULL, 1, '9753313c46320490', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29T22:13:25.384416Z', '2026-11-29T22:13:25.384416Z', 'https://api.openai.com', '2026-11-30T20:07:58.994015Z', NULL);
INSERT INTO secrets VALUES ('fa76535c-1a94-4652-865a-63b5a4f0d04f', 'tenant', 'acme', 'openai', 'vf1.4376bf67.gAAAAABrDKOF0n6qdqXhEB_6HFDBqFze3-NDetP7A-gv9yb0Ord3RbfhnNMzK9VFsTXpUiNnplQxPvRpKmiJna2EX1pKNWYPr3FJuD1mBo92GFF5xWaA1SEAXcKYh2Mv2ER6EHP8A0ALs13EQ9sOfIIiKVczbKPGmHJZIMXBsxjVgTDC9H5cmCyPAtyHPy7EBuwB0AZqGZNOBSLqEez6fTxf_0FhJxopmDUJ1vFr5BPBqm5H25pO24MNCZq8HdJ8OUrvnhwhlUfZ', '4376bf67', NULL, 1, '8f530f2a549c8dc1', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29T22:13:25.526661Z', '2026-11-29T22:13:25.526661Z', 'https://api.openai.com', '2026-11-30T22:51:07.889313Z', NULL);
INSERT INTO secrets VALUES ('b41793c2-add2-4c9a-9542-0ed2764f3952', 'user', 'ann', 'openai', 'vf1.4376bf67.gAAAAABrDKOFW3QsCv8yVLUw9bvslqWY9mi7cVs5h1SoTLYmdbAKhobkmgWRCmp259VlwJ54ImF8UkgcYht5D7X3yng5POrvi4ev1_2SWAeiX_RA6iucrz2Kc8k7S7PbnCgcXLwbrRXe-bW49f8ApCA9EW7ql3hncIGgPlITnkSp6ZDKX2Stbikkzw7oFT3Qu4mdDUsVygL9C4NySuLu8kPYoxBCNJ1lGjWoNmlopbo5WD0P-QkGOxmuC3nIMDFnNtp7RSRGqt-I', '4376bf67', NULL, 1, '7cfcfcbb68f13889', 'cdef', 'unknown', NULL, NULL, NULL, '2026-11-29T22:13:25.542606Z', '2026-11-29T22:13:25.542606Z', 'https://api.openai.com', '2026-11-30T20:26:23.395040Z', NULL);
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
INSERT INTO audit_entries VALUES (1, 'd0a21d9a30782161-4aa98805443fde09', 1, '2026-11-29T22:13:22.886270Z', 'cli', 'vm', 'set', 'system', 'default', 'openai', '472ad8f619e1e428', 'ok', NULL, 1, '0000000000000000000000000000000000000000000000000000000000000000', 'e34132c59d04745d1d65b566e812b8677159dc4b838344030d9a35f3d2c9f8cc');
INSERT INTO audit_entries VALUES (2, 'd0a21d9a30782161-4aa98805443fde09', 2, '2026-11-29T22:13:22.900636Z', 'cli', 'vm', 'set', 'system', 'default', 'anthropic', 'e0abdda89bdc4234', 'ok', NULL, 1, 'e34132c59d04745d1d65b566e812b8677159dc4b838344030d9a35f3d2c9f8cc', '6cd787f90f263f1b98f502beec611fcee1605c4a2556ca1c233fa56be5920388');
INSERT INTO audit_entries VALUES (3, 'd0a21d9a30782161-4aa98805443fde09', 3, '2026-11-29T22:13:25.004689Z', 'launch-token', 'vm', 'set', 'camera', '30d6a439-fdf0-4d28-9caa-a7e560367588', 'password', 'c467347ec438f88a', 'ok', NULL, 1, '6cd787f90f263f1b98f502beec611fcee1605c4a2556ca1c233fa56be5920388', 'dd6446cc1d400c6102e26b9c783207922a60d954ba915141cab1e163d51a3401');
INSERT INTO audit_entries VALUES (4, 'd0a21d9a30782161-4aa98805443fde09', 4, '2026-11-29T22:13:25.243443Z', 'launch-token', 'vm', 'set', 'alert_rule', '7a21b232-faff-4325-a49d-4e8f41ff737a', 'header:x-token', 'e75a073fc7237642', 'ok', NULL, 1, 'dd6446cc1d400c6102e26b9c783207922a60d954ba915141cab1e163d51a3401', '6badd768aff34b54a666f966fbeae47df8ee958af610fc1128f2a0130a3d9c4e');
INSERT INTO audit_entries VALUES (5, 'd0a21d9a30782161-4aa98805443fde09', 5, '2026-11-29T22:13:25.396171Z', 'launch-token', 'vm', 'set', 'server', 'guild', 'openai', '9753313c46320490', 'ok', NULL, 1, '6badd768aff34b54a666f966fbeae47df8ee958af610fc1128f2a0130a3d9c4e', 'ec0dc3624271fa1324c49d609b7375904bd62c3d692842bbf2e30e5a8afdec66');
INSERT INTO audit_entries VALUES (6, 'd0a21d9a30782161-4aa98805443fde09', 6, '2026-11-29T22:13:25.528624Z', 'launch-token', 'vm', 'set', 'tenant', 'acme', 'openai', '8f530f2a549c8dc1', 'ok', NULL, 1, 'ec0dc3624271fa1324c49d609b7375904bd62c3d692842bbf2e30e5a8afdec66', '36c80a802a920434298eccc6ebbb5202d3ebda47b792b2d4863e5163ebd0acb9');
INSERT INTO audit_entries VALUES (7, 'd0a21d9a30782161-4aa98805443fde09', 7, '2026-11-29T22:13:25.557076Z', 'launch-token', 'vm', 'set', 'user', 'ann', 'openai', '7cfcfcbb68f13889', 'ok', NULL, 1, '36c80a802a920434298eccc6ebbb5202d3ebda47b792b2d4863e5163ebd0acb9', '9e47e596d584c7322d51dc1316a39fb54e1571189fefef57340afbd360d2c6fb');
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
INSERT INTO chat_servers VALUES ('guild', 'openai', 'public', 'manual_digital', 'digital_sheet', '2026-11-29T22:13:25.370078Z', '2026-11-29T22:13:25.381231Z');
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
INSERT INTO cameras VALUES ('30d6a439-fdf0-4d28-9caa-a7e560367588', 'Door', 'http://127.0.0.1:1/stream', 'admin', 1, '2026-11-29T22:13:24.941235Z', '2026-11-29T22:13:24.941235Z');
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
INSERT INTO alert_rules VALUES ('7a21b232-faff-4325-a49d-4e8f41ff737a', 'Rule', 1, 'https://hooks.example.com/x', '["X-Token"]', 1, '2026-11-29T22:13:25.221244Z', '2026-11-29T22:13:25.221244Z');
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
INSERT INTO tasks VALUES ('d602745c-d6a8-446d-9803-64cbd662df69', 'Replace the pump', 'Größe 40
  ''quoted''', 'In Progress', 1, 'High', 0, '0c6dd46f-4f90-4b17-b7d1-6a9832c7c095', NULL, '', 'replace the pumpAAgrösse 40
  ''quoted''AAAA', '2026-11-29T22:13:23.219367Z', -1795990403219367, '2026-11-29T22:13:23.793759Z', -1795990403793759, NULL);
INSERT INTO tasks VALUES ('556a3ee9-75d8-4220-a5a5-f0812dca4164', 'Wait for parts', NULL, 'Blocked', 2, 'Low', 2, '0c6dd46f-4f90-4b17-b7d1-6a9832c7c095', '0042', 'Carrier', 'wait for partsAAAA0042AA', '2026-11-29T22:13:23.838384Z', -1795990403838384, '2026-11-29T22:13:24.316007Z', -1795990404316007, '2026-11-29T22:13:23.838384Z');
INSERT INTO tasks VALUES ('52d8c136-b764-4b86-a0a8-cceae3678113', 'Done with it', NULL, 'Done', 3, 'Medium', 1, '0c6dd46f-4f90-4b17-b7d1-6a9832c7c095', NULL, '', 'done with itAAAAAA', '2026-11-29T22:13:24.535946Z', -1795990404535946, '2026-11-29T22:13:24.871375Z', -1795990404871375, NULL);
CREATE TABLE task_grams (
	number INTEGER NOT NULL, 
	task_id VARCHAR(36) NOT NULL, 
	grams TEXT NOT NULL, 
	CONSTRAINT pk_task_grams PRIMARY KEY (number), 
	CONSTRAINT fk_task_grams_task_id_tasks FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
INSERT INTO task_grams VALUES (1, 'd602745c-d6a8-446d-9803-64cbd662df69', 'replace the pumpAAgrösse 40
  ''quoted''AAAA');
INSERT INTO task_grams VALUES (2, '556a3ee9-75d8-4220-a5a5-f0812dca4164', 'wait for partsAAAA0042AA');
INSERT INTO task_grams VALUES (3, '52d8c136-b764-4b86-a0a8-cceae3678113', 'done with itAAAAAA');
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
INSERT INTO sub_tasks VALUES ('1f01e67a-cc28-48d3-bce5-4181cf761817', 'd602745c-d6a8-446d-9803-64cbd662df69', 'Drain', 0, 0, '2026-11-29T22:13:23.361360Z');
INSERT INTO sub_tasks VALUES ('3b0ca0c0-faf1-4540-b6c1-ee9e86e29d48', 'd602745c-d6a8-446d-9803-64cbd662df69', 'Fit', 0, 1, '2026-11-29T22:13:23.556838Z');
INSERT INTO sub_tasks VALUES ('76956a9f-2c83-42da-af78-1049a5d5808c', 'd602745c-d6a8-446d-9803-64cbd662df69', 'Test', 0, 2, '2026-11-29T22:13:23.643367Z');
INSERT INTO sub_tasks VALUES ('4a131707-c340-4faa-9aa0-f568540d6467', '556a3ee9-75d8-4220-a5a5-f0812dca4164', 'Drain', 0, 0, '2026-11-29T22:13:23.939826Z');
INSERT INTO sub_tasks VALUES ('ad51ca07-161a-45bb-8aff-ee450984db2d', '556a3ee9-75d8-4220-a5a5-f0812dca4164', 'Fit', 0, 1, '2026-11-29T22:13:24.078146Z');
INSERT INTO sub_tasks VALUES ('b4191edc-1804-4582-93a1-383ec400296d', '556a3ee9-75d8-4220-a5a5-f0812dca4164', 'Test', 0, 2, '2026-11-29T22:13:24.170738Z');
INSERT INTO sub_tasks VALUES ('f2b6e577-02d4-4ef2-84d8-bf404a24675c', '52d8c136-b764-4b86-a0a8-cceae3678113', 'Drain', 0, 0, '2026-11-29T22:13:24.620369Z');
INSERT INTO sub_tasks VALUES ('58736b56-b1eb-4fce-bef8-9186560579d4', '52d8c136-b764-4b86-a0a8-cceae3678113', 'Fit', 0, 1, '2026-11-29T22:13:24.690356Z');
INSERT INTO sub_tasks VALUES ('70ce903e-b283-4c4c-a5ad-7b0bc11c7002', '52d8c136-b764-4b86-a0a8-cceae3678113', 'Test', 0, 2, '2026-11-29T22:13:24.747428Z');
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
INSERT INTO daily_updates VALUES ('50b5fd4f-ab33-4e07-8837-14d220fb454f', 'd602745c-d6a8-446d-9803-64cbd662df69', 'b821be9a-e9b2-42c9-9e83-6549ede6e76d', 'Drained today.', 0, '2026-11-29T22:13:23.697629Z', '2026-11-29T22:13:23.697629Z');
INSERT INTO daily_updates VALUES ('3d930a5f-e0b9-4c98-b1ab-041f0308090f', 'd602745c-d6a8-446d-9803-64cbd662df69', 'b821be9a-e9b2-42c9-9e83-6549ede6e76d', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-29T22:13:23.793759Z', '2026-11-29T22:13:23.793759Z');
INSERT INTO daily_updates VALUES ('02328349-24e6-4489-bb1e-84bdfb369587', '556a3ee9-75d8-4220-a5a5-f0812dca4164', 'b821be9a-e9b2-42c9-9e83-6549ede6e76d', 'Drained today.', 0, '2026-11-29T22:13:24.272196Z', '2026-11-29T22:13:24.272196Z');
INSERT INTO daily_updates VALUES ('abc499f5-5b74-444b-8e00-82ed676ba674', '556a3ee9-75d8-4220-a5a5-f0812dca4164', 'b821be9a-e9b2-42c9-9e83-6549ede6e76d', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-29T22:13:24.316007Z', '2026-11-29T22:13:24.316007Z');
INSERT INTO daily_updates VALUES ('38a88add-aad7-408b-b7ca-17ae9051064f', '52d8c136-b764-4b86-a0a8-cceae3678113', 'b821be9a-e9b2-42c9-9e83-6549ede6e76d', 'Drained today.', 0, '2026-11-29T22:13:24.818924Z', '2026-11-29T22:13:24.818924Z');
INSERT INTO daily_updates VALUES ('a0f89859-904c-4a10-84ba-a1d47eb210d8', '52d8c136-b764-4b86-a0a8-cceae3678113', 'b821be9a-e9b2-42c9-9e83-6549ede6e76d', 'Fitted; ''torqued'' — 180 bar', 0, '2026-11-29T22:13:24.871375Z', '2026-11-29T22:13:24.871375Z');
CREATE TABLE changes (
	id INTEGER NOT NULL, 
	number BIGINT, 
	resource TEXT NOT NULL, 
	resource_id TEXT NOT NULL, 
	change TEXT NOT NULL, 
	at TEXT NOT NULL, 
	CONSTRAINT pk_changes PRIMARY KEY (id)
);
INSERT INTO changes VALUES (1, 1, 'member', '0c6dd46f-4f90-4b17-b7d1-6a9832c7c095', 'created', '2026-11-29T22:13:16.485021Z');
INSERT INTO changes VALUES (2, 2, 'member', '732477e3-45d2-4ccc-99b4-f993ff87a2cf', 'created', '2026-11-29T22:13:16.639766Z');
INSERT INTO changes VALUES (3, 3, 'member', 'b821be9a-e9b2-42c9-9e83-6549ede6e76d', 'created', '2026-11-29T22:13:16.776324Z');
INSERT INTO changes VALUES (4, 4, 'task', 'd602745c-d6a8-446d-9803-64cbd662df69', 'created', '2026-11-29T22:13:23.281349Z');
INSERT INTO changes VALUES (5, 5, 'sub_task', '1f01e67a-cc28-48d3-bce5-4181cf761817', 'created', '2026-11-29T22:13:23.451087Z');
INSERT INTO changes VALUES (6, 6, 'task', 'd602745c-d6a8-446d-9803-64cbd662df69', 'updated', '2026-11-29T22:13:23.468167Z');
INSERT INTO changes VALUES (7, 7, 'sub_task', '3b0ca0c0-faf1-4540-b6c1-ee9e86e29d48', 'created', '2026-11-29T22:13:23.557906Z');
INSERT INTO changes VALUES (8, 8, 'task', 'd602745c-d6a8-446d-9803-64cbd662df69', 'updated', '2026-11-29T22:13:23.578342Z');
INSERT INTO changes VALUES (9, 9, 'sub_task', '76956a9f-2c83-42da-af78-1049a5d5808c', 'created', '2026-11-29T22:13:23.643958Z');
INSERT INTO changes VALUES (10, 10, 'task', 'd602745c-d6a8-446d-9803-64cbd662df69', 'updated', '2026-11-29T22:13:23.660274Z');
INSERT INTO changes VALUES (11, 11, 'daily_update', '50b5fd4f-ab33-4e07-8837-14d220fb454f', 'created', '2026-11-29T22:13:23.725413Z');
INSERT INTO changes VALUES (12, 12, 'task', 'd602745c-d6a8-446d-9803-64cbd662df69', 'updated', '2026-11-29T22:13:23.727504Z');
INSERT INTO changes VALUES (13, 13, 'daily_update', '3d930a5f-e0b9-4c98-b1ab-041f0308090f', 'created', '2026-11-29T22:13:23.794458Z');
INSERT INTO changes VALUES (14, 14, 'task', 'd602745c-d6a8-446d-9803-64cbd662df69', 'updated', '2026-11-29T22:13:23.795575Z');
INSERT INTO changes VALUES (15, 15, 'task', '556a3ee9-75d8-4220-a5a5-f0812dca4164', 'created', '2026-11-29T22:13:23.839408Z');
INSERT INTO changes VALUES (16, 16, 'sub_task', '4a131707-c340-4faa-9aa0-f568540d6467', 'created', '2026-11-29T22:13:23.956310Z');
INSERT INTO changes VALUES (17, 17, 'task', '556a3ee9-75d8-4220-a5a5-f0812dca4164', 'updated', '2026-11-29T22:13:23.991311Z');
INSERT INTO changes VALUES (18, 18, 'sub_task', 'ad51ca07-161a-45bb-8aff-ee450984db2d', 'created', '2026-11-29T22:13:24.092923Z');
INSERT INTO changes VALUES (19, 19, 'task', '556a3ee9-75d8-4220-a5a5-f0812dca4164', 'updated', '2026-11-29T22:13:24.106409Z');
INSERT INTO changes VALUES (20, 20, 'sub_task', 'b4191edc-1804-4582-93a1-383ec400296d', 'created', '2026-11-29T22:13:24.208024Z');
INSERT INTO changes VALUES (21, 21, 'task', '556a3ee9-75d8-4220-a5a5-f0812dca4164', 'updated', '2026-11-29T22:13:24.230839Z');
INSERT INTO changes VALUES (22, 22, 'daily_update', '02328349-24e6-4489-bb1e-84bdfb369587', 'created', '2026-11-29T22:13:24.272529Z');
INSERT INTO changes VALUES (23, 23, 'task', '556a3ee9-75d8-4220-a5a5-f0812dca4164', 'updated', '2026-11-29T22:13:24.286267Z');
INSERT INTO changes VALUES (24, 24, 'daily_update', 'abc499f5-5b74-444b-8e00-82ed676ba674', 'created', '2026-11-29T22:13:24.316683Z');
INSERT INTO changes VALUES (25, 25, 'task', '556a3ee9-75d8-4220-a5a5-f0812dca4164', 'updated', '2026-11-29T22:13:24.404315Z');
INSERT INTO changes VALUES (26, 26, 'task', '52d8c136-b764-4b86-a0a8-cceae3678113', 'created', '2026-11-29T22:13:24.570388Z');
INSERT INTO changes VALUES (27, 27, 'sub_task', 'f2b6e577-02d4-4ef2-84d8-bf404a24675c', 'created', '2026-11-29T22:13:24.634326Z');
INSERT INTO changes VALUES (28, 28, 'task', '52d8c136-b764-4b86-a0a8-cceae3678113', 'updated', '2026-11-29T22:13:24.635545Z');
INSERT INTO changes VALUES (29, 29, 'sub_task', '58736b56-b1eb-4fce-bef8-9186560579d4', 'created', '2026-11-29T22:13:24.691306Z');
INSERT INTO changes VALUES (30, 30, 'task', '52d8c136-b764-4b86-a0a8-cceae3678113', 'updated', '2026-11-29T22:13:24.692065Z');
INSERT INTO changes VALUES (31, 31, 'sub_task', '70ce903e-b283-4c4c-a5ad-7b0bc11c7002', 'created', '2026-11-29T22:13:24.748470Z');
INSERT INTO changes VALUES (32, 32, 'task', '52d8c136-b764-4b86-a0a8-cceae3678113', 'updated', '2026-11-29T22:13:24.760082Z');
INSERT INTO changes VALUES (33, 33, 'daily_update', '38a88add-aad7-408b-b7ca-17ae9051064f', 'created', '2026-11-29T22:13:24.819282Z');
INSERT INTO changes VALUES (34, 34, 'task', '52d8c136-b764-4b86-a0a8-cceae3678113', 'updated', '2026-11-29T22:13:24.820411Z');
INSERT INTO changes VALUES (35, 35, 'daily_update', 'a0f89859-904c-4a10-84ba-a1d47eb210d8', 'created', '2026-11-29T22:13:24.871705Z');
INSERT INTO changes VALUES (36, 36, 'task', '52d8c136-b764-4b86-a0a8-cceae3678113', 'updated', '2026-11-29T22:13:24.885288Z');
INSERT INTO changes VALUES (37, 37, 'member', 'b821be9a-e9b2-42c9-9e83-6549ede6e76d', 'updated', '2026-11-29T22:13:25.757195Z');
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
INSERT INTO task_counts VALUES (1, 1, 0, '0c6dd46f-4f90-4b17-b7d1-6a9832c7c095', 1);
INSERT INTO task_counts VALUES (2, 2, 2, '0c6dd46f-4f90-4b17-b7d1-6a9832c7c095', 1);
INSERT INTO task_counts VALUES (3, 3, 1, '0c6dd46f-4f90-4b17-b7d1-6a9832c7c095', 1);
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
