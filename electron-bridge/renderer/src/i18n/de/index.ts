/** German. */
import type {Catalogue} from '../en/index.js';
import type {Translation} from '../message.js';
import {common} from './common.js';
import {connection} from './connection.js';
import {desktops} from './desktops.js';
import {keys} from './keys.js';
import {problems} from './problems.js';
import {vault} from './vault.js';
import {work} from './work.js';

export const de: Translation<Catalogue> = {
  ...common,
  ...connection,
  ...desktops,
  ...keys,
  ...problems,
  ...vault,
  ...work,
};
