/** A team with a great many tasks, as lines that `taskflow-sidecar work import` takes. */
import type {Served} from './served.js';

const STATUSES = ['To Do', 'In Progress', 'Done'] as const;
const PRIORITIES = ['High', 'Medium', 'Low'] as const;
const SECOND_MS = 1_000;

function uuid(kind: number, number: number): string {
  return `${String(kind).padStart(8, '0')}-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

export interface Many {
  readonly tasks: number;
  /** How many of them are blocked; they are the oldest. */
  readonly blocked: number;
}

/** The lines, after a header that is made as an export of the same sidecar has it. */
export function manyLines(header: string, {tasks, blocked}: Many): string {
  const counts = {member: 1, task: tasks, sub_task: 0, daily_update: 0};
  const first = {...(JSON.parse(header) as Record<string, unknown>), lines: counts};
  const start = Date.parse('2026-01-01T00:00:00Z');
  const times = (number: number): object => {
    const at = new Date(start + number * SECOND_MS).toISOString();
    return {created_at: at, updated_at: at};
  };
  const member = {resource: 'member', id: uuid(1, 1), name: 'Ada', email: 'ada@example.com', active: true, ...times(0)};
  const lines = Array.from({length: tasks}, (_, number) => {
    const isBlocked = number < blocked;
    return {
      resource: 'task',
      id: uuid(2, number),
      title: `Task ${number} of a great many, with a title of about usual length`,
      description: null,
      status: isBlocked ? 'Blocked' : STATUSES[number % 3],
      priority: PRIORITIES[number % 3],
      assignee_id: number % 2 === 0 ? member.id : null,
      gear_id: number < 10_000 ? String(number).padStart(4, '0') : null,
      blocking_reason: isBlocked ? `Waits for part ${number}` : '',
      blocked_since: isBlocked ? new Date(start).toISOString() : null,
      ...times(number),
    };
  });
  return [first, member, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** Fill an empty sidecar. */
export async function addMany(served: Served, many: Many): Promise<void> {
  const headers = {authorization: `Bearer ${served.token}`};
  const exported = await (await fetch(`${served.url}/api/v1/export`, {headers})).text();
  const body = manyLines(exported.split('\n')[0] ?? '', many);
  const answer = await fetch(`${served.url}/api/v1/import`, {
    method: 'POST',
    headers: {...headers, 'content-type': 'application/x-ndjson'},
    body,
  });
  if (!answer.ok) throw new Error(`import: ${answer.status} ${await answer.text()}`);
}
