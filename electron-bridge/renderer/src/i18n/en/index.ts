/** Every text of the interface in English; other languages have the same names. */
import {common} from './common.js';
import {connection} from './connection.js';
import {desktops} from './desktops.js';
import {keys} from './keys.js';
import {problems} from './problems.js';
import {vault} from './vault.js';
import {work} from './work.js';

export const en = {...common, ...connection, ...desktops, ...keys, ...problems, ...vault, ...work} as const;

export type Catalogue = typeof en;
export type MessageName = keyof Catalogue;
