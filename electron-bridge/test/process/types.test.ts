import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {TYPES_FILE, generateTypes} from '../../scripts/openapi.mjs';
import {pythonPart} from '../support/parts.js';

const python = pythonPart();

test.skipIf(python.missing !== null)(
  "the committed types are those of the sidecar's present OpenAPI document",
  async () => {
    const generated = await generateTypes(python.value ?? '');

    const isCurrent = readFileSync(TYPES_FILE, 'utf8') === generated;
    expect(isCurrent, 'src/openapi.ts is out of date: run `npm run types`').toBe(true);
  },
);
