/** Which tasks are wanted, as the address of the page says it. */
import type {components} from '../../client/platform.js';

export type Task = components['schemas']['Task'];
export type SubTask = components['schemas']['SubTask'];
export type DailyUpdate = components['schemas']['DailyUpdate'];
export type Status = Task['status'];
export type Priority = Task['priority'];
export type Sort = 'updated' | 'created' | 'priority' | 'status';

/** In the order in which people see them: what needs help comes first. */
export const STATUSES: readonly Status[] = ['Blocked', 'In Progress', 'To Do', 'Done'];
export const PRIORITIES: readonly Priority[] = ['High', 'Medium', 'Low'];
export const SORTS: readonly Sort[] = ['updated', 'created', 'priority', 'status'];
/** Stands for nobody in the filter by assignee. */
export const UNASSIGNED = 'unassigned';

export interface TaskFilters {
  /** Empty: any. */
  readonly status: readonly Status[];
  readonly priority: readonly Priority[];
  /** Ids of members, and `UNASSIGNED`. */
  readonly assignee: readonly string[];
  readonly search: string;
  readonly sort: Sort;
}

export const NO_FILTERS: TaskFilters = {status: [], priority: [], assignee: [], search: '', sort: 'updated'};

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Read the filters of an address; what makes no sense in it is left out. */
export function filtersOf(query: URLSearchParams): TaskFilters {
  const sort = query.get('sort');
  return {
    status: STATUSES.filter((status) => query.getAll('status').includes(status)),
    priority: PRIORITIES.filter((priority) => query.getAll('priority').includes(priority)),
    assignee: [...new Set(query.getAll('assignee'))].filter((id) => id === UNASSIGNED || UUID.test(id)),
    search: query.get('search') ?? '',
    sort: SORTS.find((each) => each === sort) ?? NO_FILTERS.sort,
  };
}

/** The same filters as an address has them; everything else that it says stays. */
export function withFilters(query: URLSearchParams, filters: TaskFilters): URLSearchParams {
  const made = new URLSearchParams(query);
  for (const name of ['status', 'priority', 'assignee'] as const) {
    made.delete(name);
    for (const value of filters[name]) made.append(name, value);
  }
  made.delete('search');
  if (filters.search !== '') made.set('search', filters.search);
  made.delete('sort');
  if (filters.sort !== NO_FILTERS.sort) made.set('sort', filters.sort);
  return made;
}

/** Whether anything is left out. */
export function isFiltered({status, priority, assignee, search}: TaskFilters): boolean {
  return status.length + priority.length + assignee.length > 0 || search.trim() !== '';
}

/** A GEAR ID, which people jump to by typing it. */
export function gearOf(search: string): string | null {
  return /^\d{4}$/.test(search.trim()) ? search.trim() : null;
}
