import {expect, test} from 'vitest';
import {sidecarEnvironment} from '../../src/environment.js';

test.each([
  'HTTP_PROXY',
  'https_proxy',
  'ALL_PROXY',
  'NO_PROXY',
  'PYTHONPATH',
  'PYTHONHOME',
  'PYTHONSTARTUP',
  'VIRTUAL_ENV',
  '__PYVENV_LAUNCHER__',
  'PGHOST',
  'PGPASSWORD',
  'PGSERVICE',
  'PGSSLMODE',
  'LD_LIBRARY_PATH',
  'LD_PRELOAD',
  'DYLD_INSERT_LIBRARIES',
  'NODE_OPTIONS',
  'ELECTRON_RUN_AS_NODE',
  'OPENSSL_CONF',
  'AWS_SECRET_ACCESS_KEY',
])('%s of the app stays out', (name) => {
  expect(sidecarEnvironment({[name]: 'x'})).toEqual({});
});

test.each(['PATH', 'Path', 'HOME', 'LC_ALL', 'XDG_CONFIG_HOME', 'SystemRoot', 'TASKFLOW_LOG_LEVEL', 'JWT_SECRET_KEY'])(
  '%s passes as it is written',
  (name) => {
    expect(sidecarEnvironment({[name]: 'x'})).toEqual({[name]: 'x'});
  },
);

test('what is added wins, and undefined removes', () => {
  const environment = sidecarEnvironment(
    {HOME: '/a', TZ: 'UTC'},
    {HOME: '/b', TZ: undefined, HTTPS_PROXY: 'http://p:1'},
  );

  expect(environment).toEqual({HOME: '/b', HTTPS_PROXY: 'http://p:1'});
});
