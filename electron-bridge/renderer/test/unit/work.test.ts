import {describe, expect, test} from 'vitest';
import {clientOver, type ClientAnswer, type ClientCall} from '../../../src/client.js';
import {NO_FILTERS, UNASSIGNED, filtersOf, gearOf, withFilters} from '../../src/data/work/filters.js';
import {startOf} from '../../src/data/work/periods.js';
import {tick} from '../../src/data/work/steps.js';

const ADA = '0b8f0e0e-7a54-4d6e-9f0a-5d7f6d0f4c11';

describe('filters in the address', () => {
  test('come back as they were, several values each, beside what else stands there', () => {
    const filters = {
      status: ['Blocked', 'To Do'],
      priority: ['High'],
      assignee: [ADA, UNASSIGNED],
      search: '100 % & more',
      sort: 'priority',
    } as const;

    const query = withFilters(new URLSearchParams('view=board&status=Done'), filters);

    expect(query.get('view')).toBe('board');
    expect(filtersOf(new URLSearchParams(query.toString()))).toEqual(filters);
  });

  test('what makes no sense is left out, because the sidecar would refuse it', () => {
    expect(filtersOf(new URLSearchParams('status=Lost&assignee=me&assignee=me&sort=random&priority='))).toEqual(
      NO_FILTERS,
    );
  });

  test('four digits are a GEAR ID, anything else is not', () => {
    expect(['0042', ' 0042 ', '42', '00421', 'a042'].map(gearOf)).toEqual(['0042', '0042', null, null, null]);
  });
});

describe('a standup asks since', () => {
  test.each([
    ['a Wednesday', '2026-11-25', '2026-11-24'],
    ['a Monday: since Friday', '2026-11-23', '2026-11-20'],
    ['a Sunday: since Friday', '2026-11-29', '2026-11-27'],
  ])('the working day before, on %s', (_name, today, expected) => {
    const noon = new Date(`${today}T12:34:56`).getTime();

    expect(startOf('workday', noon)).toBe(new Date(`${expected}T00:00:00`).toISOString());
  });

  test('the same instant the whole day, so that the list is not read anew each minute', () => {
    const morning = startOf('week', new Date('2026-11-25T08:00:00').getTime());

    expect(startOf('week', new Date('2026-11-25T23:59:59').getTime())).toBe(morning);
  });
});

/** A step as the sidecar has it: toggling turns it around, unless the version is another. */
class SharedStep {
  completed: boolean;
  toggles = 0;
  #beforeToggle: (() => void) | null;

  constructor(completed: boolean, beforeToggle: (() => void) | null = null) {
    this.completed = completed;
    this.#beforeToggle = beforeToggle;
  }

  readonly client = clientOver((call) => Promise.resolve(this.#answer(call)));

  #answer({method, headers}: ClientCall): ClientAnswer {
    const step = (): unknown => ({id: 's', task_id: 't', completed: this.completed});
    if (method === 'GET') return json({id: 't', sub_tasks: [step()]});
    this.#beforeToggle?.();
    this.#beforeToggle = null;
    const version = headers['if-match'];
    if (version !== undefined && version !== this.#version()) return json({error: ''}, 412);
    this.completed = !this.completed;
    this.toggles += 1;
    return json(step(), 200, this.#version());
  }

  #version(): string {
    return `"${String(this.completed)}"`;
  }
}

function json(body: unknown, status = 200, etag = '"0"'): ClientAnswer {
  return {status, headers: {'content-type': 'application/json', etag}, body: JSON.stringify(body)};
}

describe('ticking a step', () => {
  test('is one call', async () => {
    const step = new SharedStep(false);

    await tick(step.client, 't', 's', true);

    expect([step.completed, step.toggles]).toEqual([true, 1]);
  });

  test('whose answer was lost is not turned around by sending it again', async () => {
    const step = new SharedStep(true);

    await tick(step.client, 't', 's', true, true);

    expect([step.completed, step.toggles]).toEqual([true, 0]);
  });

  test('that a colleague ticked a moment before stays ticked', async () => {
    const step: SharedStep = new SharedStep(false, () => {
      step.completed = true;
    });

    await tick(step.client, 't', 's', true);

    expect(step.completed).toBe(true);
  });
});
