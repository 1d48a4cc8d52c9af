/** Every text of the interface in English; other languages have the same names. */
import {common} from './common.js';
import {problems} from './problems.js';

export const en = {...common, ...problems} as const;

export type Catalogue = typeof en;
export type MessageName = keyof Catalogue;
