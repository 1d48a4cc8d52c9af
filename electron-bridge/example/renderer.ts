/** The page: draws what the sidecar tells, and asks it what the person wants. Nothing here knows a token or a port. */
import {
  createSidecarClient,
  type ConnectionInput,
  type Problem,
  type Result,
  type SidecarState,
  type Snapshot,
  type Stage,
} from '@taskflow/electron-bridge/renderer';

const {taskflow} = window;
const client = createSidecarClient(taskflow);

const STATE_NAMES: Readonly<Record<SidecarState['kind'], string>> = {
  launching: 'Starting',
  starting: 'Starting',
  setup_required: 'Set-up needed',
  ready: 'Ready',
  failed: 'Not connected',
  reconnecting: 'Reconnecting',
  restarting: 'Restarting',
  stopping: 'Stopping',
  stopped: 'Stopped',
};

const STAGE_NAMES: Readonly<Record<string, string>> = {
  config: 'Settings',
  key: 'Key',
  credentials: 'Credentials',
  connect: 'Connect',
  migrate: 'Schema',
  ready: 'Ready',
};

const STAGE_STATES: Readonly<Record<Stage['state'], string>> = {
  pending: 'waiting',
  running: 'running',
  done: 'done',
  failed: 'failed',
};

// --- state, stages, problem ----------------------------------------------------------------------------------------

let wasReady = false;

function show(snapshot: Snapshot): void {
  const {state, status, custody} = snapshot;
  const badge = element('state');
  badge.textContent = STATE_NAMES[state.kind];
  badge.dataset['state'] = state.kind;
  element('stages').replaceChildren(...(status?.stages ?? []).map(stageItem));
  showProblem('problem' in state ? state.problem : null);
  // What restarts by itself needs nobody.
  element('again').hidden = state.kind === 'restarting';
  showDatabase(snapshot);
  setText(
    'waiting',
    (status?.stages ?? [])
      .map(({message}) => message ?? '')
      .join(' ')
      .trim(),
  );
  element('recovery').hidden = status?.vault.state !== 'locked';
  element('custody').hidden = custody?.kind !== 'key-file';
  if (custody?.kind === 'key-file') element('custody').textContent = custody.message;

  const isReady = state.kind === 'ready';
  (element('add-member') as HTMLButtonElement).disabled = !isReady;
  element('members').classList.toggle('stale', !isReady);
  if (isReady && !wasReady) void showMembers();
  wasReady = isReady;
}

function stageItem(stage: Stage): HTMLLIElement {
  const item = document.createElement('li');
  item.dataset['state'] = stage.state;
  const tries = stage.attempt > 1 ? `, attempt ${stage.attempt}` : '';
  const took = stage.state === 'done' ? ` in ${stage.elapsed_ms} ms` : '';
  item.append(STAGE_NAMES[stage.name] ?? stage.name, detail(`${STAGE_STATES[stage.state]}${took}${tries}`));
  return item;
}

function detail(text: string): HTMLSpanElement {
  const span = document.createElement('span');
  span.className = 'detail';
  span.textContent = text;
  return span;
}

function showProblem(problem: Problem | null): void {
  // An alert that does not change is not announced again.
  element('problem').hidden = problem === null;
  setText('problem-message', problem?.message ?? '');
  setText('problem-remedy', problem?.remedy ?? '');
  setText('problem-who', problem === null || problem.who === 'you' ? '' : `Who can fix it: ${problem.who}`);
}

function showDatabase({state, status}: Snapshot): void {
  const database = status?.database ?? null;
  if (state.kind !== 'ready' || database === null) setText('database', '');
  else if (database.dialect === 'sqlite')
    setText('database', 'Working with a database on this computer. Enter the team database to share the work.');
  else
    setText(
      'database',
      `Connected to ${database.database ?? ''} on ${database.host ?? ''} as ${database.username ?? ''}, PostgreSQL ${database.server_version ?? ''}.`,
    );
}

element('again').addEventListener('click', () => void again());

/** A living sidecar connects anew; one that is gone is started again. */
async function again(): Promise<void> {
  const result = await taskflow.retry();
  if (!result.ok) await taskflow.startAgain();
}

element('recovery').addEventListener('submit', (event) => {
  event.preventDefault();
  void unlock();
});

