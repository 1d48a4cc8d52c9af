/** Whether the vault cannot be used because of a key that somebody who is no member put into the database. */
import {useQuery} from '@tanstack/react-query';
import {taken} from '../../client/failure.js';
import {usePlatform} from '../../data/situation.js';

/** @param state the vault's, as the sidecar tells it: a planted key makes it locked, or contradicts what was seen. */
export function useIsPlanted(state: string | undefined): boolean {
  const {client} = usePlatform();
  const isInDoubt = state === 'locked' || state === 'rolled-back';
  const verified = useQuery({
    queryKey: ['vault', 'planted'],
    enabled: isInDoubt,
    queryFn: () => taken(client.GET('/api/v1/vault/verify')),
  });
  return isInDoubt && verified.data?.findings.some(({kind}) => kind === 'key') === true;
}
