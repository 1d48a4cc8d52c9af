/**
 * Every page: its address, its name, its place in the navigation, and its file, which is loaded when it is opened.
 *
 * A new page is a line here, its texts in `i18n/en` and `i18n/de`, and a component in `pages/`.
 */
import type {PlainName} from '../i18n/index.js';
import type {IconName} from '../kit/index.js';
import {PageFile} from './page-file.js';

export interface PageProps {
  /** What stands in the address's places, such as `{id}` of `/tasks/:id`. */
  readonly values: Readonly<Record<string, string>>;
}

export interface Route {
  readonly pattern: string;
  readonly title: PlainName;
  readonly page: PageFile<PageProps>;
  /** Not without a database: the start-up page stands in its place until there has been one. */
  readonly needsDatabase: boolean;
  /** Where it stands in the navigation; absent for pages that others lead to. */
  readonly entry?: {readonly group: PlainName; readonly icon: IconName};
  /** The entry that is marked while this page is open. */
  readonly below?: string;
}

const KEYS = new PageFile(() => import('../pages/keys/KeysPage.js'));

export const ROUTES: readonly Route[] = [
  {
    pattern: '/tasks',
    title: 'nav.tasks',
    page: new PageFile(() => import('../pages/work/TasksPage.js')),
    needsDatabase: true,
    entry: {group: 'nav.work', icon: 'tasks'},
  },
  {
    pattern: '/tasks/:id',
    title: 'task.page',
    page: new PageFile(() => import('../pages/work/TaskPage.js')),
    needsDatabase: true,
    below: '/tasks',
  },
  {
    pattern: '/standup',
    title: 'nav.standup',
    page: new PageFile(() => import('../pages/work/StandupPage.js')),
    needsDatabase: true,
    entry: {group: 'nav.work', icon: 'standup'},
  },
  {
    pattern: '/members',
    title: 'nav.members',
    page: new PageFile(() => import('../pages/work/MembersPage.js')),
    needsDatabase: true,
    entry: {group: 'nav.work', icon: 'members'},
  },
  {
    pattern: '/keys',
    title: 'nav.keys',
    page: KEYS,
    needsDatabase: true,
    entry: {group: 'nav.secrets', icon: 'keys'},
  },
  {
    pattern: '/keys/:part',
    title: 'nav.keys',
    page: KEYS,
    needsDatabase: true,
    below: '/keys',
  },
  {
    pattern: '/usage',
    title: 'nav.usage',
    page: new PageFile(() => import('../pages/keys/UsagePage.js')),
    needsDatabase: true,
    entry: {group: 'nav.secrets', icon: 'usage'},
  },
  {
    pattern: '/audit',
    title: 'nav.audit',
    page: new PageFile(() => import('../pages/keys/AuditPage.js')),
    needsDatabase: true,
    entry: {group: 'nav.secrets', icon: 'audit'},
  },
  {
    pattern: '/vault',
    title: 'nav.vault',
    page: new PageFile(() => import('../pages/vault/VaultPage.js')),
    needsDatabase: true,
    entry: {group: 'nav.secrets', icon: 'vault'},
  },
  {
    pattern: '/connection',
    title: 'nav.connection',
    page: new PageFile(() => import('../pages/connection/ConnectionPage.js')),
    needsDatabase: false,
    entry: {group: 'nav.system', icon: 'connection'},
  },
  {
    pattern: '/start',
    title: 'nav.startup',
    page: new PageFile(() => import('../pages/startup/StartupPage.js')),
    needsDatabase: false,
    entry: {group: 'nav.system', icon: 'startup'},
  },
];

/** The page of an address that names none. */
export const HOME = '/tasks';
