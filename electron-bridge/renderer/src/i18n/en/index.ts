/** Every text of the interface in English; other languages have the same names. */
import {common} from './common.js';
import {connection} from './connection.js';
import {problems} from './problems.js';
import {work} from './work.js';

export const en = {...common, ...connection, ...problems, ...work} as const;

export type Catalogue = typeof en;
export type MessageName = keyof Catalogue;
