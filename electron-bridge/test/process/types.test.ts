import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {TYPES_FILE, generateTypes} from '../../scripts/openapi.mjs';
import {pythonPart} from '../support/parts.js';

const python = pythonPart();

test.skipIf(python.missing !== null)('the committed types are those of the sidecar\'s present OpenAPI document (else: npm run types)', async () => {
  const generated = await generateTypes(python.value ?? '');

  expect(readFileSync(TYPES_FILE, 'utf8')).toBe(generated);
});
