import {describe, expect, test} from 'vitest';
import type {SavedConnection} from '../../src/client/platform.js';
import {serviceOf} from '../../src/pages/connection/authorities.js';
import {parseDsn} from '../../src/pages/connection/dsn.js';
import {isWholePath} from '../../src/pages/connection/paths.js';
import {NO_VALUES, bodyOf, isLoopback, mayKeepPassword, valuesOf} from '../../src/pages/connection/values.js';

describe('a connection string', () => {
  test.each([
    ['postgresql://ada:pw@db:6432/team', {host: 'db', port: '6432', database: 'team', username: 'ada', password: 'pw'}],
    ['  postgres://ada@db/team\n', {host: 'db', database: 'team', username: 'ada'}],
    ['postgresql+psycopg://ada:a%2Fb%20c@db/team', {password: 'a/b c'}],
    [
      'jdbc:postgresql://db:5433/team?user=ada&password=p%26w&ssl=true',
      {port: '5433', password: 'p&w', sslmode: 'require'},
    ],
    ['postgresql://ada:p@ss:w%rd@db/team', {username: 'ada', password: 'p@ss:w%rd', host: 'db'}],
    ['postgresql://a@h1:1,h2:2/team?target_session_attrs=read-write', {host: 'h1,h2', port: '1,2'}],
    ['postgresql://a@h1,h2/team', {host: 'h1,h2'}],
    ['postgresql://a@[::1]:7/team', {host: '::1', port: '7'}],
    ["host=db user=ada password='it''s' dbname=team", null],
    ["host = db user=ada password='it\\'s ours' dbname=team", {host: 'db', password: "it's ours", database: 'team'}],
    ['host=db dbname=team krbsrvname=pg', {auth: 'kerberos', krbsrvname: 'pg'}],
    ['host=db dbname=team sslcert=/c.pem sslkey=/k.pem', {auth: 'certificate', sslkey: '/k.pem'}],
    ['our database', null],
    ['https://db.example.org', null],
    ['', null],
  ])('%j', (text, fields) => {
    const found = parseDsn(text);

    if (fields === null) expect(found).toBeNull();
    else expect(found?.fields).toMatchObject(fields);
  });

  test('what belongs to other programs, or reads other files, is left out and named', () => {
    const found = parseDsn('postgresql://a:b@db/team?pgbouncer=true&schema=x&passfile=/p&sslmode=odd');

    expect(found?.ignored).toEqual(['pgbouncer', 'schema', 'sslmode']);
    expect(found?.refused).toEqual(['passfile']);
    expect(found?.fields).not.toHaveProperty('sslmode');
  });
});

const SAVED = {
  host: 'db',
  port: 5432,
  database: 'team',
  username: 'ada',
  sslmode: 'require',
  has_password: true,
  saved_at: '2030-01-01T00:00:00Z',
} as SavedConnection;

describe('the stored password', () => {
  const before = valuesOf(SAVED);

  test('is kept by another database name, and sent as null', () => {
    expect(bodyOf({...before, database: 'other'}, SAVED)).toMatchObject({password: null, database: 'other'});
  });

  test.each([{host: 'evil'}, {port: '1'}, {username: 'eve'}, {sslmode: 'disable'}, {sslrootcert: '/x'}] as const)(
    'goes nowhere else: %j',
    (change) => {
      expect(mayKeepPassword({...before, ...change}, SAVED)).toBe(false);
      expect(bodyOf({...before, ...change}, SAVED)).toMatchObject({password: ''});
    },
  );

  test('gives way to what is typed, spaces included', () => {
    expect(bodyOf({...before, password: ' new '}, SAVED)).toMatchObject({password: ' new '});
  });
});

test('what does not belong to the kind of login is not sent', () => {
  const values = {
    ...NO_VALUES,
    host: ' db ',
    database: 'team',
    username: 'ada',
    password: 'left over',
    krbsrvname: 'pg',
  };

  expect(bodyOf({...values, auth: 'kerberos'}, null)).toEqual({
    ...{host: 'db', port: '5432', database: 'team', username: 'ada'},
    ...{sslmode: 'prefer', auth: 'kerberos', krbsrvname: 'pg'},
  });
  expect(bodyOf({...values, auth: 'password'}, null)).not.toHaveProperty('krbsrvname');
  expect(bodyOf({...values, sslmode: 'disable', sslcert: '/c', sslrootcert: '/r'}, null)).not.toHaveProperty('sslcert');
});

test('only this computer itself needs no encryption', () => {
  expect(['localhost', '127.0.0.1', '::1', '[::1]', '/run/postgresql', 'localhost, 127.1.2.3'].map(isLoopback)).toEqual(
    Array(6).fill(true),
  );
  expect(['db', '127.example.org', 'localhost,db', '10.0.0.1'].map(isLoopback)).toEqual(Array(4).fill(false));
});

test('managed services are known by their hosts', () => {
  expect(serviceOf('x.abc.eu-central-1.rds.amazonaws.com')).toMatchObject({name: 'Amazon RDS', roots: 'file'});
  expect(serviceOf('ep-1.eu.aws.neon.tech')).toMatchObject({name: 'Neon', roots: 'system'});
  expect(serviceOf('rds.amazonaws.com.evil.org')).toBeNull();
});

test('paths are whole', () => {
  expect(['/a/b.pem', 'C:\\a.pem', 'c:/a', '\\\\server\\a'].map(isWholePath)).toEqual(Array(4).fill(true));
  expect(['a.pem', '~/a.pem', './a', ''].map(isWholePath)).toEqual(Array(4).fill(false));
});