async function unlock(): Promise<void> {
  outcome('recovery-outcome', 'busy', 'Unlocking…');
  const result = await taskflow.recover(field('recovery-key').value);
  outcome(
    'recovery-outcome',
    result.ok ? 'good' : 'bad',
    result.ok ? 'The vault is open again.' : result.error.message,
  );
  if (result.ok) field('recovery-key').value = '';
}

// --- settings ------------------------------------------------------------------------------------------------------

const dsn = element('dsn') as HTMLInputElement;

element('reveal').addEventListener('change', ({target}) => {
  dsn.type = (target as HTMLInputElement).checked ? 'text' : 'password';
});

element('test').addEventListener('click', () => {
  void settle('Testing the connection…', 'The connection works.', taskflow.testConnection);
});

element('settings').addEventListener('submit', (event) => {
  event.preventDefault();
  void settle('Saving…', 'Saved.', taskflow.saveConnection).then((isSaved) => {
    if (!isSaved) return;
    dsn.value = '';
    void showSaved();
  });
});

async function settle(
  busy: string,
  good: string,
  act: (settings: ConnectionInput) => Promise<Result<null>>,
): Promise<boolean> {
  if (dsn.value.trim() === '') {
    outcome('outcome', 'bad', 'Paste the connection string first.');
    dsn.setAttribute('aria-invalid', 'true');
    dsn.focus();
    return false;
  }
  // Not disabled while it works: that would take the keyboard's focus away.
  const form = element('settings');
  if (form.ariaBusy === 'true') return false;
  dsn.removeAttribute('aria-invalid');
  outcome('outcome', 'busy', busy);
  form.ariaBusy = 'true';
  const sslmode = field('sslmode').value as NonNullable<ConnectionInput['sslmode']>; // the page offers no others
  const result = await act({dsn: dsn.value, sslmode});
  form.ariaBusy = 'false';
  outcome('outcome', result.ok ? 'good' : 'bad', result.ok ? good : result.error.message);
  return result.ok;
}

async function showSaved(): Promise<void> {
  const result = await taskflow.readConnection();
  if (!result.ok) setText('saved', '');
  else if (result.value === null) setText('saved', 'No team database is saved on this computer yet.');
  else {
    const {database, host, port, username, sslmode} = result.value;
    setText('saved', `Saved: database ${database} on ${host}:${port} as ${username}, TLS mode ${sslmode}.`);
  }
}

// --- members -------------------------------------------------------------------------------------------------------

element('new-member').addEventListener('submit', (event) => {
  event.preventDefault();
  void addMember();
});

async function addMember(): Promise<void> {
  const name = field('member-name');
  const email = field('member-email');
  outcome('member-outcome', 'busy', 'Adding…');
  try {
    const {error} = await client.POST('/api/v1/members', {body: {name: name.value, email: email.value}});
    if (error !== undefined) {
      outcome('member-outcome', 'bad', error.error);
      return;
    }
    outcome('member-outcome', 'good', `${name.value.trim()} was added.`);
    name.value = email.value = '';
    name.focus();
    await showMembers();
  } catch (error) {
    outcome('member-outcome', 'bad', sentence(error));
  }
}

async function showMembers(): Promise<void> {
  try {
    const {data, error} = await client.GET('/api/v1/members');
    if (data === undefined) {
      setText('members-empty', error.error);
      return;
    }
    const rows = data.map(({name, email, active}) => {
      const row = document.createElement('tr');
      for (const text of [name, email, active ? 'yes' : 'no']) row.insertCell().textContent = text;
      return row;
    });
    document.querySelector('#members tbody')?.replaceChildren(...rows);
    element('members').hidden = rows.length === 0;
    element('members-empty').hidden = rows.length > 0;
    setText('members-empty', 'No members yet. Add the first one.');
  } catch (error) {
    setText('members-empty', sentence(error));
  }
}

// --- small helpers -------------------------------------------------------------------------------------------------

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no element #${id}`);
  return found;
}

function field(id: string): HTMLInputElement | HTMLSelectElement {
  return element(id) as HTMLInputElement | HTMLSelectElement;
}

function setText(id: string, text: string): void {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

function outcome(id: string, kind: 'busy' | 'good' | 'bad', text: string): void {
  element(id).dataset['kind'] = kind;
  setText(id, text);
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

taskflow.watch((snapshot) => {
  const isFirstContact =
    'baseUrl' in snapshot.state && snapshot.state.baseUrl !== null && element('saved').textContent === '';
  show(snapshot);
  if (isFirstContact) void showSaved();
});
