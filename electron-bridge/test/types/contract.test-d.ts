/** Fails to compile when channels, handlers and exposed functions part ways. */
import {expectTypeOf, test} from 'vitest';
import type {
  ANNOUNCE_CHANNELS,
  AnnounceName,
  Args,
  INVOKE_CHANNELS,
  InvokeContract,
  InvokeName,
  Result,
  SavedConnection,
  SidecarApi,
  Snapshot,
  SubscriptionName,
  Value,
} from '../../src/contract.js';
import type {paths} from '../../src/openapi.js';
import type {PageClient, SidecarClient} from '../../src/client.js';

test('every call has a channel of its own name, and there is no other channel', () => {
  expectTypeOf<keyof typeof INVOKE_CHANNELS>().toEqualTypeOf<InvokeName>();
  expectTypeOf<keyof typeof ANNOUNCE_CHANNELS>().toEqualTypeOf<AnnounceName>();
  expectTypeOf<typeof INVOKE_CHANNELS>().toExtend<{readonly [N in InvokeName]: `taskflow:${N}`}>();
});

test('a channel that is missing or extra does not compile', () => {
  type Channels = {readonly [N in InvokeName]: `taskflow:${N}`};
  // @ts-expect-error one is missing
  ({}) as Omit<Channels, 'retry'> satisfies Channels;
  // @ts-expect-error one is extra
  ({...({} as Channels), spare: 'taskflow:spare'}) satisfies Record<InvokeName, string> & {spare?: never};
});

test('a page gets one function for each call, with its arguments and its result', () => {
  type OfThePreload = 'watch' | 'onStatus' | 'onChange' | 'pathOf';
  expectTypeOf<Exclude<keyof SidecarApi, OfThePreload>>().toEqualTypeOf<Exclude<InvokeName, SubscriptionName>>();
  expectTypeOf<SidecarApi['testConnection']>().parameters.toEqualTypeOf<[...Args<'testConnection'>]>();
  expectTypeOf<SidecarApi['readConnection']>().returns.resolves.toEqualTypeOf<Result<SavedConnection | null>>();
  expectTypeOf<Parameters<SidecarApi['watch']>[0]>().parameter(0).toEqualTypeOf<Snapshot>();
  expectTypeOf<Value<'retry'>>().toEqualTypeOf<InvokeContract['retry']['value']>();
});

test("the client knows the sidecar's resources and refuses others", () => {
  const client = {} as SidecarClient;
  expectTypeOf<'/api/v1/members'>().toExtend<keyof paths>();
  // @ts-expect-error no such resource
  void client.GET('/api/v1/nothing');
  // @ts-expect-error the email is missing
  void client.POST('/api/v1/members', {body: {name: 'Ada'}});
});

test('a page may send the headers that pass, and no others', () => {
  const page = {} as PageClient;
  void page.GET('/api/v1/members');
  void page.GET('/api/v1/members', {headers: {'If-Match': '"1"'}});
  void page.POST('/api/v1/members', {
    body: {name: 'Ada', email: 'ada@example.org'},
    params: {header: {'Idempotency-Key': 'k'}},
  });
  // @ts-expect-error this header does not pass
  void page.GET('/api/v1/members', {headers: {'If-Match': '"1"', 'X-Request-Id': '1'}});
  // @ts-expect-error the email is missing
  void page.POST('/api/v1/members', {body: {name: 'Ada'}});
});
