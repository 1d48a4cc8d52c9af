import {execFile} from 'node:child_process';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {describe, expect, test} from 'vitest';
import {BRIDGE} from '../../scripts/python.mjs';
import {electronPart, requireBuild} from '../support/parts.js';
import {sidecar, temporaryFolder} from '../support/real.js';

const electron = electronPart();

/** Runs in the Node of the oldest supported Electron, on the package as it is built. */
const PROGRAM = `
  const {startSidecar} = require(process.argv[1]);
  const folder = process.argv[2];
  const sidecar = startSidecar({command: JSON.parse(process.argv[3]), configDir: folder + '/config', env: {HOME: folder}, cwd: folder});
  (async () => {
    await sidecar.ready();
    const created = await sidecar.client.POST('/api/v1/members', {body: {name: 'Ada', email: 'ada@example.org'}});
    const refused = await sidecar.client.POST('/api/v1/members', {body: {name: 'Ada', email: 'ADA@example.org'}});
    const {data} = await sidecar.client.GET('/api/v1/members');
    const deleted = await sidecar.client.DELETE('/api/v1/members/{id}', {params: {path: {id: created.data.id}}});
    const leaving = new AbortController();
    const streaming = sidecar.ask({method: 'GET', path: '/api/v1/events', signal: leaving.signal}).catch(({name}) => name);
    const late = sidecar.ask({method: 'GET', path: '/api/v1/events', timeoutMs: 500}).catch(({code}) => code);
    setTimeout(() => leaving.abort(), 300);
    const aborted = await Promise.race([streaming, new Promise((resolve) => setTimeout(resolve, 5000, 'never'))]);
    const timedOut = await Promise.race([late, new Promise((resolve) => setTimeout(resolve, 5000, 'never'))]);
    while (sidecar.snapshot.status === null) await new Promise((resolve) => setTimeout(resolve, 10));
    await sidecar.stop();
    console.log(JSON.stringify({
      node: process.versions.node, fetch: typeof fetch, names: data.map(({name}) => name),
      refused: refused.error, code: refused.response.headers.get('Taskflow-Error-Code'),
      deleted: deleted.response.status, aborted, timedOut, state: sidecar.state,
    }));
  })().catch((error) => { console.error(error); process.exit(1); });
`;

describe.skipIf(electron.missing !== null || sidecar.missing !== null)(
  'the built package in the Node of an Electron',
  () => {
    test('starts the sidecar, calls it and stops it', async () => {
      requireBuild();
      const {stdout} = await promisify(execFile)(
        electron.value ?? '',
        ['-e', PROGRAM, join(BRIDGE, 'dist', 'cjs', 'index.js'), temporaryFolder(), JSON.stringify(sidecar.value)],
        {env: {...process.env, ELECTRON_RUN_AS_NODE: '1'}},
      );

      expect(JSON.parse(stdout)).toMatchObject({
        names: ['Ada'],
        refused: {error: 'Member with this email already exists'},
        code: 'conflict',
        deleted: 204,
        aborted: 'AbortError',
        timedOut: 'unreachable',
        state: {kind: 'stopped', forced: false},
      });
    });
  },
);
