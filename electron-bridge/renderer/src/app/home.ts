/** The first page of a window: the work; and before anybody has said where that is to live, the page that asks. */
import {useSituation} from '../data/situation.js';
import {isPlaceChosen} from '../pages/connection/first.js';
import {useLocalWork} from '../pages/connection/queries.js';
import {HOME} from './routes.js';

const CONNECTION = '/connection';

/** Its path; null while it is not known yet, and where nobody is on the way to it. */
export function useHome(isArriving: boolean): string | null {
  const {snapshot, isReady} = useSituation();
  const isChosen = isPlaceChosen();
  const local = useLocalWork(isArriving && !isChosen);
  if (!isArriving) return null;
  if (isChosen) return HOME;
  const status = snapshot?.status ?? null;
  if (snapshot?.state.kind === 'failed') return HOME;
  // Not even the sidecar has said anything yet.
  if (snapshot === null || status === null) return null;
  if (snapshot.state.kind === 'setup_required') return CONNECTION;
  if (status.mode !== 'embedded') return HOME;
  if (!isReady || local === null) return null;
  return local.tasks + local.members === 0 ? CONNECTION : HOME;
}
